"""webpack output read, modules moved, new chunks registered. All texts are written here, in the shapes of webpack."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from itertools import permutations
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from v1z3r_build.bundlers.webpack import chunk as chunks
from v1z3r_build.bundlers.webpack import entry, syntax
from v1z3r_build.bundlers.webpack.build_manifest import list_before
from v1z3r_build.bundlers.webpack.chunk import Chunk, compose, move, read_chunk, require_own
from v1z3r_build.bundlers.webpack.registration import register
from v1z3r_build.bundlers.webpack.runtime import Runtime, read_runtime
from v1z3r_build.bundlers.webpack.syntax import Edit, Refusal
from v1z3r_build.formats.engines.script_syntax import located
from v1z3r_build.formats.scope_analysis import analyse_script
from v1z3r_build.passes.split.runtimes import register_chunks

NODE = shutil.which("node")
needs_node = pytest.mark.skipif(NODE is None, reason="Node.js is not installed")

Q = b"(self.webpackChunkx=self.webpackChunkx||[])"


def chunk(source: bytes) -> Chunk:
    found = read_chunk(source)
    assert isinstance(found, Chunk), found
    return found


def runtime(source: bytes) -> Runtime:
    found = read_runtime(source)
    assert isinstance(found, Runtime), found
    return found


def opened(*scenarios: dict[str, Any]) -> list[dict[str, list[str]]]:
    """What pages see: `page.js` tells."""
    assert NODE is not None
    program = str(Path(__file__).with_name("page.js"))
    run = subprocess.run([NODE, program], input=json.dumps(scenarios), capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr
    results: list[dict[str, list[str]]] = json.loads(run.stdout)
    return results


# Chunks

CHUNKS = [
    pytest.param(Q + b".push([[7],{1:function(e,t,n){}}]);", "webpackChunkx", ["7"], ["1"], id="functions"),
    pytest.param(Q + b".push([[7],{1:(e,t,n)=>{},2:e=>{},3:()=>1}])", "webpackChunkx", ["7"], ["1", "2", "3"], id="arrows"),
    pytest.param(Q + b'.push([[7],{1(e){"use strict"},"./a.js"(){}}])', "webpackChunkx", ["7"], ["1", "./a.js"], id="methods"),
    pytest.param(Q + b".push([[7,8],{}])", "webpackChunkx", ["7", "8"], [], id="two ids, no modules"),
    pytest.param(Q + b'.push([["app",1e3],{1e3:e=>{},12e2:e=>{},a_b:e=>{},"\\x41":e=>{}}])', "webpackChunkx", ["app", "1000"],
                 ["1000", "1200", "a_b", "A"], id="ids of all kinds"),
    pytest.param(b'(self["a b"]=self["a b"]||[]).push([[1],{2:e=>{}}]);', "a b", ["1"], ["2"], id="bracket"),
    pytest.param(b'(globalThis.q = globalThis.q || [ ])["push"]([[1], {2: e => {}, }]);', "q", ["1"], ["2"], id="spaces"),
    pytest.param(b"(this.q=this.q||[]).push([[1],{2:e=>{}}])", "q", ["1"], ["2"], id="this"),
    pytest.param(b'((typeof self!="undefined"?self:this).q=(typeof self!="undefined"?self:this).q||[]).push([[1],{2:e=>{}}])',
                 "q", ["1"], ["2"], id="computed global"),
    pytest.param(b"(window.webpackJsonp=window.webpackJsonp||[]).push([[3],[function(e,t){},,function(e){}]]);",
                 "webpackJsonp", ["3"], ["0", "2"], id="array with a hole"),
    pytest.param(b"(window.webpackJsonp=window.webpackJsonp||[]).push([[3],[,function(e,t){}]]);",
                 "webpackJsonp", ["3"], ["1"], id="array that begins with a hole"),
    pytest.param(b"(window.webpackJsonp=window.webpackJsonp||[]).push([[3],Array(20).concat([function(e){},,e=>{}])]);",
                 "webpackJsonp", ["3"], ["20", "22"], id="array with an offset"),
    pytest.param(b"/*! For license information please see 7.js.LICENSE.txt */\n\"use strict\";" + Q + b".push([[7],{1:e=>{}}]);\n"
                 b"//# sourceMappingURL=7.js.map\n", "webpackChunkx", ["7"], ["1"], id="comments"),
    pytest.param(b"var LIB;" + Q + b".push([[7],{1:e=>{}},e=>{LIB=e(1)}]);", "webpackChunkx", ["7"], ["1"], id="library"),
    pytest.param(Q + b".push([[7],{\n/***/ 1\n/*!*** ./a.js ***!*/\n(m, e, r) {\n\n/***/ },\n/***/ 2:\n/***/ (function(m) {})\n}]);",
                 "webpackChunkx", ["7"], ["1", "2"], id="as in development"),
]  # fmt: skip


@pytest.mark.parametrize(("source", "queue", "ids", "modules"), CHUNKS)
def test_chunks_are_read(source: bytes, queue: str, ids: list[str], modules: list[str]) -> None:
    found = chunk(source)
    assert (found.queue_name, list(found.ids)) == (queue, ids)
    assert [module.id for module in found.modules] == modules


@pytest.mark.parametrize(
    "source",
    [
        b"",
        b"self.a=self.a||[];self.a.push(1)",
        b"(self.a=self.b||[]).push([[1],{}])",
        b"(self.a=self.a||{}).push([[1],{}])",
        b"(self.a=self.a||[]).unshift([[1],{}])",
        b'"(self.a=self.a||[]).push([[1],{}])"',
        b"!function(){(self.a=self.a||[]).push([[1],{}])}()",
    ],
)
def test_other_scripts_are_no_chunks(source: bytes) -> None:
    assert read_chunk(source) is None


REFUSED = [
    (b".push([[1],{2:e=>{}}]);f()", "other code beside the chunk"),
    (b".push([[1],{2:e=>{}}]);var a=1", "other code beside the chunk"),
    (b".push([[1],{2:e=>{}}]);" + Q + b".push([[3],{}])", "two chunks in one file"),
    (b".push([0])", "a push of something else than a chunk"),
    (b".push([[1],{}],2)", "a push of something else than a chunk"),
    (b".push([[1],,{}])", "a push of something else than a chunk"),
    (b".push([[],{}])", "a chunk without ids"),
    (b".push([[a],{}])", "an id that is no literal"),
    (b".push([[1],m])", "a module table that is computed"),
    (b".push([[1],{[a]:e=>{}}])", "an id that is no literal"),
    (b".push([[1],{...a}])", "a module table with something else than factories"),
    (b".push([[1],{a}])", "a module table with something else than factories"),
    (b".push([[1],{get a(){}}])", "module a is no plain function"),
    (b".push([[1],{async a(){}}])", "module a is no plain function"),
    (b".push([[1],{*a(){}}])", "module a is no plain function"),
    (b".push([[1],{2:function*(){}}])", "module 2 is no plain function"),
    (b".push([[1],{2:f}])", "module 2 is no plain function"),
    (b".push([[1],{2:[3,4]}])", "module 2 is no plain function"),
    (b".push([[1],{2:({a})=>{}}])", "a factory with patterns as parameters"),
    (b".push([[1],{2:(...a)=>{}}])", "a factory with patterns as parameters"),
    (b'.push([[1],{"__proto__":e=>{}}])', "a module with the id __proto__"),
    (b".push([[1],{1e3:e=>{},1000:e=>{}}])", "a module id that stands twice"),
    (b".push([[1],{.5:e=>{}}])", "the number .5 as an id"),
    (b".push([[1],{1e20:e=>{}}])", "the number 1e20 as an id"),
    (b".push([[1],{2:e=>{}},f])", "a chunk with a startup that is unknown"),
    (b".push([[1],{2:e=>{]}]);", "the chunk does not parse"),
]


@pytest.mark.parametrize(("rest", "reason"), REFUSED)
def test_unknown_shapes_are_refused(rest: bytes, reason: str) -> None:
    found = read_chunk(Q + rest)
    assert isinstance(found, Refusal)
    assert found.reason == reason


def test_parts_of_a_module_are_told() -> None:
    source = b'"use strict";' + Q + b'.push([[7],{1:function(e,t,n){"use strict";a;b},2(e){c},3:x=>x(1)}]);'
    found = chunk(source)
    assert [module.parameters for module in found.modules] == [("e", "t", "n"), ("e",), ("x",)]
    assert [module.body and source[slice(*module.body)] for module in found.modules] == [b"a;b", b"c", None]
    assert [source[slice(*module.factory)] for module in found.modules][2] == b"x=>x(1)"
    assert found.strict
    assert [module.own_directive for module in found.modules] == [True, False, False]


@pytest.mark.parametrize(
    ("before", "factory", "strict"),
    [
        (b"", b"e=>{}", False),
        (b'"use strict";', b"e=>{}", True),
        (b"'use strict';", b"e=>{}", True),
        (b'/*! a */"use strict";', b"e=>{}", True),
        (b"", b'e=>{"use strict"}', True),
        (b"", b'e=>{"a";"use strict";f()}', True),
        (b"", b'e=>{f();"use strict"}', False),
        (b"", b'e=>{("use strict")}', False),
        (b'"use\\x20strict";', b"e=>{}", False),
    ],
)
def test_strict_mode_is_told(before: bytes, factory: bytes, strict: bool) -> None:
    assert chunk(before + Q + b".push([[7],{1:" + factory + b"}]);").modules[0].strict is strict


STARTUPS = [
    (b",e=>{e(1)}", b"e=>{e(1)}", None),
    (b",function(e){e.O()}", b"function(e){e.O()}", None),
    (b",[[1,2]]", None, b"[[1,2]]"),
    (b",[[1,2]],[0,6]", None, b"[[1,2]]"),
    (b",0,[[1,2]]", None, b"[[1,2]]"),
    (b",e=>{},[[1,2]]", b"e=>{}", b"[[1,2]]"),
    (b",void 0,[[1,2]]", None, b"[[1,2]]"),
]


@pytest.mark.parametrize(("rest", "callback", "entries"), STARTUPS)
def test_startups_are_told(rest: bytes, callback: bytes | None, entries: bytes | None) -> None:
    source = Q + b".push([[7],{1:e=>{}}" + rest + b"]);"
    found = chunk(source)
    assert (found.callback and source[slice(*found.callback)]) == callback
    assert (found.entries and source[slice(*found.entries)]) == entries


# Moving

MOVES = [
    pytest.param(b"", b"{1:e=>{a},2:e=>{b},3:e=>{c}}", ["2"], b"{1:e=>{a},3:e=>{c}}", b"{2:e=>{b}}", id="middle"),
    pytest.param(b"", b"{1:e=>{a},2:e=>{b}}", ["1"], b"{2:e=>{b}}", b"{1:e=>{a}}", id="first"),
    pytest.param(b"", b"{1:e=>{a},2:e=>{b}}", ["2"], b"{1:e=>{a},}", b"{2:e=>{b}}", id="last"),
    pytest.param(b"", b"{1:e=>{a},2:e=>{b}}", ["2", "1"], b"{}", b"{1:e=>{a},2:e=>{b}}", id="all, in their order"),
    pytest.param(b"", b"{1(e){a},2(e){b}}", ["1"], b"{2(e){b}}", b"{1(e){a}}", id="methods"),
    pytest.param(b"", b"{1:e=>{a}/* x */ ,//y\n2:e=>{b}}", ["1"], b"{/* x */ //y\n2:e=>{b}}", b"{1:e=>{a}}", id="comments"),
    pytest.param(b"", b"[e=>{a},,e=>{b}]", ["0"], b"[,,e=>{b}]", b"{0:e=>{a}}", id="array"),
    pytest.param(b"", b"[e=>{a},,e=>{b}]", ["2"], b"[e=>{a},,]", b"{2:e=>{b}}", id="end of an array"),
    pytest.param(b"", b"Array(9).concat([e=>{a},e=>{b}])", ["10"], b"Array(9).concat([e=>{a},])", b"{10:e=>{b}}", id="offset"),
    pytest.param(b'"use strict";', b"{1:e=>{a},2:e=>b}", ["2"], b"{1:e=>{a},}", b"{2:e=>b}", id="strict"),
]  # fmt: skip


@pytest.mark.parametrize(("before", "table", "ids", "old", "vendor"), MOVES)
def test_modules_move(before: bytes, table: bytes, ids: list[str], old: bytes, vendor: bytes) -> None:
    source = before + Q + b".push([[7]," + table + b"]);"
    split = move(chunk(source), ids, "v-1")
    assert split.old == before + Q + b".push([[7]," + old + b"]);"
    assert split.vendor == before + Q + b'.push([["v-1"],' + vendor + b"]);"
    for (start, end), place in split.moved:
        assert split.vendor[place : place + end - start] == source[start:end]


def test_comments_of_licenses_go_along_and_source_maps_do_not() -> None:
    licence = b"/*! For license information please see 7.js.LICENSE.txt */"
    split = move(chunk(licence + b"\n" + Q + b".push([[7],{1:e=>{}}]);\n//# sourceMappingURL=7.js.map"), ["1"], "v")
    assert split.vendor == licence + b"\n" + Q + b'.push([["v"],{1:e=>{}}]);'
    assert split.old == licence + b"\n" + Q + b".push([[7],{}]);\n"


def test_factories_of_strict_and_sloppy_chunks_keep_their_modes() -> None:
    strict = chunk(
        b'"use strict";' + Q + b".push([[1],{1:e=>{a},2:e=>({b:1}),3(e){c},4:function(e){'use strict';d}}]);"
    )
    sloppy = chunk(Q + b".push([[2],{5:e=>{e}}]);")
    text = compose([strict, sloppy], [(one, module) for one in (strict, sloppy) for module in one.modules], "v")
    assert text == (
        Q + b'.push([["v"],{1:e=>{"use strict";a},2:e=>{"use strict";return ({b:1})},3(e){"use strict";c},'
        b"4:function(e){'use strict';d},5:e=>{e}}]);"
    )
    assert [module.strict for module in chunk(text).modules] == [True, True, True, True, False]


def test_what_cannot_be_composed_is_an_error() -> None:
    one, other = chunk(Q + b".push([[1],{1:e=>{}}]);"), chunk(b"(self.b=self.b||[]).push([[2],{2:e=>{}}]);")
    with pytest.raises(ValueError, match="different queues"):
        compose([one, other], [(one, one.modules[0]), (other, other.modules[0])], "v")
    with pytest.raises(ValueError, match="twice"):
        compose([one], [(one, one.modules[0])] * 2, "v")
    with pytest.raises(ValueError, match=r"\['9'\] are not in chunk 1"):
        move(one, ["1", "9"], "v")
    with pytest.raises(ValueError, match="not in chunk"):
        move(one, [], "v")


FORMS = [
    "%d:function(e,t,n){f(%d)}",
    "%d:(e,t)=>{f(%d)}",
    "%d(e){f(%d)}",
    "%d:()=>f(%d)",
    '"./%d.js":e=>{f(%d)}',
    "%de3:e=>{f(%d)}",
]


@given(st.data(), st.lists(st.sampled_from(FORMS), min_size=1, max_size=9), st.booleans(), st.booleans())
def test_no_module_is_lost_or_changed(data: st.DataObject, forms: list[str], strict: bool, comma: bool) -> None:
    entries = [form % (index, index) for index, form in enumerate(forms, 1)]
    directive = '"use strict";' if strict else ""
    source = f"{directive}{Q.decode()}.push([[7],{{{','.join(entries)}{',' * comma}}},e=>{{}}]);".encode()
    before = chunk(source)
    ids = data.draw(st.lists(st.sampled_from([module.id for module in before.modules]), min_size=1, unique=True))
    split = move(before, ids, "v")

    def told(text: bytes) -> dict[str, tuple[bytes, bool]]:
        return {one.id: (text[slice(*one.factory)], one.strict) for one in chunk(text).modules}

    assert told(split.vendor) == {identity: told(source)[identity] for identity in told(source) if identity in ids}
    assert told(split.old) | told(split.vendor) == told(source)
    assert not told(split.old).keys() & set(ids)


# Runtimes: small ones with the members and the order of webpack's.

REQUIRE = "function n(e){var o=t[e];if(void 0!==o)return o.exports;var i=t[e]={exports:{}};return m[e](i,i.exports,n),i.exports}"
# `X.l` finds a script of the page by its address, or adds one.
LOAD = (
    'n.u=e=>"c"+e+".js",n.l=(e,t)=>{var r=document.getElementsByTagName("script"),a;'
    'for(var i=0;i<r.length;i++)r[i].getAttribute("src")==e&&(a=r[i]);var k=!a;k&&((a=document.createElement("script")).src=e);'
    "var q=a.onload;a.onerror=a.onload=v=>{q&&q(v),t(v)},k&&document.head.appendChild(a)},"
)
# %s: a condition on the id.
CHUNK_LOADING = (
    "var e={0:0};n.f.j=(t,r)=>{var o=n.o(e,t)?e[t]:void 0;if(0!==o)if(o)r.push(o[2]);else %s{"
    "var i=new Promise((n,r)=>o=e[t]=[n,r]);r.push(o[2]=i),n.l(n.p+n.u(t),r=>{n.o(e,t)&&0!==(o=e[t])&&(e[t]=void 0,"
    'o&&o[1](Error("Loading chunk "+t+" failed")))})}else e[t]=0}'
)
HINTS = ',n.F.j=t=>{if(!n.o(e,t)||void 0===e[t]){e[t]=null;var r=document.createElement("link");r.href=n.p+n.u(t),document.head.appendChild(r)}}'
RECEIVE = (
    "var r=(t,r)=>{var[a,i,c]=r,s,o=0;if(a.some(t=>0!==e[t])){for(var u in i)n.m[u]=i[u];c&&(s=c(n))}"
    "for(t&&t(r);o<a.length;o++)n.o(e,a[o])&&e[a[o]]&&e[a[o]][0](),e[a[o]]=0;return n.O(s)},"
    "o=self.q=self.q||[];o.forEach(r.bind(null,0)),o.push=r.bind(null,o.push.bind(o))"
)
DEFER = (
    "(()=>{var e=[];n.O=(t,r,o)=>{if(r)return void e.push([r,o]);for(var i=0;i<e.length;i++){var[a,c]=e[i],s=!0;"
    "for(var u=0;u<a.length;u++)%s?a.splice(u--,1):s=!1;if(s){e.splice(i--,1);var l=c();void 0!==l&&(t=l)}}return t}})(),"
)
MEMBERS = 'n.m=m,n.f={},n.F={},n.p="",n.o=(e,t)=>Object.prototype.hasOwnProperty.call(e,t),'


def _runtime(load: str = "", defer: str = "", chunks: str = "", table: str = "{}", entry: str = "") -> bytes:
    return f'(()=>{{"use strict";var m={table},t={{}};{REQUIRE}{MEMBERS}{defer}{load}(()=>{{{chunks}}})(){entry}}})();'.encode()


JSONP = CHUNK_LOADING % "if(0!=t)" + HINTS + ",n.O.j=t=>0===e[t];" + RECEIVE
# The newest webpack calls the only handler directly.
NEWEST = _runtime(LOAD + "n.e=e=>{var t=[];return n.f.j(e,t),Promise.all(t)},", DEFER % "n.O.j(a[u])", JSONP)
# 5.22 and later: all handlers.
HANDLERS = _runtime(
    LOAD + "n.e=e=>Promise.all(Object.keys(n.f).reduce((t,r)=>(n.f[r](e,t),t),[])),",
    DEFER % "Object.keys(n.O).every(e=>n.O[e](a[u]))",
    JSONP,
)
# No lazy chunks: nothing is loaded, entries wait for the page's scripts.
WAITING = _runtime("", DEFER % "n.O.j(a[u])", "var e={0:0};n.O.j=t=>0===e[t];" + RECEIVE)
# No separate runtime, no entries that wait: lazy chunks only.
LAZY = _runtime(
    LOAD + "n.e=e=>{var t=[];return n.f.j(e,t),Promise.all(t)},",
    "",
    CHUNK_LOADING % "if(0!=t)" + ";" + RECEIVE.replace("return n.O(s)", ""),
    '{20(e,t,n){note("20"),n.e(3).then(()=>n(30))}}',
    ",n(20)",
)
# Before 5.22: entries as lists in the fourth place, started by `X.x`.
LISTS = _runtime(
    LOAD + "n.e=e=>Promise.all(Object.keys(n.f).reduce((t,r)=>(n.f[r](e,t),t),[])),",
    "",
    CHUNK_LOADING
    % "if(1)"
    + ";var d=[];function h(){for(var t=0;t<d.length;t++){for(var r=d[t],o=!0,i=1;i<r.length;i++)0!==e[r[i]]&&(o=!1);"
    "o&&(d.splice(t--,1),n(n.s=r[0]))}}"
    "var r=t=>{for(var[a,i,c,s]=t,o=0,l=[];o<a.length;o++)n.o(e,a[o])&&e[a[o]]&&l.push(e[a[o]][0]),e[a[o]]=0;for(var u in i)n.m[u]=i[u];"
    "for(c&&c(n),p(t);l.length;)l.shift()();return s&&d.push.apply(d,s),h()},o=self.q=self.q||[],p=o.push.bind(o);"
    "o.push=r,(o=o.slice()).forEach(r)",
)
FOUR = (
    b"!function(m){function r(t){for(var a,i,c=t[0],s=t[1],u=t[2],l=0,f=[];l<c.length;l++)i=c[l],e[i]&&f.push(e[i][0]),e[i]=0;"
    b"for(a in s)m[a]=s[a];for(p&&p(t);f.length;)f.shift()();return d.push.apply(d,u||[]),h()}"
    b"function h(){for(var t=0;t<d.length;t++){for(var r=d[t],o=!0,i=1;i<r.length;i++)0!==e[r[i]]&&(o=!1);o&&(d.splice(t--,1),n(n.s=r[0]))}}"
    b"var t={},e={0:0},d=[];function n(e){if(t[e])return t[e].exports;var r=t[e]={i:e,exports:{}};"
    b"return m[e].call(r.exports,r,r.exports,n),r.exports}"
    b"n.e=function(t){var r=[],o=e[t];if(0!==o)if(o)r.push(o[2]);else{var i=new Promise(function(n,r){o=e[t]=[n,r]});r.push(o[2]=i);"
    b'var a=document.createElement("script");a.src=function(e){return n.p+"c"+({}[e]||e)+".js"}(t);'
    b'a.onerror=a.onload=function(){var r=e[t];0!==r&&(r&&r[1](Error("Loading chunk "+t+" failed")),e[t]=void 0)},document.head.appendChild(a)}'
    b'return Promise.all(r)},n.m=m,n.p="";var o=window.q=window.q||[],c=o.push.bind(o);o.push=r,o=o.slice();'
    b"for(var s=0;s<o.length;s++)r(o[s]);var p=c;h()}([]);"
)  # fmt: skip

RUNTIMES = [
    pytest.param(NEWEST, 5, True, True, id="newest"),
    pytest.param(HANDLERS, 5, True, True, id="handlers"),
    pytest.param(WAITING, 5, False, True, id="no lazy chunks"),
    pytest.param(LAZY, 5, True, False, id="only lazy chunks"),
    pytest.param(LISTS, 5, True, True, id="lists"),
    pytest.param(FOUR, 4, True, True, id="webpack 4"),
]


@pytest.mark.parametrize(("source", "version", "loads", "awaits"), RUNTIMES)
def test_runtimes_are_read(source: bytes, version: int, loads: bool, awaits: bool) -> None:
    found = runtime(source)
    assert (found.version, found.require, found.queue_name) == (version, "n", "q")
    assert (found.loads, found.awaits) == (loads, awaits)
    assert found.public_path == ""
    assert found.drain is not None
    assert source[slice(*found.drain)] in (b"self.q=self.q||[]", b"window.q=window.q||[]")


QUEUED = NEWEST.replace(b"self.q", b"self.webpackChunkx")


@pytest.mark.parametrize(
    ("source", "is_runtime"),
    [
        pytest.param(QUEUED, True, id="runtime"),
        pytest.param(QUEUED + Q + b".push([[1],{}]);", True, id="runtime beside a push"),
        pytest.param(QUEUED + b"(self.webpackChunkx||[]).push([1]);" * 2, True, id="beside pushes that make no queue"),
        pytest.param(Q + b".push([[1],{2:(e,t,n)=>{n.f.j=1;n.p='x'}}]);", False, id="chunk"),
        pytest.param(b'(self["webpackChunkx"] = self["webpackChunkx"] || [])\n.push([[1],{}]);', False, id="by string"),
        pytest.param(
            Q + b".push([[1],{2:()=>{" + QUEUED.replace(b"kx", b"ky") + b"}}]);", False, id="another's inside"
        ),
        pytest.param(Q + b".push([[1],{2:()=>{" + QUEUED + b"}}]);", True, id="its own inside"),
    ],
)
def test_runtimes_among_the_scripts_of_a_queue(source: bytes, is_runtime: bool) -> None:
    found = register_chunks("webpackChunkx", "/a/runtime.js", {"1": ["three-1"]}, {"three-1": "/a/three.js"}, source)
    assert (found.data is not None or found.reason != "") is is_runtime


def test_own_modules_of_a_runtime_are_told() -> None:
    assert [module.id for module in runtime(LAZY).own.modules] == ["20"]
    four = FOUR.replace(b"([]);", b"({3:function(e,t,n){},4:function(e){}});")
    assert [module.id for module in runtime(four).own.modules] == ["3", "4"]


def test_members_that_modules_assign_are_none_of_the_runtime() -> None:
    """A module may have any name for the require function, or any other thing of the same name."""
    source = LAZY.replace(b'note("20"),', b"n.u=n.u,n.f.j=1,(()=>{var n={};n.u=1})(),")
    assert runtime(source).members == {
        name: syntax.Extent(place.start + len(source) - len(LAZY), place.end + len(source) - len(LAZY))
        for name, place in runtime(LAZY).members.items()
    }


@pytest.mark.parametrize(
    ("assigned", "path"),
    [
        (b'n.p="/_next/",', "/_next/"),
        (b"n.p=f(),", None),
        # `publicPath: "auto"`: the minifier may give the require function's name to what is in another block.
        (b"(()=>{let e;if(1){const n=f();e=n}n.p=e})(),", None),
        (b"(()=>{let e;{const n={};n.p=1}})(),", ""),
        (b"(()=>{var n={};n.p=1})(),", ""),
        (b"(()=>{let[n]=[{}];n.p=1})(),", ""),
    ],
)
def test_public_paths_are_told(assigned: bytes, path: str | None) -> None:
    assert runtime(NEWEST.replace(b'n.p="",', assigned)).public_path == path


def test_one_file_without_chunks_is_recognised() -> None:
    source = f'(()=>{{var m={{1(e){{"use strict"}},2:e=>{{}}}},t={{}};{REQUIRE}n(1)}})();'.encode()
    found = runtime(source)
    assert (found.drain, found.loads, found.awaits) == (None, False, False)
    assert [module.id for module in found.own.modules] == ["1", "2"]
    assert isinstance(register(found, {"1": ["v"]}, {"v": "v.js"}), Refusal)


@pytest.mark.parametrize(
    "source",
    [
        b"",
        Q + b".push([[1],{2:(e,t,n)=>{n.f.j=1}}]);",
        b"var a={};a.f.j=function(){}",
        b'"n.f.j=";',
        # A bundle that a library brings along, inside a module.
        Q + b".push([[1],{2:e=>{" + f"(()=>{{var m={{1(e){{}}}},t={{}};{REQUIRE}n(1)}})()".encode() + b"}}]);",
    ],
)
def test_other_scripts_are_no_runtimes(source: bytes) -> None:
    assert read_runtime(source) is None


RUNTIMES_REFUSED = [
    pytest.param(NEWEST.replace(b"n.O.j=", b"n.f.j=n.O.j="), "n.f.j is assigned twice", id="twice"),
    pytest.param(NEWEST.replace(b"n.p=\"\",", b'n.sriHashes={},n.p="",'), "the runtime checks the integrity of chunks", id="integrity"),
    pytest.param(NEWEST.replace(b"n.u=e=>", b"n.w=e=>").replace(b"o.push=r", b"n.u=e=>e,o.push=r"), "u is assigned after the queue is read",
                 id="late"),
    pytest.param(NEWEST.replace(b"if(0!=t)", b"if(g(t))"), "a condition on the id of a chunk that is not understood", id="condition"),
    pytest.param(NEWEST + NEWEST, "two runtimes in one file", id="two"),
    pytest.param(NEWEST.replace(b"f.j", b"f.i").replace(b"O.j", b"O.i"), "a worker's runtime, which loads chunks by importScripts",
                 id="worker"),
    pytest.param(LISTS.replace(b"o.push=r,", b"o.push=g(r),"), "a queue whose push is not understood", id="push"),
    pytest.param(FOUR.replace(b'return n.p+"c"', b'return g()+n.p+"c"'), "no one place where names of chunks are made", id="names"),
]  # fmt: skip


@pytest.mark.parametrize(("source", "reason"), RUNTIMES_REFUSED)
def test_unknown_runtimes_are_refused(source: bytes, reason: str) -> None:
    found = read_runtime(source)
    assert isinstance(found, Refusal), found
    assert found.reason == reason


CONDITIONS = [
    ("if(0!=t)", True),
    ("if(!(0==t))", True),
    ('if("v"!=t)', False),
    ("if(!/^(0|12)$/.test(t))", True),
    ("if(/^(1|2|3)$/.test(t))", False),
    ("if(/^(1|v)$/.test(t))", True),
    ("if(/^v$/.test(t))", True),
    ('if("v"===t)', True),
    ("if(3==t)", False),
]


@pytest.mark.parametrize(("condition", "loaded"), CONDITIONS)
def test_new_chunks_that_the_runtime_would_not_load_are_refused(condition: str, loaded: bool) -> None:
    """Its test of ids is compiled from the chunks that it knew: a new one may count as installed."""
    edits = register(runtime(NEWEST.replace(b"if(0!=t)", condition.encode())), {"2": ["v"]}, {"v": "v.js"})
    assert isinstance(edits, list) is loaded


def test_a_path_is_needed() -> None:
    with pytest.raises(ValueError, match=r"no path for the chunks \['w'\]"):
        register(runtime(NEWEST), {"2": ["v", "w"]}, {"v": "v.js"})


# Order


def _files(source: bytes) -> dict[str, bytes]:
    """Page: runtime r.js, shared chunk 2, entry in chunk 1, which loads chunk 3. Modules note that they run."""
    made = {
        "c1.js": '20(e,t,n){note("20"),n(21),n(10)%s},21(e){note("21")}'
        % (",n.e(3).then(()=>n(30))" if b"n.e=" in source else ""),
        "c2.js": '10(e,t,n){note("10"),n(11)},11(e){note("11")}',
        "c3.js": '30(e,t,n){note("30"),n(31)},31(e){note("31")}',
    }
    starts = {
        "c1.js": ",0,[[20,2]]"
        if source is LISTS
        else ",[[20,2]]"
        if source is FOUR
        else ",e=>{e.O(0,[2],()=>e(e.s=20)),e.O()}"
    }
    holder = "window" if source is FOUR else "self"
    files = {
        name: f"({holder}.q={holder}.q||[]).push([[{name[1]}],{{{table}}}{starts.get(name, '')}]);".encode()
        for name, table in made.items()
    }
    return {**files, "r.js": source}


MOVED = {"c1.js": "21", "c2.js": "11", "c3.js": "31"}
NOTES = {"10", "11", "20", "21", "30", "31"}


def _split(files: dict[str, bytes]) -> dict[str, bytes]:
    """One module of each chunk in a chunk of its own: v1.js to v3.js."""
    found = dict(files)
    for name, identity in MOVED.items():
        if name not in files:
            continue
        parts = move(chunk(files[name]), [identity], f"v{name[1]}")
        found[name] = syntax.apply(parts.old, require_own(chunk(parts.old)))
        found[f"v{name[1]}.js"] = parts.vendor
    needs = {name[1]: [f"v{name[1]}"] for name in MOVED}
    edits = register(runtime(files["r.js"]), needs, {f"v{number}": f"v{number}.js" for number in "123"})
    assert isinstance(edits, list), edits
    return {**found, "r.js": syntax.apply(files["r.js"], edits)}


def _texts(files: dict[str, bytes]) -> dict[str, str]:
    return {name: text.decode() for name, text in files.items()}


@needs_node
@pytest.mark.parametrize(
    "source", [NEWEST, HANDLERS, WAITING, LISTS, FOUR], ids=["newest", "handlers", "no lazy", "lists", "4"]
)
def test_modules_run_in_the_same_order_whatever_arrives_when(source: bytes) -> None:
    files = _files(source)
    scripts = ["r.js", "v2.js", "c2.js", "v1.js", "c1.js"]
    orders = [list(order) for order in permutations(scripts)]
    before = opened(*({"files": _texts(files), "listed": ["r.js", "c2.js", "c1.js"],
                       "arrivals": [name for name in order if name[0] != "v"]} for order in orders))  # fmt: skip
    after = opened(*({"files": _texts(_split(files)), "listed": scripts, "arrivals": order} for order in orders))
    for order, one, other in zip(orders, before, after, strict=True):
        assert set(one["notes"]) == NOTES - ({"30", "31"} if source is WAITING else set()), "the original works"
        assert other["notes"] == one["notes"], order
        assert other["errors"] == one["errors"] == [], order
        assert sorted(other["fetched"]) == sorted({*other["fetched"]}), order


@needs_node
def test_without_waiting_it_breaks() -> None:
    """The proof that the test above can fail: chunks moved, runtime as it was."""
    files = _files(NEWEST)
    broken = _split(files) | {"r.js": NEWEST}
    (seen,) = opened({"files": _texts(broken), "listed": ["r.js", "c2.js", "c1.js", "v1.js", "v2.js"],
                      "arrivals": ["r.js", "c2.js", "c1.js", "v1.js", "v2.js"]})  # fmt: skip
    assert seen["errors"] != []


@needs_node
@pytest.mark.parametrize("source", [NEWEST, HANDLERS], ids=["newest", "handlers"])
def test_pages_that_list_the_old_chunks_only_load_the_new_ones(source: bytes) -> None:
    files = _files(source)
    listed = ["r.js", "c2.js", "c1.js"]
    for order in permutations(listed):
        (before,) = opened({"files": _texts(files), "listed": listed, "arrivals": order})
        (after,) = opened({"files": _texts(_split(files)), "listed": listed, "arrivals": order})
        assert after["notes"] == before["notes"]
        assert after["errors"] == []
        assert sorted(after["fetched"]) == ["c1.js", "c2.js", "c3.js", "r.js", "v1.js", "v2.js", "v3.js"]


@needs_node
def test_lazy_chunks_bring_theirs_without_entries_that_wait() -> None:
    files = {"r.js": LAZY, "c3.js": _files(NEWEST)["c3.js"]}
    (seen,) = opened({"files": _texts(_split(files)), "listed": ["r.js"], "arrivals": ["r.js"]})
    assert (seen["notes"], seen["errors"]) == (["20", "30", "31"], [])
    assert sorted(seen["fetched"]) == ["c3.js", "r.js", "v3.js"]


@needs_node
def test_prefetched_chunks_bring_theirs() -> None:
    files = _files(NEWEST)
    files["c1.js"] = files["c1.js"].replace(b"n.e(3).then(()=>n(30))", b"n.F.j(3)")
    (seen,) = opened({"files": _texts(_split(files)), "listed": ["r.js", "v2.js", "c2.js", "v1.js", "c1.js"],
                      "arrivals": ["r.js", "v2.js", "c2.js", "v1.js", "c1.js"]})  # fmt: skip
    assert seen["hints"] == ["v3.js", "c3.js"]


@needs_node
@pytest.mark.parametrize("source", [NEWEST, HANDLERS, LISTS, FOUR], ids=["newest", "handlers", "lists", "4"])
def test_a_new_chunk_that_fails_fails_the_import(source: bytes) -> None:
    files = _split(_files(source))
    del files["v3.js"]
    scripts = ["r.js", "v2.js", "c2.js", "v1.js", "c1.js"]
    (seen,) = opened({"files": _texts(files), "listed": scripts, "arrivals": scripts})
    assert seen["errors"] == ["Error: Loading chunk v3 failed"]
    assert "30" not in seen["notes"]


@needs_node
def test_a_library_is_assigned_within_its_script() -> None:
    """An inline script behind it reads it."""
    files = _files(WAITING)
    files["c1.js"] = b"var LIB;" + files["c1.js"].replace(b"e.O()}", b"LIB=e.O()}").replace(
        b'note("20"),', b't.a=1,note("20"),'
    )
    files["c9.js"] = b"note(String(LIB.a))"
    split = _split({name: text for name, text in files.items() if name != "c9.js"}) | {"c9.js": files["c9.js"]}
    scripts = ["r.js", "v2.js", "c2.js", "v1.js", "c1.js", "c9.js"]
    (seen,) = opened({"files": _texts(split), "listed": scripts, "arrivals": scripts})
    assert (seen["notes"][-1], seen["errors"]) == ("1", [])


@needs_node
def test_several_ids_and_ids_of_other_names() -> None:
    """A chunk may register several ids; names of object members are no ids by mistake."""
    files = _files(NEWEST)
    files["c2.js"] = files["c2.js"].replace(b"[[2]", b'[[2,"constructor"]')
    files["c1.js"] = files["c1.js"].replace(b"[2]", b'[2,"constructor"]')
    scripts = ["r.js", "c2.js", "c1.js"]
    found = dict(files)
    parts = move(chunk(files["c2.js"]), ["11"], "vendor x")
    edits = register(runtime(NEWEST), {"2": ["vendor x"]}, {"vendor x": "v2.js"})
    assert isinstance(edits, list)
    found |= {"c2.js": parts.old, "v2.js": parts.vendor, "r.js": syntax.apply(NEWEST, edits)}
    (seen,) = opened({"files": _texts(found), "listed": scripts, "arrivals": scripts})
    assert (set(seen["notes"]), seen["errors"]) == (NOTES, [])


# Runtime, modules and entry in one file

OWN_TABLE = '{1(e,t,n){note("1"),n(2)},2(e){note("2")},3:e=>{note("3")}}'
ALONE = [
    pytest.param(f"(()=>{{var m={OWN_TABLE},t={{}};{REQUIRE}n(1),n(3)}})();".encode(), id="calls"),
    pytest.param(
        f"!function(){{var m={OWN_TABLE},t={{}};{REQUIRE}n.o=1,(()=>{{n(1),n(3)}})()}}();".encode(), id="sequence"
    ),
    pytest.param(
        f"(()=>{{'use strict';var m={OWN_TABLE},t={{}};{REQUIRE}n.o=1;let r=n(1);n(3)}})()".encode(), id="statements"
    ),
    pytest.param(f"(()=>{{var m={OWN_TABLE},t={{}};{REQUIRE}\nn.o=1\nn(1)\nn(3) // end\n}})();".encode(), id="lines"),
]


def parted(source: bytes, moves: dict[str, list[str]], name: str = "m.js") -> dict[str, bytes]:
    """The files that come of a bundle: `name`, and one for each new chunk, for which its start waits."""
    found = runtime(source)
    by_id = {module.id: module for module in found.own.modules}
    edits = entry.wait(found, [entry.Arrival(vendor, f"{vendor}.js") for vendor in moves])
    assert isinstance(edits, list), edits
    edits += [chunks.removal(source, by_id[one]) for ids in moves.values() for one in ids]
    files = {name: source}
    for vendor, ids in moves.items():
        texts = [chunks.factory(source, by_id[one]).directed for one in ids]
        files[f"{vendor}.js"] = chunks.written(entry.queue(vendor), vendor, texts, [], strict=False)
    return files | {name: syntax.apply(source, edits)}


@needs_node
@pytest.mark.parametrize("source", ALONE)
def test_starts_wait_for_modules_of_one_file(source: bytes) -> None:
    files = parted(source, {"va": ["2"], "vb": ["3"]})
    assert b'note("2")' not in files["m.js"]
    scenarios = [
        {"files": _texts(files), "listed": listed, "arrivals": order}
        for listed in (["m.js", "va.js", "vb.js"], ["m.js", "vb.js"], ["m.js"])
        for order in permutations(listed)
    ]
    for scenario, seen in zip(scenarios, opened(*scenarios), strict=True):
        assert (seen["notes"], seen["errors"]) == (["1", "2", "3"], []), scenario["arrivals"]
        assert sorted(seen["fetched"]) == ["m.js", "va.js", "vb.js"]


@needs_node
@pytest.mark.parametrize("name", ["n", "d", "f", "v"])
def test_modules_beside_a_runtime_that_loads_move(name: str) -> None:
    """Lazy chunks go on working.

    name: of the require function, which the code around the start has for other things, too.
    """
    source = re.sub(rb"(?<![\w$.])n(?![\w$\"])", name.encode(), LAZY)
    source = source.replace(b"{20(", b'{21(){note("21")},20(').replace(
        b'note("20"),', b'note("20"),%s(21),' % name.encode()
    )
    edits = register(runtime(source), {"3": ["v3"]}, {"v3": "v3.js"})
    assert isinstance(edits, list)
    lazy = move(chunk(_files(NEWEST)["c3.js"]), ["31"], "v3")
    files = parted(syntax.apply(source, edits), {"va": ["21"]}, "r.js") | {"c3.js": lazy.old, "v3.js": lazy.vendor}
    for listed in (["va.js", "r.js"], ["r.js", "va.js"], ["r.js"]):
        (seen,) = opened({"files": _texts(files), "listed": listed, "arrivals": listed})
        assert (seen["notes"], seen["errors"]) == (["20", "21", "30", "31"], []), listed
        assert sorted(seen["fetched"]) == ["c3.js", "r.js", "v3.js", "va.js"]


@needs_node
def test_bundles_of_one_build_keep_their_own_modules() -> None:
    """Two starts on one page: they share the runtime's queue, but what each uses of a module may differ."""
    files = {}
    for name in ("a", "b"):
        source = LAZY.replace(b"{20(", b'{21(){note("21%s")},20(' % name.encode()).replace(
            b'note("20"),n.e(3).then(()=>n(30))', b"n(21)"
        )
        files |= parted(source, {f"v{name}": ["21"]}, f"{name}.js")
    for order in permutations(["a.js", "va.js", "b.js", "vb.js"]):
        (seen,) = opened({"files": _texts(files), "listed": list(order), "arrivals": list(order)})
        assert (sorted(seen["notes"]), seen["errors"]) == (["21a", "21b"], []), order


