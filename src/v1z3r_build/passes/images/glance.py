"""How images are probably used, told by a glance at pages and style sheets, before anything is known for sure."""

from __future__ import annotations

import posixpath
from typing import TYPE_CHECKING

from v1z3r_build.passes.images.usage import Use
from v1z3r_build.site.patterns import matcher

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from v1z3r_build.settings import ImagesSettings
    from v1z3r_build.site import Site

_LEAST = 4 << 10  # bytes: a smaller image takes less time than is left when nothing else is to be done
_MOST = 8 << 20  # bytes of pages and style sheets, which are held in memory; larger sites have other work for everyone


def likely(site: Site, images: Iterable[str], settings: ImagesSettings) -> Iterator[tuple[str, Use]]:
    """Large images, the largest first, each with its use as far as a page or a style sheet that names it tells."""
    size = site.assets.size
    largest = sorted((path for path in images if size(path) >= _LEAST), key=size, reverse=True)
    texts = [path for path, traits in site.assets.each_traits() if traits.kind in ("html", "style")]
    if not largest or sum(map(size, texts)) > _MOST:
        return
    text = b"\n".join(site.assets[path].read() for path in texts)
    lossy, lossless = matcher(settings.lossy), matcher(settings.lossless)
    for path in largest:
        shown = posixpath.basename(path).encode("utf-8", "surrogateescape") in text
        read = lossless(path) or not (shown or lossy(path))
        yield path, Use(shown, "a script may read its pixels" if read else "")
