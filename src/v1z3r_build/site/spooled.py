"""Mappings whose values lie on disk: what is known of each file of a site takes far more memory than its name.

A value is unpickled each time it is asked for, which takes some microseconds: to go through such a mapping a few times
is cheap, to ask it for the same value again and again is not.
"""

from __future__ import annotations

import io
import pickle
import sys
import tempfile
from array import array
from typing import IO, TYPE_CHECKING, Any, Generic, TypeVar

from v1z3r_build.site.ordering import Ordered

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

_Value = TypeVar("_Value")
_PIECE = 64 << 10  # bytes that are written together: between two values others are read


class _Apart(dict[type, "Callable[[Any], tuple[type, tuple[Any, ...]]]"]):
    """What takes named tuples apart, by their types, in half the time of what `pickle` asks them for."""

    def __missing__(self, kind: type) -> Callable[[Any], tuple[type, tuple[Any, ...]]]:
        if not hasattr(kind, "_make"):
            raise KeyError(kind)  # no named tuple: it is asked itself
        return self.setdefault(kind, lambda one: (kind, tuple(one)))


_APART = _Apart()


def _pickled(value: Any) -> bytes:
    data = io.BytesIO()
    pickler = pickle.Pickler(data, pickle.HIGHEST_PROTOCOL)
    pickler.dispatch_table = _APART
    pickler.dump(value)
    return data.getvalue()


class Spooled(Ordered[_Value], Generic[_Value]):
    """Values by key, in sorted order, in a file that is gone as soon as nobody knows the mapping any more.

    In memory it takes 24 bytes for each, besides the key itself, and what is not yet worth a piece of the file. Of
    several values of a key the last counts; those before it keep their place in the file.
    """

    def __init__(self, folder: Path, items: Iterable[tuple[str, _Value]] = ()) -> None:
        """folder: one that lies on a disk, as folders for temporary files often don't. items: to begin with."""
        super().__init__()
        # Closed with the last that knows it. Windows removes no folder in which a file is open.
        self._file: IO[bytes] = tempfile.TemporaryFile(dir=None if sys.platform == "win32" else folder)  # noqa: SIM115
        self._starts = array("Q")
        self._sizes = array("Q")
        self._end = 0
        self._pending = bytearray()  # the last bytes before the end, which are not in the file yet
        for key, value in items:
            self[key] = value

    def __setitem__(self, key: str, value: _Value) -> None:
        data = _pickled(value)
        self._pending += data
        self._note(key)
        self._starts.append(self._end)
        self._sizes.append(len(data))
        self._end += len(data)
        if len(self._pending) >= _PIECE:
            self._file.seek(self._end - len(self._pending))
            self._file.write(self._pending)
            self._pending = bytearray()

    def _at(self, number: int) -> _Value:
        start, size = self._starts[number], self._sizes[number]
        first = start - (self._end - len(self._pending))
        value: _Value
        if first >= 0:
            value = pickle.loads(self._pending[first : first + size])
        else:
            self._file.seek(start)
            value = pickle.loads(self._file.read(size))
        return value

    def _follow(self, order: array[int]) -> None:
        self._starts = array("Q", map(self._starts.__getitem__, order))
        self._sizes = array("Q", map(self._sizes.__getitem__, order))
