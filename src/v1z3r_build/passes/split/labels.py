"""Which items of a scope are a vendor's, as the rules of division ask for it."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import TYPE_CHECKING, NamedTuple

from v1z3r_build.bundlers import vendors, vocabulary
from v1z3r_build.bundlers.words import WORD, ScriptWords

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tree_sitter import Node

    from v1z3r_build.bundlers.vocabulary import Vendor

# So many words that only one vendor has are no chance: fewer, and a script is not looked into.
_TELLING = 50


# What is looked for: a vendor of the table by its label, another one as itself.
Wanted = Sequence["str | Vendor"]


@cache
def _table() -> Mapping[str, Vendor]:
    return {vendor.label: vendor for vendor in vocabulary.load().vendors}


def _vendors(wanted: Wanted) -> list[Vendor]:
    return [_table()[one] if isinstance(one, str) else one for one in wanted]


def held(wanted: Wanted, data: bytes) -> tuple[str, ...]:
    """The labels of the vendors that a script can hold, by its words wherever they stand.

    Pure, and quick: most scripts hold none.
    """
    words = {word.decode("ascii") for word in WORD.findall(data)}
    return tuple(one.label for one in _vendors(wanted) if len(words & one.inner) >= _TELLING)


class Part(NamedTuple):
    """A module or an item, from start to end in bytes. needs: the indices of other parts that it reads or writes."""

    start: int
    end: int
    needs: tuple[int, ...]


class Labels:
    """The labels of one script's items."""

    def __init__(self, root: Node, wanted: Wanted) -> None:
        self._words = ScriptWords(root)
        self._vendors = _vendors(wanted)

    def present(self, start: int, end: int) -> bool:
        """Whether the part of the script from start to end can hold a vendor."""
        words = self._words.between(start, end)
        return any(len(words & vendor.inner) >= _TELLING for vendor in self._vendors)

    def speak_against(self, start: int, end: int, label: str) -> bool:
        """Whether a part's words are rather others' than those of the vendor with this label."""
        vendor = next(one for one in self._vendors if one.label == label)
        return vendors.evidence(self._words.between(start, end), vendor) < 0

    def of(self, parts: Sequence[Part]) -> list[str]:
        """For each part of a sequence the label of its vendor, '' for the app."""
        entries = [
            vendors.Item(self._words.between(one.start, one.end), one.end - one.start, one.needs) for one in parts
        ]
        return [label or "" for label in vendors.label(entries, self._vendors)]
