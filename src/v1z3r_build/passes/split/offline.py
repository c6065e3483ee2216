"""Lists of what is fetched for use without network: a chunk that is on one works offline only with its vendors."""

from __future__ import annotations

import hashlib
import posixpath
import re
from typing import TYPE_CHECKING

from v1z3r_build.bundlers.passage import written
from v1z3r_build.bundlers.vite import beside
from v1z3r_build.site import permanence
from v1z3r_build.site.address import spellings

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from v1z3r_build.bundlers.passage import Edit
    from v1z3r_build.formats.derivation import Derived
    from v1z3r_build.site import Site
    from v1z3r_build.site.address import Addresses

# What speaks of such lists: Workbox and those who wrap it, the Cache interface, Angular's ngsw.json.
_LISTS = re.compile(rb"precache|workbox|\baddAll\s*\(|\"hashTable\"", re.I)


class OfflineLists:
    """The scripts and JSON files of a site that list some chunks."""

    def __init__(self, site: Site, addresses: Addresses, chunks: Iterable[str]) -> None:
        self._addresses = addresses
        self._chunks: dict[bytes, list[str]] = {}
        for chunk in chunks:
            for name in spellings(chunk):
                self._chunks.setdefault(name, []).append(chunk)
        self._site = site
        self.names: dict[str, list[bytes]] = {}
        for path, asset in site.assets.items():
            if not self._chunks or asset.kind not in ("script", "json") or path.endswith(".map"):
                continue
            data = asset.read()
            found = [name for name, named in self._chunks.items() if named != [path] and name in data]
            if found and (permanence.is_service_worker(path) or _LISTS.search(data)):
                self.names[path] = found

    def objections(self) -> dict[str, str]:
        """Why some of the chunks may have no vendors: it is not known what a list would have to say of those."""
        found: dict[str, str] = {}
        for path, names in self.names.items():
            if self._edits(path, self._site.assets[path].read(), {}, lambda _: b"") is None:
                reason = f"{path} lists it for use without network, in a way that is not understood"
                found |= dict.fromkeys((chunk for name in names for chunk in self._chunks[name]), reason)
        return found

    def told(
        self, path: str, data: bytes, vendors: Mapping[str, Sequence[str]], read: Callable[[str], bytes]
    ) -> Derived:
        """A file that lists chunks, with those chunks' vendors on its lists.

        vendors: their paths, by the chunk's. read: gives the bytes of one against which digests of it are checked.
        """
        edits = self._edits(path, data, vendors, read)
        assert edits is not None, "a chunk of a list that is not understood was split"
        return written(data, 0, len(data), edits)

    def _edits(
        self, path: str, data: bytes, vendors: Mapping[str, Sequence[str]], read: Callable[[str], bytes]
    ) -> list[Edit] | None:
        from v1z3r_build.bundlers.precache import Neighbour, list_beside  # few sites have such lists

        def neighbours(url: str) -> list[Neighbour] | None:
            chunk = self._addresses.find(url, path).path
            if not chunk:
                return None
            return [
                Neighbour(beside(url, posixpath.basename(vendor)), _digest(read(vendor)), vendor)
                for vendor in vendors.get(chunk, ())
            ]

        return list_beside(data, self.names[path], neighbours)


def _digest(data: bytes) -> str:
    return hashlib.sha1(data, usedforsecurity=False).hexdigest()
