"""`monitord test` can fail: it tells a wrong expectation with its line, and what was found."""

import gc
from pathlib import Path

import pytest

from monitord.daemon.kinds import KINDS
from monitord.engine.scenario import run_files

_CONFIG = """\
# A sentence
config:
  profile: standard
  hosts: {web1: {address: 127.0.0.1, login: {local: {act: true}}, checks: {site: }}}
  checks: {site: {tcp: {port: 80}, every: 10s, attempts: 1, remediate: [restart]}}
  runbooks:
    restart:
      mode: auto
      steps: [{command: [/bin/restart]}]
      verify: {settle: 2s, oks: 1, within: 20s}
      limits: {per_incident: 1, cooldown: 10m}
given: {20s: {web1/site: critical "no answer"}}
actions: {restart: nothing}
expect:
"""
_WRONG = {
    "{by: 2m, incident: web1/site, status: RESOLVED}": (
        "by 2m: expected incident web1/site status RESOLVED; found what incident"
    ),
    "{at: 5s, incident: web1/site}": "at 5s: expected incident web1/site ; found no incident of",
    "{by: 2m, ticket: web1/site, priority: P1}": "expected ticket web1/site priority P1; found",
    "{by: 2m, ticket: web1/site, tells: pineapple}": "telling 'pineapple'; found",
    "{by: 2m, page: web1/site, status: resolve}": "expected page web1/site status resolve; found",
    "{at: 2m, state: web1/site, hard: OK}": "expected state web1/site hard OK; found",
    "{by: 2m, refused: web1/site, guard: halt}": "expected refused web1/site guard halt; found no",
    "{by: 2m, effect: web1/site, runbook: other}": "expected effect web1/site runbook other; found",
    "{never: [page, effect]}": "never page, but there was what page",
    "{never: effect, after: 40s, until: 2m}": "never effect after 40s until 2m, but there was",
    "{count: effects, is: 7}": "1 effects, not 7",
    "{count: attempts, of: web1/site, by: 10s, is: 1}": "0 attempts of web1/site by 10s, not 1",
    "{pages: [open, resolve]}": "pages: open; expected open, resolve",
}


def run(folder: Path, text: str) -> tuple[str, ...]:
    file = folder / "x.test.yaml"
    file.write_text(text)
    (report,) = run_files([file], KINDS)
    return report.failures


def test_each_wrong_expectation_is_told_with_its_line(tmp_path: Path) -> None:
    failures = run(tmp_path, _CONFIG + "".join(f"  - {line}\n" for line in _WRONG) + "lasts: 3m\n")
    start = _CONFIG.count("\n") + 1
    assert len(failures) == len(_WRONG)
    for number, (failure, sentence) in enumerate(zip(failures, _WRONG.values(), strict=True)):
        assert failure.startswith(f"{tmp_path}/x.test.yaml:{start + number}: ")
        assert sentence in failure


def test_a_wrong_expectation_is_told_beside_those_that_hold(tmp_path: Path) -> None:
    text = _CONFIG + "  - {by: 2m, incident: web1/site}\n  - {never: incident}\n"
    (failure,) = run(tmp_path, text)
    assert "x.test.yaml:16: never incident" in failure


