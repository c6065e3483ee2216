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
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Any

from v1z3r_build.formats import source_maps
from v1z3r_build.formats.source_maps import FittedMap, MapError

if TYPE_CHECKING:
    from collections.abc import Iterable

BUILD = Path(__file__).resolve().parents[1] / "build"
# A vendor is what its own packages hold, and what they bring along that the fixtures' apps do not ask for themselves.
VENDORS = {
    "three": re.compile(r"three(?:-next)?/"),  # the alias of upgraded builds
    "tfjs": re.compile(
        r"(@tensorflow/[^/]+|long|seedrandom|string_decoder|safe-buffer|node-fetch|core-js|regenerator-runtime)/"
    ),
}
# Columns of the table for what is of no vendor: other packages, with the app; and what has no source.
REST, NOBODY = "rest", "nobody"
# Shorter words are names that minifiers give, and keywords.
_WORD = re.compile(r"[A-Za-z_]{9,}")


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


def spans(script: bytes, source_map: dict[str, Any]) -> list[Span]:
    """The script from its first byte to its last, by source. Neighbours are of different sources. Raises MapError.

    What a map gives to a source of the app that does not hold its words has none: an entry holds until the next one,
    and Turbopack makes none for the head of a module that it joins to another, here functions of tfjs behind the
    app's imports.
    """
    fitted = FittedMap(source_maps.interpreted(source_map), script)
    texts = {path: text for path, text in _texts(source_map).items() if path and "node_modules/" not in path}
    return [
        Span(one.start, one.end, one.source if _may_be_of(texts.get(one.source), script[one.start : one.end]) else None)
        for one in fitted.spans()
    ]


def _texts(source_map: dict[str, Any]) -> dict[str | None, str]:
    """The texts of the sources, by their paths, as far as the map holds them."""
    maps = [section["map"] for section in source_map.get("sections", ())] or [source_map]
    return {
        path: text
        for one in maps
        for path, text in zip(one["sources"], one.get("sourcesContent") or (), strict=False)
        if text is not None
    }


def _may_be_of(text: str | None, part: bytes) -> bool:
    """Whether a fourth of the words of a part that minifiers keep stand in a source."""
    words = set(_WORD.findall(part.decode("utf-8", "replace")))
    return text is None or sum(word in text for word in words) * 4 >= len(words)


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
