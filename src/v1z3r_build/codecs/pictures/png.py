"""PNG (W3C PNG, third edition): its chunks, what they say of the picture, and the same pixels in fewer bytes."""

from __future__ import annotations

import io
import struct
import zlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

import oxipng
from PIL import Image

from v1z3r_build.codecs.pictures.animation import After, Piece
from v1z3r_build.codecs.pictures.refusal import RefusalError, broken

if TYPE_CHECKING:
    from collections.abc import Iterator

SIGNATURE = b"\x89PNG\r\n\x1a\n"
_GREY, PALETTE = 0, 3  # colour types
_SAMPLES = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}  # of each pixel, by colour type
# Of Adam7: left, top, and the steps to the right and down.
_PASSES = ((0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2))
_PIECE = 1 << 20  # bytes of samples at once

# What browsers use of a file, or its author wrote for lawyers. All else (times, comments, thumbnails) is dropped.
_KEPT = (b"iCCP", b"sRGB", b"gAMA", b"cHRM", b"cICP", b"mDCV", b"cLLI", b"tRNS", b"pHYs", b"eXIf")
_FRAMES_SHARE = (b"PLTE", b"tRNS")
_AFTER: tuple[After, ...] = ("keep", "clear", "restore")
_COLOUR = (b"iCCP", b"sRGB", b"gAMA", b"cHRM", b"cICP", b"mDCV", b"cLLI", b"pHYs", b"eXIf")

_SRGB_GAMMA, _ROUNDING = 45455, 100
_SRGB_CODE_POINTS = b"\x01\x0d\x00\x01"  # BT.709 primaries, sRGB transfer, RGB, full range (ITU-T H.273)


@dataclass(frozen=True, slots=True)
class Chunk:
    kind: bytes
    data: bytes


@dataclass(frozen=True, slots=True)
class Header:
    """The IHDR chunk. depth: bits a sample. colour: the colour type."""

    width: int
    height: int
    depth: int
    colour: int


def chunks(data: bytes) -> Iterator[Chunk]:
    """The chunks up to IEND, whose checksums are right. Raises RefusalError at damage."""
    position = len(SIGNATURE)
    while position + 12 <= len(data):
        size, kind = struct.unpack_from(">I4s", data, position)
        end = position + 12 + size
        if end > len(data):
            break
        if zlib.crc32(data[position + 4 : end - 4]) != int.from_bytes(data[end - 4 : end], "big"):
            raise broken(f"the checksum of its {kind.decode('latin-1')} chunk is wrong")
        yield Chunk(kind, data[position + 8 : end - 4])
        if kind == b"IEND":
            return
        position = end
    raise broken("the PNG file is cut off")


def header(parts: list[Chunk]) -> Header:
    """Raises RefusalError if there is none."""
    if not parts or parts[0].kind != b"IHDR" or len(parts[0].data) != 13:
        raise broken("the PNG file has no header")
    return Header(*struct.unpack(">IIBB", parts[0].data[:10]))


def only(parts: list[Chunk], kind: bytes) -> bytes | None:
    """The data of the first chunk of a kind, if there is one."""
    return next((part.data for part in parts if part.kind == kind), None)


def check_colours(parts: list[Chunk]) -> None:
    """Raises RefusalError if the colours are neither sRGB nor said by an ICC profile.

    cICP goes before iCCP, iCCP before sRGB, sRGB before gAMA with cHRM. Other formats have no place for a gamma.
    Chromium follows cHRM only beside gAMA, and then takes even sRGB's own two for a plain power of 2.2 (16 becomes 7);
    others do not. sRGB's gamma alone changes nothing anywhere.
    """
    code_points = only(parts, b"cICP")
    if code_points not in (None, _SRGB_CODE_POINTS):
        raise RefusalError("its colours are coded for another kind of screen (cICP), which WebP cannot say")
    if code_points or only(parts, b"iCCP") or only(parts, b"sRGB"):
        return
    gamma = only(parts, b"gAMA")
    if gamma is not None and (len(gamma) != 4 or abs(int.from_bytes(gamma, "big") - _SRGB_GAMMA) > _ROUNDING):
        raise RefusalError("it has a gamma of its own (gAMA), which WebP and AVIF cannot say")
    if only(parts, b"cHRM"):
        raise RefusalError("it names its primary colours (cHRM), which browsers take in different ways")


def opened(data: bytes) -> Image.Image:
    """The still picture in a file, read; of an animation, what programs show that do not know of it.

    Pillow takes the transparent grey of 2- and 4-bit samples for one of 8 bits, and rows that are missing for black.
    Raises RefusalError if rows are missing.
    """
    _check_complete(list(chunks(data)))
    image = Image.open(io.BytesIO(data), formats=("PNG",))
    image.load()
    depth, colour = data[24], data[25]
    key = image.info.get("transparency")
    if colour == _GREY and depth in (2, 4) and isinstance(key, int):
        image.info["transparency"] = key * 255 // ((1 << depth) - 1)
    return image


