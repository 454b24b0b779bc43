"""`monitord discover`: what answers becomes YAML that check-config takes, and no login is tried."""

from __future__ import annotations

import asyncio
import socket
from pathlib import Path

import pytest
from typer.testing import CliRunner

from monitord import config
from monitord.cli import discover
from monitord.cli.app import app
from monitord.daemon.kinds import KINDS
from monitord.errors import CommandRefusedError
from monitord.executor import discover as looking
from monitord.executor.discover import Discovered, Scanner, addresses
from tests.world.peers import Nginx

HOSTILE = "evil\x1b[31m: {x}\n# y"


def loads(folder: Path, text: str) -> set[str]:
    path = folder / "proposed.yaml"
    path.write_text(text)
    return set(config.load(path, KINDS).checks)


def test_every_kind_of_port_and_fact_is_proposed_as_yaml_that_loads(tmp_path: Path) -> None:
    ports = list(looking.PORTS)
    titles = {80: "Shop", 443: ""}
    found = Discovered("web1", "10.0.0.1", ports, titles, ["nginx.service"], ["/", "/srv"])
    found.login = {"ssh": {"user": "monitord", "port": 22}}
    text = discover._yaml("web1", [found, Discovered(discover._name("::1"), "::1", [22])], 2)
    keys = loads(tmp_path, text)
    names = {key.removeprefix("web1/") for key in keys if key.startswith("web1/")}
    inside = {"disk-space", "memory", "load", "failed-units", "clock", "services"}
    assert names >= {*(f"{one}-port" for one in looking.PORTS.values()), *inside}
    assert "host-::1/ssh-port" in keys
    assert "# its first page: Shop" in text


def test_nothing_found_is_yaml_too(tmp_path: Path) -> None:
    assert not loads(tmp_path, discover._yaml("10.0.0.0/30", [], 2))


def test_a_web_server_s_title_is_read_and_cleaned(nginx: Nginx) -> None:
    (nginx.root / "index.html").write_text(f"<TITLE lang=de>{HOSTILE}</TITLE>")
    title = asyncio.run(looking._first_page("127.0.0.1", nginx.port))
    assert title is not None
    assert title.isprintable()
    assert title.startswith("evil")


def test_only_open_ports_are_found_and_no_faster_than_told() -> None:
    async def scan(ports: list[int]) -> tuple[list[int], float]:
        loop = asyncio.get_running_loop()
        began = loop.time()
        found = await Scanner(100, ports).look("here", "127.0.0.1")
        return found.ports, loop.time() - began

    with socket.create_server(("127.0.0.1", 0)) as listener, socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        ports = [listener.getsockname()[1], *[bound.getsockname()[1]] * 20]
        found, took = asyncio.run(scan(ports))
    assert found == ports[:1]
    assert took > 0.19


def test_only_what_is_named_is_looked_at() -> None:
    assert addresses("10.0.0.0/30") == ["10.0.0.1", "10.0.0.2"]
    assert addresses("web1") == ["web1"]
    with pytest.raises(CommandRefusedError, match="is 65536 addresses; at most 1024"):
        addresses("10.0.0.0/16")
    with pytest.raises(CommandRefusedError, match=r"write 10\.0\.0\.0/24"):
        addresses("10.0.0.0/99")


def test_this_machine_is_looked_into_over_its_own_login(tmp_path: Path) -> None:
    main = tmp_path / "monitord.yaml"
    main.write_text("hosts: {here: {address: 127.0.0.1, login: local}}\n")
    command = ["--config", str(main), "discover", "here", "--rate", "1000"]
    done = CliRunner().invoke(app, command)
    assert done.exit_code == 0, done.output
    assert "here/disk-space" in loads(tmp_path, done.stdout)
