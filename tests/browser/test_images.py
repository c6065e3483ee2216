"""Real pages of pictures: browsers get smaller files, and visitors see what they saw.

How pages are the same in everything but their pictures' files is the matter of tests/browser/test_exports.py.
"""

from __future__ import annotations

import io
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit

import pytest
from PIL import Image

from .addresses import of_folder, of_manifest
from .chromium import visitor
from .comparison import compare
from .exports import Export, by_manifest, optimize
from .hosting import ManifestHosting, PlainHosting
from .observation import Served, Tab
from .server import Server

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from playwright.sync_api import Browser

    from .observation import Observation
    from .server import Exchange

pytestmark = [pytest.mark.browser, pytest.mark.fixtures]

# SSIMULACRA 2 of a whole page: what the pass promises for each picture of it.
TARGET = 80.0
# What all pictures of a page may weigh, as a share of what they did.
HALF = 0.5
AVIF, WEBP = "image/avif", "image/webp"
# Browsers ask for a tab's icon at a time of their own.
_ICONS = ("favicon.ico", "favicon.png", "images/logo.png")
# Every element's place, but of those that the pass may put around a picture.
_BOXES = """() => [...document.body.querySelectorAll("*")]
  .filter((element) => !["picture", "source"].includes(element.localName))
  .map((element) => {
    const { x, y, width, height } = element.getBoundingClientRect();
    return [element.localName, x, y, width, height];
  })"""


@dataclass(frozen=True, slots=True)
class Gallery:
    """A page of pictures. path: below the base; photos: which files' pictures it shows, and as what they arrive."""

    export: str
    path: str
    photos: Mapping[str, str]

    def __str__(self) -> str:
        return f"{self.export}/{self.path}"


def _imported(folder: str, *names: str) -> dict[str, str]:
    """Pictures that a bundler has given a name with a hash, on a page that is hydrated."""
    return {f"{folder}/{name}[.-]*.jpg": WEBP for name in names}


NEXT, VITE = "_next/static/media", "assets"
# Under a name of its own; next/image and an element show it, or an element alone.
PUBLIC = {"images/ridge.jpg": WEBP}
GALLERIES = (
    Gallery(
        "plain",
        "photos",
        # Selectors hang on the places of two of them, so that nothing may be put around these.
        {"img/photos/valley-720.jpg": AVIF, "img/photos/ridge.jpg": AVIF}
        | {f"img/photos/{name}.jpg": WEBP for name in ("tower", "dunes")},
    ),
    Gallery("plain", "directions", {"img/photos/mist-wide.jpg": AVIF}),
    # No browser's AVIF says how often to play.
    Gallery("plain", "animations", {"img/moving/pan.gif": WEBP, "img/moving/spin.png": WEBP}),
    Gallery("next14", "photos/", _imported(NEXT, "valley") | PUBLIC),
    Gallery("next14-sub", "photos/", _imported(NEXT, "valley") | PUBLIC),
    Gallery("next16", "photos/", _imported(NEXT, "valley") | PUBLIC),
    Gallery("vite8", "#/photos", _imported(VITE, "valley", "ridge", "dunes")),
)
TEXTURES = (("next14", "textures/"), ("next14-sub", "textures/"), ("vite8", "#/textures"))


@dataclass(frozen=True, slots=True)
class Look:
    """A page at rest. boxes: of its elements, in order. pictures: type and size by the file of the original."""

    observation: Observation
    boxes: list[Any]
    pictures: dict[str, set[tuple[str, int]]]

    @property
    def weight(self) -> int:
        """The bytes of all pictures."""
        return sum(size for answers in self.pictures.values() for _, size in answers)


def _look(browser: Browser, served: Served, path: str, width: int = 800, way: str = "") -> Look:
    """A page as a new visitor sees it, who may come by the link to it on another page. way: that page's path."""
    with visitor(browser) as context:
        tab = Tab(context, served, 60)
        tab.page.set_viewport_size({"width": width, "height": 600})
        first = len(served.server.exchanges())
        if way:
            tab.open("")
            tab.observe()
            first = len(served.server.exchanges())
            tab.click(way, 30)
        else:
            tab.open(path)
        observation = tab.observe()
        return Look(observation, tab.page.evaluate(_BOXES), _pictures(served, first))


