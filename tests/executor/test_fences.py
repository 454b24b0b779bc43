"""What the executor refuses, whatever the core says."""

import time
from collections.abc import Callable
from pathlib import Path

import pytest

from monitord.model.effect import Command, to_json
from monitord.model.ids import Instant, StepId
from monitord.model.incident import AttemptStatus, StepStatus
from tests.executor.core import Core, RefusalError

Start = Callable[..., Core]
BOOK = {"fix": "steps:\n- command: [touch, '{path}']\n"}


@pytest.fixture
def fixing(core: Start, tmp_path: Path) -> Core:
    ladder = f"[{{fix: {{with: {{path: {tmp_path}/done}}}}}}]"
    return core(
        runbooks=BOOK,
        hosts=(
            "here: {address: 127.0.0.1, login: {local: {act: true}},"
            f" checks: {{site: {{load: {{}}, remediate: {ladder}}}}}}}"
        ),
    )


def refused(core: Core, step: int, text: str, tmp_path: Path) -> None:
    with pytest.raises(RefusalError, match=text) as caught:
        core.ask("run", step=step)
    assert caught.value.type == "not-begun"
    assert not (tmp_path / "done").exists()


def test_an_honest_intent_is_done(fixing: Core, tmp_path: Path) -> None:
    assert fixing.done("fix")["outcome"] == "done"
    assert (tmp_path / "done").exists()


@pytest.mark.parametrize(
    "effect",
    [
        Command(("touch", "/other")),
        Command(("touch", "{path}"), sudo=True),
        Command(("sh", "-c", "id")),
    ],
)
def test_an_effect_that_differs_is_refused(fixing: Core, tmp_path: Path, effect: Command) -> None:
    step = fixing.intend("fix", step={"effect": to_json(effect)})
    refused(fixing, step, r"step 1 is not step 0 of its plan", tmp_path)


@pytest.mark.parametrize(
    ("row", "text"),
    [
        ({"target": "there"}, "there is not the attempt's host here"),
        ({"kind": "systemd"}, "is not step 0 of its plan"),
        ({"idempotent": True}, "is not step 0 of its plan"),
        ({"position": 5}, "the plan has no step 5"),
        ({"epoch": 0}, "is of epoch 0, the store is at 1: a newer daemon has taken over"),
        ({"deadline": Instant(1)}, "came after its own deadline"),
    ],
)
def test_a_step_row_that_differs_is_refused(
    fixing: Core, tmp_path: Path, row: dict[str, object], text: str
) -> None:
    refused(fixing, fixing.intend("fix", step=row), text, tmp_path)


@pytest.mark.parametrize(
    ("row", "text"),
    [
        ({"plan": '{"steps":[]}'}, "the plan of attempt 1 is not what fix renders here"),
        ({"runbook_hash": "0"}, "runbook fix is not the one that was planned"),
        ({"runbook": "other"}, "runbook other is not the one that was planned"),
        ({"catalog": "0"}, "catalog 0 of this attempt is not known here"),
        ({"key": "here/other"}, "here/other has no fix on its ladder"),
        ({"host": "there"}, "here is not the attempt's host there"),
    ],
)
def test_an_attempt_row_that_differs_is_refused(
    fixing: Core, tmp_path: Path, row: dict[str, object], text: str
) -> None:
    refused(fixing, fixing.intend("fix", attempt=row), text, tmp_path)


def test_an_intent_of_an_attempt_that_ended_is_refused(fixing: Core, tmp_path: Path) -> None:
    step = fixing.intend("fix")
    running, failed = AttemptStatus.RUNNING, AttemptStatus.FAILED
    fixing.write_store(lambda tx: tx.move_attempt(1, running, failed))
    refused(fixing, step, "attempt 1 is FAILED, not RUNNING", tmp_path)


def test_a_step_that_ended_is_not_done_again(fixing: Core, tmp_path: Path) -> None:
    step = fixing.intend("fix")
    fixing.write_store(lambda tx: tx.move_step(StepId(step), StepStatus.INTENT, StepStatus.UNKNOWN))
    refused(fixing, step, "step 1 is UNKNOWN, not an open intent", tmp_path)


