"""A picture as it is shown, apart from how it was stored."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import accumulate
from typing import TYPE_CHECKING

from PIL import Image

if TYPE_CHECKING:
    from collections.abc import Iterator

_PIECE = 256  # pixels a side


@dataclass(frozen=True, slots=True)
class Picture:
    """frames: upright, all RGB or all RGBA. durations: of each frame, in ms; none for a still. loop: how many times
    it is played, 0 for ever. profile: the ICC profile that its numbers need, empty for sRGB.
    few_colours: whether it is stored with a palette or in grey of a few bits.
    """

    frames: tuple[Image.Image, ...]
    durations: tuple[int, ...] = ()
    loop: int = 1
    profile: bytes = b""
    few_colours: bool = False

    @property
    def size(self) -> tuple[int, int]:
        return self.frames[0].size

    def at(self, times: Iterator[int] | list[int]) -> Iterator[Image.Image]:
        """What is shown at each of these times, in ms from the start, in rising order."""
        ends = list(accumulate(self.durations)) or [0]
        frame = 0
        for time in times:
            while frame + 1 < len(ends) and time >= ends[frame]:
                frame += 1
            yield self.frames[frame]

    def starts(self) -> list[int]:
        """When each frame begins to be shown, in ms."""
        return [0, *accumulate(self.durations[:-1])] if self.durations else [0]

    def sample(self) -> Picture:
        """Sixteen pieces spread over the first frame, put together: a megapixel to try things on."""
        first = self.frames[0]
        pieces = Image.new(first.mode, (4 * _PIECE, 4 * _PIECE))
        for row in range(4):
            for column in range(4):
                left, top = (first.width - _PIECE) * column // 3, (first.height - _PIECE) * row // 3
                piece = first.crop((left, top, left + _PIECE, top + _PIECE))
                pieces.paste(piece, (column * _PIECE, row * _PIECE))
        return Picture((pieces,), profile=self.profile)

    def scaled(self, width: int) -> Picture:
        """The same, so many pixels wide. Colours below transparency do not bleed into the rest (Pillow sees to it)."""
        height = max(1, round(self.size[1] * width / self.size[0]))
        frames = tuple(frame.resize((width, height), Image.Resampling.LANCZOS) for frame in self.frames)
        return replace(self, frames=frames, few_colours=False)
