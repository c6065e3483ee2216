"""Canonical names: which names come out, that nothing else changes, and that programs still do the same."""

from __future__ import annotations

import json
import random
import re
import shutil
import subprocess
from typing import TYPE_CHECKING

import pytest
from browser import exports
from hypothesis import given
from hypothesis import strategies as st

from v1z3r_build.formats.renaming import Renamed, readable_names, rename
from v1z3r_build.formats.scope_analysis import analyse_module, analyse_script
from v1z3r_build.formats.scopes import Reason, Refused, Scopes

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

NODE = shutil.which("node")
needs_node = pytest.mark.skipif(NODE is None, reason="node is not installed")


def analyse(source: str, *, module: bool = False) -> Scopes:
    return (analyse_module if module else analyse_script)(source.encode())


def renamed(source: str, *, module: bool = False) -> str:
    return rename(analyse(source, module=module)).text.decode()


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        # The most used gets the first name, then the one that comes first.
        ("(x,y)=>y+y", "(e,t)=>t+t"),
        ("(x,y)=>x+y", "(e,t)=>e+t"),
        # Inner scopes use again what they do not need from outside.
        ("x=>{y=>y;return x}", "e=>{e=>e;return e}"),
        ("x=>{y=>x+y;return x}", "e=>{t=>e+t;return e}"),
        # Names that the text does not declare are avoided where they are used, and only there.
        ("x=>x+e+t", "n=>n+e+t"),
        ("x=>{()=>e}", "t=>{()=>e}"),
        ("[()=>e,x=>x]", "[()=>e,e=>e]"),
        # Shorthands
        ("x=>({x})", "e=>({x:e})"),
        ("e=>({e})", "e=>({e:e})"),
        ("e=>({e:e})", "e=>({e:e})"),
        ("({x,y:z=x,...w})=>w", "({x:e,y:t=e,...n})=>n"),
        ("({x=1})=>x", "({x:e=1})=>e"),
        ("()=>{let x;({x}=y);({x=1}=y)}", "()=>{let e;({x:e}=y);({x:e=1}=y)}"),
        ("()=>({window})", "()=>({window})"),
        ("__proto__=>({__proto__})", 'e=>({["__proto__"]:e})'),
        ("__proto__=>({\\u005f_proto__})", 'e=>({["__proto__"]:e})'),
        ("()=>{let __proto__;({__proto__}=x)}", "()=>{let e;({__proto__:e}=x)}"),
        # The page's names stay, also for what is inside.
        ("var x;let y;function f(z){return x+z}", "var x;let y;function f(e){return x+e}"),
        ("var e;(x=>x+e)", "var e;(t=>t+e)"),
        ("{let x;var y}", "{let e;var y}"),
        # One name for what one token declares
        ("()=>{class A{m(){return A}}A}", "()=>{class e{m(){return e}}e}"),
        ("()=>{{function f(){}f}f}", "()=>{{function e(){}e}e}"),
        ("()=>{try{}catch(x){var x=1}x}", "()=>{try{}catch(e){var e=1}e}"),
        ("(x,y=()=>x)=>{var x;x}", "(e,t=()=>e)=>{var e;e}"),
        # Neighbours that see nothing of each other and yet must differ
        ("(x,y=1)=>{let z}", "(e,t=1)=>{let n}"),
        ("()=>{try{}catch(x){let y}}", "()=>{try{}catch(e){let t}}"),
        ("()=>{{let x;{var y}}}", "()=>{{let t;{var e}}}"),
        # arguments is no name to be given or taken
        ("function f(x){return arguments}", "function f(e){return arguments}"),
        ("(function(){var arguments;arguments})", "(function(){var arguments;arguments})"),
        # Labels and private names
        ("x:for(;;)y:for(;;){break x;continue y}", "e:for(;;)t:for(;;){break e;continue t}"),
        ("x:for(;;){()=>{x:for(;;)break x}}", "e:for(;;){()=>{t:for(;;)break t}}"),
        ("x:{}x:{break x}", "e:{}e:{break e}"),
        ("(class{#x;#y=this.#y})", "(class{#e;#t=this.#t})"),
        ("(class{#x;a=class{#y=1;m(o){return o.#x}}})", "(class{#e;a=class{#t=1;m(e){return e.#e}}})"),
        ("(class{#x;a=class{#y=1}})", "(class{#e;a=class{#e=1}})"),
        ("(function f(undefined){return undefined})", "(function e(e){return e})"),
        ("(\\u0061bc)=>abc", "(e)=>e"),
        ("(ä,b)=>ä", "(e,t)=>e"),
    ],
)
def test_names(source: str, expected: str) -> None:
    assert renamed(source) == expected
    assert renamed(expected) == expected


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("import x,{y,z as w}from'm';x+y+w", "import e,{y as t,z as n}from'm';e+t+n"),
        ("import*as x from'm';x.y", "import*as e from'm';e.y"),
        ("let x;export{x,x as y,x as default}", "let e;export{e as x,e as y,e as default}"),
        ("let e;export{e}", "let e;export{e as e}"),
        ("export let x,{y}=x;let z=x", "export let x,{y}=x;let e=x"),
        ("export function f(x){return f}", "export function f(e){return f}"),
        ("export default function f(){}f", "export default function e(){}e"),
        ("export default class C{}C", "export default class e{}e"),
        ("export{x}from'm';export*as y from'm'", "export{x}from'm';export*as y from'm'"),
        ("export let e;let x;x", "export let e;let t;t"),
        ("export let e;(x=>x+e)", "export let e;(t=>t+e)"),
        ("let x;x;{class e{}}export class t{}", "let e;e;{class e{}}export class t{}"),
    ],
)
def test_names_of_modules(source: str, expected: str) -> None:
    assert renamed(source, module=True) == expected
    assert rename(analyse(source, module=True)).text == rename(analyse(source, module=True)).text


