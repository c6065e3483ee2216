"""One limit beside what it limits."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from v1z3r_build.budget.figures import Unit


@dataclass(frozen=True, slots=True)
class Part:
    """A file's share in a figure. change: against the baseline, None without one."""

    path: str
    amount: int
    change: int | None = None


@dataclass(frozen=True, slots=True)
class Finding:
    """One limit, and what it limits.

    subject: a route, or a file's path. name: what is counted. limit: the most that is allowed. before: the amount in
    the baseline, None without one. parts: the files, the largest first, if it is over the limit. setting: how the
    budget names the limit; line: where it stands there, 0 if that is not known.
    """

    subject: str
    name: str
    unit: Unit
    value: int
    limit: int
    before: int | None
    parts: tuple[Part, ...]
    setting: str
    line: int

    @property
    def passed(self) -> bool:
        """Whether it is within the limit."""
        return self.value <= self.limit

    @property
    def used(self) -> float:
        """The share of the limit that is used up; infinite where nothing is allowed and something there."""
        if self.limit:
            return self.value / self.limit
        return float("inf") if self.value else 0.0

    def to_json(self) -> dict[str, Any]:
        """The finding for programs: the members that size-limit prints, and more.

        https://github.com/ai/size-limit, `--json`
        """
        return {
            **self.to_size_limit(),
            "subject": self.subject,
            "figure": self.name,
            "unit": self.unit,
            **({} if self.before is None else {"before": self.before}),
            "files": [
                {"path": one.path, "size": one.amount, **({} if one.change is None else {"change": one.change})}
                for one in self.parts
            ],
            "setting": self.setting,
            **({"line": self.line} if self.line else {}),
        }

    def to_size_limit(self) -> dict[str, Any]:
        """The finding as size-limit prints it with --json, and as actions made for it read it."""
        return {"name": self.title, "passed": self.passed, "size": self.value, "sizeLimit": self.limit}

    @property
    def title(self) -> str:
        """The limit in one line: `/: initial script (br)`."""
        unit = self.unit if self.unit != "copies" else "files"
        return f"{self.subject}: {self.name}" + ("" if self.unit == "requests" else f" ({unit})")
