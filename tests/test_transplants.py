"""What is known of a text from the one that it is made of is what an analysis of its own finds."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

import pytest
from test_renaming import PROGRAMS, Author

from v1z3r_build.formats.derivation import Edit, joined, written
from v1z3r_build.formats.renaming import Renamer
from v1z3r_build.formats.scope_analysis import analyse_module, analyse_script
from v1z3r_build.formats.scopes import Goal, Refused
from v1z3r_build.formats.transplants import Composition, composed

if TYPE_CHECKING:
    from v1z3r_build.formats.derivation import Derived
    from v1z3r_build.formats.scopes import Scopes

_KEPT = frozenset("ab")


def outcome(composition: Composition, start: int) -> tuple[bytes, object, object]:
    """The text under canonical names, or that of the function that starts at a place; what they are, and what stays."""
    renamer = Renamer(composition)
    region = composition.frame.function_at(start) if start else None
    made = renamer.renamed(region, renamer.named(_KEPT))
    return made.text, made.names, made.kept


def agrees(text: Derived, goal: Goal, origin: Scopes, start: int = 0) -> int:
    """How many functions and classes were taken over, after a comparison. start: as above."""
    analyse = analyse_module if goal is Goal.MODULE else analyse_script
    try:
        expected = outcome(Composition(text, analyse(text)), start)
    except Refused as refused:
        with pytest.raises(Refused) as raised:
            outcome(composed(text, goal, origin), start)
        assert raised.value.reason is refused.reason, text
        return 0
    composition = composed(text, goal, origin)
    assert outcome(composition, start) == expected, text
    return len(composition.transplants)


# Frames around what moves: text before and behind, and where the function begins that it is put into.
_FRAMES = (
    (b"", b"", 0),
    (b"var a,e;function b(t){return t.name}", b";a=e", 0),
    (b"(function(a,b){'use strict';b.exports={get c(){return t}};", b"})", 1),
    (b"((t,e)=>{var a;a:for(;;){", b"}})", 1),
)


@pytest.mark.parametrize("seed", range(4))
def test_random_statements(seed: int) -> None:
    chance = random.Random(seed)
    author = Author(chance)
    taken = 0
    for _ in range(500):
        statements = [f"{author.statement(3)};".encode() for _ in range(4)]
        source = b"\n".join([chance.choice((b"", b"'use strict';")), *statements])
        try:
            origin = analyse_script(source)
            origin.whole()
        except Refused:
            continue
        places = [(source.index(one), len(one)) for one in statements]
        moved = joined(written(source, at, at + size) for at, size in chance.sample(places, 3))
        for before, behind, start in _FRAMES:
            taken += agrees(joined((before, moved, behind)), Goal.SCRIPT, origin, start)
    assert taken > 200


@pytest.mark.parametrize("program", PROGRAMS)
def test_programs(program: str) -> None:
    is_module = program.startswith("// module")
    source = program.encode()
    origin = (analyse_module if is_module else analyse_script)(source)
    try:
        origin.whole()
    except Refused:
        return
    agrees(written(source, 0, len(source)), origin.goal, origin)


@pytest.mark.parametrize(
    ("source", "before", "behind"),
    [
        # A class that was a declaration is an expression now, and the other way round.
        ("class Named{m(){return Named.name}}", "var Named;Named=", ""),
        ("class A extends B{static{A.x=B}}class B{}", "", ";new A"),
        ("(class Named{m(){return[Named.name,Named]}})", "var Named=", ""),
        # Who is given a name, or written, by what was taken over only.
        ("function f(){x=function(){return x.name}}var x", "", ""),
        ("function f(){x=function(){return g.name}}var g=class{},x", "", ";g.name"),
        ("function f(){y=y||(()=>y.name)}", "var y=function(){};", ""),
        # Names in heads that are not recognised, and that are.
        ("function/*(*/ f /*{*/(a){return a}class /**/ C{m(a){return a}}async  function*g(b){yield b}", "", ""),
        ("var \\u0061=function \\u0061(b){return \\u0061}, é=class é{m(){return é}}", "", ""),
        ("var o={get name(){return 1},set name(v){this.v=v},async*[k](q){for await(const k of q)yield k}},k", "", ""),
        ("var p=(a,b)=>({a,b}),q=async a=>{await a},r=a=>b=>a+b,s=a=>class{x=a}", "", ""),
        ("l:for(;;){var w=function(){l:for(;;){k:for(;;)break l}}}", "l:{", "}"),
        ("var z=function(e){return function(){return t.name+e+u}},t=function(){}", "", ";var u=z"),
    ],
)
def test_what_moves_in_another_form(source: str, before: str, behind: str) -> None:
    text = source.encode()
    origin = analyse_script(text)
    for head, tail, start in _FRAMES:
        made = joined((head, before.encode(), written(text, 0, len(text)), behind.encode(), tail))
        agrees(made, Goal.SCRIPT, origin, start)


def test_what_is_made_of_a_text_that_was_made_is_analysed_anew() -> None:
    source = b"function first(a,b,c){return a+b+c}function other(x,y,z){return x+y+z}"
    between = written(source, 0, len(source), [Edit(0, 35, b"")])
    assert agrees(written(between, 0, len(between)), Goal.SCRIPT, analyse_script(between)) == 0
