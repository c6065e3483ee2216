"""The app's own minifiers, found in its node_modules and run as processes with limits on time and memory."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from typing import TYPE_CHECKING, Literal, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

EngineName = Literal["terser", "swc", "esbuild", "tdewolff"]

UNKNOWN = "unknown"  # a version
_MEMORY = 4 * 1024**3  # bytes: esbuild takes 3 GB for some legal inputs; more is not worth a file
_HEAP = 2048  # MiB, for node

# Nothing `unsafe_*`, nothing that rests on getters being pure, no name of a function changed, and top levels
# only of modules, which no other script can see into.
_GOAL = """
const module = process.argv[2] === "module";
const mangle = process.argv[3] === "mangle";
const names = { keep_classnames: true, keep_fnames: true };
let text = "";
"""
_TERSER = """
const terser = require(process.argv[1]);
process.stdin.setEncoding("utf8").on("data", (part) => (text += part)).on("end", async () => {
  const { code } = await terser.minify(text, {
    module,
    toplevel: module,
    ...names,
    compress: { passes: 2, keep_fargs: true, pure_getters: false, unsafe: false },
    mangle: mangle && names,
    format: { comments: /^!|@license|@preserve|@copyright|@lic|@cc_on/i },
  });
  process.stdout.write(code);
});
"""
_SWC = """
const swc = require(process.argv[1]);
process.stdin.setEncoding("utf8").on("data", (part) => (text += part)).on("end", async () => {
  const options = {
    module,
    toplevel: module,
    ...names,
    compress: { ...names, keep_fargs: true, pure_getters: false, unsafe: false },
    mangle: mangle && { ...names, toplevel: module },
    format: { comments: "some" },
  };
  // Next's binding takes and gives raw bytes, @swc/core wraps it.
  const minify = process.argv[1].endsWith(".node")
    ? swc.minify(Buffer.from(text), Buffer.from(JSON.stringify(options)), false)
    : swc.minify(text, options);
  process.stdout.write((await minify).code);
});
"""


class Engine(NamedTuple):
    """A minifier that stands ready: where its code lies and which version it is."""

    name: EngineName
    place: str
    version: str


class ScriptOptions(NamedTuple):
    """engines: extra minifiers. seconds: time limit of one engine for one script."""

    engines: tuple[Engine, ...] = ()
    seconds: float = 30.0


class EngineError(Exception):
    """An engine gave no result; the message says why."""


def locate(name: EngineName, node_modules: Path) -> Engine | None:
    """The engine in a node_modules folder (tdewolff: an installed Python package); None if missing."""
    return _LOCATORS[name](node_modules)


def run(engine: Engine, text: str, *, module: bool, mangle: bool, seconds: float) -> str:
    """The script as the engine minifies it.

    module: whether its top level is its own. mangle: whether local names may change; tdewolff never does it,
    for it changes `Function.length`. seconds: the time limit, 0 for none.
    Raises EngineError if the engine refuses, fails or passes its limits.
    """
    goal = ["module" if module else "script", "mangle" if mangle else "keep"]
    if engine.name == "tdewolff":
        return _tdewolff(text)
    if engine.name == "esbuild":
        # No --format, which renames a module's top level; no --keep-names, whose helper would be a global.
        command = [engine.place, "--minify-whitespace", "--minify-syntax", "--legal-comments=inline"]
        command += ["--log-level=error", "--loader=js", "--charset=utf8"]
        command += ["--minify-identifiers"] if mangle else []
    else:
        node = shutil.which("node")
        if node is None:
            raise EngineError("node is not on the PATH")
        code = _GOAL + (_TERSER if engine.name == "terser" else _SWC)
        command = [node, f"--max-old-space-size={_HEAP}", "-e", code, engine.place, *goal]
    return _process(command, text, seconds, limit_memory=engine.name == "esbuild")


def _process(command: list[str], text: str, seconds: float, *, limit_memory: bool) -> str:
    # Limits by resource exist on POSIX only; node limits itself, since V8 reserves far more than it uses.
    preparation = _limit_memory if limit_memory and sys.platform.startswith("linux") else None
    try:
        done = subprocess.run(
            command,
            input=text.encode(),
            capture_output=True,
            timeout=seconds or None,
            preexec_fn=preparation,
            check=False,
        )
    except subprocess.TimeoutExpired as late:
        raise EngineError(f"it took more than {seconds:g} s") from late
    except OSError as broken:
        raise EngineError(str(broken)) from broken
    if done.returncode:
        lines = [line.strip() for line in done.stderr.decode("utf-8", "replace").splitlines() if line.strip()]
        telling = next((line for line in lines if "rror" in line), lines[-1] if lines else "")
        raise EngineError(telling[:300] or f"it ended with status {done.returncode}")
    return done.stdout.decode()


def _limit_memory() -> None:
    import resource

    resource.setrlimit(resource.RLIMIT_DATA, (_MEMORY, _MEMORY))


def _tdewolff(text: str) -> str:
    try:
        import minify
    except ImportError as missing:
        raise EngineError("the package tdewolff-minify is not installed") from missing
    if text.startswith("#!"):
        raise EngineError("a hashbang line would swallow the program")
    # The configuration is global to the process, and equal in every call.
    minify.config({"js-keep-var-names": True})
    try:
        return str(minify.string("application/javascript", text))
    except minify.MinifyError as refused:
        raise EngineError(str(refused).splitlines()[0][:300]) from refused


def _version(package: Path) -> str:
    try:
        return str(json.loads(package.joinpath("package.json").read_text("utf-8")).get("version", UNKNOWN))
    except (OSError, ValueError):
        return UNKNOWN


def _first(name: EngineName, node_modules: Path, folders: list[str]) -> Engine | None:
    for folder in folders:
        package = node_modules / folder
        if package.is_dir():
            return Engine(name, str(package.resolve()), _version(package))
    return None


def _locate_terser(node_modules: Path) -> Engine | None:
    found = _first("terser", node_modules, ["terser"])
    if found is None and (carried := _first("terser", node_modules, ["next/dist/compiled/terser"])):
        return Engine("terser", carried.place, f"next {_version(node_modules / 'next')}")
    return found


def _locate_swc(node_modules: Path) -> Engine | None:
    if found := _first("swc", node_modules, ["@swc/core"]):
        return found
    for binding in sorted(node_modules.glob("@next/swc-*/*.node")):
        return Engine("swc", str(binding.resolve()), _version(binding.parent))
    return None


def _locate_esbuild(node_modules: Path) -> Engine | None:
    import platform

    system = {"linux": "linux", "darwin": "darwin", "win32": "win32"}.get(sys.platform, sys.platform)
    machine = {"x86_64": "x64", "amd64": "x64", "aarch64": "arm64", "arm64": "arm64"}.get(
        platform.machine().lower(), platform.machine().lower()
    )
    package = node_modules / "@esbuild" / f"{system}-{machine}"
    binary = package / ("esbuild.exe" if system == "win32" else "bin/esbuild")
    return Engine("esbuild", str(binary.resolve()), _version(package)) if binary.is_file() else None


def _locate_tdewolff(node_modules: Path) -> Engine | None:
    from importlib import metadata

    del node_modules  # a Python package: nothing of the app's is looked at
    try:
        return Engine("tdewolff", "", metadata.version("tdewolff-minify"))
    except metadata.PackageNotFoundError:
        return None


_LOCATORS: dict[EngineName, Callable[[Path], Engine | None]] = {
    "terser": _locate_terser,
    "swc": _locate_swc,
    "esbuild": _locate_esbuild,
    "tdewolff": _locate_tdewolff,
}
ENGINE_NAMES: tuple[EngineName, ...] = tuple(_LOCATORS)
