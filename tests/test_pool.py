"""The pool of guarded processes: every way in which a call can end, and that no process is ever left behind."""

from __future__ import annotations

import ctypes
import multiprocessing
import os
import random
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from v1z3r_build.diagnostics import SystemFailureError
from v1z3r_build.workers import child
from v1z3r_build.workers.pool import Call, Failure, Outcome, Pool

if TYPE_CHECKING:
    from collections.abc import Iterator

HEAVY = 1 << 20  # bytes: a call that is sent alone
LONG = 600.0  # seconds: no test waits for so long


# What runs in the children.


def crash(_: bytes = b"") -> None:
    ctypes.string_at(0)


def print_and_abort() -> None:
    os.write(2, b"\n  fatal error: stack overflow\ngoroutine 1 [running]:\n")
    os.abort()


def leave() -> None:
    os._exit(3)


def raise_system_exit() -> None:
    raise SystemExit("done")


def process_id() -> int:
    return os.getpid()


def unpicklable() -> object:
    return lambda: None


def loud() -> str:
    sys.stdout.write("to stdout")
    sys.stdout.flush()
    os.write(2, b"to descriptor 2")
    return "quiet"


def note_start(folder: str, name: str, seconds: float) -> str:
    with Path(folder, "order").open("a") as file:
        file.write(name)
    time.sleep(seconds)
    return name


def start_program_and_wait(pid_file: str) -> None:
    program = subprocess.Popen([sys.executable, "-c", f"import time; time.sleep({LONG})"])
    Path(pid_file).write_text(f"{os.getpid()} {program.pid}")
    program.wait()


@pytest.fixture(scope="module")
def pool() -> Iterator[Pool]:
    with Pool(2, memory=1 << 30) as pool:
        yield pool


def only(pool: Pool, call: Call) -> Outcome:
    (outcome,) = pool.run([call])
    return outcome


@pytest.mark.parametrize(
    ("function", "arguments", "seconds", "failure"),
    [
        (int, ("x",), 0, Failure("raised", "ValueError: invalid literal for int() with base 10: 'x'")),
        (raise_system_exit, (), 0, Failure("raised", "SystemExit: done")),
        (time.sleep, (LONG,), 0.05, Failure("timeout", "not done after 0.05 s")),
        (leave, (), 0, Failure("crashed", "ended with exit code 3")),
        pytest.param(
            crash, (), 0, Failure("crashed", "ended by SIGSEGV"), marks=pytest.mark.skipif(os.name == "nt", reason="")
        ),
        pytest.param(
            print_and_abort,
            (),
            0,
            Failure("crashed", "ended by SIGABRT: fatal error: stack overflow"),
            marks=pytest.mark.skipif(os.name == "nt", reason=""),
        ),
        pytest.param(
            bytes,
            (2 << 30,),
            0,
            Failure("memory", ""),
            marks=pytest.mark.skipif(sys.platform != "linux", reason="no limit elsewhere"),
        ),
    ],
)
def test_failures(
    pool: Pool, function: object, arguments: tuple[object, ...], seconds: float, failure: Failure
) -> None:
    calls = [
        Call("bad", function, arguments, 2, seconds),  # type: ignore[arg-type]
        *(Call(f"good {number}", abs, (-number,), 1) for number in range(4)),
    ]
    outcomes = {outcome.key: outcome for outcome in pool.run(calls)}
    assert outcomes.pop("bad") == Outcome("bad", None, failure)
    assert outcomes == {f"good {number}": Outcome(f"good {number}", number) for number in range(4)}


def test_value_that_cannot_be_sent_is_a_failure(pool: Pool) -> None:
    failure = only(pool, Call("lambda", unpicklable, (), 1)).failure
    assert failure
    assert failure.reason == "raised"
    assert "pickle" in failure.message


def test_missing_file_is_a_failure(pool: Pool, tmp_path: Path) -> None:
    failure = only(pool, Call("gone", len, (tmp_path / "gone.js",), 1)).failure
    assert failure
    assert failure.reason == "raised"
    assert "FileNotFoundError" in failure.message
    assert "gone.js" in failure.message


