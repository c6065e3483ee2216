"""A unit of heavy work, and what can become of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable

Reason = Literal["raised", "crashed", "timeout", "memory"]


@dataclass(frozen=True, slots=True)
class Call:
    """One unit of heavy work.

    key: names it in one run, usually the asset's path.
    function: pure, at the top level of a module that can be imported (not of the main program).
    arguments: picklable; a `Path` among them is replaced by the bytes of that file, which the child itself reads. Those
    of many calls can be given by what makes them of the key: always the same, and not before they are asked for.
    weight: the bytes to be worked on; the heaviest call starts first.
    seconds: time limit, 0 for none.
    cached: whether a value is one for later runs, too: `always`, unless a time limit may have shaped it; None for
    calls that take no longer than a look-up. Of cached calls, results depend on nothing but arguments and engines, and
    are plain values and records of this package.
    """

    key: str
    function: Callable[..., Any]
    arguments: tuple[Any, ...] | Callable[[str], tuple[Any, ...]]
    weight: int
    seconds: float = 0.0
    cached: Callable[[Any], bool] | None = None

    def given(self) -> tuple[Any, ...]:
        """The arguments."""
        return self.arguments(self.key) if callable(self.arguments) else self.arguments

    def is_like(self, other: Call) -> bool:
        """Whether it is the same work, whatever it is called."""
        return self.function is other.function and self.given() == other.given()


class Failure(NamedTuple):
    """Why a call has no value.

    reason: raised (the function raised an exception), crashed (its process died), timeout (it was ended after
    its time limit), memory (it asked for more than the limit).
    """

    reason: Reason
    message: str


class Outcome(NamedTuple):
    """What became of one call: the value that the function returned, or a failure."""

    key: str
    value: Any = None
    failure: Failure | None = None


def always(_: Any) -> bool:
    """Any value is one for later runs."""
    return True
