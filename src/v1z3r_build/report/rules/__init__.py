"""What would make a site load faster, or should not be published.

Each rule is a pure function of the manifest and the evidence, and a line in the list here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from v1z3r_build.report.rules import copies, loading, publishing, serving

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from v1z3r_build.diagnostics import Level
    from v1z3r_build.manifest import Manifest
    from v1z3r_build.report.advice import Advice
    from v1z3r_build.report.evidence import Evidence

    Rule = Callable[[Manifest, Evidence], Iterator[Advice]]

_LEVELS: tuple[Level, ...] = ("error", "warning", "info")
RULES: tuple[Rule, ...] = (
    loading.vendor_at_once,
    copies.vendor_copies,
    copies.equal_bytes,
    loading.font_late,
    loading.picture_too_large,
    loading.script_blocks,
    loading.style_heavy,
    publishing.style_unused,
    publishing.source_maps,
    publishing.secrets,
    publishing.left_overs,
    serving.little_immutable,
    serving.text_plain,
    loading.many_requests,
)


def advise(manifest: Manifest, evidence: Evidence) -> list[Advice]:
    """All advice for an output, the most pressing first."""
    found = [one for rule in RULES for one in rule(manifest, evidence)]
    return sorted(found, key=lambda one: (_LEVELS.index(one.level), -one.bytes, one.code, one.routes, one.files))
