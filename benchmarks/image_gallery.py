"""Images of each class that a website has, as files in the formats that people have them in."""

from __future__ import annotations

import io
import shutil
from dataclasses import dataclass
from random import Random
from typing import TYPE_CHECKING

from image_drawing import clouds, icon, normals, pan, photograph, spinner, wall
from image_packages import Gathered, gathered
from image_screenshots import screenshots
from PIL import Image, ImageDraw, ImageFilter, ImageFont

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

_CHROMIUM = ("chromium", "chromium-browser", "google-chrome")
# What cameras, editors and shops for pictures save with.
_QUALITIES = (85, 90, 92, 95)


@dataclass(frozen=True, slots=True)
class Sample:
    """An image. kind: its class; name: for people, with the ending of its format."""

    kind: str
    name: str
    data: bytes


def gallery(count: int, packages: Path | None) -> Iterator[Sample]:
    """So many images of each class. packages: where Debian's lie or are put; None to draw everything."""
    found = gathered(packages) if packages else Gathered([], [], [])
    photographs = _Views(found.photographs)
    makers: dict[str, Callable[[int], tuple[str, bytes]]] = {
        "photo": lambda number: _jpeg(photographs.view(number, 480, 320), number),
        "icon": lambda number: _icon(number, found.icons),
        "texture": lambda number: _texture(number, found.textures),
        "cut-out": lambda number: _cut_out(number, photographs),
        "animation": lambda number: _animation(number, photographs),
    }
    for kind, make in makers.items():
        for number in range(count):
            ending, data = make(number)
            yield Sample(kind, f"{kind}-{number:02}.{ending}", data)
    chromium = next((path for name in _CHROMIUM if (path := shutil.which(name))), None) if packages else None
    for number, image in enumerate(screenshots(chromium, count) if chromium else map(_window, range(count))):
        yield Sample("screenshot", f"screenshot-{number:02}.png", _png(image))


class _Views:
    """Parts of photographs, as pages show them: of real ones, or of drawn ones where there are none."""

    def __init__(self, files: list[Path]) -> None:
        self.files = files

    def view(self, number: int, width: int, height: int) -> Image.Image:
        """The whole of a photograph, or when all have been shown a part of it."""
        if not self.files:
            return photograph(number, (width, height))
        turn, place = divmod(number, len(self.files))
        with Image.open(self.files[place]) as file:
            file.draft("RGB", (width * 3, height * 3))
            image = file.convert("RGB")
        random = Random(number)
        share = 1.0 if turn == 0 else 0.45
        part = (
            min(image.width, image.height * width / height) * share,
            min(image.height, image.width * height / width) * share,
        )
        left, top = random.uniform(0, image.width - part[0]), random.uniform(0, image.height - part[1])
        box = (left, top, left + part[0], top + part[1])
        return image.resize((width, height), Image.Resampling.LANCZOS, box=box)


def _jpeg(image: Image.Image, number: int) -> tuple[str, bytes]:
    file = io.BytesIO()
    image.save(file, "JPEG", quality=_QUALITIES[number % len(_QUALITIES)])
    return "jpg", file.getvalue()


def _png(image: Image.Image) -> bytes:
    file = io.BytesIO()
    image.save(file, "PNG")
    return file.getvalue()


