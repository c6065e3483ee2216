"""White space and comments out of scripts, on exact tokens.

Literals stand as one byte each in a skeleton of the code, on which a few rules work, each about the two
bytes around a gap. A line break goes only where no statement can end before it or none can begin after it,
so that automatic semicolon insertion (ECMA-262 §12.10) and the restricted productions (`return`, `++`,
`yield` …) see what they saw. Everything else is left.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from v1z3r_build.formats.engines.script_syntax import Literal

# One byte for each literal: none of these can stand in code.
_STRING, _REGEX, _KEPT, _KEPT_LINE = b"\x01", b"\x02", b"\x03", b"\x04"
_MARKS = re.compile(rb"[\x01-\x04]")

# What a licence asks to be kept, as bundlers understand it, and what developers' tools read.
LEGAL = re.compile(rb"/[/*]!|@license|@licence|@preserve|@copyright|@lic\b|@cc_on", re.I)
_TOOLS = re.compile(rb"//[#@]\s*source(?:Mapping)?URL=")
_LINE_BREAK = re.compile(rb"[\r\n]|\xe2\x80[\xa8\xa9]")  # U+2028 and U+2029 end a line too

_HTML_COMMENT = re.compile(rb"<!--|(?:\A|[\r\n]|\xe2\x80[\xa8\xa9])[ \t\v\f]*-->")  # ECMA-262 §B.1.1

_BREAKS = re.compile(rb"[ \t\v\f]*[\r\n][ \t\v\f\r\n]*")
_BLANKS = re.compile(rb"[ \t\v\f]+")
# A statement cannot end after these. `++` and `--` can end one, a `.` after a digit belongs to a number, and
# `<` and `!` might join to an HTML-like comment; a regular expression is no `/` here.
_OPEN = rb"(?<=[;{(\[,:?=&|^~*%>\x04])\n|(?<=[^+]\+)\n(?!\+)|(?<=[^-]-)\n(?![->])|(?<=[^0-9]\.)\n"
# No statement, and no member of a class, can begin with these (`*` begins a generator method).
_SHUT = rb"\n(?=[)\]},;:=&|^%<>?])|(?<![0-9])\n(?=\.[^0-9])"
_NEEDLESS_BREAK = re.compile(_OPEN + rb"|" + _SHUT)
# A blank stays between two words, between operators that would join (`+ +`, `/ /re/`), before the `.` of
# `1 .toString()`, and where HTML-like comments would arise (`< !--`, `-- >`). Bytes from 0x80 are letters.
_WORD = rb"[\w$\\#@\x80-\xff\x03\x04]"
_NEEDED_BLANK = (
    rb"(?<=\x02) (?=" + _WORD + rb")|(?<=[0-9]\.) (?=" + _WORD + rb")|(?<=/) (?=[/*\x02])|(?<=\x02) (?=/)"
    rb"|(?<=\+) (?=\+)|(?<=-) (?=[->])|(?<=<) (?=!)|(?<=!) (?=-)|(?<=[0-9.]) (?=\.)|(?<=\?) (?=\.)"
)
_BLANK = re.compile(rb"(" + _NEEDED_BLANK + rb")|(?<!" + _WORD + rb") | (?!" + _WORD + rb")")
# Most blanks stand beside one of these, beside which none is ever needed: found faster.
_PLAIN_BLANK = re.compile(rb"(?<=[;{(\[,:=&|^~*%>)\]}\x01]) | (?=[;{()\[\],:=&|^~%<?}\x01])")


def strip(data: bytes, literals: Sequence[Literal]) -> bytes | None:
    """The script without comments and needless white space; None where the tokens leave a doubt.

    Comments that a licence asks for, and `sourceURL`, stay where they stand.
    """
    skeleton, kept = _skeleton(data, literals)
    if skeleton is None or _HTML_COMMENT.search(skeleton):
        return None
    code = _BLANKS.sub(b" ", _BREAKS.sub(b"\n", skeleton)).strip(b" \n")
    code = _NEEDLESS_BREAK.sub(b"", code)
    code = _BLANK.sub(rb"\1", _PLAIN_BLANK.sub(b"", code.replace(b"\x04\n", b"\x04")))
    texts = iter(kept)
    return _MARKS.sub(lambda _: next(texts), code).rstrip(b"\n")


def has_html_comments(data: bytes, literals: Sequence[Literal]) -> bool:
    """Whether code holds what a classic script reads as a comment and a module as operators."""
    skeleton, _ = _skeleton(data, literals)
    return skeleton is None or _HTML_COMMENT.search(skeleton) is not None


def without_comments(data: bytes, literals: Sequence[Literal]) -> bytes:
    """The script with every comment blanked, line breaks kept."""
    parts: list[bytes] = []
    position = 0
    for literal in literals:
        if literal.kind == "comment":
            parts += [data[position : literal.start], _blank(data[literal.start : literal.end])]
            position = literal.end
    return b"".join((*parts, data[position:]))


def is_legal(comment: bytes) -> bool:
    """Whether a comment must stay."""
    return LEGAL.search(comment) is not None


def _blank(comment: bytes) -> bytes:
    return b"\n" if _LINE_BREAK.search(comment) else b" "


def _skeleton(data: bytes, literals: Sequence[Literal]) -> tuple[bytes | None, list[bytes]]:
    parts: list[bytes] = []
    kept: list[bytes] = []
    position = 0
    for literal in literals:
        gap = data[position : literal.start]
        if _MARKS.search(gap):
            return None, []
        parts.append(gap)
        text = data[literal.start : literal.end]
        position = literal.end
        if literal.kind == "comment":
            if not is_legal(text) and not _TOOLS.match(text):
                parts.append(_blank(text))
                continue
            line = text.startswith(b"//")
            parts.append(_KEPT_LINE if line else _KEPT)
            kept.append(text.rstrip() + b"\n" if line else text)
        elif literal.kind in ("string", "template", "regex"):
            parts.append(_REGEX if literal.kind == "regex" else _STRING)
            kept.append(text)
        else:
            return None, []
    tail = data[position:]
    if _MARKS.search(tail):
        return None, []
    return b"".join((*parts, tail)), kept
