"""Words and references in data: JSON, source maps, import maps, flight data, and the files that hosts read."""

from __future__ import annotations

import json as standard
from functools import partial
from json import dumps
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from spans import check, marked, mentions, refilled, row, source, stands, urls

from v1z3r_build.formats import flight, host_files, json
from v1z3r_build.formats.reading import read_spans
from v1z3r_build.site.span import Hit, Reading, digests

if TYPE_CHECKING:
    from collections.abc import Sequence

    from v1z3r_build.site.asset import Kind


def read_import_map(data: bytes, hits: Sequence[Hit] = ()) -> Reading:
    return json.read_import_map(data, hits, 0, len(data))


# JSON

WORDS = {
    "value": ('{"a":"/x/«a».png"}', ("string", b"/x/", b".png")),
    "key": ('{"/«a».png":1}', ("string", b"/", b".png")),
    "element": ('["«a».png","b"]', ("string", b"", b".png")),
    "whole text": ('"«a».png"', ("string", b"", b".png")),
    "escaped slash": (r'{"a":"\/x\/«a».png"}', ("string", rb"\/x\/", b".png")),
    "behind an escaped quote": (r'{"a":"\"«a».png"}', ("string", b"", b".png")),
    "a string in a string": (r'{"a":"{\"b\":\"/«a».png\"}"}', ("string", b"/", b".png\\")),
    "over two strings": ('{"«a":"b»"}', ("unknown", b"", b"")),
    "a number": ('{"a":«1234»}', ("unknown", b":", b"}")),
    "unicode around it": ('{"é":"舞/«a».png"}', ("string", "舞/".encode(), b".png")),
    "CRLF and white space": ('{\r\n\t"a" :\r\n "«a».png"\r\n}', ("string", b"", b".png")),
    "no JSON": ("{'a': '«a».png'}", ("unknown", b"", b".png")),
    "JSON with a comment": ('{"a":"«a».png"} // b', ("unknown", b"", b".png")),
    "not closed": ('{"a":"«a».png', ("unknown", b"", b".png")),
}


@pytest.mark.parametrize("text, expected", WORDS.values(), ids=WORDS.keys())
def test_words_in_json(text: str, expected: tuple[str, bytes, bytes]) -> None:
    assert mentions(json.read, text) == [expected]


def test_a_broken_text_with_a_long_run_of_letters_is_told_from_json_at_once() -> None:
    """A run of n letters can be divided in 2ⁿ⁻¹ ways; all of them were tried before."""
    assert stands(json.read, f'{{"a": "«a».png", "b": {"7" * 5_000} /}}') == ["unknown"]


SOURCE_MAPS = {
    "sources": ('{"version":3,"sources":["«a».ts"]}', ["label"]),
    "file": ('{"file":"«a».js","sources":[]}', ["string"]),
    "after sources": ('{"sources":["x"],"file":"«a».js"}', ["string"]),
    "contents": ('{"sourcesContent":["import \'«a».js\'", "«a»"],"file":"«a».js"}', ["string"]),
    "sources of a section": ('{"sections":[{"map":{"sources":["«a».ts"]}}]}', ["string"]),
    "contents of a section": ('{"sections":[{"map":{"sourcesContent":[null, "«a».js"]}}]}', []),
    "contents that are no list": ('{"sourcesContent":"«a».js"}', ["string"]),
}


@pytest.mark.parametrize("text, expected", SOURCE_MAPS.values(), ids=SOURCE_MAPS.keys())
def test_words_in_source_maps(text: str, expected: list[str]) -> None:
    assert stands(json.read_source_map, text) == expected


