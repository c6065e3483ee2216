"""Scope analysis: what names mean, what becomes of them, when they are evaluated, and what is refused.

In the rows a name that ends in _1, _2 … is written without that; two names with the same number must mean the same
binding, and those with _0 must mean none of the text's.
"""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from v1z3r_build.formats.scope_analysis import analyse_module, analyse_script
from v1z3r_build.formats.scopes import (
    Access,
    Binding,
    Form,
    Kind,
    Reason,
    Refused,
    ScopeKind,
    Scopes,
    Timing,
)

_MARKED = re.compile(r"((?:[\w$#]|\\u\w{4})+?)_(\d)\b")


def unmarked(row: str) -> tuple[str, dict[int, str]]:
    """The source of a row, and by the offset of each marked name its number."""
    numbers: dict[int, str] = {}
    source = ""
    end = 0
    for match in _MARKED.finditer(row):
        source += row[end : match.start()]
        numbers[len(source.encode())] = match[2]
        source += match[1]
        end = match.end()
    return source + row[end:], numbers


def analyse(source: str, *, module: bool = False) -> Scopes:
    return (analyse_module if module else analyse_script)(source.encode())


def leader(binding: Binding) -> Binding:
    while binding.namesake is not None:
        binding = binding.namesake
    return binding


def meanings(scopes: Scopes) -> dict[int, Binding | None]:
    """By offset, the binding that each name's place means; of those with one name the outermost."""
    found: dict[int, Binding | None] = {}
    for scope in scopes.scopes:
        for binding in (*scope.bindings.values(), *scope.private.values()):
            for declaration in binding.declarations:
                found[declaration.start] = leader(binding)
    for reference in (*scopes.references, *scopes.private_references):
        found[reference.start] = leader(reference.binding) if reference.binding else None
    return found


def check(row: str, *, module: bool) -> None:
    source, numbers = unmarked(row)
    found = meanings(analyse(source, module=module))
    assert sorted(found) == sorted(numbers)
    groups: dict[Binding | None, str] = {None: "0"}
    for place, number in numbers.items():
        assert groups.setdefault(found[place], number) == number, f"at {place} of {source}"
    assert len(set(groups.values())) == len(groups), groups


