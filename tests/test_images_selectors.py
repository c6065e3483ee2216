"""The proof that style sheets do not notice a `<picture>`: sheet, page, and what stands in its way."""

from __future__ import annotations

import pytest
import turbohtml
from hypothesis import given, settings
from hypothesis import strategies as st
from test_images_pictures import DOCTYPE, edited

# On `<main class=m><h2>…<p class=t>…<img id=i class=x src=a.jpg><p class=u><b>…` with the sheet given.
PAGE = "<main class=m><h2>x</h2><p class=t>y</p><img id=i class=x src=a.jpg><p class=u><b>z</b></p></main>"
FIRST = "<main class=m><img id=i class=x src=a.jpg><p class=u><b>z</b></p></main>"

INDIFFERENT = [
    # Resets and the like
    "*{margin:0;padding:0;box-sizing:border-box}",
    "*,*::before,*::after{box-sizing:inherit}",
    "img,picture,video{display:block;max-width:100%}",
    "*{font-family:a;color:red;--a:1;line-height:1.5}",
    "*{-webkit-tap-highlight-color:transparent;-webkit-font-smoothing:antialiased}",
    "*,::before{animation-duration:.01ms!important;animation-iteration-count:1!important;transition-duration:.01ms!important}",
    "[hidden]{display:none!important}",
    "picture{margin:1em} .gallery picture>source{display:block}",
    # Where the image does not stand
    ".b > img,.m > .y,ul > li:first-child,h2 + p,p ~ p > b{a:b}",
    "h2:first-child,p:last-child,p:nth-of-type(2),main:only-child,b:only-child{a:b}",
    ".m img,.m #i.x,main .x:hover,.m b,.m .u b{width:9px}",
    ".m:has(img),.m:has(.x),body:has(#i) .u{a:b}",
    ".m:not(.y) .x,:is(.m,.q) .x,:where(main .u) b{a:b}",
    "@media print{.m > p{a:b}} @layer a{@supports (a:b){.m > p:hover{a:b}}}",
    ".m{img{a:b} .u{a:b} &:hover .x{a:b} > p{a:b} @media print{b{a:b} color:red}}",
    "@keyframes a{from{top:0}50%{top:1px}} @font-face{font-family:x} @page :first{margin:0} @property --x{syntax:'*';inherits:true}",
    "img:last-of-type{a:b}",  # the only one of its kind before and after
    "a:::b{c:d}",
    "h2 ~ .u{a:b}",
    "* + *{margin-top:1em}",  # it follows something as before: its sources
    ".x:not(:first-child){a:b}",
    ":root,html,body,::selection,:focus-visible{color:red}",
    "a:hover > b,.q > :hover,:target > h2{a:b}",
    "img[src$='.jpg']{a:b}",
    ".m\\:x > img,.\\31 x > img{a:b}",
    "svg|img > x{a:b}",
]  # fmt: skip

NOTICED = {
    # The image's own place
    ".m > img{a:b}": ".m > img",
    "main>*{a:b}": "main>*",
    ".m > .x:hover{a:b}": ".m > .x:hover",
    ".m:hover > img{a:b}": ".m:hover > img",
    "p + img{a:b}": "p + img",
    ".t ~ .x{a:b}": ".t ~ .x",
    "* + *{a:b}": "* + * { a }",
    "img:nth-last-child(2){a:b}": "img:nth-last-child(2)",
    ".x:not(:last-child){a:b}": ".x:not(:last-child)",
    "picture>img{width:9px}": "picture>img",
    ".x:nth-last-child(2):hover{a:b}": ".x:nth-last-child(2):hover",
    "main :only-child > b, .x:last-child{a:b}": ".x:last-child",
    # The siblings' places
    "img + p{a:b}": "img + p",
    "#i ~ .u b{a:b}": "#i ~ .u b",
    ".x:hover + p{a:b}": ".x:hover + p",
    # From elsewhere
    ".m:has(> img){a:b}": ".m:has(> img)",
    "body:has(p + img) b{a:b}": "body:has(p + img) b",
    ".m:has(picture){a:b}": ".m:has(picture)",
    ":is(.m > img){a:b}": ".m > img",
    "b:not(.m > img ~ p > b){a:b}": "",
    # Written in other ways
    ".m{& > img{a:b}}": "& > img",
    ".m{> img{a:b}}": "> img",
    ".m{@media print{+ x,> .x{a:b}}}": "> .x",
    "@media print{@supports (a:b){.m>img{a:b}}}": ".m>img",
    "@layer a{@container (width>9px){.m>img{a:b}}}": ".m>img",
    "@scope (.m) to (:scope > img){b{a:b}}": ":scope > img",
    ".m > im\\67{a:b}": ".m > img",
    "MAIN>IMG{a:b}": "MAIN>IMG",
    # What falls on the new elements
    "picture{color:red}": "picture { color }",
    "*{font-size:2em}": "* { font-size }",
    "*{display:block!important}": "* { display }",
    "*{display:block}": "* { display }",  # the sources
    ".m *{transition:all 1s}": ".m * { transition }",
    ".m > *::before,.m ::after{content:'x'}": "",
    ":not(.x){visibility:hidden}": ":not(.x) { visibility }",
    "picture::before{content:'x'}": "picture::before { content }",
    "*{counter-increment:a}": "* { counter-increment }",
    "*{all:unset}": "* { all }",
    "img{all:inherit}": "inherit, of the parent's display",
    "img{display:inherit}": "inherit, of the parent's display",
    "[style]{color:red}": "[style] { color }",
}


