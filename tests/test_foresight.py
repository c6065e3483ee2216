"""Calls that are made ahead: while children have nothing else to do, once, and never in the way of what is wanted."""

from __future__ import annotations

import multiprocessing
import os
import time
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from outputs import write

from v1z3r_build import settings
from v1z3r_build.passes.images.glance import likely
from v1z3r_build.pipeline import Order, optimize
from v1z3r_build.settings import ImagesSettings
from v1z3r_build.site.folder import read
from v1z3r_build.workers import foresight
from v1z3r_build.workers.cache import Cache
from v1z3r_build.workers.pool import Call, Failure, Outcome, Pool, always
from v1z3r_build.workers.progress import SilentProgress

if TYPE_CHECKING:
    from collections.abc import Generator, Iterable, Iterator

    from browser import exports


# What runs in the children.


def note(folder: str, name: str, until: str = "") -> str:
    """Note that it began, then wait for a file, if one is named."""
    with (Path(folder) / name).open("a") as file:
        file.write(".")
    if until:
        wait_for(folder, until)
    return name


def wait_for(folder: str, *names: str) -> str:
    while not all((Path(folder) / name).exists() for name in names):
        time.sleep(0.01)
    return "there"


def in_order(folder: str, name: str, until: str = "") -> str:
    with (Path(folder) / "order").open("a") as file:
        file.write(name)
    return note(folder, f"order-{name}", until)[-1]


def note_and_leave(folder: str, name: str) -> None:
    note(folder, name)
    os._exit(3)


def first_and_note(folder: str, name: str, data: bytes) -> bytes:
    note(folder, name)
    return data[:1]


@pytest.fixture
def pool() -> Iterator[Pool]:
    with Pool(2) as pool:
        pool.start()
        yield pool


def while_there_is(pool: Pool, folder: Path, *names: str) -> None:
    """A run that lasts until files are there, which only calls made ahead can put there."""
    assert list(pool.run([Call("now", wait_for, (str(folder), *names), 1, 60.0)])) == [Outcome("now", "there")]


def test_a_call_made_ahead_is_not_made_again(pool: Pool, tmp_path: Path) -> None:
    ahead = Call("then", note, (str(tmp_path), "a"), 1)
    pool.foresee([ahead])
    while_there_is(pool, tmp_path, "a")
    assert list(pool.run([replace(ahead, key="wanted")])) == [Outcome("wanted", "a")]
    assert (tmp_path / "a").read_text() == "."


def test_a_call_under_way_is_waited_for(pool: Pool, tmp_path: Path) -> None:
    ahead = Call("then", note, (str(tmp_path), "a", "go"), 1)
    pool.foresee([ahead])
    while_there_is(pool, tmp_path, "a")
    outcomes = list(pool.run([replace(ahead, key="wanted"), Call("go", note, (str(tmp_path), "go"), 1)]))
    assert outcomes == [Outcome("go", "go"), Outcome("wanted", "a")]
    assert (tmp_path / "a").read_text() == "."


def test_other_arguments_are_another_call(pool: Pool, tmp_path: Path) -> None:
    ahead = Call("a", note, (str(tmp_path), "a"), 1)
    pool.foresee([ahead])
    while_there_is(pool, tmp_path, "a")
    assert [one.value for one in pool.run([replace(ahead, arguments=(str(tmp_path), "b"))])] == ["b"]


def test_what_was_foreseen_before_is_forgotten_unless_begun(pool: Pool, tmp_path: Path) -> None:
    pool.foresee(Call(name, note, (str(tmp_path), name, "go"), 1) for name in "ab")
    while_there_is(pool, tmp_path, "a")
    pool.foresee([Call("c", note, (str(tmp_path), "c"), 1)])
    note(str(tmp_path), "go")
    while_there_is(pool, tmp_path, "c")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a", "c", "go"]


def test_half_of_the_children_are_left_for_the_next_run(tmp_path: Path) -> None:
    with Pool(4) as pool:
        pool.foresee(Call(str(n), note, (str(tmp_path), str(n), "never"), 1) for n in range(4))
        pool.start(4)
        while_there_is(pool, tmp_path, "0", "1")
        # Were more of them at work, these could not all be under way at once.
        calls = [Call(name, note, (str(tmp_path), name, other), 1) for name, other in ("ab", "ba")]
        assert {one.value for one in pool.run(calls)} == {"a", "b"}
        assert sorted(path.name for path in tmp_path.iterdir()) == ["0", "1", "a", "b"]
    with Pool(1) as pool:
        pool.foresee([Call("alone", note, (str(tmp_path), "alone"), 1)])
        assert len(list(pool.run([Call(str(n), abs, (n,), 1) for n in range(9)]))) == 9
    assert not (tmp_path / "alone").exists()


