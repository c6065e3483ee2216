"""What is known of each vendor: its words and how much they tell, and how source maps name its files.

The words are data, written by scripts/vendors.py from published packages; vendors.toml beside them is the table of
vendors.
"""

from __future__ import annotations

from fnmatch import fnmatchcase
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import brotli

from v1z3r_build.bundlers import words

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

TABLE = Path(__file__).with_name("vendors.toml")
WORDS = Path(__file__).with_name("vendors.words.br")
_FORMAT = "v1z3r-build vendor words, format 1"
_FIRST_SIGN = ord("0")
_MOST_COMMON = ord("~") - _FIRST_SIGN
# What a word is to a vendor, as a digit of its section's name.
_UNKNOWN, _ORDINARY, _OPEN, _INNER = "0123"


class Vendor(NamedTuple):
    """A vendor as it can be recognised.

    sources: patterns of npm packages whose files are the vendor's.
    paths: patterns of further paths in source maps.
    inner: words that only the vendor's own code was found to use.
    open: words that those use too who speak of the vendor: its users, its rivals.
    ordinary: its words that are found anywhere.
    """

    label: str
    sources: tuple[str, ...]
    inner: frozenset[str]
    open: frozenset[str] = frozenset()
    ordinary: frozenset[str] = frozenset()
    paths: tuple[str, ...] = ()

    def has_source(self, source: str) -> bool:
        """Whether a path of a source map is one of the vendor's files."""
        path = source.replace("\\", "/")
        package = package_of(path)
        if package is not None:
            return any(fnmatchcase(package, pattern) for pattern in self.sources)
        return any(fnmatchcase(path, pattern) for pattern in self.paths)


def package_of(source: str) -> str | None:
    """The npm package that a path of a source map (with `/`) lies in, None outside of node_modules."""
    _, found, inner = source.rpartition("node_modules/")
    if not found:
        return None
    parts = inner.split("/")
    # pnpm's store names a package twice: `node_modules/.pnpm/three@0.158.0/node_modules/three/…`, the last counts.
    return "/".join(parts[:2] if parts[0].startswith("@") else parts[:1])


class Vocabulary(NamedTuple):
    """The words of all vendors of the table.

    origins: the packages that each vendor's words come from, as `name@version`.
    ordinary: words that are found anywhere, whether a vendor uses them or not.
    """

    vendors: tuple[Vendor, ...]
    origins: Mapping[str, Sequence[str]]
    ordinary: frozenset[str]

    def vendor_of_folders(self, label: str, sources: Sequence[str], folders: Iterable[Path]) -> Vendor:
        """A vendor that is not in the table, by the scripts of its packages on disk: `node_modules/pixi.js`.

        What another vendor is known for is open to both. Raises OSError where a file cannot be read.
        """
        found = words.folder_words(folders)
        ordinary = self.ordinary.union(*(vendor.ordinary for vendor in self.vendors))
        shared = frozenset[str]().union(*(vendor.inner | vendor.open for vendor in self.vendors))
        return Vendor(
            label,
            tuple(sources),
            inner=found - ordinary - shared,
            open=(found & shared) - ordinary,
            ordinary=found & ordinary,
        )


def ranked(
    label: str, entry: Mapping[str, Any], found: frozenset[str], near: frozenset[str], ordinary: frozenset[str]
) -> Vendor:
    """A vendor of the table by the words of its packages, of those near it, and of ordinary code."""
    return Vendor(
        label,
        tuple(entry["sources"]),
        inner=found - near - ordinary,
        open=(found & near) - ordinary,
        ordinary=found & ordinary,
        paths=tuple(entry.get("paths", ())),
    )


def packed(vocabulary: Vocabulary) -> bytes:
    """The words as a file: a header with their origin, then sorted lists by what the words are to each vendor."""
    sections: dict[str, list[str]] = {}
    for word in sorted(vocabulary.ordinary.union(*(v.inner | v.open | v.ordinary for v in vocabulary.vendors))):
        name = "".join(_rank(vendor, word) for vendor in vocabulary.vendors) + "01"[word in vocabulary.ordinary]
        sections.setdefault(name, []).append(word)
    lines = [_FORMAT]
    lines += [f"{vendor.label}: {' '.join(vocabulary.origins[vendor.label])}" for vendor in vocabulary.vendors]
    lines += [f"ordinary: {' '.join(vocabulary.origins['ordinary'])}"]
    for name, listed in sorted(sections.items()):
        lines += ["", name, *_folded(listed)]
    data: bytes = brotli.compress("\n".join(lines).encode("ascii"), mode=brotli.MODE_TEXT, quality=11, lgwin=24)
    return data


def _folded(listed: Iterable[str]) -> Iterator[str]:
    """Sorted words, each as a sign for the length of what it has in common with the one before, and the rest."""
    before = ""
    for word in listed:
        pairs = enumerate(zip(before, word, strict=False))
        common = next((place for place, (old, new) in pairs if old != new), min(len(before), len(word)))
        common = min(common, _MOST_COMMON)
        yield chr(_FIRST_SIGN + common) + word[common:]
        before = word


def _unfolded(folded: Iterable[str]) -> Iterator[str]:
    word = ""
    for line in folded:
        word = word[: ord(line[0]) - _FIRST_SIGN] + line[1:]
        yield word


def _rank(vendor: Vendor, word: str) -> str:
    if word in vendor.inner:
        return _INNER
    if word in vendor.open:
        return _OPEN
    return _ORDINARY if word in vendor.ordinary else _UNKNOWN


def unpacked(data: bytes, table: Mapping[str, Any]) -> Vocabulary:
    """The words of a file, with what the table says of their vendors. Raises ValueError if the file is another."""
    head, *sections = brotli.decompress(data).decode("ascii").split("\n\n")
    title, *lines = head.split("\n")
    if title != _FORMAT:
        raise ValueError(f"not a file of vendor words: it begins with {title[:80]!r}")
    origins = {label: specs.split() for label, _, specs in (line.partition(": ") for line in lines)}
    labels = [label for label in origins if label != "ordinary"]
    lists: list[dict[str, set[str]]] = [
        {_UNKNOWN: set(), _ORDINARY: set(), _OPEN: set(), _INNER: set()} for _ in labels
    ]
    ordinary: set[str] = set()
    for section in sections:
        name, *folded = section.split("\n")
        listed = list(_unfolded(folded))
        for ranks, rank in zip(lists, name, strict=False):
            ranks[rank].update(listed)
        if name.endswith("1"):
            ordinary.update(listed)
    return Vocabulary(
        tuple(
            Vendor(
                label,
                tuple(table["vendors"][label]["sources"]),
                inner=frozenset(ranks[_INNER]),
                open=frozenset(ranks[_OPEN]),
                ordinary=frozenset(ranks[_ORDINARY]),
                paths=tuple(table["vendors"][label].get("paths", ())),
            )
            for label, ranks in zip(labels, lists, strict=True)
        ),
        origins,
        frozenset(ordinary),
    )


@cache
def load() -> Vocabulary:
    """The vocabulary that comes with the program."""
    import tomllib

    return unpacked(WORDS.read_bytes(), tomllib.loads(TABLE.read_text(encoding="utf-8")))
