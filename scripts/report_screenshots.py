"""Pictures of the reports on all fixtures, light, dark and as on a phone, to be looked at.

    python scripts/report_screenshots.py [FIXTURE …]

Optimizes the exports of build/fixtures that are named (all, if none is) and writes into build/report-screenshots.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from playwright.sync_api import sync_playwright

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT / "tests"))

from browser.chromium import executable  # noqa: E402
from browser.exports import FIXTURES, Export  # noqa: E402

if TYPE_CHECKING:
    from playwright.sync_api import Browser, ColorScheme, ViewportSize

SCREENSHOTS = ROOT / "build" / "report-screenshots"
SITES = SCREENSHOTS / "sites"
SETTINGS = 'passes = ["split", "minify", "images", "link", "compress"]\n'
LOOKS: dict[str, tuple[ViewportSize, ColorScheme]] = {
    "light": ({"width": 1280, "height": 860}, "light"),
    "dark": ({"width": 1280, "height": 860}, "dark"),
    "phone": ({"width": 390, "height": 844}, "light"),
}


def main() -> None:
    """Make all pictures."""
    path = executable()
    if path is None:
        sys.exit("Chromium is not installed: run `make chromium`")
    SITES.mkdir(parents=True, exist_ok=True)
    (SITES / "settings.toml").write_text(SETTINGS)
    wanted = sys.argv[1:]
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        for export in FIXTURES:
            if export.folder.is_dir() and (not wanted or export.name in wanted):
                _picture(browser, export)
        browser.close()


def _picture(browser: Browser, export: Export) -> None:
    site, page = SITES / export.name, SITES / f"{export.name}.html"
    if not site.is_dir():
        _run(
            "optimize",
            str(export.folder),
            "-o",
            str(site),
            "--base",
            export.base,
            "--config",
            str(SITES / "settings.toml"),
        )
    _run("report", str(site), "-o", str(page))
    for look, (viewport, scheme) in LOOKS.items():
        context = browser.new_context(viewport=viewport, color_scheme=scheme, device_scale_factor=1)
        tab = context.new_page()
        tab.goto(page.as_uri())
        target = SCREENSHOTS / f"{export.name}-{look}.png"
        tab.screenshot(path=target, full_page=True)
        print(target.relative_to(ROOT))
        context.close()


def _run(*words: str) -> None:
    subprocess.run([sys.executable, "-m", "v1z3r_build", *words, "-q"], check=True)


if __name__ == "__main__":
    main()
