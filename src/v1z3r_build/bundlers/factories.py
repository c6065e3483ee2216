"""Vendors split out of module factories, into which webpack and Turbopack join ("concatenate") many modules.

The vendor's items move into a factory of their own, which the old one requires first of all: that declares and does
nothing else. Its functions are called where its items stood. The old factory reads its bindings anew each time, as
webpack's modules read each other's.
"""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from v1z3r_build.bundlers.division import divide, needs, objections
from v1z3r_build.bundlers.holding import hold
from v1z3r_build.bundlers.items import Places, items
from v1z3r_build.bundlers.passage import Edit, Passage, may_go_on
from v1z3r_build.bundlers.transfer import START, fresh_names, transfer
from v1z3r_build.formats.derivation import joined, written
from v1z3r_build.formats.descent import Descent
from v1z3r_build.formats.renaming import Renamer, readable_names
from v1z3r_build.formats.scopes import Access, Goal, Kind, Reason, Refused, ScopeKind
from v1z3r_build.formats.transplants import Composition, composed

if TYPE_CHECKING:
    from collections.abc import Callable, Container, Iterator, Mapping, Sequence

    from tree_sitter import Node

    from v1z3r_build.bundlers.division import Binding, Part
    from v1z3r_build.bundlers.items import Item
    from v1z3r_build.bundlers.transfer import Transfer
    from v1z3r_build.formats.derivation import Derived
    from v1z3r_build.formats.scopes import Binding as Name
    from v1z3r_build.formats.scopes import Region, Scope, Scopes


# Python 3.11 takes longer to find a member of an enumeration than to make a small object.
_GLOBAL = ScopeKind.GLOBAL
# A getter's or a setter's body is no longer.
_TIE = 40


class Dialect(NamedTuple):
    """How a bundler's factories refer to each other.

    runtime: the parameter's name by which items may load other modules. free: whether a use of it means the same in
    another factory. require: gives the expression that yields what a vendor's factory has, by its id. frame: gives what
    stands around the vendor's items in a factory, from its directives, and from the names of what it gives and the
    expressions of their getters.
    """

    runtime: str
    free: Callable[[Node], bool]
    require: Callable[[str], str]
    frame: Callable[[bytes, Sequence[tuple[str, str]]], tuple[bytes, bytes]]


class Vendor(NamedTuple):
    """A vendor's factory. identifier: its module id, made of its content; factory: the function's text."""

    identifier: str
    factory: Derived


class Split(NamedTuple):
    """body: what the old factory's body becomes, from its start to its end. vendors: by label."""

    body: Derived
    vendors: Mapping[str, Vendor]


