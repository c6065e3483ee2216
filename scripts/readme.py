"""Writes into README.md what the program itself says: the help of each command, the settings with their defaults.

    python scripts/readme.py [--check]

A block begins with `<!-- help COMMAND -->` or `<!-- settings -->` and is the fenced text below it.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

from click.testing import CliRunner

from v1z3r_build.cli import main
from v1z3r_build.settings import example

README = Path(__file__).parents[1] / "README.md"
_BLOCK = re.compile(
    r"(?P<mark><!-- (?P<what>help|settings) ?(?P<command>\w*) -->\n```\w+\n).*?(?P<end>^```$)", re.M | re.S
)


def filled(text: str) -> str:
    """The text with all its blocks as the program says now."""
    return _BLOCK.sub(lambda block: f"{block['mark']}{_said(block['what'], block['command'])}\n{block['end']}", text)


def _said(what: str, command: str) -> str:
    if what == "settings":
        return example().strip()
    words = [*([command] if command else []), "--help"]
    return CliRunner().invoke(main, words, prog_name="v1z3r-build", terminal_width=90).output.strip()


if __name__ == "__main__":
    before = README.read_text(encoding="utf-8")
    after = filled(before)
    if "--check" in sys.argv:
        sys.exit(0 if before == after else "README.md is not what the program says: run `make readme`")
    README.write_text(after, encoding="utf-8")
