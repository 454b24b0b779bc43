"""The `rt` backend: Request Tracker 5 over its REST 2 API.

The key stands in the subject, where RT's own search finds it at once: a custom field that nobody
has made would be dropped without a word. Source: RT's documentation of RT::REST2.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from pydantic import Field, model_validator

from monitord.errors import TicketError
from monitord.model.ids import Instant
from monitord.model.kinds import BackendKind
from monitord.model.spec import Duration, SecretText
from monitord.model.text import one_line
from monitord.model.ticket import Delivery, OutboxItem, Remark, Remote
from monitord.tickets.rest import Login, Resolve, RestSpec, Server, Url, basic_login, token_login
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

_NO_DATE = "1970-01-01T00:00:00Z"  # how RT tells a date that nobody set
_SUBJECT = 200  # bytes of a subject; RT cuts off what is beyond
_PRIORITIES = {"P1": "100", "P2": "75", "P3": "50", "P4": "25", "P5": "0"}


class RtSpec(RestSpec):
    """Which Request Tracker, and which queue there."""

    url: Url = Field(description="Where RT is.", examples=["https://rt.example.com"])
    token: SecretText | None = Field(
        None, description="An auth token of RT's own; or give user and password."
    )
    user: str = Field("", description="The user to log in as, where there is no token.")
    password: SecretText | None = Field(None, description="Its password.")
    queue: str = Field("General", description="The queue of new tickets.")
    tiers: Mapping[str, str] = Field(
        default_factory=dict,
        description="Another queue by tier; the ticket moves when the tier does.",
        examples=[{"L3": "Experts"}],
    )
    priorities: Mapping[str, str] = Field(
        default_factory=lambda: dict(_PRIORITIES), description="RT's number for each priority."
    )
    open: str = Field("open", description="The status of a ticket that is opened again.")
    resolved: str = Field("resolved", description="The status of one that is over.")
    closed: tuple[str, ...] = Field(
        ("resolved", "rejected"), description="The statuses that count as done there."
    )
    lag: Duration = Field(
        timedelta(seconds=5), description="How long a new ticket may need until it is found."
    )

    @model_validator(mode="after")
    def _login(self) -> "RtSpec":
        if (self.token is None) == (self.password is None) or bool(self.user) != bool(
            self.password
        ):
            raise ValueError("give a token, or user and password")
        return self


@dataclass
class Rt:
    """Keeps tickets in Request Tracker; see TicketBackend, Searchable and Readable."""

    spec: RtSpec
    resolve: Resolve

    def __post_init__(self) -> None:
        self.lag = self.spec.lag.total_seconds()
        self._server = Server(f"{self.spec.url}/REST/2.0", self.spec, self._login)

    def deliver(self, item: OutboxItem, ticket: Mapping[str, Any], external: str) -> Delivery:
        """Carry one message."""
        return carry(self, item, letter(item, ticket), external)

    def read(self, external: str, since: Instant) -> Remote | None:
        """Give a ticket as it stands there."""
        return read(self, external, since)

    def find(self, key: str) -> str | None:
        """Search all queues for the subject's mark: a ticket may have been moved by a person."""
        words = mark(key).replace("\\", "\\\\").replace("'", "\\'")
        params = {
            "query": f"Subject LIKE '{words}'",
            "orderby": "id",
            "order": "ASC",
            "per_page": "20",
            "fields": "Subject",
        }
        found = self._server.call("GET", "/tickets", params=params).json()["items"]
        # `_` of a key stands for any letter in RT's LIKE, so the key is compared again.
        ours = (str(row["id"]) for row in found if mark(key).lower() in row["Subject"].lower())
        return next(ours, None)

    def create(self, letter: Letter) -> Delivery:
        """Make a ticket; 201 with its number."""
        fields = {
            "Queue": self._queue(letter),
            "Subject": titled(letter, _SUBJECT),
            "Content": letter.text,
            "ContentType": "text/plain",
            **self._priority(letter),
        }
        number = str(self._server.call("POST", "/ticket", send=fields).json()["id"])
        return Delivery(number, self._url(number))

    def look(self, external: str) -> Remote | None:
        """Give a ticket without its remarks."""
        there = self._server.look(f"/ticket/{segment(external)}")
        if there is None or there["Status"] == "deleted":
            return None
        owner = there["Owner"]["id"]
        return Remote(
            there["Status"],
            there["Status"] in self.spec.closed,
            "" if owner == "Nobody" else owner,
            reverse(self.spec.priorities, there["Priority"]),
            self._url(external),
            due="" if there.get("Due", _NO_DATE) == _NO_DATE else there["Due"],
        )

    def remarks(self, external: str, since: Instant) -> tuple[Remark, ...]:
        """Give comments and mails of people since; the ticket's own first text is monitord's."""
        params = {
            "fields": "Content,ContentType,Creator,Created",
            "orderby": "id",
            "order": "DESC",
            "per_page": "50",
        }
        path = f"/ticket/{segment(external)}/attachments"
        rows = self._server.call("GET", path, params=params).json()["items"]
        said = [
            Remark(row["id"], moment(row["Created"]), row["Creator"]["id"], row["Content"])
            for row in rows
            if row["ContentType"] == "text/plain"
        ]
        return said_by_people(said, since)

    def change(self, external: str, letter: Letter, done: bool | None) -> None:
        """Move priority, queue and status; RT answers 200 with a sentence about each."""
        fields: dict[str, str] = {}
        if "priority" in letter.moved:
            fields |= self._priority(letter)
        if "tier" in letter.moved:
            fields["Queue"] = self._queue(letter)
        if done is not None:
            fields["Status"] = self.spec.resolved if done else self.spec.open
        if not fields:
            return
        path = f"/ticket/{segment(external)}"
        said = self._server.call("PUT", path, send=fields).json()
        if done is not None and not any("Status changed" in str(each) for each in said):
            text = f"RT did not set {fields['Status']}: {one_line('; '.join(map(str, said)), 120)}"
            raise TicketError(text, permanent=False, refused=True)

    def comment(self, external: str, text: str) -> None:
        """Say something on the ticket; requestors do not get comments."""
        path = f"/ticket/{segment(external)}/comment"
        self._server.call("POST", path, send={"Content": text, "ContentType": "text/plain"})

    def _login(self) -> Login:
        if self.spec.token is not None:
            return token_login(self.resolve(self.spec.token), scheme="token ")
        return basic_login(self.spec.user, self.resolve(self.spec.password or ""))

    def _priority(self, letter: Letter) -> dict[str, str]:
        number = self.spec.priorities.get(letter.priority)
        return {} if number is None else {"Priority": number}

    def _queue(self, letter: Letter) -> str:
        return self.spec.tiers.get(letter.tier, self.spec.queue)

    def _url(self, number: str) -> str:
        return f"{self.spec.url}/Ticket/Display.html?id={segment(number)}"


KIND = BackendKind("rt", RtSpec, Rt)
