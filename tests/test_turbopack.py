"""Turbopack's chunks: reading them, cutting them, and all lists that name them."""

from __future__ import annotations

import pytest

from v1z3r_build.bundlers.turbopack.chunks import Chunk, ImmovableError, move, read_chunk

# As Next 15.5 to 16 write it, as 15.3 and 15.4 do, and as 16.4 does in pages.
LIST = b'(globalThis.TURBOPACK||(globalThis.TURBOPACK=[])).push(["object"==typeof document?document.currentScript:void 0,%s]);'
TABLE = b'(globalThis.TURBOPACK=globalThis.TURBOPACK||[]).push(["object"==typeof document?document.currentScript:void 0,%s]);'
INLINE = b'(globalThis["TURBOPACK"] || (globalThis["TURBOPACK"] = [])).push(%s);'
PARAMETERS = b'{otherChunks:["static/chunks/a.js"],runtimeModuleIds:[7]}'


def _chunk(source: bytes) -> Chunk:
    chunk = read_chunk(source)
    assert chunk is not None
    return chunk


@pytest.mark.parametrize(
    ("source", "ids"),
    [
        (LIST % b"1,e=>{}", [(1,)]),
        (LIST % b"1,2,(e,t,r)=>{},3,function(e){}", [(1, 2), (3,)]),
        (LIST % b"42e3,e=>{},0,e=>{}", [(42000,), (0,)]),
        (LIST % b'"[project]/a.js [app]",e=>{}', [("[project]/a.js [app]",)]),
        (TABLE % b'{1:function(e){},"x":e=>{},5(e){}}', [(1,), ("x",), (5,)]),
        (b'"use strict";' + LIST % b"1,e=>{}", [(1,)]),
        (b"/* a */" + LIST % b"1,/* b */e=>{}", [(1,)]),
        (LIST % b"1,e=>{}" + b"\n//# sourceMappingURL=a.js.map", [(1,)]),
        (LIST.replace(b"TURBOPACK", b"other") % b"1,e=>{}", [(1,)]),
    ],
)
def test_modules_of_a_chunk(source: bytes, ids: list[tuple[int | str, ...]]) -> None:
    chunk = _chunk(source)
    assert [entry.ids for entry in chunk.entries] == ids
    assert chunk.parameters is None
    assert chunk.alone


@pytest.mark.parametrize(
    "source",
    [
        b"",
        b"queue.push([document.currentScript,1,e=>{}])",
        b"(self.a=self.a||[]).push([document.currentScript,1,e=>{}])",
        b"(globalThis.a||(globalThis.b=[])).push([document.currentScript,1,e=>{}])",
        b"(globalThis.a||(globalThis.a=f())).push([document.currentScript,1,e=>{}])",
        b'(self.webpackChunk=self.webpackChunk||[]).push([["a"],{1:e=>{}}])',
        b'(globalThis.webpackChunk=globalThis.webpackChunk||[]).push([["a"],{1:e=>{}}])',
        LIST % b"1",
        LIST % b"e=>{}",
        LIST % b"1,f",
        LIST % b"1.5,e=>{}",
        LIST % b"1,e=>{},...x",
        LIST % b"1,async e=>{}",
        LIST % b"1,e=>{",
        TABLE % b"{1:f}",
        TABLE % b"{[a]:e=>{}}",
        TABLE % b"{...a}",
        INLINE % b"{}",
    ],
)
def test_other_scripts_are_none(source: bytes) -> None:
    assert read_chunk(source) is None


def test_places_of_an_entry() -> None:
    source = LIST % b'1,2,(e,t)=>{"use strict";e.i(3)},4,e=>e.v(1),5,({a})=>{}'
    first, second, third = _chunk(source).entries
    assert source[first.start : first.end] == b'1,2,(e,t)=>{"use strict";e.i(3)}'
    assert source[slice(*first.factory)] == b'(e,t)=>{"use strict";e.i(3)}'
    assert source[slice(*first.body)] == b'"use strict";e.i(3)'
    assert first.parameters == ("e", "t")
    assert source[slice(*second.body)] == b"e.v(1)"
    assert (first.block, second.block) == (True, False)
    assert third.parameters == ()