@needs_node
def test_a_start_waits_for_chunks_whatever_else_brings_their_modules() -> None:
    """As another entry's lazy chunk may do."""
    source = LAZY.replace(b"{20(", b'{21(){note("21")},22(){note("22")},20(').replace(b'note("20"),', b"n(21),n(22),")
    files = parted(source, {"va": ["21", "22"]}, "r.js") | {"c3.js": _files(NEWEST)["c3.js"]}
    files["c9.js"] = b'(self.q=self.q||[]).push([[9],{21(){note("21")}}]);'
    for order in permutations(["c9.js", "r.js", "va.js"]):
        (seen,) = opened({"files": _texts(files), "listed": list(order), "arrivals": list(order)})
        assert (seen["notes"], seen["errors"]) == (["21", "22", "30", "31"], []), order


@needs_node
def test_a_start_whose_modules_are_there_runs_within_its_script() -> None:
    source = f"(()=>{{var m={{1:(e,t)=>{{self.a=1}}}},t={{}};{REQUIRE}n(1)}})();".encode()
    files = parted(source, {"va": ["1"]}) | {"z.js": b"note(String(self.a))"}
    scripts = ["va.js", "m.js", "z.js"]
    (seen,) = opened({"files": _texts(files), "listed": scripts, "arrivals": scripts})
    assert (seen["notes"], seen["errors"]) == (["1"], [])


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        (f"x=(()=>{{var m={OWN_TABLE},t={{}};{REQUIRE}n(1)}})()", "the result of the runtime's function is used"),
        (f"(()=>{{var m={OWN_TABLE},t={{}};{REQUIRE}return n(1)}})()", "the runtime's function returns something"),
        (
            f"!function(){{var m={OWN_TABLE},t={{}};{REQUIRE}n(1),f(()=>arguments)}}()",
            "the runtime's function reads its arguments",
        ),
        (f"(()=>{{var m={OWN_TABLE},t={{}};{REQUIRE}n.o=1}})()", "no entry was found"),
        (FOUR.replace(b"([]);", b"({3:function(e,t,n){}});").decode(), "webpack 4 starts its entry within the runtime"),
        (NEWEST.decode(), "no entry was found"),
        (
            f"var LIB;(()=>{{var m={OWN_TABLE},t={{}};{REQUIRE}LIB=n(1)}})()",
            "other code stands beside it, which may ask for what it makes",
        ),
        (
            f"(()=>{{var m={OWN_TABLE},t={{}};{REQUIRE}n(1)}})();f()",
            "other code stands beside it, which may ask for what it makes",
        ),
        (f"(()=>{{var m={OWN_TABLE},t={{}};{REQUIRE}n.S={{}};n(1)}})()", "it shares its modules with other builds"),
        (
            f"(()=>{{var m={OWN_TABLE},t={{}};{REQUIRE}n.o=g();n(1);function g(){{}}}})()",
            "code before its start uses g, which the start declares",
        ),
        (
            f"(()=>{{var m={OWN_TABLE},t={{}};{REQUIRE}n(1);f(document.currentScript)}})()",
            "its modules ask for the script that runs",
        ),
    ],
)
def test_starts_that_cannot_wait_are_refused(source: str, reason: str) -> None:
    found = runtime(source.encode())
    refusal = entry.objection(found, analyse_script(found.source), located(found.source).root_node)
    assert refusal is not None
    assert refusal.reason == reason


