"""The pass that takes libraries out of the scripts that they lie mixed in, into files that only they change.

Scripts are looked into one by one, each by the family of bundlers whose it is; then each family carries out in the site
what came of its own, as far as everything that loads the scripts can be told of the new files.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from v1z3r_build.passes.split import copies, mapping, packages
from v1z3r_build.passes.split.inspection import inspect
from v1z3r_build.passes.split.labels import held, held_by_map
from v1z3r_build.passes.split.workshop import Workshop

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from v1z3r_build.bundlers.vocabulary import Vendor
    from v1z3r_build.passes.split.families import Family
    from v1z3r_build.passes.split.inspection import Finding
    from v1z3r_build.settings import Settings
    from v1z3r_build.site import Site
    from v1z3r_build.workers.pool import Pool
    from v1z3r_build.workers.progress import Progress

# A script that brotli makes less than twice as small is rare: smaller ones cannot hold a vendor that is worth it.
_DENSEST = 2


def split(site: Site, settings: Settings, pool: Pool, progress: Progress) -> Site:
    """The site with the vendors' files added, and all that must load them made to.

    Raises InputError if the settings name a library that is not there.
    """
    wanted: list[str | Vendor] = [*settings.split.known, *packages.read(settings, site.root, pool)]
    workshop = Workshop(site, settings, wanted, pool, progress)
    scripts = _scripts(site, _DENSEST * settings.split.min_size)
    holding = _holding(workshop, scripts)
    paths = _told(workshop, scripts, holding)
    if not holding:
        return site
    progress.start("split", sum(site.assets[path].size for path in paths))
    calls = [workshop.call(path, inspect, path, *workshop.options(path), site.assets[path].location) for path in paths]
    findings: list[Finding] = list(workshop.answers(calls))
    for family in ("turbopack", "webpack", "modules"):
        _carry_out(workshop, family, [one for one in findings if one.family == family])
    workshop.compose_maps()
    workshop.diagnostics += copies.report(workshop, _holders(workshop, holding))
    return site.with_assets(workshop.changed.values(), sorted(workshop.diagnostics))


def _scripts(site: Site, least: int) -> list[str]:
    """The scripts of so many bytes."""
    scripts = (path for path, traits in site.assets.each_traits() if traits.kind == "script")
    return [path for path in scripts if site.assets.size(path) >= least]


def _holding(workshop: Workshop, scripts: Sequence[str]) -> dict[str, tuple[str, ...]]:
    """The scripts that can hold a vendor, and the labels of those that they can hold."""
    assets = workshop.site.assets
    calls = [workshop.call(path, held, workshop.wanted, assets[path].location) for path in scripts]
    return {path: labels for path, labels, _ in workshop.outcomes(calls) if labels}


def _told(workshop: Workshop, scripts: Sequence[str], holding: dict[str, tuple[str, ...]]) -> list[str]:
    """The scripts that may be split, after source maps have told what they hold: without its map none is."""
    assets = workshop.site.assets
    calls = []
    whole: dict[str, str] = {}
    for path in scripts:
        link = workshop.maps.of(path)
        if link is not None and link.path:
            calls.append(workshop.call(path, mapping.read, assets[path].location, assets[link.path].location))
        elif link is not None:
            whole[path] = mapping.beyond(link)
    for path, told, failure in workshop.outcomes(calls):
        if failure or told.objection:
            whole[path] = f"its source map could not be read ({failure})" if failure else told.objection
            continue
        workshop.told[path] = told.spans
        if labels := held_by_map(workshop.wanted, told.spans):
            holding[path] = labels
    for path in sorted(whole.keys() & holding.keys()):
        workshop.refuse(path, whole[path])
    return [path for path in sorted(holding) if path not in whole]


def _carry_out(workshop: Workshop, family: Family, findings: Sequence[Finding]) -> None:
    """Do in the site what came of looking into the scripts of a family."""
    if not findings:
        return
    answers = [one.answer for one in findings if one.answer is not None]
    # Most sites are of one bundler: the others' modules are not imported.
    if family == "turbopack":
        from v1z3r_build.passes.split.chunk_lists import carry_out
    elif family == "webpack":
        from v1z3r_build.passes.split.queues import carry_out
    else:
        from v1z3r_build.passes.split.module_graph import carry_out, split_modules

        answers = split_modules(workshop, findings)
    workshop.diagnostics += (told for one in answers for told in one.diagnostics)
    carry_out(workshop, answers)


def _holders(workshop: Workshop, holding: Mapping[str, Sequence[str]]) -> Mapping[str, Sequence[str]]:
    """By label the scripts that hold a vendor now: those made of it, and those that it could not be taken out of."""
    found: dict[str, list[str]] = {}
    for path, asset in workshop.changed.items():
        if asset.vendor:
            found.setdefault(asset.vendor, []).append(path)
    for path, labels in holding.items():
        for label in () if path in workshop.split or workshop.asset(path).vendor else labels:
            found.setdefault(label, []).append(path)
    return found
