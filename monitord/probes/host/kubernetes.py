"""Judges a Kubernetes cluster by what kubectl gets: nodes, workloads, pods, volume claims.

Each node and workload is an item; pods and claims are one each, which names the worst. It changes
nothing there: a ServiceAccount with the ClusterRole `view` (and nodes) suffices.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from fnmatch import fnmatchcase
from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field

from monitord.model.facts import PluginOutput
from monitord.model.ids import Instant
from monitord.model.kinds import HostScript, ScriptProbe, Target
from monitord.model.result import Cause, Measurement, Result, Status
from monitord.model.spec import Duration, Spec, format_duration
from monitord.model.text import one_line
from monitord.probes.host import frames
from monitord.probes.verdict import Finding, verdict

Part = Literal["nodes", "workloads", "pods", "volumes"]
Name = Annotated[str, Field(pattern=r"^[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?$")]

_NONE = "<none>"
_COLUMNS = {"nodes": 4, "workloads": 5, "pods": 7, "volumes": 3}
_SHOWN = 3
_PRESSURES = ("MemoryPressure", "DiskPressure", "PIDPressure", "NetworkUnavailable")
_BROKEN = frozenset({
    "CrashLoopBackOff", "ImagePullBackOff", "ErrImagePull", "InvalidImageName",
    "CreateContainerConfigError", "CreateContainerError", "RunContainerError",
})  # fmt: skip
"""Why a container waits for ever; ContainerCreating and PodInitializing pass by themselves."""


class KubernetesSpec(Spec):
    """A Kubernetes cluster: nodes ready, workloads whole, no pod that crashes, hangs or is stuck.

    Asked by kubectl on the host of the check, with a kubeconfig of its own that may only view.
    """

    example: ClassVar[str] = """\
kubernetes:
  kubeconfig: /etc/monitord/kubeconfig
  namespaces: [shop, payments]
  ignore: ["Deployment/shop/preview-*"]
