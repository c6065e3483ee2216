"""How wide an image can become on a page: only where attributes and style sheets leave no doubt."""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING

from v1z3r_build.formats import style_rules

if TYPE_CHECKING:
    from collections.abc import Iterable

    from turbohtml import Element

    from v1z3r_build.formats.style_rules import Declaration

_WIDTHS = ("width", "inline-size")
# They say that it is as high as its width asks for.
_HEIGHTS = ("height", "block-size")
# What can make an image wider than its `width`, or show it larger than its box. `max-width` and the like only shrink.
SIZING = frozenset(
    (
        *_WIDTHS, *_HEIGHTS, "min-width", "min-inline-size", "min-height", "min-block-size", "aspect-ratio", "flex",
        "all", "flex-grow", "flex-basis", "zoom", "transform", "scale", "object-fit", "content", "position-area",
    )
)  # fmt: skip
_PIXELS = re.compile(r"(\d{1,5}(?:\.\d+)?)px", re.I)
# HTML Standard, "rules for parsing dimension values": what else would stand there is a percentage or cut off.
_ATTRIBUTE = re.compile(r"[ \t\n\f\r]*(\d{1,5})(?:px)?[ \t\n\f\r]*", re.I)


def widest(image: Element, declared: Iterable[Declaration]) -> int:
    """The width in CSS pixels that an image cannot exceed, 0 if that is not certain.

    declared: what style sheets may say of it at any time, of the properties in SIZING. Its own `width` attribute, or
    its style, must say how wide it is: then neither its natural size nor its place in a flex or grid container does.
    """
    style = image.attrs.get("style")
    own = style_rules.attribute_declarations(style) if isinstance(style, str) else ()
    found: list[float] = []
    sure = False
    attribute = _ATTRIBUTE.fullmatch(str(image.attrs.get("width") or ""))
    if attribute is not None:
        found.append(float(attribute.group(1)))
        sure = True
    for one in (*declared, *own):
        if one.name in _WIDTHS:
            pixels = _PIXELS.fullmatch(one.value)
            if pixels is None:
                return 0
            found.append(float(pixels.group(1)))
            sure = sure or one in own
        elif one.name in SIZING and not (one.name in _HEIGHTS and one.value.lower() == "auto"):
            return 0
    return math.ceil(max(found)) if sure else 0


def narrower(widths: Iterable[tuple[int, str]], widest: int, width: int, height: int) -> list[tuple[int, str]]:
    """The versions of an image that are worth offering where it is `widest` CSS pixels wide at most.

    width, height: of the image itself. A version of another ratio would be higher by parts of a pixel; one of fewer
    pixels than the box is chosen by no browser.
    """
    return [one for one in widths if widest <= one[0] < width and one[0] * height % width == 0]
