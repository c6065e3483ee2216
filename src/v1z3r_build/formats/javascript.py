"""References in scripts, on tree-sitter's tree: imports, module URLs, workers, precache lists, strings.

A script is parsed only where something was found that can be a reference; the tree is then asked only at those
places. Minified bundles are large and most of them refer to nothing.
"""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING

from v1z3r_build.site.span import Hit, Mention, Reading, Revision, Role, Stand, Url, mention

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tree_sitter import Node, Parser

# tree-sitter takes 60 times the text in memory (measured): beyond this size a script is not parsed, and
# nothing that it mentions is sure.
MAX_SIZE = 24_000_000

_WORDS = (b"import", b"from", b"importScripts", b"revision")
_CALLED = (b"URL", b"Worker", b"SharedWorker", b"register")
_TAGS = (b"img", b"video", b"image", b"source")
# Patterns that begin with letters are found ten times as fast as one for all.
_CANDIDATES = (
    *(re.compile(rb"%b(?<!\w%b)\b" % (word, word)) for word in _WORDS),
    *(re.compile(rb"%b(?<!\w%b)\s*\(" % (word, word)) for word in _CALLED),
    *(re.compile(rb"%b(?<=[\"'`]%b)(?=[\"'`])" % (word, word)) for word in _TAGS),
)
# Elements that show an image, and the members of their attributes that name it, in the spelling of React, and of Vue
# and Preact. `srcset` holds several.
# An address in `srcset`, with its descriptor behind it; one that holds a comma is not looked for.
_CANDIDATE_OF_SET = re.compile(rb"(?:\A|,)\s*+([^\s,]+)(?:\s+[\d.]+[wx])?\s*(?=,|\Z)")
SHOWING: dict[str, tuple[str, ...]] = {
    "img": ("src",),
    "video": ("poster",),
    "image": ("href", "xlinkHref", "xlink:href"),
}
# By these a script gets hold of an element, or of an image that is not to be seen: `html.readable_images`.
_AT_HAND = frozenset({"ref", "id", "hidden", "crossorigin"})
_UNSEEN = re.compile(rb"""\bdisplay["']?\s*:\s*["'`]none""")
# What a `<meta>` is called that tells others than the page of an image, a film or a sound (Open Graph, X).
SHARED = re.compile(r"(?:og|twitter):(?:image|video|audio)")
# `img.src.replace("_off", "_on")`, `$(img).attr("src").split(".")`: what an element's attribute says, made into another
# name. To cut off a query makes no other name.
_ADDRESSES = (b"src", b"currentSrc", b"href")
_REMAKES = re.compile(
    rb"""(?:src|srcset|currentSrc|href)(?:["'`]\s*[)\]])?\s*\.\s*(?:replace(?:All)?|split|match)\s*"""
    rb"""\(\s*(?!["'`/](?:\[[?#]+\]|\\?[?#]))"""
    rb"""|(?:src|srcset|currentSrc)(?:["'`]\s*[)\]])?\s*\.\s*(?:slice|substr(?:ing)?)\s*\("""
)
_MAKERS = frozenset(
    {
        b"h",
        b"jsx",
        b"jsxs",
        b"jsxDEV",
        b"_jsx",
        b"_jsxs",
        b"createElement",
        b"createElementVNode",
        b"createVNode",
        b"hyper",
    }
)
_MINIFIED = 3  # letters
_ESCAPE = re.compile(
    rb"\\(?:u([dD][89abAB][0-9a-fA-F]{2})\\u([dD][c-fC-F][0-9a-fA-F]{2})"
    rb"|u\{([0-9a-fA-F]+)\}|u([0-9a-fA-F]{4})|x([0-9a-fA-F]{2})|([0-7]{1,3})|(\r\n|[\s\S]))"
)
_SINGLE = {
    b"n": b"\n",
    b"t": b"\t",
    b"r": b"\r",
    b"b": b"\b",
    b"f": b"\f",
    b"v": b"\v",
    b"\n": b"",
    b"\r\n": b"",
}
_STRINGS = {"string", "template_string"}
_EMPTY = frozenset({b'""', b"''", b"``"})
_TABLE_PARENTS = {"pair", "binary_expression", "ternary_expression", "array", "template_substitution"}


