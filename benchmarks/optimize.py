"""How much a run costs beyond its heavy work, which nothing can spare: `make bench-passes`.

    python benchmarks/optimize.py [NAME …] [--rounds N]

For every export in build/fixtures, a cold run of the command is timed by the clock, and the calls of that run (to
encode, compress, parse and minify) are repeated in one process and timed in seconds of CPU. With all cores at nothing
else, the run would take that time divided by the cores: the ratio to it is what the rest costs. Goal: at most 1.15. The
machine may be busy with other work: both are timed in turn, several times, and the smallest ratio counts most. `codec`
are the seconds of sidecars and pictures among them. `longest` is the CPU time of the longest single call: no run can be
shorter than that, however many cores there are.
"""

from __future__ import annotations

import argparse
import compileall
import gc
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from v1z3r_build import pipeline
from v1z3r_build.codecs.pictures.recoding import recode
from v1z3r_build.passes.compress import encode_file
from v1z3r_build.settings import Settings, SiteSettings
from v1z3r_build.site import folder
from v1z3r_build.workers.pool import Call, Outcome, Pool
from v1z3r_build.workers.progress import SilentProgress

if TYPE_CHECKING:
    from collections.abc import Generator, Iterable

FIXTURES = Path(__file__).resolve().parents[1] / "build" / "fixtures"
GOAL = 1.15
CORES = len(os.sched_getaffinity(0)) if sys.platform == "linux" else os.cpu_count() or 1


class _Recorder(Pool):
    """A pool that remembers its calls."""

    def __init__(self) -> None:
        super().__init__()
        self.calls: list[Call] = []

    def run(self, calls: Iterable[Call]) -> Generator[Outcome]:
        asked = list(calls)
        self.calls += asked
        return super().run(asked)


class Work(NamedTuple):
    """Seconds of CPU of calls. all: encode, compress, parse, minify. codec: those of sidecars and of pictures alone.
    longest: of a single call.
    """

    all: float
    codec: float
    longest: float


def wall_seconds(export: Path, base: str) -> float:
    """One cold run of the command, as a user starts it."""
    command = shutil.which("v1z3r-build", path=str(Path(sys.executable).parent))
    assert command
    with tempfile.TemporaryDirectory() as place:
        start = time.perf_counter()
        subprocess.run(
            [command, "optimize", export, "-o", f"{place}/out", "--base", base, "-q", "--no-cache"], check=True
        )
        return time.perf_counter() - start


def heavy_calls(export: Path, base: str, spool: Path) -> tuple[list[Call], dict[str, float]]:
    """The calls of a run that go to the pool, and the seconds that each pass takes."""
    settings = Settings(site=SiteSettings(base=base))
    seconds: dict[str, float] = {}
    start = time.perf_counter()
    site = folder.read(export, spool)
    seconds["read"] = time.perf_counter() - start
    with _Recorder() as pool:
        for name, run in pipeline.PASSES.items():
            start = time.perf_counter()
            site = run(site, settings, pool, SilentProgress())
            seconds[name] = time.perf_counter() - start
    return pool.calls, seconds


def work(calls: Iterable[Call]) -> Work:
    """What these calls take in this process, without any trip to another; reading their files is not counted.

    As in the children of the pool, garbage is collected between calls alone, which costs nothing here.
    """
    every: list[float] = []
    codec = 0.0
    for call in calls:
        loaded: list[Any] = [one.read_bytes() if isinstance(one, Path) else one for one in call.given()]
        gc.collect()
        gc.disable()
        start = time.process_time()
        call.function(*loaded)
        every.append(time.process_time() - start)
        gc.enable()
        codec += every[-1] if call.function in (encode_file, recode) else 0
    return Work(sum(every), codec, max(every))


def compile_package() -> None:
    """Make the package as it is when it is installed: no run compiles it again, whatever the environment says."""
    compileall.compile_dir(str(Path(pipeline.__file__).parent), quiet=2)


def main() -> None:
    """Print a line for each export."""
    parser = argparse.ArgumentParser(description="Time cold runs on the fixtures.")
    parser.add_argument("names", nargs="*", metavar="NAME")
    parser.add_argument("--rounds", type=int, default=5)
    asked = parser.parse_args()
    compile_package()
    exports = [
        one for one in sorted(FIXTURES.iterdir()) if one.is_dir() and not one.name.endswith(("-edited", "-upgraded"))
    ]
    print(f"{CORES} cores, {asked.rounds} rounds; ratio = wall / (CPU of its calls / cores), goal {GOAL}")
    columns = f"{'wall s':>8}{'calls s':>9}{'codec':>8}{'longest':>9}{'ratio min':>11}{'median':>8}"
    print(f"{'export':<16}{columns}   passes, s")
    for export in exports:
        if asked.names and export.name not in asked.names:
            continue
        base = "/sub/" if export.name.endswith("-sub") else "/"
        with tempfile.TemporaryDirectory() as spool:
            calls, passes = heavy_calls(export, base, Path(spool))
            rounds = [(wall_seconds(export, base), work(calls)) for _ in range(asked.rounds)]
        ratios = [wall / (cpu.all / CORES) for wall, cpu in rounds]
        wall, cpu = min(wall for wall, _ in rounds), min(cpu for _, cpu in rounds)
        figures = f"{wall:>8.2f}{cpu.all:>9.2f}{cpu.codec:>8.2f}{cpu.longest:>9.2f}"
        figures += f"{min(ratios):>11.2f}{statistics.median(ratios):>8.2f}"
        shares = ", ".join(f"{name} {seconds:.2f}" for name, seconds in passes.items())
        print(f"{export.name:<16}{figures}   {shares}", flush=True)


if __name__ == "__main__":
    main()
