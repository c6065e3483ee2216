"""The command line: parse, call, print; nothing else."""

from __future__ import annotations

import json
import os
import signal
import sys
import threading
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from v1z3r_build import __version__
from v1z3r_build.diagnostics import BuildError, InputError, SystemFailureError
from v1z3r_build.settings import FILE_NAME, PASS_NAMES

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from types import FrameType

    from v1z3r_build.pipeline import Order, Result
    from v1z3r_build.settings import Settings
    from v1z3r_build.terminal import Terminal

# Modules that are slow to import are imported where a command needs them: `--help` must answer at once.

DONE, CHECK_FAILED, WRONG_USAGE, SYSTEM_FAILED, INTERRUPTED = 0, 1, 2, 3, 130
# What runs in worker processes.
_WORK = ("v1z3r_build.passes.minify", "v1z3r_build.passes.link.survey", "v1z3r_build.passes.compress")
_PASS = click.Choice(PASS_NAMES)
_ISSUES = "Please report it with what -v prints."


class _Program(click.Group):
    """The group of all commands, with the exit codes of the contract for whatever happens inside."""

    def main(self, args: Sequence[str] | None = None, *rest: Any, **extra: Any) -> Any:
        extra["standalone_mode"] = False
        words = list(sys.argv[1:] if args is None else args)
        asked = _Asked("--json" in words, "-v" in words or "--verbose" in words)
        try:
            with _terminated_as_interrupted():
                code = super().main(words, *rest, **extra)
        except (KeyboardInterrupt, click.Abort):
            _say_failed("interrupted; the site is as it was, or complete", "", asked)
            code = INTERRUPTED
        except click.ClickException as wrong:
            if asked.json:
                _print_failure(wrong.format_message(), "")
            wrong.show()
            code = WRONG_USAGE
        except BuildError as failure:
            _say_failed(failure.message, failure.hint, asked)
            code = failure.exit_code
        except (OSError, MemoryError) as failure:
            told = _told(failure)
            _say_failed(told.message, told.hint, asked)
            code = told.exit_code
        except Exception as bug:  # noqa: BLE001  the last resort: what nobody foresaw is told, and never exits with 0
            _say_failed(f"this is a defect of v1z3r-build: {type(bug).__name__}: {bug}", _ISSUES, asked, bug)
            code = SYSTEM_FAILED
        sys.exit(code or DONE)


class _Asked:
    """What the command line asks for, known also where it could not be parsed."""

    def __init__(self, as_json: bool, verbose: bool) -> None:
        self.json = as_json
        self.verbose = verbose


@click.group(
    cls=_Program,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="Exit codes: 0 done, 1 a check failed, 2 wrong usage, configuration or input, 3 the system failed "
    "(disk full, no permission), 130 interrupted.",
)
@click.version_option(__version__, "--version", message="%(prog)s %(version)s")
def main() -> None:
    """Make an exported web app load faster and cache for a year, and break nothing."""


