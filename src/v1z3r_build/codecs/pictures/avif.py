"""AVIF, by libavif and aom in Pillow.

Of stills only. There is no way to say how often an animation is played, and browsers that know AVIF but not its
animations (Firefox before 113, Safari before 16.4) would show the first frame for ever.
"""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from v1z3r_build.codecs.pictures.picture import Picture

LONGEST = 32768  # pixels a side: longer ones are written but cannot be read

Subsampling = Literal["4:2:0", "4:4:4"]
SUBSAMPLINGS: tuple[Subsampling, ...] = ("4:2:0", "4:4:4")  # by size


def lossy(picture: Picture, quality: int, subsampling: Subsampling) -> bytes:
    """quality: 0 to 100. One thread, so that the bytes do not depend on the machine."""
    file = io.BytesIO()
    picture.frames[0].save(
        file, "AVIF", quality=quality, subsampling=subsampling, speed=6, max_threads=1, codec="aom",
        icc_profile=picture.profile,
    )  # fmt: skip
    return file.getvalue()
