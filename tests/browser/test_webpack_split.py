"""Whole modules moved into new chunks of real exports, of which no page and no list knows: the runtime loads them."""

from __future__ import annotations

import shutil
from collections import Counter
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import pytest

from v1z3r_build.bundlers.webpack import syntax
from v1z3r_build.bundlers.webpack.chunk import Chunk, move, read_chunk, require_own
from v1z3r_build.bundlers.webpack.registration import register
from v1z3r_build.bundlers.webpack.runtime import Runtime, read_runtime

from .addresses import of_folder
from .chromium import visitor
from .comparison import compare
from .exports import patience
from .hosting import PlainHosting
from .observation import Observation, Served, Tab
from .server import Server

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from playwright.sync_api import Browser

    from .comparison import Difference
    from .exports import Export, Original

pytestmark = [
    pytest.mark.browser,
    pytest.mark.fixtures,
    pytest.mark.parametrize("export", ["next14", "next15"], indirect=True),
]

CHUNKS = "_next/static/chunks/"
LARGE = 1000  # bytes of a factory that is moved
_MARK = "/moved-"


@dataclass(frozen=True, slots=True)
class Split:
    """An export with new chunks. moved: path of an old chunk -> path of the new one."""

    folder: Path
    moved: Mapping[str, str]

    def on(self, server: Server) -> Served:
        return Served(server, of_folder(self.folder, server.origin, "/"))


class SplitTab(Tab):
    """Sees the page without the new chunks' scripts, which are all that may differ."""

    def observe(self) -> Observation:
        seen = super().observe()
        return replace(seen, nodes=tuple(node for node in seen.nodes if not _is_moved(node.attributes)))


def _is_moved(attributes: tuple[tuple[str, str], ...]) -> bool:
    return any(name in ("src", "href") and _MARK in value for name, value in attributes)


@pytest.fixture(scope="module")
def unlisted(export: Export, tmp_path_factory: pytest.TempPathFactory) -> Split:
    """The export with the large modules of every chunk in new chunks."""
    folder = tmp_path_factory.mktemp(export.name) / "unlisted"
    shutil.copytree(export.folder, folder)
    return Split(folder, _move_modules(folder))


def _move_modules(folder: Path) -> dict[str, str]:
    """Move all large modules, a new chunk for each old one: path of the old -> path of the new."""
    needs: dict[str, list[str]] = {}
    paths: dict[str, str] = {}
    moved: dict[str, str] = {}
    runtimes = []
    for file in sorted((folder / CHUNKS).rglob("*.js")):
        source = file.read_bytes()
        chunk = read_chunk(source)
        if not isinstance(chunk, Chunk):
            runtime = read_runtime(source)
            runtimes += [(file, runtime)] if isinstance(runtime, Runtime) else []
            continue
        large = [module.id for module in chunk.modules if module.entry.end - module.entry.start > LARGE]
        if not large:
            continue
        # next15 has two files that register the same ids.
        name = f"moved-{len(paths)}"
        parts = move(chunk, large, name)
        rest = read_chunk(parts.old)
        assert isinstance(rest, Chunk)
        file.write_bytes(syntax.apply(parts.old, require_own(rest)))
        (folder / CHUNKS / f"{name}.js").write_bytes(parts.vendor)
        for identity in chunk.ids:
            needs.setdefault(identity, []).append(name)
        paths[name] = f"static/chunks/{name}.js"
        moved[file.relative_to(folder).as_posix()] = f"{CHUNKS}{name}.js"
    ((file, runtime),) = runtimes
    edits = register(runtime, needs, paths)
    assert isinstance(edits, list)
    file.write_bytes(syntax.apply(runtime.source, edits))
    return moved


def _page(browser: Browser, served: Served, path: str, ready_seconds: float) -> Observation:
    with visitor(browser) as context:
        tab = SplitTab(context, served, ready_seconds)
        tab.open(path)
        return tab.observe()


def _differences(browser: Browser, original: Original, split: Split) -> Iterator[tuple[str, list[Difference]]]:
    for path, observation in original.pages.items():
        with Server(PlainHosting(split.folder)) as server:
            served = split.on(server)
            found = compare(observation, _page(browser, served, path, patience(original, path)))
            asked = Counter(exchange.target.removeprefix("/") for exchange in server.exchanges())
        if found:
            yield path, found
        # The host's answers are kept in no cache, and Next asks twice for what it prefetches.
        often = {new: asked[new] for old, new in split.moved.items() if asked[new] > asked[old]}
        assert often == {}, f"{path} asks for new chunks more often than for the old ones"


def test_pages_that_list_old_chunks_only_are_the_same(browser: Browser, original: Original, unlisted: Split) -> None:
    assert dict(_differences(browser, original, unlisted)) == {}
