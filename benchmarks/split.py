"""How well vendors are split out of the mixed fixtures, measured against their source maps: `make bench-split`.

    python benchmarks/split.py [NAME …] [--check] [--misses N] [--words FILE] [--table FILE] [--fixtures FOLDER]

For every export that has source maps, the split pass runs as in the command, and this is printed:

- for each vendor its version, whether the word lists were made from that very version (`inside`) or not (`outside`),
  and precision and recall by bytes: of the bytes that moved, how many are the vendor's; of the vendor's, how many
  moved, or lie in a script that is the vendor's as a whole and is labelled so. Bytes of which a map says nothing
  count for nobody.
- for each script that holds a vendor: its bytes before and after, the files split off, and what that costs: how much
  larger all are together, as transferred, than the script was (the goal is for each file). Or else why it was not
  split; where its part of the vendor is less than `min_size`, it does not count for recall, which is told with it
  besides.
- seconds of CPU for each MB of script, in one process; the most memory that the process held, for each byte of the
  largest script, beyond what it holds before any: its libraries and the vendors' words.

Exports without maps are told by time and memory alone, if named. --misses prints the largest parts that moved by
mistake or did not move, with their sources. --check ends with 1 if a goal is missed. To see how versions fare that are
younger than the lists, write other lists from a table without the newest versions (scripts/vendors.py --table
--output) and give both here.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
import tempfile
import time
import tomllib
from collections import Counter
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

from fixtures_sources import SOURCES
from measured_call import Measured, measured
from split_truth import NOBODY, VENDORS, Span, spans, vendor

from v1z3r_build.bundlers import vocabulary
from v1z3r_build.codecs import brotli_coding
from v1z3r_build.formats.derivation import ADDED
from v1z3r_build.passes.split import split
from v1z3r_build.passes.split.answer import Answer
from v1z3r_build.passes.split.inspection import Finding
from v1z3r_build.passes.split.labels import held
from v1z3r_build.settings import Settings, SiteSettings
from v1z3r_build.site import folder
from v1z3r_build.workers.pool import Call, Outcome, Pool
from v1z3r_build.workers.progress import SilentProgress

if TYPE_CHECKING:
    from collections.abc import Generator, Iterable, Mapping, Sequence

    from v1z3r_build.formats.derivation import Derived
    from v1z3r_build.site import Site

ROOT = Path(__file__).resolve().parents[1]
FIXTURES = ROOT / "build" / "fixtures"
PRECISION, RECALL, COST, SECONDS, MEMORY = 0.995, 0.95, 0.01, 1.0, 100
# Scripts that hold less of all vendors are not told of, if nothing is said of them.
LEAST = 10_000


# What is replaced is a name; a shorthand property too, or with a keyword before it.
_NAME = re.compile(rb"#?[\w$]+")
_BETWEEN = re.compile(rb"(?:[\s,;(){}]|\b(?:var|let|const|class|function)\b)*")


@dataclass
class Score:
    """Bytes of one vendor: found rightly, taken by mistake, missed."""

    right: int = 0
    wrong: int = 0
    missed: int = 0

    @property
    def precision(self) -> float:
        """Of what was found, the share that is right."""
        return self.right / (self.right + self.wrong) if self.wrong else 1.0

    @property
    def recall(self) -> float:
        """Of what is the vendor's, the share that was found."""
        return self.right / (self.right + self.missed) if self.missed else 1.0

    def __add__(self, other: Score) -> Score:
        return Score(self.right + other.right, self.wrong + other.wrong, self.missed + other.missed)


@dataclass(frozen=True)
class Miss:
    """A part that is not where it should be. source: its path in the source map."""

    start: int
    end: int
    source: str
    true: str
    said: str


def judged(true: Sequence[Span], said: Sequence[Span]) -> tuple[dict[str, Score], list[Miss]]:
    """The scores of a script, and what makes them less than full.

    true: the sources of the script, from its first byte to its last. said: what moved, by vendor, in order; the rest
    stays.
    """
    scores: dict[str, Score] = {}
    misses: list[Miss] = []
    for start, end, source, label in overlaid(true, said):
        owner = vendor(source)
        if owner == NOBODY or label == owner or (not label and owner not in VENDORS):
            scores.setdefault(owner, Score()).right += end - start if owner in VENDORS and owner == label else 0
            continue
        misses.append(Miss(start, end, source or "", owner, label))
        if label:
            scores.setdefault(label, Score()).wrong += end - start
        if owner in VENDORS:
            scores.setdefault(owner, Score()).missed += end - start
    return {label: score for label, score in scores.items() if label in VENDORS}, misses


