"""React's flight data, as Next.js exports it beside each page (`index.txt`) and inside it.

Rows are `id:payload` up to a line end; a text row `id:T<length>,<text>` counts its UTF-8 bytes in hexadecimal
and ends without a line end. A new name of equal length keeps these counts true.

In a page the data stands as `<script>self.__next_f.push([1,"…"])</script>`, one for each piece that React hands over.
React cuts rows into pieces of 4096 bytes (react-server-dom, `writeChunk`), in the middle of a name too.
"""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from dataclasses import dataclass, field
from itertools import islice, pairwise
from json import loads
from typing import TYPE_CHECKING

from v1z3r_build.formats import json
from v1z3r_build.formats.javascript import SHARED, SHOWING, shown_set, unescape
from v1z3r_build.site.span import Hit, Inline, Mention, Reading, Url, mention

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

_ROW = re.compile(rb"[0-9a-f]*:")
_TEXT = re.compile(rb"T([0-9a-f]+),")
# The first character of a row's payload: a tag (I module, H hint, E error, D debug …) or JSON.
_PAYLOAD = re.compile(rb'[A-Z]{0,2}[\["{\dtfn-]|[A-Z]\n')

# A module that the page loads, with what it takes of it.
_MODULE = re.compile(rb'I(\[(?:\d+|"[^"\\]*"),\["[^\]\\]*"\],"[^"\\]*"\])')

# What a row or a push must hold for an element in it to name an image.
_SHOWS = re.compile(rb'\\?"(?:(?:img|video|image|source|[\w -]*icon)\\?"|(?:og|twitter):image)')
_ITEM = re.compile(rb'"((?:[^"\\]|\\.)*)"(\s*:)?|[{}\[\]]', re.S)
_ESCAPE = re.compile(rb"\\(?:u[0-9a-fA-F]{4}|x[0-9a-fA-F]{2}|.)", re.S)

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


def pieces(page: bytes, scripts: Iterable[Inline]) -> list[tuple[int, int]]:
    """The content of the strings that inline scripts push, in their order."""
    return [found for one in scripts if (found := pushed(page, one.start, one.end))]


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
    urls: list[Url] = []
    hits = sorted(hits, key=lambda hit: hit.start)
    starts = [hit.start for hit in hits]
    for start, end, is_text in payloads:
        inside = [hit for hit in hits[bisect_left(starts, start) : bisect_left(starts, end)] if hit.end <= end]
        if is_text:
            mentions.extend(mention(data, hit, "text", start, end) for hit in inside)
            continue
        urls.extend(_shown(data, start, end))
        if inside:
            mentions.extend(json.read_row(data, inside, start, end))
    answered = {(found.start, found.word) for found in mentions}
    mentions.extend(
        mention(data, hit, "unknown", 0, len(data)) for hit in hits if (hit.start, hit.word) not in answered
    )
    return Reading(tuple(urls), tuple(mentions))


def shown(page: bytes, pieces: Sequence[tuple[int, int]]) -> Iterator[Url]:
    """The images that elements in the flight data of a page show, and those that it fetches ahead.

    pieces: the content of the strings that its scripts push, in order. What is escaped in a string, or cut in two, is
    left out.
    """
    if not _SHOWS.search(b"".join(page[start:end] for start, end in pieces)):
        return
    text, places, origins = _joined(page, pieces)
    for start, end, is_text in rows(text) or ():
        if not is_text:
            yield from _in_page(_shown(text, start, end), places, origins)


def shown_by(data: bytes, components: Collection[tuple[str, str]]) -> Iterator[Url]:
    """The images that components in flight data show, of which these, by module and export, show what `src` names."""
    tags = _references(data, components)
    for start, end, is_text in (rows(data) or ()) if tags else ():
        if not is_text:
            yield from _elements(data, start, end, tags)


def shown_in_page_by(
    page: bytes, pieces: Sequence[tuple[int, int]], components: Collection[tuple[str, str]]
) -> Iterator[Url]:
    """The same of the flight data of a page. pieces: as for `shown`."""
    text, places, origins = _joined(page, pieces)
    return _in_page(shown_by(text, components), places, origins)


def _references(data: bytes, components: Collection[tuple[str, str]]) -> dict[str, tuple[str, ...]]:
    """The tags of components, `$L9` for the row `9:I[5500,["/a.js"],"Image"]`, with the members that they show."""
    tags: dict[str, tuple[str, ...]] = {}
    head = 0
    for start, end, is_text in (rows(data) or ()) if components else ():
        module = None if is_text else _MODULE.fullmatch(data, start, end)
        if module is not None:
            identity, _, name = loads(module.group(1))[:3]
            if (str(identity), name) in components:
                tags[f"$L{data[head : start - 1].decode()}"] = ("src",)
        head = end if is_text else end + 1
    return tags