def _check_complete(parts: list[Chunk]) -> None:
    """Raises RefusalError if there are fewer bytes of samples than the picture has."""
    width, height, depth, colour, interlaced = struct.unpack(">IIBB2xB", parts[0].data)
    passes = _PASSES if interlaced else ((0, 0, 1, 1),)
    missing = 0
    for left, top, right, down in passes:
        columns, rows = -((left - width) // right), -((top - height) // down)
        missing += rows * (1 + (columns * depth * _SAMPLES.get(colour, 0) + 7) // 8) if columns else 0
    inflate, waiting = zlib.decompressobj(), b"".join(part.data for part in parts if part.kind == b"IDAT")
    while waiting and missing > 0:
        missing -= len(inflate.decompress(waiting, _PIECE))
        waiting = inflate.unconsumed_tail
    if missing > 0:
        raise broken("the PNG file has fewer rows than it says")


def pieces(parts: list[Chunk]) -> list[Piece]:
    """The frames of an animation (APNG), without a picture that only other programs show.

    Each is read by itself; put together they are elsewhere, for Pillow converts some of them on its way.
    Raises RefusalError at damage.
    """
    width, height, rest = struct.unpack(">II5s", parts[0].data)
    before = [part for part in parts if part.kind in _FRAMES_SHARE]
    found: list[tuple[bytes, list[bytes]]] = []
    for part in parts:
        if part.kind == b"fcTL":
            found.append((part.data, []))
        elif part.kind == b"IDAT" and found:
            found[-1][1].append(part.data)
        elif part.kind == b"fdAT" and found:
            found[-1][1].append(part.data[4:])
    made = []
    for number, (control, data) in enumerate(found):
        wide, high, left, top, delay, unit, dispose, blend = struct.unpack(">4x4IHHBB", control)
        if dispose not in (0, 1, 2) or left + wide > width or top + high > height:
            raise broken("a frame of the animation lies outside of it")
        single = [Chunk(b"IHDR", struct.pack(">II5s", wide, high, rest)), *before]
        single += [Chunk(b"IDAT", b"".join(data)), Chunk(b"IEND", b"")]
        image = opened(written(single)).convert("RGBA")
        # To restore what was before the first frame is to clear its place.
        after: After = "clear" if dispose == 2 and not number else _AFTER[dispose]
        made.append(Piece(image, left, top, 1000 * delay / (unit or 100), after, over=blend == 1))
    if not made:
        raise broken("the animation has no frames")
    return made


def written(parts: list[Chunk]) -> bytes:
    """A file of these chunks."""
    return SIGNATURE + b"".join(
        struct.pack(">I", len(part.data)) + part.kind + part.data + struct.pack(">I", zlib.crc32(part.kind + part.data))
        for part in parts
    )


def optimized(data: bytes) -> bytes:
    """The same pixels, deflated better, in as few bits as they need; without what browsers ignore.

    Texts are dropped, but for copyright notices. Interlacing stays as it is. The caller compares the pixels.
    Raises RefusalError for what the optimizer would not keep: animations, 16-bit samples, Apple's own PNG.
    """
    parts = list(chunks(data))
    kinds = {part.kind for part in parts}
    if b"acTL" in kinds:
        raise RefusalError("it is animated")
    if header(parts).depth == 16:
        raise RefusalError("it has 16 bits a sample")
    unknown = {kind for kind in kinds if not kind[0] & 0x20} - {b"IHDR", b"PLTE", b"IDAT", b"IEND"}
    if unknown:
        raise RefusalError(f"it has chunks that we do not know ({', '.join(sorted(map(repr, unknown)))})")
    kept = list(_KEPT)
    if any(part.data.startswith((b"Copyright\0", b"XML:com.adobe.xmp\0")) and b"ights" in part.data for part in parts):
        kept += [b"tEXt", b"zTXt", b"iTXt"]
    try:
        smaller = oxipng.optimize_from_memory(data, level=2, strip=oxipng.StripChunks.keep(kept))
    except oxipng.PngError as failure:
        raise broken(f"it could not be read: {failure}") from failure
    made = list(chunks(smaller))
    if any(_said(made, kind) != _said(parts, kind) for kind in _COLOUR):
        raise RefusalError("the optimizer would have changed what it says of its colours")
    return smaller


def _said(parts: list[Chunk], kind: bytes) -> bytes | None:
    """What a chunk says, of a profile without its name and however well it is deflated."""
    data = only(parts, kind)
    if data is None or kind != b"iCCP":
        return data
    try:
        return zlib.decompress(data[data.index(b"\0") + 2 :])
    except (ValueError, zlib.error) as failure:
        raise broken(f"its colour profile could not be read: {failure}") from failure
