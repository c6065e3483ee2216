"""Lists of what a service worker fetches for use without network: a vendor's file goes on them beside its chunk.

Workbox's lists hold `{url, revision}` (workbox-build's manifest entries; the revision is null where the URL holds a
hash), in the service worker itself, in a script that it imports, or in a JSON file. Hand-written ones are arrays of
URLs for `cache.addAll` (Service Workers, §5.4.5), given in place or by a constant that serves for nothing else.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from v1z3r_build.bundlers.passage import Edit, written
from v1z3r_build.formats.engines.script_syntax import located
from v1z3r_build.formats.javascript import MAX_SIZE, unescape
from v1z3r_build.formats.scope_analysis import analyse_module, analyse_script
from v1z3r_build.formats.scopes import Access, Kind, Refused

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Sequence

    from tree_sitter import Node, Tree

    from v1z3r_build.formats.scopes import Scopes

_STRING_PARTS = ("string_fragment", "escape_sequence")


def list_beside(source: bytes, names: Collection[bytes], vendors: Callable[[str], Sequence[str]]) -> list[Edit] | None:
    """Edits that put the URLs of vendors' files before the URL of their chunk in every list that has it.

    source: a script, or a JSON text. names: the file names of the chunks. vendors: gives the URLs to add for a URL of a
    list. None if a name stands where it is not known what for, or the text cannot be read.
    """
    if len(source) > MAX_SIZE:
        return None
    # A JSON object by itself would be read as a block.
    opening = b"(" if source.lstrip()[:1] == b"{" else b""
    text = opening + source + (b")" if opening else b"")
    tree = located(text)
    scopes = _analysed(text, tree)
    if scopes is None:
        return None
    root = tree.root_node
    edits: list[Edit] = []
    for name in sorted(names):
        at = text.find(name)
        while at >= 0:
            literal = _string_at(root, at, at + len(name))
            entry = _entry(scopes, root, literal) if literal is not None else None
            if literal is None or entry is None:
                return None
            listed = text[literal.start_byte + 1 : literal.end_byte - 1]
            for url in vendors(unescape(listed)):
                start = entry.start_byte - len(opening)
                edits.append(Edit(start, start, _another(text, entry, literal, url) + b","))
            at = text.find(name, at + len(name))
    return sorted(edits)


def _analysed(text: bytes, tree: Tree) -> Scopes | None:
    """A service worker may be a script or a module."""
    for analyse in (analyse_script, analyse_module):
        try:
            return analyse(text, tree)
        except Refused:
            continue
    return None


def _string_at(root: Node, start: int, end: int) -> Node | None:
    node = root.descendant_for_byte_range(start, end)
    if node is not None and node.type in _STRING_PARTS:
        node = node.parent
    return node if node is not None and node.type == "string" else None


def _entry(scopes: Scopes, root: Node, literal: Node) -> Node | None:
    """The member of a list that a URL is, or is the `url` of."""
    holder = literal.parent
    if holder is None:
        return None
    if holder.type == "array":
        mixed = any(one.type == "object" and _is_entry(one) for one in holder.named_children)
        return literal if mixed or _is_added(scopes, root, holder) else None
    entry = holder.parent
    listed = entry.parent if entry is not None else None
    if entry is None or listed is None or listed.type != "array" or not _is_entry(entry):
        return None
    return entry if _members(entry)[b"url"] == literal else None


def _is_entry(node: Node) -> bool:
    """Whether an object is an entry of Workbox's: a URL and its revision, and nothing that tells of the file."""
    return node.type == "object" and _members(node).keys() == {b"url", b"revision"}


def _members(node: Node) -> dict[bytes, Node]:
    found: dict[bytes, Node] = {}
    for member in node.named_children:
        key, value = member.child_by_field_name("key"), member.child_by_field_name("value")
        if key is not None and value is not None:
            found[(key.text or b"").strip(b"\"'")] = value
        elif member.type != "comment":
            found[member.text or b""] = member
    return found


def _is_added(scopes: Scopes, root: Node, array: Node) -> bool:
    """Whether all that becomes of an array of strings is that a cache fetches them: `cache.addAll([…])`."""
    if any(one.type not in ("string", "comment") for one in array.named_children):
        return False
    if _is_argument(array):
        return True
    declarator = array.parent
    name = declarator.child_by_field_name("name") if declarator is not None else None
    if declarator is None or declarator.type != "variable_declarator" or name is None or name.type != "identifier":
        return False
    binding = next(
        (
            one
            for scope in scopes.scopes
            for one in scope.bindings.values()
            if one.kind is Kind.CONST and any(place.start == name.start_byte for place in one.declarations)
        ),
        None,
    )
    if binding is None or not binding.references:
        return False
    places = (one for one in binding.references if one.start != name.start_byte)
    return all(
        one.access is Access.READ
        and (node := root.descendant_for_byte_range(one.start, one.end)) is not None
        and _is_argument(node)
        for one in places
    )


def _is_argument(node: Node) -> bool:
    """Whether a node is all that a call of `addAll` is given."""
    arguments = node.parent
    call = arguments.parent if arguments is not None else None
    if arguments is None or call is None or arguments.type != "arguments" or call.type != "call_expression":
        return False
    function = call.child_by_field_name("function")
    name = function.child_by_field_name("property") if function is not None else None
    return name is not None and name.text == b"addAll" and [*arguments.named_children] == [node]


def _another(source: bytes, entry: Node, literal: Node, url: str) -> bytes:
    """An entry like another one, for a file whose name holds its hash: its revision is null."""
    edits = [Edit(literal.start_byte + 1, literal.end_byte - 1, url.encode())]
    if entry.type == "object":
        revision = _members(entry)[b"revision"]
        edits.append(Edit(revision.start_byte, revision.end_byte, b"null"))
    return written(source, entry.start_byte, entry.end_byte, sorted(edits))