@cache
def _parser() -> Parser:
    import tree_sitter_javascript
    from tree_sitter import Language, Parser

    return Parser(Language(tree_sitter_javascript.language()))


def unescape(raw: bytes) -> str:
    """The text of a string literal's content (ECMA-262 §12.9.4)."""
    if b"\\" not in raw:
        return raw.decode("utf-8", "replace")

    def one(match: re.Match[bytes]) -> bytes:
        high, low, code, four, two, octal, single = match.groups()
        if high is not None:
            return bytes.fromhex((high + low).decode()).decode("utf-16-be").encode()
        if single is not None:
            return _SINGLE.get(single, single)
        value = int(octal, 8) if octal else int(code or four or two, 16)
        return chr(value).encode("utf-8", "surrogatepass") if value < 0x110000 else b"\xef\xbf\xbd"

    return _ESCAPE.sub(one, raw).decode("utf-8", "replace")


def read(data: bytes, hits: Sequence[Hit] = (), start: int = 0, end: int | None = None) -> Reading:
    """The references of a script, or of the part of a file from start to end (an inline script).

    hits: words looked for; each inside the part is answered by one mention. Offsets are those of `data`.
    A script that is too large to be parsed has no sure references; its mentions stand nowhere known.
    """
    end = len(data) if end is None else end
    mine = [hit for hit in hits if start <= hit.start and hit.end <= end]
    text = data[start:end]
    places = sorted(match.start() for pattern in _CANDIDATES for match in pattern.finditer(text))
    made = remakes(data, start, end)
    if not mine and not places:
        return Reading(remakes=made)
    if len(text) > MAX_SIZE or b"\0" in text:
        return Reading(mentions=tuple(mention(data, hit, "unknown", start, end) for hit in mine), remakes=made)
    root = _parser().parse(text).root_node
    script = _Script(data, text, start, root)
    urls = sorted(set(script.urls(places)), key=lambda url: url.start)
    return Reading(
        tuple(urls),
        tuple(script.mention(hit) for hit in mine),
        tuple(script.revisions(places)),
        reach=tuple(script.reach),
        remakes=made,
    )


def shown_set(data: bytes, start: int, end: int) -> Iterator[Url]:
    """The images of a `srcset` that stands, without escapes, from start to end."""
    raw = data[start:end]
    for found in () if b"\\" in raw else _CANDIDATE_OF_SET.finditer(raw):
        low, high = found.span(1)
        yield Url(start + low, start + high, raw[low:high].decode("utf-8", "replace"), "element")


def remakes(data: bytes, start: int, end: int) -> tuple[int, ...]:
    """Where code makes another address of one that it reads out of the page."""
    found: list[int] = []
    for word in _ADDRESSES:  # searched for one by one, which is ten times as fast as one pattern for all
        at = data.find(word, start, end)
        while at >= 0:
            before = data[at - 1 : at] if at > start else b""
            if not (before.isalnum() or before in (b"_", b"$")) and _REMAKES.match(data, at, end):
                found.append(at)
            at = data.find(word, at + 1, end)
    return tuple(sorted(found))


