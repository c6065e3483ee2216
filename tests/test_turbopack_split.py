"""Chunks of Turbopack taken apart: they do what they did, in whatever order scripts arrive; and what stays whole."""

from __future__ import annotations

import itertools
import re
from typing import TYPE_CHECKING

import pytest
from programs import Program, needs_node, run
from test_split_pass import library, optimize

from v1z3r_build.bundlers import factories
from v1z3r_build.bundlers.turbopack import chunks, context
from v1z3r_build.formats.engines.script_syntax import located
from v1z3r_build.formats.scope_analysis import analyse_script

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

LIST = b'(globalThis.TURBOPACK||(globalThis.TURBOPACK=[])).push(["object"==typeof document?document.currentScript:void 0,%s]);'
TABLE = b'(globalThis.TURBOPACK=globalThis.TURBOPACK||[]).push(["object"==typeof document?document.currentScript:void 0,{%s}]);'

# What the runtimes of Next 15.3 to 16.4 do with modules, as the docstring of `bundlers.turbopack` has it.
RUNTIME = """
const factories = new Map(), cache = new Map();
const blank = (id) => ({ id, exports: {}, error: undefined, namespaceObject: undefined });
const made = (id) => { if (!cache.has(id)) cache.set(id, blank(id)); return cache.get(id); };
const define = (target, key, how) => {
  if (!Object.prototype.hasOwnProperty.call(target, key)) Object.defineProperty(target, key, { enumerable: true, ...how });
};
const get = (id) => {
  const known = cache.get(id);
  if (known) { if (known.error) throw known.error; return known; }
  const factory = factories.get(id);
  if (!factory) throw new ReferenceError(`no chunk has brought ${id}`);
  const module = blank(id);
  cache.set(id, module);
  try { factory(new Context(module), module, module.exports); } catch (error) { module.error = error; throw error; }
  return module;
};
class Context {
  constructor(module) { this.m = module; this.e = module.exports; }
  r(id) { return get(id).exports; }
  i(id) {
    const module = get(id), raw = module.exports;
    if (module.namespaceObject) return module.namespaceObject;
    const space = module.namespaceObject = Object.create(null);
    if (raw !== null && typeof raw === "object") for (const key of Object.keys(raw)) define(space, key, { get: () => raw[key] });
    define(space, "default", { get: () => raw });
    return space;
  }
  A(id) { return this.r(id)(this.i.bind(this)); }
  s(list, id) {
    const module = id == null ? this.m : made(id), target = id == null ? this.e : module.exports;
    module.namespaceObject = target;
    if (!Array.isArray(list)) for (const key in list) define(target, key, { get: list[key] });
    for (let at = 0; Array.isArray(list) && at < list.length;) {
      const key = list[at++], how = list[at++];
      if (how === 0) define(target, key, { value: list[at++] });
      else if (typeof list[at] === "function") define(target, key, { get: how, set: list[at++] });
      else define(target, key, { get: how });
    }
    Object.seal(target);
  }
  v(value, id) { (id == null ? this.m : made(id)).exports = value; }
  n(space, id) { const module = id == null ? this.m : made(id); module.exports = module.namespaceObject = space; }
  j(other, id) {
    const module = id == null ? this.m : made(id);
    for (const key in other) define(module.exports, key, { get: () => other[key] });
  }
  a(body, awaits) {
    (globalThis.$.p ??= []).push(body((all) => all, (error) => { if (error) log("failed", error); }));
  }
}
Context.prototype.g = globalThis;
const push = (given) => {
  if (given.length === 2 && typeof given[1] === "object") {
    for (const [id, factory] of Object.entries(given[1])) {
      for (const one of [id, ...(factory[1] ?? [])]) if (!factories.has(+one || one)) factories.set(+one || one, factory[0] ?? factory);
    }
    return;
  }
  for (let at = 1; at < given.length;) {
    const ids = [];
    while (typeof given[at] !== "function") ids.push(given[at++]);
    const factory = ids.map((id) => factories.get(id)).find(Boolean) ?? given[at];
    at++;
    for (const id of ids) if (!factories.has(id)) factories.set(id, factory);
  }
};
(globalThis.TURBOPACK ?? []).forEach(push);
globalThis.TURBOPACK = { push };
"""
ASK = """
for (const id of %s) {
  try { const made = get(id).exports; log(id, typeof made === "function" ? made() : Object.keys(made).map(key => typeof made[key] === "function" ? made[key]() : made[key])); }
  catch (error) { log(id, error); }
}
"""

