"""What the page's script needs, in few bytes: the largest files one by one, the rest as sums."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from v1z3r_build.transfers import Load, initial, lazy, size
from v1z3r_build.wording import visible

if TYPE_CHECKING:
    from collections.abc import Mapping

    from v1z3r_build.manifest import FileRecord, Manifest

# The order of sizes in rows.
CODINGS = ("raw", "gzip", "br")


@dataclass(frozen=True, slots=True)
class Figures:
    """Files and routes that are shown, in the order in which they are; all others are summed.

    files: the largest as transferred first. routes: the heaviest first, then as in the manifest.
    """

    manifest: Manifest
    files: tuple[str, ...]
    routes: tuple[str, ...]

    @property
    def more_files(self) -> int:
        """How many files are only summed."""
        return len(self.manifest.files) - len(self.files)

    @property
    def more_routes(self) -> int:
        """How many routes are left out."""
        return len(self.manifest.routes) - len(self.routes)

    def to_json(self) -> dict[str, Any]:
        """Rows instead of objects, numbers instead of names that stand elsewhere."""
        numbers = {path: number for number, path in enumerate(self.files)}
        routes = self.manifest.routes
        return {
            "files": [_row(path, self.manifest.files[path]) for path in self.files],
            "routes": [
                [
                    visible(url),
                    *self._load(numbers, initial(self.manifest, url)),
                    *self._load(numbers, lazy(self.manifest, url)),
                ]
                for url in self.routes
            ],
            "all": [
                *self._load(numbers, _union([initial(self.manifest, url) for url in routes])),
                *self._load(numbers, _later(self.manifest)),
            ],
            "whole": [*self._load(numbers, Load(self.manifest.files)), [], []],
        }

    def _load(self, numbers: Mapping[str, int], load: Load) -> tuple[list[int], list[list[Any]]]:
        """Numbers of files, and the sums of all others: kind, cache class, count, sizes."""
        sums: defaultdict[tuple[str, str], Counter[str]] = defaultdict(Counter)
        for path, record in load.files.items():
            if path not in numbers:
                sums[record.kind, record.cache_class].update({"count": 1} | _sizes(record))
        return (
            sorted(numbers[path] for path in load.files if path in numbers),
            [[*key, found["count"], *(found[coding] for coding in CODINGS)] for key, found in sorted(sums.items())],
        )


def figures(manifest: Manifest, most_files: int, most_routes: int) -> Figures:
    """The figures of an output, at most so many files and routes one by one."""
    files = sorted(manifest.files, key=lambda path: (-size(manifest.files[path], "br"), path))[:most_files]
    heaviest = sorted(manifest.routes, key=lambda url: (-initial(manifest, url).size("br"), url))[:most_routes]
    return Figures(manifest, tuple(files), tuple(sorted(heaviest)))


def _union(loads: list[Load]) -> Load:
    return Load({path: record for load in loads for path, record in load.files.items()})


def _later(manifest: Manifest) -> Load:
    """What no route needs at once, and some may need later."""
    first = _union([initial(manifest, url) for url in manifest.routes]).files
    later = _union([lazy(manifest, url) for url in manifest.routes]).files
    return Load({path: record for path, record in later.items() if path not in first})


def _sizes(record: FileRecord) -> dict[str, int]:
    return {"raw": record.size, "gzip": size(record, "gzip"), "br": size(record, "br")}


def _row(path: str, record: FileRecord) -> list[Any]:
    row: list[Any] = [
        visible(path),
        record.kind,
        record.cache_class,
        *_sizes(record).values(),
        visible(record.vendor),
        visible(record.kept),
        [visible(source) for source in record.source if source != path],
        record.source_size,
    ]
    # What is empty at the end is left out.
    while row and not row[-1]:
        row.pop()
    return row
