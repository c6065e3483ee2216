"""GIF (version 89a): its frames, one by one.

Pillow puts the frames together itself, with the background colour where browsers leave the ground transparent, and
its canvas grows with frames that lie outside. So only single frames are given to it.
"""

from __future__ import annotations

import io
import struct
from dataclasses import dataclass, field

from PIL import Image

from v1z3r_build.codecs.pictures.animation import After, Piece
from v1z3r_build.codecs.pictures.refusal import broken, too_large

_AFTER: dict[int, After] = {2: "clear", 3: "restore"}
_LOOPS = (b"NETSCAPE2.0", b"ANIMEXTS1.0")


@dataclass(slots=True)
class Animation:
    """loop: how many times it is played, 0 for ever. pieces: what each frame changes."""

    width: int
    height: int
    loop: int = 1
    pieces: list[Piece] = field(default_factory=list)


def size(data: bytes) -> tuple[int, int]:
    """Width and height of the canvas. Raises RefusalError at damage."""
    if len(data) < 13:
        raise broken("the GIF file is cut off")
    width, height = struct.unpack_from("<HH", data, 6)
    return width, height


def read(data: bytes, max_pixels: int) -> Animation:
    """The frames of a file. max_pixels: of all frames together.

    Raises RefusalError at damage and above the limit.
    """
    try:
        return _read(data, max_pixels)
    except (struct.error, IndexError) as failure:
        raise broken("the GIF file is cut off") from failure


def _read(data: bytes, max_pixels: int) -> Animation:
    width, height, flags = struct.unpack_from("<HHB", data, 6)
    position = 13 + _palette_size(flags)
    palette, palette_flags = data[13:position], flags & 0x87
    found = Animation(width, height)
    control = b"\0\0\0\0"
    while data[position] != 0x3B:
        introducer, label = data[position], data[position + 1]
        if introducer == 0x21:
            blocks, position = _blocks(data, position + 2)
            if label == 0xF9 and blocks and len(blocks[0]) == 4:
                control = blocks[0]
            elif label == 0xFF and len(blocks) > 1 and blocks[0] in _LOOPS and blocks[1][0] & 7 == 1:
                # The file says how often it is repeated, not how often it is played.
                repeated = struct.unpack_from("<H", blocks[1], 1)[0]
                found.loop = min(repeated + 1, 65535) if repeated else 0
        elif introducer == 0x2C:
            left, top, wide, high, flags = struct.unpack_from("<HHHHB", data, position + 1)
            start = position + 10 + _palette_size(flags)
            own = data[position + 10 : start]
            _, end = _blocks(data, start + 1)
            if (len(found.pieces) + 1) * width * height > max_pixels:
                raise too_large((len(found.pieces) + 1) * width * height, max_pixels)
            if left + wide > width or top + high > height:
                raise broken("a frame of the animation lies outside of it")
            size_flags = flags & 0x87 if own else palette_flags
            single = b"".join((
                b"GIF89a", struct.pack("<HHBBB", wide, high, size_flags, 0, 0), own or palette,
                b"\x21\xf9\x04", control, b"\0",
                b"\x2c", struct.pack("<HHHHB", 0, 0, wide, high, flags & 0x40), data[start:end], b";",
            ))  # fmt: skip
            image = Image.open(io.BytesIO(single), formats=("GIF",)).convert("RGBA")
            found.pieces.append(
                Piece(
                    image,
                    left,
                    top,
                    struct.unpack_from("<H", control, 1)[0] * 10,
                    _AFTER.get(control[0] >> 2 & 7, "keep"),
                )
            )
            position, control = end, b"\0\0\0\0"
        else:
            raise broken("there are bytes between the blocks of the GIF file")
    if not found.pieces:
        raise broken("the GIF file has no picture")
    return found


def _palette_size(flags: int) -> int:
    return 3 << ((flags & 7) + 1) if flags & 0x80 else 0


def _blocks(data: bytes, position: int) -> tuple[list[bytes], int]:
    """The data blocks from a place on, and the place behind their end."""
    blocks = []
    while size := data[position]:
        blocks.append(data[position + 1 : position + 1 + size])
        position += size + 1
    return blocks, position + 1
