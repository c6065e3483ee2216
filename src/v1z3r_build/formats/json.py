"""Words in JSON texts: data, web manifests, source maps, import maps; by the tokens of RFC 8259."""

from __future__ import annotations

import re
from bisect import bisect_right
from typing import TYPE_CHECKING

from v1z3r_build.formats.javascript import unescape
from v1z3r_build.site.span import Hit, Integrity, Mention, Reading, Revision, Stand, Url, mention

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_TOKEN = re.compile(rb'"((?:[^"\\]|\\.)*)"(\s*:)?|[{}\[\]]', re.S)
# Possessive: a run of letters could else be divided in 2ⁿ ways, all of which a broken text would have tried.
_WELL_FORMED = re.compile(rb'(?:[\s{}\[\]:,]|"[^"\\]*+(?:\\.[^"\\]*+)*+"|[-+.\w]++)*', re.S)


def _well_formed(data: bytes, start: int, end: int) -> bool:
    """Whether a text consists of the tokens of JSON; their order is not looked at."""
    return _WELL_FORMED.fullmatch(data, start, end) is not None


def _strings(data: bytes, start: int, end: int) -> Iterator[tuple[int, int, bool, tuple[bytes, ...]]]:
    """Each string: its content's span, whether it is a key, and the keys that lead to it."""
    path: list[bytes] = []
    key = b""
    for token in _TOKEN.finditer(data, start, end):
        text = token.group()
        if text in (b"{", b"["):
            path.append(key)
            key = b""
        elif text in (b"}", b"]"):
            if path:
                path.pop()
            key = b""
        elif token.group(2) is not None:
            key = token.group(1)
            yield *token.span(1), True, tuple(path[1:])
        else:
            yield *token.span(1), False, (*path[1:], key)


def read(data: bytes, hits: Sequence[Hit] = (), start: int = 0, end: int | None = None) -> Reading:
    """The mentions of words in a JSON text, or in the part of a file from start to end."""
    end = len(data) if end is None else end
    return Reading(mentions=tuple(_mentions(data, hits, start, end)))


def read_row(data: bytes, hits: Sequence[Hit], start: int, end: int) -> list[Mention]:
    """The mentions in a row of flight data: a tag of letters, then JSON."""
    while data[start : start + 1].isupper():
        start += 1
    return list(_mentions(data, hits, start, end))


def read_source_map(data: bytes, hits: Sequence[Hit] = ()) -> Reading:
    """The mentions in a source map: `sources` are labels, never renamed (ECMA-426).

    What `sourcesContent` quotes is no mention: it shows what was built. webpack's runtime is in there, which makes the
    name of each chunk of a table of hashes.
    """
    return Reading(mentions=tuple(_mentions(data, hits, 0, len(data), b"sources", b"sourcesContent")))


def read_hash_table(data: bytes, hits: Sequence[Hit] = ()) -> Reading:
    """The mentions in Angular's `ngsw.json`, and the hashes by which its worker checks what it fetches."""
    revisions = tuple(
        Revision(low, high, unescape(path[1]), exact=True)
        for low, high, is_key, path in _strings(data, 0, len(data))
        if not is_key and len(path) == 2 and path[0] == b"hashTable"
    )
    return read(data, hits)._replace(revisions=revisions)


def read_import_map(data: bytes, hits: Sequence[Hit], start: int, end: int) -> Reading:
    """The addresses of an import map (HTML Standard, "Import maps"), and the mentions in it.

    A word in a key stands nowhere known: the key of a map is compared with URLs that scripts resolve.
    A browser passes over a map that is no JSON, and so nothing in it is an address.
    """
    if not _well_formed(data, start, end):
        return Reading(mentions=tuple(_mentions(data, hits, start, end)))
    urls: list[Url] = []
    keys: list[tuple[int, int]] = []
    integrities: list[Integrity] = []
    for low, high, is_key, path in _strings(data, start, end):
        if is_key:
            keys.append((low, high))
        elif path[:1] in ((b"imports",), (b"scopes",)):
            urls.append(Url(low, high, unescape(data[low:high]), "import-map"))
        elif path[:1] == (b"integrity",) and len(path) == 2:
            integrities.append(Integrity(low, high, unescape(path[1]), unescape(data[low:high])))
    starts = [low for low, _ in keys]
    mentions: list[Mention] = []
    rest: list[Hit] = []
    for hit in hits:
        index = bisect_right(starts, hit.start) - 1
        if index >= 0 and hit.end <= keys[index][1]:
            mentions.append(mention(data, hit, "unknown", *keys[index]))
        else:
            rest.append(hit)
    found = (*mentions, *_mentions(data, rest, start, end))
    return Reading(tuple(urls), found, integrities=tuple(integrities))


def _mentions(
    data: bytes, hits: Sequence[Hit], start: int, end: int, label: bytes | None = None, quoted: bytes | None = None
) -> Iterator[Mention]:
    """label: the member of the whole whose strings are names for people only. quoted: a list of texts for them."""
    mine = [hit for hit in hits if start <= hit.start and hit.end <= end]
    if not mine:
        return
    sure = _well_formed(data, start, end)
    regions = list(_strings(data, start, end)) if sure else []
    index = 0
    for hit in mine:
        while index < len(regions) and regions[index][1] < hit.end:
            index += 1
        if index < len(regions) and regions[index][0] <= hit.start:
            low, high, is_key, path = regions[index]
            if path[-2:-1] == (quoted,):
                continue
            stand: Stand = "label" if path[:1] == (label,) else "string"
            member = "" if is_key else path[-1].decode("utf-8", "replace") if path else ""
            yield mention(data, hit, stand, low, high)._replace(member=member)
        else:
            yield mention(data, hit, "unknown", start, end)
