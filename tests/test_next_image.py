"""Next.js's Image component is known by the words of its modules, and only where it shows what it is given."""

from __future__ import annotations

import pytest

from v1z3r_build.bundlers import next_image

# The words of its modules, in the shape that webpack and Turbopack give them.
SETTINGS = '{deviceSizes:[640],path:"/_next/image/",loader:"default",dangerouslyAllowSVG:!1,unoptimized:!0}'
COMPONENT = (
    'let p=%s,v=(0,s.forwardRef)((e,t)=>(0,n.jsx)("img",{"data-nimg":"1",src:e.src}));'
    "let w=(0,u.getImgProps)(e,{defaultLoader:g.default,imgConf:p})"
)
EXTERNAL = (
    "function l(e){(0,o.getImgProps)(e,{defaultLoader:s.default,imgConf:%s})}d(t,{getImageProps:l,default:n.Image})"
)
OPTIMIZED = SETTINGS.replace("!0", "!1")


def webpack(**modules: str) -> str:
    listed = ",".join(f"{name[1:]}:function(e,t,i){{{text}}}" for name, text in modules.items())
    return f"(self.webpackChunk_N_E=self.webpackChunk_N_E||[]).push([[675],{{{listed}}}]);"


def turbopack(**modules: str) -> str:
    listed = ",".join(f"{name[1:]},(e,t,r)=>{{{text}}}" for name, text in modules.items())
    return f'(globalThis.TURBOPACK||(globalThis.TURBOPACK=[])).push(["object"==typeof document?document.currentScript:void 0,{listed}]);'


CONFIGURED = COMPONENT % "(0,c.useImageConfig)()"
# Chunks, the component in them, and whether it shows what it gets.
CHUNKS: dict[str, tuple[str, set[tuple[str, str, bool]]]] = {
    "the component": (webpack(m4=COMPONENT % SETTINGS), {("4", "Image", True)}),
    "a loader, or a server that makes images": (webpack(m4=COMPONENT % OPTIMIZED), {("4", "Image", False)}),
    "an app's image joined to it": (
        webpack(m4=COMPONENT % OPTIMIZED + ";jsx(m,{src:a,unoptimized:!0})"),
        {("4", "Image", False)},
    ),
    "settings elsewhere": (webpack(m4=COMPONENT % "p"), set()),
    "next/image": (
        webpack(m4=COMPONENT % SETTINGS, m6=EXTERNAL % SETTINGS, m5="e.exports=i(6)"),
        {("4", "Image", True), ("6", "default", True), ("5", "default", True)},
    ),
    "an alias of something else, and what is more than one": (
        webpack(m6=EXTERNAL % SETTINGS, m5="e.exports=i(7)", m8="e.exports=i(6);a()"),
        {("6", "default", True)},
    ),
    "settings in another module": (
        turbopack(m5500=CONFIGURED, m49381=f'd(r,"useImageConfig",{{}});let a={SETTINGS}'),
        {("5500", "Image", True)},
    ),
    "other settings in another module": (
        turbopack(m5500=CONFIGURED, m49381=f'd(r,"useImageConfig",{{}});let a={OPTIMIZED}', m3=f"let a={SETTINGS}"),
        {("5500", "Image", False)},
    ),
    "an app's own component": (webpack(m4="let imgConf=1;getImgProps(e);jsx('img',{src:e.src})"), set()),
    "no chunk": (COMPONENT % SETTINGS, set()),
    # Searched to its end from each of them, it would take an hour.
    "the same words again and again": ("imgConf" + "getImgProps(" * 100_000, set()),
    "broken": (webpack(m4=COMPONENT % SETTINGS)[:-4], set()),
}


@pytest.mark.parametrize(("script", "expected"), CHUNKS.values(), ids=CHUNKS)
def test_modules_that_are_the_component(script: str, expected: set[tuple[str, str, bool]]) -> None:
    assert {(*one, shows) for one, shows in next_image.exports(script.encode()).items()} == expected
