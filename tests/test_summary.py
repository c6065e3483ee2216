"""The figures of a run, and how people and GitHub read them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from v1z3r_build import github
from v1z3r_build.diagnostics import Diagnostic, error, info, warning
from v1z3r_build.manifest import EncodingRecord, FileRecord, Manifest
from v1z3r_build.summary import Summary, Totals, summarize
from v1z3r_build.terminal import Terminal, place, share, size, visible


def record(kind: str, size: int, *, source: str, br: int = 0, gzip: int = 0, cache_class: str = "html") -> FileRecord:
    sizes = {"br": br, "gzip": gzip}
    encodings = {coding: EncodingRecord(coding, count, "") for coding, count in sizes.items() if count}
    return FileRecord((source,), kind, "", size, "", "", cache_class, "", encodings)


def manifest(**files: FileRecord) -> Manifest:
    return Manifest("", "", {}, files, {}, ())


def test_bytes_are_summed_by_kind_in_the_order_of_the_contract() -> None:
    made = manifest(
        a=record("font", 50, source="a", cache_class="immutable"),
        b=record("html", 90, source="b", br=20, gzip=30),
        c=record("html", 10, source="c", gzip=4),
    )
    found = summarize([("font", 50), ("html", 100), ("html", 10)], made)
    assert found.kinds == {"html": Totals(2, 110, 2, 100, 24), "font": Totals(1, 50, 1, 50, 50)}
    assert list(found.kinds) == ["html", "font"]
    assert found.total == Totals(3, 160, 3, 150, 74)
    assert found.immutable == 1


def test_a_file_and_its_hashed_copy_count_once() -> None:
    made = manifest(a=record("image", 100, source="a"), b=record("image", 100, source="a", cache_class="immutable"))
    assert summarize([("image", 100)], made).kinds == {"image": Totals(1, 100, 2, 100, 100)}


def test_a_kind_that_is_gone_still_has_its_line() -> None:
    assert summarize([("json", 5)], manifest()).kinds == {"json": Totals(files_before=1, bytes_before=5)}


def test_the_figures_for_programs() -> None:
    made = Summary({"html": Totals(1, 100, 2, 90, 30)}, 1).to_json()
    assert made == {
        "before": {"files": 1, "bytes": 100},
        "after": {"files": 2, "bytes": 90, "transferred": 30},
        "immutable": 1,
        "kinds": {
            "html": {"before": {"files": 1, "bytes": 100}, "after": {"files": 2, "bytes": 90, "transferred": 30}}
        },
    }


@pytest.mark.parametrize(
    ("count", "text"),
    [
        (0, "0 B"),
        (999, "999 B"),
        (1000, "1.00 kB"),
        (9994, "9.99 kB"),
        (9996, "10.0 kB"),
        (99_940, "99.9 kB"),
        (99_960, "100 kB"),
        (999_499, "999 kB"),
        (999_500, "1.00 MB"),
        (2_900_000, "2.90 MB"),
        (5_000_000_000, "5.00 GB"),
        (7_000_000_000_000_000, "7000 TB"),
    ],
)
def test_sizes(count: int, text: str) -> None:
    assert size(count) == text


def test_shares() -> None:
    assert (share(75, 100), share(100, 100), share(150, 100), share(5, 0)) == ("-25.0%", "+0.0%", "+50.0%", "")


def test_nothing_is_left_that_a_terminal_would_obey() -> None:
    assert visible("a\x1b[2Jb\r\nc\u202ed\udcffé音") == r"a\x1b[2Jb\r\nc\u202ed\udcffé音"


def test_places() -> None:
    assert place(warning("x", "a.js", "m", line=3, column=7)) == "a.js:3:7"
    assert place(warning("x", "a.js", "m")) == "a.js"


@pytest.fixture(autouse=True)
def _plain(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("CI", "GITHUB_ACTIONS", "GITHUB_STEP_SUMMARY", "GITHUB_WORKSPACE", "NO_COLOR", "FORCE_COLOR"):
        monkeypatch.delenv(name, raising=False)


MANY: list[Diagnostic] = [
    *(info("note", f"n{number}", "said") for number in range(3)),
    *(warning("few", "w", f"message {number}", "look") for number in range(2)),
    *(warning("many", f"w{number:02}", "again", "do it") for number in range(12)),
    error("bad", "", "the whole"),
]


def test_diagnostics_are_grouped_the_worst_first(capsys: pytest.CaptureFixture[str]) -> None:
    Terminal().diagnostics(MANY)
    assert capsys.readouterr().err.splitlines() == [
        "error: bad",
        "  the whole",
        "warning: many (12)",
        *(f"  w{number:02}: again" for number in range(10)),
        "    do it",
        "  and 2 more, shown by -v",
        "warning: few (2)",
        "  w: message 0",
        "  w: message 1",
        "    look",
        "3 notes, shown by -v",
    ]


def test_verbose_shows_everything(capsys: pytest.CaptureFixture[str]) -> None:
    Terminal(1).diagnostics(MANY)
    said = capsys.readouterr().err
    assert said.count(": again") == 12
    assert said.endswith("info: note (3)\n  n0: said\n  n1: said\n  n2: said\n")


def test_quiet_shows_errors_alone(capsys: pytest.CaptureFixture[str]) -> None:
    terminal = Terminal(-1)
    terminal.diagnostics(MANY)
    terminal.gain(Summary({"html": Totals(1, 1, 1, 1, 1)}, 0))
    terminal.note("no")
    assert capsys.readouterr().err == "error: bad\n  the whole\n"


def test_each_hint_stands_under_the_last_that_has_it(capsys: pytest.CaptureFixture[str]) -> None:
    Terminal().diagnostics(
        [warning("x", "a", "m", "one"), warning("x", "b", "m", "one"), warning("x", "c", "m", "two")]
    )
    assert capsys.readouterr().err.splitlines()[1:] == ["  a: m", "  b: m", "    one", "  c: m", "    two"]


def test_long_lines_are_not_cut_where_nobody_watches(capsys: pytest.CaptureFixture[str]) -> None:
    Terminal().diagnostics([warning("x", "p" * 300, "m" * 300)])
    assert f"  {'p' * 300}: {'m' * 300}\n" in capsys.readouterr().err


def test_the_table(capsys: pytest.CaptureFixture[str]) -> None:
    Terminal().gain(Summary({"html": Totals(2, 1000, 2, 900, 250), "image": Totals(1, 500, 2, 500, 500)}, 1))
    assert [line.split() for line in capsys.readouterr().err.splitlines()] == [
        ["kind", "files", "before", "after", "transferred"],
        ["html", "2", "1.00", "kB", "900", "B", "-10.0%", "250", "B", "-75.0%"],
        ["image", "1", ">", "2", "500", "B", "500", "B", "+0.0%", "500", "B", "+0.0%"],
        ["total", "3", ">", "4", "1.50", "kB", "1.40", "kB", "-6.7%", "750", "B", "-50.0%"],
    ]


@pytest.mark.parametrize(
    ("environment", "coloured"),
    [({}, True), ({"NO_COLOR": "1"}, False), ({"CI": "true"}, False), ({"TERM": "dumb"}, False)],
)
def test_colour_and_bars_are_for_terminals(
    environment: dict[str, str],
    coloured: bool,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    import sys

    monkeypatch.setenv("TERM", "xterm-256color")
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    terminal = Terminal()
    terminal.error("no")
    assert ("\x1b[1;31m" in capsys.readouterr().err) is coloured
    with terminal.progress() as progress:
        progress.start("minify", 10)
        progress.advance(10)
    assert ("minify" in capsys.readouterr().err) is ("CI" not in environment and "TERM" not in environment)


def test_annotations_are_escaped_and_relative_to_the_workspace() -> None:
    found = [
        warning("x", "a,b:c.js", "50% of\nit", "do: this, now", line=3, column=4),
        error("y", "", "whole"),
        info("z", "n", "no annotation"),
    ]
    assert list(github.commands(found, Path("/w/app/out"), Path("/w"))) == [
        "::error title=y::whole",
        "::warning title=x,file=app/out/a%2Cb%3Ac.js,line=3,col=4::50%25 of%0Ait%0Ado: this, now",
    ]


def test_no_more_annotations_than_github_shows() -> None:
    found = [make("x", str(number), "m") for number in range(12) for make in (warning, error)]
    lines = list(github.commands(found, Path("/w"), Path("/w")))
    assert [line.split()[0] for line in lines] == ["::error"] * 10 + ["::warning"] * 10


def test_github_obeys_nothing_while_foreign_text_is_printed(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    with github.commands_off():
        Terminal().diagnostics([warning("x", "::error::oops", "m")])
    first, *_, last = capsys.readouterr().err.splitlines()
    assert first.startswith("::stop-commands::")
    assert len(first) > 40
    assert last == f"::{first.removeprefix('::stop-commands::')}::"


def test_elsewhere_nothing_is_said_to_github(capsys: pytest.CaptureFixture[str]) -> None:
    with github.commands_off():
        github.annotate([warning("x", "a", "m")], Path())
    assert capsys.readouterr().err == ""


def test_the_step_summary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    place = tmp_path / "summary.md"
    place.write_text("before\n")
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(place))
    found: list[Any] = [warning("x", "a", "m"), warning("x", "b", "m"), error("y", "", "m")]
    github.summarize(Summary({"html": Totals(1, 1000, 1, 500, 100)}, 0), found, "written to <out>")
    assert place.read_text() == (
        "before\n### v1z3r-build\n\n"
        "| kind | files | before | after |  | transferred |  |\n"
        "| --- | ---: | ---: | ---: | ---: | ---: | ---: |\n"
        "| html | 1 | 1.00 kB | 500 B | -50.0% | 100 B | -90.0% |\n"
        "| **total** | 1 | 1.00 kB | 500 B | -50.0% | 100 B | -90.0% |\n\n"
        "written to &lt;out&gt;\n\n- error: y (1)\n- warning: x (2)\n\n"
    )
