"""Mappings whose keys are noted as they come, and sorted once somebody asks for one."""

from __future__ import annotations

from abc import abstractmethod
from array import array
from bisect import bisect_left
from collections.abc import ItemsView, Mapping, ValuesView
from typing import TYPE_CHECKING, Any, Generic, TypeVar, overload

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_Value = TypeVar("_Value")
_Default = TypeVar("_Default")


class Ordered(Mapping[str, _Value], Generic[_Value]):
    """Keys in sorted order; what belongs to them stands beside, by their numbers. Of equal ones the last counts."""

    def __init__(self) -> None:
        self._keys: list[str] = []
        self._is_sorted = True

    @abstractmethod
    def _follow(self, order: array[int]) -> None:
        """Bring what stands beside the keys into this order, given by their present numbers."""

    @abstractmethod
    def _at(self, number: int) -> _Value:
        """The value of a key, given by its number."""

    def __getitem__(self, key: str) -> _Value:
        return self._at(self._number(key))

    @overload
    def get(self, key: str, /) -> _Value | None: ...

    @overload
    def get(self, key: str, default: _Value | _Default, /) -> _Value | _Default: ...

    def get(self, key: str, default: Any = None, /) -> Any:
        """The value of a key, the default if it is not there."""
        number = self._find(key)
        return default if number < 0 else self._at(number)

    def items(self) -> ItemsView[str, _Value]:
        """Keys and values."""
        return _Items(self)

    def values(self) -> ValuesView[_Value]:
        """The values."""
        return _Values(self)

    def _each(self) -> Iterator[_Value]:
        """The values, none of which is looked up."""
        self._sort()
        return map(self._at, range(len(self._keys)))

    def _note(self, key: str) -> None:
        self._is_sorted = self._is_sorted and (not self._keys or key > self._keys[-1])
        self._keys.append(key)

    def __contains__(self, key: object) -> bool:
        return isinstance(key, str) and self._find(key) >= 0

    def __iter__(self) -> Iterator[str]:
        self._sort()
        return iter(self._keys)

    def __len__(self) -> int:
        self._sort()
        return len(self._keys)

    def _find(self, key: str) -> int:
        """Where a key stands in the sorted order, -1 if it is not there."""
        if not self._is_sorted:
            self._sort()
        keys = self._keys
        number = bisect_left(keys, key)
        return number if number < len(keys) and keys[number] == key else -1

    def _number(self, key: str) -> int:
        """The same of a key that must be there. Raises KeyError."""
        number = self._find(key)
        if number < 0:
            raise KeyError(key)
        return number

    def _sort(self) -> None:
        if self._is_sorted:
            return
        order = _in_order(self._keys)
        self._keys = [self._keys[number] for number in order]
        self._follow(order)
        self._is_sorted = True


class _Items(ItemsView[str, _Value]):
    _mapping: Ordered[_Value]

    def __iter__(self) -> Iterator[tuple[str, _Value]]:
        return zip(self._mapping, self._mapping._each(), strict=True)


class _Values(ValuesView[_Value]):
    _mapping: Ordered[_Value]

    def __iter__(self) -> Iterator[_Value]:
        return self._mapping._each()


def _in_order(keys: Sequence[str]) -> array[int]:
    """The numbers of the keys, in the keys' order; of equal ones the last alone, which counts."""
    order = array("L", sorted(range(len(keys)), key=keys.__getitem__))  # equal ones stay as they came
    lasts = (at for at in range(len(order)) if at + 1 == len(order) or keys[order[at]] != keys[order[at + 1]])
    return array("L", map(order.__getitem__, lasts))
