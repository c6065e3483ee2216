"""Spans as tables of tests write them, and what holds for the spans of any text."""

from __future__ import annotations

from typing import TYPE_CHECKING

from v1z3r_build.passes.link.filling import apply
from v1z3r_build.site.span import Hit, dotted

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from v1z3r_build.site.span import Reading

    Read = Callable[[bytes, Sequence[Hit]], Reading]

MARK = ".0a1b2c3d4e5f6071"


def source(text: str | bytes) -> bytes:
    return text.encode() if isinstance(text, str) else text


def urls(data: bytes, reading: Reading) -> list[tuple[str, bytes, str]]:
    """Every reference: what it is for, the bytes of the file that it covers, the URL that a browser reads there."""
    return [(url.role, data[url.start : url.end], url.text) for url in reading.urls]


def row(role: str, raw: str | bytes, text: str = "") -> tuple[str, bytes, str]:
    """A reference as expected; its text is left out where it stands in the file as it is."""
    raw = source(raw)
    return role, raw, text or raw.decode()


def marked(text: str) -> tuple[bytes, list[Hit]]:
    """A text in which words to look for stand between « and », as bytes, and where they stand then."""
    pieces: list[bytes] = []
    hits: list[Hit] = []
    length = 0
    for number, part in enumerate(text.replace("»", "«").split("«")):
        piece = part.encode()
        if number % 2:
            hits.append(Hit(length, length + len(piece), number // 2))
        pieces.append(piece)
        length += len(piece)
    return b"".join(pieces), hits


def mentions(read: Read, text: str) -> list[tuple[str, bytes, bytes]]:
    """How each marked word stands, and what stands around it."""
    data, hits = marked(text)
    return [
        (found.stand, found.before, found.after)
        for found in sorted(read(data, hits).mentions, key=lambda found: found.start)
    ]


def stands(read: Read, text: str) -> list[str]:
    return [stand for stand, _, _ in mentions(read, text)]


def check(read: Read, data: bytes, words: Sequence[bytes] = ()) -> Reading:
    """What holds for any text, however broken."""
    hits = [
        Hit(start, start + len(word), number)
        for number, word in enumerate(words)
        for start in range(len(data) - len(word) + 1)
        if data.startswith(word, start)
    ]
    hits.sort(key=lambda hit: hit.start)
    reading = read(data, hits)
    spans = [*reading.urls, *reading.revisions, *reading.digests, *reading.inlines]
    assert all(0 <= span.start <= span.end <= len(data) for span in spans)
    # Raises where two overlap.
    own = [(url.start, url.end, data[url.start : url.end]) for url in (*reading.urls, *reading.revisions)]
    assert len({(start, end) for start, end, _ in own}) == len(own)
    assert apply(data, own) == data
    # Each word is answered once, and where it stands.
    answers = sorted((found.start, found.end, found.word) for found in reading.mentions)
    assert answers == sorted((hit.start, hit.end, hit.word) for hit in hits)
    return reading


def refilled(read: Read, data: bytes) -> None:
    """References with a hash put in are read again as the same references with the hash in their names."""
    before = [dotted(data, url) for url in read(data, ()).urls]
    filled = apply(data, {(url.dot, url.dot, MARK.encode()) for url in before if url.dot >= 0})
    after = [dotted(filled, url) for url in read(filled, ()).urls]
    assert [url.role for url in after] == [url.role for url in before]
    for old, new in zip(before, after, strict=True):
        if old.dot < 0:
            assert new.text == old.text
            continue
        assert new.text.count(MARK + old.suffix) == 1
        assert new.text.replace(MARK, "") == old.text
        assert new._replace(start=0, end=0, dot=0, text="") == old._replace(start=0, end=0, dot=0, text="")
