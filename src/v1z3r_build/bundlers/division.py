"""Which items of a scope may move into a vendor's own file, and what the two sides then need of each other.

The rules keep the meaning of the whole, whatever the labels say (labels may be wrong, and then only caching is worse):

- Every item that can be noticed runs where it ran: a vendor's items stay together in *runs*, between which something of
  the app is evaluated; the vendor's file holds each run in a function that is called where the run stood.
- A binding lives on one side, with all that declares or writes it.
- The app may read the vendor's bindings. Those that are written once, by their declaration, may be read once and
  kept; *live* ones are read anew each time.
- A vendor may read the app's bindings that are written once, by their declaration; they are *handed over* right after
  it. Functions are there from the start, and are handed over first of all.
- What may not move stays with the app; so does all that would then break a rule.
"""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, NamedTuple

from v1z3r_build.bundlers.idleness import is_idle, is_idle_class

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from v1z3r_build.bundlers.items import Item

APP = ""
# Items that are not evaluated where they stand, if at all.
_EARLY = ("function", "import", "directive", "comment", "hashbang")


class Use(NamedTuple):
    """A reference to a binding of the scope, from one of its items.

    start, end: the name's bytes. item: the index of the item in which it stands. shorthand: it stands for the name of a
    property as well, as in `{a}`; called: it is the function of a call or the tag of a template.
    """

    start: int
    end: int
    item: int
    reads: bool
    writes: bool
    shorthand: bool = False
    called: bool = False


class Binding(NamedTuple):
    """A binding of the scope itself.

    items: the indices of those that declare it. uses: without the declarations. settled: whether it is written once, by
    its declaration, and that once: whoever reads it later finds the same.
    """

    name: str
    items: tuple[int, ...]
    uses: tuple[Use, ...]
    settled: bool


class Run(NamedTuple):
    """Items of a vendor that are evaluated together, and before which item that is.

    items: indices, in order. place: that of the first that can be noticed. Those before it are idle, and may wait.
    """

    items: tuple[int, ...]
    place: int


class Part(NamedTuple):
    """What moves into the file of one vendor.

    items: indices, in order. runs: those whose evaluation can be noticed, in runs that nothing else divides; the others
    are there from the start: functions, comments, and declarations that nobody can catch unready. provided: bindings
    that others read, and whether they are live. received: bindings of the app that the vendor reads.
    """

    items: tuple[int, ...]
    runs: tuple[Run, ...]
    provided: Mapping[str, bool]
    received: tuple[str, ...]


class Held(NamedTuple):
    """An item that is labelled as a vendor's, and stays. reason: a clause about it, with the names of the text."""

    label: str
    item: int
    reason: str


class Division(NamedTuple):
    """The parts that move, by label; and what was to move and does not."""

    parts: Mapping[str, Part]
    held: tuple[Held, ...]


def divide(
    found: Sequence[Item],
    bindings: Sequence[Binding],
    labels: Sequence[str],
    fixed: Iterable[int],
    *,
    early: bool = False,
) -> Division:
    """What moves: fewer items than labelled, where a rule forbids more.

    labels: of each item, '' for the app's. fixed: the items that cannot stand in another file. early: whether functions
    of the scope may be called before it is evaluated.
    """
    division = _Division(found, bindings, labels, fixed, early)
    division.settle()
    return Division(
        {label: division.part(label) for label in sorted(set(division.labels) - {APP})},
        tuple(
            Held(label, index, division.reasons.get(division.units[index], "it is tied to code that stays"))
            for index, label in enumerate(labels)
            if label != APP and division.labels[index] == APP and found[index].form not in ("comment", "directive")
        ),
    )


def objections(found: Sequence[Item], division: Division) -> dict[str, str]:
    """By label why its largest item stays, of those that were to move."""
    told: dict[str, str] = {}
    for one in sorted(division.held, key=lambda one: found[one.item].end - found[one.item].start):
        item = found[one.item]
        told[one.label] = f"of {item.end - item.start:,} bytes at byte {item.start}: {one.reason}"
    return told


def needs(found: Sequence[Item], bindings: Sequence[Binding]) -> list[set[int]]:
    """For each item the indices of the others that declare what it reads or writes."""
    answers: list[set[int]] = [set() for _ in found]
    for binding in bindings:
        for item in {use.item for use in binding.uses}:
            answers[item].update(binding.items)
    for index, others in enumerate(answers):
        others.discard(index)
    return answers


