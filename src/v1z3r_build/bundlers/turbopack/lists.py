"""All that names a chunk of Turbopack's, in scripts, pages and flight data: put another chunk before it everywhere.

Each place where the old name stands must be one that is known; else nothing is changed at all. Insertions are
found on the formats' own trees, so that an address never gets into text that only looks like a list.
"""

from __future__ import annotations

import posixpath
import re
from bisect import bisect_right
from typing import TYPE_CHECKING, Literal, NamedTuple

from v1z3r_build.formats import flight
from v1z3r_build.formats.derivation import Edit, written
from v1z3r_build.formats.engines.script_syntax import parse
from v1z3r_build.formats.html import code_points, decode
from v1z3r_build.formats.javascript import MAX_SIZE, unescape

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tree_sitter import Node

    from v1z3r_build.formats.derivation import Derived

Kind = Literal["html", "script", "flight", "other"]

# Characters of which the names of files are made that bundlers write.
_NAME = rb"[A-Za-z0-9_.~-]"
_SCRIPT_TYPES = {"", "text/javascript", "application/javascript", "module"}
_ATTRIBUTE = re.compile(rb"([^\s=/>\"']+)(?:\s*=\s*(?:\"([^\"]*)\"|'([^']*)'|([^\s>\"']+)))?", re.S)
_UNIT = re.compile(rb"\\u([0-9a-fA-F]{4})")


class UnplacedError(ValueError):
    """A chunk is named where it is not known what the name is for. offset: the byte where it stands, -1 if unknown."""

    def __init__(self, offset: int, what: str) -> None:
        super().__init__(what)
        self.offset = offset


class Insertion(NamedTuple):
    """Bytes to put before the byte at an offset of a file."""

    at: int
    text: bytes


def insert(data: bytes, insertions: Sequence[Insertion]) -> Derived:
    """The file with all insertions, each at its offset in the file as it was."""
    edits = [Edit(one.at, one.at, one.text) for one in sorted(insertions, key=lambda one: one.at)]
    return written(data, 0, len(data), edits)


def insertions(data: bytes, kind: Kind, old: str, vendor: str) -> tuple[Insertion, ...]:
    """What must be inserted into a file so that the new chunk is loaded and awaited wherever the old one is.

    kind: what the file is: `flight` for `.txt` beside pages. old, vendor: paths of both chunks in the site, in one
    folder. A list that holds the new chunk already stays as it is, so that several old chunks may share a new one.
    Raises UnplacedError if the old chunk is named in an unknown place.
    """
    names = _Names(old, vendor)
    places = names.places(data)
    if not places and not (kind == "html" and names.may_be_cut(data)):
        return ()
    if kind == "html":
        found, answered = _Page(data, names).read()
    elif kind == "script":
        found, answered = _script(data, 0, names)
    elif kind == "flight":
        found, answered = _flight(data, names)
    else:
        found, answered = [], set()
    for place in places:
        if place not in answered:
            raise UnplacedError(place, f"{names.old} is named in a place that is not understood")
    return tuple(sorted(found, key=lambda one: one.at))


class _Names:
    """The old chunk's name and the new one's, as they stand in lists: `static/chunks/….js` at the end of an address."""

    def __init__(self, old: str, vendor: str) -> None:
        if posixpath.dirname(old) != posixpath.dirname(vendor) or old == vendor:
            raise ValueError("the new chunk must lie beside the old one, under another name")
        self.old = old
        # Lists hold addresses relative to `_next/` (the runtime's CHUNK_BASE_PATH), pages and flight data whole ones.
        self.tail = f"/{old}".rpartition("/_next/")[2].lstrip("/").encode("ascii")
        self.base = posixpath.basename(old).encode("ascii")
        self.vendor = posixpath.basename(vendor).encode("ascii")
        for base in (self.base, self.vendor):
            if re.fullmatch(_NAME + rb"+", base) is None:
                raise ValueError(f"{base!r} would have to be escaped in an address")
        self._old = re.compile(rb"(?<!" + _NAME + rb")" + re.escape(self.base) + rb"(?!" + _NAME + rb")")
        beginnings = (self.base[:length] for length in range(len(self.base), 0, -1))
        self._cut = re.compile(rb"(?<!" + _NAME + rb")(?:" + rb"|".join(map(re.escape, beginnings)) + rb")[\"']\s*\]")

    def places(self, data: bytes, start: int = 0, end: int | None = None) -> list[int]:
        """Where the old chunk's file name stands, alone: not in `….js.map`."""
        return [found.start() for found in self._old.finditer(data, start, len(data) if end is None else end)]

    def may_be_cut(self, data: bytes) -> bool:
        """Whether a page's flight data may hold the name in two pieces: React flushes its stream at any byte."""
        return b"__next_f" in data and self._cut.search(data) is not None

    def is_old(self, address: bytes) -> bool:
        """Whether an address, as it is written, ends in the old chunk's path, before a query or fragment."""
        path = re.split(rb"[?#]", address, maxsplit=1)[0]
        return path == self.tail or path.endswith(b"/" + self.tail)

    def is_vendor(self, address: bytes) -> bool:
        """Whether an address leads to the new chunk."""
        return posixpath.basename(re.split(rb"[?#]", address, maxsplit=1)[0]) == self.vendor

    def renamed(self, address: bytes) -> bytes:
        """The old chunk's address, turned into the new one's in the same notation."""
        cut = re.split(rb"[?#]", address, maxsplit=1)[0].rfind(self.base)
        return address[:cut] + self.vendor + address[cut + len(self.base) :]


