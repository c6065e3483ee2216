"""The style sheets of pages, each taken apart once, as the proof about selectors asks for them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import turbohtml

from v1z3r_build.formats import css, html, style_rules
from v1z3r_build.passes.images.selectors import Probes

if TYPE_CHECKING:
    from collections.abc import Callable

    from v1z3r_build.formats.style_rules import Rule
    from v1z3r_build.passes.images.selectors import Live
    from v1z3r_build.site.address import Addresses


class UnknownSheetError(Exception):
    """A style sheet of the page cannot be known; the message says which."""


class Sheets:
    """The style sheets of a site. read: from the path of one to its bytes."""

    def __init__(self, read: Callable[[str], bytes], addresses: Addresses) -> None:
        self._read = read
        self._addresses = addresses
        self._rules: dict[str | bytes, tuple[Rule, ...]] = {}
        self._imports: dict[str, tuple[str, ...]] = {}
        self._probes: dict[tuple[str | bytes, Live], Probes] = {}

    def probes(self, path: str, data: bytes, live: Live) -> list[Probes]:
        """The probes of all sheets of a page, inline ones too. Raises UnknownSheetError.

        A sheet counts whatever its media, and even if it is an alternative or for those without scripts.
        """
        page = turbohtml.parse(html.code_points(data), source_locations=True)
        base = next((str(one.attrs["href"]) for one in page.find_all("base") if "href" in one.attrs), "")
        keys: list[str | bytes] = []
        for element in page.iter_elements():
            tag = element.tag.lower()
            if tag == "link":
                attributes = html.attributes(data, element)
                relations = attributes.get("rel", "").lower().split()
                if "stylesheet" in relations:
                    keys += self._graph(attributes.get("href", ""), path, base)
            elif tag == "style":
                location = element.source_location
                if location is None or location.start_tag is None:
                    raise UnknownSheetError("a style element has no place")
                end = location.end_tag.start_offset if location.end_tag else len(data)
                text = data[location.start_tag.end_offset : end]
                if str(element.namespace) != "Namespace.HTML" and (b"&" in text or b"<" in text):
                    raise UnknownSheetError("a style sheet in a drawing is written with character references")
                self._load(text, text)
                keys.append(text)
                for address in _imported(text):
                    keys += self._graph(address, path, base)
        return [self._probe(key, live) for key in dict.fromkeys(keys)]

    def _probe(self, key: str | bytes, live: Live) -> Probes:
        if (key, live) not in self._probes:
            self._probes[key, live] = Probes(self._rules[key], live)
        return self._probes[key, live]

    def _graph(self, address: str, referrer: str, base: str) -> list[str]:
        """A sheet and all that it imports."""
        if not address.strip():
            return []
        waiting, found = [self._find(address, referrer, base)], []
        while waiting:
            path = waiting.pop()
            if path in found or not path:
                continue
            found.append(path)
            if path not in self._imports:
                data = self._read(path)
                self._load(path, data)
                self._imports[path] = tuple(self._find(one, path, "") for one in _imported(data))
            waiting += self._imports[path]
        return found

    def _find(self, address: str, referrer: str, base: str) -> str:
        """The path of a sheet, "" if it is one of ours that is missing."""
        target = self._addresses.find(address, referrer, base)
        if not target.ours:
            raise UnknownSheetError(f"{address[:80]} is a style sheet from elsewhere")
        return target.path

    def _load(self, key: str | bytes, data: bytes) -> None:
        if key not in self._rules:
            try:
                self._rules[key] = style_rules.rules(data)
            except style_rules.UnreadableError:
                name = key if isinstance(key, str) else "an inline style sheet"
                raise UnknownSheetError(f"{name} is too large or too deep to be taken apart") from None


def _imported(data: bytes) -> list[str]:
    return [url.text for url in css.read(data).urls if url.role == "css-import"]
