"""Each kind of step: what may be written, what it renders, which lock it names."""

import re
from typing import Any

import jsonschema  # type: ignore[import-untyped] # its stubs are not installed
import pytest
from pydantic import ValidationError

from monitord.actions import ACTIONS
from monitord.model.effect import Command, Effect, HttpCall, Pause, StepContext
from monitord.secrets import SecretRef

HERE = StepContext(
    "web1",
    "10.1.1.11",
    "worker",
    {"command": "/opt/nightly --full 'two words'", "path": "/srv/www", "root": "yes"},
)


def effect(kind: str, written: Any, context: StepContext = HERE) -> Any:
    action = ACTIONS[kind]
    return action.render(action.spec.model_validate(written), context)


def resource(kind: str, written: Any, context: StepContext = HERE) -> str:
    action = ACTIONS[kind]
    return action.resource(action.spec.model_validate(written), context)


@pytest.mark.parametrize(
    ("kind", "written", "rendered"),
    [
        ("command", ["nginx", "-t"], Command(("nginx", "-t"))),
        (
            "command",
            {"run": ["du", "{path}"], "sudo": True, "cwd": "/", "env": {"A": "{host}"}},
            Command(("du", "/srv/www"), env={"A": "web1"}, cwd="/", sudo=True),
        ),
        (
            "command",
            {"run": ["grep", "x"], "ok_codes": [0, 1]},
            Command(("grep", "x"), ok_codes=(0, 1)),
        ),
        (
            "systemd",
            {"unit": "nginx", "do": "restart"},
            Command(("systemctl", "restart", "nginx.service"), sudo=True),
        ),
        (
            "systemd",
            {"unit": "backup.timer", "do": "start", "sudo": False},
            Command(("systemctl", "start", "backup.timer")),
        ),
        (
            "systemd",
            {"unit": "{item}", "do": "reset-failed", "user": True},
            Command(("systemctl", "--user", "reset-failed", "worker.service")),
        ),
        (
            "systemd",
            {"unit": "org.example.app", "do": "start"},
            Command(("systemctl", "start", "org.example.app.service"), sudo=True),
        ),
        (
            "supervisor",
            {"program": "{item}", "do": "start", "server": ["supervisorctl", "-c", "/s.conf"]},
            Command(("supervisorctl", "-c", "/s.conf", "start", "worker")),
        ),
        (
            "supervisor",
            {"program": "{item}", "do": "status", "server": "{command}", "sudo": "{root}"},
            Command(
                ("/opt/nightly", "--full", "two words", "status", "worker"),
                sudo=True,
                ok_codes=(0, 3),
            ),
        ),
        (
            "supervisor",
            {"program": "{item}", "do": "tail"},
            Command(("supervisorctl", "tail", "worker", "stderr")),
        ),
        (
            "command",
            {"words": "{command}", "sudo": "{root}"},
            Command(("/opt/nightly", "--full", "two words"), sudo=True),
        ),
        ("job", ["/opt/nightly", "--full"], Command(("/opt/nightly", "--full"))),
        ("job", {"words": "{command}"}, Command(("/opt/nightly", "--full", "two words"))),
        (
            "http",
            {
                "url": "http://{address}:9000/{item}",
                "headers": {"Authorization": SecretRef("env", "T")},
                "body": '{{"host": "{host}"}}',
            },
            HttpCall(
                "POST",
                "http://10.1.1.11:9000/worker",
                {"Authorization": "!secret env:T"},
                '{"host": "web1"}',
            ),
        ),
        ("wait", "90s", Pause(90)),
        ("wait", {"for": "1m"}, Pause(60)),
    ],
)
def test_a_kind_renders_its_effect(kind: str, written: Any, rendered: Effect) -> None:
    assert effect(kind, written) == rendered


