"""Variants of images in pages: `<picture>` around `<img>`, sources in a `<picture>` that is there, preload links.

Only spans are filled: no byte of the page's own markup changes but the address of a preload link. The page is parsed
again afterwards, and must be the same but for what was inserted.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from typing import TYPE_CHECKING, NamedTuple

from turbohtml import Element

from v1z3r_build.formats import html, policies
from v1z3r_build.passes.images.image_sets import SheetEdited, sheet_edits
from v1z3r_build.passes.images.layout import narrower, widest
from v1z3r_build.passes.images.offers import Edit, Left, address
from v1z3r_build.passes.images.proof import Insertion, parsed, verdicts
from v1z3r_build.passes.images.sheets import UnknownSheetError
from v1z3r_build.site.span import Url

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

    from v1z3r_build.passes.images.offers import Offer
    from v1z3r_build.passes.images.selectors import Probes
    from v1z3r_build.passes.images.sheets import Sheets
    from v1z3r_build.passes.images.stillness import Scripts
    from v1z3r_build.site.address import Addresses

LARGEST = 32 * 1024 * 1024  # bytes
# Without one of these a page shows no image that could be another.
_CONCERNED = re.compile(rb"<(?:img|image|source)\b|\burl\(|\bpreload\b", re.I)
_DESCRIPTORS = re.compile(r"(?: \d+(?:\.\d+)?[wxh]){0,2}")
_MODERN = ("image/avif", "image/webp")
# Where an image is no part of the page as it is shown, or its parent chooses among its children.
_APART = frozenset(
    (
        "svg", "math", "template", "noscript", "object", "video", "audio", "canvas", "select", "datalist",
        "option", "iframe", "noframes", "noembed", "ruby",
    )
)  # fmt: skip
# References by which a page fetches an image, in addition to `<img>` and `<source>`.
_FETCHING = ("image", "candidate", "preload", "css-url", "embed", "icon", "media")


class Edited(NamedTuple):
    """What is to be filled in, and where an image stayed as it was."""

    edits: tuple[Edit, ...] = ()
    left: tuple[Left, ...] = ()


class _Candidate(NamedTuple):
    """An address in `src` or `srcset`: its span, the image, and what follows it in `srcset` (` 2x`, ` 640w`)."""

    url: Url
    path: str
    descriptor: str


class _Set(NamedTuple):
    """The typed sources for one element. number: of the image in the page's elements; start: where they go.

    content_types: in the order of preference; the first is what a preload link should fetch.
    """

    number: int
    start: int
    end: int
    candidates: tuple[_Candidate, ...]
    content_types: tuple[str, ...]
    sources: bytes
    wraps: bool
    inherit: tuple[str, ...] = ()

    @property
    def edits(self) -> tuple[Edit, ...]:
        if not self.wraps:
            return (Edit(self.start, self.start, self.sources),)
        style = ";".join(("display:contents", *(f"{name}:inherit" for name in self.inherit)))
        opening = f'<picture style="{style}">'.encode()
        return Edit(self.start, self.start, opening + self.sources), Edit(self.end, self.end, b"</picture>")

    @property
    def paths(self) -> set[str]:
        return {one.path for one in self.candidates}


class _Preload(NamedTuple):
    """A link that fetches images early. kind: the span of its `type`'s value, or where one can be inserted."""

    candidates: tuple[_Candidate, ...]
    kind: tuple[int, int]
    has_type: bool


class _NotOfferedError(Exception):
    """An element cannot get typed sources; the message says why, "" where there is nothing to tell."""

    def __init__(self, message: str = "") -> None:
        super().__init__(message)
        self.message = message


