"""What is counted of a route: the bytes of its loads in a coding, its requests, its vendors' copies."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from v1z3r_build import transfers
from v1z3r_build.transfers import CODINGS, Coding, Load

if TYPE_CHECKING:
    from collections.abc import Iterator

    from v1z3r_build.manifest import FileRecord, Manifest

Unit = Literal[Coding, "requests", "copies"]


@dataclass(frozen=True, slots=True)
class Measure:
    """An amount, and the share that each file has in it, the largest first."""

    value: int
    files: tuple[tuple[str, int], ...]


@dataclass(frozen=True, slots=True)
class Figure:
    """What is counted.

    name: for people and programs, such as `initial script`. unit: bytes in a coding, or what else is counted.
    lazy: of what the route may fetch later, not of what it fetches at once. kinds: those that count; all, if there are
    none. vendor: that one's files alone count.
    """

    name: str
    unit: Unit
    lazy: bool = False
    kinds: tuple[str, ...] = ()
    vendor: str = ""

    def measure(self, manifest: Manifest, route: str) -> Measure:
        """The figure of a route. route: a key of `routes`."""
        if self.unit == "copies":
            return _measured(dict.fromkeys(_copies(manifest, route), 1))
        load = (transfers.lazy if self.lazy else transfers.initial)(manifest, route)
        if self.kinds:
            load = load.of_kind(*self.kinds)
        if self.vendor:
            load = load.of_vendor(self.vendor)
        return _measured({path: size(record, self.unit) for path, record in load.files.items()})


def size(record: FileRecord, unit: Unit) -> int:
    """What one file adds to a figure in this unit."""
    return transfers.size(record, unit) if unit in CODINGS else 1


def _measured(files: dict[str, int]) -> Measure:
    largest = sorted(files.items(), key=lambda item: (-item[1], item[0]))
    return Measure(sum(files.values()), tuple(largest))


def _copies(manifest: Manifest, route: str) -> Iterator[str]:
    """Files of a route that hold what another file of the route holds already, of the same vendor.

    Two files with the same label may as well be two parts of one library: only `split` has compared them, and says so
    in `vendor-copies`, which names scripts of the input.
    """
    load = Load({**transfers.initial(manifest, route).files, **transfers.lazy(manifest, route).files})
    sources = {source: path for path, record in load.files.items() for source in (*record.source, path)}
    for one in manifest.diagnostics:
        if one.code == "vendor-copies" and one.path in sources:
            others = one.message.partition(", and so do ")[2].partition(": ")[0].split(", ")
            if not sources.keys().isdisjoint({*others} - {one.path}):
                label = one.message.removeprefix("it holds ").partition(",")[0]
                split = (
                    path for path, record in load.files.items() if one.path in record.source and record.vendor == label
                )
                yield next(split, sources[one.path])
