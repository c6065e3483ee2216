"""Pieces of webpack's output on tree-sitter's tree: literals, factories, and edits of the text by offsets."""

from __future__ import annotations

import json
import re
from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

from v1z3r_build.formats.derivation import Edit as Edit
from v1z3r_build.formats.derivation import written
from v1z3r_build.formats.javascript import unescape

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tree_sitter import Node

    from v1z3r_build.formats.derivation import Derived

# Larger scripts are not parsed: tree-sitter takes 60 times the text in memory (measured).
MAX_SIZE = 24_000_000

FUNCTIONS = frozenset(
    {
        "function_declaration",
        "function_expression",
        "generator_function",
        "generator_function_declaration",
        "arrow_function",
        "method_definition",
    }
)
_LICENSE = re.compile(rb"/\*!|@license|@preserve|@cc_on")
_FACTORIES = frozenset({"function_expression", "arrow_function", "method_definition"})


class Extent(NamedTuple):
    """A part of a text, in bytes from its start."""

    start: int
    end: int


class Refusal(NamedTuple):
    """Why a text of webpack's is left alone. offset: the place, in bytes."""

    reason: str
    offset: int = 0


class UnreadableError(Exception):
    """Raised inside this package where a text has a shape that webpack does not write; becomes a Refusal."""

    def __init__(self, reason: str, offset: int) -> None:
        super().__init__(reason)
        self.refusal = Refusal(reason, offset)


class Module(NamedTuple):
    """A module of a chunk: its id and its factory.

    id: as a property name (`1e3` is "1000"). entry: what stands in the table, key and factory. factory: the function;
    in a method (`7(e){…}`) it is the entry, for the key is part of it. parameters: its names in order, (module,
    exports, require) or fewer. body: the statements after all directives; None where an arrow has an
    expression for a body. strict: whether it runs in strict mode, be it by its own directive or by the chunk's.
    own_directive: whether the factory itself says so.
    """

    id: str
    entry: Extent
    factory: Extent
    parameters: tuple[str, ...]
    body: Extent | None
    strict: bool
    own_directive: bool
    keyed: bool


def apply(source: bytes, edits: Iterable[Edit]) -> Derived:
    """The text with all edits made. Of edits at one place, the earlier in the list comes first.

    Raises ValueError when two of them overlap.
    """
    ordered = sorted(edits, key=lambda edit: (edit.start, edit.end))
    for before, after in pairwise(ordered):
        if after.start < before.end:
            raise ValueError(f"edits overlap at byte {after.start}")
    return written(source, 0, len(source), ordered)


def extent(node: Node) -> Extent:
    """Where a node stands."""
    return Extent(node.start_byte, node.end_byte)


def text(node: Node | None) -> bytes:
    """The text of a node, empty without one."""
    return node.text or b"" if node is not None else b""


def named(node: Node) -> list[Node]:
    """The named children but comments."""
    return [child for child in node.named_children if child.type != "comment"]


def bare(node: Node) -> Node:
    """What stands in the brackets, if there are any."""
    while node.type == "parenthesized_expression":
        inside = named(node)
        if len(inside) != 1:
            break
        node = inside[0]
    return node


def enclosing_function(node: Node) -> Node | None:
    """The innermost function that a node stands in; None at the top of the script."""
    at = node.parent
    while at is not None and at.type not in FUNCTIONS:
        at = at.parent
    return at


def string(node: Node) -> str | None:
    """The value of a string literal; None for anything else."""
    return unescape(text(node)[1:-1]) if node.type == "string" else None


def sequence(node: Node) -> list[Node]:
    """The expressions of a sequence, in order; tree-sitter may nest them."""
    found: list[Node] = []
    for child in named(node):
        found += sequence(child) if child.type == "sequence_expression" else [child]
    return found


def licenses(root: Node) -> tuple[Extent, ...]:
    """The comments before the first statement that ask to be kept."""
    found: list[Extent] = []
    for child in root.named_children:
        if child.type != "comment":
            if child.type == "expression_statement" and child.named_children[0].type == "string":
                continue
            break
        if _LICENSE.search(text(child)):
            found.append(extent(child))
    return tuple(found)


def property_name(node: Node) -> str:
    """The property that a key or an id names, as JavaScript's ToString gives it.

    Raises UnreadableError for what is computed, and for numbers whose digits are not sure to be JavaScript's.
    """
    if node.type == "string":
        return unescape(text(node)[1:-1])
    if node.type == "property_identifier" and b"\\" not in text(node):
        return text(node).decode()
    if node.type == "number":
        return _number(text(node).decode(), node.start_byte)
    raise UnreadableError("an id that is no literal", node.start_byte)


