"""The field types that configuration models share: parents, name lists, gaps, zones, dates.

Each parser reads one text or small structure and raises ValueError with the value and the cure.
Pure.
"""

import difflib
import re
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import lru_cache
from typing import Annotated, Any
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, available_timezones

from pydantic import AfterValidator, BeforeValidator, Field, WithJsonSchema

from monitord.config.names import nearest
from monitord.model.spec import Duration

_LISTEN = re.compile(r"(\[[0-9a-fA-F:.]+\]|[A-Za-z0-9.-]+):([0-9]{1,5})")
_PERCENT = re.compile(r"([0-9]{1,3})%")
_NO_BLANK = re.compile(r"([a-z_]+):[^:/\s]\S*")
_HIGHEST_PORT = 65535
_TEXT_OR_LIST = {"anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}}]}


@dataclass(frozen=True, slots=True)
class Parents:
    """What `behind` or `needs` says: any or all of these names or patterns, as written."""

    mode: str = "all"
    names: tuple[str, ...] = ()
    explicit: bool = False  # any: or all: was written, so several are welcome


def parse_parents(value: object) -> Parents:
    """Read `sw1`, `{any: [sw1, sw2]}` or `{all: "sw*"}`.

    Raises:
        ValueError: several parents without any: or all:, or another shape.
    """
    if isinstance(value, Parents):
        return value
    if isinstance(value, dict):
        if set(value) not in ({"any"}, {"all"}):
            keys = ", ".join(map(str, value)) or "nothing"
            raise ValueError(f"{keys}: is not what it can say (write any: or all:, one of them)")
        ((mode, names),) = value.items()
        return Parents(mode, parse_names(names), explicit=True)
    names = parse_names(value)
    if len(names) > 1:
        raise ValueError(
            f"two or more parents need any: or all: (write {{any: [{', '.join(names)}]}})"
        )
    return Parents("all", names)


def parse_names(value: object) -> tuple[str, ...]:
    """Read one name or a list of names.

    Raises:
        ValueError: neither a text nor a list of texts.
    """
    if isinstance(value, str):
        return (value,)
    if isinstance(value, list | tuple):
        for item in value:
            if not isinstance(item, str):
                raise ValueError(f"{not_a(item, 'a name')} (quote it if it is one)")  # noqa: TRY004 - pydantic tells ValueErrors only
        return tuple(value)
    raise ValueError(not_a(value, "a name or a list of names"))


def shown(value: object) -> str:
    """Give a value as a user wrote it: short, in YAML's words."""
    if value is None:
        return "nothing"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, dict):
        return "a map"
    if isinstance(value, list | tuple):
        return "a list"
    text = repr(value) if isinstance(value, str) else str(value)
    return text if len(text) <= 80 else f"{text[:60]}… ({len(text)} characters)"  # noqa: PLR2004 - one line of a terminal


def blank_missing(value: object) -> str:
    """Say that `address:10.0.0.1` lacks a blank; an empty text where that is not the mistake."""
    match = _NO_BLANK.fullmatch(value) if isinstance(value, str) else None
    if match is None:
        return ""
    return f"a space is missing after the colon in {shown(value)} (write {match[1]}: …)"


def not_a(value: object, what: str) -> str:
    """Say that a value is not what belongs here."""
    if isinstance(value, dict | list | tuple):
        return f"is {shown(value)}, not {what}"
    return f"{shown(value)} is not {what}"


def _positive(value: timedelta) -> timedelta:
    if value <= timedelta(0):
        raise ValueError("must be longer than 0s")
    return value


def _listen(value: object) -> str:
    match = _LISTEN.fullmatch(str(value))
    if match is None or int(match[2]) > _HIGHEST_PORT:
        raise ValueError(f"{shown(value)} is not host:port (write 127.0.0.1:9750)")
    return str(value)


def _user(value: str) -> str:
    if value.startswith("-"):
        raise ValueError(f"{value!r} begins with - (no login does; ssh reads it as an option)")
    if any(sign.isspace() or not sign.isprintable() for sign in value):
        raise ValueError(f"{value!r} holds a blank or control character (remove it)")
    return value


@lru_cache(maxsize=1024)
def _zone(value: str) -> str:
    try:
        ZoneInfo(value)
    except (KeyError, ValueError, OSError):
        # By the city: half of a zone's name is its continent, and all its cities would be near.
        cities = {zone.rpartition("/")[2]: zone for zone in sorted(available_timezones())}
        near = difflib.get_close_matches(value.rpartition("/")[2], cities, n=1, cutoff=0.7)
        cure = f"did you mean {cities[near[0]]}?" if near else "write Europe/Berlin or UTC"
        raise ValueError(f"{value!r} is not a time zone ({cure})") from None
    return value


