"""JSON and SVG."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from v1z3r_build.formats import json_minifier, svg_minifier


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ('{ "a" : [ 1 , 2 ] }', '{"a":[1,2]}'),
        ("[ 1e400 , -0 , 0.10 , 12345678901234567890 ]", "[1e400,-0,0.10,12345678901234567890]"),
        ('{ "a" : 1 , "a" : 2 }', '{"a":1,"a":2}'),
        ('[ " a  b " , "\\" , ", "\\\\" , "\\u00e9 é" ]', '[" a  b ","\\" , ","\\\\","\\u00e9 é"]'),
        ("\r\n1\t", "1"),
    ],
)
def test_json_keeps_every_token(source: str, expected: str) -> None:
    (only,) = json_minifier.minify(source.encode()).candidates
    assert only.data.decode() == expected


@pytest.mark.parametrize(
    "source",
    [
        "",
        "  ",
        '{"a":1}',
        '\ufeff{ "a" : 1 }',
        '// c\n{ "a": 1 }',
        '{ "a": 1, /* b */ "c": 2 }',
        "[ " * 5000 + "]" * 5000,
    ],
)
def test_json_left_alone(source: str) -> None:
    result = json_minifier.minify(source.encode())
    assert not result.candidates
    assert not result.diagnostics


@pytest.mark.parametrize(
    ("source", "code", "line", "column"),
    [
        (b"{ a : 1 }", "json-syntax", 1, 3),
        (b'{\n  "a": 1,\n}', "json-syntax", 3, 1),
        (b'{ "a" :\n NaN }', "json-syntax", 2, 2),
        (b"1  2", "json-syntax", 1, 4),
        (b"<html> </html>", "json-syntax", 1, 1),
        (b'{ "a" : "\xff" }', "invalid-encoding", 1, 10),
    ],
)
def test_json_that_does_not_parse_is_kept_and_named(source: bytes, code: str, line: int, column: int) -> None:
    result = json_minifier.minify(source)
    assert not result.candidates
    (said,) = result.diagnostics
    assert (said.code, said.line, said.column) == (code, line, column)


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)


@settings(max_examples=300, deadline=None, derandomize=True)
@given(VALUES, st.sampled_from([None, 1, "\t"]), st.booleans())
def test_any_json_survives(value: Any, indent: int | str | None, ascii_only: bool) -> None:
    source = json.dumps(value, indent=indent, ensure_ascii=ascii_only)
    try:
        data = source.encode()
    except UnicodeEncodeError:
        return
    found = json_minifier.minify(data).candidates
    result = found[0].data.decode() if found else source
    assert result == json.dumps(value, separators=(",", ":"), ensure_ascii=ascii_only)


SVG = 'xmlns="http://www.w3.org/2000/svg"'


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        (
            '<?xml version="1.0" encoding="UTF-8"?>\n<!-- x -->\n'
            f'<svg {SVG}\n  viewBox = "0 0 1 1" >\n <g id="a" />\n</svg>\n',
            f'<svg {SVG} viewBox="0 0 1 1"><g id="a"/></svg>',
        ),
        (
            '<svg> <symbol id="x"> <path d="M0  0"/> </symbol> <use href="#x"/> </svg>',
            '<svg><symbol id="x"><path d="M0  0"/></symbol><use href="#x"/></svg>',
        ),
        ("<svg> <text> a <tspan> b </tspan> </text> </svg>", "<svg><text> a <tspan> b </tspan> </text></svg>"),
        ("<svg> <title> x </title> <desc> y </desc> </svg>", "<svg><title> x </title><desc> y </desc></svg>"),
        ("<svg> <style> a > b { } </style> </svg>", "<svg><style> a > b { } </style></svg>"),
        ("<svg> <a> <b/> </a> </svg>", "<svg><a> <b/> </a></svg>"),
        ("<svg> <style><![CDATA[ <a> ]]></style> </svg>", "<svg><style><![CDATA[ <a> ]]></style></svg>"),
        ("<svg a='\"  >'   b=\"'\" > </svg>", "<svg a='\"  >' b=\"'\"></svg>"),
        ("<!-- Copyright A -->  <svg> </svg>", "<!-- Copyright A --><svg></svg>"),
        ("<?xml-stylesheet href='a.css'?>\n<svg> </svg>", "<?xml-stylesheet href='a.css'?><svg></svg>"),
        (
            "<svg xmlns:i='urn:i'> <metadata> <i:a/> </metadata> </svg>",
            "<svg xmlns:i='urn:i'><metadata> <i:a/> </metadata></svg>",
        ),
    ],
)
def test_svg_loses_nothing_that_shows(source: str, expected: str) -> None:
    (only,) = svg_minifier.minify(source.encode()).candidates
    assert only.data.decode() == expected


@pytest.mark.parametrize(
    "source",
    [
        b'<!DOCTYPE svg [<!ENTITY a "aaaa"> <!ENTITY b "&a;&a;">]> <svg> &b; </svg>',
        b"<svg> <script> x </script> </svg>",
        b"<svg onload = 'x()'> <g/> </svg>",
        b"<svg> <foreignObject> <p> a </p> </foreignObject> </svg>",
        b'<svg> <text xml:space="preserve"> <tspan/> </text> </svg>',
        "<svg> <g/> </svg>".encode("utf-16"),
        b"<svg/>",
        b"no svg",
    ],
)
def test_svg_left_alone(source: bytes) -> None:
    result = svg_minifier.minify(source)
    assert not result.candidates
    assert not result.diagnostics


def test_another_encoding_stays_declared() -> None:
    source = '<?xml version="1.0" encoding="ISO-8859-1"?>  <svg> <title>é</title> </svg>'.encode("latin-1")
    (only,) = svg_minifier.minify(source).candidates
    assert only.data == '<?xml version="1.0" encoding="ISO-8859-1"?><svg><title>é</title></svg>'.encode("latin-1")


def test_svg_that_is_no_xml_is_kept_and_named() -> None:
    (said,) = svg_minifier.minify(b"<svg>\n <g> </svg>").diagnostics
    assert (said.code, said.line) == ("svg-syntax", 2)
