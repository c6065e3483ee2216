"""Source maps (ECMA-426): read, fitted to their scripts, and made anew for texts that are made of these.

A segment holds from its place to the next one on its line. Places are counted here in bytes from the start of the
text; in maps they are lines and columns in UTF-16 units.
"""

from __future__ import annotations

import json
import posixpath
import re
from array import array
from bisect import bisect_left, bisect_right
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

from v1z3r_build.formats.derivation import ADDED

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from v1z3r_build.formats.derivation import Derived

_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
_DIGITS = {letter: value for value, letter in enumerate(_LETTERS)}
# The guard against scripts that include a map as code (ECMA-426, "Source map format").
_GUARD = re.compile(rb"\)\]\}'[^\n]*\n")
_COMMENT = re.compile(rb"(?://|/\*)[#@][ \t]*sourceMappingURL=([^\s'\"`*]+)\s*(?:\*/\s*)?\Z")
_IGNORED = ("ignoreList", "x_google_ignoreList")
# What stands in a map of a script and holds for what the script becomes.
_KEPT = ("sourceRoot", "debugId", "debug_id")
# Bundlers let segments begin where tokens do. In a map of another build, every second segment is in a word.
_MISPLACED = 0.2
_WORD = bytes(chr(byte).isalnum() or byte in b"_$" for byte in range(128)) + b"\1" * 128
# For most readers a line ends with a line feed, for some also here (ECMA-262, §12.3).
_OTHER_LINE_ENDS = re.compile(rb"\r(?!\n)|\xe2\x80[\xa8\xa9]")
_MULTIBYTE = re.compile(rb"[\xc2-\xf4][\x80-\xbf]+")


class MapError(ValueError):
    """A source map that does not fit the standard or its script; the text says what is wrong."""


class Origin(NamedTuple):
    """A place of a source. line, column: from 0, the column in UTF-16 units. source, name: indices, -1 for no name."""

    source: int
    line: int
    column: int
    name: int


@dataclass(frozen=True, slots=True)
class SourceMap:
    """A map without sections.

    contents: of the sources, None where the map has none at all. ignored: by key, the sources that debuggers pass
    over. others: further members that are kept. lines, columns: where segments begin in the script; origins: what they
    say, None where what follows has no source.
    """

    sources: tuple[str | None, ...]
    names: tuple[str, ...]
    contents: tuple[str | None, ...] | None = field(repr=False)
    ignored: Mapping[str, frozenset[int]]
    others: Mapping[str, Any]
    file: str | None
    lines: Sequence[int] = field(repr=False)
    columns: Sequence[int] = field(repr=False)
    origins: Sequence[Origin | None] = field(repr=False)


def mapping_url(script: bytes) -> str:
    """The address of a script's map, as its last comment gives it (ECMA-426, "Linking generated code"); '' for none."""
    found = _COMMENT.search(script, max(script.rstrip().rfind(b"\n"), 0))
    return found[1].decode("utf-8", "replace") if found else ""


def read(data: bytes) -> SourceMap:
    """Read a map, with or without sections. Raises MapError."""
    try:
        found = json.loads(_GUARD.sub(b"", data, count=1) if data.startswith(b")]}'") else data)
    except ValueError as error:
        raise MapError(f"it is no JSON: {error}") from error
    return interpreted(found)


def interpreted(found: Any) -> SourceMap:
    """A map of which the JSON is read. Raises MapError."""
    reader = _Reader()
    try:
        reader.read(found, 0, 0)
    except (KeyError, TypeError, AttributeError) as error:
        raise MapError(f"it lacks what a map must have: {error}") from error
    return reader.result(found)


