"""Bundles without any of the libraries that are split off: of a real project's nothing is taken, and nothing is said."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from browser import exports

SITE = exports.Export(Path(__file__).parents[1] / "build" / "fixtures" / "foreign")
SCRIPTS = 7

pytestmark = pytest.mark.fixtures


def test_nothing_is_split_off_other_projects_bundles(tmp_path: Path) -> None:
    exports.require(SITE)
    run = exports.command("optimize", str(SITE.folder), "-o", str(tmp_path / "out"), "--only", "split", "--json")
    assert run.returncode == 0, run.stderr
    manifest = json.loads((tmp_path / "out" / "v1z3r-manifest.json").read_text())
    scripts = {path: record for path, record in manifest["files"].items() if record["kind"] == "script"}
    assert len(scripts) == SCRIPTS
    assert sum(record["size"] for record in scripts.values()) > 3_000_000
    assert not any("vendor" in record for record in scripts.values())
    for path in scripts:
        assert (tmp_path / "out" / path).read_bytes() == (SITE.folder / path).read_bytes()
    codes = {one["code"] for one in json.loads(run.stdout)["diagnostics"]}
    assert not codes & {"not-split", "vendor-copies"}
