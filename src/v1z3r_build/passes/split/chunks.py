"""webpack's chunks: one at a time, in a worker.

A module that is a vendor's moves as a whole; out of one that webpack has put together of many, the vendor's items
move into a new one. Both go into one chunk for each vendor, whose ids are made of its content.
"""

from __future__ import annotations

import hashlib
import posixpath
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from v1z3r_build.bundlers import factories
from v1z3r_build.bundlers.webpack import chunk as webpack
from v1z3r_build.bundlers.webpack import syntax
from v1z3r_build.bundlers.webpack.syntax import Edit, Refusal
from v1z3r_build.codecs import brotli_coding
from v1z3r_build.formats.derivation import joined, written
from v1z3r_build.formats.renaming import readable_names, rename
from v1z3r_build.formats.scope_analysis import analyse_script
from v1z3r_build.formats.scopes import Access, Refused
from v1z3r_build.passes.split import worth
from v1z3r_build.passes.split.answer import Answer, VendorFile, not_split
from v1z3r_build.passes.split.labels import Labels, Part

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from tree_sitter import Node

    from v1z3r_build.bundlers.webpack.chunk import Chunk
    from v1z3r_build.bundlers.webpack.syntax import Module
    from v1z3r_build.formats.derivation import Derived
    from v1z3r_build.formats.scopes import Binding, Scope, Scopes
    from v1z3r_build.passes.split.labels import Wanted

# Smaller factories are hardly ever several modules in one; they move whole or not at all.
_CONCATENATED = 4_000
_NEARLY = 0.98


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
    vendors = work.vendors(work.owners - {""})
    small = {label for label, one in vendors.items() if brotli_coding.transferred(one.data) < min_size}
    if small:
        vendors = work.vendors(work.owners - {""} - small)
    if not vendors:
        return Answer(path)
    rest = work.remainder()
    if objection := worth.objection(data, rest, [one.data for one in vendors.values()]):
        return Answer(path, diagnostics=(not_split(path, objection),))
    return Answer(path, rest, vendors, "", chunk.ids, chunk.queue_name)


@dataclass(frozen=True, slots=True)
class _Factory:
    """A module. body: None where it can only move whole. labels: of the body's items, or its own one."""

    module: Module
    scope: Scope
    node: Node
    body: factories.Body | None
    labels: tuple[str, ...]

    @property
    def owner(self) -> str:
        """The vendor whose it is as a whole: its items are, but for those that only tie it to other modules."""
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
        if self.body is None:
            return self.labels[0]
        sizes: dict[str, int] = {}
        for item, label in zip(self.body.items, self.labels, strict=True):
            sizes[label] = sizes.get(label, 0) + item.end - item.start
        label = max(sizes, key=lambda one: sizes[one])
        return label if sizes[label] >= _NEARLY * sum(sizes.values()) else ""


