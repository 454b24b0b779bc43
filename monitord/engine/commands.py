"""What a person asks for by name: run a check, plan or start a repair, explain, close, forget.

The same guards and plans as the stages use: a person sees and gets exactly what automation would.
"""

import difflib
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

from monitord.decisions.escalation import priority
from monitord.decisions.guards import Verdict, evaluate, first_refusal, told
from monitord.decisions.orders import bears_on
from monitord.decisions.reach import hangs_on
from monitord.decisions.sla import of_services
from monitord.decisions.ticket_document import iso
from monitord.decisions.verbs import MATRIX
from monitord.engine import closing, inhibiting, ladder
from monitord.engine.held import as_held, ladder_of
from monitord.engine.instance import Instance
from monitord.engine.situation import ExactPlan, exact_plan, situation
from monitord.engine.turn import AfterCommit, Turn
from monitord.errors import CommandRefusedError, NotFoundError
from monitord.model.catalog import Catalog, Check, Rung
from monitord.model.ids import AttemptId, IncidentId, StateKey, split_state_key
from monitord.model.incident import Incident, IncidentStatus
from monitord.model.result import Result, Status
from monitord.model.spec import format_duration
from monitord.model.state import CheckState
from monitord.model.ticket import Event
from monitord.store.contract import Tx, View

_STARTABLE = (IncidentStatus.OPEN, IncidentStatus.WAITING)