class _Script:
    """A parsed script, or an inline one at an offset of its page."""

    def __init__(self, data: bytes, text: bytes, offset: int, root: Node) -> None:
        self.data = data
        self.text = text
        self.offset = offset
        self.root = root
        self.broken = root.has_error
        self.reach: list[tuple[int, int]] = []

    # Sure references

    def urls(self, places: Sequence[int]) -> Iterator[Url]:
        for place in places:
            node = self.root.descendant_for_byte_range(place, place + 1)
            if node is None or self._is_broken(node):
                continue
            parent = node.parent
            if parent is None:
                continue
            if node.type in ("import", "from") and parent.type in ("import_statement", "export_statement"):
                yield from self._literal(parent.child_by_field_name("source"), "import")
            elif node.type == "import" and parent.type in ("call_expression", "import"):
                call = parent if parent.type == "call_expression" else parent.parent
                if call is not None and call.type == "call_expression":
                    yield from self._literal(_argument(call, 0), "dynamic-import")
            elif node.type == "identifier" and parent.type == "new_expression":
                yield from self._constructed(node, parent)
            elif node.type == "identifier" and parent.type == "call_expression":
                yield from self._imported(node, parent)
            elif node.type == "property_identifier" and parent.type == "member_expression":
                yield from self._registered(parent)
            elif node.type in ("property_identifier", "string_fragment"):
                entry = _precache_entry(node)
                if entry is not None:
                    yield from self._literal(entry[0], "precache")
                yield from self._shown(node)

    def _constructed(self, name: Node, expression: Node) -> Iterator[Url]:
        if name.text == b"URL":
            if is_module_url(_argument(expression, 1)):
                yield from self._literal(_argument(expression, 0), "module-url")
        elif name.text in (b"Worker", b"SharedWorker"):
            yield from self._literal(_argument(expression, 0), "worker")

    def _imported(self, name: Node, call: Node) -> Iterator[Url]:
        if name.text != b"importScripts":
            return
        for index in range(64):
            argument = _argument(call, index)
            if argument is None:
                break
            yield from self._literal(argument, "import-scripts")

    def _registered(self, member: Node) -> Iterator[Url]:
        target = member.child_by_field_name("object")
        call = member.parent
        name = member.child_by_field_name("property")
        if name is not None and name.text in (b"Worker", b"SharedWorker", b"URL"):
            if call is not None and call.type == "new_expression":
                yield from self._constructed(name, call)
            return
        if name is not None and name.text == b"importScripts":
            if target is not None and target.text in (b"self", b"globalThis") and call is not None:
                yield from self._imported(name, call)
            return
        if (
            target is not None
            and target.text is not None
            and target.text.endswith(b"serviceWorker")
            and call is not None
            and call.type == "call_expression"
        ):
            yield from self._literal(_argument(call, 0), "service-worker")

    def _shown(self, tag: Node) -> Iterator[Url]:
        """The images of `jsx("img", {src: "/a.png"})`, where the tag stands at the node."""
        string = tag.parent
        arguments = string.parent if string is not None else None
        call = arguments.parent if arguments is not None and arguments.type == "arguments" else None
        if string is None or call is None or call.type != "call_expression" or _argument(call, 0) != string:
            return
        if not makes_elements(call):
            return
        attributes = _argument(call, 1)
        if attributes is None or attributes.type != "object":
            return
        if is_at_hand(attributes):
            self.reach.append((self.offset + attributes.start_byte, self.offset + attributes.end_byte))
        names = SHOWING.get(unescape(tag.text or b""), ())
        for member in attributes.named_children:
            value = member.child_by_field_name("value")
            if value is None or member.type != "pair":
                continue
            if member_of(member) in names:
                yield from self._spelled(value)
            elif member_of(member).lower() == "srcset":
                yield from self._candidates(_alone(value))

    def _spelled(self, value: Node) -> Iterator[Url]:
        found = spelled(value)
        if found is None:
            return
        last, whole = found
        for url in self._literal(last, "element"):
            if not ("/" + url.text).endswith(whole[whole.rfind("/") :]):
                # The file's name is in parts: where else a script puts it together is not seen.
                self.reach.append((url.start, url.end))
            yield url._replace(text=whole)

    def _candidates(self, node: Node | None) -> Iterator[Url]:
        """The images of a `srcset` that is written out (HTML Standard, "Parsing a srcset attribute")."""
        for whole in self._literal(node, "element"):
            yield from shown_set(self.data, whole.start, whole.end)

    def _literal(self, node: Node | None, role: Role) -> Iterator[Url]:
        if node is None or node.type not in _STRINGS:
            return
        if node.type == "template_string" and any(c.type == "template_substitution" for c in node.children):
            return
        low, high = node.start_byte + 1, node.end_byte - 1
        yield Url(self.offset + low, self.offset + high, unescape(self.text[low:high]), role)

    def revisions(self, places: Sequence[int]) -> Iterator[Revision]:
        for place in places:
            if not self.text.startswith(b"revision", place):
                continue
            node = self.root.descendant_for_byte_range(place, place + 1)
            entry = _precache_entry(node) if node is not None and not self._is_broken(node) else None
            if entry is None or entry[1] is None:
                continue
            for url in self._literal(entry[0], "precache"):
                low, high = self.offset + entry[1].start_byte + 1, self.offset + entry[1].end_byte - 1
                yield Revision(low, high, url.text)

    # Words

    def mention(self, hit: Hit) -> Mention:
        low, high = hit.start - self.offset, hit.end - self.offset
        node = self.root.descendant_for_byte_range(low, high)
        if node is None or self._is_broken(node):
            return mention(self.data, hit, "unknown", self.offset, self.offset + len(self.text))
        stand: Stand = "unknown"
        within = node
        member = element = ""
        if node.type == "comment":
            stand = "comment"
        else:
            string = enclosing_string(node)
            if string is not None:
                within = string if string.type == "string" else node
                stand = "string"
                parent = string.parent
                if parent is not None and parent.type in _TABLE_PARENTS:
                    stand = "table"
                if string is node and string.type == "template_string":
                    # The hit spans more than one piece of the template.
                    stand = "unknown"
                elif parent is not None and parent.type == "pair" and parent.child_by_field_name("value") == string:
                    member, element = member_of(parent), element_of(parent)
        inset = 1 if within.type == "string" else 0
        found = mention(
            self.data,
            hit,
            stand,
            self.offset + within.start_byte + inset,
            self.offset + within.end_byte - inset,
        )
        return found._replace(member=member, element=element) if member else found

    def _is_broken(self, node: Node) -> bool:
        if not self.broken:
            return False
        at: Node | None = node
        while at is not None:
            if at.is_error or at.is_missing:
                return True
            at = at.parent
        return False


