"""Chunks of Turbopack: which modules a script registers, and moving modules into a script of their own."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from v1z3r_build.formats.derivation import Edit, joined, written
from v1z3r_build.formats.engines.script_syntax import parse
from v1z3r_build.formats.javascript import MAX_SIZE, unescape

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from tree_sitter import Node, Tree

    from v1z3r_build.formats.derivation import Derived

# A module id as the runtime knows it: numbers in builds for production, strings in those that keep names.
Id = int | str

_FACTORIES = {"arrow_function", "function_expression", "method_definition"}
_DECIMAL = re.compile(r"[0-9.]+(?:[eE][+]?[0-9]+)?")


class ImmovableError(ValueError):
    """A chunk cannot be cut so that it is known to work; the text says why."""


class Entry(NamedTuple):
    """A factory with the module ids that share it. All offsets are bytes of the script.

    ids: in their order. start, end: all that registers them, without commas. factory: its start and end.
    parameters: the names of the factory's parameters, of which the first is Turbopack's context; empty if a
    parameter is a pattern. body: what stands between the braces, or the expression of an arrow function without braces.
    block: whether there are braces.
    """

    ids: tuple[Id, ...]
    start: int
    end: int
    factory: tuple[int, int]
    parameters: tuple[str, ...]
    body: tuple[int, int]
    block: bool


class Parameters(NamedTuple):
    """What the runtime starts with. start, end: the object. other_chunks: addresses relative to `_next/`."""

    start: int
    end: int
    other_chunks: tuple[str, ...]
    runtime_module_ids: tuple[Id, ...]


class Chunk(NamedTuple):
    """A script that registers modules, or the runtime's script or an inline one, which brings its parameters.

    entries: in their order. head: start and end of the array's first element, by which the chunk is known; None where
    parameters are pushed without an array. path: the head if it is a string. end: where the statement ends.
    alone: whether nothing but comments follows the push, so that the script can be cut.
    table: whether the entries stand in an object, as up to Next 15.4, and not in the array itself.
    """

    entries: tuple[Entry, ...]
    parameters: Parameters | None
    head: tuple[int, int] | None
    path: str | None
    end: int
    alone: bool
    table: bool


class Cut(NamedTuple):
    """The two scripts that a chunk becomes."""

    old: bytes
    vendor: bytes


def read_chunk(source: bytes, tree: Tree | None = None) -> Chunk | None:
    """The chunk in a script; None for a script of another kind, or with a syntax error, or of a shape not known.

    tree: its syntax tree, if it is parsed already.
    """
    if b"push" not in source or len(source) > MAX_SIZE:
        return None
    root = (tree or parse(source)).root_node
    if root.has_error:
        return None
    statements = [child for child in root.named_children if child.type not in ("comment", "hash_bang_line")]
    while statements and _is_directive(statements[0]):
        statements.pop(0)
    if not statements or statements[0].type != "expression_statement":
        return None
    expression = _sole(statements[0])
    alone = len(statements) == 1
    if expression is not None and expression.type == "sequence_expression":
        expression, alone = expression.named_children[0], False
    pushed = _pushed(expression)
    if pushed is None:
        return None
    end = statements[0].end_byte
    if pushed.type == "object":
        parameters = _parameters(pushed)
        return None if parameters is None else Chunk((), parameters, None, None, end, alone, table=False)
    return _registered(pushed, end, alone)


def move(source: bytes, chunk: Chunk, moved: Collection[Entry], path: str) -> Cut:
    """Move whole entries into a new chunk of the same shape.

    source: the script that `chunk` was read from. moved: entries of it, at least one. path: the new
    script's address relative to `_next/`, which only builds need that name their chunks by a string.
    The texts are right in every order of arrival once `lists.insertions` has been done to all files that name
    the old chunk. Comments that followed the old chunk, such as the address of a source map, whose columns
    would be wrong, are dropped. Raises ImmovableError.
    """
    head(chunk)
    chosen = set(moved)
    if not chosen or not chosen <= set(chunk.entries):
        raise ImmovableError("the modules to move are not this chunk's")
    kept = [written(source, entry.start, entry.end) for entry in chunk.entries if entry not in chosen]
    gone = [written(source, entry.start, entry.end) for entry in chunk.entries if entry in chosen]
    return Cut(compose(source, chunk, kept), compose(source, chunk, gone, path))


def compose(source: bytes, chunk: Chunk, entries: Sequence[bytes], path: str = "") -> Derived:
    """A script like a chunk's, with other entries: each registers modules as those of this chunk do.

    path: as in `move`; '' for the old chunk's own. Raises ImmovableError.
    """
    low, high = head(chunk)
    first, last = chunk.entries[0].start, chunk.entries[-1].end
    if not entries and not chunk.table:
        # The head's comma goes with the last entry: an array of two elements would be read as the runtime's parameters.
        first = high
    named = [Edit(low + 1, high - 1, path.encode("ascii"))] if chunk.path is not None and path else []
    listed = (part for entry in entries for part in (b",", entry))
    next(listed, None)
    return joined((written(source, 0, first, named), *listed, written(source, last, chunk.end)))


def entry_of(chunk: Chunk, identifier: str, factory: bytes) -> Derived:
    """An entry with one module, in the chunk's notation. identifier: needs no escapes."""
    return joined((f'"{identifier}"'.encode("ascii"), b":" if chunk.table else b",", factory))


