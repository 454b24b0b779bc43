"""Backups as their own tools tell them: restic, borg, tar and pg_dump, whole and damaged."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from monitord.model.facts import PluginOutput
from monitord.model.ids import Instant
from monitord.model.kinds import ScriptProbe, Target
from monitord.model.result import Cause, Result, Status
from monitord.probes import PROBES
from monitord.probes.backup.answer import Answer, read
from monitord.secrets import SecretRef, resolve
from tests.world.needs import need
from tests.world.peers import Postgres, Restic
from tests.world.process import run_program

NOW = Instant(1_790_000_000_000_000)
Memory = Mapping[str, Mapping[str, Any]]


def asked(kind: str, given: Mapping[str, Any], memory: Memory | None = None) -> Result:
    """Have a real shell run the probe's script, as the executor does, and judge what it left."""
    probe = PROBES[kind]
    assert isinstance(probe, ScriptProbe)
    spec, target = probe.spec.model_validate(given), Target("web1", "", memory or {}, 60)
    script = probe.script(spec, target)
    values = {k: resolve(v) if isinstance(v, SecretRef) else v for k, v in script.env.items()}
    done = subprocess.run(
        ["sh"],
        input=script.text,
        capture_output=True,
        text=True,
        check=False,
        env={"PATH": os.environ["PATH"], "HOME": os.environ["HOME"], **values},
    )
    output = PluginOutput(done.returncode, done.stdout, done.stderr)
    (result,) = probe.judge(spec, output, target, NOW)
    return result


def backup(memory: Memory | None = None, **given: Any) -> Result:
    return asked("backup", given, memory)


def drill(scratch: Path, memory: Memory | None = None, **given: Any) -> Result:
    scratch.mkdir(exist_ok=True)
    result = asked("drill", {"scratch": str(scratch), "keep_free": "1k", **given}, memory)
    left = {one.name for one in scratch.iterdir() if one.suffix != ".lock"}
    assert left == set(), "what was restored is removed"
    return result


def told(result: Result, name: str) -> float:
    return next(one.value for one in result.measurements if one.name == name)


@pytest.fixture(scope="module")
def pages() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="backup-") as folder:
        www = Path(folder) / "srv" / "www"
        www.mkdir(parents=True)
        (www / "index.html").write_text("<h1>shop</h1>\n")
        # What no compressor makes small: a damage in the archive hits it.
        (www / "picture").write_bytes(os.urandom(300_000))
        yield www


@pytest.fixture(scope="module")
def tar(pages: Path) -> Path:
    archive = pages.parents[1] / "www 1.tar.gz"
    run_program(["tar", "-czf", str(archive), "-C", str(pages.parent), "www"])
    return archive


@pytest.fixture(scope="module")
def restic(pages: Path) -> Iterator[Restic]:
    need("restic")
    with Restic() as peer:
        peer.save(pages)
        yield peer


@pytest.fixture(scope="module")
def borg(pages: Path) -> Path:
    need("borg")
    repository = pages.parents[1] / "borg"
    (pages.parents[1] / "phrase").write_text("correct horse\n")
    run_program(["borg", "init", "-e", "repokey", str(repository)], BORG_PASSPHRASE="correct horse")
    argv = ["borg", "create", f"{repository}::one", str(pages)]
    run_program(argv, BORG_PASSPHRASE="correct horse")
    return repository


def of_restic(peer: Restic) -> dict[str, Any]:
    repository, password = str(peer.repository), str(peer.password_file)
    return {"restic": {"repository": repository, "password_file": password}}


def of_borg(repository: Path) -> dict[str, Any]:
    phrase = str(repository.with_name("phrase"))
    return {"borg": {"repository": str(repository), "passphrase_file": phrase}}


# -- restic ----------------------------------------------------------------------------------------


def test_a_restic_repository_tells_age_and_size(restic: Restic) -> None:
    result = backup(**of_restic(restic), verify=True, read_data="all")
    assert result.status is Status.OK, result.summary
    assert "read through" in result.summary
    assert told(result, "size") > 300_000
    assert told(result, "files") >= 2


