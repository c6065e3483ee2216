"""A manifest, measured beside that of an earlier release."""

from __future__ import annotations

import re
from collections import defaultdict
from typing import TYPE_CHECKING

from v1z3r_build.budget import figures
from v1z3r_build.budget.findings import Finding, Part

if TYPE_CHECKING:
    from v1z3r_build.budget.figures import Figure, Unit
    from v1z3r_build.manifest import FileRecord, Manifest

# What stands between the name and the suffix of a file that a bundler or we have named by its content; Vite's eight
# letters may hold a dash.
_HASH = re.compile(r"[.-](?:\w{8,}|[\w-]{8})(?=\.\w+\Z)", re.A)


class Comparison:
    """What there is to measure. baseline: the manifest of the earlier release, None without one."""

    def __init__(self, manifest: Manifest, baseline: Manifest | None = None) -> None:
        self.manifest = manifest
        self.baseline = baseline
        self._gone: defaultdict[tuple[str, str, str], list[str]] = defaultdict(list)
        for path, record in baseline.files.items() if baseline is not None else ():
            if path not in manifest.files:
                self._gone[_identity(path, record)].append(path)

    def route(self, route: str, figure: Figure, limit: int, setting: str, line: int, name: str = "") -> Finding:
        """A route's figure beside its limit. name: what is limited, if it is not the figure itself."""
        now = figure.measure(self.manifest, route)
        before, last = None, {}
        if self.baseline is not None and route in self.baseline.routes:
            then = figure.measure(self.baseline, route)
            before, last = then.value, dict(then.files)
        # Nobody asks for the files of what is within its limit, and ten thousand routes have many.
        parts = tuple(
            Part(path, amount, None if before is None else amount - last.get(self._earlier(path), 0))
            for path, amount in (now.files if now.value > limit else ())
        )
        return Finding(route, name or figure.name, figure.unit, now.value, limit, before, parts, setting, line)

    def file(self, path: str, unit: Unit, limit: int, setting: str, line: int) -> Finding:
        """A file's size beside its limit."""
        last = self.baseline.files.get(self._earlier(path)) if self.baseline is not None else None
        before = None if last is None else figures.size(last, unit)
        return Finding(
            path, "file", unit, figures.size(self.manifest.files[path], unit), limit, before, (), setting, line
        )

    def _earlier(self, path: str) -> str:
        """The name of a file in the earlier release, '' if it is new: the same, or the only one but for its hash."""
        if self.baseline is None or path in self.baseline.files:
            return path
        same = self._gone[_identity(path, self.manifest.files[path])]
        return same[0] if len(same) == 1 else ""


def _identity(path: str, record: FileRecord) -> tuple[str, str, str]:
    return _HASH.sub("", path), record.kind, record.vendor
