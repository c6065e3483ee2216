"""The pass that splits: which scripts it takes apart, what learns of the new files, and what it leaves alone."""

from __future__ import annotations

import hashlib
import json
import re
from itertools import count, product
from typing import TYPE_CHECKING

import pytest
from click.testing import CliRunner
from programs import Program, needs_node, run
from test_webpack import NEWEST

from v1z3r_build.bundlers import vocabulary
from v1z3r_build.cli import main
from v1z3r_build.passes.split.inspection import inspect

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

MANIFEST = "v1z3r-manifest.json"
SETTINGS = (
    "passes = ['split', 'minify', 'link', 'compress']\n[split]\nmin_size = 2_000\n[compress]\nbrotli_quality = 4\n"
)


def library(label: str, count: int = 400) -> str:
    """Code that only this vendor could have: it speaks of nothing but what the vendor speaks of."""
    vendor = next(one for one in vocabulary.load().vendors if one.label == label)
    return functions(
        label, sorted(word for word in vendor.inner if re.fullmatch("[a-z][A-Za-z]{5,}", word))[: count * 3]
    )


def functions(label: str, words: Sequence[str]) -> str:
    return "".join(
        f"function {label}{number}(a){{return a.{first}+a.{second}({number}).{third}}}"
        for number, (first, second, third) in enumerate(zip(words[::3], words[1::3], words[2::3], strict=False))
    )


APP = "import{now}from'./clock.js';console.log(now);const view=three1({});export{view};"
PAGE = '<!doctype html><html><head><title>a</title><script type="module" src="/assets/index-Bx3f_9aQ.js"></script></head></html>'
FILES = {
    "index.html": PAGE,
    "assets/index-Bx3f_9aQ.js": library("three") + APP,
    "assets/clock.js": "export const now=1;",
}


def optimize(
    folder: Path, files: Mapping[str, str], settings: str = ""
) -> tuple[Path, dict[str, str], list[tuple[str, str]]]:
    """The output, the vendors by path, and code and path of all diagnostics. The output is verified as well."""
    site = folder / "site"
    for path, text in files.items():
        (site / path).parent.mkdir(parents=True, exist_ok=True)
        (site / path).write_text(text)
    (folder / "v1z3r-build.toml").write_text(SETTINGS.replace("[split]\n", f"[split]\n{settings}\n"))
    output = folder / "output"
    done = CliRunner().invoke(main, ["optimize", str(site), "-o", str(output), "--json"])
    assert done.exit_code == 0, done.output
    assert CliRunner().invoke(main, ["verify", str(output)]).exit_code == 0
    records = json.loads((output / MANIFEST).read_text())["files"]
    found = {path: record["vendor"] for path, record in records.items() if "vendor" in record}
    return output, found, [(one["code"], one["path"]) for one in json.loads(done.stdout)["diagnostics"]]


def test_pages_and_lists_may_write_a_name_as_urls_have_it(tmp_path: Path) -> None:
    """As `encodeURI` does; and a name that several chunks have speaks of each of them."""
    script = FILES["assets/index-Bx3f_9aQ.js"]
    listing = 'precacheAndRoute([{url:"/assets/%5Bslug%5D-Bx3f_9aQ.js",revision:null}])'
    files = {"assets/[slug]-Bx3f_9aQ.js": script, "sw.js": listing, "assets/clock.js": FILES["assets/clock.js"]}
    files["index.html"] = PAGE.replace("index-", "%5Bslug%5D-")
    output, vendors, _ = optimize(tmp_path / "encoded", files)
    assert f'<link rel="modulepreload" href="/{next(iter(vendors))}">' in (output / "index.html").read_text()
    assert f'{{url:"/{next(iter(vendors))}",revision:null}}' in (output / "sw.js").read_text()
    files = {f"{folder}/{path}": text for folder in "ab" for path, text in FILES.items()}
    for folder in "ab":
        files[f"{folder}/index.html"] = PAGE.replace("/assets", f"/{folder}/assets")
    files["sw.js"] = "onfetch=e=>e.request.url.endsWith('/index-Bx3f_9aQ.js')"
    _, vendors, told = optimize(tmp_path / "twice", files)
    assert not vendors
    assert {path for code, path in told if code == "not-split"} == {f"{one}/assets/index-Bx3f_9aQ.js" for one in "ab"}


