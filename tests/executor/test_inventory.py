"""Hosts from CSV, Ansible, NetBox and a script: read, judged, kept; never dropped by themselves."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from monitord import config
from monitord.clock import SystemClock
from monitord.config import ConfigError, kept
from monitord.errors import MonitordError, NotFoundError
from monitord.executor import inventory
from monitord.executor.inventory import Refreshed
from monitord.model.inventory import Inventory, InventoryModel

CSV = "name,address,groups,site,tags\n"
Make = Callable[..., Inventory]


@pytest.fixture
def make(tmp_path: Path) -> Make:
    def _make(**model: Any) -> Inventory:
        (tmp_path / "var").mkdir(exist_ok=True)
        settings = InventoryModel.model_validate(model)
        return Inventory("cmdb", settings, str(tmp_path), str(tmp_path / "var"))

    return _make


def refresh(source: Inventory, *, smaller: bool = False) -> Refreshed:
    return asyncio.run(inventory.refresh(source, SystemClock(), smaller=smaller))


def refused(source: Inventory) -> str:
    with pytest.raises(MonitordError) as caught:
        refresh(source)
    return str(caught.value).replace(f"{source.folder}/", "")


def table(source: Inventory, *rows: str, head: str = CSV) -> None:
    (Path(source.folder) / "hosts.csv").write_text(head + "".join(f"{row}\n" for row in rows))


def many(count: int) -> list[str]:
    return [f"web{number},10.0.0.{number},linux,ulm," for number in range(1, count + 1)]


@pytest.fixture
def csv(make: Make) -> Inventory:
    return make(csv={"file": "hosts.csv"})


def test_a_table_gives_hosts_with_their_groups_site_and_tags(csv: Inventory) -> None:
    table(csv, 'web1,10.0.0.1,"linux, web",ulm,rack4', "", "# a remark,,,,", "db1,,linux,,")
    told = refresh(csv)
    assert told.new == ("web1", "db1")
    assert kept.hosts(csv)["web1"] == {
        "address": "10.0.0.1",
        "groups": ["linux", "web"],
        "site": "ulm",
        "tags": ["rack4"],
        "from": f"{csv.folder}/hosts.csv:2",
    }


@pytest.mark.parametrize(
    ("row", "told"),
    [
        ("web2,10.0.0.300,linux,,", "hosts.csv:3:1: web2: address: 10.0.0.300 is no IPv4 address"),
        ("web/2,,linux,,", "hosts.csv:3:1: name: 'web/2' cannot be a host name"),
        ("web[1-4],,linux,,", "hosts.csv:3:1: name: 'web[1-4]' cannot be a host name (only"),
        (",10.0.0.2,linux,,", "hosts.csv:3:1: has no name"),
        ("web2,10.0.0.2,linux", "hosts.csv:3:1: has 3 cells, and the first line names 5 columns"),
        ("web1,10.0.0.2,linux,,", "hosts.csv:3:1: host web1 is listed twice (first in line 2)"),
        ("web2,10.0.0.2,a/b,,", "hosts.csv:3:1: web2: 'a/b' cannot be the name of a group"),
    ],
)
def test_a_bad_row_is_told_with_its_line_and_changes_nothing(
    csv: Inventory, row: str, told: str
) -> None:
    table(csv, "web1,10.0.0.1,linux,,")
    refresh(csv)
    before = kept.answer_file(csv.state, "cmdb").read_bytes()
    table(csv, "web1,10.0.0.1,linux,,", row)
    assert told in refused(csv)
    assert kept.answer_file(csv.state, "cmdb").read_bytes() == before
    assert "the last good answer stands" in kept.troubles([csv], SystemClock().now())


def test_a_column_that_is_not_there_is_told_with_the_nearest(make: Make) -> None:
    source = make(csv={"file": "hosts.csv"}, fields={"name": "hostnam"})
    table(source, "web1,10.0.0.1", head="hostname,ip\n")
    assert "there is no column 'hostnam' (did you mean hostname?)" in refused(source)


def test_an_empty_answer_is_never_believed(csv: Inventory) -> None:
    table(csv, *many(3))
    refresh(csv)
    table(csv)
    assert "the answer is empty, which is never believed (3 hosts are kept)" in refused(csv)
    assert len(kept.hosts(csv)) == 3


def test_an_answer_with_a_fifth_fewer_hosts_is_believed_only_on_a_person_s_word(
    csv: Inventory,
) -> None:
    table(csv, *many(10))
    refresh(csv)
    table(csv, *many(7))
    assert "has 7 hosts, the last one had 10" in refused(csv)
    assert refresh(csv, smaller=True).vanished == ("web10", "web8", "web9")


def test_a_vanished_host_stays_until_it_is_let_go_and_loses_the_mark_when_it_is_back(
    csv: Inventory,
) -> None:
    table(csv, *many(10))
    refresh(csv)
    table(csv, *many(8))
    assert refresh(csv).vanished == ("web10", "web9")
    assert "vanished" in kept.hosts(csv)["web9"]
    table(csv, *many(9))
    assert refresh(csv).returned == ("web9",)
    assert "vanished" not in kept.hosts(csv)["web9"]
    with pytest.raises(NotFoundError, match="web9 has not vanished from cmdb: it is still listed"):
        inventory.accept(csv, ["web9"], SystemClock())
    assert inventory.accept(csv, [], SystemClock()) == ["web10"]
    assert len(kept.hosts(csv)) == 9


def test_an_equal_answer_leaves_the_kept_file_as_it_is(csv: Inventory) -> None:
    table(csv, *many(3))
    refresh(csv)
    before = kept.answer_file(csv.state, "cmdb").read_bytes()
    assert refresh(csv) == Refreshed("cmdb", 3)
    assert kept.answer_file(csv.state, "cmdb").read_bytes() == before


INI = """
mail1 ansible_host=10.0.2.1   # no group
[web]
web[01:03].example.com ansible_user=ops
[db]
db1:2222
[db:vars]
ansible_user=postgres
[linux:children]
web
db
"""
YAML = """
all:
  children:
    linux:
      vars: {ansible_user: ops}
      children:
        web: {hosts: {"web[01:02]": , web9: {ansible_host: 10.0.0.9, ansible_port: 2222}}}
