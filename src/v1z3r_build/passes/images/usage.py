"""How a site uses each of its images: shown to visitors, read by scripts, or known to outsiders alone."""

from __future__ import annotations

import posixpath
import re
from collections import defaultdict
from typing import TYPE_CHECKING, NamedTuple

from v1z3r_build.formats import flight, html
from v1z3r_build.site.patterns import matcher

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from v1z3r_build.passes.link.proof import Proof, Reference
    from v1z3r_build.passes.link.survey import Survey
    from v1z3r_build.settings import ImagesSettings
    from v1z3r_build.site import Site
    from v1z3r_build.site.span import Mention, Role

SHOWN: frozenset[Role] = frozenset({"image", "candidate", "css-url", "element", "module-image", "embed"})
# A browser asks for these by itself, or somebody else does: they get what stands under the name of old.
OUTSIDE: frozenset[Role] = frozenset({"icon", "outside", "page", "precache", "service-worker", "preload", "prefetch"})
# Attributes from which widely used scripts show an image once it comes into view; others may hold data for anything.
_LAZY = (b"data-src", b"data-srcset", b"data-lazy", b"data-lazy-src", b"data-original", b"data-bg", b"data-background")
# Elements that show what their attributes name, in calls that make elements.
_SHOWING = frozenset({"img.src", "img.srcSet", "img.srcset", "source.srcSet", "source.srcset"})
# By these a script gets at the pixels of images.
_READS_PIXELS = re.compile(
    rb"tex(?:Sub)?Image[23]D|copyExternalImage|getImageData|createImageBitmap|TextureLoader|fromPixels|a-assets"
)
# Before what flight data in a page's script names to be seen, or to follow: `{\"src\":\"/a.png\"}`.
_SEEN = re.compile(rb'\\"(?:src|srcSet|href|poster|content)\\":\\"\Z')
_OUTSIDERS = (".webmanifest", ".xml", ".rss", ".atom", ".map", ".md")


class Use(NamedTuple):
    """What an image is used for.

    shown: a page or a style sheet shows it. exact: why it must decode to the very same pixels, '' if it need only look
    the same. outside: only others than pages and scripts know it: its format must stay.
    """

    shown: bool = False
    exact: str = ""
    outside: bool = False


def uses(
    site: Site,
    survey: Survey,
    references: Mapping[str, Iterable[Reference]],
    images: Iterable[str],
    settings: ImagesSettings,
) -> dict[str, Use]:
    """The use of each image, by its path.

    What a script reads may be a texture or a table of numbers: one use that is not known to show the image forbids to
    change a pixel. An image that nothing mentions is a script's, by a name that it computes.
    """
    lossy, lossless = matcher(settings.lossy), matcher(settings.lossless)
    shown: set[str] = set()
    outside: set[str] = set()
    data: dict[str, str] = {}
    covered: defaultdict[str, list[tuple[int, int]]] = defaultdict(list)
    for path, found in references.items():
        for reference in found:
            covered[path].append((reference.url.start, reference.url.end))
            if reference.url.role in SHOWN:
                shown.add(reference.target)
            elif reference.url.role in OUTSIDE:
                outside.add(reference.target)
            else:
                data.setdefault(reference.target, f"{path} loads it")
    wanted, meanings = frozenset(images), Meanings(site, survey)
    readers = {path for path, text in _scripts(site) if _READS_PIXELS.search(text)}
    reach = dict(_within_reach(site, survey)) if readers else {}
    for path, spans in reach.items():
        for reference in references.get(path, ()):
            if any(low <= reference.url.start < high for low, high in spans):
                data.setdefault(reference.target, f"{path} shows it where {min(readers)} may read its pixels")
    for path, mention, owners in _mentions(survey, wanted):
        if any(low <= mention.start and mention.end <= high for low, high in covered[path]):
            continue
        stand = meanings.of(path, mention)
        for owner in owners & wanted:
            if stand == "outside":
                outside.add(owner)
            elif stand == "shown" and any(low <= mention.start < high for low, high in reach.get(path, ())):
                data.setdefault(owner, f"{path} shows it where {min(readers)} may read its pixels")
            elif stand == "shown" or (owner in shown and mention.member in ("src", "srcSet") and path not in readers):
                # A component of a framework, such as Next's Image, gets `src` among its properties; that it makes an
                # <img> of it shows in a page which was rendered before.
                shown.add(owner)
            elif stand == "data":
                data.setdefault(owner, f"{path} mentions it, and may read its pixels")
            elif stand == "handed" and readers:
                data.setdefault(owner, f"{path} hands it to a component, and {min(readers)} may read its pixels")
    result: dict[str, Use] = {}
    for path in sorted(wanted):
        why = data.get(path, "")
        known = path in shown or path in outside or why
        if not known:
            why = "nothing in the site names it: a script may compute its name and read its pixels"
        if lossless(path):
            why = "[images] lossless lists it"
        elif lossy(path):
            why = ""
        result[path] = Use(path in shown, why, outside=path in outside and path not in shown and path not in data)
    return result


