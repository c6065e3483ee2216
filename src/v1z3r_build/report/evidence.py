"""What only the files of an output tell, and advice needs: read once, each file by itself."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from v1z3r_build.formats import css
from v1z3r_build.manifest import MANIFEST_NAME
from v1z3r_build.report.pictures import pixels
from v1z3r_build.site.address import Addresses

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from v1z3r_build.manifest import FileRecord, Manifest

_KEY = b"PRIVATE KEY-----"  # the label's end in PEM (RFC 7468, §10 and §11; OpenSSL's and OpenSSH's own kinds)
_KEY_HEAD = 1 << 16
_LARGEST_TEXT = 1 << 24  # a page or style sheet beyond it is not read: nobody writes such


@dataclass(frozen=True, slots=True)
class Shown:
    """A picture in a page. width, height: as its attributes say, in CSS pixels."""

    path: str
    width: int
    height: int


@dataclass(frozen=True, slots=True)
class Page:
    """What a page says of the files that it loads: their paths.

    preloads: by `<link rel=preload>`. blocking: scripts for which the parser waits before it has shown anything.
    """

    preloads: frozenset[str] = frozenset()
    blocking: tuple[str, ...] = ()
    shown: tuple[Shown, ...] = ()


@dataclass(frozen=True, slots=True)
class Evidence:
    """What the files of an output tell.

    pages: by path. fonts: by path of a style sheet, the fonts that it names. pixels: width and height of pictures.
    strays: files in the folder that the manifest does not speak of. keys: files that hold a private key.
    """

    pages: Mapping[str, Page] = field(default_factory=dict)
    fonts: Mapping[str, frozenset[str]] = field(default_factory=dict)
    pixels: Mapping[str, tuple[int, int]] = field(default_factory=dict)
    strays: tuple[str, ...] = ()
    keys: tuple[str, ...] = ()


def collect(folder: Path, manifest: Manifest) -> Evidence:
    """The evidence in an output. What cannot be read tells nothing: `verify` reports it."""
    reader = _Reader(folder, manifest)
    of_kind = reader.of_kind
    return Evidence(
        pages={path: page for path in of_kind("html") if (page := reader.page(path)) is not None},
        fonts={path: fonts for path in of_kind("style") if (fonts := reader.fonts(path))},
        pixels={path: size for path in of_kind("image") if (size := pixels(folder / path)) is not None},
        strays=tuple(sorted(reader.strays())),
        keys=tuple(path for path in of_kind("text", "other") if reader.holds_key(path)),
    )


class _Reader:
    """Reads the files of one output."""

    def __init__(self, folder: Path, manifest: Manifest) -> None:
        self._folder = folder
        self._files: Mapping[str, FileRecord] = manifest.files
        self._addresses = Addresses(manifest.files, manifest.base, manifest.origin)

    def of_kind(self, *kinds: str) -> Iterator[str]:
        return (path for path, record in sorted(self._files.items()) if record.kind in kinds)

    def page(self, path: str) -> Page | None:
        import turbohtml

        data = self._text(path)
        if data is None:
            return None
        preloads: set[str] = set()
        blocking: list[str] = []
        shown: list[Shown] = []
        base = ""
        for element in turbohtml.parse(data.decode("utf-8", "replace")).iter_elements():
            tag = element.tag
            if tag not in ("base", "link", "script", "img"):
                continue
            above = [one.tag if isinstance(one, turbohtml.Element) else "" for one in element.ancestors]
            if "template" in above or "noscript" in above:
                continue
            words = {name.lower(): _value(value) for name, value in element.attrs.items()}
            target = self._addresses.find(words.get("src", words.get("href", "")), path, base).path
            if tag == "base":
                base = base or words.get("href", "")
            elif tag == "link" and target and "preload" in words.get("rel", "").lower().split():
                preloads.add(target)
            elif tag == "script" and target and "head" in above and _blocks(words):
                blocking.append(target)
            elif tag == "img" and target and "srcset" not in words and "picture" not in above:
                width, height = _count(words.get("width", "")), _count(words.get("height", ""))
                if width and height:
                    shown.append(Shown(target, width, height))
        return Page(frozenset(preloads), tuple(blocking), tuple(shown))

    def fonts(self, path: str) -> frozenset[str]:
        data = self._text(path) or b""
        targets = (self._addresses.find(url.text, path).path for url in css.read(data).urls)
        return frozenset(target for target in targets if target and self._files[target].kind == "font")

    def strays(self) -> Iterator[str]:
        known = {MANIFEST_NAME, *self._files}
        for record in self._files.values():
            known.update(encoding.path for encoding in record.encodings.values())
        for place, _, names in os.walk(self._folder):
            for name in names:
                path = os.path.relpath(os.path.join(place, name), self._folder).replace(os.sep, "/")  # noqa: PTH118
                if path not in known:
                    yield path

    def holds_key(self, path: str) -> bool:
        """Scripts are not asked: libraries that read keys hold the words, too."""
        try:
            with (self._folder / path).open("rb") as file:
                return _KEY in file.read(_KEY_HEAD)
        except OSError:
            return False

    def _text(self, path: str) -> bytes | None:
        if self._files[path].size > _LARGEST_TEXT:
            return None
        try:
            return (self._folder / path).read_bytes()
        except OSError:
            return None


def _value(value: str | list[str] | None) -> str:
    return " ".join(value) if isinstance(value, list) else value or ""


def _count(text: str) -> int:
    """A dimension in pixels, 0 for none and for per cents (HTML Standard, "dimension attributes")."""
    text = text.strip()
    return int(text) if text.isascii() and text.isdigit() and len(text) < 6 else 0


def _blocks(words: Mapping[str, str]) -> bool:
    """Whether the parser waits for a script with these attributes (HTML Standard, "prepare the script element")."""
    kind = words.get("type", "").strip().lower()
    classic = kind in ("", "text/javascript", "application/javascript")
    return classic and not {"async", "defer", "nomodule"} & words.keys()
