"""What source maps say about the bytes of scripts: benchmarks/split_truth.py."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from split_truth import NOBODY, REST, MapError, Span, joined, numbers, spans, truth, vendor

if TYPE_CHECKING:
    from collections.abc import Iterable

    from browser import exports

MIXED = ("next14-mixed", "next15-mixed", "next16-mixed", "vite7", "vite8-mixed", "webpack5", "webpack5-runtime")
LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"


def segment(values: Iterable[int]) -> str:
    """The other way round than `numbers`."""
    text = ""
    for value in values:
        rest = abs(value) << 1 | (value < 0)
        while rest > 31:
            text += LETTERS[rest & 31 | 32]
            rest >>= 5
        text += LETTERS[rest]
    return text


def source_map(*lines: list[tuple[int, ...]], sources: tuple[str | None, ...] = ("a", "b")) -> dict[str, Any]:
    """A map of segments: (column, source), or (column,) for what has none. Both are absolute here."""
    mappings, before = [], 0
    for line in lines:
        column, texts = 0, []
        for place in line:
            fields = [place[0] - column]
            column = place[0]
            if len(place) > 1:
                fields += [place[1] - before, 0, 0]
                before = place[1]
            texts.append(segment(fields))
        mappings.append(",".join(texts))
    return {"version": 3, "sources": sources, "mappings": ";".join(mappings)}


@pytest.mark.parametrize(
    ("text", "expected"),
    [("A", [0]), ("C", [1]), ("D", [-1]), ("gB", [16]), ("AAAA", [0, 0, 0, 0]), ("hBCDgCA", [-16, 1, -1, 32, 0])],
)
def test_numbers_are_read(text: str, expected: list[int]) -> None:
    assert numbers(text) == expected


@given(st.one_of(*(st.lists(st.integers(-(2**31), 2**31), min_size=size, max_size=size) for size in (1, 4, 5))))
def test_numbers_are_read_as_they_were_written(values: list[int]) -> None:
    assert numbers(segment(values)) == values


@pytest.mark.parametrize("text", ["g", "AA", "AAA", "AAAAAA", "A.", "é"])
def test_what_is_no_segment_is_refused(text: str) -> None:
    with pytest.raises(MapError):
        numbers(text)


SPANS = {
    "no segment": (b"abcdef", source_map([]), [(0, 6, None)]),
    "all of one": (b"abcdef", source_map([(0, 1)]), [(0, 6, "b")]),
    "a head of nobody": (b"abcdef", source_map([(2, 0), (4, 1)]), [(0, 2, None), (2, 4, "a"), (4, 6, "b")]),
    "neighbours of one source": (b"abcdef", source_map([(0, 0), (2, 0), (4, 1)]), [(0, 4, "a"), (4, 6, "b")]),
    "a gap": (b"abcdef", source_map([(0, 0), (2,), (4, 0)]), [(0, 2, "a"), (2, 4, None), (4, 6, "a")]),
    "a source without a name": (b"abc", source_map([(0, 0)], sources=(None,)), [(0, 3, None)]),
    "on over lines": (b"a`\nbc\n`d", source_map([(0, 0)], [], [(1, 1)]), [(0, 7, "a"), (7, 8, "b")]),
    "a later line": (b"a\nbcd", source_map([(0, 0)], [(1, 1)]), [(0, 3, "a"), (3, 5, "b")]),
    "letters of two bytes": ("éab".encode(), source_map([(0, 0), (1, 1)]), [(0, 2, "a"), (2, 4, "b")]),
    "letters of two columns": ("😀ab".encode(), source_map([(0, 0), (2, 1)]), [(0, 4, "a"), (4, 6, "b")]),
    "the last column": (b"ab", source_map([(0, 0), (2, 1)]), [(0, 2, "a")]),
    "sections": (
        b"ab\ncdef",
        {
            "version": 3,
            "sections": [
                {"offset": {"line": 0, "column": 1}, "map": source_map([(0, 0)])},
                {"offset": {"line": 1, "column": 1}, "map": source_map([(0, 1), (2, 0)])},
            ],
        },
        [(0, 1, None), (1, 4, "a"), (4, 6, "b"), (6, 7, "a")],
    ),
}


@pytest.mark.parametrize(("script", "mapping", "expected"), SPANS.values(), ids=SPANS)
def test_spans(script: bytes, mapping: dict[str, Any], expected: list[tuple[int, int, str | None]]) -> None:
    assert [(span.start, span.end, span.origin) for span in spans(script, mapping)] == expected


@pytest.mark.parametrize(
    ("script", "mapping"),
    [
        pytest.param(b"abc", source_map([(2, 0), (1, 1)]), id="out of order"),
        pytest.param(b"abc", source_map([], [(0, 0)]), id="no such line"),
        pytest.param(b"abc", source_map([(0, 2)]), id="no such source"),
    ],
)
def test_a_map_that_does_not_fit_is_refused(script: bytes, mapping: dict[str, Any]) -> None:
    with pytest.raises(MapError):
        spans(script, mapping)


@given(st.text("ab\né😀", max_size=30), st.data())
def test_spans_cover_the_script(text: str, data: st.DataObject) -> None:
    lines = text.split("\n")
    places = [
        sorted(data.draw(st.lists(st.tuples(st.integers(0, len(line)), st.integers(0, 1)), max_size=4)))
        for line in lines
    ]
    script = text.encode()
    found = spans(script, source_map(*places))
    assert b"".join(script[span.start : span.end] for span in found) == script
    assert joined(found) == found


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        (None, NOBODY),
        ("webpack://x/./src/three/index.js", REST),
        ("webpack://x/./node_modules/three/build/three.module.js", "three"),
        ("../../node_modules/.pnpm/three@0.1.0/node_modules/three/build/three.core.js", "three"),
        ("../../node_modules/three-stdlib/index.js", REST),
        ("turbopack:///[project]/node_modules/@tensorflow/tfjs-core/dist/ops/add.js", "tfjs"),
        ("../../node_modules/@tensorflow/tfjs-core/node_modules/long/src/long.js", "tfjs"),
        ("../../node_modules/react-dom/index.js", REST),
    ],
)
def test_a_vendor_is_known_by_its_packages(source: str | None, expected: str) -> None:
    assert vendor(source) == expected


@pytest.mark.fixtures
@pytest.mark.parametrize("export", MIXED, indirect=True)
def test_mixed_exports_are_mixed_and_have_no_maps(export: exports.Export) -> None:
    maps = export.folder.parent.with_name("fixtures-maps") / export.name
    scripts = truth(export.folder, maps)
    mixed = {
        name: sum(_sizes(parts).get(name, 0) for parts in scripts.values() if _sizes(parts).get(REST, 0) > 500)
        for name in ("three", "tfjs")
    }
    assert all(size > 100_000 for size in mixed.values()), mixed
    assert not list(export.folder.rglob("*.map"))
    for path in scripts:
        assert b"sourceMappingURL=" not in (export.folder / path).read_bytes()[-200:], path


def _sizes(parts: list[Span]) -> dict[str | None, int]:
    return {origin: sum(part.size for part in parts if part.origin == origin) for origin in {p.origin for p in parts}}
