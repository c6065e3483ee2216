"""Limits in the format of Lighthouse, `budget.json`.

https://github.com/GoogleChrome/budget.json
"""

from __future__ import annotations

import difflib
import json
import math
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from v1z3r_build.budget.figures import Figure
from v1z3r_build.budget.outcome import Outcome, outcome
from v1z3r_build.budget.places import Places, json_lines, named, shown
from v1z3r_build.diagnostics import InputError

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping
    from pathlib import Path

    from v1z3r_build.budget.comparison import Comparison
    from v1z3r_build.budget.findings import Finding
    from v1z3r_build.budget.places import Keys
    from v1z3r_build.manifest import Manifest

# Lighthouse counts as `other` whatever is not of the types above it.
_KINDS: Mapping[str, tuple[str, ...]] = {
    "document": ("html",),
    "script": ("script",),
    "stylesheet": ("style",),
    "image": ("image",),
    "media": ("media",),
    "font": ("font",),
    "other": ("wasm", "json", "text", "other"),
    "total": (),
}
_FOREIGN = "third-party"
_KIB = 1024
_MEMBERS = ("path", "options", "resourceSizes", "resourceCounts", "timings")
_NO_TIMINGS = (
    "Times are measured in a browser, on a network, and a folder of files has neither: "
    "leave `timings` to Lighthouse, in a file of its own."
)
_NO_FOREIGN = "is not checked: what other hosts send is not among the files of the site"


@dataclass(frozen=True, slots=True)
class _Limit:
    figure: Figure
    most: int
    keys: Keys


@dataclass(frozen=True, slots=True)
class _Entry:
    """The limits of the pages that a path is for."""

    path: str
    limits: tuple[_Limit, ...]
    keys: Keys

    def matches(self, manifest: Manifest, route: str) -> bool:
        """Whether it is for a route by the rules of robots.txt, whether the path is percent-encoded or not."""
        expression = ".*".join(map(re.escape, self.path.removesuffix("$").split("*")))
        pattern = re.compile(expression + (r"\Z" if self.path.endswith("$") else ""), re.S)
        url = manifest.base.removesuffix("/") + route
        return any(pattern.match(one) for one in (url, quote(url, safe="/!$&'()*+,;=:@~")))


@dataclass(frozen=True, slots=True)
class LighthouseBudget:
    """Limits for routes: of the entries that are for one, the last counts, as in Lighthouse."""

    places: Places
    entries: tuple[_Entry, ...]
    notes: tuple[str, ...]

    def check(self, comparison: Comparison) -> Outcome:
        """Apply the limits. Raises InputError for an entry that is for no route: its path is misspelt."""
        manifest = comparison.manifest
        for entry in self.entries:
            if not any(entry.matches(manifest, route) for route in manifest.routes):
                near = difflib.get_close_matches(entry.path, manifest.routes, n=1, cutoff=0.3)
                hint = f"Did you mean {near[0]}?" if near else f"Routes: {', '.join([*manifest.routes][:20])}."
                raise self.places.wrong((*entry.keys, "path"), f"{shown(entry.path)} is for no route of the site", hint)
        return outcome(self._findings(comparison), self.notes, self.places.source)

    def _findings(self, comparison: Comparison) -> Iterator[Finding]:
        for route in comparison.manifest.routes:
            last = next((one for one in reversed(self.entries) if one.matches(comparison.manifest, route)), None)
            for limit in last.limits if last is not None else ():
                yield comparison.route(route, limit.figure, limit.most, named(limit.keys), self.places.line(limit.keys))


