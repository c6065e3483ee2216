"""Reading a site from a folder: every file classified by its head, none held in memory."""

from __future__ import annotations

import codecs
import os
import stat
import sys
import unicodedata
from collections import defaultdict
from dataclasses import dataclass, field
from operator import attrgetter
from pathlib import Path
from typing import TYPE_CHECKING, cast

from v1z3r_build.diagnostics import Diagnostic, InputError, SystemFailureError, info, warning
from v1z3r_build.site import media_types
from v1z3r_build.site.asset import Asset
from v1z3r_build.site.inventory import Inventory
from v1z3r_build.site.links import is_link
from v1z3r_build.site.site import Site

if TYPE_CHECKING:
    import io
    from collections.abc import Iterable, Iterator, Sequence

    from v1z3r_build.site.asset import Kind
    from v1z3r_build.site.media_types import Judgement

_CHUNK = 1 << 20
_MAX_LINKED = 100_000  # entries reached through links to folders: links to links can multiply without end
_SOURCES = frozenset(
    {"src", "node_modules", ".next", "tsconfig.json", "package-lock.json", "yarn.lock", "pnpm-lock.yaml"}
)
_CONFIGURATIONS = ("next.config.", "vite.config.", "webpack.config.", "astro.config.", "svelte.config.", "nuxt.config.")
_NAMED = 20  # files that a message names before it counts the rest


def read(root: Path, spool: Path) -> Site:
    """The site in a folder, without changing it.

    root: the folder; a link to one is followed. spool: where passes will put new bytes, on the output's file system.

    Links to files and folders of the site are followed, as a static host follows them. A link that leads out of the
    site, nowhere or in a circle ends the run: its target is none of the site's to publish, leaving it out would lose
    a file, and what lies behind it could use names that linking would take away. Special files (pipes, sockets,
    devices) are never opened and end the run as well, since no output could hold them.

    Raises InputError if the folder is no site, and SystemFailureError if some of it cannot be read.
    """
    if not root.is_dir():
        what = "is not a folder" if root.exists() or root.is_symlink() else "does not exist"
        raise InputError(
            f"{root} {what}.", hint="Give the folder that your framework's build writes: out/, dist/, build/."
        )
    _refuse_sources(root)
    real = Path(os.path.realpath(root))
    walk = _Walk(real, Inventory(real, spool))
    walk.run()
    if walk.unreadable:
        raise SystemFailureError(
            f"Not all of {root} can be read:\n{_list(walk.unreadable)}",
            hint="Nothing was changed. Give this user the right to read them, or take them out of the site.",
        )
    if walk.refused:
        raise InputError(
            f"{root} holds what cannot be published:\n{_list(walk.refused)}",
            hint="Nothing was changed. Put the files themselves in the place of links, and take the rest out.",
        )
    _require_page(root, walk.assets.values())
    diagnostics = sorted([*walk.diagnostics, *_about_names(walk.assets)])
    return Site(walk.root, spool, walk.assets, tuple(diagnostics), empty_folders=tuple(sorted(walk.empty)))


@dataclass
class _Walk:
    """What was found so far. Paths are relative to the root, with `/`."""

    root: Path
    assets: Inventory
    empty: list[str] = field(default_factory=list)
    unreadable: list[tuple[str, str]] = field(default_factory=list)
    refused: list[tuple[str, str]] = field(default_factory=list)
    diagnostics: list[Diagnostic] = field(default_factory=list)
    linked: int = 0

    def run(self) -> None:
        # A folder: its path, where it really lies, where all that led to it really lie, whether a link led to it.
        folders = [("", str(self.root), frozenset({str(self.root)}), False)]
        while folders:
            path, location, above, linked = folders.pop()
            try:
                with os.scandir(location) as entries:
                    found = sorted(entries, key=attrgetter("name"))
            except OSError as failure:
                self.unreadable.append((path or ".", failure.strerror or str(failure)))
                continue
            if not found and path:
                self.empty.append(path)
            for entry in found:
                name = f"{path}/{entry.name}" if path else entry.name
                if linked and not self._within_bounds(name):
                    return
                try:
                    below = self._entry(name, entry, location, above)
                except OSError as failure:
                    self.unreadable.append((name, failure.strerror or str(failure)))
                    continue
                if below is not None:
                    folders.append((name, below, above | {below}, linked or is_link(entry)))

    def _within_bounds(self, path: str) -> bool:
        self.linked += 1
        if self.linked > _MAX_LINKED:
            self.refused.append((path, f"links to folders lead to more than {_MAX_LINKED} files"))
        return self.linked <= _MAX_LINKED

    def _entry(self, path: str, entry: os.DirEntry[str], folder: str, above: frozenset[str]) -> str | None:
        """Take a file in, or return where a folder really lies."""
        location = f"{folder}{os.sep}{entry.name}"
        if is_link(entry):
            try:
                real = os.path.realpath(location, strict=True)
            except OSError:
                self.refused.append((path, f"a link that leads nowhere: {_target(location)}"))
                return None
            if not Path(real).is_relative_to(self.root):
                self.refused.append((path, f"a link that leads out of the site: {_target(location)}"))
                return None
            if real in above:
                self.refused.append((path, f"a link that leads in a circle: {_target(location)}"))
                return None
            location = real
        status = entry.stat()
        if stat.S_ISDIR(status.st_mode):
            return location
        if stat.S_ISREG(status.st_mode):
            self._file(path, location, status.st_size)
        else:
            self.refused.append((path, "a special file (pipe, socket or device)"))
        return None

    def _file(self, path: str, location: str, size: int) -> None:
        with open(location, "rb", buffering=0) as file:  # noqa: PTH123 - to make a path takes as long
            head = file.read(media_types.HEAD_SIZE)
            judged = media_types.judge(path, head)
            known = ""
            if media_types.has_charset(judged.essence) and not judged.contents:
                place = None if len(head) == size and media_types.is_utf8(head) else _first_invalid(head, file)
                known = media_types.charset(judged.essence, head, valid_utf8=place is None)
                if place is not None and known in ("", "utf-8"):
                    self.diagnostics.append(_about_charset(path, judged.kind, known, place))
        content_type = sys.intern(media_types.with_charset(judged.essence, known))
        place_of = cast("Path", location)  # which an asset holds as text
        self.assets.add(Asset(path, judged.kind, content_type, size, place_of, place_of, (path,)))
        if judged.contents:
            self.diagnostics.append(_about_contents(path, judged))


