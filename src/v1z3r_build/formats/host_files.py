"""References in the files by which Netlify and Cloudflare Pages are told headers and redirects."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from v1z3r_build.site.span import Hit, Mention, Reading, Role, Stand, Url, mention

if TYPE_CHECKING:
    from collections.abc import Sequence

# `  Link: </a.css>; rel=preload; as=style, </b.js>; …` (RFC 8288) below a line with a path.
_LINK = re.compile(rb"^[ \t]+link\s*:(.*)$", re.I | re.M)
_TARGET = re.compile(rb"<([^<>\s]+)>([^<]*)")
_REL = re.compile(rb";\s*rel\s*=\s*\"?([^\";,]*)", re.I)
# What a browser fetches for the page; any other relation (canonical, license, next) is for outsiders.
_FETCHED: dict[str, Role] = {
    "preload": "preload",
    "modulepreload": "preload",
    "prefetch": "prefetch",
    "stylesheet": "style",
    "icon": "icon",
}


def read(data: bytes, hits: Sequence[Hit] = ()) -> Reading:
    """The targets of Link headers. Any other word stands in a rule that is matched against requests."""
    urls = [
        Url(target.start(1), target.end(1), target.group(1).decode("utf-8", "replace"), _role(target.group(2)))
        for line in _LINK.finditer(data)
        for target in _TARGET.finditer(data, *line.span(1))
    ]
    mentions: list[Mention] = []
    for hit in hits:
        inside = next((url for url in urls if url.start <= hit.start and hit.end <= url.end), None)
        stand: Stand = "string" if inside else "unknown"
        low, high = (inside.start, inside.end) if inside else (0, len(data))
        mentions.append(mention(data, hit, stand, low, high))
    return Reading(urls=tuple(urls), mentions=tuple(mentions))


def _role(parameters: bytes) -> Role:
    found = _REL.search(parameters)
    relations = found.group(1).decode("ascii", "replace").lower().split() if found else []
    return next((_FETCHED[relation] for relation in relations if relation in _FETCHED), "outside")
