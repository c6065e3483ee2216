"""The parts of a scope that can be moved one by one: statements, declarators, operands of comma expressions.

Minifiers join declarations and expressions of many modules into one statement; taken apart, they mean the same.
"""

from __future__ import annotations

from bisect import bisect_right
from typing import TYPE_CHECKING, Literal, NamedTuple

from v1z3r_build.bundlers.idleness import is_idle, is_idle_class

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tree_sitter import Node

Form = Literal[
    "directive",  # "use strict"
    "comment",
    "hashbang",  # a comment that only the first bytes of a file can be
    "import",  # of an ES module
    "export",  # of an ES module, but for `export function` and the like
    "function",  # a declaration: its binding is there before anything runs
    "class",
    "declarator",  # one of var, let or const
    "expression",  # an expression statement, or an operand of its comma expression
    "other",
]

_FUNCTIONS = {"function_declaration", "generator_function_declaration"}
_COMMENTS = {"comment", "html_comment"}
_DECLARATIONS = {"variable_declaration", "lexical_declaration"}


class Item(NamedTuple):
    """One part of a scope, in the order of the text.

    start, end: its bytes, without the semicolon and without the keyword of a declarator. statement: where the one
    begins of which it is the whole, or a part. keyword: var, let or const. idle: whether nothing can tell when it is
    evaluated.
    """

    start: int
    end: int
    form: Form
    node: Node
    statement: int
    keyword: str = ""
    idle: bool = False


def items(scope: Node) -> list[Item]:
    """The items of a program, or of the body of a function (its `statement_block`)."""
    found: list[Item] = []
    in_prologue = True
    for node in scope.named_children:
        if in_prologue and node.type not in _COMMENTS and node.type != "hash_bang_line":
            in_prologue = _is_directive(node)
        found.extend(_items(node, in_prologue))
    return found


def _items(node: Node, in_prologue: bool) -> Iterator[Item]:
    kind = node.type
    if kind in _COMMENTS:
        yield _comment(node)
        return
    if kind == "hash_bang_line":
        yield Item(node.start_byte, node.end_byte, "hashbang", node, node.start_byte, idle=True)
        return
    start = node.start_byte
    end, behind = _without_comments(node)
    if in_prologue:
        yield from (_expression(child, "directive", start) for child in node.named_children if child.type == "string")
    elif kind in _FUNCTIONS:
        yield Item(start, end, "function", node, start, idle=True)
    elif kind == "class_declaration":
        yield Item(start, end, "class", node, start, idle=is_idle_class(node))
    elif kind in _DECLARATIONS:
        yield from _declarators(node)
        return
    elif kind == "expression_statement":
        for operand in _operands(node):
            yield _comment(operand) if operand.type == "comment" else _expression(operand, "expression", start)
        return
    elif kind == "import_statement":
        # Evaluated before the scope is, wherever it stands.
        yield Item(start, end, "import", node, start, idle=True)
    elif kind == "export_statement":
        yield Item(start, end, "export", node, start, idle=_only_names(node))
    elif kind != "empty_statement":
        yield Item(start, end, "other", node, start)
    yield from map(_comment, behind)


def _comment(node: Node) -> Item:
    return Item(node.start_byte, node.end_byte, "comment", node, node.start_byte, idle=True)


def _without_comments(statement: Node) -> tuple[int, list[Node]]:
    """Where a statement ends, and the comments behind that, which the parser takes in as it looks for a semicolon."""
    comments: list[Node] = []
    end = statement.end_byte
    children = statement.children
    while children:
        last = children[-1]
        if last.type == "comment":
            comments.insert(0, last)
            children = children[:-1]
        else:
            end = last.end_byte
            children = last.children
    return end, comments


def _only_names(export: Node) -> bool:
    """Whether an export evaluates nothing: `export {a}`, `export * from`, `export function`."""
    declaration = export.child_by_field_name("declaration")
    if declaration is not None:
        return declaration.type in _FUNCTIONS
    return export.child_by_field_name("value") is None


def _is_directive(node: Node) -> bool:
    """A string that stands alone at the start (ECMA-262, §11.2.1)."""
    if node.type != "expression_statement":
        return False
    return [child.type for child in node.named_children if child.type != "comment"] == ["string"]


def _declarators(node: Node) -> Iterator[Item]:
    keyword = node.children[0].type
    for child in node.named_children:
        if child.type == "variable_declarator":
            name, value = child.child_by_field_name("name"), child.child_by_field_name("value")
            idle = name is not None and name.type == "identifier" and (value is None or is_idle(value))
            yield Item(child.start_byte, child.end_byte, "declarator", child, node.start_byte, keyword, idle)
        else:
            yield _comment(child)


def _operands(statement: Node) -> Iterator[Node]:
    """The operands of a comma expression, which is a tree that leans to one side and may be deep, and the comments."""
    work = statement.named_children[::-1]
    while work:
        node = work.pop()
        if node.type == "sequence_expression":
            work.extend(reversed(node.named_children))
        else:
            yield node


def _expression(node: Node, form: Form, statement: int) -> Item:
    return Item(node.start_byte, node.end_byte, form, node, statement, idle=form == "directive" or is_idle(node))


class Places:
    """Which item stands where."""

    def __init__(self, found: Sequence[Item]) -> None:
        self._starts = [item.start for item in found]
        self._ends = [item.end for item in found]

    def at(self, offset: int) -> int:
        """The index of the item in which an offset stands, -1 if it stands in none."""
        index = bisect_right(self._ends, offset)
        return index if index < len(self._ends) and self._starts[index] <= offset else -1
