"""Pages and Vite's lists that load a chunk, and then its vendors' files as well."""

from __future__ import annotations

import pytest

from v1z3r_build.bundlers import pages, vite
from v1z3r_build.bundlers.passage import written


def brought(page: str) -> str:
    """The page, with the file of one vendor for each element that loads app.js."""
    data = page.encode()
    edits = pages.bring(data, lambda url, base: {"v.js": "sha384-V"} if "app.js" in url else {})
    return written(data, 0, len(data), sorted(edits)).decode()


# The element, and what stands before it then.
ELEMENTS = [
    ('<script src="/a/app.js"></script>', '<script src="/a/v.js"></script>'),
    ("<script src=app.js></script>", '<script src="v.js"></script>'),
    ("<script src=../app.js></script>", '<script src="../v.js"></script>'),
    ("<script src=https://cdn.example/app.js></script>", '<script src="https://cdn.example/v.js"></script>'),
    ("<script defer src=/a/app.js></script>", '<script defer src="/a/v.js"></script>'),
    ("<script src='/a/app.js' async=''></script>", '<script src="/a/v.js" async></script>'),
    ("<script nonce=abc src=/a/app.js crossorigin></script>", '<script nonce="abc" src="/a/v.js" crossorigin></script>'),
    ("<script nomodule src=/a/app.js></script>", '<script nomodule src="/a/v.js"></script>'),
    ("<SCRIPT SRC=/a/app.js></SCRIPT>", '<script src="/a/v.js"></script>'),
    ("<script\nsrc\n=\n/a/app.js\n></script>", '<script src="/a/v.js"></script>'),
    ('<script src = " /a/app.js " / defer></script>', '<script src="/a/v.js" defer></script>'),
    # What is the chunk's own
    ("<script id=x src=/a/app.js></script>", '<script src="/a/v.js"></script>'),
    ('<script src=/a/app.js onload="go()" ONERROR=\'no()\'></script>', '<script src="/a/v.js"></script>'),
    ("<script src=/a/app.js integrity=sha384-A></script>", '<script src="/a/v.js" integrity="sha384-V"></script>'),
    # The browser takes the first of two
    ('<script src=/a/app.js src=/b/c.js defer defer=1></script>', '<script src="/a/v.js" defer></script>'),
    ('<script src=/b/c.js src=/a/app.js></script>', ""),
    # Queries, fragments, characters
    ("<script src=/a/app.js?dpl=1&amp;copy=2#h></script>", '<script src="/a/v.js?dpl=1&amp;copy=2#h"></script>'),
    ("<script src=app.js?u=/x/y></script>", '<script src="v.js?u=/x/y"></script>'),
    ("<script src=app.js#/x?y></script>", '<script src="v.js#/x?y"></script>'),
    ("<script src=/a&amp;b/app.js></script>", '<script src="/a&amp;b/v.js"></script>'),
    ("<script src=/a&#x2f;b/app.js></script>", '<script src="/a/b/v.js"></script>'),
    ("é<script src=/é/app.js></script>", '<script src="/é/v.js"></script>'),
    ("<script src=/a/app.js data-x='say \"hi\" &lt;'></script>", '<script src="/a/v.js" data-x="say &quot;hi&quot; &lt;"></script>'),
    ("<script src=\\a\\app.js></script>", ""),
    # Types
    ('<script type="" src=app.js></script>', '<script type src="v.js"></script>'),
    ("<script type=text/javascript src=app.js></script>", '<script type="text/javascript" src="v.js"></script>'),
    ("<script type=application/x-javascript src=app.js></script>", '<script type="application/x-javascript" src="v.js"></script>'),
    ("<script type=text/plain src=app.js></script>", ""),
    ("<script type=importmap src=app.js></script>", ""),
    # Modules import the vendor themselves
    ("<script type=module src=/a/app.js></script>", '<link rel="modulepreload" href="/a/v.js">'),
    ("<script type=' MODULE ' async src=/a/app.js></script>", '<link rel="modulepreload" href="/a/v.js">'),
    (
        "<script type=module crossorigin=use-credentials nonce=n fetchpriority=high referrerpolicy=no-referrer integrity=x src=app.js></script>",
        '<link rel="modulepreload" crossorigin="use-credentials" nonce="n" referrerpolicy="no-referrer" fetchpriority="high" integrity="sha384-V" href="v.js">',
    ),
    # Links
    ("<link rel=modulepreload crossorigin href=/a/app.js>", '<link rel="modulepreload" crossorigin href="/a/v.js">'),
    ("<link href=/a/app.js as=script rel=preload>", '<link href="/a/v.js" as="script" rel="preload">'),
    ("<link href=/a/app.js as=SCRIPT rel=PRELOAD nonce=n>", '<link href="/a/v.js" as="SCRIPT" rel="PRELOAD" nonce="n">'),
    ("<link href=/a/app.js as=fetch rel=preload>", ""),
    ("<link href=/a/app.js rel=icon>", ""),
    # Where no element is
    ("<!--<script src=app.js></script>-->", ""),
    ("<textarea><script src=app.js></script></textarea>", ""),
    ("<script>'<script src=app.js>'</script>", ""),
    ("<a href=app.js>app.js</a>", ""),
    ("<svg><script href=app.js></script></svg>", ""),
    ("<script src></script>", ""),
]  # fmt: skip


