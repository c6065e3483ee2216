"""What would make a site load faster, or should not be published: computed from its routes, told as data.

Each rule is a pure function of the manifest and the evidence, and a line in the list at the end.
"""

from __future__ import annotations

import posixpath
from collections import Counter, defaultdict
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any

from v1z3r_build.diagnostics import Diagnostic
from v1z3r_build.transfers import Load, initial, lazy, size
from v1z3r_build.wording import size as words

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from v1z3r_build.diagnostics import Level
    from v1z3r_build.manifest import FileRecord, Manifest
    from v1z3r_build.report.evidence import Evidence

    Rule = Callable[[Manifest, Evidence], Iterator["Advice"]]

_LEVELS: tuple[Level, ...] = ("error", "warning", "info")
# What is imported to load a vendor, where that is not its label.
_PACKAGES = {"tfjs": "@tensorflow/tfjs"}
# Bounds of rules: bytes as transferred with brotli, unless they say otherwise.
_VENDOR_BYTES = 20_000  # below it, a request of its own gains nothing
_STYLE_BYTES = 50_000  # a quarter of a second at the 1.6 Mbit/s that Lighthouse simulates
_REQUESTS = 60  # HTTP/2 takes many at once, but each has its headers and its place in the cache
_MUTABLE_BYTES, _MUTABLE_SHARE = 20_000, 0.5
_PLAIN_BYTES = 1_400  # raw; what fits into one packet travels no faster when it is smaller
_PICTURE_BYTES, _DENSITY = 10_000, 2  # most screens show two pixels of a picture for one of the page at most
_TWICE_BYTES = 4_000
_FONTS = 3  # a browser that must fetch more at once shows text later, not earlier
_FONT_TYPES = frozenset({"font/woff2"})  # the one format that every browser takes
_TEXT = ("html", "script", "style", "json", "text", "wasm")
# Names that say what a file is, in lower case: of the file alone, or with `/` of the whole path.
_SECRETS = (
    ".env", ".env.*", "*.env", "id_rsa", "id_dsa", "id_ecdsa", "id_ed25519", ".npmrc", ".pypirc", ".netrc", ".htpasswd",
    ".git-credentials", "*.p12", "*.pfx", "*.jks", "*.keystore", "*.kdbx", "credentials.json", "service-account*.json",
    "*.tfstate", ".aws/*", ".ssh/*", ".git/*", "*/.aws/*", "*/.ssh/*", "*/.git/*",
)  # fmt: skip
_PUBLIC = (".env.example", ".env.sample", ".env.template")
_LEFT_OVERS = (
    ".ds_store", "thumbs.db", "desktop.ini", "*.bak", "*.orig", "*.old", "*.swp", "*.swo", "*~", "*.tmp",
    "npm-debug.log*", "yarn-error.log", "*.tsbuildinfo", ".gitignore", ".eslintcache", "__macosx/*", "*/__macosx/*",
    "node_modules/*", ".svn/*", ".hg/*", "*/.svn/*", "*/.hg/*",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Advice:
    """One thing to mend.

    code: a stable name in kebab case. level: error for what must not be published. routes: where it shows; empty for
    the site as a whole. files: paths, the largest first. bytes: how many are at stake, as transferred with brotli.
    """

    level: Level
    code: str
    routes: tuple[str, ...]
    files: tuple[str, ...]
    bytes: int
    message: str
    hint: str

    def told(self) -> Diagnostic:
        """The advice as people read it on a terminal. Its files stand in the message."""
        return Diagnostic("", 0, 0, self.level, self.code, self.message, self.hint)

    def to_json(self) -> dict[str, Any]:
        """The advice for programs."""
        return {
            "level": self.level,
            "code": self.code,
            "routes": list(self.routes),
            "files": list(self.files),
            "bytes": self.bytes,
            "message": self.message,
            "hint": self.hint,
        }


def advise(manifest: Manifest, evidence: Evidence) -> list[Advice]:
    """All advice for an output, the most pressing first."""
    found = [one for rule in RULES for one in rule(manifest, evidence)]
    return sorted(found, key=lambda one: (_LEVELS.index(one.level), -one.bytes, one.code, one.routes, one.files))


def vendor_at_once(manifest: Manifest, evidence: Evidence) -> Iterator[Advice]:
    """A library in the initial load of a page."""
    where: defaultdict[tuple[str, tuple[str, ...]], list[str]] = defaultdict(list)
    for route in manifest.routes:
        load = initial(manifest, route)
        labels = {record.vendor for record in load.files.values() if record.vendor}
        for label in sorted(labels):
            theirs = load.of_vendor(label)
            if theirs.size("br") >= _VENDOR_BYTES:
                where[label, _largest(theirs)].append(route)
    for (label, files), routes in where.items():
        count = _sum(manifest, files)
        message = f"{label} ({words(count)} br) is in the initial load of {_listed(routes)}"
        hint = _later(_PACKAGES.get(label, label), manifest)
        yield Advice("warning", "vendor-in-initial-load", tuple(routes), files, count, message, hint)


def _later(package: str, manifest: Manifest) -> str:
    """How to load a package when it is needed, in the words of the framework that made the site."""
    if any("_next/static/" in path for path in manifest.files):
        return (
            "Load the component that imports it with next/dynamic: "
            "`dynamic(() => import('./Scene'), { ssr: false })` in a client component, "
            f"where `./Scene` imports `{package}`; outside of components, `await import('{package}')`."
        )
    return f"Load it when it is needed: `const library = await import('{package}')`."


def vendor_copies(manifest: Manifest, evidence: Evidence) -> Iterator[Advice]:
    """One library in several scripts, as the split has found."""
    for one in manifest.diagnostics:
        if one.code == "vendor-copies":
            now = _now(manifest, one.path)
            routes = [route for route in manifest.routes if now in initial(manifest, route).files]
            count = _sum(manifest, [now])
            yield Advice(
                "warning", one.code, tuple(routes), (now,), count, f"{now or one.path}: {one.message}", one.hint
            )


def equal_bytes(manifest: Manifest, evidence: Evidence) -> Iterator[Advice]:
    """The same bytes under several URLs: a browser fetches and keeps each."""
    for files in twins(manifest):
        wasted = _sum(manifest, files[1:])
        if wasted >= _TWICE_BYTES:
            routes = [
                route
                for route in manifest.routes
                if len(set(files) & (initial(manifest, route).files.keys() | lazy(manifest, route).files.keys())) > 1
            ]
            message = f"{len(files)} files hold the same bytes; a browser that needs them all fetches each"
            yield Advice("info", "equal-bytes", tuple(routes), files, wasted, message, "Refer to one of them.")


def twins(manifest: Manifest) -> list[tuple[str, ...]]:
    """Files with equal bytes that came from different files of the input, the largest first."""
    same: defaultdict[str, dict[tuple[str, ...], str]] = defaultdict(dict)
    for path, record in sorted(manifest.files.items()):
        if record.size:
            # Of a file and the copy with a hash in its name, the copy is what pages refer to.
            held = same[record.sha256].get(record.source)
            if held is None or record.cache_class == "immutable":
                same[record.sha256][record.source] = path
    groups = [tuple(sorted(paths.values())) for paths in same.values() if len(paths) > 1]
    return sorted(groups, key=lambda paths: (-_sum(manifest, paths[1:]), paths))


def font_late(manifest: Manifest, evidence: Evidence) -> Iterator[Advice]:
    """Fonts that a browser finds only when it has the style sheet."""
    where: defaultdict[tuple[str, ...], list[str]] = defaultdict(list)
    for route, record in manifest.routes.items():
        load = initial(manifest, route)
        named = {font for path in load.files for font in evidence.fonts.get(path, ())}
        page = evidence.pages.get(record.html)
        late = {
            font: manifest.files[font]
            for font in named - (page.preloads if page else frozenset())
            if manifest.files[font].content_type in _FONT_TYPES
        }
        # Of many, most are for scripts and styles that a page does not use (`unicode-range`).
        if page and 0 < len(late) <= _FONTS:
            where[_largest(Load(late))].append(route)
    for files, routes in where.items():
        message = f"{_names(files)} {_is(files)} found only after the style sheet of {_listed(routes)}"
        element = f'<link rel="preload" as="font" type="font/woff2" crossorigin href="{_url(manifest, files[0])}">'
        hint = f"If the first screen shows it: `{element}`"
        yield Advice("info", "font-not-preloaded", tuple(routes), files, _sum(manifest, files), message, hint)


def picture_too_large(manifest: Manifest, evidence: Evidence) -> Iterator[Advice]:
    """Pictures with many more pixels than the page's attributes ask for."""
    where: defaultdict[str, list[tuple[str, int, int]]] = defaultdict(list)
    for route, record in manifest.routes.items():
        page = evidence.pages.get(record.html)
        for shown in page.shown if page else ():
            real = evidence.pixels.get(shown.path)
            if real and real[0] > _DENSITY * shown.width and real[1] > _DENSITY * shown.height:
                where[shown.path].append((route, shown.width, shown.height))
    for path, places in where.items():
        width, height = evidence.pixels[path]
        # The largest place decides.
        wide, high = max((wide, high) for _, wide, high in places)
        needed = (_DENSITY * wide) * (_DENSITY * high)
        wasted = round(_sum(manifest, [path]) * (1 - needed / (width * height)))
        if wasted >= _PICTURE_BYTES:
            routes = tuple(dict.fromkeys(route for route, _, _ in places))
            message = (
                f"{path} has {width} × {height} pixels, {_listed(routes)} asks for {wide} × {high}; about "
                f"{words(wasted)} too much, also for screens of double density"
            )
            better = f"{_DENSITY * wide} × {_DENSITY * high} pixels"
            hint = f"If no style shows it larger, offer it in {better}, or in several sizes by `srcset`."
            yield Advice("warning", "image-larger-than-shown", routes, (path,), wasted, message, hint)


def script_blocks(manifest: Manifest, evidence: Evidence) -> Iterator[Advice]:
    """Scripts in the head for which a page waits."""
    where: defaultdict[tuple[str, ...], list[str]] = defaultdict(list)
    for route, record in manifest.routes.items():
        page = evidence.pages.get(record.html)
        if page and page.blocking:
            where[tuple(dict.fromkeys(page.blocking))].append(route)
    for files, routes in where.items():
        count = _sum(manifest, files)
        message = f"{_listed(routes)} shows nothing before {_names(files)} ({words(count)} br) has run"
        hint = "Give the elements `defer`, or `async` where the order does not matter."
        yield Advice("warning", "render-blocking-script", tuple(routes), files, count, message, hint)


def style_heavy(manifest: Manifest, evidence: Evidence) -> Iterator[Advice]:
    """Much CSS before the first paint."""
    where: defaultdict[tuple[str, ...], list[str]] = defaultdict(list)
    for route in manifest.routes:
        styles = initial(manifest, route).of_kind("style")
        if styles.size("br") > _STYLE_BYTES:
            where[_largest(styles)].append(route)
    for files, routes in where.items():
        count = _sum(manifest, files)
        message = f"{_listed(routes)} shows nothing before {words(count)} br of CSS has come"
        hint = "Load the styles of parts that are not shown at first together with those parts."
        yield Advice("warning", "render-blocking-style", tuple(routes), files, count, message, hint)


def style_unused(manifest: Manifest, evidence: Evidence) -> Iterator[Advice]:
    """Style sheets that no page and no script refers to."""
    if not manifest.routes:
        return
    used: set[str] = set()
    for route in manifest.routes.values():
        used.update(route.initial, route.lazy)
    sources = {source for path in used if path in manifest.files for source in manifest.files[path].source}
    files = {
        path: record
        for path, record in manifest.files.items()
        if record.kind == "style" and path not in used and not sources.intersection(record.source)
    }
    if files:
        unused = _largest(Load(files))
        message = f"no page and no script was found that uses {_names(unused)}"
        hint = "If nothing outside of the site asks for it, leave it out of the build."
        yield Advice("info", "unused-style", (), unused, _sum(manifest, unused), message, hint)


def source_maps(manifest: Manifest, evidence: Evidence) -> Iterator[Advice]:
    """Source maps: everybody can read the sources."""
    maps = _largest(Load({path: record for path, record in manifest.files.items() if path.endswith(".map")}))
    if maps:
        message = f"{_many(len(maps), 'source map')} would be published: everybody can read the sources"
        hint = (
            "If that is not meant, upload them to your error tracker only, and leave them out here "
            "(Next.js: `productionBrowserSourceMaps: false`; Vite: `build.sourcemap: 'hidden'`, then delete `*.map`)."
        )
        yield Advice("warning", "source-map-published", (), maps, _sum(manifest, maps), message, hint)


def secrets(manifest: Manifest, evidence: Evidence) -> Iterator[Advice]:
    """Files that look like secrets, by name or by what they hold."""
    present = sorted({*manifest.files, *evidence.strays})
    named = {path for path in present if _matches(path, _SECRETS) and not _matches(path, _PUBLIC)}
    if found := sorted(named | set(evidence.keys)):
        files = tuple(found)
        message = f"{_names(files)} {_is(files)} not for the public, by name or by contents"
        hint = "Delete it from the folder before anything is uploaded; if it was public once, replace the secret."
        yield Advice("error", "secret-published", (), files, _sum(manifest, files), message, hint)


def left_overs(manifest: Manifest, evidence: Evidence) -> Iterator[Advice]:
    """Files of systems and editors that no visitor needs."""
    files = tuple(path for path in sorted({*manifest.files, *evidence.strays}) if _matches(path, _LEFT_OVERS))
    if files:
        message = f"{_names(files)} {_is(files)} left over from work, and would be published"
        hint = "Delete it from the folder, and see what copies it there."
        yield Advice("warning", "left-over-published", (), files, _sum(manifest, files), message, hint)


def little_immutable(manifest: Manifest, evidence: Evidence) -> Iterator[Advice]:
    """Pages of which returning visitors ask for most files again."""
    where: defaultdict[tuple[str, ...], list[str]] = defaultdict(list)
    shares: dict[tuple[str, ...], tuple[int, int]] = {}
    for route, record in manifest.routes.items():
        load = initial(manifest, route)
        files = {path: one for path, one in load.files.items() if path != record.html}
        asked = Load({path: one for path, one in files.items() if one.cache_class != "immutable"})
        all_bytes, asked_bytes = Load(files).size("br"), asked.size("br")
        if asked_bytes >= _MUTABLE_BYTES and asked_bytes > (1 - _MUTABLE_SHARE) * all_bytes:
            where[_largest(asked)].append(route)
            shares[_largest(asked)] = (asked_bytes, all_bytes)
    for paths, routes in where.items():
        asked_bytes, all_bytes = shares[paths]
        part = f"{words(asked_bytes)} of {words(all_bytes)} br"
        message = f"of what {_listed(routes)} loads, {part} cannot be kept for a year"
        reasons = Counter(manifest.files[path].kept for path in paths if manifest.files[path].kept)
        most = next(iter(reasons.most_common(1)), ("", 0))[0]
        hint = f"Their names hold no proved hash{f' ({most})' if most else ''}: see what was held back, and why."
        yield Advice("warning", "little-immutable", tuple(routes), paths, asked_bytes, message, hint)


def text_plain(manifest: Manifest, evidence: Evidence) -> Iterator[Advice]:
    """Text that has no smaller encoding beside it."""
    files = manifest.files
    texts = {path: record for path, record in files.items() if _is_text(record) and record.size >= _PLAIN_BYTES}
    plain = _largest(Load({path: record for path, record in texts.items() if not record.encodings}))
    if plain:
        message = f"{len(plain)} of {len(texts)} texts have no encoding beside them: they travel whole"
        hint = "Unless the host compresses: let the pass `compress` run, or see in the diagnostics why it left them."
        yield Advice("warning", "text-not-compressed", (), plain, _sum(manifest, plain), message, hint)


def many_requests(manifest: Manifest, evidence: Evidence) -> Iterator[Advice]:
    """Pages that need very many files at once."""
    for route in manifest.routes:
        load = initial(manifest, route)
        if load.requests > _REQUESTS:
            kinds = Counter(record.kind for record in load.files.values()).most_common(1)[0]
            message = f"{route} needs {load.requests} requests at once, {kinds[1]} of them for files of kind {kinds[0]}"
            hint = 'Let the bundler join small files, and load pictures below the first screen with `loading="lazy"`.'
            yield Advice("warning", "many-requests", (route,), _largest(load), load.size("br"), message, hint)


RULES: tuple[Rule, ...] = (
    vendor_at_once,
    vendor_copies,
    equal_bytes,
    font_late,
    picture_too_large,
    script_blocks,
    style_heavy,
    style_unused,
    source_maps,
    secrets,
    left_overs,
    little_immutable,
    text_plain,
    many_requests,
)


def _is_text(record: FileRecord) -> bool:
    return record.kind in _TEXT or record.content_type.startswith("image/svg+xml")


def _matches(path: str, patterns: Iterable[str]) -> bool:
    lower = path.lower()
    name = posixpath.basename(lower)
    return any(fnmatchcase(lower if "/" in pattern else name, pattern) for pattern in patterns)


def _now(manifest: Manifest, source: str) -> str:
    """The file in which the vendor of a script of the input lies now: taken out of it, or itself. '' without one."""
    made = {path: record for path, record in sorted(manifest.files.items()) if source in record.source}
    return max(made, key=lambda path: (bool(made[path].vendor), made[path].cache_class == "immutable"), default="")


def _sum(manifest: Manifest, paths: Iterable[str]) -> int:
    files: Mapping[str, FileRecord] = manifest.files
    return sum(size(files[path], "br") for path in paths if path in files)


def _largest(load: Load) -> tuple[str, ...]:
    return tuple(sorted(load.files, key=lambda path: (-size(load.files[path], "br"), path)))


def _url(manifest: Manifest, path: str) -> str:
    from urllib.parse import quote

    return manifest.base + quote(path)


def _listed(routes: Iterable[str]) -> str:
    return _some(tuple(routes), "route")


def _names(paths: tuple[str, ...]) -> str:
    return _some(tuple(posixpath.basename(path) for path in paths), "file")


def _some(names: tuple[str, ...], what: str) -> str:
    """`a`, `a and b`, `a, b and 3 more routes`."""
    if len(names) < 3:
        return " and ".join(names)
    return f"{names[0]}, {names[1]} and {len(names) - 2} more {what}{'s' if len(names) > 3 else ''}"


def _is(names: tuple[str, ...]) -> str:
    return "is" if len(names) == 1 else "are"


def _many(count: int, what: str) -> str:
    return f"{count} {what}{'' if count == 1 else 's'}"
