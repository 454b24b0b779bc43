"""ServiceNow's Table API, Zammad's REST API v1 and PagerDuty's Events API v2, as documented."""

from __future__ import annotations

import base64
import re
import uuid
from typing import Any

from tests.tickets.fakes.server import Fake, RefusedError, only, route

PASSWORD = "p4ss-of-the-desk"  # noqa: S105 - a test's own
ROUTING = "0123456789abcdef0123456789abcdef"
INCIDENT = "/api/now/table/incident"


class Servicenow(Fake):
    """Basic login; each value is a text."""

    def __init__(self) -> None:
        super().__init__()
        self.records: dict[str, dict[str, str]] = {}
        self.journal: list[dict[str, str]] = []
        self.final = False  # a business rule lets nothing that is resolved be opened again

    def login(self, headers: dict[str, str]) -> None:
        wanted = "Basic " + base64.b64encode(f"monitord:{PASSWORD}".encode()).decode()
        if headers.get("authorization") != wanted:
            error = {"message": "User Not Authenticated", "detail": "Required to provide Auth"}
            raise RefusedError(401, {"error": error, "status": "failure"})
        if headers.get("accept") != "application/json":
            raise RefusedError(406, {"error": {"message": "Not Acceptable"}, "status": "failure"})

    @route("POST", INCIDENT)
    def create(self, *, query: dict[str, str], body: Any) -> tuple[int, Any]:
        number = uuid.uuid4().hex
        blank = {"state": "1", "assigned_to": "", "impact": "3", "urgency": "3", "due_date": ""}
        self.records[number] = {
            **blank,
            "sys_id": number,
            "number": f"INC{self.next_number():07}",
            "sys_created_on": self.now().strftime("%Y-%m-%d %H:%M:%S"),
        }
        self._set(number, body)
        return 201, {"result": self.records[number]}

    @route("GET", INCIDENT)
    def query(self, *, query: dict[str, str], body: Any) -> tuple[int, Any]:
        """Conditions joined by carets, `field=value`; ORDERBY at the end."""
        rows = list(self.records.values())
        for condition in query["sysparm_query"].split("^"):
            if condition.startswith("ORDERBY"):
                rows.sort(key=lambda row: row[condition.removeprefix("ORDERBY")])
                continue
            name, _, value = condition.partition("=")
            if not any(name in row for row in rows):
                continue  # a condition on a field that no record has is ignored
            rows = [row for row in rows if row.get(name) == value]
        return 200, {
            "result": [self._shown(row, query) for row in rows[: int(query["sysparm_limit"])]]
        }

    @route("GET", f"{INCIDENT}/{{}}")
    def get(self, number: str, *, query: dict[str, str], body: Any) -> tuple[int, Any]:
        return 200, {"result": self._shown(self._record(number), query)}

    @route("PATCH", f"{INCIDENT}/{{}}")
    def change(self, number: str, *, query: dict[str, str], body: Any) -> tuple[int, Any]:
        record = self._record(number)
        if self.final and record.get("state") == "6" and body.get("state") == "2":
            said = {"message": "Operation Failed", "detail": "aborted by Business Rule 'no reopen'"}
            raise RefusedError(403, {"error": said, "status": "failure"})
        self._set(number, body)
        return 200, {"result": self.records[number]}

    @route("GET", "/api/now/table/sys_journal_field")
    def read_journal(self, *, query: dict[str, str], body: Any) -> tuple[int, Any]:
        found = re.fullmatch(
            r"element_id=(\w+)\^elementINcomments,work_notes\^ORDERBYDESCsys_created_on",
            query["sysparm_query"],
        )
        if found is None:
            raise RefusedError(400, {"error": {"message": "Invalid query"}, "status": "failure"})
        rows = [row for row in reversed(self.journal) if row["element_id"] == found[1]]
        rows = rows[: int(query["sysparm_limit"])]
        return 200, {"result": [self._shown(row, query) for row in rows]}

    def write_journal(self, number: str, field: str, text: str, by: str) -> None:
        self.journal.append(
            {
                "sys_id": uuid.uuid4().hex,
                "element_id": number,
                "element": field,
                "value": text,
                "sys_created_by": by,
                "sys_created_on": self.now().strftime("%Y-%m-%d %H:%M:%S"),
            }
        )

    def _set(self, number: str, body: Any) -> None:
        if not isinstance(body, dict) or not all(isinstance(v, str) for v in body.values()):
            raise RefusedError(400, {"error": {"message": "values are texts"}, "status": "failure"})
        if len(body.get("short_description", "")) > 160 or len(body.get("description", "")) > 4000:
            raise RefusedError(400, {"error": {"message": "too long"}, "status": "failure"})
        if body.get("state") == "6" and not (body.get("close_code") and body.get("close_notes")):
            # The data policy of a new instance asks for both.
            error = {"message": "Operation Failed", "detail": "Data Policy Exception"}
            raise RefusedError(403, {"error": error, "status": "failure"})
        for field in ("work_notes", "comments"):
            if body.get(field):
                self.write_journal(number, field, body[field], "monitord")
        record = self.records[number]
        record.update({k: v for k, v in body.items() if k not in ("work_notes", "comments")})
        ranks = {"11": "1", "12": "2", "21": "2", "13": "3", "22": "3", "31": "3", "23": "4"}
        record["priority"] = ranks.get(record["impact"] + record["urgency"], "5")

    def _record(self, number: str) -> dict[str, str]:
        if number not in self.records:
            raise RefusedError(404, {"error": {"message": "No Record found"}, "status": "failure"})
        return self.records[number]

    def _shown(self, row: dict[str, str], query: dict[str, str]) -> dict[str, Any]:
        names = query["sysparm_fields"].split(",")
        shown: dict[str, Any] = {name: row.get(name, "") for name in names}
        if query.get("sysparm_display_value") == "all":
            words = {"1": "New", "2": "In Progress", "6": "Resolved", "8": "Canceled"}
            shown = {
                name: {
                    "value": value,
                    "display_value": words.get(value, value) if name == "state" else value,
                }
                for name, value in shown.items()
            }
        return shown


