"""What may be written of the page for end users."""

from typing import Annotated

from pydantic import Field

from monitord.model.spec import Spec

_Words = Annotated[str, Field(min_length=1, max_length=100)]


class StatusModel(Spec):
    """The page that tells end users how services are."""

    services: Annotated[dict[str, _Words | None], Field(min_length=1)] = Field(
        description="Services in their order, each with what end users call it.",
        examples=[{"shop": "The online shop"}],
    )
    title: _Words = "How our services are"
    public: bool = Field(
        default=False, description="Whoever reaches monitord-web sees it without a login."
    )
