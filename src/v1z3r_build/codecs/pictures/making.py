"""What is made of one image, and what of it is kept."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from v1z3r_build.codecs.pictures import avif, jpeg, png, webp
from v1z3r_build.codecs.pictures.decoding import decode, format_of, pixels, read_back
from v1z3r_build.codecs.pictures.likeness import likeness
from v1z3r_build.codecs.pictures.refusal import DAMAGE, RefusalError
from v1z3r_build.codecs.pictures.search import Try, lowest
from v1z3r_build.codecs.pictures.wish import Left, Recoded, Variant

if TYPE_CHECKING:
    from collections.abc import Callable

    from PIL import Image

    from v1z3r_build.codecs.pictures.likeness import Pixels
    from v1z3r_build.codecs.pictures.picture import Picture
    from v1z3r_build.codecs.pictures.wish import Wish

    _Encode = Callable[[Picture, int], bytes]

_FRAMES_JUDGED = 6
_FEW = 256  # colours: what a palette holds
_TINY = 64 * 64  # pixels: so little costs nothing to try
_LARGE = 4_000_000  # pixels: above, a sample of a quarter or less saves more than it costs
_FLAT = 0.6  # of the pixels: 29 of 31 photos have less, 24 of 25 drawings and screenshots more
_MARGIN = 0.95  # AVIF takes more time to decode than WebP: so much smaller it must be


@dataclass(frozen=True, slots=True)
class _Start:
    """Quality that gives a score of about 80, and the points that a step gives there (medians of 40 pictures)."""

    quality: float
    slope: float


_MIDDLE = 80
# Of photos and of drawings.
_WEBP_STARTS = (_Start(85, 0.8), _Start(66, 0.4))
_AVIF_STARTS = (_Start(61, 0.6), _Start(46, 0.6))


def recoded(wish: Wish, data: bytes) -> Recoded:
    """What `recoding.recode` returns."""
    format = format_of(data)
    if format == "avif":
        return Recoded(0, 0, 0, format, None, (), ())
    picture, refusals = None, []
    try:
        picture = decode(data, wish.max_pixels, wish.exact)
    except RefusalError as refusal:
        refusals.append(refusal)
    sound = all(refusal.code == "image-left" for refusal in refusals)
    original = _original(format, data) if wish.original and not wish.width and sound else None
    variants: list[Variant] = []
    if picture is not None:
        most = len(data if original is None else original) - 1
        variants = _variants(wish, picture, most, refusals)
    width, height = picture.size if picture else (0, 0)
    left = tuple(Left(refusal.code, refusal.message) for refusal in refusals)
    frames = len(picture.frames) if picture else 0
    return Recoded(width, height, frames, format, original, tuple(variants), left)


def _original(format: str, data: bytes) -> bytes | None:
    """The file itself in fewer bytes, if there is a way that leaves every pixel and colour as it is."""
    optimized = {"png": png.optimized, "jpeg": jpeg.optimized}.get(format)
    if optimized is None:
        return None
    try:
        smaller = optimized(data)
    except RefusalError:
        return None
    if len(smaller) >= len(data):
        return None
    try:
        before, after = pixels(data), pixels(smaller)
    except (*DAMAGE, RefusalError):
        return None
    same = before.size == after.size and before.tobytes() == after.tobytes()
    return smaller if same else None


def _variants(wish: Wish, picture: Picture, most: int, refusals: list[RefusalError]) -> list[Variant]:
    """Those that have no more bytes than `most`, smallest first; what was not made is added to the refusals."""
    if wish.width:
        if wish.exact:
            refusals.append(RefusalError("scaled down it would not have the same pixels"))
            return []
        if wish.width > picture.size[0]:
            return []
        if wish.width < picture.size[0]:
            picture = picture.scaled(wish.width)
    made: list[Variant] = []
    for format, make in (("webp", _webp), ("avif", _avif)):
        if format not in wish.formats:
            continue
        if made:
            most = int(len(made[0].data) * _MARGIN)
        try:
            variant = make(wish, picture, most)
        except RefusalError as refusal:
            refusals.append(refusal)
            continue
        if variant:
            made.insert(0, variant)
    return made


def _webp(wish: Wish, picture: Picture, most: int) -> Variant | None:
    if max(picture.size) > webp.LONGEST:
        raise RefusalError(f"it is longer than the {webp.LONGEST} pixels that WebP can have")
    candidates = []
    if wish.exact or _often_smaller_without_loss(picture):
        data = webp.lossless(picture, wish.exact)
        if len(data) <= most and _same(picture, data, hidden=wish.exact):
            candidates.append(Variant("webp", data, wish.exact, 100.0, 0))
            most = len(data) - 1
    if not wish.exact:
        best = _searched(picture, webp.lossy, wish.target, _WEBP_STARTS, most)
        if best:
            if picture.frames[1:] or picture.frames[0].mode == "RGB":
                best = _slowed(picture, best, wish.target)
            candidates.append(Variant("webp", best.data, False, best.score, best.quality))
    return min(candidates, key=lambda variant: len(variant.data), default=None)


def _slowed(picture: Picture, best: Try, target: float) -> Try:
    """The same quality with more effort, if that is smaller and still reaches the target."""
    slow = webp.lossy(picture, best.quality, slowly=True)
    if len(slow) >= len(best.data) or (score := _score(picture, slow)) < target:
        return best
    return Try(best.quality, slow, score)


def _avif(wish: Wish, picture: Picture, most: int) -> Variant | None:
    if wish.exact or len(picture.frames) > 1:
        return None
    if max(picture.size) > avif.LONGEST:
        raise RefusalError(f"it is longer than the {avif.LONGEST} pixels that AVIF can have")
    best = _searched(picture, avif.lossy, wish.target, _AVIF_STARTS, most)
    return Variant("avif", best.data, False, best.score, best.quality) if best else None


def _drawn(picture: Picture) -> bool:
    """Whether much of it is of one colour with its neighbour: drawings, text, screenshots, not photos."""
    pixels = np.asarray(picture.frames[0])
    return float((pixels[:, 1:] == pixels[:, :-1]).all(axis=2).mean()) > _FLAT if pixels.shape[1] > 1 else True


def _often_smaller_without_loss(picture: Picture) -> bool:
    first = picture.frames[0]
    tiny = first.width * first.height <= _TINY
    return picture.few_colours or tiny or first.getcolors(_FEW) is not None or _drawn(picture)


def _searched(picture: Picture, encode: _Encode, target: float, starts: tuple[_Start, _Start], most: int) -> Try | None:
    """The smallest that reaches the target. Where each try is dear, the first ones are made on a sample."""
    start = starts[_drawn(picture)]
    quality = start.quality + (target - _MIDDLE) / start.slope
    if len(picture.frames) == 1 and picture.size[0] * picture.size[1] > _LARGE:
        sample = picture.sample()
        near = lowest(partial(_tried, sample, encode), target, quality, start.slope, sys.maxsize)
        quality = near.quality if near else quality
    return lowest(partial(_tried, picture, encode), target, quality, start.slope, most)


def _tried(picture: Picture, encode: _Encode, quality: int) -> Try:
    data = encode(picture, quality)
    return Try(quality, data, _score(picture, data))


def _score(picture: Picture, data: bytes) -> float:
    """The worst score of the frames that are judged. Raises RefusalError if more than the pixels came back changed."""
    times = picture.starts()
    times = sorted({times[round(n * (len(times) - 1) / (_FRAMES_JUDGED - 1))] for n in range(_FRAMES_JUDGED)})
    copy = _read_back(picture, data)
    pairs = zip(picture.at(times), copy.at(times), strict=True)
    return min(likeness(*_arrays(one, other)) for one, other in pairs)


def _same(picture: Picture, data: bytes, hidden: bool) -> bool:
    """Whether all pixels came back as they were. hidden: also those below full transparency."""
    copy, times = _read_back(picture, data), picture.starts()
    for one, other in zip(picture.at(times), copy.at(times), strict=True):
        first, second = _arrays(one, other)
        if not hidden and first.shape[2] == 4:
            first, second = (pixels * (pixels[:, :, 3:] > 0) for pixels in (first, second))
        if not np.array_equal(first, second):
            return False
    return True


def _read_back(picture: Picture, data: bytes) -> Picture:
    """What was made of a picture. Raises RefusalError if its size, times or profile are others."""
    try:
        copy = read_back(data)
    except DAMAGE as failure:
        raise RefusalError(f"what was made of it could not be read again: {failure}") from failure
    said = [(one.size, sum(one.durations), one.profile, one.durations and one.loop) for one in (picture, copy)]
    if said[0] != said[1]:
        raise RefusalError(f"what was made of it came back otherwise: {said[1][:2]} instead of {said[0][:2]}")
    return copy


def _arrays(one: Image.Image, other: Image.Image) -> tuple[Pixels, Pixels]:
    mode = "RGBA" if "RGBA" in (one.mode, other.mode) else "RGB"
    return np.asarray(one.convert(mode)), np.asarray(other.convert(mode))
