"""What YAML becomes: plain dicts, lists and scalars that remember where each entry stands.

A `Map` is a dict and a `Seq` a list, so pydantic and everybody else may use them as such; the
positions lie beside the data in a packed array and are looked at only when somebody asks. Nothing
here reads files or judges content.
"""

from array import array
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, TypeAlias

from monitord.errors import Problem
from monitord.model.text import one_line
from monitord.secrets import SecretRef

Marks: TypeAlias = "array[int]"
_KEY_MARKS = 4  # key line, key column, value line, value column
_ITEM_MARKS = 2  # line, column


@dataclass(frozen=True, slots=True, order=True)
class Place:
    """Where something stands; line and column count from 1."""

    file: str
    line: int = 1
    column: int = 1

    def __str__(self) -> str:
        """Give `file:line`, the form that people read."""
        return f"{self.file}:{self.line}"


_LONGEST = 600


def problem_at(place: Place, text: str) -> Problem:
    """Give a mistake as one bounded line: a file may hold anything, a terminal must not get it."""
    return Problem(place.file, place.line, place.column, one_line(text, _LONGEST))


class Map(dict[str, Any]):
    """A YAML mapping. Keys are texts as written; `marks` holds four numbers an entry, in order."""

    __slots__ = ("file", "marks")

    def __init__(self, file: str = "", marks: "Marks | None" = None) -> None:
        super().__init__()
        self.file = file
        self.marks = array("I") if marks is None else marks

    def key_place(self, key: str) -> Place:
        """Give where `key` itself stands."""
        at = list(self).index(key) * _KEY_MARKS
        return Place(self.file, self.marks[at], self.marks[at + 1])

    def entries(self) -> Iterator[tuple[str, Any, Place]]:
        """Give each key, its value, and where the key stands, in one pass."""
        marks, at = self.marks, 0
        for key, value in self.items():
            yield key, value, Place(self.file, marks[at], marks[at + 1])
            at += _KEY_MARKS

    def value_place(self, key: str) -> Place:
        """Give where the value of `key` begins."""
        at = list(self).index(key) * _KEY_MARKS + 2
        return Place(self.file, self.marks[at], self.marks[at + 1])


class Seq(list[Any]):
    """A YAML sequence; `marks` holds two numbers an item, in order."""

    __slots__ = ("file", "marks")

    def __init__(self, file: str = "", marks: "Marks | None" = None) -> None:
        super().__init__()
        self.file = file
        self.marks = array("I") if marks is None else marks

    def value_place(self, index: int) -> Place:
        """Give where the item begins."""
        at = index * _ITEM_MARKS
        return Place(self.file, self.marks[at], self.marks[at + 1])


def plain(value: Any) -> Any:
    """Give a copy in bare dicts and lists; scalars and secret references stay."""
    kind = value.__class__
    if kind is Map or kind is dict:
        return {key: plain(item) for key, item in value.items()}
    if kind is Seq or kind is list:
        return [plain(item) for item in value]
    return value


def pack(value: Any) -> Any:
    """Give JSON data from which `unpack` makes the same tree again (without file names)."""
    kind = value.__class__
    if kind is Map:
        return [1, list(value), [pack(item) for item in value.values()], value.marks.tolist()]
    if kind is Seq:
        return [2, [pack(item) for item in value], value.marks.tolist()]
    if kind is SecretRef:
        return [3, value.scheme, value.name]
    return value


def unpack(data: Any, file: str) -> Any:
    """Make a tree from what `pack` gave."""
    if data.__class__ is not list:
        return data
    if data[0] == 1:
        tree = Map(file, array("I", data[3]))
        tree.update(zip(data[1], [unpack(item, file) for item in data[2]], strict=True))
        return tree
    if data[0] == 2:  # noqa: PLR2004 - the tags are local to these two functions
        items = Seq(file, array("I", data[2]))
        items.extend([unpack(item, file) for item in data[1]])
        return items
    return SecretRef(data[1], data[2])
