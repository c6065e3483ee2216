"""What a file is, by name and content."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from v1z3r_build.site.media_types import HEAD_SIZE, classify, compressible, content_type, judge

PNG, GZIP, PAGE = b"\x89PNG\r\n\x1a\n\0\0", b"\x1f\x8b\x08\0\0", b"<!DOCTYPE html><p>"


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("index.html", "text/html; charset=utf-8"),
        ("a/B.HTML", "text/html; charset=utf-8"),
        ("a.js", "text/javascript; charset=utf-8"),
        ("a.mjs", "text/javascript; charset=utf-8"),
        ("a.js.map", "application/json"),
        ("a.wasm", "application/wasm"),
        ("a.wasm.map", "application/json"),
        ("app.webmanifest", "application/manifest+json"),
        ("x.woff2", "font/woff2"),
        ("x.webp", "image/webp"),
        ("x.avif", "image/avif"),
        ("x.svg", "image/svg+xml"),
        ("x.gltf", "model/gltf+json"),
        ("x.glb", "model/gltf-binary"),
        ("model.tflite", "application/octet-stream"),
        ("x.js.LICENSE.txt", "text/plain; charset=utf-8"),
        ("index.rsc", "text/x-component; charset=utf-8"),
        ("feed.xml", "application/xml"),
        ("_headers", "text/plain; charset=utf-8"),
        ("CNAME", "text/plain; charset=utf-8"),
        (".well-known/apple-app-site-association", "application/json"),
        ("x.unheard", "application/octet-stream"),
    ],
)
def test_by_name(path: str, expected: str) -> None:
    assert content_type(path) == expected


@pytest.mark.parametrize(
    ("path", "data", "expected", "kind", "contents"),
    [
        # What browsers show by content anyway is served as what it is.
        ("a.jpg", PNG, "image/png", "image", "image/png"),
        ("favicon.ico", PNG, "image/png", "image", "image/png"),
        ("a.woff", b"wOF2\0\1", "font/woff2", "font", "font/woff2"),
        ("a.png", b"\0\0\0 ftypavif", "image/avif", "image", "image/avif"),
        # Elsewhere the type stays as named and nothing reads the file as what it is not.
        ("a.js", PAGE, "text/javascript; charset=utf-8", "other", "text/html"),
        ("a.js", b"\n <SCRIPT src=x>", "text/javascript; charset=utf-8", "other", "text/html"),
        ("a.js", GZIP, "text/javascript", "other", "application/gzip"),
        ("a.css", GZIP + b"\xff", "text/css", "other", "application/gzip"),
        ("a.json", PAGE, "application/json", "other", "text/html"),
        ("a.wasm", PAGE, "application/wasm", "other", "text/html"),
        ("a.html", PNG, "text/html", "other", "image/png"),
        ("a.svg", PNG, "image/svg+xml", "other", "image/png"),
        # No content may become a page of the site by its bytes alone.
        ("upload.jpg", PAGE, "image/jpeg", "other", "text/html"),
        ("upload.unheard", PAGE, "text/plain; charset=utf-8", "text", ""),
        ("notes.txt", PAGE, "text/plain; charset=utf-8", "text", ""),
        # Legitimate beginnings that a careless rule would take for a page.
        ("a.js", b"<!-- hide from old browsers\nf()", "text/javascript; charset=utf-8", "script", ""),
        ("a.css", b"<!-- a{} -->", "text/css; charset=utf-8", "style", ""),
        ("a.js", b"<htmlish>", "text/javascript; charset=utf-8", "script", ""),
        # Containers are shared, and names that claim nothing are not contradicted.
        ("a.m4a", b"\0\0\0 ftypM4A ", "audio/mp4", "media", ""),
        ("a.mov", b"\0\0\0 ftypqt  ", "video/quicktime", "media", ""),
        ("a.epub", b"PK\x03\x04", "application/epub+zip", "other", ""),
        ("a.bin", PNG, "application/octet-stream", "other", ""),
        ("a.pbf", GZIP, "application/octet-stream", "other", ""),
        ("a.ttf", b"OTTO\0", "font/ttf", "font", ""),
        # A suffix with two meanings.
        ("a.ts", b"\x47\x40\0", "video/mp2t", "media", ""),
        ("a.ts", b"let a: number", "text/plain; charset=utf-8", "text", ""),
        # Names that say nothing.
        ("about", PAGE, "text/html; charset=utf-8", "html", ""),
        ("LICENSE", b"MIT", "text/plain; charset=utf-8", "text", ""),
        (".DS_Store", b"\0\0\0\1Bud1", "application/octet-stream", "other", ""),
        ("avatar", PNG, "image/png", "image", ""),
        ("route.body", b"plain", "text/plain; charset=utf-8", "text", ""),
        ("empty.unheard", b"", "text/plain; charset=utf-8", "text", ""),
        ("empty.js", b"", "text/javascript; charset=utf-8", "script", ""),
    ],
)
def test_by_content(path: str, data: bytes, expected: str, kind: str, contents: str) -> None:
    assert classify(path, data) == (expected, kind)
    assert judge(path, data).contents == contents


def test_a_pointer_of_git_lfs_is_recognised() -> None:
    pointer = b"version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 1\n"
    assert judge("stage.png", pointer).kind == "other"
    assert "LFS" in judge("stage.png", pointer).contents
    assert judge("notes.txt", pointer).contents == ""


LATE = b"<title>" + b"x" * 2000 + b"</title>"


@pytest.mark.parametrize(
    ("path", "data", "charset"),
    [
        ("a.html", b"<p>caf\xc3\xa9", "utf-8"),
        ("a.html", b"<p>caf\xe9", None),
        ("a.html", b"<meta charset=latin1><p>caf\xe9", "windows-1252"),
        # What is declared outranks what the bytes could also be.
        ("a.html", b"<meta charset=latin1><p>caf\xc3\xa9", "windows-1252"),
        ("a.html", b"<meta charset=utf-8><p>caf\xe9", "utf-8"),
        ("a.html", b'<meta http-equiv=content-type content="text/html; charset=shift_jis">\x83', "shift_jis"),
        ("a.html", LATE + b"<meta charset=koi8-r>\xc1", "koi8-r"),
        ("a.html", b"<!-- <meta charset=latin1> --><p>caf\xc3\xa9", "utf-8"),
        ("a.html", b"<script>'<meta charset=latin1>'</script>" + b" " * 1100 + b"caf\xc3\xa9", "windows-1252"),
        ("a.html", b"<p>charset", "utf-8"),
        ("a.html", b"\xef\xbb\xbf<meta charset=latin1>", "utf-8"),
        ("a.html", b"\xff\xfe<\0", "utf-16le"),
        ("a.css", b'@charset "iso-8859-2";a{content:"\xe9"}', "iso-8859-2"),
        ("a.css", b'@charset "utf-16";', "utf-8"),
        ("a.css", b"@charset 'iso-8859-2';\xe9", None),
        ("a.css", b'@charset "x\r\nSet-Cookie: y";\xe9', None),
        ("a.js", b"'caf\xe9'", None),
        ("a.js", b"'caf\xc3", None),
        ("a.js", b"'caf\xc3\xa9'", "utf-8"),
    ],
)
def test_a_charset_is_stated_only_where_proved(path: str, data: bytes, charset: str | None) -> None:
    essence, _, parameter = classify(path, data)[0].partition("; charset=")
    assert essence == content_type(path).partition(";")[0]
    assert parameter == (charset or "")


def test_a_head_cut_within_a_character_is_still_utf8() -> None:
    head = ("x" + "é" * HEAD_SIZE).encode()[:HEAD_SIZE]
    assert classify("a.txt", head)[0] == "text/plain; charset=utf-8"


@given(st.sampled_from(["a.html", "a.css", "a.js", "a", "a.x", "a.png", "a.svg", "a.json"]), st.binary(max_size=200))
def test_no_content_makes_a_file_run_that_its_name_does_not(path: str, data: bytes) -> None:
    """Only a name without suffix may turn out to be a page."""
    essence = classify(path, data)[0].partition(";")[0]
    if essence in ("text/html", "text/javascript", "text/css", "image/svg+xml"):
        assert essence == content_type(path).partition(";")[0] or path == "a"


@pytest.mark.parametrize(
    ("kind", "gains"),
    [
        ("text/html; charset=utf-8", True),
        ("text/javascript", True),
        ("application/json", True),
        ("application/manifest+json", True),
        ("image/svg+xml", True),
        ("application/wasm", True),
        ("font/ttf", True),
        ("model/gltf-binary", True),
        ("image/x-icon", True),
        ("application/octet-stream", True),
        ("image/png", False),
        ("image/webp", False),
        ("image/avif", False),
        ("font/woff2", False),
        ("video/mp4", False),
        ("audio/mpeg", False),
        ("application/zip", False),
        ("application/gzip", False),
        ("application/x-brotli", False),
        ("application/pdf", False),
        ("application/vnd.pmtiles", False),
    ],
)
def test_compressible(kind: str, gains: bool) -> None:
    assert compressible(kind) is gains
