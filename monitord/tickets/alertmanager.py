"""The `alertmanager` backend: each incident is one alert of the API v2.

Alertmanager forgets an alert at its endsAt, and all of them when it starts anew: what still fires
is said again every `resend`, and would end by itself only after `lasts` without a word. Labels make
an alert what it is, so when the priority changes the former alert is ended with the same request.
Source: Alertmanager's openapi.yaml (v2) and "Sending alerts" of the Prometheus documentation.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from pydantic import Field, model_validator

from monitord.clock import SystemClock, as_datetime
from monitord.model.kinds import BackendKind
from monitord.model.spec import Duration, SecretText
from monitord.model.text import one_line
from monitord.model.ticket import Delivery, Operation, OutboxItem
from monitord.tickets.rest import Login, Resolve, RestSpec, Server, Url, basic_login, token_login
from monitord.tickets.text import render, subject

_CLOCK = SystemClock()  # Alertmanager compares endsAt with its own wall clock
_SEVERITIES = {"P1": "critical", "P2": "critical", "P3": "warning", "P4": "warning", "P5": "info"}
_LONGEST = 20_000  # characters of the description


class AlertmanagerSpec(RestSpec):
    """Which Alertmanager, and with which labels."""

    url: Url = Field(description="Where it is.", examples=["http://127.0.0.1:9093"])
    user: str = Field("", description="The user of basic authentication.")
    token: SecretText | None = Field(
        None, description="The user's password, or without a user a bearer token."
    )
    labels: Mapping[str, str] = Field(
        default_factory=dict, description="Further labels.", examples=[{"team": "ops"}]
    )
    priorities: Mapping[str, str] = Field(
        default_factory=lambda: dict(_SEVERITIES),
        description="The label `severity` for each priority.",
    )
    resend: Duration = Field(
        timedelta(minutes=1), description="How often what still fires is said again."
    )
    lasts: Duration = Field(
        timedelta(hours=1), description="How long an alert outlives the last word about it."
    )

    @model_validator(mode="after")
    def _outlives(self) -> "AlertmanagerSpec":
        if self.lasts < 3 * self.resend:
            raise ValueError("lasts must be three times resend, or one lost message ends the alert")
        return self


@dataclass
class Alertmanager:
    """Keeps alerts firing; see TicketBackend and Lapsing."""

    spec: AlertmanagerSpec
    resolve: Resolve

    def __post_init__(self) -> None:
        self.resend = self.spec.resend.total_seconds()
        self._server = Server(self.spec.url, self.spec, self._login)

    def deliver(self, item: OutboxItem, ticket: Mapping[str, Any], external: str) -> Delivery:
        """Say that the alert fires, or that it has ended; `external` is `key severity`."""
        now = as_datetime(_CLOCK.now())
        over = item.operation is Operation.RESOLVE
        before = external.rpartition(" ")[2] if external else ""
        severity = self.spec.priorities.get(str(ticket.get("priority")), "warning")
        ends = now if over else now + self.spec.lasts
        alerts = [self._alert(item, ticket, severity, ends)]
        if before and before != severity:
            alerts.append(self._alert(item, ticket, before, now))
        self._server.call("POST", "/api/v2/alerts", send=alerts)
        return Delivery(f"{one_line(item.key, 120)} {severity}")

    def _alert(
        self, item: OutboxItem, ticket: Mapping[str, Any], severity: str, ends: datetime
    ) -> dict[str, Any]:
        check = one_line(str(ticket.get("check") or ticket.get("key") or "monitord"), 200)
        host, _, name = check.rpartition("/")
        labels = {
            "alertname": name or check,
            "instance": host.partition("/")[0],
            "check": check,
            "incident": one_line(item.key, 120),
            "severity": severity,
            **self.spec.labels,
        }
        notes = {
            "summary": subject(ticket),
            "description": render(ticket)[:_LONGEST],
            "priority": str(ticket.get("priority", "")),
            "tier": str(ticket.get("tier", "")),
        }
        since = ticket.get("first_failed") or ticket.get("since")
        return {
            # An empty label is no label.
            "labels": {each: value for each, value in labels.items() if value},
            "annotations": {each: value for each, value in notes.items() if value},
            **({"startsAt": since} if since else {}),
            "endsAt": ends.isoformat(timespec="milliseconds"),
        }

    def _login(self) -> Login:
        if self.spec.token is None:
            return Login({}, ())
        token = self.resolve(self.spec.token)
        return basic_login(self.spec.user, token) if self.spec.user else token_login(token)


KIND = BackendKind("alertmanager", AlertmanagerSpec, Alertmanager)
