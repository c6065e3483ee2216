"""lightningcss: a strong minifier of style sheets that drops fallbacks. Its results need a proof."""

from __future__ import annotations


def minified(text: str) -> str | None:
    """The sheet as lightningcss minifies it, or None if it refuses.

    Without `browsers_list`, which would remove prefixes and flatten nesting. It may crash the process on deep
    nesting: only for guarded children.
    """
    import lightningcss

    nesting = lightningcss.calc_parser_flags(nesting=True)
    try:
        return str(lightningcss.process_stylesheet(text, parser_flags=nesting, minify=True))
    except (ValueError, RuntimeError):  # what it cannot parse, and what it cannot print
        return None
