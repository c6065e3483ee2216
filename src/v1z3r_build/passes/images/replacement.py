"""The name of an image's WebP in place of its own, everywhere at once, so that hydration finds what it expects."""

from __future__ import annotations

import posixpath
import re
from typing import TYPE_CHECKING

from v1z3r_build.passes.images.offers import Edit
from v1z3r_build.passes.images.usage import SHOWN, Meanings

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping

    from v1z3r_build.passes.link.proof import Proof, Reference
    from v1z3r_build.passes.link.survey import Survey
    from v1z3r_build.site import Site
    from v1z3r_build.site.span import Mention

# A script or a style sheet that tells images by the ends of their names may not know WebP's, and a script that puts
# names together has it without the dot: `"." + "png"`, `/\.(?:png|jpe?g)$/`, `{png: 1}[end]`, `img[src$=".png"]`.
_SUFFIXES = re.compile(
    rb"""["'`]\.?(?:png|jpe?g|gif)\\?["'`]|\\\.\(?(?:\?:)?[a-z|?]*(?:png|jpe?g|gif)|[{,]\s*(?:png|jpe?g|gif)\s*:"""
    rb"""|\[\s*(?:src|srcset|href|poster)\s*[*$^|~]?=[^\]]*(?:png|jpe?g|gif)""",
    re.I,
)
# What an <object> or <embed> is told of its type may not be what it gets then.
_REPLACED = (SHOWN - {"embed"}) | {"module-url", "preload", "prefetch", "precache"}


class Replacements:
    """Where names of images may be those of their WebP.

    proof: what linking could rename; a name that may not be renamed may not be replaced either. Names that only
    outsiders read keep the original, which stays in the site.
    """

    def __init__(self, site: Site, survey: Survey, proof: Proof) -> None:
        self._site = site
        self._survey = survey
        self._proof = proof
        self._references: dict[str, list[tuple[str, Reference]]] = {}
        for path, found in proof.references.items():
            for reference in found:
                self._references.setdefault(reference.target, []).append((path, reference))
        self._meanings = Meanings(site, survey)
        self._words = {word: number for number, word in enumerate(survey.vocabulary.words)}
        self._mentions: dict[int, list[tuple[str, Mention]]] = {}
        for path, reading in survey.readings.items():
            for mention in reading.mentions:
                if mention.word in survey.vocabulary.tokens and mention.stand not in ("comment", "label"):
                    self._mentions.setdefault(mention.word, []).append((path, mention))
        self._judging = next(self._judges(), "")

    def _judges(self) -> Iterator[str]:
        for path, asset in self._site.assets.items():
            if asset.kind in ("script", "style", "html") and _SUFFIXES.search(asset.read()):
                yield path

    def of(self, path: str, variant: str, offered: Collection[str]) -> Mapping[str, list[Edit]] | str:
        """The edits, by file, that give an image's WebP in place of it; or why there can be none.

        offered: files that let browsers choose already, and name the original for those that know no other format.
        """
        if self._judging:
            return f"{self._judging} tells images by the ends of their names"
        token = self._survey.tokens.get(path)
        if token is not None:
            return self._renamed(path, variant, f"t:{token.text}", offered)
        if f"c:{path}" not in self._proof.units:
            return self._proof.kept.get(path) or self._proof.fixed.get(path) or "no reference to it is sure"
        edits: dict[str, list[Edit]] = {}
        ending = variant[len(posixpath.splitext(path)[0]) :].encode()
        for referrer, reference in self._references.get(path, ()):
            url = reference.url
            if referrer not in offered and url.role in _REPLACED:
                edits.setdefault(referrer, []).append(Edit(url.dot, url.dot + len(url.suffix), ending))
        return edits

    def _renamed(self, path: str, variant: str, unit: str, offered: Collection[str]) -> Mapping[str, list[Edit]] | str:
        if self._proof.units.get(unit) != (path,):
            return self._proof.kept.get(path) or self._proof.fixed.get(path) or "its name has the token of other files"
        token = self._survey.tokens[path]
        suffix = path[token.end :].encode()
        new = variant[token.start :].encode()
        word = self._words[token.text.encode()]
        edits: dict[str, list[Edit]] = {}
        for referrer, mention in self._mentions.get(word, ()):
            role = self._role(path, referrer, mention)
            if role and (role not in _REPLACED or referrer in offered):
                continue
            if not role:
                stand = self._meanings.of(referrer, mention)
                if stand == "outside":
                    continue
                if self._site.assets[referrer].kind == "json" and "_next/data/" not in referrer:
                    return f"{referrer} names it, and what reads that may want its own format"
            if mention.gap is not None or not mention.after.startswith(suffix):
                return f"{referrer} holds its name in parts"
            edits.setdefault(referrer, []).append(Edit(mention.start, mention.end + len(suffix), new))
        return edits

    def _role(self, path: str, referrer: str, mention: Mention) -> str:
        """What a mention is referred to for, '' if it is no reference."""
        return next(
            (
                one.url.role
                for place, one in self._references.get(path, ())
                if place == referrer and one.url.start <= mention.start and mention.end <= one.url.end
            ),
            "",
        )
