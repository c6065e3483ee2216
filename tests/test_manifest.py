"""The manifest: what is written fits the shipped schema and is read again; what is malformed is one clear error."""

from __future__ import annotations

import base64
import copy
import hashlib
import json
from dataclasses import replace
from importlib import resources
from typing import TYPE_CHECKING, Any, get_args

import jsonschema
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from v1z3r_build import manifest as manifests
from v1z3r_build.diagnostics import Diagnostic, InputError, Level, info, warning
from v1z3r_build.manifest import (
    CACHE_CLASSES,
    SCHEMA_VERSION,
    EncodingRecord,
    FileRecord,
    Manifest,
    RouteRecord,
    VariantRecord,
)
from v1z3r_build.site import Asset, Site
from v1z3r_build.site.asset import CacheClass, Kind
from v1z3r_build.site.inventory import Inventory
from v1z3r_build.site.site import Encoding, Route

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

SCHEMA = json.loads((resources.files("v1z3r_build") / "manifest.schema.json").read_text("utf-8"))
VALIDATOR = jsonschema.Draft202012Validator(SCHEMA)
SHA256 = "0" * 64
INTEGRITY = "sha384-" + "A" * 64


def record(**changes: Any) -> FileRecord:
    given_ = {
        "source": ("a.js",),
        "kind": "script",
        "content_type": "text/javascript; charset=utf-8",
        "size": 1,
        "sha256": SHA256,
        "integrity": INTEGRITY,
        "cache_class": "immutable",
        "cache_control": CACHE_CLASSES["immutable"],
    }
    return FileRecord(**{**given_, **changes})


FULL = Manifest(
    generator="v1z3r-build 1.2.3",
    release=SHA256,
    cache_classes=CACHE_CLASSES,
    files={
        "a.0123.js": record(
            encodings={
                "br": EncodingRecord("a.0123.js.br", 1, SHA256),
                "gzip": EncodingRecord("a.0123.js.gz", 1, SHA256),
            },
            vendor="three",
        ),
        "é/舞.png": record(
            kind="image",
            variants=(VariantRecord("é/舞.avif", "image/avif"),),
            kept="it is named in a script",
            source_size=9,
            score=81,
        ),
        "index.html": record(source=("index.html", "b.html"), kind="html", cache_class="html"),
    },
    routes={"/": RouteRecord("index.html", ("a.0123.js",), ("é/舞.png",))},
    diagnostics=(
        warning("dangling-reference", "index.html", "no.png leads nowhere", "Add it.", 3, 11),
        info("no-images", "", "0 images"),
    ),
    settings=SHA256,
    engines={"brotli": "1.2.1"},
    base="/sub/",
    origin="https://stage.example",
)


def test_the_schema_is_one() -> None:
    jsonschema.Draft202012Validator.check_schema(SCHEMA)


def test_the_schema_names_what_the_code_knows() -> None:
    """Kinds, classes, levels and the version stand twice: once for programs, once for this one."""
    file = SCHEMA["$defs"]["file"]["properties"]
    assert set(file["kind"]["enum"]) == set(get_args(Kind))
    assert set(file["cache_class"]["enum"]) == set(CACHE_CLASSES) == {*get_args(CacheClass), "api"}
    assert set(SCHEMA["properties"]["cache_classes"]["required"]) == set(CACHE_CLASSES)
    levels = SCHEMA["properties"]["diagnostics"]["items"]["properties"]["level"]["enum"]
    assert set(levels) == set(get_args(Level))
    assert SCHEMA["properties"]["schema_version"] == {"const": SCHEMA_VERSION}


def test_every_member_that_is_written_stands_in_the_schema() -> None:
    written = FULL.to_json()
    assert written.keys() == SCHEMA["properties"].keys()
    members = {key for file in written["files"].values() for key in file}
    assert members == SCHEMA["$defs"]["file"]["properties"].keys()


def test_a_manifest_is_written_and_read_again(tmp_path: Path) -> None:
    path = tmp_path / "m.json"
    path.write_bytes(FULL.to_bytes())
    VALIDATOR.validate(json.loads(path.read_bytes()))
    assert Manifest.load(path) == FULL


