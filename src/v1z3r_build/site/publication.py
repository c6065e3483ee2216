"""Publishing a folder in one step: either the old tree stands there or the new one, whenever the run is killed.

All work happens in a staging folder beside the target, on its file system:

    .out.v1z3r.lock             held by the run that works on out/
    .out.v1z3r-1234-5f0c…/      staging of process 1234
        spool/                  bytes that passes made
        tree/                   the new tree; after an exchange, the old one
        old/                    the old tree, where the system cannot exchange two folders and renames twice
    .out.v1z3r-trash-5f0c…/     a staging folder on its way out

The names alone tell the next run how far a killed one came. `old` appears only once `tree` is complete and durable; so
if `old` and `tree` are there and the target is not, the kill came between the two renames, and the next run does the
second. In every other case the target is whole (or was never there), and all staging is rubbish.
"""

from __future__ import annotations

import errno
import hashlib
import os
import re
import secrets
import shutil
import stat
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from filelock import FileLock, Timeout

from v1z3r_build.diagnostics import BuildError, Diagnostic, InputError, SystemFailureError, info, warning
from v1z3r_build.site.exchange import exchange, settle
from v1z3r_build.site.former import Former
from v1z3r_build.site.links import is_link
from v1z3r_build.site.snapshot import Snapshot, snapshot

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from types import TracebackType

_FULL = frozenset({errno.ENOSPC, errno.EDQUOT})
_TRASH = "trash"
_THREADS, _PARTS = 4, 32  # that remove a tree, and into how many parts it is divided for them, at least
_MAX_NAME = 150  # bytes of the target's name in the names beside it; file systems allow 255 in all


class Output(NamedTuple):
    """A file to publish.

    path: relative to the root, with `/`. location: where its bytes lie. model: the file whose permission bits it
    gets, None for those of a new file. Of a site's many files both come as text.
    """

    path: str
    location: str | Path
    model: str | Path | None = None


