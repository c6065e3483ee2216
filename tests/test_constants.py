"""Which strings of a script are nothing but the names of images that elements show."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from v1z3r_build.bundlers import constants
from v1z3r_build.formats.reading import read_spans
from v1z3r_build.site.span import Hit

if TYPE_CHECKING:
    from v1z3r_build.site.span import Reading

# A script, and whether it only shows the image /a.png.
SCRIPTS: dict[str, tuple[str, bool]] = {
    "shown": ("import'x';const a='/a.png';export const C=()=>(0,r.jsx)('img',{src:a,alt:''})", True),
    "shown twice, in templates": ("import'x';var a=`/a.png`;h(`img`,{src:a});h(`video`,{poster:a})", True),
    "in a function": ("(()=>{var a='/a.png';h('img',{src:a})})()", True),
    "another variable of its name": ("import'x';var a='/a.png';h('img',{src:a});(a=>load(a))(1)", True),
    "never used": ("import'x';var a='/a.png'", True),
    "in a set": ("import'x';var a='/a.png';h('img',{srcSet:`${a} 1x, ${b} 2x`,src:a})", True),
    "a module's address": ("import'x';const a=new URL('/a.png',import.meta.url).href;h('img',{src:a})", True),
    "a module's address, as Vite writes it": (
        "import'x';const a=''+new URL('/a.png',import.meta.url).href;h('img',{src:a})",
        True,
    ),
    "in another template": ("import'x';var a='/a.png';h('img',{alt:`${a}`})", False),
    "in a template that is no set": ("import'x';var a='/a.png';h('img',{src:`${a}?x`})", False),
    "an address that is loaded": ("import'x';const a=new URL('/a.png',import.meta.url).href;load(a)", False),
    "another address": ("import'x';const a=new URL('/a.png',b).href;h('img',{src:a})", False),
    "the address itself": ("import'x';const a=new URL('/a.png',import.meta.url);h('img',{src:a})", False),
    "loaded": ("import'x';var a='/a.png';h('img',{src:a});load(a)", False),
    "after an empty base": ("import'x';const a=''+new URL(`/a.png`,``+import.meta.url).href;h('img',{src:a})", True),
    "joined": ("import'x';let a=''.concat('','/a.png');h('img',{src:a})", True),
    "in a set that is joined": (
        "import'x';let a='/a.png';h('img',{src:a,srcSet:''.concat(a,' 1x, ').concat(a,' 2x')})",
        True,
    ),
    "in a set without spaces": ("import'x';var a='/a.png';h('img',{srcSet:`${b} 1x,${a}, ${c} 3x`})", True),
    "behind another part in a set": ("import'x';var a='/a.png';h('img',{srcSet:`${b}${a} 1x`})", False),
    "before another part in a set": ("import'x';var a='/a.png';h('img',{srcSet:`${a}.webp 1x`})", False),
    "in an address of a set": ("import'x';var a='/a.png';h('img',{srcSet:'/x?url='.concat(a,' 1x')})", False),
    "behind another part in a joined set": ("import'x';var a='/a.png';h('img',{srcSet:''.concat(b,a,' 1x')})", False),
    "in a part of a joined set": ("import'x';var a='/a.png';h('img',{srcSet:''.concat(''.concat(b,a),' 1x')})", False),
    "with a comma in an address of a set": ("import'x';var a='/a.png';h('img',{srcSet:`/b.png,${a} 1x`})", False),
    "joined with something else": ("import'x';let a=''.concat(b,'/a.png');h('img',{src:a})", False),
    "joined to another name": ("import'x';let a='/a.png';h('img',{src:''.concat(a,'.webp')})", False),
    "the first of two parts": ("import'x';let a='/a.png'.concat('?x');h('img',{src:a})", False),
    "a set of images": ("import'x';let a='/a.png 1x';h('img',{srcSet:a})", False),
    "another member": ("import'x';var a='/a.png';h('img',{alt:a})", False),
    "another element": ("import'x';var a='/a.png';h('model',{src:a})", False),
    "a component": ("import'x';var a='/a.png';h(Image,{src:a})", False),
    "exported": ("import'x';export const a='/a.png';h('img',{src:a})", False),
    "exported by a clause": ("import'x';const a='/a.png';h('img',{src:a});export{a as b}", False),
    "assigned": ("import'x';let a='/a.png';a=b;h('img',{src:a})", False),
    "declared twice": ("(()=>{var a='/a.png';var a=b;h('img',{src:a})})()", False),
    "a part of a name": ("import'x';const a='/a.png'+b;h('img',{src:a})", False),
    "a global variable": ("var a='/a.png';h('img',{src:a});with(b){}", False),
    "a global variable of a script": ("var a='/a.png';h('img',{src:a});var yield_;delete x", False),
    "what is caught": ("(()=>{try{b()}catch(a){var a='/a.png';load(a)}h('img',{src:a})})()", False),
    "seen by eval": ("(()=>{const a='/a.png';h('img',{src:a});eval(b)})()", False),
    "broken": ("const a='/a.png';h('img',{src:a}", False),
}


@pytest.mark.parametrize(("script", "expected"), SCRIPTS.values(), ids=SCRIPTS)
def test_strings_that_are_only_shown(script: str, expected: bool) -> None:
    data = script.encode()
    place = data.index(b"a.png")
    reading = _read(data, place, frozenset())
    (mention,) = reading.mentions
    assert (mention.element == "img") == expected
    assert [url.role for url in reading.urls if url.text == "/a.png" and url.role != "module-url"] == (
        [] if not expected else ["module-image" if "new URL" in script else "element"]
    )


NEXT = frozenset({("5675", "default"), ("4080", "Image")})
FACTORY = "(self.webpackChunk_N_E=self.webpackChunk_N_E||[]).push([[1],{{902:function(e,t,n){{{}}}}}]);"
# A module of webpack's or Turbopack's, and whether it only shows the image /a.png by Next.js's component.
MODULES: dict[str, tuple[str, bool]] = {
    "the default": ("var s=n(5675),r=n.n(s);(0,i.jsx)(r(),{src:'/a.png'})", True),
    "the default, of a constant": ("var s=n(5675),r=n.n(s),a='/a.png';(0,i.jsx)(r(),{src:a})", True),
    "a member": ("let s=n(4080);(0,i.jsx)(s.Image,{src:'/a.png'})", True),
    "Turbopack's": ("let s=n.i(5675);(0,i.jsx)(s.default,{src:'/a.png'})", True),
    "both an element and it": ("var s=n(5675),r=n.n(s),a='/a.png';i.jsx(r(),{src:a});i.jsx('img',{src:a})", True),
    "another module": ("var s=n(5676),r=n.n(s);(0,i.jsx)(r(),{src:'/a.png'})", False),
    "another export": ("let s=n(4080);(0,i.jsx)(s.Other,{src:'/a.png'})", False),
    "another member of it": ("var s=n(5675),r=n.n(s);(0,i.jsx)(r(),{blurDataURL:'/a.png'})", False),
    "another function": ("var s=m(5675),r=n.n(s);(0,i.jsx)(r(),{src:'/a.png'})", False),
    "another function of that name": ("var s=n(5675),r=n.n(s);(n=>(0,i.jsx)(r(),{src:'/a.png'}))(1)", True),
    "another variable of that name": ("var s=n(5675),r=n.n(s);(r=>(0,i.jsx)(r(),{src:'/a.png'}))(b)", False),
    "another getter": ("var s=n(5675),r=n.x(s);(0,i.jsx)(r(),{src:'/a.png'})", False),
    "written to": ("var s=n(5675),r=n.n(s);r=b;(0,i.jsx)(r(),{src:'/a.png'})", False),
    "required anew": ("var s=n(5675),r=n.n(s);n=b;(0,i.jsx)(r(),{src:'/a.png'})", False),
    "called with something": ("var s=n(5675),r=n.n(s);(0,i.jsx)(r(1),{src:'/a.png'})", False),
    "not its attributes": ("var s=n(5675),r=n.n(s);(0,i.jsx)(r(),b,{src:'/a.png'})", False),
    "an option": ("var s=n(5675),r=n.n(s);(0,i.jsx)(r(),{style:{src:'/a.png'}})", False),
}


@pytest.mark.parametrize(("module", "expected"), MODULES.values(), ids=MODULES)
def test_images_of_components(module: str, expected: bool) -> None:
    data = FACTORY.format(module).encode()
    place = data.index(b"a.png")
    assert [url.text for url in _read(data, place, NEXT).urls] == (["/a.png"] if expected else [])
    assert _read(data, place, frozenset()).urls == ()


def _read(data: bytes, place: int, components: frozenset[tuple[str, str]]) -> Reading:
    return constants.with_shown(read_spans("a.js", "script", data, [Hit(place, place + 5, 0)]), data, components)