@pytest.mark.parametrize("sheet", INDIFFERENT)
def test_sheets_that_see_no_difference(sheet: str) -> None:
    made, result = edited(f"{DOCTYPE}<style>{sheet}</style>{PAGE}")
    assert [one.message for one in result.left] == []
    assert "<picture" in made


@pytest.mark.parametrize(("sheet", "doubt"), NOTICED.items(), ids=NOTICED)
def test_sheets_that_would_tell(sheet: str, doubt: str) -> None:
    made, result = edited(f"{DOCTYPE}<style>{sheet}</style>{PAGE}")
    assert "<picture" not in made
    assert result.left[0].message.startswith("the style sheets would tell the difference: ")
    assert result.left[0].message.endswith(doubt)


@pytest.mark.parametrize(
    ("sheet", "still"),
    [
        (".m > * + *{a:b}", True),  # the paragraph follows the picture as it followed the image
        (".m > * + *,.m > *{a:b}", False),
        (".m > :hover + *{a:b}", False),
        ("main :not([hidden]) ~ :not([hidden]){a:b}", True),
        (".u:nth-child(2) b,p:first-of-type{a:b}", True),
        ("* ~ p,* + p{a:b}", True),  # something stands before it
        (".x:first-child{a:b}", False),
        ("* > img{a:b}", True),  # it is a child of something
        (":hover > img{a:b}", False),
    ],
)
def test_a_first_child(sheet: str, still: bool) -> None:
    made, _ = edited(f"{DOCTYPE}<style>{sheet}</style>{FIRST}")
    assert ("<picture" in made) == still


def test_images_among_images() -> None:
    """What one image loses its picture for may be another's reason: all is tried again."""
    sheet = "<style>.y + img{a:b} img:first-of-type{a:b} picture + .z{a:b}</style>"
    made, result = edited(f"{DOCTYPE}{sheet}<p><img class=y src=a.jpg><img src=b.png><p><img src=w.png>")
    assert made.count("<picture") == 1
    assert {one.path for one in result.left} == {"a.jpg", "b.png"}


def test_linked_and_imported_sheets_count() -> None:
    files = {
        "s/a.css": "@import 'b.css' print;",
        "s/b.css": "@import url(a.css); @import url(../missing.css); .m>img{a:b}",
    }
    made, result = edited(f"{DOCTYPE}<link rel='alternate STYLESHEET' href=s/a.css>{PAGE}", files)
    assert "<picture" not in made
    assert result.left[0].message.endswith(".m>img")
    assert "<picture" in edited(f"{DOCTYPE}<link rel=stylesheet href=s/a.css>{PAGE.replace('class=m', '')}", files)[0]


