"""Which layer wins, what a host gets from its groups, and what nobody has to write."""

from datetime import timedelta

import pytest

from monitord.model.catalog import Check, Limits, Requirement, SshLogin
from monitord.model.ids import CheckKey
from monitord.model.state import StatePolicy
from tests.config.conftest import Load, Problems

RUNBOOK = (
    "steps: [{systemd: {unit: nginx}}]\n"
    "verify: {settle: 15s, oks: 3, within: 2m}\n"
    "limits: {per_incident: 1, cooldown: 10m, per_hour: 3}\n"
)
LAYERS = {
    "shipped": ("shipped/checks/site.yaml", "site: {{http: {{url: 'http://x/'}}, every: {}}}\n"),
    "defaults": ("a.yaml", "defaults: {{every: {}}}\n"),
    "own": ("b.yaml", "checks: {{site: {{every: {}}}}}\n"),
    "group": ("c.yaml", "groups: {{web: {{checks: {{site: {{every: {}}}}}}}}}\n"),
    "host": ("d.yaml", "hosts: {{web1: {{groups: [web], checks: {{site: {{every: {}}}}}}}}}\n"),
    "exception": (
        "e.yaml",
        (
            "exceptions: [{{hosts: web1, checks: site, set: {{every: {}}}, reason: r, owner: o, "
            "until: 2137-01-01}}]\n"
        ),
    ),
}
ORDER = tuple(LAYERS)


def one(load: Load, text: str, key: str, files: dict[str, str] | None = None) -> Check:
    return load(text, files).checks[CheckKey(key)]


@pytest.mark.parametrize("top", range(1, len(ORDER) + 1))
@pytest.mark.parametrize("lowest", range(len(ORDER)))
def test_a_later_layer_wins(load: Load, top: int, lowest: int) -> None:
    """Shipped < defaults < own < group < host < exception, whichever of them say something."""
    speaking = ORDER[lowest:top]
    if not speaking:
        return
    files = {
        "shipped/checks/site.yaml": "site: {http: {url: 'http://x/'}}\n",
        "c.yaml": "groups: {web: {}}\n",
        "d.yaml": "hosts: {web1: {groups: [web], checks: {site: }}}\n",
    }
    for seconds, layer in enumerate(speaking, 7):
        name, text = LAYERS[layer]
        files[name] = text.format(f"{seconds}s")
    check = one(load, "include: ['?.yaml']\n", "web1/site", files)
    assert check.every == timedelta(seconds=6 + len(speaking))


def test_single_settings_of_a_probe_merge(load: Load) -> None:
    text = """
checks: {site: {http: {url: "http://x/", status: 200, body: ok}}}
groups: {web: {checks: {site: {http: {status: 204}}}}}
hosts: {web1: {groups: [web], checks: {site: {body: fine}}}, web2: {groups: [web]}}
"""
    catalog = load(text)
    spec = catalog.checks[CheckKey("web1/site")].spec
    assert spec.model_dump(include={"url", "status", "body"}) == {
        "url": "http://x/",
        "status": 204,
        "body": "fine",
    }
    assert catalog.checks[CheckKey("web2/site")].spec.model_dump()["body"] == "ok"


def test_a_host_settles_what_its_groups_disagree_on(load: Load) -> None:
    text = """
groups:
  a: {site: ulm, checks: {s: {http: {url: "http://x/"}, every: 10s}}}
  b: {site: berlin, checks: {s: {http: {url: "http://x/"}, every: 20s}}}
hosts:
  web1: {groups: [a, b], site: bonn, checks: {s: {every: 30s}}}
"""
    catalog = load(text)
    assert catalog.hosts["web1"].site == "bonn"
    assert catalog.checks[CheckKey("web1/s")].every == timedelta(seconds=30)


