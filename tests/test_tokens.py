"""Names that carry a bundler's hash, and names that only look so. Shapes as Next, Vite, webpack and others write them."""

from __future__ import annotations

import random

import pytest

from v1z3r_build.bundlers.tokens import BASE32, BASE36, BASE64URL, HEX, looks_drawn, token, tokens

# The token stands between [ and ].
TOKENS = {
    "Next, chunk by number": ("_next/static/chunks/8570.[046f9c9b3d93d83a].js", HEX),
    "Next, chunk id that looks like a hash": ("_next/static/chunks/fd9d1056-[3aebbb5a3f26ef2f].js", HEX),
    "Next, page": ("_next/static/chunks/app/blog/(x)/[slug]/page-[04a3e19c7a3a47c7].js", HEX),
    "Next, page whose name ends in a hash": ("_next/static/chunks/pages/deadbeefdeadbeef-[04a3e19c7a3a47c7].js", HEX),
    "Next, style": ("_next/static/css/[e2c1ed3214845b01].css", HEX),
    "Next, font": ("_next/static/media/[4473ecc91f70f139]-s.p.woff2", HEX),
    "Next, font not preloaded": ("_next/static/media/[4473ecc91f70f139]-s.woff2", HEX),
    "Next, image": ("_next/static/media/stage.[2ee3df81].png", HEX),
    "Next, image whose name has the size": ("_next/static/media/stage-1280x720.[2ee3df81].png", HEX),
    "Next, a hash that looks like a word": ("_next/static/media/stage.[deadbeef].png", HEX),
    "Next below a folder": ("sub/_next/static/chunks/8570.[046f9c9b3d93d83a].js", HEX),
    "Turbopack": ("_next/static/chunks/[0jsj170rewmn0].js", BASE36),
    "Turbopack, other signs": ("_next/static/chunks/[0w-_4i8as4sse].js", BASE36),
    "Turbopack, image": ("_next/static/media/poster.[13vpir1dyul_6].png", BASE36),
    "Vite": ("assets/index-[Bx3f_9Za].js", BASE64URL),
    "Vite, signs in the token": ("assets/Work-[BWQIU-iF].js", BASE64URL),
    "Vite, token begins with a sign": ("assets/Work-[-WQIU_iF].js", BASE64URL),
    "Vite at the root": ("index-[mmBYBIVM].css", BASE64URL),
    "Vite, two suffixes": ("assets/draco-[CgXtGQFs].module.wasm", BASE64URL),
    "SvelteKit": ("_app/immutable/chunks/[download].js", BASE64URL),
    "SvelteKit, named": ("_app/immutable/nodes/0.[DfT-x_0q].js", BASE64URL),
    "Astro": ("_astro/hoisted.[BC81CwIb].js", BASE64URL),
    "Nuxt": ("_nuxt/[DsQXNzmy].js", BASE64URL),
    "Nuxt, named": ("sub/_nuxt/entry.[CNe0NUuE].css", BASE64URL),
    "esbuild": ("app-[3XKZQ7TM].js", BASE32),
    "webpack, eight": ("static/js/main.[5f2b1c3d].js", HEX),
    "webpack, after a hyphen": ("static/js/main-[5f2b1c3d].js", HEX),
    "webpack, twenty": ("js/main.[5f2b1c3d5f2b1c3d5f2b].js", HEX),
    "MD5": ("img/[d41d8cd98f00b204e9800998ecf8427e].png", HEX),
    "a source map": ("assets/index-[Bx3f_9Za].js.map", BASE64URL),
    "a licence": ("_next/static/chunks/8570.[046f9c9b3d93d83a].js.LICENSE.txt", HEX),
}


def bare(marked: str) -> tuple[str, int, int]:
    """The last [ ] marks the token; folders of Next have some of their own."""
    start = marked.rindex("[")
    end = marked.rindex("]") - 1
    return marked[:start] + marked[start + 1 : end + 1] + marked[end + 2 :], start, end


@pytest.mark.parametrize("marked, alphabet", TOKENS.values(), ids=TOKENS.keys())
def test_tokens(marked: str, alphabet: str) -> None:
    path, start, end = bare(marked)
    found = token(path)
    assert found is not None
    assert (found.start, found.end, found.alphabet) == (start, end, alphabet)
    assert found.text == path[start:end]


NONE = {
    "no hash": "_next/static/chunks/webpack.js",
    "paths with a build id": "_next/static/Zq3x9_aBcDeFgHiJkLmNo/_buildManifest.js",
    "data with a build id": "_next/data/046f9c9b3d93d83a/about.json",
    "hash in a folder": "046f9c9b3d93d83a/main.js",
    "word": "files/file-download.js",
    "word in capitals": "files/file-DOWNLOAD.js",
    "word with a capital": "files/Get-Download.js",
    "two words": "lib/lib-commonJs.js",
    "word and number": "lib/jquery-version2.js",
    "date": "news/report-20231105.json",
    "date, eight digits as hexadecimal": "news/report.20231105.json",
    "month": "news/report-nov-2023.json",
    "size": "images/hero-1280x720.jpg",
    "small and dark": "images/hero-2xl-dark.png",
    "product": "images/case-iPhone14.png",
    "codec": "media/clip-h264main.mp4",
    "version": "lib/three-0.158.0.js",
    "version with hyphens": "lib/three-v1-2-3-4.js",
    "hexadecimal word": "images/effect-deadbeef.png",
    "Nuxt's folder, a word": "_nuxt/manifest.json",
    "a page's data of Nuxt's": "_nuxt/builds/meta/0ffd9d9a-1e6e-4bbf-9899-4cdda3622c1b.json",
    "seven letters": "assets/index-Bx3f_9Z.js",
    "nine letters": "assets/index-Bx3f_9Zab.js",
    "no name before the hash": "assets/Bx3f_9Za.js",
    "page": "blog/post-Bx3f_9Za.html",
    "text": "notes-Bx3f_9Za.txt",
    "download": "files/set-Bx3f_9Za.pdf",
    "no suffix": "files/set-Bx3f_9Za",
    "suffix of a hash": "files/main.5f2b1c3d",
    "service worker": "sw.js",
    "well known": "favicon.ico",
}


