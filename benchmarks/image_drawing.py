"""The drawings of the fixtures, by number: fixtures/drawing."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "fixtures" / "drawing"))

from figures import icon, pan, spinner
from materials import normals, wall
from photographs import clouds, photograph

__all__ = ["clouds", "icon", "normals", "pan", "photograph", "spinner", "wall"]
