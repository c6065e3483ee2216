"""One library in several scripts: what is told of it. Copies are never merged, for each has a state of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING

from v1z3r_build.bundlers.words import messages
from v1z3r_build.diagnostics import info

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from v1z3r_build.diagnostics import Diagnostic
    from v1z3r_build.passes.split.workshop import Workshop

# Of the messages of three's or tfjs's core, three quarters are the same in versions four years apart; a part of a
# library shares next to none with another, such as a loader with the core. A few may be the same by chance.
_SAME, _LEAST = 0.5, 20


def report(workshop: Workshop, holders: Mapping[str, Sequence[str]]) -> Iterator[Diagnostic]:
    """Say which scripts hold the same parts of a vendor, in one version or in two.

    holders: by label the scripts that hold it. A file that was split off has no name yet that lasts: it is told as the
    script of the input that it was in.
    """
    several = {label: sorted(paths) for label, paths in holders.items() if len(paths) > 1}
    scripts = {path for paths in several.values() for path in paths}
    calls = (workshop.call(path, messages, workshop.asset(path).location) for path in sorted(scripts))
    # What cannot be read says nothing.
    said = {path: found or frozenset() for path, found, _ in workshop.outcomes(calls)}
    for label, paths in sorted(several.items()):
        for number, path in enumerate(paths):
            before = [one for one in paths[:number] if _are_copies(said[one], said[path])]
            if before:
                others = ", ".join(dict.fromkeys(_origin(workshop, one) for one in before))
                yield info(
                    "vendor-copies",
                    _origin(workshop, path),
                    f"it holds {label}, and so do {others}: most messages are the same; they stay as they are",
                    "Let the app and all that it depends on use one version, and let the bundler share it.",
                )


def _origin(workshop: Workshop, path: str) -> str:
    return path if path in workshop.site.assets else workshop.asset(path).sources[0]


def _are_copies(one: frozenset[bytes], other: frozenset[bytes]) -> bool:
    return len(one & other) >= max(_LEAST, _SAME * min(len(one), len(other)))
