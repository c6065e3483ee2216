"""React's flight data, as Next.js exports it beside each page (`index.txt`) and inside it.

Rows are `id:payload` up to a line end; a text row `id:T<length>,<text>` counts its UTF-8 bytes in hexadecimal
and ends without a line end. A new name of equal length keeps these counts true.

In a page the data stands as `<script>self.__next_f.push([1,"…"])</script>`, one for each piece that React hands over.
React cuts rows into pieces of 4096 bytes (react-server-dom, `writeChunk`), in the middle of a name too.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from itertools import pairwise
from typing import TYPE_CHECKING

from v1z3r_build.formats import json
from v1z3r_build.site.span import Hit, Mention, Reading, mention

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_ROW = re.compile(rb"[0-9a-f]*:")
_TEXT = re.compile(rb"T([0-9a-f]+),")
# The first character of a row's payload: a tag (I module, H hint, E error, D debug …) or JSON.
_PAYLOAD = re.compile(rb'[A-Z]{0,2}[\["{\dtfn-]|[A-Z]\n')

_PUSHED = rb'\s*+(?:self|window)\.__next_f\.push\(\[1,"([^"\\]*+(?:\\.[^"\\]*+)*+)"\]\)[\s;]*+'
_PUSH = re.compile(_PUSHED, re.S)
_PUSH_ELEMENT = re.compile(rb"<script[^<>]*+>" + _PUSHED + rb"</script", re.S)


def seams(page: bytes) -> list[tuple[int, int]]:
    """Where the text of one push ends and where that of the next begins, by the looks of it: see `pushed`."""
    if b"__next_f" not in page:
        return []
    return [(one.end(1), other.start(1)) for one, other in pairwise(_PUSH_ELEMENT.finditer(page))]


def pushed(page: bytes, start: int, end: int) -> tuple[int, int] | None:
    """The content of the string that an inline script from start to end pushes, if it does nothing else."""
    found = _PUSH.fullmatch(page, start, end)
    return found.span(1) if found else None


def rows(data: bytes) -> Iterator[tuple[int, int, bool]] | None:
    """The payloads of all rows, each with whether it is a text row; None if this is no flight data."""
    found: list[tuple[int, int, bool]] = []
    position = 0
    while position < len(data):
        head = _ROW.match(data, position)
        if head is None:
            return None
        start = head.end()
        text = _TEXT.match(data, start)
        if text is not None:
            end = text.end() + int(text.group(1), 16)
            if end > len(data):
                return None
            found.append((text.end(), end, True))
            position = end
            continue
        if _PAYLOAD.match(data, start) is None:
            return None
        end = data.find(b"\n", start)
        end = len(data) if end < 0 else end
        found.append((start, end, False))
        position = end + 1
    return iter(found) if found else None


def read(data: bytes, hits: Sequence[Hit] = ()) -> Reading:
    """The mentions of words in flight data. A text row is text that a visitor sees: nothing is filled there."""
    payloads = rows(data)
    if payloads is None:
        return Reading(mentions=tuple(mention(data, hit, "text", 0, len(data)) for hit in hits))
    mentions: list[Mention] = []
    hits = sorted(hits, key=lambda hit: hit.start)
    starts = [hit.start for hit in hits]
    for start, end, is_text in payloads:
        inside = [hit for hit in hits[bisect_left(starts, start) : bisect_left(starts, end)] if hit.end <= end]
        if is_text:
            mentions.extend(mention(data, hit, "text", start, end) for hit in inside)
        elif inside:
            mentions.extend(json.read_row(data, inside, start, end))
    answered = {(found.start, found.word) for found in mentions}
    mentions.extend(
        mention(data, hit, "unknown", 0, len(data)) for hit in hits if (hit.start, hit.word) not in answered
    )
    return Reading(mentions=tuple(mentions))
