"""JSON without its white space: every token stays as it was written."""

from __future__ import annotations

import json
import re
from typing import Any

from v1z3r_build.diagnostics import place, warning
from v1z3r_build.formats.minified import BOM, NOTHING, Candidate, Minified
from v1z3r_build.formats.script_minifier import invalid_encoding

_GAPS = re.compile(rb'("(?:[^"\\]|\\.)*")|[ \t\r\n]+', re.S)
_COMMENT = re.compile(r"\s*(?:/[/*]|#)")
_TRAILING_COMMA = re.compile(r"\s*[}\]]")


def minify(data: bytes) -> Minified:
    """The text without white space between its tokens (RFC 8259 §2).

    Numbers, escapes and equal keys stay as written. Left alone: what begins with a byte order mark or holds
    comments, which is some dialect, and what is nested too deep for a parser.
    """
    if not data.strip() or data.startswith(BOM):
        return NOTHING
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as invalid:
        return Minified(diagnostics=(invalid_encoding(*place(data, invalid.start)),))
    try:
        before = _tokens(text)
    except json.JSONDecodeError as wrong:
        return (
            NOTHING
            if _is_dialect(text, wrong)
            else _refusal(wrong.msg[0].lower() + wrong.msg[1:], wrong.lineno, wrong.colno)
        )
    except _NotJSONError as wrong:
        found = re.search(rf"(?<![\"\w]){re.escape(str(wrong))}", text)
        line, column = place(data, len(text[: found.start()].encode())) if found else (0, 0)
        return _refusal(f"JSON has no {wrong}", line, column)
    except RecursionError:
        return NOTHING
    result = _GAPS.sub(rb"\1", data)
    if len(result) >= len(data) or _tokens(result.decode()) != before:
        return NOTHING
    return Minified((Candidate("tokens", result),))


class _NotJSONError(ValueError):
    """A word that Python's parser takes and JSON does not know: NaN, Infinity."""


def _unknown(word: str) -> Any:
    raise _NotJSONError(word)


def _tokens(text: str) -> Any:
    """The value with numbers as written and objects as lists of pairs."""
    return json.loads(text, parse_int=str, parse_float=str, parse_constant=_unknown, object_pairs_hook=tuple)


def _is_dialect(text: str, wrong: json.JSONDecodeError) -> bool:
    """Whether JSON with comments or trailing commas is meant: for people and tools, not for browsers."""
    return bool(_COMMENT.match(text, wrong.pos) or _COMMENT.match(text)) or bool(
        _TRAILING_COMMA.match(text, wrong.pos) and re.search(r"/[/*]", text)
    )


def _refusal(reason: str, line: int, column: int) -> Minified:
    hint = "a browser's JSON.parse will refuse it too: mend it, or name the file in [minify] skip"
    message = f"this is not valid JSON: {reason}; the file is served as it was"
    return Minified(diagnostics=(warning("json-syntax", "", message, hint, line, column),))
