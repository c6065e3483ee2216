"""SVG files without comments and without white space that nothing shows.

Elements, attributes, their order, ids, styles, scripts and all text stay; the files are compared as a stream
of events by expat, an independent parser.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from xml.parsers import expat

from v1z3r_build.diagnostics import Diagnostic, warning
from v1z3r_build.formats.minified import NOTHING, Candidate, Minified

if TYPE_CHECKING:
    from collections.abc import Iterator

_TOKEN = re.compile(
    rb"(?P<comment><!--.*?-->)|(?P<cdata><!\[CDATA\[.*?\]\]>)|(?P<instruction><\?.*?\?>)|(?P<doctype><![^>]*>)"
    rb"|(?P<end></[^>]*>)|(?P<start><(?:[^>\"']|\"[^\"]*\"|'[^']*')*>)|(?P<text>[^<]+)",
    re.S,
)
_ATTRIBUTE_GAP = re.compile(rb"(\"[^\"]*\"|'[^']*')|[ \t\r\n]*=[ \t\r\n]*|[ \t\r\n]+", re.S)
_BEFORE_CLOSE = re.compile(rb"[ \t\r\n]+(?=/?>\Z)")
_DECLARATION = re.compile(
    rb"<\?xml[ \t\r\n]+version=([\"'])1\.0\1([ \t\r\n]+encoding=([\"'])utf-8\3)?[ \t\r\n]*\?>", re.I
)
_SPACE = b" \t\r\n"
_LEGAL = re.compile(rb"licen[cs]e|copyright|\xc2\xa9|<!--!", re.I)

# Where nothing but elements is shown, so that white space between them has no meaning.
_CONTAINERS = frozenset(
    b"svg g defs symbol clipPath mask pattern marker linearGradient radialGradient filter feMerge "
    b"feComponentTransfer feDiffuseLighting feSpecularLighting switch animateMotion".split()
)
# Where a script or a selector could see text nodes, or another language begins.
_WATCHED = re.compile(rb"<script|<foreignObject|xml:space|:empty|[ \t\r\n]on[a-z]+[ \t\r\n]*=|\0", re.I)


def minify(data: bytes) -> Minified:
    """The smaller form of an SVG file that shows the same.

    Left alone: files with an internal DTD subset (entities), with scripts or foreign objects, with
    `xml:space`, in UTF-16 or with a byte order mark.
    """
    if b"<" not in data:
        return NOTHING
    internal_subset = re.search(rb"<!DOCTYPE[^>]*\[|<!ENTITY", data, re.I)
    if internal_subset or _WATCHED.search(data) or not data.lstrip().startswith(b"<"):
        return NOTHING
    try:
        before = _events(data)
    except expat.ExpatError as wrong:
        return Minified(diagnostics=(_refusal(wrong),))
    parts = _stripped(data)
    result = b"".join(parts).strip(_SPACE) if parts is not None else data
    if len(result) >= len(data) or _events(result) != before:
        return NOTHING
    return Minified((Candidate("tokens", result),))


def _refusal(wrong: expat.ExpatError) -> Diagnostic:
    reason = expat.errors.messages.get(wrong.code, "it does not parse")
    return warning(
        "svg-syntax",
        "",
        f"this SVG is not well-formed XML: {reason}; the file is served as it was",
        "a browser will not show it as an image: mend it",
        wrong.lineno,
        wrong.offset + 1,
    )


def _stripped(data: bytes) -> list[bytes] | None:
    parts: list[bytes] = []
    path: list[bytes] = []
    for kind, token in _tokens(data):
        if kind == "gap":
            return None
        if kind == "comment" and not _LEGAL.search(token):
            continue
        if kind == "instruction" and not parts and _DECLARATION.fullmatch(token):
            continue  # 1.0 and UTF-8 are what XML takes without a declaration
        if kind == "text" and (not path or (path[-1] in _CONTAINERS and not token.strip(_SPACE))):
            continue
        if kind == "start":
            token = _tidy(token)
            if not token.endswith(b"/>"):
                path.append(re.split(rb"[\s/>]", token[1:], maxsplit=1)[0])
        elif kind == "end":
            token = re.sub(rb"[ \t\r\n]+(?=>)", b"", token)
            if path:
                path.pop()
        parts.append(token)
    return parts


def _tokens(data: bytes) -> Iterator[tuple[str, bytes]]:
    position = 0
    for match in _TOKEN.finditer(data):
        if match.start() != position:
            yield "gap", data[position : match.start()]
        yield match.lastgroup or "", match.group()
        position = match.end()
    if position != len(data):
        yield "gap", data[position:]


def _tidy(tag: bytes) -> bytes:
    """A start tag with one blank before each attribute; values as they are."""

    def gap(match: re.Match[bytes]) -> bytes:
        return match.group(1) or (b"=" if b"=" in match.group() else b" ")

    return _BEFORE_CLOSE.sub(b"", _ATTRIBUTE_GAP.sub(gap, tag))


def _events(data: bytes) -> list[tuple[object, ...]]:
    """What a reader of the XML sees, without comments and without white space alone in containers."""
    events: list[tuple[object, ...]] = []
    path: list[str] = []
    text: list[str] = []

    def flush() -> None:
        joined = "".join(text)
        text.clear()
        bare = path and path[-1].encode() in _CONTAINERS and not joined.strip(" \t\r\n")
        if joined and not bare:
            events.append(("text", joined))

    def start(name: str, attributes: list[str]) -> None:
        flush()
        events.append(("start", name, tuple(attributes)))
        path.append(name)

    def end(name: str) -> None:
        flush()
        events.append(("end", name))
        path.pop()

    def instruction(target: str, content: str) -> None:
        flush()
        events.append(("instruction", target, content))

    parser = expat.ParserCreate()
    parser.ordered_attributes = True
    parser.StartElementHandler = start
    parser.EndElementHandler = end
    parser.CharacterDataHandler = text.append
    parser.ProcessingInstructionHandler = instruction
    parser.Parse(data, True)
    return events
