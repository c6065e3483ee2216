"""esbuild as the independent reader of scripts: it prints what it parsed in one canonical form.

esbuild-py is one function that aborts the process on very deep nesting and may take long: only for guarded
children. Its wheels exist for some platforms only.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, cast

if TYPE_CHECKING:
    from collections.abc import Callable


@cache
def _transform() -> Callable[[str], str] | None:
    try:
        from esbuild_py import transform
    except (ImportError, OSError):  # OSError: the shared library does not fit this platform
        return None
    return cast("Callable[[str], str]", transform)


def available() -> bool:
    """Whether this platform has the wheel."""
    return _transform() is not None


def printed(text: str) -> str:
    """The script as esbuild prints it: equal for scripts with equal syntax trees.

    '' for a syntax error, and for a script without statements. The text must hold no NUL: esbuild-py cuts
    there in silence. Raises RuntimeError where the wheel is missing; ask `available` first.
    """
    transform = _transform()
    if transform is None:
        raise RuntimeError("esbuild-py is not available on this platform")
    return transform(text)
