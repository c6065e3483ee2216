"""A cluster of a scheduler and two workers, in processes of their own on this machine."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from v1z3r_build.diagnostics import InputError, SystemFailureError
from v1z3r_build.workers import cluster as cluster_module
from v1z3r_build.workers.cache import Cache
from v1z3r_build.workers.call import Call, Failure, Outcome, always
from v1z3r_build.workers.cluster import Cluster

if TYPE_CHECKING:
    from collections.abc import Iterator

distributed = pytest.importorskip("distributed")
pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="process ids and signals of POSIX")

HERE = Path(__file__).parent


# What runs on the workers.


def worker_of(seconds: float) -> int:
    """The process of the worker whose child this is."""
    time.sleep(seconds)
    return os.getppid()


def noted(folder: str, name: str, seconds: float) -> str:
    with Path(folder, name).open("a") as file:
        file.write(".")
    time.sleep(seconds)
    return name


def leave() -> None:
    os._exit(3)


class Machines:
    """A scheduler and its workers."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.processes: list[subprocess.Popen[bytes]] = []
        self.file = folder / "scheduler.json"
        self._start("dask_scheduler", "--host", "127.0.0.1", "--port", "0", "--no-dashboard", "--no-show")
        wait_until(self.file.exists)
        time.sleep(0.1)  # written in one go, but not renamed into place
        self.address: str = json.loads(self.file.read_text())["address"]

    def worker(self, **environment: str) -> subprocess.Popen[bytes]:
        options = ("--nthreads", "1", "--no-dashboard", "--no-nanny", "--host", "127.0.0.1", "--death-timeout", "60")
        return self._start("dask_worker", *options, **environment)

    def _start(self, program: str, *options: str, **environment: str) -> subprocess.Popen[bytes]:
        with (self.folder / "log").open("ab") as log:
            command = [sys.executable, "-m", f"distributed.cli.{program}", "--scheduler-file", self.file, *options]
            environment = {**os.environ, "PYTHONPATH": str(HERE), **environment}
            self.processes.append(subprocess.Popen(command, stdout=log, stderr=log, cwd=self.folder, env=environment))
        return self.processes[-1]

    def end(self) -> None:
        for process in self.processes:
            process.kill()
            process.wait()


def wait_until(condition: Any) -> None:
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


@contextmanager
def machines_in(folder: Path, workers: int = 2) -> Iterator[Machines]:
    machines = Machines(folder)
    try:
        for _ in range(workers):
            machines.worker()
        with distributed.Client(machines.address, set_as_default=False) as client:
            wait_until(lambda: len(client.nthreads()) == workers)
        yield machines
    finally:
        machines.end()


@pytest.fixture(scope="module")
def machines(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Machines]:
    with machines_in(tmp_path_factory.mktemp("machines")) as machines:
        yield machines


