"""Whether the evaluation of an expression can be noticed: statements that are idle may change places with others.

Only what the grammar alone decides counts as idle. There is no list of harmless functions: a page may have put another
one under any name.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Container

    from tree_sitter import Node

# Their evaluation makes a value, and neither reads nor calls anything (ECMA-262, §13.2 and §15).
_VALUES = {
    "number", "string", "regex", "true", "false", "null", "undefined", "function_expression", "arrow_function",
    "generator_function",
}  # fmt: skip
# Idle if all their parts are; the parts that are punctuation say nothing.
_COMPOUNDS = {
    "array", "object", "pair", "parenthesized_expression", "sequence_expression", "ternary_expression",
    "template_string",
}  # fmt: skip
_PARTS = {"property_identifier", "private_property_identifier", "comment", "string_fragment", "escape_sequence"}
# Operators that call `valueOf` of objects, or throw for some operands, are idle between literals only.
_LITERALS = {"number", "string", "true", "false", "null", "undefined"}
_LOGICAL = {"&&", "||", "??", "===", "!=="}
_HARMLESS = {"!", "void"}
_OF_LITERALS = {"-", "+", "~", "typeof"}


def is_idle(expression: Node, known: Container[str] = (), classes: Container[str] = ()) -> bool:
    """Whether nothing outside can tell if, or when, the expression is evaluated.

    known: names that already have the value that they will keep: reading another one may throw, or call a getter.
    classes: those of them that are classes: extending another value calls whatever it has under `prototype`.
    """
    return _are_idle([(expression, known, classes)])


def is_idle_class(node: Node, known: Container[str] = (), classes: Container[str] = ()) -> bool:
    """The same for a class: without computed names, and static parts that are not idle, it only makes functions."""
    values = _static_values(node, classes)
    # Inside, the class's own name is there, and its static parts are set one by one.
    return values is not None and _are_idle([(value, (), ()) for value in values])


def _are_idle(work: list[tuple[Node, Container[str], Container[str]]]) -> bool:
    while work:
        node, known, classes = work.pop()
        kind = node.type
        if kind in _VALUES or kind in _PARTS:
            continue
        if kind in ("identifier", "shorthand_property_identifier"):
            if _name(node) not in known:
                return False
        elif kind in _COMPOUNDS:
            if any(child.type == "template_substitution" for child in node.named_children):
                return False
            work.extend((child, known, classes) for child in node.named_children if child.type != "comment")
        elif kind == "class":
            values = _static_values(node, classes)
            if values is None:
                return False
            work.extend((value, (), ()) for value in values)
        elif kind == "method_definition":
            if any(child.type == "computed_property_name" for child in node.named_children):
                return False
        elif kind in ("unary_expression", "binary_expression"):
            operands = _operands(node)
            if operands is None:
                return False
            work.extend((operand, known, classes) for operand in operands)
        else:
            return False
    return True


def _static_values(node: Node, classes: Container[str]) -> list[Node] | None:
    """The values of a class's static fields, None if something else in it can be noticed."""
    body = node.child_by_field_name("body")
    heritage = next((child for child in node.children if child.type == "class_heritage"), None)
    if body is None or any(child.type == "decorator" for child in node.children):
        return None
    if heritage is not None:
        parents = heritage.named_children
        if len(parents) != 1 or parents[0].type != "identifier" or _name(parents[0]) not in classes:
            return None
    values: list[Node] = []
    for member in body.named_children:
        if member.type in ("class_static_block", "decorator"):
            return None
        name = member.child_by_field_name("name") or member.child_by_field_name("property")
        is_computed = name is not None and name.type == "computed_property_name"
        if is_computed or member.child_by_field_name("decorator") is not None:
            return None
        if member.type == "field_definition" and any(child.type == "static" for child in member.children):
            value = member.child_by_field_name("value")
            if value is not None:
                values.append(value)
    return values


def _operands(node: Node) -> list[Node] | None:
    """The operands that must be idle for an operation to be so, None where it never is."""
    operator = node.child_by_field_name("operator")
    if node.type == "unary_expression":
        given = [node.child_by_field_name("argument")]
        allowed, of_literals = _HARMLESS, _OF_LITERALS
    else:
        given = [node.child_by_field_name("left"), node.child_by_field_name("right")]
        allowed, of_literals = _LOGICAL, {"+", "-", "*", "/", "%", "**", "<<", ">>", ">>>", "&", "|", "^"}
    operands = [one for one in given if one is not None]
    if operator is None or len(operands) != len(given):
        return None
    if operator.type in allowed:
        return operands
    # A BigInt beside a number throws, and so does its sign: `+1n`.
    literals = all(one.type in _LITERALS and not (one.text or b"").endswith(b"n") for one in operands)
    return operands if literals and operator.type in of_literals else None


def _name(node: Node) -> str:
    return (node.text or b"").decode()
