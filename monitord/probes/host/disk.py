"""Judges how full each mounted filesystem is: one item per mount.

It decides from disk facts alone; which mounts can fill at all the transport has already told.
"""

from collections.abc import Sequence
from dataclasses import replace
from fnmatch import fnmatchcase
from typing import ClassVar, Literal

from pydantic import Field

from monitord.model.facts import DiskFact, Facts, Section
from monitord.model.kinds import FactProbe, Target
from monitord.model.result import Cause, Measurement, Result, Status
from monitord.model.spec import Size, Spec, Threshold
from monitord.model.text import one_line
from monitord.probes.limits import absent, over, show_bytes, show_percent, untold
from monitord.probes.verdict import Finding, verdict


class DiskSpec(Spec):
    """How full filesystems may be; a limit set to null is off."""

    example: ClassVar[str] = """\
disk:
  warning: 90%
  critical: 95%
  critical_free: 1G             # besides the percentage
  inodes_critical: 95%
  mounts: [/, /var, /srv/*]     # left out: all; a plain one that is not mounted is CRITICAL
  exclude_mounts: [/mnt/scratch]
  exclude_fstypes: [iso9660]
  read_only: changed            # changed, always or ignore
"""

    warning: Threshold | None = Field(
        default="90%",
        validate_default=True,
        description="Used space in percent of what an ordinary user could use, as df shows it.",
        examples=["90%", "85"],
    )
    critical: Threshold | None = Field(
        default="95%", validate_default=True, description="The same.", examples=["95%"]
    )
    warning_free: Size | None = Field(
        default=None, description="Warn below this much free space too.", examples=["5G"]
    )
    critical_free: Size | None = Field(
        default=None, description="Critical below this much free space.", examples=["1G"]
    )
    inodes_warning: Threshold | None = Field(
        default="90%", validate_default=True, description="Used inodes in percent."
    )
    inodes_critical: Threshold | None = Field(
        default="95%", validate_default=True, description="The same."
    )
    mounts: tuple[str, ...] = Field(
        default=(),
        description="Only these mount points (patterns too); a plain one that is not mounted is "
        "critical. Empty: all that can fill.",
        examples=[["/", "/var"], ["/srv/*"]],
    )
    exclude_mounts: tuple[str, ...] = Field(
        default=("/run/user/*", "/run/credentials/*", "/run/lock", "/snap/*", "/boot/efi"),
        description="Mount points that are not looked at (patterns).",
    )
    exclude_fstypes: tuple[str, ...] = Field(
        default=("iso9660", "udf", "erofs", "cramfs", "romfs", "devtmpfs"),
        description="Filesystem types that are not looked at; pseudo filesystems never are.",
    )
    read_only: Literal["changed", "always", "ignore"] = Field(
        default="changed",
        description="What a read-only filesystem is: critical when it was writable before "
        "(changed), always critical, or nothing (ignore).",
    )


def judge(spec: DiskSpec, facts: Facts, target: Target) -> Sequence[Result]:
    """Give one result per mount; one without an item where nothing can be told."""
    unknown = untold(facts, "disk")
    if unknown is not None or facts.disks is None:
        return [unknown or absent("disk")]
    results = [_mount(spec, disk, target) for disk in facts.disks if _wanted(spec, disk)]
    results += [_dead(key, text) for key, text in facts.errors.items() if _about(spec, key)]
    results += _not_mounted(spec, {result.item for result in results})
    if not results:
        return [Result.unknown("no filesystem matches mounts and excludes", Cause.MISSING)]
    return results


def _wanted(spec: DiskSpec, disk: DiskFact) -> bool:
    return disk.fstype not in spec.exclude_fstypes and _listed(spec, disk.mount)


def _listed(spec: DiskSpec, mount: str) -> bool:
    if mount in spec.mounts:
        return True
    if any(fnmatchcase(mount, pattern) for pattern in spec.exclude_mounts):
        return False
    return not spec.mounts or any(fnmatchcase(mount, pattern) for pattern in spec.mounts)


