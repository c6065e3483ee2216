"""Vendors taken out of webpack 4's chunks, which a page lists or loads lazily: its runtime knows lists of entries only."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from .addresses import of_manifest
from .comparison import compare
from .exports import Original, optimize, page
from .hosting import PlainHosting
from .observation import Served
from .server import Server
from .test_bundle_split import SETTINGS, Delaying

if TYPE_CHECKING:
    from pathlib import Path

    from playwright.sync_api import Browser

pytestmark = [
    pytest.mark.browser,
    pytest.mark.fixtures,
    pytest.mark.parametrize("export", ["webpack4"], indirect=True, scope="session"),
]

# With the vendors' files that each loads: those of its own scripts, and of lazy ones.
ROUTES = {
    "index.html#/scene": ["three"],
    "index.html#/average": ["tfjs", "three"],
    "index.html#/tensors": ["tfjs", "three"],
    "second.html": ["three"],
}


def test_every_script_may_come_late(browser: Browser, original: Original, tmp_path: Path) -> None:
    (tmp_path / "v1z3r-build.toml").write_text(SETTINGS)
    output = tmp_path / "out"
    optimize(original.export.folder, output, "/", "--config", str(tmp_path / "v1z3r-build.toml"))
    records = json.loads((output / "v1z3r-manifest.json").read_text())["files"]
    vendors = {path: record["vendor"] for path, record in records.items() if "vendor" in record}
    assert sorted(vendors.values()) == ["tfjs", "tfjs", "three"]
    hosting = Delaying(PlainHosting(output))
    with Server(hosting) as server:
        served = Served(server, of_manifest(records, server.origin, "/"))
        for route, expected in ROUTES.items():
            before = page(browser, original.served, route, original.export.ready_seconds)
            assert before.ready == "true"
            fetched: list[str] = []
            for hosting.late in ("", *vendors):
                if hosting.late and hosting.late not in fetched:
                    continue
                seen = len(server.exchanges())
                after = page(browser, served, route, original.export.ready_seconds)
                assert compare(before, after) == [], (route, hosting.late)
                targets = [exchange.target.lstrip("/") for exchange in server.exchanges(seen)]
                fetched = [path for path in targets if path in vendors]
                assert sorted(vendors[path] for path in fetched) == expected, (route, targets)
