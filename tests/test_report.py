"""The report: advice by rule, the page for hostile and for huge sites, how the command answers."""

from __future__ import annotations

import base64
import hashlib
import io
import json
import os
import re
from pathlib import Path
from typing import Any

import html5lib
import pytest
from click.testing import CliRunner, Result
from PIL import Image
from reports import HOSTILE, file, hostile, huge, render, site

from v1z3r_build import cli
from v1z3r_build.diagnostics import info
from v1z3r_build.manifest import MANIFEST_NAME, Manifest, RouteRecord
from v1z3r_build.report.evidence import Evidence, Page, Shown, collect
from v1z3r_build.report.page import BUDGET
from v1z3r_build.report.pictures import pixels
from v1z3r_build.report.rules import RULES, advise
from v1z3r_build.report.rules.copies import twins

THREE = {"three.1.js": file("script", 500_000, 95_000, vendor="three")}
FONT = {"a.css": file("style", 100), "a.woff2": file("font", 9_000)}
NAMED = {"a.css": frozenset({"a.woff2"})}
PICTURE = {"a.png": file("image", 90_000)}


def shown(width: int, height: int, **members: Any) -> Evidence:
    return Evidence({"index.html": Page(shown=(Shown("a.png", width, height),))}, {}, {"a.png": (800, 600)}, **members)


