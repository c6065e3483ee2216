"""Vendors split out of the chunks of ES modules, as Rollup, Vite, rolldown and esbuild write them.

The vendor's file is a module that the old chunk imports last, so that all its other imports are evaluated as before.
It declares what the vendor declared; its runs are functions that the old chunk calls where they stood. Bindings are
live and functions are there before anything runs, on both sides of an import as within one module (ECMA-262, §16.2.1).
One thing differs: who reads a binding before its declaration ran finds `undefined`, where it was a ReferenceError.
"""

from __future__ import annotations

import hashlib
import posixpath
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple

from v1z3r_build.bundlers.division import divide, needs, objections
from v1z3r_build.bundlers.holding import Holding, hold, is_settled
from v1z3r_build.bundlers.items import Places, items
from v1z3r_build.bundlers.passage import Passage
from v1z3r_build.bundlers.transfer import START, fresh_names, transfer
from v1z3r_build.formats.derivation import joined
from v1z3r_build.formats.engines.script_syntax import located
from v1z3r_build.formats.renaming import Renamer, readable_names
from v1z3r_build.formats.scope_analysis import analyse_module
from v1z3r_build.formats.scopes import Goal, Kind, Reason, Refused
from v1z3r_build.formats.transplants import composed

if TYPE_CHECKING:
    from collections.abc import Collection, Container, Mapping, Sequence

    from tree_sitter import Node, Tree

    from v1z3r_build.bundlers.division import Binding, Part
    from v1z3r_build.bundlers.items import Item
    from v1z3r_build.bundlers.transfer import Call
    from v1z3r_build.formats.derivation import Derived
    from v1z3r_build.formats.scopes import Scopes

_DECLARING = {"import_statement", "export_statement"}
_FUNCTIONS = {
    "function_declaration", "generator_function_declaration", "function_expression", "generator_function",
    "arrow_function",
}  # fmt: skip


class Split(NamedTuple):
    """A chunk after its division. vendors: by label, path and bytes."""

    chunk: Derived
    vendors: Mapping[str, tuple[str, Derived]]


class Imports(NamedTuple):
    """What is known of the modules that a chunk imports, and of those that they import in turn.

    settled: the chunk's names of imports that do not change once they are there. circular: whether one of the modules
    may import the chunk, and so call its functions before it is evaluated. awaiting: whether one may have an `await` at
    its top level: what does not need it is evaluated in the meantime (ECMA-262, §16.2.1.5.3).
    """

    settled: Collection[str] = ()
    circular: bool = True
    awaiting: bool = True


class Outline:
    """A module as it is for others, without a look into what it declares: a third of the work."""

    def __init__(self, source: bytes, tree: Tree | None = None) -> None:
        """tree: its syntax tree, if it is parsed already. Raises Refused."""
        self.source = source
        self.root = (tree or located(source)).root_node
        if self.root.has_error:
            raise Refused(Reason.SYNTAX, 0)
        self._statements = self.root.named_children

    def is_declared(self) -> bool:
        """Whether it says itself that it is a module: in any other script an import would be a syntax error."""
        return any(one.type in _DECLARING for one in self._statements)

    def awaits(self) -> bool:
        """Whether there is an `await` outside of all functions; also that of `for await` and `await using`."""
        work = [self.root]
        while work:
            node = work.pop()
            if self.source.find(b"await", *node.byte_range) < 0:
                continue
            # The parser takes `await (async () => {})()` for a call of what is called `await`, as nothing is here.
            if node.type == "await" or (node.type == "identifier" and self._text(node) == "await"):
                return True
            if node.type == "method_definition":
                # Its name may be computed, which happens outside of it, and so do its decorators.
                work.extend(child for child in node.children if child.type in ("computed_property_name", "decorator"))
            elif node.type not in _FUNCTIONS:
                work.extend(node.children)
        return False

    def _text(self, name: Node | None) -> str:
        """The name of an import or export. Not the node's own text, see `located`."""
        return self.source[name.start_byte : name.end_byte].decode().strip("\"'") if name is not None else ""

    def specifiers(self) -> dict[str, dict[str, str]]:
        """What it imports and re-exports: by specifier, the names there of its own names (`default`; `*` for all)."""
        found: dict[str, dict[str, str]] = {}
        for statement in self._statements:
            source = statement.child_by_field_name("source") if statement.type in _DECLARING else None
            if source is None:
                continue
            names = found.setdefault((source.text or b"").decode()[1:-1], {})
            clause = next((child for child in statement.named_children if child.type == "import_clause"), None)
            for part in clause.named_children if clause is not None else ():
                if part.type == "identifier":
                    names[self._text(part)] = "default"
                for one in part.named_children if part.type == "named_imports" else ():
                    name, alias = one.child_by_field_name("name"), one.child_by_field_name("alias")
                    names[self._text(alias or name)] = self._text(name)
        return found


