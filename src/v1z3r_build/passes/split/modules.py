"""ES modules: one script at a time, in a worker."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, NamedTuple

from v1z3r_build.bundlers import esm
from v1z3r_build.bundlers.esm import Imports
from v1z3r_build.formats.scopes import Refused
from v1z3r_build.passes.split import worth
from v1z3r_build.passes.split.answer import Answer, VendorFile, not_split
from v1z3r_build.passes.split.labels import Labels, Part

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence, Set

    from tree_sitter import Tree

    from v1z3r_build.bundlers.items import Item
    from v1z3r_build.formats.source_maps import Span
    from v1z3r_build.passes.split.draft import Draft
    from v1z3r_build.passes.split.labels import Wanted


class Exchange(NamedTuple):
    """What a module takes from others, by specifier its names for theirs; and which of its exports never change.

    declared: whether it says itself that it is a module, by an import or an export. awaits: whether others must wait
    for it, since it has an `await` at its top level.
    """

    imports: Mapping[str, Mapping[str, str]]
    settled: frozenset[str]
    declared: bool
    awaits: bool

    def hoped(self) -> Imports:
        """What mostly comes to be known of what it imports: nothing of it changes, waits, or imports the module."""
        names = frozenset(name for names in self.imports.values() for name in names)
        return Imports(names, circular=False, awaiting=False)


def outline(data: bytes, tree: Tree) -> Exchange | None:
    """What a module takes, and nothing of what it gives; None if that cannot be known. tree: its own."""
    try:
        return _taken(esm.Outline(data, tree))
    except Refused:
        return None


def exchange(data: bytes) -> Exchange | None:
    """What a module takes and gives, None if that cannot be known. Pure."""
    try:
        module = esm.Module(data)
    except Refused:
        return None
    return given(_taken(module), module)


def given(taken: Exchange, module: esm.Module) -> Exchange:
    """What a module takes, and what it gives besides."""
    return taken._replace(settled=module.settled())


def _taken(module: esm.Outline) -> Exchange:
    return Exchange(module.specifiers(), frozenset(), module.is_declared(), module.awaits())


def split_module(
    path: str, wanted: Wanted, min_size: int, told: Sequence[Span], imports: Imports, data: bytes
) -> Answer:
    """Split one ES module. told: as of Labels. imports: as of `esm.Module`.

    Pure; for guarded children, where the parser may crash.
    """

    def draft(chosen: Set[str] | None) -> Draft | Answer:
        try:
            module = esm.Module(data, imports)
        except Refused as refused:
            return Answer(path, diagnostics=(not_split(path, str(refused)),))
        return draft_module(path, wanted, told, module, chosen)

    made = draft(None)
    return made if isinstance(made, Answer) else worth.worthwhile(path, data, made, draft, min_size)


def draft_module(
    path: str, wanted: Wanted, told: Sequence[Span], module: esm.Module, chosen: Set[str] | None
) -> Draft | Answer:
    """Cut one ES module apart. told: as of Labels. chosen: the vendors to take out, all if None."""
    labels = Labels(module.scopes, wanted, told)
    if not labels.present(0, len(module.source)):
        return Answer(path)
    items = zip(module.items, module.needs(), strict=True)
    found = labels.of([Part(one.start, one.end, tuple(sorted(needs))) for one, needs in items])
    if not any(found):
        return Answer(path)
    if whole := _whole(module.items, found):
        return Answer(path, whole=whole)
    wanted_labels = set(found) - {""} if chosen is None else chosen
    return _Draft(wanted_labels, Answer(path), module.cut([label if label in wanted_labels else "" for label in found]))


@dataclass(frozen=True, slots=True)
class _Draft:
    labels: Set[str]
    unsplit: Answer
    _cut: esm.Cut

    def answer(self) -> Answer:
        made = self._cut.split(self.unsplit.path)
        files = {label: VendorFile(*one) for label, one in made.vendors.items()}
        return replace(self.unsplit, data=made.chunk, vendors=files, held=self._cut.held)


def _whole(found: Sequence[Item], labels: Sequence[str]) -> str:
    """The vendor to which all belongs that is evaluated, '' if there is no such."""
    own = {
        label
        for label, item in zip(labels, found, strict=True)
        if item.form not in ("import", "export", "comment", "directive")
    }
    return own.pop() if len(own) == 1 else ""