def test_two_groups_may_say_the_same(load: Load) -> None:
    text = """
groups:
  a: {site: ulm, checks: {s: {http: {url: "http://x/"}, every: 10s}}}
  b: {site: ulm, checks: {s: {http: {url: "http://x/"}, means: broken}}}
hosts: {web1: {groups: [a, b]}}
"""
    catalog = load(text)
    assert catalog.hosts["web1"].site == "ulm"
    assert catalog.checks[CheckKey("web1/s")].means == "broken"


def test_an_exception_settles_a_disagreement_for_its_hosts_only(problems: Problems) -> None:
    text = """
groups:
  a: {checks: {s: {http: {url: "http://x/"}, every: 10s}}}
  b: {checks: {s: {http: {url: "http://x/"}, every: 20s}}}
hosts: {"web[1-2]": {groups: [a, b]}}
exceptions:
  - {hosts: web1, checks: s, set: {every: 1m}, reason: r, owner: o, until: 2137-01-01}
"""
    told = problems(text)
    assert len(told) == 1
    assert "s: every is set differently by the groups a (main.yaml:3) and b" in told[0]


def test_a_group_may_name_its_hosts(load: Load) -> None:
    catalog = load(
        "hosts: {'web[1-3]': , db1: }\ngroups: {web: {hosts: ['web*', db1], site: ulm}}\n"
    )
    assert {host.name for host in catalog.hosts.values() if host.groups == ("web",)} == {
        "web1",
        "web2",
        "web3",
        "db1",
    }
    assert catalog.hosts["db1"].site == "ulm"


def test_slots_are_filled_from_the_host(load: Load) -> None:
    text = """
hosts:
  web[1-2]:
    address: "10.0.0.{10+n}"
    site: "row {n}"
    checks:
      site:
        http: {url: "http://{address}/{host}", headers: {X-Host: "{host}"}}
        needs: "db{n}/pg"
        by_hand: "ssh {host}"
        means: "{{host}} is a slot"
  db[1-2]: {checks: {pg: {tcp: {port: 5432}}}}
"""
    catalog = load(text)
    check = catalog.checks[CheckKey("web2/site")]
    assert catalog.hosts["web2"].address == "10.0.0.12"
    assert catalog.hosts["web2"].site == "row 2"
    assert catalog.hosts["db1"].address == "db1"
    assert check.spec.model_dump()["url"] == "http://10.0.0.12/web2"
    assert check.spec.model_dump()["headers"] == {"X-Host": "web2"}
    assert check.needs == Requirement("all", (CheckKey("db2/pg"),))
    assert check.by_hand == "ssh web2"
    assert check.means == "{host} is a slot"


def test_equal_specs_are_one_object(load: Load) -> None:
    """Ten thousand hosts of one group share the judged settings that hold no slot."""
    catalog = load("groups: {g: {checks: {p: {tcp: {port: 1}}}}}\nhosts: {'h[1-3]': {groups: g}}\n")
    specs = {id(check.spec) for check in catalog.checks.values()}
    assert len(specs) == 1


def test_a_parent_gets_a_reach_check(load: Load) -> None:
    text = """
hosts:
  web1: {behind: {any: ["sw*"]}}
  sw1: {login: {ssh: {user: u, port: 2222}}}
  sw2: {checks: {reach: {tcp: {port: 443}, every: 10s}}}
  other: {}
"""
    catalog = load(text)
    assert catalog.hosts["web1"].behind == Requirement(
        "any", (CheckKey("sw1/reach"), CheckKey("sw2/reach"))
    )
    assert set(catalog.checks) == {"sw1/reach", "sw2/reach"}
    implicit = catalog.checks[CheckKey("sw1/reach")]
    assert (implicit.kind, implicit.spec.model_dump()) == ("icmp", {"fallback_port": 2222})
    assert implicit.policy.attempts == 3
    assert implicit.retry_every == timedelta(seconds=15)
    assert catalog.checks[CheckKey("sw2/reach")].kind == "tcp"


def test_single_settings_of_an_implicit_check_can_be_set(load: Load) -> None:
    text = "hosts: {web1: {behind: sw1}, sw1: {checks: {reach: {every: 5s, fallback_port: 80}}}}\n"
    check = one(load, text, "sw1/reach")
    assert check.every == timedelta(seconds=5)
    assert check.spec.model_dump() == {"fallback_port": 80}


