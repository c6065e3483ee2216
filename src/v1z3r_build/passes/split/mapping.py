"""The source maps of a site's scripts: what they tell of vendors, and how they follow their scripts.

A script that is split, or told of new files, gets a map made of its old one, and so does every vendor's file: they
say of each byte what the old map said of the one that it was.
"""

from __future__ import annotations

import posixpath
from typing import TYPE_CHECKING, NamedTuple

from v1z3r_build.diagnostics import Diagnostic, info
from v1z3r_build.formats import source_maps
from v1z3r_build.formats.derivation import Derived, joined
from v1z3r_build.formats.source_maps import FittedMap, MapError, Span

if TYPE_CHECKING:
    from collections.abc import Mapping

    from v1z3r_build.site import Site
    from v1z3r_build.site.address import Addresses


class Link(NamedTuple):
    """Where a script's map is. path: in the site, '' if it is not there. url: as the script's comment has it, or ''."""

    path: str
    url: str


class MapLinks:
    """Which map is which script's."""

    def __init__(self, site: Site, addresses: Addresses) -> None:
        self._site = site
        self._addresses = addresses
        self._found: dict[str, Link | None] = {}

    def of(self, path: str) -> Link | None:
        """The map of a script as it came, None if it has none."""
        if path not in self._found:
            self._found[path] = self._find(path)
        return self._found[path]

    def _find(self, path: str) -> Link | None:
        usual = f"{path}.map"
        url = source_maps.mapping_url(self._site.assets[path].read())
        if not url:
            return Link(usual, "") if usual in self._site.assets else None
        if found := self._addresses.find(url, path).path:
            return Link(found, url)
        # Only of the usual name it can be known that it is missing.
        return None if url == posixpath.basename(usual) else Link("", url)


class Told(NamedTuple):
    """What a script's map tells. spans: the script by its sources. objection: why it tells nothing, or ''."""

    spans: tuple[Span, ...]
    objection: str


def read(script: bytes, source_map: bytes) -> Told:
    """Read the map of a script. Pure; for workers."""
    try:
        return Told(tuple(FittedMap(source_maps.read(source_map), script).spans()), "")
    except MapError as error:
        return Told((), f"its source map does not fit it: {error}")


def composed(texts: Mapping[str, Derived], script: bytes, source_map: bytes) -> dict[str, bytes]:
    """The maps of texts that were made of a script, by their paths; none if the script's own does not fit it.

    Pure; for workers.
    """
    try:
        fitted = FittedMap(source_maps.read(source_map), script)
    except MapError:
        return {}
    return {path: fitted.composed(text, posixpath.basename(path)) for path, text in texts.items()}


def beside(address: str, path: str) -> str:
    """The address of the map of a new script, in the folder of the old one's: the sources' paths begin there."""
    return posixpath.join(posixpath.dirname(address), f"{posixpath.basename(path)}.map")


def beyond(link: Link) -> str:
    """Why a script stays whole whose map is not a file of the site."""
    if link.url.startswith("data:"):
        return "its source map is written into it; let the bundler write it to a file, or none"
    return f"its source map, {link.url}, is not in the site, and would not fit it any more"


def with_comment(text: Derived, link: Link, path: str) -> Derived:
    """A new script that names its map if the old one did. link: to the map of the old one."""
    if not link.url:
        return text
    comment = f"//# sourceMappingURL={beside(link.url, path)}\n".encode()
    return joined((text, b"" if text.endswith(b"\n") else b"\n", comment))


def left_behind(path: str, script: str, failure: str) -> Diagnostic:
    """A map that does not follow its script."""
    reason = failure or "it did not fit before"
    return info(
        "stale-source-map",
        path,
        f"this source map does not fit {script}, which was changed: {reason}",
        "Visitors see no difference. Build the site afresh with its source maps.",
    )
