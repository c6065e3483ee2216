"""One script at a time, in a worker: which bundler's it is, and what becomes of it.

All families look at one syntax tree: to parse a script takes as long as most of what is done with it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, NamedTuple

from v1z3r_build.bundlers import esm
from v1z3r_build.formats.engines.script_syntax import located
from v1z3r_build.formats.javascript import MAX_SIZE
from v1z3r_build.formats.scopes import Reason, Refused
from v1z3r_build.passes.split import worth
from v1z3r_build.passes.split.answer import Answer, not_split
from v1z3r_build.passes.split.bundles import draft_bundle
from v1z3r_build.passes.split.chunks import draft_chunk
from v1z3r_build.passes.split.entries import draft_entries
from v1z3r_build.passes.split.modules import draft_module, given, outline

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence, Set

    from tree_sitter import Tree

    from v1z3r_build.formats.source_maps import Span
    from v1z3r_build.passes.split.draft import Draft
    from v1z3r_build.passes.split.labels import Wanted
    from v1z3r_build.passes.split.modules import Exchange

    Drafter = Callable[[str, Wanted, Sequence[Span], bytes, Tree, Set[str] | None], Draft | Answer | None]

Family = Literal["turbopack", "webpack", "modules"]

# A script is the first's that knows it: Turbopack's queue looks like webpack's; of ES modules only the syntax is known.
_FAMILIES: tuple[tuple[Family, Drafter], ...] = (
    ("turbopack", draft_entries),
    ("webpack", draft_chunk),
    ("webpack", draft_bundle),
)


class Finding(NamedTuple):
    """What came of looking into a script: its family, and what became of it.

    answer: None for what is a module only if a page says so. Of other modules it holds if what they import is as
    `Exchange.hoped`. exchange: of a module, None if that cannot be known.
    """

    path: str
    family: Family
    answer: Answer | None
    exchange: Exchange | None = None


class _Draft(NamedTuple):
    family: Family
    made: Draft | Answer | None
    exchange: Exchange | None = None


def inspect(path: str, wanted: Wanted, min_size: int, told: Sequence[Span], data: bytes) -> Finding:
    """Look into one script. told: as of Labels. Pure; for guarded children, where the parser may crash."""
    if len(data) > MAX_SIZE:
        return Finding(path, "webpack", Answer(path, diagnostics=(not_split(path, Reason.TOO_LARGE.value),)))

    def redraft(chosen: Set[str]) -> Draft | Answer:
        made = _drafted(path, wanted, told, data, chosen).made
        assert made is not None, "a script that was split before"
        return made

    family, made, exchange = _drafted(path, wanted, told, data, None)
    if made is None or isinstance(made, Answer):
        return Finding(path, family, made, exchange)
    return Finding(path, family, worth.worthwhile(path, data, made, redraft, min_size), exchange)


def _drafted(path: str, wanted: Wanted, told: Sequence[Span], data: bytes, chosen: Set[str] | None) -> _Draft:
    """What the first family that knows a script makes of it. The syntax tree is gone when this returns."""
    tree = located(data)
    for family, draft in _FAMILIES:
        made = draft(path, wanted, told, data, tree, chosen)
        if made is not None:
            return _Draft(family, made)
    found = outline(data, tree)
    if found is None or not found.declared:
        return _Draft("modules", None, found)
    try:
        module = esm.Module(data, found.hoped(), tree)
    except Refused as refused:
        # Its outline proves nothing to others: what the parser reads in two ways may hide an import.
        return _Draft("modules", Answer(path, diagnostics=(not_split(path, str(refused)),)), None)
    return _Draft("modules", draft_module(path, wanted, told, module, chosen), given(found, module))
