"""What a page loads at once, and need not, or not so late."""

from __future__ import annotations

from collections import Counter, defaultdict
from typing import TYPE_CHECKING

from v1z3r_build.report.advice import Advice, are, largest, listed, names, weight
from v1z3r_build.transfers import Load, initial
from v1z3r_build.wording import size as words

if TYPE_CHECKING:
    from collections.abc import Iterator

    from v1z3r_build.manifest import Manifest
    from v1z3r_build.report.evidence import Evidence

# Bounds: bytes as transferred with brotli.
_VENDOR_BYTES = 20_000  # below it, a request of its own gains nothing
_STYLE_BYTES = 50_000  # a quarter of a second at the 1.6 Mbit/s that Lighthouse simulates
_PICTURE_BYTES = 10_000
_REQUESTS = 60  # HTTP/2 takes many at once, but each has its headers and its place in the cache
_DENSITY = 2  # most screens show two pixels of a picture for one of the page at most
_FONTS = 3  # a browser that must fetch more at once shows text later, not earlier
_FONT_TYPES = frozenset({"font/woff2"})  # the one format that every browser takes
# What is imported to load a vendor, where that is not its label.
_PACKAGES = {"tfjs": "@tensorflow/tfjs"}


def vendor_at_once(manifest: Manifest, evidence: Evidence) -> Iterator[Advice]:
    """A library in the initial load of a page."""
    where: defaultdict[tuple[str, tuple[str, ...]], list[str]] = defaultdict(list)
    for route in manifest.routes:
        load = initial(manifest, route)
        labels = {record.vendor for record in load.files.values() if record.vendor}
        for label in sorted(labels):
            theirs = load.of_vendor(label)
            if theirs.size("br") >= _VENDOR_BYTES:
                where[label, largest(theirs)].append(route)
    for (label, files), routes in where.items():
        count = weight(manifest, files)
        message = f"{label} ({words(count)} br) is in the initial load of {listed(routes)}"
        hint = _later(_PACKAGES.get(label, label), manifest)
        yield Advice("warning", "vendor-in-initial-load", tuple(routes), files, count, message, hint)


def _later(package: str, manifest: Manifest) -> str:
    """How to load a package when it is needed, in the words of the framework that made the site."""
    if any("_next/static/" in path for path in manifest.files):
        return (
            "Load the component that imports it with next/dynamic: "
            "`dynamic(() => import('./Scene'), { ssr: false })` in a client component, "
            f"where `./Scene` imports `{package}`; outside of components, `await import('{package}')`."
        )
    return f"Load it when it is needed: `const library = await import('{package}')`."


def font_late(manifest: Manifest, evidence: Evidence) -> Iterator[Advice]:
    """Fonts that a browser finds only when it has the style sheet."""
    where: defaultdict[tuple[str, ...], list[str]] = defaultdict(list)
    for route, record in manifest.routes.items():
        load = initial(manifest, route)
        named = {font for path in load.files for font in evidence.fonts.get(path, ())}
        page = evidence.pages.get(record.html)
        late = {
            font: manifest.files[font]
            for font in named - (page.preloads if page else frozenset())
            if manifest.files[font].content_type in _FONT_TYPES
        }
        # Of many, most are for scripts and styles that a page does not use (`unicode-range`).
        if page and 0 < len(late) <= _FONTS:
            where[largest(Load(late))].append(route)
    for files, routes in where.items():
        message = f"{names(files)} {are(files)} found only after the style sheet of {listed(routes)}"
        element = f'<link rel="preload" as="font" type="font/woff2" crossorigin href="{_url(manifest, files[0])}">'
        hint = f"If the first screen shows it: `{element}`"
        yield Advice("info", "font-not-preloaded", tuple(routes), files, weight(manifest, files), message, hint)


def _url(manifest: Manifest, path: str) -> str:
    from urllib.parse import quote

    return manifest.base + quote(path)


def picture_too_large(manifest: Manifest, evidence: Evidence) -> Iterator[Advice]:
    """Pictures with many more pixels than the page's attributes ask for."""
    where: defaultdict[str, list[tuple[str, int, int]]] = defaultdict(list)
    for route, record in manifest.routes.items():
        page = evidence.pages.get(record.html)
        for shown in page.shown if page else ():
            real = evidence.pixels.get(shown.path)
            if real and real[0] > _DENSITY * shown.width and real[1] > _DENSITY * shown.height:
                where[shown.path].append((route, shown.width, shown.height))
    for path, places in where.items():
        width, height = evidence.pixels[path]
        # The largest place decides.
        wide, high = max((wide, high) for _, wide, high in places)
        needed = (_DENSITY * wide) * (_DENSITY * high)
        wasted = round(weight(manifest, [path]) * (1 - needed / (width * height)))
        if wasted >= _PICTURE_BYTES:
            routes = tuple(dict.fromkeys(route for route, _, _ in places))
            message = (
                f"{path} has {width} × {height} pixels, {listed(routes)} asks for {wide} × {high}; about "
                f"{words(wasted)} too much, also for screens of double density"
            )
            better = f"{_DENSITY * wide} × {_DENSITY * high} pixels"
            hint = f"If no style shows it larger, offer it in {better}, or in several sizes by `srcset`."
            yield Advice("warning", "image-larger-than-shown", routes, (path,), wasted, message, hint)


def script_blocks(manifest: Manifest, evidence: Evidence) -> Iterator[Advice]:
    """Scripts in the head for which a page waits."""
    where: defaultdict[tuple[str, ...], list[str]] = defaultdict(list)
    for route, record in manifest.routes.items():
        page = evidence.pages.get(record.html)
        if page and page.blocking:
            where[tuple(dict.fromkeys(page.blocking))].append(route)
    for files, routes in where.items():
        count = weight(manifest, files)
        message = f"{listed(routes)} shows nothing before {names(files)} ({words(count)} br) has run"
        hint = "Give the elements `defer`, or `async` where the order does not matter."
        yield Advice("warning", "render-blocking-script", tuple(routes), files, count, message, hint)


def style_heavy(manifest: Manifest, evidence: Evidence) -> Iterator[Advice]:
    """Much CSS before the first paint."""
    where: defaultdict[tuple[str, ...], list[str]] = defaultdict(list)
    for route in manifest.routes:
        styles = initial(manifest, route).of_kind("style")
        if styles.size("br") > _STYLE_BYTES:
            where[largest(styles)].append(route)
    for files, routes in where.items():
        count = weight(manifest, files)
        message = f"{listed(routes)} shows nothing before {words(count)} br of CSS has come"
        hint = "Load the styles of parts that are not shown at first together with those parts."
        yield Advice("warning", "render-blocking-style", tuple(routes), files, count, message, hint)


def many_requests(manifest: Manifest, evidence: Evidence) -> Iterator[Advice]:
    """Pages that need very many files at once."""
    for route in manifest.routes:
        load = initial(manifest, route)
        if load.requests > _REQUESTS:
            kinds = Counter(record.kind for record in load.files.values()).most_common(1)[0]
            message = f"{route} needs {load.requests} requests at once, {kinds[1]} of them for files of kind {kinds[0]}"
            hint = 'Let the bundler join small files, and load pictures below the first screen with `loading="lazy"`.'
            yield Advice("warning", "many-requests", (route,), largest(load), load.size("br"), message, hint)