ANYWHERE = [
    # Hoisting
    "x_1; var x_1",
    "{ var x_1 = 1 } x_1",
    "for (var i_1 = 0; i_1 < 2; i_1++) { var j_2 } i_1 + j_2",
    "for (var k_1 in o_0) k_1; k_1",
    "for (var k_1 of o_0) k_1; k_1",
    "f_1(); function f_1() {}",
    "function f_1() { { { var x_2 } } return x_2 } x_0",
    "try { var a_1 } finally { var b_2 } a_1 + b_2",
    "switch (x_0) { case 1: var y_1 } y_1",
    "if (x_0) var y_1; else var z_2; y_1 + z_2",
    "while (x_0) var y_1; y_1",
    "do var y_1; while (y_1)",
    "lab: var y_1; y_1",
    # Blocks
    "let x_1; { let x_2; x_2 } x_1",
    "let x_1; { x_2; let x_2 }",
    "const x_1 = 1; { const x_2 = x_2 } x_1",
    "{ let x_1 } x_0",
    "{ class C_1 {} C_1 } C_0",
    "switch (x_0) { case 1: let x_1; default: x_1 } x_0",
    "let x_1; switch (x_1) { case x_2: let x_2 }",
    # Loops
    "for (let i_1 = 0; i_1 < 1; i_1++) { let i_2 = i_2 } i_0",
    "for (let x_1 of x_1) x_1; x_0",
    "for (const {a: x_1, y_2 = x_1} of z_0) { x_1; y_2 }",
    "for (let [x_1] in y_0) x_1",
    "var x_1; for (x_1 of y_0) x_1",
    "var x_1; for (x_1 in y_0);",
    "var x_1, y_2; for ([x_1, y_2 = x_1] of z_0);",
    "var x_1; for ({a: x_1, ...x_1} of z_0);",
    "for (x_0.y of z_0);",
    "for (x_0[y_0] in z_0);",
    "for (;;) { let x_1; x_1; break } x_0",
    # Catch
    "try {} catch (e_1) { e_1 } e_0",
    "try {} catch ({a_1, b: [c_2] = a_1}) { a_1; c_2 } a_0",
    "try {} catch { let e_1; e_1 } e_0",
    "try {} catch (e_1) { { let e_2; e_2 } e_1 }",
    "try {} catch ({a: x_1 = y_0}) { let y_2; x_1 }",
    "try {} catch (e_1) { var e_1 = 1; e_1 } e_1",
    "try {} catch (e_1) { for (var e_1 in o_0); } e_1",
    # Functions
    "function f_1(a_2, b_3 = a_2) { return a_2 + b_3 } a_0",
    "var a_1; function f_2(b_3 = a_1) { var a_4; a_4 }",
    "function f_1(a_2, g_3 = () => a_2) { var a_2; a_2 }",
    "function f_1(a_2, g_3 = () => x_0) { var x_4; x_4 }",
    "function f_1(a_2) { var a_2; a_2 }",
    "function f_1(a_2) { function a_2() {} a_2 }",
    "function f_1(a_2 = 1) { function a_3() {} a_3 }",
    "function f_1({[x_0]: a_2}) { function a_3() {} a_3 }",
    "function f_1({a_2}) { var a_2; a_2 }",
    "function f_1({a: b_2 = 1, ...c_3}, [d_4], ...e_5) { b_2; c_3; d_4; e_5 } a_0",
    "function f_1([x_2, {[x_2]: y_3}]) { var x_2; x_2 + y_3 }",
    "(function f_1() { f_1 }); f_0",
    "(function f_1(f_2) { f_2 })",
    "(function f_1() { var f_2; f_2 })",
    "(function f_1(a_2 = f_1) { let f_3; f_3 })",
    "x_0 = function () { x_0 }",
    "(a_1 => a_1)(a_0)",
    "((a_1, {b_2, c: d_3}, ...e_4) => { a_1; b_2; d_3; e_4; let z_5 }); c_0",
    "(a_1 => b_2 => a_1 + b_2)",
    "async_0(x_0); (async x_1 => await x_1); (async (x_2) => x_2)",
    "function* g_1(x_2) { yield x_2; yield* x_2 }",
    "async function* g_1() { for await (const x_2 of y_0) yield x_2 }",
    "function f_1() { return g_2; function g_2() {} } g_0",
    "function f_1(undefined_2) { return undefined_2 } undefined_0",
    "({ undefined_0 }); (function (undefined_1) { ({ undefined_1 }) })",
    # arguments
    "function f_1() { arguments_2; () => arguments_2 } arguments_0",
    "() => arguments_0",
    "function f_1() { return function () { return arguments_2 } }",
    "function f_1(a_2 = arguments_3) { arguments_3 }",
    "({ m() { return arguments_1 }, get x() { arguments_2 } })",
    # Keys, labels and other words
    "({ a: b_0, c_0, 'd': e_0, [f_0]: g_0, h() {}, get i() {}, async *j() {}, 1: k_0, ...l_0 })",
    "a_0.b.c?.d?.[e_0]?.(f_0)",
    "x: for (;;) { y: break x; }",
    "x_0; x: { break x }",
    "`a${b_0}c${`${d_0}`}`; e_0`f${g_0}`",
    "/x/y.z; 'x'; 1n; this; null; true",
    "new X_0(y_0); new (a_0.b())(c_0)",
    "(function () { new.target })",
    "typeof x_0; void x_0; delete x_0.y; !x_0",
    "a_0 ? b_0 : c_0 ? d_0 : e_0; a_0, b_0",
    "a_0 ? (b_1) => b_1 : c_2 => c_2; b_0",
    "of_0; get_0; set_0; async_0; as_0; from_0",
    "var get_1, set_2, of_3, async_4, as_5, from_6; get_1; set_2; of_3; async_4; as_5; from_6",
    "for (const of_1 of of_1) of_1",
    "let \\u0061_1; a_1",
    "let ä_1, 变量_2; ä_1 + 变量_2",
    "a_0\n++b_0\nc_0",
    "() => {} // x\na_0; () => {} /* /x/ */\n;(a_0)",
    "while (n_0-->0) m_0",
    "x_0 = /[/]\\/x/g.test(y_0) / z_0",
    "function f_1(){}/x/g",
    # Targets
    "var a_1, b_2; [a_1, b_2] = [b_2, a_1]",
    "var a_1, b_2; ({a_1, x: b_2, [a_1]: b_2 = a_1, ...a_1} = b_2)",
    "var a_1; ({a_1 = b_0} = c_0)",
    "[a_0.b, c_0[d_0], [e_0] = f_0, {g: h_0}, ...i_0] = j_0",
    "(a_0) = 1; (a_0)++; a_0 ||= b_0; a_0.b += c_0",
    # Classes
    "class A_1 extends B_0 { m() { A_1 } } A_1",
    "(class A_1 { m() { A_1 } }); A_0",
    "(class { m() { x_0 } })",
    "var A_1; class B_2 extends A_1 { [A_1] = B_2; static [B_2] = A_1 }",
    "class A_1 { x = y_0; static x = y_0; 'z' = y_0; get; set; static; async }",
    "class A_1 { static { var x_2; x_2; let y_3; y_3 } } x_0",
    "class A_1 { static { function f_2() {} f_2 } m() { f_0 } }",
    "class A_1 { #x_2 = 1; get #y_3() {} set #y_3(v_4) {} m(o_5) { return #x_2 in o_5 && o_5.#x_2 + this?.#y_3 } }",
    "class A_1 { #x_2; static B = class { #x_3; m(o_4) { o_4.#x_3 } }; n(o_5) { o_5.#x_2 } }",
    "class A_1 { constructor(x_2) { super(x_2); super.y } }",
    "class A_1 { x = () => A_1; m(y_2 = A_1) { var y_2 } }",
    "let x_1 = class x_2 extends x_2 {}",
    "var x_1; class A_2 { [x_1]() { var x_3; x_3 } }",
    "class A_1 { static x = class { y = A_1 } }",
    "if (a_0) { } else { let a_1; a_1 }",
    "#!/usr/bin/env node\nx_0",
]


