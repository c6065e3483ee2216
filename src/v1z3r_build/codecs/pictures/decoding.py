"""Files of the web's raster formats as pictures, or a reason why not."""

from __future__ import annotations

import io
import struct
from dataclasses import replace

from PIL import Image

from v1z3r_build.codecs.pictures import animation, exif, gif, jpeg, png, profiles, webp
from v1z3r_build.codecs.pictures.picture import Picture
from v1z3r_build.codecs.pictures.refusal import DAMAGE, RefusalError, broken, too_large

_ANIMATED = 4  # times as many pixels as a still may have: frames are small, and many

# How to turn upright what has EXIF orientation 2 to 8.
_UPRIGHT = dict(
    enumerate(
        (
            Image.Transpose.FLIP_LEFT_RIGHT,
            Image.Transpose.ROTATE_180,
            Image.Transpose.FLIP_TOP_BOTTOM,
            Image.Transpose.TRANSPOSE,
            Image.Transpose.ROTATE_270,
            Image.Transpose.TRANSVERSE,
            Image.Transpose.ROTATE_90,
        ),
        2,
    )
)


def format_of(data: bytes) -> str:
    """png, jpeg, gif, webp or avif by the first bytes, as browsers do it; empty for what is none of these."""
    if data.startswith(png.SIGNATURE):
        return "png"
    if data.startswith(b"\xff\xd8\xff"):
        return "jpeg"
    if data.startswith((b"GIF87a", b"GIF89a")):
        return "gif"
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return "webp"
    if data[4:12] in (b"ftypavif", b"ftypavis"):
        return "avif"
    return ""


def decode(data: bytes, max_pixels: int, exact: bool = False) -> Picture:
    """The picture in a file.

    max_pixels: of the picture; the frames of an animation may have four times as many together. exact: the pixels
    are data, for a program: their numbers stay as they are, with the profile that they have. Else they are for the
    eye: samples of 16 bits are cut to 8, as browsers do.
    Raises RefusalError for a picture that is damaged, too large, or that cannot be told in 8-bit RGB and a profile.
    """
    reader = {"png": _png, "jpeg": _jpeg, "gif": _gif, "webp": _webp}.get(format_of(data))
    if reader is None:
        raise RefusalError("it is no PNG, JPEG, GIF or WebP")
    try:
        picture = reader(data, max_pixels, exact)
    except DAMAGE as failure:
        raise broken(f"it could not be read: {str(failure) or type(failure).__name__}") from failure
    return _without_needless_alpha(picture)


def read_back(data: bytes) -> Picture:
    """A variant of our own making, as browsers will have it."""
    image = Image.open(io.BytesIO(data), formats=("WEBP", "AVIF"))
    profile = image.info.get("icc_profile") or b""
    if getattr(image, "n_frames", 1) > 1:
        return _without_needless_alpha(_moving(image, profile))
    image.load()
    return _without_needless_alpha(Picture((image,), profile=profile))


def pixels(data: bytes) -> Image.Image:
    """The numbers of a still in RGBA as they are stored: neither turned nor converted."""
    image = png.opened(data) if format_of(data) == "png" else Image.open(io.BytesIO(data), formats=("JPEG",))
    return image.convert("RGBA")


def _png(data: bytes, max_pixels: int, exact: bool) -> Picture:
    chunks = list(png.chunks(data))
    header = png.header(chunks)
    if chunks[0].kind == b"CgBI":
        raise RefusalError("it is in Apple's own kind of PNG, which browsers do not read")
    _check_size(header.width, header.height, max_pixels)
    png.check_colours(chunks)
    if exact and header.depth == 16:
        raise RefusalError("it has 16 bits a sample, of which WebP and AVIF would keep 8")
    if header.depth == 16 and png.only(chunks, b"tRNS"):
        raise RefusalError("it has 16 bits a sample and a transparent colour")
    tags = exif.read(png.only(chunks, b"eXIf") or b"")
    if exif.orientation(tags) != 1:
        raise RefusalError("it has an EXIF orientation, which not all browsers follow in a PNG")
    exif.check_density(tags, header.width, header.height)
    few = header.colour == png.PALETTE or header.depth < 8
    image = png.opened(data)
    if not (control := png.only(chunks, b"acTL")):
        return replace(_still(image, exact), few_colours=few)
    frames, loop = struct.unpack(">II", control)
    _check_size(header.width, header.height, max_pixels, frames)
    profile = _profile(image, exact)
    pieces = png.pieces(chunks)
    shown = tuple(animation.shown((header.width, header.height), pieces))
    milliseconds = animation.durations(piece.milliseconds for piece in pieces)
    return Picture(shown, milliseconds, min(loop, 65535), profile, few) if len(shown) > 1 else Picture(shown)


