"""The report on each fixture in Chromium: drawn, usable by keyboard alone, and quiet."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from reports import HOSTILE, hostile, huge, render

from v1z3r_build.manifest import MANIFEST_NAME, Manifest
from v1z3r_build.report.delivery import report
from v1z3r_build.report.page import BUDGET
from v1z3r_build.transfers import CODINGS, Load, initial, lazy
from v1z3r_build.wording import size, visible

from .chromium import visitor

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from playwright.sync_api import Browser, Page

    from v1z3r_build.transfers import Coding

pytestmark = [pytest.mark.browser, pytest.mark.fixtures]
_TILES = "#treemap .tile"
_HERE = "document.activeElement.dataset.file"
_NAMES: dict[Coding, str] = {"raw": "raw", "gzip": "gzip", "br": "brotli"}


class Reader:
    """A report that is open, and all that it has said and asked for."""

    def __init__(self, tab: Page, manifest: Manifest, address: str) -> None:
        self.tab = tab
        self.manifest = manifest
        self.noise: list[str] = []
        self.requests: list[str] = []
        tab.on("console", lambda message: self.noise.append(message.text))
        tab.on("pageerror", lambda failure: self.noise.append(str(failure)))
        tab.on("request", lambda request: self.requests.append(request.url))
        tab.goto(address)

    def choose(self, route: str = "/", load: str = "initial", coding: Coding = "br") -> None:
        """Set the switches."""
        self.tab.get_by_label("Route", exact=True).select_option(label=route)
        if route != "Every file of the output":
            self.tab.get_by_role("radio", name=load, exact=True).check(force=True)
        self.tab.get_by_role("radio", name=_NAMES[coding], exact=True).check(force=True)

    def shown(self) -> list[str]:
        """The files in the map, in its order."""
        return self.named(self.tab.eval_on_selector_all(_TILES, "all => all.map((one) => one.dataset.file)"))

    def listed(self) -> list[str]:
        """The files in the list."""
        return self.tab.eval_on_selector_all(
            "#file-table tbody tr",
            "rows => rows.filter((row) => row.checkVisibility()).map((row) => row.cells[0].textContent)",
        )

    def named(self, numbers: list[str]) -> list[str]:
        """The files with these numbers in the page's data."""
        paths = self.tab.evaluate("JSON.parse(document.getElementById('data').textContent).files.map((row) => row[0])")
        return [paths[int(number)] for number in numbers]

    def text(self, name: str) -> str:
        """What an element says."""
        return self.tab.locator(f"#{name}").inner_text()


@pytest.fixture(scope="module")
def address(optimized: Path, tmp_path_factory: pytest.TempPathFactory) -> str:
    """The report on an optimized fixture, as a file."""
    path = tmp_path_factory.mktemp("report") / "report.html"
    made = report(optimized, path, None)
    assert made.size == path.stat().st_size <= BUDGET
    return path.as_uri()


@pytest.fixture
def reader(browser: Browser, optimized: Path, address: str) -> Iterator[Reader]:
    """The open report. Whatever a test does, it must stay quiet."""
    with visitor(browser) as context:
        found = Reader(context.new_page(), Manifest.load(optimized / MANIFEST_NAME), address)
        yield found
        assert found.noise == []
        assert found.requests == [address]


def test_the_map_holds_what_the_route_loads_and_figures_follow_the_switches(reader: Reader) -> None:
    for route in reader.manifest.routes:
        loads = {"initial": initial(reader.manifest, route), "lazy": lazy(reader.manifest, route)}
        loads["both"] = Load({**loads["initial"].files, **loads["lazy"].files})
        for load, expected in loads.items():
            for coding in CODINGS:
                reader.choose(route, load, coding)
                assert reader.text("t-size") == f"{size(expected.size(coding))} {_NAMES[coding]}"
            assert reader.text("t-requests") == str(expected.requests)
            assert sorted(reader.shown()) == sorted(reader.listed()) == sorted(expected.files)


