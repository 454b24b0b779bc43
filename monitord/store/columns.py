"""Between a dataclass and a row: column names are field names, column types follow field types.

Tuples and mappings are JSON text, enums are stored by value, instants are integers. Text is made
storable here (NUL and lone surrogates are hostile data that one engine or the other refuses). No
table is named here, and nothing is read or written.
"""

import dataclasses
import json
import types
import typing
from collections.abc import Callable, Iterable, Mapping
from enum import Enum, IntEnum
from operator import attrgetter
from typing import Any, Generic, TypeVar

from sqlalchemy import BigInteger, Boolean, Column, Integer, Text
from sqlalchemy.types import TypeEngine

Row = TypeVar("Row")
Convert = Callable[[Any], Any]

# PostgreSQL sorts text by its locale unless told otherwise; "C" sorts as SQLite does, by code
# point, so that a range of keys is the same range on both engines.
TEXT = Text().with_variant(Text(collation="C"), "postgresql")
# SQLite numbers rows only for a column whose type is exactly INTEGER.
NUMBER = BigInteger().with_variant(Integer(), "sqlite")
_NOTHING: Mapping[str, Any] = types.MappingProxyType({})


@dataclasses.dataclass(frozen=True, slots=True)
class _Field:
    """How one field is stored: its column type, and the conversion each way (None: as it is)."""

    kind: TypeEngine[Any]
    store: Convert | None
    load: Convert | None


def storable(text: str) -> str:
    """Give `text` without what PostgreSQL (NUL) or UTF-8 (lone surrogates) cannot hold."""
    if "\0" in text:
        text = text.replace("\0", "\u2400")
    return text if text.isascii() else text.encode("utf-8", "replace").decode()


def _to_json(value: Any) -> str:
    return json.dumps(value, default=dict, separators=(",", ":"))


def _mapping_to_json(value: Mapping[str, Any]) -> str:
    return _to_json(dict(value)) if value else "{}"


def _mapping_from_json(text: str) -> Mapping[str, Any]:
    return _NOTHING if text == "{}" else types.MappingProxyType(json.loads(text))


def _tuple_from_json(text: str) -> tuple[Any, ...]:
    return tuple(json.loads(text))


def _plain(hint: Any) -> Any:
    """Give what a NewType stands on."""
    while isinstance(hint, typing.NewType):
        hint = hint.__supertype__
    return hint


def _enum(kind: type[Enum]) -> _Field:
    by_value = {member.value: member for member in kind}
    if issubclass(kind, IntEnum):
        return _Field(Integer(), int, by_value.__getitem__)
    return _Field(TEXT, str, by_value.__getitem__)


_PLAIN: Mapping[Any, _Field] = {
    bool: _Field(Boolean(), None, None),
    int: _Field(NUMBER, None, None),
    str: _Field(TEXT, storable, None),
    tuple: _Field(TEXT, _to_json, _tuple_from_json),
    Mapping: _Field(TEXT, _mapping_to_json, _mapping_from_json),
}


def _field(hint: Any) -> _Field:
    kind = _plain(hint)
    if isinstance(kind, type) and issubclass(kind, Enum):
        return _enum(kind)
    return _PLAIN[typing.get_origin(kind) or kind]


def _optional(convert: Convert | None) -> Convert | None:
    if convert is None:
        return None
    return lambda value: None if value is None else convert(value)


def _split_optional(hint: Any) -> tuple[Any, bool]:
    kinds = typing.get_args(hint)
    if types.NoneType in kinds:
        return next(kind for kind in kinds if kind is not types.NoneType), True
    return hint, False


class Codec(Generic[Row]):
    """The columns of one dataclass, and its rows in both directions.

    A field type that is none of text, bool, int, enum, tuple, mapping (each perhaps `| None`) is a
    KeyError at import.
    """

    def __init__(self, kind: type[Row]) -> None:
        self.kind = kind
        hints = typing.get_type_hints(kind)
        self.names = tuple(field.name for field in dataclasses.fields(kind))  # type: ignore[arg-type] # Row is a dataclass by contract; TypeVar cannot say so
        self._fields: dict[str, tuple[_Field, bool]] = {}
        for name in self.names:
            hint, optional = _split_optional(hints[name])
            self._fields[name] = (_field(hint), optional)
        self._stores = tuple(self._converter(name, "store") for name in self.names)
        self._loads = tuple(self._converter(name, "load") for name in self.names)
        self._values = attrgetter(*self.names)

    def _converter(self, name: str, way: str) -> Convert | None:
        field, optional = self._fields[name]
        convert: Convert | None = getattr(field, way)
        return _optional(convert) if optional else convert

    def columns(self, *, key: Iterable[str]) -> list[Column[Any]]:
        """Give new columns; those named in `key` are the primary key (an `id` numbers itself)."""
        key = frozenset(key)
        return [
            Column(
                name,
                field.kind,
                primary_key=name in key,
                autoincrement=name == "id" and name in key,
                nullable=optional,
            )
            for name, (field, optional) in self._fields.items()
        ]

    def store(self, row: Row) -> dict[str, Any]:
        """Give the column values of a row."""
        return {
            name: value if convert is None else convert(value)
            for name, convert, value in zip(
                self.names, self._stores, self._values(row), strict=True
            )
        }

    def store_new(self, row: Row) -> dict[str, Any]:
        """Give the column values of a row that the database is to number."""
        values = self.store(row)
        del values["id"]
        return values

    def store_some(self, changes: Mapping[str, Any]) -> dict[str, Any]:
        """Give column values for some fields by name; an unknown name is a TypeError."""
        known = dict(zip(self.names, self._stores, strict=True))
        unknown = changes.keys() - known.keys()
        if unknown:
            raise TypeError(f"{self.kind.__name__} has no {', '.join(sorted(unknown))}")
        return {
            name: value if (convert := known[name]) is None else convert(value)
            for name, value in changes.items()
        }

    def load(self, record: Iterable[Any]) -> Row:
        """Make the dataclass from column values in the order of `names`."""
        return self.kind(
            *[
                value if convert is None else convert(value)
                for convert, value in zip(self._loads, record, strict=True)
            ]
        )
