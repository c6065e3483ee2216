"""How much a copy of an image looks like it, read by Pillow alone: what is judged does not judge itself."""

from __future__ import annotations

import io
from itertools import accumulate
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pillow_avif  # noqa: F401  (Pillow reads AVIF with it where it cannot by itself)
from PIL import Image, ImageOps

from v1z3r_build.codecs.pictures.likeness import likeness

if TYPE_CHECKING:
    from collections.abc import Sequence

_MOMENTS = 6  # of an animation, at which it is judged


class Film(NamedTuple):
    """frames: upright, in RGB or RGBA. starts: of each, in milliseconds. length: of all; 0 for a still."""

    frames: list[Image.Image]
    starts: list[float]
    length: float

    def at(self, time: float) -> Image.Image:
        """What is seen then."""
        return next(frame for frame, start in zip(self.frames[::-1], self.starts[::-1], strict=True) if start <= time)


def film(data: bytes) -> Film:
    """An image as browsers show it, frame by frame."""
    frames, durations = [], []
    with Image.open(io.BytesIO(data)) as image:
        count = getattr(image, "n_frames", 1)
        for number in range(count):
            image.seek(number)
            image.load()
            clear = image.has_transparency_data
            frames.append((ImageOps.exif_transpose(image) or image).convert("RGBA" if clear else "RGB"))
            durations.append(float(image.info.get("duration", 0)) if count > 1 else 0.0)
    starts = list(accumulate(durations[:-1], initial=0.0))
    return Film(frames, starts, sum(durations))


def worst(original: Film, copy: Film) -> float:
    """The SSIMULACRA 2 score of the least alike moment: 100 if all have the same pixels, and only then.

    Raises ValueError if the copy has another size, or stands still, or plays for another time.
    """
    if abs(original.length - copy.length) > 1:
        raise ValueError(f"plays {copy.length:.0f} ms instead of {original.length:.0f}")
    return min(_score(original.at(time), copy.at(time)) for time in _moments(original.starts))


def _moments(starts: Sequence[float]) -> list[float]:
    # In the middle of a frame, as copies may begin it a millisecond sooner or later.
    chosen = sorted({round(place * (len(starts) - 1) / (_MOMENTS - 1)) for place in range(_MOMENTS)})
    return [starts[number] + 2 for number in chosen]


def _score(one: Image.Image, other: Image.Image) -> float:
    mode = "RGBA" if "RGBA" in (one.mode, other.mode) else "RGB"
    first, second = (np.asarray(image.convert(mode)) for image in (one, other))
    if first.shape == second.shape and np.array_equal(first, second):
        return 100.0
    return min(likeness(first, second), 99.99)