def test_a_module_is_split_and_its_page_learns_of_it(tmp_path: Path) -> None:
    output, vendors, _ = optimize(tmp_path, FILES)
    [(path, label)] = vendors.items()
    assert label == "three"
    assert re.fullmatch(r"assets/three\.[0-9a-f]{16}\.js", path)
    record = json.loads((output / MANIFEST).read_text())["files"][path]
    assert (record["cache_class"], record["source"]) == ("immutable", ["assets/index-Bx3f_9aQ.js"])
    page = (output / "index.html").read_text()
    assert page.index(f'<link rel="modulepreload" href="/{path}">') < page.index("<script")
    [chunk] = (output / "assets").glob("index-*.js")
    assert f'"./{path.rpartition("/")[2]}"' in chunk.read_text()
    assert len(chunk.read_text()) < 300


@pytest.mark.parametrize(
    ("clock", "waits"),
    [
        ("export const now=1;", False),
        ("export let now=1;now=2;", False),
        ("export const now=(()=>{})(async()=>{await 0});", False),
        ("export const now=await 1;", True),
        ("await(async()=>{})();export const now=1;", True),
        ("class A{[await(1)](){}}export const now=1;", True),
        ("class A{@f(await 1)m(){}}export const now=1;", True),
        ("import'./timer.js';export const now=1;", True),
        ("--> await 1\nexport const now=1;", True),  # a comment to the parser, and to nobody else
        ("import'./index-Bx3f_9aQ.js';export const now=1;", True),  # it may call what the vendor gives
        ("import'https://example.com/x.js';export const now=1;", True),
    ],
)
def test_what_is_imported_decides_when_a_vendor_may_run(tmp_path: Path, clock: str, waits: bool) -> None:
    """A vendor's file is evaluated while others wait, so what can be noticed of it is called where it stood."""
    run = (
        "const kept=three2({zenithAngle:1}).zeroPosition;"
        "function uses(a){return kept.zenithAngle+a.zenithAngleCos+a.zeroPosition+kept.zenithAngleCos}"
    )
    files = {
        **FILES,
        "assets/index-Bx3f_9aQ.js": library("three") + run + APP,
        "assets/clock.js": clock,
        "assets/timer.js": "await 0;",
    }
    output, vendors, _ = optimize(tmp_path, files)
    [chunk] = (output / "assets").glob("index-*.js")
    assert len(vendors) == 1
    assert chunk.read_text().startswith("_0();import{now}" if waits else "import{now}")


def test_an_edit_of_the_app_leaves_the_vendor_as_it_is(tmp_path: Path) -> None:
    edited = {
        **FILES,
        "assets/index-Bx3f_9aQ.js": "const added=[1,2];" + library("three").replace("(a)", "(zz)").replace("a.", "zz.")
        + APP.replace("console.log(now)", "console.log(now,added)"),
    }  # fmt: skip
    first, second = (optimize(tmp_path / name, files)[1] for name, files in (("a", FILES), ("b", edited)))
    assert first == second


CLASSIC = PAGE.replace(' type="module"', "")
# webpack's runtime, a module, and the start, in one file.
BUNDLE = (
    "(()=>{var m={7(e,t,n){"
    + library("three")
    + "n.d(t,{a:function(){return three1}})},8(e,t,n){console.log(n(7).a)}},t={};"
    "function n(e){var o=t[e];if(void 0!==o)return o.exports;var i=t[e]={exports:{}};return m[e](i,i.exports,n),i.exports}"
    "n.d=(e,t)=>{for(var r in t)Object.defineProperty(e,r,{get:t[r]})};n(8)})();"
)
BUNDLED = {"index.html": CLASSIC, "assets/index-Bx3f_9aQ.js": BUNDLE}


def test_a_bundle_is_split_and_its_page_learns_of_it(tmp_path: Path) -> None:
    output, vendors, _ = optimize(tmp_path, BUNDLED)
    [(path, label)] = vendors.items()
    assert label == "three"
    page = (output / "index.html").read_text()
    assert page.index(f'<script src="/{path}">') < page.index("assets/index-")
    [bundle] = (output / "assets").glob("index-*.js")
    assert f'"{path.rpartition("/")[2]}"' in bundle.read_text()
    assert len(bundle.read_text()) < 2_000


