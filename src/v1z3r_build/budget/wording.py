"""How the outcome of a check is worded for people, in terminals and in Markdown alike."""

from __future__ import annotations

from typing import TYPE_CHECKING

from v1z3r_build.wording import share, size, visible

if TYPE_CHECKING:
    from v1z3r_build.budget.figures import Unit
    from v1z3r_build.budget.findings import Finding, Part
    from v1z3r_build.budget.outcome import Outcome

HEADINGS = ("", "route or file", "figure", "size", "limit", "over by", "of limit", "baseline", "change")
LARGEST = 5  # files that are named of a figure that is over its limit


def cells(finding: Finding) -> tuple[str, ...]:
    """A row of the table."""
    over = finding.value - finding.limit
    return (
        "within" if finding.passed else "over",
        finding.subject,
        finding.title.removeprefix(f"{finding.subject}: "),
        amount(finding.value, finding.unit),
        amount(finding.limit, finding.unit),
        "" if finding.passed else amount(over, finding.unit),
        f"{100 * finding.used:.0f}%" if finding.limit else "",
        "" if finding.before is None else amount(finding.before, finding.unit),
        "" if finding.before is None else change(finding.value - finding.before, finding.unit),
    )


def sentence(finding: Finding) -> str:
    """What is over, by how much, and how it was before; one line, whatever a name holds."""
    over = finding.value - finding.limit
    more = share(finding.value, finding.limit)
    said = f"{visible(finding.title)} is {amount(finding.value, finding.unit)}, "
    said += f"{amount(over, finding.unit)}{f' ({more})' if more else ''} over the limit of "
    said += amount(finding.limit, finding.unit)
    if finding.before is None:
        return said
    difference = finding.value - finding.before
    return f"{said}; {change(difference, finding.unit)} since the baseline" if difference else f"{said}, as it was"


def carriers(finding: Finding) -> list[str]:
    """The largest files of a figure, a line for each, and how many more there are."""
    shown = [carrier(one, finding.unit) for one in finding.parts[:LARGEST]]
    rest = finding.parts[LARGEST:]
    if rest:
        shown.append(f"{amount(sum(one.amount for one in rest), finding.unit)} in {len(rest)} more")
    return shown


def carrier(part: Part, unit: Unit) -> str:
    """A file's share, and how it has changed."""
    path = visible(part.path)
    said = path if unit in ("requests", "copies") else f"{amount(part.amount, unit)} {path}"
    return f"{said} ({change(part.change, unit)})" if part.change else said


def verdict(outcome: Outcome) -> str:
    """The outcome in a sentence."""
    count, over = len(outcome.findings), len(outcome.over)
    limits = "1 limit" if count == 1 else f"{count} limits"
    if not over:
        return f"within the budget: {limits} of {outcome.source} checked" if count else "no limit was checked"
    return f"over the budget: {over} of {limits} of {outcome.source}"


def amount(count: int, unit: Unit) -> str:
    """A number of bytes or things."""
    return str(count) if unit in ("requests", "copies") else size(count)


def change(difference: int, unit: Unit) -> str:
    """A difference with its sign."""
    sign = "+" if difference > 0 else "-" if difference < 0 else "±"
    return sign + amount(abs(difference), unit)
