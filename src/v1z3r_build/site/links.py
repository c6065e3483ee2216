"""Entries of folders that lead elsewhere: who goes through a tree must know them, or comes to what is not in it."""

from __future__ import annotations

import stat
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import os


def is_link(entry: os.DirEntry[str]) -> bool:
    """Whether an entry leads elsewhere: a symbolic link, or a junction of Windows, which passes for a folder there."""
    if sys.platform == "win32":
        # What `is_junction` tells from Python 3.12 on.
        tag = entry.stat(follow_symlinks=False).st_reparse_tag
        return entry.is_symlink() or tag == stat.IO_REPARSE_TAG_MOUNT_POINT
    return entry.is_symlink()