class Body:
    """The body of a factory, analysed. items, bindings: what its labels are found by."""

    def __init__(self, scopes: Scopes, scope: Scope, node: Node, dialect: Dialect) -> None:
        """node: the `statement_block`; scope: the function's, that of its own name if it has one. Raises Refused."""
        self.scopes = scopes
        self.node = node
        self.dialect = dialect
        self.items = items(node)
        if scope.kind is ScopeKind.FUNCTION_NAME:
            scope = scopes.scopes[scope.index + 1]
        runtime = scope.bindings.get(dialect.runtime)
        if runtime is not None and any(place.kind is Kind.FUNCTION for place in runtime.declarations):
            raise Refused(Reason.REDECLARED_PARAMETER, node.start_byte, dialect.runtime)
        inside = scopes.scopes[scope.index + 1 : scope.last + 1]
        if any(one.kind is ScopeKind.BODY and one.parent is scope for one in inside):
            raise Refused(Reason.DEFAULTS, node.start_byte)
        self._region = scopes.region(scope)
        self._holding = hold(
            scopes.source, self.items, self._region, runtime=dialect.runtime, pinned=self._pinned(scope)
        )
        self._holding.fixed.update(_bound(self.items, self._region, dialect.runtime))

    @property
    def bindings(self) -> Sequence[Binding]:
        return self._holding.bindings

    def needs(self) -> list[set[int]]:
        """For each item the indices of those that declare what it reads or writes."""
        return needs(self.items, self.bindings)

    def _pinned(self, scope: Scope) -> set[int]:
        """Where the runtime is used in a way that another factory's would not answer."""
        binding = scope.bindings.get(self.dialect.runtime)
        uses = binding.references if binding is not None else ()
        nodes = ((use.start, self.node.descendant_for_byte_range(use.start, use.end)) for use in uses)
        return {start for start, node in nodes if node is None or not self.dialect.free(node)}

    def is_link(self, item: Item) -> bool:
        """Whether an item only ties the module to others: a call of the runtime's, `n.d(t,{…})`, `var a=n(7)`."""
        call = item.node.child_by_field_name("value") if item.form == "declarator" else item.node
        function = call.child_by_field_name("function") if call is not None and call.type == "call_expression" else None
        if function is None or item.form not in ("expression", "declarator"):
            return False
        owner = function.child_by_field_name("object") or function
        return owner.text == self.dialect.runtime.encode() and call is not None and _only_names(call)

    def with_links(self, labels: Sequence[str]) -> list[str]:
        """The labels, but what ties the module to another one goes with those who use it, if they agree.

        It has no words of its own, and stands where the bundler put it, amid whatever.
        """
        found = list(labels)
        for binding in self.bindings:
            home = binding.items[0]
            users = {found[use.item] for use in binding.uses if use.item != home}
            if len(binding.items) == 1 and len(users) == 1 and self.is_link(self.items[home]):
                found[home] = users.pop()
        return found

    def cut(self, labels: Sequence[str]) -> Cut:
        """The body cut apart by the labels of its items: the name of a vendor, or '' for the app."""
        divided = divide(self.items, self.bindings, labels, self._holding.fixed)
        knife = _Knife(self.scopes, self._region, self.items, self.bindings, divided.parts, self.dialect)
        return knife.cut(self.node, objections(self.items, divided))


class _Draft(NamedTuple):
    """A vendor's factory under the names of the old script.

    module: what the old factory calls that which it has. first: statements that follow its being required.
    """

    label: str
    factory: Derived
    module: str
    first: Sequence[str]


@dataclass(frozen=True, slots=True)
class Cut:
    """A body cut apart, before vendors have their own names. Nothing of the syntax tree is held by it.

    start, end: bytes of the old body. head, tail: what remains, before and behind the place where vendors' factories
    are required. held: as of `division.objections`.
    """

    start: int
    end: int
    held: Mapping[str, str]
    _scopes: Scopes = field(repr=False)
    _region: Region = field(repr=False)
    _dialect: Dialect
    _drafts: Sequence[_Draft] = field(repr=False)
    _head: Derived = field(repr=False)
    _tail: Derived = field(repr=False)

    @property
    def labels(self) -> Sequence[str]:
        """The vendors that are cut out."""
        return [one.label for one in self._drafts]

    def split(self, identify: Callable[[str, bytes], str]) -> Split:
        """The texts. identify: makes a module id of a label and the text of the vendor's factory."""
        read = {binding.name for binding in readable_names(self._scopes, self._region)} if self._drafts else set()
        vendors: dict[str, Vendor] = {}
        first: list[bytes] = []
        for one in self._drafts:
            factory = _canonical(one.factory, self._scopes, read)
            identifier = identify(one.label, factory)
            vendors[one.label] = Vendor(identifier, factory)
            first.append(f"var {one.module}={self._dialect.require(identifier)};".encode())
            first += (text.encode() for text in one.first)
        return Split(joined((self._head, *first, self._tail)), vendors)


