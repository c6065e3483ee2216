"""Publishing: the old tree or the new one, never a mixture, whatever stops the run."""

from __future__ import annotations

import ctypes
import errno
import os
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
import traceback
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from disks import disk

from v1z3r_build.diagnostics import BuildError, InputError, SystemFailureError
from v1z3r_build.site import exchange as exchanging
from v1z3r_build.site import publication
from v1z3r_build.site.links import is_link
from v1z3r_build.site.publication import Output, Staging, check_output

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

OLD = {"index.html": "old page", "a/b/deep.js": "old script", "same.png": "picture"}
NEW = {"index.html": "new page", "a/b/deep.1f.js": "new script", "same.png": "picture", "copy.png": "picture"}
needs_fork = pytest.mark.skipif(not hasattr(os, "fork"), reason="the system has no fork")
needs_root = pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="needs root")


def make(folder: Path, files: dict[str, str]) -> Path:
    for path, text in files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text)
    return folder


def tree(folder: Path) -> dict[str, str]:
    return {item.relative_to(folder).as_posix(): item.read_text() for item in folder.rglob("*") if item.is_file()}


def beside(target: Path) -> list[str]:
    """All that is left beside the target."""
    return sorted(item.name for item in target.parent.iterdir() if item != target)


def publish(target: Path, source: Path | None = None) -> Staging:
    """A run that turns OLD into NEW: untouched files from where they lie, the others from the spool."""
    with Staging(target) as staging:
        outputs = []
        for path, text in NEW.items():
            original = (source or target) / "same.png"
            if text == OLD["same.png"]:
                outputs.append(Output(path, original, original))
            else:
                (staging.spool / text).write_text(text)
                outputs.append(Output(path, staging.spool / text))
        staging.publish(outputs, ["empty/folder"])
    return staging


@pytest.fixture
def target(tmp_path: Path) -> Path:
    (tmp_path / "site").mkdir()
    return make(tmp_path / "site" / "out", OLD)


@pytest.fixture(params=["exchange", "two renames"])
def way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    if request.param == "two renames":
        monkeypatch.setattr(publication, "exchange", lambda one, other: False)
    return str(request.param)


def test_replaces_the_tree_and_leaves_nothing_beside_it(target: Path, way: str) -> None:
    assert publish(target).diagnostics == []
    assert tree(target) == NEW
    assert (target / "empty/folder").is_dir()
    assert beside(target) == []


def test_leaving_without_publishing_changes_nothing(target: Path) -> None:
    with pytest.raises(RuntimeError), Staging(target) as staging:
        (staging.spool / "x").write_text("x")
        raise RuntimeError
    assert tree(target) == OLD
    assert beside(target) == []


def test_a_new_folder_gets_its_parents_and_keeps_them_only_when_needed(tmp_path: Path) -> None:
    site = make(tmp_path / "site", OLD)
    with Staging(tmp_path / "build/deep/out"):
        pass
    assert not (tmp_path / "build").exists()
    publish(tmp_path / "build/deep/out", site)
    assert tree(tmp_path / "build/deep/out") == NEW
    assert tree(site) == OLD


def test_a_link_to_the_folder_stays(target: Path) -> None:
    link = target.parent / "link"
    link.symlink_to("out")
    publish(link)
    assert link.is_symlink()
    assert tree(target) == NEW


def test_untouched_files_are_linked_but_no_two_files_become_one(target: Path) -> None:
    before = (target / "same.png").stat().st_ino
    publish(target)
    assert (target / "same.png").stat().st_ino == before
    (target / "copy.png").write_text("edited")
    assert (target / "same.png").read_text() == "picture"


def test_an_output_elsewhere_shares_no_bytes_with_the_site(tmp_path: Path) -> None:
    site = make(tmp_path / "site", OLD)
    publish(tmp_path / "out", site)
    (tmp_path / "out/same.png").write_text("edited")
    assert tree(site) == OLD


def test_equal_bytes_in_the_spool_become_two_files(target: Path) -> None:
    with Staging(target) as staging:
        (staging.spool / "x").write_text("x")
        staging.publish([Output("one", staging.spool / "x"), Output("two", staging.spool / "x")])
    assert not (target / "one").samefile(target / "two")


