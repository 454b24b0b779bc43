"""What a rule of inhibition bears on: what is alike, all of a target, and never what is both."""

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from monitord.decisions.inhibition import Bearing, bearings
from monitord.model.catalog import Catalog, Host, Settings
from monitord.model.correlation import Inhibition
from monitord.model.ids import CheckKey, IncidentId
from monitord.model.incident import Incident, IncidentStatus
from monitord.model.result import Status
from tests.decisions import cases

PLACES = ("", "ulm", "bonn")
RULE = Inhibition("power", "check=ups", "check=site", equal=("site",))
places = st.lists(st.sampled_from(PLACES), min_size=2, max_size=6)


def bearing(sites: list[str], rule: Inhibition = RULE) -> Bearing:
    """Give what a rule bears on where each host h0, h1 … of these sites has a UPS and a site."""
    hosts = {f"h{n}": Host(f"h{n}", "10.0.0.1", site=site) for n, site in enumerate(sites)}
    checks = {
        CheckKey(f"{host}/{name}"): replace(
            cases.check(), key=CheckKey(f"{host}/{name}"), host=host, name=name
        )
        for host in hosts
        for name in ("ups", "site")
    }
    settings = Settings("t", "lab", observe=False, state="", store="", web="", inhibit=(rule,))
    (found,) = bearings(Catalog("h", settings, hosts, checks, {}))
    return found


def incident(number: int, severity: Status = Status.CRITICAL) -> Incident:
    return replace(cases.incident(), id=IncidentId(number), severity=severity)


def told(found: Bearing, source: str, *target: str, **changes: object) -> bool:
    one = replace(incident(1), **changes)  # type: ignore[arg-type]  # fields of an incident
    keys = [CheckKey(key) for key in target]
    return found.inhibits(one, [CheckKey(source)], incident(2), keys)


@given(places)
def test_only_what_is_alike_in_what_must_be_equal_is_inhibited(sites: list[str]) -> None:
    alike = sites[0] == sites[1] != ""
    assert told(bearing(sites), "h0/ups", "h1/site") == alike


@given(places)
def test_what_is_near_is_what_could_be_inhibited(sites: list[str]) -> None:
    found = bearing(sites)
    near = set(found.targets.near([CheckKey("h0/ups")], found.sources))
    every = {f"h{n}/site" for n in range(len(sites))}
    assert near == {key for key in every if told(found, "h0/ups", key)}


@given(places)
def test_all_checks_of_a_target_must_be_one(sites: list[str]) -> None:
    found, keys = bearing(sites), [f"h{n}/site" for n in range(len(sites))]
    assert told(found, "h0/ups", *keys) == all(told(found, "h0/ups", key) for key in keys)
    assert not told(found, "h0/ups", "h0/site", "h0/ups")


def test_an_incident_that_is_over_or_not_bad_enough_inhibits_nothing() -> None:
    found = bearing(["ulm", "ulm"])
    assert told(found, "h0/ups", "h1/site")
    assert not told(found, "h0/ups", "h1/site", status=IncidentStatus.RESOLVED)
    assert not told(found, "h0/ups", "h1/site", severity=Status.WARNING)
    assert not told(found, "h0/ups", "h1/site", id=IncidentId(2))


def test_what_is_source_and_target_is_not_inhibited_by_its_like() -> None:
    both = bearing(["ulm", "ulm"], replace(RULE, source="*"))
    assert not told(both, "h0/site", "h1/site")
    assert told(both, "h0/ups", "h1/site")