class _Reader:
    def __init__(self) -> None:
        self.sources: list[str | None] = []
        self.contents: list[str | None] = []
        self.has_contents = False
        self.names: list[str] = []
        self.ignored: dict[str, set[int]] = {}
        self.others: dict[str, Any] | None = None
        self.lines = array("i")
        self.columns = array("i")
        self.origins: list[Origin | None] = []

    def read(self, found: Any, line: int, column: int) -> None:
        """line, column: where the map's first line begins in the script."""
        if found.get("version") != 3:
            raise MapError(f"it is of version {found.get('version')!r}, not 3")
        if "sections" in found:
            for section in found["sections"]:
                offset = section["offset"]
                self.read(section["map"], line + offset["line"], offset["column"] + (0 if offset["line"] else column))
            return
        others = {key: found[key] for key in _KEPT if found.get(key)}
        if self.others not in (None, others):
            raise MapError("its sections have different roots")
        self.others = others
        sources, names = found["sources"], found.get("names") or []
        contents = found.get("sourcesContent") or []
        if not all(one is None or isinstance(one, str) for one in (*sources, *contents)) or len(contents) > len(
            sources
        ):
            raise MapError("its sources are no texts")
        for key in _IGNORED:
            self.ignored.setdefault(key, set()).update(index + len(self.sources) for index in found.get(key) or ())
        self._mappings(found["mappings"], line, column, len(sources), len(names))
        self.sources += sources
        self.names += names
        self.contents += [*contents, *[None] * (len(sources) - len(contents))]
        self.has_contents = self.has_contents or bool(contents)

    def _mappings(self, mappings: str, line: int, column: int, sources: int, names: int) -> None:
        known: dict[str, tuple[int, ...]] = {"": ()}
        first_source, first_name = len(self.sources), len(self.names)
        source = source_line = source_column = name = 0
        for number, text in enumerate(mappings.split(";"), line):
            here = column if number == line else 0
            for segment in text.split(","):
                fields = known.get(segment)
                if fields is None:
                    fields = known[segment] = numbers(segment)
                if not fields:
                    continue
                here += fields[0]
                self.lines.append(number)
                self.columns.append(here)
                if len(fields) == 1:
                    self.origins.append(None)
                    continue
                source += fields[1]
                source_line += fields[2]
                source_column += fields[3]
                name += fields[4] if len(fields) == 5 else 0
                own = name + first_name if len(fields) == 5 else -1
                named = own < 0 or 0 <= name < names
                if not 0 <= source < sources or source_line < 0 or source_column < 0 or not named:
                    raise MapError(f"the segment {segment!r} of line {number} leads out of its lists")
                self.origins.append(Origin(source + first_source, source_line, source_column, own))

    def result(self, found: Any) -> SourceMap:
        file = found.get("file")
        return SourceMap(
            tuple(self.sources),
            tuple(self.names),
            tuple(self.contents) if self.has_contents else None,
            {key: frozenset(one) for key, one in self.ignored.items() if one},
            {**(self.others or {}), **{key: found[key] for key in _KEPT if found.get(key)}},
            file if isinstance(file, str) else None,
            self.lines,
            self.columns,
            self.origins,
        )


def numbers(segment: str) -> tuple[int, ...]:
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
    return tuple(found)


def written_number(value: int) -> str:
    """A number in base 64 VLQ."""
    rest = -value << 1 | 1 if value < 0 else value << 1
    text = ""
    while rest > 31:
        text += _LETTERS[rest & 31 | 32]
        rest >>= 5
    return text + _LETTERS[rest]


class _Ruler:
    """Lines and columns of a text against bytes."""

    def __init__(self, text: bytes) -> None:
        self.size = len(text)
        self.starts = [0, *(found.end() for found in re.finditer(rb"\n", text))]
        # After each character that is more bytes than units: its end, in bytes and in units.
        self._ends: list[int] = []
        self._units: list[int] = []
        more = 0
        for found in () if text.isascii() else _MULTIBYTE.finditer(text):
            size = found.end() - found.start()
            more += size - (2 if size == 4 else 1)
            self._ends.append(found.end())
            self._units.append(found.end() - more)

    def units(self, place: int) -> int:
        """The UTF-16 units before a place."""
        if not self._ends:
            return place
        index = bisect_right(self._ends, place) - 1
        return place if index < 0 else self._units[index] + place - self._ends[index]

    def place(self, units: int) -> int:
        """The other way round."""
        if not self._ends:
            return units
        index = bisect_right(self._units, units) - 1
        return units if index < 0 else self._ends[index] + units - self._units[index]

    def line_start(self, place: int) -> int:
        """Where the line of a place begins."""
        return self.starts[bisect_right(self.starts, place) - 1]


class Span(NamedTuple):
    """Bytes of a script, from start to end. source: the path that they come from, None for what has no source."""

    start: int
    end: int
    source: str | None


