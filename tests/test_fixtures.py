"""What holds for every fixture's export, without a browser."""

from __future__ import annotations

import base64
import hashlib
import json
import re
import shutil
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from browser import exports

if TYPE_CHECKING:
    from collections.abc import Collection

pytestmark = pytest.mark.fixtures

MANIFEST = "v1z3r-manifest.json"


def tree(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def files(folder: Path) -> dict[str, dict[str, Any]]:
    manifest: dict[str, Any] = json.loads((folder / MANIFEST).read_text())
    records: dict[str, dict[str, Any]] = manifest["files"]
    return records


def dangling(folder: Path) -> set[str]:
    diagnostics = json.loads((folder / MANIFEST).read_text())["diagnostics"]
    return {one["message"] for one in diagnostics if one["code"] == "dangling-reference"}


def verified(folder: Path) -> None:
    run = exports.command("verify", str(folder))
    assert run.returncode == 0, run.stderr


def test_verify_passes(optimized: Path) -> None:
    verified(optimized)


def test_the_input_stays_as_it_was(export: exports.Export, tmp_path: Path) -> None:
    site = tmp_path / "site"
    shutil.copytree(export.folder, site)
    exports.optimize_quickly(site, tmp_path / "out", export.base)
    assert tree(site) == tree(export.folder)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["out", "site"]


def test_in_place_is_the_same(export: exports.Export, optimized: Path, tmp_path: Path) -> None:
    site = tmp_path / "site"
    shutil.copytree(export.folder, site)
    run = exports.command("optimize", str(site), "--base", export.base, *exports.QUICK)
    assert run.returncode == 0, run.stderr
    assert tree(site) == tree(optimized)


def test_again_changes_no_byte(export: exports.Export, optimized: Path, tmp_path: Path) -> None:
    site = tmp_path / "site"
    shutil.copytree(optimized, site)
    run = exports.command("optimize", str(site), "--base", export.base, "--json", *exports.QUICK)
    assert run.returncode == 0, run.stderr
    assert json.loads(run.stdout)["status"] == "unchanged"
    assert tree(site) == tree(optimized)


def test_again_without_the_manifest_breaks_nothing(export: exports.Export, optimized: Path, tmp_path: Path) -> None:
    """Its pages are compared in a browser by tests/browser/test_exports.py."""
    site = tmp_path / "site"
    shutil.copytree(optimized, site, ignore=shutil.ignore_patterns(MANIFEST))
    exports.optimize_quickly(site, tmp_path / "out", export.base)
    verified(tmp_path / "out")
    assert dangling(tmp_path / "out") <= dangling(optimized)


def test_number_of_workers_changes_no_byte(export: exports.Export, tmp_path: Path) -> None:
    for jobs in ("1", "4"):
        exports.optimize(export.folder, tmp_path / jobs, export.base, "--jobs", jobs, *exports.QUICK)
    assert tree(tmp_path / "1") == tree(tmp_path / "4")


def test_the_digests_of_the_plain_site_are_true() -> None:
    """It is written by hand: whoever edits a file there must write its new digest, too."""
    plain = Path(__file__).parents[1] / "fixtures" / "plain"
    worker = (plain / "sw.js").read_text()
    for url, revision in re.findall(r'url: "/([^"?]+)[^"]*", revision: "(\w+)"', worker):
        assert revision == hashlib.md5((plain / url).read_bytes()).hexdigest(), url
    digest = base64.b64encode(hashlib.sha384((plain / "js/main.js").read_bytes()).digest()).decode()
    assert f'integrity="sha384-{digest}"' in (plain / "index.html").read_text()


# Names


UNMENTIONED = "no other file mentions it: whoever asks for it knows it by this name"
BUILD_ID = "Next.js computes its name from the build id"

# Files of bundlers that are not immutable, with the reason that the manifest gives.
NOT_PROVED: dict[str, dict[str, str]] = {
    "next14": {
        "_next/static/fixture-build/_buildManifest.js": BUILD_ID,
        "_next/static/fixture-build/_ssgManifest.js": BUILD_ID,
    },
    # The pages router's own files, which an app router export has and never loads.
    "next15": {
        "_next/static/chunks/app/_not-found/page-*.js": UNMENTIONED,
        "_next/static/chunks/framework-*.js": UNMENTIONED,
        "_next/static/chunks/main-*.js": UNMENTIONED,
        "_next/static/chunks/pages/_app-*.js": UNMENTIONED,
        "_next/static/fixture-build/_buildManifest.js": BUILD_ID,
        "_next/static/fixture-build/_ssgManifest.js": BUILD_ID,
    },
    "next16": {
        "_next/static/chunks/*.js": UNMENTIONED,
        "_next/static/fixture-build/_buildManifest.js": BUILD_ID,
        "_next/static/fixture-build/_clientMiddlewareManifest.js": BUILD_ID,
        "_next/static/fixture-build/_ssgManifest.js": BUILD_ID,
    },
    "next15-mixed": {
        "_next/static/chunks/app/_not-found/page-*.js": UNMENTIONED,
        "_next/static/chunks/main-*.js": UNMENTIONED,
        "_next/static/chunks/pages/_app-*.js": UNMENTIONED,
        "_next/static/fixture-build/_buildManifest.js": BUILD_ID,
        "_next/static/fixture-build/_ssgManifest.js": BUILD_ID,
    },
}
# Their mixed builds leave the same.
NOT_PROVED |= {f"{name}-mixed": NOT_PROVED[name] for name in ("next14", "next16")}


# Its hash reads like words, of which three in a hundred do; such a name is taken for one that somebody gave.
UNLUCKY = "assets/dunes-BnTomfvb.jpg"


def test_every_file_of_a_bundler_is_immutable(export: exports.Export, optimized: Path) -> None:
    expected = NOT_PROVED.get(export.name.removesuffix("-sub"), {})
    found = {
        path: record.get("kept")
        for path, record in files(optimized).items()
        if path.startswith(("_next/static/", "assets/"))
        and record["cache_class"] != "immutable"
        and path != UNLUCKY
        and not (record.get("variants") and record["kept"] == UNMENTIONED)  # whose WebP has taken its place everywhere
    }
    assert matched(found, expected) == expected


def matched(found: dict[str, str | None], patterns: Collection[str]) -> dict[str, str | None]:
    """The reasons by the pattern that fits; each pattern stands for one file."""
    fitting = {path: next((one for one in patterns if fnmatchcase(path, one)), path) for path in found}
    assert len(set(fitting.values())) == len(fitting), fitting
    return {fitting[path]: reason for path, reason in found.items()}


def test_what_outsiders_know_is_never_immutable(optimized: Path) -> None:
    known = ("*.html", "*.txt", "*.webmanifest", "*sw.js", "*feed.xml", "*robots.txt", "*/_buildManifest.js")
    for path, record in files(optimized).items():
        if any(fnmatchcase(path, pattern) for pattern in known):
            # The licences beside a script of webpack's have its hash in their name.
            assert record["cache_class"] != "immutable" or path.endswith(".js.LICENSE.txt"), path


def test_no_file_of_the_input_is_lost(export: exports.Export, optimized: Path) -> None:
    """But for names that hold a bundler's hash: those may be replaced."""
    lost = tree(export.folder).keys() - tree(optimized).keys()
    assert all(path.startswith(("_next/static/", "assets/")) for path in lost), lost
    sources = {source for record in files(optimized).values() for source in record["source"]}
    assert tree(export.folder).keys() <= sources


# An edit of one page's script


@dataclass(frozen=True, slots=True)
class Edited:
    """What an edit changes. renamed: patterns of names, each standing for one file. changed: files of the same name."""

    renamed: frozenset[str]
    changed: frozenset[str]


EDITS = {
    "plain": Edited(
        frozenset({"js/parts/lazy.*.js", "js/app.*.js"}), frozenset({"js/parts/lazy.js", "js/app.js", "modules.html"})
    ),
    "next14": Edited(
        frozenset({"_next/static/chunks/pages/about-*.js"}),
        frozenset({"_next/static/fixture-build/_buildManifest.js", "about/index.html"}),
    ),
    "next15": Edited(frozenset({"_next/static/chunks/app/about/page-*.js"}), frozenset({"about.html", "about.txt"})),
    "next16": Edited(
        frozenset({"_next/static/chunks/*.js"}),
        frozenset(
            {
                "about/__next._full.txt",
                "about/__next.about.__PAGE__.txt",
                "about/index.html",
                "about/index.txt",
            }
        ),
    ),
    # The entry holds the names of all pages' scripts, and these import from it: a circle, renamed together.
    "vite8": Edited(
        frozenset(
            f"assets/{name}-*.js"
            for name in ("index", "second", "global", "Photos", "Scene", "Tensors", "Textures", "Work")
        ),
        frozenset({"index.html", "second.html"}),
    ),
    "next14-mixed": Edited(
        frozenset({"_next/static/chunks/pages/scene-*.js"}),
        frozenset({"_next/static/fixture-build/_buildManifest.js", "scene/index.html"}),
    ),
    "next15-mixed": Edited(
        frozenset({"_next/static/chunks/app/tensors/page.mixed-*.js"}), frozenset({"tensors.html", "tensors.txt"})
    ),
    "next16-mixed": Edited(
        frozenset({"_next/static/chunks/*.js"}),
        frozenset(
            {
                "tensors/__next._full.txt",
                "tensors/__next.tensors.__PAGE__.txt",
                "tensors/index.html",
                "tensors/index.txt",
            }
        ),
    ),
    # The lazy page imports from the entry, which holds its name.
    "vite8-mixed": Edited(frozenset({"assets/index-*.js", "assets/Camera-*.js"}), frozenset({"index.html"})),
    "vite7": Edited(frozenset({"assets/index-*.js", "assets/Camera-*.js"}), frozenset({"index.html"})),
    # The runtime holds the names of lazy scripts, and every page loads it.
    "webpack4": Edited(
        frozenset({"assets/index.*.js", "assets/5.*.js", "assets/runtime.*.js"}),
        frozenset({"index.html", "second.html"}),
    ),
    "webpack5": Edited(frozenset({"assets/index.*.js", "assets/index.*.js.LICENSE.txt"}), frozenset({"index.html"})),
    "webpack5-runtime": Edited(
        frozenset({"assets/index.*.js", "assets/index.*.js.LICENSE.txt"}), frozenset({"index.html"})
    ),
}


@pytest.mark.parametrize("export", EDITS, indirect=True)
def test_an_edit_renames_its_script_and_what_refers_to_it(
    export: exports.Export, optimized: Path, tmp_path: Path
) -> None:
    edited = exports.Export(export.folder.with_name(f"{export.name}-edited"))
    exports.require(edited)
    exports.optimize_quickly(edited.folder, tmp_path / "out", export.base)
    before, after = files(optimized), files(tmp_path / "out")
    expected = EDITS[export.name]
    for names in (before.keys() - after.keys(), after.keys() - before.keys()):
        assert set(matched(dict.fromkeys(names), expected.renamed)) == expected.renamed
    same = before.keys() & after.keys()
    assert {path for path in same if before[path]["sha256"] != after[path]["sha256"]} == expected.changed