@pytest.mark.parametrize(
    ("kind", "written", "sentence"),
    [
        ("command", [], "at least 1 item"),
        ("command", ["sleep", 5], '5 is not a text (quote it: "5")'),
        ("command", ["set", True], 'true is not a text (quote it: "true")'),
        ("command", ["echo", "{"], "has a lone { (write {{ for a brace)"),
        ("command", {"run": ["x"], "cwd": "srv"}, "'srv' is not an absolute path"),
        ("command", {"run": ["x"], "env": {"A-B": "1"}}, "'A-B' is not a variable name"),
        ("command", {"run": ["x"], "shell": "y"}, "Extra inputs are not permitted"),
        (
            "command",
            {"run": ["x"], "sudo": True, "env": {"A": SecretRef("env", "A")}},
            "a secret may not stand in an argv",
        ),
        ("systemd", {"unit": "nginx", "do": "enable"}, "'start', 'restart', 'reload'"),
        ("systemd", {"unit": "x", "do": "start", "user": True, "sudo": True}, "exclude each other"),
        ("job", {}, "needs either run: [program, argument] or words: '{parameter}'"),
        ("job", {"run": ["x"], "words": "{command}"}, "needs either run:"),
        ("job", {"words": "rm {path}"}, "is not one parameter (write '{command}')"),
        ("job", {"words": "{item}"}, "is not one parameter"),
        ("command", {"run": ["x"], "words": "{command}"}, "needs either run:"),
        ("command", {"run": ["x"], "sudo": "maybe"}, "'maybe' is neither yes nor no"),
        ("ready", {}, "asks nothing: give unit, folder or port"),
        ("ready", {"port": "80", "owner": "root"}, "owner and free are those of a folder"),
        ("restore", {"to": "/srv"}, "needs either tar: /path/of/archive, restic: or borg:"),
        (
            "restore",
            {"to": "/srv", "tar": "/b.tar", "borg": {"repository": "/r"}},
            "needs either tar:",
        ),
        (
            "restore",
            {"to": "/srv/a", "borg": {"repository": "/r", "password": "hunter2"}},
            "is written by reference",
        ),
        (
            "restore",
            {"to": "/srv/a", "restic": {"repository": "/r"}},
            "needs either password_file: /path or password: !secret",
        ),
        (
            "restore",
            {"to": "/srv/a", "restic": {"repository": "/r", "password": "hunter2"}},
            "is written by reference",
        ),
        ("http", {"url": "x", "headers": {"A B": "1"}}, "'A B' is not a header's name"),
        ("wait", "5 minutes", "'5 minutes' is not a duration"),
    ],
)
def test_what_may_not_be_written_says_so(kind: str, written: Any, sentence: str) -> None:
    with pytest.raises(ValidationError, match=re.escape(sentence)):
        ACTIONS[kind].spec.model_validate(written)


@pytest.mark.parametrize(
    ("kind", "written", "context", "sentence"),
    [
        ("systemd", {"unit": "{item}", "do": "start"}, "--now", "'--now' is not a unit name"),
        ("systemd", {"unit": "{item}", "do": "start"}, "a b", "'a b' is not a unit name"),
        ("systemd", {"unit": "{item}", "do": "start"}, "a;id", "'a;id' is not a unit name"),
        ("supervisor", {"program": "{item}", "do": "stop"}, "all", "not the name of one program"),
        ("supervisor", {"program": "{item}", "do": "stop"}, "web:*", "not the name of one program"),
        ("supervisor", {"program": "{item}", "do": "stop"}, "-c", "not the name of one program"),
        ("restore", {"tar": "/b.tar", "to": "/srv/../{item}"}, "x", "is not the absolute path"),
        ("restore", {"tar": "/b.tar", "to": "/"}, "x", "is not the absolute path"),
        ("restore", {"tar": "/b", "to": "/s", "expect": ["{item}"]}, "../x", "no .."),
        ("restore", {"tar": "/b", "to": "/s", "inside": "{item}"}, "a/../..", "no .."),
        ("command", {"run": ["x"], "sudo": "{root}"}, "x", "which is not given"),
        ("ready", {"port": "{item}"}, "80 443", "'80 443' is not a port"),
        ("ready", {"port": "{item}"}, "65536", "'65536' is not a port"),
        ("ready", {"folder": "{item}"}, "etc", "'etc' is not an absolute path"),
        ("ready", {"folder": "/", "free": "{item}"}, "1e9", "is not a percentage"),
        ("ready", {"unit": "{item}"}, "--all", "'--all' is not a unit name"),
        ("http", {"url": "file:///{item}"}, "x", "is not an http URL"),
        ("http", {"url": "http://h:{item}/"}, "99999", "'h:99999' has no port from 0 to 65535"),
        ("http", {"url": "http://h:{item}/"}, "x", "'h:x' has no port from 0 to 65535"),
        ("http", {"url": "http://h/", "headers": {"A": "{item}"}}, "a\r\nB: c", "a line break"),
    ],
)
def test_what_a_target_says_cannot_change_the_step(
    kind: str, written: Any, context: str, sentence: str
) -> None:
    with pytest.raises(ValueError, match=re.escape(sentence)):
        effect(kind, written, StepContext("web1", "10.1.1.11", context))


