"""Limits for a site that has none: its sizes of today, and a little more."""

from __future__ import annotations

import json
import math
from collections import defaultdict
from typing import TYPE_CHECKING

from v1z3r_build.budget.figures import Figure
from v1z3r_build.budget.places import named

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from v1z3r_build.manifest import Manifest

_ROOM = 5  # percent
_MOST = 12  # routes with tables of their own; if there are more, those of one folder share theirs
_KINDS = ("script", "style", "font", "image")


def text(manifest: Manifest, prefix: tuple[str, ...] = ()) -> str:
    """Tables in TOML that hold all of today's figures plus 5 %. prefix: keys before `budget`."""
    lines = ["# What a browser may transfer: sizes of today plus 5 %. kB is 1000 bytes, KiB 1024.", _header(prefix)]
    lines += ["# As browsers take files by default; gzip and raw are the others.", 'encoding = "br"']
    for pattern, routes in _groups(manifest.routes):
        lines += ["", _header(prefix, "routes", pattern), *_limits(manifest, routes)]
    return "\n".join(lines) + "\n"


def _header(prefix: tuple[str, ...], *keys: str) -> str:
    return f"[{named((*prefix, 'budget', *keys))}]"


def _groups(routes: Iterable[str]) -> list[tuple[str, list[str]]]:
    """Patterns, each with the routes that it is for."""
    # TOML holds valid Unicode alone, and no control characters.
    written = sorted(route for route in routes if route.isprintable())
    if len(written) <= _MOST:
        return [(route, [route]) for route in written]
    groups: defaultdict[str, list[str]] = defaultdict(list)
    for route in written:
        folder = route.split("/")[1]
        groups[f"/{folder}/*" if route.startswith(f"/{folder}/") else route].append(route)
    return [(pattern if len(found) > 1 else found[0], found) for pattern, found in groups.items()]


def _limits(manifest: Manifest, routes: list[str]) -> Iterator[str]:
    def largest(figure: Figure) -> int:
        return max(figure.measure(manifest, route).value for route in routes)

    for kind in _KINDS:
        if value := largest(Figure(kind, "br", kinds=(kind,))):
            yield f"{kind} = {_size(value)}"
    yield f"total = {_size(largest(Figure('total', 'br')))}"
    yield f"requests = {math.ceil(largest(Figure('requests', 'requests')) * (100 + _ROOM) / 100)}"
    if value := largest(Figure("lazy", "br", lazy=True)):
        yield f"lazy = {_size(value)}"
    labels = sorted({record.vendor for record in manifest.files.values()} - {""})
    shares = {label: largest(Figure(label, "br", vendor=label)) for label in labels}
    if any(shares.values()):
        listed = ", ".join(f"{named((label,))} = {_size(value)}" for label, value in shares.items() if value)
        yield f"vendors = {{ {listed} }}"


def _size(value: int) -> str:
    """A size with room, rounded up to three digits."""
    roomy = math.ceil(value * (100 + _ROOM) / 100)
    step = 10 ** max(0, len(str(roomy)) - 3)
    rounded = math.ceil(roomy / step) * step
    for unit, size in (("MB", 1000_000), ("kB", 1000)):
        if rounded >= size:
            return json.dumps(f"{rounded / size:.6f}".rstrip("0").rstrip(".") + f" {unit}")
    return json.dumps(f"{rounded} B")
