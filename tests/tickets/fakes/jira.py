"""Jira's issues on Data Center (REST 2) and Cloud (REST 3), as documented: a small workflow."""

from __future__ import annotations

import base64
import re
from typing import Any

from tests.tickets.fakes.server import Fake, RefusedError, only, route

TOKEN = "t0ken-of-jira"  # noqa: S105 - a test's own
STATUSES = {"To Do": "new", "In Progress": "indeterminate", "Done": "done", "Won't Do": "done"}
MOVES = {
    "To Do": {
        "11": ("Start", "In Progress"),
        "31": ("Resolve", "Done"),
        "41": ("Reject", "Won't Do"),
    },
    "In Progress": {"31": ("Resolve", "Done"), "41": ("Reject", "Won't Do")},
    "Done": {"51": ("Reopen", "To Do")},
    "Won't Do": {"51": ("Reopen", "To Do")},
}


class Jira(Fake):
    """`version` 2 takes plain text, 3 takes documents; each refuses what the other takes."""

    version = 2

    def __init__(self) -> None:
        super().__init__()
        self.issues: dict[str, dict[str, Any]] = {}
        self.comments: dict[str, list[dict[str, Any]]] = {}

    def login(self, headers: dict[str, str]) -> None:
        """A bearer token on Data Center, mail and token on Cloud."""
        packed = base64.b64encode(f"kim@example.com:{TOKEN}".encode()).decode()
        wanted = f"Bearer {TOKEN}" if self.version == 2 else f"Basic {packed}"
        if headers.get("authorization") != wanted:
            raise RefusedError(401, {"errorMessages": ["You are not authenticated."], "errors": {}})

    @route("POST", "/rest/api/{}/issue")
    def create(self, version: str, *, query: dict[str, str], body: Any) -> tuple[int, Any]:
        self._version(version)
        names = ("project", "issuetype", "summary", "description", "labels", "priority")
        fields = only(only(body, "fields")["fields"], *names)
        errors = {}
        if not fields.get("summary") or "\n" in fields["summary"] or len(fields["summary"]) > 255:
            errors["summary"] = "You must specify a summary of the issue."
        if "name" not in fields.get("issuetype", {}):
            errors["issuetype"] = "issue type is required"
        if any(re.search(r"\s", label) for label in fields.get("labels", ())):
            errors["labels"] = "The label contains spaces which is invalid."
        if errors:
            raise RefusedError(400, {"errorMessages": [], "errors": errors})
        self._text(fields.get("description"))
        number = self.next_number()
        key = f"{fields['project']['key']}-{number}"
        self.issues[key] = {**fields, "status": "To Do", "assignee": None}
        self.comments[key] = []
        return 201, {
            "id": str(10_000 + number),
            "key": key,
            "self": f"{self.url}/rest/api/2/issue/{number}",
        }

    @route("GET", "/rest/api/{}/search")
    def search(self, version: str, *, query: dict[str, str], body: Any) -> tuple[int, Any]:
        if version == "3":
            raise RefusedError(410, {"errorMessages": ["The requested API has been removed."]})
        return 200, {"startAt": 0, "total": 1, "issues": self._search(query)}

    @route("GET", "/rest/api/{}/search/jql")
    def search_jql(self, version: str, *, query: dict[str, str], body: Any) -> tuple[int, Any]:
        if version != "3":
            raise RefusedError(404, {"errorMessages": ["null for uri"]})
        return 200, {"isLast": True, "issues": self._search(query)}

    @route("GET", "/rest/api/{}/issue/{}")
    def get(self, version: str, key: str, *, query: dict[str, str], body: Any) -> tuple[int, Any]:
        self._version(version)
        issue = self._issue(key)
        fields = {
            "status": _status(issue["status"]),
            "assignee": issue["assignee"] and {"displayName": issue["assignee"]},
            "priority": issue.get("priority"),
            "duedate": issue.get("duedate"),
        }
        return 200, {"key": key, "fields": {n: fields[n] for n in query["fields"].split(",")}}

    @route("PUT", "/rest/api/{}/issue/{}")
    def edit(self, version: str, key: str, *, query: dict[str, str], body: Any) -> tuple[int, Any]:
        self._version(version)
        issue, edit = self._issue(key), only(body, "fields", "update")
        issue.update(only(edit.get("fields", {}), "summary", "description", "priority", "labels"))
        for change in only(edit.get("update", {}), "labels").get("labels", ()):
            issue["labels"] = [n for n in issue["labels"] if n != change.get("remove")]
            issue["labels"] += [change["add"]] if "add" in change else []
        return 204, None

    @route("GET", "/rest/api/{}/issue/{}/transitions")
    def moves(self, version: str, key: str, *, query: dict[str, str], body: Any) -> tuple[int, Any]:
        rows = MOVES[self._issue(key)["status"]]
        return 200, {
            "transitions": [
                {"id": each, "name": name, "to": _status(to)} for each, (name, to) in rows.items()
            ]
        }

    @route("POST", "/rest/api/{}/issue/{}/transitions")
    def move(self, version: str, key: str, *, query: dict[str, str], body: Any) -> tuple[int, Any]:
        issue = self._issue(key)
        found = MOVES[issue["status"]].get(only(body, "transition")["transition"]["id"])
        if found is None:
            raise RefusedError(
                400, {"errorMessages": ["It seems that you have tried to perform …"]}
            )
        issue["status"] = found[1]
        return 204, None

    @route("POST", "/rest/api/{}/issue/{}/comment")
    def say(self, version: str, key: str, *, query: dict[str, str], body: Any) -> tuple[int, Any]:
        self._version(version)
        self._issue(key)
        said = only(body, "body")["body"]
        self._text(said)
        return 201, self.add_comment(key, said, "monitord")

    @route("GET", "/rest/api/{}/issue/{}/comment")
    def said(self, version: str, key: str, *, query: dict[str, str], body: Any) -> tuple[int, Any]:
        self._issue(key)
        rows = list(self.comments[key])
        if query.get("orderBy") == "-created":
            rows.reverse()
        return 200, {"startAt": 0, "comments": rows[: int(query.get("maxResults", 50))]}

    def add_comment(self, key: str, body: Any, by: str) -> dict[str, Any]:
        row = {
            "id": str(20_000 + self.next_number()),
            "author": {"displayName": by},
            "body": body,
            "created": self.now().strftime("%Y-%m-%dT%H:%M:%S.000+0000"),
        }
        self.comments[key].append(row)
        return row

    def _search(self, query: dict[str, str]) -> list[dict[str, Any]]:
        found = re.fullmatch(r'labels = "([^"]+)" ORDER BY created ASC', query["jql"])
        if found is None:
            raise RefusedError(400, {"errorMessages": ["Error in the JQL Query"], "errors": {}})
        keys = [key for key, issue in self.issues.items() if found[1] in issue["labels"]]
        return [{"id": "1", "key": key} for key in keys[: int(query.get("maxResults", 50))]]

    def _version(self, version: str) -> None:
        if version != str(self.version):
            raise RefusedError(404, {"errorMessages": ["Not Found"]})

    def _text(self, body: Any) -> None:
        if self.version == 2 and not isinstance(body, str):
            raise RefusedError(400, {"errors": {"description": "Operation value must be a string"}})
        if self.version == 3:
            well = isinstance(body, dict) and body.get("type") == "doc" and body.get("version") == 1
            if not well or not body.get("content"):
                text = "Operation value must be an Atlassian Document"
                raise RefusedError(400, {"errorMessages": [], "errors": {"description": text}})

    def _issue(self, key: str) -> dict[str, Any]:
        if key not in self.issues:
            raise RefusedError(404, {"errorMessages": ["Issue does not exist"], "errors": {}})
        return self.issues[key]


class JiraCloud(Jira):
    """REST 3."""

    version = 3


def _status(name: str) -> dict[str, Any]:
    return {"name": name, "statusCategory": {"key": STATUSES[name]}}
