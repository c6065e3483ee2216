"""References in style sheets, by the tokens of CSS Syntax Level 3."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from v1z3r_build.site.span import Hit, Mention, Reading, Role, Url, mention

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

# The tokens that matter for references; everything between them is passed over. An unquoted url( ) ends at
# the first parenthesis that is not escaped; white space before it is trimmed (CSS Syntax §4.3.6). One with a quote,
# a parenthesis or white space inside is bad, and as far as that parenthesis nothing in it is a token (§4.3.14).
_TOKEN = re.compile(
    rb"""(?P<comment>/\*.*?(?:\*/|\Z))
    |(?P<string>"(?:[^"\\\n\r\f]|ESCAPE|\\(?:\r\n|.))*"?|'(?:[^'\\\n\r\f]|ESCAPE|\\(?:\r\n|.))*'?)
    |(?P<url>(?<![\w\x80-\xff-])[uU][rR][lL]\(\s*(?!["'\s])
        (?P<bare>(?:[^()"'\s\\]|ESCAPE|\\[^\n\r\f0-9a-fA-F])*)\s*(?:\)|\Z))
    |(?P<bad>(?<![\w\x80-\xff-])[uU][rR][lL]\(\s*(?!["'\s])(?:[^)\\]|\\.)*\)?)
    |(?P<function>(?<![\w\x80-\xff-])[A-Za-z_\x80-\xff-][\w\x80-\xff-]*\()
    |(?P<at>@[-\w]+)
    |(?P<custom>(?<![\w.\#\x80-\xff-])--(?:[-\w\x80-\xff]|\\.)*
        (?:\s|/\*[^*]*\*+(?:[^/*][^*]*\*+)*/)*:)
    |(?P<escape>\\(?:\r\n|.))
    |(?P<punctuation>[(){};])
    """.replace(b"ESCAPE", rb"\\[0-9a-fA-F]{1,6}+(?:\r\n|[ \t\r\n\f])?+"),
    re.X | re.S,
)
_ESCAPE = re.compile(rb"\\(?:([0-9a-fA-F]{1,6})(?:\r\n|[ \t\r\n\f])?|\r\n|[\n\r\f]|(.))", re.S)
_IMAGE_SETS = {b"image-set(", b"-webkit-image-set("}


def unescape(raw: bytes) -> str:
    """The text of a CSS string or url token (CSS Syntax §4.3.7)."""

    def one(match: re.Match[bytes]) -> bytes:
        if match.group(1):
            code = int(match.group(1), 16)
            valid = 0 < code < 0x110000 and not 0xD800 <= code < 0xE000
            return chr(code if valid else 0xFFFD).encode()
        return match.group(2) or b""

    return _ESCAPE.sub(one, raw).decode("utf-8", "replace")


class _Place:
    """Where the tokenizer stands: open functions and blocks, and the declaration or rule at hand."""

    def __init__(self) -> None:
        self.open: list[bytes] = []
        self.rule = b""
        self.custom_at: int | None = None

    def step(self, kind: str, token: bytes) -> None:
        if kind == "at":
            self.rule = token.lower()
        elif kind == "custom":
            self.custom_at = len(self.open)
        elif kind == "function" or token in (b"(", b"{"):
            self.open.append(token.lower())
            if token == b"{":
                self.rule = b""
        elif token in (b")", b"}"):
            if self.open:
                self.open.pop()
            if token == b"}":
                self.rule = b""
                self._leave_custom(1)
        elif token == b";":
            if not self.open or self.open[-1] == b"{":
                self.rule = b""
            self._leave_custom(0)

    def _leave_custom(self, closed: int) -> None:
        if self.custom_at is not None and len(self.open) + closed <= self.custom_at:
            self.custom_at = None

    def role(self) -> Role | None:
        """What a URL here is for; None where the grammar has none or leaves its base open.

        A relative URL in a custom property has no agreed base (CSS Variables leaves it open): not sure.
        """
        if self.custom_at is not None or self.rule in (b"@namespace", b"@-moz-document"):
            return None
        if self.rule == b"@import":
            # What stands in its supports( ) is tried, not fetched.
            within = [opened for opened in self.open if opened not in (b"{", b"url(", b"src(")]
            return None if within else "css-import"
        return "css-url"


def _tokens(data: bytes, start: int, end: int) -> Iterator[tuple[str, re.Match[bytes], Role | None]]:
    place = _Place()
    for match in _TOKEN.finditer(data, start, end):
        kind = match.lastgroup or ""
        if kind == "bare":
            kind = "url"
        role: Role | None = None
        if kind == "url":
            role = place.role()
        elif kind == "string":
            inside = place.open[-1] if place.open else b""
            if (
                inside in (b"url(", b"src(")
                or inside in _IMAGE_SETS
                or (place.rule == b"@import" and inside in (b"", b"{"))
            ):
                role = place.role()
        else:
            place.step(kind, match.group())
        yield kind, match, role


def read(data: bytes, hits: Sequence[Hit] = (), start: int = 0, end: int | None = None) -> Reading:
    """The references of a style sheet, or of the part of a file from start to end.

    hits: words looked for; each inside the part is answered by one mention.
    """
    end = len(data) if end is None else end
    urls: list[Url] = []
    regions: list[tuple[int, int, str]] = []
    for kind, match, role in _tokens(data, start, end):
        if kind == "comment":
            regions.append((match.start() + 2, match.end() - 2, "comment"))
        elif kind == "url":
            low, high = match.span("bare")
            regions.append((low, high, "string"))
            if role:
                urls.append(Url(low, high, unescape(data[low:high]), role))
        elif kind == "string":
            low = match.start() + 1
            closed = match.end() > low and data[match.end() - 1] == data[match.start()]
            high = match.end() - closed
            regions.append((low, high, "string"))
            if role:
                urls.append(Url(low, high, unescape(data[low:high]), role))
    return Reading(tuple(urls), tuple(_mentions(data, hits, regions, start, end)))


def _mentions(
    data: bytes, hits: Sequence[Hit], regions: list[tuple[int, int, str]], start: int, end: int
) -> Iterator[Mention]:
    index = 0
    for hit in hits:
        if not start <= hit.start < end:
            continue
        while index < len(regions) and regions[index][1] < hit.end:
            index += 1
        if index < len(regions) and regions[index][0] <= hit.start:
            low, high, stand = regions[index]
            yield mention(data, hit, "comment" if stand == "comment" else "string", low, high)
        else:
            # A selector, a number, a property: no name of a file stands there.
            yield mention(data, hit, "unknown", start, end)
