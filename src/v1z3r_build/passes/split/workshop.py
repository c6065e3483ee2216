"""A site while it is split: what the bundlers' families share as they take scripts apart and tell others of it."""

from __future__ import annotations

import posixpath
import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from v1z3r_build.formats.derivation import Edit, written
from v1z3r_build.passes.split import mapping
from v1z3r_build.passes.split.answer import not_split
from v1z3r_build.passes.split.offline import OfflineLists
from v1z3r_build.passes.split.requests import InitialRequests
from v1z3r_build.site.address import Addresses
from v1z3r_build.workers.call import Call, always

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from pathlib import Path

    from v1z3r_build.diagnostics import Diagnostic
    from v1z3r_build.formats.derivation import Derived
    from v1z3r_build.formats.source_maps import Span
    from v1z3r_build.passes.split.answer import Answer, VendorFile
    from v1z3r_build.passes.split.labels import Wanted
    from v1z3r_build.settings import Settings
    from v1z3r_build.site import Asset, Site
    from v1z3r_build.workers.pool import Pool
    from v1z3r_build.workers.progress import Progress

_SECONDS = 300.0


class Workshop:
    """The site as it came, the assets that are new or changed, and what is said of the others.

    split: the paths of scripts that vendors were taken out of. maps: which source map is which script's. told: what
    they tell, by script.
    """

    def __init__(self, site: Site, settings: Settings, wanted: Wanted, pool: Pool, progress: Progress) -> None:
        self.site = site
        self.wanted = tuple(wanted)
        self.addresses = Addresses(site.assets, settings.site.base, settings.site.origin)
        self.maps = mapping.MapLinks(site, self.addresses)
        self.told: dict[str, tuple[Span, ...]] = {}
        self.changed: dict[str, Asset] = {}
        self.split: set[str] = set()
        self.diagnostics: list[Diagnostic] = []
        self._min_size = settings.split.min_size
        # The texts of scripts with maps that are new or changed, and the scripts that they are made of.
        self._texts: dict[str, tuple[str, Derived]] = {}
        self._most = settings.split.max_initial_requests
        self._pool = pool
        self._progress = progress

    def options(self, path: str) -> tuple[Wanted, int, Sequence[Span]]:
        """The vendors that are looked for, the least bytes of a file, and what a script's map tells of it."""
        return self.wanted, self._min_size, self.told.get(path, ())

    def call(self, path: str, function: Callable[..., Any], *arguments: Any) -> Call:
        """Heavy work on a script."""
        return Call(path, function, arguments, self.asset(path).size, _SECONDS, cached=always)

    def outcomes(self, calls: Iterable[Call]) -> Iterator[tuple[str, Any, str]]:
        """For each call its script, the value, and why there is none, in the order of the scripts' paths."""
        for outcome in sorted(self._pool.run(calls), key=lambda one: one.key):
            yield outcome.key, outcome.value, outcome.failure.message if outcome.failure is not None else ""

    def answers(self, calls: Iterable[Call]) -> Iterator[Any]:
        """What came of looking into scripts; where nothing did, it is said why."""
        for path, answer, failure in self.outcomes(calls):
            self._progress.advance(self.site.assets[path].size)
            if failure:
                self.refuse(path, f"it could not be analysed ({failure})")
            else:
                yield answer

    def refuse(self, path: str, why: str) -> None:
        """Say why a script with a vendor in it stays as it is."""
        self.diagnostics.append(not_split(path, why))

    def read(self, path: str) -> bytes:
        """The bytes that a file has by now."""
        return self._texts[path][1] if path in self._texts else self.asset(path).read()

    def source(self, path: str) -> Derived | Path:
        """The same for a call."""
        return self._texts[path][1] if path in self._texts else self.asset(path).location

    def asset(self, path: str) -> Asset:
        """A file as it is by now."""
        return self.changed.get(path) or self.site.assets[path]

    def rewrite(self, path: str, data: Derived) -> None:
        """Give a file new bytes, made of those that it has."""
        self.changed[path] = self.site.rewritten(self.asset(path), data)
        if self.asset(path).kind == "script" and self.maps.of(path):
            self._texts[path] = (path, data)

    def compose_maps(self) -> None:
        """Give all scripts that are new or changed the maps that follow from those of the old ones."""
        groups: dict[str, dict[str, Derived]] = {}
        for path, (old, text) in self._texts.items():
            link = self.maps.of(old)
            if link is not None and link.path:
                groups.setdefault(old, {})[path] = text
        calls = [
            self.call(old, mapping.composed, texts, self.site.assets[old].location, self._map(old).location)
            for old, texts in groups.items()
        ]
        for old, made, failure in self.outcomes(calls):
            model = self._map(old)
            if not made:
                self.diagnostics.append(mapping.left_behind(model.path, old, failure))
                continue
            for path, data in made.items():
                new = self.site.rewritten(model, data)
                if path != old:
                    place = mapping.beside(model.path, path)
                    new = replace(new, path=place, original=new.location, kept="")
                self.changed[new.path] = new

    def _map(self, path: str) -> Asset:
        link = self.maps.of(path)
        assert link is not None, "a script without a map"
        return self.site.assets[link.path]

    def place(self, answers: Iterable[Answer]) -> dict[str, list[str]]:
        """Put chunks and their vendors' files into the site, and on lists for use without network.

        Returns the paths of the files by their chunk's.
        """
        vendors: dict[str, list[str]] = {}
        for answer in answers:
            if answer.whole:
                self.changed[answer.path] = replace(self.asset(answer.path), vendor=answer.whole)
            if answer.data is None:
                continue
            old = self.asset(answer.path)
            self.rewrite(answer.path, answer.data)
            link = self.maps.of(answer.path)
            for label, one in answer.vendors.items():
                vendors.setdefault(answer.path, []).append(one.path)
                if (shared := self.changed.get(one.path)) is not None:  # another chunk's, too
                    self.changed[one.path] = replace(shared, sources=(*shared.sources, *old.sources))
                    continue
                data = one.data
                if link is not None:
                    data = mapping.with_comment(data, link, one.path)
                    self._texts[one.path] = (answer.path, data)
                location = self.site.store(data)
                # What digests of it are checked against is what it is here.
                self.changed[one.path] = replace(
                    old, path=one.path, location=location, original=location, size=len(data), vendor=label, kept=""
                )
        self.split |= vendors.keys()
        offline = OfflineLists(self.site, self.addresses, vendors)
        for path in offline.names:
            told = offline.told(path, self.read(path), vendors, lambda one: self.asset(one).original.read_bytes())
            self.rewrite(path, told)
        return vendors

    def possible(self, answers: Sequence[Answer]) -> list[Answer]:
        """The answers that may be carried out; of the others it is said why."""
        split = [answer.path for answer in answers if answer.vendors]
        offline = OfflineLists(self.site, self.addresses, split).objections()
        requests = InitialRequests(self.site, self.addresses, answers, self._most)
        kept: list[Answer] = []
        # What saves most goes first.
        for answer in sorted(answers, key=lambda one: -sum(len(vendor.data) for vendor in one.vendors.values())):
            reason = offline.get(answer.path) or requests.objection(answer)
            if reason:
                self.refuse(answer.path, reason)
            else:
                kept.append(answer)
        return sorted(kept, key=lambda one: one.path)


