"""Style sheets: white space and comments go, nothing else, and only where that is proved."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from v1z3r_build.formats import style_meaning, style_minifier
from v1z3r_build.formats.engines import lightning
from v1z3r_build.formats.style_tokens import DoubtError


def candidates(source: str) -> dict[str, str]:
    return {one.engine: one.data.decode() for one in style_minifier.minify(source.encode()).candidates}


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ('@charset "utf-8";\na { b : c ; }', '@charset "utf-8";a{b:c}'),
        ("a :hover > b , c  + d ~ e { f : 0 ! important ; }", "a :hover>b,c+d~e{f:0!important}"),
        (".a .b, .a.b, .a > .b { c : d }", ".a .b,.a.b,.a>.b{c:d}"),
        # Custom properties are read as they are written; an empty one is a blank.
        ("a { --x: ; --y : { b : c } ; --z:  1  }", "a{--x: ;--y : { b : c } ;--z:  1  }"),
        ("a { /* c */ --x: 1; b : c; /* d */ --y: /* e */ 2 }", "a{--x: 1;b:c;--y: /* e */ 2 }"),
        ("a { b : var( --x , ) var(--y, 1px ) }", "a{b:var(--x, ) var(--y,1px)}"),
        # Fallbacks, prefixed twins and hacks.
        ("a { height : 100vh ; height : 100dvh }", "a{height:100vh;height:100dvh}"),
        ("a { color : red ; color : color( display-p3 1 0 0 ) }", "a{color:red;color:color(display-p3 1 0 0)}"),
        (
            "a { backdrop-filter : blur(1px) ; -webkit-backdrop-filter : blur(1px) }",
            "a{backdrop-filter:blur(1px);-webkit-backdrop-filter:blur(1px)}",
        ),
        ("a { *zoom : 1 ; _height : 1px }", "a{*zoom:1;_height:1px}"),
        # Functions of numbers.
        ("a { b : calc( 1px + 2px * ( 3 - 1 ) ) }", "a{b:calc(1px + 2px * (3 - 1))}"),
        ("li:nth-child( 2n + 1 ) { a : b }", "li:nth-child(2n + 1){a:b}"),
        # Media queries: `and(` would be a function.
        (
            "@media ( min-width : 1px ) and (max-width: 5px) , print { a { b : c ; } }",
            "@media (min-width:1px) and (max-width:5px),print{a{b:c}}",
        ),
        ("@supports ( a : b ) and ( not ( c : d ) ) { a { b : c } }", "@supports (a : b) and (not (c : d)){a{b:c}}"),
        ("@container style( --x : a ) { a { b : c } }", "@container style(--x : a){a{b:c}}"),
        # URLs, strings, escapes.
        ("a { b : url( a\\)b.png ) ; c : url( 'x y' ) }", "a{b:url( a\\)b.png );c:url('x y')}"),
        ('a::after { content : "a\\\nb  /* c */" }', 'a::after{content:"a\\\nb  /* c */"}'),
        (".\\31 23 { a : b }", ".\\31 23{a:b}"),
        (".a\\ b { a : b }", ".a\\ b{a:b}"),
        # Comments part tokens; those of a licence stay.
        ("a/**/b { c : d/**/e f/* x */ g }", "a/**/b{c:d/**/e f g}"),
        ("/*! keep */ a { b : c } /* x */", "/*! keep */a{b:c}"),
        # Modern rules that old engines drop.
        ("@layer a , b ;\n@layer a { c { d : e } }", "@layer a,b;@layer a{c{d:e}}"),
        ("a { &:hover { b : c } > d { e : f } g : h }", "a{&:hover{b:c}>d{e:f}g:h}"),
        (
            '@property --x { syntax : "*" ; inherits : false ; initial-value :  a }\na { b : c }',
            '@property --x { syntax : "*" ; inherits : false ; initial-value :  a }a{b:c}',
        ),
        ("@container a ( width > 1px ) { b { c : d } }", "@container a (width > 1px){b{c:d}}"),
        ("a { b : oklch( 50% 0.1 20 / 0.5 ) }", "a{b:oklch(50% 0.1 20 / 0.5)}"),
        ("a:has( > b ) { c : d }", "a:has(> b){c:d}"),
        ("@scope ( .a ) to ( .b ) { c { d : e } }", "@scope (.a) to (.b){c{d:e}}"),
        ("@new-thing  a { b : c ; }\na { b : c }", "@new-thing  a { b : c ; }a{b:c}"),
        ("@import url( x ) layer( a ) ;", "@import url( x ) layer(a);"),
        ("a { unicode-range : U+0025-00FF , u+4?? }", "a{unicode-range:U+0025-00FF,u+4??}"),
        ("a { grid-template : [ a b ] 'x y' 1fr [ c ] / auto }", "a{grid-template:[ a b ] 'x y' 1fr [ c ] / auto}"),
        ("[ data-x = 'a  b' i ] { c : d }", "[ data-x = 'a  b' i ]{c:d}"),
        ("a { b : c } /*# sourceMappingURL=gone.css.map */", "a{b:c}/*# sourceMappingURL=gone.css.map */"),
    ],
)
def test_white_space_goes_where_it_has_no_meaning(source: str, expected: str) -> None:
    assert candidates(source)["tokens"] == expected


@pytest.mark.parametrize(
    "source",
    [
        "a { b : c",
        "a { b : c } }",
        "a { b : c } ; d { e : f }",
        "<!-- a { b : c } -->",
        "a { b : 'c\n' }",
        "a { b : url( c d ) }",
        "a { b : c } /* d",
        "a ( { b : c }",
        "a{" * 300 + " b : c " + "}" * 300,
        "a { b : " + "calc( " * 300 + "1" + " )" * 300 + " }",
        "a { --b : " + "( " * 300 + "1" + " )" * 300 + " }",
        "a{b:c}",
        " ",
        ' @charset "latin1"; a { b : c }',
        '/* x */@charset "latin1"; a { b : c }',
    ],
)
def test_left_alone(source: str) -> None:
    result = style_minifier.minify(source.encode())
    assert not result.candidates
    assert not result.diagnostics


@pytest.mark.parametrize(
    ("source", "why"),
    [(b"a { b : '\0' }", "NUL"), (b"a { b : c }\n" * (style_minifier.LARGEST // 12 + 1), "larger than 8 MiB")],
    ids=["NUL", "large"],
)
def test_what_is_not_tried_is_told(source: bytes, why: str) -> None:
    result = style_minifier.minify(source)
    assert not result.candidates
    assert [(one.code, why in one.message) for one in result.diagnostics] == [("not-minified", True)]


def test_text_that_is_no_utf8_is_kept_and_named() -> None:
    (said,) = style_minifier.minify(b"a { b : c }\nd { e : '\xe9' }").diagnostics
    assert (said.code, said.line, said.column) == ("invalid-encoding", 2, 10)


def test_byte_order_mark_stays() -> None:
    assert style_minifier.minify(b"\xef\xbb\xbfa { b : c }").candidates[0].data == b"\xef\xbb\xbfa{b:c}"


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("a { color : #FFFFFF ; opacity : 0.5 }", "a{color:#fff;opacity:.5}"),
        ("a { width : 1.50px }", "a{width:1.5px}"),
    ],
)
def test_lightningcss_is_taken_where_values_are_equal(source: str, expected: str) -> None:
    assert candidates(source)["lightningcss"] == expected


@pytest.mark.parametrize(
    "source",
    [
        "a { height : 100vh ; height : 100dvh }",
        "a { color : red ; color : color(display-p3 1 0 0) }",
        "a { background : url(a.png) ; background : image-set(url(b.png) 1x) }",
        "a { backdrop-filter : blur(1px) ; -webkit-backdrop-filter : blur(1px) }",
        "a { margin-top : 1px ; margin-right : 1px ; margin-bottom : 1px ; margin-left : 1px }",
        "a { b : c } a { d : e }",
        "a { content : '\\201C' }",
        "a { b : c } /*! keep */ d { e : 1.0 }",
    ],
)
def test_lightningcss_is_not_believed_where_something_may_be_lost(source: str) -> None:
    assert lightning.minified(source) is not None
    assert "lightningcss" not in candidates(source)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("a b{c:d}", "ab{c:d}"),
        ("a :hover{c:d}", "a:hover{c:d}"),
        ("a{b:c d}", "a{b:cd}"),
        ("a{b:calc(1px + 2px)}", "a{b:calc(1px +2px)}"),
        ("a{b:c;b:d}", "a{b:d}"),
        ("a{--b: c}", "a{--b:c}"),
        ("@media a and (b){c{d:e}}", "@media a and(b){c{d:e}}"),
        ("a{b:c}d{e:f}", "d{e:f}a{b:c}"),
        ("a{*b:c}", "a{b:c}"),
        ("a{z-index:1.0}", "a{z-index:1}"),
        ("#AbC{b:c}", "#abc{b:c}"),
    ],
)
def test_meanings_differ(one: str, other: str) -> None:
    assert style_meaning.of_sheet(one) != style_meaning.of_sheet(other)
    assert style_meaning.of_values(one) != style_meaning.of_values(other)


def test_a_wrong_result_is_thrown_away(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(style_minifier, "strip", lambda data: b"a:hover{b:c}")
    assert candidates("a :hover { b : c }") == {}


PARTS = [
    "a", ".b", "#c", ":hover", "::after", ">", "+", "~", ",", "*", "[d=e]", ":is(", ")", "{", "}", ";", ":", "b:c;",
    "--x:", "var(--x,", "calc(1px + 2px)", "url(a)", "url( 'b' )", "'s  s'", "/* c */", "/*!k*/", "!important", "1px",
    "-1", ".5", "50%", "@media", "(", "and", "@layer", "\\31 ", "#FFF", "&", "/", "rgb(0 0 0 / 1)", "}a{", "@x",
]  # fmt: skip


@settings(max_examples=600, deadline=None, derandomize=True)
@given(st.lists(st.tuples(st.sampled_from(PARTS), st.sampled_from(["", " ", "\n", "/**/"])), max_size=12))
def test_any_tokens_mean_the_same_after(parts: list[tuple[str, str]]) -> None:
    """What `strip` writes is right by itself; the check behind it is the second line of defence."""
    source = "a{" + "".join(part + gap for part, gap in parts) + "}"
    try:
        result = style_minifier.strip(source.encode()).decode()
    except DoubtError:
        return
    assert style_meaning.of_sheet(result) == style_meaning.of_sheet(source)
    assert style_minifier.strip(result.encode()).decode() == result
