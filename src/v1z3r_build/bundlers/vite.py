"""Vite's lists of what to preload for a dynamic import: `__vite__mapDeps`.

A chunk holds one list of files, `m.f||(m.f=["assets/a.js",…])`, and each dynamic import names its files by index,
`__vite__mapDeps([0,3])` (Vite 5 to 8). Vite 4 names them in place and is left alone: the files are then found
one trip later.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from v1z3r_build.bundlers.passage import Edit
from v1z3r_build.formats.javascript import unescape

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from tree_sitter import Node, Parser

_NAME = b"__vite__mapDeps"


@cache
def _parser() -> Parser:
    import tree_sitter_javascript
    from tree_sitter import Language, Parser

    return Parser(Language(tree_sitter_javascript.language()))


def preload(source: bytes, vendors: Callable[[str], Iterable[str]]) -> list[Edit]:
    """Edits by which the files of vendors are preloaded with the chunks that import them.

    vendors: gives the entries to add for an entry of the list. Nothing is edited where the list has another form.
    """
    if _NAME not in source:
        return []
    root = _parser().parse(source).root_node
    lists = [node for node in _named(source, root) if node.type == "array"]
    if root.has_error or len(lists) != 1 or any(one.type != "string" for one in lists[0].named_children):
        return []
    entries = lists[0].named_children
    quote = source[entries[0].start_byte : entries[0].start_byte + 1] if entries else b'"'
    added: list[bytes] = []
    extra: dict[int, list[int]] = {}
    for index, entry in enumerate(entries):
        for name in vendors(unescape(source[entry.start_byte + 1 : entry.end_byte - 1])):
            text = quote + name.encode() + quote
            if text not in added:
                added.append(text)
            extra.setdefault(index, []).append(len(entries) + added.index(text))
    edits = [Edit(entries[-1].end_byte, entries[-1].end_byte, b"," + b",".join(added))] if added else []
    for call in _calls(source, root):
        numbers = call.named_children
        present = {int(child.text or b"0") for child in numbers}
        more = sorted({one for index in present for one in extra.get(index, ())} - present)
        if more:
            edits.append(Edit(numbers[-1].end_byte, numbers[-1].end_byte, "".join(f",{one}" for one in more).encode()))
    return edits


def beside(entry: str, name: str) -> str:
    """The entry for a file in the folder of an entry's. One without a folder gets no slash, which means the host's."""
    return entry[: entry.rfind("/") + 1] + name


def _places(source: bytes) -> Iterator[int]:
    at = source.find(_NAME)
    while at >= 0:
        yield at
        at = source.find(_NAME, at + 1)


def _named(source: bytes, root: Node) -> Iterator[Node]:
    """The arrays that are assigned to the property `f` of the list's function."""
    for at in _places(source):
        name = root.descendant_for_byte_range(at, at + len(_NAME))
        declarator = name.parent if name is not None else None
        if (
            declarator is None
            or declarator.type != "variable_declarator"
            or declarator.child_by_field_name("name") != name
        ):
            continue
        work = [declarator]
        while work:
            node = work.pop()
            if node.type == "assignment_expression":
                left, right = node.child_by_field_name("left"), node.child_by_field_name("right")
                if left is not None and right is not None and (left.text or b"").endswith(b".f"):
                    yield right
            work.extend(node.named_children)


def _calls(source: bytes, root: Node) -> Iterator[Node]:
    """The arrays of numbers with which the list's function is called."""
    for at in _places(source):
        name = root.descendant_for_byte_range(at, at + len(_NAME))
        call = name.parent if name is not None else None
        if call is None or call.type != "call_expression" or call.child_by_field_name("function") != name:
            continue
        arguments = call.child_by_field_name("arguments")
        given = arguments.named_children if arguments is not None else []
        if len(given) != 1 or given[0].type != "array" or not given[0].named_children:
            continue
        if all(one.type == "number" and (one.text or b"").isdigit() for one in given[0].named_children):
            yield given[0]
