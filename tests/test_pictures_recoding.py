"""What becomes of images as a whole."""

from __future__ import annotations

import io
import random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from PIL import Image
from test_pictures_decoding import R, apng, exif, gif, icc, jpeg, png, profile
from test_pictures_likeness import scene

from v1z3r_build.codecs.pictures import avif, webp
from v1z3r_build.codecs.pictures.decoding import decode
from v1z3r_build.codecs.pictures.likeness import likeness
from v1z3r_build.codecs.pictures.picture import Picture
from v1z3r_build.codecs.pictures.recoding import recode
from v1z3r_build.codecs.pictures.refusal import RefusalError
from v1z3r_build.codecs.pictures.search import Try, lowest
from v1z3r_build.codecs.pictures.wish import Wish

SHOWN = Wish(exact=False, formats=("avif", "webp"), target=80, max_pixels=1_000_000)
EXACT = SHOWN._replace(exact=True)


def saved(image: Image.Image | np.ndarray, format: str, **options: object) -> bytes:
    file = io.BytesIO()
    (Image.fromarray(image) if isinstance(image, np.ndarray) else image).save(file, format, **options)
    return file.getvalue()


def opened(data: bytes, mode: str = "RGB") -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(data)).convert(mode))


def clear(picture: np.ndarray) -> np.ndarray:
    """With alpha that runs from nothing to all."""
    alpha = np.linspace(0, 255, picture.shape[1]).astype(np.uint8)
    return np.dstack([picture, np.broadcast_to(alpha, picture.shape[:2])])


@pytest.mark.parametrize("target", [70, 80, 85])
@pytest.mark.parametrize(
    "data", [saved(scene(300, 280), "JPEG", quality=97), saved(clear(scene(150, 130)), "PNG")], ids=["photo", "alpha"]
)
def test_pictures_become_both_and_look_the_same(data: bytes, target: int) -> None:
    found = recode(SHOWN._replace(target=target), data)
    assert (found.width, found.height) == Image.open(io.BytesIO(data)).size
    assert (found.frames, found.left) == (1, ())
    mode = Image.open(io.BytesIO(data)).mode
    assert [variant.format for variant in found.variants] == ["avif", "webp"]
    if found.original:
        assert np.array_equal(opened(found.original, mode), opened(data, mode))
    sizes = [len(variant.data) for variant in found.variants]
    assert sizes[0] <= 0.95 * sizes[1]
    assert sizes[1] < len(found.original or data) <= len(data)
    for variant in found.variants:
        assert variant.score == likeness(opened(data, mode), opened(variant.data, mode)) >= target
        encode = {"avif": avif.lossy, "webp": webp.lossy}[variant.format]
        lower = encode(decode(data, SHOWN.max_pixels), variant.quality - 3)
        assert likeness(opened(data, mode), opened(lower, mode)) < target


def test_the_same_bytes_come_out_twice() -> None:
    data = saved(scene(120, 90), "PNG")
    assert recode(SHOWN, data) == recode(SHOWN, data)


@settings(max_examples=30, deadline=None)
@given(arrays(np.uint8, st.tuples(st.integers(2, 9), st.integers(2, 9), st.sampled_from([1, 2, 3, 4]))))
def test_what_programs_read_stays_the_same_to_the_bit(pixels: np.ndarray) -> None:
    """Also colours below full transparency."""
    data = saved(pixels.squeeze(2) if pixels.shape[2] == 1 else pixels, "PNG")
    found = recode(EXACT, data)
    assert all((one.format, one.exact, one.score, one.quality) == ("webp", True, 100, 0) for one in found.variants)
    made = [webp.lossless(decode(data, SHOWN.max_pixels, exact=True), exact=True)]
    made += [variant.data for variant in found.variants] + ([found.original] if found.original else [])
    for one in made:
        assert np.array_equal(opened(one, "RGBA"), opened(data, "RGBA"))


def test_exact_variants_are_made_where_they_pay() -> None:
    data = saved(clear(scene(64, 64)), "PNG")
    found = recode(EXACT, data)
    (variant,) = found.variants
    assert (variant.format, variant.exact, variant.score, variant.quality) == ("webp", True, 100, 0)
    assert len(variant.data) < len(found.original or data)