IMPORT_MAPS: dict[str, tuple[str, list[tuple[str, bytes, str]]]] = {
    "imports": ('{"imports":{"a":"/a.js","b/":"./b/"}}', [row("import-map", "/a.js"), row("import-map", "./b/")]),
    "scopes": ('{"scopes":{"/x/":{"a":"/a.js"}}}', [row("import-map", "/a.js")]),
    "the key is a URL": ('{"imports":{"/a.js":"/b.js"}}', [row("import-map", "/b.js")]),
    "blocked": ('{"imports":{"a":null,"b":"/b.js"}}', [row("import-map", "/b.js")]),
    "other members": ('{"integrity":{"/a.js":"sha384-x"},"x":"/b.js"}', []),
    "escapes": (
        r'{"imports":{"a":"\/\u0061.js","b":"\ud83d\ude00.js"}}',
        [row("import-map", r"\/\u0061.js", "/a.js"), row("import-map", r"\ud83d\ude00.js", "😀.js")],
    ),
    "no JSON": ('{"imports":{"a":"/a.js"}} !', []),
    "not closed": ('{"imports":{"a":"/a.js', []),
}


@pytest.mark.parametrize("text, expected", IMPORT_MAPS.values(), ids=IMPORT_MAPS.keys())
def test_import_maps(text: str, expected: list[tuple[str, bytes, str]]) -> None:
    data = source(text)
    assert urls(data, check(read_import_map, data, [b"a", b"/b.js"])) == expected
    refilled(read_import_map, data)


def test_words_in_import_maps() -> None:
    """A key is compared with URLs that scripts resolve: filled there, it would fit none of them."""
    assert stands(read_import_map, '{"imports":{"/«a».js":"/«b».js"}}') == ["unknown", "string"]


VALUES = st.recursive(
    st.one_of(st.none(), st.booleans(), st.floats(allow_nan=False), st.text(max_size=5), st.just("a.png")),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(st.text(max_size=3), inner, max_size=3)),
    max_leaves=6,
)


@settings(max_examples=50, deadline=None, derandomize=True)
@given(VALUES, st.booleans())
def test_every_json_text_is_understood(value: object, ascii_only: bool) -> None:
    data = standard.dumps(value, ensure_ascii=ascii_only, indent=1).encode("utf-8", "surrogatepass")
    reading = check(json.read, data, [b"a.png"])
    assert {found.stand for found in reading.mentions} <= {"string"}
    check(read_import_map, data, [b"a.png"])


PIECES = [
    "{",
    "}",
    "[",
    "]",
    ":",
    ",",
    '"',
    '"a.js"',
    '"imports":',
    '"sources":',
    "\\",
    '\\"',
    "1.5e3",
    "null",
    "!",
    "é",
]


@settings(max_examples=200, deadline=None, derandomize=True)
@given(st.lists(st.sampled_from(PIECES), max_size=12).map("".join))
def test_any_tokens_of_json(text: str) -> None:
    for read in (json.read, json.read_source_map, read_import_map):
        check(read, text.encode(), [b"a.js", b'"'])


# Flight data

STAGE = "Bühne 舞台 😀"  # 6 + 1 + 6 + 1 + 4 bytes
FLIGHT = {
    "module row": ('2:I[1,["/_next/«a».js"],"X"]\n', ["string"]),
    "hint": (':HL["/_next/«a».css","style"]\n', ["string"]),
    "several rows": ('0:"«a»"\n1:null\n2:"$Sreact.fragment"\na1:D{"x":"«b»"}\n', ["string", "string"]),
    "no line end at the end": ('0:["«a»"]', ["string"]),
    "text row": ("1:T3,«abc»", ["text"]),
    "text row, then another": ('1:T3,«abc»2:"«d»"\n', ["text", "string"]),
    "bytes are counted, not letters": (f'1:T{len(STAGE.encode()):x},{STAGE}2:"«a»"\n', ["string"]),
    "letters are too few bytes": (f'1:T{len(STAGE):x},{STAGE}2:"«a»"\n', ["text"]),
    "text that looks like rows": ('1:Ta,\n2:I["«a»"]\n3:"«b»"\n', ["text", "string"]),
    "text row that is cut off": ("1:Tff,«abc»", ["text"]),
    "row that is no JSON": ("0:[«a»]\n", ["unknown"]),
    "an id": ('«ab»:"c"\n', ["unknown"]),
    "any other text": ("User-agent: «a»\n", ["text"]),
    "nothing but a word": ("«a»", ["text"]),
}


