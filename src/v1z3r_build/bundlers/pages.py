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
# Of one element only, or of its bytes; what happens on its `load`, and other handlers, too.
_OWN = {b"id", b"integrity"}
# What a module's element says about how it is fetched, and a link can say, too.
_OF_LINKS = (b"crossorigin", b"nonce", b"referrerpolicy", b"fetchpriority", b"integrity")


def bring(data: bytes, vendors: Vendors) -> list[Edit]:
    """Edits that put, before each element that loads or preloads a chunk, one that does so for each of its vendors.

    The elements have the attributes of the chunk's, so that policies (nonce), priorities and modes (async, defer,
    crossorigin) agree.
    """
    import turbohtml

    edits: list[Edit] = []
    base: str | None = None
    for element in turbohtml.parse(html.code_points(data), source_locations=True).iter_elements():
        if base is None and element.tag.lower() == "base" and not _in_template(element):
            href = element.attrs.get("href")
            base = href.strip() if isinstance(href, str) else None
        edits.extend(_before(data, element, base or "", vendors))
    return edits


def _in_template(element: Element) -> bool:
    """Whether it is in a template's content, which is no part of the page."""
    import turbohtml

    return any(isinstance(one, turbohtml.DocumentFragment) for one in element.ancestors)


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
    loads = tag == "script" and (kind == "module" or kind in html.SCRIPT_TYPES)
    rels = html.decode(attributes.get(b"rel", b"")).lower().split()
    script = attributes.get(b"as", b"").lower() == b"script"
    preloads = tag == "link" and ("modulepreload" in rels or ("preload" in rels and script))
    path = re.split("[?#]", url, maxsplit=1)[0]
    # Browsers take a backslash for a slash (URL standard, §4.4); nobody writes one.
    if not path or "\\" in path or not (loads or preloads) or not data[low:high].startswith(b"<"):
        return
    for name, integrity in vendors(url, base).items():
        address = path[: path.rfind("/") + 1] + name + url[len(path) :]
        theirs = {one: value for one, value in attributes.items() if one not in _OWN and not one.startswith(b"on")}
        theirs[key] = address.replace("&", "&amp;").encode()
        if b"integrity" in attributes and integrity:
            theirs[b"integrity"] = integrity.encode()
        if loads and kind == "module":
            yield Edit(low, low, _link(theirs, key))
        else:
            yield Edit(low, low, _tag(tag, theirs))


def _link(attributes: Mapping[bytes, bytes], key: bytes) -> bytes:
    """A module is imported by the chunk itself: its element says so in time."""
    kept = {one: attributes[one] for one in _OF_LINKS if one in attributes}
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
                values = [value for value in match.groups()[1:] if value is not None]
                found[name.lower().encode()] = values[0] if values else b""
    return found
