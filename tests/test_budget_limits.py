"""Limits in TOML: what they take, what they count, which of them holds, and what is said of a wrong one."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING

import pytest
from budgets import COPIES, manifest, record
from hypothesis import given
from hypothesis import strategies as st

from v1z3r_build.budget import amounts, sources
from v1z3r_build.budget.comparison import Comparison
from v1z3r_build.budget.places import json_lines, named, toml_lines
from v1z3r_build.diagnostics import InputError
from v1z3r_build.passes.split import copies

if TYPE_CHECKING:
    from collections.abc import Iterable

    from v1z3r_build.budget.findings import Finding
    from v1z3r_build.budget.outcome import Outcome
    from v1z3r_build.manifest import Manifest


def check(folder: Path, text: str, made: Manifest | None = None, baseline: Manifest | None = None) -> Outcome:
    source = folder / "limits.toml"
    source.write_text(text, encoding="utf-8")
    return sources.read(source).check(Comparison(made or manifest(), baseline))


def only(folder: Path, text: str, made: Manifest | None = None, baseline: Manifest | None = None) -> Finding:
    (found,) = check(folder, text, made, baseline).findings
    return found


# Amounts


@pytest.mark.parametrize(
    ("text", "size"),
    [
        (0, 0),
        (1234, 1234),
        ("500 B", 500),
        ("170 kB", 170_000),
        ("170kB", 170_000),
        ("170 KB", 170_000),
        ("1 MB", 1_000_000),
        ("1.5 MB", 1_500_000),
        ("0.1 kB", 100),
        ("90 KiB", 92_160),
        ("2 MiB", 2_097_152),
        (" 1 GB ", 1_000_000_000),
        ("1.0005 kB", 1000),
    ],
)
def test_sizes(text: object, size: int) -> None:
    assert amounts.size(text).within(0) == size


@pytest.mark.parametrize(
    "text", ["170", "170 k", "kB", "-1 kB", "1,5 MB", "1 MB br br", "1 kB zstd", "5 %", "", -1, 1.5, True, None, []]
)
def test_what_is_no_size(text: object) -> None:
    with pytest.raises(ValueError, match="a size such as"):
        amounts.size(text)


def test_shares() -> None:
    assert amounts.size("5 %", shares=True).within(1_019) == 50
    assert amounts.count("12.5%", shares=True).within(16) == 2
    for wrong in ("3", "3 kB", "3 % br", 2.5, True):
        with pytest.raises(ValueError, match="a whole number"):
            amounts.count(wrong, shares=True)


# Figures


@pytest.mark.parametrize(
    ("setting", "value", "title"),
    [
        ("script = 1", 22_000, "/app/: initial script (br)"),
        ("script = '1 B gzip'", 33_000, "/app/: initial script (gzip)"),
        ("script = '1 B raw'", 98_000, "/app/: initial script (raw)"),
        ("encoding = 'gzip'\nscript = 1", 33_000, "/app/: initial script (gzip)"),
        ("encoding = 'gzip'\nscript = '1 B br'", 22_000, "/app/: initial script (br)"),
        ("style = 1", 200, "/app/: initial style (br)"),
        ("html = 1", 400, "/app/: initial html (br)"),
        ("font = 1", 0, "/app/: initial font (br)"),
        ("total = 1", 22_600, "/app/: initial total (br)"),
        ("requests = 1", 4, "/app/: initial requests"),
        ("lazy = 1", 16_000, "/app/: lazy total (br)"),
        ("vendors.three = 1", 20_000, "/app/: initial three (br)"),
        ("vendors = { three = '50 %' }", 20_000, "/app/: initial three, 50 % of all (br)"),
        ("vendors.tfjs = 0", 0, "/app/: initial tfjs (br)"),
        ("duplicates = 0", 1, "/app/: duplicates of vendors (files)"),
    ],
)
def test_what_is_counted(tmp_path: Path, setting: str, value: int, title: str) -> None:
    found = only(tmp_path, f"[budget.routes.'/app/']\n{setting}", manifest(COPIES))
    assert (found.value, found.title) == (value, title)


def test_a_font_and_an_image_of_the_first_load(tmp_path: Path) -> None:
    found = check(tmp_path, "[budget.routes.'/']\nfont = 4000\nimage = 499")
    assert [(one.name, one.value, one.passed) for one in found.findings] == [
        ("initial image", 500, False),
        ("initial font", 4000, True),
    ]


def test_a_share_is_of_all_that_the_route_loads_at_once(tmp_path: Path) -> None:
    assert (
        only(tmp_path, "[budget.routes.'/app/']\nvendors.three = '50 % raw'").limit == (1000 + 8000 + 90_000 + 700) // 2
    )


def test_several_encodings_of_one_figure(tmp_path: Path) -> None:
    found = check(tmp_path, "[budget.routes.'/app/']\nscript = ['30 kB', '90 kB raw']")
    assert [(one.unit, one.value, one.passed) for one in found.findings] == [
        ("raw", 98_000, False),
        ("br", 22_000, True),
    ]


def test_the_files_of_a_figure_come_the_largest_first(tmp_path: Path) -> None:
    parts = only(tmp_path, "[budget.routes.'/app/']\nscript = 1").parts
    assert [(one.path, one.amount, one.change) for one in parts] == [
        ("three.9f8e7d6c5b4a.js", 20_000, None),
        ("app.1a2b3c4d5e6f.js", 2_000, None),
    ]


@pytest.mark.parametrize(
    ("message", "route", "paths"),
    [
        (COPIES.message, "/app/", ["old.js"]),
        (COPIES.message, "/", ["old.js"]),
        (COPIES.message, "/blog/one/", []),
        # Another route holds the first one.
        ("it holds three, and so do elsewhere.js: most messages are the same; they stay as they are", "/app/", []),
        ("it holds three, and so do all.js.map: most messages are the same; they stay as they are", "/app/", []),
    ],
)
def test_copies_count_where_a_route_holds_both(tmp_path: Path, message: str, route: str, paths: list[str]) -> None:
    made = manifest(replace(COPIES, message=message))
    found = only(tmp_path, f"[budget.routes.'{route}']\nduplicates = 0", made)
    assert [one.path for one in found.parts] == paths
    assert found.value == len(paths)


def test_copies_are_read_off_what_the_split_pass_says(tmp_path: Path) -> None:
    shared = frozenset(f"message {number}" for number in range(30))

    class Workshop:
        """All scripts say the same."""

        site = SimpleNamespace(assets={"old.js", "all.js"})

        def call(self, path: str, *_: object) -> str:
            return path

        def asset(self, path: str) -> SimpleNamespace:
            return SimpleNamespace(location=path)

        def outcomes(self, calls: Iterable[str]) -> Iterable[tuple[str, frozenset[str], str]]:
            return [(path, shared, "") for path in calls]

    said = copies.report(Workshop(), {"three": ["old.js", "all.js"]})  # type: ignore[arg-type]
    found = only(tmp_path, "[budget.routes.'/app/']\nduplicates = 0", manifest(*said))
    assert [one.path for one in found.parts] == ["old.js"]


def test_two_parts_of_one_vendor_are_no_copies(tmp_path: Path) -> None:
    assert only(tmp_path, "[budget.routes.'/app/']\nduplicates = 0").value == 0


# Which limit holds


@pytest.mark.parametrize(
    ("text", "limits"),
    [
        ("['*']\ntotal = 1", {"/": 1, "/app/": 1, "/blog/one/": 1, "/blog/[two]/": 1}),
        ("['/blog/*']\ntotal = 1", {"/blog/one/": 1, "/blog/[two]/": 1}),
        ("['/*/']\ntotal = 1", {"/app/": 1, "/blog/one/": 1, "/blog/[two]/": 1}),
        ("['/blog/[two]/']\ntotal = 1", {"/blog/[two]/": 1}),
        ("['/']\ntotal = 1", {"/": 1}),
        # The last pattern holds; the route itself comes before all patterns.
        (
            "['/blog/*']\ntotal = 2\n[budget.routes.'*']\ntotal = 1",
            {"/": 1, "/app/": 1, "/blog/one/": 1, "/blog/[two]/": 1},
        ),
        ("['/']\ntotal = 2\n[budget.routes.'*']\ntotal = 1", {"/": 2, "/app/": 1, "/blog/one/": 1, "/blog/[two]/": 1}),
        # Each figure by itself.
        ("['/app/']\ntotal = 1\n[budget.routes.'/app*']\ntotal = 3\nscript = 2", {"/app/": 1, "/app/ script": 2}),
        # A table that gives a figure in another encoding takes the place of the one below it.
        ("['/app/']\ntotal = '1 B gzip'\n[budget.routes.'/a*']\ntotal = ['3 B', '4 B raw']", {"/app/": 1}),
    ],
)
def test_of_several_tables_one_holds(tmp_path: Path, text: str, limits: dict[str, int]) -> None:
    found = check(tmp_path, f"[budget.routes.{text[1:]}").findings
    assert {one.subject + one.name.removeprefix("initial").replace(" total", ""): one.limit for one in found} == limits


# Files


@pytest.mark.parametrize(
    ("pattern", "value", "found"),
    [
        ("*.png", 499, {"logo.png": 500}),
        ("*.js", "10 kB", {"app.1a2b3c4d5e6f.js": 2000, "three.9f8e7d6c5b4a.js": 20_000, "old.js": 15_000}),
        ("*.html", "0 B raw", {"index.html": 900, "app/index.html": 1000}),
        ("/*.html", 1, {"index.html": 300}),
        ("app/", 1, {"app/index.html": 400}),
        # A file goes by the name that it had, too; a vendor's goes by its own.
        ("all.js", 1, {"app.1a2b3c4d5e6f.js": 2000}),
        ("three.*", 1, {"three.9f8e7d6c5b4a.js": 20_000}),
    ],
)
def test_limits_of_single_files(tmp_path: Path, pattern: str, value: object, found: dict[str, int]) -> None:
    outcome = check(tmp_path, f"[budget.files]\n'{pattern}' = {value!r}")
    assert {one.subject: one.value for one in outcome.findings} == found


# Growth


def grown() -> Manifest:
    """The release after that of `manifest`: a larger app under a new name, a new image."""
    made = manifest(app_1a2b3c4d5e6f_js=None)
    made.files["app.ffffffffffff.js"] = record("script", 9_000, 3_500, 2_600)  # type: ignore[index]
    made.files["new.png"] = record("image", 100)  # type: ignore[index]
    routes = {
        route: found._replace(
            initial=tuple(path.replace("1a2b3c4d5e6f", "ffffffffffff") for path in found.initial)
            + (("new.png",) if route == "/" else ()),
        )
        for route, found in made.routes.items()
    }
    routes["/fresh/"] = routes["/"]
    return replace(made, routes=routes)


@pytest.mark.parametrize(
    ("setting", "value", "limit", "passed"),
    [
        ("script = 600", 2_600, 2_600, True),
        ("script = '0.5 kB'", 2_600, 2_500, False),
        ("script = '30 %'", 2_600, 2_600, True),
        ("script = '29 %'", 2_600, 2_580, False),
        ("script = '1 kB raw'", 9_000, 9_000, True),
        ("requests = 0", 6, 5, False),
        ("requests = '20 %'", 6, 6, True),
        ("image = 100", 600, 600, True),
        ("html = '0 %'", 300, 300, True),
        ("vendors.three = 0", 0, 0, True),
    ],
)
def test_growth_since_the_baseline(tmp_path: Path, setting: str, value: int, limit: int, passed: bool) -> None:
    found = only(tmp_path, f"[budget.growth.'/']\n{setting}", grown(), manifest())
    assert (found.value, found.limit, found.passed) == (value, limit, passed)
    assert found.name.endswith(", growth")


def test_what_has_changed_is_told_file_by_file(tmp_path: Path) -> None:
    found = only(tmp_path, "[budget.routes.'/']\ntotal = 1", grown(), manifest())
    assert (found.value, found.before) == (300 + 2600 + 200 + 4000 + 500 + 100, 300 + 2000 + 200 + 4000 + 500)
    changes = {one.path: one.change for one in found.parts}
    assert changes == {
        "app.ffffffffffff.js": 600,
        "new.png": 100,
        "index.html": 0,
        "main.css": 0,
        "bars.woff2": 0,
        "logo.png": 0,
    }


@pytest.mark.parametrize(
    ("earlier", "now", "change"),
    [
        (["c/main-app-0123456789abcdef.js"], "c/main-app-fedcba9876543210.js", 10),
        (["c/main-app-01234567.js", "c/main-01234567.js"], "c/main-app-76543210.js", 10),
        (["c/index-Db_bFMPg.js"], "c/index-a-4B_c9d.js", 10),
        (["c/7772.0123456789abcdef.js", "c/7773.0123456789abcdef.js"], "c/7772.fedcba9876543210.js", 10),
        # Two may be meant; another folder; another kind of name.
        (["c/01234567.01234567.js", "c/01234567.12345678.js"], "c/01234567.76543210.js", 100),
        (["d/main.0123456789abcdef.js"], "c/main.fedcba9876543210.js", 100),
        (["c/main.js"], "c/other.js", 100),
    ],
)
def test_a_file_is_known_by_its_name_without_the_hash(
    tmp_path: Path, earlier: list[str], now: str, change: int
) -> None:
    def release(size: int, *paths: str) -> Manifest:
        made = manifest()
        files = {**made.files, **{path: record("script", size) for path in paths}}
        return replace(made, files=files, routes={"/": made.routes["/"]._replace(initial=paths)})

    text = "[budget.routes.'/']\nscript = 1"
    (part,) = only(tmp_path, text, release(100, now), release(90, *earlier)).parts
    assert part.change == change


def test_what_is_not_checked_is_said(tmp_path: Path) -> None:
    text = "[budget.growth.'*']\ntotal = 0\n"
    assert check(tmp_path, text).notes == ("growth is not checked: there is no --baseline",)
    assert check(tmp_path, text, grown(), manifest()).notes == (
        "growth is not checked where the baseline has no such route: /fresh/",
    )
    bare = manifest(three_9f8e7d6c5b4a_js=None, old_js=None)
    assert "vendors are found where" in check(tmp_path, "[budget.routes.'/']\nvendors.three = 0", bare).notes[0]


def test_figures_without_encodings_are_called_what_they_are(tmp_path: Path) -> None:
    bare = manifest()
    bare = replace(bare, files={path: one._replace(encodings={}) for path, one in bare.files.items()})
    found = check(tmp_path, "[budget.routes.'/']\nscript = 1", bare)
    assert found.findings[0].value == 8000
    assert found.notes == ("no file has an encoding br: figures in it are those of the files as they are",)
    assert check(tmp_path, "[budget.routes.'/']\nscript = '1 B raw'", bare).notes == ()


# Wrong limits


@pytest.mark.parametrize(
    ("text", "said", "hint"),
    [
        ("[budget\n", "is not valid TOML: Expected ']' at the end of a table declaration (at line 1, column 8)", ""),
        ("jobs = 1", "has no table [budget]", "budget DIR --init"),
        ("budget = 1", ":1: budget must be a table; found 1", ""),
        ("[budget]", ":1: budget holds no limit", "budget DIR --init"),
        ("[budgets.routes.'*']\ntotal = 1", "unknown key budgets", "Did you mean budget?"),
        ("[budget.route.'*']\ntotal = 1", ":1: budget.route is no known key", "Did you mean routes?"),
        ("[budget]\n\nencoding = 'brotli'", ':3: budget.encoding must be one of br, gzip, raw; found "brotli"', ""),
        ("[budget.routes]\n'/' = 3", ':2: budget.routes."/" must be a table; found 3', ""),
        ("[budget.routes.'/']\n\nscrpt = 3", ':3: budget.routes."/".scrpt is no known key', "Did you mean script?"),
        (
            "[budget.routes.'/']\nscript = '3 pounds'",
            ':2: budget.routes."/".script must be a size such as "170 kB"',
            "",
        ),
        ("[budget.routes.'/']\nscript = '3'", 'found "3"', ""),
        ("[budget.routes.'/']\nscript = '5 %'", 'found "5 %"', ""),
        ("[budget.routes.'/']\nscript = []", "found []", ""),
        ("[budget.routes.'/']\nscript = [1, 2]", "gives two limits in br", ""),
        ("[budget.routes.'/']\nrequests = '9'", "must be a whole number, 0 or more; found", ""),
        ("[budget.routes.'/']\nrequests = [9]", "must be a whole number, 0 or more; found [9]", ""),
        ("[budget.routes.'/']\nvendors = 3", "vendors must be a table; found 3", ""),
        (
            "[budget.routes.'/']\nvendors.thre = 3",
            ':2: budget.routes."/".vendors.thre is for no vendor',
            "Did you mean three?",
        ),
        ("[budget.routes.'/ap/']\ntotal = 1", ':1: budget.routes."/ap/" is for no route', "Did you mean /app/?"),
        ("[budget.routes.'/blgo/*']\ntotal = 1", "is for no route", "Did you mean /blog/one/?"),
        ("[budget.routes.'/app']\ntotal = 1", "is for no route", "Did you mean /app/?"),
        ("[budget.growth.'/ap/']\ntotal = 1", ':1: budget.growth."/ap/" is for no route', "Did you mean /app/?"),
        ("[budget.growth.'/']\nfiles = 1", "files is no known key", ""),
        ("[budget.files]\n'lgoo.png' = 1", ':2: budget.files."lgoo.png" is for no file', "Did you mean logo.png?"),
        ("[budget.files]\n'*.png' = 'x'", ':2: budget.files."*.png" must be a size', ""),
        ("[budget.files]\n'*.png' = '5 %'", "must be a size", ""),
    ],
)
def test_a_wrong_limit_is_named_with_its_line(tmp_path: Path, text: str, said: str, hint: str) -> None:
    with pytest.raises(InputError) as refusal:
        check(tmp_path, text)
    assert refusal.value.exit_code == 2
    assert refusal.value.message.startswith(str(tmp_path / "limits.toml"))
    assert said in refusal.value.message
    assert hint in refusal.value.hint


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="is no file"):
        sources.read(tmp_path / "absent.toml")
    with pytest.raises(InputError, match="is no file"):
        sources.read(tmp_path / "absent.json")


def test_a_project_file_holds_limits_too(tmp_path: Path) -> None:
    project = tmp_path / "pyproject.toml"
    project.write_text("[project]\nname = 'x'\n[tool.v1z3r-build.budget.routes.'*']\ntotal = 'x'")
    with pytest.raises(InputError) as refusal:
        sources.read(project)
    assert f'{project}:4: tool.v1z3r-build.budget.routes."*".total must be' in refusal.value.message
    project.write_text("[tool.v1z3r-build.budget.routes.'/']\ntotal = 1")
    (found,) = sources.read(project).check(Comparison(manifest())).findings
    assert (found.setting, found.line) == ('tool.v1z3r-build.budget.routes."/".total', 2)


def test_the_example_of_the_readme_is_one(tmp_path: Path) -> None:
    readme = (Path(__file__).parents[1] / "README.md").read_text(encoding="utf-8")
    text = next(block for block in readme.split("```") if block.startswith('toml\n[budget.routes."*"]'))
    made = manifest()
    made = replace(made, routes=made.routes | {"/vj-app/": made.routes["/app/"]})
    outcome = check(tmp_path, text.removeprefix("toml\n"), made, made)
    keys = toml_lines(text.removeprefix("toml\n"))
    inner = {named(one) for one in keys if not any(other[: len(one)] == one != other for other in keys)}
    assert {one.setting for one in outcome.findings} == inner
    assert outcome.notes == ()


# Places


def test_lines_of_toml() -> None:
    text = (
        "a = 1\n# [b]\n[b]\nc.d = 2\ntext = '''\n[no]\nx = 1\n'''\nlist = [\n  1,\n  # ]\n]\n"
        '[b."e.f"]\r\ng = { h = 1, i = { j = 2 } }\n\n[[k]]\nl = 1'
    )
    lines = toml_lines(text.replace("\r\n", "\n"))
    assert {".".join(map(str, keys)): line for keys, line in lines.items()} == {
        "a": 1,
        "b": 3,
        "b.c": 4,
        "b.c.d": 4,
        "b.text": 5,
        "b.list": 9,
        "b.e.f": 13,
        "b.e.f.g": 14,
        "b.e.f.g.h": 14,
        "b.e.f.g.i": 14,
        "b.e.f.g.i.j": 14,
        "k": 16,
        "k.l": 17,
    }


def test_lines_of_json() -> None:
    text = '\n[\n {"a": [1,\n 2], "b\\n": {}, "c": []\n},\n"x: [", true ]'
    assert json_lines(text) == {
        (0,): 3,
        (0, "a"): 3,
        (0, "a", 0): 3,
        (0, "a", 1): 4,
        (0, "b\n"): 4,
        (0, "c"): 4,
        (1,): 6,
        (2,): 6,
    }


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    )
)
def test_every_part_of_a_json_text_has_a_line(value: object) -> None:
    import json

    def paths(value: object) -> list[tuple[object, ...]]:
        items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
        return [path for key, inner in items for path in ((key,), *((key, *rest) for rest in paths(inner)))]

    for indent in (None, 1):
        assert sorted(json_lines(json.dumps(value, indent=indent)), key=repr) == sorted(paths(value), key=repr)
