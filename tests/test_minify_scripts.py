"""Scripts: what comes out, what is kept, and that it computes the same."""

from __future__ import annotations

import shutil
import subprocess
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from v1z3r_build.formats.engines import esbuild_printer, external, script_syntax
from v1z3r_build.formats.engines.external import Engine, ScriptOptions
from v1z3r_build.formats.script_minifier import DEEPEST, LARGEST, minify
from v1z3r_build.formats.script_whitespace import strip

if TYPE_CHECKING:
    from pathlib import Path

OPTIONS = ScriptOptions()
NODE = shutil.which("node")
# Makes a script a module, so that only white space and comments go.
MODULE = "export {};\n"


def first(source: str | bytes, *, module: bool | None = None) -> str | None:
    data = source.encode() if isinstance(source, str) else source
    candidates = minify(data, OPTIONS, module=module).candidates
    return candidates[0].data.decode() if candidates else None


def stripped(source: str) -> str | None:
    data = source.encode()
    result = strip(data, script_syntax.literals(script_syntax.parse(data)))
    return None if result is None else result.decode()


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        # Automatic semicolon insertion: a line break that ends a statement stays.
        ("a\nb", "a\nb"),
        ("a\n++b", "a\n++b"),
        ("a\n--b", "a\n--b"),
        ("a++\nb", "a++\nb"),
        ("function f() {\n  return\n  x\n}", "function f(){return\nx}"),
        ("for (;;) {\n  break\n  x\n}", "for(;;){break\nx}"),
        ("var f = function () {\n}\nfoo()", "var f=function(){}\nfoo()"),
        ("a = b\n(c)", "a=b\n(c)"),
        ("a = b\n[c]", "a=b\n[c]"),
        ("a = 1\n.5", "a=1\n.5"),
        ("class A {\n  a\n  *b() {}\n}", "class A{a\n*b(){}}"),
        ("class A {\n  a\n  [b]\n}", "class A{a\n[b]}"),
        ("class A {\n  get\n  b() {}\n}", "class A{get\nb(){}}"),
        ("do x()\nwhile (y)\nz", "do x()\nwhile(y)\nz"),
        ("let x = 1\nlet y", "let x=1\nlet y"),
        ("a /* x\ny */ b", "a\nb"),
        # A line break where no statement can end goes.
        ("a =\n  b", "a=b"),
        ("a\n  .b()\n  ?.c", "a.b()?.c"),
        ("a\n  ? b\n  : c", "a?b:c"),
        ("f(\n  a,\n  b\n)", "f(a,b)"),
        ("x = {\n  a: 1,\n}", "x={a:1,}"),
        ("a;\n\n\nb;", "a;b;"),
        # Tokens that would join.
        ("a + +b", "a+ +b"),
        ("a + ++b", "a+ ++b"),
        ("a - -b", "a- -b"),
        ("a - --b", "a- --b"),
        ("a +\n+b", "a+\n+b"),
        ("a++ + b", "a++ +b"),
        ("1 .toString()", "1 .toString()"),
        ("1. in x", "1. in x"),
        ("a ? .5 : 1", "a? .5:1"),
        ("a / /b/g.c", "a/ /b/g.c"),
        ("/a/g in b", "/a/g in b"),
        ("typeof x", "typeof x"),
        ("return_ = 'a' + x in y", "return_='a'+x in y"),
        ("a < ! --b", "a< ! --b"),
        ("x-- > 0", "x-- >0"),
        ("n --> 0", "n-->0"),
        # Regular expression or division.
        ("x = a / b / c", "x=a/b/c"),
        ("x = / a  b /.test(y)", "x=/ a  b /.test(y)"),
        ("if (x) / a  b /.test(y)", "if(x)/ a  b /.test(y)"),
        ("x = /[/*]/ + 1 // c", "x=/[/*]/+1"),
        # Literals.
        ("x = `a  ${ b }  //c\n`", "x=`a  ${ b }  //c\n`"),
        ("x = `a ${ `b  ${ c }` }`", "x=`a ${ `b  ${ c }` }`"),
        ("x = 'a  // b' + \"/* c */\"", "x='a  // b'+\"/* c */\""),
        ("x = 'a\\\n  b'", "x='a\\\n  b'"),
        # Directives, labels, private names, identifiers beyond ASCII.
        ("'use strict'\nfoo( )", "'use strict'\nfoo()"),
        ("a : for (;;) break a", "a:for(;;)break a"),
        ("class A { static #b = 1 ; static { c ( ) } }", "class A{static #b=1;static{c()}}"),
        ("var é = ü in ö", "var é=ü in ö"),
        ("var a\\u0062 = 1", "var a\\u0062=1"),
        ("a\u2028b", "a\u2028b"),
        # Comments that stay, where they stand.
        ("/*! a */ b ( ) // c", "/*! a */ b()"),
        ("a ( ) ;\n//! b\nc ( )", "a();//! b\nc()"),
        ("f(a, /* @license MIT */ b)", "f(a,/* @license MIT */ b)"),
        ("a ( ) ;\n//# sourceURL=x.js\n", "a();//# sourceURL=x.js"),
        ("a = /* @__PURE__ */ b ( )", "a=b()"),
    ],
)
def test_white_space_goes_where_it_has_no_meaning(source: str, expected: str) -> None:
    assert stripped(source) == expected


