"""A chunk: `(self.G=self.G||[]).push([[ids],{id:factory,…},callback])`, and modules moved out of it.

What webpack guarantees and all of this rests on (`JsonpChunkLoadingRuntimeModule`, webpack 4: `MainTemplate`): the
runtime copies the factories of a chunk into one table for the whole page, whichever chunk they came in, and
calls a factory only when its module is first required. So a factory may come in any chunk that is installed
by then.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from itertools import pairwise
from typing import TYPE_CHECKING

from v1z3r_build.bundlers.webpack import syntax
from v1z3r_build.bundlers.webpack.syntax import Edit, Extent, Module, Refusal, UnreadableError
from v1z3r_build.formats import derivation
from v1z3r_build.formats.derivation import joined
from v1z3r_build.formats.engines.script_syntax import parse

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence

    from tree_sitter import Node, Tree

    from v1z3r_build.formats.derivation import Derived

_PUSH = re.compile(rb"\|\|\s*\[\s*\]\s*\)\s*(?:\.\s*push|\[\s*[\"']push[\"']\s*\])\s*\(")
_SOURCE_MAP = re.compile(rb"(?://|/\*)[#@]\s*sourceMappingURL=")


@dataclass(frozen=True, slots=True)
class Chunk:
    """A chunk of webpack 4 or 5.

    queue: where the queue is made, `self.G=self.G||[]` without brackets; its name is `queue_name`. ids: the ids of the
    chunk as property names. strict: whether a directive before the push makes all factories strict. callback:
    the function that starts the chunk's entries (webpack 5). entries: the lists `[module, chunks…]` of the
    entries to start (webpack 4, and 5 before 5.22). licenses: comments before the push that ask to be kept.
    source_map: the comment that names the source map.
    """

    source: bytes = field(repr=False)
    queue: Extent
    queue_name: str
    ids: tuple[str, ...]
    table: Extent
    modules: tuple[Module, ...]
    strict: bool
    callback: Extent | None = None
    entries: Extent | None = None
    licenses: tuple[Extent, ...] = ()
    source_map: Extent | None = None


@dataclass(frozen=True, slots=True)
class Factory:
    """A factory on its way into a new chunk. text: `id:function…` or a method, as it stood in the old one.

    directed: the same with the directive that stood before the old chunk's push.
    """

    text: Derived = field(repr=False)
    directed: Derived = field(repr=False)


@dataclass(frozen=True, slots=True)
class Split:
    """What comes of a chunk: the old one without the modules, and the new one.

    moved: for source maps: the place of each entry in the old text, and where it begins in the vendor's.
    """

    old: Derived = field(repr=False)
    vendor: Derived = field(repr=False)
    moved: tuple[tuple[Extent, int], ...]


def read_chunk(source: bytes, tree: Tree | None = None) -> Chunk | Refusal | None:
    """The chunk that a script is; None if it is none, a Refusal if it is one in a shape that is not understood.

    tree: its syntax tree, if it is parsed already.
    """
    if not _PUSH.search(source):
        return None
    if len(source) > syntax.MAX_SIZE:
        return Refusal("the script is too large to be parsed")
    root = (tree or parse(source)).root_node
    statements = [node for node in syntax.named(root) if node.type not in ("hash_bang_line", "empty_statement")]
    pushes = [(node, call) for node in statements if (call := _push(node)) is not None]
    if not pushes:
        return None
    if root.has_error:
        return Refusal("the chunk does not parse", pushes[0][0].start_byte)
    if len(pushes) > 1:
        return Refusal("two chunks in one file", pushes[1][0].start_byte)
    statement, call = pushes[0]
    other = [node for node in statements if node != statement and not _is_directive(node) and not _is_bare(node)]
    if other:
        return Refusal("other code beside the chunk", other[0].start_byte)
    try:
        return _chunk(source, root, statement, call)
    except UnreadableError as unreadable:
        return unreadable.refusal


def queue_assignment(node: Node) -> tuple[str, bytes] | None:
    """The key and the holder of `holder.key=holder.key||[]`; None if the node is something else."""
    left, right = node.child_by_field_name("left"), node.child_by_field_name("right")
    if node.type != "assignment_expression" or left is None or right is None:
        return None
    right = syntax.bare(right)
    again, empty = right.child_by_field_name("left"), right.child_by_field_name("right")
    operator = right.child_by_field_name("operator")
    if right.type != "binary_expression" or again is None or empty is None or syntax.text(operator) != b"||":
        return None
    if empty.type != "array" or empty.named_children or _packed(left) != _packed(again):
        return None
    holder = left.child_by_field_name("object")
    if left.type == "member_expression":
        key = syntax.text(left.child_by_field_name("property")).decode()
    elif left.type == "subscript_expression":
        index = left.child_by_field_name("index")
        value = syntax.string(index) if index is not None else None
        if value is None:
            return None
        key = value
    else:
        return None
    return key, syntax.text(holder)


def _packed(node: Node) -> bytes:
    return re.sub(rb"\s+", b"", syntax.text(node))


def _push(statement: Node) -> Node | None:
    """The call that hands a chunk to the queue, if the statement is one."""
    inside = syntax.named(statement)
    if statement.type != "expression_statement" or len(inside) != 1 or inside[0].type != "call_expression":
        return None
    callee = inside[0].child_by_field_name("function")
    queue = callee.child_by_field_name("object") if callee is not None else None
    if callee is None or queue is None or queue_assignment(syntax.bare(queue)) is None:
        return None
    name = callee.child_by_field_name("property") or callee.child_by_field_name("index")
    return inside[0] if syntax.text(name).strip(b"\"'") == b"push" else None


def _is_directive(statement: Node) -> bool:
    inside = statement.named_children
    return statement.type == "expression_statement" and len(inside) == 1 and inside[0].type == "string"


def _is_bare(statement: Node) -> bool:
    """Whether it only declares names: `var LIB;`, which a library's callback assigns."""
    declared = syntax.named(statement)
    return statement.type == "variable_declaration" and all(
        node.type == "variable_declarator" and node.child_by_field_name("value") is None for node in declared
    )


