"""The family of webpack's chunks: all that share a queue, and the runtimes that must learn of the vendors' chunks."""

from __future__ import annotations

from typing import TYPE_CHECKING

from v1z3r_build.passes.split import loading
from v1z3r_build.passes.split.answer import Answer
from v1z3r_build.passes.split.chunks import split_chunk
from v1z3r_build.passes.split.runtimes import register_chunks
from v1z3r_build.passes.split.workshop import named

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from v1z3r_build.passes.split.workshop import Workshop


def split_chunks(workshop: Workshop, paths: Sequence[str]) -> list[Answer]:
    """What became of those scripts that are chunks."""
    calls = (
        workshop.call(path, split_chunk, path, *workshop.options(path), workshop.site.assets[path].location)
        for path in paths
    )
    return list(workshop.answers(calls))


def carry_out(workshop: Workshop, answers: Sequence[Answer]) -> None:
    """Write the parts whose runtimes could be told of them, and tell pages and lists of chunks."""
    told = _registered(workshop, workshop.possible(named(answers)))
    loading.tell_all(workshop, workshop.place(told))


def _registered(workshop: Workshop, answers: Sequence[Answer]) -> Iterator[Answer]:
    """What can be carried out: chunks whose runtimes learn of the new ones, with those runtimes."""
    yield from (answer for answer in answers if not answer.vendors)
    for queue in sorted({answer.queue for answer in answers if answer.vendors}):
        group = [answer for answer in answers if answer.vendors and answer.queue == queue]
        runtimes, reason = _runtimes(workshop, queue, group)
        if reason:
            for answer in group:
                workshop.refuse(answer.path, reason)
        else:
            yield from (*group, *runtimes)


def _runtimes(workshop: Workshop, queue: str, group: Sequence[Answer]) -> tuple[list[Answer], str]:
    """The runtimes of a queue, told of the new chunks; or the reason why that cannot be done."""
    needs: dict[str, list[str]] = {}
    files: dict[str, str] = {}
    for answer in group:
        for vendor in answer.vendors.values():
            files[vendor.chunk] = workshop.addresses.url(vendor.path)
            for identity in answer.ids:
                needs.setdefault(identity, []).append(vendor.chunk)
    made = {answer.path: answer.data for answer in group}
    calls = [
        workshop.call(
            path,
            register_chunks,
            queue,
            workshop.addresses.url(path),
            needs,
            files,
            made.get(path) or workshop.source(path),
        )
        for path, asset in workshop.site.assets.items()
        if asset.kind == "script" and queue.encode() in asset.read()
    ]
    told: list[Answer] = []
    for path, registration, failure in workshop.outcomes(calls):
        if failure:
            return [], f"{path} could not be analysed ({failure})"
        if registration.reason:
            return [], f"{registration.reason} ({path})"
        if registration.data is not None:
            told.append(Answer(path, registration.data))
    return told, "" if told else "no script of the site is its runtime"