def test_nothing_is_made_ahead_while_calls_wait(pool: Pool, tmp_path: Path) -> None:
    pool.foresee([Call("ahead", in_order, (str(tmp_path), "f"), 1)])
    calls = [Call(name, in_order, (str(tmp_path), name, "order-f" * (name == "d")), 1 << 20) for name in "abcd"]
    assert {one.value for one in pool.run(calls)} == {*"abcd"}
    assert (tmp_path / "order").read_text().index("f") >= 3  # the last that is wanted may begin at the same time


def test_a_failure_is_told_to_who_wants_the_call(pool: Pool, tmp_path: Path) -> None:
    ahead = Call("then", note_and_leave, (str(tmp_path), "a"), 1)
    pool.foresee([ahead])
    while_there_is(pool, tmp_path, "a")
    assert [one.value for one in pool.run([Call("other", abs, (-1,), 1)])] == [1]
    assert list(pool.run([ahead])) == [Outcome("then", failure=Failure("crashed", "ended with exit code 3"))]
    assert (tmp_path / "a").read_text() == "."


def test_late_ones_are_ended(pool: Pool, tmp_path: Path) -> None:
    ahead = Call("then", note, (str(tmp_path), "a", "never"), 1, seconds=0.2)
    pool.foresee([ahead])
    list(pool.run([Call("now", time.sleep, (0.5,), 1)]))
    assert list(pool.run([ahead])) == [Outcome("then", failure=Failure("timeout", "not done after 0.2 s"))]


def test_a_run_that_is_given_up_leaves_them_and_forgetting_ends_them(tmp_path: Path) -> None:
    with Pool(4) as pool:
        pool.start(3)
        ahead = Call("then", note, (str(tmp_path), "a", "go"), 1)
        pool.foresee([ahead])
        run = pool.run(
            [Call("quick", wait_for, (str(tmp_path), "a"), 2), Call("long", wait_for, (str(tmp_path), "no"), 1)]
        )
        assert next(run).key == "quick"
        run.close()
        note(str(tmp_path), "go")
        assert list(pool.run([ahead])) == [Outcome("then", "a")]
        assert (tmp_path / "a").read_text() == "."
        pool.start(2)
        pool.foresee([Call("b", note, (str(tmp_path), "b", "never"), 1)])
        while_there_is(pool, tmp_path, "b")
        children = len(multiprocessing.active_children())
        pool.forget()
        assert len(multiprocessing.active_children()) == children - 1