@main.command()
@click.argument("site", type=click.Path(path_type=Path))
@click.option(
    "-o", "--output", type=click.Path(path_type=Path), metavar="DIR", help="Write there; SITE stays as it is."
)
@click.option("--config", type=click.Path(path_type=Path), metavar="FILE", help=f"Settings; default: {FILE_NAME}.")
@click.option("--base", metavar="PATH", help="The path below which the site is served, such as /sub/.")
@click.option("--jobs", type=int, metavar="N", help="Worker processes; 0: one a core.")
@click.option("--only", metavar="PASS", type=_PASS, multiple=True, help=f"Run this alone, of {', '.join(PASS_NAMES)}.")
@click.option("--skip", metavar="PASS", type=_PASS, multiple=True, help="Leave this out. Both may be repeated.")
@click.option(
    "--previous",
    type=click.Path(path_type=Path),
    metavar="MANIFEST",
    help="The last release: an immutable name with other bytes is then an error.",
)
@click.option("--strict", is_flag=True, help="Publish nothing and exit with 1 if there are warnings.")
@click.option("--force", is_flag=True, help="Optimize once more what was optimized already.")
@click.option("--dry-run", is_flag=True, help="Do everything but write the output.")
@click.option("--json", "as_json", is_flag=True, help="Print the result as one JSON object to stdout.")
@click.option("-q", "--quiet", is_flag=True, help="Print errors alone.")
@click.option("-v", "--verbose", is_flag=True, help="Print everything.")
def optimize(
    *,
    site: Path,
    output: Path | None,
    config: Path | None,
    base: str | None,
    jobs: int | None,
    only: tuple[str, ...],
    skip: tuple[str, ...],
    previous: Path | None,
    strict: bool,
    force: bool,
    dry_run: bool,
    as_json: bool,
    quiet: bool,
    verbose: bool,
) -> int:
    """Optimize a site.

    SITE is the folder that a framework's build has written (out, dist, build). It is optimized in place, or into
    another folder with -o; a manifest is added, v1z3r-manifest.json, that says how every file is to be served.
    """
    from v1z3r_build.workers.pool import Pool

    terminal = _terminal(quiet, verbose)
    settings = _settings(site, config, base, jobs, only, skip, terminal)
    with Pool(settings.jobs, preload=_WORK) as pool:
        if site.is_dir():
            pool.start()  # now, for the import below takes as long as theirs
        from v1z3r_build import pipeline

        order = pipeline.Order(site, output, settings, previous, strict=strict, force=force, dry_run=dry_run)
        with terminal.progress() as progress:
            result = pipeline.optimize(order, pool, progress)
    if as_json:
        _print_json(result.to_json())
    _say_optimized(order, result, terminal)
    return CHECK_FAILED if result.outcome == "rejected" else DONE


@main.command()
@click.argument("folder", metavar="DIR", type=click.Path(path_type=Path))
@click.option("--json", "as_json", is_flag=True, help="Print the result as one JSON object to stdout.")
@click.option("-q", "--quiet", is_flag=True, help="Print errors alone.")
@click.option("-v", "--verbose", is_flag=True, help="Print everything.")
def verify(folder: Path, as_json: bool, quiet: bool, verbose: bool) -> int:
    """Check an optimized site against its manifest.

    Every name, hash, size, encoding, reference and digest is derived again from the files in DIR.
    """
    from v1z3r_build import github, verification
    from v1z3r_build.manifest import MANIFEST_NAME, Manifest, diagnostic_json

    terminal = _terminal(quiet, verbose)
    manifest = Manifest.load(folder / MANIFEST_NAME)
    found = verification.verify(folder)
    failed = any(one.level == "error" for one in found)
    if as_json:
        _print_json(
            {
                "status": "failed" if failed else "verified",
                "folder": str(folder),
                "release": manifest.release,
                "files": len(manifest.files),
                "diagnostics": [diagnostic_json(one) for one in found],
            }
        )
    with github.commands_off():
        terminal.diagnostics(found)
        if not failed:
            terminal.note(f"{folder}: all {len(manifest.files)} files are as the manifest says")
    github.annotate(found, folder)
    return CHECK_FAILED if failed else DONE


@main.command()
@click.argument("folder", metavar="DIR", type=click.Path(path_type=Path))
@click.option(
    "-o", "--output", type=click.Path(path_type=Path), metavar="FILE", help="The page; default: report.html, here."
)
@click.option(
    "--metafile",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Write what analyzers of esbuild's bundles open.",
)
@click.option("--json", "as_json", is_flag=True, help="Print figures and advice as one JSON object to stdout.")
@click.option("-q", "--quiet", is_flag=True, help="Print errors alone.")
@click.option("-v", "--verbose", is_flag=True, help="Print everything.")
def report(
    *, folder: Path, output: Path | None, metafile: Path | None, as_json: bool, quiet: bool, verbose: bool
) -> int:
    """Show what an optimized site transfers, and what would make it faster.

    Writes one page that needs nothing else: a map of what each route of DIR transfers, all files, and advice.
    """
    from v1z3r_build import github
    from v1z3r_build.report import delivery

    terminal = _terminal(quiet, verbose)
    made = delivery.report(folder, output, metafile)
    if as_json:
        _print_json(made.to_json())
    with github.commands_off():
        terminal.diagnostics(one.told() for one in made.advice)
        terminal.note(f"the report is in {made.page}")
    return DONE


