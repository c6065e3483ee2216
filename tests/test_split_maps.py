"""What the split pass makes of source maps: of small sites, and of real exports whose maps lie beside their scripts."""

from __future__ import annotations

import json
import re
import shutil
from typing import TYPE_CHECKING, NamedTuple

import pytest
from click.testing import CliRunner
from test_split_pass import APP, FILES, PAGE, library

from v1z3r_build.cli import main
from v1z3r_build.formats import source_maps
from v1z3r_build.formats.source_maps import written_number

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from browser import exports

MANIFEST = "v1z3r-manifest.json"
CHUNK = "assets/index-Bx3f_9aQ.js"
SETTINGS = "passes = ['split', 'minify', 'link']\n[split]\nmin_size = {}\n"


def optimized(folder: Path, site: Path, min_size: int) -> tuple[Path, list[tuple[str, str, str]]]:
    """The output, which is verified, and all that is said."""
    (folder / "v1z3r-build.toml").write_text(SETTINGS.format(min_size))
    output = folder / "output"
    done = CliRunner().invoke(main, ["optimize", str(site), "-o", str(output), "--json"])
    assert done.exit_code == 0, done.output
    checked = CliRunner().invoke(main, ["verify", str(output)])
    assert checked.exit_code == 0, checked.output
    return output, [(one["code"], one["path"], one["message"]) for one in json.loads(done.stdout)["diagnostics"]]


def split(folder: Path, files: Mapping[str, str]) -> tuple[Path, list[tuple[str, str, str]]]:
    for path, text in files.items():
        (folder / "site" / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / "site" / path).write_text(text)
    return optimized(folder, folder / "site", 2_000)


def mapped(text: str, sources: Mapping[str, str]) -> str:
    """A map in which every word of the text comes from the source that its part of the text is given for.

    sources: by the part's first words. A word's line there is its number in the part, its column its place.
    """
    begins = sorted((text.index(part), source) for part, source in sources.items())
    segments: list[str] = []
    before = [0, 0, 0, 0]
    numbers: dict[int, int] = {}  # of the first word of a source
    for number, word in enumerate(re.finditer(r"[\w$]+", text)):
        source = sum(place <= word.start() for place, _ in begins) - 1
        here = [word.start(), source, number - numbers.setdefault(source, number), word.start() - begins[source][0]]
        segments.append("".join(written_number(new - old) for new, old in zip(here, before, strict=True)))
        before = here
    return json.dumps(
        {"version": 3, "sources": [one for _, one in begins], "names": [], "mappings": ",".join(segments)}
    )


class Place(NamedTuple):
    """Where a word of a script comes from, by its map. before, after: the characters around it."""

    source: str
    line: int
    column: int
    word: str
    before: str
    after: str


WORD = re.compile(rb"[\w$]+")


def places(script: bytes, source_map: bytes) -> Iterator[Place]:
    """All words of a script at which a segment of its map begins; the maps here speak of ASCII or count as bytes do."""
    found = source_maps.read(source_map)
    lines = script.split(b"\n")
    # Of several segments at one place, as Turbopack writes, the last counts.
    last = {
        (line, column): origin for line, column, origin in zip(found.lines, found.columns, found.origins, strict=True)
    }
    for (line, column), origin in last.items():
        word = WORD.match(lines[line], column)
        if origin is not None and word is not None:
            # Three dots stand before no property.
            start = column - 3 if lines[line][:column].endswith(b"...") else max(column - 1, 0)
            around = (lines[line][start:column], lines[line][word.end() : word.end() + 1])
            yield Place(
                found.sources[origin.source] or "", origin.line, origin.column, word[0].decode(),
                around[0].decode(errors="replace"), around[1].decode(errors="replace"),
            )  # fmt: skip


def scripts(output: Path) -> dict[str, str]:
    """The scripts of an output, by the vendor or by the path that they came from."""
    records = json.loads((output / MANIFEST).read_text())["files"]
    return {
        record.get("vendor") or record["source"][0]: path
        for path, record in records.items()
        if record["kind"] == "script"
    }


CODE = library("three") + APP
MAP = mapped(CODE, {"function three0": "../node_modules/three/build/three.module.js", "import{now}": "../src/app.js"})
COMMENT = "\n//# sourceMappingURL=index-Bx3f_9aQ.js.map\n"
MAPPED = {**FILES, CHUNK: CODE + COMMENT, f"{CHUNK}.map": MAP}


