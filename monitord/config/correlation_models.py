"""The pydantic models of what belongs together: joined from schema.py into the one schema."""

from datetime import timedelta
from typing import Annotated

from pydantic import Field

from monitord.config.fields import Gap, Share
from monitord.model.spec import Spec


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
