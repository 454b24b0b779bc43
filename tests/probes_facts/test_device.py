"""What a network device's answer is judged by: items, patterns, counts, and its refusals."""

from pathlib import Path
from typing import Any

import pytest
import yaml
from pydantic import ValidationError

from monitord.model.facts import PluginOutput
from monitord.model.result import Cause, Result, Status
from monitord.probes.device import KIND, DeviceSpec

SUMMARY = """\
IPv4 Unicast Summary (VRF default):
BGP router identifier 10.0.0.1, local AS number 65001 vrf-id 0
Peers 3, using 2172 KiB of memory

Neighbor        V         AS   MsgRcvd   MsgSent   TblVer  InQ OutQ  Up/Down State/PfxRcd   PfxSnt Desc
10.0.0.2        4      65002       451       452        0    0    0 00:22:30           17        3 N/A
10.0.0.3        4      65003       402       410        0    0    0 00:00:21 Idle (Admin)        0 N/A
fe80::2         4      65004         0         0        0    0    0    never       Active        0 up \x1b[2J
"""  # noqa: E501 - as the router writes it
NEIGHBOURS = (
    r"^(?P<item>[0-9a-f]+[.:][0-9a-f.:]+) .* (?P<value>[0-9]+|[A-Z][A-Za-z ()]*?) +[0-9]+ \S+"
)


def judge(text: str, **written: Any) -> list[Result]:
    spec = DeviceSpec.model_validate({"show": "show bgp summary", **written})
    return list(KIND.judge(spec, PluginOutput(0, text, "")))


def test_each_line_that_matches_is_an_item_with_a_state_of_its_own() -> None:
    results = judge(SUMMARY, items=NEIGHBOURS, ok="^[0-9]+$")
    assert [(r.item, r.status, r.summary) for r in results] == [
        ("10.0.0.2", Status.OK, "10.0.0.2: 17"),
        ("10.0.0.3", Status.CRITICAL, "10.0.0.3: Idle (Admin)"),
        ("fe80::2", Status.CRITICAL, "fe80::2: Active"),
    ]
    assert "\x1b" not in results[2].details


def test_an_item_that_must_be_there_and_is_not_is_critical() -> None:
    results = judge(SUMMARY, items=NEIGHBOURS, ok=".", expect=["10.0.0.2", "10.0.0.9"])
    assert (results[-1].item, results[-1].status) == ("10.0.0.9", Status.CRITICAL)


def test_an_item_named_twice_is_as_bad_as_the_worst_line() -> None:
    told = "10.0.0.2 up 1\n10.0.0.2 down 1\n10.0.0.2 up 1\n"
    (result,) = judge(told, items="^(?P<item>[0-9.]+) (?P<value>[a-z]+)", bad="down")
    assert (result.item, result.status) == ("10.0.0.2", Status.CRITICAL)


def test_no_item_at_all_is_unknown() -> None:
    (result,) = judge("nothing\n", items=NEIGHBOURS, ok=".")
    assert (result.status, result.cause) == (Status.UNKNOWN, Cause.MISSING)


@pytest.mark.parametrize(
    ("written", "status", "summary"),
    [
        ({"ok": "local AS number 65001"}, Status.OK, "as expected"),
        ({"ok": "local AS number 65009"}, Status.CRITICAL, "nothing matches"),
        ({"bad": "Idle"}, Status.CRITICAL, "Idle (Admin)"),
        ({"bad": "Connect"}, Status.OK, "as expected"),
        ({"count": "^[0-9a-f.:]+ ", "critical": "3:"}, Status.OK, "3 lines match"),
        ({"count": "^[0-9a-f.:]+ ", "critical": "4:"}, Status.CRITICAL, "3 lines match (at least"),
    ],
)
def test_a_whole_answer_is_judged(written: dict[str, Any], status: Status, summary: str) -> None:
    (result,) = judge(SUMMARY, **written)
    assert result.status is status
    assert summary in result.summary
    assert bool(result.details) == (status is not Status.OK)


def test_a_refused_command_is_unknown_in_the_devices_own_words() -> None:
    spec = DeviceSpec.model_validate({"show": "show bgb", "ok": "."})
    (result,) = KIND.judge(spec, PluginOutput(1, "% Unknown command: show bgb", ""))
    assert (result.status, result.cause) == (Status.UNKNOWN, Cause.PLUGIN)
    assert result.summary == "show bgb: the device says: % Unknown command: show bgb"


@pytest.mark.parametrize(
    ("written", "says"),
    [
        ({"show": "show a"}, "says nothing of what is good"),
        ({"show": "show a\nreload", "ok": "."}, "is not one command"),
        ({"show": "show ?", "ok": "."}, "is not one command"),
        ({"show": "show a", "items": "^(.*)$"}, "no group named item"),
        ({"show": "show a", "count": "x"}, "takes warning: or critical:"),
        ({"show": "show a", "ok": ".", "critical": "1:"}, "need count:"),
        ({"show": "show a", "ok": ".", "expect": ["x"]}, "needs items:"),
    ],
)
def test_what_makes_no_sense_is_refused(written: dict[str, Any], says: str) -> None:
    with pytest.raises(ValidationError, match=says):
        DeviceSpec.model_validate(written)


def test_the_shipped_check_reads_the_neighbours_of_a_router() -> None:
    file = Path(__file__).resolve().parents[2] / "checks" / "network" / "bgp-neighbours.yaml"
    (check,) = yaml.safe_load(file.read_text(encoding="utf-8")).values()
    told = SUMMARY.replace("Idle (Admin)", "(Policy)", 1).replace(
        ":30           17", ":30 Idle (Admin)"
    )
    found = KIND.judge(DeviceSpec.model_validate(check["device"]), PluginOutput(0, told, ""))
    assert [(r.item, r.status, r.summary.partition(": ")[2]) for r in found] == [
        ("10.0.0.2", Status.CRITICAL, "Idle (Admin)"),
        ("10.0.0.3", Status.CRITICAL, "(Policy)"),
        ("fe80::2", Status.CRITICAL, "Active"),
    ]