def _argument(call: Node, index: int) -> Node | None:
    arguments = call.child_by_field_name("arguments")
    if arguments is None:
        return None
    named = [child for child in arguments.named_children if child.type != "comment"]
    return named[index] if index < len(named) else None


def enclosing_string(node: Node) -> Node | None:
    """The string or template literal that a piece of text belongs to; None inside its substitutions."""
    if node.type in _STRINGS:
        return node
    if node.type in ("string_fragment", "escape_sequence"):
        parent = node.parent
        return parent if parent is not None and parent.type in _STRINGS else None
    return None


def member_of(pair: Node) -> str:
    """The name of a member of an object literal, '' if it is computed."""
    key = pair.child_by_field_name("key")
    if key is None or key.text is None or key.type == "computed_property_name":
        return ""
    return unescape(key.text[1:-1] if key.type == "string" else key.text)


def element_of(pair: Node) -> str:
    """The tag whose attributes an object literal holds, '' if it holds none: `jsx("img", {…})`.

    So React's `createElement` and `jsx`, Preact's and Vue's `h`, and Vue's `createElementVNode` are called.
    """
    tag = made_of(pair)
    return unescape(tag.text[1:-1]) if tag is not None and tag.type in _STRINGS and tag.text is not None else ""


def made_of(pair: Node) -> Node | None:
    """The tag or component that an element is made of whose attributes an object literal holds."""
    arguments = pair.parent.parent if pair.parent is not None else None
    call = arguments.parent if arguments is not None and arguments.type == "arguments" else None
    if call is None or not makes_elements(call) or _argument(call, 1) != pair.parent:
        return None
    return _argument(call, 0)


def is_at_hand(attributes: Node) -> bool:
    """Whether a script gets hold of the element with these attributes: by `ref`, by its id, or as it loads."""
    for member in attributes.named_children:
        if member.type != "pair":
            if member.type != "comment":
                return True  # a spread, or a member that is spelled in another way
            continue
        name, value = member_of(member).lower(), member.child_by_field_name("value")
        text = value.text or b"" if value is not None else b""
        if (
            name in _AT_HAND
            or (name.startswith("onload") and not text.startswith(b"()"))
            or (name == "style" and _UNSEEN.search(text))
        ):
            return True
    return False


def is_module_url(base: Node | None) -> bool:
    """Whether an address is the module's own: `import.meta.url`, and `""+import.meta.url`, as Vite 8 writes it."""
    if base is not None and is_behind_nothing(base):
        base = base.child_by_field_name("right")
    return base is not None and base.text == b"import.meta.url"


