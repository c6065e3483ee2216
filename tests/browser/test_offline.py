"""A service worker installs with the optimized site, and serves it when the server is gone."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from .addresses import of_folder, of_manifest
from .chromium import visitor
from .comparison import compare
from .hosting import ManifestHosting, PlainHosting
from .observation import Served, Tab
from .server import Server

if TYPE_CHECKING:
    from pathlib import Path

    from playwright.sync_api import Browser

    from .exports import Export
    from .observation import Observation
    from .server import Hosting, Request, Response

pytestmark = [pytest.mark.browser, pytest.mark.fixtures]

_ACTIVE = """async () => {
  const { active } = await navigator.serviceWorker.ready;
  if (active.state === "activated") return;
  await new Promise((done) => active.addEventListener("statechange", () => {
    if (active.state === "activated") done();
  }));
}"""
_CONTROLLED = "() => navigator.serviceWorker.controller !== null"


class _Uncached:
    """A host whose answers no HTTP cache keeps: offline, only what the worker stored is there."""

    def __init__(self, hosting: Hosting) -> None:
        self.hosting = hosting

    def answer(self, request: Request) -> Response:
        response = self.hosting.answer(request)
        return replace(response, headers={**response.headers, "Cache-Control": "no-store"})


def _offline(browser: Browser, served: Served, path: str) -> Observation:
    """What the worker stored at a path, opened after it took over and the server was closed."""
    with visitor(browser, service_workers="allow") as context:
        tab = Tab(context, served, ready_seconds=60)
        tab.open("")
        tab.page.evaluate(_ACTIVE)
        tab.open("")
        tab.observe()
        assert tab.page.evaluate(_CONTROLLED), "the worker does not answer for the page"
        served.server.close()
        tab.ready_seconds = 0  # a page need not become ready from what is stored
        tab.open(path)
        return tab.observe()


@pytest.mark.parametrize(
    ("export", "path"),
    [
        ("plain", "index.html"),
        ("next14", "images/logo.png"),
        ("next14-sub", "images/logo.png"),
    ],
    indirect=["export"],
)
def test_what_a_service_worker_stored_is_there_offline(
    browser: Browser, export: Export, path: str, optimized: Path
) -> None:
    base = export.base
    plain, by_manifest = PlainHosting(export.folder), ManifestHosting(optimized)
    with Server(_Uncached(plain), base) as server:
        before = _offline(browser, Served(server, of_folder(export.folder, server.origin, base)), path)
    with Server(_Uncached(by_manifest), base) as server:
        after = _offline(browser, Served(server, of_manifest(by_manifest.files, server.origin, base)), path)
    assert before.address == f"site:{path}"
    assert compare(before, after) == []
