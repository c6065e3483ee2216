"""URLs of a served site, told in names of the original's files, so that two servings can be compared."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urljoin, urlsplit

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

# Attributes whose whole value is one URL (HTML, "Index of attributes"; SVG's xlink:href).
_URL_ATTRIBUTES = frozenset(
    ["href", "src", "poster", "data", "action", "formaction", "cite", "background", "manifest", "xlink:href"]
)
# What may stand around a URL inside a longer value: srcset, style, content, JSON.
_AROUND = re.compile(r"""([\s"'(),;]+)""")
_DIGEST = re.compile(r"sha(256|384|512)-[A-Za-z0-9+/_-]+=*")
_ABSOLUTE = re.compile(r"https?://[^\s\"'<>()]+")
_PLACE_IN_FILE = re.compile(r":\d+(:\d+)?$")


class Addresses:
    """Tells a URL on one server as the file of the original site that it stands for.

    sources: path of a served file -> the paths of the original files that it came from.
    """

    def __init__(self, origin: str, base: str, sources: Mapping[str, tuple[str, ...]]) -> None:
        self.origin = origin
        self.base = base
        self.sources = sources

    def over(self, before: Addresses) -> Addresses:
        """The same addresses, told in the names that `before` gives to their sources."""
        sources = {
            # A file that two were made of, which were made of one, came from that one.
            path: tuple(dict.fromkeys(first for source in own for first in before.sources.get(source, (source,))))
            for path, own in self.sources.items()
        }
        return Addresses(self.origin, self.base, sources)

    def url(self, text: str, document: str) -> str:
        """The meaning of a URL that stands in a document: its target, query and fragment.

        Another site's URL is its own meaning.
        """
        absolute = urljoin(document, text)
        if not absolute.startswith(self.origin):
            return absolute
        parts = urlsplit(absolute)
        tail = (f"?{parts.query}" if parts.query else "") + (f"#{parts.fragment}" if parts.fragment else "")
        return self._target(parts.path) + tail

    def attribute(self, name: str, value: str, document: str) -> str:
        """The meaning of an attribute's value."""
        if name == "integrity":
            return "present"  # its truth is checked by the browser, which refuses the file otherwise
        if name in _URL_ATTRIBUTES:
            return self.url(value, document)
        return self.embedded(value, document)

    def embedded(self, text: str, document: str) -> str:
        """A text with the URLs of files in it replaced by their meaning, and digests by their algorithm."""
        parts = _AROUND.split(_DIGEST.sub(r"sha\1-…", text))
        return "".join(part if index % 2 else self._known(part, document) for index, part in enumerate(parts))

    def message(self, text: str) -> str:
        """A browser's message with the site's own URLs replaced by their meaning, without line numbers."""
        return _ABSOLUTE.sub(lambda match: self.url(_PLACE_IN_FILE.sub("", match[0]), ""), text)

    def visible(self, text: str) -> str:
        """A text as a visitor reads it, free of the port that this server happens to have."""
        return text.replace(self.origin, "http://site.test").replace(urlsplit(self.origin).netloc, "site.test")

    def _known(self, text: str, document: str) -> str:
        try:
            parts = urlsplit(urljoin(document, text))
        except ValueError:  # such as `[` in a text that is no URL
            return text
        path = unquote(parts.path).removeprefix(self.base)
        if not text or parts.netloc != urlsplit(self.origin).netloc or path not in self.sources:
            return self.visible(text)
        return self.url(text, document)

    def _target(self, path: str) -> str:
        decoded = unquote(path)
        if not decoded.startswith(self.base):
            return f"outside the base: {decoded}"
        inside = decoded.removeprefix(self.base)
        return "site:" + " + ".join(self.sources.get(inside, (inside,)))


def of_folder(folder: Path, origin: str, base: str) -> Addresses:
    """The addresses of an original site: every file stands for itself."""
    paths = (path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())
    return Addresses(origin, base, {path: (path,) for path in paths})


# What a file stands for that was split off a script: nothing of the original alone.
VENDOR = "vendor"


def of_manifest(files: Mapping[str, Mapping[str, Any]], origin: str, base: str) -> Addresses:
    """The addresses of an optimized site: every file stands for its `source` in the manifest."""
    return Addresses(origin, base, {path: _sources(path, entry) for path, entry in files.items()})


def split_off(path: str, entry: Mapping[str, Any]) -> str:
    """The vendor whose file was split off a script, '' for all other files. entry: the file's in the manifest."""
    label: str = entry.get("vendor", "")
    return label if label and path.rpartition("/")[2].startswith(label) else ""


def remainders(files: Mapping[str, Mapping[str, Any]]) -> dict[str, set[str]]:
    """For each file that was split off, what is left of the scripts that it was split off. files: the manifest's."""
    parts = {path: entry for path, entry in files.items() if split_off(path, entry)}
    return {
        part: {
            path for path in files.keys() - parts.keys() if not set(files[path]["source"]).isdisjoint(entry["source"])
        }
        for part, entry in parts.items()
    }


def _sources(path: str, entry: Mapping[str, Any]) -> tuple[str, ...]:
    label = split_off(path, entry)
    return (f"{VENDOR} {label}",) if label else tuple(entry["source"])
