"""Pages with pictures and image sets look as before, and fetch the new formats, once each."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

import pytest
from PIL import Image

from v1z3r_build.passes.images.image_sets import sheet_edits
from v1z3r_build.passes.images.offers import Offer
from v1z3r_build.passes.images.pictures import page_edits
from v1z3r_build.passes.images.sheets import Sheets
from v1z3r_build.passes.images.stillness import Scripts
from v1z3r_build.passes.link.filling import apply
from v1z3r_build.site.address import Addresses

from .chromium import visitor

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Route

pytestmark = pytest.mark.browser

ORIGIN = "http://site.test/"
SHEET = """
*,*::before,*::after{box-sizing:border-box;margin:0;padding:0} body{font:16px/1.5 serif}
img,picture,video{max-width:100%} .flex{display:flex;gap:7px} .column{display:flex;flex-direction:column;align-items:center;height:90px}
.grid{display:grid;grid-template-columns:60px 60px;gap:7px} .tall{height:80px} .tall img{height:100%;width:auto}
.abs{position:relative;height:70px} .abs img{position:absolute;inset:0;width:100%;height:100%;object-fit:cover}
.float img{float:left;margin:0 5px} td img{width:50%} .round{border-radius:20px;overflow:hidden} .round img{border-radius:inherit}
.center{text-align:center} .middle img{vertical-align:middle;width:2em} .multi{columns:2} .max{width:30px} .box:hover img{opacity:.5}
.stretch{display:flex;height:60px} .stretch img{align-self:stretch;flex:1 1 0} .inlinegrid{display:inline-grid}
.bg{height:40px;background:url(bg.png) center/cover;list-style:url(dot.png)} .space > :not([hidden]) ~ :not([hidden]){margin-top:9px}
.quote::before{content:'x'} .aspect img{aspect-ratio:1;width:50px;height:auto} .masonry{display:grid;grid-auto-flow:column}
"""
IMG = "<img src=a.png alt=x>"
PAGE = f"""<!doctype html><meta charset=utf-8><link rel=stylesheet href=s.css><link rel=preload as=image href=a.png>
<p>text {IMG} text</p>
<div class=flex>{IMG}<b>x</b><img src=b.png width=30 height=30></div> <div class=column>{IMG}<i>y</i></div>
<div class=grid>{IMG}<b>x</b>{IMG}<b>y</b></div> <div class=tall>{IMG}</div> <div class=abs>{IMG}</div> <div class=float>{IMG}text</div>
<table><tr><td>{IMG}<td>x<tr><td class=tall>{IMG}</table> <div class=round>{IMG}</div> <p class=center>{IMG}</p> <p class=middle>a {IMG} b</p>
<div class=multi>{IMG}<p>x</p>{IMG}</div> <div class=max>{IMG}</div> <a href=# class=box>{IMG}</a> <button>{IMG}</button>
<div class=stretch>{IMG}{IMG}</div> <div class=inlinegrid>{IMG}<b>x</b></div> <ul class=bg><li>x</ul> <div class=space>{IMG}<p>x</p></div>
<figure class=quote>{IMG}<figcaption>x</figcaption></figure> <div class=aspect>{IMG}</div> <div class=masonry>{IMG}{IMG}<i>x</i></div>
<picture class=flex><source media=print srcset=b.png>{IMG}</picture> <img srcset="a.png 1x, b.png 2x" src=a.png>
<img sizes=50px srcset="a.png 80w, b.png 160w"> <img src=a.png hidden> <p class=flex><img src=w.png width=50></p> <p><img src=v.png width=50 height=20></p> <details open><summary>{IMG}</summary>{IMG}</details>
<style>.in{{background:url(in.png);height:20px}}</style><div class=in></div><div style='height:20px;background:url(attr.png)'></div>
"""
BOXES = """() => [...document.querySelectorAll('body *')].filter(e => !['SOURCE', 'PICTURE', 'STYLE'].includes(e.tagName)).map(e => {
  const b = e.getBoundingClientRect(), s = getComputedStyle(e);
  return [e.tagName, b.x, b.y, b.width, b.height, s.borderRadius, s.fontSize, s.display, e.width > 0 && !e.hasAttribute("width") && e.naturalWidth];
})"""


def pixels(width: int, height: int, kind: str) -> bytes:
    buffer = io.BytesIO()
    image = Image.linear_gradient("L").resize((width, height)).convert("RGB")
    image.save(buffer, kind, **({"lossless": True} if kind == "WEBP" else {}))
    return buffer.getvalue()


def seen(browser: Browser, files: dict[str, bytes]) -> tuple[Any, set[str]]:
    """The boxes of a page's elements at two widths, and the images that it fetched."""
    fetched: set[str] = set()
    types = {"html": "text/html", "css": "text/css", "png": "image/png", "avif": "image/avif", "webp": "image/webp"}

    def answer(route: Route) -> None:
        name = route.request.url.removeprefix(ORIGIN) or "index.html"
        if name.endswith((".png", ".avif", ".webp")):
            assert name not in fetched, f"{name} is fetched twice"
            fetched.add(name)
        route.fulfill(
            status=200 if name in files else 404,
            body=files.get(name, b""),
            content_type=types.get(name.rpartition(".")[2], "text/plain"),
        )

    with visitor(browser) as context:
        context.route("**/*", answer)
        page = context.new_page()
        errors: list[str] = []
        page.on("console", lambda message: errors.append(message.text))
        page.goto(ORIGIN, wait_until="networkidle")
        boxes = [page.evaluate(BOXES)]
        page.set_viewport_size({"width": 300, "height": 500})
        boxes.append(page.evaluate(BOXES))
        assert errors == []
    return boxes, fetched


