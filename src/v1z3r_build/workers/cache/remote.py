"""A cache that several machines share, at any URL that fsspec knows: read through, written back.

It may be slow, gone or somebody else's at any moment: every request has a time limit, the first that fails is the last,
and what it answers is checked like any other entry.
"""

from __future__ import annotations

import posixpath
import queue
import threading
from typing import TYPE_CHECKING, Any

from v1z3r_build.diagnostics import Diagnostic, InputError, warning

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

SECONDS = 30.0  # for one request
_AT_ONCE = 64  # entries that are asked for together
_WAITING = 256  # entries that wait to be sent; a run that makes them faster waits


class Remote:
    """Entries below a URL, by the names of their keys."""

    def __init__(self, url: str, seconds: float = SECONDS) -> None:
        """url: such as `s3://bucket/prefix`. seconds: the time limit of a request.

        Raises InputError if fsspec, or what it needs for the URL's protocol, is not installed.
        """
        self.diagnostics: list[Diagnostic] = []
        self._url = url.rstrip("/")
        self._seconds = seconds
        self._system, self._root = _opened(self._url)
        self._usable = True
        self._outgoing: queue.Queue[tuple[bytes, bytes] | None] = queue.Queue(_WAITING)
        self._sender: threading.Thread | None = None
        self._failure: list[Exception] = []

    def fetch(self, keys: list[bytes]) -> Iterator[tuple[bytes, bytes]]:
        """The entries that are there, unchecked."""
        for start in range(0, len(keys), _AT_ONCE):
            places = {self._place(key): key for key in keys[start : start + _AT_ONCE]}
            for place, found in self._asked(list(places)).items():
                key = places.get(place)
                if isinstance(found, bytes) and key is not None:
                    yield key, found

    def send(self, key: bytes, entry: bytes) -> None:
        """Put an entry there, some time before `close` returns."""
        if not self._is_usable():
            return
        if self._sender is None:
            self._sender = threading.Thread(target=self._send, daemon=True)
            self._sender.start()
        try:
            self._outgoing.put((key, entry), timeout=self._seconds)
        except queue.Full:
            self._give_up(TimeoutError(f"it took nothing for {self._seconds:g} s"))

    def close(self, *, wait: bool = True) -> None:
        """Wait until all is sent, as long as it goes on being sent. wait: whether to."""
        if self._sender is None or not wait or not self._is_usable():
            return
        try:
            self._outgoing.put(None, timeout=self._seconds)
        except queue.Full:
            self._give_up(TimeoutError(f"it took nothing for {self._seconds:g} s"))
            return
        left = self._outgoing.qsize()
        while self._sender.is_alive():
            self._sender.join(self._seconds)
            if self._sender.is_alive() and self._outgoing.qsize() == left:
                self._give_up(TimeoutError(f"it took nothing for {self._seconds:g} s"))
                return
            left = self._outgoing.qsize()
        self._is_usable()

    def _asked(self, places: list[str]) -> dict[str, Any]:
        if not self._is_usable():
            return {}
        try:
            found = _within(self._seconds, lambda: self._system.cat(places, on_error="return"))
        except Exception as failure:  # noqa: BLE001  each protocol has its own
            self._give_up(failure)
            return {}
        for one in found.values():
            if isinstance(one, Exception) and not isinstance(one, FileNotFoundError):
                self._give_up(one)
                break
        return dict(found)

    def _send(self) -> None:
        more = True
        while more:
            items = [self._outgoing.get()]
            while len(items) < _AT_ONCE and not self._outgoing.empty():
                items.append(self._outgoing.get())
            more = None not in items
            entries = {self._place(item[0]): item[1] for item in items if item is not None}
            try:
                self._put(entries)
            except Exception as failure:  # noqa: BLE001  each protocol has its own
                self._failure.append(failure)
                return

    def _put(self, entries: dict[str, bytes]) -> None:
        try:
            self._system.pipe(entries)
        except FileNotFoundError:  # folders that are not there yet; object stores have none
            for folder in {posixpath.dirname(place) for place in entries}:
                self._system.makedirs(folder, exist_ok=True)
            self._system.pipe(entries)

    def _is_usable(self) -> bool:
        if self._failure and self._usable:
            self._give_up(self._failure[0])
        return self._usable

    def _give_up(self, failure: Exception) -> None:
        if not self._usable:
            return
        self._usable = False
        self.diagnostics.append(
            warning(
                "shared-cache-gone",
                "",
                f"the shared cache {self._url} failed ({type(failure).__name__}: {failure}); the run did without it",
                "Look after the URL, the network and the rights; url in [cache] names it.",
            )
        )

    def _place(self, key: bytes) -> str:
        name = key.hex()
        return f"{self._root}/v1/{name[:2]}/{name}"


def _opened(url: str) -> tuple[Any, str]:
    try:
        import fsspec
    except ImportError:
        raise InputError(
            "a shared cache needs the package fsspec, which is not installed",
            hint="Install it: pip install 'v1z3r-build[shared-cache]'",
        ) from None
    try:
        system, root = fsspec.core.url_to_fs(url)
    except (ImportError, ValueError) as failure:
        raise InputError(f"the shared cache {url} cannot be used: {failure}", hint="See url in [cache].") from failure
    return system, str(root).rstrip("/")


def _within(seconds: float, function: Callable[[], Any]) -> Any:
    """What a function returns or raises; TimeoutError if it does neither for too long, and its thread is left alone."""
    answers: queue.Queue[tuple[Any, Exception | None]] = queue.Queue()

    def run() -> None:
        try:
            answers.put((function(), None))
        except Exception as failure:  # noqa: BLE001  handed on
            answers.put((None, failure))

    threading.Thread(target=run, daemon=True).start()
    try:
        value, failure = answers.get(timeout=seconds)
    except queue.Empty:
        raise TimeoutError(f"no answer after {seconds:g} s") from None
    if failure is not None:
        raise failure
    return value
