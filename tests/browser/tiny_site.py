"""A small site that has, on one page, each kind of thing that can be broken."""

from __future__ import annotations

import gzip
import io
import json
from typing import TYPE_CHECKING, Any

import brotli
from PIL import Image

from v1z3r_build.site.media_types import content_type

from .hosting import MANIFEST

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
<canvas width="20" height="10"></canvas>
<p id="answer">waiting</p>
<a href="about.html">About</a> <a href="team.html" id="team">Team</a>
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
_ENTRY = """import { answer } from "./chunk.js";
document.querySelector("#answer").textContent = answer();
const frame = document.querySelector("canvas").getContext("2d");
frame.fillStyle = "#0c8";
frame.fillRect(5, 5, 10, 5);
const home = document.body.innerHTML;
let away;
document.querySelector("#team").addEventListener("click", async (event) => {
  event.preventDefault();
  away = (await import("./team.js")).team;
  document.body.innerHTML = away;
  history.pushState(null, "", "team.html");
});
addEventListener("popstate", () => {
  document.body.innerHTML = location.pathname.endsWith("/") ? home : away;
});
"""
_TEAM = "export const team = '<h1>Team</h1><a href=./>Home</a>';\n"
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
        "team.html": _ABOUT.replace("About", "Team"),
        "404.html": _ABOUT.replace("About", "Not here"),
        "assets/style.css": _STYLE,
        "assets/entry.js": _ENTRY,
        "assets/chunk.js": _CHUNK,
        "assets/team.js": _TEAM,
    }
    for path, text in texts.items():
        (folder / path).write_text(text, encoding="utf-8")
    for name in ("red", "blue"):
        picture = io.BytesIO()
        Image.new("RGB", (300, 100), name).save(picture, "png")
        (folder / f"assets/{name}.png").write_bytes(picture.getvalue())


def write_optimized(folder: Path) -> None:
    """Write what an optimizer might make of the site: new names, sidecars, and the manifest."""
    write(folder)
    files: dict[str, dict[str, Any]] = {}
    for path in sorted(place.relative_to(folder).as_posix() for place in folder.rglob("*.*")):
        name = path.replace("chunk", "chunk-5e1f").replace("red", "red-c0de").replace("style", "style-ab12")
        data = (folder / path).read_bytes()
        for old, new in (("chunk.js", "chunk-5e1f.js"), ("red.png", "red-c0de.png"), ("e.css", "e-ab12.css")):
            data = data.replace(old.encode(), new.encode())
        (folder / path).unlink()
        (folder / name).write_bytes(data)
        files[name] = {
            "source": [path],
            "content_type": content_type(path),
            "cache_control": "public, max-age=0, must-revalidate",
        }
        if path.endswith((".js", ".css", ".html")):
            (folder / f"{name}.br").write_bytes(brotli.compress(data))
            (folder / f"{name}.gz").write_bytes(gzip.compress(data, mtime=0))
            files[name]["encodings"] = {"br": {"path": f"{name}.br"}, "gzip": {"path": f"{name}.gz"}}
    routes = {"/": {"html": "index.html"}, "/about": {"html": "about.html"}, "/team": {"html": "team.html"}}
    (folder / MANIFEST).write_text(json.dumps({"files": files, "routes": routes}), encoding="utf-8")
