"""The same calls on a Dask cluster: bytes there, bytes back, no disk in common.

On a worker every call is made in a guarded child, as here: what crashes or hangs costs the worker nothing, and what is
given up is given up everywhere alike. A worker that is lost costs its calls another try. A cluster that is gone ends
the run: to go on here alone, for hours perhaps, is nothing that anyone has asked for; what was done is in the cache.

A cluster runs whatever its clients send. `tls://` addresses and who may connect are a matter of Dask's own
configuration (`distributed.comm.tls`).
"""

from __future__ import annotations

import itertools
import logging
import multiprocessing
import pickle
import queue
import sys
import threading
import time
import uuid
import warnings
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Any, NamedTuple, Self

from v1z3r_build.diagnostics import InputError, SystemFailureError
from v1z3r_build.workers.cache.versions import engines
from v1z3r_build.workers.call import Call, Failure, Outcome
from v1z3r_build.workers.child import loaded
from v1z3r_build.workers.pool import EARLY, Pool

if TYPE_CHECKING:
    from collections.abc import Generator

    from v1z3r_build.workers.cache import Cache

_CONNECT = 30.0  # seconds
_NO_WORKER = 60.0  # seconds after which a cluster without workers is given up
_LOOK = 5.0  # seconds without any answer after which it is asked whether there still are workers
_BYTES = 128 << 20  # in flight; a single call may have more
_AHEAD = 2  # calls for each thread: the next one is there when one is done,
_LIGHT = 64 << 10  # unless it has more bytes: what takes long shall not wait behind what takes long
_IDLE = 600.0  # seconds after which a worker ends the children of another client


