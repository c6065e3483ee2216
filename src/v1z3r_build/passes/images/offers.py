"""What may stand for an image, and how it is written where the image's own address stands."""

from __future__ import annotations

import posixpath
from typing import NamedTuple
from urllib.parse import quote

# Written as they are: nothing in an address so encoded means anything to HTML, to `srcset` or to CSS. A comma may
# not begin or end a candidate of `srcset` (HTML Standard, "Parsing a srcset attribute"), parentheses and quotes end
# a url().
_PLAIN = "/-._~!$*+;=:@%&"


class Offer(NamedTuple):
    """What may stand for an image on a page or in a style sheet.

    variants: content type and path of each, best first. width, height: of the image as shown, in pixels, 0 if they are
    not known. saved: bytes by which the largest of the variants is smaller than the image. widths: for each content
    type, pixel width and path of smaller versions, ascending; without the full size, which is in `variants`.
    """

    variants: tuple[tuple[str, str], ...]
    width: int = 0
    height: int = 0
    saved: int = 0
    widths: tuple[tuple[str, tuple[tuple[int, str], ...]], ...] = ()

    def of_type(self, content_type: str) -> str:
        """The path of the variant of a type, "" if there is none."""
        return next((path for kind, path in self.variants if kind == content_type), "")


class Left(NamedTuple):
    """A place where an image stayed as it was. start: its offset; path: the image; message: why, for the reader."""

    start: int
    path: str
    message: str


class Edit(NamedTuple):
    """Bytes that take the place of those from start to end; plain ASCII. As `link.filling.apply` takes them."""

    start: int
    end: int
    data: bytes


def address(text: str, path: str) -> str:
    """The address of a variant, beside the image whose address is `text`: only the file's name is another.

    text: as a browser reads it, escapes undone. What is not plain is percent-encoded as in UTF-8, which is how
    browsers encode paths in a page of any charset (URL Standard, "path state").
    """
    text = text.strip(" \t\n\r\f").translate({9: None, 10: None, 13: None}).replace("\\", "/")
    cut = min((at for mark in "?#" if (at := text.find(mark)) >= 0), default=len(text))
    folder = text[: text.rfind("/", 0, cut) + 1]
    # A colon in the first segment of a relative address would make it a scheme.
    return quote(folder, safe=_PLAIN) + quote(posixpath.basename(path), safe="-._~!$*+;=@")