class Commands:
    """Commands on one instance. `places` gives where the configuration of a key stands."""

    def __init__(
        self, instance: Instance, places: Callable[[str], Awaitable[Sequence[tuple[str, str, str]]]]
    ) -> None:
        self._instance = instance
        self._places = places

    async def run_check(self, key: str) -> list[Result]:
        """Run a check now; its results count like any other."""
        instance, check = self._instance, self.find(key)
        found = await instance.probing.look([check])
        results = found[check.key]
        instance.beliefs.absorb(check, results, instance.now())
        return results

    async def close(self, number: IncidentId, *, by: str, reason: str, cure: str = "") -> None:
        """Close an incident in a person's name; `cure` is what helped, for the next time."""
        instance, now = self._instance, self._instance.now()
        if not reason.strip():
            raise CommandRefusedError("closing needs a reason; add --reason '…'")
        closed = await self._end(
            lambda tx: closing.close_by_person(
                tx, instance, number, now, by=by, reason=reason, cure=cure
            )
        )
        if closed is None:
            raise NotFoundError(f"no incident {number} is open; `monitord incidents` lists them")

    async def forget(self, key: StateKey, *, by: str) -> None:
        """Drop the state of an item that is gone."""
        instance = self._instance
        state = instance.beliefs.states.get(key)
        if state is None:
            raise NotFoundError(f"no state is kept of {key}{_near(key, instance.beliefs.states)}")
        check, item = split_state_key(key)
        if check in instance.catalog.checks and (not item or state.status is not Status.UNKNOWN):
            raise CommandRefusedError(f"{key} still reports {state.status.name}: it is not gone")
        now = instance.now()

        def work(tx: Tx) -> list[Event]:
            tx.forget_states([key])
            tx.add_audit(now, by, "forget", key, state.summary)
            reason = f"{key} was forgotten"
            return closing.forget_items(tx, instance, {key}, now, by=by, reason=reason)

        await self._end(work)
        instance.beliefs.drop(key)

    async def remediate(
        self, key: str, runbook: str | None, *, dry_run: bool, by: str
    ) -> Mapping[str, Any]:
        """Plan the next rung or a named runbook of the ladder; unless dry, start it."""
        instance, check = self._instance, self.find(key)
        incident = await instance.store.read(lambda view: view.live_incident(check.key))
        shown = incident or self._imagined(check)
        position, configured = self._rung(check, shown, runbook)
        rung = await instance.store.read(lambda view: as_held(view, instance, configured))
        plan = exact_plan(instance, shown, check, rung)
        verdicts = await instance.store.read(lambda view: self._verdicts(view, shown, rung, plan))
        started = None
        if not dry_run:
            if incident is None or incident.status not in _STARTABLE:
                status = incident.status if incident else "not an incident"
                raise CommandRefusedError(
                    f"{key} is {status}: a repair starts on one that is open or waiting;"
                    " add --dry-run to see the plan"
                )
            started = await self._start(incident, check, position, rung, by)
        return {
            "key": check.key,
            "runbook": rung.runbook,
            "mode": rung.mode,
            "plan": ladder.describe(plan),
            "problem": plan.problem,
            "guards": told(verdicts),
            "started": started,
        }

    async def explain(self, key: str, *, written: bool = True) -> Mapping[str, Any]:
        """Give all that bears on a check: state, reach, ladder, guards, configuration.

        Of a service only where its settings are written. That (`written`) has all files read.
        """
        if key in self._instance.catalog.services:
            return {"key": key, **(await self._written(key) if written else {})}
        instance, check = self._instance, self.find(key)
        incident = await instance.store.read(lambda view: view.live_incident(check.key))
        shown = incident or self._imagined(check)
        host = instance.catalog.hosts[check.host]
        hanging = hangs_on(check, host, Status.UNKNOWN)
        parents = dict.fromkeys(parent for need in hanging for parent in need.keys)
        return {
            "key": check.key,
            "kind": check.kind,
            "means": check.means,
            "by_hand": check.by_hand,
            "state": [_believed(state) for state in instance.beliefs.of(check.key)],
            "policy": {**_policy(check), **_promised(instance.catalog, check)},
            "incident": incident.id if incident else None,
            "reach": [self._parent(parent) for parent in parents],
            "ladder": await instance.store.read(lambda view: ladder_of(view, instance, check)),
            "guards": await self._asked(check, shown),
            "orders": await instance.store.read(lambda view: self._orders(view, check)),
            "inhibition": await instance.store.read(
                lambda view: inhibiting.told_of(view, instance, check.key, incident)
            ),
            **(await self._written(check.key) if written else {}),
        }

    async def _written(self, key: str) -> dict[str, list[dict[str, str]]]:
        rows = [
            {"setting": setting, "value": value, "place": place}
            for setting, value, place in await self._places(key)
        ]
        return {"config": rows}

    def _orders(self, view: View, check: Check) -> list[dict[str, Any]]:
        """Give the orders in force that bear on a check, and what each means."""
        host = self._instance.catalog.hosts[check.host]
        return [
            {
                "order": order.id,
                "verb": str(order.verb),
                "by": order.by,
                "until": iso(order.expires),
                "reason": order.reason,
                "means": MATRIX[order.verb].about,
            }
            for order in view.orders(at=self._instance.now())
            if bears_on(order.selector, order.verb, host, check)
        ]

    async def _asked(self, check: Check, incident: Incident) -> list[dict[str, Any]]:
        """Ask the guards about the rung that would be next."""
        if not check.remediate:
            return []
        rung = check.remediate[min(incident.rung, len(check.remediate) - 1)]
        plan = exact_plan(self._instance, incident, check, rung)
        return told(
            await self._instance.store.read(lambda view: self._verdicts(view, incident, rung, plan))
        )

    async def _end(self, work: Callable[[Tx], list[Event] | None]) -> list[Event] | None:
        """Write what may end attempts, then end their holds and tell of it."""
        instance = self._instance
        held = instance.beliefs.held
        events, ended = await instance.store.write(
            lambda tx: (work(tx), closing.ended_among(tx, held))
        )
        for attempt in ended:
            instance.beliefs.release(attempt, instance.now())
        instance.tell(events or [])
        instance.wake()
        return events

    def find(self, key: str) -> Check:
        """Give the check of a key (an item's key will do); NotFoundError names the nearest."""
        found = self._instance.check(key) or self._instance.check("/".join(key.split("/")[:2]))
        if found is None:
            near = _near(key, self._instance.catalog.checks)
            raise NotFoundError(f"there is no check {key}{near}")
        return found

    def _rung(self, check: Check, incident: Incident, runbook: str | None) -> tuple[int, Rung]:
        if not check.remediate:
            raise NotFoundError(f"{check.key} has no runbook; attach one with `remediate:`")
        if runbook is None:
            position = min(incident.rung, len(check.remediate) - 1)
            return position, check.remediate[position]
        for position, rung in enumerate(check.remediate):
            if rung.runbook == runbook:
                return position, rung
        names = ", ".join(rung.runbook for rung in check.remediate)
        raise NotFoundError(f"{runbook} is not on the ladder of {check.key} ({names})")

    def _verdicts(
        self, view: View, incident: Incident, rung: Rung, plan: ExactPlan
    ) -> tuple[Verdict, ...]:
        now = self._instance.now()
        return evaluate(situation(view, self._instance, incident, rung, plan, now=now))

    async def _start(
        self, incident: Incident, check: Check, position: int, rung: Rung, by: str
    ) -> AttemptId:
        """Start an attempt in a person's name; the guards hold for people too."""
        instance, out = self._instance, AfterCommit()

        def work(tx: Tx) -> AttemptId:
            now = instance.now()
            live = tx.incident(incident.id)
            if live is None or live.status not in _STARTABLE:
                raise CommandRefusedError(f"incident {incident.id} has moved on; look again")
            plan = exact_plan(instance, live, check, rung)
            refused = first_refusal(self._verdicts(tx, live, rung, plan))
            if refused is not None:
                raise CommandRefusedError(f"refused by {refused[0]}: {refused[1].reason}")
            turn = Turn(tx, instance, live, now, out)
            return ladder.start(turn, check, position, rung, plan, by=by)

        started = await instance.store.write(work)
        out.run(instance)
        instance.wake()
        return started

    def _imagined(self, check: Check) -> Incident:
        """Give the incident that would open if the check were CRITICAL now, for a dry run."""
        instance, now = self._instance, self._instance.now()
        bad = [s.key for s in instance.beliefs.of(check.key) if s.status is not Status.OK]
        first = [state.key for state in instance.beliefs.of(check.key)][:1]
        return Incident(
            id=IncidentId(0),
            key=check.key,
            status=IncidentStatus.OPEN,
            severity=Status.CRITICAL,
            summary="imagined for a dry run",
            opened=now,
            first_failed=now,
            due_at=None,
            items=tuple(bad or first or [StateKey(check.key)]),
            host=check.host,
            priority=priority(Status.CRITICAL, [check.impact], instance.catalog.priorities),
        )

    def _parent(self, key: Any) -> dict[str, Any]:
        state = self._instance.beliefs.believed(key)
        up = state is None or state.hard is not Status.CRITICAL
        text = f"{state.hard.name}: {state.summary}" if state else "no result yet"
        return {"key": key, "up": up and not (state and state.unreachable), "text": text}


def _believed(state: CheckState) -> dict[str, Any]:
    return {
        "key": state.key,
        "status": state.status.name,
        "hard": state.hard.name,
        "attempt": state.attempt,
        "summary": state.summary,
        "flapping": state.flapping,
        "unreachable": state.unreachable,
        "stale": state.stale,
    }


def _policy(check: Check) -> dict[str, str]:
    return {
        "every": format_duration(check.every),
        "retry_every": format_duration(check.retry_every),
        "timeout": format_duration(check.timeout),
        "attempts": str(check.policy.attempts),
        "recoveries": str(check.policy.recoveries),
        "first_rung_after": format_duration(check.first_rung_after),
    }


def _promised(catalog: Catalog, check: Check) -> dict[str, str]:
    """Give the services of a check, and the service levels that hold for it."""
    levels = ", ".join(level.name for level in of_services(catalog, check.services))
    return {"services": ", ".join(check.services) or "none", "sla": levels}


def _near(key: str, known: Mapping[Any, Any]) -> str:
    near = difflib.get_close_matches(key, list(known), n=3)
    return f"; did you mean {', '.join(near)}?" if near else "; `monitord checks` lists them"
