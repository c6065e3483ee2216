"""What the whole site says of its files: every file read once, every word that could be a name looked up."""

from __future__ import annotations

import posixpath
from array import array
from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from ahocorasick_rs import BytesAhoCorasick, Implementation

from v1z3r_build.bundlers import next_image
from v1z3r_build.bundlers.tokens import Token, tokens
from v1z3r_build.diagnostics import warning
from v1z3r_build.formats import flight
from v1z3r_build.formats.reading import is_text, read_spans
from v1z3r_build.passes.sidecars import is_encoded
from v1z3r_build.site.address import spellings
from v1z3r_build.site.media_types import is_utf8
from v1z3r_build.site.site import Read
from v1z3r_build.site.span import Hit, Mention, Reading, dotted
from v1z3r_build.site.spooled import Spooled
from v1z3r_build.workers.pool import Call, Outcome, always

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path

    from v1z3r_build.diagnostics import Diagnostic
    from v1z3r_build.site import Asset, Kind, Site
    from v1z3r_build.workers.pool import Pool
    from v1z3r_build.workers.progress import Progress

_CHUNK = 8 << 20
# Bytes of words that are looked for by a table of what follows each of them, in half the time: it takes 256 bytes for
# each, or up to a kilobyte.
_FEW = 32 << 10
# No name is longer on the file systems that sites are built on (POSIX NAME_MAX), percent-encoded.
_LONGEST = 3 * 256
# Ends from which scripts compute the names of scripts: `"./" + name + ".js"`; and what patterns of such names hold, by
# which scripts find themselves (`/ckeditor\.js/`) or a neighbour (`src.replace(/\.js$/, "_bg.wasm")`).
COMPUTED_ENDS = (
    *(
        quote + kind + end
        for end in (b".js", b".mjs")
        for kind in (b"", b".min", b"-min", b".bundle", b"-bundle", b".chunk", b".worker", b"/index")
        for quote in (b'"', b"'", b"`", b"}", b"\\u0022", b"\\'", b'\\"')
    ),
    b"\\.js",
    b"\\.mjs",
)


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """The words that are looked for: tokens, base names of other files, ends of computed names.

    A word of the site is known by its index in `words`.
    """

    words: tuple[bytes, ...]
    tokens: Mapping[int, tuple[str, ...]]  # word -> the files whose names carry the token
    names: Mapping[int, tuple[str, ...]]  # word -> the files with this base name
    ends: frozenset[int]


@dataclass(frozen=True, slots=True)
class Survey:
    """vocabulary, and the spans of every file that is not plain data; binary files have mentions only.

    stating: the files that say something of bytes, others' or their own, in sorted order.
    """

    vocabulary: Vocabulary
    readings: Mapping[str, Reading]
    stating: tuple[str, ...]
    tokens: Mapping[str, Token]
    diagnostics: tuple[Diagnostic, ...]


def survey(site: Site, pool: Pool, progress: Progress, kept: Spooled[Read] | None = None) -> Survey:
    """Read every file of the site but those that have been read as they are: `site.readings`.

    kept: takes what was read, for another survey of the site.
    """
    found = tokens(_unnamed(site))
    vocabulary = _vocabulary(site, found)
    readings, stating, diagnostics = _read(site, vocabulary, pool, progress, kept)
    return Survey(vocabulary, readings, stating, found, diagnostics)


def _unnamed(site: Site) -> list[str]:
    """The files that have no final name: all but variants of images."""
    return [path for path, traits in site.assets.each_traits() if traits.cache_class != "immutable"]


def _vocabulary(site: Site, tokens: Mapping[str, Token]) -> Vocabulary:
    by_token: defaultdict[bytes, list[str]] = defaultdict(list)
    by_name: defaultdict[bytes, list[str]] = defaultdict(list)
    for path in _unnamed(site):
        if path in tokens:
            by_token[tokens[path].text.encode()].append(path)
        elif site.assets.traits(path).kind != "html" and "." in posixpath.basename(path):
            # Sorted, for what is told of a name is the first that is found: a set's order differs from run to run.
            for spelled in sorted(_spellings(posixpath.basename(path))):
                by_name[spelled].append(path)
    words = [*sorted({*by_token, *by_name}), *COMPUTED_ENDS]
    index = {word: number for number, word in enumerate(words)}
    return Vocabulary(
        tuple(words),
        {index[word]: tuple(paths) for word, paths in by_token.items()},
        {index[word]: tuple(paths) for word, paths in by_name.items()},
        frozenset(index[word] for word in COMPUTED_ENDS),
    )


