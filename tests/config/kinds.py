"""Small kinds of each way of probing, so that these tests speak of configuration only."""

from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import Field

from monitord.model.effect import Command, StepContext
from monitord.model.kinds import (
    ActionKind,
    BackendKind,
    FactProbe,
    Kinds,
    NetworkProbe,
    PluginProbe,
    RecordProbe,
)
from monitord.model.result import Result
from monitord.model.spec import Duration, SecretText, Spec, Threshold


class HttpSpec(Spec):
    """A page."""

    url: str
    status: int = 200
    body: str = ""
    headers: dict[str, SecretText] = Field(default_factory=dict)
    critical: Threshold | None = None
    limit: Duration | None = None


class Expires(Spec):
    """What a certificate must have left."""

    warning: Duration | None = None
    critical: Duration | None = None


class IcmpSpec(Spec):
    """A ping."""

    fallback_port: Annotated[int, Field(ge=1, le=65535)] = 22


class TcpSpec(Spec):
    """A port."""

    warning: Duration | None = None
    critical: Duration | None = None
    expires: Expires | None = None
    port: Annotated[int, Field(ge=1, le=65535)]


class DiskSpec(Spec):
    """Mounts."""

    warning: Threshold | None = None
    critical: Threshold | None = None
    mounts: tuple[str, ...] = ()


class EmptySpec(Spec):
    """Nothing to say."""


class JobSpec(Spec):
    """A job."""

    argv: tuple[str, ...] = ()


class NagiosSpec(Spec):
    """A plugin."""

    command: tuple[str, ...]


class CommandSpec(Spec):
    """An argv."""

    run: tuple[str, ...]


class UnitSpec(Spec):
    """A unit."""

    unit: str
    do: str = "restart"


class WebhookSpec(Spec):
    """Where to send."""

    url: str
    secret: SecretText | None = None


async def _probe(_spec: Any, _target: Any) -> list[Result]:
    return [Result.ok("fine")]


def _judge(*_: Any) -> list[Result]:
    return [Result.ok("fine")]


def _render(spec: Any, context: StepContext) -> Command:
    values: Mapping[str, str] = {"host": context.host, **context.parameters}
    argv = getattr(spec, "run", None) or (getattr(spec, "unit", ""),)
    for text in argv:
        if text.startswith("{") and text[1:-1] not in values:
            raise ValueError(f"{text!r} needs {text}, which is not given (add it under `with:`)")
    return Command(tuple(argv))


def _resource(_spec: Any, context: StepContext) -> str:
    return f"{context.host}:host"


def _build(_spec: Any, _resolve: Any) -> Any:
    return None


KINDS = Kinds(
    probes={
        "http": NetworkProbe("http", HttpSpec, _probe),
        "icmp": NetworkProbe("icmp", IcmpSpec, _probe),
        "tcp": NetworkProbe("tcp", TcpSpec, _probe),
        "disk": FactProbe("disk", DiskSpec, lambda _: (), _judge),
        "memory": FactProbe("memory", DiskSpec, lambda _: (), _judge),
        "ssh": FactProbe("ssh", EmptySpec, lambda _: (), _judge),
        "nagios": PluginProbe("nagios", NagiosSpec, lambda spec, _: spec.command, _judge),
        "job": RecordProbe("job", JobSpec, "job", _judge),
    },
    actions={
        "command": ActionKind("command", CommandSpec, _render, _resource),
        "systemd": ActionKind("systemd", UnitSpec, _render, _resource),
    },
    backends={"webhook": BackendKind("webhook", WebhookSpec, _build)},
)
