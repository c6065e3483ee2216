"""Text made of parts of one that is analysed: what is known of its functions and classes is known of them there, too.

What splits a script moves most functions and classes as they are. What stands in them has the same scopes in its new
place; only what it says of names around it may be another binding, of the same name. So no more is parsed and analysed
of the new text than its *frame*: the text with such functions and classes emptied.
"""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from operator import attrgetter
from typing import TYPE_CHECKING, Final, NamedTuple

from v1z3r_build.formats.derivation import Derived
from v1z3r_build.formats.scope_analysis import analyse_module, analyse_script
from v1z3r_build.formats.scopes import Access, Goal, Label, Refused, ScopeKind, start_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from v1z3r_build.formats.scopes import Binding, Reference, Region, Scope, Scopes

_MOVABLE = frozenset((ScopeKind.FUNCTION, ScopeKind.ARROW, ScopeKind.FUNCTION_NAME, ScopeKind.CLASS))
# Where these do not match, such as at a comment or an escape in a name, nothing is emptied.
_HEAD = re.compile(rb"(?:async[ \t]+)?function\s*\*?\s*[\w$\x80-\xff]*\s*\(")
_CLASS = re.compile(rb"class(?:\s+(?!extends\b)[\w$\x80-\xff]+)?(?=[\s{])")
# Python 3.11 takes longer to find a member of an enumeration than to make a small object.
_READ, _CLASS_SCOPE = Access.READ, ScopeKind.CLASS
# Less is not worth it.
_LEAST = 24
# What bindings are sorted by that are in order of their scopes.
_home = attrgetter("scope.index")


class Transplant(NamedTuple):
    """A function or class that is taken over. scope: its own; outer: that of the frame around it.

    shift: how much further on it stands in the new text. references: those in it, in order. outward: those of them
    that are to something around it.
    """

    scope: Scope
    outer: Scope
    shift: int
    references: Sequence[Reference]
    outward: Sequence[Reference]


class Composition:
    """A text, and the scopes of its frame and of its transplants.

    origin: the scopes of the text that the transplants are taken from. emptied: the indices of the frame's scopes that
    transplants stand for. written: the frame's bindings that transplants write.
    """

    def __init__(self, text: bytes, frame: Scopes, origin: Scopes | None = None) -> None:
        self.text: Final = text
        self.frame: Final = frame
        self.origin: Final = origin or frame
        self.transplants: list[Transplant] = []
        self.emptied: set[int] = set()
        self.written: set[Binding] = set()
        # The own names of classes that are declarations there or here: the binding that must bear the same name here.
        self._leaders: dict[Binding, Binding | None] = {}
        # By where parts of the frame begin: how much further on they stand in the text.
        self._starts, self._shifts = [0], [0]

    def place(self, offset: int) -> int:
        """Where in the text something of the frame stands."""
        return offset + self._shifts[bisect_right(self._starts, offset) - 1]

    def scopes(self, region: Region) -> Iterator[Scope]:
        """The scopes of a region of the frame, parents before children."""
        yield from (scope for scope in region.scopes if scope.index not in self.emptied)
        for one in self.within(region):
            yield from self.inside(one)

    def givers(self, region: Region | None = None) -> Iterator[Binding]:
        """The bindings of a region of the frame, or of all, that functions or classes take their names from."""
        for binding in self.frame.givers:
            if binding.scope.index not in self.emptied and (region is None or region.scope.encloses(binding.scope)):
                yield binding
        found = self.origin.givers
        for one in self.transplants if region is None else self.within(region):
            first = bisect_left(found, one.scope.index, key=_home)
            yield from found[first : bisect_right(found, one.scope.last, first, key=_home)]

    def within(self, region: Region) -> list[Transplant]:
        """The transplants in a region of the frame."""
        return [one for one in self.transplants if region.scope.encloses(one.outer)]

    def inside(self, one: Transplant) -> Sequence[Scope]:
        """The scopes of a transplant, its own first."""
        return self.origin.scopes[one.scope.index : one.scope.last + 1]

    def leader(self, binding: Binding) -> Binding:
        """The binding whose name another one must bear, itself if it need not."""
        while binding.namesake is not None:
            outer = self._leaders.get(binding, binding.namesake)
            if outer is None:
                break
            binding = outer
        return binding

    def labels(self) -> list[Label]:
        """The labels of all, by where they stand in the text."""
        place, origin = self.place, self.origin.labels
        found = [
            one._replace(start=place(one.start), end=place(one.end), until=one.until and place(one.until))
            for one in self.frame.labels
        ]
        for part in self.transplants if origin else ():
            shift = part.shift
            first = bisect_left(origin, (part.scope.start,))
            for one in origin[first : bisect_left(origin, (part.scope.end,), first)]:
                until = one.until and one.until + shift
                found.append(Label(one.start + shift, one.end + shift, one.name, until))
        return sorted(found)

    def meant(self, one: Transplant, reference: Reference) -> Binding | None:
        """What a reference in a transplant means here."""
        binding = reference.binding
        if binding is not None and one.scope.encloses(binding.scope):
            return binding
        return self.meant_around(one, reference)

    def meant_around(self, one: Transplant, reference: Reference) -> Binding | None:
        """What a reference out of a transplant means here."""
        name = reference.name
        return next((found for scope in one.outer.outward() if (found := scope.bindings.get(name)) is not None), None)

    def take(self, starts: Sequence[int], cuts: Sequence[_Cut]) -> bool:
        """Take over what was cut out, if what stands in for it is what it was, as it should be.

        starts: where the parts of the frame begin that stand in.
        """
        tops: dict[int, Scope] = {}
        for scope in self.frame.scopes:
            if scope.kind in _MOVABLE:
                tops.setdefault(scope.start, scope)
        for start, cut in zip(starts, cuts, strict=True):
            stand_in = tops.get(start)
            if stand_in is None or not _is_like(stand_in, cut.scope):
                return False
            self.emptied.update(range(stand_in.index, stand_in.last + 1))
            assert stand_in.parent is not None, "a function around everything"
            found, scope = self.origin.references, cut.scope
            first = bisect_left(found, scope.start, key=start_of)
            inside = found[first : bisect_left(found, scope.end, first, key=start_of)]
            outward = [one for one in inside if one.binding is None or not scope.encloses(one.binding.scope)]
            self.transplants.append(Transplant(scope, stand_in.parent, cut.start - scope.start, inside, outward))
            self._starts.append(start + len(cut.filling))
            self._shifts.append(cut.end - self._starts[-1])
            for name, binding in scope.bindings.items() if scope.kind is _CLASS_SCOPE else ():
                self._leaders[binding] = stand_in.bindings[name].namesake
        self._tell()
        return True

    def _tell(self) -> None:
        """Note what transplants do to bindings of the frame."""
        for one in self.transplants:
            for reference in one.outward:
                if reference.access is not _READ and (binding := self.meant_around(one, reference)) is not None:
                    self.written.add(binding)
                    binding.gives_name = binding.gives_name or reference in self.origin.naming


