"""The lowest quality that is good enough, in few tries."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

_HIGHEST = 100
_MOST_TRIES = 8
_FLATTEST = 0.1
_HAIR = 1.0  # points of score that nobody sees: a step of quality or two

_STEP = 1.1  # more than a step of quality changes the bytes


@dataclass(frozen=True, slots=True)
class Try:
    """What one quality gave."""

    quality: int
    data: bytes
    score: float


def lowest(attempt: Callable[[int], Try], target: float, start: float, slope: float, most: int) -> Try | None:
    """The try of lowest quality that reaches the target, or one within a step or two of it.

    None if even quality 100 does not, or what reaches it would have more bytes than `most`.
    start: the quality to begin with. slope: points of score that a step of quality gives near the target.
    Scores rise with quality, but for a step here and there. Each guess lies on the line through the last two tries,
    within what is not yet ruled out, and half a step higher than the target, so that it is not missed by a hair.
    """
    low, high = -1, _HIGHEST + 1  # too low, high enough
    best: Try | None = None
    last: Try | None = None
    guess = start
    for _ in range(_MOST_TRIES):
        tried = attempt(min(max(round(guess), low + 1), high - 1))
        if tried.score >= target:
            best, high = tried, tried.quality
        elif len(tried.data) > most:
            break
        else:
            low = tried.quality
        if last is not None and (tried.score - last.score) * (tried.quality - last.quality) > 0:
            slope = max((tried.score - last.score) / (tried.quality - last.quality), _FLATTEST)
        # Less than a step above it: one less would miss it, and save a few hundredths at most.
        close = best is tried and tried.score - target < max(slope, _HAIR)
        if high - low <= 1 or (close and not most < len(tried.data) <= most * _STEP):
            break
        guess = tried.quality + (target + slope / 2 - tried.score) / slope
        last = tried
    return best if best and len(best.data) <= most else None
