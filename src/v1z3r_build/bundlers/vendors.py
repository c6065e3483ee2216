"""Which parts of a chunk are a vendor's: by source maps, or without them by words, neighbours and dependencies.

A chunk is a sequence of items: modules, or the statements of one. An item's words speak for a vendor or against it
(see vocabulary). Most items are small and say little, but bundlers keep the modules of a package together, in the order
of evaluation: so the labels that explain the whole sequence best are looked for, at a cost for every change of label
(the Viterbi algorithm). At last, what a vendor's code needs is the vendor's, and a vendor never needs the app.
"""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from v1z3r_build.bundlers.vocabulary import Vendor

# What one word tells: the natural logarithm of how much more often it stands in the vendor's items than in those of
# apps that use the vendor. Counted on five versions of three, three of them outside the word lists: inner words are .12
# of the vendor's and .006 of the app's, open ones .40 and .17, foreign ones .01 and .30; but .06 of the vendor's are
# foreign in a version two years younger than the lists, so that these count less than they could.
INNER = 3.0
OPEN = 0.8
FOREIGN = -2.0
# No item outweighs its neighbours and its own other words without end.
LIMIT = 25.0
# A sequence of a thousand items changes its label some ten times.
CHANGE = 8.0
# From here an item's own words prove it: it pulls what it needs, and is never given up. As far below zero they prove
# that it is not the vendor's, whatever stands beside it.
STRONG = 9.0
# From here its own words refuse the vendor, whatever needs it.
AGAINST = -2.5


class Item(NamedTuple):
    """A module or a statement.

    words: its lasting words (see bundlers.words).
    size: in bytes.
    needs: indices of the items that it reads or writes.
    """

    words: frozenset[str]
    size: int
    needs: tuple[int, ...] = ()


def evidence(words: frozenset[str], vendor: Vendor) -> float:
    """How much more likely the words are in the vendor's code than elsewhere, as a logarithm within ±LIMIT."""
    if not words:  # as of most statements
        return 0.0
    inner = len(words & vendor.inner)
    spoken = len(words & vendor.open)
    foreign = len(words) - inner - spoken - len(words & vendor.ordinary)
    return max(-LIMIT, min(LIMIT, INNER * inner + OPEN * spoken + FOREIGN * foreign))


def label(
    items: Sequence[Item], vendors: Sequence[Vendor], told: Mapping[int, str | None] = MappingProxyType({})
) -> list[str | None]:
    """For each item in the order of the script the label of its vendor, None for the app's and all others'.

    told: the labels of those items of which they are known, by index: they stand, and support their neighbours.
    """
    found = [[evidence(item.words, vendor) for vendor in vendors] for item in items]
    for index, known in told.items():
        found[index] = [LIMIT if vendor.label == known else -LIMIT for vendor in vendors]
    states = _Closure(items, found, _sequence(found)).run()
    return [None if state is None else vendors[state].label for state in states]


def label_by_sources(sizes: Sequence[Mapping[str, int]], vendors: Sequence[Vendor]) -> list[str | None]:
    """The same by source maps: for each item the label of the vendor that most of its bytes come from.

    sizes: for each item its bytes by the path of their source, '' for what the map leaves out. An item that the map
    says nothing of has no label.
    """
    labels: list[str | None] = []
    for parts in sizes:
        by_label: dict[str | None, int] = {}
        for source, size in parts.items():
            if source:
                owner = next((vendor.label for vendor in vendors if vendor.has_source(source)), None)
                by_label[owner] = by_label.get(owner, 0) + size
        labels.append(max(by_label, key=lambda owner: by_label[owner], default=None))
    return labels


