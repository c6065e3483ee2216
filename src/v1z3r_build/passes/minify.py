"""The pass that makes files smaller: which files, by which engines, and what is kept of it."""

from __future__ import annotations

import posixpath
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from v1z3r_build.codecs import brotli_coding
from v1z3r_build.diagnostics import Diagnostic, warning
from v1z3r_build.formats.engines import external
from v1z3r_build.formats.engines.external import ScriptOptions
from v1z3r_build.formats.minified import NOTHING, Inline
from v1z3r_build.site.patterns import matcher
from v1z3r_build.workers.call import Call, always

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from v1z3r_build.formats.engines.external import Engine
    from v1z3r_build.formats.minified import Candidate, Minified
    from v1z3r_build.formats.page_minifier import Pieces
    from v1z3r_build.settings import Settings
    from v1z3r_build.site.asset import Asset
    from v1z3r_build.site.site import Site
    from v1z3r_build.workers.pool import Failure, Pool
    from v1z3r_build.workers.progress import Progress

Format = Literal["script", "style", "json", "html", "svg"]

_PACKAGES = ("turbohtml", "tree-sitter", "tree-sitter-javascript", "esbuild-py", "lightningcss", "tinycss2")

# Brotli 5 costs a sixtieth of brotli 11. A gain that it sees this clearly, brotli 11 sees too; the rest is measured.
_QUICK, _FULL = 5, 11
_CLEAR_SHARE, _CLEAR_BYTES = 0.02, 32
_SMALL_PAGE = 8 * 1024  # bytes; of larger pages only clear gains are taken

_FAILURES: dict[str, tuple[str, str]] = {
    "crashed": ("minify-crashed", "a process ended abnormally while it minified this file"),
    "timeout": ("minify-timeout", "minifying this file took too long"),
    "memory": ("minify-memory", "minifying this file took too much memory"),
    "raised": ("minify-failed", "this file could not be minified"),
}


class Answer(NamedTuple):
    """What became of one file; data is None where it stays as it is. The diagnostics have no path.

    inline: of a page that was looked into, its scripts and styles in the input, and as they are now.
    """

    data: bytes | None
    diagnostics: tuple[Diagnostic, ...]
    inline: Inline | None = None


def minify(site: Site, settings: Settings, pool: Pool, progress: Progress) -> Site:
    """The site with scripts, styles, JSON, SVG and inline code minified where that is proved and pays."""
    engines, diagnostics = _engines(settings, site.root)
    options = ScriptOptions(engines, settings.minify.seconds)
    paths = list(_paths(site, settings))
    progress.start("minify", sum(map(site.assets.size, paths)))
    assets = site.assets.copied()
    pages: set[str] = set()  # those that were minified
    inline: dict[str, Inline] = {}
    inlines: dict[Inline, Inline] = {}  # most pages of a site hold the same
    for outcome in pool.run(_calls(site, paths, options)):
        asset = site.assets[outcome.key]
        if outcome.failure is not None:
            diagnostics.append(_failed(asset, outcome.failure, options))
        else:
            diagnostics += (replace(one, path=asset.path) for one in outcome.value.diagnostics)
            if outcome.value.data is not None:
                assets.replace(site.rewritten(asset, outcome.value.data))
                if asset.kind == "html":
                    pages.add(asset.path)
            if (held := outcome.value.inline) is not None:
                inline[asset.path] = inlines.setdefault(held, held)
        progress.advance(asset.size)
    for asset in _agreed(site, pages, inline, options, pool):
        assets.replace(asset)
    return replace(site, assets=assets, diagnostics=(*site.diagnostics, *sorted(diagnostics)))


def engine_versions(settings: Settings, root: Path) -> dict[str, str]:
    """The versions of all engines on which the output depends, by name; root: the site's folder."""
    versions = {name: _version(name) for name in _PACKAGES}
    versions.update({engine.name: engine.version for engine in _engines(settings, root)[0]})
    return {name: versions[name] for name in sorted(versions) if versions[name]}


