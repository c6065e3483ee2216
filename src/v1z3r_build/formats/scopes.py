"""What the scopes of a script or module are (ECMA-262, 2024): bindings, references, and when they are evaluated.

`scope_analysis` finds them. Names are resolved as the language does it, by scope; `eval` and `with`, which undo that,
are recorded as hazards, and a region that they reach is refused (`Scopes.region`).

Terms: a region is the whole program or what lies in one scope of it, for instance a function. A reference is *eager*
within a region if it is evaluated when the code directly in the region is, *deferred* if it stands in a function that
something has to call first, and *both* if its function is called where it stands and may run on or again later.
Calls are not followed: a deferred reference is evaluated as early as some eager call has it.
"""

from __future__ import annotations

from bisect import bisect_left
from enum import Enum, auto
from functools import cached_property
from operator import attrgetter
from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Container, Iterator, Sequence, Set

    from v1z3r_build.formats.name_reads import NameRead


class _Sort(Enum):
    # `Enum` hashes a member's name, by a call of Python's.
    __hash__ = object.__hash__


class Goal(Enum):
    """As what a text is read (ECMA-262 §16)."""

    SCRIPT = auto()
    MODULE = auto()


class Reason(Enum):
    """Why a text or a region is refused."""

    TOO_LARGE = "it is too large to be analysed"
    NOT_TEXT = "it is not UTF-8 text"
    SYNTAX = "it does not parse"
    UNKNOWN_SYNTAX = "it has syntax that this analysis does not know"
    AMBIGUOUS = "it can be read in two ways, which the parser does not tell apart"
    REDECLARED = "it declares a name twice in one scope"
    REDECLARED_PARAMETER = "a function has two parameters of one name"
    REDECLARED_BLOCK_FUNCTION = "a block declares two functions of one name"
    UNHOISTED = "a function in a block has the name of something outside it, and may not be renamed alone"
    DEFAULTS = "it is the body of a function whose parameters have default values"
    LABELLED_FUNCTION = "it has a labelled function"
    EVAL = "it calls eval, which can see and add names"
    WITH = "it has a with statement, which hides what names mean"


class Refused(Exception):  # noqa: N818 - an answer, not an error
    """That a text, or a region of it, cannot be analysed. offset: bytes from the start of the text."""

    def __init__(self, reason: Reason, offset: int, detail: str = "") -> None:
        super().__init__(f"at byte {offset}: {reason.value}" + (f" ({detail})" if detail else ""))
        self.reason = reason
        self.offset = offset
        self.detail = detail


class ScopeKind(_Sort):
    """What a scope belongs to."""

    GLOBAL = auto()  # of a script: what it declares is seen by all scripts of the page
    MODULE = auto()
    FUNCTION = auto()  # parameters, and the body's names unless a BODY has them
    ARROW = auto()  # the same, of a function without `arguments` of its own
    BODY = auto()  # of a function whose parameters hold expressions (§10.2.11, hasParameterExpressions)
    FUNCTION_NAME = auto()  # around a named function expression: its own name
    BLOCK = auto()
    SWITCH = auto()
    FOR = auto()  # the head's let, const and using
    CATCH = auto()  # the parameter only; the body is a BLOCK inside
    CLASS = auto()  # the class's own name as its inside sees it, and its private names
    FIELD = auto()  # the initialiser of a field
    STATIC_BLOCK = auto()


class Kind(_Sort):
    """How a binding came about."""

    VAR = auto()
    LET = auto()
    CONST = auto()
    USING = auto()
    CLASS = auto()
    CLASS_NAME = auto()  # a class's own name, seen from inside it: never written
    FUNCTION = auto()
    FUNCTION_NAME = auto()  # a function expression's own name, seen from inside it: never written
    PARAMETER = auto()
    CATCH = auto()  # `catch (e)`
    CATCH_PATTERN = auto()  # `catch ({e})`: unlike the former, no `var` inside may have its name
    IMPORT = auto()
    ARGUMENTS = auto()  # implicit, and only where something refers to it


class Access(_Sort):
    """What a reference does."""

    READ = auto()
    WRITE = auto()
    UPDATE = auto()  # reads and writes: x += 1, x++, x ||= 1, delete x
    EXPORT = auto()  # names a binding that other modules then read at any time


class Form(_Sort):
    """What must be written for a name at this place, once it is not the same any more."""

    PLAIN = auto()  # new
    PROPERTY = auto()  # {old} becomes {old: new}
    PATTERN = auto()  # the same, as the target of an assignment or a declaration
    EXPORT = auto()  # {old} becomes {new as old}
    IMPORT = auto()  # {old} becomes {old as new}