def read(source: Path) -> LighthouseBudget:
    """The budget in a file. Sizes are those as transferred with brotli, of what a page loads at once.

    Raises InputError with file, line and member for what is no JSON, no budget, or cannot be measured.
    """
    try:
        text = source.read_text("utf-8-sig")
        found = json.loads(text)
        places = Places(source, json_lines(text))
    except json.JSONDecodeError as failure:
        raise InputError(f"{source}:{failure.lineno}:{failure.colno}: this is no JSON: {failure.msg}") from None
    except UnicodeDecodeError as failure:
        raise InputError(f"{source} is no JSON: it is not UTF-8 at byte {failure.start}") from None
    except (OSError, RecursionError) as failure:
        raise InputError(f"{source} cannot be read: {failure}") from failure
    reader = _Reader(places)
    entries = tuple(reader.entry(one, (number,)) for number, one in enumerate(reader.items(found, ())))
    if not any(entry.limits for entry in entries):
        raise InputError(f"{source} holds no limit that can be checked", hint=" ".join(reader.notes))
    return LighthouseBudget(places, entries, tuple(reader.notes))


class _Reader:
    """Checks the members of a parsed text as it reads them. notes: limits that are left out."""

    def __init__(self, places: Places) -> None:
        self._places = places
        self.notes: list[str] = []

    def entry(self, found: object, keys: Keys) -> _Entry:
        """One budget."""
        members = self._members(found, keys, _MEMBERS)
        if "timings" in members:
            raise self._places.wrong((*keys, "timings"), "cannot be checked", _NO_TIMINGS)
        path = members.get("path", "/")
        if not isinstance(path, str) or not path.startswith("/") or "$" in path[:-1]:
            what = 'must be a path such as "/blog" or "/blog/*/draft$"'
            raise self._places.wrong((*keys, "path"), f"{what}; found {shown(path)}")
        # Which hosts are the site's own tells only what is a third party's.
        self._members(members.get("options", {}), (*keys, "options"), ("firstPartyHostnames",))
        limits = [
            *self._limits(members.get("resourceSizes", []), (*keys, "resourceSizes"), counts=False),
            *self._limits(members.get("resourceCounts", []), (*keys, "resourceCounts"), counts=True),
        ]
        return _Entry(path, tuple(limits), keys)

    def _limits(self, found: object, keys: Keys, *, counts: bool) -> Iterator[_Limit]:
        seen = set()
        for number, one in enumerate(self.items(found, keys)):
            here = (*keys, number)
            members = self._members(one, here, ("resourceType", "budget"))
            kind, most = members.get("resourceType"), members.get("budget")
            if kind not in (*_KINDS, _FOREIGN):
                near = difflib.get_close_matches(str(kind), [*_KINDS, _FOREIGN], n=1)
                hint = f"Did you mean {near[0]}?" if near else ""
                known = f"must be one of {', '.join((*_KINDS, _FOREIGN))}; found {shown(kind)}"
                raise self._places.wrong((*here, "resourceType"), known, hint)
            if isinstance(most, bool) or not isinstance(most, int | float) or not 0 <= most < math.inf:
                what = f"must be a number {'of requests' if counts else 'of KiB'}, 0 or more; found {shown(most)}"
                raise self._places.wrong((*here, "budget"), what)
            if kind in seen:
                raise self._places.wrong(here, f"is the second limit for {kind}")
            seen.add(kind)
            if kind == _FOREIGN:
                self.notes.append(f"{named(here)} ({kind}, line {self._places.line(here)}) {_NO_FOREIGN}")
            else:
                name = f"initial {kind}{' requests' if counts else ''}"
                figure = Figure(name, "requests" if counts else "br", kinds=_KINDS[str(kind)])
                yield _Limit(figure, int(most if counts else most * _KIB), here)

    def items(self, found: object, keys: Keys) -> list[Any]:
        """A list."""
        if not isinstance(found, list):
            what = f"must be a list; found {shown(found)}"
            raise self._places.wrong(keys, what) if keys else InputError(f"{self._places.source}: a budget.json {what}")
        return found

    def _members(self, found: object, keys: Keys, known: Collection[str]) -> dict[str, Any]:
        if not isinstance(found, dict):
            raise self._places.wrong(keys, f"must be an object; found {shown(found)}")
        for key in found:
            if key not in known:
                near = difflib.get_close_matches(key, known, n=1)
                hint = f"Did you mean {near[0]}?" if near else f"Known there: {', '.join(known)}."
                raise self._places.wrong((*keys, key), "is no known member", hint)
        return found
