"""The command line as users and programs see it: exit codes, what is printed where, what is on disk afterwards."""

from __future__ import annotations

import base64
import hashlib
import json
import os
import random
import signal
import subprocess
import sys
import time
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from click.testing import CliRunner, Result

from v1z3r_build import __version__, cli, pipeline
from v1z3r_build.diagnostics import CheckFailedError, InputError, SystemFailureError
from v1z3r_build.manifest import MANIFEST_NAME, Manifest
from v1z3r_build.settings import example

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

ROOT = Path(__file__).parents[1]
PAGE = '<!doctype html><title>Bars</title><link rel=stylesheet href=/s.css><h1>Bars</h1><img src="/bar.png" alt="">'
# Starts the command with Ctrl-C working, also where this process was started with it ignored.
PROGRAM = "import signal; signal.signal(signal.SIGINT, signal.default_int_handler); {}from v1z3r_build.cli import main; main()"


@pytest.fixture(autouse=True)
def _alone(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No settings in the working directory, no CI around."""
    for name in ("CI", "GITHUB_ACTIONS", "GITHUB_STEP_SUMMARY", "GITHUB_WORKSPACE", "NO_COLOR", "FORCE_COLOR"):
        monkeypatch.delenv(name, raising=False)
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")


@pytest.fixture
def site(tmp_path: Path) -> Path:
    """A small site without any fault."""
    folder = tmp_path / "app" / "out"
    folder.mkdir(parents=True)
    (folder / "index.html").write_text(PAGE)
    (folder / "s.css").write_text("/* plain */\n" + "".join(f"h{n} {{ margin: {n}px; }}\n" for n in range(60)))
    (folder / "bar.png").write_bytes(bytes.fromhex("89504e470d0a1a0a") + bytes(range(200)))
    return folder


@pytest.fixture
def faulty(site: Path) -> Path:
    """A site with a reference that leads nowhere."""
    (site / "index.html").write_text(f'{PAGE}<a href="/gone.html">gone</a>')
    return site


def run(*words: str | Path) -> Result:
    return CliRunner().invoke(cli.main, [str(word) for word in words], prog_name="v1z3r-build")


def content(folder: Path) -> dict[str, bytes]:
    """All files of a folder, its siblings' names included: nothing may be left beside it."""
    files = {one.relative_to(folder).as_posix(): one.read_bytes() for one in folder.rglob("*") if one.is_file()}
    return files | {f"../{one.name}": b"" for one in folder.parent.iterdir() if one != folder}


# Usage


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["--version"], 0, f"v1z3r-build {__version__}\n"),
        (["--help"], 0, "Usage: v1z3r-build"),
        (["-h"], 0, "Usage: v1z3r-build"),
        (["optimize", "--help"], 0, "Usage: v1z3r-build optimize"),
        ([], 2, "Usage: v1z3r-build"),
        (["optimise"], 2, "No such command 'optimise'"),
        (["optimize"], 2, "Missing argument 'SITE'"),
        (["optimize", "out", "--budget"], 2, "there is no budget"),
        (["optimize", "out", "--no-cache", "--cache-dir", "x"], 2, "--cache-dir and --no-cache exclude each other"),
        (["optimize", "out", "--cache-dir", "out/.cache"], 2, "lies inside out, which is published"),
        (["optimize", "out", "--cluster", "x", "--jobs", "1"], 2, "--cluster and --jobs exclude each other"),
        (["optimize", "out", "--only", "mangle"], 2, "'mangle' is not one of 'split', 'minify', 'images', 'link'"),
        (["optimize", "out", "--jobs", "many"], 2, "'many' is not a valid integer"),
        (["optimize", "out", "--jobs", "-1"], 2, "command line: jobs must be a whole number from 0 to 1024; found -1"),
        (["optimize", "out", "--base", "https://x/"], 2, "command line: site.base must be a path"),
        (["optimize", "out", "-q", "-v"], 2, "--quiet and --verbose exclude each other"),
        (["optimize", "out"], 2, "out does not exist"),
        (["optimize", "out", "--config", "absent.toml"], 2, "absent.toml is no file"),
        (["verify", "out"], 2, f"out{os.sep}{MANIFEST_NAME} does not exist"),
        (["init", "elsewhere"], 2, "unexpected extra argument"),
    ],
)
def test_usage(words: list[str], code: int, said: str) -> None:
    result = run(*words)
    assert (result.exit_code, said in result.output) == (code, True), result.output
    assert code == 0 or result.stdout == ""


