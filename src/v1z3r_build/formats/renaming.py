"""Canonical names for what a text declares: texts that differ in local names only become the same bytes.

Bundlers give short names by what else is in a chunk, so that the same vendor code looks different after every change
of the app. Here the names follow from the code alone: scope by scope, outermost first, the bindings of a scope get, in
the order in which they first stand in the text, the shortest names that no scope between them and their users needs
for something else. (In the order of use the text would be 0.1 % shorter, and 1 to 3 % larger as transferred: brotli
finds again what first parameters are called everywhere. For the same reason a scope with more names than there are
letters leaves the first letters to the scopes within, which saves another 0.05 %. Measured on three.js and
TensorFlow.js.) Labels and private names (`#x`) are given anew in the same way. All else stays as it is, but
for what a new name makes necessary: `{x}` becomes `{x:e}`, `export {x}` becomes `export {e as x}`, both even where
old and new name are the same.

Which names stay: those that the text does not declare; those of a script's top level, which are the page's; those
that `export let x` gives to other modules; `arguments`; and the names of functions and classes that code can read.

Names that code can read. A function or class has a `name` property, from its own name or from the variable that it is
assigned to without one (ECMA-262 §8.4). What the region reads of that is known (`name_reads`).
  1. If it stands on a name of the region that gives functions theirs (`function f() {} f.name`), that name stays.
  2. If it stands on anything else (`x.name`, `x.constructor.name`), which may be any function or class of the text,
     then all names that functions or classes take stay, except those that a minifier has chosen. Only literals and
     `this` inside a member of a class that does not extend `Function` cannot be functions.
A minifier has chosen a name if it has at most three letters, if so have nine in ten names of its sort (those of
functions, or of classes) in the text, and if the text is dense: of the first 5,000 places with names, of which there
are 20 or more, at most one in ten has white space behind it. Nothing can depend on which arbitrary name that is, since
the next build gives another one.
Not looked for are keys computed at run time, `Function.prototype.toString`, and readers outside of the region: where
these matter, `keep` names the bindings that shall stay.
"""

from __future__ import annotations

import sys
from bisect import bisect_left
from collections import defaultdict
from functools import cache, cached_property
from itertools import chain, count, filterfalse, islice
from operator import attrgetter
from typing import TYPE_CHECKING, NamedTuple

from v1z3r_build.formats.derivation import written
from v1z3r_build.formats.scopes import Access, Form, Goal, Kind, Reason, Refused, ScopeKind, start_of
from v1z3r_build.formats.transplants import Composition

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Container, Iterable, Iterator, Mapping, Sequence, Set

    from v1z3r_build.formats.derivation import Derived
    from v1z3r_build.formats.name_reads import NameRead
    from v1z3r_build.formats.scopes import Binding, Declaration, Reference, Region, Scope, Scopes


class Renamed(NamedTuple):
    """A region under canonical names.

    text: the bytes of the region, or of the whole text. names: what the bindings of the region's own scopes (the root;
    a function's name, parameters and body) were called, and what they are called now. kept: names that stayed because
    code can read them.
    """

    text: Derived
    names: Mapping[str, str]
    kept: frozenset[str]


def rename(scopes: Scopes, region: Scope | None = None, keep: Collection[Binding] = ()) -> Renamed:
    """The text of a region, or of all, with canonical names; as `Renamer.renamed`."""
    return Renamer(Composition(scopes.source, scopes)).renamed(region, keep)


def readable_names(scopes: Scopes, region: Region) -> set[Binding]:
    """The bindings of a region, or around it, whose names code in the region may read (see the module's text)."""
    return Renamer(Composition(scopes.source, scopes)).readable(region)