def _chunk(source: bytes, root: Node, statement: Node, call: Node) -> Chunk:
    callee, arguments = call.child_by_field_name("function"), call.child_by_field_name("arguments")
    holder = callee.child_by_field_name("object") if callee is not None else None
    if holder is None or arguments is None:
        raise UnreadableError("a push without arguments", call.start_byte)
    queue = syntax.bare(holder)
    assigned = queue_assignment(queue)
    data = syntax.named(arguments)
    if assigned is None or len(data) != 1 or data[0].type != "array":
        raise UnreadableError("a push of something else than a chunk", call.start_byte)
    parts = syntax.named(data[0])
    between = [child.type for child in data[0].children if child.type != "comment"]
    has_hole = any(pair in ((",", ","), ("[", ",")) for pair in pairwise(between))
    if not 2 <= len(parts) <= 5 or has_hole or parts[0].type != "array":
        raise UnreadableError("a push of something else than a chunk", call.start_byte)
    ids = tuple(syntax.property_name(item) for item in syntax.named(parts[0]))
    if not ids:
        raise UnreadableError("a chunk without ids", parts[0].start_byte)
    strict = syntax.has_directive(root)
    callback, entries = _startup(parts[2:])
    comments = [node for node in root.named_children if node.type == "comment"]
    return Chunk(
        source,
        syntax.extent(queue),
        assigned[0],
        ids,
        syntax.extent(parts[1]),
        syntax.modules(parts[1], strict=strict),
        strict,
        callback,
        entries,
        syntax.licenses(root),
        next((syntax.extent(node) for node in comments if _SOURCE_MAP.match(syntax.text(node))), None),
    )


def _startup(rest: Sequence[Node]) -> tuple[Extent | None, Extent | None]:
    """The callback and the lists of entries, from what follows the table.

    webpack 5: callback. 5 before 5.22: callback or 0, entries, chunks to prefetch. 4: entries, chunks to prefetch.
    """
    callback: Extent | None = None
    entries: Extent | None = None
    parts = list(rest)
    if parts and syntax.bare(parts[0]).type in ("function_expression", "arrow_function"):
        callback = syntax.extent(parts.pop(0))
    elif parts and syntax.text(parts[0]) in (b"0", b"null", b"void 0", b"undefined"):
        parts.pop(0)
    if parts and parts[0].type == "array":
        entries = syntax.extent(parts.pop(0))
    elif parts and syntax.text(parts[0]) in (b"0", b"null", b"void 0", b"undefined"):
        parts.pop(0)
    if parts and parts[0].type == "array":
        parts.pop(0)
    if parts:
        raise UnreadableError("a chunk with a startup that is unknown", parts[0].start_byte)
    return callback, entries


def require_own(chunk: Chunk) -> list[Edit]:
    """Edits that let the chunk's callback wait until the chunk itself is ready, by the runtime's own measure.

    A registered runtime calls an old chunk ready when its vendor chunks are installed, too. The callback as a whole
    becomes an entry that needs the chunk's own ids (`X.O(0,[ids],…)`, webpack's onChunksLoaded), so that it does
    not matter what it does: list chunks (`e.O(0,[774],…)`) or start its entry at once (`e=>{_N_E=e(e.s=7)}`). The
    runtime asks again right after it has installed the chunk, within the same push; a page that finds the vendor
    there already sees the entry run within its script, as before, and a library assigned to a variable.
    Lists of entries (`Chunk.entries`) need no edits: the registered runtime adds the vendor chunks to them.
    """
    if chunk.callback is None or chunk.entries is not None:
        return []
    ids = b",".join(syntax.id_literal(identity) for identity in chunk.ids)
    start, end = chunk.callback
    return [
        Edit(start, start, b"function(e){e.O(0,[%s],function(){return(" % ids),
        Edit(end, end, b")(e)}),e.O()}"),
    ]


