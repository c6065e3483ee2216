"""What moves out of one script, and when it is worth it."""

from __future__ import annotations

import random
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import pytest
from test_split_pass import library

from v1z3r_build.formats.derivation import joined
from v1z3r_build.passes.split.answer import Answer, VendorFile
from v1z3r_build.passes.split.inspection import inspect
from v1z3r_build.passes.split.worth import worthwhile

if TYPE_CHECKING:
    from collections.abc import Set

APP = 'console.log("bassPulse duskColour openStage");'


def chunk(*modules: str) -> bytes:
    return f"(self.webpackChunkx=self.webpackChunkx||[]).push([[1],{{{','.join(modules)}}}]);".encode()


def taken(source: bytes) -> tuple[str, str]:
    """What moved, and what stays."""
    answer = inspect("a/chunk.js", ("three", "tfjs"), 0, (), source).answer
    assert answer is not None and answer.data is not None, answer
    return "".join(one.data.decode() for one in answer.vendors.values()), answer.data.decode()


OTHER = f"3:function(e,t,n){{{APP}}}"


# Nothing in it speaks of the vendor, nor does it use much of that; and it is tied to another module.
LOOP = "var r=n(7777);for(const one of[three1,three2])r[one.id]=one;"


def test_a_module_moves_whole_where_all_that_it_exports_is_the_vendors() -> None:
    module = f"2:function(e,t,n){{n.d(t,{{a:function(){{return three1}}}});{library('three')}{LOOP}}}"
    moved, rest = taken(chunk(module, OTHER))
    assert "(7777);for(const " in moved
    assert "(7777)" not in rest
    assert APP in rest


@pytest.mark.parametrize(
    "export",
    [
        pytest.param("n.d(t,{a:function(){return three1},b:function(){return page}});", id="the app's as well"),
        pytest.param("n.d(e,{a:function(){return three1}});", id="into another object"),
        pytest.param("", id="nothing"),
    ],
)
def test_an_apps_module_does_not_move_whole(export: str) -> None:
    page = f"function page(){{{APP}}}"
    moved, rest = taken(chunk(f"2:function(e,t,n){{{export}{library('three')}{page}{LOOP}}}", OTHER))
    assert "(7777)" not in moved
    assert "r=n(7777)" in rest
    assert page in rest


def test_links_to_other_modules_go_with_those_who_use_them() -> None:
    own = library("three").replace("{return ", "{b();c();return ", 1)
    module = f"2:function(e,t,n){{var a=n(7),b=n(8),c=n(9);{own}function page(){{{APP}a(three0)}}page(),c()}}"
    moved, rest = taken(chunk(module, OTHER))
    assert "n(8)" in moved
    assert "n(7)" not in moved
    assert "a=n(7)" in rest
    assert "n(8)" not in rest


# Whether it is worth it

NOISE = random.Random(1).randbytes(60_000).hex().encode()


@dataclass
class Drafted:
    """NOISE in parts of equal size, each with so many bytes more."""

    labels: Set[str]
    costs: dict[str, int]
    unsplit: Answer = field(default_factory=lambda: Answer("a.js"))

    def again(self, labels: Set[str]) -> Drafted:
        return replace(self, labels=labels)

    def answer(self) -> Answer:
        size = len(NOISE) // (len(self.costs) + 1)
        vendors = {}
        rest = NOISE[:size]
        for number, (label, cost) in enumerate(self.costs.items(), 1):
            part = NOISE[number * size : (number + 1) * size]
            if label in self.labels:
                vendors[label] = VendorFile(f"{label}.js", joined((part, random.Random(label).randbytes(cost))))
            else:
                rest += part
        return Answer("a.js", joined((rest,)), vendors)


@pytest.mark.parametrize(
    ("costs", "least", "chosen", "said"),
    [
        pytest.param({"three": 50, "tfjs": 50}, 0, {"three", "tfjs"}, 0, id="both are"),
        pytest.param({"three": 50, "tfjs": 2_500}, 0, {"three"}, 1, id="one is"),
        pytest.param({"three": 2_500, "tfjs": 2_500}, 0, set(), 1, id="none is"),
        pytest.param({"three": 1_500}, 0, set(), 1, id="the only one is not"),
        pytest.param({"three": 50, "tfjs": 50}, 1_000_000, set(), 2, id="none is large enough"),
    ],
)
def test_vendors_leave_as_long_as_it_pays(costs: dict[str, int], least: int, chosen: set[str], said: int) -> None:
    draft = Drafted(set(costs), costs)
    answer = worthwhile("a.js", NOISE, draft, draft.again, least)
    assert set(answer.vendors) == chosen
    assert (answer.data is not None) == bool(chosen)
    assert [one.code for one in answer.diagnostics] == ["not-split"] * said