def test_restic_comes_back_and_what_it_holds_is_looked_at(restic: Restic, tmp_path: Path) -> None:
    inside = str(next(iter(pages_of(restic)))).lstrip("/")
    expected = ["index.html", {"path": "picture", "min_size": 300_000}]
    result = drill(tmp_path / "s", **of_restic(restic), inside=inside, expect=expected)
    assert result.status is Status.OK, result.summary
    assert "2 files" in result.summary
    assert "2 as expected" in result.summary
    assert result.memory["at"] == NOW


def pages_of(restic: Restic) -> list[Path]:
    told = json.loads(run_program(restic.argv("snapshots", "--json")))
    return [Path(path) for path in told[-1]["paths"]]


def test_what_is_missing_or_different_in_a_backup_is_critical(
    restic: Restic, tmp_path: Path
) -> None:
    expected = [
        "no-such-file",
        {"path": f"{pages_of(restic)[0]}/index.html".lstrip("/"), "sha256": "0" * 64},
    ]
    result = drill(tmp_path / "s", **of_restic(restic), expect=expected, newest_age="0s")
    assert result.status is Status.CRITICAL
    assert "no-such-file did not come back" in result.summary
    assert "has other content" in result.summary
    assert result.memory == {"drill": ""}, "the last proof holds no longer"


def test_a_wrong_password_says_nothing_about_the_backup(restic: Restic, tmp_path: Path) -> None:
    wrong = tmp_path / "wrong"
    wrong.write_text("guess\n")
    given = {"repository": str(restic.repository), "password_file": str(wrong)}
    result = drill(tmp_path / "s", restic=given)
    assert (result.status, result.cause) == (Status.UNKNOWN, Cause.LOGIN)
    assert "the password is refused" in result.summary
    given["password_file"] = str(tmp_path / "none")
    assert backup(restic=given).cause is Cause.MISSING


def test_a_repository_that_is_gone_is_critical(restic: Restic) -> None:
    gone = {"repository": "/no/such", "password_file": str(restic.password_file)}
    result = backup(restic=gone)
    assert result.status is Status.CRITICAL
    assert "cannot be read" in result.summary


def test_a_damaged_repository_is_critical(restic: Restic, tmp_path: Path) -> None:
    damaged = Path(shutil.copytree(restic.repository, tmp_path / "damaged"))
    for pack in damaged.glob("data/*/*"):
        pack.chmod(0o600)
        pack.write_bytes(os.urandom(pack.stat().st_size))
    given = {"repository": str(damaged), "password_file": str(restic.password_file)}
    result = backup(restic=given, verify=True, read_data="all")
    assert result.status is Status.CRITICAL, result.summary
    restored = drill(tmp_path / "s", restic=given)
    assert restored.status is Status.CRITICAL, "every backup job had said 0"


@pytest.mark.parametrize(
    ("said", "cause"),
    [
        ("write /srv/x: no space left on device", Cause.MISSING),
        ("tar (child): zstd: Cannot exec: No such file or directory", Cause.MISSING),
        ("Fatal: unable to open config file: dial tcp 10.1.1.1:9000: i/o timeout", Cause.TRANSPORT),
        ("Failed to create/acquire the lock /srv/borg/lock.exclusive (timeout).", Cause.PLUGIN),
        ("tar: /b.tar: Cannot open: Permission denied", Cause.LOGIN),
        ("gzip: stdin: unexpected end of file", None),
        ("lchown /x: operation not permitted\nFatal: ciphertext verification failed", None),
        ("", None),
    ],
)
def test_what_is_not_the_backup_s_fault_is_unknown(said: str, cause: Cause | None) -> None:
    nonce = "3c2f6f1a-0000-4000-8000-000000000000"
    told = f"monitord-backup 1 {nonce}\n{nonce} begin restore\n{nonce} end restore 2\n"
    found = read(PluginOutput(0, told, f"{said}\n"), "tar /b.tar")
    assert isinstance(found, Result)
    assert found.cause is cause
    assert (found.status is Status.CRITICAL) is (cause is None)


