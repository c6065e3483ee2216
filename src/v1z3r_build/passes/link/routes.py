"""What a browser needs for each page: at once, and later."""

from __future__ import annotations

import posixpath
from collections import defaultdict
from typing import TYPE_CHECKING

from v1z3r_build.site.site import Route

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from v1z3r_build.passes.link.proof import Proof
    from v1z3r_build.passes.link.survey import Survey
    from v1z3r_build.site import Site
    from v1z3r_build.site.span import Role

# Fetched as soon as a browser meets them. What CSS names is fetched only if an element uses it, one of several
# candidates only if it fits, a prefetch only when idle: those are listed as lazy.
_AT_ONCE: frozenset[Role] = frozenset({"script", "module", "style", "preload", "image", "embed"})
_WITH_IT: frozenset[Role] = frozenset({"import", "css-import"})
_NEVER: frozenset[Role] = frozenset({"page", "outside", "service-worker", "precache"})
# A page within a page; a script that names one only leads there.
_FRAMED: frozenset[Role] = frozenset({"embed", "candidate"})


def routes(site: Site, survey: Survey, proof: Proof, renamed: Callable[[str], str]) -> dict[str, Route]:
    """The routes of all pages, by the URL path that a visitor asks for, without the base.

    renamed: from a file's path before linking to that of the file that pages refer to.
    """
    # What a framed page fetches at once, the page around it does.
    needed: defaultdict[str, set[str]] = defaultdict(set)
    later: defaultdict[str, set[str]] = defaultdict(set)
    for path, found in proof.references.items():
        for reference in found:
            target, role = reference.target, reference.url.role
            if not target or role in _NEVER or target == path:
                continue
            if site.assets[target].kind == "html" and role not in _FRAMED:
                continue
            later[path].add(target)
            if role in _AT_ONCE or role in _WITH_IT:
                needed[path].add(target)
    # A script that mentions a chunk's name loads it some day.
    for path, reading in survey.readings.items():
        if site.assets[path].kind in ("html", "script", "style"):
            for mention in reading.mentions:
                owners = survey.vocabulary.tokens.get(mention.word, ())
                later[path].update(
                    owner for owner in owners if owner != path and not owner.endswith((".map", ".LICENSE.txt"))
                )
    names = {path: renamed(path) for path in site.assets}  # each once, not anew for each page that needs the file
    closures: dict[frozenset[str], tuple[str, ...]] = {}
    result: dict[str, Route] = {}
    for path, asset in site.assets.items():
        if asset.kind != "html":
            continue
        initial = _closure(needed.get(path, ()), needed) - {path}
        start = frozenset(initial | later[path])
        if start not in closures:
            closures[start] = tuple(sorted({names[target] for target in _closure(start, later)}))
        first = {names[target] for target in initial}
        rest = tuple(target for target in closures[start] if target not in first and target != path)
        result[url(path)] = Route(path, tuple(sorted(first)), rest)
    return {key: result[key] for key in sorted(result)}


def url(path: str) -> str:
    """The URL path of a page: `/` for index.html, `/vj-app/` for vj-app/index.html, `/about` for about.html."""
    folder, name = posixpath.split(path)
    if name == "index.html":
        return f"/{folder}/" if folder else "/"
    return "/" + path.removesuffix(".html")


def _closure(start: Iterable[str], edges: Mapping[str, Iterable[str]]) -> set[str]:
    seen = set(start)
    pending = list(seen)
    while pending:
        for target in edges.get(pending.pop(), ()):
            if target not in seen:
                seen.add(target)
                pending.append(target)
    return seen
