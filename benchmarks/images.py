"""What images weigh in our variants, in fixed qualities, and as sharp makes them: `make bench-images`.

    python benchmarks/images.py [--few N] [--drawn] [--check] [--jobs N] [--kind KIND …] [--target SCORE]

At least 40 images of each class, a few tenths of a megapixel at most: photographs and what is cut out of them, from
Debian's packages (`image_packages.py`), screenshots by Chromium, icons and charts, textures and normal maps, animations
(GIF, APNG). Each is a file in the format that people have it in, and each method makes of it what it serves to a
browser that reads AVIF and WebP:

- `ours`: the smallest of our variants and of our original, in a quality searched for each image. `ours, WebP`: without
  AVIF. Both come of one call, whose CPU is told with `ours`.
- `Pillow`: quality 80 for all, as a script without a search does.
- `sharp`: its AVIF (effort 4, 4:4:4) and WebP (effort 4) with one quality for the whole class, as people set it: the
  lowest at which the worst image of the class reaches the target, found by halving. Its CPU is that of the encoding
  with this quality alone, not of the search, which is ours. Where even quality 100 does not reach the target for all,
  that is taken, and what is below is counted.

Textures must be exact: ours are asked for exact variants, the others for lossless ones. What a method cannot do (sharp
reads no APNG, and makes no AVIF animations) is served as it was, counted under `kept`, and not compared.

A line tells: bytes; their share of the source's; the worst score (SSIMULACRA 2, read back by Pillow); how many images
are below the target, or have other pixels where they must not; how many are larger than their source; seconds of CPU
of all processes.

The goals: ours are at most 0.9 of sharp's, AVIF to best and WebP to WebP; none is below the target; none is larger than
its source. --check ends with 1 if one is missed. --few takes so many of each class, --drawn only what is drawn here,
without network and browser, and without sharp where it is not installed yet.
"""

from __future__ import annotations

import argparse
import io
import sys
import time
from collections import defaultdict
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from image_gallery import Sample, gallery
from image_scores import Film, film, worst
from PIL import Image
from sharp_encoder import Encoded, Sharp

from v1z3r_build.codecs.pictures.recoding import recode
from v1z3r_build.codecs.pictures.wish import Wish

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

ROOT = Path(__file__).resolve().parents[1]
PLACE = ROOT / "build" / "bench-images"
IMAGES, TARGET, SHARE, FIXED = 40, 80.0, 0.9, 80
MAX_PIXELS = 40_000_000
EXACT = "texture"
FORMATS = ("avif", "webp")
# What is compared: ours, and sharp's for the same browsers.
PAIRS = (("ours", "sharp avif"), ("ours, WebP", "sharp webp"))
SUSPECTS, BELOW = 5, 12


@dataclass(frozen=True, slots=True)
class Made:
    """What a method made of one image. score: 100 for the same pixels. kept: whether it is the source, untouched."""

    size: int
    score: float
    seconds: float = 0.0
    kept: bool = False


@dataclass
class Row:
    """A method on a class. quality: what was asked for, for people."""

    method: str
    quality: str
    made: list[Made] = field(default_factory=list)

    @property
    def size(self) -> int:
        """The bytes of all images."""
        return sum(one.size for one in self.made)

    @property
    def worst(self) -> float:
        """The lowest score."""
        return min(one.score for one in self.made)


@dataclass(frozen=True, slots=True)
class Source:
    """A sample and how it is seen."""

    sample: Sample
    film: Film

    @property
    def size(self) -> int:
        """The bytes of its file."""
        return len(self.sample.data)

    def judged(self, data: bytes, seconds: float) -> Made:
        """What is to be said of a copy."""
        try:
            return Made(len(data), worst(self.film, film(data)), seconds)
        except ValueError:
            return Made(len(data), 0.0, seconds)  # another size, or it stands still: no copy at all


def ours(sample: Sample, target: float) -> tuple[Made, Made]:
    """Our answer to a browser that reads all, and to one that does not read AVIF."""
    start = time.process_time()
    made = recode(Wish(sample.kind == EXACT, FORMATS, target, MAX_PIXELS), sample.data)
    seconds = time.process_time() - start
    source = Source(sample, film(sample.data))
    original = made.original or sample.data
    answers = []
    for formats in (FORMATS, ("webp",)):
        files = [one.data for one in made.variants if one.format in formats]
        best = min([*files, original], key=len)
        answers.append(source.judged(best, seconds if formats == FORMATS else 0.0))
    return answers[0], answers[1]


