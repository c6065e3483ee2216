"""Every fixture, original and optimized side by side."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import pytest

from .addresses import of_manifest
from .comparison import compare
from .exports import Original, by_manifest, optimize, page, patience
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
    optimize(tmp_path / "bare", tmp_path / "twice", base)
    with by_manifest(tmp_path / "twice", base, first) as served:
        assert _differences(browser, original, served) == {}


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