def test_path_is_read_by_the_child(pool: Pool, tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"abc")
    assert only(pool, Call("a", bytes.upper, (tmp_path / "a",), 1)).value == b"ABC"


def test_many_crashes_lose_no_call(pool: Pool) -> None:
    calls = [Call(str(n), leave if n % 3 == 0 else abs, () if n % 3 == 0 else (n,), n) for n in range(30)]
    outcomes = list(pool.run(calls))
    assert sorted(outcome.key for outcome in outcomes) == sorted(str(n) for n in range(30))
    assert {outcome.key for outcome in outcomes if outcome.failure} == {str(n) for n in range(0, 30, 3)}


@pytest.mark.parametrize(
    ("culprit", "reason"),
    [
        (Call("bad", leave, (), 5), "crashed"),
        (Call("bad", time.sleep, (LONG,), 5, 2.0), "timeout"),
        (Call("bad", int, ("x",), 5), "raised"),
        (Call("bad", unpicklable, (), 5), "raised"),
    ],
)
def test_light_calls_share_a_batch_and_no_fate(tmp_path: Path, culprit: Call, reason: str) -> None:
    names = [f"{n:03}" for n in range(100)]
    others = [Call(name, note_start, (str(tmp_path), name, 0.0), 5, culprit.seconds) for name in names]
    with Pool(1) as pool:
        outcomes = {outcome.key: outcome for outcome in pool.run([*others, culprit])}
    failure = outcomes.pop("bad").failure
    assert failure
    assert failure.reason == reason
    assert outcomes == {name: Outcome(name, name) for name in names}
    noted = (tmp_path / "order").read_text()
    starts = [noted[at : at + 3] for at in range(0, len(noted), 3)]
    assert set(starts) == set(names)
    # What had been done before the process ended is done again: proof that there was a batch at all.
    assert (len(starts) > len(names)) is (reason in ("crashed", "timeout"))


@pytest.mark.parametrize("seed", range(3))
def test_number_of_workers_and_order_of_calls_change_nothing(seed: int) -> None:
    calls = [Call(str(n), pow, (n, n), n % 7) for n in range(50)]
    results = []
    for jobs in (1, 4):
        random.Random(seed * jobs).shuffle(calls)
        with Pool(jobs) as pool:
            results.append({outcome.key: outcome.value for outcome in pool.run(calls)})
    assert results[0] == results[1] == {str(n): n**n for n in range(50)}


def test_heaviest_first(tmp_path: Path) -> None:
    calls = [
        Call(name, note_start, (str(tmp_path), name, 0.0), weight)
        for name, weight in zip("abcd", (2, 9, 5, 9), strict=True)
    ]
    with Pool(1) as pool:
        assert [outcome.key for outcome in pool.run(calls)] == ["b", "d", "c", "a"]
    assert (tmp_path / "order").read_text() == "bdca"


def test_payloads_of_50_mb_both_ways(pool: Pool) -> None:
    size = 50_000_000
    calls = [Call(str(n), bytes.upper, (b"x" * size,), 1) for n in range(3)]
    assert [outcome.value == b"X" * size for outcome in pool.run(calls)] == [True] * 3


@pytest.mark.skipif(sys.platform != "linux", reason="no limit elsewhere")
def test_call_too_large_for_the_child_is_a_memory_failure() -> None:
    with Pool(1, memory=200 << 20) as pool:
        calls = [Call("big", len, (bytes(150 << 20),), 2), Call("small", len, (b"x",), 1)]
        outcomes = {outcome.key: outcome for outcome in pool.run(calls)}
    assert outcomes["big"].failure is not None
    assert outcomes["big"].failure.reason == "memory"
    assert outcomes["small"].value == 1


