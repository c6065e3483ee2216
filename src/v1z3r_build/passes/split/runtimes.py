"""webpack's runtimes, which learn that an old chunk needs its vendors' chunks."""

from __future__ import annotations

import posixpath
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from v1z3r_build.bundlers.webpack import syntax
from v1z3r_build.bundlers.webpack.registration import register
from v1z3r_build.bundlers.webpack.runtime import read_runtime
from v1z3r_build.bundlers.webpack.syntax import Refusal

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from v1z3r_build.bundlers.webpack.runtime import Runtime
    from v1z3r_build.formats.derivation import Derived

# Where the script's own place stands for the public path, webpack goes up from it to the root of its output.
_UP = re.compile(rb"\+\s*[\"']((?:\.\./)+)[\"']\s*\Z")


@dataclass(frozen=True, slots=True)
class Registration:
    """What becomes of a runtime. data: its new bytes; reason: why it has none. Neither: the script is no runtime."""

    data: Derived | None = field(default=None, repr=False)
    reason: str = ""


def register_chunks(
    queue: str, url: str, needs: Mapping[str, Sequence[str]], files: Mapping[str, str], data: bytes
) -> Registration:
    """Register the vendors' chunks with the runtime that a script may be. Pure; for guarded children.

    queue: the name under which the chunks come. url: of the script on the host. needs: for ids of old chunks those of
    their vendors'. files: the URLs on the host of the vendors' chunks, by their ids.
    """
    runtime = read_runtime(data) if _is_read(queue.encode(), data) else None
    if runtime is None:
        return Registration()
    if isinstance(runtime, Refusal):
        return Registration(reason=f"its runtime is not understood: {runtime.reason}")
    if runtime.queue_name != queue:
        return Registration()
    root = _root(runtime, url)
    paths = {chunk: file.removeprefix(root) for chunk, file in files.items()}
    if not root or any(not file.startswith(root) for file in files.values()):
        return Registration(reason="it is not known from where its runtime loads")
    edits = register(runtime, needs, paths)
    if isinstance(edits, Refusal):
        return Registration(reason=f"its runtime cannot be told: {edits.reason}")
    return Registration(syntax.apply(data, edits))


def _is_read(queue: bytes, data: bytes) -> bool:
    """Whether a script speaks of a queue in another way than `(self.G=self.G||[]).push(…)`: most only hand chunks over.

    Scripts need not be parsed to know that they are no runtimes.
    """
    member = rb"[\w$]+\s*(?:\.\s*|\[\s*[\"'])%s(?:[\"']\s*\])?\s*" % re.escape(queue)
    handed = re.findall(rb"\(\s*%s=\s*%s\|\|\s*\[\s*\]\s*\)\s*\.\s*push\s*\(" % (member, member), data)
    return data.count(queue) != 2 * len(handed)


def _root(runtime: Runtime, url: str) -> str:
    """The URL below which the runtime's names of chunks are, '' if that is not known."""
    path = runtime.public_path
    if path is not None:
        return path if path.startswith("/") and path.endswith("/") and not path.startswith("//") else ""
    expression = runtime.source[slice(*runtime.members["p"])] if "p" in runtime.members else b""
    up = _UP.search(expression)
    # `X.p` is computed from the script's address (AutoPublicPathRuntimeModule); anything else is the app's own choice.
    if b"currentScript" not in runtime.source and b"getElementsByTagName" not in runtime.source:
        return ""
    folder = posixpath.normpath(posixpath.join(posixpath.dirname(url), up[1].decode() if up else "."))
    return folder if folder.endswith("/") else f"{folder}/"
