"""What travels again, or larger, than it must."""

from __future__ import annotations

from collections import Counter, defaultdict
from typing import TYPE_CHECKING

from v1z3r_build.report.advice import Advice, largest, listed, weight
from v1z3r_build.transfers import Load, initial
from v1z3r_build.wording import size as words

if TYPE_CHECKING:
    from collections.abc import Iterator

    from v1z3r_build.manifest import FileRecord, Manifest
    from v1z3r_build.report.evidence import Evidence

# Bytes as transferred with brotli, and the share of them, that returning visitors may ask for again.
_MUTABLE_BYTES, _MUTABLE_SHARE = 20_000, 0.5
_PLAIN_BYTES = 1_400  # raw; what fits into one packet travels no faster when it is smaller
_TEXT = ("html", "script", "style", "json", "text", "wasm")


def little_immutable(manifest: Manifest, evidence: Evidence) -> Iterator[Advice]:
    """Pages of which returning visitors ask for most files again."""
    where: defaultdict[tuple[str, ...], list[str]] = defaultdict(list)
    shares: dict[tuple[str, ...], tuple[int, int]] = {}
    for route, record in manifest.routes.items():
        load = initial(manifest, route)
        files = {path: one for path, one in load.files.items() if path != record.html}
        asked = Load({path: one for path, one in files.items() if one.cache_class != "immutable"})
        all_bytes, asked_bytes = Load(files).size("br"), asked.size("br")
        if asked_bytes >= _MUTABLE_BYTES and asked_bytes > (1 - _MUTABLE_SHARE) * all_bytes:
            where[largest(asked)].append(route)
            shares[largest(asked)] = (asked_bytes, all_bytes)
    for paths, routes in where.items():
        asked_bytes, all_bytes = shares[paths]
        part = f"{words(asked_bytes)} of {words(all_bytes)} br"
        message = f"of what {listed(routes)} loads, {part} cannot be kept for a year"
        reasons = Counter(manifest.files[path].kept for path in paths if manifest.files[path].kept)
        most = next(iter(reasons.most_common(1)), ("", 0))[0]
        hint = f"Their names hold no proved hash{f' ({most})' if most else ''}: see what was held back, and why."
        yield Advice("warning", "little-immutable", tuple(routes), paths, asked_bytes, message, hint)


def text_plain(manifest: Manifest, evidence: Evidence) -> Iterator[Advice]:
    """Text that has no smaller encoding beside it."""
    files = manifest.files
    texts = {path: record for path, record in files.items() if _is_text(record) and record.size >= _PLAIN_BYTES}
    plain = largest(Load({path: record for path, record in texts.items() if not record.encodings}))
    if plain:
        message = f"{len(plain)} of {len(texts)} texts have no encoding beside them: they travel whole"
        hint = "Unless the host compresses: let the pass `compress` run, or see in the diagnostics why it left them."
        yield Advice("warning", "text-not-compressed", (), plain, weight(manifest, plain), message, hint)


def _is_text(record: FileRecord) -> bool:
    return record.kind in _TEXT or record.content_type.startswith("image/svg+xml")
