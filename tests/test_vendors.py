"""Vendor recognition on small sequences, and the word lists that come with the program."""

from __future__ import annotations

import tomllib
from typing import TYPE_CHECKING

import brotli
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from v1z3r_build.bundlers import vendors, vocabulary, words
from v1z3r_build.bundlers.vendors import Item
from v1z3r_build.bundlers.vocabulary import Vendor, Vocabulary
from v1z3r_build.formats.scope_analysis import analyse_module, analyse_script

if TYPE_CHECKING:
    from pathlib import Path

THREE = Vendor(
    "three",
    ("three",),
    inner=frozenset(f"glsl{n}" for n in range(20)),
    open=frozenset(["Vector3", "camera", "geometry", "material", "scene"]),
    ordinary=frozenset(["length", "push"]),
)
TFJS = Vendor(
    "tfjs",
    ("@tensorflow/*", "long"),
    inner=frozenset(f"kernel{n}" for n in range(20)),
    open=frozenset(["tensor", "dtype"]),
    ordinary=frozenset(["length"]),
    paths=("*/tfjs-core/src/*",),
)
MANY = 8
NAMES = {
    # Strong for its vendor, one word of it, nothing at all, ordinary code, the app's, strongly the app's.
    "3": frozenset(f"glsl{n}" for n in range(MANY)),
    "t": frozenset(f"kernel{n}" for n in range(MANY)),
    "w": frozenset(["glsl1"]),
    "v": frozenset(["kernel1"]),
    "-": frozenset[str](),
    "o": frozenset(["length"]),
    "s": frozenset(["Vector3"]),
    "u": frozenset(["Vector3", "camera", "scene", "bassPulse", "duskColour", "openStage"]),
    "a": frozenset(f"app{n}" for n in range(2)),
    "A": frozenset(f"app{n}" for n in range(MANY)),
}


def sequence(kinds: str, **needs: tuple[int, ...]) -> list[Item]:
    """One item for each letter; needs: `_3=(0, 1)` says that item 3 needs items 0 and 1."""
    return [Item(NAMES[kind], 100, needs.get(f"_{index}", ())) for index, kind in enumerate(kinds)]


def ending(kinds: str, needs: range) -> list[Item]:
    """Twelve strong items of a vendor, and then these, the last of which needs some."""
    return sequence("3" * 12 + kinds, **{f"_{11 + len(kinds)}": tuple(needs)})


def said(items: list[Item]) -> str:
    short = {None: ".", "three": "3", "tfjs": "t"}
    return "".join(short[label] for label in vendors.label(items, (THREE, TFJS)))