def test_an_item_is_one_part_of_a_url_path() -> None:
    context = StepContext("web1", "10.1.1.11", "../admin?x=1#y")
    assert effect("http", {"url": "http://h/{item}/go"}, context).url == (
        "http://h/..%2Fadmin%3Fx%3D1%23y/go"
    )


def test_a_job_with_an_open_quote_says_so() -> None:
    context = StepContext("web1", "", "", {"command": "run 'this"})
    with pytest.raises(ValueError, match=r"command: \"run 'this\": No closing quotation"):
        effect("job", {"words": "{command}"}, context)


@pytest.mark.parametrize("command", ["a $(id)", "a `id`", "a;id", "a | b", "a ~ * $HOME"])
def test_a_jobs_words_are_not_expanded(command: str) -> None:
    context = StepContext("web1", "", "", {"command": command})
    assert list(effect("job", {"words": "{command}"}, context).argv) == command.split(" ")


@pytest.mark.parametrize(
    ("kind", "written", "name"),
    [
        ("command", ["true"], "web1:host"),
        ("systemd", {"unit": "nginx", "do": "start"}, "web1:unit:nginx.service"),
        ("systemd", {"unit": "a", "do": "start", "user": True}, "web1:user-unit:a.service"),
        ("supervisor", {"program": "worker", "do": "start"}, "web1:program:worker"),
        ("job", ["/opt/nightly", "-x"], "web1:job:/opt/nightly -x"),
        ("restore", {"tar": "/b", "to": "/srv/www/"}, "web1:path:/srv/www"),
        ("http", {"url": "http://h/"}, "web1:host"),
        ("ready", {"port": "80"}, ""),
        ("wait", "1s", ""),
    ],
)
def test_a_kind_names_the_lock_of_what_it_touches(kind: str, written: Any, name: str) -> None:
    assert resource(kind, written) == name


def test_a_restore_carries_its_script_and_no_value_in_it() -> None:
    command = effect("restore", {"tar": "{path}.tar", "to": "{path}", "expect": ["index.html"]})
    assert command.argv == ("sh", "-s", "--", "tar", "/srv/www.tar", "/srv/www", "", "", "", "",
                            "index.html")  # fmt: skip
    assert "/srv/www" not in command.stdin


def test_a_restic_password_is_a_reference() -> None:
    restic = {"repository": "/r", "password": SecretRef("file", "/etc/pw")}
    command = effect("restore", {"to": "/srv/www", "restic": restic, "inside": "/srv/www/"})
    assert command.env == {"RESTIC_PASSWORD": "!secret file:/etc/pw"}
    assert command.argv[3:] == ("restic", "/r", "/srv/www", "srv/www", "latest", "", "")


@pytest.mark.parametrize(
    ("kind", "written"),
    [
        ("command", ["nginx", "-t"]),
        ("command", {"run": ["x"], "ok_codes": [0, 1]}),
        ("wait", "10s"),
        ("wait", {"for": "10s"}),
        ("job", ["/opt/x"]),
        ("systemd", {"unit": "nginx", "do": "start"}),
    ],
)
def test_the_published_schema_takes_what_the_kind_takes(kind: str, written: Any) -> None:
    jsonschema.validate(written, ACTIONS[kind].spec.model_json_schema())


def test_every_kind_is_listed_under_its_own_name() -> None:
    assert {name: kind.name for name, kind in ACTIONS.items()} == {name: name for name in ACTIONS}