def move(chunk: Chunk, ids: Collection[str], vendor: str) -> Split:
    """Move whole factories into a new chunk with the id `vendor`, in the order in which they stand.

    ids: of modules. Both texts keep the license comments before the push; the old text loses its comment with the
    source map's address, for the map does not fit any more. Raises ValueError for an id that is not in the chunk,
    or no ids at all.
    """
    wanted = set(ids)
    moving = [module for module in chunk.modules if module.id in wanted]
    if not wanted or len(moving) < len(wanted):
        missing = sorted(wanted - {module.id for module in moving})
        raise ValueError(f"modules {missing} are not in chunk {chunk.ids[0]}")
    vendor_text = compose([chunk], [(chunk, module) for module in moving], vendor)
    edits = [removal(chunk.source, module) for module in moving]
    if chunk.source_map is not None:
        edits.append(Edit(*chunk.source_map, b""))
    places: list[tuple[Extent, int]] = []
    at = 0
    for module in moving:
        entry = factory(chunk.source, module).text
        at = vendor_text.index(entry, at) + len(entry)
        places.append((module.entry, at - (module.entry.end - module.entry.start)))
    return Split(syntax.apply(chunk.source, edits), vendor_text, tuple(places))


def compose(chunks: Sequence[Chunk], moving: Sequence[tuple[Chunk, Module]], vendor: str) -> Derived:
    """The text of a chunk with modules of one or more chunks, which must have the same queue.

    Where all were strict by a directive before the push, it stands there again; where only some were, each of those
    gets a directive of its own. Raises ValueError for chunks of different queues, or one id twice.
    """
    queues = {chunk.source[slice(*chunk.queue)] for chunk in chunks}
    names = {chunk.queue_name for chunk in chunks}
    ids = [module.id for _, module in moving]
    if len(names) != 1 or len(set(ids)) < len(ids):
        raise ValueError("modules of different queues, or one module twice")
    factories = [factory(chunk.source, module) for chunk, module in moving]
    all_strict = all(chunk.strict for chunk, _ in moving)
    texts = [
        one.text if all_strict or not chunk.strict else one.directed
        for one, (chunk, _) in zip(factories, moving, strict=True)
    ]
    licenses = [chunk.source[slice(*place)] for chunk in chunks for place in chunk.licenses]
    return written(sorted(queues)[0], vendor, texts, licenses, strict=all_strict)


def written(
    queue: bytes, identity: str, factories: Sequence[bytes], licenses: Sequence[bytes], *, strict: bool
) -> Derived:
    """The text of a chunk. queue: as in `Chunk`. strict: whether a directive stands before the push."""
    head = b"%s%s(%s).push([[%s],{" % (
        b"".join(licence + b"\n" for licence in dict.fromkeys(licenses)),
        b'"use strict";' if strict else b"",
        queue,
        syntax.id_literal(identity),
    )
    return joined((head, listed(factories), b"}]);"))


def listed(texts: Iterable[bytes]) -> Derived:
    """Texts with commas between them."""
    return joined(part for number, text in enumerate(texts) for part in ((b",", text) if number else (text,)))


def factory(source: bytes, module: Module) -> Factory:
    """A module's entry for another table: as it stands there, and with the directive that stood around it."""
    start, end = module.entry
    head = b"" if module.keyed else syntax.id_literal(module.id) + b":"
    plain = joined((head, derivation.written(source, start, end)))
    if module.own_directive or not module.strict:
        return Factory(plain, plain)
    if module.body is None:
        arrow = _expression(source, module)
        edits = [
            Edit(arrow.start, arrow.start, b'{"use strict";return '),
            Edit(arrow.end, arrow.end, b"}"),
        ]
    else:
        edits = [Edit(module.body.start, module.body.start, b'"use strict";')]
    return Factory(plain, joined((head, derivation.written(source, start, end, edits))))


def _expression(source: bytes, module: Module) -> Extent:
    """Where the expression stands that is the body of an arrow."""
    start, end = module.factory
    # A call makes the arrow an expression of its own; the offset goes by one.
    tree = parse(b"(" + source[start:end] + b")")
    arrow = syntax.bare(tree.root_node.named_children[0].named_children[0])
    body = arrow.child_by_field_name("body")
    assert body is not None, "an arrow without a body was read as a module"
    return Extent(body.start_byte - 1 + start, body.end_byte - 1 + start)


def removal(source: bytes, module: Module) -> Edit:
    """The edit that takes a module out. An object loses a comma with it, an array keeps a hole."""
    start, end = module.entry
    if not module.keyed:
        return Edit(start, end, b"")
    after = re.compile(rb"(?:\s|/\*.*?\*/|//[^\r\n]*[\r\n])*", re.S).match(source, end)
    comma = after.end() if after else end
    if source[comma : comma + 1] == b",":
        # What stands between is white space or comments.
        return Edit(start, comma + 1, source[end:comma])
    return Edit(start, end, b"")  # the last one: a comma may stay behind it
