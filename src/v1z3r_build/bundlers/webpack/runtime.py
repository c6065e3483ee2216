"""webpack's runtime: how it names, loads and awaits chunks.

X stands for the require function, whatever the minifier called it. What the runtime offers (webpack's runtime
modules, read off the output of 4.47 and of 5.10 to 5.10x):

- `X.u(id)` is the path of a chunk's script below the public path `X.p`.
- `X.e(id)` loads a chunk for `import()`: it calls `X.f.j(id, promises)`, the newest webpack directly, others by way of
  all members of `X.f`. `X.f.j` adds a promise to the list, fulfilled when the chunk is installed. `X.F.j` and `X.H.j`
  prefetch and preload.
- `X.O(0, ids, callback)` runs a callback when all chunks are there, which it asks `X.O.j(id)`, again directly or by
  way of all members of `X.O`; it asks anew after each chunk that arrives. webpack 4, and 5 before 5.22, have
  lists of entries instead, `[module, chunk ids…]`, which come with the chunks.
- The queue `self.G=self.G||[]` collects chunks that arrive before the runtime, which installs them at the end of its
  start, and from then on receives all others by its own `push`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from v1z3r_build.bundlers.webpack import syntax
from v1z3r_build.bundlers.webpack.chunk import queue_assignment
from v1z3r_build.bundlers.webpack.syntax import Extent, Module, Refusal, UnreadableError
from v1z3r_build.formats.descent import Descent
from v1z3r_build.formats.engines.script_syntax import parse

if TYPE_CHECKING:
    from collections.abc import Container, Iterator

    from tree_sitter import Node, Tree

_QUEUE = re.compile(rb"\|\|\s*\[\s*\]")
# An assignment to a member of something: what is searched for first begins with a letter of its own.
_MEMBER = re.compile(rb"\.\s*(f\.j|O\.j|F\.j|H\.j|[uempO])\s*=(?!=)")
_OWNER = re.compile(rb"(?<![\w$.])[\w$]+\s*\Z")
# No name is longer, with what stands behind it.
_LONGEST = 100
# Calls of a factory: `e[o](a,a.exports,r)`, `c[e].call(n.exports,n,n.exports,d)`.
_CALL = re.compile(
    rb"([\w$]+)\[([\w$]+)\]\s*(?:\.\s*call\s*\(\s*[\w$]+\.exports\s*,|\()\s*([\w$]+)\s*,\s*\3\.exports\s*,\s*([\w$]+)\s*\)\Z"
)
# How all of them end; it is found faster.
_HANDED = re.compile(rb"\.exports\s*,\s*[\w$]+\s*\)")
# Workers load by importScripts, at once and without a queue of promises (ImportScriptsChunkLoadingRuntimeModule).
_WORKER = re.compile(rb"\.f\.i\s*=(?!=)")
_INTEGRITY = re.compile(rb"\.sriHashes\b|\.integrity\s*=")
# Arrow functions have the `arguments` of what is around them.
_WITH_ARGUMENTS = syntax.FUNCTIONS - {"arrow_function"}
# What statements stand in.
_NESTING = frozenset(
    (
        "statement_block",
        "if_statement",
        "else_clause",
        "for_statement",
        "for_in_statement",
        "while_statement",
        "do_statement",
        "try_statement",
        "catch_clause",
        "finally_clause",
        "switch_statement",
        "switch_body",
        "switch_case",
        "switch_default",
        "labeled_statement",
        "with_statement",
    )
)
# Members that are replaced, so that it must be sure which assignment counts.
_REPLACED = ("u", "f.j", "O.j", "F.j", "H.j")


_NOWHERE = Extent(0, 0)


@dataclass(frozen=True, slots=True)
class Lists:
    """Entries that wait as lists. callback: where the body begins of the function that installs a chunk.

    data: the name of its parameter. index: where in a chunk's data the lists are. own: for each list in the
    runtime's file itself, the chunks that it waits for, and where another one can be added.
    """

    callback: int
    data: str
    index: int
    own: tuple[tuple[tuple[str, ...], int], ...]


class Own(NamedTuple):
    """Modules that stand in the runtime's own file, and the code that starts its entries.

    table: the name of the variable that holds them. place: the table itself. strict: whether a directive around it
    makes all of them strict. start: the code that may require a module as it runs: all to the end of the function
    around runtime and modules; None where it is not understood, see `refused`. in_sequence: whether it begins with a
    part of a sequence of expressions. bodies: the blocks of those functions in it that are called where they stand:
    modules that webpack has put into the start ("inlined") are each in one.
    """

    modules: tuple[Module, ...] = ()
    table: str = ""
    place: Extent = _NOWHERE
    strict: bool = False
    start: Extent | None = None
    in_sequence: bool = False
    bodies: tuple[Extent, ...] = ()
    refused: str = "the file has no modules of its own"


@dataclass(frozen=True, slots=True)
class Runtime:
    """A runtime, alone in its file, or with modules and an entry beside it.

    version: 4 or 5. require: the name of the require function. members: `u`, `e`, `m`, `p`, `O`, `f.j`, `O.j`, `F.j`,
    `H.j`, as far as it has them: the values that are assigned. drain: where the queue is made,
    `self.G=self.G||[]`, just before what waits in it is installed; None for a runtime that has no chunks but its
    own modules. queue_name: as in a chunk. public_path: what stands in front of names of chunks; None where it is
    computed as the page loads. own: modules in the same file. matchers: what `X.f.j` asks of an id before it
    loads, each with the answer that lets it. names: in webpack 4, the expression that makes the address of a chunk
    from its id, and the name of the id.
    """

    source: bytes = field(repr=False)
    version: int
    require: str
    members: dict[str, Extent]
    drain: Extent | None
    queue_name: str
    public_path: str | None
    own: Own
    licenses: tuple[Extent, ...] = ()
    matchers: tuple[tuple[re.Pattern[str], bool], ...] = ()
    names: tuple[Extent, str] | None = None
    lists: Lists | None = None

    @property
    def loads(self) -> bool:
        """Whether it can load chunks by itself: lazy ones, and those that no page lists."""
        return "f.j" in self.members or (self.version == 4 and "e" in self.members)

    @property
    def awaits(self) -> bool:
        """Whether entries can wait for chunks: those of other files than the runtime's."""
        return "O.j" in self.members or self.lists is not None


