"""New chunks made known to a runtime: whoever loads or awaits an old chunk loads and awaits its vendor chunks too.

What this rests on, in webpack's runtime (X is the require function, see `runtime`):

- **Order of arrival.** Scripts may run in any order (`async`). Chunks that run before the runtime wait in the
  queue, which it drains at the end of its start; entries run during that. So all is put into the expression that
  makes the queue: after `X.u`, `X.f.j` and `X.O.j` were assigned, before the first chunk is installed.
- **Lazy loading.** Every way to load a chunk leads through `X.f.j`: `X.e` calls it (alone, in the newest webpack,
  or as one member of `X.f`), and so do Next's flight rows and module federation by `X.e`. It is wrapped: for an old
  chunk it is called for the vendor's as well, on the same list of promises. A handler of its own, `X.f.v`, would
  never be called by the newest webpack. A load that fails rejects `X.e` as any chunk's does, and the next call
  tries anew.
- **Entries** run when `X.O.j(id)` is true for all chunks that they list. It is wrapped, too: an old chunk counts as
  there only when its vendor chunks are. A handler beside it, `X.O.v`, would be asked by older runtimes only, and
  only after `X.O.j` was true. Every chunk that arrives, the vendor's included, makes the runtime ask again.
- **Pages that list the old chunk only** (another site's, or a route table that could not be edited): when an entry
  waits for a vendor chunk whose old chunk is there, the page's load event, at which every script that the page
  lists has arrived or failed, starts its load. Not earlier: a script of the page that is on its way would run twice
  where its address is written in another way than `X.p + X.u(id)`, and the public path may be assigned by the first
  entry.
- **Prefetch and preload** (`X.F.j`, `X.H.j`) take the vendor's along.

webpack 4 has no such hooks: `X.e` is wrapped, the address table gets the new paths, and every list of entries gets
the vendor chunks of the chunks that it lists, and of the chunk that brings it. Only pages that list the vendor's
script can start an entry there. webpack 5 before 5.22 has `X.f.j`, but lists of entries as webpack 4.

A page with several runtimes needs all of them registered that share the old chunk.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from v1z3r_build.bundlers.webpack import syntax
from v1z3r_build.bundlers.webpack.syntax import Edit, Refusal

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from v1z3r_build.bundlers.webpack.runtime import Lists, Runtime

# Statements of a function whose parameter `_` is the require function. n: old chunk -> vendor chunks, p: vendor
# chunk -> path. In ES5: a runtime may be written for browsers that know nothing newer.
_KEPT = {"u": "u", "j": "f.j", "o": "O.j", "F": "F.j", "H": "H.j"}
_NAMES = "_.u=function(e){return e in p?p[e]:u.apply(this,arguments)}"
_LOADING = "_.f.j=function(e,t,q){(n[e]||[]).forEach(function(v){j(v,t,q)}),j(e,t,q)}"
_PREFETCH = "_.F.j=function(e){(n[e]||[]).forEach(F),F(e)}"
_PRELOAD = "_.H.j=function(e){(n[e]||[]).forEach(H),H(e)}"
_WAITING = "_.O.j=function(e){var r=o(e),k=r;return(n[e]||[]).forEach(function(v){o(v)||(r&&w(v),k=!1)}),k}"
# w: the runtime loads what the page has not brought by its load event. A failure shows in the console as that of a
# page's script does. s: the chunks for which the event is awaited.
_STARTING = (
    "var s={__proto__:null},"
    "l=function(v){var t=[];o(v)||j(v,t),t.forEach(function(q){q.catch(function(){})})},"
    'w=function(v){"complete"===document.readyState?l(v):s[v]||'
    '(s[v]=1,addEventListener("load",function(){l(v)}))}'
)
_NOT_STARTING = "var w=function(){}"
_REQUIRING = (
    "var i=_.e;_.e=function(e){var r=i(e);return n[e]?"
    "Promise.all([r].concat(n[e].map(i))).then(function(){return r}):r}"
)


def register(runtime: Runtime, needs: Mapping[str, Sequence[str]], paths: Mapping[str, str]) -> list[Edit] | Refusal:
    """Edits of the runtime's file after which every old chunk brings its vendor chunks along.

    needs: old chunk's id -> ids of the vendor chunks that it needs. paths: vendor chunk's id -> its path as `X.u`
    gives it, below the public path (Next: `static/chunks/x.js`; webpack 4: `x.js`). A runtime that does not load
    (`Runtime.loads`) or in which no entry waits (`Runtime.awaits`) is registered as far as it goes: with the
    first, every page must list the vendor's script; with the second, the chunks may have no callback.
    Raises ValueError for a vendor chunk without a path.
    """
    vendors = sorted({vendor for several in needs.values() for vendor in several})
    missing = [vendor for vendor in vendors if vendor not in paths]
    if missing:
        raise ValueError(f"no path for the chunks {missing}")
    if runtime.drain is None:
        return Refusal("the runtime loads no chunks")
    if not runtime.loads and not runtime.awaits:
        return Refusal("the runtime neither loads chunks nor waits for them", runtime.drain.start)
    refused = [vendor for vendor in sorted(paths) if not _is_loaded(runtime, vendor)]
    if refused:
        return Refusal(f"the runtime takes {refused[0]} for a chunk without a script", runtime.drain.start)
    edits = _listed(runtime.lists, needs) if runtime.lists is not None else []
    tables = f"var n={_table(needs)},p={_table(paths)}"
    if runtime.version == 5:
        return [*edits, _installed(runtime, [tables, *_five(runtime)])]
    if runtime.names is not None:
        (start, end), identity = runtime.names
        prefix = f"({identity} in {_table(paths)}?{runtime.require}.p+{_table(paths)}[{identity}]:"
        edits += [Edit(start, start, prefix.encode()), Edit(end, end, b")")]
        edits.append(_installed(runtime, [tables, _REQUIRING]))
    return edits


def _is_loaded(runtime: Runtime, vendor: str) -> bool:
    return all((pattern.match(vendor) is not None) == wanted for pattern, wanted in runtime.matchers)


def _table(values: Mapping[str, str] | Mapping[str, Sequence[str]]) -> str:
    """An object literal. Without a prototype, no id such as "constructor" is ever found by mistake."""
    pairs = (f",{json.dumps(key)}:{json.dumps(value, separators=(',', ':'))}" for key, value in sorted(values.items()))
    return "".join(["{__proto__:null", *pairs, "}"])


def _five(runtime: Runtime) -> list[str]:
    has = runtime.members.keys()
    code = ["var " + ",".join(f"{name}=_.{member}" for name, member in _KEPT.items() if member in has)]
    if "f.j" in has:
        code += [_NAMES, _LOADING]
    if "O.j" in has:
        code += [_STARTING if "f.j" in has else _NOT_STARTING, _WAITING]
    code += [_PREFETCH] if "F.j" in has else []
    code += [_PRELOAD] if "H.j" in has else []
    return code


def _installed(runtime: Runtime, statements: list[str]) -> Edit:
    """The edit that runs statements just before the queue is made."""
    assert runtime.drain is not None, "a runtime without a queue cannot be registered"
    start, end = runtime.drain
    code = ";".join(statements).encode()
    require = runtime.require.encode()
    return Edit(start, end, b"(function(_){%s}(%s),%s)" % (code, require, runtime.source[start:end]))


def _listed(lists: Lists, needs: Mapping[str, Sequence[str]]) -> list[Edit]:
    """Edits that add vendor chunks to lists of entries: those of chunks as they come in, and the runtime's own."""
    edits = []
    for chunks, end in lists.own:
        added = list(dict.fromkeys(vendor for chunk in chunks for vendor in needs.get(chunk, ())))
        if added:
            edits.append(Edit(end, end, b"".join(b"," + syntax.id_literal(vendor) for vendor in added)))
    # `d[0]` are the chunk's own ids; in a list, all but the first are chunks.
    code = (
        f"!function(n,d){{(d[{lists.index}]||[]).forEach(function(l){{"
        "l.slice(1).concat(d[0]).forEach(function(c){(n[c]||[]).forEach(function(v){l.push(v)})})})}"
        f"({_table(needs)},{lists.data});"
    )
    edits.append(Edit(lists.callback, lists.callback, code.encode()))
    return edits
