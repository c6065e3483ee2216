"""The images pass: formats that are smaller and look the same, and pages that ask for them.

usage (what each image is for) → variants (other formats of it) → markup and replacement (who names them). Whatever
no page names is offered by the manifest, to servers that answer by what a browser accepts.
"""

from __future__ import annotations

import posixpath
import re
from dataclasses import replace
from typing import TYPE_CHECKING
from urllib.parse import quote

from v1z3r_build.diagnostics import info
from v1z3r_build.passes.images.inlined import shrunk
from v1z3r_build.passes.images.offers import Offer
from v1z3r_build.passes.images.variants import call, make, scale
from v1z3r_build.passes.link.digests import checked, patches
from v1z3r_build.passes.link.filling import apply
from v1z3r_build.passes.link.proof import prove
from v1z3r_build.passes.link.survey import survey
from v1z3r_build.site.address import Addresses
from v1z3r_build.site.patterns import matcher
from v1z3r_build.site.site import Read
from v1z3r_build.site.spooled import Spooled
from v1z3r_build.workers.progress import SilentProgress

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from v1z3r_build.diagnostics import Diagnostic
    from v1z3r_build.passes.images.markup import Markup
    from v1z3r_build.passes.images.offers import Edit
    from v1z3r_build.passes.images.variants import Made
    from v1z3r_build.passes.link.survey import Survey
    from v1z3r_build.settings import ImagesSettings, Settings
    from v1z3r_build.site import Asset, Site
    from v1z3r_build.workers.pool import Call, Pool
    from v1z3r_build.workers.progress import Progress

_SCALED = re.compile(rb"[^/\"\s,]+\.\d+w\.(?:avif|webp)")
_NEGOTIATE = "Servers that answer by the Accept header can send its variants all the same; the manifest names them."
# What is made into other formats. AVIF is as small as it gets; what else browsers show is rare, or no raster image.
_RASTERS = frozenset({"image/png", "image/apng", "image/jpeg", "image/gif", "image/webp"})


def images(site: Site, settings: Settings, pool: Pool, progress: Progress) -> Site:
    """The site with variants of its images, and with pages, style sheets and scripts that name them where proved.

    An image that cannot be read stays as it is, and a diagnostic says so.
    """
    mode = _modes(settings.images)
    rasters = _rasters(site, mode)
    pages = (site.assets[path] for path, one in site.assets.each_traits() if one.kind == "html")
    if not rasters and not any(b"data:image/" in one.read() for one in pages):
        return _with(site, {}, shrunk(site, settings.images, None, pool))
    # What reads pages and style sheets for the sake of images is slow to import, and of no use without them.
    from v1z3r_build.passes.images.markup import markup, scripts_of, shown_still
    from v1z3r_build.passes.images.replacement import Replacements
    from v1z3r_build.passes.images.usage import kept_offline, uses

    kept = Spooled[Read](site.spool)
    seen = survey(site, pool, SilentProgress(), kept)
    site = replace(site, readings=kept)
    addresses = Addresses(site.assets.keys(), settings.site.base, settings.site.origin)
    proof = prove(site, seen, addresses, settings, _frozen(site, seen, addresses))
    used = uses(site, seen, proof.references, rasters, settings.images)
    made, diagnostics = make(site, used, seen.tokens, settings.images, pool, progress)
    scripts = scripts_of(site, proof.references, addresses)
    stated = _checked(seen, addresses)
    offline = kept_offline(site, seen, proof)
    chosable = {
        path: one
        for path, one in made.items()
        if one.variants and mode(path) in ("auto", "picture") and path not in stated and path not in offline
    }
    scaled: Mapping[str, Mapping[int, tuple[Asset, ...]]] = {}
    if settings.images.widths:
        still = shown_still(site, proof.references, scripts)
        wide = {path: one for path, one in chosable.items() if path in still and not used[path].exact}
        scaled = scale(site, wide, seen.tokens, settings.images, pool)
    offers = {path: _offer(one, scaled.get(path, {})) for path, one in chosable.items()}
    chosen = markup(site, proof.references, offers, addresses, scripts)
    inlined = shrunk(site, settings.images, lambda page: not scripts.stillness(page.path, page.read()).reason, pool)
    edits: dict[str, list[Edit]] = {}
    for file, some in (*chosen.edits.items(), *inlined.items()):
        edits.setdefault(file, []).extend(some)
    replacements = Replacements(site, seen, proof)
    for path, one in made.items():
        webp = next((variant for variant in one.variants if variant.content_type == "image/webp"), None)
        if webp is None or mode(path) not in ("auto", "replace") or path in stated:
            continue
        offered = {file for file, images in chosen.offered.items() if path in images}
        replaced = replacements.of(path, webp.path, offered)
        if isinstance(replaced, str):
            diagnostics.append(info("image-not-replaced", path, f"its own name stays: {replaced}", _NEGOTIATE))
            continue
        for file, more in replaced.items():
            edits[file] = [*edits.get(file, ()), *_apart(more, edits.get(file, ()))]
    diagnostics += _left(chosen)
    fewer = [one for widths in scaled.values() for same in widths.values() for one in same]
    return _with(site, made, edits).with_assets(_named(edits, fewer), sorted(diagnostics))


