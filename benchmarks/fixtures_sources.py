"""Of what sources each fixture is made, as fixtures/build.py has it."""

from __future__ import annotations

import runpy
from pathlib import Path

_BUILD = Path(__file__).resolve().parents[1] / "fixtures" / "build.py"
# By the name of the export that of a folder in fixtures/.
SOURCES: dict[str, str] = {one.name: one.source for one in runpy.run_path(str(_BUILD))["FIXTURES"]}
