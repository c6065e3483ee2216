"""Which items of a scope are a vendor's, as the rules of division ask for it."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Sequence
from functools import cache
from operator import itemgetter
from typing import TYPE_CHECKING, NamedTuple

from v1z3r_build.bundlers import vendors, vocabulary
from v1z3r_build.bundlers.words import WORD, ScriptWords

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from v1z3r_build.bundlers.vocabulary import Vendor
    from v1z3r_build.formats.scopes import Scopes
    from v1z3r_build.formats.source_maps import Span

# So many words that only one vendor has are no chance: fewer, and a script is not looked into.
_TELLING = 50
# A script is read in stretches, until all vendors were met that it can hold; each ends where no word does.
_STRETCH = 1 << 17  # bytes
_GAP = re.compile(rb"[^A-Za-z0-9_$]")


# What is looked for: a vendor of the table by its label, another one as itself.
Wanted = Sequence["str | Vendor"]


@cache
def _table() -> Mapping[str, Vendor]:
    return {vendor.label: vendor for vendor in vocabulary.load().vendors}


def _vendors(wanted: Wanted) -> list[Vendor]:
    return [_table()[one] if isinstance(one, str) else one for one in wanted]


def held_by_map(wanted: Wanted, told: Iterable[Span]) -> tuple[str, ...]:
    """The same by the script's source map."""
    sources = {span.source for span in told if span.source}
    return tuple(one.label for one in _vendors(wanted) if any(map(one.has_source, sources)))


def held(wanted: Wanted, data: bytes) -> tuple[str, ...]:
    """The labels of the vendors that a script can hold, by its words wherever they stand.

    Pure, and quick: most scripts hold none.
    """
    words: set[str] = set()
    found: set[str] = set()
    vendors = _vendors(wanted)
    start = 0
    while start < len(data) and len(found) < len(vendors):
        gap = _GAP.search(data, start + _STRETCH)
        end = gap.start() if gap is not None else len(data)
        words.update(word.decode("ascii") for word in set(WORD.findall(data, start, end)))
        found.update(one.label for one in vendors if len(words & one.inner) >= _TELLING)
        start = end
    return tuple(one.label for one in vendors if one.label in found)


class Part(NamedTuple):
    """A module or an item, from start to end in bytes. needs: the indices of other parts that it reads or writes."""

    start: int
    end: int
    needs: tuple[int, ...]


class Labels:
    """The labels of one script's items."""

    def __init__(self, scopes: Scopes, wanted: Wanted, told: Sequence[Span] = ()) -> None:
        """told: the script by its sources, if it has a source map."""
        self._words = ScriptWords(scopes.source, scopes.lasting)
        self._vendors = _vendors(wanted)
        self._told = told

    def present(self, start: int, end: int) -> bool:
        """Whether the part of the script from start to end can hold a vendor."""
        words = self._words.between(start, end)
        sources = self._sources(start, end)
        return any(
            len(words & vendor.inner) >= _TELLING or any(map(vendor.has_source, sources)) for vendor in self._vendors
        )

    def refuse(self, start: int, end: int, label: str) -> bool:
        """Whether a part's words disprove that it is of the vendor with this label."""
        vendor = next(one for one in self._vendors if one.label == label)
        return vendors.evidence(self._words.between(start, end), vendor) <= vendors.AGAINST

    def speak_against(self, start: int, end: int, label: str) -> bool:
        """Whether a part's words are rather others' than those of the vendor with this label."""
        vendor = next(one for one in self._vendors if one.label == label)
        return vendors.evidence(self._words.between(start, end), vendor) < 0

    def of(self, parts: Sequence[Part]) -> list[str]:
        """For each part of a sequence the label of its vendor, '' for the app."""
        entries = [
            vendors.Item(self._words.between(one.start, one.end), one.end - one.start, one.needs) for one in parts
        ]
        sizes = [self._sources(one.start, one.end) for one in parts]
        labels = vendors.label_by_sources(sizes, self._vendors)
        told = {index: label for index, label in enumerate(labels) if any(sizes[index])}
        return [label or "" for label in vendors.label(entries, self._vendors, told)]

    def _sources(self, start: int, end: int) -> dict[str, int]:
        """The bytes of a part by the path of their source, '' for those that have none."""
        sizes: dict[str, int] = {}
        first = max(bisect_right(self._told, start, key=itemgetter(0)) - 1, 0)
        for span in map(self._told.__getitem__, range(first, len(self._told))):
            if span.start >= end:
                break
            source = span.source or ""
            sizes[source] = sizes.get(source, 0) + min(span.end, end) - max(span.start, start)
        return sizes
