"""Updates by a real apt over a repository of our own, by recorded answers of dnf; and reboots."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from monitord.model.facts import PluginOutput
from monitord.model.result import Cause, Result, Status
from tests.probes_facts.looking import START, Run, Watch, answer, shell

DAY = 86400


class Apt:
    """A root of apt's own: packages that are installed, and repositories with newer ones."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        for name in ("state/lists/partial", "etc", "cache/archives/partial", "usual", "security"):
            (folder / name).mkdir(parents=True)
        self.config = folder / "apt.conf"
        self.config.write_text(
            f'Dir::State "{folder}/state";\nDir::State::status "{folder}/status";\n'
            f'Dir::Etc "{folder}/etc";\nDir::Cache "{folder}/cache";\nAPT::Sandbox::User "root";\n'
        )
        self.env = {**os.environ, "APT_CONFIG": str(self.config)}
        sources = [f"deb [trusted=yes] file:{folder}/{name} ./" for name in ("usual", "security")]
        (folder / "etc/sources.list").write_text("\n".join(sources) + "\n")
        names = ("libc6", "openssl", "nano")
        installed = "".join(self.package(name, "1.0", installed=True) for name in names)
        (folder / "status").write_text(installed)

    @staticmethod
    def package(name: str, version: str, *, installed: bool = False) -> str:
        status = "Status: install ok installed\n" if installed else "Filename: ./x.deb\nSize: 1\n"
        hashed = "" if installed else f"SHA256: {'0' * 64}\n"
        return (
            f"Package: {name}\n{status}Version: {version}\nArchitecture: all\n"
            f"Maintainer: a\nDescription: a\n{hashed}\n"
        )

    def offers(self, place: str, **versions: str) -> None:
        folder = self.folder / place
        told = "".join(self.package(name, version) for name, version in versions.items())
        (folder / "Packages").write_text(told)
        label = "Debian-Security" if place == "security" else "Debian"
        (folder / "Release").write_text(f"Origin: Debian\nLabel: {label}\nSuite: {place}\n")

    def refresh(self) -> None:
        argv = ["apt-get", "-q", "-o", "Dir::Cache::pkgcache=", "-o", "Dir::Cache::srcpkgcache="]
        subprocess.run([*argv, "update"], check=True, capture_output=True, env=self.env)

    def run(self) -> Run:
        """Give a shell whose apt is this one; its lists are those of the machine to the script."""

        def run(text: str) -> PluginOutput:
            ours = text.replace("/var/lib/apt/", f"{self.folder}/state/")
            return shell("dash", env={"APT_CONFIG": str(self.config)})(ours)

        return run


@pytest.fixture
def apt(tmp_path: Path) -> Apt:
    return Apt(tmp_path)


def test_updates_that_apt_would_install(apt: Apt) -> None:
    apt.offers("usual", nano="2.0")
    apt.offers("security", openssl="1.1")
    apt.refresh()
    result = Watch("updates", {}, apt.run()).look()
    assert result.status is Status.WARNING, result.summary
    assert result.summary == "updates: 1 update waits (openssl) for security (limit 0)"
    assert {one.name: one.value for one in result.measurements}["pending"] == 2
    assert not list((apt.folder / "cache").glob("*.bin")), "it keeps no cache of its own"


@pytest.mark.parametrize(
    ("offered", "said"),
    [({}, "updates: none wait"), ({"nano": "2.0"}, "updates: 1 wait, 0 of them for security")],
)
def test_no_updates_for_security_wait(apt: Apt, offered: dict[str, str], said: str) -> None:
    apt.offers("usual", **offered)
    apt.offers("security")
    apt.refresh()
    result = Watch("updates", {}, apt.run()).look()
    assert (result.status, result.summary) == (Status.OK, said)


def test_lists_that_nobody_refreshes_are_told(apt: Apt) -> None:
    apt.offers("usual")
    apt.offers("security")
    apt.refresh()
    for name in ("lists/partial", "lists"):
        os.utime(apt.folder / "state" / name, (1, 1))
    result = Watch("updates", {}, apt.run()).look()
    assert result.status is Status.WARNING
    assert "(limit 7d): is apt-daily.timer or dnf-makecache.timer on?" in result.summary


