"""Amounts as budgets give them: `170 kB`, `90 KiB gzip`, `5 %`, `25`."""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING

from v1z3r_build.transfers import CODINGS, Coding

if TYPE_CHECKING:
    from collections.abc import Mapping

# As in SI and IEC 80000-13; `KB` is taken for the kilobyte that it nearly always means.
_UNITS: Mapping[str, int] = {
    "b": 1,
    "kb": 1000,
    "mb": 1000**2,
    "gb": 1000**3,
    "kib": 1024,
    "mib": 1024**2,
    "gib": 1024**3,
}
_AMOUNT = re.compile(r"(\d+(?:\.\d+)?)\s*(%|[a-z]+)(?:\s+([a-z]+))?", re.I)
_SIZE = 'a size such as "170 kB", "90 KiB" or "170 kB gzip", or a number of bytes'
_COUNT = "a whole number, 0 or more"
_SHARE = ' or a share such as "5 %"'


@dataclass(frozen=True, slots=True)
class Amount:
    """number: bytes or requests, or percent of another amount. coding: that which the text names, if it names one."""

    number: Decimal
    percent: bool = False
    coding: Coding | None = None

    def within(self, whole: int) -> int:
        """The amount as a whole number, rounded down. whole: what a percentage is of."""
        return int(self.number * whole / 100) if self.percent else int(self.number)


def size(value: object, *, shares: bool = False) -> Amount:
    """An amount of bytes. shares: whether a percentage will do. Raises ValueError with what was expected."""
    found = _written(value) if isinstance(value, str) else _counted(value)
    if found is None or (found.percent and not shares):
        raise ValueError(_SIZE + (_SHARE if shares else ""))
    return found


def count(value: object, *, shares: bool = False) -> Amount:
    """A number of things. shares: whether a percentage will do. Raises ValueError with what was expected."""
    found = _written(value) if isinstance(value, str) else _counted(value)
    # A text is a percentage here, for things have no unit and no encoding.
    if found is None or (isinstance(value, str) and not (shares and found.percent and found.coding is None)):
        raise ValueError(_COUNT + (_SHARE if shares else ""))
    return found


def _counted(value: object) -> Amount | None:
    # To Python a bool is an int.
    return Amount(Decimal(value)) if isinstance(value, int) and not isinstance(value, bool) and value >= 0 else None


def _written(text: str) -> Amount | None:
    match = _AMOUNT.fullmatch(text.strip())
    if match is None:
        return None
    number, unit = Decimal(match[1]), match[2].lower()
    coding = next((one for one in CODINGS if one == (match[3] or "").lower()), None)
    if (match[3] and coding is None) or unit not in ("%", *_UNITS):
        return None
    return Amount(number, True, coding) if unit == "%" else Amount(number * _UNITS[unit], coding=coding)
