"""Strings of scripts that name an image which the script does nothing with but show it.

Bundlers give an imported image a constant, `const a="/assets/a-Bx3f_9-a.png"`, and components say `jsx("img",{src:a})`.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from v1z3r_build.bundlers.webpack import syntax
from v1z3r_build.formats.engines.script_syntax import located
from v1z3r_build.formats.javascript import (
    SHOWING,
    element_of,
    enclosing_string,
    is_at_hand,
    is_behind_nothing,
    is_module_url,
    joined,
    literal,
    made_of,
    member_of,
    parts_of,
    spelled,
)
from v1z3r_build.formats.scope_analysis import analyse_module, analyse_script
from v1z3r_build.formats.scopes import Access, Kind, Refused
from v1z3r_build.site.span import Url, dotted

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from tree_sitter import Node, Tree

    from v1z3r_build.formats.scopes import Binding, Scopes
    from v1z3r_build.site.span import Mention, Reading

_IMAGE = re.compile(rb"\.(?:png|jpe?g|gif|apng|webp|avif|svg)\Z", re.I)
_SEVERAL = re.compile(r"[\s,]")  # in what may be the images of a `srcset`
# What stands before and behind an address in a `srcset` if it is no part of another: a comma within is one of its
# characters (HTML Standard, "Parsing a srcset attribute").
_BEFORE, _BEHIND = re.compile(r"(?:\A|\s|\s[\d.]+[wx],)\Z"), re.compile(r"\Z|,?\s")
_LARGEST = 4_000_000  # bytes of a script that is looked into: about a second for each million


def with_shown(reading: Reading, source: bytes, components: Collection[tuple[str, str]]) -> Reading:
    """The reading of a script, where strings that it only shows as images are references and mentions of such.

    components: the modules, and what they export, that show what they get as `src` (`next_image.exports`). A script
    that cannot be analysed shows none for sure.
    """
    mentions = [one for one in reading.mentions if _names_image(source, one)]
    if not mentions or len(source) > _LARGEST:
        return reading
    found = [*_shown(source, {one.start for one in mentions}, components)]
    if not found:
        return reading
    shown = {url.start: dotted(source, url) for url, _ in found}
    urls = shown | {
        url.start: url._replace(role="module-image") if url.role == "module-url" and url.start in shown else url
        for url in reading.urls
    }
    spans = [(url.start, url.end) for url in shown.values()]
    return reading._replace(
        urls=tuple(urls[start] for start in sorted(urls)),
        mentions=tuple(
            one._replace(element="img", member="src")
            if any(low <= one.start and one.end <= high for low, high in spans)
            else one
            for one in reading.mentions
        ),
        reach=(*reading.reach, *((url.start, url.end) for url, at_hand in found if at_hand)),
    )


def _names_image(source: bytes, mention: Mention) -> bool:
    """Whether a mention is all of an image's name, in a string that no element is known to show yet."""
    named = source[mention.start : mention.end] + mention.after
    return mention.stand in ("string", "table") and not mention.element and _IMAGE.search(named) is not None


def _shown(
    source: bytes, places: Collection[int], components: Collection[tuple[str, str]]
) -> Iterator[tuple[Url, bool]]:
    """Of the strings in which these offsets lie, those that are only shown, and whether by an element at hand."""
    tree = located(source)
    strings: dict[int, Url] = {}
    values: dict[int, Node] = {}
    for place in places:
        string = _string(tree.root_node, place)
        value = _whole(string) if string is not None else None
        found = spelled(value) if value is not None else None
        if string is None or value is None or found is None or found[0] != string or _SEVERAL.search(found[1]):
            continue
        low, high = string.start_byte + 1, string.end_byte - 1
        strings[low] = Url(low, high, found[1], "element")
        values[low] = _address(value)
    if not any(_name(value) or _attribute(value) for value in values.values()):
        return
    script = _analysed(source, tree)
    if script is not None:
        shows = _Shows(script, tree.root_node, components)
        for low, value in values.items():
            attributes = shows.attributes(value)
            if attributes is not None:
                yield strings[low], any(map(is_at_hand, attributes))