@main.command()
def init() -> int:
    """Write a commented v1z3r-build.toml.

    It holds every setting with its default, and is written into the working directory.
    """
    from v1z3r_build.settings import example

    try:
        with Path(FILE_NAME).open("x", encoding="utf-8", newline="\n") as file:
            file.write(example())
    except FileExistsError:
        raise InputError(f"{FILE_NAME} exists already", hint="Delete it first to start afresh.") from None
    click.echo(f"{FILE_NAME} written; every setting stands in it with its default", err=True)
    return DONE


def _terminal(quiet: bool, verbose: bool) -> Terminal:
    from v1z3r_build.terminal import Terminal

    if quiet and verbose:
        raise click.UsageError("--quiet and --verbose exclude each other.")
    return Terminal(int(verbose) - int(quiet))


def _settings(
    site: Path,
    config: Path | None,
    base: str | None,
    jobs: int | None,
    only: tuple[str, ...],
    skip: tuple[str, ...],
    terminal: Terminal,
) -> Settings:
    from v1z3r_build import settings

    given: dict[str, object] = {"site.base": base, "jobs": jobs, "passes": only or None}
    found = settings.find(site, config)
    terminal.detail(f"settings: {found or 'defaults'}")
    chosen = settings.load(site, found, {key: value for key, value in given.items() if value is not None})
    return settings.without_passes(chosen, skip)


def _say_optimized(order: Order, result: Result, terminal: Terminal) -> None:
    """Tell people what was done: the gain, the diagnostics, where it lies."""
    from v1z3r_build import github

    with github.commands_off():
        terminal.diagnostics(result.diagnostics)
        if result.outcome != "unchanged":
            terminal.gain(result.summary)
        if result.outcome == "rejected":
            terminal.error(result.told, result.advice)
        else:
            terminal.note(result.told)
    github.annotate(result.diagnostics, order.source)
    github.summarize(result.summary, result.diagnostics, result.told)


def _print_json(value: dict[str, Any]) -> None:
    # Escaped, for names need not be valid text, and stdout need not be UTF-8.
    try:
        click.echo(json.dumps(value, indent=1))
    except BrokenPipeError:
        # What is still in the buffer must not fail once more when Python flushes it at its end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise SystemFailureError("nobody reads the result any more") from None


def _print_failure(message: str, hint: str) -> None:
    _print_json({"status": "failed", "error": {"message": message, "hint": hint}})


def _say_failed(message: str, hint: str, asked: _Asked, bug: Exception | None = None) -> None:
    from v1z3r_build import github
    from v1z3r_build.terminal import Terminal

    if asked.json:
        _print_failure(message, hint)
    terminal = Terminal(int(asked.verbose))
    with github.commands_off():
        if bug is not None:
            import traceback

            terminal.detail("".join(traceback.format_exception(bug)))
        terminal.error(message, hint)


def _told(failure: OSError | MemoryError) -> SystemFailureError:
    """What the system refused, in words."""
    if isinstance(failure, MemoryError):
        return SystemFailureError("there is not enough memory", hint="Try again with fewer --jobs.")
    where = f"{failure.filename}: " if failure.filename else ""
    return SystemFailureError(f"{where}{failure.strerror or failure}")


@contextmanager
def _terminated_as_interrupted() -> Iterator[None]:
    """A request to end (`kill`, a closed terminal) unwinds like Ctrl-C, so that nothing half-made is left."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def interrupt(number: int, frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    names = ("SIGTERM", "SIGHUP", "SIGBREAK")
    before = {one: signal.signal(one, interrupt) for name in names if (one := getattr(signal, name, None))}
    try:
        yield
    finally:
        for one, handler in before.items():
            signal.signal(one, handler)
