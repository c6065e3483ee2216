"""Every setting with its default, unit and check; read from a file, overridden by the command line."""

from __future__ import annotations

import hashlib
import json
import math
import re
from dataclasses import MISSING, dataclass, field, fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, get_type_hints

from v1z3r_build.diagnostics import InputError

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping, Sequence

PASS_NAMES = ("split", "minify", "images", "link", "compress")
FILE_NAME = "v1z3r-build.toml"
PROJECT_FILE_NAME = "pyproject.toml"
TOOL_NAME = "v1z3r-build"
COMMAND_LINE = "command line"
# The labels of the table of vendors (bundlers/vendors.toml).
VENDORS = ("three", "tfjs")
# What images are made in, the better first, and how a page may be given them.
IMAGE_FORMATS = ("avif", "webp")
IMAGE_MODES = ("auto", "replace", "picture", "negotiate", "off")
# Tables that stand in the same file and have a reader of their own: their keys are the site's routes and files.
READ_ELSEWHERE = ("budget",)


class _Rule(NamedTuple):
    """What a setting means and which values it takes.

    help: for the reader of `example()`. low, high: bounds of a number, both included. choices: the words that a list
    may hold. tidy: checks a text and gives its one spelling; raises ValueError with what was expected.
    place: the text names a folder, relative to the file that it stands in. shapes: whether the output depends on it.
    """

    help: str
    low: float = -math.inf
    high: float = math.inf
    choices: tuple[str, ...] = ()
    tidy: Callable[[str], str] = str
    place: bool = False
    shapes: bool = True


def _setting(default: Any, help: str, **rule: Any) -> Any:
    return field(default=default, metadata={"rule": _Rule(help, **rule)})


def _base(text: str) -> str:
    path = text if text.startswith("/") else f"/{text}"
    path = path if path.endswith("/") else f"{path}/"
    if re.search(r"[\\%?#:]|//|/\.\.?/|[\x00-\x1f]", path):
        raise ValueError('a path such as "/sub/", without host, query and percent signs')
    return path


def _origin(text: str) -> str:
    origin = text.lower().removesuffix("/")
    if origin and not re.fullmatch(r"https?://[^\s/?#@\\]+", origin):
        raise ValueError('a scheme and a host such as "https://example.com", without a path')
    return origin


def _mode(text: str) -> str:
    if text not in IMAGE_MODES:
        raise ValueError(f"one of {', '.join(IMAGE_MODES)}")
    return text


def _library(text: str) -> str:
    # The rules of npm for names of packages.
    if not re.fullmatch(r"(?:@[a-z0-9~-][a-z0-9._~-]*/)?[a-z0-9~-][a-z0-9._~-]*", text):
        raise ValueError(f'a list of {", ".join(VENDORS)}, or names of npm packages such as "@babylonjs/core"')
    return text


@dataclass(frozen=True, slots=True)
class SiteSettings:
    """Where the site is published."""

    base: str = _setting("/", "the path below which the site is served", tidy=_base)
    origin: str = _setting("", "absolute URLs with this origin, as https://example.com, are the site's", tidy=_origin)


@dataclass(frozen=True, slots=True)
class SplitSettings:
    """Libraries that are taken out of the scripts that they lie mixed in, into files that only they change."""

    vendors: tuple[str, ...] = _setting(
        VENDORS, f"which: {', '.join(VENDORS)}, or names of npm packages in node_modules", tidy=_library
    )
    min_size: int = _setting(20_000, "the bytes as transferred from which a library is worth a file of its own", low=0)
    node_modules: str = _setting(
        "", "where packages are found, relative to this file; empty: beside the site", place=True, shapes=False
    )
    max_initial_requests: int = _setting(30, "a script stays whole if a page would make more requests at once", low=1)

    @property
    def known(self) -> tuple[str, ...]:
        """The vendors that are of the table."""
        return tuple(name for name in self.vendors if name in VENDORS)

    @property
    def packages(self) -> tuple[str, ...]:
        """The others, npm packages."""
        return tuple(name for name in self.vendors if name not in VENDORS)


