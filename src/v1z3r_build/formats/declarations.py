"""Where the declarations of a style sheet stand, on the tokens of CSS Syntax Level 3.

Only sheets that need no recovery are read: what a browser would make of a stray brace is not for a guess.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from v1z3r_build.formats.css import unescape
from v1z3r_build.formats.style_tokens import DEEPEST, DoubtError, tokens

if TYPE_CHECKING:
    from collections.abc import Iterator

_NAME = re.compile(rb"-?[A-Za-z][A-Za-z-]*")
_URL = re.compile(rb"url\([ \t\r\n\f]*(.*?)[ \t\r\n\f]*\)", re.I | re.S)
_CLOSING = {b"(": b")", b"[": b"]", b"{": b"}"}


class Address(NamedTuple):
    """A `url()` in a value. start, end: of the whole function; text: the URL, escapes undone; depth: how many other
    functions it stands in.
    """

    start: int
    end: int
    text: str
    depth: int


class Declaration(NamedTuple):
    """name: in lower case. start, end: of its value, without white space around it. addresses: in the value.

    block: a number for the block that it stands in. around: the preludes of the rules and at-rules around it.
    """

    name: str
    start: int
    end: int
    addresses: tuple[Address, ...]
    block: int
    around: tuple[str, ...]


class _Token(NamedTuple):
    kind: str
    text: bytes
    start: int


def declarations(data: bytes, start: int = 0, end: int | None = None, *, attribute: bool = False) -> list[Declaration]:
    """The declarations of a sheet between two offsets, in order; custom properties and broken ones are left out.

    attribute: what is read is the value of a `style` attribute. Raises DoubtError where a browser would have to recover
    from an error.
    """
    body = data[start : len(data) if end is None else end]
    charset = re.match(rb'@charset "[^"\r\n\f]*";', body)
    at = charset.end() if charset and not attribute else 0
    found: list[_Token] = []
    for kind, text in tokens(body, at):
        found.append(_Token(kind, text, start + at))
        at += len(text)
    return list(_statements(found, attribute=attribute))


def _statements(found: list[_Token], *, attribute: bool) -> Iterator[Declaration]:
    around: list[str] = []
    blocks = [0]
    count = 0
    statement: list[_Token] = []
    open_marks: list[bytes] = []
    for token in found:
        mark = token.text if token.kind == "mark" else b""
        if mark in (b"(", b"[") or (mark == b"{" and (open_marks or _is_custom(statement))):
            open_marks.append(_CLOSING[mark])
        elif open_marks:
            if mark in (b")", b"]", b"}") and open_marks.pop() != mark:
                raise DoubtError("a stray bracket")
        elif mark in (b")", b"]"):
            raise DoubtError("a stray bracket")
        elif mark == b"{":
            around.append(b"".join(one.text for one in statement if one.kind != "comment").strip().decode("latin-1"))
            count += 1
            blocks.append(count)
            statement = []
            continue
        elif mark in (b";", b"}"):
            if around or attribute:
                yield from _declaration(statement, blocks[-1], tuple(around))
            statement = []
            if mark == b"}":
                if not around:
                    raise DoubtError("a stray brace")
                around.pop()
                blocks.pop()
            continue
        if len(around) + len(open_marks) > DEEPEST:
            raise DoubtError("too deep")
        statement.append(token)
    if around or open_marks:
        raise DoubtError("a block is not closed")
    if attribute:
        yield from _declaration(statement, 0, ())


def _significant(statement: list[_Token]) -> list[_Token]:
    return [token for token in statement if token.kind not in ("space", "comment")]


def _is_custom(statement: list[_Token]) -> bool:
    start = _significant(statement)[:2]
    return len(start) == 2 and start[0].text.startswith(b"--") and start[1].text == b":"


def _declaration(statement: list[_Token], block: int, around: tuple[str, ...]) -> Iterator[Declaration]:
    parts = _significant(statement)
    if len(parts) < 3 or parts[1].text != b":" or parts[0].kind != "word" or not _NAME.fullmatch(parts[0].text):
        return
    value = parts[2:]
    last = value[-1]
    yield Declaration(
        parts[0].text.decode("ascii").lower(),
        value[0].start,
        last.start + len(last.text),
        tuple(_addresses(value)),
        block,
        around,
    )


def _addresses(value: list[_Token]) -> Iterator[Address]:
    depth = 0
    for number, token in enumerate(value):
        if token.kind == "url":
            bare = _URL.fullmatch(token.text)
            if bare is not None:
                yield Address(token.start, token.start + len(token.text), unescape(bare.group(1)), depth)
        elif token.text == b"(":
            depth += 1
            inside = value[number + 1 : number + 3]
            if value[number - 1].text.lower() == b"url" and [one.kind for one in inside[:1]] == ["string"]:
                start = value[number - 1].start
                # What else stands in it are modifiers, which this is then no plain address for.
                plain = len(inside) == 2 and inside[1].text == b")"
                end = inside[1].start + 1 if plain else inside[0].start + len(inside[0].text)
                yield Address(start, end, unescape(inside[0].text[1:-1]), depth - 1 if plain else depth)
        elif token.text == b")":
            depth -= 1
