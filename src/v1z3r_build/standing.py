"""A site whose output stands already: both folders are as a run has left them, and all that did the work is the same.

Neither is read then: the times that no program can set (see `site.snapshot`) and the identities of all files are those
that were noted after the run. A fresh checkout has others, and is optimized by what the cache holds. Not on Windows,
where any program can set all times.
"""

from __future__ import annotations

import hashlib
import json
import os
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

from v1z3r_build import settings as setting
from v1z3r_build.runs import Order, Result
from v1z3r_build.site import snapshot

if TYPE_CHECKING:
    from v1z3r_build.site.snapshot import Standing
    from v1z3r_build.workers.cache import Cache

_TICK = 20_000_000  # nanoseconds: file systems take their times from a clock that ticks every 1 to 10 ms


class Watch:
    """Watches one run: whether it is needed, and what it leaves. To be made before the site is read."""

    def __init__(self, order: Order, cache: Cache) -> None:
        self._order = order
        self._cache = cache
        self._source, self._output = (Path(os.path.realpath(one)) for one in (order.source, order.output))
        self._before = _standing(self._source) if self._is_possible() else None
        self._noted = self._cache.noted(self._key()) if self._before is not None else None

    @property
    def is_repeated(self) -> bool:
        """Whether this run has been made before, so that the cache holds all that has not changed since."""
        return self._noted is not None

    def known(self) -> Result | None:
        """The result of the run whose output stands, None if there is none."""
        if self._before is None or self._noted is None:
            return None
        found = self._noted.value
        if found["site"] != self._before.digest or found["output"] != self._state_of_output():
            return None
        order, summary, diagnostics = self._order, found["summary"], found["diagnostics"]
        if order.strict and any(one.level == "warning" for one in diagnostics):
            return None
        release = found["release"]
        stands = "was optimized already" if order.target is None else f"holds what {order.source} gives already"
        told = f"{order.output} {stands}; release {release[:16]}"
        return Result("unchanged", summary, release, order.output, told, diagnostics=diagnostics)

    def note(self, result: Result) -> None:
        """Remember what a run has left, if nothing has touched it since."""
        if self._before is None or result.manifest is None or result.outcome not in ("published", "unchanged"):
            return
        done = time.time_ns()
        time.sleep(_TICK / 1e9)
        after = _standing(self._output)
        if after is not None and after.changed > done:
            return
        site = self._before if self._source != self._output else after
        if after is None or site is None:
            return
        self._cache.note(
            self._key(),
            {
                "site": site.digest,
                "output": after.digest,
                "release": result.release,
                "summary": result.summary,
                "diagnostics": result.manifest.diagnostics,
            },
        )

    def _is_possible(self) -> bool:
        """Whether nothing else counts than the folders and the settings."""
        order = self._order
        foreign = order.settings.minify.engines or order.settings.split.packages
        special = order.force or order.dry_run or order.previous is not None
        return sys.platform != "win32" and not foreign and not special

    def _key(self) -> bytes:
        names = [os.fsencode(one).hex() for one in (self._source, self._output)]
        words = ["standing 1", self._cache.engines, setting.digest(self._order.settings), *names]
        return hashlib.sha256(json.dumps(words).encode()).digest()

    def _state_of_output(self) -> bytes:
        assert self._before is not None
        return self._before.digest if self._source == self._output else snapshot.standing(self._output).digest


def _standing(root: Path) -> Standing | None:
    """A folder as it stands, None if it may change once more without a trace, or is none."""
    if not root.is_dir():
        return None
    found = snapshot.standing(root)
    return found if found.changed < time.time_ns() - _TICK else None
