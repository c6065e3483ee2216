"""Style sheets without comments and needless white space, every declaration and rule kept.

Written on the tokens of CSS Syntax Level 3. What is unknown (at-rules, hacks, custom properties) stays byte
for byte. The result is read again by tinycss2, an independent parser, and must mean the same.
"""

from __future__ import annotations

import re

from v1z3r_build.diagnostics import place
from v1z3r_build.formats import style_meaning
from v1z3r_build.formats.engines import lightning
from v1z3r_build.formats.minified import BOM, NOTHING, Candidate, Minified, blank_share, refused
from v1z3r_build.formats.script_minifier import invalid_encoding
from v1z3r_build.formats.style_tokens import DEEPEST, DoubtError, Token, tokens

LARGEST = 8 * 1024 * 1024  # bytes
_SMALL = 2048  # bytes
_DENSE = 0.06  # the share of white space in a sheet that some engine has minified already

_CHARSET = re.compile(rb'@charset "[^"\r\n\f]*";')
_OTHER_CHARSET = re.compile(rb'@charset "(?!utf-8")', re.I)
# The name of a declaration, with the hacks that old browsers took.
_NAME = re.compile(rb"[*_]?-?[A-Za-z_][\w-]*")
# What a licence asks to be kept, and what developers' tools read.
_KEPT = re.compile(rb"/\*!|@license|@licence|@preserve|@copyright|@lic\b|/\*[#@]\s*source(?:Mapping)?URL=", re.I)
# At-rules whose blocks hold what is understood. `@property` and unknown ones stay as they are.
_KNOWN = re.compile(
    rb"@(?:media|supports|layer|container|(?:-webkit-|-moz-|-o-)?keyframes|font-face|page|scope|starting-style|counter-style)",
    re.I,
)
_KNOWN_STATEMENTS = re.compile(rb"@(?:import|layer|namespace)", re.I)


def minify(data: bytes) -> Minified:
    """The smaller forms of a style sheet that mean the same.

    Left alone: what is dense already or larger than 8 MB, and what parsers have to recover from, such as an
    unclosed block or a stray brace.
    """
    body = data.removeprefix(BOM)
    if not body.strip() or (len(body) > _SMALL and blank_share(body) < _DENSE):
        return NOTHING
    if len(body) > LARGEST:
        return refused(f"is larger than {LARGEST >> 20} MiB")
    if b"\0" in body:
        return refused("holds a NUL character")
    try:
        text = body.decode("utf-8")
    except UnicodeDecodeError as invalid:
        return Minified(diagnostics=(invalid_encoding(*place(body, invalid.start)),))
    try:
        result = strip(body)
    except DoubtError:
        return NOTHING
    # At the very start, and nowhere else, it says in which charset the sheet is (CSS Syntax §3.2).
    if len(result) >= len(body) or (_OTHER_CHARSET.match(result) and not _OTHER_CHARSET.match(body)):
        return NOTHING
    if style_meaning.of_sheet(result.decode()) != style_meaning.of_sheet(text):
        return NOTHING
    found = [Candidate("tokens", data[: len(data) - len(body)] + result)]
    by_lightning = _by_lightning(result.decode())
    if by_lightning is not None:
        found.append(Candidate("lightningcss", data[: len(data) - len(body)] + by_lightning))
    return Minified(tuple(found))


def _by_lightning(text: str) -> bytes | None:
    """What lightningcss makes of a sheet, if nothing was lost; as a rule it merges rules or drops fallbacks."""
    shorter = lightning.minified(text)
    if shorter is None or len(shorter) >= len(text):
        return None
    # Counting costs nothing, and tells of nearly every loss before the sheets are parsed.
    if any(shorter.count(mark) != text.count(mark) for mark in "{:"):
        return None
    # What was an escape would depend on the charset that the sheet is served with.
    if [one for one in shorter if not one.isascii()] != [one for one in text if not one.isascii()]:
        return None
    # It drops all comments but some at the start.
    if any(token.decode() not in shorter for kind, token in tokens(text.encode(), 0) if kind == "comment"):
        return None
    return shorter.encode() if style_meaning.of_values(shorter) == style_meaning.of_values(text) else None


