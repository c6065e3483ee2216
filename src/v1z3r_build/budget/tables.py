"""Limits in TOML: `[budget]` of the settings, or of a file of its own."""

from __future__ import annotations

import difflib
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, get_args

from v1z3r_build import settings
from v1z3r_build.budget import amounts
from v1z3r_build.budget.figures import Figure
from v1z3r_build.budget.outcome import Outcome, outcome
from v1z3r_build.budget.places import Places, named, shown, toml_lines
from v1z3r_build.site.asset import Kind
from v1z3r_build.site.patterns import matcher
from v1z3r_build.transfers import CODINGS, Coding

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Mapping
    from pathlib import Path

    from v1z3r_build.budget.amounts import Amount
    from v1z3r_build.budget.comparison import Comparison
    from v1z3r_build.budget.findings import Finding
    from v1z3r_build.budget.places import Keys
    from v1z3r_build.manifest import Manifest

_KINDS: tuple[str, ...] = get_args(Kind)
_COUNTED = ("requests", "duplicates")
# The keys of a table of limits; the vendors stand in a table inside.
_FIGURES = (*_KINDS, "total", "lazy", *_COUNTED)
_LISTED = 20  # names in one message
_PARTS = ("encoding", "routes", "files", "growth")


@dataclass(frozen=True, slots=True)
class _Limit:
    """One limit of a table. key: what it is for, apart from the unit. whole: what a share of the figure is of."""

    key: str
    figure: Figure
    amount: Amount
    keys: Keys
    whole: Figure | None = None


@dataclass(frozen=True, slots=True)
class _Table:
    """The limits of the routes that a pattern is for."""

    pattern: str
    limits: tuple[_Limit, ...]
    keys: Keys

    def matches(self, route: str) -> bool:
        """Whether it is for a route: `*` stands for any text, slashes included."""
        parts = map(re.escape, self.pattern.split("*"))
        return route == self.pattern or re.fullmatch(".*".join(parts), route, re.S) is not None


