"""Pages on which no script can notice: page, scripts, and the reason against it."""

from __future__ import annotations

import pytest

from v1z3r_build.passes.images.selectors import Live
from v1z3r_build.passes.images.stillness import Scripts, Stillness, reads_styles
from v1z3r_build.site.address import Addresses


def stillness(page: str | bytes, files: dict[str, str] | None = None, **more: object) -> Stillness:
    contents = {name: text.encode() for name, text in (files or {}).items()}
    addresses = Addresses({"index.html", "frame.html", *contents})
    scripts = Scripts(contents.__getitem__, addresses, **more)  # type: ignore[arg-type]
    return scripts.stillness("index.html", page if isinstance(page, bytes) else page.encode())


@pytest.mark.parametrize(
    "page",
    [
        "<p>no script",
        "<!--[if lt IE 9]><script src=//a.test/x.js></script><![endif]--><a href=#managing-state>",
        '<script type="application/ld+json">{"image":"a.jpg"}</script><script type=text/template><img src=x></script>',
        "<script type=speculationrules>{}</script><iframe src=https://maps.test/x></iframe>",
        "<a href='java script:x'>x</a><a href=/javascript:img>x</a>",
    ],
)
def test_pages_without_scripts(page: str) -> None:
    assert stillness(page) == Stillness("", Live())


STILL = [
    "(function () { var x = function () { return 1 }; x() })()",
    "document.documentElement.classList.toggle('dark', matchMedia('(prefers-color-scheme: dark)').matches)",
    "document.getElementById('year').textContent = new Date().getFullYear()",
    "document.querySelectorAll('.tab').forEach(e => e.addEventListener('click', () => e.classList.add('on', 'seen')))",
    "document.querySelector('#menu .open').hidden = false; document.getElementsByClassName('x').length",
    "localStorage.setItem('a', '1'); fetch('/api').then(r => r.json()); location.hash = ''; location.href = x; a.href == b",
    "addEventListener('scroll', () => document.body.style.setProperty('--y', scrollY))",
    "navigator.serviceWorker.register('/sw.js'); const a = list[0]; a.sort(); class A { b() {} }",
    "e.setAttribute('aria-expanded', 'true'); window.dataLayer = []; Object.keys(x).map(k => x[k])",
]


@pytest.mark.parametrize("script", STILL)
def test_scripts_that_cannot_notice(script: str) -> None:
    found = stillness(f"<script>{script}</script>")
    assert found.reason == ""
    assert found.live.attributes
    assert stillness("<script src=a.js></script>", {"a.js": script}) == found
    assert stillness(f'<button onclick="{script.replace(chr(34), chr(39))}">').reason == ""


NOTICES = [
    "document.images", "new Image().width", "x = document.querySelector('img')", "document.querySelector('picture img')",
    "document.querySelector(x)", "document.querySelector('.a > .b')", "document.querySelector('.a *')", "document.querySelectorAll('[x]')",
    "document.getElementsByTagName('p')", "e.children", "e.firstElementChild", "e.parentNode", "e.offsetParent", "e.nextElementSibling",
    "e.closest('.x')", "e.matches('.x')", "e.matches.call(x)", "e.composedPath()", "e.innerHTML = ''", "e.outerHTML", "e.insertAdjacentElement(x)",
    "e.append(x)", "e.remove()", "e . remove ( )", "e.before(x)", "document.write('x')", "document.createElement('p')", "e.cloneNode()",
    "new DOMParser()", "new XMLSerializer()", "document.createTreeWalker(x)", "document.evaluate(x)", "document.elementFromPoint(0,0)",
    "new MutationObserver(f)", "performance.getEntriesByType('resource')", "new PerformanceObserver(f)", "customElements.define('a-b', X)",
    "e.attachShadow({})", "document.styleSheets", "new CSSStyleSheet()", "e.style.height = 'inherit'", "import('./x.js')", "eval(x)", "Function(x)",
    "[].filter.constructor(x)", "atob(x)", "String.fromCharCode(1)", "'\\x69mg'", "'\\u0069mg'", "'\\u{69}mg'", "document['im' + 'ages']", "window[x]",
    "self?.[x]", "_0x1f2e", "frames[0]", "window.opener", "e.contentDocument", "document.all", "document.body.contentEditable = true",
    "getSelection()", "document.createRange()", "link.href = 'b.css'", "e.setAttribute('href', x)", "e.setAttribute(x, y)", "Object.assign(e, {href: x})", "// the images of the page",
]  # fmt: skip


@pytest.mark.parametrize("script", NOTICES)
def test_scripts_that_could_notice(script: str) -> None:
    assert "says" in stillness(f"<script>{script}</script>").reason
    assert (
        "says"
        in stillness("<script type=module src=a.js></script>", {"a.js": "import './b.js'", "b.js": script}).reason
    )


@pytest.mark.parametrize(
    ("page", "reason"),
    [
        ("<script src=//cdn.test/a.js></script>", "from elsewhere"),
        ("<script src=missing.js></script>", "from elsewhere"),
        ("<svg><script xlink:href=https://a.test/x.js /></svg>", "from elsewhere"),
        ("<script type=module>import x from 'bare'</script>", "imports"),
        ("<script type=module>import 'https://a.test/x.js'</script>", "imports"),
        ("<script type=importmap>{}</script>", "import map"),
        ("<img onerror=\"this.src='x'\">", "says"),
        ("<svg onload='this.parentNode'></svg>", "says"),
        ("<a href=' java\nscript:document.images'>x</a>", "says"),
        ("<script>a", ""),
        ("<iframe src=frame.html></iframe>", "frame"),
        ("<iframe srcdoc='<script>parent</script>'></iframe>", "frame"),
        ("<object data=frame.html></object>", "frame"),
        ("<div id=__next></div>", "framework"),
        ("<!--$--><p><!--/$-->", "framework"),
        ("<!--[!--><p><!--]-->", "framework"),
        ("<script id=ng-state type=application/json>{}</script>", "framework"),
        ("<astro-island></astro-island>", "framework"),
        ("<app-root ng-version=17></app-root>", "framework"),
    ],
)
def test_what_is_not_still(page: str, reason: str) -> None:
    found = stillness(page).reason
    assert reason in found
    assert bool(reason) == bool(found)


def test_pages_in_frames_and_in_utf_16() -> None:
    assert "frame" in stillness("<p>", embedded={"index.html"}).reason
    assert "UTF-16" in stillness("<p>".encode("utf-16")).reason


def test_imports_in_circles_are_looked_through_once() -> None:
    files = {"a.js": "import './b.js'", "b.js": "import './a.js'; document.body.classList.add('x')"}
    assert stillness("<script type=module src=a.js></script>", files) == Stillness(
        "", Live(frozenset("x"), attributes=True)
    )


def test_scripts_that_read_styles() -> None:
    assert reads_styles(b"e.style.backgroundImage.slice(4)") == "backgroundImage"
    assert reads_styles(b"getComputedStyle(e).color") == "getComputedStyle"
    assert reads_styles(b"e.style.color") == ""
