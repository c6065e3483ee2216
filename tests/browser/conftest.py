"""One browser a session, and the fixtures' exports as they look in it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from . import exports
from .chromium import chromium, executable

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Browser


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    path = executable()
    if path is None:
        exports.unavailable("no Chromium on PATH: install the package chromium")
    with chromium(path) as running:
        yield running


@pytest.fixture(scope="session")
def original(browser: Browser, export: exports.Export) -> Iterator[exports.Original]:
    with exports.original(browser, export) as site:
        yield site
