"""The report as one page that asks for nothing: a map and tables, assembled from its parts in this package."""

from __future__ import annotations

import re
from collections import defaultdict
from importlib import resources
from string import Template
from typing import TYPE_CHECKING

from v1z3r_build.report import markup
from v1z3r_build.report.figures import Figures, figures
from v1z3r_build.report.rules.copies import twins
from v1z3r_build.transfers import CODINGS, Load, initial, lazy
from v1z3r_build.transfers import size as transferred
from v1z3r_build.wording import many, share, size

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from v1z3r_build.diagnostics import Diagnostic
    from v1z3r_build.manifest import FileRecord, Manifest
    from v1z3r_build.report.advice import Advice
    from v1z3r_build.report.evidence import Evidence

MARK = b'<meta name="generator" content="v1z3r-build '
BUDGET = 150_000  # bytes of the page itself
# How many files and routes are shown one by one: the first that keep the budget, or else the last.
_STEPS = ((400, 150), (300, 100), (200, 60), (120, 40), (60, 20))
_PICTURES = 60
_PLACE = re.compile(r"^.+:\d+:\d+ ")


def page(manifest: Manifest, evidence: Evidence, advice: Sequence[Advice], title: str) -> bytes:
    """The page, in UTF-8. title: the name of the folder. Equal input gives equal bytes."""
    made = b""
    for most_files, most_routes in _STEPS:
        made = _Page(figures(manifest, most_files, most_routes), evidence, advice, title).render()
        if len(made) <= BUDGET:
            break
    return made


