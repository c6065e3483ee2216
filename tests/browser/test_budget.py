"""What a budget states of a route is what Chromium transfers."""

from __future__ import annotations

import re
from collections import defaultdict
from typing import TYPE_CHECKING
from urllib.parse import quote, unquote, urlsplit

import pytest
from PIL import Image

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

pytestmark = pytest.mark.browser

# Browsers ask for it unbidden, at a time of their own.
_UNBIDDEN = "favicon.ico"
# What scripts may ask for by names that they compute, before the load event or after it: no list can hold them.
_COMPUTED = ("fetch", "xmlhttprequest", "unseen")
# What a page has got from the network that it had asked for before its load event; an answer to HEAD has no body.
_BEFORE_LOAD = """() => {
  const [page] = performance.getEntriesByType("navigation");
  const ended = performance.timeOrigin + page.loadEventStart;
  // An image that stands nowhere in the page is a script's, such as a texture.
  const seen = new Set([self, ...Array.from(frames)].flatMap(({ document }) => [...document.images].map((one) => one.currentSrc)));
  // Frames keep their own lists; one that waits to be scrolled to is empty.
  const before = [self, ...Array.from(frames)].flatMap(({ performance }) => performance.getEntriesByType("resource").filter(
    (one) => performance.timeOrigin + one.startTime < ended && one.transferSize > 0 && one.encodedBodySize > 0));
  const isUnseen = (one) => one.initiatorType === "img" && !seen.has(one.name);
  return [page, ...before].map((one) => [one.name, isUnseen(one) ? "unseen" : one.initiatorType]);
}"""


@pytest.mark.fixtures
def test_routes_are_what_the_browser_fetches(browser: Browser, export: Export, optimized: Path) -> None:
    """The bytes of `initial` within 1 %; what else is fetched before `load` is `lazy`."""
    assert _wrong_routes(browser, optimized, export.base) == {}


# Each name says what the browser does with the file.
_PAGE = """<!doctype html><title>All ways to fetch</title><meta charset=utf-8>
<link rel=stylesheet href=at-once.css><link rel=stylesheet href=at-once-print.css media=print>
<link rel="alternate stylesheet" href=later-alternate.css title=x>
<link rel=preload as=image href=at-once-ahead.png><link rel=modulepreload href=at-once-ahead.js>
<link rel=prefetch href=later-ahead.json>
<noscript><link rel=stylesheet href=later-noscript.css></noscript>
<style>@import "at-once-inline.css"; p { background: url(later-background.png) }</style>
<script type=module src=at-once.js></script><script nomodule src=later-nomodule.js></script>
<script type=module>import "./at-once-inline.js"</script>
<template><img src=later-template.png></template><noscript><img src=later-noscript.png></noscript>
<img src=at-once.png><img src=later-src.png srcset="later-1x.png 1x, later-2x.png 2x">
<picture><source srcset=later-source.png><img src=later-fallback.png></picture>
<div style="height:9000px"></div><img src=later-lazy.png loading=lazy>
<iframe src=at-once-frame.html></iframe><iframe src=later-frame.html loading=lazy></iframe>
<object data=at-once-object.svg type=image/svg+xml></object><embed src=at-once-embed.svg type=image/svg+xml>
<video poster=at-once-poster.png></video><p>text</p>"""
_FRAME = "<!doctype html><title>Frame</title><img src={}>"
_SVG = '<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"><path d="M{} 0h9v9z"/></svg>'


def test_every_way_to_fetch_a_file_is_known(browser: Browser, tmp_path: Path) -> None:
    from . import exports

    site = tmp_path / "site"
    site.mkdir()
    (site / "index.html").write_text(_PAGE)
    (site / "at-once-frame.html").write_text(_FRAME.format("at-once-framed.png"))
    (site / "later-frame.html").write_text(_FRAME.format("later-framed.png"))
    (site / "at-once.css").write_text('@import "at-once-imported.css"; h1 { color: red }')
    (site / "at-once.js").write_text('import "./at-once-imported.js"; self.later = () => import("./later.js")')
    names = set(re.findall(r"[\w-]+\.(?:png|css|json|js|svg)", "".join(one.read_text() for one in site.iterdir())))
    for number, name in enumerate(sorted(names)):
        if name.endswith(".png"):
            Image.new("RGB", (40 + number, 40), (number, 0, 0)).save(site / name)
        elif not (site / name).exists():
            by_suffix = {".svg": _SVG.format(number), ".json": f"[{number}]", ".css": f"b {{ margin: {number}px }}"}
            (site / name).write_text(by_suffix.get(f".{name.rpartition('.')[2]}", f"export default {number}"))
    exports.optimize(site, tmp_path / "out", "/")
    route = Manifest.load(tmp_path / "out" / MANIFEST_NAME).routes["/"]
    assert [path for path in route.initial if not path.startswith("at-once")] == []
    assert [path for path in route.lazy if not path.startswith("later")] == []
    # A picture may have got a smaller type and its name; the ways to it stay as many.
    listed = {re.sub(r"\.[0-9a-f]{16}\.", ".", path).replace(".webp", ".png") for path in (*route.initial, *route.lazy)}
    assert listed == names | {"at-once-frame.html", "later-frame.html"}
    assert _wrong_routes(browser, tmp_path / "out", "/") == {}


def _wrong_routes(browser: Browser, optimized: Path, base: str) -> dict[str, list[str]]:
    """By route what a browser does otherwise than the manifest says; only those with differences."""
    manifest = Manifest.load(optimized / MANIFEST_NAME)
    wrong = {}
    with Server(ManifestHosting(optimized), base) as server:
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
                path = unquote(urlsplit(target).path).removeprefix(base)
                path = manifest.routes[f"/{path}"].html if f"/{path}" in manifest.routes else path
                if path in _listed(manifest, route) or initiator not in _COMPUTED:
                    bodies[path].append(sizes[target])
            if found := _differences(manifest, route, bodies):
                wrong[route] = found
    return wrong


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
