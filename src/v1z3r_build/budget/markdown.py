"""The outcome of a check for a comment on a pull request, or the summary of a step."""

from __future__ import annotations

import html
from typing import TYPE_CHECKING

from v1z3r_build.budget.wording import HEADINGS, carriers, cells, verdict
from v1z3r_build.wording import visible

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from v1z3r_build.budget.findings import Finding
    from v1z3r_build.budget.outcome import Outcome

# GitHub takes 65,536 characters in a comment.
_MOST = 60


def text(outcome: Outcome) -> str:
    """The outcome: what is over and which files carry it, the rest folded away."""
    over, within = outcome.over, [one for one in outcome.findings if one.passed]
    lines = ["### v1z3r-build: budget", "", _plain(verdict(outcome)), ""]
    if over:
        lines += [*_table(over), "", *_carried(over), ""]
    if within:
        count = f"{len(within)} within {'its limit' if len(within) == 1 else 'their limits'}"
        lines += [f"<details><summary>{count}</summary>", "", *_table(within), "", "</details>", ""]
    lines += [f"- {_plain(one)}" for one in outcome.notes]
    return "\n".join(lines).rstrip() + "\n"


def _table(findings: Iterable[Finding]) -> Iterator[str]:
    rows = [cells(one) for one in findings]
    # A column without anything in it says nothing: there may be no baseline.
    used = [number for number in range(1, len(HEADINGS)) if any(row[number] for row in rows)]
    yield "| " + " | ".join(HEADINGS[number] for number in used) + " |"
    yield "| " + " | ".join("---" if number < 3 else "---:" for number in used) + " |"
    for row in rows[:_MOST]:
        yield "| " + " | ".join(_code(row[number]) if number == 1 else _plain(row[number]) for number in used) + " |"
    if len(rows) > _MOST:
        yield ""
        yield f"and {len(rows) - _MOST} more"


def _carried(findings: Iterable[Finding]) -> Iterator[str]:
    for one in [one for one in findings if one.parts][:10]:
        yield f"- {_code(one.title)}"
        yield from (f"  - {_code(said)}" for said in carriers(one))


def _plain(said: str) -> str:
    """Text in which names of files are no markup."""
    escaped = html.escape(visible(said), quote=False)
    return "".join(f"&#{ord(one)};" if one in "|`*_[]@#~\\" else one for one in escaped)


def _code(said: str) -> str:
    # As an element: between backticks, a bar would still end the cell of a table.
    return f"<code>{_plain(said)}</code>"
