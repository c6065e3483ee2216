"""Exchanging two folders in one step, where the system can, and making what was written durable."""

from __future__ import annotations

import ctypes
import errno
import os
import platform
import sys
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path

_AT_FDCWD = -100
_RENAME_EXCHANGE = 2  # linux/fs.h
_RENAME_SWAP = 2  # macOS, sys/stdio.h
# The C libraries of older systems have no renameat2(2); the kernel has it since 3.15.
_RENAMEAT2 = {"x86_64": 316, "aarch64": 276, "riscv64": 276}
# What systems answer that do not know the call (EPERM: older container sandboxes) or whose file system lacks it.
_UNSUPPORTED = frozenset({errno.ENOSYS, errno.EINVAL, errno.EPERM, errno.ENOTSUP, errno.EOPNOTSUPP})


def exchange(one: Path, other: Path) -> bool:
    """Let two folders of one file system swap names in one step; False if the system cannot, and nothing was done.

    Raises OSError where it could but must not: a mount point, another file system, no permission.
    """
    result = _call(os.fsencode(one), os.fsencode(other))
    if result == 0:
        return True
    code = ctypes.get_errno() if result is not None else errno.ENOSYS
    if code in _UNSUPPORTED:
        return False
    raise OSError(code, os.strerror(code), str(one), None, str(other))


def _call(one: bytes, other: bytes) -> int | None:
    """The result of the system's call, None where there is none."""
    if sys.platform not in ("linux", "darwin"):
        return None
    libc = ctypes.CDLL(None, use_errno=True)
    if sys.platform == "darwin":
        swap: Any = getattr(libc, "renamex_np", None)
        return None if swap is None else int(swap(one, other, ctypes.c_uint(_RENAME_SWAP)))
    rename: Any = getattr(libc, "renameat2", None)
    if rename is not None:
        return int(rename(_AT_FDCWD, one, _AT_FDCWD, other, ctypes.c_uint(_RENAME_EXCHANGE)))
    number = _RENAMEAT2.get(platform.machine())
    if number is None:
        return None
    return int(libc.syscall(ctypes.c_long(number), _AT_FDCWD, one, _AT_FDCWD, other, ctypes.c_uint(_RENAME_EXCHANGE)))


def settle(folder: Path) -> None:
    """Make all that was written to the folder's file system durable: one call instead of one a file.

    Without it, a power cut could leave the new names with empty files behind them, the old files being gone.
    Raises OSError if the system failed to write.
    """
    if sys.platform == "linux":
        handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            libc = ctypes.CDLL(None, use_errno=True)
            if libc.syncfs(handle) != 0:
                code = ctypes.get_errno()
                raise OSError(code, os.strerror(code), str(folder))
        finally:
            os.close(handle)
    elif hasattr(os, "sync"):
        os.sync()
