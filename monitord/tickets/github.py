"""The `github` backend: issues of one repository, over REST v3 (2022-11-28).

Issues are found by listing those with our label, which is true at once; GitHub's search is minutes
behind at times. Source: docs.github.com, REST, issues.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from pydantic import Field

from monitord.clock import as_datetime
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

_PAGE = 100
_PAGES = 5  # of issues with our label, newest first; of comments, oldest first
_VERSION = {"X-GitHub-Api-Version": "2022-11-28"}
_LABELS = {name: f"priority: {name}" for name in ("P1", "P2", "P3", "P4", "P5")}


class GithubSpec(RestSpec):
    """Which repository's issues."""

    url: Url = Field("https://api.github.com", description="The API: of GitHub, or your own.")
    repo: str = Field(
        pattern=r"^[\w.-]+/[\w.-]+$", description="The repository.", examples=["shop/operations"]
    )
    token: SecretText = Field(description="A token that may write issues.")
    label: str = Field("monitord", description="The label that all its issues bear.")
    priorities: Mapping[str, str] = Field(
        default_factory=lambda: dict(_LABELS), description="A label for each priority."
    )
    tiers: Mapping[str, str] = Field(
        default_factory=dict, description="A label by tier.", examples=[{"L3": "experts"}]
    )
    lag: Duration = Field(
        timedelta(seconds=10), description="How long a new issue may need until it is listed."
    )


@dataclass
class Github:
    """Keeps tickets as issues; see TicketBackend, Searchable and Readable."""

    spec: GithubSpec
    resolve: Resolve

    def __post_init__(self) -> None:
        self.lag = self.spec.lag.total_seconds()
        url = f"{self.spec.url}/repos/{self.spec.repo}"
        self._server = Server(url, self.spec, self._login)

    def deliver(self, item: OutboxItem, ticket: Mapping[str, Any], external: str) -> Delivery:
        """Carry one message."""
        return carry(self, item, letter(item, ticket), external)

    def read(self, external: str, since: Instant) -> Remote | None:
        """Give an issue as it stands there."""
        return read(self, external, since)

    def find(self, key: str) -> str | None:
        """List the newest issues with our label until one bears the key; the oldest such counts."""
        found, words = None, mark(key)
        for page in range(1, _PAGES + 1):
            params = {
                "labels": self.spec.label,
                "state": "all",
                "per_page": str(_PAGE),
                "page": str(page),
            }
            rows = self._server.call("GET", "/issues", params=params).json()
            for row in rows:
                if words in (row["body"] or "") and "pull_request" not in row:
                    found = str(row["number"])
            if len(rows) < _PAGE:
                break
        return found

    def create(self, letter: Letter) -> Delivery:
        """Make an issue; 201."""
        fields = {
            "title": letter.title,
            "body": fenced(letter.text),
            "labels": [self.spec.label, *self._labels(letter)],
        }
        made = self._server.call("POST", "/issues", send=fields).json()
        return Delivery(str(made["number"]), made["html_url"])

    def look(self, external: str) -> Remote | None:
        """Give an issue without its comments."""
        there = self._server.look(self._path(external))
        if there is None:
            return None
        closed = there["state"] == "closed"
        return Remote(
            (there.get("state_reason") or "closed") if closed else "open",
            closed,
            ", ".join(each["login"] for each in there.get("assignees") or ()),
            next(
                filter(None, (reverse(self.spec.priorities, n) for n in _names(there))),
                "",
            ),
            there["html_url"],
        )

    def remarks(self, external: str, since: Instant) -> tuple[Remark, ...]:
        """Give comments since (the API filters by their last change)."""
        rows: list[Any] = []
        for page in range(1, _PAGES + 1):  # the oldest come first, and most of them are ours
            params = {
                "since": as_datetime(since).strftime("%Y-%m-%dT%H:%M:%SZ"),
                "per_page": str(_PAGE),
                "page": str(page),
            }
            path = f"{self._path(external)}/comments"
            more = self._server.call("GET", path, params=params).json()
            rows += more
            if len(more) < _PAGE:
                break
        said = [
            Remark(
                str(row["id"]), moment(row["created_at"]), row["user"]["login"], row["body"] or ""
            )
            for row in rows
        ]
        return said_by_people(said, since)

    def change(self, external: str, letter: Letter, done: bool | None) -> None:
        """Close or open again, and exchange our own labels for the new ones."""
        fields: dict[str, Any] = {}
        if letter.moved:
            ours = {*self.spec.priorities.values(), *self.spec.tiers.values()}
            kept = _names(self._server.look(self._path(external)) or {})
            fields["labels"] = [n for n in kept if n not in ours] + self._labels(letter)
        if done is not None:
            fields["state"] = "closed" if done else "open"
            fields["state_reason"] = "completed" if done else "reopened"
        if fields:
            self._server.call("PATCH", self._path(external), send=fields)

    def comment(self, external: str, text: str) -> None:
        """Say something on the issue; 201."""
        send = {"body": fenced(text)}
        self._server.call("POST", f"{self._path(external)}/comments", send=send)

    def _path(self, external: str) -> str:
        return f"/issues/{segment(external)}"

    def _labels(self, letter: Letter) -> list[str]:
        found = (self.spec.priorities.get(letter.priority), self.spec.tiers.get(letter.tier))
        return [each for each in found if each]

    def _login(self) -> Login:
        login = token_login(self.resolve(self.spec.token))
        return Login({**login.headers, **_VERSION}, login.secrets)


def _names(issue: Mapping[str, Any]) -> list[str]:
    """Give the names of an issue's labels, which the API writes as objects or as texts."""
    return [
        each if isinstance(each, str) else str(each["name"]) for each in issue.get("labels") or ()
    ]


KIND = BackendKind("github", GithubSpec, Github)
