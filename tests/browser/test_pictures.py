"""What Chromium shows of images and of their variants, against what we take them to show."""

from __future__ import annotations

import base64
import struct
from typing import TYPE_CHECKING

import numpy as np
import pytest
from PIL import Image
from test_pictures_decoding import B, G, R, W, apng, exif, gif, icc, jpeg, png, profile

from browser.chromium import visitor
from v1z3r_build.codecs.pictures import webp
from v1z3r_build.codecs.pictures.decoding import decode, format_of
from v1z3r_build.codecs.pictures.refusal import RefusalError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from playwright.sync_api import Browser, Page

pytestmark = pytest.mark.browser

MOST = 100_000

# Every frame as [milliseconds, red, green, blue, alpha, …], behind size and number of repetitions. A page of this
# machine may use ImageDecoder; but it ignores the size that EXIF gives, which an element does not.
_READ = """async (address) => {
    const image = new Image();
    image.src = address;
    await image.decode();
    const body = await (await fetch(address)).arrayBuffer();
    const decoder = new ImageDecoder({data: body, type: address.slice(5, address.indexOf(";")), premultiplyAlpha: "none"});
    await decoder.tracks.ready;
    const track = decoder.tracks.selectedTrack;
    const frames = [];
    for (let n = 0; n < track.frameCount; n++) {
        const frame = (await decoder.decode({frameIndex: n})).image;
        const canvas = new OffscreenCanvas(frame.displayWidth, frame.displayHeight);
        const context = canvas.getContext("2d");
        context.drawImage(frame, 0, 0);
        const pixels = context.getImageData(0, 0, canvas.width, canvas.height).data;
        frames.push([Math.round((frame.duration ?? 0) / 1000), ...pixels]);
    }
    return [image.naturalWidth, image.naturalHeight, track.repetitionCount, ...frames];
}"""


@pytest.fixture(scope="module")
def page(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Page]:
    blank: Path = tmp_path_factory.mktemp("blank") / "index.html"
    blank.write_text("<!doctype html>")
    with visitor(browser) as context:
        page = context.new_page()
        page.goto(blank.as_uri())
        yield page


def shown(page: Page, data: bytes) -> list:
    address = f"data:image/{format_of(data)};base64,{base64.b64encode(data).decode()}"
    read: list = page.evaluate(_READ, address)
    return read


def frames(found: list) -> list[list[int]]:
    """The pixels of frames; what is fully transparent has no colour."""
    pixels = [np.array(frame[1:]).reshape(-1, 4) for frame in found[3:]]
    return [(frame * (frame[:, 3:] > 0)).ravel().tolist() for frame in pixels]


@pytest.mark.parametrize(
    "data",
    [
        png(2, 1, 2, 0, [b"\x10"], (b"tRNS", b"\0\1")),
        png(2, 1, 4, 0, [b"\x0f"], (b"tRNS", b"\0\x0f")),
        png(2, 1, 8, 2, [b"\1\2\3\1\2\4"], (b"tRNS", b"\0\1\0\2\0\3")),
        png(2, 1, 16, 0, [b"\x12\xff\xff\x00"]),
        png(1, 1, 16, 2, [b"\x12\xff\x01\x80\xff\x00"]),
        png(3, 1, 8, 0, [b"\x10\x40\xa0"], (b"gAMA", struct.pack(">I", 45455))),
        png(3, 1, 8, 0, [b"\x10\x40\xa0"], (b"sRGB", b"\0"), (b"gAMA", struct.pack(">I", 100000))),
        *(
            jpeg(Image.fromarray(np.kron([[10, 90, 160], [200, 40, 240]], np.ones((16, 16))).astype(np.uint8)), exif=exif({0x0112: turn}))
            for turn in (3, 5, 6, 8)
        ),
    ],
)  # fmt: skip
def test_stills_show_what_we_read(page: Page, data: bytes) -> None:
    found, picture = shown(page, data), decode(data, MOST)
    assert tuple(found[:2]) == picture.size
    pixels = np.asarray(picture.frames[0].convert("RGBA")).reshape(-1, 4)
    assert frames(found) == [(pixels * (pixels[:, 3:] > 0)).ravel().tolist()]


def test_a_profile_means_the_same_in_a_variant(page: Page) -> None:
    data = png(2, 1, 8, 2, [bytes([16, 64, 160, 200, 90, 30])], icc(profile()))
    variant = webp.lossless(decode(data, MOST), exact=True)
    assert frames(shown(page, variant)) == frames(shown(page, data)) != [[16, 64, 160, 255, 200, 90, 30, 255]]


@pytest.mark.parametrize(
    "data",
    [
        gif((2, 1), [(0, 0, [[0, 1]], 2, None, 9), (1, 0, [[2]], 0, None, 0)], None),
        gif((2, 1), [(0, 0, [[0, 1]], 1, None, 9), (1, 0, [[2]], 3, None, 9), (0, 0, [[3]], 0, None, 9)], 2),
        gif((2, 1), [(1, 0, [[0]], 1, None, 9), (0, 0, [[3]], 1, None, 9)], 0),
        apng([(0, 2, bytes(R + G), 2, 0), (1, 1, bytes(B), 0, 0)], 3),
        apng([(0, 2, bytes(R + G), 0, 0), (1, 1, bytes(B), 2, 0), (0, 1, bytes(W), 0, 0)], 0, hidden=True),
    ],
)
def test_animations_are_played_alike(page: Page, data: bytes) -> None:
    picture = decode(data, MOST)
    before, after = shown(page, data), shown(page, webp.lossless(picture, exact=True))
    assert before[:3] == after[:3]  # size and repetitions
    assert frames(before) == frames(after)
    assert [frame[0] for frame in after[3:]] == list(picture.durations)


@pytest.mark.parametrize(
    ("data", "alike"),
    [
        # What we leave for a reason: Chromium shows it otherwise than the bare pixels.
        (png(1, 1, 8, 0, [b"\x10"], (b"gAMA", struct.pack(">I", 100000))), [1, 1, [16, 16, 16, 255]]),
        (
            png(1, 1, 8, 0, [b"\x10"], (b"gAMA", struct.pack(">I", 45455)), (b"cHRM", struct.pack(">8I", 31270, 32900, 64000, 33000, 30000, 60000, 15000, 6000))),
            [1, 1, [16, 16, 16, 255]],
        ),
        (jpeg(Image.new("RGB", (2, 2)), exif=exif({0x011A: 144.0, 0x011B: 144.0, 0x0128: 2}, {0xA002: 1, 0xA003: 1})), [2, 2]),
        (png(2, 1, 8, 0, [b"\x10\x10"], (b"eXIf", exif({0x0112: 6})[6:])), [2, 1]),
    ],
)  # fmt: skip
def test_what_is_left_would_have_changed(page: Page, data: bytes, alike: list) -> None:
    with pytest.raises(RefusalError):
        decode(data, MOST)
    found = shown(page, data)
    assert [*found[:2], *frames(found)][: len(alike)] != alike
