"""Links clicked in two browsers' tabs, the original's and the optimized site's, step by step."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from .chromium import visitor
from .comparison import Difference, compare
from .observation import Tab
from .walk import steps

if TYPE_CHECKING:
    from collections.abc import Callable

    from playwright.sync_api import Browser

    from .exports import Original
    from .observation import Served


def follow(
    browser: Browser, original: Original, optimized: Served, click_seconds: float = 60, tab: type[Tab] = Tab
) -> dict[str, list[Difference]]:
    """Click every link of every page and tell what differs: by step, only those with differences.

    A page's scripts live as long in both: a link that loads a new document where the original had none is a
    difference. A page is loaded by its address only where no link leads on. The first link that keeps its
    document is also followed back and forth with the browser's buttons. tab: how the optimized site is looked at.
    """
    ready_seconds = original.export.ready_seconds
    with visitor(browser) as first, visitor(browser) as second:
        pair = _Pair(Tab(first, original.served, ready_seconds), tab(second, optimized, ready_seconds))
        tried_buttons = False
        for step in steps(original.pages, original.hosting):
            if pair.address != original.pages[step.path].address:
                pair.open(step.path)
            name = f"{step.path} -> {step.target}"
            kept = pair.do(name, partial(Tab.click, target=step.target, seconds=click_seconds))
            if kept and not tried_buttons:
                pair.do(f"{name}, back", Tab.back)
                pair.do(f"{name}, forward", Tab.forward)
                tried_buttons = True
    return pair.differences


class _Pair:
    """Two tabs in which the same is done."""

    def __init__(self, original: Tab, optimized: Tab) -> None:
        self.original = original
        self.optimized = optimized
        self.address: str | None = None  # where the original is
        self.differences: dict[str, list[Difference]] = {}

    def open(self, path: str) -> None:
        """Load a page, which is compared elsewhere."""
        for tab in (self.original, self.optimized):
            tab.open(path)
            tab.observe()

    def do(self, name: str, act: Callable[[Tab], None]) -> bool:
        """Act in both tabs and compare; whether the original kept its document. It must be able to act."""
        self._act(self.original, act)
        before, kept = self.original.observe(), self.original.marked()
        # What fails already is no measure. (A page that is not there is answered with an error, too.)
        assert not [error for error in before.errors if error.startswith("uncaught ")], (name, before.errors)
        self.address = before.address
        try:
            self._act(self.optimized, act)
        except (LookupError, TimeoutError) as stuck:
            self.address = None  # the tabs have parted
            self.differences[name] = [Difference("address", "link", before.address, str(stuck))]
            return kept
        differences = compare(before, self.optimized.observe())
        if kept != self.optimized.marked():
            differences.append(Difference("reload", "document kept", str(kept), str(not kept)))
        if differences:
            self.differences[name] = differences
        return kept

    def _act(self, tab: Tab, act: Callable[[Tab], None]) -> None:
        tab.begin()
        tab.mark()
        act(tab)
