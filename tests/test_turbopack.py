"""Turbopack's chunks: reading them, cutting them, and all lists that name them."""

from __future__ import annotations

import json
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from v1z3r_build.bundlers.turbopack import chunks, lists
from v1z3r_build.bundlers.turbopack.chunks import Chunk, ImmovableError, move, read_chunk
from v1z3r_build.bundlers.turbopack.lists import Insertion, Kind, UnplacedError, insert, insertions

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
        (TABLE % b"{1:[e=>{},[2,3]],4:e=>{}}", [(1, 2, 3), (4,)]),
        (TABLE % b'{"12":e=>{}}', [(12,)]),
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
        TABLE % b"{1:[e=>{}]}",
        TABLE % b"{1:[e=>{},2]}",
        INLINE % b"{}",
    ],
)
def test_other_scripts_are_none(source: bytes) -> None:
    assert read_chunk(source) is None


def test_a_script_too_large_to_be_parsed_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    source = LIST % b'1,e=>e.v(t=>["static/chunks/a.js"].map(t=>e.l(t)))'
    assert _inserted(source, "script") != source
    monkeypatch.setattr(chunks, "MAX_SIZE", len(source) - 1)
    monkeypatch.setattr(lists, "MAX_SIZE", len(source) - 1)
    assert read_chunk(source) is None
    with pytest.raises(UnplacedError):
        insertions(source, "script", OLD, VENDOR)


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
        (TABLE, b"{1:[a=>{},[2]],3:c=>{}}", [0], b"{3:c=>{}}", b"{1:[a=>{},[2]]}"),
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


OLD, VENDOR = "_next/static/chunks/a.js", "_next/static/chunks/v.js"
MAP = b'["static/chunks/b.js","static/chunks/a.js"].map(t=>e.l(t))'


def _inserted(data: bytes, kind: Kind, old: str = OLD, vendor: str = VENDOR) -> bytes:
    return insert(data, insertions(data, kind, old, vendor))


def _pushed(*texts: str) -> str:
    """Flight data in a page, as Next writes it."""
    return "".join(f"<script>self.__next_f.push({json.dumps([1, text])})</script>" for text in texts)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ('1,e=>{e.v(t=>Promise.all(["static/chunks/a.js"].map(t=>e.l(t))).then(()=>t(1)))}', '"static/chunks/a.js"'),
        ("e.v(['static/chunks/b.js','static/chunks/a.js'].map((t)=>e.l(t)))", "'static/chunks/a.js'"),
        ('(globalThis.T||(globalThis.T=[])).push([x,{otherChunks:["static/chunks/a.js"],runtimeModuleIds:[]}])', '"static/chunks/a.js"'),
        ('q.push({"otherChunks":["static/chunks/a.js"],"runtimeModuleIds":[]})', '"static/chunks/a.js"'),
        ('__turbopack_load_page_chunks__("/p", [\n  "static/chunks/a.js",\n  "static/chunks/b.js"\n])', '"static/chunks/a.js"'),
        ('e.v(e.b(["static/chunks/b.js","static/chunks/a.js"]))', '"static/chunks/a.js"'),
        ('t.v(t.b(e,"static/chunks/turbopack-worker-2g.js",["static/chunks/a.js"],s))', '"static/chunks/a.js"'),
        ('(0,t.i(1).f)("static/chunks/turbopack-worker-2g.js",["static/chunks/a.js"])', '"static/chunks/a.js"'),
        ('self.__BUILD_MANIFEST = {"/p": ["./static/chunks/a.js"]};self.B&&self.B()', '"./static/chunks/a.js"'),
        ('self.__TURBOPACK_PAGE_BOOTSTRAP = {"/p":{"otherChunks":["static/chunks/a.js"],"runtimeModuleIds":[1]}}', '"static/chunks/a.js"'),
        ('q.push({"otherChunks":["static/chunks/a.js?dpl=1"]})', '"static/chunks/a.js?dpl=1"'),
    ],
)  # fmt: skip
def test_lists_in_scripts(before: str, after: str) -> None:
    """after: the member before which the new chunk comes, in the same notation."""
    member = after.replace("a.js", "v.js", 1)
    expected = before.replace(after, f"{member},{after}")
    assert expected != before
    assert _inserted(before.encode(), "script").decode() == expected
    # Once it is there, it is not put there again.
    assert _inserted(expected.encode(), "script").decode() == expected