def read_runtime(source: bytes, tree: Tree | None = None) -> Runtime | Refusal | None:
    """The runtime in a script; None if there is none, a Refusal if it is one that is not understood.

    tree: its syntax tree, if it is parsed already.
    """
    if next(_members(source), None) is None and next(_calls(source), None) is None:
        return None
    if len(source) > syntax.MAX_SIZE:
        return Refusal("the script is too large to be parsed")
    root = (tree or parse(source)).root_node
    try:
        return _Reader(source, root).runtime()
    except UnreadableError as unreadable:
        return unreadable.refusal


def _members(source: bytes) -> Iterator[tuple[int, int, str, str]]:
    """What looks like an assignment to one of the members: its start and end, the name, the member."""
    for match in _MEMBER.finditer(source):
        owner = _OWNER.search(source, max(match.start() - _LONGEST, 0), match.start())
        if owner is not None:
            yield owner.start(), match.end(), owner[0].split()[0].decode(), match[1].decode()


def _calls(source: bytes, start: int = 0, end: int | None = None) -> Iterator[re.Match[bytes]]:
    """What looks like a call of a factory."""
    for handed in _HANDED.finditer(source, start, len(source) if end is None else end):
        # It holds four names before that.
        call = _CALL.search(source, max(handed.start() - 4 * _LONGEST, start), handed.end())
        if call is not None:
            yield call


