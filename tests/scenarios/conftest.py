"""What the scenarios share: how long finding and repairing took is kept with each test's report."""

from __future__ import annotations

from collections.abc import Callable, Generator

import pytest

from monitord.model.incident import Incident
from tests.scenarios.house import House

Took = Callable[[Incident, int], None]


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Put the logs and timelines of the house into the report of a test that failed."""
    report = yield
    for name, house in getattr(item, "funcargs", {}).items():
        if report.failed and isinstance(house, House):
            report.sections.append((name, house.story()))
    return report


@pytest.fixture
def took(request: pytest.FixtureRequest) -> Took:
    """Give a function that notes the seconds from a fault (µs) to its incident and to its end."""

    def note(incident: Incident, broken: int) -> None:
        for name in ("opened", "resolved", "escalated"):
            at = getattr(incident, name)
            if at is not None:
                request.node.user_properties.append((name, round((at - broken) / 1e6, 1)))

    return note
