"""Whether a split pays: what it costs every first visitor, for what it saves the others."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from v1z3r_build.codecs import brotli_coding
from v1z3r_build.passes.split.answer import Answer, not_split

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence, Set

    from v1z3r_build.diagnostics import Diagnostic
    from v1z3r_build.passes.split.draft import Draft

# What is transferred is of quality 11, which takes ten times as long as all the rest of a split. Quality 6 says nearly
# as much (of the fixtures; 7, 9 and 10 are no nearer, and take more memory): of the vendors' files 11 makes 0.84 to
# 0.93 of what 6 does; what parts cost, as a share of the whole and for each new file, is 0.29 % less to 0.28 % more.
_NEAR, _AT_LEAST = 6, 0.7
# What a new file may cost, by that: a share of the whole, so that it surely is less than 1 %, or so many bytes where
# that is more. To compress two parts by themselves costs some hundred bytes however small they are.
_SHARE, _BYTES = 0.006, 1_024


def _near(data: bytes) -> int:
    return len(brotli_coding.encode(data, _NEAR))


def _small(data: bytes, near: int, size: int) -> int | None:
    """How many bytes a file takes as transferred if that is less than so many, else None."""
    if near * _AT_LEAST >= size:
        return None
    exact = brotli_coding.transferred(data)
    return exact if exact < size else None


def worthwhile(
    path: str, whole: bytes, draft: Draft, redraft: Callable[[Set[str]], Draft | Answer], min_size: int
) -> Answer:
    """The split of a script into as many vendors' files as pay, with the reason why there are no more.

    draft: with all its vendors. redraft: drafts with those that it is given. min_size: of a vendor's file, as
    transferred.
    """

    def answered(labels: Set[str]) -> Answer:
        made = redraft(labels)
        return made if isinstance(made, Answer) else made.answer()

    told: list[Diagnostic] = []
    is_costly = False
    labels = draft.labels
    answer = draft.answer() if labels else draft.unsplit
    while labels:
        near = {label: _near(one.data) for label, one in answer.vendors.items()}
        sizes = {label: _small(one.data, near[label], min_size) for label, one in answer.vendors.items()}
        large = {label for label, size in sizes.items() if size is None}
        if large != labels:
            told += (_left(path, label, answer, sizes.get(label), min_size) for label in sorted(labels - large))
            labels = large
            answer = answered(labels) if labels else answer
            continue
        cost = _cost(whole, _parts(answer), _near(answer.data or b"") + sum(near.values()))
        if not cost:
            return replace(answer, diagnostics=tuple(told))
        if not is_costly:
            told.append(not_split(path, cost))
        is_costly = True
        if len(labels) == 1:
            break
        fewer = [(labels - {label}, answered(labels - {label})) for label in sorted(labels)]
        labels, answer = min(fewer, key=lambda one: sum(map(_near, _parts(one[1]))))
    return replace(draft.unsplit, diagnostics=tuple(told))


def _parts(answer: Answer) -> list[bytes]:
    return [answer.data or b"", *(one.data for one in answer.vendors.values())]


def _cost(whole: bytes, parts: Sequence[bytes], near: int) -> str:
    """What it costs to serve parts instead of the whole, if that is too much, else ''. near: the size of the parts."""
    before = _near(whole)
    more = near - before
    if more < max(_SHARE * before, _BYTES) * (len(parts) - 1):
        return ""
    return f"the parts would be {more:,} bytes ({more / before:.1%}) larger than the whole"


def _left(path: str, label: str, answer: Answer, size: int | None, min_size: int) -> Diagnostic:
    """Why a vendor stays where others may go. size: of its file, None if there would be none."""
    if size is None:
        why = f", for instance the part {answer.held[label]}" if label in answer.held else ""
        return not_split(path, f"all that it has of {label} is tied to other code in ways that cannot be cut{why}")
    return not_split(
        path, f"{label} would be {size:,} bytes as transferred, less than min_size ({min_size:,}) in [split]"
    )
