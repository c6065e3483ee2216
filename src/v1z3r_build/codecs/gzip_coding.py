"""The content coding `gzip` (RFC 1952)."""

from __future__ import annotations

import struct
import zlib

# Written by hand, for Python's own differs between versions and systems: magic, method deflate, no flags and so no
# file name, no time, XFL 2 for "slowest", OS 255 for "unknown".
_HEADER = b"\x1f\x8b\x08\x00" + b"\x00\x00\x00\x00" + b"\x02\xff"
_PIECE = 16 * 1024  # of what is read at once: what lies behind a member's end is copied
_RAW, _WITH_GZIP_FRAME = -zlib.MAX_WBITS, 16 + zlib.MAX_WBITS


def encode(data: bytes, level: int) -> bytes:
    """The data as one gzip member, equal wherever zlib is; level: 1 (fast) to 9 (small)."""
    deflate = zlib.compressobj(level, zlib.DEFLATED, _RAW, zlib.DEF_MEM_LEVEL)
    size = len(data) & 0xFFFFFFFF  # RFC 1952: modulo 2^32
    return _HEADER + deflate.compress(data) + deflate.flush() + struct.pack("<II", zlib.crc32(data), size)


def decode(data: bytes, limit: int) -> bytes:
    """The data in a gzip file of one or more members; limit: how many bytes to accept.

    Raises ValueError if it is no complete gzip file, has something behind it, or holds more than the limit.
    """
    decoded = bytearray()
    position = 0
    while position < len(data) or not position:
        inflate = zlib.decompressobj(_WITH_GZIP_FRAME)
        while position < len(data) and not inflate.eof:
            piece = data[position : position + _PIECE]
            try:
                decoded += inflate.decompress(piece, limit + 1 - len(decoded))
            except zlib.error as failure:
                raise ValueError("not a gzip file") from failure
            if len(decoded) > limit:
                raise ValueError(f"holds more than {limit} bytes")
            position += len(piece) - len(inflate.unused_data)
        if not inflate.eof:
            raise ValueError("the gzip file is cut off")
    return bytes(decoded)
