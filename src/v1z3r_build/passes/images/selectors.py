"""The proof that style sheets do not notice the elements that were put around or beside an image.

Inserting elements changes a page for selectors in few places only: at the image, whose parent and siblings are others
now, and at what stands beside it, which has another neighbour. A selector that finds the same there finds the same
everywhere, unless it looks elsewhere by itself (`:has`, a selector within `:is`), and then that is asked in its place.
What a tree does not tell (`:hover`, classes that scripts set) is taken to be true of any element at any time.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from turbohtml import Element

from v1z3r_build.formats.style_rules import Part, Selector, Step
from v1z3r_build.passes.images.layout import SIZING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from v1z3r_build.formats.style_rules import Declaration, Rule


class Live(NamedTuple):
    """What scripts may change of elements. classes: None if they may set any. attributes: whether they set any."""

    classes: frozenset[str] | None = frozenset()
    attributes: bool = False

    def changes(self, part: Part) -> bool:
        """Whether a script can change what this simple selector finds."""
        if part.kind == "class":
            return self.classes is None or part.name in self.classes
        return self.attributes and part.kind in ("attribute", "id")


STILL = Live()


class Trees(NamedTuple):
    """A page before and after. old: from the elements after to the same ones before; without those inserted."""

    old: Mapping[Element, Element]


class Place(NamedTuple):
    """Where something was inserted, in the tree after. beside: the elements that have other neighbours or another
    parent now, the image among them. picture: the new one around the image, if it is new.
    """

    image: Element
    beside: tuple[Element, ...]
    picture: Element | None
    sources: tuple[Element, ...]


class Verdict(NamedTuple):
    """doubt: the selector or declaration because of which the page could look different, "" if there is none.
    inherit: properties that the image takes from its parent, and that the picture has to take from its own.
    """

    doubt: str = ""
    inherit: tuple[str, ...] = ()


class Probes:
    """The rules of some style sheets, made ready to be tried on many pages. live: what scripts of those may change."""

    def __init__(self, rules: Iterable[Rule], live: Live) -> None:
        self._changing: list[_Probe] = []
        self._taking: list[tuple[str, Selector, Rule]] = []
        self._inheriting: list[tuple[str, tuple[str, ...]]] = []
        self._sizing: list[tuple[str, tuple[Declaration, ...]]] = []
        seen: set[Selector] = set()
        for rule in rules:
            inheriting = tuple(dict.fromkeys(one.name for one in rule.declarations if takes_from_parent(one)))
            sizing = tuple(one for one in rule.declarations if one.name in SIZING)
            for selector in rule.selectors:
                if sizing and not selector.pseudo_element and selector.steps[-1].type in ("", "img"):
                    self._sizing.append((_text(selector.steps, live), sizing))
                for one in _with_inner(selector):
                    if one not in seen and (_is_concerned(one) or one.text.startswith(_HAS)):
                        self._changing.append(_Probe(one, live))
                    seen.add(one)
                if _may_be_new(selector.steps[-1]):
                    self._taking.append((_text(selector.steps, live, new=True), selector, rule))
                if inheriting and not selector.pseudo_element and selector.steps[-1].type in ("", "img"):
                    self._inheriting.append((_text(selector.steps, live), inheriting))

    def sizing(self, image: Element) -> Iterator[Declaration]:
        """What the rules may say, at any time, of how large an image is."""
        for text, declared in self._sizing:
            if _matches(image, text):
                yield from declared

    def verdict(self, trees: Trees, place: Place) -> Verdict:
        """Whether the page is the same for all rules."""
        for probe in self._changing:
            if probe.differs(trees, place):
                return Verdict(probe.selector.text.removeprefix(_HAS))
        for text, selector, rule in self._taking:
            if place.picture is not None and _matches(place.picture, text):
                doubt = _harm(selector, rule, image=trees.old[place.image])
                if doubt:
                    return Verdict(doubt)
            if any(_matches(source, text) for source in place.sources):
                doubt = _showing(selector, rule)
                if doubt:
                    return Verdict(doubt)
        if place.picture is None:
            return Verdict()
        names = [name for text, taken in self._inheriting if _matches(place.image, text) for name in taken]
        return Verdict(inherit=tuple(sorted(set(names))))


# The text of a selector that stands for what `:has` looks for begins with this.
_HAS = "\0"
_NEW_TYPES = ("", "picture", "source")


def _with_inner(selector: Selector) -> Iterator[Selector]:
    """A selector, and those within it that look at other elements than the one that it stands at."""
    yield selector
    for at, step in enumerate(selector.steps):
        for part in step.parts:
            for inner in part.inner:
                if part.name == "has":
                    # `.a:has(> b)` finds an `.a` by what `.a > b` finds.
                    first = Step(step.combinator, tuple(one for one in step.parts if one.name != "has"))
                    link = Step(inner.steps[0].combinator or " ", inner.steps[0].parts)
                    steps = (*selector.steps[:at], first, link, *inner.steps[1:])
                    yield from _with_inner(Selector(steps, _HAS + selector.text))
                elif len(inner.steps) > 1 or any(one.inner for one in inner.steps[0].parts):
                    yield from _with_inner(inner)


def _is_concerned(selector: Selector) -> bool:
    """Whether inserting an element can matter to a selector at all."""
    return any(
        _links(step, following) for step, following in zip(selector.steps, selector.steps[1:], strict=False)
    ) or any(_depends_on_siblings(step.parts) for step in selector.steps)


def _links(left: Step, right: Step) -> bool:
    if right.combinator in ("+", "~"):
        return right.type in ("", "img", "source") or left.type in ("", "img", "picture", "source")
    if right.combinator == ">":
        return right.type in ("", "img")
    return right.type in ("", "img") and _may_be_new(left)


def _depends_on_siblings(parts: Sequence[Part]) -> bool:
    return any(
        (part.kind == "structure" and part.name not in ("root", "empty"))
        or (part.kind == "logic" and part.name.startswith("nth"))
        or any(_depends_on_siblings(step.parts) for inner in part.inner for step in inner.steps)
        for part in parts
    )


def _may_be_new(step: Step) -> bool:
    """Whether a compound can match a new element: one without class or id, which no script can reach."""
    return step.type in _NEW_TYPES and not any(part.kind in ("class", "id") for part in step.parts)


def _is_sure(steps: Sequence[Step], live: Live) -> bool:
    """Whether the tree alone decides what is found."""
    return not any(
        part.kind == "loose"
        or not part.text
        or live.changes(part)
        or not all(_is_sure(inner.steps, live) for inner in part.inner)
        for step in steps
        for part in step.parts
    )


def _text(steps: Sequence[Step], live: Live, *, new: bool = False, bare: bool = False) -> str:
    """A selector for turbohtml that finds at least what these steps can find at any time.

    new: it is tried on new elements, which no script changes. bare: the last step without its place among siblings.
    """
    texts: list[str] = []
    for number, step in enumerate(steps):
        last = number == len(steps) - 1
        parts = step.parts
        if bare and last:
            parts = tuple(part for part in parts if not _depends_on_siblings((part,)))
        made = [_part(part, STILL if new and last else live) for part in parts]
        made.sort(key=lambda one: one[:1] in ".#[:")  # the element's name first, wherever `&` stood
        compound = "".join(made) or "*"
        combinator = "" if step.combinator in ("", " ") and not texts else step.combinator
        texts.append(f"{combinator}{compound}" if combinator == " " or not combinator else f" {combinator} {compound}")
    return "".join(texts)


def _part(part: Part, live: Live) -> str:
    if part.kind == "loose" or live.changes(part):
        return ""
    if part.kind != "logic":
        return part.text
    sure = all(_is_sure(inner.steps, live) for inner in part.inner)
    if part.name.startswith("nth"):
        return part.text if sure else ""
    if part.name in ("not", "has") and not sure:
        return ""
    inner = [_text(one.steps, live) for one in part.inner]
    name = part.name if part.name in ("not", "has", "where") else "is"
    return f":{name}({','.join(inner)})"


def _matches(element: Element, selector: str) -> bool:
    try:
        return element.matches(selector)
    except ValueError:
        return True  # what the engine does not know may match


class _Probe:
    """One selector, by the steps at which an inserted element could matter."""

    def __init__(self, selector: Selector, live: Live) -> None:
        self.selector = selector
        self.looks_within = selector.text.startswith(_HAS)
        steps = selector.steps
        self.new = _text(steps, live, new=True) if self.looks_within and _may_be_new(steps[-1]) else ""
        self.sure: list[tuple[str, bool]] = []  # with whether it is the whole selector
        self.links: list[tuple[str, str, str, str, bool]] = []
        self.orders: list[tuple[str, tuple[Part, ...]]] = []
        for number, step in enumerate(steps):
            prefix = steps[: number + 1]
            # Of `:has`, it matters from where an element is found, and not only whether it is.
            if not self.looks_within and _is_sure(prefix, live):
                self.sure.append((_text(prefix, live), len(prefix) == len(steps)))
                continue
            if number:
                before = steps[:number]
                self.links.append(
                    (
                        step.combinator,
                        _text(before, live),
                        _text(before, live, new=True) if _may_be_new(before[-1]) else "",
                        _text([Step("", step.parts)], live, bare=True),
                        not self.looks_within and _is_sure(before, live),
                    )
                )
            orders = tuple(_orders(step.parts))
            if orders:
                self.orders.append((_text(prefix, live, bare=True), orders))

    def differs(self, trees: Trees, place: Place) -> bool:
        """Whether the selector may find other elements after than before."""
        if self.new and any(_matches(one, self.new) for one in (place.picture, *place.sources) if one is not None):
            return True
        for element in place.beside:
            old = trees.old[element]
            for text, whole in self.sure:
                # An image has nothing in it: only its siblings hang on what it is, and they are asked for themselves.
                if (whole or element != place.image) and _matches(old, text) != _matches(element, text):
                    return True
            for combinator, left, left_new, right, sure in self.links:
                if not _matches(element, right):
                    continue
                before = _before(old, combinator)
                after = _before(element, combinator)
                kept = {trees.old[one] for one in after if one in trees.old}
                fresh = [one for one in after if one not in trees.old]
                new = left_new != "" and any(_matches(one, left_new) for one in fresh)
                if sure:
                    found = any(_matches(one, left) for one in before)
                    if found != (new or any(_matches(one, left) for one in after if one in trees.old)):
                        return True
                elif new or any(_matches(one, left) for one in {*before} ^ kept):
                    return True
            for text, orders in self.orders:
                if (_matches(old, text) or _matches(element, text)) and any(
                    _matches(old, part.text) != _matches(element, part.text) for part in orders
                ):
                    return True
        return False


def _orders(parts: Sequence[Part]) -> Iterator[Part]:
    """The simple selectors in a compound that ask for a place among siblings."""
    for part in parts:
        if part.kind == "structure" or (part.kind == "logic" and part.name.startswith("nth")):
            yield part
        for inner in part.inner:
            for step in inner.steps:
                yield from _orders(step.parts)


def _before(element: Element, combinator: str) -> list[Element]:
    """The elements to which a combinator leads from the one on its right."""
    if combinator == ">":
        return [element.parent] if isinstance(element.parent, Element) else []
    if combinator in (" ", ""):
        return [one for one in element.ancestors if isinstance(one, Element)]
    siblings = [one for one in element.previous_siblings if isinstance(one, Element)]
    return siblings[:1] if combinator == "+" else siblings


# What a declaration does to a `<picture>` that has no box (CSS Display 3: `display: contents`)

# Properties of the box itself, which are not inherited: there is none.
_OF_THE_BOX = re.compile(
    r"(?:-webkit-|-moz-|-ms-)?(?:"
    r"margin|padding|border|outline|background|box|inset|overflow|object|grid|flex|align|justify|place|"
    r"scroll|column|break|page-break|mask|text-decoration|"
    r"(?:(?:min|max)-)?(?:width|height|inline-size|block-size)"
    r")(?:-[a-z-]+)?|"
    r"(?:-webkit-|-moz-|-ms-)?(?:"
    r"display|top|right|bottom|left|position|float|clear|z-index|opacity|transform(?:-origin|-style|-box)?|translate|scale|"
    r"rotate|clip|clip-path|filter|backdrop-filter|aspect-ratio|order|gap|row-gap|vertical-align|table-layout|resize|"
    r"appearance|user-select|unicode-bidi|will-change|perspective|perspective-origin|mix-blend-mode|isolation|"
    r"touch-action|text-overflow|shape-outside|shape-margin|shape-image-threshold|-webkit-user-drag"
    r")"
)
# Of those that look so, inherited ones.
_INHERITED = re.compile(
    r"(?:-webkit-|-moz-)?(?:border-collapse|border-spacing|box-direction|"
    r"font(?:-[a-z-]+)?|text-(?!decoration)[a-z-]+|line-height|letter-spacing|word-[a-z-]+|color(?:-[a-z-]+)?|cursor|"
    r"visibility|white-space(?:-[a-z-]+)?|quotes|orphans|widows|hyphens|list-style(?:-[a-z]+)?|direction|writing-mode|"
    r"tab-size|tap-highlight-color|caret-color|accent-color|pointer-events|image-rendering|image-orientation|"
    r"user-select|touch-callout|overflow-wrap|hyphenate-character|line-break|font-smoothing|osx-font-smoothing|"
    r"print-color-adjust|forced-color-adjust|fill(?:-[a-z]+)?|stroke(?:-[a-z]+)?)|-moz-osx-font-smoothing|--.*"
)
# Values that take something from the parent: of a picture and of an image in it, that would be done twice.
_RELATIVE = re.compile(
    r"[\d.](?:em|ex|ch|cap|ic|lh|%)(?![a-z])|\b(?:larger|smaller|bolder|lighter|calc|var|match-parent)\b", re.I
)
_RELATIVE_PROPERTIES = ("font", "font-size", "font-weight")
_MOTION = re.compile(r"(?:-webkit-)?(?:transition|animation)(?:-(?:duration|delay|iteration-count|timing-function))?")
# How long the motions are that sheets leave to visitors who want none: too short for two frames.
_NO_TIME = re.compile(r"none|0|[-+]?0*\.?0+m?s|1|1e-\d+m?s|0?\.0*1m?s|[01]ms|-1ms|0?\.001s")
_KEYWORD = re.compile(r"inherit\b", re.I)


def takes_from_parent(declaration: Declaration) -> bool:
    """Whether a declaration takes the parent's value of a property that is not inherited by itself."""
    return _KEYWORD.match(declaration.value) is not None and not _INHERITED.fullmatch(declaration.name)


