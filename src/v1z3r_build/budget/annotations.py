"""The outcome of a check as diagnostics at the lines that set the limits."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING

from v1z3r_build.budget.wording import carriers, sentence
from v1z3r_build.diagnostics import Diagnostic

if TYPE_CHECKING:
    from collections.abc import Iterator

    from v1z3r_build.budget.outcome import Outcome

_MOST = 10  # GitHub shows no more of one step


def diagnostics(outcome: Outcome) -> Iterator[Diagnostic]:
    """The worst that is over, at most ten; paths are relative to the folder of the limits' file."""
    for one in islice(outcome.over, _MOST):
        yield Diagnostic(
            outcome.source.name, one.line, int(one.line > 0), "error", "budget", sentence(one), "\n".join(carriers(one))
        )
