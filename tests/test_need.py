"""What `make` says where a program that it needs is missing or too old."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

NEED = Path(__file__).parents[1] / "scripts" / "need"

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="a shell script")


def answer(tmp_path: Path, what: list[str], programs: dict[str, str]) -> subprocess.CompletedProcess[str]:
    """Run the script on a machine that has these programs, given as shell code, and the usual small ones."""
    folder = tmp_path / "bin"
    folder.mkdir()
    for name in ("bash", "env", "head", "sort", "sh"):
        found = shutil.which(name)
        assert found
        (folder / name).symlink_to(found)
    for name, code in programs.items():
        (folder / name).write_text(f"#!/bin/sh\n{code}\n")
        (folder / name).chmod(0o755)
    return subprocess.run(
        [str(NEED), *what], env={"PATH": str(folder)}, capture_output=True, text=True, timeout=60, check=False
    )


USER = "echo 1000"
INSTALLS = {"apt-get": 'echo "$@" >> "$(dirname "$0")/../asked"; :', "dirname": 'echo "${1%/*}"'}


@pytest.mark.parametrize(
    ("what", "programs", "said"),
    [
        (["node"], {"node": "echo v18.19.0", "npm": ""}, "Node.js is v18.19.0, and Next 16 and Vite 8 need 20.19"),
        (["node"], {"id": USER}, "Node.js with npm is missing; install Node.js 20.19 or newer"),
        (["node"], {"node": "echo v20.19.0", "id": USER}, "Node.js with npm is missing"),
        (["node"], {"id": USER, **INSTALLS}, "Node.js with npm is missing"),
        (["chromium"], {"id": USER}, "there is no Chromium; install the package chromium"),
        (["chromium"], {"id": USER, "sudo": "exit 1", **INSTALLS}, "there is no Chromium"),
        (["chromium"], {"id": "echo 0", "apt-get": "exit 100"}, "there is no Chromium"),
        (["python"], {}, "there is no python3; install Python 3.11 or newer"),
        (
            ["python", "python9"],
            {"python9": 'case "$2" in *print*) echo 3.9;; *) exit 1;; esac'},
            "python9 is Python 3.9, and 3.11 is needed",
        ),
        (
            ["python"],
            {"python3": 'case "$2" in *print*) echo 3.11;; *ensurepip*) exit 1;; esac', "id": USER},
            "Python's venv is missing; install the package python3.11-venv",
        ),
        ([], {}, "usage: scripts/need"),
    ],
)
def test_what_is_missing_is_said_in_a_sentence(
    what: list[str], programs: dict[str, str], said: str, tmp_path: Path
) -> None:
    done = answer(tmp_path, what, programs)
    assert done.returncode == 1
    assert done.stdout == ""
    assert said in done.stderr.splitlines()[-1]
    assert not (tmp_path / "asked").exists()


@pytest.mark.parametrize(
    ("what", "programs"),
    [
        (["node"], {"node": "echo v20.19.0", "npm": ""}),
        (["node"], {"node": "echo v100.1.0", "npm": ""}),
        (["chromium"], {"google-chrome": ""}),
        (["python"], {"python3": 'case "$2" in *print*) echo 3.11;; esac'}),
    ],
)
def test_what_is_there_is_left_alone(what: list[str], programs: dict[str, str], tmp_path: Path) -> None:
    done = answer(tmp_path, what, {**programs, **INSTALLS})
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert not (tmp_path / "asked").exists()


@pytest.mark.parametrize("rights", [{"id": "echo 0"}, {"id": USER, "sudo": '[ "$1" = -n ] && exit; exec "$@"'}])
def test_packages_are_installed_where_that_is_allowed(rights: dict[str, str], tmp_path: Path) -> None:
    done = answer(tmp_path, ["chromium"], {**rights, **INSTALLS})
    assert (done.returncode, done.stdout) == (0, ""), done.stderr
    assert (tmp_path / "asked").read_text().splitlines() == [
        "update -qq",
        "install -y -qq --no-install-recommends chromium",
    ]