"""
    rhythm: ClassVar[Mapping[str, str | int]] = {
        "every": "60s", "retry_every": "20s", "attempts": 3, "timeout": "45s"
    }  # fmt: skip

    kubeconfig: str = Field(
        default="",
        pattern="^(/.*)?$",
        description="The file, readable by the reading login; left out: kubectl's own.",
        examples=["/etc/monitord/kubeconfig"],
    )
    context: str = Field(
        default="", pattern=r"^([^-\s]\S*)?$", description="One of its contexts.", examples=["prod"]
    )
    namespaces: tuple[Name, ...] = Field(
        default=(), description="Only these; left out: all.", examples=[["shop", "payments"]]
    )
    what: tuple[Part, ...] = Field(
        default=("nodes", "workloads", "pods", "volumes"), description="What is looked at."
    )
    ignore: tuple[str, ...] = Field(
        default=(),
        description="KIND/NAMESPACE/NAME of workloads and pods that do not matter; `*` is any.",
        examples=[["Deployment/shop/preview-*", "Pod/ci/*"]],
    )
    pending: Duration = Field(
        default="10m",
        validate_default=True,
        description="A pod that waits longer than this to begin is a warning.",
    )
    max_restarts: int = Field(
        default=2, ge=0, description="More restarts of one pod since the last look are a warning."
    )


def ask(spec: KubernetesSpec, _target: Target) -> HostScript:
    """Give the script that gets them."""
    return frames.script(
        "kubernetes",
        kubeconfig=spec.kubeconfig,
        context=spec.context,
        namespaces=" ".join(spec.namespaces),
        what=" ".join(spec.what),
    )


def judge(
    spec: KubernetesSpec, output: PluginOutput, target: Target, _now: Instant
) -> Sequence[Result]:
    """Give the items; restarts of pods are remembered with the item `pods`."""
    answer = frames.read(output, "kubernetes")
    if isinstance(answer, Result):
        return [answer]
    failed = [one.args for one in answer.of("end") if one.args[-1:] != ["0"]]
    if failed:
        return [_refused(answer.complaint)]
    rows = {part: list(_rows(answer, part)) for part in spec.what}
    if any(len(row) != _COLUMNS[part] for part, each in rows.items() for row in each):
        return [Result.unknown("kubernetes: kubectl's columns make no sense", Cause.PLUGIN)]
    results: list[Result] = []
    if "nodes" in rows:
        results += map(_node, rows["nodes"])
    if "workloads" in rows:
        wanted = (row for row in rows["workloads"] if not _ignored(spec, "/".join(row[:3])))
        results += map(_workload, wanted)
    if "pods" in rows:
        results.append(_pods(spec, rows["pods"], target.memory.get("pods", {}), answer.now))
    if "volumes" in rows:
        results.append(_volumes(rows["volumes"]))
    return results or [Result.ok("kubernetes: there is nothing of what is looked at")]


def _rows(answer: frames.Answer, part: str) -> Iterator[list[str]]:
    for frame in answer.of("begin"):
        if frame.rest == part:
            yield from (line.split() for line in frame.body.splitlines() if line.strip())


def _refused(complaint: str) -> Result:
    said = complaint or "no reason given"
    low = said.lower()
    if any(word in low for word in ("unauthorized", "forbidden", "must be logged in")):
        text = f"kubernetes: the cluster does not let us look: {said} (ClusterRole view, and nodes)"
        return Result.unknown(text, Cause.LOGIN)
    if any(word in low for word in ("refused", "timeout", "timed out", "deadline", "no route")):
        return Result.critical(f"kubernetes: the API server does not answer: {said}")
    return Result.unknown(f"kubernetes: kubectl cannot tell: {said}", Cause.PLUGIN)


def _node(row: Sequence[str]) -> Result:
    name, unscheduled, true, unknown = (one_line(word, 120) for word in row)
    item, holds = f"node/{name}", set(true.split(","))
    findings: list[Finding | None] = []
    if "Ready" in unknown.split(","):
        findings.append((Status.CRITICAL, "is silent: its kubelet tells nothing any more"))
    elif "Ready" not in holds:
        findings.append((Status.CRITICAL, "is not ready: its kubelet says so (describe node)"))
    findings += [(Status.WARNING, f"has {one}") for one in _PRESSURES if one in holds]
    cordoned = " and takes no new pods (cordoned)" if unscheduled == "true" else ""
    return replace(verdict(item, findings, f"is ready{cordoned}", ()), item=item)


def _workload(row: Sequence[str]) -> Result:
    kind, space, name = (one_line(word, 120) for word in row[:3])
    want, ready = (frames.number(word) for word in row[3:])
    item, finding = f"{kind}/{space}/{name}", None
    if want and not ready:
        finding = (Status.CRITICAL, f"none of {want} pods is ready")
    elif ready < want:
        finding = (Status.WARNING, f"{ready} of {want} pods are ready")
    good = f"{ready} of {want} pods are ready" if want else "is scaled to nothing"
    measured = (Measurement("ready", ready, minimum=0), Measurement("wanted", want, minimum=0))
    return replace(verdict(item, [finding], good, measured), item=item)


@dataclass(frozen=True, slots=True)
class _Pod:
    name: str
    phase: str
    waits: str
    died: str
    restarts: int
    made: str

    def since(self, now: int) -> int:
        """Give its age in seconds; 0 for a time that is none."""
        try:
            return max(0, now - int(datetime.fromisoformat(self.made).timestamp()))
        except (ValueError, OverflowError):
            return 0


def _pods(spec: KubernetesSpec, rows: Sequence[Sequence[str]], memory: Any, now: int) -> Result:
    pods = [_pod(row) for row in rows if not _ignored(spec, f"Pod/{row[0]}/{row[1]}")]
    kept = memory.get("restarts", {})
    before = kept if isinstance(kept, Mapping) else {}
    broken = [f"{one.name} ({one.waits})" for one in pods if set(one.waits.split(",")) & _BROKEN]
    late = [
        one.name
        for one in pods
        if one.phase == "Pending" and one.since(now) > spec.pending.total_seconds()
    ]
    again = [
        f"{one.name} ({one.restarts - before[one.name]} times{_because(one)})"
        for one in pods
        if isinstance(before.get(one.name), int)
        and one.restarts - before[one.name] > spec.max_restarts
    ]
    limit = format_duration(spec.pending)
    findings = [
        _named(Status.CRITICAL, "cannot start", broken),
        _named(Status.WARNING, f"waits to begin for over {limit}: too little room?", late),
        _named(Status.WARNING, "was restarted since the last look", again),
    ]
    running = sum(one.phase == "Running" for one in pods)
    result = verdict("pods", findings, f"{running} run", (Measurement("running", running),))
    counts = {one.name: one.restarts for one in pods if one.restarts}
    return replace(result, item="pods", memory={"restarts": counts})


def _pod(row: Sequence[str]) -> _Pod:
    space, name, phase, waits, died, restarts, made = (one_line(word, 200) for word in row)
    total = sum(frames.number(one) for one in restarts.split(","))
    told = ["" if word == _NONE else word for word in (phase, waits, died)]
    return _Pod(f"{space}/{name}", told[0], told[1], told[2], total, made)


def _because(pod: _Pod) -> str:
    return f", {pod.died}" if pod.died else ""


def _named(status: Status, what: str, names: Sequence[str]) -> Finding | None:
    if not names:
        return None
    shown = ", ".join(names[:_SHOWN])
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return status, f"{len(names)} of them {what}: {shown}{more}"


def _volumes(rows: Sequence[Sequence[str]]) -> Result:
    told = [(f"{one_line(row[0], 80)}/{one_line(row[1], 120)}", row[2]) for row in rows]
    lost = [name for name, phase in told if phase == "Lost"]
    waits = [name for name, phase in told if phase not in {"Bound", "Lost"}]
    findings = [
        _named(Status.CRITICAL, "has lost its volume", lost),
        _named(Status.WARNING, "has no volume yet", waits),
    ]
    bound = sum(phase == "Bound" for _, phase in told)
    return replace(verdict("volumes", findings, f"{bound} claims are bound", ()), item="volumes")


def _ignored(spec: KubernetesSpec, name: str) -> bool:
    return any(fnmatchcase(name, pattern) for pattern in spec.ignore)


KIND = ScriptProbe("kubernetes", KubernetesSpec, ask, judge)