def test_usage_errors_are_told_to_programs_too() -> None:
    for words in (["optimize", "out", "--json"], ["optimize", "--json"], ["verify", "out", "--json"]):
        result = run(*words)
        told = json.loads(result.stdout)
        assert (result.exit_code, told["status"]) == (2, "failed")
        assert told["error"]["message"] in result.stderr


# Input that is no site


def no_folder(folder: Path) -> None:
    folder.write_text("a file")


def empty(folder: Path) -> None:
    folder.mkdir()


def without_pages(folder: Path) -> None:
    folder.mkdir()
    (folder / "a.js").write_text("let a = 1")


def of_another_program(folder: Path) -> None:
    folder.mkdir()
    (folder / "index.html").write_text(PAGE)
    (folder / MANIFEST_NAME).write_text("{}")


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (no_folder, "is not a folder"),
        (empty, ""),
        (without_pages, ""),
        (of_another_program, "cannot be read as a manifest"),
    ],
)
def test_what_is_no_site_is_refused_and_left_as_it_was(make: Callable[[Path], None], said: str, tmp_path: Path) -> None:
    folder = tmp_path / "app" / "out"
    folder.parent.mkdir()
    make(folder)
    before = content(folder.parent)
    result = run("optimize", folder)
    assert result.exit_code == 2, result.output
    assert result.stderr.startswith("error: ")
    assert str(folder) in result.stderr
    assert said in result.stderr
    assert len(result.stderr.splitlines()) == 2, "one message, one hint"
    assert content(folder.parent) == before


def test_a_site_in_a_folder_that_does_not_exist_creates_nothing(tmp_path: Path) -> None:
    assert run("optimize", tmp_path / "a" / "b" / "out").exit_code == 2
    assert not (tmp_path / "a").exists()


def test_an_output_is_never_mixed_with_other_files(site: Path, tmp_path: Path) -> None:
    mine = tmp_path / "mine"
    mine.mkdir()
    (mine / "diary.txt").write_text("dear diary")
    before = content(tmp_path)
    for output in (mine, mine / "diary.txt", site, site / "below", site.parent):
        result = run("optimize", site, "-o", output)
        assert (result.exit_code, result.stdout) == (2, ""), output
    assert content(tmp_path) == before


# A run


def test_in_place_and_into_another_folder_give_the_same(site: Path, tmp_path: Path) -> None:
    before = content(site)
    result = run("optimize", site, "-o", tmp_path / "deep" / "output")
    assert result.exit_code == 0, result.output
    assert content(site) == before
    assert run("optimize", site).exit_code == 0
    assert content(site) == content(tmp_path / "deep" / "output")
    assert run("verify", site).exit_code == 0


def test_the_second_run_sees_that_all_is_done(site: Path, tmp_path: Path) -> None:
    assert run("optimize", site).exit_code == 0
    before, times = content(site), {one: one.stat().st_mtime_ns for one in site.rglob("*")}
    result = run("optimize", site, "--json")
    assert (result.exit_code, json.loads(result.stdout)["status"]) == (0, "unchanged")
    assert "optimized already" in result.stderr
    assert content(site) == before
    assert {one: one.stat().st_mtime_ns for one in site.rglob("*")} == times
    assert run("optimize", site, "--jobs", "1").exit_code == 0, "the number of workers shapes nothing"
    assert run("optimize", site, "-o", tmp_path / "copy").exit_code == 0
    assert content(tmp_path / "copy") == before | {"../app": b"", "../here": b""}


@pytest.mark.parametrize("words", [["--base", "/sub/"], ["--skip", "compress"], ["--only", "minify"]])
def test_other_settings_stop_the_second_run(words: list[str], site: Path) -> None:
    assert run("optimize", site).exit_code == 0
    before = content(site)
    result = run("optimize", site, *words)
    assert result.exit_code == 2
    assert "optimized already, with other settings" in result.stderr
    assert "--force" in result.stderr
    assert content(site) == before
    assert run("optimize", site, *words, "--force").exit_code == 0
    assert run("verify", site).exit_code == 0


def changed(folder: Path) -> str:
    (folder / "index.html").write_text(PAGE.replace("Bars", "Cars"))
    return "index.html has other bytes"


