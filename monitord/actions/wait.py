"""`wait`: let time pass between two steps. The core waits by a due time; nobody sleeps."""

from typing import Annotated

from pydantic import Field, GetJsonSchemaHandler, model_validator
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema

from monitord.model.effect import Pause, StepContext
from monitord.model.kinds import ActionKind
from monitord.model.spec import Duration, Spec


class WaitSpec(Spec):
    """`wait: 10s`, or `wait: {for: 10s}`."""

    for_: Annotated[Duration, Field(alias="for")]

    @model_validator(mode="before")
    @classmethod
    def _short(cls, value: object) -> object:
        return value if isinstance(value, dict) else {"for": value}

    @classmethod
    def __get_pydantic_json_schema__(
        cls, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        """Tell editors that a plain duration is the short form."""
        whole = handler.resolve_ref_schema(handler(schema))
        return {"anyOf": [whole["properties"]["for"], whole]}


def render(spec: WaitSpec, _context: StepContext) -> Pause:
    """Give the pause."""
    return Pause(spec.for_.total_seconds())


def resource(_spec: WaitSpec, _context: StepContext) -> str:
    """Name nothing: waiting touches nothing."""
    return ""


KIND = ActionKind("wait", WaitSpec, render, resource)
