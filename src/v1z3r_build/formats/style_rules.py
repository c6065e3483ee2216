"""The rules of a style sheet: selectors taken apart, nesting undone, declarations. For proofs over whole pages.

Read by tinycss2. Conditions (`@media`, `@supports`, `@layer`, `@container`, `@scope`) are taken as if they held: a
proof over these rules covers every case in which only some of them do.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, NamedTuple

import tinycss2

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

LARGEST = 8 * 1024 * 1024  # bytes

PartKind = Literal[
    "type",  # an element's name; `*` is no part at all
    "id",
    "class",
    "attribute",
    "structure",  # :first-child and others that the tree alone decides
    "logic",  # :is, :where, :not, :has, :nth-child(… of …)
    "loose",  # all that a tree does not tell: :hover, :checked, what is unknown
]

# Selectors Level 4, §14: what the tree decides, and changes with siblings alone.
_STRUCTURE = frozenset(
    (
        "first-child", "last-child", "only-child", "first-of-type", "last-of-type", "only-of-type", "empty",
        "root", "nth-child", "nth-last-child", "nth-of-type", "nth-last-of-type",
    )
)  # fmt: skip
_LOGIC = frozenset(("is", "where", "not", "has", "matches", "-webkit-any", "-moz-any"))
# Pseudo-elements that CSS 2 wrote with one colon.
_OLD_PSEUDO_ELEMENTS = frozenset(("before", "after", "first-line", "first-letter"))
# At-rules whose blocks hold no rules for elements of the page.
_APART = frozenset(
    (
        "font-face", "property", "page", "counter-style", "font-palette-values", "font-feature-values",
        "color-profile", "keyframes", "-webkit-keyframes", "-moz-keyframes", "-o-keyframes", "view-transition",
        "position-try", "viewport", "-ms-viewport", "function",
    )
)  # fmt: skip
# Attributes that visitors change without any script.
_LIVE_ATTRIBUTES = frozenset(("open",))


class UnreadableError(Exception):
    """The sheet is too large or too deep to be taken apart."""


class Part(NamedTuple):
    """A simple selector.

    text: as it is written, "" if it cannot be compared with a page's tree. name: of the class, attribute or
    pseudo-class, in lower case but for classes and ids. inner: selectors in its parentheses.
    """

    kind: PartKind
    text: str
    name: str
    inner: tuple[Selector, ...] = ()


class Step(NamedTuple):
    """A compound selector and how it hangs on the one before: "", " ", ">", "+", "~"."""

    combinator: str
    parts: tuple[Part, ...]

    @property
    def type(self) -> str:
        """The element's name that it asks for, "" if it takes any."""
        return next((part.name for part in self.parts if part.kind == "type"), "")


class Selector(NamedTuple):
    """A complex selector. pseudo_element: "before", "marker" …, "" without one."""

    steps: tuple[Step, ...]
    text: str
    pseudo_element: str = ""


class Declaration(NamedTuple):
    """name: in lower case, but for custom properties; value: without comments, as tinycss2 writes it."""

    name: str
    value: str
    important: bool


class Rule(NamedTuple):
    """A style rule with its own declarations; nested rules are rules of their own."""

    selectors: tuple[Selector, ...]
    declarations: tuple[Declaration, ...]


def rules(data: bytes) -> tuple[Rule, ...]:
    """All style rules of a sheet in order, those in conditional and nested blocks too. Raises UnreadableError."""
    if len(data) > LARGEST:
        raise UnreadableError
    text = data.removeprefix(b"\xef\xbb\xbf").decode("utf-8", "replace")
    try:
        return tuple(_rules(tinycss2.parse_stylesheet(text, skip_comments=True, skip_whitespace=True), ()))
    except RecursionError:
        raise UnreadableError from None


def attribute_declarations(text: str) -> tuple[Declaration, ...]:
    """The declarations of a `style` attribute."""
    return _declarations(tinycss2.parse_blocks_contents(text, skip_comments=True, skip_whitespace=True))


def subjects(preludes: Sequence[str]) -> Iterator[tuple[frozenset[str], frozenset[str]]]:
    """For each selector of a rule within others: what the tree must say of its element, and all that it asks for.

    preludes: of the rule and of those around it, the outermost first; at-rules are passed over.
    """
    found: tuple[Selector, ...] = ()
    for prelude in preludes:
        if not prelude.startswith("@"):
            found = _selectors(tinycss2.parse_component_value_list(prelude), found)
    for selector in found:
        own = frozenset(_asked(selector.steps[-1:]))
        yield own, frozenset(_asked(selector.steps, loose=True))


def _asked(steps: Sequence[Step], *, loose: bool = False) -> Iterator[str]:
    for step in steps:
        for part in step.parts:
            if part.text == "&":
                for inner in part.inner:
                    yield from _asked(inner.steps if loose else inner.steps[-1:], loose=loose)
            elif loose or part.kind in ("type", "id", "class", "attribute"):
                yield part.text


def _rules(nodes: Sequence[Any], parents: tuple[Selector, ...]) -> Iterator[Rule]:
    for node in nodes:
        if node.type == "qualified-rule":
            yield from _style_rule(_selectors(node.prelude, parents), node.content)
        elif node.type == "at-rule" and node.content is not None and node.lower_at_keyword not in _APART:
            content = tinycss2.parse_blocks_contents(node.content, skip_comments=True, skip_whitespace=True)
            if node.lower_at_keyword == "scope":
                limits = tuple(
                    selector
                    for block in node.prelude
                    if block.type == "() block"
                    for selector in _selectors(block.content, parents)
                )
                yield Rule(limits, ())
            if parents:
                declared = _declarations(content)
                if declared:
                    yield Rule(parents, declared)
            yield from _rules(content, parents)


