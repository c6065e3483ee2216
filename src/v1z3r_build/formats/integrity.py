"""What a site says of the bytes of its own files, and whether that is true.

Integrity metadata (W3C SRI), hashes in a page's Content-Security-Policy, and the lists of service workers. What is not
true is known by its place, such as `integrity 2` for the second in the file: linking changes words, never their order.
"""

from __future__ import annotations

import base64
import hashlib
import re
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from v1z3r_build.site.span import Inline, Policy, Reading

# One digest of a list; what follows a question mark are options, of which none is defined (SRI §3.5).
_DIGEST = re.compile(r"'?(sha256|sha384|sha512)-([A-Za-z0-9+/_-]+={0,2})(?:\?\S*)?'?", re.I)
_DIRECTIVES = {
    "script": ("script-src-elem", "script-src", "default-src"),
    "style": ("style-src-elem", "style-src", "default-src"),
}


class Broken(NamedTuple):
    """What is said and not true.

    start: where it is said. place: the same in a site before and after linking. message: what is not true.
    exact: whether a browser refuses the file because of it. path: the file whose bytes are meant.
    """

    start: int
    place: str
    message: str
    exact: bool
    path: str


class Files:
    """The files of a site in one state.

    find: from a URL, the path of the file that holds it and the page's base to the file meant, '' for none.
    content: from a path to the bytes.
    """

    def __init__(self, find: Callable[[str, str, str], str], content: Callable[[str], bytes]) -> None:
        self.find = find
        self.content = content
        self._digests: dict[tuple[str, str], bytes] = {}

    def digest(self, path: str, algorithm: str) -> bytes:
        """A digest of a file's bytes. algorithm: as hashlib names it."""
        if (path, algorithm) not in self._digests:
            made = hashlib.new(algorithm, self.content(path), usedforsecurity=False)
            self._digests[path, algorithm] = made.digest()
        return self._digests[path, algorithm]


def digest(algorithm: str, data: bytes) -> str:
    """The digest of bytes in SRI notation."""
    return f"{algorithm}-{base64.b64encode(hashlib.new(algorithm, data).digest()).decode('ascii')}"


def revision(length: int, data: bytes) -> bytes:
    """A revision for new bytes, of equal length where that is enough to tell two of them apart.

    Workbox compares revisions, it does not compute them.
    """
    length = length if length >= 16 else 32
    return hashlib.shake_256(data).hexdigest((length + 1) // 2)[:length].encode()


def as_parsed(text: bytes) -> bytes:
    """The text of an inline element as a browser hashes it: line ends are normalised before a page is parsed."""
    return text.replace(b"\r\n", b"\n").replace(b"\r", b"\n")


def says_exactly(reading: Reading) -> bool:
    """Whether a file says what a browser checks."""
    return bool(reading.integrities or reading.policies or any(listed.exact for listed in reading.revisions))


def broken(path: str, data: bytes, reading: Reading, files: Files, texts: Sequence[bytes] = ()) -> Iterator[Broken]:
    """All that a file says and that is not true.

    data: its bytes, with their reading. texts: those of its inline elements, of which policies speak; they may be of
    an earlier state of the page than its policies.
    """
    for number, said in enumerate(reading.integrities, 1):
        target = files.find(said.url, path, reading.base)
        if target and not _fits(said.text, target, files):
            message = f"{said.url} has another digest: browsers refuse it"
            yield Broken(said.start, f"integrity {number}", message, True, target)
    for number, listed in enumerate(reading.revisions, 1):
        target = files.find(listed.url, path, "")
        text = data[listed.start : listed.end]
        if target and listed.exact and text.lower() != files.digest(target, "sha1").hex().encode():
            message = f"{listed.url} has another SHA-1: the service worker refuses it"
            yield Broken(listed.start, f"hash {number}", message, True, target)
        elif target and not listed.exact and not _is_revision(text, target, files):
            message = f"it is no digest of {listed.url} that is known here"
            yield Broken(listed.start, f"revision {number}", message, False, target)
    for number, (inline, text) in enumerate(zip(reading.inlines, texts, strict=False), 1):
        if not all(_allows(policy, inline, text) for policy in reading.policies if policy.start < inline.start):
            message = "the page's Content-Security-Policy has no hash of it: browsers refuse it"
            yield Broken(inline.start, f"inline {inline.tag} {number}", message, True, "")


def inline_texts(data: bytes, reading: Reading) -> list[bytes]:
    """The texts of a page's inline elements, as policies speak of them."""
    return [as_parsed(data[inline.start : inline.end]) for inline in reading.inlines]


def _fits(metadata: str, path: str, files: Files) -> bool:
    """Whether a file fits its integrity metadata: one digest of the strongest algorithm has to (SRI §3.3.4)."""
    digests = _digests(metadata.split())
    strongest = max((algorithm for algorithm, _ in digests), default="")
    return not digests or files.digest(path, strongest) in {one for algorithm, one in digests if algorithm == strongest}


def _digests(words: Sequence[str]) -> set[tuple[str, bytes]]:
    found = (_DIGEST.fullmatch(word) for word in words)
    digests = {(one.group(1).lower(), one.group(2)) for one in found if one is not None}
    return {(algorithm, _decoded(text)) for algorithm, text in digests}


def _decoded(text: str) -> bytes:
    try:
        return base64.b64decode(text.replace("-", "+").replace("_", "/"))
    except ValueError:
        return b""


def _is_revision(text: bytes, path: str, files: Files) -> bool:
    known = (files.digest(path, name).hex().encode() for name in ("md5", "sha1", "sha256", "sha384", "sha512"))
    return revision(len(text), files.content(path)) == text or any(one.startswith(text.lower()) for one in known)


def _allows(policy: Policy, inline: Inline, text: bytes) -> bool:
    """Whether a policy that names hashes lets an inline element be (CSP 3 §6.7.3.3); one without is none of ours."""
    directives: dict[str, list[str]] = {}
    for directive in policy.text.split(";"):
        name, *sources = directive.split() or [""]
        directives.setdefault(name.lower(), sources)
    sources = next((directives[name] for name in _DIRECTIVES[inline.tag] if name in directives), [])
    hashes = _digests([source for source in sources if source.startswith("'")])
    if not hashes or (inline.nonce and f"'nonce-{inline.nonce}'" in sources):
        return True
    return any(hashlib.new(algorithm, text).digest() == one for algorithm, one in hashes)