TRIGGERED = [
    (
        "vendor-in-initial-load",
        site(THREE, ["three.1.js"]),
        Evidence(),
        ("/",),
        ("three.1.js",),
        95_000,
        ["three (95.0 kB br) is in the initial load of /", "await import('three')"],
    ),
    (
        "vendor-in-initial-load",
        site({"_next/static/tfjs.js": file("script", 1_000, 170_000, vendor="tfjs")}, ["_next/static/tfjs.js"]),
        Evidence(),
        ("/",),
        ("_next/static/tfjs.js",),
        170_000,
        ["dynamic(() => import('./Scene'), { ssr: false })", "imports `@tensorflow/tfjs`"],
    ),
    (
        "vendor-copies",
        site(
            {
                "b.9.js": file("script", 5_000, 9_000, source=("b.1.js",)),
                "three.9.js": file("script", 5_000, 2_000, source=("b.1.js",), vendor="three"),
            },
            ["b.9.js", "three.9.js"],
            diagnostics=(info("vendor-copies", "b.1.js", "it holds three, and so does a.js", "Use one."),),
        ),
        Evidence(),
        ("/",),
        ("three.9.js",),
        2_000,
        ["three.9.js: it holds three, and so does a.js", "Use one."],
    ),
    (
        "equal-bytes",
        site({"a.png": file("image", 8_000, sha256="s"), "b.png": file("image", 8_000, sha256="s", source=("b",))}),
        Evidence(),
        (),
        ("a.png", "b.png"),
        8_000,
        ["2 files hold the same bytes"],
    ),
    (
        "font-not-preloaded",
        site(FONT, ["a.css"], ["a.woff2"], base="/sub/"),
        Evidence({"index.html": Page()}, NAMED),
        ("/",),
        ("a.woff2",),
        9_000,
        ["found only after the style sheet of /", 'href="/sub/a.woff2"'],
    ),
    (
        "image-larger-than-shown",
        site(PICTURE, ["a.png"]),
        shown(200, 150),
        ("/",),
        ("a.png",),
        67_500,
        ["800 × 600 pixels, / asks for 200 × 150", "67.5 kB", "400 × 300"],
    ),
    (
        "render-blocking-script",
        site({"a.js": file("script", 900, 300)}, ["a.js"]),
        Evidence({"index.html": Page(blocking=("a.js",))}),
        ("/",),
        ("a.js",),
        300,
        ["/ shows nothing before a.js (300 B br) has run", "defer"],
    ),
    (
        "render-blocking-style",
        site({"a.css": file("style", 400_000, 50_001)}, ["a.css"]),
        Evidence(),
        ("/",),
        ("a.css",),
        50_001,
        ["50.0 kB br of CSS"],
    ),
    (
        "unused-style",
        site({"old.css": file("style", 700), "a.css": file("style", 800)}, ["a.css"]),
        Evidence(),
        (),
        ("old.css",),
        700,
        ["uses old.css"],
    ),
    (
        "source-map-published",
        site({"a.js.map": file("json", 5_000, 1_000)}),
        Evidence(),
        (),
        ("a.js.map",),
        1_000,
        ["1 source map would be published", "productionBrowserSourceMaps: false"],
    ),
    (
        "secret-published",
        site({"conf/.env.production": file("text", 50), "x.txt": file("text", 60)}),
        Evidence(strays=(".git/config", "id_rsa"), keys=("x.txt",)),
        (),
        (".git/config", "conf/.env.production", "id_rsa", "x.txt"),
        110,
        ["not for the public"],
    ),
    (
        "left-over-published",
        site({"img/.DS_Store": file("other", 6_148), "a.js.bak": file("other", 10)}),
        Evidence(),
        (),
        ("a.js.bak", "img/.DS_Store"),
        6_158,
        ["a.js.bak and .DS_Store are left over"],
    ),
    (
        "little-immutable",
        site({"a.js": file("script", 90_000, 30_000, cache_class="revalidate", kept="it is a worker")}, ["a.js"]),
        Evidence(),
        ("/",),
        ("a.js",),
        30_000,
        ["30.0 kB of 30.0 kB br cannot be kept", "it is a worker"],
    ),
    (
        "text-not-compressed",
        site({"a.js": file("script", 90_000), "b.js": file("script", 90_001, 5)}),
        Evidence(),
        (),
        ("a.js",),
        90_000,
        ["1 of 2 texts have no encoding"],
    ),
    (
        "many-requests",
        site({f"{n}.png": file("image", n) for n in range(60)}, [f"{n}.png" for n in range(60)]),
        Evidence(),
        ("/",),
        None,
        None,
        ["/ needs 61 requests at once, 60 of them for files of kind image"],
    ),
]
QUIET = [
    ("a vendor that is loaded later", site(THREE, [], ["three.1.js"]), Evidence()),
    ("a small vendor", site({"v.js": file("script", 9_000, 3_000, vendor="v")}, ["v.js"]), Evidence()),
    (
        "a file and its hashed copy",
        site({"a.png": file("image", 8_000, sha256="s", source=("a",)), "a.1.png": file("image", 8_000, sha256="s", source=("a",))}),
        Evidence(),
    ),
    ("few equal bytes", site({"a": file("image", 9, sha256="s"), "b": file("image", 9, sha256="s", source=("b",))}), Evidence()),
    ("a preloaded font", site(FONT, ["a.css"], ["a.woff2"]), Evidence({"index.html": Page(frozenset({"a.woff2"}))}, NAMED)),
    ("a font that no style of the page names", site(FONT, ["a.css"], ["a.woff2"]), Evidence({"index.html": Page()})),
    ("a picture for screens of double density", site(PICTURE, ["a.png"]), shown(400, 300)),
    ("a small picture", site({"a.png": file("image", 9_000)}, ["a.png"]), shown(20, 20)),
    ("a used style", site({"a.css": file("style", 700)}, [], ["a.css"]), Evidence()),
    (
        "the original of a used style",
        site({"a.css": file("style", 700, source=("a",)), "a.1.css": file("style", 700, source=("a",))}, ["a.1.css"]),
        Evidence(),
    ),
    ("an example of secrets", site({".env.example": file("text", 50), "environment.js": file("script", 9)}), Evidence()),
    ("immutable files", site({"a.js": file("script", 90_000, 30_000)}, ["a.js"]), Evidence()),
    ("a short text", site({"a.txt": file("text", 1_399)}), Evidence()),
    ("a picture without encoding", site({"a.png": file("image", 90_000)}), Evidence()),
    ("a page of 60 requests", site({f"{n}.png": file("image", n) for n in range(59)}, [f"{n}.png" for n in range(59)]), Evidence()),
    ("a site without pages", site({"a.css": file("style", 700)}, routes={}), Evidence()),
]  # fmt: skip


