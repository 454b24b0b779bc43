"""Five hundred targets of one group fail within half a minute: one outage, told once."""

from pathlib import Path

from monitord.daemon.kinds import KINDS
from monitord.engine.scenario import run_files

_HOSTS = 500
_SECONDS = 30
_HOUSE = """
# Five hundred web servers fail within half a minute
config:
  profile: standard
  hosts:
    web[1-500]:
      address: 10.1.1.1
      groups: [linux, web]
      login: {ssh: {user: monitord, act: {user: repair}}}
  groups: {web: {checks: {site: }}, linux: }
  checks:
    site: {tcp: {port: 80}, every: 60s, retry_every: 15s, attempts: 3, remediate: [restart]}
  runbooks:
    restart:
      mode: auto
      changes: start
      steps: [{systemd: {unit: nginx, do: start}}]
      verify: {settle: 5s, oks: 1, within: 1m}
      limits: {per_incident: 1, cooldown: 1m}
given:
GIVEN
actions: {restart: heals}
expect:
  - {by: 195s, incident: group/web/site, status: ESCALATED, severity: CRITICAL, priority: P2}
  - {at: 195s, incident: group/web/site, items: 500, says: 500 fail}
  - {never: effect}
  - {count: tickets, is: 1}
  - {count: pages, is: 1}
  - {count: incidents, is: 1}
lasts: 200s
"""
_EASES = """
# An outage of many that eases to a warning is the same outage, and over when all are well
config:
  profile: standard
  hosts: {"web[1-6]": {address: 10.1.1.1, groups: [web], login: none}}
  groups: {web: {checks: {site: }}}
  checks:
    site: {tcp: {port: 80}, every: 60s, retry_every: 15s, attempts: 3, recoveries: 1}
given:
  60s: {SITES critical "no answer"}
  200s: {SITES warning "slow"}
  400s: {SITES ok}
expect:
  - {by: 170s, incident: group/web/site, status: ESCALATED, severity: CRITICAL}
  - {by: 270s, incident: group/web/site, severity: WARNING, items: 6}
  - {by: 470s, incident: group/web/site, status: RESOLVED, cause: recovered}
  - {count: tickets, is: 1}
lasts: 480s
"""


def given() -> str:
    """Give the failures, spread over half a minute."""
    return "\n".join(f"  {60 + second}s: {{{_of(second)}}}" for second in range(_SECONDS))


def _of(second: int) -> str:
    failing = range(1 + second, _HOSTS + 1, _SECONDS)
    return ", ".join(f'web{number}/site: critical "no answer"' for number in failing)


def test_a_group_that_fails_as_one_is_one_incident_and_one_ticket(tmp_path: Path) -> None:
    file = tmp_path / "mass.test.yaml"
    file.write_text(_HOUSE.replace("GIVEN", given()).lstrip())
    (report,) = run_files([file], KINDS)
    assert report.failures == ()


def test_an_outage_that_eases_to_a_warning_stays_one_incident(tmp_path: Path) -> None:
    file = tmp_path / "eases.test.yaml"
    story = _EASES.lstrip()
    for word in ('critical "no answer"', 'warning "slow"', "ok"):
        all_of_them = ", ".join(f"web{number}/site: {word}" for number in range(1, 7))
        story = story.replace(f"{{SITES {word}}}", f"{{{all_of_them}}}")
    file.write_text(story)
    (report,) = run_files([file], KINDS)
    assert report.failures == ()
