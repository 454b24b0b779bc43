"""docs/operations.md lists every metric with its type and every credential, and no other."""

from __future__ import annotations

import re
from pathlib import Path

from prometheus_client.parser import text_string_to_metric_families

from monitord.metrics import Counters, Rows, Snapshot, render
from monitord.model.ids import StateKey
from monitord.model.kinds import Health
from monitord.model.state import CheckState

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")


def test_the_table_of_metrics_is_what_a_scrape_gives() -> None:
    snapshot = Snapshot(
        Counters(),
        [CheckState(StateKey("web1/site"))],
        1,
        1,
        Health(0.0, 0, 0, 0, ()),
        Rows(),
        per_check=True,
    )
    families = text_string_to_metric_families(render(snapshot).decode())
    program = {(family.name, family.type) for family in families}
    program.discard(("monitord_build_info", "gauge"))  # text format 0.0.4 knows no info type
    page = set(re.findall(r"^\| (monitord_\w+) \| (\w+) \|", PAGE, flags=re.MULTILINE))
    page.discard(("monitord_build", "info"))
    assert page == program


def test_every_credential_of_the_units_is_on_the_page_and_no_other() -> None:
    units = "".join(path.read_text(encoding="utf-8") for path in ROOT.glob("systemd/*.service"))
    program = set(re.findall(r"^LoadCredential=(\S+)$", units, flags=re.MULTILINE))
    table = PAGE.partition("## Secrets")[2].partition("## What lies where")[0]
    page = {
        name
        for row in re.findall(r"^\| (`monitord-.+?) \|", table, flags=re.MULTILINE)
        for name in re.findall(r"`([a-z-]+)`", row)
    }
    assert page == program
