"""The contract that is shipped for authors of backends, asked of our own."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from monitord.tickets import BACKENDS
from monitord.tickets.contract import CHECKS, HTTP_CHECKS, Rig
from tests.tickets.real import Alertmanager, RequestTracker
from tests.tickets.rigs import FAKES, faked, rig
from tests.world.needs import need

REAL = {"rt": ("request-tracker", RequestTracker), "alertmanager": ("alertmanager", Alertmanager)}
NAMES = sorted({*FAKES, *REAL, "email"})


@pytest.fixture(scope="module", params=NAMES)
def before(request: pytest.FixtureRequest) -> Iterator[tuple[str, Rig]]:
    name: str = request.param
    if name in REAL:
        wanted, peer = REAL[name]
        need(wanted)
        with peer() as real:
            yield name, rig(name, real.url)
    else:
        with faked(name) as found:
            yield name, found


def test_there_is_a_server_for_every_kind() -> None:
    assert {name.removesuffix("-cloud") for name in NAMES} == set(BACKENDS)


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
def test_a_backend_keeps_the_contract(
    before: tuple[str, Rig], check: Callable[[Rig], None]
) -> None:
    check(before[1])


def test_one_that_speaks_http_reads_its_answers(before: tuple[str, Rig]) -> None:
    name, found = before
    for check in HTTP_CHECKS if name != "email" else ():
        check(found)
