"""Hash tokens in the names that bundlers give to files.

Only a name with such a token may disappear, so a token must be told from a word, a date or a version. The shapes
were read off the output of Next 14 to 16, webpack 5, Vite 7 and 8, Astro, SvelteKit, Parcel and esbuild.
"""

from __future__ import annotations

import posixpath
import re
from collections import Counter
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable

HEX = "0123456789abcdef"
BASE64URL = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-"
BASE36 = "0123456789abcdefghijklmnopqrstuvwxyz"
BASE32 = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"


class Token(NamedTuple):
    """A hash token in a file's path: where it stands and the alphabet that a new one is drawn from.

    start, end: offsets in the path. A token's text may stand in several files: a script, its map and its licence.
    own: whether it lies in a folder that is the bundler's alone.
    """

    text: str
    start: int
    end: int
    alphabet: str
    own: bool = False

    def before(self, path: str) -> str:
        """The character that stands before the token, '' at the start of the name."""
        return path[self.start - 1 : self.start].replace("/", "")

    def after(self, path: str) -> str:
        """What follows the token in the name: `.js`, `-s.p.woff2`, `.js.LICENSE.txt`."""
        return path[self.end :]


class _Shape(NamedTuple):
    """Where (a pattern of folders) names look so, and the alphabet of the token (group 1)."""

    folder: str
    name: re.Pattern[str]
    alphabet: str
    own: bool  # the folder is the bundler's own: nothing else is ever written there


def _shape(folder: str, name: str, alphabet: str, *, own: bool) -> _Shape:
    return _Shape(folder, re.compile(name), alphabet, own)


# The first shape that fits is taken; of several tokens in one name the last is the content hash
# (Next: `fd9d1056-3aebbb5a3f26ef2f.js` is chunk id, then hash).
_SHAPES = (
    # next/font: `4473ecc91f70f139-s.p.woff2`
    _shape("*_next/static/media", r"^([0-9a-f]{16})(?:-s)?(?:\.p)?\.(?:woff2?|ttf|otf|eot)$", HEX, own=True),
    _shape("*_next/static/*", r"^(?:.*[-.])?([0-9a-f]{16,32})\.", HEX, own=True),
    _shape("*_next/static/*", r"^(?:.*[-.])?([0-9a-f]{8})\.", HEX, own=True),
    # Turbopack: `turbopack-0a2b…​.js`, `photo.0a2b….png`: thirteen characters.
    _shape("*_next/static/*", r"^(?:.*[-.])?((?=.*[0-9])[0-9a-z_-][0-9a-z_~-]{12})\.", BASE36, own=True),
    _shape("*_app/immutable/*", r"^(?:.*[-.])?([A-Za-z0-9_-]{8})\.", BASE64URL, own=True),
    _shape("*_astro", r"^.*[.]([A-Za-z0-9_-]{8})\.", BASE64URL, own=True),
    # Nuxt: `entry.CNe0NUuE.css`, `DsQXNzmy.js`; modules of Nuxt write there, too, by names that say something.
    _shape("*_nuxt", r"^(?:.*[-.])?([A-Za-z0-9_-]{8})\.", BASE64URL, own=False),
    # From here on the folder is shared with public files: the text must look drawn.
    _shape("*", r"^(?:.*[-.])?([0-9a-f]{64}|[0-9a-f]{40}|[0-9a-f]{32}|[0-9a-f]{20}|[0-9a-f]{16})\.", HEX, own=False),
    _shape("*", r"^.*[-.]([0-9a-f]{8}|[0-9a-f]{10}|[0-9a-f]{12})\.", HEX, own=False),
    # esbuild, Angular: `main-DNQFDN2H.js`.
    _shape("*", r"^.*-([A-Z2-7]{8})\.", BASE32, own=False),
    # Vite, Rollup, rolldown: `index-Bx3f_9-a.js`. Last, since its alphabet holds the others.
    _shape("*", r"^.*-([A-Za-z0-9_-]{8})\.", BASE64URL, own=False),
)
# A hash is carried by what bundlers emit; a page, a text or a download with a hash in its name was named by someone.
_EMITTED = frozenset(
    [
        "js",
        "mjs",
        "css",
        "wasm",
        "map",
        "json",
        "svg",
        "png",
        "jpg",
        "jpeg",
        "gif",
        "webp",
        "avif",
        "ico",
        "woff",
        "woff2",
        "ttf",
        "otf",
        "eot",
        "mp3",
        "mp4",
        "webm",
        "ogg",
        "wav",
        "glb",
        "gltf",
        "bin",
        "hdr",
        "ktx2",
        "glsl",
        "vert",
        "frag",
        "wgsl",
        "webmanifest",
        "txt",
    ]
)
_COMPANION = re.compile(r"(\.map|\.LICENSE\.txt)$")


# What is code is named by tools. Pictures, sounds and data are named by people, too: `photo-1024x768.jpg`.
_CODE = re.compile(r"\.(?:js|mjs|css|wasm)(?:\.map|\.LICENSE\.txt)?$")
_UUID_START = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-$", re.I)
_RUN = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])|\d+")