class Zammad(Fake):
    """Token login; `expand=true` gives names where there are numbers else."""

    def __init__(self) -> None:
        super().__init__()
        self.tickets: dict[int, dict[str, Any]] = {}
        self.articles: list[dict[str, Any]] = []

    def login(self, headers: dict[str, str]) -> None:
        if headers.get("authorization") != f"Token token={PASSWORD}":
            raise RefusedError(401, {"error": "Invalid BasicAuth credentials"})

    @route("POST", "/api/v1/tickets")
    def create(self, *, query: dict[str, str], body: Any) -> tuple[int, Any]:
        fields = only(body, "title", "group", "customer", "state", "priority", "tags", "article")
        for name in ("title", "group", "customer"):
            if not fields.get(name):
                raise RefusedError(422, {"error": f"{name.capitalize()} can't be blank"})
        number = self.next_number()
        self.tickets[number] = {
            "id": number,
            "number": f"220{number:02}",
            "owner": "-",
            "state": "new",
        }
        self._set(number, fields)
        return 201, {"id": number, "number": self.tickets[number]["number"], "state_id": 1}

    @route("GET", "/api/v1/tickets/search")
    def search(self, *, query: dict[str, str], body: Any) -> tuple[int, Any]:
        """Words of the title, as Elasticsearch finds a phrase."""
        found = re.fullmatch(r'title:"([^"]+)"', query["query"])
        if found is None or query.get("expand") != "true":
            raise RefusedError(422, {"error": "cannot parse the query"})
        phrase = re.findall(r"\w+", found[1])
        rows = []
        for ticket in self.tickets.values():
            words = re.findall(r"\w+", ticket["title"])
            if any(words[i : i + len(phrase)] == phrase for i in range(len(words))):
                rows.append(ticket)
        return 200, rows[: int(query["limit"])]

    @route("GET", "/api/v1/tickets/{}")
    def get(self, number: str, *, query: dict[str, str], body: Any) -> tuple[int, Any]:
        return 200, self._ticket(number)

    @route("PUT", "/api/v1/tickets/{}")
    def change(self, number: str, *, query: dict[str, str], body: Any) -> tuple[int, Any]:
        self._ticket(number)
        self._set(int(number), only(body, "title", "group", "state", "priority", "article"))
        return 200, {"id": int(number)}

    @route("GET", "/api/v1/ticket_articles/by_ticket/{}")
    def said(self, number: str, *, query: dict[str, str], body: Any) -> tuple[int, Any]:
        return 200, [row for row in self.articles if row["ticket_id"] == int(number)]

    def add_article(self, number: int, body: str, by: str) -> None:
        moment = self.now().isoformat(timespec="milliseconds").replace("+00:00", "Z")
        self.articles.append(
            {
                "id": 70 + self.next_number(),
                "ticket_id": number,
                "body": body,
                "sender": "Agent",
                "type": "note",
                "created_by": by,
                "created_at": moment,
            }
        )

    def _set(self, number: int, fields: dict[str, Any]) -> None:
        if fields.get("state", "new") not in ("new", "open", "closed", "pending close"):
            raise RefusedError(
                422, {"error": f"No lookup value found for 'state': {fields['state']}"}
            )
        if fields.get("priority", "2 normal") not in ("1 low", "2 normal", "3 high"):
            raise RefusedError(422, {"error": "No lookup value found for 'priority'"})
        article = fields.get("article")
        if article is not None:
            only(article, "subject", "body", "content_type", "type", "internal")
            self.add_article(number, article["body"], "monitord@example.com")
        names = ("title", "group", "state", "priority")
        self.tickets[number].update({n: fields[n] for n in names if n in fields})
        self.tickets[number].setdefault("priority", "2 normal")

    def _ticket(self, number: str) -> dict[str, Any]:
        if int(number) not in self.tickets:
            raise RefusedError(404, {"error": f"Couldn't find Ticket with 'id'={number}"})
        return self.tickets[int(number)]