def test_a_name_that_is_no_utf8_is_written_and_read_again(tmp_path: Path) -> None:
    """POSIX names are bytes: the manifest holds them as they are."""
    name = "caf\udce9.js"
    manifest = Manifest("v1z3r-build 1", SHA256, CACHE_CLASSES, {name: record(source=(name,))}, {}, ())
    path = tmp_path / "m.json"
    path.write_bytes(manifest.to_bytes())
    assert b"caf\xe9.js" in path.read_bytes()
    assert Manifest.load(path) == manifest


def test_equal_manifests_have_equal_bytes() -> None:
    turned = Manifest(
        FULL.generator,
        FULL.release,
        FULL.cache_classes,
        dict(reversed(FULL.files.items())),
        dict(reversed(FULL.routes.items())),
        FULL.diagnostics,
        FULL.settings,
        dict(reversed(FULL.engines.items())),
        FULL.base,
        FULL.origin,
    )
    assert turned.to_bytes() == FULL.to_bytes()
    assert manifests.release(turned.files) == manifests.release(FULL.files)


NAMES = st.text(st.characters(codec="utf-8", exclude_characters="/."), min_size=1, max_size=5)
PATHS = st.lists(NAMES, min_size=1, max_size=3).map("/".join)
TEXTS = st.text(st.characters(codec="utf-8"), max_size=5)
HASHES = st.binary(min_size=32, max_size=32).map(bytes.hex)
RECORDS = st.builds(
    FileRecord,
    source=st.lists(PATHS, max_size=2, unique=True).map(tuple),
    kind=st.sampled_from(get_args(Kind)),
    content_type=st.just("image/png"),
    size=st.integers(0, 1 << 60),
    sha256=HASHES,
    integrity=st.binary(min_size=48, max_size=48).map(lambda data: f"sha384-{base64.b64encode(data).decode()}"),
    cache_class=st.sampled_from(list(CACHE_CLASSES)),
    cache_control=TEXTS,
    encodings=st.dictionaries(NAMES, st.builds(EncodingRecord, PATHS, st.integers(0, 99), HASHES), max_size=2),
    variants=st.lists(st.builds(VariantRecord, PATHS, TEXTS), max_size=2).map(tuple),
    vendor=TEXTS,
    kept=TEXTS,
)
DIAGNOSTICS = st.builds(
    Diagnostic,
    path=TEXTS,
    line=st.integers(1, 9),
    column=st.integers(1, 9),
    level=st.sampled_from(get_args(Level)),
    code=st.from_regex("[a-z][a-z0-9-]*", fullmatch=True),
    message=TEXTS,
    hint=TEXTS,
)
MANIFESTS = st.builds(
    Manifest,
    generator=TEXTS.map("v1z3r-build {}".format),
    release=HASHES,
    cache_classes=st.just(CACHE_CLASSES),
    files=st.dictionaries(PATHS, RECORDS, max_size=3),
    routes=st.dictionaries(
        PATHS.map("/{}".format),
        st.builds(RouteRecord, PATHS, *[st.lists(PATHS, max_size=2, unique=True).map(tuple)] * 2),
        max_size=2,
    ),
    diagnostics=st.lists(DIAGNOSTICS, max_size=2).map(tuple),
    settings=TEXTS,
    engines=st.dictionaries(TEXTS, TEXTS, max_size=2),
    base=st.sampled_from(["/", "/sub/"]),
    origin=TEXTS,
)


@settings(max_examples=60, deadline=None, derandomize=True)
@given(MANIFESTS)
def test_any_manifest_fits_the_schema_and_is_read_again(manifest: Manifest) -> None:
    data = json.loads(manifest.to_bytes())
    VALIDATOR.validate(data)
    assert Manifest.from_json(data) == manifest


@settings(max_examples=60, deadline=None, derandomize=True)
@given(st.dictionaries(PATHS, RECORDS, min_size=1, max_size=2), st.data())
def test_a_release_follows_all_that_is_said_of_its_files(files: dict[str, FileRecord], data: st.DataObject) -> None:
    path = data.draw(st.sampled_from(sorted(files)))
    other = data.draw(RECORDS.filter(lambda made: made != files[path]))
    assert manifests.release({**files, path: other}) != manifests.release(files)