def overlaid(true: Sequence[Span], said: Sequence[Span]) -> Generator[tuple[int, int, str | None, str]]:
    """The parts of a script that have one source and one label: start, end, source, label ('' for none)."""
    ends = sorted({place for span in (*true, *said) for place in (span.start, span.end)})
    sources, labels = iter(true), iter(said)
    source, label = next(sources, None), next(labels, None)
    for start, end in pairwise(ends):
        while source is not None and source.end <= start:
            source = next(sources, None)
        while label is not None and label.end <= start:
            label = next(labels, None)
        if source is not None and source.start <= start:
            yield start, end, source.origin, (label.origin or "") if label and label.start <= start else ""


def taken_over(source: bytes, files: Mapping[str, Derived]) -> list[Span]:
    """What of a script is in the files that were made of it, in order, by their labels.

    With names that were replaced, and with what stood between parts that went together: commas, semicolons, keywords.
    """
    found: list[Span] = []
    for label, text in files.items():
        for place, end, origin in zip(text.places, (*text.places[1:], len(text)), text.origins, strict=True):
            if origin >= 0:
                found.append(Span(origin, origin + end - place, label))
            elif origin != ADDED and (name := _NAME.match(source, ~origin)):
                found.append(Span(name.start(), name.end(), label))
    found.sort(key=lambda one: one.start)
    together: list[Span] = []
    for one in found:
        last = together[-1] if together else None
        if last is not None and one.origin == last.origin and _BETWEEN.fullmatch(source, last.end, one.start):
            together[-1] = Span(last.start, max(last.end, one.end), one.origin)
        else:
            together.append(one)
    return together


class Recorder(Pool):
    """A pool of one process that remembers what the pass's calls returned, and what they cost."""

    def __init__(self, words: Path, table: Path) -> None:
        super().__init__(jobs=1)
        self._with = (str(words), str(table))
        self.answers: dict[str, Answer] = {}
        self.seconds = 0.0
        self.memory = 0

    def run(self, calls: Iterable[Call]) -> Generator[Outcome]:
        """As a pool does."""
        wrapped = (
            replace(one, function=measured, arguments=(*self._with, one.function, *one.given())) for one in calls
        )
        for outcome in super().run(wrapped):
            made = outcome.value
            if isinstance(made, Measured):
                self.seconds += made.seconds
                self.memory = max(self.memory, made.memory)
                answer = made.value.answer if isinstance(made.value, Finding) else made.value
                if isinstance(answer, Answer):
                    self.answers[outcome.key] = answer
                outcome = outcome._replace(value=made.value)
            yield outcome


@dataclass(frozen=True)
class Run:
    """One run of the pass. seconds: of CPU. memory: the most bytes that a child held. base: before it saw a script."""

    before: Site
    after: Site
    answers: Mapping[str, Answer]
    seconds: float
    memory: int
    base: int

    def files(self, path: str) -> dict[str, Derived]:
        """What was split off a script, by vendor, if that came into the site."""
        answer = self.answers.get(path)
        if answer is None:
            return {}
        new = [asset.location for one, asset in self.after.assets.items() if one not in self.before.assets]
        made = {location.read_bytes() for location in new}
        return {label: one.data for label, one in answer.vendors.items() if one.data in made}

    def moved(self, path: str) -> list[Span]:
        """What of a script is a vendor's after the pass, by its label."""
        if label := self.after.assets[path].vendor:
            return [Span(0, self.before.assets[path].size, label)]
        return taken_over(self.before.assets[path].location.read_bytes(), self.files(path))

    def scripts(self) -> list[str]:
        """The export's scripts, the largest first."""
        assets = self.before.assets
        return sorted((path for path in assets if assets[path].kind == "script"), key=lambda path: -assets[path].size)