def _harm(selector: Selector, rule: Rule, image: Element) -> str:
    """The declaration by which a rule for a new picture would change what is seen, "" if there is none."""
    if selector.pseudo_element:
        # A picture has `::before` and `::after` even without a box; an image has none.
        shown = any(one.name in ("content", "all") and one.value not in ("none", "normal") for one in rule.declarations)
        return f"{selector.text} {{ content }}" if shown else ""
    also = any(_is_sure(one.steps, STILL) and _matches(image, _text(one.steps, STILL)) for one in rule.selectors)
    for one in rule.declarations:
        if not _is_harmless(one, also=also):
            return f"{selector.text} {{ {one.name} }}"
    return ""


def _is_harmless(declaration: Declaration, *, also: bool) -> bool:
    """also: the same rule holds for the image, whose own value is then not that of its parent."""
    name, value = declaration.name, declaration.value
    if name == "display":
        return not declaration.important
    if _KEYWORD.match(value):
        return name not in ("all", "zoom")
    if _MOTION.fullmatch(name):
        return _NO_TIME.fullmatch(value) is not None
    if _INHERITED.fullmatch(name):
        return also and not (name in _RELATIVE_PROPERTIES and _RELATIVE.search(value))
    return _OF_THE_BOX.fullmatch(name) is not None


def _showing(selector: Selector, rule: Rule) -> str:
    """The declaration by which a rule would show a hidden `<source>`, "" if there is none."""
    if selector.pseudo_element:
        return ""
    shown = any(one.name in ("display", "all") and one.value != "none" for one in rule.declarations)
    return f"{selector.text} {{ display }}" if shown else ""
