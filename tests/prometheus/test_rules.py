"""The Prometheus alerts fire in what they are for; the Grafana dashboard asks for what there is."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path
from typing import Any

import yaml
from prometheus_client.parser import text_string_to_metric_families

from monitord.decisions.ledger import Line
from monitord.metrics import Counters, Rows, Snapshot, render
from monitord.model.ids import StateKey
from monitord.model.kinds import Health
from monitord.model.state import CheckState
from tests.world.needs import requires

ROOT = Path(__file__).parents[2]
RULES = ROOT / "config" / "prometheus" / "monitord.rules.yml"
EXAMPLES = ROOT / "tests" / "prometheus" / "alerts.test.yml"
DASHBOARD: dict[str, Any] = json.loads(
    (ROOT / "config" / "grafana" / "monitord.json").read_text(encoding="utf-8")
)


def alerts() -> list[dict[str, Any]]:
    document = yaml.safe_load(RULES.read_text(encoding="utf-8"))
    return [rule for group in document["groups"] for rule in group["rules"]]


def asked() -> dict[str, str]:
    """Give the dashboard's questions, by panel."""
    return {
        f"{panel['title']} {target['refId']}": target["expr"]
        for panel in DASHBOARD["panels"]
        for target in panel.get("targets", ())
    }


def series() -> dict[str, set[str]]:
    """Give what a scrape holds, and the labels of each; tallies are given one word each."""
    counters = Counters()
    for tally in ("attempts", "refusals", "tickets", "delivered", "undelivered"):
        getattr(counters, tally)["x"] += 1
    for tally in ("notices", "unnoticed", "reloads", "job_events", "inbound"):
        getattr(counters, tally)["x"] += 1
    line = Line("r", 1, 1, repair_p50=1.0, repair_p95=2.0)
    rows = Rows({"OPEN": 1}, {"OPEN": 1}, {"halt": 1}, runbooks=[line])
    health = Health(0.0, 0, 0, 0, ())
    text = render(Snapshot(counters, [CheckState(StateKey("a/b"))], 1, 1, health, rows)).decode()
    found: dict[str, set[str]] = {}
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            found.setdefault(sample.name, set()).update(sample.labels)
    return found


def unknown(expression: str) -> list[str]:
    """Give what an expression names that no scrape holds: a metric, or a label of one."""
    there = series()
    named = re.findall(r"\b(monitord_\w+)(?:\{([^}]*)\})?", expression)
    wrong = [name for name, _ in named if name not in there]
    for name, matchers in named:
        labels = set(re.findall(r"(\w+)\s*(?:=~|!~|!=|=)", matchers))
        wrong += sorted(labels - there.get(name, set()) - {"instance", "job"})
    return wrong


def test_a_metric_or_label_that_does_not_exist_is_noticed() -> None:
    assert unknown('rate(monitord_nothing_total[5m]) + monitord_orders{vreb="halt"}') == [
        "monitord_nothing_total",
        "vreb",
    ]


def test_alerts_and_dashboard_ask_only_for_what_a_scrape_holds() -> None:
    questions = asked() | {rule["alert"]: rule["expr"] for rule in alerts()}
    assert len(questions) > 20
    wrong = {name: unknown(expression) for name, expression in questions.items()}
    assert {name: what for name, what in wrong.items() if what} == {}


def test_each_alert_has_an_example_and_says_what_to_do() -> None:
    examples = yaml.safe_load(EXAMPLES.read_text(encoding="utf-8"))["tests"]
    fires = {
        case["alertname"]
        for test in examples
        for case in test.get("alert_rule_test", ())
        if case["exp_alerts"]
    }
    assert fires == {rule["alert"] for rule in alerts()}
    assert [rule["alert"] for rule in alerts() if not rule["annotations"]["do"]] == []


@requires("promtool")
def test_promtool_finds_the_rules_right_and_lets_each_fire() -> None:
    for argv in (["check", "rules", str(RULES)], ["test", "rules", str(EXAMPLES)]):
        done = subprocess.run(
            ["promtool", *argv], capture_output=True, text=True, timeout=60, check=False
        )
        assert done.returncode == 0, done.stdout + done.stderr


@requires("promtool")
def test_promtool_reads_each_question_of_the_dashboard(tmp_path: Path) -> None:
    rules = [{"record": f"q{n}", "expr": text} for n, text in enumerate(asked().values())]
    file = tmp_path / "questions.yml"
    # Grafana puts in what these stand for.
    text = yaml.safe_dump({"groups": [{"name": "q", "rules": rules}]}, width=10_000)
    file.write_text(text.replace("$__rate_interval", "5m").replace("$instance", "m"))
    done = subprocess.run(
        ["promtool", "check", "rules", str(file)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_panels_do_not_overlap_and_have_their_own_numbers() -> None:
    cells: set[tuple[int, int]] = set()
    for panel in DASHBOARD["panels"]:
        at = panel["gridPos"]
        own = {(at["x"] + x, at["y"] + y) for x in range(at["w"]) for y in range(at["h"])}
        assert not own & cells, panel["title"]
        assert at["x"] + at["w"] <= 24, panel["title"]
        cells |= own
    numbers = [panel["id"] for panel in DASHBOARD["panels"]]
    assert len(set(numbers)) == len(numbers)
