"""Factories that hold several modules: which statement registers which name space, and which one reads it.

Turbopack merges modules into one factory ("scope hoisting", from Next 15.4 on). What stays of each is a registration,
`e.s([name, getter, …], K)`, and of its importers `e.i(K)`, if they need the name space as an object. K goes straight
into the runtime's cache of modules, without a factory: a K that stands in no push array exists from the moment when its
`e.s` has run, for every module of the page. So `e.i(K)` is no import, and may stand in another factory than `e.s`, but
only where it runs later.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from v1z3r_build.bundlers.turbopack.chunks import identifier_of
from v1z3r_build.formats.engines.script_syntax import parse
from v1z3r_build.formats.javascript import unescape

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from tree_sitter import Node

    from v1z3r_build.bundlers.turbopack.chunks import Entry, Id

# Members of the context that give a module its exports; with an id as the last argument, to the module of that id:
# s name space, S name space with re-exports (16.4), j re-exports known at run time, v value, n name space of another
# module, q address of a file (16.2).
_REGISTERS = frozenset("sSjvnq")
# Members that name another module: i import, r require, A run lazily, R URL.
_READS = frozenset("irAR")
_FUNCTIONS = {
    "function_declaration",
    "generator_function_declaration",
    "function_expression",
    "generator_function",
    "arrow_function",
    "method_definition",
}
_NAMES = {"identifier", "shorthand_property_identifier", "shorthand_property_identifier_pattern"}
_BLOCKS = {"statement_block", "switch_body", "for_statement", "for_in_statement", "catch_clause", "class_static_block"}


@dataclass(frozen=True, slots=True)
class Export:
    """One name of a name space. start, end: its getter, or its value if it is eager.

    eager: the value is read when the registration runs (`"a",0,a`), not each time when the name is asked for. setter:
    start and end of the function that assigns, for names that importers may set.
    """

    name: str
    start: int
    end: int
    eager: bool
    setter: tuple[int, int] | None = None


@dataclass(frozen=True, slots=True)
class Registration:
    """A call that gives a module its exports. start, end: the call. member: `s`, `S`, `j`, `v`, `n` or `q`.

    id: the module; None for the one that the factory is run for. exports: None if the call does not list them plainly.
    """

    start: int
    end: int
    member: str
    id: Id | None
    exports: tuple[Export, ...] | None


@dataclass(frozen=True, slots=True)
class Read:
    """A call that asks for a module. start, end: the call. member: `i`, `r`, `A` or `R`.

    deferred: whether it stands in a function, and so need not run with the statement.
    """

    start: int
    end: int
    member: str
    id: Id
    deferred: bool


@dataclass(frozen=True, slots=True)
class Item:
    """The smallest part of a factory that can be cut out: a statement, an operand of a sequence, or a declarator.

    start, end: the part, without commas and keywords. statement: start and end of its statement. members: other members
    of the context that it uses, such as `g` (the global object) or `e` (the module's own exports).
    """

    kind: Literal["statement", "operand", "declarator"]
    start: int
    end: int
    statement: tuple[int, int]
    registrations: tuple[Registration, ...]
    reads: tuple[Read, ...]
    members: frozenset[str]


@dataclass(frozen=True, slots=True)
class Space:
    """An inner name space: the items (by number) that register it and those that read it.

    If one that reads it is cut out, all that register it must be cut out with it. If only those that register it are,
    the new factory must have run before the first one that reads it.
    """

    id: Id
    registered: tuple[int, ...]
    read: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Merged:
    """A factory's parts. spaces: its inner name spaces, in the order of their registration.

    unclear: where the context is used in a way that is not understood (handed on, taken apart, asked for a computed
    module); then no statement can be cut out of the factory.
    """

    items: tuple[Item, ...]
    spaces: tuple[Space, ...]
    unclear: tuple[int, ...]


def read_merged(source: bytes, entry: Entry, registered: Collection[Id] = ()) -> Merged | None:
    """What the top-level statements of a factory do with name spaces. All offsets are bytes of the script.

    source: the script that the entry was read from. registered: the ids that stand in the push arrays of all chunks
    of the site; none of these is an inner name space. None if the factory has no braces, no plain parameters, or
    declares the name of its context anew.
    """
    if not entry.block or not entry.parameters:
        return None
    start, end = entry.factory
    # A method, such as `5(e){…}` in a table, is no expression by itself.
    for before, after in ((b"(", b")"), (b"({", b"})")):
        root = parse(before + source[start:end] + after).root_node
        if not root.has_error:
            break
    else:
        return None
    factory = root.descendant_for_byte_range(len(before), len(before) + end - start)
    while factory is not None and factory.type not in _FUNCTIONS:
        factory = factory.named_children[0] if factory.named_children else None
    if factory is None:
        return None
    return _Factory(factory, start - len(before), entry).read(registered)


class _Factory:
    def __init__(self, node: Node, shift: int, entry: Entry) -> None:
        self.node = node
        self.shift = shift
        self.entry = entry
        self.context = entry.parameters[0].encode("utf-8")
        self.bound: dict[int, bool] = {}

    def read(self, registered: Collection[Id]) -> Merged | None:
        body = self.node.child_by_field_name("body")
        if body is None or _declares(body, self.context, deep=True):
            return None
        parts = [part for statement in _parts(body) for part in _split(statement)]
        uses = sorted(self.uses(body), key=lambda node: node.start_byte)
        unclear: list[int] = []
        items: list[Item] = []
        index = 0
        for kind, part, statement in parts:
            registrations: list[Registration] = []
            reads: list[Read] = []
            members: set[str] = set()
            while index < len(uses) and uses[index].start_byte < part.end_byte:
                use = uses[index]
                index += 1
                found = self.use(use, part)
                if found is None:
                    unclear.append(use.start_byte + self.shift)
                elif isinstance(found, Registration):
                    registrations.append(found)
                elif isinstance(found, Read):
                    reads.append(found)
                else:
                    members |= found
            items.append(
                Item(
                    kind,
                    *self.span(part),
                    self.span(statement),
                    tuple(registrations),
                    tuple(reads),
                    frozenset(members),
                )
            )
        return Merged(tuple(items), tuple(self.spaces(items, registered)), tuple(unclear))

    def span(self, node: Node) -> tuple[int, int]:
        return node.start_byte + self.shift, node.end_byte + self.shift

    def spaces(self, items: list[Item], registered: Collection[Id]) -> Iterator[Space]:
        outer = {*self.entry.ids, *registered}
        order = [one.id for item in items for one in item.registrations if one.id is not None and one.id not in outer]
        for space in dict.fromkeys(order):
            yield Space(
                space,
                tuple(n for n, item in enumerate(items) if any(one.id == space for one in item.registrations)),
                tuple(n for n, item in enumerate(items) if any(one.id == space for one in item.reads)),
            )

    def uses(self, body: Node) -> Iterator[Node]:
        """The identifiers that mean the factory's first parameter."""
        text = body.text or b""
        name = re.compile(rb"(?<![\w$\x80-\xff])" + re.escape(self.context) + rb"(?![\w$\x80-\xff])")
        for found in name.finditer(text):
            place = body.start_byte + found.start()
            node = body.descendant_for_byte_range(place, place + len(self.context))
            if node is None or node.end_byte - node.start_byte != len(self.context):
                continue
            if node.type in _NAMES and not self.shadowed(node):
                yield node

    def shadowed(self, node: Node) -> bool:
        at = node.parent
        while at is not None and at != self.node:
            known = self.bound.get(at.id)
            if known is None:
                known = self.bound[at.id] = _binds(at, self.context)
            if known:
                return True
            at = at.parent
        return False

    def use(self, node: Node, part: Node) -> Registration | Read | frozenset[str] | None:
        """What a use of the context does; names of members that are neither reads nor registrations."""
        member = node.parent
        if member is not None and member.type == "variable_declarator":
            return _taken_apart(member)
        if member is None or member.type != "member_expression" or member.child_by_field_name("object") != node:
            return None
        name = (_field(member, "property") or b"").decode("utf-8", "replace")
        call = member.parent
        called = call is not None and call.type == "call_expression" and call.child_by_field_name("function") == member
        if not called or call is None:
            # A register or read that is handed on as a value may be called with anything.
            return None if name in _REGISTERS or name in _READS else frozenset([name])
        arguments = _parts(call.child_by_field_name("arguments"))
        if name in _READS:
            asked = identifier_of(arguments[0]) if len(arguments) == 1 else None
            return None if asked is None else Read(*self.span(call), name, asked, deferred=_deferred(call, part))
        if name in _REGISTERS:
            return self.registration(call, name, arguments)
        return frozenset([name])

    def registration(self, call: Node, member: str, arguments: list[Node]) -> Registration | None:
        if not 1 <= len(arguments) <= 2:
            return None
        target = identifier_of(arguments[1]) if len(arguments) == 2 else None
        if len(arguments) == 2 and target is None:
            return None
        exports = tuple(self.exports(arguments[0])) if member == "s" else None
        if exports is not None and None in exports:
            exports = None
        plain = tuple(one for one in exports if one is not None) if exports is not None else None
        return Registration(*self.span(call), member, target, plain)

    def exports(self, listed: Node) -> Iterator[Export | None]:
        """The names of `[name, getter, name, getter, setter, name, 0, value]`, or of `{name: getter}` (up to 15.4)."""
        if listed.type == "object":
            for pair in _parts(listed):
                value, key = pair.child_by_field_name("value"), pair.child_by_field_name("key")
                if pair.type != "pair" or value is None or key is None:
                    yield None
                    return
                yield Export(_key(key), *self.span(value), eager=False)
            return
        items = _parts(listed) if listed.type == "array" else [listed]
        index = 0
        while index < len(items):
            if items[index].type != "string" or index + 1 >= len(items):
                yield None
                return
            name, value = _key(items[index]), items[index + 1]
            index += 2
            eager = value.type == "number" and value.text == b"0"
            if eager:
                if index >= len(items):
                    yield None
                    return
                value = items[index]
                index += 1
            setter: tuple[int, int] | None = None
            if not eager and index < len(items) and items[index].type in ("arrow_function", "function_expression"):
                setter = self.span(items[index])
                index += 1
            yield Export(name, *self.span(value), eager, setter)


def _taken_apart(declarator: Node) -> frozenset[str] | None:
    """The members in `var {m: t, e: r} = context`, with which factories begin up to Next 15.4."""
    pattern = declarator.child_by_field_name("name")
    if pattern is None or pattern.type != "object_pattern":
        return None
    members: set[str] = set()
    for pair in _parts(pattern):
        key, value = pair.child_by_field_name("key"), pair.child_by_field_name("value")
        if pair.type != "pair_pattern" or key is None or value is None or value.type != "identifier":
            return None
        members.add(_key(key))
    return None if members & (_REGISTERS | _READS) else frozenset(members)


def _split(statement: Node) -> Iterator[tuple[Literal["statement", "operand", "declarator"], Node, Node]]:
    inside = _parts(statement)
    if statement.type in ("variable_declaration", "lexical_declaration"):
        for declarator in inside:
            yield "declarator", declarator, statement
    elif statement.type == "expression_statement" and len(inside) == 1 and inside[0].type == "sequence_expression":
        for operand in _operands(inside[0]):
            yield "operand", operand, statement
    else:
        yield "statement", statement, statement


def _operands(node: Node) -> Iterator[Node]:
    if node.type == "sequence_expression":
        for child in _parts(node):
            yield from _operands(child)
    else:
        yield node


def _deferred(node: Node, part: Node) -> bool:
    """Whether a function stands around a node within its part, even one that is called on the spot."""
    at: Node | None = node
    while at is not None and (at.start_byte, at.end_byte) != (part.start_byte, part.end_byte):
        if at.type in _FUNCTIONS:
            return True
        at = at.parent
    return at is not None and at.type in _FUNCTIONS


def _binds(scope: Node, name: bytes) -> bool:
    """Whether a scope between a use and the factory has a binding of this name."""
    if scope.type in _FUNCTIONS:
        parameters = scope.child_by_field_name("parameters") or scope.child_by_field_name("parameter")
        own = scope.child_by_field_name("name") if scope.type != "method_definition" else None
        body = scope.child_by_field_name("body")
        return (
            (parameters is not None and _binds_pattern(parameters, name))
            or (own is not None and own.text == name)
            or (body is not None and _declares(body, name, deep=True))
        )
    if scope.type in ("class", "class_declaration"):
        own = scope.child_by_field_name("name")
        return own is not None and own.text == name
    if scope.type == "catch_clause":
        parameter = scope.child_by_field_name("parameter")
        return parameter is not None and _binds_pattern(parameter, name)
    if scope.type == "for_in_statement":
        left = scope.child_by_field_name("left")
        return scope.child_by_field_name("kind") is not None and left is not None and _binds_pattern(left, name)
    return scope.type in _BLOCKS and _declares(scope, name, deep=False)


def _declares(node: Node, name: bytes, *, deep: bool) -> bool:
    """Whether a block's declarations bind a name; if deep, `var` and functions further inside as well."""
    waiting = list(node.children)
    direct = {child.id for child in waiting}
    while waiting:
        child = waiting.pop()
        if child.type in ("function_declaration", "generator_function_declaration", "class_declaration"):
            # In blocks, a function's name is the function's as well where code is not strict (Annex B.3.3).
            own = child.child_by_field_name("name")
            if own is not None and own.text == name and (child.id in direct or child.type != "class_declaration"):
                return True
            continue
        if child.type in _FUNCTIONS:
            continue
        if child.type == "variable_declaration" or (child.type == "lexical_declaration" and child.id in direct):
            for declarator in child.named_children:
                target = declarator.child_by_field_name("name")
                if target is not None and _binds_pattern(target, name):
                    return True
        if child.type == "for_in_statement" and deep:
            kind, left = child.child_by_field_name("kind"), child.child_by_field_name("left")
            if kind is not None and kind.text == b"var" and left is not None and _binds_pattern(left, name):
                return True
        if node.type == "switch_body" and child.type in ("switch_case", "switch_default"):
            direct.update(one.id for one in child.children)
            waiting += child.children
        elif deep:
            waiting += child.children
    return False


def _binds_pattern(pattern: Node, name: bytes) -> bool:
    """Whether a pattern, or a list of parameters, binds a name; default values are no bindings."""
    if pattern.type in ("identifier", "shorthand_property_identifier_pattern"):
        return pattern.text == name
    if pattern.type in ("assignment_pattern", "object_assignment_pattern"):
        left = pattern.child_by_field_name("left")
        return left is not None and _binds_pattern(left, name)
    if pattern.type == "pair_pattern":
        value = pattern.child_by_field_name("value")
        return value is not None and _binds_pattern(value, name)
    return any(_binds_pattern(child, name) for child in pattern.named_children)


def _parts(node: Node | None) -> list[Node]:
    return [child for child in node.named_children if child.type != "comment"] if node is not None else []


def _field(node: Node, name: str) -> bytes | None:
    found = node.child_by_field_name(name)
    return found.text if found is not None else None


def _key(node: Node) -> str:
    raw = node.text or b""
    return unescape(raw[1:-1]) if node.type == "string" else raw.decode("utf-8", "replace")