CONCATENATED = (
    "(self.q=self.q||[]).push([[%d],{2:function(e,t,n){"
    + library("three")
    + "const list=document.querySelector('nav ul');"
    "function show(item){const link=document.createElement('a');link.textContent=item.title;list.appendChild(link)}"
    "document.addEventListener('click',event=>{localStorage.setItem('clicked',event.target.textContent)});"
    "fetch('/items.json').then(answer=>answer.json()).then(items=>items.forEach(show));n(9)(%s)}}]);"
)
CHUNKS = {
    "index.html": '<script src="/r.js"></script><script src="/a.js"></script><script src="/b.js"></script>',
    "r.js": NEWEST.decode().replace('n.p=""', 'n.p="/"'),
    "a.js": CONCATENATED % (1, "three1"),
    "b.js": CONCATENATED % (3, "three1"),
}


def test_equal_modules_of_two_chunks_share_a_file(tmp_path: Path) -> None:
    output, vendors, _ = optimize(tmp_path, CHUNKS)
    assert list(vendors.values()) == ["three"]
    assert (output / "index.html").read_text().count(next(iter(vendors))) == 2


@pytest.mark.parametrize(
    "other",
    [
        CONCATENATED % (3, "three1,three2"),  # with another new module
        "(self.q=self.q||[]).push([[3],{2:function(e,t,n){}}]);",  # whole
        "(self.q=self.q||[]).push([[3],{2:f}]);",  # not to be read
    ],
)
def test_a_module_stays_whole_that_another_chunk_has_in_another_form(tmp_path: Path, other: str) -> None:
    """The runtime knows one of them, and may ask for it before the new chunk of the other is there."""
    _, vendors, said = optimize(tmp_path, CHUNKS | {"b.js": other})
    assert vendors == {}
    assert ("not-split", "a.js") in said


def test_a_module_may_hold_a_library_that_is_a_bundle(tmp_path: Path) -> None:
    chunk = FILES["assets/index-Bx3f_9aQ.js"] + BUNDLE.replace(library("three"), "function three1(){}")
    assert list(optimize(tmp_path, FILES | {"assets/index-Bx3f_9aQ.js": chunk})[1].values()) == ["three"]


