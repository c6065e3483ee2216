"""Seven ratios that say how fast a run is, each measured against a limit or a peer in the same run: `make bench`.

    python benchmarks/ratios.py [--smallest] [--sizes N,N,N] [--rounds N] [--cpu] [--install-peers]

1. A cold run ÷ what its heavy work alone takes in one process, by the cores: how much all else costs, which is to
   start processes, to read and write, to find references and to give names. Heavy work is what the pool is given, the
   pure functions that encode, compress, parse and minify. Also ÷ the codecs among them alone: sidecars and images.
2. A run with nothing changed ÷ reading and hashing the site once, and ÷ the cold run.
3. A run after one page was changed ÷ the cold run.
4. A cold run ÷ the peers' chain (jampack, then gzipper with brotli 11 and gzip 9) on the same site. Both by their
   defaults, so both do images: jampack once, to WebP of one quality, where a page has an <img>; we in AVIF and WebP,
   searching for the smallest that looks the same, and we split vendors out. Also what both can do: without images
   and splitting here, `--onlycomp` without images there.
5. The bytes that a browser may take for a page, summed over all pages, ÷ the same after the peers' chain; each as in 4
   by its defaults.
6. Time and memory of growing sites, with fast codecs (brotli 1, gzip 1), so that what is ours is seen: seconds a file
   at the largest size ÷ at the smallest, and memory of all processes at the largest ÷ at the one before.
7. A cold run on two Dask workers of one core each ÷ on two local processes: an export of some seconds, of which to
   connect and to load Dask is a good part, and a generated site.

1, 4, 5 are of real exports (build/fixtures), unless --smallest asks for a generated site of 60 files alone. Of several
rounds the smallest ratio counts: other work on the machine only ever adds.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import shutil
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import peers_chain
from generated_site import generate
from machines import machines
from measuring import CORES, Measured, measured
from optimize import FIXTURES, compile_package, heavy_calls, work

from v1z3r_build.manifest import MANIFEST_NAME, Manifest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    Count = Callable[[Measured], float]

_COMMAND = Path(sys.executable).with_name("v1z3r-build")
_SMALLEST = 60  # files
_EXPORTS = ("next14", "vite7")
_FAST = "[compress]\nbrotli_quality = 1\ngzip_level = 1\n"


def by_the_clock(one: Measured) -> float:
    """What a user waits for."""
    return one.seconds


def by_cpu(one: Measured) -> float:
    """What tells something on a machine that is busy with other work."""
    return one.cpu


class Site(NamedTuple):
    """A folder that is not to be changed, and where it is served."""

    folder: Path
    base: str = "/"


def optimized(site: Site, output: Path, *options: str) -> Measured:
    """The command, as a user starts it."""
    return measured([_COMMAND, "optimize", site.folder, "-o", output, "--base", site.base, "-q", *options])


def cold(site: Site, place: Path, *options: str) -> Measured:
    """A run that remembers nothing, into a new folder."""
    shutil.rmtree(place / "out", ignore_errors=True)
    return optimized(site, place / "out", "--no-cache", *options)


def read_and_hashed(folder: Path) -> Measured:
    """To read every file once and hash it."""
    start, before = time.perf_counter(), time.process_time()
    for above, _, names in os.walk(folder):
        for name in names:
            with open(os.path.join(above, name), "rb", buffering=0) as file:  # noqa: PTH118, PTH123
                hashlib.sha256(file.read()).digest()
    return Measured(time.perf_counter() - start, time.process_time() - before, 0)


class Beyond(NamedTuple):
    """Ratio 1."""

    work: float
    codec: float


def against_work(site: Site, place: Path, count: Count) -> Beyond:
    """A cold run, and its calls in this process."""
    with tempfile.TemporaryDirectory() as spool:
        calls, _ = heavy_calls(site.folder, site.base, Path(spool))
        alone = work(calls)
    seconds = count(cold(site, place)) * (CORES if count is by_the_clock else 1)
    return Beyond(seconds / alone.all, seconds / alone.codec)


class Again(NamedTuple):
    """Ratios 2 and 3."""

    to_reading: float
    to_cold: float
    changed: float


def again(site: Site, place: Path, count: Count) -> Again:
    """A cold run that fills a cache, one with nothing changed, and one after a page was changed."""
    copy = Site(place / "copy", site.base)
    shutil.rmtree(copy.folder, ignore_errors=True)
    shutil.copytree(site.folder, copy.folder)
    time.sleep(0.1)  # what is younger than the clock's tick is not trusted to be as it was
    options = (f"--cache-dir={place / 'cache'}",)
    for folder in ("cache", "out"):
        shutil.rmtree(place / folder, ignore_errors=True)
    first = count(optimized(copy, place / "out", *options))
    second = min(count(optimized(copy, place / "out", *options)) for _ in range(3))
    floor = min(count(read_and_hashed(copy.folder)) for _ in range(3))
    page = sorted(copy.folder.rglob("*.html"))[-1]
    page.write_bytes(page.read_bytes().replace(b"</body>", b"<p>changed</p></body>"))
    third = count(optimized(copy, place / "out", *options))
    return Again(second / floor, second / first, third / first)


class Peers(NamedTuple):
    """Ratios 4 and 5. common: the time of what both can do."""

    time: float
    common: float
    bytes: float


def against_peers(site: Site, place: Path, count: Count) -> Peers:
    """Ours and theirs on the same site."""
    copy = place / "theirs"

    def theirs_take(*ways: str) -> float:
        shutil.rmtree(copy, ignore_errors=True)
        shutil.copytree(site.folder, copy)
        return sum(map(count, peers_chain.run(copy, *ways)))

    common = count(cold(site, place, "--skip", "split", "--skip", "images")) / theirs_take(*peers_chain.MINIFY)
    time = count(cold(site, place)) / theirs_take()
    manifest = Manifest.load(place / "out" / MANIFEST_NAME)
    theirs = peers_chain.read(copy, site.base)
    routes = manifest.routes.keys() & theirs.routes.keys()
    ours, others = (sum(peers_chain.transferred(made, route) for route in routes) for made in (manifest, theirs))
    return Peers(time, common, ours / others)


def growth(sizes: list[int], place: Path) -> Iterator[tuple[int, Measured]]:
    """Runs on generated sites, with fast codecs."""
    (place / "fast.toml").write_text(_FAST)
    for size in sizes:
        site = Site(place / f"site-{size}")
        generate(site.folder, size)
        yield size, optimized(site, place / "grown", "--no-cache", "--config", str(place / "fast.toml"))
        shutil.rmtree(place / "grown")


def against_pool(site: Site, place: Path) -> float:
    """Ratio 7."""
    with machines(2) as address:
        there = cold(site, place, "--cluster", address)
    # By the clock, for the workers' CPU is not the command's.
    return there.seconds / cold(site, place, "--jobs", "2").seconds


def tell(number: int, what: str, figure: str, goal: str) -> None:
    """One line of the table, as Markdown has it."""
    print(f"| {number} | {what} | {figure} | {goal} |", flush=True)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description="Measure the seven ratios.")
    parser.add_argument("--smallest", action="store_true", help="one generated site of 60 files, one round")
    parser.add_argument("--sizes", default="1000,10000", help="files of the generated sites")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--install-peers", action="store_true")
    parser.add_argument("--cpu", action="store_true", help="count seconds of CPU, but for 7: on a machine that is busy")
    asked = parser.parse_args()
    count = by_cpu if asked.cpu else by_the_clock
    if asked.install_peers and not peers_chain.are_installed():
        peers_chain.install()
    sizes = [20, 40, _SMALLEST] if asked.smallest else [int(size) for size in asked.sizes.split(",")]
    rounds = range(1 if asked.smallest else asked.rounds)
    compile_package()
    with tempfile.TemporaryDirectory(dir=os.environ.get("TMPDIR")) as folder:
        place = Path(folder)
        machine = f"{CORES} cores, Python {sys.version.split()[0]}"
        print(f"{machine}; {len(rounds)} round(s), {count.__name__}, sites of {sizes} files\n")
        print("| | what | measured | goal |\n|---|---|---|---|", flush=True)
        grown = dict(growth(sizes, place))
        largest = Site(place / f"site-{sizes[-1]}")
        exports = {"generated": largest} if asked.smallest else {name: Site(FIXTURES / name) for name in _EXPORTS}

        def told(values: dict[str, float]) -> str:
            return ", ".join(f"{name} {value:.2f}" for name, value in values.items())

        beyond = {name: min(against_work(site, place, count) for _ in rounds) for name, site in exports.items()}
        tell(1, "cold run ÷ its heavy work by the cores; ÷ the codecs of it",
             told({name: one.work for name, one in beyond.items()}) + "; "
             + told({name: one.codec for name, one in beyond.items()}), "≤ 1.15")  # fmt: skip
        warm = {name: again(site, place, count) for name, site in exports.items()}
        warm |= {f"{size} files": again(Site(place / f"site-{size}"), place, count) for size in sizes[:2]}
        tell(2, "nothing changed ÷ reading and hashing the site; ÷ the cold run",
             told({name: one.to_reading for name, one in warm.items()}) + "; "
             + told({name: one.to_cold for name, one in warm.items()}), "≤ 3 from 10,000 files; ≤ 0.1")  # fmt: skip
        tell(3, "one page changed ÷ the cold run", told({name: one.changed for name, one in warm.items()}), "≤ 0.15")
        if peers_chain.are_installed():
            peers = {name: [against_peers(site, place, count) for _ in rounds] for name, site in exports.items()}
            times = {name: min(one.time for one in found) for name, found in peers.items()}
            common = {name: min(one.common for one in found) for name, found in peers.items()}
            tell(4, "cold run ÷ jampack + gzipper; what both can do", f"{told(times)}; {told(common)}", "≤ 0.5")
            tell(
                5,
                "bytes of all pages ÷ theirs",
                told({name: found[0].bytes for name, found in peers.items()}),
                "≤ 0.95",
            )
        else:
            for number, what in ((4, "cold run ÷ jampack + gzipper"), (5, "bytes of all pages ÷ theirs")):
                tell(number, what, "not installed: --install-peers", "")
        per_file = {size: count(found) / size for size, found in grown.items()}
        seconds = per_file[sizes[-1]] / per_file[sizes[0]]
        memory = grown[sizes[-1]].memory / max(1, grown[sizes[-2]].memory)
        details = ", ".join(f"{n}: {count(one):.1f} s, {one.memory / 1e6:.0f} MB" for n, one in grown.items())
        tell(6, "seconds a file, largest ÷ smallest site; memory, largest ÷ next",
             f"{seconds:.2f}; {memory:.2f} ({details})", "≤ 1.2; ≤ 1.5")  # fmt: skip
        several = dict(list(exports.items())[:1])
        if not asked.smallest:
            several[f"{sizes[0]} files"] = Site(place / f"site-{sizes[0]}")
        clustered = {name: min(against_pool(site, place) for _ in rounds) for name, site in several.items()}
        tell(7, "two Dask workers ÷ two local processes", told(clustered), "≤ 1.2")


if __name__ == "__main__":
    main()
