"""The `inbound:` section: who may send results, how they prove it, and about what.

Names and values only: no secret is read here, and nothing is opened.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Annotated, Any, Literal

from pydantic import Field, model_validator

from monitord.config.context import Context
from monitord.config.fields import Names
from monitord.config.names import nearest
from monitord.config.sections import Sections
from monitord.config.sentences import finder
from monitord.model.catalog import Check, Host
from monitord.model.ids import CheckKey
from monitord.model.inbound import PASSIVE, Source
from monitord.model.spec import SecretText, Spec


class MappingModel(Spec):
    """Where things stand in a JSON payload: paths such as `data.host.name`."""

    list: str = Field("", description="The list of results; without it the body is one.")
    host: str = ""
    check: str = ""
    status: Annotated[str, Field(min_length=1)]
    summary: str = ""
    item: str = Field("", description="What tells results of one check apart.")
    details: str = ""


class InboundModel(Spec):
    """Who may send results to /inbound/NAME."""

    kind: Literal["alertmanager", "grafana", "json", "results"]
    token: SecretText | None = Field(None, description="What comes as Authorization: Bearer.")
    hmac: SecretText | None = Field(None, description="Or what signs `seconds:body`.")
    hosts: Names = Field(("*",), description="Hosts it may report of, by pattern.")
    checks: Names = Field(("*",), description="Passive checks it may report, by pattern.")
    host: str = Field("", description="The host where a payload names none.")
    host_labels: Names = Field(
        ("host", "instance"), description="Labels that name the host, or its address."
    )
    check: Names = Field(
        ("alertmanager-{alertname}", "alertmanager"),
        description="Names of checks with labels in braces; the first that the host has is it.",
    )
    items: Names = Field((), description="The labels that make the item; none: all that differ.")
    severity: str = Field("severity", description="The label that tells how bad it is.")
    warning: Names = Field(
        ("warning", "info", "none"), description="Its values that are a warning, in small letters."
    )
    mapping: MappingModel | None = None

    @model_validator(mode="after")
    def _is_whole(self) -> "InboundModel":
        if (self.token is None) == (self.hmac is None):
            raise ValueError("needs either token: or hmac: (write token: !secret env:NAME)")
        if (self.kind == "json") != (self.mapping is not None):
            raise ValueError("mapping: belongs to kind: json, and only there")
        return self


def sources(
    context: Context,
    top: Sections,
    hosts: Mapping[str, Host],
    built: Mapping[CheckKey, Check],
) -> dict[str, Source]:
    """Make the sources; a source that could report nothing at all is said in a warning."""
    found = {}
    for entry in top.named["inbound"].values():
        what = f"inbound: {entry.name}"
        tree = context.as_map(entry.value, entry.place, entry.name)
        model = tree is not None and context.model(InboundModel, tree, entry.place, prefix=what)
        if tree is None or not model:
            continue
        if model.host and model.host not in hosts:
            place, _ = finder(tree, entry.place)(("host",))
            near = nearest(model.host, hosts)
            context.add_missing(place, f"{what}.host: there is no host {model.host}{near}")
        found[entry.name] = _source(entry.name, model)
        if not any(check.kind == PASSIVE for check in built.values()):
            context.warnings.append(
                f"{entry.place}: {what}: no check is of kind passive, so all it sends is unknown"
            )
    return found


def _source(name: str, model: InboundModel) -> Source:
    paths: dict[str, Any] = {} if model.mapping is None else dict(model.mapping)
    values = {key: getattr(model, key) for key in InboundModel.model_fields if key != "mapping"}
    return Source(name=name, paths=MappingProxyType(paths), **values)
