"""A broken file is an incident also where nobody watches monitord's own health."""

from __future__ import annotations

from tests.scenarios.house import House

GOOD = """
hosts:
  here:
    address: 127.0.0.1
    login: local
    checks:
      folder: {file: {path: $folder}, every: 1s}
"""


def test_a_broken_file_is_told_without_a_health_check_until_it_is_mended() -> None:
    with House(GOOD) as house:
        house.await_ok("here/folder")
        house.write("scenario.yaml", GOOD.replace("file:", "fiel:"))
        assert "fiel" in house.cli("reload", check=False)
        incident = house.incident("monitord/configuration")
        assert "fiel" in incident.summary
        assert house.ticket(incident)["priority"] == "P4"
        listed = house.cli("status", check=False)
        assert "monitord/configuration" in str(listed)
        house.write("scenario.yaml", GOOD)
        house.cli("reload")
        assert house.incident("monitord/configuration", "RESOLVED").cause == "recovered"
        assert house.violations() == []
