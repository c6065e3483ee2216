"""One browser a session, and the fixtures' exports, original and optimized."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, NoReturn

import pytest

from .chromium import chromium, executable

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Browser


def missing(what: str) -> NoReturn:
    """Fail where all parts must be there (`make test` says so), skip elsewhere."""
    if os.environ.get("V1Z3R_REQUIRE_FIXTURES") == "1":
        pytest.fail(what)
    pytest.skip(what)


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    path = executable()
    if path is None:
        missing("no Chromium on PATH: install the package chromium")
    with chromium(path) as running:
        yield running
