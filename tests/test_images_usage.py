"""What a site uses its images for, and where the name of a WebP may stand for theirs."""

from __future__ import annotations

from json import dumps
from typing import TYPE_CHECKING

import pytest

from v1z3r_build.passes.images.replacement import Replacements
from v1z3r_build.passes.images.usage import Use, uses
from v1z3r_build.passes.link.filling import apply
from v1z3r_build.passes.link.proof import prove
from v1z3r_build.passes.link.survey import survey
from v1z3r_build.settings import ImagesSettings, Settings
from v1z3r_build.site.address import Addresses
from v1z3r_build.site.folder import read
from v1z3r_build.workers.pool import Pool
from v1z3r_build.workers.progress import SilentProgress

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from v1z3r_build.passes.link.proof import Proof
    from v1z3r_build.passes.link.survey import Survey
    from v1z3r_build.site import Site

PNG = b"\x89PNG\r\n\x1a\n picture"


@pytest.fixture(scope="module")
def pool() -> Iterator[Pool]:
    with Pool(1) as opened:
        yield opened


def surveyed(tmp_path: Path, pool: Pool, files: Mapping[str, str | bytes]) -> tuple[Site, Survey, Proof]:
    for path, content in files.items():
        target = tmp_path / "site" / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content.encode() if isinstance(content, str) else content)
    (tmp_path / "spool").mkdir()
    site = read(tmp_path / "site", tmp_path / "spool")
    seen = survey(site, pool, SilentProgress())
    return site, seen, prove(site, seen, Addresses(site.assets.keys()), Settings(), {})


def page(body: str, head: str = "") -> str:
    return f'<!doctype html><html><head><meta charset="utf-8">{head}</head><body>{body}</body></html>'


def pushing(properties: str) -> str:
    """A page that shows a.png, and hands a component these properties."""
    row = dumps(f'0:["$","$L1",null,{properties}]\n')
    return page(f'<img src="/a.png"><script>self.__next_f.push([1,{row}])</script>')


SHOWN, EXACT, BOTH, OUTSIDE = "shown", "exact", "shown, but exact", "outside"
# Files beside a.png, which is looked at; what it is for.
USES: dict[str, tuple[dict[str, str], str]] = {
    "img": ({"index.html": page('<img src="a.png">')}, SHOWN),
    "srcset": ({"index.html": page('<img srcset="a.png 2x">')}, SHOWN),
    "source": ({"index.html": page('<picture><source srcset="a.png"><img></picture>')}, SHOWN),
    "poster": ({"index.html": page('<video poster="a.png"></video>')}, SHOWN),
    "style sheet": ({"a.css": "p{background:url(a.png)}"}, SHOWN),
    "lazy": ({"index.html": page('<img data-src="/a.png">')}, SHOWN),
    "icon": ({"index.html": page("x", '<link rel="icon" href="a.png">')}, OUTSIDE),
    "og:image": ({"index.html": page("x", '<meta property="og:image" content="/a.png">')}, OUTSIDE),
    "link": ({"index.html": page('<a href="a.png">x</a>')}, OUTSIDE),
    "web manifest": ({"site.webmanifest": '{"icons":[{"src":"a.png"}]}'}, OUTSIDE),
    "feed": ({"feed.xml": "<rss><url>/a.png</url></rss>"}, OUTSIDE),
    "JSON-LD": ({"index.html": page('<script type="application/ld+json">{"image":"/a.png"}</script>')}, OUTSIDE),
    "icon and img": ({"index.html": page('<img src="a.png">', '<link rel="icon" href="a.png">')}, SHOWN),
    "texture": ({"a.js": 'loader.load("/a.png")'}, EXACT),
    "module URL": ({"a.js": 'new URL("a.png",import.meta.url)'}, EXACT),
    "data": ({"index.html": page('<div data-map="a.png">')}, EXACT),
    "inline script": ({"index.html": page('<script>load("/a.png")</script>')}, EXACT),
    "material": ({"a.gltf": '{"images":[{"uri":"a.png"}]}'}, EXACT),
    "data for scripts": ({"a.json": '{"map":"a.png"}'}, EXACT),
    "nothing": ({"index.html": page("x")}, EXACT),
    "a longer name": ({"index.html": page("x"), "a.js": 'load("/extra.png")'}, EXACT),
    "a comment": ({"index.html": page('<img src="a.png">'), "a.js": '/* "/a.png" */'}, SHOWN),
    "element": ({"a.js": 'jsx("img",{src:"/a.png"})'}, SHOWN),
    "constant": ({"a.js": 'import"x";const a="/a.png";jsx("img",{src:a})'}, SHOWN),
    "component": ({"a.js": 'jsx(Image,{src:"/a.png"})'}, EXACT),
    "component that a page shows": ({"index.html": page('<img src="a.png">'), "a.js": 'jsx(I,{src:"/a.png"})'}, SHOWN),
    **{
        f"element that a script may read: {made}": ({"a.js": f'import"x";const a="/a.png";gl.texImage2D(1,r);{made}'}, BOTH)
        for made in (
            'h("img",{ref:r,src:"/a.png"})', 'h("img",{id:"t",src:a})', 'h("img",{crossOrigin:"",src:a})',
            'h("img",{src:a});h("img",{src:a,onLoad:e=>f(e.target)})', 'h("img",{style:{display:"none"},src:a})',
            'h("img",{...b,src:"/a.png"})', 'h("img",{ref:r,src:"a.png"})',
        )
    },
    "element, of a name in parts": ({"a.js": 'gl.texImage2D();h("img",{src:"/".concat("a",".png")});f("/".concat("a",".png"))'}, BOTH),
    "element, of an address in parts": ({"a.js": 'gl.texImage2D();h("img",{src:"".concat("","/a.png")})'}, SHOWN),
    "element that no script may read": ({"a.js": 'gl.texImage2D(1,r);h("img",{alt:"",onLoad:()=>f(),src:"/a.png"})'}, SHOWN),
    "element in a site that reads no pixels": ({"a.js": 'h("img",{ref:r,src:"/a.png"})'}, SHOWN),
    "img and texture": ({"index.html": page('<img src="a.png">'), "a.js": 'load("/a.png")'}, BOTH),
    "flight data of a page": ({"index.html": pushing('{"src":"/a.png"}'), "a.js": "gl.texImage2D()"}, SHOWN),
    "flight data that hands a texture": ({"index.html": pushing('{"map":"/a.png"}'), "a.js": "gl.texImage2D()"}, BOTH),
    "flight data that can hand none": ({"index.html": pushing('{"map":"/a.png"}')}, SHOWN),
    "flight data": ({"index.html": page('<img src="/a.png">'), "index.txt": '0:["$","$L1",null,{"src":"/a.png"}]'}, SHOWN),
}  # fmt: skip


