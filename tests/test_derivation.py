"""Where the bytes of texts come from that are made of another."""

from __future__ import annotations

import pickle

from hypothesis import given
from hypothesis import strategies as st

from v1z3r_build.formats.derivation import ADDED, Derived, Edit, joined, written

SOURCE = b"0123456789abcdefghijklmnopqrstuvwxyz"

# A text with, for each byte, the origin that it must have.
Known = tuple[bytes, list[int]]


def origins(text: Derived) -> list[int]:
    """The origin of each byte, a copied one's its own."""
    found: list[int] = []
    ends = [*text.places, len(text)][1:]
    for place, origin, end in zip(text.places, text.origins, ends, strict=True):
        assert place < end
        found += range(origin, origin + end - place) if origin >= 0 else [origin] * (end - place)
    return found


def replacing(origin: int) -> int:
    return ~origin if origin >= 0 else origin


@st.composite
def edits(draw: st.DrawFn, size: int) -> list[Edit]:
    places = sorted(draw(st.lists(st.integers(0, size), max_size=8)))
    texts = st.one_of(
        st.sampled_from([b"", b"X", b"YZ"]), st.integers(0, 30).map(lambda at: written(SOURCE, at, at + 3))
    )
    pairs = zip(places[::2], places[1::2], strict=False)
    return [Edit(start, end, draw(texts)) for start, end in pairs]


def edited(known: Known, start: int, end: int, changes: list[Edit]) -> Known:
    """What `written` must give, byte by byte."""
    data, sources = known
    text, found, at = b"", list[int](), start
    for edit in changes:
        if not start <= edit.start <= edit.end <= end:
            continue
        text += data[at : edit.start] + edit.text
        found += sources[at : edit.start]
        if isinstance(edit.text, Derived):
            found += origins(edit.text)
        elif edit.text:
            found += [replacing(sources[edit.start]) if edit.end > edit.start else ADDED] * len(edit.text)
        at = edit.end
    return text + data[at:end], found + sources[at:end]


@given(st.data())
def test_origins_survive_edits_of_edits(data: st.DataObject) -> None:
    text: bytes = SOURCE
    known: Known = (SOURCE, list(range(len(SOURCE))))
    for _ in range(data.draw(st.integers(1, 4))):
        changes = data.draw(edits(len(text)))
        start = data.draw(st.integers(0, len(text)))
        end = data.draw(st.integers(start, len(text)))
        known = edited(known, start, end, changes)
        text = written(text, start, end, changes)
        assert (text, origins(text)) == known
        more = data.draw(st.sampled_from([b"", b"--"]))
        text = joined((more, text, more, text))
        known = (more + known[0]) * 2, ([ADDED] * len(more) + known[1]) * 2
        assert (text, origins(text)) == known


def test_a_text_goes_to_another_process_with_its_origins() -> None:
    text = written(SOURCE, 3, 20, [Edit(5, 7, b"X")])
    again = pickle.loads(pickle.dumps(text))
    assert isinstance(again, Derived)
    assert (again, origins(again)) == (text, origins(text))


def test_what_is_only_bytes_has_no_origins() -> None:
    text = written(SOURCE, 3, 20)
    assert not any(isinstance(one, Derived) for one in (text + b"", text[1:], b"".join([text, text])))
    assert origins(joined((text[1:],))) == [ADDED] * 16
