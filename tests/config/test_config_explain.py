"""`monitord explain`: each setting with its value and where it was said."""

from collections.abc import Callable
from pathlib import Path

import pytest

from monitord.config import explain, read
from monitord.errors import NotFoundError
from tests.config.kinds import KINDS

Rows = Callable[[str], dict[str, tuple[str, str]]]
MAIN = """\
defaults: {attempts: 4}
groups:
  web:
    login: {ssh: {user: m}}
    checks:
      site: {every: 30s, http: {status: 204}}
      space: {disk: {}}
hosts:
  web1:
    groups: web
    checks:
      site: {body: fine, remediate: [restart]}
exceptions:
  - {hosts: web1, checks: site, set: {timeout: 9s}, reason: r, owner: o, until: 2137-01-01}
services:
  shop:
    impact: high
    down_when: [web1/site, all of web*/* critical]
"""


@pytest.fixture
def rows(tmp_path: Path, write: Callable[[str, str], Path]) -> Rows:
    write("shipped/checks/site.yaml", "site:\n  http:\n    url: http://{address}/\n")
    write(
        "shipped/remediations/restart.yaml",
        "steps: [{systemd: {unit: nginx}}]\nverify: {oks: 3}\nlimits: {per_incident: 1}\n",
    )
    path = write("main.yaml", MAIN)
    sources = read(path, shipped=tmp_path / "shipped", system=tmp_path / "etc")

    def _rows(key: str) -> dict[str, tuple[str, str]]:
        return {
            setting: (value, place.replace(f"{tmp_path}/", ""))
            for setting, value, place in explain(sources, KINDS, key)
        }

    return _rows


def test_every_setting_names_the_line_that_decided_it(rows: Rows) -> None:
    told = rows("web1/site")
    assert told["http.url"] == ("http://web1/", "shipped/checks/site.yaml:3")
    assert told["http.status"] == ("204", "main.yaml:6")
    assert told["http.body"] == ("fine", "main.yaml:12")
    assert told["every"] == ("30s", "main.yaml:6")
    assert told["attempts"] == ("4", "main.yaml:1")
    assert told["timeout"] == ("9s", "main.yaml:14")
    assert told["remediate.1"] == ("restart (shadow)", "main.yaml:12")
    assert told["recoveries"] == ("2", "default")
    assert told["means"] == ("nothing", "default")
    assert told["http.critical"] == ("nothing", "default")


def test_an_implicit_check_comes_from_nowhere(rows: Rows) -> None:
    assert rows("web1/ssh")["every"] == ("1m", "default")
    assert rows("web1/space")["via"] == ("web1/ssh", "default")


def test_an_unknown_key_names_the_nearest(rows: Rows) -> None:
    with pytest.raises(NotFoundError, match=r"no check web1/sit \(did you mean web1/site\?\)"):
        rows("web1/sit")


def test_a_service_is_told_with_what_its_rules_look_at(rows: Rows) -> None:
    told = rows("shop")
    assert told["impact"] == ("high", "main.yaml:17")
    assert told["sla"] == ("nothing", "default")
    assert told["down_when.2"] == ("all of web*/* critical", "main.yaml:18")
    assert told["down_when.2 looks at"] == (
        "web1/ssh, web1/site, web1/space", "main.yaml:18",
    )  # fmt: skip
    with pytest.raises(NotFoundError, match=r"no check or service shp \(did you mean shop\?\)"):
        rows("shp")
