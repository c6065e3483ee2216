"""URLs of two servers compare by what they stand for."""

from __future__ import annotations

import pytest

from .addresses import Addresses

ORIGIN = "http://127.0.0.1:8000"
SERVED = Addresses(ORIGIN, "/sub/", {"a/x-1.js": ("a/x.js",), "b c-2.png": ("b c.png",), "all-3.js": ("p.js", "q.js")})
PAGE = f"{ORIGIN}/sub/page/"


@pytest.mark.parametrize(
    ("name", "value", "meaning"),
    [
        ("src", "../a/x-1.js", "site:a/x.js"),
        ("src", "/sub/a/x-1.js?v=3#top", "site:a/x.js?v=3#top"),
        ("src", f"{ORIGIN}/sub/a/x-1.js", "site:a/x.js"),
        ("src", "//127.0.0.1:8000/sub/a/x-1.js", "site:a/x.js"),
        ("src", "/a/x-1.js", "outside the base: /a/x-1.js"),
        ("src", "/sub/b%20c-2.png", "site:b c.png"),
        ("src", "/sub/all-3.js", "site:p.js + q.js"),
        ("src", "https://other.test/a/x-1.js", "https://other.test/a/x-1.js"),
        ("href", "../", "site:"),
        ("href", "", "site:page/"),
        ("srcset", "../a/x-1.js 1x, /sub/b%20c-2.png 2x", "site:a/x.js 1x, site:b c.png 2x"),
        ("style", 'background: url("../a/x-1.js")', 'background: url("site:a/x.js")'),
        ("class", "title big", "title big"),
        ("integrity", "sha384-abc", "present"),
        ("content", "script-src 'sha256-AB+/='", "script-src 'sha256-…'"),
        ("data-x", f"at {ORIGIN}/sub/none", "at http://site.test/sub/none"),
        ("title", "[not] http://[a url", "[not] http://[a url"),
    ],
)
def test_meaning_of_an_attribute(name: str, value: str, meaning: str) -> None:
    assert SERVED.attribute(name, value, PAGE) == meaning


def test_meaning_of_a_message() -> None:
    said = f"Error at {ORIGIN}/sub/a/x-1.js:12:7 (see https://react.dev/errors/418)"
    assert SERVED.message(said) == "Error at site:a/x.js (see https://react.dev/errors/418)"


def test_names_of_a_second_run_are_told_in_the_first_originals() -> None:
    first = Addresses("", "/", {"b.js": ("a.js",), "same.js": ("same.js",)})
    second = Addresses("", "/", {"c.js": ("b.js",), "same.js": ("same.js",)})
    assert second.over(first).sources == {"c.js": ("a.js",), "same.js": ("same.js",)}