@pytest.mark.parametrize(
    ("script", "sheet", "still"),
    [
        ("document.documentElement.classList.add('dark')", ".dark .m > p,.light .m > img{a:b}", True),
        ("document.documentElement.classList.add('dark')", ".dark .m > img{a:b}", False),
        ("document.body.classList.toggle('q', x > 1)", "main:not(.q) > img{a:b}", False),
        ("e.className = x", ".q > img{a:b}", False),
        ("e.setAttribute('data-theme', x)", "[data-theme=a] > img{a:b}", False),
        ("e.setAttribute('data-theme', x)", ".q > img{a:b}", True),
        ("e.setAttribute(x, y)", ".q > img{a:b}", False),
        ("e.classList[x](y)", ".q > img{a:b}", False),
        ("location.href = '/'", ".q > img{a:b}", True),
    ],
)
def test_what_scripts_may_set(script: str, sheet: str, still: bool) -> None:
    made, _ = edited(f"{DOCTYPE}<style>{sheet}</style><script>{script}</script>{PAGE}")
    assert ("<picture" in made) == still


@pytest.mark.parametrize(
    "selector", [".é > img", ".\\e9 > img", "#é.m > img", "[lang='é'] > img", "[LANG=É] > img", "é-é > img"]
)
def test_names_that_are_not_ascii_may_be_any(selector: str) -> None:
    page = PAGE.replace("main", "é-é") if selector.startswith("é") else PAGE
    page = page.replace("class=m", "class='m é' id=é lang='é'")
    assert "<picture" not in edited(f"{DOCTYPE}<style>{selector}{{a:b}}</style>{page}")[0]
    assert "<picture" in edited(f"{DOCTYPE}<style>.é p,.é,b.\\e9 > b{{a:b}}</style>{PAGE}")[0]


def test_a_sheet_too_deep_is_no_sheet() -> None:
    made, result = edited(f"{DOCTYPE}<style>{'a{' * 5000}</style>{PAGE}")
    assert "<picture" not in made
    assert "too deep" in result.left[0].message


# Whatever is let through, every element is found by the same selectors as before, in all states

COMPOUNDS = st.sampled_from(
    ["*", "img", "i", "b", ".x", ".y", "#i", "picture", "source", ":first-child", "i:last-child", ":nth-child(2)", "img:first-of-type",
     ":only-child", ":hover", ".x:hover", "i:hover", ":not(.x)", ":not(:hover)", ":not(:first-child)", ":is(i,.x)", ":is(i > img)", ":has(img)",
     "i:has(> img)", ":has(+ img)", ":has(.x:hover)", ":not(:has(img))", ":not(i > *)", ":nth-child(2 of .x)", "[hidden]", "[src]", ":empty", ":is(.y > :hover)"]
)  # fmt: skip
SELECTORS = st.tuples(
    COMPOUNDS, st.lists(st.tuples(st.sampled_from([" ", " > ", " + ", " ~ "]), COMPOUNDS), max_size=3)
).map(lambda parts: parts[0] + "".join(map("".join, parts[1])))
# `h` marks the elements over which the pointer is.
NODES = st.recursive(
    st.sampled_from(
        ["<img src=a.jpg>", "<img class=x src=b.png h>", "<img id=i h src=plain.png>", "<b class=x></b>", "<b h></b>",
         "<picture><img src=w.png h></picture>", "<picture class=y h><source media=print srcset=b.png><img class=x src=a.jpg></picture>"]
    ),
    lambda inner: st.tuples(st.sampled_from(["i", "i class=x", "i class=y h", "i h"]), st.lists(inner, min_size=1, max_size=4)).map(
        lambda node: f"<{node[0]}>{''.join(node[1])}</i>"
    ),
    max_leaves=6,
)  # fmt: skip


@settings(max_examples=1500, deadline=None)
@given(SELECTORS, st.lists(NODES, min_size=1, max_size=3))
def test_elements_are_found_as_before(selector: str, nodes: list[str]) -> None:
    page = f"{DOCTYPE}<body>{''.join(nodes)}"
    made, _ = edited(page.replace("<body>", f"<style>{selector}{{margin:0}}</style><body>", 1))
    old, new = turbohtml.parse(page), turbohtml.parse(made)
    new.find("style").decompose()  # type: ignore[union-attr]
    inserted = [
        one
        for one in new.iter_elements()
        if (one.tag == "source" and "hidden" in one.attrs) or (one.tag == "picture" and "style" in one.attrs)
    ]
    for one in inserted:
        image = one.find("img")
        if image is not None and "h" in image.attrs:
            one.attrs["h"] = ""
    engine = selector.replace(":hover", "[h]")
    found = {number for number, one in enumerate(old.iter_elements()) if one.matches(engine)}
    rest = [one for one in new.iter_elements() if one not in inserted]
    assert {number for number, one in enumerate(rest) if one.matches(engine)} == found
