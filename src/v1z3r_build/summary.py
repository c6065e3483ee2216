"""What a run has gained, as figures: per kind of file, before and after."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any, NamedTuple, Self, get_args

from v1z3r_build.site.asset import Kind

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from v1z3r_build.manifest import FileRecord, Manifest


# The source of files, and whose they are: a vendor's file has the source of the script that it was split from, and is
# no copy of it.
_Made = tuple[tuple[str, ...], str]


class _Needed(NamedTuple):
    """A file that a visitor may need, and bytes of it."""

    transferred: int
    kind: str
    size: int

    def add_to(self, totals: Mapping[str, Counter[str]]) -> None:
        """Add it to the figures of its kind."""
        totals[self.kind].update(bytes_after=self.size, transferred=self.transferred)


@dataclass(frozen=True, slots=True)
class Totals:
    """Files and bytes of one kind of file.

    Bytes after are those that a visitor may need: of a file and the copies and variants made of it, the smallest
    counts alone. transferred: bytes of its smallest encoding, or its own if it has none.
    """

    files_before: int = 0
    bytes_before: int = 0
    files_after: int = 0
    bytes_after: int = 0
    transferred: int = 0

    def __add__(self, other: Self) -> Totals:
        return Totals(*(getattr(self, one.name) + getattr(other, one.name) for one in fields(Totals)))

    def to_json(self) -> dict[str, Any]:
        """The figures for programs."""
        return {
            "before": {"files": self.files_before, "bytes": self.bytes_before},
            "after": {"files": self.files_after, "bytes": self.bytes_after, "transferred": self.transferred},
        }


class Summary(NamedTuple):
    """The gain of one run. kinds: in the order of the contract, only those that occur."""

    kinds: Mapping[Kind, Totals]
    immutable: int

    @property
    def total(self) -> Totals:
        """All kinds together."""
        return sum(self.kinds.values(), Totals())

    def to_json(self) -> dict[str, Any]:
        """The figures for programs."""
        return {
            **self.total.to_json(),
            "immutable": self.immutable,
            "kinds": {kind: totals.to_json() for kind, totals in self.kinds.items()},
        }


def summarize(before: Iterable[tuple[Kind, int]], manifest: Manifest) -> Summary:
    """The gain between the input, given as kind and size in bytes of every file, and the output."""
    totals = {kind: Counter[str]() for kind in get_args(Kind)}
    for kind, size in before:
        totals[kind].update(files_before=1, bytes_before=size)
    # Most files are all that was made of their source.
    needed: dict[_Made, _Needed | None] = {}
    for path, record in manifest.files.items():
        totals[record.kind]["files_after"] += 1
        if record.source not in ((), (path,)):
            needed[record.source, record.vendor] = None
    immutable = 0
    for path, record in manifest.files.items():
        immutable += record.cache_class == "immutable"
        made = (record.source or (path,), record.vendor)
        one = _Needed(transferred(record), record.kind, record.size)
        if made not in needed:
            one.add_to(totals)
        elif (known := needed[made]) is None or one.transferred < known.transferred:
            needed[made] = one
    for known in needed.values():
        if known is not None:
            known.add_to(totals)
    return Summary({kind: Totals(**counted) for kind, counted in totals.items() if counted.total()}, immutable)


def transferred(record: FileRecord) -> int:
    """The bytes that travel to a browser that takes every encoding."""
    return min([record.size, *(encoding.size for encoding in record.encodings.values())])
