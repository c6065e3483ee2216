"""Heavy and dangerous work in guarded processes: native parsers and codecs may crash, hang or eat all memory.

Children are spawned, never forked: esbuild-py (a Go runtime) hangs in a fork of a process that has used it.
"""

from __future__ import annotations

import math
import multiprocessing
import os
import pickle
import signal
import sys
import tempfile
import threading
import time
from contextlib import closing, contextmanager, suppress
from itertools import pairwise
from multiprocessing.connection import wait
from operator import attrgetter
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Self

from v1z3r_build.diagnostics import SystemFailureError
from v1z3r_build.workers.call import Call, Failure, Outcome, always
from v1z3r_build.workers.child import OUT_OF_MEMORY, serve
from v1z3r_build.workers.foresight import Foresight
from v1z3r_build.workers.recall import Recall

if TYPE_CHECKING:
    from collections.abc import Generator, Iterable, Iterator

    from v1z3r_build.workers.cache import Cache

__all__ = ("MEMORY", "Call", "Failure", "Outcome", "Pool", "always")

# The same on every machine, for what is given up must not depend on the machine. A syntax tree takes 60 bytes a
# byte of script: this is enough for a script of 50 MB.
MEMORY = 4 << 30

# Light calls share the way to a child and back, which costs 0.2 ms. Heavier batches would leave the other children
# without work at the end: brotli 11 takes 0.1 s for this many bytes.
_BATCH, _BATCH_CALLS = 64 << 10, 64

EARLY = 4  # a child takes 0.2 s of CPU to start, which a small site does not give back

# Windows waits for 63 things at once.
_MOST = 60 if sys.platform == "win32" else 1024

_SPAWN = multiprocessing.get_context("spawn")
_MAIN = threading.Lock()  # one thread at a time hides the main program: a worker of a cluster may have several


