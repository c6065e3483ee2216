"""Input that is broken, hostile or impossible: one clear answer, the exit code of the contract, the input as it was."""

from __future__ import annotations

import gzip
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from typing import TYPE_CHECKING
from urllib.parse import quote

import pytest
from click.testing import CliRunner, Result
from disks import disk
from PIL import Image

from v1z3r_build.cli import main

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

MANIFEST = "v1z3r-manifest.json"
PAGE = '<!doctype html><html><head><meta charset="utf-8"><title>Stage</title></head><body><script src="/a.js"></script></body></html>'
SCRIPT = "// a script with words\nfunction start(first, second) {\n  return first + second;\n}\n" * 30


@pytest.fixture
def site(tmp_path: Path) -> Path:
    folder = tmp_path / "app" / "out"
    folder.mkdir(parents=True)
    (folder / "index.html").write_text(PAGE)
    (folder / "a.js").write_text(SCRIPT)
    return folder


@pytest.fixture(autouse=True)
def _alone(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No settings in the working directory, no CI around."""
    for name in ("CI", "GITHUB_ACTIONS"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(tempfile.gettempdir())


def run(*words: object) -> Result:
    return CliRunner().invoke(main, [str(word) for word in words], prog_name="v1z3r-build")


def tree(folder: Path) -> dict[str, tuple[int, bytes]]:
    """All that is below a folder: mode and bytes."""
    return {
        str(path.relative_to(folder)): (path.lstat().st_mode, path.read_bytes() if path.is_file() else b"")
        for path in folder.rglob("*")
    }


def refused(done: Result, code: int, *said: str) -> None:
    assert done.exit_code == code, done.output
    assert done.stdout == ""
    assert_one_error(done.stderr, *said)


def assert_one_error(told: str, *said: str) -> None:
    assert told.startswith("error: "), told
    assert told.count("error: ") == 1
    assert "Traceback" not in told
    for part in said:
        assert part in told


# No site at all


NO_SITE: dict[str, tuple[Callable[[Path], object], str]] = {
    "missing": (lambda place: None, "does not exist"),
    "a file": (lambda place: place.write_text("x"), "is not a folder"),
    "empty": (lambda place: place.mkdir(), "is empty"),
    "no page": (lambda place: (place.mkdir(), (place / "a.js").write_text("a")), "no HTML page"),
    "a dangling link": (lambda place: place.symlink_to("nowhere"), "not a folder"),
    "a project": (
        lambda place: (place.mkdir(), (place / "src").mkdir(), (place / "package.json").write_text("{}")),
        "source folder",
    ),
    "a broken manifest": (
        lambda place: (place.mkdir(), (place / "index.html").write_text(PAGE), (place / MANIFEST).write_text("{")),
        MANIFEST,
    ),
}


@pytest.mark.parametrize(("make", "said"), NO_SITE.values(), ids=NO_SITE)
def test_what_is_no_site_is_wrong_usage(tmp_path: Path, make: Callable[[Path], object], said: str) -> None:
    place = tmp_path / "place"
    make(place)
    before = tree(tmp_path)
    refused(run("optimize", place), 2, str(place), said)
    assert tree(tmp_path) == before


# Broken files in a site


BROKEN: dict[str, tuple[dict[str, bytes], set[tuple[str, str]]]] = {
    "a script that is no UTF-8": ({"a.js": b"f('\xff');\n" + SCRIPT.encode()}, {("charset-unknown", "a.js")}),
    "a style that is no UTF-8": ({"s.css": b"a { content: '\xe9' }\n" * 9}, {("charset-unknown", "s.css")}),
    "a page that is no UTF-8": (
        {"b.html": PAGE.encode().replace(b"<body>", b"<body>\xe9")},
        {("charset-unknown", "b.html")},
    ),
    "data that is no UTF-8": ({"d.json": b'{"a": "\xff"}'}, {("invalid-encoding", "d.json")}),
    "truncated gzip in place of a script": (
        {"a.js": gzip.compress(SCRIPT.encode())[:60]},
        {("contents-differ", "a.js")},
    ),
    "truncated gzip as a sidecar": (
        {"a.js.gz": gzip.compress(SCRIPT.encode())[:60]},
        {("stale-sidecar", "a.js.gz")},
    ),
    "an image that is a page": ({"p.png": b"<!doctype html><title>404</title>"}, {("contents-differ", "p.png")}),
    "NUL in a script": ({"a.js": b"f('\0') ;\n" + SCRIPT.encode()}, {("not-minified", "a.js")}),
    "a script that does not parse": ({"a.js": SCRIPT.encode() + b"if ( {"}, {("script-syntax", "a.js")}),
    "a deep script": ({"a.js": b" [ " * 100_000 + b" ] " * 100_000}, {("not-minified", "a.js")}),
    "a deep style": ({"s.css": b"a { " * 50_000 + b"} " * 50_000}, set()),
    "deep data": ({"d.json": b" [ " * 100_000 + b" ] " * 100_000}, set()),
    "a deep page": ({"b.html": b"<!doctype html><title>b</title>" + b"<div>" * 100_000}, set()),
    "a deep picture": (
        {"p.svg": b'<svg xmlns="http://www.w3.org/2000/svg">' + b"<g>" * 50_000 + b"</g>" * 50_000 + b"</svg>"},
        set(),
    ),
    "a truncated picture": ({"p.png": b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR"}, {("image-broken", "p.png")}),
    "an entity bomb": (
        {
            "p.svg": b'<!DOCTYPE svg [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;&a;">]><svg xmlns="http://www.w3.org/2000/svg">&b;</svg>'
        },
        set(),
    ),
}


@pytest.mark.parametrize(("files", "codes"), BROKEN.values(), ids=BROKEN)
def test_a_broken_file_is_kept_and_named(
    site: Path, tmp_path: Path, files: dict[str, bytes], codes: set[tuple[str, str]]
) -> None:
    for path, data in files.items():
        (site / path).write_bytes(data)
    before = tree(site)
    done = run("optimize", site, "-o", tmp_path / "o", "--json")
    assert done.exit_code == 0, done.stderr
    assert "Traceback" not in done.stderr
    assert tree(site) == before
    assert sorted(path.name for path in tmp_path.iterdir()) == ["app", "o"]
    said = json.loads(done.stdout)["diagnostics"]
    assert codes <= {(one["code"], one["path"]) for one in said}, said
    records = json.loads((tmp_path / "o" / MANIFEST).read_text())["files"]
    for path, data in files.items():
        # As it is, under its name or the hashed one, but for the names that it refers to.
        made = [name for name, record in records.items() if record["source"] == [path]]
        if codes:
            kept = {(tmp_path / "o" / name).read_bytes() for name in made or [path]}
            assert {re.sub(rb"\.[0-9a-f]{16}\.js", b".js", one) for one in kept} == {data}
    checked = run("verify", tmp_path / "o")
    assert checked.exit_code == 0, checked.stderr


NAMES = [
    "a b.png",
    "100%.png",
    "50%25.png",
    "a#b.png",
    "a?b.png",
    "ä.png",
    "a\u0308.png",
    "a+b&c.png",
    "'q\".png",
    "a\\b.png",
]


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such names")
def test_strange_names_are_kept(site: Path, tmp_path: Path) -> None:
    names = (*NAMES, "new\nline.png")
    picture = Image.linear_gradient("L")
    for name in names:
        picture.save(site / name)
    (site / "p.html").write_text("<!doctype html>" + "".join(f'<img src="{quote(name)}">' for name in names))
    (site / os.fsdecode(b"latin-\xe9.png")).write_bytes(b"\x89PNG\r\n\x1a\n x")
    done = run("optimize", site, "-o", tmp_path / "o")
    assert done.exit_code == 0, done.stderr
    assert {path.name for path in site.iterdir()} <= {path.name for path in (tmp_path / "o").iterdir()}
    records = json.loads((tmp_path / "o" / MANIFEST).read_text("utf-8", "surrogateescape"))["files"]
    assert {name for name in names if not records[name].get("variants")} == set()
    assert run("verify", tmp_path / "o").exit_code == 0


def test_a_script_of_50_mb_on_one_line(site: Path, tmp_path: Path) -> None:
    """Less effort for brotli, which takes a second for each megabyte."""
    piece = "function a%d(b,c){return b.x%d+c['k']*%d}a%d({x:1},{});"
    text = "".join(piece % (number, number, number, number) for number in range(850_000))
    assert len(text) > 50_000_000
    (site / "a.js").write_text(text)
    (tmp_path / "fast.toml").write_text("[compress]\nbrotli_quality = 1\ngzip_level = 1\n")
    done = run("optimize", site, "-o", tmp_path / "o", "--config", tmp_path / "fast.toml", "--json")
    assert done.exit_code == 0, done.stderr
    [script] = (tmp_path / "o").glob("a.*.js")
    assert script.read_text() == text


# A system that refuses


# Root may write anywhere by these, and nobody else has them.
ROOTS_RIGHTS = "-dac_override,-dac_read_search,-fowner"


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has other rights")
def test_no_right_to_write(site: Path) -> None:
    place = site.parent
    without: list[str] = []
    if os.geteuid() == 0:
        without = ["setpriv", "--bounding-set", ROOTS_RIGHTS]
        if shutil.which("setpriv") is None or subprocess.run([*without, "true"], check=False).returncode:
            pytest.skip("root cannot lay down its rights here")
        os.chown(place, 65534, 65534)
    place.chmod(0o555)
    before = tree(place)
    command = [*without, sys.executable, "-m", "v1z3r_build", "optimize", str(site)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    place.chmod(0o755)
    assert (done.returncode, done.stdout) == (3, "")
    assert_one_error(done.stderr, "Permission denied", str(place), "-o")
    assert tree(place) == before


def test_a_full_disk(site: Path) -> None:
    """At any time: when bytes are set aside, when sidecars are written, when the output is put together."""
    (site / "more.js").write_text("".join(f"value{number} = {number} ;\n" for number in range(4_000)))
    (site / "noise.txt").write_text(os.urandom(40_000).hex())
    codes = []
    for room in (0, 20, 40, 80, 120, 160, 200, 400):
        with disk("1m") as place:
            shutil.copytree(site, place / "out")
            free = shutil.disk_usage(place).free
            (place / "filler").write_bytes(bytes(free - room * 1024))
            before = tree(place)
            done = run("optimize", place / "out")
            codes.append(done.exit_code)
            assert sorted(path.name for path in place.iterdir()) == ["filler", "out"]
            if done.exit_code:
                refused(done, 3, "full", "as it was")
                assert tree(place) == before
            else:
                assert run("verify", place / "out").exit_code == 0
    assert codes == sorted(codes, reverse=True)
    assert {codes[0], codes[-1]} == {3, 0}
