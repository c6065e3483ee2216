"""Lists of what a service worker fetches for use without network: a vendor's file goes on them beside its chunk.

Workbox's lists hold `{url, revision}` (workbox-build's manifest entries; the revision is null where the URL holds a
hash), in the service worker itself, in a script that it imports, or in a JSON file. Hand-written ones are arrays of
URLs for `cache.addAll` (Service Workers, §5.4.5), given in place or by a constant that serves for nothing else but to
be asked whether it includes a URL. SvelteKit's `$service-worker` gives such constants, of paths below the worker's
folder: `base+"/_app/immutable/…"`; its documentation spreads them into one array. Angular's `ngsw.json` has groups of
files to fetch, `{name, installMode, urls: […]}`, and one table of what is to come of it, `hashTable: {url: SHA-1}`.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from v1z3r_build.bundlers.passage import Edit, written
from v1z3r_build.formats.engines.script_syntax import located
from v1z3r_build.formats.javascript import MAX_SIZE, unescape
from v1z3r_build.formats.scope_analysis import analyse_module, analyse_script
from v1z3r_build.formats.scopes import Kind, Refused

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator, Sequence

    from tree_sitter import Node, Tree

    from v1z3r_build.formats.scopes import Scopes

_SHA1 = re.compile(rb'"[0-9a-f]{40}"')
_ESCAPED = re.compile(r"[\"'`\\\0-\x1f]|\$\{")  # what cannot stand in every string as it is
_STRING_PARTS = ("string_fragment", "escape_sequence")


class Neighbour(NamedTuple):
    """What a list is to say of a vendor's file. digest: its SHA-1 in hexadecimal. path: the file's in the site."""

    url: str
    digest: str
    path: str


def list_beside(
    source: bytes, names: Collection[bytes], vendors: Callable[[str], Sequence[Neighbour] | None]
) -> list[Edit] | None:
    """Edits that put the URLs of vendors' files before the URL of their chunk in every list that has it.

    A list gets a file once, whichever of its chunks share it: `cache.addAll` fetches nothing if it is to fetch anything
    twice (Service Workers, "Batch Cache Operations": InvalidStateError).

    source: a script, or a JSON text. names: the file names of the chunks. vendors: gives what to add for a URL of a
    list, None for one that leads to no file of the site. None if a name stands where it is not known what for, or the
    text cannot be read.
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
    lists = _Lists(scopes, tree.root_node)
    edits: list[Edit] = []
    listed: set[tuple[int, str]] = set()
    parts: dict[int, int] = {}  # what is fetched together, and the one list of it that tells of chunks
    for name in sorted(names):
        at = text.find(name)
        while at >= 0:
            literal = _string_at(tree.root_node, at, at + len(name))
            entry = lists.entry(literal) if literal is not None else None
            if literal is None or entry is None:
                return None
            holder = entry.parent
            assert holder is not None, "a member of nothing"
            if any(parts.setdefault(whole, holder.id) != holder.id for whole in lists.wholes(holder)):
                return None
            url = unescape(text[literal.start_byte + 1 : literal.end_byte - 1])
            if _ESCAPED.search(url):
                return None
            # Below what is put before it; that this is the worker's folder is sure only if there is such a file.
            head = "." if entry.type == "binary_expression" else ""
            found = vendors(head + url)
            if head and (found is None or not url.startswith("/")):
                return None
            for one in found or ():
                if (holder.id, one.path) in listed:
                    continue
                listed.add((holder.id, one.path))
                start = entry.start_byte - len(opening)
                another = _another(text, entry, literal, one._replace(url=one.url.removeprefix(head)))
                edits.append(Edit(start, start, another + b","))
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
    return node if node is not None and _is_string(node) else None


def _is_string(node: Node) -> bool:
    """Whether a node is a string; rolldown writes them as templates without parts."""
    return node.type == "string" or (
        node.type == "template_string" and all(one.type in _STRING_PARTS for one in node.named_children)
    )


