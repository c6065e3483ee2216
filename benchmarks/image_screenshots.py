"""What the screens of users show: tables, code, meters, forms and articles, pictured by Chromium."""

from __future__ import annotations

import io
from random import Random
from typing import TYPE_CHECKING

from PIL import Image
from playwright.sync_api import sync_playwright

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import ViewportSize

_WORDS = (
    "stage", "light", "wave", "tone", "level", "strobe", "channel", "deck", "fader", "scene", "tempo", "mixer",
    "colour", "night", "signal", "loop", "gain",
)  # fmt: skip
_PALETTES = (("#fff", "#1e1e3c", "#ff5a3c", "#eef"), ("#14141f", "#e8e8f4", "#4fd1c5", "#23233a"),
             ("#fdf6e3", "#586e75", "#268bd2", "#eee8d5"))  # fmt: skip


def screenshots(program: str, count: int) -> Iterator[Image.Image]:
    """Pictures of pages, on usual and on fine screens. program: Chromium."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=["--no-sandbox", "--hide-scrollbars"])
        for number in range(count):
            scale = 1 + number % 2
            size: ViewportSize = {"width": 480 // scale, "height": 320 // scale}
            page = browser.new_page(viewport=size, device_scale_factor=scale)
            page.set_content(_page(number))
            yield Image.open(io.BytesIO(page.screenshot())).convert("RGB")
            page.close()
        browser.close()


def _page(number: int) -> str:
    random = Random(number)
    ground, ink, accent, panel = _PALETTES[number % len(_PALETTES)]
    body = (_table, _code, _meters, _form, _article)[number % 5](random)
    font = random.choice(("sans-serif", "serif", "monospace"))
    return f"""<!doctype html><style>
      body {{ margin: 0; font: {random.randint(12, 16)}px {font}; background: {ground}; color: {ink} }}
      header {{ padding: 10px; background: linear-gradient(90deg, {accent}, {panel}); font-weight: bold }}
      main {{ padding: 10px }} th, td {{ border: 1px solid {panel}; padding: 3px 8px; text-align: left }}
      pre {{ background: {panel}; padding: 10px }} b {{ color: {accent} }} em {{ color: #888 }}
      .bar {{ height: 14px; margin: 6px 0; border-radius: 7px; background: {accent}; box-shadow: 0 2px 6px #0006 }}
      input, button {{ font: inherit; padding: 4px 8px; margin: 4px; border: 1px solid {accent}; border-radius: 5px }}
      </style><header>{_sentence(random, 3)}</header><main>{body}</main>"""


def _sentence(random: Random, words: int) -> str:
    return " ".join(random.choices(_WORDS, k=words)).capitalize()


def _table(random: Random) -> str:
    rows = "".join(
        f"<tr><td>{_sentence(random, 2)}<td>{random.randint(0, 9999)}<td>{random.random():.3f}<td><b>on</b></tr>"
        for _ in range(14)
    )
    return f"<table><tr><th>Name<th>Level<th>Share<th>State</tr>{rows}</table>"


def _code(random: Random) -> str:
    lines = "\n".join(
        f"{'  ' * (line % 3)}<b>const</b> {random.choice(_WORDS)} = {random.choice(_WORDS)}({random.randint(0, 99)}); "
        f"<em>// {_sentence(random, 3)}</em>"
        for line in range(20)
    )
    return f"<pre>{lines}</pre>"


def _meters(random: Random) -> str:
    return "".join(
        f'{_sentence(random, 1)} <div class="bar" style="width: {random.randint(10, 95)}%"></div>' for _ in range(9)
    )


def _form(random: Random) -> str:
    rows = "".join(
        f'<p><label>{_sentence(random, 2)} <input value="{_sentence(random, 2)}"></label> '
        f'<input type="checkbox" checked><input type="range" value="{random.randint(0, 100)}"></p>'
        for _ in range(6)
    )
    return f"{rows}<button>{_sentence(random, 1)}</button><button>Cancel</button>"


def _article(random: Random) -> str:
    return "".join(f"<h3>{_sentence(random, 4)}</h3><p>{_sentence(random, 45)}.</p>" for _ in range(4))
