"""Inlined images: where they are found, and what takes their place."""

from __future__ import annotations

import base64

import pytest
import tinycss2
import turbohtml

from v1z3r_build.passes.images.data_uris import SMALLEST, Inlined, in_page, in_sheet, replaced
from v1z3r_build.passes.link.filling import apply

IMAGE = bytes(range(256)) * 2
TEXT = base64.b64encode(IMAGE).decode()
URL = f"data:image/png;base64,{TEXT}"
SMALL = IMAGE[:300]


@pytest.mark.parametrize(
    ("page", "shown"),
    [
        (f"<img src={URL}>", True),
        (f"<img src=' {URL} '>", True),
        (f'<img srcset="{URL} 2x, a.png 1x">', True),
        (f"<picture><source srcset='a.png, {URL}'><img></picture>", True),
        (f"<style>a{{background:url({URL})}}</style>", True),
        (f"<p style=\"background:url('{URL}')\">", True),
        (f"<svg><image href='{URL}'/></svg>", True),
        (f"<link rel=icon href={URL}>", False),
        (f"<img src='data:IMAGE/PNG;a=b;base64,{TEXT.replace('+', '%2B').replace('/', '&#47;')}'>", True),
        (f"<img src='data:image/png;base64,{TEXT.rstrip('=')[:80]}\n{TEXT.rstrip('=')[80:]}'>", True),
    ],
)
def test_images_in_pages(page: str, shown: bool) -> None:
    (found,) = in_page(page.encode())
    assert (found.data, found.content_type, found.shown) == (IMAGE, "image/png", shown)
    edit = replaced(found, "image/webp", SMALL)
    assert edit is not None
    after = apply(page.encode(), [edit])
    (again,) = in_page(after)
    assert (again.data, again.content_type) == (SMALL, "image/webp")
    tags = [[one.tag for one in turbohtml.parse(text).iter_elements()] for text in (page, after.decode())]
    assert tags[0] == tags[1]


@pytest.mark.parametrize(
    "page",
    [
        f"<img src='data:image/svg+xml;base64,{TEXT}'>",
        f"<img src='data:image/png,{TEXT}'>",
        f"<img src='data:image/png;base64,{TEXT[:40]}'>",
        f"<img src='data:image/png;base64,{TEXT[:-8]}!!!!'>",
        f"<img src='{URL}#x'>",
        f"<img alt='{URL}'><p>{URL}</p><script>'{URL}'</script><a href='{URL}'>x</a><!-- <img src='{URL}'> -->",
    ],
)
def test_what_is_no_inlined_image(page: str) -> None:
    assert [one for one in in_page(page.encode()) if one.shown] == []


def test_images_in_sheets() -> None:
    sheet = f"@import url({URL});a{{background:URL( {URL} ) 0;--x:url({URL});mask:url('{URL}')}}"
    found = [one for one in in_sheet(sheet.encode()) if one.shown]
    assert [sheet[one.start : one.end] for one in found] == [URL, URL]
    edits = [edit for one in found if (edit := replaced(one, "image/webp", SMALL))]
    after = apply(sheet.encode(), edits).decode()
    short = f"data:image/webp;base64,{base64.b64encode(SMALL).decode()}"
    old, new = (tinycss2.parse_stylesheet(text) for text in (sheet, after))
    assert tinycss2.serialize(new) == tinycss2.serialize(old).replace(URL, short).replace(
        f"--x:url({short})", f"--x:url({URL})"
    ).replace(f"@import url({short})", f"@import url({URL})")
    assert in_sheet(sheet.encode() + b"/*# sourceMappingURL=a.map */") == []


def test_nothing_longer_is_put_in() -> None:
    image = Inlined(0, len(URL), "image/png", IMAGE, shown=True)
    assert replaced(image, "image/png", IMAGE) is None
    assert replaced(image, "image/png", IMAGE[:-3]) is not None
    assert len(IMAGE[:SMALLEST]) == SMALLEST
