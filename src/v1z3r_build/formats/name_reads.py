"""Where code reads the `name` of something, which may be a function or class: that name must not be another one.

Looked for are `.name` and `["name"]` that are not just written to, `{name}` as a pattern, and the string "name" where
it is not compared.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from v1z3r_build.formats.descent import Descent

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tree_sitter import Node

# A pattern that begins with letters is found faster.
_WORD = re.compile(rb"name(?<![\w$]name)(?![\w$])")
_LITERALS = frozenset(("object", "array", "string", "template_string", "regex", "number", "true", "false"))
_FUNCTIONS = frozenset(
    ("function_declaration", "generator_function_declaration", "function_expression", "generator_function")
)
_MEMBERS = frozenset(("method_definition", "field_definition", "class_static_block"))


class NameRead(NamedTuple):
    """A place that reads a name. start: of the word `name`, in bytes.

    of: where the identifier begins of which it is read, -1 if that is no identifier or not known. may_be_function:
    whether it may be a function or class of which it is read.
    """

    start: int
    of: int
    may_be_function: bool


def name_reads(source: bytes, root: Node) -> list[NameRead]:
    """The places of a text that read names, in order."""
    descent = Descent(root)
    found: list[NameRead] = []
    for match in _WORD.finditer(source):
        path = descent.to(match.start(), match.end())
        is_read, receiver = _read(path, match.start(), match.end())
        if is_read:
            of = receiver.start_byte if receiver is not None and receiver.type == "identifier" else -1
            found.append(NameRead(match.start(), of, receiver is None or _may_be_function(receiver, path)))
    return found


def _read(path: Sequence[Node], start: int, end: int) -> tuple[bool, Node | None]:
    """Whether the word `name` at a place, at the end of a path, reads a property, and of what if that is known."""
    if len(path) < 4:
        return False, None
    outer, parent, node = path[-3:]
    if node.type == "shorthand_property_identifier_pattern":
        return True, None
    if node.type == "string_fragment":
        if parent.type not in ("string", "template_string") or parent.end_byte - parent.start_byte != end - start + 2:
            return False, None
        outer, parent, node = path[-4:-1]
    elif node.type != "property_identifier":
        return False, None
    if parent.type == "pair_pattern":
        return parent.child_by_field_name("key") == node, None
    if parent.type == "computed_property_name":
        return outer.type == "pair_pattern", None
    if parent.type in ("member_expression", "subscript_expression"):
        written = outer.type == "assignment_expression" and outer.child_by_field_name("left") == parent
        receiver = parent.child_by_field_name("object")
        while receiver is not None and receiver.type == "parenthesized_expression" and receiver.named_child_count == 1:
            receiver = receiver.named_child(0)
        return not written, receiver
    if node.type == "property_identifier" or parent.type in (
        "pair",
        "switch_case",
        "method_definition",
        "field_definition",
    ):
        return False, None
    if parent.type == "binary_expression":
        operator = parent.child_by_field_name("operator")
        return operator is None or operator.type not in ("==", "===", "!=", "!=="), None
    return True, None


def _may_be_function(receiver: Node, path: Sequence[Node]) -> bool:
    """path: from the root to what reads its name."""
    if receiver.type in _LITERALS:
        return False
    if receiver.type != "this":
        return True
    # The innermost function but arrows, or the class, that `this` belongs to.
    depth = len(path) - 2
    while depth and path[depth].type not in _FUNCTIONS and path[depth].type not in _MEMBERS:
        depth -= 1
    if path[depth].type not in ("method_definition", "field_definition"):
        return True
    of, body, outer, inner = path[depth - 2 : depth + 2]
    if body.type != "class_body" or inner == outer.child_by_field_name("name"):
        return True
    if inner == outer.child_by_field_name("property") or any(
        child.type.startswith("static") for child in outer.children
    ):
        return True
    heritage = next((child for child in of.children if child.type == "class_heritage"), None)
    return heritage is not None and b"Function" in (heritage.text or b"")
