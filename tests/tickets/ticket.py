"""One ticket as the engine renders it, and the outbox message that carries it."""

from __future__ import annotations

from typing import Any

from monitord.model.ids import IncidentId, Instant
from monitord.model.ticket import Operation, OutboxItem, OutboxStatus

TICKET: dict[str, Any] = {
    "key": "web1/site",
    "incident": 12,
    "tier": "L1",
    "priority": "P3",
    "status": "ESCALATED",
    "severity": "CRITICAL",
    "title": "no answer within 5 s",
    "host": "web1",
    "summary": "http://10.1.1.11/health: no answer within 5 s",
    "since": "2026-03-01T02:30:15+00:00",
    "first_failed": "2026-03-01T02:29:30+00:00",
    "means": "Customers see no shop.",
    "by_hand": "Look at /var/log/nginx/error.log.\nThen start nginx.",
    "next_command": "monitord incident 12",
    "tried": [
        {
            "runbook": "restart-nginx",
            "mode": "auto",
            "outcome": "failed: still critical after 2m",
            "steps": [
                {
                    "phase": "step",
                    "kind": "systemd",
                    "target": "web1",
                    "status": "DONE",
                    "exit_code": 0,
                    "output": "restarted\nnginx: [warn] low on memory\n",
                }
            ],
        }
    ],
    "refused": [
        {
            "at": "2026-03-01T02:33:00+00:00",
            "runbook": "restore-web-root",
            "guard": "cooldown",
            "reason": "it ran 4 minutes ago; its cooldown is 10m",
        }
    ],
    "guards": [
        {
            "at": "2026-03-01T02:33:00+00:00",
            "runbook": "restore-web-root",
            "verdicts": [
                {"guard": "halt", "ok": True, "reason": ""},
                {"guard": "mode", "ok": True, "reason": ""},
                {"guard": "cooldown", "ok": False, "reason": "it ran 4 minutes ago"},
            ],
        }
    ],
    "evidence": [{"title": "journalctl --unit=nginx", "text": "line one\nline two"}],
    "timeline": [
        {
            "at": "2026-03-01T02:30:15+00:00",
            "kind": "opened",
            "text": "hard CRITICAL",
            "actor": "monitord",
        },
        {"at": "2026-03-01T02:40:00+00:00", "kind": "ack", "text": "on it", "actor": "kim"},
    ],
    "links": {"page": "https://monitor.example.com/incidents/12"},
}


def message(
    number: int = 7, operation: Operation = Operation.OPEN, key: str = "prod/12"
) -> OutboxItem:
    return OutboxItem(
        id=number,
        backend="test",
        incident=IncidentId(12),
        operation=operation,
        key=key,
        body="",
        status=OutboxStatus.PENDING,
        created=Instant(0),
        due_at=Instant(0),
    )