class Renamer:
    """Gives canonical names in one text."""

    def __init__(self, composition: Composition) -> None:
        self.composition = composition

    def renamed(self, region: Scope | None = None, keep: Collection[Binding] = ()) -> Renamed:
        """The text of a region, or of all, with canonical names.

        region: a scope of the frame whose inside is renamed; what is declared around it keeps its name. keep: bindings
        that stay, for reasons that the text does not show. Raises Refused where `Scopes.region` does, and where a
        function in a block of sloppy code collides with another name, so that it is not hoisted (Annex B.3.2).
        """
        frame = self.composition.frame
        where = frame.region(frame.root if region is None else region)
        return _Renaming(self.composition, where, keep, self.readable(where)).done()

    def named(self, names: Container[str]) -> list[Binding]:
        """The bindings that bear these names, and from which functions or classes take theirs."""
        return [binding for binding in self.composition.givers() if binding.name in names]

    def readable(self, region: Region) -> set[Binding]:
        """The bindings of a region of the frame, or around it, whose names code in there may read."""
        leader = self.composition.leader
        certain: set[Binding] = set()
        possible = False
        for read, binding in self._reads(region):
            if binding is not None and leader(binding).gives_name:
                certain.add(leader(binding))
                possible = possible or binding.kind not in _STEADY or self._is_written(binding)
            else:
                possible = possible or read.may_be_function
        if possible:
            for binding in self.composition.givers(region):
                taker = leader(binding)
                if len(taker.name) > _SHORT or (binding.kind in _CLASSES) not in self._arbitrary:
                    certain.add(taker)
        return certain

    def _reads(self, region: Region) -> Iterator[tuple[NameRead, Binding | None]]:
        """Where names are read, and the binding of which one is read, if it is one."""
        composition, frame, origin = self.composition, self.composition.frame, self.composition.origin
        for read in frame.name_reads_in(region.scope):
            reference = _reference(region.references, read)
            yield read, reference.binding if reference is not None else None
        for one in composition.within(region):
            for read in origin.name_reads_in(one.scope):
                reference = _reference(origin.references, read)
                yield read, composition.meant(one, reference) if reference is not None else None

    def _is_written(self, binding: Binding) -> bool:
        return binding in self.composition.written or any(
            reference.access in _WRITING for reference in binding.references
        )

    @cached_property
    def _arbitrary(self) -> set[bool]:
        """For which sort of names a minifier has chosen: those of classes (True), of functions (False)."""
        if not self._is_dense():
            return set()
        names: dict[bool, list[int]] = {True: [], False: []}
        for binding in self.composition.givers():
            names[binding.kind in _CLASSES].append(len(binding.name))
        return {sort for sort, sizes in names.items() if sum(size <= _SHORT for size in sizes) * 10 >= len(sizes) * 9}

    def _is_dense(self) -> bool:
        """Whether names have white space behind them only where the language asks for it; no renaming changes that."""
        ends = [*islice(self._ends(), _SAMPLE)]
        if len(ends) < _ENOUGH:
            return False
        blanks = self.composition.text.translate(_BLANKS) + b"\0"
        return sum(map(blanks.__getitem__, ends)) * 10 <= len(ends)

    def _ends(self) -> Iterator[int]:
        """Where in the text names end, in an order that no renaming changes."""
        composition = self.composition
        place = composition.place
        yield from (place(one.end) for one in composition.frame.references if one.access is not _EXPORT)
        for scope in composition.frame.scopes:
            if scope.index not in composition.emptied:
                yield from (place(one.end) for binding in scope.bindings.values() for one in binding.declarations)
        for part in composition.transplants:
            yield from (one.end + part.shift for one in part.references)
            for scope in composition.inside(part):
                for binding in scope.bindings.values():
                    yield from (one.end + part.shift for one in binding.declarations)


class _Group:
    """Bindings that must have one name: one, and those that name it as their namesake."""

    __slots__ = ("forbidden", "leader", "name", "order", "stays")

    def __init__(self, leader: Binding) -> None:
        self.leader = leader
        self.stays = False
        # Names that some scope between here and a user keeps for something else.
        self.forbidden: Set[str] = frozenset()
        self.name = ""
        # Where it first stands in the text.
        self.order = sys.maxsize


