"""One call of a pass, in the child process that makes it: with other words of vendors, timed, its memory seen."""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from v1z3r_build.bundlers import vocabulary

if TYPE_CHECKING:
    from collections.abc import Callable


class Measured(NamedTuple):
    """What a call returned, its seconds of CPU, and the bytes that its process has ever held at once."""

    value: Any
    seconds: float
    memory: int


def measured(words: str, table: str, function: Callable[..., Any], *arguments: Any) -> Measured:
    """Make a call. words, table: the files that the vendors are known by."""
    start = time.process_time()
    # A child of a benchmark's pool makes no other calls, and has not loaded them before the first.
    vocabulary.WORDS, vocabulary.TABLE = Path(words), Path(table)
    value = function(*arguments)
    return Measured(value, time.process_time() - start, _memory())


def _memory() -> int:
    if sys.platform == "linux":
        # Not ru_maxrss, which a process inherits from the one that started it.
        status = Path("/proc/self/status").read_text(encoding="ascii")
        return 1024 * int(status.partition("VmHWM:")[2].split()[0])
    if sys.platform == "win32":
        return 0
    import resource

    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
