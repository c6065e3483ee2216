"""The family of Turbopack's chunks, which nothing but lists tells of: who must learn of the vendors' files, and can."""

from __future__ import annotations

import posixpath
import re
from operator import itemgetter
from typing import TYPE_CHECKING, NamedTuple

from v1z3r_build.bundlers.turbopack import chunks
from v1z3r_build.bundlers.turbopack.lists import UnplacedError, insert, insertions
from v1z3r_build.formats.derivation import written
from v1z3r_build.passes.split.workshop import named

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from v1z3r_build.bundlers.turbopack.chunks import Id
    from v1z3r_build.bundlers.turbopack.lists import Kind
    from v1z3r_build.formats.derivation import Derived
    from v1z3r_build.passes.split.answer import Answer
    from v1z3r_build.passes.split.workshop import Workshop
    from v1z3r_build.site import Asset

# Of these no list is known, and a name in them would be one by chance.
_NO_TEXT = ("image", "font", "wasm", "media")


def carry_out(workshop: Workshop, answers: Sequence[Answer]) -> None:
    """Write the parts of those chunks whose vendors' files all can be told of that name the chunks."""
    possible = workshop.possible(named(answers))
    known = {answer.path: answer.modules for answer in answers if answer.modules is not None}
    while True:
        told, reasons = _tell(workshop, possible)
        reasons |= _torn(workshop, possible, known)
        if not reasons:
            break
        for path, reason in sorted(reasons.items()):
            workshop.refuse(path, reason)
        possible = [answer for answer in possible if answer.path not in reasons]
    workshop.place(possible)
    for path, data in told.items():
        workshop.rewrite(path, data)


# Modules that stand in several chunks


def _torn(workshop: Workshop, answers: Sequence[Answer], known: Mapping[str, Collection[Id]]) -> dict[str, str]:
    """The chunks with modules that were taken apart here and not so in another chunk; why, by the chunk's path.

    known: the modules of chunks.
    The runtime takes a module from whichever chunk comes first, and who runs it need not have waited for that one. So
    each chunk that brings the module must bring the same vendor's module.
    """
    cut = {answer.path: answer.cuts for answer in answers if answer.cuts}
    ids = frozenset(
        one for made in cut.values() for one in (*made, *(need for needs in made.values() for need in needs))
    )
    calls = [
        workshop.call(path, holds, ids, asset.location)
        for path, asset in workshop.site.assets.items()
        if ids and asset.kind == "script" and path not in known
    ]
    read = [(path, [one for one in modules if one in ids], "") for path, modules in known.items()]
    reasons: dict[str, str] = {}
    for other, found, failure in sorted((*read, *workshop.outcomes(calls)), key=itemgetter(0)):
        for path, made in cut.items():
            if path == other:
                continue
            if failure:
                reasons[path] = f"{other} could not be analysed ({failure})"
                continue
            theirs = cut.get(other, {})
            torn = sorted(str(one) for one in found if one in made and theirs.get(one) != made[one])
            taken = sorted(one for needs in made.values() for one in needs if one in found)
            if torn:
                reasons[path] = f"module {torn[0]} is in {other} as well, and is not divided there in the same way"
            elif taken:
                reasons[path] = f"{other} has a module {taken[0]}"
    return reasons


def holds(ids: Collection[Id], data: bytes) -> list[Id]:
    """Which of these modules a script registers, or may register if it is read in no known way. Pure."""
    chunk = chunks.read_chunk(data)
    if chunk is not None:
        return [one for entry in chunk.entries for one in entry.ids if one in ids]
    if b"push" not in data or b"globalThis" not in data:
        return []
    return [one for one in ids if re.search(rb"(?<![\w.])%s(?![\w.])" % re.escape(str(one).encode()), data)]


# Lists


class Telling(NamedTuple):
    """What a file becomes that tells of vendors' files, None if it stays.

    reasons: why it cannot tell of some, by the path of the chunk.
    """

    data: Derived | None
    reasons: Mapping[str, str]


def tell(kind: Kind, pairs: Sequence[tuple[str, str]], data: bytes) -> Telling:
    """A file with vendors' files before the chunks that need them, wherever it names those.

    kind: as for `lists.insertions`. pairs: the paths of chunks and of their vendors' files. Pure; for guarded children.
    """
    reasons: dict[str, str] = {}
    told = written(data, 0, len(data))
    for old, vendor in pairs:
        try:
            told = insert(told, insertions(told, kind, old, vendor))
        except UnplacedError as unplaced:
            reasons[old] = f"{unplaced} (at byte {unplaced.offset})" if unplaced.offset >= 0 else str(unplaced)
    return Telling(told if told != data else None, reasons)


def _tell(workshop: Workshop, answers: Sequence[Answer]) -> tuple[dict[str, Derived], dict[str, str]]:
    """What all files become that name a chunk; and for which chunks that cannot be, and why."""
    divided = [answer for answer in answers if answer.vendors]
    made = {answer.path: answer.data for answer in divided}
    pairs = [(answer.path, vendor.path) for answer in divided for vendor in answer.vendors.values()]
    names = [posixpath.basename(path).encode() for path in made]
    # What a vendor's file holds must not change with the app's build.
    reasons = {
        answer.path: "what would move names chunks itself"
        for answer in divided
        if any(vendor.data.find(name) >= 0 for vendor in answer.vendors.values() for name in names)
    }
    calls = [
        workshop.call(path, tell, _kind(asset), pairs, made.get(path) or workshop.source(path))
        for path, asset in workshop.site.assets.items()
        if names and _is_text(asset) and _may_name(asset, made.get(path) or workshop.read(path), names)
    ]
    told: dict[str, Derived] = {}
    for path, telling, failure in workshop.outcomes(calls):
        if failure:
            reasons |= dict.fromkeys(made, f"{path} could not be analysed ({failure})")
        else:
            reasons |= {old: f"{reason} in {path}" for old, reason in telling.reasons.items()}
            if telling.data is not None:
                told[path] = telling.data
    return told, reasons


def _is_text(asset: Asset) -> bool:
    return asset.kind not in _NO_TEXT and not asset.path.endswith(".map")


def _may_name(asset: Asset, data: bytes, names: Sequence[bytes]) -> bool:
    # React cuts its stream of flight data anywhere, even in a name.
    return (asset.kind == "html" and b"__next_f" in data) or any(name in data for name in names)


def _kind(asset: Asset) -> Kind:
    if asset.kind == "html":
        return "html"
    if asset.kind == "script":
        return "script"
    return "flight" if asset.path.endswith(".txt") else "other"
