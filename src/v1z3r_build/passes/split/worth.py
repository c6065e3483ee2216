"""Whether a split pays: what it costs every first visitor, for what it saves the others."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from v1z3r_build.codecs import brotli_coding
from v1z3r_build.passes.split.answer import Answer, not_split

if TYPE_CHECKING:
    from collections.abc import Callable, Set

    from v1z3r_build.diagnostics import Diagnostic

# What all new files together may cost, as transferred: a share of the whole, or so many bytes where that is more. To
# compress parts by themselves costs some hundred bytes however small they are.
_SHARE, _BYTES = 0.01, 1_024


def worthwhile(path: str, whole: bytes, labels: Set[str], split: Callable[[Set[str]], Answer], min_size: int) -> Answer:
    """The split of a script into as many vendors' files as pay, with the reason why there are no more.

    labels: the vendors that it holds. split: splits those off that it is given; its last answer is the one returned, if
    any is. min_size: of a vendor's file, as transferred.
    """
    before = 0
    objection = ""
    while labels:
        answer = split(labels)
        sizes = {label: brotli_coding.transferred(one.data) for label, one in answer.vendors.items()}
        large = {label for label, size in sizes.items() if size >= min_size}
        if large != labels:
            labels = large
            continue
        before = before or brotli_coding.transferred(whole)
        more = _transferred(answer) - before
        if more < max(_SHARE * before, _BYTES):
            return replace(answer, diagnostics=_told(path, objection))
        objection = objection or f"the parts would be {more:,} bytes ({more / before:.1%}) larger than the whole"
        fewer = [labels - {label} for label in sorted(labels)]
        labels = min(fewer, key=lambda one: _transferred(split(one))) if len(labels) > 1 else set()
    return Answer(path, diagnostics=_told(path, objection))


def _transferred(answer: Answer) -> int:
    rest = brotli_coding.transferred(answer.data) if answer.data is not None else 0
    return rest + sum(brotli_coding.transferred(one.data) for one in answer.vendors.values())


def _told(path: str, objection: str) -> tuple[Diagnostic, ...]:
    return (not_split(path, objection),) if objection else ()
