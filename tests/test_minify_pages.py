"""Pages: only inline code changes; the document stays the same to three parsers."""

from __future__ import annotations

import html5lib
import pytest

from v1z3r_build.formats import page_minifier
from v1z3r_build.formats.engines.external import ScriptOptions
from v1z3r_build.formats.page_minifier import Pieces


def minified(source: str | bytes) -> page_minifier.Minified:
    data = source.encode() if isinstance(source, str) else source
    return page_minifier.minify(data, Pieces(ScriptOptions()))


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("<script> a  =  1 ; </script>", "<script>a=1</script>"),
        ("<script>\r\n  // a comment\r\n  a ( ) ;\r\n</script>", "<script>a()</script>"),
        ("<script>a() // b\nc()</script>", "<script>a(),c()</script>"),
        ("<script type=module> import  'a' ; // b\nc ( )</script>", "<script type=module>import'a';c()</script>"),
        ("<script type=TEXT/JavaScript> a  =  1 </script>", "<script type=TEXT/JavaScript>a=1</script>"),
        ("<style> a { b : c } </style>", "<style>a{b:c}</style>"),
        (
            '<script type="application/ld+json"> { "a" : 1 } </script>',
            '<script type="application/ld+json">{"a":1}</script>',
        ),
        ('<script type=importmap> { "imports" : { } } </script>', '<script type=importmap>{"imports":{}}</script>'),
        ("\ufeff<p>é</p><script> a = 'é' </script>", "\ufeff<p>é</p><script>a='é'</script>"),
        ("<script> function top ( argument ) { } </script>", "<script>function top(a){}</script>"),
        ("<script> a = '<\\/script>' </script>", "<script>a='<\\/script>'</script>"),
    ],
)
def test_inline_code_is_minified(source: str, expected: str) -> None:
    (only,) = minified(source).candidates
    assert only.data.decode() == expected


MARKUP = """<!DOCTYPE html>
<html lang=en>
<!-- a comment --><head><title> A  page </title><meta name=a content=b/>
<body class="a  b" onclick="  go( 1 ) ; " style="color : red ; ">
<p>words <b>run</b> <i>together</i>
<a href=/x/>y</a> <pre>
  two  lines
</pre><textarea>
 kept </textarea><my-element> kept </my-element>
<svg><style> a { b : c } </style><script> a  =  1 </script></svg>
<noscript><style> a { b : c } </style></noscript>
<script type="text/template"> <b> x </b> </script>
<script type="x-shader/x-vertex"> void main ( ) { } </script>
<script src="a.js"> a  =  1 </script>
<script data-x> a  =  1 </script>
<script> <!-- \n a  =  1 \n //--> </script>
<style media=print type=text/less> a { b : c } </style>
"""


def test_everything_else_stays_byte_for_byte() -> None:
    assert not minified(MARKUP).candidates
    (only,) = minified(MARKUP + "<script> z  =  1 </script>").candidates
    assert only.data.decode() == MARKUP + "<script>z=1</script>"


@pytest.mark.parametrize(
    "marker",
    [
        "<!-- -->", "<!--$-->", "<!--/$-->", "<!--[-->", "<!--]-->", "<!--lit-part-->", "<div data-reactroot></div>",
        '<script id="__NEXT_DATA__" type="application/json"> { } </script>',
        "<script>self.__next_f.push( [0] )</script>",
        "<script>window.__NUXT__ = { }</script>",
        "<astro-island></astro-island>", "<div data-server-rendered=true></div>",
    ],
)  # fmt: skip
def test_a_page_that_is_hydrated_stays(marker: str) -> None:
    page = f"<div id=root>{marker}</div><style> a {{ b : c }} </style><script> a  =  1 ; </script>"
    assert not minified(page).candidates


def test_a_page_in_another_charset_stays_in_it() -> None:
    page = "<meta charset=latin1><p>é</p><script> a = 'é' </script><script> b  =  1 </script>".encode("latin-1")
    (only,) = minified(page).candidates
    expected = "<meta charset=latin1><p>é</p><script> a = 'é' </script><script>b=1</script>"
    assert only.data == expected.encode("latin-1")


def test_what_does_not_parse_is_kept_and_named_by_its_place_in_the_page() -> None:
    result = minified("<p>\n<script> function ( { </script><script> a  =  1 </script>\n<script>\n  b c\n</script>")
    assert result.candidates[0].data.startswith(b"<p>\n<script> function ( { </script><script>a=1</script>")
    assert [(one.code, one.line, one.column) for one in result.diagnostics] == [
        ("script-syntax", 2, 10),
        ("script-syntax", 4, 3),
    ]


@pytest.mark.parametrize("broken", [b"a='</script>'", b"a='<!--'", b"a='<script'"])
def test_no_ending_may_arise(monkeypatch: pytest.MonkeyPatch, broken: bytes) -> None:
    candidate = page_minifier.Minified((page_minifier.Candidate("x", broken),))
    monkeypatch.setattr(Pieces, "minified", lambda self, kind, data: candidate)
    assert not minified("<script>  a = 'long enough to be shortened' ; </script>").candidates


@pytest.mark.parametrize("source", ["<script> a = 1", "<script> a  =  1 \0</script>", "<p>no code</p>", ""])
def test_left_alone(source: str) -> None:
    assert not minified(source).candidates


def test_html5lib_reads_the_same_document() -> None:
    """An oracle that shares no code: equal trees, but for the text of what was minified."""
    page = MARKUP + "<p>a<script> b  =  1 ; </script> <style> a { b : c } </style>c"
    (only,) = minified(page).candidates

    def tree(text: str) -> list[tuple[object, ...]]:
        root = html5lib.parse(text, namespaceHTMLElements=True)
        return [
            (
                element.tag,
                tuple(element.attrib.items()) if hasattr(element, "attrib") else (),
                "".join((element.text or "").split()).replace(";", "")
                if "script" in str(element.tag) or "style" in str(element.tag)
                else element.text,
                element.tail,
            )
            for element in root.iter()
        ]

    assert tree(only.data.decode()) == tree(page)
    assert only.data.decode() != page