@pytest.mark.parametrize(
    "source",
    [
        b'f(["static/chunks/a.js"])',
        b'var l=["static/chunks/a.js"];',
        b'["static/chunks/a.js"].map(t=>t)',
        b'["static/chunks/a.js"].map(t=>e.l(u))',
        b'["static/chunks/a.js"].map((t,u)=>e.l(t))',
        b'["static/chunks/a.js"].forEach(t=>e.l(t))',
        b'[{path:"static/chunks/a.js",included:[1]}].map(t=>e.l(t))',
        b'["static/chunks/a.js",{path:"static/chunks/b.js"}].map(t=>e.l(t))',
        b'["other/a.js"].map(t=>e.l(t))',
        b'e.l("static/chunks/a.js")',
        b'self.X={"/p":["static/chunks/a.js"]}',
        b'// static/chunks/a.js',
        b'[`static/chunks/a.js`].map(t=>e.l(t))',
        MAP + b',"static/chunks/a.js"',
        MAP + b"}",
    ],
)  # fmt: skip
def test_a_name_in_an_unknown_place_of_a_script(source: bytes) -> None:
    with pytest.raises(UnplacedError):
        insertions(source, "script", OLD, VENDOR)


@pytest.mark.parametrize(
    "source", [b'f("static/chunks/a.js.map")', b'f("static/chunks/xa.js")', b'f("static/chunks/x-a.js")', b"f("]
)
def test_other_names_are_no_concern(source: bytes) -> None:
    assert insertions(source, "script", OLD, VENDOR) == ()


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ('1:I[7,["/_next/static/chunks/a.js"],"x"]\n', '1:I[7,["/_next/static/chunks/v.js","/_next/static/chunks/a.js"],"x"]\n'),
        ('1:I["m",["/b.js","/sub/_next/static/chunks/a.js?d=1"],"",1]\n', '1:I["m",["/b.js","/sub/_next/static/chunks/v.js?d=1","/sub/_next/static/chunks/a.js?d=1"],"",1]\n'),
        ('2:"/_next/static/chunks/a.js"\n3:I[7,["$2","$4"],"x"]\n', '2:"/_next/static/chunks/a.js"\n3:I[7,["/_next/static/chunks/v.js","$2","$4"],"x"]\n'),
        ('3:I[7,["$a"],"x"]\na:"/_next/static/chunks/a.js"', '3:I[7,["/_next/static/chunks/v.js","$a"],"x"]\na:"/_next/static/chunks/a.js"'),
        ('2:"/_next/static/chunks/a.js"\n3:I[7,["/_next/static/chunks/v.js","$2"],"x"]\n', None),
        (':HL["/_next/static/chunks/a.js","script"]\n', None),
        ('0:[["$","script","script-0",{"src":"/_next/static/chunks/a.js","async":true}]]\n', None),
        ('2:"/_next/static/chunks/a.js"\n3:["$","p",null,{"children":"$22"}]\n', None),
        ('1:T3,a:c2:"/_next/static/chunks/a.js"\n3:I[7,["$2"],"x"]\n', '1:T3,a:c2:"/_next/static/chunks/a.js"\n3:I[7,["/_next/static/chunks/v.js","$2"],"x"]\n'),
        ('1:T3,a:\n2:I[7,["/_next/static/chunks/a.js"],"x"]\n', '1:T3,a:\n2:I[7,["/_next/static/chunks/v.js","/_next/static/chunks/a.js"],"x"]\n'),
    ],
)  # fmt: skip
def test_lists_in_flight_data(before: str, after: str | None) -> None:
    expected = before if after is None else after
    assert _inserted(before.encode(), "flight").decode() == expected
    page = f"<p></p><script>(self.__next_f=self.__next_f||[]).push([0])</script>{_pushed(before)}"
    assert _inserted(page.encode(), "html").decode() == page.replace(_pushed(before), _pushed(expected))
    # Next cuts the stream where it will.
    for cut in range(1, len(before)):
        pieces = f'{_pushed(before[:cut])}<script>self.__next_f.push([2,"{{}}"])</script>{_pushed(before[cut:])}'
        stream = _inserted(pieces.encode(), "html").decode()
        pushes = [json.loads(found) for found in re.findall(r"push\((.*?)\)</script>", stream)]
        assert "".join(text for tag, text in pushes if tag == 1) == expected


