"""A run that is not needed: told by two folders that nobody has touched, and by nothing less."""

from __future__ import annotations

import os
import sys
import time
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from v1z3r_build import pipeline
from v1z3r_build.runs import Order, Result
from v1z3r_build.settings import CompressSettings, MinifySettings, Settings
from v1z3r_build.standing import Watch
from v1z3r_build.workers.cache import Cache
from v1z3r_build.workers.pool import Pool
from v1z3r_build.workers.progress import SilentProgress

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="any program can set all times there")

FILES = {
    "index.html": '<!doctype html><link rel=stylesheet href="a.css"><img src="gone.png">' + "x" * 400,
    "a.css": "a {\n  color : red ;\n}\n" * 30,
}


@pytest.fixture(scope="module")
def pool() -> Iterator[Pool]:
    with Pool(1) as pool:
        yield pool


@pytest.fixture
def order(tmp_path: Path) -> Order:
    site = tmp_path / "site"
    (site / "empty").mkdir(parents=True)
    for name, text in FILES.items():
        (site / name).write_text(text)
    return Order(site, tmp_path / "out", Settings(compress=CompressSettings(brotli_quality=1)))


def run(order: Order, pool: Pool) -> Result:
    time.sleep(0.03)  # no file is so young any more that it could change once more without a trace
    with Cache(order.source.parent / "cache", 10**9) as cache:
        watch = Watch(order, cache)
        result = watch.known()
        if result is None:
            result = pipeline.optimize(order, pool, SilentProgress())
            watch.note(result)
    return result


def outcomes(first: Order, then: Order, pool: Pool) -> tuple[str, str]:
    return run(first, pool).outcome, run(then, pool).outcome


def test_nothing_is_done_twice(order: Order, pool: Pool) -> None:
    once, again = run(order, pool), run(order, pool)
    assert (once.outcome, again.outcome) == ("published", "unchanged")
    assert (again.release, again.summary) == (once.release, once.summary)
    assert again.diagnostics == once.diagnostics != ()
    assert "holds what" in again.told


def test_a_run_that_was_made_before_is_known_by_its_folders_and_settings(order: Order, pool: Pool) -> None:
    run(order, pool)
    (order.source / "a.css").write_text("p{}")
    others = replace(order.settings, minify=MinifySettings(seconds=1))
    with Cache(order.source.parent / "cache", 10**9) as cache:
        time.sleep(0.03)
        orders = (order, replace(order, settings=others), replace(order, target=order.source.parent / "other"))
        assert [Watch(one, cache).is_repeated for one in orders] == [True, False, False]


def test_in_place_nothing_is_done_twice(order: Order, pool: Pool) -> None:
    order = replace(order, target=None)
    once, again = run(order, pool), run(order, pool)
    assert (once.outcome, again.outcome, again.manifest) == ("published", "unchanged", None)
    assert "was optimized already" in again.told


def rewrite(path: Path, text: str) -> None:
    """Other bytes of the same number, with the times that the file had."""
    before = path.stat()
    assert before.st_size == len(text)
    path.write_text(text)
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))


TOUCHES: dict[str, Callable[[Path, Path], object]] = {
    "a byte of the site": lambda site, out: rewrite(site / "a.css", FILES["a.css"].replace("red", "tan")),
    "a byte of the output": lambda site, out: rewrite(out / "a.css.br", "x" * (out / "a.css.br").stat().st_size),
    "a new file": lambda site, out: (site / "b.css").touch(),
    "a new file in the output": lambda site, out: (out / "b.css").touch(),
    "a file of the site less": lambda site, out: (site / "a.css").unlink(),
    "a file of the output less": lambda site, out: (out / "a.css.br").unlink(),
    "an empty folder less": lambda site, out: (site / "empty").rmdir(),
    "rights": lambda site, out: (site / "a.css").chmod(0o600),
    "the manifest": lambda site, out: (out / "v1z3r-manifest.json").write_text("{}"),
    "a copy of the output": lambda site, out: (out.rename(out.with_name("old")), copy(out.with_name("old"), out)),
}


def copy(old: Path, new: Path) -> None:
    import shutil

    shutil.copytree(old, new)


@pytest.mark.parametrize("touch", TOUCHES)
def test_what_was_touched_is_made_anew(touch: str, order: Order, pool: Pool) -> None:
    before = run(order, pool)
    assert order.target is not None
    TOUCHES[touch](order.source, order.target)
    after = run(order, pool)
    assert after.outcome == "published"
    assert (after.release == before.release) is (
        "output" in touch or touch in ("the manifest", "an empty folder less", "rights")
    )
    assert run(order, pool).outcome == "unchanged"


@pytest.mark.parametrize(
    ("changed", "outcome"),
    [
        (lambda order: replace(order, settings=replace(order.settings, jobs=3)), "unchanged"),
        (lambda order: replace(order, settings=Settings(compress=CompressSettings(brotli_quality=2))), "published"),
        (
            lambda order: replace(order, settings=replace(order.settings, minify=MinifySettings(engines=("terser",)))),
            "published",
        ),
        (lambda order: replace(order, strict=True), "rejected"),
        (lambda order: replace(order, force=True), "published"),
        (lambda order: replace(order, dry_run=True), "tried"),
        (lambda order: replace(order, previous=order.target / "v1z3r-manifest.json"), "published"),
        (lambda order: replace(order, target=order.target.with_name("other")), "published"),
    ],
)
def test_another_order_is_another_run(
    changed: Callable[[Order], Order], outcome: str, order: Order, pool: Pool
) -> None:
    run(order, pool)
    assert run(changed(order), pool).outcome == outcome


def test_other_engines_are_another_run(order: Order, pool: Pool) -> None:
    run(order, pool)
    with Cache(order.source.parent / "cache", 10**9) as cache:
        cache.engines += "\nbrotli 99"
        assert Watch(order, cache).known() is None


def test_what_is_as_young_as_the_clock_is_not_noted(order: Order, pool: Pool, monkeypatch: pytest.MonkeyPatch) -> None:
    """It could change once more within the same tick, and leave no trace."""
    now = max(path.stat().st_ctime_ns for path in order.source.rglob("*"))
    monkeypatch.setattr(time, "time_ns", lambda: now)
    assert run(order, pool).outcome == "published"
    monkeypatch.undo()
    assert run(order, pool).outcome == "published"
