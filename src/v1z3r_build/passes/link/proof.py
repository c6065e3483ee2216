"""Who may be renamed: a name changes only if every mention of it in the whole site is understood and filled."""

from __future__ import annotations

import posixpath
import re
from collections import ChainMap, defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from ahocorasick_rs import BytesAhoCorasick

from v1z3r_build.diagnostics import place
from v1z3r_build.site import permanence
from v1z3r_build.site.patterns import matcher
from v1z3r_build.site.spooled import Spooled

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from v1z3r_build.bundlers.tokens import Token
    from v1z3r_build.passes.link.survey import Survey
    from v1z3r_build.settings import Settings
    from v1z3r_build.site import Asset, Site
    from v1z3r_build.site.address import Addresses
    from v1z3r_build.site.span import Mention, Reading, Role, Url

# What a browser fetches for a page: such a reference may go to a hashed copy. A link that a visitor follows, shares or
# saves keeps its URL, and so does what is read from outside the page.
_FETCHED: frozenset[Role] = frozenset(
    {
        "script",
        "module",
        "nomodule",
        "style",
        "preload",
        "prefetch",
        "image",
        "candidate",
        "element",
        "media",
        "embed",
        "css-import",
        "css-url",
        "import",
        "dynamic-import",
        "module-url",
        "module-image",
        "worker",
        "import-scripts",
        "import-map",
    }
)
# Fetched ahead for some other reference: alone, they tell that the file is used under a name which is not seen.
_AHEAD: frozenset[Role] = frozenset({"preload", "prefetch"})
_NEUTRAL: frozenset[Role] = frozenset({"icon", "outside", "service-worker"})
_COPIED = frozenset({"script", "style", "image", "font", "wasm", "media", "json", "other"})
_WORD = re.compile(rb"[A-Za-z0-9_-]")
_SIDECAR = re.compile(r"\.(?:br|gz|zst)$")
_ROOTED = re.compile(r"/|[a-z][a-z0-9+.-]*:", re.I)
_ABSOLUTE = re.compile(r"[a-z][a-z0-9+.-]*:|//", re.I)
_ORIGIN = re.compile(r"(?:[a-z][a-z0-9+.-]*:)?//[^/]*", re.I)
COPY_TOKEN_LENGTH = 16


class Fill(NamedTuple):
    """Where a file's bytes take the token of a unit: a place to replace, or one to insert `.token` at.

    first, last: the letters of the token that go there, where the file holds it cut in two.
    """

    start: int
    end: int
    unit: str
    first: int = 0
    last: int | None = None


class Reference(NamedTuple):
    """A URL of a file that means a file of the site, or none although it should."""

    url: Url
    target: str


@dataclass(frozen=True, slots=True)
class Proof:
    """What may be done.

    units: unit -> the files that carry its token: `t:` and a token in use, `c:` and the path of a copied file.
    fills: file -> what its bytes take. fixed: file -> why its name stays whatever is proved. kept: file -> why it
    keeps a name that could have changed. references: file -> what it refers to. dangling: the files of which some
    reference leads nowhere. service_workers: their paths.
    """

    units: Mapping[str, tuple[str, ...]]
    fills: Mapping[str, tuple[Fill, ...]]
    fixed: Mapping[str, str]
    kept: Mapping[str, str]
    references: Mapping[str, tuple[Reference, ...]]
    dangling: tuple[str, ...]
    service_workers: frozenset[str]


def prove(site: Site, survey: Survey, addresses: Addresses, settings: Settings, frozen: Mapping[str, str]) -> Proof:
    """Decide for every file whether it may be renamed or copied.

    frozen: files whose bytes must stay as they were, with the reason: nothing is filled there, so the names
    that they mention stay.
    """
    judge = _Judge(site, survey, settings, frozen)
    found = _Found(site, survey, addresses)
    for path, reading, references in found.walk():
        judge.look(path, reading, references)
    fixed = found.fixed(judge.named)
    judge.tokens(fixed)
    judge.copies(fixed)
    return Proof(
        {unit: tuple(sorted(files)) for unit, files in sorted(judge.units.items())},
        judge.fills(),
        fixed,
        judge.kept,
        found.references,
        tuple(found.dangling),
        frozenset(found.workers),
    )


def unchanged(site: Site, survey: Survey, addresses: Addresses, settings: Settings, frozen: Mapping[str, str]) -> Proof:
    """The decision that no file is renamed or copied. frozen: see `prove`; without new names it tells nothing."""
    found = _Found(site, survey, addresses)
    for _ in found.walk():
        pass
    fixed = found.fixed(_named(site, settings))
    return Proof({}, {}, fixed, {}, found.references, tuple(found.dangling), frozenset(found.workers))


