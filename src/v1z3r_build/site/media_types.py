"""What a file is, by its name and its content: media type, charset, kind. Our own table, never the operating system's.

The table follows the IANA registry, and for what browsers run or show the WHATWG MIME Sniffing Standard.
"""

from __future__ import annotations

import codecs
import posixpath
from functools import cache
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from v1z3r_build.site.asset import Kind

HEAD_SIZE = 1 << 16  # bytes that are enough for every signature and for a page's late <meta charset>
_BINARY = "application/octet-stream"
_BITMAPS_AND_MEDIA = frozenset({"image", "media", "font"})

# fmt: off
_TABLE: dict[Kind, dict[str, str]] = {
    "html": {"text/html": "html htm shtml"},
    "script": {"text/javascript": "js mjs cjs"},  # RFC 9239
    "style": {"text/css": "css"},
    "wasm": {"application/wasm": "wasm"},
    "json": {
        "application/json": "json map topojson",
        "application/manifest+json": "webmanifest",
        "application/geo+json": "geojson",
        "application/ld+json": "jsonld",
        "application/importmap+json": "importmap",
        "application/speculationrules+json": "speculationrules",
        "application/feed+json": "jsonfeed",
        "model/gltf+json": "gltf",
    },
    "image": {
        "image/svg+xml": "svg svgz",
        "image/png": "png", "image/apng": "apng", "image/jpeg": "jpg jpeg jpe jfif pjpeg", "image/gif": "gif",
        "image/webp": "webp", "image/avif": "avif", "image/jxl": "jxl", "image/heic": "heic", "image/heif": "heif",
        "image/x-icon": "ico cur",  # MIME Sniffing §6.1; IANA says vnd.microsoft.icon
        "image/bmp": "bmp", "image/tiff": "tif tiff", "image/vnd.radiance": "hdr", "image/x-exr": "exr",
        "image/ktx": "ktx", "image/ktx2": "ktx2", "image/vnd.ms-dds": "dds", "image/x-tga": "tga", "image/jp2": "jp2",
        "image/vnd.adobe.photoshop": "psd",
    },
    "font": {
        "font/woff": "woff", "font/woff2": "woff2", "font/ttf": "ttf", "font/otf": "otf", "font/collection": "ttc",
        "application/vnd.ms-fontobject": "eot",
    },
    "media": {
        "audio/mpeg": "mp3", "audio/ogg": "ogg oga opus spx", "audio/wav": "wav", "audio/flac": "flac",
        "audio/mp4": "m4a m4b", "audio/aac": "aac", "audio/webm": "weba", "audio/midi": "mid midi",
        "audio/aiff": "aif aiff", "video/mp4": "mp4 m4v", "video/webm": "webm", "video/quicktime": "mov qt",
        "video/ogg": "ogv", "video/matroska": "mkv", "video/x-msvideo": "avi", "video/mpeg": "mpg mpeg",
        "video/3gpp": "3gp", "video/iso.segment": "m4s", "video/mp2t": "ts m2ts",
    },
    "text": {
        "text/plain": "txt text log ini conf cfg toml json5 jsonc tsx jsx mts cts vue svelte astro mdx hbs mustache "
                      "ejs pug scss sass less styl coffee glsl vert frag vs fs geom comp tesc tese vsh fsh shader "
                      "hlsl metal pem asc sh bat py rb sql meta sha256 sha512 md5 env cube",
        "text/markdown": "md markdown", "text/csv": "csv", "text/tab-separated-values": "tsv", "text/wgsl": "wgsl",
        "text/vtt": "vtt webvtt", "text/calendar": "ics", "text/vcard": "vcf", "text/x-component": "rsc",
        "text/cache-manifest": "appcache", "text/turtle": "ttl",
        "application/yaml": "yaml yml",  # RFC 9512
        "application/x-ndjson": "ndjson jsonl", "application/x-subrip": "srt",
        "application/vnd.apple.mpegurl": "m3u8 m3u", "application/dash+xml": "mpd",
        "application/xml": "xml xsd opml plist", "application/xslt+xml": "xsl xslt", "application/rss+xml": "rss",
        "application/atom+xml": "atom", "application/rdf+xml": "rdf", "application/gpx+xml": "gpx",
        "application/vnd.google-earth.kml+xml": "kml", "application/opensearchdescription+xml": "osdx",
        # XHTML is XML: what keeps a page's meaning for an HTML parser can break it, so it is read as text.
        "application/xhtml+xml": "xhtml xht",
    },
    "other": {
        "application/pdf": "pdf", "application/zip": "zip", "application/gzip": "gz tgz", "application/x-brotli": "br",
        "application/zstd": "zst", "application/x-tar": "tar", "application/x-7z-compressed": "7z",
        "application/x-bzip2": "bz2", "application/x-xz": "xz", "application/vnd.rar": "rar",
        "application/java-archive": "jar", "application/vnd.android.package-archive": "apk",
        "application/epub+zip": "epub", "application/rtf": "rtf", "application/postscript": "ps eps ai",
        "application/msword": "doc", "application/vnd.ms-excel": "xls", "application/vnd.ms-powerpoint": "ppt",
        "application/vnd.openxmlformats-officedocument.wordprocessingml.document": "docx",
        "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet": "xlsx",
        "application/vnd.openxmlformats-officedocument.presentationml.presentation": "pptx",
        "application/vnd.sqlite3": "sqlite sqlite3", "application/vnd.apache.parquet": "parquet",
        "application/vnd.apache.arrow.file": "arrow", "application/vnd.pmtiles": "pmtiles",
        "application/x-shockwave-flash": "swf",
        "model/gltf-binary": "glb", "model/obj": "obj", "model/mtl": "mtl", "model/stl": "stl", "model/3mf": "3mf",
        "model/vnd.collada+xml": "dae", "model/vnd.usdz+zip": "usdz",
        _BINARY: "bin dat data buf mem fbx ply drc splat ksplat spz basis pbf mvt pb tflite onnx ort task safetensors "
                 "npy unityweb pck exe dmg iso deb rpm",
    },
}
# fmt: on
_BY_SUFFIX: dict[str, tuple[str, Kind]] = {
    suffix: (essence, kind)
    for kind, essences in _TABLE.items()
    for essence, suffixes in essences.items()
    for suffix in suffixes.split()
}
# Apple asks for this name without suffix, and wants JSON.
_BY_NAME: dict[str, tuple[str, Kind]] = {"apple-app-site-association": ("application/json", "json")}