@dataclass(frozen=True, slots=True)
class MinifySettings:
    """Scripts, styles, pages, JSON and SVG; each file keeps the smallest result as transferred."""

    engines: tuple[str, ...] = _setting(
        (),
        "further engines for scripts: terser, swc and esbuild from the app's node_modules, tdewolff from its package",
        choices=("terser", "swc", "esbuild", "tdewolff"),
    )
    node_modules: str = _setting(
        "", "where the app's engines are found, relative to this file; empty: beside the site", place=True, shapes=False
    )
    skip: tuple[str, ...] = _setting((), "patterns of files that are left as they are")
    seconds: float = _setting(30.0, "time limit in seconds for one file in one engine; 0: none", low=0)


@dataclass(frozen=True, slots=True)
class ImagesSettings:
    """Images in AVIF and WebP, as small as they can be and still look the same."""

    formats: tuple[str, ...] = _setting(IMAGE_FORMATS, "what is made: avif, webp", choices=IMAGE_FORMATS)
    target: float = _setting(
        80.0,
        "how much they look the same, by SSIMULACRA 2: 70 good, 80 as the original beside it, 90 exact to the eye",
        low=30,
        high=95,
    )
    mode: str = _setting(
        "auto",
        "how pages get them: auto, or by replace (the name of the WebP everywhere), picture (<picture>, image-set) or "
        "negotiate (by servers alone), or off",
        tidy=_mode,
    )
    replace: tuple[str, ...] = _setting((), "patterns of images whose mode is replace")
    picture: tuple[str, ...] = _setting((), "patterns of images whose mode is picture")
    negotiate: tuple[str, ...] = _setting((), "patterns of images whose mode is negotiate")
    off: tuple[str, ...] = _setting((), "patterns of images that are left as they are")
    lossy: tuple[str, ...] = _setting((), "patterns of images that scripts use and that need not keep every pixel")
    lossless: tuple[str, ...] = _setting((), "patterns of images that keep every pixel, wherever they are used")
    widths: tuple[int, ...] = _setting(
        (), "widths in pixels that are made as well, for pages that no script changes", low=16, high=16383
    )
    max_pixels: int = _setting(
        50_000_000, "pixels, of all frames together, from which an image is left as it is", low=1
    )
    seconds: float = _setting(300.0, "time limit in seconds for one image; 0: none", low=0)


@dataclass(frozen=True, slots=True)
class NamesSettings:
    """Patterns (`*` within a folder, `**` over folders, `fonts/` for all below) that overrule what linking would do."""

    keep: tuple[str, ...] = _setting((), "files that are never renamed and never copied")
    drop: tuple[str, ...] = _setting((), "originals that may go once a hashed copy stands in for them")


@dataclass(frozen=True, slots=True)
class CompressSettings:
    """Which files beside the files are written, for servers that send them as they are."""

    encodings: tuple[str, ...] = _setting(("br", "gzip"), "content codings: br, gzip", choices=("br", "gzip"))
    brotli_quality: int = _setting(11, "0 (fast) to 11 (small)", low=0, high=11)
    gzip_level: int = _setting(9, "1 (fast) to 9 (small)", low=1, high=9)
    min_ratio: float = _setting(0.05, "the share of the file that an encoding must save, 0 to 1", low=0, high=1)
    min_bytes: int = _setting(100, "the bytes that an encoding must save", low=0)


@dataclass(frozen=True, slots=True)
class CacheSettings:
    """What earlier runs have made, so that it is not made again; the output never depends on it."""

    dir: str = _setting("", "the folder, relative to this file; empty: the user's own", place=True, shapes=False)
    size: int = _setting(2000, "megabytes that it may take; what was used longest ago goes", low=1, shapes=False)
    url: str = _setting("", "a cache that machines share: a folder, s3://bucket/prefix, gs://…", shapes=False)


