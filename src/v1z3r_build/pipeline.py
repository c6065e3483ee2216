"""The run: read a site, send it through the passes, write its manifest, publish it."""

from __future__ import annotations

import os
import zlib
from dataclasses import replace
from typing import TYPE_CHECKING

from v1z3r_build import __version__, manifest
from v1z3r_build import settings as setting
from v1z3r_build.diagnostics import Diagnostic, InputError, error
from v1z3r_build.manifest import MANIFEST_NAME, Manifest
from v1z3r_build.passes import sidecars
from v1z3r_build.passes.compress import compress
from v1z3r_build.passes.compress import foreseen as encodings_foreseen
from v1z3r_build.passes.images import foreseen as images_foreseen
from v1z3r_build.passes.images import images, variants
from v1z3r_build.passes.link import follow, link
from v1z3r_build.passes.minify import engine_versions, minify
from v1z3r_build.passes.split import packages, split
from v1z3r_build.runs import Order, Result
from v1z3r_build.site import folder
from v1z3r_build.site.asset import file_hash, texts_of_places
from v1z3r_build.site.publication import Output, Staging, check_output
from v1z3r_build.site.site import Encoding
from v1z3r_build.summary import Summary, summarize

__all__ = ("PASSES", "Order", "Result", "optimize")

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from pathlib import Path

    from v1z3r_build.runs import Outcome
    from v1z3r_build.settings import Settings
    from v1z3r_build.site import Site
    from v1z3r_build.site.asset import Kind
    from v1z3r_build.workers.pool import Call, Pool
    from v1z3r_build.workers.progress import Progress

    Pass = Callable[[Site, Settings, Pool, Progress], Site]

# In the order in which they run.
PASSES: Mapping[str, Pass] = {"split": split, "minify": minify, "images": images, "link": link, "compress": compress}
# What tells their work ahead, the longest calls first.
_FORESEEN: Sequence[tuple[Pass, Callable[[Site, Settings], Iterator[Call]]]] = (
    (compress, encodings_foreseen),
    (images, images_foreseen),
)


def optimize(order: Order, pool: Pool, progress: Progress) -> Result:
    """Optimize a site and publish the output in one step.

    A site that this program has optimized already, with equal settings, is left as it is. Raises InputError where
    the order cannot be carried out, SystemFailureError where the system does not let us; the input is then as it was.
    """
    _require_possible(order)
    previous = Manifest.load(order.previous) if order.previous else None
    with Staging(order.output, in_place=order.target is None) as staging:
        site = replace(folder.read(order.source, staging.spool), former=staging.former)
        recorded = _recorded(site, order)
        if recorded is None:
            site = _without_manifest(site)
            passes = list(_passes(order.settings))
            try:
                for number, run in enumerate(passes, 1):
                    pool.foresee(_foreseen(site, order.settings, passes[number:]))
                    site = run(site, order.settings, pool, progress)  # of the one before nothing is held any longer
            finally:
                pool.forget()
            made = _described(site, order.settings, site.root)
        else:
            site, made = _as_recorded(site, recorded), recorded
        made = replace(made, diagnostics=tuple(sorted({*made.diagnostics, *_reused_names(previous, made)})))
        result = _judged(order, made, summarize(_originals(site), made), already=recorded is not None)
        if result.outcome == "published":
            staging.publish(_Outputs(site, made), site.empty_folders)
    return replace(result, diagnostics=(*staging.diagnostics, *made.diagnostics))


def _require_possible(order: Order) -> None:
    """Raises InputError before anything is written, not even a lock."""
    # A site that is missing may be one that a killed run left half published: then its folder is there, and staging.
    if not order.source.is_dir() and (order.target is not None or not order.source.parent.is_dir()):
        folder.read(order.source, order.source)
    if order.target is not None:
        check_output(order.source, order.target, MANIFEST_NAME)


class _Outputs:
    """The files to publish, made as often as somebody goes through them."""

    def __init__(self, site: Site, made: Manifest) -> None:
        self._site = site
        self._manifest = str(site.store_pieces(made.pieces()))

    def __iter__(self) -> Iterator[Output]:
        encodings = self._site.encodings
        for path, asset in self._site.assets.items():
            location, original = texts_of_places(asset)
            yield Output(path, location, original)
            for encoding in encodings.get(path, {}).values():
                yield Output(encoding.path, encoding.location, original)
        yield Output(MANIFEST_NAME, self._manifest)


def _passes(settings: Settings) -> Iterator[Pass]:
    """What a site goes through."""
    for name, run in PASSES.items():
        if name in settings.passes:
            yield run
        elif name == "link":
            yield follow
    if "compress" not in settings.passes:
        # Sidecars of the input that tell of bytes which a pass has changed must go all the same.
        yield lambda site, _, pool, __: sidecars.settle(site, pool)


def _foreseen(site: Site, settings: Settings, passes: Sequence[Pass]) -> Iterator[Call]:
    """What these passes will have to do, as far as that can be told of the site by now."""
    for run, foreseen in _FORESEEN:
        if run in passes:
            yield from foreseen(site, settings)


