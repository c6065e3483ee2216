"""Whether a split pays: what it costs every first visitor, for what it saves the others."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from v1z3r_build.codecs import brotli_coding
from v1z3r_build.passes.split.answer import Answer, not_split

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence, Set

    from v1z3r_build.diagnostics import Diagnostic

# What a new file may cost, as transferred: a share of the whole, or so many bytes where that is more. To compress two
# parts by themselves costs some hundred bytes however small they are.
_SHARE, _BYTES = 0.01, 1_024
# The real quality takes ten times as long as all the rest of a split, and is asked only where others leave it open. Of
# the vendors' files of the fixtures, quality 11 makes 0.86 to 0.93 of what 5 does; what parts cost, as a share of the
# whole and for each new file, is 0.23 % less to 0.28 % more by 11 than by 7. (8 and 9 are no nearer: 0.20 % less to
# 0.30 % more by 9, which takes twice the time and 32 MB of memory, however small the script, where 7 takes 8.)
_QUICK, _AT_LEAST = 5, 0.7
_NEAR, _DOUBT = 7, 0.003


def _small(data: bytes, size: int) -> int | None:
    """How many bytes a file takes as transferred if that is less than so many, else None."""
    if len(brotli_coding.encode(data, _QUICK)) * _AT_LEAST >= size:
        return None
    exact = brotli_coding.transferred(data)
    return exact if exact < size else None


def worthwhile(path: str, whole: bytes, labels: Set[str], split: Callable[[Set[str]], Answer], min_size: int) -> Answer:
    """The split of a script into as many vendors' files as pay, with the reason why there are no more.

    labels: the vendors that it holds. split: splits those off that it is given; its last answer is the one returned, if
    any is. min_size: of a vendor's file, as transferred.
    """
    told: list[Diagnostic] = []
    is_costly = False
    while labels:
        answer = split(labels)
        sizes = {label: _small(one.data, min_size) for label, one in answer.vendors.items()}
        large = {label for label, size in sizes.items() if size is None}
        if large != labels:
            told += (_left(path, label, answer, sizes.get(label), min_size) for label in sorted(labels - large))
            labels = large
            continue
        cost = _cost(whole, _parts(answer))
        if not cost:
            return replace(answer, diagnostics=tuple(told))
        if not is_costly:
            told.append(not_split(path, cost))
        is_costly = True
        fewer = [labels - {label} for label in sorted(labels)]
        labels = min(fewer, key=lambda one: _size(_parts(split(one)), _NEAR)) if len(labels) > 1 else set()
    return Answer(path, diagnostics=tuple(told))


def _parts(answer: Answer) -> list[bytes]:
    return [answer.data or b"", *(one.data for one in answer.vendors.values())]


def _cost(whole: bytes, parts: Sequence[bytes]) -> str:
    """What it costs to serve parts instead of the whole, if that is too much, else ''."""
    near = len(brotli_coding.encode(whole, _NEAR))
    new = len(parts) - 1
    if _size(parts, _NEAR) - near < (max(_SHARE * near, _BYTES) - _DOUBT * near) * new:
        return ""
    before = brotli_coding.transferred(whole)
    more = sum(map(brotli_coding.transferred, parts)) - before
    if more < max(_SHARE * before, _BYTES) * new:
        return ""
    return f"the parts would be {more:,} bytes ({more / before:.1%}) larger than the whole"


def _size(parts: Sequence[bytes], quality: int) -> int:
    return sum(len(brotli_coding.encode(part, quality)) for part in parts)


def _left(path: str, label: str, answer: Answer, size: int | None, min_size: int) -> Diagnostic:
    """Why a vendor stays where others may go. size: of its file, None if there would be none."""
    if size is None:
        why = f", for instance the part {answer.held[label]}" if label in answer.held else ""
        return not_split(path, f"all that it has of {label} is tied to other code in ways that cannot be cut{why}")
    return not_split(
        path, f"{label} would be {size:,} bytes as transferred, less than min_size ({min_size:,}) in [split]"
    )
