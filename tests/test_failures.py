"""What broke for users of such tools, one test a failure, each through the whole program.

The sites are small; each holds the very input that a naive tool gets wrong. Every output is verified as well.
"""

from __future__ import annotations

import base64
import gzip
import hashlib
import json
import re
import subprocess
import sys
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import brotli
import html5lib
import pytest
import tinycss2
import tree_sitter_javascript
from outputs import ORIGIN, optimizer, page, run, write
from tree_sitter import Language, Node, Parser

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path
    from xml.etree.ElementTree import Element

    from outputs import Files, Optimize

PNG = b"\x89PNG\r\n\x1a\n a picture"
WORDS = "".join(f"/* filler {number} */\n" for number in range(80))


@pytest.fixture(autouse=True)
def _alone(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No settings in the working directory, no CI around."""
    for name in ("CI", "GITHUB_ACTIONS"):
        monkeypatch.delenv(name, raising=False)
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")


@pytest.fixture
def optimize(tmp_path: Path) -> Optimize:
    return optimizer(tmp_path)


def parsed(text: str) -> Element:
    return html5lib.parse(text, namespaceHTMLElements=False)


def flat(element: Element) -> list[object]:
    """A document as a list of what a browser sees of it: elements, attributes, texts, comments. Scripts left out."""
    told: list[object] = [element.tag, dict(element.attrib), "" if element.tag == "script" else element.text]
    for child in element:
        told += [*flat(child), child.tail]
    return told


# HTML and hydration


def test_comments_and_white_space_stay_for_hydration(optimize: Optimize) -> None:
    body = (
        '<div id="root"> <p>Hello, <!-- --><b>a</b> <i>b</i><!-- -->!</p>\n\n  <!--$--><ul> <li>1</li> </ul><!--/$-->'
        '<!--[--><!----><span> </span><!--]--> <img alt="" src="/a.png"></div><script>\n  // long\n  start();\n</script>'
    )
    out = optimize({"index.html": page(body), "a.png": PNG})
    [copy] = [path for path in out.made_of("a.png") if path != "a.png"]
    assert out.text("index.html") == page(body).replace("a.png", copy)


def test_words_do_not_run_together(optimize: Optimize) -> None:
    body = "<p>\n  <a href='/'>one</a>\n  <a href='/'>two</a>\n  <b>three</b> <button>four</button>\n</p>"
    out = optimize({"index.html": page(body)})
    assert flat(parsed(out.text("index.html"))) == flat(parsed(page(body)))


@pytest.mark.parametrize(
    "body",
    [
        '<a href="/a/">x</a><a href="/a/" >x</a><img src="/a/"><base-card link="/a/"/>',
        "<pre>\n\n1\n 2\n</pre><pre class='numbered'>\n1</pre><textarea>\n\n a\n</textarea>",
        "<x-y>  a  <z-w> b </z-w></x-y><p>a<svg><path d='M0 0'/></svg> b",
        '<p title="a&amp;lt;b" data-x="&quot;" class="">&amp;copy; &notit; &copy</p>',
        "<table><tr><td>1<td>2</table><p>a<p>b<ul><li>c<li>d</ul><select><option>1<option>2</select>",
    ],
)
def test_the_parsed_document_stays(optimize: Optimize, body: str) -> None:
    """An unquoted attribute that ends in `/`; numbered `<pre>`, `<textarea>`, unknown elements."""
    out = optimize({"index.html": page(body), "a/index.html": page("a")})
    assert flat(parsed(out.text("index.html"))) == flat(parsed(page(body)))


def test_a_comment_in_an_inline_script_swallows_nothing(optimize: Optimize) -> None:
    script = "\n  first(); // once\n  second()\n  // twice\n  third(`a // b`) /* c */\n  fourth()\n" + WORDS
    out = optimize({"index.html": page(f"<script>{script}</script>")})
    [after] = [element.text or "" for element in parsed(out.text("index.html")).iter("script")]
    assert len(after) < len(script) / 2
    assert called(after) == ["first", "second", "third", "fourth"]
    assert "`a // b`" in after


def called(script: str) -> list[str]:
    """The functions that a script calls, by a parser of its own."""

    def walk(node: Node) -> Iterator[str]:
        assert not node.is_error
        if node.type == "call_expression":
            callee = node.child_by_field_name("function")
            assert callee is not None
            assert callee.text is not None
            yield callee.text.decode()
        for child in node.children:
            yield from walk(child)

    return list(walk(Parser(Language(tree_sitter_javascript.language())).parse(script.encode()).root_node))


def digest(data: bytes, name: str) -> str:
    return f"{name}-{base64.b64encode(hashlib.new(name, data).digest()).decode()}"


def test_digests_match_the_new_bytes(optimize: Optimize) -> None:
    script = b"// a comment that goes\nvar stage = { title: 'Stage' };\n" + WORDS.encode()
    style = b"/* goes */\nbody {\n  color: red;\n}\n" + WORDS.encode()
    inline = "\n  // goes\n  stage.start();\n" + WORDS
    policy = f"script-src 'self' '{digest(inline.encode(), 'sha256')}'"
    head = (
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">'
        f'<link rel="stylesheet" href="/s.css" integrity="{digest(style, "sha512")}">'
        f'<script src="/a.js" integrity="{digest(script, "sha384")}"></script>'
    )
    out = optimize({"index.html": page(f"<script>{inline}</script>", head), "a.js": script, "s.css": style})
    document = parsed(out.text("index.html"))
    outer, inner = document.iter("script")
    meta = next(element for element in document.iter("meta") if "http-equiv" in element.attrib)
    link = next(document.iter("link"))
    for element, attribute, source in ((outer, "src", "a.js"), (link, "href", "s.css")):
        data = out.bytes(out.target("", element.attrib[attribute]))
        assert len(data) < 100, f"{source} was not worked on"
        name = element.attrib["integrity"].partition("-")[0]
        assert element.attrib["integrity"] == digest(data, name)
    assert len(inner.text or "") < 100
    assert f"'{digest((inner.text or '').encode(), 'sha256')}'" in meta.attrib["content"]


MODERN = """@charset "utf-8";
@layer base, theme;
@layer theme { .card { color: oklch(0.7 0.1 200); &:hover { color: red; .icon & { color: blue; } } } }
@property --angle { syntax: "<angle>"; inherits: false; initial-value: 0deg; }
@container stage (min-width: 400px) { .card:has(> img) { inset: 0; } }
@supports (height: 100dvh) { body { height: 100vh; height: 100dvh; } }
@scope (.card) to (.icon) { img { border: 1px solid; } }
@starting-style { .card { opacity: 0; } }
.glass { -webkit-backdrop-filter: blur(2px); backdrop-filter: blur(2px); color: red; color: color(display-p3 1 0 0); }
.set { background: url(/a.png); background: image-set("/a.png" 1x, url(/a.png) 2x); --empty: ; --space: a  b; }
a { color: light-dark(black, white); width: calc(1px + (2px * 3)); margin: -0.50px; content: "\\201C a  b"; }
"""


def test_modern_styles_are_not_dropped(optimize: Optimize) -> None:
    """`@layer`, nesting, `@property`, `@container`, `oklch()`, `:has()`; fallbacks and prefixed twins."""
    out = optimize({"index.html": page("", '<link rel="stylesheet" href="/s.css">'), "s.css": MODERN})
    assert len(out.bytes("s.css")) < len(MODERN), "the sheet was not worked on: the test proves nothing"
    # Every name, function, number and string that stood there, in order; white space and zeros may go.
    assert meaning(out.text("s.css")) == meaning(MODERN)


def meaning(sheet: str) -> list[object]:
    def told(nodes: list[Any]) -> Iterator[object]:
        for node in nodes:
            if node.type in ("whitespace", "comment") or node == ";":
                continue
            inner = getattr(node, "content", None) or getattr(node, "arguments", None) or []
            value = getattr(node, "value", getattr(node, "name", None))
            number = (value, getattr(node, "unit", "")) if node.type in ("number", "dimension", "percentage") else None
            # A string and `url()` of the same text mean the same where a URL is meant.
            yield number or (value.lower() if node.type == "ident" else value)
            yield from told(inner)

    return list(told(tinycss2.parse_component_value_list(sheet)))


# Names and references


def test_no_part_of_a_word_and_no_look_alike_is_renamed(optimize: Optimize) -> None:
    """`de.js` inside `sitecode.json`; a string in a script that only looks like a file."""
    script = 'const a = "sitecode.json", b = "de.js is a file", c = "/img/de.png!", d = "xde.js";\nuse(a, b, c, d);\n'
    files = {
        "index.html": page("sitecode.json and de.js", '<script src="/app.js"></script><script src="/de.js"></script>'),
        "app.js": script,
        "de.js": "one();",
        "sitecode.json": '{"de.js": "de.js"}',
        "img/de.png": PNG,
    }
    out = optimize(files)
    [app] = [path for path in out.made_of("app.js") if path in (*out.files,)][:1]
    for literal in ('"sitecode.json"', '"de.js is a file"', '"/img/de.png!"', '"xde.js"'):
        assert literal in out.text(app).replace("'", '"')
    assert "sitecode.json and de.js" in out.text("index.html")
    assert json.loads(out.text("sitecode.json")) == {"de.js": "de.js"}


REFERENCES = [
    "../img/a.png",
    "/img/a.png",
    "./../img/./a.png",
    "/img/a.png?v=3",
    "/img/s.svg#icon",
    "/img/s.svg?v=1#icon",
    "/img/two%20words.png",
    "/img/two words.png",
    "/img/%63af%C3%A9.png",
    "/img/café.png",
    "//stage.example/img/a.png",
    f"{ORIGIN}/img/a.png",
    "https://STAGE.example/img/a.png",
]


@pytest.mark.parametrize("reference", REFERENCES)
def test_every_way_to_write_a_reference_is_understood(optimize: Optimize, tmp_path: Path, reference: str) -> None:
    """Relative, percent-encoded, with query or fragment, protocol-relative, absolute on the same origin, Unicode."""
    settings = write(tmp_path, {"settings.toml": f'[site]\norigin = "{ORIGIN}"\n'}) / "settings.toml"
    files = {
        "docs/index.html": page(f'<img src="{reference}" alt="">'),
        "index.html": page('<a href="/docs/">docs</a>'),
        **{f"img/{name}.png": PNG + name.encode() for name in ("a", "two words", "café")},
        "img/s.svg": '<svg xmlns="http://www.w3.org/2000/svg"><symbol id="icon"/></svg>',
    }
    out = optimize(files, "--config", settings)
    [image] = parsed(out.text("docs/index.html")).iter("img")
    before, after = urlsplit(reference), urlsplit(image.attrib["src"])
    assert (after.query, after.fragment) == (before.query, before.fragment)
    found = out.target("docs/index.html", image.attrib["src"])
    assert out.files[found]["cache_class"] == "immutable", image.attrib["src"]
    assert out.files[found]["source"] == [out.target("docs/index.html", reference)]


def test_what_the_input_lacks_is_told_and_no_error(optimize: Optimize) -> None:
    """A missing `.map`, a dangling reference: the site's own fault."""
    files = {
        "index.html": page('<img src="/gone.png">', '<link rel="stylesheet" href="s.css"><script src="a.js"></script>'),
        "a.js": "one();\n//# sourceMappingURL=a.js.map\n",
        "s.css": "a{background:url(gone.png)}",
    }
    out = optimize(files)
    places = {path for code, path in out.codes() if code == "dangling-reference"}
    assert {"index.html", "s.css"} <= places
    assert 'src="/gone.png"' in out.text("index.html")
    assert "url(gone.png)" in out.text("s.css")


MODULE = {
    "every use is sure": ("", 1),
    "a name that a script computes": ("const name = 'm';\nimport(`/${name}.js`);\n", 1),
    "a string that may be its name": ("log('/m.js');\n", 1),
    "an import map": ("import 'mapped';\n", 1),
}


@pytest.mark.parametrize("more", [row[0] for row in MODULE.values()], ids=MODULE)
def test_a_module_never_has_two_names(optimize: Optimize, more: str) -> None:
    """Else it runs twice."""
    head = (
        '<script type="importmap">{"imports":{"mapped":"/m.js"}}</script><link rel="modulepreload" href="/m.js">'
        '<script type="module" src="/a.js"></script><script type="module" src="./m.js"></script>'
    )
    files = {"index.html": page("", head), "a.js": f'import "./m.js";\n{more}start();\n', "m.js": "once();\n"}
    out = optimize(files)
    texts = "".join(out.text(path) for path in out.files if path.endswith(("html", "js")) and path != "a.js")
    live = set(re.findall(r"""(?<=["'`/])m(?:\.[0-9a-f]{16})?\.js(?=["'`])""", texts))
    # The original may lie there for outsiders; nothing in the site uses it.
    if "a.js" in out.files and len(out.made_of("a.js")) == 1:
        live |= set(re.findall(r"""(?<=["'`/])m(?:\.[0-9a-f]{16})?\.js(?=["'`])""", out.text("a.js")))
    assert len(live) == 1, live


def test_an_immutable_name_never_comes_back_with_other_bytes(optimize: Optimize, tmp_path: Path) -> None:
    files = {"index.html": page('<img src="/a.png">'), "a.png": PNG}
    first = optimize(files)
    [name] = [path for path in first.made_of("a.png") if first.files[path]["cache_class"] == "immutable"]
    edited = optimize(files | {"a.png": PNG + b" edited"})
    assert name not in edited.files
    # A release in which the name stood for other bytes: ours never is, so the manifest is edited.
    manifest = first.manifest
    manifest["files"][name]["sha256"] = "0" * 64
    (tmp_path / "previous.json").write_text(json.dumps(manifest))
    site = write(tmp_path / "again", files)
    done = run("optimize", site, "-o", tmp_path / "never", "--previous", tmp_path / "previous.json")
    assert done.exit_code == 1
    assert name in done.stderr
    assert not (tmp_path / "never").exists()


def test_scripts_with_equal_bytes_stay_two(optimize: Optimize) -> None:
    """Each runs once under its own URL; merged, one module would run once instead of twice."""
    head = '<script type="module" src="/a.js"></script><script type="module" src="/b.js"></script>'
    out = optimize({"index.html": page("", head), "a.js": "count();", "b.js": "count();"})
    sources = [script.attrib["src"] for script in parsed(out.text("index.html")).iter("script")]
    assert len(set(sources)) == 2
    assert [out.files[out.target("", source)]["source"] for source in sources] == [["a.js"], ["b.js"]]


def test_circles_have_proved_names(optimize: Optimize) -> None:
    files = {
        "index.html": page("", '<link rel="stylesheet" href="/a.css"><script type="module" src="/a.js"></script>'),
        "a.css": '@import "b.css";',
        "b.css": '@import "a.css"; b { color: red }',
        "a.js": 'import "./b.js";\none();',
        "b.js": 'import "./c.js";\ntwo();',
        "c.js": 'import "./a.js";\nthree();',
    }
    names: list[set[str]] = []
    for text in ("three();", "four();"):
        out = optimize(files | {"c.js": f'import "./a.js";\n{text}'})
        immutable = {path for path, record in out.files.items() if record["cache_class"] == "immutable"}
        assert {out.files[path]["source"][0] for path in immutable} == files.keys() - {"index.html"}
        names.append(immutable)
    assert names[0] & names[1] == {path for path in names[0] if path.endswith(".css")}


NAMESAKES: dict[str, Files] = {
    "in a circle": {
        "assets/index-Bx3f_9-a.js": 'export const one=1;\nimport("./index-C0y7Zq2b.js");',
        "assets/index-C0y7Zq2b.js": 'import {one} from "./index-Bx3f_9-a.js";\nconsole.log(one);',
    },
    "with equal bytes": {
        "assets/index-Bx3f_9-a.js": "count();",
        "assets/index-C0y7Zq2b.js": "count();",
    },
    "beside a copy that is named like them": {
        "assets/index.046f9c9b3d93d83a.js": 'import "./index.js";\ncount();',
        "assets/index.js": 'import "./index.046f9c9b3d93d83a.js";\ncount();',
    },
}


@pytest.mark.parametrize("files", NAMESAKES.values(), ids=NAMESAKES.keys())
def test_names_that_differ_in_the_hash_alone_stay_apart(optimize: Optimize, files: Files) -> None:
    """Vite calls every module's chunk that comes from an index file `index-….js`."""
    scripts = "".join(f'<script type="module" src="/{path}"></script>' for path in files)
    out = optimize({"index.html": page("", scripts), **files})
    for source in files:
        (immutable,) = [path for path in out.made_of(source) if out.files[path]["cache_class"] == "immutable"]
        assert f'src="/{immutable}"' in out.text("index.html")


KNOWN = {
    "sw.js": "self.addEventListener('fetch', () => {});",
    "robots.txt": "User-agent: *\n",
    "favicon.ico": b"\0\0\1\0 icon",
    "app.webmanifest": '{"icons":[]}',
    ".well-known/assetlinks.json": "[]",
    "_headers": "/*\n  X-A: b\n",
    "_redirects": "/a /b 301\n",
    "404.html": page("missing"),
    "feed.xml": "<rss/>",
    "sitemap.xml": "<urlset/>",
    "about.txt": '0:["fixture",[]]\n',
    "_next/data/build/about.json": "{}",
    "_next/static/build/_buildManifest.js": "self.__BUILD_MANIFEST={};",
}


def test_names_that_outsiders_know_stay(optimize: Optimize) -> None:
    """Even where every reference to them is sure."""
    uses = "".join(
        f'<script src="/{path}"></script>' if path.endswith(".js") else f'<link rel="prefetch" href="/{path}">'
        for path in KNOWN
    )
    out = optimize({"index.html": page("", uses), **KNOWN})
    for path in KNOWN:
        assert out.made_of(path) == [path]
        assert out.files[path]["cache_class"] != "immutable"
        assert f'"/{path}"' in out.text("index.html")


@pytest.mark.parametrize(
    "name",
    [
        "_next/static/chunks/7772.de9cf948761916a4.js",
        "_next/static/chunks/main-2ee3df819357997f.js",
        "assets/index-DkPu9Xl1.js",
        "static/js/main.8f2c4d1a.js",
        "_app/immutable/entry/start.C3fLq9_x.js",
        "_astro/page.B4xTz0Qd.js",
        "js/chunk-vendors.0c4ec3f5.js",
    ],
)
def test_hashed_names_are_recognised(optimize: Optimize, name: str) -> None:
    """Else they would get a second hash, or a short cache."""
    out = optimize({"index.html": page("", f'<script src="/{name}" defer></script>'), name: "start();"})
    [made] = out.made_of(name)
    assert out.files[made]["cache_class"] == "immutable"
    assert len(made) == len(name), "a hash was added to a hash"


def test_files_behind_computed_names_stay(optimize: Optimize) -> None:
    """glTF `.bin` and textures, tfjs `model.json` shards, wasm beside its loader."""
    data = {
        "models/scene.gltf": json.dumps({"buffers": [{"uri": "scene.bin"}], "images": [{"uri": "skin.png"}]}),
        "models/scene.bin": bytes(range(256)),
        "models/skin.png": PNG,
        "model/model.json": json.dumps({"weightsManifest": [{"paths": ["group1-shard1of1.bin"]}]}),
        "model/group1-shard1of1.bin": bytes(range(255, -1, -1)),
        "wasm/codec.wasm": b"\0asm\1\0\0\0",
    }
    loader = 'load(base + "scene.gltf"); load("/model/" + "model.json"); fetch(dir + "codec.wasm");\n'
    out = optimize(
        {"index.html": page('<img src="/models/skin.png">', '<script src="/a.js"></script>'), **data, "a.js": loader}
    )
    for path, content in data.items():
        before = content if isinstance(content, bytes) else content.encode()
        assert out.bytes(path) == before if path.endswith((".bin", ".png", ".wasm")) else json.loads(out.bytes(path))
    assert json.loads(out.text("models/scene.gltf")) == json.loads(data["models/scene.gltf"])
    assert json.loads(out.text("model/model.json")) == json.loads(data["model/model.json"])


# Compression, speed, memory


MEASURED = """
import sys
from pathlib import Path
from v1z3r_build.cli import main
try:
    main(sys.argv[1:])
finally:
    # Not ru_maxrss: that holds the peak of the process that has started this one, too.
    [peak] = [line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM:")]
    print(int(peak.split()[1]))
"""


@pytest.mark.skipif(sys.platform != "linux", reason="it asks Linux")
def test_memory_does_not_grow_with_the_site(tmp_path: Path) -> None:
    peaks = []
    for count in (10, 400):
        files = {f"data/{number}.bin": bytes([number % 251]) * 200_000 for number in range(count)}
        site = write(tmp_path / str(count), {"index.html": page(""), **files})
        words = ["optimize", str(site), "-o", str(tmp_path / f"out{count}"), "--jobs", "1", "-q"]
        done = subprocess.run(
            [sys.executable, "-c", MEASURED, *words], capture_output=True, text=True, cwd=tmp_path, check=True
        )
        peaks.append(int(done.stdout.splitlines()[-1]))
    few, many = peaks
    assert many - few < 20_000, f"{few} kB for 2 MB of files, {many} kB for 80 MB"


def test_a_stale_sidecar_is_never_served(optimize: Optimize) -> None:
    text = "a line of text\n" * 200
    files = {
        "index.html": page(""),
        "old.txt": text,
        "old.txt.br": brotli.compress(b"another text"),
        "old.txt.gz": b"no gzip at all",
        "new.txt": text + "new",
        "new.txt.gz": gzip.compress((text + "new").encode(), 1),
    }
    out = optimize(files)
    assert {path for code, path in out.codes() if code == "stale-sidecar"} == {"old.txt.br", "old.txt.gz"}
    assert out.bytes("old.txt.br") == files["old.txt.br"], "a file of the input was overwritten"
    assert "encodings" not in out.files["old.txt"] or out.files["old.txt"]["encodings"] == {}
    assert set(out.files["new.txt"]["encodings"]) == {"br", "gzip"}
    assert len(out.bytes("new.txt.gz")) <= len(files["new.txt.gz"])


def test_nothing_is_compressed_twice_and_labels_are_true(optimize: Optimize) -> None:
    text = ("a line of text\n" * 200).encode()
    files = {
        "index.html": page(""),
        "a.txt": text,
        "archive.tar.gz": gzip.compress(text),
        "lonely.js.br": brotli.compress(text),
        "font.woff2": b"wOF2" + b"\0" * 2000,
        "photo.png": PNG + b"\0" * 2000,
    }
    out = optimize(files)
    owners = {path for path, record in out.files.items() if record.get("encodings")}
    assert owners == {"a.txt"}
    encodings = out.files["a.txt"]["encodings"]
    assert brotli.decompress(out.bytes(encodings["br"]["path"])) == text
    assert gzip.decompress(out.bytes(encodings["gzip"]["path"])) == text


def test_small_and_large_files_and_rare_types_are_compressed(optimize: Optimize, tmp_path: Path) -> None:
    """CDNs leave out what is under 1,000 bytes, over 10 MB, or not on their list."""
    fast = write(tmp_path, {"fast.toml": "[compress]\nbrotli_quality = 4\ngzip_level = 1\n"}) / "fast.toml"
    files = {
        "index.html": page(""),
        "small.json": json.dumps(["word"] * 60),
        "large.csv": "1,2,3,4,5\n" * 1_100_000,
        "scene.glb": b"glTF" + bytes(4000),
        "tool.wasm": b"\0asm\1\0\0\0" + bytes(4000),
        "shader.glsl": "void main() { gl_FragColor = vec4(1.0); }\n" * 20,
    }
    out = optimize(files, "--config", fast)
    for path in files.keys() - {"index.html"}:
        assert set(out.files[path].get("encodings", {})) == {"br", "gzip"}, path
