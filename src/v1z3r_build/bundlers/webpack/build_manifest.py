"""Next's `_buildManifest.js`, from which the pages router learns what a route's scripts and styles are.

`self.__BUILD_MANIFEST=function(s){return{"/":[s,"static/chunks/pages/index-1f.js"]}}("static/chunks/9-2e.js")`: strings
that stand in several lists are arguments of the function, so that one literal may mean all lists. The router (Next's
route loader) adds a script to the page for each name in a route's list, all at once, below `assetPrefix/_next/`, and
waits for all of them; in which order they stand is the order in which they are asked for.
"""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import unquote

from v1z3r_build.bundlers.webpack import syntax
from v1z3r_build.bundlers.webpack.syntax import Edit, Refusal
from v1z3r_build.formats.engines.script_syntax import parse

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from tree_sitter import Node

_NAME = b"__BUILD_MANIFEST"


def list_before(source: bytes, before: Mapping[str, Sequence[str]]) -> list[Edit] | Refusal:
    """Edits that put the vendor's paths before the old chunk's in every list that has it.

    before: path of an old chunk -> paths of its vendor chunks, as the manifest writes them (below `_next/`) but with
    escapes undone: `static/chunks/pages/[id]-1f.js`. A list that has a vendor's path gets no second one.
    No edits where no list has the chunk; a Refusal where its path stands in a place that is not understood.
    """
    if _NAME not in source:
        return Refusal("no build manifest")
    root = parse(source).root_node
    if root.has_error:
        return Refusal("the build manifest does not parse")
    value = _value(root)
    if value is None:
        return Refusal("a build manifest of a shape that is not understood")
    table, arguments = value
    understood = {node.id for node in arguments.values()}
    edits: list[Edit] = []
    for listed in _lists(table):
        items = [(item, _path(item, arguments)) for item in syntax.named(listed)]
        present = {path for _, path in items}
        for item, path in items:
            understood.add(item.id)
            added = [vendor for vendor in before.get(path or "", ()) if vendor not in present]
            present.update(added)
            if added:
                literals = b"".join(b'"%s",' % vendor.encode() for vendor in added)
                edits.append(Edit(item.start_byte, item.start_byte, literals))
    for node in _strings(root):
        if node.id not in understood and _decoded(node) in before:
            return Refusal("a chunk's path stands outside the lists of the build manifest", node.start_byte)
    return edits


def _value(root: Node) -> tuple[Node, dict[str, Node]] | None:
    """The table of routes, and the strings that the names in it stand for."""
    for node in _nodes(root, "assignment_expression"):
        left, right = node.child_by_field_name("left"), node.child_by_field_name("right")
        if left is None or right is None or syntax.text(left.child_by_field_name("property")) != _NAME:
            continue
        right = syntax.bare(right)
        if right.type == "object":
            return right, {}
        if right.type != "call_expression":
            return None
        function, given = right.child_by_field_name("function"), right.child_by_field_name("arguments")
        function = syntax.bare(function) if function is not None else None
        body = function.child_by_field_name("body") if function is not None else None
        if function is None or given is None or body is None or function.type not in syntax.FUNCTIONS:
            return None
        try:
            names = syntax.parameters(function)
        except syntax.UnreadableError:
            return None
        statements = syntax.named(body) if body.type == "statement_block" else []
        if statements and statements[-1].type == "return_statement" and len(statements) == 1:
            body = syntax.named(statements[0])[0]
        table = syntax.bare(body)
        arguments = {
            name: node for name, node in zip(names, syntax.named(given), strict=False) if node.type == "string"
        }
        return (table, arguments) if table.type == "object" else None
    return None


def _lists(table: Node) -> Iterator[Node]:
    """The lists of routes: keys that begin with a slash."""
    for pair in syntax.named(table):
        key, value = pair.child_by_field_name("key"), pair.child_by_field_name("value")
        if key is None or value is None or value.type != "array":
            continue
        name = syntax.string(key)
        if name is not None and name.startswith("/"):
            yield value


def _path(item: Node, arguments: Mapping[str, Node]) -> str | None:
    if item.type == "identifier":
        literal = arguments.get(syntax.text(item).decode())
        return _decoded(literal) if literal is not None else None
    return _decoded(item)


def _decoded(node: Node) -> str | None:
    value = syntax.string(node)
    return unquote(value) if value is not None else None


def _strings(root: Node) -> Iterator[Node]:
    return _nodes(root, "string")


def _nodes(root: Node, kind: str) -> Iterator[Node]:
    waiting = [root]
    while waiting:
        node = waiting.pop()
        if node.type == kind:
            yield node
        waiting += reversed(node.named_children)
