"""How well vendors are recognised without source maps, measured against source maps: `recognition.py FOLDER …`.

    python benchmarks/recognition.py FOLDER … [--table FILE] [--words FILE] [--misses N]

Each folder holds an export whose scripts have their source maps beside them. Its scripts are cut into modules and
top-level statements by a simple cutter of this file; the maps say whose each one is. Printed for every export and
vendor: precision and recall by bytes, and the bytes found, taken by mistake and missed. Goal: 0.995 and 0.95. To see
how versions fare that are younger than the lists, write other lists from a table without the newest versions
(scripts/vendors.py --table --output) and give both here.
"""

from __future__ import annotations

import argparse
import re
import sys
import threading
import time
import tomllib
from bisect import bisect_right
from collections import Counter
from dataclasses import dataclass, field
from itertools import pairwise
from operator import itemgetter
from pathlib import Path
from typing import TYPE_CHECKING

import tree_sitter_javascript
from tree_sitter import Language, Parser

from v1z3r_build.bundlers import vendors, vocabulary
from v1z3r_build.bundlers.words import ScriptWords, lasting
from v1z3r_build.formats import source_maps
from v1z3r_build.formats.source_maps import FittedMap

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tree_sitter import Node

PRECISION, RECALL = 0.995, 0.95
# A factory this large may be a concatenated module: it is cut into its statements. A function this large that is
# handed to a helper of Rollup's is the whole program.
CONCATENATED = 8_000
PROGRAM = 200_000

_FUNCTIONS = {
    "function_declaration",
    "function_expression",
    "generator_function",
    "generator_function_declaration",
    "arrow_function",
    "method_definition",
}
_BLOCKS = {"statement_block", "for_statement", "for_in_statement", "catch_clause", "class_static_block", "switch_body"}
_REQUIRED = re.compile(rb"(?<![\w$.])([\w$]+)(?:\.[irn])?\((\d+|\"[^\"]+\")\)")


@dataclass
class Piece:
    """A module or a statement of a script, before its words are asked for."""

    node: Node
    start: int
    end: int
    scope: int  # which list of statements it stands in
    module: bytes = b""  # the id of the factory that it is, or is a part of
    needs: set[int] = field(default_factory=set)


class Cutter:
    """Cuts a script into pieces and finds which piece needs which."""

    def __init__(self, script: bytes) -> None:
        self.root = Parser(Language(tree_sitter_javascript.language())).parse(script).root_node
        self.pieces: list[Piece] = []
        self._scopes = 0
        self._statements(self.root)
        self._connect()

    def _statements(self, block: Node, module: bytes = b"") -> None:
        self._scopes += 1
        scope = self._scopes
        for statement in block.named_children:
            for part in _parts(statement):
                if not self._opened(part):
                    self.pieces.append(Piece(part, part.start_byte, part.end_byte, scope, module))

    def _opened(self, part: Node) -> bool:
        """Whether the part only holds others, which were cut instead: a wrapper, a chunk, a table of modules."""
        if part.type == "call_expression" and (body := _called_body(part)) is not None and _size(body) > CONCATENATED:
            self._statements(body)
            return True
        if part.type == "variable_declarator" and _size(part) > PROGRAM:
            for function in _below(part, {"arrow_function", "function_expression"}):
                body = function.child_by_field_name("body")
                if body is not None and body.type == "statement_block" and _size(body) > PROGRAM:
                    self._statements(body)
                    return True
        modules = list(_factories(part))
        if not modules:
            return False
        for name, factory in modules:
            body = factory.child_by_field_name("body")
            if _size(factory) > CONCATENATED and body is not None and body.type == "statement_block":
                self._statements(body, name)
            else:
                self._scopes += 1
                self.pieces.append(Piece(factory, factory.start_byte, factory.end_byte, self._scopes, name))
        return True

    def _connect(self) -> None:
        owners: dict[tuple[int, bytes], list[int]] = {}
        modules: dict[bytes, list[int]] = {}
        for index, piece in enumerate(self.pieces):
            for name in _declared(piece.node):
                owners.setdefault((piece.scope, name), []).append(index)
            modules.setdefault(piece.module, []).append(index)
        for index, piece in enumerate(self.pieces):
            for name in _free(piece.node):
                piece.needs.update(owners.get((piece.scope, name), ()))
            if piece.module:
                for match in _REQUIRED.finditer(piece.node.text or b""):
                    # Of a concatenated module it is not known here which statements are meant.
                    wanted = modules.get(match[2].strip(b'"'), ())
                    piece.needs.update(wanted if len(wanted) == 1 else ())
            piece.needs.discard(index)


def _size(node: Node) -> int:
    return node.end_byte - node.start_byte


def _parts(statement: Node) -> Iterator[Node]:
    if statement.type in ("comment", "empty_statement"):
        return
    if statement.type in ("variable_declaration", "lexical_declaration"):
        yield from (child for child in statement.named_children if child.type == "variable_declarator")
    elif statement.type == "expression_statement":
        yield from _sequence(statement.named_children[0])
    else:
        yield statement