def strip(data: bytes) -> bytes:
    """The sheet without comments and needless white space; raises an error where something is in doubt."""
    charset = _CHARSET.match(data)
    start = charset.end() if charset else 0
    writer = _Sheet(list(tokens(data, start)))
    writer.statements(0)
    return data[:start] + b"".join(writer.parts)


def is_kept(comment: bytes) -> bool:
    """Whether this comment has to stay."""
    return _KEPT.search(comment) is not None


class _Sheet:
    """Writes the statements of a sheet one by one."""

    def __init__(self, tokens: list[Token]) -> None:
        self.tokens = tokens
        self.at = 0
        self.parts: list[bytes] = []

    def statements(self, depth: int) -> None:
        """All statements up to the end of the block, which is left for the caller."""
        _check_depth(depth)
        while self.at < len(self.tokens):
            kind, token = self.tokens[self.at]
            if kind == "space" or (kind == "comment" and not is_kept(token)):
                self.at += 1
            elif kind == "comment":
                self.parts.append(token)
                self.at += 1
            elif token == b"}":
                if depth:
                    return
                raise DoubtError("a stray brace")
            else:
                self._statement(depth)
        if depth:
            raise DoubtError("a block is not closed")

    def _statement(self, depth: int) -> None:
        if depth and self._is_custom():
            self._raw_until_end(depth)
            return
        start = self.at
        end = self._end_of_prelude(depth)
        prelude = self.tokens[start:end]
        mark = self.tokens[end][1] if end < len(self.tokens) else b""
        name = prelude[0][1] if prelude else b""
        if mark == b"{":
            self._rule(prelude, name, depth)
        elif name.startswith(b"@"):
            known = _KNOWN_STATEMENTS.fullmatch(name)
            self.parts.append(_packed(prelude, b",") if known else _raw(prelude))
            self._take_semicolon(end)
        elif depth == 0:
            raise DoubtError("text outside of any rule")
        else:
            self._declaration(prelude, end)

    def _is_custom(self) -> bool:
        if not self.tokens[self.at][1].startswith(b"--"):
            return False
        return self._after(self.at + 1, ("space", "comment")) == b":"

    def _after(self, index: int, passed_over: tuple[str, ...]) -> bytes:
        """The next token that is of none of these kinds; b'' at the end."""
        while index < len(self.tokens) and self.tokens[index][0] in passed_over:
            index += 1
        return self.tokens[index][1] if index < len(self.tokens) else b""

    def _end_of_prelude(self, depth: int) -> int:
        """The index of the `{`, `;` or `}` that ends what begins here."""
        open_marks: list[bytes] = []
        at_rule = self.tokens[self.at][1].startswith(b"@")
        for index in range(self.at, len(self.tokens)):
            kind, token = self.tokens[index]
            if kind != "mark":
                continue
            if token in b"([":
                open_marks.append(b")" if token == b"(" else b"]")
                _check_depth(len(open_marks))
            elif token in b")]":
                if not open_marks or open_marks.pop() != token:
                    raise DoubtError("a stray parenthesis")
            elif not open_marks and (token in b"{}" or (token == b";" and (depth or at_rule))):
                return index
            elif token in b"{};":
                raise DoubtError("a brace or semicolon where none is expected")
        if open_marks or (depth == 0 and not at_rule):
            raise DoubtError("the sheet ends too early")
        return len(self.tokens)

    def _rule(self, prelude: list[Token], name: bytes, depth: int) -> None:
        self.at += len(prelude) + 1
        if not name.startswith(b"@"):
            self.parts.append(_packed(prelude, b",>~+"))
        elif _KNOWN.fullmatch(name):
            colon = b":" if name.lower() == b"@media" else b""
            self.parts.append(_packed(prelude, b",", inside=colon))
        else:
            self.parts += [_raw(prelude), b"{"]
            self._raw_block()
            return
        self.parts.append(b"{")
        self.statements(depth + 1)
        self.parts.append(b"}")
        self.at += 1

    def _declaration(self, tokens: list[Token], end: int) -> None:
        name, *rest = tokens or [("", b"")]
        while rest and rest[0][0] == "space":
            rest.pop(0)
        if name[0] != "word" or not _NAME.fullmatch(name[1]) or not rest or rest[0][1] != b":":
            self.parts.append(_raw(tokens))
            self._take_semicolon(end)
            return
        self.parts += [name[1], b":", _packed(rest[1:], b",!")]
        self.at = end
        if end < len(self.tokens) and self.tokens[end][1] == b";":
            self.at += 1
            if not self._block_ends():
                self.parts.append(b";")

    def _block_ends(self) -> bool:
        index = self.at
        while index < len(self.tokens):
            kind, token = self.tokens[index]
            if kind != "space" and (kind != "comment" or is_kept(token)):
                return token == b"}"
            index += 1
        return False

    def _take_semicolon(self, end: int) -> None:
        self.at = end
        if end < len(self.tokens) and self.tokens[end][1] == b";":
            self.parts.append(b";")
            self.at += 1

    def _raw_until_end(self, depth: int) -> None:
        """A custom property, whose value scripts read as it is written (CSS Variables §2)."""
        open_braces = 0
        for index in range(self.at, len(self.tokens)):
            token = self.tokens[index][1] if self.tokens[index][0] == "mark" else b""
            if token in (b"{", b"(", b"["):
                open_braces += 1
                _check_depth(depth + open_braces)
            elif token in (b"}", b")", b"]"):
                if not open_braces:
                    if token != b"}":
                        raise DoubtError("a stray parenthesis")
                    self.parts.append(_raw(self.tokens[self.at : index]))
                    self.at = index
                    return
                open_braces -= 1
            elif token == b";" and not open_braces:
                self.parts += [_raw(self.tokens[self.at : index]), b";"]
                self.at = index + 1
                return
        raise DoubtError("a block is not closed")

    def _raw_block(self) -> None:
        """A block as it is written, with its closing brace."""
        open_braces = 1
        for index in range(self.at, len(self.tokens)):
            kind, token = self.tokens[index]
            if kind == "mark" and token in b"{}":
                open_braces += 1 if token == b"{" else -1
                _check_depth(open_braces)
                if not open_braces:
                    self.parts.append(_raw(self.tokens[self.at : index + 1]))
                    self.at = index + 1
                    return
        raise DoubtError("a block is not closed")


