"""The slots in a step's texts: `{host}`, `{address}`, `{item}` and the rung's parameters.

A text is filled in once; what came out of a slot is never looked at again, split or expanded.
`{{` and `}}` are braces. Pure; str.format is not used because it reaches into attributes.
"""

import re
import shlex
from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, Field, WithJsonSchema

from monitord.model.effect import StepContext
from monitord.secrets import SecretRef

_PIECE = re.compile(r"\{\{|\}\}|\{([a-z_][a-z0-9_]*)\}|[{}]")
_OWN = ("host", "address", "item")
_SAID = {"yes": True, "true": True, "no": False, "false": False}


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


def words(text: str, context: StepContext) -> tuple[str, ...]:
    """Give the words that one parameter holds, told apart as a shell would by quotes and spaces.

    Nothing in them is expanded. `text` is that one slot, such as `{command}`.

    Raises:
        ValueError: the slot has no value, or its quotes do not close or hold nothing.
    """
    (slot,) = slots(text)
    value = value_of(slot, text, context)
    try:
        found = shlex.split(value)
    except ValueError as error:
        raise ValueError(f"{slot}: {value!r}: {error} (close the quote)") from None
    if not found:
        raise ValueError(f"{slot}: there is no word in it (write the program and its arguments)")
    return tuple(found)


def is_one_parameter(text: str) -> bool:
    """Tell whether a text is exactly one slot, and that of a parameter."""
    names = slots(text)
    return len(names) == 1 and text == f"{{{names[0]}}}" and names[0] not in _OWN


def turned_on(switch: bool | str, context: StepContext) -> bool:
    """Give a switch: true or false, or what its parameter says (yes or no).

    Raises:
        ValueError: the parameter has no value, or says something else.
    """
    if isinstance(switch, bool):
        return switch
    said = fill(switch, context)
    if said not in _SAID:
        raise ValueError(f"{switch}: {said!r} is neither yes nor no")
    return _SAID[said]


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


def _switch(value: object) -> object:
    if isinstance(value, bool) or (isinstance(value, str) and is_one_parameter(value)):
        return value
    if isinstance(value, str) and value in _SAID:
        return _SAID[value]
    raise ValueError(f"{value!r} is neither yes nor no (a parameter may say it: '{{sudo}}')")


Switch = Annotated[
    bool | str, BeforeValidator(_switch), WithJsonSchema({"type": ["boolean", "string"]})
]
"""Yes or no, or the one parameter that says so."""

Argv = Annotated[tuple[Text, ...], Field(min_length=1)]
"""A program and its arguments."""


def _parameter(text: str) -> str:
    if not is_one_parameter(text):
        raise ValueError(
            f"{text!r} is not one parameter (write '{{command}}'); an argv is a list (write [a, b])"
        )
    return text


Words = Annotated[
    str,
    BeforeValidator(_word),
    AfterValidator(_template),
    AfterValidator(_parameter),
    WithJsonSchema({"type": "string"}),
]
"""The one text that holds several words: exactly one slot, a parameter."""


def argv_of(written: tuple[str, ...] | str, context: StepContext) -> tuple[str, ...]:
    """Give an argv: its texts filled one by one, or the words of the one parameter.

    Raises:
        ValueError: as `fill` and `words`.
    """
    return words(written, context) if isinstance(written, str) else fill_all(written, context)
