"""Vendors' files of real exports have the bytes that the vendor's code gives them, whatever the app does."""

from __future__ import annotations

from pathlib import PurePosixPath
from typing import TYPE_CHECKING

import pytest
from browser import exports
from browser.addresses import remainders, split_off
from browser.hosting import ManifestHosting

from v1z3r_build.formats.engines.script_syntax import located
from v1z3r_build.formats.renaming import rename
from v1z3r_build.formats.scope_analysis import analyse_module

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.fixtures

# The vendors in the script that is edited.
EDITED = {
    "next14-mixed": {"three"},
    "next15-mixed": {"tfjs"},
    "next16-mixed": {"tfjs"},
    "vite8-mixed": {"tfjs", "three"},
    "vite7": {"tfjs", "three"},
    "webpack5": {"tfjs", "three"},
    "webpack5-runtime": {"tfjs", "three"},
}


class _Release:
    """A split output. vendors: the vendors' files by path. chunks: what is left of the scripts, by their vendors."""

    def __init__(self, output: Path) -> None:
        self.files = ManifestHosting(output).files
        left = remainders(self.files)
        self.vendors = {path: (split_off(path, self.files[path]), (output / path).read_bytes()) for path in left}
        self.chunks = {
            self.vendors[path][0]: {chunk: (output / chunk).read_bytes() for chunk in chunks}
            for path, chunks in left.items()
        }

    def app(self, vendor: str) -> list[bytes]:
        """The statements of the module that is left, under canonical names, but for what it imports from the vendor.

        Names of scripts are without their hashes.
        """
        [chunk] = self.chunks[vendor].values()
        [path] = (path for path, (label, _) in self.vendors.items() if label == vendor)
        name = PurePosixPath(path).name.encode()
        text = rename(analyse_module(chunk)).text
        statements = [text[one.start_byte : one.end_byte] for one in located(text).root_node.children]
        left = [one for one in statements if not (one.startswith(b"import") and name in one)]
        assert len(left) == len(statements) - 1
        for script in (PurePosixPath(other).name for other in self.files if other.endswith(".js")):
            left = [one.replace(script.encode(), script.partition("-")[0].encode()) for one in left]
        return left


def _later(export: exports.Export, name: str, tmp_path: Path) -> _Release:
    """The release after that of an export: the fixture of that name, split as well."""
    built = exports.Export(export.folder.with_name(name), export.base)
    exports.require(built)
    exports.optimize_quickly(built.folder, tmp_path / "later", built.base)
    return _Release(tmp_path / "later")


def _exports(*names: str) -> pytest.MarkDecorator:
    chosen = [export for export in exports.FIXTURES if export.name in names]
    return pytest.mark.parametrize("export", chosen, ids=lambda one: one.name, indirect=True, scope="session")


def test_vendors_have_files_of_their_own(export: exports.Export, optimized: Path) -> None:
    files = ManifestHosting(optimized).files
    assert tuple(sorted(label for path, entry in files.items() if (label := split_off(path, entry)))) == export.vendors


@_exports(*EDITED)
def test_an_edit_of_the_app_leaves_the_vendors_files(export: exports.Export, optimized: Path, tmp_path: Path) -> None:
    before, after = _Release(optimized), _later(export, f"{export.name}-edited", tmp_path)
    assert before.vendors
    assert before.vendors == after.vendors
    changed = {label for label, chunks in before.chunks.items() if chunks != after.chunks[label]}
    assert changed == EDITED[export.name]


@pytest.fixture(scope="session")
def upgraded(export: exports.Export, tmp_path_factory: pytest.TempPathFactory) -> _Release:
    """The release of an export that has another release of three, and nothing else that is new."""
    return _later(export, f"{export.name}-upgraded", tmp_path_factory.mktemp("upgraded"))


@_exports(*EDITED)
def test_an_upgrade_of_a_vendor_changes_its_files_alone(optimized: Path, upgraded: _Release) -> None:
    """The other vendor's files stay."""
    before, after = _Release(optimized), upgraded
    new = {label for path, (label, _) in after.vendors.items() if path not in before.vendors}
    gone = {label for path, (label, _) in before.vendors.items() if path not in after.vendors}
    assert new == gone == {"three"}
    same = before.vendors.keys() & after.vendors.keys()
    assert {path: before.vendors[path] for path in same} == {path: after.vendors[path] for path in same}
    assert {label for label, _ in before.vendors.values()} == {"three", "tfjs"}
    assert same


@_exports("vite7")
def test_an_upgrade_of_a_vendor_leaves_what_the_app_does(optimized: Path, upgraded: _Release) -> None:
    """It only says anew what it takes from the vendor."""
    before, after = _Release(optimized), upgraded
    assert len(before.app("three")) > 20
    assert before.app("three") == after.app("three")
