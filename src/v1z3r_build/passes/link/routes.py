"""What a browser needs for each page: at once, and later."""

from __future__ import annotations

import posixpath
from functools import cache
from typing import TYPE_CHECKING, NamedTuple

from v1z3r_build.site.site import Route
from v1z3r_build.site.spooled import Spooled

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


def routes(site: Site, survey: Survey, proof: Proof, renamed: Callable[[str], str]) -> Mapping[str, Route]:
    """The routes of all pages, by the URL path that a visitor asks for, without the base.

    renamed: from a file's path before linking to that of the file that pages refer to.
    """
    needs = _Needs(site, survey, proof)
    names = cache(renamed)
    closures: dict[tuple[str, ...], tuple[str, ...]] = {}
    result = Spooled[Route](site.spool)
    for path, traits in site.assets.each_traits():
        if traits.kind != "html":
            continue
        own = needs.of(path)
        initial = _closure(own.at_once, needs.at_once) - {path}
        start = tuple(sorted(initial.union(own.later)))
        if start not in closures:
            closures[start] = tuple(sorted(map(names, _closure(start, needs.later))))
        first = set(map(names, initial))
        rest = tuple(target for target in closures[start] if target not in first and target != path)
        # A URL that several pages claim (`about` and `about.html`) is the last one's.
        result[url(path)] = Route(path, tuple(sorted(first)), rest)
    return result


class _Need(NamedTuple):
    """What a browser fetches for a file: at once, and what it may fetch later, which holds the former."""

    at_once: tuple[str, ...]
    later: tuple[str, ...]


class _Needs:
    """What is needed for files. What a framed page fetches at once, the page around it does."""

    def __init__(self, site: Site, survey: Survey, proof: Proof) -> None:
        self._site = site
        self._survey = survey
        self._proof = proof
        self._known: dict[str, _Need] = {}  # of what others need; a page that none frames is asked for once

    def at_once(self, path: str) -> Iterable[str]:
        return self._shared(path).at_once

    def later(self, path: str) -> Iterable[str]:
        return self._shared(path).later

    def _shared(self, path: str) -> _Need:
        if path not in self._known:
            self._known[path] = self.of(path)
        return self._known[path]

    def of(self, path: str) -> _Need:
        at_once: set[str] = set()
        later: set[str] = set()
        for reference in self._proof.references.get(path, ()):
            target, role = reference.target, reference.url.role
            if not target or role in _NEVER or target == path:
                continue
            if self._site.assets.traits(target).kind == "html" and role not in _FRAMED:
                continue
            later.add(target)
            if role in _AT_ONCE or role in _WITH_IT:
                at_once.add(target)
        # A script that mentions a chunk's name loads it some day.
        if self._site.assets.traits(path).kind in ("html", "script", "style") and path in self._survey.readings:
            for mention in self._survey.readings[path].mentions:
                owners = self._survey.vocabulary.tokens.get(mention.word, ())
                later.update(
                    owner for owner in owners if owner != path and not owner.endswith((".map", ".LICENSE.txt"))
                )
        return _Need(tuple(at_once), tuple(later))


def url(path: str) -> str:
    """The URL path of a page: `/` for index.html, `/vj-app/` for vj-app/index.html, `/about` for about.html."""
    folder, name = posixpath.split(path)
    if name == "index.html":
        return f"/{folder}/" if folder else "/"
    return "/" + path.removesuffix(".html")


def _closure(start: Iterable[str], edges: Callable[[str], Iterable[str]]) -> set[str]:
    seen = set(start)
    pending = list(seen)
    while pending:
        for target in edges(pending.pop()):
            if target not in seen:
                seen.add(target)
                pending.append(target)
    return seen
