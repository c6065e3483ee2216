"""Whose the modules of a chunk are: a vendor's as a whole, the app's, or both sides' item by item."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from v1z3r_build.bundlers.items import Places
from v1z3r_build.passes.split.labels import Part

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from v1z3r_build.bundlers.factories import Body
    from v1z3r_build.passes.split.labels import Labels

# A module of whose bytes so many are a vendor's may be the vendor's as a whole.
_NEARLY = 0.95


class Owned(NamedTuple):
    """A module, or several that share a factory.

    ids: by which others require it. start, end: its bytes. body: None where it can only move whole. required,
    registered: the ids that it asks for, and those of modules that come to be while it runs, each with the place.
    labels: of the body's items, or its own one. fixed: it cannot move as a whole. exported: the items that declare what
    the module exports, where the bundler joins to a module only what it alone needs.
    """

    ids: tuple[int | str, ...]
    start: int
    end: int
    body: Body | None
    required: tuple[tuple[int, int | str], ...]
    registered: tuple[tuple[int, int | str], ...] = ()
    labels: tuple[str, ...] = ()
    fixed: bool = False
    exported: frozenset[int] = frozenset()

    @property
    def size(self) -> int:
        """How many labels it has."""
        return len(self.body.items) if self.body is not None else 1

    @property
    def owner(self) -> str:
        """The vendor whose it is as a whole: its items are, but for those that only tie it to other modules."""
        if self.fixed:
            return ""
        if self.body is None:
            return self.labels[0]
        own = {self.labels[index] for index in self._speaking()}
        return own.pop() if len(own) == 1 else ""

    @property
    def nearly(self) -> str:
        """The vendor whose nearly all is, '' if there is none."""
        if self.fixed:
            return ""
        if self.body is None:
            return self.labels[0]
        sizes: dict[str, int] = {}
        for item, label in zip(self.body.items, self.labels, strict=True):
            sizes[label] = sizes.get(label, 0) + item.end - item.start
        label = max(sizes, key=lambda one: sizes[one])
        return label if sizes[label] >= _NEARLY * sum(sizes.values()) else ""

    @property
    def given(self) -> str:
        """The vendor whose nearly all is, and all that the module exports; '' if there is none.

        webpack puts a module together with those that nothing else needs, and exports what that one does (its
        ModuleConcatenationPlugin). A vendor's module needs none of an app's.
        """
        return self.nearly if {self.labels[index] for index in self.exported} == {self.nearly} else ""

    def rest(self) -> list[int]:
        """The items that are no vendor's and do something."""
        return [index for index in self._speaking() if not self.labels[index]]

    def ties(self) -> set[int | str]:
        """The modules that the rest asks for, if only by names that links give it."""
        if self.body is None:
            return {asked for _, asked in self.required}
        rest = set(self.rest())
        needs = self.body.needs()
        links = {need for index in rest for need in needs[index] if self.body.is_link(self.body.items[need])}
        item_at = _item_at(self)
        return {asked for place, asked in self.required if item_at(place) in rest | links}

    def _speaking(self) -> list[int]:
        assert self.body is not None, "a module that is one item"
        return [
            index
            for index, item in enumerate(self.body.items)
            if item.form not in ("directive", "comment") and not self.body.is_link(item)
        ]


def owned(modules: Sequence[Owned], labels: Labels) -> list[Owned]:
    """The modules of a chunk, in their order, with their labels: those that are a vendor's as a whole have only one."""
    return _pulled(_labelled(modules, labels), labels)


def owners(modules: Sequence[Owned]) -> set[str]:
    """The vendors of all items, and '' for the app."""
    return {label for one in modules for label in ([one.owner] if one.owner else one.labels)}


