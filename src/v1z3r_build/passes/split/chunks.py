"""webpack's chunks: one at a time, in a worker.

A module that is a vendor's moves as a whole; out of one that webpack has put together of many, the vendor's items
move into a new one. Both go into one chunk for each vendor, whose ids are made of its content.
"""

from __future__ import annotations

import hashlib
import posixpath
from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

from v1z3r_build.bundlers import factories
from v1z3r_build.bundlers.webpack import chunk as webpack
from v1z3r_build.bundlers.webpack import syntax
from v1z3r_build.bundlers.webpack.syntax import Edit, Refusal
from v1z3r_build.formats.derivation import joined, written
from v1z3r_build.formats.renaming import readable_names, rename
from v1z3r_build.formats.scope_analysis import analyse_script
from v1z3r_build.formats.scopes import Access, Refused
from v1z3r_build.passes.split import ownership
from v1z3r_build.passes.split.answer import Answer, VendorFile, not_split
from v1z3r_build.passes.split.labels import Labels
from v1z3r_build.passes.split.ownership import Owned

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence, Set

    from tree_sitter import Node

    from v1z3r_build.bundlers.webpack.chunk import Chunk
    from v1z3r_build.bundlers.webpack.syntax import Module
    from v1z3r_build.formats.derivation import Derived
    from v1z3r_build.formats.scopes import Binding, Scope, Scopes
    from v1z3r_build.passes.split.labels import Wanted

# Smaller factories are hardly ever several modules in one; they move whole or not at all.
_CONCATENATED = 4_000


def split_chunk(path: str, wanted: Wanted, min_size: int, data: bytes) -> Answer | None:
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
    labels = Labels(scopes.tree.root_node, wanted)
    if not labels.present(0, len(data)):
        return Answer(path)
    work = _Work(path, chunk, scopes, labels)
    if len(work.owners) == 1 and "" not in work.owners:
        return Answer(path, whole=next(iter(work.owners)))
    made = ownership.settled(path, data, work.vendors, work.remainder, work.owners - {""}, min_size)
    return replace(made, ids=chunk.ids, queue=chunk.queue_name)


class _Factory(NamedTuple):
    """A module, its function, and whose it is."""

    module: Module
    scope: Scope
    node: Node
    owned: Owned


