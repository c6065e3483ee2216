"""Digests and revisions in the site that follow the bytes of its files."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from v1z3r_build.formats import html
from v1z3r_build.passes.link.filling import Patch, digest

if TYPE_CHECKING:
    from collections.abc import Mapping

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
    wanted = {span.text for reading in survey.readings.values() for span in reading.digests}
    sources = _sources(site, survey, wanted)
    for path, reading in survey.readings.items():
        for span in reading.digests:
            meant = sources.get(span.text, [])
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
        for revision in reading.revisions:
            target = addresses.find(revision.url, path)
            if target.path:
                found[path].append(Patch(revision.start, revision.end, target.path, ""))
    return {path: tuple(sorted(listed, key=lambda patch: patch.start)) for path, listed in found.items()}, frozen


def _sources(site: Site, survey: Survey, wanted: set[str]) -> Mapping[str, list[_Source]]:
    """Digest -> what it was made of. Only the algorithms in use are computed."""
    algorithms = sorted({text.partition("-")[0] for text in wanted})
    sources: defaultdict[str, list[_Source]] = defaultdict(list)
    for path, asset in site.assets.items() if algorithms else ():
        data = asset.original.read_bytes()
        parts: list[tuple[int, bytes]] = [(-1, data)]
        if asset.kind == "html":
            inlines = html.read(data).inlines
            if len(inlines) == len(survey.readings[path].inlines):
                parts += [(number, data[span.start : span.end]) for number, span in enumerate(inlines)]
        for number, part in parts:
            for algorithm in algorithms:
                text = digest(algorithm, part)
                if text in wanted:
                    sources[text].append((path, number))
    return sources
