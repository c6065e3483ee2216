"""What browsers transfer: by file and coding, by route, kind and vendor."""

from __future__ import annotations

from v1z3r_build.manifest import EncodingRecord, FileRecord, Manifest, RouteRecord
from v1z3r_build.transfers import CODINGS, initial, lazy


def record(kind: str, size: int, vendor: str = "", **encodings: int) -> FileRecord:
    """A file of the manifest. encodings: sizes of its sidecars."""
    sidecars = {coding: EncodingRecord(f"x.{coding}", bytes, "") for coding, bytes in encodings.items()}
    return FileRecord((), kind, "", size, "", "", "immutable", "", sidecars, vendor=vendor)


MANIFEST = Manifest(
    "",
    "",
    {},
    {
        "index.html": record("html", 900, br=300, gzip=400),
        "app.js": record("script", 8_000, br=2_000, gzip=3_000),
        "three.js": record("script", 90_000, "three", br=20_000, gzip=30_000),
        "logo.png": record("image", 500),
        "later.js": record("script", 700, br=100),
    },
    {"/": RouteRecord("index.html", ("app.js", "logo.png", "three.js"), ("later.js",))},
    (),
)


def test_a_route_is_its_page_and_what_it_needs_at_once() -> None:
    load = initial(MANIFEST, "/")
    assert load.requests == 4
    assert [load.size(coding) for coding in CODINGS] == [22_800, 33_900, 99_400]


def test_a_file_without_the_coding_travels_as_it_is() -> None:
    assert [lazy(MANIFEST, "/").size(coding) for coding in CODINGS] == [100, 700, 700]


def test_parts_of_a_load() -> None:
    load = initial(MANIFEST, "/")
    assert load.of_kind("script").size("br") == 22_000
    assert load.of_vendor("three").size("gzip") == 30_000
    assert load.of_kind("font").requests == 0
