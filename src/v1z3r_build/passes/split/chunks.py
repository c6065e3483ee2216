"""webpack's chunks: one at a time, in a worker.

A module that is a vendor's moves as a whole; out of one that webpack has put together of many, the vendor's items
move into a new one. Both go into one chunk for each vendor, whose ids are made of its content.
"""

from __future__ import annotations

import hashlib
import posixpath
from bisect import bisect_left
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from v1z3r_build.bundlers import factories
from v1z3r_build.bundlers.webpack import chunk as webpack
from v1z3r_build.bundlers.webpack import syntax
from v1z3r_build.bundlers.webpack.runtime import read_runtime
from v1z3r_build.bundlers.webpack.syntax import Edit, Module, Refusal
from v1z3r_build.codecs import brotli_coding
from v1z3r_build.formats.renaming import readable_names, rename
from v1z3r_build.formats.scope_analysis import analyse_script
from v1z3r_build.formats.scopes import Access, Refused, ScopeKind, start_of
from v1z3r_build.passes.split import worth
from v1z3r_build.passes.split.answer import Answer, VendorFile, not_split
from v1z3r_build.passes.split.labels import Labels, Part

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from tree_sitter import Node

    from v1z3r_build.bundlers.webpack.syntax import Extent
    from v1z3r_build.formats.scopes import Binding, Reference, Scope, Scopes

# Smaller factories are hardly ever several modules in one; they move whole or not at all.
_CONCATENATED = 4_000
_NEARLY = 0.98
_LICENSED = b"/*! For license information please see the .LICENSE.txt files beside this one */\n"


def split_chunk(path: str, wanted: tuple[str, ...], min_size: int, data: bytes) -> Answer | None:
    """Split one chunk of webpack's; None for a script that is none.

    Pure; for guarded children, where the parser may crash.
    """
    chunk = webpack.read_chunk(data)
    if chunk is None:
        return None
    if isinstance(chunk, Refusal):
        return Answer(path, diagnostics=(not_split(path, f"{chunk.reason} (at byte {chunk.offset})"),))
    try:
        scopes = analyse_script(data)
    except Refused as refused:
        return Answer(path, diagnostics=(not_split(path, str(refused)),))
    queue = data[slice(*chunk.queue)]
    collection = Collection(data, chunk.modules, chunk.strict, chunk.licenses, lambda _: queue)
    finish = webpack.require_own(chunk)
    made = divided(path, collection, scopes, wanted, min_size, lambda _: finish)
    return replace(made, ids=chunk.ids, queue=chunk.queue_name) if made.vendors else made


@dataclass(frozen=True, slots=True)
class Inlined:
    """Modules that are part of a bundle's start: a block that runs once, whose function has no parameters.

    require: the name of the runtime's function, which is declared around it.
    """

    block: Extent
    require: str


@dataclass(frozen=True, slots=True)
class Collection:
    """Modules of one script. strict: whether a directive makes all of them strict.

    queue: where a new chunk is put, by its id. licenses: comments that ask to be kept.
    """

    source: bytes = field(repr=False)
    modules: Sequence[Module]
    strict: bool
    licenses: Sequence[Extent]
    queue: Callable[[str], bytes]
    inlined: Sequence[Inlined] = ()


def divided(
    path: str,
    collection: Collection,
    scopes: Scopes,
    wanted: tuple[str, ...],
    min_size: int,
    finish: Callable[[Mapping[str, VendorFile]], Sequence[Edit]],
) -> Answer:
    """A script without its vendors' modules. finish: edits that the rest needs besides, for its new files by label."""
    labels = Labels(scopes.tree.root_node, wanted)
    data = collection.source
    if not labels.present(0, len(data)):
        return Answer(path)
    work = _Work(path, collection, scopes, labels)
    if len(work.owners) == 1 and "" not in work.owners:
        return Answer(path, whole=next(iter(work.owners)))
    made = work.vendors(work.owners - {""})
    small = {label for label, one in made.items() if brotli_coding.transferred(one.data) < min_size}
    if small:
        made = work.vendors(work.owners - {""} - small)
    if not made:
        return Answer(path)
    rest = syntax.apply(data, [*work.edits, *finish(made)])
    if objection := worth.objection(data, rest, [one.data for one in made.values()]):
        return Answer(path, diagnostics=(not_split(path, objection),))
    return Answer(path, rest, made, cuts=work.cuts)