def added(folder: Path) -> str:
    (folder / "new.txt").write_text("new")
    return "new.txt is new"


def removed(folder: Path) -> str:
    (folder / "bar.png").unlink()
    return "bar.png is gone"


@pytest.mark.parametrize("change", [changed, added, removed])
def test_changed_files_stop_the_second_run_and_fail_verification(change: Callable[[Path], str], site: Path) -> None:
    assert run("optimize", site).exit_code == 0
    said = change(site)
    before = content(site)
    result = run("optimize", site)
    assert (result.exit_code, said in result.stderr) == (2, True), result.stderr
    checked = run("verify", site, "--json")
    assert checked.exit_code == 1
    told = json.loads(checked.stdout)
    assert told["status"] == "failed"
    assert {one["level"] for one in told["diagnostics"]} == {"error"}
    assert content(site) == before


def test_an_older_output_is_replaced(site: Path, tmp_path: Path) -> None:
    output = tmp_path / "output"
    assert run("optimize", site, "-o", output).exit_code == 0
    (site / "more.html").write_text(PAGE)
    assert run("optimize", site, "-o", output).exit_code == 0
    assert (output / "more.html").is_file()


def test_the_result_for_programs(faulty: Path, tmp_path: Path) -> None:
    sizes = [one.stat().st_size for one in faulty.iterdir()]
    output = tmp_path / "output"
    result = run("optimize", faulty, "-o", output, "--json")
    told: dict[str, Any] = json.loads(result.stdout)
    made = json.loads((output / MANIFEST_NAME).read_text())
    assert told["status"] == "published"
    assert told["release"] == made["release"]
    assert told["output"] == str(output)
    assert told["before"] == {"files": len(sizes), "bytes": sum(sizes)}
    assert told["after"]["files"] == len(made["files"])
    assert told["after"]["transferred"] < told["after"]["bytes"] < told["before"]["bytes"]
    assert told["immutable"] == sum(one["cache_class"] == "immutable" for one in made["files"].values())
    assert set(told["kinds"]) == {"html", "style", "image"}
    for part in ("before", "after"):
        for figure, total in told[part].items():
            assert sum(kind[part][figure] for kind in told["kinds"].values()) == total
    assert told["diagnostics"] == made["diagnostics"]
    assert [one["code"] for one in told["diagnostics"]] == ["dangling-reference"]


def test_quiet_says_nothing_when_all_went_well(faulty: Path) -> None:
    result = run("optimize", faulty, "-q")
    assert (result.exit_code, result.output) == (0, "")


def test_people_read_stderr(faulty: Path) -> None:
    result = run("optimize", faulty, "-v")
    assert result.stdout == ""
    for said in ("settings: defaults", "pass minify", "warning: dangling-reference", "total", "release"):
        assert said in result.stderr


def test_settings_are_those_beside_the_site(site: Path) -> None:
    (site.parent / "v1z3r-build.toml").write_text("passes = ['minify']\n[compress]\nencodings = ['br']")
    assert run("optimize", site, "--only", "compress").exit_code == 0
    assert (site / "s.css.br").is_file()
    assert not (site / "s.css.gz").exists()
    assert (site / "s.css").read_text().startswith("/* plain */")


def test_skipped_passes_do_nothing(site: Path) -> None:
    before = {path for path in content(site) if "/" not in path}
    assert run("optimize", site, "--skip", "compress", "--skip", "link", "--skip", "images").exit_code == 0
    assert {path for path in content(site) if "/" not in path} == before | {MANIFEST_NAME}
    assert not (site / "s.css").read_text().startswith("/* plain */")


def test_skipping_the_links_keeps_names_and_renews_digests(site: Path) -> None:
    script = "function f(name) {\n    return 'hello ' + name;\n}\n" * 20
    before = base64.b64encode(hashlib.sha384(script.encode()).digest()).decode()
    (site / "a.js").write_text(script)
    (site / "index.html").write_text(f'{PAGE}<script src="/a.js" integrity="sha384-{before}"></script>')
    assert run("optimize", site, "--skip", "link").exit_code == 0
    after = base64.b64encode(hashlib.sha384((site / "a.js").read_bytes()).digest()).decode()
    assert after != before
    assert f'src="/a.js" integrity="sha384-{after}"' in (site / "index.html").read_text()


