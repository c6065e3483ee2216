"""The differences between two observations of a page, as data."""

from __future__ import annotations

import io
from collections import Counter
from dataclasses import dataclass
from itertools import chain, groupby, takewhile, zip_longest
from typing import TYPE_CHECKING, Literal

from PIL import Image, ImageChops

from .addresses import VENDOR

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .observation import Node, Observation

Kind = Literal[
    "address", "ready", "text", "elements", "attributes", "nodes", "errors", "failures", "screenshot", "reload"
]

# Share of differing pixels, and how much a colour channel of 0 … 255 may differ unseen.
SCREENSHOT_LIMIT = 0.005
CHANNEL_TOLERANCE = 8

# React's marks of a part whose content may come late (react-dom, ReactFiberConfigDOM).
_SUSPENSE = frozenset({"$", "$?", "$!", "$~", "/$"})


@dataclass(frozen=True, slots=True)
class Difference:
    """One difference. where: the place in the document, or what was compared."""

    kind: Kind
    where: str
    original: str
    optimized: str


def compare(original: Observation, optimized: Observation) -> list[Difference]:
    """All that a visitor or the page's scripts would find changed; empty when equal."""
    return [
        *_values(original, optimized),
        *_nodes(original.nodes, optimized.nodes),
        *_news("errors", original.errors, optimized.errors),
        *_news("failures", original.failures, optimized.failures),
        *_screenshot(original.screenshot, optimized.screenshot),
    ]


def screenshot_difference(original: bytes, optimized: bytes) -> float:
    """The share of pixels (0 … 1) that differ visibly; 1 for pictures of different size."""
    with Image.open(io.BytesIO(original)) as first, Image.open(io.BytesIO(optimized)) as second:
        if first.size != second.size:
            return 1.0
        channels = ImageChops.difference(first.convert("RGB"), second.convert("RGB")).split()
    worst = ImageChops.lighter(ImageChops.lighter(channels[0], channels[1]), channels[2])
    counts = worst.histogram()
    return sum(counts[CHANNEL_TOLERANCE + 1 :]) / sum(counts)


def _values(original: Observation, optimized: Observation) -> Iterator[Difference]:
    if original.address != optimized.address:
        yield Difference("address", "location", original.address, optimized.address)
    if original.ready != optimized.ready:
        yield Difference("ready", "html[data-ready]", str(original.ready), str(optimized.ready))
    if original.text != optimized.text:
        pairs = zip_longest(original.text.split("\n"), optimized.text.split("\n"), fillvalue="")
        number, (before, after) = next((number, pair) for number, pair in enumerate(pairs, 1) if pair[0] != pair[1])
        yield Difference("text", f"line {number}", before, after)


def _nodes(original: tuple[Node, ...], optimized: tuple[Node, ...]) -> Iterator[Difference]:
    """The first node that is another one, else all nodes that hold something else."""
    trail: list[str] = []
    changed: list[Difference] = []
    for before, after in zip_longest(_in_order(original), _in_order(optimized)):
        del trail[(before or after).depth :]
        if before is None or after is None or (before.depth, before.name) != (after.depth, after.name):
            yield Difference("elements", " > ".join(trail), _shown(before), _shown(after))
            return
        trail.append(before.name)
        where = " > ".join(trail)
        if before.data != after.data:
            changed.append(Difference("nodes", where, before.data, after.data))
        if before.attributes != after.attributes:
            first, second = dict(before.attributes), dict(after.attributes)
            for name in sorted(first.keys() | second.keys()):
                if first.get(name) != second.get(name):
                    place = f"{where}[{name}]"
                    changed.append(Difference("attributes", place, str(first.get(name)), str(second.get(name))))
    yield from changed


def _in_order(nodes: tuple[Node, ...]) -> Iterator[Node]:
    """The nodes, without those that come and go, and sorted where their order means nothing.

    Frameworks add hints as answers come in. React 19 adds titles and metadata, too, wherever the head ends by then.
    """
    lasting = [node for node in nodes if not _is_passing(node)]
    start = next((place for place, node in enumerate(lasting, 1) if node.name == "head"), 0)
    inside = list(takewhile(lambda node: start and node.depth > lasting[start - 1].depth, lasting[start:]))
    yield from lasting[:start]
    yield from chain(*sorted(_with_content(inside), key=lambda unit: _head_rank(unit[0])))
    for (_, is_hint), run in groupby(lasting[start + len(inside) :], lambda node: (node.depth, _is_hint(node))):
        neighbours = list(run)
        if is_hint:
            neighbours.sort(key=lambda node: node.attributes)
        yield from neighbours


def _is_passing(node: Node) -> bool:
    """Whether it is there or not is chance: what it does is seen in everything else.

    webpack's runtime takes a script out of the document when it has waited for it, and not when it came before the
    runtime asked; React takes the marks of a suspended part away when it renders that part anew.
    """
    attributes = dict(node.attributes)
    # What loads a vendor's file stands beside what loads the script that it was split off.
    vendor = any(attributes.get(name, "").startswith(f"site:{VENDOR} ") for name in ("src", "href"))
    return vendor or (node.name == "#comment" and node.data in _SUSPENSE) or "(async)" in attributes


def _with_content(nodes: list[Node]) -> list[list[Node]]:
    """Neighbours, each with the nodes that it holds."""
    units: list[list[Node]] = []
    for node in nodes:
        if not units or node.depth == units[0][0].depth:
            units.append([])
        units[-1].append(node)
    return units


def _head_rank(node: Node) -> tuple[bool, str, tuple[tuple[str, str], ...]]:
    """What is read in its order stays in it, before all else."""
    read = node.name in ("base", "style", "script") or ("rel", "stylesheet") in node.attributes
    return (False, "", ()) if read else (True, node.name, node.attributes)


def _is_hint(node: Node) -> bool:
    return node.name == "link" and dict(node.attributes).get("rel") in ("prefetch", "preload", "modulepreload")


def _shown(node: Node | None) -> str:
    if node is None:
        return "nothing"
    if node.name.startswith("#"):
        return f"{node.name} {node.data!r}"
    return f"<{' '.join([node.name, *(f'{name}={value!r}' for name, value in node.attributes)])}>"


def _news(
    kind: Literal["errors", "failures"], original: tuple[str, ...], optimized: tuple[str, ...]
) -> Iterator[Difference]:
    for message, count in (Counter(optimized) - Counter(original)).items():
        yield Difference(kind, message, str(original.count(message)), str(original.count(message) + count))


def _screenshot(original: bytes, optimized: bytes) -> Iterator[Difference]:
    ratio = screenshot_difference(original, optimized)
    if ratio > SCREENSHOT_LIMIT:
        yield Difference("screenshot", "whole page", "0.00 %", f"{ratio:.2%}")
