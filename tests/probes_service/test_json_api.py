"""Any API's JSON judged: several fields, two reckoned together, each element an item."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from pydantic import ValidationError

from monitord.model.result import Status
from monitord.probes.service.json import JsonSpec
from tests.probes_service.asking import Site, ask, ask_all, site

TOLD = {
    "lag": 3,
    "pool": {"used": 96, "size": 100, "free": 4},
    "state": "running",
    "queues": [{"name": "mail", "waiting": 2}, {"name": "bills", "waiting": 1200}],
    "zero": 0,
    "nodes": {"a": {"up": True}, "b": {"up": False}},
}


@pytest.fixture(scope="module")
def api() -> Iterator[Site]:
    with site({"/": json.dumps(TOLD), "/text": "hello"}) as served:
        yield served


@pytest.mark.parametrize(
    ("value", "status", "said"),
    [({"path": "lag", "warning": 5}, "OK", "answered in"),
     ({"path": "lag", "warning": 2}, "WARNING", "lag is 3, the limit is 2"),
     ({"path": "pool.used", "of": "pool.size", "name": "pool", "critical": "95%"}, "CRITICAL",
      "pool is 96 of 100, 96.0 % (limit 95 %)"),
     ({"path": "pool.size", "minus": "pool.used", "critical": "5:"}, "CRITICAL",
      "pool.size − pool.used is 4 (at least 5)"),
     ({"path": "state", "equals": "running"}, "OK", "answered"),
     ({"path": "state", "name": "state of it", "equals": "idle"}, "CRITICAL",
      'state of it is "running", expected "idle"'),
     ({"path": "lag", "of": "zero"}, "CRITICAL", "zero is 0"),
     ({"path": "nothing", "of": "zero"}, "CRITICAL", "nothing is not in the answer"),
     ({"path": "state", "of": "lag"}, "CRITICAL", 'state is "running", expected a number')],
)  # fmt: skip
def test_a_value(api: Site, value: dict[str, Any], status: str, said: str) -> None:
    result = ask("json", url=f"{api.url}/", values=value)
    assert result.status.name == status
    assert said in result.summary


def test_each_element_of_a_list_is_an_item(api: Site) -> None:
    limit = {"path": "waiting", "critical": 1000}
    found = ask_all("json", url=f"{api.url}/", each="queues", item="name", values=limit)
    assert {name: one.status for name, one in found.items()} == {
        "mail": Status.OK,
        "bills": Status.CRITICAL,
    }
    assert "waiting is 1200, the limit is 1000" in found["bills"].summary


def test_each_member_of_a_mapping_is_an_item(api: Site) -> None:
    found = ask_all("json", url=f"{api.url}/", each="nodes", values={"path": "up", "equals": True})
    assert {name: one.status for name, one in found.items()} == {
        "a": Status.OK,
        "b": Status.CRITICAL,
    }


def test_too_few_elements_are_critical(api: Site) -> None:
    result = ask_all("json", url=f"{api.url}/", each="queues", values={"path": "x"}, at_least=3)
    assert result[""].status is Status.CRITICAL
    assert "2 elements at queues (at least 3)" in result[""].summary


def test_what_is_no_json_is_unknown(api: Site) -> None:
    result = ask("json", url=f"{api.url}/text", values={"path": "x"})
    assert result.status is Status.UNKNOWN
    assert 'it begins "hello"' in result.summary


def test_equals_and_arithmetic_exclude_each_other() -> None:
    with pytest.raises(ValidationError, match="equals: is for one field"):
        JsonSpec.model_validate(
            {"url": "http://x/", "values": {"path": "a", "of": "b", "equals": 1}}
        )
