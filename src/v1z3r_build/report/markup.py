"""The pieces that the page is made of. What comes from outside goes through `plain`, `path_of`, `prose` or `island`."""

from __future__ import annotations

import base64
import hashlib
import json
from html import escape
from typing import TYPE_CHECKING, Any

from v1z3r_build.wording import visible

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

_LISTED = 12  # lines of a list that opens


def digest(text: str) -> str:
    """The source expression of CSP for an inline text (W3C CSP 3, §2.3.1)."""
    return f"sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode('ascii')}"


def island(value: dict[str, Any]) -> str:
    """JSON within a script element: no name in it can end the element, or open a comment that keeps it from ending."""
    text = json.dumps(value, separators=(",", ":"), ensure_ascii=True)
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


def plain(text: str) -> str:
    """A text of any origin, as text."""
    return escape(visible(text))


def prose(text: str) -> str:
    """Words of ours, with code between backticks."""
    parts = plain(text).split("`")
    if len(parts) % 2 == 0:  # a name holds one
        return plain(text)
    return "".join(f"<code>{part}</code>" if number % 2 else part for number, part in enumerate(parts))


def path_of(path: str) -> str:
    """A path of any origin, its folder in a softer colour."""
    folder, slash, name = path.rpartition("/")
    return f'<span class="path"><i>{plain(folder + slash)}</i>{plain(name)}</span>'


def nav(entries: Iterable[tuple[str, str, int]]) -> str:
    """Links to sections: id, name, how many things are in it."""
    links = (f'<li><a href="#{one}">{name}{_bold(count)}</a></li>' for one, name, count in entries)
    return f"<ul>{''.join(links)}</ul>"


def _bold(count: int) -> str:
    return f" <b>{count}</b>" if count else ""


def remark(text: str) -> str:
    """A paragraph of ours."""
    return f'<p class="muted">{text}</p>'


def aside(text: str) -> str:
    """A text of any origin, in a softer colour."""
    return f'<span class="muted">{plain(text)}</span>'


def table(
    one: str, caption: str, headings: Sequence[str], rows: str, narrow: Sequence[int] = (), foot: str = ""
) -> str:
    """A table.

    headings: with `#` before those of numbers, and after ` size ` a class. narrow: columns that phones leave out.
    """
    cells = "".join(_heading(heading, place in narrow) for place, heading in enumerate(headings))
    return (
        f'<div class="scroll"><table id="{one}"><caption>{caption}</caption><thead><tr>{cells}</tr></thead>\n'
        f"<tbody>{rows}</tbody>{f'<tfoot>{foot}</tfoot>' if foot else ''}</table></div>"
    )


def _heading(heading: str, narrow: bool) -> str:
    number = heading.startswith("#")
    word, _, more = heading.removeprefix("#").partition(" size ")
    classes = [*(["num"] if number else []), *(["narrow-off"] if narrow else []), *(["size", more] if more else [])]
    return f'<th scope="col" class="{" ".join(classes)}">{word}</th>'.replace(' class=""', "")


def row(*cells: str) -> str:
    """A row of cells."""
    return f"<tr>{''.join(cells)}</tr>\n"


def number(text: str, more: str = "") -> str:
    """A cell with a figure. more: classes."""
    return f'<td class="{f"num {more}".strip()}">{text}</td>'


def kind_of(kind: str) -> str:
    """A kind with its colour."""
    return f'<span class="kindmark"><i class="swatch k-{plain(kind)}"></i>{plain(kind)}</span>'


def bar(part: int, whole: int) -> str:
    """A bar without style attributes, which the page's policy refuses."""
    share = 100 * part / whole if whole else 0
    return f'<svg class="bar" aria-hidden="true"><rect width="{share:.1f}%" height="100%"/></svg>'


def percent(part: int, whole: int) -> str:
    """A share, rounded."""
    return f"{round(100 * part / whole) if whole else 0} %"


def groups(groups: Iterable[tuple[str, str, int, Iterable[str]]]) -> str:
    """Groups that open: heading, level, how many, their lines."""
    return '<ul class="groups">' + "".join(_group(*group) for group in groups) + "</ul>"


def _group(heading: str, level: str, count: int, lines: Iterable[str]) -> str:
    badge = f'<b class="{level}">{level}</b> ' if level else ""
    return f'<li class="{level}">{folded(f"{badge}{heading} <span>{count}</span>", lines)}</li>'.replace(
        ' class=""', ""
    )


def folded(summary: str, lines: Iterable[str]) -> str:
    """Lines that show when their summary is opened, the first few of them."""
    items = list(lines)
    shown = items[:_LISTED]
    more = f"<li>and {len(items) - len(shown)} more</li>" if len(items) > len(shown) else ""
    listed = "".join(f"<li>{line}</li>" for line in shown)
    return f"<details><summary>{summary}</summary><ul>{listed}{more}</ul></details>"