class Timing(_Sort):
    """When something is evaluated, seen from the code directly in a region."""

    EAGER = auto()
    DEFERRED = auto()
    BOTH = auto()


class Scope:
    """A scope. Its children are the scopes that name it as parent; `Scopes.scopes` holds parents first.

    start, end: bytes; of methods from the parameter list on, of classes from the word `class` on, else all of the node:
    the function, the block, the for statement, the catch clause, the value of a field. variables: where a `var` that
    stands here is declared. strict: whether code here is. bindings: by name; private: those of private names (`#x`).
    awaits, yields: whether `await` and `yield` are operators here. step: when the scope's code runs, seen from the
    parent's. index, last: the places of it and of the last scope inside it in `Scopes.scopes`. activation, relay: the
    innermost scope around code here that runs deferred, and that does not simply run with the code around it.
    """

    __slots__ = (
        "activation", "awaits", "bindings", "end", "index", "kind", "last", "parent", "private", "relay", "start",
        "step", "strict", "variables", "yields",
    )  # fmt: skip

    def __init__(self, kind: ScopeKind, parent: Scope | None, start: int, end: int, step: Timing) -> None:
        self.kind: Final = kind
        self.parent: Final = parent
        self.start: Final = start
        self.end: Final = end
        self.step = step
        self.bindings: dict[str, Binding] = {}
        self.private: dict[str, Binding] = {}
        self.variables: Scope = self if parent is None else parent.variables
        self.strict: bool = parent is not None and parent.strict
        self.awaits: bool = parent is not None and parent.awaits
        self.yields: bool = parent is not None and parent.yields
        self.index = 0
        self.last = 0
        self.activation: Scope = self
        self.relay: Scope = self

    def __repr__(self) -> str:
        return f"<{self.kind.name} {self.start}-{self.end}>"

    def encloses(self, other: Scope) -> bool:
        """Whether the other is this scope or inside it."""
        return self.index <= other.index <= self.last

    def outward(self) -> Iterator[Scope]:
        """This scope and those around it, innermost first."""
        scope: Scope | None = self
        while scope is not None:
            yield scope
            scope = scope.parent

    def timing(self, region: Scope) -> Timing:
        """When code directly in this scope is evaluated, seen from the code directly in a scope around it."""
        if self.activation is not region.activation:
            return _DEFERRED
        return _EAGER if self.relay is region.relay else _BOTH


class Declaration(NamedTuple):
    """A place that declares a binding.

    start, end: bytes of the name. scope: where it stands, for a `var` not always where it declares. writes: whether
    evaluating it gives the binding a value: not `var x;`, nor the names of functions, which have theirs on entry.
    """

    start: int
    end: int
    kind: Kind
    form: Form
    scope: Scope
    writes: bool


class Binding:
    """A name in a scope.

    kind: of several declarations (`var f; function f() {}`) the strongest: parameter, function, var. declarations: in
    order of the text. references: what resolves to it, in order of the text. namesake: a binding of an outer scope
    that must bear the same name, because one token declares both (a class, seen from outside and from inside; a
    function in a block of sloppy code and the `var` that Annex B.3.2 makes of it; `catch (e) { var e }`) or because
    one begins with the other's value (a `var` in a BODY with a parameter's name). unhoisted: it is a function in a
    block of sloppy code that gets no such `var`, since that would collide with another name. gives_name: a function
    or class takes its `name` property from it. exported: by the declaration itself (`export let x`).
    """

    __slots__ = (
        "declarations", "exported", "gives_name", "kind", "lexical", "name", "namesake", "references", "scope",
        "unhoisted",
    )  # fmt: skip

    def __init__(self, name: str, kind: Kind, scope: Scope, lexical: bool) -> None:
        self.name: Final = name
        self.kind = kind
        self.scope: Final = scope
        self.lexical: Final = lexical  # another declaration of the name in this scope is an error
        self.declarations: list[Declaration] = []
        self.references: list[Reference] = []
        self.namesake: Binding | None = None
        self.unhoisted = False
        self.gives_name = False
        self.exported = False

    def __repr__(self) -> str:
        return f"<{self.kind.name} {self.name}>"


class Reference:
    """A place that reads or writes a name. start, end: bytes. binding: None if the text does not declare it."""

    __slots__ = ("access", "binding", "end", "form", "name", "scope", "start")

    def __init__(self, start: int, end: int, name: str, scope: Scope, access: Access, form: Form) -> None:
        self.start: Final = start
        self.end: Final = end
        self.name: Final = name
        self.scope: Final = scope
        self.access: Final = access
        self.form: Final = form
        self.binding: Binding | None = None

    def __repr__(self) -> str:
        return f"<{self.access.name} {self.name} at {self.start}>"


