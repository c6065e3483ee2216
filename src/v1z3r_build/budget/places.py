"""Where the keys of TOML and JSON texts stand: the readers of Python give values without their lines."""

from __future__ import annotations

import json
import re
import tomllib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from v1z3r_build.diagnostics import InputError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

# The way to a value: keys of tables and objects, positions in lists.
Keys = tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class Places:
    """A text of limits. lines: by the way to a value the line of its key, counted from 1."""

    source: Path
    lines: Mapping[Keys, int]

    def line(self, keys: Keys) -> int:
        """The line of a key, or of the nearest table around it; 0 if none is known."""
        while keys and keys not in self.lines:
            keys = keys[:-1]
        return self.lines.get(keys, 0)

    def wrong(self, keys: Keys, what: str, hint: str = "") -> InputError:
        """The error of what stands under a key. what: said of it, such as `must be a text`."""
        line = self.line(keys)
        return InputError(f"{self.source}{f':{line}' if line else ''}: {named(keys)} {what}".rstrip(), hint=hint)


def named(keys: Keys) -> str:
    """The way to a value as TOML writes it: `budget.routes."/".script`; positions in brackets."""
    said = ""
    for key in keys:
        if isinstance(key, int):
            said += f"[{key}]"
        else:
            said += f".{key}" if re.fullmatch(r"[\w-]+", key, re.A) else f".{json.dumps(key, ensure_ascii=False)}"
    return said.removeprefix(".")


def shown(value: object) -> str:
    """A value for the reader of an error, cut to one short line."""
    text = "a table" if isinstance(value, dict) else json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= 60 else text[:57] + "…"


def toml_lines(text: str) -> dict[Keys, int]:
    """The line of each key of a TOML text that is valid as a whole.

    A line that is no statement by itself is the beginning of one that runs over several.
    """
    found: dict[Keys, int] = {}
    table: Keys = ()
    pending, first = "", 1
    for number, line in enumerate(text.split("\n"), 1):
        pending += f"{line}\n"
        try:
            statement = tomllib.loads(pending)
        except tomllib.TOMLDecodeError:
            continue
        paths = list(_paths(statement))
        if pending.lstrip().startswith("["):
            table = paths[-1]
        else:
            paths = [(*table, *path) for path in paths]
        for path in paths:
            found.setdefault(path, first)
        pending, first = "", number + 1
    return found


def _paths(statement: Mapping[str, Any], above: Keys = ()) -> Iterator[Keys]:
    for key, value in statement.items():
        yield (*above, key)
        if isinstance(value, dict):
            yield from _paths(value, (*above, key))


def json_lines(text: str) -> dict[Keys, int]:
    """The line of each member and each item of a JSON text that is valid as a whole."""
    found: dict[Keys, int] = {}
    _scan(text, _space(text, 0), (), found)
    return found


_SPACE = re.compile(r"[ \t\r\n]*")
_DECODER = json.JSONDecoder()


def _space(text: str, at: int) -> int:
    return _SPACE.match(text, at).end()  # type: ignore[union-attr]  # it matches nothing, too


def _scan(text: str, at: int, keys: Keys, found: dict[Keys, int]) -> int:
    """Note where the parts of a value stand; where it ends."""
    if text[at] not in "[{":
        return _DECODER.raw_decode(text, at)[1]
    closing = "]" if text[at] == "[" else "}"
    position, at = 0, _space(text, at + 1)
    while text[at] != closing:
        key: str | int = position
        line = text.count("\n", 0, at) + 1
        if closing == "}":
            key, at = _DECODER.raw_decode(text, at)
            at = _space(text, _space(text, at) + 1)
        found[*keys, key] = line
        at = _space(text, _scan(text, at, (*keys, key), found))
        if text[at] == ",":
            at = _space(text, at + 1)
        position += 1
    return at + 1
