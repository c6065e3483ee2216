"""Vendors split out of module factories, into which webpack and Turbopack join ("concatenate") many modules.

The vendor's items move into a factory of their own, which the old one requires first of all: that declares and does
nothing else. Its functions are called where its items stood. The old factory reads its bindings anew each time, as
webpack's modules read each other's.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from v1z3r_build.bundlers.division import divide, needs
from v1z3r_build.bundlers.holding import hold
from v1z3r_build.bundlers.items import index_at, items
from v1z3r_build.bundlers.passage import Edit, Passage, may_go_on
from v1z3r_build.bundlers.transfer import START, fresh_names, transfer
from v1z3r_build.formats.renaming import named, readable_names, rename
from v1z3r_build.formats.scope_analysis import analyse_script
from v1z3r_build.formats.scopes import Access, Refused, ScopeKind

if TYPE_CHECKING:
    from collections.abc import Callable, Container, Iterator, Mapping, Sequence

    from tree_sitter import Node

    from v1z3r_build.bundlers.division import Binding, Part
    from v1z3r_build.bundlers.items import Item
    from v1z3r_build.bundlers.transfer import Transfer
    from v1z3r_build.formats.scopes import Region, Scope, Scopes


class Dialect(NamedTuple):
    """How a bundler's factories refer to each other.

    parameters: of the vendor's factory, as text. runtime: the parameter's name by which items may load other modules.
    require: gives the expression that yields a module's exports, by its id. export: gives the statement that defines
    exports, from names and the expressions of their getters.
    """

    parameters: str
    runtime: str
    require: Callable[[str], str]
    export: Callable[[Sequence[tuple[str, str]]], str]


class Vendor(NamedTuple):
    """A vendor's factory. identifier: its module id, made of its content; factory: the function's text."""

    identifier: str
    factory: bytes


@dataclass(frozen=True, slots=True)
class Split:
    """body: what the old factory's body becomes, from its start to its end. vendors: by label."""

    body: bytes
    vendors: Mapping[str, Vendor]


class Body:
    """The body of a factory, analysed. items, bindings: what its labels are found by."""

    def __init__(self, scopes: Scopes, scope: Scope, node: Node, dialect: Dialect) -> None:
        """node: the `statement_block`; scope: that of the function's parameters. Raises Refused."""
        self.scopes = scopes
        self.node = node
        self.dialect = dialect
        self.items = items(node)
        self._region = scopes.region(scope)
        self._holding = hold(scopes.source, self.items, self._region, runtime=dialect.runtime)
        self._holding.fixed.update(_bound(self.items, self._region, dialect.runtime))

    @property
    def bindings(self) -> Sequence[Binding]:
        return self._holding.bindings

    def needs(self) -> list[set[int]]:
        """For each item the indices of those that declare what it reads or writes."""
        return needs(self.items, self.bindings)

    def is_link(self, item: Item) -> bool:
        """Whether an item only ties the module to others: a call of the runtime's, `n.d(t,{…})`, `var a=n(7)`."""
        call = item.node.child_by_field_name("value") if item.form == "declarator" else item.node
        function = call.child_by_field_name("function") if call is not None and call.type == "call_expression" else None
        if function is None or item.form not in ("expression", "declarator"):
            return False
        owner = function.child_by_field_name("object") or function
        return owner.text == self.dialect.runtime.encode()

    def split(self, labels: Sequence[str], identify: Callable[[str, bytes], str]) -> Split:
        """The body split by the labels of its items: the name of a vendor, or '' for the app.

        identify: makes a module id of a label and the text of the vendor's factory.
        """
        parts = divide(self.items, self.bindings, labels, self._holding.fixed)
        factory = _Factory(self.scopes, self._region, self.items, self.bindings, parts, self.dialect, identify)
        return factory.split(self.node)


