"""The order of keys that were noted as they came."""

from __future__ import annotations

from array import array
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence


def in_order(keys: Sequence[str]) -> array[int]:
    """The numbers of the keys, in the keys' order; of equal ones the last alone, which counts."""
    order = array("L", sorted(range(len(keys)), key=keys.__getitem__))  # equal ones stay as they came
    lasts = (at for at in range(len(order)) if at + 1 == len(order) or keys[order[at]] != keys[order[at + 1]])
    return array("L", map(order.__getitem__, lasts))
