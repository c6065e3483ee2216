"""The pass that makes files smaller: which files, by which engines, and what is kept of it."""

from __future__ import annotations

import posixpath
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from v1z3r_build.codecs import brotli_coding
from v1z3r_build.diagnostics import Diagnostic, warning
from v1z3r_build.formats import json_minifier, page_minifier, script_minifier, style_minifier, svg_minifier
from v1z3r_build.formats.engines import external
from v1z3r_build.formats.minified import NOTHING, Candidate, Minified
from v1z3r_build.formats.page_minifier import Pieces
from v1z3r_build.formats.script_minifier import SOURCE_MAP, ScriptOptions
from v1z3r_build.site.patterns import matcher
from v1z3r_build.workers.pool import Call

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from v1z3r_build.formats.engines.external import Engine
    from v1z3r_build.settings import Settings
    from v1z3r_build.site.asset import Asset
    from v1z3r_build.site.site import Site
    from v1z3r_build.workers.pool import Failure, Outcome, Pool
    from v1z3r_build.workers.progress import Progress

Format = Literal["script", "style", "json", "html", "svg"]

_BATCH_FILES, _BATCH_BYTES = 64, 256 * 1024  # small files share one call, so that 10,000 pages are no 10,000 trips
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


@dataclass(frozen=True, slots=True)
class Job:
    """One file to be minified. mapped: whether its source map lies beside it."""

    path: str
    format: Format
    mapped: bool = False


@dataclass(frozen=True, slots=True)
class Answer:
    """What became of one file; data is None where it stays as it is."""

    path: str
    data: bytes | None
    diagnostics: tuple[Diagnostic, ...]


def minify(site: Site, settings: Settings, pool: Pool, progress: Progress) -> Site:
    """The site with scripts, styles, JSON, SVG and inline code minified where that is proved and pays."""
    engines, diagnostics = _engines(settings, site.root)
    options = ScriptOptions(engines, settings.minify.seconds)
    jobs = list(_jobs(site, settings))
    progress.start("minify", sum(site.assets[job.path].size for job in jobs))
    answers: list[Answer] = []
    again: list[Job] = []
    for batch, outcome in _run(pool, site, options, _batches(jobs, site)):
        if outcome.failure is None:
            answers += outcome.value
        elif len(batch) == 1:
            diagnostics.append(_failed(batch[0], outcome.failure, options))
        else:
            again += batch
            continue
        progress.advance(sum(site.assets[job.path].size for job in batch))
    for (job,), outcome in _run(pool, site, options, [(job,) for job in again]):
        if outcome.failure is None:
            answers += outcome.value
        else:
            diagnostics.append(_failed(job, outcome.failure, options))
        progress.advance(site.assets[job.path].size)
    answers.sort(key=lambda answer: answer.path)
    changed: list[Asset] = []
    for answer in answers:
        diagnostics += answer.diagnostics
        if answer.data is not None:
            changed.append(site.rewritten(site.assets[answer.path], answer.data))
    return site.with_assets(changed, sorted(diagnostics))


def engine_versions(settings: Settings, root: Path) -> dict[str, str]:
    """The versions of all engines on which the output depends, by name; root: the site's folder."""
    versions = {name: _version(name) for name in _PACKAGES}
    versions.update({engine.name: engine.version for engine in _engines(settings, root)[0]})
    return {name: versions[name] for name in sorted(versions) if versions[name]}


def minify_files(jobs: tuple[Job, ...], options: ScriptOptions, *contents: bytes) -> tuple[Answer, ...]:
    """Minify some files, whose bytes follow in the jobs' order. Pure; for guarded children, where engines may crash."""
    pieces = Pieces(options)
    return tuple(_answer(job, pieces, data) for job, data in zip(jobs, contents, strict=True))


def _answer(job: Job, pieces: Pieces, data: bytes) -> Answer:
    result = _minified(job, pieces, data)
    said = tuple(replace(one, path=job.path) for one in result.diagnostics)
    return Answer(job.path, smallest(data, result.candidates, job.format), said)


def _minified(job: Job, pieces: Pieces, data: bytes) -> Minified:
    if job.format == "script":
        return NOTHING if _is_mapped(job, data) else script_minifier.minify(data, pieces.options)
    if job.format == "style":
        return NOTHING if _is_mapped(job, data) else style_minifier.minify(data)
    if job.format == "json":
        return json_minifier.minify(data)
    if job.format == "svg":
        return svg_minifier.minify(data)
    return page_minifier.minify(data, pieces)


def _is_mapped(job: Job, data: bytes) -> bool:
    """Whether a source map tells of these very bytes. Only one of the usual name can be known to be missing."""
    named = posixpath.basename(job.path).encode() + b".map"
    return any(job.mapped or reference != named for reference in SOURCE_MAP.findall(data))


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


def _jobs(site: Site, settings: Settings) -> Iterator[Job]:
    skipped = matcher(settings.minify.skip)
    for path, asset in site.assets.items():
        format_ = _format(asset)
        if format_ and not skipped(path) and asset.size:
            yield Job(path, format_, path + ".map" in site.assets)


def _format(asset: Asset) -> Format | None:
    if asset.path.endswith(".map"):
        return None
    if asset.kind == "image":
        return "svg" if asset.content_type.startswith("image/svg+xml") else None
    if asset.kind in ("script", "style", "json", "html"):
        return asset.kind
    return None


def _batches(jobs: Iterable[Job], site: Site) -> Iterator[tuple[Job, ...]]:
    batch: list[Job] = []
    size = 0
    for job in jobs:
        weight = site.assets[job.path].size
        if weight >= _BATCH_BYTES:
            yield (job,)
            continue
        if batch and (len(batch) == _BATCH_FILES or size + weight > _BATCH_BYTES):
            yield tuple(batch)
            batch, size = [], 0
        batch.append(job)
        size += weight
    if batch:
        yield tuple(batch)


def _run(
    pool: Pool, site: Site, options: ScriptOptions, batches: Iterable[tuple[Job, ...]]
) -> Iterator[tuple[tuple[Job, ...], Outcome]]:
    by_key: dict[str, tuple[Job, ...]] = {}

    def calls() -> Iterator[Call]:
        for batch in batches:
            by_key[batch[0].path] = batch
            yield Call(
                key=batch[0].path,
                function=minify_files,
                arguments=(batch, options, *(site.assets[job.path].location for job in batch)),
                weight=sum(site.assets[job.path].size for job in batch),
                # Each engine may use its own limit, some twice; only what hangs in-process is cut off by this one.
                seconds=options.seconds * (1 + 2 * len(options.engines)),
            )

    for outcome in pool.run(calls()):
        yield by_key[outcome.key], outcome


def _failed(job: Job, failure: Failure, options: ScriptOptions) -> Diagnostic:
    code, message = _FAILURES[failure.reason]
    engines = {
        "script": ("tree-sitter", "turbohtml", "esbuild", *(engine.name for engine in options.engines)),
        "style": ("tinycss2", "lightningcss"),
        "html": ("turbohtml", "tree-sitter", "esbuild", "lightningcss"),
    }.get(job.format, ("a parser",))
    detail = f": {failure.message}" if failure.message else ""
    return warning(
        code,
        job.path,
        f"{message} ({', '.join(engines)}){detail}; it is served as it was",
        f'add "{job.path}" to skip in [minify] to leave it alone',
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
