"""Modules moved out of a file that holds runtime, modules and entry together: webpack 5 without a runtime chunk.

`(()=>{var e={7:factory…},t={};function n(…){…} …runtime… (()=>{entry})()})();`

The entry runs as the file's script does, and its modules are required by then. With modules in another file, it runs
as soon as they are there: at once where the page lists the new chunk's script before this one, as it must, in the same
script, so that nothing changes for those who come after; else when the chunk arrives (`async` scripts). Only the code
that requires modules waits. All before it, the runtime, has no effect but on itself.

A runtime that loads chunks takes the new ones from its queue, and loads those that the page has not brought by its load
event; it is to be registered too (`registration.register`), with the paths of the new chunks. In a file without
chunks a queue is made, which nobody else has.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from v1z3r_build.bundlers.webpack import chunk
from v1z3r_build.bundlers.webpack.syntax import Edit, Refusal

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from v1z3r_build.bundlers.webpack.runtime import Runtime
    from v1z3r_build.formats.derivation import Derived

# t: the table of modules, k: one module of each new chunk, q: the queue, f: the code that waits, _: the require
# function. c starts the code once all modules are there.
_WAITING = (
    "(function(t,k,q,f,_){var d,c=function(){d||!k.every(function(i){return i in t})||(d=1,f())},"
    "p=q.push;%s c();d||(q.push=function(e){var r=p.apply(q,arguments);%s return c(),r})%s}"
)
# Without a runtime that takes chunks from the queue.
_TAKE = "var a=function(e){for(var i in e[1])t[i]=e[1][i]};q.forEach(a);"
_TAKE_ONE = "a(e);"
# What the page has not brought by its load event.
_LOAD = (
    ";var l=function(){d||%s.forEach(function(v){var s=[];_.f.j(v,s),s.forEach(function(x){x.catch(function(){})})})};"
    'd||("complete"===document.readyState?l():addEventListener("load",l))'
)


@dataclass(frozen=True, slots=True)
class OwnSplit:
    """What comes of a file with modules of its own. vendors: the text of each new chunk, by id."""

    edits: list[Edit]
    vendors: dict[str, Derived] = field(repr=False)


def move_own(runtime: Runtime, moves: Mapping[str, Collection[str]]) -> OwnSplit | Refusal:
    """Move modules of the runtime's own table into new chunks. moves: new chunk's id -> ids of modules.

    The edits go together with those of `register`, and do not overlap with them.
    Raises ValueError for a module that is not there, or that goes to two chunks.
    """
    own = runtime.own
    if own.start is None:
        return Refusal(own.refused)
    by_id = {module.id: module for module in own.modules}
    all_ids = [identity for ids in moves.values() for identity in ids]
    if not all(moves.values()) or len(set(all_ids)) < len(all_ids) or not by_id.keys() >= set(all_ids):
        raise ValueError("a new chunk without modules, a module that is not there, or one for two chunks")
    source = runtime.source
    queue = _queue(runtime, moves)
    licenses = [source[slice(*place)] for place in runtime.licenses]
    edits = [chunk.removal(source, by_id[identity]) for identity in all_ids]
    vendors = {}
    for vendor, ids in moves.items():
        moving = [module for module in own.modules if module.id in set(ids)]
        factories = [chunk.factory(source, module).directed for module in moving]
        vendors[vendor] = chunk.written(queue, vendor, factories, licenses, strict=False)
    keys = [next(iter(ids)) for ids in moves.values()]
    take, take_one = (_TAKE, _TAKE_ONE) if runtime.drain is None else ("", "")
    load = _LOAD % json.dumps(sorted(moves)) if "f.j" in runtime.members else ""
    waiting = _WAITING % (take, take_one, load)
    start, end = own.start
    before = b"0;" if own.in_sequence else b";"
    call = f"{waiting}({own.table},{json.dumps(keys)},".encode() + queue + b",function(){"
    edits += [Edit(start, start, before + call), Edit(end, end, b"\n}.bind(this),%s));" % runtime.require.encode())]
    return OwnSplit(edits, vendors)


def _queue(runtime: Runtime, moves: Mapping[str, Collection[str]]) -> bytes:
    """Where new chunks are put: the runtime's queue, or one of their own."""
    if runtime.drain is not None:
        return runtime.source[slice(*runtime.drain)]
    holder = b"self[%s]" % json.dumps("webpackChunk:" + "+".join(sorted(moves))).encode()
    return holder + b"=" + holder + b"||[]"
