"""Variants of images in style sheets: `image-set()` with types, behind the plain `url()` that it falls back to.

A browser that does not know `type()` in an image set (before Chrome 113, Firefox 89, Safari 17) drops the second
declaration and keeps the first (CSS Images 4 §2.4, CSS Syntax 3 §2.2).
"""

from __future__ import annotations

import re
from collections import defaultdict
from typing import TYPE_CHECKING, Any, NamedTuple

import tinycss2

from v1z3r_build.formats.declarations import Declaration, declarations
from v1z3r_build.formats.style_rules import subjects
from v1z3r_build.formats.style_tokens import DoubtError
from v1z3r_build.passes.images.offers import Edit, Left, address
from v1z3r_build.passes.link.filling import apply

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from v1z3r_build.passes.images.offers import Offer
    from v1z3r_build.site.address import Addresses

LARGEST = 8 * 1024 * 1024  # bytes

# Where any image may stand and its size on the page is that of the plain one. Not `content`, for which browsers differ
# in whether elements take it; not `cursor`, which Chromium takes no image set for; not `shape-outside`, which reads the
# pixels.
_LONGHANDS = {
    "background-image": ("background",),
    "list-style-image": ("list-style",),
    "border-image-source": ("border-image", "border"),
    "mask-image": ("mask",),
    "-webkit-mask-image": ("-webkit-mask", "mask", "mask-image"),
}
_SHORTHANDS = {"background": ("background-image",), "list-style": (), "border-image": ("border",), "mask": ()}
_PROPERTIES = {**_LONGHANDS, **_SHORTHANDS, "-webkit-mask": ("mask",)}
# At-rules in which a declaration is what it is elsewhere.
_GROUPS = re.compile(r"@(?:media|supports|layer|container|scope|document|-moz-document)\b", re.I)
# Such a value is found invalid only when it is computed, too late to fall back (CSS Variables §3.1).
_COMPUTED = re.compile(
    rb"(?<![\w-])(?:var|env|attr|if|random-item|sibling-(?:index|count)|--[\w-]+)[ \t\r\n\f]*\(", re.I
)
_FADED = re.compile(
    r"(?<![\w-])(?:all|background(?:-image)?|list-style(?:-image)?|border-image(?:-source)?|mask(?:-image)?)(?![\w-])"
)
_TIME = re.compile(r"(?<![\w.])(\d*\.?\d+)m?s\b", re.I)


class SheetEdited(NamedTuple):
    """edits: to be filled in; left: where an image stayed, with the reason; chosen: what the image sets offer for an
    image at all its places, content types best first; plain: images that are fetched in the original format too.
    """

    edits: tuple[Edit, ...] = ()
    left: tuple[Left, ...] = ()
    chosen: tuple[str, ...] = ()
    plain: tuple[str, ...] = ()


def sheet_edits(
    path: str,
    data: bytes,
    offers: Mapping[str, Offer],
    addresses: Addresses,
    start: int = 0,
    end: int | None = None,
    *,
    base: str = "",
    quote: bytes = b'"',
    attribute: bool = False,
    faded: bool = False,
) -> SheetEdited:
    """The edits that let a style sheet choose among variants.

    path, data: the file that holds it, from start to end. base: a page's `<base href>`. quote: for strings.
    attribute: it is the value of a `style` attribute. faded: another sheet of the same pages `fades` images.
    """
    end = len(data) if end is None else end
    if not offers or data[:2] in (b"\xff\xfe", b"\xfe\xff") or end - start > LARGEST:
        return SheetEdited()
    sheet = _Sheet(path, data, offers, addresses, base)
    text = data[start:end]
    if b"url(" not in text.lower():
        return SheetEdited()
    try:
        found = declarations(data, start, end, attribute=attribute)
    except DoubtError as doubt:
        return sheet.whole_left(start, text, f"browsers have to recover from an error in it: {doubt}")
    if b"sourceMappingURL=" in text:
        return sheet.whole_left(start, text, "a source map tells of its columns")
    edits = sheet.edits(found, quote, faded=faded or any(_fades(data, one, found) for one in found))
    if edits and not _is_same(text, [Edit(e.start - start, e.end - start, e.data) for e in edits], attribute=attribute):
        return sheet.whole_left(start, text, "tinycss2 reads other declarations afterwards")
    plain = {path for path, _ in sheet.plain}
    chosen = sorted({one for one in sheet.chosen if one not in plain})
    return SheetEdited(tuple(edits), tuple(sheet.left), tuple(chosen), tuple(sorted(plain)))


