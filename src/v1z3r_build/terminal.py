"""What people read, on stderr: the table of the gain, diagnostics by code, progress bars, errors."""

from __future__ import annotations

import os
import sys
from collections import defaultdict
from contextlib import contextmanager
from functools import cached_property
from typing import TYPE_CHECKING

from v1z3r_build.wording import share, size, visible
from v1z3r_build.workers.progress import SilentProgress

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from rich.console import Console
    from rich.progress import Progress as Bars
    from rich.progress import TaskID

    from v1z3r_build.diagnostics import Diagnostic, Level
    from v1z3r_build.summary import Summary, Totals
    from v1z3r_build.workers.progress import Progress

# What Rich has is imported when something is printed: a run that has nothing to say does not wait for it.

_STYLES: dict[Level, str] = {"error": "bold red", "warning": "yellow", "info": "cyan"}
LEVELS: tuple[Level, ...] = ("error", "warning", "info")  # the worst first
_SHOWN = 10  # diagnostics of one code, unless all are asked for


class Terminal:
    """Prints to stderr; in colour and with moving bars only where a person watches it."""

    def __init__(self, verbosity: int = 0) -> None:
        """verbosity: -1 for errors alone, 0, 1 for everything."""
        self._watched = sys.stderr.isatty() and "CI" not in os.environ and os.environ.get("TERM") != "dumb"
        self._verbosity = verbosity

    @cached_property
    def _console(self) -> Console:
        from rich.console import Console

        return Console(
            file=sys.stderr,
            force_terminal=self._watched,
            no_color=not self._watched or bool(os.environ.get("NO_COLOR")),
            markup=False,
            highlight=False,
            emoji=False,
            soft_wrap=True,
        )

    @property
    def verbose(self) -> bool:
        """Whether everything was asked for."""
        return self._verbosity > 0

    def error(self, message: str, hint: str = "") -> None:
        """Why the run has failed, and what to do."""
        self._line(("error: ", _STYLES["error"]), _lines(message))
        if hint:
            self._line("  ", _lines(hint))

    def note(self, text: str) -> None:
        """A line for those who did not ask for quiet."""
        if self._verbosity >= 0:
            self._line(visible(text))

    def detail(self, text: str) -> None:
        """A line for those who asked for everything; as it is, line breaks included."""
        if self._verbosity > 0:
            self._line(_lines(text))

    def diagnostics(self, diagnostics: Iterable[Diagnostic]) -> None:
        """Diagnostics by code, the worst first, at most ten of each; notes and the rest with -v, quiet: errors."""
        groups: defaultdict[tuple[Level, str], list[Diagnostic]] = defaultdict(list)
        for diagnostic in sorted(diagnostics):
            groups[diagnostic.level, diagnostic.code].append(diagnostic)
        levels = {-1: LEVELS[:1], 0: LEVELS[:2]}.get(self._verbosity, LEVELS)
        for level, code in sorted(groups, key=lambda key: (LEVELS.index(key[0]), -len(groups[key]), key[1])):
            if level in levels:
                self._group(level, code, groups[level, code])
        if self._verbosity == 0 and (
            notes := sum(len(found) for (level, _), found in groups.items() if level == "info")
        ):
            self.note(f"{notes} notes, shown by -v")

    def _group(self, level: Level, code: str, found: Sequence[Diagnostic]) -> None:
        self._line((f"{level}: ", _STYLES[level]), code, f" ({len(found)})" if len(found) > 1 else "")
        shown = found if self._verbosity > 0 else found[:_SHOWN]
        for position, one in enumerate(shown):
            self._line("  ", (f"{place(one)}: " if one.path else "", "bold"), visible(one.message))
            # A hint that all share is said once, under the last.
            if one.hint and (position + 1 == len(shown) or shown[position + 1].hint != one.hint):
                self._line("    ", (visible(one.hint), "dim"))
        if len(found) > len(shown):
            self._line(f"  and {len(found) - len(shown)} more, shown by -v")

    def gain(self, summary: Summary) -> None:
        """The table: files and bytes per kind, before and after."""
        if self._verbosity < 0:
            return
        from rich.table import Table

        table = Table(box=None, pad_edge=False, padding=(0, 2), show_footer=len(summary.kinds) > 1)
        total = cells(summary.total)
        for heading, footer in zip(HEADINGS, ["total", *total], strict=True):
            table.add_column(heading, footer, justify="left" if heading == "kind" else "right", no_wrap=True)
        for kind, totals in summary.kinds.items():
            table.add_row(kind, *cells(totals))
        self._console.print(table)

    def table(self, headings: Sequence[str], rows: Iterable[Sequence[str]], texts: int) -> None:
        """A table for those who did not ask for quiet. texts: how many of the first columns hold words."""
        if self._verbosity < 0:
            return
        from rich.table import Table

        table = Table(box=None, pad_edge=False, padding=(0, 2))
        for number, heading in enumerate(headings):
            table.add_column(heading, justify="left" if number < texts else "right", no_wrap=True)
        for row in rows:
            table.add_row(*map(visible, row))
        # As wide as it is: cut to a narrow window, it would lose the figures.
        window, options = self._console.width, self._console.options.update(max_width=10_000)
        self._console.width = max(window, self._console.measure(table, options=options).maximum)
        self._console.print(table)
        self._console.width = window

    @contextmanager
    def progress(self) -> Iterator[Progress]:
        """Bars on a terminal that is watched; elsewhere a line for each pass with -v, else nothing."""
        if not self._watched or self._verbosity < 0:
            yield _Said(self) if self._verbosity > 0 else SilentProgress()
            return
        from rich.progress import BarColumn, TaskProgressColumn, TextColumn, TimeElapsedColumn
        from rich.progress import Progress as Bars

        columns = (TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), TimeElapsedColumn())
        with Bars(*columns, console=self._console, transient=True) as bars:
            yield _Moving(bars)

    def _line(self, *pieces: str | tuple[str, str]) -> None:
        from rich.text import Text

        self._console.print(Text.assemble(*pieces))


class _Moving:
    """A bar for each pass."""

    def __init__(self, bars: Bars) -> None:
        self._bars = bars
        self._task: TaskID | None = None

    def start(self, label: str, total: int) -> None:
        self._task = self._bars.add_task(f"{label:<10}", total=total)

    def advance(self, amount: int) -> None:
        if self._task is not None:
            self._bars.advance(self._task, amount)


class _Said:
    """A line for each pass."""

    def __init__(self, terminal: Terminal) -> None:
        self._terminal = terminal

    def start(self, label: str, total: int) -> None:
        self._terminal.detail(f"pass {label}")

    def advance(self, amount: int) -> None:
        """A line says only that a pass has begun."""


HEADINGS = ("kind", "files", "before", "after", "", "transferred", "")


def cells(totals: Totals) -> tuple[str, ...]:
    """One row of the table, without the kind: both shares are of the bytes before."""
    before, after = totals.files_before, totals.files_after
    return (
        str(after) if after == before else f"{before} > {after}",
        size(totals.bytes_before),
        size(totals.bytes_after),
        share(totals.bytes_after, totals.bytes_before),
        size(totals.transferred),
        share(totals.transferred, totals.bytes_before),
    )


def place(diagnostic: Diagnostic) -> str:
    """The file of a diagnostic with line and column, as editors read it."""
    path = visible(diagnostic.path)
    return f"{path}:{diagnostic.line}:{diagnostic.column}" if diagnostic.line else path


def _lines(text: str) -> str:
    return "\n".join(visible(line) for line in text.split("\n"))
