"""What a style sheet means, as tinycss2 reads it: for proving that two sheets mean the same."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import tinycss2

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

Meaning = tuple[Any, ...]

_SPACE = " "
_COMBINATORS = (">", "~", "+")


def of_sheet(text: str) -> Meaning:
    """The sheet's tokens as written, without comments and white space that has no meaning in CSS.

    Equal for two sheets: same rules, same declarations in the same order, fallbacks and errors included.
    """
    return _statements(tinycss2.parse_component_value_list(text), _as_written, top=True)


def of_values(text: str) -> Meaning:
    """Like `of_sheet`, with values that are equal by CSS Values and CSS Color taken as equal.

    Those are: spellings of one number, case and short forms of hex colours, quotes of strings and of URLs,
    case of units. Selectors and custom properties are compared as written.
    """
    return _statements(tinycss2.parse_component_value_list(text), _as_valued, top=True)


def _as_written(node: Any) -> Any:
    return str(node.serialize())


def _as_valued(node: Any) -> Any:
    if node.type in ("number", "percentage", "dimension"):
        # `1.0` is no integer, and `+1` is more than a number in some grammars.
        unit = getattr(node, "lower_unit", "")
        return node.type, node.value, node.is_integer, node.representation.startswith("+"), unit
    if node.type == "hash" and re.fullmatch(r"(?:[0-9a-fA-F]{3,4}){1,2}", node.value):
        digits = node.value.lower()
        return "hash", "".join(digit * 2 for digit in digits) if len(digits) < 5 else digits
    if node.type in ("string", "url"):
        return node.type, node.value
    return _as_written(node)


def _statements(nodes: Sequence[Any], token: Callable[[Any], Any], *, top: bool = False) -> Meaning:
    """Nodes of a sheet or a {} block, cut into statements at `;` and after blocks."""
    found: list[Meaning] = []
    statement: list[Any] = []
    for node in nodes:
        if node.type == "comment":
            statement.append(node)
            continue
        if node.type == "literal" and node.value == ";" and not (top and not _is_at_rule(statement)):
            found.append(_statement(statement, token, custom=not top and _is_custom(statement)))
            statement = []
            continue
        statement.append(node)
        if node.type == "{} block" and (top or not _is_custom(statement)):
            found.append(_statement(statement, token, custom=False))
            statement = []
    found.append(_statement(statement, token, custom=not top and _is_custom(statement)))
    return tuple(one for one in found if one)


def _significant(nodes: Sequence[Any]) -> list[Any]:
    return [node for node in nodes if node.type not in ("whitespace", "comment")]


def _is_custom(nodes: Sequence[Any]) -> bool:
    start = _significant(nodes)[:2]
    return len(start) == 2 and start[0].type == "ident" and start[0].value.startswith("--") and start[1] == ":"


def _is_at_rule(nodes: Sequence[Any]) -> bool:
    return any(node.type == "at-keyword" for node in _significant(nodes)[:1])


def _statement(nodes: list[Any], token: Callable[[Any], Any], *, custom: bool) -> Meaning:
    if custom:
        # Its value counts as written, comments and all, but what stands before its name is no part of it.
        first = next(index for index, node in enumerate(nodes) if node.type not in ("whitespace", "comment"))
        return ("custom", tinycss2.serialize(nodes[first:]).rstrip(" \t\r\n\f"))
    block = nodes[-1] if nodes and nodes[-1].type == "{} block" else None
    head = nodes[:-1] if block is not None else nodes
    if block is not None:
        at_rule = _significant(head)[0].lower_value if _is_at_rule(head) else ""
        colon = (":",) if at_rule == "media" else ()
        loose = () if at_rule else _COMBINATORS
        return ("rule", _values(head, _as_written, loose, colon), _statements(block.content, token))
    start = _significant(head)[:2]
    if len(start) == 2 and start[0].type in ("ident", "literal") and ":" in (start[1], *_names(head)):
        cut = next(index for index, node in enumerate(head) if node == ":")
        name = _values(head[:cut], token, (), ())
        return ("declaration", name, _values(head[cut + 1 :], token, ("!",), ()))
    values = _values(head, token, (), ())
    return ("statement", values) if values else ()


def _names(nodes: Sequence[Any]) -> list[str]:
    return [node.value for node in _significant(nodes)[:3] if node.type == "literal"]


def _values(
    nodes: Sequence[Any], token: Callable[[Any], Any], loose: tuple[str, ...], inside: tuple[str, ...]
) -> Meaning:
    """Values with each run of white space as one blank, and none beside a comma or what is loose."""
    found: list[Any] = []
    pending = ""
    tight = True
    for node in nodes:
        if node.type == "whitespace":
            pending = _SPACE
            continue
        if node.type == "comment":
            continue
        apart = node.type == "literal" and (node.value == "," or node.value in loose)
        if pending and not tight and not apart:
            found.append(_SPACE)
        pending = ""
        found.append(_value(node, token, inside))
        tight = apart
    return tuple(found)


def _value(node: Any, token: Callable[[Any], Any], inside: tuple[str, ...]) -> Any:
    if node.type == "function":
        inner = _significant(node.arguments)
        if token is _as_valued and node.lower_name == "url" and [one.type for one in inner] == ["string"]:
            return "url", inner[0].value
        return ("function", node.lower_name, _values(node.arguments, token, (), inside))
    if node.type == "() block":
        return ("parentheses", _values(node.content, token, inside, inside))
    if node.type == "[] block":
        return ("brackets", _values(node.content, token, (), ()))
    if node.type == "{} block":
        return ("braces", _values(node.content, token, (), ()))
    return token(node)
