"""The `servicenow` backend: records of the incident table, over the Table API.

The key is the record's correlation_id; its reference is the sys_id. All values are texts. Source:
ServiceNow's documentation of the Table API.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from pydantic import Field

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
    moment,
    read,
    reverse,
    said_by_people,
    segment,
)

_LONGEST = 4000  # characters of a description
_TITLE = 160
_RANKS = {"P1": "1 1", "P2": "1 2", "P3": "2 2", "P4": "2 3", "P5": "3 3"}
_SHOWN = {"P1": "1", "P2": "2", "P3": "3", "P4": "4", "P5": "5"}
_RESOLVED, _IN_PROGRESS = "6", "2"
_DONE = ("6", "7", "8")  # resolved, closed, cancelled


class ServicenowSpec(RestSpec):
    """Which instance, and what its incidents need."""

    url: Url = Field(
        description="Where the instance is.", examples=["https://example.service-now.com"]
    )
    user: str = Field("", description="The user to log in as; left out: `token` is an OAuth token.")
    token: SecretText = Field(description="The user's password, or the OAuth token.")
    table: str = Field("incident", pattern=r"^\w+$", description="The table of the records.")
    priorities: Mapping[str, str] = Field(
        default_factory=lambda: dict(_RANKS), description="Impact and urgency for each priority."
    )
    tiers: Mapping[str, str] = Field(
        default_factory=dict,
        description="The assignment group by tier.",
        examples=[{"L1": "Service Desk"}],
    )
    fields: Mapping[str, str] = Field(
        default_factory=dict,
        description="Further fields of a new record.",
        examples=[{"category": "network"}],
    )
    close_code: str = Field(
        "Solved (Permanently)", description="The close code of a record that is over."
    )
    lag: Duration = Field(
        timedelta(seconds=5), description="How long a new record may need until it is found."
    )


@dataclass
class Servicenow:
    """Keeps tickets as incidents; see TicketBackend, Searchable and Readable."""

    spec: ServicenowSpec
    resolve: Resolve

    def __post_init__(self) -> None:
        self.lag = self.spec.lag.total_seconds()
        self._server = Server(f"{self.spec.url}/api/now/table", self.spec, self._login)

    def deliver(self, item: OutboxItem, ticket: Mapping[str, Any], external: str) -> Delivery:
        """Carry one message."""
        return carry(self, item, letter(item, ticket, longest=_LONGEST), external)

    def read(self, external: str, since: Instant) -> Remote | None:
        """Give a record as it stands there."""
        return read(self, external, since)

    def find(self, key: str) -> str | None:
        """Ask for the correlation id."""
        query = f"correlation_id={_correlation(key)}^ORDERBYsys_created_on"
        params = {
            "sysparm_query": query,
            "sysparm_fields": "sys_id,correlation_id",
            "sysparm_limit": "1",
        }
        rows = self._server.call("GET", f"/{self.spec.table}", params=params).json()["result"]
        # A condition on a field that a table has not is ignored: then any record is the answer.
        ours = [row for row in rows if row.get("correlation_id") == _correlation(key)]
        return str(ours[0]["sys_id"]) if ours else None

    def create(self, letter: Letter) -> Delivery:
        """Make a record; 201."""
        fields = {
            "short_description": letter.title[:_TITLE],
            "description": _plain(letter.text),
            "correlation_id": _correlation(letter.key),
            "correlation_display": "monitord",
            **self._rank(letter),
            **self._group(letter),
            **self.spec.fields,
        }
        made = self._server.call("POST", f"/{self.spec.table}", send=fields).json()["result"]
        return Delivery(made["sys_id"], self._url(made["sys_id"]))

    def look(self, external: str) -> Remote | None:
        """Give a record without its journal."""
        params = {
            "sysparm_display_value": "all",
            "sysparm_fields": "state,assigned_to,priority,impact,urgency,due_date",
        }
        there = self._server.look(self._path(external), params=params)
        if there is None:
            return None
        row = there["result"]
        rank = f"{row['impact']['value']} {row['urgency']['value']}"
        return Remote(
            row["state"]["display_value"],
            row["state"]["value"] in _DONE,
            row["assigned_to"]["display_value"],
            reverse(self.spec.priorities, rank) or reverse(_SHOWN, row["priority"]["value"]),
            self._url(external),
            due=_in_utc((row.get("due_date") or {}).get("value", "")),
        )

    def remarks(self, external: str, since: Instant) -> tuple[Remark, ...]:
        """Give what people wrote since, work notes and comments; the journal's times are UTC.

        The newest are asked for, not those since: a time in a query is read in the user's zone.
        """
        params = {
            "sysparm_query": f"element_id={external}^elementINcomments,work_notes"
            "^ORDERBYDESCsys_created_on",
            "sysparm_fields": "sys_id,value,sys_created_by,sys_created_on",
            "sysparm_limit": "50",
        }
        rows = self._server.call("GET", "/sys_journal_field", params=params).json()["result"]
        said = [
            Remark(
                row["sys_id"],
                moment(row["sys_created_on"] + "Z"),
                row["sys_created_by"],
                row["value"],
            )
            for row in rows
        ]
        return said_by_people(said, since)

    def change(self, external: str, letter: Letter, done: bool | None) -> None:
        """Move impact and urgency, the group, the state."""
        fields: dict[str, str] = {}
        if "priority" in letter.moved:
            fields |= self._rank(letter)
        if "tier" in letter.moved:
            fields |= self._group(letter)
        if done:
            fields |= {
                "state": _RESOLVED,
                "close_code": self.spec.close_code,
                "close_notes": _plain(letter.note),
            }
        elif done is not None:
            fields["state"] = _IN_PROGRESS
        if fields:
            self._server.call("PATCH", self._path(external), send=fields)

    def comment(self, external: str, text: str) -> None:
        """Write a work note."""
        self._server.call("PATCH", self._path(external), send={"work_notes": _plain(text)})

    def _path(self, external: str) -> str:
        return f"/{self.spec.table}/{segment(external)}"

    def _rank(self, letter: Letter) -> dict[str, str]:
        impact, _, urgency = self.spec.priorities.get(letter.priority, "").partition(" ")
        return {"impact": impact, "urgency": urgency} if impact and urgency else {}

    def _group(self, letter: Letter) -> dict[str, str]:
        group = self.spec.tiers.get(letter.tier)
        return {"assignment_group": group} if group else {}

    def _url(self, external: str) -> str:
        return f"{self.spec.url}/nav_to.do?uri={self.spec.table}.do%3Fsys_id%3D{segment(external)}"

    def _login(self) -> Login:
        token = self.resolve(self.spec.token)
        return basic_login(self.spec.user, token) if self.spec.user else token_login(token)


def _plain(text: str) -> str:
    # Between these marks a journal shows HTML, and some of the text is a target's.
    return re.sub(r"\[(?=/?code\])", "[ ", text, flags=re.IGNORECASE)


def _correlation(key: str) -> str:
    # The caret separates the conditions of a query.
    return one_line(key, 100).replace("^", "_")


def _in_utc(value: str) -> str:
    """Give a stored time, which is UTC and says so nowhere, with its zone."""
    return f"{value}Z" if value else ""


KIND = BackendKind("servicenow", ServicenowSpec, Servicenow)