def test_modes_stay(target: Path) -> None:
    target.chmod(0o750)
    (target / "a").chmod(0o711)
    (target / "index.html").chmod(0o640)
    with Staging(target) as staging:
        (staging.spool / "x").write_text("x")
        model = target / "index.html"
        staging.publish([Output("index.html", staging.spool / "x", model), Output("a/new", staging.spool / "x")])
    modes = [stat.S_IMODE((target / path).stat().st_mode) for path in (".", "a", "index.html")]
    assert modes == [0o750, 0o711, 0o640]


@needs_root
def test_root_leaves_the_files_to_their_owner(target: Path) -> None:
    for item in (target, *target.rglob("*")):
        os.chown(item, 12345, 12345)
    publish(target)
    assert {item.stat().st_uid for item in (target, *target.rglob("*"))} == {12345}


@pytest.mark.parametrize("path", ["../x", "/x", "a/../../x", ""])
def test_no_path_leads_out_of_the_tree(target: Path, path: str) -> None:
    with pytest.raises(ValueError, match="not a path"), Staging(target) as staging:
        staging.publish([Output(path, target / "index.html")])
    assert tree(target) == OLD


@pytest.mark.parametrize("name", ["added.html", "index.html", "a/b/added.js"])
def test_what_was_written_meanwhile_is_not_lost(target: Path, name: str) -> None:
    with pytest.raises(InputError, match="was changed"), Staging(target) as staging:
        (target / name).write_text("written meanwhile")
        staging.publish([Output("index.html", target / "same.png")])
    assert (target / name).read_text() == "written meanwhile"
    assert beside(target) == []


@pytest.fixture
def public() -> Iterator[Path]:
    """A site that is nobody's: where the tests run as root, a child works on it without root's rights."""
    folder = Path(tempfile.mkdtemp())
    target = make(folder / "out", OLD)
    for item in (folder, *folder.rglob("*")):
        if os.geteuid() == 0:
            os.chown(item, 65534, 65534)
    yield target
    for item in (folder, *(item for item in folder.rglob("*") if item.is_dir())):
        item.chmod(0o755)
    shutil.rmtree(folder)


@needs_fork
def test_a_read_only_folder_in_the_old_tree_goes_too(public: Path) -> None:
    (public / "a/b").chmod(0o555)
    (public / "a").chmod(0o555)
    assert in_child(lambda: publish(public), uid=65534) == 0
    assert tree(public) == NEW
    assert beside(public) == []


# Stopped runs


def in_child(work: Callable[[], object], *, kill_at: int = -1, uid: int = 0) -> int:
    """Run in a forked process; kill it before its n-th file operation. Returns the exit code, negative for a signal."""
    child = os.fork()
    if child == 0:
        code = 1
        try:
            if uid and os.geteuid() == 0:
                os.setgroups([])
                os.setgid(uid)
                os.setuid(uid)
            if kill_at >= 0:
                sys.addaudithook(_killer(kill_at))
            work()
            code = 0
        except BaseException:  # noqa: BLE001 - told to the parent by the code, and to people by the text
            traceback.print_exc()
        finally:
            os._exit(code)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def _killer(steps: int) -> Callable[[str, tuple[object, ...]], None]:
    left = [steps]

    def hook(event: str, arguments: tuple[object, ...]) -> None:
        if event != "os.kill" and (event.startswith(("os.", "shutil.")) or event == "open"):
            left[0] -= 1
            if left[0] < 0:
                os.kill(os.getpid(), signal.SIGKILL)

    return hook


@needs_fork
def test_killed_before_any_file_operation_no_file_is_lost(tmp_path: Path, way: str) -> None:
    seen = set()
    for step in range(1000):
        target = make(tmp_path / str(step) / "out", OLD)
        code = in_child(lambda target=target: publish(target), kill_at=step)  # type: ignore[misc]
        if way == "exchange":
            assert tree(target) in (OLD, NEW)
        with Staging(target):
            pass
        assert tree(target) in (OLD, NEW)
        assert beside(target) == []
        seen.add("new" if tree(target) == NEW else "old")
        if code == 0:
            break
        assert code == -signal.SIGKILL
    else:
        pytest.fail("the run never came to its end")
    assert seen == {"old", "new"}
    assert step > 20