def run(export: Path, spool: Path, words: Path, table: Path) -> Run:
    """Run the pass on an export."""
    settings = Settings(site=SiteSettings(base="/sub/" if export.name.endswith("-sub") else "/"))
    with Recorder(words, table) as pool:
        # The vendors' words, too, are read before any script, and held.
        list(pool.run([Call("nothing", held, (settings.split.vendors, b""), 0)]))
        base = pool.memory
        site = folder.read(export, spool)
        pool.seconds = 0.0
        start = time.process_time()
        after = split(site, settings, pool, SilentProgress())
        return Run(site, after, pool.answers, time.process_time() - start + pool.seconds, pool.memory, base)


class Report:
    """What is printed of one export. missed: the goals that it misses."""

    def __init__(self, export: Path, asked: argparse.Namespace) -> None:
        self.export = export
        self.maps = export.parent.with_name(f"{export.parent.name}-maps") / export.name
        self.asked = asked
        self.table = tomllib.loads(asked.table.read_text(encoding="utf-8"))["vendors"]
        self.missed: list[str] = []

    def print(self) -> None:
        """Run the pass, and print what came of it."""
        print(self.export.name)
        with tempfile.TemporaryDirectory() as spool:
            self.run = run(self.export, Path(spool), self.asked.words, self.asked.table)
            truth = {path: self._truth(path) for path in self.run.scripts() if self._map(path).exists()}
            self._vendors(truth)
            for path in self.run.scripts():
                self._script(path, truth.get(path, []))
            self._costs()
        print(flush=True)

    def _map(self, path: str) -> Path:
        return self.maps / f"{path}.map"

    def _truth(self, path: str) -> list[Span]:
        source_map = json.loads(self._map(path).read_text(encoding="utf-8"))
        return spans(self.run.before.assets[path].location.read_bytes(), source_map)

    def _goal(self, met: bool, what: str) -> str:
        if not met:
            self.missed.append(f"{self.export.name}: {what}")
        return "" if met else "  MISSED"

    def _vendors(self, truth: Mapping[str, list[Span]]) -> None:
        total: dict[str, Score] = {}
        eligible: dict[str, Score] = {}
        misses: list[tuple[str, Miss]] = []
        for path, true in truth.items():
            scores, missed = judged(true, self.run.moved(path))
            misses += [(path, one) for one in missed]
            for label, score in scores.items():
                total[label] = total.get(label, Score()) + score
                if not self._is_small(path, label):
                    eligible[label] = eligible.get(label, Score()) + score
        for label, whole in sorted(total.items()):
            score = eligible.get(label, Score())
            known, version = self._version(label)
            verdict = self._goal(
                score.precision >= PRECISION and score.recall >= RECALL,
                f"{label} {version}: precision {score.precision:.4f}, recall {score.recall:.4f}",
            )
            print(
                f"  {label:<6}{version:<9}{'inside' if known else 'outside':<8} precision {score.precision:.4f}"
                f" recall {score.recall:.4f}   right {score.right:>9,} wrong {score.wrong:>7,}"
                f" missed {score.missed:>9,}{verdict}"
                + (f" ({whole.recall:.4f} with parts below min_size)" if whole != score else "")
            )
        for path, one in sorted(misses, key=lambda pair: pair[1].start - pair[1].end)[: self.asked.misses]:
            text = self.run.before.assets[path].location.read_bytes()[one.start : one.end][:90]
            went = f"moved to {one.said}" if one.said else "stayed"
            print(f"      {one.end - one.start:>7,} {went}, of {one.source} ({path}, byte {one.start}): {text!r}")

    def _is_small(self, path: str, label: str) -> bool:
        """Whether a script's part of a vendor is less than what the settings take for worth a file."""
        start = f"a library could not be taken out of this script: {label} would be "
        return any(
            one.path == path and one.message.startswith(start) and "min_size" in one.message
            for one in self.run.after.diagnostics
        )

    def _version(self, label: str) -> tuple[bool, str]:
        """Whether the word lists were made from the version that the export has of a vendor; and that version."""
        lock = ROOT / "fixtures" / SOURCES[self.export.name] / "package-lock.json"
        installed = json.loads(lock.read_text(encoding="utf-8"))["packages"]
        own = self.table[label]["packages"]
        found = {name: installed[place]["version"] for name in own if (place := f"node_modules/{name}") in installed}
        origins = vocabulary.unpacked(self.asked.words.read_bytes(), {"vendors": self.table}).origins[label]
        known = all(f"{name}@{version}" in origins for name, version in found.items())
        return known, ", ".join(sorted(set(found.values())))

    def _script(self, path: str, true: list[Span]) -> None:
        asset = self.run.before.assets[path]
        held = Counter[str]()
        for span in true:
            held[vendor(span.origin)] += span.size
        holds = ", ".join(f"{held[label]:,} of {label}" for label in VENDORS if held[label])
        if files := self.run.files(path):
            after = self.run.after.assets[path]
            before = brotli_coding.transferred(asset.location.read_bytes())
            parts = [after.location.read_bytes(), *files.values()]
            cost = sum(map(brotli_coding.transferred, parts)) / before - 1
            sizes = ", ".join(f"{label} {len(data):,}" for label, data in files.items())
            verdict = self._goal(cost < COST * len(files), f"{path}: a cost of {cost:.2%}")
            print(f"  {path}: {asset.size:,} -> {after.size:,} and {sizes}; as transferred {cost:+.2%}{verdict}")
        elif label := self.run.after.assets[path].vendor:
            print(f"  {path}: all {asset.size:,} bytes are {label}'s")
        else:
            said = [one for one in self.run.after.diagnostics if one.code == "not-split" and one.path == path]
            if said or sum(held[label] for label in VENDORS) >= LEAST:
                why = said[0].message if said else "no library was found that is worth a file"
                print(f"  {path}: not split ({holds or 'no vendor'}): {why}")

    def _costs(self) -> None:
        sizes = [self.run.before.assets[path].size for path in self.run.scripts()]
        if not sizes:
            print("  no scripts")
            return
        pace = self.run.seconds / (sum(sizes) / 1e6)
        share = (self.run.memory - self.run.base) / sizes[0]
        verdict = self._goal(pace <= SECONDS, f"{pace:.2f} s for each MB")
        print(f"  {pace:.2f} s for each of {sum(sizes) / 1e6:.2f} MB{verdict}")
        verdict = self._goal(share <= MEMORY, f"memory {share:.0f} times the largest script")
        print(
            f"  memory {self.run.memory / 1e6:.0f} MB, of which {self.run.base / 1e6:.0f} before the first script;"
            f" the rest {share:.0f} times the largest{verdict}"
        )