@pytest.mark.parametrize(
    ("items", "expected"),
    [
        pytest.param(sequence(""), "", id="nothing"),
        pytest.param(sequence("AAAA"), "....", id="an app"),
        pytest.param(sequence("A333A"), ".333.", id="a vendor inside an app"),
        pytest.param(sequence("A3-3w3A"), ".33333.", id="neighbours support what says little"),
        pytest.param(sequence("A3v3A"), ".333.", id="one word of another vendor ends no run"),
        pytest.param(sequence("33333A33333"), "33333.33333", id="what surely is the app's is no vendor's anywhere"),
        pytest.param(sequence("A33tttA"), ".33ttt.", id="two vendors side by side"),
        pytest.param(sequence("33-A-tt"), "33...tt", id="an app between two vendors"),
        pytest.param(sequence("AwA"), "...", id="one word is no vendor"),
        pytest.param(sequence("AsA"), "...", id="an app that names Vector3 in a string"),
        pytest.param(sequence("33sA"), "33..", id="an app that names Vector3 beside the vendor"),
        pytest.param(sequence("33uuA"), "33...", id="an app that uses the vendor, beside it"),
        pytest.param(sequence("--33--", _2=(1,)), ".333..", id="ends of a run stay the app's unless needed"),
        pytest.param(sequence("-AA33", _3=(0,)), "3..33", id="what the vendor needs is the vendor's"),
        pytest.param(sequence("o-AA33", _1=(0,), _4=(1,)), "33..33", id="and what that needs"),
        pytest.param(sequence("-AAtt33", _3=(0,)), "t..tt33", id="of the vendor that needs it"),
        pytest.param(sequence("AAA33", _3=(1,)), "...33", id="but not what speaks against it"),
        pytest.param(sequence("AoAw", _3=(1,)), "....", id="a weakly labelled item pulls nothing"),
        pytest.param(sequence("oA3w3A", _3=(0,)), "..333.", id="a weakly labelled item inside a run pulls nothing"),
        pytest.param(sequence("A3w3A", _2=(0,)), ".3.3.", id="a weak item that needs the app is the app's"),
        pytest.param(sequence("A3ww3A", _2=(0,), _3=(2,)), ".3..3.", id="and so is what needs it"),
        pytest.param(sequence("A3w3A", _1=(2,), _2=(0,)), ".3.3.", id="given up for good, though the vendor needs it"),
        pytest.param(sequence("A333A", _2=(0,)), ".333.", id="a strong item that needs the app is still the vendor's"),
        pytest.param(sequence("A3t3A"), ".3t3.", id="another vendor's item in a run"),
        pytest.param(ending("A-", needs=range(12)), "3" * 12 + ".3", id="what uses much of a vendor, and nothing else"),
        pytest.param(ending("A-", needs=range(11)), "3" * 12 + "..", id="who uses less may be anyone"),
        pytest.param(ending("A-", needs=range(13)), "3" * 12 + "..", id="who uses the app's as well is the app's"),
        pytest.param(ending("AA-", needs=range(12)), "3" * 12 + "..3", id="wherever it stands"),
        pytest.param(ending("Aa", needs=range(12)), "3" * 12 + "..", id="its words count as well"),
        pytest.param(ending("--", needs=range(13)), "3" * 12 + "..", id="and so does what is of neither"),
    ],
)
def test_label(items: list[Item], expected: str) -> None:
    assert said(items) == expected


def test_react_is_not_pulled_in_by_a_weak_seed() -> None:
    """webpack puts react beside the app's scene: 130 kB were once taken for tfjs this way."""
    react = Item(frozenset(["useState", "memoizedState", "flushSync"]), 130_000)
    seed = Item(frozenset(["kernel1", "length"]), 90, needs=(0, 1))
    assert vendors.label([react, Item(frozenset(), 40, needs=(0,)), seed, *sequence("A")], (THREE, TFJS)) == [None] * 4


@settings(max_examples=200, deadline=None)
@given(st.data())
def test_labels_hold_whatever_needs_what(data: st.DataObject) -> None:
    """It always ends; items against all vendors get no label alone; a strong item in a run keeps its own."""
    kinds = data.draw(st.text(alphabet="3twv-osuaA", max_size=14))
    indices = st.integers(0, max(0, len(kinds) - 1))
    needs = {f"_{i}": tuple(data.draw(st.lists(indices, max_size=3))) for i in range(len(kinds))}
    items = sequence(kinds, **needs)
    labels = said(items)
    assert len(labels) == len(kinds)
    assert labels == said(items)
    assert all(label == "." for kind, label in zip(kinds, labels, strict=True) if kind == "A")
    for index, label in enumerate(labels):
        if kinds[index] not in "3t" and label != ".":
            refused = [need for need in items[index].needs if labels[need] == "." and kinds[need] in "aA"]
            assert not refused


@pytest.mark.parametrize(
    ("source", "owner"),
    [
        ("webpack://app/./node_modules/three/build/three.module.js", "three"),
        ("../../node_modules/.pnpm/three@0.158.0/node_modules/three/src/math/Vector3.js", "three"),
        ("..\\node_modules\\three\\build\\three.module.js", "three"),
        ("node_modules/@tensorflow/tfjs-core/dist/index.js", "tfjs"),
        ("../node_modules/@tensorflow/tfjs-core/node_modules/long/src/long.js", "tfjs"),
        ("../../tfjs-core/src/ops/abs.ts", "tfjs"),
        ("node_modules/three-mesh-bvh/src/index.js", None),
        ("node_modules/@tensorflow-models/posenet/dist/index.js", None),
        ("src/three/scene.js", None),
    ],
)
def test_label_by_sources(source: str, owner: str | None) -> None:
    assert vendors.label_by_sources([{source: 10, "src/app.js": 4, "": 90}], (THREE, TFJS)) == [owner]


