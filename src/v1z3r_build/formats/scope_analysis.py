"""Scope analysis of scripts and modules on tree-sitter's tree.

The tree also accepts what is no JavaScript and cuts some corners of the language. Whatever node the table at the end
does not name is refused, and so is every place where tree and language are known to differ. That a text is valid is
otherwise taken for granted: of the early errors, only those are found that would make a name mean two things.
"""

from __future__ import annotations

import re
from array import array
from enum import Enum, auto
from functools import cache
from operator import attrgetter
from typing import TYPE_CHECKING, NamedTuple

from v1z3r_build.formats.descent import Descent
from v1z3r_build.formats.engines.script_syntax import grammar, located
from v1z3r_build.formats.name_reads import name_reads
from v1z3r_build.formats.scopes import (
    Access,
    Binding,
    Declaration,
    Form,
    Goal,
    Hazard,
    Kind,
    Label,
    Reason,
    Reference,
    Refused,
    Scope,
    ScopeKind,
    Scopes,
    Timing,
    start_of,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from tree_sitter import Node, Tree

# Python 3.11 takes longer to find a member of an enumeration than to make a small object.
_READ, _PLAIN, _VAR, _BLOCK = Access.READ, Form.PLAIN, Kind.VAR, ScopeKind.BLOCK
_WRITE, _PROPERTY, _FUNCTION_KIND = Access.WRITE, Form.PROPERTY, Kind.FUNCTION
_EAGER, _DEFERRED, _BOTH = Timing.EAGER, Timing.DEFERRED, Timing.BOTH
_MODULE, _BODY, _FUNCTION, _ARROW = ScopeKind.MODULE, ScopeKind.BODY, ScopeKind.FUNCTION, ScopeKind.ARROW
_FUNCTION_NAME, _CATCH = ScopeKind.FUNCTION_NAME, ScopeKind.CATCH

# tree-sitter takes 60 times the text in memory (measured, as in `javascript`).
MAX_SIZE = 24_000_000


def analyse_script(source: bytes, tree: Tree | None = None) -> Scopes:
    """The scopes of a classic script. tree: its syntax tree, if it is parsed already. Raises Refused."""
    return _analyse(source, Goal.SCRIPT, tree)


def analyse_module(source: bytes, tree: Tree | None = None) -> Scopes:
    """The scopes of an ES module. tree: its syntax tree, if it is parsed already. Raises Refused."""
    return _analyse(source, Goal.MODULE, tree)


def _analyse(source: bytes, goal: Goal, tree: Tree | None) -> Scopes:
    if len(source) > MAX_SIZE:
        raise Refused(Reason.TOO_LARGE, 0)
    # tree-sitter takes a NUL for the end of the text in places.
    nul = source.find(b"\0")
    if nul >= 0:
        raise Refused(Reason.NOT_TEXT, nul)
    try:
        source.decode()
    except UnicodeDecodeError as error:
        raise Refused(Reason.NOT_TEXT, error.start) from error
    tree = tree or located(source)
    if tree.root_node.has_error:
        raise Refused(Reason.SYNTAX, _first_error(tree.root_node))
    _refuse_misread_comments(source, tree.root_node, goal)
    walk = _Walk(source, goal, tree.root_node)
    walk.run()
    return Scopes(
        source,
        goal,
        walk.scopes,
        walk.references,
        walk.private_references,
        walk.labels,
        walk.hazards,
        frozenset(walk.naming),
        walk.lasting,
        name_reads(source, tree.root_node),
    )


def _first_error(root: Node) -> int:
    places: list[int] = []
    stack = [root]
    while stack:
        node = stack.pop()
        if node.is_error or node.is_missing:
            places.append(node.start_byte)
        elif node.has_error:
            stack.extend(node.children)
    return min(places, default=0)


# Annex B.1.1: in scripts `<!--` opens a comment anywhere, `-->` at the start of a line, white space and comments before
# it aside; in modules neither does. tree-sitter reads both as comments where a statement may begin, and nowhere else.
_HTML_LIKE = (re.compile(rb"<!--"), re.compile(rb"-->"))  # one by one, which is ten times as fast
_BLANKS = (b" ", b"\t", b"\v", b"\f", b"\xc2\xa0", b"\xef\xbb\xbf")
_LINE_STARTS = (b"\n", b"\r", b"\xe2\x80\xa8", b"\xe2\x80\xa9", b"*/")
_NO_CODE = frozenset(
    (
        "comment",
        "html_comment",
        "string",
        "string_fragment",
        "escape_sequence",
        "regex",
        "regex_pattern",
        "template_string",
    )
)


def _refuse_misread_comments(source: bytes, root: Node, goal: Goal) -> None:
    descent = Descent(root)
    for place, mark in sorted((match.start(), match[0]) for each in _HTML_LIKE for match in each.finditer(source)):
        node = descent.to(place, place + len(mark))[-1]
        kind = node.type
        if kind == "html_comment" and node.start_byte == place:
            if goal is Goal.MODULE or (mark == b"-->" and not _opens_line(source, place)):
                raise Refused(Reason.AMBIGUOUS, place, mark.decode())
        elif kind not in _NO_CODE and goal is Goal.SCRIPT and (mark == b"<!--" or _opens_line(source, place)):
            raise Refused(Reason.AMBIGUOUS, place, mark.decode())


def _opens_line(source: bytes, place: int) -> bool:
    # What follows a comment counts, too: whether that spans lines is not looked at.
    start = place
    while before := next((blank for blank in _BLANKS if source.endswith(blank, 0, start)), b""):
        start -= len(before)
    return start == 0 or source.endswith(_LINE_STARTS, 0, start)


# An arrow function with a block ends a statement where a line does (§12.10.1), since nothing can call it, divide it
# or ask for its members; tree-sitter does that.
_BEHIND_ARROW = re.compile(rb"(?:\s|//[^\n\r]*+|/\*(?:[^*]|\*(?!/))*+\*/)*+[(\[./+*%<>=&|^?`-]")

_LINE_END = re.compile(rb"[\n\r]|\xe2\x80[\xa8\xa9]")
_ESCAPE = re.compile(r"\\u(?:\{([0-9a-fA-F]+)\}|([0-9a-fA-F]{4}))")
# Names here and keywords there; `let` too opens what looks like an assignment to an element.
_SOMETIMES_KEYWORDS = frozenset(("await", "yield", "let"))
# Names nowhere (§12.7.2): tree-sitter takes `export` for one where a new line follows.
_WORDS = """
    break case catch class const continue debugger default delete do else enum export extends false finally for function
    if import in instanceof new null return super switch this throw true try typeof var void while with
"""
_KEYWORDS = frozenset(_WORDS.split())
# Words that belong to the member behind them, on the next line too; tree-sitter makes fields of them there.
_MODIFIERS = frozenset((b"static", b"get", b"set"))
_CONSTRUCTOR = frozenset((b"constructor", b"'constructor'", b'"constructor"'))

_COMMENTS = frozenset(("comment", "html_comment"))
_PATTERNS = frozenset(("object_pattern", "array_pattern", "rest_pattern"))
_DEFAULTS = frozenset(("assignment_pattern", "object_assignment_pattern"))
_MEMBERS = frozenset(("member_expression", "subscript_expression", "call_expression"))
_LOGICAL = frozenset(("&&=", "||=", "??="))
_GENERATORS = frozenset(("generator_function_declaration", "generator_function"))
_DECLARED_FUNCTIONS = frozenset(("function_declaration", "generator_function_declaration"))
_FUNCTIONS = _DECLARED_FUNCTIONS | {"function_expression", "generator_function", "arrow_function"}
# What takes its `name` property from what it is assigned to (§8.4), unless it has a name itself.
_ANONYMOUS = frozenset(("function_expression", "generator_function", "arrow_function", "class"))

_KINDS = {"var": _VAR, "let": Kind.LET, "const": Kind.CONST, "using": Kind.USING, "await": Kind.USING}
_LEXICAL = frozenset((Kind.LET, Kind.CONST, Kind.USING, Kind.CLASS, Kind.IMPORT))
_BLOCKS = frozenset((_BLOCK, ScopeKind.SWITCH))


class _Target(NamedTuple):
    """For what a pattern is walked: an assignment (access), or a declaration (kind)."""

    access: Access | None = None
    kind: Kind | None = None
    writes: bool = True
    exported: bool = False


_WRITTEN = _Target(Access.WRITE)
_UPDATED = _Target(Access.UPDATE)
_PARAMETER = _Target(kind=Kind.PARAMETER)
_CAUGHT = _Target(kind=Kind.CATCH)
_CAUGHT_PATTERN = _Target(kind=Kind.CATCH_PATTERN)
_IMPORTED = _Target(kind=Kind.IMPORT)


class _Open(Enum):
    """A node that was seen already, and whose own scope is opened only now: what stands before it came first."""

    BODY = auto()  # the block of a function whose parameters hold expressions
    BRANCH = auto()  # a function that is a branch of an `if`
    METHOD = auto()
    CLASS = auto()
    FIELD = auto()  # the value of a field


class _Walk:
    """One pass over the tree that finds scopes, declarations and references, then what follows from all of them.

    It keeps a stack of nodes still to be seen, so that no depth of nesting is too deep for Python. The order is that
    of the text, as far as scopes go: those inside a scope follow it without a gap.
    """

    def __init__(self, source: bytes, goal: Goal, root: Node) -> None:
        self.source = source
        self.module = goal is Goal.MODULE
        self.root = root
        self.scopes: list[Scope] = []
        self.references: list[Reference] = []
        self.private_references: list[Reference] = []
        self.labels: list[Label] = []
        self.hazards: list[Hazard] = []
        self.lasting = array("i")
        self._stack: list[tuple[Node, Scope, _Target | _Open | None]] = []
        self._names: dict[bytes, str] = {}
        self._plain: dict[bytes, str] = {}  # those of references, which are operators nowhere
        # By the id of a node: when functions run that are called where they stand, and parts of functions and classes.
        self._steps: dict[int, Timing] = {}
        self._constructed: set[int | Scope] = set()
        self.naming: list[Reference] = []
        self._block_functions: list[Binding] = []
        self._nested_vars: list[Declaration] = []
        self._handlers, self._actions = _tables()

    def run(self) -> None:
        kind = ScopeKind.MODULE if self.module else ScopeKind.GLOBAL
        root = self._open(kind, None, self.root.start_byte, len(self.source), _EAGER)
        statements = self.root.named_children
        root.strict = self.module or self._is_strict(statements)
        root.awaits = self.module
        self._push(statements, root)
        stack, handlers = self._stack, self._handlers
        while stack:
            node, scope, mode = stack.pop()
            if mode is None:
                handlers[node.kind_id](self, node, scope)
            elif isinstance(mode, _Target):
                self._target(node, scope, mode)
            else:
                self._open_later(node, scope, mode)
        self.references.sort(key=start_of)
        self.private_references.sort(key=start_of)
        self.labels.sort()
        self._hoist()
        self._check_vars()
        self._resolve()
        self._check_bodies()
        self._time()

    # Small steps

    def _open(self, kind: ScopeKind, parent: Scope | None, start: int, end: int, step: Timing) -> Scope:
        scope = Scope(kind, parent, start, end, step)
        scope.index = scope.last = len(self.scopes)
        self.scopes.append(scope)
        return scope

    def _push(self, nodes: Sequence[Node], scope: Scope) -> None:
        self._stack.extend([(node, scope, None) for node in reversed(nodes)])

    def _name(self, start: int, end: int) -> str:
        raw = self.source[start:end]
        name = self._names.get(raw)
        if name is None:
            name = raw.decode()
            if "\\" in name:
                codes = [int(match[1] or match[2], 16) for match in _ESCAPE.finditer(name)]
                if any(code > 0x10FFFF or 0xD800 <= code < 0xE000 for code in codes):
                    raise Refused(Reason.SYNTAX, start, name)
                name = _ESCAPE.sub(lambda match: chr(int(match[1] or match[2], 16)), name)
            if name in _KEYWORDS:
                raise Refused(Reason.AMBIGUOUS, start, name)
            self._names[raw] = name
        return name

    def _refer(self, node: Node, scope: Scope, access: Access = _READ, form: Form = _PLAIN) -> Reference | None:
        start, end = node.byte_range
        name = self._name(start, end)
        if name in _SOMETIMES_KEYWORDS and self._is_keyword(name, scope, start):
            return None
        self._plain[self.source[start:end]] = name
        reference = Reference(start, end, name, scope, access, form)
        self.references.append(reference)
        return reference

    def _is_keyword(self, name: str, scope: Scope, start: int) -> bool:
        """Whether what the tree has as a name is an operator: `await (x)` looks like a call."""
        if (name == "await" and scope.awaits) or (name == "yield" and scope.yields):
            return True
        raise Refused(Reason.AMBIGUOUS, start, name)

    def _declare(self, node: Node, scope: Scope, target: _Target, form: Form = _PLAIN) -> Binding:
        """Declares what a name node names, where it stands or in the scope that `var` belongs to."""
        kind = target.kind
        assert kind is not None
        start, end = node.byte_range
        name = self._name(start, end)
        if name in _SOMETIMES_KEYWORDS:
            raise Refused(Reason.AMBIGUOUS, start, name)
        holder = scope.variables if kind is _VAR else scope
        # Functions at the top of a function or script are declared like var (§8.2.6).
        like_let = kind is _FUNCTION_KIND and (holder.kind is _MODULE or holder is not holder.variables)
        binding = self._bind(holder, name, kind, like_let or kind in _LEXICAL, start)
        declaration = Declaration(start, end, kind, form, scope, target.writes)
        binding.declarations.append(declaration)
        if target.exported:
            binding.exported = True
        if holder is not scope:
            self._nested_vars.append(declaration)
        return binding

    def _bind(self, holder: Scope, name: str, kind: Kind, lexical: bool, start: int) -> Binding:
        binding = holder.bindings.get(name)
        if binding is None:
            binding = holder.bindings[name] = Binding(name, kind, holder, lexical)
        elif kind is Kind.PARAMETER:
            self.hazards.append(Hazard(Reason.REDECLARED_PARAMETER, start, holder))
        elif lexical or binding.lexical or kind is Kind.CATCH_PATTERN:
            # Annex B.3.2.4: blocks of sloppy code may declare a function twice.
            if kind is not _FUNCTION_KIND or binding.kind is not _FUNCTION_KIND or holder.strict:
                raise Refused(Reason.REDECLARED, start, name)
            self.hazards.append(Hazard(Reason.REDECLARED_BLOCK_FUNCTION, start, holder))
        elif binding.kind is _VAR:
            binding.kind = kind
        return binding

    def _target(self, node: Node, scope: Scope, target: _Target) -> Binding | Reference | None:
        """Walks what is assigned to or declared: a name, a pattern, or a member of something."""
        kind = node.type
        if kind in ("identifier", "undefined", "shorthand_property_identifier_pattern"):
            form = _PLAIN
            if kind == "shorthand_property_identifier_pattern":
                form = Form.PATTERN
                self.lasting.extend(node.byte_range)
            if target.access is None:
                return self._declare(node, scope, target, form)
            return self._refer(node, scope, target.access, form)
        if kind in _PATTERNS or (kind == "parenthesized_expression" and target.access is not None):
            self._stack.extend([(child, scope, target) for child in reversed(node.named_children)])
        elif kind in _DEFAULTS:
            left, right = _field(node, "left"), _field(node, "right")
            self._stack.append((right, scope, None))
            if left.type in _PATTERNS:
                self._stack.append((left, scope, target))
            else:
                self._give_name(self._target(left, scope, target), right)
        elif kind == "pair_pattern":
            self._stack.append((_field(node, "value"), scope, target))
            self._stack.append((_field(node, "key"), scope, None))
        elif kind in _MEMBERS and target.access is not None:
            self._stack.append((node, scope, None))
        elif kind not in _COMMENTS:
            raise Refused(Reason.UNKNOWN_SYNTAX, node.start_byte, kind)
        return None

    def _give_name(self, taker: Binding | Reference | None, value: Node) -> None:
        """Notes that a function or class without a name gets the binding's."""
        value = _inside_parentheses(value)
        if value.type in _ANONYMOUS and value.child_by_field_name("name") is None:
            if isinstance(taker, Binding):
                taker.gives_name = True
            elif taker is not None:
                self.naming.append(taker)

    def _is_strict(self, statements: Sequence[Node]) -> bool:
        """Whether a body's directive prologue (§11.2.1) has "use strict"."""
        for statement in statements:
            if statement.type in _COMMENTS or statement.type == "hash_bang_line":
                continue
            directive = statement.named_child(0) if statement.type == "expression_statement" else None
            if directive is None or directive.type != "string":
                return False
            if self.source[directive.start_byte + 1 : directive.end_byte - 1] == b"use strict":
                return True
        return False

    # Expressions and statements

    def _unknown(self, node: Node, scope: Scope) -> None:
        raise Refused(Reason.UNKNOWN_SYNTAX, node.start_byte, node.type)

    def _skip(self, node: Node, scope: Scope) -> None:
        pass

    def _pass(self, node: Node, scope: Scope) -> None:
        """Most nodes of a tree: names in them are read, all else is seen later, in the order of the text."""
        later: list[Node] = []
        actions, source, plain, lasting, references = (
            self._actions, self.source, self._plain, self.lasting, self.references,
        )  # fmt: skip
        work = [node]
        while work:
            inner = work.pop()
            count = inner.named_child_count
            # tree-sitter makes all children to list those with names: to find the two that most have is faster.
            if count == 2:
                children: Sequence[Node | None] = (inner.named_child(0), inner.named_child(1))
            elif count == 1:
                children = (inner.named_child(0),)
            else:
                children = inner.named_children
            for child in children:
                assert child is not None
                action = actions[child.kind_id]
                if action == _NAME:
                    # As `_refer`, for the names that are known: most references are seen here.
                    start, end = child.byte_range
                    name = plain.get(source[start:end])
                    if name is None:
                        self._refer(child, scope)
                    else:
                        references.append(Reference(start, end, name, scope, _READ, _PLAIN))
                elif action == _LASTING:
                    lasting.extend(child.byte_range)
                elif action == _PASSED:
                    work.append(child)
                elif action == _STRING:
                    start, end = child.byte_range
                    if source.find(b"\\", start, end) < 0:
                        lasting.extend((start + 1, end - 1))
                    else:
                        work.append(child)
                elif action != _NOTHING:
                    later.append(child)
        if later:
            later.sort(key=_start, reverse=True)
            self._stack.extend([(child, scope, None) for child in later])

    def _read(self, node: Node, scope: Scope) -> None:
        self._refer(node, scope)

    def _last(self, node: Node, scope: Scope) -> None:
        self.lasting.extend(node.byte_range)

    def _string(self, node: Node, scope: Scope) -> None:
        start, end = node.byte_range
        if self.source.find(b"\\", start, end) < 0:
            self.lasting.extend((start + 1, end - 1))
        else:
            self._pass(node, scope)

    def _shorthand(self, node: Node, scope: Scope) -> None:
        self.lasting.extend(node.byte_range)
        self._refer(node, scope, _READ, _PROPERTY)

    def _private(self, node: Node, scope: Scope) -> None:
        start, end = node.byte_range
        self.lasting.extend((start, end))
        name = self._name(start, end)
        self.private_references.append(Reference(start, end, name, scope, _READ, _PLAIN))

    def _assignment(self, node: Node, scope: Scope) -> None:
        left, right = _field(node, "left"), _field(node, "right")
        self._stack.append((right, scope, None))
        inner = _inside_parentheses(left)
        if inner.type == "identifier":
            # `(x) = function () {}` names nothing in ECMA-262, but some engine may do it.
            self._give_name(self._refer(inner, scope, _WRITE), right)
        else:
            self._stack.append((left, scope, _WRITTEN))

    def _augmented(self, node: Node, scope: Scope) -> None:
        left, right = _field(node, "left"), _field(node, "right")
        self._stack.append((right, scope, None))
        inner = _inside_parentheses(left)
        if inner.type == "identifier":
            reference = self._refer(inner, scope, Access.UPDATE)
            if any(child.type in _LOGICAL for child in node.children):
                self._give_name(reference, right)
        else:
            self._stack.append((left, scope, _UPDATED))

    def _refuse_lines(self, start: int, end: int) -> None:
        """Refuses an end of a line where the language would end a statement and the tree does not."""
        if _LINE_END.search(self.source, start, end):
            raise Refused(Reason.AMBIGUOUS, start, "the end of a line")

    def _update(self, node: Node, scope: Scope) -> None:
        operator = node.children[-1]
        if operator.type in ("++", "--"):
            self._refuse_lines(_field(node, "argument").end_byte, operator.start_byte)
        self._stack.append((_field(node, "argument"), scope, _UPDATED))

    def _unary(self, node: Node, scope: Scope) -> None:
        operator = node.child(0)
        if operator is not None and operator.type == "delete":
            inner = _inside_parentheses(_field(node, "argument"))
            if inner.type == "identifier":
                self._refer(inner, scope, Access.UPDATE)
                return
        self._pass(node, scope)

    def _await(self, node: Node, scope: Scope) -> None:
        if not scope.awaits:
            raise Refused(Reason.AMBIGUOUS, node.start_byte, "await")
        self._pass(node, scope)

    def _yield(self, node: Node, scope: Scope) -> None:
        if not scope.yields:
            raise Refused(Reason.AMBIGUOUS, node.start_byte, "yield")
        self._pass(node, scope)

    def _meta(self, node: Node, scope: Scope) -> None:
        if not self.module and self.source.startswith(b"import", node.start_byte):
            raise Refused(Reason.SYNTAX, node.start_byte, "import.meta in a script")

    def _call(self, node: Node, scope: Scope) -> None:
        function = _field(node, "function")
        if function.type == "member_expression":
            # (function () {}).call(this): it may be kept by what it is handed to.
            if self.source[function.start_byte] in _BEGINS_FUNCTION:
                self._mark(_inside_parentheses(_field(function, "object")), _BOTH)
        else:
            callee = _inside_parentheses(function)
            if callee.type == "identifier":
                self._check_eval(node, callee, scope)
            else:
                self._mark(self._called(callee, scope), _EAGER)
        self._pass(node, scope)

    def _check_eval(self, node: Node, callee: Node, scope: Scope) -> None:
        # Direct is what calls the name (§13.3.6.1), in parentheses or not; `(0, eval)()` and `eval?.()` see globals.
        if self._name(*callee.byte_range) != "eval" or node.child_by_field_name("optional_chain"):
            return
        if _field(node, "arguments").type == "arguments":
            self.hazards.append(Hazard(Reason.EVAL, node.start_byte, scope))

    def _called(self, callee: Node, scope: Scope) -> Node:
        if callee.type == "sequence_expression":
            return _inside_parentheses(callee.named_children[-1])
        if callee.type == "call_expression" and (scope.awaits or scope.yields):
            # The tree of `await (async () => {})()` is that of a call of `await`, whose result is called.
            operator, arguments = _field(callee, "function"), _field(callee, "arguments").named_children
            if operator.type == "identifier" and arguments and self._name(*operator.byte_range) in ("await", "yield"):
                return _inside_parentheses(arguments[-1])
        return callee

    def _mark(self, function: Node, timing: Timing) -> None:
        if function.type in _FUNCTIONS:
            self._steps[function.id] = timing

    def _new(self, node: Node, scope: Scope) -> None:
        constructor = _inside_parentheses(_field(node, "constructor"))
        # Its instance leads to it: `this.constructor`.
        self._mark(constructor, _BOTH)
        if constructor.type == "class":
            self._constructed.add(constructor.id)
        self._pass(node, scope)

    def _with(self, node: Node, scope: Scope) -> None:
        self.hazards.append(Hazard(Reason.WITH, node.start_byte, scope))
        self._pass(node, scope)

    def _block(self, node: Node, scope: Scope) -> None:
        kind = ScopeKind.SWITCH if node.type == "switch_body" else _BLOCK
        inner = self._open(kind, scope, node.start_byte, node.end_byte, _EAGER)
        self._pass(node, inner)

    def _branch(self, node: Node, scope: Scope) -> None:
        """if and else, whose branch may be a function as if in a block (Annex B.3.3)."""
        if any(child.type in _DECLARED_FUNCTIONS for child in node.named_children):
            for child in reversed(node.named_children):
                self._stack.append((child, scope, _Open.BRANCH if child.type in _DECLARED_FUNCTIONS else None))
        else:
            self._pass(node, scope)

    def _for(self, node: Node, scope: Scope) -> None:
        if _field(node, "initializer").type in ("lexical_declaration", "using_declaration"):
            scope = self._open(ScopeKind.FOR, scope, node.start_byte, node.end_byte, _EAGER)
        self._pass(node, scope)

    def _for_in(self, node: Node, scope: Scope) -> None:
        kind_node = node.child_by_field_name("kind")
        target = _WRITTEN
        if kind_node is not None:
            kind = _KINDS[kind_node.type]
            target = _Target(kind=kind)
            if kind is not _VAR:
                scope = self._open(ScopeKind.FOR, scope, node.start_byte, node.end_byte, _EAGER)
        value = node.child_by_field_name("value")
        self._push((_field(node, "right"), _field(node, "body")), scope)
        if value is not None:
            self._stack.append((value, scope, None))
        self._stack.append((_field(node, "left"), scope, target))

    def _catch(self, node: Node, scope: Scope) -> None:
        parameter = node.child_by_field_name("parameter")
        if parameter is not None:
            scope = self._open(ScopeKind.CATCH, scope, node.start_byte, node.end_byte, _EAGER)
        self._stack.append((_field(node, "body"), scope, None))
        if parameter is not None:
            target = _CAUGHT if parameter.type == "identifier" else _CAUGHT_PATTERN
            self._stack.append((parameter, scope, target))

    def _labelled(self, node: Node, scope: Scope) -> None:
        label, body = _field(node, "label"), _field(node, "body")
        if body.type in _DECLARED_FUNCTIONS:
            raise Refused(Reason.LABELLED_FUNCTION, node.start_byte)
        start, end = label.byte_range
        self.labels.append(Label(start, end, self._name(start, end), node.end_byte))
        self._stack.append((body, scope, None))

    def _jump(self, node: Node, scope: Scope) -> None:
        label = node.child_by_field_name("label")
        if label is not None:
            start, end = label.byte_range
            self.labels.append(Label(start, end, self._name(start, end), 0))

    # Declarations

    def _declaration(self, node: Node, scope: Scope, exported: bool = False) -> None:
        first = node.child(0)
        kind = _KINDS[first.type if first is not None else ""]
        plain = _Target(None, kind, True, exported)
        bare = plain if kind is not _VAR else _Target(None, kind, False, exported)
        later: list[tuple[Node, Scope, _Target | None]] = []
        for declarator in node.named_children:
            if declarator.type in _COMMENTS:
                continue
            name, value = _field(declarator, "name"), declarator.child_by_field_name("value")
            target = plain if value is not None else bare
            if name.type == "identifier":
                binding = self._declare(name, scope, target)
                if value is not None:
                    self._give_name(binding, value)
            else:
                later.append((name, scope, target))
            if value is not None:
                later.append((value, scope, None))
        later.reverse()
        self._stack.extend(later)

    def _function(self, node: Node, scope: Scope, exported: bool = False) -> None:
        kind = node.type
        first = node.child(0)
        asynchronous = first is not None and first.type == "async"
        name = node.child_by_field_name("name")
        step = self._steps.pop(node.id, _DEFERRED)
        if kind in _DECLARED_FUNCTIONS:
            if name is None:
                raise Refused(Reason.UNKNOWN_SYNTAX, node.start_byte, kind)
            binding = self._declare(name, scope, _Target(None, _FUNCTION_KIND, False, exported))
            binding.gives_name = True
            if kind == "function_declaration" and not asynchronous and not scope.strict and scope.kind in _BLOCKS:
                self._block_functions.append(binding)
        if asynchronous:
            assert first is not None
            self._refuse_lines(first.end_byte, node.children[1].start_byte)
        inner = _Code(node, asynchronous, kind in _GENERATORS)
        step = inner.step(step)
        if name is not None and kind not in _DECLARED_FUNCTIONS:
            # Its own step is that of all in it, so that a region may begin with it or with the function alike.
            scope = self._open(_FUNCTION_NAME, scope, node.start_byte, node.end_byte, step)
            self._declare(name, scope, _Target(None, Kind.FUNCTION_NAME)).gives_name = True
            step = _EAGER
        kind_of_scope = _FUNCTION
        if kind == "arrow_function":
            kind_of_scope = _ARROW
            if inner.is_block and _BEHIND_ARROW.match(self.source, node.end_byte):
                raise Refused(Reason.AMBIGUOUS, node.end_byte, "=>")
        self._enter(inner, kind_of_scope, scope, node.start_byte, step)

    def _enter(self, code: _Code, kind: ScopeKind, outer: Scope, start: int, step: Timing) -> None:
        """Opens the scope of a function. step: when its parameters are evaluated, seen from the code outside."""
        scope = self._open(kind, outer, start, code.node.end_byte, step)
        scope.variables = scope
        scope.strict = outer.strict or (code.is_block and self._is_strict(code.body.named_children))
        scope.awaits = code.asynchronous
        scope.yields = code.generator
        if code.separate:
            self._stack.append((code.body, scope, _Open.BODY))
            self._steps[code.body.id] = code.inner
        elif code.is_block:
            self._pass(code.body, scope)
        else:
            self._stack.append((code.body, scope, None))
        if code.parameters is None:
            self._declare(_field(code.node, "parameter"), scope, _PARAMETER)
        elif code.plain:
            for parameter in code.parameters:
                self._declare(parameter, scope, _PARAMETER)
        else:
            self._stack.extend([(parameter, scope, _PARAMETER) for parameter in reversed(code.parameters)])

    def _open_later(self, node: Node, scope: Scope, what: _Open) -> None:
        start, end = node.byte_range
        if what is _Open.BODY:
            inner = self._open(ScopeKind.BODY, scope, start, end, self._steps.pop(node.id))
            inner.variables = inner
            self._push(node.named_children, inner)
        elif what is _Open.BRANCH:
            self._function(node, self._open(_BLOCK, scope, start, end, _EAGER))
        elif what is _Open.METHOD:
            self._method_code(node, scope)
        elif what is _Open.CLASS:
            self._class_body(node, scope)
        else:
            inner = self._open(ScopeKind.FIELD, scope, start, end, self._steps.pop(node.id))
            inner.variables = inner
            inner.awaits = inner.yields = False
            self._stack.append((node, inner, None))

    def _method(self, node: Node, scope: Scope) -> None:
        self._stack.append((node, scope, _Open.METHOD))
        self._member(node, _field(node, "name"), scope)

    def _method_code(self, node: Node, scope: Scope) -> None:
        words = _modifiers(node, _field(node, "name"))
        if "async" in words:
            behind = next(child.end_byte for child in node.children if child.type.endswith("async"))
            self._refuse_lines(behind, _field(node, "name").start_byte)
        step = _DEFERRED
        if scope in self._constructed and "static" not in words:
            name = _field(node, "name")
            if self.source[name.start_byte : name.end_byte] in _CONSTRUCTOR:
                step = _BOTH
        code = _Code(node, "async" in words, "*" in words)
        self._enter(code, _FUNCTION, scope, _field(node, "parameters").start_byte, code.step(step))

    def _member(self, node: Node, name: Node, scope: Scope) -> None:
        """The name and the decorators of a member of a class or object, which are evaluated outside of it."""
        if name.type == "private_property_identifier":
            start, end = name.byte_range
            self.lasting.extend((start, end))
            text = self._name(start, end)
            # A getter and a setter share their name.
            binding = scope.private.get(text)
            if binding is None:
                binding = scope.private[text] = Binding(text, Kind.CONST, scope, True)
            binding.declarations.append(Declaration(start, end, Kind.CONST, _PLAIN, scope, True))
        else:
            self._stack.append((name, scope, None))
        self._push(node.children_by_field_name("decorator"), scope)

    def _field_definition(self, node: Node, scope: Scope) -> None:
        name, value = _field(node, "property"), node.child_by_field_name("value")
        if value is None and self.source[name.start_byte : name.end_byte] in _MODIFIERS:
            after = node.next_sibling
            if after is None or after.type not in (";", "}"):
                raise Refused(Reason.AMBIGUOUS, name.start_byte, "a modifier at the end of a line")
        if value is not None:
            step = _BOTH if scope in self._constructed else _DEFERRED
            if "static" in _modifiers(node, name):
                step = _EAGER
            self._steps[value.id] = step
            self._stack.append((value, scope, _Open.FIELD))
        self._member(node, name, scope)

    def _static_block(self, node: Node, scope: Scope) -> None:
        inner = self._open(ScopeKind.STATIC_BLOCK, scope, node.start_byte, node.end_byte, _EAGER)
        inner.variables = inner
        inner.awaits = inner.yields = False
        self._push(_field(node, "body").named_children, inner)

    def _class(self, node: Node, scope: Scope, exported: bool = False) -> None:
        name = node.child_by_field_name("name")
        if name is not None and node.type == "class_declaration":
            self._declare(name, scope, _Target(None, Kind.CLASS, True, exported)).gives_name = True
        self._stack.append((node, scope, _Open.CLASS))
        self._push(node.children_by_field_name("decorator"), scope)

    def _class_body(self, node: Node, scope: Scope) -> None:
        # From the word `class` on: decorators are evaluated outside.
        start = next(child.start_byte for child in node.children if child.type == "class")
        inner = self._open(ScopeKind.CLASS, scope, start, node.end_byte, _EAGER)
        inner.strict = True
        if node.id in self._constructed:
            self._constructed.add(inner)
        name = node.child_by_field_name("name")
        if name is not None:
            own = self._declare(name, inner, _Target(None, Kind.CLASS_NAME))
            own.gives_name = True
            if node.type == "class_declaration":
                own.namesake = scope.bindings[own.name]
        for child in reversed(node.named_children):
            if child.type == "class_heritage" or child.type == "class_body":
                self._stack.append((child, inner, None))

    def _import(self, node: Node, scope: Scope) -> None:
        if not self.module:
            raise Refused(Reason.SYNTAX, node.start_byte, "import in a script")
        self._push([child for child in node.named_children if child.type != "import_clause"], scope)
        later = [child for child in node.named_children if child.type == "import_clause"]
        while later:
            for child in later.pop().named_children:
                kind = child.type
                if kind == "identifier" or kind == "undefined":
                    self._declare(child, scope, _IMPORTED)
                elif kind == "namespace_import" or kind == "named_imports":
                    later.append(child)
                elif kind == "import_specifier":
                    name, alias = _field(child, "name"), child.child_by_field_name("alias")
                    self._give(name, scope)
                    if alias is not None:
                        name = alias
                    self._declare(name, scope, _IMPORTED, Form.IMPORT if alias is None else _PLAIN)
                elif kind not in _COMMENTS:
                    raise Refused(Reason.UNKNOWN_SYNTAX, child.start_byte, kind)

    def _export(self, node: Node, scope: Scope) -> None:
        if not self.module:
            raise Refused(Reason.SYNTAX, node.start_byte, "export in a script")
        if node.child_by_field_name("source") is not None:
            self._export_from(node, scope)
            return
        default = any(child.type == "default" for child in node.children)
        for child in reversed(node.named_children):
            kind = child.type
            if kind == "export_clause":
                self._export_clause(child, scope)
            elif kind in _DECLARED_FUNCTIONS:
                self._give(_field(child, "name"), scope)
                self._function(child, scope, not default)
            elif kind == "class_declaration":
                self._give(_field(child, "name"), scope)
                self._class(child, scope, not default)
            elif kind in _DECLARATIONS:
                for one in child.named_children:
                    name = one.child_by_field_name("name")
                    if name is not None and name.type == "identifier":
                        self._give(name, scope)
                self._declaration(child, scope, True)
            else:
                self._stack.append((child, scope, None))

    def _export_from(self, node: Node, scope: Scope) -> None:
        for child in node.named_children:
            if child.type == "export_clause":
                for specifier in child.named_children:
                    for name in specifier.named_children:
                        self._give(name, scope)
            elif child.type != "namespace_export":
                self._stack.append((child, scope, None))

    def _give(self, name: Node, scope: Scope) -> None:
        """Notes a name by which one module gives something to another."""
        if name.type == "identifier":
            self.lasting.extend(name.byte_range)
        elif name.type == "string":
            self._string(name, scope)

    def _export_clause(self, clause: Node, scope: Scope) -> None:
        for specifier in clause.named_children:
            if specifier.type in _COMMENTS:
                continue
            name, alias = _field(specifier, "name"), specifier.child_by_field_name("alias")
            self._give(name, scope)
            if alias is not None:
                self._give(alias, scope)
            if name.type != "identifier" and name.type != "undefined":
                raise Refused(Reason.SYNTAX, name.start_byte, "a local name is wanted")
            self._refer(name, scope, Access.EXPORT, Form.EXPORT if alias is None else _PLAIN)

    # What follows from all declarations together

    def _hoist(self) -> None:
        """Annex B.3.2.1: a function in a block of sloppy code also sets a `var`, unless that would be an error."""
        grown: dict[Binding, None] = {}
        for binding in self._block_functions:
            name, declaration = binding.name, binding.declarations[0]
            holder = binding.scope.variables
            between = binding.scope.parent
            while between is not None and between is not holder:
                blocking = between.bindings.get(name)
                if blocking is not None and blocking.kind is not Kind.CATCH:
                    binding.unhoisted = True
                between = between.parent
            outer = holder.bindings.get(name)
            if outer is not None and (outer.lexical or outer.kind is Kind.PARAMETER):
                binding.unhoisted = True
            if holder.kind is ScopeKind.BODY and holder.parent is not None and name in holder.parent.bindings:
                binding.unhoisted = True
            if name == "arguments":
                # Whether it hoists depends on more than is worth knowing.
                raise Refused(Reason.AMBIGUOUS, declaration.start, name)
            if not binding.unhoisted and binding.namesake is None:
                if outer is None:
                    outer = holder.bindings[name] = Binding(name, _VAR, holder, False)
                outer.declarations.append(declaration._replace(kind=_VAR, writes=True))
                outer.gives_name = True
                binding.namesake = outer
                grown[outer] = None
        for outer in grown:
            outer.declarations.sort(key=_place)

    def _check_vars(self) -> None:
        """A `var` must not cross a let of its name (§14.2.1), but may cross a catch's (Annex B.3.4), and sets that."""
        for declaration in self._nested_vars:
            name = self._name(declaration.start, declaration.end)
            between: Scope | None = declaration.scope
            holder = declaration.scope.variables
            caught: Binding | None = None
            while between is not None and between is not holder:
                crossed = between.bindings.get(name)
                if crossed is not None:
                    if crossed.kind is not Kind.CATCH:
                        raise Refused(Reason.REDECLARED, declaration.start, name)
                    crossed.namesake = holder.bindings[name]
                    caught = caught or crossed
                between = between.parent
            if caught is not None and declaration.writes:
                start, end, _, form, scope, _ = declaration
                self.references.append(Reference(start, end, name, scope, Access.WRITE, form))
        self.references.sort(key=start_of)

    def _resolve(self) -> None:
        for reference in self.references:
            name = reference.name
            scope: Scope | None = reference.scope
            if name == "arguments":
                self._provide_arguments(reference)
            while scope is not None:
                binding = scope.bindings.get(name)
                if binding is not None:
                    reference.binding = binding
                    binding.references.append(reference)
                    break
                scope = scope.parent
        for reference in self.naming:
            if reference.binding is not None:
                reference.binding.gives_name = True
        for reference in self.private_references:
            for scope in reference.scope.outward():
                declared = scope.private.get(reference.name)
                if declared is not None:
                    reference.binding = declared
                    declared.references.append(reference)
                    break
            else:
                raise Refused(Reason.SYNTAX, reference.start, f"no class around it has {reference.name}")

    def _provide_arguments(self, reference: Reference) -> None:
        """Gives `arguments` to the function that a reference means by it, if no scope up to there declares it."""
        for scope in reference.scope.outward():
            if reference.name in scope.bindings:
                return
            if scope.kind is _FUNCTION:
                scope.bindings[reference.name] = Binding(reference.name, Kind.ARGUMENTS, scope, False)
                return
            if scope.kind in (ScopeKind.FIELD, ScopeKind.STATIC_BLOCK):
                raise Refused(Reason.SYNTAX, reference.start, "arguments in a class field")

    def _check_bodies(self) -> None:
        """Names that parameters and a body, or a catch's parameter and its block, both declare."""
        for scope in self.scopes:
            outer = scope.parent
            if outer is None or not outer.bindings:
                continue
            if scope.kind is _BODY:
                for name in scope.bindings.keys() & outer.bindings.keys():
                    binding = scope.bindings[name]
                    if binding.lexical and outer.bindings[name].kind is Kind.PARAMETER:
                        raise Refused(Reason.REDECLARED, binding.declarations[0].start, name)
                    if binding.kind is _VAR:
                        binding.namesake = outer.bindings[name]
            elif outer.kind is _CATCH and scope.kind is _BLOCK and scope.end == outer.end:
                for name in scope.bindings.keys() & outer.bindings.keys():
                    raise Refused(Reason.REDECLARED, scope.bindings[name].declarations[0].start, name)

    def _time(self) -> None:
        for scope in self.scopes:
            parent = scope.parent
            if scope.step is _EAGER:
                own = scope.bindings.get(_CALLABLE.get(scope.kind, ""))
                if scope.kind is _FUNCTION_NAME:
                    # A function that knows its own name may call itself later.
                    own = next(iter(scope.bindings.values()))
                elif own is not None and scope.strict:
                    own = None
                if own is not None and own.references:
                    scope.step = _BOTH
            if parent is None:
                continue
            if scope.step is not _DEFERRED:
                scope.activation = parent.activation
                if scope.step is _EAGER:
                    scope.relay = parent.relay
        for scope in reversed(self.scopes):
            if scope.parent is not None and scope.parent.last < scope.last:
                scope.parent.last = scope.last


# `arguments.callee` (§10.4.4.6) is the function, in sloppy code.
_CALLABLE = {ScopeKind.FUNCTION: "arguments"}


class _Code:
    """A function's parameters and body.

    plain: its parameters are names alone. separate: they hold expressions, which must not see the body's names
    (§10.2.11). inner: when the body runs, seen from its parameters.
    """

    def __init__(self, node: Node, asynchronous: bool, generator: bool) -> None:
        self.node = node
        self.asynchronous = asynchronous
        self.generator = generator
        self.body = _field(node, "body")
        self.is_block = self.body.type == "statement_block"
        parameters = node.child_by_field_name("parameters")
        self.parameters = None if parameters is None else parameters.named_children
        patterns = [one for one in self.parameters or () if one.type != "identifier"]
        self.plain = not patterns
        self.separate = self.is_block and _hold_expressions(patterns)
        # A generator's body waits for the first next(); an async one stops at its first await.
        self.inner = _DEFERRED if generator else _BOTH if asynchronous else _EAGER

    def step(self, called: Timing) -> Timing:
        """When the scope of the parameters, and of the body unless it is separate, runs if the call runs so."""
        if self.separate or called is _DEFERRED or self.inner is _EAGER:
            return called
        return self.inner


def _hold_expressions(patterns: Sequence[Node]) -> bool:
    stack = [*patterns]
    while stack:
        node = stack.pop()
        kind = node.type
        if kind in _DEFAULTS or kind == "computed_property_name":
            return True
        if kind in _PATTERNS or kind == "pair_pattern":
            stack.extend(node.named_children)
    return False


def _modifiers(node: Node, name: Node) -> set[str]:
    """The words before a member's name."""
    words: set[str] = set()
    if node.start_byte == name.start_byte:
        return words
    for child in node.children:
        if child.start_byte >= name.start_byte:
            break
        words.update(child.type.split())
    return words


def _inside_parentheses(node: Node) -> Node:
    while node.type == "parenthesized_expression":
        inner = next((child for child in node.named_children if child.type not in _COMMENTS), None)
        if inner is None:
            break
        node = inner
    return node


def _field(node: Node, name: str) -> Node:
    child = node.child_by_field_name(name)
    if child is None:
        raise Refused(Reason.UNKNOWN_SYNTAX, node.start_byte, node.type)
    return child


# The place of a node, as a key of C's.
_start: Callable[[Node], int] = attrgetter("start_byte")


def _place(declaration: Declaration) -> int:
    return declaration.start


_BEGINS_FUNCTION = b"(fa"  # of `(`, `function` and `async`
_DECLARATIONS = frozenset(("variable_declaration", "lexical_declaration", "using_declaration"))

_NAME, _OTHER, _NOTHING, _LASTING, _STRING, _PASSED = range(6)

# Every kind of node of tree-sitter-javascript 0.25 that is JavaScript, and what is done with it. Kinds that are not
# here are refused: those of JSX, those that only stand inside of others here, and those of later versions.
_HANDLERS = {
    # These name nothing, or are dealt with where they stand.
    _Walk._skip: "comment html_comment hash_bang_line number this super null true false import "
    "optional_chain empty_statement debugger_statement escape_sequence regex_flags",
    # These name or say what stays as it is, whatever becomes of other names.
    _Walk._last: "property_identifier string_fragment regex_pattern",
    _Walk._string: "string",
    # These only hold others.
    _Walk._pass: "expression_statement while_statement do_statement return_statement throw_statement try_statement "
    "finally_clause switch_statement switch_case switch_default parenthesized_expression array object pair regex "
    "member_expression subscript_expression ternary_expression binary_expression sequence_expression template_string "
    "template_substitution spread_element arguments computed_property_name class_heritage class_body decorator "
    "import_attribute",
    _Walk._read: "identifier undefined",
    _Walk._shorthand: "shorthand_property_identifier",
    _Walk._private: "private_property_identifier",
    _Walk._assignment: "assignment_expression",
    _Walk._augmented: "augmented_assignment_expression",
    _Walk._update: "update_expression",
    _Walk._unary: "unary_expression",
    _Walk._await: "await_expression",
    _Walk._yield: "yield_expression",
    _Walk._meta: "meta_property",
    _Walk._call: "call_expression",
    _Walk._new: "new_expression",
    _Walk._with: "with_statement",
    _Walk._block: "statement_block switch_body",
    _Walk._branch: "if_statement else_clause",
    _Walk._for: "for_statement",
    _Walk._for_in: "for_in_statement",
    _Walk._catch: "catch_clause",
    _Walk._labelled: "labeled_statement",
    _Walk._jump: "break_statement continue_statement",
    _Walk._declaration: "variable_declaration lexical_declaration using_declaration",
    _Walk._function: "function_declaration generator_function_declaration function_expression generator_function "
    "arrow_function",
    _Walk._method: "method_definition",
    _Walk._class: "class class_declaration",
    _Walk._field_definition: "field_definition",
    _Walk._static_block: "class_static_block",
    _Walk._import: "import_statement",
    _Walk._export: "export_statement",
}


# What need not be seen by itself, or is seen where it stands.
_ACTIONS = {
    _Walk._read: _NAME,
    _Walk._skip: _NOTHING,
    _Walk._last: _LASTING,
    _Walk._string: _STRING,
    _Walk._pass: _PASSED,
}


@cache
def _tables() -> tuple[list[Callable[[_Walk, Node, Scope], None]], list[int]]:
    """By the number of a node's kind: what is done with it, and whether it need be seen at all."""
    named = {name: handler for handler, names in _HANDLERS.items() for name in names.split()}
    language = grammar()
    handlers: list[Callable[[_Walk, Node, Scope], None]] = []
    actions: list[int] = []
    for number in range(language.node_kind_count):
        handler = named.get(language.node_kind_for_id(number) or "", _Walk._unknown)
        handlers.append(handler)
        actions.append(_ACTIONS.get(handler, _OTHER))
    return handlers, actions