def _jpeg(data: bytes, max_pixels: int, exact: bool) -> Picture:
    if exact:
        raise RefusalError("decoders of JPEG differ by rounding: no other format says the same pixels")
    file = jpeg.parts(data)
    jpeg.check_single(file)
    size = jpeg.size(file)
    _check_size(*size, max_pixels)
    tags = exif.read(jpeg.tags(file))
    exif.check_density(tags, *size)
    picture = _still(Image.open(io.BytesIO(data), formats=("JPEG",)), exact)
    turn = _UPRIGHT.get(exif.orientation(tags))
    return picture if turn is None else replace(picture, frames=(picture.frames[0].transpose(turn),))


def _gif(data: bytes, max_pixels: int, exact: bool) -> Picture:
    _check_size(*gif.size(data), max_pixels)
    found = gif.read(data, max_pixels * _ANIMATED)
    frames = tuple(animation.shown((found.width, found.height), found.pieces))
    if len(frames) == 1:
        return Picture(frames, few_colours=True)
    durations = animation.durations(piece.milliseconds for piece in found.pieces)
    return Picture(frames, durations, found.loop, few_colours=True)


def _webp(data: bytes, max_pixels: int, exact: bool) -> Picture:
    if exact and b"VP8 " in webp.chunk_kinds(data):
        raise RefusalError("it is lossy already")
    image = Image.open(io.BytesIO(data), formats=("WEBP",))
    count = getattr(image, "n_frames", 1)
    _check_size(*image.size, max_pixels, count)
    tags = exif.read(image.info.get("exif", b""))
    if exif.orientation(tags) != 1:
        raise RefusalError("it has an EXIF orientation, which not all browsers follow in WebP")
    exif.check_density(tags, *image.size)
    return _still(image, exact) if count == 1 else _moving(image, _profile(image, exact))


def _moving(image: Image.Image, profile: bytes) -> Picture:
    """An opened animation in WebP, whose frames the reader puts together as browsers do."""
    frames, milliseconds = [], []
    for number in range(getattr(image, "n_frames", 1)):
        image.seek(number)
        frames.append(image.convert("RGBA"))
        milliseconds.append(image.info["duration"])
    return Picture(tuple(frames), animation.durations(milliseconds), image.info["loop"], profile)


def _still(image: Image.Image, exact: bool) -> Picture:
    """An opened file as a picture. Raises RefusalError for colours that have no sure meaning in sRGB."""
    image.load()
    if image.mode == "CMYK":
        raise RefusalError("it is in CMYK, which every browser converts in its own way")
    if image.mode.startswith("I"):  # grey of 16 bits: the upper 8, as browsers have it
        image = Image.frombytes("L", image.size, image.convert("I;16").tobytes()[1::2])
    profile = image.info.get("icc_profile") or b""
    if profile and profiles.space(profile) == "GRAY" and image.mode in ("1", "L", "LA"):
        if exact:
            raise RefusalError("it has a colour profile for grey, which WebP cannot say")
        greys = profiles.greys_in_srgb(profile)
        *_, grey, alpha = image.convert("RGBA").split()
        grey = grey.point(greys)
        return Picture((Image.merge("RGBA", (grey, grey, grey, alpha)),))
    mode = "RGBA" if image.has_transparency_data else "RGB"
    return Picture((image.convert(mode),), profile=_profile(image, exact))


def _profile(image: Image.Image, exact: bool) -> bytes:
    """The ICC profile that must go along with a picture. Raises RefusalError if it is none for RGB."""
    profile: bytes = image.info.get("icc_profile") or b""
    if not profile:
        return b""
    profiles.check_range(profile)
    if profiles.space(profile) != "RGB ":
        raise RefusalError(f"its colour profile is one for {profiles.space(profile).strip()}, not for RGB")
    return profile if exact or not profiles.is_srgb(profile) else b""


def _check_size(width: int, height: int, max_pixels: int, frames: int = 1) -> None:
    if not width or not height or not frames:
        raise broken("it has no pixels")
    if width * height > max_pixels:
        raise too_large(width * height, max_pixels)
    if width * height * frames > max_pixels * _ANIMATED:
        raise too_large(width * height * frames, max_pixels * _ANIMATED)


def _without_needless_alpha(picture: Picture) -> Picture:
    """The same in RGB, if nothing of it is transparent."""
    if any(frame.mode != "RGBA" or frame.getchannel("A").getextrema() != (255, 255) for frame in picture.frames):
        return picture
    return replace(picture, frames=tuple(frame.convert("RGB") for frame in picture.frames))