class _Found:
    """What all files refer to, once it was walked through.

    dangling: the files with a reference that leads nowhere. workers: the service workers.
    """

    def __init__(self, site: Site, survey: Survey, addresses: Addresses) -> None:
        self.references = Spooled[tuple[Reference, ...]](site.spool)
        self.dangling: list[str] = []
        self.workers = {
            path
            for path, traits in site.assets.each_traits()
            if traits.kind == "script" and permanence.is_service_worker(path)
        }
        self._survey = survey
        self._addresses = addresses

    def walk(self) -> Iterator[tuple[str, Reading, tuple[Reference, ...]]]:
        """Every file, once, with what was read in it and what it refers to."""
        for path, reading in self._survey.readings.items():
            references = tuple(self._in(path, reading))
            self.references[path] = references
            self.workers.update(one.target for one in references if one.target and one.url.role == "service-worker")
            if any(not one.target for one in references):
                self.dangling.append(path)
            yield path, reading, references

    def _in(self, path: str, reading: Reading) -> Iterator[Reference]:
        for url in reading.urls:
            if url.resolvable and (target := self._addresses.find(url.text, path, reading.base)).ours:
                yield Reference(url, target.path)

    def fixed(self, named: dict[str, str]) -> Mapping[str, str]:
        """The files whose names stay whatever is said of them, with the reason. named: those known by name alone."""
        fixed = ChainMap({}, named)  # most are pages, and so are most files
        # A service worker is compared byte by byte with its imports when a browser looks for an update.
        pending = list(self.workers)
        while pending:
            path = pending.pop()
            fixed.setdefault(path, "a service worker is known by its URL")
            for reference in self.references.get(path, ()):
                if (
                    reference.url.role in ("import-scripts", "import")
                    and reference.target not in fixed
                    and reference.target
                ):
                    fixed[reference.target] = "a service worker imports it"
                    pending.append(reference.target)
        return fixed


def _named(site: Site, settings: Settings) -> dict[str, str]:
    """The files whose names stay for what they are called, with the reason."""
    named: dict[str, str] = {}
    listed = matcher(settings.names.keep)
    for path, traits in site.assets.each_traits():
        if why := "[names] keep lists it" if listed(path) else permanence.reason(path, traits.kind):
            named[path] = why
    return named


