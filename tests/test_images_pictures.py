"""Pages: what is inserted for images that have variants, and what is left with a reason."""

from __future__ import annotations

import html5lib
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from v1z3r_build.formats import policies
from v1z3r_build.passes.images.offers import Offer, address
from v1z3r_build.passes.images.pictures import Edited, page_edits
from v1z3r_build.passes.images.sheets import Sheets
from v1z3r_build.passes.images.stillness import Scripts
from v1z3r_build.passes.link.filling import apply
from v1z3r_build.site.address import Addresses

DOCTYPE = "<!DOCTYPE html>"
OPEN = '<picture style="display:contents">'


def offer(path: str, *kinds: str) -> Offer:
    stem = path.rpartition(".")[0]
    return Offer(tuple((f"image/{kind}", f"{stem}.1.{kind}") for kind in kinds or ("avif", "webp")), 640, 480, 9000)


OFFERS = {path: offer(path) for path in ("a.jpg", "b.png", "i/c d.jpg", "i/(é),.jpg")} | {
    "w.png": offer("w.png", "webp"),
    "v.webp": offer("v.webp", "avif"),
    "tiny.png": Offer((("image/webp", "tiny.1.webp"),), 8, 8, 60),
}


def edited(
    page: str | bytes, files: dict[str, str] | None = None, path: str = "index.html", **more: object
) -> tuple[str, Edited]:
    data = page if isinstance(page, bytes) else page.encode()
    contents = {name: text.encode() for name, text in (files or {}).items()}
    addresses = Addresses({path, *contents, *OFFERS, "plain.png"})
    sheets = Sheets(contents.__getitem__, addresses)
    scripts = Scripts(contents.__getitem__, addresses)
    result = page_edits(path, data, OFFERS, addresses, sheets, scripts, **more)  # type: ignore[arg-type]
    return apply(data, list(result.edits)).decode(), result


def source(kind: str, srcset: str, more: str = "") -> str:
    return f'<source hidden type="image/{kind}"{more} srcset="{srcset}">'


def both(stem: str, more: str = "") -> str:
    return source("avif", f"{stem}.1.avif", more) + source("webp", f"{stem}.1.webp", more)


