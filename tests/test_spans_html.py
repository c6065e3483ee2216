"""References in pages: source, then every reference with its role, its bytes and its URL."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from spans import check, marked, mentions, refilled, row, source, stands, urls

from v1z3r_build.formats import html
from v1z3r_build.site.span import Hit

URLS: dict[str, tuple[str | bytes, list[tuple[str, bytes, str]]]] = {
    # How attributes are written
    "double quotes": ('<img src="a b.png">', [row("image", "a b.png")]),
    "single quotes": ("<img src='a.png'data-x>", [row("image", "a.png")]),
    "no quotes": ("<img src=a.png>", [row("image", "a.png")]),
    "no quotes, a slash at the end": ("<a href=/a/></a>", [row("page", "/a/")]),
    "capitals": ('<IMG SRC="A.png">', [row("image", "A.png")]),
    "white space in the tag": ('<img\r\n\tsrc \r\n = \f"a.png"\r\n>', [row("image", "a.png")]),
    "white space in the value": ('<img src=" \r\n a.png\t">', [row("image", "a.png")]),
    "a > in a value before": ('<img alt="a>b" src=a.png>', [row("image", "a.png")]),
    "the attribute twice": ('<img src="a.png" src="b.png">', [row("image", "a.png")]),
    "no value": ("<img src><img src=''><img src=' '>", []),
    "character reference": ('<img src="&#97;.png?x=1&amp;y=2">', [row("image", "&#97;.png?x=1&amp;y=2", "a.png?x=1&y=2")]),
    "character reference without a semicolon": ('<a href="?a=b&copy=c&amp">', [row("page", "?a=b&copy=c&amp", "?a=b&copy=c&")]),
    "a quote as a character reference": ("<img src='a&quot;b.png'>", [row("image", "a&quot;b.png", 'a"b.png')]),
    "unicode": ("<img src=é/舞.png>", [row("image", "é/舞.png")]),
    "byte order mark": (b"\xef\xbb\xbf<!doctype html><img src=a.png>", [row("image", "a.png")]),
    "CRLF before": (b"<p>\r\n\r\r\n<img src=a.png>\r\n<img src=b.png>", [row("image", "a.png"), row("image", "b.png")]),
    "another charset": (b'<meta charset=latin1><img alt="\xe9" src=\xe9.png>', [row("image", b"\xe9.png", "�.png")]),
    "bytes of no charset": (b"<p>\xff\xfe\x80<img src=a.png>", [row("image", "a.png")]),
    "UTF-16": ('\ufeff<img src="a.png">'.encode("utf-16-le"), []),
    "closed by itself": ("<img src=a.png /><svg><use href='b.svg#c'/></svg>", [row("image", "a.png"), row("image", "b.svg#c")]),
    # Which elements
    "images": (
        '<body background=e.png><img src=a.png><input type=image src=b.png><video poster=c.png src=d.mp4></video>',
        [row("image", "a.png"), row("image", "b.png"), row("image", "c.png"), row("media", "d.mp4"), row("image", "e.png")],
    ),
    "lazy image": ("<img loading=lazy src=a.png>", [row("candidate", "a.png")]),
    "media": (
        "<video><source src=a.mp4><track src=b.vtt></video><audio src=c.mp3></audio>",
        [row("candidate", "a.mp4"), row("media", "b.vtt"), row("media", "c.mp3")],
    ),
    "embedded": (
        "<iframe src=a.html></iframe><embed src=b.pdf><object data=c.svg></object><iframe src=d.html loading=lazy></iframe>",
        [row("embed", "a.html"), row("embed", "b.pdf"), row("embed", "c.svg"), row("candidate", "d.html")],
    ),
    "links that visitors follow": (
        "<a href=a.html></a><map><area href=b.html></map><form action=c></form><button formaction=d></button>",
        [row("page", name) for name in ("a.html", "b.html", "c", "d")],
    ),
    "links of the head": (
        "<link rel=StyleSheet href=a.css><link rel='alternate stylesheet' href=b.css><link rel=preload as=font href=c.woff2>"
        "<link rel=modulepreload href=d.js><link rel=prefetch href=e.js><link rel='shortcut icon' href=f.ico>"
        "<link rel=apple-touch-icon href=g.png><link rel=manifest href=h.json><link rel=canonical href=/i><link rel=next href=/j>",
        [
            row("style", "a.css"), row("prefetch", "b.css"), row("preload", "c.woff2"), row("preload", "d.js"), row("prefetch", "e.js"),
            row("icon", "f.ico"), row("icon", "g.png"), row("outside", "h.json"), row("outside", "/i"), row("page", "/j"),
        ],
    ),
    "links of no meaning": ("<link href=a.css><link rel=x href=b.css><base target=c>", []),
    "scripts": (
        "<script src=a.js></script><script type=module src=b.js></script><script type='text/javascript; charset=utf-8' src=c.js></script>",
        [row("script", "a.js"), row("module", "b.js"), row("script", "c.js")],
    ),
    "nomodule": ('<script src=a.js nomodule></script><script noModule="" src=b.js></script>', [row("nomodule", "a.js"), row("nomodule", "b.js")]),
    "scripts that are none": ("<script type=text/plain src=a.js></script><script type=text/partytown src=b.js></script>", []),
    "svg": (
        '<svg><image xlink:href="a.png"/><image href=b.png /><use href="c.svg#d"/><feImage href=e.png /><a xlink:href=/f></a><script href=g.js /></svg>',
        [row("image", "a.png"), row("image", "b.png"), row("image", "c.svg#d"), row("image", "e.png"), row("page", "/f"), row("script", "g.js")],
    ),
    "template": ("<template><img src=a.png><template><img src=b.png></template></template>", [row("candidate", "a.png"), row("candidate", "b.png")]),
    "noscript": (
        "<noscript><link rel=stylesheet href=a.css></noscript><noscript><img src=b.png></noscript><img src=c.png>",
        [row("candidate", "a.css"), row("candidate", "b.png"), row("image", "c.png")],
    ),
    "moved by the parser": ("<table><img src=a.png><tr><td background=b.png></table>", [row("image", "b.png"), row("image", "a.png")]),
    "not closed": ("<p><div><img src=a.png", []),
    "second body": ("<body background=a.png><p><body background=b.png class=c>", [row("image", "a.png")]),
    "comment": ("<!-- <img src=a.png> --><!--[if IE]><script src=b.js></script><![endif]-->", []),
    "text": ("<textarea><img src=a.png></textarea><title><img src=b.png></title><xmp><img src=c.png></xmp>", []),
    "a page in an attribute": ('<iframe srcdoc="<script src=a.js></script>"></iframe>', []),
    # srcset
    "srcset": ('<img srcset="a.png, b.png 2x,c.png 300w">', [row("candidate", f"{name}.png") for name in "abc"]),
    "srcset, commas without a space": ('<img srcset="a.png 1x,b.png,c.png 2x">', [row("candidate", "a.png"), row("candidate", "b.png,c.png")]),
    "srcset, data URI": (
        '<img srcset="data:image/png;base64,AA,BB= 1x, b.png 2x">',
        [row("candidate", "data:image/png;base64,AA,BB="), row("candidate", "b.png")],
    ),
    "srcset, commas and white space around": ('<img srcset=" ,\r\n a.png , ,b.png,, c.png ">', [row("candidate", f"{name}.png") for name in "abc"]),
    "srcset, parentheses": ('<img srcset="a.png x(1,2) 2x, b.png">', [row("candidate", "a.png"), row("candidate", "b.png")]),
    "srcset, character reference": ('<img srcset="a.png?b=1&amp;c=2 2x">', [row("candidate", "a.png?b=1&amp;c=2", "a.png?b=1&c=2")]),
    "srcset of a source and a link": (
        "<picture><source srcset='a.avif 1x, b.avif 2x'><img src=c.png></picture><link rel=preload as=image imagesrcset='d.png 1x'>",
        [row("candidate", "a.avif"), row("candidate", "b.avif"), row("candidate", "c.png"), row("candidate", "d.png")],
    ),
    "image of a set": (
        "<img src=a.png srcset='b.png 2x'><picture><img src=c.png></picture><img src=d.png>",
        [*(row("candidate", f"{name}.png") for name in "abc"), row("image", "d.png")],
    ),
    # meta
    "refresh": (
        "<meta http-equiv=refresh content='0; url=/a.html'><meta http-equiv=Refresh content=\"1.5;URL='/b.html'\"><meta http-equiv=refresh content=5>",
        [row("page", "/a.html"), row("page", "/b.html")],
    ),
    "for other sites": (
        "<meta property=og:image content=/a.png><meta name=twitter:image content=/b.png><meta property=og:image:width content=12>"
        "<meta property=og:image:alt content='a picture'><meta property=og:title content=/c.png>",
        [row("outside", "/a.png"), row("outside", "/b.png")],
    ),
    # Styles and scripts in a page
    "style": ("<style>a{b:url(a.png)}</style><svg><style>c{d:url(b.png)}</style></svg>", [row("css-url", "a.png"), row("css-url", "b.png")]),
    "style attribute": ("<i style=\"b:url('a.png')\"></i><i style=b:url(b.png)></i>", [row("css-url", "a.png"), row("css-url", "b.png")]),
    "style attribute with a character reference": ("<i style='b:url(&quot;a.png&quot;)'></i>", []),
    "style in SVG with character data": ("<svg><style><![CDATA[a{b:url(a.png)}]]></style></svg>", []),
    "inline scripts": (
        "<script>import('./a.js')</script><script type=module>\r\nimport'./b.js'</script><script type=text/template>import('./c.js')</script>",
        [row("dynamic-import", "./a.js"), row("import", "./b.js")],
    ),
    "inline script with a source": ("<script src=a.js>import('./b.js')</script><script src>import('./c.js')</script>", [row("script", "a.js")]),
    "inline script with markup in it": ("<script>x='<img src=a.png>';import('./b.js')</script>", [row("dynamic-import", "./b.js")]),
    "event handler": ("<img onload=\"import('./a.js')\">", []),
    "import map": ('<script type=importmap>{"imports":{"a":"/a.js"}}</script>', [row("import-map", "/a.js")]),
    "flight data": ('<script>self.__next_f.push([1,"2:I[1,[\\"/a.js\\"]]\\n3:T5,/b.js"])</script>', []),
}  # fmt: skip


@pytest.mark.parametrize("text, expected", URLS.values(), ids=URLS.keys())
def test_references(text: str | bytes, expected: list[tuple[str, bytes, str]]) -> None:
    data = source(text)
    assert sorted(urls(data, check(html.read, data))) == sorted(expected)


@pytest.mark.parametrize("text", [text for text, _ in URLS.values()], ids=URLS.keys())
def test_names_that_are_filled_in_are_read_again(text: str | bytes) -> None:
    refilled(html.read, source(text))


BASES = {
    "none": ("<img src=a.png>", ""),
    "relative": ("<base href=x/>", "x/"),
    "the first counts": ('<base target=_top><base href="/x/"><base href="/y/">', "/x/"),
    "white space and character references": ('<base href=" /x/?a&amp;b ">', "/x/?a&b"),
    "another host": ("<base href=https://a.example/x/>", "https://a.example/x/"),
    "in a comment": ("<!-- <base href=/x/> -->", ""),
    "empty, then another": ("<base href=''><base href=/x/>", ""),
}


@pytest.mark.parametrize("text, expected", BASES.values(), ids=BASES.keys())
def test_base(text: str, expected: str) -> None:
    assert html.read(text.encode()).base == expected


INLINES: dict[str, tuple[str | bytes, list[bytes]]] = {
    "scripts and styles": (
        "<style>a{}</style><script>b()</script><script type=module>c()</script><script type=importmap>{}</script>",
        [b"a{}", b"b()", b"c()", b"{}"],
    ),
    "as the file has it": (b"<script>\r\na('\xe9')\r</script>", [b"\r\na('\xe9')\r"]),
    "no inline script": ("<script src=a.js>b()</script><script type=application/json>{}</script>", []),
    "empty": ("<script></script>", [b""]),
}


@pytest.mark.parametrize("text, expected", INLINES.values(), ids=INLINES.keys())
def test_texts_of_which_a_policy_holds_digests(text: str | bytes, expected: list[bytes]) -> None:
    data = source(text)
    assert [data[span.start : span.end] for span in html.read(data).inlines] == expected


MENTIONS = {
    "attribute with a URL": ("<img src=/x/«a».png>", ("string", b"/x/", b".png")),
    "any other attribute": ("<p data-x='{\"b\":\"/«a».png\"}'>", ("string", b"/", b".png")),
    "attribute name": ("<p «data-x»=y>", ("text", b"", b"=y")),
    "text for people": ("<img alt='/«a».png'>", ("unknown", b"/", b".png")),
    "event handler": ("<p onclick='f(`«a».js`)'>", ("unknown", b"", b".js")),
    "page in an attribute": ("<iframe srcdoc='<img src=«a».png>'></iframe>", ("unknown", b"src=", b".png")),
    "style attribute": ("<p style='b:url(/«a».png)'>", ("string", b"/", b".png")),
    "style attribute with a character reference": ("<p style='b:url(&quot;/«a».png&quot;)'>", ("unknown", b"/", b".png&quot")),
    "style": ("<style>/* «a» */</style>", ("comment", b"", b"")),
    "script": ("<script>x=['/«a».js']</script>", ("table", b"/", b".js")),
    "broken script": ("<script>x=('«a».js'</script>", ("unknown", b"", b".js")),
    "text": ("<p>see «a».png</p>", ("text", b"", b".png")),
    "comment": ("<!-- «a».png -->", ("text", b"", b".png")),
    "data": ("<script type=application/ld+json>{\"b\":\"/«a».png\"}</script>", ("string", b"/", b".png")),
    "speculation rules": ('<script type=speculationrules>{"prefetch":[{"urls":["/«a».html"]}]}</script>', ("string", b"/", b".html")),
    "value of an import map": ('<script type=importmap>{"imports":{"b":"/«a».js"}}</script>', ("string", b"/", b".js")),
    "key of an import map": ('<script type=importmap>{"imports":{"/«a».js":"b"}}</script>', ("unknown", b"/", b".js")),
    "template": ("<script type=text/template><img src=/«a».js></script>", ("unknown", b"src=/", b".js")),
    "script that waits for consent": ("<script type=text/plain>import('/«a».js')</script>", ("unknown", b"/", b".js")),
    "style in SVG with character data": ("<svg><style><![CDATA[a{b:url(/«a».png)}]]></style></svg>", ("unknown", b"/", b".png")),
    "flight data": ('<script>self.__next_f.push([1,"2:I[1,[\\"/«a».js\\"]]"])</script>', ("table", b"/", b".js\\")),
    "long text before": ("<p>" + "x" * 300 + "«a»", ("text", b"x" * 200, b"")),
}  # fmt: skip


@pytest.mark.parametrize("text, expected", MENTIONS.values(), ids=MENTIONS.keys())
def test_words(text: str, expected: tuple[str, bytes, bytes]) -> None:
    found = mentions(html.read, text)
    assert [stand for stand, _, _ in found] == [expected[0]]
    assert found[0][1].endswith(expected[1]) and found[0][2].startswith(expected[2])


def test_words_of_all_parts_of_a_page_at_once() -> None:
    text = "<p data-a='«a»'>«b»<style>.«c»{d:url(«d»)}</style><script>x='«e»'</script><script type=x>«f»</script><i title='«g»'>"
    assert stands(html.read, text) == ["string", "text", "unknown", "string", "string", "unknown", "unknown"]


def test_a_utf_16_page_says_nothing_for_sure() -> None:
    data = '\ufeff<img src="a.png">'.encode("utf-16-le")
    assert [found.stand for found in html.read(data, [Hit(4, 8, 0)]).mentions] == ["unknown"]


def cut(page: str) -> tuple[bytes, Hit]:
    """A page with a word between « and », in which what stands between ‹ and › is no part of the word."""
    first, _, rest = page.partition("«")
    left, _, rest = rest.partition("‹")
    gap, _, rest = rest.partition("›")
    right, _, last = rest.partition("»")
    places = [len(first.encode())]
    for part in (left, gap, right):
        places.append(places[-1] + len(part.encode()))
    data = (first + left + gap + right + last).encode()
    return data, Hit(places[0], places[3], 0, (places[1], places[2]))


PUSH = '<script>self.__next_f.push([1,"%s"])</script>'
CUTS = {
    "in a row": (PUSH % '2:[\\"/é/«a‹' + "<p></p>" + PUSH % '›b».js\\"]', ("string", b"/\xc3\xa9/", b".js\\")),
    "in a text row, whose count covers bytes of both": (PUSH % "1:T9,/é/«a‹" + PUSH % "›b».js", ("string", b"/\xc3\xa9/", b".js")),
    "a script that does more": ((PUSH % "/«a‹").replace(")<", ");x()<") + PUSH % "›b».js", ("unknown", b"/", b".js")),
    "a script that never runs": ((PUSH % "/«a‹").replace("<script", "<script type=x") + PUSH % "›b».js", ("unknown", b"/", b".js")),
    "in a comment": ("<!--" + PUSH % "/«a‹" + PUSH % "›b».js" + "-->", ("unknown", b"/", b".js")),
    "not neighbours": (PUSH % "/«a‹" + PUSH % "x" + PUSH % "›b».js", ("unknown", b"/", b".js")),
}  # fmt: skip


@pytest.mark.parametrize("text, expected", CUTS.values(), ids=CUTS.keys())
def test_words_that_flight_data_holds_cut_in_two(text: str, expected: tuple[str, bytes, bytes]) -> None:
    data, hit = cut(text)
    (found,) = html.read(data, [hit]).mentions
    assert (found.stand, found.before, found.after, found.gap) == (*expected, hit.gap)


PIECES = [
    "<img src=", "<img src='", "<a href=\"", "a.png", "&amp;", "&", "?", "#", "'", '"', ">", "/>", "<", " ", "\r\n", "<!--", "-->",
    "<style>", "</style>", "<script>", "</script>", "<script type=importmap>", "import('./b.js')", "url(c.png)", "<svg>", "</svg>",
    "<template>", "</template>", "<table>", "<body background=d.png>", "<base href=x/>", " srcset='", ", ", " 2x", "é", "<p style=",
]  # fmt: skip


@settings(max_examples=200, deadline=None, derandomize=True)
@given(st.lists(st.sampled_from(PIECES), max_size=14).map("".join))
def test_any_tokens(text: str) -> None:
    check(html.read, text.encode(), [b"png", b"a", b"'"])


WHOLE = [
    "<img src=a.png>", "<img src='é.png?x=1&amp;y=2'>", "<p style='a:url(b.png)'>", "<img srcset='a.png 1x, b.png 2x'>", "text", "é",
    "<script>import('./c.js')</script>", "<style>@import 'd.css';</style>", "<!-- x -->", "<table>", "</table>", "<svg>", "</svg>", "\r\n",
    "<template>", "</template>", "<noscript>", "</noscript>", "<div>", "</div>", '<script type=importmap>{"imports":{"a":"/e.js"}}</script>',
]  # fmt: skip


@settings(max_examples=150, deadline=None, derandomize=True)
@given(st.lists(st.sampled_from(WHOLE), max_size=8).map("".join))
def test_names_that_are_filled_into_any_page_are_read_again(text: str) -> None:
    refilled(html.read, text.encode())


@settings(max_examples=100, deadline=None, derandomize=True)
@given(
    st.binary(max_size=30),
    st.sampled_from([b"", b"<img src=", b"<script>", b"\xef\xbb\xbf<a href='", b"<!doctype html>"]),
)
def test_any_bytes(data: bytes, head: bytes) -> None:
    check(html.read, head + data, [data[3:5]] if len(data) > 4 else [])


def test_marks_of_these_tests() -> None:
    data, hit = cut("é«a‹bc›d»e")
    assert data == "éabcde".encode()
    assert (hit.start, hit.end, hit.gap) == (2, 6, (3, 5))
    assert marked("é«a»")[1] == [Hit(2, 3, 0)]
