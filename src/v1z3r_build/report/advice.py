"""A piece of advice as data, and the words that all advice shares."""

from __future__ import annotations

import posixpath
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from v1z3r_build.diagnostics import Diagnostic
from v1z3r_build.transfers import Load, size

if TYPE_CHECKING:
    from collections.abc import Iterable

    from v1z3r_build.diagnostics import Level
    from v1z3r_build.manifest import Manifest


@dataclass(frozen=True, slots=True)
class Advice:
    """One thing to mend.

    code: a stable name in kebab case. level: error for what must not be published. routes: where it shows; empty for
    the site as a whole. files: paths, the largest first. bytes: how many are at stake, as transferred with brotli.
    """

    level: Level
    code: str
    routes: tuple[str, ...]
    files: tuple[str, ...]
    bytes: int
    message: str
    hint: str

    def told(self) -> Diagnostic:
        """The advice as people read it on a terminal. Its files stand in the message."""
        return Diagnostic("", 0, 0, self.level, self.code, self.message, self.hint)

    def to_json(self) -> dict[str, Any]:
        """The advice for programs."""
        return {
            "level": self.level,
            "code": self.code,
            "routes": list(self.routes),
            "files": list(self.files),
            "bytes": self.bytes,
            "message": self.message,
            "hint": self.hint,
        }


def weight(manifest: Manifest, paths: Iterable[str]) -> int:
    """The bytes of files as transferred with brotli."""
    return sum(size(manifest.files[path], "br") for path in paths if path in manifest.files)


def largest(load: Load) -> tuple[str, ...]:
    """The paths of a load, the largest first."""
    return tuple(sorted(load.files, key=lambda path: (-size(load.files[path], "br"), path)))


def listed(routes: Iterable[str]) -> str:
    """Routes in a sentence."""
    return _some(tuple(routes), "route")


def names(paths: tuple[str, ...]) -> str:
    """Files in a sentence, without their folders."""
    return _some(tuple(posixpath.basename(path) for path in paths), "file")


def _some(names: tuple[str, ...], what: str) -> str:
    """`a`, `a and b`, `a, b and 3 more routes`."""
    if len(names) < 3:
        return " and ".join(names)
    return f"{names[0]}, {names[1]} and {len(names) - 2} more {what}{'s' if len(names) > 3 else ''}"


def are(names: tuple[str, ...]) -> str:
    """The verb to `names`."""
    return "is" if len(names) == 1 else "are"