def page_edits(
    path: str,
    data: bytes,
    offers: Mapping[str, Offer],
    addresses: Addresses,
    sheets: Sheets,
    scripts: Scripts,
    policy: Sequence[str] = (),
    fetched: Collection[str] = (),
    styled: Collection[str] = (),
    *,
    faded: bool = False,
) -> Edited:
    """The edits that let a page choose among variants.

    path, data: the page. offers: from the path of an image to what may stand for it. policy: values of
    Content-Security-Policy headers that the page is served with. fetched, styled: images that the linked sheets of the
    page fetch in the original format, and those that they offer variants of (`SheetEdited`). faded: one of the sheets
    could fade images.
    """
    if not offers or data[:2] in (b"\xff\xfe", b"\xfe\xff") or len(data) > LARGEST or b"\0" in data:
        return Edited()
    if not _CONCERNED.search(data):
        return Edited()
    page = _Page(path, data, offers, addresses, policy)
    stillness = scripts.stillness(path, data)
    if stillness.reason:
        return Edited(left=tuple(page.all_left(stillness.reason)))
    if not path.lower().endswith((".html", ".htm")):
        return Edited(left=tuple(page.all_left("it is no page in HTML's own syntax")))
    if not page.has_doctype:
        return Edited(left=tuple(page.all_left("it has no doctype: browsers lay it out in quirks mode")))
    try:
        probes = sheets.probes(path, data, stillness.live)
    except UnknownSheetError as unknown:
        return Edited(left=tuple(page.all_left(str(unknown))))
    inline = page.inline_styles(faded=faded)
    page.settle({*fetched, *inline.plain}, {*styled, *inline.chosen})
    page.narrow(probes)
    while page.sets and not page.prove(probes):
        page.settle()
    left = sorted((*page.left, *inline.left), key=lambda one: one.start)
    return Edited((*page.edits(), *inline.edits), tuple(left))