@pytest.mark.parametrize("source", ["a = 1 <!-- b\nc", "<!-- a\nb", "a\n--> b\nc", "/*\n*/ --> b"])
def test_html_like_comments_are_a_doubt(source: str) -> None:
    """They are comments to a classic script and operators to a module."""
    assert stripped(source) is None
    assert first(source) is None


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        (
            "var longName = 1; function foo(first, second) { return first }",
            "var longName=1;function foo(a,b){return a}",
        ),
        ("const A = 1; let B = 2; class C { m() {} }", "const A=1;let B=2;class C{m(){}}"),
        ("function f(a = g()) { }", "function f(a=g()){}"),
        ("x = (first, second) => first", "x=(a,b)=>a"),
        ("function f() { var here = 1; eval('here') }", 'function f(){var here=1;eval("here")}'),
        ("with (a) { b ( ) }", "with(a)b()"),
        ("a = 1 ;\n//# sourceURL=x.js", "a=1\n//# sourceURL=x.js"),
    ],
)
def test_classic_scripts_keep_what_others_see(source: str, expected: str) -> None:
    result = first(source)
    assert result is not None
    assert result.replace("'", '"') == expected


@pytest.mark.parametrize(
    "source",
    [
        "(function () { function helper() { } window.x = helper })()",
        "(function () { var C = class Named { }; window.x = C })()",
        "(function () { var made = function () { }; window.x = made })()",
        "(function () { const f = () => 1; window.x = [f] })()",
        "define(function named() { return 1 })",
    ],
)
def test_names_of_functions_stay(source: str) -> None:
    """`f.name` is read by registries, error reports, `constructor.name`."""
    result = first(source)
    assert result is not None
    before = script_syntax.function_names(script_syntax.parse(source.encode()))
    assert script_syntax.function_names(script_syntax.parse(result.encode())) == before


@pytest.mark.parametrize(
    "source",
    [
        "angular.module('a').controller('b', function (First, Second) { First ( ) })",
        "var u = new Blob(['(' + function (argument) { post(argument) } + ')()'])",
        "(function (argument) { return argument.callee.toString() })",
        "define(function (First, argument) { var a = First ( './a' ) })",
        "define( 'x' , function (First) { First ( './a' ) })",
        "app.factory( 'x' , function (Second) { return Second ( ) })",
        "app.config( function (Second) { return Second ( ) })",
        "function config ( $stateProvider , Second ) { $stateProvider.state ( Second ) }",
    ],
)
def test_names_stay_where_the_text_of_functions_is_read(source: str) -> None:
    result = first(source)
    assert result is not None
    words = {"First", "Second", "argument"} & set(source.replace("(", " ").replace(")", " ").replace(",", " ").split())
    assert all(word in result for word in words)