def is_running(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def test_bytes_there_and_back_on_all_workers(machines: Machines, tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"abc")
    with Cluster(machines.address) as cluster:
        assert cluster.jobs == 2
        calls = [
            Call("upper", bytes.upper, (tmp_path / "a",), 3),
            Call("gone", len, (tmp_path / "gone",), 3),
            Call("raised", int, ("x",), 3),
            Call("crashed", leave, (), 3),
            Call("late", time.sleep, (600.0,), 3, 0.5),
            *(Call(str(number), worker_of, (0.2,), 1 << 20) for number in range(8)),
        ]
        outcomes = {outcome.key: outcome for outcome in cluster.run(calls)}
    assert len(outcomes) == len(calls)
    assert outcomes["upper"] == Outcome("upper", b"ABC")
    missing = outcomes["gone"].failure
    assert missing is not None and missing.reason == "raised" and "FileNotFoundError" in missing.message
    assert outcomes["raised"].failure == Failure("raised", "ValueError: invalid literal for int() with base 10: 'x'")
    assert outcomes["crashed"].failure == Failure("crashed", "ended with exit code 3")
    assert outcomes["late"].failure == Failure("timeout", "not done after 0.5 s")
    assert {outcomes[str(number)].value for number in range(8)} == {one.pid for one in machines.processes[1:]}


def test_nothing_is_left_on_the_cluster(machines: Machines, tmp_path: Path) -> None:
    with distributed.Client(machines.address, set_as_default=False) as client:

        def left() -> tuple[int, int]:
            tasks = client.run_on_scheduler(lambda dask_scheduler: len(dask_scheduler.tasks))
            children = sum(client.run(lambda: len(__import__("multiprocessing").active_children())).values())
            return tasks, children

        with Cluster(machines.address) as cluster:
            list(cluster.run([Call(str(n), bytes, (1_000_000,), 1 << 20) for n in range(6)]))
            with pytest.MonkeyPatch.context() as patch:
                patch.setattr(cluster, "_answer", lambda *_: [Outcome("quick")])
                quick = Call("quick", abs, (-1,), 2 << 20)
                run = cluster.run(
                    [quick, *(Call(str(n), noted, (str(tmp_path), str(n), 45.0), 1 << 20) for n in range(6))]
                )
                assert next(run).key == "quick"
                run.close()  # as by Ctrl-C
        wait_until(lambda: left() == (0, 0))


def test_children_started_early_do_the_work(machines: Machines) -> None:
    with distributed.Client(machines.address, set_as_default=False) as client:

        def children() -> list[str]:
            told = client.run(lambda: [one.pid for one in __import__("multiprocessing").active_children()])
            return sorted(str(pid) for some in told.values() for pid in some)

        wait_until(lambda: not children())
        with Cluster(machines.address, preload=("wave",)) as cluster:
            cluster.start()
            wait_until(lambda: len(children()) == 2)
            early = children()
            calls = [Call(str(n), imported, ("wave", 0.2), 1 << 20) for n in range(6)]
            # The first calls may come before the module, which is imported while there are none.
            wait_until(lambda: {outcome.value for outcome in cluster.run(calls)} == {(pid, True) for pid in early})
        wait_until(lambda: not children())


def imported(module: str, seconds: float) -> tuple[str, bool]:
    """This process, and whether it has imported a module."""
    time.sleep(seconds)
    return str(os.getpid()), module in sys.modules


def test_what_is_sent_is_bounded(machines: Machines, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cluster_module, "_BYTES", 3_000_000)
    most = 0
    sent: list[int] = []
    with Cluster(machines.address) as cluster:
        submit = cluster._submit

        def counted(calls: list[Call], weight: int) -> None:
            nonlocal most
            submit(calls, weight)
            most = max(most, sum(flight.weight for flight in cluster._flying.values()))
            sent.append(weight)

        monkeypatch.setattr(cluster, "_submit", counted)
        outcomes = list(cluster.run([Call(str(n), len, (bytes(1_400_000),), 1_400_000) for n in range(9)]))
    assert {outcome.value for outcome in outcomes} == {1_400_000}
    assert (len(sent), most) == (9, 2_800_000)


def test_what_is_foreseen_is_made_ahead_and_once(machines: Machines, tmp_path: Path) -> None:
    """While one worker waits for it, the other makes it; a run that wants it has it, or waits for that one."""
    with Cluster(machines.address) as cluster:
        for name in "ab":
            foreseen = Call("then", noted_and_let_go, (str(tmp_path), name, "go" * (name == "b")), 1)
            cluster.foresee([foreseen])
            [first] = cluster.run([Call("now", wait_for, (str(tmp_path / name),), 1)])
            assert first == Outcome("now", "there")
            wanted = replace(foreseen, key="wanted")
            outcomes = {
                one.key: one.value for one in cluster.run([wanted, Call("go", noted, (str(tmp_path), "go", 0.0), 1)])
            }
            assert outcomes == {"wanted": name, "go": "go"}
            assert (tmp_path / name).read_text() == "."
        cluster.foresee([Call("never", noted, (str(tmp_path), "never", 600.0), 1)])
        list(cluster.run([Call("now", wait_for, (str(tmp_path / "never"),), 1)]))
        cluster.forget()
        assert not cluster._flying


def test_what_has_no_room_beside_what_is_foreseen_waits_for_it(
    machines: Machines, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cluster_module, "_BYTES", 1000)
    with Cluster(machines.address) as cluster:
        cluster.foresee([Call("then", noted_and_let_go, (str(tmp_path), "a", "go"), 800)])
        list(cluster.run([Call("now", wait_for, (str(tmp_path / "a"),), 1)]))
        (tmp_path / "go").touch()
        send, looks = cluster._send, iter(range(20))
        monkeypatch.setattr(cluster, "_send", lambda waiting: next(looks) < 20 and send(waiting))
        assert list(cluster.run([Call("large", abs, (-1,), 900)])) == [Outcome("large", 1)]


def test_a_cluster_that_takes_nothing_ahead_is_gone_and_no_failure_of_a_call(
    machines: Machines, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Cluster(machines.address) as cluster:
        submit = cluster._client.submit

        def refused(*arguments: Any, **options: Any) -> Any:
            monkeypatch.setattr(cluster._client, "submit", broken)
            return submit(*arguments, **options)

        def broken(*_: Any, **__: Any) -> Any:
            raise RuntimeError("no longer open")

        monkeypatch.setattr(cluster._client, "submit", refused)
        cluster.foresee([Call("then", abs, (-1,), 1)])
        with pytest.raises(SystemFailureError, match="no longer open"):
            list(cluster.run([Call("now", noted, (str(tmp_path), "now", 0.1), 1)]))


def wait_for(path: str) -> str:
    while not Path(path).exists():
        time.sleep(0.01)
    return "there"


def noted_and_let_go(folder: str, name: str, go: str) -> str:
    """Note the start, then wait until a file is there, if one is named."""
    noted(folder, name, 0.0)
    if go:
        wait_for(str(Path(folder) / go))
    return name


def test_the_cache_is_here(machines: Machines, tmp_path: Path) -> None:
    calls = [Call(str(n), noted, (str(tmp_path), str(n), 0.0), 1, cached=always) for n in range(5)]
    for _ in range(2):
        with Cache(tmp_path / "cache", 10**9) as cache, Cluster(machines.address, cache) as cluster:
            assert {outcome.value for outcome in cluster.run(calls)} == set("01234")
    assert [(tmp_path / str(n)).read_text() for n in range(5)] == ["."] * 5


def test_another_version_is_refused(machines: Machines, monkeypatch: pytest.MonkeyPatch) -> None:
    ours = cluster_module.engines().replace("brotli ", "brotli 9")
    monkeypatch.setattr(cluster_module, "engines", lambda: ours)
    with pytest.raises(InputError, match=r"brotli is \S+ there and 9\S+ here"):
        Cluster(machines.address)


def test_a_worker_of_another_version_that_joins_later_is_refused(machines: Machines) -> None:
    with Cluster(machines.address) as cluster:
        cluster._versions = cluster._versions.replace("python 3", "python 4")
        with pytest.raises(InputError, match=r"python is 3\S* there and 4"):
            list(cluster.run([Call("a", abs, (-1,), 1)]))


def test_no_scheduler_and_no_worker_are_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cluster_module, "_CONNECT", 1.0)
    with pytest.raises(SystemFailureError, match="no scheduler answers at"):
        Cluster("tcp://127.0.0.1:9")
    with pytest.raises(InputError, match="no address"):
        Cluster("nonsense://127.0.0.1")
    with machines_in(tmp_path, workers=0) as machines, pytest.raises(SystemFailureError, match="has no workers"):
        Cluster(machines.address)


def test_a_lost_worker_costs_another_try(tmp_path: Path) -> None:
    with machines_in(tmp_path) as machines, Cluster(machines.address) as cluster:
        victim = machines.processes[1]
        calls = [Call(f"c{n:02}", worker_of, (0.2,), 1 << 20) for n in range(16)]
        outcomes: list[Outcome] = []
        for outcome in cluster.run(calls):
            outcomes.append(outcome)
            if len(outcomes) == 4:
                victim.send_signal(signal.SIGKILL)
        assert sorted(outcome.key for outcome in outcomes) == [call.key for call in calls]
        assert not any(outcome.failure for outcome in outcomes)
        assert {outcome.value for outcome in outcomes[-4:]} == {machines.processes[2].pid}


@pytest.mark.parametrize("lost", ["scheduler", "workers"])
def test_a_cluster_that_goes_away_ends_the_run(lost: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("_LOOK", "_NO_WORKER"):
        monkeypatch.setattr(cluster_module, name, 1.0)
    with machines_in(tmp_path, workers=1) as machines:
        cluster = Cluster(machines.address)
        with cluster, pytest.raises(SystemFailureError, match="is gone") as gone:
            for _ in cluster.run([Call(str(n), worker_of, (0.2,), 1 << 20) for n in range(50)]):
                machines.processes[0 if lost == "scheduler" else 1].kill()
        assert "cache" in gone.value.hint


def test_the_command_on_a_cluster_makes_the_same_bytes(machines: Machines, tmp_path: Path) -> None:
    site = tmp_path / "site"
    site.mkdir()
    (site / "index.html").write_text('<!doctype html><script src="a.js"></script>' + "<p>a b c</p>" * 100)
    (site / "a.js").write_text("".join(f"function f{n} ( a ) {{ return a + {n} }}\n" for n in range(50)))
    made = []
    for name, options in (("here", ()), ("there", ("--cluster", machines.address))):
        command = [sys.executable, "-m", "v1z3r_build", "optimize", site, "-o", tmp_path / name, "--no-cache", *options]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        assert "distributed" not in done.stderr
        files = sorted((tmp_path / name).rglob("*"))
        made.append({one.relative_to(tmp_path / name): one.read_bytes() for one in files if one.is_file()})
    assert made[0] == made[1]