@pytest.mark.parametrize(("element", "before"), ELEMENTS)
@pytest.mark.parametrize(
    "around",
    ["{}", "<template>{}</template>", "<noscript>{}</noscript>", "<body><noscript>{}</noscript>", "<body><p>{}"],
)
def test_pages(around: str, element: str, before: str) -> None:
    # In what is never run, too: a script may put it into the page.
    place = element.index("<")
    assert brought(around.format(element)) == around.format(element[:place] + before + element[place:])


@pytest.mark.parametrize(
    ("head", "base"),
    [
        ("", ""),
        ("<base href=/q/>", "/q/"),
        ("<base href=' /q/ '>", "/q/"),
        ("<base target=_top><base href=/q/><base href=/r/>", "/q/"),
        ("<template><base href=/t/></template><base href=/q/>", "/q/"),
        ("<!--<base href=/t/>-->", ""),
    ],
)
def test_bases(head: str, base: str) -> None:
    asked: list[tuple[str, str]] = []

    def vendors(url: str, base: str) -> dict[str, str]:
        asked.append((url, base))
        return {}

    assert pages.bring(f"{head}<script src=a.js></script>".encode(), vendors) == []
    assert asked == [("a.js", base)]


def test_several_vendors() -> None:
    data = b"<p><script src=/a.js></script>"
    edits = pages.bring(data, lambda url, base: {"v.js": "", "w.js": ""})
    assert written(data, 0, len(data), edits) == (
        b'<p><script src="/v.js"></script><script src="/w.js"></script><script src=/a.js></script>'
    )


LIST = "const __vite__mapDeps=(i,m=__vite__mapDeps,d=(m.f||(m.f=[%s])))=>i.map(i=>d[i]);"
LISTS = [
    # Entries, calls; entries and calls afterwards
    ('"assets/a.js","assets/c.css"', "f(__vite__mapDeps([0,1]),__vite__mapDeps([1]))", '"assets/a.js","assets/c.css","assets/v.js"', "f(__vite__mapDeps([0,1,2]),__vite__mapDeps([1]))"),
    ('"assets/a.js","assets/b.js"', "f(__vite__mapDeps([1]),__vite__mapDeps([0,1]))", '"assets/a.js","assets/b.js","assets/v.js","assets/w.js"', "f(__vite__mapDeps([1,2,3]),__vite__mapDeps([0,1,2,3]))"),
    ("'assets/a.js',", "f(__vite__mapDeps([0,]),__vite__mapDeps([]))", "'assets/a.js','assets/v.js',", "f(__vite__mapDeps([0,1,]),__vite__mapDeps([]))"),
    ('"assets/\\x61.js"', "f(__vite__mapDeps([0]))", '"assets/\\x61.js","assets/v.js"', "f(__vite__mapDeps([0,1]))"),
    ('"assets/c.js"', "f(__vite__mapDeps([0]))", None, None),
    ("", "f(__vite__mapDeps([]))", None, None),
    # Calls of another form, and what is no call
    ('"assets/a.js"', 'f(__vite__mapDeps([0x0]),__vite__mapDeps([0e0]),__vite__mapDeps(x),__vite__mapDeps([0].concat(1)),o.__vite__mapDeps([0]),"__vite__mapDeps([0])",[0],__vite__mapDeps([0]))', '"assets/a.js","assets/v.js"', 'f(__vite__mapDeps([0x0]),__vite__mapDeps([0e0]),__vite__mapDeps(x),__vite__mapDeps([0].concat(1)),o.__vite__mapDeps([0]),"__vite__mapDeps([0])",[0],__vite__mapDeps([0,1]))'),
    # Lists of another form
    ('"assets/a.js",b', "f(__vite__mapDeps([0]))", None, None),
    ('"assets/a.js"', "f(__vite__mapDeps([0]);", None, None),
]  # fmt: skip


@pytest.mark.parametrize(("entries", "calls", "entries_after", "calls_after"), LISTS)
def test_lists(entries: str, calls: str, entries_after: str | None, calls_after: str | None) -> None:
    source = (LIST % entries + calls).encode()
    vendors = {"assets/a.js": ["assets/v.js"], "assets/b.js": ["assets/v.js", "assets/w.js"]}
    after = written(source, 0, len(source), sorted(vite.preload(source, lambda entry: vendors.get(entry, []))))
    expected = source if entries_after is None else (LIST % entries_after + str(calls_after)).encode()
    assert after == expected


@pytest.mark.parametrize(
    ("entry", "expected"),
    [
        ("assets/a.js", "assets/v.js"),
        ("a.js", "v.js"),
        ("/a.js", "/v.js"),
        ("./a.js", "./v.js"),
        ("../b/a.js", "../b/v.js"),
    ],
)
def test_entries_beside(entry: str, expected: str) -> None:
    assert vite.beside(entry, "v.js") == expected
