"""Next.js's Image component in the chunks of an export: what it gets as `src` it shows, and does nothing else with.

The component (`client/image-component`, Next 13.4 to 16) hands `src` to an `<img>` as it is where `images.unoptimized`
is set, as it must be in an export unless a loader of the app's own makes other names (`get-img-props`,
`generateImgAttrs`). The settings stand as a literal in its module, in Next 16 in another one that gives them to it
(`shared/lib/use-image-config`). `next/image` is a module that gives the component as its default
(`shared/lib/image-external`), and another one that is an alias of that.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

# What the module hands to the one that computes attributes; properties keep their names in minified code.
MARK = b"imgConf"
# Bounded, as below, for a text that begins so again and again takes the square of its length.
_COMPUTES = re.compile(rb"getImgProps\)?\([^;]{0,1000}?defaultLoader\s*:")
# In the settings: an `<Image unoptimized>` of the app's stands in the same module where a bundler joins modules.
_UNCHANGED = re.compile(rb"""["']?deviceSizes["']?\s*:[^{}]{0,10000}?[,\s"']unoptimized["']?\s*:\s*(!0|true)?""")
_SHOWS = b"data-nimg"
_CONFIGURED = b"useImageConfig"
_IS_EXTERNAL = b"getImageProps"
_ALIAS = re.compile(rb"[^;]*?\bexports\s*=\s*[\w$]+(?:\.r)?\(\s*[\"']?([^\"')]+)[\"']?\s*\);?\s*\}?\s*")


def exports(script: bytes) -> Mapping[tuple[str, str], bool]:
    """The modules of a chunk, and the name of what they export, that are the component: `("5675", "default")`.

    Of each whether it shows what it gets; where it does not, the module of that name in another chunk may be another
    app's. A chunk that is not understood has none. Pure; for guarded children.
    """
    if MARK not in script or _COMPUTES.search(script) is None:
        return {}
    modules = dict(_modules(script))
    found: dict[tuple[str, str], bool] = {}
    configuration = b"".join(text for text in modules.values() if _CONFIGURED in text)
    for name, text in modules.items():
        settings = _UNCHANGED.findall(configuration if _CONFIGURED in text else text)
        if settings and _COMPUTES.search(text):
            if _SHOWS in text:
                found[name, "Image"] = any(settings)
            elif _IS_EXTERNAL in text:
                found[name, "default"] = any(settings)
    for name, text in modules.items():
        alias = _ALIAS.fullmatch(text)
        if alias is not None:
            meant = alias.group(1).decode("utf-8", "replace")
            found |= {(name, given): shows for (module, given), shows in found.items() if module == meant}
    return found


def _modules(script: bytes) -> Iterator[tuple[str, bytes]]:
    """The modules of webpack's or Turbopack's chunk: their ids as texts, and their factories."""
    from v1z3r_build.bundlers.turbopack import chunks
    from v1z3r_build.bundlers.webpack import chunk
    from v1z3r_build.formats.engines.script_syntax import parse

    tree = parse(script)
    packed = chunk.read_chunk(script, tree)
    if isinstance(packed, chunk.Chunk):
        for module in packed.modules:
            yield module.id, script[slice(*module.factory)]
        return
    listed = chunks.read_chunk(script, tree)
    for entry in listed.entries if listed is not None else ():
        for one in entry.ids:
            yield str(one), script[slice(*entry.factory)]
