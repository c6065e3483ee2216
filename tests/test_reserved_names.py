"""Imports and exports under reserved words, which the parser does not take by itself."""

from __future__ import annotations

import pytest

from v1z3r_build.bundlers import esm
from v1z3r_build.formats.engines.script_syntax import located, parse
from v1z3r_build.formats.scopes import Refused

MODULE = b'import{in as a,do as b,default as c}from"./x.js";const d=a+b+c;export{d as if,d as e};export{new as f,var}from"./y.js"'


def test_reserved_words_are_names_of_imports_and_exports() -> None:
    assert parse(MODULE).root_node.has_error
    assert not located(MODULE).root_node.has_error
    module = esm.Module(MODULE)
    assert module.specifiers()["./x.js"] == {"a": "in", "b": "do", "c": "default"}
    assert "if" in module.settled()


def test_their_names_stay_in_what_is_split() -> None:
    source = b'import{in as a,do as b}from"./x.js";function d(){return a+b}var e=2;log(e,d());export{d as if,e as var}'
    module = esm.Module(source)
    split = module.cut(["", "", "three", "", ""]).split("a.js")
    [(_, vendor)] = split.vendors.values()
    assert b"{in as a,do as b}" in split.chunk
    assert b"as if" in split.chunk
    assert b"as var" in split.chunk
    assert b"xx" not in vendor + split.chunk


@pytest.mark.parametrize(
    "text", [b"`import{in as y}from''`", b"'export{in as y}'", b"/import{in as y}/", b"/*import{in as y}*/1"]
)
def test_texts_that_look_like_clauses_are_left(text: bytes) -> None:
    source = b'import{in as a}from"x";const t=' + text + b";t"
    root = located(source).root_node
    assert not root.has_error
    declared = root.named_children[1]
    assert declared.text == source[declared.start_byte : declared.end_byte]


def test_what_is_broken_stays_so() -> None:
    assert located(b'import{in as a}from"x";const{').root_node.has_error
    with pytest.raises(Refused):
        esm.Module(b'import{in}from"x";1')