def test_the_caller_learns_the_names() -> None:
    result = rename(analyse("import a from 'm';let b=a,c=a;{let d}", module=True))
    assert result.names == {"a": "e", "b": "t", "c": "n"}


@pytest.mark.parametrize(
    ("source", "start", "text", "names"),
    [
        ("p({1:function(x,y){let z=x}},q)", "function", "function(e,t){let n=e}", {"x": "e", "y": "t", "z": "n"}),
        ("p({1:(x,y)=>{let z=x}},q)", "(x,", "(e,t)=>{let n=e}", {"x": "e", "y": "t", "z": "n"}),
        ("p({1(x,y=1){var z=x}},q)", "(x,", "(e,t=1){var n=e}", {"x": "e", "y": "t", "z": "n"}),
        ("p({1:function f(x){f}},q)", "function", "function e(t){e}", {"f": "e", "x": "t"}),
        ("p({1:function f(x=1){var y}},q)", "function", "function e(e=1){var t}", {"f": "e", "x": "e", "y": "t"}),
        ("var e;p(function(x){return x+e+t})", "function(x", "function(n){return n+e+t}", {"x": "n"}),
        ("l:for(;;){(x=>{m:for(;;)break m})}", "x=>", "e=>{e:for(;;)break e}", {"x": "e"}),
        ("(class{#x;m(){return y=>y.#x}})", "y=>", "e=>e.#x", {"y": "e"}),
        ("(class{#e;m(){return class{#x;n(o){o.#e}}}})", "(o)", "(e){e.#e}", {"o": "e"}),
    ],
)
def test_a_function_alone_is_renamed(source: str, start: str, text: str, names: dict[str, str]) -> None:
    scopes = analyse(source)
    function = scopes.function_at(source.index(start))
    assert function is not None
    result = rename(scopes, function)
    assert (result.text.decode(), result.names) == (text, names)


def test_private_names_from_outside_are_avoided() -> None:
    source = "(class{#e;m(){return class{#x;n(o){o.#e+o.#x}}}})"
    scopes = analyse(source)
    function = scopes.function_at(source.index("(){"))
    assert rename(scopes, function).text.decode() == "(){return class{#t;n(e){e.#e+e.#t}}}"


def test_the_caller_can_keep_names() -> None:
    scopes = analyse("let e,x;x+x;{let t;x}", module=True)
    kept = [scopes.root.bindings["e"], scopes.scopes[1].bindings["t"]]
    assert rename(scopes, keep=kept).text.decode() == "let e,n;n+n;{let t;n}"


