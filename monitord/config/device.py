"""Network devices in YAML: how one is logged into, and what cannot be asked of a host or device.

It judges words and what fits together; whether a device answers is for the executor.
"""

import contextlib
from dataclasses import replace
from typing import Annotated, Any

from pydantic import AfterValidator, Field, WithJsonSchema, model_validator

from monitord.config.fields import Port, User, shown
from monitord.config.names import nearest
from monitord.model.catalog import Host, Login, SshLogin
from monitord.model.dialects import DIALECTS
from monitord.model.effect import Command, DeviceCall, Effect, StepContext
from monitord.model.kinds import ActionKind
from monitord.model.spec import Spec
from monitord.secrets import SecretRef

_LOOKING = frozenset({"collect", "require"})


def _reference(value: object) -> SecretRef | None:
    if value is None or isinstance(value, SecretRef):
        return value
    raise ValueError("a password may not stand in a file like this (write !secret file:/path)")


Password = Annotated[
    Any,
    AfterValidator(_reference),
    WithJsonSchema({"type": "string"}),
]


def _dialect(name: str) -> str:
    if name not in DIALECTS:
        known = ", ".join(sorted(DIALECTS))
        raise ValueError(f"{shown(name)} is not a dialect{nearest(name, DIALECTS)} ({known})")
    return name


Dialect = Annotated[
    str, AfterValidator(_dialect), WithJsonSchema({"enum": sorted(DIALECTS), "type": "string"})
]


class DeviceActModel(Spec):
    """The identity that changes a device; what is left out is as in the reading one."""

    user: User = ""
    key: str = ""
    password: Password = None


class DeviceModel(Spec):
    """How to log in to a network device over SSH. Without `act` it is only watched."""

    dialect: Dialect
    user: Annotated[User, Field(min_length=1)]
    key: str = ""
    password: Password = None
    port: Port = 22
    known_hosts: str = ""
    act: DeviceActModel | None = None

    @model_validator(mode="after")
    def _one_proof(self) -> "DeviceModel":
        for what, one in (("", self), ("act: ", self.act)):
            if one is not None and one.key and one.password is not None:
                raise ValueError(f"{what}needs either key: or password:, not both")
        return self


def login_of(model: DeviceModel) -> Login:
    """Give the login; an acting identity with neither key nor password has the reading one's."""
    read = SshLogin(model.user, model.key, model.port, password=model.password)
    act = None
    if model.act is not None:
        own = model.act.key or model.act.password is not None
        proof = model.act if own else model
        user = model.act.user or model.user
        act = SshLogin(user, proof.key, model.port, password=proof.password)
    return Login("device", read, act, model.known_hosts, model.dialect)


def tried(kind: ActionKind, spec: Spec, context: StepContext) -> Effect:
    """Render a step for trial, with the item of `context` or what else an item of it may be.

    Raises:
        ValueError: it cannot be rendered; of several reasons that with the given item.
    """
    try:
        return kind.render(spec, context)
    except ValueError:
        for item in ("192.0.2.1", "eth0"):  # where an address or an interface is asked for
            with contextlib.suppress(ValueError):
                return kind.render(spec, replace(context, item=item))
        raise


def misfit(host: Host, phase: str, effect: Effect) -> str:
    """Say why a step cannot be done on this host for what that is; empty when it can."""
    device = host.login.kind == "device"
    if isinstance(effect, Command) and device:
        return f"{host.name} is a network device and has no shell (write device: …)"
    if isinstance(effect, DeviceCall) and not device:
        return f"{host.name} is no network device (its login is {host.login.kind}, not device)"
    return _misplaced(host, phase, effect) if isinstance(effect, DeviceCall) else ""


def _misplaced(host: Host, phase: str, call: DeviceCall) -> str:
    enter = DIALECTS[host.login.dialect].enter
    if enter in call.commands:
        return f"{enter!r} is typed by itself (write configure: …)"
    if phase not in _LOOKING:
        return ""
    if call.configure:
        return f"{phase}: may only look (configure: belongs under steps: or undo:)"
    return next((wrong for line in call.commands if (wrong := not_a_look(host, line))), "")


def not_a_look(host: Host, line: str) -> str:
    """Say why a command may change something on this device; empty when it only looks."""
    dialect = DIALECTS[host.login.dialect]
    if dialect.only_looks(line):
        return ""
    words = ", ".join(dialect.looks)
    return f"{line!r} may change something: in {dialect.name} only these look: {words}"
