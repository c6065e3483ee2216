"""What a check of limits has found."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from v1z3r_build.budget.comparison import Comparison
    from v1z3r_build.budget.findings import Finding


@dataclass(frozen=True, slots=True)
class Outcome:
    """All findings of a check, the worst first, and what its reader should know besides. source: the limits' file."""

    findings: tuple[Finding, ...]
    notes: tuple[str, ...]
    source: Path

    @property
    def over(self) -> tuple[Finding, ...]:
        """What is over its limit."""
        return tuple(one for one in self.findings if not one.passed)

    def to_json(self) -> dict[str, Any]:
        """The outcome for programs."""
        return {
            "passed": not self.over,
            "limits": str(self.source),
            "results": [one.to_json() for one in self.findings],
            "notes": list(self.notes),
        }


class Budget(Protocol):
    """Limits that were read and are not yet applied to a site."""

    def check(self, comparison: Comparison) -> Outcome:
        """Apply the limits. Raises InputError for one that is for nothing in the manifest: it is misspelt."""


def outcome(findings: Iterable[Finding], notes: Iterable[str], source: Path) -> Outcome:
    """The outcome of these findings, in order."""
    ordered = sorted(findings, key=lambda one: (one.passed, -one.used, one.subject, one.name))
    return Outcome(tuple(ordered), tuple(notes), source)
