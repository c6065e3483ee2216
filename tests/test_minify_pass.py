"""The pass: which files, what is kept, and what a failure costs."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import brotli
import pytest

from v1z3r_build.diagnostics import warning
from v1z3r_build.formats.minified import Candidate
from v1z3r_build.passes import minify as minify_pass
from v1z3r_build.passes.minify import Answer, engine_versions, minify, minify_file, smallest
from v1z3r_build.settings import MinifySettings, Settings
from v1z3r_build.site.asset import Asset
from v1z3r_build.site.inventory import Inventory
from v1z3r_build.site.patterns import matcher
from v1z3r_build.site.site import Site
from v1z3r_build.workers.cache.keys import Keys
from v1z3r_build.workers.pool import Call, Failure, Outcome, Pool
from v1z3r_build.workers.progress import SilentProgress

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

KINDS: dict[str, tuple[Any, str]] = {
    "js": ("script", "text/javascript"),
    "css": ("style", "text/css"),
    "json": ("json", "application/json"),
    "map": ("json", "application/json"),
    "html": ("html", "text/html"),
    "svg": ("image", "image/svg+xml"),
    "png": ("image", "image/png"),
    "txt": ("text", "text/plain"),
}
FILLER = "".join(f"  // comment {number}\n  call{number} ( {number} ) ;\n" for number in range(20))
FILES = {
    "a.js": f"(function () {{\n{FILLER}}})()",
    "b/c.css": "a {\n  color : red ;\n}\n\n" * 20 + "b:is( c ) { d : e }",
    "data.json": '{\n  "a" : [ 1 , 2 , 3 ] ,\n  "b" : "  "\n}\n' + " " * 80,
    "icon.svg": "<!-- a comment that nobody reads --><svg>\n  <g>\n  </g>\n</svg>\n",
    "index.html": f"<!doctype html><p>a <b>b</b></p><script>\n{FILLER}</script>",
    "app.js.map": '{ "version" : 3 ,   "sources" : [ ] }',
    "notes.txt": "  a   b  ",
    "photo.png": "  \x89PNG  ",
}


class InProcess:
    """A pool that runs everything here, except for files whose text says what is to become of it."""

    def __init__(self) -> None:
        self.calls: list[Call] = []

    def run(self, calls: Iterable[Call]) -> Iterator[Outcome]:
        for call in reversed(list(calls)):  # any order is allowed
            self.calls.append(call)
            contents = [one.read_bytes() if isinstance(one, Path) else one for one in call.given()]
            failure = next((self._failure(one) for one in contents if isinstance(one, bytes) and b"FAIL" in one), None)
            yield Outcome(call.key, None, failure) if failure else Outcome(call.key, call.function(*contents))

    def _failure(self, content: bytes) -> Failure:
        reason: Any = content.split(b"FAIL:")[1].split()[0].decode()
        return Failure(reason, "")


def site_of(tmp_path: Path, files: dict[str, str]) -> Site:
    root, spool = tmp_path / "site", tmp_path / "spool"
    spool.mkdir(exist_ok=True)
    assets = Inventory(root, spool)
    for path in sorted(files):
        target = root / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(files[path], encoding="utf-8")
        kind, content_type = KINDS[path.rsplit(".", 1)[1]]
        assets.add(Asset(path, kind, content_type, target.stat().st_size, target, target, (path,)))
    return Site(root, spool, assets)


def run(site: Site, settings: Settings | None = None, pool: Any = None) -> Site:
    return minify(site, settings or Settings(), pool or InProcess(), SilentProgress())


def changed(before: Site, after: Site) -> set[str]:
    return {path for path in before.assets if after.assets[path].read() != before.assets[path].read()}


def test_every_kind_is_minified_and_nothing_else(tmp_path: Path) -> None:
    site = site_of(tmp_path, FILES)
    after = run(site)
    assert changed(site, after) == {"a.js", "b/c.css", "data.json", "icon.svg", "index.html"}
    assert after.diagnostics == ()
    for path in changed(site, after):
        asset = after.assets[path]
        assert asset.size == len(asset.read())
        assert asset.original == site.assets[path].location
        assert len(brotli.compress(asset.read())) < len(brotli.compress(site.assets[path].read()))


def test_a_second_run_changes_nothing(tmp_path: Path) -> None:
    once = run(site_of(tmp_path, FILES))
    assert changed(once, run(once)) == set()


@pytest.mark.parametrize(
    ("skip", "kept"),
    [
        (("a.js",), {"a.js"}),
        (("*.css",), {"b/c.css"}),
        (("b/",), {"b/c.css"}),
        (("**",), {"a.js", "b/c.css", "data.json", "icon.svg", "index.html"}),
    ],
)
def test_skipped_files_stay(tmp_path: Path, skip: tuple[str, ...], kept: set[str]) -> None:
    site = site_of(tmp_path, FILES)
    everything = changed(site, run(site))
    after = run(site, Settings(minify=MinifySettings(skip=skip)))
    assert everything - changed(site, after) == kept


@pytest.mark.parametrize(
    ("pattern", "fits", "fails"),
    [
        ("a.js", ["a.js", "b/a.js"], ["xa.js", "a.jsx", "a/js"]),
        ("/a.js", ["a.js"], ["b/a.js"]),
        ("lib/*.js", ["lib/a.js"], ["lib/b/a.js", "x/lib/a.js"]),
        ("lib/**", ["lib/a.js", "lib/b/c"], ["lib", "xlib/a"]),
        ("lib/**/a.js", ["lib/a.js", "lib/b/c/a.js"], ["lib/xa.js"]),
        ("**/*.min.js", ["a.min.js", "b/c/a.min.js"], ["a.js"]),
        ("[ab].js", ["a.js"], ["c.js", "[ab].js"]),
        ("[!a].js", ["c.js"], ["a.js", "/.js"]),
        ("a?.js", ["ab.js"], ["a.js", "a/.js"]),
        ("vendor/", ["vendor/a", "x/vendor/a/b"], ["vendor"]),
        ("a+b(c).js", ["a+b(c).js"], ["aab(c).js"]),
        ("", [], ["", "a"]),
    ],
)
def test_patterns(pattern: str, fits: list[str], fails: list[str]) -> None:
    match = matcher([pattern])
    assert [path for path in fits if not match(path)] == []
    assert [path for path in fails if match(path)] == []


@pytest.mark.parametrize(
    ("comment", "others", "minified"),
    [
        ("//# sourceMappingURL=a.js.map", {"a.js.map": "{}"}, False),
        ("//# sourceMappingURL=a.js.map", {}, True),  # the map is missing: nothing tells of these bytes
        ("//# sourceMappingURL=maps/a.js.map", {}, False),
        ("//# sourceMappingURL=data:application/json,{}", {}, False),
        ("//# sourceMappingURL=https://example.com/a.js.map", {}, False),
    ],
)
def test_a_script_with_a_source_map_stays(tmp_path: Path, comment: str, others: dict[str, str], minified: bool) -> None:
    site = site_of(tmp_path, {"a.js": FILES["a.js"] + "\n" + comment, **others})
    after = run(site)
    assert ("a.js" in changed(site, after)) == minified
    assert after.assets["a.js"].read().endswith(comment.encode())


@pytest.mark.parametrize("reason", ["crashed", "timeout", "memory", "raised"])
def test_a_failure_costs_one_file_and_is_named(tmp_path: Path, reason: str) -> None:
    site = site_of(tmp_path, {**FILES, "bad.js": f"// FAIL:{reason} \n a  =  1"})
    after = run(site)
    assert changed(site, after) == {"a.js", "b/c.css", "data.json", "icon.svg", "index.html"}
    (said,) = after.diagnostics
    assert (said.level, said.path) == ("warning", "bad.js")
    assert said.code == {"raised": "minify-failed"}.get(reason, f"minify-{reason}")
    assert "esbuild" in said.message
    assert "skip" in said.hint


def test_what_a_file_becomes_is_remembered_by_nothing_but_its_bytes(tmp_path: Path) -> None:
    """Neither its own name nor what else the site holds: one file more must not make all others new."""
    pool, other = InProcess(), InProcess()
    for folder in ("a", "b"):
        (tmp_path / folder).mkdir()
    run(site_of(tmp_path / "a", FILES), pool=pool)
    run(site_of(tmp_path / "b", {f"new/{path}": text for path, text in FILES.items()} | {"0.css": "a{}"}), pool=other)
    keys = [{Keys("").key(call.function, call.given()) for call in one.calls} for one in (pool, other)]
    assert len(keys[0]) == 5
    assert keys[0] < keys[1]


def test_what_a_time_limit_cut_off_is_not_remembered(tmp_path: Path) -> None:
    pool = InProcess()
    run(site_of(tmp_path, FILES), pool=pool)
    said = warning("engine-failed", "", "terser 5.0.0 gave no result: it took more than 1 s")
    for call in pool.calls:
        assert call.cached is not None
        assert call.cached(Answer(b"", ()))
        assert not call.cached(Answer(b"", (said,)))


def test_engines_of_unknown_version_are_not_remembered(tmp_path: Path) -> None:
    package = tmp_path / "node_modules" / "terser"
    package.mkdir(parents=True)
    package.joinpath("package.json").write_text("{")
    pool = InProcess()
    run(site_of(tmp_path, {"a.txt.css": "a{}"}), Settings(minify=MinifySettings(engines=("terser",))), pool)
    assert [call.cached for call in pool.calls] == [None]


STYLE = f"<style>{'a {  color : red ;  }' * 20} b {{ c : d }}</style>"
SCRIPT = f"<script>\n{FILLER}</script>"
OTHER = SCRIPT.replace("call", "take")
# Each row: pages, and which of their texts stay. Routers that merge the heads of two pages know a text by its letters.
SHARED: dict[str, tuple[dict[str, str], set[str]]] = {
    "in all pages": ({"a": STYLE + SCRIPT, "b": SCRIPT + STYLE}, set()),
    "in a page that a framework takes over": ({"a": STYLE + SCRIPT, "b": f"{STYLE}<astro-island>"}, {STYLE}),
    "in a page where it is marked": (
        {"a": STYLE + SCRIPT, "b": STYLE.replace("<style", "<style data-x")},
        {STYLE, STYLE.replace("<style", "<style data-x")},
    ),
    # Of a large page only a clear gain is taken.
    "in a page where it does not pay": (
        {"a": f"{OTHER}<style> a{{b:c}}</style>", "b": "<style> a{b:c}</style>" + "a b c <b></b>" * 1_000},
        {"<style> a{b:c}</style>"},
    ),
    # Beside the one that stays the other does not pay, for they are much the same.
    "in a page by way of a third": (
        {"a": STYLE + SCRIPT, "b": f"<astro-island>{STYLE}", "c": OTHER + SCRIPT, "d": f"{OTHER}<!--$-->"},
        {STYLE, OTHER, SCRIPT},
    ),
}  # fmt: skip


@pytest.mark.parametrize(("pages", "stay"), SHARED.values(), ids=SHARED)
def test_what_two_pages_share_stays_the_same_in_both(tmp_path: Path, pages: dict[str, str], stay: set[str]) -> None:
    site = site_of(tmp_path, {f"{name}.html": text for name, text in pages.items()})
    after = run(site)
    texts = {name: after.assets[f"{name}.html"].read().decode() for name in pages}
    for text in (STYLE, STYLE.replace("<style", "<style data-x"), SCRIPT, OTHER, "<style> a{b:c}</style>"):
        held = [name for name, page in pages.items() if text in page]
        assert {text in texts[name] for name in held} <= {text in stay}, text


def test_messages_carry_the_path(tmp_path: Path) -> None:
    site = site_of(tmp_path, {"a.js": "function ( {", "b.json": "{ a }", "c.html": "<script> var  = </script>"})
    assert [(one.path, one.code) for one in run(site).diagnostics] == [
        ("a.js", "script-syntax"),
        ("b.json", "json-syntax"),
        ("c.html", "script-syntax"),
    ]


def test_a_missing_engine_is_told_and_the_run_goes_on(tmp_path: Path) -> None:
    site = site_of(tmp_path, FILES)
    after = run(site, Settings(minify=MinifySettings(engines=("terser", "nonsense"))))
    assert "a.js" in changed(site, after)
    assert [one.code for one in after.diagnostics] == ["engine-missing", "engine-missing"]
    hints = sorted(one.hint for one in after.diagnostics)
    assert "node_modules" in hints[0] and "terser, swc" in hints[1]


def test_versions_of_all_engines_are_told(tmp_path: Path) -> None:
    package = tmp_path / "node_modules" / "terser"
    package.mkdir(parents=True)
    package.joinpath("package.json").write_text('{"version": "5.0.0"}')
    versions = engine_versions(Settings(minify=MinifySettings(engines=("terser", "swc"))), tmp_path / "out")
    assert versions["terser"] == "5.0.0"
    assert "swc" not in versions
    assert {"turbohtml", "tree-sitter-javascript", "lightningcss"} <= set(versions)


NOISE = bytes(range(33, 127)) * 3


@pytest.mark.parametrize(
    ("data", "candidates", "expected"),
    [
        (NOISE, [NOISE + b"x"], None),
        (NOISE, [NOISE[:-1] + b"\x80\x81\x82\x83"[:1]], None),  # shorter or equal, but larger as transferred
        (NOISE * 2, [NOISE], NOISE),
        (NOISE * 2, [NOISE, NOISE[:90]], NOISE[:90]),
        (NOISE, [], None),
    ],
)
def test_the_smallest_as_transferred_wins(data: bytes, candidates: list[bytes], expected: bytes | None) -> None:
    found = smallest(data, [Candidate("x", one) for one in candidates], "script")
    if expected is None:
        assert found is None
    else:
        assert found is not None
        assert len(brotli.compress(found)) <= len(brotli.compress(expected))


def test_shorter_but_larger_as_transferred_is_not_taken() -> None:
    """What re-minifying shipped bundles does: fewer bytes, less repetition."""
    data = b"function abcdef(abcdef){return abcdef}" * 40
    shorter = b"".join(
        b"function %c%c(a){return %c}" % (97 + n % 26, 65 + n * 7 % 26, 97 + n * 5 % 26) for n in range(40)
    )
    assert len(shorter) < len(data)
    assert smallest(data, [Candidate("x", shorter)], "script") is None


def test_pure() -> None:
    for format_, data in (("json", b'{ "a" : 1 }' + b" " * 60), ("style", b"a { b : c }" + b" \n" * 60)):
        answers = {minify_file(format_, "", minify_pass.ScriptOptions(), data) for _ in range(2)}  # type: ignore[arg-type]
        assert len(answers) == 1


def test_real_processes_outlive_a_crash(tmp_path: Path) -> None:
    """100,000 nested class heritages end esbuild's process; the file is kept, the others are minified."""
    site = site_of(tmp_path, {**FILES, "deep.js": "x = " + "class extends " * 100_000 + "A" + "{} " * 100_000})
    with Pool(jobs=1) as pool:
        one = run(site, pool=pool)
    with Pool(jobs=3) as pool:
        three = run(site, pool=pool)
    assert changed(site, one) == {"a.js", "b/c.css", "data.json", "icon.svg", "index.html"}
    assert {path: replace(asset, location=Path()) for path, asset in one.assets.items()} == {
        path: replace(asset, location=Path()) for path, asset in three.assets.items()
    }
    assert [asset.read() for asset in one.assets.values()] == [asset.read() for asset in three.assets.values()]
    (said,) = one.diagnostics
    assert (said.path, said.code) == ("deep.js", "minify-crashed")
    assert one.diagnostics == three.diagnostics
