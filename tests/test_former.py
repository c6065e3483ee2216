"""What a run takes over from the output that it replaces: only what it would have made to the last bit."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from v1z3r_build.cli import main
from v1z3r_build.diagnostics import InputError
from v1z3r_build.site.former import Former
from v1z3r_build.site.publication import Output, Staging

PAGE = (
    '<!doctype html><title>A</title><link rel="stylesheet" href="a.css"><script src="a.js"></script><p>' + "text " * 99
)
SITE = {
    "index.html": PAGE,
    "about.html": PAGE.replace("A", "About"),
    "a.css": "body { color : red }\n" * 40,
    "a.js": "console.log( 1 )\n" * 40,
    "data/big.bin": "\0" * 3_000_000,
}
posix = pytest.mark.skipif(sys.platform == "win32", reason="the system has no permission bits")


def make(folder: Path, files: dict[str, str]) -> Path:
    for path, text in files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text)
    return folder


def optimized(site: Path, output: Path) -> dict[str, bytes]:
    done = CliRunner().invoke(main, ["optimize", str(site), "-o", str(output), "--no-cache", "--jobs", "1", "-q"])
    assert done.exit_code == 0, done.output
    return {one.relative_to(output).as_posix(): one.read_bytes() for one in output.rglob("*") if one.is_file()}


def identities(folder: Path) -> dict[str, int]:
    return {one.relative_to(folder).as_posix(): one.stat().st_ino for one in folder.rglob("*") if one.is_file()}


def group_of(folder: Path) -> int:
    """That of new files in a folder."""
    (folder / "probe").touch()
    return (folder / "probe").stat().st_gid


def test_a_page_that_changed_is_all_that_is_made_anew(tmp_path: Path) -> None:
    site, output = make(tmp_path / "site", SITE), tmp_path / "out"
    optimized(site, output)
    before = identities(output)
    (site / "about.html").write_text(SITE["about.html"] + "changed")
    release = optimized(site, output)
    after = identities(output)
    assert release == optimized(site, tmp_path / "fresh")
    anew = {path for path in after if after[path] not in before.values()}
    assert anew == {"about.html", "about.html.br", "about.html.gz", "v1z3r-manifest.json"}
    assert all(one.stat().st_nlink == 1 for one in output.rglob("*") if one.is_file())


def test_no_byte_of_a_damaged_output_is_taken_over(tmp_path: Path) -> None:
    site, output = make(tmp_path / "site", SITE), tmp_path / "out"
    whole = optimized(site, output)
    for path, data in whole.items():
        (output / path).write_bytes(bytes([data[0] ^ 1]) + data[1:])
    assert optimized(site, output) == whole


def test_what_an_output_elsewhere_was_linked_to_keeps_its_bytes_for_itself(tmp_path: Path) -> None:
    site, output = make(tmp_path / "site", SITE), tmp_path / "out"
    optimized(site, output)
    for path in ("about.html", "data/big.bin"):
        (tmp_path / "backup" / path).parent.mkdir(parents=True, exist_ok=True)
        os.link(output / path, tmp_path / "backup" / path)
    optimized(site, output)
    for path in ("about.html", "data/big.bin"):
        assert not (tmp_path / "backup" / path).samefile(output / path)


def test_nothing_is_taken_over_through_links(tmp_path: Path) -> None:
    site, output = make(tmp_path / "site", SITE), tmp_path / "out"
    whole = optimized(site, output)
    (output / "data").rename(tmp_path / "elsewhere")
    (output / "data").symlink_to(tmp_path / "elsewhere")
    before = identities(output) | identities(tmp_path / "elsewhere")
    assert optimized(site, output) == whole
    assert not (output / "data").is_symlink()
    assert (tmp_path / "elsewhere/big.bin").stat().st_nlink == 1
    assert not set(before.values()) & set(identities(output).values())


@posix
def test_modes_are_those_of_the_input_as_they_are_now(tmp_path: Path) -> None:
    site, output = make(tmp_path / "site", SITE), tmp_path / "out"
    optimized(site, output)
    (site / "about.html").chmod(0o600)
    (site / "data/big.bin").chmod(0o600)
    optimized(site, output)
    modes = {path: (output / path).stat().st_mode & 0o777 for path in ("about.html", "about.html.br", "data/big.bin")}
    assert set(modes.values()) == {0o600}


def test_files_of_a_former_output_keep_their_names(tmp_path: Path) -> None:
    """Another file's bytes come with a time of their own: by size and time they would pass for what was there."""
    out = make(tmp_path / "out", {"a": "aaa", "b": "bbb"})
    before = identities(out)
    model = out / "a"
    with Staging(out, in_place=False) as staging:
        staging.publish([Output("a", out / "b", model), Output("b", out / "b", model)])
    after = identities(out)
    assert (out / "a").read_text() == "bbb"
    assert after["b"] == before["b"]
    assert after["a"] not in before.values()


