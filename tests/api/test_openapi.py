"""The OpenAPI document is the table of routes, and handlers take what it says that they take."""

from __future__ import annotations

import importlib
import inspect
import json
import re
from typing import Any

import pytest

from monitord.api.app import ROUTES
from monitord.api.openapi import OF_PERSONS, document
from monitord.api.routes import Route
from monitord.control import Passed
from tests.api.cores import FakeCore

DOCUMENT = document(ROUTES, outside=False)
POSTS = [route for route in ROUTES if route.method == "POST"]
NO_BODY = {"/v1/reload", "/v1/login/begin", "/v1/logout", "/v1/credentials/{id:int}/end"}


def operation(route: Route) -> dict[str, Any]:
    return DOCUMENT["paths"][re.sub(r":\w+}", "}", route.path)][route.method.lower()]


def path_of(route: Route) -> str:
    path = route.path.replace("{id:int}", "4711")
    return re.sub(r"{\w+(:\w+)?}", "nobody", path)


def test_every_route_is_in_it_with_its_right_and_a_name_of_its_own() -> None:
    assert [operation(route)["x-monitord-right"] for route in ROUTES] == [
        route.right.value for route in ROUTES
    ]
    assert len({operation(route)["operationId"] for route in ROUTES}) == len(ROUTES)
    assert sum(len(methods) for methods in DOCUMENT["paths"].values()) == len(ROUTES)


def test_from_outside_it_tells_only_what_a_role_may() -> None:
    shown = document(ROUTES, outside=True)
    rights = {one["x-monitord-right"] for path in shown["paths"].values() for one in path.values()}
    assert rights == {right.value for right in OF_PERSONS}
    assert (shown["servers"], shown["security"]) == ([{"url": "/api"}], [{"bearer": []}])
    assert all(path.startswith("/v1/") for path in shown["paths"])


def test_the_core_gives_it_by_who_asks(core: FakeCore) -> None:
    assert core.client.get("/v1/openapi.json") == json.loads(json.dumps(DOCUMENT))
    made = core.client.post("/v1/users", {"name": "doc", "role": "viewer"})["link"]
    word = made.rpartition("/")[2]
    used = core.client.post("/v1/invitation/use", {"word": word, "password": "four strange words"})
    told = core.client.on_behalf(used["session"]).get("/v1/openapi.json")
    assert told["servers"] == [{"url": "/api"}]


@pytest.mark.parametrize("route", POSTS, ids=lambda route: route.path)
def test_a_handler_reads_the_body_that_its_route_tells(core: FakeCore, route: Route) -> None:
    assert (route.body is None) is (route.path in NO_BODY)
    if route.body is None:
        return
    answer: Passed = core.client.pass_on("POST", path_of(route), [], b'{"no such": 1}')
    told = json.loads(answer.body)["error"]["text"]
    every = route.body.model_fields.items()
    fields = [(field.alias or name, field) for name, field in every]
    needed = {name for name, field in fields if field.is_required()}
    assert answer.status == 400
    assert {*re.findall(r"(\w+): is missing", told)} == needed
    assert "no such: is not known here" in told
    wrong = json.dumps({name: {} for name, _ in fields}).encode()
    told = json.loads(core.client.pass_on("POST", path_of(route), [], wrong).body)["error"]["text"]
    assert "is not known here" not in told


@pytest.mark.parametrize("module", sorted({route.handler.__module__ for route in ROUTES}))
def test_what_handlers_ask_of_the_query_is_what_their_routes_tell(module: str) -> None:
    source = inspect.getsource(importlib.import_module(module))
    asks = r"(?:query_params|wanted)(?:\.get\(|\[)\s*\"(\w+)\"|\"(\w+)\" in wanted"
    found = {one or two for one, two in re.findall(asks, source)}
    found |= {*re.findall(r"number_of\(asked, \"(\w+)\"", source)}
    found |= {"limit"} if "limit_of(" in source else set()
    found |= {"since"} if "asked_since(" in source else set()
    told = {name for r in ROUTES if r.handler.__module__ == module for name in r.query}
    assert told == found
