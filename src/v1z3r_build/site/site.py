"""A site: all its assets, and the spool in which passes put the bytes that they made."""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from v1z3r_build.site.asset import texts_of_places
from v1z3r_build.site.inventory import Inventory

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from v1z3r_build.diagnostics import Diagnostic
    from v1z3r_build.site.asset import Asset
    from v1z3r_build.site.former import Former
    from v1z3r_build.site.span import Reading


class Encoding(NamedTuple):
    """A sidecar: the same file in a content coding. location: a path as text, for there are many."""

    path: str
    size: int
    sha256: str
    location: str


class Route(NamedTuple):
    """What a browser needs for one page: paths of files, without the page itself."""

    html: str
    initial: tuple[str, ...]
    lazy: tuple[str, ...]


class Read(NamedTuple):
    """What was read in a file, and all that it depends on."""

    asked: tuple[Any, ...]
    said: Reading


@dataclass(frozen=True, slots=True)
class Site:
    """All that is known of a site between two passes. A pass returns a new one.

    root: the input folder. spool: a folder of this run for bytes that passes made, named by their hash,
    on the file system of the output. assets: by path, in sorted order. encodings: path -> coding name
    ("br", "gzip") -> sidecar. empty_folders: folders without any file, which publishing must not lose. readings: by
    path, what a pass has read in files, for the next one to read no more than those that have changed. former: the
    output that this run replaces, None if there is none to take files from.
    """

    root: Path
    spool: Path
    assets: Inventory
    diagnostics: tuple[Diagnostic, ...] = ()
    encodings: Mapping[str, Mapping[str, Encoding]] = field(default_factory=dict)
    routes: Mapping[str, Route] = field(default_factory=dict)
    empty_folders: tuple[str, ...] = ()
    readings: Mapping[str, Read] = field(default_factory=dict)
    former: Former | None = None

    def place(self, path: str, data: bytes, asset: Asset) -> str:
        """Where bytes lie that are to be published under a name: in the former output, or they go to the spool.

        asset: the file that they are, or are made of.
        """
        found = self.former.holding(path, data, texts_of_places(asset)[1]) if self.former is not None else None
        return self._stored(data) if found is None else found

    def store(self, data: bytes) -> Path:
        """Write bytes into the spool and return where they lie. Equal bytes share one place."""
        return Path(self._stored(data))

    def _stored(self, data: bytes) -> str:
        target = f"{self.spool}{os.sep}{hashlib.sha256(data).hexdigest()}"
        try:
            with open(target, "xb") as file:  # noqa: PTH123 - a third of the cost of Path, for all that passes make
                file.write(data)
        except FileExistsError:
            pass
        except BaseException:
            Path(target).unlink(missing_ok=True)  # half of it must not be taken for the whole
            raise
        return target

    def store_pieces(self, pieces: Iterable[bytes]) -> Path:
        """Write bytes that come in pieces into the spool and return where they lie."""
        partial = self.spool / "pieces.partial"
        digest = hashlib.sha256()
        with partial.open("wb") as file:
            for piece in pieces:
                file.write(piece)
                digest.update(piece)
        return partial.replace(self.spool / digest.hexdigest())

    def rewritten(self, asset: Asset, data: bytes) -> Asset:
        """The asset with new bytes."""
        return asset.moved(self.place(asset.path, data, asset), len(data))

    def with_assets(self, changed: Iterable[Asset], diagnostics: Iterable[Diagnostic] = ()) -> Site:
        """The site with some assets replaced or added, and more diagnostics."""
        return replace(self, assets=self.assets.updated(changed), diagnostics=(*self.diagnostics, *diagnostics))

    def with_only(self, assets: Iterable[Asset]) -> Site:
        """The site with these assets and no others."""
        return replace(self, assets=Inventory(self.root, self.spool, assets))