@pytest.mark.parametrize(("code", "manifest", "evidence", "routes", "files", "count", "said"), TRIGGERED)
def test_advice(
    code: str,
    manifest: Manifest,
    evidence: Evidence,
    routes: tuple[str, ...],
    files: tuple[str, ...] | None,
    count: int | None,
    said: list[str],
) -> None:
    (one,) = advise(manifest, evidence)
    assert (one.code, one.routes) == (code, routes)
    assert files is None or (one.files, one.bytes) == (files, count)
    assert all(words in f"{one.message} {one.hint}" for words in said), one
    assert json.loads(json.dumps(one.to_json()))["code"] == code


@pytest.mark.parametrize(("manifest", "evidence"), [row[1:] for row in QUIET], ids=[row[0] for row in QUIET])
def test_no_advice(manifest: Manifest, evidence: Evidence) -> None:
    assert advise(manifest, evidence) == []


def test_every_rule_has_its_row() -> None:
    assert {rule(manifest, evidence).__name__ for _, manifest, evidence, *_ in TRIGGERED for rule in RULES if list(rule(manifest, evidence))} == {
        rule.__name__ for rule in RULES
    }  # fmt: skip


def test_routes_with_the_same_advice_share_it() -> None:
    routes = {url: RouteRecord("index.html", ("three.1.js",), ()) for url in ("/", "/a", "/b", "/c")}
    (one,) = advise(site(THREE, routes=routes), Evidence())
    assert one.routes == ("/", "/a", "/b", "/c")
    assert "the initial load of /, /a and 2 more routes" in one.message


def test_the_most_pressing_advice_comes_first() -> None:
    made = site({**THREE, ".env": file("text", 5), "old.css": file("style", 99_000_000, 9)}, ["three.1.js"])
    assert [one.code for one in advise(made, Evidence())] == [
        "secret-published",
        "vendor-in-initial-load",
        "unused-style",
    ]


def test_of_a_file_and_its_copy_the_copy_is_the_twin() -> None:
    two = {"a.png": ("a", "revalidate"), "a.1.png": ("a", "immutable"), "b.png": ("b", "revalidate")}
    made = site(
        {path: file("image", 9, sha256="s", source=(one,), cache_class=name) for path, (one, name) in two.items()}
    )
    assert twins(made) == [("a.1.png", "b.png")]


# What the files tell


def test_evidence_in_pages_and_styles(tmp_path: Path) -> None:
    pages = {
        "index.html": """<base href="/sub/app/"><link rel="Preload" as=font href=f.woff2><script src=a.js></script>
            <script src=b.js defer></script><script type=module src=c.js></script><script src=/sub/a.js></script>
            <template><script src=b.js></script><img src=p.png width=1 height=1></template>
            <body><script src=b.js></script><img src=p.png width=20 height="30"><img src=p.png width="50%" height=9>
            <img src=p.png srcset="p.png 2x" width=1 height=1><picture><img src=p.png width=1 height=1></picture>""",
        "app/a.css": "@font-face { src: url(f.woff2) } a { background: url(p.png) }",
    }
    names = ["app/a.js", "a.js", "app/b.js", "app/c.js"]
    files = {name: file("script", 1) for name in names}
    files |= {"app/f.woff2": file("font", 1), "app/p.png": file("image", 1), "app/a.css": file("style", 1)}
    made = site({**files, "key.txt": file("text", 1), "gone.html": file("html", 1)}, base="/sub/")
    for name, text in {**pages, "key.txt": "-----BEGIN RSA PRIVATE KEY-----\n", ".git/HEAD": "ref"}.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    found = collect(tmp_path, made)
    assert found.pages == {
        "index.html": Page(frozenset({"app/f.woff2"}), ("app/a.js", "a.js"), (Shown("app/p.png", 20, 30),))
    }
    assert found.fonts == {"app/a.css": frozenset({"app/f.woff2"})}
    assert (found.strays, found.keys, found.pixels) == ((".git/HEAD",), ("key.txt",), {})


