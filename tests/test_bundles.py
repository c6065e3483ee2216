"""Bundles, which hold runtime, modules and start in one file: run before and after they are split, in every order."""

from __future__ import annotations

import json
import re
import subprocess
from itertools import permutations
from pathlib import Path
from typing import Any

import pytest
from programs import NODE, needs_node

from v1z3r_build.bundlers import vocabulary
from v1z3r_build.passes.split.inspection import inspect


def library(label: str, count: int = 300) -> str:
    """Code that only this vendor could have, which notes that it runs, and counts its calls."""
    vendor = next(one for one in vocabulary.load().vendors if one.label == label)
    words = sorted(word for word in vendor.inner if re.fullmatch("[a-z][A-Za-z]{5,}", word))[: count * 3]
    functions = "".join(
        f"function {label}{number}(a){{return a.{first}+a.{second}({number}).{third}}}"
        for number, (first, second, third) in enumerate(zip(words[::3], words[1::3], words[2::3], strict=False))
    )
    first, second, third = words[:3]
    return (
        f"{functions}var {label}Calls=0;note({{{first}:'{label}'}}.{first}+' runs');"
        f"function {label}(a){{{label}Calls++;{label}0({{{first}:a,{second}:()=>({{{third}:0}})}});return a+{label}Calls}}"
        f"const {label}Made=[{label}1,{label}2].map(one=>one.length);"
    )


def module(label: str) -> str:
    """The body of a factory that gives the library away."""
    return f"n.d(t,{{a:()=>{label},b:()=>{label}Made}});{library(label)}"


REQUIRE = (
    "function n(e){var o=t[e];if(void 0!==o)return o.exports;var i=t[e]={exports:{}};"
    "return m[e].call(i.exports,i,i.exports,n),i.exports}"
    "n.m=m,n.o=(e,t)=>Object.prototype.hasOwnProperty.call(e,t),"
    "n.d=(e,t)=>{for(var r in t)n.o(t,r)&&!n.o(e,r)&&Object.defineProperty(e,r,{enumerable:!0,get:t[r]})}"
)
# As in `test_webpack`: what loads lazy chunks, and takes them from the queue.
LOADING = (
    ',n.f={},n.p="",n.u=e=>"c"+e+".js",n.e=e=>{var t=[];return n.f.j(e,t),Promise.all(t)},'
    'n.l=(e,t)=>{var a=document.createElement("script");a.src=e;a.onerror=a.onload=t;document.head.appendChild(a)},'
    "(()=>{var e={0:0};n.f.j=(t,r)=>{var o=n.o(e,t)?e[t]:void 0;if(0!==o)if(o)r.push(o[2]);else{"
    "var i=new Promise((n,r)=>o=e[t]=[n,r]);r.push(o[2]=i),n.l(n.p+n.u(t),()=>{0!==(o=e[t])&&(e[t]=void 0,o[1](Error(t)))})}};"
    "var r=(t,r)=>{var[a,i]=r,o=0;for(var u in i)n.m[u]=i[u];for(t&&t(r);o<a.length;o++)"
    "e[a[o]]&&e[a[o]][0](),e[a[o]]=0},o=self.q=self.q||[];o.forEach(r.bind(null,0)),o.push=r.bind(null,o.push.bind(o))})()"
)
# Rspack's minifier (SWC) declares all variables first and makes one sequence of the rest.
SEQUENCE = (
    LOADING.replace("(()=>{var e={0:0};", "k={0:0},")
    .replace("n.o(e,t)?e[t]", "n.o(k,t)?k[t]")
    .replace("o=e[t]=[n,r]", "o=k[t]=[n,r]")
    .replace("(o=e[t])&&(e[t]=void 0", "(o=k[t])&&(k[t]=void 0")
    .replace("};var r=(t,r)=>", "},c=(t,r)=>")
    .replace("e[a[o]]&&e[a[o]][0](),e[a[o]]=0}", "k[a[o]]&&k[a[o]][0](),k[a[o]]=0}")
    .replace(",o=self.q=self.q||[];o.forEach(r.", ",(w=self.q=self.q||[]).forEach(c.")
    .replace("o.push=r.bind(null,o.push.bind(o))})()", "w.push=c.bind(null,w.push.bind(w))")
)
ASSIGNED = REQUIRE.replace("n.m=m", f"m={{7:(e,t,n)=>{{{module('three')}}},8:(e,t,n)=>note('app '+n(7).a(1))}},n.m=m")
LAZY = '(self.q=self.q||[]).push([[3],{30(e,t,n){note("lazy "+n(7).a(1))}}]);'
SHOWN = 'note("start"),note(String(three(5)+three(6)));note(threeMade.join());note(String(this===void 0));'

