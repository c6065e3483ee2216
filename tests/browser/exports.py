"""The fixtures' exports: where they are, what is served of them, and their optimized twins."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

import pytest

from .addresses import Addresses, of_folder, of_manifest
from .chromium import visitor
from .hosting import ManifestHosting, PlainHosting
from .observation import Served, Tab
from .server import Server
from .walk import addresses_of_pages, leads_to_page, missing

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Browser

    from .observation import Observation

_BUILT = Path(__file__).parents[2] / "build" / "fixtures"
# Words of a command line.
QUICK = ("--config", str(Path(__file__).parents[1] / "quick.toml"))


@dataclass(frozen=True, slots=True)
class Export:
    """An exported site. base: the folder of the host that it is made for.

    ready_seconds: how long its pages may take to set `data-ready`; 0 for a site whose pages set none.
    vendors: whose files are split off its scripts, a label for each file.
    """

    folder: Path
    base: str = "/"
    ready_seconds: float = 60.0
    vendors: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """The fixture's name."""
        return self.folder.name


FIXTURES = (
    Export(_BUILT / "plain"),
    Export(_BUILT / "next14", vendors=("tfjs",)),
    Export(_BUILT / "next14-sub", "/sub/", vendors=("tfjs",)),
    Export(_BUILT / "next15"),
    Export(_BUILT / "next16", vendors=("tfjs", "three")),
    Export(_BUILT / "vite8", vendors=("tfjs", "three", "three")),
    Export(_BUILT / "vite8-relative", vendors=("tfjs", "three", "three")),
    Export(_BUILT / "vite8-sub", "/sub/", vendors=("tfjs", "three", "three")),
    Export(_BUILT / "next14-mixed", vendors=("tfjs", "three")),
    Export(_BUILT / "next15-mixed", vendors=("tfjs", "three")),
    Export(_BUILT / "next16-mixed", vendors=("tfjs", "three")),
    Export(_BUILT / "vite8-mixed", vendors=("tfjs", "three")),
    Export(_BUILT / "vite7", vendors=("tfjs", "three")),
    Export(_BUILT / "webpack4", vendors=("tfjs", "tfjs", "three")),
    Export(_BUILT / "webpack5", vendors=("tfjs", "three")),
    Export(_BUILT / "webpack5-runtime", vendors=("tfjs", "three")),
)
# What the tests of splitting are about.
SPLIT = tuple(export for export in FIXTURES if export.vendors)


@dataclass(frozen=True, slots=True)
class Original:
    """An export on its server, and all its pages as they look: by path below the base."""

    export: Export
    hosting: PlainHosting
    served: Served
    pages: dict[str, Observation] = field(default_factory=dict)


@contextmanager
def original(browser: Browser, export: Export) -> Iterator[Original]:
    """Serve an export and look at every page: all HTML files, and all that links lead to.

    Places in a page count, for an app may tell its pages by the fragment.
    """
    hosting = PlainHosting(export.folder)
    with Server(hosting, export.base) as server:
        served = Served(server, of_folder(export.folder, server.origin, export.base))
        site = Original(export, hosting, served)
        waiting = ["", *addresses_of_pages(export.folder)]
        while waiting:
            path = waiting.pop(0)
            if path not in site.pages:
                site.pages[path] = page(browser, served, path, patience(site, path))
                links = (link.path for link in site.pages[path].links)
                waiting += [link for link in links if leads_to_page(hosting, link)]
        yield site


def patience(site: Original, path: str) -> float:
    """How many seconds a page may take to become ready. The page for what is missing need not."""
    return 0 if missing(site.hosting, path) else site.export.ready_seconds


def page(browser: Browser, served: Served, path: str, ready_seconds: float) -> Observation:
    """A page as a new visitor sees it."""
    with visitor(browser) as context:
        tab = Tab(context, served, ready_seconds)
        tab.open(path)
        return tab.observe()


@contextmanager
def by_manifest(folder: Path, base: str, before: Addresses | None = None) -> Iterator[Served]:
    """Serve an optimized folder. before: the meaning of its sources, when they were optimized ones."""
    hosting = ManifestHosting(folder)
    with Server(hosting, base) as server:
        addresses = of_manifest(hosting.files, server.origin, base)
        if before is not None:
            addresses = addresses.over(before)
        yield Served(server, addresses)


def optimize(site: Path, output: Path, base: str, *options: str) -> None:
    """Run the command as a user does. Raises AssertionError with its words when it fails."""
    run = command("optimize", str(site), "-o", str(output), "--base", base, *options)
    assert run.returncode == 0, f"exit code {run.returncode}\n{run.stdout}\n{run.stderr}"


def optimize_quickly(site: Path, output: Path, base: str) -> None:
    """The same with larger sidecars, which take a tenth of the time. Raises AssertionError as `optimize` does."""
    optimize(site, output, base, *QUICK)


def command(*words: str) -> subprocess.CompletedProcess[str]:
    """Run `v1z3r-build` with these words."""
    program = shutil.which("v1z3r-build", path=str(Path(sys.executable).parent))
    assert program, "the command v1z3r-build is not installed beside this Python"
    return subprocess.run([program, *words], capture_output=True, text=True, timeout=900, check=False)


def require(export: Export) -> None:
    """Go on only with an export that is built."""
    if not export.folder.is_dir():
        unavailable(f"the fixture {export.name} is not built: run `make fixtures`")


def unavailable(what: str) -> NoReturn:
    """Fail where all parts must be there (`make test` says so), skip elsewhere."""
    if os.environ.get("V1Z3R_REQUIRE_FIXTURES") == "1":
        pytest.fail(what)
    pytest.skip(what)
