"""Containers as docker tells them: a stand-in on PATH gives what was recorded."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from monitord.model.result import Cause, Result, Status
from tests.probes_facts.looking import Watch, answer, shell

BEGAN = "2026-09-21T12:13:20.123456789Z"


def container(name: str, status: str = "running", **more: Any) -> dict[str, Any]:
    """Give what the script's template makes of one container."""
    usual = {"id": f"id-{name}", "image": "shop:1", "restarts": 0, "policy": "unless-stopped"}
    state = {"code": 0, "oom": False, "began": BEGAN, "ended": BEGAN, "why": "", "health": ""}
    return {"name": f"/{name}", "status": status, **usual, **state, **more}


class Docker:
    """A program named docker that lists and inspects what it was told."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.path = f"{folder}:{os.environ['PATH']}"
        (folder / "docker").write_text(
            f'#!/bin/sh\n[ "$1" = ps ] && exec sh {folder}/ps\nexec cat {folder}/told\n'
        )
        (folder / "docker").chmod(0o755)
        self.holds()

    def holds(self, *containers: dict[str, Any]) -> None:
        (self.folder / "ps").write_text("".join(f"echo {one['id']}\n" for one in containers))
        text = "".join(f"{json.dumps(one)}\n" for one in containers)
        (self.folder / "told").write_text(text)

    def refuses(self, words: str) -> None:
        (self.folder / "ps").write_text(f"echo '{words}' >&2\nexit 1\n")


@pytest.fixture
def docker(tmp_path: Path) -> Docker:
    return Docker(tmp_path)


def watch(docker: Docker, **given: Any) -> Watch:
    return Watch("containers", given, shell("dash", path=docker.path))


def seen(docker: Docker, one: dict[str, Any], **given: Any) -> Result:
    docker.holds(one)
    return watch(docker, **given).looks()[str(one["name"]).removeprefix("/")]


@pytest.mark.parametrize(
    ("status", "more", "said"),
    [("running", {}, "OK a: running since "),
     ("running", {"health": "starting"}, "OK a: running since "),
     ("running", {"health": "unhealthy"}, "CRITICAL a: runs, but its own health check fails"),
     ("restarting", {"code": 1}, "CRITICAL a: dies again and again (exit code 1)"),
     ("exited", {}, "OK a: exited"),
     ("exited", {"code": 143}, "OK a: exited"),
     ("exited", {"code": 137, "oom": True},
      "CRITICAL a: has ended (exit code 137: killed for want of memory) and nothing restarts it"),
     ("exited", {"code": 137, "policy": "no"}, "WARNING a: has ended (exit code 137: killed)"),
     ("exited", {"code": 2, "policy": ""}, "WARNING a: has ended (exit code 2)"),
     ("created", {}, "OK a: created"),
     ("created", {"code": 128, "why": "port is already allocated"},
      "WARNING a: could not start: port is already allocated"),
     ("paused", {}, "WARNING a: is paused"),
     ("dead", {}, "CRITICAL a: is dead: it could not be removed")],
)  # fmt: skip
def test_a_container(docker: Docker, status: str, more: dict[str, Any], said: str) -> None:
    result = seen(docker, container("a", status, **more))
    assert f"{result.status.name} {result.summary}".startswith(said)


@pytest.mark.parametrize(
    ("status", "said"),
    [("exited", "a: has ended (exit code 0; must run)"), ("created", "a: is created (must run)"),
     ("paused", "a: is paused (must run)")],
)  # fmt: skip
def test_a_container_that_must_run(docker: Docker, status: str, said: str) -> None:
    result = seen(docker, container("a", status), names=["a"])
    assert (result.status, result.summary) == (Status.CRITICAL, said)


def test_a_container_that_must_run_and_is_gone(docker: Docker) -> None:
    docker.holds(container("a"), container("ci-7", "exited", code=1))
    found = watch(docker, names=["b"], ignore=["ci-*"]).looks()
    assert set(found) == {"a", "b"}
    assert found["b"].summary == "b: there is no such container: it was removed, or never made"
    assert found["b"].status is Status.CRITICAL
    assert set(watch(docker, names=["b"], others=False).looks()) == {"b"}


def test_restarts_are_counted_from_look_to_look(docker: Docker) -> None:
    watched = watch(docker)
    docker.holds(container("a", restarts=7))
    assert watched.looks()["a"].status is Status.OK
    docker.holds(container("a", restarts=9, code=1))
    result = watched.looks()["a"]
    assert result.status is Status.WARNING
    said = "was restarted 2 times since the last look (limit 0; exit code 1)"
    assert result.summary == f"a: {said}"
    docker.holds(container("a", restarts=30, id="another of that name"))
    assert watched.looks()["a"].status is Status.OK


@pytest.mark.parametrize(
    ("words", "status", "cause", "said"),
    [("permission denied while trying to connect to the Docker daemon socket", "UNKNOWN",
      Cause.LOGIN, "usermod -aG docker USER"),
     ("Cannot connect to the Docker daemon at unix:///var/run/docker.sock.", "CRITICAL", None,
      "the daemon does not answer"),
     ("Error: boltdb", "UNKNOWN", Cause.PLUGIN, "they cannot be listed: Error: boltdb")],
)  # fmt: skip
def test_a_daemon_that_does_not_tell(
    docker: Docker, words: str, status: str, cause: Cause | None, said: str
) -> None:
    docker.refuses(words)
    result = watch(docker).looks()[""]
    assert (result.status.name, result.cause) == (status, cause)
    assert said in result.summary


def test_no_tool_nothing_to_see_and_nonsense(docker: Docker) -> None:
    result = watch(docker).judged(answer("stop missing there is no docker"))[""]
    assert (result.status, result.cause) == (Status.UNKNOWN, Cause.MISSING)
    assert watch(docker).looks()[""].summary == "containers: none here"
    docker.holds(container("a"))
    (docker.folder / "told").write_text("[1]\n")
    assert watch(docker).looks()[""].cause is Cause.PLUGIN