class _Sheet:
    def __init__(self, path: str, data: bytes, offers: Mapping[str, Offer], addresses: Addresses, base: str) -> None:
        self.path = path
        self.data = data
        self.offers = offers
        self.addresses = addresses
        self.base = base
        self.left: list[Left] = []
        self.plain: list[tuple[str, int]] = []
        self.chosen: list[str] = []

    def find(self, text: str) -> str:
        """The path of an image that something may stand for, "" for others."""
        path = "" if "\ufffd" in text else self.addresses.find(text, self.path, self.base).path
        return path if path in self.offers else ""

    def whole_left(self, start: int, text: bytes, message: str) -> SheetEdited:
        from v1z3r_build.formats import css

        paths = sorted({path for url in css.read(text).urls if (path := self.find(url.text))})
        return SheetEdited(left=tuple(Left(start, path, message) for path in paths), plain=tuple(paths))

    def edits(self, found: Sequence[Declaration], quote: bytes, *, faded: bool) -> list[Edit]:
        between = _between(found) if faded else set()
        blocks: defaultdict[int, list[Declaration]] = defaultdict(list)
        for one in found:
            blocks[one.block].append(one)
        made: list[tuple[Declaration, bytes, set[str]]] = []
        for declaration in found:
            paths = {path for one in declaration.addresses if (path := self.find(one.text))}
            if not paths:
                continue
            reason = self.reason(declaration, blocks[declaration.block])
            if not reason and declaration in between:
                reason = "a transition fades it into another image, which browsers do only from url() to url()"
            if reason:
                self.leave(declaration, paths, reason)
            else:
                made.append((declaration, self.declared(declaration, quote), paths))
        costs: defaultdict[str, int] = defaultdict(int)
        for _, text, paths in made:
            for path in paths:
                costs[path] += len(text)
        edits: list[Edit] = []
        for declaration, text, paths in made:
            if any(costs[path] >= self.offers[path].saved for path in paths):
                self.leave(declaration, paths, "its variants save less than the declarations cost")
                continue
            self.chosen += paths
            edits.append(Edit(declaration.end, declaration.end, text))
        return edits

    def leave(self, declaration: Declaration, paths: set[str], reason: str) -> None:
        self.left += [Left(declaration.start, path, reason) for path in sorted(paths)]
        self.plain += [(path, declaration.start) for path in paths]

    def reason(self, declaration: Declaration, block: Sequence[Declaration]) -> str:
        """Why a declaration is left as it is, "" if it need not be. block: all declarations beside it."""
        if declaration.name not in _PROPERTIES:
            return f"`{declaration.name}` takes no image set in all browsers"
        rules = [one for one in declaration.around if one.startswith("@")]
        odd = next((one for one in rules if not _GROUPS.match(one)), "")
        if odd:
            return f"it stands in {odd[:80]}"
        value = self.data[declaration.start : declaration.end]
        if _COMPUTED.search(value):
            return "the value is known only when it is computed, too late to fall back"
        if any(one.depth for one in declaration.addresses):
            return "it stands in a function"
        bare = apply(
            value,
            [Edit(one.start - declaration.start, one.end - declaration.start, b"") for one in declaration.addresses],
        )
        if b"\\" in bare or b"{" in bare:
            return "the value is written with escapes"
        winners = (declaration.name, *_PROPERTIES[declaration.name])
        if any(one.start > declaration.start and one.name in winners for one in block):
            return "another declaration after it says otherwise"
        return ""

    def declared(self, declaration: Declaration, quote: bytes) -> bytes:
        """A second declaration, with what stands before it."""
        edits = [
            Edit(
                one.start - declaration.start,
                one.end - declaration.start,
                self.image_set(one.start, one.end, one.text, path, quote),
            )
            for one in declaration.addresses
            if (path := self.find(one.text))
        ]
        value = apply(self.data[declaration.start : declaration.end], edits)
        return b";" + declaration.name.encode() + b":" + value

    def image_set(self, start: int, end: int, text: str, path: str, quote: bytes) -> bytes:
        choices = [
            b"url(%s) type(%s%s%s)" % (address(text, variant).encode(), quote, kind.encode(), quote)
            for kind, variant in self.offers[path].variants
        ]
        return b"image-set(" + b",".join((*choices, self.data[start:end])) + b")"


def fades(data: bytes) -> bool:
    """Whether a style sheet has a transition that could fade one image into another."""
    if b"transition" not in data:
        return False
    try:
        found = declarations(data)
    except DoubtError:
        return True
    return any(_fades(data, one, found) for one in found if "transition" in one.name)


def _fades(data: bytes, declaration: Declaration, found: Sequence[Declaration]) -> bool:
    value = data[declaration.start : declaration.end].decode("latin-1").lower()
    if "var(" in value:
        return True
    if declaration.name.endswith("transition-property"):
        return _FADED.search(value) is not None
    timed = any(float(number) > 0 for number in _TIME.findall(value))
    if declaration.name.endswith("transition-duration"):
        return timed and not any(
            one.block == declaration.block and one.name.endswith(("transition", "transition-property")) for one in found
        )
    if not declaration.name.endswith("transition"):
        return False
    # Without a property's name, it is of all of them.
    items = re.sub(r"\([^)]*\)", "", value).split(",")
    return timed and any(_FADED.search(item) or not _names(item) for item in items)


