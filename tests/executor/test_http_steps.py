"""An http step: sent once, judged by its status, unknown when nobody can know."""

import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import ClassVar

import pytest

from tests.executor.core import Core, RefusalError
from tests.world.hostile import hostile
from tests.world.until import until

Start = Callable[..., Core]


class Handler(BaseHTTPRequestHandler):
    """Remembers what it was asked; `/slow` waits for the gate."""

    seen: ClassVar[list[tuple[str, str, dict[str, str], bytes]]] = []
    gate = threading.Event()
    records = Path("/nowhere")

    def do_POST(self) -> None:
        """Answer with the status that the path names."""
        body = self.rfile.read(int(self.headers.get("Content-Length", "0")))
        self.seen.append((self.command, self.path, dict(self.headers), body))
        if self.path == "/slow":
            self.gate.wait(30)
        for record in self.records.glob("*.*-*"):  # nothing can be written there any more
            (record / "new").mkdir()
        status = int(self.path.removeprefix("/")) if self.path[1:].isdigit() else 200
        self.send_response(status)
        if status == 302:
            self.send_header("Location", "/elsewhere")
        self.end_headers()
        self.wfile.write(b"token t0psecret was " + str(status).encode())

    do_PUT = do_POST  # noqa: N815 - the name is http.server's

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - its name is http.server's
        """Say nothing."""


@pytest.fixture
def api() -> Iterator[str]:
    Handler.seen.clear()
    Handler.gate = threading.Event()
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    Handler.gate.set()
    server.shutdown()
    thread.join()
    server.server_close()


def post(url: str, more: str = "") -> dict[str, str]:
    return {"fix": f"steps:\n- http: {{url: '{url}'{more}}}\n  timeout: 3s\n"}


def test_a_request_is_sent_and_its_answer_told(core: Start, api: str) -> None:
    more = ", method: PUT, body: '{{{{}}}}', headers: {X-Token: !secret 'env:API_TOKEN'}"
    books = post(f"{api}/201", more.replace("{{{{}}}}", "{{}}"))
    started = core(
        runbooks=books, env={"API_TOKEN": "t0psecret", "http_proxy": "http://127.0.0.1:1"}
    )
    answer = started.done("fix")
    assert answer == {
        "outcome": "done",
        "exit_code": 201,
        "output": "token [redacted] was 201",
        "error": "",
    }
    ((method, path, headers, body),) = Handler.seen
    assert (method, path, headers["X-Token"], body) == ("PUT", "/201", "t0psecret", b"{}")


@pytest.mark.parametrize("status", [302, 404, 500])
def test_another_status_is_a_failure(core: Start, api: str, status: int) -> None:
    answer = core(runbooks=post(f"{api}/{status}")).done("fix")
    assert (answer["outcome"], answer["error"]) == ("failed", f"answered {status}")
    assert len(Handler.seen) == 1  # no redirect is followed


def test_a_request_is_not_sent_twice(core: Start, api: str) -> None:
    started = core(runbooks=post(f"{api}/200"))
    step = started.intend("fix")
    started.ask("run", step=step)
    with pytest.raises(RefusalError, match="already ran"):
        started.ask("run", step=step)
    assert started.ask("adopt", step=step)["outcome"] == "done"
    assert len(Handler.seen) == 1


def test_a_request_whose_answer_nobody_heard_is_unknown(core: Start, api: str) -> None:
    started = core(runbooks=post(f"{api}/slow"))
    step = started.intend("fix")
    started.send("run", step=step)
    until(lambda: len(Handler.seen) == 1)
    started.kill()
    started.start()
    answer = started.ask("adopt", step=step)
    assert answer["outcome"] == "unknown"
    with pytest.raises(RefusalError, match="already ran"):
        started.ask("run", step=step)
    assert len(Handler.seen) == 1


def test_an_answer_that_cannot_be_noted_is_told_all_the_same(
    core: Start, api: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    started = core(runbooks=post(f"{api}/200"))
    monkeypatch.setattr(Handler, "records", started.state / "runs")
    step = started.intend("fix")
    assert started.ask("run", step=step)["outcome"] == "done"
    assert started.ask("adopt", step=step)["outcome"] == "unknown"


def test_a_server_that_is_not_there_is_a_failure(core: Start) -> None:
    answer = core(runbooks=post("http://127.0.0.1:1/")).done("fix")
    assert (answer["outcome"], answer["exit_code"]) == ("failed", None)
    assert "no connection" in answer["error"]


@pytest.mark.parametrize("manner", ["silent", "closes_at_once", "garbage"])
def test_a_server_that_gives_no_answer_leaves_it_unknown(core: Start, manner: str) -> None:
    """It may have taken the request in: nobody repeats it blindly."""
    with hostile(manner) as target:
        answer = core(runbooks=post(target.url)).done("fix")
    assert answer["outcome"] == "unknown"


@pytest.mark.parametrize("manner", ["drip", "endless_header"])
def test_a_server_that_answers_without_end_costs_the_deadline(core: Start, manner: str) -> None:
    with hostile(manner) as target:
        answer = core(runbooks=post(target.url)).done("fix")
    assert answer["outcome"] in {"unknown", "failed"}


def test_an_endless_body_is_cut(core: Start) -> None:
    with hostile("endless_body") as target:
        answer = core(runbooks=post(target.url)).done("fix")
    assert answer["outcome"] == "done"
    assert len(answer["output"]) <= 65_536


def test_a_refused_connection_leaves_the_record_readable(core: Start, tmp_path: Path) -> None:
    started = core(runbooks=post("http://127.0.0.1:1/"))
    step = started.intend("fix")
    first = started.ask("run", step=step)
    assert started.ask("adopt", step=step) == first
