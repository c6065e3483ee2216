"""The fixtures' exports, each optimized once a session."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from browser import exports

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture(scope="session", autouse=True)
def cache_of_the_tests(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Not that of whoever runs the tests: what an earlier session has made must not pass for this one's."""
    with pytest.MonkeyPatch.context() as patch:
        for name in ("XDG_CACHE_HOME", "LOCALAPPDATA"):
            patch.setenv(name, str(tmp_path_factory.mktemp("cache")))
        yield


@pytest.fixture(scope="session", params=exports.FIXTURES, ids=lambda export: export.name)
def export(request: pytest.FixtureRequest) -> exports.Export:
    """An export that is built."""
    # By itself where a test names the fixtures that it is about.
    chosen = next(fixture for fixture in exports.FIXTURES if request.param in (fixture, fixture.name))
    exports.require(chosen)
    return chosen


@pytest.fixture(scope="session")
def optimized(export: exports.Export, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder that the command makes of an export. Tests do not change it."""
    output = tmp_path_factory.mktemp(export.name) / "once"
    # How small sidecars are matters to none of the tests, and is nine tenths of the work.
    exports.optimize_quickly(export.folder, output, export.base)
    return output