# Entries of a chunk, and the modules that are asked for, one after the other. What is asked for is called as well.
PROGRAMS: dict[str, tuple[str, Sequence[int | str]]] = {
    "a module with its own registration": (
        '1,e=>{"use strict";let n=0;function up(){return ++n}class A{m(){return up()}}e.s(["n",()=>n,"up",0,up,"a",0,()=>new A().m()])}',
        [1, 1],
    ),
    "inner name spaces": (
        '1,e=>{"use strict";var a=log("a");e.s(["a",()=>a,"f",0,f],9);var n=e.i(9);function f(){return n.a}log(n.f());'
        'e.s(["x",0,()=>e.i(9).a],1)}',
        [1],
    ),
    "an inner name space that is asked for too early": (
        "1,e=>{var n;try{n=e.i(9)}catch(x){log(x)}var a=log(2);e.s([\"a\",()=>a],9);n=e.i(9);log(n.a);e.s([\"n\",0,n],1)}",
        [1],
    ),
    "a module that sets another's name": (
        '1,e=>{let x=1;e.s(["x",()=>x,t=>{x=t}],9);e.i(9).x=5;log(x);e.s(["read",0,()=>x],1)}',
        [1, 1],
    ),
    "a factory of several modules": (
        '1,2,3,e=>{let n=0;const up=()=>++n;e.s(["up",0,up],1);log(n);e.s(["up",()=>up,"n",()=>n],2);e.s(["far",0,()=>e.i(2).n],3)}',
        [2, 1, 3, 2],
    ),
    "a factory of several modules that fails once": (
        '1,2,e=>{let n=0;const up=()=>++n;class A{static all=[up()]}(e.g.kept??=[]).push(up,()=>A.all.length);'
        'var k=e.g.kept;A.all.push(k.length);if(k.length<3)throw TypeError("once");e.s(["up",0,up],1),e.s(["of",0,()=>k.map(f=>f())],2)}',
        [1, 2, 1, 2],
    ),
    "a factory of several modules that asks for one of its own": (
        '1,2,e=>{let n=0;const up=()=>++n;if((e.g.turns=(e.g.turns??0)+1)<2)log("other",e.i(2).up());e.s(["up",0,up],2);'
        'up();e.s(["n",()=>n],1)}',
        [1, 2, 1],
    ),
    "modules that ask for each other": (
        '1,e=>{var o=e.i(2);let a=log("a",o.b===void 0);function f(){return a}e.s(["f",()=>f,"g",0,()=>o.b],1)},'
        '2,e=>{var o=e.i(1);e.s(["b",()=>b],2);var b=log("b");e.s(["late",0,()=>o.f?.()],9);log(typeof e.i(9).late)}',
        [1, 2],
    ),
    "the module and its exports": (
        '1,(e,t,n)=>{var a=t===e.m,b=n===e.e;log(a,b,e.m.id);function f(){return e.m.id}t.exports={f:f,a:a,b:b}}',
        [1],
    ),
    "CommonJS": (
        '1,(e,t,n)=>{"use strict";Object.defineProperty(n,"__esModule",{value:!0});var a=e.r(2);n.sum=function(){return sum(a)};'
        "function sum(l){return l.reduce((x,y)=>x+y,0)}},2,(e,t,n)=>{var l=[1,2];t.exports=l;l.push(3)}",
        [1],
    ),
    "values and name spaces of other modules": (
        '1,e=>{var a={x:log(1)};e.v(a,8);e.n(e.i(8),9);e.j(e.i(9),7);log(e.r(7).x,e.i(9)===e.i(8));e.v(()=>a.x)}',
        [1],
    ),
    "the context handed on": (
        '1,e=>{function all(c){return c.i(2).x}var a=all(e),k="i",b=e[k](2).x,c=e.i(+"2").x;log(a,b,c);var i=e.i;try{log(i(2))}catch(x){log(x)}'
        'e.s(["a",()=>a],1)},2,e=>{e.s(["x",0,3],2)}',
        [1],
    ),
    "another thing by the context's name": (
        "1,e=>{function f(e){return e.i(4)}var a=f({i:n=>n+1});{let e={s:n=>n};log(e.s(2))}try{throw 1}catch(e){log(e)}e.s([\"a\",0,a],1)}",
        [1],
    ),
    "an asynchronous module": (
        "1,e=>e.a(async(t,r)=>{try{let a=log(1);await 0;e.s([\"a\",()=>a]);log(a);r()}catch(x){r(x)}},!1),"
        "2,e=>{e.a(async(t,r)=>{try{let a=log(1);await 0;log(a);r()}catch(x){r(x)}},!1)}",
        [1, 2],
    ),
    "lazy loads": (
        '1,e=>{var a=()=>e.A(2);log(typeof a);e.s(["load",0,()=>(a().then(x=>log(x.b)),1)],1)},'
        '2,e=>{e.v(t=>Promise.resolve().then(()=>t(3)))},3,e=>{let b=log(3);e.s(["b",()=>b],3)}',
        [1],
    ),
    "this and arguments": (
        '1,function(e){var a=this===void 0||this===globalThis,n=arguments.length;function f(){return arguments.length}log(a,n,f(1,2));'
        'e.s(["a",0,a,"n",0,()=>n],1)}',
        [1],
    ),
    "a module that throws": ('1,e=>{let a=log(1);f();function f(){if(a)throw RangeError()}e.s(["a",()=>a],1)}', [1, 1]),
    "names that code reads": (
        '1,e=>{class Shape{}function paint(){}var a=paint.name+Shape.name+new Shape().constructor.name;log(a);e.s(["a",0,a],1)}',
        [1],
    ),
}  # fmt: skip
# As Next 15.3 and 15.4 write them.
TABLES: dict[str, tuple[str, Sequence[int | str]]] = {
    "members taken apart": (
        "1:function(e){var{g:t,m:r,e:n}=e;let a=log(r.id);function f(){return a}n.f=f;n.g=()=>t===globalThis},"
        "2(e){var{m:t}=e;let a=e.i(1).f();t.exports=()=>a}",
        [2, 1],
    ),
    "several ids": ("1:[e=>{let n=0;const up=()=>++n;e.s({up:()=>up},1);e.s({n:()=>n},2);log(n)},[2]]", [2, 1, 2]),
}


