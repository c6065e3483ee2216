"""The command `budget`, and `optimize --budget`: exit codes, what is printed where in which format, what is written."""

from __future__ import annotations

import json
import tomllib
from dataclasses import replace
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree

import pytest
from budgets import COPIES, manifest, record, write
from click.testing import CliRunner, Result

from v1z3r_build import cli
from v1z3r_build.manifest import MANIFEST_NAME, RouteRecord

if TYPE_CHECKING:
    from pathlib import Path

OVER = "[budget.routes.'/app/']\ntotal = '20 kB'\nscript = '30 kB'\nrequests = 3\n"
WITHIN = "[budget.routes.'/app/']\ntotal = '30 kB'\n"


@pytest.fixture(autouse=True)
def _alone(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No settings in the working directory, no CI around."""
    for name in ("CI", "GITHUB_ACTIONS", "GITHUB_STEP_SUMMARY", "GITHUB_WORKSPACE", "NO_COLOR", "FORCE_COLOR"):
        monkeypatch.delenv(name, raising=False)
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")


@pytest.fixture
def here(tmp_path: Path) -> Path:
    """The working directory."""
    return tmp_path / "here"


@pytest.fixture
def output(tmp_path: Path) -> Path:
    return write(tmp_path / "app" / "out", manifest())


def run(*words: str | Path) -> Result:
    return CliRunner().invoke(cli.main, [str(word) for word in words], prog_name="v1z3r-build")


# Exit codes


@pytest.mark.parametrize(
    ("limits", "code", "said"),
    [
        (WITHIN, 0, "within the budget: 1 limit of v1z3r-build.toml checked"),
        (OVER, 1, "over the budget: 2 of 3 limits of v1z3r-build.toml"),
        (
            "[budget.routes.'/ap/']\ntotal = 1",
            2,
            'v1z3r-build.toml:1: budget.routes."/ap/" is for no route of the site',
        ),
        ("[budget.routes.'/app/']\ntotal = 'x'", 2, 'v1z3r-build.toml:2: budget.routes."/app/".total must be a size'),
        ("[budget\n", 2, "v1z3r-build.toml is not valid TOML"),
        ("jobs = 1", 2, "v1z3r-build.toml has no table [budget]"),
    ],
)
def test_exit_codes(here: Path, output: Path, limits: str, code: int, said: str) -> None:
    (here / "v1z3r-build.toml").write_text(limits)
    result = run("budget", output)
    assert (result.exit_code, result.stdout) == (code, "")
    assert said in result.stderr


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["budget"], "Missing argument 'DIR'"),
        (["budget", "absent"], f"{MANIFEST_NAME} does not exist"),
        (["budget", "{output}"], "there is no budget"),
        (["budget", "{output}", "--budget", "absent.toml"], "absent.toml is no file"),
        (["budget", "{output}", "--config", "absent.toml"], "absent.toml is no file"),
        (["budget", "{output}", "--format", "html"], "'html' is not one of"),
        (["budget", "{output}", "--budget", "w.toml", "--baseline", "absent.json"], "absent.json does not exist"),
        (["budget", "{output}", "--budget", "w.toml", "-q", "-v"], "exclude each other"),
    ],
)
def test_wrong_usage(here: Path, output: Path, words: list[str], said: str) -> None:
    (here / "w.toml").write_text(WITHIN)
    result = run(*(word.format(output=output) for word in words))
    assert (result.exit_code, said in result.stderr) == (2, True), result.stderr


def test_a_failure_is_told_to_programs_too(output: Path) -> None:
    for words in (["--format", "json"], ["--format=json"]):
        result = run("budget", output, *words)
        assert (result.exit_code, json.loads(result.stdout)["status"]) == (2, "failed")


# Sources


def test_a_file_given_comes_before_the_settings(here: Path, output: Path) -> None:
    (here / "v1z3r-build.toml").write_text(WITHIN)
    (here / "other.toml").write_text(OVER)
    (here / "budget.json").write_text('[{"resourceSizes": [{"resourceType": "script", "budget": 1}]}]')
    assert run("budget", output).exit_code == 0
    assert run("budget", output, "--config", "other.toml").exit_code == 1
    assert run("budget", output, "--budget", "other.toml").exit_code == 1
    assert "over the budget: 3 of 4 limits of budget.json" in run("budget", output, "--budget", "budget.json").stderr


def test_the_settings_may_lie_beside_the_site(output: Path) -> None:
    (output.parent / "v1z3r-build.toml").write_text(OVER)
    assert run("budget", output).exit_code == 1


def test_limits_do_not_change_how_a_site_is_optimized(here: Path, tmp_path: Path) -> None:
    from v1z3r_build.settings import Settings, load

    (here / "v1z3r-build.toml").write_text(OVER)
    assert load(tmp_path / "site") == Settings()


def test_growth_against_the_last_release(here: Path, output: Path, tmp_path: Path) -> None:
    last = write(tmp_path / "last", manifest(main_css=record("style", 600, 250, 150))) / MANIFEST_NAME
    (here / "v1z3r-build.toml").write_text("[budget.growth.'/app/']\nstyle = 49\nscript = '0 %'")
    result = run("budget", output)
    assert result.exit_code == 0
    assert "growth is not checked: there is no --baseline" in result.stderr
    result = run("budget", output, "--baseline", last)
    assert result.exit_code == 1
    assert (
        "/app/: initial style, growth (br) is 200 B, 1 B (+0.5%) over the limit of 199 B; +50 B since the"
        in result.stderr
    )


# Formats


def test_people_see_what_is_over_first_and_what_carries_it(here: Path, output: Path) -> None:
    (here / "v1z3r-build.toml").write_text(OVER)
    result = run("budget", output)
    assert [" ".join(line.split()) for line in result.stderr.splitlines()] == [
        "route or file figure size limit over by of limit",
        "over /app/ initial requests 4 3 1 133%",
        "over /app/ initial total (br) 22.6 kB 20.0 kB 2.60 kB 113%",
        "within /app/ initial script (br) 22.0 kB 30.0 kB 73%",
        "error: /app/: initial requests is 4, 1 (+33.3%) over the limit of 3",
        *("app.1a2b3c4d5e6f.js", "app/index.html", "main.css", "three.9f8e7d6c5b4a.js"),
        'v1z3r-build.toml:4: budget.routes."/app/".requests',
        "error: /app/: initial total (br) is 22.6 kB, 2.60 kB (+13.0%) over the limit of 20.0 kB",
        "20.0 kB three.9f8e7d6c5b4a.js",
        "2.00 kB app.1a2b3c4d5e6f.js",
        "400 B app/index.html",
        "200 B main.css",
        'v1z3r-build.toml:2: budget.routes."/app/".total',
        "over the budget: 2 of 3 limits of v1z3r-build.toml",
    ]


def test_quiet_says_what_is_over_alone(here: Path, output: Path) -> None:
    (here / "v1z3r-build.toml").write_text(OVER)
    assert run("budget", output, "-q").stderr.startswith("error: /app/: initial requests is 4")
    (here / "v1z3r-build.toml").write_text(WITHIN)
    assert run("budget", output, "-q").output == ""


def test_many_limits_are_not_all_shown(here: Path, output: Path) -> None:
    names = ("html", "script", "style", "font", "image", "wasm", "json", "media", "text", "other", "total", "lazy")
    (here / "v1z3r-build.toml").write_text("[budget.routes.'/']\n" + "".join(f"{name} = 100000\n" for name in names))
    brief, whole = run("budget", output).stderr, run("budget", output, "-v").stderr
    assert (brief.count("within "), whole.count("within ")) == (12, 13)
    assert "and 2 more within their limits, shown by -v" in brief


def result_of(output: Path, form: str, *words: str | Path) -> str:
    result = run("budget", output, "--format", form, *words)
    assert result.exit_code == 1, result.stderr
    return result.stdout


def test_json(here: Path, output: Path) -> None:
    (here / "v1z3r-build.toml").write_text(OVER)
    told: dict[str, Any] = json.loads(result_of(output, "json", "--baseline", output / MANIFEST_NAME))
    results = told.pop("results")
    assert told == {
        "status": "over",
        "folder": str(output),
        "release": "r1",
        "passed": False,
        "limits": "v1z3r-build.toml",
        "notes": [],
    }
    assert [one["name"] for one in results] == [
        "/app/: initial requests",
        "/app/: initial total (br)",
        "/app/: initial script (br)",
    ]
    assert results[2] == {
        "name": "/app/: initial script (br)",
        "passed": True,
        "size": 22_000,
        "sizeLimit": 30_000,
        "subject": "/app/",
        "figure": "initial script",
        "unit": "br",
        "before": 22_000,
        "files": [],
        "setting": 'budget.routes."/app/".script',
        "line": 3,
    }
    assert results[1]["files"][:2] == [
        {"path": "three.9f8e7d6c5b4a.js", "size": 20_000, "change": 0},
        {"path": "app.1a2b3c4d5e6f.js", "size": 2_000, "change": 0},
    ]


def test_the_list_of_size_limit(here: Path, output: Path) -> None:
    (here / "v1z3r-build.toml").write_text(OVER)
    assert json.loads(result_of(output, "size-limit")) == [
        {"name": "/app/: initial requests", "passed": False, "size": 4, "sizeLimit": 3},
        {"name": "/app/: initial total (br)", "passed": False, "size": 22_600, "sizeLimit": 20_000},
        {"name": "/app/: initial script (br)", "passed": True, "size": 22_000, "sizeLimit": 30_000},
    ]


def test_markdown(here: Path, output: Path) -> None:
    (here / "v1z3r-build.toml").write_text(OVER.replace("requests = 3\n", ""))
    assert result_of(output, "markdown").splitlines() == [
        "### v1z3r-build: budget",
        "",
        "over the budget: 1 of 2 limits of v1z3r-build.toml",
        "",
        "| route or file | figure | size | limit | over by | of limit |",
        "| --- | --- | ---: | ---: | ---: | ---: |",
        "| <code>/app/</code> | initial total (br) | 22.6 kB | 20.0 kB | 2.60 kB | 113% |",
        "",
        "- <code>/app/: initial total (br)</code>",
        "  - <code>20.0 kB three.9f8e7d6c5b4a.js</code>",
        "  - <code>2.00 kB app.1a2b3c4d5e6f.js</code>",
        "  - <code>400 B app/index.html</code>",
        "  - <code>200 B main.css</code>",
        "",
        "<details><summary>1 within its limit</summary>",
        "",
        "| route or file | figure | size | limit | of limit |",
        "| --- | --- | ---: | ---: | ---: |",
        "| <code>/app/</code> | initial script (br) | 22.0 kB | 30.0 kB | 73% |",
        "",
        "</details>",
    ]


def test_a_comment_stays_within_what_github_takes(here: Path, tmp_path: Path) -> None:
    made = manifest()
    routes = {f"/{'long' * 10}/{number}/": RouteRecord("index.html", ("main.css",), ()) for number in range(1000)}
    output = write(tmp_path / "out", replace(made, routes=routes))
    (here / "v1z3r-build.toml").write_text("[budget.routes.'*']\ntotal = 1\nhtml = 1000")
    told = result_of(output, "markdown")
    assert "and 940 more" in told
    assert len(told) < 65_536


def test_junit(here: Path, output: Path) -> None:
    (here / "v1z3r-build.toml").write_text(OVER)
    root = ElementTree.fromstring(result_of(output, "junit"))
    (suite,) = root
    for element in (root, suite):
        assert {name: element.attrib[name] for name in ("tests", "failures", "errors", "time")} == {
            "tests": "3",
            "failures": "2",
            "errors": "0",
            "time": "0",
        }
    cases = {(case.attrib["classname"], case.attrib["name"]): case for case in suite.iter("testcase")}
    assert list(cases) == [
        ("/app/", "initial requests"),
        ("/app/", "initial total (br)"),
        ("/app/", "initial script (br)"),
    ]
    failure = cases["/app/", "initial total (br)"].find("failure")
    assert failure is not None
    assert (
        failure.attrib["message"] == "/app/: initial total (br) is 22.6 kB, 2.60 kB (+13.0%) over the limit of 20.0 kB"
    )
    assert "20.0 kB three.9f8e7d6c5b4a.js\n" in str(failure.text)
    assert cases["/app/", "initial script (br)"].find("failure") is None


def test_github(here: Path, output: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (here / "v1z3r-build.toml").write_text(OVER)
    monkeypatch.setenv("GITHUB_WORKSPACE", str(here.parent))
    lines = result_of(output, "github").splitlines()
    assert [line.partition("::")[2].partition(" is ")[0] for line in lines] == [
        "error title=budget,file=here/v1z3r-build.toml,line=2,col=1::/app/: initial total (br)",
        "error title=budget,file=here/v1z3r-build.toml,line=4,col=1::/app/: initial requests",
    ]


@pytest.mark.parametrize(("form", "stream"), [("text", "stderr"), ("json", "stderr"), ("github", "stdout")])
def test_in_a_github_job_annotations_and_summary_come_by_themselves(
    here: Path, output: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, form: str, stream: str
) -> None:
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(tmp_path / "summary.md"))
    (here / "v1z3r-build.toml").write_text(OVER)
    result = run("budget", output, "--format", form)
    assert result.exit_code == 1
    said = {name: getattr(result, name).count("::error title=budget,") for name in ("stdout", "stderr")}
    assert said == {"stdout": 0, "stderr": 0} | {stream: 2}
    # The table is not obeyed.
    assert result.stderr.startswith("::stop-commands::")
    assert (tmp_path / "summary.md").read_text().startswith("### v1z3r-build: budget\n\nover the budget: 2 of 3")


def test_no_more_annotations_than_ten(here: Path, output: Path) -> None:
    (here / "v1z3r-build.toml").write_text("[budget.routes.'*']\ntotal = 1\nhtml = 1\nrequests = 0\n")
    assert result_of(output, "github").count("::error ") == 10


def test_hostile_names_are_shown_and_not_obeyed(here: Path, tmp_path: Path) -> None:
    name = "a|b`<img src=x>\x1b[2J\n::error::x\udcff.png"
    made = manifest()
    made = replace(
        made,
        files={**made.files, name: record("image", 500)},
        routes={"/": made.routes["/"]._replace(initial=(name,))},
    )
    output = write(tmp_path / "out", made)
    (here / "v1z3r-build.toml").write_text("[budget.routes.'/']\nimage = 1\n[budget.files]\n'*.png' = 499")
    for form in cli.FORMATS:
        result = run("budget", output, "--format", form)
        assert result.exit_code == 1, result.exception
        assert "\x1b" not in result.output
        assert not any(line.startswith("::error::") for line in result.output.splitlines())
    told = result_of(output, "markdown")
    assert "<img" not in told
    assert {line.count("|") for line in told.splitlines() if line.startswith("|")} == {7}
    ElementTree.fromstring(result_of(output, "junit"))


# Limits for a site that has none


def test_init_writes_limits_that_hold(here: Path, tmp_path: Path) -> None:
    output = write(tmp_path / "out", manifest(COPIES))
    result = run("budget", output, "--init")
    assert (result.exit_code, result.stdout) == (0, "")
    limits = tomllib.loads((here / "v1z3r-build.toml").read_text())["budget"]
    assert list(limits["routes"]) == ["/", "/app/", "/blog/[two]/", "/blog/one/"]
    assert limits["routes"]["/app/"] == {
        "script": "23.1 kB",
        "style": "210 B",
        "total": "23.8 kB",
        "requests": 5,
        "lazy": "16.8 kB",
        "vendors": {"three": "21 kB"},
    }
    assert run("budget", output).exit_code == 0
    write(output, manifest(main_css=record("style", 800, 400, 211)))
    assert run("budget", output).exit_code == 1


def test_init_never_overwrites(here: Path, output: Path) -> None:
    place = here / "v1z3r-build.toml"
    place.write_text("jobs = 2\n")
    result = run("budget", output, "--init")
    assert result.exit_code == 0
    assert place.read_text() == "jobs = 2\n"
    place.write_text(f"jobs = 2\n{result.stdout}")
    assert run("budget", output).exit_code == 0
    assert "has a table [budget] already" in run("budget", output, "--init").stderr


def test_init_for_a_project_file(here: Path, output: Path) -> None:
    place = here / "pyproject.toml"
    place.write_text("[tool.v1z3r-build]\njobs = 2\n")
    place.write_text(place.read_text() + run("budget", output, "--init").stdout)
    assert run("budget", output).exit_code == 0


def test_init_of_many_routes_has_a_table_for_each_folder(here: Path, tmp_path: Path) -> None:
    made = manifest()
    posts = {f"/blog/{number}/": RouteRecord("index.html", ("main.css",), ()) for number in range(50)}
    hostile = {"/a\udcff": made.routes["/"], '/"q"': made.routes["/"]}
    output = write(tmp_path / "out", replace(made, routes=made.routes | posts | hostile))
    assert run("budget", output, "--init").exit_code == 0
    limits = tomllib.loads((here / "v1z3r-build.toml").read_text())["budget"]["routes"]
    assert list(limits) == ["/", '/"q"', "/app/", "/blog/*"]
    assert limits["/blog/*"]["total"] == "2.42 kB", "that of the largest, /blog/[two]/"
    assert run("budget", output).exit_code == 0


# At the end of a run


@pytest.fixture
def site(tmp_path: Path) -> Path:
    folder = tmp_path / "app" / "site"
    folder.mkdir(parents=True)
    (folder / "index.html").write_text(
        "<!doctype html><title>Bars</title><link rel=stylesheet href=/s.css><h1>Bars</h1>"
    )
    (folder / "s.css").write_text("".join(f"h{n} {{ margin: {n}px; }}\n" for n in range(60)))
    return folder


@pytest.mark.parametrize(("limit", "code", "status"), [("10 kB", 0, "published"), ("10 B", 1, "published")])
def test_optimize_ends_with_the_check(site: Path, tmp_path: Path, limit: str, code: int, status: str) -> None:
    (site.parent / "v1z3r-build.toml").write_text(f"[budget.routes.'/']\ntotal = '{limit}'")
    result = run("optimize", site, "-o", tmp_path / "out", "--budget", "--json")
    told = json.loads(result.stdout)
    assert (result.exit_code, told["status"], told["budget"]["passed"]) == (code, status, code == 0)
    assert (tmp_path / "out" / MANIFEST_NAME).is_file()
    assert run("optimize", site, "-o", tmp_path / "out").exit_code == 0, "without --budget nothing is checked"


@pytest.mark.parametrize(
    ("limits", "written"),
    [("jobs = 1", False), ("[budget.routes.'/']\ntotal = 'x'", False), ("[budget.routes.'/gone']\ntotal = 1", True)],
)
def test_a_bad_budget_is_told_as_soon_as_it_can_be(site: Path, tmp_path: Path, limits: str, written: bool) -> None:
    (site.parent / "v1z3r-build.toml").write_text(limits)
    result = run("optimize", site, "-o", tmp_path / "out", "--budget", "--json")
    assert (result.exit_code, json.loads(result.stdout)["status"]) == (2, "failed")
    assert (tmp_path / "out").exists() is written


def test_the_last_release_is_the_baseline(site: Path, tmp_path: Path) -> None:
    (site.parent / "v1z3r-build.toml").write_text("[budget.growth.'/']\ntotal = 0")
    output = tmp_path / "out"
    assert run("optimize", site, "-o", output).exit_code == 0
    (site / "index.html").write_text(
        (site / "index.html").read_text() + "<p>A page with more text on it than before.</p>"
    )
    # It is read before the run replaces it.
    result = run("optimize", site, "-o", output, "--budget", "--previous", output / MANIFEST_NAME)
    assert result.exit_code == 1
    assert "initial total, growth" in result.stderr