class Pagerduty(Fake):
    """One address; alerts by their dedup_key."""

    def __init__(self) -> None:
        super().__init__()
        self.alerts: dict[str, str] = {}

    @route("POST", "/v2/enqueue")
    def enqueue(self, *, query: dict[str, str], body: Any) -> tuple[int, Any]:
        reasons = list(wrong_with(body))
        if reasons:
            said = {
                "status": "invalid event",
                "message": "Event object is invalid",
                "errors": reasons,
            }
            raise RefusedError(400, said)
        key = body.get("dedup_key") or uuid.uuid4().hex
        action = body["event_action"]
        if action == "trigger" or key in self.alerts:
            self.alerts[key] = action
        return 202, {"status": "success", "message": "Event processed", "dedup_key": key}


def wrong_with(event: Any) -> list[str]:
    """Tell what the documentation of the Events API v2 forbids in an event."""
    found = []
    known = {
        *("routing_key", "event_action", "dedup_key", "payload"),
        *("client", "client_url", "links", "images"),
    }
    if set(event) - known:
        found.append(f"unknown {sorted(set(event) - known)}")
    if len(event.get("routing_key", "")) != 32:
        found.append("routing_key")
    if event.get("event_action") not in ("trigger", "acknowledge", "resolve"):
        found.append("event_action")
    if len(event.get("dedup_key", "")) > 255:
        found.append("dedup_key")
    if event.get("event_action") != "trigger":
        return found if event.get("dedup_key") else [*found, "dedup_key is missing"]
    payload = event.get("payload", {})
    names = ("summary", "source", "severity")
    found += [f"{name} is missing" for name in names if not payload.get(name)]
    if len(payload.get("summary", "")) > 1024:
        found.append("summary is too long")
    if payload.get("severity") not in ("critical", "error", "warning", "info"):
        found.append("severity")
    return found