@needs_fork
def test_killed_while_recovering_no_file_is_lost(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A run killed between its two renames, then the run that completes it killed at every step."""
    for step in range(1000):
        target = half_done(tmp_path / str(step))
        code = in_child(lambda target=target: Staging(target).__enter__(), kill_at=step)  # type: ignore[misc]
        with Staging(target):
            pass
        assert tree(target) == NEW
        assert beside(target) == []
        if code == 0:
            break
    assert step > 5


def half_done(parent: Path) -> Path:
    """What a run leaves that is killed between its two renames."""
    make(parent / ".out.v1z3r-999999-0123abcd/old", OLD)
    make(parent / ".out.v1z3r-999999-0123abcd/tree", NEW)
    return parent / "out"


def test_the_next_run_does_the_second_rename_and_says_so(tmp_path: Path) -> None:
    target = half_done(tmp_path)
    with Staging(target) as staging:
        assert tree(target) == NEW
    assert [one.code for one in staging.diagnostics] == ["publication-completed"]


def test_an_empty_folder_in_the_target_s_place_does_not_hide_a_half_done_run(tmp_path: Path) -> None:
    target = half_done(tmp_path)
    target.mkdir()
    with Staging(target):
        assert tree(target) == NEW


def test_a_site_built_afresh_wins_over_a_half_done_run(tmp_path: Path) -> None:
    target = make(half_done(tmp_path), {"index.html": "afresh"})
    with Staging(target):
        assert tree(target) == {"index.html": "afresh"}
    assert beside(target) == []


def test_an_unfinished_tree_is_never_published(tmp_path: Path) -> None:
    make(tmp_path / ".out.v1z3r-999999-0123abcd/tree", {"index.html": "only half of it"})
    make(tmp_path / ".out.v1z3r-trash-0123abcd/old", OLD)
    make(tmp_path / ".out.v1z3r-trash-0123abcd/tree", {"index.html": "half removed"})
    with Staging(tmp_path / "out"):
        assert not (tmp_path / "out").exists()
    assert list(tmp_path.iterdir()) == []


def test_staging_of_others_is_left_alone(tmp_path: Path) -> None:
    names = [".other.v1z3r-12-0123abcd", ".out.v1z3r-x.v1z3r-12-0123abcd", ".out.v1z3r-notes", ".out2.v1z3r-1-0123abcd"]
    for name in names:
        make(tmp_path / name, {"x": "x"})
    with Staging(make(tmp_path / "out", OLD)):
        pass
    assert beside(tmp_path / "out") == sorted(names)


def test_a_failed_second_rename_is_undone(target: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(publication, "exchange", lambda one, other: False)
    rename = Path.rename

    def failing(self: Path, to: Path) -> Path:
        if self.name == "tree":
            raise OSError(errno.EIO, "Input/output error", str(self))
        return rename(self, to)

    monkeypatch.setattr(Path, "rename", failing)
    with pytest.raises(SystemFailureError, match="Input/output error"):
        publish(target)
    assert tree(target) == OLD


def test_a_failed_undo_keeps_both_trees(target: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(publication, "exchange", lambda one, other: False)
    rename = Path.rename

    def failing(self: Path, to: Path) -> Path:
        if self.name in ("tree", "old"):
            raise OSError(errno.EIO, "Input/output error", str(self))
        return rename(self, to)

    with monkeypatch.context() as broken:
        broken.setattr(Path, "rename", failing)
        with pytest.raises(SystemFailureError):
            publish(target)
    with Staging(target):
        assert tree(target) == NEW


@pytest.mark.parametrize("code", [errno.EXDEV, errno.EBUSY])
def test_a_folder_that_cannot_be_exchanged_stays(target: Path, monkeypatch: pytest.MonkeyPatch, code: int) -> None:
    def refuse(one: Path, other: Path) -> bool:
        raise OSError(code, os.strerror(code), str(one), None, str(other))

    monkeypatch.setattr(publication, "exchange", refuse)
    with pytest.raises(SystemFailureError, match="cannot be moved"):
        publish(target)
    assert tree(target) == OLD
    assert beside(target) == []


# Two runs


def test_a_second_run_is_told_who_holds_the_folder(target: Path) -> None:
    with Staging(target), pytest.raises(BuildError, match=f"process {os.getpid()}") as caught, Staging(target):
        pass
    assert caught.value.exit_code == 2
    assert beside(target) == []


def test_another_process_is_locked_out(target: Path) -> None:
    script = (
        "import sys; from pathlib import Path; from v1z3r_build.site.publication import *\n"
        "with Staging(Path(sys.argv[1])): print('in', flush=True); sys.stdin.read()\n"
    )
    command = [sys.executable, "-c", script, str(target)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == "in\n"
        with pytest.raises(BuildError, match=f"process {other.pid}"), Staging(target):
            pass
        other.kill()  # the lock of a dead process does not count
    publish(target)
    assert tree(target) == NEW
    assert beside(target) == []


def test_folders_side_by_side_do_not_lock_each_other(target: Path) -> None:
    other = make(target.parent / "out2", OLD)
    with Staging(target):
        publish(other)
    assert tree(other) == NEW


# The system fails us


@pytest.fixture
def small_disk() -> Iterator[Path]:
    with disk("256k") as folder:
        yield folder


@pytest.fixture
def big_disk() -> Iterator[Path]:
    with disk("8m") as folder:
        yield folder


def test_a_full_disk_leaves_the_site_as_it_was(small_disk: Path, tmp_path: Path) -> None:
    target = make(small_disk / "out", OLD)
    big = tmp_path / "big"
    big.write_bytes(bytes(400_000))
    with (
        pytest.raises(SystemFailureError, match=r"full, .*The output takes 0\.4 MB") as caught,
        Staging(target) as staging,
    ):
        staging.publish([Output("big", big)])
    assert caught.value.exit_code == 3
    assert tree(target) == OLD
    assert beside(target) == []


def test_a_disk_that_fills_while_passes_work(small_disk: Path) -> None:
    target = make(small_disk / "out", OLD)
    with pytest.raises(SystemFailureError, match="full"), Staging(target) as staging:
        (staging.spool / "big").write_bytes(bytes(400_000))
    assert tree(target) == OLD
    assert beside(target) == []


def test_a_mount_point_is_refused_before_any_work(small_disk: Path) -> None:
    make(small_disk, OLD)
    with pytest.raises(SystemFailureError, match="mount point"), Staging(small_disk):
        pass
    assert tree(small_disk) == OLD


def test_a_folder_in_a_lower_layer_of_an_image_is_refused_before_any_work(big_disk: Path) -> None:
    for name in ("lower", "upper", "work", "merged"):
        (big_disk / name).mkdir()
    make(big_disk / "lower/out", OLD)
    layers = f"lowerdir={big_disk}/lower,upperdir={big_disk}/upper,workdir={big_disk}/work,redirect_dir=off"
    mounted = big_disk / "merged"
    command = ["mount", "-t", "overlay", "overlay", "-o", layers, str(mounted)]
    if subprocess.run(command, capture_output=True, check=False).returncode:
        pytest.skip("no right to mount layers here")
    try:
        with pytest.raises(SystemFailureError, match="layer"), Staging(mounted / "out"):
            pytest.fail("it was let in")
        assert tree(mounted / "out") == OLD
        assert beside(mounted / "out") == []
        make(mounted / "new", OLD)
        publish(mounted / "new")
        assert tree(mounted / "new") == NEW
    finally:
        subprocess.run(["umount", str(mounted)], check=True)


@needs_fork
def test_a_folder_that_may_not_be_moved_is_refused_before_any_work(public: Path) -> None:
    """A folder's own right to write is needed to move it elsewhere; its files are untouched by that."""
    public.chmod(0o555)

    def work() -> None:
        with pytest.raises(SystemFailureError, match="Permission denied"), Staging(public):
            pytest.fail("it was let in")

    assert in_child(work, uid=65534) == 0
    assert tree(public) == OLD
    assert beside(public) == []


@needs_fork
def test_no_right_to_write_beside_the_folder(public: Path) -> None:
    public.parent.chmod(0o555)

    def work() -> None:
        with pytest.raises(SystemFailureError, match="Permission denied"):
            publish(public)

    assert in_child(work, uid=65534) == 0
    assert tree(public) == OLD
    assert beside(public) == []


# Where an output may lie


def test_outputs_that_are_refused(tmp_path: Path) -> None:
    site = make(tmp_path / "site", OLD)
    make(tmp_path / "full", {"x": "x"})
    (tmp_path / "file").write_text("x")
    (tmp_path / "inward").symlink_to("site/a")
    cases = {
        "site": "the site itself",
        "site/../site": "the site itself",
        "site/new": "inside",
        "site/a/b": "inside",
        "inward": "inside",
        "inward/new/deep": "inside",
        ".": "around",
        "full": "not an output of ours",
        "file": "is a file",
    }
    for output, message in cases.items():
        with pytest.raises(InputError, match=message):
            check_output(site, tmp_path / output, "manifest.json")


def test_outputs_that_are_taken(tmp_path: Path) -> None:
    site = make(tmp_path / "site", OLD)
    (tmp_path / "empty").mkdir()
    make(tmp_path / "earlier", {"manifest.json": "{}", "x": "x"})
    for output in ("empty", "earlier", "new", "new/deep", "site2"):
        check_output(site, tmp_path / output, "manifest.json")


# The system's call


def test_exchange_swaps_two_folders(tmp_path: Path) -> None:
    one, other = make(tmp_path / "one", {"x": "1"}), make(tmp_path / "other", {"x": "2"})
    if exchanging.exchange(one, other):
        assert (tree(one), tree(other)) == ({"x": "2"}, {"x": "1"})
    else:
        assert (tree(one), tree(other)) == ({"x": "1"}, {"x": "2"})
        assert sys.platform not in ("linux", "darwin")


@pytest.mark.parametrize("code", [errno.ENOSYS, errno.EINVAL, errno.EPERM])
def test_a_system_without_the_call_is_no_failure(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: int) -> None:
    def unknown(one: bytes, other: bytes) -> int:
        ctypes.set_errno(code)
        return -1

    monkeypatch.setattr(exchanging, "_call", unknown)
    assert exchanging.exchange(tmp_path / "one", tmp_path / "other") is False


def test_an_exchange_that_fails_says_why(tmp_path: Path) -> None:
    if sys.platform not in ("linux", "darwin"):
        pytest.skip("the system has no exchange")
    with pytest.raises(FileNotFoundError):
        exchanging.exchange(tmp_path / "one", tmp_path / "other")


class Junction:
    """An entry of a folder as Windows tells of a junction: a folder, and no symbolic link."""

    def is_symlink(self) -> bool:
        return False

    def stat(self, *, follow_symlinks: bool) -> object:
        assert not follow_symlinks
        return type("Status", (), {"st_mode": stat.S_IFDIR, "st_reparse_tag": stat.IO_REPARSE_TAG_MOUNT_POINT})


def test_a_junction_is_a_link(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "win32")
    monkeypatch.setattr(stat, "IO_REPARSE_TAG_MOUNT_POINT", 0xA0000003, raising=False)
    assert is_link(Junction())  # type: ignore[arg-type]


def test_nothing_is_removed_behind_a_junction(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It may lead into the new tree. A folder stands for it here, and to be moved away for its removal."""
    old = make(tmp_path / "old", {"a.txt": "", "b/c.txt": "", "b/junction/kept.txt": "", "b/junction/d/kept.txt": ""})
    unlink = os.unlink

    def remove(path: os.PathLike[str] | str, **how: int | None) -> None:
        if Path(path).name == "junction":
            Path(path).rename(tmp_path / "elsewhere")
        else:
            unlink(path, **how)  # type: ignore[arg-type]

    monkeypatch.setattr(publication, "is_link", lambda one: one.name == "junction")
    monkeypatch.setattr(os, "unlink", remove)
    publication._remove(old)
    assert not old.exists()
    assert tree(tmp_path / "elsewhere") == {"kept.txt": "", "d/kept.txt": ""}