def module_ids(data: bytes) -> tuple[str, ...] | None:
    """The ids of the modules that a script brings, as a chunk or beside a runtime; None if that cannot be told.

    Pure; for guarded children.
    """
    chunk = webpack.read_chunk(data)
    if isinstance(chunk, webpack.Chunk):
        return tuple(module.id for module in chunk.modules)
    runtime = read_runtime(data)
    if isinstance(chunk, Refusal) or isinstance(runtime, Refusal):
        return None
    return tuple(module.id for module in runtime.own.modules) if runtime is not None else ()


@dataclass(frozen=True, slots=True)
class _Factory:
    """A module. body: None where it can only move whole. labels: of the body's items, or its own one.

    fixed: it cannot move as a whole.
    """

    module: Module
    scope: Scope
    node: Node
    body: factories.Body | None
    labels: tuple[str, ...]
    fixed: bool

    @property
    def owner(self) -> str:
        """The vendor whose it is as a whole: its items are, but for those that only tie it to other modules."""
        if self.fixed:
            return ""
        if self.body is None:
            return self.labels[0]
        own = {
            label
            for item, label in zip(self.body.items, self.labels, strict=True)
            if item.form not in ("directive", "comment") and not self.body.is_link(item)
        }
        return own.pop() if len(own) == 1 else ""

    @property
    def nearly(self) -> str:
        """The vendor whose all is but for a few bytes, '' if there is none."""
        if self.fixed:
            return ""
        if self.body is None:
            return self.labels[0]
        sizes: dict[str, int] = {}
        for item, label in zip(self.body.items, self.labels, strict=True):
            sizes[label] = sizes.get(label, 0) + item.end - item.start
        label = max(sizes, key=lambda one: sizes[one])
        return label if sizes[label] >= _NEARLY * sum(sizes.values()) else ""