KEPT: dict[str, tuple[dict[str, str], str]] = {
    "a script that only speaks of imports": (
        {
            "index.html": CLASSIC,
            "assets/index-Bx3f_9aQ.js": library("three") + "console.log('import x from y; export {z}');three1({});",
        },
        "",
    ),
    "a module with a query is another module": (
        {"more.html": PAGE.replace("9aQ.js", "9aQ.js?again")},
        "",
    ),
    "what a service worker keeps for use without network, as nobody can tell": (
        {"sw.js": "onfetch=e=>e.request.url.endsWith('/assets/index-Bx3f_9aQ.js')&&caches.open('a')"},
        "not-split",
    ),
    "what a service worker keeps by a digest of another kind": (
        {"ngsw.json": '{"hashTable":{"/assets/index-Bx3f_9aQ.js":"' + "0123456789abcdef" * 4 + '"}}'},
        "not-split",
    ),
    "a vendor that is too small": ({"assets/index-Bx3f_9aQ.js": library("three", 40) + APP}, ""),
    "direct eval": ({"assets/index-Bx3f_9aQ.js": library("three") + "eval('three1');" + APP}, ""),
    "a bundle that another script may load": (
        BUNDLED | {"assets/clock.js": "new Worker('/assets/index-Bx3f_9aQ.js')"},
        "not-split",
    ),
    "a bundle that a page's script may load": (
        BUNDLED | {"more.html": "<script>import('/assets/index-Bx3f_9aQ.js')</script>"},
        "not-split",
    ),
    "a bundle that is a module": (BUNDLED | {"index.html": PAGE}, "not-split"),
    "a library": (BUNDLED | {"assets/index-Bx3f_9aQ.js": "var LIB;" + BUNDLE}, "not-split"),
    "a chunk of webpack's without its runtime": (
        {
            "index.html": CLASSIC,
            "assets/index-Bx3f_9aQ.js": '(self.webpackChunkx=self.webpackChunkx||[]).push([[1],{2:function(e,t,n){'
            + library("three") + 'n.d(t,{a:function(){return three1}})},3:function(e,t,n){console.log(n(2))}}]);',
        },
        "not-split",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("changed", "code"), KEPT.values(), ids=KEPT)
def test_what_cannot_be_proved_stays_whole(tmp_path: Path, changed: dict[str, str], code: str) -> None:
    output, vendors, said = optimize(tmp_path, {**FILES, **changed})
    assert vendors == {}
    assert not list(output.rglob("three*"))
    if code:
        assert (code, "assets/index-Bx3f_9aQ.js") in said


def test_a_script_that_is_a_vendor_is_labelled(tmp_path: Path) -> None:
    files = {**FILES, "assets/index-Bx3f_9aQ.js": library("tfjs") + "export{tfjs1 as a};"}
    output, vendors, _ = optimize(tmp_path, files)
    [(path, label)] = vendors.items()
    assert (label, path.startswith("assets/index-")) == ("tfjs", True)
    assert not list(output.rglob("tfjs*"))


@needs_node
@pytest.mark.parametrize(
    "d", ["", "r.d=(exports,name,get)=>Object.defineProperty(exports,name,{get});"], ids=["none", "webpack 4"]
)
def test_what_is_cut_asks_nothing_of_the_runtime(d: str, tmp_path: Path) -> None:
    """`d` defines exports in another way in webpack 4, and is not there where no module has any."""
    app = "".join(f"document.title+=`${{document.title.length}} of chapter {number}`;" for number in range(100))
    chunk = (
        '(self.webpackChunkx=self.webpackChunkx||[]).push([["a"],{7:function(e,t,n){'
        + library("three").replace("three1(a){", "three1(a){return log('one');")
        + f"let view=three1;log(view());{app}}},8:function(e){{e.exports=document}}}}]);"
    )
    answer = inspect("a.js", ("three",), 100, (), chunk.encode()).answer
    assert answer is not None
    [vendor] = answer.vendors.values()
    runtime = (
        "globalThis.self=globalThis;globalThis.document={title:String()};var F={},c={};self.webpackChunkx={push:([,f])=>Object.assign(F,f)};"
        + "function r(i){if(c[i])return c[i].exports;var m=c[i]={exports:{}};F[i](m,m.exports,r);return m.exports}"
        + d
    )
    assert answer.data is not None
    programs = [
        Program({"a.cjs": f"{runtime}{text};r(7);log(document.title)".encode()}, "a.cjs")
        for text in (chunk, vendor.data.decode() + answer.data.decode())
    ]
    before, after = run(programs, tmp_path)
    assert before == after
    assert before[0] == "one"


def test_two_modules_with_one_vendor_keep_two_copies(tmp_path: Path) -> None:
    """Each has a state of its own."""
    files = {
        **FILES,
        "index.html": PAGE.replace("</head>", '<script type="module" src="/assets/other-C0y7Zq2b.js"></script></head>'),
        "assets/other-C0y7Zq2b.js": library("three") + APP,
    }
    output, vendors, _ = optimize(tmp_path, files)
    assert sorted(path.partition(".")[0] for path in vendors) == ["assets/three", "assets/three-2"]
    assert len({(output / path).read_bytes() for path in vendors}) == 1


VERBS = ("paint", "lift", "mask", "fold", "dim", "blend", "swap", "spin", "tilt", "pulse", "strobe", "wipe", "tint")
SIDES = (
    "Left",
    "Right",
    "Over",
    "Under",
    "Twice",
    "Last",
    "Near",
    "Far",
    "High",
    "Low",
    "Deep",
    "Wide",
    "Thin",
    "Warm",
)
THINGS = ("Stage", "Curtain", "Beam", "Lamp", "Cue")
PACKAGE = functions("stage", ["".join(words) for words in product(VERBS, SIDES, THINGS)])


def test_a_library_that_the_settings_name_by_its_package(tmp_path: Path) -> None:
    package = tmp_path / "node_modules" / "@stage" / "core"
    package.mkdir(parents=True)
    (package / "package.json").write_text('{"name":"@stage/core","version":"1.2.3"}')
    (package / "index.js").write_text(PACKAGE)
    files = {**FILES, "assets/index-Bx3f_9aQ.js": PACKAGE + APP.replace("three1", "stage1")}
    output, vendors, _ = optimize(tmp_path, files, 'vendors = ["@stage/core"]')
    [(path, label)] = vendors.items()
    assert label == "stage-core"
    assert re.fullmatch(r"assets/stage-core\.[0-9a-f]{16}\.js", path)
    assert json.loads((output / MANIFEST).read_text())["engines"]["@stage/core"] == "1.2.3"


@pytest.mark.parametrize(("name", "told"), [("thre", "Did you mean three?"), ("@stage/core", "node_modules")])
def test_a_library_that_is_not_there(tmp_path: Path, name: str, told: str) -> None:
    with pytest.raises(AssertionError, match=re.escape(told)):
        optimize(tmp_path, FILES, f'vendors = ["three", "{name}"]')


@pytest.mark.parametrize(("limit", "split"), [(4, 0), (5, 1)])
def test_a_page_makes_no_more_requests_at_once_than_the_limit(tmp_path: Path, limit: int, split: int) -> None:
    """The entry, a style sheet and two pictures: four; icons and what waits for the pointer count for nothing."""
    page = PAGE.replace(
        "</head>",
        '<link rel="stylesheet" href="/a.css"><link rel="icon" href="/c.svg"></head><img src="/b.svg"><img src="c.svg">',
    )
    drawing = '<svg xmlns="http://www.w3.org/2000/svg"/>'
    files = {**FILES, "index.html": page, "a.css": "a{}", "b.svg": drawing, "c.svg": drawing}
    _, vendors, said = optimize(tmp_path, files, f"max_initial_requests = {limit}")
    assert len(vendors) == split
    assert (("not-split", "assets/index-Bx3f_9aQ.js") in said) == (split == 0)


def test_copies_of_a_vendor_are_told(tmp_path: Path) -> None:
    """One that is split off, and one in a script that cannot be split."""
    numbers = count()
    vendor = re.sub("return", lambda _: f"console.log('part {next(numbers)} is lost');return", library("three"))
    other = "assets/other-C0y7Zq2b.js"
    files = {
        **FILES,
        "index.html": PAGE.replace("</head>", f'<script type="module" src="/{other}"></script></head>'),
        "assets/index-Bx3f_9aQ.js": vendor + APP,
        other: vendor + "eval('three1');" + APP,
    }
    _, vendors, said = optimize(tmp_path, files)
    assert len(vendors) == 1
    (told,) = [path for code, path in said if code == "vendor-copies"]
    assert told in files
    assert "vendor-copies" not in [code for code, _ in optimize(tmp_path / "b", {**files, other: "export{}"})[2]]


def test_what_is_fetched_for_use_without_network_is_fetched_with_its_vendor(tmp_path: Path) -> None:
    worker = 'import{a}from"./a.js";a([{url:"assets/index-Bx3f_9aQ.js",revision:null},{url:"index.html",revision:"0"}])'
    output, vendors, _ = optimize(tmp_path, {**FILES, "a.js": "export const a=addAll", "sw.js": worker})
    [path] = vendors
    [chunk] = (output / "assets").glob("index-*.js")
    listed = f'[{{url:"{path}",revision:null}},{{url:"assets/{chunk.name}",revision:null}},'
    assert listed in (output / "sw.js").read_text().replace("'", '"')


def test_what_ties_a_vendor_to_the_app_is_told(tmp_path: Path) -> None:
    """All of it reads what the app writes again and again."""
    tied = re.sub(r"return", "return state+", library("three"))
    files = {
        **FILES,
        "assets/index-Bx3f_9aQ.js": "let state=0;" + tied + APP + "setInterval(()=>state++,9);console.log(state);",
    }
    site = tmp_path / "site"
    assert optimize(tmp_path, files)[1] == {}
    done = CliRunner().invoke(
        main,
        ["optimize", str(site), "-o", str(tmp_path / "o"), "--config", str(tmp_path / "v1z3r-build.toml"), "--json"],
    )
    [told] = [one["message"] for one in json.loads(done.stdout)["diagnostics"] if one["code"] == "not-split"]
    assert "three is tied to other code" in told
    assert "it reads `state`, which the rest writes" in told


def test_angulars_service_worker_learns_of_a_vendor_and_its_digest(tmp_path: Path) -> None:
    script = "assets/index-Bx3f_9aQ.js"
    stated = {f"/{path}": hashlib.sha1(FILES[path].encode()).hexdigest() for path in FILES}
    group = {"name": "app", "installMode": "prefetch", "urls": ["/index.html", f"/{script}"]}
    listing = json.dumps({"configVersion": 1, "assetGroups": [group], "hashTable": stated})
    output, vendors, _ = optimize(tmp_path, {**FILES, "ngsw.json": listing})
    [vendor] = vendors
    told = json.loads((output / "ngsw.json").read_text())
    [chunk] = (output / "assets").glob("index-*.js")
    assert told["assetGroups"][0]["urls"] == ["/index.html", f"/{vendor}", f"/assets/{chunk.name}"]
    assert len(told["hashTable"]) == len(FILES) + 1
    assert told["hashTable"] == {
        url: hashlib.sha1((output / url.lstrip("/")).read_bytes()).hexdigest() for url in told["hashTable"]
    }
