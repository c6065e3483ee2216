"""Writes the words of the vendors, vendors.words.br, from the npm packages that vendors.toml names.

    python scripts/vendors.py [--table FILE] [--output FILE] [--cache FOLDER]

Needs npm, and the network for packages that are not in the cache yet. Equal packages give equal bytes.
"""

from __future__ import annotations

import argparse
import re
import subprocess
import sys
import tarfile
import tomllib
from collections import Counter
from fnmatch import fnmatchcase
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from v1z3r_build.bundlers import vocabulary, words

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

ROOT = Path(__file__).resolve().parents[1]
BATCH = 20
# Ordinary words that no vendor uses are kept if so many packages of the background have them.
COMMON = 6
# What `///` and `/** … */` say in declarations is prose.
_COMMENT = re.compile(rb"/\*.*?\*/|//[^\n]*", re.S)


class Packages:
    """Packages of npm as they were published, kept as archives in a folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)

    def fetch(self, specs: Sequence[str]) -> None:
        """Fetch the packages (`name@version`) that are not there yet. Raises CalledProcessError if npm fails."""
        missing = [spec for spec in dict.fromkeys(specs) if not self._archive(spec).exists()]
        for first in range(0, len(missing), BATCH):
            batch = missing[first : first + BATCH]
            print(f"fetching {' '.join(batch)}", file=sys.stderr)
            command = ["npm", "pack", "--silent", "--pack-destination", str(self.folder), *batch]
            subprocess.run(command, check=True, stdout=subprocess.DEVNULL)

    def files(self, spec: str) -> Iterator[tuple[str, bytes]]:
        """Path and content of each file of a package."""
        with tarfile.open(self._archive(spec)) as archive:
            for member in archive:
                if member.isfile() and (stream := archive.extractfile(member)):
                    # The first part of the path is `package` by custom, not by rule.
                    yield member.name.partition("/")[2], stream.read()

    def _archive(self, spec: str) -> Path:
        name, _, version = spec.rpartition("@")
        return self.folder / f"{name.removeprefix('@').replace('/', '-')}-{version}.tgz"


# Most files of a package are the same in its next version.
_words_of = cache(words.script_words)


def package_words(packages: Packages, specs: Iterable[str], skip: Sequence[str]) -> frozenset[str]:
    """The words of all scripts and, in packages of nothing else, all declarations of these packages.

    skip: patterns of paths that are left out.
    """
    found: set[str] = set()
    for spec in specs:
        typed = spec.startswith("@types/")
        for path, content in packages.files(spec):
            if any(fnmatchcase(path, pattern) for pattern in skip):
                continue
            if words.is_library_script(path):
                found |= _words_of(content)
            elif typed and path.endswith(".d.ts"):
                found |= declared_words(content)
    return frozenset(found)


def declared_words(declarations: bytes) -> frozenset[str]:
    """The names that TypeScript's declarations hold."""
    return frozenset(word.decode("ascii") for word in words.WORD.findall(_COMMENT.sub(b" ", declarations)))


def language_words(packages: Packages, spec: str) -> frozenset[str]:
    """The names that the declarations of the language and the browsers' interfaces hold."""
    return frozenset[str]().union(
        *(declared_words(content) for path, content in packages.files(spec) if fnmatchcase(path, "lib/lib.*.d.ts"))
    )


def vendor_words(packages: Packages, vendor: dict[str, Any]) -> frozenset[str]:
    """The words of a vendor that are found in three of its versions or in the newest.

    What soon goes is of little use for the versions between, and would be a fifth of all words.
    """
    *older, newest = vendor["versions"]
    uses: Counter[str] = Counter()
    for version in older:
        uses.update(package_words(packages, [f"{name}@{version}" for name in vendor["packages"]], vendor["skip"]))
    last = [f"{name}@{newest}" for name in vendor["packages"]] + vendor.get("also", [])
    lasting = package_words(packages, last, vendor["skip"])
    return lasting | {word for word, times in uses.items() if times > 2}


def vendor_specs(vendor: dict[str, Any]) -> list[str]:
    """The packages of a vendor with their versions."""
    own = [f"{name}@{version}" for name in vendor["packages"] for version in vendor["versions"]]
    return own + list(vendor.get("also", []))


def compiled(table: dict[str, Any], packages: Packages) -> vocabulary.Vocabulary:
    """The vocabulary of all vendors of a table."""
    background = table["background"]
    aside = table["aside"]["skip"]
    specs = [*background["packages"], background["language"]]
    for vendor in table["vendors"].values():
        specs += [*vendor_specs(vendor), *vendor["near"]]
    packages.fetch(specs)
    uses = Counter(word for spec in background["packages"] for word in package_words(packages, [spec], aside))
    ordinary = frozenset(uses) | language_words(packages, background["language"])
    glue = frozenset(background["glue"])
    vendors = table["vendors"]
    return vocabulary.Vocabulary(
        tuple(
            vocabulary.ranked(
                label,
                vendor,
                vendor_words(packages, vendor) | glue,
                package_words(packages, vendor["near"], aside),
                ordinary | glue,
            )
            for label, vendor in vendors.items()
        ),
        {label: vendor_specs(vendor) for label, vendor in vendors.items()} | {"ordinary": background["packages"]},
        frozenset(word for word, times in uses.items() if times >= COMMON),
    )


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--table", type=Path, default=vocabulary.TABLE)
    parser.add_argument("--output", type=Path, default=vocabulary.WORDS)
    parser.add_argument("--cache", type=Path, default=ROOT / "build" / "npm")
    options = parser.parse_args()
    table = tomllib.loads(options.table.read_text(encoding="utf-8"))
    packed = vocabulary.packed(compiled(table, Packages(options.cache)))
    options.output.write_bytes(packed)
    print(f"{options.output}: {len(packed)} bytes", file=sys.stderr)