class Staging:
    """The place in which one run prepares the new content of a folder. A context manager.

    target: the folder to be replaced, or made; a link to a folder stays, and what it leads to is replaced. in_place:
    whether it is the input, too; else it is an output of ours, or empty.
    Entering it locks the target against other runs, completes or clears what killed runs left, and makes `spool`.
    Leaving it without `publish` leaves the target as it was.

    Raises BuildError (exit 2) if another run works on the target, and SystemFailureError if there is no right to
    write beside it, no space, or if it is a mount point, which cannot be exchanged.
    """

    def __init__(self, target: Path, *, in_place: bool = True) -> None:
        self.target = Path(os.path.realpath(target))
        self._in_place = in_place
        self.diagnostics: list[Diagnostic] = []
        self._folder = self.target.parent / f"{_prefix(self.target)}{os.getpid()}-{secrets.token_hex(4)}"
        self.spool = self._folder / "spool"
        self._tree = self._folder / "tree"
        self._lock_path = self.target.parent / f"{_prefix(self.target)[:-1]}.lock"
        self._lock = FileLock(self._lock_path, timeout=0, thread_local=False)
        self._made: list[Path] = []
        self._before = Snapshot(b"", plain=False)

    def __enter__(self) -> Staging:
        if os.path.ismount(self.target):
            raise SystemFailureError(
                f"{self.target} is a mount point, which cannot be replaced in one step.",
                hint="Nothing was changed. Mount the folder above it instead, or give another folder with -o.",
            )
        try:
            self._made = [above for above in self.target.parents if not above.exists()]
            self.target.parent.mkdir(parents=True, exist_ok=True)
            self._lock.acquire()
        except Timeout:
            raise BuildError(
                f"Another run{_holder(self.target)} works on {self.target}.", hint="Wait until it is done.", exit_code=2
            ) from None
        except OSError as failure:
            raise self._failure(failure) from failure
        try:
            for folder in _leftovers(self.target):
                if _recover(folder, self.target):
                    message = f"an earlier run was stopped while it replaced {self.target}; this was completed"
                    self.diagnostics.append(info("publication-completed", "", message))
            self._before = snapshot(self.target)
            self.spool.mkdir(parents=True)
            self._probe()
        except BaseException as failure:
            self._leave()
            if isinstance(failure, OSError):
                raise self._failure(failure) from failure
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, failure: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._leave()
        if isinstance(failure, FileNotFoundError):
            self._require_unchanged(failure)
        if isinstance(failure, OSError) and failure.errno in _FULL:
            raise self._failure(failure) from failure

    @cached_property
    def former(self) -> Former | None:
        """The output in the target, for files that would be the same; None if it is the input, or may hold links."""
        return Former(self.target, self.spool.stat().st_gid) if self._before.plain and not self._in_place else None

    def publish(self, files: Iterable[Output], empty_folders: Iterable[str] = ()) -> None:
        """Replace the target by these files, in one step. After it, no location in the old tree or the spool is valid.

        Files that lie in the target already are linked, not copied: the old tree goes. All others are copied once, so
        that the output shares no bytes with an input that stays. Of a former output, files keep their names, and get
        the time of this run: what programs that copy what is newer have copied last may have come from elsewhere.

        files: they are gone through once more if the disk is full, to tell how much there should be.

        Raises InputError if the target was changed since this run began, SystemFailureError if the system fails us;
        the target is then as it was.
        """
        try:
            taken_over = self._build(files, empty_folders)
            settle(self._tree)
            self._require_unchanged()
            for place in taken_over:
                os.utime(place)
            self._swap()
        except OSError as failure:
            if isinstance(failure, FileNotFoundError):
                self._require_unchanged(failure)
            raise self._failure(failure, files) from failure
        self._clear()

    def _require_unchanged(self, cause: FileNotFoundError | None = None) -> None:
        """Raises InputError if somebody wrote to the target since this run began. cause: a file that may be gone so."""
        if snapshot(self.target) != self._before:
            raise InputError(
                f"{self.target} was changed while this run worked on it.",
                hint="Nothing was published. Run it again when nothing else writes to the folder.",
            ) from cause

    def _probe(self) -> None:
        """Fail before any work where the target could not be replaced after it.

        A folder is never renamed onto one that holds something (rename(2): EEXIST, ENOTEMPTY), so trying is safe; but
        what forbids to move it at all is told first: a mount, a folder without the right to write, or one that lies in
        a lower layer of a container's image (overlayfs: EXDEV).
        """
        if sys.platform == "win32" or not self.target.is_dir():
            return
        full = self._folder / "probe"
        (full / "something").mkdir(parents=True)
        try:
            self.target.rename(full)
        except OSError as failure:
            if failure.errno not in (errno.EEXIST, errno.ENOTEMPTY):
                raise
        (full / "something").rmdir()
        full.rmdir()

    def _build(self, outputs: Iterable[Output], empty_folders: Iterable[str]) -> Iterable[str]:
        """Make the new tree. Returns the files in it that are those of a former output."""
        self._tree.mkdir()
        owner = _owner(self.target)
        made = {""}
        used: set[str] = set()
        spool, tree = (f"{folder}{os.sep}" for folder in (self._folder, self._tree))
        for output in outputs:
            place = tree + _inside(output.path)
            self._make_folders(output.path.rpartition("/")[0], made)
            # One place may hold the bytes of several files, which must not become one file.
            location = os.fspath(output.location)
            ours = location.startswith(spool)
            if ours:
                linked = _linked(location, place, links=2)
            else:
                standing = self._standing(output)
                # By now it may be part of a backup. An input in place goes, whatever else it is called.
                links = 0 if self._in_place else 2
                if linked := standing != "" and standing not in used and _linked(standing, place, links):
                    used.add(standing)
            if not linked:
                shutil.copyfile(location, place)
            if not linked or ours:
                _give(place, output.model, owner)
        for folder in empty_folders:
            self._make_folders(_inside(folder), made)
        # Last, since a folder without the right to write takes no files.
        for parent in sorted(made, reverse=True):
            model = f"{self.target}{os.sep}{parent}"
            _give(tree + parent, model if os.path.isdir(model) else None, owner)  # noqa: PTH112
        return () if self._in_place else (tree + one.removeprefix(f"{self.target}{os.sep}") for one in used)

    def _standing(self, output: Output) -> str:
        """Where the file lies in the target, '' if it does not, or not as it would be published."""
        location, target = os.fspath(output.location), f"{self.target}{os.sep}"
        if location.startswith(target) and (self._in_place or location == target + output.path):
            return location
        if self.former is None or output.model is None:
            return ""
        return self.former.copy(output.path, location, output.model) or ""

    def _make_folders(self, folder: str, made: set[str]) -> None:
        if folder in made:
            return
        os.makedirs(f"{self._tree}{os.sep}{folder}", exist_ok=True)  # noqa: PTH103 - no path is made of each
        while folder not in made:
            made.add(folder)
            folder = folder.rpartition("/")[0]

    def _swap(self) -> None:
        if not self.target.exists():
            self._tree.rename(self.target)
        elif not exchange(self._tree, self.target):
            old = self._folder / "old"
            self.target.rename(old)
            try:
                self._tree.rename(self.target)
            except BaseException:
                old.rename(self.target)
                raise
        # The old tree may go only when the new one has its name for good.
        settle(self.target.parent)

    def _clear(self) -> None:
        try:
            _recover(self._folder, self.target)
        except OSError as failure:
            message = f"the old files could not be removed from {failure.filename or self._folder}: {failure.strerror}"
            self.diagnostics.append(warning("staging-left", "", message, "The next run tries again."))

    def _leave(self) -> None:
        # What cannot be removed now is removed by the next run; it must not hide why this one ends.
        with suppress(OSError):
            if self._folder.exists():
                _recover(self._folder, self.target)
        # While the lock is held: whoever waits for it sees that its file is gone, and takes a new one.
        with suppress(OSError):
            if sys.platform != "win32":
                self._lock_path.unlink()
        for folder in self._made:
            with suppress(OSError):  # not empty: it is needed
                folder.rmdir()
        self._lock.release()

    def _failure(self, failure: OSError, outputs: Iterable[Output] = ()) -> SystemFailureError:
        parent = self.target.parent
        as_it_was = f"{self.target} is as it was."
        if failure.errno in _FULL:
            needed = sum(Path(one.location).stat().st_size for one in outputs if Path(one.location).exists())
            takes = f" The output takes {_megabytes(needed)}." if needed else ""
            free = _megabytes(shutil.disk_usage(_existing(parent)).free)
            return SystemFailureError(
                f"The disk of {parent} is full, {free} are free.{takes}",
                hint=f"{as_it_was} Make room, or give a folder on another disk with -o.",
            )
        if failure.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
            return SystemFailureError(
                f"{failure.strerror}: {failure.filename or parent}",
                hint=f"{as_it_was} Its new content is made in a folder beside it, so {parent} must be writable; "
                "-o names another place.",
            )
        if failure.errno in (errno.EXDEV, errno.EBUSY):
            return SystemFailureError(
                f"{self.target} cannot be moved ({failure.strerror}): a mount, or a layer of a container's image.",
                hint=f"{as_it_was} Give another folder with -o; in a Dockerfile, build and optimize in one RUN.",
            )
        return SystemFailureError(f"Publishing {self.target} failed: {failure}.", hint=as_it_was)


