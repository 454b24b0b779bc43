"""Files of the kernel: read alike from here and by a shell, by a list that nothing gets around."""

from __future__ import annotations

import pytest

from monitord.model.facts import Facts, Section
from monitord.transports.facts_kernel import GROUPS, LONGEST, SMALL, WHOLE, kernel_facts
from monitord.transports.facts_local import gather
from tests.facts.conftest import Ask


def test_both_ways_read_the_same_files(ask: Ask) -> None:
    wanted = Section("kernel", GROUPS)
    far, here = ask(wanted), gather("me", (wanted,))
    assert dict(far.errors) == dict(here.errors) == {}
    # Interfaces and loop devices of other tests come and go.
    fleeting = ("/sys/class/net/", "/sys/block/")
    names = [{p for p in f.kernel if not p.startswith(fleeting)} for f in (far, here)]
    assert names[0] == names[1]
    assert {"/proc/uptime", "/proc/stat", "/proc/diskstats", "/proc/net/dev"} <= names[0]
    assert far.kernel["/sys/class/net/lo/mtu"] == here.kernel["/sys/class/net/lo/mtu"] == "65536"
    assert far.kernel["/sys/class/net/lo/speed"] == here.kernel["/sys/class/net/lo/speed"] == ""
    assert far.kernel["/proc/sys/kernel/pid_max"] == here.kernel["/proc/sys/kernel/pid_max"]
    lines = [f.kernel["/proc/stat"].splitlines() for f in (far, here)]
    assert [line.split()[0] for line in lines[0]] == [line.split()[0] for line in lines[1]]


def test_only_what_is_asked_is_read(ask: Ask) -> None:
    for facts in (
        ask(Section("kernel", ("limits",))),
        gather("me", (Section("kernel", ("limits",)),)),
    ):
        assert set(facts.kernel) == {"/proc/uptime", *SMALL["limits"], *WHOLE["limits"]}


def test_groups_of_several_checks_share_one_section(ask: Ask) -> None:
    facts = ask(Section("kernel", ("cpu",)), Section("kernel", ("limits", "cpu")))
    assert {"/proc/stat", "/proc/loadavg"} <= set(facts.kernel)


@pytest.mark.parametrize("group", ["/etc/shadow", "cpu; id", "*", ""])
def test_a_group_that_is_not_on_the_list_reads_nothing(ask: Ask, group: str) -> None:
    for facts in (ask(Section("kernel", (group,))), gather("me", (Section("kernel", (group,)),))):
        assert dict(facts.kernel) == {}
        assert facts.errors["kernel"].startswith("there is no group")


def test_what_is_too_long_is_an_error_of_its_file_alone() -> None:
    told = [("/proc/stat", "x" * (LONGEST + 1)), ("/proc/uptime", "1.5 2.5\n")]
    facts = kernel_facts(Facts("h"), told)
    assert dict(facts.kernel) == {"/proc/uptime": "1.5 2.5"}
    assert facts.errors == {"kernel:/proc/stat": f"is longer than {LONGEST} bytes"}


def test_the_list_holds_nothing_but_the_kernels_files() -> None:
    paths = {path for group in (*WHOLE.values(), *SMALL.values()) for path in group}
    assert {path for path in paths if not path.startswith(("/proc/", "/sys/"))} == set()


def test_what_a_shell_reads_byte_by_byte_is_not_of_proc_sys() -> None:
    """Most files there give one byte and end when they are not read at once."""
    assert not [path for paths in SMALL.values() for path in paths if path.startswith("/proc/sys/")]