def named(answers: Sequence[Answer]) -> list[Answer]:
    """The answers of one family, files of one vendor in one folder told apart by name.

    Equal ones of webpack's and Turbopack's are one, for their modules have ids of their own. Equal ES modules are two.
    """

    def key(answer: Answer, one: VendorFile) -> tuple[str, str]:
        return one.path, "" if one.chunk else answer.path

    made: dict[tuple[str, str], set[tuple[str, str]]] = {}
    for answer in answers:
        for label, one in answer.vendors.items():
            made.setdefault((posixpath.dirname(one.path), label), set()).add(key(answer, one))
    # In the order of their contents' hashes, which no build of the app changes.
    places = {place: sorted(files) for place, files in made.items()}
    renamed: list[Answer] = []
    for answer in answers:
        data = answer.data
        vendors: dict[str, VendorFile] = {}
        for label, one in answer.vendors.items():
            folder, name = posixpath.split(one.path)
            number = places[folder, label].index(key(answer, one))
            own = name if number == 0 else name.replace(label, f"{label}-{number + 1}", 1)
            assert data is not None, "vendors without a chunk"
            # A chunk of Turbopack's may hold its own name.
            if own == name:
                vendors[label] = one
                continue
            vendors[label] = replace(one, path=posixpath.join(folder, own), data=_renamed(one.data, name, own))
            data = _renamed(data, name, own)
        renamed.append(replace(answer, data=data, vendors=vendors))
    return renamed


def _renamed(data: bytes, name: str, own: str) -> Derived:
    spans = [found.span() for found in re.finditer(re.escape(name.encode()), data)]
    return written(data, 0, len(data), [Edit(*span, own.encode()) for span in spans])
