"""The file that a URL means: plain paths are resolved by a short way, which must lead where the long one does."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from v1z3r_build.site.address import Addresses, Target

SHORT = [
    "./",
    "../",
    "../..",
    "/",
    "//",
    "a",
    "a/",
    "/a/",
    "./a",
    "../a/",
    "a/..",
    "a/../",
    "/a//b.js",
    "a/.../",
    "-",
    "~c/.",
]
NAMES = st.sampled_from(["a", "b.js", "index.html", "~c", "d e", "%61", "é", "q?x", "#f", "s;p", "h:x"])
SEGMENTS = st.sampled_from(["", ".", "..", "...", " "]) | NAMES
TEXTS = st.lists(SEGMENTS, max_size=6).map("/".join)
BASES = st.sampled_from(["/", "/sub/", "/a b/"])


@pytest.mark.parametrize("text", SHORT)
@pytest.mark.parametrize("referrer", ["index.html", "a.html", "a/index.html", "a/b.js", "d e/a", "q?x/a"])
@pytest.mark.parametrize("base", ["/", "/sub/"])
def test_short_urls(text: str, referrer: str, base: str) -> None:
    addresses = Addresses({"index.html", "a.html", "a/index.html", "a/b.js", "~c/a", referrer}, base)
    assert addresses.find(text, referrer) == by_the_long_way(addresses, text, referrer)


@given(st.lists(st.lists(NAMES, min_size=1, max_size=3).map("/".join), min_size=1), TEXTS, BASES, st.data())
def test_the_short_way_leads_where_the_long_one_does(
    paths: list[str], text: str, base: str, data: st.DataObject
) -> None:
    addresses = Addresses(set(paths), base, "https://example.com")
    referrer = data.draw(st.sampled_from(paths))
    asked = data.draw(st.sampled_from([text, base + text, f"https://example.com{base}{text}"]))
    assert addresses.find(asked, referrer) == by_the_long_way(addresses, asked, referrer)


def by_the_long_way(addresses: Addresses, text: str, referrer: str) -> Target:
    """A page's <base> that is its own URL changes nothing, but for the way."""
    return addresses.find(text, referrer, f"https://site.invalid{addresses.url(referrer)}")
