"""Mail and webhook before real servers that refuse and misbehave: what is worth another try."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from monitord.errors import SecretError, TicketError
from monitord.model.kinds import TicketBackend
from monitord.model.ticket import Delivery, Operation
from monitord.secrets import SecretRef, resolve
from monitord.tickets import BACKENDS
from tests.probes_network.clean import is_clean
from tests.probes_network.sockets import connected_to
from tests.tickets.ticket import TICKET, message
from tests.world.hostile import hostile
from tests.world.process import free_port
from tests.world.sinks import MailSink, WebhookSink

SECRET = "s3cr3t-of-the-hook"  # noqa: S105 - a test's own


def plain(value: str | SecretRef) -> str:
    return value if isinstance(value, str) else resolve(value)


@dataclass
class Rig:
    """One backend before its server; `at` builds it for another port and time-out."""

    name: str
    port: int
    backend: TicketBackend
    at: Callable[[int, str], TicketBackend]
    refuse_for_now: Callable[[], None]
    refuse_for_good: Callable[[], None]
    accept: Callable[[], None]
    taken: Callable[[], int]


def webhook(port: int, timeout: str = "5s", **more: Any) -> TicketBackend:
    kind = BACKENDS["webhook"]
    spec = {"url": f"http://127.0.0.1:{port}/hook", "secret": SECRET, "timeout": timeout}
    return kind.build(kind.spec.model_validate(spec | more), plain)


def mail(port: int, timeout: str = "5s", **more: Any) -> TicketBackend:
    kind = BACKENDS["email"]
    spec = {
        "host": "127.0.0.1",
        "port": port,
        "security": "none",
        "sender": "monitord@example.com",
        "to": ["ops@example.com", "night@example.com"],
        "timeout": timeout,
    }
    return kind.build(kind.spec.model_validate(spec | more), plain)


@pytest.fixture(params=["email", "webhook"])
def rig(request: pytest.FixtureRequest) -> Iterator[Rig]:
    if request.param == "webhook":
        with WebhookSink() as sink:
            yield Rig(
                "webhook",
                sink.port,
                webhook(sink.port),
                webhook,
                lambda: sink.answer(503),
                lambda: sink.answer(422),
                sink.answer,
                lambda: len(sink.received),
            )
    else:
        with MailSink() as post:
            yield Rig(
                "email",
                post.port,
                mail(post.port),
                mail,
                lambda: post.refuse("451 4.3.0 later"),
                lambda: post.refuse("550 5.7.1 no"),
                post.accept,
                lambda: len(post.messages),
            )


def failure(backend: TicketBackend) -> TicketError:
    with pytest.raises(TicketError) as caught:
        backend.deliver(message(), TICKET, "")
    assert is_clean(str(caught.value))
    return caught.value


def test_a_message_is_taken(rig: Rig) -> None:
    assert isinstance(rig.backend.deliver(message(), TICKET, ""), Delivery)
    assert rig.taken() == 1


def test_a_refusal_for_now_may_be_tried_again(rig: Rig) -> None:
    rig.refuse_for_now()
    assert not failure(rig.backend).permanent
    rig.accept()
    rig.backend.deliver(message(), TICKET, "")


def test_a_refusal_for_good_is_not_tried_again(rig: Rig) -> None:
    rig.refuse_for_good()
    assert failure(rig.backend).permanent


def test_a_closed_port_may_be_tried_again(rig: Rig) -> None:
    error = failure(rig.at(free_port(), "5s"))
    assert not error.permanent
    assert "refused" in str(error)


@pytest.mark.parametrize("manner", ["silent", "drip", "endless_header", "endless_body"])
def test_a_server_that_misbehaves_costs_the_deadline(rig: Rig, manner: str) -> None:
    """Libraries count their time-out from each byte anew; ours is for the whole delivery."""
    with hostile(manner) as target:
        started = time.monotonic()
        if manner == "endless_body" and rig.name == "webhook":
            rig.at(target.port, "400ms").deliver(message(), TICKET, "")  # it did say 200
        else:
            assert not failure(rig.at(target.port, "400ms")).permanent
        assert time.monotonic() - started < 2


# Not "resets": it says 200 first, and a message is not sent twice after that.
@pytest.mark.parametrize("manner", ["closes_at_once", "garbage"])
def test_a_server_that_breaks_off_may_be_tried_again(rig: Rig, manner: str) -> None:
    with hostile(manner) as target:
        assert not failure(rig.at(target.port, "5s")).permanent


def test_a_secret_that_is_missing_may_be_tried_again(rig: Rig) -> None:
    """It is mended on this side, and then the message must still be there."""

    def unset(value: str | SecretRef) -> str:
        raise SecretError(f"{value}: the environment variable is not set; export it")

    kind = BACKENDS[rig.name]
    spec = {
        "webhook": {"url": "http://127.0.0.1:1/", "secret": SecretRef("env", "X")},
        "email": {
            "host": "127.0.0.1",
            "security": "starttls",
            "user": "kim",
            "password": SecretRef("env", "X"),
            "sender": "a@b.c",
            "to": "d@e.f",
        },
    }[rig.name]
    error = failure(kind.build(kind.spec.model_validate(spec), unset))
    assert not error.permanent
    assert "export it" in str(error)


def test_every_operation_is_delivered(rig: Rig) -> None:
    external = ""
    for number, operation in enumerate(Operation):
        delivery = rig.backend.deliver(message(number, operation), TICKET, external)
        external = delivery.external or external
    assert rig.taken() == len(Operation)


def test_no_more_than_one_connection_is_kept_for_one_thread(rig: Rig) -> None:
    for _ in range(3):
        rig.backend.deliver(message(), TICKET, "")
    rig.refuse_for_good()
    failure(rig.backend)
    assert connected_to(rig.port) <= (1 if rig.name == "webhook" else 0)