class _Page:
    """One page, with as much detail as its figures have."""

    def __init__(self, found: Figures, evidence: Evidence, advice: Sequence[Advice], title: str) -> None:
        self._figures = found
        self._manifest = found.manifest
        self._files: Mapping[str, FileRecord] = found.manifest.files
        self._evidence = evidence
        self._advice = advice
        self._title = title

    def render(self) -> bytes:
        sections = [
            ("advice", "Advice", len(self._advice), self._advices()),
            ("routes", "Routes", len(self._manifest.routes), self._routes()),
            ("files", "Files", len(self._files), self._listing()),
            ("images", "Images", len(self._images()), self._pictures()),
            ("caching", "Caching", 0, self._caching()),
            ("held-back", "Held back", self._held_count(), self._held_back()),
            ("duplicates", "Duplicates", len(twins(self._manifest)), self._duplicates()),
        ]
        style, script = _part("style.css"), _part("script.js")
        text = Template(_part("page.html")).substitute(
            style=style,
            script=script,
            style_digest=markup.digest(style),
            script_digest=markup.digest(script),
            data=markup.island(self._figures.to_json()),
            title=markup.plain(self._title),
            generator=markup.plain(self._manifest.generator),
            release=markup.plain(self._manifest.release),
            release_short=markup.plain(self._manifest.release[:12]),
            counts=f"{many(len(self._files), 'file')}, {many(len(self._manifest.routes), 'route')}",
            nav=markup.nav([("transfer", "Map", 0), *((one, name, count) for one, name, count, _ in sections)]),
            sections="\n".join(
                f'<section id="{one}" aria-labelledby="{one}-h">\n<h2 id="{one}-h">{name}</h2>\n{body}\n</section>'
                for one, name, _, body in sections
            ),
        )
        return text.encode("utf-8")

    # Advice

    def _advices(self) -> str:
        if not self._advice:
            return '<p class="good">Nothing found that would help.</p>'
        return f'<ul class="cards">{"".join(map(self._card, self._advice))}</ul>'

    def _card(self, one: Advice) -> str:
        at_stake = f"<span>{size(one.bytes)} br</span>" if one.bytes else ""
        routes = markup.folded(many(len(one.routes), "route"), map(markup.plain, one.routes))
        files = markup.folded(f"{many(len(one.files), 'file')}", map(self._file, one.files))
        return (
            f'<li><p class="badge {one.level}"><b>{one.code}</b>{at_stake}</p><h3>{markup.plain(one.message)}</h3>'
            f"<p>{markup.prose(one.hint)}</p>{routes if len(one.routes) > 1 else ''}{files}</li>"
        )

    def _file(self, path: str) -> str:
        record = self._files.get(path)
        return f"{markup.path_of(path)} {size(transferred(record, 'br')) if record else ''}".rstrip()

    # Routes

    def _routes(self) -> str:
        manifest, shown = self._manifest, self._figures.routes
        if not shown:
            return '<p class="good">The site has no page.</p>'
        loads = {url: initial(manifest, url) for url in shown}
        most = max(load.size("br") for load in loads.values())
        rows = "".join(self._route(url, load, most) for url, load in loads.items())
        more = self._figures.more_routes
        note = f"The heaviest {len(shown)} of {len(manifest.routes)}. " if more else ""
        return markup.table(
            "route-table",
            f"{note}What a browser fetches at once for each page, the page included, and what it may fetch later.",
            ["Route", "#requests", "#raw", "#gzip", "#brotli", "", "#for a year", "libraries", "#later, brotli"],
            rows,
            narrow=(2, 3, 5, 7, 8),
        )

    def _route(self, url: str, load: Load, most: int) -> str:
        lasting = Load({path: one for path, one in load.files.items() if one.cache_class == "immutable"})
        labels = sorted({one.vendor for one in load.files.values() if one.vendor})
        libraries = ", ".join(f"{markup.plain(label)} {size(load.of_vendor(label).size('br'))}" for label in labels)
        return markup.row(
            f'<th scope="row">{markup.plain(url)}</th>',
            markup.number(str(load.requests)),
            markup.number(size(load.size("raw")), "narrow-off"),
            markup.number(size(load.size("gzip")), "narrow-off"),
            markup.number(size(load.size("br"))),
            f'<td class="narrow-off">{markup.bar(load.size("br"), most)}</td>',
            markup.number(markup.percent(lasting.size("br"), load.size("br"))),
            f'<td class="narrow-off">{libraries}</td>',
            markup.number(size(lazy(self._manifest, url).size("br")), "narrow-off"),
        )

    # Files

    def _listing(self) -> str:
        rows = "".join(self._file_row(path) for path in self._figures.files)
        note = "Every file of the output but encodings and the manifest; on top those that weigh most as transferred."
        if self._figures.more_files:
            note = (
                f"The {len(self._figures.files)} of {len(self._files)} files that weigh most as transferred; "
                "the map and all sums hold the others, too."
            )
        return markup.table(
            "file-table",
            f"{note} What a file weighed before stands where it differs.",
            ["File", "Kind", "#raw size size-0", "#gzip size size-1", "#brotli size size-2", "#before", "Cache class"],
            rows,
            narrow=(1, 5, 6),
            foot=f'<tr><td colspan="7" id="file-foot">{many(len(self._figures.files), "file")}</td></tr>',
        )

    def _file_row(self, path: str) -> str:
        record = self._files[path]
        before = record.source_size
        was = f'{size(before)} <span class="down">{share(record.size, before)}</span>' if before else ""
        return markup.row(
            f"<td>{markup.path_of(path)}</td>",
            f'<td class="narrow-off">{markup.kind_of(record.kind)}</td>',
            *(
                markup.number(size(transferred(record, coding)), f"size size-{place}")
                for place, coding in enumerate(reversed(CODINGS))
            ),
            markup.number(was, "narrow-off"),
            f'<td class="narrow-off">{markup.plain(record.cache_class)}</td>',
        )

    # Images

    def _images(self) -> list[str]:
        images = [path for path, record in self._files.items() if record.kind == "image"]
        return sorted(images, key=lambda path: (-transferred(self._files[path], "br"), path))

    def _pictures(self) -> str:
        images = self._images()
        if not images:
            return '<p class="good">The site has none.</p>'
        note = f"The largest {_PICTURES} of {len(images)}. " if len(images) > _PICTURES else ""
        return markup.table(
            "image-table",
            f"{note}Pixels are told for PNG, JPEG, GIF, BMP and WebP; likeness is of 100, by SSIMULACRA 2.",
            ["Image", "Format", "#Pixels", "#as transferred", "smaller variants (likeness)"],
            "".join(map(self._picture, images[:_PICTURES])),
            narrow=(1, 4),
        )

    def _picture(self, path: str) -> str:
        record = self._files[path]
        real = self._evidence.pixels.get(path)
        variants = ", ".join(
            f"{markup.plain(one.content_type.removeprefix('image/'))} {size(self._files[one.path].size)}"
            f" ({self._files[one.path].score})"
            for one in record.variants
            if one.path in self._files
        )
        return markup.row(
            f"<td>{markup.path_of(path)}</td>",
            f'<td class="narrow-off">{markup.plain(record.content_type.removeprefix("image/").partition(";")[0])}</td>',
            markup.number(f"{real[0]} × {real[1]}" if real else ""),
            markup.number(size(transferred(record, "br"))),
            f'<td class="narrow-off">{variants}</td>',
        )

    # Caching

    def _caching(self) -> str:
        classes: defaultdict[str, dict[str, FileRecord]] = defaultdict(dict)
        for path, record in self._files.items():
            classes[record.cache_class][path] = record
        sizes = {name: Load(records).size("br") for name, records in classes.items()}
        whole = sum(sizes.values())
        rows = "".join(
            markup.row(
                f'<th scope="row">{markup.plain(name)}</th>',
                f'<td class="narrow-off"><code>{markup.plain(self._manifest.cache_classes.get(name, ""))}</code></td>',
                markup.number(str(len(classes[name]))),
                markup.number(size(count)),
                markup.number(markup.percent(count, whole)),
                f'<td class="narrow-off">{markup.bar(count, whole)}</td>',
            )
            for name, count in sorted(sizes.items(), key=lambda item: (-item[1], item[0]))
        )
        return markup.table(
            "cache-table",
            "How long browsers may keep what they have. Immutable names hold a hash of what they name.",
            ["Class", "Cache-Control", "#files", "#brotli", "#share", ""],
            rows,
            narrow=(1, 5),
        )

    # Held back

    def _reasons(self) -> list[tuple[str, list[str]]]:
        """Why files were left as they were, without the places that reasons name, and whose."""
        groups: defaultdict[str, list[str]] = defaultdict(list)
        for path, record in sorted(self._files.items()):
            if record.kept:
                reason = _PLACE.sub("a file ", record.kept)
                groups[reason].append(path)
        return sorted(groups.items(), key=lambda item: (-len(item[1]), item[0]))

    def _codes(self) -> list[tuple[str, str, list[Diagnostic]]]:
        groups: defaultdict[tuple[str, str], list[Diagnostic]] = defaultdict(list)
        for one in self._manifest.diagnostics:
            groups[one.level, one.code].append(one)
        order = ("error", "warning", "info")
        return [
            (level, code, groups[level, code])
            for level, code in sorted(groups, key=lambda key: (order.index(key[0]), -len(groups[key]), key[1]))
        ]

    def _held_count(self) -> int:
        return len(self._reasons()) + len(self._codes())

    def _held_back(self) -> str:
        parts = []
        if reasons := self._reasons():
            parts.append(markup.remark("Names or bytes that stayed as they were: nothing else was proved safe."))
            parts.append(
                markup.groups(
                    (markup.plain(reason), "", len(files), map(self._kept, files)) for reason, files in reasons
                )
            )
        if codes := self._codes():
            parts.append(markup.remark("What the run had to say."))
            told = ((markup.plain(code), level, len(found), map(_diagnostic, found)) for level, code, found in codes)
            parts.append(markup.groups(told))
        return "\n".join(parts) or '<p class="good">Nothing was held back.</p>'

    def _kept(self, path: str) -> str:
        kept = self._files[path].kept
        return f"{markup.path_of(path)} {markup.aside(kept) if _PLACE.match(kept) else ''}".rstrip()

    # Duplicates

    def _duplicates(self) -> str:
        groups = twins(self._manifest)
        copies = [one for one in self._manifest.diagnostics if one.code == "vendor-copies"]
        parts = []
        if copies:
            parts.append(markup.remark("One library in several scripts."))
            parts.append(markup.groups([("vendor-copies", "info", len(copies), map(_diagnostic, copies))]))
        if groups:
            parts.append(markup.remark("Files with the same bytes, from different files of the input."))
            shown = (
                (
                    f"{markup.path_of(paths[0])} {size(self._files[paths[0]].size)}",
                    "",
                    len(paths),
                    map(markup.path_of, paths),
                )
                for paths in groups[:_PICTURES]
            )
            parts.append(markup.groups(shown))
            if len(groups) > _PICTURES:
                parts.append(markup.remark(f"And {len(groups) - _PICTURES} more groups."))
        return "\n".join(parts) or '<p class="good">No file has a twin, and no library was found twice.</p>'


def _part(name: str) -> str:
    return resources.files(__package__).joinpath(name).read_text("utf-8")


def _diagnostic(one: Diagnostic) -> str:
    place = f":{one.line}:{one.column}" if one.line else ""
    where = f"{markup.path_of(one.path)}{place}: " if one.path else ""
    return f"{where}{markup.plain(one.message)} {markup.aside(one.hint) if one.hint else ''}".rstrip()
