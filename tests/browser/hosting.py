"""How requests are answered: as a plain host of static files does, or by a manifest alone."""

from __future__ import annotations

import json
import threading
import time
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

from v1z3r_build.site.media_types import content_type

from .server import Request, Response

if TYPE_CHECKING:
    from pathlib import Path

    from .server import Hosting

MANIFEST = "v1z3r-manifest.json"
_QUIET_SECONDS = 0.4


class PlainHosting:
    """A folder as a CDN over a bucket serves it.

    `about/` is `about/index.html`; `about` is `about.html` (exports without trailing slashes) or leads to
    `about/`; anything else is `404.html` with status 404. No compression, no cache headers.
    """

    def __init__(self, folder: Path, content_types: dict[str, str] | None = None) -> None:
        """content_types: types by path that differ from those of the media-type table."""
        self.folder = folder.resolve()
        self.content_types = content_types or {}

    def answer(self, request: Request) -> Response:
        path = request.path
        if path == "" or path.endswith("/"):
            return self._file(path + "index.html") or self._missing()
        found = self._file(path) or self._file(path + ".html")
        if found:
            return found
        if (self.folder / path / "index.html").is_file():
            return _slash_added(path)
        return self._missing()

    def _missing(self) -> Response:
        return self._file("404.html", 404) or Response(404)

    def _file(self, path: str, status: int = 200) -> Response | None:
        place = (self.folder / path).resolve()
        if not place.is_relative_to(self.folder) or not place.is_file():
            return None
        kind = self.content_types.get(path) or content_type(path)
        return Response(status, place.read_bytes(), {"Content-Type": kind})


class ManifestHosting:
    """An optimized folder, served by its manifest and nothing else.

    The manifest is read as plain JSON, not by the package's own reader: the contract is what is tested.
    """

    def __init__(self, folder: Path, negotiating: bool = False) -> None:
        """negotiating: whether an image is answered with the best of its variants that the browser accepts."""
        manifest: dict[str, Any] = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
        self.folder = folder
        self.negotiating = negotiating
        self.files: dict[str, dict[str, Any]] = manifest["files"]
        self.routes: dict[str, dict[str, Any]] = {unquote(route): page for route, page in manifest["routes"].items()}

    def answer(self, request: Request) -> Response:
        path, route = request.path, "/" + request.path
        if route in self.routes:
            return self._file(request, self.routes[route]["html"])
        if path in self.files:
            return self._file(request, path)
        if route + "/" in self.routes:
            return _slash_added(path)
        if "404.html" in self.files:
            return self._file(request, "404.html", 404)
        return Response(404)

    def _file(self, request: Request, path: str, status: int = 200) -> Response:
        entry = self.files[path]
        if self.negotiating and entry.get("variants"):
            return self._variant(request, path, entry)
        headers = {"Content-Type": entry["content_type"], "Cache-Control": entry["cache_control"]}
        encodings: dict[str, dict[str, Any]] = entry.get("encodings", {})
        if encodings:
            headers["Vary"] = "Accept-Encoding"
        for coding in ("br", "gzip"):
            if coding in encodings and coding in _accepted(request.accept_encoding):
                headers["Content-Encoding"] = coding
                path = encodings[coding]["path"]
                break
        return Response(status, (self.folder / path).read_bytes(), headers)

    def _variant(self, request: Request, path: str, entry: dict[str, Any]) -> Response:
        # A browser names the newer formats that it reads; `*/*` and `image/*` do not.
        accepted = {name.partition(";")[0].strip() for name in request.accept.lower().split(",")}
        fitting = (one for one in entry["variants"] if one["content_type"] in accepted)
        chosen = next(fitting, {"path": path, "content_type": entry["content_type"]})
        # The address is the owner's, and with it how long it may be kept.
        headers = {"Content-Type": chosen["content_type"], "Cache-Control": entry["cache_control"], "Vary": "Accept"}
        return Response(200, (self.folder / chosen["path"]).read_bytes(), headers)


class Holding:
    """A host that answers some paths last: when nothing else has been asked for a while."""

    def __init__(self, hosting: Hosting, *held: str) -> None:
        """held: the paths that are held back; others may be set between pages."""
        self.hosting = hosting
        self.held = held
        self._last = time.monotonic()
        self._lock = threading.Lock()

    def answer(self, request: Request) -> Response:
        if request.path in self.held:
            while self._quiet() < _QUIET_SECONDS:
                time.sleep(0.05)
        else:
            with self._lock:
                self._last = time.monotonic()
        return self.hosting.answer(request)

    def _quiet(self) -> float:
        with self._lock:
            return time.monotonic() - self._last


def _slash_added(path: str) -> Response:
    # Relative to the last segment, so that it holds below any base folder.
    return Response(302, b"", {"Location": path.rpartition("/")[2] + "/"})


def _accepted(header: str) -> set[str]:
    """The codings of an Accept-Encoding header that are not refused by `q=0` (RFC 9110 §12.5.3)."""
    codings = (coding.replace(" ", "").lower().partition(";") for coding in header.split(","))
    return {name for name, _, weight in codings if weight not in ("q=0", "q=0.0", "q=0.00", "q=0.000")}
