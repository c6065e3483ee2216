"""The pass that takes libraries out of the scripts that they lie mixed in, into files that only they change."""

from __future__ import annotations

import posixpath
import re
from dataclasses import replace
from typing import TYPE_CHECKING

from v1z3r_build.bundlers.esm import Imports
from v1z3r_build.formats import html
from v1z3r_build.passes.split import loading
from v1z3r_build.passes.split.answer import Answer, not_split
from v1z3r_build.passes.split.chunks import split_chunk
from v1z3r_build.passes.split.labels import may_hold
from v1z3r_build.passes.split.modules import Exchange, exchange, split_module
from v1z3r_build.passes.split.runtimes import register_chunks
from v1z3r_build.site import permanence
from v1z3r_build.site.address import Addresses
from v1z3r_build.site.naming import circles
from v1z3r_build.workers.pool import Call

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from v1z3r_build.diagnostics import Diagnostic
    from v1z3r_build.passes.split.answer import VendorFile
    from v1z3r_build.settings import Settings
    from v1z3r_build.site import Asset, Site
    from v1z3r_build.workers.pool import Pool
    from v1z3r_build.workers.progress import Progress

# A script that brotli makes less than twice as small is rare: smaller ones cannot hold a vendor that is worth it.
_DENSEST = 2
_SECONDS = 120.0
# The queues of bundlers: `(self.G=self.G||[]).push(`.
_PUSH = re.compile(rb"\|\|\s*\[\s*\]\s*\)+\s*(?:\.\s*push|\[\s*[\"']push[\"']\s*\])\s*\(")
_PRECACHE = re.compile(rb"precache|workbox|\baddAll\s*\(", re.I)


def split(site: Site, settings: Settings, pool: Pool, progress: Progress) -> Site:
    """The site with the vendors' files added, and all that must load them made to."""
    if not settings.split.vendors:
        return site
    return _Splitting(site, settings, pool, progress).run()