@pytest.mark.parametrize(
    "source",
    ["import  'x' ;", "export  const a  = 1 ;", "import.meta . url ;", "await  x ( ) ;", "for  await (const a of b) ;"],
)
def test_modules_lose_white_space_only(source: str) -> None:
    candidates = minify(source.encode(), OPTIONS).candidates
    assert [one.engine for one in candidates] == ["tokens"]


def test_a_script_of_unknown_kind_works_as_both() -> None:
    """A function in a block is bound otherwise in strict code: no name may change."""
    source = "(function () { { function inner(argument) { return argument } } window.x = inner })()"
    assert "argument" in (first(source) or "")


@pytest.mark.parametrize(
    ("source", "why"),
    [
        (b"a = 'x\0y' ;  b", "NUL"),
        (b" ( " * (DEEPEST + 1) + b"a" + b" ) " * (DEEPEST + 1), "levels deep"),
        (b"a  =  1 ;\n" * (LARGEST // 10 + 1), "larger than 8 MiB"),
    ],
    ids=["NUL", "deep", "large"],
)
def test_what_is_not_tried_is_told(source: bytes, why: str) -> None:
    result = minify(source, OPTIONS)
    assert not result.candidates
    assert [(one.code, why in one.message) for one in result.diagnostics] == [("not-minified", True)]


@pytest.mark.parametrize(
    "source",
    [
        b"#!/usr/bin/env node\n a  =  1",
        b"",
        b"   ",
        b"<div> a </div>",
        b"a=1;b=2",
        b"! " * 2000 + b"a",
        b"if (a) b ( ) ; else " * 2000 + b"c ( )",
        b"f`\\u  ` ; b ( )",
        # The text of a function that is a comment is read, by this script or by another one.
        b"var t = heredoc ( function ( ) {/*\n<p>  text </p>\n*/} ) ;",
    ],
)
def test_left_alone(source: bytes) -> None:
    result = minify(source, OPTIONS)
    assert not result.candidates
    assert not result.diagnostics


def test_dense_code_costs_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Shipped bundles: engines make most of them larger. They are not even parsed."""

    def no_parser(data: bytes) -> None:
        raise AssertionError(f"parsed {len(data)} bytes")

    monkeypatch.setattr(script_syntax, "parse", no_parser)
    bundle = b"(self.w=self.w||[]).push([[1],{2:function(a,b,c){b.d(c,{x:function(){return a}})}}]);" * 5000
    assert minify(bundle, OPTIONS).candidates == ()


@pytest.mark.parametrize(
    ("source", "line", "column"),
    [("var a = 1\n  !é @", 2, 3), ("a = {\n  b: 1\n  c: 2\n}", 3, 3)],
)
def test_a_script_that_does_not_parse_is_kept_and_named(source: str, line: int, column: int) -> None:
    result = minify(source.encode(), OPTIONS)
    assert not result.candidates
    (said,) = result.diagnostics
    assert (said.level, said.code, said.line, said.column) == ("warning", "script-syntax", line, column)


def test_text_that_is_no_utf8_is_kept_and_named() -> None:
    result = minify(b"a = 1 ;\n b = '\xff' ;", OPTIONS)
    assert not result.candidates
    (said,) = result.diagnostics
    assert (said.code, said.line, said.column) == ("invalid-encoding", 2, 7)


def test_byte_order_mark_stays() -> None:
    assert minify(b"\xef\xbb\xbfa  =  1", OPTIONS).candidates[0].data == b"\xef\xbb\xbfa=1"


def test_without_esbuild_the_tree_is_the_proof(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(esbuild_printer, "available", lambda: False)
    assert first("export  const a = 1 ; // b") == "export const a=1;"
    assert minify(b"function ( {", OPTIONS).diagnostics[0].code == "script-syntax"


def test_a_wrong_result_is_thrown_away(monkeypatch: pytest.MonkeyPatch) -> None:
    """Same tokens, another program: both readers see it."""
    for available in (True, False):
        monkeypatch.setattr(esbuild_printer, "available", lambda available=available: available)
        monkeypatch.setattr("v1z3r_build.formats.script_whitespace.strip", lambda data, literals: b"export{};return x")
        assert first("export {};\nfunction f() { return\nx }") is None


def test_a_lost_global_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("turbohtml.clean.minify_js", lambda text, options: "var a=1")
    assert first("var longName = 1 ;") == "var longName=1;"  # the next best: tokens


def test_a_lost_licence_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("turbohtml.clean.minify_js", lambda text, options: "a()")
    assert first("/*! MIT */ a ( ) ;") == "/*! MIT */ a();"


PROGRAM = r"""
'use strict'
/* every trap at once; the output of both runs must be equal */
var out = []
function Named (first, second) { this.first = first }
out.push(Named.name, Named.length, new Named(1).constructor.name)
var f = function () { return
  1 }
out.push(f())
var i = 1
var j = i
++i
out.push(i, j)
out.push(`a  ${ i + 1 }  ${ `n ${ j }` } //`, 'x  // y', /a  b/.test('a  b'), 6 / 2 / 3)
out.push(1 .toFixed(1), - -i, + +i, i - -1, i + +1)
label : for (var k = 0 ; k < 3 ; k++) { for (;;) { if (k > 1) break label ; continue label } }
out.push(k)
var o = { get a () { return 1 } , 'b-c' : 2 , [ 'd' + 1 ] : 3 , async * e () { } , __proto__ : { z : 9 } }
out.push(Object.keys(o).join(), o.z)
class A { #p = 1
  static q = 2
  get p () { return this.#p }
  *g () { yield * [ 1 , 2 ] }
}
out.push(new A().p, A.q, [...new A().g()].join())
var n = 3
while (n --> 0) { }
out.push(n, typeof undefinedThing, void 0, null ?? 'x', o?.nothing?.more)
do out.push('do')
while (false)
out.push((function (a , b = 2) { }).length, (() => { }).name, (function named () { }).name)
try { throw new Error('e') } catch { out.push('caught') } finally { out.push('finally') }
switch (i) { case 1 : out.push('1') ; break
  default : out.push('default') }
console.log(JSON.stringify(out))
"""


@pytest.mark.skipif(NODE is None, reason="node is not installed")
@pytest.mark.parametrize("prefix", ["", MODULE])
def test_the_minified_program_prints_the_same(tmp_path: Path, prefix: str) -> None:
    source = prefix + PROGRAM
    candidates = minify(source.encode(), OPTIONS).candidates
    assert [one.engine for one in candidates] == ["tokens" if prefix else "turbohtml"]
    outputs = []
    for number, text in enumerate((source.encode(), *(one.data for one in candidates))):
        file = tmp_path / f"{number}.{'mjs' if prefix else 'cjs'}"
        file.write_bytes(text)
        outputs.append(subprocess.run([str(NODE), str(file)], capture_output=True, check=True).stdout)
    assert outputs[0].startswith(b'["Named",2,"Named"')
    assert len(set(outputs)) == 1


TOKENS = [
    "a", "b", "in", "1", "1.", ".5", "'s'", "`t`", "/r/g", "+", "-", "++", "--", "/", "*", "(", ")", "[", "]", "{", "}",
    ";", ",", "?", ":", ".", "?.", "=>", "=", "<", ">", "!", "return", "yield", "async", "function", "get", "/* c */",
    "// l\n", "/*!k*/", "class A", "if(a)", "else", "let", "of", "~", "...", "x:",
]  # fmt: skip


@settings(max_examples=1500, deadline=None, derandomize=True)
@given(st.lists(st.tuples(st.sampled_from(TOKENS), st.sampled_from(["", " ", "\n", " \n "])), max_size=14))
def test_any_tokens_that_parse_mean_the_same_after(tokens: list[tuple[str, str]]) -> None:
    source = "".join(token + gap for token, gap in tokens)
    tree = script_syntax.parse(source.encode())
    if tree.root_node.has_error or not esbuild_printer.printed(source) or script_syntax.has_jsx(tree):
        return
    result = stripped(source)
    if result is None:
        return
    again = script_syntax.parse(result.encode())
    assert not again.root_node.has_error, result
    assert script_syntax.shape(again) == script_syntax.shape(tree), result
    blanks = {"/* c */": " ", "// l\n": "\n", "/*!k*/": " "}
    bare = "".join(blanks.get(token, token) + gap for token, gap in tokens)
    plain = stripped(bare)
    assert plain is not None
    assert "".join(esbuild_printer.printed(plain).split()) == "".join(esbuild_printer.printed(bare).split())


def fake_package(node_modules: Path, name: str, code: str) -> None:
    package = node_modules / name
    package.mkdir(parents=True)
    package.joinpath("package.json").write_text('{"version": "9.9.9", "main": "main.js"}')
    package.joinpath("main.js").write_text(code)


@pytest.mark.skipif(NODE is None, reason="node is not installed")
@pytest.mark.parametrize(
    ("code", "reason"),
    [
        ("exports.minify = async () => { throw new Error('no luck') }", "no luck"),
        ("exports.minify = () => new Promise(() => setInterval(() => 0, 1000))", "more than 1 s"),
        ("process.exit(7)", "status 7"),
    ],
)
def test_an_engine_that_fails_costs_only_itself(tmp_path: Path, code: str, reason: str) -> None:
    fake_package(tmp_path, "terser", code)
    engine = external.locate("terser", tmp_path)
    assert engine is not None
    result = minify(b"var a = 1 ;", ScriptOptions((engine,), seconds=1))
    assert [one.engine for one in result.candidates] == ["turbohtml"]
    assert result.diagnostics[0].code == "engine-failed"
    assert "terser 9.9.9" in result.diagnostics[0].message
    assert reason in result.diagnostics[0].message


@pytest.mark.skipif(NODE is None, reason="node is not installed")
@pytest.mark.parametrize("broken", ["var b=1", "var a=", "var a=1;var extra"])
def test_an_engine_that_breaks_code_is_not_believed(tmp_path: Path, broken: str) -> None:
    fake_package(tmp_path, "terser", f"exports.minify = async () => ({{ code: {broken!r} }})")
    engine = external.locate("terser", tmp_path)
    assert engine is not None
    result = minify(b"var a = 1 ; // a comment", ScriptOptions((engine,)))
    assert [one.engine for one in result.candidates] == ["turbohtml"]


@pytest.mark.skipif(NODE is None, reason="node is not installed")
def test_terser_of_next_is_found_and_told_what_is_safe(tmp_path: Path) -> None:
    fake_package(
        tmp_path,
        "next/dist/compiled/terser",
        "exports.minify = async (text, options) => ({ code: 'a(' + JSON.stringify(options) + ')' })",
    )
    (tmp_path / "next" / "package.json").write_text('{"version": "14.2.3"}')
    engine = external.locate("terser", tmp_path)
    assert engine is not None
    assert engine.version == "next 14.2.3"
    told = external.run(engine, "x", module=False, mangle=True, seconds=10)
    assert '"toplevel":false' in told
    assert '"pure_getters":false' in told
    assert '"keep_fnames":true' in told


def test_missing_engines_are_none(tmp_path: Path) -> None:
    assert [external.locate(name, tmp_path) for name in ("terser", "swc", "esbuild")] == [None] * 3


def test_a_missing_binary_is_a_failure_of_the_engine() -> None:
    result = minify(b"a  =  1", ScriptOptions((Engine("esbuild", "/nowhere/esbuild", "1"),)))
    assert [one.engine for one in result.candidates] == ["turbohtml"]
    assert result.diagnostics[0].code == "engine-failed"


def test_long_runs_of_statements_are_not_joined() -> None:
    """Joined by commas they are one deep tree, on which esbuild takes time by the square."""
    result = minify(b"call ( ) ;\n" * 20_000, OPTIONS)
    assert [one.engine for one in result.candidates] == ["tokens"]


def test_white_space_in_strings_does_not_count(monkeypatch: pytest.MonkeyPatch) -> None:
    """Bundles of three.js and TensorFlow.js are dense code around formatted shaders."""
    monkeypatch.setattr(script_syntax, "parse", lambda data: pytest.fail("it was parsed"))
    shader = "const a=`\n  void main ( ) {\n    gl_FragColor = vec4 ( 1.0 ) ;\n  }\n`,b='  x  y  ',c=a+b;f(c);" * 200
    assert minify(shader.encode(), OPTIONS).candidates == ()