class _Lists:
    """The lists of a text."""

    def __init__(self, scopes: Scopes, root: Node) -> None:
        self._scopes = scopes
        self._root = root
        self._wholes: dict[int, set[int]] = {}

    def wholes(self, array: Node) -> Iterable[int]:
        """The arrays that a list of `entry` is fetched as a part of, by their nodes' ids; none but for `addAll`."""
        return self._wholes.get(array.id, ())

    def entry(self, literal: Node) -> Node | None:
        """The member of a list that a URL is, or is the `url` of."""
        holder = literal.parent
        if holder is None:
            return None
        if _is_below(holder):
            listed = holder.parent
            return holder if listed is not None and listed.type == "array" and self._is_added(listed) else None
        if holder.type == "pair" and holder.child_by_field_name("key") == literal:
            return holder if _is_digest(holder) else None
        if holder.type == "array":
            if _is_group(holder):
                return literal
            mixed = any(one.type == "object" and _is_entry(one) for one in holder.named_children)
            return literal if mixed or self._is_added(holder) else None
        entry = holder.parent
        listed = entry.parent if entry is not None else None
        if entry is None or listed is None or listed.type != "array" or not _is_entry(entry):
            return None
        return entry if _members(entry)[b"url"] == literal else None

    def _is_added(self, array: Node) -> bool:
        """Whether all that becomes of an array of URLs is that a cache fetches them: `cache.addAll([…])`."""
        uses = list(self._uses(array, frozenset()))
        self._wholes[array.id] = {whole for method, whole in uses if method == "addAll"}
        return all(method for method, _ in uses) and bool(self._wholes[array.id])

    def _uses(self, array: Node, around: frozenset[int]) -> Iterator[tuple[str | None, int]]:
        """The methods to which an array of URLs comes, None for any other use, and as what array.

        around: arrays that are a part of it.
        """
        if array.id in around or any(
            one.type not in ("comment", "spread_element") and not _is_string(one) and not _is_below(one)
            for one in array.named_children
        ):
            yield None, array.id
            return
        for node in self._places(array):
            parent = node.parent
            outer = parent.parent if parent is not None and parent.type == "spread_element" else None
            if outer is not None and outer.type == "array":
                yield from self._uses(outer, around | {array.id})
            else:
                yield _method(node), array.id

    def _places(self, array: Node) -> Iterator[Node]:
        """Where an array comes to: its own place, or all those of the constant that holds it."""
        declarator = array.parent
        name = declarator.child_by_field_name("name") if declarator is not None else None
        if declarator is None or declarator.type != "variable_declarator" or name is None or name.type != "identifier":
            yield array
            return
        binding = next(
            (
                one
                for scope in self._scopes.scopes
                for one in scope.bindings.values()
                if one.kind is Kind.CONST and any(place.start == name.start_byte for place in one.declarations)
            ),
            None,
        )
        if binding is None or binding.exported:
            # A variable may be given another value, and an export is read elsewhere. The place of its value is no use.
            yield array
            return
        for one in binding.references:
            if one.start != name.start_byte:
                node = self._root.descendant_for_byte_range(one.start, one.end)
                assert node is not None, "a reference without a node"
                yield node


def _is_digest(pair: Node) -> bool:
    """Whether a member of an object is one of Angular's hash table."""
    table = pair.parent.parent if pair.parent is not None else None
    key = table.child_by_field_name("key") if table is not None and table.type == "pair" else None
    value = pair.child_by_field_name("value")
    return (
        (key is not None and key.text == b'"hashTable"')
        and value is not None
        and _SHA1.fullmatch(value.text or b"") is not None
    )


def _is_group(array: Node) -> bool:
    """Whether an array holds the URLs of one of Angular's groups of assets."""
    pair = array.parent
    key = pair.child_by_field_name("key") if pair is not None and pair.type == "pair" else None
    group = pair.parent if pair is not None else None
    return (
        (key is not None and key.text == b'"urls"')
        and (group is not None and group.type == "object" and b"installMode" in _members(group))
        and all(one.type == "string" for one in array.named_children)
    )


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


def _is_below(node: Node) -> bool:
    """Whether a node is a path behind that of a folder which a name holds: `base + "/x.js"`."""
    left, right = node.child_by_field_name("left"), node.child_by_field_name("right")
    operator = node.child_by_field_name("operator")
    return (
        node.type == "binary_expression"
        and (left is not None and left.type == "identifier")
        and (right is not None and _is_string(right))
        and (operator is not None and operator.type == "+")
    )


def _method(node: Node) -> str | None:
    """The method that takes all URLs of an array, and nothing else, or that tells whether it has one."""
    around = node.parent
    if around is None:
        return None
    if around.type == "member_expression" and around.child_by_field_name("object") == node:
        call = around.parent
        is_called = call is not None and call.child_by_field_name("function") == around
        name = around.child_by_field_name("property")
        return "includes" if is_called and name is not None and name.text == b"includes" else None
    call = around.parent
    if around.type != "arguments" or call is None or call.type != "call_expression":
        return None
    function = call.child_by_field_name("function")
    name = function.child_by_field_name("property") if function is not None else None
    return "addAll" if name is not None and name.text == b"addAll" and [*around.named_children] == [node] else None


def _another(source: bytes, entry: Node, literal: Node, new: Neighbour) -> bytes:
    """An entry like another one, for a file whose name holds its hash: its revision is null."""
    edits = [Edit(literal.start_byte + 1, literal.end_byte - 1, new.url.encode())]
    if entry.type == "object":
        revision = _members(entry)[b"revision"]
        edits.append(Edit(revision.start_byte, revision.end_byte, b"null"))
    elif entry.type == "pair":
        edits.append(Edit(entry.end_byte - 1 - len(new.digest), entry.end_byte - 1, new.digest.encode()))
    return written(source, entry.start_byte, entry.end_byte, sorted(edits))
