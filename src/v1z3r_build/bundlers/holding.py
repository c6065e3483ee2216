"""The bindings of a scope and who uses them, item by item, as `division` asks for them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from v1z3r_build.bundlers.division import Binding, Use
from v1z3r_build.bundlers.items import Places
from v1z3r_build.formats.scopes import Access, Form, Kind, ScopeKind, Timing

if TYPE_CHECKING:
    from collections.abc import Container, Iterator, Sequence

    from tree_sitter import Node

    from v1z3r_build.bundlers.items import Item
    from v1z3r_build.formats.scopes import Binding as Name
    from v1z3r_build.formats.scopes import Region

_OWN_FUNCTION = {
    "function_declaration", "generator_function_declaration", "function_expression", "generator_function",
    "method_definition", "class_static_block",
}  # fmt: skip
# Python 3.11 takes longer to find a member of an enumeration than to make a small object.
_WRITE, _EXPORT, _GLOBAL = Access.WRITE, Access.EXPORT, ScopeKind.GLOBAL
_FUNCTION, _IMPORT, _USING, _DEFERRED = Kind.FUNCTION, Kind.IMPORT, Kind.USING, Timing.DEFERRED
_GIVEN = frozenset((Kind.PARAMETER, Kind.ARGUMENTS))
_CONSTANT = frozenset((Kind.CONST, Kind.USING))
_WRITING = frozenset((Access.WRITE, Access.UPDATE))
_SHORTHANDS = frozenset((Form.PROPERTY, Form.PATTERN))
_LEXICAL = (Kind.LET, Kind.CONST, Kind.CLASS)
_RECEIVER = {"this", "super"}
_FLOW = {"await_expression", "return_statement", "yield_expression"}
# Some of them may end a longer word: a pattern that begins with letters is found faster.
_WORDS = re.compile(rb"(?:this|super|await|return|yield|meta|target)\b")
_OF_RECEIVERS = re.compile(rb"(?:this|super|meta|target)\b")
_DECORATOR = re.compile(rb"@\s*")
_OF_THE_FILE = re.compile(rb"import\b.*?\bmeta\b", re.S)


class Holding(NamedTuple):
    """bindings: those that items declare. fixed: items that mean something else in another file."""

    bindings: list[Binding]
    fixed: set[int]


def hold(
    source: bytes,
    found: Sequence[Item],
    region: Region,
    settled: Container[str] = (),
    runtime: str = "",
    pinned: Container[int] = (),
) -> Holding:
    """The bindings of a region, whose items are given.

    settled: names of imports that the exporting module writes once, before this one runs. runtime: the parameter that
    is the bundler's runtime, which every factory has. pinned: where it is used so that another factory's would not do.

    Bindings that no item declares, such as parameters, are not among them; items that refer to them are fixed, but for
    the runtime, and so are those that refer to what is declared around the region.
    """
    bindings: list[Binding] = []
    fixed: set[int] = set()
    where = Places(found)
    decorating = {match.end() for match in _DECORATOR.finditer(source)}
    # Sloppy code's functions in blocks also declare a `var` (ECMA-262, §B.3.2.1), which they could not outside.
    from_blocks = {
        binding.namesake
        for scope in region.scopes
        for binding in scope.bindings.values()
        if binding.namesake is not None and binding.kind is _FUNCTION
    }
    for name, binding in region.scope.bindings.items():
        places = [where.at(place.start) for place in binding.declarations]
        homes = tuple(sorted({place for place in places if place >= 0}))
        uses = []
        for reference in binding.references:
            index = where.at(reference.start)
            if index < 0:
                continue
            if reference.start in decorating:
                # A decorator cannot be written as a call of something without a receiver.
                fixed.update(homes)
            writes = reference.access in _WRITING
            shorthand = reference.form in _SHORTHANDS
            uses.append(Use(reference.start, reference.end, index, reference.access is not _WRITE, writes, shorthand))
        # What is called `undefined` and is not would make literals of the value read a binding.
        if binding.kind in _GIVEN or not homes or -1 in places or name == "undefined":
            if name != runtime or any(use.writes for use in uses) or homes:
                fixed.update(use.item for use in uses)
                fixed.update(homes)
            else:
                fixed.update(use.item for use in uses if use.start in pinned)
            continue
        several = len({place.kind for place in binding.declarations}) > 1
        constant = binding.kind in _CONSTANT and any(use.writes for use in uses)
        functions = binding.kind is _FUNCTION and len(binding.declarations) > 1
        using = binding.kind is _USING
        early = _read_too_early(found, where, region, binding)
        if early:
            fixed.update(homes, early)
        if several or constant or functions or using or binding.exported or binding in from_blocks:
            fixed.update(homes)
        once = name in settled if binding.kind is _IMPORT else is_settled(found[homes[0]], binding)
        bindings.append(Binding(name, homes, tuple(uses), once))
    fixed.update(where.at(place) for place in _outer(region))
    for index, item in enumerate(found):
        if _WORDS.search(source, item.start, item.end) and _speaks_of_its_place(source, item.node):
            fixed.add(index)
    return Holding(bindings, fixed)


def _outer(region: Region) -> Iterator[int]:
    """Where the region speaks of something around it that another file has not: only globals are everywhere."""
    for reference in region.references:
        binding = reference.binding
        if binding is None:
            # Outside of all functions it is a global's name, inside of one it is not.
            if reference.name == "arguments":
                yield reference.start
        elif not region.scope.encloses(binding.scope) and binding.scope.kind is not _GLOBAL:
            yield reference.start


def _read_too_early(found: Sequence[Item], where: Places, region: Region, binding: Name) -> set[int]:
    """Items that surely read a binding before its declaration has run, which throws where no `var` stands.

    On two sides the bindings are `var`s, or are there from the start: what throws is left as it is. Functions that are
    called too early are not found: that would ask which calls reach which functions (`esm`).
    """
    if binding.kind not in _LEXICAL:
        return set()
    ready = max(found[where.at(place.start)].end for place in binding.declarations)
    return {
        where.at(reference.start)
        for reference in binding.references
        if reference.start < ready and reference.access is not _EXPORT and region.timing(reference) is not _DEFERRED
    }


def is_settled(home: Item, binding: Name) -> bool:
    """Whether a binding has its value from its declaration alone. home: the first item that declares it."""
    return (
        len(binding.declarations) == 1
        and _writes_once(home)
        and not any(one.access in _WRITING for one in binding.references)
    )


def _writes_once(item: Item) -> bool:
    """Whether the item's evaluation gives its binding its value, once, and ends with that.

    A pattern may set one name, and then call what reads it, for the value of the next.
    """
    if item.form in ("function", "class"):
        return True
    if item.form != "declarator":
        return False
    name, value = item.node.child_by_field_name("name"), item.node.child_by_field_name("value")
    return name is not None and name.type == "identifier" and value is not None


def _speaks_of_its_place(source: bytes, item: Node) -> bool:
    """Whether it has a `this`, `return`, `await` … of the scope in which it stands, or an `import.meta`."""
    work = [(item, False)]
    while work:
        node, in_arrow = work.pop()
        kind = node.type
        if kind in _RECEIVER or (kind in _FLOW and not in_arrow) or kind == "meta_property":
            return True
        if kind == "for_in_statement" and not in_arrow and any(child.type == "await" for child in node.children):
            return True
        if kind in _OWN_FUNCTION:
            # A computed name is evaluated outside of its method.
            name = node.child_by_field_name("name")
            if name is not None and name.type == "computed_property_name":
                work.append((name, in_arrow))
            if _names_its_file(node):
                return True
        elif kind == "field_definition":
            value = node.child_by_field_name("value")
            work.extend((child, in_arrow) for child in node.named_children if child != value)
            if value is not None and _names_its_file(value):
                return True
        elif kind != "arrow_function":
            work.extend([(child, in_arrow) for child in node.named_children])
        elif _OF_RECEIVERS.search(source, *node.byte_range):
            work.extend([(child, True) for child in node.named_children])
    return False


def _names_its_file(node: Node) -> bool:
    """Whether there is an `import.meta` somewhere inside, in functions too."""
    if not _OF_THE_FILE.search(node.text or b""):
        return False
    work = [node]
    while work:
        node = work.pop()
        if node.type == "meta_property" and (node.text or b"").startswith(b"import"):
            return True
        work.extend(node.named_children)
    return False