@pytest.mark.parametrize("module", [False, True], ids=["script", "module"])
@pytest.mark.parametrize("row", ANYWHERE)
def test_names_mean_what_the_language_says(row: str, module: bool) -> None:
    check(row, module=module)


SCRIPTS = [
    # Annex B.3.2: functions in blocks
    "{ function f_1() {} f_1 } f_1",
    "f_1; { function f_1() {} }",
    "(function () { { function f_1() {} } f_1 }); f_0",
    "(function () { if (x_0) function f_1() {} f_1 })",
    "(function () { if (x_0); else function f_1() {} f_1 })",
    "(function () { switch (x_0) { case 1: function f_1() {} } f_1 })",
    "(function () { 'use strict'; { function f_1() {} f_1 } f_0 })",
    "'use strict'; { function f_1() {} f_1 } f_0",
    "'a'; 'use strict'; { function f_1() {} } f_0",
    "('use strict'); { function f_1() {} } f_1",
    "{ async function f_1() {} f_1 } f_0",
    "{ function* f_1() {} f_1 } f_0",
    "let f_1; { function f_2() {} f_2 } f_1",
    "(function (f_1) { { function f_2() {} f_2 } f_1 })",
    "(function (f_1, g_3 = 1) { { function f_2() {} f_2 } f_1 })",
    "(function () { for (let f_1;;) { { function f_2() {} } f_1 } f_0 })",
    "(function () { try {} catch (f_1) { { function f_2() {} f_2 } f_1 } f_2 })",
    "(function () { try {} catch ({f_1}) { { function f_2() {} f_2 } f_1 } f_0 })",
    "(function () { { function f_1() {} { function f_2() {} f_2 } } f_1 })",
    "(function () { var f_1; { function f_1() {} } })",
    "(function () { function f_1() {} { function f_1() {} } })",
    "class A_1 { m() { { function f_2() {} } f_0 } }",
    "function f_1() {} function f_1() {} var f_1",
    "<!-- y\n y_0",
    "y_0;\n--> x\n z_0",
    "y_0;\n/* a */ --> x\n z_0",
    "#!x y\nz_0",
    "delete x_0",
    "x_0 = 010",
]


@pytest.mark.parametrize("row", SCRIPTS)
def test_names_mean_what_the_language_says_in_scripts(row: str) -> None:
    check(row, module=False)