@pytest.mark.parametrize("text, expected", FLIGHT.values(), ids=FLIGHT.keys())
def test_words_in_flight_data(text: str, expected: list[str]) -> None:
    assert stands(flight.read, text) == expected


# Flight data, and the images that it shows: what each is for, and its URL.
SHOWN: dict[str, tuple[str, list[tuple[str, str]]]] = {
    "elements": (
        '0:["$","p",null,{"children":[["$","img",null,{"alt":"","src":"/a.png","width":1}],["$","video","k",{"poster":"/b.jpg"}]]}]\n',
        [("element", "/a.png"), ("element", "/b.jpg")],
    ),
    "a set": (
        '0:["$","img",null,{"srcSet":"/a.png 240w, /b.png 480w"}]\n',
        [("element", "/a.png"), ("element", "/b.png")],
    ),
    "a hint": (':HL["/a.png","image"]\n:HL["/a.css","style"]\n', [("preload", "/a.png")]),
    "a component's properties": ('0:["$","$L5",null,{"src":"/a.png","alt":"img"}]\n', []),
    "an object within an element's": ('0:["$","img",null,{"data":{"src":"/a.png"},"x":[{"src":"/b.png"}]}]\n', []),
    "an array that is no element": ('0:["img",null,{"src":"/a.png"}]\n1:["x","img",{"src":"/b.png"}]\n', []),
    "what others than the page are told": (
        '0:[["$","meta","1",{"property":"og:image","content":"https://a.example/a.png"}],'
        '["$","meta","2",{"content":"/b.png","name":"twitter:image"}],["$","link","3",{"rel":"icon","href":"/c.png"}]]\n',
        [("outside", "https://a.example/a.png"), ("outside", "/b.png"), ("icon", "/c.png")],
    ),
    "what it is not known that they are told": (
        '0:[["$","meta","1",{"name":"x","content":"/a.png"}],["$","link","2",{"rel":"x icons y","href":"/b.css"}],'
        '["$","img",null,{"alt":"","property":"og:image","content":"/c.png"}],{"rel":"icon","href":"/d.png"}]\n',
        [],
    ),
    "a text that looks like an element": ('0:T24,["$","img",null,{"src":"/a.png"}]\n1:["img"]\n', []),
}


@pytest.mark.parametrize(("text", "expected"), SHOWN.values(), ids=SHOWN)
def test_images_that_flight_data_shows(text: str, expected: list[tuple[str, str]]) -> None:
    data = text.encode()
    assert [(url.role, url.text) for url in flight.read(data).urls] == expected
    for cut in range(len(text) + 1):
        parts = [dumps(text[:cut]), dumps(text[cut:])]
        page = "".join(f"<script>self.__next_f.push([1,{part}])</script>" for part in parts)
        starts = [page.index(parts[0]), page.rindex(parts[1])]
        pieces = [(start + 1, start + len(part) - 1) for start, part in zip(starts, parts, strict=True)]
        found = [(url.role, page[url.start : url.end]) for url in flight.shown(page.encode(), pieces)]
        uncut = [one for one in expected if one[1] in parts[0] or one[1] in parts[1]]
        assert found == uncut


