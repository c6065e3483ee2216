"""Which calls of a run the cache answers, and what it learns from the others."""

from __future__ import annotations

from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

from v1z3r_build.workers.call import Call, Outcome
from v1z3r_build.workers.child import Expected

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from typing import Any

    from v1z3r_build.workers.cache import Cache
    from v1z3r_build.workers.cache.keys import Keys

_AT_ONCE = 256  # calls whose entries are fetched together from a cache that others share


class Recall:
    """One run's look into the cache. unknown: the calls that have to be made, in the order in which they came."""

    def __init__(self, cache: Cache) -> None:
        self.unknown: list[Call] = []
        self._cache = cache
        self._keys: dict[str, tuple[bytes, Callable[[Any], bool]]] = {}

    def known(self, calls: Iterable[Call]) -> Iterator[Outcome]:
        """The outcomes that the cache holds."""
        rest = iter(calls)
        while some := list(islice(rest, _AT_ONCE)):
            keys = {call.key: key for call in some if call.cached and (key := self._key(call)) is not None}
            self._cache.fetch(list(keys.values()))
            for call in some:
                key = keys.get(call.key)
                found = self._cache.find(key) if key is not None else None
                if found is not None:
                    yield Outcome(call.key, found.value)
                elif key is not None and call.cached is not None:
                    self._keys[call.key] = key, call.cached
                    self.unknown.append(pinned(call, self._cache.keys))
                else:
                    self.unknown.append(call)

    def learn(self, outcome: Outcome) -> None:
        """Remember a value. Never a failure: what was given up once may succeed the next time."""
        key, lasts = self._keys.pop(outcome.key, (b"", None))
        if lasts is not None and outcome.failure is None and lasts(outcome.value):
            self._cache.remember(key, outcome.value)

    def _key(self, call: Call) -> bytes | None:
        return self._cache.key(call.function, call.given())


def pinned(call: Call, keys: Keys) -> Call:
    """The call for the very bytes that its key is made of, should a file change now."""

    def arguments(_: str) -> tuple[Any, ...]:
        return tuple(Expected(one, keys.file(one)) if isinstance(one, Path) else one for one in call.given())

    return replace(call, arguments=arguments)