# Of these nothing may move.
STILL = {"the module and its exports", "an asynchronous module"}


def labellings(count: int) -> Iterator[list[str]]:
    yield ["v"] * count
    for pattern in (("v", ""), ("", "v"), ("v", "v", ""), ("v", "w"), ("", "v", "w", "v"), ("w", "", "", "v")):
        yield list(itertools.islice(itertools.cycle(pattern), count))


def body_of(source: bytes, entry: chunks.Entry) -> factories.Body:
    tree = located(source)
    scopes = analyse_script(source, tree)
    node = tree.root_node.descendant_for_byte_range(*entry.factory)
    assert node is not None
    parameters = node.child_by_field_name("parameters")
    method = node.type == "method_definition" and parameters is not None
    scope = scopes.function_at(parameters.start_byte if method and parameters is not None else node.start_byte)
    block = node.child_by_field_name("body")
    assert scope is not None
    assert block is not None
    return factories.Body(scopes, scope, block, context.dialect(entry.parameters[0]))


def splits(source: bytes) -> Iterator[tuple[bytes, bytes]]:
    """The chunk and the vendors' chunk, for all ways to label the items of its factories."""
    chunk = chunks.read_chunk(source)
    assert chunk is not None
    bodies = {entry: body_of(source, entry) for entry in chunk.entries if entry.block}
    ways = [list(labellings(len(body.items))) for body in bodies.values()]
    for labels in zip(*ways, strict=True):
        kept = {entry: source[entry.start : entry.end] for entry in chunk.entries}
        gone: dict[bytes, None] = {}
        for (entry, body), own in zip(bodies.items(), labels, strict=True):
            made = body.cut(own).split(lambda label, text: f"{label}-{hash(text)}")
            start, end = body.node.start_byte, body.node.end_byte
            kept[entry] = source[entry.start : start] + made.body + source[end : entry.end]
            for vendor in made.vendors.values():
                gone[chunks.entry_of(chunk, vendor.identifier, vendor.factory)] = None
        if gone:
            yield chunks.compose(source, chunk, list(kept.values())), chunks.compose(source, chunk, list(gone))


