"""Vendors taken out of a bundle, which holds runtime, modules and start in one file: pages load it in their own way."""

from __future__ import annotations

import json
import re
import shutil
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

from .addresses import of_folder, of_manifest
from .comparison import compare
from .exports import optimize, page
from .hosting import PlainHosting
from .observation import Served
from .server import Hosting, Request, Response, Server

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from playwright.sync_api import Browser

    from .exports import Export

pytestmark = [
    pytest.mark.browser,
    pytest.mark.fixtures,
    pytest.mark.parametrize("export", ["webpack5"], indirect=True, scope="session"),
]

SETTINGS = "passes = ['split', 'link', 'compress']\n[compress]\nbrotli_quality = 1\n"
ROUTES = ("", "#/scene", "#/tensors", "#/average")
DELAY_SECONDS = 0.5
# How a page may load its script.
WAYS = {"defer": "<script defer ", "async": "<script async ", "plain": "<script "}
_VENDOR = re.compile(r"<script[^>]*assets/(?:three|tfjs)\.[^>]*></script>")


class Delaying:
    """A host whose answers for some files come late."""

    def __init__(self, hosting: Hosting) -> None:
        self.hosting = hosting
        self.late: str = ""

    def answer(self, request: Request) -> Response:
        if request.path == self.late:
            time.sleep(DELAY_SECONDS)
        return self.hosting.answer(request)


@contextmanager
def _original(folder: Path) -> Iterator[Served]:
    with Server(PlainHosting(folder)) as server:
        yield Served(server, of_folder(folder, server.origin, "/"))


def _site(export: Export, folder: Path, way: str) -> Path:
    """The export, its pages loading their scripts in another way; where they load at once, behind the content."""
    shutil.copytree(export.folder, folder)
    for file in folder.glob("*.html"):
        text = file.read_text()
        head, _, rest = text.partition("<script defer ")
        script, _, rest = rest.partition("</script>")
        element = WAYS[way] + script + "</script>"
        file.write_text(
            head + rest.replace("</body>", element + "</body>") if way == "plain" else head + element + rest
        )
    return folder


@pytest.mark.parametrize("way", [*WAYS, "unlisted"])
def test_the_bundle_starts_however_it_is_loaded(browser: Browser, export: Export, tmp_path: Path, way: str) -> None:
    site = _site(export, tmp_path / "site", "defer" if way == "unlisted" else way)
    (tmp_path / "v1z3r-build.toml").write_text(SETTINGS)
    output = tmp_path / "out"
    optimize(site, output, "/", "--config", str(tmp_path / "v1z3r-build.toml"))
    records = json.loads((output / "v1z3r-manifest.json").read_text())["files"]
    vendors = sorted(path for path, record in records.items() if "vendor" in record)
    assert [records[path]["vendor"] for path in vendors] == ["tfjs", "three"]
    [bundle] = [path for path in records if path.startswith("assets/index.") and path.endswith(".js")]
    if way == "unlisted":
        (output / "index.html").write_text(_VENDOR.sub("", (output / "index.html").read_text()))
    hosting = Delaying(PlainHosting(output))
    with Server(hosting) as server, _original(site) as original:
        served = Served(server, of_manifest(records, server.origin, "/"))
        for route in ROUTES if way == "defer" else ("#/scene",):
            before = page(browser, original, route, export.ready_seconds)
            assert before.ready == "true"
            for hosting.late in ("", *vendors, bundle) if route == "#/scene" else ("",):
                seen = len(server.exchanges())
                after = page(browser, served, route, export.ready_seconds)
                assert compare(before, after) == [], (route, hosting.late)
                targets = [exchange.target.lstrip("/") for exchange in server.exchanges(seen)]
                assert [targets.count(path) for path in (*vendors, bundle)] == [1, 1, 1], (route, targets)
