"""Pages: the inline scripts, styles and data in them; the markup stays byte for byte.

Comments, white space and attributes are read by hydration, by selectors, by scripts; after compression they
cost next to nothing. Pages that a framework hydrates keep their inline code too: it is minified already, and
React compares the text of `<style>` with what it would render.

Routers that put the next page into the document of this one (Astro's, Turbo) keep what both have in their heads, and
know it by its text: a style that is the same in two pages must stay the same in both, or a script runs twice.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, NamedTuple

from turbohtml import Namespace, parse

from v1z3r_build.formats import json_minifier, script_minifier, style_minifier
from v1z3r_build.formats.hydration import is_hydrated
from v1z3r_build.formats.minified import BOM, Candidate, Inline, Minified
from v1z3r_build.site.media_types import is_utf8

if TYPE_CHECKING:
    from collections.abc import Container

    from turbohtml import Document, Element

    from v1z3r_build.diagnostics import Diagnostic
    from v1z3r_build.formats.engines.external import ScriptOptions

LARGEST = 32 * 1024 * 1024  # bytes
_ROOM = 8 * 1024 * 1024  # bytes of inline code that is remembered

# JavaScript MIME types (HTML, "JavaScript MIME type essence match"), and the empty one.
_CLASSIC = re.compile(
    r"|(?:application|text)/(?:x-)?(?:ecma|java)script|text/javascript1\.[0-5]|text/(?:jscript|livescript)"
)
_DATA = frozenset(("application/json", "application/ld+json", "importmap", "speculationrules"))
_ENDINGS = re.compile(rb"</(?:script|style)|<script|<!--|-->", re.I)


@dataclass(slots=True)
class Pieces:
    """Minifies inline code, each piece once as long as there is room: pages of one site repeat theirs."""

    options: ScriptOptions
    known: dict[tuple[str, bytes], Minified] = field(default_factory=dict)
    size: int = 0

    def minified(self, kind: str, data: bytes) -> Minified:
        """kind: "classic", "module", "data" or "style"."""
        key = (kind, data)
        if key not in self.known:
            self.size += len(data)
            if self.size > _ROOM:
                self.known, self.size = {}, len(data)
            self.known[key] = self._minified(kind, data)
        return self.known[key]

    def _minified(self, kind: str, data: bytes) -> Minified:
        if kind == "style":
            return style_minifier.minify(data)
        if kind == "data":
            return json_minifier.minify(data)
        return script_minifier.minify(data, self.options, module=kind == "module")


@dataclass(frozen=True, slots=True)
class MinifiedPage(Minified):
    """inline: None where the page was not looked into."""

    inline: Inline | None = None


class _Change(NamedTuple):
    start: int
    end: int
    data: bytes


def minify(data: bytes, pieces: Pieces, spared: Container[bytes] = ()) -> MinifiedPage:
    """The page with smaller inline scripts, styles and data, parsed to the same document but for their text.

    spared: those that stay, as of `inline`.
    """
    if not re.search(rb"<(?:script|style)", data, re.I):
        return MinifiedPage(inline=Inline(frozenset(), frozenset()))
    if b"\0" in data or len(data) > LARGEST or is_hydrated(data):
        return MinifiedPage()
    bom = BOM if data.startswith(BOM) else b""
    body = data[len(bom) :]
    ascii_only = not is_utf8(body)
    changes: list[_Change] = []
    diagnostics: list[Diagnostic] = []
    before: list[bytes] = []
    after: list[bytes] = []
    for element in _inline(parse(_text(body), source_locations=True, scripting=True)):
        kind = _kind(element)
        span = _span(element)
        if span is None:
            continue
        piece = body[span[0] : span[1]]
        before.append(_identity(piece))
        after.append(before[-1])
        stays = not kind or before[-1] in spared
        if stays or _text(piece) != element.text or (ascii_only and not piece.isascii()):
            continue
        result = pieces.minified(kind, piece)
        diagnostics += _placed(result.diagnostics, body, span[0])
        shortest = min((one.data for one in result.candidates), key=len, default=piece)
        if len(shortest) < len(piece) and _ends_alike(piece, shortest):
            changes.append(_Change(*span, shortest))
            after[-1] = _identity(shortest)
    page = _filled(body, changes)
    if not changes or not _same_document(body, page, changes):
        return MinifiedPage((), tuple(diagnostics), Inline(frozenset(before), frozenset(before)))
    held = Inline(frozenset(before), frozenset(after))
    return MinifiedPage((Candidate("pieces", bom + page),), tuple(diagnostics), held)


def inline(data: bytes) -> frozenset[bytes]:
    """The same of a page that was not looked into. Pure; for guarded children."""
    body = data.removeprefix(BOM)
    if len(data) > LARGEST:
        return frozenset()
    found = (_span(element) for element in _inline(parse(_text(body), source_locations=True, scripting=True)))
    return frozenset(_identity(body[slice(*span)]) for span in found if span is not None)


def _identity(piece: bytes) -> bytes:
    return hashlib.blake2b(piece, digest_size=16).digest()


def _text(data: bytes) -> str:
    """The bytes as text whose offsets are byte offsets: one character a byte, line breaks of equal length."""
    return data.replace(b"\r\n", b" \n").replace(b"\r", b"\n").decode("latin-1")


def _inline(document: Document) -> list[Element]:
    return [*document.find_all("script"), *document.find_all("style")]


def _kind(element: Element) -> str:
    """What a piece holds, '' for what is left: other types, other namespaces, what a library marked as its own."""
    names = set(element.attrs)
    if element.namespace is not Namespace.HTML:
        return ""
    if names & {"src", "language", "for", "event"} or any(name.startswith("data-") for name in names):
        return ""
    declared = str(element.attrs.get("type") or "").strip().lower()
    if element.tag == "style":
        return "style" if declared in ("", "text/css") else ""
    if _CLASSIC.fullmatch(declared):
        return "classic"
    if declared in _DATA:
        return "data"
    return "module" if declared == "module" else ""


def _span(element: Element) -> tuple[int, int] | None:
    location = element.source_location
    if location is None or location.start_tag is None or location.end_tag is None:
        return None
    return location.start_tag.end_offset, location.end_tag.start_offset


def _ends_alike(before: bytes, after: bytes) -> bool:
    """Whether no text arises that could end the element, or open the script's double-escaped state."""
    if _ENDINGS.search(before):
        return [m.group().lower() for m in _ENDINGS.finditer(before)] == [
            m.group().lower() for m in _ENDINGS.finditer(after)
        ]
    return _ENDINGS.search(after) is None


def _placed(diagnostics: tuple[Diagnostic, ...], page: bytes, start: int) -> list[Diagnostic]:
    """Messages about a piece with their places in the page."""
    above = page.count(b"\n", 0, start)
    indent = len(page[page.rfind(b"\n", 0, start) + 1 : start].decode("utf-8", "replace"))
    return [
        replace(one, line=one.line + above, column=one.column + (indent if one.line == 1 else 0)) for one in diagnostics
    ]


def _filled(page: bytes, changes: list[_Change]) -> bytes:
    parts: list[bytes] = []
    position = 0
    changes.sort(key=lambda change: change.start)
    for change in changes:
        parts += [page[position : change.start], change.data]
        position = change.end
    return b"".join((*parts, page[position:]))


def _same_document(before: bytes, after: bytes, changes: list[_Change]) -> bool:
    """Whether both parse to one document, but for the pieces, with scripts switched on and off."""
    texts = {change.start: _text(change.data) for change in changes}
    for scripting in (True, False):
        old = parse(_text(before), source_locations=True, scripting=scripting)
        for element in _inline(old):
            span = _span(element)
            if span is not None and span[0] in texts:
                element.text = texts[span[0]]
        if not old.equals(parse(_text(after), scripting=scripting)):
            return False
    return True
