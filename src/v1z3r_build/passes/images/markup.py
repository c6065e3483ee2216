"""Which pages and style sheets let browsers choose among the variants of their images."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from v1z3r_build.formats import html
from v1z3r_build.formats.policies import of_headers
from v1z3r_build.passes.images.image_sets import SheetEdited, fades, sheet_edits
from v1z3r_build.passes.images.offers import Left
from v1z3r_build.passes.images.pictures import page_edits
from v1z3r_build.passes.images.sheets import Sheets
from v1z3r_build.passes.images.stillness import Scripts, reads_styles

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from v1z3r_build.passes.images.offers import Edit, Offer
    from v1z3r_build.passes.link.proof import Reference
    from v1z3r_build.site import Asset, Site
    from v1z3r_build.site.address import Addresses
    from v1z3r_build.site.span import Role

_NAMES_POLICY = re.compile(rb"content-security-policy", re.I)
_HEADERS = "_headers"
# Of what other hosts are told of headers nothing is read: a policy there may forbid whatever a policy can.
_STRICTEST = "default-src 'none'"
_HOSTS = re.compile(
    r"(?:.*/)?(?:\.htaccess|web\.config|nginx\.conf|Caddyfile|netlify\.toml|vercel\.json|staticwebapp\.config\.json|firebase\.json)"
)


@dataclass
class Markup:
    """edits: by file. offered: file -> the images that all their places there offer variants of. left: by file."""

    edits: dict[str, list[Edit]] = field(default_factory=dict)
    offered: dict[str, set[str]] = field(default_factory=dict)
    left: dict[str, list[Left]] = field(default_factory=dict)


def scripts_of(site: Site, references: Mapping[str, Iterable[Reference]], addresses: Addresses) -> Scripts:
    """The scripts of a site, by which its pages are judged. references: of every file of the site."""
    framed = {one.target for found in references.values() for one in found if one.url.role == "embed" and one.target}
    return Scripts(lambda path: site.assets[path].read(), addresses, framed)


def shown_still(site: Site, references: Mapping[str, Iterable[Reference]], scripts: Scripts) -> set[str]:
    """The images of elements on pages that no script could look at."""
    return {
        image
        for path, asset in site.assets.items()
        if asset.kind == "html"
        and (images := _named(references, path, ("image", "candidate")))
        and not scripts.stillness(path, asset.read()).reason
        for image in images
    }


def markup(
    site: Site,
    references: Mapping[str, Iterable[Reference]],
    offers: Mapping[str, Offer],
    addresses: Addresses,
    scripts: Scripts,
) -> Markup:
    """What pages and style sheets are given so that browsers choose among variants.

    references: of every file of the site. offers: by the path of an image.
    """
    found = Markup()
    if offers:
        styles = _sheets(site, references, offers, addresses, scripts, found)
        _pages(site, references, offers, addresses, scripts, styles, found)
    return found


@dataclass(frozen=True)
class _Styles:
    """What the style sheets of a site do with images. edited: those that name some. faded: whether any could fade one
    image into another.
    """

    edited: Mapping[str, SheetEdited]
    faded: bool


def _sheets(
    site: Site,
    references: Mapping[str, Iterable[Reference]],
    offers: Mapping[str, Offer],
    addresses: Addresses,
    scripts: Scripts,
    found: Markup,
) -> _Styles:
    styles = [asset for asset in site.assets.values() if asset.kind == "style"]
    named = {asset.path: _named(references, asset.path, ("css-url",)) & offers.keys() for asset in styles}
    if not any(named.values()):
        return _Styles({}, any(fades(asset.read()) for asset in styles))
    faded = any(fades(asset.read()) for asset in styles)
    reading = next((word for asset in site.assets.values() if (word := _styles_read(asset))), "")
    # A page that must stay as it is would go on to fetch these in their own format.
    ahead = {
        image
        for path, asset in site.assets.items()
        if asset.kind in ("html", "text") and (images := _named(references, path, ("preload",)) & offers.keys())
        if asset.kind == "text" or scripts.stillness(path, asset.read()).reason
        for image in images
    }
    choices = {path: offer for path, offer in offers.items() if path not in ahead}
    edited: dict[str, SheetEdited] = {}
    for asset in styles:
        images = named[asset.path]
        if not images:
            continue
        if reading:
            edited[asset.path] = SheetEdited(plain=tuple(sorted(images)))
            why = f"a script says “{reading}”, by which it may read what style sheets say of images"
            found.left[asset.path] = [Left(0, image, why) for image in sorted(images)]
            continue
        one = sheet_edits(asset.path, asset.read(), choices, addresses, faded=faded)
        edited[asset.path] = SheetEdited(one.edits, one.left, one.chosen, tuple(sorted(images - {*one.chosen})))
        _keep(found, asset.path, one.edits, one.left, set(one.chosen))
    return _Styles(edited, faded)


def _styles_read(asset: Asset) -> str:
    """The word by which a script, or one that a page holds, could read what style sheets say of images."""
    if asset.kind == "script":
        return reads_styles(asset.read())
    data = asset.read() if asset.kind == "html" else b""
    if not reads_styles(data):
        return ""
    inlines = (one for one in html.read(data).inlines if one.tag == "script")
    return next((word for one in inlines if (word := reads_styles(data[one.start : one.end]))), "")


def _pages(
    site: Site,
    references: Mapping[str, Iterable[Reference]],
    offers: Mapping[str, Offer],
    addresses: Addresses,
    scripts: Scripts,
    styles: _Styles,
    found: Markup,
) -> None:
    sheets = Sheets(lambda path: site.assets[path].read(), addresses)
    policy = _policies(site.assets)
    early = _named(references, _HEADERS, ("preload",))
    for path, asset in site.assets.items():
        if asset.kind != "html":
            continue
        images = _named(references, path, ("image", "candidate", "css-url")) & offers.keys()
        if not images:
            continue
        linked = _linked(references, path)
        used = [styles.edited[sheet] for sheet in linked if sheet in styles.edited]
        data = asset.read()
        edited = page_edits(
            path,
            data,
            offers,
            addresses,
            sheets,
            scripts,
            policy,
            {*early, *(image for one in used for image in one.plain)},
            {image for one in used for image in one.chosen},
            faded=styles.faded,
        )
        _keep(found, path, edited.edits, edited.left, images - {one.path for one in edited.left})


def _keep(found: Markup, path: str, edits: Iterable[Edit], left: Iterable[Left], offered: set[str]) -> None:
    found.edits[path] = list(edits)
    found.left[path] = list(left)
    found.offered[path] = offered if found.edits[path] else set()


def _named(references: Mapping[str, Iterable[Reference]], path: str, roles: Iterable[Role]) -> set[str]:
    return {one.target for one in references.get(path, ()) if one.url.role in roles}


def _linked(references: Mapping[str, Iterable[Reference]], page: str) -> set[str]:
    """The style sheets of a page, with all that they import."""
    sheets: set[str] = set()
    waiting = _named(references, page, ("style", "preload", "css-import"))
    while waiting:
        sheets |= waiting
        waiting = {one for sheet in waiting for one in _named(references, sheet, ("css-import",))} - sheets
    return sheets - {""}


def _policies(assets: Mapping[str, Asset]) -> tuple[str, ...]:
    """The policies that headers may state, each taken to hold for every page."""
    policies: list[str] = []
    for path, asset in assets.items():
        if path == _HEADERS:
            policies += of_headers(asset.read())
        elif _HOSTS.fullmatch(path) and _NAMES_POLICY.search(asset.read()):
            policies.append(_STRICTEST)
    return tuple(policies)
