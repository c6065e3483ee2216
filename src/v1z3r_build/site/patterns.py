"""Patterns of paths, as settings give them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

_PART = re.compile(r"(?P<folders>\*\*/)|(?P<anything>\*\*)|(?P<name>\*)|(?P<one>\?)|(?P<set>\[!?\]?[^\]/]*\])|.", re.S)


def matcher(patterns: Iterable[str]) -> Callable[[str], bool]:
    """Whether a path of the site fits one of the patterns.

    Shell style: `*` and `?` stay within a folder, `**` goes over folders, `[ab]` and `[!ab]` are sets. A pattern
    without a slash is matched against the name in any folder; one that ends in a slash, against all below it.
    """
    expressions = [_expression(pattern) for pattern in patterns if pattern.strip("/")]
    if not expressions:
        return lambda _: False
    joined = re.compile("|".join(expressions))
    return lambda path: joined.fullmatch(path) is not None


def _expression(pattern: str) -> str:
    rooted = "/" in pattern.rstrip("/")
    whole = pattern.removeprefix("/") + ("**" if pattern.endswith("/") else "")
    return ("" if rooted else r"(?:.*/)?") + "".join(_translated(match) for match in _PART.finditer(whole))


def _translated(match: re.Match[str]) -> str:
    text = match.group()
    if match.lastgroup == "set":
        inside = text[1:-1].replace("\\", r"\\").replace("[", r"\[")
        return f"(?!/)[^{inside[1:]}]" if inside.startswith("!") else f"[{inside}]"
    known = {"folders": r"(?:.*/)?", "anything": r".*", "name": r"[^/]*", "one": r"[^/]"}
    return known[match.lastgroup] if match.lastgroup else re.escape(text)