@needs_node
@pytest.mark.parametrize("shape", ["list", "table"])
def test_what_moves_means_the_same(tmp_path: Path, shape: str) -> None:
    """In all orders of arrival: before the runtime and after it, the vendors' chunk first or last."""
    programs: list[Program] = []
    owners: list[tuple[str, int]] = []
    for title, (entries, asked) in (PROGRAMS if shape == "list" else TABLES).items():
        source = (LIST if shape == "list" else TABLE) % entries.encode()
        ask = (ASK % list(asked)).encode()
        runtime = RUNTIME.encode()
        texts = [b"\n".join((source, runtime, ask))]
        for rest, vendor in splits(source):
            for order in (
                (rest, vendor, runtime),
                (vendor, runtime, rest),
                (runtime, rest, vendor),
                (rest, runtime, vendor),
            ):
                texts.append(b"\n".join((*order, ask)))
        assert len(texts) > 1 or title in STILL, f"{title}: nothing of it moves"
        clean = b"delete globalThis.TURBOPACK;for(const k of['kept','turns'])delete globalThis[k];\n"
        programs += [Program({"main.cjs": clean + text}, "main.cjs") for text in texts]
        owners += [(title, number) for number in range(len(texts))]
    before: list[str] = []
    wrong: list[str] = []
    for (title, number), program, log in zip(owners, programs, run(programs, tmp_path), strict=True):
        if number == 0:
            before = log
            assert log, title
            assert not any(line.startswith("threw") for line in log), (title, log)
        elif log != before:
            text = program.files["main.cjs"].replace(RUNTIME.encode(), b"// runtime").decode()
            wrong.append(f"{title}: {text}\nbefore {before}\nafter  {log}")
    assert not wrong, f"{len(wrong)} differ\n" + "\n\n".join(wrong[:3])


# What the context is asked, and whether that may be asked by another module.
USES = {
    "e.i(2)": True,
    "e.r(2)": True,
    "e.A(2)": True,
    "e.R(2)": True,
    "e.g.x": True,
    'e.s(["a",0,x],9)': True,
    "e.v(x,9)": True,
    "e.j(x,9)": True,
    "e.n(x,9)": True,
    'e.S([2,"a,b",0],9)': True,
    'e.q("/a.bin",9)': True,
    "e.i(k)": True,
    'e.s(["a",0,x])': False,
    "e.v(x)": False,
    "e.n(x)": False,
    "e.j(x)": False,
    "e.v(...x)": False,
    "e.m.id": False,
    "e.e.x=1": False,
    "e.a(f,!1)": False,
    "e.l(x)": False,
    "e.L(x)": False,
    "e.b(x)": False,
    "e.t(x)": False,
    "e.c[1]": False,
    "new e.U(x)": False,
    "e.z(1)": False,
    "e.i": False,
    "(0,e.i)(2)": False,
    "e.i`2`": False,
    "e[x](2)": False,
    "f(e)": False,
    "({e})": False,
    "({...e})": False,
    "e=x": False,
    "delete e.i": False,
    "e.g=x": True,
}  # fmt: skip


