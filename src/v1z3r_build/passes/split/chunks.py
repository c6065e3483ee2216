"""webpack's chunks: one at a time, in a worker.

A module that is a vendor's moves as a whole; out of one that webpack has put together of many, the vendor's items
move into a new one. Both go into one chunk for each vendor, whose ids are made of its content.
"""

from __future__ import annotations

import hashlib
import posixpath
import re
from bisect import bisect_left
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, NamedTuple

from v1z3r_build.bundlers import factories
from v1z3r_build.bundlers.webpack import chunk as webpack
from v1z3r_build.bundlers.webpack import syntax
from v1z3r_build.bundlers.webpack.runtime import read_runtime
from v1z3r_build.bundlers.webpack.syntax import Edit, Module, Refusal
from v1z3r_build.formats.derivation import joined
from v1z3r_build.formats.descent import Descent
from v1z3r_build.formats.engines.script_syntax import parse
from v1z3r_build.formats.scope_analysis import analyse_script
from v1z3r_build.formats.scopes import Access, Refused, ScopeKind, start_of
from v1z3r_build.passes.split import ownership
from v1z3r_build.passes.split.answer import Answer, VendorFile, not_split
from v1z3r_build.passes.split.labels import Labels
from v1z3r_build.passes.split.ownership import Owned

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence, Set

    from tree_sitter import Node, Tree

    from v1z3r_build.bundlers.webpack.syntax import Extent
    from v1z3r_build.formats.derivation import Derived
    from v1z3r_build.formats.scopes import Reference, Scope, Scopes
    from v1z3r_build.formats.source_maps import Span
    from v1z3r_build.passes.split.draft import Draft
    from v1z3r_build.passes.split.labels import Wanted

# Python 3.11 takes longer to find a member of an enumeration than to make a small object.
_GLOBAL = ScopeKind.GLOBAL
# Smaller factories are hardly ever several modules in one; they move whole or not at all.
_CONCATENATED = 4_000
# Where webpack has put licences into files of their own, a comment leads there, by the old chunk's name.
_EXTRACTED = re.compile(rb"\.LICENSE\b")
_EXTRACTED_BESIDE = b"/*! For license information please see the .LICENSE.txt files beside this one */\n"
_LICENSE = re.compile(rb"licen[cs]e|copyright|\(c\)", re.I)


def draft_chunk(
    path: str, wanted: Wanted, told: Sequence[Span], data: bytes, tree: Tree, chosen: Set[str] | None
) -> Draft | Answer | None:
    """Cut one chunk of webpack's apart; None for a script that is none.

    told: as of Labels. tree: the script's. chosen: the vendors to take out, all if None.
    """
    chunk = webpack.read_chunk(data, tree)
    if chunk is None:
        return None
    if isinstance(chunk, Refusal):
        return Answer(path, diagnostics=(not_split(path, f"{chunk.reason} (at byte {chunk.offset})"),))
    unsplit = Answer(path, modules=tuple(module.id for module in chunk.modules))
    try:
        scopes = analyse_script(data, tree)
    except Refused as refused:
        return replace(unsplit, diagnostics=(not_split(path, str(refused)),))
    queue = data[slice(*chunk.queue)]
    finish = webpack.require_own(chunk)
    collection = Collection(
        data,
        chunk.modules,
        chunk.strict,
        chunk.licenses,
        lambda _: queue,
        chunk.queue_name,
        lambda _: finish,
        ids=chunk.ids,
    )
    return draft_modules(unsplit, collection, scopes, tree.root_node, wanted, told, chosen)


class Inlined(NamedTuple):
    """Modules that are part of a bundle's start: a block that runs once, whose function has no parameters.

    require: the name of the runtime's function, which is declared around it.
    """

    block: Extent
    require: str


@dataclass(frozen=True, slots=True)
class Collection:
    """Modules of one script. strict: whether a directive makes all of them strict.

    queue: where a new chunk is put, by its id; queue_name: the name of the runtime's. licenses: comments that ask to be
    kept. finish: edits that the rest needs besides, for its new files by label. ids: of the chunks that it is.
    """

    source: bytes = field(repr=False)
    modules: Sequence[Module]
    strict: bool
    licenses: Sequence[Extent]
    queue: Callable[[str], bytes]
    queue_name: str
    finish: Callable[[Mapping[str, VendorFile]], Sequence[Edit]]
    inlined: Sequence[Inlined] = ()
    ids: tuple[str, ...] = ()