MODULES = [
    "import a_1, {b_2, c as d_3, default as e_4, 'f g' as h_5} from 'm'; a_1 + b_2 + d_3 + e_4 + h_5; c_0",
    "import * as n_1 from 'm'; n_1.x",
    "import a_1, * as n_2 from 'm'; a_1; n_2",
    "import 'm'; import {} from 'm'; import m_1 from 'm' with {type: 'json'}",
    "let a_1; export {a_1 as b, a_1, a_1 as default, a_1 as 'x y'}",
    "export {a as b} from 'm'; export * from 'm'; export * as n from 'm'; export {default} from 'm'",
    "export default function f_1() { f_1 } f_1",
    "export default class C_1 {} C_1",
    "export default function () {}",
    "export default (a_0)",
    "export const a_1 = 1, {b_2, c: d_3} = a_1; export function e_4() {} export class F_5 {} b_2; d_3; e_4; F_5",
    "export async function f_1() {} export function* g_2() {}",
    "import.meta.url; import('x').then(a_0)",
    "{ function f_1() {} f_1 } f_0",
    "await x_0; await (x_0); for await (const y_1 of z_0) y_1",
    "await (async () => { x_0 })()",
    "using x_1 = y_0; await using z_2 = y_0; x_1 + z_2",
    "{ using x_1 = y_0; x_1 } x_0",
    "for (using x_1 of y_0) x_1",
    "@d_0 class A_1 { @e_0.f m() {} @g_0() h = 1; static i }",
]


@pytest.mark.parametrize("row", MODULES)
def test_names_mean_what_the_language_says_in_modules(row: str) -> None:
    check(row, module=True)


REFUSED = [
    ("x = ", Reason.SYNTAX),
    ("\\u{110000}", Reason.SYNTAX),
    ("\\ud800", Reason.SYNTAX),
    ("function f() {", Reason.SYNTAX),
    ("(]", Reason.SYNTAX),
    ("<a>b</a>", Reason.UNKNOWN_SYNTAX),
    ("x = <a/>", Reason.UNKNOWN_SYNTAX),
    ("let x; let x", Reason.REDECLARED),
    ("let x; var x", Reason.REDECLARED),
    ("var x; let x", Reason.REDECLARED),
    ("const x = 1; function x() {}", Reason.REDECLARED),
    ("class x {} function x() {}", Reason.REDECLARED),
    ("let x; { var x }", Reason.REDECLARED),
    ("{ let x; { var x } }", Reason.REDECLARED),
    ("for (let x;;) { var x }", Reason.REDECLARED),
    ("{ function f() {} var f }", Reason.REDECLARED),
    ("{ async function f() {} let f }", Reason.REDECLARED),
    ("function f(a) { let a }", Reason.REDECLARED),
    ("function f(a = 1) { let a }", Reason.REDECLARED),
    ("try {} catch (e) { let e }", Reason.REDECLARED),
    ("try {} catch ({e}) { var e }", Reason.REDECLARED),
    ("try {} catch ([e, e]) {}", Reason.REDECLARED),
    ("'use strict'; { function f() {} function f() {} }", Reason.REDECLARED),
    ("l: function f() {}", Reason.LABELLED_FUNCTION),
    ("var yield = 1", Reason.AMBIGUOUS),
    ("yield", Reason.AMBIGUOUS),
    ("var let = 1", Reason.AMBIGUOUS),
    ("let\nx", Reason.AMBIGUOUS),
    ("var await = 1", Reason.AMBIGUOUS),
    ("await (x)", Reason.AMBIGUOUS),
    ("x\n<!-- y", Reason.AMBIGUOUS),
    ("x <!--y", Reason.AMBIGUOUS),
    ("x/*\n*/-->y", Reason.AMBIGUOUS),
    ("x = () => {}\n(y)", Reason.AMBIGUOUS),
    ("x = () => {} // y\n/z/g", Reason.AMBIGUOUS),
    ("x = () => {}\n[y]", Reason.AMBIGUOUS),
    ("(function () { { function arguments() {} } })", Reason.AMBIGUOUS),
    ("export\nclass A {}", Reason.AMBIGUOUS),
    ("class A { static\nx = 1 }", Reason.AMBIGUOUS),
    ("class A { get\nx() {} }", Reason.AMBIGUOUS),
    ("class A { async\r*m() {} }", Reason.AMBIGUOUS),
    ("async\rx => x", Reason.AMBIGUOUS),
    ("x/*\n*/++\ny", Reason.AMBIGUOUS),
    ("import 'm'", Reason.SYNTAX),
    ("export {}", Reason.SYNTAX),
    ("import.meta", Reason.SYNTAX),
    ("class A { x = arguments }", Reason.SYNTAX),
    ("x.#y", Reason.SYNTAX),
    ("x = '\0'", Reason.NOT_TEXT),
]


