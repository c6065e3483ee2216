"""What becomes of images as a whole."""

from __future__ import annotations

import io

import numpy as np
from PIL import Image
from test_pictures_likeness import scene

from v1z3r_build.codecs.pictures.likeness import likeness
from v1z3r_build.codecs.pictures.recoding import Wish, recode

SHOWN = Wish(exact=False, formats=("avif", "webp"), target=80, max_pixels=1_000_000)
EXACT = Wish(exact=True, formats=("avif", "webp"), target=80, max_pixels=1_000_000)


def saved(image: Image.Image | np.ndarray, format: str, **options: object) -> bytes:
    file = io.BytesIO()
    (Image.fromarray(image) if isinstance(image, np.ndarray) else image).save(file, format, **options)
    return file.getvalue()


def opened(data: bytes, mode: str = "RGB") -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(data)).convert(mode))


def test_a_photo_becomes_both_and_looks_the_same() -> None:
    picture = scene(300, 280)
    data = saved(picture, "JPEG", quality=95)
    found = recode(SHOWN, data)
    assert (found.width, found.height, found.frames, found.format, found.left) == (300, 280, 1, "jpeg", ())
    assert [variant.format for variant in found.variants] == ["avif", "webp"]
    assert found.original
    assert np.array_equal(opened(found.original), opened(data))
    sizes = [len(variant.data) for variant in found.variants]
    assert sizes == sorted(sizes)
    assert sizes[-1] < len(found.original) < len(data)
    for variant in found.variants:
        assert variant.score == likeness(opened(data), opened(variant.data)) >= 80
        assert not variant.exact


def test_what_programs_read_stays_the_same_to_the_pixel() -> None:
    picture = scene(64, 64)
    data = saved(np.dstack([picture, np.arange(64 * 64).reshape(64, 64) % 256]).astype(np.uint8), "PNG")
    found = recode(EXACT, data)
    (variant,) = found.variants
    assert (variant.format, variant.exact, variant.score, variant.quality) == ("webp", True, 100, 0)
    assert np.array_equal(opened(variant.data, "RGBA"), opened(data, "RGBA"))


def test_the_same_bytes_come_out_twice() -> None:
    data = saved(scene(120, 90), "PNG")
    assert recode(SHOWN, data) == recode(SHOWN, data)