"""


@pytest.mark.parametrize(
    ("name", "text", "expected"),
    [
        (
            "hosts.ini",
            INI,
            {
                "mail1": ("10.0.2.1", [], 0, ""),
                "web01.example.com": ("", ["web", "linux"], 0, "ops"),
                "web02.example.com": ("", ["web", "linux"], 0, "ops"),
                "web03.example.com": ("", ["web", "linux"], 0, "ops"),
                "db1": ("", ["db", "linux"], 2222, "postgres"),
            },
        ),
        (
            "hosts.yml",
            YAML,
            {
                "web01": ("", ["web", "linux"], 0, "ops"),
                "web02": ("", ["web", "linux"], 0, "ops"),
                "web9": ("10.0.0.9", ["web", "linux"], 2222, "ops"),
            },
        ),
    ],
)
def test_an_ansible_inventory_gives_hosts_groups_and_how_ssh_reaches_them(
    make: Make, name: str, text: str, expected: dict[str, Any]
) -> None:
    source = make(ansible={"file": name})
    (Path(source.folder) / name).write_text(text)
    refresh(source)
    empty = {"address": "", "groups": [], "port": 0, "user": ""}
    found = {
        name: tuple({**empty, **host}[key] for key in empty)
        for name, host in kept.hosts(source).items()
    }
    assert found == expected


@pytest.mark.parametrize(
    ("name", "text", "told"),
    [
        ("hosts.ini", "[web]\nweb1 10.0.0.1\n", "hosts.ini:2:1: '10.0.0.1' is no variable"),
        ("hosts.ini", "[web:childs]\n", "[web:childs]: unknown (did you mean children?)"),
        ("hosts.ini", "web[5:1]\n", "hosts.ini:1:1: 'web[5:1]' holds the range [5:1]"),
        ("hosts.ini", "web1 ansible_port=ssh\n", "hosts.ini:1:1: web1: ansible_port: 'ssh' is no"),
        ("hosts.yml", "all:\n  host: {}\n", "hosts.yml:2:1: all: host: unknown key (did you mean"),
    ],
)
def test_a_mistake_in_an_ansible_inventory_is_told_with_its_line(
    make: Make, name: str, text: str, told: str
) -> None:
    source = make(ansible={"file": name})
    (Path(source.folder) / name).write_text(text)
    assert told in refused(source)


def program(source_folder: Path, text: str) -> list[str]:
    path = source_folder / "hosts.sh"
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o700)
    return [str(path)]


def test_a_script_s_answer_is_read_by_paths(make: Make, tmp_path: Path) -> None:
    answer = {"hosts": [{"id": "web1", "net": {"ip": "10.0.0.1"}, "roles": ["linux", "web"]}]}
    argv = program(tmp_path, f"echo '{json.dumps(answer)}'")
    fields = {"name": "id", "address": "net.ip", "groups": "roles"}
    source = make(script={"argv": argv}, fields=fields, site="ulm")
    refresh(source)
    host = kept.hosts(source)["web1"]
    assert (host["address"], host["groups"], host["site"]) == ("10.0.0.1", ["linux", "web"], "ulm")


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("echo no; exit 3", "failed (exit code 3)"),
        ("echo no", "the answer is not JSON"),
        ("echo 7", "the answer is no list of hosts"),
        ("echo []", "the answer is empty"),
    ],
)
def test_a_script_that_fails_changes_nothing(
    make: Make, tmp_path: Path, text: str, told: str
) -> None:
    assert told in refused(make(script={"argv": program(tmp_path, text)}))


class _NetBox(BaseHTTPRequestHandler):
    """Two pages of devices, for one token, as NetBox's REST API gives them."""

    def do_GET(self) -> None:
        if self.headers["Authorization"] != "Token right":
            self.send_error(403)
            return
        first = "offset" not in self.path
        assert not first or "status=active" in self.path
        here = f"http://{self.headers['Host']}/api/dcim/devices/?limit=200&offset=1"
        number = 1 if first else 2
        device = {
            "name": f"web{number}",
            "primary_ip": {"address": f"10.0.0.{number}/24"},
            "role": {"slug": "web"},
            "platform": None,
            "site": {"slug": "ulm"},
            "tenant": {"slug": "acme"},
            "tags": [{"slug": "rack4"}, {"slug": "blue"}],
        }
        panel = {"name": None, "primary_ip": None}
        body = json.dumps({"next": here if first else None, "results": [device, panel]}).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Say nothing on the test's standard error."""


