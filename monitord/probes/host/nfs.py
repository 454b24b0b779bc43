"""Judges a mounted share (NFS) by a file that is read in it: a stale mount hangs whoever looks.

The host's own mount is what its programs use, so that is what is looked at; no server is asked.
"""

import re
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Annotated, ClassVar

from pydantic import AfterValidator, Field

from monitord.model.facts import PluginOutput
from monitord.model.ids import Instant
from monitord.model.kinds import HostScript, ScriptProbe, Target
from monitord.model.result import Cause, Result, Status
from monitord.model.spec import Duration, Spec, format_duration
from monitord.model.text import one_line
from monitord.probes.credentials import quote
from monitord.probes.host import frames
from monitord.probes.verdict import Finding, verdict

_PATH = re.compile(r"/[A-Za-z0-9._+@:,=/-]*[A-Za-z0-9._+@:,=-]")
_KILLED = frozenset({124, 137})  # timeout's word for a deadline that passed; 128 + KILL
_MOST = timedelta(minutes=1)


def _mount(text: str) -> str:
    if not _PATH.fullmatch(text):
        raise ValueError(f"{text!r} is not a mount point (write /srv/share, without blanks)")
    return text


def _file(text: str) -> str:
    if not _PATH.fullmatch(f"/{text}") or ".." in text.split("/"):
        raise ValueError(f"{text!r} is not a file below the mount (write folder/probe.txt)")
    return text


def _within(value: timedelta) -> timedelta:
    if not timedelta(seconds=1) <= value <= _MOST:
        raise ValueError(f"{format_duration(value)} is not between 1s and 1m")
    return value


class NfsSpec(Spec):
    """A share that a host has mounted, by reading a file in it within a time."""

    example: ClassVar[str] = """\
nfs:
  mount: /srv/projects
  file: .monitord-probe
  contains: alive
"""
    rhythm: ClassVar[Mapping[str, str | int]] = {
        "every": "2m", "retry_every": "30s", "attempts": 3, "timeout": "75s"
    }  # fmt: skip

    mount: Annotated[str, AfterValidator(_mount)] = Field(
        description="Where the host has mounted it.", examples=["/srv/projects"]
    )
    file: Annotated[str, AfterValidator(_file)] = Field(
        description="A file in it, which the reading login may read.", examples=[".monitord-probe"]
    )
    contains: str = Field("", description="A text that the file must contain.", examples=["alive"])
    types: tuple[str, ...] = Field(
        ("nfs", "nfs4"),
        description="The file systems that may be mounted there.",
        examples=[["nfs", "nfs4"], ["cifs"]],
    )
    within: Annotated[Duration, AfterValidator(_within)] = Field(
        default="10s", validate_default=True, description="CRITICAL when it is not read by then."
    )


def ask(spec: NfsSpec, _target: Target) -> HostScript:
    """Give the script that reads the file."""
    seconds = int(spec.within.total_seconds())
    return frames.script("nfs", mount=spec.mount, file=spec.file, within=seconds)


def judge(spec: NfsSpec, output: PluginOutput, _target: Target, _now: Instant) -> Sequence[Result]:
    """Give one result."""
    answer = frames.read(output, spec.mount)
    if isinstance(answer, Result):
        return [answer]
    told = next((frame.rest for frame in answer.of("mounted")), "")
    kind, _, server = one_line(told, 200).partition(" ")
    complaint = answer.complaint
    code = answer.code("file")
    if code not in {0, *_KILLED} and "ermission denied" in complaint:
        text = f"{spec.mount}: our login may not read {spec.file}"
        return [Result.unknown(text, Cause.MISSING)]
    finding = _wrong(spec, kind, server, code, complaint, answer.said("file"))
    return [verdict(spec.mount, [finding], f"{spec.file} read, {kind} from {server}")]


def _wrong(
    spec: NfsSpec, kind: str, server: str, code: int | None, complaint: str, said: str
) -> Finding | None:
    wanted = " or ".join(one_line(name, 20) for name in spec.types)
    if not kind:
        return Status.CRITICAL, f"nothing is mounted there, expected {wanted}"
    if kind not in spec.types:
        return Status.CRITICAL, f"a {kind} is mounted there, expected {wanted}"
    if code in _KILLED:
        limit = format_duration(spec.within)
        text = f"{spec.file} was not read within {limit}: {server} does not answer, and whoever"
        return Status.CRITICAL, f"{text} looks at the mount hangs"
    if code != 0:
        return Status.CRITICAL, f"{spec.file} cannot be read: {complaint or f'exit code {code}'}"
    if spec.contains and spec.contains not in said:
        begins = quote(said.strip().encode(), (), 60)
        lacks = one_line(spec.contains, 60)
        return Status.CRITICAL, f'{spec.file} has no "{lacks}"; it begins {begins}'
    return None


KIND = ScriptProbe("nfs", NfsSpec, ask, judge)
"""The `nfs` probe: see NfsSpec."""