# Scripts


def _script(data: bytes, offset: int, names: _Names) -> tuple[list[Insertion], set[int]]:
    """The insertions into a script whose first byte stands at `offset` of its file, and the places that they answer."""
    if len(data) > MAX_SIZE:
        return [], set()
    root = parse(data).root_node
    if root.has_error:
        return [], set()
    found: set[Insertion] = set()
    answered: set[int] = set()
    for place in names.places(data):
        member = _string_at(root, place)
        if member is None or not names.is_old(_content(member)):
            continue
        array = member.parent
        if array is None or array.type != "array" or not _is_list(array) or not _is_awaited(array):
            continue
        answered.add(offset + place)
        found.update(_before(array, member, names, offset))
    return list(found), answered


def _before(array: Node, member: Node, names: _Names, offset: int) -> list[Insertion]:
    """The new chunk before the old one in a list of strings, unless it is there."""
    if any(names.is_vendor(_content(one)) for one in _parts(array)):
        return []
    quote = _text(member)[:1]
    return [Insertion(offset + member.start_byte, quote + names.renamed(_content(member)) + quote + b",")]


def _is_list(array: Node) -> bool:
    return all(one.type == "string" for one in _parts(array))


def _is_awaited(array: Node) -> bool:
    """Whether an array is one of those of which Turbopack's runtime loads or awaits every member."""
    parent = array.parent
    if parent is None:
        return False
    if parent.type == "pair":
        return _key(parent) == b"otherChunks" or _is_build_manifest(parent)
    if parent.type == "member_expression":
        return _is_lazy_load(parent)
    call = parent.parent
    if parent.type != "arguments" or call is None or call.type != "call_expression":
        return False
    callee = call.child_by_field_name("function")
    arguments = _parts(parent)
    if callee is None:
        return False
    before = arguments[arguments.index(array) - 1] if array in arguments[1:] else None
    if before is not None and before.type == "string":
        # The pages router's loader; and from 16.2 on a worker's, behind the script that every worker starts with.
        return callee.text == b"__turbopack_load_page_chunks__" or (
            posixpath.basename(_content(before)).startswith(b"turbopack-worker-")
        )
    # A worker's up to 16.1: `e.b([…])`.
    return callee.type == "member_expression" and _field(callee, "property") == b"b" and len(arguments) == 1


def _is_lazy_load(member: Node) -> bool:
    """`[…].map(c => e.l(c))`"""
    call = member.parent
    if _field(member, "property") != b"map" or call is None or call.type != "call_expression":
        return False
    arguments = call.child_by_field_name("arguments")
    given = _parts(arguments) if arguments is not None else []
    if len(given) != 1 or given[0].type != "arrow_function":
        return False
    arrow = given[0]
    parameters = arrow.child_by_field_name("parameters")
    names = _parts(parameters) if parameters is not None else [arrow.child_by_field_name("parameter")]
    body = arrow.child_by_field_name("body")
    if len(names) != 1 or names[0] is None or body is None or body.type != "call_expression":
        return False
    callee, passed = body.child_by_field_name("function"), body.child_by_field_name("arguments")
    if callee is None or callee.type != "member_expression" or passed is None:
        return False
    return _field(callee, "property") == b"l" and [one.text for one in _parts(passed)] == [names[0].text]