def minify_file(format_: Format, absent: str, options: ScriptOptions, data: bytes) -> Answer:
    """Minify a file. Pure; for guarded children, where engines may crash.

    absent: the name of a source map that is known to be missing, '' for none.
    """
    if format_ == "html":
        return minify_page(options, (), data)
    result = _minified(format_, absent, options, data)
    return Answer(smallest(data, result.candidates, format_), result.diagnostics)


def minify_page(options: ScriptOptions, spared: tuple[bytes, ...], data: bytes) -> Answer:
    """Minify a page but for some of its scripts and styles, which are given as of `Inline`. Pure."""
    from v1z3r_build.formats import page_minifier

    result = page_minifier.minify(data, _pieces(options), spared)
    made = smallest(data, result.candidates, "html")
    inline = result.inline
    if inline is not None and made is None:
        inline = Inline(inline.before, inline.before)
    return Answer(made, result.diagnostics, inline)


def _minified(format_: Format, absent: str, options: ScriptOptions, data: bytes) -> Minified:
    # Children alone have a use for the minifiers, and for their parsers.
    from v1z3r_build.formats import json_minifier, script_minifier, style_minifier, svg_minifier

    if format_ == "script":
        return NOTHING if _is_mapped(absent, data) else script_minifier.minify(data, options)
    if format_ == "style":
        return NOTHING if _is_mapped(absent, data) else style_minifier.minify(data)
    return json_minifier.minify(data) if format_ == "json" else svg_minifier.minify(data)


@lru_cache(maxsize=1)
def _pieces(options: ScriptOptions) -> Pieces:
    """What a child has minified of pages, kept for the next ones."""
    from v1z3r_build.formats.page_minifier import Pieces

    return Pieces(options)


def _agreed(
    site: Site, pages: set[str], inline: dict[str, Inline], options: ScriptOptions, pool: Pool
) -> Iterable[Asset]:
    """The minified pages of which scripts or styles must stay as they are, for they do in another page of the site.

    Whether it pays to minify a page is another question for each; others a framework takes over. pages: those that were
    minified. inline: of the pages that were looked into.
    """
    if not pages:
        return ()
    from v1z3r_build.formats import page_minifier

    others = (one for one in site.assets.values() if one.kind == "html" and one.path not in inline)
    looks = (Call(one.path, page_minifier.inline, (one.location,), one.size, options.seconds, always) for one in others)
    inline |= {one.key: Inline(one.value, one.value) for one in pool.run(looks) if one.failure is None}
    spared: dict[str, frozenset[bytes]] = {}
    agreed: dict[str, Asset] = {}
    while True:
        left = {text for one in inline.values() for text in one.before & one.after}
        torn = {path: both for path in pages if (both := (inline[path].before - inline[path].after) & left)}
        if not torn:
            return agreed.values()
        calls = []
        for path, texts in torn.items():
            spared[path] = spared.get(path, frozenset()) | texts
            before = site.assets[path]
            arguments = (options, tuple(sorted(spared[path])), before.location)
            calls.append(Call(path, minify_page, arguments, before.size, _seconds(options), _caching(options)))
            pages.remove(path)
            agreed[path] = before
            inline[path] = Inline(inline[path].before, inline[path].before)
        for outcome in pool.run(calls):
            if outcome.failure is None and outcome.value.data is not None:
                pages.add(outcome.key)
                agreed[outcome.key] = site.rewritten(agreed[outcome.key], outcome.value.data)
                inline[outcome.key] = outcome.value.inline


def _is_mapped(absent: str, data: bytes) -> bool:
    """Whether a source map tells of these very bytes."""
    from v1z3r_build.formats.script_minifier import SOURCE_MAP

    return any(reference != absent.encode("utf-8", "surrogateescape") for reference in SOURCE_MAP.findall(data))


def _lasts(answer: Answer) -> bool:
    """Whether no engine was cut off or missing: the next run may have more of them."""
    return all(one.code != "engine-failed" for one in answer.diagnostics)


def smallest(data: bytes, candidates: Sequence[Candidate], format_: Format) -> bytes | None:
    """The candidate that is smallest as transferred, None if none is smaller than the file.

    Of large pages only clear gains are taken: to measure the last byte of 10,000 would cost more than it saves.
    """
    best: bytes | None = None
    for candidate in candidates:
        if _saves(candidate.data, best if best is not None else data, format_):
            best = candidate.data
    return best


