"""From what a source says to hosts: columns and paths mapped, every row judged. Pure."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from monitord.config.names import address_fault, is_name, nearest
from monitord.errors import ConfigError, Problem
from monitord.model.inventory import FieldsModel, Inventory, Row
from monitord.model.text import one_line

_TOLD = 20  # mistakes that are told; the first ones show what is wrong with the rest
_MOST = 100_000  # hosts of one answer
_PORTS = 65_535


@dataclass(frozen=True, slots=True)
class Raw:
    """One host as its source says it, with the line where it does."""

    line: int
    values: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Answer:
    """What a source gave. `file` names it in messages; `usual` maps settings where nobody says.

    `columns` are all that there are, for a table; None: rows differ.
    """

    file: str
    rows: Sequence[Raw]
    usual: FieldsModel = field(default_factory=FieldsModel)
    columns: tuple[str, ...] | None = None


def rows_of(source: Inventory, answer: Answer) -> list[Row]:
    """Give the hosts.

    Raises:
        ConfigError: the mistakes, each with its line.
    """
    problems = list(_missing_columns(source, answer))
    found = []
    for raw in answer.rows[:_MOST]:
        row, faults = _row(source, answer, raw)
        problems.extend(Problem(answer.file, raw.line, 1, one_line(text, 300)) for text in faults)
        found.append(row)
    if len(answer.rows) > _MOST:
        problems.append(Problem(answer.file, 1, 1, f"lists more than {_MOST} hosts"))
    if problems and not (answer.columns is not None and not found and not answer.rows):
        more = len(problems) - _TOLD
        rest = [Problem(answer.file, 1 << 30, 1, f"… and {more} more")] if more > 0 else []
        raise ConfigError([*problems[:_TOLD], *rest])
    return found


def _missing_columns(source: Inventory, answer: Answer) -> Iterator[Problem]:
    if answer.columns is None:
        return
    for setting in FieldsModel.model_fields:
        for column in getattr(source.model.fields, setting):
            if column not in answer.columns:
                near = nearest(column, answer.columns)
                text = f"fields: {setting}: there is no column {column!r}{near}"
                yield Problem(answer.file, 1, 1, text)
    wanted = source.model.fields.name or answer.usual.name
    if not set(wanted) & set(answer.columns):
        text = f"no column holds names ({', '.join(wanted)}); write fields: {{name: COLUMN}}"
        yield Problem(answer.file, 1, 1, text)


def _row(source: Inventory, answer: Answer, raw: Raw) -> tuple[Row, list[str]]:
    model = source.model
    texts = {
        setting: _texts(
            raw.values, getattr(model.fields, setting) or getattr(answer.usual, setting)
        )
        for setting in FieldsModel.model_fields
    }
    name, address = _first(texts["name"]), _address(_first(texts["address"]))
    faults = []
    if not name:
        faults.append("has no name (write one, or remove the row)")
    elif not is_name(name):
        cure = "letters, digits and . _ - : @ +"
        if "[" in name:
            cure = "only Ansible's lists have ranges, written web[1:8]"
        faults.append(f"name: {name!r} cannot be a host name ({cure})")
    if address and (fault := address_fault(address)):
        faults.append(f"{name}: address: {fault}")
    groups, tags = _several(texts["groups"]), _several(texts["tags"])
    faults.extend(
        f"{name}: {one!r} cannot be the name of a group or tag (no blanks, no slash)"
        for one in (*groups, *tags)
        if not is_name(one)
    )
    port, user = _reach(raw.values, name, faults)
    row = Row(
        name=name,
        address=address,
        groups=tuple(dict.fromkeys((*groups, *model.groups))),
        site=_first(texts["site"]) or model.site,
        customer=_first(texts["customer"]) or model.customer,
        tags=tags,
        file=answer.file,
        line=raw.line,
        port=port,
        user=user,
    )
    return row, faults


def _reach(values: Mapping[str, Any], name: str, faults: list[str]) -> tuple[int, str]:
    """Give port and user as Ansible names them."""
    port = str(values.get("ansible_port", "") or "")
    if port and not (port.isascii() and port.isdigit() and 0 < int(port[:6]) <= _PORTS):
        faults.append(f"{name}: ansible_port: {port!r} is no port (1 to {_PORTS})")
        port = ""
    user = str(values.get("ansible_user", "") or "")
    if user and not is_name(user):
        faults.append(f"{name}: ansible_user: {user!r} cannot be a user")
    return int(port or 0), user


def _texts(values: Mapping[str, Any], paths: Sequence[str]) -> list[str]:
    return [text for path in paths for text in _at(values, path)]


def _at(values: Any, path: str) -> Iterator[str]:
    """Give what stands at a path; through a list it is each of its things."""
    if isinstance(values, Mapping) and path in values:  # a column's name may hold a dot
        yield from _plain(values[path])
        return
    head, dot, rest = path.partition(".")
    if not dot or not isinstance(values, Mapping):
        return
    inside = values.get(head)
    for one in inside if isinstance(inside, list) else [inside]:
        yield from _at(one, rest)


def _plain(value: Any) -> Iterator[str]:
    if isinstance(value, list):
        for one in value:
            yield from _plain(one)
    elif isinstance(value, str | int | float) and not isinstance(value, bool):
        yield str(value).strip()


def _first(texts: Sequence[str]) -> str:
    return next((text for text in texts if text), "")


def _several(texts: Sequence[str]) -> tuple[str, ...]:
    """Give the names in texts such as `linux, web` or `linux;web`."""
    words = " ".join(texts).replace(",", " ").replace(";", " ").split()
    return tuple(dict.fromkeys(words))


def _address(text: str) -> str:
    """Give an address without its network's length: NetBox writes 10.0.0.1/24."""
    address, slash, length = text.partition("/")
    return address if slash and length.isdigit() else text
