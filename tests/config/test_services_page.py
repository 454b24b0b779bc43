"""docs/services.md holds true: its example loads, and every rule of its table can be written."""

import re
from pathlib import Path

from monitord.config import assemble, read
from monitord.daemon.kinds import KINDS
from monitord.model.service import Seen

PAGE = (Path(__file__).parents[2] / "docs/services.md").read_text(encoding="utf-8")
EXAMPLE, *_ = re.findall(r"```yaml\n# [\w.]+\n(.*?)```", PAGE, re.DOTALL)


def test_the_example_and_the_table_of_rules_can_be_used(tmp_path: Path) -> None:
    table = PAGE.partition("| written |")[2].partition("| state |")[0]
    written = [row.partition("|")[2].partition("|")[0] for row in table.splitlines()[2:]]
    rules = [text for row in written for text in re.findall(r"`([^`]+/[^`]+|[^`]+=[^`]+)`", row)]
    assert len(rules) == 12
    lines = "".join(f'      - "{text}"\n' for text in rules)
    more = f"  all:\n    degraded_when:\n{lines}"
    text = EXAMPLE.replace("hosts:\n", '  "api[1-2]": {checks: {site: {tcp: {port: 81}}}}\n', 1)
    text = f"hosts:\n{text}".replace("services:\n", f"services:\n{more}")
    main = tmp_path / "main.yaml"
    main.write_text(text, encoding="utf-8")
    catalog = assemble(read(main, shipped=tmp_path / "none", system=tmp_path / "etc"), KINDS)
    assert [rule.text for rule in catalog.services["all"].degraded_when] == rules
    assert len(catalog.services["shop"].checks) == 11


def test_every_state_of_a_check_stands_on_the_page() -> None:
    for seen in Seen:
        assert f"`{seen}`" in PAGE
