"""Vendors split out of real exports: nothing that a visitor sees changes, whatever arrives when."""

from __future__ import annotations

from collections import Counter
from itertools import pairwise
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

import pytest

from .addresses import of_manifest, remainders
from .comparison import compare
from .exports import SPLIT, by_manifest, page, patience
from .hosting import Holding, ManifestHosting
from .navigation import follow
from .observation import Served
from .server import Response, Server

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from playwright.sync_api import Browser

    from .comparison import Difference
    from .exports import Original
    from .observation import Observation
    from .server import Exchange, Hosting, Request

pytestmark = [
    pytest.mark.browser,
    pytest.mark.fixtures,
    pytest.mark.parametrize("export", SPLIT, ids=lambda one: one.name, indirect=True, scope="session"),
]

# The elements in which the fixtures' pages show what a vendor has come to.
RESULTS = {"scene", "camera", "tensors", "average"}
PIXELS = 320 * 200


def _checksum(pixel: tuple[int, int, int, int]) -> str:
    """What the fixtures' pages show of a frame of one colour."""
    total = 7
    for _ in range(PIXELS):
        for value in pixel:
            total = (total * 31 + value) % 2**32
    return f"drawn {total:x}"


class _Emptying:
    """A host for which some scripts are empty."""

    def __init__(self, hosting: Hosting, *emptied: str) -> None:
        self.hosting = hosting
        self.emptied = emptied

    def answer(self, request: Request) -> Response:
        if request.path in self.emptied:
            return Response(200, b"", {"Content-Type": "text/javascript"})
        return self.hosting.answer(request)


def _results(observation: Observation) -> Iterator[str]:
    """The texts of the elements that show what a vendor has come to."""
    nodes = observation.nodes
    for node, text in pairwise(nodes):
        if dict(node.attributes).get("id") in RESULTS:
            yield text.data


def _asked(exchanges: Iterable[Exchange], base: str) -> Counter[str]:
    """How often each file was asked for, by its path."""
    return Counter(unquote(urlsplit(one.target).path).removeprefix(base) for one in exchanges)


def test_vendors_work_in_the_original(original: Original) -> None:
    """Else the comparisons would compare one failure with another."""
    shown = {text for observation in original.pages.values() for text in _results(observation)}
    numbers = {text for text in shown if text.startswith(("tensor ", "average "))}
    assert numbers
    # [[1, 2], [3, 4]] · [[5, 6], [7, 8]], in some fixtures less 20 but not below 0; mean and variance of 3, 5, 8, 12.
    assert numbers <= {"tensor 19 22 43 50", "tensor 0 2 23 30", "average 7, variance 11.500"}
    scenes = shown - numbers
    assert scenes
    assert all(text.startswith(("drawn ", "seen at ", "box ")) or " vertices, " in text for text in scenes)
    assert not scenes & {_checksum((0, 0, 0, 0)), _checksum((0, 0, 0, 255))}


def test_every_page_is_the_same(browser: Browser, original: Original, optimized: Path) -> None:
    """And asks for each vendor's file once, and only if it asks for a chunk that needs it."""
    base = original.export.base
    vendors = remainders(ManifestHosting(optimized).files)
    found: dict[str, list[Difference]] = {}
    met: set[str] = set()
    with by_manifest(optimized, base) as served:
        for path, before in original.pages.items():
            seen = len(served.server.exchanges())
            if differences := compare(before, page(browser, served, path, patience(original, path))):
                found[path] = differences
            asked = _asked(served.server.exchanges(seen), base)
            for vendor, chunks in vendors.items():
                assert asked[vendor] == (1 if chunks & asked.keys() else 0), (path, vendor)
            met.update(vendors.keys() & asked.keys())
    assert found == {}
    assert met == vendors.keys()


def test_links_lead_to_the_same_pages(browser: Browser, original: Original, optimized: Path) -> None:
    """Even when vendors' files come last. On the whole way, each is asked for once."""
    base = original.export.base
    hosting = ManifestHosting(optimized)
    vendors = remainders(hosting.files)
    with Server(Holding(hosting, *vendors), base) as server:
        assert follow(browser, original, Served(server, of_manifest(hosting.files, server.origin, base))) == {}
        asked = _asked(server.exchanges(), base)
    assert {vendor: asked[vendor] for vendor in vendors} == dict.fromkeys(vendors, 1)


def test_any_script_may_come_last(browser: Browser, original: Original, optimized: Path) -> None:
    """Where a vendor works: every script that is asked for, held back until all others are there."""
    if original.export.name.endswith(("-sub", "-relative")):
        pytest.skip("its scripts are those of the export without a base, in the same order")
    base = original.export.base
    hosting = ManifestHosting(optimized)
    vendors = remainders(hosting.files)
    holding = Holding(hosting)
    found: dict[tuple[str, str], list[Difference]] = {}
    needed: set[str] = set()
    held: set[str] = set()
    with Server(holding, base) as server:
        served = Served(server, of_manifest(hosting.files, server.origin, base))
        for path, before in original.pages.items():
            if not any(_results(before)):
                continue
            holding.held = ()
            seen = len(server.exchanges())
            page(browser, served, path, original.export.ready_seconds)
            asked = _asked(server.exchanges(seen), base)
            needed |= vendors.keys() & asked.keys()
            if vendors.keys().isdisjoint(asked):
                continue
            for script in sorted(one for one in asked if one.endswith(".js")):
                holding.held = (script,)
                seen = len(server.exchanges())
                if differences := compare(before, page(browser, served, path, original.export.ready_seconds)):
                    found[path, script] = differences
                again = _asked(server.exchanges(seen), base)
                assert not {one for one in vendors if again[one] > 1}, (path, script)
                held.add(script)
    assert found == {}
    assert set() < needed <= held


def test_without_a_vendor_a_page_breaks(browser: Browser, original: Original, optimized: Path) -> None:
    """The proof that the tests above can fail, and that pages need what was split off."""
    hosting = ManifestHosting(optimized)
    with Server(_Emptying(hosting, *remainders(hosting.files)), original.export.base) as server:
        served = Served(server, of_manifest(hosting.files, server.origin, original.export.base))
        observed = (page(browser, served, path, 3) for path, before in original.pages.items() if any(_results(before)))
        assert any(one.ready is None for one in observed)