def head(chunk: Chunk) -> tuple[int, int]:
    """Where a chunk's head is. Raises ImmovableError if its script cannot be cut."""
    if not chunk.alone:
        raise ImmovableError("more than a push of modules stands in the script")
    if chunk.parameters is not None or chunk.head is None or not chunk.entries:
        raise ImmovableError("the script starts the runtime")
    return chunk.head


def _is_directive(statement: Node) -> bool:
    child = _sole(statement)
    return statement.type == "expression_statement" and child is not None and child.type == "string"


def _sole(node: Node) -> Node | None:
    named = _parts(node)
    return named[0] if len(named) == 1 else None


def _parts(node: Node) -> list[Node]:
    return [child for child in node.named_children if child.type != "comment"]


def _pushed(call: Node | None) -> Node | None:
    """The array or object that `(globalThis.NAME||(globalThis.NAME=[])).push(…)` hands over.

    Next 16.4 writes the name in brackets; before 15.5 the queue is `globalThis.NAME=globalThis.NAME||[]`.
    """
    if call is None or call.type != "call_expression":
        return None
    callee, arguments = call.child_by_field_name("function"), call.child_by_field_name("arguments")
    if callee is None or callee.type != "member_expression" or arguments is None:
        return None
    method, queue = callee.child_by_field_name("property"), callee.child_by_field_name("object")
    if method is None or method.text != b"push" or queue is None or queue.type != "parenthesized_expression":
        return None
    names = {_global(node) for node in _queue_names(queue)}
    if len(names) != 1 or None in names:
        return None
    argument = _sole(arguments)
    return argument if argument is not None and argument.type in ("array", "object") else None


def _queue_names(queue: Node) -> list[Node | None]:
    """What `a||(a=[])` and `a=a||[]` name as the queue, twice; one None for anything else."""
    expression = _sole(queue)
    if expression is None:
        return [None]
    left, right = expression.child_by_field_name("left"), expression.child_by_field_name("right")
    if right is not None and right.type == "parenthesized_expression":
        right = _sole(right)
    inner = right.child_by_field_name("left") if right is not None else None
    empty = right.child_by_field_name("right") if right is not None else None
    kinds = (expression.type, right.type if right is not None else "")
    if kinds not in (
        ("binary_expression", "assignment_expression"),
        ("assignment_expression", "binary_expression"),
    ):
        return [None]
    return [left, inner] if empty is not None and empty.text == b"[]" else [None]


def _global(node: Node | None) -> str | None:
    """The name of a property of globalThis."""
    target = node.child_by_field_name("object") if node is not None else None
    if node is None or target is None or target.text != b"globalThis":
        return None
    name = node.child_by_field_name("property") or node.child_by_field_name("index")
    if name is None or name.text is None:
        return None
    return unescape(name.text[1:-1]) if name.type == "string" else name.text.decode("utf-8", "replace")


def _registered(array: Node, end: int, alone: bool) -> Chunk | None:
    items = _parts(array)
    if not items:
        return None
    head = items.pop(0)
    if not _is_head(head):
        return None
    path = _string(head) if head.type == "string" else None
    parameters: Parameters | None = None
    if items and items[-1].type == "object":
        parameters = _parameters(items[-1])
        if parameters is not None:
            items.pop()
    table = bool(items) and items[0].type == "object"
    entries = _tabled(items) if table else _listed(items)
    if entries is None:
        return None
    return Chunk(tuple(entries), parameters, (head.start_byte, head.end_byte), path, end, alone, table)


