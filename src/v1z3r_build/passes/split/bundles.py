"""webpack's bundles: files that hold runtime, modules and start together; one at a time, in a worker.

Whole modules move, and of those that are inlined in the start, the vendor's items. The start waits for the new files.
"""

from __future__ import annotations

import posixpath
from typing import TYPE_CHECKING

from v1z3r_build.bundlers.webpack import entry
from v1z3r_build.bundlers.webpack.entry import Arrival
from v1z3r_build.bundlers.webpack.runtime import Runtime, read_runtime
from v1z3r_build.bundlers.webpack.syntax import Refusal
from v1z3r_build.formats.derivation import Derived
from v1z3r_build.formats.engines.script_syntax import parse
from v1z3r_build.formats.scope_analysis import analyse_script
from v1z3r_build.formats.scopes import Refused
from v1z3r_build.formats.source_maps import Span
from v1z3r_build.passes.split.answer import Answer, not_split
from v1z3r_build.passes.split.chunks import Collection, Inlined, draft_modules

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence, Set

    from tree_sitter import Node, Tree

    from v1z3r_build.bundlers.webpack.syntax import Edit
    from v1z3r_build.formats.scopes import Scopes
    from v1z3r_build.passes.split.answer import VendorFile
    from v1z3r_build.passes.split.draft import Draft
    from v1z3r_build.passes.split.labels import Wanted

# A start that holds less has no vendor in it, and is not put into a function of its own.
_INLINED = 4_000
_ALL = 0.9


def draft_bundle(
    path: str, wanted: Wanted, told: Sequence[Span], data: bytes, tree: Tree, chosen: Set[str] | None
) -> Draft | Answer | None:
    """Cut one bundle of webpack's apart; None for a script that is none.

    told: as of Labels. tree: the script's. chosen: the vendors to take out, all if None.
    """
    runtime = read_runtime(data, tree)
    if runtime is None or not _is_all(runtime, data, tree):
        return None
    try:
        found = _readable(runtime, tree)
    except Refused as refused:
        found = Refusal(str(refused))
    if isinstance(found, Refusal):
        return Answer(path, diagnostics=(not_split(path, f"{found.reason} (at byte {found.offset})"),))
    runtime, scopes, root = found
    own = runtime.own

    def finish(made: Mapping[str, VendorFile]) -> Sequence[Edit]:
        arrivals = [Arrival(one.chunk, posixpath.basename(one.path)) for one in made.values()]
        edits = entry.wait(runtime, arrivals)
        assert not isinstance(edits, Refusal), "a start that was not looked at"
        return edits

    inlined = [Inlined(block, runtime.require) for block in own.bodies]
    collection = Collection(
        runtime.source, own.modules, own.strict, runtime.licenses, entry.queue, runtime.queue_name, finish, inlined
    )
    return draft_modules(Answer(path), collection, scopes, root, wanted, _carried(told, runtime.source), chosen)


def _carried(told: Sequence[Span], text: bytes) -> Sequence[Span]:
    """What is told of a script, told of the text that was made of it."""
    if not isinstance(text, Derived):
        return told
    ends = [*text.places[1:], len(text)]
    return [
        Span(
            max(span.start, origin) - origin + place, min(span.end, origin + end - place) - origin + place, span.source
        )
        for place, origin, end in zip(text.places, text.origins, ends, strict=True)
        if origin >= 0
        for span in told
        if span.start < origin + end - place and span.end > origin
    ]


def _is_all(runtime: Runtime | Refusal, data: bytes, tree: Tree) -> bool:
    """Whether a runtime with modules is what a script is, nearly: any script may hold a library that is a bundle."""
    if isinstance(runtime, Runtime) and not runtime.own.table:
        return False
    place = runtime.offset if isinstance(runtime, Refusal) else runtime.own.place.start
    statements = tree.root_node.named_children
    return any(
        one.start_byte <= place < one.end_byte and one.end_byte - one.start_byte >= _ALL * len(data)
        for one in statements
    )


def _readable(runtime: Runtime | Refusal, tree: Tree) -> tuple[Runtime, Scopes, Node] | Refusal:
    """A bundle whose start can wait and be looked into. Raises Refused."""
    if isinstance(runtime, Refusal):
        return runtime
    scopes = analyse_script(runtime.source, tree)
    if objection := entry.objection(runtime, scopes, tree.root_node):
        return objection
    own = runtime.own
    assert own.start is not None
    if any(block.end - block.start >= _INLINED for block in own.bodies) or own.start.end - own.start.start < _INLINED:
        return runtime, scopes, tree.root_node
    enclosed = entry.enclosed(runtime)
    if enclosed is None:
        return runtime, scopes, tree.root_node
    found = parse(enclosed)
    again = read_runtime(enclosed, found)
    if not isinstance(again, Runtime) or not again.own.bodies:
        return runtime, scopes, tree.root_node
    return again, analyse_script(enclosed, found), found.root_node
