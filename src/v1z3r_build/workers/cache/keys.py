"""The key of a call: a hash over the function, its arguments, and the versions of all that does the work.

Pickles would not do: equal arguments give different ones, for they tell which parts are the same object, and sets come
in any order.
"""

from __future__ import annotations

import hashlib
import struct
from array import array
from dataclasses import fields, is_dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

_FORMAT = b"v1z3r-build call 1\n"
_CHUNK = 1 << 20


class Keys:
    """Makes keys, and remembers the digests of files: during a run no file changes, or the child notices."""

    def __init__(self, engines: str) -> None:
        """engines: what does the work, in which versions."""
        self._prefix = _FORMAT + hashlib.sha256(engines.encode()).digest()
        self._files: dict[str, bytes] = {}
        self._shared: tuple[Any, list[bytes]] = None, []  # the last record, which many calls have among their arguments

    def key(self, function: Callable[..., Any], arguments: tuple[Any, ...]) -> bytes:
        """The key of a call. Raises TypeError for an argument that has no canonical form, OSError for a file."""
        pieces = [self._prefix]
        _write(f"{function.__module__}.{function.__qualname__}", pieces)
        for one in arguments:
            if isinstance(one, Path):
                pieces += (b"b", self.file(one))  # as the same bytes among the arguments
            elif is_dataclass(one):
                if one is not self._shared[0]:
                    self._shared = one, []
                    _write(*self._shared)
                pieces += self._shared[1]
            else:
                _write(one, pieces)
        return hashlib.sha256(b"".join(pieces)).digest()

    def file(self, path: Path) -> bytes:
        """The SHA-256 of a file's bytes."""
        place = str(path)
        if place not in self._files:
            digest = hashlib.sha256()
            with open(place, "rb", buffering=0) as file:  # noqa: PTH123 - half the cost of Path
                # `hashlib.file_digest` clears a quarter of a megabyte for each file.
                while piece := file.read(_CHUNK):
                    digest.update(piece)
            self._files[place] = digest.digest()
        return self._files[place]


def _write(value: Any, pieces: list[bytes]) -> None:
    """Append a form of the value from which it could be told from every other: tag, length, content."""
    kind = type(value)
    if kind is str:
        _sized(b"s", value.encode("utf-8", "surrogatepass"), pieces)
    elif kind is bytes:
        pieces += (b"b", hashlib.sha256(value).digest())
    elif kind is bool or value is None:
        pieces.append(b"TFN"[(True, False, None).index(value) :][:1])
    elif kind is int:
        _sized(b"i", str(value).encode(), pieces)
    elif kind is float:
        pieces += (b"f", struct.pack(">d", value))
    elif kind is tuple or kind is list:
        _several(b"t" if kind is tuple else b"l", value, pieces)
    elif kind is dict:
        # In its order, on which what the function returns may depend.
        _several(b"d", [part for item in value.items() for part in item], pieces)
    elif kind is set or kind is frozenset:
        _sized(b"S", b"".join(sorted(map(_member, value))), pieces)
    elif kind is array:
        _sized(b"a" + value.typecode.encode(), value.tobytes(), pieces)
    else:
        _record(value, kind, pieces)


def _record(value: Any, kind: type, pieces: list[bytes]) -> None:
    pieces.append(_named(kind))
    if is_dataclass(value):
        _several(b"r", [getattr(value, one.name) for one in fields(value)], pieces)
    elif isinstance(value, tuple):
        _several(b"r", value, pieces)
    elif isinstance(value, bytes) and "__reduce__" in vars(kind):
        _several(b"r", value.__reduce__()[1], pieces)
    else:
        raise TypeError(f"{kind.__qualname__} has no form that a key could be made of")


@cache
def _named(kind: type) -> bytes:
    pieces: list[bytes] = []
    _sized(b"c", f"{kind.__module__}.{kind.__qualname__}".encode(), pieces)
    return b"".join(pieces)


def _member(value: Any) -> bytes:
    pieces: list[bytes] = []
    _write(value, pieces)
    return hashlib.sha256(b"".join(pieces)).digest()


def _several(tag: bytes, values: Any, pieces: list[bytes]) -> None:
    pieces += (tag, len(values).to_bytes(4, "big"))
    for one in values:
        _write(one, pieces)


def _sized(tag: bytes, data: bytes, pieces: list[bytes]) -> None:
    pieces += (tag, len(data).to_bytes(8, "big"), data)
