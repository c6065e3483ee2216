"""ICC profiles: which must go along with a picture."""

from __future__ import annotations

import io

import numpy as np
from PIL import Image, ImageCms

from v1z3r_build.codecs.pictures.refusal import DAMAGE, RefusalError

_STEPS = np.linspace(0, 255, 9).astype(np.uint8)
_COLOURS = np.array(np.meshgrid(_STEPS, _STEPS, _STEPS), np.uint8).reshape(3, -1).T[np.newaxis]
_GREYS = np.arange(256, dtype=np.uint8)[np.newaxis]


def space(profile: bytes) -> str:
    """The colour space of a picture's numbers, in the four letters of the profile's header: `RGB `, `GRAY`, `CMYK` …"""
    return profile[16:20].decode("latin-1")


def is_srgb(profile: bytes) -> bool:
    """Whether it shows all colours as sRGB does, but for rounding. Raises RefusalError if it cannot be read."""
    converted = _in_srgb(profile, Image.fromarray(_COLOURS))
    return int(np.abs(converted.astype(int) - _COLOURS).max()) <= 1


def greys_in_srgb(profile: bytes) -> list[int]:
    """What each of 256 greys of a grey profile is in sRGB. Raises RefusalError if it cannot be read."""
    return [int(value) for value in _in_srgb(profile, Image.fromarray(_GREYS))[0, :, 1]]


def check_range(profile: bytes) -> None:
    """Raises RefusalError if it is one for bright screens, whose `cicp` tag only some programs follow."""
    count = int.from_bytes(profile[128:132], "big")
    if any(profile[132 + 12 * n : 136 + 12 * n] == b"cicp" for n in range(min(count, 200))):
        raise RefusalError("its colour profile is one for bright screens (HDR)")


def _in_srgb(profile: bytes, image: Image.Image) -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
    try:
        source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        converted = ImageCms.profileToProfile(
            image, source, ImageCms.createProfile("sRGB"), ImageCms.Intent.RELATIVE_COLORIMETRIC, outputMode="RGB"
        )
    except DAMAGE as failure:
        raise RefusalError(f"its colour profile could not be read: {failure}") from failure
    return np.asarray(converted)
