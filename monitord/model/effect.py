"""What an action wants done, fully rendered: the form that is journalled, hashed and executed.

An effect holds secret references, never values. Canonical JSON makes equal effects equal text.
"""

import hashlib
import json
import re
import shlex
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import timedelta
from types import MappingProxyType
from typing import Any

_NOTHING: Mapping[str, str] = MappingProxyType({})
# Control characters, separators, direction overrides, lone surrogates: a person sees their escapes.
_OBEYED = re.compile(
    "[\x00-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff\ufeff]"
)


@dataclass(frozen=True, slots=True)
class Command:
    """One argv on the target, under the runner. `stdin` is a script of ours, never target data.

    `ok_codes` are the exit codes that count as done. `sudo` asks the acting login for root. What
    `restarts` the machine is done when that answers again under another boot id, not before.
    """

    argv: tuple[str, ...]
    stdin: str = ""
    env: Mapping[str, str] = field(default_factory=lambda: _NOTHING)
    cwd: str = ""
    sudo: bool = False
    ok_codes: tuple[int, ...] = (0,)
    restarts: bool = False


@dataclass(frozen=True, slots=True)
class HttpCall:
    """One HTTP request from the executor. Header values may be `!secret scheme:name` texts."""

    method: str
    url: str
    headers: Mapping[str, str] = field(default_factory=lambda: _NOTHING)
    body: str = ""
    ok_codes: tuple[int, ...] = (200, 201, 202, 204)


@dataclass(frozen=True, slots=True)
class Pause:
    """Nothing but time; the core waits, nobody is asked."""

    seconds: float


@dataclass(frozen=True, slots=True)
class DeviceCall:
    """Lines for a network device, typed by the executor, one after another's answer.

    Either `commands`, whose answers must hold `says`, or lines to `configure`; `save` keeps that
    over a restart of the device.
    """

    commands: tuple[str, ...] = ()
    configure: tuple[str, ...] = ()
    save: bool = False
    says: str = ""


Effect = Command | HttpCall | DeviceCall | Pause


@dataclass(frozen=True, slots=True)
class StepContext:
    """What a step's text may refer to: `{host}`, `{address}`, `{item}`, and the rung's parameters.

    Each argv element is filled in once; a value is never expanded again nor split.
    """

    host: str
    address: str
    item: str = ""
    parameters: Mapping[str, str] = field(default_factory=lambda: _NOTHING)


@dataclass(frozen=True, slots=True)
class PlannedStep:
    """One step of a plan: which phase and kind, on which host, and what exactly.

    `undoes` is the plan's index of the step that an undo step takes back; None: the whole.
    """

    phase: str
    kind: str
    target: str
    effect: Effect
    idempotent: bool
    timeout: timedelta
    undoes: int | None = None


_TYPES: Mapping[str, type[Command] | type[HttpCall] | type[DeviceCall] | type[Pause]] = {
    "command": Command,
    "http": HttpCall,
    "device": DeviceCall,
    "pause": Pause,
}


def to_json(effect: Effect) -> str:
    """Give the canonical JSON text of an effect: sorted keys, no spaces."""
    name = next(name for name, kind in _TYPES.items() if isinstance(effect, kind))
    fields: dict[str, Any] = {
        key: dict(value) if isinstance(value, Mapping) else value
        for key, value in _shallow(effect).items()
    }
    return canonical({"type": name, **fields})


def from_json(text: str) -> Effect:
    """Read what `to_json` wrote."""
    fields: dict[str, Any] = json.loads(text)
    kind = _TYPES[fields.pop("type")]
    for name in ("argv", "ok_codes", "commands", "configure"):
        if name in fields:
            fields[name] = tuple(fields[name])
    return kind(**fields)


def describe(effect: Effect) -> str:
    """Give an effect as one line for a person: an argv quoted so that a shell would read it back.

    Characters that a terminal would obey are shown as escapes. Secrets are references here.
    """
    if isinstance(effect, Command):
        line = _command_line(effect)
    elif isinstance(effect, HttpCall):
        line = f"{effect.method} {effect.url}"
    elif isinstance(effect, DeviceCall):
        line = _device_line(effect)
    else:
        line = f"wait {effect.seconds:g} s"
    return _OBEYED.sub(lambda found: ascii(found[0])[1:-1], line)


def _command_line(command: Command) -> str:
    words = [f"{name}={shlex.quote(value)}" for name, value in sorted(command.env.items())]
    words += ["sudo"] if command.sudo else []
    words.append(shlex.join(command.argv))
    line = " ".join(words)
    if command.cwd:
        line = f"cd {shlex.quote(command.cwd)} && {line}"
    return f"{line} < script of {len(command.stdin.splitlines())} lines" if command.stdin else line


def _device_line(call: DeviceCall) -> str:
    if call.configure:
        return f"configure: {'; '.join(call.configure)}{'; and save' if call.save else ''}"
    asked = f" (must say: {call.says})" if call.says else ""
    return f"type: {'; '.join(call.commands)}{asked}"


def canonical(value: object) -> str:
    """Give JSON text in which equal values are equal texts."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def digest(value: object) -> str:
    """Give the SHA-256 (hex) of the canonical JSON text."""
    return hashlib.sha256(canonical(value).encode()).hexdigest()


def _shallow(effect: Effect) -> dict[str, Any]:
    if isinstance(effect, Pause):
        return asdict(effect)
    fields = {name: getattr(effect, name) for name in type(effect).__dataclass_fields__}
    if fields.get("restarts") is False:
        del fields["restarts"]  # plans from before it was known stay equal
    return fields