@pytest.mark.parametrize(("source", "reason"), REFUSED)
def test_what_cannot_be_known_is_refused(source: str, reason: Reason) -> None:
    with pytest.raises(Refused) as refused:
        analyse(source)
    assert refused.value.reason is reason
    assert 0 <= refused.value.offset <= len(source)


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        ("import a from 'm'; let a", Reason.REDECLARED),
        ("function f() {} function f() {}", Reason.REDECLARED),
        ("var f; function f() {}", Reason.REDECLARED),
        ("<!-- x", Reason.AMBIGUOUS),
        ("import {a, a} from 'm'", Reason.REDECLARED),
        ("let x; export {'x' as y}", Reason.SYNTAX),
    ],
)
def test_what_cannot_be_known_of_a_module_is_refused(source: str, reason: Reason) -> None:
    with pytest.raises(Refused) as refused:
        analyse(source, module=True)
    assert refused.value.reason is reason


def test_text_that_is_not_utf8_is_refused() -> None:
    with pytest.raises(Refused) as refused:
        analyse_script(b"x = '\xff'")
    assert (refused.value.reason, refused.value.offset) == (Reason.NOT_TEXT, 5)


# The hazard's reason, and which of the functions a, b (inside a), c are refused; the program always is.
HAZARDS = [
    ("function a() { eval(x); function b() {} } function c() {}", Reason.EVAL, "ab"),
    ("function a() { function b() { eval(x) } } function c() {}", Reason.EVAL, "ab"),
    ("function a() { { (eval)(x) } function b() {} } function c() {}", Reason.EVAL, "ab"),
    ("function a() { function b() {} } function c() { () => \\u0065val(1) }", Reason.EVAL, "c"),
    ("function a() { function b() { with (x) y } } function c() {}", Reason.WITH, "ab"),
    ("function a() { with (x) { (function b() {}) } } function c() {}", Reason.WITH, "ab"),
    ("function a() { function b(x, x) {} } function c() {}", Reason.REDECLARED_PARAMETER, "ab"),
    ("function a(x, {y: x}) { function b() {} } function c() {}", Reason.REDECLARED_PARAMETER, "a"),
    (
        "function a() { function b() { { function f() {} function f() {} } } } function c() {}",
        Reason.REDECLARED_BLOCK_FUNCTION,
        "ab",
    ),
]


@pytest.mark.parametrize(("source", "reason", "reached"), HAZARDS)
def test_hazards_refuse_the_regions_that_they_reach(source: str, reason: Reason, reached: str) -> None:
    scopes = analyse(source)
    with pytest.raises(Refused) as refused:
        scopes.whole()
    assert refused.value.reason is reason
    for name in "abc":
        function = scopes.function_at(source.index(f"function {name}("))
        assert function is not None
        if name in reached:
            with pytest.raises(Refused):
                scopes.region(function)
        else:
            assert scopes.region(function).scope is function


@pytest.mark.parametrize(
    "source", ["(0, eval)(x)", "eval?.(x)", "eval`x`", "x.eval(y)", "f(eval)", "({ eval() {} }).eval()"]
)
def test_what_only_looks_like_direct_eval_is_none(source: str) -> None:
    assert analyse(source).whole()


# What each x does: it is read, written, updated, exported.
@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("x", "r"), ("x = x", "wr"), ("x += 1", "u"), ("x ||= 1", "u"), ("x++; --x", "uu"), ("(x) = 1; (x)++", "wu"),
        ("[x, y = x] = z", "wr"), ("({x} = y)", "w"), ("({x: y} = z)", ""), ("({y: x = x} = z)", "wr"), ("({...x} = y)", "w"),
        ("({x = 1} = y)", "w"), ("for (x of x);", "wr"), ("for (x in y);", "w"), ("for ([x] of y);", "w"), ("for (x.y of z);", "r"),
        ("x.y = 1", "r"), ("x[x] += 1", "rr"), ("x.y++", "r"), ("[x.y] = z", "r"), ("delete x", "u"), ("delete x.y", "r"),
        ("typeof x", "r"), ("({x})", "r"), ("x()", "r"), ("x`x`", "r"), ("((x) = 1)", "w"), ("[[x]] = y", "w"),
        ("var x = 1", ""), ("try {} catch (x) { var x = 1 }", "w"), ("try {} catch (x) { var x }", ""),
        ("try {} catch (x) { for (var x in y); }", "w"),
    ],
)  # fmt: skip
def test_reads_and_writes(source: str, expected: str) -> None:
    letters = {Access.READ: "r", Access.WRITE: "w", Access.UPDATE: "u", Access.EXPORT: "e"}
    found = "".join(letters[reference.access] for reference in analyse(source).references if reference.name == "x")
    assert found == expected