def test_fact_checks_over_ssh_hang_on_one_transport_check(load: Load) -> None:
    text = """
groups: {linux: {checks: {space: {disk: {}}, memory: {memory: {}}, page: {tcp: {port: 80}}}}}
hosts:
  web1: {groups: linux, login: {ssh: {user: monitord}}}
  here: {groups: linux, login: local}
  www: {checks: {page: {tcp: {port: 80}}}}
"""
    checks = load(text).checks
    assert {key for key, check in checks.items() if check.kind == "ssh"} == {"web1/ssh"}
    assert checks[CheckKey("web1/space")].via == checks[CheckKey("web1/memory")].via == "web1/ssh"
    assert checks[CheckKey("web1/ssh")].via is None
    assert checks[CheckKey("web1/page")].via is None
    assert checks[CheckKey("here/space")].via is None


@pytest.mark.parametrize(
    ("login", "kind", "read", "act"),
    [
        ("none", "none", None, None),
        ("local", "local", SshLogin(""), None),
        ("{local: }", "local", SshLogin(""), None),
        ("{local: {act: true, sudo: true}}", "local", SshLogin(""), SshLogin("", sudo=True)),
        ("{ssh: {user: m}}", "ssh", SshLogin("m"), None),
        (
            "{ssh: {user: m, key: /k, port: 2200, act: {user: a, sudo: true}}}",
            "ssh",
            SshLogin("m", "/k", 2200),
            SshLogin("a", "/k", 2200, sudo=True),
        ),
    ],
)
def test_without_act_a_host_is_only_watched(
    load: Load, login: str, kind: str, read: SshLogin | None, act: SshLogin | None
) -> None:
    host = load(f"hosts: {{web1: {{login: {login}}}}}\n").hosts["web1"]
    assert (host.login.kind, host.login.read, host.login.act) == (kind, read, act)
    assert host.login.may_act is (act is not None)


@pytest.mark.parametrize(
    ("profile", "own", "attached", "mode"),
    [
        ("cautious", "auto", "auto", "shadow"),
        ("cautious", None, None, "shadow"),
        ("standard", "auto", None, "auto"),
        ("standard", None, None, "shadow"),
        ("standard", "shadow", "auto", "auto"),
        ("standard", "auto", "approve", "approve"),
        ("lab", None, None, "auto"),
        ("lab", "shadow", None, "shadow"),
        ("lab", "approve", None, "approve"),
        ("lab", "auto", "shadow", "shadow"),
    ],
)
def test_the_profile_caps_the_mode(
    load: Load, profile: str, own: str | None, attached: str | None, mode: str
) -> None:
    """cautious: shadow. standard: what is written. lab: auto where nothing is written."""
    rung = f"{{restart: {{mode: {attached}}}}}" if attached else "restart"
    text = (
        f"profile: {profile}\n"
        f"hosts: {{w: {{checks: {{s: {{http: {{url: 'http://x/'}}, remediate: [{rung}]}}}}}}}}\n"
    )
    runbook = RUNBOOK + (f"mode: {own}\n" if own else "")
    check = one(load, text, "w/s", {"remediations/restart.yaml": runbook})
    assert [rung.mode for rung in check.remediate] == [mode]


def test_a_check_s_mode_holds_for_all_its_rungs_that_say_none(load: Load) -> None:
    text = """
profile: standard
hosts:
  w:
    checks:
      s: {http: {url: "http://x/"}, mode: approve, remediate: [a, {b: {mode: auto}}]}
"""
    files = {"remediations/a.yaml": RUNBOOK, "remediations/b.yaml": RUNBOOK}
    assert [rung.mode for rung in one(load, text, "w/s", files).remediate] == ["approve", "auto"]