def test_the_intent_of_a_daemon_that_was_replaced_is_refused(fixing: Core, tmp_path: Path) -> None:
    step = fixing.intend("fix")
    fixing.write_store(lambda tx: tx.next_epoch())
    refused(fixing, step, "is of epoch 1, the store is at 2", tmp_path)


def test_a_target_refuses_an_older_epoch_than_it_has_seen(fixing: Core, tmp_path: Path) -> None:
    """Even when the store itself has gone back in time, as after a restored backup."""
    fixing.write_store(lambda tx: tx.put_meta("epoch", "7"))
    fixing.done("fix")
    (tmp_path / "done").unlink()
    fixing.write_store(lambda tx: tx.put_meta("epoch", "6"))
    refused(fixing, fixing.intend("fix"), "epoch 6 is older than 7, which was seen here", tmp_path)


def test_nothing_is_done_while_the_halt_file_exists(fixing: Core, tmp_path: Path) -> None:
    step = fixing.intend("fix")
    (fixing.state / "HALT").write_text("")
    refused(fixing, step, "halted: .*HALT exists", tmp_path)
    (fixing.state / "HALT").unlink()
    assert fixing.ask("run", step=step)["outcome"] == "done"


def test_a_dangling_halt_counts_as_halt(fixing: Core, tmp_path: Path) -> None:
    step = fixing.intend("fix")
    (fixing.state / "HALT").symlink_to(tmp_path / "nowhere")
    refused(fixing, step, "halted", tmp_path)


def test_a_host_that_is_only_watched_is_not_acted_on(core: Start, tmp_path: Path) -> None:
    host = "here: {address: 127.0.0.1, login: local, checks: {site: {load: {}, remediate: [fix]}}}"
    book = {"fix": f"steps:\n- command: [touch, '{tmp_path}/done']\n"}
    watched = core(runbooks=book, hosts=host)
    refused(
        watched, watched.intend("fix"), "here is only watched: its login has no `act:`", tmp_path
    )


def test_observing_lets_nothing_out(core: Start, tmp_path: Path) -> None:
    book = {"fix": f"steps:\n- command: [touch, '{tmp_path}/done']\n"}
    observing = core(runbooks=book, more="observe: true")
    refused(observing, observing.intend("fix"), "observe: true lets nothing out", tmp_path)


def test_a_plan_for_several_items_is_done_step_by_step(core: Start, tmp_path: Path) -> None:
    book = {"fix": f"steps:\n- command: [touch, '{tmp_path}/{{item}}']\n"}
    started = core(runbooks=book)
    for position, item in enumerate(["one", "two"]):
        answer = started.done("fix", items=("one", "two"), position=position)
        assert answer["outcome"] == "done"
        assert (tmp_path / item).exists()


@pytest.mark.parametrize(
    ("items", "text"),
    [
        (("here/site/other",), "the plan of attempt 1 is not what fix renders here"),
        (("here/other/done",), "here/other/done is no item of here/site"),
        (("here/sites",), "here/sites is no item of here/site"),
        ((), r"attempt 1 cannot be planned: runbook fix, .* but this check has no items"),
    ],
)
def test_a_plan_for_other_items_is_refused(
    core: Start, tmp_path: Path, items: tuple[str, ...], text: str
) -> None:
    book = {"fix": f"steps:\n- command: [touch, '{tmp_path}/{{item}}']\n"}
    started = core(runbooks=book)
    step = started.intend("fix", items=("done",), attempt={"items": items})
    refused(started, step, text, tmp_path)


def test_a_plan_is_done_with_the_catalog_it_was_made_from(fixing: Core, tmp_path: Path) -> None:
    """A reload in mid-attempt changes nothing for the attempt."""
    step = fixing.intend("fix")
    fixing.runbooks["fix"] = "steps:\n- command: [touch, '{path}-new']\n"
    fixing.write()
    new = fixing.ask("load", hash="")
    assert new["hash"] != fixing.catalog.hash
    assert fixing.ask("run", step=step)["outcome"] == "done"
    assert (tmp_path / "done").exists()


def test_a_refusal_is_quick(fixing: Core) -> None:
    began = time.monotonic()
    with pytest.raises(RefusalError):
        fixing.ask("run", step=1)
    assert time.monotonic() - began < 2
