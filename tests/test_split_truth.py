"""What source maps say about the bytes of scripts: benchmarks/split_truth.py."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from split_truth import NOBODY, REST, Span, truth, vendor

if TYPE_CHECKING:
    from browser import exports

MIXED = ("next14-mixed", "next15-mixed", "next16-mixed", "vite7", "vite8-mixed", "webpack5", "webpack5-runtime")


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        (None, NOBODY),
        ("webpack://x/./src/three/index.js", REST),
        ("webpack://x/./node_modules/three/build/three.module.js", "three"),
        ("../../node_modules/.pnpm/three@0.1.0/node_modules/three/build/three.core.js", "three"),
        ("../../node_modules/three-stdlib/index.js", REST),
        ("turbopack:///[project]/node_modules/@tensorflow/tfjs-core/dist/ops/add.js", "tfjs"),
        ("../../node_modules/@tensorflow/tfjs-core/node_modules/long/src/long.js", "tfjs"),
        ("../../node_modules/react-dom/index.js", REST),
    ],
)
def test_a_vendor_is_known_by_its_packages(source: str | None, expected: str) -> None:
    assert vendor(source) == expected


@pytest.mark.fixtures
@pytest.mark.parametrize("export", MIXED, indirect=True)
def test_mixed_exports_are_mixed_and_have_no_maps(export: exports.Export) -> None:
    maps = export.folder.parent.with_name("fixtures-maps") / export.name
    scripts = truth(export.folder, maps)
    mixed = {
        name: sum(_sizes(parts).get(name, 0) for parts in scripts.values() if _sizes(parts).get(REST, 0) > 500)
        for name in ("three", "tfjs")
    }
    assert all(size > 100_000 for size in mixed.values()), mixed
    assert not list(export.folder.rglob("*.map"))
    for path in scripts:
        assert b"sourceMappingURL=" not in (export.folder / path).read_bytes()[-200:], path


def _sizes(parts: list[Span]) -> dict[str | None, int]:
    return {origin: sum(part.size for part in parts if part.origin == origin) for origin in {p.origin for p in parts}}
