"""The command line: parse, call, print; nothing else."""

from __future__ import annotations

import json
import os
import signal
import sys
import threading
from contextlib import contextmanager, nullcontext
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from v1z3r_build import __version__
from v1z3r_build.diagnostics import BuildError, InputError, SystemFailureError
from v1z3r_build.settings import FILE_NAME, PASS_NAMES

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from types import FrameType

    from v1z3r_build.budget.outcome import Budget, Outcome
    from v1z3r_build.manifest import Manifest
    from v1z3r_build.runs import Order, Result
    from v1z3r_build.settings import Settings
    from v1z3r_build.standing import Watch
    from v1z3r_build.terminal import Terminal
    from v1z3r_build.workers.cache import Cache
    from v1z3r_build.workers.pool import Pool

# Modules that are slow to import are imported where a command needs them: `--help` must answer at once.

DONE, CHECK_FAILED, WRONG_USAGE, SYSTEM_FAILED, INTERRUPTED = 0, 1, 2, 3, 130
# What runs in worker processes, in the order in which it does.
_WORK = (
    "v1z3r_build.passes.split.labels",
    "v1z3r_build.passes.split.families",
    "v1z3r_build.passes.split.worth",
    "v1z3r_build.passes.link.survey",
    "v1z3r_build.bundlers.constants",
    "v1z3r_build.formats.script_minifier",
    "v1z3r_build.formats.page_minifier",
    "v1z3r_build.passes.minify",
    "v1z3r_build.passes.compress",
)
_PASS = click.Choice(PASS_NAMES)
FORMATS = ("text", "json", "markdown", "github", "junit", "size-limit")
_ISSUES = "Please report it with what -v prints."


