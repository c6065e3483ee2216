"""The bytes of an entry: a value with its key and a checksum, read again as if an enemy had written them.

An entry names its key, so that one which lies under another key is noticed; the checksum is over both. Whoever can
write into a cache can of course write an entry that is right in form: a cache that others can write to is signed with a
secret (HMAC, RFC 2104), and what is not is no entry.
"""

from __future__ import annotations

import hashlib
import hmac
import importlib
import io
import pickle
from array import array
from dataclasses import is_dataclass
from functools import cache
from typing import Any

_MAGIC = b"v1z3r-build entry 1\n"
_KEY, _SEAL = 32, 32
_HEAD = len(_MAGIC) + _KEY + _SEAL
_PACKAGE = "v1z3r_build."
# The layers whose records are remembered; importing them does nothing else.
_LAYERS = frozenset({"diagnostics", "site", "codecs", "formats", "bundlers", "passes", "summary"})
# Numbers of a Derived; both check what they are given.
_ARRAY = {"array": array, "_array_reconstructor": array("i").__reduce_ex__(3)[0]}


class DamagedError(Exception):
    """Bytes that are no entry, or not the one that was asked for."""


def encode(key: bytes, value: Any, secret: bytes = b"") -> bytes:
    """The entry of a value. secret: signs it."""
    body = pickle.dumps(value, 5)
    return b"".join((_MAGIC, key, _seal(key, body, secret), body))


def check(key: bytes, entry: bytes, secret: bytes = b"") -> memoryview:
    """The body of an entry. Raises DamagedError."""
    whole = memoryview(entry)
    if len(entry) < _HEAD or whole[: len(_MAGIC)] != _MAGIC:
        raise DamagedError("it is no entry of a cache")
    if whole[len(_MAGIC) : len(_MAGIC) + _KEY] != key:
        raise DamagedError("it belongs to another key")
    body = whole[_HEAD:]
    if not hmac.compare_digest(whole[len(_MAGIC) + _KEY : _HEAD], _seal(key, body, secret)):
        raise DamagedError("its checksum is wrong" + (", or it is signed with another secret" if secret else ""))
    return body


def decode(key: bytes, entry: bytes, secret: bytes = b"") -> Any:
    """The value in an entry. Raises DamagedError."""
    body = check(key, entry, secret)
    try:
        return _Reader(io.BytesIO(body)).load()
    except DamagedError:
        raise
    except Exception as failure:  # whatever a made-up pickle can lead to
        raise DamagedError(f"its value cannot be read: {type(failure).__name__}: {failure}") from failure


def _seal(key: bytes, body: bytes | memoryview, secret: bytes) -> bytes:
    if secret:
        signed = hmac.new(secret, key, hashlib.sha256)
        signed.update(body)
        return signed.digest()
    plain = hashlib.sha256(key)
    plain.update(body)
    return plain.digest()


class _Reader(pickle.Unpickler):
    """Makes plain values and records of this package, and calls nothing else (Python, "Restricting Globals")."""

    def find_class(self, module: str, name: str) -> Any:
        return _found(module, name)


@cache
def _found(module: str, name: str) -> Any:
    """What a pickle may ask for under this name: every entry names the same few. Raises DamagedError."""
    if module == "array" and name in _ARRAY:
        return _ARRAY[name]
    if module.startswith(_PACKAGE) and module.split(".")[1] in _LAYERS and name.isidentifier():
        found = getattr(importlib.import_module(module), name, None)
        if isinstance(found, type) and found.__module__ == module and _is_record(found):
            return found
    raise DamagedError(f"it holds {module}.{name}, which is no value of ours")


def _is_record(kind: type) -> bool:
    """Whether making one does nothing but fill it."""
    return is_dataclass(kind) or issubclass(kind, tuple | bytes)
