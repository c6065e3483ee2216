"""Who may import whom (arrows only downwards), read off every import of the package."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

import v1z3r_build
from v1z3r_build.site.naming import circles

PACKAGE = "v1z3r_build"
ROOT = Path(v1z3r_build.__file__).parent
MODULES = {
    ".".join((PACKAGE, *path.relative_to(ROOT).with_suffix("").parts)).removesuffix(".__init__"): path
    for path in sorted(ROOT.rglob("*.py"))
}
# Layer -> the layers below it that it may import, besides itself. A name for the reader's types counts like any other:
# it is knowledge of the module.
BELOW = {
    "diagnostics": set(),
    "wording": set(),
    "settings": {"diagnostics"},
    "site": {"diagnostics"},
    "codecs": {"settings", "diagnostics"},
    "workers": {"settings", "diagnostics"},
    "formats": {"site", "diagnostics"},
    "bundlers": {"formats", "site", "diagnostics"},
    "passes": {"bundlers", "formats", "codecs", "workers", "site", "settings", "diagnostics"},
    "manifest": {"site", "diagnostics"},
    # Consumers: manifest and media types, never a pass. `verify` derives names, references and encodings again.
    "transfers": {"manifest"},
    # Pages, style sheets and source maps are read as `verify` reads them.
    "report": {"transfers", "manifest", "formats", "site", "wording", "diagnostics"},
    "summary": {"manifest", "site", "diagnostics"},
    "verification": {"manifest", "formats", "bundlers", "codecs", "site", "diagnostics"},
    "budget": {"transfers", "manifest", "terminal", "wording", "site", "settings", "diagnostics"},
    # The command line: what a run does, and how it is told.
    "runs": {"manifest", "summary", "settings", "diagnostics"},
    "standing": {"runs", "workers", "site", "settings", "diagnostics"},
    "pipeline": {"runs", "passes", "manifest", "summary", "formats", "workers", "site", "settings", "diagnostics"},
    "terminal": {"manifest", "summary", "workers", "wording", "diagnostics"},
    "github": {"terminal", "manifest", "summary", "diagnostics"},
    "cli": {"pipeline", "standing", "runs", "verification", "budget", "report", "terminal", "github", "manifest", "summary", "passes", "workers", "site", "settings", "diagnostics"},
    "__main__": {"cli"},
}  # fmt: skip


def layer(module: str) -> str:
    return [*module.split("."), ""][1]


def imported(path: Path) -> list[tuple[int, str]]:
    """Every module of ours that a file imports, with the line: at the top, in functions, for types alone."""
    found: list[tuple[int, str]] = []
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            found += [(node.lineno, name.name) for name in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}:{node.lineno}: a relative import"
            source = node.module or ""
            found += [
                (node.lineno, whole if (whole := f"{source}.{name.name}") in MODULES else source) for name in node.names
            ]
    return [(line, name) for line, name in found if name == PACKAGE or name.startswith(f"{PACKAGE}.")]


def test_every_module_has_its_layer() -> None:
    assert {layer(module) for module in MODULES} - {""} == BELOW.keys()


@pytest.mark.parametrize("module", MODULES)
def test_arrows_point_downwards(module: str) -> None:
    here = layer(module)
    allowed = {"", here, *BELOW.get(here, set())}
    wrong = [
        f"{MODULES[module]}:{line}: {module} imports {name}"
        for line, name in imported(MODULES[module])
        if layer(name) not in allowed
    ]
    assert not wrong, "\n".join(wrong)


def test_layers_stand_above_each_other() -> None:
    """What is allowed itself has no circle."""
    assert all(len(circle) == 1 for circle in circles(BELOW))


def test_no_two_modules_import_each_other() -> None:
    graph = {module: {name for _, name in imported(path)} - {module} for module, path in MODULES.items()}
    assert [circle for circle in circles(graph) if len(circle) > 1] == []


def test_modules_are_named_by_what_they_are_about() -> None:
    vague = {"util", "utils", "helper", "helpers", "misc", "common", "base", "core", "tools", "lib"}
    assert [module for module in MODULES if vague & set(module.split("."))] == []


def test_imports_are_read_wherever_they_stand(tmp_path: Path) -> None:
    path = tmp_path / "a.py"
    path.write_text(
        "import os, v1z3r_build.site.span\nfrom v1z3r_build import manifest, __version__\n"
        "if TYPE_CHECKING:\n    from v1z3r_build.site import Site\ndef f():\n    from v1z3r_build.cli import main\n"
    )
    assert sorted(imported(path)) == [
        (1, "v1z3r_build.site.span"),
        (2, "v1z3r_build"),
        (2, "v1z3r_build.manifest"),
        (4, "v1z3r_build.site"),
        (6, "v1z3r_build.cli"),
    ]
