"""References in scripts: source, then every reference with its role, its bytes and its URL."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from spans import check, mentions, refilled, row, source, urls

from v1z3r_build.formats import javascript

URLS: dict[str, tuple[str | bytes, list[tuple[str, bytes, str]]]] = {
    "imports": (
        "import a from './a.js';import'./b.js';import*as c from\"./c.js\";import{d}from'./d.js'",
        [row("import", f"./{name}.js") for name in "abcd"],
    ),
    "re-exports": ("export*from'./a.js';export{b}from'./b.js';export*as c from'./c.js'", [row("import", f"./{name}.js") for name in "abc"]),
    "import with attributes": ("import a from'./a.json'with{type:'json'}", [row("import", "./a.json")]),
    "import of a name that is a keyword": ("import{'from'as a}from'./a.js';export{a as from}", [row("import", "./a.js")]),
    "bare specifier": ("import 'three'", [row("import", "three")]),
    "dynamic imports": (
        "import('./a.js');import(`./b.js`);await import(/* @vite-ignore */'./c.js',{with:{type:'css'}})",
        [row("dynamic-import", name) for name in ("./a.js", "./b.js", "./c.js")],
    ),
    "dynamic import in a template": ("`${import('./a.js')}`", [row("dynamic-import", "./a.js")]),
    "computed names": ("import('./'+a+'.js');import(`./${b}.js`);new URL(`./${c}.png`,import.meta.url);new Worker(d)", []),
    "module URL": ("new URL('a.png',import.meta.url).href", [row("module-url", "a.png")]),
    "module URL in a template": ("new URL(`a.png`,import.meta.url)", [row("module-url", "a.png")]),
    "URL with another base": ("new URL('a.png',location);new URL('b.png');new URL('c.png',document.baseURI)", []),
    "workers": ("new Worker('/a.js');new SharedWorker('/b.js',{type:'module'});new self.Worker('/c.js')", [row("worker", f"/{name}.js") for name in "abc"]),
    "worker by a module URL": ("new Worker(new URL('./a.js',import.meta.url),{type:'module'})", [row("module-url", "./a.js")]),
    "service worker": (
        "navigator.serviceWorker.register('/sw.js',{scope:'/x.js'});window.navigator.serviceWorker?.register(`/b.js`)",
        [row("service-worker", "/sw.js"), row("service-worker", "/b.js")],
    ),
    "another register": ("customElements.register('/a.js');gsap.register('b.js');register('c.js')", []),
    "importScripts": (
        "importScripts('a.js',`b.js`,name,'c.js');self.importScripts('d.js')",
        [row("import-scripts", f"{name}.js") for name in "abcd"],
    ),
    "another importScripts": ("my.importScripts('a.js')", []),
    "precache": (
        "[{url:'/a',revision:'00'},{'revision':null,'url':'/b'},{revision:'11'},{url:'/c'},{url:d,revision:'22'}]",
        [row("precache", "/a"), row("precache", "/b")],
    ),
    "elements": (
        "(0,r.jsx)('img',{alt:'',src:'/a.png'});h(`video`,{'poster':`/b.jpg`,src:'/c.mp4'});e.createElement(\"image\",{href:'/d.png'},1)",
        [row("element", "/a.png"), row("element", "/b.jpg"), row("element", "/d.png")],
    ),
    "elements with a set": (
        "jsx('img',{srcSet:'/a.png 1x, /b.png 2x',src:'/c.png'});jsx(\"source\",{srcset:'/d.png'})",
        [row("element", f"/{name}.png") for name in "abcd"],
    ),
    "templates that were joined": (
        "jsx('img',{src:''.concat('','/a.png')});jsx('img',{src:''.concat('/b','.png')});jsx('img',{src:''.concat(c,'/d.png')});"
        "jsx('img',{src:'/sub'.concat('/e.png','')});jsx('img',{src:[].concat('/f.png')});jsx('img',{src:a.concat('/g')})",
        [row("element", "/a.png"), row("element", ".png", "/b.png"), row("element", "/e.png", "/sub/e.png")],
    ),
    "the end of a query": ("jsx('img',{src:'/a'.concat('.png?b=','c.png')});jsx('img',{src:'/a.png#'.concat('d.png')})", []),
    "the module's address behind nothing": (
        "new URL('/a.png',''+import.meta.url);new URL(`/b.png`,``+import.meta.url);new URL('/c.png',d+import.meta.url)",
        [row("module-url", "/a.png"), row("module-url", "/b.png")],
    ),
    "calls that make no elements": (
        "load('img',{src:'/a.png'});loader.addImage('img',{src:'/b.png'});loader.add('img',{src:'/c.png'});"
        "f()('img',{src:'/d.png'})",
        [],
    ),
    "calls of what is imported": (
        "(0,r.Y)('img',{src:'/a.png'});preact.h('img',{src:'/b.png'});r.jsx('img',{src:'/c.png'})",
        [row("element", f"/{name}.png") for name in "abc"],
    ),
    "what is no element that shows an image": (
        "f('img',x,{src:'/a.png'});f(x,{src:'/b.png'});f({a:'img'},{src:'/c.png'});f('img',{src:`/${d}.png`,[e]:'/e.png'});"
        "f('script',{src:'/g.js'});['img',{src:'/h.png'}];new f('img',{src:'/i.png'})",
        [],
    ),
    "comments": ("// import './a.js'\n/* import('./b.js') */\n<!-- import('./c.js')\n", []),
    "strings": ("'import(\"./a.js\")';\"new URL('b.png',import.meta.url)\";`import('./c.js')`", []),
    "regular expression": ("/import('.\\/a.js')/", []),
    "property names": ("x={import:'./a.js',from:'./b.js'};x.import('./c.js');x.from('./d.js');from('./e.js')", []),
    "escapes": (
        r"import('./\x61\u0062\u{63}\'\/\
d.js')",
        [row("dynamic-import", r"""./\x61\u0062\u{63}\'\/\
d.js""", "./abc'/d.js")],
    ),
    "surrogate pair": (r"import('./\uD83D\ude00\ud83d.js')", [row("dynamic-import", r"./\uD83D\ude00\ud83d.js", "./😀���.js")]),
    "unicode": ("import'./é/舞.js'", [row("import", "./é/舞.js")]),
    "byte order mark": (b"\xef\xbb\xbfimport'./a.js'", [row("import", "./a.js")]),
    "CRLF": (b"import a\r\nfrom\r\n'./a.js'\r\n", [row("import", "./a.js")]),
    "another charset": (b"x='\xe9';import'./\xe9.js'", [row("import", b"./\xe9.js", "./�.js")]),
    "hash bang": ("#!/usr/bin/env node\nimport'./a.js'", [row("import", "./a.js")]),
    "broken around it": ("import('./a.js').then(((", []),
    "broken elsewhere": ("import'./a.js';\n)))\n", [row("import", "./a.js")]),
    "NUL": (b"import'./a.js';'\0'", []),
    "nothing": ("", []),
}  # fmt: skip