def test_an_item_that_the_map_leaves_out_has_no_label() -> None:
    assert vendors.label_by_sources([{"": 12}, {}], (THREE, TFJS)) == [None, None]


@pytest.mark.parametrize(
    ("script", "expected"),
    [
        ("const local = thing.property;", {"property"}),
        ("function renamed(argument){return {answer:argument, [x]:2, method(){}, get getter(){return 1}}}", {"answer", "method", "getter"}),
        ("class Renamed{#secret=1;static field=2}", {"#secret"[1:], "field"}),
        ('throw Error("The mesh is broken")', {"mesh", "broken"}),
        ("x=`uniform vec3 ${local}colour`", {"uniform", "vec3", "colour"}),
        ("x=/^gltf-(\\w+)$/.test(y)", {"gltf", "test"}),
        ("const {wanted:a, taken}=b", {"wanted", "taken"}),
        ("export{inner as outside}; export function shown(){}; export const given=1", {"inner", "outside", "shown", "given"}),
        ("// a remark on nothing\n/* and another */", set()),
        ("a.b.xyz=1", set()),
        (f'x="{"QUJD" * 100}"', set()),
        ('x="escaped\\nletters"', {"escaped", "letters"}),
        ("broken.though(", {"though"}),
    ],
)  # fmt: skip
def test_script_words(script: str, expected: set[str]) -> None:
    assert words.script_words(script.encode()) == expected


@pytest.mark.parametrize(
    "script",
    [
        'import a, {bbbb as c, "of strings" as d, eeee} from "some/module"; import * as ns from "name"; import "last";',
        'import data from "file.json" with {type: "json"};',
        'var a, c; export {a as bbbb, c as "of strings"};',
        'export {a as bbbb, default as dddd, "of strings" as eeee} from "module"; export * as names from "other";',
        "export default function fooo(a) { return a.barr; }",
        "export default class Fooo {}",
        "export default a.bbbb;",
        "export const {aaaa, bbbb: cccc = dddd, ...rest} = xxxx, simple = 1; export async function* gggg() {}",
        "export class Fooo { #priv = 1; static fooo; get barr() { return this.#priv; } 'quoted'() {} [`a${b.cccc}`]() {} }",
        "class Fooo extends Base.Barr { static { this.stat = 1; } @deco.rate('text') method() {} }",
        "var {aaaa, bbbb: cccc, ['computed']: d, 'string': e} = x; ({aaaa, bbbb: cccc} = x);",
        "x = {aaaa, short, mmmm() {}, get gggg() {}, async *iiii() {}, 'quoted': 1, 12: 2};",
        "x = /some+regex/giu; y = `template ${a.bbbb} goes\\non`; z = ['escaped\\nletters', \"it's\", ''];",
        "a?.bbbb?.[c]; import('dynamic'); this.x.yyyy++; delete y.zzzz; label: for (aaaa.bbbb in c.dddd) break label;",
        "'use strict'; try {} catch ({message}) { new aaaa.Bbbb('text'); } if (a) b; else c.dddd = function () {};",
    ],
)  # fmt: skip
def test_analysis_finds_the_words_that_the_tree_has(script: str) -> None:
    data = script.encode()
    analysed = words.ScriptWords(data, analyse_module(data).lasting)
    assert analysed.between(0, len(data)) == words.script_words(data) != set()


def test_words_of_a_part_begin_in_it() -> None:
    script = b"a.first;a.second;a.third"
    found = words.ScriptWords(script, analyse_script(script).lasting)
    assert found.between(8, 17) == {"second"}
    assert found.between(0, len(script)) == {"first", "second", "third"}


