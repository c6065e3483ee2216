"""From a URL in a file to the file of the site that it means, as a browser and a static host find it."""

from __future__ import annotations

import posixpath
import re
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import quote, unquote, urljoin, urlsplit

if TYPE_CHECKING:
    from collections.abc import Collection

# Any origin will do for resolving; a reserved name (RFC 2606) cannot be a real one.
_HERE = "https://site.invalid"
# Paths that mean what they say: of ten URLs nine, and to resolve any other takes six times as long.
_PLAIN = re.compile(r"(?!//)[A-Za-z0-9_~/.-]*[A-Za-z0-9_~/-]")


def spellings(path: str) -> set[bytes]:
    """The name of a file as URLs have it: pages of Next's ask for `%5Bslug%5D-….js`, which is `[slug]-….js`.

    As it is, and as `encodeURI` and `encodeURIComponent` write it (ECMA-262 §19.2.6).
    """
    name = posixpath.basename(path).encode("utf-8", "surrogateescape")
    return {name, *(quote(name, safe).encode() for safe in ("!*'();:@&=+$,#", "!*'()"))}


class Target(NamedTuple):
    """What a URL means. path: the file, '' if there is none. ours: whether the URL lies in the site at all."""

    path: str
    ours: bool


_OUTSIDE = Target("", ours=False)


class Addresses:
    """Resolves URLs against the files of a site that is served below `base`.

    paths: all files, relative to the root. origin: `https://example.com`; absolute URLs with it are ours.
    """

    def __init__(self, paths: Collection[str], base: str = "/", origin: str = "") -> None:
        self._paths = paths
        self._base = base
        self._origin = origin.rstrip("/").lower()

    def among(self, paths: Collection[str]) -> Addresses:
        """The same for other files."""
        return Addresses(paths, self._base, self._origin)

    def url(self, path: str) -> str:
        """The path under which a file is served: `/sub/about/` for about/index.html below `/sub/`."""
        folder, name = posixpath.split(path)
        return self._base + (f"{folder}/" if folder else "") if name == "index.html" else self._base + path

    def find(self, text: str, referrer: str, page_base: str = "") -> Target:
        """The target of a URL in the file `referrer`; page_base is the page's `<base href>`.

        A static host answers `/about` with about, about.html or about/index.html.
        """
        text = text.strip(" \t\n\r\f").replace("\\", "/")
        if not text or text.startswith("#"):
            return _OUTSIDE
        path = self._resolved(text, referrer, page_base)
        if path is None:
            return _OUTSIDE
        if not _PLAIN.fullmatch(path) or "/." in path or "//" in path:
            path = posixpath.normpath(path) + ("/" if path.endswith("/") else "")
            path = unquote(path.replace("//", "/"))
        if not (path + "/").startswith(self._base):
            return _OUTSIDE
        return Target(self._file(path[len(self._base) :]), ours=True)

    def _resolved(self, text: str, referrer: str, page_base: str) -> str | None:
        """The path of a URL as a browser resolves it, None for one of another host."""
        is_plain = not page_base and _PLAIN.fullmatch(text)
        if is_plain and text.startswith("/"):
            return text
        document = self.url(referrer)
        if is_plain and _PLAIN.fullmatch(document):
            return document[: document.rindex("/") + 1] + text
        try:
            document = _HERE + document
            if page_base:
                document = urljoin(document, page_base)
            parts = urlsplit(urljoin(document, text))
        except ValueError:
            return None
        origin = f"{parts.scheme}://{parts.netloc}".lower()
        return parts.path if origin in (_HERE, self._origin) else None

    def _file(self, path: str) -> str:
        if path in self._paths:
            return path
        choices = (f"{path}.html", f"{path}/index.html") if path else ("index.html",)
        if path.endswith("/"):
            choices = (f"{path}index.html", f"{path[:-1]}.html")
        return next((choice for choice in choices if choice in self._paths), "")