@pytest.mark.parametrize(
    "rows",
    [
        '0:["$","script","0",null,{"src":"/_next/static/chunks/a.js"}]\n',
        "1:T19,/_next/static/chunks/a.js 2:null\n",
        '1:["/_next/static/chunks/a.js"]\n2:I[7,"$1","x"]\n',
        '1:{"a":"/_next/static/chunks/a.js"}\n',
        '1:I["/_next/static/chunks/a.js",[],"x"]\n',
        '1:I[7,[["/_next/static/chunks/a.js"]],"x"]\n',
        '2:"/_next/static/chunks/a.js"\n3:["$2"]\n',
        '2:"/_next/static/chunks/a.js"\n3:["$L2"]\n',
        '2:"/_next/static/chunks/a.js"\n3:["$2:0"]\n',
        '0:[["$","link","0",{"href":"/_next/static/chunks/a.js"}]]\n',
        '0:[["$","script","0",{"id":"/_next/static/chunks/a.js"}]]\n',
        "no flight data: /_next/static/chunks/a.js",
    ],
)
def test_a_name_in_an_unknown_place_of_flight_data(rows: str) -> None:
    with pytest.raises(UnplacedError):
        insertions(rows.encode(), "flight", OLD, VENDOR)
    with pytest.raises(UnplacedError):
        insertions(_pushed(rows).encode(), "html", OLD, VENDOR)


@pytest.mark.parametrize(
    ("tag", "copy"),
    [
        ('<script src="/_next/static/chunks/a.js" async=""></script>', '<script src="/_next/static/chunks/v.js" async=""></script>'),
        ("<script src=/_next/static/chunks/a.js defer></script>", "<script src=/_next/static/chunks/v.js defer></script>"),
        ('<script nonce="n" src="/sub/_next/static/chunks/a.js?dpl=1" id="_R_" async=""></script>', '<script nonce="n" src="/sub/_next/static/chunks/v.js?dpl=1" async=""></script>'),
        ('<script id="_R_" src="/_next/static/chunks/a.js"></script>', '<script src="/_next/static/chunks/v.js"></script>'),
        ('<link rel="preload" as="script" fetchPriority="low" href="/_next/static/chunks/a.js"/>', '<link rel="preload" as="script" fetchPriority="low" href="/_next/static/chunks/v.js"/>'),
    ],
)  # fmt: skip
def test_tags_of_pages(tag: str, copy: str) -> None:
    for around in ("é<p>{}</p>", "\r\n<head>{}", "{}<!-- -->"):
        expected = around.format(copy + tag)
        assert _inserted(around.format(tag).encode(), "html").decode() == expected
        assert _inserted(expected.encode(), "html").decode() == expected


def test_a_copied_tag_has_no_id_wherever_it_stood() -> None:
    page = b'<script src="/_next/static/chunks/a.js" id="_R_" async=""></script>'
    copy = b'<script src="/_next/static/chunks/vendor-three.js" async=""></script>'
    assert _inserted(page, "html", vendor="_next/static/chunks/vendor-three.js") == copy + page


@pytest.mark.parametrize(
    "page",
    [
        '<script src="/_next/static/chunks/a.js"></script><script>self.__next_f.push([1,"1:[\\"/_next/static/chunks/\\u0061.js\\"]\\n"])</script>',
        '<script src="/_next/static/chunks/a.js" integrity="sha384-x"></script>',
        '<script src="/_next/static/chunks/a.js" onload="f()"></script>',
        '<script src="/_next/static/chunks/a.js">f()</script>',
        '<script src="/other/a.js"></script>',
        '<a href="/_next/static/chunks/a.js">',
        '<link rel="stylesheet" href="/_next/static/chunks/a.js">',
        "<p>/_next/static/chunks/a.js</p>",
        "<!-- /_next/static/chunks/a.js -->",
        '<script type="application/json">["/_next/static/chunks/a.js"]</script>',
        '<template><script src="/_next/static/chunks/a.js"></script></template><i title="/_next/static/chunks/a.js">',
        '<script>self.__next_f.push([3,"AAAA"])</script>' + _pushed('1:I[7,["/_next/static/chunks/a.js"],"x"]\n'),
        '<script>f("/_next/static/chunks/a.js")</script>',
    ],
)  # fmt: skip
def test_a_name_in_an_unknown_place_of_a_page(page: str) -> None:
    with pytest.raises(UnplacedError):
        insertions(page.encode(), "html", OLD, VENDOR)


