"""GitHub's and GitLab's issues, as their REST documentation says."""

from __future__ import annotations

from typing import Any

from tests.tickets.fakes.server import Fake, RefusedError, iso, only, route

TOKEN = "t0ken-of-the-forge"  # noqa: S105 - a test's own
GITHUB = "/repos/shop/operations"
GITLAB = "/api/v4/projects/shop%2Foperations"


class Github(Fake):
    """REST v3, version 2022-11-28."""

    def __init__(self) -> None:
        super().__init__()
        self.issues: dict[int, dict[str, Any]] = {}
        self.comments: dict[int, list[dict[str, Any]]] = {}

    def login(self, headers: dict[str, str]) -> None:
        """A bearer token; the API wants a user agent."""
        if headers.get("authorization") != f"Bearer {TOKEN}":
            raise RefusedError(401, {"message": "Bad credentials"})
        if not headers.get("user-agent"):
            raise RefusedError(403, {"message": "Request forbidden by administrative rules."})
        if headers.get("x-github-api-version") != "2022-11-28":
            raise RefusedError(400, {"message": "unsupported API version"})

    @route("POST", f"{GITHUB}/issues")
    def create(self, *, query: dict[str, str], body: Any) -> tuple[int, Any]:
        fields = only(body, "title", "body", "labels", "assignees", "milestone")
        if not fields.get("title") or len(fields.get("body", "")) > 65_536:
            error = {"resource": "Issue", "field": "title", "code": "missing_field"}
            raise RefusedError(422, {"message": "Validation Failed", "errors": [error]})
        number = self.next_number()
        self.issues[number] = {
            "id": 1000 + number,
            "number": number,
            "state": "open",
            "state_reason": None,
            "title": fields["title"],
            "body": fields.get("body"),
            "labels": [{"id": 1, "name": name} for name in fields.get("labels", ())],
            "assignees": [],
            "html_url": f"https://github.com/shop/operations/issues/{number}",
        }
        self.comments[number] = []
        return 201, self.issues[number]

    @route("GET", f"{GITHUB}/issues")
    def every(self, *, query: dict[str, str], body: Any) -> tuple[int, Any]:
        """Newest first; pull requests are issues too."""
        allowed = {"labels", "state", "per_page", "page", "since", "sort", "direction"}
        if set(query) - allowed:
            raise RefusedError(422, {"message": "Validation Failed"})
        wanted = {name for name in query.get("labels", "").split(",") if name}
        rows = [
            row
            for row in reversed(self.issues.values())
            if query.get("state", "open") in ("all", row["state"])
            and wanted <= {label["name"] for label in row["labels"]}
        ]
        size, page = int(query.get("per_page", 30)), int(query.get("page", 1))
        return 200, rows[(page - 1) * size : page * size]

    @route("GET", f"{GITHUB}/issues/{{}}")
    def get(self, number: str, *, query: dict[str, str], body: Any) -> tuple[int, Any]:
        return 200, self._issue(number)

    @route("PATCH", f"{GITHUB}/issues/{{}}")
    def change(self, number: str, *, query: dict[str, str], body: Any) -> tuple[int, Any]:
        issue = self._issue(number)
        fields = only(body, "title", "body", "state", "state_reason", "labels", "assignees")
        if fields.get("state", "open") not in ("open", "closed"):
            raise RefusedError(422, {"message": "Validation Failed"})
        if fields.get("state_reason") not in (None, "completed", "not_planned", "reopened"):
            raise RefusedError(422, {"message": "Validation Failed"})
        if "labels" in fields:
            fields = {**fields, "labels": [{"id": 1, "name": name} for name in fields["labels"]]}
        issue.update(fields)
        return 200, issue

    @route("POST", f"{GITHUB}/issues/{{}}/comments")
    def say(self, number: str, *, query: dict[str, str], body: Any) -> tuple[int, Any]:
        self._issue(number)
        return 201, self.add_comment(int(number), only(body, "body")["body"], "monitord-bot")

    @route("GET", f"{GITHUB}/issues/{{}}/comments")
    def said(self, number: str, *, query: dict[str, str], body: Any) -> tuple[int, Any]:
        self._issue(number)
        since = query.get("since", "")
        rows = [row for row in self.comments[int(number)] if row["updated_at"] >= since]
        size, page = int(query.get("per_page", 30)), int(query.get("page", 1))
        return 200, rows[(page - 1) * size : page * size]

    def add_comment(self, number: int, body: str, login: str) -> dict[str, Any]:
        moment = iso(self.now())
        row = {
            "id": 5000 + self.next_number(),
            "body": body,
            "user": {"login": login},
            "created_at": moment,
            "updated_at": moment,
        }
        self.comments[number].append(row)
        return row

    def _issue(self, number: str) -> dict[str, Any]:
        if int(number) not in self.issues:
            raise RefusedError(404, {"message": "Not Found"})
        return self.issues[int(number)]


