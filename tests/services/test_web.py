"""A real HAProxy, Apache, Prometheus and exporter: their pages are read as they are."""

from __future__ import annotations

from monitord.model.result import Status
from tests.probes_service.asking import ask, ask_all
from tests.world.process import Peer, answers, find_program, free_port
from tests.world.until import until

HAPROXY = """
defaults
  mode http
  timeout connect 1s
  timeout client 5s
  timeout server 5s
frontend stats
  bind 127.0.0.1:{port}
  stats enable
  stats uri /stats
backend shop
  server self 127.0.0.1:{port} check inter 100ms fall 1
  server gone 127.0.0.1:{gone} check inter 100ms fall 1
backend dead
  server gone 127.0.0.1:{gone} check inter 100ms fall 1
"""
APACHE = """
ServerRoot {folder}
ServerName localhost
PidFile {folder}/pid
ErrorLog {folder}/error
DefaultRuntimeDir {folder}
Listen 127.0.0.1:{port}
LoadModule mpm_event_module {modules}/mod_mpm_event.so
LoadModule authz_core_module {modules}/mod_authz_core.so
LoadModule status_module {modules}/mod_status.so
<Location /server-status>
  SetHandler server-status
</Location>
"""


class Server(Peer):
    name = "web"

    def __init__(self, argv: list[str], config: str = "") -> None:
        super().__init__()
        self.port = free_port()
        file = self.folder / "config"
        modules = "/usr/lib/apache2/modules"
        text = config.format(port=self.port, gone=free_port(), folder=self.folder, modules=modules)
        file.write_text(text, encoding="utf-8")
        filled = [one.format(config=file, port=self.port, folder=self.folder) for one in argv]
        self.argv = [str(find_program(filled[0])), *filled[1:]]

    def is_ready(self) -> bool:
        return answers(self.port)


def test_haproxy_tells_of_servers_and_backends_that_are_down() -> None:
    with Server(["haproxy", "-db", "-f", "{config}"], HAPROXY) as peer:
        url = f"http://127.0.0.1:{peer.port}/stats;csv"
        until(lambda: ask_all("haproxy", url=url)["dead"].status is Status.CRITICAL, within=10)
        found = ask_all("haproxy", url=url)
    assert found["stats"].status is Status.OK
    assert found["shop"].status is Status.WARNING
    assert "1 of 2 servers down: gone (L4CON" in found["shop"].summary
    assert "backend down, all of its 1 servers" in found["dead"].summary


def test_apache_tells_of_its_workers() -> None:
    with Server(["apache2", "-X", "-f", "{config}"], APACHE) as peer:
        url = f"http://127.0.0.1:{peer.port}/server-status?auto"
        result = ask("apache", url=url)
        busy = ask("apache", url=url, workers={"critical": "0.01%"})
    assert result.status is Status.OK, result.summary
    assert "workers busy" in result.summary
    assert busy.status is Status.CRITICAL


def test_an_exporter_and_a_prometheus_are_asked() -> None:
    exporter = ["prometheus-node-exporter", "--web.listen-address=127.0.0.1:{port}"]
    server = ["prometheus", "--web.listen-address=127.0.0.1:{port}", "--config.file={config}"]
    server += ["--storage.tsdb.path={folder}/data"]
    with Server(exporter) as node, Server(server, "global: {{}}\n") as peer:
        page = f"http://127.0.0.1:{node.port}/metrics"
        load = ask("prometheus", url=page, metric="node_load1", over={"critical": "1e9"})
        high = ask("prometheus", url=page, metric="node_load1", over={"critical": "~:-1"})
        url = f"http://127.0.0.1:{peer.port}"
        until(lambda: ask("prometheus", url=url, query="vector(3)").status is Status.OK, within=20)
        bad = ask("prometheus", url=url, query="vector(3)", over={"critical": 2})
        wrong = ask("prometheus", url=url, query="vector(")
        none = ask("prometheus", url=url, query="up == 0", empty="ok")
    assert load.status is Status.OK, load.summary
    assert high.status is Status.CRITICAL
    assert bad.status is Status.CRITICAL
    assert "refuses the query" in wrong.summary
    assert none.status is Status.OK
