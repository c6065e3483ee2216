"""The family of ES modules: which scripts are modules, what they import, and who must learn of the vendors' files."""

from __future__ import annotations

from typing import TYPE_CHECKING

from v1z3r_build.bundlers.esm import Imports
from v1z3r_build.formats import html
from v1z3r_build.passes.split import loading
from v1z3r_build.passes.split.modules import exchange, split_module
from v1z3r_build.passes.split.workshop import named
from v1z3r_build.site.address import spellings
from v1z3r_build.site.naming import circles

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from v1z3r_build.passes.split.answer import Answer
    from v1z3r_build.passes.split.inspection import Finding
    from v1z3r_build.passes.split.modules import Exchange
    from v1z3r_build.passes.split.workshop import Workshop


def split_modules(workshop: Workshop, findings: Sequence[Finding]) -> list[Answer]:
    """What became of those scripts that are modules. findings: of all that are no other family's."""
    return _Graph(workshop).split(findings)


def carry_out(workshop: Workshop, answers: Sequence[Answer]) -> None:
    """Write the parts, and tell pages and lists of preloads."""
    loading.tell_all(workshop, workshop.place(workshop.possible(named(answers))))


class _Graph:
    def __init__(self, workshop: Workshop) -> None:
        self._workshop = workshop
        self._assets = workshop.site.assets
        self._addresses = workshop.addresses

    def split(self, findings: Sequence[Finding]) -> list[Answer]:
        modules = [one for one in findings if self._is_module(one) and self._has_one_url(one.path)]
        known = self._known(self._exchanges({one.path: one.exchange for one in findings}))
        made: list[Answer] = []
        again: list[str] = []
        for path, _, answer, one in modules:
            if answer is not None and (one is None or one.hoped() == known[path]):
                made.append(answer)
            else:
                again.append(path)
        calls = (
            self._workshop.call(
                path, split_module, path, *self._workshop.options(path), known[path], self._assets[path].location
            )
            for path in again
        )
        return [*made, *self._workshop.answers(calls)]

    def _is_module(self, finding: Finding) -> bool:
        """Whether a script is a module: it says so itself, or a page loads it as one.

        Words alone prove nothing: in any other script an import would be a syntax error.
        """
        if finding.answer is not None or finding.exchange is None:
            return finding.answer is not None
        path, names = finding.path, spellings(finding.path)
        for page in self._assets.values():
            if page.kind != "html" or not any(map((data := page.read()).__contains__, names)):
                continue
            reading = html.read(data)
            for url in reading.urls:
                if url.role == "module" and self._addresses.find(url.text, page.path, reading.base).path == path:
                    return True
        return False

    def _has_one_url(self, path: str) -> bool:
        """Whether nobody asks for a module with a query or fragment: each URL is a module, and has its own vendors."""
        marked = [name + mark for name in spellings(path) for mark in (b"?", b"#")]
        others = (asset.read() for asset in self._assets.values() if asset.kind in ("html", "script"))
        return not any(one in data for data in others for one in marked)

    def _exchanges(self, looked_into: Mapping[str, Exchange | None]) -> dict[str, Exchange | None]:
        """What the modules take and give, and all that they import, however far."""
        found = dict(looked_into)
        waiting = {target for path, one in found.items() for target in self._imports(path, one)} - found.keys()
        while waiting:
            calls = [self._workshop.call(path, exchange, self._assets[path].location) for path in sorted(waiting)]
            found.update((path, one) for path, one, _ in self._workshop.outcomes(calls))
            waiting = {target for path in waiting for target in self._imports(path, found[path])} - found.keys()
        return found

    def _imports(self, path: str, one: Exchange | None) -> set[str]:
        targets = {self._addresses.find(specifier, path).path for specifier in (one.imports if one else ())}
        return {target for target in targets if target and self._assets[target].kind == "script"}

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
            other = exchanges.get(self._addresses.find(specifier, path).path)
            if other is not None:
                names.update(own for own, theirs in taken.items() if theirs in other.settled)
        return frozenset(names)

    def _is_obscure(self, path: str, one: Exchange | None) -> bool:
        """Whether it is unknown what a module imports: it cannot be analysed, or imports what is not of the site."""
        if one is None:
            return True
        targets = [self._addresses.find(specifier, path).path for specifier in one.imports]
        return any(not target or self._assets[target].kind != "script" for target in targets)
