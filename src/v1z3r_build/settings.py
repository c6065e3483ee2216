"""Every setting with its default, unit and check; read from a file, overridden by the command line."""

from __future__ import annotations

from dataclasses import dataclass, field

PASS_NAMES = ("split", "minify", "images", "link", "compress")


@dataclass(frozen=True, slots=True)
class SiteSettings:
    """`[site]`: where the site is published."""

    base: str = "/"  # the path below which it is served; begins and ends with a slash
    origin: str = ""  # "https://example.com": absolute URLs with this origin are the site's own


@dataclass(frozen=True, slots=True)
class MinifySettings:
    """`[minify]`: engines, in order of trust; each file keeps the smallest result as transferred."""

    engines: tuple[str, ...] = ()  # extra engines by name: terser, swc, esbuild, tdewolff
    node_modules: str = ""  # the folder in which the app's own engines are found; '' looks beside the site
    skip: tuple[str, ...] = ()  # patterns of files that are left as they are
    seconds: float = 30.0  # time limit for one file in one engine


@dataclass(frozen=True, slots=True)
class NamesSettings:
    """`[names]`: patterns (shell style, `**` over folders) that overrule what linking would do."""

    keep: tuple[str, ...] = ()  # never renamed, never copied
    drop: tuple[str, ...] = ()  # originals that may go once a hashed copy stands in for them


@dataclass(frozen=True, slots=True)
class CompressSettings:
    """`[compress]`: which sidecars are written."""

    encodings: tuple[str, ...] = ("br", "gzip")
    brotli_quality: int = 11
    gzip_level: int = 9
    min_ratio: float = 0.05  # a sidecar must save at least this share of the file …
    min_bytes: int = 100  # … and at least this many bytes


@dataclass(frozen=True, slots=True)
class Settings:
    """All settings of one run, frozen. `passes` holds the names of the passes that run, in order."""

    site: SiteSettings = field(default_factory=SiteSettings)
    minify: MinifySettings = field(default_factory=MinifySettings)
    names: NamesSettings = field(default_factory=NamesSettings)
    compress: CompressSettings = field(default_factory=CompressSettings)
    passes: tuple[str, ...] = PASS_NAMES
    jobs: int = 0  # worker processes; 0 means one a core