class _Knife:
    def __init__(
        self,
        scopes: Scopes,
        region: Region,
        found: Sequence[Item],
        bindings: Sequence[Binding],
        parts: Mapping[str, Part],
        dialect: Dialect,
    ) -> None:
        self.source = scopes.source
        self.scopes = scopes
        self.region = region
        self.items = found
        self.bindings = {binding.name: binding for binding in bindings}
        self.parts = parts
        self.dialect = dialect
        self.names = fresh_names(region)
        self.strict = [index for index, item in enumerate(found) if item.form == "directive"]
        self.before: dict[int, list[str]] = {}
        self.after: dict[int, list[str]] = {}
        self.live: dict[str, str] = {}

    def cut(self, body: Node, held: Mapping[str, str]) -> Cut:
        drafts = [self._draft(label, part) for label, part in self.parts.items()]
        start, end = body.byte_range
        head, tail = self._remainder() if drafts else (written(self.source, start, end), joined(()))
        return Cut(start, end, held, self.scopes, self.region, self.dialect, drafts, head, tail)

    def _draft(self, label: str, part: Part) -> _Draft:
        made = transfer(self.source, self.region, self.items, self.bindings, part, self.names, plain=False)
        provided = [*part.provided, *(call.function for call in made.calls)]
        # By their places: the names that the app's build gave would change with every build.
        keys = {name: _key(number) for number, name in enumerate(provided)}
        before, behind = self.dialect.frame(self._directives(), [(keys[name], name) for name in provided])
        module = next(self.names)
        first = [*self._call(made, module, keys), *self._read(part, made, module, keys)]
        return _Draft(label, joined((before, made.body, behind)), module, first)

    def _directives(self) -> Derived:
        passage = Passage(self.source)
        for index in self.strict:
            passage.add(self.items[index])
        own = any(
            self.source[one.start + 1 : one.end - 1] == b"use strict"
            for one in map(self.items.__getitem__, self.strict)
        )
        # What stands around the old factory may have made it strict; around this one there may be nothing of the kind.
        around = b"" if own or not self.region.scope.strict else b'"use strict";'
        return joined((around, passage.text()))

    def _call(self, made: Transfer, module: str, keys: Mapping[str, str]) -> Iterator[str]:
        """The calls that come before all items. The others are noted."""
        for call in made.calls:
            statement = f"{module}.{keys[call.function]}({','.join(call.arguments)});"
            if call.place == START:
                yield statement
            else:
                (self.after if call.after else self.before).setdefault(call.place, []).append(statement)

    def _read(self, part: Part, made: Transfer, module: str, keys: Mapping[str, str]) -> Iterator[str]:
        """Where the old factory reads what the vendor has: once if it is there from the start, else anew each time.

        Not once its run is over: the run may call the app, by whatever way.
        """
        at_once: list[str] = []
        for name, live in part.provided.items():
            expression = f"{module}.{keys[name]}"
            if live or name not in made.ready:
                self.live[name] = expression
            else:
                at_once.append(f"{name}={expression}")
        if at_once:
            yield f"var {','.join(at_once)};"

    def _live(self, moved: Container[int]) -> Iterator[Edit]:
        """Edits that read live bindings where the old factory speaks of them, in order."""
        uses = sorted((use.start, name, use) for name in self.live for use in self.bindings[name].uses)
        last, descent = -1, None
        for start, name, use in uses:
            if use.item in moved:
                continue
            if descent is None or use.item != last:
                last, descent = use.item, Descent(self.items[use.item].node)
            text = self.live[name]
            if use.shorthand:
                # `{__proto__: x}` sets the prototype, `{__proto__}` does not (ECMA-262, §B.3.1).
                text = f'["{name}"]:{text}' if name == "__proto__" else f"{name}:{text}"
            elif _is_called(path := descent.to(start, use.end)):
                text = (";" if _goes_on(self.source, path) else "") + f"(0,{text})"
            yield Edit(start, use.end, text.encode())

    def _remainder(self) -> tuple[Derived, Derived]:
        moved = {index for part in self.parts.values() for index in part.items}
        edits = list(self._live(moved))
        start = max(self.strict, default=-1) + 1
        head, tail = Passage(self.source), Passage(self.source)
        for index, item in enumerate(self.items):
            passage = head if index < start else tail
            passage.statements(text.encode() for text in self.before.get(index, ()))
            if index not in moved:
                passage.add(item, edits)
            passage.statements(text.encode() for text in self.after.get(index, ()))
        return joined((b"{", head.text())), joined((tail.text(), b"}"))