class Gitlab(Fake):
    """REST v4; `iid` is the number that people see."""

    def __init__(self) -> None:
        super().__init__()
        self.issues: dict[int, dict[str, Any]] = {}
        self.notes: dict[int, list[dict[str, Any]]] = {}

    def login(self, headers: dict[str, str]) -> None:
        """A private token in a header of its own."""
        if headers.get("private-token") != TOKEN:
            raise RefusedError(401, {"message": "401 Unauthorized"})

    @route("POST", f"{GITLAB}/issues")
    def create(self, *, query: dict[str, str], body: Any) -> tuple[int, Any]:
        fields = only(body, "title", "description", "labels", "assignee_ids", "confidential")
        if not fields.get("title"):
            raise RefusedError(400, {"error": "title is missing"})
        number = self.next_number()
        self.issues[number] = {
            "id": 80 + number,
            "iid": number,
            "project_id": 4,
            "state": "opened",
            "title": fields["title"],
            "description": fields.get("description"),
            "labels": [name for name in fields.get("labels", "").split(",") if name],
            "assignees": [],
            "due_date": None,
            "created_at": iso(self.now()),
            "web_url": f"https://gitlab.example.com/shop/operations/-/issues/{number}",
        }
        self.notes[number] = []
        return 201, self.issues[number]

    @route("GET", f"{GITLAB}/issues")
    def every(self, *, query: dict[str, str], body: Any) -> tuple[int, Any]:
        """`search` asks for each of its words, anywhere in the fields of `in`."""
        places = query.get("in", "title,description").split(",")
        wanted = {name for name in query.get("labels", "").split(",") if name}
        rows = []
        for row in self.issues.values():
            text = " ".join(str(row[place]) for place in places)
            found = all(word in text for word in query.get("search", "").split())
            if found and wanted <= set(row["labels"]):
                rows.append(row)
        if query.get("sort", "desc") == "desc":
            rows.reverse()
        return 200, rows[: int(query.get("per_page", 20))]

    @route("GET", f"{GITLAB}/issues/{{}}")
    def get(self, number: str, *, query: dict[str, str], body: Any) -> tuple[int, Any]:
        return 200, self._issue(number)

    @route("PUT", f"{GITLAB}/issues/{{}}")
    def change(self, number: str, *, query: dict[str, str], body: Any) -> tuple[int, Any]:
        issue = self._issue(number)
        names = ("title", "description", "state_event", "labels", "add_labels", "remove_labels")
        fields = only(body, *names)
        if not fields or fields.get("state_event") not in (None, "close", "reopen"):
            raise RefusedError(400, {"error": "state_event does not have a valid value"})
        if "state_event" in fields:
            before = issue["state"]
            issue["state"] = "closed" if fields["state_event"] == "close" else "opened"
            if before != issue["state"]:
                self.add_note(int(number), issue["state"], "monitord", system=True)
        gone = fields.get("remove_labels", "").split(",")
        new = [name for name in fields.get("add_labels", "").split(",") if name]
        issue["labels"] = [n for n in issue["labels"] if n not in gone and n not in new] + new
        return 200, issue

    @route("POST", f"{GITLAB}/issues/{{}}/notes")
    def say(self, number: str, *, query: dict[str, str], body: Any) -> tuple[int, Any]:
        self._issue(number)
        return 201, self.add_note(int(number), only(body, "body")["body"], "monitord")

    @route("GET", f"{GITLAB}/issues/{{}}/notes")
    def said(self, number: str, *, query: dict[str, str], body: Any) -> tuple[int, Any]:
        self._issue(number)
        rows = list(self.notes[int(number)])
        if query.get("sort", "desc") == "desc":
            rows.reverse()
        return 200, rows[: int(query.get("per_page", 20))]

    def add_note(
        self, number: int, body: str, user: str, *, system: bool = False
    ) -> dict[str, Any]:
        row = {
            "id": 300 + self.next_number(),
            "body": body,
            "author": {"id": 1, "username": user},
            "created_at": self.now().isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            "system": system,
        }
        self.notes[number].append(row)
        return row

    def _issue(self, number: str) -> dict[str, Any]:
        if int(number) not in self.issues:
            raise RefusedError(404, {"message": "404 Not found"})
        return self.issues[int(number)]