class _Work:
    def __init__(self, path: str, chunk: Chunk, scopes: Scopes, labels: Labels) -> None:
        self.path = path
        self.chunk = chunk
        self.scopes = scopes
        self.read: set[Binding] | None = None
        opened = [self._open(module) for module in chunk.modules]
        found = ownership.owned([one.owned for one in opened], labels)
        self.factories = [one._replace(owned=own) for one, own in zip(opened, found, strict=True)]
        self.owners = ownership.owners(found)
        self.edits: list[Edit] = []

    def _open(self, module: Module) -> _Factory:
        node = _function(self.scopes, module)
        parameters = node.child_by_field_name("parameters") or node.child_by_field_name("parameter")
        # Of a method the scope begins with its parameters.
        start = (
            parameters.start_byte if node.type == "method_definition" and parameters is not None else node.start_byte
        )
        scope = self.scopes.function_at(start)
        assert scope is not None, "a factory without a scope"
        required = tuple(self._required(scope, module))
        body = self._body(module, scope, node)
        exported = _exported(module, body) if body is not None else frozenset()
        owned = Owned((module.id,), *module.entry, body, required, exported=exported)
        return _Factory(module, scope, node, owned)

    def _body(self, module: Module, scope: Scope, node: Node) -> factories.Body | None:
        body = node.child_by_field_name("body")
        if body is None or body.type != "statement_block" or module.factory.end - module.factory.start < _CONCATENATED:
            return None
        try:
            return factories.Body(self.scopes, scope, body, _dialect(self.scopes, module))
        except Refused:
            return None

    def _required(self, scope: Scope, module: Module) -> Iterator[tuple[int, str]]:
        """The modules that a factory requires by `n(id)`, with the places."""
        if len(module.parameters) < 3 or module.parameters[2] not in scope.bindings:
            return
        root = self.scopes.tree.root_node
        for reference in scope.bindings[module.parameters[2]].references:
            if reference.access is not Access.READ:
                continue
            node = root.descendant_for_byte_range(reference.start, reference.end)
            call = node.parent if node is not None else None
            if call is None or call.type != "call_expression" or call.child_by_field_name("function") != node:
                continue
            arguments = call.child_by_field_name("arguments")
            given = arguments.named_children if arguments is not None else []
            if len(given) == 1 and given[0].type in ("number", "string"):
                yield reference.start, syntax.property_name(given[0])

    # The split

    def vendors(self, wanted: Set[str]) -> dict[str, VendorFile]:
        self.edits = []
        moved: dict[str, list[Derived]] = {}
        for one in self.factories:
            owner, body = one.owned.owner, one.owned.body
            if owner in wanted:
                self.edits.append(webpack.removal(self.chunk.source, one.module))
                moved.setdefault(owner, []).append(self._whole(one))
            elif body is not None and not owner and wanted & set(one.owned.labels):
                for label, vendor in self._cut(one, body, wanted).items():
                    key = syntax.id_literal(vendor.identifier)
                    moved.setdefault(label, []).append(joined((key, b":", vendor.factory)))
        return {label: self._file(label, modules) for label, modules in sorted(moved.items())}

    def _whole(self, one: _Factory) -> Derived:
        plain = webpack.factory(self.chunk.source, one.module).text
        try:
            inside = [binding for binding in self._read() if one.scope.encloses(binding.scope)]
            renamed = rename(self.scopes, one.scope, inside)
        except Refused:
            return plain
        head = b"" if one.module.keyed else syntax.id_literal(one.module.id) + b":"
        start, end = one.module.entry
        before = written(self.chunk.source, start, one.scope.start)
        return joined((head, before, renamed.text, written(self.chunk.source, one.scope.end, end)))

    def _read(self) -> set[Binding]:
        """Names of functions that the chunk can read. Raises Refused."""
        if self.read is None:
            self.read = readable_names(self.scopes, self.scopes.whole())
        return self.read

    def _cut(self, one: _Factory, body: factories.Body, wanted: Set[str]) -> Mapping[str, factories.Vendor]:
        def identify(label: str, factory: bytes) -> str:
            # Equal code in two modules is two modules, each with a state of its own.
            return f"{label}-{one.module.id}-{hashlib.sha256(factory).hexdigest()[:8]}"

        made = body.split([label if label in wanted else "" for label in one.owned.labels], identify)
        if made.vendors:
            self.edits.append(Edit(body.node.start_byte, body.node.end_byte, made.body))
            self.edits += _with_parameters(one.node, one.module.parameters, _parameters(self.scopes, one.module))
        return made.vendors

    def _file(self, label: str, modules: Sequence[Derived]) -> VendorFile:
        table = joined((b"{", webpack.listed(modules), b"}"))
        head = b"".join(self.chunk.source[slice(*place)] + b"\n" for place in self.chunk.licenses)
        head += b'"use strict";' if self.chunk.strict else b""
        queue = self.chunk.source[slice(*self.chunk.queue)]
        identity = f"{label}-{hashlib.sha256(head + queue + table).hexdigest()[:8]}"
        push = b"%s(%s).push([[%s]," % (head, queue, syntax.id_literal(identity))
        text = joined((push, table, b"]);"))
        name = f"{label}.{hashlib.sha256(text).hexdigest()[:16]}.js"
        return VendorFile(posixpath.join(posixpath.dirname(self.path), name), text, identity)

    def remainder(self) -> Derived:
        return syntax.apply(self.chunk.source, [*self.edits, *webpack.require_own(self.chunk)])


def _function(scopes: Scopes, module: Module) -> Node:
    node = scopes.tree.root_node.descendant_for_byte_range(module.factory.start, module.factory.end)
    while node is not None and node.type not in syntax.FUNCTIONS:
        node = next((child for child in node.named_children if child.start_byte <= module.factory.start), None)
    assert node is not None, "a factory that is no function"
    return node


def _parameters(scopes: Scopes, module: Module) -> list[str]:
    """The three parameters of a module's function, which may lack the last ones."""
    names = list(module.parameters)
    taken = {one.name for one in scopes.references} | {name for one in scopes.scopes for name in one.bindings}
    for standard in ("module", "exports", "require")[len(names) :]:
        names.append(next(name for name in (f"{standard}{'_' * i}" for i in range(99)) if name not in taken))
    return names


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


def _dialect(scopes: Scopes, module: Module) -> factories.Dialect:
    """How modules of webpack refer to each other: by the third parameter, which is the same for all."""
    names = _parameters(scopes, module)
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
