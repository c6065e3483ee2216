"""The start of a file that holds runtime, modules and entry together: webpack 5 without a runtime chunk.

`(()=>{var e={7:factory…},t={};function n(…){…} …runtime… (()=>{entry})()})();`

The entry runs as the file's script does, and its modules are there by then. With modules in other files it runs as soon
as they are there: at once where the page lists the new scripts before this one, as it must, in the same script, so that
nothing changes for those who come after; else when the last of them arrives (`async` scripts). Only the code that
requires modules waits. All before it, the runtime, has no effect but on itself.

- Each new chunk has a queue of its own, which is named after its content: the runtime's is shared by all runtimes of
  the build, in which the module of one id may differ by what each entry uses of it.
- What the page has not brought by its load event, at which every script that it lists has arrived or failed, is loaded
  from beside this file, under the address that its own script has.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, NamedTuple

from v1z3r_build.bundlers.webpack import syntax
from v1z3r_build.bundlers.webpack.syntax import Edit, Refusal
from v1z3r_build.formats.derivation import written
from v1z3r_build.formats.scopes import ScopeKind

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tree_sitter import Node

    from v1z3r_build.bundlers.webpack.runtime import Runtime
    from v1z3r_build.formats.derivation import Derived
    from v1z3r_build.formats.scopes import Scopes

# t: the table of modules; v: for each new chunk its queue and its file; f: the code that waits. Whether a module is
# there tells nothing: another entry's lazy chunk may have brought it. In ES5: a runtime may be for old browsers.
_WAITING = (
    "(function(t,v,f){var d,c=document.currentScript,"
    "h=function(x){return self[x[0]]=self[x[0]]||[]},"
    "g=function(){d||!v.every(function(x){return h(x).length})||(d=1,f())},"
    "a=function(e){for(var i in e[1])t[i]=e[1][i]},"
    "l=function(){c&&v.forEach(function(x){if(!h(x).length){"
    'var s=document.createElement("script");s.src=c.src.split(/[?#]/)[0].replace(/[^\\/]*$/,x[1]),'
    "c.crossOrigin&&(s.crossOrigin=c.crossOrigin),c.nonce&&(s.nonce=c.nonce),document.head.appendChild(s)}})};"
    "v.forEach(function(x){h(x).forEach(a)}),g(),d||(v.forEach(function(x){"
    "var q=h(x),p=q.push;q.push=function(e){var r=p.apply(q,arguments);return a(e),g(),r}}),"
    '"complete"===document.readyState?l():addEventListener("load",l))})'
)
# What makes a runtime a part of another build's page (module federation), which asks it for modules at once.
_FEDERATION = r"(?<![\w$.])%s\.(?:S|I)\s*=(?!=)"


class Arrival(NamedTuple):
    """A new chunk that a start waits for.

    identity: its id; file: the name of its file, which lies beside the old one.
    """

    identity: str
    file: str


def queue(identity: str) -> bytes:
    """Where a new chunk is put, as in `Chunk`."""
    holder = b"self[%s]" % json.dumps(_queue_name(identity)).encode()
    return holder + b"=" + holder + b"||[]"


def _queue_name(identity: str) -> str:
    return f"webpackChunk:{identity}"


def wait(runtime: Runtime, arrivals: Sequence[Arrival]) -> list[Edit] | Refusal:
    """Edits after which the start waits for new chunks. They lie at both ends of it, and overlap with none inside."""
    own = runtime.own
    if own.start is None:
        return Refusal(own.refused)
    start, end = own.start
    given = [[_queue_name(one.identity), one.file] for one in arrivals]
    opening, inner = _parting(runtime)
    call = f"{_WAITING}({own.table},{json.dumps(given, separators=(',', ':'))},function(){{".encode()
    return [Edit(start, start, opening + call + inner), Edit(end, end, b"\n}.bind(this));")]


def _parting(runtime: Runtime) -> tuple[bytes, bytes]:
    """What ends the code before the start, and what the start begins with: a sequence of expressions may be cut there.

    An operand that begins with `function` or a brace would be no expression at the start of a statement.
    """
    return (b"0;", b"0,") if runtime.own.in_sequence else (b";", b"")


def enclosed(runtime: Runtime) -> Derived | None:
    """The file with its start in a function of its own, called where it stands; None where there is no start.

    webpack puts the statements of an only entry among those of the runtime where no names clash ("avoidEntryIife").
    """
    own, source = runtime.own, runtime.source
    if own.start is None:
        return None
    start, end = own.start
    opening, inner = _parting(runtime)
    edits = [Edit(start, start, opening + b"(function(){" + inner), Edit(end, end, b"\n}).call(this);")]
    return written(source, 0, len(source), edits)


def objection(runtime: Runtime, scopes: Scopes, root: Node) -> Refusal | None:
    """Why the start may not wait, and not be put into a function, None if it may. scopes, root: the file's."""
    own, source = runtime.own, runtime.source
    if own.start is None:
        return Refusal(own.refused)
    for statement in syntax.named(root):
        is_directive = [one.type for one in statement.named_children] == ["string"]
        is_it = statement.start_byte <= own.start.start < statement.end_byte
        if not (is_it or is_directive or statement.type in ("empty_statement", "hash_bang_line")):
            return Refusal("other code stands beside it, which may ask for what it makes", statement.start_byte)
    code = source[own.place.end : own.start.start]
    if match := re.search((_FEDERATION % re.escape(runtime.require)).encode(), code):
        return Refusal("it shares its modules with other builds", own.place.end + match.start())
    for first, last in ((own.place.start, own.place.end), own.start):
        place = source.find(b"currentScript", first, last)
        if place >= 0:
            return Refusal("its modules ask for the script that runs", place)
    return _torn(runtime, scopes)


def _torn(runtime: Runtime, scopes: Scopes) -> Refusal | None:
    """A name that the start declares in the function around it, and that is used before it."""
    assert runtime.own.start is not None
    start, end = runtime.own.start
    for scope in scopes.scopes:
        if scope.kind is ScopeKind.GLOBAL or not scope.start <= start < end <= scope.end:
            continue
        for binding in scope.bindings.values():
            declared = any(start <= place.start < end for place in binding.declarations)
            places = [one.start for one in binding.declarations] + [one.start for one in binding.references]
            if declared and not all(start <= place < end for place in places):
                return Refusal(f"code before its start uses {binding.name}, which the start declares", start)
    return None
