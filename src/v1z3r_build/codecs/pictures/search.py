"""The lowest quality that is good enough, in few tries."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

_MOST_TRIES = 8


@dataclass(frozen=True, slots=True)
class Try:
    """What one quality gave."""

    quality: int
    data: bytes
    score: float


def lowest(attempt: Callable[[int], Try], target: float, start: float, slope: float) -> Try | None:
    """The try of lowest quality that reaches the target, or one within a step or two of it; None if even 100 does not.

    start: the quality to begin with. slope: points of score that a step of quality gives near the target.
    Scores rise with quality, but for a step here and there: each guess lies on the line through the two tries next
    to the target, within what is not yet ruled out.
    """
    low, high = Try(-1, b"", 0.0), Try(101, b"", 100.0)  # below, above: not tried
    guess = start
    for _ in range(_MOST_TRIES):
        quality = min(max(round(guess), low.quality + 1), high.quality - 1)
        tried = attempt(quality)
        if tried.score >= target:
            high = tried
        else:
            low = tried
        if low.data and high.data:
            slope = (high.score - low.score) / (high.quality - low.quality)
        # Within a step: one less would be as likely too little.
        if high.quality - low.quality <= 1 or (high.data and high.score - target <= slope):
            break
        nearest = high if (high.data and high.score - target < target - low.score) or not low.data else low
        guess = nearest.quality + (target + slope / 2 - nearest.score) / max(slope, 0.05)
    return high if high.data else None
