"""The way of a visitor through a site: which pages there are, and which links to click in what order."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import quote, unquote, urlsplit

from .server import Request

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from .observation import Observation
    from .server import Hosting

NO_SUCH_PAGE = "no-such-page"


@dataclass(frozen=True, slots=True)
class Step:
    """A click on the link to `target`, on the page at `path`."""

    path: str
    target: str


def addresses_of_pages(folder: Path) -> list[str]:
    """The paths, below the base, at which a visitor finds each page of an export."""
    found: list[str] = []
    for page in sorted(folder.rglob("*.html")):
        path = page.relative_to(folder).as_posix()
        if path == "404.html":
            found.append(NO_SUCH_PAGE)
        elif page.name == "index.html":
            found.append(quote(path.removesuffix("index.html")))
        else:
            found.append(quote(path.removesuffix(".html")))
    return found


def leads_to_page(hosting: Hosting, path: str) -> bool:
    """Whether a path, with its query, is answered with a page, and not with a download."""
    response = hosting.answer(Request(unquote(urlsplit(path).path)))
    return response.status == 302 or response.headers.get("Content-Type", "").startswith("text/html")


def steps(pages: Mapping[str, Observation], hosting: Hosting) -> list[Step]:
    """Clicks that follow every link from every page to every other page once.

    pages: observations by path. Each step starts where the last one led if that page has links left, so that
    the page's scripts live as long as they would for a visitor.
    """
    paths = {observation.address: path for path, observation in pages.items()}
    left: dict[str, list[str]] = {
        observation.address: _targets(observation, hosting) for observation in pages.values()
    }
    walk: list[Step] = []
    here = next(iter(left), "")
    while any(left.values()):
        if not left.get(here):
            here = next(address for address, targets in left.items() if targets)
        target = left[here].pop(0)
        walk.append(Step(paths[here], target))
        here = target
    return walk


def _targets(observation: Observation, hosting: Hosting) -> list[str]:
    """Where the links of a page lead, without places on the same page and downloads."""
    here = observation.address.partition("#")[0]
    return list(
        dict.fromkeys(
            link.target
            for link in observation.links
            if link.target.partition("#")[0] != here and leads_to_page(hosting, link.path)
        )
    )
