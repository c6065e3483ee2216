"""The way of a visitor through a site: which pages there are, and which links to click in what order."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import quote, unquote, urlsplit

from .server import Request

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from .observation import Observation
    from .server import Hosting

NO_SUCH_PAGE = "no-such-page"


@dataclass(frozen=True, slots=True)
class Step:
    """A click on the link to `target`, on the page at `path`."""

    path: str
    target: str


def addresses_of_pages(folder: Path) -> list[str]:
    """The paths, below the base, at which a visitor finds each page of an export."""
    found: list[str] = []
    for page in sorted(folder.rglob("*.html")):
        path = page.relative_to(folder).as_posix()
        if path == "404.html":
            found.append(NO_SUCH_PAGE)
        elif page.name == "index.html":
            found.append(quote(path.removesuffix("index.html")))
        else:
            found.append(quote(path.removesuffix(".html")))
    return found


def missing(hosting: Hosting, path: str) -> bool:
    """Whether a path, with its query, is answered with status 404."""
    return hosting.answer(Request(unquote(urlsplit(path).path))).status == 404


def leads_to_page(hosting: Hosting, path: str) -> bool:
    """Whether a path, with its query, is answered with a page, and not with a download."""
    response = hosting.answer(Request(unquote(urlsplit(path).path)))
    return response.status == 302 or response.headers.get("Content-Type", "").startswith("text/html")


def steps(pages: Mapping[str, Observation], hosting: Hosting) -> list[Step]:
    """Clicks that reach every place that links lead to from the first page, each from two pages if it can be.

    More would click the same links again: that they are the same is seen when pages are compared.
    pages: observations by path, first that of the home page. A step starts where the last one led if that
    page has a link of use, so that the page's scripts live as long as they would for a visitor.
    """
    paths = {observation.address: path for path, observation in pages.items()}
    known = {observation.address: observation for observation in pages.values()}
    targets = {observation.address: _targets(observation, known, hosting) for observation in pages.values()}
    here = next(iter(targets))
    met = [here]
    walk: list[Step] = []
    times: Counter[str] = Counter()
    while True:
        options = ((page, target) for page in (here, *met) for target in targets.get(page, ()))
        chosen = next((option for option in options if times[option[1]] < 2), None)
        if chosen is None:
            return walk
        page, here = chosen
        targets[page].remove(here)
        times[here] += 1
        walk.append(Step(paths[page], here))
        met.append(here)


def _targets(observation: Observation, known: Mapping[str, Observation], hosting: Hosting) -> list[str]:
    """Where the links of a page lead, without downloads and places on the same page that show nothing else."""
    here = observation.address
    return list(
        dict.fromkeys(
            link.target
            for link in observation.links
            if (
                link.target.partition("#")[0] != here.partition("#")[0]
                or (link.target in known and known[link.target].nodes != observation.nodes)
            )
            and leads_to_page(hosting, link.path)
        )
    )
