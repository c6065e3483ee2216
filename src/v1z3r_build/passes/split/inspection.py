"""One script at a time, in a worker: which bundler's it is, and what becomes of it.

The parent names `inspect` and takes what it returns: what reads the bundlers' scripts only children import.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from v1z3r_build.passes.split.answer import Answer, not_split

if TYPE_CHECKING:
    from collections.abc import Sequence, Set

    from v1z3r_build.formats.source_maps import Span
    from v1z3r_build.passes.split.draft import Draft
    from v1z3r_build.passes.split.families import Family
    from v1z3r_build.passes.split.labels import Wanted
    from v1z3r_build.passes.split.modules import Exchange


class Finding(NamedTuple):
    """What came of looking into a script: its family, and what became of it.

    answer: None for what is a module only if a page says so. Of other modules it holds if what they import is as
    `Exchange.hoped`. exchange: of a module, None if that cannot be known.
    """

    path: str
    family: Family
    answer: Answer | None
    exchange: Exchange | None = None


def inspect(path: str, wanted: Wanted, min_size: int, told: Sequence[Span], data: bytes) -> Finding:
    """Look into one script. told: as of Labels. Pure; for guarded children, where the parser may crash."""
    from v1z3r_build.formats.javascript import MAX_SIZE
    from v1z3r_build.formats.scopes import Reason
    from v1z3r_build.passes.split import worth
    from v1z3r_build.passes.split.families import drafted

    if len(data) > MAX_SIZE:
        return Finding(path, "webpack", Answer(path, diagnostics=(not_split(path, Reason.TOO_LARGE.value),)))

    def redraft(chosen: Set[str]) -> Draft | Answer:
        made = drafted(path, wanted, told, data, chosen).made
        assert made is not None, "a script that was split before"
        return made

    family, made, exchange = drafted(path, wanted, told, data, None)
    if made is None or isinstance(made, Answer):
        return Finding(path, family, made, exchange)
    return Finding(path, family, worth.worthwhile(path, data, made, redraft, min_size), exchange)
