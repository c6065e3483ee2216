"""Figures and names of files as people read them."""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal


def size(count: int) -> str:
    """Bytes for the reader: three digits, in units of a thousand."""
    if count < 1000:
        return f"{count} B"
    amount, units = count / 1000, ["kB", "MB", "GB", "TB"]
    while amount >= 999.5 and len(units) > 1:
        amount /= 1000
        del units[0]
    places = 2 if amount < 9.995 else 1 if amount < 99.95 else 0
    # Halves go up, as in the page of a report: JavaScript's toFixed rounds them so (ECMA-262, §21.1.3.3).
    return f"{Decimal(amount).quantize(Decimal(1).scaleb(-places), ROUND_HALF_UP)} {units[0]}"


def share(after: int, before: int) -> str:
    """The change in percent, '' where there was nothing before."""
    return f"{100 * (after - before) / before:+.1f}%" if before else ""


def many(count: int, what: str) -> str:
    """`1 file`, `2 files`."""
    return f"{count} {what}{'' if count == 1 else 's'}"


def visible(text: str) -> str:
    """A text in which nothing is left that a terminal would obey: names and contents of files may be hostile."""
    return "".join(one if one.isprintable() else one.encode("unicode_escape").decode("ascii") for one in text)
