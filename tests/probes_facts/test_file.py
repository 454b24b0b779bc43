"""Files: there or not, how old, how large, whose, and whether they hold what they should."""

from __future__ import annotations

import hashlib
import os
import time
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from monitord.model.facts import Facts, FileFact, Section
from monitord.model.result import Cause, Result, Status
from monitord.probes.host.file import FileSpec, sections
from monitord.transports.facts_local import gather
from tests.probes_facts.judging import judged

PATH = "/srv/db.gz"
FILE = FileFact(PATH, exists=True, size=5 << 20, age=7200.0, mode=0o640, owner="root")
NONE = FileFact(PATH, exists=False)


def told(fact: FileFact, given: dict[str, Any]) -> Result:
    (result,) = judged("file", Facts("h", files={PATH: fact}), {"path": PATH, **given}).values()
    return result


@pytest.mark.parametrize(
    ("fact", "given", "status", "summary"),
    [
        (FILE, {}, 0, "/srv/db.gz: 2 h old, 5.0 MiB"),
        (NONE, {}, 2, "/srv/db.gz: does not exist"),
        (NONE, {"absent": True}, 0, "/srv/db.gz: is not there, as it should be"),
        (FILE, {"absent": True}, 2, "/srv/db.gz: exists (must not)"),
        (FILE, {"warning_age": "1h"}, 1, "/srv/db.gz: is 2 h old (limit 1h)"),
        (
            FILE,
            {"warning_age": "1h", "critical_age": "90m"},
            2,
            "/srv/db.gz: is 2 h old (limit 1h30m)",
        ),
        (FILE, {"min_size": "10M"}, 2, "/srv/db.gz: holds only 5.0 MiB (at least 10 MiB)"),
        (FILE, {"max_size": "1M"}, 2, "/srv/db.gz: holds 5.0 MiB (limit 1.0 MiB)"),
        (FILE, {"mode": "0600"}, 2, "/srv/db.gz: has mode 0640 (must be 0600)"),
        (FILE, {"mode": 640}, 0, "/srv/db.gz: 2 h old, 5.0 MiB"),
        (FILE, {"owner": "backup"}, 2, "/srv/db.gz: belongs to root (must be backup)"),
    ],
)
def test_one_file(fact: FileFact, given: dict[str, Any], status: int, summary: str) -> None:
    result = told(fact, given)
    assert (result.status, result.summary) == (status, summary)


def test_a_file_from_the_future_betrays_a_wrong_clock() -> None:
    future = FileFact(PATH, exists=True, size=1, age=-7200.0)
    result = told(future, {"critical_age": "1h"})
    assert result.status is Status.WARNING
    assert result.summary == "/srv/db.gz: was changed 2 h in the future: a clock is wrong"


def test_content_that_changed_is_critical() -> None:
    good, bad = (hashlib.sha256(text).hexdigest() for text in (b"good", b"bad"))
    fact = FileFact(PATH, exists=True, sha256=bad)
    result = told(fact, {"sha256": good.upper()})
    assert result.status is Status.CRITICAL
    assert result.summary == (
        f"/srv/db.gz: its content has changed (SHA-256 {bad[:12]}…, not {good[:12]}…)"
    )
    assert told(fact, {"sha256": bad}).status is Status.OK
    assert sections(FileSpec(path=PATH, sha256=good)) == (Section("file-hash", (PATH,)),)


def test_a_pattern_is_shown_by_its_newest_match() -> None:
    newest = FileFact("/srv/db-2.gz\n", exists=True, size=1, age=60.0)
    facts = Facts("h", files={"/srv/db-*.gz": newest})
    (result,) = judged("file", facts, {"path": "/srv/db-*.gz"}).values()
    assert result.summary == "/srv/db-2.gz: 1 min old, 1 B"
    assert result.item == ""


def test_each_of_several_is_an_item() -> None:
    facts = Facts("h", files={PATH: FILE, "/etc/x": FileFact("/etc/x", exists=False)})
    results = judged("file", facts, {"path": [PATH, "/etc/x"]})
    assert [(item, result.status.name) for item, result in results.items()] == [
        (PATH, "OK"),
        ("/etc/x", "CRITICAL"),
    ]


def test_what_could_not_be_read_is_unknown() -> None:
    facts = Facts("h", errors={f"file:{PATH}": "Permission denied"})
    (result,) = judged("file", facts, {"path": PATH}).values()
    assert (result.status, result.cause) == (Status.UNKNOWN, Cause.MISSING)
    assert result.summary == "/srv/db.gz: Permission denied"


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ({"path": "relative"}, "'relative' is not an absolute path"),
        ({"path": []}, "names no file"),
        ({"path": "/a\0b"}, "is not an absolute path"),
        ({"path": PATH, "mode": "rw-"}, "'rw-' is not a file mode (write 0640)"),
        ({"path": PATH, "mode": "0988"}, "'0988' is not a file mode"),
        ({"path": PATH, "sha256": "abc"}, "'abc' is not a SHA-256"),
        ({"path": PATH, "absent": True, "owner": "root"}, "absent: true leaves nothing else"),
        ({"path": [PATH, "/x"], "sha256": "0" * 64}, "sha256 fits one file"),
    ],
)
def test_what_a_user_cannot_mean_is_refused(given: dict[str, Any], sentence: str) -> None:
    with pytest.raises(ValidationError) as caught:
        FileSpec.model_validate(given)
    assert sentence in str(caught.value)


def test_a_real_backup_that_grows_old_and_vanishes(tmp_path: Path) -> None:
    given = {"path": f"{tmp_path}/db-*.gz", "critical_age": "26h", "min_size": "1k"}

    def look() -> Result:
        facts = gather("me", (Section("file", (given["path"],)),))
        (result,) = judged("file", facts, given).values()
        return result

    assert look().summary == f"{given['path']}: does not exist"
    backup = tmp_path / "db-1.gz"
    backup.write_bytes(b"x" * 2000)
    assert look().status is Status.OK
    os.utime(backup, (time.time() - 30 * 3600,) * 2)
    assert look().summary == f"{backup}: is 1 d 6 h old (limit 1d2h)"
    (tmp_path / "db-2.gz").write_bytes(b"")
    assert look().summary == f"{tmp_path}/db-2.gz: holds only 0 B (at least 1.0 KiB)"