class _Reader:
    """A parsed script in which a runtime is looked for."""

    def __init__(self, source: bytes, root: Node) -> None:
        self.source = source
        self.root = root
        self._found = list(_members(source))
        # By function and name: whether the function declares another one of that name.
        self._functions: dict[tuple[int, str], bool] = {}

    def runtime(self) -> Runtime | Refusal | None:
        scopes = [drain for drain in self._queues() if self._anchors(drain[0])]
        if len(scopes) > 1:
            return Refusal("two runtimes in one file", scopes[1][0].start_byte)
        if self.root.has_error:
            return Refusal("the runtime does not parse", 0) if scopes else None
        if not scopes:
            worker = _WORKER.search(self.source)
            if worker and next(self._queues(), None):
                return Refusal("a worker's runtime, which loads chunks by importScripts", worker.start())
            return self._four() or self._alone()
        drain, queue_name = scopes[0]
        members = self._anchors(drain)
        require = next(iter({name for name, _, _ in members}))
        if len({name for name, _, _ in members}) > 1:
            return Refusal("members of two require functions beside one queue", drain.start_byte)
        found = self._members(require)
        late = [name for name in _REPLACED if name in found and found[name].start > drain.start_byte]
        if late:
            return Refusal(f"{late[0]} is assigned after the queue is read", found[late[0]].start)
        own = self._own(require, drain)
        if self._checks_integrity(own, drain):
            return Refusal("the runtime checks the integrity of chunks", drain.start_byte)
        return Runtime(
            self.source,
            5,
            require,
            found,
            syntax.extent(drain),
            queue_name,
            self._public_path(found.get("p")),
            own,
            self._licenses(),
            self._matchers(found.get("f.j"), require),
            None,
            None if "O.j" in found else self._lists(drain, 3),
        )

    def _checks_integrity(self, own: Own, drain: Node) -> bool:
        """Whether it knows digests of chunks. Modules beside it may set the digests of anything."""
        end = own.start.start if own.start is not None else drain.end_byte
        before, behind = self.source[: own.place.start], self.source[own.place.end : end]
        return any(_INTEGRITY.search(text) for text in (before, behind))

    def _at(self, start: int, end: int) -> Node:
        node = self.root.descendant_for_byte_range(start, end)
        assert node is not None, "a place in the text without a node"
        return node

    def _queues(self) -> Iterator[tuple[Node, str]]:
        """All `self.G=self.G||[]` inside functions, with the queue's name, but those of chunks."""
        for match in _QUEUE.finditer(self.source):
            node: Node | None = self._at(match.start(), match.end())
            while node is not None and node.type in ("binary_expression", "parenthesized_expression", "array", "||"):
                node = node.parent
            assigned = queue_assignment(node) if node is not None else None
            if node is not None and assigned is not None and syntax.enclosing_function(node) is not None:
                yield node, assigned[0]

    def _anchors(self, drain: Node) -> list[tuple[str, str, Node]]:
        """`X.f.j=` and `X.O.j=` in the function that reads the queue: X is sure to be in its scope."""
        return [
            (require, member, node)
            for require, member, node in self._assignments()
            if member in ("f.j", "O.j")
            and _same(syntax.enclosing_function(node), syntax.enclosing_function(drain))
            and self._is_require(node, require)
        ]

    def _assignments(self) -> Iterator[tuple[str, str, Node]]:
        """Assignments to the members of anything: the name, the member, the assignment."""
        for start, end, name, member in self._found:
            node = self._at(start, end)
            if node.type != "assignment_expression":
                continue  # in a string or a comment
            left = node.child_by_field_name("left")
            if left is not None and (left.start_byte, left.type) == (start, "member_expression"):
                yield name, member, node

    def _is_require(self, place: Node, name: str) -> bool:
        """Whether a name means a function that is declared around the place, and nothing nearer."""
        function = syntax.enclosing_function(place)
        while function is not None:
            if self._has_function(function, name):
                return True
            if _has_parameter(function, name) or self._hides(name, function, place):
                return False
            function = syntax.enclosing_function(function)
        return False

    def _has_function(self, function: Node, name: str) -> bool:
        """Whether a function of this name is declared in another one's own scope."""
        key = (function.id, name)
        if key not in self._functions:
            found = self._own_places(function, rb"\bfunction\s+%s\s*\(" % re.escape(name.encode()))
            self._functions[key] = any(
                one.type == "function_declaration" and _same(syntax.enclosing_function(one), function) for one in found
            )
        return self._functions[key]

    def _hides(self, name: str, function: Node, place: Node) -> bool:
        """Whether a variable of a function hides a name at a place inside: `let` and `const` in their blocks only."""
        for node in self._own_places(function, _whole(name.encode())):
            at = node
            while at.parent is not None and at.parent.type.endswith("pattern"):
                at = at.parent
            declarator = at.parent
            if declarator is None or declarator.type != "variable_declarator":
                continue
            if declarator.child_by_field_name("name") != at:
                continue
            if not _same(syntax.enclosing_function(declarator), function):
                continue
            declaration = declarator.parent
            block = declaration.parent if declaration is not None else None
            is_lexical = declaration is not None and declaration.type == "lexical_declaration"
            if not is_lexical or block is None or block.start_byte <= place.start_byte < block.end_byte:
                return True
        return False

    def _members(self, require: str) -> dict[str, Extent]:
        """The values assigned to members of the require function. Raises UnreadableError if one has two."""
        found: dict[str, Extent] = {}
        for name, member, node in self._assignments():
            right = node.child_by_field_name("right")
            if name != require or right is None or not self._is_require(node, name):
                continue
            if member in found and member in _REPLACED:
                raise UnreadableError(f"{require}.{member} is assigned twice", node.start_byte)
            found.setdefault(member, syntax.extent(right))
        return found

    def _public_path(self, place: Extent | None) -> str | None:
        if place is None:
            return ""
        return syntax.string(syntax.bare(self._at(*place)))

    # Loading

    def _matchers(self, place: Extent | None, require: str) -> tuple[tuple[re.Pattern[str], bool], ...]:
        """What `X.f.j` asks of an id before it loads its script.

        webpack compiles which chunks have a script at all into a test of the id, either of those that have
        (`/^(1|2)$/.test(e)`) or of those that have not (`272!=e`), whichever is shorter. What fails it counts as
        installed at once.
        Raises UnreadableError where the way to the load depends on the id in another way.
        """
        if place is None:
            return ()
        loader = self._at(*place)
        names = syntax.parameters(loader) if loader.type in syntax.FUNCTIONS else ()
        if not names:
            raise UnreadableError("a loader of chunks that is no function", place.start)
        calls = re.finditer(
            rb"(?<![\w$.])%s\s*\.\s*u\s*\(\s*%s\s*\)" % tuple(map(re.escape, map(str.encode, (require, names[0])))),
            self.source[slice(*place)],
        )
        loads = [self._at(place.start + call.start(), place.start + call.end()) for call in calls]
        if len(loads) != 1:
            raise UnreadableError("a loader of chunks without one place where it loads", place.start)
        return tuple(self._conditions(loads[0], loader, names[0]))

    def _conditions(self, load: Node, loader: Node, parameter: str) -> Iterator[tuple[re.Pattern[str], bool]]:
        node = load
        while node != loader and node.parent is not None:
            parent = node.parent
            condition: Node | None = None
            wanted = True
            if parent.type in ("if_statement", "ternary_expression"):
                condition = parent.child_by_field_name("condition")
                wanted = node == parent.child_by_field_name("consequence")
                if node == condition:
                    condition = None
            elif parent.type == "binary_expression" and node == parent.child_by_field_name("right"):
                condition = parent.child_by_field_name("left")
                wanted = syntax.text(parent.child_by_field_name("operator")) == b"&&"
            if condition is not None and re.search(
                rb"(?<![\w$.])%s(?![\w$])" % re.escape(parameter.encode()), syntax.text(condition)
            ):
                yield _matcher(condition, parameter, wanted)
            node = parent

    # Entries that wait as lists

    def _lists(self, drain: Node, index: int) -> Lists | None:
        """How lists of entries come in, None where the runtime takes none."""
        queue = self._name_of(drain)
        scope = syntax.enclosing_function(drain)
        callback = self._pushed(queue, scope) if queue and scope is not None else None
        if callback is None:
            raise UnreadableError("a queue whose push is not understood", drain.start_byte)
        body, names = callback.child_by_field_name("body"), syntax.parameters(callback)
        # The data of the chunk is the last: before it, since 5.22, stands the function that had the queue before.
        if body is None or body.type != "statement_block" or not 1 <= len(names) <= 2:
            raise UnreadableError("a queue whose push is not understood", callback.start_byte)
        data = re.escape(names[-1].encode())
        inside = syntax.text(body)
        by_index = re.search(rb"(?<![\w$.])%s\[%d\]" % (data, index), inside)
        pattern = re.search(rb"\[((?:[\w$]+\s*,\s*)*[\w$]+)\]\s*=\s*%s(?![\w$.\[])" % data, inside)
        if not by_index and not (pattern and pattern[1].count(b",") >= index):
            return None
        deferred = re.findall(rb"(?<![\w$.])([\w$]+)\.push\.apply\(\s*\1\s*,", inside)
        own = tuple(self._own_lists({name.decode() for name in deferred}))
        return Lists(body.start_byte + 1, names[-1], index, own)

    def _name_of(self, drain: Node) -> str:
        """The variable that holds the queue."""
        parent = drain.parent
        # Registered, it is the last of a sequence.
        while parent is not None and parent.type in ("parenthesized_expression", "sequence_expression"):
            parent = parent.parent
        if parent is None:
            return ""
        name = parent.child_by_field_name("name") or parent.child_by_field_name("left")
        return syntax.text(name).decode() if name is not None and name.type == "identifier" else ""

    def _loading_end(self, drain: Node) -> int:
        """Where the queue has got its push, behind the expression that makes it."""
        scope = syntax.enclosing_function(drain)
        push = _push_of(self._name_of(drain))
        match = push.search(self.source, drain.end_byte, scope.end_byte) if scope is not None else None
        return match.end() if match is not None else drain.end_byte

    def _pushed(self, queue: str, scope: Node) -> Node | None:
        """The function that becomes the queue's push."""
        match = _push_of(queue).search(syntax.text(scope))
        if not match:
            return None
        node = self._at(scope.start_byte + match.start(), scope.start_byte + match.end())
        right = node.child_by_field_name("right") if node.type == "assignment_expression" else None
        if right is None or right.type in syntax.FUNCTIONS:
            return right
        if right.type == "call_expression":  # since 5.22: `t.bind(null,o.push.bind(o))`
            bound = right.child_by_field_name("function")
            name = bound.child_by_field_name("property") if bound is not None else None
            target = bound.child_by_field_name("object") if bound is not None else None
            if target is None or syntax.text(name) != b"bind":
                return None
            right = target
        return self._declared(syntax.text(right), scope) if right.type == "identifier" else None

    def _declared(self, name: bytes, scope: Node) -> Node | None:
        """The one function or value that a name is declared as in a function's own scope.

        Or that is assigned to it, once: Rspack's minifier declares all variables first (`var a,b;…,a=(e,t)=>{…}`).
        """
        found: list[Node] = []
        assigned: list[Node] = []
        # A value or parameters follow, or a comment before them.
        for node in self._own_places(scope, _whole(name) + rb"(?=\s*(?:=(?![=>])|[(/]))"):
            parent = node.parent
            if parent is None or not _same(syntax.enclosing_function(parent), scope):
                continue
            if parent.type == "assignment_expression" and parent.child_by_field_name("left") == node:
                value = parent.child_by_field_name("right")
                assigned += [value] if value is not None else []
            if parent.child_by_field_name("name") != node:
                continue
            if parent.type == "function_declaration":
                found.append(parent)
            elif parent.type == "variable_declarator":
                value = parent.child_by_field_name("value")
                found += [value] if value is not None else []
        found = found or assigned
        return found[0] if len(found) == 1 else None

    def _own_lists(self, deferred: set[str]) -> Iterator[tuple[tuple[str, ...], int]]:
        """Lists in the runtime's own file: `u.push([3,1])`, `u=[[3,1]]`."""
        for name in sorted(deferred):
            escaped = re.escape(name.encode())
            for match in re.finditer(
                rb"(?<![\w$.])%s\.push\(\s*(?=\[)|(?<![\w$.])%s\s*=\s*\[\s*(?=\[)" % (escaped, escaped), self.source
            ):
                node: Node | None = self._at(match.end(), match.end() + 1)
                while node is not None and node.type != "array":
                    node = node.parent
                if node is None or node.start_byte != match.end():
                    continue
                lists = [node]
                outer = node.parent
                if outer is not None and outer.type == "array":
                    lists = syntax.named(outer)
                for one in lists:
                    items = syntax.named(one)
                    if one.type != "array" or not items:
                        raise UnreadableError("a list of entries that is not understood", one.start_byte)
                    yield tuple(syntax.property_name(item) for item in items[1:]), items[-1].end_byte

    # Own modules

    def _own(self, require: str, drain: Node | None) -> Own:
        """The modules of the runtime's own file: `var e={…}`, in webpack 4 the argument of the whole function."""
        for call in _calls(self.source):
            function = syntax.enclosing_function(self._at(call.start(), call.end()))
            scope = syntax.enclosing_function(function) if function is not None else None
            name = function.child_by_field_name("name") if function is not None else None
            if scope is None or call[4] != require.encode() or syntax.text(name) != call[4]:
                continue
            if drain is None and syntax.enclosing_function(scope) is not None:
                continue  # a bundle inside a module
            if drain is not None and not scope.start_byte <= drain.start_byte < scope.end_byte:
                continue
            return self._own_in(scope, call[1], require, drain)
        return Own()

    def _own_in(self, scope: Node, name: bytes, require: str, drain: Node | None) -> Own:
        table = self._declared(name, scope)
        argument = None
        if table is None:
            names = [syntax.text(given) for given in syntax.named(scope.child_by_field_name("parameters") or scope)]
            table = argument = _argument(scope) if names == [name] else None
        body = scope.child_by_field_name("body")
        if table is None or body is None:
            return Own()
        strict = syntax.has_directive(body) or syntax.has_directive(self.root)
        modules = syntax.modules(syntax.bare(table), strict=strict)
        own = Own(modules, name.decode(), syntax.extent(table), strict)
        if argument is not None:
            return own._replace(refused="webpack 4 starts its entry within the runtime")
        try:
            step = self._start(scope, body, require, drain, table)
        except UnreadableError as unreadable:
            return own._replace(refused=unreadable.refusal.reason)
        in_sequence = step.parent is not None and step.parent.type == "sequence_expression"
        return own._replace(
            start=Extent(step.start_byte, body.end_byte - 1),
            in_sequence=in_sequence,
            bodies=tuple(
                syntax.extent(block)
                for one in _steps(body)
                if one.start_byte >= step.start_byte and (block := _called_block(one)) is not None
            ),
            refused="",
        )

    def _start(self, scope: Node, body: Node, require: str, drain: Node | None, table: Node) -> Node:
        """The code that may require modules begins here: behind their table, and the loading of chunks if there is any.

        That ends where the queue gets the runtime's own push. Rspack's minifier puts all of it into one sequence.
        """
        if not _is_unused_call(scope):
            raise UnreadableError("the result of the runtime's function is used", scope.start_byte)
        if _returns(body):
            raise UnreadableError("the runtime's function returns something", scope.start_byte)
        found = self._own_places(body, rb"arguments(?<![\w$]arguments)(?![\w$])", _WITH_ARGUMENTS)
        arguments = [node for node in found if node.type == "identifier"]
        if any(_same(_nearest_arguments(node), scope) for node in arguments):
            raise UnreadableError("the runtime's function reads its arguments", scope.start_byte)
        calls = re.compile(rb"(?<![\w$.])%s\s*\(" % re.escape(require.encode()))
        assigns = re.compile(rb"%s\s*\.\s*[\w$]+\s*=(?!=)" % re.escape(require.encode()))
        loading = self._loading_end(drain) if drain is not None else table.end_byte
        for step in _steps(body):
            # The variables before the first function are the table and the cache of modules.
            if step.type == "function_declaration" or step.start_byte < _table_end(body):
                continue
            if step.start_byte < loading:
                continue
            if drain is not None or (calls.search(syntax.text(step)) and not assigns.match(syntax.text(step))):
                return step
        raise UnreadableError("no entry was found", scope.start_byte)

    def _own_places(
        self, function: Node, pattern: bytes, functions: Container[str] = syntax.FUNCTIONS
    ) -> Iterator[Node]:
        """The nodes at all matches inside a function, or its body, but those deep inside other functions in there."""
        descent = Descent(function)
        for match in re.finditer(pattern, syntax.text(function)):
            path = descent.to(function.start_byte + match.start(), function.start_byte + match.end())
            if not any(node.type in functions for node in path[1:-2]):
                yield path[-1]

    def _alone(self) -> Runtime | Refusal | None:
        """webpack 5 in one file: runtime, modules and entry, no other chunks."""
        for require in dict.fromkeys(call[4].decode() for call in _calls(self.source)):
            own = self._own(require, None)
            if own.modules:
                found = self._members(require)
                return Runtime(self.source, 5, require, found, None, "", "", own, self._licenses())
        return None

    def _licenses(self) -> tuple[Extent, ...]:
        return syntax.licenses(self.root)

    # webpack 4

    def _four(self) -> Runtime | Refusal | None:
        """webpack 4: one function whose argument are the modules, and one push for chunks and lists of entries."""
        for drain, queue_name in self._queues():
            scope = syntax.enclosing_function(drain)
            if scope is None or _argument(scope) is None:
                continue
            callers = list(_calls(self.source, scope.start_byte, scope.end_byte))
            if not callers:
                continue
            require = callers[0][4].decode()
            found = self._members(require)
            # Its modules stand behind it, as its argument.
            if "m" not in found or _INTEGRITY.search(self.source, scope.start_byte, scope.end_byte):
                return Refusal("a runtime that checks integrity, or is not understood", drain.start_byte)
            return Runtime(
                self.source,
                4,
                require,
                found,
                syntax.extent(drain),
                queue_name,
                self._public_path(found.get("p")),
                self._own(require, drain),
                self._licenses(),
                (),
                self._names(require) if "e" in found else None,
                self._lists(drain, 2),
            )
        return None

    def _names(self, require: str) -> tuple[Extent, str]:
        """The expression `X.p+…+".js"` that makes a chunk's address, and the name of the id in it."""
        found: list[tuple[Extent, str]] = []
        for match in re.finditer(rb"\breturn\s+%s\.p\s*\+" % re.escape(require.encode()), self.source):
            node: Node | None = self._at(match.start(), match.end())
            while node is not None and node.type != "return_statement":
                node = node.parent
            function = syntax.enclosing_function(node) if node is not None else None
            if node is None or function is None or len(syntax.parameters(function)) != 1:
                continue
            value = syntax.named(node)[0]
            if b'.js"' in syntax.text(value):
                found.append((syntax.extent(value), syntax.parameters(function)[0]))
        if len(found) != 1:
            raise UnreadableError("no one place where names of chunks are made", 0)
        return found[0]


