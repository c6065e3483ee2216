"""From a folder to its report: read, advise, write the page, and tell what was found."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from v1z3r_build.diagnostics import InputError
from v1z3r_build.manifest import MANIFEST_NAME, Manifest
from v1z3r_build.report.evidence import collect
from v1z3r_build.report.metafile import metafile
from v1z3r_build.report.page import MARK, page
from v1z3r_build.report.rules import advise
from v1z3r_build.transfers import CODINGS, Load, initial, lazy

if TYPE_CHECKING:
    from v1z3r_build.report.advice import Advice

PAGE_NAME = "report.html"
_HEAD = 4_000  # bytes of a page in which its mark stands


@dataclass(frozen=True, slots=True)
class Report:
    """What was found, and where it was written. size: of the page in bytes."""

    folder: Path
    page: Path
    size: int
    manifest: Manifest
    advice: tuple[Advice, ...]

    def to_json(self) -> dict[str, Any]:
        """The report for programs."""
        return {
            "status": "reported",
            "folder": str(self.folder),
            "release": self.manifest.release,
            "page": str(self.page),
            "files": len(self.manifest.files),
            "routes": {
                url: {"initial": _load(initial(self.manifest, url)), "lazy": _load(lazy(self.manifest, url))}
                for url in sorted(self.manifest.routes)
            },
            "advice": [one.to_json() for one in self.advice],
        }


def report(folder: Path, output: Path | None, metafile_path: Path | None) -> Report:
    """Write the report on an output.

    output: None for report.html in the working directory. metafile_path: where to write esbuild's metafile, if at all.
    Raises InputError if the folder holds no manifest, or if a file would be written into it or over another's.
    """
    manifest = Manifest.load(folder / MANIFEST_NAME)
    target = output or Path(PAGE_NAME)
    for path in (target, metafile_path):
        if path is not None and path.resolve().is_relative_to(folder.resolve()):
            raise InputError(f"{path} lies in {folder}, and would be published", hint="Name a place outside of it.")
    if output is None and target.is_file() and not _is_ours(target):
        raise InputError(f"{target} exists, and is no report", hint="Name another file with -o.")
    evidence = collect(folder, manifest)
    advice = tuple(advise(manifest, evidence))
    data = page(manifest, evidence, advice, folder.resolve().name)
    if metafile_path is not None:
        text = json.dumps(metafile(folder, manifest), indent=1)
        metafile_path.write_text(text + "\n", encoding="ascii", newline="\n")
    target.write_bytes(data)
    return Report(folder, target, len(data), manifest, advice)


def _is_ours(path: Path) -> bool:
    with path.open("rb") as file:
        return MARK in file.read(_HEAD)


def _load(load: Load) -> dict[str, int]:
    return {"requests": load.requests, **{coding: load.size(coding) for coding in CODINGS}}