class Pool:
    """Spawned child processes, started when needed, replaced when they die, kept for the next run.

    As a context manager it ends them all. They also end when this process ends, in whatever way.
    """

    _batches_each = 8  # for each child at least, so that none is left without work long before the others

    def __init__(
        self, jobs: int = 0, memory: int = MEMORY, preload: tuple[str, ...] = (), cache: Cache | None = None
    ) -> None:
        """jobs: how many processes at most, 0 for one a core. memory: bytes for each, 0 for no limit.

        preload: modules that calls will need, for the children to import while this process does other things.
        cache: values of calls of earlier runs.
        """
        self.jobs = min(jobs or _cores(), _MOST)
        self.cache = cache
        self._memory = memory
        self._preload = preload
        self._children: list[_Child] = []
        self._foresight = Foresight(cache)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def start(self, children: int = EARLY) -> None:
        """Start children before there are calls: as many as there will surely be work for. Others when needed."""
        while len(self._children) < min(self.jobs, children):
            self._children.append(_Child(self._memory, self._preload))

    def foresee(self, calls: Iterable[Call]) -> None:
        """Have calls made ahead, by children for which a run has no work left: those that a later run will want.

        They take the place of those that were foreseen before and are not begun. Of a run that wants such a call, the
        outcome is there, or the child that makes it is waited for. Calls for the largest files should come first.
        """
        self._foresight.expect(calls)

    def forget(self) -> None:
        """Let go of all that was foreseen, done or not."""
        self._foresight = Foresight(self.cache)
        for child in [child for child in self._children if child.calls]:
            self._end(child)

    def close(self) -> None:
        """End all children at once, whatever they do."""
        while self._children:
            self._end(self._children[-1])

    def run(self, calls: Iterable[Call]) -> Generator[Outcome]:
        """Make the calls, and yield exactly one outcome for each, in the order in which they are done.

        All calls are collected first, so that the heaviest can start first; arguments that are large should be
        a `Path`, or made when they are sent. Nothing is sent before a child is free for it, and an answer is taken up
        when the outcomes before it have been. When the run is given up (an exception, Ctrl-C, the iterator closed),
        children at work are ended at once. One run at a time.

        What the cache holds comes first, and is no work for a child. Raises ValueError if two calls share a key,
        SystemFailureError if no child can be started.
        """
        ordered = sorted(calls, key=attrgetter("key"))
        if any(one.key == after.key for one, after in pairwise(ordered)):
            raise ValueError("the keys of calls in one run must differ")
        ordered.sort(key=attrgetter("weight"), reverse=True)  # of equal weight, they stay in the order of their keys
        if self.cache is None:
            return (yield from self._work(ordered))
        recall = Recall(self.cache)
        yield from recall.known(ordered)
        with closing(self._work(recall.unknown)) as outcomes:
            for outcome in outcomes:
                recall.learn(outcome)
                yield outcome

    def _work(self, ordered: list[Call]) -> Generator[Outcome]:
        """Make the calls, in this order."""
        outcomes, unmade = self._made_ahead(ordered)
        waiting = self._batches(unmade)[::-1]
        try:
            while waiting or self._busy():
                self._feed(waiting)
                yield from outcomes  # while the children are at work again
                outcomes = list(self._outcomes(waiting))
            yield from outcomes
        finally:
            for child in [child for child in self._children if child.is_wanted]:
                self._end(child)

    def _made_ahead(self, calls: list[Call]) -> tuple[list[Outcome], list[Call]]:
        """What was foreseen of these calls and is done, and those that nobody has begun; the others are wanted now."""
        outcomes: list[Outcome] = []
        unmade: list[Call] = []
        for call in calls:
            if (outcome := self._foresight.outcome(call)) is not None:
                outcomes.append(outcome)
            elif self._is_under_way(call):
                self._foresight.hand_over(call)
            else:
                unmade.append(call)
        return outcomes, unmade

    def _is_under_way(self, call: Call) -> bool:
        """Whether a child makes it as one that was foreseen; it is wanted from now on."""
        for child in self._children:
            if child.foreseen is not None and child.foreseen.is_like(call):
                child.calls, child.foreseen = [call], None
                return True
        return False

    def _batches(self, calls: list[Call]) -> list[list[Call]]:
        """The calls, light ones together, as long as there is enough for all children to the end."""
        most = min(_BATCH_CALLS, len(calls) // (self._batches_each * self.jobs))
        batches: list[list[Call]] = []
        weight = 0
        for call in calls:
            weight += call.weight
            # Equal limits alone: a batch is given the time that each of its calls may take.
            alike = batches and batches[-1][0].seconds == call.seconds
            if alike and len(batches[-1]) < most and weight <= _BATCH:
                batches[-1].append(call)
            else:
                batches.append([call])
                weight = call.weight
        return batches

    def _busy(self) -> int:
        """How many children do what the run wants."""
        return sum(child.is_wanted for child in self._children)

    def _feed(self, waiting: list[list[Call]]) -> None:
        """Give the last of what waits to children that are free, and start children for the rest."""
        ahead = sum(bool(child.calls) for child in self._children) - self._busy()
        while len(self._children) < min(self.jobs, ahead + self._busy() + len(waiting)):
            self._children.append(_Child(self._memory, self._preload))
        for child in self._children:
            if not child.ready or child.calls:
                continue
            if waiting:
                child.begin(waiting.pop())
            elif (call := self._foreseen(ahead)) is not None:
                child.begin([call], foreseen=call)
                ahead += 1

    def _foreseen(self, ahead: int) -> Call | None:
        """What to make ahead while the run's last calls are made: half of the children are left for the next run.

        ahead: how many children do so already.
        """
        return self._foresight.begin() if self._busy() and ahead < self.jobs // 2 else None

    def _outcomes(self, waiting: list[list[Call]]) -> Iterator[Outcome]:
        """Wait until a child is ready, done, dead or late; the outcomes that come of it."""
        deadline = min((child.deadline for child in self._children), default=math.inf)
        timeout = None if deadline == math.inf else max(0.0, deadline - time.monotonic())
        pending = {child.connection: child for child in self._children if not child.ready or child.calls}
        signalled = wait(list(pending), timeout)
        now = time.monotonic()
        for connection, child in pending.items():
            foreseen = child.foreseen
            if connection in signalled:
                outcomes = self._received(child, waiting)
            elif child.deadline <= now:
                outcomes = self._late(child, waiting)
            else:
                continue
            yield from self._wanted(foreseen, outcomes)

    def _wanted(self, foreseen: Call | None, outcomes: Iterable[Outcome]) -> Iterator[Outcome]:
        """The outcomes if a run wants them; that of a call which was foreseen is kept until then."""
        if foreseen is None:
            yield from outcomes
        else:
            for outcome in outcomes:
                self._foresight.keep(foreseen, outcome)

    def _received(self, child: _Child, waiting: list[list[Call]]) -> Iterator[Outcome]:
        try:
            messages = [child.connection.recv_bytes() for _ in child.calls or ("ready",)]
        except (EOFError, OSError):
            self._end(child)
            failure = child.last_words()
            if not child.ready:
                raise _not_started(failure.message) from None
            yield from _failed(child.calls, failure, waiting)
            return
        if child.ready:
            calls, child.calls, child.foreseen, child.deadline = child.calls, [], None, math.inf
            for call, message in zip(calls, messages, strict=True):
                reason, value = pickle.loads(message)
                yield Outcome(call.key, failure=Failure(reason, value)) if reason else Outcome(call.key, value)
        child.ready = True

    def _late(self, child: _Child, waiting: list[list[Call]]) -> Iterator[Outcome]:
        self._end(child)
        failure = Failure("timeout", f"not done after {child.calls[0].seconds:g} s")
        yield from _failed(child.calls, failure, waiting)

    def _end(self, child: _Child) -> None:
        self._children.remove(child)
        child.end()


class _Child:
    """One process, what it works on, and until when it may. foreseen: its call, if no run wants it yet."""

    def __init__(self, memory: int, preload: tuple[str, ...]) -> None:
        self.ready = False
        self.calls: list[Call] = []
        self.foreseen: Call | None = None
        self.deadline = math.inf
        self.printed = ""
        try:
            descriptor, self._path = tempfile.mkstemp(prefix="v1z3r-build-", suffix=".log")
            self._console = os.fdopen(descriptor, encoding="utf-8", errors="replace")
            self.connection, far = _SPAWN.Pipe()
            self._process = _SPAWN.Process(target=serve, args=(far, memory, self._path, preload), daemon=True)
        except OSError as failure:
            raise _not_started(str(failure)) from failure
        try:
            with _main_hidden(), _signals_held():
                self._process.start()
        except BaseException as failure:  # also Ctrl-C, which was held until the process had started
            self.end()
            if isinstance(failure, OSError):
                raise _not_started(str(failure)) from failure
            raise
        far.close()

    @property
    def is_wanted(self) -> bool:
        """Whether a run waits for what it does."""
        return bool(self.calls) and self.foreseen is None

    def begin(self, calls: list[Call], foreseen: Call | None = None) -> None:
        self.calls, self.foreseen = calls, foreseen
        self.deadline = time.monotonic() + calls[0].seconds if calls[0].seconds else math.inf
        # A child that has died answers with the end of its connection: that is dealt with where answers are read.
        with suppress(BrokenPipeError, ConnectionResetError):
            self.connection.send(len(calls))
            for call in calls:
                self.connection.send((call.function, call.given()))

    def end(self) -> None:
        """End it and what it has started. Its group first: its process id may be given to another once it is reaped."""
        if self._process.pid is not None:
            if sys.platform != "win32":
                # No such group: it had not come so far. Not permitted: on macOS, all in it have ended already.
                with suppress(ProcessLookupError, PermissionError):
                    os.killpg(self._process.pid, signal.SIGKILL)
            self._process.kill()
            self._process.join()
        self.connection.close()
        with self._console as console:
            self.printed = next((line.strip() for line in console if not line.isspace()), "")[:200]
        Path(self._path).unlink(missing_ok=True)

    def last_words(self) -> Failure:
        """Why it died by itself, once it has ended."""
        code = self._process.exitcode or 0
        if code == OUT_OF_MEMORY:
            return Failure("memory", "")
        names = {-number: number.name for number in signal.Signals}
        words = f"ended by {names[code]}" if code in names else f"ended with exit code {code}"
        return Failure("crashed", f"{words}: {self.printed}" if self.printed else words)


def _failed(calls: list[Call], failure: Failure, waiting: list[list[Call]]) -> Iterator[Outcome]:
    """The outcome of a call whose process has ended. Of several, each is made again, alone: one of them is to blame."""
    if len(calls) == 1:
        yield Outcome(calls[0].key, failure=failure)
    else:
        waiting += ([call] for call in reversed(calls))


def _not_started(why: str) -> SystemFailureError:
    return SystemFailureError(
        f"a worker process could not be started: {why}",
        hint="look for a full temporary folder, or tight limits on memory and processes; --jobs 1 needs the least",
    )


def _cores() -> int:
    """The cores that this process may use."""
    if sys.platform == "linux":
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


@contextmanager
def _main_hidden() -> Iterator[None]:
    """Start a child that does not import the main program again.

    `multiprocessing` does so to find functions defined there, of which we have none. It would run a script without
    `if __name__ == "__main__"` once in every child.
    """
    with _MAIN:
        main = sys.modules["__main__"]
        sys.modules["__main__"] = ModuleType("__main__")
        try:
            yield
        finally:
            sys.modules["__main__"] = main


@contextmanager
def _signals_held() -> Iterator[None]:
    """Start a child that no signal ends half-way: neither this process, which has words to send it, nor the child.

    The signal mask is inherited; the child lifts it when it has learned to ignore Ctrl-C.
    """
    if sys.platform == "win32":
        yield
        return
    from multiprocessing import resource_tracker

    # Its own start would lift the mask for SIGINT and SIGTERM (CPython, multiprocessing/resource_tracker.py).
    resource_tracker.ensure_running()
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT, signal.SIGTERM, signal.SIGHUP})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
