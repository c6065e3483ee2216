"""What calls returned in earlier runs, by what they were given: never in the output, only in the time it takes."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from v1z3r_build.diagnostics import Diagnostic, info, warning
from v1z3r_build.workers.cache import entries, versions
from v1z3r_build.workers.cache.keys import Keys
from v1z3r_build.workers.cache.shelf import Shelf

if TYPE_CHECKING:
    from collections.abc import Callable

    from v1z3r_build.settings import CacheSettings
    from v1z3r_build.workers.cache.remote import Remote
    from v1z3r_build.workers.call import Call

SECRET = "V1Z3R_BUILD_CACHE_SECRET"  # the environment variable whose value signs entries


class Found(NamedTuple):
    """A value that an earlier run has made."""

    value: Any


def opened(settings: CacheSettings) -> Cache:
    """The cache that the settings name. Raises InputError if its URL cannot be used here."""
    from platformdirs import user_cache_path

    folder = Path(settings.dir) if settings.dir else user_cache_path("v1z3r-build", appauthor=False)
    remote = None
    if settings.url:
        from v1z3r_build.workers.cache.remote import Remote

        remote = Remote(settings.url)
    return Cache(folder, settings.size * 1_000_000, remote, os.environ.get(SECRET, "").encode())


class Cache:
    """Values of calls by their keys: in a folder, and where others share theirs.

    Nothing that goes wrong here ends a run or changes its output: it is said once, in `diagnostics`, and the work is
    done as if there were no cache. A context manager, which waits for what is still to be sent.
    """

    def __init__(self, folder: Path, size: int, remote: Remote | None = None, secret: bytes = b"") -> None:
        """folder: where entries lie. size: the bytes that they may take there. secret: signs entries."""
        self.folder = folder
        self.diagnostics: list[Diagnostic] = []
        self.found = 0
        self.asked = 0
        self.engines = versions.engines()
        self.keys = Keys(self.engines)
        self._shelf = Shelf(folder, size)
        self._remote = remote
        self._secret = secret
        self._writable = True
        self._damaged = 0

    def __enter__(self) -> Cache:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        self.close(wait=kind is None)

    def key(self, function: Callable[..., Any], arguments: tuple[Any, ...]) -> bytes | None:
        """The key of a call, None where a file cannot be read: the call itself tells why."""
        try:
            return self.keys.key(function, arguments)
        except OSError:
            return None

    @property
    def is_shared(self) -> bool:
        """Whether others put in what this machine can find."""
        return self._remote is not None

    def lacks(self, call: Call) -> bool:
        """Whether there is no entry for a call, not even a damaged one. False where a file cannot be read."""
        key = self.key(call.function, call.given())
        return key is not None and self._shelf.find(key) is None

    def fetch(self, keys: list[bytes]) -> None:
        """Bring what others may have made into the folder, before it is asked for one by one."""
        if self._remote is None:
            return
        missing = [key for key in keys if self._shelf.find(key) is None]
        for key, entry in self._remote.fetch(missing):
            try:
                entries.check(key, entry, self._secret)
            except entries.DamagedError:
                self._damaged += 1
            else:
                self._put(key, entry)

    def find(self, key: bytes) -> Found | None:
        """The value that was remembered under a key. A damaged entry is thrown away."""
        self.asked += 1
        found = self.noted(key)
        self.found += found is not None
        return found

    def noted(self, key: bytes) -> Found | None:
        """What was noted under a key, which is no call's."""
        entry = self._shelf.find(key)
        if entry is None:
            return None
        try:
            return Found(entries.decode(key, entry, self._secret))
        except entries.DamagedError:
            self._damaged += 1
            self._drop(key)
            return None

    def remember(self, key: bytes, value: Any) -> None:
        """Put a value in, for later runs."""
        if not self._writable and self._remote is None:
            return
        entry = entries.encode(key, value, self._secret)
        self._put(key, entry)
        if self._remote is not None:
            self._remote.send(key, entry)

    def note(self, key: bytes, value: Any) -> None:
        """Put in what tells of this machine alone."""
        self._put(key, entries.encode(key, value, self._secret))

    def close(self, *, wait: bool = True) -> None:
        """Make room, and send what is still to be sent. wait: whether that is worth waiting for."""
        if self._remote is not None:
            self._remote.close(wait=wait)
            self.diagnostics += self._remote.diagnostics
        if self._writable:
            try:
                self._shelf.make_room()
            except OSError as failure:
                self._give_up(failure)
        if self._damaged:
            what = "entry" if self._damaged == 1 else "entries"
            message = f"{self._damaged} damaged {what} in the cache: made anew, and never used"
            self.diagnostics.append(
                info("cache-damaged", "", message, f"Look after the disk of {self.folder}, or delete the folder.")
            )
            self._damaged = 0

    def _put(self, key: bytes, entry: bytes) -> None:
        if self._writable:
            try:
                self._shelf.put(key, entry)
            except OSError as failure:
                self._give_up(failure)

    def _drop(self, key: bytes) -> None:
        try:
            self._shelf.drop(key)
        except OSError as failure:
            self._give_up(failure)

    def _give_up(self, failure: OSError) -> None:
        """Write nothing more: a full disk would fail 10,000 times."""
        self._writable = False
        why = failure.strerror or failure
        self.diagnostics.append(
            warning(
                "cache-not-written",
                "",
                f"the cache in {self.folder} cannot be written ({why}); the next run takes longer",
                "Name another folder with --cache-dir or dir in [cache], make room there, or run with --no-cache.",
            )
        )
