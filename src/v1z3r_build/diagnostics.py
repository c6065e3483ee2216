"""Messages as data: what happened, to which file and where, and what to do. Rendering comes late."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Level = Literal["info", "warning", "error"]


@dataclass(frozen=True, slots=True, order=True)
class Diagnostic:
    """One message for the reader.

    path: the file that it is about, relative to the site's root with `/`; '' for the site as a whole.
    line, column: the place in that file, both counted from 1, column in characters; 0 where there is none.
    code: a stable name in kebab case, by which programs and settings recognise the message.
    """

    path: str
    line: int
    column: int
    level: Level
    code: str
    message: str
    hint: str = ""


def info(code: str, path: str, message: str, hint: str = "", line: int = 0, column: int = 0) -> Diagnostic:
    """Something worth knowing that needs no action."""
    return Diagnostic(path, line, column, "info", code, message, hint)


def warning(code: str, path: str, message: str, hint: str = "", line: int = 0, column: int = 0) -> Diagnostic:
    """Something that the site's author would want to mend; `--strict` makes it fail the run."""
    return Diagnostic(path, line, column, "warning", code, message, hint)


def error(code: str, path: str, message: str, hint: str = "", line: int = 0, column: int = 0) -> Diagnostic:
    """A check that failed."""
    return Diagnostic(path, line, column, "error", code, message, hint)


class BuildError(Exception):
    """A failure that ends the run, told to the user without a traceback.

    exit_code follows the contract: 1 a check failed, 2 wrong usage, configuration or input, 3 the system
    failed us (disk full, no permission).
    """

    def __init__(self, message: str, *, hint: str = "", exit_code: int) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.exit_code = exit_code


class InputError(BuildError):
    """Wrong usage, wrong configuration, or an input that is no site (exit 2)."""

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message, hint=hint, exit_code=2)


class SystemFailureError(BuildError):
    """The system failed us: disk full, no permission (exit 3)."""

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message, hint=hint, exit_code=3)


class CheckFailedError(BuildError):
    """A check failed (exit 1)."""

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message, hint=hint, exit_code=1)


def place(data: bytes, offset: int) -> tuple[int, int]:
    """The line and column, both from 1, of a byte offset in a text."""
    line_start = data.rfind(b"\n", 0, offset) + 1
    column = len(data[line_start:offset].decode("utf-8", "replace"))
    return data.count(b"\n", 0, offset) + 1, column + 1
