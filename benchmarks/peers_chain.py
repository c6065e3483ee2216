"""What others do with a site: jampack, then gzipper with brotli 11 and gzip 9, on all cores.

By its defaults jampack minifies and makes WebP of the images that pages show, at a fixed quality. What it does without
images is measured beside it.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from measuring import measured

from v1z3r_build import pipeline, transfers
from v1z3r_build.runs import Order
from v1z3r_build.settings import NamesSettings, Settings, SiteSettings
from v1z3r_build.workers.pool import Pool
from v1z3r_build.workers.progress import SilentProgress

if TYPE_CHECKING:
    from measuring import Measured

    from v1z3r_build.manifest import Manifest

PEERS = Path(__file__).resolve().parent / "peers"
_PROGRAMS = PEERS / "node_modules" / ".bin"


def are_installed() -> bool:
    """Whether `npm ci` has been run in `peers`."""
    return all((_PROGRAMS / name).exists() for name in ("jampack", "gzipper"))


def install() -> None:
    """Install them by their lock file."""
    npm = shutil.which("npm")
    if npm is None:
        sys.exit("npm is not on PATH")
    subprocess.run([npm, "ci", "--no-audit", "--no-fund", "--loglevel=error"], cwd=PEERS, check=True)


# For jampack: to do no more than minify.
MINIFY = ("--onlycomp", "--exclude", "**/*.{png,jpg,jpeg,gif,webp,avif}")


def run(site: Path, *ways: str) -> tuple[Measured, Measured]:
    """What each of them takes for a site, in place, remembering nothing. ways: options for jampack."""
    packed = measured([_PROGRAMS / "jampack", "--nocache", *ways, site])
    options = ("--brotli", "--brotli-quality", "11", "--gzip", "--gzip-level", "9")
    return packed, measured([_PROGRAMS / "gzipper", "compress", *options, site])


def read(folder: Path, base: str) -> Manifest:
    """What they made, described as an output of ours is.

    Read by the same eyes as ours: what a page needs is told by linking, which changes no name here.
    """
    settings = Settings(passes=("link",), site=SiteSettings(base=base), names=NamesSettings(keep=("**",)))
    with tempfile.TemporaryDirectory() as place, Pool() as pool:
        order = Order(folder, Path(place) / "out", settings)
        manifest = pipeline.optimize(order, pool, SilentProgress()).manifest
    assert manifest is not None
    return manifest


def transferred(manifest: Manifest, route: str) -> int:
    """The bytes of all that a browser may fetch for a page, with brotli where there is a sidecar.

    At once or later: what is put off (`loading=lazy`) is asked for all the same when a visitor comes to it. Of an image
    in several formats a browser takes the best alone; the others are for browsers that do not know it.
    """
    files = {**transfers.initial(manifest, route).files, **transfers.lazy(manifest, route).files}
    taken = {path: one for path, one in files.items() if not any(better.path in files for better in one.variants)}
    return transfers.Load(taken).size("br")