def test_a_manifest_of_a_site(tmp_path: Path) -> None:
    """From assets to records: sizes and hashes are those of the bytes, sidecars stand with their file."""
    (tmp_path / "a.js").write_bytes(b"alert(1)")
    asset = Asset(
        "a.js", "script", "text/javascript", 8, tmp_path / "a.js", tmp_path / "a.js", ("b.js",), "immutable", "three", "why"
    )  # fmt: skip
    encoding = Encoding("a.js.br", 5, SHA256, str(tmp_path / "a.js.br"))
    site = Site(
        root=tmp_path,
        spool=tmp_path,
        assets=Inventory(tmp_path, tmp_path, [asset]),
        encodings={"a.js": {"br": encoding}},
        routes={"/": Route("a.js", (), ("a.js",))},
        diagnostics=(info("b", "", "x"), info("a", "", "x"), info("b", "", "x")),
    )
    made = manifests.build(site, SHA256, {"x": "1"}, "/", "")
    VALIDATOR.validate(json.loads(made.to_bytes()))
    file = made.files["a.js"]
    assert (file.size, file.sha256) == (8, hashlib.sha256(b"alert(1)").hexdigest())
    assert file.integrity == "sha384-" + base64.b64encode(hashlib.sha384(b"alert(1)").digest()).decode()
    assert file.cache_control == CACHE_CLASSES["immutable"]
    assert file.encodings == {"br": EncodingRecord("a.js.br", 5, SHA256)}
    assert (file.source, file.vendor, file.kept) == (("b.js",), "three", "why")
    assert [one.code for one in made.diagnostics] == ["a", "b"]
    assert made.release == manifests.release(made.files)


@pytest.mark.parametrize("size", [0, 1, manifests._CHUNK, manifests._CHUNK + 1])
def test_files_of_any_size_are_hashed_in_pieces(tmp_path: Path, size: int) -> None:
    data = b"x" * size
    (tmp_path / "a").write_bytes(data)
    integrity = base64.b64encode(hashlib.sha384(data).digest()).decode()
    assert manifests.hashes(tmp_path / "a") == (size, hashlib.sha256(data).hexdigest(), f"sha384-{integrity}")


# What is malformed: the text, or a change to a good one; and what the message must name.

TEXT_ERRORS: dict[str, tuple[bytes, str]] = {
    "empty": (b"", "line 1 column 1"),
    "no JSON": (b"{", "line 1"),
    "a list": (b"[]", "the text is no object"),
    "null": (b"null", "the text is no object"),
    "an empty object": (b"{}", "lacks the member `schema_version`"),
    "nested without end": (b"[" * 100_000, "cannot be read as a manifest"),
    "bytes of no charset": (b"\xff\xfe", "line 1"),
}


@pytest.mark.parametrize("data, said", TEXT_ERRORS.values(), ids=TEXT_ERRORS.keys())
def test_a_text_that_is_no_manifest(tmp_path: Path, data: bytes, said: str) -> None:
    (tmp_path / "m.json").write_bytes(data)
    refused(tmp_path / "m.json", said)


def set_(*keys: str | int, to: object) -> Callable[[Any], None]:
    def change(data: Any) -> None:
        for key in keys[:-1]:
            data = data[key]
        data[keys[-1]] = to

    return change


def drop(*keys: str) -> Callable[[Any], None]:
    def change(data: Any) -> None:
        for key in keys[:-1]:
            data = data[key]
        del data[keys[-1]]

    return change


