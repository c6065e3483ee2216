"""New names and new bytes: units are named over their graph, then every file takes its fills."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from v1z3r_build.formats.integrity import as_parsed, digest, revision
from v1z3r_build.site import naming

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from v1z3r_build.bundlers.tokens import Token
    from v1z3r_build.passes.link.proof import Fill, Proof
    from v1z3r_build.site import Site

from v1z3r_build.bundlers.tokens import HEX
from v1z3r_build.passes.link.proof import COPY_TOKEN_LENGTH


@dataclass(frozen=True, slots=True)
class Patch:
    """A digest or revision in a file, which follows the bytes of a source.

    source: a file's path. part: the bytes of the source that count, None for all of them (an inline script
    counts alone in a CSP). algorithm: of a digest in SRI notation, `hex` for a SHA-1 in hexadecimal, '' for a revision.
    """

    start: int
    end: int
    source: str
    algorithm: str
    part: tuple[int, int] | None = None


# A file, or a part of one.
_Piece = tuple[str, tuple[int, int] | None]


class DigestCircleError(Exception):
    """A digest covers bytes that depend on the digest's own file: nothing there can be changed."""

    def __init__(self, paths: Iterable[str]) -> None:
        super().__init__("digest circle")
        self.paths = tuple(sorted(set(paths)))