def test_values_held_are_bounded(pool: Pool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(foresight, "_MOST", 10)
    calls = {name: Call(name, note, (str(tmp_path), name), weight) for name, weight in (("a", 6), ("b", 6), ("c", 4))}
    pool.foresee(calls.values())
    while_there_is(pool, tmp_path, "a", "c")
    assert list(pool.run([calls["a"]])) == [Outcome("a", "a")]
    pool.foresee(calls.values())  # there is room again; what was made is not made again
    while_there_is(pool, tmp_path, "b")
    assert [(tmp_path / name).read_text() for name in "abc"] == ["."] * 3


def test_what_is_handed_over_while_under_way_is_not_held(
    pool: Pool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(foresight, "_MOST", 10)
    first = Call("a", note, (str(tmp_path), "a", "go"), 6)
    pool.foresee([first])
    while_there_is(pool, tmp_path, "a")
    assert len(list(pool.run([first, Call("go", note, (str(tmp_path), "go"), 1)]))) == 2
    pool.foresee([Call("b", note, (str(tmp_path), "b"), 6)])
    while_there_is(pool, tmp_path, "b")


def test_a_file_that_is_gone_ends_no_run_that_does_not_want_it(tmp_path: Path) -> None:
    lost = Call("lost", first_and_note, (str(tmp_path), "lost", tmp_path / "gone"), 1, cached=always)

    def foreseen() -> Iterator[Call]:
        yield lost
        yield Call("b", note, (str(tmp_path), "b"), 1, cached=always)
        (tmp_path / "gone").read_bytes()

    with Cache(tmp_path / "cache", 10**9) as cache, Pool(2, cache=cache) as pool:
        pool.start()
        pool.foresee(foreseen())
        while_there_is(pool, tmp_path, "b")
        # The one who foresees comes upon it when "b" is done.
        assert list(pool.run([Call("then", wait_for, (str(tmp_path), "b"), 1)])) == [Outcome("then", "there")]
        [outcome] = pool.run([lost])
        assert outcome.failure is not None and "FileNotFoundError" in outcome.failure.message


def test_the_cache_is_asked_and_learns(tmp_path: Path) -> None:
    calls = [Call(name, note, (str(tmp_path), name), 1, cached=always) for name in "ab"]
    with Cache(tmp_path / "cache", 10**9) as cache, Pool(2, cache=cache) as pool:
        pool.start()
        list(pool.run(calls[:1]))
        pool.foresee(calls)
        while_there_is(pool, tmp_path, "b")
        assert {one.key: one.value for one in pool.run(calls)} == {"a": "a", "b": "b"}
    with Cache(tmp_path / "cache", 10**9) as cache, Pool(2, cache=cache) as pool:
        pool.start()
        assert {one.key: one.value for one in pool.run(calls)} == {"a": "a", "b": "b"}
    assert [(tmp_path / name).read_text() for name in "ab"] == [".", "."]


def test_nothing_is_remembered_of_bytes_that_were_changed(tmp_path: Path) -> None:
    """The key is made of the bytes that were there; a file that is another by now is no answer to it."""
    file = tmp_path / "file"
    file.write_bytes(b"1")
    ahead = Call("a", first_and_note, (str(tmp_path), "a", file), 1, cached=always)
    with Cache(tmp_path / "cache", 10**9) as cache, Pool(2, cache=cache) as pool:
        pool.start()
        cache.keys.file(file)
        file.write_bytes(b"2")
        pool.foresee([ahead])
        list(pool.run([Call("now", time.sleep, (0.3,), 1)]))
        [outcome] = pool.run([ahead])
        assert outcome.failure is not None and "was changed while" in outcome.failure.message
    assert not (tmp_path / "a").exists()


# What passes foresee.


class Recording(Pool):
    """Notes which calls were foreseen before each pass, and which were wanted; makes none ahead."""

    def __init__(self) -> None:
        super().__init__(2)
        self.foreseen: dict[str, list[Call]] = {}
        self.wanted: list[Call] = []

    def foresee(self, calls: Iterable[Call]) -> None:
        for call in calls:
            known = self.foreseen.setdefault(call.function.__name__, [])
            if not any(call.is_like(other) for other in known):
                known.append(call)

    def run(self, calls: Iterable[Call]) -> Generator[Outcome]:
        made = list(calls)
        self.wanted += made
        return super().run(made)


@pytest.mark.fixtures
@pytest.mark.parametrize("export", ["next14", "next14-mixed", "next16-mixed", "vite7", "webpack5"], indirect=True)
def test_what_is_foreseen_of_real_exports_is_wanted(export: exports.Export, tmp_path: Path) -> None:
    quick = {"site.base": export.base, "compress.brotli_quality": 1, "images.formats": ["webp"]}
    order = Order(export.folder, tmp_path / "out", settings.load(export.folder, overrides=quick))
    with Recording() as pool:
        optimize(order, pool, SilentProgress())
    encoded = pool.foreseen["encode_file"]
    assert encoded and all(any(call.is_like(other) for other in pool.wanted) for call in encoded)
    assert [call.weight for call in encoded] == sorted((call.weight for call in encoded), reverse=True)
    if export.name == "next14":
        pictures = pool.foreseen["recode"]
        right = [call for call in pictures if any(call.is_like(other) for other in pool.wanted)]
        assert len(right) == len(pictures) >= 4


def test_a_glance_at_pages_tells_how_images_are_used(tmp_path: Path) -> None:
    files: dict[str, str | bytes] = {
        "index.html": '<img src="a/shown.png"><style>',
        "style.css": ".a{background:url(in%20style.png)}.b{background:url('listed.png')}",
        "app.js": "load('read.png')",
        **{f"a/{name}.png": bytes(5000 + size) for size, name in enumerate(("shown", "in style", "read"))},
        "listed.png": bytes(9000),
        "small.png": bytes(4000),
    }
    (tmp_path / "spool").mkdir()
    site = read(write(tmp_path / "site", files), tmp_path / "spool")
    images = [path for path in site.assets if path.endswith(".png")]
    told = {path: use.exact != "" for path, use in likely(site, images, ImagesSettings(lossless=("listed.png",)))}
    assert list(told.items()) == [
        ("listed.png", True),
        ("a/read.png", True),
        ("a/in style.png", True),
        ("a/shown.png", False),
    ]
    assert not list(
        likely(site.with_only(site.assets[path] for path in ("app.js", "small.png")), ["small.png"], ImagesSettings())
    )
