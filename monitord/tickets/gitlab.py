"""The `gitlab` backend: issues of one project, over REST v4.

A ticket's reference is the issue's iid, the number that people see. Source: docs.gitlab.com, API,
issues and notes.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from urllib.parse import quote

from pydantic import Field

from monitord.model.ids import Instant
from monitord.model.kinds import BackendKind
from monitord.model.spec import Duration, SecretText
from monitord.model.ticket import Delivery, OutboxItem, Remark, Remote
from monitord.tickets.rest import Login, Resolve, RestSpec, Server, Url, token_login
from monitord.tickets.tracker import (
    Letter,
    carry,
    fenced,
    letter,
    mark,
    moment,
    read,
    reverse,
    said_by_people,
    segment,
)

_LABELS = {name: f"priority::{name}" for name in ("P1", "P2", "P3", "P4", "P5")}


class GitlabSpec(RestSpec):
    """Which project's issues."""

    url: Url = Field("https://gitlab.com", description="Where GitLab is.")
    project: str = Field(
        description="The project's path or number.", examples=["shop/operations", "4"]
    )
    token: SecretText = Field(description="A token with the scope `api`.")
    label: str = Field("monitord", description="The label that all its issues bear.")
    priorities: Mapping[str, str] = Field(
        default_factory=lambda: dict(_LABELS), description="A label for each priority."
    )
    tiers: Mapping[str, str] = Field(
        default_factory=dict, description="A label by tier.", examples=[{"L3": "tier::experts"}]
    )
    lag: Duration = Field(
        timedelta(seconds=10), description="How long a new issue may need until it is found."
    )


@dataclass
class Gitlab:
    """Keeps tickets as issues; see TicketBackend, Searchable and Readable."""

    spec: GitlabSpec
    resolve: Resolve

    def __post_init__(self) -> None:
        self.lag = self.spec.lag.total_seconds()
        project = quote(self.spec.project, safe="")
        url = f"{self.spec.url}/api/v4/projects/{project}"
        self._server = Server(url, self.spec, self._login)

    def deliver(self, item: OutboxItem, ticket: Mapping[str, Any], external: str) -> Delivery:
        """Carry one message."""
        return carry(self, item, letter(item, ticket), external)

    def read(self, external: str, since: Instant) -> Remote | None:
        """Give an issue as it stands there."""
        return read(self, external, since)

    def find(self, key: str) -> str | None:
        """Search the descriptions; the search is by words, so the key is compared again."""
        params = {
            "search": key,
            "in": "description",
            "labels": self.spec.label,
            "order_by": "created_at",
            "sort": "asc",
            "per_page": "100",
        }
        rows = self._server.call("GET", "/issues", params=params).json()
        words = mark(key)
        return next((str(row["iid"]) for row in rows if words in (row["description"] or "")), None)

    def create(self, letter: Letter) -> Delivery:
        """Make an issue; 201."""
        fields = {
            "title": letter.title,
            "description": fenced(letter.text),
            "labels": ",".join([self.spec.label, *self._labels(letter)]),
        }
        made = self._server.call("POST", "/issues", send=fields).json()
        return Delivery(str(made["iid"]), made["web_url"])

    def look(self, external: str) -> Remote | None:
        """Give an issue without its notes."""
        there = self._server.look(self._path(external))
        if there is None:
            return None
        ranks = (reverse(self.spec.priorities, name) for name in there.get("labels") or ())
        return Remote(
            there["state"],
            there["state"] == "closed",
            ", ".join(each["username"] for each in there.get("assignees") or ()),
            next(filter(None, ranks), ""),
            there["web_url"],
            due=there.get("due_date") or "",
        )

    def remarks(self, external: str, since: Instant) -> tuple[Remark, ...]:
        """Give what people wrote since; GitLab's own notes about changes are left out."""
        params = {"order_by": "created_at", "sort": "desc", "per_page": "50"}
        rows = self._server.call("GET", f"{self._path(external)}/notes", params=params).json()
        said = [
            Remark(
                str(row["id"]), moment(row["created_at"]), row["author"]["username"], row["body"]
            )
            for row in rows
            if not row["system"]
        ]
        return said_by_people(said, since)

    def change(self, external: str, letter: Letter, done: bool | None) -> None:
        """Close or open again, and exchange our own labels for the new ones."""
        fields: dict[str, str] = {}
        if letter.moved:
            new = self._labels(letter)
            ours = (*self.spec.priorities.values(), *self.spec.tiers.values())
            fields["add_labels"] = ",".join(new)
            fields["remove_labels"] = ",".join(name for name in ours if name not in new)
        if done is not None:
            fields["state_event"] = "close" if done else "reopen"
        if fields:
            self._server.call("PUT", self._path(external), send=fields)

    def comment(self, external: str, text: str) -> None:
        """Say something on the issue; 201."""
        send = {"body": fenced(text)}
        self._server.call("POST", f"{self._path(external)}/notes", send=send)

    def _path(self, external: str) -> str:
        return f"/issues/{segment(external)}"

    def _labels(self, letter: Letter) -> list[str]:
        found = (self.spec.priorities.get(letter.priority), self.spec.tiers.get(letter.tier))
        return [each for each in found if each]

    def _login(self) -> Login:
        return token_login(self.resolve(self.spec.token), header="PRIVATE-TOKEN", scheme="")


KIND = BackendKind("gitlab", GitlabSpec, Gitlab)
