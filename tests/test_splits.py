"""Programs taken apart by any labels do what they did: run in Node before and after, as ES modules and as factories."""

from __future__ import annotations

import json
import os
import random
import shutil
import subprocess
from typing import TYPE_CHECKING

import pytest

from v1z3r_build.bundlers import esm, factories
from v1z3r_build.formats.engines.script_syntax import located
from v1z3r_build.formats.scope_analysis import analyse_script

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

# Each logs what it does. The text of the program stands alone: no name of it may clash with what is added.
PROGRAMS: dict[str, str] = {
    "constants": "const a=1,b=a+1;log(a,b);const c={a,b};log(c.a,c.b);",
    "functions are there early": "log(f(2));function f(n){return n*g}var g=3;log(f(2));",
    "classes": "class A{m(){return 1}}class B extends A{m(){return super.m()+1}}log(new B().m(),B.name.length>0);",
    "static parts": "let n=0;class A{static x=++n;static{log('block',n)}static m(){return A.x}}log(A.m(),n);",
    "a class that others write": "let A=class{v(){return 1}};log(new A().v());A=class{v(){return 2}};log(new A().v());",
    "counters": "let n=0;function up(){n++}up();log(n);up();log(n);const read=()=>n;up();log(read());",
    "a live binding": "let now='a';function set(v){now=v}log(now);set('b');log(now,`${now}!`,{now}.now);",
    "a live function": "let f=()=>'one';log(f());function other(){f=()=>'two'}other();log(f(),(f)(),f?.());",
    "var twice": "var a=1;log(a);var a=2;log(a);var a;log(a);",
    "var in blocks": "if(true){var a=1}log(a);for(var i=0,t=0;i<3;i++){t+=i}log(i,t);for(var k in{x:1}){}log(k);"
    "for(var v of[7]);log(v);{var{p,q=2}={p:1}}log(p,q);",
    "patterns": "const{a,b:{c=5}={}}={a:1};log(a,c);const[x,,y='d',...z]=[1,2,undefined,4,5];log(x,y,z.length);"
    "let o,r;({o,r=o}={o:3});log(o,r);",
    "comma expressions": "var a=0;a++,log(a),a+=2,log(a),function(){log('called')}(),log('end');",
    "effects in order": "const t=[];const p=n=>(t.push(n),n);const a=p(1);const b=p(2);p(3);const c=p(4);log(t.join());log(a,b,c);",
    "try and labels": "out:for(const a of[1,2,3]){for(;;){if(a===2)break out;log(a);break}}try{throw 1}catch(e){log('c',e)}"
    "finally{log('f')}",
    "enums": "var E;(function(E){E[E.A=0]='A'})(E||(E={}));log(E.A,E[0]);",
    "names of functions": "const a=()=>{},b=function(){},c=class{},d={e(){}};log([a,b,c,d.e].map(f=>f.name.length>0).join());",
    "generators": "function*g(){yield a;yield a+1}const a=4;log([...g()].join());const h=async()=>a;log(h()instanceof Promise);",
    "getters in literals": "let n=0;const o={get x(){return++n}};log(n);log(o.x,n);const p={...o};log(p.x,n);",
    "new of members": "const ns={C:class{constructor(v){this.v=v}}};const D=ns.C;log(new D(3).v,new ns.C(4).v);",
    "tagged templates": "let tag=(s,...v)=>s.raw.join('|')+v;log(tag`a${1}b`);function re(){tag=()=>'other'}re();log(tag`x`);",
    "closures over loops": "const fs=[];for(let i=0;i<3;i++)fs.push(()=>i);log(fs.map(f=>f()).join());",
    "updates": "let a=1;a+=2;log(a);a++;log(a);let b;b??=7;log(b);b&&=8;log(b);[a,b]=[b,a];log(a,b);",
    "shadows": "const a=1;function f(a){return a}{const a=2;log(a)}log(a,f(3));try{throw 4}catch(a){log(a)}",
    "regexes and divisions": "const r=/[/]\\/x/g,d=8/2/2;log(r.source,d);",
    "strings that look like directives": "log('a');'use strict';log('b');",
    "lines without semicolons": "let a=1\nlet b=2\nlog(a)\n;[b].forEach(x=>log(x))\nvar c=a\n++b\nlog(b,c)\n",
    "licences": "/*! three */var a=1;/* b */var b=2;// c\nlog(a,b);",
    "names like those that are made": "const _0=1,_1=2;function _2(){return _0+_1}let _3=_2();log(_3);_3=5;log(_3);",
    "bigints": "const a=1n,b=-a,c=a+2n;log(String(b),String(c));let e;try{e=+a}catch(x){log('throws')}",
    "typeof what is missing": "log(typeof missing);const a=typeof b;var b=1;log(a,typeof b);",
    "delete and in": "const o={a:1};delete o.a;log('a'in o);",
    "objects with shorthands": "let f=()=>1,x=2;const o={f,x,g(){return f()}};log(o.f(),o.x,o.g());f=()=>9;log({f}.f(),o.g());",
    "a function that is replaced": "function f(){return 1}log(f());f=()=>2;log(f());",
    "heritage that calls": "const mix=B=>(log('mixed'),class extends B{});class A{}class B extends mix(A){}log(new B()instanceof A);",
    "async order": "const a=Promise.resolve(1);let done=false;a.then(()=>{done=true});log(done);",
}

