"""What does the work, in which versions: a result holds only for those that it was made with."""

from __future__ import annotations

import functools
import hashlib
import re
import zlib
from pathlib import Path

import v1z3r_build

_DISTRIBUTION = "v1z3r-build"
# They show, find and guard; no result depends on them.
_BESIDE = frozenset({"click", "dask", "distributed", "filelock", "fsspec", "platformdirs", "rich"})


@functools.cache
def engines() -> str:
    """This package, its source to the letter, and all installed packages that it may call, one a line.

    Not Python's own version: results don't depend on it, and a cache outlives an update. The source, since one version
    number stands for many states of a checkout.
    """
    from importlib import metadata  # slow to import

    names: set[str] = set()
    for requirement in metadata.requires(_DISTRIBUTION) or ():
        names |= {found.lower() for found in re.findall(r"^[A-Za-z0-9._-]+", requirement)}
    lines = [f"{_DISTRIBUTION} {v1z3r_build.__version__} {_source()}", f"zlib {zlib.ZLIB_RUNTIME_VERSION}"]
    for name in sorted(names - _BESIDE):
        try:
            lines.append(f"{name} {metadata.version(name)}")
        except metadata.PackageNotFoundError:
            lines.append(f"{name} -")
    return "\n".join(lines)


def _source() -> str:
    root = Path(v1z3r_build.__file__).parent
    digest = hashlib.sha256()
    for path in sorted(root.rglob("*")):
        if path.suffix != ".pyc" and path.is_file():
            for part in (path.relative_to(root).as_posix().encode(), path.read_bytes()):
                digest.update(len(part).to_bytes(8, "big") + part)
    return digest.hexdigest()
