"""One file of a site: its name, its kind, and where its bytes lie."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, cast

if TYPE_CHECKING:
    from collections.abc import Callable

Kind = Literal["html", "script", "style", "image", "font", "wasm", "json", "media", "text", "other"]
CacheClass = Literal["immutable", "html", "revalidate", "service-worker"]
_CHUNK = 1 << 20


@dataclass(frozen=True, slots=True)
class Asset:
    """A file, without its bytes: a site of 100,000 files must not be held in memory.

    path: its name relative to the site's root, with `/`, exactly as on disk.
    location: where its present bytes lie: the input file, or a file in the site's spool.
    size: of the present bytes.
    original: the input file that it came from; the bytes that digests in the input were made of.
    sources: the paths of the input files that it came from.
    vendor: the label of a vendor's script, '' for others.
    kept: why its name or its bytes stayed as they were, '' when nothing was held back.
    variants: the paths of the same image in other formats, the best first.
    score: of such a variant, how much it looks like its source, 1 to 100.
    """

    path: str
    kind: Kind
    content_type: str
    size: int
    location: Path
    original: Path
    sources: tuple[str, ...]
    cache_class: CacheClass = "revalidate"
    vendor: str = ""
    kept: str = ""
    variants: tuple[str, ...] = ()
    score: int = 0

    def moved(self, location: str, size: int) -> Asset:
        """The same file with other bytes. location: a path as text; no other is made of it."""
        original = cast("Path", _ORIGINAL.text(self))
        return replace(self, location=cast("Path", location), original=original, size=size)

    def read(self) -> bytes:
        """Its present bytes."""
        with open(_LOCATION.text(self), "rb", buffering=0) as file:  # noqa: PTH123 - to make a path takes as long
            return file.read()


def file_hash(location: str) -> hashlib._Hash:
    """The SHA-256 of a file of any size. `hashlib.file_digest` clears a large buffer for each, however small."""
    digest = hashlib.sha256()
    with open(location, "rb", buffering=0) as file:  # noqa: PTH123
        while piece := file.read(_CHUNK):
            digest.update(piece)
    return digest


class _Place:
    """A path that is held as text: with its parts it takes eight times the memory, and each file of a site has two."""

    def __init__(self, slot: Any) -> None:
        self.text: Callable[[Asset], str] = slot.__get__  # the path as it is held
        self._hold: Callable[[Asset, str], None] = slot.__set__

    def __get__(self, one: Asset, owner: type) -> Path:
        return Path(self.text(one))

    def __set__(self, one: Asset, path: Path) -> None:
        self._hold(one, str(path))


_LOCATION, _ORIGINAL = (_Place(vars(Asset)[name]) for name in ("location", "original"))
setattr(Asset, "location", _LOCATION)  # noqa: B010 - no assignment to what is said to be a path
setattr(Asset, "original", _ORIGINAL)  # noqa: B010


def texts_of_places(asset: Asset) -> tuple[str, str]:
    """The location and the original of an asset as text, without a path being made of either."""
    return _LOCATION.text(asset), _ORIGINAL.text(asset)