class Module(Outline):
    """A chunk, analysed. items, bindings: what its labels are found by."""

    def __init__(self, source: bytes, imports: Imports | None = None, tree: Tree | None = None) -> None:
        """imports: the worst is assumed if it is not known. tree: as above. Raises Refused."""
        tree = tree or located(source)
        self.scopes = analyse_module(source, tree)
        super().__init__(source, tree)
        self.items = items(self.root)
        if not any(map(_is_request, self.items)):
            imports = Imports(circular=False, awaiting=False)
        self._imports = imports or Imports()

    @cached_property
    def _holding(self) -> Holding:
        held = hold(self.source, self.items, self.scopes.whole(), self._imports.settled)
        if not self._imports.circular:
            return held
        # Before the chunk is evaluated it hands nothing over.
        bindings = [one._replace(settled=False) if self._is_early(one.name) else one for one in held.bindings]
        return Holding(bindings, held.fixed)

    @property
    def bindings(self) -> Sequence[Binding]:
        return self._holding.bindings

    def _is_early(self, name: str) -> bool:
        return self.scopes.root.bindings[name].kind in (Kind.FUNCTION, Kind.IMPORT)

    def needs(self) -> list[set[int]]:
        """For each item the indices of those that declare what it reads or writes."""
        return needs(self.items, self.bindings)

    def settled(self) -> frozenset[str]:
        """The names under which it exports bindings that are written once, by their declaration.

        As long as nothing is known of what it imports: that may call its functions before it is evaluated.
        """
        early = any(map(_is_request, self.items))
        found: set[str] = set()
        for item in self.items:
            if item.form != "export" or item.node.child_by_field_name("source") is not None:
                continue
            for clause in item.node.named_children:
                for one in clause.named_children if clause.type == "export_clause" else ():
                    name, alias = one.child_by_field_name("name"), one.child_by_field_name("alias")
                    if self._is_settled(self._text(name), early):
                        found.add(self._text(alias or name))
        return frozenset(found)

    def _is_settled(self, name: str, early: bool) -> bool:
        binding = self.scopes.root.bindings.get(name)
        if binding is None or binding.kind is Kind.IMPORT or (early and self._is_early(name)):
            return False
        home = self._places.at(binding.declarations[0].start)
        return home >= 0 and is_settled(self.items[home], binding)

    @cached_property
    def _places(self) -> Places:
        return Places(self.items)

    def cut(self, labels: Sequence[str]) -> Cut:
        """The chunk cut apart by the labels of its items: the name of a vendor, or '' for the app."""
        early = self._imports.circular or self._imports.awaiting
        divided = divide(self.items, self.bindings, labels, self._holding.fixed, early=early)
        knife = _Knife(self.scopes, self.items, self.bindings, divided.parts, self._imports)
        return knife.cut(objections(self.items, divided))


def _is_request(item: Item) -> bool:
    """Whether it loads another module: these are evaluated in the order in which they stand."""
    return item.form == "import" or (item.form == "export" and item.node.child_by_field_name("source") is not None)


def _canonical(body: Derived, origin: Scopes, read: Container[str]) -> tuple[Derived, Mapping[str, str]]:
    """The vendor's code under names that do not depend on the app's, and the new names of what it declares.

    origin: the scopes of the chunk. read: names of functions that the rest of the chunk can read.
    """
    try:
        renamer = Renamer(composed(body, Goal.MODULE, origin))
        renamed = renamer.renamed(keep=renamer.named(read))
    except Refused:
        return body, {}
    return renamed.text, renamed.names


