"""Manifests of made-up sites, small, hostile and huge, and their reports."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from v1z3r_build.diagnostics import info
from v1z3r_build.manifest import CACHE_CLASSES, EncodingRecord, FileRecord, Manifest, RouteRecord
from v1z3r_build.report.evidence import Evidence
from v1z3r_build.report.page import page
from v1z3r_build.report.rules import advise

if TYPE_CHECKING:
    from collections.abc import Mapping

TYPES = {
    "script": "text/javascript",
    "style": "text/css",
    "font": "font/woff2",
    "image": "image/png",
    "html": "text/html",
}


def file(kind: str, size: int, br: int = 0, **members: Any) -> FileRecord:
    """A file, immutable and from a source of its own unless the members say otherwise."""
    encodings = {"br": EncodingRecord("x.br", br, "")} if br else {}
    given: dict[str, Any] = {
        "source": (f"{kind} {size} {br}",),
        "content_type": TYPES.get(kind, ""),
        "sha256": f"{kind} {size} {br} {sorted(members)}",
        "integrity": "",
        "cache_class": "immutable",
        "cache_control": "",
        "encodings": encodings,
    }
    return FileRecord(kind=kind, size=size, **{**given, **members})


def site(files: Mapping[str, FileRecord], initial: Any = (), lazy: Any = (), **members: Any) -> Manifest:
    """A site of one page, `/`, or of those that `routes` names."""
    given: dict[str, Any] = {
        "routes": {"/": RouteRecord("index.html", tuple(initial), tuple(lazy))},
        "diagnostics": (),
    }
    whole = {"index.html": file("html", 900, 300, cache_class="html"), **files}
    return Manifest("v1z3r-build 0", "0" * 64, CACHE_CLASSES, whole, **{**given, **members})


HOSTILE = [
    "</script><script>alert(1)</script>.js",
    "<!--<script>.js",
    "a' onmouseover='alert(1)\".js",
    "\u2028\u2029\u202e.js",
    "\udcff\udcfe.js",
    "&lt;b&gt;$data ${x} {{y}}.js",
    "__proto__",
]


def render(manifest: Manifest, evidence: Evidence | None = None, title: str = "out") -> bytes:
    found = evidence or Evidence()
    return page(manifest, found, advise(manifest, found), title)


def hostile() -> Manifest:
    """A site whose names, reasons and messages want to be markup."""
    files = {
        name: file("script" if n else name, 90_000 + n, kept=name, vendor=name, source=(name, "a"))
        for n, name in enumerate(HOSTILE)
    }
    routes = {f"/{name}": RouteRecord(name, tuple(HOSTILE), ()) for name in HOSTILE}
    told = tuple(info(name, name, name, name, 1, 2) for name in HOSTILE)
    return site(files, routes=routes, diagnostics=told)


def huge(files: int, routes: int) -> Manifest:
    made = {f"assets/chunk-{n:05}.{n:016x}.js": file("script", 2_000 + n, 1_000 + n) for n in range(files)}
    names = list(made)
    pages = {
        f"/page/{n}/": RouteRecord("index.html", tuple(names[n : n + 40]), tuple(names[-50:])) for n in range(routes)
    }
    return site(made, routes=pages)