class _Work:
    def __init__(self, path: str, chunk: Chunk, scopes: Scopes, labels: Labels) -> None:
        self.path = path
        self.chunk = chunk
        self.scopes = scopes
        self.required: dict[str, set[str]] = {}
        self.read: set[Binding] | None = None
        self.factories = self._pulled(list(self._labelled(labels)))
        # The vendors of the chunk's items, and '' for the app.
        self.owners = {label for one in self.factories for label in ([one.owner] if one.owner else one.labels)}
        self.edits: list[Edit] = []

    # Labels

    def _labelled(self, labels: Labels) -> Iterator[_Factory]:
        opened = [self._open(module) for module in self.chunk.modules]
        # All modules are one sequence, for neighbours support each other.
        parts: list[Part] = []
        numbers = {module.id: number for number, module in enumerate(self.chunk.modules)}
        first: list[int] = []
        count = 0
        for _, _, body in opened:
            first.append(count)
            count += len(body.items) if body is not None else 1
        for number, (scope, _, body) in enumerate(opened):
            required = self._required(scope, self.chunk.modules[number])
            self.required[self.chunk.modules[number].id] = {one for _, one in required}
            if body is None:
                needs = {first[numbers[one]] for _, one in required if one in numbers}
                start, end = self.chunk.modules[number].entry
                parts.append(Part(start, end, tuple(sorted(needs))))
                continue
            for index, needs in enumerate(body.needs()):
                item = body.items[index]
                needs = {first[number] + one for one in needs}
                needs |= {
                    first[numbers[one]] for place, one in required if one in numbers and item.start <= place < item.end
                }
                parts.append(Part(item.start, item.end, tuple(sorted(needs))))
        found = labels.of(parts)
        for number, (scope, node, body) in enumerate(opened):
            size = len(body.items) if body is not None else 1
            given = tuple(found[first[number] : first[number] + size])
            yield _Factory(self.chunk.modules[number], scope, node, body, given)

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

    def _open(self, module: Module) -> tuple[Scope, Node, factories.Body | None]:
        node = _function(self.scopes, module)
        parameters = node.child_by_field_name("parameters") or node.child_by_field_name("parameter")
        # Of a method the scope begins with its parameters.
        start = (
            parameters.start_byte if node.type == "method_definition" and parameters is not None else node.start_byte
        )
        scope = self.scopes.function_at(start)
        assert scope is not None, "a factory without a scope"
        body = node.child_by_field_name("body")
        if body is None or body.type != "statement_block" or module.factory.end - module.factory.start < _CONCATENATED:
            return scope, node, None
        try:
            return scope, node, factories.Body(self.scopes, scope, body, _dialect(self.scopes, module))
        except Refused:
            return scope, node, None

    def _required(self, scope: Scope, module: Module) -> list[tuple[int, str]]:
        """The modules that a factory requires by `n(id)`, with the places."""
        if len(module.parameters) < 3 or module.parameters[2] not in scope.bindings:
            return []
        found: list[tuple[int, str]] = []
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
                found.append((reference.start, syntax.property_name(given[0])))
        return found

    # The split

    def vendors(self, wanted: set[str]) -> dict[str, VendorFile]:
        self.edits = []
        moved: dict[str, list[Derived]] = {}
        for one in self.factories:
            if one.owner in wanted:
                self.edits.append(webpack.removal(self.chunk.source, one.module))
                moved.setdefault(one.owner, []).append(self._whole(one))
            elif one.body is not None and not one.owner and wanted & set(one.labels):
                for label, vendor in self._cut(one, one.body, wanted).items():
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

    def _cut(self, one: _Factory, body: factories.Body, wanted: set[str]) -> Mapping[str, factories.Vendor]:
        def identify(label: str, factory: bytes) -> str:
            # Equal code in two modules is two modules, each with a state of its own.
            return f"{label}-{one.module.id}-{hashlib.sha256(factory).hexdigest()[:8]}"

        made = body.split([label if label in wanted else "" for label in one.labels], identify)
        if made.vendors:
            self.edits.append(Edit(body.node.start_byte, body.node.end_byte, made.body))
            self.edits += _with_parameters(one.node, one.module.parameters, body.dialect.parameters)
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


def _dialect(scopes: Scopes, module: Module) -> factories.Dialect:
    """How modules of webpack refer to each other: by the third parameter, which an old factory may lack."""
    names = list(module.parameters)
    taken = {one.name for one in scopes.references} | {name for one in scopes.scopes for name in one.bindings}
    for standard in ("module", "exports", "require"):
        if len(names) < 3 and len(names) <= ("module", "exports", "require").index(standard):
            names.append(next(name for name in (f"{standard}{'_' * i}" for i in range(99)) if name not in taken))
    holder, require = names[0], names[2]

    def export(pairs: Sequence[tuple[str, str]]) -> str:
        # Not by the runtime's `d`: it takes other arguments in webpack 4, and is not there where no module exports.
        getters = ",".join(f"get {key}(){{return {value}}}" for key, value in pairs)
        return f"{holder}.exports={{{getters}}};"

    return factories.Dialect(",".join(names), require, lambda one: f'{require}("{one}")', export)


def _with_parameters(function: Node, present: Sequence[str], wanted: str) -> list[Edit]:
    if len(present) >= 3:
        return []
    node = function.child_by_field_name("parameters") or function.child_by_field_name("parameter")
    assert node is not None
    return [Edit(node.start_byte, node.end_byte, f"({wanted})".encode())]
