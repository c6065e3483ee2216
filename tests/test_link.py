"""The link pass on small sites: what is renamed, what stays, and what every file then says."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import pytest

from v1z3r_build.bundlers import next_image
from v1z3r_build.passes.link import link
from v1z3r_build.passes.link.survey import survey
from v1z3r_build.settings import NamesSettings, Settings, SiteSettings
from v1z3r_build.site.folder import read
from v1z3r_build.workers.pool import Failure, Outcome, Pool
from v1z3r_build.workers.progress import SilentProgress

if TYPE_CHECKING:
    from collections.abc import Generator, Iterable, Iterator, Mapping
    from pathlib import Path

    from v1z3r_build.site import Asset, Site
    from v1z3r_build.site.site import Read
    from v1z3r_build.workers.pool import Call

PNG = b"\x89PNG\r\n\x1a\n picture"


@pytest.fixture(scope="module")
def pool() -> Iterator[Pool]:
    with Pool(1) as opened:
        yield opened


@dataclass
class Linked:
    """A linked site, asked as a test reads it. Tokens of copies are written as HASH."""

    site: Site

    def text(self, path: str) -> str:
        return re.sub(r"\.[0-9a-f]{16}\.", ".HASH.", self.site.assets[path].read().decode())

    def raw(self, path: str) -> bytes:
        return self.site.assets[path].read()

    def paths(self) -> list[str]:
        return sorted({re.sub(r"\.[0-9a-f]{16}\.", ".HASH.", path) for path in self.site.assets})

    def asset(self, path: str) -> Asset:
        """The asset that came from an input file: its hashed copy or new name if there is one."""
        found = [asset for asset in self.site.assets.values() if asset.sources == (path,)]
        return next((asset for asset in found if asset.cache_class == "immutable"), found[0])

    def codes(self) -> list[str]:
        return [diagnostic.code for diagnostic in self.site.diagnostics]


@pytest.fixture
def linked(tmp_path: Path, pool: Pool):
    def make(files: Mapping[str, str | bytes], settings: Settings | None = None) -> Linked:
        root = tmp_path / f"site{len(list(tmp_path.iterdir()))}"
        for path, content in files.items():
            target = root / path
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(content.encode() if isinstance(content, str) else content)
        spool = tmp_path / f"{root.name}.spool"
        spool.mkdir()
        return Linked(link(read(root, spool), settings or Settings(), pool, SilentProgress()))

    return make


def page(body: str, head: str = "") -> str:
    return f'<!doctype html><html><head><meta charset="utf-8">{head}</head><body>{body}</body></html>'


# Each row: files, the path looked at, what stands in it afterwards.
FILLED: dict[str, tuple[dict[str, str | bytes], str, str]] = {
    "attribute": ({"index.html": page('<img src="a.png">'), "a.png": PNG}, "index.html", 'src="a.HASH.png"'),
    "unquoted attribute": ({"index.html": page("<img src=a.png>"), "a.png": PNG}, "index.html", "src=a.HASH.png>"),
    "query and fragment": (
        {"index.html": page('<img src="/s.svg?v=3#icon">'), "s.svg": "<svg/>"},
        "index.html",
        'src="/s.HASH.svg?v=3#icon"',
    ),
    "percent encoding": (
        {"index.html": page('<img src="a%20b.png">'), "a b.png": PNG},
        "index.html",
        'src="a%20b.HASH.png"',
    ),
    "unicode": ({"index.html": page('<img src="é.png">'), "é.png": PNG}, "index.html", 'src="é.HASH.png"'),
    "character reference in the query": (
        {"index.html": page('<img src="a.png?x=1&amp;y=2">'), "a.png": PNG},
        "index.html",
        'src="a.HASH.png?x=1&amp;y=2"',
    ),
    "relative": (
        {"index.html": page("x"), "d/p.html": page('<img src="../i/a.png">'), "i/a.png": PNG},
        "d/p.html",
        'src="../i/a.HASH.png"',
    ),
    "base element": (
        {"index.html": page('<img src="a.png">', '<base href="/i/">'), "i/a.png": PNG},
        "index.html",
        'src="a.HASH.png"',
    ),
    "base element, in an inline module": (
        {
            "index.html": page('<script type="module">import "./a.js"</script>', '<base href="/x/">'),
            "a.js": "1",
            "x/a.js": "2",
            "b.html": page('<script type="module" src="/x/a.js"></script>'),
        },
        "index.html",
        'import "./a.HASH.js"',
    ),
    "srcset": (
        {
            "index.html": page('<img src="a.png" srcset="a.png 1x,b.png 2x, b.png 300w">'),
            "a.png": PNG,
            "b.png": PNG + b"b",
        },
        "index.html",
        'srcset="a.HASH.png 1x,b.HASH.png 2x, b.HASH.png 300w"',
    ),
    "css url, quoted, bare and import": (
        {
            "index.html": page("x", '<link rel="stylesheet" href="c/a.css">'),
            "c/a.css": "@import 'b.css';a{background:url( \"../i/x y.png\" ),url(../i/z.png)}",
            "c/b.css": "b{}",
            "i/x y.png": PNG,
            "i/z.png": PNG + b"z",
        },
        "c/a.css",
        "@import 'b.HASH.css';a{background:url( \"../i/x y.HASH.png\" ),url(../i/z.HASH.png)}",
    ),
    "image-set": (
        {
            "index.html": page("<style>a{background:image-set('a.png' 1x, url(b.png) 2x)}</style>"),
            "a.png": PNG,
            "b.png": PNG,
        },
        "index.html",
        "image-set('a.HASH.png' 1x, url(b.HASH.png) 2x)",
    ),
    "style attribute": (
        {"index.html": page('<i style="background:url(a.png)"></i>'), "a.png": PNG},
        "index.html",
        'style="background:url(a.HASH.png)"',
    ),
    "module imports": (
        {
            "index.html": page("", '<script type="module" src="j/a.js"></script>'),
            "j/a.js": 'import{b}from"./b.js";import("./c.js");export*from"./d.mjs";new URL("../a.png",import.meta.url);',
            "j/b.js": "export let b",
            "j/c.js": "0",
            "j/d.mjs": "export let d",
            "a.png": PNG,
        },
        "j/a.js",
        'import{b}from"./b.HASH.js";import("./c.HASH.js");export*from"./d.HASH.mjs";new URL("../a.HASH.png",import.meta.url);',
    ),
    "import map": (
        {
            "index.html": page(
                '<script type="module">import "t"</script>',
                '<script type="importmap">{"imports":{"t":"/t.js"}}</script>',
            ),
            "t.js": "export {}",
        },
        "index.html",
        '{"imports":{"t":"/t.HASH.js"}}',
    ),
    "Link header": (
        {
            "index.html": page("<link rel=stylesheet href=/a.css>"),
            "a.css": "a{}",
            "_headers": "/*\n  Link: </a.css>; rel=preload\n",
        },
        "_headers",
        "Link: </a.HASH.css>; rel=preload",
    ),
}


@pytest.mark.parametrize("files, path, expected", FILLED.values(), ids=FILLED.keys())
def test_sure_references_go_to_the_copy(linked, files, path, expected) -> None:
    assert expected in linked(files).text(path)


@pytest.mark.parametrize("other", ['<template><base href="/x/"></template>', '<svg><base href="/x/"></base></svg>'])
def test_a_base_that_is_none_of_the_pages_is_passed_over(linked, other) -> None:
    site = linked({"index.html": page(f'{other}<img src="a.png">'), "a.png": PNG, "x/a.png": PNG})
    assert site.asset("a.png").cache_class == "immutable" and site.asset("x/a.png").path == "x/a.png"


def test_a_query_may_be_cut_off(linked) -> None:
    script = "x=i.src.replace(/[?#].*$/,'');y=i.src.split('?')[0]"
    site = linked({"index.html": page(f'<img src="a.png"><script>{script}</script>'), "a.png": PNG})
    assert site.asset("a.png").cache_class == "immutable"


# Each row: files, and paths that must keep the one name that they have.
KEPT: dict[str, tuple[dict[str, str | bytes], list[str]]] = {
    "part of a longer name": (
        {"index.html": page('<p data-x="sitecode.json"></p>'), "de.js": "1", "sitecode.json": "{}"},
        ["de.js", "sitecode.json"],
    ),
    "a string that looks like a path": (
        {"index.html": page('<img src="/a.png"><script>if(x=="/a.png")y()</script>'), "a.png": PNG},
        ["a.png"],
    ),
    "a link that visitors save": (
        {"index.html": page('<a href="a.pdf"></a><embed src="a.pdf">'), "a.pdf": b"%PDF-1.4"},
        ["a.pdf"],
    ),
    "script with a computed name elsewhere": (
        {"index.html": page('<script src="a.js"></script><script>import("./"+n+".js")</script>'), "a.js": "1"},
        ["a.js"],
    ),
    "template computes a script": (
        {"index.html": page('<script src="a.js"></script><script>import(`./${n}.js`)</script>'), "a.js": "1"},
        ["a.js"],
    ),
    "script that computes minified scripts": (
        {"index.html": page('<script src="a.min.js"></script><script>load("/"+n+".min.js")</script>'), "a.min.js": "1"},
        ["a.min.js"],
    ),
    "script that finds itself": (
        {"index.html": page('<script src="a.js"></script>'), "a.js": "if(/(^|\\/)a\\.js/.test(s.src))x()"},
        ["a.js"],
    ),
    "script that computes a neighbour": (
        {"index.html": page('<script src="a.js"></script>'), "a.js": 'u=s.src.replace(/\\.js$/,"_bg.wasm")'},
        ["a.js"],
    ),
    "a name in a regular expression": (
        {"index.html": page('<img src="/a.png"><script>if(/a\\.png$/.test(i.src))x()</script>'), "a.png": PNG},
        ["a.png"],
    ),
    "a name made of what the page says": (
        {
            "index.html": page('<img src="a_off.png"><script>i.src=i.src.replace("_off","_on")</script>'),
            "a_off.png": PNG,
            "a_on.png": PNG + b"n",
        },
        ["a_off.png", "a_on.png"],
    ),
    "a name made of what the page says, in a handler": (
        {
            "index.html": page(
                """<img src="a.png" onerror="$(this).attr('src', $(this).attr('src').split('.')[0])">"""
            ),
            "a.png": PNG,
        },
        ["a.png"],
    ),
    "what a service worker keeps": (
        {
            "index.html": page("<script>fetch('/d/'+n)</script>"),
            "sw.js": '[{url:"/d/a.bin",revision:null}]',
            "d/a.bin": b"\0",
        },
        ["d/a.bin"],
    ),
    "what is only fetched ahead": (
        {
            "index.html": page("<link rel=preload as=fetch href=/d/a.bin><script>fetch('/d/'+n)</script>"),
            "d/a.bin": b"\0",
        },
        ["d/a.bin"],
    ),
    "what a script imports for the worker that runs it": (
        {
            "index.html": page('<script>new Worker("/w.js")</script>'),
            "w.js": 'importScripts("/lib/x.js")',
            "lib/x.js": 'importScripts("y.js")',
            "lib/y.js": "1",
            "y.js": "2",
        },
        ["lib/y.js", "y.js"],
    ),
    "a token that a neighbour's name holds too": (
        {
            "index.html": page('<script src="/app-0123456789abcdef.js"></script>'),
            "app-0123456789abcdef.js": 'fetch(s.src.slice(0,-3)+"_bg.wasm")',
            "app-0123456789abcdef_bg.wasm": b"\0asm",
        },
        ["app-0123456789abcdef.js"],
    ),
    "a server's rule for one name": (
        {
            "index.html": page('<script>new Worker("/w.js")</script>'),
            "w.js": "1",
            ".htaccess": '<Files "w.js">\nHeader set Cross-Origin-Embedder-Policy require-corp\n</Files>',
        },
        ["w.js"],
    ),
    "a script that a library runs": (
        {
            "index.html": page('<script src="/w.js"></script><script type="text/x-tmpl">load("/w.js")</script>'),
            "w.js": "1",
        },
        ["w.js"],
    ),
    "service worker and what it imports": (
        {
            "index.html": page('<script>navigator.serviceWorker.register("/worker-of-mine.js")</script>'),
            "worker-of-mine.js": 'importScripts("/part.js")',
            "part.js": "1",
        },
        ["worker-of-mine.js", "part.js"],
    ),
    "names by convention": (
        {
            "index.html": page(
                '<link rel="icon" href="/favicon.ico"><link rel="manifest" href="/m.webmanifest"><img src="/favicon.ico">'
            ),
            "favicon.ico": b"\0\0\1\0",
            "m.webmanifest": '{"icons":[{"src":"/i.png"}]}',
            "i.png": PNG,
            "robots.txt": "User-agent: *",
            ".well-known/x.json": "{}",
            "404.html": page("no"),
            "sitemap.xml": "<urlset/>",
        },
        ["favicon.ico", "m.webmanifest", "i.png", "robots.txt", ".well-known/x.json", "404.html", "sitemap.xml"],
    ),
    "another host's file of the same name": (
        {"index.html": page('<img src="https://other.example/a.png">'), "a.png": PNG},
        ["a.png"],
    ),
    "relative URL in a custom property": (
        {"index.html": page("<style>a{--x:url(a.png)}</style>"), "a.png": PNG},
        ["a.png"],
    ),
    "a base for those without scripts": (
        {
            "index.html": page('<img src="a.png">', '<noscript><base href="/x/"></noscript>'),
            "a.png": PNG,
            "x/a.png": PNG,
        },
        ["a.png", "x/a.png"],
    ),
    "a base that a script writes": (
        {
            "index.html": page('<img src="a.png">', "<script>document.write('<base href=/x/>')</script>"),
            "a.png": PNG,
            "x/a.png": PNG,
        },
        ["a.png", "x/a.png"],
    ),
    "a base after it": (
        {
            "index.html": page("", '<link rel=stylesheet href="a.css"><base href="/x/">'),
            "a.css": "a{}",
            "x/a.css": "b{}",
        },
        ["a.css", "x/a.css"],
    ),
    "script with a source map": (
        {
            "index.html": page('<script type="module" src="a.js"></script>'),
            "a.js": 'import "./b.js"\n//# sourceMappingURL=a.js.map',
            "a.js.map": '{"version":3,"sources":["x.ts"],"mappings":"AAAA","file":"a.js"}',
            "b.js": "1",
        },
        ["b.js", "a.js.map"],
    ),
    "gltf parts": (
        {"index.html": page("x"), "m.gltf": '{"buffers":[{"uri":"m.bin"}]}', "m.bin": b"\0"},
        ["m.gltf", "m.bin"],
    ),
    "names computed at run time": (
        {"index.html": page('<script>fetch("/shaders/"+n)</script>'), "shaders/a.glsl": "x"},
        ["shaders/a.glsl"],
    ),
}


@pytest.mark.parametrize("files, paths", KEPT.values(), ids=KEPT.keys())
def test_what_cannot_be_proved_keeps_its_one_name(linked, files, paths) -> None:
    site = linked(files)
    for path in paths:
        assert site.asset(path).path == path
        assert site.asset(path).cache_class != "immutable"


TOKEN = "8570.046f9c9b3d93d83a.js"


def chunk(mention: str, extra: Mapping[str, str | bytes] | None = None) -> dict[str, str | bytes]:
    return {
        "index.html": page(f'<script src="/_next/static/chunks/{TOKEN}"></script>'),
        f"_next/static/chunks/{TOKEN}": "a()",
        "_next/static/chunks/main-aaaabbbbccccdddd.js": mention,
        **(extra or {}),
    }


RENAMED = {
    "whole name": f'x="static/chunks/{TOKEN}"',
    "table": 'u=e=>"static/chunks/"+e+"."+{8570:"046f9c9b3d93d83a"}[e]+".js"',
    "ternary": 'u=e=>8570===e?"046f9c9b3d93d83a":e',
    "concatenated": 'x="8570"+".046f9c9b3d93d83a.js"',
    "template": "x=`static/chunks/8570.046f9c9b3d93d83a.js`",
    "escaped for flight": f'self.__next_f.push([1,"2:I[\\"static/chunks/{TOKEN}\\"]"])',
    "comment": f"/*! see {TOKEN} */a",
}


@pytest.mark.parametrize("mention", RENAMED.values(), ids=RENAMED.keys())
def test_a_token_is_replaced_wherever_it_is_understood(linked, mention) -> None:
    site = linked(chunk(mention))
    asset = site.asset(f"_next/static/chunks/{TOKEN}")
    assert asset.cache_class == "immutable" and asset.path != f"_next/static/chunks/{TOKEN}"
    assert f"_next/static/chunks/{TOKEN}" not in site.site.assets
    assert not any(b"046f9c9b3d93d83a" in site.raw(path) for path in site.site.assets)
    assert len(asset.path) == len(f"_next/static/chunks/{TOKEN}")


CUT = page(
    '<script>self.__next_f.push([1,"2:I[1,[\\"static/chunks/8570.046f9c9"])</script><p></p>'
    '<script nonce="n">self.__next_f.push([1,"b3d93d83a.js\\"]]\\n"])</script>'
)


def test_a_token_that_flight_data_holds_cut_in_two_is_replaced(linked) -> None:
    site = linked({"p.html": CUT, **chunk("1")})
    (token,) = re.findall(r"chunks/8570\.(\w{16})\.js", site.raw("index.html").decode())
    assert token != "046f9c9b3d93d83a"
    assert site.raw("p.html").decode() == CUT.replace("046f9c9", token[:7]).replace("b3d93d83a", token[7:])


def test_a_digest_of_half_a_token_follows_it(linked) -> None:
    """A policy with a hash of each inline script: the first of them holds the first half."""
    half = re.findall(r"<script>(.*?)</script>", CUT)[0].encode()
    digest = "sha256-" + base64.b64encode(hashlib.sha256(half).digest()).decode()
    policy = f"<meta http-equiv=content-security-policy content=\"script-src '{digest}'\">"
    site = linked({"p.html": CUT.replace("</head>", f"{policy}</head>"), **chunk("1")})
    text = site.raw("p.html")
    new = re.findall(rb"<script>(.*?)</script>", text)[0]
    assert new != half
    assert base64.b64encode(hashlib.sha256(new).digest()) in text


@pytest.mark.parametrize(
    "text",
    [
        CUT.replace("])</script><p>", "]);more()</script><p>"),
        CUT.replace('<script nonce="n">', '<script type="text/plain">'),
        f"<!-- {CUT} -->",
    ],
    ids=["a script that does more", "no script", "a comment"],
)
def test_a_cut_token_in_doubt_stays(linked, text) -> None:
    site = linked({"p.html": text, **chunk("1")})
    assert site.raw("p.html").decode() == text


DOUBTED = {
    "an identifier": "x=a046f9c9b3d93d83a",
    "part of a longer word": 'x="046f9c9b3d93d83a00.js"',
    "a regular expression": "x=/046f9c9b3d93d83a/",
    "another host": f'x="https://cdn.example/_next/static/chunks/{TOKEN}"',
    "some other use": 'commit("046f9c9b3d93d83a")',
    "a broken script": 'x="046f9c9b3d93d83a.js" (((',
}


@pytest.mark.parametrize("mention", DOUBTED.values(), ids=DOUBTED.keys())
def test_a_token_in_doubt_stays_and_says_why(linked, mention) -> None:
    site = linked(chunk(mention))
    asset = site.asset(f"_next/static/chunks/{TOKEN}")
    assert asset.path == f"_next/static/chunks/{TOKEN}"
    assert asset.cache_class == "revalidate"
    assert "main-aaaabbbbccccdddd.js:1:" in asset.kept


@pytest.mark.parametrize(
    "extra",
    [
        {"notes.txt": f"see {TOKEN}"},
        {"feed.xml": f"<rss>{TOKEN}</rss>"},
        {"model.bin": b"\0/" + TOKEN.encode() + b"\0"},
        {"p.html": page(f"<p>{TOKEN}</p>")},
        {"a.js.map": f'{{"version":3,"sources":["{TOKEN}"],"mappings":""}}'},
        {"broken.json": f'{{"a": "{TOKEN}" !'},
    ],
    ids=["text", "feed", "binary", "visible text", "map source", "broken json"],
)
def test_a_token_that_others_read_stays(linked, extra) -> None:
    assert linked(chunk("1", extra)).asset(f"_next/static/chunks/{TOKEN}").cache_class == "revalidate"


def test_a_token_that_a_source_map_quotes_is_in_no_doubt(linked) -> None:
    """webpack's and Rspack's maps quote the runtime's own source, in which every chunk's hash stands alone."""
    runtime = json.dumps('return "" + id + "." + {"8570": "046f9c9b3d93d83a",}[id] + ".js"')
    quoting = f'{{"version":3,"sources":["webpack/runtime"],"sourcesContent":[{runtime}],"mappings":""}}'
    site = linked(chunk("1", {"_next/static/chunks/main-aaaabbbbccccdddd.js.map": quoting}))
    assert site.asset(f"_next/static/chunks/{TOKEN}").cache_class == "immutable"
    assert site.raw("_next/static/chunks/main-aaaabbbbccccdddd.js.map").decode() == quoting


# Each row: names that people give, though they have the length and the letters of a hash.
@pytest.mark.parametrize(
    "name",
    [
        "photo-1024x768.jpg",
        "trip-DSC_0042.jpg",
        "holiday-img_0001.jpg",
        "face-Head_001.png",
        "case-iPhone15.png",
        "chart-Q4-2023x.png",
        "3f2504e0-4f89-11d3-9a0c-0305e82c3301.jpg",
    ],
)
def test_a_name_that_people_gave_does_not_disappear(linked, name) -> None:
    site = linked({"index.html": page(f'<img src="/u/{name}">'), f"u/{name}": b"picture"})
    assert f"u/{name}" in site.site.assets
    stem, _, suffix = name.rpartition(".")
    assert f"/u/{stem}.HASH.{suffix}" in site.text("index.html")


def test_a_new_token_has_the_letters_of_the_old(linked) -> None:
    site = linked(
        {"index.html": page('<script type="module" src="main-DNQFDN2H.js"></script>'), "main-DNQFDN2H.js": "1"}
    )
    assert re.fullmatch(r"main-[A-Z2-7]{8}\.js", site.asset("main-DNQFDN2H.js").path)


def test_a_url_in_another_charset_is_not_called_dangling(linked) -> None:
    text = '<!doctype html><meta charset="iso-8859-1"><img src="é.png">'.encode("latin-1")
    assert "dangling-reference" not in linked({"index.html": text, "é.png": PNG}).codes()


def test_a_picture_beside_a_bundlers_scripts_is_renamed(linked) -> None:
    files = {
        "index.html": page(
            '<script type="module" src="/assets/index-Bx3f_9-a.js"></script><img src=/assets/a-CgXtGaFs.png>'
        ),
        "assets/index-Bx3f_9-a.js": "1",
        "assets/a-CgXtGaFs.png": PNG,
    }
    assert "assets/a-CgXtGaFs.png" not in linked(files).site.assets


def test_a_sidecar_of_the_input_does_not_keep_its_files_name(linked) -> None:
    site = linked(chunk("1", {f"_next/static/chunks/{TOKEN}.br": b"\x8b\x01\x80a()\x03"}))
    assert site.asset(f"_next/static/chunks/{TOKEN}").cache_class == "immutable"


def test_what_a_sidecar_says_by_chance_is_no_mention(linked) -> None:
    files = {"_next/static/chunks/main-aaaabbbbccccdddd.js.br": b"\0\x01" + TOKEN.encode() + b"\0"}
    assert linked(chunk("1", files)).asset(f"_next/static/chunks/{TOKEN}").cache_class == "immutable"


def test_a_style_sheet_that_is_preloaded_in_the_same_breath(linked) -> None:
    site = linked({"index.html": page("", '<link rel="preload stylesheet" as="style" href="a.css">'), "a.css": "a{}"})
    assert site.asset("a.css").cache_class == "immutable"


def test_an_origin_that_is_ours_makes_absolute_urls_sure(linked) -> None:
    settings = Settings(site=SiteSettings(origin="https://stage.example"))
    site = linked(chunk(f'x="https://stage.example/_next/static/chunks/{TOKEN}"'), settings)
    assert site.asset(f"_next/static/chunks/{TOKEN}").cache_class == "immutable"


def test_script_map_and_licence_share_one_token(linked) -> None:
    site = linked(
        chunk(
            "1",
            {
                f"_next/static/chunks/{TOKEN}": f"a()\n//# sourceMappingURL={TOKEN}.map",
                f"_next/static/chunks/{TOKEN}.map": f'{{"version":3,"file":"{TOKEN}","sources":[],"mappings":""}}',
                f"_next/static/chunks/{TOKEN}.LICENSE.txt": "MIT",
            },
        )
    )
    names = {site.asset(f"_next/static/chunks/{TOKEN}{end}").path.split(".")[1] for end in ("", ".map", ".LICENSE.txt")}
    assert len(names) == 1 and names != {"046f9c9b3d93d83a"}
    assert f"{names.pop()}.js.map".encode() in site.raw(site.asset(f"_next/static/chunks/{TOKEN}").path)


def test_files_with_equal_bytes_stay_two_files(linked) -> None:
    site = linked(
        {
            "index.html": page('<script type="module" src="a.js"></script><script type="module" src="b.js"></script>'),
            "a.js": "globalThis.n=(globalThis.n||0)+1",
            "b.js": "globalThis.n=(globalThis.n||0)+1",
        }
    )
    assert site.asset("a.js").path != site.asset("b.js").path
    assert site.asset("a.js").path.split(".")[1] != site.asset("b.js").path.split(".")[1]


def test_a_circle_is_named_and_its_change_renames_it(linked) -> None:
    files = {
        "index.html": page('<script type="module" src="a.js"></script>'),
        "a.js": 'import "./b.js";1',
        "b.js": 'import "./a.js";2',
        "c.js": "3",
        "other.html": page('<script type="module" src="c.js"></script>'),
    }
    before, after = linked(files), linked({**files, "b.js": 'import "./a.js";4'})
    assert before.asset("a.js").path != after.asset("a.js").path
    assert before.asset("b.js").path != after.asset("b.js").path
    assert before.asset("c.js").path == after.asset("c.js").path


def test_an_edited_page_renames_nothing(linked) -> None:
    files = {"index.html": page("<img src=a.png>"), "p.html": page("old"), "a.png": PNG}
    before, after = linked(files), linked({**files, "p.html": page("new")})
    assert before.paths() == after.paths()
    assert before.asset("a.png").path == after.asset("a.png").path


def sri(data: bytes) -> str:
    return "sha384-" + base64.b64encode(hashlib.sha384(data).digest()).decode()


def test_integrity_follows_the_bytes(linked) -> None:
    script = 'document.body.style.background="x";import("./b.js")'
    site = linked(
        {
            "index.html": page(f'<script src="a.js" integrity="{sri(script.encode())}"></script>'),
            "a.js": script,
            "b.js": "1",
        }
    )
    data = site.raw(site.asset("a.js").path)
    assert data != script.encode()
    assert f'integrity="{sri(data)}"' in site.raw("index.html").decode()


def test_a_digest_that_was_wrong_before_is_left_alone(linked) -> None:
    wrong = sri(b"something else")
    site = linked({"index.html": page(f'<script src="a.js" integrity="{wrong}"></script>'), "a.js": "1"})
    assert wrong in site.raw("index.html").decode()


def test_a_csp_hash_follows_the_inline_script(linked) -> None:
    inline = 'import("./b.js")'
    digest = "sha256-" + base64.b64encode(hashlib.sha256(inline.encode()).digest()).decode()
    meta = f"<meta http-equiv=\"Content-Security-Policy\" content=\"script-src 'self' '{digest}'\">"
    site = linked({"index.html": page(f"<script>{inline}</script>", meta), "b.js": "1"})
    text = site.raw("index.html").decode()
    written = re.search(r"<script>(.*?)</script>", text)
    assert written and written.group(1) != inline
    renewed = "sha256-" + base64.b64encode(hashlib.sha256(written.group(1).encode()).digest()).decode()
    assert renewed in text and digest not in text


def test_a_precache_revision_follows_the_bytes(linked) -> None:
    old = "0" * 32
    site = linked(
        {
            "index.html": page("<img src=a.png>"),
            "same.html": page("same"),
            "sw.js": f'self.p=[{{url:"/index.html",revision:"{old}"}},{{"revision":"{old}","url":"/same.html"}}]',
            "a.png": PNG,
        }
    )
    text = site.raw("sw.js").decode()
    assert re.search(r'url:"/index.html",revision:"(?!0{32})[0-9a-f]{32}"', text)
    assert f'"revision":"{old}","url":"/same.html"' in text


def csp(inline: str, algorithm: str = "sha256") -> str:
    """The hash of an inline script as a policy has it; a browser parses CR LF as LF before it hashes."""
    made = hashlib.new(algorithm, inline.replace("\r\n", "\n").encode()).digest()
    return f"{algorithm}-{base64.b64encode(made).decode()}"


def policy(*hashes: str) -> str:
    quoted = " ".join(f"'{one}'" for one in hashes)
    return f'<meta http-equiv="Content-Security-Policy" content="script-src {quoted}">'


IMPORT_MAP = '{"imports":{"t":"/t.js"},"integrity":{"/t.js":"%s"}}'
T = 'import "/u.js"'


def test_a_csp_hash_follows_the_page_in_which_it_stands(linked) -> None:
    inline = 'import("/b.js")'
    twice = page(f"<script>{inline}</script><script>{inline}</script>", policy(csp(inline)))
    site = linked(
        {"index.html": twice, "p/q.html": page(f"<script>{inline}</script>", policy(csp(inline))), "b.js": "1"}
    )
    for path in ("index.html", "p/q.html"):
        text = site.raw(path).decode()
        after = text.partition("<script>")[2].partition("</script>")[0]
        assert after != inline and csp(after) in text and inline not in text


@pytest.mark.parametrize(
    ("before", "open_tag"),
    [
        ('import("./b.js")\r\n;x()\r\n', "<script>"),
        (IMPORT_MAP % sri(T.encode()), '<script type="importmap">'),
    ],
    ids=["line ends are normalised", "a digest within what a digest is made of"],
)
def test_a_csp_hash_is_made_of_what_a_browser_sees(linked, before, open_tag) -> None:
    files = {
        "index.html": page(f"{open_tag}{before}</script>", policy(csp(before))),
        "b.js": "1",
        "t.js": T,
        "u.js": "2",
        "p.html": page('<script type="module" src="t.js"></script><script type="module" src="u.js"></script>'),
    }
    site = linked(files)
    text = site.raw("index.html").decode()
    after = text.partition(open_tag)[2].partition("</script>")[0]
    assert after != before
    assert csp(after) in text
    if "integrity" in after:
        assert sri(site.raw(site.asset("t.js").path)) in after


def test_a_digest_in_the_alphabet_of_urls_keeps_the_bytes_that_it_covers(linked) -> None:
    # Browsers accept it (CSP 3, base64-value), and none can be drawn up anew by its form alone.
    script = next(one for one in (f'import("./b.js")//{n}' for n in range(99)) if "+" in sri(one.encode()))
    written = sri(script.encode()).replace("+", "-").replace("/", "_")
    home = page(f'<script src="a.js" integrity="{written}"></script>')
    site = linked({"index.html": home, "a.js": script, "b.js": "1"})
    assert site.raw("a.js") == script.encode() and site.raw("index.html") == home.encode()


@pytest.mark.parametrize("algorithm", ["md5", "sha1", "sha256", "sha512"])
def test_a_text_of_which_a_digest_is_stated_keeps_its_bytes(linked, algorithm) -> None:
    home = page("<img src=a.png>")
    stated = hashlib.new(algorithm, home.encode()).hexdigest().upper()
    site = linked({"index.html": home, "a.png": PNG, "chcp.manifest": f'[{{"file":"index.html","hash":"{stated}"}}]'})
    assert site.raw("index.html") == home.encode()


def test_a_digest_in_a_name_states_nothing(linked) -> None:
    style = "a{background:url(i.png)}"
    name = f"style.{hashlib.sha256(style.encode()).hexdigest()}.css"
    site = linked({"index.html": page("", f"<link rel=stylesheet href={name}>"), name: style, "i.png": PNG})
    assert site.asset(name).cache_class == "immutable" and site.raw(site.asset(name).path) != style.encode()


def sha1(data: bytes) -> str:
    return hashlib.sha1(data, usedforsecurity=False).hexdigest()


def test_the_hash_table_of_a_service_worker_follows_the_bytes(linked) -> None:
    home = page("<img src=a.png>")
    table = {"/index.html": sha1(home.encode()), "/p.html": "0" * 40, "/same.html": sha1(b"<p>same")}
    site = linked(
        {
            "index.html": home,
            "p.html": page("<img src=a.png>p"),
            "same.html": "<p>same",
            "a.png": PNG,
            "ngsw.json": json.dumps({"index": "/index.html", "hashTable": table}),
        }
    )
    written = json.loads(site.raw("ngsw.json"))["hashTable"]
    assert written == table | {"/index.html": sha1(site.raw("index.html"))} != table
    assert [(one.code, one.level, one.path, one.message.partition(":")[0]) for one in site.site.diagnostics] == [
        ("digest-unmatched", "warning", "ngsw.json", "hash 2")
    ]


# Each row: a page that says what is not true, and the beginning of the message.
UNMATCHED = {
    "script": (page(f'<script src="a.js" integrity="{sri(b"other")}"></script>'), "integrity 1: a.js"),
    "strongest of several": (
        page(
            f'<link rel="stylesheet" href="s.css"><link rel=modulepreload href=a.js integrity="{csp("a()")} {sri(b"")}">'
        ),
        "integrity 1: a.js",
    ),
    "policy": (page("<script>b()</script>", policy(csp("c()"))), "inline script 1: the page's"),
    "import map": (page(f'<script type="importmap">{IMPORT_MAP % sri(b"other")}</script>'), "integrity 1: /t.js"),
}


@pytest.mark.parametrize(("written", "said"), UNMATCHED.values(), ids=UNMATCHED.keys())
def test_what_was_not_true_in_the_input_is_told(linked, written, said) -> None:
    site = linked({"index.html": written, "a.js": "a()", "t.js": "t()", "s.css": "a{}"})
    (found,) = site.site.diagnostics
    assert (found.level, found.code, found.path) == ("warning", "digest-unmatched", "index.html")
    assert found.message.startswith(said)


MATCHED = {
    "no valid metadata": page('<script src="a.js" integrity="md5-x"></script>'),
    "one of two": page(f'<script src="a.js" integrity="{sri(b"other")} {sri(b"a()")}"></script>'),
    "not of the site": page(f'<script src="https://cdn.example/a.js" integrity="{sri(b"other")}"></script>'),
    "an icon is not checked": page(f'<link rel="icon" href="a.js" integrity="{sri(b"other")}">'),
    "a nonce": page('<script nonce="n">b()</script>', policy(csp("c()"), "nonce-n")),
    "a policy for styles": page("<script>b()</script>", policy(csp("c()")).replace("script-src", "style-src")),
    "a policy after it": page("", "<script>b()</script>" + policy(csp("c()"))),
    "a policy where none is read": page(policy(csp("c()")) + "<script>b()</script>"),
    "a policy without hashes": page("<script>b()</script>", policy("unsafe-inline")),
}


@pytest.mark.parametrize("written", MATCHED.values(), ids=MATCHED.keys())
def test_what_browsers_accept_is_not_told(linked, written) -> None:
    assert linked({"index.html": written, "a.js": "a()"}).codes() == []


def test_revisions_that_are_no_digests_are_told_of_without_alarm(linked) -> None:
    md5 = hashlib.md5(b"<p>same", usedforsecurity=False).hexdigest()
    site = linked(
        {
            "index.html": page("x"),
            "same.html": "<p>same",
            "sw.js": f'p=[{{url:"/same.html",revision:"{md5}"}},{{url:"/index.html",revision:"build-7"}}]',
        }
    )
    assert [(one.level, one.message.partition(":")[0]) for one in site.site.diagnostics] == [("info", "revision 2")]


def test_dangling_references_are_named_with_their_place(linked) -> None:
    site = linked({"index.html": "<!doctype html>\n<p>\n<img src='/no.png'>"})
    (found,) = site.site.diagnostics
    assert (found.code, found.path, found.line, found.column) == ("dangling-reference", "index.html", 3, 11)


def test_a_site_below_a_folder(linked) -> None:
    settings = Settings(site=SiteSettings(base="/sub/"))
    site = linked({"index.html": page('<img src="/sub/a.png"><img src="/a.png">'), "a.png": PNG}, settings)
    assert 'src="/sub/a.HASH.png"><img src="/a.png"' in site.text("index.html")


def test_names_keep_and_drop(linked) -> None:
    files = {"index.html": page("<img src=a.png><img src=b.png>"), "a.png": PNG, "b.png": PNG + b"b"}
    site = linked(files, replace(Settings(), names=NamesSettings(keep=("a.png",), drop=("*.png",))))
    assert site.paths() == ["a.png", "b.HASH.png", "index.html"]


def test_a_url_that_several_pages_claim_is_one_route(linked) -> None:
    pages = {path: f"<title>{path}</title>" for path in (".html", "index.html", "a/.html", "a/index.html")}
    routes = linked(pages).site.routes
    assert {url: route.html for url, route in routes.items()} == {"/": "index.html", "/a/": "a/index.html"}
    assert len(routes) == 2


def test_routes_tell_initial_from_lazy(linked) -> None:
    site = linked(
        {
            "index.html": page('<a href="/p.html"></a>', '<script type="module" src="a.js"></script>'),
            "a.js": 'import "./b.js";import("./c.js")',
            "b.js": "1",
            "c.js": "2",
            "p.html": page("x"),
        }
    )
    route = site.site.routes["/"]
    assert [path.partition(".")[0] for path in route.initial] == ["a", "b"]
    assert [path.partition(".")[0] for path in route.lazy] == ["c"]
    assert set(site.site.routes) == {"/", "/p"}


def test_what_a_browser_chooses_or_leaves_is_not_initial(linked) -> None:
    site = linked(
        {
            "index.html": page(
                "<img src=a.png srcset='b.png 2x'><picture><source srcset=c.png><img src=d.png></picture>"
                "<noscript><img src=e.png></noscript><template><img src=f.png></template><img src=g.png>"
            ),
            **{f"{name}.png": PNG + name.encode() for name in "abcdefg"},
        }
    )
    route = site.site.routes["/"]
    assert [path.partition(".")[0] for path in route.initial] == ["g"]
    assert [path.partition(".")[0] for path in route.lazy] == [*"abcdef"]


def test_what_a_framed_page_fetches_the_page_around_it_does(linked) -> None:
    site = linked(
        {
            "index.html": page(
                "<iframe src=in.html></iframe><iframe src=low.html loading=lazy></iframe><embed src=c.svg>"
            ),
            "in.html": page("<img src=a.png><iframe src=index.html></iframe><a href=out.html>"),
            "low.html": page("<img src=b.png>"),
            "out.html": page("<img src=d.png>"),
            "c.svg": "<svg xmlns='http://www.w3.org/2000/svg'/>",
            **{f"{name}.png": PNG + name.encode() for name in "abd"},
        }
    )
    route = site.site.routes["/"]
    assert [path.partition(".")[0] for path in route.initial] == ["a", "c", "in"]
    assert [path.partition(".")[0] for path in route.lazy] == ["b", "low"]


class Recorder(Pool):
    """A pool that remembers what it was asked to do."""

    def __init__(self) -> None:
        super().__init__(1)
        self.asked: set[str] = set()

    def run(self, calls: Iterable[Call]) -> Generator[Outcome]:
        known = list(calls)
        self.asked = {call.key for call in known}
        return super().run(known)


class Crashing(Pool):
    """A pool whose children do not outlive a look for Next's component."""

    def run(self, calls: Iterable[Call]) -> Generator[Outcome]:
        for call in list(calls):
            if call.function is next_image.exports:
                yield Outcome(call.key, failure=Failure("crashed", "ended by SIGSEGV"))
            else:
                yield from super().run([call])


