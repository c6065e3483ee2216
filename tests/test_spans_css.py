"""References in style sheets: source, then every reference with its role, its bytes and its URL."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from spans import check, mentions, refilled, row, source, stands, urls

from v1z3r_build.formats import css

URLS: dict[str, tuple[str | bytes, list[tuple[str, bytes, str]]]] = {
    "bare": ("a{b:url(a.png)}", [row("css-url", "a.png")]),
    "bare, white space around": ("a{b:url( \r\n a.png\t)}", [row("css-url", "a.png")]),
    "double quotes": ('a{b:url("a b.png")}', [row("css-url", "a b.png")]),
    "single quotes, white space around": ("a{b:url( 'a.png' )}", [row("css-url", "a.png")]),
    "capitals": ("a{b:URL(a.png)}", [row("css-url", "a.png")]),
    "escaped character": (r"a{b:url(a\ b\(1\).png)}", [row("css-url", r"a\ b\(1\).png", "a b(1).png")]),
    "escape by number": (r"a{b:url('\61 \00006d.png')}", [row("css-url", r"\61 \00006d.png", "am.png")]),
    "escape by number, ended by CRLF": (b"a{b:url('\\61\r\nb.png')}", [row("css-url", b"\\61\r\nb.png", "ab.png")]),
    "escape by number, ended by a space, bare": (r"a{b:url(\61 b.png)}", [row("css-url", r"\61 b.png", "ab.png")]),
    "escape of no character": (r"a{b:url('\0.png')}", [row("css-url", r"\0.png", "�.png")]),
    "line continued": (b'a{b:url("a\\\nb.png")}', [row("css-url", b"a\\\nb.png", "ab.png")]),
    "line continued, CRLF": (b'a{c:"x\\\r\ny";b:url("a\\\r\nb.png")}', [row("css-url", b"a\\\r\nb.png", "ab.png")]),
    "query and fragment": ("a{b:url('a.eot?#iefix')}", [row("css-url", "a.eot?#iefix")]),
    "unicode": ("a{b:url(é/舞.png)}", [row("css-url", "é/舞.png")]),
    "another charset": (b'@charset "latin1";a{b:url(\xe9.png)}', [row("css-url", b"\xe9.png", "�.png")]),
    "byte order mark": (b"\xef\xbb\xbfa{b:url(a.png)}", [row("css-url", "a.png")]),
    "data URI": (
        "a{b:url(data:image/png;base64,AA==),url(b.png)}",
        [row("css-url", "data:image/png;base64,AA=="), row("css-url", "b.png")],
    ),
    "data URI with markup": (
        """a{b:url("data:image/svg+xml,<svg xmlns='x'/>")}""",
        [row("css-url", "data:image/svg+xml,<svg xmlns='x'/>")],
    ),
    "not closed at the end": ("a{b:url(a.png", [row("css-url", "a.png")]),
    "quotes not closed at the end": ("a{b:url('a.png", [row("css-url", "a.png")]),
    "fonts": (
        "@font-face{src:local('a.ttf'),url(a.woff2)format('woff2'),url('b.woff') format(\"woff\")}",
        [row("css-url", "a.woff2"), row("css-url", "b.woff")],
    ),
    "image-set": (
        "a{b:image-set('a.avif' type('image/avif') 1x,url(b.png) 2x,\"c.png\")}",
        [row("css-url", "a.avif"), row("css-url", "b.png"), row("css-url", "c.png")],
    ),
    "image-set with a prefix": ("a{b:-webkit-image-set('a.png' 1x)}", [row("css-url", "a.png")]),
    "inside another function": (
        "a{b:cross-fade(url(a.png),url('b.png'),50%)}",
        [row("css-url", "a.png"), row("css-url", "b.png")],
    ),
    "import": (
        "@import 'a.css';@IMPORT url(b.css);@import url(\"c.css\");",
        [row("css-import", name) for name in ("a.css", "b.css", "c.css")],
    ),
    "import without a space": ("@import'a.css'", [row("css-import", "a.css")]),
    "import with layer, supports and media": (
        "@import url(a.css) layer(b.css) supports(display:grid) screen and (width>1px);@import 'b.css' layer;a{b:url(c.png)}",
        [row("css-import", "a.css"), row("css-import", "b.css"), row("css-url", "c.png")],
    ),
    "what supports( ) tries is not fetched": (
        "@import 'a.css' supports(background:url(b.png));@import 'c.css' supports(content:'d.css');",
        [row("css-import", "a.css"), row("css-import", "c.css")],
    ),
    "import with a comment": ("@import/* 'x.css' */'a.css';", [row("css-import", "a.css")]),
    "name space": (
        "@namespace url(http://a.example/a.png);@namespace svg 'b.png';a{b:url(c.png)}",
        [row("css-url", "c.png")],
    ),
    "comment": ("/* url(a.png) */a{b:url(/* no comment */)}/* it's */a{c:url(c.png)}", [row("css-url", "c.png")]),
    "comment not closed": ("/* url(a.png)", []),
    "string": ("a{content:'url(a.png)';b:\"url(b.png)\"}", []),
    "string that a line end breaks off": ('a{content:"x\n;b:url(a.png)}', [row("css-url", "a.png")]),
    "apostrophe in a comment": ("a{/* don't */b:url(a.png)}", [row("css-url", "a.png")]),
    "quote that is escaped": (
        r""".before\:content-\[\'\'\]:before{content:""}.a\"b{c:url(a.png)}""",
        [row("css-url", "a.png")],
    ),
    "brace that is escaped": (
        r".\{,.\(,.\;{b:url(a.png)}@import 'x.css';",
        [row("css-url", "a.png"), row("css-import", "x.css")],
    ),
    "bad url": ('a{b:url(a"b)} c{d:url(c.png)} e{f:"g"}', [row("css-url", "c.png")]),
    "bad url with white space": ("a{b:url(a b.png)}c{d:url(c.png)}", [row("css-url", "c.png")]),
    "end of another name": ("a{b:my-url(a.png) éurl(b.png) curl(c.png)}", []),
    "custom property": ("a{--x:url(a.png);b:url(b.png)}", [row("css-url", "b.png")]),
    "custom property at the end of a block": ("a{--x:url(a.png)}b{c:url(b.png)}", [row("css-url", "b.png")]),
    "custom property with a block": ("a{--x:{b:url(a.png);c:url(b.png)}}d{e:url(c.png)}", [row("css-url", "c.png")]),
    "custom property, no ASCII": ("a{--größe:url(a.png)}", []),
    "custom property, escaped": (r"a{--a\:b:url(a.png)}", []),
    "custom property, comment before the colon": ("a{--x/* : */ /**/:url(a.png)}", []),
    "use of a custom property": ("a{b:var(--x),url(a.png)}", [row("css-url", "a.png")]),
    "nested": ("@media x{@layer y{a{&:hover{b:url(a.png)}}}}", [row("css-url", "a.png")]),
    "nothing": ("", []),
}


