"""How a pass tells how far it is."""

from __future__ import annotations

from typing import Protocol


class Progress(Protocol):
    """Told by passes, shown by whoever runs them."""

    def start(self, label: str, total: int) -> None:
        """A pass begins: its name, and the bytes that it will work on."""

    def advance(self, amount: int) -> None:
        """So many bytes more are done."""


class SilentProgress:
    """Progress that nobody watches."""

    def start(self, label: str, total: int) -> None:
        """Say nothing."""

    def advance(self, amount: int) -> None:
        """Say nothing."""
