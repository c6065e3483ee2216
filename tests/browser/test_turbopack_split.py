"""Large modules moved out of Turbopack's chunks: all pages stay as they were, in whatever order scripts arrive."""

from __future__ import annotations

import hashlib
import shutil
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

from v1z3r_build.bundlers.turbopack.chunks import Chunk, move, read_chunk
from v1z3r_build.bundlers.turbopack.lists import Kind, insert, insertions

from .addresses import of_folder
from .comparison import compare
from .exports import Original, page, patience
from .hosting import PlainHosting
from .navigation import follow
from .observation import Served
from .server import Hosting, Request, Response, Server

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from playwright.sync_api import Browser

pytestmark = [
    pytest.mark.browser,
    pytest.mark.fixtures,
    pytest.mark.parametrize("export", ["next16"], indirect=True, scope="session"),
]

# three.js, TensorFlow.js and react-dom: the last one is awaited by the runtime itself, the others by lazy loads.
LARGE = 100_000
KINDS: dict[str, Kind] = {".html": "html", ".js": "script", ".txt": "flight"}
DELAY_SECONDS = 0.5


class Delaying:
    """A host whose answers for some files come late."""

    def __init__(self, hosting: Hosting, *late: str) -> None:
        self.hosting = hosting
        self.late = late

    def answer(self, request: Request) -> Response:
        if request.path in self.late:
            time.sleep(DELAY_SECONDS)
        return self.hosting.answer(request)


def _large(chunk: Chunk) -> list[int]:
    return [index for index, entry in enumerate(chunk.entries) if entry.end - entry.start >= LARGE]


def _cut(folder: Path) -> dict[str, str]:
    """Cut every chunk with large modules; which new chunk came out of which old one."""
    made: dict[str, str] = {}
    for file in sorted(folder.glob("_next/static/chunks/*.js")):
        source = file.read_bytes()
        chunk = read_chunk(source)
        if chunk is None or not _large(chunk):
            continue
        name = f"vendor-{hashlib.sha256(source).hexdigest()[:12]}.js"
        cut = move(source, chunk, [chunk.entries[index] for index in _large(chunk)], f"static/chunks/{name}")
        file.write_bytes(cut.old)
        file.with_name(name).write_bytes(cut.vendor)
        made[file.relative_to(folder).as_posix()] = f"_next/static/chunks/{name}"
    return made


def _list(folder: Path, made: dict[str, str]) -> None:
    """Put the new chunks into all lists."""
    for file in folder.rglob("*"):
        if file.is_file():
            data = before = file.read_bytes()
            for old, vendor in made.items():
                data = insert(data, insertions(data, KINDS.get(file.suffix, "other"), old, vendor))
            if data != before:
                file.write_bytes(data)


@pytest.fixture(scope="module")
def split(original: Original, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, str]]:
    folder = tmp_path_factory.mktemp("split") / "site"
    shutil.copytree(original.export.folder, folder)
    made = _cut(folder)
    _list(folder, made)
    return folder, made


@contextmanager
def _served(folder: Path, hosting: Hosting | None = None) -> Iterator[Served]:
    with Server(hosting or PlainHosting(folder)) as server:
        yield Served(server, of_folder(folder, server.origin, "/"))


def test_large_modules_of_several_libraries_move(split: tuple[Path, dict[str, str]], original: Original) -> None:
    folder, made = split
    assert len(made) == 3
    for old, vendor in made.items():
        before = (original.export.folder / old).stat().st_size
        assert (folder / old).stat().st_size < before / 2
        assert (folder / vendor).stat().st_size > LARGE


def test_every_page_is_the_same(browser: Browser, original: Original, split: tuple[Path, dict[str, str]]) -> None:
    folder, made = split
    with _served(folder) as served:
        for path, before in original.pages.items():
            seen = len(served.server.exchanges())
            assert compare(before, page(browser, served, path, patience(original, path))) == [], path
            targets = [exchange.target for exchange in served.server.exchanges(seen)]
            for old, vendor in made.items():
                assert (targets.count(f"/{old}"), targets.count(f"/{vendor}")) in ((0, 0), (1, 1)), path


def test_links_lead_to_the_same_pages(browser: Browser, original: Original, split: tuple[Path, dict[str, str]]) -> None:
    """Even when a new chunk arrives last."""
    hosting = Delaying(PlainHosting(split[0]), *split[1].values())
    with _served(split[0], hosting) as served:
        assert follow(browser, original, served) == {}


@pytest.mark.parametrize("path", ["scene/", "tensors/"])
def test_every_script_may_come_late(
    browser: Browser, original: Original, split: tuple[Path, dict[str, str]], path: str
) -> None:
    hosting = Delaying(PlainHosting(split[0]))
    with _served(split[0], hosting) as served:
        page(browser, served, path, patience(original, path))
        scripts = {one.target.lstrip("/") for one in served.server.exchanges() if one.target.endswith(".js")}
        assert scripts & set(split[1].values())
        for script in sorted(scripts):
            hosting.late = (script,)
            after = page(browser, served, path, patience(original, path))
            assert compare(original.pages[path], after) == [], script


@pytest.mark.parametrize("path", ["scene/", "tensors/"])
def test_without_the_lists_a_page_breaks(browser: Browser, original: Original, tmp_path: Path, path: str) -> None:
    """The proof that the tests above can fail."""
    shutil.copytree(original.export.folder, tmp_path / "site")
    _cut(tmp_path / "site")
    with _served(tmp_path / "site") as served:
        observed = page(browser, served, path, 3)
    kinds = {one.kind for one in compare(original.pages[path], observed)}
    assert {"ready", "errors"} <= kinds
