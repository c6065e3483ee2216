"""Pages on which no script can notice that an image was put into a `<picture>`.

A page is still if it runs no script, or only scripts of the site in whose whole text no word stands by which one could
look at images or at the elements around them, change the tree or the style sheets, or bring in other code. Names of the
DOM cannot be shortened by a minifier, so that a script without the word does not do the thing. Words in comments count
too: that costs little, and needs no trust in a parser.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

import turbohtml

from v1z3r_build.formats import html, javascript
from v1z3r_build.formats.hydration import is_hydrated
from v1z3r_build.passes.images.selectors import STILL, Live

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator

    from v1z3r_build.site.address import Addresses

# Words by which a script could notice or undo the change, with what they are for.
_WORDS = re.compile(
    "|".join(
        (
            # Images themselves: `document.images`, `new Image`, `currentSrc`, `data-src` of lazy loaders.
            r"img|image|picture|src|natural(?:Width|Height)",
            # Ways from one element to others (`children`, `parentNode`, `offsetParent`, `nextElementSibling`).
            r"child|parent|sibling|closest|composedPath|assigned(?:Nodes|Elements|Slot)|FromPoint",
            r"querySelector|getElementsBy|TreeWalker|NodeIterator|\bevaluate\b|XPath|document\s*\.\s*all\b",
            r"matches\s*(?:\(|\.|\?\.|`)|matchesSelector|isEqualNode|getSelection|\bRange\b|createRange",
            # Making, moving and removing elements: places among siblings change, whole pages are written anew.
            r"[a-z]HTML|HTMLUnsafe|DOMParser|XMLSerializer|createContextualFragment|createElement|cloneNode|importNode",
            r"adoptNode|append|prepend|insert|replaceWith|moveBefore|\.\s*(?:before|after|remove)\s*\(|\bwrite(?:ln)?\b",
            r"attachShadow|shadowRoot|customElements|execCommand|designMode|contentEditable|document\s*\.\s*open\b",
            # Watching the tree, and what was fetched.
            r"MutationObserver|getEntries|PerformanceObserver",
            # Other documents, whose elements the words above would be said of in vain.
            r"\bframes\b|opener|content(?:Document|Window)|\btop\s*\.\s*document",
            # Style sheets written by scripts, of which no selector is known; values that go from parent to child.
            r"styleSheet|CSSStyleSheet|cssRules|\bsheet\b|replaceSync|inherit",
            # Links to other style sheets: `link.href = …`, attributes by names that are not known.
            r"(?<!location)\s*\.\s*href\s*=(?!=)|\bhref\s*:|setAttribute\s*\(\s*(?:[\"'`]href|[^\"'`\s])",
            # Other code, and names put together from pieces.
            r"\bimport\s*\(|\beval\b|(?-i:\bFunction\b)|constructor|\batob\b|fromCharCode|fromCodePoint|\b_0x[0-9a-f]",
            r"\\(?:x[2-7]|u00[2-7]|u\{0*[2-7])",
            r"\b(?:document|window|self|globalThis|this|body|documentElement|top)\s*(?:\?\.)?\[",
        )
    ).encode(),
    re.I,
)
# Calls that say in plain what they look for, by name: what was inserted has no class and no id.
_PLAIN_LOOKUP = re.compile(
    rb"\b(?:querySelector(?:All)?|getElementsByClassName)\s*\(\s*([\"'`])"
    rb"(?:[.#]?[A-Za-z_][\w-]*|[a-z]+[.#][A-Za-z_][\w-]*)(?:\s+[.#][A-Za-z_][\w-]*)*\1\s*\)"
)
_ASKS_FOR_IMAGES = re.compile(rb"[\"'`](?:img|picture|source|image)\b", re.I)
# Calls that say in plain which class they set.
_CLASS_CALL = re.compile(
    rb"\bclassList\s*(?:\?\.|\.)\s*(?:(?:add|remove|toggle|contains|replace)\s*\(\s*"
    rb"((?:\"[\w:-]+\"|'[\w:-]+'|`[\w:-]+`)(?:\s*,\s*(?:\"[\w:-]+\"|'[\w:-]+'|`[\w:-]+`))*)\s*\)"
    rb"|toggle\s*\(\s*(\"[\w:-]+\"|'[\w:-]+'|`[\w:-]+`)\s*,)"
)
_ATTRIBUTE_CALL = re.compile(
    rb"\b(?:set|toggle|remove|get|has)Attribute\s*\(\s*([\"'`])(?!class\b|href\b)[\w-]+\1", re.I
)
_SETS_CLASSES = re.compile(rb"classList|className|setAttribute|toggleAttribute|removeAttribute|\battributes\b")
_CLASS = re.compile(rb"[\w:-]+")

# Words by which a script could notice that a background is an `image-set()`, or compute with its address.
_READS_STYLES = re.compile(
    rb"backgroundImage|background-image|listStyleImage|list-style-image|borderImage|border-image|maskImage|mask-image"
    rb"|getComputedStyle|computedStyleMap|cssRules|styleSheets",
)

# Control characters and blanks before an address, tabs and line breaks within, are cut out (URL Standard, "basic URL
# parser").
_CODE_ADDRESS = re.compile("[\\x00-\\x20]*" + "[\\t\\n\\r]*".join("javascript:"), re.I)
_FRAMES = {"iframe": "src", "frame": "src", "object": "data", "embed": "src"}


class Stillness(NamedTuple):
    """reason: why a script could notice, "" on a still page. live: what its scripts may change of elements."""

    reason: str
    live: Live = STILL


class _Script(NamedTuple):
    """word: by which it could notice, "" if there is none. imports: modules that it runs, None where one is unknown."""

    word: str
    classes: frozenset[str] | None
    imports: tuple[str, ...] | None


def reads_styles(script: bytes) -> str:
    """The word by which a script could read what `url()` a style sheet gives, "" if there is none."""
    found = _READS_STYLES.search(script)
    return found.group().decode() if found else ""


class Scripts:
    """The scripts of a site, each looked through once.

    read: from the path of a script to its bytes. embedded: pages that others of the site show in a frame, whose
    scripts could look into them.
    """

    def __init__(self, read: Callable[[str], bytes], addresses: Addresses, embedded: Collection[str] = ()) -> None:
        self._read = read
        self._addresses = addresses
        self._embedded = embedded
        self._known: dict[str, _Script] = {}
        self._pages: dict[str, Stillness] = {}

    def stillness(self, path: str, data: bytes) -> Stillness:
        """Whether no script of a page can notice what happens to its images; found out once for each page.

        Every script counts, whatever its condition; one that is not in the site could do anything.
        """
        if path not in self._pages:
            self._pages[path] = self._look_at(path, data)
        return self._pages[path]

    def _look_at(self, path: str, data: bytes) -> Stillness:
        if data[:2] in (b"\xff\xfe", b"\xfe\xff"):
            return Stillness("it is in UTF-16")
        if is_hydrated(data):
            return Stillness("a framework takes the page over")
        if path in self._embedded:
            return Stillness("another page shows it in a frame")
        page = turbohtml.parse(html.code_points(data), source_locations=True, scripting=True)
        base = next((str(one.attrs["href"]) for one in page.find_all("base") if "href" in one.attrs), "")
        found: list[_Script] = []
        for element in page.iter_elements():
            tag = element.tag.lower()
            attributes = html.attributes(data, element)
            if "srcdoc" in attributes or self._is_frame_of_ours(tag, attributes, path, base):
                return Stillness("it shows another page in a frame")
            for name, value in attributes.items():
                if name.startswith("on") or _CODE_ADDRESS.match(value):
                    found.append(_look(value.encode()))
            if tag != "script":
                continue
            kind = attributes.get("type", "").strip().lower().partition(";")[0].strip()
            if kind not in html.SCRIPT_TYPES and kind != "module":
                if kind == "importmap":
                    return Stillness("an import map says where its modules are")
                continue
            address = next((attributes[name] for name in ("src", "href", "xlink:href") if name in attributes), None)
            if address is None:
                location = element.source_location
                if location is None or location.start_tag is None:
                    return Stillness("a script on it has no end")
                end = location.end_tag.start_offset if location.end_tag else len(data)
                code = data[location.start_tag.end_offset : end]
                found.append(_look(code, self._imports(code, path, base)))
                continue
            target = self._addresses.find(address, path, base).path
            if not target:
                return Stillness(f"{address[:80] or 'a script'} is a script from elsewhere")
            found += self._graph(target)
        return _stillness(found)

    def _is_frame_of_ours(self, tag: str, attributes: dict[str, str], path: str, base: str) -> bool:
        address = attributes.get(_FRAMES.get(tag, ""), "")
        return bool(address) and self._addresses.find(address, path, base).ours

    def _graph(self, path: str) -> Iterator[_Script]:
        """A script and all that it imports."""
        waiting, seen = [path], {path}
        while waiting:
            one = waiting.pop()
            if one not in self._known:
                code = self._read(one)
                self._known[one] = _look(code, self._imports(code, one, ""))
            script = self._known[one]
            yield script
            fresh = [name for name in script.imports or () if name not in seen]
            seen.update(fresh)
            waiting += fresh

    def _imports(self, code: bytes, path: str, base: str) -> tuple[str, ...] | None:
        found: list[str] = []
        if b"import" not in code and b"from" not in code:
            return ()
        if len(code) > javascript.MAX_SIZE:
            return None
        for url in javascript.read(code).urls:
            if url.role in ("import", "dynamic-import"):
                target = self._addresses.find(url.text, path, base).path if url.resolvable else ""
                if not target:
                    return None
                found.append(target)
        return tuple(found)


def _look(code: bytes, imports: tuple[str, ...] | None = ()) -> _Script:
    """What a script could do."""
    if code[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return _Script("UTF-16", None, imports)
    classes: set[str] = set()
    for call in _CLASS_CALL.finditer(code):
        classes.update(name.decode() for name in _CLASS.findall(call.group(1) or call.group(2)))
    rest = _ATTRIBUTE_CALL.sub(b" ", _CLASS_CALL.sub(b" ", code))
    plain = _PLAIN_LOOKUP.sub(lambda call: call.group() if _ASKS_FOR_IMAGES.search(call.group()) else b" ", rest)
    word = _WORDS.search(plain)
    any_class = _SETS_CLASSES.search(rest) is not None
    return _Script(
        word.group().decode("utf-8", "replace") if word else "", None if any_class else frozenset(classes), imports
    )


def _stillness(scripts: list[_Script]) -> Stillness:
    if not scripts:
        return Stillness("")
    classes: frozenset[str] | None = frozenset()
    for script in scripts:
        if script.word:
            return Stillness(f"a script on it says “{script.word}”, by which it could look at images or around them")
        if script.imports is None:
            return Stillness("a script on it imports what is not in the site")
        classes = None if classes is None or script.classes is None else classes | script.classes
    return Stillness("", Live(classes, attributes=True))
