"""Calls that a later pass will probably make, and what came of those that were made ahead.

Passes run one after another, for each works on the whole site as the one before has left it. While one ends with a
single long call, such as taking apart the site's one large script, all other children would wait. Functions are pure:
a guess that was wrong costs time that nobody used, never a byte of the output.
"""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Any

from v1z3r_build.workers.recall import pinned

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from v1z3r_build.workers.cache import Cache
    from v1z3r_build.workers.call import Call, Outcome

    Work = tuple[Callable[..., Any], tuple[Any, ...]]

_MOST = 64 << 20  # bytes of calls made ahead, whose values, seldom larger, are held until somebody asks for them


class Foresight:
    """What is foreseen, each of it begun once at most."""

    def __init__(self, cache: Cache | None) -> None:
        """cache: what it holds need not be made ahead."""
        self._cache = cache
        self._foreseen: Iterator[Call] = iter(())
        self._begun: set[Work] = set()
        self._functions: set[Callable[..., Any]] = set()
        self._outcomes: dict[Work, Outcome] = {}
        self._weight = 0

    def expect(self, calls: Iterable[Call]) -> None:
        """Foresee these, and no longer those which were foreseen before and are not begun."""
        # To ask for each in a cache of others would take longer than many of them.
        if self._cache is None or not self._cache.is_shared:
            self._foreseen = iter(calls)

    def begin(self) -> Call | None:
        """The next one to make, None if there is none."""
        with suppress(OSError):  # of a file that is gone: whoever wants it says so, not a run that does not
            for call in self._foreseen:
                if self._weight + call.weight > _MOST or (self._cache is not None and not self._cache.lacks(call)):
                    continue
                certain = call if self._cache is None else pinned(call, self._cache.keys)
                if (work := _work(certain)) not in self._begun:
                    self._begun.add(work)
                    self._functions.add(call.function)
                    self._weight += call.weight
                    return certain
        return None

    def keep(self, call: Call, outcome: Outcome) -> None:
        """What came of one that was begun."""
        self._outcomes[_work(call)] = outcome

    def hand_over(self, call: Call) -> None:
        """One that was begun is wanted before it is done: its value will not be held."""
        self._weight -= call.weight

    def outcome(self, call: Call) -> Outcome | None:
        """What came of such a call, None if it was not made, or not yet. It is let go of."""
        if call.function not in self._functions or (found := self._outcomes.pop(_work(call), None)) is None:
            return None
        self._weight -= call.weight
        return found._replace(key=call.key)


def _work(call: Call) -> Work:
    return call.function, call.given()