FILLED = {
    "alone": ("<p><img src=a.jpg>", f"<p>{OPEN}{both('a')}<img src=a.jpg></picture>"),
    "its tag as it is written": (
        "<p>x <IMG\n ALT='>' src = 'a.jpg'  class=x loading=lazy width=3 / > y",
        f"<p>x {OPEN}{both('a')}<IMG\n ALT='>' src = 'a.jpg'  class=x loading=lazy width=3 / ></picture> y",
    ),
    "one format": ("<img src=w.png>", f"{OPEN}{source('webp', 'w.1.webp')}<img src=w.png></picture>"),
    "side by side": (
        "<img src=a.jpg><img src=b.png>",
        f"{OPEN}{both('a')}<img src=a.jpg></picture>{OPEN}{both('b')}<img src=b.png></picture>",
    ),
    "no body, after a head": ("<title>x</title><img src=a.jpg>", f"<title>x</title>{OPEN}{both('a')}<img src=a.jpg></picture>"),
    "foster-parented": (
        "<table><tr><img src=a.jpg><td></table>",
        f"<table><tr>{OPEN}{both('a')}<img src=a.jpg></picture><td></table>",
    ),
    "densities": (
        '<img src=a.jpg srcset="a.jpg 1x, b.png 2x">',
        f"{OPEN}{source('avif', 'a.1.avif 1x, b.1.avif 2x')}{source('webp', 'a.1.webp 1x, b.1.webp 2x')}"
        '<img src=a.jpg srcset="a.jpg 1x, b.png 2x"></picture>',
    ),
    "a src that completes densities": (
        '<img src=a.jpg srcset="b.png 2x">',
        f"{OPEN}{source('avif', 'b.1.avif 2x, a.1.avif')}{source('webp', 'b.1.webp 2x, a.1.webp')}"
        '<img src=a.jpg srcset="b.png 2x"></picture>',
    ),
    "widths and sizes": (
        "<img sizes='(max-width: 9em) 50vw, 3px' srcset=' a.jpg 9w,b.png 99w ' src=plain.png>",
        f"{OPEN}"
        + "".join(
            source(kind, f"a.1.{kind} 9w, b.1.{kind} 99w", " sizes='(max-width: 9em) 50vw, 3px'") for kind in ("avif", "webp")
        )
        + "<img sizes='(max-width: 9em) 50vw, 3px' srcset=' a.jpg 9w,b.png 99w ' src=plain.png></picture>",
    ),
    "only formats that all candidates have": (
        '<img src=a.jpg srcset="w.png 2x">',
        f"{OPEN}{source('webp', 'w.1.webp 2x, a.1.webp')}" '<img src=a.jpg srcset="w.png 2x"></picture>',
    ),
    "art direction": (
        "<picture><source media='print' width=9 height=8 srcset=b.png><source srcset='a.jpg 2x' media=(width:9px)><img src=a.jpg></picture>",
        "<picture>" + both("b", " media='print' width=9 height=8") + "<source media='print' width=9 height=8 srcset=b.png>"
        + source("avif", "a.1.avif 2x", " media=(width:9px)")
        + source("webp", "a.1.webp 2x", " media=(width:9px)")
        + "<source srcset='a.jpg 2x' media=(width:9px)>" + both("a") + "<img src=a.jpg></picture>",
    ),
    "types that the author gave": (
        "<picture><source type=image/webp media=print srcset=v.webp><img src=a.jpg></picture>",
        f"<picture><source type=image/webp media=print srcset=v.webp>{both('a')}<img src=a.jpg></picture>",
    ),
    "how addresses are written": (
        "<base href=/x/><img src=' ../i\\c%20d.jpg?v=1#top '><img src='/i/c d.jpg'><img src=\"/i/(&eacute;),.jpg\">",
        "<base href=/x/>" + OPEN + both("../i/c%20d") + "<img src=' ../i\\c%20d.jpg?v=1#top '></picture>" + OPEN + both("/i/c%20d")
        + "<img src='/i/c d.jpg'></picture>" + OPEN + both("/i/%28%C3%A9%29%2C") + "<img src=\"/i/(&eacute;),.jpg\"></picture>",
    ),
    "widths with heights": (
        "<img media=print srcset='a.jpg 9w  6h' src=plain.png>",
        f"{OPEN}{source('avif', 'a.1.avif 9w 6h')}{source('webp', 'a.1.webp 9w 6h')}<img media=print srcset='a.jpg 9w  6h' src=plain.png></picture>",
    ),
    "the attribute twice": ("<img src=a.jpg src=b.png>", f"{OPEN}{both('a')}<img src=a.jpg src=b.png></picture>"),
    "sheets that say nothing of it": (
        "<style>*,::before{box-sizing:border-box;margin:0}img,picture{display:block;max-width:100%}.b > img:hover{top:0}</style><p><img src=a.jpg>",
        "<style>*,::before{box-sizing:border-box;margin:0}img,picture{display:block;max-width:100%}.b > img:hover{top:0}</style><p>"
        f"{OPEN}{both('a')}<img src=a.jpg></picture>",
    ),
    "inheritance that has to be passed on": (
        "<style>img{border-radius:inherit}</style><img src=a.jpg style='height:inherit'>",
        "<style>img{border-radius:inherit}</style>"
        f"{OPEN.replace('contents', 'contents;border-radius:inherit;height:inherit')}{both('a')}<img src=a.jpg style='height:inherit'></picture>",
    ),
    "a script that does something else": (
        "<img src=a.jpg><script>document.querySelector('.menu').classList.toggle('open')</script>",
        f"{OPEN}{both('a')}<img src=a.jpg></picture><script>document.querySelector('.menu').classList.toggle('open')</script>",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("before", "after"), FILLED.values(), ids=FILLED)
def test_pictures(before: str, after: str) -> None:
    made, result = edited(DOCTYPE + before)
    assert made == DOCTYPE + after
    assert result.left == ()
    assert tree(made, inserted=True) == tree(DOCTYPE + before)


PRELOADED = {
    "preloaded": (
        "<link rel=preload as=image href=a.jpg><img src=a.jpg>",
        f'<link type="image/avif" rel=preload as=image href=a.1.avif>{OPEN}{both("a")}<img src=a.jpg></picture>',
    ),
    "preloaded as a set": (
        "<link rel=preload as=image href=a.jpg type='image/jpeg' imagesizes=9px imagesrcset='a.jpg 9w, b.png 99w'><img sizes=9px srcset='a.jpg 9w, b.png 99w' src=a.jpg>",
        "<link rel=preload as=image href=a.1.avif type='image/avif' imagesizes=9px imagesrcset='a.1.avif 9w, b.1.avif 99w'>"
        + OPEN + source("avif", "a.1.avif 9w, b.1.avif 99w", " sizes=9px") + source("webp", "a.1.webp 9w, b.1.webp 99w", " sizes=9px")
        + "<img sizes=9px srcset='a.jpg 9w, b.png 99w' src=a.jpg></picture>",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("before", "after"), PRELOADED.values(), ids=PRELOADED)
def test_preload_links_fetch_what_the_picture_chooses(before: str, after: str) -> None:
    assert edited(DOCTYPE + before)[0] == DOCTYPE + after


LEFT = {
    "no variant": ("<img src=plain.png><img src=https://a.test/a.jpg><img src=data:,><img src><img>", ""),
    "lazy libraries": ("<img data-src=a.jpg data-srcset='b.png 2x'>", ""),
    "noscript and templates": ("<noscript><img src=a.jpg></noscript><template><img src=b.png></template>", ""),
    "drawings": ("<svg><image href=a.jpg /><foreignObject><img src=b.png></foreignObject></svg>", ""),
    "fallbacks": ("<video><img src=a.jpg></video><object><img src=b.png></object>", ""),
    "a candidate without variant": ("<img src=a.jpg srcset='plain.png 2x'>", "not all of its candidates"),
    "descriptors that are none": ("<img srcset='a.jpg x(1,2)'>", "not all of its candidates"),
    "no gain": ("<img src=tiny.png>", "save less than the markup costs"),
    "the author's own choice": ("<picture><source type=image/avif srcset=x.avif><img src=a.jpg></picture>", ""),
    "deep in a picture": ("<picture><span><img src=a.jpg></span></picture>", "deep in a picture"),
    "also fetched as it is": ("<img src=a.jpg><video poster=a.jpg></video>", "would fetch both"),
    "also in a set": ("<img src=a.jpg><img srcset='a.jpg 1x, plain.png 2x'>", "not all of its candidates|would fetch both"),
    "preloaded with what has no variant": (
        "<link rel=preload as=image href=a.jpg imagesrcset='a.jpg 1x, plain.png 2x'><img src=a.jpg>", "would fetch both",
    ),
    "a slot": ("<x-y><img slot=a src=a.jpg></x-y>", "shadow tree"),
    "a shadow tree": ("<div><template shadowrootmode=open><slot></slot></template><img src=a.jpg></div>", "shadow tree"),
    "edited by visitors": ("<div contenteditable><img src=a.jpg></div>", "visitors edit"),
    "no style attributes": (
        "<meta http-equiv=Content-Security-Policy content=\"default-src 'self'\"><img src=a.jpg>", "forbids style attributes",
    ),
    "a framework": ("<div id=__next><img src=a.jpg></div>", "framework"),
    "a script that looks at images": ("<img src=a.jpg><script>document.images[0].width</script>", "says “image”"),
    "a script from elsewhere": ("<img src=a.jpg><script src=https://a.test/x.js></script>", "script from elsewhere"),
    "a sheet from elsewhere": ("<link rel=stylesheet href=https://a.test/x.css><img src=a.jpg>", "style sheet from elsewhere"),
    "a sheet that is imported from elsewhere": ("<style>@import url(//a.test/x.css);</style><img src=a.jpg>", "style sheet from elsewhere"),
    "a sheet that a handler switches on": (
        "<link rel=preload as=style href=//a.test/x.css onload=\"this.rel='stylesheet'\"><img src=a.jpg>", "says “stylesheet”",
    ),
    "a drawing that the image ends": ("<svg><img src=a.jpg>", "another place"),
    "a parent that the sheet asks for": ("<style>p > img{width:9px}</style><p><img src=a.jpg>", "p > img"),
}  # fmt: skip


@pytest.mark.parametrize(("page", "reason"), LEFT.values(), ids=LEFT)
def test_what_is_left(page: str, reason: str) -> None:
    made, result = edited(DOCTYPE + page)
    assert made == DOCTYPE + page
    messages = [one.message for one in result.left]
    assert all(any(part in message for part in reason.split("|")) for message in messages) if reason else not messages
    assert bool(messages) == bool(reason)


def test_pages_that_are_left_whole() -> None:
    page = "<img src=a.jpg>"
    assert "quirks" in edited(page)[1].left[0].message
    assert "own syntax" in edited(DOCTYPE + page, path="index.xhtml")[1].left[0].message


def test_a_page_in_utf_16_is_left() -> None:
    data = (DOCTYPE + "<img src=a.jpg>").encode("utf-16")
    addresses = Addresses({"index.html", *OFFERS})
    none = page_edits(
        "index.html",
        data,
        OFFERS,
        addresses,
        Sheets(dict[str, bytes]().__getitem__, addresses),
        Scripts(dict[str, bytes]().__getitem__, addresses),
    )
    assert none == Edited()


@pytest.mark.parametrize(
    ("policy", "allowed"),
    [
        ("", True), ("img-src 'none'; script-src 'self'", True), ("default-src *", False), ("style-src 'self'", False),
        ("style-src 'unsafe-inline'", True), ("STYLE-SRC 'Unsafe-Inline'; style-src 'none'", True), ("default-src 'none'; style-src-attr 'unsafe-inline'", True),
        ("style-src 'unsafe-inline' 'sha256-abc='", False), ("style-src 'unsafe-inline' 'nonce-abc'", False),
        ("style-src 'unsafe-inline'; style-src-attr 'none'", False), ("style-src-elem 'none'", True), ("img-src *, style-src 'self'", False),
    ],
)  # fmt: skip
def test_style_attributes_under_a_policy(policy: str, allowed: bool) -> None:
    assert policies.allows_style_attributes(policy) == allowed


def test_policies_in_a_headers_file() -> None:
    data = b"/*\r\n  X-A: b\r\n\tcontent-security-policy : style-src 'self'; x y\r\n# Content-Security-Policy: no\n/b\n Content-Security-Policy-Report-Only: a"
    assert policies.of_headers(data) == ("style-src 'self'; x y", "a")


def test_policies_of_headers_count() -> None:
    page = DOCTYPE + "<picture><img src=a.jpg></picture><img src=b.png>"
    made, result = edited(page, policy=("img-src *", "style-src 'self' 'unsafe-inline', style-src-attr 'none'"))
    assert made == DOCTYPE + f"<picture>{both('a')}<img src=a.jpg></picture><img src=b.png>"
    assert [one.path for one in result.left] == ["b.png"]


def test_sites_below_a_folder() -> None:
    addresses = Addresses({"docs/index.html", *OFFERS}, base="/sub/")
    nothing: dict[str, bytes] = {}
    page = f"{DOCTYPE}<img src=../a.jpg><img src=/sub/b.png><img src=/w.png>".encode()
    result = page_edits(
        "docs/index.html",
        page,
        OFFERS,
        addresses,
        Sheets(nothing.__getitem__, addresses),
        Scripts(nothing.__getitem__, addresses),
    )
    expected = f"{DOCTYPE}{OPEN}{both('../a')}<img src=../a.jpg></picture>{OPEN}{both('/sub/b')}<img src=/sub/b.png></picture><img src=/w.png>"
    assert apply(page, list(result.edits)).decode() == expected


def test_images_that_sheets_fetch_are_left() -> None:
    made, result = edited(DOCTYPE + "<img src=a.jpg>", fetched=("a.jpg",))
    assert made == DOCTYPE + "<img src=a.jpg>"
    assert "would fetch both" in result.left[0].message


def test_a_page_with_other_charset() -> None:
    page = DOCTYPE.encode() + b"<meta charset=latin1><p>\xe9<img src=\xe9.jpg><img src=a.jpg>"
    addresses = Addresses({"index.html", *OFFERS})
    nothing: dict[str, bytes] = {}
    sheets, scripts = Sheets(nothing.__getitem__, addresses), Scripts(nothing.__getitem__, addresses)
    result = page_edits("index.html", page, OFFERS, addresses, sheets, scripts)
    assert apply(page, list(result.edits)) == page.replace(
        b"<img src=a.jpg>", f"{OPEN}{both('a')}<img src=a.jpg></picture>".encode()
    )


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a.jpg", "a.1.avif"), ("./a.jpg", "./a.1.avif"), ("/x/a.jpg?x=/y/#z/", "/x/a.1.avif"), ("?", "a.1.avif"),
        ("//h:8/a b,\"'()/a.jpg", "//h:8/a%20b%2C%22%27%28%29/a.1.avif"), ("https://h/a%20b/a.jpg#x/y", "https://h/a%20b/a.1.avif"),
        ("x\\a.jpg", "x/a.1.avif"), ("x\n/\ta.jpg", "x/a.1.avif"), ("é&/a.jpg", "%C3%A9&/a.1.avif"),
    ],
)  # fmt: skip
def test_addresses(text: str, expected: str) -> None:
    assert address(text, "any/a.1.avif") == expected


