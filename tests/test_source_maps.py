"""Source maps: read as the standard says, fitted to their scripts, and made anew for texts that are made of these."""

from __future__ import annotations

import json
import re
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from v1z3r_build.formats import source_maps
from v1z3r_build.formats.derivation import ADDED, Derived, Edit, joined, written
from v1z3r_build.formats.source_maps import FittedMap, MapError, mapping_url, numbers, written_number

if TYPE_CHECKING:
    from collections.abc import Sequence

# Where a segment stands (line, column) and what it says: source, line, column, name; or nothing.
Segment = tuple[int, int, tuple[int, ...]]


def mappings(segments: Sequence[Segment]) -> str:
    """Written after the standard, by another way than the code's."""
    text, line, column, before = "", 0, 0, [0, 0, 0, 0]
    for at, here, fields in segments:
        while line < at:
            text, line, column = text + ";", line + 1, 0
        values = [here - column]
        for index, value in enumerate(fields):
            values.append(value - before[index])
            before[index] = value
        column = here
        text += ("" if text[-1:] in ("", ";") else ",") + "".join(map(written_number, values))
    return text


def source_map(segments: Sequence[Segment], **others: Any) -> bytes:
    found = {"version": 3, "sources": ["a.js", "b.js", None], "names": ["one", "two"], "mappings": mappings(segments)}
    return json.dumps({**found, **others}).encode()


def fitted(script: bytes, segments: Sequence[Segment], **others: Any) -> FittedMap:
    return FittedMap(source_maps.read(source_map(segments, **others)), script)


def meaning(data: bytes, text: bytes, place: int) -> tuple[object, ...] | None:
    """What a map says of a place, read slowly: the last segment of the line that does not begin behind it."""
    found = json.loads(data)
    before = text[:place].decode().split("\n")
    line, column = len(before) - 1, len(before[-1].encode("utf-16-le")) // 2
    source = source_line = source_column = name = 0
    said = None
    for number, one in enumerate(found["mappings"].split(";")):
        here = 0
        for segment in filter(None, one.split(",")):
            fields = numbers(segment)
            here += fields[0]
            if len(fields) > 1:
                source, source_line, source_column = (
                    source + fields[1],
                    source_line + fields[2],
                    source_column + fields[3],
                )
            name += fields[4] if len(fields) > 4 else 0
            if number == line and here <= column:
                own = found["names"][name] if len(fields) > 4 else None
                said = (found["sources"][source], source_line, source_column, own) if len(fields) > 1 else None
    return said


@given(st.integers(-(2**31), 2**31))
def test_numbers_are_read_as_they_were_written(value: int) -> None:
    assert numbers(written_number(value)) == (value,)


# Characters of all sizes, and no words: segments within words would not fit.
LETTERS = st.sampled_from(["a.", "é.", "\U0001f600 ", "\n", "."])