def test_kept_names_of_a_body_are_none_of_its_parameters() -> None:
    scopes = analyse("(x,y=1)=>{let e}")
    kept = [binding for scope in scopes.scopes for binding in scope.bindings.values() if binding.name == "e"]
    assert rename(scopes, keep=kept).text.decode() == "(t,n=1)=>{let e}"


def test_reserved_words_are_never_names() -> None:
    source = "let " + ",".join(f"name{i}" for i in range(20_000))
    names = set(rename(analyse(source, module=True)).names.values())
    assert len(names) == 20_000
    words = "do if in of as for get let new set try var null this true void with async yield"
    assert not names.intersection(words.split())


@pytest.mark.parametrize(
    "source",
    ["(function(f){{function f(){}}})", "(()=>{let f;{function f(){}}})", "(function(x=1,f){{function f(){}}})"],
)
def test_functions_in_blocks_that_do_not_hoist_are_refused(source: str) -> None:
    with pytest.raises(Refused) as refused:
        renamed(source)
    assert refused.value.reason is Reason.UNHOISTED


@pytest.mark.parametrize("source", ["x=>eval(x)", "x=>{with(x)y}", "(function(x,x){})", "x:{break y}"])
def test_what_cannot_be_known_is_refused(source: str) -> None:
    with pytest.raises(Refused):
        renamed(source)


_DENSE = ";x" * 30


# What is kept of a module whose only names that functions take are as said.
@pytest.mark.parametrize(
    ("source", "kept"),
    [
        ("function long1() {}", ""),
        ("function long1() {} long1.name", "long1"),
        ("function long1() {} long1?.name", "long1"),
        ("function long1() {} long1['name']", "long1"),
        ("function long1() {} (long1).name", "long1"),
        ("function long1() {} long1.name = 1", ""),
        ("function long1() {} long1.name += 1", "long1"),
        ("function long1() {} function long2() {} long1.name", "long1"),
        ("function long1() {} function long2() {} x.name", "long1 long2"),
        ("class Long1 {} new Long1().constructor.name", "Long1"),
        ("const long1 = () => {}; x.name", "long1"),
        ("let long1; long1 = class {}; x.name", "long1"),
        ("const {long1 = () => {}} = y; x.name", "long1"),
        ("const long1 = function long2() {}; x.name", "long2"),
        ("const long1 = 1; x.name", ""),
        ("(long1 => long1)(x.name)", ""),
        ("function long1() {} const {name} = x", "long1"),
        ("function long1() {} const {name: y} = x", "long1"),
        ("function long1() {} const {['name']: y} = x", "long1"),
        ("function long1() {} (({name = 1}) => 1)", "long1"),
        ("function long1() {} x('name')", "long1"),
        ("function long1() {} x === 'name'; switch (x) { case 'name': }", ""),
        ("function long1() {} ({name: 1, 'x': 2, 'name': 3}); 'the name'; x.names; y.$name; name", ""),
        ("function long1() {} ({name() {}}); class A1 { name = 1; static name() {} }", ""),
        ("function long1() {} ({a: 1}).name; 'a'.name; [].name", ""),
        ("class Long1 { m() { this.name } get x() { return () => this.name } y = this.name }", ""),
        ("class Long1 { static m() { this.name } }", "Long1"),
        ("class Long1 { static { this.name } }", "Long1"),
        ("class Long1 { static x = this.name }", "Long1"),
        ("class Long1 { m() { (function () { this.name }) } }", "Long1"),
        ("class Long1 extends Function { m() { this.name } }", "Long1"),
        ("class Long1 { [this.name]() {} }", "Long1"),
        ("function long1() { this.name }", "long1"),
        ("{ function long1() {} } x.name", "long1"),
        ("// x.name\nfunction long1() {} /x.name/; `x.name`", ""),
        ("function long1() {} `${x.name}`", "long1"),
        ("let long1 = () => {}; long1 = x; function long2() {} long1.name", "long1 long2"),
        ("const long1 = () => {}; function long2() {} long1.name", "long1"),
        # Names that a minifier has chosen
        ("function a(){}x.name;export{a" + "".join(f",a as b{i}" for i in range(9)) + "}" + _DENSE, ""),
        ("function a() {} x.name", "a"),
        ("function a(){}x.name" + _DENSE, ""),
        ("function a(){}class B{}x.name" + _DENSE, ""),
        ("function a(){}a.name" + _DENSE, "a"),
        ("function a(){}function longer(){}x.name" + _DENSE, "a longer"),
        ("let a=()=>{};a=b;a.name" + _DENSE, "a"),
        ("class A{}function longer(){}x.name" + _DENSE, "longer"),
        ("function a(){}x.name" + _DENSE.replace(";", " ;"), "a"),
    ],
)  # fmt: skip
def test_names_that_code_can_read_stay(source: str, kept: str) -> None:
    scopes = analyse(source, module=True)
    result = rename(scopes)
    assert result.kept == frozenset(kept.split())
    assert {binding.name for binding in readable_names(scopes, scopes.whole())} == result.kept
    for name in result.kept:
        assert re.search(rf"\b{name}\b", result.text.decode())
    assert rename(analyse_module(result.text)).text == result.text


