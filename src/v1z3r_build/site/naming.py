"""Names that hold the hash of what they name: given over the graph of references, and checked again.

A unit is a set of files that carry the same token (a script with its map and licence). A unit's token is a hash over
its own bytes, in which the tokens of the units that it refers to stand with their new values; units that refer to each
other in a circle are hashed together with the tokens inside the circle blanked. So a token changes exactly when the
unit or something that it refers to changes, and anyone who has the files can compute it again.

Bundlers give several files of a folder one name but for the token (Vite's `index-….js`; SvelteKit and Turbopack name
chunks by nothing else). Blanked, such namesakes could not be told apart: two in one circle, or two with equal bytes,
would get one name and one file would be lost. In place of a blank they carry the token that they came with.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

BLANK = b"\0"


def circles(graph: Mapping[str, Iterable[str]]) -> list[tuple[str, ...]]:
    """The strongly connected components of a graph, each after all that it refers to (Tarjan 1972).

    graph: node -> nodes that it refers to. Members of a component, and equals, come in sorted order.
    """
    order: dict[str, int] = {}
    low: dict[str, int] = {}
    stack: list[str] = []
    on_stack: set[str] = set()
    found: list[tuple[str, ...]] = []
    for root in sorted(graph):
        if root in order:
            continue
        work = [(root, iter(sorted(graph[root])))]
        order[root] = low[root] = len(order)
        stack.append(root)
        on_stack.add(root)
        while work:
            node, targets = work[-1]
            for target in targets:
                if target not in graph:
                    continue
                if target not in order:
                    order[target] = low[target] = len(order)
                    stack.append(target)
                    on_stack.add(target)
                    work.append((target, iter(sorted(graph[target]))))
                    break
                if target in on_stack:
                    low[node] = min(low[node], order[target])
            else:
                work.pop()
                if work:
                    parent = work[-1][0]
                    low[parent] = min(low[parent], low[node])
                if low[node] == order[node]:
                    members = []
                    while True:
                        member = stack.pop()
                        on_stack.discard(member)
                        members.append(member)
                        if member == node:
                            break
                    found.append(tuple(sorted(members)))
    return found


def namesakes(units: Mapping[str, Iterable[str]]) -> frozenset[str]:
    """The units of which a file has the same name as one of another unit, once tokens are blanked.

    units: unit -> the names of its files, tokens blanked.
    """
    owners: dict[str, set[str]] = {}
    for unit, names in units.items():
        for name in names:
            owners.setdefault(name, set()).add(unit)
    return frozenset(unit for sharers in owners.values() if len(sharers) > 1 for unit in sharers)


def fingerprint(files: Iterable[tuple[str, bytes]]) -> bytes:
    """The hash of a circle of units: its files by name, tokens of the circle blanked in names and bytes.

    Namesakes carry the token that they came with where others are blanked.
    """
    digest = hashlib.sha256()
    for name, data in sorted(files):
        for part in (name.encode("utf-8", "surrogateescape"), data):
            digest.update(len(part).to_bytes(8, "big"))
            digest.update(part)
    return digest.digest()


def draw(circle: bytes, unit: Sequence[str], length: int, alphabet: str) -> str:
    """A token of a unit in a circle: `length` characters of the alphabet, told by the hash alone.

    unit: the names of its files, tokens blanked but for namesakes; two units with equal bytes get different tokens,
    since two files with equal bytes are not the same file (a module is known by its URL).
    """
    name = "\n".join(sorted(unit)).encode("utf-8", "surrogateescape")
    number = int.from_bytes(hashlib.shake_256(circle + b"\n" + name).digest(length + 16), "big")
    letters = []
    for _ in range(length):
        number, letter = divmod(number, len(alphabet))
        letters.append(alphabet[letter])
    return "".join(letters)


def variant(before: str, after: str, length: int, alphabet: str, data: bytes) -> str:
    """The path of an image's variant, which refers to nothing: its token is told by its bytes alone.

    before, after: what stands around the token in the path. length: of the token, whose letters are of the alphabet.
    """
    blanked = before + "\0" * length + after
    return before + draw(fingerprint([(blanked, data)]), [blanked], length, alphabet) + after


def name_units(
    graph: Mapping[str, Iterable[str]],
    files: Callable[[Sequence[str], Mapping[str, str]], Iterable[tuple[str, bytes]]],
    token: Callable[[str, bytes], str],
) -> dict[str, str]:
    """The token of every unit in the graph.

    files(circle, named): the files of the circle's units, with the tokens in `named` filled in and those of
    the circle blanked but for namesakes. token(unit, fingerprint): the unit's token.
    """
    named: dict[str, str] = {}
    for circle in circles(graph):
        digest = fingerprint(files(circle, named))
        named.update({unit: token(unit, digest) for unit in circle})
    return named
