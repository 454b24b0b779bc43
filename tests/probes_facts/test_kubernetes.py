"""Kubernetes, judged on columns as kubectl prints them; tests/services asks the real kubectl."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitord.model.result import Cause, Result, Status
from tests.probes_facts.looking import Watch, answer

GIVEN = {"what": ["workloads", "pods"]}


def _looks(*frames: str) -> dict[str, Result]:
    return Watch("kubernetes", GIVEN).judged(answer("now 1800000000", *frames))


def test_columns_of_two_lists_are_one_table() -> None:
    found = _looks(
        "begin workloads\nDeployment shop web 2 1\nStatefulSet shop db 1 <none>",
        "end workloads 0",
        "begin workloads\nDaemonSet kube-system proxy 3 3",
        "end workloads 0",
        "begin pods\nshop web-1 Running <none> <none> 0 2026-01-01T00:00:00Z",
        "end pods 0",
    )
    assert {item: one.status for item, one in found.items()} == {
        "Deployment/shop/web": Status.WARNING,
        "StatefulSet/shop/db": Status.CRITICAL,
        "DaemonSet/kube-system/proxy": Status.OK,
        "pods": Status.OK,
    }


def test_one_list_that_fails_leaves_nothing_judged() -> None:
    (result,) = _looks("begin workloads\n", "end workloads 1").values()
    assert result.status is Status.UNKNOWN


@pytest.mark.parametrize(
    "row", ["Deployment shop", "a b c d e f g", "Deployment shop \x1b[31m 1 1 x"]
)
def test_columns_that_are_none_are_refused(row: str) -> None:
    (result,) = _looks(f"begin workloads\n{row}", "end workloads 0").values()
    assert (result.status, result.cause) == (Status.UNKNOWN, Cause.PLUGIN)


@given(st.text(max_size=200))
def test_no_text_of_a_cluster_ends_the_judging(text: str) -> None:
    for result in _looks(f"begin pods\n{text}", "end pods 0").values():
        assert "\n" not in result.summary
