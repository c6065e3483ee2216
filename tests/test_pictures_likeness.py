"""The score of likeness against somebody else's program, and where it knows better."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from PIL import Image, ImageFilter
from ssimulacra2 import compute_ssimulacra2, ssimulacra2

from v1z3r_build.codecs.pictures.likeness import likeness

if TYPE_CHECKING:
    from pathlib import Path


def scene(width: int, height: int, seed: int = 1) -> np.ndarray:
    """A picture with smooth areas, edges and grain."""
    random = np.random.default_rng(seed)
    y, x = np.mgrid[:height, :width].astype(float)
    planes = [128 + 90 * np.sin(x / (17 + 9 * n) + n) * np.cos(y / (23 - 5 * n)) for n in range(3)]
    picture = np.stack(planes, axis=2) + random.normal(0, 6, (height, width, 1))
    picture[height // 4 : height // 2, width // 3 : width // 2] = (230, 40, 60)
    return picture.clip(0, 255).astype(np.uint8)


def spoilt(picture: np.ndarray, how: str) -> np.ndarray:
    image = Image.fromarray(picture)
    if how == "blurred":
        return np.asarray(image.filter(ImageFilter.GaussianBlur(0.8)))
    if how == "fewer colours":
        return np.asarray(image.quantize(64, dither=Image.Dither.NONE).convert("RGB"))
    if how == "noisy":
        noise = np.random.default_rng(7).normal(0, 5, picture.shape)
        return (picture + noise).clip(0, 255).astype(np.uint8)
    return (picture.astype(int) + np.array([3, -2, 1])).clip(0, 255).astype(np.uint8)


@pytest.fixture
def mirrored(monkeypatch: pytest.MonkeyPatch) -> None:
    """The other program, with edges mirrored as ours: it continues with black above and below."""
    monkeypatch.setattr(
        ssimulacra2,
        "blur_image",
        lambda image, sigma=1.5: ssimulacra2.ndimage.gaussian_filter(image, sigma, truncate=3.33, axes=(0, 1)),
    )


@pytest.mark.usefixtures("mirrored")
@pytest.mark.parametrize("how", ["blurred", "fewer colours", "noisy", "tinted"])
@pytest.mark.parametrize("size", [(256, 300), (419, 257)])
def test_it_is_ssimulacra_2(how: str, size: tuple[int, int], tmp_path: Path) -> None:
    picture = scene(*size)
    copy = spoilt(picture, how)
    for name, pixels in (("one.png", picture), ("other.png", copy)):
        Image.fromarray(pixels).save(tmp_path / name)
    other = compute_ssimulacra2(tmp_path / "one.png", tmp_path / "other.png")
    assert likeness(picture, copy) == pytest.approx(other, abs=0.3)


@pytest.mark.parametrize("side", [1, 7, 31, 100])
def test_small_pictures_are_judged_as_their_continuation(side: int) -> None:
    """With fewer than six scales the published program applies its weights to the wrong channels."""
    picture = scene(256, 256)[:side, :side]
    copy = spoilt(scene(256, 256), "noisy")[:side, :side]
    alone = likeness(picture, copy)
    whole = [np.pad(one, ((0, 256 - side), (0, 256 - side), (0, 0)), "symmetric") for one in (picture, copy)]
    assert alone == likeness(*whole) < 100
    assert likeness(picture, picture) == 100


@pytest.mark.parametrize(("colour", "ground"), [((255, 255, 255), "dark"), ((0, 0, 0), "light")])
def test_alpha_is_judged_on_the_ground_that_shows_it(colour: tuple[int, int, int], ground: str) -> None:
    picture = np.zeros((256, 256, 4), np.uint8)
    picture[:, :, :3] = colour
    picture[64:192, 64:192, 3] = 255
    copy = picture.copy()
    copy[64:192, 64:96, 3] = 128
    assert likeness(picture, copy) < 60, ground


def test_colours_below_full_transparency_do_not_count() -> None:
    picture = np.zeros((256, 256, 4), np.uint8)
    copy = picture.copy()
    copy[:, :, 0] = 255
    assert likeness(picture, copy) == 100


def test_more_damage_is_a_lower_score() -> None:
    picture = scene(300, 300)
    scores = []
    for strength in (1, 4, 16, 64):
        noise = np.random.default_rng(3).normal(0, strength, picture.shape)
        scores.append(likeness(picture, (picture + noise).clip(0, 255).astype(np.uint8)))
    assert scores == sorted(scores, reverse=True)
    assert scores[0] > 90
    assert scores[-1] < 30


def test_sizes_must_agree() -> None:
    with pytest.raises(ValueError, match="different sizes"):
        likeness(scene(20, 20), scene(20, 21))