class _Renaming:
    def __init__(
        self, composition: Composition, region: Region, keep: Collection[Binding], readable: Set[Binding]
    ) -> None:
        self.composition = composition
        self.leader = composition.leader
        self.region = region
        self.readable = readable
        self.transplants = composition.within(region)
        # All scopes of the region, parents before children, with the scope around each.
        self.outer: dict[Scope, Scope | None] = {scope: scope.parent for scope in composition.scopes(region)}
        self.outer.update((one.scope, one.outer) for one in self.transplants)
        self.groups: dict[Binding, _Group] = {}
        # Where transplants name something around them.
        self.outward: list[tuple[_Group, Reference, int]] = []
        # By scope: groups used in it but declared further out; names that are fixed; those kept for something declared.
        self.used: defaultdict[Scope, set[_Group]] = defaultdict(set)
        self.fixed: defaultdict[Scope, set[str]] = defaultdict(set)
        self.kept_here: defaultdict[Scope, set[str]] = defaultdict(set)
        self.own: defaultdict[Scope, list[_Group]] = defaultdict(list)
        # By leader: scopes with other bindings of the group.
        self.holders: defaultdict[Binding, list[Scope]] = defaultdict(list)
        self._group()
        self._fix(keep)
        self._assign()

    def _bindings(self) -> Iterator[tuple[Binding, Callable[[int], int] | None]]:
        """All bindings of the region, and what gives the place in the text of something in theirs, if it is another."""
        move: Callable[[int], int] | None = self.composition.place if self.composition.transplants else None
        emptied = self.composition.emptied
        for scope in self.region.scopes:
            if scope.index not in emptied:
                yield from [(one, move) for one in _declared(scope)]
        for part in self.transplants:
            move = part.shift.__add__
            for scope in self.composition.inside(part):
                yield from [(one, move) for one in _declared(scope)]

    def _group(self) -> None:
        for binding, move in self._bindings():
            self._declare(binding, move)
        self._refer()
        for group in self.groups.values():
            self.own[group.leader.scope].append(group)

    def _declare(self, binding: Binding, move: Callable[[int], int] | None) -> None:
        if binding.unhoisted:
            raise Refused(Reason.UNHOISTED, binding.declarations[0].start, binding.name)
        leader = self.leader(binding) if binding.namesake is not None else binding
        home = leader.scope
        if home not in self.outer:
            self._fix_name(leader.name, binding.scope)
            return
        if leader is not binding:
            self.holders[leader].append(binding.scope)
        group = self.groups.get(leader)
        if group is None:
            group = self.groups[leader] = _Group(leader)
        both: Iterable[Sequence[Declaration | Reference]] = (binding.declarations, binding.references)
        for places in both:
            if not places:
                continue
            start = places[0].start if move is None else move(places[0].start)
            if start < group.order:
                group.order = start
            for place in places:
                if place.scope is not home:
                    self._use(group, place.scope)

    def _refer(self) -> None:
        """Notes names of what is declared elsewhere: around the region, around a transplant, nowhere."""
        for reference in self.region.references:
            if reference.binding is None or self.leader(reference.binding) not in self.groups:
                self._fix_name(reference.name, reference.scope)
        inside = self.region.scope.encloses
        for reference in self.composition.frame.private_references:
            outside = reference.binding is not None and not inside(reference.binding.scope)
            if outside and inside(reference.scope):
                self._fix_name(reference.name, reference.scope)
        for one in self.transplants:
            for reference in one.outward:
                binding = self.composition.meant_around(one, reference)
                group = self.groups.get(self.leader(binding)) if binding is not None else None
                if group is None:
                    self._fix_name(reference.name, reference.scope)
                else:
                    group.order = min(group.order, reference.start + one.shift)
                    self.outward.append((group, reference, one.shift))
                    self._use(group, reference.scope)

    def _use(self, group: _Group, scope: Scope | None) -> None:
        """Notes that a name must mean the group's binding from a scope out to where that is declared."""
        holder, used, outer = group.leader.scope, self.used, self.outer
        while scope is not None and scope is not holder:
            here = used[scope]
            if group in here:
                break
            here.add(group)
            scope = outer.get(scope)

    def _fix_name(self, name: str, scope: Scope | None) -> None:
        fixed, outer = self.fixed, self.outer
        outermost = self.region.scope.parent
        while scope is not None and scope is not outermost:
            here = fixed[scope]
            if name in here:
                break
            here.add(name)
            scope = outer.get(scope)

    def _fix(self, keep: Collection[Binding]) -> None:
        kept = {self.leader(binding) for binding in keep} | self.readable
        frame = self.composition.frame
        page = frame.root if frame.goal is Goal.SCRIPT else None
        for leader, group in self.groups.items():
            stays = leader.exported or leader.scope is page or leader.name in _UNTOUCHABLE or leader in kept
            if stays:
                group.stays = True
                group.name = leader.name
                for scope in (leader.scope, *self.holders.get(leader, ())):
                    self.kept_here[scope].add(leader.name)
        for scope, kept_here in self.kept_here.items():
            for group in self.used.get(scope, ()):
                group.forbidden |= kept_here

    def _assign(self) -> None:
        for scope in self.outer:
            groups = self.own.get(scope)
            if groups is None:
                continue
            groups.sort(key=attrgetter("order"))
            taken = {group.name for group in self.used.get(scope, ())}
            taken.update(self.fixed.get(scope, ()), self.kept_here.get(scope, ()))
            for neighbour in self._neighbours(scope):
                taken.update(group.name for group in self.own.get(neighbour, ()))
            private = [group for group in groups if group.leader.name.startswith("#")]
            if private:
                self._name(private, filterfalse(taken.__contains__, map("#{}".format, _canonical())))
                groups = [group for group in groups if not group.leader.name.startswith("#")]
            names = _canonical()
            if len(groups) + len(private) > len(_FIRST):
                names = islice(names, _INNER, None)
            self._name(groups, filterfalse(taken.__contains__, names))

    def _name(self, groups: Sequence[_Group], free: Iterator[str]) -> None:
        passed: list[str] = []
        for group in groups:
            if not group.name:
                group.name = self._choose(group, passed, free)

    def _choose(self, group: _Group, passed: list[str], free: Iterator[str]) -> str:
        """The first free name that no scope keeps for something else where the group is used."""
        for name in passed:
            if name not in group.forbidden:
                passed.remove(name)
                return name
        for name in free:
            if name not in group.forbidden:
                return name
            passed.append(name)
        raise AssertionError("names never end")

    def _neighbours(self, scope: Scope) -> Iterator[Scope]:
        """Scopes whose names must differ though neither sees the other's: of parameters and body, catch and block."""
        for other in (scope.parent, *self._children(scope)):
            if other is None or other not in self.outer:
                continue
            inner, outer = (scope, other) if other is scope.parent else (other, scope)
            body = inner.kind is _BODY
            if body or (outer.kind is _CATCH and inner.kind is _BLOCK and inner.end == outer.end):
                yield other

    def _children(self, scope: Scope) -> Iterator[Scope]:
        if scope.kind in _WITH_BODIES:
            scopes = self.composition.frame.scopes
            if scope.index >= len(scopes) or scopes[scope.index] is not scope:
                scopes = self.composition.origin.scopes
            index = scope.index + 1
            while index <= scope.last:
                child = scopes[index]
                yield child
                index = child.last + 1

    def done(self) -> Renamed:
        """The text, once: what led to the names makes room for it."""
        for found in (self.used, self.fixed, self.kept_here, self.outer):
            found.clear()
        composition = self.composition
        text = composition.text
        start, end = composition.place(self.region.scope.start), composition.place(self.region.scope.end)
        if self.region.scope is composition.frame.root:
            start, end = 0, len(text)
        edits = self._edits()
        edits += [(low, high, name.encode()) for low, high, name in self._labels(start, end)]
        edits.sort()
        names = {
            group.leader.name: group.name
            for scope in self._roots()
            for group in self.own.get(scope, ())
            if not group.name.startswith("#")
        }
        kept = frozenset(leader.name for leader in self.readable if leader in self.groups)
        return Renamed(written(text, start, end, edits), names, kept)

    def _edits(self) -> list[tuple[int, int, bytes]]:
        """The new names, in no order."""
        text, groups, leader_of, shared = self.composition.text, self.groups, self.leader, self.holders
        edits: list[tuple[int, int, bytes]] = []
        several: list[tuple[int, int, bytes]] = []
        for binding, move in self._bindings():
            leader = leader_of(binding) if binding.namesake is not None else binding
            group = groups.get(leader)
            if group is None or group.stays:
                continue
            name = group.name.encode()
            own = several if leader in shared else edits
            places: Iterable[Declaration | Reference] = (*binding.declarations, *binding.references)
            for place in places:
                start = place.start
                at = start if move is None else move(start)
                until = at + place.end - start
                form = place.form
                own.append((at, until, name if form is _PLAIN else _written(text[at:until], form, leader.name, name)))
        for group, reference, shift in self.outward:
            if not group.stays:
                at, until, form = reference.start + shift, reference.end + shift, reference.form
                name = group.name.encode()
                edits.append(
                    (at, until, name if form is _PLAIN else _written(text[at:until], form, group.leader.name, name))
                )
        # A token may declare several bindings; its form is the same each time.
        edits += set(several)
        return edits

    def _labels(self, start: int, end: int) -> Iterator[tuple[int, int, str]]:
        """New names for labels: by how many labels stand around them."""
        around: list[tuple[str, int]] = []
        for label in self.composition.labels():
            if not start <= label.start < end:
                continue
            while around and around[-1][1] <= label.start:
                around.pop()
            if label.until:
                around.append((label.name, label.until))
            depth = next((i for i in reversed(range(len(around))) if around[i][0] == label.name), None)
            if depth is None:
                raise Refused(Reason.SYNTAX, label.start, f"no label {label.name}")
            yield label.start, label.end, next(islice(_canonical(), depth, None))

    def _roots(self) -> Iterator[Scope]:
        """The region's own scope, and those of the function that it is."""
        scope = self.region.scope
        yield scope
        for other in self.region.scopes[1:]:
            named = other.parent is scope and scope.kind is ScopeKind.FUNCTION_NAME
            if named or (other.kind is ScopeKind.BODY and other.parent in (scope, self._function())):
                yield other

    def _function(self) -> Scope | None:
        scope = self.region.scope
        return self.region.scopes[1] if scope.kind is ScopeKind.FUNCTION_NAME else scope


