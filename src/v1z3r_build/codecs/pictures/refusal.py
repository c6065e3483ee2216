"""Why a picture, or a part of what could be made of it, is left as it is."""

from __future__ import annotations

import struct
import zlib

from PIL import Image, ImageCms

# What Pillow raises at damaged or hostile bytes, measured on mutated files. Its readers are written in Python for
# the most part and let through whatever goes wrong on the way.
DAMAGE = (
    OSError,
    EOFError,
    SyntaxError,
    ValueError,
    TypeError,
    LookupError,
    ArithmeticError,
    AttributeError,
    RuntimeError,
    struct.error,
    zlib.error,
    ImageCms.PyCMSError,
    Image.DecompressionBombError,
)


class RefusalError(Exception):
    """A picture that is left alone, in words for the reader.

    code: image-broken (damaged, or not what it says), image-too-large, image-left (sound, but what it says cannot be
    said, or not surely, in another format).
    """

    def __init__(self, message: str, code: str = "image-left") -> None:
        super().__init__(message)
        self.code = code
        self.message = message


def broken(message: str) -> RefusalError:
    return RefusalError(message, "image-broken")


def too_large(pixels: int, most: int) -> RefusalError:
    """most: that are allowed."""
    return RefusalError(f"its {pixels / 1e6:.1f} megapixels are more than {most / 1e6:g}", "image-too-large")
