"""`verify`: every name, hash, size, digest, encoding and reference of an output, derived again from its files."""

from __future__ import annotations

import posixpath
import re
from collections import defaultdict
from typing import TYPE_CHECKING

from ahocorasick_rs import BytesAhoCorasick

from v1z3r_build import manifest as manifests
from v1z3r_build.bundlers.tokens import HEX, token, tokens
from v1z3r_build.codecs.content_codings import CODINGS
from v1z3r_build.diagnostics import Diagnostic, error, place, warning
from v1z3r_build.formats.integrity import Files, broken, inline_texts
from v1z3r_build.formats.reading import is_text, read_spans
from v1z3r_build.manifest import CACHE_CLASSES, MANIFEST_NAME, FileRecord, Manifest
from v1z3r_build.site import naming
from v1z3r_build.site.address import Addresses

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from v1z3r_build.bundlers.tokens import Token
    from v1z3r_build.site.span import Reading, Url

_WIDTH = re.compile(r"\.\d+w(?=\.(?:avif|webp)$)")
_COPY = re.compile(r"^(.*)\.([0-9a-f]{16})(\.[^./]+)\Z", re.S)


def verify(folder: Path, jobs: int = 1) -> list[Diagnostic]:
    """Every contradiction between an output and its manifest, sorted; empty when all is true.

    Raises InputError if the folder holds no manifest.
    """
    manifest = Manifest.load(folder / MANIFEST_NAME)
    found = [
        *_inventory(folder, manifest),
        *_release(manifest),
    ]
    present = {path: record for path, record in manifest.files.items() if (folder / path).is_file()}
    for path, record in present.items():
        found += _file(folder, path, record)
        found += _encodings(folder, path, record)
    found += _names(folder, present)
    found += _contents(folder, manifest, present)
    found += _routes(manifest)
    return sorted(set(found))


def _inventory(folder: Path, manifest: Manifest) -> Iterator[Diagnostic]:
    """Every file is in the manifest, and every entry has its file."""
    expected = {*manifest.files, MANIFEST_NAME}
    for path, record in manifest.files.items():
        expected |= {encoding.path for encoding in record.encodings.values()}
        for variant in record.variants:
            if variant.path not in manifest.files:
                yield error("variant-missing", path, f"its variant {variant.path} is not a file of the manifest")
            elif manifest.files[variant.path].size >= record.size:
                yield error("variant-larger", path, f"its variant {variant.path} is not smaller than it")
    present = {item.relative_to(folder).as_posix() for item in folder.rglob("*") if not item.is_dir()}
    for path in sorted(expected - present):
        yield error("file-missing", path, "the manifest lists this file, the folder has it not", _REBUILD)
    for path in sorted(present - expected):
        yield error("file-unknown", path, "the manifest does not list this file", _REBUILD)


def _release(manifest: Manifest) -> Iterator[Diagnostic]:
    if manifests.release(manifest.files) != manifest.release:
        yield error("release-mismatch", MANIFEST_NAME, "`release` is not the hash of `files`", _REBUILD)
    for name, header in CACHE_CLASSES.items():
        if manifest.cache_classes.get(name) != header:
            yield error("cache-class", MANIFEST_NAME, f"the class {name} should be {header!r}", _REBUILD)


def _file(folder: Path, path: str, record: FileRecord) -> Iterator[Diagnostic]:
    size, sha256, integrity = manifests.hashes(folder / path)
    for what, stated, real in (
        ("size", record.size, size),
        ("sha256", record.sha256, sha256),
        ("integrity", record.integrity, integrity),
        ("cache_control", record.cache_control, CACHE_CLASSES.get(record.cache_class)),
    ):
        if stated != real:
            yield error(
                f"{what.replace('_', '-')}-mismatch", path, f"{what} is {real}, the manifest says {stated}", _REBUILD
            )
    if record.kind == "html" and record.cache_class == "immutable":
        yield error("immutable-page", path, "a page must never be immutable", _REBUILD)