def _declared(scope: Scope) -> Collection[Binding]:
    return (*scope.bindings.values(), *scope.private.values()) if scope.private else scope.bindings.values()


def _written(old: bytes, form: Form, meaning: str, new: bytes) -> bytes:
    """A name in place of an old one. meaning: the old one without escapes."""
    if form is Form.EXPORT:
        return new + b" as " + old
    if form is Form.IMPORT:
        return old + b" as " + new
    if form is Form.PROPERTY and meaning == "__proto__":
        # `{__proto__: x}` sets the prototype, `{__proto__}` does not (Annex B.3.1).
        return b'["__proto__"]:' + new
    return old + b":" + new


# What no binding may be called: reserved words in any mode (ECMA-262 §12.7.2), words that mean something in places,
# and globals that code takes for constants.
_WORDS = """
    arguments as async await break case catch class const continue debugger default delete do else enum eval export
    extends false finally for from function get if implements import in instanceof interface let new null of package
    private protected public return set static super switch this throw true try typeof undefined using var void
    while with yield NaN Infinity
"""
_RESERVED = frozenset(_WORDS.split())
# Their name is their meaning.
_UNTOUCHABLE = frozenset(("arguments", "eval"))
# By how often letters occur in code: what is compressed later prefers few symbols.
_FIRST = "etnriaoscldupmhfgbvkyxwjqzTEANSRICOLDMPFUBHVGWXKYZJQ_$"
_NEXT = _FIRST + "0123456789"
# Most functions have no more names than this.
_INNER = 8
# What nearly all scopes have enough of.
_FREQUENT = 1_000


