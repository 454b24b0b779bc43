"""`device`: lines for a network device, asked of it or configured. It types nothing itself.

Each line is one text from YAML; what fills its slots is one word without anything that a device
would obey, so no value can become a second command or a longer one.
"""

import ipaddress
import re
from dataclasses import replace
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, model_validator

from monitord.actions.text import Switch, Text, fill, slots, turned_on
from monitord.model.effect import DeviceCall, StepContext
from monitord.model.kinds import ActionKind
from monitord.model.spec import Spec

_LONGEST = 400  # characters: the terminal has 511, and a line that wraps is not echoed as typed
_WORD = re.compile(r"[A-Za-z0-9:_][A-Za-z0-9._:/@+-]{0,127}")
_INTERFACE = re.compile(r"[A-Za-z][A-Za-z_-]{0,40}[0-9][0-9A-Za-z./:_-]{0,80}")


def _line(text: str) -> str:
    if not text.strip() or text != text.strip():
        raise ValueError(f"{text!r} is not one line (no blanks around it, and not empty)")
    if not text.isprintable():
        raise ValueError(f"{text!r} holds a control character; each line is an entry of its own")
    if "?" in text:
        raise ValueError(f"{text!r}: a device answers ? with its help at once (leave it out)")
    if len(text) > _LONGEST:
        raise ValueError(f"{text[:60]!r}… is longer than {_LONGEST} characters")
    return text


Line = Annotated[Text, AfterValidator(_line)]


class DeviceSpec(Spec):
    """`device: {commands: [show bgp summary]}`, or lines to `configure:`, typed in their order.

    `item` says what `{item}` must be, lest a word of the device's own language stand in for it. The
    answers to commands must hold `says`, where that is given. `save` keeps what was configured.
    """

    commands: tuple[Line, ...] = ()
    configure: tuple[Line, ...] = ()
    save: Switch = False
    says: str = ""
    item: Literal["", "address", "interface", "word"] = Field(
        default="",
        description="What {item} is: an IP address, an interface (letters, then digits), any word.",
    )

    @model_validator(mode="after")
    def _one_thing(self) -> "DeviceSpec":
        if bool(self.commands) == bool(self.configure):
            raise ValueError("needs either commands: [show …] or configure: [line, line]")
        if self.configure and self.says:
            raise ValueError("says: fits commands: only (ask in a step of its own)")
        if self.commands and self.save is not False:
            raise ValueError("save: fits configure: only")
        asks = any("item" in slots(line) for line in (*self.commands, *self.configure))
        if asks and not self.item:
            raise ValueError("item: is missing (write item: address, interface or word)")
        return self


def render(spec: DeviceSpec, context: StepContext) -> DeviceCall:
    """Fill the slots.

    Raises:
        ValueError: a slot has no value, or its value is more than one plain word, or no such item.
    """
    context = _strict(spec, context)
    return DeviceCall(
        commands=tuple(_filled(line, context) for line in spec.commands),
        configure=tuple(_filled(line, context) for line in spec.configure),
        save=turned_on(spec.save, context),
        says=spec.says,
    )


def _filled(line: str, context: StepContext) -> str:
    for slot in slots(line):
        value = fill(f"{{{slot}}}", context)
        if not _WORD.fullmatch(value):
            raise ValueError(
                f"{line!r}: {{{slot}}} is {value!r}, which is not one plain word"
                " (letters, digits and . _ : / @ + -)"
            )
    return _line(fill(line, context))


def _strict(spec: DeviceSpec, context: StepContext) -> StepContext:
    """Give the context with its item as this step takes it."""
    if not context.item or spec.item in {"", "word"}:
        return context
    if spec.item == "interface":
        if not _INTERFACE.fullmatch(context.item):
            raise ValueError(f"{{item}} is {context.item!r}, which is not an interface's name")
        return context
    try:
        return replace(context, item=str(ipaddress.ip_address(context.item)))
    except ValueError:
        raise ValueError(f"{{item}} is {context.item!r}, which is not an IP address") from None


def resource(_spec: DeviceSpec, context: StepContext) -> str:
    """Name the whole device: two who configure it at once would mix their lines."""
    return f"{context.host}:host"


KIND = ActionKind("device", DeviceSpec, render, resource, changes="network")
