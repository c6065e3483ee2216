"""Libraries that the settings name by their npm packages: the app's node_modules tell what they are known by."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

from v1z3r_build.bundlers import vocabulary
from v1z3r_build.diagnostics import InputError
from v1z3r_build.workers.call import Call

if TYPE_CHECKING:
    from v1z3r_build.bundlers.vocabulary import Vendor
    from v1z3r_build.settings import Settings
    from v1z3r_build.workers.pool import Pool


def locate(settings: Settings, root: Path) -> dict[str, Path]:
    """The folders of the packages that `[split] vendors` names besides the vendors of the table, by name.

    root: the site's folder. Raises InputError if one is not there.
    """
    given = settings.split.node_modules
    node_modules = Path(given) if given else root.absolute().parent / "node_modules"
    found: dict[str, Path] = {}
    for name in settings.split.packages:
        found[name] = node_modules / name
        if not (found[name] / "package.json").is_file():
            from v1z3r_build.settings import VENDORS, meant

            near = meant(name, VENDORS)
            instead = f"Did you mean {near}? " if near else ""
            raise InputError(
                f"[split] vendors names {name}, and there is no such package in {node_modules}",
                hint=f"{instead}Give the app's node_modules by node_modules in [split], or install the package there.",
            )
    return found


def versions(settings: Settings, root: Path) -> dict[str, str]:
    """The versions of these packages, on which the output depends. Raises InputError as `locate` does."""
    found: dict[str, str] = {}
    for name, folder in locate(settings, root).items():
        try:
            found[name] = str(json.loads((folder / "package.json").read_bytes())["version"])
        except (ValueError, KeyError, TypeError) as failure:
            raise InputError(
                f"{folder / 'package.json'} gives no version: {failure}", hint="Install it anew."
            ) from failure
    return found


def read(settings: Settings, root: Path, pool: Pool) -> tuple[Vendor, ...]:
    """These packages as vendors. Raises InputError as `locate` does, and if a package's scripts cannot be read."""
    calls = [Call(name, known_by, (name, str(folder)), 0) for name, folder in locate(settings, root).items()]
    found: list[Vendor] = []
    for outcome in sorted(pool.run(calls), key=lambda one: one.key):
        if outcome.failure is not None:
            raise InputError(
                f"the package {outcome.key} could not be read: {outcome.failure.message}",
                hint=f'Install it anew, or take "{outcome.key}" out of vendors in [split].',
            )
        found.append(outcome.value)
    return tuple(found)


def known_by(name: str, folder: str) -> Vendor:
    """A package as a vendor, by the scripts in its folder; for guarded children, where the parser may crash."""
    return vocabulary.load().vendor_of_folders(label(name), (name,), [Path(folder)])


def label(name: str) -> str:
    """What a package is called in names of files: `babylonjs-core` for `@babylonjs/core`."""
    return name.removeprefix("@").replace("/", "-")