def test_each_part_has_a_map_of_its_own(tmp_path: Path) -> None:
    output, said = split(tmp_path, MAPPED)
    assert said == []
    known = {one[:3]: one for one in places(CODE.encode(), MAP.encode())}
    found = scripts(output)
    for owner, least in (("three", 2000), (CHUNK, 8)):
        path = output / found[owner]
        text = path.read_bytes()
        [url] = re.findall(rb"//# sourceMappingURL=(\S+)\s*\Z", text)
        assert url.decode() == f"{path.name}.map"
        here = list(places(text, (output / f"{found[owner]}.map").read_bytes()))
        assert len(here) >= least
        for place in here:
            # Names of properties stay.
            assert known[place[:3]].word == place.word or place.before != "."
    sources = [json.loads((output / f"{found[owner]}.map").read_bytes())["sources"] for owner in ("three", CHUNK)]
    assert sources == [["../node_modules/three/build/three.module.js"], ["../src/app.js"]]
    records = json.loads((output / MANIFEST).read_text())["files"]
    record = records[f"{found['three']}.map"]
    assert (record["kind"], record["cache_class"], record["source"]) == ("json", "immutable", [f"{CHUNK}.map"])


def test_a_map_tells_what_words_do_not(tmp_path: Path) -> None:
    """What speaks like the vendor, and is the app's; what says nothing, and is the vendor's."""
    silent = "".join(f"function q{number}(a){{return a+{number}}}" for number in range(300))
    code = library("three", 200) + silent + "function mine(a){return a.vertexShader.fragmentShader}" + APP + "q1(mine);"
    begins = {
        "function three0": "../node_modules/three/a.js",
        "function q0": "../node_modules/three/b.js",
        "function mine": "../src/app.js",
    }
    output, _ = split(tmp_path, {**FILES, CHUNK: code, f"{CHUNK}.map": mapped(code, begins)})
    found = scripts(output)
    rest = (output / found[CHUNK]).read_text()
    assert "vertexShader" in rest
    assert "function q" not in rest
    assert "vertexShader.fragmentShader" not in (output / found["three"]).read_text()
    # No comment named the map, so that none does.
    assert "sourceMappingURL" not in rest + (output / found["three"]).read_text()
    assert (output / f"{found['three']}.map").is_file()


def test_what_a_map_leaves_out_is_told_by_words(tmp_path: Path) -> None:
    output, _ = split(tmp_path, {**MAPPED, f"{CHUNK}.map": '{"version":3,"sources":[],"names":[],"mappings":""}'})
    assert scripts(output).keys() == {"three", CHUNK, "assets/clock.js"}


def test_maps_may_lie_in_a_folder_of_their_own(tmp_path: Path) -> None:
    files = {
        **MAPPED,
        CHUNK: CODE + "\n//# sourceMappingURL=../maps/index-Bx3f_9aQ.js.map\n",
        f"maps/{CHUNK[7:]}.map": MAP,
    }
    del files[f"{CHUNK}.map"]
    output, said = split(tmp_path, files)
    assert said == []
    name = scripts(output)["three"].removeprefix("assets/")
    assert f"//# sourceMappingURL=../maps/{name}.map\n" in (output / "assets" / name).read_text()
    assert (output / "maps" / f"{name}.map").is_file()


def test_a_script_that_only_learns_of_new_files_keeps_its_map(tmp_path: Path) -> None:
    """Its list of preloads grows by a name; what stands behind it moves."""
    entry = (
        'const __vite__mapDeps=(i,m=__vite__mapDeps,d=(m.f||(m.f=["assets/index-Bx3f_9aQ.js"])))=>i.map(i=>d[i]);'
        'const load=(f,d)=>f();load(()=>import("./index-Bx3f_9aQ.js"),__vite__mapDeps([0]));console.log(load.late);'
    )
    files = {
        **MAPPED, "index.html": PAGE.replace("index-Bx3f_9aQ", "main-Cx3f_9aQ"), "assets/main-Cx3f_9aQ.js": entry,
        "assets/main-Cx3f_9aQ.js.map": mapped(entry, {"const __vite": "main.js"}),
    }  # fmt: skip
    output, said = split(tmp_path, files)
    assert said == []
    path = scripts(output)["assets/main-Cx3f_9aQ.js"]
    text = (output / path).read_bytes()
    assert b"three." in text
    [late] = [one for one in places(text, (output / f"{path}.map").read_bytes()) if one.word == "late"]
    assert late.column == entry.index("late")