def test_no_more_children_than_calls_and_none_without() -> None:
    before = len(multiprocessing.active_children())
    with Pool(4) as pool:
        assert list(pool.run([])) == []
        assert len(multiprocessing.active_children()) == before
        assert only(pool, Call("a", abs, (1,), 1)).value == 1
        assert len(multiprocessing.active_children()) == before + 1
    assert len(multiprocessing.active_children()) == before


def test_children_started_early_do_the_work() -> None:
    before = set(multiprocessing.active_children())
    with Pool(2, preload=("no.such.module", "wave")) as pool:
        pool.start(1)
        assert len(set(multiprocessing.active_children()) - before) == 1
        pool.start()
        early = set(multiprocessing.active_children()) - before
        assert len(early) == 2
        calls = [Call(str(n), loaded, ("wave",), 1) for n in range(8)]
        # The first calls may come before the module, which is imported while there are none.
        assert wait_until(lambda: {outcome.value for outcome in pool.run(calls)} == {True})
        assert set(multiprocessing.active_children()) - before == early


def test_modules_are_imported_while_there_is_no_call(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(tmp_path)
    (tmp_path / "imported_ahead.py").touch()
    parent, far = multiprocessing.Pipe()
    ahead = iter(("imported_ahead",))
    parent.send(1)
    child._import_until_asked(ahead, far)
    assert not loaded("imported_ahead")
    far.recv()
    child._import_until_asked(ahead, far)
    assert loaded("imported_ahead")


def loaded(module: str) -> bool:
    """Whether this process has imported a module."""
    return module in sys.modules


def test_children_are_kept_for_the_next_run() -> None:
    with Pool(1) as pool:
        assert only(pool, Call("a", process_id, (), 1)).value == only(pool, Call("b", process_id, (), 1)).value


def test_keys_must_differ(pool: Pool) -> None:
    with pytest.raises(ValueError, match="keys"):
        list(pool.run([Call("a", abs, (1,), 1), Call("a", abs, (2,), 1)]))


def test_output_of_native_code_stays_in_the_child(capfd: pytest.CaptureFixture[str]) -> None:
    with Pool(1) as pool:
        assert only(pool, Call("a", loud, (), 1)).value == "quiet"
    assert capfd.readouterr() == ("", "")


@pytest.mark.skipif(sys.platform != "linux", reason="no limit elsewhere")
def test_children_that_cannot_start_are_a_system_failure() -> None:
    with Pool(1, memory=1) as pool, pytest.raises(SystemFailureError, match="could not be started"):
        list(pool.run([Call("a", abs, (1,), 1)]))


def test_arguments_are_sent_when_a_child_is_free_and_not_before(pool: Pool) -> None:
    """Counts arguments that the parent has pickled and whose outcome it has not yet handed on."""
    flying: set[int] = set()
    most = 0

    class Argument:
        def __init__(self, number: int) -> None:
            self.number = number

        def __reduce__(self) -> tuple[object, ...]:
            nonlocal most
            flying.add(self.number)
            most = max(most, len(flying))
            return int, (self.number,)

    for outcome in pool.run([Call(str(n), abs, (Argument(n),), HEAVY) for n in range(40)]):
        flying.remove(outcome.value)
    assert 0 < most <= 4  # for two children: what they work on, and what they have done


# That nothing stays behind.


def is_running(pid: int) -> bool:
    try:
        os.kill(pid, 0)
        # One that has ended and waits for its parent (here: that of all orphans) to notice has ended.
        return sys.platform != "linux" or Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (ProcessLookupError, FileNotFoundError):
        return False


def wait_until(condition: object) -> bool:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        if condition():  # type: ignore[operator]
            return True
        time.sleep(0.01)
    return False


def written_pids(folder: Path, files: int) -> list[int]:
    def read() -> list[int]:
        return [int(word) for file in folder.glob("pids*") for word in file.read_text().split()]

    assert wait_until(lambda: len(read()) == 2 * files)
    return read()


def busy(folder: Path, count: int) -> list[Call]:
    return [Call(str(n), start_program_and_wait, (str(folder / f"pids{n}"),), 1) for n in range(count)]


def wait_for_pids(folder: str) -> list[int]:
    return written_pids(Path(folder), 1)


posix = pytest.mark.skipif(os.name == "nt", reason="process ids and signals of POSIX")


@posix
def test_closed_run_ends_children_and_what_they_started(tmp_path: Path) -> None:
    with Pool(2) as pool:
        run = pool.run([*busy(tmp_path, 1), Call("quick", wait_for_pids, (str(tmp_path),), 0)])
        pids = next(run).value
        assert all(is_running(pid) for pid in pids)
        run.close()
        assert wait_until(lambda: not any(is_running(pid) for pid in pids))


@posix
def test_exception_of_the_caller_ends_children(tmp_path: Path) -> None:
    pids: list[int] = []

    def fail() -> None:
        with Pool(2) as pool:
            for outcome in pool.run([*busy(tmp_path, 1), Call("quick", wait_for_pids, (str(tmp_path),), 0)]):
                pids.extend(outcome.value)
                raise RuntimeError("disk full")

    with pytest.raises(RuntimeError):
        fail()
    assert len(pids) == 2
    assert wait_until(lambda: not any(is_running(pid) for pid in pids))


@posix
def test_timeout_ends_what_the_call_started(tmp_path: Path) -> None:
    with Pool(1) as pool:
        only(pool, Call("warm", process_id, (), 1))  # imports this module, so that the limit is for the work alone
        call = Call("late", start_program_and_wait, (str(tmp_path / "pids"),), 1, 3.0)
        assert only(pool, call).failure == Failure("timeout", "not done after 3 s")
    pids = written_pids(tmp_path, 1)
    assert wait_until(lambda: not any(is_running(pid) for pid in pids))


def script(folder: Path) -> subprocess.Popen[str]:
    """A program that keeps two children busy, each of which has started a program."""
    body = f"""
        import signal, sys
        signal.signal(signal.SIGINT, signal.default_int_handler)  # also where the tests run with Ctrl-C ignored
        sys.path.insert(0, {str(Path(__file__).parent)!r})
        from pathlib import Path
        import test_pool
        from v1z3r_build.workers.pool import Pool

        print("once", flush=True)
        with Pool(2) as pool:
            for outcome in pool.run(test_pool.busy(Path({str(folder)!r}), 2)):
                print(outcome, flush=True)
    """
    path = folder / "program.py"
    path.write_text(textwrap.dedent(body))
    return subprocess.Popen(
        [sys.executable, str(path)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        env={**os.environ, "TMPDIR": str(folder)},
    )


@posix
@pytest.mark.parametrize("sent", ["SIGINT", "SIGTERM", "SIGKILL", "group SIGINT"])
def test_ended_parent_leaves_no_process_and_no_file(tmp_path: Path, sent: str) -> None:
    program = script(tmp_path)
    pids = written_pids(tmp_path, 2)
    if sent == "group SIGINT":  # as Ctrl-C in a terminal
        os.killpg(program.pid, signal.SIGINT)
    else:
        program.send_signal(signal.Signals[sent])
    output, errors = program.communicate(timeout=60)
    assert len(pids) == 4
    assert wait_until(lambda: not any(is_running(pid) for pid in pids))
    assert wait_until(lambda: not list(tmp_path.glob("*.log")))
    assert output == "once\n"  # no child has run the program again, no outcome has been invented
    assert errors.count("Traceback") == ("INT" in sent)


def test_program_without_guard_can_use_a_pool(tmp_path: Path) -> None:
    """Without `if __name__ == "__main__"`, which `multiprocessing` asks of programs."""
    path = tmp_path / "program.py"
    path.write_text(
        "from v1z3r_build.workers.pool import Call, Pool\n"
        "print('once', [outcome.value for outcome in Pool(2).run([Call('a', abs, (-5,), 1)])])\n"
    )
    done = subprocess.run([sys.executable, str(path)], capture_output=True, text=True, timeout=60)
    assert (done.stdout, done.stderr) == ("once [5]\n", "")
