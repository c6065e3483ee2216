"""ES modules: one script at a time, in a worker."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from v1z3r_build.bundlers import esm
from v1z3r_build.formats.scopes import Refused
from v1z3r_build.passes.split import worth
from v1z3r_build.passes.split.answer import Answer, VendorFile, not_split
from v1z3r_build.passes.split.labels import Labels, Part

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence, Set

    from tree_sitter import Tree

    from v1z3r_build.bundlers.esm import Imports
    from v1z3r_build.bundlers.items import Item
    from v1z3r_build.formats.source_maps import Span
    from v1z3r_build.passes.split.labels import Wanted


@dataclass(frozen=True, slots=True)
class Exchange:
    """What a module takes from others, by specifier its names for theirs; and which of its exports never change.

    declared: whether it says itself that it is a module, by an import or an export. awaits: whether others must wait
    for it, since it has an `await` at its top level.
    """

    imports: Mapping[str, Mapping[str, str]]
    settled: frozenset[str]
    declared: bool
    awaits: bool


def outline(data: bytes, tree: Tree | None = None) -> Exchange | None:
    """What a module that nobody imports takes, None if that cannot be known. tree: its own, if it is parsed already."""
    try:
        module = esm.Outline(data, tree)
    except Refused:
        return None
    return Exchange(module.specifiers(), frozenset(), module.is_declared(), module.awaits())


def exchange(data: bytes) -> Exchange | None:
    """What a module takes and gives, None if that cannot be known. Pure."""
    try:
        module = esm.Module(data)
    except Refused:
        return None
    return Exchange(module.specifiers(), module.settled(), module.is_declared(), module.awaits())


def split_module(
    path: str,
    wanted: Wanted,
    min_size: int,
    told: Sequence[Span],
    imports: Imports | None,
    data: bytes,
    tree: Tree | None = None,
) -> Answer:
    """Split one ES module.

    told: as of Labels. imports: as of `esm.Module`. tree: the script's, if it is parsed already. Pure; for guarded
    children, where the parser may crash.
    """
    try:
        module = esm.Module(data, imports, tree)
    except Refused as refused:
        return Answer(path, diagnostics=(not_split(path, str(refused)),))
    labels = Labels(module.scopes, wanted, told)
    if not labels.present(0, len(data)):
        return Answer(path)
    items = zip(module.items, module.needs(), strict=True)
    found = labels.of([Part(one.start, one.end, tuple(sorted(needs))) for one, needs in items])
    if not any(found):
        return Answer(path)
    if whole := _whole(module.items, found):
        return Answer(path, whole=whole)
    del labels  # all words of the script, with their places

    def split(chosen: Set[str]) -> Answer:
        made = module.split(path, [label if label in chosen else "" for label in found])
        files = {label: VendorFile(*one) for label, one in made.vendors.items()}
        return Answer(path, made.chunk, files, held=made.held)

    return worth.worthwhile(path, data, set(found) - {""}, split, min_size)


def _whole(found: Sequence[Item], labels: Sequence[str]) -> str:
    """The vendor to which all belongs that is evaluated, '' if there is no such."""
    own = {
        label
        for label, item in zip(labels, found, strict=True)
        if item.form not in ("import", "export", "comment", "directive")
    }
    return own.pop() if len(own) == 1 else ""
