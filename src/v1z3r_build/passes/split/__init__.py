"""The pass that takes libraries out of the scripts that they lie mixed in, into files that only they change.

Each family of bundlers has two steps: it splits those scripts that are its own, one by one; then it carries that out in
the site, as far as everything that loads the scripts can be told of the new files.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from v1z3r_build.passes.split import module_graph, queues
from v1z3r_build.passes.split.labels import may_hold
from v1z3r_build.passes.split.workshop import Workshop

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

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


# A script is the first's that knows it; of ES modules nothing but their syntax is known.
_FAMILIES = (
    _Family(queues.split_chunks, queues.carry_out),
    _Family(module_graph.split_modules, module_graph.carry_out),
)


def split(site: Site, settings: Settings, pool: Pool, progress: Progress) -> Site:
    """The site with the vendors' files added, and all that must load them made to."""
    if not settings.split.vendors:
        return site
    workshop = Workshop(site, settings, pool, progress)
    paths = _candidates(workshop, _DENSEST * settings.split.min_size)
    progress.start("split", sum(site.assets[path].size for path in paths))
    for family in _FAMILIES:
        answers = family.split(workshop, paths)
        known = {answer.path for answer in answers}
        paths = [path for path in paths if path not in known]
        family.carry_out(workshop, answers)
    return site.with_assets(workshop.changed.values(), sorted(workshop.diagnostics))


def _candidates(workshop: Workshop, least: int) -> list[str]:
    """The scripts that can hold a vendor worth a file."""
    assets = workshop.site.assets
    calls = [
        workshop.call(path, may_hold, workshop.options[0], asset.location)
        for path, asset in assets.items()
        # A source map would tell of other lines and columns then.
        if asset.kind == "script" and asset.size >= least and f"{path}.map" not in assets
    ]
    return [path for path, may, _ in workshop.outcomes(calls) if may]