FILE = ("files", "a.0123.js")
MEMBER_ERRORS: dict[str, tuple[Callable[[Any], None], str]] = {
    "another version": (set_("schema_version", to=2), "schema version 2, expected 1"),
    "a version that is no number": (set_("schema_version", to=True), "`schema_version`"),
    **{f"no {key}": (drop(key), f"`{key}`") for key in SCHEMA["required"]},
    "files as a list": (set_("files", to=[]), "`files` of the text is no object"),
    "a file that is none": (set_(*FILE, to=1), "`a.0123.js` of `files`"),
    **{f"a file without {key}": (drop(*FILE, key), f"`{key}`") for key in SCHEMA["$defs"]["file"]["required"]},
    "a size that is a text": (set_(*FILE, "size", to="1"), "`size` of `a.0123.js`"),
    "a size below 0": (set_(*FILE, "size", to=-1), "`size` of `a.0123.js`"),
    "a size with a fraction": (set_(*FILE, "size", to=1.5), "`size` of `a.0123.js`"),
    "a hash that is none": (set_(*FILE, "sha256", to=None), "`sha256` of `a.0123.js`"),
    "a source that is a text": (set_(*FILE, "source", to="a.js"), "`source` of `a.0123.js`"),
    "encodings as a list": (set_(*FILE, "encodings", to=[]), "`encodings` of `a.0123.js`"),
    "an encoding without a path": (drop(*FILE, "encodings", "br", "path"), "`path`"),
    "variants as an object": (set_("files", "é/舞.png", "variants", to={}), "`variants` of `é/舞.png`"),
    "a path that leads out": (set_("files", "../a.js", to={}), "../a.js"),
    "a sidecar's path that leads out": (set_(*FILE, "encodings", "br", "path", to="x/../../a.js"), "x/../../a.js"),
    "a path from the root": (set_("routes", "/", "initial", to=["/etc/passwd"]), "/etc/passwd"),
    "no path": (set_("routes", "/", "html", to=""), "''"),
    "a route without its page": (drop("routes", "/", "html"), "`html`"),
    "diagnostics as an object": (set_("diagnostics", to={}), "`diagnostics` of the text is no list"),
    "a diagnostic that is none": (set_("diagnostics", 1, to="x"), "item 1 in `diagnostics`"),
    "a level that is none": (set_("diagnostics", 0, "level", to="fatal"), "fatal"),
    "a line that is a text": (set_("diagnostics", 0, "line", to="3"), "`line`"),
    "a class without a header": (set_("cache_classes", "html", to=None), "`html` of `cache_classes`"),
    "an engine without a version": (set_("engines", "brotli", to=1), "`brotli` of `engines`"),
    "a site that is none": (set_("site", to="/"), "`site`"),
}


@pytest.mark.parametrize("change, said", MEMBER_ERRORS.values(), ids=MEMBER_ERRORS.keys())
def test_a_malformed_member(tmp_path: Path, change: Callable[[Any], None], said: str) -> None:
    data = copy.deepcopy(FULL.to_json())
    change(data)
    assert not VALIDATOR.is_valid(data)
    (tmp_path / "m.json").write_text(json.dumps(data), "utf-8")
    refused(tmp_path / "m.json", said)


def refused(path: Path, said: str) -> None:
    with pytest.raises(InputError) as raised:
        Manifest.load(path)
    assert str(path) in raised.value.message
    assert said in raised.value.message
    assert "\n" not in raised.value.message
    assert raised.value.hint


def test_a_manifest_that_is_missing_or_a_folder(tmp_path: Path) -> None:
    refused(tmp_path / "m.json", "does not exist")
    refused(tmp_path, "cannot be read")


def test_members_of_a_later_version_are_passed_over(tmp_path: Path) -> None:
    """Fields may be added to the contract; none changes its meaning."""
    data = FULL.to_json()
    data["files"]["a.0123.js"]["later"] = data["later"] = {"x": 1}
    VALIDATOR.validate(data)
    assert Manifest.from_json(data) == FULL


def test_members_that_may_be_missing(tmp_path: Path) -> None:
    data = FULL.to_json()
    for key in data.keys() - set(SCHEMA["required"]):
        del data[key]
    VALIDATOR.validate(data)
    read = Manifest.from_json(data)
    assert (read.settings, read.engines, read.base, read.origin) == ("", {}, "/", "")


def test_the_text_made_in_pieces_is_the_text() -> None:
    """What one call of the JSON writer gives; and a release hashes what it always has."""
    for one in (FULL, replace(FULL, files={}, routes={}, diagnostics=(), engines={})):
        whole = json.dumps(one.to_json(), ensure_ascii=False, indent=1) + "\n"
        assert one.to_bytes() == whole.encode("utf-8", "surrogateescape")
        text = json.dumps(one.to_json()["files"], ensure_ascii=False)
        assert manifests.release(one.files) == hashlib.sha256(text.encode("utf-8", "surrogateescape")).hexdigest()
