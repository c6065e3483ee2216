"""A small output to check limits against: two pages, an app, three twice."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from v1z3r_build.diagnostics import info
from v1z3r_build.manifest import MANIFEST_NAME, EncodingRecord, FileRecord, Manifest, RouteRecord

if TYPE_CHECKING:
    from pathlib import Path

    from v1z3r_build.diagnostics import Diagnostic

COPIES = info(
    "vendor-copies", "old.js", "it holds three, and so do all.js: most messages are the same; they stay as they are"
)


def record(kind: str, raw: int, gzip: int = 0, br: int = 0, vendor: str = "", *source: str) -> FileRecord:
    """A file of the manifest. raw, gzip, br: bytes, 0 for an encoding that it has not."""
    encodings = {
        coding: EncodingRecord(f"x.{coding}", size, "") for coding, size in (("br", br), ("gzip", gzip)) if size
    }
    return FileRecord(source, kind, "", raw, "", "", "immutable", "", encodings, vendor=vendor)


def manifest(*diagnostics: Diagnostic, **changes: Any) -> Manifest:
    """The manifest. changes: records by path, `_` for the dot, in place of those here; None for a file that is not there."""
    files = {
        "index.html": record("html", 900, 400, 300),
        "app/index.html": record("html", 1_000, 500, 400),
        "app.1a2b3c4d5e6f.js": record("script", 8_000, 3_000, 2_000, "", "all.js"),
        "three.9f8e7d6c5b4a.js": record("script", 90_000, 30_000, 20_000, "three", "all.js"),
        "old.js": record("script", 60_000, 25_000, 15_000, "three", "old.js"),
        "main.css": record("style", 700, 300, 200),
        "bars.woff2": record("font", 4_000),
        "logo.png": record("image", 500),
        "scene.wasm": record("wasm", 3_000, 1_500, 1_000),
    }
    for name, change in changes.items():
        files[name.replace("_", ".")] = change
    return Manifest(
        "",
        "r1",
        {},
        {path: one for path, one in files.items() if one is not None},
        {
            "/": RouteRecord("index.html", ("app.1a2b3c4d5e6f.js", "main.css", "bars.woff2", "logo.png"), ("old.js",)),
            "/app/": RouteRecord(
                "app/index.html", ("app.1a2b3c4d5e6f.js", "main.css", "three.9f8e7d6c5b4a.js"), ("old.js", "scene.wasm")
            ),
            "/blog/one/": RouteRecord("index.html", ("main.css",), ()),
            "/blog/[two]/": RouteRecord("index.html", ("app.1a2b3c4d5e6f.js",), ()),
        },
        diagnostics,
    )


def write(folder: Path, made: Manifest) -> Path:
    """Put a manifest where the command finds it; the folder."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / MANIFEST_NAME).write_bytes(made.to_bytes())
    return folder
