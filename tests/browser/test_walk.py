"""The visitor's way follows every link once."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from . import tiny_site
from .hosting import PlainHosting
from .observation import Link, Node, Observation
from .walk import Step, addresses_of_pages, steps

if TYPE_CHECKING:
    from pathlib import Path


def _page(address: str, *targets: str) -> Observation:
    links = tuple(Link(index, f"site:{target}", target.partition("#")[0]) for index, target in enumerate(targets))
    return Observation(f"site:{address}", None, "", (), links, (), (), b"")


def test_every_place_is_reached_from_two_pages_and_downloads_are_not_clicked(tmp_path: Path) -> None:
    tiny_site.write(tmp_path / "site")
    pages = {
        "": _page("", "about", "about", "#top", "team", "assets/red.png"),
        "about": _page("about", "", "team"),
        "team": _page("team"),
        "alone": _page("alone", "team"),
    }
    assert steps(pages, PlainHosting(tmp_path / "site")) == [
        Step("", "site:about"),
        Step("about", "site:"),
        Step("", "site:team"),
        Step("about", "site:team"),
    ]


def test_a_navigation_that_all_pages_share_is_not_clicked_on_each(tmp_path: Path) -> None:
    tiny_site.write(tmp_path / "site")
    names = ["", "about", "team", "about?2", "team?2", "about?3"]
    pages = {name: _page(name, *names) for name in names}
    walk = steps(pages, PlainHosting(tmp_path / "site"))
    assert len(walk) == 2 * len(names)
    assert len(set(walk)) == len(walk)
    assert {step.target for step in walk} == {f"site:{name}" for name in names}


def test_places_on_a_page_are_pages_where_they_show_something_else(tmp_path: Path) -> None:
    """A link to what is there already changes nothing, and nothing would tell when it has been followed."""
    tiny_site.write(tmp_path / "site")
    pages = {name: _page(name, "#/", "#/work") for name in ("", "#/", "#/work")}
    pages["#/work"] = replace(pages["#/work"], nodes=(Node(0, "p", (), ""),))
    assert steps(pages, PlainHosting(tmp_path / "site")) == [
        Step("", "site:#/work"),
        Step("#/work", "site:#/"),
        Step("#/", "site:#/work"),
    ]


def test_pages_have_the_addresses_that_visitors_use(tmp_path: Path) -> None:
    tiny_site.write(tmp_path)
    (tmp_path / "crew").mkdir()
    (tmp_path / "crew/index.html").touch()
    (tmp_path / "crew/a b.html").touch()
    assert addresses_of_pages(tmp_path) == [
        "no-such-page",
        "about",
        "crew/a%20b",
        "crew/",
        "",
        "team",
    ]