@pytest.mark.parametrize("path", NONE.values(), ids=NONE.keys())
def test_names_without_a_token(path: str) -> None:
    assert token(path) is None


def test_what_stands_around_a_token() -> None:
    font = "_next/static/media/4473ecc91f70f139-s.p.woff2"
    chunk = "_next/static/chunks/8570.046f9c9b3d93d83a.js.map"
    found = [(path, token(path)) for path in (font, chunk)]
    around = [(carried.before(path), carried.after(path)) for path, carried in found if carried is not None]
    assert around == [("", "-s.p.woff2"), (".", ".js.map")]


@pytest.mark.parametrize(
    "name, alphabet, length, share",
    [("index-{}.js", BASE64URL, 8, 0.96), ("main.{}.js", HEX, 8, 0.96), ("main.{}.js", HEX, 16, 0.999), ("app-{}.js", BASE32, 8, 0.7)],
    ids=["Vite", "webpack", "Next", "esbuild"],
)  # fmt: skip
def test_nearly_all_drawn_texts_are_known_as_such(name: str, alphabet: str, length: int, share: float) -> None:
    """The rest keep their names, which costs a request and breaks nothing."""
    drawing = random.Random(1)
    drawn = ["".join(drawing.choices(alphabet, k=length)) for _ in range(2000)]
    assert sum(looks_drawn(text) and token(name.format(text)) is not None for text in drawn) > share * len(drawn)


# Files that have a token, and one beside them: whether they speak for it.
BESIDE = {
    "esbuild's capitals": (["chunk-EBD2D5TQ.js", "chunk-T26L4SJB.js"], "main-PBVCGIAE.js", True),
    "its source map": (["a-EBD2D5TQ.js.map", "a-T26L4SJB.js.map"], "main-PBVCGIAE.js.map", True),
    "webpack's digits": (["s/142.7ec55dd3.chunk.js", "s/411.35e0351b.chunk.js"], "s/219.93644204.chunk.js", True),
    "a licence beside scripts": (
        ["1.7ec55dd3.chunk.js", "2.35e0351b.chunk.js"],
        "3.93644204.chunk.js.LICENSE.txt",
        True,
    ),
    "one with its source map": (["chunk-EBD2D5TQ.js", "chunk-EBD2D5TQ.js.map"], "main-PBVCGIAE.js", False),
    "only one": (["chunk-EBD2D5TQ.js"], "main-PBVCGIAE.js", False),
    "in another folder": (["a/chunk-EBD2D5TQ.js", "a/chunk-T26L4SJB.js"], "main-PBVCGIAE.js", False),
    "by another pattern": (["1.7ec55dd3.chunk.js", "2.35e0351b.chunk.js"], "main.93644204.js", False),
    "by another hash": (["index-Bx3f_9Za.js", "index-cB3f_9Za.js"], "main-PBVCGIAE.js", False),
    "a word": (["chunk-EBD2D5TQ.js", "chunk-T26L4SJB.js"], "file-DOWNLOAD.js", False),
    "a word of many consonants": (["chunk-EBD2D5TQ.js", "chunk-T26L4SJB.js"], "file-CONTRAST.js", False),
    "a date": (["1.7ec55dd3.chunk.js", "2.35e0351b.chunk.js"], "build.20231105.chunk.js", False),
    "a date of another country": (["1.7ec55dd3.chunk.js", "2.35e0351b.chunk.js"], "build.05112023.chunk.js", False),
    "a word in hexadecimal": (["1.7ec55dd3.chunk.js", "2.35e0351b.chunk.js"], "build.deadbeef.chunk.js", False),
    "no code": (["a-EBD2D5TQ.json", "b-T26L4SJB.json"], "c-PBVCGIAE.json", False),
}


@pytest.mark.parametrize("neighbours, path, expected", BESIDE.values(), ids=BESIDE.keys())
def test_neighbours_speak_for_what_looks_written(neighbours: list[str], path: str, expected: bool) -> None:
    assert token(path) is None
    assert (path in tokens([*neighbours, path])) == expected


def test_beside_others_most_of_esbuilds_names_are_known() -> None:
    drawing = random.Random(1)
    drawn = {f"chunk-{''.join(drawing.choices(BASE32, k=8))}.js" for _ in range(2000)}
    assert len(tokens(drawn)) > 0.87 * len(drawn)
