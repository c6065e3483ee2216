"""The cache: never in the output, whatever lies in its folder, whoever else writes there, whatever fails."""

from __future__ import annotations

import json
import os
import pickle
import subprocess
import sys
import threading
import time
from array import array
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from disks import disk

from v1z3r_build import pipeline
from v1z3r_build.diagnostics import Diagnostic, InputError, info
from v1z3r_build.formats.derivation import Derived
from v1z3r_build.formats.engines.external import Engine
from v1z3r_build.settings import CacheSettings, CompressSettings, Settings
from v1z3r_build.site.span import Hit, Reading, Url
from v1z3r_build.workers import cache as cache_module
from v1z3r_build.workers.cache import Cache, entries
from v1z3r_build.workers.cache.keys import Keys
from v1z3r_build.workers.cache.remote import Remote
from v1z3r_build.workers.cache.shelf import Shelf
from v1z3r_build.workers.pool import Call, Failure, Outcome, Pool, always
from v1z3r_build.workers.progress import SilentProgress

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

KEY, OTHER = bytes(range(32)), bytes(32)
SIZE = 100_000_000
SCRIPT = "".join(f"export function f{n}(value) {{\n  return value + {n} ;\n}}\n" for n in range(60))


# What runs in the children.


def noted(folder: str, *values: Any) -> Any:
    """Its first value, after a note that it was called."""
    with Path(folder, "calls").open("a") as file:
        file.write(".")
    return values[0]


def failing(folder: str) -> None:
    noted(folder, None)
    raise ValueError("no")


def calls_made(folder: Path) -> int:
    return (folder / "calls").stat().st_size if (folder / "calls").exists() else 0


def run(calls: list[Call], folder: Path, **options: Any) -> tuple[dict[str, Outcome], Cache]:
    with Cache(folder, SIZE, **options) as cache, Pool(2, cache=cache) as pool:
        return {outcome.key: outcome for outcome in pool.run(calls)}, cache


# Keys.


def of(*arguments: Any, function: Callable[..., Any] = noted, engines: str = "1") -> bytes:
    return Keys(engines).key(function, arguments)


DIFFERENT: list[tuple[Any, ...]] = [
    (),
    ((),),
    ([],),
    ({},),
    (None,),
    (False,),
    (0,),
    (0.0,),
    ("",),
    (b"",),
    ("0",),
    (b"0",),
    (True,),
    (1,),
    ("a", "b"),
    ("ab", ""),
    ("", "ab"),
    (("a", "b"),),
    (["a", "b"],),
    ({"a": "b"},),
    ({"a": 1, "b": 2},),
    ({"b": 2, "a": 1},),
    (frozenset({"a", "b"}),),
    (array("i", [1]),),
    (array("I", [1]),),
    (CompressSettings(),),
    (CompressSettings(brotli_quality=10),),
    (CacheSettings(),),
    (Hit(1, 2, 3),),
    (Url(1, 2, "a", "script"),),
    (Engine("terser", "a", "1"),),
    (Engine("terser", "a", "2"),),
    (Derived(b"ab", array("i", [0]), array("i", [0])),),
    (Derived(b"ab", array("i", [0]), array("i", [1])),),
]


def test_what_differs_in_anything_has_another_key() -> None:
    keys = {of(*arguments) for arguments in DIFFERENT}
    keys |= {of(function=failing), of(engines="2")}
    assert len(keys) == len(DIFFERENT) + 2


def test_what_is_equal_has_one_key(tmp_path: Path) -> None:
    for arguments in DIFFERENT:
        assert of(*arguments) == of(*pickle.loads(pickle.dumps(arguments)))
    (tmp_path / "a").write_bytes(b"abc")
    (tmp_path / "b").write_bytes(b"abc")
    assert len({of(b"abc"), of(tmp_path / "a"), of(tmp_path / "b")}) == 1
    assert of(b"abd") != of(tmp_path / "a")


def test_keys_are_the_same_in_every_process() -> None:
    """Python gives texts another order in sets each time it starts."""
    code = (
        "from v1z3r_build.workers.cache.keys import Keys; "
        "print(Keys('1').key(len, (frozenset({'a', 'b', 'c', 'd'}), {'x': (1, 2.5, None)})).hex())"
    )
    found = {
        subprocess.run(
            [sys.executable, "-c", code], capture_output=True, check=True, env={**os.environ, "PYTHONHASHSEED": seed}
        ).stdout
        for seed in "123"
    }
    assert len(found) == 1