# Types that may hold much redundancy. Fonts in sfnt, icons and bitmaps carry no compression of their own; models,
# weights and buffers are rows of numbers. Archives, databases and tiles that are read by ranges are left out.
_COMPRESSIBLE = frozenset(
    {
        _BINARY, "application/wasm", "application/yaml", "application/x-ndjson", "application/x-subrip",
        "application/vnd.apple.mpegurl", "application/rtf", "application/postscript", "application/vnd.ms-fontobject",
        "application/x-tar", "application/vnd.apache.arrow.file", "font/ttf", "font/otf", "font/collection",
        "image/x-icon", "image/bmp", "image/vnd.radiance", "image/vnd.ms-dds", "image/x-tga",
        "model/gltf-binary", "model/obj", "model/mtl", "model/stl",
    }
)  # fmt: skip

# Signatures, with the types that they admit beside the one they prove: what shares a container is no contradiction.
_SIGNATURES: tuple[tuple[int, bytes, str, Kind, str], ...] = (
    (0, b"\x89PNG\r\n\x1a\n", "image/png", "image", "image/apng"),
    (0, b"\xff\xd8\xff", "image/jpeg", "image", ""),
    (0, b"GIF87a", "image/gif", "image", ""),
    (0, b"GIF89a", "image/gif", "image", ""),
    (8, b"WEBPVP", "image/webp", "image", ""),
    (0, b"\0\0\0\x0cJXL \r\n\x87\n", "image/jxl", "image", ""),
    (0, b"\xabKTX 20\xbb\r\n\x1a\n", "image/ktx2", "image", ""),
    (0, b"v/1\x01", "image/x-exr", "image", ""),
    (0, b"#?RADIANCE", "image/vnd.radiance", "image", ""),
    (4, b"ftypavif", "image/avif", "image", ""),
    (4, b"ftypavis", "image/avif", "image", ""),
    (4, b"ftyphei", "image/heic", "image", "image/heif"),
    (4, b"ftypmif1", "image/heic", "image", "image/heif image/avif"),
    (4, b"ftyp", "video/mp4", "media", "audio/mp4 video/quicktime video/3gpp video/iso.segment image/heic image/heif"),
    (0, b"\x1aE\xdf\xa3", "video/webm", "media", "audio/webm video/matroska"),
    (0, b"OggS", "audio/ogg", "media", "video/ogg"),
    (0, b"fLaC", "audio/flac", "media", ""),
    (0, b"ID3", "audio/mpeg", "media", "audio/aac audio/flac audio/wav audio/aiff"),
    (8, b"WAVEfmt ", "audio/wav", "media", ""),
    (0, b"MThd\0\0\0\x06", "audio/midi", "media", ""),
    (0, b"wOFF", "font/woff", "font", ""),
    (0, b"wOF2", "font/woff2", "font", ""),
    (0, b"OTTO\0", "font/otf", "font", "font/ttf font/collection"),
    (0, b"ttcf\0", "font/collection", "font", "font/ttf font/otf"),
    (0, b"\0\x01\0\0\0", "font/ttf", "font", "font/otf font/collection"),
    (0, b"\0asm", "application/wasm", "wasm", ""),
    (0, b"glTF\x02\0\0\0", "model/gltf-binary", "other", ""),
    (0, b"%PDF-", "application/pdf", "other", "application/postscript"),
    (0, b"\x1f\x8b\x08", "application/gzip", "other", ""),
    (0, b"PK\x03\x04", "application/zip", "other", ""),
    (0, b"(\xb5/\xfd", "application/zstd", "other", ""),
    (0, b"\xfd7zXZ\0", "application/x-xz", "other", ""),
    (0, b"7z\xbc\xaf'\x1c", "application/x-7z-compressed", "other", ""),
)
LFS_POINTER = "a pointer of Git LFS instead of the file"
_LFS_START = b"version https://git-lfs.github.com/spec/v1\n"
_PAGE_STARTS = tuple(
    name + end
    for name in (b"<!doctype html", b"<html", b"<head", b"<body", b"<script")
    for end in (b" ", b">", b"\n", b"\r")
)
# MIME Sniffing §3: bytes that no text holds.
_BINARY_BYTES = bytes([*range(0x09), 0x0B, *range(0x0E, 0x1B), *range(0x1C, 0x20)])
_BOMS = ((codecs.BOM_UTF8, "utf-8"), (codecs.BOM_UTF16_LE, "utf-16le"), (codecs.BOM_UTF16_BE, "utf-16be"))