BUNDLES = {
    "modules": f'(()=>{{var m={{7(e,t,n){{{module("three")}}},8(e,t,n){{note("app "+n(7).a(1))}}}},t={{}};{REQUIRE};n(8)}})();',
    "modules of a strict file": f'(()=>{{"use strict";var m={{7:(e,t,n)=>{{{module("three")}}},8:(e,t,n)=>{{note("app "+n(7).a(1))}}}},'
    f"t={{}};{REQUIRE};n(8)}})();",
    "a start in a function": f"(()=>{{var m={{8(e,t){{t.a=9}}}},t={{}};{REQUIRE},(()=>{{'use strict';const app=n(8).a;{library('three')}"
    f"note(String(app));{SHOWN}}})()}})();",
    "a start among the runtime's statements": f'(()=>{{"use strict";var m={{8(e,t){{t.a=9}}}},t={{}};{REQUIRE};const app=n(8).a;{library("three")}'
    f"note(String(app));{SHOWN}}})();",
    "a start in ES5": f"!function(){{var m={{8:function(e,t){{t.a=9}}}},t={{}};{REQUIRE},function(){{'use strict';var app=n(8).a;{library('three')}"
    f"note(String(app));{SHOWN}}}()}}();",
    "a start that loads": f"(()=>{{var m={{7:(e,t,n)=>{{'use strict';{module('three')}}}}},t={{}};{REQUIRE}{LOADING},(()=>{{'use strict';var three=n(7);"
    f"{library('tfjs')}note('start '+three.a(3)+tfjs(4)),n.e(3).then(()=>n(30))}})()}})();",
    # create-react-app: strict factories, lazy chunks through the queue, `X.O` for entries in other scripts.
    "an app of create-react-app's": f"/*! For license information please see main.0123456789abcdef0123.js.LICENSE.txt */\n(()=>{{var m={{"
    f"7:(e,t,n)=>{{'use strict';{module('three')}}},9:(e,t)=>{{'use strict';t.a=4}}}},t={{}};{REQUIRE}{LOADING},"
    f"(()=>{{'use strict';var app=n(9),three=n(7);{library('tfjs')}note('start '+three.a(app.a)+tfjs(4)),"
    f"n.e(3).then(n.bind(n,30))}})()}})();",
    "an app of Rspack's": f"(()=>{{'use strict';var k,c,w,m={{7:(e,t,n)=>{{{module('three')}}}}},t={{}};{REQUIRE}{SEQUENCE},n.ruid='rspack',"
    f"(()=>{{var three=n(7);{library('tfjs')}note('start '+three.a(3)+tfjs(4)),n.e(3).then(()=>n(30))}})()}})();",
    "a table that is assigned": f"(()=>{{'use strict';var m,t={{}};{ASSIGNED},n(8)}})();",
    "several starts": f"(()=>{{var m={{}},t={{}};{REQUIRE}{LOADING},(()=>{{{library('tfjs')}note('one '+tfjs(4))}})(),"
    f"(()=>{{{library('three')}note('two '+three(4)),n.e(4).then(()=>n(40))}})()}})();",
}  # fmt: skip


def opened(*scenarios: dict[str, Any]) -> list[dict[str, list[str]]]:
    assert NODE is not None
    program = str(Path(__file__).with_name("page.js"))
    run = subprocess.run([NODE, program], input=json.dumps(scenarios), capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr
    results: list[dict[str, list[str]]] = json.loads(run.stdout)
    return results


def test_new_files_do_not_tell_of_the_old_one() -> None:
    """The hash of the app in a comment's file name would give them new bytes with each edit of the app."""
    source = BUNDLES["an app of create-react-app's"]
    edited = source.replace("0123456789abcdef0123", "fedcba98765432100123").replace("'start '", "'started '")
    made = [inspect("main.js", ("three", "tfjs"), 1_000, (), text.encode()).answer for text in (source, edited)]
    assert made[0] is not None
    assert made[1] is not None
    assert made[0].vendors == made[1].vendors
    assert made[0].data != made[1].data
    assert all(b"LICENSE.txt" in one.data for one in made[0].vendors.values())


@needs_node
@pytest.mark.parametrize("title", BUNDLES)
def test_bundles_do_what_they_did(title: str) -> None:
    source = BUNDLES[title]
    others = {
        "c3.js": LAZY,
        "c4.js": LAZY.replace("[3]", "[4]").replace("30(", "40(").replace('"lazy "+n(7).a(1)', '"forty"'),
    }
    (before,) = opened({"files": {"m.js": source, **others}, "listed": ["m.js"], "arrivals": ["m.js"]})
    assert before["errors"] == []
    assert any("runs" in note for note in before["notes"])
    answer = inspect("m.js", ("three", "tfjs"), 1_000, (), source.encode()).answer
    assert answer is not None
    assert answer.data is not None, answer.diagnostics
    assert set(answer.vendors) == {label for label in ("three", "tfjs") if f"function {label}0" in source}
    assert len(answer.data) < len(source) / 3
    vendors = {one.path: one.data.decode() for one in answer.vendors.values()}
    files = {"m.js": answer.data.decode(), **vendors, **others}
    scenarios = [
        {"files": files, "listed": list(order), "arrivals": list(order)}
        for listed in ([*vendors, "m.js"], ["m.js"])
        for order in permutations(listed)
    ]
    for scenario, seen in zip(scenarios, opened(*scenarios), strict=True):
        assert (seen["notes"], seen["errors"]) == (before["notes"], []), scenario["arrivals"]
        assert sorted(seen["fetched"]) == sorted([*before["fetched"], *vendors])


@needs_node
@pytest.mark.parametrize("title", ["an app of create-react-app's", "an app of Rspack's"])
def test_chunks_are_received_while_the_start_waits(title: str) -> None:
    """The queue has the runtime's push before: what comes between is not put into a list that nobody reads any more."""
    source = BUNDLES[title]
    (before,) = opened(
        {"files": {"m.js": source, "c3.js": LAZY}, "listed": ["c3.js", "m.js"], "arrivals": ["c3.js", "m.js"]}
    )
    assert (before["errors"], before["fetched"]) == ([], ["c3.js", "m.js"])
    answer = inspect("m.js", ("three", "tfjs"), 1_000, (), source.encode()).answer
    assert answer is not None
    assert answer.data is not None, answer.diagnostics
    vendors = {one.path: one.data.decode() for one in answer.vendors.values()}
    files = {"m.js": answer.data.decode(), **vendors, "c3.js": LAZY}
    arrivals = ["m.js", "c3.js", *vendors]
    (after,) = opened({"files": files, "listed": [*vendors, "m.js", "c3.js"], "arrivals": arrivals})
    assert (after["notes"], after["errors"]) == (before["notes"], [])
    assert after["fetched"] == arrivals
