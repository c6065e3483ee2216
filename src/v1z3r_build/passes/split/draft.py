"""A script cut apart in a worker, before its vendors have their own names.

A syntax tree takes more memory than all else that is known of a script. Who drafts needs it, who gives names does not:
so drafts hold nothing of it, and whoever has made one gives it up before asking for the answer.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Set

    from v1z3r_build.passes.split.answer import Answer


class Draft(Protocol):
    """labels: the vendors that are cut out. unsplit: the answer if that does not pay."""

    @property
    def labels(self) -> Set[str]: ...

    @property
    def unsplit(self) -> Answer: ...

    def answer(self) -> Answer:
        """The script and its vendors' files."""
        ...
