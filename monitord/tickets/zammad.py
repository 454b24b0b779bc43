"""The `zammad` backend: tickets of Zammad, over its REST API v1.

The key stands in the title, where Zammad's search finds it with and without Elasticsearch. Source:
docs.zammad.org, API, tickets and articles.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from pydantic import Field

from monitord.model.ids import Instant
from monitord.model.kinds import BackendKind
from monitord.model.spec import Duration, SecretText
from monitord.model.ticket import Delivery, OutboxItem, Remark, Remote
from monitord.tickets.rest import Login, Resolve, RestSpec, Server, Url, token_login
from monitord.tickets.tracker import (
    Letter,
    carry,
    letter,
    mark,
    moment,
    read,
    reverse,
    said_by_people,
    segment,
    titled,
)

_TITLE = 250  # characters of a title; Zammad cuts off what is beyond
_PRIORITIES = {"P1": "3 high", "P2": "3 high", "P3": "2 normal", "P4": "1 low", "P5": "1 low"}


class ZammadSpec(RestSpec):
    """Which Zammad, and which group there."""

    url: Url = Field(description="Where Zammad is.", examples=["https://support.example.com"])
    token: SecretText = Field(description="An access token with the right ticket.agent.")
    group: str = Field(description="The group of new tickets.", examples=["Operations"])
    customer: str = Field(
        description="The mail address of the customer that they are from.",
        examples=["monitord@example.com"],
    )
    priorities: Mapping[str, str] = Field(
        default_factory=lambda: dict(_PRIORITIES), description="Zammad's name for each priority."
    )
    tiers: Mapping[str, str] = Field(
        default_factory=dict, description="Another group by tier.", examples=[{"L3": "Experts"}]
    )
    open: str = Field("open", description="The state of a ticket that is opened again.")
    resolved: str = Field("closed", description="The state of one that is over.")
    closed: tuple[str, ...] = Field(
        ("closed", "merged", "removed"), description="The states that count as done there."
    )
    lag: Duration = Field(
        timedelta(seconds=15), description="How long a new ticket may need until it is found."
    )


@dataclass
class Zammad:
    """Keeps tickets in Zammad; see TicketBackend, Searchable and Readable."""

    spec: ZammadSpec
    resolve: Resolve

    def __post_init__(self) -> None:
        self.lag = self.spec.lag.total_seconds()
        self._server = Server(f"{self.spec.url}/api/v1", self.spec, self._login)

    def deliver(self, item: OutboxItem, ticket: Mapping[str, Any], external: str) -> Delivery:
        """Carry one message."""
        return carry(self, item, letter(item, ticket), external)

    def read(self, external: str, since: Instant) -> Remote | None:
        """Give a ticket as it stands there."""
        return read(self, external, since)

    def find(self, key: str) -> str | None:
        """Search the titles; the search is by words, so the key is compared again."""
        words = mark(key)
        params = {
            "query": f'title:"{key}"',
            "expand": "true",
            "limit": "50",
            "sort_by": "created_at",
            "order_by": "asc",
        }
        rows = self._server.call("GET", "/tickets/search", params=params).json()
        return next((str(row["id"]) for row in rows if words in row["title"]), None)

    def create(self, letter: Letter) -> Delivery:
        """Make a ticket with its first article; 201."""
        fields = {
            "title": titled(letter, _TITLE),
            "group": self._group(letter),
            "customer": self.spec.customer,
            "tags": "monitord",
            "article": _article(letter.title, letter.text),
            **self._priority(letter),
        }
        number = str(self._server.call("POST", "/tickets", send=fields).json()["id"])
        return Delivery(number, self._url(number))

    def look(self, external: str) -> Remote | None:
        """Give a ticket without its articles."""
        there = self._server.look(self._path(external), params={"expand": "true"})
        if there is None:
            return None
        owner = there.get("owner") or "-"
        return Remote(
            there["state"],
            there["state"] in self.spec.closed,
            "" if owner == "-" else owner,
            reverse(self.spec.priorities, there["priority"]),
            self._url(external),
        )

    def remarks(self, external: str, since: Instant) -> tuple[Remark, ...]:
        """Give what people wrote since, mails included."""
        path = f"/ticket_articles/by_ticket/{segment(external)}"
        rows = self._server.call("GET", path, params={"expand": "true"}).json()
        said = [
            Remark(str(row["id"]), moment(row["created_at"]), row["created_by"], row["body"])
            for row in rows
            if row.get("sender") != "System"
        ]
        return said_by_people(said, since)

    def change(self, external: str, letter: Letter, done: bool | None) -> None:
        """Move priority, group and state."""
        fields: dict[str, str] = {}
        if "priority" in letter.moved:
            fields |= self._priority(letter)
        if "tier" in letter.moved:
            fields["group"] = self._group(letter)
        if done is not None:
            fields["state"] = self.spec.resolved if done else self.spec.open
        if fields:
            self._server.call("PUT", self._path(external), send=fields)

    def comment(self, external: str, text: str) -> None:
        """Write an internal note."""
        send = {"article": _article("monitord", text)}
        self._server.call("PUT", self._path(external), send=send)

    def _path(self, external: str) -> str:
        return f"/tickets/{segment(external)}"

    def _priority(self, letter: Letter) -> dict[str, str]:
        name = self.spec.priorities.get(letter.priority)
        return {} if name is None else {"priority": name}

    def _group(self, letter: Letter) -> str:
        return self.spec.tiers.get(letter.tier, self.spec.group)

    def _url(self, external: str) -> str:
        return f"{self.spec.url}/#ticket/zoom/{segment(external)}"

    def _login(self) -> Login:
        return token_login(self.resolve(self.spec.token), scheme="Token token=")


def _article(subject: str, body: str) -> dict[str, Any]:
    return {
        "subject": subject,
        "body": body,
        "content_type": "text/plain",
        "type": "note",
        "internal": True,
    }


KIND = BackendKind("zammad", ZammadSpec, Zammad)
