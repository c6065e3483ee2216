"""Writing items of a scope anew, in another place: as statements, as assignments, with other names in them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from v1z3r_build.formats.derivation import Edit as Edit
from v1z3r_build.formats.derivation import joined
from v1z3r_build.formats.derivation import written as written

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from tree_sitter import Node

    from v1z3r_build.bundlers.items import Item
    from v1z3r_build.formats.derivation import Derived

# An expression that begins so would be read as another statement, or as a directive.
_NO_STATEMENT = re.compile(rb"(?:function|class|let|async|using)\b|[{\"'`]")


# What statements stand in one after the other; elsewhere a keyword or a bracket stands before each.
_LISTS = ("program", "statement_block", "switch_case", "switch_default", "class_static_block")


class Passage:
    """Statements in the making, as short as they can be written without a change of meaning."""

    def __init__(self, source: bytes) -> None:
        self._source = source
        self._pieces: list[bytes] = []
        self._open: tuple[str, int] = ("", 0)  # form and statement of what can still be gone on with by a comma

    def add(self, item: Item, edits: Sequence[Edit] = ()) -> None:
        """An item as it stands."""
        text = written(self._source, item.start, item.end, edits)
        if item.form == "declarator":
            self._join("declarator", item, text, item.keyword.encode() + b" ")
        elif item.form == "expression":
            self._join("expression", item, text, b"")
        elif item.form == "directive":
            self.statement(text, b";")
        elif item.form in ("comment", "hashbang"):
            # Of comments, `-->` is one at the start of a line only (ECMA-262, §B.1.1).
            before = b"\n" if text.startswith(b"-->") else b""
            self.statement(before, text, b"" if text.startswith(b"/*") else b"\n")
        elif item.form in ("function", "class"):
            self.statement(text)
        else:
            self.statement(text, b"" if text.endswith(b";") else b";")

    def assign(self, item: Item, edits: Sequence[Edit] = ()) -> None:
        """An item whose bindings are declared elsewhere: what remains is to give them their values."""
        node = item.node
        text = written(self._source, item.start, item.end, edits)
        if item.form == "class":
            name = node.child_by_field_name("name")
            assert name is not None
            own = written(self._source, name.start_byte, name.end_byte)
            self._join("assignment", item, joined((own, b"=", text)), b"")
        elif item.form == "declarator":
            target, value = node.child_by_field_name("name"), node.child_by_field_name("value")
            if value is None:
                return
            assert target is not None
            brackets = target.type == "object_pattern"
            self._join("assignment", item, joined((b"(", text, b")")) if brackets else text, b"")
        else:
            self.add(item, edits)

    def statement(self, *parts: bytes) -> None:
        """A whole statement."""
        self._close()
        self._pieces += parts

    def statements(self, texts: Iterable[bytes]) -> None:
        """Whole statements."""
        for text in texts:
            self.statement(text)

    def text(self) -> Derived:
        self._close()
        return joined(self._pieces)

    def _join(self, form: str, item: Item, text: Derived, opening: bytes) -> None:
        # Only neighbours that were joined before are joined again: one keyword, no line of 500 kB where there was none.
        if self._open == (form, item.statement):
            self._pieces += (b",", text)
            return
        self._close()
        if form != "declarator" and _NO_STATEMENT.match(text):
            text = joined((b"(", text, b")"))
        self._pieces += (opening, text)
        self._open = (form, item.statement)

    def _close(self) -> None:
        if self._open[0]:
            self._pieces.append(b";")
        self._open = ("", 0)


def without_var(source: bytes, declaration: Node, around: Node | None) -> Iterator[Edit]:
    """Edits that make assignments of a `var` declaration, or of the head of a `for (var x of …)`.

    around: what it stands in, None for a scope's own statement.
    It gets a semicolon in front where a new line alone may end the statement before: a pattern begins with a bracket.
    """
    if declaration.type == "for_in_statement":
        keyword = next(child for child in declaration.children if child.type == "var")
        target = declaration.child_by_field_name("left")
        assert target is not None
        # `for (async of` and `for (let of` begin something else (ECMA-262, §14.7.5).
        brackets = (b"(", b")") if target.text in (b"async", b"let") else (b"", b"")
        yield Edit(keyword.start_byte, target.start_byte, brackets[0])
        value, right = declaration.child_by_field_name("value"), declaration.child_by_field_name("right")
        if value is None:
            yield Edit(target.end_byte, target.end_byte, brackets[1])
        else:
            # Sloppy code's `for (var x = 1 in …)` (§B.3.5) is evaluated in that order.
            assert right is not None
            first = b"(%s=%s," % (target.text or b"", value.text or b"")
            yield Edit(target.end_byte, value.end_byte, brackets[1] + b" ")
            yield Edit(right.start_byte, right.start_byte, first)
            yield Edit(right.end_byte, right.end_byte, b")")
        return
    opening = b";" if around is not None and may_go_on(source, declaration, around) else b""
    yield Edit(declaration.start_byte, declaration.named_children[0].start_byte, opening)
    for declarator in declaration.named_children:
        target = declarator.child_by_field_name("name")
        if declarator.type == "variable_declarator" and target is not None and target.type == "object_pattern":
            yield Edit(declarator.start_byte, declarator.start_byte, b"(")
            yield Edit(declarator.end_byte, declarator.end_byte, b")")


def may_go_on(source: bytes, statement: Node, around: Node) -> bool:
    """Whether a statement, if it began with a bracket, could be read as part of the one before it.

    around: what it stands in.
    """
    if around.type not in _LISTS:
        return False
    # Beyond the line may be a comment, with whatever at its end; a semicolon too many does no harm.
    before = source[max(statement.start_byte - 9, 0) : statement.start_byte].rstrip(b" \t")
    return not before.endswith((b";", b"{", b"}", b":"))


def fresh(taken: Iterable[str]) -> Iterator[str]:
    """Names that nothing bears yet."""
    known = set(taken)
    number = 0
    while True:
        name = f"_{number:x}"
        number += 1
        if name not in known:
            yield name
