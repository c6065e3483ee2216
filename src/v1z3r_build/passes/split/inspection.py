"""One script at a time, in a worker: which bundler's it is, and what becomes of it.

All families look at one syntax tree: to parse a script takes as long as most of what is done with it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, NamedTuple

from v1z3r_build.formats.engines.script_syntax import located
from v1z3r_build.formats.javascript import MAX_SIZE
from v1z3r_build.passes.split.bundles import split_bundle
from v1z3r_build.passes.split.chunks import split_chunk
from v1z3r_build.passes.split.entries import split_entries
from v1z3r_build.passes.split.modules import outline, split_module

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from tree_sitter import Tree

    from v1z3r_build.formats.source_maps import Span
    from v1z3r_build.passes.split.answer import Answer
    from v1z3r_build.passes.split.labels import Wanted
    from v1z3r_build.passes.split.modules import Exchange

    Splitter = Callable[[str, Wanted, int, Sequence[Span], bytes, Tree | None], Answer | None]

Family = Literal["turbopack", "webpack", "modules"]

# A script is the first's that knows it: Turbopack's queue looks like webpack's; of ES modules only the syntax is known.
_FAMILIES: tuple[tuple[Family, Splitter], ...] = (
    ("turbopack", split_entries),
    ("webpack", split_chunk),
    ("webpack", split_bundle),
)


class Finding(NamedTuple):
    """What came of looking into a script: its family, and what became of it.

    answer: None for a module that cannot be split before it is known what it imports. exchange: of a module, as of
    `modules.outline`.
    """

    path: str
    family: Family
    answer: Answer | None
    exchange: Exchange | None = None


def inspect(path: str, wanted: Wanted, min_size: int, told: Sequence[Span], data: bytes) -> Finding:
    """Look into one script. told: as of Labels. Pure; for guarded children, where the parser may crash."""
    tree = located(data) if len(data) <= MAX_SIZE else None
    for family, split in _FAMILIES:
        answer = split(path, wanted, min_size, told, data, tree)
        if answer is not None:
            return Finding(path, family, answer)
    found = outline(data, tree)
    if found is None or found.imports or not found.declared:
        return Finding(path, "modules", None, found)
    return Finding(path, "modules", split_module(path, wanted, min_size, told, None, data, tree), found)
