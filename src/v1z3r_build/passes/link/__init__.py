"""The link pass: find every reference, give names that hold the hash of what they name, fill them in.

survey (what every file says) → proof (who may be renamed) → digests (what follows the bytes) → filling (names and
bytes) → routes (what each page needs).
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from v1z3r_build.diagnostics import Diagnostic, place, warning
from v1z3r_build.passes.link.digests import broken_before, broken_by_linking, checked, patches, unmatched
from v1z3r_build.passes.link.filling import DigestCircleError, Names
from v1z3r_build.passes.link.proof import Proof, prove, unchanged
from v1z3r_build.passes.link.routes import routes
from v1z3r_build.passes.link.survey import Survey, survey
from v1z3r_build.site.address import Addresses
from v1z3r_build.site.patterns import matcher

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from v1z3r_build.settings import Settings
    from v1z3r_build.site import Asset, Site
    from v1z3r_build.workers.pool import Pool
    from v1z3r_build.workers.progress import Progress

    _Decision = Callable[[Site, Survey, Addresses, Settings, Mapping[str, str]], Proof]


def link(site: Site, settings: Settings, pool: Pool, progress: Progress) -> Site:
    """The site with proved names, its cache classes and its routes.

    Raises nothing of its own: what cannot be proved keeps its name, and `kept` says why.
    """
    return _linked_by(prove, site, settings, pool, progress)


def follow(site: Site, settings: Settings, pool: Pool, progress: Progress) -> Site:
    """The site with all its names, and digests and revisions that follow the bytes which earlier passes changed.

    For runs that leave linking out: without it, browsers would refuse what they are told another digest of.
    """
    if all(asset.location == asset.original for asset in site.assets.values()):
        return site
    return _linked_by(unchanged, site, settings, pool, progress)


def _linked_by(decide: _Decision, site: Site, settings: Settings, pool: Pool, progress: Progress) -> Site:
    addresses = Addresses(site.assets.keys(), settings.site.base, settings.site.origin)
    frozen: dict[str, str] = {}
    while True:
        site = _thawed(site, frozen)
        seen = survey(site, pool, progress)
        proof = decide(site, seen, addresses, settings, frozen)
        found, ambiguous = patches(site, seen, addresses)
        more = dict.fromkeys(ambiguous, "a digest covers it and another file with equal bytes")
        more |= dict.fromkeys(checked(site, seen), "a digest of it is stated, and who checks it is not known")
        if not more.keys() - frozen.keys():
            try:
                names = Names(site, proof, seen.tokens, {p: f for p, f in found.items() if p not in frozen})
            except DigestCircleError as circle:
                more = dict.fromkeys(circle.paths, "a digest covers bytes that depend on the digest itself")
            else:
                before = broken_before(site, seen, addresses)
                caught = broken_by_linking(site, seen, addresses, names, before)
                if not caught - frozen.keys():
                    break
                more = dict.fromkeys(caught, "a digest covers it in a form that cannot be renewed")
        if not more.keys() - frozen.keys():
            raise AssertionError(f"the same digests stand in the way twice: {sorted(more)}")
        frozen.update(more)
    return replace(
        site.with_only(_linked(site, proof, names, settings)),
        readings={},
        diagnostics=(*site.diagnostics, *seen.diagnostics, *_dangling(site, seen, proof), *unmatched(site, before)),
        routes=routes(site, seen, proof, names.path),
    )


def _thawed(site: Site, frozen: dict[str, str]) -> Site:
    """The site with the input's bytes in place of what earlier passes made of the frozen files."""
    return site.with_assets(
        replace(asset, location=asset.original, size=asset.original.stat().st_size)
        for path in sorted(frozen)
        if (asset := site.assets[path]).location != asset.original and asset.cache_class != "immutable"
    )


def _linked(site: Site, proof: Proof, names: Names, settings: Settings) -> Iterator[Asset]:
    droppable = matcher(settings.names.drop)
    for path, asset in site.assets.items():
        data = names.final(path) if proof.fills.get(path) or names.patched(path) else None
        new = names.path(path)
        if new != path:
            renamed = replace(asset, path=new, cache_class="immutable", kept="")
            yield renamed if data is None else site.rewritten(renamed, data)
            if names.unit(path).startswith("t:") or droppable(path):
                continue
        if data is not None:
            asset = site.rewritten(asset, data)
        if asset.cache_class == "immutable":  # an image's variant, which was named by its bytes
            yield asset
            continue
        # Of these the class says why they keep their name.
        if asset.kind == "html":
            asset = replace(asset, cache_class="html")
        elif path in proof.service_workers:
            asset = replace(asset, cache_class="service-worker")
        else:
            asset = replace(asset, kept=proof.kept.get(path) or asset.kept or proof.fixed.get(path, ""))
        yield asset


def _dangling(site: Site, seen: Survey, proof: Proof) -> Iterator[Diagnostic]:
    """References of the input that lead nowhere: the site's own fault, left alone and named."""
    for path in proof.dangling:
        missing = [reference for reference in proof.references[path] if not reference.target]
        data = site.assets[path].read()
        for reference in missing:
            line, column = place(data, reference.url.start)
            yield warning(
                "dangling-reference",
                path,
                f"{reference.url.text} leads to no file of the site",
                "Correct the reference or add the file. If the site is served below a folder, give it with --base.",
                line,
                column,
            )