class _Cut(NamedTuple):
    """A part of a text that is a function or class of the origin. filling: what stands in for it in the frame."""

    start: int
    end: int
    scope: Scope
    filling: bytes


def _is_like(one: Scope, other: Scope) -> bool:
    """Whether two scopes mean the same if they hold the same: in sloppy code functions in blocks are other ones."""
    return (
        one.kind is other.kind
        and one.parent is not None
        and other.parent is not None
        and one.parent.strict is other.parent.strict
    )


def composed(text: bytes, goal: Goal, origin: Scopes) -> Composition:
    """The scopes of a text that is made of another one. origin: the scopes of that one. Raises Refused."""
    analyse = analyse_module if goal is Goal.MODULE else analyse_script
    # What is made of a text that was itself made of another one tells of places there.
    cuts: list[_Cut] = []
    if isinstance(text, Derived) and not isinstance(origin.source, Derived):
        cuts += _cuts(text, origin)
    pieces: list[bytes] = []
    starts: list[int] = []
    at = size = 0
    for cut in cuts:
        pieces += (text[at : cut.start], cut.filling)
        starts.append(size + cut.start - at)
        size = starts[-1] + len(cut.filling)
        at = cut.end
    pieces.append(text[at:])
    try:
        composition = Composition(text, analyse(b"".join(pieces)), origin)
        if composition.take(starts, cuts):
            return composition
    except Refused:
        # Whether the text is refused, it tells itself.
        pass
    return Composition(text, analyse(text))


def _cuts(text: Derived, origin: Scopes) -> Iterator[_Cut]:
    scopes = origin.scopes
    for place, until, source in zip(text.places, (*text.places[1:], len(text)), text.origins, strict=True):
        if source < 0:
            continue
        end = source + until - place
        index = bisect_left(scopes, source, key=start_of)
        while index < len(scopes) and scopes[index].start < end:
            scope = scopes[index]
            index += 1
            if scope.kind in _MOVABLE and scope.end <= end and scope.end - scope.start >= _LEAST:
                start = place + scope.start - source
                filling = _filling(text, start, start + scope.end - scope.start, scope.kind)
                if filling:
                    yield _Cut(start, start + scope.end - scope.start, scope, filling)
                    index = scope.last + 1


def _filling(text: bytes, start: int, end: int, kind: ScopeKind) -> bytes:
    """The same kind of function or class, under the same name, with nothing in it; '' for what is not recognised."""
    if kind is ScopeKind.ARROW:
        return b"()=>{}" if text.endswith(b"}", start, end) else b"()=>0"
    if kind is ScopeKind.CLASS:
        head = _CLASS.match(text, start, end)
        return head[0] + b"{}" if head else b""
    if text.startswith(b"(", start):
        return b"(){}"
    head = _HEAD.match(text, start, end)
    return head[0] + b"){}" if head else b""
