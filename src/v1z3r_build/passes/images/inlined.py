"""Images that stand in style sheets and pages themselves: made smaller in their places."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from v1z3r_build.codecs.pictures.recoding import recode
from v1z3r_build.codecs.pictures.wish import Wish
from v1z3r_build.passes.images import data_uris
from v1z3r_build.workers.call import Call, always

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from v1z3r_build.codecs.pictures.wish import Recoded
    from v1z3r_build.passes.images.data_uris import Inlined
    from v1z3r_build.passes.images.offers import Edit
    from v1z3r_build.settings import ImagesSettings
    from v1z3r_build.site import Asset, Site
    from v1z3r_build.workers.pool import Pool


def shrunk(
    site: Site, settings: ImagesSettings, is_still: Callable[[Asset], bool] | None, pool: Pool
) -> dict[str, list[Edit]]:
    """The edits, by file, that put smaller images in the place of inlined ones.

    is_still: whether no script of a page could tell; None where no page holds an image. What cannot be read stays, and
    is not worth a word: nothing was asked of it. There is one place and no other to choose, so it takes the format that
    all of today's browsers know.
    """
    kinds = ("style",) if is_still is None else ("style", "html")
    assets = (site.assets[path] for path, traits in site.assets.each_traits() if traits.kind in kinds)
    found = {asset.path: images for asset in assets if (images := _inlined(asset, is_still))}
    formats = tuple(name for name in settings.formats if name == "webp")
    calls: dict[str, Call] = {}
    for image in (one for images in found.values() for one in images):
        wish = Wish(not image.shown, formats if image.shown else (), settings.target, settings.max_pixels)
        key = _key(image)
        calls[key] = Call(key, recode, (wish, image.data), len(image.data), settings.seconds, cached=always)
    made = {outcome.key: outcome.value for outcome in pool.run(calls.values()) if outcome.failure is None}
    edits: dict[str, list[Edit]] = {}
    for path, images in found.items():
        for image in images:
            recoded = made.get(_key(image))
            edit = next(_smaller(image, recoded), None) if recoded is not None else None
            if edit is not None:
                edits.setdefault(path, []).append(edit)
    return edits


def _inlined(asset: Asset, is_still: Callable[[Asset], bool] | None) -> list[Inlined]:
    data = asset.read()
    if asset.kind == "style":
        return data_uris.in_sheet(data)
    return data_uris.in_page(data) if is_still is not None and b"data:image/" in data and is_still(asset) else []


def _key(image: Inlined) -> str:
    return f"{hashlib.sha256(image.data).hexdigest()} {image.shown}"


def _smaller(image: Inlined, recoded: Recoded) -> Iterator[Edit]:
    """The image in fewer bytes, the fewest first."""
    choices = [(len(one.data), f"image/{one.format}", one.data) for one in recoded.variants]
    if recoded.original is not None:
        choices.append((len(recoded.original), image.content_type, recoded.original))
    for _, content_type, data in sorted(choices):
        edit = data_uris.replaced(image, content_type, data)
        if edit is not None:
            yield edit
