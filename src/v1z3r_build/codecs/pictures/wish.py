"""What is wanted of one image, and what is told of what was made."""

from __future__ import annotations

from typing import NamedTuple


class Wish(NamedTuple):
    """What is wanted of one image.

    exact: only the very same pixels, for what programs read. formats: of "avif", "webp". target: the SSIMULACRA 2
    score that lossy variants reach. max_pixels: larger ones are left; of an animation's frames together, four times
    as many. width: pixels to scale down to, 0 for the image's own. original: whether the file itself is to be made
    smaller without touching a pixel.
    """

    exact: bool
    formats: tuple[str, ...]
    target: float
    max_pixels: int
    width: int = 0
    original: bool = True


class Variant(NamedTuple):
    """format: "avif" or "webp". exact: it decodes to the same pixels, as was wished. score: worst SSIMULACRA 2 score of
    its frames and backgrounds, 100.0 if lossless. quality: what the encoder was asked for; 0 for lossless.
    """

    format: str
    data: bytes
    exact: bool
    score: float
    quality: int


class Left(NamedTuple):
    """What was not made, and why. code: a diagnostic's; message: for the reader, begins in lower case."""

    code: str
    message: str


class Recoded(NamedTuple):
    """width, height: as shown (orientation applied). frames: 1 for a still. All three 0 if the image could not be read.
    format: of the input ("png", "jpeg", "gif", "webp", "avif"), empty for anything else. original: the same format,
    same pixels and smaller; None if it is not. variants: best (smallest) first, each smaller than the smaller original.
    left: what was not made and why a reader may want to know.
    """

    width: int
    height: int
    frames: int
    format: str
    original: bytes | None
    variants: tuple[Variant, ...]
    left: tuple[Left, ...]
