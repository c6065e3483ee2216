"""Scripts made smaller, and proved to mean the same.

Classic scripts go to turbohtml's minifier, all others lose white space and comments on exact tokens. What
names mean to other scripts stays: top-level names, names of functions, properties. Local names change only
where nothing can see them. Of two readers of every result, tree-sitter and esbuild, neither may object.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from v1z3r_build.diagnostics import Diagnostic, place, warning
from v1z3r_build.formats import script_whitespace
from v1z3r_build.formats.engines import esbuild_printer, external, script_syntax
from v1z3r_build.formats.minified import BOM, NOTHING, Candidate, Minified, blank_share, refused

if TYPE_CHECKING:
    from tree_sitter import Tree
    from turbohtml.clean import JSMinify

    from v1z3r_build.formats.engines.external import Engine, ScriptOptions
    from v1z3r_build.formats.engines.script_syntax import Literal

LARGEST = 8 * 1024 * 1024  # bytes: tree-sitter takes 60 times as much memory
DEEPEST = 1000  # open brackets: parsers recurse
_DENSE = 0.08  # the share of white space under which engines make shipped bundles larger, not smaller

SOURCE_MAP = re.compile(rb"[#@][ \t]*sourceMappingURL=[ \t]*([^\s'\"`]+)")
_SOURCE_URL = re.compile(rb"//[#@][ \t]*sourceURL=[^\r\n]*")
# Who reads the text of functions sees local names: text handed to a worker or to eval.
_READS_SOURCE = re.compile(rb"\b(?:toString|toSource|Function|Blob|eval|execScript)\b|javascript[,;:]")
# Names of parameters are what is asked for: AngularJS's injector; RequireJS and its like, which look for `require("…")`
# in the text of what `define` is given.
_INJECTS = re.compile(
    rb"\b(?:angular|requirejs)\b|\bdefine\s*\(\s*(?:[\"'`][^\"'`]*[\"'`]\s*,\s*)?(?:function\s*\w*\s*)?\(?\s*(?!function)[\w$]+\s*(?:[,)]|=>)"
    rb"|\$\w*(?:[pP]rovide|Provider|inject|[sS]cope|http|timeout|interval|location|compile|state|route|resource)\w*\b"
    rb"|\.(?:controller|factory|directive|service|provider|decorator|component|filter)\s*\(\s*"
    rb"[\"'`][\w.$-]+[\"'`]\s*,\s*(?:function\b|\(|\w+\s*=>)|\.(?:config|run)\s*\(\s*function\b"
)
# A function that is nothing but a comment of several lines: its text is read, for want of template literals.
_HEREDOC = re.compile(rb"\)\s*\{\s*/\*(?:[^*\n]|\*(?!/))*\n(?:[^*]|\*(?!/))*\*/\s*;?\s*\}")
# Roughly, without a parser: a mistake costs time or a gain, nothing else.
_STRINGS = re.compile(rb"\"(?:[^\"\\\n]|\\.)*\"|'(?:[^'\\\n]|\\.)*'|`(?:[^`\\]|\\.)*`", re.S)
_OPENERS, _CLOSERS = b"([{", b")]}"
_BRACKETS_ONLY = bytes(byte for byte in range(256) if byte not in _OPENERS + _CLOSERS)


def minify(data: bytes, options: ScriptOptions, *, module: bool | None = None) -> Minified:
    """The smaller forms of a script that mean the same.

    module: whether the page says so; None where nothing is known, and what comes out must work both ways.
    Left alone: what is dense already, larger than 8 MB, nested deeper than 1,000, holds a NUL or a hashbang.
    """
    body = data.removeprefix(BOM)
    if not body.strip() or body.startswith(b"#!"):
        return NOTHING
    dense = _is_dense(body)
    if dense and not options.engines:
        return NOTHING
    if len(body) > LARGEST:
        return refused(f"is larger than {LARGEST >> 20} MiB")
    if b"\0" in body:
        return refused("holds a NUL character")
    try:
        text = body.decode("utf-8")
    except UnicodeDecodeError as invalid:
        line, column = place(body, invalid.start)
        return Minified(diagnostics=(invalid_encoding(line, column),))
    if _depth(body) > DEEPEST:
        return refused(f"is nested more than {DEEPEST} levels deep")
    return _Script(body, text, module).minified(options, data[: len(data) - len(body)], dense=dense)


def _is_dense(data: bytes) -> bool:
    """Whether code holds little white space; shaders and texts in strings hold much, which no engine may touch."""
    return blank_share(data) < _DENSE or blank_share(_STRINGS.sub(b"", data)) < _DENSE


def invalid_encoding(line: int, column: int) -> Diagnostic:
    """The message for a text file that is no UTF-8."""
    return warning(
        "invalid-encoding",
        "",
        "this is not valid UTF-8; the file is served as it was",
        "save it as UTF-8, which is what browsers are told to expect",
        line,
        column,
    )


def _depth(data: bytes) -> int:
    """How deep brackets are nested at most; those in literals count too, which only errs on the safe side."""
    depth = deepest = 0
    for byte in data.translate(None, _BRACKETS_ONLY):
        if byte in _OPENERS:
            depth += 1
            deepest = max(deepest, depth)
        elif depth:
            depth -= 1
    return deepest


class _Script:
    """One script and what its readers say of it."""

    def __init__(self, data: bytes, text: str, module: bool | None) -> None:
        self.data = data
        self.text = text
        self.tree: Tree = script_syntax.parse(data)
        self.literals: list[Literal] = script_syntax.literals(self.tree)
        self.comments = [data[one.start : one.end] for one in self.literals if one.kind == "comment"]
        self.module = script_syntax.is_module(self.tree) if module is None else module

    def minified(self, options: ScriptOptions, bom: bytes, *, dense: bool) -> Minified:
        error = script_syntax.first_error(self.tree)
        if error is not None:
            return Minified(diagnostics=self._refusal(error))
        if script_syntax.longest_chain(self.tree) > DEEPEST:
            return NOTHING
        if script_syntax.has_jsx(self.tree) or _HEREDOC.search(self.data):
            return NOTHING
        found: list[Candidate] = []
        diagnostics: list[Diagnostic] = []
        if not dense:
            first = self._by_turbohtml() if not self.module and self._accepted_by_esbuild() else None
            first = first or self._by_tokens()
            if first:
                found.append(first)
        for engine in options.engines if options.engines and self._accepted_by_esbuild() else ():
            try:
                found.extend(self._by_engine(engine, options.seconds))
            except external.EngineError as failed:
                diagnostics.append(_engine_failed(engine, str(failed)))
        kept = tuple(Candidate(one.engine, bom + one.data) for one in found if len(one.data) < len(self.data))
        return Minified(kept, tuple(diagnostics))

    def _refusal(self, offset: int) -> tuple[Diagnostic, ...]:
        """tree-sitter objects to some valid scripts: only with a second opinion is it told."""
        if esbuild_printer.available():
            valid = bool(esbuild_printer.printed(self.text))
        else:
            valid = _parsed_by_turbohtml(self.text)
        if valid:
            return ()
        rest = self.data[offset:]
        line, column = place(self.data, len(self.data) - len(rest.lstrip() or rest))
        return (
            warning(
                "script-syntax",
                "",
                "this script does not parse; it is served as it was",
                "a browser will refuse it too: mend it, or remove it",
                line,
                column,
            ),
        )

    def _accepted_by_esbuild(self) -> bool:
        """Early errors, such as a name declared twice, are beyond tree-sitter."""
        return not esbuild_printer.available() or bool(esbuild_printer.printed(self.text))

    def _by_engine(self, engine: Engine, seconds: float) -> list[Candidate]:
        found: list[Candidate] = []
        # terser and SWC are told to keep the names of functions, and were chosen for renaming the rest.
        # What they inline is theirs to answer; esbuild cannot be told, so its result is looked at.
        trusted = engine.name in ("terser", "swc")
        ways = (False,) if _INJECTS.search(self.data) else (True,) if trusted else (False, True)
        for mangle in ways:
            text = external.run(engine, self.text, module=self.module, mangle=mangle, seconds=seconds)
            result = self._with_source_url(text.rstrip("\n").encode())
            if (trusted or self._names_functions_alike(result)) and self._shows_the_same(result):
                found.append(Candidate(engine.name, result))
        return found[-1:]

    def _source_is_read(self) -> bool:
        return bool(_READS_SOURCE.search(self.data) or _INJECTS.search(self.data))

    def _by_turbohtml(self) -> Candidate | None:
        from turbohtml.clean import minify_js

        if script_whitespace.has_html_comments(self.data, self.literals):
            return None  # comments to a classic script, operators to a module: which it is, is not known
        best: Candidate | None = None
        for options in self._turbohtml_options():
            try:
                result = minify_js(self.text, options).encode()
            except ValueError:  # it says what it cannot parse; tokens remain to be tried
                return best
            result = self._with_source_url(result)
            alike = self._shows_the_same(result) and self._names_functions_alike(result)
            if alike and (best is None or len(result) < len(best.data)):
                best = Candidate("turbohtml", result)
        return best

    def _turbohtml_options(self) -> tuple[JSMinify, ...]:
        from turbohtml.clean import JSMinify

        plain = JSMinify(mangle=False, fold=True)
        if self._source_is_read() or script_syntax.functions_in_blocks(self.tree):
            return (plain,)
        return (plain, JSMinify(mangle=True, fold=True))

    def _by_tokens(self) -> Candidate | None:
        result = script_whitespace.strip(self.data, self.literals)
        if result is None or len(result) >= len(self.data):
            return None
        alike = self._printed_alike if esbuild_printer.available() else self._shaped_alike
        return Candidate("tokens", result) if alike(result) else None

    def _shaped_alike(self, result: bytes) -> bool:
        return script_syntax.shape(script_syntax.parse(result)) == script_syntax.shape(self.tree)

    def _printed_alike(self, result: bytes) -> bool:
        """Whether esbuild prints the same of both, comments aside: it prints some, and moves code."""
        before = script_whitespace.without_comments(self.data, self.literals)
        tree = script_syntax.parse(result)
        after = script_whitespace.without_comments(result, script_syntax.literals(tree))
        return not tree.root_node.has_error and _canonical(before) == _canonical(after) != ""

    def _shows_the_same(self, result: bytes) -> bool:
        """Whether a rewritten script parses, and shows others the same names and licences."""
        tree = script_syntax.parse(result)
        if tree.root_node.has_error or b"\0" in result or script_syntax.longest_chain(tree) > DEEPEST:
            return False
        if esbuild_printer.available() and not esbuild_printer.printed(result.decode()):
            return not self._has_statements() and not result.strip()
        if not self.module and script_syntax.global_names(tree) != script_syntax.global_names(self.tree):
            return False
        return all(text in result for text in self._legal_comments())

    def _names_functions_alike(self, result: bytes) -> bool:
        """Whether no function's `name` changes, and none is lost: error reports and registries read it."""
        after = script_syntax.function_names(script_syntax.parse(result))
        return after <= script_syntax.function_names(self.tree)

    def _has_statements(self) -> bool:
        return any(node.type != "comment" for node in self.tree.root_node.children)

    def _legal_comments(self) -> list[bytes]:
        return [text.rstrip() for text in self.comments if script_whitespace.is_legal(text)]

    def _with_source_url(self, result: bytes) -> bytes:
        """Developers' tools read `sourceURL` and `sourceMappingURL`; engines drop them."""
        told = [text.rstrip() for text in self.comments if _SOURCE_URL.match(text) or SOURCE_MAP.search(text)]
        missing = [text for text in told if text not in result]
        return b"\n".join((result, *missing)) if missing else result


def _canonical(code: bytes) -> str:
    """What esbuild prints, without white space: it lays out objects and calls by the line breaks it found."""
    return "".join(esbuild_printer.printed(code.decode()).split())


def _parsed_by_turbohtml(text: str) -> bool:
    from turbohtml.clean import minify_js

    try:
        minify_js(text)
    except ValueError as refused:
        return "module syntax" in str(refused)
    return True


def _engine_failed(engine: Engine, reason: str) -> Diagnostic:
    return warning(
        "engine-failed",
        "",
        f"{engine.name} {engine.version} gave no result: {reason}",
        "the other engines' best result is used; name the file in [minify] skip to leave it alone",
    )
