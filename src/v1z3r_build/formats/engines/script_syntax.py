"""Scripts as tree-sitter sees them: literals, comments, declared names, errors."""

from __future__ import annotations

import re
from collections import Counter
from functools import cache
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from tree_sitter import Language, Node, Query, Tree

_FUNCTIONS = {
    "function_declaration",
    "generator_function_declaration",
    "function_expression",
    "generator_function",
    "arrow_function",
    "method_definition",
}
_BODIES = _FUNCTIONS | {"class_static_block"}
_CLAUSE = re.compile(rb"\b(?:import|export)\b[^{}\"'`;]*\{([^{}\"'`;]*)\}")
_RESERVED = re.compile(
    rb"(?<![\w$])(?:break|case|catch|class|const|continue|debugger|delete|do|else|enum|export|extends|false|finally|for"
    rb"|function|if|import|in|instanceof|new|null|return|super|switch|this|throw|true|try|typeof|var|void|while|with)"
    rb"(?![\w$])"
)
_NAMING = {"variable_declarator": "name", "assignment_pattern": "left", "assignment_expression": "left"}


@cache
def grammar() -> Language:
    """JavaScript, as tree-sitter knows it."""
    import tree_sitter_javascript
    from tree_sitter import Language

    return Language(tree_sitter_javascript.language())


@cache
def _query(pattern: str) -> Query:
    from tree_sitter import Query

    return Query(grammar(), pattern)


def _captures(node: Node, pattern: str) -> dict[str, list[Node]]:
    from tree_sitter import QueryCursor

    return QueryCursor(_query(pattern)).captures(node)


class Literal(NamedTuple):
    """A token whose inside is no code: string, template, regex, comment, with its bytes' place."""

    start: int
    end: int
    kind: str


def parse(data: bytes) -> Tree:
    """The syntax tree; errors are nodes in it."""
    from tree_sitter import Parser

    return Parser(grammar()).parse(data)


def located(data: bytes) -> Tree:
    """The syntax tree of a script for those who read the text of its nodes from `data`, by their places.

    The parser (tree-sitter-javascript 0.25) takes no reserved words for names of imports and exports, which they may be
    (ECMA-262 §16.2, ModuleExportName): Rollup and rolldown count names up through `do`, `if` and `in`. The nodes of
    such names are there, and have another text.
    """
    tree = parse(data)
    if not tree.root_node.has_error:
        return tree
    words = [
        (clause.start(1) + word.start(), clause.start(1) + word.end())
        for clause in _CLAUSE.finditer(data)
        for word in _RESERVED.finditer(clause.group(1))
    ]
    while words:
        named = bytearray(data)
        for start, end in words:
            named[start:end] = b"x" * (end - start)
        found = parse(bytes(named))
        if found.root_node.has_error:
            break
        # Strings and comments may hold such clauses: their text is left as it is.
        sure = [(start, end) for start, end in words if _is_specified(found.root_node, start, end)]
        if sure == words:
            return found
        words = sure
    return tree


def _is_specified(root: Node, start: int, end: int) -> bool:
    node = root.descendant_for_byte_range(start, end)
    parent = node.parent if node is not None else None
    return parent is not None and parent.type in ("import_specifier", "export_specifier")


def shape(tree: Tree) -> str:
    """The tree's structure as text, comments left out: equal for programs with equal syntax."""
    return str(tree.root_node).replace(" (comment)", "")


def literals(tree: Tree) -> list[Literal]:
    """All literals and comments in order, the outermost only: a template is one with its substitutions."""
    found = _captures(
        tree.root_node,
        "(string) @string (template_string) @template (regex) @regex (comment) @comment "
        "(html_comment) @html_comment (jsx_text) @jsx",
    )
    spans = sorted((node.start_byte, -node.end_byte, kind) for kind, nodes in found.items() for node in nodes)
    outermost: list[Literal] = []
    end = 0
    for low, negative_high, kind in spans:
        if low >= end:
            end = -negative_high
            outermost.append(Literal(low, end, kind))
    return outermost


def first_error(tree: Tree) -> int | None:
    """The byte offset of the first place that does not parse; None if all does."""
    if not tree.root_node.has_error:
        return None
    places: list[int] = []
    stack = [tree.root_node]
    while stack:
        node = stack.pop()
        if node.is_error or node.is_missing:
            places.append(node.start_byte)
        elif node.has_error:
            stack.extend(node.children)
    return min(places, default=0)