def test_packages_that_are_broken_are_no_updates(apt: Apt) -> None:
    (apt.folder / "status").write_text("Package: broken\nnonsense\n")
    result = Watch("updates", {}, apt.run()).look()
    assert (result.status, result.cause) == (Status.UNKNOWN, Cause.PLUGIN)


DNF = """
openssl-libs.x86_64                  1:3.0.7-25.el9_3              baseos
nano.x86_64                          5.6.1-6.el9                   baseos
Obsoleting Packages
grub2-tools.x86_64                   1:2.06-70.el9                 baseos
"""
ADVISED = "RHSA-2024:0310 Low/Sec.       openssl-libs-1:3.0.7-25.el9_3.x86_64\n"


def dnf(now: int, *, pending: str = DNF, advised: str = ADVISED, code: int = 100) -> PluginOutput:
    return answer(
        f"now {now}", "source dnf", f"lists {now - 60}", f"begin pending\n{pending}",
        f"end pending {code}", f"begin security\n{advised}", "end security 0",
    )  # fmt: skip


def test_updates_that_dnf_tells_of() -> None:
    watched = Watch("updates", {})
    result = watched.judged(dnf(START))[""]
    assert result.summary == "updates: 1 update waits (openssl-libs) for security (limit 0)"
    late = watched.judged(dnf(START + 15 * DAY))[""]
    assert late.status is Status.CRITICAL
    said = "openssl-libs waits for its security update for 15 d (limit 14d)"
    assert late.summary.startswith(f"updates: {said}")
    nothing = watched.judged(dnf(START, pending="", advised="", code=0))[""]
    assert nothing.summary == "updates: none wait"
    assert watched.judged(dnf(START, pending="", code=1))[""].cause is Cause.PLUGIN


# -- reboot ----------------------------------------------------------------------------------------


def judged(*frames: str, **given: str) -> Result:
    return Watch("reboot", given).judged(answer(f"now {START}", *frames))[""]


NOW_RUNS = "running 6.1.0-18-amd64"


@pytest.mark.parametrize(
    ("frames", "status", "said"),
    [((NOW_RUNS, f"kernel {START - 9 * DAY} 6.1.0-18-amd64"), "OK", "none is needed"),
     ((NOW_RUNS, f"kernel {START - 9 * DAY} 6.1.0-25-amd64", "kernel 1 6.1.0-9-amd64"), "WARNING",
      "needed for 9 d (limit 1d): it runs 6.1.0-18-amd64, 6.1.0-25-amd64 is installed"),
     ((NOW_RUNS, f"kernel {START - 40 * DAY} 6.1.0-25-amd64"), "CRITICAL",
      "needed for 40 d (limit 30d)"),
     ((NOW_RUNS, f"kernel {START - 3600} 6.1.0-25-amd64"), "OK", "needed since 1 h: it runs"),
     ((NOW_RUNS, f"kernel {START - 9 * DAY} 6.9.0-1-cloud-amd64"), "OK", "none is needed"),
     (("running 5.14.0-362.el9.x86_64", f"kernel {START - 9 * DAY} 5.14.0-427.el9_4.x86_64",
       "kernel 1 0-rescue-0123abcd"), "WARNING", "5.14.0-427.el9_4.x86_64 is installed"),
     (("running 6.18.44-fc",), "OK", "none is needed"),
     ((f"required {START - 2 * DAY}", "begin packages\nlibc6\nlibc6\ndbus\n", "end packages 0",
       NOW_RUNS), "WARNING", "needed for 2 d (limit 1d): updated and not in use yet: libc6, dbus"),
     ((f"required {START - 2 * DAY}", NOW_RUNS), "WARNING", "its packages ask")],
)  # fmt: skip
def test_whether_a_reboot_is_needed(frames: tuple[str, ...], status: str, said: str) -> None:
    result = judged(*frames, critical_after="30d")
    assert result.status.name == status
    assert said in result.summary