def foreseen(site: Site, settings: Settings) -> Iterator[Call]:
    """The calls for large images, which take seconds each and wait for nothing but to know how they are used."""
    images = _rasters(site, _modes(settings.images))
    if not images:
        return
    from v1z3r_build.passes.images.glance import likely  # slow to import

    for path, use in likely(site, images, settings.images):
        yield call(site.assets[path], use, settings.images)


def _rasters(site: Site, mode: Callable[[str], str]) -> list[str]:
    """The images that may be made into other formats."""
    return [path for path, one in site.assets.each_traits() if one.content_type in _RASTERS and mode(path) != "off"]


def _frozen(site: Site, seen: Survey, addresses: Addresses) -> dict[str, str]:
    """Files whose bytes linking will not change: what they say of an image must be said everywhere."""
    _, ambiguous = patches(site, seen, addresses)
    return dict.fromkeys((*ambiguous, *checked(site, seen)), "a digest of it is stated that cannot be renewed")


def _checked(seen: Survey, addresses: Addresses) -> set[str]:
    """The images of which a page states what their bytes must be."""
    return {
        addresses.find(one.url, path, reading.base).path
        for path, reading in seen.readings.items()
        for one in reading.integrities
    }


def _named(edits: Mapping[str, Iterable[Edit]], assets: Iterable[Asset]) -> Iterator[Asset]:
    """Of these assets, those that an edit names."""
    named = {name for found in edits.values() for one in found for name in _SCALED.findall(one.data)}
    return (one for one in assets if quote(posixpath.basename(one.path), safe="-._~!$*+;=@").encode() in named)


def _left(chosen: Markup) -> Iterator[Diagnostic]:
    """What pages and style sheets do not let browsers choose, one message for each reason."""
    for file, found in chosen.left.items():
        images: dict[str, set[str]] = {}
        for one in found:
            images.setdefault(one.message, set()).add(one.path)
        for message, paths in images.items():
            more = f" and {len(paths) - 1} more" if len(paths) > 1 else ""
            yield info("image-not-offered", file, f"{min(paths)}{more}, browsers are given no choice: {message}")


def _offer(made: Made, scaled: Mapping[int, tuple[Asset, ...]]) -> Offer:
    largest = max(variant.size for variant in made.variants)
    variants = tuple((variant.content_type, variant.path) for variant in made.variants)
    widths = tuple(
        (
            kind,
            tuple((width, one.path) for width in sorted(scaled) for one in scaled[width] if one.content_type == kind),
        )
        for kind, _ in variants
    )
    return Offer(variants, made.width, made.height, made.image.size - largest, widths)


def _apart(edits: Iterable[Edit], others: Iterable[Edit]) -> Iterator[Edit]:
    """The edits that touch none of the others: a preload link may name a variant already."""
    taken = [other for other in others if other.start < other.end]
    return (one for one in edits if not any(other.start < one.end and one.start < other.end for other in taken))


def _with(site: Site, made: Mapping[str, Made], edits: Mapping[str, list[Edit]]) -> Site:
    changed: dict[str, Asset] = {path: one.image for path, one in made.items()}
    for one in made.values():
        # Of what a server chooses from, a better format may stand behind a worse one, too.
        for number, variant in enumerate(one.variants):
            better = tuple(other.path for other in one.variants[:number])
            twin = changed.get(variant.path, variant)
            sources = tuple(sorted({*twin.sources, *variant.sources}))
            changed[variant.path] = replace(variant, sources=sources, variants=better)
    for path, found in edits.items():
        asset = site.assets[path]
        changed[path] = site.rewritten(asset, apply(asset.read(), found))
    return site.with_assets(changed.values())


def _modes(settings: ImagesSettings) -> Callable[[str], str]:
    """The mode of an image, by its path: that of the first list with a pattern for it, else the one for all."""
    listed = [(mode, matcher(getattr(settings, mode))) for mode in ("off", "negotiate", "picture", "replace")]
    return lambda path: next((mode for mode, fits in listed if fits(path)), settings.mode)