def main() -> int:
    """Print a report for each export. Returns 0, or 1 when a goal is missed and --check is given."""
    parser = argparse.ArgumentParser(description="Measure the split pass against source maps.")
    parser.add_argument("names", nargs="*", metavar="NAME", help="default: all that have source maps, once each")
    parser.add_argument("--check", action="store_true", help="end with 1 if a goal is missed")
    parser.add_argument("--misses", type=int, default=0, metavar="N", help="how many of the largest to print")
    parser.add_argument("--words", type=Path, default=vocabulary.WORDS, help="other word lists")
    parser.add_argument("--table", type=Path, default=vocabulary.TABLE, help="the table that they were made from")
    parser.add_argument("--fixtures", type=Path, default=FIXTURES, help="the folder of the exports")
    asked = parser.parse_args()
    maps = asked.fixtures.with_name(f"{asked.fixtures.name}-maps")
    mapped = [one.name for one in sorted(maps.iterdir()) if one.name in SOURCES]
    names = asked.names or [name for name in mapped if not name.endswith("-upgraded")]
    missed: list[str] = []
    for name in names:
        report = Report(asked.fixtures / name, asked)
        report.print()
        missed += report.missed
    goals = f"precision {PRECISION}, recall {RECALL}, cost below {COST:.0%}, {SECONDS:.0f} s, {MEMORY} times"
    print("\n".join((f"Goals ({goals}) missed:", *missed)) if missed else f"All goals are met ({goals}).")
    return int(asked.check and bool(missed))


if __name__ == "__main__":
    sys.exit(main())