def test_a_rung_changes_single_limits_and_passes_parameters(load: Load) -> None:
    text = """
hosts:
  w[1-2]:
    checks:
      s:
        http: {url: "http://x/"}
        remediate:
          - restart: {limits: {per_hour: 1}, verify: {oks: 5}, with: {path: "/srv/{host}"}}
"""
    check = one(load, text, "w2/s", {"remediations/restart.yaml": RUNBOOK + 'lock: "{path}"\n'})
    (rung,) = check.remediate
    assert rung.limits == Limits(per_incident=1, cooldown=timedelta(minutes=10), per_hour=1)
    assert (rung.verify.oks, rung.verify.within) == (5, timedelta(minutes=2))
    assert rung.parameters == {"path": "/srv/w2"}


def test_what_nobody_writes(load: Load) -> None:
    """DESIGN's defaults, per kind."""
    text = """
hosts:
  here:
    login: local
    checks:
      page: {http: {url: "http://x/"}}
      space: {disk: {}}
      memory: {memory: {}}
      night: {job: {}}
"""
    checks = load(text).checks
    minute = timedelta(minutes=1)
    page = checks[CheckKey("here/page")]
    assert (page.every, page.retry_every, page.timeout) == (
        minute,
        timedelta(seconds=15),
        timedelta(seconds=5),
    )
    assert page.policy == StatePolicy(attempts=3, recoveries=2, fresh_for=timedelta(minutes=5))
    assert page.first_rung_after == timedelta(seconds=30)
    assert checks[CheckKey("here/space")].every == 5 * minute
    assert checks[CheckKey("here/space")].policy.attempts == 2
    assert checks[CheckKey("here/space")].policy.fresh_for == 15 * minute
    assert checks[CheckKey("here/memory")].policy.attempts == 5
    assert checks[CheckKey("here/night")].policy.attempts == 1


def test_defaults_never_outlast_a_short_interval(load: Load) -> None:
    check = one(load, "hosts: {w: {checks: {p: {tcp: {port: 1}, every: 2s}}}}\n", "w/p")
    assert check.retry_every == check.timeout == timedelta(seconds=2)


def test_needs_are_resolved_and_a_bare_name_means_the_same_host(load: Load) -> None:
    text = """
hosts:
  web1:
    checks:
      a: {tcp: {port: 1}, needs: b}
      b: {tcp: {port: 2}, needs: {any: "db*/pg"}}
      c: {tcp: {port: 3}, needs: {all: [a, "db[1-2]/pg"]}}
  db[1-3]: {checks: {pg: {tcp: {port: 5432}}}}
"""
    checks = load(text).checks
    assert checks[CheckKey("web1/a")].needs == Requirement("all", (CheckKey("web1/b"),))
    assert checks[CheckKey("web1/b")].needs.mode == "any"
    assert checks[CheckKey("web1/b")].needs.keys == ("db1/pg", "db2/pg", "db3/pg")
    assert checks[CheckKey("web1/c")].needs.keys == ("web1/a", "db1/pg", "db2/pg")


def test_a_service_raises_the_impact_of_its_checks(load: Load) -> None:
    text = """
hosts: {"web[1-2]": {checks: {p: {tcp: {port: 1}}, q: {tcp: {port: 2}}}}}
slas: {gold: {}}
services: {shop: {sla: gold, impact: high, down_when: ["web*/p fewer than 1 ok"]}}
"""
    catalog = load(text)
    assert catalog.services["shop"].checks == ("web1/p", "web2/p")
    (rule,) = catalog.services["shop"].down_when
    assert rule.text == "web*/p fewer than 1 ok"
    assert catalog.checks[CheckKey("web1/p")].impact == "high"
    assert catalog.checks[CheckKey("web1/p")].services == ("shop",)
    assert catalog.checks[CheckKey("web1/q")].impact == "normal"


def test_a_condition_on_a_path_leaves_a_check_out(load: Load) -> None:
    text = """
hosts:
  here:
    login: local
    checks:
      a: {disk: {}, if_exists: /}
      b: {disk: {}, if_exists: /no/such/path/here}
"""
    assert set(load(text).checks) == {"here/a"}
