"""An output in the format of esbuild's metafile, which analyzers of bundles open.

The shape is that of esbuild's type `Metafile` (its documentation, "Metafile"). The bytes that a script holds of each
source are told by its source map where the folder has one; else a file is its own source.
"""

from __future__ import annotations

import posixpath
from collections import Counter
from typing import TYPE_CHECKING, Any

from v1z3r_build.formats import css, javascript
from v1z3r_build.formats.source_maps import FittedMap, MapError, read
from v1z3r_build.site.address import Addresses

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from v1z3r_build.manifest import FileRecord, Manifest
    from v1z3r_build.site.span import Role, Url

# What esbuild calls the ways to refer to a file.
_KINDS: dict[Role, str] = {
    "import": "import-statement",
    "dynamic-import": "dynamic-import",
    "css-import": "import-rule",
    "css-url": "url-token",
}
# Bytes of a file that no source is told for: wrappers of modules, the bundler's runtime.
UNMAPPED = "(no source)"
_COMMENT = b"\n//# sourceMappingURL="
_LARGEST = 1 << 26  # a script or map beyond it is its own source


def metafile(folder: Path, manifest: Manifest) -> dict[str, Any]:
    """The metafile of an output, of all files but source maps. Sorted: equal outputs give equal texts."""
    writer = _Writer(folder, manifest)
    for path in sorted(manifest.files):
        if not path.endswith(".map"):
            writer.add(path, manifest.files[path])
    return {"inputs": dict(sorted(writer.inputs.items())), "outputs": writer.outputs}


class _Writer:
    """Collects inputs and outputs."""

    def __init__(self, folder: Path, manifest: Manifest) -> None:
        self._folder = folder
        self._files: Mapping[str, FileRecord] = manifest.files
        self._addresses = Addresses(manifest.files, manifest.base, manifest.origin)
        self._pages = {route.html for route in manifest.routes.values()}
        self.inputs: dict[str, dict[str, Any]] = {}
        self.outputs: dict[str, dict[str, Any]] = {}

    def add(self, path: str, record: FileRecord) -> None:
        data = self._read(path) if record.kind in ("script", "style") else b""
        parts = self._parts(path, data) or Counter({path: record.size})
        for source, count in parts.items():
            held = self.inputs.setdefault(source, {"bytes": 0, "imports": []})
            # A source may be in several files; what the largest holds of it is the best guess at its own size.
            held["bytes"] = max(held["bytes"], count)
        self.outputs[path] = {
            "bytes": record.size,
            "inputs": {source: {"bytesInOutput": count} for source, count in sorted(parts.items())},
            "imports": list(self._imports(path, record, data)),
            "exports": [],
            **({"entryPoint": next(iter(parts))} if path in self._pages else {}),
        }

    def _parts(self, path: str, data: bytes) -> Counter[str]:
        """Bytes of each source in a file by its map, empty without one that fits."""
        if not data or f"{path}.map" not in self._files:
            return Counter()
        try:
            found = read(self._read(f"{path}.map"))
            spans = FittedMap(found, data).spans()
        except (MapError, RecursionError):
            return Counter()
        root = found.others.get("sourceRoot") or ""
        # The comment that names the map is of no source.
        end = data.rfind(_COMMENT) if _COMMENT in data else len(data)
        parts = Counter({_source(None, path): len(data) - end} if end < len(data) else {})
        for span in spans:
            source = f"{root.rstrip('/')}/{span.source}" if root and span.source else span.source
            if (size := min(span.end, end) - span.start) > 0:
                parts[_source(source, path)] += size
        return parts

    def _imports(self, path: str, record: FileRecord, data: bytes) -> Iterator[dict[str, str]]:
        seen: set[tuple[str, str]] = set()
        for url in _urls(record.kind, data):
            kind = _KINDS.get(url.role)
            target = self._addresses.find(url.text, path).path if kind and url.resolvable else ""
            if kind and target and (target, kind) not in seen:
                seen.add((target, kind))
                yield {"path": target, "kind": kind}

    def _read(self, path: str) -> bytes:
        if self._files[path].size > _LARGEST:
            return b""
        try:
            return (self._folder / path).read_bytes()
        except OSError:
            return b""


def _urls(kind: str, data: bytes) -> tuple[Url, ...]:
    if not data:
        return ()
    return css.read(data).urls if kind == "style" else javascript.read(data).urls


def _source(source: str | None, path: str) -> str:
    if source is None:
        return f"{path} {UNMAPPED}"
    # Bundlers make up schemes and hosts, `webpack://_N_E/./src/a.js`; analyzers make folders of a path's parts.
    _, scheme, rest = source.partition("://")
    plain = rest.partition("/")[2] if scheme else posixpath.join(posixpath.dirname(path), source)
    parts = posixpath.normpath(plain).split("/")
    return "/".join(part for part in parts if part not in ("", ".", "..")) or source