def check_output(site: Path, output: Path, manifest_name: str) -> None:
    """Make sure that `output` may be replaced by what is made of `site`.

    Raises InputError if it is something else than an empty folder or an output of ours, known by its manifest, or if it
    lies inside the site or around it. Folders are compared by identity, since some file systems ignore case.
    """
    real_site, real_output = Path(os.path.realpath(site)), Path(os.path.realpath(output))
    if _same(real_site, real_output):
        raise InputError(f"{output} is the site itself.", hint="Leave out -o to work in place.")
    if any(_same(real_site, above) for above in real_output.parents):
        raise InputError(f"{output} lies inside the site {site}.", hint="Give -o a folder beside the site.")
    if any(_same(real_output, above) for above in real_site.parents):
        raise InputError(f"{output} lies around the site {site}.", hint="Give -o a folder beside the site.")
    if not real_output.exists():
        return
    if not real_output.is_dir():
        raise InputError(f"{output} is a file.", hint="Give -o a folder that is new or empty.")
    try:
        names = os.listdir(real_output)  # noqa: PTH208 - names are all that is needed
    except OSError as failure:
        raise SystemFailureError(f"{output} cannot be read: {failure.strerror}.") from failure
    if names and manifest_name not in names:
        hint = "It would be replaced as a whole. Give -o a folder that is new, empty, or an earlier output."
        raise InputError(f"{output} holds files that are not an output of ours.", hint=hint)


def _prefix(target: Path) -> str:
    """The beginning of the names of all staging of a target. No other target has the same."""
    name = target.name
    if len(os.fsencode(name)) > _MAX_NAME:
        name = hashlib.sha256(os.fsencode(name)).hexdigest()
    return f".{name}.v1z3r-"


def _leftovers(target: Path) -> list[Path]:
    staging = re.compile(re.escape(_prefix(target)) + rf"(\d+|{_TRASH})-[0-9a-f]{{8}}")
    return sorted(item for item in target.parent.iterdir() if staging.fullmatch(item.name))


def _holder(target: Path) -> str:
    """Which process works on the target, as the name of its staging tells."""
    names = [item.name.removeprefix(_prefix(target)).split("-")[0] for item in _leftovers(target)]
    numbers = sorted(name for name in names if name.isdigit())
    return f" (process {', '.join(numbers)})" if numbers else ""


def _recover(folder: Path, target: Path) -> bool:
    """Complete what a stopped run began, if it stood between its two renames, and remove its staging folder.

    The caller holds the lock. Returns whether there was something to complete.
    """
    if _is_trash(folder, target):
        _remove(folder)
        return False
    # An empty folder is what a build makes first, or a CI job: nothing that could be lost.
    is_there = target.exists() and (not target.is_dir() or any(target.iterdir()))
    half_done = not is_there and (folder / "old").is_dir() and (folder / "tree").is_dir()
    if half_done:
        if target.exists():
            target.rmdir()
        (folder / "tree").rename(target)
        settle(target.parent)
    # The name goes first, so that half of a staging folder is never taken for something to complete.
    trash = folder.with_name(f"{_prefix(target)}{_TRASH}-{secrets.token_hex(4)}")
    folder.rename(trash)
    _remove(trash)
    return half_done