@st.composite
def cases(draw: st.DrawFn) -> tuple[bytes, list[Segment], Derived]:
    """A script, its map, and a text made of it."""
    text = "".join(draw(st.lists(LETTERS, min_size=1, max_size=25)))
    places = [
        (line, len(part[:at].encode("utf-16-le")) // 2)
        for line, part in enumerate(text.split("\n"))
        for at in range(len(part) + 1)
    ]
    where = sorted(draw(st.lists(st.sampled_from(places), max_size=10, unique=True)))
    origin = st.one_of(
        st.just(()),
        st.tuples(st.integers(0, 2), st.integers(0, 5), st.integers(0, 5)),
        st.tuples(st.integers(0, 2), st.integers(0, 5), st.integers(0, 5), st.integers(0, 1)),
    )
    segments = [(*place, draw(origin)) for place in where]
    script = text.encode()
    bounds = [len(text[:at].encode()) for at in range(len(text) + 1)]
    made: bytes = script
    parts: list[bytes] = []
    for _ in range(draw(st.integers(1, 4))):
        cuts = sorted(draw(st.lists(st.sampled_from(bounds), min_size=2, max_size=6)))
        new = draw(st.sampled_from(["", "x", "é\n", "\U0001f600y", ";"])).encode()
        edits = [Edit(low, high, new) for low, high in zip(cuts[1:-1:2], cuts[2:-1:2], strict=False)]
        made = written(script, cuts[0], cuts[-1], edits)
        parts += [made, draw(st.sampled_from([b"", b"+", b"\n"]))]
    return script, segments, joined(parts)


@given(cases())
@example((b"a.b", [(0, 0, (0, 1, 2)), (0, 2, ())], written(b"a.b", 1, 3)))
def test_a_composed_map_says_what_the_old_one_said_of_the_origin(case: tuple[bytes, list[Segment], Derived]) -> None:
    script, segments, text = case
    old = source_map(segments)
    new = FittedMap(source_maps.read(old), script).composed(text, "new.js")
    ends = [*text.places, len(text)][1:]
    for place, origin, end in zip(text.places, text.origins, ends, strict=True):
        for at in range(place, end):
            # Bytes within a character have no column.
            if 0x80 <= text[at] < 0xC0:
                continue
            said = meaning(new, text, at)
            if origin == ADDED:
                assert said is None
            else:
                assert said == meaning(old, script, origin + at - place if origin >= 0 else ~origin)


def test_of_an_unchanged_text_the_map_says_the_same_in_the_same_words() -> None:
    script = b"let a=1;\nf(a)"
    segments: list[Segment] = [(0, 0, (1, 0, 0)), (0, 4, (1, 0, 4, 1)), (0, 5, ()), (1, 0, (0, 2, 0))]
    others = {
        "file": "x.js",
        "sourceRoot": "/s/",
        "sources": ["a.js", "b.js"],
        "sourcesContent": ["A", "\ud800é"],
        "ignoreList": [1],
    }
    made = fitted(script, segments, **others).composed(written(script, 0, len(script)), "x.js")
    assert json.loads(made) == {
        # The order of use makes the map independent of what else was in the old one.
        "version": 3, "file": "x.js", "sourceRoot": "/s/", "sources": ["b.js", "a.js"], "sourcesContent": ["\ud800é", "A"],
        "names": ["two"], "ignoreList": [0],
        "mappings": mappings([(0, 0, (0, 0, 0)), (0, 4, (0, 0, 4, 0)), (0, 5, ()), (1, 0, (1, 2, 0))]),
    }  # fmt: skip


def test_a_part_has_only_its_own_sources() -> None:
    script = b"a.b.c"
    segments: list[Segment] = [(0, 0, (0, 0, 0)), (0, 2, (1, 0, 0, 0)), (0, 4, (2, 0, 0))]
    one = fitted(
        script, segments, file="js/x.js", x_google_ignoreList=[0, 1], debugId="12-34", sourcesContent=["A", "B"]
    )
    made = json.loads(one.composed(written(script, 2, 4), "three.0123.js"))
    assert made == {
        "version": 3, "file": "js/three.0123.js", "sources": ["b.js"], "sourcesContent": ["B"], "names": ["one"],
        "mappings": "AAAAA", "x_google_ignoreList": [0],
    }  # fmt: skip


def test_an_id_stays_with_the_text_that_bears_it() -> None:
    script = b"a.b\n//# debugId=12-34"
    one = fitted(script, [(0, 0, (0, 0, 0))], debugId="12-34")
    assert json.loads(one.composed(written(script, 0, len(script)), "x.js"))["debugId"] == "12-34"
    assert "debugId" not in json.loads(one.composed(written(script, 0, 3), "x.js"))


def test_sections_are_read_as_one_map() -> None:
    def part(*segments: Segment, **others: Any) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(source_map(segments, **others))
        return found

    sections = [
        {"offset": {"line": 0, "column": 2}, "map": part((0, 0, (0, 0, 0)), ignoreList=[2])},
        {"offset": {"line": 0, "column": 4}, "map": part((0, 0, (1, 7, 0, 1)), (1, 1, (0, 8, 0)), ignoreList=[1])},
    ]
    data = json.dumps({"version": 3, "sections": sections}).encode()
    found = source_maps.read(b")]}'\n" + data)
    assert found.sources == ("a.js", "b.js", None) * 2
    assert found.ignored == {"ignoreList": {2, 4}}
    script = b"a.b.c\n.d"
    one = FittedMap(found, script)
    said = [one.origin(place) for place in range(len(script))]
    assert [origin and (origin.source, origin.line) for origin in said] == [
        None, None, (0, 0), (0, 0), (4, 7), (4, 7), None, (3, 8),
    ]  # fmt: skip


def test_spans_go_on_over_line_ends_and_count_bytes() -> None:
    script = "é.\U0001f600.`\n x`.y".encode()
    segments: list[Segment] = [(0, 2, (0, 0, 0)), (0, 5, (1, 0, 0)), (1, 2, (1, 4, 0)), (1, 3, ())]
    spans = fitted(script, segments).spans()
    assert [(script[one.start : one.end].decode(), one.source) for one in spans] == [
        ("é.", None), ("\U0001f600.", "a.js"), ("`\n x`", "b.js"), (".y", None),
    ]  # fmt: skip


@given(cases())
def test_spans_cover_the_script(case: tuple[bytes, list[Segment], Derived]) -> None:
    script, segments, _ = case
    spans = fitted(script, segments).spans()
    assert b"".join(script[one.start : one.end] for one in spans) == script
    assert all(one.end == other.start and one.source != other.source for one, other in pairwise(spans))


BROKEN: dict[str, tuple[bytes, str]] = {
    "no JSON": (b"<!doctype html>", "no JSON"),
    "no object": (b"[]", "lacks"),
    "another version": (source_map([], version=2), "version 2"),
    "no mappings": (b'{"version":3,"sources":[]}', "lacks"),
    "a source that is no text": (source_map([], sources=[1]), "sources"),
    "a letter that is none": (source_map([], mappings="A!"), "'!'"),
    "half a number": (source_map([], mappings="g"), "segment"),
    "two numbers": (source_map([], mappings="AA"), "segment"),
    "a source that is not listed": (source_map([(0, 0, (3, 0, 0))]), "lists"),
    "a name that is not listed": (source_map([(0, 0, (0, 0, 0, 2))]), "lists"),
    "a line before the first": (source_map([], mappings="AADA"), "lists"),
    "roots that differ": (
        json.dumps({"version": 3, "sections": [
            {"offset": {"line": line, "column": 0}, "map": json.loads(source_map([], sourceRoot=str(line)))} for line in (0, 1)
        ]}).encode(),
        "roots",
    ),
    "a line too many": (source_map([(0, 0, (0, 0, 0)), (2, 0, (0, 0, 0))]), "line 3"),
    "a column back": (source_map([], mappings="EAAA,DAAA"), "order"),
    "places within words": (source_map([(0, 1, (0, 0, 0)), (0, 2, (0, 0, 0)), (0, 4, (0, 0, 0))]), "within a word"),
    "places behind the line": (source_map([(0, 900, (0, 0, 0))]), "behind"),
}  # fmt: skip


@pytest.mark.parametrize(("data", "why"), BROKEN.values(), ids=BROKEN)
def test_a_map_that_does_not_fit_is_refused(data: bytes, why: str) -> None:
    with pytest.raises(MapError, match=re.escape(why)):
        FittedMap(source_maps.read(data), b"word.b\nc")


@pytest.mark.parametrize("end", ["\r", "\u2028", "\u2029"])
def test_a_script_whose_lines_are_counted_in_two_ways_has_no_map(end: str) -> None:
    with pytest.raises(MapError, match="line end at byte 1"):
        fitted(f"a{end}b".encode(), [])
    fitted(b"a\r\nb", [])


@pytest.mark.parametrize(
    ("script", "url"),
    [
        (b"f()\n//# sourceMappingURL=x.js.map", "x.js.map"),
        (b"f()\n//# sourceMappingURL=x.js.map\n\n", "x.js.map"),
        (b"f()//@ sourceMappingURL=a/x.map", "a/x.map"),
        (b"f()\n/*# sourceMappingURL=x.js.map */\n", "x.js.map"),
        (b"f('//# sourceMappingURL=x.js.map')", ""),
        (b"f()\n//# sourceMappingURL=x.js.map\ng()", ""),
        (b"", ""),
    ],
)
def test_the_last_comment_names_the_map(script: bytes, url: str) -> None:
    assert mapping_url(script) == url