def test_passes_that_are_not_built_yet_are_accepted(site: Path) -> None:
    assert run("optimize", site, "--only", "split", "--only", "images").exit_code == 0
    assert (site / "index.html").read_text() == PAGE


def test_skipping_compression_keeps_no_sidecar_of_other_bytes(site: Path) -> None:
    import brotli

    (site / "s.css.br").write_bytes(brotli.compress((site / "s.css").read_bytes()))
    assert run("optimize", site, "--only", "minify").exit_code == 0
    assert not (site / "s.css.br").exists()


def test_a_sidecar_of_the_input_that_gains_nothing_goes(site: Path) -> None:
    import brotli

    (site / "tiny.txt").write_text("tiny")
    (site / "tiny.txt.br").write_bytes(brotli.compress(b"tiny"))
    assert run("optimize", site, "--skip", "compress").exit_code == 0
    assert not (site / "tiny.txt.br").exists()
    assert run("verify", site).exit_code == 0


# Checks


def test_strict_publishes_nothing_where_there_are_warnings(faulty: Path, tmp_path: Path) -> None:
    before = content(faulty)
    for words in ([faulty], [faulty, "-o", tmp_path / "output"], [faulty, "--dry-run"]):
        result = run("optimize", *words, "--strict", "--json")
        assert result.exit_code == 1
        assert json.loads(result.stdout)["status"] == "rejected"
        assert "error: 1 warning under --strict: nothing was written" in result.stderr
    assert content(faulty) == before
    assert not (tmp_path / "output").exists()


def test_strict_lets_a_site_without_warnings_pass(site: Path) -> None:
    assert run("optimize", site, "--strict").exit_code == 0
    assert (site / MANIFEST_NAME).is_file()


def test_a_dry_run_writes_nothing(site: Path, tmp_path: Path) -> None:
    before = content(site)
    result = run("optimize", site, "--dry-run", "--json")
    assert (result.exit_code, json.loads(result.stdout)["status"]) == (0, "tried")
    assert "nothing was written, for this is a dry run" in result.stderr
    assert content(site) == before
    assert run("optimize", site, "--dry-run", "-o", tmp_path / "output").exit_code == 0
    assert not (tmp_path / "output").exists()


def test_an_immutable_name_must_not_come_back_with_other_bytes(site: Path, tmp_path: Path) -> None:
    last, output = tmp_path / "last.json", tmp_path / "output"
    assert run("optimize", site, "-o", output).exit_code == 0
    made = json.loads((output / MANIFEST_NAME).read_text())
    last.write_text(json.dumps(made))
    assert run("optimize", site, "-o", output, "--previous", last).exit_code == 0
    name = next(path for path, one in made["files"].items() if one["cache_class"] == "immutable")
    for one in made["files"].values():
        one["sha256"] = "0" * 64
    last.write_text(json.dumps(made))
    before = content(site)
    result = run("optimize", site, "--previous", last, "--json")
    assert result.exit_code == 1
    told = json.loads(result.stdout)
    assert {one["path"] for one in told["diagnostics"] if one["code"] == "immutable-changed"} == {
        path for path, one in made["files"].items() if one["cache_class"] == "immutable"
    }
    assert name in result.stderr
    assert content(site) == before
    assert run("optimize", site, "--previous", tmp_path / "absent.json").exit_code == 2


def test_in_a_github_job_warnings_become_annotations(
    faulty: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    monkeypatch.setenv("GITHUB_WORKSPACE", str(tmp_path))
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(tmp_path / "summary.md"))
    result = run("optimize", faulty, "--json")
    json.loads(result.stdout)
    assert "\n::warning title=dangling-reference,file=app/out/index.html,line=1,col=" in result.stderr
    assert "| **total** |" in (tmp_path / "summary.md").read_text()


# Failures


