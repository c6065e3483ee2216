"""Text made of another text: which of its bytes were taken over, and from where.

What splits a script copies parts of it, replaces names and adds code of its own. A source map of the script can be made
one of the new text as long as all that is remembered; nothing is guessed by likeness.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left, bisect_right
from typing import TYPE_CHECKING, NamedTuple, Self

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

# The origin of what was added. In a script of 2 GB it would be that of its last byte.
ADDED = -(1 << 31)


class Edit(NamedTuple):
    """Bytes of a text to be replaced."""

    start: int
    end: int
    text: bytes


class Derived(bytes):
    """The bytes of a text that is made of another, its source.

    It consists of pieces, each of which ends where the next begins. places: where they begin in this text. origins: the
    place in the source of a piece that was taken over as it was; `~place` for a piece that replaces what stood
    there; ADDED for one that replaces nothing. Whatever other operations than those of this module make of it has
    no origins: it is bytes.
    """

    places: array[int]
    origins: array[int]

    def __new__(cls, data: bytes | bytearray, places: array[int], origins: array[int]) -> Self:
        """places: sorted, beginning with 0 unless the text is empty."""
        text = super().__new__(cls, data)
        text.places = places
        text.origins = origins
        return text

    def __reduce__(self) -> tuple[type[Self], tuple[bytes, array[int], array[int]]]:
        return type(self), (bytes(self), self.places, self.origins)


def written(source: bytes, start: int, end: int, edits: Sequence[tuple[int, int, bytes]] = ()) -> Derived:
    """The text from start to end, with the edits that lie inside. edits: sorted, apart from each other.

    Of what is itself derived, and of a Derived that an edit inserts, the origins stay what they are; any other
    `source` is the source.
    """
    made = _Pieces(source)
    made.edit(start, end, edits)
    return made.text()


def joined(parts: Iterable[bytes]) -> Derived:
    """Texts of one source, one after the other. What is not Derived is added."""
    made = _Pieces(b"")
    for part in parts:
        made.add(part)
    return made.text()


class _Pieces:
    """A text in the making."""

    def __init__(self, base: bytes) -> None:
        self._base = base
        self._base_places, self._base_origins = array("i", [0]), array("i", [0])
        if isinstance(base, Derived):
            self._base_places, self._base_origins = base.places, base.origins
        self._at = 0  # the piece of the base that was looked at last
        self._text = bytearray()
        self._places = array("i")
        self._origins = array("i")

    def edit(self, start: int, end: int, edits: Sequence[tuple[int, int, bytes]]) -> None:
        """Take over a part of the base, with the edits that lie inside."""
        base, made, places, origins = self._base, self._text, self._places, self._origins
        at = start
        low = high = shift = 0
        add_place, add_origin = places.append, origins.append
        size = len(made)
        for index in range(bisect_left(edits, (start,)), len(edits)):
            first, last, text = edits[index]
            if last > end:
                break
            if low <= at < first < high and first < last and text and type(text) is bytes:
                # The next name in the same piece of the base, as nearly all are.
                add_place(size)
                add_origin(at + shift)
                made += base[at:first]
                size += first - at
                add_place(size)
                add_origin(~(first + shift))
                made += text
                size += len(text)
            else:
                self.take(at, first)
                self.replace(first, last, text)
                if first < len(base):
                    self._seek(first)
                    low, origin = self._base_places[self._at], self._base_origins[self._at]
                    high = self._base_places[self._at + 1] if self._at + 1 < len(self._base_places) else len(base)
                    if origin < 0:
                        high = low
                    shift = origin - low
                size = len(made)
            at = last
        self.take(at, end)

    def take(self, start: int, end: int) -> None:
        """Take over a part of the base."""
        if start >= end:
            return
        shift = len(self._text) - start
        self._text += self._base[start:end]
        self._seek(start)
        piece = self._at
        places, origins = self._base_places, self._base_origins
        while start < end:
            origin = origins[piece]
            self._places.append(start + shift)
            self._origins.append(origin + start - places[piece] if origin >= 0 else origin)
            piece += 1
            start = places[piece] if piece < len(places) else end

    def replace(self, start: int, end: int, text: bytes) -> None:
        """Put a text in place of another, or between two."""
        if isinstance(text, Derived) or start == end or not text:
            self.add(text)
            return
        self._seek(start)
        origin = self._base_origins[self._at]
        if origin >= 0:
            origin = ~(origin + start - self._base_places[self._at])
        self._append(text, origin)

    def add(self, text: bytes) -> None:
        """Add a text of its own, or one that is derived already."""
        if not text:
            return
        if isinstance(text, Derived):
            size = len(self._text)
            self._places.extend(array("i", map(size.__add__, text.places)) if size else text.places)
            self._origins.extend(text.origins)
            self._text += text
        else:
            self._append(text, ADDED)

    def text(self) -> Derived:
        return Derived(self._text, self._places, self._origins)

    def _append(self, text: bytes, origin: int) -> None:
        self._places.append(len(self._text))
        self._origins.append(origin)
        self._text += text

    def _seek(self, place: int) -> None:
        """Find the piece of the base at a place: mostly the one that was found last, or the next."""
        places, at = self._base_places, self._at
        if places[at] > place or (at + 1 < len(places) and places[at + 1] <= place):
            at = bisect_right(places, place) - 1
        self._at = at