class _Work:
    def __init__(self, path: str, collection: Collection, scopes: Scopes, labels: Labels) -> None:
        self.path = path
        self.collection = collection
        self.source = collection.source
        self.scopes = scopes
        self.required: dict[str, set[str]] = {}
        self.read: set[Binding] | None = None
        self.factories = self._pulled(list(self._labelled(labels)))
        # The vendors of the chunk's items, and '' for the app.
        self.owners = {label for one in self.factories for label in ([one.owner] if one.owner else one.labels)}
        self.edits: list[Edit] = []
        self.cuts: dict[str, tuple[str, ...]] = {}

    # Labels

    def _labelled(self, labels: Labels) -> Iterator[_Factory]:
        opened = [self._open(module) for module in self.collection.modules]
        opened += [self._start(number, one) for number, one in enumerate(self.collection.inlined)]
        # All modules are one sequence, for neighbours support each other.
        parts: list[Part] = []
        numbers = {one.module.id: number for number, one in enumerate(opened)}
        first: list[int] = []
        count = 0
        for one in opened:
            first.append(count)
            count += len(one.body.items) if one.body is not None else 1
        for number, one in enumerate(opened):
            required = self._required(one)
            self.required[one.module.id] = {need for _, need in required}
            if one.body is None:
                needs = {first[numbers[need]] for _, need in required if need in numbers}
                start, end = one.module.entry
                parts.append(Part(start, end, tuple(sorted(needs))))
                continue
            for index, needs in enumerate(one.body.needs()):
                item = one.body.items[index]
                needs = {first[number] + need for need in needs}
                needs |= {
                    first[numbers[need]]
                    for place, need in required
                    if need in numbers and item.start <= place < item.end
                }
                parts.append(Part(item.start, item.end, tuple(sorted(needs))))
        found = labels.of(parts)
        for number, one in enumerate(opened):
            size = len(one.body.items) if one.body is not None else 1
            given = tuple(found[first[number] : first[number] + size])
            yield replace(one, labels=("",) if one.fixed and one.body is None else given)

    def _pulled(self, factories: list[_Factory]) -> list[_Factory]:
        """Modules that are a vendor's as a whole, though not all of them says so.

        What nobody but one vendor's modules requires, the vendor has brought. A module that is nearly all the vendor's,
        and requires nothing but the vendor's, is no app's: an app's code has something else to be tied to.
        """
        ids = [one.module.id for one in factories]
        owners = {one.module.id: one.owner for one in factories}
        users = {one: {user for user in ids if one in self.required[user] and user != one} for one in ids}
        nearly = {one.module.id: one.nearly for one in factories if one.nearly and not one.owner}
        unlabelled = {one.module.id for one in factories if not any(one.labels)}
        while True:
            found = {**owners, **nearly}
            changed = True
            while changed:
                changed = False
                for one in unlabelled:
                    labels = {found[user] for user in users[one]}
                    if not found[one] and len(labels) == 1 and "" not in labels:
                        found[one] = labels.pop()
                        changed = True
            tied = {one for one in nearly if any(found.get(need) != nearly[one] for need in self.required[one] - {one})}
            if not tied:
                break
            nearly = {one: label for one, label in nearly.items() if one not in tied}
        return [
            replace(one, body=None, labels=(found[one.module.id],)) if found[one.module.id] != one.owner else one
            for one in factories
        ]

    def _open(self, module: Module) -> _Factory:
        node = _function(self.scopes, module)
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
        return _Factory(module, scope, node, body, (), self._is_bound(scope))

    def _start(self, number: int, inlined: Inlined) -> _Factory:
        """What runs once is no module, but for its labels."""
        block = self.scopes.tree.root_node.descendant_for_byte_range(*inlined.block)
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
        return _Factory(module, scope, node, body, (), True)

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
            one.binding is not None
            and one.binding.scope.kind is not ScopeKind.GLOBAL
            and not scope.encloses(one.binding.scope)
            for one in self._references(scope)
        )

    def _references(self, scope: Scope) -> Sequence[Reference]:
        all_ = self.scopes.references
        return all_[bisect_left(all_, scope.start, key=start_of) : bisect_left(all_, scope.end, key=start_of)]

    def _required(self, one: _Factory) -> list[tuple[int, str]]:
        """The modules that a factory requires by `n(id)`, with the places."""
        if len(one.module.parameters) < 3:
            return []
        name = one.module.parameters[2]
        own = one.scope.bindings.get(name)
        if own is None and not one.fixed:
            return []
        uses = own.references if own is not None else self._references(one.scope)
        found: list[tuple[int, str]] = []
        root = self.scopes.tree.root_node
        for reference in uses:
            binding = reference.binding
            inner = own is None and binding is not None and one.scope.encloses(binding.scope)
            if reference.access is not Access.READ or reference.name != name or inner:
                continue
            node = root.descendant_for_byte_range(reference.start, reference.end)
            call = node.parent if node is not None else None
            if call is None or call.type != "call_expression" or call.child_by_field_name("function") != node:
                continue
            arguments = call.child_by_field_name("arguments")
            given = arguments.named_children if arguments is not None else []
            if len(given) == 1 and given[0].type in ("number", "string"):
                found.append((reference.start, syntax.property_name(given[0])))
        return found

    # The split

    def vendors(self, wanted: set[str]) -> dict[str, VendorFile]:
        self.edits, self.cuts = [], {}
        moved: dict[str, list[bytes]] = {}
        for one in self.factories:
            if one.owner in wanted:
                self.edits.append(webpack.removal(self.source, one.module))
                moved.setdefault(one.owner, []).append(self._whole(one))
            elif one.body is not None and not one.owner and wanted & set(one.labels):
                for label, vendor in self._cut(one, one.body, wanted).items():
                    key = syntax.id_literal(vendor.identifier)
                    moved.setdefault(label, []).append(key + b":" + vendor.factory)
        return {label: self._file(label, modules) for label, modules in sorted(moved.items())}

    def _whole(self, one: _Factory) -> bytes:
        plain = webpack.factory(self.source, one.module).text
        try:
            inside = [binding for binding in self._read() if one.scope.encloses(binding.scope)]
            renamed = rename(self.scopes, one.scope, inside)
        except Refused:
            return plain
        start = one.scope.start - one.module.entry.start
        head = b"" if one.module.keyed else syntax.id_literal(one.module.id) + b":"
        entry = self.source[slice(*one.module.entry)]
        return head + entry[:start] + renamed.text + entry[start + one.scope.end - one.scope.start :]

    def _read(self) -> set[Binding]:
        """Names of functions that the chunk can read. Raises Refused."""
        if self.read is None:
            self.read = readable_names(self.scopes, self.scopes.whole())
        return self.read

    def _cut(self, one: _Factory, body: factories.Body, wanted: set[str]) -> Mapping[str, factories.Vendor]:
        def identify(label: str, factory: bytes) -> str:
            # Equal code in two modules is two modules, each with a state of its own.
            return f"{label}-{one.module.id}-{hashlib.sha256(factory).hexdigest()[:8]}"

        made = body.split([label if label in wanted else "" for label in one.labels], identify)
        if made.vendors:
            self.cuts[one.module.id] = tuple(sorted(vendor.identifier for vendor in made.vendors.values()))
            self.edits.append(Edit(body.node.start_byte, body.node.end_byte, made.body))
            self.edits += _with_parameters(one.node, one.module.parameters, body.dialect.parameters)
        return made.vendors

    def _file(self, label: str, modules: Sequence[bytes]) -> VendorFile:
        table = b"{" + b",".join(modules) + b"}"
        # Of comments none stays but what leads to licences: they hold names and versions of the app's.
        licensed = any(b".LICENSE" in self.source[slice(*place)] for place in self.collection.licenses)
        head = _LICENSED if licensed else b""
        head += b'"use strict";' if self.collection.strict else b""
        identity = f"{label}-{hashlib.sha256(head + table).hexdigest()[:8]}"
        text = b"%s(%s).push([[%s],%s]);" % (head, self.collection.queue(identity), syntax.id_literal(identity), table)
        name = f"{label}.{hashlib.sha256(text).hexdigest()[:16]}.js"
        return VendorFile(posixpath.join(posixpath.dirname(self.path), name), text, identity)