def _steps(body: Node) -> Iterator[Node]:
    """The statements of a body, sequences of expressions taken apart."""
    for statement in syntax.named(body):
        inside = syntax.named(statement)
        if statement.type == "expression_statement" and len(inside) == 1 and inside[0].type == "sequence_expression":
            yield from syntax.sequence(inside[0])
        else:
            yield statement


def _called_block(step: Node) -> Node | None:
    """The block of a function without parameters that a step calls where it stands: `(()=>{…})()`."""
    node = step
    while node.type in ("expression_statement", "parenthesized_expression", "unary_expression"):
        inside = syntax.named(node)
        if len(inside) != 1:
            return None
        node = inside[0]
    function = node.child_by_field_name("function") if node.type == "call_expression" else None
    if function is None:
        return None
    function = syntax.bare(function)
    if function.type == "member_expression":  # `function(){…}.call(this)`
        arguments = node.child_by_field_name("arguments")
        given = [one.type for one in syntax.named(arguments)] if arguments is not None else []
        target = function.child_by_field_name("object")
        if syntax.text(function.child_by_field_name("property")) != b"call" or given != ["this"] or target is None:
            return None
        function = syntax.bare(target)
    elif _argument_count(node) != 0:
        return None
    if function.type not in ("arrow_function", "function_expression") or syntax.parameters(function):
        return None
    block = function.child_by_field_name("body")
    is_plain = not any(child.type == "async" for child in function.children)
    return block if is_plain and block is not None and block.type == "statement_block" else None


