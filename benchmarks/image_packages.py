"""Freely licensed pictures out of Debian's packages, fetched by apt and only unpacked, not installed."""

from __future__ import annotations

import shutil
import subprocess
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from pathlib import Path

# Photographs under CC BY, CC BY-SA and GPL, icons in the public domain, textures under the GPL: each package's
# /usr/share/doc/NAME/copyright names their authors.
PHOTOGRAPHS = ("lomiri-wallpapers-16.04", "lomiri-wallpapers-20.04", "mate-backgrounds")
ICONS, TEXTURES = "tango-icon-theme", "extremetuxracer-data"


class Gathered(NamedTuple):
    """Files of each kind, sorted by path; empty where there are none to be had."""

    photographs: list[Path]
    icons: list[Path]
    textures: list[Path]


def gathered(folder: Path) -> Gathered:
    """Fetch what is not in the folder yet. Where apt cannot, it is said on the way, and nothing is there."""
    photographs = [found for name in PHOTOGRAPHS for found in _files(folder, name, "usr/share/backgrounds", ".jpg")]
    # What is drawn or painted is no photograph.
    drawn = ("abstract", "desktop", "Painting", "Elephants")
    return Gathered(
        [path for path in photographs if not any(word in str(path.relative_to(folder)) for word in drawn)],
        _files(folder, ICONS, "usr/share/icons/Tango", ".png"),
        _files(folder, TEXTURES, "usr/share/games/etr/terrains", ".png"),
    )


def _files(folder: Path, package: str, below: str, ending: str) -> list[Path]:
    place = folder / package
    if not place.is_dir() and not _fetched(place, package):
        return []
    found = (path for path in (place / below).rglob(f"*{ending}") if path.is_file() and not path.is_symlink())
    return sorted(found)


def _fetched(place: Path, package: str) -> bool:
    if not all(map(shutil.which, ("apt-get", "dpkg-deb"))):
        print(f"no apt: without the pictures of {package}")
        return False
    half = place.with_name(f".{package}.part")
    shutil.rmtree(half, ignore_errors=True)
    half.mkdir(parents=True)
    done = subprocess.run(["apt-get", "download", package], cwd=half, capture_output=True, text=True, check=False)
    archives = list(half.glob("*.deb"))
    if done.returncode or not archives:
        print(f"apt-get download {package} failed, without its pictures: {done.stderr.strip()[-300:]}")
        return False
    subprocess.run(["dpkg-deb", "-x", str(archives[0]), str(half)], check=True)
    archives[0].unlink()
    half.rename(place)
    return True
