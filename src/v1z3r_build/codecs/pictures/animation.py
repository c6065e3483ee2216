"""Frames as they are shown, one after the other, made of the pieces that GIF and APNG store."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from PIL import Image

from v1z3r_build.codecs.pictures.refusal import broken

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

# Browsers show a frame that says 10 ms or less for 100 ms, in every format.
_SHORTEST, _INSTEAD = 11, 100

After = Literal["keep", "clear", "restore"]


@dataclass(frozen=True, slots=True)
class Piece:
    """What one frame changes. left, top: where. over: whether it is laid over what is there, not put in its place.

    after: what becomes of its place before the next frame. milliseconds: how long it is shown, as the file says.
    """

    image: Image.Image
    left: int
    top: int
    milliseconds: float
    after: After
    over: bool = True


def shown(size: tuple[int, int], pieces: Iterable[Piece]) -> Iterator[Image.Image]:
    """The whole pictures in RGBA. The ground is transparent, whatever a file says, as in browsers.

    Raises RefusalError for a piece that does not lie on the canvas.
    """
    canvas = Image.new("RGBA", size)
    for piece in pieces:
        box = (piece.left, piece.top, piece.left + piece.image.width, piece.top + piece.image.height)
        if min(box) < 0 or box[2] > size[0] or box[3] > size[1]:
            raise broken("a frame of the animation lies outside of it")
        before = canvas.copy() if piece.after == "restore" else None
        if piece.over:
            canvas.alpha_composite(piece.image, box[:2])
        else:
            canvas.paste(piece.image, box)
        yield canvas.copy()
        if before is not None:
            canvas = before
        elif piece.after == "clear":
            canvas.paste((0, 0, 0, 0), box)


def durations(milliseconds: Iterable[float]) -> tuple[int, ...]:
    """Whole milliseconds that add up to what browsers make of those in a file."""
    rounded = []
    exact = whole = 0.0
    for duration in milliseconds:
        exact += _INSTEAD if duration < _SHORTEST else duration
        rounded.append(round(exact - whole))
        whole += rounded[-1]
    return tuple(rounded)
