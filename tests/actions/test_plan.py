"""A plan is rendered in order, survives its text, and reads well."""

from datetime import timedelta
from typing import Any

import pytest

from monitord.actions import ACTIONS
from monitord.actions.plan import from_text, render, resources, to_text
from monitord.model.catalog import Limits, Runbook, Rung, StepSpec, VerifyPolicy
from monitord.model.effect import Command, Effect, HttpCall, Pause, StepContext, describe

VERIFY = VerifyPolicy(timedelta(seconds=1), 1, timedelta(minutes=1))
HERE = StepContext("web1", "10.1.1.11", "nginx.service")


def step(kind: str, written: Any, **more: Any) -> StepSpec:
    return StepSpec(kind, ACTIONS[kind].spec.model_validate(written), **more)


def runbook(
    *steps: StepSpec,
    collect: tuple[StepSpec, ...] = (),
    require: tuple[StepSpec, ...] = (),
    lock: str = "",
) -> Runbook:
    return Runbook("fix", "h", "fix.yaml", collect, require, steps, (), VERIFY, Limits(), lock=lock)


def rung(**parameters: str) -> Rung:
    return Rung("fix", "auto", Limits(), VERIFY, parameters)


def test_a_plan_has_evidence_conditions_and_steps_in_this_order() -> None:
    plan = render(
        runbook(
            step("systemd", {"unit": "{item}", "do": "restart"}, idempotent=True),
            step("wait", "5s"),
            collect=(step("command", ["journalctl", "--unit={item}"]),),
            require=(step("command", ["nginx", "-t"], timeout=timedelta(seconds=9)),),
        ),
        rung(),
        HERE,
    )
    assert [(p.phase, p.kind, p.target, p.idempotent) for p in plan] == [
        ("collect", "command", "web1", False),
        ("require", "command", "web1", False),
        ("step", "systemd", "web1", True),
        ("step", "wait", "web1", False),
    ]
    assert plan[1].timeout == timedelta(seconds=9)
    assert from_text(to_text(plan)) == plan
    assert to_text(from_text(to_text(plan))) == to_text(plan)


def test_the_rungs_parameters_fill_the_slots() -> None:
    book = runbook(step("command", ["du", "{path}"]))
    (planned,) = render(book, rung(path="/srv"), HERE)
    assert planned.effect == Command(("du", "/srv"))


def test_an_unfilled_slot_names_runbook_and_step() -> None:
    book = runbook(step("command", ["du", "{path}"]))
    with pytest.raises(ValueError, match=r"^runbook fix, step command: '\{path\}' needs \{path\}"):
        render(book, rung(), HERE)


@pytest.mark.parametrize(
    ("steps", "lock", "names"),
    [
        ([("systemd", {"unit": "a", "do": "start"}), ("wait", "1s")], "", ("web1:unit:a.service",)),
        ([("wait", "1s")], "", ("web1:host",)),
        ([("command", ["x"]), ("supervisor", {"program": "p", "do": "start"})], "",
         ("web1:host", "web1:program:p")),
        ([("command", ["x"])], "unit:{item}", ("web1:unit:nginx.service",)),
        ([("command", ["x"])], "{host}:db", ("web1:db",)),
    ],
)  # fmt: skip
def test_a_runbook_holds_what_its_steps_touch(
    steps: list[Any], lock: str, names: tuple[str, ...]
) -> None:
    book = runbook(*(step(kind, written) for kind, written in steps), lock=lock)
    assert resources(book, rung(), HERE) == names


@pytest.mark.parametrize("text", ["{}", "[]", '{"steps":[{}]}', '{"steps":3}', "null"])
def test_what_is_no_plan_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="not a plan"):
        from_text(text)


@pytest.mark.parametrize(
    ("effect", "line"),
    [
        (Command(("nginx", "-t")), "nginx -t"),
        (Command(("echo", "a b", "$(id)")), "echo 'a b' '$(id)'"),
        (Command(("systemctl", "start", "x"), sudo=True), "sudo systemctl start x"),
        (
            Command(("x",), cwd="/a b", env={"B": "2", "A": "!secret env:T"}),
            "cd '/a b' && A='!secret env:T' B=2 x",
        ),
        (Command(("sh", "-s"), stdin="a\nb\n"), "sh -s < script of 2 lines"),
        (Command(("echo", "\x1b[31m\n\u202e")), "echo '\\x1b[31m\\n\\u202e'"),
        (HttpCall("POST", "http://h/x"), "POST http://h/x"),
        (Pause(10), "wait 10 s"),
    ],
)
def test_an_effect_is_told_in_one_line(effect: Effect, line: str) -> None:
    assert describe(effect) == line
