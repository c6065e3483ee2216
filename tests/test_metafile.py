"""The metafile: esbuild's shape, bytes by source as source maps tell them, files as their own sources without."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import jsonschema
import pytest

from v1z3r_build.formats.source_map import SourceMapError, sizes
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
        (SCRIPT, MAP, {"webpack://_N_E/./src/a.js": 14, "../src/b.js": 7, None: 1}),
        ("", {"sources": [], "mappings": ""}, {}),
        ("abc", {"sources": [], "mappings": ""}, {None: 3}),
        ("abc", {"sources": ["s"], "sourceRoot": "root/", "mappings": "CAAA"}, {None: 1, "root/s": 2}),
        ("abc", {"sources": [None], "mappings": "CAAA"}, {None: 3}),
        # Columns are UTF-16 units: `é` is one and two bytes, `🥁` two and four.
        ("é🥁c", {"sources": ["s"], "mappings": "AAAA,G"}, {"s": 6, None: 1}),
        ("ab\n//# sourceMappingURL=a.js.map\n", {"sources": ["s"], "mappings": "AAAA"}, {"s": 2, None: 31}),
        # A segment that stands behind its line is its end.
        ("ab\ncd", {"sources": ["s", "t"], "mappings": "AAAA,gBCAA"}, {"s": 3, "t": 2}),
        (
            "ab\ncd",
            {
                "sections": [
                    {"offset": {"line": 0, "column": 1}, "map": {"sources": ["s"], "mappings": "AAAA"}},
                    {"offset": {"line": 1, "column": 1}, "map": {"sources": ["t"], "mappings": "AAAA"}},
                ]
            },
            {None: 1, "s": 3, "t": 1},
        ),
    ],
)
def test_bytes_by_source(script: str, source_map: Any, expected: dict[str | None, int]) -> None:
    found = sizes(script.encode(), source_map)
    assert found == expected
    assert sum(found.values()) == len(script.encode())


@pytest.mark.parametrize(
    "source_map",
    [
        None,
        [],
        {"sources": []},
        {"sources": {}, "mappings": ""},
        {"sources": [3], "mappings": ""},
        {"sources": [], "mappings": 3},
        {"sources": [], "mappings": "AAAA"},
        {"sources": ["s"], "mappings": "!"},
        {"sources": ["s"], "mappings": "A,g"},
        {"sources": ["s"], "mappings": "AA"},
        {"sources": ["s"], "mappings": "D"},
        {"sources": ["s"], "mappings": "CAAA,DAAA"},
        {"sources": ["s"], "mappings": "ADAA"},
        {"sources": ["s"], "mappings": ";;A"},
        {"sources": ["s"], "sourceRoot": 3, "mappings": "A"},
        {"sections": 3},
        {"sections": [3]},
        {"sections": [{"offset": {"line": "0", "column": 0}, "map": {}}]},
        {"sections": [{"offset": {"line": 0, "column": 0}, "map": {"sections": []}}]},
    ],
)
def test_what_is_no_map_of_a_script(source_map: Any) -> None:
    with pytest.raises(SourceMapError):
        sizes(b"ab\n", source_map)