def _described(site: Site, settings: Settings, root: Path) -> Manifest:
    from importlib import metadata  # slow to import; by now nothing waits for it

    engines: dict[str, str] = {}
    if "split" in settings.passes:
        engines |= packages.versions(settings, root)
    if "minify" in settings.passes:
        engines |= engine_versions(settings, root)
    if "images" in settings.passes:
        engines |= variants.engine_versions()
    if "compress" in settings.passes:
        engines |= {"brotli": metadata.version("brotli"), "zlib": zlib.ZLIB_RUNTIME_VERSION}
    return manifest.build(site, setting.digest(settings), engines, settings.site.base, settings.site.origin)


# A site that was optimized already


def _recorded(found: Site, order: Order) -> Manifest | None:
    """The manifest of a site that is an output of ours already, None for any other and where force is used.

    Raises InputError if settings or files are not those of the manifest.
    """
    if order.force or MANIFEST_NAME not in found.assets:
        return None
    recorded = Manifest.load(found.assets[MANIFEST_NAME].location)
    difference = ""
    if recorded.settings != setting.digest(order.settings):
        difference = "with other settings"
    elif changed := _difference(found, recorded):
        difference = f"and changed since ({changed})"
    if difference:
        raise InputError(
            f"{order.source} was optimized already, {difference}",
            hint="Build the site afresh and optimize that, or optimize the output once more with --force.",
        )
    return recorded


def _difference(found: Site, recorded: Manifest) -> str:
    """The first file that is not as the manifest says, '' if all are."""
    expected = {path: (record.size, record.sha256) for path, record in recorded.files.items()}
    for record in recorded.files.values():
        expected |= {one.path: (one.size, one.sha256) for one in record.encodings.values()}
    present = found.assets.keys() - {MANIFEST_NAME}
    for path in sorted(expected.keys() ^ present):
        return f"{path} is {'new' if path in present else 'gone'}"
    for path, (size, digest) in expected.items():
        asset = found.assets[path]
        if asset.size != size or file_hash(texts_of_places(asset)[0]).hexdigest() != digest:
            return f"{path} has other bytes"
    return ""


def _without_manifest(found: Site) -> Site:
    if MANIFEST_NAME not in found.assets:
        return found
    return found.with_only(one for path, one in found.assets.items() if path != MANIFEST_NAME)


def _as_recorded(found: Site, recorded: Manifest) -> Site:
    """The site as its manifest describes it: sidecars are no files of their own."""
    return replace(
        found.with_only(asset for path, asset in found.assets.items() if path in recorded.files),
        encodings={
            path: {
                coding: Encoding(one.path, one.size, one.sha256, texts_of_places(found.assets[one.path])[0])
                for coding, one in record.encodings.items()
            }
            for path, record in recorded.files.items()
            if record.encodings
        },
    )


# The outcome


def _originals(site: Site) -> Iterator[tuple[Kind, int]]:
    """Kind and size of the input's files, but for its manifest and its sidecars, which the output counts nowhere."""
    root = os.path.join(site.root, "")  # noqa: PTH118 - with a separator at the end
    for asset in site.assets.originals():
        _, original = texts_of_places(asset)
        # What a vendor's file is checked against was made here, or in an earlier run.
        if original.startswith(root):
            yield asset.kind, os.stat(original).st_size  # noqa: PTH116


def _reused_names(previous: Manifest | None, made: Manifest) -> Iterator[Diagnostic]:
    """Names that browsers keep for ever, and that now stand for other bytes."""
    for path, record in previous.files.items() if previous else ():
        new = made.files.get(path)
        if record.cache_class == "immutable" and new is not None and new.sha256 != record.sha256:
            yield error(
                "immutable-changed",
                path,
                "the previous release served other bytes under this name, as immutable: browsers keep those for a year",
                "Give the file another name, or leave it out of this release.",
            )


def _judged(order: Order, made: Manifest, summary: Summary, *, already: bool) -> Result:
    def result(outcome: Outcome, told: str, advice: str = "") -> Result:
        return Result(outcome, summary, made.release, order.output, told, advice, manifest=made)

    errors, warnings = (sum(one.level == level for one in made.diagnostics) for level in ("error", "warning"))
    if errors or (order.strict and warnings):
        why = f"{_counted(errors, 'error')}" if errors else f"{_counted(warnings, 'warning')} under --strict"
        advice = "See the diagnostics above." if errors else "See the warnings above, or run without --strict."
        return result("rejected", f"{why}: nothing was written", advice)
    release = f"release {made.release[:16]}"
    if already and order.target is None:
        by = "" if made.generator == f"v1z3r-build {__version__}" else f" by {made.generator}"
        return result("unchanged", f"{order.output} was optimized already{by}; {release}")
    proved = f"{summary.immutable} of {_counted(len(made.files), 'file')} immutable, {release}"
    if order.dry_run:
        return result("tried", f"{proved}; nothing was written, for this is a dry run")
    return result("published", f"{proved}; written to {order.output}")


def _counted(count: int, noun: str) -> str:
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"
