"""Smaller versions of images: only where it is certain how wide one can become."""

from __future__ import annotations

import pytest
from test_images_pictures import DOCTYPE, OPEN, offer

from v1z3r_build.passes.images.offers import Offer
from v1z3r_build.passes.images.pictures import page_edits
from v1z3r_build.passes.images.sheets import Sheets
from v1z3r_build.passes.images.stillness import Scripts
from v1z3r_build.passes.link.filling import apply
from v1z3r_build.site.address import Addresses

# Of 1600 × 1200 pixels: 480 × 360 and 800 × 600 have its ratio, 500 × 375 too, 501 has not.
WIDTHS = (480, 500, 501, 800)
OFFERS = {
    "i/a.jpg": Offer(
        offer("i/a.jpg").variants, 1600, 1200, 9000,
        tuple((f"image/{kind}", tuple((width, f"i/a.{width}.{kind}") for width in WIDTHS)) for kind in ("avif", "webp")),
    )
}  # fmt: skip


def made(page: str) -> str:
    data = (DOCTYPE + page).encode()
    addresses = Addresses({"index.html", *OFFERS})
    nothing: dict[str, bytes] = {}
    scripts = Scripts(nothing.__getitem__, addresses)
    result = page_edits("index.html", data, OFFERS, addresses, Sheets(nothing.__getitem__, addresses), scripts)
    return apply(data, list(result.edits)).decode().removeprefix(DOCTYPE)


def source(kind: str, widest: int, *widths: int) -> str:
    srcset = ", ".join(f"i/a.{width if width < 1600 else 1}.{kind} {width}w" for width in (*widths, 1600))
    return f'<source hidden type="image/{kind}" sizes="{widest}px" srcset="{srcset}">'


@pytest.mark.parametrize(
    ("sheet", "image", "widest", "widths"),
    [
        ("", "<img src=i/a.jpg width=490>", 490, (500, 800)),
        (
            "img{max-width:100%;height:auto;border:1px solid}",
            "<img src=i/a.jpg width=480 height=360>",
            480,
            (480, 500, 800),
        ),
        ("", "<img src=i/a.jpg style='width:600.5px'>", 601, (800,)),
        ("img{width:100px}.x{width:700px}b img{width:50%}", "<img class=x src=i/a.jpg width=400>", 700, (800,)),
        ("p:hover .y img{width:100%}", "<img src=i/a.jpg width=' 800px '>", 800, (800,)),
    ],
)
def test_widths_that_are_certain(sheet: str, image: str, widest: int, widths: tuple[int, ...]) -> None:
    head = f"<style>{sheet}</style><p>"
    sources = source("avif", widest, *widths) + source("webp", widest, *widths)
    assert made(head + image) == f"{head}{OPEN}{sources}{image}</picture>"


@pytest.mark.parametrize(
    ("sheet", "image"),
    [
        ("", "<img src=i/a.jpg>"),
        ("", "<img src=i/a.jpg width=50%>"),
        ("", "<img src=i/a.jpg width=900>"),  # no smaller version would do
        ("img{width:100px}", "<img src=i/a.jpg>"),  # it could stand in a condition
        ("img{width:100%}", "<img src=i/a.jpg width=400>"),
        ("img{width:auto}", "<img src=i/a.jpg width=400>"),
        ("img{min-width:50vw}", "<img src=i/a.jpg width=400>"),
        ("p:hover *{transform:scale(2)}", "<img src=i/a.jpg width=400>"),
        ("@media (width<9px){img{flex:1}}", "<img src=i/a.jpg width=400>"),
        ("img{height:500px;object-fit:cover}", "<img src=i/a.jpg width=400>"),
        ("", "<img src=i/a.jpg width=400 style='width:50%'>"),
        ("", "<img src=i/a.jpg width=400 sizes=9px>"),
        ("", "<img src=i/a.jpg width=400><img src=i/a.jpg width=800>"),
        ("div{background:url(i/a.jpg)}", "<img src=i/a.jpg width=400>"),
        ("", "<link rel=preload as=image href=i/a.jpg><img src=i/a.jpg width=400>"),
    ],
)
def test_widths_that_are_not(sheet: str, image: str) -> None:
    page = made(f"<style>{sheet}</style><p>{image}")
    assert "<picture" in page
    assert " 800w" not in page
