"""The tokens of CSS Syntax Level 3, as far as browsers agree on them without recovering from errors."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

DEEPEST = 100  # blocks and functions: parsers of style sheets recurse

_ESCAPE = rb"\\(?:[0-9a-fA-F]{1,6}(?:\r\n|[ \t\r\n\f])?|[^\r\n\f0-9a-fA-F])"
_TOKEN = re.compile(
    rb"(?P<space>[ \t\r\n\f]+)|(?P<comment>/\*.*?\*/)"
    rb"|(?P<string>\"(?:[^\"\\\r\n\f]|\\(?:\r\n|.))*\"|'(?:[^'\\\r\n\f]|\\(?:\r\n|.))*')"
    rb"|(?P<url>[uU][rR][lL]\([ \t\r\n\f]*(?![\"' \t\r\n\f])(?:[^\"'()\\ \t\r\n\f]|" + _ESCAPE + rb")*[ \t\r\n\f]*\))"
    rb"|(?P<mark>[{}()\[\];:,!>~+])|(?P<word>(?:[^ \t\r\n\f\"'{}()\[\];:,!>~+\\/]|/(?!\*)|" + _ESCAPE + rb")+)",
    re.S,
)
_QUOTED = re.compile(rb"\([ \t\r\n\f]*[\"']")

Token = tuple[str, bytes]


class DoubtError(Exception):
    """The sheet holds what a browser recovers from in its own way: it stays as it is."""


def tokens(data: bytes, start: int) -> Iterator[Token]:
    """The tokens of a sheet from an offset, which join to its bytes; raises DoubtError where one is broken."""
    position = start
    for match in _TOKEN.finditer(data, start):
        if match.start() != position:
            break
        position = match.end()
        if match.lastgroup == "word" and data.startswith(b"(", position) and _is_odd(match.group(), data, position):
            raise DoubtError("a url that is none, or whose name is escaped")
        yield match.lastgroup or "", match.group()
    if position != len(data):
        raise DoubtError("a string, comment or url is not closed")


def _is_odd(name: bytes, data: bytes, position: int) -> bool:
    """Whether a function's name is escaped, or is `url` without a string: its content may be no tokens at all."""
    is_url = re.search(rb"(?:^|[^\w-])url$", name, re.I) is not None
    return b"\\" in name or (is_url and not _QUOTED.match(data, position))
