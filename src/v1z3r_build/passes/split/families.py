"""The families of bundlers, and what the first that knows a script makes of it.

All look at one syntax tree: to parse a script takes as long as most of what is done with it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, NamedTuple

from v1z3r_build.bundlers import esm
from v1z3r_build.formats.engines.script_syntax import located
from v1z3r_build.formats.scopes import Refused
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


class Drafted(NamedTuple):
    """made: None for what is a module only if a page says so. exchange: as of `Finding`."""

    family: Family
    made: Draft | Answer | None
    exchange: Exchange | None = None


def drafted(path: str, wanted: Wanted, told: Sequence[Span], data: bytes, chosen: Set[str] | None) -> Drafted:
    """What the first family that knows a script makes of it. The syntax tree is gone when this returns."""
    tree = located(data)
    for family, draft in _FAMILIES:
        made = draft(path, wanted, told, data, tree, chosen)
        if made is not None:
            return Drafted(family, made)
    found = outline(data, tree)
    if found is None or not found.declared:
        return Drafted("modules", None, found)
    try:
        module = esm.Module(data, found.hoped(), tree)
    except Refused as refused:
        # Its outline proves nothing to others: what the parser reads in two ways may hide an import.
        return Drafted("modules", Answer(path, diagnostics=(not_split(path, str(refused)),)), None)
    return Drafted("modules", draft_module(path, wanted, told, module, chosen), given(found, module))