# What a hash draws and nobody writes, though it has the signs of a word or a number: four consonants on end, as 2 in 3
# of esbuild's capitals without a digit have; digits that are no date.
_UNSPOKEN = re.compile(r"[A-Z2-7]*[BCDFGHJKLMNPQRSTVWXZ]{4}[A-Z2-7]*")
_NO_DATE = re.compile(r"(?!(?:19|20)\d\d[01]\d[0-3]\d|[0-3]\d[01]\d(?:19|20)\d\d|[01]\d[0-3]\d(?:19|20)\d\d)\d+")
_SIBLINGS = 2


def tokens(paths: Iterable[str]) -> dict[str, Token]:
    """The tokens in the names of a site's files, by path.

    A name that people could have given has one only where a bundler's scripts or style sheets lie beside it.
    """
    found: dict[str, Token] = {}
    doubtful: dict[str, Token] = {}
    for path in paths:
        carried = _shaped(path)
        if carried is not None and (carried.own or looks_drawn(carried.text)):
            found[path] = carried
        elif carried is not None and _CODE.search(path):
            doubtful[path] = carried
    frames = Counter(frame for frame, _ in {(_frame(path, carried), carried.text) for path, carried in found.items()})
    found |= {
        path: carried
        for path, carried in doubtful.items()
        if frames[_frame(path, carried)] >= _SIBLINGS
        and (_NO_DATE if carried.alphabet == HEX else _UNSPOKEN).fullmatch(carried.text)
    }
    emitted = {posixpath.dirname(path) for path in found if _CODE.search(path)}
    return {
        path: carried
        for path, carried in found.items()
        if carried.own
        or carried.alphabet == HEX
        or _CODE.search(path)
        or _is_mixed(carried.text, 3 if posixpath.dirname(path) in emitted else 5)
    }


def _frame(path: str, carried: Token) -> tuple[str, ...]:
    """Where a token is and what stands around it: what a bundler emits is named by one pattern."""
    owner = _COMPANION.sub("", path)
    return (
        posixpath.dirname(path),
        carried.before(owner),
        carried.after(owner),
        carried.alphabet,
        str(len(carried.text)),
    )


def _is_mixed(text: str, least: int) -> bool:
    """Whether a text changes between words and numbers as few names do: `Level2_3` three times, `Bx3f_9-a` five."""
    cases = re.search(r"[A-Z]", text) and re.search(r"[a-z]", text)
    return bool(cases or re.fullmatch(f"[{BASE32}]+", text)) and len(_RUN.findall(text)) >= least


def token(path: str) -> Token | None:
    """The bundler's hash token that a file's path seems to hold, or None. Whether it is one, its neighbours tell."""
    carried = _shaped(path)
    return carried if carried is not None and (carried.own or looks_drawn(carried.text)) else None


def _shaped(path: str) -> Token | None:
    """The first token of a known shape that looks drawn; without one, the first that does not."""
    folder, name = posixpath.split(path)
    owner = _COMPANION.sub("", name)
    suffix = owner.rpartition(".")[2].lower()
    if suffix not in _EMITTED or (suffix == "txt" and owner == name):
        return None
    written: Token | None = None
    for shape in _SHAPES:
        if not (fnmatchcase(folder, shape.folder) or fnmatchcase(folder + "/", shape.folder)):
            continue
        found = shape.name.match(owner)
        if found is None or (not shape.own and _UUID_START.search(name[: found.start(1)])):
            continue
        text = found.group(1)
        start = len(folder) + bool(folder) + found.start(1)
        carried = Token(text, start, start + len(text), shape.alphabet, shape.own)
        if shape.own or looks_drawn(text):
            return carried
        written = written or carried
    return written


# Words, names, versions, dates and sizes of the lengths in question: download, Download, DOWNLOAD, commonJs, version2,
# v1.2-3, 1280x720, mp4video, 2xl-dark. A text of hexadecimal digits is held to less: it is hardly ever a word.
_PART = r"(?:\d+[a-z]{0,3}|[A-Z]?[a-z]{2,}\d{0,4}|[A-Z]{2,}\d{0,3})"
_WRITTEN = re.compile(
    r"[a-z]*(?:[A-Z][a-z]{2,})+\d{0,4}|[a-z]{2,}(?:[A-Z][a-z]+)+\d{0,4}|[A-Z]?[a-z]{2,}[A-Z]{2}|[A-Z]?[a-z]{4,}[-_]?\d{0,4}"
    r"|[A-Z]{4,}[-_]?\d{0,3}|[\d_-]+|v?\d+([-_.]\d+)+[a-z]?|\d+x\d+|(?=.*[g-z])[a-z]*\d{1,4}[a-z]{2,}"
    rf"|{_PART}(?:[-_]{_PART})+"
)


def looks_drawn(text: str) -> bool:
    """Whether a text was drawn by a hash and not written by someone as a word, a version or a date.

    Of eight characters drawn from 64 or 16, three texts in a hundred fail this, of esbuild's capitals one in four. The
    neighbours of most of them speak for them (`tokens`); any other file keeps its name, which is safe.
    """
    return _WRITTEN.fullmatch(text) is None
