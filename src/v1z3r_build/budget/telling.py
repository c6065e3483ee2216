"""The outcome of a check for people at a terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING

from v1z3r_build.budget.wording import HEADINGS, carriers, cells, sentence, verdict
from v1z3r_build.wording import visible

if TYPE_CHECKING:
    from v1z3r_build.budget.outcome import Outcome
    from v1z3r_build.terminal import Terminal

# So many limits that are kept, and so many that are not, are shown unless all are asked for.
_NEAREST, _WORST = 10, 10


def tell(outcome: Outcome, terminal: Terminal) -> None:
    """The table, what is over first; then the files that carry what is over."""
    over = outcome.over
    shown = outcome.findings if terminal.verbose else outcome.findings[: len(over) + _NEAREST]
    if shown:
        # A column without anything in it says nothing: there may be no baseline.
        rows = [cells(one) for one in shown]
        used = [number for number in range(len(HEADINGS)) if any(row[number] for row in rows)]
        terminal.table([HEADINGS[number] for number in used], ([row[number] for number in used] for row in rows), 3)
    if len(outcome.findings) > len(shown):
        terminal.note(f"and {len(outcome.findings) - len(shown)} more within their limits, shown by -v")
    for one in outcome.notes:
        terminal.note(f"note: {one}")
    told = over if terminal.verbose else over[:_WORST]
    for finding in told:
        where = f"{outcome.source}{f':{finding.line}' if finding.line else ''}: {finding.setting}"
        terminal.error(sentence(finding), "\n  ".join((*carriers(finding), visible(where))))
    if len(over) > len(told):
        terminal.note(f"the files of {len(over) - len(told)} more are shown by -v")
    terminal.note(verdict(outcome))
