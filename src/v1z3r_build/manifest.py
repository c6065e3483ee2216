"""The manifest: what every file of an output is and how it is to be served. The pivot between both halves."""

from __future__ import annotations

import base64
import hashlib
import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from v1z3r_build import __version__
from v1z3r_build.diagnostics import Diagnostic, InputError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
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


@dataclass(frozen=True, slots=True)
class EncodingRecord:
    """A sidecar. size in bytes, sha256 in hexadecimal, both of the sidecar itself."""

    path: str
    size: int
    sha256: str


@dataclass(frozen=True, slots=True)
class VariantRecord:
    """The same image in another format."""

    path: str
    content_type: str


@dataclass(frozen=True, slots=True)
class FileRecord:
    """One file of the output. size in bytes; integrity in SRI notation."""

    source: tuple[str, ...]
    kind: str
    content_type: str
    size: int
    sha256: str
    integrity: str
    cache_class: str
    cache_control: str
    encodings: Mapping[str, EncodingRecord] = field(default_factory=dict)
    variants: tuple[VariantRecord, ...] = ()
    vendor: str = ""
    kept: str = ""


@dataclass(frozen=True, slots=True)
class RouteRecord:
    """What a browser needs for one page: paths of files."""

    html: str
    initial: tuple[str, ...]
    lazy: tuple[str, ...]


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
        return (json.dumps(self.to_json(), ensure_ascii=False, indent=1) + "\n").encode("utf-8", "surrogateescape")

    def to_json(self) -> dict[str, Any]:
        """The manifest as the contract lays it out."""
        return {
            "schema_version": SCHEMA_VERSION,
            "generator": self.generator,
            "release": self.release,
            "settings": self.settings,
            "engines": dict(sorted(self.engines.items())),
            "site": {"base": self.base, "origin": self.origin},
            "cache_classes": dict(self.cache_classes),
            "files": {path: _file_json(record) for path, record in sorted(self.files.items())},
            "routes": {
                url: {"html": route.html, "initial": list(route.initial), "lazy": list(route.lazy)}
                for url, route in sorted(self.routes.items())
            },
            "diagnostics": [diagnostic_json(diagnostic) for diagnostic in self.diagnostics],
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Manifest:
        """The manifest in a parsed JSON text.

        Raises KeyError, TypeError, ValueError or AttributeError where the text is no manifest.
        """
        if data["schema_version"] != SCHEMA_VERSION:
            raise ValueError(f"schema version {data['schema_version']!r}, expected {SCHEMA_VERSION}")
        return cls(
            generator=data["generator"],
            release=data["release"],
            cache_classes=dict(data["cache_classes"]),
            files={path: _file_record(record) for path, record in data["files"].items()},
            routes={
                url: RouteRecord(route["html"], tuple(route["initial"]), tuple(route["lazy"]))
                for url, route in data["routes"].items()
            },
            diagnostics=tuple(
                Diagnostic(
                    item["path"],
                    item.get("line", 0),
                    item.get("column", 0),
                    item["level"],
                    item["code"],
                    item["message"],
                    item.get("hint", ""),
                )
                for item in data["diagnostics"]
            ),
            settings=data.get("settings", ""),
            engines=dict(data.get("engines", {})),
            base=data.get("site", {}).get("base", "/"),
            origin=data.get("site", {}).get("origin", ""),
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
        except (OSError, KeyError, TypeError, ValueError, AttributeError) as failure:
            raise InputError(
                f"{path} cannot be read as a manifest: {type(failure).__name__}: {failure}",
                hint="Build the site afresh and optimize it again.",
            ) from failure


def build(site: Site, settings_digest: str, engines: Mapping[str, str], base: str, origin: str) -> Manifest:
    """The manifest of a site after its last pass. Reads every file once, in pieces."""
    files: dict[str, FileRecord] = {}
    for path, asset in site.assets.items():
        size, sha256, integrity = hashes(asset.location)
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
            vendor=asset.vendor,
            kept=asset.kept,
        )
    return Manifest(
        generator=f"v1z3r-build {__version__}",
        release=release(files),
        cache_classes=CACHE_CLASSES,
        files=files,
        routes={url: RouteRecord(route.html, route.initial, route.lazy) for url, route in site.routes.items()},
        diagnostics=tuple(sorted(set(site.diagnostics))),
        settings=settings_digest,
        engines=engines,
        base=base,
        origin=origin,
    )


def hashes(location: Path) -> tuple[int, str, str]:
    """Size in bytes, SHA-256 in hexadecimal, and SHA-384 in SRI notation of a file of any size."""
    size, sha256, sha384 = 0, hashlib.sha256(), hashlib.sha384()
    with location.open("rb") as file:
        while piece := file.read(_CHUNK):
            size += len(piece)
            sha256.update(piece)
            sha384.update(piece)
    return size, sha256.hexdigest(), f"sha384-{base64.b64encode(sha384.digest()).decode('ascii')}"


def release(files: Mapping[str, FileRecord]) -> str:
    """The name of an output: a hash over `files`."""
    text = json.dumps({path: _file_json(record) for path, record in sorted(files.items())}, ensure_ascii=False)
    return hashlib.sha256(text.encode("utf-8", "surrogateescape")).hexdigest()


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


def _file_record(data: Mapping[str, Any]) -> FileRecord:
    return FileRecord(
        source=tuple(data["source"]),
        kind=data["kind"],
        content_type=data["content_type"],
        size=data["size"],
        sha256=data["sha256"],
        integrity=data["integrity"],
        cache_class=data["cache_class"],
        cache_control=data["cache_control"],
        encodings={
            coding: EncodingRecord(item["path"], item["size"], item["sha256"])
            for coding, item in data.get("encodings", {}).items()
        },
        variants=tuple(VariantRecord(item["path"], item["content_type"]) for item in data.get("variants", ())),
        vendor=data.get("vendor", ""),
        kept=data.get("kept", ""),
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