def _names(item: str) -> set[str]:
    words = set(re.findall(r"(?<![\w.-])-?[a-z][a-z-]*", item))
    return (
        words
        - {"ease", "ease-in", "ease-out", "ease-in-out", "linear", "step-start", "step-end", "steps", "s", "ms"}
        - {"cubic-bezier", "allow-discrete", "normal", "important"}
    )


def _between(found: Sequence[Declaration]) -> set[Declaration]:
    """Image declarations of which one can take the other's place while a page is shown.

    Two rules are for one element at different times if what one asks of its element, the other asks too, and the rest
    differs. Rules that are the same but for the media change places only with the window.
    """
    images = [one for one in found if one.addresses and one.name in _PROPERTIES and one.around]
    asked: defaultdict[frozenset[str], list[tuple[Declaration, frozenset[str]]]] = defaultdict(list)
    for one in images:
        for own, whole in subjects(one.around):
            asked[own].append((one, whole))
    by_part: defaultdict[str, list[frozenset[str]]] = defaultdict(list)
    for own in asked:
        for part in own:
            by_part[part].append(own)
    faded: set[Declaration] = set()
    for own, ones in asked.items():
        # Only what shares the rarest of its parts can ask for all of them.
        for theirs in min((by_part[part] for part in own), key=len, default=list(asked)):
            both = {one for one, _ in (*ones, *asked[theirs])}
            if len(both) > 1 and (own < theirs or (own == theirs and len({whole for _, whole in ones}) > 1)):
                faded |= both
    return faded


def _is_same(before: bytes, edits: list[Edit], *, attribute: bool) -> bool:
    """Whether tinycss2 finds the same statements after as before, but for one more declaration for each edit."""
    after = apply(before, edits)
    try:
        old, new = (_read(text, attribute=attribute) for text in (before, after))
        return _new_ones(old, new) == len(edits)
    except RecursionError:
        return False


def _read(text: bytes, *, attribute: bool) -> list[Any]:
    parse = tinycss2.parse_blocks_contents if attribute else tinycss2.parse_stylesheet
    return list(parse(text.decode("latin-1"), skip_comments=True, skip_whitespace=True))


def _new_ones(old: Sequence[Any], new: Sequence[Any]) -> int:
    """How many declarations came to those of a block; -1 if anything else differs."""
    count = 0
    rest = iter(old)
    last: Any = None
    for node in new:
        is_declaration = node.type == "declaration"
        if is_declaration and last is not None and _is_image_set_of(node, last):
            count, last = count + 1, None
            continue
        last = next(rest, None)
        if last is None or last.type != node.type:
            return -1
        content = getattr(node, "content", None)
        if content is None:
            if _plainly(node) != _plainly(last):
                return -1
            continue
        if tinycss2.serialize(node.prelude) != tinycss2.serialize(last.prelude):
            return -1
        if tinycss2.serialize(node.content) == tinycss2.serialize(last.content):
            continue
        inner = _new_ones(
            *(
                tinycss2.parse_blocks_contents(one.content, skip_comments=True, skip_whitespace=True)
                for one in (last, node)
            )
        )
        if inner < 0:
            return -1
        count += inner
    return count if next(rest, None) is None else -1


def _plainly(node: Any) -> tuple[object, ...]:
    """What a node without a block says."""
    if node.type == "declaration":
        return node.lower_name, node.important, tinycss2.serialize(node.value).strip()
    return (node.message if node.type == "error" else node.serialize(),)


def _is_image_set_of(node: Any, last: Any) -> bool:
    """Whether a declaration is another one with image sets in place of addresses."""
    if last.type != "declaration" or (node.lower_name, node.important) != (last.lower_name, last.important):
        return False
    values = [_without_sets(node.value), tinycss2.serialize(last.value).strip()]
    return bool(values[0] == values[1]) and bool(tinycss2.serialize(node.value).strip() != values[1])


def _without_sets(value: Sequence[Any]) -> str:
    """A value with the last choice of each image set, the plain one, in its place."""
    parts = [
        tinycss2.serialize(_last(one.arguments)).strip()
        if one.type == "function" and one.name == "image-set"
        else one.serialize()
        for one in value
    ]
    return "".join(parts).strip()


def _last(arguments: Sequence[Any]) -> Sequence[Any]:
    """What follows the last comma."""
    commas = [at for at, one in enumerate(arguments) if one == ","]
    return arguments[commas[-1] + 1 :] if commas else arguments