@pytest.mark.parametrize(
    ("source", "form"),
    [
        ("({x})", Form.PROPERTY), ("({x: x})", Form.PLAIN), ("({x} = y)", Form.PATTERN), ("({x = 1} = y)", Form.PATTERN),
        ("[x] = y", Form.PLAIN), ("({y: x} = z)", Form.PLAIN), ("({...x} = z)", Form.PLAIN), ("({y: {x}} = z)", Form.PATTERN),
        ("export {x}; let y", Form.EXPORT), ("export {x as z}; let y", Form.PLAIN), ("export default x", Form.PLAIN),
    ],
)  # fmt: skip
def test_forms_of_references(source: str, form: Form) -> None:
    scopes = analyse(source, module=True)
    assert [reference.form for reference in scopes.references if reference.name == "x"] == [form]


@pytest.mark.parametrize(
    ("source", "kind", "form", "writes"),
    [
        ("var x", Kind.VAR, Form.PLAIN, False),
        ("var x = 1", Kind.VAR, Form.PLAIN, True),
        ("let x", Kind.LET, Form.PLAIN, True),
        ("const {x} = y", Kind.CONST, Form.PATTERN, True),
        ("var {x = 1} = y", Kind.VAR, Form.PATTERN, True),
        ("const {y: [x]} = y", Kind.CONST, Form.PLAIN, True),
        ("for (var x of y);", Kind.VAR, Form.PLAIN, True),
        ("using x = y", Kind.USING, Form.PLAIN, True),
        ("import {x} from 'm'", Kind.IMPORT, Form.IMPORT, True),
        ("import {y as x} from 'm'", Kind.IMPORT, Form.PLAIN, True),
        ("import x from 'm'", Kind.IMPORT, Form.PLAIN, True),
        ("function x() {}", Kind.FUNCTION, Form.PLAIN, False),
        ("(function x() {})", Kind.FUNCTION_NAME, Form.PLAIN, True),
        ("(class x {})", Kind.CLASS_NAME, Form.PLAIN, True),
        ("(x => 1)", Kind.PARAMETER, Form.PLAIN, True),
        ("(({x}) => 1)", Kind.PARAMETER, Form.PATTERN, True),
        ("(({x = 1}) => 1)", Kind.PARAMETER, Form.PATTERN, True),
        ("try {} catch (x) {}", Kind.CATCH, Form.PLAIN, True),
        ("try {} catch ({x}) {}", Kind.CATCH_PATTERN, Form.PATTERN, True),
    ],
)
def test_declarations(source: str, kind: Kind, form: Form, writes: bool) -> None:
    bindings = [scope.bindings["x"] for scope in analyse(source, module=True).scopes if "x" in scope.bindings]
    assert len(bindings) == 1
    declaration = bindings[0].declarations[0]
    assert bindings[0].kind is kind
    assert (declaration.kind, declaration.form, declaration.writes) == (kind, form, writes)
    assert source[declaration.start : declaration.end] == "x"


def test_a_class_has_two_bindings_of_one_name() -> None:
    scopes = analyse("class A { m() { A } } A = 1")
    inner, outer = (reference.binding for reference in scopes.references)
    assert inner is not None and outer is not None
    assert (inner.kind, outer.kind, inner.namesake) == (Kind.CLASS_NAME, Kind.CLASS, outer)


def test_a_function_in_a_block_has_two_bindings_of_one_name() -> None:
    scopes = analyse("(function () { { function f() {} f = 1 } f })")
    inner, outer = (reference.binding for reference in scopes.references)
    assert inner is not None and outer is not None
    assert (inner.kind, outer.kind, inner.namesake, inner.unhoisted) == (Kind.FUNCTION, Kind.VAR, outer, False)


def test_a_function_in_a_block_that_does_not_hoist_is_marked() -> None:
    scopes = analyse("(function (f) { { function f() {} } })")
    (inner,) = (scope.bindings["f"] for scope in scopes.scopes if scope.kind is ScopeKind.BLOCK)
    assert inner.unhoisted and inner.namesake is None


@pytest.mark.parametrize(
    ("source", "expected"),
    [("var x, y; function x() {}", "FUNCTION"), ("function x() {} var x", "FUNCTION"), ("var x; var x", "VAR")],
)
def test_the_strongest_declaration_counts(source: str, expected: str) -> None:
    binding = analyse(source).root.bindings["x"]
    assert binding.kind.name == expected
    assert len(binding.declarations) == 2