def test_tiles_fill_the_map_without_gaps(reader: Reader) -> None:
    boxes = reader.tab.eval_on_selector_all(
        f"{_TILES}, #treemap .head", "all => all.map((one) => [one.offsetWidth, one.offsetHeight])"
    )
    area = reader.tab.evaluate(
        "document.getElementById('treemap').clientWidth * document.getElementById('treemap').clientHeight"
    )
    assert sum(width * height for width, height in boxes) == pytest.approx(area, rel=0.02)
    assert all(width > 0 and height > 0 for width, height in boxes)


def test_every_file_is_reached_by_keyboard(reader: Reader) -> None:
    reader.choose("Every file of the output")
    keyboard = reader.tab.keyboard
    # One stop in the order of Tab; within, arrows.
    reader.tab.locator("#treemap [tabindex='0']").focus()
    keyboard.press("Home")
    walked = [reader.tab.evaluate(_HERE)]
    for _ in range(reader.tab.locator("#treemap button").count() - 1):
        keyboard.press("ArrowRight")
        walked.append(reader.tab.evaluate(_HERE))
    assert sorted(reader.named([number for number in walked if number])) == sorted(reader.manifest.files)
    assert reader.tab.evaluate("document.activeElement.matches(':focus-visible')")
    # In the list each is a stop of its own.
    assert reader.tab.locator("#file-table tbody button").count() == len(reader.manifest.files)
    keyboard.press("Tab")
    assert reader.tab.evaluate("!document.activeElement.closest('#treemap')")


def test_enter_opens_a_file_and_escape_goes_back(reader: Reader) -> None:
    reader.choose("All routes together", "both")
    tile = reader.tab.locator(_TILES).first
    tile.focus()
    reader.tab.keyboard.press("Enter")
    assert reader.text("details-h") == reader.named([tile.get_attribute("data-file") or ""])[0]
    assert reader.tab.evaluate("document.querySelector('dialog').open")
    reader.tab.keyboard.press("Escape")
    assert not reader.tab.evaluate("document.querySelector('dialog').open")
    assert reader.tab.evaluate("document.activeElement.classList.contains('tile')")


def test_a_kind_fills_the_map_and_gives_it_back(reader: Reader) -> None:
    reader.choose("Every file of the output", coding="raw")
    before = reader.shown()
    head = reader.tab.locator("#treemap .head").first
    kind = head.inner_text().split()[0]
    head.focus()
    reader.tab.keyboard.press("Enter")
    assert sorted(reader.shown()) == sorted(path for path, one in reader.manifest.files.items() if one.kind == kind)
    reader.tab.keyboard.press("Escape")
    assert reader.shown() == before
    assert reader.tab.evaluate("document.activeElement.textContent").split()[0] == kind


def test_filters(reader: Reader) -> None:
    files = reader.manifest.files
    reader.choose("Every file of the output")
    reader.tab.get_by_label("Kind").select_option("script")
    assert sorted(reader.listed()) == sorted(path for path, one in files.items() if one.kind == "script")
    reader.tab.get_by_label("Kind").select_option("")
    reader.tab.get_by_label("Cache class").select_option("immutable")
    lasting = sorted(path for path, one in files.items() if one.cache_class == "immutable")
    assert sorted(reader.listed()) == sorted(reader.shown()) == lasting
    reader.tab.get_by_label("File name").fill("CSS")
    assert sorted(reader.listed()) == [path for path in lasting if "css" in path]
    reader.tab.get_by_label("File name").fill("no such file")
    assert (reader.shown(), reader.listed()) == ([], [])
    assert "No file matches" in reader.text("treemap")
    reader.tab.get_by_role("button", name="Reset").click()
    assert sorted(reader.listed()) == sorted(initial(reader.manifest, "/").files)