@pytest.mark.parametrize(
    ("path", "data", "held"),
    [("a", b"same", True), ("a", b"some", False), ("a", b"sam", False), ("b", b"same", False), ("d", b"", False)],
)
def test_a_file_is_held_by_name_and_bytes(tmp_path: Path, path: str, data: bytes, held: bool) -> None:
    model = make(tmp_path, {"out/a": "same", "out/d/x": "", "model": "m"}) / "model"
    former = Former(tmp_path / "out", group_of(tmp_path))
    (tmp_path / "asked").write_bytes(data)
    expected = str(tmp_path / "out" / path) if held else None
    assert former.holding(path, data, model) == expected
    assert former.copy(path, tmp_path / "asked", model) == expected


def test_what_is_taken_over_is_as_new_to_programs_that_copy_what_is_newer(tmp_path: Path) -> None:
    """What they copied last may come from another output, with other bytes of the same size: names of files differ."""
    site, output = make(tmp_path / "site", SITE), tmp_path / "out"
    optimized(site, output)
    before = identities(output)
    for path in before:
        os.utime(output / path, (1_000_000_000, 1_000_000_000))
    optimized(site, output)
    assert set(before.values()) & set(identities(output).values())
    assert [path for path in before if (output / path).stat().st_mtime < 1_100_000_000] == []


def test_a_file_that_got_a_second_name_meanwhile_is_not_shared(tmp_path: Path) -> None:
    out = make(tmp_path / "out", {"a": "aaa"})
    with Staging(out, in_place=False) as staging:
        os.link(out / "a", tmp_path / "backup")
        staging.publish([Output("a", out / "a", out / "a")])
    assert (out / "a").read_text() == "aaa"
    assert not (out / "a").samefile(tmp_path / "backup")


@pytest.mark.skipif(not hasattr(os, "setxattr"), reason="the system has no attributes")
def test_a_file_with_attributes_of_its_own_is_not_as_a_new_one(tmp_path: Path) -> None:
    out = make(tmp_path / "out", {"a": "same"})
    former = Former(out, group_of(tmp_path))
    assert former.holding("a", b"same", out / "a")
    try:
        os.setxattr(out / "a", "user.note", b"by hand")  # as rights by a list are set, system.posix_acl_access
    except OSError:
        pytest.skip("the file system has no attributes")
    assert former.holding("a", b"same", out / "a") is None


@posix
def test_a_file_of_another_group_is_not_as_a_new_one(tmp_path: Path) -> None:
    out = make(tmp_path / "out", {"a": "same"})
    if os.geteuid() == 0:
        model = make(tmp_path, {"model": ""}) / "model"
        os.chown(out / "a", 0, model.stat().st_gid + 1)
        assert Former(out, group_of(tmp_path)).holding("a", b"same", model) is None
    else:
        assert Former(out, group_of(tmp_path) + 1).holding("a", b"same", out / "a") is None


def test_a_read_only_file_of_windows_is_not_shared(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    out = make(tmp_path / "out", {"a": "same"})
    former = Former(out, group_of(tmp_path))
    monkeypatch.setattr(sys, "platform", "win32")
    assert former.holding("a", b"same", out / "a")
    (out / "a").chmod(0o444)
    assert former.holding("a", b"same", out / "a") is None


@pytest.mark.skipif(sys.platform == "win32" or os.geteuid() == 0, reason="nothing keeps this user from listing")
def test_nothing_is_taken_over_from_what_cannot_be_listed(tmp_path: Path) -> None:
    out = make(tmp_path / "out", {"d/a": "aaa"})
    make(tmp_path, {"elsewhere": "bbb"})
    (out / "d/b").symlink_to(tmp_path / "elsewhere")
    (out / "d").chmod(0o300)
    with Staging(out, in_place=False) as staging:
        assert staging.former is None


@pytest.mark.parametrize("early", [True, False])
def test_an_output_that_is_removed_meanwhile_was_changed(tmp_path: Path, early: bool) -> None:
    """Its files are read by passes, and linked when all is published."""
    out = make(tmp_path / "out", {"a": "aaa"})
    with pytest.raises(InputError, match="was changed"), Staging(out, in_place=False) as staging:
        assert staging.former is not None
        found = staging.former.holding("a", b"aaa", out / "a")
        assert found is not None
        (out / "a").unlink()
        if early:
            Path(found).read_bytes()
        staging.publish([Output("a", found, found)])
