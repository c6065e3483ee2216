"""JPEG (ITU-T T.81): its segments, and the same scans without those that nobody needs."""

from __future__ import annotations

from dataclasses import dataclass

from v1z3r_build.codecs.pictures import exif
from v1z3r_build.codecs.pictures.refusal import RefusalError, broken

_SOI, _EOI, _SOS, _COM, _APP0, _APP1, _APP2, _APP13, _APP14 = 0xD8, 0xD9, 0xDA, 0xFE, 0xE0, 0xE1, 0xE2, 0xED, 0xEE
_SOF = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}  # of all kinds of coding; those three say other things
_EXIF, _XMP, _ICC, _MPF = b"Exif\0\0", b"http://ns.adobe.com/xap/1.0/\0", b"ICC_PROFILE\0", b"MPF\0"
# Two ways of saying that a second picture holds the brightness of the first: Adobe's (Ultra HDR) and ISO 21496-1.
_GAIN = (b"hdr-gain-map", b"urn:iso:std:iso:ts:21496")
# IPTC record 2:116 is the copyright notice; XMP has names for rights in several vocabularies.
_IPTC_NOTICE = b"\x1c\x02\x74"
_XMP_RIGHTS = (b"rights", b"Rights", b"plus:")


@dataclass(frozen=True, slots=True)
class Segment:
    """What a marker says. data: without marker and length."""

    marker: int
    data: bytes


@dataclass(frozen=True, slots=True)
class Parts:
    """segments: those before the first scan. scans: the rest of the file, from the first SOS marker."""

    segments: tuple[Segment, ...]
    scans: bytes


def parts(data: bytes) -> Parts:
    """A JPEG file taken apart. Raises RefusalError at damage."""
    segments: list[Segment] = []
    position = 2
    while position + 4 <= len(data):
        if data[position] != 0xFF:
            raise broken("there are bytes between the parts of the JPEG file")
        marker = data[position + 1]
        if marker == 0xFF:  # a fill byte
            position += 1
            continue
        if marker == _SOS:
            return Parts(tuple(segments), data[position:])
        end = position + 2 + int.from_bytes(data[position + 2 : position + 4], "big")
        if marker < 0xC0 or 0xD0 <= marker <= _EOI or end < position + 4 or end > len(data):
            break
        segments.append(Segment(marker, data[position + 4 : end]))
        position = end
    raise broken("the JPEG file is cut off")


def tags(file: Parts) -> bytes:
    """Its EXIF block, empty if it has none."""
    return next((one.data for one in file.segments if one.marker == _APP1 and one.data.startswith(_EXIF)), b"")


def size(file: Parts) -> tuple[int, int]:
    """Width and height as stored. Raises RefusalError if there is no frame header."""
    for segment in file.segments:
        if segment.marker in _SOF and len(segment.data) >= 5:
            return int.from_bytes(segment.data[3:5], "big"), int.from_bytes(segment.data[1:3], "big")
    raise broken("the JPEG file has no frame header")


def check_single(file: Parts) -> None:
    """Raises RefusalError if the file holds more than one picture, of which the others may change the first."""
    for segment in file.segments:
        if any(word in segment.data for word in _GAIN):
            raise RefusalError("it has a gain map for bright screens, which WebP and AVIF would lose")
        if segment.marker == _APP2 and segment.data.startswith(_MPF):
            raise RefusalError("it holds several pictures (MPF)")


def optimized(data: bytes) -> bytes:
    """The same scans without what browsers ignore.

    What stays: the ICC profile, Adobe's marker (without which colours change), the orientation, and notices of who
    made the picture and may use it. The scans stay as they are: the one library that packs them better
    (mozjpeg-lossless-optimization 1.3, 7 % smaller) ends the whole process when a coefficient is damaged.
    Raises RefusalError at damage, for files that hold several pictures, and where EXIF sets the size.
    """
    file = parts(data)
    check_single(file)
    exif.check_density(exif.read(tags(file)), *size(file))
    bare = bytearray((0xFF, _SOI))
    for segment in file.segments:
        kept = _kept(segment)
        if kept is not None:
            bare += bytes((0xFF, kept.marker)) + (len(kept.data) + 2).to_bytes(2, "big") + kept.data
    bare += file.scans
    return bytes(bare)


def _kept(segment: Segment) -> Segment | None:
    marker, data = segment.marker, segment.data
    if marker == _APP1 and data.startswith(_EXIF):
        essence = exif.essence(exif.read(data))
        return Segment(marker, _EXIF + essence.removeprefix(_EXIF)) if essence else None
    if marker == _APP1:
        return segment if data.startswith(_XMP) and any(word in data for word in _XMP_RIGHTS) else None
    if marker == _APP2:
        return segment if data.startswith(_ICC) else None
    if marker == _APP13:
        return segment if _IPTC_NOTICE in data else None
    if marker == _APP0:
        return segment if data.startswith(b"JFIF\0") else None
    if marker == _APP14:
        return segment
    return None if marker == _COM or _APP0 <= marker <= 0xEF else segment
