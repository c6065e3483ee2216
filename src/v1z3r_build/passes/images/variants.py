"""An image in other formats: made in the pool, named by their bytes, laid beside it."""

from __future__ import annotations

import math
import posixpath
import re
from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

from v1z3r_build.bundlers.tokens import HEX
from v1z3r_build.codecs.pictures.recoding import recode
from v1z3r_build.codecs.pictures.wish import Wish
from v1z3r_build.diagnostics import Diagnostic, info, warning
from v1z3r_build.site import naming
from v1z3r_build.workers.call import Call, always

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from v1z3r_build.bundlers.tokens import Token
    from v1z3r_build.codecs.pictures.wish import Left, Recoded, Variant
    from v1z3r_build.passes.images.usage import Use
    from v1z3r_build.settings import ImagesSettings
    from v1z3r_build.site import Asset, Site
    from v1z3r_build.workers.pool import Failure, Pool
    from v1z3r_build.workers.progress import Progress

TOKEN_LENGTH = 16
_SCALED = re.compile(r"\.\d+w\.[^./]+$")
_PACKAGES = ("pillow", "pillow-avif-plugin", "numpy", "pyoxipng")
TYPES = {"avif": "image/avif", "webp": "image/webp"}
_FAILURES: dict[str, tuple[str, str]] = {
    "crashed": ("image-crashed", "a process ended abnormally while it worked on this image"),
    "timeout": ("image-timeout", "working on this image took too long"),
    "memory": ("image-memory", "working on this image took too much memory"),
    "raised": ("image-broken", "this image could not be read"),
}


class Made(NamedTuple):
    """What was made of one image. image: as it is now; variants: the best first; width, height: in pixels, as shown."""

    image: Asset
    variants: tuple[Asset, ...]
    width: int
    height: int


def make(
    site: Site,
    images: Mapping[str, Use],
    tokens: Mapping[str, Token],
    settings: ImagesSettings,
    pool: Pool,
    progress: Progress,
) -> tuple[dict[str, Made], list[Diagnostic]]:
    """The variants of all images, and what there is to say of them; an image that could not be read is left out."""
    made: dict[str, Made] = {}
    diagnostics: list[Diagnostic] = []
    progress.start("images", sum(site.assets[path].size for path in images))
    for outcome in pool.run(_calls(site, images, settings)):
        asset = site.assets[outcome.key]
        progress.advance(asset.size)
        if outcome.failure is not None:
            diagnostics.append(_failed(asset, outcome.failure))
            continue
        recoded: Recoded = outcome.value
        diagnostics += [_left(asset, one) for one in recoded.left]
        # A name without a suffix says nothing of the format, and hosts would not know what to serve.
        found = recoded.variants if posixpath.splitext(asset.path)[1] else ()
        variants = tuple(_variant(site, asset, tokens.get(asset.path), one) for one in found)
        image = site.rewritten(asset, recoded.original) if recoded.original is not None else asset
        image = replace(image, variants=tuple(one.path for one in variants))
        made[asset.path] = Made(image, variants, recoded.width, recoded.height)
    return {path: made[path] for path in sorted(made)}, sorted(diagnostics)


def scale(
    site: Site,
    images: Mapping[str, Made],
    tokens: Mapping[str, Token],
    settings: ImagesSettings,
    pool: Pool,
) -> dict[str, dict[int, tuple[Asset, ...]]]:
    """Smaller versions of images, by their paths and by widths in pixels: those that keep the ratio to the pixel."""
    calls: dict[str, Call] = {}
    wanted: dict[str, tuple[str, int]] = {}
    for path, one in images.items():
        formats = tuple(
            name for name in settings.formats if TYPES[name] in {other.content_type for other in one.variants}
        )
        for width in settings.widths:
            if width < one.width and width * one.height % one.width == 0:
                key = f"{path} {width}"
                wish = Wish(False, formats, settings.target, settings.max_pixels, width, original=False)
                wanted[key] = path, width
                # The input's own bytes: an original that was made smaller has the same pixels.
                arguments = (wish, site.assets[path].location)
                calls[key] = Call(key, recode, arguments, one.image.size, settings.seconds, cached=always)
    made: dict[str, dict[int, tuple[Asset, ...]]] = {}
    for outcome in pool.run(calls.values()):
        path, width = wanted[outcome.key]
        for variant in outcome.value.variants if outcome.failure is None else ():
            asset = _variant(site, site.assets[path], tokens.get(path), variant, f".{width}w")
            made.setdefault(path, {})[width] = (*made.get(path, {}).get(width, ()), asset)
    return made


def engine_versions() -> dict[str, str]:
    """The versions of all that the bytes of images depend on, by name."""
    from importlib import metadata  # slow to import, and so is Pillow

    from PIL import features

    versions = {name: metadata.version(name) for name in _PACKAGES}
    return versions | {name: str(features.version(name)) for name in ("avif", "webp") if features.check(name)}


def _calls(site: Site, images: Mapping[str, Use], settings: ImagesSettings) -> Iterator[Call]:
    for path, use in images.items():
        yield call(site.assets[path], use, settings)


def call(asset: Asset, use: Use, settings: ImagesSettings) -> Call:
    """The call that makes the variants of an image."""
    formats = () if use.outside else settings.formats
    if asset.content_type == TYPES["webp"]:
        formats = tuple(name for name in formats if name != "webp")  # what was lossy once loses more each time
    wish = Wish(bool(use.exact), formats, settings.target, settings.max_pixels)
    return Call(asset.path, recode, (wish, asset.location), asset.size, settings.seconds, cached=always)


def _variant(site: Site, image: Asset, token: Token | None, made: Variant, scaled: str = "") -> Asset:
    """scaled: what its name says of its width."""
    format_, data = made.format, made.data
    stem, suffix = posixpath.splitext(image.path)
    if token is None:
        path = naming.variant(f"{stem}.", f"{scaled}.{format_}", TOKEN_LENGTH, HEX, data)
    else:
        # As long as the image's own name: what counts the bytes of a text that holds it stays true.
        length = len(token.text) + len(suffix) - len(f".{format_}")
        path = naming.variant(
            image.path[: token.start], f"{stem[token.end :]}{scaled}.{format_}", length, token.alphabet, data
        )
    return replace(
        image.moved(site.place(path, data, image), len(data)),
        path=path,
        content_type=TYPES[format_],
        cache_class="immutable",
        variants=(),
        score=max(1, math.floor(made.score)),
        kept="",
    )


def _left(asset: Asset, left: Left) -> Diagnostic:
    if left.code == "image-broken":
        return warning(
            left.code, asset.path, f"{left.message}; it is served as it was", "replace it by one that is whole"
        )
    return info(left.code, asset.path, left.message)


def _failed(asset: Asset, failure: Failure) -> Diagnostic:
    code, message = _FAILURES[failure.reason]
    detail = f" ({failure.message})" if failure.message else ""
    return warning(
        code,
        asset.path,
        f"{message}{detail}; it is served as it was",
        f'add "{asset.path}" to off in [images] to leave it alone',
    )