def longest_chain(tree: Tree) -> int:
    """How many operators, commas or `else if` follow each other at most: so deep do the trees of parsers get.

    esbuild takes time by the square of it and, much later, ends the process.
    """
    found = _captures(
        tree.root_node,
        "(sequence_expression) @commas [(binary_expression) (unary_expression) (ternary_expression)"
        " (arrow_function) (assignment_expression) (await_expression) (yield_expression) (new_expression)"
        " (if_statement) (while_statement) (for_statement) (for_in_statement) (labeled_statement)] @link",
    )
    links = found.get("link", ())
    # Nodes that begin or end at one place are nested in each other; commas are siblings here, not elsewhere.
    counts = (Counter(node.start_byte for node in links), Counter(node.end_byte for node in links))
    commas = (node.child_count // 2 for node in found.get("commas", ()))
    return max(max((depth for count in counts for depth in count.values()), default=0), max(commas, default=0))


def has_jsx(tree: Tree) -> bool:
    """Whether it holds JSX, which no browser runs."""
    return bool(_captures(tree.root_node, "[(jsx_element) (jsx_self_closing_element)] @jsx"))


def is_module(tree: Tree) -> bool:
    """Whether only the module goal makes sense of it: import, export, import.meta, top-level await.

    `await` outside of any async function counts, though a classic script may use it as a name: what
    could be either is not treated as classic.
    """
    if any(node.type in ("import_statement", "export_statement") for node in tree.root_node.children):
        return True
    found = _captures(
        tree.root_node,
        '(await_expression) @await (for_in_statement "await" @await)'
        '((identifier) @name (#eq? @name "await")) (meta_property) @meta',
    )
    if any((node.text or b"").startswith(b"import") for node in found.get("meta", ())):
        return True
    awaits = (*found.get("await", ()), *found.get("name", ()))
    return any(not _in_async(node) for node in awaits)


def _in_async(node: Node) -> bool:
    function = _around(node, _FUNCTIONS)
    return function is not None and any(child.type == "async" for child in function.children)


def _around(node: Node, types: set[str]) -> Node | None:
    outer = node.parent
    while outer is not None and outer.type not in types:
        outer = outer.parent
    return outer


def functions_in_blocks(tree: Tree) -> bool:
    """Whether a function is declared inside a block: sloppy and strict code bind it differently (§B.3.3)."""
    inside = _captures(
        tree.root_node,
        "(statement_block [(function_declaration) (generator_function_declaration)] @f)"
        "(if_statement [(function_declaration)] @f) (else_clause (function_declaration) @f)"
        "(labeled_statement (function_declaration) @f)"
        "[(switch_case (function_declaration) @f) (switch_default (function_declaration) @f)]",
    )
    for node in inside.get("f", ()):
        block = node.parent
        if block is None or block.type != "statement_block" or block.parent is None:
            return True
        if block.parent.type not in _FUNCTIONS:
            return True
    return False


def global_names(tree: Tree) -> frozenset[bytes]:
    """The names that a classic script declares for all of a page: its top level, and `var` in blocks."""
    found = _captures(
        tree.root_node,
        "(program (function_declaration name: (_) @name))"
        "(program (generator_function_declaration name: (_) @name))"
        "(program (class_declaration name: (_) @name))"
        "(program (lexical_declaration (variable_declarator name: (_) @pattern)))"
        "(variable_declaration (variable_declarator name: (_) @var))"
        '(for_in_statement kind: "var" left: (_) @var)',
    )
    names = {node.text or b"" for node in found.get("name", ())}
    patterns = list(found.get("pattern", ()))
    patterns += [node for node in found.get("var", ()) if _around(node, _BODIES) is None]
    for pattern in patterns:
        if pattern.type == "identifier":
            names.add(pattern.text or b"")
            continue
        bound = _captures(pattern, "(identifier) @n (shorthand_property_identifier_pattern) @n")
        names.update(node.text or b"" for node in bound.get("n", ()))
    return frozenset(names)


def function_names(tree: Tree) -> Counter[bytes]:
    """How often each name is some function's or class's `name` property; b'' counts the anonymous ones.

    Methods are left out: no engine renames properties. Names by inference follow ECMA-262, NamedEvaluation.
    """
    found = _captures(
        tree.root_node,
        "[(function_declaration) (generator_function_declaration) (class_declaration) (function_expression)"
        " (generator_function) (class) (arrow_function)] @f",
    )
    return Counter(_name(node) for node in found.get("f", ()))


def _name(node: Node) -> bytes:
    own = node.child_by_field_name("name")
    if own is not None:
        return own.text or b""
    outer = node.parent
    while outer is not None and outer.type == "parenthesized_expression":
        outer = outer.parent
    if outer is None:
        return b""
    if outer.type in ("pair", "field_definition"):
        return b": property"
    target = outer.child_by_field_name(_NAMING.get(outer.type, "name")) if outer.type in _NAMING else None
    return (target.text or b"") if target is not None and target.type == "identifier" else b""
