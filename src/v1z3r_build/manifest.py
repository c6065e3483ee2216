"""The manifest: what every file of an output is and how it is to be served. The pivot between both halves."""

from __future__ import annotations

import base64
import hashlib
import json
import os
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NamedTuple, get_args

from v1z3r_build import __version__
from v1z3r_build.diagnostics import Diagnostic, InputError, Level
from v1z3r_build.site.asset import texts_of_places
from v1z3r_build.site.site import Route
from v1z3r_build.site.spooled import Spooled

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path

    from v1z3r_build.site import Site

MANIFEST_NAME = "v1z3r-manifest.json"
SCHEMA_VERSION = 1
# RFC 9111 and RFC 8246 (immutable). `no-cache` for service workers: browsers revalidate them anyway, CDNs must too.
CACHE_CLASSES: dict[str, str] = {
    "immutable": "public, max-age=31536000, immutable",
    "html": "public, max-age=0, must-revalidate",
    "revalidate": "public, max-age=0, must-revalidate",
    "service-worker": "no-cache",
    "api": "private, max-age=0",
}
_CHUNK = 1 << 20
_json = json.JSONEncoder(ensure_ascii=False).encode


class EncodingRecord(NamedTuple):
    """A sidecar. size in bytes, sha256 in hexadecimal, both of the sidecar itself."""

    path: str
    size: int
    sha256: str


class VariantRecord(NamedTuple):
    """The same image in another format."""

    path: str
    content_type: str


class FileRecord(NamedTuple):
    """One file of the output. size in bytes; integrity in SRI notation.

    source_size: bytes of the input file that it came from, where they are others; 0 where not. score: of an image's
    variant, how much it looks like its source, by SSIMULACRA 2, rounded down, 100 for the very same pixels; else 0.
    """

    source: tuple[str, ...]
    kind: str
    content_type: str
    size: int
    sha256: str
    integrity: str
    cache_class: str
    cache_control: str
    encodings: Mapping[str, EncodingRecord] = MappingProxyType({})
    variants: tuple[VariantRecord, ...] = ()
    vendor: str = ""
    kept: str = ""
    source_size: int = 0
    score: int = 0


RouteRecord = Route


@dataclass(frozen=True, slots=True)
class Manifest:
    """All that is said of an output. settings: the digest of the settings that it was made with."""

    generator: str
    release: str
    cache_classes: Mapping[str, str]
    files: Mapping[str, FileRecord]
    routes: Mapping[str, RouteRecord]
    diagnostics: tuple[Diagnostic, ...]
    settings: str = ""
    engines: Mapping[str, str] = field(default_factory=dict)
    base: str = "/"
    origin: str = ""

    def to_bytes(self) -> bytes:
        """The manifest as a JSON text. Equal manifests give equal bytes."""
        return b"".join(self.pieces())

    def pieces(self) -> Iterator[bytes]:
        """The same bytes, never all of them in memory: of 100,000 files they are a hundred megabytes."""
        yield b"{"
        for number, (name, value) in enumerate(self._members()):
            yield _encoded(",\n " if number else "\n ", json.dumps(name), ": ")
            if isinstance(value, dict):
                yield from _object_pieces(value.items())
            elif isinstance(value, _Records):
                yield from _object_pieces(value)
            else:
                yield _encoded(_indented(value, 1))
        yield b"\n}\n"

    def to_json(self) -> dict[str, Any]:
        """The manifest as the contract lays it out."""
        return {name: dict(value) if isinstance(value, _Records) else value for name, value in self._members()}

    def _members(self) -> Iterator[tuple[str, Any]]:
        yield "schema_version", SCHEMA_VERSION
        yield "generator", self.generator
        yield "release", self.release
        yield "settings", self.settings
        yield "engines", dict(sorted(self.engines.items()))
        yield "site", {"base": self.base, "origin": self.origin}
        yield "cache_classes", dict(self.cache_classes)
        yield "files", _Records((path, _file_json(self.files[path])) for path in sorted(self.files))
        yield "routes", _Records((url, _route_json(self.routes[url])) for url in sorted(self.routes))
        yield "diagnostics", [diagnostic_json(diagnostic) for diagnostic in self.diagnostics]

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Manifest:
        """The manifest in a parsed JSON text.

        Raises ValueError, which says where, if the text is no manifest.
        """
        whole = _Members(data, "the text")
        version = whole.count("schema_version")
        if version != SCHEMA_VERSION:
            raise ValueError(f"schema version {version}, expected {SCHEMA_VERSION}")
        site = whole.inner("site", optional=True)
        return cls(
            generator=whole.text("generator"),
            release=whole.text("release"),
            cache_classes=whole.inner("cache_classes").texts(),
            files={_path(path): _file_record(record) for path, record in whole.inner("files").each()},
            routes={
                url: RouteRecord(_path(route.text("html")), route.paths("initial"), route.paths("lazy"))
                for url, route in whole.inner("routes").each()
            },
            diagnostics=tuple(
                Diagnostic(
                    item.text("path"),
                    item.count("line", 0),
                    item.count("column", 0),
                    _level(item.text("level")),
                    item.text("code"),
                    item.text("message"),
                    item.text("hint", ""),
                )
                for item in whole.listed("diagnostics")
            ),
            settings=whole.text("settings", ""),
            engines=whole.inner("engines", optional=True).texts(),
            base=site.text("base", "/"),
            origin=site.text("origin", ""),
        )

    @classmethod
    def load(cls, path: Path) -> Manifest:
        """The manifest in a file. Raises InputError with the file's name where it is missing or is none."""
        try:
            return cls.from_json(json.loads(path.read_text("utf-8", "surrogateescape")))
        except FileNotFoundError:
            raise InputError(
                f"{path} does not exist", hint="Give a folder that `v1z3r-build optimize` has written."
            ) from None
        except (OSError, ValueError, RecursionError) as failure:
            raise InputError(
                f"{path} cannot be read as a manifest: {failure}",
                hint="Build the site afresh and optimize it again.",
            ) from failure


