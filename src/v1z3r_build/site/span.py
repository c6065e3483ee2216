"""Spans of a file that mean something: references to other files, mentions of their names, digests.

Offsets are bytes from the start of the file. New names are filled in by replacing or inserting plain ASCII at
an offset, so that no layer of escaping around a span has to be undone and done again.
"""

from __future__ import annotations

import re
from typing import Literal, NamedTuple

Role = Literal[
    "script",  # classic script of a page
    "module",  # <script type=module>
    "nomodule",  # fetched only by browsers without modules
    "style",  # <link rel=stylesheet>
    "preload",  # preload and modulepreload
    "prefetch",  # fetched when idle, if at all
    "image",  # an image that the page shows at once
    "candidate",  # one of several, of which the browser chooses: srcset, <source>, lazy images; in noscript, a template
    "element",  # shown by an element that a script makes: jsx("img", {src: "/x"})
    "media",  # audio, video, track
    "embed",  # iframe, object, embed
    "icon",  # shown by the browser, never by the page
    "page",  # navigation: a, area, form, refresh
    "outside",  # read by others than the browser's page: og:image, canonical, web manifest members
    "css-import",
    "css-url",
    "import",  # import or export … from
    "dynamic-import",
    "module-url",  # new URL("x", import.meta.url)
    "module-image",  # the same, of an image that the script does nothing with but show it
    "worker",
    "service-worker",  # navigator.serviceWorker.register("x")
    "import-scripts",
    "precache",  # {url: "x", revision: "…"}
    "import-map",
]

Stand = Literal[
    "string",  # in a string, an attribute or a URL of a format that is understood
    "table",  # the value of a table, or an operand from which a script computes a name
    "comment",  # in a comment of a script or a style sheet
    "label",  # only a name for people, such as a source map's `sources`
    "text",  # in text that a reader sees
    "unknown",  # anywhere else: nothing may be concluded
]


class Hit(NamedTuple):
    """Where a word that was looked for stands: raw bytes, nothing is known of the context yet.

    gap: bytes within start and end that are no part of the word: a format that cuts its text anywhere cuts words too.
    """

    start: int
    end: int
    word: int
    gap: tuple[int, int] | None = None


class Url(NamedTuple):
    """A reference that the format's grammar makes sure of.

    start, end: its raw bytes in the file. text: the URL as a browser reads it, escapes undone.
    dot: where the last suffix of its file name begins, -1 if there is none; suffix: that suffix, as it stands
    in the file.
    """

    start: int
    end: int
    text: str
    role: Role
    dot: int = -1
    suffix: str = ""

    @property
    def resolvable(self) -> bool:
        """Whether the file that holds the URL is enough to resolve it.

        A bare specifier is an import map's business; a worker's relative URL is resolved against the page that runs
        the script (HTML Standard, "Worker constructor"), which the script's file does not tell; so is that of an
        element which a script makes. What is no UTF-8 is not understood.
        """
        if "\ufffd" in self.text:
            return False
        if self.role in ("import", "dynamic-import", "import-map"):
            return re.match(r"\.{0,2}/|[a-z]+:", self.text) is not None
        return self.role not in ("worker", "element") or re.match(r"/|[a-z]+:", self.text) is not None


_SUFFIX = re.compile(rb"(\.[A-Za-z0-9_-]+)(?:[?#].*)?\Z", re.S)


def dotted(data: bytes, url: Url) -> Url:
    """The reference with the place of its file name's suffix, found in the raw bytes.

    The suffix must stand there unescaped; the query or fragment behind it may be written in any way.
    """
    cut = re.search(rb"[?]|(?<!&)#", data[url.start : url.end])
    end = url.start + cut.start() if cut else url.end
    found = _SUFFIX.search(data, url.start, end)
    return url if found is None else url._replace(dot=found.start(1), suffix=found.group(1).decode("ascii"))


class Mention(NamedTuple):
    """A word that was looked for, with what stands around it in the same string.

    before, after: raw bytes between the string's delimiters or white space and the word, cut to a bound.
    gap: bytes within start and end that are no part of the word.
    member: the key of the object's member whose value the string is; element: the tag of the element that the object
    holds the attributes of (`jsx("img", {src: "…"})`). Both '' where there is none.
    """

    start: int
    end: int
    word: int
    stand: Stand
    before: bytes = b""
    after: bytes = b""
    gap: tuple[int, int] | None = None
    member: str = ""
    element: str = ""


