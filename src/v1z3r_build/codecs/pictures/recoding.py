"""One image in, what is smaller and looks the same out. The way into this package.

It imports nothing that is heavy: who asks needs neither numpy nor Pillow.
"""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from v1z3r_build.codecs.pictures.wish import Recoded, Wish


def recode(wish: Wish, data: bytes) -> Recoded:
    """What the wish asks for, as far as it pays: a variant is smaller than the file and than its smaller original, and
    AVIF is smaller than WebP by a margin. Each has been decoded again: frames, times, profile and score are those of
    the bytes that are handed out. Copyright notices stay in the original alone.

    Equal arguments give equal bytes with equal versions of Pillow, numpy and the codecs.
    """
    from v1z3r_build.codecs.pictures.making import recoded

    with warnings.catch_warnings():
        # Pillow's: of pictures that are large, whose limit is the wish's; of damaged EXIF, which browsers ignore.
        warnings.simplefilter("ignore")
        return recoded(wish, data)