def _check_depth(depth: int) -> None:
    if depth > DEEPEST:
        raise DoubtError("too deep for parsers that recurse")


def _raw(tokens: list[Token]) -> bytes:
    return b"".join(token for _, token in tokens)


def _packed(tokens: list[Token], free: bytes, inside: bytes = b"") -> bytes:
    """Tokens of a prelude or value with one blank for each gap, none at its ends and at those of parentheses.

    free: marks beside which white space has no meaning at the top level; a comma has none anywhere. inside:
    marks of which the same is true within parentheses.
    """
    parts: list[bytes] = []
    brackets: list[bytes] = []
    gap = b""  # what stands for the white space and comments since the last token
    tight = True  # whether the last token needs no white space after it
    for kind, token in tokens:
        if kind == "space":
            gap = b" "
            continue
        if kind == "comment" and not is_kept(token):
            gap = gap or b"/**/"
            continue
        mark = token if kind == "mark" else b""
        closes = brackets.pop() if mark in (b")", b"]") and brackets else b""
        loose = inside if brackets else free
        apart = bool(mark) and (mark in loose or (mark == b"," and b"[" not in brackets))
        only_comma_before = closes == b"(" and parts and parts[-1] == b","  # `var(--x, )` has a fallback
        if gap and (only_comma_before or not (tight or apart or closes == b"(")):
            parts.append(gap)
        gap = b""
        parts.append(token)
        tight = apart or mark == b"("
        if mark in (b"(", b"["):
            brackets.append(mark)
    return b"".join(parts)