@dataclass(frozen=True, slots=True)
class Settings:
    """All settings of one run, frozen. `passes` holds the names of the passes that run, in order."""

    passes: tuple[str, ...] = _setting(PASS_NAMES, f"what is done, of {', '.join(PASS_NAMES)}", choices=PASS_NAMES)
    jobs: int = _setting(0, "worker processes; 0: one a core", low=0, high=1024, shapes=False)
    site: SiteSettings = field(default_factory=SiteSettings)
    split: SplitSettings = field(default_factory=SplitSettings)
    minify: MinifySettings = field(default_factory=MinifySettings)
    images: ImagesSettings = field(default_factory=ImagesSettings)
    names: NamesSettings = field(default_factory=NamesSettings)
    compress: CompressSettings = field(default_factory=CompressSettings)
    cache: CacheSettings = field(default_factory=CacheSettings)


def find(site: Path, config: Path | None = None) -> Path | None:
    """The file that holds the settings of a site, None if there is none.

    config if given; else `v1z3r-build.toml` beside the site, in the working directory, or `pyproject.toml` there, if it
    has a table `[tool.v1z3r-build]`. Raises InputError if config is no file or a project file cannot be read.
    """
    if config is not None:
        if not config.is_file():
            raise InputError(f"{config} is no file", hint="Write one with `v1z3r-build init`, or leave --config out.")
        return config
    for candidate in dict.fromkeys((site.absolute().parent / FILE_NAME, Path.cwd() / FILE_NAME)):
        if candidate.is_file():
            return candidate
    project = Path.cwd() / PROJECT_FILE_NAME
    return project if project.is_file() and _tool_table(project, _parsed(project)) is not None else None


def load(site: Path, config: Path | None = None, overrides: Mapping[str, object] | None = None) -> Settings:
    """The settings for a site: defaults, then the file that `find` finds, then the overrides.

    overrides: values of the command line by key, such as `{"site.base": "/sub/", "jobs": 2}`.
    Raises InputError, which names file and key, for a file that is no TOML, for an unknown key, for a value of another
    type or out of range.
    """
    values: dict[str, Any] = {}
    source = find(site, config)
    if source is not None:
        values = _read(source)
    for key, value in (overrides or {}).items():
        values[key] = _checked(_RULES[key], key, value, COMMAND_LINE)
    sections = {
        name: kind(**{key.partition(".")[2]: value for key, value in values.items() if key.startswith(f"{name}.")})
        for name, kind in _SECTIONS.items()
    }
    return Settings(**{key: value for key, value in values.items() if "." not in key}, **sections)


def table(source: Path, name: str) -> tuple[object, tuple[str, ...]]:
    """A table that is read elsewhere, as it stands in a file, None if it is not there, and the keys that lead to it.

    Raises InputError for a file that is no TOML, and for an unknown key beside the table.
    """
    document, prefix = _document(source)
    _flattened(document, source, prefix)
    return document.get(name), (*prefix.split(".")[:-1], name)


def without_passes(settings: Settings, names: Collection[str]) -> Settings:
    """The settings of a run that leaves some passes out."""
    return replace(settings, passes=tuple(name for name in settings.passes if name not in names))


def digest(settings: Settings) -> str:
    """A stable hash of all settings on which the output depends, in hexadecimal."""
    flat = {key: _value(settings, key) for key, setting in _RULES.items() if setting.rule.shapes}
    return hashlib.sha256(json.dumps(flat, sort_keys=True).encode()).hexdigest()