def _sequence(expression: Node) -> Iterator[Node]:
    if expression.type == "sequence_expression":
        for child in expression.named_children:
            yield from _sequence(child)
    elif expression.type in ("unary_expression", "parenthesized_expression") and expression.named_children:
        yield from _sequence(expression.named_children[0])
    elif expression.type != "comment":
        yield expression


def _called_body(call: Node) -> Node | None:
    function = call.child_by_field_name("function")
    while function is not None and function.type == "parenthesized_expression":
        function = function.named_children[0]
    if function is None or function.type not in _FUNCTIONS:
        return None
    body = function.child_by_field_name("body")
    return body if body is not None and body.type == "statement_block" else None


def _factories(part: Node) -> Iterator[tuple[bytes, Node]]:
    """The module factories that a part registers: webpack's table, or the list of Turbopack's push."""
    table: Node | None = None
    if part.type == "variable_declarator":
        table = part.child_by_field_name("value")
    elif part.type == "call_expression":
        arguments = part.child_by_field_name("arguments")
        listed = arguments.named_children[0] if arguments is not None and arguments.named_children else None
        if listed is not None and listed.type == "array":
            inner = listed.named_children
            table = next((child for child in inner if child.type == "object"), None)
            for name, factory in pairwise(inner):
                if name.type in ("number", "string") and factory.type in _FUNCTIONS:
                    yield (name.text or b"").strip(b"\"'"), factory
    if table is None or table.type != "object" or not table.named_children:
        return
    found = []
    for entry in table.named_children:
        if entry.type == "method_definition":
            found.append((entry.child_by_field_name("name"), entry))
        elif entry.type == "pair":
            found.append((entry.child_by_field_name("key"), entry.child_by_field_name("value")))
    if all(key is not None and key.type == "number" and value.type in _FUNCTIONS for key, value in found):
        yield from (((key.text or b""), value) for key, value in found)


def _pattern_names(pattern: Node | None) -> Iterator[bytes]:
    if pattern is None:
        return
    if pattern.type in ("identifier", "shorthand_property_identifier_pattern"):
        yield pattern.text or b""
    elif pattern.type in ("assignment_pattern", "object_assignment_pattern"):
        yield from _pattern_names(pattern.child_by_field_name("left"))
    elif pattern.type == "pair_pattern":
        yield from _pattern_names(pattern.child_by_field_name("value"))
    elif pattern.type in ("object_pattern", "array_pattern", "rest_pattern", "formal_parameters"):
        for child in pattern.named_children:
            yield from _pattern_names(child)


def _declared(part: Node) -> Iterator[bytes]:
    """The names that a part gives to its own list of statements, those that it assigns to among them."""
    if part.type == "variable_declarator" or part.type in (
        "function_declaration",
        "generator_function_declaration",
        "class_declaration",
    ):
        yield from _pattern_names(part.child_by_field_name("name"))
    elif part.type == "assignment_expression":
        yield from _pattern_names(part.child_by_field_name("left"))
    elif part.type == "import_statement":
        for node in _below(part, {"import_specifier", "namespace_import", "import_clause"}):
            name = node.child_by_field_name("alias") or node.child_by_field_name("name")
            names = [name] if name is not None else [c for c in node.named_children if c.type == "identifier"]
            yield from (each.text or b"" for each in names)
    elif part.type == "export_statement" and (declaration := part.child_by_field_name("declaration")) is not None:
        for each in _parts(declaration):
            yield from _declared(each)


def _below(node: Node, types: set[str]) -> Iterator[Node]:
    for child in node.named_children:
        if child.type in types:
            yield child
        else:
            yield from _below(child, types)


def _free(node: Node) -> set[bytes]:
    """The names that a part uses and does not declare inside."""
    if node.type in ("identifier", "shorthand_property_identifier", "shorthand_property_identifier_pattern"):
        return {node.text or b""}
    used: set[bytes] = set()
    for child in node.named_children:
        used |= _free(child)
    if node.type in _FUNCTIONS:
        own = {*_pattern_names(node.child_by_field_name("parameters"))}
        own |= {*_pattern_names(node.child_by_field_name("parameter"))}
        body = node.child_by_field_name("body")
        if body is not None:
            own |= {name for each in _vars(body) for name in _pattern_names(each.child_by_field_name("name"))}
        if node.type in ("function_expression", "generator_function"):
            own |= {*_pattern_names(node.child_by_field_name("name"))}
        used -= own
    elif node.type in _BLOCKS:
        own = {*_pattern_names(node.child_by_field_name("parameter"))}
        if node.type == "for_in_statement":
            own |= {*_pattern_names(node.child_by_field_name("left"))} if node.child_by_field_name("kind") else set()
        for child in node.named_children:
            if child.type in (
                "lexical_declaration",
                "class_declaration",
                "function_declaration",
                "generator_function_declaration",
            ):
                own |= {name for part in _parts(child) for name in _declared(part)}
        used -= own
    return used