# Flight data, and the images that Next.js's component, module 5500, shows in it.
OF_COMPONENTS: dict[str, tuple[str, list[str]]] = {
    "the component": (
        '9:I[5500,["/a.js","/b.js"],"Image"]\n0:["$","$L9",null,{"src":"/a.png","alt":"/b.png"}]\n',
        ["/a.png"],
    ),
    "defined later": ('0:["$","$La",null,{"src":"/a.png"}]\na:I[5500,["$2"],"Image"]\n', ["/a.png"]),
    "what was imported": ('9:I[5500,["/a.js"],"Image"]\n0:["$","$L9",null,{"src":{"src":"/a.png"}}]\n', []),
    "another module": ('9:I[5501,["/a.js"],"Image"]\n0:["$","$L9",null,{"src":"/a.png"}]\n', []),
    "another export": ('9:I[5500,["/a.js"],"Other"]\n0:["$","$L9",null,{"src":"/a.png"}]\n', []),
    "another component": ('9:I[5500,["/a.js"],"Image"]\n0:["$","$L8",null,{"src":"/a.png"}]\n', []),
    "a text that looks like a module": (
        '1:T22,\n9:I[5500,["/a.js"],"Image"]\n\n\n\n\n\n0:["$","$L9",null,{"src":"/a.png"}]\n',
        [],
    ),
    "elements of browsers beside it": (
        '9:I[5500,["/a.js"],"Image"]\n0:[["$","$L9",null,{"src":"/a.png"}],["$","img",null,{"srcSet":"/b.png 1x"}],'
        '["$","link",null,{"rel":"icon","href":"/c.png"}]]\n',
        ["/a.png"],
    ),
    "no flight data": ('9:I[5500,["/a.js"],"Image"]\nx', []),
}


@pytest.mark.parametrize(("text", "expected"), OF_COMPONENTS.values(), ids=OF_COMPONENTS)
def test_images_that_components_show(text: str, expected: list[str]) -> None:
    components = {("5500", "Image")}
    assert [url.text for url in flight.shown_by(text.encode(), components)] == expected
    assert [*flight.shown_by(text.encode(), set())] == []
    page = f"<script>self.__next_f.push([1,{dumps(text)}])</script>"
    start = page.index('1,"') + 3
    found = flight.shown_in_page_by(page.encode(), [(start, page.rindex('"'))], components)
    assert [page[url.start : url.end] for url in found] == expected


def test_rows_of_flight_data() -> None:
    text = f'0:["a"]\n1:T{len(STAGE.encode()):x},{STAGE}:HL["b"]\n'
    data = text.encode()
    found = flight.rows(data)
    assert found is not None
    assert [(data[start:end].decode(), is_text) for start, end, is_text in found] == [
        ('["a"]', False),
        (STAGE, True),
        ('HL["b"]', False),
    ]


@settings(max_examples=50, deadline=None, derandomize=True)
@given(
    st.lists(
        st.tuples(st.integers(0, 255), st.one_of(VALUES, st.text(max_size=9).map(str.encode))), min_size=1, max_size=5
    )
)
def test_rows_are_found_again(rows: list[tuple[int, object]]) -> None:
    """As React writes them: JSON in one line, text after its length in bytes."""
    written = []
    expected = []
    for number, value in rows:
        payload = value if isinstance(value, bytes) else standard.dumps(value).encode()
        head = f"{number:x}:".encode() + (b"T%x," % len(payload) if isinstance(value, bytes) else b"")
        written.append(head + payload + (b"" if isinstance(value, bytes) else b"\n"))
        expected.append((payload, isinstance(value, bytes)))
    data = b"".join(written)
    found = flight.rows(data)
    assert found is not None
    assert [(data[start:end], is_text) for start, end, is_text in found] == expected
    check(flight.read, data, [b"a", b"1"])


@settings(max_examples=100, deadline=None, derandomize=True)
@given(st.binary(max_size=30), st.sampled_from([b"", b"0:", b"1:T4,", b'2:"a"\n']))
def test_any_bytes_as_flight_data(data: bytes, head: bytes) -> None:
    check(flight.read, head + data, [b"a", b":"])