def test_the_list_is_sorted_by_its_headings(reader: Reader) -> None:
    reader.choose("Every file of the output")
    reader.tab.get_by_role("button", name="raw", exact=True).click()
    sizes = [reader.manifest.files[path].size for path in reader.listed()]
    assert sizes == sorted(sizes, reverse=True)
    reader.tab.get_by_role("button", name="File", exact=True).click()
    assert reader.listed() == sorted(reader.manifest.files, key=lambda path: path.encode("utf-16-be"))


def test_other_keys_of_the_map(reader: Reader) -> None:
    reader.choose("Every file of the output", coding="raw")
    keyboard = reader.tab.keyboard
    reader.tab.locator("#treemap [tabindex='0']").focus()
    parts = reader.tab.locator("#treemap > div").count()
    inside = "[...document.querySelectorAll('#treemap > div')].indexOf(document.activeElement.parentElement)"
    visited = []
    for _ in range(parts):
        visited.append(reader.tab.evaluate(inside))
        keyboard.press("PageDown")
    assert visited == list(range(parts))
    keyboard.press("Home")
    # On the page: it scrolls to what has the focus.
    top = "document.activeElement.getBoundingClientRect().top + scrollY"
    before = reader.tab.evaluate(top)
    keyboard.press("ArrowDown")
    assert reader.tab.evaluate(top) > before
    keyboard.press("ArrowUp")
    assert reader.tab.evaluate(top) == before
    assert reader.tab.locator("#treemap [tabindex='0']").count() == 1


@pytest.mark.parametrize("width", [320, 390, 1600])
def test_nothing_is_cut_off(reader: Reader, width: int) -> None:
    reader.tab.set_viewport_size({"width": width, "height": 800})
    assert reader.tab.evaluate("document.documentElement.scrollWidth") <= width


def test_hostile_names_are_shown_and_do_nothing(browser: Browser, tmp_path: Path) -> None:
    path = tmp_path / "report.html"
    path.write_bytes(render(hostile(), title="</title><script>alert(1)</script>"))
    with visitor(browser) as context:
        tab = context.new_page()
        tab.on("dialog", lambda dialog: pytest.fail(dialog.message))
        reader = Reader(tab, hostile(), path.as_uri())
        tab.get_by_label("Route", exact=True).select_option("all")
        names = [*map(visible, HOSTILE)]
        assert sorted(reader.listed()) == sorted(reader.shown()) == sorted(names)
        for number in range(len(names)):
            tile = tab.locator(_TILES).nth(number)
            tile.hover()
            tile.click()
            assert reader.text("details-h") in names
            tab.keyboard.press("Escape")
        assert tab.title() == "</title><script>alert(1)</script>: report of v1z3r-build"
        assert (reader.noise, reader.requests) == ([], [path.as_uri()])


def test_a_huge_site_is_drawn_whole(browser: Browser, tmp_path: Path) -> None:
    made, path = huge(10_000, 300), tmp_path / "report.html"
    path.write_bytes(render(made))
    with visitor(browser) as context:
        reader = Reader(context.new_page(), made, path.as_uri())
        reader.tab.get_by_label("Route", exact=True).select_option("whole")
        assert reader.text("t-requests") == str(len(made.files))
        assert reader.text("t-size") == f"{size(Load(made.files).size('br'))} brotli"
        assert 50 < reader.tab.locator(_TILES).count() < 1_000
        assert "smaller ones" in reader.text("file-foot")
        assert reader.noise == []


def test_tables_read_without_scripts(browser: Browser, optimized: Path, address: str) -> None:
    context = browser.new_context(java_script_enabled=False)
    tab = context.new_page()
    tab.goto(address)
    names = tab.locator("#file-table tbody td:first-child").all_inner_texts()
    assert sorted(names) == sorted(Manifest.load(optimized / MANIFEST_NAME).files)
    assert not tab.locator("#live").is_visible()
    assert tab.locator("noscript").is_visible()
    context.close()
