"""People on duty are told by the first of their ways that works, and the ticket says which."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from monitord.model.incident import Incident
from tests.scenarios.house import House
from tests.world.sinks import MailSink, WebhookSink
from tests.world.until import until

SCENARIO = """
tickets:
  mail:
    email: {host: 127.0.0.1, port: $mail, security: none, sender: house@example.com,
            to: [ops@example.com], timeout: 5s}
people:
  kim: {ways: [{email: kim@example.com}, {apprise: "$push"}]}
  lee: {ways: [{email: lee@example.com}]}
rotations:
  desk: {members: [kim], every: weekly, on: monday, at: "08:00"}
policies:
  standard:
    steps: [{tier: L1, tell: rotation/desk}, {tier: L2, tell: person/lee, after: 1h}]
policy: standard
hosts:
  here:
    address: 127.0.0.1
    login: local
    checks:
      calm: {file: {path: "$folder/calm"}, ticket: at_once}
"""


@pytest.fixture
def house(mail_sink: MailSink, webhook_sink: WebhookSink) -> Iterator[House]:
    push = webhook_sink.url.replace("http://", "json://")
    house = House(SCENARIO, names={"mail": str(mail_sink.port), "push": push})
    (house.folder / "calm").touch()
    with house:
        house.await_ok("here/calm")
        yield house
        assert house.violations() == []


def to(sink: MailSink, person: str) -> list[str]:
    """Give the subjects of the mails to one person alone."""
    mails = [mail for mail in sink.messages if mail.recipients == [f"{person}@example.com"]]
    return [str(mail.message["Subject"]) for mail in mails]


def test_a_way_that_fails_hands_over_and_both_hear_the_end(
    house: House, mail_sink: MailSink, webhook_sink: WebhookSink
) -> None:
    mail_sink.refuse("451 4.3.0 try later")
    (house.folder / "calm").unlink()
    until(lambda: webhook_sink.received, within=40, what="a push to kim")
    assert "here/calm" in webhook_sink.received[0].json()["title"]
    incident = house.incident("here/calm", "ESCALATED")
    until(lambda: "kim was told by apprise" in lines(house, incident), what="the ticket says so")
    assert any("was not told by email (mail server" in line for line in lines(house, incident))
    mail_sink.accept()
    (house.folder / "calm").touch()
    until(lambda: to(mail_sink, "kim"), within=40, what="the end, by mail")
    assert to(mail_sink, "lee") == []
    assert "over" in mail_sink.messages[-1].text


def test_a_test_goes_the_way_that_a_page_would_go_and_says_which(
    house: House, mail_sink: MailSink, webhook_sink: WebhookSink
) -> None:
    before = len(webhook_sink.received)
    assert house.cli("notify", "--test", "lee")["told_by"] == "email"
    assert "nothing is wrong" in to(mail_sink, "lee")[-1]
    assert "asked monitord to try how you are told" in mail_sink.messages[-1].text
    mail_sink.refuse("451 4.3.0 try later")
    kim = house.cli("notify", "--test", "kim")
    assert (kim["status"], kim["told_by"], kim["tried"]) == ("SENT", "apprise", 1)
    assert "try later" in kim["last_error"]
    assert len(webhook_sink.received) == before + 1
    lee = house.cli("notify", "--test", "lee", check=False)
    assert (lee["status"], lee["tried"]) == ("PENDING", 1)
    counts = {one["person"]: one for one in house.cli("notify")["people"]}
    assert (counts["lee"]["tests"], counts["lee"]["waiting"], counts["lee"]["pages"]) == (1, 1, 0)
    mail_sink.accept()


def lines(house: House, incident: Incident) -> list[str]:
    """Give the timeline's texts."""
    return [event.text for event in house.events(incident)]
