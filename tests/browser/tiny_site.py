"""A small site that has, on one page, each kind of thing that can be broken."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

from PIL import Image

if TYPE_CHECKING:
    from pathlib import Path

_HOME = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<title>Tiny</title>
<link rel="stylesheet" href="assets/style.css">
<script type="module" src="assets/entry.js"></script>
</head>
<body>
<h1 class="title">Tiny site</h1>
<p><b>Two</b> <i>words</i>, Hello <!-- -->Ada</p>
<pre>
  kept   as it is</pre>
<img src="assets/red.png" srcset="assets/red.png 1x, assets/blue.png 2x" alt="" width="300" height="100">
<p id="answer">waiting</p>
<a href="about.html">About</a>
</body>
</html>
"""
_ABOUT = """<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><title>About</title><link rel="stylesheet" href="assets/style.css"></head>
<body><h1>About</h1><a href="./">Home</a></body>
</html>
"""
_STYLE = """body { margin: 0; background: #eef; color: #123; font: 24px/1.5 sans-serif }
.title { background: #fc0 }
"""
_ENTRY = 'import { answer } from "./chunk.js";\ndocument.querySelector("#answer").textContent = answer();\n'
_CHUNK = """export function answer() {
  document.documentElement.setAttribute("data-ready", "yes");
  return "The answer is 42.";
}
"""


def write(folder: Path) -> None:
    """Write the site into a new folder."""
    (folder / "assets").mkdir(parents=True)
    texts = {
        "index.html": _HOME,
        "about.html": _ABOUT,
        "404.html": _ABOUT.replace("About", "Not here"),
        "assets/style.css": _STYLE,
        "assets/entry.js": _ENTRY,
        "assets/chunk.js": _CHUNK,
    }
    for path, text in texts.items():
        (folder / path).write_text(text, encoding="utf-8")
    for name in ("red", "blue"):
        picture = io.BytesIO()
        Image.new("RGB", (300, 100), name).save(picture, "png")
        (folder / f"assets/{name}.png").write_bytes(picture.getvalue())