def test_text_is_coded_without_loss_where_that_is_smaller() -> None:
    lines = np.full((200, 300, 3), 255, np.uint8)
    lines[10:190:7, 10:290] = (200, 0, 40)
    lines[10:190, 40:290:11] = (0, 60, 190)
    found = recode(SHOWN, saved(lines, "PNG"))
    assert [(one.format, one.exact, one.quality) for one in found.variants] == [("webp", False, 0)]
    assert np.array_equal(opened(found.variants[0].data), lines)


def test_nothing_is_made_that_is_larger_than_the_file() -> None:
    """Nor than the smaller original: the icon's own bytes are hard to beat."""
    icon = np.zeros((16, 16, 3), np.uint8)
    icon[4:12, 4:12] = (255, 0, 0)
    for data in (
        saved(icon, "PNG"),
        saved(scene(100, 100), "JPEG", quality=5),
        saved(scene(90, 90), "WEBP", quality=3),
    ):
        found = recode(SHOWN, data)
        most = len(found.original or data)
        assert all(len(variant.data) < most for variant in found.variants)
        assert most <= len(data)
    assert found.variants == ()


def test_profiles_are_in_the_variants_that_need_them() -> None:
    wide = recode(SHOWN, jpeg(Image.fromarray(scene(200, 200)), quality=97, icc_profile=profile()))
    assert [variant.format for variant in wide.variants] == ["avif", "webp"]
    for variant in wide.variants:
        assert Image.open(io.BytesIO(variant.data)).info["icc_profile"] == profile()


def test_variants_of_photos_stand_upright() -> None:
    found = recode(SHOWN, jpeg(Image.fromarray(scene(160, 120)), quality=97, exif=exif({0x0112: 6})))
    assert (found.width, found.height) == (120, 160)
    assert {Image.open(io.BytesIO(variant.data)).size for variant in found.variants} == {(found.width, found.height)}


def test_a_variant_can_be_narrower() -> None:
    data = saved(scene(200, 300), "JPEG", quality=97)
    found = recode(SHOWN._replace(width=150), data)
    assert found.original is None
    assert [Image.open(io.BytesIO(one.data)).size for one in found.variants] == [(150, 225)] * 2
    assert recode(SHOWN._replace(width=301), data).variants == ()
    exact = recode(EXACT._replace(width=150), saved(scene(200, 300), "PNG"))
    assert (exact.variants, [left.code for left in exact.left]) == ((), ["image-left"])


def test_what_a_jpeg_is_stripped_of() -> None:
    segments = [
        b"\xe1" + exif({0x0112: 6, 0x010F: "Camera", 0x8298: "Ada"}),
        b"\xe1http://ns.adobe.com/xap/1.0/\0<secret/>",
        b"\xe1http://ns.adobe.com/xap/1.0/\0<dc:rights>Ada</dc:rights>",
        b"\xed" + b"Photoshop 3.0\0secret",
        b"\xfe" + b"secret",
        b"\xec" + b"secret",
        b"\xe2ICC_PROFILE\0\1\1" + profile(),
    ]
    data = jpeg(Image.fromarray(scene(80, 64)), *segments, quality=90)
    made = recode(SHOWN, data).original
    assert made
    assert len(made) < len(data)
    for gone in (b"secret", b"Camera"):
        assert gone in data
        assert gone not in made
    assert b"<dc:rights>Ada" in made
    tags = Image.open(io.BytesIO(made)).getexif()
    assert Image.open(io.BytesIO(made)).info["icc_profile"] == profile()
    assert dict(tags) == {0x0112: 6, 0x8298: "Ada"}
    assert np.array_equal(opened(made), opened(data))


def test_a_jpeg_with_nothing_to_strip_stays() -> None:
    assert recode(SHOWN, jpeg(Image.fromarray(scene(80, 64)), quality=90)).original is None


def test_exif_that_sets_the_size_stays_in_a_jpeg() -> None:
    """Browsers show it at 32 × 16: 72 dots an inch are a CSS pixel each."""
    dense = exif({0x011A: 144.0, 0x011B: 144.0}, {0xA002: 32, 0xA003: 16})
    found = recode(SHOWN, jpeg(Image.new("RGB", (64, 32)), b"\xfesecret", exif=dense))
    assert (found.original, found.variants, [left.code for left in found.left]) == (None, (), ["image-left"])