def _function(scopes: Scopes, module: Module) -> Node:
    node = scopes.tree.root_node.descendant_for_byte_range(module.factory.start, module.factory.end)
    while node is not None and node.type not in syntax.FUNCTIONS:
        node = next((child for child in node.named_children if child.start_byte <= module.factory.start), None)
    assert node is not None, "a factory that is no function"
    return node


def _dialect(scopes: Scopes, parameters: Sequence[str]) -> factories.Dialect:
    """How modules of webpack refer to each other: by the third parameter, which an old factory may lack."""
    standard = ("module", "exports", "require")
    names = [*parameters[:3], *(_free(scopes, name) for name in standard[len(parameters) :])]
    module, require = names[0], names[2]

    def export(pairs: Sequence[tuple[str, str]]) -> str:
        # Without the runtime's `d`, which takes other arguments in webpack 4.
        return f"{module}.exports={{{','.join(f'get {key}(){{return {value}}}' for key, value in pairs)}}};"

    return factories.Dialect(",".join(names), require, lambda one: f'{require}("{one}")', export)


def _free(scopes: Scopes, name: str) -> str:
    """A name that nothing in a script bears, nor anything that is made of it."""
    taken = {one.name for one in scopes.references} | {name for one in scopes.scopes for name in one.bindings}
    while name in taken:
        name += "_"
    return name


def _with_parameters(function: Node, present: Sequence[str], wanted: str) -> list[Edit]:
    if len(present) >= 3:
        return []
    node = function.child_by_field_name("parameters") or function.child_by_field_name("parameter")
    assert node is not None
    return [Edit(node.start_byte, node.end_byte, f"({wanted})".encode())]
