"""The mail queue as postqueue and exim4 list it, by a real shell; the lists are recorded."""

from __future__ import annotations

import json
import os
import re
import subprocess
import time
from pathlib import Path

import pytest

from monitord.model.facts import PluginOutput
from monitord.model.ids import Instant
from monitord.model.kinds import Target
from monitord.model.result import Result
from monitord.probes.service.mail_queue import KIND, MailQueueSpec

TARGET = Target("mx", "", {})


def listed(folder: Path, program: str, text: str, code: int = 0) -> Result:
    """Run the script where `program` says `text`."""
    stand_in = folder / program
    stand_in.write_text(f"#!/bin/sh\ncat <<'END'\n{text}\nEND\nexit {code}\n", encoding="utf-8")
    stand_in.chmod(0o755)
    spec = MailQueueSpec()
    # The stand-in is found first: the script's own PATH names folders of the machine.
    script = KIND.script(spec, TARGET).text.replace("PATH=/usr/sbin", f"PATH={folder}:/usr/sbin")
    done = subprocess.run(
        ["sh"], input=script, capture_output=True, text=True, check=False, env=dict(os.environ)
    )
    output = PluginOutput(done.returncode, done.stdout, done.stderr)
    (result,) = KIND.judge(spec, output, TARGET, Instant(0))
    return result


def mail(age: int) -> str:
    to = [{"address": "a@example.com", "delay_reason": "connect to mx: Connection refused"}]
    return json.dumps(
        {"queue_name": "deferred", "arrival_time": int(time.time()) - age, "recipients": to}
    )


@pytest.mark.parametrize(
    ("text", "code", "status", "said"),
    [("", 0, "OK", "0 mails wait"),
     ("AGED 60", 0, "OK", "1 mails wait"),
     ("\n".join(["AGED 60"] * 120), 0, "WARNING", "120 mails wait: connect to mx: Connection"),
     ("AGED 98000", 0, "CRITICAL", "the oldest waits since 1 d 3 h: connect to mx"),
     ("rubbish", 0, "UNKNOWN", "the list makes no sense"),
     ("", 69, "UNKNOWN", "postfix does not list it")],
)  # fmt: skip
def test_a_queue_of_postfix(tmp_path: Path, text: str, code: int, status: str, said: str) -> None:
    # The age is counted now: when the cases were collected may be an hour ago.
    text = re.sub(r"AGED (\d+)", lambda found: mail(int(found[1])), text)
    result = listed(tmp_path, "postqueue", text, code)
    assert result.status.name == status
    assert said in result.summary