def _bound(found: Sequence[Item], region: Region, runtime: str) -> Iterator[int]:
    """Items that use names of functions around the region. They may read the runtime's: every factory is given it."""
    places = Places(found)
    for reference in region.references:
        binding = reference.binding
        if binding is None or binding.scope.kind is _GLOBAL or region.scope.encloses(binding.scope):
            continue
        if binding.name != runtime or reference.access is not Access.READ:
            yield places.at(reference.start)


class Whole:
    """Factories that move as they are, under names that do not depend on the app's."""

    def __init__(self, scopes: Scopes) -> None:
        self._scopes = scopes
        self._renamer = Renamer(Composition(scopes.source, scopes))
        self._read: list[Name] | None = None

    def text(self, scope: Scope, start: int, end: int) -> Derived:
        """The script from start to end, with canonical names in a function's scope where that can be."""
        source = self._scopes.source
        try:
            if self._read is None:
                self._read = sorted(self._renamer.readable(self._scopes.whole()), key=_scope_of)
            first = bisect_left(self._read, scope.index, key=_scope_of)
            inside = self._read[first : bisect_left(self._read, scope.last + 1, key=_scope_of)]
            renamed = self._renamer.renamed(scope, inside).text
        except Refused:
            return written(source, start, end)
        return written(source, start, end, [Edit(scope.start, scope.end, renamed)])


def _scope_of(binding: Name) -> int:
    return binding.scope.index


def _canonical(factory: Derived, origin: Scopes, read: Container[str]) -> Derived:
    """A factory under names that do not depend on the app's.

    origin: the scopes of the old script. read: names of functions that the old factory can read.
    """
    try:
        renamer = Renamer(composed(joined((b"(", factory, b")")), Goal.SCRIPT, origin))
        scope = renamer.composition.frame.function_at(1)
        return factory if scope is None else renamer.renamed(scope, renamer.named(read)).text
    except Refused:
        return factory


def _only_names(call: Node) -> bool:
    """Whether a call is given nothing to do: only names, or functions that do no more than read or write one."""
    work = list(call.named_children)
    while work:
        node = work.pop()
        if node.type == "class":
            return False
        body = node.child_by_field_name("body")
        if body is not None and body.end_byte - body.start_byte > _TIE:
            return False
        work += node.named_children
    return True


def _is_called(path: Sequence[Node]) -> bool:
    """Whether a name, at the end of a path, is called: as a property it would be given its object as `this`."""
    depth = len(path) - 1
    while depth and path[depth - 1].type == "parenthesized_expression":
        depth -= 1
    parent = path[depth - 1]
    return depth > 0 and parent.type == "call_expression" and parent.child_by_field_name("function") == path[depth]


def _goes_on(source: bytes, path: Sequence[Node]) -> bool:
    """Whether a parenthesis in place of the name would go on with the statement before it, which a new line ends.

    Not where the statement is one of the factory's own: they are written with semicolons.
    """
    depth = len(path) - 1
    while depth and path[depth].type != "expression_statement" and path[depth].start_byte == path[depth - 1].start_byte:
        depth -= 1
    return depth > 0 and path[depth].type == "expression_statement" and may_go_on(source, path[depth], path[depth - 1])


def _key(number: int) -> str:
    """Short names for properties: a, b, …, z, aa, ab, …"""
    name = ""
    number += 1
    while number:
        number, digit = divmod(number - 1, 26)
        name = "abcdefghijklmnopqrstuvwxyz"[digit] + name
    return name
