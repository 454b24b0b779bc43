"""The `pagerduty` backend: events of the Events API v2, one alert per incident by its dedup_key.

PagerDuty itself drops a repeat of an open alert, so an unknown outcome needs no search. Source:
PagerDuty's reference of the Events API v2.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import Field, field_validator

from monitord.model.kinds import BackendKind
from monitord.model.spec import SecretText
from monitord.model.text import one_line
from monitord.model.ticket import Delivery, Operation, OutboxItem
from monitord.tickets.rest import Login, Resolve, RestSpec, Server, Url
from monitord.tickets.text import brief, subject

_SEVERITIES = {"P1": "critical", "P2": "error", "P3": "warning", "P4": "info", "P5": "info"}
_WORDS = ("critical", "error", "warning", "info")
_SUMMARY, _KEY, _DETAILS = 1024, 255, 20_000  # characters that are taken


class PagerdutySpec(RestSpec):
    """Which service is paged."""

    routing_key: SecretText = Field(description="The integration key of the service.")
    url: Url = Field(
        "https://events.pagerduty.com", description="The API; that of the EU has its own address."
    )
    priorities: Mapping[str, str] = Field(
        default_factory=lambda: dict(_SEVERITIES),
        description=f"A severity for each priority: {', '.join(_WORDS)}.",
    )

    @field_validator("priorities")
    @classmethod
    def _known(cls, value: Mapping[str, str]) -> Mapping[str, str]:
        for word in value.values():
            if word not in _WORDS:
                raise ValueError(f"{word!r} is not a severity (write {', '.join(_WORDS)})")
        return value


@dataclass
class Pagerduty:
    """Pages through PagerDuty; see TicketBackend for the contract."""

    spec: PagerdutySpec
    resolve: Resolve

    def __post_init__(self) -> None:
        self._server = Server(self.spec.url, self.spec, self._login)

    def deliver(self, item: OutboxItem, ticket: Mapping[str, Any], external: str) -> Delivery:
        """Trigger or resolve the incident's alert; 202."""
        key = external or one_line(item.key, _KEY)
        event = {"event_action": "resolve", "dedup_key": key}
        if item.operation is not Operation.RESOLVE:
            event = {**_trigger(self.spec, item, ticket), **event, "event_action": "trigger"}
        self._server.call("POST", "/v2/enqueue", send=event)
        return Delivery(key)

    def _login(self) -> Login:
        key = self.resolve(self.spec.routing_key)
        return Login({}, (key,), {"routing_key": key})


def _trigger(spec: PagerdutySpec, item: OutboxItem, ticket: Mapping[str, Any]) -> dict[str, Any]:
    host = ticket.get("host")
    name = host.get("name") if isinstance(host, Mapping) else host
    check = one_line(str(ticket.get("check") or ticket.get("key") or ""), 200)
    links = ticket.get("links")
    shown = {str(k): str(v) for k, v in links.items()} if isinstance(links, Mapping) else {}
    web = {text: href for text, href in shown.items() if re.match(r"https?://", href)}
    payload = {
        "summary": one_line(subject(ticket), _SUMMARY),
        "source": one_line(str(name or check or "monitord"), 200),
        "severity": spec.priorities.get(str(ticket.get("priority")), "error"),
        "component": check,
        "class": one_line(str(ticket.get("severity", "")), 40),
        "custom_details": {
            "priority": str(ticket.get("priority", "")),
            "tier": str(ticket.get("tier", "")),
            "incident": item.key,
            "report": brief(ticket, item.operation)[:_DETAILS],
        },
        **({"timestamp": ticket["since"]} if ticket.get("since") else {}),
    }
    return {
        "payload": payload,
        "client": "monitord",
        "links": [{"href": href, "text": text} for text, href in web.items()],
    }


KIND = BackendKind("pagerduty", PagerdutySpec, Pagerduty)