def kept_offline(site: Site, survey: Survey, proof: Proof) -> set[str]:
    """The images that a service worker keeps for those who are offline: a page must not choose another then."""
    workers = proof.service_workers | {path for path, why in proof.fixed.items() if "service worker" in why}
    workers |= {path for path in site.assets if posixpath.basename(path) == "ngsw.json"}
    listed = {one.target for found in proof.references.values() for one in found if one.url.role == "precache"}
    images = frozenset(path for path, asset in site.assets.items() if asset.kind == "image")
    for path, _, owners in _mentions(survey, images):
        if path in workers:
            listed |= owners
    return listed


def _scripts(site: Site) -> Iterator[tuple[str, bytes]]:
    return ((path, one.read()) for path, one in site.assets.items() if one.kind in ("script", "html"))


def _within_reach(site: Site, survey: Survey) -> Iterator[tuple[str, Sequence[tuple[int, int]]]]:
    """Files, with where they make images that a script could read, or that a filter computes with."""
    for path, reading in survey.readings.items():
        asset = site.assets[path]
        drawn = asset.kind == "html" or asset.content_type.startswith("image/svg+xml")
        yield path, (*reading.reach, *(html.readable_images(asset.read()) if drawn else ()))


def _mentions(survey: Survey, wanted: frozenset[str]) -> Iterator[tuple[str, Mention, frozenset[str]]]:
    """The mentions of images, with the images that they may mean."""
    owners = {
        word: frozenset(paths) & wanted
        for words in (survey.vocabulary.tokens, survey.vocabulary.names)
        for word, paths in words.items()
    }
    for path, reading in survey.readings.items():
        for mention in reading.mentions:
            meant = owners.get(mention.word)
            if meant and not (mention.word in survey.vocabulary.names and _is_part(mention)):
                yield path, mention, meant


def _is_part(mention: Mention) -> bool:
    """Whether the word is only a part of a longer name: `hero.png` in `superhero.png`."""
    left, right = mention.before[-1:], mention.after[:1]
    return left.isalnum() or left in (b"_", b"-") or right.isalnum() or right in (b"_", b"-")


class Meanings:
    """What mentions of images say that are no references."""

    def __init__(self, site: Site, survey: Survey) -> None:
        self._site = site
        self._survey = survey
        self._page = "", b""  # the last one, for they come page by page

    def of(self, path: str, mention: Mention) -> str:
        """What a mention in a file says: shown, data, outside, handed (to a component by another name than that of what
        it shows), or '' for nothing."""
        if mention.stand in ("comment", "label"):
            return ""
        kind = self._site.assets[path].kind
        name = posixpath.basename(path)
        if f"{mention.element}.{mention.member}" in _SHOWING:
            return "shown"
        if name.endswith(_OUTSIDERS) or name in ("manifest.json", "_headers", "_redirects"):
            return "outside"
        if kind == "html":
            return self._in_page(path, mention)
        if kind == "text":
            return "" if name.endswith(".txt") else "outside"
        return "data"

    def _in_page(self, path: str, mention: Mention) -> str:
        if mention.stand == "text":
            return "outside"
        if self._page[0] != path:
            self._page = path, self._site.assets[path].read()
        data = self._page[1]
        reading = self._survey.readings[path]
        for inline in (*reading.inlines, *reading.islands):
            if inline.start <= mention.start and mention.end <= inline.end:
                if inline.tag == "application/ld+json":
                    return "outside"
                if inline.tag == "style":
                    return ""
                # Flight data reaches components alone, and those are scripts, which the page shows the work of.
                handed = flight.pushed(data, inline.start, inline.end) is not None
                start = mention.start - len(mention.before)
                return "data" if not handed else "" if _SEEN.search(data, max(0, start - 20), start) else "handed"
        value = mention.start - len(mention.before)
        attribute = data[max(0, data.rfind(b"<", 0, value)) : value].rstrip(b"\"'= \t\r\n").lower()
        if attribute.startswith((b"<meta", b"<link")):
            return "outside"
        return "shown" if attribute.endswith(_LAZY) else "data"
