"""Digests and revisions in the site that follow the bytes of its files."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from typing import TYPE_CHECKING

from v1z3r_build.diagnostics import Diagnostic, info, place, warning
from v1z3r_build.formats import html, integrity
from v1z3r_build.formats.integrity import as_parsed, digest
from v1z3r_build.formats.reading import is_text, read_spans
from v1z3r_build.passes.link.filling import Patch

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from v1z3r_build.formats.integrity import Broken
    from v1z3r_build.passes.link.filling import Names
    from v1z3r_build.passes.link.survey import Survey
    from v1z3r_build.site import Site
    from v1z3r_build.site.address import Addresses

# What a digest was made of: a file, and the number of an inline script or style in it, -1 for the whole file.
_Source = tuple[str, int]


def patches(site: Site, survey: Survey, addresses: Addresses) -> tuple[dict[str, tuple[Patch, ...]], set[str]]:
    """The patches of every file, and the files that must keep their bytes.

    A digest is one of ours if it is that of an input file or of an inline script or style of an input page; any other
    (a script of another host, a digest that did not match before) stays as it is. Where two sources with equal bytes
    may be meant, both must keep their bytes.
    """
    found: defaultdict[str, list[Patch]] = defaultdict(list)
    frozen: set[str] = set()
    wanted = {span.text for path in survey.stating for span in survey.readings[path].digests}
    sources = _sources(site, survey, wanted)
    for path in survey.stating:
        reading = survey.readings[path]
        for span in reading.digests:
            meant = sources.get(span.text, [])
            # A page speaks of its own inline elements, whatever others hold the same. Should two of its own with equal
            # bytes become different, the check after linking finds it.
            meant = [(source, number) for source, number in meant if source == path and number >= 0][:1] or meant
            if len(meant) > 1:
                frozen.update(source for source, _ in meant)
                continue
            for source, number in meant:
                part = None
                if number >= 0:
                    inlines = survey.readings[source].inlines
                    if number >= len(inlines):
                        frozen.add(source)
                        continue
                    part = (inlines[number].start, inlines[number].end)
                found[path].append(Patch(span.start, span.end, source, span.text.partition("-")[0], part))
        for listed in reading.revisions:
            target = addresses.find(listed.url, path).path
            if target and listed.exact:
                stated = site.assets[path].read()[listed.start : listed.end].decode("ascii", "replace").lower()
                # One that was wrong before stays: nothing tells what it was made of.
                if stated == hashlib.sha1(site.assets[target].original.read_bytes(), usedforsecurity=False).hexdigest():
                    found[path].append(Patch(listed.start, listed.end, target, "hex"))
            elif target:
                found[path].append(Patch(listed.start, listed.end, target, ""))
    return {path: tuple(sorted(listed, key=lambda patch: patch.start)) for path, listed in found.items()}, frozen


_ALGORITHMS = {32: "md5", 40: "sha1", 64: "sha256", 96: "sha384", 128: "sha512"}


def checked(site: Site, survey: Survey) -> set[str]:
    """The texts of which some file states a digest in hexadecimal, to what end is not known: an updater's, a loader's.

    Not among them: what the lists of service workers say, which is renewed, and the tokens of names.
    """
    stated: dict[str, set[str]] = {algorithm: set() for algorithm in _ALGORITHMS.values()}
    tokens = {carried.text for carried in survey.tokens.values()}
    for reading in map(survey.readings.__getitem__, survey.stating):
        renewed = {listed.start for listed in reading.revisions}
        for one in reading.checksums:
            if one.start not in renewed and one.text not in tokens:
                stated[_ALGORITHMS[len(one.text)]].add(one.text)
    wanted = {algorithm: texts for algorithm, texts in stated.items() if texts}
    found: set[str] = set()
    for path in survey.readings if wanted else ():
        asset = site.assets[path]
        if not is_text(path, asset.kind, asset.content_type):
            continue  # its bytes stay in any case
        data = asset.original.read_bytes()
        if any(hashlib.new(name, data, usedforsecurity=False).hexdigest() in texts for name, texts in wanted.items()):
            found.add(path)
    return found


def _sources(site: Site, survey: Survey, wanted: set[str]) -> Mapping[str, list[_Source]]:
    """Digest -> what it was made of. Only the algorithms in use are computed."""
    algorithms = sorted({text.partition("-")[0] for text in wanted})
    sources: defaultdict[str, list[_Source]] = defaultdict(list)
    for path, asset in site.assets.items() if algorithms else ():
        if asset.cache_class == "immutable":
            continue  # an image's variant, which the input had not
        data = asset.original.read_bytes()
        parts: list[tuple[int, bytes]] = [(-1, data)]
        if asset.kind == "html":
            inlines = html.read(data).inlines
            if len(inlines) == len(survey.readings[path].inlines):
                parts += [(number, data[span.start : span.end]) for number, span in enumerate(inlines)]
        for number, part in parts:
            for algorithm in algorithms:
                text = digest(algorithm, part if number < 0 else as_parsed(part))
                if text in wanted:
                    sources[text].append((path, number))
    return sources


# What a site says of its files, before and after


def broken_before(site: Site, survey: Survey, addresses: Addresses) -> dict[str, tuple[Broken, ...]]:
    """What the files of the input say of their neighbours and is not true; files that say nothing are left out."""
    found: dict[str, tuple[Broken, ...]] = {}
    files = integrity.Files(_finder(addresses), lambda path: site.assets[path].original.read_bytes())
    for path in survey.stating:
        reading = survey.readings[path]
        if integrity.says_exactly(reading) or reading.revisions:
            texts: list[bytes] = []
            if reading.policies:
                page = files.content(path)
                texts = integrity.inline_texts(page, html.read(page))
            found[path] = tuple(integrity.broken(path, site.assets[path].read(), reading, files, texts))
    return found


def broken_by_linking(
    site: Site, survey: Survey, addresses: Addresses, names: Names, before: Mapping[str, tuple[Broken, ...]]
) -> set[str]:
    """The files that must keep their bytes, since what was true of them would not be any more.

    A check of what `patches` did: whatever form of digest it does not know is found here.
    """
    caught: set[str] = set()
    if not before:
        return caught
    olds = {path: path for path in site.assets} | {names.path(path): path for path in site.assets}
    find = _finder(addresses.among(olds))
    files = integrity.Files(lambda *url: olds.get(find(*url), ""), names.final)
    for path, known in before.items():
        if not integrity.says_exactly(survey.readings[path]):
            continue
        data = names.final(path)
        reading = read_spans(path, site.assets[path].kind, data, ())
        for one in integrity.broken(path, data, reading, files, integrity.inline_texts(data, reading)):
            if one.exact and one.place not in {wrong.place for wrong in known}:
                caught |= {path, one.path} - {""}
    return caught


def _finder(addresses: Addresses) -> Callable[[str, str, str], str]:
    return lambda url, referrer, page_base: addresses.find(url, referrer, page_base).path


def unmatched(site: Site, before: Mapping[str, tuple[Broken, ...]]) -> Iterator[Diagnostic]:
    """Messages about what was not true in the input. It stays as it was: what it was made of is not known."""
    for path, found in before.items():
        data = site.assets[path].read() if found else b""
        for one in found:
            where = place(data, one.start)
            message = f"{one.place}: {one.message}"
            if one.exact:
                yield warning(
                    "digest-unmatched", path, message, "Build the site afresh, or correct the digest.", *where
                )
            else:
                yield info("digest-unmatched", path, message, "It is renewed when the file changes.", *where)
