"""What a vendor's file declares, and the calls by which the old chunk brings it to life: the same for all bundlers."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from v1z3r_build.bundlers.items import index_at
from v1z3r_build.bundlers.passage import Passage, fresh, without_var
from v1z3r_build.formats.scopes import Kind

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from v1z3r_build.bundlers.division import Part
    from v1z3r_build.bundlers.items import Item
    from v1z3r_build.bundlers.passage import Edit
    from v1z3r_build.formats.derivation import Derived
    from v1z3r_build.formats.scopes import Region, Scopes

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


def fresh_names(scopes: Scopes) -> Iterator[str]:
    """Names that nothing in a text bears."""
    return fresh({one.name for one in scopes.references} | {name for one in scopes.scopes for name in one.bindings})


def transfer(
    source: bytes, region: Region, found: Sequence[Item], part: Part, names: Iterator[str], plain: bool
) -> Transfer:
    """Write what moves.

    names: for the functions that are made. plain: the items are to be evaluated where the body is.
    """
    evaluated = {index for run in part.runs for index in run.items}
    homes = {
        name: index_at(found, binding.declarations[0].start)
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
    declared = [name for name in own if name not in ready]
    variables = [*declared, *part.received]
    if variables:
        # Modules that import each other may call functions before this is evaluated: `let` would make them throw.
        passage.statement(b"var " + ",".join(variables).encode() + b";")
    for index in part.items:
        if index not in evaluated:
            passage.add(found[index])
    calls: list[Call] = []
    for run in part.runs:
        name = next(names)
        inner = Passage(source)
        for index in run.items:
            inner.assign(found[index], sorted(_assignments(region, found[index])))
        passage.statement(f"function {name}(){{".encode(), inner.text(), b"}")
        calls.append(Call(name, run.place, after=False))
    for place, given in _handed(region, found, part.received).items():
        name, parameters = next(names), [next(names) for _ in given]
        takes = ";".join(f"{one}={parameter}" for one, parameter in zip(given, parameters, strict=True))
        passage.statement(f"function {name}({','.join(parameters)}){{{takes}}}".encode())
        calls.append(Call(name, place, after=True, arguments=given))
    return Transfer(passage.text(), tuple(calls), False, ready)


def _handed(region: Region, found: Sequence[Item], received: Iterable[str]) -> dict[int, tuple[str, ...]]:
    """What is handed over, by the item after which it has its value."""
    groups: dict[int, tuple[str, ...]] = {}
    for name in received:
        binding = region.scope.bindings[name]
        offset = binding.declarations[0].start
        early = binding.kind in (Kind.FUNCTION, Kind.IMPORT)
        place = START if early else next(index for index, one in enumerate(found) if one.start <= offset < one.end)
        groups[place] = (*groups.get(place, ()), name)
    return groups


def _assignments(region: Region, item: Item) -> Iterator[Edit]:
    """Edits that make assignments of the `var`s inside a statement: the vendor's file declares them outside."""
    if item.form != "other":
        return
    seen: set[int] = set()
    for binding in region.scope.bindings.values():
        for place in binding.declarations:
            if not item.start <= place.start < item.end:
                continue
            node = item.node.descendant_for_byte_range(place.start, place.end)
            while node is not None and node.type not in ("variable_declaration", "for_in_statement"):
                node = node.parent
            assert node is not None
            if node.start_byte not in seen:
                seen.add(node.start_byte)
                yield from without_var(node)