def test_adobes_marker_stays_in_a_jpeg() -> None:
    """Without it, the colours of one that is stored as RGB are read as YCbCr."""
    data = jpeg(Image.fromarray(scene(80, 64)), b"\xfesecret", quality=90, keep_rgb=True)
    made = recode(SHOWN, data).original
    assert made
    assert np.array_equal(opened(made), opened(data))


def test_what_a_png_keeps() -> None:
    rows = [bytes(120)] * 40
    kept = [icc(profile()), (b"pHYs", bytes(9))]
    data = png(40, 40, 8, 2, rows, *kept, (b"tEXt", b"Comment\0secret"), (b"tIME", bytes(7)))
    made = recode(EXACT, data).original
    assert made
    assert b"secret" not in made
    assert b"pHYs" in made
    assert Image.open(io.BytesIO(made)).info["icc_profile"] == profile()
    assert b"Ada" in (
        recode(EXACT, png(40, 40, 8, 2, rows, (b"tEXt", b"Copyright\0All rights with Ada"))).original or b""
    )
    for left in (
        png(40, 40, 8, 2, rows, (b"XYzw", b"")),  # a chunk that says one cannot do without it
        png(2, 2, 16, 2, [bytes(12)] * 2),
        apng([(0, 2, bytes(R + R), 0, 0)] * 2, 0),
    ):
        assert recode(EXACT, left).original is None


def film(frames: int) -> list[Image.Image]:
    return [Image.fromarray(np.roll(scene(64, 96), 3 * number, axis=1)) for number in range(frames)]


@pytest.mark.parametrize("said", [None, 0, 2])
def test_animations_stay_animations(said: int | None) -> None:
    first, *others = (frame.quantize(32) for frame in film(6))
    file = io.BytesIO()
    looping = {} if said is None else {"loop": said}
    first.save(file, "GIF", save_all=True, append_images=others, duration=[40, 80, 40, 120, 30, 90], **looping)
    found = recode(SHOWN, file.getvalue())
    assert (found.frames, found.left, found.original) == (6, (), None)
    (variant,) = found.variants  # AVIF cannot say how often
    assert variant.format == "webp"
    image = Image.open(io.BytesIO(variant.data))
    assert image.info["loop"] == {None: 1, 0: 0, 2: 3}[said]
    times = []
    for number in range(image.n_frames):
        image.seek(number)
        image.load()
        times.append(image.info["duration"])
    assert times == [40, 80, 40, 120, 30, 90]
    assert variant.score >= 80


def test_identical_frames_may_become_one() -> None:
    first = Image.fromarray(scene(48, 48))
    file = io.BytesIO()
    first.save(
        file,
        "PNG",
        save_all=True,
        append_images=[first.copy(), first.rotate(90), first.rotate(90)],
        duration=[100, 50, 70, 70],
    )
    found = recode(SHOWN, file.getvalue())
    copy = decode(found.variants[0].data, SHOWN.max_pixels)
    assert sum(copy.durations) == 290
    assert len(copy.frames) == 2


def test_frames_of_an_animation_stay_exact() -> None:
    data = gif((16, 16), [(0, 0, [[n % 4] * 16] * 16, 2, n % 3 or None, 5) for n in range(12)], 0)
    found = recode(EXACT, data)
    (variant,) = found.variants
    before, after = decode(data, SHOWN.max_pixels), decode(variant.data, SHOWN.max_pixels)
    times = before.starts()
    for one, other in zip(before.at(times), after.at(times), strict=True):
        assert np.array_equal(one.convert("RGBA"), other.convert("RGBA"))


def test_formats_have_their_longest_sides() -> None:
    data = saved(np.zeros((1, 16384, 3), np.uint8) + np.arange(3, dtype=np.uint8), "PNG", compress_level=0)
    found = recode(SHOWN._replace(formats=("webp",)), data)
    assert [left.message for left in found.left] == ["it is longer than the 16383 pixels that WebP can have"]
    assert found.variants == ()


@pytest.mark.parametrize(
    ("data", "format", "code"),
    [
        (saved(scene(40, 40), "AVIF"), "avif", None),
        (b"", "", "image-left"),
        (saved(scene(40, 40), "PNG")[:500], "png", "image-broken"),
        (png(9000, 9000, 8, 0, []), "png", "image-too-large"),
        (jpeg(Image.new("CMYK", (40, 40))), "jpeg", "image-left"),
    ],
)
def test_what_is_left_is_said(data: bytes, format: str, code: str | None) -> None:
    found = recode(SHOWN, data)
    assert (found.width, found.height, found.frames, found.format, found.variants) == (0, 0, 0, format, ())
    assert [left.code for left in found.left] == ([code] if code else [])
    assert all(left.message[0].islower() for left in found.left)


