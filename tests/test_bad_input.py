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
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from disks import disk

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

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


def run(*words: object, folder: Path | None = None, **more: Any) -> subprocess.CompletedProcess[str]:
    """The command as a user runs it, without what CI sets."""
    environment = {name: value for name, value in os.environ.items() if name not in ("CI", "GITHUB_ACTIONS")}
    return subprocess.run(
        [sys.executable, "-m", "v1z3r_build", *map(str, words)],
        capture_output=True,
        text=True,
        errors="surrogateescape",
        check=False,
        cwd=folder or tempfile.gettempdir(),
        env=environment,
        **more,
    )


def tree(folder: Path) -> dict[str, tuple[int, bytes]]:
    """All that is below a folder: mode and bytes."""
    return {
        str(path.relative_to(folder)): (path.lstat().st_mode, path.read_bytes() if path.is_file() else b"")
        for path in folder.rglob("*")
    }


def refused(done: subprocess.CompletedProcess[str], code: int, *said: str) -> None:
    assert done.returncode == code, done.stderr
    assert done.stdout == ""
    assert done.stderr.startswith("error: "), done.stderr
    assert done.stderr.count("error: ") == 1
    assert "Traceback" not in done.stderr
    for part in said:
        assert part in done.stderr


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
    "a truncated picture": ({"p.png": b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR"}, set()),
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
    assert done.returncode == 0, done.stderr
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
    assert checked.returncode == 0, checked.stderr


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
    for name in (*NAMES, "new\nline.png"):
        (site / name).write_bytes(b"\x89PNG\r\n\x1a\n" + name.encode())
    (site / os.fsdecode(b"latin-\xe9.png")).write_bytes(b"\x89PNG\r\n\x1a\n x")
    done = run("optimize", site, "-o", tmp_path / "o")
    assert done.returncode == 0, done.stderr
    assert {path.name for path in site.iterdir()} <= {path.name for path in (tmp_path / "o").iterdir()}
    assert run("verify", tmp_path / "o").returncode == 0


def test_a_script_of_50_mb_on_one_line(site: Path, tmp_path: Path) -> None:
    """Less effort for brotli, which takes a second for each megabyte."""
    piece = "function a%d(b,c){return b.x%d+c['k']*%d}a%d({x:1},{});"
    text = "".join(piece % (number, number, number, number) for number in range(850_000))
    assert len(text) > 50_000_000
    (site / "a.js").write_text(text)
    (tmp_path / "fast.toml").write_text("[compress]\nbrotli_quality = 1\ngzip_level = 1\n")
    done = run("optimize", site, "-o", tmp_path / "o", "--config", tmp_path / "fast.toml", "--json")
    assert done.returncode == 0, done.stderr
    [script] = (tmp_path / "o").glob("a.*.js")
    assert script.read_text() == text


# A system that refuses


@pytest.fixture
def public(site: Path) -> Iterator[Path]:
    """The site, in a place that anyone may enter, and nobody but root may write."""
    place = Path(tempfile.mkdtemp())
    place.chmod(0o755)
    shutil.copytree(site, place / "out")
    yield place / "out"
    place.chmod(0o755)
    shutil.rmtree(place)


# Starts the command without the rights of root; modules are loaded before, for root alone may read them here.
AS_NOBODY = """
import os, sys
from v1z3r_build import cli, pipeline, terminal, github
if os.geteuid() == 0:
    os.setgroups([]); os.setgid(65534); os.setuid(65534)
cli.main(sys.argv[1:])
"""


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has other rights")
def test_no_right_to_write(public: Path) -> None:
    public.parent.chmod(0o555)
    before = tree(public.parent)
    done = subprocess.run(
        [sys.executable, "-c", AS_NOBODY, "optimize", str(public)],
        capture_output=True,
        text=True,
        check=False,
        cwd=public,
    )
    refused(done, 3, "Permission denied", str(public), "-o")
    assert tree(public.parent) == before


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
            codes.append(done.returncode)
            assert sorted(path.name for path in place.iterdir()) == ["filler", "out"]
            if done.returncode:
                refused(done, 3, "full", "as it was")
                assert tree(place) == before
            else:
                assert run("verify", place / "out").returncode == 0
    assert codes == sorted(codes, reverse=True)
    assert {codes[0], codes[-1]} == {3, 0}
