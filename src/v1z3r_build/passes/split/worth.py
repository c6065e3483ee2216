"""Whether a split pays: what it costs every first visitor, for what it saves the others."""

from __future__ import annotations

from typing import TYPE_CHECKING

from v1z3r_build.codecs import brotli_coding

if TYPE_CHECKING:
    from collections.abc import Collection

# What a new file may cost, as transferred: a share of the whole, or so many bytes where that is more. To compress two
# parts by themselves costs some hundred bytes however small they are.
_SHARE, _BYTES = 0.01, 1_024
# The real quality takes ten times as long as all the rest of a split, and is asked only where others leave it open. Of
# the vendors' files of the fixtures, quality 11 makes 0.86 to 0.93 of what 5 does; what parts cost, as a share of the
# whole, is 0.0 to 0.5 % less by 11 than by 9.
_QUICK, _AT_LEAST = 5, 0.7
_NEAR, _DOUBT = 9, 0.001


def is_small(data: bytes, size: int) -> bool:
    """Whether a file takes less than so many bytes as transferred."""
    most = len(brotli_coding.encode(data, _QUICK))
    if most < size or most * _AT_LEAST >= size:
        return most < size
    return brotli_coding.transferred(data) < size


def objection(whole: bytes, rest: bytes, new: Collection[bytes]) -> str:
    """Why it is not worth it to serve a rest and new files instead of the whole, '' if it is."""
    near = len(brotli_coding.encode(whole, _NEAR))
    more = sum(len(brotli_coding.encode(part, _NEAR)) for part in (rest, *new)) - near
    if more <= max(_SHARE * near, _BYTES) * len(new) - _DOUBT * near:
        return ""
    before = brotli_coding.transferred(whole)
    more = sum(brotli_coding.transferred(part) for part in (rest, *new)) - before
    if more <= max(_SHARE * before, _BYTES) * len(new):
        return ""
    return f"the parts would be {more:,} bytes ({more / before:.1%}) larger than the whole"
