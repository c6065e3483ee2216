"""Sidecars that came with the input: `x.js.br` beside `x.js`."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace
from typing import TYPE_CHECKING

from v1z3r_build.codecs.content_codings import CODINGS
from v1z3r_build.diagnostics import Diagnostic, warning
from v1z3r_build.site.asset import file_hash, texts_of_places
from v1z3r_build.site.site import Encoding
from v1z3r_build.workers.call import Call

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from v1z3r_build.site.asset import Asset
    from v1z3r_build.site.site import Site
    from v1z3r_build.workers.pool import Pool

_SUFFIXES = (*(coding.suffix for coding in CODINGS.values()), ".zst")


def settle(site: Site, pool: Pool) -> Site:
    """The site with the input's sidecars known as such. To run after the last pass that changes bytes or names.

    One that decodes to the input file beside which it lies is no asset any more: where the file still has its bytes
    it becomes an encoding of it, under its present name, if it is smaller; else it goes. Any other
    stays a file, and is reported as stale. A sidecar of which a hashed copy was made has references of its own, and
    is a file like others.
    """
    owners = _owners(site)
    claims = {asset.path: claim for known in owners.values() for asset in known for claim in _claims(asset, owners)}
    calls = [
        Call(path, decodes_to, (coding, asset.original, neighbour), asset.size)
        for path, (asset, coding, neighbour) in claims.items()
    ]
    settled: set[str] = set()
    stale: list[Diagnostic] = []
    encodings = {path: dict(of) for path, of in site.encodings.items()}
    for outcome in pool.run(calls):
        sidecar, coding, neighbour = claims[outcome.key]
        if not outcome.value:
            stale.append(_stale(sidecar, neighbour))
            continue
        settled.add(sidecar.path)
        for owner in owners[neighbour]:
            if owner.location == owner.original and sidecar.size < owner.size:
                encodings.setdefault(owner.path, {})[coding] = _encoding(owner, coding, sidecar)
    if settled:
        site = site.with_only(asset for path, asset in site.assets.items() if path not in settled)
    return replace(
        site,
        encodings={path: dict(sorted(of.items())) for path, of in sorted(encodings.items()) if path not in settled},
        diagnostics=(*site.diagnostics, *sorted(stale)),
    )


def decodes_to(coding: str, sidecar: bytes, neighbour: bytes) -> bool:
    """Whether the sidecar is the neighbour in that content coding."""
    try:
        return CODINGS[coding].decode(sidecar, len(neighbour)) == neighbour
    except ValueError:
        return False


def is_encoded(path: str) -> bool:
    """Whether the name says that the file is in a content coding already."""
    return path.endswith(_SUFFIXES)


def _owners(site: Site) -> Mapping[Path, list[Asset]]:
    """The assets by the input file that they came from, where that is named as a sidecar or has one beside it."""
    sidecars = [asset.original for asset in site.assets.values() if is_encoded(texts_of_places(asset)[1])]
    wanted = {*sidecars, *(place.with_suffix("") for place in sidecars)}
    owners: dict[Path, list[Asset]] = defaultdict(list)
    for asset in site.assets.values() if wanted else ():
        if asset.original in wanted:
            owners[asset.original].append(asset)
    return owners


def _claims(asset: Asset, owners: Mapping[Path, list[Asset]]) -> Iterator[tuple[Asset, str, Path]]:
    name = asset.original.name
    for coding, known in CODINGS.items():
        if name.endswith(known.suffix) and name != known.suffix and len(owners[asset.original]) == 1:
            neighbour = asset.original.with_name(name.removesuffix(known.suffix))
            if neighbour in owners:
                yield asset, coding, neighbour


def _encoding(owner: Asset, coding: str, sidecar: Asset) -> Encoding:
    _, original = texts_of_places(sidecar)
    return Encoding(owner.path + CODINGS[coding].suffix, sidecar.size, file_hash(original).hexdigest(), original)


def _stale(sidecar: Asset, neighbour: Path) -> Diagnostic:
    return warning(
        "stale-sidecar",
        sidecar.path,
        f"it does not decode to {neighbour.name}, beside which it lies; it is kept as a file like any other",
        "delete it or make it anew: servers that look for such files send it in place of the other",
    )
