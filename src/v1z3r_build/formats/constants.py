"""Constants of scripts: strings that have a name, and what becomes of them.

Bundlers give an imported image a constant, `const a="/assets/a-Bx3f_9-a.png"`, and components say `jsx("img",{src:a})`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from v1z3r_build.formats.javascript import SHOWING, element_of, member_of
from v1z3r_build.formats.scope_analysis import analyse_module, analyse_script
from v1z3r_build.formats.scopes import Access, Refused

if TYPE_CHECKING:
    from collections.abc import Collection

    from tree_sitter import Node

    from v1z3r_build.formats.scopes import Scopes


def shown(source: bytes, places: Collection[int]) -> frozenset[int]:
    """Of the strings of a script in which these offsets lie, those that it does nothing with but show them as images.

    Answers with their offsets. A script that cannot be analysed shows none for sure.
    """
    scopes = _analysed(source)
    if scopes is None:
        return frozenset()
    root = scopes.tree.root_node
    is_module = any(statement.type in ("import_statement", "export_statement") for statement in root.children)
    strings = {place: string for place in places if (string := _string(root, place)) is not None}
    names = {name.start_byte: place for place, string in strings.items() if (name := _name(string)) is not None}
    found: set[int] = set()
    for scope in scopes.scopes:
        for binding in scope.bindings.values():
            place = names.get(binding.declarations[0].start) if binding.declarations else None
            if place is None or len(binding.declarations) > 1 or binding.exported:
                continue
            if scope is scopes.root and not is_module:
                continue  # it may be a global variable, which other scripts see
            if all(one.access is Access.READ and _is_shown(root, one.start) for one in binding.references):
                found.add(place)
    return frozenset(found)


def _analysed(source: bytes) -> Scopes | None:
    for analyse in (analyse_module, analyse_script):
        try:
            scopes = analyse(source)
            scopes.whole()
        except Refused:
            continue
        return scopes
    return None


def _string(root: Node, place: int) -> Node | None:
    node: Node | None = root.descendant_for_byte_range(place, place + 1)
    while node is not None and node.type in ("string_fragment", "escape_sequence"):
        node = node.parent
    return node if node is not None and node.type in ("string", "template_string") else None


def _name(string: Node) -> Node | None:
    """The name that a declaration gives to a string, or to the address `new URL("a.png", import.meta.url).href`."""
    value = string
    arguments = string.parent
    if arguments is not None and arguments.type == "arguments":
        url = arguments.parent
        member = url.parent if url is not None and url.type == "new_expression" else None
        if member is None or member.type != "member_expression":
            return None
        constructor, key = (
            url.child_by_field_name("constructor") if url else None,
            member.child_by_field_name("property"),
        )
        base = arguments.named_children[1:2]
        if (
            constructor is None
            or constructor.text != b"URL"
            or key is None
            or key.text != b"href"
            or [one.text for one in base] != [b"import.meta.url"]
            or arguments.named_children[0] != string
        ):
            return None
        value = member
        joined = member.parent
        if joined is not None and joined.type == "binary_expression":  # Vite: `"" + new URL(…).href`
            left, operator = joined.child_by_field_name("left"), joined.child_by_field_name("operator")
            if left is None or left.text not in (b'""', b"``", b"''") or operator is None or operator.text != b"+":
                return None
            value = joined
    declarator = value.parent
    if declarator is None or declarator.type != "variable_declarator":
        return None
    name = declarator.child_by_field_name("name")
    return name if name is not None and name.type == "identifier" else None


def _is_shown(root: Node, start: int) -> bool:
    node: Node | None = root.descendant_for_byte_range(start, start + 1)
    pair = node.parent if node is not None else None
    in_template = pair is not None and pair.type == "template_substitution"  # `${a} 1x, ${b} 2x`
    if pair is not None and in_template:
        node = pair.parent
        pair = node.parent if node is not None else None
    if pair is None or pair.type != "pair" or pair.child_by_field_name("value") != node:
        return False
    tag, member = element_of(pair), member_of(pair)
    if member.lower() == "srcset":
        return tag in ("img", "source")
    return not in_template and member in SHOWING.get(tag, ())
