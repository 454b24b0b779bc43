"""The `jira` backend: issues of one project, on Jira Cloud (REST 3) or Data Center (REST 2).

The key is a label. Jira's index is seconds behind its database, which is what `lag` is for. Source:
developer.atlassian.com, the platform's REST APIs, issues, search, comments.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Literal
from urllib.parse import urlsplit

from pydantic import Field

from monitord.errors import TicketError
from monitord.model.ids import Instant
from monitord.model.kinds import BackendKind
from monitord.model.spec import Duration, SecretText
from monitord.model.ticket import Delivery, OutboxItem, Remark, Remote
from monitord.tickets.rest import Login, Resolve, RestSpec, Server, Url, basic_login, token_login
from monitord.tickets.tracker import (
    Letter,
    carry,
    letter,
    moment,
    read,
    reverse,
    said_by_people,
    segment,
)

_PRIORITIES = {"P1": "Highest", "P2": "High", "P3": "Medium", "P4": "Low", "P5": "Lowest"}


class JiraSpec(RestSpec):
    """Which Jira, and which project there."""

    url: Url = Field(description="Where Jira is.", examples=["https://example.atlassian.net"])
    api: Literal["2", "3"] | None = Field(
        None, description="3 on Jira Cloud, 2 on Data Center; left out: told by the address."
    )
    user: str = Field(
        "", description="Cloud: the mail address of the token's owner; Data Center: left out."
    )
    token: SecretText = Field(description="An API token (Cloud) or access token (Data Center).")
    project: str = Field(description="The project's key.", examples=["OPS"])
    issuetype: str = Field("Task", description="The type of new issues.")
    priorities: Mapping[str, str] = Field(
        default_factory=lambda: dict(_PRIORITIES),
        description="Jira's name for each priority; `{}` where the project has none.",
    )
    tiers: Mapping[str, str] = Field(
        default_factory=dict, description="A label by tier.", examples=[{"L3": "experts"}]
    )
    done: str = Field(
        "", description="The transition that ends an issue; left out: the first to a done status."
    )
    reopen: str = Field(
        "", description="The one that opens it again; left out: the first to a status not done."
    )
    lag: Duration = Field(
        timedelta(seconds=20), description="How long a new issue may need until it is found."
    )


@dataclass
class Jira:
    """Keeps tickets as issues; see TicketBackend, Searchable and Readable."""

    spec: JiraSpec
    resolve: Resolve

    def __post_init__(self) -> None:
        self.lag = self.spec.lag.total_seconds()
        cloud = (urlsplit(self.spec.url).hostname or "").endswith(".atlassian.net")
        self._cloud = self.spec.api == "3" if self.spec.api else cloud
        url = f"{self.spec.url}/rest/api/{3 if self._cloud else 2}"
        self._server = Server(url, self.spec, self._login)

    def deliver(self, item: OutboxItem, ticket: Mapping[str, Any], external: str) -> Delivery:
        """Carry one message."""
        return carry(self, item, letter(item, ticket), external)

    def read(self, external: str, since: Instant) -> Remote | None:
        """Give an issue as it stands there."""
        return read(self, external, since)

    def find(self, key: str) -> str | None:
        """Ask for the key's label; Cloud has a search of its own for it."""
        params = {
            "jql": f'labels = "{_label(key)}" ORDER BY created ASC',
            "fields": "status",
            "maxResults": "1",
        }
        path = "/search/jql" if self._cloud else "/search"
        rows = self._server.call("GET", path, params=params).json()["issues"]
        return str(rows[0]["key"]) if rows else None

    def create(self, letter: Letter) -> Delivery:
        """Make an issue; 201."""
        tier = self.spec.tiers.get(letter.tier)
        fields = {
            "project": {"key": self.spec.project},
            "issuetype": {"name": self.spec.issuetype},
            "summary": letter.title,
            "description": self._body(letter.text),
            "labels": ["monitord", _label(letter.key), *([tier] if tier else [])],
            **self._priority(letter),
        }
        made = self._server.call("POST", "/issue", send={"fields": fields}).json()
        return Delivery(made["key"], self._url(made["key"]))

    def look(self, external: str) -> Remote | None:
        """Give an issue without its comments."""
        params = {"fields": "status,assignee,priority,duedate"}
        there = self._server.look(self._path(external), params=params)
        if there is None:
            return None
        fields = there["fields"]
        return Remote(
            fields["status"]["name"],
            fields["status"]["statusCategory"]["key"] == "done",
            (fields.get("assignee") or {}).get("displayName", ""),
            reverse(self.spec.priorities, (fields.get("priority") or {}).get("name")),
            self._url(external),
            due=fields.get("duedate") or "",
        )

    def remarks(self, external: str, since: Instant) -> tuple[Remark, ...]:
        """Give comments since."""
        params = {"orderBy": "-created", "maxResults": "50"}
        path = f"{self._path(external)}/comment"
        rows = self._server.call("GET", path, params=params).json()["comments"]
        said = [
            Remark(
                str(row["id"]),
                moment(row["created"]),
                row["author"]["displayName"],
                "".join(_texts(row["body"])),
            )
            for row in rows
        ]
        return said_by_people(said, since)

    def change(self, external: str, letter: Letter, done: bool | None) -> None:
        """Set the priority, exchange the tier's label, move through the workflow."""
        edit: dict[str, Any] = {}
        if "priority" in letter.moved:
            edit["fields"] = self._priority(letter)
        if "tier" in letter.moved and self.spec.tiers:
            new = self.spec.tiers.get(letter.tier)
            old = [each for each in self.spec.tiers.values() if each != new]
            edit["update"] = {
                "labels": [*({"remove": each} for each in old), *([{"add": new}] if new else [])]
            }
        if edit.get("fields") or edit.get("update"):
            self._server.call("PUT", self._path(external), send=edit)
        if done is not None:
            send = {"transition": {"id": self._transition(external, done=done)}}
            self._server.call("POST", f"{self._path(external)}/transitions", send=send)

    def comment(self, external: str, text: str) -> None:
        """Say something on the issue; 201."""
        send = {"body": self._body(text)}
        self._server.call("POST", f"{self._path(external)}/comment", send=send)

    def _transition(self, external: str, *, done: bool) -> str:
        named = self.spec.done if done else self.spec.reopen
        found = self._server.call("GET", f"{self._path(external)}/transitions").json()
        for each in found["transitions"]:
            ends = each["to"]["statusCategory"]["key"] == "done"
            if each["name"] == named if named else ends is done:
                return str(each["id"])
        names = ", ".join(each["name"] for each in found["transitions"])
        wanted = named or ("to a done status" if done else "to a status that is not done")
        text = f"{external} has no transition {wanted}, only {names or 'none'}: set done or reopen"
        raise TicketError(text, permanent=False, refused=True)

    def _path(self, external: str) -> str:
        return f"/issue/{segment(external)}"

    def _body(self, text: str) -> Any:
        if not self._cloud:
            # What a target wrote must not end the block: behind it, it would be markup.
            text = re.sub(r"\{(?=noformat)", "{ ", text, flags=re.IGNORECASE)
            return f"{{noformat}}\n{text}{{noformat}}"
        block = {"type": "codeBlock", "content": [{"type": "text", "text": text}]}
        return {"type": "doc", "version": 1, "content": [block]}

    def _priority(self, letter: Letter) -> dict[str, Any]:
        name = self.spec.priorities.get(letter.priority)
        return {} if name is None else {"priority": {"name": name}}

    def _url(self, external: str) -> str:
        return f"{self.spec.url}/browse/{segment(external)}"

    def _login(self) -> Login:
        token = self.resolve(self.spec.token)
        return basic_login(self.spec.user, token) if self.spec.user else token_login(token)


def _label(key: str) -> str:
    # A label holds no space; what JQL would read as its end is left out too.
    return "monitord-" + re.sub(r"[^A-Za-z0-9_.-]", "-", key)[:200]


def _texts(body: Any) -> Iterator[str]:
    """Give the words of a comment: plain text, or a document tree with them in its leaves."""
    if isinstance(body, str):
        yield body
    elif isinstance(body, Mapping):
        yield str(body.get("text", ""))
        for part in body.get("content") or ():
            yield from _texts(part)
        if body.get("type") == "paragraph":
            yield "\n"


KIND = BackendKind("jira", JiraSpec, Jira)
