"""From a tree's root down to places of its text, one after the other.

tree-sitter finds a node's parent, or a place, by a walk from the root along all nodes before it. Where a program is one
list of 100,000 statements, or one expression 100,000 deep, to ask for many places takes the square of that.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tree_sitter import Node


class Descent:
    """A walk down one tree that goes on from where it was."""

    def __init__(self, root: Node) -> None:
        """root: below which the places are; also a part of a tree."""
        self._cursor = root.walk()
        self._path = [root]

    def to(self, start: int, end: int) -> Sequence[Node]:
        """The nodes that span the bytes from start to end, outermost first: the last is the smallest one.

        Each place must begin where the one before did, or behind that. The list is good until the next place is asked
        for.
        """
        cursor, path = self._cursor, self._path
        while len(path) > 1 and not (path[-1].start_byte <= start and end <= path[-1].end_byte):
            # The place may be in what comes next, of which all before need not be seen again.
            if path[-1].end_byte <= start and cursor.goto_next_sibling():
                node = cursor.node
                assert node is not None
                path[-1] = node
            else:
                cursor.goto_parent()
                path.pop()
        while cursor.goto_first_child_for_byte(start) is not None:
            node = cursor.node
            assert node is not None
            if not (node.start_byte <= start and end <= node.end_byte):
                cursor.goto_parent()
                break
            path.append(node)
        return path
