"""What runs in a worker process: one call after another, until the parent has no more or is gone.

It imports nothing that its calls don't need, for every child pays for that anew.
"""

from __future__ import annotations

import gc
import hashlib
import importlib
import multiprocessing
import os
import pickle
import signal
import sys
import threading
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from multiprocessing.connection import Connection

# So many new objects may be garbage that a call has left. While it runs they are its trees and tables, and to look
# through them again and again takes a third of the time of the calls that analyse scripts, and frees nothing.
_GARBAGE = 10_000
# There is a child for every core: libraries that would start a thread for each only take memory and time from others.
_ONE_THREAD = ("OPENBLAS_NUM_THREADS", "RAYON_NUM_THREADS")
OUT_OF_MEMORY = 77  # the exit code of a child that could not even take in its call


class Expected(NamedTuple):
    """A file as an argument, and what its bytes are: what is made of others must not be remembered as made of them."""

    path: Path
    sha256: bytes


class ChangedError(Exception):
    """A file does not hold what it held when the run began."""


def serve(connection: Connection, memory: int, console: str, preload: tuple[str, ...]) -> None:
    """Answer the calls that come through the connection; the first message, an empty one, says that it is ready.

    Calls come as their number and as many pickled `(function, arguments)`; when all are done, as many pickled
    `(reason or '', value or message)` go back.
    memory: bytes that the process may allocate, where the system can see to that; 0 for no limit.
    console: the file that takes what native code prints, often pages of stack traces.
    preload: modules to import while there is no call.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # on Ctrl-C it is the parent that ends its children
    if sys.platform != "win32":
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT, signal.SIGTERM, signal.SIGHUP})  # held at the start
        os.setpgrp()  # a group of its own, so that programs which the call has started can be ended with it
    os.environ |= dict.fromkeys(_ONE_THREAD, "1")  # read when numpy and oxipng are loaded
    _redirect(console)
    _limit(memory)
    threading.Thread(target=_end_with_parent, args=(console,), daemon=True).start()
    connection.send_bytes(b"")
    gc.disable()
    ahead = iter(preload)
    while True:
        try:
            _import_until_asked(ahead, connection)
            requests = [connection.recv_bytes() for _ in range(connection.recv())]
        except (EOFError, BrokenPipeError):  # the latter of `poll` on Windows
            return
        except MemoryError:  # half a message is left in the pipe
            os._exit(OUT_OF_MEMORY)
        answers = []
        while requests:
            answers.append(_answer(requests.pop(0)))
            if gc.get_count()[0] > _GARBAGE:
                gc.collect()
                gc.freeze()  # what is left are modules and their tables, which no call makes garbage of
                _trim()
        while answers:
            connection.send_bytes(answers.pop(0))


def _import_until_asked(modules: Iterator[str], connection: Connection) -> None:
    """Import modules while there is no call: one that waits takes no more than it needs itself."""
    while not connection.poll() and (module := next(modules, "")):
        with suppress(ImportError):  # the call that needs it says so
            importlib.import_module(module)


def _answer(request: bytes) -> bytes:
    try:
        function, arguments = pickle.loads(request)
        return pickle.dumps(("", _called(function, arguments)), pickle.HIGHEST_PROTOCOL)
    except MemoryError as failure:
        answer = ("memory", str(failure))
    except BaseException as failure:  # noqa: BLE001  panics of Rust extensions are no `Exception`
        answer = ("raised", f"{type(failure).__name__}: {failure}")
    return pickle.dumps(answer)


def _called(function: Callable[..., Any], arguments: tuple[Any, ...]) -> Any:
    return function(*map(loaded, arguments))


def loaded(argument: Any) -> Any:
    if isinstance(argument, Path):
        return argument.read_bytes()
    if not isinstance(argument, Expected):
        return argument
    data = argument.path.read_bytes()
    if hashlib.sha256(data).digest() != argument.sha256:
        raise ChangedError(f"{argument.path} was changed while it was worked on")
    return data


def _trim() -> None:
    """Give free memory back, where that must be asked for.

    glibc keeps what lies below anything in use: of the trees that parsers make, half, and the next one goes on top.
    """
    import ctypes  # few children need it

    if sys.platform == "linux" and (trim := getattr(ctypes.CDLL(None), "malloc_trim", None)) is not None:
        trim(0)


def _redirect(console: str) -> None:
    descriptor = os.open(console, os.O_WRONLY | os.O_TRUNC | os.O_APPEND)
    for stream in (1, 2):
        os.dup2(descriptor, stream)
    os.close(descriptor)
    if sys.platform != "win32":
        Path(console).unlink()  # the parent has it open; a name would be left behind when both are killed


def _limit(memory: int) -> None:
    if sys.platform == "win32":
        import msvcrt

        # A crash must end the process, not open a dialog that waits for a click.
        msvcrt.SetErrorMode(msvcrt.SEM_FAILCRITICALERRORS | msvcrt.SEM_NOGPFAULTERRORBOX)
        return
    import resource

    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))  # no core file in the user's folder
    if memory and sys.platform == "linux":
        # Not RLIMIT_AS: the runtimes of Go and V8 reserve address space by the gigabyte and use little of it.
        hard = resource.getrlimit(resource.RLIMIT_DATA)[1]
        soft = memory if hard == resource.RLIM_INFINITY else min(memory, hard)
        resource.setrlimit(resource.RLIMIT_DATA, (soft, hard))


def _end_with_parent(console: str) -> None:
    """Wait for the parent's end, and end at once: the call may take minutes more and its answer reaches nobody."""
    parent = multiprocessing.parent_process()
    assert parent is not None
    parent.join()
    Path(console).unlink(missing_ok=True)
    if sys.platform != "win32":
        os.killpg(0, signal.SIGKILL)
    os._exit(1)
