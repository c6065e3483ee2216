"""Style sheets: the image set behind each plain image, and what is left with a reason."""

from __future__ import annotations

import pytest
import tinycss2
from hypothesis import given, settings
from hypothesis import strategies as st
from test_images_pictures import DOCTYPE, OFFERS, OPEN, both, edited

from v1z3r_build.passes.images.image_sets import SheetEdited, fades, sheet_edits
from v1z3r_build.passes.link.filling import apply
from v1z3r_build.site.address import Addresses

ADDRESSES = Addresses({"s/x.css", *OFFERS, "plain.png"})


def styled(sheet: str | bytes, **more: object) -> tuple[str, SheetEdited]:
    data = sheet if isinstance(sheet, bytes) else sheet.encode()
    result = sheet_edits("s/x.css", data, OFFERS, ADDRESSES, **more)  # type: ignore[arg-type]
    return apply(data, list(result.edits)).decode("utf-8", "surrogateescape"), result


def image_set(stem: str, plain: str, kinds: tuple[str, ...] = ("avif", "webp"), quote: str = '"') -> str:
    choices = "".join(f"url({stem}.1.{kind}) type({quote}image/{kind}{quote})," for kind in kinds)
    return f"image-set({choices}{plain})"


A = image_set("../a", "url(../a.jpg)")
WRITTEN = {
    'URL( "../i/c d.jpg?x#y" )': "../i/c%20d",
    "url(../i/c\\ d.jpg)": "../i/c%20d",
    "url('\\2e./i/(é),.jpg')": "../i/%28%C3%A9%29%2C",
}
FILLED = {
    "alone": ("b{background:url(../a.jpg)}", f"b{{background:url(../a.jpg);background:{A}}}"),
    "with more, spaced": (
        "b { color : red ; Background : url(../a.jpg) no-repeat 0 / cover , red ; top: 0 }",
        f"b {{ color : red ; Background : url(../a.jpg) no-repeat 0 / cover , red;background:{A} no-repeat 0 / cover , red ; top: 0 }}",
    ),
    "important": (
        "b{background-image:url(../a.jpg)!important}", f"b{{background-image:url(../a.jpg)!important;background-image:{A}!important}}",
    ),
    "several": (
        "b{background-image:url(../plain.png),linear-gradient(red,blue),url(../w.png),url('../a.jpg')}",
        "b{background-image:url(../plain.png),linear-gradient(red,blue),url(../w.png),url('../a.jpg');"
        f"background-image:url(../plain.png),linear-gradient(red,blue),{image_set('../w', 'url(../w.png)', ('webp',))},"
        + image_set("../a", "url('../a.jpg')") + "}",
    ),
    "other properties": (
        "b{list-style:url(../a.jpg) inside;border-image:url(../b.png) 3 round}",
        f"b{{list-style:url(../a.jpg) inside;list-style:{A} inside;border-image:url(../b.png) 3 round;"
        f"border-image:{image_set('../b', 'url(../b.png)')} 3 round}}",
    ),
    "masks": ("b{mask-image:url(../a.jpg)}", f"b{{mask-image:url(../a.jpg);mask-image:{A}}}"),
    "groups": (
        "@media print{@supports (background:url(../a.jpg)){@layer x{@container (width>1px){b{background:url(../a.jpg)}}}}}",
        f"@media print{{@supports (background:url(../a.jpg)){{@layer x{{@container (width>1px){{b{{background:url(../a.jpg);background:{A}}}}}}}}}}}",
    ),
    "nesting": (
        ".a{color:red;&:hover{background:url(../a.jpg)} b:c d{background:url(../b.png);}@media print{background:url(../w.png)}}",
        f".a{{color:red;&:hover{{background:url(../a.jpg);background:{A}}} b:c d{{background:url(../b.png);background:{image_set('../b', 'url(../b.png)')};}}"
        f"@media print{{background:url(../w.png);background:{image_set('../w', 'url(../w.png)', ('webp',))}}}}}",
    ),
    "how addresses are written": (
        "".join(f"b{{background:{one}}}" for one in WRITTEN),
        "".join(f"b{{background:{one};background:{image_set(stem, one)}}}" for one, stem in WRITTEN.items()),
    ),
    "comments and strings that only look so": (
        "/*b{background:url(../a.jpg)}*/c::before{content:'background:url(../a.jpg)}';background:url(../a.jpg)/**/}",
        f"/*b{{background:url(../a.jpg)}}*/c::before{{content:'background:url(../a.jpg)}}';background:url(../a.jpg);background:{A}/**/}}",
    ),
    "a property after it that is another": (
        "b{background:url(../a.jpg);background-size:cover;background-color:red}",
        f"b{{background:url(../a.jpg);background:{A};background-size:cover;background-color:red}}",
    ),
    "a charset": ('@charset "latin1";b{background:url(../a.jpg)}', f'@charset "latin1";b{{background:url(../a.jpg);background:{A}}}'),
    "transitions of something else": (
        "b{transition:color 1s}b:hover{background:url(../a.jpg)}b{background:url(../w.png)}",
        f"b{{transition:color 1s}}b:hover{{background:url(../a.jpg);background:{A}}}b{{background:url(../w.png);"
        f"background:{image_set('../w', 'url(../w.png)', ('webp',))}}}",
    ),
    "two windows": (
        "b{transition:all 1s;background:url(../a.jpg)}@media print{b{background:url(../b.png)}}",
        f"b{{transition:all 1s;background:url(../a.jpg);background:{A}}}@media print{{b{{background:url(../b.png);background:{image_set('../b', 'url(../b.png)')}}}}}",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("before", "after"), FILLED.values(), ids=FILLED)
def test_image_sets(before: str, after: str) -> None:
    made, result = styled(before)
    assert made == after
    assert result.left == () == result.plain


LEFT = {
    "no variant": ("b{background:url(../plain.png),url(data:,),url(https://a.test/a.jpg)}", ""),
    "rules of other kinds": ("@import url(../a.jpg);@namespace url(../a.jpg);@font-face{src:url(../a.jpg)}", "src"),
    "custom properties": ("b{--x:url(../a.jpg);--y:{background:url(../a.jpg)}}", ""),
    "registered properties": ("@property --x{initial-value:url(../a.jpg)}", "initial-value"),
    "cursors": ("b{cursor:url(../a.jpg),auto}", "cursor"),
    "content": ("b::before{content:url(../a.jpg)}", "content"),
    "hacks": ("b{*background:url(../a.jpg);_background:url(../a.jpg)}", ""),
    "a hack in the value": ("b{background:url(../a.jpg)\\9}", "escapes"),
    "variables": ("b{background:url(../a.jpg) var(--x)}", "when it is computed"),
    "functions": ("b{background:url(../a.jpg) --f()}", "when it is computed"),
    "sets": ("b{background:image-set(url(../a.jpg) 1x,url(../b.png) 2x)}", "in a function"),
    "functions of images": ("b{background:-webkit-cross-fade(url(../a.jpg),url(../b.png),50%)}", "in a function"),
    "address modifiers": ("b{background:url('../a.jpg' crossorigin(anonymous))}", "in a function"),
    "keyframes": ("@keyframes x{from{background:url(../a.jpg)}}", "@keyframes"),
    "pages of print": ("@page{background:url(../a.jpg)}", "@page"),
    "starting styles": ("@starting-style{b{background:url(../a.jpg)}}", "@starting-style"),
    "the author's fallback": ("b{background:url(../a.jpg);color:red;background:image-set('x.avif' type('image/avif'))}", "says otherwise"),
    "what a shorthand overrides": ("b{background-image:url(../a.jpg);background:red}", "says otherwise"),
    "a source map": ("b{background:url(../a.jpg)}/*# sourceMappingURL=x.css.map */", "source map"),
    "a brace too many": ("b{background:url(../a.jpg)}}", "recover"),
    "no end": ("b{background:url(../a.jpg)", "recover"),
    "a string without end": ("b{background:url(../a.jpg);content:'x\n}", "recover"),
    "a bad url": ("b{background:url(../a.jpg 'x')}c{background:url(../a.jpg)}", "recover"),
    "too little to gain": ("b{background:url(../tiny.png)}", "save less"),
    "transitions": ("b{transition:all 1s}b:hover{background:url(../a.jpg)}b{background:url(../w.png)}", "transition"),
    "transitions of everything": ("b{transition:1s ease-in}b{background:url(../a.jpg)}.q b{background:url(../w.png)}", "transition"),
    "transitions by parts": ("b{transition-duration:1s;background:url(../a.jpg);&:hover{background:url(../w.png)}}", "transition"),
}  # fmt: skip


@pytest.mark.parametrize(("sheet", "reason"), LEFT.values(), ids=LEFT)
def test_what_is_left(sheet: str, reason: str) -> None:
    made, result = styled(sheet)
    assert made == sheet
    assert all(reason in one.message for one in result.left)
    assert bool(result.left) == bool(reason)
    assert {one.path for one in result.left} == set(result.plain)


def test_a_sheet_says_what_it_chooses_and_what_it_fetches_as_it_is() -> None:
    _, result = styled("a{background:url(../a.jpg)}b{background:url(../b.png)}c{cursor:url(../b.png)}")
    assert result.chosen == ("a.jpg",)
    assert result.plain == ("b.png",)


def test_a_sheet_with_other_bytes() -> None:
    made, _ = styled(b"\xef\xbb\xbfb{content:'\xff';background:url(../a.jpg)}")
    assert A in made
    assert styled("\ufeffb{background:url(../a.jpg)}".encode("utf-16-le"))[1] == SheetEdited()


@pytest.mark.parametrize(
    ("sheet", "expected"),
    [
        ("a{transition:all .3s}", True), ("a{transition:.3s}", True), ("a{transition:.2s cubic-bezier(.4,0,.2,1)}", True),
        ("a{transition:color .3s,background .2s}", True), ("a{transition-property:background-image}", True),
        ("a{transition:var(--x)}", True), ("a{-webkit-transition:all 1s}", True), ("a{transition-duration:1s}", True),
        ("a{transition:none}", False), ("a{transition:all 0s}", False), ("a{transition:color .3s ease-in-out,transform 1s}", False),
        ("a{transition-property:color;transition-duration:1s}", False), ("a{color:red}", False), ("a{transition:background-color 1s}", False),
    ],
)  # fmt: skip
def test_transitions_that_fade_images(sheet: str, expected: bool) -> None:
    assert fades(sheet.encode()) == expected


def test_styles_in_pages() -> None:
    b = image_set("b", "url(b.png)", quote="'")
    page = (
        f"{DOCTYPE}<style>p{{background:url(a.jpg)}}</style><p style='background:url(a.jpg)'><b style=\"color:red;background:url(b.png) 0\">"
        "<i style=background:url(w.png)></i></b><svg><style>p{background:url(i/c)}</style></svg>"
    )
    made, result = edited(page)
    assert result.left == ()
    assert made == (
        f"{DOCTYPE}<style>p{{background:url(a.jpg);background:{image_set('a', 'url(a.jpg)')}}}</style>"
        f"<p style='background:url(a.jpg);background:{image_set('a', 'url(a.jpg)')}'>"
        f'<b style="color:red;background:url(b.png) 0;background:{b} 0">'
        "<i style=background:url(w.png)></i></b><svg><style>p{background:url(i/c)}</style></svg>"
    )


def test_pictures_and_styles_of_a_page_agree() -> None:
    page = f"{DOCTYPE}<link rel=preload as=image href=a.jpg><style>p{{background:url(a.jpg)}}q{{cursor:url(b.png)}}</style><img src=a.jpg><img src=b.png>"
    made, result = edited(page)
    assert f"{OPEN}{both('a')}<img src=a.jpg></picture><img src=b.png>" in made
    assert '<link type="image/avif" rel=preload as=image href=a.1.avif>' in made
    assert {one.path for one in result.left} == {"b.png"}


def test_a_preload_link_follows_the_linked_sheets() -> None:
    page = f"{DOCTYPE}<link rel=preload as=image href=a.jpg>"
    assert edited(page, styled=("a.jpg",))[0] == f'{DOCTYPE}<link type="image/avif" rel=preload as=image href=a.1.avif>'
    assert edited(page, styled=("a.jpg",), fetched=("a.jpg",))[0] == page
    assert edited(page)[0] == page


PIECES = st.sampled_from(
    ["a{", "}", "background:url(../a.jpg)", "background-image:url('../b.png') !important", ";", "/* c */", "@media x{", "@font-face{", "--x:{", "color:red",
     "(", ")", "[", "]", "'", '"', "\\", "\n", "!important", ",", "@import 'x';", "&:hover{", "mask:url(../w.png),", "url(../a.jpg)", "url(", ":", "b", "<!--", "--x:url(../a.jpg)"]
)  # fmt: skip


@settings(max_examples=500, deadline=None)
@given(st.lists(PIECES, max_size=12).map("".join))
def test_nothing_else_is_declared(sheet: str) -> None:
    made, result = styled(sheet)
    before, after = flat(sheet), flat(made)
    for edit in result.edits:
        name, _, value = edit.data.decode()[1:].partition(":")
        assert "image-set" in value
        after.remove(next(one for one in after if one[0] == name and "image-set" in one[1]))
    assert after == before


def flat(sheet: str) -> list[tuple[str, str]]:
    """All declarations and the heads of rules, as tinycss2 reads them."""
    found: list[tuple[str, str]] = []
    waiting = [tinycss2.parse_stylesheet(sheet, skip_comments=True, skip_whitespace=True)]
    while waiting:
        for node in waiting.pop():
            if node.type == "declaration":
                found.append((node.lower_name, tinycss2.serialize(node.value).strip() + "!" * node.important))
            elif getattr(node, "content", None) is not None:
                found.append((node.type, tinycss2.serialize(node.prelude).strip()))
                waiting.append(tinycss2.parse_blocks_contents(node.content, skip_comments=True, skip_whitespace=True))
            else:
                found.append((node.type, node.message if node.type == "error" else node.serialize()))
    return found
