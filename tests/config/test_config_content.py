"""Where content is found, what replaces and masks what, and what includes and exceptions do."""

import platform
from datetime import date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from monitord.clock import as_instant
from monitord.config import Sources, assemble, default_path, read
from monitord.config.exceptions import end_of
from monitord.model.catalog import Requirement
from monitord.model.ids import CheckKey, Instant
from tests.config.conftest import Load
from tests.config.kinds import KINDS

HOST = "hosts: {web1: {checks: {site: }}}\n"
RUNBOOK = (
    "steps: [{systemd: {unit: nginx}}]\n"
    "verify: {settle: 15s, oks: 3, within: 2m}\n"
    "limits: {per_incident: 1}\n"
)


def site(url: str) -> str:
    return f"site: {{http: {{url: '{url}'}}}}\n"


def url_of(load: Load, text: str, files: dict[str, str]) -> str:
    return str(load(text, files).checks[CheckKey("web1/site")].spec.model_dump()["url"])


def test_a_file_of_the_same_name_replaces_the_shipped_one(load: Load) -> None:
    """Shipped, then the system's, then beside the main file; folders below do not matter."""
    files = {"shipped/checks/web/site.yaml": site("http://shipped/")}
    assert url_of(load, HOST, files) == "http://shipped/"
    files["etc/checks/site.yaml"] = site("http://system/")
    assert url_of(load, HOST, files) == "http://system/"
    files["checks/mine/site.yaml"] = site("http://beside/")
    assert url_of(load, HOST, files) == "http://beside/"


def test_configured_content_folders_stand_in_for_the_one_beside(load: Load) -> None:
    files = {"checks/site.yaml": site("http://beside/"), "ours/checks/site.yaml": site("http://o/")}
    assert url_of(load, "content: ours\n" + HOST, files) == "http://o/"


def test_an_empty_file_masks_a_shipped_one(load: Load) -> None:
    files = {"shipped/remediations/restart.yaml": RUNBOOK}
    assert set(load("profile: lab\n", files).runbooks) == {"restart"}
    files["remediations/restart.yaml"] = "# we restart by hand\n"
    assert set(load("profile: lab\n", files).runbooks) == set()


def test_a_runbook_in_the_main_file_replaces_a_shipped_one(load: Load) -> None:
    own = "{steps: [{command: {run: [x]}}], verify: {oks: 1}, limits: {per_day: 1}}"
    catalog = load(
        f"runbooks: {{restart: {own}}}\n", {"shipped/remediations/restart.yaml": RUNBOOK}
    )
    assert catalog.runbooks["restart"].steps[0].kind == "command"


def test_a_definition_of_the_same_name_elsewhere_changes_single_settings(load: Load) -> None:
    files = {"shipped/checks/site.yaml": site("http://shipped/")}
    text = "checks: {site: {http: {status: 204}}}\n" + HOST
    spec = load(text, files).checks[CheckKey("web1/site")].spec.model_dump()
    assert (spec["url"], spec["status"]) == ("http://shipped/", 204)


def test_includes_are_found_from_the_file_that_names_them(load: Load) -> None:
    files = {
        "conf.d/a.yaml": "include: more/b.yaml\nhosts: {a: }\n",
        "conf.d/more/b.yaml": "hosts: {b: }\ngroups: {}\n",
        "conf.d/c.yaml": "# nothing\n",
    }
    catalog = load("include: ['conf.d/*.yaml', 'none.d/*.yaml']\nhosts: {m: }\n", files)
    assert set(catalog.hosts) == {"m", "a", "b"}
    assert [Path(name).name for name in catalog.files] == [
        "main.yaml",
        "a.yaml",
        "c.yaml",
        "b.yaml",
    ]


def test_exceptions_of_several_files_add_up(load: Load) -> None:
    text = (
        "exceptions: [{hosts: w, checks: p, set: {%s}, reason: r, owner: o, until: 2137-01-01}]\n"
    )
    files = {"a.yaml": text % "every: 9s", "b.yaml": text % "attempts: 7"}
    main = "include: ['?.yaml']\nhosts: {w: {checks: {p: {tcp: {port: 1}}}}}\n"
    check = load(main, files).checks[CheckKey("w/p")]
    assert (check.every, check.policy.attempts) == (timedelta(seconds=9), 7)