def test_an_inline_script_may_hold_lists() -> None:
    page = '<script id="_R_">(globalThis["T"] || (globalThis["T"] = [])).push({"otherChunks":["static/chunks/a.js"],"runtimeModuleIds":[1]});</script>'
    assert '["static/chunks/v.js","static/chunks/a.js"]' in _inserted(page.encode(), "html").decode()


def test_places_in_flight_data_are_found_behind_escapes() -> None:
    rows = '1:"\u2028😀<\\"\t"\n2:T4,😀3:I[7,["/_next/static/chunks/a.js"],"x"]\n'
    for ascii_only in (True, False):
        text = json.dumps(rows, ensure_ascii=ascii_only).replace("<", "\\u003c")
        page = f"<script>self.__next_f.push([1,{text}])</script>"
        changed = _inserted(page.encode(), "html").decode()
        assert json.loads(changed[len("<script>self.__next_f.push([1,") : -len("])</script>")]) == rows.replace(
            '"/_next/static/chunks/a.js"', '"/_next/static/chunks/v.js","/_next/static/chunks/a.js"'
        )


def test_two_old_chunks_may_share_a_new_one() -> None:
    page = b'<script src="/_next/static/chunks/a.js"></script><script src="/_next/static/chunks/b.js"></script>'
    once = _inserted(page, "html")
    assert _inserted(once, "html", "_next/static/chunks/b.js") == once


@pytest.mark.parametrize("kind", ["other", "script", "html", "flight"])
def test_the_new_chunk_lies_beside_the_old_one(kind: Kind) -> None:
    with pytest.raises(ValueError, match="beside"):
        insertions(b"", kind, OLD, "_next/static/v.js")
    with pytest.raises(ValueError, match="escaped"):
        insertions(b"", kind, OLD, "_next/static/chunks/a b.js")


def test_a_file_of_another_format_may_not_name_the_chunk() -> None:
    assert insertions(b"b.js", "other", OLD, VENDOR) == ()
    with pytest.raises(UnplacedError) as caught:
        insertions(b"see static/chunks/a.js", "other", OLD, VENDOR)
    assert caught.value.offset == 18


@given(st.binary(), st.lists(st.tuples(st.integers(0, 100), st.binary(max_size=3))))
def test_insertions_keep_the_file(data: bytes, made: list[tuple[int, bytes]]) -> None:
    found = [Insertion(min(at, len(data)), text) for at, text in made]
    result = insert(data, found)
    assert len(result) == len(data) + sum(len(one.text) for one in found)
    assert insert(data, []) == data
    assert result.endswith(data[max((one.at for one in found), default=0) :])


@given(
    st.lists(st.integers(1, 3), min_size=1, max_size=6),
    st.sets(st.integers(0, 5), min_size=1),
    st.sampled_from(["list", "table"]),
)
def test_both_chunks_have_all_modules_in_their_order(sizes: list[int], moved: set[int], shape: str) -> None:
    """sizes: how many ids share each factory."""
    groups = [[10 * number + one for one in range(size)] for number, size in enumerate(sizes)]
    if shape == "list":
        source = LIST % ",".join(f"{','.join(map(str, ids))},e=>{{e.i({ids[0]})}}" for ids in groups).encode()
    else:
        members = ",".join(f"{ids[0]}:[e=>{{e.i({ids[0]})}},{ids[1:]}]" for ids in groups)
        source = TABLE % f"{{{members}}}".encode()
    chunk = _chunk(source)
    assert [list(entry.ids) for entry in chunk.entries] == groups
    chosen = [entry for number, entry in enumerate(chunk.entries) if number in moved]
    if not chosen:
        return
    cut = move(source, chunk, chosen, "static/chunks/v.js")
    for text, expected in ((cut.vendor, chosen), (cut.old, [one for one in chunk.entries if one not in chosen])):
        entries = _chunk(text).entries
        assert [entry.ids for entry in entries] == [entry.ids for entry in expected]
        assert [text[one.start : one.end] for one in entries] == [source[one.start : one.end] for one in expected]
