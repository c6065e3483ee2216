"""The images pass: formats that are smaller and look the same, and pages that ask for them.

usage (what each image is for) → variants (other formats of it) → markup and replacement (who names them). Whatever
no page names is offered by the manifest, to servers that answer by what a browser accepts.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from v1z3r_build.passes.images.replacement import Replacements
from v1z3r_build.passes.images.usage import uses
from v1z3r_build.passes.images.variants import make
from v1z3r_build.passes.link.filling import apply
from v1z3r_build.passes.link.proof import prove
from v1z3r_build.passes.link.survey import survey
from v1z3r_build.site.address import Addresses
from v1z3r_build.site.patterns import matcher
from v1z3r_build.workers.progress import SilentProgress

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from v1z3r_build.passes.images.replacement import Edit
    from v1z3r_build.passes.images.variants import Made
    from v1z3r_build.settings import ImagesSettings, Settings
    from v1z3r_build.site import Asset, Site
    from v1z3r_build.workers.pool import Pool
    from v1z3r_build.workers.progress import Progress

# What is made into other formats. AVIF is as small as it gets; what else browsers show is rare, or no raster image.
_RASTERS = frozenset({"image/png", "image/apng", "image/jpeg", "image/gif", "image/webp"})


def images(site: Site, settings: Settings, pool: Pool, progress: Progress) -> Site:
    """The site with variants of its images, and with pages, style sheets and scripts that name them where proved.

    An image that cannot be read stays as it is, and a diagnostic says so.
    """
    mode = _modes(settings.images)
    rasters = [path for path, asset in site.assets.items() if asset.content_type in _RASTERS and mode(path) != "off"]
    if not rasters:
        return site
    seen = survey(site, pool, SilentProgress())
    addresses = Addresses(site.assets.keys(), settings.site.base, settings.site.origin)
    proof = prove(site, seen, addresses, settings, {})
    used = uses(site, seen, proof.references, rasters, settings.images, pool)
    made, diagnostics = make(site, used, seen.tokens, settings.images, pool, progress)
    edits: dict[str, list[Edit]] = {}
    replacements = Replacements(site, seen, proof)
    for path, one in made.items():
        webp = next((variant for variant in one.variants if variant.content_type == "image/webp"), None)
        if webp is None or mode(path) not in ("auto", "replace"):
            continue
        found = replacements.of(path, webp.path, ())
        if isinstance(found, str):
            continue
        for file, more in found.items():
            edits.setdefault(file, []).extend(more)
    return _with(site, made, edits).with_assets((), diagnostics)


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
