"""A real Alertmanager sends its webhook to a real monitord-web."""

from __future__ import annotations

import json
import urllib.request

from tests.tickets.real import Alertmanager
from tests.web.conftest import Web
from tests.world.needs import need
from tests.world.until import until

CONFIG = """\
route: {{receiver: monitord, group_wait: 0s, group_interval: 1s, group_by: [alertname]}}
receivers:
  - name: monitord
    webhook_configs:
      - url: http://127.0.0.1:{port}/inbound/prom
        http_config: {{authorization: {{credentials: a-token-of-the-test}}}}
"""


class Sending(Alertmanager):
    """One whose receiver is monitord-web."""

    def __init__(self, port: int) -> None:
        super().__init__()
        (self.folder / "alertmanager.yml").write_text(CONFIG.format(port=port), encoding="utf-8")

    def alert(self, name: str, **labels: str) -> None:
        """Let an alert fire, as Prometheus does."""
        body = json.dumps([{"labels": {"alertname": name, **labels}}]).encode()
        request = urllib.request.Request(  # noqa: S310 - our own server
            f"{self.url}/api/v2/alerts", body, {"Content-Type": "application/json"}
        )
        urllib.request.urlopen(request, timeout=30).close()  # noqa: S310 - as above


def test_an_alert_of_a_real_alertmanager_arrives_as_a_result(web: Web) -> None:
    need("alertmanager")
    with Sending(web.port) as manager:
        manager.alert("SiteDown", instance="web1:9100", severity="critical")
        until(lambda: web.core.calls("told"), within=30, what="a webhook")
        call = web.core.calls("told")[0]
        assert (call["source"], call["keys"]) == ("prom", ["web1/alertmanager-SiteDown"])
