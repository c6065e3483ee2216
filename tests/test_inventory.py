"""Assets held in little: an inventory gives back what was put in."""

from __future__ import annotations

import tracemalloc
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from v1z3r_build.site import Asset, inventory
from v1z3r_build.site.inventory import Inventory

ROOT, SPOOL = Path("/sites/out"), Path("/sites/.out.v1z3r-1-2/spool")
HASH = "0a" * 32
# Names of files that are not UTF-8 come as lone surrogates; a backslash is a letter but on Windows.
PATHS = st.lists(st.text("ab.\\\udc80é", min_size=1).filter(lambda name: name.strip(".")), min_size=1, max_size=3).map(
    "/".join
)


def places(path: str) -> st.SearchStrategy[Path]:
    """Where bytes of a file may lie: in the input by its own name or another's, in the spool, anywhere."""
    return st.sampled_from(
        [
            ROOT / path,
            ROOT / "other.js",
            SPOOL / HASH,
            SPOOL / HASH.upper(),
            SPOOL / HASH[2:],
            SPOOL / " ".join(HASH),
            SPOOL / ("00" * 32),
            SPOOL / HASH / "deeper",
            Path("/sites/out.js"),
            Path("relative.js"),
        ]
    )


@st.composite
def assets(draw: st.DrawFn) -> Asset:
    path = draw(PATHS)
    return Asset(
        path,
        draw(st.sampled_from(["html", "script"])),
        draw(st.sampled_from(["text/html", "text/javascript"])),
        draw(st.integers(0, 1 << 50)),
        draw(places(path)),
        draw(places(path)),
        draw(st.sampled_from([(path,), ("other.js",), ("other.js", path), ()])),
        draw(st.sampled_from(["revalidate", "immutable"])),
        draw(st.sampled_from(["", "three"])),
        draw(st.sampled_from(["", "a reason"])),
        draw(st.sampled_from([(), ("a.avif", "a.webp")])),
        draw(st.integers(0, 100)),
    )


@given(st.lists(assets()))
def test_it_holds_what_a_dict_would(items: list[Asset]) -> None:
    found, held = Inventory(ROOT, SPOOL, items), {one.path: one for one in items}
    assert list(found.items()) == [(path, held[path]) for path in sorted(held)]
    assert (len(found), all(path in found for path in held), "absent.js" in found) == (len(held), True, False)
    assert (found.get("absent.js"), 1 in found) == (None, False)
    with pytest.raises(KeyError, match=r"absent\.js"):
        found["absent.js"]


@given(st.lists(assets()))
def test_parts_of_assets_are_those_of_the_whole(items: list[Asset]) -> None:
    found = Inventory(ROOT, SPOOL, items)
    traits = dict(found.each_traits())
    assert list(traits) == list(found)
    for path, asset in found.items():
        assert found.size(path) == asset.size
        assert found.traits(path) == traits[path]
        assert {name: getattr(asset, name) for name in traits[path]._fields} == traits[path]._asdict()
        assert asset.moved("/elsewhere", 1) == replace(asset, location=Path("/elsewhere"), size=1)
    for ask in (found.size, found.traits):
        with pytest.raises(KeyError, match=r"absent\.js"):
            ask("absent.js")


@given(st.lists(assets()), st.lists(assets()), st.lists(assets()))
def test_an_update_leaves_what_it_was_made_of(items: list[Asset], some: list[Asset], others: list[Asset]) -> None:
    first = Inventory(ROOT, SPOOL, items)
    second, third = first.updated(some), first.updated(others)
    held = {one.path: one for one in items}
    assert first == held
    assert second == held | {one.path: one for one in some}
    assert third == held | {one.path: one for one in others}
    assert list(second) == sorted(second)


@given(st.lists(assets(), min_size=1), st.data())
def test_a_copy_has_assets_of_its_own(items: list[Asset], data: st.DataObject) -> None:
    first = Inventory(ROOT, SPOOL, items)
    held = dict(first)
    second = first.copied()
    other = replace(data.draw(assets()), path=data.draw(st.sampled_from(sorted(held))))
    second.replace(other)
    assert (first, second) == (held, held | {other.path: other})
    with pytest.raises(KeyError, match=r"absent\.js"):
        second.replace(replace(other, path="absent.js"))


@given(st.lists(assets()))
def test_every_original_is_told_once(items: list[Asset]) -> None:
    found = Inventory(ROOT, SPOOL, items)
    told = [one.original for one in found.originals()]
    assert len(told) == len(set(told))
    assert set(told) == {one.original for one in found.values()}


@given(st.lists(st.tuples(assets(), st.booleans())))
def test_it_is_read_between_additions(items: list[tuple[Asset, bool]]) -> None:
    found, held = Inventory(ROOT, SPOOL), dict[str, Asset]()
    for one, is_read in items:
        found.add(one)
        held[one.path] = one
        if is_read:
            assert found == held


def test_a_file_takes_little_memory_beside_its_path() -> None:
    paths = [f"posts/{number:05}/index.html" for number in range(10_000)]
    tracemalloc.start()
    try:
        found = Inventory(ROOT, SPOOL, (page(path, number) for number, path in enumerate(paths)))
        here = tracemalloc.Filter(inclusive=True, filename_pattern=inventory.__file__)
        held = tracemalloc.take_snapshot().filter_traces([here]).statistics("filename")[0].size
    finally:
        tracemalloc.stop()
    assert found[paths[-1]] == page(paths[-1], len(paths) - 1)
    assert held < 70 * len(paths)


def page(path: str, number: int) -> Asset:
    """A page with bytes of its own."""
    return Asset(path, "html", "text/html", 12_000 + number, SPOOL / f"{number:064x}", ROOT / path, (path,))
