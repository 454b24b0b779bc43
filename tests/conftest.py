"""Fixtures that bring real peers, and the one line at the end on what was not proven.

| fixture | gives | life |
| --- | --- | --- |
| world | a World without hosts yet: `world.host("web1")` (tests/world/hosts.py) | one test |
| module_world | the same, for the tests of one file to share | one file |
| nginx, sshd, restic, mail_sink, webhook_sink | a running peer (peers.py, sinks.py) | one test |
| supervisord | `supervisord({"worker": "command=sleep 99"})` starts one | one test |
| postgres | a running cluster | the run |
| postgres_url | the SQLAlchemy URL of an empty database in it | one test |
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Iterator, Mapping

import pytest

from tests.world.hosts import World
from tests.world.needs import need, summary
from tests.world.peers import Nginx, Postgres, Restic, Sshd, Supervisord
from tests.world.sinks import MailSink, WebhookSink


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "requires(*names): what of tests/world/needs.py it needs")
    config.addinivalue_line("markers", "heavy: a service that is slow to start (make services)")


# Last: a folder's own conftest may mark all of its tests.
@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if os.environ.get("MONITORD_HEAVY") == "1":
        return
    heavy = [item for item in items if item.get_closest_marker("heavy")]
    if heavy:
        config.hook.pytest_deselected(items=heavy)
        items[:] = [item for item in items if not item.get_closest_marker("heavy")]


def pytest_runtest_setup(item: pytest.Item) -> None:
    for mark in item.iter_markers("requires"):
        for name in mark.args:
            need(name)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    reports = terminalreporter.stats.get("skipped", [])
    line = summary(str(report.longrepr) for report in reports)
    if line:
        terminalreporter.write_line(line, yellow=True)


@pytest.fixture
def world() -> Iterator[World]:
    need("hosts")
    with World() as made:
        yield made


@pytest.fixture(scope="module")
def module_world() -> Iterator[World]:
    need("hosts")
    with World() as made:
        yield made


@pytest.fixture
def nginx() -> Iterator[Nginx]:
    need("nginx")
    with Nginx() as peer:
        yield peer


@pytest.fixture
def sshd() -> Iterator[Sshd]:
    need("sshd")
    with Sshd() as peer:
        yield peer


@pytest.fixture
def supervisord() -> Iterator[Callable[[Mapping[str, str]], Supervisord]]:
    need("supervisor")
    with contextlib.ExitStack() as stack:
        yield lambda programs: stack.enter_context(Supervisord(programs))


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    need("postgresql")
    with Postgres() as peer:
        yield peer


@pytest.fixture
def postgres_url(postgres: Postgres) -> str:
    return postgres.new_database()


@pytest.fixture
def restic() -> Iterator[Restic]:
    need("restic")
    with Restic() as repository:
        yield repository


@pytest.fixture
def mail_sink() -> Iterator[MailSink]:
    with MailSink() as sink:
        yield sink


@pytest.fixture
def webhook_sink() -> Iterator[WebhookSink]:
    with WebhookSink() as sink:
        yield sink
