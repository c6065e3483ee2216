"""One browser a session, and the fixtures' exports, original and optimized."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, NoReturn

import pytest

from . import exports
from .chromium import chromium, executable

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from playwright.sync_api import Browser


def _missing(what: str) -> NoReturn:
    """Fail where all parts must be there (`make test` says so), skip elsewhere."""
    if os.environ.get("V1Z3R_REQUIRE_FIXTURES") == "1":
        pytest.fail(what)
    pytest.skip(what)


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    path = executable()
    if path is None:
        _missing("no Chromium on PATH: install the package chromium")
    with chromium(path) as running:
        yield running


@pytest.fixture(scope="session", params=exports.FIXTURES, ids=lambda export: export.name)
def export(request: pytest.FixtureRequest) -> exports.Export:
    """An export that is built."""
    # By itself where a test names the fixtures that it is about.
    chosen = next(fixture for fixture in exports.FIXTURES if request.param in (fixture, fixture.name))
    if not chosen.folder.is_dir():
        _missing(f"the fixture {chosen.name} is not built: run `make fixtures`")
    return chosen


@pytest.fixture(scope="session")
def original(browser: Browser, export: exports.Export) -> Iterator[exports.Original]:
    with exports.original(browser, export) as site:
        yield site


@pytest.fixture(scope="session")
def optimized(export: exports.Export, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder that the command makes of an export."""
    output = tmp_path_factory.mktemp(export.name) / "once"
    exports.optimize(export.folder, output, export.base)
    return output
