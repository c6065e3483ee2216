"""How large pictures are in pixels, by their first bytes: nothing is decoded."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING

from PIL import Image

if TYPE_CHECKING:
    from pathlib import Path

# Pillow reads the headers of these in Python. For WebP it would start the codec, which is native code, and input may be
# hostile; those headers are read here. AVIF's lie in nested boxes: their size stays unknown.
_HEADERS_ALONE = ("PNG", "JPEG", "GIF", "BMP")
_WEBP_HEADER = 30


def pixels(location: Path) -> tuple[int, int] | None:
    """Width and height of a picture in pixels; None for what is none, is broken, or of another format."""
    try:
        with location.open("rb") as file:
            head = file.read(_WEBP_HEADER)
        if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
            return _webp(head)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)
            with Image.open(location, formats=_HEADERS_ALONE) as image:
                return image.size
    # Pillow raises these, and of its own kinds, for headers that lie.
    except (OSError, SyntaxError, ValueError, ArithmeticError, LookupError, TypeError, Image.DecompressionBombError):
        return None


def _webp(head: bytes) -> tuple[int, int] | None:
    """The size in a WebP file's first chunk (RFC 9649, §2.5 to §2.7)."""
    kind, data = head[12:16], head[20:]
    if len(head) < _WEBP_HEADER:
        return None
    if kind == b"VP8X":
        return _number(data[4:7]) + 1, _number(data[7:10]) + 1
    if kind == b"VP8L" and data[0] == 0x2F:
        bits = _number(data[1:5])
        return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
    if kind == b"VP8 " and data[3:6] == b"\x9d\x01\x2a":  # RFC 6386, §9.1
        return _number(data[6:8]) & 0x3FFF, _number(data[8:10]) & 0x3FFF
    return None


def _number(data: bytes) -> int:
    return int.from_bytes(data, "little")