@pytest.mark.parametrize(("files", "expected"), USES.values(), ids=USES)
def test_uses(files: dict[str, str], expected: str, tmp_path: Path, pool: Pool) -> None:
    site, seen, proof = surveyed(tmp_path, pool, {"404.html": page("x"), **files, "a.png": PNG})
    use = uses(site, seen, proof.references, ["a.png"], ImagesSettings())["a.png"]
    wanted = {
        SHOWN: (True, False, False),
        EXACT: (False, True, False),
        BOTH: (True, True, False),
        OUTSIDE: (False, False, True),
    }[expected]
    assert (use.shown, bool(use.exact), use.outside) == wanted


def test_uses_that_settings_tell(tmp_path: Path, pool: Pool) -> None:
    files = {"index.html": page('<img src="a.png">'), "a.png": PNG, "b.png": PNG}
    site, seen, proof = surveyed(tmp_path, pool, files)
    settings = ImagesSettings(lossless=("a.*",), lossy=("b.png",))
    found = uses(site, seen, proof.references, ["a.png", "b.png"], settings)
    assert found == {"a.png": Use(shown=True, exact="[images] lossless lists it"), "b.png": Use()}


TOKENED, VARIANT = "assets/a.0f3c91d2.png", "assets/a.1234567.webp"
PLAIN = {"index.html": page('<img src="/assets/a.0f3c91d2.png">')}
NEXT_CHUNK = "(self.webpackChunk_N_E=self.webpackChunk_N_E||[]).push([[1],{%s}]);"
NEXT = NEXT_CHUNK % (
    "4:function(e,t,i){let p={deviceSizes:[640],unoptimized:%s},m=e=>(0,n.jsx)('img',{'data-nimg':'1',src:e.src}),"
    "l=(0,u.getImgProps)(e,{defaultLoader:g.default,imgConf:p})}"
)
# The image, its WebP, the files beside it, and those files with the WebP's name; or a part of why not.
REPLACED: dict[str, tuple[str, str, dict[str, str], dict[str, str] | str]] = {
    "a name with a token": (
        TOKENED, VARIANT,
        {
            "index.html": page('<img src="/assets/a.0f3c91d2.png?x" srcset="assets/a.0f3c91d2.png 2x">'),
            "a.js": 'jsx(Image,{src:"/assets/a.0f3c91d2.png"});import("./a.0f3c91d3.png")',
            "a.css": "p{background:url(assets/a.0f3c91d2.png)}",
            "index.txt": '0:["/assets/a.0f3c91d2.png"]\n',
            "_next/data/x/index.json": '{"src":"/assets/a.0f3c91d2.png"}',
        },
        {
            "index.html": page('<img src="/assets/a.1234567.webp?x" srcset="assets/a.1234567.webp 2x">'),
            "a.js": 'jsx(Image,{src:"/assets/a.1234567.webp"});import("./a.0f3c91d3.png")',
            "a.css": "p{background:url(assets/a.1234567.webp)}",
            "index.txt": '0:["/assets/a.1234567.webp"]\n',
            "_next/data/x/index.json": '{"src":"/assets/a.1234567.webp"}',
        },
    ),
    "outsiders keep the original": (
        TOKENED, VARIANT,
        {
            "index.html": page(
                '<img src="/assets/a.0f3c91d2.png"><a href="/assets/a.0f3c91d2.png">x</a>',
                '<link rel="icon" href="/assets/a.0f3c91d2.png"><meta property="og:image" content="/assets/a.0f3c91d2.png">'
                '<script type="application/ld+json">{"image":"/assets/a.0f3c91d2.png"}</script>',
            ),
            "site.webmanifest": '{"icons":[{"src":"/assets/a.0f3c91d2.png"}]}',
        },
        {
            "index.html": page(
                '<img src="/assets/a.1234567.webp"><a href="/assets/a.0f3c91d2.png">x</a>',
                '<link rel="icon" href="/assets/a.0f3c91d2.png"><meta property="og:image" content="/assets/a.0f3c91d2.png">'
                '<script type="application/ld+json">{"image":"/assets/a.0f3c91d2.png"}</script>',
            ),
            "site.webmanifest": '{"icons":[{"src":"/assets/a.0f3c91d2.png"}]}',
        },
    ),
    "a precache list": (
        TOKENED, VARIANT,
        {**PLAIN, "sw.js": 'precacheAndRoute([{url:"/assets/a.0f3c91d2.png",revision:null}])'},
        {
            "index.html": page('<img src="/assets/a.1234567.webp">'),
            "sw.js": 'precacheAndRoute([{url:"/assets/a.1234567.webp",revision:null}])',
        },
    ),
    "a name in parts": (TOKENED, VARIANT, {**PLAIN, "a.js": 'x={a:"a.0f3c91d2"}[k]+".p"+"ng"'}, "holds its name in parts"),
    "a script that tells images by their names": (
        TOKENED, VARIANT, {**PLAIN, "a.js": 'f("/assets/a.0f3c91d2.png");/\\.(png|jpg)$/.test(x)'}, "a.js tells images",
    ),
    "data in a format of its own": (TOKENED, VARIANT, {**PLAIN, "a.json": '{"map":"/assets/a.0f3c91d2.png"}'}, "a.json names it"),
    "a text": (TOKENED, VARIANT, {**PLAIN, "about.html": page("assets/a.0f3c91d2.png")}, "a text that people"),
    "a name without a token": (
        "a.png", "a.0123456789abcdef.webp",
        {
            "index.html": page('<img src="a.png?v=1"><a href="a.png">x</a>', '<link rel="icon" href="a.png">'),
            "a.css": "p{background:url(/a.png#x)}",
        },
        "refers to it by its own URL",
    ),
    "sure references": (
        "a.png", "a.0123456789abcdef.webp",
        {
            "index.html": page('<img src="a.png?v=1">', '<link rel="icon" href="a.png">'),
            "a.css": "p{background:url(/a.png#x)}",
            "a.js": 'jsx("img",{src:"/a.png"})',
        },
        {
            "index.html": page('<img src="a.0123456789abcdef.webp?v=1">', '<link rel="icon" href="a.png">'),
            "a.css": "p{background:url(/a.0123456789abcdef.webp#x)}",
            "a.js": 'jsx("img",{src:"/a.0123456789abcdef.webp"})',
        },
    ),
    "next/image of two apps, one of which makes other names": (
        "a.png", "a.0123456789abcdef.webp",
        {
            "index.html": page('<img src="a.png">'),
            "a.js": NEXT % "!0",
            "b/b.js": NEXT % "!1",
            "b/c.js": NEXT_CHUNK % '9:function(e,t,n){var s=n(4);jsx(s.Image,{src:"/a.png"})}',
        },
        "b/c.js:1:110 mentions it",
    ),
    **{
        f"a string that looks like it, {spelled}": (
            "é&a's.png", "é&a's.webp", {"index.html": page("<img src=\"é&a's.png\">"), "a.js": f'load("/{spelled}")'}, "a.js:1:8 mentions it",
        )
        for spelled in ("%C3%A9%26a's.png", "%C3%A9&a's.png", "\\xe9&a's.png", "\\u00E9&a's.png", "é\\u0026a's.png", "é&a\\'s.png")
    },
    "a string that looks like it": (
        "a.png", "a.0123456789abcdef.webp", {"index.html": page('<img src="a.png">'), "a.js": 'load("/a.png")'}, "a.js:1:8 mentions it",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("image", "variant", "files", "expected"), REPLACED.values(), ids=REPLACED)
def test_replacements(
    image: str, variant: str, files: dict[str, str], expected: dict[str, str] | str, tmp_path: Path, pool: Pool
) -> None:
    site, seen, proof = surveyed(tmp_path, pool, {**files, image: PNG})
    edits = Replacements(site, seen, proof).of(image, variant, ())
    if isinstance(expected, str):
        assert isinstance(edits, str)
        assert expected in edits
        return
    assert not isinstance(edits, str), edits
    changed = {path: apply(site.assets[path].read(), edits.get(path, ())).decode() for path in files}
    assert changed == expected
