"""Reads what alerting systems send: a payload of theirs becomes what is told of single checks.

Pure, and strict about size and shape: the payload is hostile data even where its sender proved who
it is. It does not know which hosts and checks there are, and follows no link of the payload.
"""

import hashlib
import json
import re
from collections.abc import Callable, Mapping
from datetime import datetime
from types import MappingProxyType
from typing import Any

from monitord.clock import as_instant
from monitord.model.ids import EPOCH, Instant
from monitord.model.inbound import Source, Told
from monitord.model.result import Status
from monitord.model.text import block, one_line

LONGEST = 1024 * 1024
"""Bytes of one payload."""

MOST = 1000
"""Alerts or results of one payload."""

_LABELS, _LONGEST_LABEL, _LONGEST_ITEM = 64, 1024, 200
_LONGEST_NAME, _LONGEST_SUMMARY, _LONGEST_DETAILS = 200, 500, 4096
_VERSION = "4"
_PORT = re.compile(r"(?:\[(?P<six>[^\]]*)\]|(?P<rest>[^:]*)):\d{1,5}")
_SLOT = re.compile(r"\{([A-Za-z_][A-Za-z0-9_]{0,99})\}")
_STATUSES: Mapping[str, Status] = MappingProxyType(
    {
        **{status.name.lower(): status for status in Status if status is not Status.PENDING},
        **{str(int(status)): status for status in Status if status is not Status.PENDING},
        "firing": Status.CRITICAL,
        "alerting": Status.CRITICAL,
        "error": Status.CRITICAL,
        "resolved": Status.OK,
        "normal": Status.OK,
    }
)
_SAME = frozenset(
    {
        "alertname", "job", "prometheus", "prometheus_replica", "replica", "monitor",
        "alertgroup", "grafana_folder", "ref_id", "datasource_uid", "rule_uid", "rulename",
    }
)  # fmt: skip
"""Labels that tell where an alert came from, and never two alerts of one rule apart."""


class PayloadError(ValueError):
    """The payload cannot be taken; the text tells the sender why. `status` is HTTP's."""

    def __init__(self, text: str, status: int = 400) -> None:
        self.status = status
        super().__init__(text)


def read(source: Source, body: bytes, now: Instant) -> list[Told]:
    """Give what a payload of this source says, at most MOST of it, in its order.

    Raises:
        PayloadError: it is not what such a source sends, or it is too much.
    """
    if len(body) > LONGEST:
        raise PayloadError(f"the body has more than {LONGEST // 1024} KiB; send less at once", 413)
    try:
        payload = json.loads(body)
    except (ValueError, RecursionError):
        raise PayloadError("the body is not JSON") from None
    return _READERS[source.kind](source, payload, now)


def _alerts(source: Source, payload: Any, now: Instant) -> list[Told]:
    """Read Alertmanager's webhook, version 4; Grafana sends the same with fields of its own."""
    payload = _a_map(payload, "the body")
    version = payload.get("version", _VERSION if source.kind == "grafana" else None)
    if source.kind == "alertmanager" and version != _VERSION:
        raise PayloadError(f'version: {_shown(version)} is not known here; "4" is')
    return [
        _alert(source, _a_map(alert, f"alerts[{index}]"), f"alerts[{index}]", now)
        for index, alert in enumerate(_a_list(payload.get("alerts"), "alerts"))
    ]


def _alert(source: Source, alert: Mapping[str, Any], where: str, now: Instant) -> Told:
    labels = _texts(alert.get("labels"), f"{where}.labels")
    notes = _texts(alert.get("annotations"), f"{where}.annotations")
    word = alert.get("status")
    if word not in ("firing", "resolved"):
        raise PayloadError(f"{where}.status: {_shown(word)} is neither firing nor resolved")
    host, used = _host(source, labels)
    fires = word == "firing"
    text = next(filter(None, (notes.get(n) for n in ("summary", "description", "message"))), "")
    name = labels.get("alertname", "") or "an alert without a name"
    return Told(
        host=host,
        checks=tuple(filter(None, (_fill(pattern, labels) for pattern in source.check))),
        status=_severity(source, labels) if fires else Status.OK,
        summary=one_line(f"{name}: {text}" if text else name, _LONGEST_SUMMARY),
        at=now,
        item=_item(source, labels, used),
        details=_details(labels, notes, alert) if fires else "",
        alert=_fingerprint(labels),
        began=_began(alert.get("startsAt")),
    )


def _began(value: object) -> Instant | None:
    """Give since when an alert fires; None where that cannot be read: it is then taken as new."""
    try:
        found = datetime.fromisoformat(value) if isinstance(value, str) else None
    except ValueError:
        return None
    began = as_instant(found) if found is not None and found.tzinfo is not None else EPOCH
    return began if began > EPOCH else None


def _host(source: Source, labels: Mapping[str, str]) -> tuple[str, str]:
    """Give a host's name or address without port, and the label that said it."""
    for label in source.host_labels:
        if value := labels.get(label, ""):
            found = _PORT.fullmatch(value)
            return (found["six"] or found["rest"] or "" if found else value), label
    return source.host, ""


def _severity(source: Source, labels: Mapping[str, str]) -> Status:
    """A severity that nobody declared harmless is critical: it is not made small by a typo."""
    said = labels.get(source.severity, "").lower()
    return Status.WARNING if said in source.warning else Status.CRITICAL


def _item(source: Source, labels: Mapping[str, str], host_label: str) -> str:
    if source.items:
        told = [labels.get(name, "") for name in source.items]
        item = ",".join(told) if any(told) else ""
    else:
        dropped = {*_SAME, source.severity, *source.host_labels, host_label}
        named = sorted(name for name in labels.keys() - dropped if not name.startswith("__"))
        item = ",".join(f"{name}={labels[name]}" for name in named)
    return _short(item)