def test_a_script_that_kills_who_looks_for_components_is_told_of(linked) -> None:
    site = linked({"index.html": page("<script src=a.js></script>"), "a.js": "let imgConf='a.png'", "a.png": PNG}).site
    with Crashing(1) as crashing:
        seen = survey(site, crashing, SilentProgress())
    scripts = [path for path, asset in site.assets.items() if asset.kind == "script"]
    assert [(one.code, one.path) for one in seen.diagnostics] == [("unreadable-format", path) for path in scripts]
    assert all(seen.readings[path].mentions for path in scripts)


def test_why_a_name_is_kept_is_told_alike_in_every_run(linked) -> None:
    names = [f"é{number}" for number in range(12)]
    spelled = "\n".join(f"['é{n}.png','\\xe9{n}.png',\n'%C3%A9{n}.png']" for n in range(12))
    site = linked(
        {"index.html": page("".join(f'<img src="{one}.png">' for one in names)), "a.js": spelled}
        | {f"{one}.png": PNG + one.encode() for one in names}
    )
    # Which of them is found first would be left to chance by the order of a set: once in three for each name.
    kept = [site.asset(f"{one}.png").kept for one in names]
    assert kept == [f"a.js:{2 * number + 2}:2 mentions it in a string" for number in range(12)]


def test_a_second_survey_reads_only_what_has_changed(linked) -> None:
    files = {
        "a.html": page("<img src=a.png><b>p.css"),
        "b.html": page("<a href=a.html>"),
        "a.css": "p{}",
        "a.png": PNG,
    }
    before = replace(linked(files).site, routes={})
    with Recorder() as recorder:
        kept: dict[str, Read] = {}
        survey(before, recorder, SilentProgress(), kept)
        assert recorder.asked == {"a.html", "b.html", "a.css"}
        again = replace(before, readings=kept)
        image = before.rewritten(again.assets["a.png"], PNG + b"a.html")
        changed = again.with_assets([again.rewritten(again.assets["b.html"], b"<img src=a.png>"), image])
        seen = survey(changed, recorder, SilentProgress())
        assert recorder.asked == {"b.html"}
        assert seen == survey(replace(changed, readings={}), recorder, SilentProgress())
        # Another name is another word that a file may hold.
        named = changed.with_assets([replace(image, path="p.css")])
        seen = survey(named, recorder, SilentProgress())
        assert recorder.asked == {"a.html", "b.html"}
        assert seen == survey(replace(named, readings={}), recorder, SilentProgress())