class _Judge:
    def __init__(self, site: Site, survey: Survey, settings: Settings, frozen: Mapping[str, str]) -> None:
        self.site = site
        self.survey = survey
        self.origin = settings.site.origin.rstrip("/").lower()
        self.frozen = frozen
        self.named = _named(site, settings)
        self.units: dict[str, list[str]] = {}
        self.kept: dict[str, str] = {}
        self.carriers = self._carriers()
        self.owners = {
            word: [(path, survey.tokens[path]) for path in paths] for word, paths in survey.vocabulary.tokens.items()
        }
        # What was found in all files, by word or path; of what speaks against a file, the first place alone.
        self.referred: set[int] = set()
        self.token_doubts: dict[int, str] = {}
        self.name_doubts: dict[int, str] = {}
        self.computed: dict[int, str] = {}
        self.remade = ""
        self.own_urls: dict[str, str] = {}
        self.sure: defaultdict[str, list[tuple[str, int, Role]]] = defaultdict(list)

    def look(self, path: str, reading: Reading, references: Sequence[Reference]) -> None:
        """Take in a file. They come in sorted order."""
        self._look_at_references(path, reading, references)
        covered = list(_covered(reading, references))
        for mention in reading.mentions:
            if mention.word in self.owners:
                self._look_at_token(path, mention)
            if mention.word in self.survey.vocabulary.ends:
                self._look_at_end(path, mention)
            if mention.word in self.survey.vocabulary.names:
                self._look_at_name(path, mention, covered)
        if reading.remakes and not self.remade:
            place = self._place_at(path, reading.remakes[0])
            self.remade = f"{place} makes names of those that it reads in the page"

    def fills(self) -> Mapping[str, tuple[Fill, ...]]:
        """What every file takes: the tokens of all units that it names."""
        copies: defaultdict[str, list[Fill]] = defaultdict(list)
        for path, found in self.sure.items():
            if (unit := f"c:{path}") in self.units:
                for referrer, position, _ in found:
                    copies[referrer].append(Fill(position, position, unit))
        units = {word: unit for word in self.owners if (unit := self._unit(word)) in self.units}
        made = Spooled[tuple[Fill, ...]](self.site.spool)
        for path, reading in self.survey.readings.items():
            fills = copies.get(path, [])
            for mention in reading.mentions:
                if mention.word in units:
                    fills += _replacements(mention, units[mention.word])
            if fills:
                made[path] = tuple(sorted(fills, key=lambda fill: fill.start))
        return made

    # Files with a bundler's token

    def _carriers(self) -> Mapping[bytes, set[str]]:
        """Token -> the files that have it anywhere in their path."""
        carriers: defaultdict[bytes, set[str]] = defaultdict(set)
        words = [self.survey.vocabulary.words[word] for word in self.survey.vocabulary.tokens]
        finder = BytesAhoCorasick(words)
        for path in self.site.assets:
            for word, _, _ in finder.find_matches_as_indexes(path.encode("utf-8", "surrogateescape"), overlapping=True):
                carriers[words[word]].add(path)
        return carriers

    def tokens(self, fixed: Mapping[str, str]) -> None:
        for word, owners in self.survey.vocabulary.tokens.items():
            why = self._token_doubt(word, owners, fixed)
            if why:
                self.kept.update(dict.fromkeys(owners, why))
            else:
                self.units[self._unit(word)] = list(owners)

    def _unit(self, word: int) -> str:
        return f"t:{self.survey.vocabulary.words[word].decode()}"

    def _token_doubt(self, word: int, owners: tuple[str, ...], fixed: Mapping[str, str]) -> str:
        """Why the token must stay, '' if all its mentions are understood."""
        for path in owners:
            # Maps and licences follow their script.
            if path in fixed and not path.endswith((".map", ".LICENSE.txt")):
                return fixed[path]
        text = self.survey.vocabulary.words[word]
        for path in self.carriers[text]:
            if path not in owners and _SIDECAR.sub("", path) not in owners:
                return f"{path} has it in its name too, and may be asked for by a name that is made of this one"
        if word in self.token_doubts:
            return self.token_doubts[word]
        return "" if word in self.referred else "no other file mentions it: whoever asks for it knows it by this name"

    def _look_at_token(self, path: str, mention: Mention) -> None:
        word = mention.word
        if word in self.token_doubts:
            return
        if path in self.frozen:
            self.token_doubts[word] = f"{path} mentions it and must keep its bytes: {self.frozen[path]}"
        elif why := self._mention_doubt(mention, self.owners[word]):
            self.token_doubts[word] = f"{why} in {self._place(path, mention)}"
        elif all(path != owner for owner, _ in self.owners[word]):
            self.referred.add(word)

    def _mention_doubt(self, mention: Mention, owners: Iterable[tuple[str, Token]]) -> str:
        if mention.stand in ("unknown", "text", "label"):
            return _STANDS[mention.stand]
        before, after = mention.before.replace(b"\\/", b"/"), mention.after
        origin = _ORIGIN.match(before.decode("utf-8", "replace"))
        if origin is not None and not (
            self.origin and origin.group().lower() in (self.origin, self.origin.partition(":")[2])
        ):
            return "an absolute URL mentions it (if that is this site, set [site] origin)"
        for owner, token in owners:
            left, right = token.before(owner).encode(), token.after(owner).encode()
            left_fits = before.endswith(left) if left else before in (b"",) or before.endswith((b"/", b"="))
            if left_fits and after.startswith(right) and not _WORD.match(after[len(right) : len(right) + 1]):
                return ""
        # Part of a name that the script puts together: `{7: "0a1b…"}[id] + ".js"`, `".0a1b….css"`.
        loose_left = before == b"" or before[-1:] in b".-/~"
        loose_right = after == b"" or after[:1] in b".-"
        if mention.stand == "table" and loose_left and loose_right:
            return ""
        return "it stands in a string that is not a name of the file"

    # Files without one

    def copies(self, fixed: Mapping[str, str]) -> None:
        doubts = self._doubts()
        for path, found in sorted(self.sure.items()):
            if path in fixed:
                continue
            if path in doubts:
                self.kept[path] = doubts[path]
            elif all(role in _AHEAD for _, _, role in found):
                self.kept[path] = "it is only fetched ahead; what uses it is not seen"
            else:
                self.units[f"c:{path}"] = [path]

    def _can_be_copied(self, path: str) -> bool:
        if path in self.survey.tokens or path in self.named:
            return False
        traits = self.site.assets.traits(path)
        return traits.cache_class != "immutable" and traits.kind in _COPIED

    def _look_at_references(self, referrer: str, reading: Reading, references: Iterable[Reference]) -> None:
        for reference in references:
            target, role = reference.target, reference.url.role
            if not target or not self._can_be_copied(target):
                continue
            position = self._insertion(referrer, reading, reference)
            if position is not None:
                self.sure[target].append((referrer, position, role))
            elif role not in _NEUTRAL and target not in self.own_urls:
                where = self._place_at(referrer, reference.url.start)
                self.own_urls[target] = f"{where} refers to it by its own URL"

    def _insertion(self, referrer: str, reading: Reading, reference: Reference) -> int | None:
        """Where the token of a copy would be inserted, None if the reference cannot go to one."""
        if reference.url.role not in _FETCHED or referrer in self.frozen or reading.mapped:
            return None
        # Resolved against the worker that runs the script (HTML Standard, importScripts), which may be another file.
        if reference.url.role == "import-scripts" and not _ROOTED.match(reference.url.text):
            return None
        # The suffix must stand in the file as the target's name has it: no escape in it, no alias behind it.
        suffix = posixpath.splitext(reference.target)[1]
        return reference.url.dot if suffix and reference.url.suffix == suffix else None

    def _doubts(self) -> dict[str, str]:
        """File -> why its references cannot all go to a copy."""
        doubts = dict(self.own_urls)
        for word, owners in self.survey.vocabulary.names.items():
            if word in self.name_doubts:
                for owner in owners:
                    doubts.setdefault(owner, self.name_doubts[word])
        computed = next((self.computed[word] for word in sorted(self.computed)), "")
        for why, kinds in ((self.remade, ("image", "media", "script", "style")), (computed, ("script",))):
            for path, traits in self.site.assets.each_traits() if why else ():
                if traits.kind in kinds:
                    doubts.setdefault(path, why)
        return doubts

    def _look_at_name(self, path: str, mention: Mention, covered: Iterable[tuple[int, int]]) -> None:
        if mention.word not in self.name_doubts and self._names(path, mention, covered):
            self.name_doubts[mention.word] = f"{self._place(path, mention)} mentions it in a string"

    def _names(self, path: str, mention: Mention, covered: Iterable[tuple[int, int]]) -> bool:
        """Whether a mention may be a use of the name that no sure reference accounts for."""
        if mention.stand in ("text", "comment", "label") or path.endswith((".webmanifest", ".map")):
            return False
        if _WORD.match(mention.before[-1:]) or _WORD.match(mention.after[:1]):
            return False
        return not any(low <= mention.start and mention.end <= high for low, high in covered)

    def _look_at_end(self, path: str, mention: Mention) -> None:
        if mention.word in self.computed or _WORD.match(mention.after[:1]) or mention.stand == "comment":
            return  # `".json"`, or only talked about
        if self.site.assets.traits(path).kind in ("script", "html"):
            self.computed[mention.word] = f"{self._place(path, mention)} computes names of scripts"

    def _place(self, path: str, mention: Mention) -> str:
        return self._place_at(path, mention.start)

    def _place_at(self, path: str, offset: int) -> str:
        asset: Asset = self.site.assets[path]
        if asset.size > 1 << 26:
            return path
        line, column = place(asset.read(), offset)
        return f"{path}:{line}:{column}"


def _covered(reading: Reading, references: Iterable[Reference]) -> Iterator[tuple[int, int]]:
    """Where a file holds URLs that are understood, whatever they name.

    A URL on the same host that leads out of the site is understood too: it is another file. So is what outsiders are
    told on whatever host, for they get the file under its own name.
    """
    for url in reading.urls:
        if url.resolvable and (url.role in _NEUTRAL or not _ABSOLUTE.match(url.text)):
            yield url.start, url.end
    for reference in references:
        if _ABSOLUTE.match(reference.url.text):  # with an origin that is ours
            yield reference.url.start, reference.url.end


def _replacements(mention: Mention, unit: str) -> list[Fill]:
    if mention.gap is None:
        return [Fill(mention.start, mention.end, unit)]
    low, high = mention.gap
    letters = low - mention.start
    return [Fill(mention.start, low, unit, 0, letters), Fill(high, mention.end, unit, letters)]


_STANDS = {
    "unknown": "it stands where nothing is known of its meaning,",
    "text": "a text that people or outsiders read mentions it,",
    "label": "a source map names it as a source,",
}
