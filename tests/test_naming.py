"""Names over the graph of references: what a name follows, and that no two files ever share one."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from v1z3r_build.bundlers.tokens import BASE36, BASE64URL, HEX
from v1z3r_build.site import naming

if TYPE_CHECKING:
    import random
    from collections.abc import Iterable, Mapping, Sequence

LENGTH = 8


@dataclass(frozen=True)
class File:
    """A file of a site in small: `stem-came.js`, the content a list of bytes and of references to other files."""

    stem: str
    came: str
    parts: tuple[bytes | str, ...]

    def path(self, token: str) -> str:
        return f"{self.stem}-{token}.js"

    def content(self, site: Mapping[str, File], tokens: Mapping[str, str]) -> bytes:
        return b"".join(
            part if isinstance(part, bytes) else site[part].path(tokens[part]).encode() for part in self.parts
        )

    def references(self) -> set[str]:
        return {part for part in self.parts if isinstance(part, str)}


Site = dict[str, File]


def tokens(site: Mapping[str, File]) -> dict[str, str]:
    """The token of every file, given as the link pass gives it."""
    nothing = "\0" * LENGTH
    shared = naming.namesakes({key: [file.path(nothing)] for key, file in site.items()})
    blank = {key: file.came if key in shared else nothing for key, file in site.items()}

    def files(circle: Sequence[str], named: Mapping[str, str]) -> Iterable[tuple[str, bytes]]:
        known = {**named, **{key: blank[key] for key in circle}}
        return [(site[key].path(blank[key]), site[key].content(site, known)) for key in circle]

    def token(key: str, fingerprint: bytes) -> str:
        return naming.draw(fingerprint, [site[key].path(blank[key])], LENGTH, BASE64URL)

    return naming.name_units({key: file.references() for key, file in site.items()}, files, token)


def paths(site: Mapping[str, File]) -> dict[str, str]:
    return {key: site[key].path(token) for key, token in tokens(site).items()}


def reached(graph: Mapping[str, Iterable[str]], start: str) -> set[str]:
    """All that a node refers to over any number of steps, itself included."""
    seen, pending = {start}, [start]
    while pending:
        for target in graph.get(pending.pop(), ()):
            if target in graph and target not in seen:
                seen.add(target)
                pending.append(target)
    return seen


KEYS = ("a", "b", "c", "d", "e")


@st.composite
def sites(draw: st.DrawFn) -> Site:
    """Up to five files with few stems and few contents, so that namesakes, circles and equal bytes are frequent."""
    keys = KEYS[: draw(st.integers(1, len(KEYS)))]
    part = st.one_of(st.sampled_from(keys), st.sampled_from((b"x", b"y")))
    return {
        key: File(draw(st.sampled_from(("index", "main"))), f"0000000{key}", tuple(draw(st.lists(part, max_size=3))))
        for key in keys
    }


@settings(max_examples=150, deadline=None, derandomize=True)
@given(sites())
def test_no_two_files_get_one_name(site: Site) -> None:
    assert len(set(paths(site).values())) == len(site)


@settings(max_examples=150, deadline=None, derandomize=True)
@given(sites(), st.data())
def test_a_name_changes_if_and_only_if_the_bytes_or_what_they_reach_change(site: Site, data: st.DataObject) -> None:
    edited = data.draw(st.sampled_from(sorted(site)))
    part = st.one_of(st.sampled_from(sorted(site)), st.sampled_from((b"x", b"y", b"z")))
    parts = data.draw(
        st.lists(part, max_size=3).map(tuple).filter(lambda parts: joined(parts) != joined(site[edited].parts))
    )
    after = {**site, edited: replace(site[edited], parts=parts)}
    old, new = paths(site), paths(after)
    graph = {key: file.references() for key, file in site.items()}
    assert {key for key in site if old[key] != new[key]} == {key for key in site if edited in reached(graph, key)}


def joined(parts: Iterable[bytes | str]) -> str:
    """The content that parts make, references by key: b"x", b"x" and b"xx" are the same bytes."""
    return "".join(part.decode() if isinstance(part, bytes) else f"<{part}>" for part in parts)


@settings(max_examples=100, deadline=None, derandomize=True)
@given(sites(), st.randoms(use_true_random=False))
def test_the_order_in_which_files_are_known_does_not_matter(site: Site, shuffle: random.Random) -> None:
    keys = list(site)
    shuffle.shuffle(keys)
    assert paths({key: site[key] for key in keys}) == paths(site)


@settings(max_examples=100, deadline=None, derandomize=True)
@given(sites())
def test_finished_files_have_the_names_that_they_would_get_again(site: Site) -> None:
    """What `verify` does: files known by their new names, in another order, give the same tokens."""
    named = tokens(site)
    finished = {
        token: replace(
            site[key], parts=tuple(named[part] if isinstance(part, str) else part for part in site[key].parts)
        )
        for key, token in named.items()
    }
    assert tokens(finished) == {token: token for token in finished}


GRAPHS = {
    "nothing": ({}, []),
    "alone": ({"a": ""}, ["a"]),
    "refers to itself": ({"a": "a"}, ["a"]),
    "a chain, the last first": ({"a": "b", "b": "c", "c": ""}, ["c", "b", "a"]),
    "a circle": ({"a": "b", "b": "c", "c": "a"}, ["abc"]),
    "two circles, one refers to the other": ({"a": "b", "b": "ac", "c": "d", "d": "c"}, ["cd", "ab"]),
    "two circles that share a node": ({"a": "bc", "b": "a", "c": "a"}, ["abc"]),
    "a diamond": ({"a": "bc", "b": "d", "c": "d", "d": ""}, ["d", "b", "c", "a"]),
    "a target that is no node": ({"a": "z"}, ["a"]),
}


@pytest.mark.parametrize("graph, expected", GRAPHS.values(), ids=GRAPHS.keys())
def test_circles(graph: dict[str, str], expected: list[str]) -> None:
    assert naming.circles(graph) == [tuple(circle) for circle in expected]


@settings(max_examples=150, deadline=None, derandomize=True)
@given(st.dictionaries(st.sampled_from(KEYS), st.sets(st.sampled_from((*KEYS, "no node")))))
def test_circles_are_those_of_the_definition(graph: dict[str, set[str]]) -> None:
    """Two nodes are in one circle if each reaches the other; a circle comes after all that it reaches."""
    found = naming.circles(graph)
    assert sorted(node for circle in found for node in circle) == sorted(graph)
    reach = {node: reached(graph, node) for node in graph}
    known: set[str] = set()
    for circle in found:
        known.update(circle)
        for node in circle:
            assert {other for other in reach[node] if node in reach[other]} == set(circle)
            assert reach[node] <= known


def test_a_long_chain_needs_no_deep_stack() -> None:
    chain = {str(number): [str(number + 1)] for number in range(20_000)}
    assert len(naming.circles(chain)) == 20_000


NAMESAKES = {
    "told apart by stem": ({"a": ["x-\0.js"], "b": ["y-\0.js"]}, set()),
    "one name": ({"a": ["x-\0.js"], "b": ["x-\0.js"], "c": ["y-\0.js"]}, {"a", "b"}),
    "one of several files": ({"a": ["x-\0.js", "x-\0.js.map"], "b": ["x-\0.js.map"]}, {"a", "b"}),
    "a name twice in one unit": ({"a": ["x-\0.js", "x-\0.js"]}, set()),
}


@pytest.mark.parametrize("units, expected", NAMESAKES.values(), ids=NAMESAKES.keys())
def test_namesakes(units: dict[str, list[str]], expected: set[str]) -> None:
    assert naming.namesakes(units) == expected


@settings(max_examples=100, deadline=None, derandomize=True)
@given(st.binary(max_size=8), st.integers(1, 64), st.sampled_from((HEX, BASE36, BASE64URL)))
def test_a_token_has_its_length_and_alphabet(circle: bytes, length: int, alphabet: str) -> None:
    token = naming.draw(circle, ["x-\0.js"], length, alphabet)
    assert len(token) == length
    assert set(token) <= set(alphabet)


def test_a_token_is_told_by_the_hash_and_the_names_alone() -> None:
    token = naming.draw(b"circle", ["b.js", "b.js.map"], 16, HEX)
    assert token == naming.draw(b"circle", ["b.js.map", "b.js"], 16, HEX)
    assert token != naming.draw(b"circlf", ["b.js", "b.js.map"], 16, HEX)
    assert token != naming.draw(b"circle", ["c.js", "b.js.map"], 16, HEX)


def test_all_letters_of_an_alphabet_are_drawn() -> None:
    drawn = "".join(naming.draw(bytes([number]), ["x"], 64, BASE64URL) for number in range(32))
    assert set(drawn) == set(BASE64URL)


@pytest.mark.parametrize(
    "one, other",
    [
        ([("a", b"x")], [("a", b"y")]),
        ([("a", b"x")], [("b", b"x")]),
        ([("a", b"bc")], [("ab", b"c")]),
        ([("a", b"x"), ("b", b"")], [("a", b""), ("b", b"x")]),
        ([("a", b"x")], [("a", b"x"), ("a", b"x")]),
    ],
    ids=["bytes", "name", "border of name and bytes", "which file has which bytes", "how many files"],
)
def test_fingerprints_differ(one: list[tuple[str, bytes]], other: list[tuple[str, bytes]]) -> None:
    assert naming.fingerprint(one) != naming.fingerprint(other)
    assert naming.fingerprint(one) == naming.fingerprint(reversed(one))


def test_a_name_that_is_no_utf8_can_be_hashed() -> None:
    """POSIX names are bytes; Python holds those that are not UTF-8 as surrogates."""
    assert naming.fingerprint([("\udcff.js", b"")]) != naming.fingerprint([("\udcfe.js", b"")])
