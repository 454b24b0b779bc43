"""The pydantic base of every `probe:` and `action:` mapping in YAML, and their field types.

A Spec says what a user may write; it validates and never acts. Texts of errors here are read by
people below a file:line, so each names the value and the cure.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from importlib.util import find_spec
from types import MappingProxyType
from typing import Annotated, Any, ClassVar

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    PlainSerializer,
    WithJsonSchema,
    model_validator,
)

from monitord.model.ranges import Range, parse_range
from monitord.secrets import SecretRef

_DURATION = re.compile(r"(\d+(?:\.\d+)?)(ms|s|m|h|d|w)")
_SECONDS = {"ms": 0.001, "s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800}
_SIZE = re.compile(r"(\d+(?:\.\d+)?)\s*([kKMGT]?)(i?)B?")
_POWERS = {"": 0, "k": 1, "K": 1, "M": 2, "G": 3, "T": 4}


@dataclass(frozen=True, slots=True)
class Library:
    """A library that one kind alone needs: the `module` to import, and our `extra` that brings it.

    What needs it imports it at its first use, never when it is itself imported.
    """

    module: str
    extra: str

    def missing(self) -> str:
        """Give the sentence that names the cure, or nothing when the library is there."""
        if find_spec(self.module.partition(".")[0]) is not None:
            return ""
        return f"needs {self.module}, which is not installed: pip install 'monitord[{self.extra}]'"


class Spec(BaseModel):
    """A mapping that a user writes: unknown keys are errors, values never change after loading.

    `example` is YAML for the kind's page, as it stands under a check; `library` is what the kind
    cannot do without; `rhythm` is how its checks are done (`every`, `retry_every`, `attempts`,
    `timeout`) where neither user nor shipped definition says.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, arbitrary_types_allowed=True)
    example: ClassVar[str] = ""
    library: ClassVar[Library | None] = None
    rhythm: ClassVar[Mapping[str, str | int]] = MappingProxyType({})

    @model_validator(mode="before")
    @classmethod
    def _has_its_library(cls, given: Any) -> Any:
        if cls.library is not None and (lack := cls.library.missing()):
            raise ValueError(lack)
        return given


def parse_duration(value: object) -> timedelta:
    """Read `30s`, `5m`, `1h30m`, `500ms`, `2d`, `1w`.

    Raises:
        ValueError: not a duration; the message says how to write one.
    """
    if isinstance(value, timedelta):
        return value
    text = str(value)
    parts = _DURATION.findall(text)
    if not parts or "".join(number + unit for number, unit in parts) != text:
        hint = f"write {text}s" if text.isdigit() else "write 30s, 5m or 1h"
        raise ValueError(f"{value!r} is not a duration ({hint})")
    try:
        return timedelta(seconds=sum(float(number) * _SECONDS[unit] for number, unit in parts))
    except OverflowError:
        raise ValueError(f"{value!r} is longer than any calendar (write 30s, 5m or 1h)") from None


def format_duration(value: timedelta) -> str:
    """Give the shortest text that `parse_duration` reads back: 90 s is `1m30s`."""
    rest = round(value.total_seconds() * 1000)
    if rest == 0:
        return "0s"
    parts: list[str] = []
    for unit, size in (("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1000), ("ms", 1)):
        count, rest = divmod(rest, size)
        if count:
            parts.append(f"{count}{unit}")
    return "".join(parts)


def parse_size(value: object) -> int:
    """Read `512`, `64k`, `10M`, `2GiB` as bytes (powers of 1024).

    Raises:
        ValueError: not a size.
    """
    match = _SIZE.fullmatch(str(value).strip())
    if match is None:
        raise ValueError(f"{value!r} is not a size (write 512, 64k, 10M or 2G)")
    try:
        return int(float(match[1]) * 1024 ** _POWERS[match[2]])
    except OverflowError:
        raise ValueError(f"{value!r} is larger than any disk (write 10M or 2G)") from None


def _range(value: object) -> Range:
    return value if isinstance(value, Range) else parse_range(str(value))


def _secret(value: object) -> object:
    if isinstance(value, SecretRef | str):
        return value
    raise ValueError(f"{value!r} is not a text (quote it, or write !secret env:NAME)")


Duration = Annotated[
    timedelta,
    BeforeValidator(parse_duration),
    PlainSerializer(format_duration, return_type=str),
    WithJsonSchema({"type": "string", "pattern": r"^(\d+(\.\d+)?(ms|s|m|h|d|w))+$"}),
]
Size = Annotated[
    int,
    BeforeValidator(parse_size),
    WithJsonSchema({"type": ["string", "integer"], "examples": ["10M"]}),
]
Threshold = Annotated[
    Range,
    BeforeValidator(_range),
    PlainSerializer(lambda value: value.text, return_type=str),
    WithJsonSchema({"type": ["string", "number"], "examples": ["90%", "10:", "@5:10"]}),
]
"""A Nagios range as text or number. What it is compared with (percent, seconds) the field says."""

SecretText = Annotated[
    Any,
    BeforeValidator(_secret),
    PlainSerializer(str, return_type=str),
    WithJsonSchema({"type": "string"}),
]
"""A text, or a `SecretRef` from `!secret scheme:name`; its user resolves it when it is used."""