class Cluster(Pool):
    """Workers elsewhere. As a context manager it lets go of all that it has sent there."""

    _batches_each = 3  # the way there and back takes 10 ms

    def __init__(self, address: str, cache: Cache | None = None, preload: tuple[str, ...] = ()) -> None:
        """address: the scheduler's, such as `tcp://host:8786`. preload: as for a local pool.

        Raises InputError if Dask is not installed or workers have other versions than this process,
        SystemFailureError if no scheduler answers or it has no workers.
        """
        super().__init__(1, preload=preload, cache=cache)
        self._address = address
        self._versions = versions()
        self._client = _connected(address)
        self._numbers = itertools.count()
        self._prepared: list[Any] = []
        self._flying: dict[str, _Flight] = {}
        self._answered: queue.Queue[Any] = queue.Queue()
        self._name = uuid.uuid4().hex
        try:
            self.jobs = self._checked()
        except BaseException:
            self.close()
            raise

    def __enter__(self) -> Self:
        return self

    def start(self, children: int = EARLY) -> None:
        """Start a child in every thread of the workers, to be there when the first calls come."""
        arguments = (self._name, self._versions, self._preload)
        try:
            for worker, threads in self._client.nthreads().items():
                for _ in range(threads):
                    self._prepared.append(self._client.submit(prepare, *arguments, workers=[worker], pure=False))
        except Exception as failure:
            raise self._gone(failure) from failure

    def close(self) -> None:
        """End the children on the workers, and the connection."""
        with suppress(Exception):
            for future in self._prepared:
                future.release()
        with suppress(Exception):  # it may be gone; then they end by themselves
            self._client.run(dismiss, self._name, on_error="ignore")
        with suppress(Exception):
            self._client.close(timeout=5)

    def _checked(self) -> int:
        """The threads of all workers. Raises what `__init__` says."""
        try:
            self._client.wait_for_workers(1, timeout=_CONNECT)
            told = self._client.run(versions, on_error="return")
            threads = sum(self._client.nthreads().values())
        except TimeoutError:
            raise SystemFailureError(
                f"the cluster {self._address} has no workers",
                hint=f"Start some: dask worker {self._address} --nthreads 1",
            ) from None
        except Exception as failure:
            raise self._gone(failure) from failure
        for worker, answer in sorted(told.items()):
            if answer != self._versions:
                raise InputError(
                    f"the worker {worker} is not like this machine: {_difference(self._versions, answer)}",
                    hint="Results would depend on who made them. Install the same versions everywhere.",
                )
        return int(threads)

    def forget(self) -> None:
        """Let go of all that was foreseen, done or not."""
        super().forget()
        self._cancel(list(self._flying))

    def _work(self, ordered: list[Call]) -> Generator[Outcome]:
        outcomes, unmade = self._made_ahead(ordered)
        waiting = self._batches(unmade)[::-1]
        lost = 0.0
        try:
            while waiting or self._busy():
                outcomes += self._send(waiting)
                yield from outcomes
                outcomes = []
                # What waits may have no room beside what is foreseen, though no answer is wanted yet.
                if not self._busy() and not (waiting and self._flying):
                    continue
                try:
                    future = self._answered.get(timeout=_LOOK)
                except queue.Empty:
                    lost = self._without_workers(lost)
                    continue
                lost = 0.0
                if (flight := self._flying.pop(future.key, None)) is None:  # cancelled
                    continue
                outcomes = list(self._wanted(flight.foreseen, self._answer(future, flight, waiting)))
                future.release()
            yield from outcomes
        finally:
            self._cancel([key for key, flight in self._flying.items() if flight.foreseen is None])

    def _is_under_way(self, call: Call) -> bool:
        for key, flight in self._flying.items():
            if flight.foreseen is not None and flight.foreseen.is_like(call):
                self._flying[key] = flight._replace(calls=[call], foreseen=None)
                return True
        return False

    def _busy(self) -> int:
        return sum(flight.foreseen is None for flight in self._flying.values())

    def _cancel(self, keys: list[str]) -> None:
        for key in keys:
            flight = self._flying.pop(key)
            with suppress(Exception):  # it may be gone
                flight.future.cancel(force=True)
                flight.future.release()

    def _send(self, waiting: list[list[Call]]) -> list[Outcome]:
        """Send calls as long as there is room; outcomes of those whose files cannot be read."""
        failed: list[Outcome] = []
        while waiting and len(self._flying) < _AHEAD * self.jobs:
            weight = sum(call.weight for call in waiting[-1])
            if self._flying and weight + sum(flight.weight for flight in self._flying.values()) > _BYTES:
                return failed
            # Behind what nobody waits for yet, a call could wait for seconds.
            if len(self._flying) >= self.jobs and (weight > _LIGHT or self._busy() < len(self._flying)):
                return failed
            calls: list[Call] = []
            for call in waiting.pop():
                try:
                    calls.append(_with_bytes(call))
                except Exception as failure:  # noqa: BLE001  as a child would tell it
                    failed.append(Outcome(call.key, failure=_raised(failure)))
            if calls:
                self._submit(calls, weight)
        while not waiting and len(self._flying) < self.jobs:
            foreseen = self._foreseen(len(self._flying) - self._busy())
            if foreseen is None:
                break
            try:
                call = _with_bytes(foreseen)
            except Exception as failure:  # noqa: BLE001  as above
                self._foresight.keep(foreseen, Outcome(foreseen.key, failure=_raised(failure)))
            else:
                self._submit([call], call.weight, foreseen)
        return failed

    def _submit(self, calls: list[Call], weight: int, foreseen: Call | None = None) -> None:
        key = f"v1z3r-build-{self._name}-{next(self._numbers)}"
        payload = pickle.dumps(calls, 5)
        try:
            with warnings.catch_warnings():
                # That the scheduler passes a large argument on: it keeps it until the call is done, for another try.
                warnings.simplefilter("ignore", UserWarning)
                future = self._client.submit(perform, self._name, self._versions, payload, key=key, pure=False)
        except Exception as failure:
            raise self._gone(failure) from failure
        self._flying[key] = _Flight(future, calls, weight, foreseen)
        future.add_done_callback(self._answered.put)

    def _answer(self, future: Any, flight: _Flight, waiting: list[list[Call]]) -> list[Outcome]:
        from distributed import KilledWorker

        if future.status == "cancelled":  # which the client does when it has lost the scheduler
            raise self._gone(ConnectionError("the scheduler was lost"))
        try:
            outcomes: list[Outcome] = pickle.loads(future.result(timeout=_NO_WORKER))
        except VersionsDifferError as differ:
            raise InputError(
                f"a worker that has joined is not like this machine: {differ}",
                hint="Results would depend on who made them. Install the same versions everywhere.",
            ) from None
        except KilledWorker:
            # As many workers in a row have died of something else than the call, which has a child of its own.
            if len(flight.calls) == 1:
                return [Outcome(flight.calls[0].key, failure=Failure("crashed", "all workers that tried were lost"))]
            waiting += ([call] for call in reversed(flight.calls))
            return []
        except Exception as failure:
            raise self._gone(failure) from failure
        return [outcomes[0]._replace(key=flight.calls[0].key)] if len(flight.calls) == 1 else outcomes

    def _without_workers(self, since: float) -> float:
        """Since when there are no workers, 0 for that there are. Raises SystemFailureError if it is too long."""
        try:
            workers = self._client.nthreads()
        except Exception as failure:
            raise self._gone(failure) from failure
        now = time.monotonic()
        if workers:
            return 0.0
        if since and now - since > _NO_WORKER:
            raise self._gone(TimeoutError(f"it had no workers for {_NO_WORKER:g} s"))
        return since or now

    def _gone(self, failure: Exception) -> SystemFailureError:
        why = f"{type(failure).__name__}: {failure}".removesuffix(": ")
        return SystemFailureError(
            f"the cluster {self._address} is gone ({why}); the site is as it was",
            hint="Run it again when the cluster is back, or without --cluster: what was done is in the cache.",
        )


