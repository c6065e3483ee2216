"""Clicking through a site finds what loading its pages does not."""

from __future__ import annotations

import shutil
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

from . import tiny_site
from .addresses import of_folder
from .exports import Export, original
from .hosting import PlainHosting
from .navigation import follow
from .observation import Served
from .server import Server

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from playwright.sync_api import Browser

    from .exports import Original

pytestmark = pytest.mark.browser


TEAM = "assets/team.js"
DAMAGES = [
    pytest.param("assets/entry.js", "  event.preventDefault();\n", "", {"reload"}, id="document reloaded"),
    pytest.param("assets/entry.js", "team.js", "crew.js", {"address"}, id="lazy chunk missing"),
    pytest.param("assets/entry.js", '"team.html"', '"crew.html"', {"address"}, id="other address"),
    pytest.param("assets/team.js", "Home", "Hame", {"text", "nodes"}, id="text of the page"),
    pytest.param("assets/team.js", "=./>", "=about>", {"attributes"}, id="link on the page"),
    pytest.param("index.html", ' href="team.html"', "", {"address"}, id="no such link"),
    pytest.param("assets/entry.js", "? home", "? ''", {"elements", "text"}, id="way back"),
]


@pytest.fixture(scope="module")
def site(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Original]:
    folder = tmp_path_factory.mktemp("tiny") / "original"
    tiny_site.write(folder)
    # Only its first page has a script that makes it ready.
    with original(browser, Export(folder, ready_seconds=0)) as served:
        yield served


@contextmanager
def _copy(site: Original, folder: Path) -> Iterator[Served]:
    with Server(PlainHosting(folder)) as server:
        yield Served(server, of_folder(site.export.folder, server.origin, "/"))


def test_untouched_copy_behaves_the_same(browser: Browser, site: Original) -> None:
    assert sorted(site.pages) == ["", "about", "about.html", "no-such-page", "team", "team.html"]
    with _copy(site, site.export.folder) as served:
        assert follow(browser, site, served) == {}


@pytest.mark.parametrize(("path", "old", "new", "kinds"), DAMAGES)
def test_damage_is_found(
    browser: Browser, site: Original, tmp_path: Path, path: str, old: str, new: str, kinds: set[str]
) -> None:
    shutil.copytree(site.export.folder, tmp_path / "copy")
    text = (tmp_path / "copy" / path).read_text(encoding="utf-8")
    assert text.count(old) == 1
    (tmp_path / "copy" / path).write_text(text.replace(old, new), encoding="utf-8")
    with _copy(site, tmp_path / "copy") as served:
        found = follow(browser, site, served, click_seconds=2)
    assert kinds <= {difference.kind for differences in found.values() for difference in differences}, found