# Programs that say with log() what they do, as scripts; those that begin with a comment `module` as modules.
PROGRAMS = [
    "var a = 1; { var a = 2 } log(a)",
    "var a = 1; { let a = 2; log(a) } log(a)",
    "f(); function f() { log('f') }",
    "log(typeof x); { function x() {} } log(typeof x)",
    "(function () { log(typeof x); { function x() {} } log(typeof x) })()",
    "(function () { 'use strict'; log(typeof x); { function x() {} } log(typeof x) })()",
    "(function () { if (1) function x() {} log(typeof x) })()",
    "(function () { switch (1) { case 0: function x() {} } log(typeof x) })()",
    "(function (x) { x = 1; { function y() {} } log(x, typeof y) })()",
    "(function () { try { throw 1 } catch (e) { var e = 2; log(e) } log(e) })()",
    "(function () { try { throw 1 } catch (e) { for (var e in {k: 1}); log(e) } log(e) })()",
    "(function () { try { throw 1 } catch (f) { { function f() {} } log(f) } log(typeof f) })()",
    "(function (a, g = () => a) { var a; log(a); a = 2; log(g(), a) })(1)",
    "(function (a, g = () => a) { log(a); a = 2; log(g(), a) })(1)",
    "var b = 1; (function (a = b) { var b = 2; log(a, b) })()",
    "(function (a = 1) { function a() {} log(typeof a) })(2)",
    "(function f() { log(typeof f); var f = 1; log(f) })()",
    "(function f() { f = 1; log(typeof f) })()",
    "(function f(f) { log(f) })(3)",
    "var c = class D { static n = typeof D; m() { return typeof D } }; log(c.n, new c().m(), typeof D)",
    "class E { m() { return E } } var k = new E(); var F = E; E = 1; log(k.m() === F)",
    "(function (a) { arguments[0] = 2; log(a, arguments.length) })(1)",
    "(function (a) { 'use strict'; arguments[0] = 2; log(a) })(1)",
    "(function (arguments) { log(arguments) })(1)",
    "(function () { var arguments; log(typeof arguments) })()",
    "(function (x) { return (() => arguments[0])(9) })(1) === 1 && log('arrow')",
    "(function () { for (let i = 0, f = []; i < 3; i++) { f.push(() => i); if (i == 2) log(f.map(g => g())) } })()",
    "(function () { var f = []; for (var i = 0; i < 3; i++) f.push(() => i); log(f.map(g => g())) })()",
    "(function () { let {a, b: {c = 2, ...d}, ...e} = {a: 1, b: {x: 3}, f: 4}; log(a, c, d, e) })()",
    "(function () { let a = 1, b = 2; [a, b] = [b, a]; ({a, b = 5} = {a: b}); log({a, b}) })()",
    "(function () { let x = {}; [x.a, x['b'] = 3, ...x.c] = [1, undefined, 4]; log(x) })()",
    "(function () { let o = {a: 1, b() { return this.a }, get c() { return 3 }, ['d']: 4}; log(o.b(), o) })()",
    "(function (a) { let __proto__ = a; log(Object.keys({__proto__}).length, Object.keys({__proto__: a}).length) })({})",
    "(function () { a: for (var i = 0; ; i++) { b: for (;;) { if (i > 2) break a; continue a } } log(i) })()",
    "(function () { a: { b: { break a } log('no') } a: { log('yes') } })()",
    "(function () { class A { #x = 1; static #y = 2; get #z() { return 3 } m(o) { return [this.#x, A.#y, o.#z, #x in o] } } log(new A().m(new A())) })()",
    "(function () { class A { #x = 1; in() { let o = this; return new class { #x = 2; #w = o; m() { return this.#w === o && this.#x } }().m() } } log(new A().in()) })()",
    "(function () { class A { #x = 1; n() { let o = this; return new class { #y = 2; m() { return o.#x + this.#y } }().m() } } log(new A().n()) })()",
    "(function () { let x = 1; class A { [x] = x; static s = x; static { var x = 5; log(x) } } log(Object.keys(new A()), A.s) })()",
    "(function () { try { x; let x } catch (e) { log(e.constructor === ReferenceError) } })()",
    "(function () { try { const x = 1; x = 2 } catch (e) { log(e.constructor === TypeError) } })()",
    "(function () { try { for (let x of [x]); } catch (e) { log(e.constructor === ReferenceError) } })()",
    "(function () { switch (1) { case 1: let x = 1; default: log(x) } })()",
    "(function (undefined) { log(undefined, [void 0 === undefined]) })(1)",
    "(function () { var NaN = 1, Infinity = 2; log(NaN, Infinity) })()",
    "(function () { var async = x => x, of = [1], get = 2, set = 3, from = 4; for (of of of) log(of); log(async(get), set, from) })()",
    "log(typeof undeclared); try { undeclared } catch (e) { log(e instanceof ReferenceError) }",
    "(function () { g1 = 5; log(g1) })(); log(g1, typeof globalThis.g1)",
    "(function () { log(delete g2, typeof g2) })()",
    "var v = 1; log(globalThis.v); let l = 2; log(globalThis.l); function h() {} log(typeof globalThis.h)",
    "(function () { function* g(a) { var b = yield a; return a + b } let i = g(1); log(i.next().value, i.next(2).value) })()",
    "(function () { let o = {f: function longName() {}}; log(o.f.name) })()",
    "(function () { class LongName {} let alias = () => {}; log(new LongName().constructor.name, alias.name) })()",
    "(function () { var deep = {}; var {anon = () => {}} = deep; log(anon.name) })()",
    "(function () { const tag = (s, ...v) => s.raw.join('|') + v; let e = 1, t = 2; log(tag`a${e}b${t}`) })()",
    "(function () { let x = 1; log(`${(x => `${x}${(() => x)()}`)(2)}${x}`) })()",
    "(function () { let a = null; a ??= {b: 1}; a.b **= 2; a.c ||= 3; log(a?.b, a?.['c'], a.d?.()) })()",
    "(function () { var a = 1; a: for (;;) { var a = 2; break a } log(a) })()",
    "(function () { var x = 10; while (x --> 8) log(x) })()",
    "(function () { let e = 1, t = () => e, n = {e, t}; log(n.e, n.t()) })()",
    "(function () { var f = function fact(n) { return n ? n * fact(n - 1) : 1 }; var g = f; f = null; log(g(5)) })()",
    "(function () { let a = [1, 2]; for (const [i, {x = i} = {}] of a.entries()) log(i, x) })()",
    "(function () { var o = {a: 1, b: 2}, k = []; for (k[k.length] in o); log(k) })()",
    "(function () { var i; for (i of [1, 2]); for (var i of [3]); log(i) })()",
    "(function (a, {b, c: [d]} = {b: 2, c: [a]}, ...e) { log(a, b, d, e) })(1, undefined, 3, 4)",
    "(function () { (a => { let b = a; { let a = b + 1; log(a, b) } })(1) })()",
    "(function () { new (class A { constructor() { log(new.target === A) } })() })()",
    "(function () { let A = class { static m() { return super.toString === Function.prototype.toString } }; log(A.m()) })()",
    "(function () { async function f(x) { await null; return x } f(1); log(f.length) })()",
    "(function () { { { var hidden = 1 } function inner() { return hidden } } log(inner()) })()",
    "(function () { var e = 'e', t = 't', n = 'n'; (function (x) { log(e, x); (function (y) { log(t, x, y); (function (z) { log(n, z) })(3) })(2) })(1) })()",
    "// module\nimport {sep as s} from 'node:path'; let sep = s.length; log(sep); export {sep}",
    "// module\nimport fs, * as all from 'node:fs'; log(all.default === fs, typeof all.readFileSync)",
    "// module\nlet a = 1; export {a as b, a as default}; import * as self from 'SELF'; a++; log(self.b, self.default, Object.keys(self))",
    "// module\nexport let x = 1, {y} = {y: 2}; export function f() { return x } export class C {} import * as self from 'SELF'; log(self.x, self.y, self.f(), Object.keys(self))",
    "// module\nexport default class Named {} import * as self from 'SELF'; log(self.default === Named, self.default.name)",
    "// module\nimport {readFileSync, existsSync as e} from 'node:fs'; let t = {readFileSync, e}; log(Object.keys(t))",
    "// module\nlog(typeof import.meta.url, this, await (async () => 1)()); for await (const x of [Promise.resolve(2)]) log(x)",
    "// module\n{ function b() {} log(typeof b) } log(typeof b)",
]

