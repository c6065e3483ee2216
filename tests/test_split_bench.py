"""How the bench judges a split: benchmarks/split.py."""

from __future__ import annotations

import pytest
from split import Miss, Score, judged, taken_over
from split_truth import Span

from v1z3r_build.formats.derivation import Edit, joined, written

THREE, TFJS, APP = "node_modules/three/a.js", "node_modules/@tensorflow/tfjs-core/b.js", "src/app.js"
TRUTH = [Span(0, 10, None), Span(10, 110, THREE), Span(110, 150, APP), Span(150, 200, TFJS)]


@pytest.mark.parametrize(
    ("said", "three", "tfjs"),
    [
        pytest.param([(10, 110, "three"), (150, 200, "tfjs")], (100, 0, 0), (50, 0, 0), id="all right"),
        pytest.param([], (0, 0, 100), (0, 0, 50), id="nothing moved"),
        pytest.param([(0, 110, "three")], (100, 0, 0), (0, 0, 50), id="what has no source is nobody's"),
        pytest.param([(10, 150, "three")], (100, 40, 0), (0, 0, 50), id="some of the app's"),
        pytest.param([(10, 60, "three"), (70, 110, "three")], (90, 0, 10), (0, 0, 50), id="a gap"),
        pytest.param([(0, 200, "tfjs")], (0, 0, 100), (50, 140, 0), id="another vendor's and the app's"),
    ],
)
def test_bytes_are_counted(
    said: list[tuple[int, int, str]], three: tuple[int, int, int], tfjs: tuple[int, int, int]
) -> None:
    scores, misses = judged(TRUTH, [Span(*one) for one in said])
    assert scores == {"three": Score(*three), "tfjs": Score(*tfjs)}
    assert sum(one.end - one.start for one in misses if one.said) == three[1] + tfjs[1]
    assert sum(one.end - one.start for one in misses if one.true in ("three", "tfjs")) == three[2] + tfjs[2]


def test_misses_name_their_sources() -> None:
    _, misses = judged(TRUTH, [Span(100, 120, "three")])
    assert misses == [
        Miss(10, 100, THREE, "three", ""),
        Miss(110, 120, APP, "rest", "three"),
        Miss(150, 200, TFJS, "tfjs", ""),
    ]


def test_what_a_file_took_over_is_told() -> None:
    source = b"const a=1,b=f(a);app();class C{get(){return b}}function f(){}"
    file = joined(
        (
            b"var e;",
            written(source, 6, 9, [Edit(6, 7, b"e")]),
            b";",
            written(source, 10, 16, [Edit(10, 11, b"t"), Edit(14, 15, b"e")]),
            written(source, 23, 47),
        )
    )
    assert taken_over(source, {"three": file}) == [Span(6, 16, "three"), Span(23, 47, "three")]


def test_shares() -> None:
    assert (Score(90, 10, 30).precision, Score(90, 10, 30).recall) == (0.9, 0.75)
    assert (Score().precision, Score().recall) == (1.0, 1.0)