class _Program(click.Group):
    """The group of all commands, with the exit codes of the contract for whatever happens inside."""

    def main(self, args: Sequence[str] | None = None, *rest: Any, **extra: Any) -> Any:
        extra["standalone_mode"] = False
        words = list(sys.argv[1:] if args is None else args)
        as_json = "--json" in words or "--format=json" in words or ("--format", "json") in pairwise(words)
        asked = _Asked(as_json, "-v" in words or "--verbose" in words)
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
@click.option("--cluster", metavar="ADDRESS", help="Work on a Dask cluster, such as tcp://host:8786.")
@click.option(
    "--cache-dir",
    type=click.Path(path_type=Path),
    metavar="DIR",
    help="Where results of earlier runs lie; default: the user's cache folder.",
)
@click.option("--no-cache", is_flag=True, help="Make everything anew, and remember nothing.")
@click.option("--only", metavar="PASS", type=_PASS, multiple=True, help=f"Run this alone, of {', '.join(PASS_NAMES)}.")
@click.option("--skip", metavar="PASS", type=_PASS, multiple=True, help="Leave this out. Both may be repeated.")
@click.option(
    "--previous",
    type=click.Path(path_type=Path),
    metavar="MANIFEST",
    help="The last release: an immutable name with other bytes is then an error.",
)
@click.option("--strict", is_flag=True, help="Publish nothing and exit with 1 if there are warnings.")
@click.option(
    "--budget",
    "with_budget",
    is_flag=True,
    help="Check the limits of [budget] at the end: exit with 1 if the output, which is written, is over them.",
)
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
    cluster: str | None,
    cache_dir: Path | None,
    no_cache: bool,
    only: tuple[str, ...],
    skip: tuple[str, ...],
    previous: Path | None,
    strict: bool,
    with_budget: bool,
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
    from v1z3r_build import runs, standing
    from v1z3r_build.workers import cache

    terminal = _terminal(quiet, verbose)
    if cluster is not None and jobs is not None:
        raise click.UsageError("--cluster and --jobs exclude each other: a cluster has the workers that it has.")
    if cache_dir is not None and no_cache:
        raise click.UsageError("--cache-dir and --no-cache exclude each other.")
    given = {"site.base": base, "jobs": jobs, "cache.dir": cache_dir and str(cache_dir.absolute()), "passes": only}
    settings = _settings(site, config, given, skip, terminal)
    limits, baseline = _limits(site, config, previous) if with_budget else (None, None)
    order = runs.Order(site, output, settings, previous, strict=strict, force=force, dry_run=dry_run)
    with nullcontext() if no_cache else cache.opened(settings.cache) as known:
        if known is not None:
            _require_apart(known.folder, order)
        watch = standing.Watch(order, known) if known is not None else None
        # A budget is checked against the manifest, which only a run reads.
        result = watch.known() if watch is not None and limits is None else None
        if result is None:
            result = _run(order, cluster, known, watch, terminal)
            if watch is not None:
                watch.note(result)
    if known is not None:
        if known.asked:
            terminal.detail(f"cache: {known.found} of {known.asked} results known")
        result = replace(result, diagnostics=(*known.diagnostics, *result.diagnostics))
    _say_optimized(order, result, terminal)
    checked = None
    if limits is not None and result.manifest is not None and result.outcome != "rejected":
        checked = _checked(limits, result.manifest, baseline)
    if as_json:
        _print_json(result.to_json() | ({} if checked is None else {"budget": checked.to_json()}))
    if checked is not None:
        _say_checked(checked, terminal)
    return CHECK_FAILED if result.outcome == "rejected" or (checked is not None and checked.over) else DONE


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
    "--budget",
    "source",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="The limits: a TOML file with [budget], or a budget.json of Lighthouse; default: [budget] of the settings.",
)
@click.option("--config", type=click.Path(path_type=Path), metavar="FILE", help=f"Settings; default: {FILE_NAME}.")
@click.option(
    "--baseline",
    type=click.Path(path_type=Path),
    metavar="MANIFEST",
    help="That of an earlier release: what has changed since is shown, and the limits of [budget.growth] hold.",
)
@click.option(
    "--format",
    "form",
    type=click.Choice(FORMATS),
    metavar="FORMAT",
    default="text",
    help=f"What is printed to stdout, besides the table on stderr: {', '.join(FORMATS[1:])} (its list in JSON); "
    "default: text, nothing.",
)
@click.option("--init", "initial", is_flag=True, help="Write limits of today's sizes plus 5 %.")
@click.option("-q", "--quiet", is_flag=True, help="Print errors alone.")
@click.option("-v", "--verbose", is_flag=True, help="Print everything.")
def budget(
    *,
    folder: Path,
    source: Path | None,
    config: Path | None,
    baseline: Path | None,
    form: str,
    initial: bool,
    quiet: bool,
    verbose: bool,
) -> int:
    """Check what browsers transfer for an optimized site against limits.

    DIR is what `optimize` has written. Of each route counts what a browser fetches at once and what it may fetch
    later, in the encoding that the limit names, headers aside. Exits with 1 if anything is over its limit.

    --init writes limits into v1z3r-build.toml if there are no settings, else it prints what to add to them.
    """
    from v1z3r_build.budget import sources
    from v1z3r_build.manifest import MANIFEST_NAME, Manifest

    terminal = _terminal(quiet, verbose)
    manifest = Manifest.load(folder / MANIFEST_NAME)
    if initial:
        return _begin_budget(manifest, folder, config, terminal)
    limits = sources.read(source) if source is not None else sources.find(folder, config)
    checked = _checked(limits, manifest, Manifest.load(baseline) if baseline is not None else None)
    if form in ("json", "size-limit"):
        results = [one.to_size_limit() for one in checked.findings]
        about = {"status": "over" if checked.over else "within", "folder": str(folder), "release": manifest.release}
        _print_json(results if form == "size-limit" else about | checked.to_json())
    elif form != "text":
        _print(_rendered(checked, form))
    _say_checked(checked, terminal, annotated=form != "github")
    return CHECK_FAILED if checked.over else DONE


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
    site: Path, config: Path | None, given: Mapping[str, object], skip: tuple[str, ...], terminal: Terminal
) -> Settings:
    """given: values of the command line by key; those that are empty were not given."""
    from v1z3r_build import settings

    found = settings.find(site, config)
    terminal.detail(f"settings: {found or 'defaults'}")
    chosen = settings.load(site, found, {key: value for key, value in given.items() if value not in (None, ())})
    return settings.without_passes(chosen, skip)