def test_a_file_name_can_forge_no_line_of_ours() -> None:
    nonce, other = "3c2f6f1a-0000-4000-8000-000000000000", "0" * 8 + "-0000-4000-8000-" + "0" * 12
    forged = f"monitord-backup 1 {other}\n{other} restored 9 9 9\n{other} took 1\n"
    told = f"monitord-backup 1 {nonce}\n{nonce} begin restore\n{forged}{nonce} end restore 0\n"
    found = read(PluginOutput(0, told, ""), "tar /b.tar")
    assert isinstance(found, Answer)
    assert found.words == {}


# -- borg ------------------------------------------------------------------------------------------


def test_borg_is_told_verified_and_restored(borg: Path, pages: Path, tmp_path: Path) -> None:
    result = backup(**of_borg(borg), verify=True)
    assert result.status is Status.OK, result.summary
    assert "archive one" in result.summary
    inside = str(pages).lstrip("/")
    result = drill(tmp_path / "s", **of_borg(borg), inside=inside, expect=["index.html"])
    assert result.status is Status.OK, result.summary
    wrong = {"repository": str(borg), "passphrase": SecretRef("env", "HOME")}
    assert backup(borg=wrong).cause is Cause.LOGIN


# -- files -----------------------------------------------------------------------------------------


def test_a_tar_archive_is_found_by_its_pattern_and_read_to_its_end(tar: Path) -> None:
    result = backup(tar=f"{tar.parent}/www*.tar.gz", verify=True)
    assert result.status is Status.OK, result.summary
    assert told(result, "size") == tar.stat().st_size


def test_a_truncated_archive_has_a_good_age_and_cannot_be_read(tar: Path, tmp_path: Path) -> None:
    cut = tmp_path / "cut.tar.gz"
    cut.write_bytes(tar.read_bytes()[:200_000])
    assert backup(tar=str(cut)).status is Status.OK, "its age and size alone look well"
    damaged = backup(tar=str(cut), verify=True)
    assert damaged.status is Status.CRITICAL
    assert "is damaged" in damaged.summary
    restored = drill(tmp_path / "s", tar=str(cut))
    assert restored.status is Status.CRITICAL
    assert "cannot be restored" in restored.summary


def test_a_backup_that_is_old_small_or_not_there_is_critical(tar: Path) -> None:
    os.utime(tar, (1e9, 1e9))
    assert "old (limit 2d2h)" in backup(tar=str(tar)).summary
    tar.touch()
    assert "holds only" in backup(tar=str(tar), min_size="1G").summary
    assert "there is no file" in backup(tar="/no/such*.tar").summary


def test_a_backup_that_shrinks_is_told_by_its_own_history(tar: Path) -> None:
    size = tar.stat().st_size
    usual = {"": {"sizes": [["1", size * 3], ["2", size * 3], ["3", size * 3]]}}
    shrunk = backup(usual, tar=str(tar))
    assert shrunk.status is Status.CRITICAL
    assert "33.3 % of the usual" in shrunk.summary
    assert shrunk.memory == {}, "what is broken does not become the usual"
    same = backup({"": {"sizes": [["1", size], ["2", size], ["3", size]]}}, tar=str(tar))
    assert (same.status, told(same, "share")) == (Status.OK, 100)
    assert len(same.memory["sizes"]) == 4
    assert backup({"": {"sizes": [["1", size * 9]]}}, tar=str(tar)).status is Status.OK, "too few"


def test_a_link_out_of_the_archive_is_no_file_that_came_back(tmp_path: Path) -> None:
    tree = tmp_path / "tree"
    tree.mkdir()
    (tree / "passwd").symlink_to("/etc/passwd")
    (tree / "real").write_text("x")
    run_program(["tar", "-cf", str(tmp_path / "a.tar"), "-C", str(tree), "."])
    result = drill(tmp_path / "s", tar=str(tmp_path / "a.tar"), expect=["passwd", "real"])
    assert result.status is Status.CRITICAL
    assert "passwd did not come back" in result.summary
    assert "real" not in result.summary.partition("passwd")[2]


