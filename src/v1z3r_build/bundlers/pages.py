"""Pages that load a chunk, and then load the vendor's file as well: before it, and in the same way."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from v1z3r_build.bundlers.passage import Edit
from v1z3r_build.formats import html

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from turbohtml import Element

    # From the URL of a script in a page, and the page's `<base href>`, to the names of the vendors' files, which lie in
    # the same folder, with their integrity.
    Vendors = Callable[[str, str], Mapping[str, str]]

_VALUE = re.compile(rb"([^\s=/>]+)(?:\s*=\s*(?:\"([^\"]*)\"|'([^']*)'|([^\s>]*)))?", re.S)
# Of one element only, or of its bytes.
_OWN = {b"id", b"integrity"}


def bring(data: bytes, vendors: Vendors) -> list[Edit]:
    """Edits that put, before each element that loads or preloads a chunk, one that does so for each of its vendors.

    The elements have the attributes of the chunk's, so that policies (nonce), priorities and modes (async, defer,
    crossorigin) agree.
    """
    import turbohtml

    edits: list[Edit] = []
    base: str | None = None
    for element in turbohtml.parse(html.code_points(data), source_locations=True).iter_elements():
        if base is None and element.tag.lower() == "base":
            given = element.attrs.get("href")
            base = given if isinstance(given, str) else ""
        edits.extend(_before(data, element, base or "", vendors))
    return edits


def _before(data: bytes, element: Element, base: str, vendors: Vendors) -> Iterator[Edit]:
    location = element.source_location
    tag = element.tag.lower()
    if location is None or location.start_tag is None or tag not in ("script", "link"):
        return
    low, high = location.start_tag.start_offset, location.start_tag.end_offset
    attributes = _attributes(data, element)
    key = b"src" if tag == "script" else b"href"
    url = html.decode(attributes.get(key, b"")).strip()
    kind = html.decode(attributes.get(b"type", b"")).strip().lower()
    loads = tag == "script" and kind in ("", "text/javascript", "application/javascript", "module")
    rels = html.decode(attributes.get(b"rel", b"")).lower().split()
    preloads = tag == "link" and ("modulepreload" in rels or ("preload" in rels and attributes.get(b"as") == b"script"))
    if not url or not (loads or preloads) or not data[low:high].startswith(b"<"):
        return
    for name, integrity in vendors(url, base).items():
        folder, _, _ = url.partition("?")[0].partition("#")[0].rpartition("/")
        query = url[len(url.partition("?")[0]) :]
        theirs = {one: value for one, value in attributes.items() if one not in _OWN}
        theirs[key] = (f"{folder}/{name}" if "/" in url else name).encode() + query.encode()
        if b"integrity" in attributes and integrity:
            theirs[b"integrity"] = integrity.encode()
        if loads and kind == "module":
            yield Edit(low, low, _link(theirs, key))
        else:
            yield Edit(low, low, _tag(tag, theirs))


def _link(attributes: Mapping[bytes, bytes], key: bytes) -> bytes:
    """A module is imported by the chunk itself: its element says so in time."""
    kept = {one: attributes[one] for one in (b"crossorigin", b"nonce", b"integrity") if one in attributes}
    return _tag("link", {b"rel": b"modulepreload", **kept, b"href": attributes[key]})


def _tag(tag: str, attributes: Mapping[bytes, bytes]) -> bytes:
    words = [
        name if value == b"" else name + b'="' + value.replace(b'"', b"&quot;") + b'"'
        for name, value in attributes.items()
    ]
    return b"<" + b" ".join([tag.encode(), *words]) + b">" + (b"</script>" if tag == "script" else b"")


def _attributes(data: bytes, element: Element) -> dict[bytes, bytes]:
    """Names and raw values, in order."""
    found: dict[bytes, bytes] = {}
    location = element.source_location
    assert location is not None
    assert location.start_tag is not None
    low, high = location.start_tag.start_offset, location.start_tag.end_offset
    for name, span in location.attrs.items():
        if low <= span.start_offset <= high:
            match = _VALUE.match(data, span.start_offset, span.end_offset)
            if match:
                found[name.lower().encode()] = match.group(match.lastindex or 1) if match.lastindex != 1 else b""
    return found