def _mount(spec: DiskSpec, disk: DiskFact, target: Target) -> Result:
    item = one_line(disk.mount)
    reachable = disk.used + disk.available
    used = 100 * disk.used / reachable if reachable else 100.0
    free = f"{show_bytes(disk.available)} free"
    was = target.memory.get(item, {})
    writable = not disk.read_only or bool(was.get("writable"))
    findings = [
        over(f"{show_percent(used)} % used", used, spec.warning, spec.critical, "%"),
        _too_little(spec, disk),
        _inodes(spec, disk),
        _read_only(spec, disk, changed=writable),
    ]
    good = f"{used:.0f} % used"
    result = verdict(item, findings, good, _measurements(spec, disk, used))
    summary = f"{result.summary}, {free}"
    return replace(result, summary=summary, item=item, memory={"writable": writable})


def _too_little(spec: DiskSpec, disk: DiskFact) -> Finding | None:
    for status, limit in (
        (Status.CRITICAL, spec.critical_free),
        (Status.WARNING, spec.warning_free),
    ):
        if limit is not None and disk.available < limit:
            return status, f"too little free (at least {show_bytes(limit)})"
    return None


def _inodes(spec: DiskSpec, disk: DiskFact) -> Finding | None:
    if disk.inodes == 0:
        return None
    used = 100 * disk.inodes_used / disk.inodes
    left = disk.inodes - disk.inodes_used
    sentence = f"{show_percent(used)} % of the inodes used, {left} left"
    return over(sentence, used, spec.inodes_warning, spec.inodes_critical, "%")


def _read_only(spec: DiskSpec, disk: DiskFact, *, changed: bool) -> Finding | None:
    if not disk.read_only or spec.read_only == "ignore":
        return None
    if spec.read_only == "always":
        return Status.CRITICAL, "is read-only (must be writable)"
    text = "has become read-only: an error of the disk makes the kernel do so (dmesg tells which)"
    return (Status.CRITICAL, text) if changed else None


def _measurements(spec: DiskSpec, disk: DiskFact, used: float) -> tuple[Measurement, ...]:
    limits = (_text(spec.warning), _text(spec.critical))
    told = (
        Measurement("used", round(used, 2), "%", *limits, 0, 100),
        Measurement("available", disk.available, "B", minimum=0, maximum=disk.size),
    )
    if not disk.inodes:
        return told
    inodes = 100 * disk.inodes_used / disk.inodes
    limits = (_text(spec.inodes_warning), _text(spec.inodes_critical))
    return (*told, Measurement("inodes", round(inodes, 2), "%", *limits, 0, 100))


def _text(limit: Threshold | None) -> str:
    return "" if limit is None else limit.text.rstrip("%")


def _about(spec: DiskSpec, key: str) -> bool:
    return key.startswith("disk:") and _listed(spec, key.removeprefix("disk:"))


def _dead(key: str, reason: str) -> Result:
    item = one_line(key.removeprefix("disk:"))
    return Result.critical(f"{item}: does not answer: {one_line(reason)}", item=item)


def _not_mounted(spec: DiskSpec, seen: set[str]) -> list[Result]:
    plain = [mount for mount in spec.mounts if not any(sign in mount for sign in "*?[")]
    missing = [one_line(mount) for mount in plain if one_line(mount) not in seen]
    return [Result.critical(f"{mount}: is not mounted", item=mount) for mount in missing]


def items(spec: DiskSpec) -> tuple[str, ...] | None:
    """Give the named mounts; which a pattern means, or are there at all, only the host knows."""
    open_end = not spec.mounts or any(sign in mount for mount in spec.mounts for sign in "*?[")
    return None if open_end else tuple(map(one_line, spec.mounts))


KIND = FactProbe("disk", DiskSpec, lambda _: (Section("disk"),), judge, items=items)