def _labelled(modules: Sequence[Owned], labels: Labels) -> list[Owned]:
    # All modules are one sequence, for neighbours support each other.
    first: list[int] = []
    count = 0
    for one in modules:
        first.append(count)
        count += one.size
    homes: dict[int | str, int] = {}
    for number, one in enumerate(modules):
        homes |= dict.fromkeys(one.ids, first[number])
        item_at = _item_at(one)
        homes |= {asked: first[number] + item_at(place) for place, asked in one.registered}
    parts: list[Part] = []
    for number, one in enumerate(modules):
        item_at = _item_at(one)
        if one.body is None:
            needs = {homes[asked] for _, asked in one.required if asked in homes}
            parts.append(Part(one.start, one.end, tuple(sorted(needs - {first[number]}))))
            continue
        own = [{first[number] + need for need in needs} for needs in one.body.needs()]
        for place, asked in one.required:
            if asked in homes:
                own[item_at(place)].add(homes[asked])
        parts += (
            Part(item.start, item.end, tuple(sorted(needs - {first[number] + index})))
            for index, (item, needs) in enumerate(zip(one.body.items, own, strict=True))
        )
    found = labels.of(parts)
    given = [found[at : at + one.size] for at, one in zip(first, modules, strict=True)]
    return [one._replace(labels=_own(one, own)) for one, own in zip(modules, given, strict=True)]


def _own(one: Owned, labels: Sequence[str]) -> tuple[str, ...]:
    """The labels of a module, what ties it to others labelled with those who use it."""
    if one.body is not None:
        return tuple(one.body.with_links(labels))
    return ("",) if one.fixed else tuple(labels)


def _item_at(one: Owned) -> Callable[[int], int]:
    """Gives which of a module's items holds a place; the first for what stands in none, such as a parameter."""
    places = Places(one.body.items) if one.body is not None else None
    return lambda place: max(places.at(place), 0) if places is not None else 0


def _pulled(modules: Sequence[Owned], labels: Labels) -> list[Owned]:
    """Modules that are a vendor's as a whole, though not all of them says so.

    What nobody but one vendor's modules requires, the vendor has brought, unless its words disprove that. A module that
    is nearly all the vendor's, and whose rest neither speaks of anything else nor is tied to it, is no app's.
    """
    homes: dict[int | str, int] = {}
    for number, one in enumerate(modules):
        homes |= dict.fromkeys((*one.ids, *(made for _, made in one.registered)), number)
    # Of what stands in other chunks nothing is known: -1.
    required = [{homes.get(asked, -1) for _, asked in one.required} - {number} for number, one in enumerate(modules)]
    users: list[set[int]] = [set() for _ in modules]
    for user, needs in enumerate(required):
        for need in needs - {-1}:
            users[need].add(user)
    own = {number: one.owner or one.given for number, one in enumerate(modules)}
    nearly = {number: one.nearly for number, one in enumerate(modules) if not own[number] and _may_be(one, labels)}
    ties = {number: {homes.get(asked, -1) for asked in modules[number].ties()} - {number} for number in nearly}
    unlabelled = {number for number, one in enumerate(modules) if not any(one.labels) and not one.fixed}
    while True:
        found = {**own, **nearly}
        waiting = sorted(unlabelled, reverse=True)
        while waiting:
            number = waiting.pop()
            by = {found[user] for user in users[number]}
            if number not in unlabelled or found[number] or len(by) != 1 or "" in by:
                continue
            label = by.pop()
            if not labels.refuse(modules[number].start, modules[number].end, label):
                found[number] = label
                waiting += required[number] - {-1}
        tied = {number for number in nearly if any(found.get(need) != nearly[number] for need in ties[number])}
        if not tied:
            break
        nearly = {number: label for number, label in nearly.items() if number not in tied}
    return [
        one._replace(body=None, labels=(found[number],)) if found[number] != one.owner else one
        for number, one in enumerate(modules)
    ]


def _may_be(one: Owned, labels: Labels) -> bool:
    """Whether a module is nearly all a vendor's, and its rest does not speak against that."""
    if one.body is None or not one.nearly:
        return False
    rest = [one.body.items[index] for index in one.rest()]
    return not any(labels.speak_against(item.start, item.end, one.nearly) for item in rest)