def test_an_expired_exception_is_left_out_and_told(load: Load) -> None:
    text = """hosts: {w: {checks: {p: {tcp: {port: 1}}}}}
exceptions:
  - {hosts: w, checks: p, set: {every: 9s}, reason: the cache, owner: kim, until: 2020-02-29}
  - {hosts: w, checks: p, set: {attempts: 7}, reason: r, owner: o, until: 2137-01-01}
"""
    catalog = load(text)
    assert catalog.checks[CheckKey("w/p")].every == timedelta(minutes=1)
    assert catalog.checks[CheckKey("w/p")].policy.attempts == 7
    (warning,) = catalog.warnings
    assert warning.endswith(
        "main.yaml:3: the exception for w/p ended on 2020-02-29 (kim: the cache); remove it or "
        "renew it"
    )
    assert catalog.expires == as_instant(datetime(2137, 1, 2, tzinfo=ZoneInfo("UTC")))


def test_a_day_ends_where_the_instance_stands() -> None:
    """2026-03-29 has 23 hours in Berlin."""
    ends = end_of(date(2026, 3, 29), "Europe/Berlin")
    begins = end_of(date(2026, 3, 28), "Europe/Berlin")
    assert ends - begins == 23 * 3600 * 1_000_000
    assert end_of(datetime(2026, 3, 29, 12), "UTC") == Instant(1_774_785_600_000_000)  # noqa: DTZ001 - users write no zone
    assert end_of(date.max, "UTC") > ends


def test_an_exception_by_pattern_that_meets_nothing_is_a_warning(load: Load) -> None:
    text = """hosts: {w: {checks: {p: {tcp: {port: 1}}}}}
exceptions: [{hosts: w, checks: "x*", set: {every: 9s}, reason: r, owner: o, until: 2137-01-01}]
"""
    (warning,) = load(text).warnings
    assert "exceptions.checks: no check x* on w" in warning


@pytest.mark.parametrize(
    ("rule", "hosts"), [("6", 6), ("0", 0), ("80%", 7), ("100%", 8), ("0%", 0)]
)
def test_a_share_of_healthy_hosts_is_the_next_whole_host_above(
    load: Load, rule: str, hosts: int
) -> None:
    text = (
        f"hosts: {{'w[1-8]': {{groups: web}}}}\ngroups: {{web: {{keep_healthy: {rule}}}, db: }}\n"
    )
    groups = load(text).groups
    assert groups["web"].keep_healthy == hosts
    assert list(groups) == ["web"]
    assert len(groups["web"].hosts) == 8


def test_a_freeze_lasts_whole_days_of_its_time_zone(load: Load) -> None:
    text = """timezone: Europe/Berlin
freeze:
  - {from: 2026-03-29, until: 2026-03-29, reason: r}
  - {from: 2026-03-29T12:00, until: 2026-03-29T13:30, reason: r, timezone: UTC, on: group=web}
"""
    day, hours = load(text).settings.freeze
    assert day.ends - day.starts == 23 * 3600 * 1_000_000
    assert hours.starts == Instant(1_774_785_600_000_000)
    assert (hours.ends - hours.starts, hours.selector) == (5400 * 1_000_000, "group=web")


def test_a_freeze_that_freezes_nothing_is_told(load: Load) -> None:
    text = """hosts: {web1: {address: 10.0.0.1, groups: [web], checks: {site: {tcp: {port: 80}}}}}
groups: {web: , later: }
freeze:
  - {from: 2026-03-29, until: 2026-03-30, reason: year end, on: group=ON}
"""
    assert load(text.replace("ON", "web")).warnings == ()
    (warning,) = load(text.replace("ON", "later")).warnings
    assert warning == (
        "freeze: on: 'group=later' touches no check now: nothing is frozen by it (year end)"
    )


def test_a_freeze_of_what_a_list_no_longer_has_leaves_the_rest_usable(
    load: Load, tmp_path: Path
) -> None:
    (tmp_path / "hosts.csv").write_text("name,address\nweb1,10.0.0.1\n", encoding="utf-8")
    text = """inventory: {racks: {csv: {file: hosts.csv}}}
freeze:
  - {from: 2026-03-29, until: 2036-03-30, reason: year end, on: web9}
"""
    assert any("'web9' touches no check now" in each for each in load(text).warnings)


