"""Which bytes of an export's scripts come from which vendor, told by the bundler's source maps.

    python benchmarks/split_truth.py [EXPORT [MAPS]] …

EXPORT is a folder, MAPS the folder of its maps: `PATH.map` for the script at PATH. Without arguments: all of
`build/fixtures-maps`, which `make fixtures` fills. Prints the bytes of each vendor in each script. What a map does not
speak of (wrappers of modules, parts of the runtime) is told apart: it belongs to nobody.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
from collections import Counter
from dataclasses import dataclass
from itertools import groupby, pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

BUILD = Path(__file__).resolve().parents[1] / "build"
# A vendor is what its own packages hold, and what they bring along that the fixtures' apps do not ask for themselves.
VENDORS = {
    "three": re.compile(r"three/"),
    "tfjs": re.compile(
        r"(@tensorflow/[^/]+|long|seedrandom|string_decoder|safe-buffer|node-fetch|core-js|regenerator-runtime)/"
    ),
}
# Columns of the table for what is of no vendor: other packages, with the app; and what has no source.
REST, NOBODY = "rest", "nobody"
_DIGITS = {
    letter: value for value, letter in enumerate("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/")
}


class MapError(ValueError):
    """A source map does not fit the standard or its script; the text says what is wrong."""


@dataclass(frozen=True, slots=True)
class Span:
    """Bytes of a script: from start to end (without it), both counted from the script's first byte.

    origin: the path of the source, or the vendor; None for what has no source.
    """

    start: int
    end: int
    origin: str | None

    @property
    def size(self) -> int:
        """How many bytes."""
        return self.end - self.start


@dataclass(frozen=True, slots=True)
class Mark:
    """A place of the script at which a source begins. line, column: from 0, the column in UTF-16 units."""

    line: int
    column: int
    source: str | None


def numbers(segment: str) -> list[int]:
    """The numbers of a segment of `mappings`, in base 64 VLQ. Raises MapError when it is not that."""
    found: list[int] = []
    value = shift = 0
    for letter in segment:
        digit = _DIGITS.get(letter)
        if digit is None:
            raise MapError(f"{letter!r} in the segment {segment!r}")
        value |= (digit & 31) << shift
        shift += 5
        if not digit & 32:
            found.append(-(value >> 1) if value & 1 else value >> 1)
            value = shift = 0
    if shift or len(found) not in (1, 4, 5):
        raise MapError(f"the segment {segment!r}")
    return found


def marks(source_map: dict[str, Any], line: int = 0, column: int = 0) -> Iterator[Mark]:
    """The segments of a map, in the order of the script. line, column: where its first line begins in the script.

    Raises MapError. The order is the standard's, which the ranges rely on.
    """
    for section in source_map.get("sections", ()):
        offset = section["offset"]
        yield from marks(section["map"], line + offset["line"], offset["column"] + (0 if offset["line"] else column))
    if "sections" in source_map:
        return
    sources = source_map["sources"]
    source = 0
    for number, text in enumerate(source_map["mappings"].split(";")):
        here = column if number == 0 else 0
        for segment in filter(None, text.split(",")):
            fields = numbers(segment)
            here += fields[0]
            if len(fields) > 1:
                source += fields[1]
                if not 0 <= source < len(sources):
                    raise MapError(f"no source {source} in a list of {len(sources)}")
            yield Mark(line + number, here, sources[source] if len(fields) > 1 else None)


def spans(script: bytes, source_map: dict[str, Any]) -> list[Span]:
    """The script from its first byte to its last, by source. Neighbours are of different sources.

    A source goes on until the next one begins, over ends of lines too: within a long template literal, as three's
    shaders are, bundlers write no segments. Raises MapError.
    """
    lines = script.split(b"\n")
    offsets = [0]
    for line in lines:
        offsets.append(offsets[-1] + len(line) + 1)
    places: list[tuple[int, str | None]] = [(0, None)]
    for number, group in groupby(marks(source_map), key=lambda mark: mark.line):
        if number >= len(lines):
            raise MapError(f"a segment for line {number} of {len(lines)}")
        columns = _bytes_of_columns(lines[number])
        for mark in group:
            place = offsets[number] + (mark.column if columns is None else columns[min(mark.column, len(columns) - 1)])
            # A segment may stand for the end of a line, and so for the break after it, but not beyond.
            place = min(place, offsets[number + 1], len(script))
            if place < places[-1][0]:
                raise MapError(f"segments of line {number} are out of order at column {mark.column}")
            places.append((place, mark.source))
    places.append((len(script), None))
    return joined(Span(start, end, source) for (start, source), (end, _) in pairwise(places))


def _bytes_of_columns(line: bytes) -> list[int] | None:
    """How many bytes stand before each UTF-16 column of a line; None where that is the column itself."""
    if line.isascii():
        return None
    found = [0]
    for character in line.decode("utf-8", "surrogateescape"):
        size = len(character.encode("utf-8", "surrogateescape"))
        # Between the halves of a pair no segment begins.
        found += [found[-1] + size] * (2 if ord(character) > 0xFFFF else 1)
    return found


def joined(parts: Iterable[Span]) -> list[Span]:
    """The spans without empty ones, neighbours of the same origin made one."""
    found: list[Span] = []
    for origin, group in groupby((part for part in parts if part.size), key=lambda part: part.origin):
        members = list(group)
        found.append(Span(members[0].start, members[-1].end, origin))
    return found


def vendor(source: str | None) -> str:
    """Whose a source is: the name of a vendor, REST or NOBODY. Told by the last package in its path."""
    if source is None:
        return NOBODY
    _, inside, path = source.rpartition("node_modules/")
    return next((name for name, pattern in VENDORS.items() if inside and pattern.match(path)), REST)


def truth(export: Path, maps: Path) -> dict[str, list[Span]]:
    """The spans of each mapped script of an export, by vendor; the keys are paths in the export. Raises MapError."""
    found: dict[str, list[Span]] = {}
    for file in sorted(maps.rglob("*.js.map")):
        path = file.relative_to(maps).as_posix().removesuffix(".map")
        try:
            parts = spans((export / path).read_bytes(), json.loads(file.read_text(encoding="utf-8")))
        except MapError as error:
            raise MapError(f"{file}: {error}") from error
        found[path] = joined(Span(part.start, part.end, vendor(part.origin)) for part in parts)
    return found


def table(scripts: dict[str, list[Span]]) -> str:
    """The bytes of each vendor in each script, the largest script first."""
    columns = (*VENDORS, REST, NOBODY)
    rows = {path: Counter[str]() for path in scripts}
    for path, parts in scripts.items():
        for part in parts:
            rows[path][part.origin or NOBODY] += part.size
    ordered = sorted(rows.items(), key=lambda row: -row[1].total())
    ordered.append(("all", sum(rows.values(), Counter[str]())))
    lines = ["".join(f"{name:>11}" for name in (*columns, "spans"))]
    for path, sizes in ordered:
        count = len(scripts[path]) if path in scripts else sum(map(len, scripts.values()))
        lines.append("".join(f"{sizes[name]:>11,}" for name in columns) + f"{count:>11,}  {path}")
    return "\n".join(lines)


def main() -> int:
    """Print the tables. Returns 0, or 1 when a map is missing or broken."""
    parser = argparse.ArgumentParser(description="Print the bytes of each vendor in each script, told by source maps.")
    parser.add_argument("export", nargs="?", type=Path, help="default: all exports with maps in build/fixtures")
    parser.add_argument("maps", nargs="?", type=Path, help="default: beside the export's folder, in FOLDER-maps/NAME")
    asked = parser.parse_args()
    if asked.export is None:
        exports = [BUILD / "fixtures" / maps.name for maps in sorted((BUILD / "fixtures-maps").glob("*"))]
    else:
        exports = [asked.export.resolve()]
    for export in exports:
        maps = asked.maps or export.parent.with_name(f"{export.parent.name}-maps") / export.name
        if not maps.is_dir():
            print(f"error: no folder {maps}", file=sys.stderr)
            return 1
        try:
            print(f"{export.name}\n{table(truth(export, maps))}\n", flush=True)
        except (MapError, OSError) as error:
            print(f"error: {error}", file=sys.stderr)
            return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