def _is_build_manifest(pair: Node) -> bool:
    """`self.__BUILD_MANIFEST = {"/page": […]}`: the router fetches these before it asks for the page's module."""
    table = pair.parent
    assignment = table.parent if table is not None else None
    return (
        assignment is not None
        and assignment.type == "assignment_expression"
        and _field(assignment, "left") == b"self.__BUILD_MANIFEST"
    )


# Pages


class _Tag(NamedTuple):
    """A start tag: its span, its attributes' raw values by name with their spans, and where its content ends."""

    name: str
    start: int
    end: int
    attributes: dict[str, tuple[int, int]]
    whole: dict[str, tuple[int, int]]
    content_end: int
    close_end: int


class _Page:
    def __init__(self, data: bytes, names: _Names) -> None:
        self.data = data
        self.names = names
        self.found: list[Insertion] = []
        self.answered: set[int] = set()

    def read(self) -> tuple[list[Insertion], set[int]]:
        pieces: list[Node] = []
        offsets: list[int] = []
        tags = list(_tags(self.data))
        loaded = {self.purpose(tag) for tag in tags if self.address(tag, self.names.is_vendor)}
        for tag in tags:
            address = self.address(tag, self.names.is_old)
            if address is not None:
                self.tag(tag, address, present=self.purpose(tag) in loaded)
            if tag.name == "script" and "src" not in tag.attributes and self.value(tag, "type") in _SCRIPT_TYPES:
                for piece, offset in self.inline(tag):
                    pieces.append(piece)
                    offsets.append(offset)
        if pieces:
            self.flight(_Stream(pieces, offsets))
        return self.found, self.answered

    def value(self, tag: _Tag, name: str) -> str:
        span = tag.attributes.get(name)
        return decode(self.data[slice(*span)]).strip().lower() if span is not None else ""

    def purpose(self, tag: _Tag) -> tuple[str, str]:
        return tag.name, self.value(tag, "rel")

    def address(self, tag: _Tag, wanted: object) -> tuple[int, int] | None:
        """The address of a tag that loads a script, or hints at it, if it is the one that is wanted."""
        if tag.name == "script":
            span = tag.attributes.get("src")
        elif tag.name == "link" and set(self.value(tag, "rel").split()) & {"preload", "modulepreload", "prefetch"}:
            span = tag.attributes.get("href")
        else:
            span = None
        if span is None or not callable(wanted) or not wanted(self.data[slice(*span)].strip()):
            return None
        return span

    def tag(self, tag: _Tag, address: tuple[int, int], *, present: bool) -> None:
        """A copy of the tag, for the new chunk, before it."""
        low, high = address
        # Of these a copy would be wrong: a digest is of other bytes, code would run twice.
        if "integrity" in tag.attributes or any(name.startswith("on") for name in tag.attributes):
            return
        if tag.name == "script" and self.data[tag.end : tag.content_end].strip():
            return
        self.answered.update(self.names.places(self.data, low, high))
        if present:
            return
        end = tag.close_end if tag.name == "script" else tag.end
        start = tag.start
        copy = self.data[start:low] + self.names.renamed(self.data[low:high]) + self.data[high:end]
        identity = tag.whole.get("id")
        if identity is not None:
            # An id is one element's; React marks its first script so.
            shift = len(copy) - (end - start) if identity[0] > high else 0
            copy = copy[: identity[0] - start + shift].rstrip() + copy[identity[1] - start + shift :]
        self.found.append(Insertion(start, copy))

    def inline(self, tag: _Tag) -> Iterator[tuple[Node, int]]:
        """The lists in an inline script; its strings of flight data are handed on."""
        text = self.data[tag.end : tag.content_end]
        if b"__next_f" in text:
            yield from ((node, tag.end) for node in _flight_strings(text))
        if self.names.places(text):
            found, answered = _script(text, tag.end, self.names)
            self.found += found
            self.answered |= answered

    def flight(self, stream: _Stream) -> None:
        found, answered = _flight(stream.data, self.names)
        # A place in the stream that is no place in the page is a name that is written with escapes.
        self.answered.update(stream.raw(place) for place in answered)
        for insertion in found:
            escaped = insertion.text.replace(b"\\", b"\\\\").replace(b'"', b'\\"')
            self.found.append(Insertion(stream.raw(insertion.at), escaped))
        for place in self.names.places(stream.data):
            if place not in answered:
                raise UnplacedError(stream.raw(place), f"{self.names.old} is named in flight data's text")