def test_what_the_canaries_hang_on_does_not_hang_on_them(load: Load) -> None:
    text = """vantage: {canaries: ["gw/*"]}
hosts:
  gw: {address: 10.0.0.1, behind: sw, checks: {ping: {tcp: {port: 1}}}}
  sw: {address: 10.0.0.2}
  far: {address: 10.1.0.1}
  here: {address: 10.1.0.2, login: local}
  loop: {address: 127.0.0.2}
"""
    hosts = load(text).hosts
    assert hosts["far"].vantage == Requirement("any", (CheckKey("gw/ping"),))
    assert {name for name, host in hosts.items() if not host.vantage.keys} == {"sw", "here", "loop"}


def test_repairs_of_a_host_that_is_only_watched_are_told(load: Load) -> None:
    text = """profile: standard
hosts:
  w: {login: {ssh: {user: m}}, checks: {s: {tcp: {port: 1}, remediate: [%s]}}}
"""
    files = {"remediations/restart.yaml": RUNBOOK}
    (warning,) = load(text % "{restart: {mode: auto}}", files).warnings
    assert warning.endswith(
        "main.yaml:3: s: restart: cannot act, for w is only watched (give its login act)"
    )
    assert load(text % "restart", files).warnings == ()


def test_an_instance_is_called_after_its_machine(load: Load) -> None:
    assert load("profile: lab\n").settings.instance == platform.node()
    assert load("instance: shop\n").settings.instance == "shop"


@pytest.mark.parametrize(
    ("written", "state"),
    [("", "{cwd}/var"), ("state: ./here", "{cwd}/here"), ("state: /srv/m", "/srv/m")],
)
def test_the_state_folder_is_found_from_where_monitord_was_started(
    load: Load, written: str, state: str
) -> None:
    catalog = load(f"profile: lab\n{written}\n")
    assert catalog.settings.state == state.format(cwd=Path.cwd())


def test_the_hash_is_of_content_alone(tmp_path: Path) -> None:
    """Comments, places and the time of reading do not count; every setting does."""
    path = tmp_path / "main.yaml"

    def hash_of(text: str) -> str:
        path.write_text(text, encoding="utf-8")
        sources = read(path, shipped=tmp_path / "s", system=tmp_path / "e")
        return assemble(sources, KINDS).hash

    first = hash_of("hosts:\n  w: {site: ulm}\nprofile: lab\n")
    assert hash_of("# new\nprofile: lab\nhosts:\n\n  w:\n    site: ulm # here\n") == first
    assert hash_of("hosts:\n  w: {site: bonn}\nprofile: lab\n") != first
    assert hash_of("hosts:\n  w: {site: ulm}\nprofile: standard\n") != first


def test_an_exception_that_ends_leaves_the_hash_alone(tmp_path: Path) -> None:
    """Core and executor may read on two sides of midnight, and must mean the same content."""
    path = tmp_path / "main.yaml"
    path.write_text(
        "hosts: {w: {checks: {p: {tcp: {port: 1}}}}}\nexceptions:\n"
        "  - {hosts: w, checks: p, set: {every: 9s}, reason: r, owner: o, until: 2100-01-01}\n"
    )
    sources = read(path, shipped=tmp_path / "s", system=tmp_path / "e")
    later = Sources.from_json({**sources.to_json(), "at": 10**16})
    before, after = assemble(sources, KINDS), assemble(later, KINDS)
    assert before.hash == after.hash
    assert before.checks != after.checks


def test_sources_are_the_same_after_a_journey_as_json(tmp_path: Path) -> None:
    path = tmp_path / "main.yaml"
    path.write_text(HOST + "include: []\n")
    (tmp_path / "checks").mkdir()
    (tmp_path / "checks/site.yaml").write_text(site("http://x/"))
    sources = read(path, shipped=tmp_path / "s", system=tmp_path / "e")
    again = Sources.from_json(sources.to_json())
    assert again == sources
    assert assemble(again, KINDS) == assemble(sources, KINDS)


def test_there_is_always_a_default_to_start_from() -> None:
    assert default_path().is_file()


def test_a_group_that_asks_for_more_healthy_hosts_than_it_has_is_told(load: Load) -> None:
    text = """\
groups: {web: {keep_healthy: N}}
hosts:
  web[1-3]: {groups: [web], address: "10.0.0.{n}", checks: {vip: {tcp: {port: 80}}}}
"""
    assert load(text.replace("N", "3")).warnings == ()
    (warning,) = load(text.replace("N", "4")).warnings
    assert warning.endswith(
        "main.yaml:1: web: keep_healthy: 4 of 3 hosts can never be healthy, so that nothing "
        "in the group is repaired (write a smaller number, or a share: 60%)"
    )