class Names:
    """Tokens of units, and the names and bytes that follow from them.

    Raises DigestCircleError if a patch covers bytes that depend on the patch itself.
    """

    def __init__(
        self, site: Site, proof: Proof, tokens: Mapping[str, Token], patches: Mapping[str, Sequence[Patch]]
    ) -> None:
        self._site = site
        self._proof = proof
        self._tokens = tokens
        self._patches = patches
        self._unit_of = {path: unit for unit, files in proof.units.items() for path in files}
        names = {unit: set().union(*map(self._mentioned, files)) for unit, files in proof.units.items()}
        covered = {unit: set().union(*map(self._covered, files)) for unit, files in proof.units.items()}
        graph = {unit: names[unit] | covered[unit] for unit in proof.units}
        for path in patches:
            self._covered(path)
        for circle in naming.circles(graph):
            if len(circle) > 1 or circle[0] in graph[circle[0]]:
                caught = [unit for unit in circle if covered[unit] & set(circle)]
                if caught:
                    raise DigestCircleError(path for unit in circle for path in proof.units[unit])
        # A copy's token is an addition, it came with none; its name meets that of no other copy.
        self._namesakes = naming.namesakes(
            {unit: [self._path(path, _nothing(unit)) for path in files] for unit, files in proof.units.items()}
        ) & {unit for unit in proof.units if unit.startswith("t:")}
        self._named: dict[str, str] = {}
        self._named = naming.name_units(graph, self._blanked, self._draw)

    def _mentioned(self, path: str) -> set[str]:
        """The units whose tokens stand in a file."""
        return {fill.unit for fill in self._fills(path)}

    def _covered(self, path: str, through: tuple[_Piece, ...] = (), part: tuple[int, int] | None = None) -> set[str]:
        """The units on which the digests and revisions in a file, or in a part of it, depend."""
        piece = (path, part)
        if piece in through:
            raise DigestCircleError(path for path, _ in through[through.index(piece) :])
        units: set[str] = set()
        for patch in self._patches_in(path, part):
            unit = self._unit_of.get(patch.source)
            if unit is not None:
                units.add(unit)
            else:
                units |= self._mentioned(patch.source)
            units |= self._covered(patch.source, (*through, piece), patch.part)
        return units

    def _patches_in(self, path: str, part: tuple[int, int] | None) -> Iterator[Patch]:
        start, end = part or (0, self._site.assets[path].size)
        return (patch for patch in self._patches.get(path, ()) if start <= patch.start and patch.end <= end)

    def path(self, path: str) -> str:
        """The new path of a file: itself, renamed, or its hashed copy."""
        unit = self._unit_of.get(path)
        return path if unit is None else self._path(path, self._named[unit])

    def unit(self, path: str) -> str:
        """The unit that a file belongs to, '' for none."""
        return self._unit_of.get(path, "")

    def patched(self, path: str) -> bool:
        """Whether digests or revisions stand in a file."""
        return path in self._patches

    def final(self, path: str) -> bytes:
        """The bytes of a file as published."""
        return self._bytes(path, self._named, frozenset())

    def _bytes(
        self, path: str, named: Mapping[str, str], blank: frozenset[str], part: tuple[int, int] | None = None
    ) -> bytes:
        """A file's bytes with names and patches filled in; the tokens of the units in `blank` are blanked."""
        data = self._site.assets[path].read()
        start, end = part or (0, len(data))
        edits = [
            (
                fill.start - start,
                fill.end - start,
                _text(fill, self._blank(fill.unit) if fill.unit in blank else named[fill.unit]),
            )
            for fill in self._fills(path)
            if start <= fill.start and fill.end <= end
        ]
        for patch in self._patches_in(path, part):
            edits.append((patch.start - start, patch.end - start, self._patched(path, patch, named)))
        return apply(data[start:end], edits)

    def _patched(self, path: str, patch: Patch, named: Mapping[str, str]) -> bytes:
        data = self._bytes(patch.source, named, frozenset(), patch.part)
        if patch.algorithm == "hex":
            return hashlib.sha1(data, usedforsecurity=False).hexdigest().encode()
        if patch.algorithm:
            return digest(patch.algorithm, data if patch.part is None else as_parsed(data)).encode()
        if data == self._site.assets[patch.source].original.read_bytes():
            return self._site.assets[path].read()[patch.start : patch.end]
        return revision(patch.end - patch.start, data)

    def _fills(self, path: str) -> Sequence[Fill]:
        return self._proof.fills.get(path, ())

    def _path(self, path: str, token: str) -> str:
        carried = self._tokens.get(path)
        if carried is not None:
            return path[: carried.start] + token + path[carried.end :]
        stem, dot, suffix = path.rpartition(".")
        return f"{stem}.{token}{dot}{suffix}"

    def _blank(self, unit: str) -> str:
        """What stands for a unit's token while it is not known."""
        return unit[2:] if unit in self._namesakes else _nothing(unit)

    def _blanked(self, circle: Sequence[str], named: Mapping[str, str]) -> Iterable[tuple[str, bytes]]:
        inside = frozenset(circle)
        for unit in circle:
            for path in self._proof.units[unit]:
                yield self._path(path, self._blank(unit)), self._bytes(path, named, inside)

    def _draw(self, unit: str, fingerprint: bytes) -> str:
        files = [self._path(path, self._blank(unit)) for path in self._proof.units[unit]]
        if unit.startswith("c:"):
            return naming.draw(fingerprint, files, COPY_TOKEN_LENGTH, HEX)
        carried = self._tokens[self._proof.units[unit][0]]
        return naming.draw(fingerprint, files, len(carried.text), carried.alphabet)


def apply(data: bytes, edits: Iterable[tuple[int, int, bytes]]) -> bytes:
    """The bytes with each part replaced. Edits must not overlap; equal ones count once."""
    pieces: list[bytes] = []
    position = 0
    for start, end, text in sorted(set(edits)):
        if start < position:
            raise ValueError(f"two edits overlap at byte {start}")
        pieces += (data[position:start], text)
        position = end
    return b"".join((*pieces, data[position:]))


def _text(fill: Fill, token: str) -> bytes:
    return (token[fill.first : fill.last] if fill.end > fill.start else f".{token}").encode()


def _nothing(unit: str) -> str:
    """As many NULs as a unit's token has characters."""
    return "\0" * (COPY_TOKEN_LENGTH if unit.startswith("c:") else len(unit) - 2)
