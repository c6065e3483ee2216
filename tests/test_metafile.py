"""The metafile: esbuild's shape, bytes by source as source maps tell them, files as their own sources without."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import jsonschema
import pytest

from v1z3r_build.manifest import FileRecord, Manifest, RouteRecord
from v1z3r_build.report.metafile import metafile

if TYPE_CHECKING:
    from pathlib import Path

IMPORT_KINDS = [
    "entry-point",
    "import-statement",
    "require-call",
    "dynamic-import",
    "require-resolve",
    "import-rule",
    "composes-from",
    "url-token",
]
# esbuild's documentation, API, "Metafile": the interface `Metafile` (version 0.25) as a JSON Schema.
IMPORT = {
    "type": "object",
    "required": ["path", "kind"],
    "properties": {
        "path": {"type": "string"},
        "kind": {"enum": IMPORT_KINDS},
        "external": {"type": "boolean"},
        "original": {"type": "string"},
        "with": {"type": "object"},
    },
    "additionalProperties": False,
}
BYTES = {"type": "integer", "minimum": 0}
SHAPE = {
    "type": "object",
    "required": ["inputs", "outputs"],
    "additionalProperties": False,
    "properties": {
        "inputs": {
            "additionalProperties": {
                "type": "object",
                "required": ["bytes", "imports"],
                "additionalProperties": False,
                "properties": {
                    "bytes": BYTES,
                    "imports": {"type": "array", "items": IMPORT},
                    "format": {"enum": ["cjs", "esm"]},
                    "with": {"type": "object"},
                },
            }
        },
        "outputs": {
            "additionalProperties": {
                "type": "object",
                "required": ["bytes", "inputs", "imports", "exports"],
                "additionalProperties": False,
                "properties": {
                    "bytes": BYTES,
                    "inputs": {
                        "additionalProperties": {
                            "type": "object",
                            "required": ["bytesInOutput"],
                            "properties": {"bytesInOutput": BYTES},
                            "additionalProperties": False,
                        }
                    },
                    "imports": {"type": "array", "items": IMPORT},
                    "exports": {"type": "array", "items": {"type": "string"}},
                    "entryPoint": {"type": "string"},
                    "cssBundle": {"type": "string"},
                },
            }
        },
    },
}


def write(folder: Path, files: dict[str, tuple[str, str]], routes: dict[str, RouteRecord] | None = None) -> Manifest:
    """Files by path, each with its kind and text, and their manifest."""
    for path, (_, text) in files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(text.encode())
    records = {
        path: FileRecord((path,), kind, "", len(text.encode()), "", "", "immutable", "")
        for path, (kind, text) in files.items()
    }
    return Manifest("", "", {}, records, routes or {}, ())


# `one();` of a.js, `two();` of b.js, the rest of the second line of a.js again, a break of none.
SCRIPT = "one();two();\nthree();\n"
MAP = {
    "version": 3,
    "sources": ["webpack://_N_E/./src/a.js", "../src/b.js"],
    "names": [],
    "mappings": "AAAA,MCAA;ADCA,Q",
}


def test_sources_of_a_map_are_the_inputs(tmp_path: Path) -> None:
    files = {
        "js/a.js": ("script", SCRIPT),
        "js/a.js.map": ("json", json.dumps(MAP)),
        "b.js": ("script", "import '/js/a.js';import('./js/a.js')"),
        "a.css": ("style", "@import 'b.css';a{background:url(p.png)}"),
        "b.css": ("style", ""),
        "p.png": ("image", "p"),
        "index.html": ("html", "<script src=b.js></script>"),
    }
    made = metafile(tmp_path, write(tmp_path, files, {"/": RouteRecord("index.html", ("b.js",), ())}))
    jsonschema.validate(made, SHAPE)
    assert made["outputs"].keys() == files.keys() - {"js/a.js.map"}
    script = made["outputs"]["js/a.js"]
    assert script["inputs"] == {
        "src/a.js": {"bytesInOutput": 6 + 8},
        "src/b.js": {"bytesInOutput": 7},
        "js/a.js (no source)": {"bytesInOutput": 1},
    }
    assert sum(one["bytesInOutput"] for one in script["inputs"].values()) == script["bytes"] == len(SCRIPT)
    assert made["inputs"]["src/a.js"]["bytes"] == 14
    assert made["outputs"]["b.js"]["imports"] == [
        {"path": "js/a.js", "kind": "import-statement"},
        {"path": "js/a.js", "kind": "dynamic-import"},
    ]
    assert made["outputs"]["a.css"]["imports"] == [
        {"path": "b.css", "kind": "import-rule"},
        {"path": "p.png", "kind": "url-token"},
    ]
    assert made["outputs"]["index.html"]["entryPoint"] == "index.html"
    named = {source for output in made["outputs"].values() for source in output["inputs"]}
    assert named == made["inputs"].keys()


@pytest.mark.parametrize(
    "text", ["", "{", "[]", '{"version": 3}', json.dumps({**MAP, "mappings": "AAAA;;;;AACA"}), "[" * 9_999]
)
def test_with_a_map_that_does_not_fit_a_file_is_its_own_source(text: str, tmp_path: Path) -> None:
    made = metafile(tmp_path, write(tmp_path, {"a.js": ("script", SCRIPT), "a.js.map": ("json", text)}))
    jsonschema.validate(made, SHAPE)
    assert made["outputs"]["a.js"]["inputs"] == {"a.js": {"bytesInOutput": len(SCRIPT)}}


@pytest.mark.parametrize(
    ("script", "source_map", "expected"),
    [
        ("a;c", {"sources": ["s"], "sourceRoot": "root/", "mappings": "CAAA"}, {"a.js (no source)": 1, "root/s": 2}),
        ("a;c", {"sources": [None], "mappings": "CAAA"}, {"a.js (no source)": 3}),
        (
            "ab\n//# sourceMappingURL=a.js.map\n",
            {"sources": ["s"], "mappings": "AAAA"},
            {"s": 2, "a.js (no source)": 31},
        ),
    ],
)
def test_bytes_by_source(script: str, source_map: Any, expected: dict[str, int], tmp_path: Path) -> None:
    files = {"a.js": ("script", script), "a.js.map": ("json", json.dumps({"version": 3, **source_map}))}
    inputs = metafile(tmp_path, write(tmp_path, files))["outputs"]["a.js"]["inputs"]
    assert {source: held["bytesInOutput"] for source, held in inputs.items()} == expected
