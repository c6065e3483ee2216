"""Small programs run in Node, many at a time, for what they log."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from typing import TYPE_CHECKING, NamedTuple

import pytest

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

NODE = shutil.which("node")
# Where all that tests need must be there, its absence is no reason to skip.
needs_node = pytest.mark.skipif(
    NODE is None and os.environ.get("V1Z3R_REQUIRE_FIXTURES") != "1", reason="node is not installed"
)

# Each program is a folder of its own; what it logs is what counts, and the error that ends it. Messages name bindings
# and files: only an error's sort is compared.
_RUNNER = """
import { readFileSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
const programs = JSON.parse(readFileSync(process.argv[2]));
const require = createRequire(import.meta.url);
const out = [];
let current;
const sort = error => error instanceof Error ? error.constructor.name : String(error);
const shown = value => typeof value === "function" ? "function"
  : value instanceof Error ? sort(value)
  : typeof value === "bigint" ? `${value}n`
  : typeof value === "object" && value !== null ? JSON.stringify(value)
  : Object.is(value, -0) ? "-0" : String(value);
process.on("unhandledRejection", error => current.push(`rejected ${sort(error)}`));
for (const entry of programs) {
  const lines = current = [];
  globalThis.log = (...values) => { lines.push(values.map(shown).join(" ")); return values[0]; };
  globalThis.$ = {};
  try {
    if (entry.endsWith(".cjs")) require(entry); else await import(entry);
  } catch (error) { lines.push(`threw ${sort(error)}`); }
  await Promise.allSettled(globalThis.$.p ?? []);
  await new Promise(setImmediate);
  out.push(lines);
}
writeFileSync(process.argv[3], JSON.stringify(out));
"""


class Program(NamedTuple):
    """files: by name. entry: the one that is loaded, as a module (.mjs) or a script (.cjs)."""

    files: Mapping[str, bytes]
    entry: str


def run(programs: Sequence[Program], folder: Path) -> list[list[str]]:
    """What each of the programs logs; equal ones are run once."""
    assert NODE is not None, "node is not installed"
    places: dict[tuple[object, ...], int] = {}
    order = [places.setdefault((one.entry, *sorted(one.files.items())), len(places)) for one in programs]
    entries: list[str] = [""] * len(places)
    for program, place in zip(programs, order, strict=True):
        if entries[place]:
            continue
        home = folder / str(place)
        home.mkdir()
        for name, data in program.files.items():
            (home / name).write_bytes(data)
        entries[place] = str(home / program.entry)
    (folder / "runner.mjs").write_text(_RUNNER)
    (folder / "programs.json").write_text(json.dumps(entries))
    done = subprocess.run(
        [NODE, "runner.mjs", "programs.json", "logs.json"], cwd=folder, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    logs: list[list[str]] = json.loads((folder / "logs.json").read_text())
    return [logs[place] for place in order]
