"""POST /inbound/SOURCE as a stranger, a thief of payloads and a true sender meet it."""

from __future__ import annotations

import hashlib
import hmac
import http.client
import json
import time
from dataclasses import replace
from pathlib import Path

import pytest

from monitord.clock import SystemClock
from monitord.inbound import LONGEST
from monitord.inbound_sources import from_json, mark, to_json
from monitord.inbound_spool import waiting
from monitord.model.inbound import Source
from monitord.secrets import SecretRef
from tests.api.fake_rows import SOURCES
from tests.web.conftest import Web

ALERT = {
    "status": "firing",
    "labels": {"alertname": "SiteDown", "instance": "web1:9100"},
    "annotations": {"summary": "it is down"},
}
BODY = json.dumps({"version": "4", "alerts": [ALERT]}).encode()
RESULT = json.dumps({"host": "web1", "check": "nightly", "status": "ok"}).encode()
BEARER = {"Authorization": "Bearer a-token-of-the-test"}


def post(web: Web, source: str, body: bytes, headers: dict[str, str]) -> tuple[int, str]:
    connection = http.client.HTTPConnection("127.0.0.1", web.port, timeout=30)
    try:
        connection.request("POST", f"/inbound/{source}", body, headers)
        answer = connection.getresponse()
        return answer.status, answer.read().decode()
    finally:
        connection.close()


def signed(body: bytes, *, ago: int = 0, key: bytes = b"a-key-of-the-test") -> dict[str, str]:
    at = str(int(time.time()) - ago)
    right = hmac.new(key, f"{at}:".encode() + body, hashlib.sha256).hexdigest()
    return {"X-Monitord-Timestamp": at, "X-Monitord-Signature": right}


def test_an_alert_of_a_known_sender_reaches_the_core(web: Web) -> None:
    assert post(web, "prom", BODY, BEARER) == (200, "1 taken\n")
    (call,) = web.core.calls("told")
    assert (call["source"], call["keys"]) == ("prom", ["web1/alertmanager-SiteDown"])


@pytest.mark.parametrize(
    ("source", "headers"),
    [
        ("prom", {}),
        ("prom", {"Authorization": "Bearer wrong"}),
        ("prom", {"Authorization": "Basic a-token-of-the-test"}),
        ("signed", BEARER),
        ("signed", signed(RESULT, key=b"another")),
        ("signed", signed(RESULT, ago=301)),
        ("signed", signed(RESULT, ago=-86_400)),  # made when tests are collected, minutes before
        ("signed", signed(b"another body")),
        ("signed", {**signed(RESULT), "X-Monitord-Timestamp": "9" * 40}),
    ],
)
def test_who_is_not_proven_reaches_nothing(web: Web, source: str, headers: dict[str, str]) -> None:
    status, text = post(web, source, RESULT, headers)
    assert (status, text.count("\n")) == (401, 1)
    assert web.core.calls("told") == []


def test_a_signed_payload_is_taken_once(web: Web) -> None:
    headers = signed(RESULT)
    assert post(web, "signed", RESULT, headers)[0] == 200
    status, text = post(web, "signed", RESULT, headers)
    assert (status, text) == (401, "this very payload was taken already; sign it anew\n")
    assert len(web.core.calls("told")) == 1


def test_unknown_sources_bad_payloads_and_floods_have_words_of_their_own(lone_web: Web) -> None:
    assert post(lone_web, "nobody", BODY, BEARER)[0] == 404
    status, text = post(lone_web, "prom", b"{]", BEARER)
    assert (status, text) == (400, "the body is not JSON\n")
    assert post(lone_web, "prom", b"x" * (LONGEST + 1), BEARER)[0] == 413
    answers = [post(lone_web, "prom", b"{]", BEARER)[0] for _ in range(150)]
    assert set(answers) == {400, 429}


def test_what_comes_while_the_core_is_down_is_kept_for_it(lone_web: Web) -> None:
    lone_web.core.stop()
    assert post(lone_web, "prom", BODY, BEARER) == (202, "kept until the core is back\n")
    ((_, source, (told,)),) = waiting(lone_web.core.state / "spool", now=SystemClock().now())
    assert (source, told.host) == ("prom", "web1")


def reload(web: Web, *sources: Source) -> None:
    """Let the core take over other sources."""
    text = json.dumps([to_json(source) for source in sources])
    (web.core.state / "sources.json").write_text(text, encoding="utf-8")
    web.core.client.post("/v1/reload", {})


def test_a_reload_of_the_core_changes_who_is_let_in_at_once(lone_web: Web) -> None:
    assert post(lone_web, "prom", BODY, BEARER)[0] == 200
    headers = signed(RESULT)
    reload(
        lone_web,
        replace(SOURCES["prom"], token="another-token"),
        replace(SOURCES["signed"], hosts=("web*",)),
    )
    assert post(lone_web, "prom", BODY, BEARER)[0] == 401
    assert post(lone_web, "prom", BODY, {"Authorization": "Bearer another-token"})[0] == 200
    assert post(lone_web, "signed", RESULT, headers)[0] == 200
    reload(lone_web, SOURCES["signed"], replace(SOURCES["prom"], name="new"))
    assert post(lone_web, "prom", BODY, {"Authorization": "Bearer another-token"})[0] == 404
    assert post(lone_web, "new", BODY, BEARER)[0] == 200
    assert post(lone_web, "signed", RESULT, headers)[0] == 401, "a signature stays taken"
    assert len(lone_web.core.calls("told")) == 4


def test_a_source_is_the_same_after_its_way_to_the_web() -> None:
    source = Source(
        "j", "json", hmac=SecretRef("file", "/k"), items=("a",), paths={"list": "", "host": "h"}
    )
    assert from_json(json.loads(json.dumps(to_json(source)))) == source
    assert mark(source) != mark(replace(source, hmac=SecretRef("file", "/l")))


def test_an_empty_secret_lets_nobody_in(lone_web: Web, tmp_path: Path) -> None:
    empty = tmp_path / "empty"
    empty.write_text("\n", encoding="utf-8")
    empty.chmod(0o600)
    opens = Source("prom", "alertmanager", token=SecretRef("file", str(empty)))
    reload(lone_web, opens, replace(opens, name="signed", token=None, hmac=opens.token))
    assert post(lone_web, "prom", BODY, {"Authorization": "Bearer "})[0] in (401, 503)
    assert post(lone_web, "signed", RESULT, signed(RESULT, key=b""))[0] == 503
    assert lone_web.core.calls("told") == []


def test_a_signed_payload_that_could_not_be_kept_may_come_again(lone_web: Web) -> None:
    lone_web.core.stop()
    spool = lone_web.core.state / "spool"
    kept = spool.rename(spool.with_name("away")) if spool.exists() else None
    spool.write_text("in the way", encoding="utf-8")
    headers = signed(RESULT)
    assert post(lone_web, "signed", RESULT, headers)[0] == 503
    spool.unlink()
    if kept is not None:
        kept.rename(spool)
    assert post(lone_web, "signed", RESULT, headers)[0] == 202