# When x runs, seen from the program.
TIMES = [
    ("x", "e"), ("if (a) { for (;;) x }", "e"), ("function f() { x }", "d"), ("() => x", "d"), ("function f(a = x) {}", "d"),
    ("(function () { x })()", "e"), ("(() => x)()", "e"), ("(() => { x })?.()", "e"), ("!function () { x }()", "e"),
    ("(function () { x }())", "e"), ("(0, function () { x })()", "e"), ("(function (a = x) {})()", "e"),
    ("(() => { () => x })()", "d"), ("(() => { (() => x)() })()", "e"), ("f(() => x)", "d"), ("f(function () { x })", "d"),
    ("(async () => x)()", "b"), ("(async (a = x) => { y })()", "e"), ("(async (a = 1) => { x })()", "b"),
    ("(function* () { x })()", "d"), ("(function* (a = x) {})()", "e"), ("(function* (a = 1) { x })()", "d"),
    ("(function f() { x })()", "e"), ("(function f() { x; f })()", "b"), ("(function f() { x; () => f })()", "b"),
    ("(function () { x; arguments })()", "b"), ("(function () { 'use strict'; x; arguments })()", "e"),
    ("(function () { x }).call(this)", "b"), ("(function () { x }).bind(this)()", "b"), ("new (function () { x })", "b"),
    ("new function () { x }", "b"), ("(f = function () { x })()", "d"),
    ("class A extends x {}", "e"), ("class A { [x]() {} }", "e"), ("class A { [x] = 1 }", "e"), ("class A { static y = x }", "e"),
    ("class A { static { x } }", "e"), ("class A { y = x }", "d"), ("class A { m() { x } }", "d"), ("class A { static m() { x } }", "d"),
    ("class A { constructor() { x } }", "d"), ("class A { static y = () => x }", "d"), ("class A { static { () => x } }", "d"),
    ("new class { y = x }", "b"), ("new class { constructor() { x } }", "b"), ("new class { m() { x } }", "d"), ("new class { static constructor() { x } }", "d"),
    ("function f() { class A { static y = x } }", "d"), ("({ m() { x } })", "d"), ("({ [x]() {} })", "e"), ("({ get y() { x } })", "d"),
    ("`${x}`", "e"), ("function f() { (() => x)() }", "d"), ("(async () => { (() => x)() })()", "b"),
    ("@x class A {}", "e"), ("class A { @x m() {} }", "e"),
]  # fmt: skip


@pytest.mark.parametrize(("source", "expected"), TIMES)
def test_when_references_are_evaluated(source: str, expected: str) -> None:
    region = analyse(source).whole()
    names = {Timing.EAGER: "e", Timing.DEFERRED: "d", Timing.BOTH: "b"}
    assert [names[region.timing(reference)] for reference in region.references if reference.name == "x"] == [expected]


def test_await_of_a_call_in_parentheses_runs_at_once() -> None:
    region = analyse("await (async () => { x })()", module=True).whole()
    assert [region.timing(reference) for reference in region.references] == [Timing.BOTH]


@pytest.mark.parametrize(
    "source",
    [
        "push({1: function (e, t) { a; (() => a)(); () => b }})",
        "push({1(e, t) { a; (() => a)(); () => b }})",
        "push({1: (e, t) => { a; (() => a)(); () => b }})",
        "push({1: function f(e, t) { a; (() => a)(); () => b }})",
        "push({1: (e, t = 1) => { a; (() => a)(); () => b }})",
        "(function () { a; (() => a)(); () => b })()",
        "(async () => { a; (() => a)(); () => b })()",
    ],
)
def test_a_function_is_a_region_of_its_own(source: str) -> None:
    scopes = analyse(source)
    start = (
        source.index("(e")
        if "1(" in source
        else min(i for i in (source.find("function"), source.find("(e"), source.find("async")) if i >= 0)
    )
    function = scopes.function_at(start)
    assert function is not None
    region = scopes.region(function)
    found = [(reference.name, region.timing(reference)) for reference in region.references]
    assert found == [("a", Timing.EAGER), ("a", Timing.EAGER), ("b", Timing.DEFERRED)]


def test_function_at_finds_functions_only() -> None:
    scopes = analyse("{ x } class A { m() {} }")
    assert scopes.function_at(0) is None
    assert scopes.function_at(5000) is None
    assert scopes.function_at(17) is not None


