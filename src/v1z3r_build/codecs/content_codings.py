"""The content codings in which files are served, by the name that `Accept-Encoding` and the manifest use."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from v1z3r_build.codecs import brotli_coding, gzip_coding

if TYPE_CHECKING:
    from collections.abc import Callable


class Coding(NamedTuple):
    """One content coding.

    suffix: of a sidecar's name. encode: of data and an effort in the coding's own unit. decode: of data and the
    most bytes to accept; raises ValueError.
    """

    suffix: str
    encode: Callable[[bytes, int], bytes]
    decode: Callable[[bytes, int], bytes]


CODINGS: dict[str, Coding] = {
    "br": Coding(".br", brotli_coding.encode, brotli_coding.decode),
    "gzip": Coding(".gz", gzip_coding.encode, gzip_coding.decode),
}
