"""The output that a run replaces: what it holds under its name, with the very bytes, is not written once more.

To make a file, to wait until it is on the disk and to remove the old one takes far longer than to read and compare it.
A file is taken over only under the name that it has already. `Staging.publish` gives it the time of the run: programs
that copy what is newer, such as `aws s3 sync`, go by name, size and time.
"""

from __future__ import annotations

import os
import stat
import sys
from contextlib import suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable
    from io import FileIO
    from pathlib import Path

_CHUNK = 1 << 20


class Former:
    """Files of an output that stands, and stays as it is until the new one takes its place.

    Nothing in it is trusted but the bytes that were read. It must hold nothing but files and folders: through links
    one would come to what is not its own.
    """

    def __init__(self, root: Path, group: int) -> None:
        """group: that of a new file of ours, where the system has groups."""
        self._root = f"{root}{os.sep}"
        self._group = group

    def holding(self, path: str, data: bytes, model: str | Path) -> str | None:
        """Where the file of this name lies, if it holds these bytes and is as a new one would be.

        model: the file whose permission bits and owner a new one would get.
        """
        return self._place_if(path, len(data), model, lambda file: file.read(len(data) + 1) == data)

    def copy(self, path: str, source: str | Path, model: str | Path) -> str | None:
        """The same for the bytes of another file, of any size."""
        with open(source, "rb", buffering=0) as asked:  # noqa: PTH123

            def is_equal(file: FileIO) -> bool:
                while (piece := asked.read(_CHUNK)) == file.read(_CHUNK):
                    if not piece:
                        return True
                return False

            return self._place_if(path, os.fstat(asked.fileno()).st_size, model, is_equal)

    def _place_if(self, path: str, size: int, model: str | Path, is_equal: Callable[[FileIO], bool]) -> str | None:
        place = self._root + path
        with suppress(OSError), open(place, "rb", buffering=0) as file:  # noqa: PTH123 - half the cost of Path
            status = os.fstat(file.fileno())
            # With a second name it may be part of a backup, whose bytes others would share from now on.
            fits = status.st_size == size and status.st_nlink == 1 and self._is_alike(status, os.stat(model))  # noqa: PTH116
            if fits and not _has_attributes(file) and is_equal(file):
                return place
        return None

    def _is_alike(self, status: os.stat_result, model: os.stat_result) -> bool:
        """Whether a file has the bits and the owner that publishing would give to a new one."""
        if stat.S_IMODE(status.st_mode) != stat.S_IMODE(model.st_mode):
            return False
        if sys.platform == "win32":
            # Of what is read-only the old name can be removed only by making the file writable under both names.
            return status.st_mode & stat.S_IWRITE != 0
        user = os.geteuid()
        expected = (model.st_uid, model.st_gid) if user == 0 else (user, self._group)
        return (status.st_uid, status.st_gid) == expected


def _has_attributes(file: FileIO) -> bool:
    """Whether somebody gave it what no new file has: rights by a list (acl(5)), or notes (xattr(7))."""
    if sys.platform != "linux":
        return False
    try:
        names = os.listxattr(file.fileno())
    except OSError:  # the file system knows of none
        return False
    # These the system itself gives, by its policy, and to new files, too.
    return not all(name.startswith("security.") for name in names)