def _spelling(number: int) -> str:
    """All names there are, counted from 0."""
    name = _FIRST[number % len(_FIRST)]
    number //= len(_FIRST)
    while number:
        number -= 1
        name += _NEXT[number % len(_NEXT)]
        number //= len(_NEXT)
    return name


def _canonical() -> Iterator[str]:
    """The canonical names in order."""
    return chain(_frequent(), (name for name in map(_spelling, count(_FREQUENT)) if name not in _RESERVED))


@cache
def _frequent() -> Sequence[str]:
    return [name for name in map(_spelling, range(_FREQUENT)) if name not in _RESERVED]


# Names that code can read

# For `bytes.translate`: 1 for white space, else 0.
_BLANKS = bytes(bytes((code,)).isspace() for code in range(256))
_SHORT = 3
# Python 3.11 takes longer to find a member of an enumeration than to make a small object.
_EXPORT, _PLAIN = Access.EXPORT, Form.PLAIN
_BODY, _BLOCK, _CATCH = ScopeKind.BODY, ScopeKind.BLOCK, ScopeKind.CATCH
_WITH_BODIES = frozenset((_CATCH, ScopeKind.FUNCTION, ScopeKind.ARROW))
_WRITING = frozenset((Access.WRITE, Access.UPDATE))
_ENOUGH, _SAMPLE = 20, 5_000
_CLASSES = frozenset((Kind.CLASS, Kind.CLASS_NAME))
_STEADY = frozenset((Kind.FUNCTION, Kind.CLASS, Kind.CLASS_NAME, Kind.FUNCTION_NAME, Kind.CONST))


def _reference(references: Sequence[Reference], read: NameRead) -> Reference | None:
    """The reference that a name is read of."""
    if read.of < 0:
        return None
    index = bisect_left(references, read.of, key=start_of)
    return references[index] if index < len(references) and references[index].start == read.of else None