@pytest.mark.parametrize(("use", "moves"), USES.items())
def test_what_another_module_may_ask(use: str, moves: bool) -> None:
    source = LIST % f"1,e=>{{var y={use}}}".encode()
    chunk = chunks.read_chunk(source)
    assert chunk is not None
    made = body_of(source, chunk.entries[0]).cut(["v"]).split(lambda label, _: label)
    assert bool(made.vendors) is moves


@pytest.mark.parametrize(
    ("use", "asks", "gives"),
    [
        ("e.i(2)", 2, None),
        ("e.r(42e3)", 42000, None),
        ('e.A("[project]/a.js")', "[project]/a.js", None),
        ("e.i(k)", None, None),
        ("e.i(2,3)", None, None),
        ("e.s([],9)", None, 9),
        ("e.v(x,9)", None, 9),
        ("e.s([])", None, None),
        ("e.l(2)", None, None),
    ],
)
def test_modules_that_are_asked_for_and_made(use: str, asks: object, gives: object) -> None:
    source = f"e=>{{{use}}}".encode()
    [reference] = analyse_script(source).scopes[1].bindings["e"].references
    node = located(source).root_node.descendant_for_byte_range(reference.start, reference.end)
    assert node is not None
    assert (context.required(node), context.registered(node)) == (asks, gives)


# The pass, on a site.

CHUNK, LOADER, OTHER = (
    f"_next/static/chunks/{name}.js" for name in ("0u-g81zifr4zd", "3tgoxgop4sva1", "21s0jnaxukeq_")
)
NAME = CHUNK.removeprefix("_next/")


def entries(text: str) -> str:
    return (LIST % text.encode()).decode()


LIBRARY = library("three")
PAGE_MODULE = (
    f'1905,e=>{{"use strict";var t=e.i(43476);{LIBRARY}e.s(["default",0,function(){{return(0,t.jsx)("p",'
    "{children:`paragraph beside ${three1({})}`})}],1905)}"
)
SITE = {
    "index.html": f'<!doctype html><title>a</title><script src="/{CHUNK}" async=""></script>'
    f'<script>(self.__next_f=self.__next_f||[]).push([0])</script><script>self.__next_f.push([1,"1:I[1905,[\\"/{CHUNK}\\"],\\"default\\"]\\n"])</script>',
    "index.txt": f'1:I[1905,["/{CHUNK}"],"default"]\n',
    CHUNK: entries(PAGE_MODULE),
    LOADER: entries(f'24840,e=>{{e.v(t=>Promise.all(["{NAME}"].map(t=>e.l(t))).then(()=>t(1905)))}}'),
}


def test_all_that_names_a_chunk_learns_of_its_library(tmp_path: Path) -> None:
    output, vendors, said = optimize(tmp_path, SITE)
    assert [one for one in said if one[0] == "not-split"] == []
    [(path, label)] = vendors.items()
    assert label == "three"
    own = path.removeprefix("_next/")
    assert f'["{own}","static/chunks/' in "".join(
        one.read_text() for one in (output / "_next/static/chunks").glob("*.js")
    )
    assert f'["/{path}","/_next/static/chunks/' in (output / "index.txt").read_text()
    page = (output / "index.html").read_text()
    [first, second] = re.findall(r'<script src="/([^"]+)"', page)
    assert first == path
    assert second != path
    assert f'[\\"/{path}\\",\\"/{second}\\"]' in page