_RUNNER = """
const vm = require("node:vm"), fs = require("node:fs");
const programs = JSON.parse(fs.readFileSync(0, "utf8"));
const show = (value) => typeof value === "function" ? "function" : typeof value === "object" && value ? JSON.stringify(value, (key, inner) => typeof inner === "function" ? "function" : inner) : String(value);
process.stdout.write(JSON.stringify(programs.map((program) => {
  const trace = [];
  try {
    vm.runInNewContext(program, {log: (...values) => trace.push(values.map(show).join(" "))}, {timeout: 2000});
  } catch (error) { trace.push("threw " + (error && error.name || String(error))) }
  return trace;
})));
"""


def run(programs: Sequence[str]) -> list[list[str]]:
    """What scripts log, and as what kind of error they end."""
    command = [str(NODE), "-e", _RUNNER]
    output = subprocess.run(command, input=json.dumps(programs).encode(), capture_output=True, check=True).stdout
    traces: list[list[str]] = json.loads(output)
    return traces


def run_module(source: str, folder: Path, name: str) -> bytes:
    file = folder / f"{name}.mjs"
    log = "const log = globalThis.log = (...values) => console.log(JSON.stringify(values));"
    (folder / "log.mjs").write_text(log)
    file.write_text(f"import './log.mjs';{source.replace('SELF', f'./{name}.mjs')}")
    return subprocess.run([str(NODE), str(file)], capture_output=True, check=True).stdout


