"""The pydantic models of what belongs together: joined from schema.py into the one schema."""

from datetime import timedelta
from typing import Annotated, Literal

from pydantic import BeforeValidator, Field

from monitord.config.fields import Gap, Share
from monitord.model.spec import Spec


def _listed(value: object) -> object:
    return [value] if isinstance(value, str) else value


class CorrelateModel(Spec):
    """When outages are taken for one."""

    within: Gap = Field(
        timedelta(minutes=5), description="What began to fail so close in time may be one outage."
    )
    share: Share = Field(
        0.5, description="More than this of a site's hosts or a service's checks: one outage."
    )
    least: Annotated[int, Field(ge=2)] = Field(
        5, description="So many hosts or checks must fail at least for one outage."
    )


class InhibitModel(Spec):
    """While the source is bad, people hear of that, and not of its targets."""

    name: Annotated[str, Field(min_length=1)]
    source: Annotated[str, Field(min_length=1)] = Field(
        description="A selector: whose incident is told.", examples=["check=ups"]
    )
    target: Annotated[str, Field(min_length=1)] = Field(
        description="A selector: whose incidents are not told meanwhile.", examples=["group=web"]
    )
    severity: Annotated[
        tuple[Literal["critical", "unknown", "warning"], ...],
        BeforeValidator(_listed),
        Field(min_length=1),
    ] = Field(("critical",), description="How bad the source's incident must be.")
    equal: Annotated[
        tuple[Literal["host", "site", "customer", "service"], ...], BeforeValidator(_listed)
    ] = Field((), description="What source and target must have alike; nothing equals nothing.")
    repair: Literal["on", "hold"] = Field(
        "on", description="Whether the targets are repaired meanwhile."
    )