def _is_head(node: Node) -> bool:
    """The running script's element, or the chunk's own path in builds without a document."""
    return node.type == "string" or (node.text is not None and b"document.currentScript" in node.text)


def _listed(items: Sequence[Node]) -> list[Entry] | None:
    """`id, id, factory, id, factory …`"""
    entries: list[Entry] = []
    ids: list[Node] = []
    for item in items:
        if item.type in ("number", "string"):
            ids.append(item)
            continue
        entry = _entry([identifier_of(node) for node in ids], ids[0].start_byte, item, item.end_byte) if ids else None
        if entry is None:
            return None
        entries.append(entry)
        ids = []
    return None if ids else entries


def _tabled(items: Sequence[Node]) -> list[Entry] | None:
    """`{id: factory, id: [factory, [id, …]], …}`"""
    if len(items) != 1:
        return None
    entries: list[Entry] = []
    for member in _parts(items[0]):
        if member.type == "pair":
            key, factory = member.child_by_field_name("key"), member.child_by_field_name("value")
        elif member.type == "method_definition":
            key, factory = member.child_by_field_name("name"), member
        else:
            return None
        if key is None or factory is None:
            return None
        ids = [key]
        if factory.type == "array":
            # Next 15.4: more ids that share the factory.
            pair = _parts(factory)
            if len(pair) != 2 or pair[1].type != "array":
                return None
            ids, factory = [key, *_parts(pair[1])], pair[0]
        entry = _entry([identifier_of(one) for one in ids], member.start_byte, factory, member.end_byte)
        if entry is None:
            return None
        entries.append(entry)
    return entries


def _entry(ids: Sequence[Id | None], start: int, factory: Node, end: int) -> Entry | None:
    body = factory.child_by_field_name("body")
    known = tuple(one for one in ids if one is not None)
    if factory.type not in _FACTORIES or body is None or len(known) != len(ids):
        return None
    if any(child.type in ("async", "*", "get", "set", "static") for child in factory.children):
        return None
    block = body.type == "statement_block"
    inset = 1 if block else 0
    return Entry(
        known,
        start,
        end,
        (factory.start_byte, factory.end_byte),
        _names(factory),
        (body.start_byte + inset, body.end_byte - inset),
        block,
    )


def _names(factory: Node) -> tuple[str, ...]:
    one, several = factory.child_by_field_name("parameter"), factory.child_by_field_name("parameters")
    nodes = [one] if one is not None else _parts(several) if several is not None else []
    if any(node.type != "identifier" for node in nodes):
        return ()
    return tuple(node.text.decode("utf-8", "replace") for node in nodes if node.text is not None)


def identifier_of(node: Node) -> Id | None:
    """A module id as a literal of a script; None for anything else."""
    if node.type == "number" and node.text is not None:
        return _number(node.text.decode("ascii"))
    if node.type == "property_identifier" and node.text is not None:
        return node.text.decode("utf-8", "replace")
    text = _string(node)
    # Next 15.3 asks for modules of workers by a string of digits; as keys of an object both are the same.
    return int(text) if text is not None and re.fullmatch("0|[1-9][0-9]*", text) else text


def _number(text: str) -> int | None:
    """A module id, which a minifier writes as shortly as it can: 42000 as `42e3`."""
    if _DECIMAL.fullmatch(text) is None or (text.startswith("0") and text != "0"):
        return None
    value = float(text)
    return int(value) if value.is_integer() else None


def _string(node: Node) -> str | None:
    return unescape(node.text[1:-1]) if node.type == "string" and node.text is not None else None


def _parameters(node: Node) -> Parameters | None:
    """`{otherChunks: [paths], runtimeModuleIds: [ids]}`, with or without quotes around the keys."""
    members: dict[str, Node] = {}
    for member in _parts(node):
        key, value = member.child_by_field_name("key"), member.child_by_field_name("value")
        if member.type != "pair" or key is None or key.text is None or value is None:
            return None
        members[key.text.decode("utf-8", "replace").strip("\"'")] = value
    chunks, modules = members.get("otherChunks"), members.get("runtimeModuleIds")
    if chunks is None or modules is None or {chunks.type, modules.type} != {"array"}:
        return None
    paths = [_string(item) for item in _parts(chunks)]
    ids = [identifier_of(item) for item in _parts(modules)]
    known = tuple(path for path in paths if path is not None), tuple(one for one in ids if one is not None)
    if len(known[0]) != len(paths) or len(known[1]) != len(ids):
        return None
    return Parameters(node.start_byte, node.end_byte, *known)
