"""Where limits come from: the settings, a file in TOML, or Lighthouse's budget.json."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from v1z3r_build import settings
from v1z3r_build.budget import lighthouse, tables
from v1z3r_build.diagnostics import InputError

if TYPE_CHECKING:
    from v1z3r_build.budget.outcome import Budget

_HOW = "Write one with `v1z3r-build budget DIR --init`, or name a file with --budget."


def read(source: Path) -> Budget:
    """The budget in a file: that of Lighthouse if its name ends in `.json`, else `[budget]` in TOML.

    Raises InputError with the line where the file is no budget or is not there.
    """
    if not source.is_file():
        raise InputError(f"{source} is no file", hint=_HOW)
    if source.suffix.lower() == ".json":
        return lighthouse.read(source)
    found = tables.read(source)
    if found is None:
        raise InputError(f"{source} has no table [budget]", hint=_HOW)
    return found


def find(site: Path, config: Path | None = None) -> Budget:
    """The budget in the settings of a site. config: their file, if it is named. Raises InputError without one."""
    source = settings.find(site, config)
    if source is None:
        raise InputError("there is no budget: no file of settings was found", hint=_HOW)
    here = Path.cwd()
    return read(source.relative_to(here) if source.is_relative_to(here) else source)