def _string(root: Node, place: int) -> Node | None:
    node = root.descendant_for_byte_range(place, place + 1)
    return enclosing_string(node) if node is not None else None


def _whole(value: Node) -> Node:
    """The string that a part belongs to: `"".concat(a, " 1x, ").concat(b, " 2x")`."""
    while (call := _joining(value)) is not None:
        value = call
    return value


def _joining(part: Node) -> Node | None:
    """The call of `concat` that a part of a string is the object or an argument of."""
    call = part.parent.parent if part.parent is not None else None
    return call if call is not None and part in joined(call) else None


def _is_candidate(value: Node, whole: Node) -> bool:
    """Whether a value is all of an address in a `srcset`: in `${a} 1x`, and not in `${base}${a} 1x`."""
    parts = parts_of(whole)
    if whole.type == "template_string":
        parts = [one.named_children[0] if one.type == "template_substitution" else one for one in whole.named_children]
    if value not in parts:
        return whole == value
    at = parts.index(value)
    before, behind = (
        "".join("\0" if (text := literal(part)) is None else text for part in side)
        for side in (parts[:at], parts[at + 1 :])
    )
    return _BEFORE.search(before) is not None and _BEHIND.match(behind) is not None


def _address(value: Node) -> Node:
    """The address that a string becomes in `new URL("a.png", import.meta.url).href`, or the string itself."""
    arguments = value.parent
    url = arguments.parent if arguments is not None and arguments.type == "arguments" else None
    member = url.parent if url is not None and url.type == "new_expression" else None
    if arguments is None or url is None or member is None or member.type != "member_expression":
        return value
    given = syntax.named(arguments)
    if (
        syntax.text(url.child_by_field_name("constructor")) != b"URL"
        or syntax.text(member.child_by_field_name("property")) != b"href"
        or len(given) != 2
        or given[0] != value
        or not is_module_url(given[1])
    ):
        return value
    above = member.parent
    return above if above is not None and is_behind_nothing(above) else member  # Vite 4 to 7: `"" + new URL(…).href`


def _name(value: Node) -> Node | None:
    """The name that a declaration gives to a value."""
    declarator = value.parent
    if declarator is None or declarator.type != "variable_declarator":
        return None
    name = declarator.child_by_field_name("name")
    return name if name is not None and name.type == "identifier" else None


def _attribute(value: Node) -> Node | None:
    """The member of an object literal whose value it is."""
    pair = value.parent
    return pair if pair is not None and pair.type == "pair" and pair.child_by_field_name("value") == value else None


def _analysed(source: bytes, tree: Tree) -> Scopes | None:
    for analyse in (analyse_module, analyse_script):
        try:
            scopes = analyse(source, tree)
            scopes.whole()
        except Refused:
            continue
        return scopes
    return None