def _specifier(theirs: str, own: str) -> str:
    return own if theirs == own else f"{theirs} as {own}"


class _Draft(NamedTuple):
    """A vendor's code under the names of the chunk. provided: what the chunk imports of it."""

    label: str
    body: Derived
    provided: Sequence[str]


@dataclass(frozen=True, slots=True)
class Cut:
    """A chunk cut apart, before vendors have their own names. Nothing of the syntax tree is held by it.

    head, tail: what remains, before and behind the place of the imports. held: as of `objections`.
    """

    held: Mapping[str, str]
    _scopes: Scopes = field(repr=False)
    _drafts: Sequence[_Draft] = field(repr=False)
    _head: Derived = field(repr=False)
    _tail: Derived = field(repr=False)

    def split(self, path: str) -> Split:
        """The texts. path: of the chunk."""
        read = {binding.name for binding in readable_names(self._scopes, self._scopes.whole())}
        vendors: dict[str, tuple[str, Derived]] = {}
        imports: list[bytes] = []
        for one in self._drafts:
            body, canonical = _canonical(one.body, self._scopes, read)
            names = {name: canonical.get(name, name) for name in one.provided}
            text = joined((body, b"export{" + ",".join(sorted(names.values())).encode() + b"};\n"))
            name = f"{one.label}.{hashlib.sha256(text).hexdigest()[:16]}.js"
            imported = (_specifier(theirs, own) for own, theirs in names.items())
            imports.append(f'import{{{",".join(imported)}}}from"./{name}";'.encode())
            vendors[one.label] = posixpath.join(posixpath.dirname(path), name), text
        return Split(joined((self._head, *imports, self._tail)), vendors)


class _Knife:
    def __init__(
        self,
        scopes: Scopes,
        found: Sequence[Item],
        bindings: Sequence[Binding],
        parts: Mapping[str, Part],
        known: Imports,
    ) -> None:
        self.source = scopes.source
        self.known = known
        self.scopes = scopes
        self.region = scopes.whole()
        self.items = found
        self.bindings = {binding.name: binding for binding in bindings}
        self.parts = parts
        self.calls: dict[tuple[int, bool], list[Call]] = {}
        self.names = fresh_names(self.region)

    def cut(self, held: Mapping[str, str]) -> Cut:
        drafts = [self._draft(label, part) for label, part in self.parts.items()]
        return Cut(held, self.scopes, drafts, *self._remainder())

    def _draft(self, label: str, part: Part) -> _Draft:
        plain = self._is_first(part)
        made = transfer(self.source, self.region, self.items, self.bindings, part, self.names, plain)
        for call in made.calls:
            self.calls.setdefault((call.place, call.after), []).append(call)
        return _Draft(label, made.body, [*part.provided, *(call.function for call in made.calls)])

    def _is_first(self, part: Part) -> bool:
        """Whether all of the vendor's is evaluated before anything of the app's that can be noticed."""
        if not part.runs and not part.received:
            return True
        if part.received or len(part.runs) > 1 or self.known.circular:
            return False
        run = part.runs[0]
        if self.known.awaiting and not all(self.items[index].idle for index in run.items):
            return False
        mine = set(part.items)
        return all(index in mine or self.items[index].idle for index in range(run.place))

    def _remainder(self) -> tuple[Derived, Derived]:
        moved = {index for part in self.parts.values() for index in part.items}
        last = max((index for index, one in enumerate(self.items) if _is_request(one)), default=-1)
        first = next((index for index, one in enumerate(self.items) if not one.idle), len(self.items) - 1)
        top = next((index for index, one in enumerate(self.items) if one.form not in ("hashbang", "comment")), 0)
        head, tail = Passage(self.source), Passage(self.source)
        passage = head
        for index, item in enumerate(self.items):
            if last < 0 and index == top:
                passage = tail
            if index == first:
                self._call(passage, START, after=True)
            self._call(passage, index, after=False)
            if index not in moved:
                passage.add(item)
            if index == last:
                passage = tail
            self._call(passage, index, after=True)
        return head.text(), tail.text()

    def _call(self, passage: Passage, place: int, after: bool) -> None:
        for call in self.calls.get((place, after), ()):
            passage.statement(f"{call.function}({','.join(call.arguments)});".encode())