def test_what_has_no_canonical_form_is_refused() -> None:
    with pytest.raises(TypeError, match="object"):
        of(object())


def test_engines_name_what_results_depend_on() -> None:
    told = cache_module.versions.engines()
    for name in ("v1z3r-build", "zlib", "brotli", "turbohtml", "lightningcss", "pillow", "tdewolff-minify"):
        assert f"\n{name} " in f"\n{told}"
    assert "\nclick " not in told


# Entries.


VALUES = [
    {"br": b"abc", "gzip": b""},
    (1, -2.5, None, True, "ü\udcff", [1], {2}, frozenset({3})),
    Reading(urls=(Url(1, 2, "a", "script"),)),
    (info("a", "b", "c"),),
    Derived(b"ab", array("i", [0, 1]), array("i", [5, -1])),
]


@pytest.mark.parametrize("value", VALUES, ids=lambda value: type(value).__name__)
def test_values_come_back(value: Any) -> None:
    found = entries.decode(KEY, entries.encode(KEY, value))
    assert found == value
    assert type(found) is type(value)
    if isinstance(value, Derived):
        assert (found.places, found.origins) == (value.places, value.origins)


def test_every_damaged_byte_is_noticed() -> None:
    entry = entries.encode(KEY, {"br": b"abc"})
    for place in range(len(entry)):
        damaged = bytearray(entry)
        damaged[place] ^= 1
        with pytest.raises(entries.DamagedError):
            entries.decode(KEY, bytes(damaged))
        with pytest.raises(entries.DamagedError):
            entries.decode(KEY, entry[:place])
    with pytest.raises(entries.DamagedError):
        entries.decode(KEY, entry + b"\0")


class Evil:
    def __init__(self, function: Any, *arguments: Any) -> None:
        self.reduced = function, arguments

    def __reduce__(self) -> Any:
        return self.reduced


