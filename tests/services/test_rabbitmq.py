"""A real RabbitMQ with its management plugin: nodes, alarms, and queues that fill."""

from __future__ import annotations

import json
import signal
from collections.abc import Iterator
from typing import Any
from urllib.request import HTTPBasicAuthHandler, HTTPPasswordMgrWithDefaultRealm, Request
from urllib.request import build_opener as opener

import pytest

from monitord.model.result import Cause, Result, Status
from tests.probes_service.asking import ask_all
from tests.world.needs import requires
from tests.world.process import Peer, answers, free_port
from tests.world.until import until

pytestmark = requires("rabbitmq", "root")


class Rabbit(Peer):
    """One node in a namespace of its own, so that Erlang's port mapper ends with it."""

    name = "rabbitmq"
    stop_signal = signal.SIGKILL  # unshare passes no gentler one on

    def __init__(self) -> None:
        super().__init__()
        self.port, listens = free_port(), free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        (self.folder / "rabbitmq.conf").write_text(
            f"listeners.tcp.1 = 127.0.0.1:{listens}\n"
            f"management.tcp.port = {self.port}\nmanagement.tcp.ip = 127.0.0.1\n",
            encoding="utf-8",
        )
        plugins = self.folder / "enabled"
        plugins.write_text("[rabbitmq_management].\n", encoding="utf-8")
        settings = {
            "HOME": self.folder,
            "RABBITMQ_MNESIA_BASE": self.folder / "data",
            "RABBITMQ_LOG_BASE": self.folder / "logs",
            "RABBITMQ_NODENAME": f"t{listens}@localhost",
            "RABBITMQ_ENABLED_PLUGINS_FILE": plugins,
            "RABBITMQ_CONFIG_FILE": self.folder / "rabbitmq",
            "RABBITMQ_GENERATED_CONFIG_DIR": self.folder / "generated",
            "RABBITMQ_DIST_PORT": free_port(),
            "ERL_EPMD_PORT": free_port(),
            "ERL_EPMD_ADDRESS": "127.0.0.1",
            "ERL_CRASH_DUMP": self.folder / "crash",
        }
        words = [f"{name}={value}" for name, value in settings.items()]
        apart = ["unshare", "--pid", "--fork", "--kill-child", "--mount-proc"]
        self.argv = [*apart, "env", *words, "/usr/lib/rabbitmq/bin/rabbitmq-server"]

    def is_ready(self) -> bool:
        """Whether its management answers."""
        return answers(self.port)

    def api(self, method: str, path: str, **body: Any) -> None:
        """Ask the management for something, as its first user."""
        known = HTTPPasswordMgrWithDefaultRealm()
        known.add_password(None, self.url, "guest", "guest")
        headers = {"Content-Type": "application/json"}
        asked = Request(  # noqa: S310 - our own server
            f"{self.url}/api{path}", json.dumps(body).encode(), headers, method=method
        )
        opener(HTTPBasicAuthHandler(known)).open(asked).close()


@pytest.fixture(scope="module")
def rabbit() -> Iterator[Rabbit]:
    with Rabbit() as peer:
        peer.api("PUT", "/queues/%2F/orders", durable=True)
        yield peer


def _look(peer: Rabbit, **given: Any) -> dict[str, Result]:
    given.setdefault("auth", {"user": "guest", "password": "guest"})
    return ask_all("rabbitmq", url=peer.url, within=10, **given)


def test_a_node_and_an_empty_queue_are_well(rabbit: Rabbit) -> None:
    until(lambda: "//orders" in _look(rabbit), within=20)
    found = _look(rabbit)
    assert {one.status for one in found.values()} == {Status.OK}, found
    assert len(found) == 2


def test_a_queue_that_fills_is_told_with_its_depth(rabbit: Rabbit) -> None:
    for number in range(5):
        rabbit.api(
            "POST", "/exchanges/%2F/amq.default/publish",
            properties={}, routing_key="orders", payload=str(number), payload_encoding="string",
        )  # fmt: skip
    limits = {"warning": 2, "critical": 4}
    until(
        lambda: _look(rabbit, depth=limits)["//orders"].status is Status.CRITICAL,
        within=30,  # its figures are made every five seconds
    )
    assert "5 messages" in _look(rabbit, depth=limits)["//orders"].summary


def test_a_queue_without_consumers_is_told(rabbit: Rabbit) -> None:
    until(lambda: "//orders" in _look(rabbit), within=20)
    result = _look(rabbit, consumers={"critical": "1:"})["//orders"]
    assert result.status is Status.CRITICAL
    assert "0 consumers" in result.summary or "no consumer" in result.summary


def test_a_wrong_password_is_ours_to_mend(rabbit: Rabbit) -> None:
    (result,) = _look(rabbit, auth={"user": "guest", "password": "wrong"}).values()
    assert (result.status, result.cause) == (Status.UNKNOWN, Cause.LOGIN)
    assert "wrong" not in result.summary


def test_a_server_that_is_gone_is_critical() -> None:
    (result,) = ask_all("rabbitmq", url=f"http://127.0.0.1:{free_port()}").values()
    assert result.status is Status.CRITICAL
