"""What a folder holds, told by what the system says of its files and not by reading them."""

from __future__ import annotations

import hashlib
import os
import stat
from operator import attrgetter
from typing import TYPE_CHECKING, NamedTuple

from v1z3r_build.site.links import is_link

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


class Snapshot(NamedTuple):
    """A folder at a moment. digest: equal as long as nobody writes to it. plain: all in it is files and folders."""

    digest: bytes
    plain: bool


class Standing(NamedTuple):
    """A folder as it stands. digest: equal only as long as nobody touches it. changed: when anybody did so last."""

    digest: bytes
    changed: int


def snapshot(root: Path) -> Snapshot:
    """What a tree holds, by names, sizes, times and identities."""
    digest = hashlib.sha256()
    plain = True
    for path, status, leads_elsewhere in _walk(root):
        mode = status.st_mode
        is_folder = stat.S_ISDIR(mode)
        facts = (path, mode, status.st_ino, () if is_folder else (status.st_size, status.st_mtime_ns))
        digest.update(repr(facts).encode())
        # One that cannot be listed may still be gone through.
        is_plain = os.access(path, os.R_OK) if is_folder else stat.S_ISREG(mode)
        plain = plain and is_plain and not leads_elsewhere
    return Snapshot(digest.digest(), plain)


def standing(root: Path) -> Standing:
    """The same with the times that no program can set (st_ctime, which new links to a file change, too).

    A change within one tick of the system's clock after another leaves no trace: who remembers a standing must see to
    it that `changed`, in nanoseconds, is some time ago.
    """
    digest = hashlib.sha256(os.fsencode(root))
    changed = root.stat().st_ctime_ns if root.exists() else 0
    for path, status, _ in _walk(root):
        facts = (path, status.st_mode, status.st_size, status.st_mtime_ns, status.st_ctime_ns, status.st_ino)
        digest.update(repr(facts).encode())
        changed = max(changed, status.st_ctime_ns)
    return Standing(digest.digest(), changed)


def _walk(root: Path) -> Iterator[tuple[str, os.stat_result, bool]]:
    """Every file and folder below a root, none if that is no folder, and whether it is a link.

    Links are what they are, not what they lead to.
    """
    folders = [str(root)] if root.is_dir() else []
    while folders:
        folder = folders.pop()
        try:
            with os.scandir(folder) as entries:
                found = sorted(entries, key=attrgetter("name"))
        except PermissionError:
            continue  # reading the site ends the run over it, with all such folders named
        for entry in found:
            status = entry.stat(follow_symlinks=False)
            leads_elsewhere = is_link(entry)
            yield entry.path, status, leads_elsewhere
            if stat.S_ISDIR(status.st_mode) and not leads_elsewhere:
                folders.append(entry.path)
