"""A site of any number of files, the same each time: pages, ES modules, styles, pictures and data.

    python benchmarks/generated_site.py FOLDER FILES

The shares are those of a documentation site: 85 of 100 files are pages of about 12 kB, which link to each other and to
hashed scripts, styles and pictures. Every text is its own, so that no file compresses as a copy of another.
"""

from __future__ import annotations

import argparse
import hashlib
import random
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

_SHARES = {"script": 6, "style": 3, "picture": 3, "data": 3}  # of 100 files; the rest are pages
_FOLDER = 200  # pages in one folder
_GROUP = 8  # scripts that import each other
_SYLLABLES = (
    "ba",
    "co",
    "di",
    "fe",
    "gu",
    "ha",
    "je",
    "ka",
    "lo",
    "mi",
    "nu",
    "po",
    "ra",
    "se",
    "ti",
    "vo",
    "we",
    "zu",
)


def generate(folder: Path, files: int, seed: int = 0) -> None:
    """Write a site of exactly so many files, 20 at least."""
    for path, text in texts(files, seed):
        place = folder / path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(text, encoding="utf-8")


def texts(files: int, seed: int = 0) -> Iterator[tuple[str, str]]:
    """Every file of the site, by its path."""
    chance = random.Random(seed)
    words = [_word(chance) for _ in range(4000)]
    counts = {kind: max(1, files * share // 100) for kind, share in _SHARES.items()}
    assets: dict[str, list[str]] = {}
    for kind, make in (("picture", _picture), ("data", _data), ("style", _style), ("script", _script)):
        assets[kind] = []
        for number in range(counts[kind]):
            text, suffix = make(number, words, chance, assets)
            token = hashlib.sha256(text.encode()).hexdigest()[:8]
            # Data are asked for by names that a script holds, as they are.
            name = f"{kind}-{number}{suffix}" if kind == "data" else f"{kind}-{number}.{token}{suffix}"
            assets[kind].append(f"assets/{name}")
            yield assets[kind][-1], text
    pages = files - sum(counts.values())
    for number in range(pages):
        yield _address(number), _page(number, pages, words, chance, assets)


def _word(chance: random.Random) -> str:
    return "".join(chance.choices(_SYLLABLES, k=chance.choice((1, 2, 2, 3, 4))))


def _prose(words: list[str], chance: random.Random, count: int) -> str:
    # Few words make up most of a text (Zipf).
    return " ".join(words[min(int(chance.paretovariate(0.6)) - 1, len(words) - 1)] for _ in range(count))


def _address(number: int) -> str:
    return "index.html" if number == 0 else f"s{number // _FOLDER}/p{number}/index.html"


def _page(number: int, pages: int, words: list[str], chance: random.Random, assets: dict[str, list[str]]) -> str:
    up = "" if number == 0 else "../../"
    near = {(number + step) % pages for step in (1, 2, 3, 5, 8, 13, 21, 34)}
    links = "".join(
        f'<li><a href="/{_address(one).removesuffix("index.html")}">{words[one % 4000]}</a>' for one in sorted(near)
    )
    own = {kind: paths[number % len(paths)] for kind, paths in assets.items()}
    body = "".join(
        f'<section id="s{part}"><h2>{_prose(words, chance, 4)}</h2><p>{_prose(words, chance, 150)}</p></section>\n'
        for part in range(10)
    )
    return (
        f'<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n<title>{_prose(words, chance, 5)}</title>\n'
        f'<link rel="stylesheet" href="{up}{own["style"]}">\n<script type="module" src="{up}{own["script"]}"></script>\n'
        f"</head>\n<body>\n<nav><ul>{links}</ul></nav>\n<main>\n"
        f'<img src="{up}{own["picture"]}" alt="">\n{body}</main>\n</body>\n</html>\n'
    )


def _script(number: int, words: list[str], chance: random.Random, assets: dict[str, list[str]]) -> tuple[str, str]:
    # Some share code with those before them in their group: a page needs eight at most.
    before = assets["script"][number - number % _GROUP :][-3:]
    imports = "".join(f'import{{f0 as i{at}}}from"./{Path(one).name}";' for at, one in enumerate(before))
    used = "+".join([*(f"i{at}(x)" for at in range(len(before))), "1"])
    functions = "".join(
        f'function f{at}(x){{const {chance.choice(words)}{at}=x*{chance.randrange(10**6)}+{at};return x>{at}?"{_prose(words, chance, 12)}".length:f{max(0, at - 1)}(x-1)}}'
        for at in range(1, 60)
    )
    data = Path(chance.choice(assets["data"])).name
    text = f'{imports}export function f0(x){{return {used}}}{functions}export const d{number}=()=>fetch("/assets/{data}").then(r=>r.json());'
    return text, ".js"


def _style(number: int, words: list[str], chance: random.Random, assets: dict[str, list[str]]) -> tuple[str, str]:
    picture = Path(chance.choice(assets["picture"])).name
    rules = "".join(
        f".{chance.choice(words)}-{at}{{color:#{chance.randrange(1 << 24):06x};margin:{chance.randrange(40)}px}}"
        for at in range(150)
    )
    return f".s{number}{{background:url({picture})}}{rules}", ".css"


def _picture(number: int, words: list[str], chance: random.Random, assets: dict[str, list[str]]) -> tuple[str, str]:
    points = " ".join(f"{chance.randrange(1000)},{chance.randrange(1000)}" for _ in range(300))
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 1000 1000"><polyline id="p{number}" points="{points}"/></svg>',
        ".svg",
    )


def _data(number: int, words: list[str], chance: random.Random, assets: dict[str, list[str]]) -> tuple[str, str]:
    rows = ",".join(f'{{"id":{at},"name":"{_prose(words, chance, 3)}"}}' for at in range(100))
    return f'{{"number":{number},"rows":[{rows}]}}', ".json"


def main() -> None:
    """Write a site."""
    parser = argparse.ArgumentParser(description="Write a generated site.")
    parser.add_argument("folder", type=Path)
    parser.add_argument("files", type=int)
    asked = parser.parse_args()
    generate(asked.folder, asked.files)


if __name__ == "__main__":
    main()