def _vars(node: Node) -> Iterator[Node]:
    for child in node.named_children:
        if child.type in _FUNCTIONS:
            continue
        if child.type == "variable_declaration":
            yield from (each for each in child.named_children if each.type == "variable_declarator")
        yield from _vars(child)


class Truth:
    """Which source each byte of a script comes from, as its source map says."""

    def __init__(self, script: bytes, source_map: bytes) -> None:
        self._spans = FittedMap(source_maps.read(source_map), script).spans()

    def sizes(self, start: int, end: int) -> Counter[str]:
        """Bytes by source from start to end."""
        sizes: Counter[str] = Counter()
        for span in self._spans[bisect_right(self._spans, start, key=itemgetter(0)) - 1 :]:
            if span.start >= end:
                break
            sizes[span.source or ""] += min(span.end, end) - max(span.start, start)
        return sizes


@dataclass
class Score:
    """Bytes of one vendor: found rightly, taken by mistake, missed."""

    right: int = 0
    wrong: int = 0
    missed: int = 0

    @property
    def precision(self) -> float:
        return self.right / (self.right + self.wrong) if self.wrong else 1.0

    @property
    def recall(self) -> float:
        return self.right / (self.right + self.missed) if self.missed else 1.0

    def __str__(self) -> str:
        mark = "" if self.precision >= PRECISION and self.recall >= RECALL else "  BELOW THE GOAL"
        return (
            f"precision {self.precision:.4f} recall {self.recall:.4f}"
            f"  right {self.right:>9,} wrong {self.wrong:>7,} missed {self.missed:>7,}{mark}"
        )


@dataclass
class Miss:
    """A piece whose label is not what its source map says, for most of its bytes."""

    size: int
    text: bytes
    true: str | None
    said: str | None
    scores: list[float]
    foreign: list[str]


def measured(script: Path, known: tuple[vocabulary.Vendor, ...]) -> tuple[dict[str, Score], list[Miss], float]:
    """The scores of a script by vendor, its misses, and the seconds that recognition took, without the cutter's."""
    data = script.read_bytes()
    cutter = Cutter(data)
    start = time.perf_counter()
    words = ScriptWords(data, lasting(cutter.root))
    items = [
        vendors.Item(words.between(piece.start, piece.end), piece.end - piece.start, tuple(sorted(piece.needs)))
        for piece in cutter.pieces
    ]
    labels = vendors.label(items, known)
    seconds = time.perf_counter() - start
    truth = Truth(data, Path(f"{script}.map").read_bytes())
    sizes = [truth.sizes(piece.start, piece.end) for piece in cutter.pieces]
    scores = {vendor.label: Score() for vendor in known}
    misses = []
    for piece, item, said, parts, true in zip(
        cutter.pieces, items, labels, sizes, vendors.label_by_sources(sizes, known), strict=True
    ):
        for source, size in parts.items():
            # What a map leaves out is the bundler's: it belongs to nobody.
            owner = next((vendor.label for vendor in known if vendor.has_source(source)), None)
            for name, score in scores.items():
                score.right += size * (owner == name == said)
                score.wrong += size * (bool(source) and owner != name == said)
                score.missed += size * (owner == name != said)
        if said != true and any(parts[source] for source in parts if source):
            foreign = item.words.difference(*(vendor.inner | vendor.open | vendor.ordinary for vendor in known))
            text = data[piece.start : piece.start + 80]
            found = [vendors.evidence(item.words, vendor) for vendor in known]
            misses.append(Miss(item.size, text, true, said, found, sorted(foreign)))
    return scores, misses, seconds


def main(options: argparse.Namespace) -> None:
    table = tomllib.loads(options.table.read_text(encoding="utf-8"))
    known = vocabulary.unpacked(options.words.read_bytes(), table).vendors
    for folder in options.folders:
        total = {vendor.label: Score() for vendor in known}
        for script in sorted(path for path in folder.rglob("*.js") if Path(f"{path}.map").exists()):
            scores, misses, seconds = measured(script, known)
            print(f"{folder.name}/{script.name}  {script.stat().st_size:,} bytes, {seconds:.2f} s")
            for name, score in scores.items():
                total[name].right += score.right
                total[name].wrong += score.wrong
                total[name].missed += score.missed
            for miss in sorted(misses, key=lambda miss: -miss.size)[: options.misses]:
                print(f"    {miss.size:>7} {miss.true} taken for {miss.said} {miss.scores} {miss.text!r}")
                print(f"            foreign: {' '.join(miss.foreign[:12])}")
        for name, score in total.items():
            print(f"  {folder.name:<20} {name:<8} {score}", flush=True)


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("folders", type=Path, nargs="+")
    parser.add_argument("--table", type=Path, default=vocabulary.TABLE)
    parser.add_argument("--words", type=Path, default=vocabulary.WORDS)
    parser.add_argument("--misses", type=int, default=0, help="how many of the largest to print for each script")
    # Minified bundles nest expressions thousands deep, and the cutter goes down with them.
    sys.setrecursionlimit(1_000_000)
    threading.stack_size(1 << 29)
    thread = threading.Thread(target=main, args=[parser.parse_args()])
    thread.start()
    thread.join()
