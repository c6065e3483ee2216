"""What a run is asked to do, and what came of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from v1z3r_build.manifest import diagnostic_json

if TYPE_CHECKING:
    from pathlib import Path

    from v1z3r_build.diagnostics import Diagnostic
    from v1z3r_build.manifest import Manifest
    from v1z3r_build.settings import Settings
    from v1z3r_build.summary import Summary

Outcome = Literal["published", "unchanged", "tried", "rejected"]


@dataclass(frozen=True, slots=True)
class Order:
    """What is to be done.

    source: the site's folder. target: where the output goes, None for the same place. previous: the manifest of the
    last release. strict: warnings keep the output from being published. force: what was optimized already is
    optimized once more. dry_run: all is done but publishing.
    """

    source: Path
    target: Path | None
    settings: Settings
    previous: Path | None = None
    strict: bool = False
    force: bool = False
    dry_run: bool = False

    @property
    def output(self) -> Path:
        """The folder that will hold the output."""
        return self.target or self.source


@dataclass(frozen=True, slots=True)
class Result:
    """What came of a run.

    outcome: published; unchanged (the site was optimized already); tried (a dry run); rejected (a check failed).
    told: the outcome in a sentence. advice: what to do when it was rejected. diagnostics: those of the manifest and
    those of publishing. manifest: None where nothing was done, and the manifest was not read.
    """

    outcome: Outcome
    summary: Summary
    release: str
    output: Path
    told: str
    advice: str = ""
    diagnostics: tuple[Diagnostic, ...] = ()
    manifest: Manifest | None = field(default=None, repr=False)

    def to_json(self) -> dict[str, Any]:
        """The result for programs."""
        return {
            "status": self.outcome,
            "message": self.told,
            "output": str(self.output),
            "release": self.release,
            **self.summary.to_json(),
            "diagnostics": [diagnostic_json(one) for one in self.diagnostics],
        }