@pytest.fixture
def netbox() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), _NetBox)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    thread.join()
    server.server_close()


def test_netbox_is_read_page_by_page(make: Make, netbox: str) -> None:
    source = make(netbox={"url": netbox, "token": "right"}, groups=["linux"])
    assert refresh(source).new == ("web1", "web2")
    host = kept.hosts(source)["web2"]
    assert (host["address"], host["groups"], host["tags"], host["site"], host["customer"]) == (
        "10.0.0.2",
        ["web", "linux"],
        ["rack4", "blue"],
        "ulm",
        "acme",
    )


def test_a_token_that_netbox_refuses_is_told_and_not_shown(make: Make, netbox: str) -> None:
    text = refused(make(netbox={"url": netbox, "token": "wrong-secret"}))
    assert "answers 403 (the token is wrong" in text
    assert "wrong-secret" not in text


MAIN = """
state: var
hosts: {own: {groups: [linux]}}
groups: {linux: {login: {ssh: {user: monitord, key: /k}}, checks: {up: {tcp: {port: 22}}}}}
inventory: {cmdb: {csv: {file: hosts.csv}}, other: {csv: {file: other.csv}}}
"""


@pytest.fixture
def house(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "main.yaml").write_text(MAIN)
    (tmp_path / "hosts.csv").write_text(f"{CSV}web1,10.0.0.1,linux web,ulm,\nweb2,,linux,,\n")
    (tmp_path / "other.csv").write_text(f"{CSV}db1,10.0.0.9,postgres,,\n")
    return tmp_path / "main.yaml"


def load(path: Path) -> Any:
    from monitord.daemon.kinds import KINDS

    return config.load(path, KINDS)


def test_kept_hosts_are_checked_by_their_groups_and_other_groups_are_tags(house: Path) -> None:
    before = load(house)
    assert set(before.hosts) == {"own"}
    assert "never fetched" in " ".join(before.warnings)
    for source in before.inventory.values():
        refresh(source)
    after = load(house)
    assert {"web1/up", "web2/up"} < set(after.checks)
    assert (after.hosts["web1"].groups, after.hosts["web1"].tags) == (("linux",), ("web",))
    assert "in no group of this configuration" in " ".join(after.warnings)
    assert "+ web1/up (tcp, every 1m)" in " ".join(config.compare(before, after).lines)
    assert load(house).hash == after.hash


def test_a_vanished_host_is_watched_on_and_marked(house: Path) -> None:
    source = load(house).inventory["cmdb"]
    table(source, *many(6))
    refresh(source)
    before = load(house)
    table(source, *many(5))
    refresh(source)
    after = load(house)
    assert "web6/up" in after.checks
    assert after.hosts["web6"].vanished.startswith("vanished from cmdb ")
    assert "~ host web6: vanished" in " ".join(config.compare(before, after).lines)
    inventory.accept(source, ["web6"], SystemClock())
    assert "web6/up" not in load(house).checks


def test_a_host_in_two_sources_is_a_mistake_that_names_both(house: Path) -> None:
    (house.with_name("other.csv")).write_text(f"{CSV}web1,10.0.0.9,linux,,\nown,,linux,,\n")
    for source in load(house).inventory.values():
        refresh(source)
    with pytest.raises(ConfigError) as caught:
        load(house)
    text = str(caught.value)
    assert "host web1 is in inventory other" in text
    assert "and in inventory cmdb" in text
    assert "host own is in inventory other" in text
