"""What a minifier of any format answers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from v1z3r_build.diagnostics import info

if TYPE_CHECKING:
    from v1z3r_build.diagnostics import Diagnostic


class Candidate(NamedTuple):
    """Bytes that may stand in for a file, proved to mean the same. engine: who made them."""

    engine: str
    data: bytes


@dataclass(frozen=True, slots=True)
class Minified:
    """The candidates for one file, in order of trust, and what the reader should know.

    No candidates: there was nothing to do, or nothing that could be proved. Which of them is smaller as
    transferred is for the pass to measure. The diagnostics have no path yet.
    """

    candidates: tuple[Candidate, ...] = ()
    diagnostics: tuple[Diagnostic, ...] = ()


class Inline(NamedTuple):
    """What stands for each text of a script or a style in a page, as it is and as the candidate has it."""

    before: frozenset[bytes]
    after: frozenset[bytes]


NOTHING = Minified()


def refused(why: str) -> Minified:
    """What is not even tried, though it might gain. why: completes "it …"."""
    return Minified(diagnostics=(info("not-minified", "", f"it {why}, so it was not minified"),))


BOM = b"\xef\xbb\xbf"


def blank_share(data: bytes) -> float:
    """The share of white space: about 0.02 in minified code, 0.15 to 0.4 in written code."""
    return 1 - len(data.translate(None, b" \t\r\n")) / len(data) if data else 0.0
