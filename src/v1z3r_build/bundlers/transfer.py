"""What a vendor's file declares, and the calls by which the old chunk brings it to life: the same for all bundlers."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, NamedTuple

from v1z3r_build.bundlers.items import Places
from v1z3r_build.bundlers.passage import Passage, fresh, without_var
from v1z3r_build.formats.descent import Descent
from v1z3r_build.formats.scopes import Kind

if TYPE_CHECKING:
    from collections.abc import Container, Iterable, Iterator, Mapping, Sequence, Set

    from v1z3r_build.bundlers.division import Binding, Part
    from v1z3r_build.bundlers.items import Item
    from v1z3r_build.bundlers.passage import Edit
    from v1z3r_build.formats.derivation import Derived
    from v1z3r_build.formats.scopes import Declaration, Region

_HOLDERS = ("variable_declaration", "for_in_statement")
START = -1  # before all items


class Call(NamedTuple):
    """A call of one of the vendor's functions. place: the item before which, or after which, it stands.

    arguments: names of the old chunk's scope.
    """

    function: str
    place: int
    after: bool
    arguments: tuple[str, ...] = ()


class Transfer(NamedTuple):
    """body: declares all that a vendor has. calls: what the old chunk must call. plain: the body runs by itself.

    ready: the names of what is there before any call.
    """

    body: Derived
    calls: tuple[Call, ...]
    plain: bool
    ready: frozenset[str]


def fresh_names(region: Region) -> Iterator[str]:
    """Names that nothing in a region bears."""
    return fresh({one.name for one in region.references} | {name for one in region.scopes for name in one.bindings})


def transfer(
    source: bytes,
    region: Region,
    found: Sequence[Item],
    bindings: Mapping[str, Binding],
    part: Part,
    names: Iterator[str],
    plain: bool,
) -> Transfer:
    """Write what moves.

    bindings: those that items declare, by name. names: for the functions that are made. plain: the items are to be
    evaluated where the body is.
    """
    evaluated = {index for run in part.runs for index in run.items}
    where = Places(found)
    homes = {
        name: where.at(binding.declarations[0].start)
        for name, binding in region.scope.bindings.items()
        if binding.declarations
    }
    moved = set(part.items)
    own = [name for name, index in homes.items() if index in moved]
    ready = frozenset(name for name in own if homes[name] not in evaluated)
    passage = Passage(source)
    if plain:
        for index in part.items:
            passage.add(found[index])
        return Transfer(passage.text(), (), True, ready)
    kept = list(_kept(bindings, part))
    hidden = {name for one in kept for name in one.names}
    declared = [name for name in own if name not in ready and name not in hidden]
    variables = [*declared, *part.received]
    if variables:
        # Modules that import each other may call functions before this is evaluated: `let` would make them throw.
        passage.statement(b"var " + ",".join(variables).encode() + b";")
    inside = {index for one in kept for index in one.items}
    for index in part.items:
        if index not in inside:
            passage.add(found[index])
    calls: list[Call] = []
    declarations = _declarations(region, where, evaluated)
    for run, private in zip(part.runs, kept, strict=True):
        name = next(names)
        inner = Passage(source)
        for index in private.items:
            if index in private.declaring:
                inner.add(found[index])
            else:
                inner.assign(found[index], sorted(_assignments(source, found[index], declarations[index])))
        passage.statement(f"function {name}(){{".encode(), inner.text(), b"}")
        calls.append(Call(name, run.place, after=False))
    for place, given in _handed(region, homes, part.received).items():
        name, parameters = next(names), [next(names) for _ in given]
        takes = ";".join(f"{one}={parameter}" for one, parameter in zip(given, parameters, strict=True))
        passage.statement(f"function {name}({','.join(parameters)}){{{takes}}}".encode())
        calls.append(Call(name, place, after=True, arguments=tuple(given)))
    return Transfer(passage.text(), tuple(calls), False, ready)


class _Kept(NamedTuple):
    """What a run has to itself.

    items: the run's, and those that nothing else needs, in order. names: those that nothing else uses. declaring: the
    items that declare such names, and no others.
    """

    items: Sequence[int]
    names: Set[str]
    declaring: Set[int]


def _kept(bindings: Mapping[str, Binding], part: Part) -> Iterator[_Kept]:
    """For each run what its function can declare itself, as the old scope did: nobody outside of it can tell."""
    declared: dict[int, set[str]] = defaultdict(set)
    users: dict[str, set[int]] = {}
    mine = set(part.items)
    for name, binding in bindings.items():
        if mine.isdisjoint(binding.items):
            continue
        users[name] = {*binding.items, *(use.item for use in binding.uses)}
        for index in binding.items:
            declared[index].add(name)
    evaluated = {index for run in part.runs for index in run.items}
    free = {index for index in part.items if index not in evaluated and declared[index]}
    for run in part.runs:
        inside = free.union(run.items)
        names = {name for index in inside for name in declared[index]} - part.provided.keys()
        while True:
            shared = {name for name in names if not users[name] <= inside}
            # A declaration is the function's as a whole, or not at all.
            shared |= {name for index in inside for name in declared[index] & names if declared[index] - names}
            leaving = {index for index in inside & free if declared[index] - names or declared[index] & shared}
            if not shared and not leaving:
                break
            names -= shared
            inside -= leaving
        free -= inside
        yield _Kept(sorted(inside), names, {index for index in inside if declared[index] & names})


def _handed(region: Region, homes: Mapping[str, int], received: Iterable[str]) -> dict[int, list[str]]:
    """What is handed over, by the item after which it has its value."""
    groups: dict[int, list[str]] = defaultdict(list)
    for name in received:
        early = region.scope.bindings[name].kind in (Kind.FUNCTION, Kind.IMPORT)
        groups[START if early else homes[name]].append(name)
    return groups


def _declarations(region: Region, where: Places, items: Container[int]) -> dict[int, list[Declaration]]:
    """The declarations that stand in each of these items, in order of the text."""
    found: dict[int, list[Declaration]] = defaultdict(list)
    for binding in region.scope.bindings.values():
        for place in binding.declarations:
            index = where.at(place.start)
            if index in items:
                found[index].append(place)
    for places in found.values():
        places.sort()
    return found


def _assignments(source: bytes, item: Item, declarations: Iterable[Declaration]) -> Iterator[Edit]:
    """Edits that make assignments of the `var`s inside a statement: the vendor's file declares them outside."""
    if item.form != "other":
        return
    descent = Descent(item.node)
    seen: set[int] = set()
    for place in declarations:
        path = descent.to(place.start, place.end)
        depth = next(index for index in reversed(range(len(path))) if path[index].type in _HOLDERS)
        if path[depth].start_byte not in seen:
            seen.add(path[depth].start_byte)
            yield from without_var(source, path[depth], path[depth - 1] if depth else None)