BAD = {
    "nothing to expect": (
        "config: a.yaml\nexpect: []\n",
        "2:9: expect: needs at least 1",
    ),
    "no expectation at all": ("config: a.yaml\n", "1:1: expect: is missing"),
    "an unknown key": (
        "config: a.yaml\ngivn: {}\nexpect: [{never: page}]\n",
        "2:1: givn: unknown key (did you mean given?)",
    ),
    "a duration without its unit": (
        "config: a.yaml\nexpect: [{by: 5, never: page}]\n",
        "2:15: expect.1.by: 5 is not a duration (write 5s)",
    ),
    "no result": (
        "config: a.yaml\ngiven:\n  5s: {web1/site: broken}\nexpect: [{never: page}]\n",
        "3:19: given.5s.web1/site: 'broken' is not a result (write ok, critical \"no answer\"",
    ),
    "a text without quotes": (
        "config: a.yaml\ngiven:\n  5s: {web1/site: critical slow}\nexpect: [{never: page}]\n",
        "3:19: given.5s.web1/site: 'critical slow': only unknown has a cause; quote the text",
    ),
    "an unknown cause": (
        "config: a.yaml\ngiven:\n  5s: {web1/site: unknown weather}\nexpect: [{never: page}]\n",
        "3:19: given.5s.web1/site: 'weather' is no cause of unknown (write one of login, ",
    ),
    "an action that does nothing known": (
        "config: a.yaml\nactions: {restart: cures}\nexpect: [{never: page}]\n",
        "2:20: actions.restart.does: 'cures' is none of heals, nothing,",
    ),
    "two deeds in one": (
        'config: a.yaml\ndo: {5s: {halt: "*", crash: now}}\nexpect: [{never: page}]\n',
        "2:10: do.5s: says halt and crash (write one of ack, ",
    ),
    "an expectation of two things": (
        "config: a.yaml\nexpect: [{incident: a/b, ticket: a/b}]\n",
        "2:10: expect.1: says incident and ticket (write one of incident, ticket, state,",
    ),
    "an expectation of nothing": (
        "config: a.yaml\nexpect: [{by: 5s, status: OK}]\n",
        "2:10: expect.1: says nothing to look at (write one of incident,",
    ),
    "a count without a number": (
        "config: a.yaml\nexpect: [{count: pages}]\n",
        "2:10: expect.1: count: pages: how many? (add is: 1)",
    ),
    "what can never be": (
        "config: a.yaml\nexpect: [{never: pags}]\n",
        "2:10: expect.1: never 'pags': known are incident, attempt,",
    ),
    "a misspelt status": (
        "config: a.yaml\nexpect: [{incident: a/b, status: RESOLVD}]\n",
        "2:10: expect.1: status: 'RESOLVD' is never one (did you mean RESOLVED?); known are OPEN,",
    ),
    "a status of something else": (
        "config: a.yaml\nexpect: [{page: a/b, status: OPEN}]\n",
        "2:10: expect.1: status: 'OPEN' is never one (did you mean open?); known are open, update,",
    ),
    "no YAML": ("config: a.yaml\nexpect: [{never: page}\n", "2:9: "),
    "no map": ("- a\n", "1:1: is not a scenario (a map with config:, given: and expect:)"),
    "a configuration that is not there": (
        "config: nowhere.yaml\nexpect: [{never: page}]\n",
        "nowhere.yaml:1:1: no such file",
    ),
    "a mistake in its configuration": (
        "config:\n  hosts: {web1: {adress: 127.0.0.1}}\nexpect: [{never: page}]\n",
        "x.test.yaml:2:18: web1.adress: unknown key (did you mean address?)",
    ),
    "results of a check that is not configured": (
        _CONFIG.replace("web1/site:", "web1/sit:") + "  - {never: page}\n",
        "x.test.yaml:12:15: given: the configuration has no check web1/sit (did you mean",
    ),
    "actions of a runbook that is not configured": (
        _CONFIG.replace("actions: {restart:", "actions: {pray:") + "  - {never: page}\n",
        "x.test.yaml:13:11: actions: the configuration has no runbook pray",
    ),
    "an order that touches nothing": (
        _CONFIG + "  - {never: page}\ndo: {5s: {ack: web9}}\n",
        "x.test.yaml:16:6: the core refuses this: 'web9' touches no check now",
    ),
}


@pytest.mark.parametrize("case", BAD)
def test_a_mistake_in_the_file_is_told_with_its_line(tmp_path: Path, case: str) -> None:
    text, message = BAD[case]
    failures = run(tmp_path, text)
    assert len(failures) == 1
    assert message in failures[0]


def test_a_deed_that_is_refused_among_others_is_told_alone_and_without_noise(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
) -> None:
    deeds = "do:\n  5s:\n    - {mute: web1}\n    - {approve: web1/site}\n  9s: {mute: web1}\n"
    failures = run(tmp_path, _CONFIG + "  - {never: page}\n" + deeds)
    text = "the core refuses this: nothing of web1/site waits for approval then"
    assert failures == (f"{tmp_path}/x.test.yaml:19:7: {text}",)
    gc.collect()  # a task that was left behind complains when it goes
    assert (caplog.text, *capsys.readouterr()) == ("", "", "")


def test_a_folder_is_every_scenario_below_it(tmp_path: Path) -> None:
    (tmp_path / "deeper").mkdir()
    for name in ("b.test.yaml", "deeper/a.test.yaml", "no-scenario.yaml"):
        (tmp_path / name).write_text("- not a scenario\n")
    reports = run_files([tmp_path], KINDS)
    assert [report.path.name for report in reports] == ["b.test.yaml", "a.test.yaml"]
