"""References in pages (and SVG files): attributes, inline styles, inline scripts, import maps.

Pages are parsed by turbohtml, which follows the HTML Standard. Its positions are code points, so a page is handed
over with one code point a byte (latin-1), line ends normalised at equal length; text is decoded again from the bytes.
"""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from itertools import pairwise
from typing import TYPE_CHECKING

from v1z3r_build.formats import css, flight, javascript, json
from v1z3r_build.site.span import (
    Hit,
    Inline,
    Integrity,
    Mention,
    Policy,
    Reading,
    Role,
    Stand,
    Url,
    mention,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from turbohtml import Element

_READABLE = re.compile(rb"<(?:img|feimage)\b", re.I)
_NOSCRIPT_END = re.compile(rb"</noscript[\s/>]", re.I)
_BOM = b"\xef\xbb\xbf"
_SPACE = b" \t\n\r\f"
_ATTRIBUTE = re.compile(rb"[^\s=/>]*\s*=\s*(?:\"([^\"]*)\"|'([^']*)'|([^\s>]*))", re.S)
_SRCSET_URL = re.compile(rb"[^\s,]\S*")
_REFRESH = re.compile(rb"\s*[\d.]+\s*[;,\s]\s*(?:url\s*=\s*)?['\"]?([^'\"]+)", re.I)

# What a base does not matter to.
_ROOTED = re.compile(r"[/\\]|[a-z][a-z0-9+.-]*:", re.I)
_WRITES_BASE = re.compile(rb"<base\b|createElement\(\s*[\"'`]base\b", re.I)

# HTML Standard, "Index of attributes": what each attribute with a URL is for.
_ROLES: dict[tuple[str, str], Role] = {
    ("img", "src"): "image",
    ("input", "src"): "image",
    ("image", "href"): "image",
    ("image", "xlink:href"): "image",
    ("feimage", "href"): "image",
    ("feimage", "xlink:href"): "image",
    ("use", "href"): "image",
    ("use", "xlink:href"): "image",
    ("video", "poster"): "image",
    ("body", "background"): "image",
    ("table", "background"): "image",
    ("td", "background"): "image",
    ("video", "src"): "media",
    ("audio", "src"): "media",
    ("source", "src"): "media",
    ("track", "src"): "media",
    ("iframe", "src"): "embed",
    ("frame", "src"): "embed",
    ("embed", "src"): "embed",
    ("object", "data"): "embed",
    ("a", "href"): "page",
    ("a", "xlink:href"): "page",
    ("area", "href"): "page",
    ("form", "action"): "page",
    ("button", "formaction"): "page",
    ("input", "formaction"): "page",
}
_LINKS: dict[str, Role] = {
    "stylesheet": "style",
    "preload": "preload",
    "modulepreload": "preload",
    "prefetch": "prefetch",
    "icon": "icon",
    "apple-touch-icon": "icon",
    "apple-touch-icon-precomposed": "icon",
    "mask-icon": "icon",
    "apple-touch-startup-image": "icon",
    "image_src": "outside",
    "next": "page",
    "prev": "page",
    "prerender": "page",
}
SCRIPT_TYPES = {
    "",
    "text/javascript",
    "application/javascript",
    "text/ecmascript",
    "application/ecmascript",
    "application/x-javascript",
    "text/x-javascript",
}


def code_points(data: bytes) -> str:
    """A page as text with one code point a byte, so that the parser's offsets are byte offsets."""
    if data.startswith(_BOM):
        data = b"   " + data[3:]
    return data.replace(b"\r\n", b" \n").replace(b"\r", b"\n").decode("latin-1")


def decode(raw: bytes) -> str:
    """The value of an attribute from its raw bytes, character references undone."""
    text = raw.decode("utf-8", "replace")
    if "&" not in text:
        return text
    import turbohtml

    quoted = text.replace('"', "&quot;")
    element = turbohtml.parse_fragment(f'<i x="{quoted}">').find("i")
    value = element.attrs.get("x") if element is not None else None
    return value if isinstance(value, str) else text


def attribute_spans(data: bytes, element: Element) -> dict[str, tuple[int, int] | None]:
    """Where the values of an element's attributes stand, quotes apart; None for an attribute without one."""
    location = element.source_location
    if location is None or location.start_tag is None:
        return {}
    found: dict[str, tuple[int, int] | None] = {}
    low, high = location.start_tag.start_offset, location.start_tag.end_offset
    for name, span in location.attrs.items():
        # A second <html> or <body> tag merges its attributes into the first; their offsets are not in it.
        if low <= span.start_offset <= high:
            value = _ATTRIBUTE.match(data, span.start_offset, span.end_offset)
            found[name] = value.span(value.lastindex or 1) if value else None
    return found


def attributes(data: bytes, element: Element) -> dict[str, str]:
    """The values of an element's attributes, read from the bytes of the page."""
    spans = attribute_spans(data, element)
    return {name: decode(data[slice(*span)]) if span else "" for name, span in spans.items()}


def readable_images(data: bytes) -> list[tuple[int, int]]:
    """The start tags of images that a script could well be meant to read the pixels of, or a filter to compute with.

    What has an id, is hidden, crosses origins or is an asset of A-Frame; feImage of SVG.
    """
    if not _READABLE.search(data) or data[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return []
    import turbohtml

    found: list[tuple[int, int]] = []
    for element in turbohtml.parse(code_points(data), source_locations=True).iter_elements():
        tag, location = element.tag.lower(), element.source_location
        if location is None or location.start_tag is None or tag not in ("img", "feimage"):
            continue
        style = str(element.attrs.get("style") or "").replace(" ", "").lower()
        marked = {"id", "hidden", "crossorigin"} & set(element.attrs) or "display:none" in style
        above = getattr(element.parent, "tag", "").lower()
        if tag == "feimage" or marked or above == "a-assets":
            found.append((location.start_tag.start_offset, location.start_tag.end_offset))
    return found


def read(data: bytes, hits: Sequence[Hit] = ()) -> Reading:
    """The references of a page or an SVG file; each hit is answered by one mention.

    A page in UTF-16 is not read: nothing in it is sure.
    """
    if data[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return Reading(mentions=tuple(mention(data, hit, "unknown", 0, len(data)) for hit in hits))
    import turbohtml

    page = _Page(data, hits)
    for element in turbohtml.parse(code_points(data), source_locations=True).iter_elements():
        page.element(element)
    return page.reading()


class _Page:
    def __init__(self, data: bytes, hits: Sequence[Hit]) -> None:
        self.data = data
        self.hits = sorted(hits, key=lambda hit: hit.start)
        self.starts = [hit.start for hit in self.hits]
        self.urls: list[Url] = []
        self.inlines: list[Inline] = []
        self.islands: list[Inline] = []
        self.integrities: list[Integrity] = []
        self.policies: list[Policy] = []
        self.parts: list[Reading] = []
        self.base: str | None = None
        # Relative URLs before this offset have no base that is sure.
        self.sure_from = 0
        self.noscripts: list[tuple[int, int]] = []
        # What a browser with scripts fetches nothing of: content of noscript and of templates.
        self.inert: list[tuple[int, int]] = []
        # Attribute values, and the content of elements that no format reads: low, high, how sure a word in it is.
        self.values: list[tuple[int, int, Stand]] = []

    def element(self, element: Element) -> None:
        location = element.source_location
        if location is None or location.start_tag is None:
            return
        found = attribute_spans(self.data, element)
        spans = {name: span for name, span in found.items() if span is not None}
        attributes = {name: decode(self.data[slice(*span)]) if span else "" for name, span in found.items()}
        high = location.start_tag.end_offset
        tag = element.tag.lower()
        if tag == "base" and not _is_in_page(element):
            return
        if tag in ("noscript", "template"):
            end = location.end_tag.start_offset if location.end_tag else len(self.data)
            if tag == "noscript":
                self.noscripts.append((high, end))
                # With scripts it is text up to its end tag, whatever is in it (HTML Standard, "in head noscript").
                closing = _NOSCRIPT_END.search(self.data, high, end)
                end = closing.start() if closing else end
            self.inert.append((high, end))
        # Of the images of a set a browser fetches one, and `src` is only what else there is (HTML Standard, "Images").
        among = tag == "img" and ("srcset" in attributes or getattr(element.parent, "tag", "") == "picture")
        for name, (low, high) in spans.items():
            self.attribute(tag, name, attributes, low, high, among)
        address = attributes.get({"script": "src", "link": "href"}.get(tag, ""), "").strip()
        checked = tag == "script" or {"stylesheet", "preload", "modulepreload"} & set(
            attributes.get("rel", "").lower().split()
        )
        if address and checked and "integrity" in attributes:
            self.integrities.append(Integrity(*spans["integrity"], address, attributes["integrity"]))
        if tag == "meta" and attributes.get("http-equiv", "").lower() == "content-security-policy":
            parent = element.parent
            # Elsewhere a browser takes no notice of it (HTML Standard, "Content security policy state").
            if "content" in attributes and getattr(parent, "tag", "") == "head":
                self.policies.append(Policy(*spans["content"], attributes["content"]))
        if tag in ("script", "style") and location.end_tag is not None:
            self.content(tag, attributes, location.start_tag.end_offset, location.end_tag.start_offset, element)

    def attribute(self, tag: str, name: str, attributes: dict[str, str], low: int, high: int, among: bool) -> None:
        """among: whether the element chooses an image among several."""
        raw = self.data[low:high]
        stand: Stand = "string"
        if name == "style":
            if b"&" not in raw:
                self.part(css.read(self.data, self.within(low, high), low, high))
                return
            stand = "unknown"
        elif name.startswith("on") or name in ("alt", "title", "placeholder", "aria-label", "srcdoc"):
            # Code and text: a word here is no name of a file that could be filled.
            stand = "unknown"
            if name.startswith("on"):
                self.parts.append(Reading(remakes=javascript.remakes(self.data, low, high)))
        elif name in ("srcset", "imagesrcset"):
            for start, end in candidates(self.data, low, high):
                self.urls.append(Url(start, end, decode(self.data[start:end]), "candidate"))
        elif tag == "base" and name == "href":
            self.base_element(attributes[name].strip(), low)
        elif tag == "meta" and name == "content":
            self.meta(attributes, low, high)
        else:
            role = _role(tag, name, attributes)
            if role == "image" and among:
                role = "candidate"
            if role is not None:
                inset = len(raw) - len(raw.lstrip(_SPACE))
                end = high - (len(raw) - len(raw.rstrip(_SPACE)))
                if low + inset < end:
                    self.urls.append(Url(low + inset, end, attributes[name].strip(), role))
        self.values.append((low, high, stand))

    def base_element(self, href: str, place: int) -> None:
        """The first `<base href>` holds, from where it stands: what was fetched before it had another base."""
        if any(low <= place < high for low, high in self.noscripts):
            self.sure_from = len(self.data)  # it holds for those without scripts alone
        elif self.base is None:
            self.base = href
            self.sure_from = max(self.sure_from, place)

    def as_fetched(self, url: Url) -> Url:
        """The reference; one that a browser with scripts does not fetch by itself is only a candidate."""
        if url.role in ("image", "style", "preload") and any(low <= url.start < high for low, high in self.inert):
            return url._replace(role="candidate")
        return url

    def is_sure(self, url: Url) -> bool:
        return url.start >= self.sure_from or _ROOTED.match(url.text) is not None

    def meta(self, attributes: dict[str, str], low: int, high: int) -> None:
        if attributes.get("http-equiv", "").lower() == "refresh":
            found = _REFRESH.match(self.data, low, high)
            if found:
                self.urls.append(Url(*found.span(1), decode(found.group(1)).strip(), "page"))
        elif javascript.SHARED.match(attributes.get("property", attributes.get("name", ""))):
            value = attributes["content"].strip()
            if value and not value.isdecimal() and ("/" in value or "." in value) and " " not in value:
                self.urls.append(Url(low, high, value, "outside"))

    def content(self, tag: str, attributes: dict[str, str], low: int, high: int, element: Element) -> None:
        foreign = str(element.namespace) != "Namespace.HTML"
        if foreign and (b"&" in self.data[low:high] or b"<" in self.data[low:high]):
            # In SVG, character references and CDATA are undone before the style or script is read.
            self.values.append((low, high, "unknown"))
            return
        hits = self.within(low, high)
        inline = Inline(low, high, tag, attributes.get("nonce", ""))
        if tag == "style":
            self.inlines.append(inline)
            self.part(css.read(self.data, hits, low, high))
            return
        kind = attributes.get("type", "").strip().lower().partition(";")[0].strip()
        if "src" in attributes:
            self.values.append((low, high, "unknown"))
            return
        if kind in SCRIPT_TYPES or kind == "module":
            self.inlines.append(inline)
            if _WRITES_BASE.search(self.data, low, high):
                self.sure_from = len(self.data)
            self.part(javascript.read(self.data, hits, low, high))
        elif kind == "importmap":
            self.inlines.append(inline)
            self.part(json.read_import_map(self.data, hits, low, high))
        elif kind == "speculationrules" or kind.endswith("json"):
            if kind == "speculationrules":
                self.inlines.append(inline)
            else:
                self.islands.append(Inline(low, high, kind))
            self.part(json.read(self.data, hits, low, high))
        else:
            # A template, or a script that another one runs once the visitor consents: a word may be in use there.
            self.values.append((low, high, "unknown"))

    def part(self, reading: Reading) -> None:
        self.parts.append(reading)

    def cut(self, hit: Hit, low: int, high: int) -> Mention:
        """The mention of a word that begins at the end of one piece of flight data and ends in the next."""
        for left, right in pairwise(flight.pieces(self.data, self.inlines)):
            if left[0] <= hit.start and left[1] == low and right[0] == high and hit.end <= right[1]:
                return mention(self.data, hit, "string", left[0], right[1])
        return mention(self.data, hit, "unknown", 0, len(self.data))

    def within(self, low: int, high: int) -> Sequence[Hit]:
        return [
            hit for hit in self.hits[bisect_left(self.starts, low) : bisect_left(self.starts, high)] if hit.end <= high
        ]

    def reading(self) -> Reading:
        mentions = [found for part in self.parts for found in part.mentions]
        answered = {found.start: found for found in mentions}
        # Inline parts were answered by their own format; the rest stands in an attribute or in text.
        values = sorted(self.values)
        lows = [low for low, _, _ in values]
        rest: list[Mention] = []
        for hit in self.hits:
            if hit.gap is not None:
                rest.append(self.cut(hit, *hit.gap))
                continue
            if hit.start in answered and any(found.start == hit.start and found.word == hit.word for found in mentions):
                continue
            index = bisect_right(lows, hit.start) - 1
            if index >= 0 and hit.end <= values[index][1]:
                low, high, stand = values[index]
                rest.append(mention(self.data, hit, stand, low, high))
            else:
                rest.append(mention(self.data, hit, "text", 0, len(self.data)))
        shown = flight.shown(self.data, flight.pieces(self.data, self.inlines))
        urls = [*self.urls, *(url for part in self.parts for url in part.urls), *shown]
        return Reading(
            urls=tuple(sorted(map(self.as_fetched, filter(self.is_sure, urls)), key=_start)),
            mentions=tuple(sorted([*mentions, *rest], key=_start)),
            revisions=tuple(revision for part in self.parts for revision in part.revisions),
            inlines=tuple(self.inlines),
            islands=tuple(self.islands),
            integrities=(*self.integrities, *(one for part in self.parts for one in part.integrities)),
            policies=tuple(self.policies),
            reach=tuple(span for part in self.parts for span in part.reach),
            remakes=tuple(place for part in self.parts for place in part.remakes),
            base=self.base or "",
        )


def _is_in_page(element: Element) -> bool:
    """Whether an element is one of the page's HTML, and none of a drawing or in a template."""
    above = {getattr(one, "tag", "") for one in element.ancestors}
    return str(element.namespace) == "Namespace.HTML" and "html" in above and "template" not in above


def _start(span: Url | Mention) -> int:
    return span.start


def candidates(data: bytes, low: int, high: int) -> Iterator[tuple[int, int]]:
    """The raw URLs of a `srcset` between two offsets (HTML Standard, "Parsing a srcset attribute")."""
    position = low
    while True:
        while position < high and (data[position : position + 1] in (b",",) or data[position] in _SPACE):
            position += 1
        found = _SRCSET_URL.match(data, position, high)
        if found is None:
            return
        start, end = found.span()
        if data[end - 1 : end] == b",":
            stripped = data[start:end].rstrip(b",")
            yield start, start + len(stripped)
            position = end
            continue
        yield start, end
        depth, position = 0, end
        while position < high:
            char = data[position : position + 1]
            depth += (char == b"(") - (char == b")")
            position += 1
            if char == b"," and depth <= 0:
                break


def _role(tag: str, name: str, attributes: dict[str, str]) -> Role | None:
    if tag == "script" and name in ("src", "href", "xlink:href"):
        kind = attributes.get("type", "").strip().lower()
        if kind == "module":
            return "module"
        if "nomodule" in attributes:
            return "nomodule"
        return "script" if kind.partition(";")[0].strip() in SCRIPT_TYPES else None
    if tag == "link" and name == "href":
        rels = attributes.get("rel", "").lower().split()
        rels.sort(key=lambda rel: rel in ("preload", "prefetch"))  # `preload stylesheet` is a style sheet first of all
        for rel in rels:
            if rel in _LINKS:
                return "prefetch" if rel == "stylesheet" and "alternate" in rels else _LINKS[rel]
        return "outside" if {"manifest", "canonical", "alternate", "amphtml"} & set(rels) else None
    role = _ROLES.get((tag, name))
    if role in ("image", "embed") and attributes.get("loading", "").lower() == "lazy":
        return "candidate"
    if role == "media" and tag == "source":
        return "candidate"
    return role