def _table_end(body: Node) -> int:
    """Where the variables of the runtime end that stand before its first function."""
    first = next((node for node in body.named_children if node.type == "function_declaration"), None)
    return first.start_byte if first is not None else body.start_byte


def _whole(name: bytes) -> bytes:
    """What finds a name that is no member's. A pattern that begins with letters is found faster."""
    return rb"%s(?<![\w$.]%s)(?![\w$])" % (re.escape(name), re.escape(name))


def _push_of(queue: str) -> re.Pattern[bytes]:
    """What finds the place where a queue gets another push."""
    return re.compile(rb"(?<![\w$.])%s\.push\s*=(?!=)" % re.escape(queue.encode()))


def _returns(body: Node) -> bool:
    """Whether a function returns before its body ends."""
    work = [body]
    while work:
        for node in work.pop().named_children:
            if node.type == "return_statement":
                return True
            if node.type in _NESTING:
                work.append(node)
    return False


def _nearest_arguments(node: Node) -> Node | None:
    """The function whose `arguments` are meant: arrows have none."""
    function = syntax.enclosing_function(node)
    while function is not None and function.type == "arrow_function":
        outer = syntax.enclosing_function(function)
        if outer is None:
            return function
        function = outer
    return function


def _is_unused_call(function: Node) -> bool:
    """Whether a function is called where it stands and nobody takes the result: `(()=>{…})()`, `!function(){…}()`."""
    node: Node | None = function.parent
    while node is not None and node.type == "parenthesized_expression":
        node = node.parent
    if node is None or node.type != "call_expression" or _argument_count(node) != 0:
        return False
    while node is not None and node.type in ("call_expression", "parenthesized_expression", "unary_expression"):
        node = node.parent
    return node is not None and node.type == "expression_statement"


