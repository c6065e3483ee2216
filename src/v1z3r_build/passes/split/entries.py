"""Turbopack's chunks: one at a time, in a worker.

An entry, which is a module or several that share a factory, moves as a whole if it is a vendor's; out of a factory into
which Turbopack has merged many modules, the vendor's items move into an entry of their own.
"""

from __future__ import annotations

import hashlib
import posixpath
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, NamedTuple

from v1z3r_build.bundlers import factories
from v1z3r_build.bundlers.turbopack import chunks, context
from v1z3r_build.formats.derivation import Edit, joined, written
from v1z3r_build.formats.scope_analysis import analyse_script
from v1z3r_build.formats.scopes import Kind, Refused
from v1z3r_build.passes.split import ownership
from v1z3r_build.passes.split.answer import Answer, VendorFile, not_split
from v1z3r_build.passes.split.labels import Labels
from v1z3r_build.passes.split.ownership import Owned

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence, Set

    from tree_sitter import Node, Tree

    from v1z3r_build.bundlers.turbopack.chunks import Chunk, Entry, Id
    from v1z3r_build.formats.derivation import Derived
    from v1z3r_build.formats.scopes import Reference, Scope, Scopes
    from v1z3r_build.formats.source_maps import Span
    from v1z3r_build.passes.split.draft import Draft
    from v1z3r_build.passes.split.labels import Wanted

# Smaller factories are hardly ever several modules in one; they move whole or not at all.
_MERGED = 2_000
# An entry that names files of the app's build stays with the app: its bytes change with theirs.
_NAMES_FILES = b"static/chunks/"


def draft_entries(
    path: str, wanted: Wanted, told: Sequence[Span], data: bytes, tree: Tree, chosen: Set[str] | None
) -> Draft | Answer | None:
    """Cut one chunk of Turbopack's apart; None for a script that is none.

    told: as of Labels. tree: the script's. chosen: the vendors to take out, all if None.
    """
    chunk = chunks.read_chunk(data, tree)
    if chunk is None:
        return None
    unsplit = Answer(path, modules=tuple(one for entry in chunk.entries for one in entry.ids))
    try:
        scopes = analyse_script(data, tree)
        labels = Labels(scopes, wanted, told)
        if not labels.present(0, len(data)):
            return unsplit
        work = _Work(chunk, scopes, tree.root_node, labels)
        del labels  # all words of the script, with their places
        if len(work.owners) == 1 and "" not in work.owners:
            return replace(unsplit, whole=next(iter(work.owners)))
        chunks.head(chunk)
        return work.draft(unsplit, work.owners - {""} if chosen is None else chosen)
    except (Refused, chunks.ImmovableError) as refusal:
        return replace(unsplit, diagnostics=(not_split(path, str(refusal)),))


class _Factory(NamedTuple):
    """An entry, the scope of its function, and whose it is."""

    entry: Entry
    scope: Scope
    owned: Owned