@pytest.mark.parametrize("text, expected", URLS.values(), ids=URLS.keys())
def test_references(text: str | bytes, expected: list[tuple[str, bytes, str]]) -> None:
    data = source(text)
    assert urls(data, check(css.read, data)) == expected


@pytest.mark.parametrize("text", [text for text, _ in URLS.values()], ids=URLS.keys())
def test_names_that_are_filled_in_are_read_again(text: str | bytes) -> None:
    refilled(css.read, source(text))


MENTIONS = {
    "url": ("a{b:url(/x/«a».png)}", ("string", b"/x/", b".png")),
    "string": ("a{content:'see «a».png'}", ("string", b"", b".png")),
    "comment": ("/*# sourceMappingURL=«a».css.map */", ("comment", b"sourceMappingURL=", b".css.map")),
    "selector": (".«a»{b:c}", ("unknown", b".", b"{b:c}")),
    "custom property's url": ("a{--x:url(«a».png)}", ("string", b"", b".png")),
    "bad url": ("a{b:url(a 'b' «a».png)}", ("unknown", b"", b".png")),
}


@pytest.mark.parametrize("text, expected", MENTIONS.values(), ids=MENTIONS.keys())
def test_words(text: str, expected: tuple[str, bytes, bytes]) -> None:
    assert mentions(css.read, text) == [expected]


def test_a_part_of_a_file_is_read_as_a_style_sheet_of_its_own() -> None:
    data = b"'\"url(a.png)a{b:url(b.png)}\"'url(c.png)"
    reading = css.read(data, (), 12, 27)
    assert urls(data, reading) == [row("css-url", "b.png")]


PIECES = [
    "url(", "url('a.png')", "url(b.png)", "'", '"', "\\", "\\'", "a.png", "(", ")", "{", "}", ";", ":", "--x", "--x:",
    "@import ", "@import 'c.css'", "/*", "*/", "\n", "\r\n", " ", "image-set(", "é", "\\61 ", "x",
]  # fmt: skip


@settings(max_examples=200, deadline=None, derandomize=True)
@given(st.lists(st.sampled_from(PIECES), max_size=12).map("".join))
def test_any_tokens(text: str) -> None:
    check(css.read, text.encode(), [b"a.png", b"url", b"c"])
    refilled(css.read, text.encode())


@settings(max_examples=100, deadline=None, derandomize=True)
@given(st.binary(max_size=40))
def test_any_bytes(data: bytes) -> None:
    check(css.read, data, [data[3:5]] if len(data) > 4 else [])


def test_long_names_take_no_longer_than_short_ones() -> None:
    """Every start in a word that is no function was once tried: a day for this one."""
    assert stands(css.read, "a" * 3_000_000 + "«b»") == ["unknown"]
    assert css.read(b"a{b:url(" + rb"\616161" * 10_000 + b'")}').urls == ()
