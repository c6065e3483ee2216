"""sharp, the image library of Node's build tools, in the version of benchmarks/sharp."""

from __future__ import annotations

import json
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, Self

if TYPE_CHECKING:
    from collections.abc import Mapping

_SOURCES = Path(__file__).resolve().parent / "sharp"
_FILES = ("package.json", "package-lock.json", "encode.js")


class Encoded(NamedTuple):
    """seconds: of CPU, of all threads."""

    data: bytes
    seconds: float


class Sharp:
    """A process of Node that encodes one image at a time, each with as many threads as sharp takes by itself."""

    def __init__(self, folder: Path) -> None:
        """folder: where it is installed. Raises LookupError where there is no Node or no npm."""
        for program in ("node", "npm"):
            if shutil.which(program) is None:
                raise LookupError(f"{program} is not on PATH")
        _install(folder)
        # Its own: there may be two of these.
        self._work = tempfile.TemporaryDirectory(prefix="sharp-")
        self._node = subprocess.Popen(
            ["node", "encode.js"], cwd=folder, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._node.stdin:
            self._node.stdin.close()
        self._node.wait()
        self._work.cleanup()

    def encode(self, name: str, data: bytes, format: str, options: Mapping[str, Any]) -> Encoded:
        """An image in "avif" or "webp". name: its file's. Raises ValueError with sharp's words if it cannot."""
        assert self._node.stdin is not None
        assert self._node.stdout is not None
        file, output = Path(self._work.name, name), Path(self._work.name, f"output.{format}")
        file.write_bytes(data)
        request = {"file": str(file), "format": format, "options": dict(options), "output": str(output)}
        self._node.stdin.write(json.dumps(request) + "\n")
        self._node.stdin.flush()
        answer = json.loads(self._node.stdout.readline())
        file.unlink()
        if "error" in answer:
            raise ValueError(answer["error"])
        return Encoded(output.read_bytes(), answer["seconds"])


def _install(folder: Path) -> None:
    stamp = folder / "installed.json"
    lock = (_SOURCES / "package-lock.json").read_text(encoding="utf-8")
    folder.mkdir(parents=True, exist_ok=True)
    for name in _FILES:
        shutil.copyfile(_SOURCES / name, folder / name)
    if stamp.is_file() and stamp.read_text(encoding="utf-8") == lock:
        return
    done = subprocess.run(
        ["npm", "ci", "--no-audit", "--no-fund", "--loglevel=error"],
        cwd=folder, capture_output=True, text=True, check=False,
    )  # fmt: skip
    if done.returncode:
        raise LookupError(f"npm ci failed: {done.stderr.strip()[-300:]}")
    stamp.write_text(lock, encoding="utf-8")
