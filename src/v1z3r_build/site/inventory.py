"""The assets of a site, held in little: as objects those of 100,000 files take most of a hundred megabytes.

What files have in common is held once: the folders that their bytes lie in, types, cache classes. Of its own a file
has its path, its size and the hash by which its bytes are found in the spool. What only few have is held apart.
"""

from __future__ import annotations

import os
from array import array
from copy import copy
from typing import TYPE_CHECKING, NamedTuple, cast

from v1z3r_build.site.asset import Asset, texts_of_places
from v1z3r_build.site.ordering import Ordered

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from v1z3r_build.site.asset import CacheClass, Kind

_HASH = 32  # bytes of SHA-256
_ELSEWHERE = bytes(_HASH)


class Traits(NamedTuple):
    """What many assets have in common; the fields are those of an asset."""

    kind: Kind
    content_type: str
    cache_class: CacheClass
    vendor: str
    kept: str
    variants: tuple[str, ...]
    score: int


class _Stray(NamedTuple):
    """What is known of an asset that came from elsewhere than the file of its path, or lies elsewhere.

    original: '' for the place of the first source. location: '' for a place in the spool, or that of the original.
    """

    sources: tuple[str, ...]
    original: str
    location: str


class Inventory(Ordered[Asset]):
    """Assets by path, in sorted order. In memory each takes some 60 bytes, besides its path.

    An asset is made when it is asked for, which takes two microseconds: who needs many again keeps their paths, and who
    needs no more of them than their traits or sizes asks for those.
    """

    def __init__(self, root: Path, spool: Path, assets: Iterable[Asset] = ()) -> None:
        """root, spool: the site's, below which nearly all bytes lie. assets: to begin with."""
        super().__init__()
        self._root = os.path.join(root, "")  # noqa: PTH118 - with a separator at the end
        self._spool = os.path.join(spool, "")  # noqa: PTH118
        self._sizes = array("Q")
        self._traits = array("L")  # by their numbers
        self._hashes = bytearray()  # the names of places in the spool, `_ELSEWHERE` for all others
        # Shared with the inventories that are made of this one: a number keeps its meaning.
        self._traits_by_number: list[Traits] = []
        self._numbers_of_traits: dict[Traits, int] = {}
        self._strays: dict[str, _Stray] = {}
        for asset in assets:
            self.add(asset)

    def add(self, asset: Asset) -> None:
        """Take in an asset. Of several with the same path the last counts."""
        self._note(asset.path)
        self._sizes.append(0)
        self._traits.append(0)
        self._hashes += _ELSEWHERE
        self._set(len(self._keys) - 1, asset)

    def copied(self) -> Inventory:
        """One more with the same assets."""
        self._sort()
        made = copy(self)
        made._keys, made._sizes, made._traits = self._keys[:], self._sizes[:], self._traits[:]
        made._hashes = self._hashes[:]
        made._strays = dict(self._strays)
        return made

    def replace(self, asset: Asset) -> None:
        """Take in another asset in the place of that with the same path. Raises KeyError if there is none."""
        self._set(self._number(asset.path), asset)

    def updated(self, changed: Iterable[Asset]) -> Inventory:
        """This inventory with some assets replaced or added."""
        made = self
        for asset in changed:
            number = self._find(asset.path)
            if made is self:
                made = self.copied()
            if number < 0:
                made.add(asset)
            else:
                made._set(number, asset)
        return made

    def originals(self) -> Iterator[Asset]:
        """An asset for each original that some came from: the one that is still called like it, if there is one."""
        others: set[str] = set()
        for path in self:
            if not self._is_own(path):
                original = self._original(self._strays[path])
                below = original.removeprefix(self._root)
                if (below != original and self._is_own(below.replace(os.sep, "/"))) or original in others:
                    continue
                others.add(original)
            yield self[path]

    def size(self, path: str) -> int:
        """The size of an asset. Raises KeyError if there is none."""
        return self._sizes[self._number(path)]

    def traits(self, path: str) -> Traits:
        """What an asset has in common with others. Raises KeyError if there is none."""
        return self._traits_by_number[self._traits[self._number(path)]]

    def each_traits(self) -> Iterator[tuple[str, Traits]]:
        """Paths and traits."""
        self._sort()
        return zip(self, map(self._traits_by_number.__getitem__, self._traits), strict=True)

    def _is_own(self, path: str) -> bool:
        """Whether there is an asset of this path that came from the file of this path, and from no other."""
        stray = self._strays.get(path)
        return path in self and (stray is None or (stray.sources, stray.original) == ((path,), ""))

    def _follow(self, order: array[int]) -> None:
        self._sizes = array("Q", map(self._sizes.__getitem__, order))
        self._traits = array("L", map(self._traits.__getitem__, order))
        hashes = bytearray()
        for number in order:
            hashes += self._hashes[number * _HASH : (number + 1) * _HASH]
        self._hashes = hashes

    def _set(self, number: int, asset: Asset) -> None:
        path = asset.path
        traits = Traits(
            asset.kind,
            asset.content_type,
            asset.cache_class,
            asset.vendor,
            asset.kept,
            asset.variants,
            asset.score,
        )
        if traits not in self._numbers_of_traits:
            self._numbers_of_traits[traits] = len(self._traits_by_number)
            self._traits_by_number.append(traits)
        location, original = texts_of_places(asset)
        name = _hash_in(location.removeprefix(self._spool)) if location.startswith(self._spool) else _ELSEWHERE
        self._sizes[number] = asset.size
        self._traits[number] = self._numbers_of_traits[traits]
        self._hashes[number * _HASH : (number + 1) * _HASH] = name
        sources, mostly = asset.sources, self._in_input(asset.sources)
        if sources == (path,) and original == mostly and (name != _ELSEWHERE or location == original):
            self._strays.pop(path, None)
        else:
            is_known = name != _ELSEWHERE or location == original
            self._strays[path] = _Stray(sources, "" if original == mostly else original, "" if is_known else location)

    def _at(self, number: int) -> Asset:
        path = self._keys[number]
        stray = self._strays.get(path)
        original = self._root + path.replace("/", os.sep) if stray is None else self._original(stray)
        name = self._hashes[number * _HASH : (number + 1) * _HASH]
        if name != _ELSEWHERE:
            location = self._spool + name.hex()
        else:
            location = original if stray is None else stray.location or original
        kind, content_type, cache_class, vendor, kept, variants, score = self._traits_by_number[self._traits[number]]
        return Asset(
            path,
            kind,
            content_type,
            self._sizes[number],
            # As texts, which is how an asset holds them: to make paths of them would take as long as all else.
            cast("Path", location),
            cast("Path", original),
            (path,) if stray is None else stray.sources,
            cache_class,
            vendor,
            kept,
            variants,
            score,
        )

    def _original(self, stray: _Stray) -> str:
        return stray.original or self._in_input(stray.sources)

    def _in_input(self, sources: tuple[str, ...]) -> str:
        """Where the first of these files lies in the input, '' if there is none."""
        return self._root + sources[0].replace("/", os.sep) if sources else ""


def _hash_in(name: str) -> bytes:
    """The hash that a name in the spool is, `_ELSEWHERE` if it is none."""
    try:
        found = bytes.fromhex(name)
    except ValueError:
        return _ELSEWHERE
    return found if len(found) == _HASH and found.hex() == name else _ELSEWHERE