class Revision(NamedTuple):
    """What a service worker's list says of the bytes of a URL.

    exact: it is the SHA-1 in hexadecimal, which the worker computes again of what it fetches (Angular's hash table);
    else it is a `revision`, which a worker only compares with the one of its last list (Workbox).
    """

    start: int
    end: int
    url: str
    exact: bool = False


class Integrity(NamedTuple):
    """The integrity metadata (W3C SRI) of an element or an import map, and the URL for whose bytes it stands."""

    start: int
    end: int
    url: str
    text: str


class Digest(NamedTuple):
    """A digest in the notation of Subresource Integrity and CSP: `sha384-…`, without quotes."""

    start: int
    end: int
    text: str


class Inline(NamedTuple):
    """The text of an inline script or style, by place in the page: CSP hashes are made of it.

    tag: script or style. nonce: the element's.
    """

    start: int
    end: int
    tag: str = "script"
    nonce: str = ""


class Policy(NamedTuple):
    """The Content-Security-Policy of a `<meta>`, which holds for what follows it."""

    start: int
    end: int
    text: str


class Reading(NamedTuple):
    """All spans of one file."""

    urls: tuple[Url, ...] = ()
    mentions: tuple[Mention, ...] = ()
    revisions: tuple[Revision, ...] = ()
    digests: tuple[Digest, ...] = ()
    checksums: tuple[Digest, ...] = ()  # hexadecimal, in lower case
    inlines: tuple[Inline, ...] = ()
    islands: tuple[Inline, ...] = ()  # JSON in a page's scripts; tag: its media type
    integrities: tuple[Integrity, ...] = ()
    policies: tuple[Policy, ...] = ()
    base: str = ""  # the page's <base href>
    reach: tuple[tuple[int, int], ...] = ()  # of what makes images that a script gets hold of, to read their pixels
    remakes: tuple[int, ...] = ()  # where a script reads an address out of the page and makes another of it
    mapped: bool = False  # a source map holds the columns of this text


_DELIMITERS = re.compile(rb"[\s\"'`<>(),;|]")
_BEFORE, _AFTER = 200, 80
_DIGEST = re.compile(
    rb"sha256-[A-Za-z0-9+/]{43}=|sha384-[A-Za-z0-9+/]{64}(?![A-Za-z0-9+/=])|sha512-[A-Za-z0-9+/]{86}=="
)


def digests(data: bytes) -> tuple[Digest, ...]:
    """Every text of the form of an SRI or CSP digest (W3C SRI §3.5: standard base64 with padding)."""
    if b"sha256-" not in data and b"sha384-" not in data and b"sha512-" not in data:
        return ()
    return tuple(Digest(m.start(), m.end(), m.group().decode("ascii")) for m in _DIGEST.finditer(data))


_HEX = re.compile(rb"[0-9a-fA-F]{32,}")
_CHECKSUM_LENGTHS = frozenset({32, 40, 64, 96, 128})  # MD5, SHA-1, SHA-256, SHA-384, SHA-512


def checksums(data: bytes) -> tuple[Digest, ...]:
    """Every text of the form of a digest in hexadecimal."""
    return tuple(
        Digest(m.start(), m.end(), m.group().decode("ascii").lower())
        for m in _HEX.finditer(data)
        if m.end() - m.start() in _CHECKSUM_LENGTHS
        and not (data[m.start() - 1 : m.start()].isalnum() or data[m.end() : m.end() + 1].isalnum())
    )


def mention(data: bytes, hit: Hit, stand: Stand, low: int, high: int) -> Mention:
    """The mention at a hit, inside a string whose content lies from `low` to `high`."""
    start = max(low, hit.start - _BEFORE)
    before = data[start : hit.start]
    cut = [m.end() for m in _DELIMITERS.finditer(before)]
    if cut:
        before = before[cut[-1] :]
    after = data[hit.end : min(high, hit.end + _AFTER)]
    end = _DELIMITERS.search(after)
    if end:
        after = after[: end.start()]
    return Mention(hit.start, hit.end, hit.word, stand, before, after, hit.gap)
