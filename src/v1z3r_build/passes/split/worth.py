"""Whether a split pays: what it costs every first visitor, for what it saves the others."""

from __future__ import annotations

from typing import TYPE_CHECKING

from v1z3r_build.codecs import brotli_coding

if TYPE_CHECKING:
    from collections.abc import Collection

# What a new file may cost, as transferred: a share of the whole, or so many bytes where that is more. To compress two
# parts by themselves costs some hundred bytes however small they are.
_SHARE, _BYTES = 0.01, 1_024


def objection(whole: bytes, rest: bytes, new: Collection[bytes]) -> str:
    """Why it is not worth it to serve a rest and new files instead of the whole, '' if it is."""
    before = brotli_coding.transferred(whole)
    more = sum(brotli_coding.transferred(part) for part in (rest, *new)) - before
    if more <= max(_SHARE * before, _BYTES) * len(new):
        return ""
    return f"the parts would be {more:,} bytes ({more / before:.1%}) larger than the whole"