@dataclass(frozen=True, slots=True)
class TableBudget:
    """Limits for routes, for single files, and for what may be added since the baseline.

    Of several tables that are for a route the last that has a figure counts; one that names the route itself comes
    before all patterns.
    """

    places: Places
    routes: tuple[_Table, ...]
    files: tuple[tuple[str, Amount, Keys], ...]
    growth: tuple[_Table, ...]
    coding: Coding

    def check(self, comparison: Comparison) -> Outcome:
        """Apply the limits. Raises InputError for one that is for nothing in the manifest: it is misspelt."""
        self._require_matches(comparison.manifest)
        findings = [*self._routes(comparison), *self._files(comparison), *self._growth(comparison)]
        return outcome(findings, self._notes(comparison), self.places.source)

    def _routes(self, comparison: Comparison) -> Iterator[Finding]:
        for route in comparison.manifest.routes:
            for limit in _chosen(self.routes, route):
                most, name = limit.amount.within(0), limit.figure.name
                if limit.whole is not None:
                    most = limit.amount.within(limit.whole.measure(comparison.manifest, route).value)
                    name += f", {limit.amount.number:f} % of all"
                yield comparison.route(route, limit.figure, most, *self._place(limit.keys), name)

    def _growth(self, comparison: Comparison) -> Iterator[Finding]:
        baseline = comparison.baseline
        for route in comparison.manifest.routes:
            if baseline is not None and route in baseline.routes:
                for limit in _chosen(self.growth, route):
                    before = limit.figure.measure(baseline, route).value
                    most = before + limit.amount.within(before)
                    yield comparison.route(
                        route, limit.figure, most, *self._place(limit.keys), f"{limit.figure.name}, growth"
                    )

    def _files(self, comparison: Comparison) -> Iterator[Finding]:
        for pattern, amount, keys in self.files:
            for path in _matching(pattern, comparison.manifest):
                yield comparison.file(path, amount.coding or self.coding, amount.within(0), *self._place(keys))

    def _place(self, keys: Keys) -> tuple[str, int]:
        return named(keys), self.places.line(keys)

    def _require_matches(self, manifest: Manifest) -> None:
        for table in (*self.routes, *self.growth):
            if not any(map(table.matches, manifest.routes)):
                raise self.places.wrong(
                    table.keys, "is for no route of the site", _nearest(table.pattern, manifest.routes)
                )
        labels = {record.vendor for record in manifest.files.values()} - {""} | {*settings.VENDORS}
        for limit in (limit for table in (*self.routes, *self.growth) for limit in table.limits):
            if limit.figure.vendor and limit.figure.vendor not in labels:
                raise self.places.wrong(
                    limit.keys, "is for no vendor of the site", _nearest(limit.figure.vendor, labels)
                )
        for pattern, _, keys in self.files:
            if not _matching(pattern, manifest):
                names = {name for path, record in manifest.files.items() for name in (path, *record.source)}
                raise self.places.wrong(keys, "is for no file of the site", _nearest(pattern, names))

    def _notes(self, comparison: Comparison) -> Iterator[str]:
        limits = [limit for table in (*self.routes, *self.growth) for limit in table.limits]
        records = comparison.manifest.files.values()
        if any(limit.figure.vendor or limit.figure.unit == "copies" for limit in limits) and not any(
            record.vendor for record in records
        ):
            yield "no file is known as a vendor's: vendors are found where the setting `passes` has `split`"
        units = {limit.figure.unit for limit in limits} | {amount.coding or self.coding for _, amount, _ in self.files}
        for coding in CODINGS[:-1]:
            if coding in units and not any(coding in record.encodings for record in records):
                yield f"no file has an encoding {coding}: figures in it are those of the files as they are"
        if self.growth and comparison.baseline is None:
            yield "growth is not checked: there is no --baseline"
        elif self.growth and comparison.baseline is not None:
            new = [route for route in comparison.manifest.routes if route not in comparison.baseline.routes]
            if new:
                more = f" and {len(new) - _LISTED} more" if len(new) > _LISTED else ""
                yield f"growth is not checked where the baseline has no such route: {', '.join(new[:_LISTED])}{more}"


def read(source: Path) -> TableBudget | None:
    """The budget of a settings file, None if it has no table `budget`.

    Raises InputError with file, line and key for what is no TOML, no known key, or no amount.
    """
    found, keys = settings.table(source, "budget")
    if found is None:
        return None
    reader = _Reader(Places(source, toml_lines(source.read_text("utf-8").replace("\r\n", "\n"))))
    return reader.budget(found, keys)


