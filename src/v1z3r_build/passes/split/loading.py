"""Whatever loads a chunk loads its vendors' files with it, and in time."""

from __future__ import annotations

import posixpath
from typing import TYPE_CHECKING

from v1z3r_build.bundlers import pages, vite
from v1z3r_build.bundlers.passage import written
from v1z3r_build.bundlers.webpack import syntax
from v1z3r_build.bundlers.webpack.build_manifest import list_before
from v1z3r_build.site.address import spellings

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from v1z3r_build.formats.derivation import Derived
    from v1z3r_build.passes.split.workshop import Workshop
    from v1z3r_build.site import Kind
    from v1z3r_build.site.address import Addresses

_BUILD_MANIFEST = "_buildManifest.js"


def tell_all(workshop: Workshop, vendors: Mapping[str, Sequence[str]]) -> None:
    """Pages and scripts that load a chunk learn to load its vendors' files with it. vendors: as in `tell`."""
    names = {name for path in vendors for name in spellings(path)}
    for path, asset in workshop.site.assets.items():
        if not names or asset.kind not in ("html", "script"):
            continue
        data = workshop.read(path)
        if any(name in data for name in names):
            told = tell(path, asset.kind, data, vendors, workshop.addresses)
            if told != data:
                workshop.rewrite(path, told)


def tell(path: str, kind: Kind, data: bytes, vendors: Mapping[str, Sequence[str]], addresses: Addresses) -> Derived:
    """A page or a script after it has learnt of the vendors' files.

    vendors: for the path of a chunk those of its vendors' files, in the same folder.
    """
    if kind == "html":
        edits = pages.bring(data, lambda url, base: _beside(addresses.find(url, path, base).path, vendors))
        return written(data, 0, len(data), sorted(edits))
    if posixpath.basename(path) == _BUILD_MANIFEST:
        lists = {_below_next(old): [_below_next(one) for one in new] for old, new in vendors.items()}
        found = list_before(data, lists)
        # Without it the runtime finds the file by itself, one trip later.
        return syntax.apply(data, () if isinstance(found, syntax.Refusal) else found)
    return written(
        data, 0, len(data), sorted(vite.preload(data, lambda entry: _entries(entry, path, vendors, addresses)))
    )


def _beside(chunk: str, vendors: Mapping[str, Sequence[str]]) -> dict[str, str]:
    return {posixpath.basename(one): "" for one in vendors.get(chunk, ())}


def _entries(entry: str, script: str, vendors: Mapping[str, Sequence[str]], addresses: Addresses) -> list[str]:
    """Vite's entries are relative to the base, or in relative builds to the script."""
    target = entry if entry in vendors else addresses.find(entry, script).path
    return [vite.beside(entry, posixpath.basename(one)) for one in vendors.get(target, ())]


def _below_next(path: str) -> str:
    """A path as Next's build manifest gives it."""
    return path.rpartition("_next/")[2]
