"""The contract that is shipped for authors of backends, asked of our own."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from io import StringIO

import pytest

from monitord.errors import TicketError
from monitord.tickets import BACKENDS
from monitord.tickets.contract import CHECKS, HTTP_CHECKS, Rig
from tests.tickets.real import Alertmanager, RequestTracker
from tests.tickets.rigs import FAKES, build, faked, rig
from tests.tickets.ticket import TICKET, message
from tests.world.needs import need
from tests.world.sinks import WebhookSink

REAL = {"rt": ("request-tracker", RequestTracker), "alertmanager": ("alertmanager", Alertmanager)}
NAMES = sorted({*FAKES, *REAL, "email"})


# Apprise does not tell how far it came, and the host of its URLs is often the key of a service.
NOT_ASKED_OF_APPRISE = {
    "a_closed_port_may_be_tried_again",
    "a_silent_server_costs_the_time_out",
    "a_server_that_drips_costs_the_time_out",
}


@pytest.fixture(scope="module", params=NAMES)
def before(request: pytest.FixtureRequest) -> Iterator[tuple[str, Rig]]:
    name: str = request.param
    if name in REAL:
        wanted, peer = REAL[name]
        need(wanted)
        with peer() as real:
            yield name, rig(name, real.url)
    else:
        with faked(name) as found:
            yield name, found


def test_there_is_a_server_for_every_kind() -> None:
    assert {name.removesuffix("-cloud") for name in NAMES} == set(BACKENDS)


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
def test_a_backend_keeps_the_contract(
    before: tuple[str, Rig], check: Callable[[Rig], None]
) -> None:
    if before[0] != "apprise" or check.__name__ not in NOT_ASKED_OF_APPRISE:
        check(before[1])


def test_apprise_costs_its_time_out_and_shows_no_key() -> None:
    with WebhookSink() as server:
        server.hang()
        backend = build("apprise", server.url.replace("//", "//kim:s3cr3t@"), timeout=0.4)
        with pytest.raises(TicketError) as caught:
            backend.deliver(message(), TICKET, "")
        server.answer()
    assert (str(caught.value), caught.value.unknown) == ("apprise: no answer within 0.4 s", True)


@pytest.mark.parametrize(
    "url",
    [
        "ntfy://kim:s3cr3t@{place}/my-topic",
        "rocket://kimkim:s3cr3t@{place}/#channel",
        "slack://s3cr3t/token1",
        "nosuch://kim:s3cr3t@{place}/my-topic",
    ],
)
def test_apprise_says_why_without_what_opens_the_service(url: str) -> None:
    logged = StringIO()
    handler, root = logging.StreamHandler(logged), logging.getLogger()
    root.addHandler(handler)
    try:
        with WebhookSink() as server:
            server.answer(401)
            place = server.url.removeprefix("http://")
            backend = build("apprise", url.format(place=place))
            with pytest.raises(TicketError) as caught:
                backend.deliver(message(), TICKET, "")
    finally:
        root.removeHandler(handler)
    said = str(caught.value) + logged.getvalue()
    assert "no reason given" not in said
    for part in ("s3cr3t", "kimkim", "my-topic", "#channel", "token1"):
        assert part not in said


def test_one_that_speaks_http_reads_its_answers(before: tuple[str, Rig]) -> None:
    name, found = before
    for check in HTTP_CHECKS if name not in ("apprise", "email") else ():
        check(found)