def test_a_damaged_original_stays_also_where_nothing_else_is_made() -> None:
    """Of a JPEG that programs read, only the original is looked at."""
    data = jpeg(Image.fromarray(scene(80, 64)), b"\xfesecret", quality=90)
    assert recode(EXACT, data).original
    assert recode(EXACT, data[: len(data) // 2]).original is None


SOUND = {
    "png": saved(clear(scene(40, 36)), "PNG"),
    "apng": saved(film(3)[0].quantize(16), "PNG", save_all=True, append_images=film(3)[1:], duration=50),
    "jpeg": jpeg(Image.fromarray(scene(40, 36)), quality=70, exif=exif({0x0112: 6}), icc_profile=profile()),
    "gif": saved(film(3)[0].quantize(16), "GIF", save_all=True, append_images=film(3)[1:], duration=50),
    "webp": saved(clear(scene(40, 36)), "WEBP", quality=50),
    "moving webp": saved(film(3)[0], "WEBP", save_all=True, append_images=film(3)[1:], duration=50),
}


@pytest.mark.filterwarnings("ignore:.*orrupt EXIF")
@pytest.mark.parametrize("kind", SOUND)
def test_damaged_files_are_answered(kind: str) -> None:
    """A picture or a refusal in words, and nothing else; what is still sound does not matter here."""
    source = random.Random(kind)
    answers = set()
    for _ in range(80):
        data = bytearray(SOUND[kind])
        for _ in range(source.choice([1, 1, 3, 20])):
            place = source.randrange(min(len(data), source.choice([40, 200, len(data)])))
            data[place] = source.choice([0, 255, data[place] ^ 1 << source.randrange(8)])
        if source.random() < 0.2:
            del data[source.randrange(len(data)) :]
        try:
            answers.add(type(decode(bytes(data), SHOWN.max_pixels)))
        except RefusalError as refusal:
            answers.add(refusal.code)
            assert refusal.message[0].islower()
    assert "image-broken" in answers


def steps(*rising: tuple[int, float]) -> list[float]:
    return [float(np.interp(quality, *zip(*rising, strict=True))) for quality in range(101)]


@pytest.mark.parametrize(
    ("scores", "found"),
    [
        (steps((0, 20), (100, 95)), 80),
        (steps((0, 60), (40, 79), (100, 99)), 43),
        (steps((0, 95), (100, 99)), 0),
        (steps((0, -50), (99, 79), (100, 81)), 100),
        (steps((0, -50), (100, 79)), None),
        (steps((0, 0), (70, 70), (71, 90), (100, 91)), 71),
    ],
)
def test_the_search_finds_the_lowest_quality(scores: list[float], found: int | None) -> None:
    tried = []

    def attempt(quality: int) -> Try:
        tried.append(quality)
        return Try(quality, bytes(quality), scores[quality])

    best = lowest(attempt, 80, 66, 0.6, 1000)
    if found is None:
        assert best is None
    else:
        assert best
        assert 0 <= best.quality - found <= 1
        assert best.score >= 80
    assert len(tried) == len(set(tried)) <= 8


def test_the_search_gives_up_what_is_too_large() -> None:
    tried = []

    def attempt(quality: int) -> Try:
        tried.append(quality)
        return Try(quality, bytes(quality), quality)

    assert lowest(attempt, 80, 66, 1, 50) is None
    assert tried == [66]
    assert lowest(attempt, 80, 90, 1, 80) == Try(80, bytes(80), 80)
    tried.clear()
    assert lowest(attempt, 80, 80, 1, 50) is None
    assert tried == [80]


def test_a_sample_is_of_the_whole_picture() -> None:
    pixels = np.zeros((1024, 2048, 3), np.uint8)
    pixels[:, :, 0] = np.linspace(0, 255, 2048)
    sample = Picture((Image.fromarray(pixels),)).sample()
    assert sample.size == (1024, 1024)
    assert sample.frames[0].getextrema()[0] == (0, 255)
