"""The family of webpack's scripts: chunks that share a queue, runtimes that must learn of the vendors' chunks, and
bundles, which hold a runtime with modules of its own.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from v1z3r_build.bundlers.webpack.chunk import Chunk, read_chunk
from v1z3r_build.formats import html
from v1z3r_build.passes.split import loading
from v1z3r_build.passes.split.answer import Answer
from v1z3r_build.passes.split.chunks import module_ids
from v1z3r_build.passes.split.runtimes import register_chunks
from v1z3r_build.passes.split.workshop import named
from v1z3r_build.site.address import spellings

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence

    from v1z3r_build.passes.split.workshop import Workshop


# How pages load a script, or prepare to: in each way the new one comes along, or is loaded later.
_LOADING = ("script", "nomodule", "preload", "prefetch")


def carry_out(workshop: Workshop, answers: Sequence[Answer]) -> None:
    """Write the parts whose runtimes could be told of them, and tell pages and lists of chunks."""
    told = _told(workshop, workshop.possible(named(answers)))
    loading.tell_all(workshop, workshop.place(told))


def _told(workshop: Workshop, answers: Sequence[Answer]) -> Iterator[Answer]:
    """What can be carried out: chunks whose runtimes learn of the new ones, with those runtimes, and bundles."""
    yield from (answer for answer in answers if not answer.vendors)
    bundles: list[Answer] = []
    for answer in answers:
        if answer.vendors and not answer.ids:
            if reason := _objection(workshop, answer):
                workshop.refuse(answer.path, reason)
            else:
                bundles.append(answer)
    yield from bundles
    chunks = [answer for answer in answers if answer.vendors and answer.ids]
    known = {answer.path: answer.modules for answer in answers if answer.modules is not None}
    for queue in sorted({answer.queue for answer in chunks}):
        group = _consistent(workshop, queue, [answer for answer in chunks if answer.queue == queue], known)
        runtimes, reason = _runtimes(workshop, queue, group, bundles) if group else ([], "")
        if reason:
            for answer in group:
                workshop.refuse(answer.path, reason)
        else:
            yield from (*group, *runtimes)


def _objection(workshop: Workshop, bundle: Answer) -> str:
    """Why the site may load a bundle in a way in which its start must not wait, '' if it does not."""
    names = spellings(bundle.path)
    for path, asset in workshop.site.assets.items():
        if path == bundle.path or asset.kind not in ("html", "script"):
            continue
        data = asset.read()
        found = [name for name in names if name in data]
        if found and (asset.kind == "script" or not all(_only_loads(data, name) for name in found)):
            return f"{path} speaks of it, and may load it in another way than pages do"
        if asset.kind == "script" and bundle.queue and bundle.queue.encode() in data:
            chunk = read_chunk(data)
            if isinstance(chunk, Chunk) and (chunk.callback is not None or chunk.entries is not None):
                return f"{path} starts as soon as it is there"
    return ""


def _only_loads(page: bytes, name: bytes) -> bool:
    """Whether a page speaks of a script in nothing but elements that load it as a classic one."""
    urls = [url for url in html.read(page).urls if name in page[url.start : url.end]]
    return all(url.role in _LOADING for url in urls) and len(urls) == page.count(name)


def _consistent(
    workshop: Workshop, queue: str, group: Sequence[Answer], known: Mapping[str, Collection[int | str]]
) -> list[Answer]:
    """The chunks but for those with a module that others have in another form. known: the modules of scripts.

    The runtime takes whichever came last. Who may require it then would find that it wants a module which is still
    on its way, with another chunk.
    """
    cut = {identity for answer in group for identity in answer.cuts}
    if not cut:
        return list(group)
    assets = workshop.site.assets
    calls = [
        workshop.call(path, module_ids, asset.location)
        for path, asset in assets.items()
        if asset.kind == "script" and path not in known and queue.encode() in asset.read()
    ]
    modules = {path: cut.intersection(ids) for path, ids in known.items()}
    # Of what cannot be read it may have all.
    modules |= {path: cut if value is None else cut & set(value) for path, value, _ in workshop.outcomes(calls)}
    kept = {answer.path: answer for answer in group}
    while True:
        forms: dict[int | str, set[tuple[str, ...]]] = {}
        for path, ids in modules.items():
            for identity in ids:
                cuts = kept[path].cuts if path in kept else {}
                forms.setdefault(identity, set()).add(cuts.get(identity, ()))
        torn = [path for path, answer in kept.items() if any(len(forms[one]) > 1 for one in answer.cuts)]
        if not torn:
            return list(kept.values())
        for path in torn:
            workshop.refuse(path, "another chunk has one of its modules in another form")
            del kept[path]


def _runtimes(
    workshop: Workshop, queue: str, group: Sequence[Answer], bundles: Sequence[Answer]
) -> tuple[list[Answer], str]:
    """The runtimes of a queue, told of the new chunks; or the reason why that cannot be done."""
    needs: dict[str, list[str]] = {}
    files: dict[str, str] = {}
    for answer in group:
        for vendor in answer.vendors.values():
            files[vendor.chunk] = workshop.addresses.url(vendor.path)
            for identity in answer.ids:
                needs.setdefault(identity, []).append(vendor.chunk)
    made = {answer.path: answer.data for answer in (*group, *bundles)}
    for path, asset in workshop.site.assets.items():
        if asset.kind == "script" and queue.encode() in (data := asset.read()):
            taken = [identity for identity in files if identity.encode() in data]
            if taken:
                return [], f"{path} speaks of a chunk {taken[0]}"
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