def draft_modules(
    unsplit: Answer,
    collection: Collection,
    scopes: Scopes,
    root: Node,
    wanted: Wanted,
    told: Sequence[Span],
    chosen: Set[str] | None,
) -> Draft | Answer:
    """A script without its vendors' modules. unsplit: the answer if nothing moves. chosen: as above."""
    labels = Labels(scopes, wanted, told)
    if not labels.present(0, len(collection.source)):
        return unsplit
    work = _Work(collection, scopes, root, labels)
    del labels  # all words of the script, with their places
    if len(work.owners) == 1 and "" not in work.owners:
        return replace(unsplit, whole=next(iter(work.owners)))
    return work.draft(unsplit, work.owners - {""} if chosen is None else chosen)


def module_ids(data: bytes) -> tuple[str, ...] | None:
    """The ids of the modules that a script brings, as a chunk or beside a runtime; None if that cannot be told.

    Pure; for guarded children.
    """
    tree = parse(data) if len(data) <= syntax.MAX_SIZE else None
    chunk = webpack.read_chunk(data, tree)
    if isinstance(chunk, webpack.Chunk):
        return tuple(module.id for module in chunk.modules)
    runtime = read_runtime(data, tree)
    if isinstance(chunk, Refusal) or isinstance(runtime, Refusal):
        return None
    return tuple(module.id for module in runtime.own.modules) if runtime is not None else ()


class _Factory(NamedTuple):
    """A module, its function, and whose it is."""

    module: Module
    scope: Scope
    node: Node
    owned: Owned


class _Work:
    def __init__(self, collection: Collection, scopes: Scopes, root: Node, labels: Labels) -> None:
        self.collection = collection
        self.scopes = scopes
        self.root = root
        opened = [self._open(module) for module in collection.modules]
        opened += [self._start(number, one) for number, one in enumerate(collection.inlined)]
        found = ownership.owned([one.owned for one in opened], labels)
        self.factories = [one._replace(owned=own) for one, own in zip(opened, found, strict=True)]
        self.owners = ownership.owners(found)

    def _open(self, module: Module) -> _Factory:
        node = _function(self.root, module)
        parameters = node.child_by_field_name("parameters") or node.child_by_field_name("parameter")
        # Of a method the scope begins with its parameters.
        start = (
            parameters.start_byte if node.type == "method_definition" and parameters is not None else node.start_byte
        )
        scope = self.scopes.function_at(start)
        assert scope is not None, "a factory without a scope"
        block = node.child_by_field_name("body")
        body = None
        if block is not None and block.type == "statement_block":
            body = self._body(scope, block, _dialect(self.scopes, module.parameters))
        required = tuple(self._required(module, scope, node, enclosed=False))
        exported = _exported(module, body) if body is not None else frozenset()
        fixed = self._is_bound(scope)
        owned = Owned((module.id,), *module.entry, body, required, exported=exported, fixed=fixed)
        return _Factory(module, scope, node, owned)

    def _start(self, number: int, inlined: Inlined) -> _Factory:
        """What runs once is no module, but for its labels."""
        block = self.root.descendant_for_byte_range(*inlined.block)
        node = block.parent if block is not None else None
        scope = self.scopes.function_at(node.start_byte) if node is not None else None
        assert block is not None, "a start without its block"
        assert node is not None, "a block without its function"
        assert scope is not None, "a start without a scope"
        names = (_free(self.scopes, "module"), _free(self.scopes, "exports"), inlined.require)
        around = [one for one in self.scopes.scopes[scope.index : scope.last + 1] if one.end >= block.end_byte]
        is_hidden = any(inlined.require in one.bindings for one in around if one.start <= block.start_byte)
        body = None if is_hidden else self._body(scope, block, _dialect(self.scopes, names))
        place = syntax.extent(node)
        module = Module(f"start:{number}", place, place, names, inlined.block, scope.strict, False, False)
        required = tuple(self._required(module, scope, node, enclosed=True))
        return _Factory(module, scope, node, Owned((module.id,), *place, body, required, fixed=True))

    def _body(self, scope: Scope, block: Node, dialect: factories.Dialect) -> factories.Body | None:
        """What can be moved out of a factory, None if it can only move whole."""
        if block.end_byte - block.start_byte < _CONCATENATED:
            return None
        try:
            return factories.Body(self.scopes, scope, block, dialect)
        except Refused:
            return None

    def _is_bound(self, scope: Scope) -> bool:
        """Whether it uses names of functions around it, as nothing but a minifier's liberty could bring about."""
        return any(
            one.binding is not None and one.binding.scope.kind is not _GLOBAL and not scope.encloses(one.binding.scope)
            for one in self._references(scope)
        )

    def _references(self, scope: Scope) -> Sequence[Reference]:
        all_ = self.scopes.references
        return all_[bisect_left(all_, scope.start, key=start_of) : bisect_left(all_, scope.end, key=start_of)]

    def _required(self, module: Module, scope: Scope, node: Node, *, enclosed: bool) -> Iterator[tuple[int, str]]:
        """The modules that a function requires by `n(id)`, with the places.

        enclosed: whether `n` is that of a function around it, and no parameter of its own.
        """
        if scope.kind is ScopeKind.FUNCTION_NAME:
            scope = self.scopes.scopes[scope.index + 1]
        if len(module.parameters) < 3:
            return
        name = module.parameters[2]
        own = scope.bindings.get(name)
        if own is None and not enclosed:
            return
        uses = own.references if own is not None else self._references(scope)
        descent = Descent(node)
        for reference in uses:
            binding = reference.binding
            inner = own is None and binding is not None and scope.encloses(binding.scope)
            if reference.access is not Access.READ or reference.name != name or inner:
                continue
            *_, call, function = descent.to(reference.start, reference.end)
            if call.type != "call_expression" or call.child_by_field_name("function") != function:
                continue
            arguments = call.child_by_field_name("arguments")
            given = arguments.named_children if arguments is not None else []
            if len(given) == 1 and given[0].type in ("number", "string"):
                yield reference.start, syntax.property_name(given[0])

    def draft(self, unsplit: Answer, wanted: Set[str]) -> Draft:
        pieces: list[_Piece] = []
        edits: list[Edit] = []
        for one in self.factories:
            owner, body = one.owned.owner, one.owned.body
            if owner in wanted:
                pieces.append(_Piece(one.module, one.scope, owner))
                edits.append(webpack.removal(self.collection.source, one.module))
            elif body is not None and not owner and wanted & set(one.owned.labels):
                cut = body.cut([label if label in wanted else "" for label in one.owned.labels])
                pieces.append(_Piece(one.module, one.scope, "", cut))
                if cut.labels:
                    parameters = _parameters(self.scopes, one.module.parameters)
                    edits += _with_parameters(one.node, one.module.parameters, parameters)
        return _Draft(wanted, unsplit, self.collection, self.scopes, pieces, edits)