# What is added to the site or changed in it, and why the chunk then stays whole.
WHOLE: dict[str, tuple[dict[str, str], str]] = {
    "a list that is not known": ({"a.json": f'["{CHUNK}"]'}, "a.json"),
    "a script that does something else with the name": ({"a.js": f'f("{NAME}")'}, "a.js"),
    "a list of a module's own": ({LOADER: SITE[LOADER].replace(".map(t=>e.l(t))", "")}, LOADER),
    "a text that is no flight data": ({"a.txt": f"see /{CHUNK}"}, "a.txt"),
    "a style sheet": ({"a.css": f"a{{background:url(/{CHUNK})}}"}, "a.css"),
    "a tag with a digest": (
        {"index.html": SITE["index.html"].replace("async", 'integrity="sha256-AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=" async')},
        "index.html",
    ),
    "flight data that names it in a text": ({"a.txt": f'1:{{"a":"/{CHUNK}"}}\n'}, "a.txt"),
    "the same module in another chunk, of another shape": ({OTHER: entries("1905,e=>{e.s([],1905)}")}, "module 1905"),
    "the same module in a chunk that cannot be read": (
        {OTHER: entries("1905,e=>{},...x")},
        "module 1905",
    ),
    "more than the modules": ({CHUNK: SITE[CHUNK] + "f();"}, "more than a push"),
}  # fmt: skip


@pytest.mark.parametrize(("changed", "reason"), WHOLE.values(), ids=WHOLE)
def test_a_chunk_stays_whole(tmp_path: Path, changed: dict[str, str], reason: str) -> None:
    output, vendors, said = optimize(tmp_path, {**SITE, **changed})
    assert vendors == {}
    assert not list(output.rglob("three*"))
    assert ("not-split", CHUNK) in said


@pytest.mark.parametrize("inside", ["eval", "with(t)"])
def test_a_factory_that_cannot_be_opened_stays_closed(tmp_path: Path, inside: str) -> None:
    """At most it is called the library's as a whole."""
    chunk = SITE[CHUNK].replace('"use strict";', "").replace("return(0,t.jsx)", f"{inside}(t);return(0,t.jsx)")
    output, _, _ = optimize(tmp_path, {**SITE, CHUNK: chunk})
    assert not list(output.rglob("three*"))
    assert inside in "".join(one.read_text() for one in (output / "_next/static/chunks").glob("*.js"))


def test_one_module_in_two_chunks_is_divided_alike(tmp_path: Path) -> None:
    """And the library's file is one: whoever waits for a chunk waits for it."""
    files = {
        **SITE,
        OTHER: entries(PAGE_MODULE + ',70,e=>{"use strict";document.title="other"}'),
        "other.txt": f'1:I[1905,["/{OTHER}"],"default"]\n',
    }
    output, vendors, _ = optimize(tmp_path, files)
    [path] = vendors
    assert f'["/{path}","' in (output / "index.txt").read_text()
    assert f'["/{path}","' in (output / "other.txt").read_text()


def test_what_names_files_stays_with_the_app(tmp_path: Path) -> None:
    """Else the library's file would change with them."""
    loads = f'Promise.all(["{OTHER[6:]}"].map(t=>e.l(t))).then(()=>t(tfjs1({{}})))'
    lazy = f"7,e=>{{{library('tfjs')}e.v(t=>{loads})}}"
    files = {**SITE, CHUNK: entries(f"{lazy},{PAGE_MODULE}"), OTHER: entries("70,e=>{}")}
    output, vendors, _ = optimize(tmp_path, files)
    assert sorted(vendors.values()) == ["tfjs", "three"]
    assert not any("static/chunks" in (output / path).read_text() for path in vendors)


def test_an_edit_of_the_app_leaves_the_library_as_it_is(tmp_path: Path) -> None:
    edited = SITE[CHUNK].replace("(a)", "(zz)").replace("a.", "zz.").replace("paragraph", "words in a paragraph")
    edited = edited.replace("var t=", 'const q=["new","words"];var t=').replace("beside", "${q}")
    first, second = (
        optimize(tmp_path / name, {**SITE, CHUNK: text})[1] for name, text in (("a", SITE[CHUNK]), ("b", edited))
    )
    assert first == second


def test_a_chunk_that_is_a_library_is_labelled(tmp_path: Path) -> None:
    whole = entries(f'3,e=>{{"use strict";{LIBRARY}e.s(["three1",0,three1],3)}}')
    output, vendors, _ = optimize(tmp_path, {**SITE, CHUNK: whole})
    assert list(vendors.values()) == ["three"]
    assert not list(output.rglob("three*"))
