"""The fixtures' exports, each optimized once a session."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import hypothesis
import pytest
from browser import exports

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


# What lands must not depend on chance: the same examples each time, unless new ones are asked for; nor on how busy the
# machine is.
hypothesis.settings.register_profile("new", deadline=None)
hypothesis.settings.register_profile("the same", deadline=None, derandomize=True)
hypothesis.settings.load_profile("new" if "V1Z3R_NEW_EXAMPLES" in os.environ else "the same")


@pytest.fixture(scope="session", autouse=True)
def cache_of_the_tests(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Not that of whoever runs the tests: what an earlier session has made must not pass for this one's."""
    own = tmp_path_factory.getbasetemp()
    # Of a session in several processes each has a folder below the session's, and all share what they have made.
    folder = (own.parent if "PYTEST_XDIST_WORKER" in os.environ else own) / "results"
    with pytest.MonkeyPatch.context() as patch:
        for name in ("XDG_CACHE_HOME", "LOCALAPPDATA"):
            patch.setenv(name, str(folder))
        yield


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Tests of one export run in one process, where they share what is made of it once; so do those of a module."""
    for item in items:
        given = getattr(item, "callspec", None)
        export = given.params.get("export") if given is not None else None
        name = getattr(export, "name", export) or item.nodeid.partition("::")[0]
        item.add_marker(pytest.mark.xdist_group(str(name)))


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