def _target(link: str) -> str:
    try:
        return str(Path(link).readlink())
    except OSError as failure:
        return str(failure)


def _first_invalid(head: bytes, rest: io.RawIOBase) -> tuple[int, int] | None:
    """The line and column of the first byte that is no UTF-8, None if all is."""
    decoder = codecs.getincrementaldecoder("utf-8")()
    lines, column, chunk = 1, 1, head
    while True:
        try:
            text = decoder.decode(chunk, final=not chunk)
        except UnicodeDecodeError as failure:
            # `object` is the chunk with what was left over of the one before.
            text = failure.object[: failure.start].decode("utf-8")
            return (lines + text.count("\n"), len(text) - text.rfind("\n") if "\n" in text else column + len(text))
        if not chunk:
            return None
        lines += text.count("\n")
        column = len(text) - text.rfind("\n") if "\n" in text else column + len(text)
        chunk = rest.read(_CHUNK) or b""


def _about_charset(path: str, kind: Kind, known: str, place: tuple[int, int]) -> Diagnostic:
    says = f"it says that it is {known}, but has" if known else "it declares no charset and has"
    message = f"{says} a byte here that is no UTF-8; it is served as it is" + ("" if known else ", without a charset")
    level = warning if kind in ("html", "script", "style") else info
    return level("charset-unknown", path, message, "Save the file as UTF-8.", *place)


def _about_contents(path: str, judged: Judgement) -> Diagnostic:
    if judged.kind != "other":
        message = f"its name says otherwise, but it holds {judged.contents}; it is served as what it is"
        return info("contents-differ", path, message, "Browsers show it all the same. Give it the right suffix.")
    hint = "Look at what your build or your download wrote there."
    if judged.contents == media_types.LFS_POINTER:
        hint = "Run `git lfs pull` before the build."
    message = f"it is named as {judged.essence}, but holds {judged.contents}; it is kept as it is"
    return warning("contents-differ", path, message, hint)


def _about_names(assets: Iterable[str]) -> Iterator[Diagnostic]:
    """Names that some systems cannot hold, or cannot hold side by side."""
    same: defaultdict[str, list[str]] = defaultdict(list)
    for path in assets:
        same[unicodedata.normalize("NFC", path).casefold()].append(path)
        if any("\ud800" <= letter <= "\udfff" for letter in path):
            message = "its name is not valid Unicode; URLs and object stores may not reach it"
            yield warning("name-not-unicode", path, message, "Rename it to a name in UTF-8.")
    for paths in same.values():
        for path in paths[1:]:
            message = f"its name is {paths[0]!r} to systems that do not tell case or composed letters apart"
            yield warning("name-collision", path, message, "On macOS and Windows one would overwrite the other.")


def _refuse_sources(root: Path) -> None:
    """A project's folder may hold pages, too (Vite's index.html, Next's server/pages), but is nothing to publish."""
    try:
        names = {item.name for item in root.iterdir()}
    except OSError:
        return  # told with all else that cannot be read
    if not names:
        raise InputError(f"{root} is empty.", hint="Run the site's build first; did it write to another folder?")
    if {"BUILD_ID", "build-manifest.json"} <= names:
        hint = 'Set `output: "export"` in next.config, run `next build`, and give the folder out/ that it writes.'
        raise InputError(f"{root} is Next.js's working folder, no export.", hint=hint)
    if "package.json" in names and (names & _SOURCES or any(name.startswith(_CONFIGURATIONS) for name in names)):
        built = next((name for name in ("out", "dist", "build") if name in names), "out")
        hint = f"Run its build and give the folder that it writes, for instance {root / built}."
        raise InputError(f"{root} looks like a project's source folder.", hint=hint)


def _require_page(root: Path, assets: Iterable[Asset]) -> None:
    if not any(asset.kind == "html" or asset.content_type == "application/xhtml+xml" for asset in assets):
        hint = "Give the folder in which your site's index.html lies, as its build writes it."
        raise InputError(f"{root} holds no HTML page, so it is no site.", hint=hint)


def _list(found: Sequence[tuple[str, str]]) -> str:
    lines = [
        f"  {path.encode('utf-8', 'backslashreplace').decode()}: {reason}" for path, reason in sorted(found)[:_NAMED]
    ]
    return "\n".join([*lines, f"  and {len(found) - _NAMED} more"] if len(found) > _NAMED else lines)