class Label(NamedTuple):
    """A label where it is set, or where break or continue name it. until: the end of the statement; 0 of a use."""

    start: int
    end: int
    name: str
    until: int


class Hazard(NamedTuple):
    """Something that makes analysis worthless in all scopes around it, and with eval and with inside it too."""

    reason: Reason
    offset: int
    scope: Scope


class Region(NamedTuple):
    """What lies in a scope. references: those inside its bytes, in order of the text; scopes: it and those inside."""

    scope: Scope
    references: Sequence[Reference]
    scopes: Sequence[Scope]

    def timing(self, place: Reference | Declaration) -> Timing:
        """When a reference or declaration inside the region is evaluated."""
        return place.scope.timing(self.scope)


class Scopes:
    """A text's scopes.

    scopes: parents before children, in order of the text; the first is the root. references: in order of the text,
    without those to private names, which `private_references` holds. labels: set and used, in order of the text.
    naming: the references that are assigned a function or class which takes its `name` property from that. lasting:
    what no renaming changes, of each in turn where it starts and ends: names of properties, of exports and of imports
    as others give them, the text of strings and templates between escapes, regular expressions; in no order.
    name_reads: in order of the text.
    """

    def __init__(
        self,
        source: bytes,
        goal: Goal,
        scopes: Sequence[Scope],
        references: Sequence[Reference],
        private_references: Sequence[Reference],
        labels: Sequence[Label],
        hazards: Sequence[Hazard],
        naming: Container[Reference],
        lasting: Sequence[int],
        name_reads: Sequence[NameRead],
    ) -> None:
        self.source: Final = source
        self.goal: Final = goal
        self.scopes: Final = scopes
        self.references: Final = references
        self.private_references: Final = private_references
        self.labels: Final = labels
        self.hazards: Final = hazards
        self.naming: Final = naming
        self.lasting: Final = lasting
        self.name_reads: Final = name_reads

    @property
    def root(self) -> Scope:
        return self.scopes[0]

    @cached_property
    def names(self) -> Set[str]:
        """All names that are declared or referred to."""
        return {one.name for one in self.references} | {name for one in self.scopes for name in one.bindings}

    @cached_property
    def givers(self) -> Sequence[Binding]:
        """The bindings that functions or classes take their names from, in order of the scopes."""
        return [one for scope in self.scopes for one in scope.bindings.values() if one.gives_name]

    def whole(self) -> Region:
        """All of the text as a region. Raises Refused as `region` does."""
        return self.region(self.root)

    def region(self, scope: Scope) -> Region:
        """What lies in a scope. Raises Refused if a hazard reaches into it."""
        for hazard in self.hazards:
            around = hazard.scope.encloses(scope) and hazard.reason in (Reason.EVAL, Reason.WITH)
            # A direct eval declares in its function (§19.2.1.3) and so changes names for all that is in there.
            if hazard.reason is Reason.EVAL:
                around = hazard.scope.variables.encloses(scope)
            if around or scope.encloses(hazard.scope):
                raise Refused(hazard.reason, hazard.offset)
        first = bisect_left(self.references, scope.start, key=start_of)
        last = bisect_left(self.references, scope.end, key=start_of)
        return Region(scope, self.references[first:last], self.scopes[scope.index : scope.last + 1])

    def name_reads_in(self, scope: Scope) -> Sequence[NameRead]:
        """The places in a scope that read names."""
        first = bisect_left(self.name_reads, (scope.start,))
        return self.name_reads[first : bisect_left(self.name_reads, (scope.end,), first)]

    def function_at(self, start: int) -> Scope | None:
        """The outermost scope of the function whose text, or whose parameter list if it is a method, starts there."""
        first = bisect_left(self.scopes, start, key=start_of)
        for scope in self.scopes[first:]:
            if scope.start != start:
                break
            if scope.kind in _FUNCTION_SCOPES:
                return scope
        return None


# Python 3.11 takes longer to find a member of an enumeration than to make a small object.
_EAGER, _DEFERRED, _BOTH = Timing.EAGER, Timing.DEFERRED, Timing.BOTH
_FUNCTION_SCOPES = frozenset((ScopeKind.FUNCTION, ScopeKind.ARROW, ScopeKind.FUNCTION_NAME))


# The key that references and scopes are sorted by; of C's, for it is asked a million times.
start_of: Callable[[Reference | Scope], int] = attrgetter("start")
