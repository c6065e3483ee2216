"""Settings: where they are found, what they take, and what is said of what they do not take."""

from __future__ import annotations

import dataclasses
import tomllib
from typing import TYPE_CHECKING, Any, get_args

import pytest

from v1z3r_build import settings as module
from v1z3r_build.diagnostics import InputError
from v1z3r_build.formats.engines.external import ENGINE_NAMES, EngineName
from v1z3r_build.settings import Settings, digest, example, find, load

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A site in a folder of its own; the working directory is another, empty one."""
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    monkeypatch.chdir(elsewhere)
    folder = tmp_path / "app" / "out"
    folder.mkdir(parents=True)
    return folder


def beside(site: Path, text: str) -> Path:
    place = site.parent / "v1z3r-build.toml"
    place.write_text(text, encoding="utf-8")
    return place


def test_defaults_without_a_file(site: Path) -> None:
    assert find(site) is None
    assert load(site) == Settings()


def test_the_file_beside_the_site_comes_before_the_working_directory(site: Path, tmp_path: Path) -> None:
    here = tmp_path / "elsewhere" / "v1z3r-build.toml"
    here.write_text("jobs = 2")
    assert load(site).jobs == 2
    beside(site, "jobs = 3")
    assert load(site).jobs == 3
    given = tmp_path / "given.toml"
    given.write_text("jobs = 4")
    assert load(site, given).jobs == 4
    assert load(site, given, {"jobs": 5}).jobs == 5


def test_a_project_file_counts_only_with_our_table(site: Path, tmp_path: Path) -> None:
    project = tmp_path / "elsewhere" / "pyproject.toml"
    project.write_text('[tool.other]\njobs = 9\n[project]\nname = "x"')
    assert find(site) is None
    project.write_text("[tool.v1z3r-build]\njobs = 9\n[tool.v1z3r-build.compress]\ngzip_level = 6")
    settings = load(site)
    assert (settings.jobs, settings.compress.gzip_level) == (9, 6)
    assert load(site, project) == settings


def test_a_relative_site_finds_the_file_beside_it(site: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    beside(site, "jobs = 3")
    monkeypatch.chdir(site)
    from pathlib import Path

    assert load(Path()).jobs == 3


TAKEN: list[tuple[str, str, Any]] = [
    ("[site]\nbase = '/sub/'", "site.base", "/sub/"),
    ("[site]\nbase = 'sub'", "site.base", "/sub/"),
    ("[site]\nbase = ''", "site.base", "/"),
    ("[site]\nbase = '/a/b'", "site.base", "/a/b/"),
    ("[site]\norigin = 'https://Example.com/'", "site.origin", "https://example.com"),
    ("[site]\norigin = 'http://localhost:3000'", "site.origin", "http://localhost:3000"),
    ("[minify]\nseconds = 5", "minify.seconds", 5.0),
    ("[minify]\nengines = ['esbuild', 'terser', 'esbuild']", "minify.engines", ("terser", "esbuild")),
    ("[names]\nkeep = ['b/**', 'a', 'b/**']", "names.keep", ("b/**", "a")),
    ("[compress]\nencodings = []", "compress.encodings", ()),
    ("[compress]\nmin_ratio = 0", "compress.min_ratio", 0.0),
    ("passes = ['compress', 'minify']", "passes", ("minify", "compress")),
]


@pytest.mark.parametrize(("text", "key", "expected"), TAKEN)
def test_values_are_brought_into_one_spelling(site: Path, text: str, key: str, expected: Any) -> None:
    beside(site, text)
    found: Any = load(site)
    for name in key.split("."):
        found = getattr(found, name)
    assert found == expected
    assert type(found) is type(expected)


REFUSED = [
    ("jbos = 2", "unknown key jbos", "Did you mean jobs?"),
    ("[minfy]\nskip = []", "unknown key minfy", "Did you mean minify?"),
    ("[minify]\nskipp = []", "unknown key minify.skipp", "Did you mean minify.skip?"),
    ("base = '/x/'", "unknown key base", "Did you mean site.base?"),
    ("[names]\nbrotli_quality = 3", "unknown key names.brotli_quality", "Did you mean compress.brotli_quality?"),
    ("[names]\nzzz = 3", "unknown key names.zzz", "Known there: keep, drop."),
    ("link = 3", "unknown key link", "The pass link has no settings in this version."),
    ("[split]\nvendors = ['Three JS']", "split.vendors must be a list of three, tfjs, or names of npm packages", ""),
    ("[bugdet]\nscripts = 3", "unknown key bugdet", "Did you mean budget?"),
    (
        "[zzz]\nscripts = 3",
        "unknown key zzz",
        "Known there: passes, jobs, site, split, minify, images, names, compress, cache, budget.",
    ),
    ("site = 'x'", 'site must be a table, found "x"', ""),
    ("jobs = 'two'", 'jobs must be a whole number from 0 to 1024; found "two"', ""),
    ("jobs = true", "jobs must be a whole number from 0 to 1024; found true", ""),
    ("jobs = 1.5", "jobs must be a whole number from 0 to 1024; found 1.5", ""),
    ("jobs = -1", "jobs must be a whole number from 0 to 1024; found -1", ""),
    ("[compress]\nbrotli_quality = 12", "compress.brotli_quality must be a whole number from 0 to 11; found 12", ""),
    ("[compress]\ngzip_level = 0", "compress.gzip_level must be a whole number from 1 to 9; found 0", ""),
    ("[compress]\nmin_ratio = 1.5", "compress.min_ratio must be a number from 0 to 1; found 1.5", ""),
    ("[compress]\nmin_ratio = nan", "compress.min_ratio must be a number from 0 to 1; found nan", ""),
    ("[minify]\nseconds = inf", "minify.seconds must be a number, 0 or more; found inf", ""),
    ("[minify]\nskip = 'a'", 'minify.skip must be a list of texts; found "a"', ""),
    ("[minify]\nskip = [1]", "minify.skip must be a list of texts; found [1]", ""),
    ("[minify]\nengines = ['tersr']", "minify.engines must be a list of terser", "Did you mean terser?"),
    ("[compress]\nencodings = ['zstd']", 'compress.encodings must be a list of br, gzip; found "zstd"', ""),
    ("passes = ['mangle']", 'passes must be a list of split, minify, images, link, compress; found "mangle"', ""),
    ("[site]\nbase = 'https://example.com/sub/'", "site.base must be a path", ""),
    ("[site]\nbase = './'", "site.base must be a path", ""),
    ("[site]\nbase = '/../x'", "site.base must be a path", ""),
    ("[site]\nbase = '//host/x/'", "site.base must be a path", ""),
    ("[site]\nbase = '/a%20b/'", "site.base must be a path", ""),
    ("[site]\nbase = 5", "site.base must be a text; found 5", ""),
    ("[site]\norigin = 'example.com'", "site.origin must be a scheme and a host", ""),
    ("[site]\norigin = 'https://example.com/sub'", "site.origin must be a scheme and a host", ""),
    ("[site\nbase = 1", "is not valid TOML: Expected ']' at the end of a table declaration (at line 1, column 6)", ""),
    ("jobs = 1\njobs = 2", "is not valid TOML: Cannot overwrite a value", ""),
]


@pytest.mark.parametrize(("text", "message", "hint"), REFUSED)
def test_what_is_wrong_is_named_with_file_and_key(site: Path, text: str, message: str, hint: str) -> None:
    place = beside(site, text)
    with pytest.raises(InputError) as refusal:
        load(site)
    assert refusal.value.exit_code == 2
    assert refusal.value.message.startswith(str(place))
    assert message in refusal.value.message
    assert hint == "" or refusal.value.hint == hint


def test_keys_of_a_project_file_are_named_in_full(site: Path, tmp_path: Path) -> None:
    project = tmp_path / "elsewhere" / "pyproject.toml"
    project.write_text("[tool.v1z3r-build.minify]\nskipp = []")
    with pytest.raises(InputError, match=r"unknown key tool\.v1z3r-build\.minify\.skipp") as refusal:
        load(site)
    assert refusal.value.hint == "Did you mean tool.v1z3r-build.minify.skip?"
    project.write_text("tool.v1z3r-build = 3")
    with pytest.raises(InputError, match=r"tool\.v1z3r-build must be a table, found 3"):
        load(site)


def test_a_file_that_is_no_text_is_refused(site: Path) -> None:
    beside(site, "").write_bytes(b"jobs = 1 # \xff")
    with pytest.raises(InputError, match="not UTF-8 at byte 11"):
        load(site)


def test_a_missing_file_is_refused(site: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"absent\.toml is no file"):
        load(site, tmp_path / "absent.toml")


def test_the_command_line_is_checked_like_a_file(site: Path) -> None:
    with pytest.raises(InputError, match=r"command line: site\.base must be a path"):
        load(site, None, {"site.base": "C:/Program Files/Git/sub/"})


def test_node_modules_is_relative_to_the_file_that_names_it(site: Path) -> None:
    beside(site, "[minify]\nnode_modules = '../web/node_modules'")
    assert load(site).minify.node_modules == str(site.parent / "../web/node_modules")


def test_the_example_parses_to_the_defaults(site: Path) -> None:
    beside(site, example())
    assert load(site) == Settings()
    uncommented = "\n".join(
        line[1:] if line.startswith("#") and line[1:2] not in ("", " ") else line for line in example().splitlines()
    )
    assert len(tomllib.loads(uncommented)) == len(dataclasses.fields(Settings))
    beside(site, uncommented)
    assert load(site) == Settings()


def test_every_field_of_the_settings_can_be_set_and_is_explained() -> None:
    text = example()
    for one in dataclasses.fields(Settings):
        if one.name in module._SECTIONS:
            assert f"[{one.name}]" in text
            for inner in dataclasses.fields(module._SECTIONS[one.name]):
                assert f"#{inner.name} = " in text
        else:
            assert f"#{one.name} = " in text
    assert {field.name for field in dataclasses.fields(Settings)} == {"passes", "jobs", *module._SECTIONS}


def test_the_digest_follows_all_that_shapes_the_output() -> None:
    plain = Settings()
    seen = {digest(plain)}
    changed = [
        dataclasses.replace(plain, passes=("minify",)),
        dataclasses.replace(plain, site=module.SiteSettings(base="/sub/")),
        dataclasses.replace(plain, minify=module.MinifySettings(engines=("terser",))),
        dataclasses.replace(plain, names=module.NamesSettings(keep=("a",))),
        dataclasses.replace(plain, compress=module.CompressSettings(brotli_quality=5)),
    ]
    for settings in changed:
        assert digest(settings) not in seen
        seen.add(digest(settings))
    same = dataclasses.replace(plain, jobs=7, minify=module.MinifySettings(node_modules="elsewhere"))
    assert digest(same) == digest(plain)


def test_the_engines_are_those_that_exist() -> None:
    assert module._RULES["minify.engines"].rule.choices == tuple(ENGINE_NAMES) == get_args(EngineName)