class _Work:
    def __init__(self, chunk: Chunk, scopes: Scopes, root: Node, labels: Labels) -> None:
        self.chunk = chunk
        self.scopes = scopes
        self.root = root
        opened = [self._open(entry) for entry in chunk.entries]
        found = ownership.owned([one.owned for one in opened], labels)
        self.factories = [one._replace(owned=self._settled(own)) for one, own in zip(opened, found, strict=True)]
        self.owners = ownership.owners([one.owned for one in self.factories])

    # Labels

    def _settled(self, owned: Owned) -> Owned:
        """The app keeps what names its files."""
        if owned.owner and _NAMES_FILES in self.scopes.source[owned.start : owned.end]:
            return owned._replace(body=None, labels=("",))
        return owned

    def _open(self, entry: Entry) -> _Factory:
        node = self._function(entry)
        parameters = node.child_by_field_name("parameters") or node.child_by_field_name("parameter")
        # Of a method the scope begins with its parameters.
        method = node.type == "method_definition" and parameters is not None
        scope = self.scopes.function_at(parameters.start_byte if method and parameters is not None else node.start_byte)
        assert scope is not None, "a factory without a scope"
        uses = [(use.start, self._node(use)) for use in self._uses(scope, entry)]
        required = ((place, one) for place, node in uses if (one := context.required(node)) is not None)
        registered = ((place, one) for place, node in uses if (one := context.registered(node)) is not None)
        body = self._body(entry, scope, node)
        return _Factory(
            entry, scope, Owned(entry.ids, entry.start, entry.end, body, tuple(required), tuple(registered))
        )

    def _function(self, entry: Entry) -> Node:
        node = self.root.descendant_for_byte_range(*entry.factory)
        assert node is not None
        return node

    def _uses(self, scope: Scope, entry: Entry) -> Iterator[Reference]:
        """The uses of the context, where nothing else has its name."""
        binding = scope.bindings.get(entry.parameters[0]) if entry.parameters else None
        if binding is not None and binding.kind is Kind.PARAMETER and len(binding.declarations) == 1:
            yield from binding.references

    def _node(self, use: Reference) -> Node:
        node = self.root.descendant_for_byte_range(use.start, use.end)
        assert node is not None
        return node

    def _body(self, entry: Entry, scope: Scope, node: Node) -> factories.Body | None:
        body = node.child_by_field_name("body")
        if body is None or not entry.block or entry.end - entry.start < _MERGED or not entry.parameters:
            return None
        binding = scope.bindings.get(entry.parameters[0])
        if binding is None or len(binding.declarations) != 1:
            return None
        try:
            return factories.Body(self.scopes, scope, body, context.dialect(entry.parameters[0]))
        except Refused:
            return None

    def draft(self, unsplit: Answer, wanted: Set[str]) -> Draft:
        pieces: list[_Piece] = []
        for one in self.factories:
            owner, body, cut = one.owned.owner, one.owned.body, None
            if body is not None and not owner and wanted & set(one.owned.labels):
                cut = body.cut([label if label in wanted else "" for label in one.owned.labels])
            pieces.append(_Piece(one.entry, one.scope, owner if owner in wanted else "", cut))
        return _Draft(wanted, unsplit, self.chunk, self.scopes, pieces)


class _Piece(NamedTuple):
    """An entry that moves to its owner, is cut apart, or stays as it is."""

    entry: Entry
    scope: Scope
    owner: str
    cut: factories.Cut | None


@dataclass(frozen=True, slots=True)
class _Draft:
    labels: Set[str]
    unsplit: Answer
    _chunk: Chunk
    _scopes: Scopes = field(repr=False)
    _pieces: Sequence[_Piece] = field(repr=False)

    def answer(self) -> Answer:
        chunk, source, whole = self._chunk, self._scopes.source, factories.Whole(self._scopes)
        kept: list[Derived] = []
        cuts: dict[Id, tuple[str, ...]] = {}
        held: dict[str, str] = {}
        # Equal factories that were cut out of two are one: each run makes its own.
        moved: dict[str, dict[Derived, None]] = {}
        for entry, scope, owner, cut in self._pieces:
            if owner:
                moved.setdefault(owner, {})[whole.text(scope, entry.start, entry.end)] = None
            elif cut is None:
                kept.append(written(source, entry.start, entry.end))
            else:
                made = cut.split(_identify)
                held |= cut.held
                kept.append(written(source, entry.start, entry.end, [Edit(cut.start, cut.end, made.body)]))
                for label, vendor in made.vendors.items():
                    moved.setdefault(label, {})[chunks.entry_of(chunk, vendor.identifier, vendor.factory)] = None
                if made.vendors:
                    cuts |= dict.fromkeys(entry.ids, tuple(vendor.identifier for vendor in made.vendors.values()))
        vendors = {label: self._file(label, list(entries)) for label, entries in sorted(moved.items())}
        # Behind the chunk a comment names its source map.
        rest = joined((chunks.compose(source, chunk, kept), written(source, chunk.end, len(source))))
        return replace(self.unsplit, data=rest, vendors=vendors, cuts=cuts, held=held)

    def _file(self, label: str, entries: list[Derived]) -> VendorFile:
        source, chunk = self._scopes.source, self._chunk
        folder = posixpath.dirname(self.unsplit.path)
        # The runtime knows a chunk by its path, which some builds write into it.
        identity = hashlib.sha256(chunks.compose(source, chunk, entries, "-")).hexdigest()[:16]
        path = posixpath.join(folder, f"{label}.{identity}.js")
        relative = f"/{path}".rpartition("/_next/")[2].lstrip("/")
        return VendorFile(path, chunks.compose(source, chunk, entries, relative), relative)


def _identify(label: str, factory: bytes) -> str:
    return f"{label}-{hashlib.sha256(factory).hexdigest()[:12]}"