@pytest.mark.parametrize(
    ("source", "named"),
    [
        ("function f() {}", "f"), ("class C {}", "C"), ("var a = function () {}", "a"), ("var a = () => {}", "a"), ("var a = class {}", "a"),
        ("let a; a = (() => {})", "a"), ("let a; a ??= () => {}", "a"), ("let a; a += () => {}", ""), ("var [a = () => {}] = b", "a"),
        ("var {a = () => {}} = b", "a"), ("let a; ({a = () => {}} = b)", "a"), ("let a; [a = () => {}] = b", "a"), ("var a = function b() {}", "b"),
        ("var a = 1, b = x", ""), ("(a = () => {}) => 1", "a"), ("var a = { b() {} }", ""), ("(class b {})", "b"), ("let a; (a) = () => {}", "a"),
        ("{ function f() {} }", "ff"), ("var a = class b {}", "b"), ("var a = f(() => {})", ""),
    ],
)  # fmt: skip
def test_bindings_that_name_functions(source: str, named: str) -> None:
    scopes = analyse(source)
    found = [binding.name for scope in scopes.scopes for binding in scope.bindings.values() if binding.gives_name]
    assert "".join(found).replace("CC", "C") == named


def test_labels() -> None:
    labels = analyse("a: for (;;) { b: { break a; continue a } } x = { a: 1 }").labels
    assert [(label.name, label.start, label.until) for label in labels] == [
        ("a", 0, 42),
        ("b", 14, 40),
        ("a", 25, 0),
        ("a", 37, 0),
    ]


def test_declared_exports_are_marked() -> None:
    scopes = analyse("export let a, {b} = c; let d; export {d}; export default function e() {}", module=True)
    assert {name for name, binding in scopes.root.bindings.items() if binding.exported} == {"a", "b"}


@pytest.mark.parametrize(
    "source",
    [
        "(" * 5000 + "x" + ")" * 5000,
        "{" * 5000 + "x" + "}" * 5000,
        "(() => " * 3000 + "x" + ")()" * 3000,
        "x" + " + x" * 20000,
        "[" * 3000 + "x" + "]" * 3000 + "=y",
    ],
    ids=["parentheses", "blocks", "arrows", "chain", "patterns"],
)
def test_deep_nesting_is_no_problem(source: str) -> None:
    assert any(reference.name == "x" for reference in analyse(source).references)


def test_scopes_come_parents_first_and_without_gaps() -> None:
    source = "@d(() => 1) class A { [(() => 2)()] = () => 3; [(() => 4)()](a = () => 5) { () => 6 } } try {} catch ({a = () => 7}) { () => 8 }"
    scopes = analyse(source).scopes
    for scope in scopes:
        inside = {other for other in scopes if scope in other.outward()}
        assert inside == {other for other in scopes if scope.encloses(other)}
        assert [other.start for other in scopes] == sorted(other.start for other in scopes)


_TOKENS = [
    "a",
    "b",
    "await",
    "async",
    "yield",
    "let",
    "of",
    "get",
    "static",
    "eval",
    "arguments",
    "var",
    "const",
    "using",
    "class",
    "extends",
    "function",
    "=>",
    "(",
    ")",
    "{",
    "}",
    "[",
    "]",
    ",",
    ";",
    ":",
    "?",
    ".",
    "?.",
    "...",
    "=",
    "+=",
    "||=",
    "++",
    "--",
    "<",
    ">",
    "<!--",
    "-->",
    "/",
    "*",
    "+",
    "!",
    "in",
    "instanceof",
    "new",
    "delete",
    "typeof",
    "this",
    "super",
    "null",
    "1",
    "'x'",
    "`y`",
    "${",
    "#a",
    "@",
    "if",
    "else",
    "for",
    "while",
    "do",
    "switch",
    "case",
    "default",
    "try",
    "catch",
    "finally",
    "return",
    "break",
    "continue",
    "throw",
    "with",
    "import",
    "export",
    "from",
    "as",
    "import.meta",
    "new.target",
    "\\u0061",
    "ü",
]


@given(st.lists(st.sampled_from([*_TOKENS, "\n"]), max_size=12), st.booleans())
def test_any_text_is_analysed_or_refused(tokens: list[str], module: bool) -> None:
    source = " ".join(tokens)
    try:
        scopes = analyse(source, module=module)
    except Refused as refused:
        assert 0 <= refused.offset <= len(source.encode())
        return
    for reference in scopes.references:
        assert reference.binding is None or reference in reference.binding.references