def _number(written: str, offset: int) -> str:
    # Decimal integers, as minifiers write them: 12, 1e3, 12e3. Below 2^53 all digits count.
    match = re.fullmatch(r"(0|[1-9][0-9]*)(?:e\+?([0-9]{1,2}))?", written.lower())
    hexadecimal = re.fullmatch(r"0x[0-9a-f]+", written.lower())
    if match:
        value = int(match[1]) * 10 ** int(match[2] or 0)
    elif hexadecimal:
        value = int(written, 16)
    else:
        raise UnreadableError(f"the number {written} as an id", offset)
    if value >= 1 << 53:
        raise UnreadableError(f"the number {written} as an id", offset)
    return str(value)


def id_literal(identity: str) -> bytes:
    """An id as it is written in lists and as a key: digits or a string."""
    if re.fullmatch(r"0|[1-9][0-9]{0,14}", identity):
        return identity.encode()
    return json.dumps(identity).encode()


def has_directive(node: Node) -> bool:
    """Whether a program or a body in braces begins with directives, `use strict` among them."""
    return any(string_of == b"use strict" for string_of, _ in _directives(node))


def _directives(node: Node) -> list[tuple[bytes, int]]:
    """The directives at the start of a body, with the end of each statement (ECMA-262 §11.2.1)."""
    found: list[tuple[bytes, int]] = []
    for child in node.named_children:
        if child.type == "comment":
            continue
        inside = child.named_children
        if child.type != "expression_statement" or len(inside) != 1 or inside[0].type != "string":
            break
        found.append((text(inside[0])[1:-1], child.end_byte))
    return found


def modules(table: Node, *, strict: bool) -> tuple[Module, ...]:
    """The modules of a table: an object, an array with holes, or webpack 4's `Array(20).concat([…])`.

    strict: whether the code around is in strict mode. Raises UnreadableError for any other shape.
    """
    if table.type == "object":
        found = [_member(member, strict) for member in named(table)]
    else:
        found = [_item(item, index, strict) for index, item in _items(table)]
    ids = [module.id for module in found]
    if len(set(ids)) < len(ids):
        raise UnreadableError("a module id that stands twice", table.start_byte)
    return tuple(found)


def _member(member: Node, strict: bool) -> Module:
    if member.type == "pair":
        key, factory = member.child_by_field_name("key"), member.child_by_field_name("value")
    elif member.type == "method_definition":
        key, factory = member.child_by_field_name("name"), member
    else:
        raise UnreadableError("a module table with something else than factories", member.start_byte)
    if key is None or factory is None:
        raise UnreadableError("a module table with something else than factories", member.start_byte)
    identity = property_name(key)
    if identity == "__proto__":  # sets the prototype of the table instead of a module
        raise UnreadableError("a module with the id __proto__", member.start_byte)
    return _module(identity, member, bare(factory), strict, keyed=True)


def _items(table: Node) -> list[tuple[int, Node]]:
    """Elements with their index. tree-sitter has no nodes for holes: the commas tell."""
    first = 0
    if table.type == "call_expression":
        match = re.match(rb"Array\((\d+)\)\s*\.\s*concat\s*\(", text(table))
        arguments = table.child_by_field_name("arguments")
        inside = named(arguments) if arguments is not None else []
        if not match or len(inside) != 1:
            raise UnreadableError("a module table that is computed", table.start_byte)
        first, table = int(match[1]), inside[0]
    if table.type != "array":
        raise UnreadableError("a module table that is computed", table.start_byte)
    found: list[tuple[int, Node]] = []
    index = first
    for child in table.children:
        if child.type == ",":
            index += 1
        elif child.is_named and child.type != "comment":
            found.append((index, child))
    return found


def _item(item: Node, index: int, strict: bool) -> Module:
    return _module(str(index), item, bare(item), strict, keyed=False)


def _module(identity: str, entry: Node, factory: Node, strict: bool, *, keyed: bool) -> Module:
    plain = factory.type in _FACTORIES and not any(
        child.type in ("async", "get", "set", "static", "*") for child in factory.children
    )
    body = factory.child_by_field_name("body")
    if not plain or body is None:
        raise UnreadableError(f"module {identity} is no plain function", factory.start_byte)
    directives = _directives(body) if body.type == "statement_block" else []
    inside = None
    if body.type == "statement_block":
        inside = Extent(directives[-1][1] if directives else body.start_byte + 1, body.end_byte - 1)
    own = any(directive == b"use strict" for directive, _ in directives)
    return Module(identity, extent(entry), extent(factory), parameters(factory), inside, strict or own, own, keyed)


def parameters(function: Node) -> tuple[str, ...]:
    """The names of a function's parameters. Raises UnreadableError for patterns, defaults and rest."""
    single = function.child_by_field_name("parameter")
    several = function.child_by_field_name("parameters")
    nodes = [single] if single is not None else named(several) if several is not None else []
    if any(node.type != "identifier" for node in nodes):
        raise UnreadableError("a factory with patterns as parameters", function.start_byte)
    return tuple(text(node).decode() for node in nodes)
