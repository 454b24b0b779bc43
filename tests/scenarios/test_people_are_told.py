"""Tickets on their way to people: by mail and webhook, once each, also after the way was broken."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.scenarios.conftest import Took
from tests.scenarios.house import FOUND, REPAIRED, House, now
from tests.world.sinks import MailSink, WebhookSink
from tests.world.until import until

SIGNED = "x-monitord-signature"
SCENARIO = """
tickets:
  mail:
    email: {host: 127.0.0.1, port: $mail, security: none, sender: house@example.com,
            to: [ops@example.com], timeout: 5s}
  chat:
    webhook: {url: "$hook/tickets", secret: !secret "file:$folder/hook-secret", timeout: 5s}
hosts:
  here:
    address: 127.0.0.1
    login: local
    checks:
      calm: {file: {path: "$folder/calm"}, means: The calm is gone.}
      storm: {file: {path: "$folder/storm"}}
      monitord-health: {every: 2s, retry_every: 1s, attempts: 1}
"""


@pytest.fixture
def house(mail_sink: MailSink, webhook_sink: WebhookSink) -> Iterator[House]:
    names = {"mail": str(mail_sink.port), "hook": webhook_sink.url}
    house = House(SCENARIO, names=names)
    (house.folder / "hook-secret").write_text("only we two know\n")
    (house.folder / "hook-secret").chmod(0o600)
    for name in ("calm", "storm"):
        (house.folder / name).touch()
    with house:
        house.await_ok("here/calm", "here/storm")
        yield house
        assert house.violations() == []


def mails(sink: MailSink, key: str) -> list[str]:
    """Give the subjects of the mails about this ticket."""
    found = [mail.message for mail in sink.messages if mail.message["X-Monitord-Key"] == key]
    return [str(message["Subject"]) for message in found]


def hooks(sink: WebhookSink, key: str) -> list[str]:
    """Give the operations that the webhook was told about this ticket."""
    return [got.json()["operation"] for got in sink.received if got.json()["key"] == key]


def test_everybody_is_told_once_and_told_the_end(
    house: House, mail_sink: MailSink, webhook_sink: WebhookSink, took: Took
) -> None:
    (house.folder / "calm").unlink()
    broken = now()
    incident = house.incident("here/calm", "ESCALATED")
    took(incident, broken)
    key = f"house-{incident.id}"
    until(lambda: mails(mail_sink, key) and hooks(webhook_sink, key), what="both tickets")
    (request,) = webhook_sink.received
    time, signature = (p[p.index("=") + 1 :] for p in request.headers[SIGNED].split(","))
    signed = hmac.new(b"only we two know", f"{time}.".encode() + request.body, hashlib.sha256)
    assert signature == signed.hexdigest()
    assert request.json()["ticket"]["means"] == "The calm is gone."
    assert "The calm is gone." in mail_sink.messages[0].text
    (house.folder / "calm").touch()
    house.incident("here/calm", "RESOLVED")
    until(lambda: len(mails(mail_sink, key)) == 2, what="the mail of the end")
    until(lambda: hooks(webhook_sink, key) == ["open", "resolve"], what="the end by webhook")
    assert mails(mail_sink, key)[1].startswith("Re: [monitord P3 L1] resolved: ")


def test_what_nobody_took_for_a_while_arrives_once_even_after_a_kill(
    house: House, mail_sink: MailSink, webhook_sink: WebhookSink
) -> None:
    mail_sink.refuse("451 4.3.0 the disk is full, try later")
    webhook_sink.answer(503)
    (house.folder / "storm").unlink()
    incident = house.incident("here/storm", "ESCALATED")
    until(
        lambda: len(house.outbox()) == 2 and all(item.tries for item in house.outbox()),
        within=FOUND,
        what="a first try of both",
    )
    house.core.kill()
    mail_sink.accept()
    tried = len(webhook_sink.received)
    webhook_sink.answer()
    house.core.start()
    key = f"house-{incident.id}"
    until(lambda: mails(mail_sink, key), within=REPAIRED, what="the mail")
    until(lambda: len(webhook_sink.received) > tried, within=REPAIRED, what="the webhook")
    until(
        lambda: [item.status for item in house.outbox()] == ["SENT", "SENT"],
        within=FOUND,
        what="both noted as sent",
    )
    assert len(mails(mail_sink, key)) == 1
    assert len(webhook_sink.received) == tried + 1
    same = {request.headers["idempotency-key"] for request in webhook_sink.received}
    assert len(same) == 1, "a receiver could not tell that it is the same message"


def test_a_message_that_is_refused_for_good_is_an_incident_of_our_own(
    house: House, mail_sink: MailSink
) -> None:
    mail_sink.refuse("550 5.1.1 no such user")
    Path(house.folder / "storm").unlink()
    incident = house.incident("here/storm", "ESCALATED")
    own = house.incident("here/monitord-health")
    assert "refused for good" in own.summary
    assert "550" in " ".join(event.text for event in house.events(incident))


@pytest.mark.parametrize(
    "point", ["after opened 1", "before escalated 1", "after escalated 1", "before delivered 1"]
)
def test_a_kill_loses_no_ticket_and_makes_no_second(
    house: House, mail_sink: MailSink, webhook_sink: WebhookSink, point: str
) -> None:
    house.core.stop()
    house.start_mortal(point)
    house.commits.touch()
    (house.folder / "storm").unlink()
    until(lambda: not house.core.is_running, within=FOUND, what=f"the end {point}")
    house.core.start()
    incident = house.incident("here/storm", "ESCALATED")
    until(
        lambda: [item.status for item in house.outbox()] == ["SENT", "SENT"],
        within=REPAIRED,
        what="both delivered",
    )
    assert len(house.get("/v1/tickets")["tickets"]) == 1
    assert len(house.incidents("here/storm")) == 1
    assert mails(mail_sink, f"house-{incident.id}")
    # One that was delivered and not noted goes out again, and can be told to be the same.
    assert len({request.headers["idempotency-key"] for request in webhook_sink.received}) == 1
    ids = {str(mail.message["Message-ID"]) for mail in mail_sink.messages}
    assert len(ids) == 1