def fixed(sample: Sample, format: str) -> Made:
    """Pillow's answer with one quality for everything, frames and times included."""
    source = Source(sample, film(sample.data))
    start = time.process_time()
    with Image.open(io.BytesIO(sample.data)) as image:
        file = io.BytesIO()
        options: dict[str, Any] = {"quality": FIXED}
        if sample.kind == EXACT:
            options = {"lossless": True} if format == "webp" else {"quality": 100, "subsampling": "4:4:4"}
        moving = source.film.length > 0
        if moving:
            ends = [*source.film.starts[1:], source.film.length]
            options["duration"] = [round(end - begin) for begin, end in zip(source.film.starts, ends, strict=True)]
        frames = source.film.frames
        frames[0].save(
            file, format.upper(), save_all=moving, append_images=frames[1:],
            icc_profile=image.info.get("icc_profile") or b"", **options,
        )  # fmt: skip
    return source.judged(file.getvalue(), time.process_time() - start)


def by_sharp(sharp: Sharp, sources: Sequence[Source], format: str, target: float) -> Row:
    """sharp's answers in the lowest quality for all that is good enough for each."""
    encodable = [one for one in sources if sharp_can(one, format)]
    encode = partial(_encoded, sharp, format=format)
    if not encodable:
        return _with_kept(Row(f"sharp {format}", "-"), sources, {})
    if encodable[0].sample.kind == EXACT:
        made = {one.sample.name: encode(one, options={"lossless": True}) for one in encodable}
        return _with_kept(Row(f"sharp {format}", "lossless"), sources, made)
    quality, made = lowest(encodable, lambda one, quality: encode(one, options={"quality": quality}), target)
    return _with_kept(Row(f"sharp {format}", str(quality)), sources, made)


def lowest(
    sources: Sequence[Source], encode: Callable[[Source, int], Made], target: float
) -> tuple[int, dict[str, Made]]:
    """The lowest quality of 1 to 100 at which each image reaches the target, and all images in it; else 100."""
    tried: dict[tuple[str, int], Made] = {}

    def attempt(one: Source, quality: int) -> Made:
        key = one.sample.name, quality
        if key not in tried:
            tried[key] = encode(one, quality)
        return tried[key]

    # The quality hangs on a few images: it is searched with those, and then tried with all.
    suspects = sorted(sources, key=lambda one: attempt(one, FIXED).score)[:SUSPECTS]
    low, high = 0, 100
    while True:
        while high - low > 1:
            middle = (low + high) // 2
            reached = all(attempt(one, middle).score >= target for one in suspects)
            low, high = (low, middle) if reached else (middle, high)
        failing = [one for one in sources if attempt(one, high).score < target]
        if not failing or high == 100:
            break
        suspects += failing
        low, high = high, 100
    # Scores do not rise with every step: one of those just below may do, after all.
    for quality in range(high - 1, max(0, high - BELOW), -1):
        if all(attempt(one, quality).score >= target for one in (*suspects, *sources)):
            high = quality
    return high, {one.sample.name: attempt(one, high) for one in sources}


def sharp_can(source: Source, format: str) -> bool:
    """Whether sharp can say an image in a format at all: it reads APNG as a still, and writes AVIF as one."""
    return not source.film.length or (format == "webp" and not source.sample.name.endswith(".png"))


def _encoded(sharp: Sharp, source: Source, format: str, options: dict[str, Any]) -> Made:
    encoded: Encoded = sharp.encode(source.sample.name, source.sample.data, format, options)
    return source.judged(encoded.data, encoded.seconds)


def _with_kept(row: Row, sources: Iterable[Source], made: dict[str, Made]) -> Row:
    row.made = [made.get(one.sample.name) or Made(one.size, 100.0, kept=True) for one in sources]
    return row


def rows(sources: Sequence[Source], sharp: Sharp | None, target: float, pool: ProcessPoolExecutor) -> list[Row]:
    """All methods on a class."""
    samples = [one.sample for one in sources]
    searched = list(pool.map(partial(ours, target=target), samples))
    table = [
        Row("ours", "exact" if samples[0].kind == EXACT else "searched", [best for best, _ in searched]),
        Row("ours, WebP", "", [webp for _, webp in searched]),
    ]
    for format in FORMATS:
        quality = str(FIXED) if samples[0].kind != EXACT else "lossless" if format == "webp" else "100"
        table.append(Row(f"Pillow {format}", quality, list(pool.map(partial(fixed, format=format), samples))))
    return table + ([by_sharp(sharp, sources, format, target) for format in FORMATS] if sharp else [])