class _Flight(NamedTuple):
    """Calls that a worker has, and their bytes. foreseen: the only one of them, if no run wants it yet."""

    future: Any
    calls: list[Call]
    weight: int
    foreseen: Call | None


def _with_bytes(call: Call) -> Call:
    """The call as it is sent."""
    return replace(call, arguments=tuple(map(loaded, call.given())), cached=None)


def _raised(failure: Exception) -> Failure:
    return Failure("raised", f"{type(failure).__name__}: {failure}")


# On the workers.


class VersionsDifferError(Exception):
    """A worker has other versions than the process that sends it work."""


class DismissedError(Exception):
    """The client has taken leave, and nobody waits for an answer."""


def versions() -> str:
    """What the work of this process depends on, one a line."""
    return f"python {sys.version_info.major}.{sys.version_info.minor}\n{engines()}"


def perform(client: str, expected: str, payload: bytes) -> bytes:
    """Make calls of a client in a guarded child of this thread; their outcomes, pickled."""
    if versions() != expected:
        raise VersionsDifferError(_difference(expected, versions()))
    children = _children(client)
    outcomes = list(children.pool.run(pickle.loads(payload)))
    children.used = time.monotonic()
    return pickle.dumps(outcomes, 5)


def prepare(client: str, expected: str, preload: tuple[str, ...]) -> None:
    """Start a guarded child of this thread before a client has calls for it. What is in the way, `perform` tells."""
    if versions() == expected:
        _children(client, preload).pool.start(1)


def dismiss(client: str) -> None:
    """End the children that work for a client; what of its calls comes after is not begun."""
    with _guard:
        _dismissed.add(client)
        for key in [key for key in _made if key[0] == client]:
            _made.pop(key).pool.close()


class _Guarded(Pool):
    """A child for one client, which begins nothing once the client has taken leave."""

    def __init__(self, client: str, preload: tuple[str, ...]) -> None:
        super().__init__(1, preload=preload)
        self._client = client

    def start(self, children: int = EARLY) -> None:
        super().start(children)
        self._check()

    def _feed(self, waiting: list[list[Call]]) -> None:
        super()._feed(waiting)
        self._check()

    def _check(self) -> None:
        # One that was just being started when its client took leave was not there to be ended.
        if self._client in _dismissed:
            self.close()
            raise DismissedError


class _Children:
    """What works for one client in one thread of this worker."""

    def __init__(self, client: str, preload: tuple[str, ...]) -> None:
        self.pool = _Guarded(client, preload)
        self.used = time.monotonic()


_made: dict[tuple[str, int], _Children] = {}
_dismissed: set[str] = set()
_guard = threading.Lock()


def _children(client: str, preload: tuple[str, ...] = ()) -> _Children:
    # Dask's workers are daemons, which `multiprocessing` lets have no children lest they be left behind: ours end with
    # their parent, in whatever way it ends.
    multiprocessing.current_process()._config["daemon"] = False  # type: ignore[attr-defined]
    now, here = time.monotonic(), threading.get_ident()
    with _guard:
        if client in _dismissed:  # a call that was on its way here when its client took leave
            raise DismissedError
        # Of a client that was killed nobody hears again.
        for key in [key for key, one in _made.items() if key[1] == here and now - one.used > _IDLE]:
            _made.pop(key).pool.close()
        if (client, here) not in _made:
            _made[client, here] = _Children(client, preload)
        return _made[client, here]


def _difference(ours: str, theirs: object) -> str:
    if not isinstance(theirs, str):
        return f"it cannot run v1z3r-build ({type(theirs).__name__}: {theirs})"
    here, there = (dict(line.split(" ", 1) for line in text.splitlines()) for text in (ours, theirs))
    names = [name for name in sorted(here.keys() | there.keys()) if here.get(name) != there.get(name)]
    return ", ".join(
        f"{name} is {there.get(name, 'missing')} there and {here.get(name, 'missing')} here" for name in names
    )


def _connected(address: str) -> Any:
    try:
        from distributed import Client
    except ImportError:
        raise InputError(
            "--cluster needs Dask, which is not installed", hint="Install it: pip install 'v1z3r-build[dask]'"
        ) from None
    # It would tell of lost workers in its own words, one a task.
    logging.getLogger("distributed").setLevel(logging.CRITICAL)
    try:
        return Client(  # type: ignore[no-untyped-call]
            address, timeout=_CONNECT, set_as_default=False, name="v1z3r-build"
        )
    except (OSError, TimeoutError) as failure:
        raise SystemFailureError(
            f"no scheduler answers at {address} ({failure})", hint="Start one: dask scheduler --host HOST --port 8786"
        ) from failure
    except ValueError as failure:
        raise InputError(f"{address} is no address of a cluster: {failure}", hint="Such as tcp://host:8786.") from None