def _spellings(name: str) -> set[bytes]:
    """A name as files may write it: in a URL, in a regular expression, and, if it is not plain, percent-encoded as by
    other languages than JavaScript, in an attribute of a page, or escaped as scripts and JSON have it."""
    raw = name.encode("utf-8", "surrogateescape")
    found = {*spellings(name), raw.replace(b".", b"\\."), raw.replace(b"'", b"\\'"), quote(raw, "").encode()}
    found |= {raw.replace(b"&", one) for one in (b"&amp;", b"\\u0026")}  # the latter in scripts of pages
    units = memoryview(name.encode("utf-16", "surrogatepass")).cast("H")[1:]
    for short, long in (("\\x{:02x}", "\\u{:04x}"), ("\\x{:02X}", "\\u{:04X}")):
        for latin in (short, long):
            found.add(
                "".join(chr(one) if one < 128 else (latin if one < 256 else long).format(one) for one in units).encode()
            )
    return found


def _read(
    site: Site,
    vocabulary: Vocabulary,
    pool: Pool,
    progress: Progress,
    kept: Spooled[Read] | None,
) -> tuple[Spooled[Reading], tuple[str, ...], tuple[Diagnostic, ...]]:
    progress.start("link", len(site.assets))
    readings = Spooled[Reading](site.spool)
    stating: list[str] = []
    texts: list[str] = []
    few = sum(map(len, vocabulary.words)) <= _FEW
    finder = BytesAhoCorasick(vocabulary.words, implementation=Implementation.DFA if few else None)
    for path, traits in site.assets.each_traits():
        if is_text(path, traits.kind, traits.content_type):
            texts.append(path)
            continue
        if is_encoded(path) and path.rpartition(".")[0] in site.assets:
            progress.advance(1)
            continue  # what it says by chance, in a content coding, its neighbour says in plain
        # A name in a binary file is beyond us to fill; only tokens matter there, names are found by chance.
        binary = [hit for hit in _stream(finder, site.assets[path].location) if hit.word in vocabulary.tokens]
        if binary:
            readings[path] = Reading(mentions=_unknown(binary))
        progress.advance(1)
    components, diagnostics = _components(site, texts, pool)
    questions = _Questions(site, finder, components)
    for outcome in _answers(site, texts, questions, pool):
        path = outcome.key
        progress.advance(1)
        if outcome.failure is None:
            if kept is not None:
                kept[path] = Read(questions.arguments(path), outcome.value)
            readings[path] = reading = questions.reading(path, outcome.value)
            if any((reading.digests, reading.checksums, reading.revisions, reading.integrities, reading.policies)):
                stating.append(path)
            continue
        readings[path] = Reading(mentions=_unknown(questions.hits(site.assets[path])))
        diagnostics.append(
            warning(
                "unreadable-format",
                path,
                f"the references in this file could not be read ({outcome.failure.message})",
                "It is kept as it is, and so are the names that it mentions.",
            )
        )
    return readings, tuple(sorted(stating)), tuple(sorted(diagnostics))


def _answers(site: Site, texts: Iterable[str], questions: _Questions, pool: Pool) -> Iterator[Outcome]:
    """What an earlier survey has read by the same call, for no file changes during a run; and what is read now."""
    unknown: list[Call] = []
    arguments = questions.arguments  # one object for all calls
    for path in texts:
        read = site.readings.get(path)
        if read is not None and read.asked == arguments(path):
            yield Outcome(path, read.said)
        else:
            unknown.append(Call(path, read_file, arguments, site.assets.size(path), 600.0, cached=always))
    yield from pool.run(unknown)


def _components(site: Site, texts: Iterable[str], pool: Pool) -> tuple[frozenset[tuple[str, str]], list[Diagnostic]]:
    """The components of the site that show what they are given, and what is told of scripts that cannot be read."""
    assets = (site.assets[path] for path in texts if site.assets.traits(path).kind == "script")
    scripts = [one for one in assets if next_image.MARK in one.read()]
    found: dict[tuple[str, str], bool] = {}
    diagnostics: list[Diagnostic] = []
    for outcome in pool.run(
        Call(one.path, next_image.exports, (one.location,), one.size, 600.0, cached=always) for one in scripts
    ):
        if outcome.failure is None:
            for one, shows in outcome.value.items():
                found[one] = shows and found.get(one, True)
            continue
        diagnostics.append(
            warning(
                "unreadable-format",
                outcome.key,
                f"what it has of next/image could not be read ({outcome.failure.message})",
                "Images that it shows keep their pixels.",
            )
        )
    return frozenset(one for one, shows in found.items() if shows), diagnostics