def test_folder_words_leave_out_what_no_app_holds(tmp_path: Path) -> None:
    for path, script in {
        "index.js": "a.wanted",
        "esm/part.mjs": "a.alsoWanted",
        "dist/lib.min.js": "a.minified",
        "test/unit.js": "a.tested",
        "part_test.js": "a.tested",
        "node_modules/other/index.js": "a.foreign",
        "readme.md": "a.prose",
    }.items():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text(script, encoding="utf-8")
    assert words.folder_words([tmp_path]) == {"wanted", "alsoWanted"}


def test_a_vendor_from_a_folder(tmp_path: Path) -> None:
    (tmp_path / "pixi.mjs").write_text("a.displayObject;a.Vector3;a.length;a.className", encoding="utf-8")
    known = Vocabulary((THREE,), {}, frozenset(["className"]))
    pixi = known.vendor_of_folders("pixi", ["pixi.js"], [tmp_path])
    assert pixi == Vendor("pixi", ("pixi.js",), frozenset(["displayObject"]), frozenset(["Vector3"]), frozenset(["length", "className"]))  # fmt: skip


NAME = st.from_regex(r"[A-Za-z_$][A-Za-z0-9_$]{3,80}", fullmatch=True)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.sets(NAME, max_size=12), min_size=6, max_size=6), st.sets(NAME, max_size=12))
def test_packing_keeps_all(sets: list[set[str]], ordinary: set[str]) -> None:
    def vendor(label: str, inner: set[str], spoken: set[str], common: set[str]) -> Vendor:
        return Vendor(
            label, (label,), frozenset(inner - spoken - common), frozenset(spoken - common), frozenset(common)
        )

    before = Vocabulary(
        (vendor("three", *sets[:3]), vendor("tfjs", *sets[3:])),
        {"three": ["three@0.1.0"], "tfjs": ["a@1", "b@2"], "ordinary": []},
        frozenset(ordinary),
    )
    table = {"vendors": {"three": {"sources": ["three"]}, "tfjs": {"sources": ["tfjs"]}}}
    packed = vocabulary.packed(before)
    assert vocabulary.unpacked(packed, table) == before
    # Sets have an order of their own in each process: none of it may show.
    shuffled = Vocabulary(before.vendors, before.origins, frozenset(sorted(ordinary, reverse=True)))
    assert vocabulary.packed(shuffled) == packed


def test_a_file_of_another_format_is_refused() -> None:
    with pytest.raises(ValueError, match="not a file of vendor words"):
        vocabulary.unpacked(brotli.compress(b"v1z3r-build vendor words, format 2\n"), {})


def test_the_lists_that_come_with_the_program() -> None:
    """Small, with their origin in the header, and packed as the program of today packs them."""
    data = vocabulary.WORDS.read_bytes()
    known = vocabulary.load()
    table = tomllib.loads(vocabulary.TABLE.read_text(encoding="utf-8"))
    assert len(data) <= 100_000
    assert brotli.decompress(vocabulary.packed(known)) == brotli.decompress(data)
    assert [vendor.label for vendor in known.vendors] == list(table["vendors"])
    for label, entry in table["vendors"].items():
        specs = {f"{name}@{version}" for name in entry["packages"] for version in entry["versions"]}
        assert {*known.origins[label]} == specs | {*entry.get("also", [])}
    assert list(known.origins["ordinary"]) == table["background"]["packages"]


@pytest.mark.parametrize(
    ("label", "inner", "spoken", "ordinary"),
    [
        ("three", "onBeforeCompile", "Vector3", "length"),
        ("tfjs", "getBroadcastDims", "expandDims", "length"),
    ],
)
def test_words_of_the_lists(label: str, inner: str, spoken: str, ordinary: str) -> None:
    vendor = next(vendor for vendor in vocabulary.load().vendors if vendor.label == label)
    assert inner in vendor.inner | vendor.open
    assert spoken in vendor.open
    assert ordinary in vendor.ordinary
    assert not vendor.inner & {"useState", "memoizedState", "createElement", "hydrateRoot", "webpackChunk_N_E"}