@needs_node
def test_scripts_do_the_same_under_canonical_names() -> None:
    scripts = [program for program in PROGRAMS if not program.startswith("// module")]
    results = [renamed(script) for script in scripts]
    before = run(scripts)
    assert all(trace and not trace[-1].startswith("threw") for trace in before), before
    assert dict(zip(scripts, run(results), strict=True)) == dict(zip(scripts, before, strict=True))


@needs_node
@pytest.mark.parametrize("program", [program for program in PROGRAMS if program.startswith("// module")])
def test_modules_do_the_same_under_canonical_names(program: str, tmp_path: Path) -> None:
    before = run_module(program, tmp_path, "before")
    assert before
    assert run_module(renamed(program, module=True), tmp_path, "after") == before


@pytest.mark.parametrize("program", PROGRAMS)
def test_twice_is_as_once(program: str) -> None:
    module = program.startswith("// module")
    once = renamed(program, module=module)
    assert renamed(once, module=module) == once


class Author:
    """Writes random programs out of few names, so that they collide in all ways that the language knows."""

    NAMES = ("a", "b", "c", "e", "t")

    def __init__(self, chance: random.Random) -> None:
        self.chance = chance

    def name(self) -> str:
        return self.chance.choice(self.NAMES)

    def program(self) -> str:
        strict = self.chance.choice(("", "", "'use strict';"))
        return (
            f"(function({self.parameters()}){{{strict if not self.complex else ''}{self.body(3)}}})(1,{{a:2,b:[3]}},4)"
        )

    def parameters(self) -> str:
        self.complex = False
        found = []
        for _ in range(self.chance.randrange(3)):
            kind = self.chance.randrange(6)
            self.complex = self.complex or kind > 2
            found.append(
                self.name()
                if kind < 3
                else f"{self.name()}={self.value(1)}"
                if kind == 3
                else f"{{{self.name()}={self.value(0)}}}={{}}"
                if kind == 4
                else f"[{self.name()}]=[]"
            )
        return ",".join(found)

    def body(self, depth: int) -> str:
        return "".join(self.statement(depth) for _ in range(self.chance.randrange(1, 4)))

    def statement(self, depth: int) -> str:
        name, other = self.name(), self.name()
        plain = (
            lambda: f"log(typeof {name});",
            lambda: f"log({name});",
            lambda: f"var {name}={self.value(depth)};",
            lambda: f"var {name};",
            lambda: f"let {name}={self.value(depth)};",
            lambda: f"const {{{name},x:{other}=1}}={{{name}:5}};",
            lambda: f"{name}={self.value(depth)};",
            lambda: f"({{{name},{other}:{name}=2}}={{}});",
            lambda: f"[{name},...{other}]=[1,2];",
            lambda: f"log({{{name},x:typeof {other}}});",
            lambda: f"{name}++;",
        )
        if depth == 0:
            return self.chance.choice(plain)()
        nested = (
            lambda: f"{{{self.body(depth - 1)}}}",
            lambda: f"function {name}({self.parameters()}){{{self.body(depth - 1)}}}",
            lambda: f"{{function {name}(){{{self.body(depth - 1)}}}{self.body(depth - 1)}}}",
            lambda: f"if(1)function {name}(){{}}",
            lambda: f"try{{{self.body(depth - 1)}}}catch({name}){{{self.body(depth - 1)}}}",
            lambda: f"try{{throw{{a:1,b:2}}}}catch({{{name}}}){{{self.body(depth - 1)}}}",
            lambda: f"try{{throw 7}}catch({name}){{{self.body(depth - 1)}}}",
            lambda: f"for(let {name}=0;{name}<1;{name}++){{{self.body(depth - 1)}}}",
            lambda: f"for(var {name} of [1]){{{self.body(depth - 1)}}}",
            lambda: f"for(const {name} in {{a:1}}){{{self.body(depth - 1)}}}",
            lambda: f"for({name} of [8]){{{self.body(depth - 1)}}}",
            lambda: f"switch(1){{case 1:{self.body(depth - 1)}}}",
            lambda: (
                f"class {name}{{[{other}]={name};static x={self.value(depth - 1)};static{{{self.body(depth - 1)}}}}}"
            ),
            lambda: f"(function({self.parameters()}){{{self.body(depth - 1)}}})({self.name()});",
            lambda: f"(function {name}({self.parameters()}){{{self.body(depth - 1)}}})();",
            lambda: f"(({self.parameters()})=>{{{self.body(depth - 1)}}})({self.name()});",
            lambda: f"try{{{self.body(depth - 1)}}}catch{{}}",
            lambda: f"{name}:for(;;){{{self.body(depth - 1)}break {name}}}",
        )
        return self.chance.choice(nested + plain)()

    def value(self, depth: int) -> str:
        name = self.name()
        choices = [
            lambda: "1",
            lambda: name,
            lambda: f"typeof {name}",
            lambda: f"()=>{name}",
            lambda: f"(()=>{name})()",
        ]
        if depth > 0:
            choices += [
                lambda: f"function {name}(){{{self.body(depth - 1)}}}",
                lambda: f"class {name}{{static x=typeof {name}}}",
                lambda: f"({self.name()}=>{self.value(depth - 1)})({name})",
            ]
        return self.chance.choice(choices)()