class _Piece(NamedTuple):
    """A module that moves, to its owner, or that is cut apart."""

    module: Module
    scope: Scope
    owner: str
    cut: factories.Cut | None = None


@dataclass(frozen=True, slots=True)
class _Draft:
    """edits: those that the rest needs whatever the vendors' files are."""

    labels: Set[str]
    unsplit: Answer
    _collection: Collection
    _scopes: Scopes = field(repr=False)
    _pieces: Sequence[_Piece] = field(repr=False)
    _edits: Sequence[Edit] = field(repr=False)

    def answer(self) -> Answer:
        whole = factories.Whole(self._scopes)
        edits = [*self._edits]
        cuts: dict[int | str, tuple[str, ...]] = {}
        held: dict[str, str] = {}
        moved: dict[str, list[Derived]] = {}
        for module, scope, owner, cut in self._pieces:
            if cut is None:
                head = b"" if module.keyed else syntax.id_literal(module.id) + b":"
                moved.setdefault(owner, []).append(joined((head, whole.text(scope, *module.entry))))
                continue
            held |= cut.held
            if not cut.labels:
                continue
            made = cut.split(_identifier(module))
            cuts[module.id] = tuple(sorted(vendor.identifier for vendor in made.vendors.values()))
            edits.append(Edit(cut.start, cut.end, made.body))
            for label, vendor in made.vendors.items():
                key = syntax.id_literal(vendor.identifier)
                moved.setdefault(label, []).append(joined((key, b":", vendor.factory)))
        collection = self._collection
        vendors = {label: self._file(label, modules) for label, modules in sorted(moved.items())}
        rest = syntax.apply(collection.source, [*edits, *collection.finish(vendors)])
        return replace(
            self.unsplit,
            data=rest,
            vendors=vendors,
            ids=collection.ids,
            queue=collection.queue_name,
            cuts=cuts,
            held=held,
        )

    def _file(self, label: str, modules: Sequence[Derived]) -> VendorFile:
        collection = self._collection
        table = joined((b"{", webpack.listed(modules), b"}"))
        head = _licenses(collection) + (b'"use strict";' if collection.strict else b"")
        identity = f"{label}-{hashlib.sha256(head + table).hexdigest()[:8]}"
        push = b"%s(%s).push([[%s]," % (head, collection.queue(identity), syntax.id_literal(identity))
        text = joined((push, table, b"]);"))
        name = f"{label}.{hashlib.sha256(text).hexdigest()[:16]}.js"
        return VendorFile(posixpath.join(posixpath.dirname(self.unsplit.path), name), text, identity)