def build(site: Site, settings_digest: str, engines: Mapping[str, str], base: str, origin: str) -> Manifest:
    """The manifest of a site after its last pass. Reads every file once, in pieces."""
    files = Spooled[FileRecord](site.spool)
    for path, asset in site.assets.items():
        location, original = texts_of_places(asset)
        size, sha256, integrity = hashes(location)
        before = os.stat(original).st_size  # noqa: PTH116
        files[path] = FileRecord(
            source=asset.sources,
            kind=asset.kind,
            content_type=asset.content_type,
            size=size,
            sha256=sha256,
            integrity=integrity,
            cache_class=asset.cache_class,
            cache_control=CACHE_CLASSES[asset.cache_class],
            encodings={
                coding: EncodingRecord(found.path, found.size, found.sha256)
                for coding, found in sorted(site.encodings.get(path, {}).items())
            },
            variants=tuple(VariantRecord(one, site.assets[one].content_type) for one in asset.variants),
            vendor=asset.vendor,
            kept=asset.kept,
            source_size=before if before != size else 0,
            score=asset.score,
        )
    return Manifest(
        generator=f"v1z3r-build {__version__}",
        release=release(files),
        cache_classes=CACHE_CLASSES,
        files=files,
        routes=site.routes,
        diagnostics=tuple(sorted(set(site.diagnostics))),
        settings=settings_digest,
        engines=engines,
        base=base,
        origin=origin,
    )


def hashes(location: str | Path) -> tuple[int, str, str]:
    """Size in bytes, SHA-256 in hexadecimal, and SHA-384 in SRI notation of a file of any size."""
    size, sha256, sha384 = 0, hashlib.sha256(), hashlib.sha384()
    with open(location, "rb", buffering=0) as file:  # noqa: PTH123
        while piece := file.read(_CHUNK):
            size += len(piece)
            sha256.update(piece)
            sha384.update(piece)
    return size, sha256.hexdigest(), f"sha384-{base64.b64encode(sha384.digest()).decode('ascii')}"


def release(files: Mapping[str, FileRecord]) -> str:
    """The name of an output: a hash over `files`, as one JSON text without line breaks."""
    digest = hashlib.sha256(b"{")
    for number, path in enumerate(sorted(files)):
        record = _json(_file_json(files[path]))
        digest.update(_encoded(", " if number else "", _json(path), ": ", record))
    digest.update(b"}")
    return digest.hexdigest()


class _Records:
    """Members of an object that are made as they are written."""

    def __init__(self, members: Iterator[tuple[str, Any]]) -> None:
        self._members = members

    def __iter__(self) -> Iterator[tuple[str, Any]]:
        return self._members


def _object_pieces(members: Iterable[tuple[str, Any]]) -> Iterator[bytes]:
    """An object that is a member of the whole, one member of its own at a time."""
    empty = True
    for name, value in members:
        key = _json(name)
        yield _encoded("{\n  " if empty else ",\n  ", key, ": ", _indented(value, 2))
        empty = False
    yield b"{}" if empty else b"\n }"


def _indented(value: Any, depth: int) -> str:
    """A value as it stands so deep in the text: as `json.dumps` with indent=1, which does all in Python."""
    line = "\n" + " " * (depth + 1)
    if value and isinstance(value, dict):
        inside = ("," + line).join(f"{_json(key)}: {_indented(one, depth + 1)}" for key, one in value.items())
        return f"{{{line}{inside}{line[:-1]}}}"
    if value and isinstance(value, list):
        inside = ("," + line).join(_indented(one, depth + 1) for one in value)
        return f"[{line}{inside}{line[:-1]}]"
    return _json(value)


def _encoded(*texts: str) -> bytes:
    return "".join(texts).encode("utf-8", "surrogateescape")


def _route_json(route: RouteRecord) -> dict[str, Any]:
    return {"html": route.html, "initial": list(route.initial), "lazy": list(route.lazy)}


