"""The rules of `inhibit:`: their selectors must be readable, and each has a name of its own."""

from collections.abc import Iterable

from monitord.config.context import Context
from monitord.config.correlation_models import InhibitModel
from monitord.config.sentences import Locate
from monitord.decisions.selector import parse
from monitord.model.correlation import Inhibition
from monitord.model.result import Status
from monitord.model.ticket import BadSelectorError


def inhibitions(
    context: Context, models: Iterable[InhibitModel], locate: Locate
) -> tuple[Inhibition, ...]:
    """Make the rules, in the order in which they are written."""
    found: dict[str, Inhibition] = {}
    for index, model in enumerate(models):
        for side in ("source", "target"):
            try:
                parse(getattr(model, side))
            except BadSelectorError as error:
                context.add(locate(("inhibit", index, side))[0], f"inhibit: {side}: {error}")
        if model.name in found:
            place, _ = locate(("inhibit", index, "name"))
            text = f"inhibit: there are two rules {model.name}; give each its own name"
            context.add(place, text)
        found[model.name] = Inhibition(
            name=model.name,
            source=model.source,
            target=model.target,
            severity=frozenset(Status[word.upper()] for word in model.severity),
            equal=tuple(dict.fromkeys(model.equal)),
            holds=model.repair == "hold",
        )
    return tuple(found.values())