@pytest.mark.parametrize(
    ("failure", "code", "said"),
    [
        (InputError("wrong", hint="do it"), 2, "error: wrong\n  do it\n"),
        (CheckFailedError("checked"), 1, "error: checked\n"),
        (SystemFailureError("full"), 3, "error: full\n"),
        (OSError(28, "No space left on device", "a.js"), 3, "error: a.js: No space left on device\n"),
        (MemoryError(), 3, "error: there is not enough memory\n"),
        (KeyboardInterrupt(), 130, "error: interrupted"),
        (ZeroDivisionError("by zero"), 3, "error: this is a defect of v1z3r-build: ZeroDivisionError: by zero\n"),
        (SystemError("odd\x1b[2J"), 3, r"SystemError: odd\x1b[2J"),
    ],
)
def test_failures_inside(
    failure: BaseException, code: int, said: str, site: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise failure

    monkeypatch.setattr(pipeline, "optimize", fail)
    result = run("optimize", site)
    assert (result.exit_code, said in result.stderr) == (code, True), result.stderr
    assert "Traceback" not in result.stderr
    told = json.loads(run("optimize", site, "--json").stdout)
    assert told["status"] == "failed"


def test_a_defect_is_told_with_its_traceback_on_demand(site: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pipeline, "optimize", lambda *_: 1 / 0)
    result = run("optimize", site, "-v")
    assert result.exit_code == 3
    assert "Traceback (most recent call last):\n" in result.stderr


def program(*words: str | Path, first: str = "") -> list[str]:
    return [sys.executable, "-c", PROGRAM.format(first and f"{first}; "), *map(str, words)]


@pytest.fixture
def slow(site: Path) -> Path:
    """A site whose compression takes longer than any test waits."""
    letters = random.Random(1).choices("abcdefghijklmnop ", k=12_000_000)
    (site / "long.txt").write_text("".join(letters))
    return site


@pytest.fixture
def running(slow: Path) -> Iterator[subprocess.Popen[str]]:
    """The command at work in that site."""
    process = subprocess.Popen(
        program("optimize", slow, "--only", "compress"), stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    try:
        while not list(slow.parent.glob(".*/spool")) and process.poll() is None:
            time.sleep(0.02)
        yield process
    finally:
        process.kill()
        process.communicate()


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no signals between processes")
@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM", "SIGHUP"])
def test_an_interrupted_run_leaves_the_site_as_it_was(name: str, slow: Path, running: subprocess.Popen[str]) -> None:
    running.send_signal(getattr(signal, name))
    said, complaint = running.communicate(timeout=60)
    assert (running.returncode, said) == (130, ""), complaint
    assert complaint.lstrip().startswith("error: interrupted")
    assert "Traceback" not in complaint
    assert set(content(slow)) == {"index.html", "s.css", "bar.png", "long.txt"}


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such limit")
def test_a_system_that_refuses_to_write(site: Path) -> None:
    limit = "import resource; resource.setrlimit(resource.RLIMIT_FSIZE, (10, 10))"
    before = content(site)
    done = subprocess.run(program("optimize", site, first=limit), capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (3, ""), done.stderr
    assert "File too large" in done.stderr
    assert "Traceback" not in done.stderr
    assert content(site) == before


@pytest.mark.skipif(sys.platform == "win32", reason="a closed pipe is another error there")
def test_a_reader_that_leaves_is_no_success(site: Path) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    done = subprocess.run(
        program("optimize", site, "--json"), stdout=writing, stderr=subprocess.PIPE, text=True, check=False
    )
    os.close(writing)
    assert done.returncode == 3
    assert "Traceback" not in done.stderr
    assert done.stderr.endswith("error: nobody reads the result any more\n")


def test_the_module_runs_like_the_command(site: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "v1z3r_build", "optimize", site, "--json"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["release"] == Manifest.load(site / MANIFEST_NAME).release


def test_help_imports_no_parser_and_no_codec() -> None:
    heavy = ("brotli", "rich", "turbohtml", "tree_sitter", "lightningcss", "PIL", "esbuild_py", "multiprocessing")
    code = f"import sys; from v1z3r_build import cli; print([name for name in {heavy} if name in sys.modules])"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "[]\n"


# init, and what stands in the README


def test_init_writes_every_setting_and_never_over_a_file() -> None:
    result = run("init")
    assert result.exit_code == 0
    place = Path("v1z3r-build.toml")
    assert place.read_text(encoding="utf-8") == example()
    assert set(tomllib.loads(example())) == {"site", "split", "minify", "images", "names", "compress", "cache"}
    place.write_text("jobs = 1")
    again = run("init")
    assert (again.exit_code, place.read_text()) == (2, "jobs = 1")
    assert "v1z3r-build.toml exists already" in again.stderr


def test_the_readme_says_what_the_program_says() -> None:
    subprocess.run([sys.executable, str(ROOT / "scripts" / "readme.py"), "--check"], check=True)
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    for command in cli.main.commands:
        assert f"Usage: v1z3r-build {command} " in text