def _encodings(folder: Path, path: str, record: FileRecord) -> Iterator[Diagnostic]:
    for coding, encoding in record.encodings.items():
        sidecar = folder / encoding.path
        if not sidecar.is_file():
            continue  # reported as missing
        size, sha256, _ = manifests.hashes(sidecar)
        if (size, sha256) != (encoding.size, encoding.sha256):
            yield error("sidecar-mismatch", encoding.path, "size or hash are not those of the manifest", _REBUILD)
        if coding not in CODINGS:
            yield error("sidecar-coding", encoding.path, f"{coding} is no coding that is known here", _REBUILD)
            continue
        try:
            plain = CODINGS[coding].decode(sidecar.read_bytes(), record.size + 1)
        except ValueError as failure:
            yield error("sidecar-broken", encoding.path, f"it cannot be decoded: {failure}", _REBUILD)
            continue
        if plain != (folder / path).read_bytes():
            yield error("sidecar-stale", encoding.path, f"it does not decode to {path}", _REBUILD)
        if encoding.size >= record.size:
            yield error("sidecar-larger", encoding.path, f"it is not smaller than {path}", _REBUILD)


# Names


class _Unit:
    """Immutable files that share a token, and where the token stands in each path.

    source: the token that the files came with, '' for copies.
    """

    def __init__(self, text: str, alphabet: str, source: str) -> None:
        self.text = text
        self.alphabet = alphabet
        self.blank = "\0" * len(text)
        self.source = source
        self.files: dict[str, tuple[int, int]] = {}


def _units(files: Mapping[str, FileRecord]) -> tuple[dict[str, _Unit], list[Diagnostic]]:
    units: dict[str, _Unit] = {}
    unproved: list[Diagnostic] = []
    variants = {one.path for record in files.values() for one in record.variants}
    labels = {posixpath.basename(path): record.vendor for path, record in files.items() if record.vendor}
    known = tokens({source for record in files.values() for source in record.source})
    for path, record in files.items():
        if record.cache_class != "immutable":
            continue
        found = [one for source in record.source or ("",) if (one := _carried(path, record, source, labels, known))]
        if not found:
            unproved.append(error("immutable-unproved", path, "it is immutable, but its name holds no hash", _REBUILD))
            continue
        kind, span, alphabet, before = found[0]
        text = path[slice(*span)]
        unit = units.setdefault(f"{kind}:{text}", _Unit(text, alphabet, "" if path in variants else before))
        unit.files[path] = span
    return units, unproved


def _carried(
    path: str, record: FileRecord, source: str, labels: Mapping[str, str], known: Mapping[str, Token]
) -> tuple[str, tuple[int, int], str, str] | None:
    """Where the token stands in the path of a file that was made of a source: of a copy (`c`) or in place of another
    (`t`); its alphabet; and the one that it came with, '' for none. None if the name holds none.
    """
    is_image = record.kind == "image"
    # What an image's name says of its width stands behind the token.
    plain = _WIDTH.sub("", path) if is_image and not _WIDTH.search(source) else path
    copy = _COPY.match(plain)
    if copy is not None and (
        copy.group(1) + copy.group(3) == source or _is_other_format(copy.group(1), copy.group(3), source)
    ):
        return "c", copy.span(2), HEX, ""
    carried = known.get(source) or token(source)
    name = posixpath.basename(path)
    label = labels.get(name.removesuffix(".map"))
    if label and name.startswith(label):
        # Split off a script whose name says nothing of its own; or the source map of such a one.
        source, carried = path, token(path)
    if carried is None:
        return None
    before = carried.text if plain == path else ""
    if is_image and posixpath.splitext(source)[1] != posixpath.splitext(path)[1]:
        # The same image in another format came with no name.
        source, before = posixpath.splitext(source)[0] + posixpath.splitext(path)[1], ""
    start, end = carried.start, len(plain) - (len(source) - carried.end)
    if plain[:start] != source[:start] or plain[end:] != source[carried.end :]:
        return None
    return "t", (start, end), carried.alphabet, before


def _is_other_format(stem: str, suffix: str, source: str) -> bool:
    """Whether an image's name, without its token, is that of a source in another format."""
    return suffix in (".avif", ".webp") and stem == posixpath.splitext(source)[0]