class _Shows:
    """What a script only shows."""

    def __init__(self, scopes: Scopes, root: Node, components: Collection[tuple[str, str]]) -> None:
        self._scopes = scopes
        self._components = components
        self._root = root
        self._is_module = any(one.type in ("import_statement", "export_statement") for one in self._root.children)
        self._declared = {
            binding.declarations[0].start: binding
            for scope in scopes.scopes
            for binding in scope.bindings.values()
            if len(binding.declarations) == 1
        }
        self._referred = {one.start: one.binding for one in scopes.references}

    def attributes(self, value: Node) -> list[Node] | None:
        """The attributes by which a value is shown, where it stands or wherever the constant is read that it is.

        None if the script may do something else with it.
        """
        shown = self._shown_by(value)
        if shown is not None:
            return [shown]
        name = _name(value)
        binding = self._declared.get(name.start_byte) if name is not None else None
        if name is None or binding is None or binding.exported:
            return None
        if name.start_byte in self._referred:
            return None  # `catch(a){var a="/a.png"}`: what is caught is written to (ECMA-262, Annex B.3.4)
        if binding.scope is self._scopes.root and not self._is_module:
            return None  # it may be a global variable, which other scripts see
        found: list[Node] = []
        for one in binding.references:
            shown = self._shown_by(self._at(one.start))
            if one.access is not Access.READ or shown is None:
                return None
            found.append(shown)
        return found

    def _at(self, start: int) -> Node | None:
        return self._root.descendant_for_byte_range(start, start + 1)

    def _shown_by(self, value: Node | None) -> Node | None:
        """The attributes of an element that shows a value, where it stands."""
        if value is None:
            return None
        template = value.parent.parent if value.parent and value.parent.type == "template_substitution" else None
        whole = template or _whole(value)
        pair = _attribute(whole)
        if pair is None:
            return None
        tag, member = element_of(pair), member_of(pair)
        if member.lower() == "srcset":
            shown = tag in ("img", "source") and _is_candidate(value, whole)
        else:
            shown = member in SHOWING.get(tag, ()) or (member == "src" and self._component(pair) in self._components)
            shown = shown and whole == value
        return pair.parent if shown else None

    def _component(self, pair: Node) -> tuple[str, str] | None:
        """Of a component that gets a member of an object: the module that it comes from, and what it is exported as.

        webpack's default of a module, `r()` for `var r=n.n(s)`, or a member of one, `s.default`, where `s=n(5675)`;
        Turbopack's is `s=e.i(5500)`.
        """
        node = made_of(pair)
        if node is None:
            return None
        if node.type == "call_expression" and not syntax.named(node.child_by_field_name("arguments") or node):
            getter = self._value(node.child_by_field_name("function"))
            called = getter.child_by_field_name("function") if getter is not None else None
            given = syntax.named(getter.child_by_field_name("arguments") or getter) if getter is not None else []
            if called is None or syntax.text(called.child_by_field_name("property")) != b"n" or len(given) != 1:
                return None
            return self._exported(given[0], "default") if self._is_given(called.child_by_field_name("object")) else None
        if node.type == "member_expression":
            name = syntax.text(node.child_by_field_name("property")).decode("utf-8", "replace")
            return self._exported(node.child_by_field_name("object"), name)
        return None

    def _exported(self, namespace: Node | None, name: str) -> tuple[str, str] | None:
        required = self._value(namespace)
        if required is None or required.type != "call_expression":
            return None
        called, given = required.child_by_field_name("function"), required.child_by_field_name("arguments")
        if called is not None and called.type == "member_expression":
            if syntax.text(called.child_by_field_name("property")) not in (b"i", b"r"):
                return None
            called = called.child_by_field_name("object")
        arguments = syntax.named(given) if given is not None else []
        if not self._is_given(called) or len(arguments) != 1:
            return None
        try:
            return syntax.property_name(arguments[0]), name
        except syntax.UnreadableError:
            return None

    def _is_given(self, require: Node | None) -> bool:
        """Whether it is a parameter, such as the function by which a module gets others."""
        binding = self._referred.get(require.start_byte) if require is not None else None
        return binding is not None and binding.kind is Kind.PARAMETER and self._is_constant(binding)

    def _value(self, name: Node | None) -> Node | None:
        """What a variable is given where it is declared, if nothing else is ever written to it."""
        binding = self._referred.get(name.start_byte) if name is not None and name.type == "identifier" else None
        if binding is None or not self._is_constant(binding):
            return None
        declared = self._at(binding.declarations[0].start)
        declarator = declared.parent if declared is not None else None
        value = declarator.child_by_field_name("value") if declarator is not None else None
        return value if value is not None and _name(value) == declared else None

    @staticmethod
    def _is_constant(binding: Binding) -> bool:
        return len(binding.declarations) == 1 and all(one.access is Access.READ for one in binding.references)