@needs_node
@pytest.mark.parametrize("seed", range(2))
def test_random_programs_do_the_same_under_canonical_names(seed: int) -> None:
    author = Author(random.Random(seed))
    programs = [author.program() for _ in range(1000)]
    before = run(programs)
    valid = [
        (program, trace) for program, trace in zip(programs, before, strict=True) if trace != ["threw SyntaxError"]
    ]
    assert len(valid) > 200
    kept: list[tuple[str, list[str]]] = []
    results = []
    for program, trace in valid:
        try:
            results.append(renamed(program))
            kept.append((program, trace))
        except Refused as refused:
            # What the language allows is refused for these reasons only.
            expected = {Reason.UNHOISTED, Reason.REDECLARED_PARAMETER, Reason.REDECLARED_BLOCK_FUNCTION}
            if "static{" in program:
                # V8 accepts `class A { static { { let x; { var x } } } }`, against §14.2.1.
                expected.add(Reason.REDECLARED)
            assert refused.reason in expected, program
    assert len(kept) > 0.7 * len(valid)
    for (program, trace), result, after in zip(kept, results, run(results), strict=True):
        assert after == trace, (program, result)
        assert renamed(result) == result


_TEMPLATE = re.compile(r"[A-Z]+")
_OLD = ("a", "b", "foo", "$x", "_", "e", "t", "long_name", "ü", "of", "async", "get", "x1", "y1", "z1", "w1")