class _Splitting:
    def __init__(self, site: Site, settings: Settings, pool: Pool, progress: Progress) -> None:
        self.site = site
        self.options = (settings.split.vendors, settings.split.min_size)
        self.least = _DENSEST * settings.split.min_size
        self.pool = pool
        self.progress = progress
        self.addresses = Addresses(site.assets, settings.site.base, settings.site.origin)
        self.diagnostics: list[Diagnostic] = []

    def run(self) -> Site:
        scripts = self._candidates()
        self.progress.start("split", sum(self._size(path) for path in scripts))
        answers = self._split_chunks([path for path in scripts if _PUSH.search(self.site.assets[path].read())])
        chunks = {answer.path for answer in answers}
        answers += self._split_modules([path for path in scripts if path not in chunks])
        possible = [answer for answer in _named(answers) if self._is_possible(answer)]
        return self._applied(self._registered(possible))

    def _candidates(self) -> list[str]:
        """The scripts that can hold a vendor worth a file."""
        calls = [
            Call(path, may_hold, (self.options[0], asset.location), asset.size, _SECONDS)
            for path, asset in self.site.assets.items()
            if asset.kind == "script" and asset.size >= self.least and not self._is_mapped(path)
        ]
        return sorted(outcome.key for outcome in self.pool.run(calls) if outcome.failure is None and outcome.value)

    def _is_mapped(self, path: str) -> bool:
        """Whether the site holds the script's source map, which would tell of other lines and columns then."""
        return f"{path}.map" in self.site.assets

    def _size(self, path: str) -> int:
        return self.site.assets[path].size

    def _answers(self, calls: Iterable[Call]) -> Iterator[Answer]:
        for outcome in sorted(self.pool.run(calls), key=lambda one: one.key):
            self.progress.advance(self._size(outcome.key))
            if outcome.failure is None:
                if outcome.value is not None:
                    self.diagnostics += outcome.value.diagnostics
                    yield outcome.value
            else:
                why = f"it could not be analysed ({outcome.failure.message})"
                self.diagnostics.append(not_split(outcome.key, why))

    def _is_possible(self, answer: Answer) -> bool:
        """Whether all can be told of the new files: not lists of what is fetched for use without network."""
        if answer.data is None:
            return True
        name = posixpath.basename(answer.path).encode()
        for path, asset in self.site.assets.items():
            if asset.kind not in ("script", "json") or path == answer.path or path.endswith(".map"):
                continue
            data = asset.read()
            if name in data and (permanence.is_service_worker(path) or _PRECACHE.search(data)):
                self.diagnostics.append(not_split(answer.path, f"{path} lists it for use without network"))
                return False
        return True

    # ES modules

    def _is_module(self, path: str, one: Exchange | None) -> bool:
        """Whether a script is a module: it says so itself, or a page loads it as one.

        Words alone prove nothing: in any other script an import would be a syntax error.
        """
        if one is None or one.declared:
            return one is not None
        name = posixpath.basename(path).encode()
        for page in self.site.assets.values():
            if page.kind != "html" or name not in (data := page.read()):
                continue
            reading = html.read(data)
            for url in reading.urls:
                if url.role == "module" and self.addresses.find(url.text, page.path, reading.base).path == path:
                    return True
        return False

    def _split_modules(self, paths: Sequence[str]) -> list[Answer]:
        exchanges = self._exchanges(paths)
        modules = [path for path in paths if self._is_module(path, exchanges[path]) and self._has_one_url(path)]
        known = self._known(exchanges)
        calls = [
            Call(
                path,
                split_module,
                (path, *self.options, known[path], self.site.assets[path].location),
                self._size(path),
                _SECONDS,
            )
            for path in modules
        ]
        return list(self._answers(calls))

    def _has_one_url(self, path: str) -> bool:
        """Whether nobody asks for a module with a query or fragment: each URL is a module, and has its own vendors."""
        name = posixpath.basename(path).encode()
        others = (asset.read() for asset in self.site.assets.values() if asset.kind in ("html", "script"))
        return not any(name + mark in data for data in others for mark in (b"?", b"#"))

    def _exchanges(self, paths: Iterable[str]) -> dict[str, Exchange | None]:
        """What the modules take and give, and all that they import, however far."""
        found: dict[str, Exchange | None] = {}
        waiting = set(paths)
        while waiting:
            calls = [
                Call(path, exchange, (self.site.assets[path].location,), self._size(path), _SECONDS)
                for path in sorted(waiting)
            ]
            for outcome in self.pool.run(calls):
                found[outcome.key] = outcome.value if outcome.failure is None else None
            waiting = {target for path in waiting for target in self._imports(path, found[path])} - found.keys()
        return found

    def _imports(self, path: str, one: Exchange | None) -> set[str]:
        targets = {self.addresses.find(specifier, path).path for specifier in (one.imports if one else ())}
        return {target for target in targets if target and self.site.assets[target].kind == "script"}

    def _known(self, exchanges: Mapping[str, Exchange | None]) -> dict[str, Imports]:
        """For each module, what the modules that it imports tell."""
        graph = {path: self._imports(path, one) for path, one in exchanges.items()}
        known: dict[str, Imports] = {}
        # What a module needs comes before it, or in the same circle: these hold for all of a circle.
        obscure: set[str] = set()  # they, or what they import, cannot be looked into
        awaiting: set[str] = set()
        for members in circles(graph):
            targets = {target for path in members for target in graph[path]}
            if any(self._is_obscure(path, exchanges[path]) for path in members) or targets & obscure:
                obscure.update(members)
            if any(one.awaits for path in members if (one := exchanges[path])) or targets & awaiting:
                awaiting.update(members)
            circular = len(members) > 1 or members[0] in graph[members[0]] or members[0] in obscure
            for path in members:
                settled = frozenset() if circular else self._settled(path, exchanges)
                waits = bool(graph[path] & (awaiting | obscure)) or path in obscure
                known[path] = Imports(settled, circular, waits)
        return known

    def _settled(self, path: str, exchanges: Mapping[str, Exchange | None]) -> frozenset[str]:
        """A module's names of imports that never change."""
        names: set[str] = set()
        one = exchanges[path]
        for specifier, taken in (one.imports if one else {}).items():
            other = exchanges.get(self.addresses.find(specifier, path).path)
            if other is not None:
                names.update(own for own, theirs in taken.items() if theirs in other.settled)
        return frozenset(names)

    def _is_obscure(self, path: str, one: Exchange | None) -> bool:
        """Whether it is unknown what a module imports: it cannot be analysed, or imports what is not of the site."""
        if one is None:
            return True
        targets = [self.addresses.find(specifier, path).path for specifier in one.imports]
        return any(not target or self.site.assets[target].kind != "script" for target in targets)

    # webpack

    def _split_chunks(self, paths: Sequence[str]) -> list[Answer]:
        calls = [
            Call(path, split_chunk, (path, *self.options, self.site.assets[path].location), self._size(path), _SECONDS)
            for path in paths
        ]
        return list(self._answers(calls))

    def _registered(self, answers: Sequence[Answer]) -> list[Answer]:
        """What can be carried out: chunks whose runtimes learn of the new ones, with those runtimes."""
        kept = [answer for answer in answers if not answer.vendors or not answer.queue]
        for queue in sorted({answer.queue for answer in answers if answer.vendors and answer.queue}):
            group = [answer for answer in answers if answer.vendors and answer.queue == queue]
            runtimes, reason = self._runtimes(queue, group)
            if reason:
                self.diagnostics += [not_split(answer.path, reason) for answer in group]
            else:
                kept += [*group, *runtimes]
        return kept

    def _runtimes(self, queue: str, group: Sequence[Answer]) -> tuple[list[Answer], str]:
        """The runtimes of a queue, told of the new chunks; or the reason why that cannot be done."""
        needs: dict[str, list[str]] = {}
        files: dict[str, str] = {}
        for answer in group:
            for vendor in answer.vendors.values():
                files[vendor.chunk] = self.addresses.url(vendor.path)
                for identity in answer.ids:
                    needs.setdefault(identity, []).append(vendor.chunk)
        made = {answer.path: answer.data for answer in group}
        calls = [
            Call(
                path,
                register_chunks,
                (queue, self.addresses.url(path), needs, files, made.get(path) or asset.location),
                asset.size,
                _SECONDS,
            )
            for path, asset in self.site.assets.items()
            if asset.kind == "script" and queue.encode() in asset.read()
        ]
        told: list[Answer] = []
        for outcome in sorted(self.pool.run(calls), key=lambda one: one.key):
            if outcome.failure is not None:
                return [], f"{outcome.key} could not be analysed ({outcome.failure.message})"
            if outcome.value.reason:
                return [], f"{outcome.value.reason} ({outcome.key})"
            if outcome.value.data is not None:
                told.append(Answer(outcome.key, outcome.value.data))
        return told, "" if told else "no script of the site is its runtime"

    # The new site

    def _applied(self, answers: Sequence[Answer]) -> Site:
        vendors: dict[str, list[str]] = {}
        changed: dict[str, Asset] = {}
        for answer in answers:
            old = changed.get(answer.path, self.site.assets[answer.path])
            if answer.whole:
                changed[answer.path] = replace(old, vendor=answer.whole)
            if answer.data is None:
                continue
            changed[answer.path] = self.site.rewritten(old, answer.data)
            for label, one in answer.vendors.items():
                location = self.site.store(one.data)
                # What digests of it are checked against is what it is here.
                changed[one.path] = replace(
                    old, path=one.path, location=location, original=location, size=len(one.data), vendor=label, kept=""
                )
                vendors.setdefault(answer.path, []).append(one.path)
        if vendors:
            self._tell(vendors, changed)
        return self.site.with_assets(changed.values(), sorted(self.diagnostics))

    def _tell(self, vendors: Mapping[str, Sequence[str]], changed: dict[str, Asset]) -> None:
        """Pages and scripts that load a chunk learn to load its vendors with it."""
        names = {posixpath.basename(path).encode() for path in vendors}
        for path, asset in self.site.assets.items():
            if asset.kind not in ("html", "script"):
                continue
            now = changed.get(path, asset)
            data = now.read()
            if not any(name in data for name in names):
                continue
            told = loading.tell(path, asset.kind, data, vendors, self.addresses)
            if told != data:
                changed[path] = self.site.rewritten(now, told)


def _named(answers: Sequence[Answer]) -> Iterator[Answer]:
    """The answers, files of one vendor in one folder told apart.

    Equal ones of webpack's are one, for their modules have ids of their own. Equal ES modules are two.
    """

    def key(answer: Answer, one: VendorFile) -> tuple[str, str]:
        return one.path, "" if answer.queue else answer.path

    made: dict[tuple[str, str], set[tuple[str, str]]] = {}
    for answer in answers:
        for label, one in answer.vendors.items():
            made.setdefault((posixpath.dirname(one.path), label), set()).add(key(answer, one))
    # In the order of their contents' hashes, which no build of the app changes.
    places = {place: sorted(files) for place, files in made.items()}
    for answer in answers:
        data = answer.data
        vendors: dict[str, VendorFile] = {}
        for label, one in answer.vendors.items():
            folder, name = posixpath.split(one.path)
            number = places[folder, label].index(key(answer, one))
            own = name if number == 0 else name.replace(label, f"{label}-{number + 1}", 1)
            assert data is not None, "vendors without a chunk"
            data = data.replace(name.encode(), own.encode())
            vendors[label] = replace(one, path=posixpath.join(folder, own))
        yield replace(answer, data=data, vendors=vendors)
