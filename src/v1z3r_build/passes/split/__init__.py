"""The pass that takes libraries out of the scripts that they lie mixed in, into files that only they change.

Each family of bundlers has two steps: it splits those scripts that are its own, one by one; then it carries that out in
the site, as far as everything that loads the scripts can be told of the new files.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from v1z3r_build.passes.split import chunk_lists, copies, module_graph, packages, queues
from v1z3r_build.passes.split.labels import held
from v1z3r_build.passes.split.workshop import Workshop
from v1z3r_build.settings import VENDORS

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from v1z3r_build.passes.split.answer import Answer
    from v1z3r_build.settings import Settings
    from v1z3r_build.site import Site
    from v1z3r_build.workers.pool import Pool
    from v1z3r_build.workers.progress import Progress

# A script that brotli makes less than twice as small is rare: smaller ones cannot hold a vendor that is worth it.
_DENSEST = 2


class _Family(NamedTuple):
    split: Callable[[Workshop, Sequence[str]], list[Answer]]
    carry_out: Callable[[Workshop, Sequence[Answer]], None]


# A script is the first's that knows it: Turbopack's queue looks like webpack's; of ES modules only the syntax is known.
_FAMILIES = (
    _Family(chunk_lists.split_chunks, chunk_lists.carry_out),
    _Family(queues.split_chunks, queues.carry_out),
    _Family(module_graph.split_modules, module_graph.carry_out),
)


def split(site: Site, settings: Settings, pool: Pool, progress: Progress) -> Site:
    """The site with the vendors' files added, and all that must load them made to.

    Raises InputError if the settings name a library that is not there.
    """
    wanted = [name for name in settings.split.vendors if name in VENDORS]
    workshop = Workshop(site, settings, [*wanted, *packages.read(settings, site.root, pool)], pool, progress)
    holding = _holding(workshop, _DENSEST * settings.split.min_size)
    # A source map would tell of other lines and columns then.
    paths = [path for path in holding if f"{path}.map" not in site.assets]
    progress.start("split", sum(site.assets[path].size for path in paths))
    for family in _FAMILIES:
        answers = family.split(workshop, paths)
        known = {answer.path for answer in answers}
        paths = [path for path in paths if path not in known]
        family.carry_out(workshop, answers)
    workshop.diagnostics += copies.report(workshop, _holders(workshop, holding))
    return site.with_assets(workshop.changed.values(), sorted(workshop.diagnostics))


def _holding(workshop: Workshop, least: int) -> dict[str, tuple[str, ...]]:
    """The scripts of so many bytes that can hold a vendor, and the labels of those that they can hold."""
    calls = [
        workshop.call(path, held, workshop.options[0], asset.location)
        for path, asset in workshop.site.assets.items()
        if asset.kind == "script" and asset.size >= least
    ]
    return {path: labels for path, labels, _ in workshop.outcomes(calls) if labels}


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