def _argument_count(call: Node) -> int:
    arguments = call.child_by_field_name("arguments")
    return len(syntax.named(arguments)) if arguments is not None else 0


def _has_parameter(function: Node, name: str) -> bool:
    try:
        return name in syntax.parameters(function)
    except UnreadableError:
        parameters = function.child_by_field_name("parameters")
        return re.search(rb"(?<![\w$.])%s(?![\w$])" % re.escape(name.encode()), syntax.text(parameters)) is not None


def _same(one: Node | None, other: Node | None) -> bool:
    return one is not None and other is not None and one.id == other.id


def _argument(function: Node) -> Node | None:
    """The only argument of a function that is called where it stands."""
    node: Node | None = function.parent
    while node is not None and node.type == "parenthesized_expression":
        node = node.parent
    arguments = node.child_by_field_name("arguments") if node is not None and node.type == "call_expression" else None
    given = syntax.named(arguments) if arguments is not None else []
    return given[0] if len(given) == 1 and arguments is not None and function.end_byte <= arguments.start_byte else None


def _matcher(condition: Node, parameter: str, wanted: bool) -> tuple[re.Pattern[str], bool]:
    """A test of a chunk's id as a pattern, with the answer that leads to the load."""
    node = syntax.bare(condition)
    while node.type == "unary_expression" and syntax.text(node).startswith(b"!"):
        argument = node.child_by_field_name("argument")
        if argument is None:
            break
        node, wanted = syntax.bare(argument), not wanted
    if node.type == "binary_expression":
        operator = syntax.text(node.child_by_field_name("operator"))
        sides = [
            syntax.bare(side) for side in (node.child_by_field_name("left"), node.child_by_field_name("right")) if side
        ]
        literals = [side for side in sides if side.type in ("string", "number")]
        names = [side for side in sides if syntax.text(side) == parameter.encode()]
        if operator in (b"==", b"===", b"!=", b"!==") and len(literals) == len(names) == 1:
            identity = syntax.property_name(literals[0])
            return re.compile(re.escape(identity) + r"\Z"), wanted == operator.startswith(b"=")
    match = re.fullmatch(rb"/\^(?:\(([\w|\\./~+-]+)\)|([\w\\./~+-]+))\$/\.test\(([\w$]+)\)", syntax.text(node))
    if match and match[3] == parameter.encode():
        return re.compile(f"(?:{(match[1] or match[2]).decode()})\\Z"), wanted
    raise UnreadableError("a condition on the id of a chunk that is not understood", condition.start_byte)
