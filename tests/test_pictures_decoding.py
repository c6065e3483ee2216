"""What a file shows: each way in which a naive reader gets it wrong, by pictures built byte by byte."""

from __future__ import annotations

import io
import struct
import zlib
from itertools import chain, pairwise

import numpy as np
import pytest
from PIL import Image, ImageCms, ImageOps

from v1z3r_build.codecs.pictures import animation
from v1z3r_build.codecs.pictures.decoding import decode
from v1z3r_build.codecs.pictures.refusal import RefusalError

MOST = 100_000
ADAM7 = [(0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2)]


def png(
    width: int,
    height: int,
    depth: int,
    colour: int,
    rows: list[bytes],
    *extra: tuple[bytes, bytes],
    interlaced: bool = False,
) -> bytes:
    """A PNG of unfiltered rows, with more chunks before the pixels; without pixels if there are no rows."""
    pixels = [(b"IDAT", zlib.compress(b"".join(b"\0" + row for row in rows)))] if rows else []
    head = struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, interlaced)
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        for kind, data in [(b"IHDR", head), *extra, *pixels, (b"IEND", b"")]
    )


def gif(
    size: tuple[int, int], frames: list[tuple[int, int, list[list[int]], int, int | None, int]], loop: int | None
) -> bytes:
    """A GIF with the palette PALETTE. frames: left, top, rows of indices, disposal, transparent index, centiseconds."""
    out = b"GIF89a" + struct.pack("<HHBBB", *size, 0x81, 1, 0) + bytes(sum(PALETTE, ()))
    if loop is not None:
        out += b"\x21\xff\x0bNETSCAPE2.0\x03\x01" + struct.pack("<H", loop) + b"\0"
    for left, top, rows, disposal, transparent, delay in frames:
        flags = disposal << 2 | (transparent is not None)
        out += b"\x21\xf9\x04" + struct.pack("<BHB", flags, delay, transparent or 0) + b"\0"
        out += b"\x2c" + struct.pack("<HHHHB", left, top, len(rows[0]), len(rows), 0) + b"\x02"
        bits = 0
        codes = [code for index in chain.from_iterable(rows) for code in (4, index)] + [
            5
        ]  # cleared before each, so never longer
        for n, code in enumerate(codes):
            bits |= code << 3 * n
        data = bits.to_bytes((3 * len(codes) + 7) // 8, "little")
        out += b"".join(bytes([len(data[n : n + 255])]) + data[n : n + 255] for n in range(0, len(data), 255)) + b"\0"
    return out + b";"


PALETTE = [(255, 0, 0), (0, 255, 0), (0, 0, 255), (255, 255, 255)]
R, G, B, W = ((*colour, 255) for colour in PALETTE)
N = (0, 0, 0, 0)


def profile(gamma: float = 2.2, primaries: str = "p3") -> bytes:
    """A display profile (ICC.1, matrix and curves): Display P3's primaries or sRGB's."""
    columns = {
        "p3": [(0.5151, 0.2412, -0.0011), (0.2920, 0.6922, 0.0419), (0.1571, 0.0666, 0.7841)],
        "srgb": [(0.4361, 0.2225, 0.0139), (0.3851, 0.7169, 0.0971), (0.1431, 0.0606, 0.7141)],
    }[primaries]

    def fixed(values: tuple[float, ...]) -> bytes:
        return struct.pack(f">{len(values)}i", *(round(value * 65536) for value in values))

    curve = b"curv\0\0\0\0" + struct.pack(">IH", 1, round(gamma * 256)) + b"\0\0"
    tags = {b"wtpt": b"XYZ \0\0\0\0" + fixed((0.9642, 1.0, 0.8249))}
    for name, column in zip(b"rgb", columns, strict=True):
        tags[bytes([name]) + b"XYZ"] = b"XYZ \0\0\0\0" + fixed(column)
        tags[bytes([name]) + b"TRC"] = curve
    place, table, body = 132 + 12 * len(tags), b"", b""
    for name, data in tags.items():
        table += name + struct.pack(">II", place + len(body), len(data))
        body += data
    head = struct.pack(">I4sI4s4s4s12x4s28x", place + len(body), b"", 0x02400000, b"mntr", b"RGB ", b"XYZ ", b"acsp")
    head += fixed((0.9642, 1.0, 0.8249))
    return head.ljust(128, b"\0") + struct.pack(">I", len(tags)) + table + body


SRGB = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()


def icc(data: bytes) -> tuple[bytes, bytes]:
    return (b"iCCP", b"x\0\0" + zlib.compress(data))


def jpeg(image: Image.Image, *segments: bytes, **options: object) -> bytes:
    """A JPEG with more segments (marker and data) behind the first marker."""
    file = io.BytesIO()
    image.save(file, "JPEG", **options)
    more = b"".join(bytes([0xFF, one[0]]) + (len(one) + 1).to_bytes(2, "big") + one[1:] for one in segments)
    return file.getvalue()[:2] + more + file.getvalue()[2:]


def exif(tags: dict[int, object], inner: dict[int, object] | None = None) -> bytes:
    block = Image.Exif()
    block.update(tags)
    if inner:
        block.get_ifd(0x8769).update(inner)
    return block.tobytes()


def frames(data: bytes) -> list[list[list[tuple[int, ...]]]]:
    return [
        [[tuple(map(int, pixel)) for pixel in row] for row in np.asarray(frame.convert("RGBA"))]
        for frame in decode(data, MOST).frames
    ]


def grey(*values: int) -> list[list[tuple[int, ...]]]:
    return [[(value, value, value, 255) for value in values]]


@pytest.mark.parametrize(
    ("data", "shown"),
    [
        (png(8, 1, 1, 0, [b"\xa5"]), grey(255, 0, 255, 0, 0, 255, 0, 255)),
        (png(4, 1, 2, 0, [b"\x1b"]), grey(0, 85, 170, 255)),
        (png(2, 1, 16, 0, [b"\x12\xff\xff\x00"]), grey(0x12, 0xFF)),
        (png(1, 1, 16, 2, [b"\x12\xff\x01\x80\xff\x00"]), [[(0x12, 0x01, 0xFF, 255)]]),
        (png(1, 1, 16, 4, [b"\x12\xff\x01\x80"]), [[(0x12, 0x12, 0x12, 0x01)]]),
        (png(1, 1, 16, 6, [b"\x12\xff\x01\x80\xff\x00\x80\x00"]), [[(0x12, 0x01, 0xFF, 0x80)]]),
        (png(1, 1, 8, 4, [b"\x40\x80"]), [[(64, 64, 64, 128)]]),
        (png(2, 1, 1, 0, [b"\x40"], (b"tRNS", b"\0\1")), [[(0, 0, 0, 255), (255, 255, 255, 0)]]),
        # Pillow alone takes the key for one of 8 bits, and all stays opaque.
        (png(2, 1, 2, 0, [b"\x10"], (b"tRNS", b"\0\1")), [[(0, 0, 0, 255), (85, 85, 85, 0)]]),
        (png(2, 1, 4, 0, [b"\x0f"], (b"tRNS", b"\0\x0f")), [[(0, 0, 0, 255), (255, 255, 255, 0)]]),
        (png(2, 1, 8, 0, [b"\1\2"], (b"tRNS", b"\0\2")), [[(1, 1, 1, 255), (2, 2, 2, 0)]]),
        (png(2, 1, 8, 2, [b"\1\2\3\1\2\4"], (b"tRNS", b"\0\1\0\2\0\3")), [[(1, 2, 3, 0), (1, 2, 4, 255)]]),
        (
            png(3, 1, 2, 3, [b"\x18"], (b"PLTE", bytes(sum(PALETTE, ()))), (b"tRNS", b"\xff\x80\0")),
            [[R, (0, 255, 0, 128), (0, 0, 255, 0)]],
        ),
    ],
)  # fmt: skip
def test_samples_are_what_browsers_show(data: bytes, shown: object) -> None:
    assert frames(data) == [shown]


@pytest.mark.parametrize("size", [(1, 1), (3, 2), (8, 8), (17, 5)])
@pytest.mark.parametrize("mode", ["1", "P", "RGB"])
def test_interlaced_rows_are_counted(size: tuple[int, int], mode: str) -> None:
    """Pillow does not write Adam7: seven pictures are put together by hand, each an eighth and so on."""
    depth, colour, samples = {"1": (1, 0, 1), "P": (4, 3, 1), "RGB": (8, 2, 3)}[mode]
    rows = []
    for left, top, right, down in ADAM7:
        columns = len(range(left, size[0], right))
        rows += [b"\0" * ((columns * depth * samples + 7) // 8)] * len(range(top, size[1], down)) if columns else []
    whole = png(*size, depth, colour, rows, (b"PLTE", bytes(12)), interlaced=True)
    assert decode(whole, MOST).size == size
    if len(rows) > 1:
        with pytest.raises(RefusalError, match="fewer rows"):
            decode(png(*size, depth, colour, rows[:-1], (b"PLTE", bytes(12)), interlaced=True), MOST)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_photos_stand_upright(orientation: int) -> None:
    image = Image.fromarray(np.kron([[10, 90, 160], [200, 40, 240]], np.ones((16, 16))).astype(np.uint8)).convert("RGB")
    data = jpeg(image, quality=95, exif=exif({0x0112: orientation}))
    expected = ImageOps.exif_transpose(Image.open(io.BytesIO(data)))
    assert np.array_equal(decode(data, MOST).frames[0], expected)
    assert decode(data, MOST).size == ((32, 48) if orientation > 4 else (48, 32))


@pytest.mark.filterwarnings("ignore:Corrupt EXIF")
def test_only_exif_turns_a_photo() -> None:
    """Pillow believes XMP as well; browsers do not."""
    image = Image.new("RGB", (16, 8), "red")
    xmp = b"\xe1http://ns.adobe.com/xap/1.0/\0<x tiff:Orientation='6'/>"
    assert decode(jpeg(image, xmp), MOST).size == (16, 8)
    assert decode(jpeg(image, b"\xe1Exif\0\0MM\0*garbage"), MOST).size == (16, 8)


def test_profiles_go_along_where_they_are_needed() -> None:
    image = Image.new("RGB", (4, 4), (200, 30, 90))
    assert decode(jpeg(image, icc_profile=SRGB), MOST).profile == b""
    assert decode(jpeg(image, icc_profile=profile()), MOST).profile == profile()
    assert decode(png(1, 1, 8, 2, [b"\1\2\3"], icc(profile())), MOST).profile == profile()
    # A profile of sRGB's is what a program may ask for: what programs read keeps it.
    assert decode(png(1, 1, 8, 2, [b"\1\2\3"], icc(SRGB)), MOST, exact=True).profile == SRGB
    # The profile goes before what else is said of colours.
    assert decode(png(1, 1, 8, 2, [b"\1\2\3"], icc(SRGB), (b"gAMA", struct.pack(">I", 100000))), MOST).profile == b""


SRGB_PRIMARIES = struct.pack(">8I", 31270, 32900, 64000, 33000, 30000, 60000, 15000, 6000)


@pytest.mark.parametrize(
    "chunks",
    [
        [(b"sRGB", b"\0"), (b"gAMA", struct.pack(">I", 45455)), (b"cHRM", SRGB_PRIMARIES)],
        [(b"gAMA", struct.pack(">I", 45455))],
        [(b"sRGB", b"\0"), (b"gAMA", struct.pack(">I", 100000))],
        [(b"cICP", b"\x01\x0d\x00\x01"), (b"gAMA", struct.pack(">I", 100000))],
    ],
)
def test_colours_that_say_they_are_srgb(chunks: list[tuple[bytes, bytes]]) -> None:
    assert decode(png(1, 1, 8, 0, [b"\1"], *chunks), MOST).profile == b""


def photo(*segments: bytes, mode: str = "RGB", **options: object) -> bytes:
    return jpeg(Image.new(mode, (64, 32)), *segments, **options)


def image_in(format: str, **options: object) -> bytes:
    file = io.BytesIO()
    Image.new("RGB", (16, 8), "red").save(file, format, **options)
    return file.getvalue()


@pytest.mark.parametrize(
    ("data", "code", "words"),
    [
        (png(1, 1, 8, 0, [b"\1"], (b"gAMA", struct.pack(">I", 100000))), "image-left", "gamma"),
        (png(1, 1, 8, 0, [b"\1"], (b"cHRM", struct.pack(">8I", *range(8)))), "image-left", "primary colours"),
        # ImageMagick writes the two without sRGB. Chromium shows 16 as 7 then, Firefox as 16.
        (png(1, 1, 8, 0, [b"\1"], (b"gAMA", struct.pack(">I", 45455)), (b"cHRM", SRGB_PRIMARIES)), "image-left", "primary colours"),
        (png(1, 1, 8, 0, [b"\1"], (b"cICP", b"\x09\x10\x00\x01")), "image-left", "cICP"),
        (png(1, 1, 8, 2, [b"\1\2\3"], icc(b"x" * 200)), "image-left", "colour profile"),
        (png(1, 1, 16, 0, [b"\1\2"], (b"tRNS", b"\1\2")), "image-left", "16 bits"),
        (png(1, 1, 8, 0, [b"\1"], (b"eXIf", exif({0x0112: 6})[6:])), "image-left", "orientation"),
        (photo(mode="CMYK"), "image-left", "CMYK"),
        (photo(b"\xe2MPF\0MM"), "image-left", "several pictures"),
        (photo(b"\xe2urn:iso:std:iso:ts:21496:-1\0"), "image-left", "gain map"),
        (photo(b"\xe1http://ns.adobe.com/xap/1.0/\0<x xmlns:hdrgm='http://ns.adobe.com/hdr-gain-map/1.0/'/>"), "image-left", "gain map"),
        # Browsers take 72 dots an inch for a CSS pixel each, if the size agrees.
        (photo(exif=exif({0x011A: 144.0, 0x011B: 144.0}, {0xA002: 32, 0xA003: 16})), "image-left", "another size"),
        (image_in("WEBP", exif=exif({0x0112: 3})), "image-left", "orientation"),
        (image_in("BMP"), "image-left", "no PNG, JPEG, GIF or WebP"),
        (image_in("TIFF"), "image-left", "no PNG, JPEG, GIF or WebP"),
        (b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n", "image-left", "no PNG, JPEG, GIF or WebP"),
        (b"", "image-left", "no PNG, JPEG, GIF or WebP"),
        (png(60000, 60000, 8, 0, []), "image-too-large", "3600.0 megapixels"),
        (gif((60000, 60000), [(0, 0, [[0]], 0, None, 10)], None), "image-too-large", "3600.0 megapixels"),
        (gif((300, 300), [(0, 0, [[0]], 0, None, 10)] * 5, None), "image-too-large", "megapixels"),
        # The canvas is what the file says first: it does not grow with its frames.
        (gif((2, 1), [(0, 0, [[0, 0]], 0, None, 10), (1, 0, [[0, 0]], 0, None, 10)], None), "image-broken", "lies outside"),
        (png(0, 1, 8, 0, [b""]), "image-broken", "no pixels"),
        (png(4, 4, 8, 0, [b"\1\1\1\1"]), "image-broken", "fewer rows"),
        (b"\x89PNG\r\n\x1a\n", "image-broken", "cut off"),
        (png(1, 1, 8, 0, [b"\1"]).replace(b"IDAT", b"IDAU"), "image-broken", "checksum"),
    ],
)  # fmt: skip
def test_what_is_left_says_why(data: bytes, code: str, words: str) -> None:
    with pytest.raises(RefusalError, match=words) as refusal:
        decode(data, MOST)
    assert refusal.value.code == code


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (png(1, 1, 16, 2, [b"\1\2\3\4\5\6"]), "16 bits"),
        (photo(), "JPEG"),
        (image_in("WEBP"), "lossy already"),
    ],
)
def test_what_programs_read_is_not_rounded(data: bytes, words: str) -> None:
    with pytest.raises(RefusalError, match=words):
        decode(data, MOST, exact=True)


@pytest.mark.parametrize("format", ["PNG", "JPEG", "GIF", "WEBP"])
def test_files_that_are_cut_off_are_broken(format: str) -> None:
    data = image_in(format)
    for end in (len(data) // 3, len(data) // 2, len(data) - 20):
        with pytest.raises(RefusalError) as refusal:
            decode(data[:end], MOST)
        assert refusal.value.code == "image-broken"


@pytest.mark.parametrize(("said", "played"), [(None, 1), (0, 0), (1, 2), (3, 4), (65535, 65535)])
def test_a_gif_says_how_often_it_is_repeated(said: int | None, played: int) -> None:
    data = gif((1, 1), [(0, 0, [[0]], 0, None, 4), (0, 0, [[1]], 0, None, 0)], said)
    picture = decode(data, MOST)
    assert picture.loop == played
    assert picture.durations == (40, 100)  # browsers show what says 0 for 100 ms


# Each: the frames of a GIF of two pixels (left, top, rows, disposal, transparent, delay), and what is shown.
@pytest.mark.parametrize(
    ("pieces", "shown"),
    [
        ([(0, 0, [[0, 1]], 0, None, 9), (1, 0, [[2]], 1, None, 9)], [[R, G], [R, B]]),
        ([(0, 0, [[0, 1]], 1, None, 9), (0, 0, [[2, 3]], 1, 2, 9)], [[R, G], [R, W]]),
        # Cleared means transparent, whatever colour the file names as its ground.
        ([(0, 0, [[0, 1]], 2, None, 9), (1, 0, [[2]], 0, None, 9)], [[R, G], [N, B]]),
        ([(0, 0, [[0, 1]], 1, None, 9), (1, 0, [[2]], 3, None, 9), (0, 0, [[3]], 0, None, 9)], [[R, G], [R, B], [W, G]]),
        # A first frame that does not fill the canvas leaves the rest transparent.
        ([(1, 0, [[0]], 1, None, 9), (0, 0, [[3]], 1, None, 9)], [[N, R], [W, R]]),
    ],
)  # fmt: skip
def test_gif_frames_are_put_together_as_in_browsers(pieces: list, shown: list) -> None:
    assert frames(gif((2, 1), pieces, 0)) == [[row] for row in shown]


def apng(pieces: list[tuple[int, int, list[bytes], int, int]], plays: int, hidden: bool = False) -> bytes:
    """A 2 × 1 RGBA animation. pieces: left, width, row, dispose, blend. hidden: its still picture is no frame."""
    chunks, number = [(b"acTL", struct.pack(">II", len(pieces), plays))], 0
    if hidden:
        chunks.append((b"IDAT", zlib.compress(b"\0" + bytes(8))))
    for left, width, row, dispose, blend in pieces:
        control = struct.pack(">IIIIIHHBB", number, width, 1, left, 0, 1, 60, dispose, blend)
        pixels = zlib.compress(b"\0" + row)
        first = not number and not hidden
        chunks.append((b"fcTL", control))
        number += 1
        chunks.append((b"IDAT", pixels) if first else (b"fdAT", struct.pack(">I", number) + pixels))
        number += not first
    return png(2, 1, 8, 6, [], *chunks)


@pytest.mark.parametrize(
    ("pieces", "shown"),
    [
        ([(0, 2, bytes(R + G), 0, 0), (1, 1, bytes(B), 0, 0)], [[R, G], [R, B]]),
        ([(0, 2, bytes(R + G), 0, 0), (1, 1, bytes(N), 0, 0)], [[R, G], [R, N]]),
        ([(0, 2, bytes(R + G), 0, 0), (1, 1, bytes(N), 0, 1)], [[R, G], [R, G]]),
        ([(0, 2, bytes(R + G), 1, 0), (1, 1, bytes(B), 0, 1)], [[R, G], [N, B]]),
        ([(0, 2, bytes(R + G), 0, 0), (1, 1, bytes(B), 2, 0), (0, 1, bytes(W), 0, 0)], [[R, G], [R, B], [W, G]]),
        # There is nothing before the first frame to go back to.
        ([(0, 2, bytes(R + G), 2, 0), (1, 1, bytes(B), 0, 0)], [[R, G], [N, B]]),
    ],
)  # fmt: skip
@pytest.mark.parametrize("hidden", [False, True])
def test_png_frames_are_put_together_as_in_browsers(pieces: list, shown: list, hidden: bool) -> None:
    data = apng(pieces, 3, hidden)
    assert frames(data) == [[row] for row in shown]
    assert decode(data, MOST).loop == 3


def test_durations_add_up_to_what_browsers_show() -> None:
    rounded = animation.durations([1000 / 60] * 60)
    assert sum(rounded) == 1000
    assert set(rounded) == {16, 17}
    assert animation.durations([0, 10, 11, 20]) == (100, 100, 11, 20)


def test_what_is_shown_at_a_time() -> None:
    picture = decode(gif((1, 1), [(0, 0, [[n]], 1, None, 4) for n in range(3)], 0), MOST)
    assert picture.starts() == [0, 40, 80]
    shown = list(picture.at([0, 39, 40, 119, 500]))
    assert [picture.frames.index(frame) for frame in shown] == [0, 0, 1, 2, 2]
    assert all(one <= other for one, other in pairwise(picture.starts()))
