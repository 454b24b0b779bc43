"""The identity rules at a reload: what keeps its state, what starts anew, what a person reads."""

from collections.abc import Callable

import pytest

from monitord.config import ReloadPlan, compare
from monitord.model.ids import CheckKey
from tests.config.conftest import Load

RUNBOOK = (
    "steps: [{systemd: {unit: nginx}}]\n"
    "verify: {settle: 15s, oks: 3, within: 2m}\n"
    "limits: {per_incident: 1}\n"
)
SITE = 'hosts:\n  w:\n    address: 10.0.0.1\n    checks:\n      s: {http: {url: "http://x/"}}\n'
Change = Callable[[str, str], ReloadPlan]


@pytest.fixture
def change(load: Load) -> Change:
    """Give the plan for going from one text to another."""

    def _change(before: str, after: str) -> ReloadPlan:
        return compare(load(before), load(after))

    return _change


def test_nothing_changed_says_nothing(change: Change) -> None:
    assert change(SITE, "# a comment\n" + SITE) == ReloadPlan()


@pytest.mark.parametrize(
    ("setting", "line"),
    [
        ("every: 30s", "~ w/s: every: 1m → 30s"),
        ("attempts: 5", "~ w/s: attempts: 3 → 5"),
        ("timeout: 2s", "~ w/s: timeout: 5s → 2s"),
        ("means: the shop is closed", "~ w/s: means: nothing → the shop is closed"),
        ("status: 204", "~ w/s: http.status: 200 → 204"),
        ("critical: 5", "~ w/s: http.critical: nothing → 5"),
        ("limit: 3s", "~ w/s: http.limit: nothing → 3s"),
        ("ticket: at_once", "~ w/s: ticket: on_escalation → at_once"),
        ("flapping: false", "~ w/s: flapping: true → false"),
    ],
)
def test_thresholds_intervals_and_texts_keep_the_soft_counter(
    change: Change, setting: str, line: str
) -> None:
    plan = change(SITE, SITE.replace('"http://x/"}', f'"http://x/"}}, {setting}'))
    assert plan.changed == ("w/s",)
    assert plan.resets == frozenset()
    assert line in plan.lines


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ('{http: {url: "http://x/"}}', '{http: {url: "http://y/"}}'),
        ('{http: {url: "http://x/"}}', "{tcp: {port: 80}}"),
        ("address: 10.0.0.1", "address: 10.0.0.2"),
    ],
)
def test_a_changed_kind_or_target_starts_the_soft_counter_anew(
    change: Change, before: str, after: str
) -> None:
    plan = change(SITE, SITE.replace(before, after))
    assert plan.resets == {"w/s"}
    assert "! w/s: looks at something else now, its soft counter starts anew" in plan.lines


def test_checks_come_and_go(change: Change) -> None:
    plan = change(SITE, SITE.replace("      s: ", "      t: "))
    assert (plan.added, plan.removed, plan.renamed) == (("w/t",), ("w/s",), {})
    assert plan.lines == (
        "+ w/t (http, every 1m)",
        "- w/s: its state is forgotten, an open incident is closed",
    )


def test_was_carries_a_check_over_its_rename(change: Change) -> None:
    plan = change(SITE, SITE.replace("      s: {", "      t: {was: s, every: 9s, "))
    assert (plan.added, plan.removed) == ((), ())
    assert plan.renamed == {"w/t": "w/s"}
    assert plan.changed == ("w/t",)
    assert plan.resets == frozenset()
    assert "> w/t was w/s: state and history move along" in plan.lines


def test_was_carries_all_checks_over_a_host_s_rename(change: Change) -> None:
    plan = change(SITE, SITE.replace("  w:\n", "  web1:\n    was: w\n"))
    assert plan.renamed == {"web1/s": "w/s"}
    assert plan.resets == frozenset()


def test_was_stays_harmless_once_the_rename_is_done(change: Change) -> None:
    after = SITE.replace("      s: {", "      t: {was: s, ")
    assert change(after, after) == ReloadPlan()


def test_the_rest_of_the_content_is_told_too(load: Load) -> None:
    old = load(SITE, {"remediations/restart.yaml": RUNBOOK, "remediations/gone.yaml": RUNBOOK})
    new = load(
        "profile: lab\nweb: 127.0.0.1:1234\ntickets: {chat: {webhook: {url: http://c/}}}\n"
        + SITE.replace("address: 10.0.0.1", "site: ulm\n    address: 10.0.0.1"),
        {
            "remediations/restart.yaml": RUNBOOK + "mode: auto\n",
            "remediations/gone.yaml": "",
            "remediations/new.yaml": RUNBOOK,
        },
    )
    assert compare(old, new).lines == (
        "~ profile: cautious → lab",
        "~ web: 127.0.0.1:9750 → 127.0.0.1:1234 (needs a restart)",
        "~ host w: site: nothing → ulm",
        "+ runbook new",
        "- runbook gone",
        "~ runbook restart: its content changed; running attempts keep their own plan",
        "+ tickets to chat",
    )


def test_a_login_that_may_act_is_told(change: Change) -> None:
    before = "hosts: {w: {login: {ssh: {user: m}}}}\n"
    after = "hosts: {w: {login: {ssh: {user: m, act: {user: root}}}}}\n"
    assert change(before, after).lines == (
        "~ host w: login: ssh m (watched only) → ssh m (may act)",
    )


def test_a_changed_ladder_is_told(load: Load) -> None:
    files = {"remediations/a.yaml": RUNBOOK, "remediations/b.yaml": RUNBOOK}
    old = load(SITE.replace('/"}', '/"}, remediate: [a]'), files)
    new = load(SITE.replace('/"}', '/"}, remediate: [a, b]'), files)
    plan = compare(old, new)
    assert plan.lines == ("~ w/s: remediate: a (shadow) → a (shadow), b (shadow)",)
    assert plan.resets == frozenset()


def test_many_new_hosts_are_counted_rather_than_listed(change: Change) -> None:
    plan = change("profile: lab\n", "profile: lab\nhosts: {'h[1-500]': }\n")
    assert len(plan.lines) == 11
    assert plan.lines[-1] == "+ host: 490 more"


def test_keys_are_check_keys(change: Change) -> None:
    plan = change(SITE, SITE.replace("every", "every") + "      t: {tcp: {port: 1}}\n")
    assert plan.added == (CheckKey("w/t"),)