class _Page:
    def __init__(
        self, path: str, data: bytes, offers: Mapping[str, Offer], addresses: Addresses, policy: Sequence[str]
    ) -> None:
        self.data = data
        self.offers = offers
        self.left: list[Left] = []
        self.sets: list[_Set] = []
        self.preloads: list[_Preload] = []
        self.path = path
        self.addresses = addresses
        self.fetched: set[str] = set()
        self.styled: set[str] = set()
        self.sheets: list[tuple[int, int]] = []  # inline styles that were looked through
        self.document = parsed(data)
        self.elements = list(self.document.iter_elements())
        reading = html.read(data)
        self.urls: dict[int, tuple[Url, str]] = {
            url.start: (url, addresses.find(url.text, path, reading.base).path) for url in reading.urls
        }
        self.base = reading.base
        said = (*policy, *(one.text for one in reading.policies))
        self.allows_styles = all(map(policies.allows_style_attributes, said))
        self.shadows = any(
            one.tag == "template" and any(name.startswith("shadowroot") for name in one.attrs) for one in self.elements
        )
        self.inert = list(_inert(self.elements, len(data)))
        for number, element in enumerate(self.elements):
            self.element(number, element)

    @property
    def has_doctype(self) -> bool:
        """Whether browsers lay the page out by the standards: only `<!doctype html>` is taken to say so."""
        return self.data.removeprefix(b"\xef\xbb\xbf").lstrip()[:15].lower() == b"<!doctype html>"

    def element(self, number: int, element: Element) -> None:
        if str(element.namespace) != "Namespace.HTML":
            return
        if element.tag == "img":
            holders = self.image(number, element)
        elif element.tag == "link":
            self.link(element)
            return
        else:
            return
        for one, wraps in holders:
            location = one.source_location
            if location is None or location.start_tag is None:
                continue
            start, end = location.start_tag.start_offset, location.start_tag.end_offset
            candidates = self.candidates(one)
            offered = [candidate for candidate in candidates if candidate.path in self.offers]
            if not offered:
                continue
            try:
                self.sets.append(self.sources(number, one, start, end, candidates, wraps=wraps))
            except _NotOfferedError as reason:
                self.left += [Left(start, path, reason.message) for path in _paths(offered) if reason.message]

    def image(self, number: int, element: Element) -> list[tuple[Element, bool]]:
        """The elements that choose for an image: itself and the sources before it; and whether to wrap it."""
        above = [one for one in element.ancestors if isinstance(one, Element)]
        parent = above[0] if above else None
        if parent is None or any(one.tag.lower() in _APART for one in above):
            return []
        if parent.tag != "picture":
            return [(element, True)]
        before = [one for one in element.previous_siblings if isinstance(one, Element)]
        sources = [one for one in reversed(before) if one.tag == "source"]
        untyped = [one for one in sources if str(one.attrs.get("type") or "").strip().lower() not in _MODERN]
        # What comes after a source that holds for all and is of a new format is there for old browsers.
        for number, one in enumerate(sources):
            if one not in untyped and "media" not in one.attrs:
                return [(earlier, False) for earlier in sources[:number] if earlier in untyped]
        return [*((one, False) for one in untyped), (element, False)]

    def candidates(self, element: Element) -> list[_Candidate]:
        """What an element lets the browser choose from (HTML Standard, "Updating the source set")."""
        spans = html.attribute_spans(self.data, element)
        name = "imagesrcset" if element.tag == "link" else "srcset"
        found: list[_Candidate] = []
        span = spans.get(name)
        if span is not None:
            low, high = span
            places = list(html.candidates(self.data, low, high))
            for at, (start, end) in enumerate(places):
                until = places[at + 1][0] if at + 1 < len(places) else high
                text = " ".join(html.decode(self.data[end:until]).replace(",", " ").split())
                found.append(self.candidate(start, f" {text}" if text else ""))
        own = spans.get({"img": "src", "link": "href"}.get(element.tag, ""))
        complete = any(one.descriptor in ("", " 1x") or "w" in one.descriptor for one in found)
        if own is not None and not complete and self.data[slice(*own)].strip():
            low = own[0]
            while self.data[low : low + 1].isspace():
                low += 1
            found.append(self.candidate(low, ""))
        return found

    def candidate(self, start: int, descriptor: str) -> _Candidate:
        url, path = self.urls.get(start, (Url(start, start, "", "candidate"), ""))
        return _Candidate(url, path, descriptor)

    def sources(
        self, number: int, element: Element, start: int, end: int, candidates: Sequence[_Candidate], *, wraps: bool
    ) -> _Set:
        """The typed sources for one `<img>` or `<source>`; raises an error where it gets none."""
        image = self.elements[number]
        if wraps:
            self.check_wrapping(image)
        kinds = self.kinds(candidates)
        if not kinds:
            raise _NotOfferedError("not all of its candidates have a variant of one format")
        own = ("sizes",) if element is image else ("media", "sizes", "width", "height")
        copied = b"".join(b" " + raw for raw in self.raw(element, own))
        sources = b"".join(
            b'<source hidden type="%s"%s srcset="%s">' % (kind.encode(), copied, self.srcset(candidates, kind))
            for kind in kinds
        )
        made = _Set(number, start, end, tuple(candidates), kinds, sources, wraps)
        added = sum(len(edit.data) for edit in made.edits)
        if min(self.offers[path].saved for path in made.paths) <= added:
            raise _NotOfferedError("its variants save less than the markup costs")
        return made

    def narrow(self, probes: Sequence[Probes]) -> None:
        """Offer smaller versions of images that the page shows once, in a width that is certain.

        What is shown twice could be fetched in two widths; what is preloaded, in another.
        """
        uses = Counter(one.path for made in self.sets for one in made.candidates)
        uses.update(path for path in self.styled)
        uses.update(one.path for link in self.preloads for one in link.candidates)
        for at, made in enumerate(self.sets):
            image = self.elements[made.number]
            (first, *others) = made.candidates
            offer = self.offers[first.path]
            if not (offer.widths and offer.width and offer.height and made.wraps) or others or first.descriptor:
                continue
            if uses[first.path] > 1:
                continue
            width = widest(image, [declared for probe in probes for declared in probe.sizing(image)])
            if width and "sizes" not in image.attrs:
                self.sets[at] = self.narrowed(made, offer, width)

    def narrowed(self, made: _Set, offer: Offer, width: int) -> _Set:
        (only,) = made.candidates
        sources: list[bytes] = []
        for kind in made.content_types:
            smaller = narrower(dict(offer.widths).get(kind, ()), width, offer.width, offer.height)
            if not smaller:
                sources.append(f'<source hidden type="{kind}" srcset="{self.srcset([only], kind).decode()}">'.encode())
                continue
            texts = [
                f"{address(only.url.text, path).replace('&', '&amp;')} {pixels}w"
                for pixels, path in (*smaller, (offer.width, offer.of_type(kind)))
            ]
            sources.append(f'<source hidden type="{kind}" sizes="{width}px" srcset="{", ".join(texts)}">'.encode())
        return made._replace(sources=b"".join(sources))

    def kinds(self, candidates: Sequence[_Candidate]) -> tuple[str, ...]:
        """The content types of which there is a variant of every candidate."""
        if any(one.path not in self.offers or not _DESCRIPTORS.fullmatch(one.descriptor) for one in candidates):
            return ()
        first, *rest = [self.offers[one.path] for one in candidates]
        return tuple(kind for kind, _ in first.variants if all(one.of_type(kind) for one in rest))

    def srcset(self, candidates: Sequence[_Candidate], kind: str) -> bytes:
        texts = (
            address(one.url.text, self.offers[one.path].of_type(kind)).replace("&", "&amp;") + one.descriptor
            for one in candidates
        )
        return ", ".join(texts).encode("ascii")

    def check_wrapping(self, image: Element) -> None:
        if not self.allows_styles:
            raise _NotOfferedError("the page's Content-Security-Policy forbids style attributes")
        if self.shadows or "slot" in image.attrs:
            raise _NotOfferedError("it may have a place in a shadow tree")
        if any("contenteditable" in one.attrs for one in image.ancestors if isinstance(one, Element)):
            raise _NotOfferedError("visitors edit the text that it stands in")
        if any(one.tag == "picture" for one in image.ancestors if isinstance(one, Element)):
            raise _NotOfferedError("it lies deep in a picture element")

    def raw(self, element: Element, names: Sequence[str]) -> Iterator[bytes]:
        """Attributes as they are written."""
        location = element.source_location
        for name in names:
            span = location.attrs.get(name) if location is not None else None
            if span is not None:
                yield self.data[span.start_offset : span.end_offset]

    def link(self, element: Element) -> None:
        spans = html.attribute_spans(self.data, element)
        location = element.source_location
        relations = element.attrs.get("rel") or []  # a list of words, as of every attribute that the standard calls so
        if location is None or location.start_tag is None or "preload" not in " ".join(relations).lower().split():
            return
        if str(element.attrs.get("as") or "").strip().lower() != "image":
            return
        kind = spans.get("type")
        place = location.start_tag.start_offset + len("<link")
        # `href` is for browsers without `imagesrcset`: both are filled.
        candidates = self.candidates(element)
        own = spans.get("href")
        if own is not None and all(one.url.start != own[0] for one in candidates):
            candidates.append(self.candidate(own[0], ""))
        self.preloads.append(_Preload(tuple(candidates), kind or (place, place), kind is not None))

    def inline_styles(self, *, faded: bool) -> SheetEdited:
        """Image sets in style elements and style attributes."""
        found: list[SheetEdited] = []
        for element in self.elements:
            location = element.source_location
            if str(element.namespace) != "Namespace.HTML" or location is None or location.start_tag is None:
                continue
            if element.tag == "style" and location.end_tag is not None:
                span, quote = (location.start_tag.end_offset, location.end_tag.start_offset), b'"'
            elif (value := html.attribute_spans(self.data, element).get("style")) is not None and self.allows_styles:
                # In an attribute without quotes, none could be written; character references stay what they are.
                mark = self.data[value[0] - 1 : value[0]]
                if mark not in (b'"', b"'") or b"&" in self.data[slice(*value)]:
                    continue
                span, quote = value, b"'" if mark == b'"' else b'"'
            else:
                continue
            one = sheet_edits(
                self.path, self.data, self.offers, self.addresses, *span, base=self.base, quote=quote,
                attribute=element.tag != "style", faded=faded,
            )  # fmt: skip
            found.append(one)
            self.sheets.append(span)
        return SheetEdited(
            tuple(edit for one in found for edit in one.edits),
            tuple(left for one in found for left in one.left),
            tuple(path for one in found for path in one.chosen),
            tuple(path for one in found for path in one.plain),
        )

    # What is kept of it

    def all_left(self, message: str) -> Iterator[Left]:
        yield from self.left
        for one in self.sets:
            for path in sorted(one.paths):
                yield Left(one.start, path, message)

    def drop(self, dropped: Collection[_Set], message: str) -> None:
        for one in dropped:
            self.left += [Left(one.start, path, message) for path in sorted(one.paths)]
        self.sets = [one for one in self.sets if one not in dropped]

    def preferred(self) -> Mapping[str, set[tuple[str, ...]]]:
        """For each image that the page has variants of, the content types that its places prefer."""
        types: defaultdict[str, set[tuple[str, ...]]] = defaultdict(set)
        for path in self.styled:
            types[path].add((self.offers[path].variants[0][0],))
        for made in self.sets:
            for path in made.paths:
                types[path].add(made.content_types[:1])
        return types

    def settle(self, fetched: Collection[str] = (), styled: Collection[str] = ()) -> None:
        """Leave the images that the page would fetch in two formats: each costs more than it saves."""
        self.fetched.update(fetched)
        self.styled = {path for path in (*self.styled, *styled) if path in self.offers} - self.fetched
        while True:
            filled_at = {one.url.start for made in self.sets for one in made.candidates}
            types = self.preferred()
            plain = set(self.fetched)
            for url, path in self.urls.values():
                if url.start in filled_at or url.role not in _FETCHING or path not in types:
                    continue
                if any(low <= url.start < high for low, high in (*self.inert, *self.sheets)):
                    continue
                if not self.is_preloaded(url.start, types) and not self.is_spare(url.start):
                    plain.add(path)
            dropped = [made for made in self.sets if made.paths & plain]
            if not dropped:
                return
            self.drop(dropped, "the page fetches it in the original format too, and would fetch both")

    def is_spare(self, start: int) -> bool:
        """Whether an address is the `src` of an image with a complete `srcset`, which browsers pass over."""
        for made in self.sets:
            image = self.elements[made.number]
            span = html.attribute_spans(self.data, image).get("src")
            if span is not None and span[0] <= start < span[1]:
                return True
        return False

    def is_preloaded(self, start: int, types: Mapping[str, set[tuple[str, ...]]]) -> bool:
        """Whether the address stands in a preload link that can be filled with what the pictures choose."""
        return any(
            start in (one.url.start for one in link.candidates) and self.chosen(link, types) for link in self.preloads
        )

    def chosen(self, link: _Preload, types: Mapping[str, set[tuple[str, ...]]]) -> str:
        """The content type that all pictures with a link's images prefer, "" if they differ."""
        wanted = {kind for one in link.candidates for kind in types.get(one.path, {()})}
        if len(wanted) != 1 or () in wanted:
            return ""
        kind = next(iter(wanted))[0]
        return kind if kind in self.kinds(link.candidates) else ""

    def edits(self) -> Iterator[Edit]:
        types = self.preferred()
        for made in self.sets:
            yield from made.edits
        for link in self.preloads:
            kind = self.chosen(link, types)
            if not kind:
                continue
            for one in link.candidates:
                text = address(one.url.text, self.offers[one.path].of_type(kind)).replace("&", "&amp;")
                yield Edit(one.url.start, one.url.end, text.encode("ascii"))
            yield Edit(*link.kind, kind.encode() if link.has_type else f' type="{kind}"'.encode())

    def prove(self, probes: Sequence[Probes]) -> bool:
        """Whether the page with all edits is the same but for them; else what is in doubt is dropped."""
        insertions = [Insertion(made.number, made.wraps) for made in self.sets]
        found = verdicts(self.data, list(self.edits()), insertions, probes)
        if found is None:
            self.drop(list(self.sets), "the page would be parsed to another tree")
            return True
        if any(one.doubt for one in found):
            for made, one in zip(list(self.sets), found, strict=True):
                if one.doubt:
                    self.drop([made], f"the style sheets would tell the difference: {one.doubt[:200]}")
            return False
        wanted = [made._replace(inherit=one.inherit) for made, one in zip(self.sets, found, strict=True)]
        settled = wanted == self.sets
        self.sets = wanted
        return settled


def _paths(candidates: Iterable[_Candidate]) -> list[str]:
    return sorted({one.path for one in candidates})


def _inert(elements: Iterable[Element], size: int) -> Iterator[tuple[int, int]]:
    """What lies in `noscript` and templates: nothing there is fetched where scripts run."""
    for element in elements:
        location = element.source_location
        if element.tag in ("noscript", "template") and location is not None and location.start_tag is not None:
            yield location.start_tag.end_offset, location.end_tag.start_offset if location.end_tag else size
