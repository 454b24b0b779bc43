"""Job reports on their way: tokens, the spool, and what is not believed."""

from __future__ import annotations

import json
import os
import pwd
from pathlib import Path

import pytest

from monitord.errors import NotFoundError
from monitord.model.ids import Instant
from monitord.pings import (
    TAIL,
    Report,
    SpoolError,
    Tokens,
    checked,
    job_key,
    read_secret,
    spool,
    spooled,
    tail,
    token,
)
from tests.api.fake_rows import make_catalog

NOW = Instant(1_000_000_000_000_000)
ME = pwd.getpwuid(os.getuid()).pw_name


def test_a_report_comes_back_from_the_spool_in_the_name_of_the_file_s_owner(tmp_path: Path) -> None:
    spool(tmp_path, Report("db1/nightly", "fail", Instant(5), 3, "no space\n", "somebody-else"))
    ((path, report),) = spooled(tmp_path, now=NOW)
    assert report == Report("db1/nightly", "fail", Instant(5), 3, "no space\n", ME)
    assert path.exists()


def test_reports_come_back_in_the_order_in_which_they_happened(tmp_path: Path) -> None:
    for at in (30, 10, 20):
        spool(tmp_path, Report("a", "start", Instant(at)))
    assert [report.at for _, report in spooled(tmp_path, now=NOW)] == [10, 20, 30]


def test_a_ping_stays_a_ping(tmp_path: Path) -> None:
    spool(tmp_path, Report("a", "start", Instant(1), by="ping"))
    assert spooled(tmp_path, now=NOW)[0][1].by == "ping"


@pytest.mark.parametrize(
    "content",
    [b"", b"{", b"[]", b"\xff\xfe", b'{"key":"a"}', b'{"key":"a","event":"x","at":1}', b"9" * 99],
)
def test_a_file_that_is_no_report_is_put_aside_and_met_once(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "1-bad.json").write_bytes(content)
    spool(tmp_path, Report("a", "start", Instant(1)))
    assert len(spooled(tmp_path, now=NOW)) == 1
    assert len(spooled(tmp_path, now=NOW)) == 1
    assert (tmp_path / "1-bad.bad").exists()


def test_a_link_a_pipe_and_a_flood_are_not_read(tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text(json.dumps({"key": "a", "event": "start", "at": 1}))
    (tmp_path / "1-link.json").symlink_to(secret)
    os.mkfifo(tmp_path / "2-pipe.json")
    (tmp_path / "3-flood.json").write_bytes(b"{" + b" " * 1_000_000)
    assert spooled(tmp_path, now=NOW) == []


def test_a_half_written_report_is_not_seen(tmp_path: Path) -> None:
    (tmp_path / ".00000000000000000001-1-aa.json").write_text('{"key": "a", "ev')
    assert spooled(tmp_path, now=NOW) == []


def test_no_spool_is_no_report_but_a_missing_folder_refuses_one(tmp_path: Path) -> None:
    assert spooled(tmp_path / "none", now=NOW) == []
    with pytest.raises(SpoolError, match=r"cannot spool a report in .*No such file"):
        spool(tmp_path / "none", Report("a", "start", Instant(1)))


def test_the_future_is_cut_to_now() -> None:
    fields = {"key": "a", "event": "start", "at": NOW + 1}
    assert checked(fields, by="kim", now=NOW).at == NOW


@pytest.mark.parametrize(
    ("change", "text"),
    [
        ({"key": ""}, "key: a job's name is missing"),
        ({"key": 3}, "key: a job's name is missing"),
        ({"event": "stop"}, "event: 'stop' is none of start, success, fail"),
        ({"event": ["start"]}, "event: ['start'] is none of start, success, fail"),
        ({"at": "now"}, "at: 'now' is not µs since the epoch"),
        ({"at": True}, "at: True is not µs since the epoch"),
        ({"exit_code": "3"}, "exit_code: '3' is not a number"),
        ({"output": 3}, "output: not a text"),
    ],
)
def test_a_wrong_field_is_named(change: dict[str, object], text: str) -> None:
    fields: dict[str, object] = {"key": "a", "event": "start", "at": 1, **change}
    with pytest.raises(ValueError, match="^" + text.replace("[", r"\[").replace("]", r"\]")):
        checked(fields, by="kim", now=NOW)


def test_a_long_output_keeps_its_end() -> None:
    assert tail(b"x" * TAIL + b"the end") == "x" * (TAIL - 7) + "the end"
    assert tail(b"\xff") == "�"


def test_the_secret_is_made_once_and_readable_by_the_group_only(tmp_path: Path) -> None:
    secret = read_secret(tmp_path, create=True)
    assert len(secret) == 32
    assert read_secret(tmp_path, create=True) == secret
    assert (tmp_path / "secret").stat().st_mode & 0o777 == 0o640


def test_a_missing_or_short_secret_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(SpoolError, match="the core makes it at its first start"):
        read_secret(tmp_path)
    (tmp_path / "secret").write_bytes(b"short")
    with pytest.raises(SpoolError, match="holds 5 bytes, not 32; remove it"):
        read_secret(tmp_path)


def test_a_token_names_its_job_and_no_other() -> None:
    tokens = Tokens(b"s" * 32, ["db1/nightly", "web1/backup"])
    assert tokens.key(token(b"s" * 32, "web1/backup")) == "web1/backup"
    assert tokens.key(token(b"t" * 32, "web1/backup")) is None
    assert tokens.key("") is None
    assert tokens.key("\udc80" * 32) is None


def test_the_token_is_the_documented_hmac() -> None:
    # Computed with: printf %s job:db1/nightly | openssl dgst -sha256 -hmac key
    assert token(b"key", "db1/nightly") == "6d7c6f5750f6bca9854bef7283801d9c"


def test_a_job_is_found_by_key_or_by_its_only_name(tmp_path: Path) -> None:
    checks = make_catalog(tmp_path).checks
    assert job_key(checks, "nightly") == "db1/nightly"
    assert job_key(checks, "db1/nightly") == "db1/nightly"


def test_a_check_that_is_no_job_is_not_found_as_one(tmp_path: Path) -> None:
    checks = make_catalog(tmp_path).checks
    with pytest.raises(NotFoundError, match="no job is called 'web1/site'; the nearest are"):
        job_key(checks, "web1/site")
    with pytest.raises(NotFoundError, match="the nearest are nightly, db1/nightly"):
        job_key(checks, "nihgtly")


def test_a_spool_that_is_not_there_yet_names_its_own_cure(tmp_path: Path) -> None:
    with pytest.raises(SpoolError, match="the core makes the folder at its first start"):
        spool(tmp_path / "none", Report("db1/nightly", "start", Instant(1)))
