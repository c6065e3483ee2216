"""How many bytes of a script or style sheet come from which source, by its source map (ECMA-426)."""

from __future__ import annotations

from collections import Counter
from itertools import pairwise
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

_DIGITS = {
    letter: value for value, letter in enumerate("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/")
}
_COMMENT = b"\n//# sourceMappingURL="


class SourceMapError(ValueError):
    """A source map does not fit the standard or its file; the text says what is wrong."""


def sizes(data: bytes, source_map: object) -> dict[str | None, int]:
    """Bytes of a file by source; None is the key of those that come from none. Their sum is the file's size.

    A source goes on until the next one begins, over ends of lines too: bundlers write no segments within a long
    literal; the last one until the comment that names the map. source_map: the parsed JSON text. Raises SourceMapError.
    """
    lines = data.split(b"\n")
    starts = [0]
    for text in lines:
        starts.append(starts[-1] + len(text) + 1)
    places: list[tuple[int, str | None]] = [(0, None)]
    known: dict[int, list[int] | None] = {}
    for line, column, source in _segments(source_map):
        if line >= len(lines):
            raise SourceMapError(f"a segment for line {line} of {len(lines)}")
        if line not in known:
            known[line] = _bytes_of_columns(lines[line])
        columns = known[line]
        offset = starts[line] + (column if columns is None else columns[min(column, len(columns) - 1)])
        # A segment may stand for the break at the end of its line, but not beyond.
        offset = min(offset, starts[line + 1], len(data))
        if offset < places[-1][0]:
            raise SourceMapError(f"segments of line {line} are out of order at column {column}")
        places.append((offset, source))
    # The comment that names the map is of no source.
    places.append((max(places[-1][0], data.rfind(_COMMENT)) if _COMMENT in data else len(data), None))
    places.append((len(data), None))
    found: Counter[str | None] = Counter()
    for (start, source), (end, _) in pairwise(places):
        if end > start:
            found[source] += end - start
    return dict(found)


def _segments(source_map: object, line: int = 0, column: int = 0) -> Iterator[tuple[int, int, str | None]]:
    """Line, column in UTF-16 units and source of each segment, in order. line, column: where the map's text begins."""
    if not isinstance(source_map, dict):
        raise SourceMapError("it is no object")
    if "sections" in source_map:
        for section in _listed(source_map, "sections"):
            inner, offset = _member(section, "map"), _member(section, "offset")
            down, right = _member(offset, "line"), _member(offset, "column")
            if not isinstance(down, int) or not isinstance(right, int) or min(down, right) < 0:
                raise SourceMapError("the offset of a section is no place")
            if isinstance(inner, dict) and "sections" in inner:
                raise SourceMapError("a section has sections")
            yield from _segments(inner, line + down, right + (0 if down else column))
        return
    sources = _listed(source_map, "sources")
    root = source_map.get("sourceRoot") or ""
    if not isinstance(root, str):
        raise SourceMapError("`sourceRoot` is no string")
    names = [f"{root.rstrip('/')}/{one}" if root and one else one for one in sources]
    mappings = _member(source_map, "mappings")
    if not isinstance(mappings, str):
        raise SourceMapError("`mappings` is no string")
    source = 0
    for number, text in enumerate(mappings.split(";")):
        here = column if number == 0 else 0
        for segment in filter(None, text.split(",")):
            fields = _numbers(segment)
            here += fields[0]
            if len(fields) > 1:
                source += fields[1]
                if not 0 <= source < len(names):
                    raise SourceMapError(f"no source {source} in a list of {len(names)}")
            if here < 0:
                raise SourceMapError(f"the column {here}")
            yield line + number, here, names[source] if len(fields) > 1 else None


def _member(value: object, key: str) -> Any:
    if not isinstance(value, dict) or key not in value:
        raise SourceMapError(f"there is no `{key}`")
    return value[key]


def _listed(value: dict[str, Any], key: str) -> list[Any]:
    found = _member(value, key)
    if not isinstance(found, list):
        raise SourceMapError(f"`{key}` is no list")
    if key == "sources" and not all(one is None or isinstance(one, str) for one in found):
        raise SourceMapError("a source is no string")
    return found


def _numbers(segment: str) -> list[int]:
    """The numbers of a segment, in base 64 VLQ."""
    found: list[int] = []
    value = shift = 0
    for letter in segment:
        digit = _DIGITS.get(letter)
        if digit is None:
            raise SourceMapError(f"{letter!r} in the segment {segment[:40]!r}")
        value |= (digit & 31) << shift
        shift += 5
        if not digit & 32:
            found.append(-(value >> 1) if value & 1 else value >> 1)
            value = shift = 0
    if shift or len(found) not in (1, 4, 5):
        raise SourceMapError(f"the segment {segment[:40]!r}")
    return found


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
