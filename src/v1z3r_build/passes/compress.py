"""The pass that puts sidecars beside files: the same bytes in the content codings that browsers accept."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from v1z3r_build.codecs import brotli_coding
from v1z3r_build.codecs.content_codings import CODINGS
from v1z3r_build.diagnostics import Diagnostic, info, warning
from v1z3r_build.passes.sidecars import is_encoded, settle
from v1z3r_build.site.asset import file_hash, texts_of_places
from v1z3r_build.site.media_types import compressible
from v1z3r_build.site.site import Encoding
from v1z3r_build.site.spooled import Spooled
from v1z3r_build.workers.call import Call, always

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from v1z3r_build.settings import CompressSettings, Settings
    from v1z3r_build.site.asset import Asset
    from v1z3r_build.site.site import Site
    from v1z3r_build.workers.pool import Failure, Pool
    from v1z3r_build.workers.progress import Progress

_LOOK = 1  # brotli's quality for a quick look: 100 MB/s and more, and nearly the same size where only digits repeat

# For a megabyte, brotli 11 takes 2 s and brotli 9 0.1 s: above this limit (bytes) a file would hold up the run for
# minutes. No CDN would compress it at all (CloudFront stops at 10 MB).
HUGE = 64 << 20
_HUGE_QUALITY = 9
LARGEST = 512 << 20  # bytes; a file above must not be held in memory


def compress(site: Site, settings: Settings, pool: Pool, progress: Progress) -> Site:
    """The site with sidecars for every file whose type gains, each kept only where it pays.

    A sidecar pays if it saves `min_ratio` and `min_bytes` of the file as it is. Of the input's own sidecar and ours,
    both of which must be right and pay, the smaller is kept. A name that a file has already is never taken.
    """
    rules = settings.compress
    site = settle(site, pool)
    firsts: list[str] = []
    twins: dict[str, list[str]] = {}
    for first, *others in _equal(site, (one for one in _candidates(site, rules) if one.size <= LARGEST)):
        firsts.append(first)
        if others:
            twins[first] = others
    progress.start("compress", sum(map(site.assets.size, firsts)))
    known = {path: _paying(of, site.assets[path], rules) for path, of in site.encodings.items()}
    encodings = Spooled[dict[str, Encoding]](site.spool)
    diagnostics = [said for asset in _candidates(site, rules) for said in _about_size(asset, rules)]
    for outcome in pool.run(_calls(site, firsts, rules)):
        group = [site.assets[path] for path in (outcome.key, *twins.get(outcome.key, ()))]
        progress.advance(group[0].size)
        if outcome.failure:
            diagnostics += (_failed(asset, outcome.failure) for asset in group)
            continue
        for asset in group:
            if offered := _offered(site, asset, outcome.value, known.pop(asset.path, {})):
                encodings[asset.path] = dict(sorted(offered.items()))
    for path, left in known.items():
        if left:
            encodings[path] = left
    return replace(site, encodings=encodings, diagnostics=(*site.diagnostics, *sorted(diagnostics)))


def foreseen(site: Site, settings: Settings) -> Iterator[Call]:
    """The calls for large files whose bytes no pass changes, as a rule: vendors' scripts, which name no others."""
    rules, size = settings.compress, site.assets.size
    vendors = [path for path, traits in site.assets.each_traits() if traits.vendor]
    paths = [path for path in vendors if pays(size(path), 1, rules) and size(path) <= LARGEST]
    return _calls(site, sorted(paths, key=size, reverse=True), rules)


def encode_file(rules: CompressSettings, unknown: bool, data: bytes) -> dict[str, bytes]:
    """A file in each content coding of the settings that pays. unknown: it is worth a quick look whether it gains."""
    if unknown and not pays(len(data), len(brotli_coding.encode(data, _LOOK)), rules):
        return {}
    efforts = {
        "br": min(rules.brotli_quality, _HUGE_QUALITY) if len(data) > HUGE else rules.brotli_quality,
        "gzip": rules.gzip_level,
    }
    encoded = {name: CODINGS[name].encode(data, efforts[name]) for name in rules.encodings}
    return {name: one for name, one in encoded.items() if pays(len(data), len(one), rules)}


def pays(size: int, encoded: int, rules: CompressSettings) -> bool:
    """Whether so many encoded bytes save enough of a file of that size."""
    return size - encoded >= max(1, rules.min_bytes, rules.min_ratio * size)


def _candidates(site: Site, rules: CompressSettings) -> Iterator[Asset]:
    for path, traits in site.assets.each_traits():
        if compressible(traits.content_type) and not is_encoded(path) and pays(site.assets.size(path), 1, rules):
            yield site.assets[path]


def _is_unknown(asset: Asset) -> bool:
    """Whether it may be anything, from zeros to an archive, whatever its type says."""
    return asset.kind == "other"


def _equal(site: Site, assets: Iterable[Asset]) -> Iterator[list[str]]:
    """The assets in groups of equal bytes, such as a file and its hashed copy. Only equal sizes need a closer look."""
    by_size: dict[tuple[bool, int], list[str]] = defaultdict(list)
    for asset in assets:
        by_size[_is_unknown(asset), asset.size].append(asset.path)
    for group in by_size.values():
        by_digest: dict[bytes, list[str]] = defaultdict(list)
        for path in group:
            by_digest[_digest(site.assets[path]) if len(group) > 1 else b""].append(path)
        yield from by_digest.values()


def _digest(asset: Asset) -> bytes:
    return file_hash(texts_of_places(asset)[0]).digest()


def _calls(site: Site, paths: Iterable[str], rules: CompressSettings) -> Iterator[Call]:
    def arguments(path: str) -> tuple[Any, ...]:
        asset = site.assets[path]
        return rules, _is_unknown(asset), asset.location

    for path in paths:
        yield Call(path, encode_file, arguments, site.assets.size(path), cached=always)


def _paying(encodings: Mapping[str, Encoding], asset: Asset, rules: CompressSettings) -> dict[str, Encoding]:
    return {name: one for name, one in encodings.items() if pays(asset.size, one.size, rules)}


def _offered(site: Site, asset: Asset, made: Mapping[str, bytes], known: dict[str, Encoding]) -> dict[str, Encoding]:
    """Its encodings: those that were made, but for names that are taken and where the input's sidecar is smaller."""
    for name, data in made.items():
        path = asset.path + CODINGS[name].suffix
        if path not in site.assets and (name not in known or len(data) <= known[name].size):
            location = site.place(path, data, asset)
            known[name] = Encoding(path, len(data), hashlib.sha256(data).hexdigest(), location)
    return known


def _about_size(asset: Asset, rules: CompressSettings) -> Iterator[Diagnostic]:
    hint = "a file of this size is slow to load in any case: split it, or fetch it in parts"
    if asset.size > LARGEST:
        message = f"it is larger than {LARGEST >> 20} MiB and was not compressed"
        yield info("not-compressed", asset.path, message, hint)
    elif asset.size > HUGE and "br" in rules.encodings and rules.brotli_quality > _HUGE_QUALITY:
        message = f"it is larger than {HUGE >> 20} MiB and was compressed with brotli quality {_HUGE_QUALITY} only"
        yield info("compressed-faster", asset.path, message, hint)


def _failed(asset: Asset, failure: Failure) -> Diagnostic:
    reasons = {
        "raised": "compressing it failed",
        "crashed": "the process that compressed it ended abnormally",
        "timeout": "compressing it took too long",
        "memory": "compressing it took too much memory",
    }
    detail = f" ({failure.message})" if failure.message else ""
    return warning("compress-failed", asset.path, f"{reasons[failure.reason]}{detail}; it has no sidecars")
