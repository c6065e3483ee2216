"""The comparison can fail: every kind of damage is found, and named as what it is."""

from __future__ import annotations

import json
import shutil
from typing import TYPE_CHECKING

import pytest

from . import tiny_site
from .addresses import of_folder
from .comparison import compare
from .exports import by_manifest, page
from .hosting import MANIFEST, PlainHosting
from .observation import Served
from .server import Server

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from playwright.sync_api import Browser

    from .comparison import Difference
    from .observation import Observation

pytestmark = pytest.mark.browser


def _removed(path: str) -> Callable[[Path], None]:
    return lambda folder: (folder / path).unlink()


def _replaced(path: str, old: str, new: str) -> Callable[[Path], None]:
    def damage(folder: Path) -> None:
        text = (folder / path).read_text(encoding="utf-8")
        assert text.count(old) == 1
        (folder / path).write_text(text.replace(old, new), encoding="utf-8")

    return damage


def _truncated(path: str) -> Callable[[Path], None]:
    def damage(folder: Path) -> None:
        data = (folder / path).read_bytes()
        (folder / path).write_bytes(data[: len(data) // 2])

    return damage


def _copied(source: str, target: str) -> Callable[[Path], None]:
    def damage(folder: Path) -> None:
        shutil.copyfile(folder / source, folder / target)

    return damage


DAMAGES = [
    pytest.param(_removed("assets/chunk.js"), {"failures", "errors", "ready", "text"}, id="chunk removed"),
    pytest.param(
        _replaced("index.html", "assets/entry.js", "assets/entri.js"),
        {"failures", "errors", "attributes", "ready", "text"},
        id="wrong name in a page",
    ),
    pytest.param(
        _replaced("assets/entry.js", "./chunk.js", "./chunc.js"),
        {"failures", "errors", "ready", "text"},
        id="wrong name in a script",
    ),
    pytest.param(_truncated("assets/chunk.js"), {"errors", "ready", "text"}, id="script truncated"),
    pytest.param(_replaced("assets/entry.js", "10, 5)", "10, 4)"), {"attributes"}, id="another frame"),
    pytest.param(_copied("assets/blue.png", "assets/red.png"), {"screenshot"}, id="image swapped"),
    pytest.param(_removed("assets/red.png"), {"failures", "attributes", "screenshot"}, id="image removed"),
    pytest.param(
        _replaced("index.html", "assets/blue.png 2x", "assets/red.png 2x"),
        {"attributes"},
        id="another image in srcset",
    ),
    pytest.param(_replaced("index.html", "Hello", "Hallo"), {"text", "nodes"}, id="text changed"),
    pytest.param(
        _replaced("index.html", "</b> <i>", "</b><i>"),
        {"text", "elements"},
        id="white space between inline elements removed",
    ),
    pytest.param(_replaced("index.html", "kept   as", "kept as"), {"text", "nodes"}, id="pre reflowed"),
    pytest.param(_replaced("index.html", "<!-- -->", ""), {"elements"}, id="comment removed"),
    pytest.param(_replaced("index.html", "</h1>\n<p>", "</h1><p>"), {"elements"}, id="invisible text removed"),
    pytest.param(_replaced("index.html", ' class="title"', ""), {"attributes"}, id="class removed"),
    pytest.param(_replaced("index.html", "about.html", "./"), {"attributes"}, id="link to another page"),
    pytest.param(
        _replaced("index.html", '<link rel="stylesheet" href="assets/style.css">', ""),
        {"elements", "screenshot"},
        id="style sheet lost",
    ),
    pytest.param(_replaced("assets/style.css", "#eef", "#fee"), {"screenshot"}, id="style changed"),
    pytest.param(
        _replaced("assets/chunk.js", 'document.documentElement.setAttribute("data-ready", "yes");', ""),
        {"ready", "attributes"},
        id="never ready",
    ),
    pytest.param(
        _replaced("assets/chunk.js", "  return", '  console.error("worse");\n  return'),
        {"errors"},
        id="new console error",
    ),
    pytest.param(
        _replaced("assets/chunk.js", "  return", '  setTimeout(() => { throw new Error("worse") });\n  return'),
        {"errors"},
        id="new uncaught error",
    ),
    pytest.param(
        _replaced("assets/chunk.js", "  return", '  fetch("/missing.bin");\n  return'),
        {"errors", "failures"},
        id="new failed request",
    ),
]


@pytest.fixture(scope="module")
def original(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Observation]:
    folder = tmp_path_factory.mktemp("tiny") / "original"
    tiny_site.write(folder)
    return folder, _observed(browser, folder)


def _observed(
    browser: Browser, folder: Path, content_types: dict[str, str] | None = None, ready_seconds: float = 60
) -> Observation:
    with Server(PlainHosting(folder, content_types)) as server:
        return page(browser, Served(server, of_folder(folder, server.origin, "/")), "", ready_seconds)


def _kinds(differences: list[Difference]) -> set[str]:
    return {difference.kind for difference in differences}


def test_untouched_copy_has_no_difference(browser: Browser, original: tuple[Path, Observation], tmp_path: Path) -> None:
    shutil.copytree(original[0], tmp_path / "copy")
    assert original[1].ready == "yes"
    assert not original[1].errors
    assert not original[1].failures
    assert compare(original[1], _observed(browser, tmp_path / "copy")) == []


@pytest.mark.parametrize(("damage", "kinds"), DAMAGES)
def test_damage_is_found(
    browser: Browser,
    original: tuple[Path, Observation],
    tmp_path: Path,
    damage: Callable[[Path], None],
    kinds: set[str],
) -> None:
    shutil.copytree(original[0], tmp_path / "copy")
    damage(tmp_path / "copy")
    # A page that is broken never becomes ready: nothing is won by waiting for long.
    differences = compare(original[1], _observed(browser, tmp_path / "copy", ready_seconds=1))
    assert kinds <= _kinds(differences), differences


def test_wrong_content_type_of_a_module_is_found(browser: Browser, original: tuple[Path, Observation]) -> None:
    broken = _observed(browser, original[0], {"assets/chunk.js": "text/plain"}, ready_seconds=1)
    assert {"errors", "ready"} <= _kinds(compare(original[1], broken))


def _entry(path: str, key: str, value: object) -> Callable[[Path], None]:
    """Damage to what the manifest says of a file."""

    def damage(folder: Path) -> None:
        manifest = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
        manifest["files"][path][key] = value
        (folder / MANIFEST).write_text(json.dumps(manifest), encoding="utf-8")

    return damage


def _unlisted(path: str) -> Callable[[Path], None]:
    def damage(folder: Path) -> None:
        manifest = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
        del manifest["files"][path]
        (folder / MANIFEST).write_text(json.dumps(manifest), encoding="utf-8")

    return damage


CHUNK, STYLE, RED = "assets/chunk-5e1f.js", "assets/style-ab12.css", "assets/red-c0de.png"

DAMAGES_BY_MANIFEST = [
    pytest.param(_unlisted(CHUNK), {"failures", "errors", "ready"}, id="chunk not in the manifest"),
    pytest.param(_entry(CHUNK, "content_type", "text/plain"), {"errors", "ready"}, id="wrong content type"),
    pytest.param(_entry(RED, "source", ["assets/blue.png"]), {"attributes"}, id="name of another file"),
    pytest.param(_copied(f"{STYLE}.br", f"{CHUNK}.br"), {"errors", "ready"}, id="sidecar of another file"),
    pytest.param(_copied(CHUNK, f"{CHUNK}.br"), {"failures", "ready"}, id="sidecar in no coding"),
    pytest.param(_truncated(f"{CHUNK}.br"), {"errors", "ready"}, id="sidecar truncated"),
    pytest.param(_copied("about.html.br", "index.html.br"), {"text", "elements"}, id="sidecar of another page"),
]


@pytest.fixture(scope="module")
def optimized(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("tiny") / "optimized"
    tiny_site.write_optimized(folder)
    return folder


def test_new_names_and_encodings_are_no_difference(
    browser: Browser, original: tuple[Path, Observation], optimized: Path
) -> None:
    with by_manifest(optimized, "/") as served:
        assert compare(original[1], page(browser, served, "", ready_seconds=60)) == []
        sent = {exchange.target: exchange.content_encoding for exchange in served.server.exchanges()}
    assert sent["/"] == sent[f"/{CHUNK}"] == "br"
    assert sent[f"/{RED}"] == ""


@pytest.mark.parametrize(("damage", "kinds"), DAMAGES_BY_MANIFEST)
def test_damage_to_what_the_manifest_serves_is_found(
    browser: Browser,
    original: tuple[Path, Observation],
    optimized: Path,
    tmp_path: Path,
    damage: Callable[[Path], None],
    kinds: set[str],
) -> None:
    shutil.copytree(optimized, tmp_path / "copy")
    damage(tmp_path / "copy")
    with by_manifest(tmp_path / "copy", "/") as served:
        differences = compare(original[1], page(browser, served, "", ready_seconds=1))
    assert kinds <= _kinds(differences), differences
