"""Where hosts are listed besides YAML, and one host as such a list gives it. Fetches nothing."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Annotated, Any

from pydantic import BeforeValidator, Field, WithJsonSchema, model_validator

from monitord.model.spec import Duration, SecretText, Spec


def _names(value: object) -> tuple[str, ...]:
    names = (value,) if isinstance(value, str) else value
    if not isinstance(names, list | tuple) or not all(isinstance(one, str) for one in names):
        raise ValueError(f"{value!r} is not a name or a list of names")
    return tuple(names)


_ONE_OR_MANY = {"anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}}]}
Paths = Annotated[tuple[str, ...], BeforeValidator(_names), WithJsonSchema(_ONE_OR_MANY)]


class FieldsModel(Spec):
    """Which column or JSON path (`site.slug`) holds which setting of a host."""

    name: Paths = Field((), description="The host's name.")
    address: Paths = Field((), description="Its address; empty: the name.")
    groups: Paths = Field((), description="Its groups, one or several (`a, b` or a list).")
    site: Paths = ()
    customer: Paths = ()
    tags: Paths = ()


class CsvModel(Spec):
    """A table with a line of column names."""

    file: Annotated[str, Field(min_length=1, description="Beside the main file, or absolute.")]
    separator: Annotated[str, Field(min_length=1, max_length=1)] = ","


class AnsibleModel(Spec):
    """An Ansible inventory file: INI, or YAML where it ends in .yml or .yaml."""

    file: Annotated[str, Field(min_length=1, description="Beside the main file, or absolute.")]


class NetboxModel(Spec):
    """NetBox's REST API."""

    url: Annotated[str, Field(pattern="^https?://[^ ]+$")]
    token: SecretText
    list: Annotated[str, Field(pattern="^[a-z/-]+$")] = "dcim/devices"
    filter: dict[str, str] = Field(
        {"status": "active"}, description="Parameters of the list: {site: ulm, status: active}."
    )
    timeout: Duration = timedelta(seconds=30)


class ScriptModel(Spec):
    """A program that prints JSON: a list of hosts, {hosts: [...]}, or a map of names."""

    argv: Annotated[tuple[str, ...], Field(min_length=1)]
    timeout: Duration = timedelta(seconds=30)


class InventoryModel(Spec):
    """One source of hosts; exactly one of csv, ansible, netbox, script."""

    csv: CsvModel | None = None
    ansible: AnsibleModel | None = None
    netbox: NetboxModel | None = None
    script: ScriptModel | None = None
    every: Duration | None = Field(None, description="How often it is asked; left out: by hand.")
    fields: FieldsModel = FieldsModel()
    groups: Paths = Field((), description="Groups that each of its hosts is in besides.")
    site: str = Field("", description="The site of hosts that name none.")
    customer: str = Field("", description="The customer of hosts that name none.")

    @model_validator(mode="before")
    @classmethod
    def _one_kind(cls, given: Any) -> Any:
        kinds = ("csv", "ansible", "netbox", "script")
        found = [kind for kind in kinds if isinstance(given, dict) and given.get(kind) is not None]
        if len(found) != 1:
            named = " and ".join(found) or "none"
            raise ValueError(f"needs one of {', '.join(kinds)} ({named} is written)")
        return given


@dataclass(frozen=True, slots=True)
class Inventory:
    """A source by name. `folder` is where its relative file starts, `state` the state folder."""

    name: str
    model: InventoryModel
    folder: str
    state: str


@dataclass(frozen=True, slots=True)
class Row:
    """One host as a source lists it; `file` and `line` say where. Port 0, no user: the group's."""

    name: str
    address: str
    groups: tuple[str, ...]
    site: str
    customer: str
    tags: tuple[str, ...]
    file: str
    line: int
    port: int = 0
    user: str = ""