def _icon(number: int, files: list[Path]) -> tuple[str, bytes]:
    """Icons of a theme, drawn icons, and charts of thin lines, in turn."""
    if number % 3 == 0 and files:
        return "png", files[number * len(files) // 97 % len(files)].read_bytes()
    if number % 3 == 1:
        return "png", _png(_chart(number))
    return "png", _png(icon(number, (16, 24, 32, 48, 64, 96, 128)[number % 7]))


def _chart(number: int) -> Image.Image:
    random = Random(number)
    width, height = 320, 200
    image = Image.new("RGB", (width * 2, height * 2), "white")
    draw = ImageDraw.Draw(image)
    for line in range(5):
        draw.line((60, 40 + 80 * line, 620, 40 + 80 * line), (220, 220, 228), 2)
    for ink in ((30, 30, 60), (255, 90, 60), (40, 140, 120)):
        level, points = random.uniform(120, 300), []
        for step in range(41):
            level = min(360, max(40, level + random.gauss(0, 24)))
            points.append((60 + 14 * step, level))
        draw.line(points, ink, 3)
    font = ImageFont.load_default(22)
    draw.text((60, 5), f"level {random.randint(100, 999)}, share {random.random():.2f}", (30, 30, 60), font)
    return image.resize((width, height), Image.Resampling.LANCZOS)


def _texture(number: int, files: list[Path]) -> tuple[str, bytes]:
    """Colours and, of every other one, the directions of the surface."""
    if not files:
        return "png", _png(wall(number // 2, 128)[number % 2])
    with Image.open(files[number // 2 % len(files)]) as file:
        colour = file.convert("RGB").resize((192, 192), Image.Resampling.LANCZOS)
    return "png", _png(normals(colour.convert("L").filter(ImageFilter.GaussianBlur(1)), 3.0) if number % 2 else colour)


def _cut_out(number: int, photographs: _Views) -> tuple[str, bytes]:
    """A photographed thing without what was behind it: with hard, soft and ragged edges in turn."""
    image = photographs.view(number, 360, 270)
    random = Random(number)
    if number % 3 == 2:
        mask = clouds(random, image.size, 4, 6).point(lambda grey: min(255, max(0, (grey - 110) * 12)))
    else:
        mask = Image.new("L", image.size, 0)
        corners = [(random.uniform(20, 340), random.uniform(20, 250)) for _ in range(3)]
        draw = ImageDraw.Draw(mask)
        draw.polygon(corners, 255)
        draw.ellipse((80, 40, 280, 230), 255)
        mask = mask.filter(ImageFilter.GaussianBlur((1, 8)[number % 3]))
    image.putalpha(mask)
    return "png", _png(image)


def _animation(number: int, photographs: _Views) -> tuple[str, bytes]:
    """GIFs of a camera that moves and of text that is written, and APNGs of turning dots, in turn."""
    if number % 4 == 3:
        return "png", _frames(spinner(number, 64, 8), "PNG", 0)
    if number % 4 == 2:
        return "gif", _frames([_typed(number, step).quantize(16) for step in range(8)], "GIF", 0)
    scene = photographs.view(number, 240, 120) if photographs.files else pan(number, (240, 120), 1)[0]
    views = [scene.crop((8 * step, 0, 160 + 8 * step, 120)) for step in range(8)]
    return "gif", _frames([view.quantize(128) for view in views], "GIF", 0)


def _frames(frames: list[Image.Image], format: str, loop: int) -> bytes:
    file = io.BytesIO()
    frames[0].save(file, format, save_all=True, append_images=frames[1:], duration=80, loop=loop)
    return file.getvalue()


def _typed(number: int, step: int) -> Image.Image:
    image = Image.new("RGB", (200, 90), (20, 20, 31))
    text = "".join(Random(number).choices("abcdefghij klmnop.,", k=60))
    font = ImageFont.load_default(14)
    for line in range(3):
        ImageDraw.Draw(image).text((8, 8 + 24 * line), text[20 * line : 20 * line + 3 * step], (230, 230, 244), font)
    return image


def _window(number: int) -> Image.Image:
    """A window of an app, drawn: for machines without a browser."""
    random = Random(number)
    image = Image.new("RGB", (480, 320), (250, 250, 252))
    draw = ImageDraw.Draw(image)
    draw.rectangle((0, 0, 480, 28), (30, 30, 60))
    font = ImageFont.load_default(13)
    for row in range(11):
        top = 38 + 25 * row
        draw.text((12, top), f"channel {random.randint(1, 99)}: {random.random():.4f}", (40, 40, 50), font)
        draw.rounded_rectangle((200, top + 2, 200 + random.randint(20, 260), top + 16), 6, (255, 90 + 8 * row, 60))
    return image