def picture(kind: str, **options: Any) -> bytes:
    data = io.BytesIO()
    Image.new("RGB", (321, 123)).save(data, kind, **options)
    return data.getvalue()


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (picture("PNG"), (321, 123)),
        (picture("JPEG"), (321, 123)),
        (picture("GIF"), (321, 123)),
        (picture("WEBP"), (321, 123)),
        (picture("WEBP", lossless=True), (321, 123)),
        (picture("WEBP", exif=b"Exif\0\0MM\0*\0\0\0\x08\0\0\0\0\0\0"), (321, 123)),
        (picture("PNG")[:20], None),
        (picture("WEBP")[:25], None),
        (b"RIFF\0\0\0\0WEBPVP8 " + bytes(40), None),
        (b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR" + b"\xff" * 40, None),
        (b"<svg/>", None),
        (b"", None),
    ],
)
def test_pixels(data: bytes, expected: tuple[int, int] | None, tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(data)
    assert pixels(tmp_path / "a") == expected


def test_a_picture_that_claims_to_be_huge_is_measured_and_not_decoded(tmp_path: Path) -> None:
    data = bytearray(picture("PNG"))
    data[16:24] = (60_000).to_bytes(4) * 2
    (tmp_path / "a").write_bytes(data)
    assert pixels(tmp_path / "a") in (None, (60_000, 60_000))


# The page


def test_hostile_names_stay_text() -> None:
    found = Evidence(strays=tuple(f".git/{name}" for name in HOSTILE))
    data = render(hostile(), found, "<i>out")
    tree = html5lib.parse(data, namespaceHTMLElements=False)
    assert len(tree.findall(".//script")) == 2
    assert all(
        not name.startswith("on") for element in tree.iter() if isinstance(element.tag, str) for name in element.attrib
    )
    assert tree.find(".//head/title").text.startswith("<i>out")
    text = tree.find(".//script[@id='data']").text
    assert set(text) & set("<>&\u2028\u2029") == set()
    rows = json.loads(text)["files"]
    # Told apart from one another, and without what turns the direction of text.
    assert len({row[0] for row in rows}) == len(HOSTILE) + 1
    assert "\u202e" not in data.decode() and "\\u202e" in data.decode()
    listed = {"".join(cell.itertext()) for cell in tree.findall(".//table[@id='file-table']/tbody/tr/td[1]")}
    assert listed == {row[0] for row in rows}


def test_the_policy_lets_run_what_stands_in_the_page_and_nothing_else() -> None:
    tree = html5lib.parse(render(site(THREE, ["three.1.js"])), namespaceHTMLElements=False)
    policy = tree.find(".//meta[@http-equiv]").get("content")
    for element in (tree.find(".//style"), tree.findall(".//script")[-1]):
        digest = base64.b64encode(hashlib.sha256(element.text.encode()).digest()).decode()
        assert f"'sha256-{digest}'" in policy
    assert policy.startswith("default-src 'none'; ")
    assert "unsafe" not in policy
    everything = [(element, name) for element in tree.iter() if isinstance(element.tag, str) for name in element.attrib]
    assert [element.tag for element, name in everything if name in ("style", "src", "srcset", "data", "poster")] == []
    links = {element.get(name) for element, name in everything if name == "href"}
    assert all(link.startswith(("#", "data:")) for link in links)


def test_a_huge_site_keeps_the_budget_and_loses_no_byte() -> None:
    made = huge(10_000, 3_000)
    data = render(made)
    assert len(data) <= BUDGET
    tree = html5lib.parse(data, namespaceHTMLElements=False)
    found = json.loads(tree.find(".//script[@id='data']").text)
    numbers, rest, later, later_rest = found["whole"]
    assert (later, later_rest) == ([], [])
    assert len(numbers) + sum(row[2] for row in rest) == len(made.files)
    assert sum(found["files"][n][3] for n in numbers) + sum(row[3] for row in rest) == sum(
        one.size for one in made.files.values()
    )
    text = "".join(tree.itertext())
    assert f"The {len(found['files'])} of 10001 files that weigh most" in text
    assert f"The heaviest {len(found['routes'])} of 3000" in text


def test_equal_sites_give_equal_pages() -> None:
    one, other = huge(50, 3), huge(50, 3)
    other = Manifest(
        **{**{name: getattr(other, name) for name in Manifest.__slots__}, "files": dict(reversed(other.files.items()))}
    )
    assert render(one) == render(other)
    assert re.search(rb"\b20\d\d-\d\d", render(one)) is None, "a date"


def test_the_page_of_an_empty_site() -> None:
    tree = html5lib.parse(render(Manifest("v1z3r-build 0", "0", {}, {}, {}, ())), namespaceHTMLElements=False)
    assert "Nothing found that would help" in "".join(tree.itertext())


# The command


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a manifest, not in the working directory."""
    for name in ("CI", "GITHUB_ACTIONS"):
        monkeypatch.delenv(name, raising=False)
    made = tmp_path / "out"
    made.mkdir()
    (made / MANIFEST_NAME).write_bytes(site(THREE, ["three.1.js"]).to_bytes())
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    return made


def run(*words: str | Path) -> Result:
    return CliRunner().invoke(cli.main, ["report", *(str(word) for word in words)], prog_name="v1z3r-build")


def test_the_page_lies_here_and_advice_is_told(folder: Path) -> None:
    before = {one.name for one in folder.iterdir()}
    result = run(folder)
    assert (result.exit_code, result.stdout) == (0, ""), result.output
    assert "three (95.0 kB br) is in the initial load of /" in result.stderr
    assert Path("report.html").read_bytes() == render(Manifest.load(folder / MANIFEST_NAME))
    assert {one.name for one in folder.iterdir()} == before
    assert run(folder, "-q").exit_code == 0, "a report may be written over a report"
    assert run(folder, "-q").output == ""


def test_the_same_for_programs(folder: Path) -> None:
    result = run(folder, "-o", "there.html", "--json")
    assert result.exit_code == 0
    told = json.loads(result.stdout)
    assert (told["status"], told["page"]) == ("reported", "there.html")
    assert told["routes"] == {
        "/": {
            "initial": {"requests": 2, "br": 95_300, "gzip": 500_900, "raw": 500_900},
            "lazy": {"requests": 0, "br": 0, "gzip": 0, "raw": 0},
        }
    }
    (one,) = told["advice"]
    assert set(one) == {"level", "code", "routes", "files", "bytes", "message", "hint"}
    assert (one["code"], one["files"], one["bytes"]) == ("vendor-in-initial-load", ["three.1.js"], 95_000)


def test_nothing_is_written_where_it_would_be_published_or_lost(folder: Path) -> None:
    before = sorted(folder.iterdir())
    for words in (
        ["-o", folder / "report.html"],
        ["-o", folder / "new" / ".." / "r.html"],
        ["--metafile", folder / "m.json"],
    ):
        result = run(folder, *words)
        assert (result.exit_code, "would be published" in result.stderr) == (2, True), result.output
    os.chdir(folder)
    assert run(".").exit_code == 2
    assert sorted(folder.iterdir()) == before
    os.chdir(folder.parent / "here")
    Path("report.html").write_text("the annual report")
    result = run(folder)
    assert (result.exit_code, "is no report" in result.stderr) == (2, True)
    assert Path("report.html").read_text() == "the annual report"


def test_what_cannot_be_reported_on(folder: Path, tmp_path: Path) -> None:
    assert run(tmp_path / "absent").exit_code == 2
    assert run().exit_code == 2
    result = run(folder, "-o", tmp_path / "no" / "where.html")
    assert (result.exit_code, "error: " in result.stderr) == (3, True)
    (folder / MANIFEST_NAME).write_text("{}")
    failed = run(folder, "--json")
    assert (failed.exit_code, json.loads(failed.stdout)["status"]) == (2, "failed")
    assert not Path("report.html").exists()
