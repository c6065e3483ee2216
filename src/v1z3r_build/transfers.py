"""What browsers transfer for a file and for a route, in each content coding: the figures of budgets and reports."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, get_args

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from v1z3r_build.manifest import FileRecord, Manifest

# How a browser takes files: with brotli, with gzip, or neither.
Coding = Literal["br", "gzip", "raw"]
CODINGS: tuple[Coding, ...] = get_args(Coding)


def size(record: FileRecord, coding: Coding) -> int:
    """The bytes of a file's body as a browser gets it that takes this coding alone, headers aside."""
    encoding = record.encodings.get(coding)
    return encoding.size if encoding is not None else record.size


@dataclass(frozen=True, slots=True)
class Load:
    """Files that a browser fetches together, each once. files: by path."""

    files: Mapping[str, FileRecord]

    @property
    def requests(self) -> int:
        """How many files."""
        return len(self.files)

    def size(self, coding: Coding) -> int:
        """The bytes of all."""
        return sum(size(record, coding) for record in self.files.values())

    def of_kind(self, *kinds: str) -> Load:
        """Those of these kinds (`script`, `style` …) alone."""
        return Load({path: record for path, record in self.files.items() if record.kind in kinds})

    def of_vendor(self, label: str) -> Load:
        """Those that are a vendor's alone."""
        return Load({path: record for path, record in self.files.items() if record.vendor == label})


def initial(manifest: Manifest, route: str) -> Load:
    """What a browser fetches at once for a route: the page itself, and its `initial`. route: a key of `routes`."""
    found = manifest.routes[route]
    return _load(manifest, (found.html, *found.initial))


def lazy(manifest: Manifest, route: str) -> Load:
    """What a route may fetch later."""
    return _load(manifest, manifest.routes[route].lazy)


def _load(manifest: Manifest, paths: Iterable[str]) -> Load:
    # A manifest that names a file it does not list is `verify`'s to report.
    return Load({path: manifest.files[path] for path in paths if path in manifest.files})