@pytest.mark.parametrize(
    ("source", "alone"),
    [
        (LIST % PARAMETERS, True),
        (TABLE % (b"{}," + PARAMETERS), True),
        (INLINE % PARAMETERS, True),
        (INLINE % b'{"otherChunks":["static/chunks/a.js"],"runtimeModuleIds":[7]}', True),
        (LIST[:-1] % PARAMETERS + b",(()=>{})();", False),
    ],
)
def test_parameters_of_the_runtime(source: bytes, alone: bool) -> None:
    chunk = _chunk(source)
    assert chunk.parameters is not None
    assert chunk.parameters.other_chunks == ("static/chunks/a.js",)
    assert chunk.parameters.runtime_module_ids == (7,)
    assert source[chunk.parameters.start : chunk.parameters.end].startswith(b"{")
    assert (chunk.alone, chunk.entries) == (alone, ())
    with pytest.raises(ImmovableError):
        move(source, chunk, [], "static/chunks/v.js")


@pytest.mark.parametrize(
    ("shape", "entries", "moved", "kept", "gone"),
    [
        (LIST, b"1,a=>{},2,3,b=>{},4,c=>{}", [1], b"1,a=>{},4,c=>{}", b"2,3,b=>{}"),
        (LIST, b"1,a=>{},2,3,b=>{},4,c=>{}", [0, 2], b"2,3,b=>{}", b"1,a=>{},4,c=>{}"),
        (TABLE, b"{1:a=>{},2(b){},4:c=>{}}", [1], b"{1:a=>{},4:c=>{}}", b"{2(b){}}"),
        (TABLE, b"{1:a=>{},2(b){}}", [0, 1], b"{}", b"{1:a=>{},2(b){}}"),
    ],
)
def test_entries_move(shape: bytes, entries: bytes, moved: list[int], kept: bytes, gone: bytes) -> None:
    source = shape % entries + b"\n//# sourceMappingURL=a.js.map"
    chunk = _chunk(source)
    cut = move(source, chunk, [chunk.entries[index] for index in moved], "static/chunks/v.js")
    assert (cut.old, cut.vendor) == (shape % kept, shape % gone)


def test_a_chunk_without_entries_is_no_list_of_parameters() -> None:
    source = LIST % b"1,a=>{}"
    chunk = _chunk(source)
    assert move(source, chunk, chunk.entries, "static/chunks/v.js").old == LIST.replace(b",%s", b"")


def test_a_chunk_that_is_known_by_its_path_gets_another_one() -> None:
    source = b"(globalThis.TURBOPACK=globalThis.TURBOPACK||[]).push(['static/chunks/a.js',{1:a=>{},2:b=>{}}])"
    chunk = _chunk(source)
    assert chunk.path == "static/chunks/a.js"
    cut = move(source, chunk, chunk.entries[:1], "static/chunks/v.js")
    assert b"['static/chunks/a.js',{2:b=>{}}" in cut.old
    assert b"['static/chunks/v.js',{1:a=>{}}" in cut.vendor


@pytest.mark.parametrize("more", [b"f();", b"var a=1;"])
def test_a_script_that_does_more_is_not_cut(more: bytes) -> None:
    source = LIST % b"1,a=>{}" + more
    chunk = _chunk(source)
    with pytest.raises(ImmovableError):
        move(source, chunk, chunk.entries, "static/chunks/v.js")


def test_entries_of_another_chunk_do_not_move() -> None:
    chunk = _chunk(LIST % b"1,a=>{}")
    with pytest.raises(ImmovableError):
        move(LIST % b"1,a=>{}", chunk, _chunk(LIST % b"9,a=>{}").entries, "static/chunks/v.js")
    with pytest.raises(ImmovableError):
        move(LIST % b"1,a=>{}", chunk, [], "static/chunks/v.js")
