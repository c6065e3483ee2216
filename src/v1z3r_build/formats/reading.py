"""Which format reads which file."""

from __future__ import annotations

import posixpath
from typing import TYPE_CHECKING

from v1z3r_build.formats import css, flight, host_files, html, javascript, json
from v1z3r_build.site.span import Hit, Reading, checksums, digests, dotted, mention

if TYPE_CHECKING:
    from collections.abc import Sequence

    from v1z3r_build.site.asset import Kind

# Rules of Apache, IIS, nginx and Caddy, which hold for the names that stand in them.
_SERVER_FILES = frozenset({".htaccess", "web.config", "nginx.conf", "Caddyfile"})
TEXT_KINDS = frozenset({"html", "script", "style", "json", "text"})


def is_text(path: str, kind: Kind, content_type: str) -> bool:
    """Whether a file is text of a format that may refer to others."""
    return kind in TEXT_KINDS or content_type.startswith("image/svg+xml") or path.endswith(".gltf")


def read_spans(path: str, kind: Kind, data: bytes, hits: Sequence[Hit]) -> Reading:
    """All spans of a file. Pure: the same bytes and words give the same spans.

    A mapped file (with a source map) is marked, since an insertion would move the columns of its map.
    """
    reading = _read(path, kind, data, hits)
    mapped = kind in ("script", "style") and b"sourceMappingURL=" in data
    urls = tuple(dotted(data, url) for url in reading.urls)
    return reading._replace(urls=urls, digests=digests(data), checksums=checksums(data), mapped=mapped)


def _read(path: str, kind: Kind, data: bytes, hits: Sequence[Hit]) -> Reading:
    name = posixpath.basename(path)
    if kind == "html" or (kind == "image" and name.lower().endswith(".svg")):
        return html.read(data, hits)
    if kind == "style":
        return css.read(data, hits)
    if kind == "script":
        return javascript.read(data, hits)
    if name == "ngsw.json":
        return json.read_hash_table(data, hits)
    if kind == "json" or name.endswith(".gltf"):
        return json.read_source_map(data, hits) if name.endswith(".map") else json.read(data, hits)
    if path in ("_headers", "_redirects"):
        return host_files.read(data, hits)
    if name in _SERVER_FILES:
        return Reading(mentions=tuple(mention(data, hit, "unknown", 0, len(data)) for hit in hits))
    if kind == "text" and name.endswith(".txt"):
        return flight.read(data, hits)
    return Reading(mentions=tuple(mention(data, hit, "text", 0, len(data)) for hit in hits))