class _Division:
    def __init__(
        self,
        found: Sequence[Item],
        bindings: Sequence[Binding],
        labels: Sequence[str],
        fixed: Iterable[int],
        early: bool,
    ) -> None:
        self.items = found
        self.early = early
        self.bindings = bindings
        self.labels = list(labels)
        self.fixed = frozenset(fixed)
        self.units = _units(len(found), bindings)
        self.reasons: dict[int, str] = {}  # unit -> why it stays
        self.members: dict[int, list[int]] = defaultdict(list)
        for index, unit in enumerate(self.units):
            self.members[unit].append(index)
        self.reads: dict[int, set[int]] = defaultdict(set)  # unit -> indices of the bindings that it reads
        self.readers: dict[int, set[int]] = defaultdict(set)  # binding -> units
        self.homes: dict[int, int] = {}  # binding -> the unit that declares and writes it
        self.declared: dict[int, list[int]] = defaultdict(list)  # unit -> bindings
        for number, binding in enumerate(bindings):
            self.homes[number] = self.units[binding.items[0]]
            self.declared[self.homes[number]].append(number)
            for use in binding.uses:
                if use.reads:
                    self.reads[self.units[use.item]].add(number)
                    self.readers[number].add(self.units[use.item])

    def label(self, unit: int) -> str:
        return self.labels[self.members[unit][0]]

    def settle(self) -> None:
        for unit, members in self.members.items():
            labels = {self.labels[index] for index in members if self.items[index].form != "comment"}
            stays = any(self._must_stay(index) for index in members)
            whole = len(labels) == 1 and not stays
            if stays:
                self.reasons[unit] = "it would mean something else in another file"
            elif not whole:
                self.reasons[unit] = "it declares or writes what the rest does, too"
            self._set(unit, labels.pop() if whole else APP)
        self._pull()
        self._close()
        self._demote()
        self._attach_comments()

    def _attach_comments(self) -> None:
        """A comment belongs to what follows it: the licence of a library stands before its code."""
        label = APP
        for index in range(len(self.items) - 1, -1, -1):
            if self.items[index].form == "comment":
                self.labels[index] = label
            else:
                label = self.labels[index]

    def _set(self, unit: int, label: str) -> None:
        for index in self.members[unit]:
            self.labels[index] = label

    def _must_stay(self, index: int) -> bool:
        return index in self.fixed or self.items[index].form in ("directive", "comment", "hashbang", "import", "export")

    def _pull(self) -> None:
        """What only one vendor reads is the vendor's: helpers that bundlers put beside the code that needs them."""
        work = list(self.declared)
        while work:
            unit = work.pop()
            if self.label(unit) != APP or any(self._must_stay(index) for index in self.members[unit]):
                continue
            label = self._only_reader(unit)
            if label != APP:
                self._set(unit, label)
                work.extend(self.homes[number] for number in self.reads[unit])

    def _only_reader(self, unit: int) -> str:
        """The vendor whose items are all that read what a unit declares, if there is one."""
        found = APP
        for number in self.declared[unit]:
            for one in self.readers[number]:
                if one == unit:
                    continue
                label = self.label(one)
                if label == APP or found not in (APP, label):
                    return APP
                found = label
        return found

    def _close(self) -> None:
        """What stands amid one vendor's items, deals with those alone, and is tied to nothing that stays, is its own.

        Parts of a library that speak of other things only, such as a browser's storage, are not known by their words.
        """
        groups = self._groups()
        inside = self._amid()
        for members in groups.values():
            indices = [index for unit in members for index in self.members[unit]]
            if any(self._must_stay(index) and self.items[index].form != "comment" for index in indices):
                continue
            amid = {inside[index] for index in indices if self.items[index].form != "comment"}
            read = {self.homes[number] for unit in members for number in self.reads[unit]}
            readers = {one for unit in members for number in self.declared[unit] for one in self.readers[number]}
            partners = {self.label(other) for other in (read | readers) - members}
            if len(amid) == 1 and amid == partners and partners != {APP}:
                label = partners.pop()
                for unit in members:
                    self._set(unit, label)

    def _groups(self) -> dict[int, set[int]]:
        """The app's units, those together that read each other's bindings."""
        apps = [unit for unit in self.members if self.label(unit) == APP]
        parents = {unit: unit for unit in apps}

        def root(unit: int) -> int:
            while parents[unit] != unit:
                parents[unit] = parents[parents[unit]]
                unit = parents[unit]
            return unit

        for number, home in self.homes.items():
            for reader in self.readers[number]:
                if home in parents and reader in parents:
                    parents[root(home)] = root(reader)
        groups: dict[int, set[int]] = defaultdict(set)
        for unit in apps:
            groups[root(unit)].add(unit)
        return groups

    def _amid(self) -> list[str]:
        """For each item the vendor that it stands amid: that of the nearest vendor's items before and after it."""
        before: list[str] = []
        last = APP
        for label in self.labels:
            last = label or last
            before.append(last)
        after: list[str] = []
        last = APP
        for label in reversed(self.labels):
            last = label or last
            after.append(last)
        return [one if one == other else APP for one, other in zip(before, reversed(after), strict=True)]

    def _demote(self) -> None:
        """Nothing that has gone back to the app moves again, so this ends."""
        work = [unit for unit in self.members if self.label(unit) != APP]
        while work:
            unit = work.pop()
            label = self.label(unit)
            if label == APP:
                continue
            for number in self.reads[unit]:
                home = self.label(self.homes[number])
                if home == label or (home == APP and self.bindings[number].settled):
                    continue
                self._set(unit, APP)
                whose = f"is {home}'s" if home != APP else "the rest writes"
                self.reasons[unit] = f"it reads `{self.bindings[number].name}`, which {whose}"
                # The vendor's others may read what has just become the app's.
                for own in self.declared[unit]:
                    work.extend(one for one in self.readers[own] if self.label(one) != APP)
                break

    # The result

    def part(self, label: str) -> Part:
        mine = tuple(index for index, one in enumerate(self.labels) if one == label)
        inside = set(mine)
        provided: dict[str, bool] = {}
        received: list[str] = []
        for binding in self.bindings:
            readers = {use.item for use in binding.uses if use.reads}
            if binding.items[0] in inside:
                if not readers <= inside:
                    provided[binding.name] = not binding.settled
            elif readers & inside:
                received.append(binding.name)
        return Part(mine, self._runs(inside, self._ready(mine)), provided, tuple(received))

    def _ready(self, mine: Sequence[int]) -> set[int]:
        """Items of a part that may be evaluated before all runs: idle, and nobody else writes what they declare."""
        declared: dict[int, list[Binding]] = defaultdict(list)
        for binding in self.bindings:
            for index in binding.items:
                declared[index].append(binding)
        functions = [index for index in mine if self.items[index].form == "function"]
        # A function is there from the start, unless it is written later.
        known = {one.name for index in functions for one in declared[index] if one.settled}
        classes: set[str] = set()
        ready: set[int] = set()
        own = set(mine)
        unnoticed = not self.early
        for index, item in enumerate(self.items):
            if (
                index in own
                and self._is_ready(item, declared[index], known, classes)
                and (
                    # Whoever reads a `var` too early finds undefined, and may go on.
                    unnoticed or item.keyword != "var"
                )
            ):
                ready.add(index)
                names = {one.name for one in declared[index]}
                known |= names
                value = item.node if item.form == "class" else item.node.child_by_field_name("value")
                if value is not None and value.type in ("class", "class_declaration"):
                    classes |= names
            elif not item.idle:
                unnoticed = False
        return ready

    @staticmethod
    def _is_ready(item: Item, declared: Sequence[Binding], known: set[str], classes: set[str]) -> bool:
        value = item.node if item.form == "class" else item.node.child_by_field_name("value")
        name = item.node.child_by_field_name("name")
        if item.form not in ("class", "declarator") or value is None or name is None or name.type != "identifier":
            return False
        if not all(one.settled for one in declared):
            return False
        is_class = value.type in ("class", "class_declaration")
        return is_idle_class(value, known, classes) if is_class else is_idle(value, known, classes)

    def _runs(self, inside: set[int], ready: set[int]) -> tuple[Run, ...]:
        """The vendor's items, divided where something else is evaluated between them.

        An idle item between two that can be noticed divides them as well: both may call what reads its binding.
        """
        runs: list[list[int]] = []
        together = noticed = False
        for index, item in enumerate(self.items):
            if item.form in _EARLY or (item.form == "export" and item.idle) or index in ready:
                continue
            if index in inside:
                if not together:
                    runs.append([])
                    noticed = False
                runs[-1].append(index)
                together = True
                noticed = noticed or not item.idle
            elif noticed or not item.idle:
                together = False
        return tuple(Run(tuple(run), self._place(run)) for run in runs)

    def _place(self, run: Sequence[int]) -> int:
        return next((index for index in run if not self.items[index].idle), run[0])


def _units(count: int, bindings: Sequence[Binding]) -> list[int]:
    """For each item the smallest index of those with which it must go together: they declare or write one binding."""
    parents = list(range(count))

    def root(index: int) -> int:
        while parents[index] != index:
            parents[index] = parents[parents[index]]
            index = parents[index]
        return index

    for binding in bindings:
        first = root(binding.items[0])
        for other in (*binding.items[1:], *(use.item for use in binding.uses if use.writes)):
            second = root(other)
            low, high = min(first, second), max(first, second)
            parents[high] = low
            first = low
    return [root(index) for index in range(count)]