class _Reader:
    """Checks a table as it reads it."""

    def __init__(self, places: Places) -> None:
        self._places = places

    def budget(self, found: object, keys: Keys) -> TableBudget:
        """The whole table."""
        table = self._table(found, keys, _PARTS)
        coding = self._coding(table, keys, "br")
        files = self._table(table.get("files", {}), (*keys, "files"))
        read = TableBudget(
            self._places,
            self._tables(table.get("routes", {}), (*keys, "routes"), coding, growth=False),
            tuple(
                (name, self._amount(value, (*keys, "files", name), amounts.size), (*keys, "files", name))
                for name, value in files.items()
            ),
            self._tables(table.get("growth", {}), (*keys, "growth"), coding, growth=True),
            coding,
        )
        if not (read.files or any(one.limits for one in (*read.routes, *read.growth))):
            raise self._places.wrong(keys, "holds no limit", "Write some with `v1z3r-build budget DIR --init`.")
        return read

    def _tables(self, found: object, keys: Keys, coding: Coding, *, growth: bool) -> tuple[_Table, ...]:
        tables = []
        for pattern, content in self._table(found, keys).items():
            here = (*keys, pattern)
            table = self._table(content, here, (*_FIGURES, "vendors", "encoding"))
            own = self._coding(table, here, coding)
            limits = [
                limit
                for name, value in table.items()
                if name in _FIGURES
                for limit in self._limits(name, value, (*here, name), own, growth)
            ]
            vendors = (*here, "vendors")
            for label, value in self._table(table.get("vendors", {}), vendors).items():
                limits += self._limits(f"vendors.{label}", value, (*vendors, label), own, growth)
            tables.append(_Table(pattern, tuple(limits), here))
        return tuple(tables)

    def _limits(self, key: str, value: object, keys: Keys, coding: Coding, growth: bool) -> Iterator[_Limit]:
        """The limits of a figure: one amount, or a list of amounts in several encodings."""
        parse = amounts.count if key in _COUNTED else amounts.size
        shares = growth or key.startswith("vendors.")
        seen = set()
        for one in value if isinstance(value, list) and value and key not in _COUNTED else [value]:
            amount = self._amount(one, keys, parse, shares)
            figure = _figure(key, amount.coding or coding)
            whole = None
            if amount.percent and not growth:
                whole = _figure("total", amount.coding or coding)
            yield _Limit(key, figure, amount, keys, whole)
            if figure.unit in seen:
                raise self._places.wrong(keys, f"gives two limits in {figure.unit}")
            seen.add(figure.unit)

    def _amount(self, value: object, keys: Keys, parse: Callable[..., Amount], shares: bool = False) -> Amount:
        try:
            return parse(value, shares=shares)
        except ValueError as failure:
            raise self._places.wrong(keys, f"must be {failure}; found {shown(value)}") from None

    def _coding(self, table: Mapping[str, Any], keys: Keys, default: Coding) -> Coding:
        value = table.get("encoding", default)
        for coding in CODINGS:
            if value == coding:
                return coding
        raise self._places.wrong((*keys, "encoding"), f"must be one of {', '.join(CODINGS)}; found {shown(value)}")

    def _table(self, found: object, keys: Keys, known: Collection[str] = ()) -> dict[str, Any]:
        """A table, all of whose keys are known, if some are."""
        if not isinstance(found, dict):
            raise self._places.wrong(keys, f"must be a table; found {shown(found)}")
        for key in found:
            if known and key not in known:
                hint = _nearest(key, known, among=True)
                raise self._places.wrong((*keys, key), "is no known key", hint)
        return found


def _figure(key: str, coding: Coding) -> Figure:
    label = key.removeprefix("vendors.")
    if label != key:
        return Figure(f"initial {label}", coding, vendor=label)
    if key == "requests":
        return Figure("initial requests", "requests")
    if key == "duplicates":
        return Figure("duplicates of vendors", "copies")
    if key == "lazy":
        return Figure("lazy total", coding, lazy=True)
    return Figure(f"initial {key}", coding, kinds=() if key == "total" else (key,))


def _chosen(tables: tuple[_Table, ...], route: str) -> Iterator[_Limit]:
    """The limits of a route: for each figure those of the last table; one that names the route itself comes last."""
    chosen: dict[str, list[_Limit]] = {}
    for table in sorted(tables, key=lambda one: one.pattern == route):
        if table.matches(route):
            fresh: dict[str, list[_Limit]] = {}
            for limit in table.limits:
                fresh.setdefault(limit.key, []).append(limit)
            chosen |= fresh
    return (limit for limits in chosen.values() for limit in limits)


def _matching(pattern: str, manifest: Manifest) -> list[str]:
    """The files that a pattern is for, by their names or by those that they had before they were optimized.

    A vendor's file has the source of the script that it was split from: it goes by its own name alone.
    """
    fits = matcher((pattern,))
    return [
        path
        for path, record in manifest.files.items()
        if fits(path) or (not record.vendor and any(map(fits, record.source)))
    ]


def _nearest(text: str, known: Collection[str], *, among: bool = False) -> str:
    """What the writer may have meant. among: whether all that is known may be listed."""
    near = difflib.get_close_matches(text, known, n=1, cutoff=0.6 if among else 0.3)
    if near:
        return f"Did you mean {near[0]}?"
    return f"Known there: {', '.join(sorted(known)[:_LISTED])}." if known else "The manifest lists none."