def _style_rule(selectors: tuple[Selector, ...], content: Sequence[Any]) -> Iterator[Rule]:
    inner = tinycss2.parse_blocks_contents(content, skip_comments=True, skip_whitespace=True)
    yield Rule(selectors, _declarations(inner))
    yield from _rules(inner, selectors)


def _declarations(nodes: Sequence[Any]) -> tuple[Declaration, ...]:
    return tuple(
        Declaration(
            node.name if node.name.startswith("--") else node.lower_name,
            tinycss2.serialize([one for one in node.value if one.type != "comment"]).strip(),
            node.important,
        )
        for node in nodes
        if node.type == "declaration"
    )


def _selectors(nodes: Sequence[Any], parents: tuple[Selector, ...] = ()) -> tuple[Selector, ...]:
    """The selectors of a list; with parents, as in a nested rule."""
    found: list[Selector] = []
    current: list[Any] = []
    for node in [*nodes, None]:
        if node is not None and node != ",":
            current.append(node)
            continue
        if any(one.type not in ("whitespace", "comment") for one in current):
            found.append(_selector(current, parents))
        current = []
    return tuple(found)


def _selector(nodes: Sequence[Any], parents: tuple[Selector, ...]) -> Selector:
    reader = _Reader(parents)
    for node in nodes:
        reader.take(node)
    reader.end()
    steps = reader.steps
    if parents and not any(node == "&" for node in _deep(nodes)):
        steps[0] = Step(steps[0].combinator or " ", steps[0].parts)
        steps.insert(0, Step("", (_parent(parents),)))
    return Selector(tuple(steps), tinycss2.serialize(nodes).strip(), reader.pseudo_element)


def _deep(nodes: Sequence[Any]) -> Iterator[Any]:
    for node in nodes:
        yield node
        yield from _deep(getattr(node, "arguments", None) or [])


def _parent(parents: tuple[Selector, ...]) -> Part:
    return Part("logic", "&", "is", parents)


class _Reader:
    """Takes the tokens of one complex selector apart."""

    def __init__(self, parents: tuple[Selector, ...]) -> None:
        self.parents = parents
        self.steps: list[Step] = []
        self.parts: list[Part] = []
        self.combinator = ""
        self.started = False  # whether the compound at hand has any token
        self.mark = ""  # `.`, `:` or `::` before a name
        self.pseudo_element = ""

    def take(self, node: Any) -> None:
        mark, self.mark = self.mark, ""
        kind = node.type
        if kind == "comment":
            self.mark = mark
        elif kind == "whitespace":
            if self.started:
                self.end()
                self.combinator = " "
        elif node in (">", "+", "~"):
            if self.started:
                self.end()
            self.combinator = node.value
        elif node in (".", ":"):
            self.mark = mark + node.value
            self.started = True
        else:
            self.started = True
            self.simple(mark, kind, node)

    def simple(self, mark: str, kind: str, node: Any) -> None:
        text = node.serialize()
        # Pages are parsed with one character a byte: what is not ASCII is compared with nothing.
        text = text if text.isascii() else ""
        if mark == "." and kind == "ident":
            self.parts.append(Part("class", text and f".{text}", node.value))
        elif mark.startswith(":") and kind in ("ident", "function"):
            self.pseudo(mark, text, node)
        elif mark == "" and kind == "ident":
            self.parts.append(Part("type", text, node.lower_value))
        elif mark == "" and kind == "hash":
            self.parts.append(Part("id", text, node.value))
        elif mark == "" and kind == "[] block":
            words = [one for one in node.content if one.type not in ("whitespace", "comment")]
            name = next((one.lower_value for one in words if one.type == "ident"), "")
            live = name in _LIVE_ATTRIBUTES or "|" in [one.value for one in node.content if one.type == "literal"]
            self.parts.append(Part("loose" if live else "attribute", text, name))
        elif node == "&":
            self.parts.append(_parent(self.parents) if self.parents else Part("structure", ":root", "root"))
        elif node == "|":
            # A namespace: what stood before it is no element's name, and what follows may be in any.
            self.parts = [part for part in self.parts if part.kind != "type"]
        elif node != "*":
            self.parts.append(Part("loose", text, ""))

    def pseudo(self, mark: str, text: str, node: Any) -> None:
        name = node.lower_name if node.type == "function" else node.lower_value
        if mark == "::" or name in _OLD_PSEUDO_ELEMENTS:
            self.pseudo_element = self.pseudo_element or name
            return
        if node.type == "function":
            if name in _LOGIC:
                self.parts.append(Part("logic", f":{text}", name, _selectors(node.arguments)))
                return
            cut = [at for at, one in enumerate(node.arguments) if one.type == "ident" and one.lower_value == "of"]
            if name in _STRUCTURE and cut:
                self.parts.append(Part("logic", ":" + text, name, _selectors(node.arguments[cut[0] + 1 :])))
                return
        self.parts.append(Part("structure" if name in _STRUCTURE else "loose", ":" + text, name))

    def end(self) -> None:
        """The compound at hand is complete."""
        if self.started or not self.steps:
            self.steps.append(Step(self.combinator, tuple(self.parts)))
        self.parts, self.combinator, self.started, self.mark = [], "", False, ""
