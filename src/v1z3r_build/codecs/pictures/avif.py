"""AVIF, by libavif and aom in Pillow.

Of stills only. There is no way to say how often an animation is played, and browsers that know AVIF but not its
animations (Firefox before 113, Safari before 16.4) would show the first frame for ever.
"""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from v1z3r_build.codecs.pictures.picture import Picture

LONGEST = 32768  # pixels a side: longer ones are written but cannot be read


def lossy(picture: Picture, quality: int) -> bytes:
    """quality: 0 to 100.

    Colours at full resolution: at an equal score (80, 40 pictures of all kinds) that takes between 0.86 and 1.07 of the
    bytes of 4:2:0, 0.97 on the whole, and 4:2:0 never reaches the score in pictures with thin coloured lines.
    One thread, so that the bytes do not depend on the machine.
    """
    file = io.BytesIO()
    picture.frames[0].save(
        file, "AVIF", quality=quality, subsampling="4:4:4", speed=6, max_threads=1, codec="aom",
        icc_profile=picture.profile,
    )  # fmt: skip
    return file.getvalue()
