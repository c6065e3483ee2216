"""One command, measured: seconds by the clock, and the memory of it and all that it starts."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Sequence

CORES = len(os.sched_getaffinity(0)) if sys.platform == "linux" else os.cpu_count() or 1
_LOOK = 0.05  # seconds between two looks at the memory
_PAGE = 4096


class Measured(NamedTuple):
    """What it took.

    seconds: by the clock. cpu: seconds of all cores. memory: the most bytes that all its processes had at once, 0 where
    it is not known.
    """

    seconds: float
    cpu: float
    memory: int


def measured(command: Sequence[str | Path]) -> Measured:
    """Run a command that must succeed. Its processes are known by their session."""
    with tempfile.TemporaryFile() as said:  # shown if it fails
        start, before = time.perf_counter(), _children_cpu()
        process = subprocess.Popen(command, stdout=said, stderr=said, start_new_session=True)
        memory = _Memory(process.pid)
        memory.start()
        code = process.wait()
        seconds = time.perf_counter() - start
        memory.done.set()
        if code:
            said.seek(0)
            sys.stderr.write(said.read().decode(errors="replace"))
            raise subprocess.CalledProcessError(code, [str(word) for word in command])
    return Measured(seconds, _children_cpu() - before, memory.most)


def _children_cpu() -> float:
    """Seconds of CPU of all children that have ended, and of theirs."""
    times = os.times()
    return times.children_user + times.children_system


class _Memory(threading.Thread):
    """Looks at the memory of a session's processes until it is done."""

    def __init__(self, session: int) -> None:
        super().__init__(daemon=True)
        self.done = threading.Event()
        self.most = 0
        self._session = session

    def run(self) -> None:
        while sys.platform == "linux" and not self.done.wait(_LOOK):
            self.most = max(self.most, _memory(self._session))


def _memory(session: int) -> int:
    """The resident bytes of all processes of a session, what they share counted for each."""
    total = 0
    for place in Path("/proc").glob("[0-9]*"):
        try:
            words = (place / "stat").read_text().rpartition(")")[2].split()
            if int(words[3]) == session:
                total += int(words[21]) * _PAGE
        except (OSError, IndexError):  # it has ended
            continue
    return total
