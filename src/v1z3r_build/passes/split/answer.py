"""What became of one script that was looked into for vendors."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from v1z3r_build.diagnostics import Diagnostic, info

if TYPE_CHECKING:
    from collections.abc import Mapping

    from v1z3r_build.formats.derivation import Derived


@dataclass(frozen=True, slots=True)
class VendorFile:
    """A file that is split off. chunk: its id, where the bundler's runtime knows files by ids."""

    path: str
    data: Derived = field(repr=False)
    chunk: str = ""


@dataclass(frozen=True, slots=True)
class Answer:
    """What became of one script.

    data: its new bytes, None if it stays. vendors: the files split off, by label. whole: the vendor that the script is,
    all in all. ids: of the chunks that it is, and queue: the name of the runtime's queue, where the bundler has those.
    held: by label why its largest part that was to move stays. modules: the ids of all modules that it brings, None
    where that is not known.
    cuts: for modules that stay, but without their vendors' items, the ids of the new modules that they require.
    """

    path: str
    data: Derived | None = field(default=None, repr=False)
    vendors: Mapping[str, VendorFile] = field(default_factory=dict)
    whole: str = ""
    ids: tuple[str, ...] = ()
    queue: str = ""
    cuts: Mapping[int | str, tuple[str, ...]] = field(default_factory=dict)
    held: Mapping[str, str] = field(default_factory=dict)
    diagnostics: tuple[Diagnostic, ...] = ()
    modules: tuple[int | str, ...] | None = None


def not_split(path: str, why: str) -> Diagnostic:
    """Why a script with a vendor in it stays as it is."""
    return info("not-split", path, f"a library could not be taken out of this script: {why}", "It works as before.")
