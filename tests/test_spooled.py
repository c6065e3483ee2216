"""Mappings on disk: they hold what a dict would, in sorted order, and leave nothing behind."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from v1z3r_build.site.span import Reading, Url
from v1z3r_build.site.spooled import Spooled

# Names of files that are not UTF-8 come as lone surrogates.
KEYS = st.text(st.characters(max_codepoint=0xFFFF) | st.sampled_from("\udc80\udcff"))
VALUES = st.binary(max_size=20_000) | st.builds(lambda text: Reading(urls=(Url(0, 1, text, "image"),)), st.text())


@given(st.dictionaries(KEYS, VALUES))
def test_it_holds_what_a_dict_would(items: dict[str, object]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        found = Spooled(Path(folder), items.items())
        assert list(found.items()) == sorted(items.items(), key=lambda item: item[0])
        assert (len(found), all(key in found for key in items)) == (len(items), True)
        assert found == items
        absent = "".join(sorted(items)) + "?"
        assert (absent in found, found.get(absent)) == (False, None)


@given(st.lists(st.tuples(KEYS, VALUES, st.booleans())))
def test_it_is_read_between_writes(items: list[tuple[str, object, bool]]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        found: Spooled[object] = Spooled(Path(folder))
        held: dict[str, object] = {}
        for key, value, is_read in items:
            found[key] = held[key] = value
            if is_read:
                assert (len(found), found) == (len(held), held)
        assert list(found) == sorted(held)


def test_values_are_read_from_the_file_and_from_what_is_not_in_it_yet(tmp_path: Path) -> None:
    found = Spooled[bytes](tmp_path)
    for number in range(300):
        found[f"{number:03}"] = b"%d" % number * 1000
        assert [found[f"{one:03}"] for one in (0, number // 2, number)] == [
            b"%d" % one * 1000 for one in (0, number // 2, number)
        ]


@pytest.mark.skipif(os.name == "nt", reason="the file lies elsewhere there")
def test_its_file_has_no_name_that_could_be_left_behind(tmp_path: Path) -> None:
    found = Spooled(tmp_path, [("a", b"1")])
    assert (list(tmp_path.iterdir()), found["a"]) == ([], b"1")