@pytest.mark.parametrize("text, expected", URLS.values(), ids=URLS.keys())
def test_references(text: str | bytes, expected: list[tuple[str, bytes, str]]) -> None:
    data = source(text)
    assert urls(data, check(javascript.read, data)) == expected


@pytest.mark.parametrize("text", [text for text, _ in URLS.values()], ids=URLS.keys())
def test_names_that_are_filled_in_are_read_again(text: str | bytes) -> None:
    refilled(javascript.read, source(text))


MENTIONS = {
    "string": ("f('/x/«a».js')", ("string", b"/x/", b".js")),
    "words in a string": ("f('see /x/«a».js, here')", ("string", b"/x/", b".js")),
    "template": ("f(`/x/«a».js`)", ("string", b"/x/", b".js")),
    "template after a substitution": ("f(`${b}/«a».js`)", ("string", b"/", b".js")),
    "string in a substitution": ("f(`${'«a».js'}`)", ("table", b"", b".js")),
    "across a substitution": ("f(`«a${b}c»`)", ("unknown", b"", b"")),
    "value": ("x={1:'«a»'}", ("table", b"", b"")),
    "operand": ("x='/'+b+'.«a».js'", ("table", b".", b".js")),
    "choice": ("x=b?'«a»':c", ("table", b"", b"")),
    "element": ("x=['/«a».js']", ("table", b"/", b".js")),
    "flight data": ('push([1,"2:I[1,[\\"/«a».js\\"]]"])', ("table", b"/", b".js\\")),
    "behind an escape": (r"f('\u002f«a».js')", ("string", rb"\u002f", b".js")),
    "over an escape": (r"f('«a\x2ejs»')", ("string", b"", b"")),
    "comment": ("//# sourceMappingURL=«a».js.map", ("comment", b"sourceMappingURL=", b".js.map")),
    "block comment": ("/* «a».js */", ("comment", b"", b".js")),
    "identifier": ("x=«a»b", ("unknown", b"", b"b")),
    "key": ("x={«a»:1}", ("unknown", b"", b"")),
    "quoted key": ("x={'«a»':1}", ("table", b"", b"")),
    "regular expression": ("x=/«a»/", ("unknown", b"", b"")),
    "broken": ("f('«a»' (((", ("unknown", b"", b"")),
}


