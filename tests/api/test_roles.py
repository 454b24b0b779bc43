"""Every route with every role: what a user may not is refused before anything else is looked at."""

from __future__ import annotations

import re
import socket
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from monitord.api.access import Right
from monitord.api.app import ROUTES
from monitord.api.routes import Route
from monitord.control import CoreSaysNoError
from monitord.model.account import Role
from tests.api.cores import FakeCore

WORDS = "four strange words together"
MAY = {
    Role.VIEWER: {"read"},
    Role.RESPONDER: {"read", "respond"},
    Role.OPERATOR: {"read", "respond", "operate"},
    Role.ADMIN: {"read", "respond", "operate", "admin"},
}


@pytest.fixture(scope="module")
def users() -> Iterator[tuple[FakeCore, dict[Role, str]]]:
    with FakeCore(uvloop=True) as core:
        sessions = {}
        for role in Role:
            made = core.client.post("/v1/users", {"name": f"a-{role}", "role": role.value})
            word = made["link"].rpartition("/")[2]
            used = core.client.post("/v1/invitation/use", {"word": word, "password": WORDS})
            sessions[role] = used["session"]
        yield core, sessions


def answered(core: FakeCore, secret: str, route: Route) -> int:
    path = re.sub(r"{id:int}", "4711", route.path)
    path = re.sub(r"{\w+(:\w+)?}", "nobody", path)
    asked = core.client.on_behalf(secret)
    try:
        if route.method == "POST":
            asked.post(path, {"no such": "field"})
        elif route.path == "/v1/events":
            next(asked.follow(path))
        else:
            asked.text(path)
    except CoreSaysNoError as error:
        return error.status
    return 200


@pytest.mark.parametrize("role", list(Role))
def test_a_role_may_exactly_what_the_table_says(
    users: tuple[FakeCore, dict[Role, str]], role: Role
) -> None:
    core, sessions = users
    own = {"/v1/logout"}  # it would end the session that the rest is asked with
    for route in (one for one in ROUTES if one.path not in own):
        status = answered(core, sessions[role], route)
        refused = route.right.value not in MAY[role]
        assert (status == 403) is refused, (role, route.method, route.path, status)


def test_every_right_is_of_some_role_or_of_a_process() -> None:
    of_roles = set().union(*MAY.values())
    assert {right.value for right in Right} == {*of_roles, "ping", "link", "login"}


@pytest.mark.parametrize("secret", ["mds_nothing", "mdl_nothing", "x" * 5000])
def test_a_secret_that_proves_nothing_may_nothing_even_on_the_socket_of_root(
    users: tuple[FakeCore, dict[Role, str]], secret: str
) -> None:
    core, _ = users
    route = next(one for one in ROUTES if one.path == "/v1/status")
    assert answered(core, secret, route) == 401


def test_a_session_ends_with_its_logout(users: tuple[FakeCore, dict[Role, str]]) -> None:
    core, _ = users
    session = core.client.post("/v1/login", {"name": "a-viewer", "password": WORDS})["session"]
    asked = core.client.on_behalf(session)
    assert asked.get("/v1/me")["role"] == "viewer"
    asked.post("/v1/logout", {})
    with pytest.raises(CoreSaysNoError, match="not logged in"):
        asked.get("/v1/me")


def test_a_responder_ends_only_what_they_gave_themselves(
    users: tuple[FakeCore, dict[Role, str]],
) -> None:
    core, sessions = users
    for role, own in ((Role.RESPONDER, True), (Role.OPERATOR, False)):
        core.client.on_behalf(sessions[role]).post("/v1/resume", {"what": 1})
        assert core.calls("resume")[-1]["own"] is own


@pytest.mark.parametrize("header", ["Bearer", "Bearer \xa0", "Basic eDp5", "", "mds_nothing"])
def test_a_header_that_holds_no_secret_never_asks_as_the_peer(
    users: tuple[FakeCore, dict[Role, str]], header: str
) -> None:
    core, _ = users
    asked = b"GET /v1/me HTTP/1.1\r\nHost: x\r\nAuthorization: %s\r\nConnection: close\r\n\r\n"
    with socket.socket(socket.AF_UNIX) as sock:
        sock.settimeout(10)
        sock.connect(str(core.socket))
        sock.sendall(asked % header.encode("latin-1"))
        assert sock.recv(65536).startswith(b"HTTP/1.1 401 ")


@pytest.mark.parametrize("secret", ["", " ", "\xa0"])
def test_an_empty_secret_is_sent_and_refused(
    users: tuple[FakeCore, dict[Role, str]], secret: str
) -> None:
    core, _ = users
    with pytest.raises(CoreSaysNoError, match="not logged in"):
        core.client.on_behalf(secret).get("/v1/me")


def test_a_number_of_five_thousand_digits_is_no_row(
    users: tuple[FakeCore, dict[Role, str]],
) -> None:
    core, _ = users
    with pytest.raises(CoreSaysNoError, match="no such route") as told:
        core.client.get(f"/v1/incidents/{'9' * 5000}")
    assert told.value.status == 404


@pytest.mark.parametrize("days", [10**14, -(10**14), 401, 0])
def test_a_token_for_ever_is_refused(users: tuple[FakeCore, dict[Role, str]], days: int) -> None:
    core, sessions = users
    with pytest.raises(CoreSaysNoError, match="a token lasts at most 400 days") as told:
        core.client.on_behalf(sessions[Role.ADMIN]).post("/v1/tokens", {"about": "x", "days": days})
    assert told.value.status == 409


def test_a_token_of_an_admin_makes_nothing_that_outlives_it(
    users: tuple[FakeCore, dict[Role, str]],
) -> None:
    core, sessions = users
    admin = core.client.on_behalf(sessions[Role.ADMIN])
    found = core.client.on_behalf(
        admin.post("/v1/tokens", {"about": "x", "role": "admin"})["token"]
    )
    for route, body in (
        ("/v1/users", {"name": "evil", "role": "admin"}),
        ("/v1/users", {"name": "a-viewer"}),
        ("/v1/users/a-viewer", {"role": "admin"}),
        ("/v1/tokens", {"about": "more"}),
    ):
        with pytest.raises(CoreSaysNoError, match="a token makes no tokens and no users"):
            found.post(route, body)


def test_a_flood_of_logins_is_told_to_come_again(users: tuple[FakeCore, dict[Role, str]]) -> None:
    core, _ = users

    def tries(number: int) -> int:
        try:
            core.client.post("/v1/login", {"name": f"flood{number}", "password": "x"})
        except CoreSaysNoError as error:
            return error.status
        return 200

    with ThreadPoolExecutor(40) as pool:
        assert set(pool.map(tries, range(40))) == {401, 503}
    assert core.client.get("/v1/status")
