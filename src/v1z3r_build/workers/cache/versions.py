"""What does the work, in which versions: a result holds only for those that it was made with."""

from __future__ import annotations

import functools
import hashlib
import os
import re
import zlib

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
    root = os.path.dirname(v1z3r_build.__file__)  # noqa: PTH120 - paths of all files would take most of the time
    digest = hashlib.sha256()
    for above, folders, names in os.walk(root):
        folders[:] = sorted(one for one in folders if one != "__pycache__")
        for name in sorted(names):
            if not name.endswith(".pyc"):
                place = f"{above}{os.sep}{name}"
                with open(place, "rb", buffering=0) as file:  # noqa: PTH123
                    data = file.read()
                for part in (place.removeprefix(root).replace(os.sep, "/").encode(), data):
                    digest.update(len(part).to_bytes(8, "big") + part)
    return digest.hexdigest()
