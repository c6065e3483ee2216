"""EXIF: the little of it that browsers follow."""

from __future__ import annotations

from PIL import ExifTags, Image

from v1z3r_build.codecs.pictures.refusal import DAMAGE, RefusalError

_PREFIX = b"Exif\0\0"
_NOTICES = (ExifTags.Base.Copyright, ExifTags.Base.Artist)


def read(data: bytes) -> Image.Exif:
    """The tags in a block, with or without its prefix; none if it cannot be read, as browsers take it.

    Not Pillow's `getexif`, which believes XMP as well; browsers do not.
    """
    tags = Image.Exif()
    try:
        tags.load(_PREFIX + data.removeprefix(_PREFIX))
        tags.get_ifd(ExifTags.IFD.Exif)
    except DAMAGE:
        return Image.Exif()
    return tags


def orientation(tags: Image.Exif) -> int:
    """1 to 8; 1 is upright."""
    value = tags.get(ExifTags.Base.Orientation, 1)
    return value if isinstance(value, int) and 1 <= value <= 8 else 1


def check_density(tags: Image.Exif, width: int, height: int) -> None:
    """Raises RefusalError if browsers show the picture at another size than its pixels say.

    They do so if the EXIF resolution and the EXIF size agree on it (HTML, "density-corrected natural size").
    """
    inner = tags.get_ifd(ExifTags.IFD.Exif)
    said = (inner.get(ExifTags.Base.ExifImageWidth), inner.get(ExifTags.Base.ExifImageHeight))
    dots = (tags.get(ExifTags.Base.XResolution), tags.get(ExifTags.Base.YResolution))
    for pixels, size, resolution in zip((width, height), said, dots, strict=True):
        if not size or not resolution or not isinstance(size, int):
            return
        if size == pixels or abs(pixels * 72 - size * float(resolution)) > float(resolution):
            return
    raise RefusalError(f"its EXIF gives it another size ({said[0]} × {said[1]}), which WebP and AVIF cannot say")


def essence(tags: Image.Exif) -> bytes:
    """A block with nothing but the orientation and the notices of who made it and may use it; empty if it has none."""
    kept = Image.Exif()
    if orientation(tags) != 1:
        kept[ExifTags.Base.Orientation] = orientation(tags)
    for tag in _NOTICES:
        if isinstance(notice := tags.get(tag), str) and notice.strip("\0 "):
            kept[tag] = notice
    return kept.tobytes() if kept else b""