def _pictures(served: Served, first: int) -> dict[str, set[tuple[str, int]]]:
    """What was asked for from the exchange with number `first` on."""
    found: dict[str, set[tuple[str, int]]] = {}
    for exchange in served.server.exchanges(first):
        source = _source(served, exchange)
        if exchange.content_type.startswith("image/") and not source.endswith(_ICONS):
            found.setdefault(source, set()).add((exchange.content_type, exchange.size))
    return found


def _source(served: Served, exchange: Exchange) -> str:
    path = unquote(urlsplit(exchange.target).path)
    return served.addresses.url(path, served.addresses.origin).removeprefix("site:")


@pytest.fixture(scope="session")
def optimized(export: Export, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The export as the command makes it, with pictures that may lose what nobody sees."""
    folder = tmp_path_factory.mktemp(f"{export.name}-pictures")
    settings = folder / "settings.toml"
    settings.write_text("[compress]\nbrotli_quality = 4\n", encoding="utf-8")
    optimize(export.folder, folder / "once", export.base, "--config", str(settings))
    return folder / "once"


@pytest.fixture
def before(export: Export) -> Iterator[Served]:
    """The export on its server."""
    with Server(PlainHosting(export.folder), export.base) as server:
        yield Served(server, of_folder(export.folder, server.origin, export.base))


@pytest.fixture
def after(export: Export, optimized: Path) -> Iterator[Served]:
    """Its optimized twin."""
    with by_manifest(optimized, export.base) as served:
        yield served


def _galleries(*exports: str) -> pytest.MarkDecorator:
    return pytest.mark.parametrize(
        ("export", "gallery"),
        [pytest.param(one.export, one, id=str(one)) for one in GALLERIES if one.export in exports or not exports],
        indirect=["export"],
    )


def _arrived(look: Look, photos: Mapping[str, str]) -> dict[str, set[str]]:
    """The types in which the pictures arrived, by the pattern that names them."""
    return {
        pattern: {kind for path, answers in look.pictures.items() if fnmatchcase(path, pattern) for kind, _ in answers}
        for pattern in photos
    }


def _likeness(one: bytes, other: bytes) -> float:
    import numpy as np

    from v1z3r_build.codecs.pictures.likeness import likeness

    first, second = (np.asarray(Image.open(io.BytesIO(file)).convert("RGB")) for file in (one, other))
    return likeness(first, second)


@_galleries()
def test_pictures_arrive_smaller_and_look_the_same(
    browser: Browser, before: Served, after: Served, gallery: Gallery
) -> None:
    one, other = (_look(browser, served, gallery.path) for served in (before, after))
    assert one.observation.ready == other.observation.ready == "true"
    assert (one.observation.errors, one.observation.failures) == ((), ())
    assert (other.observation.errors, other.observation.failures) == ((), ())
    # One type each: nobody has asked for the file of before, too.
    assert _arrived(other, gallery.photos) == {pattern: {kind} for pattern, kind in gallery.photos.items()}
    assert other.pictures.keys() == one.pictures.keys()
    assert other.weight <= HALF * one.weight, (one.pictures, other.pictures)
    assert other.boxes == one.boxes
    assert _likeness(one.observation.screenshot, other.observation.screenshot) >= TARGET


@_galleries("next14", "next14-sub", "next16")
def test_pictures_are_the_same_by_a_link(browser: Browser, before: Served, after: Served, gallery: Gallery) -> None:
    """The page is then made by its script, from the names that stand there or in its data."""
    target = _look(browser, before, gallery.path).observation.address
    one, other = (_look(browser, served, gallery.path, way=target) for served in (before, after))
    assert (other.observation.errors, other.observation.failures) == ((), ())
    assert _arrived(other, gallery.photos) == {pattern: {kind} for pattern, kind in gallery.photos.items()}
    assert other.boxes == one.boxes
    assert _likeness(one.observation.screenshot, other.observation.screenshot) >= TARGET


@pytest.mark.parametrize("export", ["plain"], indirect=True)
@pytest.mark.parametrize(("width", "shown"), [(400, "mist-tall"), (600, "mist-square"), (800, "mist-wide")])
def test_art_direction_stays_the_authors(
    browser: Browser, before: Served, after: Served, width: int, shown: str
) -> None:
    one, other = (_look(browser, served, "directions", width) for served in (before, after))
    assert _arrived(other, {"img/photos/*": AVIF}) == {"img/photos/*": {AVIF}}
    assert {path for path in other.pictures if "photos" in path} == {f"img/photos/{shown}.jpg"}
    assert other.boxes == one.boxes
    assert _likeness(one.observation.screenshot, other.observation.screenshot) >= TARGET


@pytest.mark.parametrize("export", ["plain"], indirect=True)
@pytest.mark.parametrize(("width", "shown"), [(200, "valley-240"), (460, "valley-480"), (800, "valley-720")])
def test_candidates_stay_at_their_widths(
    browser: Browser, before: Served, after: Served, width: int, shown: str
) -> None:
    one, other = (_look(browser, served, "photos", width) for served in (before, after))
    for look in (one, other):
        assert {path for path in look.pictures if "valley" in path} == {f"img/photos/{shown}.jpg"}
    assert other.boxes == one.boxes


@pytest.mark.parametrize(("export", "path"), TEXTURES, indirect=["export"])
def test_a_renderer_gets_the_very_same_pixels(browser: Browser, before: Served, after: Served, path: str) -> None:
    """The page shows a checksum of its frame, and the canvas is compared pixel by pixel."""
    one, other = (_look(browser, served, path) for served in (before, after))
    assert one.observation.text.count("drawn ") == 1
    assert compare(one.observation, other.observation) == []
    walls = {path for path in one.pictures if "wall-" in path}
    assert len(walls) == 2
    assert walls <= other.pictures.keys()
    assert other.weight <= one.weight


@pytest.mark.parametrize("export", ["plain"], indirect=True)
def test_icons_stay_what_they_are(browser: Browser, before: Served, after: Served) -> None:
    """Some of them cannot be said in fewer bytes; none may grow, and edges stay as sharp as they are."""
    one, other = (_look(browser, served, "icons") for served in (before, after))
    assert (other.observation.errors, other.observation.failures) == ((), ())
    assert other.pictures.keys() == one.pictures.keys()
    sizes = [
        {path: max(size for _, size in answers) for path, answers in look.pictures.items()} for look in (one, other)
    ]
    assert all(sizes[1][path] <= size for path, size in sizes[0].items())
    assert other.boxes == one.boxes
    assert _likeness(one.observation.screenshot, other.observation.screenshot) >= TARGET


@pytest.mark.parametrize("export", ["plain", "next14"], indirect=True)
def test_a_host_that_negotiates_needs_no_other_names(
    browser: Browser, export: Export, before: Served, tmp_path: Path
) -> None:
    """No reference changes, yet the photographs that a page asks for come as AVIF."""
    settings = tmp_path / "negotiate.toml"
    settings.write_text('[images]\nmode = "negotiate"\n[compress]\nbrotli_quality = 4\n')
    optimize(export.folder, tmp_path / "out", export.base, "--config", str(settings))
    gallery = next(one for one in GALLERIES if one.export == export.name)
    hosting = ManifestHosting(tmp_path / "out", negotiating=True)
    with Server(hosting, export.base) as server:
        served = Served(server, of_manifest(hosting.files, server.origin, export.base))
        one, other = (_look(browser, site, gallery.path) for site in (before, served))
    assert (other.observation.errors, other.observation.failures) == ((), ())
    assert [found for found in compare(one.observation, other.observation) if found.kind != "screenshot"] == []
    assert other.pictures.keys() == one.pictures.keys()
    assert _arrived(other, gallery.photos) == {pattern: {AVIF} for pattern in gallery.photos}
    assert other.weight <= HALF * one.weight
