"""What is there twice."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from v1z3r_build.report.advice import Advice, weight
from v1z3r_build.transfers import initial, lazy

if TYPE_CHECKING:
    from collections.abc import Iterator

    from v1z3r_build.manifest import Manifest
    from v1z3r_build.report.evidence import Evidence

_TWICE_BYTES = 4_000  # as transferred with brotli; below it, nobody notices


def vendor_copies(manifest: Manifest, evidence: Evidence) -> Iterator[Advice]:
    """One library in several scripts, as the split has found."""
    for one in manifest.diagnostics:
        if one.code == "vendor-copies":
            now = _now(manifest, one.path)
            routes = [route for route in manifest.routes if now in initial(manifest, route).files]
            count = weight(manifest, [now])
            yield Advice(
                "warning", one.code, tuple(routes), (now,), count, f"{now or one.path}: {one.message}", one.hint
            )


def _now(manifest: Manifest, source: str) -> str:
    """The file in which the vendor of a script of the input lies now: taken out of it, or itself. '' without one."""
    made = {path: record for path, record in sorted(manifest.files.items()) if source in record.source}
    return max(made, key=lambda path: (bool(made[path].vendor), made[path].cache_class == "immutable"), default="")


def equal_bytes(manifest: Manifest, evidence: Evidence) -> Iterator[Advice]:
    """The same bytes under several URLs: a browser fetches and keeps each."""
    for files in twins(manifest):
        wasted = weight(manifest, files[1:])
        if wasted >= _TWICE_BYTES:
            routes = [
                route
                for route in manifest.routes
                if len(set(files) & (initial(manifest, route).files.keys() | lazy(manifest, route).files.keys())) > 1
            ]
            message = f"{len(files)} files hold the same bytes; a browser that needs them all fetches each"
            yield Advice("info", "equal-bytes", tuple(routes), files, wasted, message, "Refer to one of them.")


def twins(manifest: Manifest) -> list[tuple[str, ...]]:
    """Files with equal bytes that came from different files of the input, the largest first."""
    same: defaultdict[str, dict[tuple[str, ...], str]] = defaultdict(dict)
    for path, record in sorted(manifest.files.items()):
        if record.size:
            # Of a file and the copy with a hash in its name, the copy is what pages refer to.
            held = same[record.sha256].get(record.source)
            if held is None or record.cache_class == "immutable":
                same[record.sha256][record.source] = path
    groups = [tuple(sorted(paths.values())) for paths in same.values() if len(paths) > 1]
    return sorted(groups, key=lambda paths: (-weight(manifest, paths[1:]), paths))