@pytest.mark.parametrize("text, expected", MENTIONS.values(), ids=MENTIONS.keys())
def test_words(text: str, expected: tuple[str, bytes, bytes]) -> None:
    assert mentions(javascript.read, text) == [expected]


def test_a_word_that_begins_with_the_quote() -> None:
    """`".js"` is looked for with its quote: the end of names that scripts compute."""
    assert mentions(javascript.read, "x=a+«'.js»'") == [("table", b"", b"")]


REVISIONS = {
    "both ways round": ("[{url:'/a',revision:'00'},{'revision':\"11\",'url':'/b'}]", [(b"00", "/a"), (b"11", "/b")]),
    "null": ("[{url:'/a',revision:null}]", []),
    "of something else": ("({revision:'00',name:'/a'})", []),
    "not its own object": ("({url:'/a',b:{revision:'00'}})", []),
    "in a comment": ("/* {url:'/a',revision:'00'} */", []),
}


@pytest.mark.parametrize("text, expected", REVISIONS.values(), ids=REVISIONS.keys())
def test_revisions(text: str, expected: list[tuple[bytes, str]]) -> None:
    data = text.encode()
    reading = javascript.read(data)
    assert [(data[found.start : found.end], found.url) for found in reading.revisions] == expected


def test_an_inline_script_is_read_by_itself_at_its_place() -> None:
    data = b"<script>import'./a.js'</script>import'./b.js'"
    assert urls(data, javascript.read(data, (), 8, 22)) == [row("import", "./a.js")]


def test_a_script_that_is_too_large_says_nothing_for_sure(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(javascript, "MAX_SIZE", 10)
    assert javascript.read(b"import'./a.js'").urls == ()
    assert mentions(javascript.read, "import'./«a».js'") == [("unknown", b"./", b".js")]


PIECES = [
    "import", "import(", "import{a}from", "export*from", "'./a.js'", '"./b.js"', "`./c.js`", "`${", "}`", "'", '"', "`",
    "new URL(", ",import.meta.url", "new Worker(", "importScripts(", "{url:", ",revision:'0'", "}", ")", "(", ";", "//",
    "/*", "*/", "\n", "\r\n", "\\", "\\u0061", "é", " ", "=", "x", "<!--",
]  # fmt: skip


@settings(max_examples=200, deadline=None, derandomize=True)
@given(st.lists(st.sampled_from(PIECES), max_size=14).map("".join))
def test_any_tokens(text: str) -> None:
    check(javascript.read, text.encode(), [b"a.js", b"'", b"import"])
    refilled(javascript.read, text.encode())


@settings(max_examples=100, deadline=None, derandomize=True)
@given(st.binary(max_size=40))
def test_any_bytes(data: bytes) -> None:
    check(javascript.read, b"import(" + data, [data[3:5]] if len(data) > 4 else [])
