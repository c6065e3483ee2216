"""The cache's folder: entries by key, bounded in size, shared by any number of runs without a lock.

    v1/3f/9a…64 digits      an entry; its time of change is when it was used last
    v1/3f/….partial         one that is being written

An entry appears whole or not at all (written beside its place, then renamed), is never changed, and may vanish at any
moment, for another run may have made room.
"""

from __future__ import annotations

import os
import secrets
import time
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

_VERSION = "v1"
_PARTIAL = ".partial"
_FRESH = 3600.0  # seconds: one used so lately is not marked again, for marking costs as much as reading
_LEFT_BEHIND = 3600.0  # seconds, after which nobody writes to a partial file any more
_ROOM = 0.9  # of the size: what is left after making room, so that it isn't made again at once


class Shelf:
    """Entries in a folder, which is made when the first is put in. Every method but `find` may raise OSError."""

    def __init__(self, folder: Path, size: int) -> None:
        """size: the bytes that all entries may take; what was used longest ago goes first."""
        self._folder = folder / _VERSION
        self._size = size
        self._written = 0
        self._made: set[str] = set()
        self._now = time.time()

    def find(self, key: bytes) -> bytes | None:
        """The bytes of an entry, unchecked; None if there is none that can be read."""
        place = self._place(key)
        try:
            with open(place, "rb", buffering=0) as file:  # noqa: PTH123 - a third of the cost of Path, 10,000 times
                entry = file.read()
                if os.fstat(file.fileno()).st_mtime < self._now - _FRESH:
                    with suppress(OSError):  # a folder of somebody else's
                        os.utime(place)
        except OSError:
            return None
        return entry

    def put(self, key: bytes, entry: bytes) -> None:
        """Put an entry in, in place of any that is there."""
        place = self._place(key)
        parent = os.path.dirname(place)  # noqa: PTH120
        if parent not in self._made:
            os.makedirs(parent, exist_ok=True)  # noqa: PTH103
            self._made.add(parent)
        partial = f"{place}-{os.getpid()}-{secrets.token_hex(4)}{_PARTIAL}"
        try:
            with open(partial, "wb", buffering=0) as file:  # noqa: PTH123
                if file.write(entry) != len(entry):
                    raise OSError("an entry was cut short")
            os.replace(partial, place)  # noqa: PTH105
        except BaseException:
            with suppress(OSError):
                os.unlink(partial)  # noqa: PTH108
            raise
        self._written += len(entry)
        if self._written > self._size * (1 - _ROOM):
            self.make_room()

    def drop(self, key: bytes) -> None:
        """Take an entry out."""
        Path(self._place(key)).unlink(missing_ok=True)

    def make_room(self) -> None:
        """Keep to the size, if anything was put in since the last time."""
        if not self._written:
            return
        self._written = 0
        entries = list(self._entries())
        total = sum(size for _, size, _ in entries)
        if total <= self._size:
            return
        for _, size, place in sorted(entries):
            with suppress(FileNotFoundError):  # another run makes room, too
                Path(place).unlink()
            total -= size
            if total <= self._size * _ROOM:
                return

    def _entries(self) -> Iterator[tuple[float, int, str]]:
        """When each was used last, its bytes, and where it lies. What killed runs left behind goes."""
        for folder in os.scandir(self._folder):
            if not folder.is_dir(follow_symlinks=False):
                continue
            for one in os.scandir(folder.path):
                try:
                    status = one.stat(follow_symlinks=False)
                except FileNotFoundError:
                    continue
                if not one.name.endswith(_PARTIAL):
                    yield status.st_mtime, status.st_size, one.path
                elif status.st_mtime < self._now - _LEFT_BEHIND:
                    Path(one.path).unlink(missing_ok=True)

    def _place(self, key: bytes) -> str:
        name = key.hex()
        return f"{self._folder}{os.sep}{name[:2]}{os.sep}{name}"