def _identifier(module: Module) -> Callable[[str, bytes], str]:
    # Equal code in two modules is two modules, each with a state of its own.
    return lambda label, factory: f"{label}-{module.id}-{hashlib.sha256(factory).hexdigest()[:8]}"


def _licenses(collection: Collection) -> bytes:
    """Comments that tell of licences. Others, such as banners, hold names and versions of the app's."""
    comments = [collection.source[slice(*place)] for place in collection.licenses]
    extracted = any(map(_EXTRACTED.search, comments))
    kept = [one + b"\n" for one in comments if _LICENSE.search(one) and not _EXTRACTED.search(one)]
    return b"".join([*([_EXTRACTED_BESIDE] if extracted else []), *kept])


def _function(root: Node, module: Module) -> Node:
    node = root.descendant_for_byte_range(module.factory.start, module.factory.end)
    while node is not None and node.type not in syntax.FUNCTIONS:
        node = next((child for child in node.named_children if child.start_byte <= module.factory.start), None)
    assert node is not None, "a factory that is no function"
    return node


def _parameters(scopes: Scopes, given: Sequence[str]) -> list[str]:
    """The three parameters of a module's function, which may lack the last ones."""
    if len(given) >= 3:
        return [*given[:3]]
    return [*given, *(_free(scopes, name) for name in ("module", "exports", "require")[len(given) :])]


def _free(scopes: Scopes, name: str) -> str:
    """A name that nothing in a script bears, nor anything that is made of it."""
    while name in scopes.names:
        name += "_"
    return name


def _exported(module: Module, body: factories.Body) -> frozenset[int]:
    """The items whose bindings a module exports, all by `n.d(t,…)`."""
    if len(module.parameters) < 3:
        return frozenset()
    _, exports, runtime = (name.encode() for name in module.parameters)
    needs = body.needs()
    found: set[int] = set()
    for index, item in enumerate(body.items):
        if item.form != "expression" or item.node.type != "call_expression":
            continue
        arguments = item.node.child_by_field_name("arguments")
        first = syntax.text(arguments.named_children[0]) if arguments and arguments.named_children else b""
        if (syntax.text(item.node.child_by_field_name("function")), first) == (runtime + b".d", exports):
            found |= needs[index]
    return frozenset(found)


def _dialect(scopes: Scopes, parameters: Sequence[str]) -> factories.Dialect:
    """How modules of webpack refer to each other: by the third parameter, which is the same for all."""
    names = _parameters(scopes, parameters)
    holder, require = names[0], names[2]

    def frame(directives: bytes, pairs: Sequence[tuple[str, str]]) -> tuple[bytes, bytes]:
        # Not by the runtime's `d`: it takes other arguments in webpack 4, and is not there where no module exports.
        getters = ",".join(f"get {key}(){{return {value}}}" for key, value in pairs)
        export = f"{holder}.exports={{{getters}}};".encode()
        return joined((f"function({','.join(names)}){{".encode(), directives, export)), b"}"

    return factories.Dialect(require, lambda _: True, lambda one: f'{require}("{one}")', frame)


def _with_parameters(function: Node, present: Sequence[str], wanted: Sequence[str]) -> list[Edit]:
    if len(present) >= 3:
        return []
    node = function.child_by_field_name("parameters") or function.child_by_field_name("parameter")
    assert node is not None
    return [Edit(node.start_byte, node.end_byte, f"({','.join(wanted)})".encode())]