def _file_json(record: FileRecord) -> dict[str, Any]:
    return dict(_members(record))


def _members(record: FileRecord) -> Iterator[tuple[str, Any]]:
    yield "source", list(record.source)
    yield "kind", record.kind
    yield "content_type", record.content_type
    yield "size", record.size
    yield "sha256", record.sha256
    yield "integrity", record.integrity
    yield "cache_class", record.cache_class
    yield "cache_control", record.cache_control
    if record.encodings:
        yield (
            "encodings",
            {
                coding: {"path": item.path, "size": item.size, "sha256": item.sha256}
                for coding, item in sorted(record.encodings.items())
            },
        )
    if record.variants:
        yield "variants", [{"path": item.path, "content_type": item.content_type} for item in record.variants]
    if record.vendor:
        yield "vendor", record.vendor
    if record.kept:
        yield "kept", record.kept
    if record.source_size:
        yield "source_size", record.source_size
    if record.score:
        yield "score", record.score


class _Members:
    """The members of a JSON object that came from outside, each checked for its type as it is asked for.

    place: how a message names the object. Everything raises ValueError.
    """

    def __init__(self, data: object, place: str) -> None:
        if not isinstance(data, dict):
            raise ValueError(f"{place} is no object")
        self._data: dict[str, Any] = data
        self._place = place

    def _get(self, key: str, default: object) -> object:
        if key in self._data:
            return self._data[key]
        if default is None:
            raise ValueError(f"{self._place} lacks the member `{key}`")
        return default

    def _of(self, key: str) -> str:
        return f"`{key}` of {self._place}"

    def text(self, key: str, default: str | None = None) -> str:
        """A string."""
        value = self._get(key, default)
        if not isinstance(value, str):
            raise ValueError(f"{self._of(key)} is no string")
        return value

    def count(self, key: str, default: int | None = None) -> int:
        """A whole number that is not negative."""
        value = self._get(key, default)
        if not isinstance(value, int) or isinstance(value, bool) or value < 0:
            raise ValueError(f"{self._of(key)} is no whole number from 0")
        return value

    def paths(self, key: str) -> tuple[str, ...]:
        """A list of paths of files."""
        value = self._get(key, None)
        if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
            raise ValueError(f"{self._of(key)} is no list of strings")
        return tuple(map(_path, value))

    def inner(self, key: str, *, optional: bool = False) -> _Members:
        """An object; an empty one if it is optional and not there."""
        return _Members(self._get(key, {} if optional else None), self._of(key))

    def listed(self, key: str, *, optional: bool = False) -> list[_Members]:
        """A list of objects; an empty one if it is optional and not there."""
        value = self._get(key, [] if optional else None)
        if not isinstance(value, list):
            raise ValueError(f"{self._of(key)} is no list")
        return [_Members(item, f"item {number} in {self._of(key)}") for number, item in enumerate(value)]

    def each(self) -> Iterator[tuple[str, _Members]]:
        """All members; each is an object."""
        for key, value in self._data.items():
            yield key, _Members(value, self._of(key))

    def texts(self) -> dict[str, str]:
        """All members; each is a string."""
        return {key: self.text(key) for key in self._data}


def _path(text: str) -> str:
    """A path below the root: whoever reads or deploys the files must not be led out of the folder."""
    if not text or text.startswith("/") or {".", ".."} & set(text.split("/")):
        raise ValueError(f"{text!r} is no path below the root")
    return text


def _level(text: str) -> Level:
    for level in get_args(Level):
        if text == level:
            return level  # type: ignore[no-any-return]
    raise ValueError(f"{text!r} is no level of a diagnostic")


def _file_record(record: _Members) -> FileRecord:
    return FileRecord(
        source=record.paths("source"),
        kind=record.text("kind"),
        content_type=record.text("content_type"),
        size=record.count("size"),
        sha256=record.text("sha256"),
        integrity=record.text("integrity"),
        cache_class=record.text("cache_class"),
        cache_control=record.text("cache_control"),
        encodings={
            coding: EncodingRecord(_path(item.text("path")), item.count("size"), item.text("sha256"))
            for coding, item in record.inner("encodings", optional=True).each()
        },
        variants=tuple(
            VariantRecord(_path(item.text("path")), item.text("content_type"))
            for item in record.listed("variants", optional=True)
        ),
        vendor=record.text("vendor", ""),
        kept=record.text("kept", ""),
        source_size=record.count("source_size", 0),
        score=record.count("score", 0),
    )


def diagnostic_json(diagnostic: Diagnostic) -> dict[str, Any]:
    """A diagnostic as the contract lays it out."""
    return {
        "level": diagnostic.level,
        "code": diagnostic.code,
        "path": diagnostic.path,
        **({"line": diagnostic.line, "column": diagnostic.column} if diagnostic.line else {}),
        "message": diagnostic.message,
        **({"hint": diagnostic.hint} if diagnostic.hint else {}),
    }