def example() -> str:
    """A settings file that holds every setting, commented out, with its default."""
    lines = [
        "# Settings of v1z3r-build. The file lies beside the site's folder or in the working directory.",
        "# Every setting stands here with its default; what the command line says comes first.",
    ]
    section = ""
    for key, setting in _RULES.items():
        folder, _, name = key.rpartition(".")
        if folder != section:
            section = folder
            lines += ["", f"# {_first_line(_SECTIONS[section])}", f"[{section}]"]
        elif not section:
            lines.append("")
        help = setting.rule.help
        lines += [f"# {help[0].upper()}{help[1:]}.", f"#{name} = {_toml(setting.default)}"]
    lines += ["", "# Limits, [budget]: `v1z3r-build budget DIR --init` writes them from today's sizes."]
    return "\n".join(lines) + "\n"


class _Setting(NamedTuple):
    rule: _Rule
    kind: Any
    default: Any


def _settings_of(owner: type[Any], prefix: str) -> dict[str, _Setting]:
    hints = get_type_hints(owner)
    return {
        prefix + one.name: _Setting(one.metadata["rule"], hints[one.name], one.default)
        for one in fields(owner)
        if one.default is not MISSING
    }


_SECTIONS: dict[str, type[Any]] = {
    "site": SiteSettings,
    "split": SplitSettings,
    "minify": MinifySettings,
    "images": ImagesSettings,
    "names": NamesSettings,
    "compress": CompressSettings,
    "cache": CacheSettings,
}
_RULES: dict[str, _Setting] = _settings_of(Settings, "") | {
    key: setting for name, kind in _SECTIONS.items() for key, setting in _settings_of(kind, f"{name}.").items()
}


def _read(source: Path) -> dict[str, Any]:
    document, prefix = _document(source)
    values: dict[str, Any] = {}
    for key, value in _flattened(document, source, prefix):
        setting = _RULES[key]
        checked = _checked(setting, prefix + key, value, str(source))
        values[key] = str(source.absolute().parent / checked) if setting.rule.place and checked else checked
    return values


def _document(source: Path) -> tuple[dict[str, Any], str]:
    """What a file holds of settings, and what its keys begin with there."""
    document = _parsed(source)
    if source.name == PROJECT_FILE_NAME:
        return _tool_table(source, document) or {}, f"tool.{TOOL_NAME}."
    return document, ""


def _parsed(source: Path) -> dict[str, Any]:
    import tomllib

    try:
        with source.open("rb") as file:
            return tomllib.load(file)
    except tomllib.TOMLDecodeError as failure:
        raise InputError(f"{source} is not valid TOML: {failure}") from failure
    except UnicodeDecodeError as failure:
        raise InputError(f"{source} is not valid TOML: it is not UTF-8 at byte {failure.start}") from failure
    except (OSError, RecursionError) as failure:
        raise InputError(f"{source} cannot be read: {failure}") from failure


def _tool_table(source: Path, document: dict[str, Any]) -> dict[str, Any] | None:
    tool = document.get("tool")
    table = tool.get(TOOL_NAME) if isinstance(tool, dict) else None
    if table is not None and not isinstance(table, dict):
        raise InputError(f"{source}: tool.{TOOL_NAME} must be a table, found {_shown(table)}")
    return table


def _flattened(document: dict[str, Any], source: Path, prefix: str) -> list[tuple[str, Any]]:
    found: list[tuple[str, Any]] = []
    for name, value in document.items():
        if name in _SECTIONS:
            if not isinstance(value, dict):
                raise InputError(f"{source}: {prefix}{name} must be a table, found {_shown(value)}")
            found += [(f"{name}.{inner}", content) for inner, content in value.items()]
        elif name not in READ_ELSEWHERE:
            found.append((name, value))
    for key, _ in found:
        if key not in _RULES:
            raise InputError(f"{source}: unknown key {prefix}{key}", hint=_nearest(key, prefix))
    return found