def test_a_bundle_may_set_digests_of_its_own() -> None:
    """react-dom does; of chunks that the runtime checks, the new one has none."""
    source = LAZY.replace(b'note("20"),', b'note.integrity="",')
    assert [module.id for module in runtime(source).own.modules] == ["20"]
    assert isinstance(read_runtime(LAZY.replace(b"a.onerror=", b"a.integrity=n.s,a.onerror=")), Refusal)


def test_edits_must_not_overlap() -> None:
    assert syntax.apply(b"abc", [Edit(1, 1, b"x"), Edit(1, 2, b"y"), Edit(3, 3, b"z")]) == b"axyc" + b"z"
    with pytest.raises(ValueError, match="overlap"):
        syntax.apply(b"abc", [Edit(0, 2, b""), Edit(1, 3, b"")])


# Next's build manifest

MANIFEST_HEAD, MANIFEST_TAIL = b"self.__BUILD_MANIFEST=", b",self.__BUILD_MANIFEST_CB&&self.__BUILD_MANIFEST_CB();"
MANIFESTS = [
    pytest.param(b'{"/":["a.css","a.js"],sortedPages:["/"]}', b'{"/":["a.css","v.js","a.js"],sortedPages:["/"]}', id="table"),
    pytest.param(b'function(s,e){return{"/":[s,"p.js"],"/b":[e,s]}}("a.js","b.css")',
                 b'function(s,e){return{"/":["v.js",s,"p.js"],"/b":[e,"v.js",s]}}("a.js","b.css")', id="hoisted"),
    pytest.param(b'(function(s){return {"/":[s]}}("a.js"))', b'(function(s){return {"/":["v.js",s]}}("a.js"))', id="brackets"),
    pytest.param(b'((s)=>({"/":[s]}))("a.js")', b'((s)=>({"/":["v.js",s]}))("a.js")', id="arrow"),
    # Next 12 and 13
    pytest.param(b'{__rewrites:{beforeFiles:[],afterFiles:[],fallback:[]},"/":["a.js"],"/_error":["e.js"],sortedPages:["/","/_app"]}',
                 b'{__rewrites:{beforeFiles:[],afterFiles:[],fallback:[]},"/":["v.js","a.js"],"/_error":["e.js"],sortedPages:["/","/_app"]}',
                 id="rewrites"),
    pytest.param(b'{"/":["v.js","a.js"]}', b'{"/":["v.js","a.js"]}', id="there already"),
    pytest.param(b'{"/":["b.js"]}', b'{"/":["b.js"]}', id="not listed"),
    pytest.param(b'{"/[id]":["pages/%5Bid%5D.js"]}', b'{"/[id]":["w.js","pages/%5Bid%5D.js"]}', id="encoded"),
]  # fmt: skip


@pytest.mark.parametrize(("table", "expected"), MANIFESTS)
def test_build_manifests_list_new_chunks_before_the_old(table: bytes, expected: bytes) -> None:
    source = MANIFEST_HEAD + table + MANIFEST_TAIL
    edits = list_before(source, {"a.js": ["v.js"], "pages/[id].js": ["w.js"]})
    assert isinstance(edits, list)
    assert syntax.apply(source, edits) == MANIFEST_HEAD + expected + MANIFEST_TAIL


@pytest.mark.parametrize(
    "source",
    [
        b"self.other={}",
        MANIFEST_HEAD + b"make()",
        MANIFEST_HEAD + b'function(s){s.x=1;return{"/":[s]}}("a.js")',
        MANIFEST_HEAD + b'{"/":[...x,"b.js"],other:"a.js"}',
        MANIFEST_HEAD + b'{"/":f("a.js")}',
        MANIFEST_HEAD + b'{"/":["a.js"',
    ],
)
def test_unknown_build_manifests_are_refused(source: bytes) -> None:
    assert isinstance(list_before(source, {"a.js": ["v.js"]}), Refusal)
