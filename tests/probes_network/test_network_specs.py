"""What a user may write for network probes, and what each mistake is told."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from monitord.model.kinds import NetworkProbe
from monitord.probes import PROBES

MISTAKES: list[tuple[str, dict[str, Any], str]] = [
    ("http", {"url": "shop"}, "'shop' is not a URL (write http://host/path or https://…)"),
    ("http", {"url": "ftp://shop/"}, "is not a URL (write http://host/path or https://…)"),
    ("http", {"url": "http://{address}/"}, "a space, control character or brace is in it"),
    ("http", {"url": "http://kim:pw@shop/"}, "put it under auth: with !secret"),
    ("http", {"url": "http://::1/"}, "an IPv6 address stands in brackets (http://[::1]:80/)"),
    ("http", {"url": "http://shop:70000/"}, "the port is not a number from 1 to 65535"),
    ("http", {"url": "http://shop:0/"}, "the port is not a number from 1 to 65535"),
    ("http", {"url": "http://[::1/"}, "is not a URL"),
    ("http", {"url": "http://" + "ä" * 70 + "/"}, "is not a host name"),
    ("http", {"status": "ok"}, "'ok' is not an HTTP status (write 200, 2xx or 200-299)"),
    ("http", {"status": 900}, "'900' is not an HTTP status (write 200, 2xx or 200-299)"),
    ("http", {"status": "300-200"}, "no HTTP status is listed"),
    ("http", {"status": []}, "no HTTP status is listed, so every answer would be bad"),
    ("http", {"regex": "(a"}, "'(a' is not a pattern: missing ): (a (RE2 syntax: no look-around"),
    ("http", {"regex": "(?=a)"}, "no look-around, no back-references"),
    ("http", {"headers": {"X Y": "1"}}, "'X Y' is not a header name"),
    ("http", {"headers": {"X": "1\r\nY: 2"}}, "header X: a line end or control character"),
    ("http", {"headers": {"Connection": "x"}}, "header Connection is set by the probe itself"),
    ("http", {"auth": {"user": "kim"}}, "auth needs either user and password, or bearer"),
    ("http", {"auth": {"user": "k", "password": "p", "bearer": "t"}}, "either user and password"),
    ("http", {"json": {"path": "a..b"}}, "'a..b' is not a JSON path (write status, a.b[0]"),
    ("http", {"json": {"path": "a[x]"}}, "'a[x]' is not a JSON path"),
    ("http", {"json": {"path": "a", "equal": 1}}, "Extra inputs are not permitted"),
    ("http", {"warning": "5 minutes"}, "'5 minutes' is not a threshold"),
    ("http", {"warning": "5q"}, "'5q' is not a duration (write 30s, 5m or 1h)"),
    ("http", {"redirects": 99}, "less than or equal to 20"),
    ("http", {"read": "1G"}, "less than or equal to 16777216"),
    ("http", {"tls": {"expire": {}}}, "Extra inputs are not permitted"),
    ("http", {"tls": {"expires": {"warning": 21}}}, "21 is not a duration (write 21s)"),
    ("http", {"statuses": 200}, "Extra inputs are not permitted"),
    ("tcp", {"port": 0}, "greater than or equal to 1"),
    ("tcp", {"port": 22, "expect": "a", "regex": "b"}, "expect and regex exclude each other"),
    ("tcp", {"port": 22, "tls": "perhaps"}, "valid dictionary or instance of TlsSpec"),
    ("icmp", {"count": 0}, "greater than or equal to 1"),
    ("icmp", {"count": 21}, "less than or equal to 20"),
    ("icmp", {"loss": {"warning": "much"}}, "'much' is not a threshold"),
    ("icmp", {"fallback_port": 70000}, "less than or equal to 65535"),
]


@pytest.mark.parametrize(("kind", "written", "told"), MISTAKES)
def test_each_mistake_is_told_with_its_cure(kind: str, written: dict[str, Any], told: str) -> None:
    needed: dict[str, dict[str, Any]] = {"http": {"url": "http://h/"}, "tcp": {"port": 1}}
    with pytest.raises(ValidationError) as caught:
        PROBES[kind].spec.model_validate(needed.get(kind, {}) | written)
    messages = [error["msg"] for error in caught.value.errors()]
    assert any(told in message for message in messages), messages


FORMS: list[tuple[str, dict[str, Any]]] = [
    ("http", {"url": "https://[2001:db8::1]:8443/a?b=c#d", "tls": {"verify": "no"}}),
    ("http", {"url": "http://grün.example/"}),
    ("http", {"url": "http://h/", "redirects": "no", "status": "2xx, 301"}),
    ("http", {"url": "http://h/", "warning": "500ms", "critical": 3}),
    ("http", {"url": "http://h/", "json": {"path": '$["a.b"][-1]', "equals": None}}),
    ("tcp", {"port": 443, "tls": "yes"}),
    ("tcp", {"port": 443, "tls": "no"}),
    ("icmp", {}),
]


@pytest.mark.parametrize(("kind", "written"), FORMS)
def test_these_forms_are_allowed(kind: str, written: dict[str, Any]) -> None:
    PROBES[kind].spec.model_validate(written)


@pytest.mark.parametrize("kind", ["http", "tcp", "icmp"])
def test_every_field_is_described_for_schema_and_docs(kind: str) -> None:
    probe = PROBES[kind]
    assert isinstance(probe, NetworkProbe)
    schema = probe.spec.model_json_schema()
    models = [schema, *schema.get("$defs", {}).values()]
    for model in models:
        for name, entry in model["properties"].items():
            assert entry.get("description"), f"{model['title']}.{name}"


@pytest.mark.parametrize("kind", ["http", "tcp", "icmp"])
def test_the_examples_of_each_field_are_accepted(kind: str) -> None:
    spec = PROBES[kind].spec
    needed: dict[str, dict[str, Any]] = {"http": {"url": "http://h/"}, "tcp": {"port": 1}}
    for name, entry in spec.model_json_schema()["properties"].items():
        for example in entry.get("examples", []):
            spec.model_validate(needed.get(kind, {}) | {name: example})