def _saves(shorter: bytes, data: bytes, format_: Format) -> bool:
    before, after = (len(brotli_coding.encode(one, _QUICK)) for one in (data, shorter))
    if before - after >= max(_CLEAR_SHARE * before, _CLEAR_BYTES):
        return True
    if (format_ == "html" and len(data) > _SMALL_PAGE) or after - before >= max(_CLEAR_SHARE * before, _CLEAR_BYTES):
        return False
    before, after = (len(brotli_coding.encode(one, _FULL)) for one in (data, shorter))
    return after < before


def _paths(site: Site, settings: Settings) -> Iterator[str]:
    """The files to be minified."""
    skipped = matcher(settings.minify.skip)
    for path, asset in site.assets.items():
        if _format(asset) and not skipped(path) and asset.size:
            yield path


def _format(asset: Asset) -> Format | None:
    if asset.path.endswith(".map"):
        return None
    if asset.kind == "image":
        return "svg" if asset.content_type.startswith("image/svg+xml") else None
    if asset.kind in ("script", "style", "json", "html"):
        return asset.kind
    return None


def _calls(site: Site, paths: Iterable[str], options: ScriptOptions) -> Iterator[Call]:
    seconds, cached = _seconds(options), _caching(options)

    def arguments(path: str) -> tuple[Any, ...]:
        asset = site.assets[path]
        format_ = _format(asset)
        # Only a map of the usual name can be known to be missing.
        may_be_absent = format_ in ("script", "style") and path + ".map" not in site.assets
        absent = posixpath.basename(path) + ".map" if may_be_absent else ""
        return format_, absent, options, asset.location

    for path in paths:
        yield Call(path, minify_file, arguments, site.assets.size(path), seconds, cached)


def _seconds(options: ScriptOptions) -> float:
    """Each engine may use its own limit, some twice; only what hangs in-process is cut off by this one."""
    return options.seconds * (1 + 2 * len(options.engines))


def _caching(options: ScriptOptions) -> Callable[[Answer], bool] | None:
    """What another version cannot be told apart from is no engine to remember results of."""
    return _lasts if all(engine.version != external.UNKNOWN for engine in options.engines) else None


def _failed(asset: Asset, failure: Failure, options: ScriptOptions) -> Diagnostic:
    code, message = _FAILURES[failure.reason]
    engines = {
        "script": ("tree-sitter", "turbohtml", "esbuild", *(engine.name for engine in options.engines)),
        "style": ("tinycss2", "lightningcss"),
        "html": ("turbohtml", "tree-sitter", "esbuild", "lightningcss"),
    }.get(_format(asset) or "", ("a parser",))
    detail = f": {failure.message}" if failure.message else ""
    return warning(
        code,
        asset.path,
        f"{message} ({', '.join(engines)}){detail}; it is served as it was",
        f'add "{asset.path}" to skip in [minify] to leave it alone',
    )


def _engines(settings: Settings, root: Path) -> tuple[tuple[Engine, ...], list[Diagnostic]]:
    folder = settings.minify.node_modules
    node_modules = Path(folder) if folder else root.absolute().parent / "node_modules"
    found: list[Engine] = []
    missing: list[Diagnostic] = []
    for name in dict.fromkeys(settings.minify.engines):
        known = next((one for one in external.ENGINE_NAMES if one == name), None)
        engine = external.locate(known, node_modules) if known else None
        if engine:
            found.append(engine)
        else:
            missing.append(_missing(name, node_modules))
    return tuple(found), missing


def _missing(name: str, node_modules: Path) -> Diagnostic:
    if name not in external.ENGINE_NAMES:
        hint = f"the engines are {', '.join(external.ENGINE_NAMES)}"
    elif name == "tdewolff":
        hint = "install it: pip install 'v1z3r-build[tdewolff]'"
    else:
        hint = (
            f"it was looked for in {node_modules.name}; set node_modules in [minify] to the app's, or install it there"
        )
    message = f"the engine {name!r} of [minify] engines was not found; the others do without it"
    return warning("engine-missing", "", message, hint)


def _version(package: str) -> str:
    from importlib import metadata  # slow to import, and worker processes never ask

    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return ""