class _Factory:
    def __init__(
        self,
        scopes: Scopes,
        region: Region,
        found: Sequence[Item],
        bindings: Sequence[Binding],
        parts: Mapping[str, Part],
        dialect: Dialect,
        identify: Callable[[str, bytes], str],
    ) -> None:
        self.source = scopes.source
        self.scopes = scopes
        self.region = region
        self.items = found
        self.bindings = {binding.name: binding for binding in bindings}
        self.parts = parts
        self.dialect = dialect
        self.identify = identify
        self.names = fresh_names(scopes)
        self.read = {binding.name for binding in readable_names(scopes, region)}
        self.strict = [index for index, item in enumerate(found) if item.form == "directive"]
        self.first: list[str] = []
        self.before: dict[int, list[str]] = {}
        self.after: dict[int, list[str]] = {}
        self.edits: list[Edit] = []

    def split(self, body: Node) -> Split:
        vendors = {label: self._vendor(label, part) for label, part in self.parts.items()}
        return Split(
            b"{" + self._remainder() + b"}" if vendors else self.source[body.start_byte : body.end_byte], vendors
        )

    def _vendor(self, label: str, part: Part) -> Vendor:
        made = transfer(self.source, self.region, self.items, part, self.names, plain=False)
        provided = [*part.provided, *(call.function for call in made.calls)]
        # By their places: the names that the app's build gave would change with every build.
        keys = {name: _key(number) for number, name in enumerate(provided)}
        text = self._directives() + self.dialect.export([(keys[name], name) for name in provided]).encode() + made.body
        factory = _canonical(f"function({self.dialect.parameters}){{".encode() + text + b"}", self.read)
        identifier = self.identify(label, factory)
        module = next(self.names)
        self.first.append(f"var {module}={self.dialect.require(identifier)};")
        self._call(made, module, keys)
        self._read(part, made, module, keys)
        return Vendor(identifier, factory)

    def _directives(self) -> bytes:
        passage = Passage(self.source)
        for index in self.strict:
            passage.add(self.items[index])
        return passage.text()

    def _call(self, made: Transfer, module: str, keys: Mapping[str, str]) -> None:
        for call in made.calls:
            statement = f"{module}.{keys[call.function]}({','.join(call.arguments)});"
            if call.place == START:
                self.first.append(statement)
            else:
                (self.after if call.after else self.before).setdefault(call.place, []).append(statement)

    def _read(self, part: Part, made: Transfer, module: str, keys: Mapping[str, str]) -> None:
        """Where the old factory reads what the vendor has: once if it is there from the start, else anew each time.

        Not once its run is over: the run may call the app, by whatever way.
        """
        at_once: list[str] = []
        for name, live in part.provided.items():
            expression = f"{module}.{keys[name]}"
            if live or name not in made.ready:
                self.edits += self._live(name, expression)
            else:
                at_once.append(f"{name}={expression}")
        if at_once:
            self.first.append(f"var {','.join(at_once)};")

    def _live(self, name: str, expression: str) -> Iterator[Edit]:
        moved = {index for part in self.parts.values() for index in part.items}
        root = self.scopes.tree.root_node
        for use in self.bindings[name].uses:
            if use.item in moved:
                continue
            text = expression
            node = root.descendant_for_byte_range(use.start, use.end)
            if use.shorthand:
                text = f"{name}:{expression}"
            elif node is not None and _is_called(node):
                text = (";" if _goes_on(node) else "") + f"(0,{expression})"
            yield Edit(use.start, use.end, text.encode())

    def _remainder(self) -> bytes:
        moved = {index for part in self.parts.values() for index in part.items}
        edits = sorted(self.edits)
        passage = Passage(self.source)
        start = max(self.strict, default=-1) + 1
        for index, item in enumerate(self.items):
            if index == start:
                passage.statements(text.encode() for text in self.first)
            passage.statements(text.encode() for text in self.before.get(index, ()))
            if index not in moved:
                passage.add(item, edits)
            passage.statements(text.encode() for text in self.after.get(index, ()))
        return passage.text()


def _bound(found: Sequence[Item], region: Region, runtime: str) -> Iterator[int]:
    """Items that use names of functions around the region. They may read the runtime's: every factory is given it."""
    for reference in region.references:
        binding = reference.binding
        if binding is None or binding.scope.kind is ScopeKind.GLOBAL or region.scope.encloses(binding.scope):
            continue
        if binding.name != runtime or reference.access is not Access.READ:
            yield index_at(found, reference.start)


def _canonical(factory: bytes, read: Container[str]) -> bytes:
    """A factory under names that do not depend on the app's. read: names of functions that the old factory can read."""
    try:
        scopes = analyse_script(b"(" + factory + b")")
        scope = scopes.function_at(1)
        return factory if scope is None else rename(scopes, scope, named(scopes, read)).text
    except Refused:
        return factory


def _is_called(node: Node) -> bool:
    """Whether a name is called: as a property it would be given its object as `this`."""
    parent = node.parent
    while parent is not None and parent.type == "parenthesized_expression":
        node, parent = parent, parent.parent
    return parent is not None and parent.type == "call_expression" and parent.child_by_field_name("function") == node


def _goes_on(name: Node) -> bool:
    """Whether a parenthesis in place of the name would go on with the statement before it, which a new line ends."""
    node = name
    while node.parent is not None and node.type != "expression_statement" and node.start_byte == node.parent.start_byte:
        node = node.parent
    return node.type == "expression_statement" and may_go_on(node)


def _key(number: int) -> str:
    """Short names for properties: a, b, …, z, aa, ab, …"""
    name = ""
    number += 1
    while number:
        number, digit = divmod(number - 1, 26)
        name = "abcdefghijklmnopqrstuvwxyz"[digit] + name
    return name