def test_layout_is_the_same_and_new_formats_are_fetched(browser: Browser) -> None:
    sizes = {
        "a.png": (80, 60),
        "b.png": (160, 120),
        "bg.png": (64, 64),
        "dot.png": (8, 8),
        "in.png": (9, 9),
        "attr.png": (9, 9),
        "w.png": (200, 150),
        "v.png": (300, 200),
    }
    before = {
        "index.html": PAGE.encode(),
        "s.css": SHEET.encode(),
        **{name: pixels(*size, "PNG") for name, size in sizes.items()},
    }
    stems = [name.removesuffix(".png") for name in sizes]
    offers = {
        f"{stem}.png": Offer(
            (("image/avif", f"{stem}.1.avif"), ("image/webp", f"{stem}.1.webp")),
            *sizes[f"{stem}.png"],
            9000,
            tuple((f"image/{kind}", ((60, f"{stem}.60.{kind}"),)) for kind in ("avif", "webp")),
        )
        for stem in stems
    }
    addresses = Addresses(before)
    sheet = sheet_edits("s.css", before["s.css"], offers, addresses)
    scripts = Scripts(before.__getitem__, addresses)
    page = page_edits(
        "index.html",
        before["index.html"],
        offers,
        addresses,
        Sheets(before.__getitem__, addresses),
        scripts,
        (),
        sheet.plain,
        sheet.chosen,
    )
    assert [one for one in (*page.left, *sheet.left) if "both" not in one.message] == []
    after = {
        **before,
        "index.html": apply(before["index.html"], list(page.edits)),
        "s.css": apply(before["s.css"], list(sheet.edits)),
        **{
            f"{stem}.60.avif": pixels(60, 60 * sizes[f"{stem}.png"][1] // sizes[f"{stem}.png"][0], "AVIF")
            for stem in "wv"
        },
        **{
            f"{stem}.1.{kind}": pixels(*sizes[f"{stem}.png"], kind.upper())
            for stem in stems
            for kind in ("avif", "webp")
        },
    }
    assert after["index.html"].count(b"<picture style") > 30
    old, fetched_before = seen(browser, before)
    new, fetched_after = seen(browser, after)
    assert new == old
    narrow = {"w.png": "w.60.avif", "v.png": "v.60.avif"}
    assert fetched_after == {narrow.get(name, name.replace(".png", ".1.avif")) for name in fetched_before}