def _is_trash(folder: Path, target: Path) -> bool:
    return folder.name.startswith(f"{_prefix(target)}{_TRASH}-")


def _remove(folder: Path) -> None:
    """Remove a folder with all that is in it; in several threads, for to remove is to wait for the disk."""
    parts = [folder]
    with ThreadPoolExecutor(_THREADS) as threads:
        while len(parts) < _PARTS:
            inside = [one for part in parts for one in _folders(part)]
            if not inside:
                break
            _each(_remove_files, parts, threads)
            parts = inside
        _each(_remove_alone, parts, threads)
    if folder not in parts:
        _remove_alone(folder)


def _each(remove: Callable[[Path], None], parts: list[Path], threads: ThreadPoolExecutor) -> None:
    """Remove parts, each thread its share: to hand over one that holds a file or two takes longer than to remove it."""

    def take(share: list[Path]) -> None:
        for one in share:
            remove(one)

    list(threads.map(take, (parts[first::_THREADS] for first in range(_THREADS))))


def _remove_files(folder: Path) -> None:
    """Remove the files in a folder as they are found: `rmtree` lists all before, of a spool as many as of the site.

    What cannot be removed so is left to `_remove_alone`, and so is what a system passes over that is asked to remove
    files while it lists them.
    """
    with suppress(PermissionError), os.scandir(folder) as found:
        for one in found:
            if is_link(one) or not one.is_dir(follow_symlinks=False):
                os.unlink(one)  # noqa: PTH108 - no path is made of each


def _folders(folder: Path) -> list[Path]:
    """The folders in a folder; none where they cannot be listed, which is dealt with when it is removed."""
    try:
        with os.scandir(folder) as found:
            return [Path(one) for one in found if one.is_dir(follow_symlinks=False) and not is_link(one)]
    except PermissionError:
        return []


def _remove_alone(folder: Path) -> None:
    _remove_files(folder)
    with suppress(OSError):  # there are folders in it, or rights are missing
        folder.rmdir()
        return
    if sys.version_info >= (3, 12):
        shutil.rmtree(folder, onexc=_unlock)
    else:
        shutil.rmtree(folder, onerror=lambda remove, path, failure: _unlock(remove, path, failure[1]))


def _unlock(remove: Callable[..., object], path: str, failure: BaseException) -> None:
    """Give the right to write where it keeps something from being removed, and try again.

    Only folders need it, but on Windows; elsewhere the new tree may share a file, and its bits.
    """
    if not isinstance(failure, PermissionError):
        raise failure
    place = Path(path)
    for locked in (place.parent, *([place] if place.is_dir() or sys.platform == "win32" else [])):
        locked.chmod(0o700)
    if remove in (os.rmdir, os.unlink):
        remove(path)
    else:  # a folder that could not be listed
        _remove(place)


def _linked(location: str, place: str, links: int = 0) -> bool:
    """Whether a file has been given a second name. links: so many it must have then, 0 if that does not matter."""
    try:
        os.link(location, place)
    except OSError:  # no links here, too many, or not allowed: copying tells if there is more to it
        return False
    if links and os.stat(place).st_nlink != links:  # noqa: PTH116
        os.unlink(place)  # noqa: PTH108
        return False
    return True


def _inside(path: str) -> str:
    if path.startswith("/") or not path or not {"", ".", ".."}.isdisjoint(path.split("/")):
        raise ValueError(f"not a path of the site: {path!r}")
    return path


def _owner(target: Path) -> tuple[int, int] | None:
    """Whose the new files are to be, None where only the system decides it. Root must not take a site from its user."""
    if sys.platform == "win32" or os.geteuid() != 0:
        return None
    status = _existing(target).stat()
    return status.st_uid, status.st_gid


def _give(place: str, model: str | Path | None, owner: tuple[int, int] | None) -> None:
    """Give a file or folder the permission bits of its model, and its owner if we may."""
    status = os.stat(model) if model is not None else None  # noqa: PTH116
    if owner is not None and sys.platform != "win32":
        os.chown(place, *((status.st_uid, status.st_gid) if status else owner))
    if status is not None:
        os.chmod(place, stat.S_IMODE(status.st_mode))  # noqa: PTH101


def _existing(path: Path) -> Path:
    return next(above for above in (path, *path.parents) if above.exists())


def _same(one: Path, other: Path) -> bool:
    return one == other or (one.exists() and other.exists() and one.samefile(other))


def _megabytes(size: int) -> str:
    return f"{size / 1e6:,.1f} MB"
