"""Every fixture, original and optimized side by side."""

from __future__ import annotations

import json
import shutil
from typing import TYPE_CHECKING

import pytest

from .addresses import of_manifest
from .comparison import compare
from .exports import FIXTURES, SPLIT, Original, by_manifest, optimize_quickly, page, patience
from .hosting import MANIFEST, ManifestHosting
from .navigation import follow
from .server import Request
from .walk import missing, steps

if TYPE_CHECKING:
    from pathlib import Path

    from playwright.sync_api import Browser

    from .comparison import Difference
    from .observation import Served

pytestmark = [pytest.mark.browser, pytest.mark.fixtures]


# Of the others, the tests of splitting ask the same and more.
_whole = pytest.mark.parametrize(
    "export", [one for one in FIXTURES if one not in SPLIT], ids=lambda one: one.name, indirect=True, scope="session"
)


def _differences(browser: Browser, original: Original, served: Served) -> dict[str, list[Difference]]:
    """Of all pages that have any."""
    found = {
        path: compare(observation, page(browser, served, path, patience(original, path)))
        for path, observation in original.pages.items()
    }
    return {path: differences for path, differences in found.items() if differences}


def test_original_works(original: Original) -> None:
    """Else the comparisons would compare one failure with another."""
    assert len(original.pages) > 1
    for path, observation in original.pages.items():
        if not missing(original.hosting, path):
            assert observation.ready is not None, path
            assert observation.errors == (), path
            assert observation.failures == (), path


@_whole
def test_every_page_is_the_same(browser: Browser, original: Original, optimized: Path) -> None:
    with by_manifest(optimized, original.export.base) as served:
        assert _differences(browser, original, served) == {}
        codings = {exchange.content_encoding for exchange in served.server.exchanges()}
        assert "br" in codings, "no encoding was ever used"


def test_every_page_is_the_same_when_optimized_again(
    browser: Browser, original: Original, optimized: Path, tmp_path: Path
) -> None:
    """Without the manifest, an output is an export like any other."""
    base = original.export.base
    first = of_manifest(ManifestHosting(optimized).files, "", base)
    shutil.copytree(optimized, tmp_path / "bare", ignore=shutil.ignore_patterns(MANIFEST))
    optimize_quickly(tmp_path / "bare", tmp_path / "twice", base)
    with by_manifest(tmp_path / "twice", base, first) as served:
        assert _differences(browser, original, served) == {}


@pytest.mark.parametrize("damage", ["chunk removed", "wrong name"])
def test_a_broken_output_is_found(
    browser: Browser, original: Original, optimized: Path, tmp_path: Path, damage: str
) -> None:
    """The proof that the test above can fail, on the same exports."""
    broken = tmp_path / "broken"
    shutil.copytree(optimized, broken)
    chunk = _immutable_script(broken)
    if damage == "chunk removed":
        for file in broken.glob(f"{chunk}*"):
            file.unlink()
    else:
        home = broken / "index.html"
        name = chunk.rpartition("/")[2]
        assert name in home.read_text()
        home.write_text(home.read_text().replace(name, f"x{name}"))
        for sidecar in broken.glob("index.html.*"):
            sidecar.unlink()
    manifest = json.loads((broken / MANIFEST).read_text())
    manifest["files"] = {
        path: record | {"encodings": {}} for path, record in manifest["files"].items() if (broken / path).is_file()
    }
    (broken / MANIFEST).write_text(json.dumps(manifest))
    with by_manifest(broken, original.export.base) as served:
        observed = page(browser, served, "", patience(original, "") and 3)
        differences = compare(original.pages[""], observed)
    assert "failures" in {difference.kind for difference in differences}


def _immutable_script(output: Path) -> str:
    """One that the home page cannot do without."""
    manifest = json.loads((output / MANIFEST).read_text())
    records = manifest["files"]
    scripts = (path for path in manifest["routes"]["/"]["initial"] if records[path]["kind"] == "script")
    return max(scripts, key=lambda path: (records[path]["cache_class"] == "immutable", records[path]["size"]))


@_whole
def test_links_lead_to_the_same_pages(browser: Browser, original: Original, optimized: Path) -> None:
    """Clicked as a visitor would, on every page, with the page's scripts alive as long as in the original."""
    assert steps(original.pages, original.hosting), "no page links to another one"
    with by_manifest(optimized, original.export.base) as served:
        assert follow(browser, original, served) == {}


def test_public_files_keep_their_addresses(original: Original, optimized: Path) -> None:
    """Whoever knows a URL from outside finds the same kind of file there. Bundlers' folders are their own."""
    hosting = ManifestHosting(optimized)
    lost = []
    for path in sorted(original.served.addresses.sources):
        if path.startswith(("_next/static/", "assets/")):
            continue
        answers = [host.answer(Request(path)) for host in (original.hosting, hosting)]
        if len({(answer.status, answer.headers.get("Content-Type")) for answer in answers}) > 1:
            lost.append((path, answers))
    assert lost == []
