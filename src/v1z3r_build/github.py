"""What GitHub Actions shows of a run: annotations at the files, and the summary of the step."""

from __future__ import annotations

import html
import os
import secrets
from collections import Counter
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

import click

from v1z3r_build.terminal import HEADINGS, LEVELS, cells

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from v1z3r_build.diagnostics import Diagnostic
    from v1z3r_build.summary import Summary

_MOST = 10  # GitHub shows no more errors and no more warnings of one step


def is_here() -> bool:
    """Whether this process runs in a GitHub Actions job."""
    return os.environ.get("GITHUB_ACTIONS") == "true"


def workspace() -> Path:
    """The folder that annotations name files in."""
    return Path(os.environ.get("GITHUB_WORKSPACE") or Path.cwd())


@contextmanager
def commands_off() -> Iterator[None]:
    """Let GitHub obey nothing that is printed meanwhile: names and contents of files may be hostile.

    https://docs.github.com/actions/reference/workflow-commands-for-github-actions#stopping-and-starting-workflow-commands
    """
    token = secrets.token_hex(16) if is_here() else ""
    if token:
        _print(f"::stop-commands::{token}")
    try:
        yield
    finally:
        if token:
            _print(f"::{token}::")


def annotate(diagnostics: Iterable[Diagnostic], site: Path) -> None:
    """Print the annotations of a site's diagnostics, if this is a job."""
    if is_here():
        for line in commands(diagnostics, site, workspace()):
            _print(line)


def summarize(summary: Summary, diagnostics: Iterable[Diagnostic], told: str) -> None:
    """Add a run to the summary of the step, if this is a job that has one."""
    add_to_summary(step_summary(summary, diagnostics, told))


def add_to_summary(text: str) -> None:
    """Add Markdown to the summary of the step, if this is a job that has one."""
    place = os.environ.get("GITHUB_STEP_SUMMARY")
    if is_here() and place:
        with Path(place).open("a", encoding="utf-8", errors="backslashreplace") as file:
            file.write(text)


def commands(diagnostics: Iterable[Diagnostic], site: Path, workspace: Path) -> Iterator[str]:
    """Workflow commands for errors and warnings, at most ten of each; paths are relative to the workspace."""
    found = sorted(diagnostics)
    for level in LEVELS[:2]:
        for one in islice((one for one in found if one.level == level), _MOST):
            properties = {"title": one.code}
            if one.path:
                properties["file"] = Path(os.path.relpath(site / one.path, workspace)).as_posix()
            if one.line:
                properties |= {"line": str(one.line), "col": str(one.column)}
            listed = ",".join(f"{name}={_property(value)}" for name, value in properties.items())
            said = f"{one.message}\n{one.hint}".strip()
            yield f"::{level} {listed}::{_data(said)}"


def step_summary(summary: Summary, diagnostics: Iterable[Diagnostic], told: str) -> str:
    """The table of the gain and the number of diagnostics by code, in Markdown."""
    rows = [HEADINGS, *((kind, *cells(totals)) for kind, totals in summary.kinds.items())]
    rows.append(("**total**", *cells(summary.total)))
    lines = [f"| {' | '.join(row)} |" for row in rows]
    lines.insert(1, "| --- |" + " ---: |" * (len(HEADINGS) - 1))
    counts = Counter((LEVELS.index(one.level), one.code) for one in diagnostics)
    said = [f"- {LEVELS[level]}: {code} ({count})" for (level, code), count in sorted(counts.items())]
    return "\n".join(["### v1z3r-build", "", *lines, "", html.escape(told), "", *said]) + "\n\n"


def _print(line: str) -> None:
    click.echo(line, err=True)


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
