"""How the bench of images judges: benchmarks/images.py."""

from __future__ import annotations

import io
import subprocess
import sys
from pathlib import Path

import pytest
from image_drawing import icon
from image_gallery import Sample, gallery
from image_scores import film, worst
from images import Made, Row, Source, goals, lowest, sharp_can
from PIL import Image, ImageDraw, ImageFilter

BENCH = Path(__file__).parents[1] / "benchmarks" / "images.py"


def _moving(format: str, *greys: int, duration: int = 80) -> bytes:
    frames = [Image.new("L", (40, 30), grey) for grey in greys]
    for frame in frames:
        ImageDraw.Draw(frame).rectangle((8, 8, 20, 20), 255)
    file = io.BytesIO()
    frames[0].save(file, format, save_all=True, append_images=frames[1:], duration=duration, lossless=True)
    return file.getvalue()


def _still(image: Image.Image) -> bytes:
    file = io.BytesIO()
    image.save(file, "PNG")
    return file.getvalue()


def test_scores_are_of_the_worst_moment() -> None:
    original = film(_moving("GIF", 10, 80, 160, 240))
    assert worst(original, film(_moving("WEBP", 10, 80, 160, 240))) == 100.0
    assert worst(original, film(_moving("WEBP", 10, 80, 0, 240))) < 50


@pytest.mark.parametrize(
    "copy",
    [
        pytest.param(_moving("WEBP", 10), id="stands still"),
        pytest.param(_moving("WEBP", 10, 80, 160, 240, duration=40), id="plays faster"),
    ],
)
def test_a_copy_that_moves_otherwise_is_none(copy: bytes) -> None:
    source = Source(
        Sample("animation", "a.gif", _moving("GIF", 10, 80, 160, 240)), film(_moving("GIF", 10, 80, 160, 240))
    )
    assert source.judged(copy, 0).score == 0.0


def test_only_equal_pixels_score_100() -> None:
    image = Image.radial_gradient("L").convert("RGBA")
    other = image.copy()
    other.putpixel((5, 5), (1, 2, 3, 255))
    assert worst(film(_still(image)), film(_still(image.copy()))) == 100.0
    assert worst(film(_still(image)), film(_still(other))) < 100.0
    blurred = icon(1, 96).filter(ImageFilter.GaussianBlur(3))
    assert worst(film(_still(icon(1, 96))), film(_still(blurred))) < 80


def test_the_lowest_quality_is_found() -> None:
    """By halving, with an encoder whose images need 37, 64 and 51."""
    needs = {"a": 37, "b": 64, "c": 51}
    blank = film(_still(Image.new("L", (8, 8))))
    sources = [Source(Sample("photo", name, b"x" * 500), blank) for name in needs]
    encode = lambda one, quality: Made(quality, 80.0 if quality >= needs[one.sample.name] else 70.0)  # noqa: E731
    quality, made = lowest(sources, encode, 80.0)
    assert quality == 64
    assert {name: one.size for name, one in made.items()} == dict.fromkeys(needs, 64)
    assert lowest(sources, lambda one, quality: Made(quality, 10.0), 80.0)[0] == 100


def test_what_sharp_cannot_do_is_kept() -> None:
    moving = {name: Source(Sample("animation", name, b""), film(_moving("GIF", 1, 200))) for name in ("a.gif", "a.png")}
    assert [sharp_can(moving[name], format) for name in moving for format in ("avif", "webp")] == [
        False,
        True,
        False,
        False,
    ]


def test_goals() -> None:
    source = Source(Sample("photo", "a.jpg", b"x" * 100), film(_still(Image.new("L", (8, 8)))))

    def reached(own: Made, other: Made) -> dict[str, bool]:
        table = [Row("ours", "", [own]), Row("ours, WebP", "", [own]), Row("sharp avif", "", [other])]
        return dict(goals({"photo": ([source], table)}, 80.0))

    assert all(reached(Made(45, 80.0), Made(50, 80.0)).values())
    assert reached(Made(46, 80.0), Made(50, 80.0))["all: ours is 0.92 of sharp avif"] is False
    assert not reached(Made(45, 79.9), Made(50, 80.0))["photo: 2 below the target, 0 larger than their source"]
    assert not reached(Made(101, 90.0), Made(200, 80.0))["photo: 0 below the target, 2 larger than their source"]


def test_drawn_images_are_the_same_each_time() -> None:
    first, second = ([(one.kind, one.name, one.data) for one in gallery(2, None)] for _ in "12")
    assert first == second
    assert {kind for kind, _, _ in first} == {"photo", "icon", "texture", "cut-out", "animation", "screenshot"}


def test_the_bench_runs() -> None:
    """On one image a class, and reaches its goals there."""
    run = subprocess.run(
        [sys.executable, str(BENCH), "--few", "1", "--drawn", "--check", "--jobs", "1"],
        capture_output=True, text=True, timeout=300, check=False,
    )  # fmt: skip
    assert run.returncode == 0, run.stdout + run.stderr
    assert run.stdout.count("ours, WebP") >= 6
    assert "MISSED" not in run.stdout
