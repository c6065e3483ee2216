"""Small sites that tests send through the whole program, and what comes out."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urljoin, urlsplit

from click.testing import CliRunner, Result

from v1z3r_build.cli import main

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    Files = Mapping[str, str | bytes]
    Optimize = Callable[..., "Output"]

MANIFEST = "v1z3r-manifest.json"
ORIGIN = "https://stage.example"


@dataclass(frozen=True)
class Output:
    """An optimized site."""

    folder: Path

    def bytes(self, path: str) -> bytes:
        return (self.folder / path).read_bytes()

    def text(self, path: str) -> str:
        return self.bytes(path).decode()

    @property
    def manifest(self) -> dict[str, Any]:
        loaded: dict[str, Any] = json.loads(self.bytes(MANIFEST))
        return loaded

    @property
    def files(self) -> dict[str, dict[str, Any]]:
        records: dict[str, dict[str, Any]] = self.manifest["files"]
        return records

    def made_of(self, source: str) -> list[str]:
        return [path for path, record in self.files.items() if record["source"] == [source]]

    def codes(self) -> list[tuple[str, str]]:
        return [(one["code"], one["path"]) for one in self.manifest["diagnostics"]]

    def target(self, page: str, reference: str) -> str:
        """The file to which a reference leads in a browser."""
        return unquote(urlsplit(urljoin(f"{ORIGIN}/{page}", reference)).path).lstrip("/")


def write(folder: Path, files: Files) -> Path:
    for path, content in files.items():
        place = folder / path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(content.encode() if isinstance(content, str) else content)
    return folder


def run(*words: object) -> Result:
    return CliRunner().invoke(main, [str(word) for word in words])


def optimizer(tmp_path: Path) -> Optimize:
    """What optimizes the files of a site and verifies the output."""

    def make(files: Files, *options: object) -> Output:
        number = len(list(tmp_path.iterdir()))
        site = write(tmp_path / f"site{number}", files)
        out = tmp_path / f"out{number}"
        done = run("optimize", site, "-o", out, "--jobs", 1, *options)
        assert done.exit_code == 0, done.stderr
        checked = run("verify", out)
        assert checked.exit_code == 0, checked.stderr
        return Output(out)

    return make


def page(body: str, head: str = "") -> str:
    return f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Stage</title>{head}</head><body>{body}</body></html>'