@pytest.mark.parametrize(
    ("function", "arguments"),
    [
        (os.system, ("touch hacked",)),
        (eval, ("open('hacked', 'w')",)),
        (getattr, (1, "real")),
        (Shelf, (Path("x"), 1)),
        (pipeline.optimize, ()),
        (Path, ("x",)),
        (subprocess.run, (["touch", "hacked"],)),
    ],
)
def test_an_entry_calls_nothing(
    function: Any, arguments: tuple[Any, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(entries.DamagedError, match="no value of ours"):
        entries.decode(KEY, entries.encode(KEY, Evil(function, *arguments)))
    assert not list(tmp_path.iterdir())


def test_an_entry_imports_no_program(monkeypatch: pytest.MonkeyPatch) -> None:
    """`python -m v1z3r_build` is run by an import."""
    monkeypatch.delitem(sys.modules, "v1z3r_build.__main__", raising=False)
    body = b"cv1z3r_build.__main__\nmain\n."
    entry = entries._MAGIC + KEY + entries._seal(KEY, body, b"") + body
    with pytest.raises(entries.DamagedError, match="no value of ours"):
        entries.decode(KEY, entry)
    assert "v1z3r_build.__main__" not in sys.modules


@pytest.mark.parametrize(("written", "read"), [(b"", b"a"), (b"a", b""), (b"a", b"b")])
def test_a_secret_refuses_what_others_have_written(written: bytes, read: bytes) -> None:
    entry = entries.encode(KEY, 1, written)
    assert entries.decode(KEY, entry, written) == 1
    with pytest.raises(entries.DamagedError):
        entries.decode(KEY, entry, read)


# Calls.


def test_a_value_is_made_once(tmp_path: Path) -> None:
    cold, _ = run([Call("a", noted, (str(tmp_path), 7), 1, cached=always)], tmp_path / "cache")
    warm, cache = run([Call("b", noted, (str(tmp_path), 7), 1, cached=always)], tmp_path / "cache")
    assert (cold["a"].value, warm["b"].value) == (7, 7)
    assert calls_made(tmp_path) == 1
    assert (cache.asked, cache.found) == (1, 1)
    run([Call("a", noted, (str(tmp_path), 8), 1, cached=always)], tmp_path / "cache")
    assert calls_made(tmp_path) == 2


@pytest.mark.parametrize(
    "call",
    [
        Call("raised", failing, (), 1, cached=always),
        Call("unmarked", noted, (7,), 1),
        Call("cut off", noted, (7,), 1, cached=lambda value: False),
        Call("late", noted, (7,), 1, cached=lambda value: value == 8),
    ],
    ids=lambda call: call.key,
)
def test_what_must_not_be_remembered_is_made_again(call: Call, tmp_path: Path) -> None:
    call = replace(call, arguments=(str(tmp_path), *call.given()))
    outcomes = [run([call], tmp_path / "cache")[0][call.key] for _ in range(2)]
    assert calls_made(tmp_path) == 2
    assert outcomes[0] == outcomes[1]


def test_a_file_that_changes_in_between_gets_no_value_of_the_other(tmp_path: Path) -> None:
    """The key is made of the bytes that it had; the child reads later."""
    file = tmp_path / "a.js"
    file.write_bytes(b"old")
    call = Call("a", noted, (str(tmp_path), file), 1, cached=always)
    with Cache(tmp_path / "cache", SIZE) as cache, Pool(1, cache=cache) as pool:
        assert cache.key(call.function, call.given())
        file.write_bytes(b"new")
        (outcome,) = pool.run([call])
        assert outcome.failure is not None
        assert "changed while" in outcome.failure.message
    assert run([call], tmp_path / "cache")[0]["a"].value == b"new"


def test_a_missing_file_is_a_failure_as_without_a_cache(tmp_path: Path) -> None:
    outcomes, _ = run([Call("a", noted, (str(tmp_path), tmp_path / "gone"), 1, cached=always)], tmp_path / "cache")
    failure = outcomes["a"].failure
    assert isinstance(failure, Failure)
    assert "gone" in failure.message


@pytest.mark.parametrize(
    "poison",
    [
        lambda place, other: place.write_bytes(place.read_bytes()[:-1]),
        lambda place, other: place.write_bytes(b""),
        lambda place, other: place.write_bytes(other.read_bytes()),  # whole, but another call's
        lambda place, other: place.write_bytes(entries.encode(bytes.fromhex(place.name), Evil(os.getpid))),
        lambda place, other: (place.unlink(), place.mkdir()),
    ],
    ids=["cut", "empty", "of another key", "code", "a folder"],
)
def test_a_poisoned_entry_is_made_anew(poison: Any, tmp_path: Path) -> None:
    calls = [Call(str(n), noted, (str(tmp_path), n), 1, cached=always) for n in range(2)]
    run(calls, tmp_path / "cache")
    first, second = (tmp_path / "cache").glob("v1/*/*")
    poison(first, second)
    outcomes, _ = run(calls, tmp_path / "cache")
    assert {key: outcome.value for key, outcome in outcomes.items()} == {"0": 0, "1": 1}
    assert calls_made(tmp_path) == 3
    if first.is_file():
        _, cache = run(calls, tmp_path / "cache")
        assert (calls_made(tmp_path), cache.diagnostics) == (3, [])


def test_a_run_that_is_given_up_ends_its_calls(tmp_path: Path) -> None:
    calls = [
        Call("quick", noted, (str(tmp_path), 1), 2, cached=always),
        Call("late", time.sleep, (600.0,), 1, cached=always),
    ]
    with Cache(tmp_path / "cache", SIZE) as cache, Pool(2, cache=cache) as pool:
        run = pool.run(calls)
        assert next(run).key == "quick"
        run.close()
        assert pool._busy() == 0
    assert calls_made(tmp_path) == 1


# The folder.


def test_what_was_used_longest_ago_goes_first(tmp_path: Path) -> None:
    entry = bytes(1000)
    shelf = Shelf(tmp_path, 10_000)
    keys = [bytes([number]) * 32 for number in range(12)]
    for number, key in enumerate(keys[:9]):
        shelf.put(key, entry)
        os.utime(shelf._place(key), (0, number))
    later = Shelf(tmp_path, 10_000)
    assert later.find(keys[0]) == entry  # used, and so the youngest
    for key in keys[9:]:
        later.put(key, entry)
    later.make_room()
    left = [key for key in keys if shelf.find(key)]
    assert keys[0] in left
    assert set(keys[9:]) < set(left)
    assert len(left) * 1000 <= 10_000
    assert left == [keys[0], *keys[-len(left) + 1 :]]


def test_what_a_killed_run_left_behind_goes(tmp_path: Path) -> None:
    shelf = Shelf(tmp_path, SIZE)
    shelf.put(KEY, b"a")
    old, new = (Path(f"{shelf._place(KEY)}-{n}-0.partial") for n in (1, 2))
    for partial in (old, new):
        partial.write_bytes(b"half")
    os.utime(old, (0, 0))
    shelf.make_room()
    assert (old.exists(), new.exists(), shelf.find(KEY)) == (False, True, b"a")


def test_runs_at_once_share_a_folder(tmp_path: Path) -> None:
    """Two runs put in, read, throw out, and never see half an entry."""
    keys = [bytes([number]) * 32 for number in range(20)]
    entry = {key: entries.encode(key, key * 2000) for key in keys}
    failures: list[BaseException] = []

    def work(seed: int) -> None:
        try:
            shelf = Shelf(tmp_path, 600_000)
            for turn in range(400):
                key = keys[(turn * seed) % len(keys)]
                found = shelf.find(key)
                assert found is None or entries.decode(key, found) == key * 2000
                shelf.put(key, entry[key])
                if turn % 7 == 0:
                    shelf.drop(keys[(turn * seed + 3) % len(keys)])
        except BaseException as failure:  # noqa: BLE001
            failures.append(failure)

    threads = [threading.Thread(target=work, args=(seed,)) for seed in (3, 7, 9)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []


def is_one_warning(found: list[Diagnostic], code: str) -> bool:
    return [(one.level, one.code) for one in found] == [("warning", code)]


def test_a_full_disk_costs_time_alone(tmp_path: Path) -> None:
    with disk("100k") as folder:
        calls = [Call(str(n), noted, (str(tmp_path), os.urandom(30_000)), 1, cached=always) for n in range(9)]
        outcomes, cache = run(calls, folder / "cache")
        assert {key: outcome.value for key, outcome in outcomes.items()} == {one.key: one.given()[1] for one in calls}
        assert is_one_warning(cache.diagnostics, "cache-not-written")
        assert not list((folder / "cache").glob("**/*.partial"))


def test_a_folder_that_cannot_be_written_costs_time_alone(tmp_path: Path) -> None:
    (tmp_path / "cache").write_text("a file, where the folder should be")
    calls = [Call(str(n), noted, (str(tmp_path), n), 1, cached=always) for n in range(3)]
    outcomes, cache = run(calls, tmp_path / "cache")
    assert {key: outcome.value for key, outcome in outcomes.items()} == {"0": 0, "1": 1, "2": 2}
    assert is_one_warning(cache.diagnostics, "cache-not-written")


# Shared with other machines.


@pytest.fixture
def url(tmp_path: Path) -> str:
    return f"file://{tmp_path}/shared"


def test_a_shared_cache_is_read_through_and_written_back(tmp_path: Path, url: str) -> None:
    calls = [Call(str(n), noted, (str(tmp_path), n), 1, cached=always) for n in range(100)]
    run(calls, tmp_path / "one", remote=Remote(url))
    outcomes, cache = run(calls, tmp_path / "two", remote=Remote(url))
    assert {key: outcome.value for key, outcome in outcomes.items()} == {str(n): n for n in range(100)}
    assert (calls_made(tmp_path), cache.diagnostics) == (100, [])
    run(calls, tmp_path / "two")  # now it lies here, too
    assert calls_made(tmp_path) == 100


def test_entries_of_a_shared_cache_are_checked(tmp_path: Path, url: str) -> None:
    calls = [Call(str(n), noted, (str(tmp_path), n), 1, cached=always) for n in range(2)]
    run(calls, tmp_path / "one", remote=Remote(url))
    first, second = (tmp_path / "shared").glob("v1/*/*")
    first.write_bytes(second.read_bytes())
    outcomes, cache = run(calls, tmp_path / "two", remote=Remote(url))
    assert {key: outcome.value for key, outcome in outcomes.items()} == {"0": 0, "1": 1}
    assert [one.code for one in cache.diagnostics] == ["cache-damaged"]
    run(calls, tmp_path / "three", remote=Remote(url))  # and mended by the one who noticed
    assert calls_made(tmp_path) == 3


def test_a_shared_cache_that_others_sign_differently_is_of_no_use(tmp_path: Path, url: str) -> None:
    calls = [Call("a", noted, (str(tmp_path), 1), 1, cached=always)]
    run(calls, tmp_path / "one", remote=Remote(url))
    run(calls, tmp_path / "two", remote=Remote(url), secret=b"ours")
    assert calls_made(tmp_path) == 2


class Broken:
    """A file system that works for so many requests."""

    def __init__(self, working: int, wait: threading.Event | None = None) -> None:
        self.left = working
        self.wait = wait

    def _request(self) -> None:
        self.left -= 1
        if self.left < 0:
            if self.wait is not None:
                self.wait.wait()
            raise ConnectionError("gone")

    def cat(self, places: list[str], on_error: str) -> dict[str, Any]:
        self._request()
        return {place: FileNotFoundError(place) for place in places}

    def pipe(self, entries: dict[str, bytes]) -> None:
        self._request()


@pytest.fixture
def never() -> Iterator[threading.Event]:
    event = threading.Event()
    yield event
    event.set()


@pytest.mark.parametrize("working", [0, 1])
@pytest.mark.parametrize("hangs", [False, True])
def test_a_shared_cache_that_goes_away_is_one_warning(
    working: int, hangs: bool, tmp_path: Path, url: str, never: threading.Event
) -> None:
    remote = Remote(url, seconds=0.2)
    remote._system = Broken(working, never if hangs else None)
    calls = [Call(str(n), noted, (str(tmp_path), n), 1, cached=always) for n in range(600)]
    outcomes, cache = run(calls, tmp_path / "cache", remote=remote)
    assert {key: outcome.value for key, outcome in outcomes.items()} == {str(n): n for n in range(600)}
    assert is_one_warning(cache.diagnostics, "shared-cache-gone")


def test_a_url_that_nothing_reads_is_wrong_usage() -> None:
    with pytest.raises(InputError, match="nonsense"):
        cache_module.opened(CacheSettings(url="nonsense://bucket"))


# The whole command.


SITE = {
    "index.html": '<!doctype html><link rel=stylesheet href="a.css"><script type=module src="app.js"></script>' + "x" * 999,
    "app.js": f'import "./lib.3f9a1c2e.js";\n{SCRIPT}',
    "lib.3f9a1c2e.js": SCRIPT,
    "a.css": "a {\n  color : red ;\n}\n" * 30,
    "data.json": '{ "a" : [ 1 ,  2 ] }' + " " * 300,
    "bad.js": "function ( {",
}  # fmt: skip


@pytest.fixture
def site(tmp_path: Path) -> Path:
    folder = tmp_path / "site"
    folder.mkdir()
    for name, text in SITE.items():
        (folder / name).write_text(text)
    return folder


def optimize(site: Path, output: Path, *options: str) -> dict[str, Any]:
    done = subprocess.run(
        [sys.executable, "-m", "v1z3r_build", "optimize", site, "-o", output, "--json", "-v", *options],
        capture_output=True,
        check=True,
    )
    told: dict[str, Any] = json.loads(done.stdout)
    return told


def tree(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


def test_cold_warm_and_none_give_the_same_bytes(site: Path, tmp_path: Path) -> None:
    folder = f"--cache-dir={tmp_path / 'cache'}"
    told = [
        optimize(site, tmp_path / name, option)
        for name, option in (("cold", folder), ("warm", folder), ("none", "--no-cache"))
    ]
    assert tree(tmp_path / "cold") == tree(tmp_path / "warm") == tree(tmp_path / "none")
    for one in told:
        del one["output"], one["message"]
    assert told[0] == told[1] == told[2]
    assert any((tmp_path / "cache").rglob("*"))


def test_a_cache_that_fails_is_told_and_stands_in_no_manifest(site: Path, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    told = optimize(site, tmp_path / "out", f"--cache-dir={tmp_path / 'file'}")
    assert "cache-not-written" in {one["code"] for one in told["diagnostics"]}
    optimize(site, tmp_path / "none", "--no-cache")
    assert tree(tmp_path / "out") == tree(tmp_path / "none")


@pytest.mark.fixtures
def test_a_warm_run_makes_no_call_again(export: Any, tmp_path: Path) -> None:
    """Of real exports everything that is marked is found: no value is of a kind that cannot be read again."""
    settings = replace(
        Settings(),
        site=replace(Settings().site, base=export.base),
        compress=CompressSettings(brotli_quality=1),
        cache=CacheSettings(dir=str(tmp_path / "cache")),
    )
    manifests = []
    for name in ("cold", "warm"):
        order = pipeline.Order(export.folder, tmp_path / name, settings)
        with cache_module.opened(settings.cache) as cache, Pool(2, cache=cache) as pool:
            manifests.append(pipeline.optimize(order, pool, SilentProgress()).manifest)
    assert cache.asked
    assert (cache.found, cache.diagnostics) == (cache.asked, [])
    assert manifests[0] == manifests[1]