def _in_page(urls: Iterable[Url], places: Sequence[int], origins: Sequence[int]) -> Iterator[Url]:
    """What was found in the text of strings, where it stands in the page: see `_joined`."""
    for url in urls:
        index = bisect_right(places, url.start) - 1
        if index + 1 == len(places) or url.end <= places[index + 1]:
            moved = origins[index] - places[index]
            yield Url(url.start + moved, url.end + moved, url.text, url.role)


def _joined(page: bytes, pieces: Sequence[tuple[int, int]]) -> tuple[bytes, list[int], list[int]]:
    """The text of strings together, and where the runs without escapes begin, in it and in the page."""
    parts: list[bytes] = []
    places: list[int] = []
    origins: list[int] = []
    size = 0

    def add(part: bytes, origin: int) -> None:
        nonlocal size
        places.append(size)
        origins.append(origin)
        parts.append(part)
        size += len(part)

    for start, end in pieces:
        position = start
        for escape in _ESCAPE.finditer(page, start, end):
            add(page[position : escape.start()], position)
            add(unescape(escape.group()).encode("utf-8", "surrogatepass"), escape.start())
            position = escape.end()
        add(page[position:end], position)
    return b"".join(parts), places, origins


def _shown(data: bytes, start: int, end: int) -> Iterator[Url]:
    """The images of one row: elements, `["$","img",null,{"src":"/a.png"}]`, and hints, `HL["/a.png","image"]`."""
    if _SHOWS.search(data, start, end) is None:
        return
    if data.startswith(b"HL[", start):
        items = [item.span(1) for item in islice(_ITEM.finditer(data, start, end), 3) if item.group(1) is not None]
        if len(items) == 2 and data[slice(*items[1])] == b"image":
            yield Url(*items[0], unescape(data[slice(*items[0])]), "preload")
    yield from _elements(data, start, end, SHOWING)


@dataclass(slots=True)
class _Open:
    """An array or object that is not closed yet.

    strings: those at the start of an array. tag: of the element that an object holds the attributes of. members: what
    names the images of an element that shows none: of a link or a meta.
    """

    strings: list[bytes] = field(default_factory=list)
    tag: str = ""
    members: dict[bytes, tuple[int, int]] = field(default_factory=dict)


def _elements(data: bytes, start: int, end: int, showing: Mapping[str, tuple[str, ...]]) -> Iterator[Url]:
    """The images that elements in a row name. showing: for a tag the members by which it shows one.

    What shows several images, or tells outsiders of one, is named for the elements of browsers alone.
    """
    of_browsers = showing is SHOWING
    stack: list[_Open] = []
    key = b""
    for item in _ITEM.finditer(data, start, end):
        token = item.group()
        if token == b"[":
            stack.append(_Open())
        elif token == b"{":
            strings = stack[-1].strings if stack else []
            is_element = len(strings) >= 2 and strings[0] == b"$"
            stack.append(_Open(tag=strings[1].decode("utf-8", "replace") if is_element else ""))
        elif token in (b"]", b"}"):
            closed = stack.pop() if stack else None
            if closed is not None and of_browsers:
                yield from _metadata(data, closed)
        elif item.group(2) is not None:
            key = item.group(1)
            continue
        elif stack:
            inner = stack[-1]
            if key and key.decode("utf-8", "replace") in showing.get(inner.tag, ()):
                yield Url(*item.span(1), unescape(item.group(1)), "element")
            elif of_browsers and key.lower() == b"srcset" and inner.tag in ("img", "source"):
                yield from shown_set(data, *item.span(1))
            elif inner.tag in ("meta", "link"):
                inner.members[key] = item.span(1)
            elif not key and len(inner.strings) < 3:
                inner.strings.append(item.group(1))
        key = b""


def _metadata(data: bytes, element: _Open) -> Iterator[Url]:
    """The image that a link or a meta names to others than the page."""
    values = {key: unescape(data[low:high]) for key, (low, high) in element.members.items()}
    if (
        element.tag == "meta"
        and SHARED.match(values.get(b"property", values.get(b"name", "")))
        and b"content" in values
    ):
        yield Url(*element.members[b"content"], values[b"content"], "outside")
    is_icon = any(rel.endswith("icon") for rel in values.get(b"rel", "").lower().split())
    if element.tag == "link" and is_icon and b"href" in values:
        yield Url(*element.members[b"href"], values[b"href"], "icon")