def _percent(value: object) -> int | str:
    if isinstance(value, int) and not isinstance(value, bool) and value >= 0:
        return value
    match = _PERCENT.fullmatch(str(value))
    if match is None or int(match[1]) > 100:  # noqa: PLR2004 - percent
        raise ValueError(f"{shown(value)} is not a number of hosts or a share (write 6 or 80%)")
    return str(value)


def parse_until(value: object) -> date:
    """Read `2027-01-31` (to the end of that day) or `2027-01-31T18:00`.

    Raises:
        ValueError: not a date.
    """
    if isinstance(value, date):
        return value
    text = str(value)
    try:
        return datetime.fromisoformat(text) if "T" in text else date.fromisoformat(text)
    except ValueError:
        raise ValueError(f"{shown(value)} is not a date (write 2027-01-31)") from None


Gap = Annotated[Duration, AfterValidator(_positive)]
Names = Annotated[tuple[str, ...], BeforeValidator(parse_names), WithJsonSchema(_TEXT_OR_LIST)]


def parse_checks(value: object) -> tuple[str, ...]:
    """Read the selectors of a service's checks; a map has those that it has itself.

    Raises:
        ValueError: neither a map, nor a text or list of texts.
    """
    return () if isinstance(value, dict) else parse_names(value)


ParentsField = Annotated[
    Any,
    BeforeValidator(parse_parents),
    WithJsonSchema(
        {
            "anyOf": [
                {"type": "string"},
                {"type": "array", "items": {"type": "string"}, "maxItems": 1},
                *(
                    {
                        "type": "object",
                        "properties": {mode: _TEXT_OR_LIST},
                        "required": [mode],
                        "additionalProperties": False,
                    }
                    for mode in ("any", "all")
                ),
            ]
        }
    ),
]


def _share(value: object) -> float:
    match = _PERCENT.fullmatch(str(value))
    if isinstance(value, float) and 0 < value <= 1:
        return value
    if match is None or not 0 < int(match[1]) <= 100:  # noqa: PLR2004 - percent
        raise ValueError(f"{shown(value)} is not a share (write 95%)")
    return int(match[1]) / 100


Share = Annotated[
    float, BeforeValidator(_share), WithJsonSchema({"type": "string", "examples": ["95%"]})
]


def _web_url(value: str) -> str:
    if value and not value.startswith(("http://", "https://")):
        raise ValueError(f"{value!r} is no address (write https://monitor.example.com)")
    return value


def _store(value: str) -> str:
    """Refuse what no store can be opened with; a password is never in the sentence."""
    scheme, is_url, rest = value.partition("://")
    if not is_url:
        if _SCHEME.match(value):
            raise ValueError(f"is no database URL: // is missing after the colon ({_STORE})")
        return value
    scheme = scheme.partition("+")[0]  # of postgresql+psycopg
    if scheme not in ("postgresql", "sqlite"):
        near = nearest(scheme, ("postgresql", "sqlite"))
        raise ValueError(f"{scheme}:// is no database that is known{near} ({_STORE})")
    try:
        parts = urlsplit(f"http://{rest}")
        named = parts.path.strip("/") != "" and (parts.port or 1) > 0
    except ValueError:
        named = False
    if not named or (scheme == "sqlite" and not rest.startswith("/")):
        raise ValueError(
            f"is no {scheme} URL: no database, or no port, can be read in it ({_STORE})"
        )
    return value


_SCHEME = re.compile(r"[a-z0-9+]+:")
_STORE = (
    "write postgresql://NAME:PASSWORD@HOST/DATABASE, signs of the password as %40; or nothing: "
    "SQLite in the state folder"
)
StoreUrl = Annotated[str, AfterValidator(_store)]
WebUrl = Annotated[str, AfterValidator(_web_url)]
Listen = Annotated[str, BeforeValidator(_listen)]
User = Annotated[str, AfterValidator(_user)]
Zone = Annotated[str, AfterValidator(_zone)]
Healthy = Annotated[Any, BeforeValidator(_percent), WithJsonSchema({"type": ["integer", "string"]})]
Until = Annotated[
    datetime | date,
    BeforeValidator(parse_until),
    WithJsonSchema({"type": "string", "examples": ["2027-01-31"]}),
]
Port = Annotated[int, Field(ge=1, le=_HIGHEST_PORT)]
Count = Annotated[int, Field(ge=1, le=1000)]
