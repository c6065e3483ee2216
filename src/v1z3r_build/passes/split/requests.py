"""How much pages ask for at once: a page that asks for more than a limit loads later for it, whatever it keeps."""

from __future__ import annotations

from typing import TYPE_CHECKING

from v1z3r_build.formats import html
from v1z3r_build.site.address import spellings

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from v1z3r_build.passes.split.answer import Answer
    from v1z3r_build.site import Site
    from v1z3r_build.site.address import Addresses
    from v1z3r_build.site.span import Role

# What a browser fetches as soon as it meets it.
_AT_ONCE: Collection[Role] = ("script", "module", "style", "preload", "image")


class InitialRequests:
    """The files that those pages ask for at once which ask for a chunk that is split."""

    def __init__(self, site: Site, addresses: Addresses, answers: Iterable[Answer], limit: int) -> None:
        """limit: how many requests a page may make at once."""
        self._limit = limit
        self._pages: dict[str, set[str]] = {}
        names = {name for answer in answers if answer.vendors for name in spellings(answer.path)}
        for path, page in site.assets.items():
            if not names or page.kind != "html":
                continue
            data = page.read()
            if not any(name in data for name in names):
                continue
            reading = html.read(data)
            urls = (url for url in reading.urls if url.role in _AT_ONCE)
            self._pages[path] = {addresses.find(url.text, path, reading.base).path for url in urls} - {""}

    def objection(self, answer: Answer) -> str:
        """Why a page would ask for too much if an answer were carried out, '' if none would; then it counts as done."""
        added = {one.path for one in answer.vendors.values()}
        pages = [(path, files) for path, files in self._pages.items() if answer.path in files]
        for path, files in pages:
            if len(files | added) > max(self._limit, len(files)):
                return f"{path} would make {len(files | added)} requests at once, and {self._limit} is the limit"
        for _, files in pages:
            files |= added
        return ""
