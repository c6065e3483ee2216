"""What a factory asks of its context, the first parameter; and how a vendor's factory is written with it.

Read off the runtimes of Next 15.3 to 16.4: the context is an object of the module's own, but most that modules ask of
it is the same whichever module asks. `i`, `r`, `A` and `R` look up another module (who asks for it is only told if it
is missing). `s`, `S`, `j`, `v`, `n` and `q` give a module its exports: to the module whose id is the second argument,
else to the asking one. That id goes straight into the runtime's cache: modules that are merged into one factory ("scope
hoisting", from 15.4 on) come to be while it runs. So `e.i(K)` may ask for a module that no chunk brings, and must then
run after the `e.s(…, K)`, wherever both stand. `g` is the global object. All others are the module's own, as `m`, `e`
and `a` are, or name files of the app's build, as `l`, `L` and `b` do.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from v1z3r_build.bundlers.factories import Dialect
from v1z3r_build.bundlers.turbopack.chunks import identifier_of
from v1z3r_build.formats.derivation import joined

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tree_sitter import Node

    from v1z3r_build.bundlers.turbopack.chunks import Id

_REGISTERS = frozenset((b"s", b"S", b"j", b"v", b"n", b"q"))
_READS = frozenset((b"i", b"r", b"A", b"R"))


def is_free(use: Node) -> bool:
    """Whether a use of the context means the same in another module's factory. use: the identifier."""
    member = _member(use)
    if member == b"g":
        return True
    arguments = _arguments(use)
    return arguments is not None and (member in _READS or (member in _REGISTERS and len(arguments) == 2))


def required(use: Node) -> Id | None:
    """The module that a use of the context asks for, None if it asks for none, or for one that is told at run time."""
    arguments = _arguments(use)
    if arguments is None or _member(use) not in _READS or len(arguments) != 1:
        return None
    return identifier_of(arguments[0])


def registered(use: Node) -> Id | None:
    """The module that a use of the context gives exports, None if that is the asking one, or it does something else."""
    arguments = _arguments(use)
    if arguments is None or _member(use) not in _REGISTERS or len(arguments) != 2:
        return None
    return identifier_of(arguments[1])


def dialect(context: str) -> Dialect:
    """How factories refer to a vendor's, which `v` and `r` make independent of what the runtime does with name spaces.

    What a vendor's factory gives is a function that makes all that the vendor has: a factory that several modules
    share runs again if a run of it fails, or if it asks for one of those modules itself, and each run has its own.
    context: the first parameter of the old factory.
    """

    def frame(directives: bytes, pairs: Sequence[tuple[str, str]]) -> tuple[bytes, bytes]:
        getters = ",".join(f"get {key}(){{return {value}}}" for key, value in pairs)
        # Arrows: like most factories they have no `this` and no `arguments` of their own.
        head = joined((f"{context}=>{{".encode(), directives, f"{context}.v(()=>{{".encode()))
        return head, f"return{{{getters}}}}})}}".encode()

    return Dialect(context, is_free, lambda one: f'{context}.r("{one}")()', frame)


def _member(use: Node) -> bytes:
    """The name in `context.name`."""
    access = use.parent
    if access is None or access.type != "member_expression" or access.child_by_field_name("object") != use:
        return b""
    name = access.child_by_field_name("property")
    return (name.text or b"") if name is not None else b""


def _arguments(use: Node) -> list[Node] | None:
    """What `context.name(…)` is given; None if nothing is called, or with a spread."""
    access = use.parent
    call = access.parent if access is not None and _member(use) else None
    if call is None or call.type != "call_expression" or call.child_by_field_name("function") != access:
        return None
    arguments = call.child_by_field_name("arguments")
    if arguments is None or arguments.type != "arguments":
        return None
    given = [child for child in arguments.named_children if child.type != "comment"]
    return None if any(one.type == "spread_element" for one in given) else given