def _tags(data: bytes) -> Iterator[_Tag]:
    """The page's script and link tags, in order."""
    import turbohtml

    if data[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return
    for element in turbohtml.parse(code_points(data), source_locations=True).iter_elements():
        location, name = element.source_location, element.tag.lower()
        if name not in ("script", "link") or location is None or location.start_tag is None:
            continue
        start, end = location.start_tag.start_offset, location.start_tag.end_offset
        values: dict[str, tuple[int, int]] = {}
        whole: dict[str, tuple[int, int]] = {}
        for key, span in location.attrs.items():
            found = _ATTRIBUTE.match(data, span.start_offset, span.end_offset)
            if found is not None:
                group = found.lastindex or 1
                values[key] = found.span(group) if group > 1 else (found.end(), found.end())
                whole[key] = found.span()
        closing = location.end_tag
        content_end = closing.start_offset if closing is not None else end
        close_end = closing.end_offset if closing is not None else end
        yield _Tag(name, start, end, values, whole, content_end, close_end)


def _flight_strings(text: bytes) -> list[Node]:
    """The strings of `self.__next_f.push([1,"…"])`, which Next puts together to one stream of flight data.

    Raises UnplacedError for other pieces of the stream, such as bytes in base64 (tag 3), whose length is unknown.
    """
    found: list[Node] = []
    root = parse(text).root_node
    waiting = [root]
    while waiting:
        node = waiting.pop()
        waiting += reversed(node.named_children)
        if node.type != "call_expression" or root.has_error:
            continue
        callee, arguments = node.child_by_field_name("function"), node.child_by_field_name("arguments")
        if callee is None or arguments is None or _field(callee, "property") != b"push":
            continue
        target = callee.child_by_field_name("object")
        array = _parts(arguments)[0] if len(_parts(arguments)) == 1 else None
        if target is None or target.text is None or b"__next_f" not in target.text or array is None:
            continue
        members = _parts(array)
        if array.type == "array" and [one.type for one in members] == ["number", "string"] and members[0].text == b"1":
            found.append(members[1])
        elif array.type != "array" or not members or members[0].text not in (b"0", b"2"):
            raise UnplacedError(-1, "the page's flight data holds pieces of an unknown kind")
    return found


class _Stream:
    """Flight data that stands in a page as strings of scripts: its bytes, and where each of them comes from."""

    def __init__(self, pieces: Sequence[Node], offsets: Sequence[int]) -> None:
        data = bytearray()
        self._starts: list[int] = []
        self._raws: list[int] = []
        for piece, offset in zip(pieces, offsets, strict=True):
            for low, raw in _units(piece):
                self._starts.append(len(data))
                self._raws.append(offset + low)
                data += raw
        self.data = bytes(data)

    def raw(self, place: int) -> int:
        """The offset in the page of a byte of the stream."""
        index = bisect_right(self._starts, place) - 1
        return self._raws[index] + place - self._starts[index]


def _units(string: Node) -> Iterator[tuple[int, bytes]]:
    """The text of a string literal in runs: where each begins, and its bytes; escapes undone (ECMA-262 §12.9.4)."""
    high: tuple[int, int] | None = None
    for child in string.named_children:
        raw = _text(child)
        unit = _UNIT.fullmatch(raw) if child.type == "escape_sequence" else None
        code = int(unit.group(1), 16) if unit is not None else 0
        if high is not None and 0xDC00 <= code < 0xE000:
            yield high[0], chr(0x10000 + ((high[1] - 0xD800) << 10) + code - 0xDC00).encode("utf-8")
            high = None
            continue
        if high is not None:
            yield high[0], b"\xef\xbf\xbd"
            high = None
        if 0xD800 <= code < 0xDC00:
            high = child.start_byte, code
        elif 0xDC00 <= code < 0xE000:
            yield child.start_byte, b"\xef\xbf\xbd"
        else:
            yield child.start_byte, unescape(raw).encode("utf-8", "replace") if child.type == "escape_sequence" else raw
    if high is not None:
        yield high[0], b"\xef\xbf\xbd"


# Flight data


class _Row(NamedTuple):
    """A row that is no text: its id, the letters that say what it is, and its JSON's span."""

    id: bytes
    tag: bytes
    start: int
    end: int


def _flight(data: bytes, names: _Names) -> tuple[list[Insertion], set[int]]:
    """The insertions into flight data, and the places that they answer.

    The lists are those of client references, `I[id, [chunks], name]`. A chunk's address may stand in a row of its own
    that lists refer to (from Next 16.4 on); then the new one's is written out before the reference. Preload hints
    (`HL`) and script elements in the tree that React renders only make a chunk come earlier: they stay as
    they are, since rows refer to elements by their place (`$0:f:0:1:…`), which one more element would shift.
    """
    rows = list(_rows(data))
    found: list[Insertion] = []
    answered: set[int] = set()
    references: dict[bytes, bytes] = {}
    for row in rows:
        places = names.places(data, row.start, row.end)
        if not places:
            continue
        if row.tag.startswith(b"H"):
            answered.update(places)
            continue
        tree = _value(data, row)
        if tree is None:
            continue
        value, shift = tree
        if not row.tag and row.id and value.type == "string" and names.is_old(_content(value)):
            references[b"$" + row.id] = _content(value)
            answered.update(places)
            continue
        for place in places:
            member = _string_at(value, place - shift)
            if member is not None and names.is_old(_content(member)) and _is_script_element(member):
                answered.add(place)
    spellings = re.compile(rb'"(\$[L@]?(?:' + b"|".join(re.escape(one[1:]) for one in references) + rb'))[":]')
    for row in rows:
        named = names.places(data, row.start, row.end)
        referring = list(spellings.finditer(data, row.start, row.end)) if references else []
        if not named and not referring:
            continue
        tree = _value(data, row) if row.tag == b"I" else None
        chunks = _chunks(tree[0]) if tree is not None else None
        members = _parts(chunks) if chunks is not None else []
        listed: set[int] = set()
        for member in members:
            assert tree is not None
            text = _content(member)
            at = member.start_byte + tree[1]
            address = text if names.is_old(text) else references.get(text)
            if address is None:
                continue
            listed.add(at)
            answered.update(names.places(data, at, member.end_byte + tree[1]))
            if not any(names.is_vendor(_content(one)) for one in members):
                found.append(Insertion(at, b'"' + names.renamed(address) + b'",'))
        for reference in referring:
            if reference.start() not in listed:
                raise UnplacedError(reference.start(), f"{names.old} is referred to in a place that is not understood")
    return found, answered


def _rows(data: bytes) -> Iterator[_Row]:
    """All rows but texts; none if this is no flight data."""
    end = 0
    for start, stop, is_text in flight.rows(data) or ():
        if not is_text:
            begin = end + 1 if data[end : end + 1] == b"\n" else end
            after = start
            while data[after : after + 1].isupper():
                after += 1
            yield _Row(data[begin : start - 1], data[start:after], after, stop)
        end = stop


def _value(data: bytes, row: _Row) -> tuple[Node, int] | None:
    """A row's JSON as the script grammar reads it, and what must be added to its offsets."""
    root = parse(b"(" + data[row.start : row.end] + b")").root_node
    if root.has_error or len(root.named_children) != 1 or root.named_children[0].type != "expression_statement":
        return None
    inside = _parts(root.named_children[0])
    values = _parts(inside[0]) if len(inside) == 1 and inside[0].type == "parenthesized_expression" else []
    return (values[0], row.start - 1) if len(values) == 1 else None


def _chunks(reference: Node) -> Node | None:
    """The list of chunks of a client reference: `[id, [chunks], name, is-async]`."""
    members = _parts(reference) if reference.type == "array" else []
    if len(members) < 3 or members[1].type != "array" or not _is_list(members[1]):
        return None
    return members[1]


def _is_script_element(member: Node) -> bool:
    """Whether a string is the `src` of `["$", "script", key, {"src": …}]`."""
    pair = member.parent
    if pair is None or pair.type != "pair" or _key(pair) != b"src" or pair.child_by_field_name("value") != member:
        return False
    element = pair.parent.parent if pair.parent is not None else None
    parts = _parts(element) if element is not None and element.type == "array" else []
    return len(parts) > 3 and [_content(one) for one in parts[:2]] == [b"$", b"script"] and parts[3] == pair.parent


# Nodes


def _parts(node: Node) -> list[Node]:
    return [child for child in node.named_children if child.type != "comment"]


def _text(node: Node) -> bytes:
    return node.text or b""


def _content(node: Node) -> bytes:
    """What stands between a string's quotes, as it is written; nothing for other nodes."""
    return _text(node)[1:-1] if node.type == "string" else b""


def _field(node: Node, name: str) -> bytes:
    found = node.child_by_field_name(name)
    return _text(found) if found is not None else b""


def _key(pair: Node) -> bytes:
    return _field(pair, "key").strip(b"\"'")


def _string_at(root: Node, place: int) -> Node | None:
    """The string literal in which a byte stands."""
    node = root.descendant_for_byte_range(place, place + 1)
    if node is not None and node.type == "string_fragment":
        node = node.parent
    return node if node is not None and node.type == "string" else None
