"""WebP (RFC 9649), by libwebp in Pillow."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from v1z3r_build.codecs.pictures.picture import Picture

LONGEST = 16383  # pixels a side (RFC 9649, 14 bits)

_FAST, _SMALL = 4, 6
# Of 100, at which alpha is coded without loss. This saves a tenth of the bytes of pictures with soft edges, costs two
# tenths of a point of score, and leaves alone what is either opaque or not.
_ALPHA = 80


def chunk_kinds(data: bytes) -> set[bytes]:
    """The names of all chunks, those of frames included."""
    kinds, position = set(), 12
    while position + 8 <= len(data):
        kind, size = data[position : position + 4], int.from_bytes(data[position + 4 : position + 8], "little")
        kinds.add(kind)
        # A frame's own chunks follow on its 16 bytes.
        position += 24 if kind == b"ANMF" else 8 + size + size % 2
    return kinds


def lossy(picture: Picture, quality: int, slowly: bool = False) -> bytes:
    """quality: 0 to 100. slowly: with the encoder's largest effort, and in an animation with frames without loss.

    Of a still with alpha that takes fifty times as long for 3 % less.
    """
    file = io.BytesIO()
    first, *others = picture.frames
    method = _SMALL if slowly else _FAST
    if others:
        first.save(
            file, "WEBP", save_all=True, append_images=others, duration=list(picture.durations), loop=picture.loop,
            quality=quality, alpha_quality=_ALPHA, method=method, icc_profile=picture.profile,
            minimize_size=slowly, allow_mixed=slowly,
        )  # fmt: skip
    else:
        first.save(
            file, "WEBP", quality=quality, alpha_quality=_ALPHA, method=method, icc_profile=picture.profile
        )  # fmt: skip
    return file.getvalue()


def lossless(picture: Picture, exact: bool) -> bytes:
    """exact: whether colours below full transparency are kept."""
    file = io.BytesIO()
    first, *others = picture.frames
    if others:
        first.save(
            file, "WEBP", save_all=True, append_images=others, duration=list(picture.durations), loop=picture.loop,
            lossless=True, quality=75, method=_FAST, icc_profile=picture.profile, minimize_size=True,
        )  # fmt: skip
    else:
        first.save(
            file, "WEBP", lossless=True, quality=75, method=_FAST, exact=exact, icc_profile=picture.profile
        )  # fmt: skip
    return file.getvalue()