def test_an_edit_of_the_app_leaves_the_vendors_map(tmp_path: Path) -> None:
    """What stands before it in script and map, and what the app's build calls the vendor's things."""
    begins = {"function three0": "../node_modules/three/build/three.module.js", "import{now}": "../src/app.js"}
    edited = "const added=[1,2];" + CODE.replace("console.log(now)", "console.log(now,added)")
    later = {
        **MAPPED,
        CHUNK: edited + COMMENT,
        f"{CHUNK}.map": mapped(edited, {"const added": "../src/more.js", **begins}),
    }
    outputs = [split(tmp_path / name, files)[0] for name, files in (("first", MAPPED), ("later", later))]
    first, second = ({path.name: path.read_bytes() for path in output.rglob("three.*")} for output in outputs)
    assert len(first) == 2
    assert first == second


STALE: dict[str, tuple[dict[str, str], str]] = {
    "a map of another build": ({CHUNK: f"ab=1;{CODE}{COMMENT}"}, "begin within a word"),
    "a map of a longer script": ({f"{CHUNK}.map": MAP.replace('"mappings": "', '"mappings": ";;;;')}, "line 5"),
    "no map": ({f"{CHUNK}.map": "<!doctype html>"}, "no JSON"),
    "a map within the script": (
        {CHUNK: f"{CODE}\n//# sourceMappingURL=data:application/json;base64,e30="},
        "written into it",
    ),
    "a map elsewhere": ({CHUNK: f"{CODE}\n//# sourceMappingURL=https://maps.example/x.map"}, "not in the site"),
}  # fmt: skip


@pytest.mark.parametrize(("changed", "why"), STALE.values(), ids=STALE)
def test_without_its_map_a_script_stays_whole(tmp_path: Path, changed: dict[str, str], why: str) -> None:
    output, said = split(tmp_path, {**MAPPED, **changed})
    assert scripts(output).keys() == {CHUNK, "assets/clock.js"}
    assert [(code, path) for code, path, message in said if why in message] == [("not-split", CHUNK)]


def test_a_missing_map_is_in_nobodys_way(tmp_path: Path) -> None:
    files = dict(MAPPED)
    del files[f"{CHUNK}.map"]
    output, _ = split(tmp_path, files)
    assert "three" in scripts(output)


@pytest.mark.fixtures
@pytest.mark.parametrize(
    "export", ["vite7", "vite8-mixed", "webpack5-runtime", "next14-mixed", "next16-mixed"], indirect=True
)
def test_real_exports_keep_what_their_maps_say(export: exports.Export, tmp_path: Path) -> None:
    maps = export.folder.parent.with_name("fixtures-maps") / export.name
    site = tmp_path / "site"
    shutil.copytree(export.folder, site, copy_function=shutil.copyfile)
    known: dict[str, dict[tuple[str, int, int], set[Place]]] = {}
    for file in maps.rglob("*.js.map"):
        path = str(file.relative_to(maps).with_suffix(""))
        shutil.copyfile(file, site / f"{path}.map")
        data = (site / path).read_bytes()
        known[path] = {}
        for one in places(data, file.read_bytes()):
            known[path].setdefault(one[:3], set()).add(one)
        (site / path).write_bytes(data + f"\n//# sourceMappingURL={file.name}\n".encode())
    output, said = optimized(tmp_path, site, 20_000)
    assert "stale-source-map" not in {code for code, _, _ in said}
    records = json.loads((output / MANIFEST).read_text())["files"]
    seen: dict[str, int] = {}
    total = alike = same = properties = 0
    for path, record in records.items():
        [source] = record["source"][:1]
        if record["kind"] != "script" or source not in known:
            continue
        for one in places((output / path).read_bytes(), (output / f"{path}.map").read_bytes()):
            # What is cut within a segment may begin with a word where the segment did not.
            old = known[source].get(one[:3], set())
            seen[source] = seen.get(source, 0) + 1
            total += 1
            # Renaming changes no other sign, and no name of a property.
            alike += (one.before, one.after) in {(place.before, place.after) for place in old}
            if one.before == ".":
                properties += 1
                same += one.word in {place.word for place in old}
    assert {record.get("vendor") for record in records.values()} >= {"three", "tfjs"}
    # The rest is what is written anew: calls of the vendor in the app, exports.
    assert alike > 0.99 * total
    assert same > 0.999 * properties
    assert properties > 0.1 * total  # that there were any: they are a sixth to a fifth of all words
    for source, counted in seen.items():
        assert counted >= 0.99 * sum(map(len, known[source].values())), source