PUSH = '<script>self.__next_f.push([1,"%s"])</script>'
# Texts with a mark wherever a seam begins or ends, and which marks these are.
SEAMS: dict[str, tuple[str, list[tuple[int, int]]]] = {
    "two pushes": (PUSH % "a|" + PUSH % "|b", [(0, 1)]),
    "three": (PUSH % "a|" + PUSH % "|" + PUSH % "|b", [(0, 1), (1, 2)]),
    "elements between them": (
        PUSH % "a|"
        + "<div hidden></div><script>$RC()</script>"
        + (PUSH % "|b").replace("<script", '<script nonce="x"'),
        [(0, 1)],
    ),
    "an escaped quote": (PUSH % r"a\"|" + PUSH % r"|\\b", [(0, 1)]),
    "a semicolon and white space": (
        (PUSH % "a|").replace("<script>", "<script>\n").replace(")<", ");\n<") + PUSH % "|b",
        [(0, 1)],
    ),
    "another script": ('<script>push([1,"a"])</script>' + PUSH % "b", []),
    "one": (PUSH % "a", []),
    "broken": ('<script>self.__next_f.push([1,"a])</script>' + PUSH % "b", []),
}


@pytest.mark.parametrize("text, expected", SEAMS.values(), ids=SEAMS.keys())
def test_seams_of_flight_data_in_a_page(text: str, expected: list[tuple[int, int]]) -> None:
    parts = text.split("|")
    marks = [len("".join(parts[: number + 1])) for number in range(len(parts) - 1)]
    assert flight.seams("".join(parts).encode()) == [(marks[low], marks[high]) for low, high in expected]


# Files that hosts read

HOSTS: dict[str, tuple[str, list[tuple[str, bytes, str]]]] = {
    "preload": ("/*\n  Link: </a.css>; rel=preload; as=style\n", [row("preload", "/a.css")]),
    "several": (
        '/*\n\tlink: </a.js>;rel="modulepreload", </b.css>; rel=stylesheet,<c.png>;rel=icon\n',
        [row("preload", "/a.js"), row("style", "/b.css"), row("icon", "c.png")],
    ),
    "parameters in any order": (
        "/*\n  Link: </a.css>; as=style; crossorigin; rel=preload\n",
        [row("preload", "/a.css")],
    ),
    "one of several relations": ('/*\n  Link: </a.css>; rel="alternate stylesheet"\n', [row("style", "/a.css")]),
    "CRLF": ("/*\r\n  Link: </a.css>; rel=preload\r\n", [row("preload", "/a.css")]),
    "for outsiders": (
        '/*\n  Link: </a.pdf>; rel="canonical"\n  Link: </b.pdf>\n',
        [row("outside", "/a.pdf"), row("outside", "/b.pdf")],
    ),
    "another host": ("/*\n  Link: <https://cdn.example>; rel=preconnect\n", [row("outside", "https://cdn.example")]),
    "a rule called link": ("/link: </a.css>\n", []),
    "another header": ("/*\n  X-Link: </a.css>; rel=preload\n", []),
    "comment": ("/*\n  # Link: </a.css>; rel=preload\n", []),
    "redirect": ("/old/* /new/:splat 301\n", []),
    "not closed": ("/*\n  Link: </a.css\n  Link: </b.css>; rel=preload\n", [row("preload", "/b.css")]),
}


@pytest.mark.parametrize("text, expected", HOSTS.values(), ids=HOSTS.keys())
def test_link_headers(text: str, expected: list[tuple[str, bytes, str]]) -> None:
    data = source(text)
    assert urls(data, check(host_files.read, data, [b"a", b"/"])) == expected
    refilled(host_files.read, data)


def test_words_in_host_files() -> None:
    text = "/«a».js\n  Link: </«a».js>; rel=preload\n  X: «b»\n"
    assert stands(host_files.read, text) == ["unknown", "string", "unknown"]