class Judgement(NamedTuple):
    """What a file is.

    essence: the media type without parameters. contents: what it holds against its name, '' if all agrees.
    Where kind is "other" against the name, no pass rewrites the file.
    """

    essence: str
    kind: Kind
    contents: str = ""


def content_type(path: str) -> str:
    """The Content-Type that a name stands for, text taken for UTF-8."""
    essence = _named(path)[0]
    return f"{essence}; charset=utf-8" if has_charset(essence) else essence


def classify(path: str, data: bytes) -> tuple[str, Kind]:
    """The Content-Type and the kind of a file, by its name and its bytes (its beginning, or all of it).

    A charset is stated where a byte order mark, a declaration or valid UTF-8 proves it, and never invented.
    """
    judged = judge(path, data)
    known = (
        charset(judged.essence, data, valid_utf8=is_utf8(data, whole=len(data) < HEAD_SIZE))
        if has_charset(judged.essence)
        else ""
    )
    return with_charset(judged.essence, known), judged.kind


def judge(path: str, head: bytes) -> Judgement:
    """What a file is by its name and its first bytes.

    A signature overrules the name within what browsers show by content anyway (pictures, sound, video, fonts: MIME
    Sniffing §6, §8). Everywhere else the type stays as named, so that no content gains the right to run by its bytes
    alone (MIME Sniffing §2: privilege escalation); but then nothing may read the file as what it is not.
    """
    essence, kind = _named(path)
    suffix = _suffix(path)
    if suffix not in _BY_SUFFIX and posixpath.basename(path) not in _BY_NAME:
        return _by_content(head, suffix)
    if essence == _BINARY:
        return Judgement(essence, kind)  # such a name claims nothing that the content could contradict
    if suffix == "ts" and head[:1] != b"\x47":
        essence, kind = "text/plain", "text"  # TypeScript; a transport stream begins with the sync byte (ISO 13818-1)
    if head.startswith(_LFS_START) and kind != "text":
        return Judgement(essence, "other", LFS_POINTER)
    found = _signature(head)
    if found is not None:
        proved, proved_kind, admitted = found
        if essence in (proved, *admitted) or kind == proved_kind == "other":
            return Judgement(essence, kind)
        if {kind, proved_kind} <= _BITMAPS_AND_MEDIA and essence != "image/svg+xml":
            return Judgement(proved, proved_kind, proved)
        return Judgement(essence, "other", proved)
    if kind not in ("html", "text") and _is_page(head):
        return Judgement(essence, "other", "text/html")
    return Judgement(essence, kind)


def has_charset(essence: str) -> bool:
    """Whether a charset parameter says anything: JSON is always UTF-8 (RFC 8259 §8.1), XML says it itself."""
    return essence.startswith("text/")