def is_behind_nothing(node: Node) -> bool:
    """Whether it makes a string of a value by an empty one: `""+a`."""
    left, operator = node.child_by_field_name("left"), node.child_by_field_name("operator")
    return left is not None and left.text in _EMPTY and operator is not None and operator.text == b"+"


def spelled(value: Node) -> tuple[Node, str] | None:
    """The literal with which a string ends that is put together of literals alone, and what the whole one says.

    SWC writes a template of constants as `"".concat("/sub", "/a.png")`. Its end must not be in a query.
    """
    parts = parts_of(value)
    texts = [text for one in parts if (text := literal(one)) is not None]
    if len(texts) < len(parts):
        return None
    last = max((number for number, text in enumerate(texts) if text), default=-1)
    if any("?" in text or "#" in text for text in texts[:last]):
        return None
    return parts[last], "".join(texts)


def parts_of(value: Node) -> list[Node]:
    """The expressions that a string is put together of, in order."""
    parts = joined(value)
    return [*parts_of(parts[0]), *parts[1:]] if parts else [value]


def joined(call: Node) -> list[Node]:
    """What a call of `concat` joins, in order; empty if it is something else."""
    called, arguments = call.child_by_field_name("function"), call.child_by_field_name("arguments")
    if call.type != "call_expression" or called is None or called.type != "member_expression" or arguments is None:
        return []
    on, name = called.child_by_field_name("object"), called.child_by_field_name("property")
    if on is None or name is None or name.text != b"concat":
        return []
    return [on, *(one for one in arguments.named_children if one.type != "comment")]


def literal(node: Node) -> str | None:
    """The text of a string, or of a piece of a template, None if it is nothing that is written out."""
    if node.text is None or any(one.type == "template_substitution" for one in node.named_children):
        return None
    if node.type in _STRINGS:
        return unescape(node.text[1:-1])
    return unescape(node.text) if node.type in ("string_fragment", "escape_sequence") else None


def _alone(value: Node) -> Node:
    """The string that a value is, if it is one literal, whatever empty ones stand beside it."""
    full = [one for one in parts_of(value) if one.text not in _EMPTY]
    return full[0] if len(full) == 1 and full[0].type == "string" else value


def makes_elements(call: Node) -> bool:
    """Whether it is a call of what makes elements, by the name that it has there.

    Minified ones are short. A method's name is short by itself (`loader.add("img", {…})`), unless what is imported is
    called as no method: `(0, r.Y)("img", {…})`.
    """
    if call.type != "call_expression":
        return False
    called = call.child_by_field_name("function")
    minified = called is not None and called.type in ("identifier", "parenthesized_expression")
    while called is not None and called.type == "parenthesized_expression":  # `(0, r.jsx)("img", …)`
        inner = called.named_children[-1]
        called = inner.child_by_field_name("right") if inner.type == "sequence_expression" else inner
    if called is not None and called.type == "member_expression":
        called = called.child_by_field_name("property")
    name = called.text if called is not None and called.text is not None else b""
    return (minified and len(name) <= _MINIFIED) or name in _MAKERS


def _precache_entry(node: Node) -> tuple[Node, Node | None] | None:
    """The `url` and `revision` strings of the object literal whose key `revision` stands at the node.

    Workbox's precache manifest: `{url: "/a.css", revision: "0f3c…"}`; revision may be null.
    """
    key = node.parent if node.type == "string_fragment" else node
    pair = key.parent if key is not None else None
    if key is None or pair is None or pair.type != "pair" or pair.child_by_field_name("key") != key:
        return None
    members: dict[bytes, Node] = {}
    holder = pair.parent
    for member in holder.named_children if holder is not None else ():
        name, value = member.child_by_field_name("key"), member.child_by_field_name("value")
        if member.type == "pair" and name is not None and value is not None and name.text is not None:
            members[name.text.strip(b"\"'")] = value
    url, revision = members.get(b"url"), members.get(b"revision")
    if url is None or url.type != "string" or revision is None:
        return None
    return url, revision if revision.type == "string" else None
