"""Mappings whose values lie on disk: what is known of each file of a site takes far more memory than its name.

A value is unpickled each time it is asked for, which takes some microseconds: to go through such a mapping a few times
is cheap, to ask it for the same value again and again is not.
"""

from __future__ import annotations

import pickle
import sys
import tempfile
from array import array
from bisect import bisect_left
from collections.abc import Mapping
from typing import IO, TYPE_CHECKING, Generic, TypeVar

from v1z3r_build.site.ordering import in_order

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

_Value = TypeVar("_Value")


class Spooled(Mapping[str, _Value], Generic[_Value]):
    """Values by key, in sorted order, in a file that is gone as soon as nobody knows the mapping any more.

    In memory it takes 24 bytes for each, besides the key itself. Of several values of a key the last counts; those
    before it keep their place in the file.
    """

    def __init__(self, folder: Path, items: Iterable[tuple[str, _Value]] = ()) -> None:
        """folder: one that lies on a disk, as folders for temporary files often don't. items: to begin with."""
        # Closed with the last that knows it. Windows removes no folder in which a file is open.
        self._file: IO[bytes] = tempfile.TemporaryFile(dir=None if sys.platform == "win32" else folder)  # noqa: SIM115
        self._keys: list[str] = []
        self._starts = array("Q")
        self._sizes = array("Q")
        self._is_sorted = True
        self._end = 0
        for key, value in items:
            self[key] = value

    def __setitem__(self, key: str, value: _Value) -> None:
        if self._keys and key <= self._keys[-1]:
            self._is_sorted = False
        data = pickle.dumps(value, pickle.HIGHEST_PROTOCOL)
        self._file.seek(self._end)
        self._file.write(data)
        self._keys.append(key)
        self._starts.append(self._end)
        self._sizes.append(len(data))
        self._end += len(data)

    def __getitem__(self, key: str) -> _Value:
        number = self._find(key)
        if number < 0:
            raise KeyError(key)
        self._file.seek(self._starts[number])
        value: _Value = pickle.loads(self._file.read(self._sizes[number]))
        return value

    def __contains__(self, key: object) -> bool:
        return isinstance(key, str) and self._find(key) >= 0

    def __iter__(self) -> Iterator[str]:
        self._sort()
        return iter(self._keys)

    def __len__(self) -> int:
        self._sort()
        return len(self._keys)

    def _find(self, key: str) -> int:
        """Where a key stands in the sorted order, -1 if it is not there."""
        self._sort()
        number = bisect_left(self._keys, key)
        return number if number < len(self._keys) and self._keys[number] == key else -1

    def _sort(self) -> None:
        if self._is_sorted:
            return
        order = in_order(self._keys)
        self._keys = [self._keys[number] for number in order]
        self._starts = array("Q", map(self._starts.__getitem__, order))
        self._sizes = array("Q", map(self._sizes.__getitem__, order))
        self._is_sorted = True
