"""The services that tests put on a host: they run, break and come back."""

from __future__ import annotations

import urllib.request

import pytest

from tests.world.host import Host, HostError
from tests.world.hosts import World
from tests.world.needs import requires
from tests.world.services import nightly_job, run_job, supervised, unit, web_site
from tests.world.until import until

pytestmark = requires("hosts")


@pytest.fixture(scope="module")
def box(module_world: World) -> Host:
    return module_world.host("box")


@requires("nginx")
def test_a_web_site_answers(box: Host) -> None:
    web_site(box, page="hello")
    for path, answer in (("/health", b"ok\n"), ("/", b"hello")):
        with urllib.request.urlopen(f"http://{box.address}{path}", timeout=5) as page:
            assert page.read() == answer


def test_a_unit_that_cannot_start_says_why(box: Host) -> None:
    unit(box, "app", "/usr/bin/sleep 1000")
    assert box.is_active("app")
    with pytest.raises(HostError, match="cannot-start"):
        unit(box, "cannot-start", "/nonexistent", lines="Type=exec")


def test_a_supervised_program_runs(box: Host) -> None:
    supervised(box, "worker", "sleep 1000")
    until(
        lambda: "RUNNING" in box.run(["supervisorctl", "status"], check=False).stdout,
        what="the worker",
    )


def test_a_nightly_job_runs_and_fails_with_its_code(box: Host) -> None:
    nightly_job(box, "report", "test -e /srv/input; date >/srv/report")
    assert run_job(box, "report").returncode == 1
    box.write("/srv/input", "")
    assert run_job(box, "report").returncode == 0
    assert box.exists("/srv/report")
