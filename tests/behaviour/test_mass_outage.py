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
