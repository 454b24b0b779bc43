"""The pydantic models of what belongs together: joined from schema.py into the one schema."""

from datetime import timedelta

from pydantic import Field

from monitord.config.fields import Gap
from monitord.model.spec import Spec


class CorrelateModel(Spec):
    """When outages are taken for one."""

    within: Gap = Field(
        timedelta(minutes=5), description="What began to fail so close in time may be one outage."
    )