def told(kind: str, sources: Sequence[Source], table: Sequence[Row], target: float) -> str:
    """A class as a part of the table."""
    whole = sum(one.size for one in sources)
    least = 100.0 if kind == EXACT else target
    lines = [f"{kind}: {len(sources)} images, {whole / 1000:.0f} kB"]
    for row in table:
        below = sum(one.score < least for one in row.made)
        larger = sum(one.size > source.size for one, source in zip(row.made, sources, strict=True))
        kept = sum(one.kept for one in row.made)
        seconds = sum(one.seconds for one in row.made)
        cells = (
            f"{row.method:13}{row.quality:>9}{row.size / 1000:9.1f}{row.size / whole:7.2f}{row.worst:8.2f}"
            f"{below:7}{larger:8}{kept:6}{seconds:9.1f}"
        )
        lines.append("  " + cells)
    return "\n".join(lines)


HEAD = f"  {'method':13}{'quality':>9}{'kB':>9}{'share':>7}{'worst':>8}{'below':>7}{'larger':>8}{'kept':>6}{'CPU s':>9}"


def goals(tables: dict[str, tuple[Sequence[Source], list[Row]]], target: float) -> list[tuple[str, bool]]:
    """Each goal in words, and whether it is reached. Images that sharp cannot do count for nobody against it."""
    found = []
    totals: dict[tuple[str, str], list[int]] = {pair: [0, 0] for pair in PAIRS}
    for kind, (sources, table) in tables.items():
        by_method = {row.method: row.made for row in table}
        own = [(one, source) for method, _ in PAIRS for one, source in zip(by_method[method], sources, strict=True)]
        below = sum(one.score < (100.0 if kind == EXACT else target) for one, _ in own)
        larger = sum(one.size > source.size for one, source in own)
        found.append((f"{kind}: {below} below the target, {larger} larger than their source", not below and not larger))
        for method, other in PAIRS:
            both = [
                (one.size, its.size)
                for one, its in zip(by_method[method], by_method.get(other, ()), strict=False)
                if not its.kept
            ]
            if both:
                sums = [sum(sizes) for sizes in zip(*both, strict=True)]
                totals[method, other] = [total + more for total, more in zip(totals[method, other], sums, strict=True)]
                # The goal is for all images together; of classes it is told.
                found.append((f"{kind}: {method} is {sums[0] / sums[1]:.2f} of {other}", True))
    for (method, other), (ours_whole, its) in totals.items():
        if its:
            found.append((f"all: {method} is {ours_whole / its:.2f} of {other}", ours_whole <= SHARE * its))
    return found


def arguments() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description="Compare our images with fixed qualities and with sharp.")
    parser.add_argument("--few", type=int, default=IMAGES, metavar="N", help=f"images a class; default: {IMAGES}")
    parser.add_argument("--drawn", action="store_true", help="only drawn images: no network, no browser")
    parser.add_argument("--check", action="store_true", help="end with 1 if a goal is missed")
    parser.add_argument("--jobs", type=int, default=2, help="processes; default: 2")
    parser.add_argument("--kind", action="append", help="only this class; may be repeated")
    parser.add_argument("--target", type=float, default=TARGET, help=f"SSIMULACRA 2; default: {TARGET:.0f}")
    return parser.parse_args()


def installed_sharp(drawn: bool) -> Sharp | None:
    """sharp, or None with a word where it cannot be had."""
    if drawn and not (PLACE / "sharp" / "node_modules").is_dir():
        print("sharp is not installed, and --drawn asks for no network: without its lines")
        return None
    try:
        return Sharp(PLACE / "sharp")
    except LookupError as missing:
        print(f"without sharp: {missing}")
        return None


def main() -> int:
    """Print the table and the goals. Returns 1 if --check was given and a goal is missed."""
    asked = arguments()
    classes: dict[str, list[Source]] = defaultdict(list)
    for sample in gallery(asked.few, None if asked.drawn else PLACE / "packages"):
        if not asked.kind or sample.kind in asked.kind:
            classes[sample.kind].append(Source(sample, film(sample.data)))
    sharp = installed_sharp(asked.drawn)
    tables: dict[str, tuple[Sequence[Source], list[Row]]] = {}
    print(HEAD)
    with ProcessPoolExecutor(asked.jobs) as pool:
        for kind, sources in classes.items():
            tables[kind] = (sources, rows(sources, sharp, asked.target, pool))
            print(told(kind, *tables[kind], asked.target), flush=True)
    if sharp:
        with sharp:
            pass
    print()
    reached = goals(tables, asked.target)
    for goal, good in reached:
        print(f"{'ok    ' if good else 'MISSED'} {goal}")
    return int(asked.check and not all(good for _, good in reached))


if __name__ == "__main__":
    sys.exit(main())
