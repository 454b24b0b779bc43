"""The peers themselves: they start, answer, break and come back, and leave nothing behind."""

from __future__ import annotations

import http.client
import shutil
import smtplib
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping
from email.message import EmailMessage
from pathlib import Path

import paramiko
import pytest
import sqlalchemy

from tests.world.needs import requires
from tests.world.peers import Nginx, Restic, Sshd, Supervisord
from tests.world.process import answers, run_program
from tests.world.sinks import MailSink, WebhookSink
from tests.world.until import until


def fetch(url: str, data: bytes | None = None) -> tuple[int, bytes]:
    """Return status and body, for errors too."""
    try:
        with urllib.request.urlopen(url, data, timeout=5) as answer:  # noqa: S310  -- our own peer
            return answer.status, answer.read()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read()


def test_nginx_dies_and_comes_back(nginx: Nginx) -> None:
    assert fetch(f"{nginx.url}/health") == (200, b"ok\n")
    (nginx.root / "index.html").unlink()
    assert fetch(f"{nginx.url}/index.html")[0] == 404
    nginx.stop()
    assert not answers(nginx.port)
    nginx.start()
    assert answers(nginx.port)


def test_sshd_lets_the_key_in_and_shows_a_changed_host_key(sshd: Sshd) -> None:
    with paramiko.SSHClient() as client:
        client.load_host_keys(str(sshd.known_hosts))
        login = {"username": sshd.user, "key_filename": str(sshd.key), "allow_agent": False}
        client.connect(sshd.address, sshd.port, look_for_keys=False, **login)  # type: ignore[arg-type]  # one dict, two calls
        _, out, _ = client.exec_command("echo hello")
        assert out.read() == b"hello\n"
        client.close()
        sshd.change_host_key()
        with pytest.raises(paramiko.BadHostKeyException):
            client.connect(sshd.address, sshd.port, look_for_keys=False, **login)  # type: ignore[arg-type]  # as above


def test_supervisord_restarts_what_dies(
    supervisord: Callable[[Mapping[str, str]], Supervisord],
) -> None:
    manager = supervisord({"worker": "command=sleep 1000\nstartsecs=0"})
    until(lambda: manager.state("worker") == "RUNNING", what="the worker")
    manager.call("stopProcess", "worker")
    assert manager.state("worker") == "STOPPED"


def test_postgres_gives_each_test_an_empty_database(postgres_url: str) -> None:
    engine = sqlalchemy.create_engine(postgres_url)
    with engine.connect() as connection:
        assert connection.execute(sqlalchemy.text("select 6 * 7")).scalar_one() == 42
        assert not sqlalchemy.inspect(connection).get_table_names()
    engine.dispose()


def test_restic_gives_back_what_it_was_given(restic: Restic, tmp_path: Path) -> None:
    (tmp_path / "page").write_text("hello", encoding="utf-8")
    restic.save(tmp_path)
    restored = restic.folder / "restored"
    run_program(restic.argv("restore", "latest", "--target", str(restored)))
    assert [path.read_text(encoding="utf-8") for path in restored.rglob("page")] == ["hello"]


def test_the_mail_sink_keeps_mail_or_refuses_it(mail_sink: MailSink) -> None:
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = "a@example.com", "b@example.com", "Größe"
    message.set_content("ticket\n")
    with smtplib.SMTP("127.0.0.1", mail_sink.port) as client:
        client.send_message(message)
        mail_sink.refuse("451 4.3.0 try later")
        with pytest.raises(smtplib.SMTPDataError, match="try later"):
            client.send_message(message)
    assert [mail.message["Subject"] for mail in mail_sink.messages] == ["Größe"]
    assert mail_sink.messages[0].recipients == ["b@example.com"]
    assert mail_sink.messages[0].text == "ticket\n"


def test_the_webhook_sink_keeps_requests_and_answers_as_told(webhook_sink: WebhookSink) -> None:
    assert fetch(f"{webhook_sink.url}/hook", b'{"a": 1}') == (200, b"{}")
    webhook_sink.answer(429, headers={"Retry-After": "2"})
    assert fetch(f"{webhook_sink.url}/hook", b"{}")[0] == 429
    assert [(each.method, each.path, each.json()) for each in webhook_sink.received] == [
        ("POST", "/hook", {"a": 1}),
        ("POST", "/hook", {}),
    ]


def test_the_webhook_sink_can_hang(webhook_sink: WebhookSink) -> None:
    webhook_sink.hang()
    connection = http.client.HTTPConnection("127.0.0.1", webhook_sink.port, timeout=0.2)
    connection.request("POST", "/", b"{}")
    with pytest.raises(TimeoutError):
        connection.getresponse()
    connection.close()


def is_alive(pid: str) -> bool:
    """Whether the process runs; one that only waits to be reaped by the machine does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(") ")[2][0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


@requires("nginx", "supervisor")
def test_no_peer_outlives_a_killed_run() -> None:
    script = (
        "from tests.world.peers import Nginx, Supervisord\n"
        "web, manager = Nginx(), Supervisord({})\n"
        "web.start(); manager.start()\n"
        "print(web.pid, manager.pid, flush=True)\n"
        "input()\n"
    )
    argv = [sys.executable, "-c", script]
    root = Path(__file__).parents[2]
    with subprocess.Popen(
        argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=root
    ) as process:
        assert process.stdout is not None
        pids = process.stdout.readline().split()
        folders = [Path(f"/proc/{pid}/cwd").readlink() for pid in pids]
        process.kill()
    assert len(pids) == 2
    until(lambda: not any(map(is_alive, pids)), what="their end")
    for folder in folders:
        shutil.rmtree(folder)
