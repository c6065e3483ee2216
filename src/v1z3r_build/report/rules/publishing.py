"""What would be published, and should not, or need not."""

from __future__ import annotations

import posixpath
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

from v1z3r_build.report.advice import Advice, are, largest, names, weight
from v1z3r_build.transfers import Load
from v1z3r_build.wording import many

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from v1z3r_build.manifest import Manifest
    from v1z3r_build.report.evidence import Evidence

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


def secrets(manifest: Manifest, evidence: Evidence) -> Iterator[Advice]:
    """Files that look like secrets, by name or by what they hold."""
    present = sorted({*manifest.files, *evidence.strays})
    named = {path for path in present if _matches(path, _SECRETS) and not _matches(path, _PUBLIC)}
    if found := sorted(named | set(evidence.keys)):
        files = tuple(found)
        message = f"{names(files)} {are(files)} not for the public, by name or by contents"
        hint = "Delete it from the folder before anything is uploaded; if it was public once, replace the secret."
        yield Advice("error", "secret-published", (), files, weight(manifest, files), message, hint)


def source_maps(manifest: Manifest, evidence: Evidence) -> Iterator[Advice]:
    """Source maps: everybody can read the sources."""
    maps = largest(Load({path: record for path, record in manifest.files.items() if path.endswith(".map")}))
    if maps:
        message = f"{many(len(maps), 'source map')} would be published: everybody can read the sources"
        hint = (
            "If that is not meant, upload them to your error tracker only, and leave them out here "
            "(Next.js: `productionBrowserSourceMaps: false`; Vite: `build.sourcemap: 'hidden'`, then delete `*.map`)."
        )
        yield Advice("warning", "source-map-published", (), maps, weight(manifest, maps), message, hint)


def left_overs(manifest: Manifest, evidence: Evidence) -> Iterator[Advice]:
    """Files of systems and editors that no visitor needs."""
    files = tuple(path for path in sorted({*manifest.files, *evidence.strays}) if _matches(path, _LEFT_OVERS))
    if files:
        message = f"{names(files)} {are(files)} left over from work, and would be published"
        hint = "Delete it from the folder, and see what copies it there."
        yield Advice("warning", "left-over-published", (), files, weight(manifest, files), message, hint)


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
        unused = largest(Load(files))
        message = f"no page and no script was found that uses {names(unused)}"
        hint = "If nothing outside of the site asks for it, leave it out of the build."
        yield Advice("info", "unused-style", (), unused, weight(manifest, unused), message, hint)


def _matches(path: str, patterns: Iterable[str]) -> bool:
    lower = path.lower()
    name = posixpath.basename(lower)
    return any(fnmatchcase(lower if "/" in pattern else name, pattern) for pattern in patterns)