def _short(item: str) -> str:
    """Cut a long item so that two that differ at their ends still differ."""
    shown = one_line(item, _LONGEST_LABEL * _LABELS)
    if len(shown) <= _LONGEST_ITEM:
        return shown
    mark = hashlib.sha256(shown.encode()).hexdigest()[:12]
    return f"{shown[: _LONGEST_ITEM - 13]}~{mark}"


def _fingerprint(labels: Mapping[str, str]) -> str:
    """Tell alerts apart by their labels; what a payload says of its fingerprint is not needed."""
    text = json.dumps(labels, sort_keys=True)
    return hashlib.sha256(text.encode(errors="replace")).hexdigest()[:16]


def _details(labels: Mapping[str, str], notes: Mapping[str, str], alert: Mapping[str, Any]) -> str:
    rows = [f"{name}: {value}" for name, value in sorted({**labels, **notes}.items())]
    more = ((name, alert.get(name)) for name in ("startsAt", "generatorURL", "valueString"))
    rows.extend(f"{name}: {value}" for name, value in more if value and isinstance(value, str))
    return block("\n".join(one_line(row, _LONGEST_LABEL) for row in rows), _LONGEST_DETAILS)


def _fill(pattern: str, labels: Mapping[str, str]) -> str:
    """Fill a pattern's slots; empty where a label is missing."""
    names = _SLOT.findall(pattern)
    if any(not labels.get(name) for name in names):
        return ""
    return one_line(_SLOT.sub(lambda slot: labels[slot[1]], pattern), _LONGEST_NAME)


def _results(source: Source, payload: Any, now: Instant) -> list[Told]:
    """Read results: one, or `{results: [...]}`, each with host, check, status and summary."""
    paths = {name: name for name in ("host", "check", "status", "summary", "item", "details")}
    return _mapped(source, payload, now, {"list": "results", **paths})


def _json(source: Source, payload: Any, now: Instant) -> list[Told]:
    return _mapped(source, payload, now, source.paths)


def _mapped(source: Source, payload: Any, now: Instant, paths: Mapping[str, str]) -> list[Told]:
    found = _at(payload, paths["list"]) if paths.get("list") else None
    where = paths.get("list", "")
    if found is None:
        return [_one(source, payload, "the body", now, paths)]
    return [
        _one(source, each, f"{where}[{index}]", now, paths)
        for index, each in enumerate(_a_list(found, where))
    ]


def _one(source: Source, each: Any, where: str, now: Instant, paths: Mapping[str, str]) -> Told:
    _a_map(each, where)

    def text(name: str, longest: int) -> str:
        value = _at(each, paths[name]) if paths.get(name) else None
        if value is None:
            return ""
        if isinstance(value, bool) or not isinstance(value, str | int | float):
            raise PayloadError(f"{where}: {paths[name]}: {_shown(value)} is not a text")
        return one_line(str(value), longest)

    host, check = text("host", _LONGEST_NAME) or source.host, text("check", _LONGEST_NAME)
    word = text("status", _LONGEST_NAME)
    status = _STATUSES.get(word.lower())
    checks = (check,) if check else tuple(p for p in source.check if not _SLOT.search(p))
    if not host or not checks:
        raise PayloadError(f"{where}: {'host' if not host else 'check'} is missing")
    if status is None:
        raise PayloadError(
            f"{where}: status {_shown(word)} is none of ok, warning, critical, unknown"
        )
    details = _at(each, paths["details"]) if paths.get("details") else ""
    return Told(
        host=host,
        checks=checks,
        status=status,
        summary=text("summary", _LONGEST_SUMMARY) or status.name,
        at=now,
        item=_short(text("item", _LONGEST_LABEL)),
        details=block(details, _LONGEST_DETAILS) if isinstance(details, str) else "",
    )


def _at(value: Any, path: str) -> Any:
    """Give what stands at a path such as `data.host.name`; None where there is nothing."""
    for key in path.split("."):
        if isinstance(value, dict):
            value = value.get(key)
        elif isinstance(value, list) and key.isascii() and key.isdigit() and len(key) < 5:  # noqa: PLR2004 - MOST has four digits
            value = value[int(key)] if int(key) < len(value) else None
        else:
            return None
    return value


def _a_map(value: Any, where: str) -> Mapping[str, Any]:
    if not isinstance(value, dict):
        raise PayloadError(f"{where}: {_shown(value)} is not a map")
    return value


def _a_list(value: Any, where: str) -> list[Any]:
    if not isinstance(value, list):
        raise PayloadError(f"{where}: {_shown(value)} is not a list")
    if len(value) > MOST:
        raise PayloadError(f"{where}: has {len(value)}, and {MOST} are taken at once", 413)
    return value


def _texts(value: Any, where: str) -> dict[str, str]:
    """Give labels: names and texts, few and short."""
    if value is None:
        return {}
    pairs = _a_map(value, where)
    if len(pairs) > _LABELS:
        raise PayloadError(f"{where}: has {len(pairs)}, and {_LABELS} are taken", 413)
    for name, text in pairs.items():
        if not isinstance(text, str):
            raise PayloadError(f"{where}.{one_line(name, 60)}: {_shown(text)} is not a text")
    return {
        one_line(name, _LONGEST_NAME): one_line(text, _LONGEST_LABEL)
        for name, text in pairs.items()
        if name and text
    }


def _shown(value: object) -> str:
    return "nothing" if value is None else one_line(repr(value)[:200], 60)


_READERS: Mapping[str, Callable[[Source, Any, Instant], list[Told]]] = MappingProxyType(
    {"alertmanager": _alerts, "grafana": _alerts, "json": _json, "results": _results}
)

KINDS = tuple(_READERS)
"""What a source can be."""
