"""PromQL and exporters' pages as checks; a real Prometheus stands in tests/services."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from pydantic import ValidationError

from monitord.model.result import Cause, Status
from monitord.probes.service.prometheus import PrometheusSpec
from tests.probes_service.asking import Site, ask, ask_all, site

METRICS = """# HELP disk_free_bytes free
# TYPE disk_free_bytes gauge
disk_free_bytes{mount="/",device="sda"} 500
disk_free_bytes{mount="/home, \\"x\\"",device="sdb"} 20
disk_free_bytes_total 3
up 1
strange NaN
broken{mount="/ 5
"""


def vector(*pairs: tuple[str, str]) -> str:
    result = [{"metric": {"__name__": "busy", "host": h}, "value": [1, v]} for h, v in pairs]
    return json.dumps({"status": "success", "data": {"resultType": "vector", "result": result}})


BAD = json.dumps({"status": "error", "errorType": "bad_data", "error": "parse error: x"})


@pytest.fixture(scope="module")
def pages() -> Iterator[Site]:
    path = "/api/v1/query?query="
    answers: dict[str, str | tuple[int, str]] = {
        "/metrics": METRICS,
        f"{path}busy": vector(("a", "0.1"), ("b", "0.97")),
        f"{path}up%20%3D%3D%200": vector(),
        f"{path}broken%28": (400, BAD),
        f"{path}odd": vector(("a", "NaN")),
        f"{path}scalar%281%29": json.dumps(
            {"status": "success", "data": {"resultType": "scalar", "result": [1, "1"]}}
        ),
    }
    with site(answers) as served:
        yield served


BUSY = {"over": {"warning": 0.8, "critical": 0.95}}


@pytest.mark.parametrize(
    ("given", "status", "said"),
    [({"query": "busy", "over": {"critical": 2}}, "OK", "2 series, the highest is 0.97"),
     ({"query": "busy", **BUSY}, "CRITICAL", "0.97 at host=b (limit 0.95)"),
     ({"query": "up == 0"}, "UNKNOWN", "no series: nothing reports it"),
     ({"query": "up == 0", "empty": "ok"}, "OK", "no series"),
     ({"query": "busy", "found": "warning"}, "WARNING", "0.1 at host=a"),
     ({"query": "scalar(1)"}, "OK", "1"),
     ({"query": "odd", **BUSY}, "CRITICAL", "nan at host=a (limit 0.95)"),
     ({"query": "broken("}, "UNKNOWN", "refuses the query: parse error: x")],
)  # fmt: skip
def test_a_query(pages: Site, given: dict[str, Any], status: str, said: str) -> None:
    result = ask("prometheus", url=pages.url, **given)
    assert result.status.name == status
    assert said in result.summary


def test_each_series_is_an_item_of_its_label(pages: Site) -> None:
    found = ask_all("prometheus", url=pages.url, query="busy", each=["host"], **BUSY)
    assert {name: one.status for name, one in found.items()} == {
        "a": Status.OK,
        "b": Status.CRITICAL,
    }


@pytest.mark.parametrize(
    ("given", "status", "said"),
    [({"metric": "up", "over": {"critical": "1:"}}, "OK", "up"),
     ({"metric": "disk_free_bytes", "over": {"critical": "100:"}}, "CRITICAL", "(at least 100)"),
     ({"metric": "disk_free_bytes", "labels": {"mount": "/"}, "over": {"critical": "100:"}},
      "OK", "500"),
     ({"metric": "disk_free"}, "UNKNOWN", "no series"),
     ({"metric": "broken"}, "UNKNOWN", "the page is not metrics")],
)  # fmt: skip
def test_an_exporters_page(pages: Site, given: dict[str, Any], status: str, said: str) -> None:
    result = ask("prometheus", url=f"{pages.url}/metrics", **given)
    assert result.status.name == status
    assert said in result.summary


def test_a_series_of_a_page_is_an_item_whatever_its_label_holds(pages: Site) -> None:
    found = ask_all(
        "prometheus", url=f"{pages.url}/metrics", metric="disk_free_bytes", each=["mount"]
    )
    assert set(found) == {"/", '/home, "x"'}


def test_a_server_that_is_gone_is_critical_and_another_is_unknown(pages: Site) -> None:
    assert ask("prometheus", url="http://127.0.0.1:1", query="up").status is Status.CRITICAL
    other = ask("prometheus", url=f"{pages.url}/metrics/", metric="up")
    assert other.status is Status.CRITICAL
    assert "answered 404" in other.summary
    wrong = ask("prometheus", url=pages.url, query="busy", read="20")
    assert wrong.cause is Cause.PLUGIN
    assert "raise read:" in wrong.summary


def test_query_and_metric_exclude_each_other() -> None:
    with pytest.raises(ValidationError, match="either query"):
        PrometheusSpec.model_validate({"url": "http://x/"})
    with pytest.raises(ValidationError, match="has query: and metric: "):
        PrometheusSpec.model_validate({"url": "http://x/", "query": "up", "metric": "up"})
    with pytest.raises(ValidationError, match="belongs to metric"):
        PrometheusSpec.model_validate({"url": "http://x/", "query": "up", "labels": {"a": "b"}})
