"""Which strings of a script are nothing but the names of images that elements show."""

from __future__ import annotations

import pytest

from v1z3r_build.formats import constants

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
    "seen by eval": ("(()=>{const a='/a.png';h('img',{src:a});eval(b)})()", False),
    "broken": ("const a='/a.png';h('img',{src:a}", False),
}


@pytest.mark.parametrize(("script", "expected"), SCRIPTS.values(), ids=SCRIPTS)
def test_strings_that_are_only_shown(script: str, expected: bool) -> None:
    place = script.index("/a.png")
    assert constants.shown(script.encode(), [place]) == ({place} if expected else set())
