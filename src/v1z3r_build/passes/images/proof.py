"""The proof that a page with pictures is the page without them: the same tree, found by the same selectors."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, NamedTuple

import turbohtml
from turbohtml import Element

from v1z3r_build.formats import html, style_rules
from v1z3r_build.passes.images.selectors import Place, Trees, Verdict, takes_from_parent
from v1z3r_build.passes.link.filling import apply

if TYPE_CHECKING:
    from collections.abc import Sequence

    from turbohtml import Document

    from v1z3r_build.passes.images.offers import Edit
    from v1z3r_build.passes.images.selectors import Probes

_ELSEWHERE = Verdict("it is parsed to another place")


class Insertion(NamedTuple):
    """Elements inserted for one image. number: of the image among the page's elements. wraps: whether a picture was
    put around it; else its picture was there, and got sources.
    """

    number: int
    wraps: bool


def parsed(data: bytes, *, scripting: bool = True) -> Document:
    """A page as a browser reads it; templates of shadow trees stay templates."""
    return turbohtml.parse(
        html.code_points(data), source_locations=True, scripting=scripting, allow_declarative_shadow_roots=False
    )


def verdicts(
    data: bytes, edits: Sequence[Edit], insertions: Sequence[Insertion], probes: Sequence[Probes]
) -> list[Verdict] | None:
    """For each insertion, whether a style sheet could tell; None if the page is parsed to another tree.

    data: the page before; edits: all of them together. Those that insert no elements are passed over.
    """
    elements = list(parsed(data).iter_elements())
    edits = [edit for edit in edits if edit.start == edit.end and edit.data.startswith(b"<")]
    after = apply(data, edits)
    starts = _starts(edits)
    if not all(_is_same(data, after, starts, scripting=scripting) for scripting in (True, False)):
        return None
    fresh: set[Element] = set()
    same: list[Element] = []
    for element in parsed(after).iter_elements():
        if _is_inserted(element, starts):
            fresh.add(element)
        else:
            same.append(element)
    trees = Trees(dict(zip(same, elements, strict=True)))
    places = [_place(same[one.number], one.wraps, fresh) for one in insertions]
    found = [_verdict(place, trees, probes) if place else _ELSEWHERE for place in places]
    return _with_siblings(places, found, trees, probes)


def _place(image: Element, wraps: bool, fresh: set[Element]) -> Place | None:
    """Where the new elements are, None if they are not where they were put."""
    parent = image.parent
    sources = tuple(one for one in image.previous_siblings if isinstance(one, Element) and one in fresh)
    if not isinstance(parent, Element) or parent.tag != "picture" or (parent in fresh) != wraps or not sources:
        return None
    return Place(image, (image,), parent if wraps else None, sources)


def _verdict(place: Place, trees: Trees, probes: Sequence[Probes]) -> Verdict:
    inherit: set[str] = set()
    for probe in probes:
        verdict = probe.verdict(trees, place)
        if verdict.doubt:
            return verdict
        inherit.update(verdict.inherit)
    style = place.image.attrs.get("style")
    if place.picture is not None and isinstance(style, str):
        declared = style_rules.attribute_declarations(style)
        inherit.update(one.name for one in declared if takes_from_parent(one))
    if {"all", "display"} & inherit:
        return Verdict("inherit, of the parent's display")
    return Verdict(inherit=tuple(sorted(inherit)))


def _with_siblings(
    places: Sequence[Place | None], found: list[Verdict], trees: Trees, probes: Sequence[Probes]
) -> list[Verdict]:
    """The verdicts, with what the images' siblings say: asked once for all images in one parent."""
    together: defaultdict[Element, list[int]] = defaultdict(list)
    for number, place in enumerate(places):
        around = None if place is None else (place.picture or place.image).parent
        if isinstance(around, Element) and not found[number].doubt:
            together[around].append(number)
    for around, numbers in together.items():
        first = places[numbers[0]]
        assert first is not None
        beside = tuple(one for one in around.children if isinstance(one, Element) and one in trees.old)
        place = Place(first.image, tuple(one for one in beside if one != first.image), None, ())
        doubt = next((verdict.doubt for probe in probes if (verdict := probe.verdict(trees, place)).doubt), "")
        if doubt:
            for number in numbers:
                found[number] = Verdict(doubt)
    return found


def _is_same(before: bytes, after: bytes, starts: set[int], *, scripting: bool) -> bool:
    """Whether the tree is as it was without what was inserted."""
    tree = parsed(after, scripting=scripting)
    for element in [one for one in tree.iter_elements() if _is_inserted(one, starts)]:
        if element.tag == "source":
            element.decompose()
        else:
            element.unwrap()
    return tree.equals(parsed(before, scripting=scripting))


def _is_inserted(element: Element, starts: set[int]) -> bool:
    location = element.source_location
    return location is not None and location.start_tag is not None and location.start_tag.start_offset in starts


def _starts(edits: Sequence[Edit]) -> set[int]:
    """Where the inserted tags begin in the page after."""
    found: set[int] = set()
    moved = 0
    for edit in sorted(edits):
        at = edit.data.find(b"<")
        while at >= 0:
            found.add(edit.start + moved + at)
            at = edit.data.find(b"<", at + 1)
        moved += len(edit.data)
    return found
