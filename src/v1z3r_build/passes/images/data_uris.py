"""Images that stand in pages and style sheets as `data:` URLs, and their smaller forms."""

from __future__ import annotations

import base64
import re
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import unquote_to_bytes

from v1z3r_build.formats import css, html
from v1z3r_build.passes.images.offers import Edit

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from v1z3r_build.site.span import Url

SMALLEST = 256  # bytes of an image: below, what there is to gain is less than the noise of compression
_HEAD = re.compile(r"data:\s*(image/(?:png|jpe?g|gif|webp|apng|avif|bmp))\s*(;[^,]*)?;\s*base64\s*,", re.I)
_SPACE = re.compile(rb"[\t\n\f\r ]+")
# Where the page itself shows an image: any format will do that browsers know. Icons and what others read stay.
_SHOWN = ("image", "candidate", "css-url")


class Inlined(NamedTuple):
    """An image in a `data:` URL. start, end: the URL in the file; data: the image; content_type: as the URL says.

    shown: the page itself shows it, so that another format will do.
    """

    start: int
    end: int
    content_type: str
    data: bytes
    shown: bool


def in_page(data: bytes) -> list[Inlined]:
    """The inlined images of a page, those in its style elements and attributes too."""
    return list(_inlined(html.read(data).urls))


def in_sheet(data: bytes) -> list[Inlined]:
    """The inlined images of a style sheet; none if a source map tells of its columns."""
    return [] if b"sourceMappingURL=" in data or b"data:" not in data.lower() else list(_inlined(css.read(data).urls))


def replaced(image: Inlined, content_type: str, data: bytes) -> Edit | None:
    """The edit that puts other bytes in an image's place, None if that is no shorter.

    Base64 means nothing to HTML, to `srcset` or to CSS, quoted or not.
    """
    text = f"data:{content_type};base64,{base64.b64encode(data).decode('ascii')}".encode("ascii")
    return Edit(image.start, image.end, text) if len(text) < image.end - image.start else None


def _inlined(urls: Iterable[Url]) -> Iterator[Inlined]:
    for url in urls:
        head = _HEAD.match(url.text)
        if head is None or "#" in url.text:
            continue
        try:
            body = _SPACE.sub(b"", unquote_to_bytes(url.text[head.end() :]))
            data = base64.b64decode(body + b"=" * (-len(body) % 4), validate=True)
        except ValueError:
            continue
        if len(data) >= SMALLEST:
            yield Inlined(url.start, url.end, head.group(1).lower(), data, url.role in _SHOWN)
