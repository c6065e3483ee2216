"""The words of a script that survive minifying: names of properties and exports, strings, templates and patterns.

A minifier gives new names to variables, functions and classes; it cannot do so with the names of properties, which
other code may compute, nor with text. The name of an export becomes a property's where a bundler makes an object of the
module, and is short where it does not.
"""

from __future__ import annotations

import re
from array import array
from bisect import bisect_left
from functools import cache
from itertools import chain
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from tree_sitter import Node, Parser, Query

# Shorter ones are what minifiers give themselves.
_LEAST = 4
WORD = re.compile(rb"[A-Za-z_$][A-Za-z0-9_$]{3,}")
_SPACE = re.compile(rb"\s")
# No name and no word of a message is so long.
_LONG = 200
# A shorter text is no message.
_MESSAGE = 16
_SCRIPTS = (".js", ".mjs", ".cjs")
# Found in packages beside the code: the same code minified, tests and their tools. No export holds them.
_ASIDE = re.compile(
    r"\.min\.[cm]?js$|[-_.](?:test|tests|spec)\.[cm]?js$|(?:^|/)(?:tests?|__tests__|benchmarks?)/|\.config\."
)


@cache
def _parser() -> Parser:
    import tree_sitter_javascript
    from tree_sitter import Language, Parser

    return Parser(Language(tree_sitter_javascript.language()))


@cache
def _query() -> Query:
    import tree_sitter_javascript
    from tree_sitter import Language, Query

    return Query(
        Language(tree_sitter_javascript.language()),
        "[(property_identifier) (private_property_identifier) (shorthand_property_identifier)"
        " (shorthand_property_identifier_pattern) (string_fragment) (regex_pattern)] @lasting"
        " (export_specifier [(identifier)] @lasting) (import_specifier name: (identifier) @lasting)"
        " (export_statement declaration: (_ name: (identifier) @lasting))"
        " (export_statement declaration: (_ (variable_declarator name: (identifier) @lasting)))",
    )


@cache
def _texts() -> Query:
    import tree_sitter_javascript
    from tree_sitter import Language, Query

    return Query(Language(tree_sitter_javascript.language()), "[(string_fragment) (template_string)] @text")


class ScriptWords:
    """The lasting words of a script, to be asked for by part."""

    def __init__(self, script: bytes, lasting: Sequence[int]) -> None:
        """lasting: where names and texts start and end, as of `Scopes`."""
        places = [(start, end) for start, end in zip(lasting[::2], lasting[1::2], strict=True) if end - start >= _LEAST]
        places.sort()
        self._starts = array("i")
        self._words: list[str] = []
        # Most words stand in many places.
        known: dict[bytes, str] = {}
        for start, end in places:
            text = script[start:end]
            # Wasm, pictures and tables in base64: chance makes words of them.
            if len(text) > _LONG and not _SPACE.search(text):
                continue
            word = known.get(text)
            if word is not None:
                self._starts.append(start)
                self._words.append(word)
                continue
            for match in WORD.finditer(text):
                word = known.get(match[0])
                if word is None:
                    word = known[match[0]] = match[0].decode("ascii")
                self._starts.append(start + match.start())
                self._words.append(word)

    def between(self, start: int, end: int) -> frozenset[str]:
        """The words that begin in the part from start to end, in bytes."""
        return frozenset(self._words[bisect_left(self._starts, start) : bisect_left(self._starts, end)])


def lasting(root: Node) -> Sequence[int]:
    """Where names and texts start and end in a script's tree, as of `Scopes`; of one with errors, what can be read."""
    from tree_sitter import QueryCursor

    found = QueryCursor(_query()).captures(root).get("lasting", [])
    return [place for node in found for place in node.byte_range]


def script_words(script: bytes) -> frozenset[str]:
    """The lasting words of a whole script; of one with errors, what can be read."""
    return ScriptWords(script, lasting(_parser().parse(script).root_node)).between(0, len(script) + 1)


def messages(script: bytes) -> frozenset[bytes]:
    """The strings and templates of a script that are words in a row: errors, warnings, shaders."""
    from tree_sitter import QueryCursor

    found = QueryCursor(_texts()).captures(_parser().parse(script).root_node).get("text", [])
    return frozenset(
        text
        for node in found
        if node.end_byte - node.start_byte >= _MESSAGE and _SPACE.search(text := (node.text or b"").strip(b"`"))
    )


def is_library_script(path: str) -> bool:
    """Whether a file of a package, by its path in it (with `/`), is code that an app could contain."""
    return path.endswith(_SCRIPTS) and not _ASIDE.search(path)


def folder_words(folders: Iterable[Path]) -> frozenset[str]:
    """The words of all scripts in these folders, such as a package in the user's node_modules, below nested ones not.

    Raises OSError where a file cannot be read.
    """
    scripts = chain.from_iterable(
        (
            path
            for path in sorted(folder.rglob("*"))
            if is_library_script(inner := path.relative_to(folder).as_posix())
            and "node_modules/" not in inner
            and path.is_file()
        )
        for folder in folders
    )
    return frozenset(chain.from_iterable(script_words(path.read_bytes()) for path in scripts))