NODE = shutil.which("node")
pytestmark = pytest.mark.skipif(
    NODE is None and os.environ.get("V1Z3R_REQUIRE_FIXTURES") != "1", reason="Node runs the programs"
)
SEEDS = int(os.environ.get("V1Z3R_DIVISION_SEEDS", "6"))


def labellings(count: int) -> Iterator[list[str]]:
    """All to one side, turn by turn, and some by chance."""
    yield ["v"] * count
    yield ["v" if index % 2 else "" for index in range(count)]
    yield ["" if index % 2 else "v" for index in range(count)]
    yield ["v" if index < count // 2 else "w" for index in range(count)]
    chance = random.Random(count)
    for _ in range(SEEDS):
        current, labels = "", []
        for _ in range(count):
            if chance.random() < 0.4:
                current = chance.choice(["", "v", "w"])
            labels.append(current)
        yield labels


def run(folder: Path, program: str) -> dict[str, list[str]]:
    """What each case of a program logs, by name."""
    (folder / "run.mjs").write_text(program)
    assert NODE is not None
    done = subprocess.run([NODE, str(folder / "run.mjs")], capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    answers: dict[str, list[str]] = json.loads(done.stdout)
    return answers


MODULES = """
const all = {};
for (const name of %s) {
  const lines = globalThis.lines = [];
  globalThis.log = (...values) => lines.push(values.join(" "));
  try { await import(`./${name}/main.js`); } catch (error) { lines.push("threw " + error.name); }
  all[name] = lines;
}
process.stdout.write(JSON.stringify(all));
"""


def test_modules_mean_the_same(tmp_path: Path) -> None:
    (tmp_path / "package.json").write_text('{"type": "module"}')
    cases: dict[str, tuple[str, Sequence[str]]] = {}
    for title, source in PROGRAMS.items():
        module = esm.Module(source.encode())
        for number, labels in enumerate([[""] * len(module.items), *labellings(len(module.items))]):
            name = f"{len(cases)}"
            cases[name] = (title if number else f"{title} as it is", labels)
            (tmp_path / name).mkdir()
            made = module.cut(labels).split("main.js")
            (tmp_path / name / "main.js").write_bytes(made.chunk if number else source.encode())
            for path, data in made.vendors.values():
                (tmp_path / name / path).write_bytes(data)
    assert_equal(run(tmp_path, MODULES % json.dumps(list(cases))), cases)


def assert_equal(said: dict[str, list[str]], cases: dict[str, tuple[str, Sequence[str]]]) -> None:
    expected: list[str] = []
    for name, (title, labels) in cases.items():
        if title.endswith(" as it is"):
            expected = said[name]
            assert expected, f"{title}: it logs nothing, and proves nothing"
            assert not any(line.startswith("threw") for line in expected), title
        assert said[name] == expected, (title, labels)


# A runtime of webpack's kind: a table of factories, a cache, getters.
FACTORIES = """
const cases = %s;
const all = {};
for (const [name, [modules]] of Object.entries(cases)) {
  const lines = [], cache = {};
  const log = (...values) => lines.push(values.join(" "));
  const n = (id) => {
    if (cache[id]) return cache[id].exports;
    const module = cache[id] = { exports: {} };
    new Function("log", `return (${modules[id]})`)(log)(module, module.exports, n);
    return module.exports;
  };
  n.d = (target, getters) => {
    for (const key in getters) Object.defineProperty(target, key, { enumerable: true, get: getters[key] });
  };
  try { n("main"); } catch (error) { lines.push("threw " + error.name); }
  all[name] = lines;
}
process.stdout.write(JSON.stringify(all));
"""


def frame(directives: bytes, pairs: Sequence[tuple[str, str]]) -> tuple[bytes, bytes]:
    getters = ",".join(f"{key}:()=>{value}" for key, value in pairs)
    return b"function($m,$e,$r){" + directives + f"$r.d($e,{{{getters}}});".encode(), b"}"


DIALECT = factories.Dialect("$r", lambda _: True, lambda one: f'$r("{one}")', frame)


def test_factories_mean_the_same(tmp_path: Path) -> None:
    cases: dict[str, tuple[str, Sequence[str]]] = {}
    modules: dict[str, list[dict[str, str]]] = {}
    for title, source in PROGRAMS.items():
        text = f'(function($m,$e,$r){{"use strict";{source}\n}})'.encode()
        tree = located(text)
        scopes = analyse_script(text, tree)
        scope = scopes.function_at(1)
        node = tree.root_node.descendant_for_byte_range(1, len(text) - 1)
        block = node.child_by_field_name("body") if node is not None else None
        assert scope is not None
        assert block is not None
        body = factories.Body(scopes, scope, block, DIALECT)
        for number, labels in enumerate([[""] * len(body.items), *labellings(len(body.items))]):
            made = body.cut(labels).split(lambda label, _: label)
            table = {vendor.identifier: vendor.factory.decode() for vendor in made.vendors.values()}
            table["main"] = (text[1 : block.start_byte] + made.body).decode() if number else text[1:-1].decode()
            name = f"{len(cases)}"
            cases[name] = (title if number else f"{title} as it is", labels)
            modules[name] = [table]
    assert_equal(run(tmp_path, FACTORIES % json.dumps(modules)), cases)


# What is made, to the letter: the rules in the order of their module's docstring.

MADE: dict[str, tuple[str, str, str, str]] = {
    "nothing to be noticed before it: it stands as it stood": (
        "const a=1;class A{}const b=new A;log(b);",
        "vvv.",
        'import{n as b}from"./v.js";log(b);',
        "const e=1;class t{}const n=new t;export{n};",
    ),
    "what ran before it runs before it": (
        "log(1);const a=f();log(a);",
        ".v.",
        'import{e as a,t as _0}from"./v.js";log(1);_0();log(a);',
        "var e;function t(){e=f();}export{e,t};",
    ),
    "idle declarations wait for nobody": (
        "log(1);const a=()=>2;log(a);",
        ".v.",
        'import{e as a}from"./v.js";log(1);log(a);',
        "const e=()=>2;export{e};",
    ),
    "the app's functions are handed over first of all, its values as soon as they are there": (
        "const a=f(1);log(a);function f(x){return x}const b=log(2);const c=[f,b];log(c,f,b);",
        "v...v.",
        'import{e as c,r as _0,i as _1,a as _2,o as _4}from"./v.js";'
        "_2(f);_0();function f(x){return x}const b=log(2);_4(b);_1();log(c,f,b);",
        "var e,t,n;function r(){const e=t(1);log(e);}function i(){e=[t,n];}"
        "function a(e){t=e}function o(e){n=e}export{a,e,i,o,r};",
    ),
    "a run declares itself what nothing else uses": (
        "log(0);const a=log(1),b=log(2);class C{get(){return a}}function f(){return b}log(new C,f());log(b);",
        ".vvvvv.",
        'import{e as b,t as _0}from"./v.js";log(0);_0();log(b);',
        "var e;function t(){const t=log(1);e=log(2);class n{get(){return t}}function r(){return e}log(new n,r());}"
        "export{e,t};",
    ),
    "what two runs use is declared for both": (
        "log(0);const a=log(1);function f(){return a}const b=log(f);log(3);log(a,b);",
        ".vvv.v",
        'import{n as _0,r as _1}from"./v.js";log(0);_0();log(3);_1();',
        "var e,t;function n(){e=log(1);function n(){return e}t=log(n);}function r(){log(e,t);}export{n,r};",
    ),
}


@pytest.mark.parametrize("title", MADE)
def test_what_is_made(title: str) -> None:
    source, labels, chunk, vendor = MADE[title]
    made = esm.Module(source.encode()).cut(["" if one == "." else one for one in labels]).split("main.js")
    [(path, data)] = made.vendors.values()
    assert made.chunk.decode().replace(path, "v.js") == chunk
    assert data.decode().strip() == vendor


@pytest.mark.parametrize(
    ("source", "labels"),
    [
        ("let n=0;function up(){n++}log(n);n=5;", "vv.."),  # the app writes it
        ("let n=0;n=1;function read(){return n}log(read(),n);", "..v."),  # the app's, and it changes
        ("const a=this;log(a);", "v."),
        ("const a=import.meta.url;log(a);", "v."),
        ("const a=await 1;log(a);", "v."),
        ("export const a=1;log(a);", "v."),
        ("const a=1;try{a=2}catch{}log(a);", "vv."),  # a TypeError, which a `let` would not throw
        ("import a from'./x.js';const b=a+1;log(b);", ".v."),  # nothing is known of x.js
    ],
)
def test_what_cannot_move_stays(source: str, labels: str) -> None:
    made = esm.Module(source.encode()).cut(["" if one == "." else one for one in labels]).split("main.js")
    assert not made.vendors


def test_names_of_the_app_leave_no_trace() -> None:
    """The same library beside another app, its names given anew by the bundler."""
    first = b"log(1);class Q{constructor(x){this.x=x}}const W=[new Q(1)];function E(a){return W.concat(a)}log(E(2));"
    second = b"log(2,3);let z=9;class b{constructor(t){this.x=t}}const c=[new b(1)];function d(q){return c.concat(q)}log(d(z));"
    made = [
        esm.Module(first).cut(["", "v", "v", "v", ""]).split("a.js"),
        esm.Module(second).cut(["", "", "v", "v", "v", ""]).split("b.js"),
    ]
    assert made[0].vendors["v"] == made[1].vendors["v"]
