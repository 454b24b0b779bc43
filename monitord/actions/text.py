"""The slots in a step's texts: `{host}`, `{address}`, `{item}` and the rung's parameters.

A text is filled in once; what came out of a slot is never looked at again, split or expanded.
`{{` and `}}` are braces. Pure; str.format is not used because it reaches into attributes.
"""

import re
from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, WithJsonSchema

from monitord.model.effect import StepContext
from monitord.secrets import SecretRef

_PIECE = re.compile(r"\{\{|\}\}|\{([a-z_][a-z0-9_]*)\}|[{}]")
_OWN = ("host", "address", "item")


def slots(text: str) -> tuple[str, ...]:
    """Give the slot names of `text` in their order.

    Raises:
        ValueError: a brace that is neither a slot nor doubled.
    """
    names = []
    for piece in _PIECE.finditer(text):
        if piece[1]:
            names.append(piece[1])
        elif len(piece[0]) == 1:
            raise ValueError(f"{text!r} has a lone {piece[0]} (write {piece[0] * 2} for a brace)")
    return tuple(names)


def fill(text: str, context: StepContext) -> str:
    """Give `text` with every slot filled.

    Raises:
        ValueError: a slot has no value, or a brace is neither a slot nor doubled.
    """
    slots(text)
    return _PIECE.sub(lambda piece: _piece(piece, text, context), text)


def _piece(piece: re.Match[str], text: str, context: StepContext) -> str:
    if not piece[1]:
        return piece[0][0]
    return value_of(piece[1], text, context)


def value_of(slot: str, text: str, context: StepContext) -> str:
    """Give the value of one slot; `text` is only named in the error.

    Raises:
        ValueError: the slot has no value, or the value holds a NUL, which no argv can carry.
    """
    value = _known(slot, context)
    if value is None:
        names = ", ".join((*_OWN, *sorted(context.parameters)))
        raise ValueError(
            f"{text!r} needs {{{slot}}}, which is not given (known: {names}; add it under `with:`)"
        )
    if slot == "item" and not value:
        raise ValueError(f"{text!r} needs {{item}}, but this check has no items")
    if "\0" in value:
        raise ValueError(f"{{{slot}}} holds a NUL character, which no argument can carry")
    return value


def _known(slot: str, context: StepContext) -> str | None:
    if slot in _OWN:
        return str(getattr(context, slot))
    return context.parameters.get(slot)


def fill_all(texts: tuple[str, ...], context: StepContext) -> tuple[str, ...]:
    """Fill each text; there are as many as before.

    Raises:
        ValueError: as `fill`.
    """
    return tuple(fill(text, context) for text in texts)


def fill_secrets(values: Mapping[str, Any], context: StepContext) -> dict[str, str]:
    """Fill the values of a mapping whose values are texts or secret references.

    A reference becomes its own text `!secret scheme:name`, which the executor resolves.

    Raises:
        ValueError: as `fill`; or a filled text looks like a reference, which only YAML may make.
    """
    filled = {}
    for name, value in values.items():
        if isinstance(value, SecretRef):
            filled[name] = str(value)
            continue
        filled[name] = fill(value, context)
        if filled[name].startswith("!secret "):
            raise ValueError(f"{name}: a slot may not name a secret (write !secret in the runbook)")
    return filled


def _word(value: object) -> object:
    if isinstance(value, str):
        return value
    shown = str(value).lower() if isinstance(value, bool) else value
    raise ValueError(f'{shown} is not a text (quote it: "{shown}")')


def _template(text: str) -> str:
    slots(text)
    if "\0" in text:
        raise ValueError("a NUL character cannot be part of it")
    return text


Text = Annotated[
    str,
    BeforeValidator(_word),
    AfterValidator(_template),
    WithJsonSchema({"type": "string"}),
]
"""A text with slots. Numbers must be quoted: 0644 and 1.10 would not stay what was written."""