def charset(essence: str, head: bytes, *, valid_utf8: bool) -> str:
    """The charset of a text, '' if nothing proves one.

    By the order in which browsers decide it: byte order mark, then the page's `<meta>` or the style sheet's `@charset`;
    then UTF-8 if the whole text is valid as such (valid_utf8).
    """
    for mark, name in _BOMS:
        if head.startswith(mark):
            return name
    declared = ""
    if essence == "text/html":
        declared = _page_charset(head)
    elif essence == "text/css":
        declared = _style_charset(head)
    return declared or ("utf-8" if valid_utf8 else "")


def with_charset(essence: str, known: str) -> str:
    """The Content-Type of a media type and a charset, which may be ''."""
    return f"{essence}; charset={known}" if known else essence


def is_utf8(data: bytes, *, whole: bool = True) -> bool:
    """Whether all bytes are UTF-8. whole: that is all of the text; else its last character may be cut off."""
    try:
        codecs.getincrementaldecoder("utf-8")().decode(data, final=whole)
    except UnicodeDecodeError:
        return False
    return True


@cache
def compressible(content_type: str) -> bool:
    """Whether a content coding can make files of the type smaller. Types that are compressed already are not."""
    essence = content_type.partition(";")[0].strip().lower()
    return essence.startswith("text/") or essence.endswith(("json", "xml")) or essence in _COMPRESSIBLE


def _named(path: str) -> tuple[str, Kind]:
    """The type that a name claims; text for a name without suffix, bytes for a suffix that nobody knows."""
    name = posixpath.basename(path)
    suffix = _suffix(path)
    if name in _BY_NAME:
        return _BY_NAME[name]
    return _BY_SUFFIX.get(suffix, (_BINARY, "other")) if suffix else ("text/plain", "text")


def _suffix(path: str) -> str:
    return posixpath.splitext(path)[1][1:].lower()


def _by_content(head: bytes, suffix: str) -> Judgement:
    """What a file is whose name says nothing (MIME Sniffing §7.1).

    A page is recognised only without suffix, as exports name them for hosts that add none; an upload with a suffix of
    its own must not become a page of the site.
    """
    found = _signature(head)
    if found is not None:
        return Judgement(found[0], found[1])
    if not suffix and _is_page(head):
        return Judgement("text/html", "html")
    if head.startswith(tuple(mark for mark, _ in _BOMS)) or len(head.translate(None, _BINARY_BYTES)) == len(head):
        return Judgement("text/plain", "text")
    return Judgement(_BINARY, "other")


_MAGIC = {
    offset: tuple(magic for at, magic, *_ in _SIGNATURES if at == offset) for offset in {at for at, *_ in _SIGNATURES}
}


def _signature(head: bytes) -> tuple[str, Kind, tuple[str, ...]] | None:
    if not any(head.startswith(all_there, offset) for offset, all_there in _MAGIC.items()):
        return None  # as of nearly all texts
    for offset, magic, essence, kind, admitted in _SIGNATURES:
        if head.startswith(magic, offset):
            return essence, kind, tuple(admitted.split())
    return None


def _is_page(head: bytes) -> bool:
    """Whether it begins as only a page does. `<!--` is none of these: scripts and style sheets may begin so."""
    start = head[:256].removeprefix(codecs.BOM_UTF8).lstrip(b"\t\n\f\r ").lower()
    return start.startswith(_PAGE_STARTS)


def _page_charset(head: bytes) -> str:
    """What the page's `<meta>` declares, as the browser's prescan and parser find it (HTML §13.2.3.2, §13.2.3.5).

    The detector falls back on the bytes where nothing is declared. So it is asked twice, with all bytes beyond ASCII
    replaced and then an end that is valid UTF-8, or none: only a declaration gives the same answer to both.
    """
    if b"charset" not in head.lower():
        return ""
    ascii_only = head.decode("ascii", "replace").replace("\ufffd", "?")
    for text, find in ((ascii_only[:1024].ljust(1024), _detected), (ascii_only, _parsed)):
        declared = find(text.encode("ascii") + "\u00e9".encode())
        if declared == find(text.encode("ascii") + b"\xff"):
            return declared
    return ""


def _detected(data: bytes) -> str:
    from turbohtml.detect import detect

    return (detect(data).encoding or "").lower()


def _parsed(data: bytes) -> str:
    from turbohtml import parse

    return (parse(data, positions=False).encoding or "").lower()


def _style_charset(head: bytes) -> str:
    """What `@charset` declares: these very bytes at the very start (CSS Syntax §3.2)."""
    if not head.startswith(b'@charset "'):
        return ""
    label, end, _ = head[10:1024].partition(b'";')
    name = label.decode("ascii", "replace").strip().lower()
    if not end or not name.replace("-", "").replace("_", "").replace(":", "").isalnum() or not name.isascii():
        return ""
    return "utf-8" if name.startswith("utf-16") else name