@given(st.permutations(_OLD))
def test_texts_that_differ_in_local_names_become_the_same(names: list[str]) -> None:
    """All names of a text are replaced by others, consistently; capitals stand for names."""
    text = (
        "(function A(B,{k:C=B,...D}){var E=({l:B,m:E=C})=>{let F=E;for(const G of F)G(B)};"
        "H:for(;;){try{break H}catch(I){var I=E;{function J(){return J(K)}J()}}}"
        "class L{#m=E;static M(){return L.M(N)}}function N(O=(P)=>P+B,Q){var O;return L}let K=[...D,N];return{r:E}})(7)"
    )
    letters = sorted({match[0] for match in _TEMPLATE.finditer(text)} - {"M"})
    assert len(letters) == len(_OLD)
    first = dict(zip(letters, (f"name{i}" for i in range(len(letters))), strict=True))
    second = dict(zip(letters, names, strict=True))
    one = _TEMPLATE.sub(lambda match: first.get(match[0], match[0]), text)
    two = _TEMPLATE.sub(lambda match: second.get(match[0], match[0]), text)
    assert renamed(one) == renamed(two)


# Built exports

_CHUNKS = ("next14/_next/static/chunks/*.js", "next16/_next/static/chunks/*.js", "vite8/assets/*.js", "plain/**/*.js")
_BUILT = exports.FIXTURES[0].folder.parent


def chunks() -> list[Path]:
    found = sorted({path for pattern in _CHUNKS for path in _BUILT.glob(pattern)})
    if not found:
        exports.unavailable("no fixture is built: run `make fixtures`")
    return found


def canonical(data: bytes) -> tuple[Renamed, bool]:
    """A chunk under canonical names, and whether it is a module."""
    try:
        return rename(analyse_script(data)), False
    except Refused as refused:
        if refused.reason is not Reason.SYNTAX:
            raise
    return rename(analyse_module(data)), True


@needs_node
@pytest.mark.fixtures
def test_real_chunks_are_accepted_and_settled(tmp_path: Path) -> None:
    for index, path in enumerate(chunks()):
        result, module = canonical(path.read_bytes())
        assert canonical(result.text)[0].text == result.text, path
        file = tmp_path / f"{index}.{'mjs' if module else 'cjs'}"
        file.write_bytes(result.text)
    for file in sorted(tmp_path.iterdir()):
        subprocess.run([str(NODE), "--check", str(file)], check=True)


_MANGLER = """
const {minify} = require(process.argv[1]), fs = require("node:fs");
(async () => {
  const source = fs.readFileSync(process.argv[2], "utf8"), module = process.argv[3] === "true";
  for (const [name, mangle] of [["plain", false], ["mangled", {toplevel: module}]]) {
    const options = {compress: false, mangle, module, format: {comments: false, shorthand: true}};
    fs.writeFileSync(`${process.argv[4]}/${name}`, (await minify(source, options)).code);
  }
})();
"""


@needs_node
@pytest.mark.fixtures
def test_names_that_another_tool_gives_make_no_difference(tmp_path: Path) -> None:
    terser = _BUILT.parent / "work/next14/node_modules/next/dist/compiled/terser/bundle.min.js"
    if not terser.is_file():
        exports.unavailable("the fixtures' packages are not installed: run `make fixtures`")
    small = [path for path in chunks() if 2_000 < path.stat().st_size < 100_000][:12]
    assert small
    for path in small:
        module = canonical(path.read_bytes())[1]
        command = [str(NODE), "-e", _MANGLER, str(terser), str(path), str(module).lower(), str(tmp_path)]
        subprocess.run(command, check=True)
        plain, mangled = (canonical((tmp_path / name).read_bytes())[0].text for name in ("plain", "mangled"))
        assert plain == mangled, path