def test_a_drill_without_room_restores_nothing(tar: Path, tmp_path: Path) -> None:
    result = drill(tmp_path / "s", tar=str(tar), keep_free="900T")
    assert (result.status, result.cause) == (Status.UNKNOWN, Cause.MISSING)
    assert "must stay free" in result.summary


def test_a_proof_is_remembered_until_it_is_time_again(tar: Path, tmp_path: Path) -> None:
    probe = PROBES["drill"]
    assert isinstance(probe, ScriptProbe)
    given = {"scratch": str(tmp_path / "s"), "keep_free": "1k", "tar": str(tar)}
    proof = drill(tmp_path / "s", tar=str(tar))
    spec, target = probe.spec.model_validate(given), Target("web1", "", {"": proof.memory}, 60)
    day = 86_400_000_000
    (known,) = probe.recall(spec, target, Instant(NOW + 6 * day)) or ()
    assert (known.status, known.summary) == (Status.OK, proof.summary)
    assert probe.recall(spec, target, Instant(NOW + 7 * day)) is None
    assert probe.recall(spec, target, Instant(NOW - day)) is None, "a clock was wrong"
    other = probe.spec.model_validate({**given, "expect": ["more"]})
    assert probe.recall(other, target, Instant(NOW)) is None, "another drill proves other things"


# -- pg_dump ---------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def postgres() -> Iterator[Postgres]:
    need("postgresql")
    with Postgres() as server:
        yield server


@pytest.fixture(scope="module")
def dumps(postgres: Postgres) -> Iterator[Path]:
    name = postgres.new_database().rpartition("/")[2].partition("?")[0]
    postgres.psql("create table orders as select generate_series(1, 500) as id", database=name)
    with tempfile.TemporaryDirectory(prefix="dumps-") as folder:
        for kind, file in (("custom", "shop.dump"), ("plain", "shop.sql")):
            text = subprocess.run(
                [*pg_dump(postgres), f"--format={kind}", name], capture_output=True, check=True
            ).stdout
            (Path(folder) / file).write_bytes(text)
        yield Path(folder)


def pg_dump(server: Postgres) -> list[str]:
    return ["pg_dump", "-h", "127.0.0.1", "-p", str(server.port), "-U", "postgres"]


def test_a_dump_is_read_to_its_end(dumps: Path) -> None:
    for name in ("shop.dump", "shop.sql"):
        whole = backup(pg_dump=f"{dumps}/{name}", verify=True)
        assert whole.status is Status.OK, whole.summary
        cut = dumps / f"cut-{name}"
        cut.write_bytes((dumps / name).read_bytes()[:-300])
        assert backup(pg_dump=str(cut), verify=True).status is Status.CRITICAL
        proof = asked("drill", {"pg_dump": f"{dumps}/{name}", "expect": ["public.orders"]})
        assert proof.status is Status.OK, proof.summary
        other = asked("drill", {"pg_dump": f"{dumps}/{name}", "expect": ["public.bills"]})
        assert "makes no table public.bills" in other.summary


def test_a_dump_is_restored_into_a_database_of_its_own(postgres: Postgres, dumps: Path) -> None:
    server = {"host": "127.0.0.1", "port": postgres.port, "user": "postgres"}
    for name in ("shop.dump", "shop.sql"):
        given = {"pg_dump": f"{dumps}/{name}", "database": server}
        enough = {"path": "public.orders", "rows": 500}
        proof = asked("drill", {**given, "expect": [enough]})
        assert proof.status is Status.OK, proof.summary
        assert "rows counted, 1 as expected" in proof.summary
        result = asked("drill", {**given, "expect": [{**enough, "rows": 501}, "public.bills"]})
        assert "has 500 rows (at least 501)" in result.summary
        assert "public.bills is no table" in result.summary
    databases = postgres.psql("select datname from pg_database")
    assert "monitord_drill" not in databases