def _sequence(found: Sequence[Sequence[float]]) -> list[int | None]:
    """The most likely labels of a sequence: the index of a vendor, None for the app."""
    if not found:
        return []
    # State 0 is the app, whose code explains any words equally well: all evidence is relative to it.
    count = len(found[0]) + 1
    totals = [0.0] + [-CHANGE] * (count - 1)
    came: list[list[int]] = []
    for scores in found:
        best = max(range(count), key=totals.__getitem__)
        arrived = [state if totals[state] >= totals[best] - CHANGE else best for state in range(count)]
        totals = [
            max(totals[state], totals[best] - CHANGE) + (scores[state - 1] if state else 0.0) for state in range(count)
        ]
        came.append(arrived)
    state = max(range(count), key=totals.__getitem__)
    states: list[int | None] = []
    for arrived in reversed(came):
        states.append(state - 1 if state else None)
        state = arrived[state]
    return states[::-1]


class _Closure:
    """Labels made to agree with what needs what."""

    def __init__(self, items: Sequence[Item], found: Sequence[Sequence[float]], states: list[int | None]) -> None:
        self.items = items
        self.found = found
        self.states = states
        # Whoever was given up stays given up, and nothing is pulled in after: else the two could go on for ever.
        self.given_up: set[int] = set()

    def run(self) -> list[int | None]:
        self._reject()
        self._trim()
        self._pull()
        self._take()
        while self._give_up():
            pass
        return self.states

    def _strong(self, index: int) -> bool:
        state = self.states[index]
        return state is not None and self.found[index][state] >= STRONG

    def _reject(self) -> None:
        for index, state in enumerate(self.states):
            if state is not None and self.found[index][state] <= -STRONG:
                self.states[index] = None
                self.given_up.add(index)

    def _trim(self) -> None:
        """Take the label from both ends of each run, up to an item that is strongly evident or that such a one needs.

        A run's ends are where the app begins, and its code that speaks of the vendor resembles it.
        """
        proved = set[int]()
        waiting = [index for index in range(len(self.items)) if self._strong(index)]
        while waiting:
            index = waiting.pop()
            if index not in proved:
                proved.add(index)
                waiting += [need for need in self.items[index].needs if self.states[need] == self.states[index]]
        for order in (range(len(self.items)), range(len(self.items) - 1, -1, -1)):
            before: int | None = None
            for index in order:
                if self.states[index] is not None and self.states[index] != before and index not in proved:
                    self.states[index] = None
                before = self.states[index]

    def _pull(self) -> None:
        """Label what strongly evident items need, and what that needs in turn, up to items that speak against it."""
        waiting = [index for index in range(len(self.items)) if self._strong(index)]
        while waiting:
            index = waiting.pop()
            state = self.states[index]
            assert state is not None
            for need in self.items[index].needs:
                if self.states[need] is None and self.found[need][state] > AGAINST:
                    self.states[need] = state
                    waiting.append(need)

    def _take(self) -> None:
        """Label what uses so much of one vendor's, and so little else, that this proves it: lists of all that there is.

        Such as the kernels that TensorFlow.js registers at its end. To use a vendor's binding tells as much as to
        speak of the vendor, for its users do that too; to use another one as much as to speak of other things.
        """
        for index, item in enumerate(self.items):
            if self.states[index] is not None or index in self.given_up:
                continue
            others = [need for need in item.needs if self.states[need] is None]
            states = {self.states[need] for need in item.needs} - {None}
            if len(states) != 1 or (state := states.pop()) is None or any(map(self._refuses, others)):
                continue
            used = OPEN * (len(item.needs) - len(others)) + FOREIGN * len(others)
            if self.found[index][state] + used >= STRONG:
                for one in (index, *others):
                    self.states[one] = state

    def _give_up(self) -> bool:
        """Take the label from items that need the app's and are not strongly evident; whether there were any."""
        changed = False
        for index, item in enumerate(self.items):
            state = self.states[index]
            if state is None or self._strong(index):
                continue
            if any(self.states[need] is None and self._refuses(need) for need in item.needs):
                self.states[index] = None
                self.given_up.add(index)
                changed = True
        return changed

    def _refuses(self, index: int) -> bool:
        return index in self.given_up or all(score <= AGAINST for score in self.found[index])