def _unknown(hits: Iterable[Hit]) -> tuple[Mention, ...]:
    return tuple(Mention(hit.start, hit.end, hit.word, "unknown", gap=hit.gap) for hit in hits)


def _find(finder: BytesAhoCorasick, data: bytes, offset: int) -> Iterator[Hit]:
    for word, start, end in finder.find_matches_as_indexes(data, overlapping=True):
        yield Hit(offset + start, offset + end, word)


def _cut(finder: BytesAhoCorasick, data: bytes) -> Iterator[Hit]:
    """Words that a page's flight data holds cut in two."""
    for low, high in flight.seams(data):
        left, right = data[max(0, low - _LONGEST) : low], data[high : high + _LONGEST]
        for hit in _find(finder, left + right, 0):
            if hit.start < len(left) < hit.end:
                yield Hit(low - len(left) + hit.start, high - len(left) + hit.end, hit.word, (low, high))


def _stream(finder: BytesAhoCorasick, location: Path) -> Iterator[Hit]:
    """Hits in a file of any size; pieces overlap by more than the longest word, seen twice is no harm."""
    with location.open("rb") as file:
        offset, tail = 0, b""
        while piece := file.read(_CHUNK):
            data = tail + piece
            yield from _find(finder, data, offset - len(tail))
            offset += len(piece)
            tail = data[-_LONGEST:]


class _Questions:
    """What is asked of each text: where it holds which words, to be told what they are there.

    By their numbers in the order in which a file names them the words are known to what reads the file: by those of
    the site it would be another text as soon as any other file comes or goes, and what was remembered of it would be
    lost.
    """

    def __init__(self, site: Site, finder: BytesAhoCorasick, components: frozenset[tuple[str, str]]) -> None:
        self._site = site
        self._finder = finder
        self._components = components
        self._words: dict[str, array[int]] = {}  # of files that were asked and have not answered, by their own numbers

    def hits(self, asset: Asset) -> tuple[Hit, ...]:
        """Where a file holds which words, by the site's numbers."""
        data = asset.read()
        found = [*_find(self._finder, data, 0)]
        if asset.kind == "html":
            found += _cut(self._finder, data)
        return tuple(sorted(found, key=lambda hit: hit.start))

    def arguments(self, path: str) -> tuple[Any, ...]:
        """Those of `read_file`."""
        asset = self._site.assets[path]
        hits = self.hits(asset)
        numbers: dict[int, int] = {}
        own = tuple(hit._replace(word=numbers.setdefault(hit.word, len(numbers))) for hit in hits)
        self._words[path] = array("L", numbers)
        return path, asset.kind, own, self._components, asset.location

    def reading(self, path: str, said: Reading) -> Reading:
        """What was read of a file that was asked before."""
        words = self._words.pop(path)
        return said._replace(mentions=tuple(one._replace(word=words[one.word]) for one in said.mentions))


def read_file(
    path: str, kind: Kind, hits: tuple[Hit, ...], components: frozenset[tuple[str, str]], data: bytes
) -> Reading:
    """The spans of a file. Pure; for guarded children, where parsers may crash.

    components: those of the site that show the image which they get as `src`, by module and export.
    """
    if not is_utf8(data):
        # Another charset or damaged bytes: offsets hold, but what strings say is not known.
        if kind in ("html", "style"):
            return read_spans(path, kind, data, hits)
        return Reading(mentions=_unknown(hits))
    reading = read_spans(path, kind, data, hits)
    if kind == "script":
        from v1z3r_build.bundlers import constants  # the parent reads no scripts

        return constants.with_shown(reading, data, components)
    if not components or not hits:
        return reading
    if kind == "html":
        shown = flight.shown_in_page_by(data, flight.pieces(data, reading.inlines), components)
    else:
        shown = flight.shown_by(data, components) if path.endswith(".txt") else iter(())
    return reading._replace(urls=(*reading.urls, *(dotted(data, url) for url in shown)))