def _names(folder: Path, files: Mapping[str, FileRecord]) -> Iterator[Diagnostic]:
    """Every immutable name is the hash of its content and of what it refers to, computed again.

    The graph is that of tokens standing in bytes; no format is needed to see it.
    """
    units, unproved = _units(files)
    yield from unproved
    if not units:
        return
    blank_names = {
        key: [_with(path, span, unit.blank) for path, span in unit.files.items()] for key, unit in units.items()
    }
    for key in naming.namesakes(blank_names):
        units[key].blank = units[key].source or units[key].blank
    keys = list(units)
    finder = BytesAhoCorasick([units[key].text.encode() for key in keys])
    places: dict[str, list[tuple[int, int, str]]] = {}
    graph: defaultdict[str, set[str]] = defaultdict(set)
    for key, unit in units.items():
        graph[key] = set()
        for path in unit.files:
            data = (folder / path).read_bytes()
            places[path] = [
                (start, end, keys[word]) for word, start, end in finder.find_matches_as_indexes(data, overlapping=True)
            ]
            graph[key] |= {mentioned for _, _, mentioned in places[path]}

    def blanked(circle: Sequence[str], _: Mapping[str, str]) -> Iterator[tuple[str, bytes]]:
        for key in circle:
            for path, span in units[key].files.items():
                data = bytearray((folder / path).read_bytes())
                for start, end, mentioned in places[path]:
                    if mentioned in circle:
                        data[start:end] = units[mentioned].blank.encode()
                yield _with(path, span, units[key].blank), bytes(data)

    def draw(key: str, fingerprint: bytes) -> str:
        unit = units[key]
        names = [_with(path, span, unit.blank) for path, span in unit.files.items()]
        return naming.draw(fingerprint, names, len(unit.text), unit.alphabet)

    for key, name in naming.name_units(graph, blanked, draw).items():
        if name != units[key].text:
            for path in units[key].files:
                yield error(
                    "name-mismatch",
                    path,
                    f"the hash of its content is {name}, its name says {units[key].text}",
                    _REBUILD,
                )


def _with(path: str, span: tuple[int, int], token: str) -> str:
    return path[: span[0]] + token + path[span[1] :]


# What files say of their neighbours


def _contents(folder: Path, manifest: Manifest, files: Mapping[str, FileRecord]) -> Iterator[Diagnostic]:
    """What files say of others is true, but for what was not true in the input: references, digests, revisions."""
    addresses = Addresses(files.keys(), manifest.base, manifest.origin)
    known = _Known(manifest)
    claims = Files(
        lambda url, referrer, page_base: addresses.find(url, referrer, page_base).path,
        lambda path: (folder / path).read_bytes(),
    )
    for path, record in files.items():
        if not is_text(path, record.kind, record.content_type):  # type: ignore[arg-type]
            continue
        data = (folder / path).read_bytes()
        reading = read_spans(path, record.kind, data, ())  # type: ignore[arg-type]
        for url in _dangling(path, reading, addresses):
            if not known("dangling-reference", path, url.text):
                where = place(data, url.start)
                yield error("reference-broken", path, f"{url.text} leads to no file", _REBUILD, *where)
        for one in broken(path, data, reading, claims, inline_texts(data, reading)):
            if not known("digest-unmatched", path, f"{one.place}:"):
                where = place(data, one.start)
                yield error("digest-mismatch", path, f"{one.place}: {one.message}", _REBUILD, *where)


class _Known:
    """What the manifest says was wrong in the input already: by code, file, and the beginning of the message."""

    def __init__(self, manifest: Manifest) -> None:
        self._files = manifest.files
        self._messages: defaultdict[tuple[str, str], list[str]] = defaultdict(list)
        for one in manifest.diagnostics:
            self._messages[one.code, one.path].append(one.message)

    def __call__(self, code: str, path: str, start: str) -> bool:
        sources = {path, *self._files[path].source}
        return any(
            message.startswith(f"{start} ") for source in sources for message in self._messages.get((code, source), ())
        )


def _dangling(path: str, reading: Reading, addresses: Addresses) -> Iterator[Url]:
    for url in reading.urls:
        if url.resolvable:
            target = addresses.find(url.text, path, reading.base)
            if target.ours and not target.path:
                yield url


def _routes(manifest: Manifest) -> Iterator[Diagnostic]:
    for url, route in manifest.routes.items():
        for path in (route.html, *route.initial, *route.lazy):
            if path not in manifest.files:
                yield error("route-file-missing", path, f"the route {url} needs it, the manifest has it not", _REBUILD)
    if not manifest.routes and any(record.kind == "html" for record in manifest.files.values()):
        yield warning("no-routes", MANIFEST_NAME, "the manifest lists pages but no routes")


_REBUILD = "The output was changed after it was made: build the site afresh and optimize it again."