def _require_apart(folder: Path, order: Order) -> None:
    """Raises InputError for a cache that would be published."""
    for one in (order.source, order.output):
        if Path(os.path.realpath(folder)).is_relative_to(os.path.realpath(one)):
            hint = "Give --cache-dir or dir in [cache] a folder beside the site."
            raise InputError(f"the cache {folder} lies inside {one}, which is published", hint=hint)


def _run(order: Order, cluster: str | None, cache: Cache | None, watch: Watch | None, terminal: Terminal) -> Result:
    with _workers(order.settings.jobs, cluster, cache) as workers:
        # Now, for the import below takes as long as theirs.
        if watch is not None and watch.is_repeated:
            workers.start(1)
        elif order.source.is_dir():
            workers.start()
        from v1z3r_build import pipeline

        with terminal.progress() as progress:
            return pipeline.optimize(order, workers, progress)


def _workers(jobs: int, cluster: str | None, cache: Cache | None) -> Pool:
    if cluster is not None:
        from v1z3r_build.workers.cluster import Cluster

        return Cluster(cluster, cache, _WORK)
    from v1z3r_build.workers.pool import Pool

    return Pool(jobs, preload=_WORK, cache=cache)


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


def _limits(site: Path, config: Path | None, previous: Path | None) -> tuple[Budget, Manifest | None]:
    """The budget of the settings, and the manifest of the last release, which the run may be about to replace."""
    from v1z3r_build.budget import sources
    from v1z3r_build.manifest import Manifest

    return sources.find(site, config), Manifest.load(previous) if previous is not None else None


def _checked(limits: Budget, manifest: Manifest, baseline: Manifest | None) -> Outcome:
    from v1z3r_build.budget.comparison import Comparison

    return limits.check(Comparison(manifest, baseline))


def _begin_budget(manifest: Manifest, folder: Path, config: Path | None, terminal: Terminal) -> int:
    from v1z3r_build import settings
    from v1z3r_build.budget import proposal

    found = settings.find(folder, config)
    if found is None:
        with Path(FILE_NAME).open("x", encoding="utf-8", newline="\n") as file:
            file.write(proposal.text(manifest))
        terminal.note(f"{FILE_NAME} written, with limits of today's sizes plus 5 %")
        return DONE
    already, keys = settings.table(found, "budget")
    _print(proposal.text(manifest, keys[:-1]))
    terminal.note(f"{found} {'has a table [budget] already' if already is not None else 'is there'}: add this by hand")
    return DONE


def _rendered(checked: Outcome, form: str) -> str:
    """The outcome in a format that is no JSON."""
    from v1z3r_build import github
    from v1z3r_build.budget import annotations, junit, markdown

    if form == "github":
        lines = github.commands(annotations.diagnostics(checked), checked.source.parent, github.workspace())
        return "".join(f"{line}\n" for line in lines)
    return junit.text(checked) if form == "junit" else markdown.text(checked)


def _say_checked(checked: Outcome, terminal: Terminal, *, annotated: bool = True) -> None:
    """Tell people how the check of the limits went. annotated: whether GitHub is to be told of it here."""
    from v1z3r_build import github
    from v1z3r_build.budget import annotations, markdown, telling

    with github.commands_off():
        telling.tell(checked, terminal)
    if annotated:
        github.annotate(annotations.diagnostics(checked), checked.source.parent)
    github.add_to_summary(markdown.text(checked) + "\n")


def _print_json(value: Any) -> None:
    # Escaped, for names need not be valid text, and stdout need not be UTF-8.
    _print(json.dumps(value, indent=1) + "\n")


def _print(text: str) -> None:
    try:
        click.echo(text.encode("utf-8", "backslashreplace"), nl=False)
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