@settings(max_examples=100, deadline=None, derandomize=True)
@given(
    st.lists(
        st.sampled_from(["/*", "\n", "\r\n", "  Link: ", "<", ">", "</a.css>", ";", "rel=preload", ",", '"', "é"]),
        max_size=12,
    ).map("".join)
)
def test_any_tokens_of_host_files(text: str) -> None:
    check(host_files.read, text.encode(), [b"a.css", b"<"])


# Which format reads a file

FORMATS: dict[str, tuple[str, Kind, str, str]] = {
    "page": ("a.html", "html", "<p>«a»", "text"),
    "svg": ("a.svg", "image", '<svg><image href="«a»"/></svg>', "string"),
    "style": ("a.css", "style", "/*«a»*/", "comment"),
    "script": ("a.js", "script", "x=['«a»']", "table"),
    "json": ("a.json", "json", '{"a":"«a»"}', "string"),
    "source map": ("a.js.map", "json", '{"sources":["«a»"]}', "label"),
    "glTF": ("a.gltf", "other", '{"uri":"«a»"}', "string"),
    "flight data": ("a.txt", "text", '0:["«a»"]', "string"),
    "headers": ("_headers", "text", "/*\n  Link: <«a»>", "string"),
    "headers in a folder": ("x/_headers", "text", "/*\n  Link: <«a»>", "text"),
    "feed": ("a.xml", "text", "<link>«a»</link>", "text"),
}


@pytest.mark.parametrize("path, kind, text, expected", FORMATS.values(), ids=FORMATS.keys())
def test_which_format_reads_a_file(path: str, kind: Kind, text: str, expected: str) -> None:
    assert stands(partial(read_spans, path, kind), text) == [expected]


MAPPED = {
    "script": ("a.js", "script", b"x\n//# sourceMappingURL=a.js.map", True),
    "style": ("a.css", "style", b"a{}/*# sourceMappingURL=a.css.map */", True),
    "script without": ("a.js", "script", b"x", False),
    "page": ("a.html", "html", b"<p>sourceMappingURL=", False),
}


@pytest.mark.parametrize("path, kind, data, expected", MAPPED.values(), ids=MAPPED.keys())
def test_columns_of_a_source_map_are_minded(path: str, kind: Kind, data: bytes, expected: bool) -> None:
    assert read_spans(path, kind, data, ()).mapped is expected


DOTS = {
    "plain": ("a.png", ".png"),
    "two suffixes": ("a.min.css", ".css"),
    "query": ("a.png?v=1.5#b.c", ".png"),
    "fragment": ("a.svg#b.c", ".svg"),
    "query in a character reference": ("a.png?x=1&amp;y=2.5", ".png"),
    "percent encoded": ("a%20b.png", ".png"),
    "unicode": ("é.png", ".png"),
    "dot in a folder": ("a.b/c", ""),
    "none": ("a", ""),
    "in an escape": ("a%2Epng", ""),
}


@pytest.mark.parametrize("text, suffix", DOTS.values(), ids=DOTS.keys())
def test_where_a_hash_would_go(text: str, suffix: str) -> None:
    data = f'<img src="{text}">'.encode()
    (url,) = read_spans("a.html", "html", data, ()).urls
    assert url.suffix == suffix
    assert (url.dot == -1) if not suffix else data[url.dot :].startswith(suffix.encode())


SHA = {"sha256": "A" * 43 + "=", "sha384": "b/" * 32, "sha512": "C+" * 43 + "=="}


@pytest.mark.parametrize("name", SHA)
def test_digests(name: str) -> None:
    text = f"{name}-{SHA[name]}"
    data = f"script-src '{text}' {text}A, {text[:-1]}".encode()
    found = digests(data)
    # One letter more makes no padded digest longer, since it ends where its padding does.
    expected = [text] if name == "sha384" else [text, text]
    assert [(data[one.start : one.end].decode(), one.text) for one in found] == [(one, one) for one in expected]


def test_marks_of_these_tests() -> None:
    assert marked("é«a»b«c»") == ("éabc".encode(), [Hit(2, 3, 0), Hit(4, 5, 1)])