class FittedMap:
    """A map and the script that it is of."""

    def __init__(self, source_map: SourceMap, script: bytes) -> None:
        """Raises MapError where the map is not one of this script."""
        self._map = source_map
        self._size = len(script)
        self._ruler = _Ruler(script)
        self._places = self._placed(script)

    def _placed(self, script: bytes) -> array[int]:
        """Where the segments begin."""
        if found := _OTHER_LINE_ENDS.search(script):
            raise MapError(f"not all its readers would count the line end at byte {found.start()}")
        starts = self._ruler.starts
        units = [self._ruler.units(start) for start in starts]
        ends = [*units[1:], self._ruler.units(self._size) + 1]
        places = array("i")
        before = misplaced = 0
        words = script.translate(_WORD)
        for line, column, origin in zip(self._map.lines, self._map.columns, self._map.origins, strict=True):
            if not 0 <= line < len(starts) or column < 0:
                raise MapError(f"a segment for line {line + 1}, column {column}, where the script has none")
            # SWC lets some begin behind the end of their line, where nobody looks for them.
            end = ends[line] - 1
            place = self._ruler.place(min(units[line] + column, end))
            if place < before:
                raise MapError(f"the segments of line {line + 1} are out of order at column {column}")
            before = place
            places.append(place)
            inside = 0 < place < self._size and words[place - 1] and words[place]
            if origin is not None and (inside or units[line] + column > end):
                misplaced += 1
        if misplaced > _MISPLACED * len(places):
            raise MapError(f"{misplaced:,} of {len(places):,} segments begin within a word or behind their line")
        return places

    def spans(self) -> list[Span]:
        """The script from its first byte to its last, by source. Neighbours are of different sources.

        A source goes on until the next one begins, over ends of lines too: within a long template literal, as three's
        shaders are, bundlers write no segments.
        """
        begun: list[tuple[int, str | None]] = [(0, None)]
        for place, origin in zip(self._places, self._map.origins, strict=True):
            source = self._map.sources[origin.source] if origin is not None else None
            if begun[-1][0] == place:  # the last one of a place holds
                begun.pop()
            if not begun or begun[-1][1] != source:
                begun.append((place, source))
        ends = [*(place for place, _ in begun), self._size][1:]
        return [Span(start, end, source) for (start, source), end in zip(begun, ends, strict=True) if start < end]

    def origin(self, place: int) -> Origin | None:
        """What the map says of a place of the script."""
        index = self._index(place)
        return self._map.origins[index] if index >= 0 else None

    def _index(self, place: int) -> int:
        """The segment that holds at a place, -1 for none."""
        index = bisect_right(self._places, place) - 1
        if index < 0 or self._places[index] < self._ruler.line_start(place) or self._map.origins[index] is None:
            return -1
        return index

    def composed(self, text: Derived, name: str) -> bytes:
        """The map of a text made of the script: of each byte it says what the old one says of its origin.

        Of what was added it says that it has no source. name: the text's file, in the folder of the script.
        """
        places, segments = self._composed(text)
        return _Writer(self._map, _Ruler(text)).written(text, places, segments, name)

    def _composed(self, text: Derived) -> tuple[list[int], list[int]]:
        """Where segments begin in a text, and which ones they are, -1 for no source."""
        starts = _Ruler(text).starts
        old = self._places
        places: list[int] = []
        segments: list[int] = []
        now = -1
        line = 0
        for number, (place, origin) in enumerate(zip(text.places, text.origins, strict=True)):
            while line + 1 < len(starts) and starts[line + 1] <= place:
                line += 1
            if places and places[-1] < starts[line]:
                now = -1
            start = origin if origin >= 0 else ~origin
            segment = self._index(start) if origin != ADDED else -1
            if segment != now:
                places.append(place)
                segments.append(segment)
                now = segment
            if origin < 0:
                continue
            end = text.places[number + 1] if number + 1 < len(text.places) else len(text)
            low, high = bisect_right(old, start), bisect_left(old, start + end - place)
            if low < high:
                shift = place - start
                places += [one + shift for one in old[low:high]]
                segments += range(low, high)
                now = high - 1 if self._map.origins[high - 1] is not None else -1
        return places, segments


class _Writer:
    """A map made of segments of another."""

    def __init__(self, source_map: SourceMap, ruler: _Ruler) -> None:
        self._map = source_map
        self._ruler = ruler
        self._sources: dict[int, int] = {}
        self._names: dict[int, int] = {}

    def written(self, text: bytes, places: Sequence[int], segments: Sequence[int], name: str) -> bytes:
        """text: what the map is of. name: its file's."""
        mappings = self._mappings(places, segments)
        old = self._map
        found: dict[str, Any] = {"version": 3}
        if old.file is not None:
            found["file"] = posixpath.join(posixpath.dirname(old.file), name)
        # An id of script and map stands in both.
        found |= {key: one for key, one in old.others.items() if key == "sourceRoot" or str(one).encode() in text}
        found["sources"] = [old.sources[index] for index in self._sources]
        if old.contents is not None:
            found["sourcesContent"] = [old.contents[index] for index in self._sources]
        found["names"] = [old.names[index] for index in self._names]
        found["mappings"] = mappings
        for key, ignored in old.ignored.items():
            found[key] = sorted(self._sources[index] for index in ignored if index in self._sources)
        # Half a pair of surrogates can stand in JSON only as an escape, which is what Python writes here as well.
        return json.dumps(found, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "backslashreplace")

    def _mappings(self, places: Sequence[int], segments: Sequence[int]) -> str:
        pieces: list[str] = []
        known: dict[int, str] = {}
        starts, units, origins = self._ruler.starts, self._ruler.units, self._map.origins
        sources, names = self._sources, self._names
        line = first = column = 0
        before = Origin(0, 0, 0, 0)
        separator = ""
        for place, segment in zip(places, segments, strict=True):
            while line + 1 < len(starts) and starts[line + 1] <= place:
                line += 1
                pieces.append(";")
                first, column, separator = units(starts[line]), 0, ""
            here = units(place) - first
            origin = origins[segment] if segment >= 0 else None
            values = [here - column]
            column = here
            if origin is not None:
                source = sources.setdefault(origin.source, len(sources))
                values += (source - before.source, origin.line - before.line, origin.column - before.column)
                name = before.name
                if origin.name >= 0:
                    name = names.setdefault(origin.name, len(names))
                    values.append(name - before.name)
                before = Origin(source, origin.line, origin.column, name)
            pieces.append(separator)
            for value in values:
                text = known.get(value)
                if text is None:
                    text = known[value] = written_number(value)
                pieces.append(text)
            separator = ","
        return "".join(pieces)
