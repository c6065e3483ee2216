"""From a URL in a file to the file of the site that it means, as a browser and a static host find it."""

from __future__ import annotations

import posixpath
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import unquote, urljoin, urlsplit

if TYPE_CHECKING:
    from collections.abc import Collection

# Any origin will do for resolving; a reserved name (RFC 2606) cannot be a real one.
_HERE = "https://site.invalid"


@dataclass(frozen=True, slots=True)
class Target:
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
        try:
            document = _HERE + self.url(referrer)
            if page_base:
                document = urljoin(document, page_base)
            parts = urlsplit(urljoin(document, text))
        except ValueError:
            return _OUTSIDE
        origin = f"{parts.scheme}://{parts.netloc}".lower()
        if origin != _HERE and origin != self._origin:
            return _OUTSIDE
        path = posixpath.normpath(parts.path) + ("/" if parts.path.endswith("/") else "")
        path = unquote(path.replace("//", "/"))
        if not (path + "/").startswith(self._base):
            return _OUTSIDE
        return Target(self._file(path[len(self._base) :]), ours=True)

    def _file(self, path: str) -> str:
        choices = [path, f"{path}.html", f"{path}/index.html"] if path else ["index.html"]
        if path.endswith("/"):
            choices = [f"{path}index.html", f"{path[:-1]}.html"]
        return next((choice for choice in choices if choice in self._paths), "")
