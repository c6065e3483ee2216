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

from v1z3r_build.bundlers.turbopack import chunks
from v1z3r_build.bundlers.webpack import chunk
from v1z3r_build.formats.engines.script_syntax import parse

if TYPE_CHECKING:
    from collections.abc import Iterator

# What the module hands to the one that computes attributes; properties keep their names in minified code.
_MARK = b"imgConf"
_COMPUTES = re.compile(rb"getImgProps\)?\([^;]*?defaultLoader\s*:")
_UNCHANGED = re.compile(rb"""[{,]\s*["']?unoptimized["']?\s*:\s*(?:!0|true)\s*[,}]""")
_SHOWS = b"data-nimg"
_CONFIGURED = b"useImageConfig"
_IS_EXTERNAL = b"getImageProps"
_ALIAS = re.compile(rb"[^;]*?\bexports\s*=\s*[\w$]+(?:\.r)?\(\s*[\"']?([^\"')]+)[\"']?\s*\);?\s*\}?\s*")


def exports(script: bytes) -> frozenset[tuple[str, str]]:
    """The modules of a chunk, and the name of what they export, that are the component: `("5675", "default")`.

    A chunk that is not understood has none.
    """
    if _MARK not in script or _COMPUTES.search(script) is None:
        return frozenset()
    modules = dict(_modules(script))
    found: set[tuple[str, str]] = set()
    configuration = b"".join(text for text in modules.values() if _CONFIGURED in text)
    for name, text in modules.items():
        if _COMPUTES.search(text) and _UNCHANGED.search(configuration if _CONFIGURED in text else text):
            if _SHOWS in text:
                found.add((name, "Image"))
            elif _IS_EXTERNAL in text:
                found.add((name, "default"))
    for name, text in modules.items():
        alias = _ALIAS.fullmatch(text)
        if alias is not None:
            found |= {(name, given) for module, given in found if module == alias.group(1).decode("utf-8", "replace")}
    return frozenset(found)


def _modules(script: bytes) -> Iterator[tuple[str, bytes]]:
    """The modules of webpack's or Turbopack's chunk: their ids as texts, and their factories."""
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