# What is inserted is all that is new, to another parser too

PIECES = st.sampled_from(
    ["<p>", "</p>", "<a href=x>", "</a>", "<table>", "<tr><td>", "</table>", "<b>", "</b>", "<ul><li>", "</ul>", " x ", "<!-- c -->",
     "<img src=a.jpg>", "<img alt='' src=b.png>", "<img srcset='a.jpg 2x' src=b.png>", "<img src=plain.png>", "<IMG SRC=w.png>",
     "<picture>", "</picture>", "<source srcset=a.jpg media=print>", "<source srcset=w.png type=image/png>", "<noscript>", "</noscript>",
     "<template>", "</template>", "<svg>", "</svg>", "<select>", "<option>", "</select>", "<form>", "<button>", "</button>", "<h1>", "<frameset>",
     "<head>", "<body class=x>", "</body>", "</html>", "<textarea>", "</textarea>", "<object>", "</object>", "<style>.x > img{a:b}</style>", "<div class=x>"]
)  # fmt: skip


@settings(max_examples=300, deadline=None)
@given(st.lists(PIECES, max_size=14))
def test_nothing_else_changes(pieces: list[str]) -> None:
    # html5lib 1.1 leaves this end tag in the drawing, which the standard and browsers end there.
    assume("<svg>" not in pieces or "</p>" not in pieces[pieces.index("<svg>") :])
    page = DOCTYPE + "".join(pieces)
    made, result = edited(page)
    assert len(result.edits) > 0 or made == page
    assert tree(made, inserted=True) == tree(page)


def tree(page: str, *, inserted: bool = False) -> object:
    """The page as html5lib parses it, without what bears the marks of an insertion."""
    return _node(html5lib.parse(page, treebuilder="etree", namespaceHTMLElements=False), inserted=inserted)


def _node(element: object, *, inserted: bool) -> tuple[object, ...]:
    parts: list[object] = [str(element.tag), sorted(element.attrib.items()), element.text or ""]  # type: ignore[attr-defined]
    for child in element:  # type: ignore[attr-defined]
        attributes = child.attrib
        if inserted and child.tag == "source" and "hidden" in attributes:
            _join(parts, child.tail or "")
        elif inserted and child.tag == "picture" and attributes.get("style", "").startswith("display:contents"):
            _join(parts, child.text or "")
            for one in _node(child, inserted=True)[3:]:
                if isinstance(one, str):
                    _join(parts, one)
                else:
                    parts.append(one)
            _join(parts, child.tail or "")
        else:
            parts += (_node(child, inserted=inserted), child.tail or "")
    return tuple(parts)


def _join(parts: list[object], text: str) -> None:
    if isinstance(parts[-1], str):
        parts[-1] += text
    else:
        parts.append(text)