def _nearest(key: str, prefix: str) -> str:
    """What the writer of an unknown key may have meant."""
    if key in PASS_NAMES:
        return f"The pass {key} has no settings in this version."
    section, _, name = key.rpartition(".")
    siblings = [known.rpartition(".")[2] for known in _RULES if known.rpartition(".")[0] == section]
    siblings += [] if section else [*_SECTIONS, *READ_ELSEWHERE]
    moved = [known for known in _RULES if known.rpartition(".")[2] == name]
    near = meant(name, siblings)
    if moved or near:
        right = moved[0] if moved else f"{section}.{near}".removeprefix(".")
        return f"Did you mean {prefix}{right}?"
    return f"Known there: {', '.join(siblings)}."


def meant(word: str, known: Sequence[str]) -> str:
    """Which of the known words an unknown one was probably meant to be, '' if none is near."""
    import difflib

    return next(iter(difflib.get_close_matches(word, known, n=1)), "")


def _checked(setting: _Setting, key: str, value: object, source: str) -> Any:
    """The value in the setting's type and one spelling. Raises InputError for what it does not take."""
    rule = setting.rule
    if setting.kind in (int, float):
        kinds = (int,) if setting.kind is int else (int, float)
        # To Python a bool is an int; TOML knows inf and nan.
        if isinstance(value, bool) or not isinstance(value, kinds) or not math.isfinite(value):
            raise _refused(source, key, _expected_number(setting), value)
        if not rule.low <= value <= rule.high:
            raise _refused(source, key, _expected_number(setting), value)
        return setting.kind(value)
    if setting.kind is str:
        if not isinstance(value, str):
            raise _refused(source, key, "a text", value)
        try:
            return rule.tidy(value)
        except ValueError as failure:
            raise _refused(source, key, str(failure), value) from None
    if setting.kind == tuple[int, ...]:
        return _numbers(setting, key, value, source)
    if not isinstance(value, list | tuple) or not all(isinstance(one, str) for one in value):
        raise _refused(source, key, "a list of texts", value)
    for one in value:
        if rule.choices and one not in rule.choices:
            near = meant(one, rule.choices)
            hint = f"Did you mean {near}?" if near else ""
            raise _refused(source, key, f"a list of {', '.join(rule.choices)}", one, hint)
    try:
        value = [rule.tidy(one) for one in value]
    except ValueError as failure:
        raise _refused(source, key, str(failure), value) from None
    # Choices have an order of their own (passes run in it); patterns are a set, but a reader's order is kept.
    return tuple(sorted(set(value), key=rule.choices.index)) if rule.choices else tuple(dict.fromkeys(value))


def _numbers(setting: _Setting, key: str, value: object, source: str) -> tuple[int, ...]:
    rule = setting.rule
    if not isinstance(value, list | tuple) or not all(
        isinstance(one, int) and not isinstance(one, bool) and rule.low <= one <= rule.high for one in value
    ):
        raise _refused(source, key, f"a list of whole numbers from {rule.low:g} to {rule.high:g}", value)
    return tuple(sorted(set(value)))


def _refused(source: str, key: str, expected: str, found: object, hint: str = "") -> InputError:
    return InputError(f"{source}: {key} must be {expected}; found {_shown(found)}", hint=hint)


def _expected_number(setting: _Setting) -> str:
    noun = "a whole number" if setting.kind is int else "a number"
    low, high = setting.rule.low, setting.rule.high
    if high == math.inf:
        return f"{noun}, {low:g} or more"
    return f"{noun} from {low:g} to {high:g}"


def _shown(value: object) -> str:
    text = "a table" if isinstance(value, dict) else _toml(value)
    return text if len(text) <= 60 else text[:57] + "…"


def _toml(value: object) -> str:
    if isinstance(value, list | tuple):
        return f"[{', '.join(_toml(one) for one in value)}]"
    if isinstance(value, bool):
        return str(value).lower()
    return json.dumps(value, ensure_ascii=False) if isinstance(value, str) else str(value)


def _value(settings: Settings, key: str) -> Any:
    section, _, name = key.rpartition(".")
    return getattr(getattr(settings, section) if section else settings, name)


def _first_line(kind: type[Any]) -> str:
    return (kind.__doc__ or "").partition("\n")[0]
