"""What a budget states of a route is what Chromium transfers."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING
from urllib.parse import quote, unquote, urlsplit

import pytest

from v1z3r_build import transfers
from v1z3r_build.manifest import MANIFEST_NAME, Manifest

from .chromium import visitor
from .hosting import ManifestHosting
from .server import Server

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from playwright.sync_api import Browser

    from .exports import Export

pytestmark = [pytest.mark.browser, pytest.mark.fixtures]

# Browsers ask for it unbidden, at a time of their own.
_UNBIDDEN = "favicon.ico"
# What scripts may ask for by names that they compute, before the load event or after it: no list can hold them.
_COMPUTED = ("fetch", "xmlhttprequest")
# What a page has got from the network that it had asked for before its load event; an answer to HEAD has no body.
_BEFORE_LOAD = """() => {
  const [page] = performance.getEntriesByType("navigation");
  const before = performance.getEntriesByType("resource").filter(
    (one) => one.startTime < page.loadEventStart && one.transferSize > 0 && one.encodedBodySize > 0);
  return [page, ...before].map((one) => [one.name, one.initiatorType]);
}"""


def test_routes_are_what_the_browser_fetches(browser: Browser, export: Export, optimized: Path) -> None:
    """The bytes of `initial` within 1 %; what else is fetched before `load` is `lazy`."""
    manifest = Manifest.load(optimized / MANIFEST_NAME)
    wrong = {}
    with Server(ManifestHosting(optimized), export.base) as server:
        for route in manifest.routes:
            seen = len(server.exchanges())
            with visitor(browser) as context:
                page = context.new_page()
                page.goto(server.url(quote(route[1:])), wait_until="load", timeout=60_000)
                fetched = page.evaluate(_BEFORE_LOAD)
            sizes = {exchange.target: exchange.size for exchange in server.exchanges(seen)}
            bodies: defaultdict[str, list[int]] = defaultdict(list)
            for url, initiator in fetched:
                target = url.removeprefix(server.origin).partition("#")[0]
                path = unquote(urlsplit(target).path).removeprefix(export.base)
                path = manifest.routes[route].html if f"/{path}" == route else path
                if path in _listed(manifest, route) or initiator not in _COMPUTED:
                    bodies[path].append(sizes[target])
            if found := _differences(manifest, route, bodies):
                wrong[route] = found
    assert wrong == {}


def _differences(manifest: Manifest, route: str, bodies: Mapping[str, list[int]]) -> list[str]:
    """bodies: bytes of every answer by file."""
    initial = transfers.initial(manifest, route)
    sent = {path: sizes for path, sizes in bodies.items() if path in initial.files}
    stated, total = initial.size("br"), sum(map(sum, sent.values()))
    found = []
    if abs(stated - total) > 0.01 * stated:
        found += [f"{stated} bytes stated, {total} sent"]
        found += [
            f"{path} was sent as {sizes}"
            for path, sizes in sent.items()
            if sizes != [transfers.size(initial.files[path], "br")]
        ]
    found += [f"{path} was not fetched" for path in initial.files if path not in bodies]
    return found + [f"{path} was fetched, and is not listed" for path in bodies if path not in _listed(manifest, route)]


def _listed(manifest: Manifest, route: str) -> set[str]:
    return {*transfers.initial(manifest, route).files, *transfers.lazy(manifest, route).files, _UNBIDDEN}
