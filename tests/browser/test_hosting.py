"""The two hosts that the browser tests compare answer as real ones do."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from typing import TYPE_CHECKING

import brotli
import pytest

from . import tiny_site
from .hosting import MANIFEST, ManifestHosting, PlainHosting
from .server import Request, Server

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def plain(tmp_path: Path) -> PlainHosting:
    tiny_site.write(tmp_path / "site")
    for page in ("crew/index.html", "a b.html", "both.html", "both/index.html"):
        (tmp_path / "site" / page).parent.mkdir(exist_ok=True)
        (tmp_path / "site" / page).write_text(f"<title>{page}</title>", encoding="utf-8")
    (tmp_path / "secret.html").write_text("secret", encoding="utf-8")
    return PlainHosting(tmp_path / "site")


@pytest.fixture
def by_manifest(tmp_path: Path) -> ManifestHosting:
    tiny_site.write_optimized(tmp_path / "site")
    return ManifestHosting(tmp_path / "site")


@pytest.mark.parametrize(
    ("path", "status", "text"),
    [
        ("", 200, "<h1 class"),
        ("about", 200, "<h1>About"),
        ("about.html", 200, "<h1>About"),
        ("about/", 404, "<h1>Not here"),
        ("crew/", 200, "crew/index.html"),
        ("crew", 302, ""),
        ("a b", 200, "a b.html"),
        ("both", 200, "both.html"),
        ("both/", 200, "both/index.html"),
        ("assets", 404, "<h1>Not here"),
        ("missing.js", 404, "<h1>Not here"),
        ("../secret.html", 404, "<h1>Not here"),
    ],
)
def test_plain_host(plain: PlainHosting, path: str, status: int, text: str) -> None:
    response = plain.answer(Request(path))
    assert response.status == status
    assert text in response.body.decode()


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("", 200),
        ("about", 200),
        ("about.html", 200),
        ("assets/chunk-5e1f.js", 200),
        ("assets/chunk.js", 404),
        ("assets/chunk-5e1f.js.br", 404),
        ("v1z3r-manifest.json", 404),
        ("about/", 404),
    ],
)
def test_host_by_manifest(by_manifest: ManifestHosting, path: str, status: int) -> None:
    response = by_manifest.answer(Request(path))
    assert response.status == status
    if status == 404:
        assert b"Not here" in response.body


@pytest.mark.parametrize(
    ("accepted", "coding"),
    [
        ("", ""),
        ("identity", ""),
        ("gzip", "gzip"),
        ("gzip, deflate, br, zstd", "br"),
        ("br;q=0, gzip;q=0.5", "gzip"),
        ("BR", "br"),
        ("brotli", ""),
    ],
)
def test_encoding_is_negotiated(by_manifest: ManifestHosting, accepted: str, coding: str) -> None:
    response = by_manifest.answer(Request("about", accepted))
    assert response.headers.get("Content-Encoding", "") == coding
    assert response.headers["Vary"] == "Accept-Encoding"
    assert response.headers["Content-Type"].startswith("text/html")
    if coding == "br":
        assert b"About" in brotli.decompress(response.body)
    picture = by_manifest.answer(Request("assets/red-c0de.png", accepted))
    assert "Vary" not in picture.headers


@pytest.mark.parametrize(
    ("accepted", "content_type"),
    [
        ("image/avif,image/webp,*/*;q=0.8", "image/avif"),
        ("image/webp;q=0.9, image/*", "image/webp"),
        ("*/*", "image/jpeg"),
        ("", "image/jpeg"),
    ],
)
def test_images_are_negotiated(tmp_path: Path, accepted: str, content_type: str) -> None:
    def entry(kind: str, *variants: str) -> dict[str, object]:
        listed = [{"path": f"a.{one}", "content_type": f"image/{one}"} for one in variants]
        return {"content_type": kind, "cache_control": "max-age=0", "variants": listed}

    files = {"a.jpg": entry("image/jpeg", "avif", "webp"), "a.avif": entry("image/avif"), "a.webp": entry("image/webp")}
    (tmp_path / MANIFEST).write_text(json.dumps({"files": files, "routes": {}}), encoding="utf-8")
    for path, record in files.items():
        (tmp_path / path).write_text(str(record["content_type"]), encoding="utf-8")
    answer = ManifestHosting(tmp_path, negotiating=True).answer(Request("a.jpg", "", accepted))
    assert (answer.body.decode(), answer.headers["Content-Type"]) == (content_type, content_type)
    assert answer.headers["Vary"] == "Accept"
    assert ManifestHosting(tmp_path).answer(Request("a.jpg", "", accepted)).body == b"image/jpeg"


def test_server_mounts_a_base_and_remembers(plain: PlainHosting) -> None:
    with Server(plain, "/sub/") as server:
        with urllib.request.urlopen(server.url("a%20b?x=1")) as response:
            assert b"a b.html" in response.read()
        with pytest.raises(urllib.error.HTTPError, match="404"):
            urllib.request.urlopen(server.origin + "/about")
        assert [(exchange.target, exchange.status) for exchange in server.exchanges()] == [
            ("/sub/a%20b?x=1", 200),
            ("/about", 404),
        ]
        assert len(server.exchanges(1)) == 1
    with pytest.raises(urllib.error.URLError):
        urllib.request.urlopen(server.url(""))
