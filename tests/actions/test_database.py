"""A dump comes back beside the live database, which is only read; what is not whole is dropped."""

import subprocess
from pathlib import Path
from typing import Any

import pytest

from monitord.actions import ACTIONS
from monitord.model.effect import Command, StepContext
from tests.world.needs import requires
from tests.world.peers import Postgres

KIND = ACTIONS["database"]
pytestmark = requires("postgresql")
TABLES = (
    "create table orders (id int primary key, what text);"
    ' create table "odd $1 name" (a int);'
    " insert into orders select n, 'x' from generate_series(1, 100) n;"
)


class Shop:
    """A live database, and the way to dump it and to bring it back."""

    def __init__(self, postgres: Postgres, folder: Path) -> None:
        self.postgres, self.folder = postgres, folder
        self.live = postgres.new_database().rpartition("/")[2]
        postgres.psql(TABLES, database=self.live)

    def dump(self, *words: str, name: str = "shop.dump") -> Path:
        path = self.folder / name
        server = ["-h", "127.0.0.1", "-p", str(self.postgres.port), "-U", "postgres"]
        argv = ["pg_dump", *server, *words, "-f", str(path), self.live]
        subprocess.run(argv, check=True, capture_output=True)
        return path

    def restore(self, dump: Path, **written: Any) -> tuple[int, str]:
        asked = {
            "dump": str(dump),
            "database": self.live,
            "become": "",
            "server": "127.0.0.1",
            "port": str(self.postgres.port),
            "role": "postgres",
            **written,
        }
        effect = KIND.render(KIND.spec.model_validate(asked), StepContext("db1", ""))
        assert isinstance(effect, Command)
        given = f"monitord_step=7\n{effect.stdin}"
        done = subprocess.run(
            effect.argv, input=given, capture_output=True, text=True, check=False, timeout=60
        )
        return done.returncode, done.stdout + done.stderr

    def sides(self) -> list[str]:
        """Give the databases that were made beside."""
        names = self.postgres.psql("select datname from pg_database order by 1").split()
        return [name for name in names if name.startswith(f"{self.live}_")]

    def rows(self, database: str = "") -> str:
        return self.postgres.psql("select count(*) from orders", database=database or self.live)


@pytest.fixture
def shop(postgres: Postgres, tmp_path: Path) -> Shop:
    return Shop(postgres, tmp_path)


@pytest.mark.parametrize("words", [("-Fc",), ("-Fp", "-Z6")])
def test_a_dump_comes_back_beside_with_the_rows_compared(shop: Shop, words: tuple[str]) -> None:
    dump = shop.dump(*words)
    can = (0, f"database: {dump} can be restored beside {shop.live}\n")
    assert (shop.restore(dump, look=True), shop.sides()) == (can, []), "looking makes nothing"
    shop.postgres.psql("delete from orders where id > 95", database=shop.live)
    code, said = shop.restore(dump)
    assert code == 0, said
    assert shop.sides() == [f"{shop.live}_restored"]
    assert (shop.rows(), shop.rows(f"{shop.live}_restored")) == ("95", "100")
    assert (
        "public.orders                            live           95  restored          100" in said
    )
    assert f'alter database "{shop.live}_restored" rename to "{shop.live}";' in said


def test_one_that_is_there_stays_and_an_unfinished_one_is_dropped(shop: Shop) -> None:
    dump, psql = shop.dump("-Fc"), shop.postgres.psql
    psql(f"create database {shop.live}_restored")
    psql(f"create database {shop.live}_restored_2")
    psql(f"comment on database {shop.live}_restored_2 is 'monitord: unfinished, step 3'")
    code, said = shop.restore(dump)
    assert code == 0, said
    assert shop.sides() == [f"{shop.live}_restored", f"{shop.live}_restored_2"]
    assert shop.rows(f"{shop.live}_restored_2") == "100"


def test_what_is_not_whole_is_dropped_again(shop: Shop) -> None:
    dump = shop.dump("-Fc")
    shop.postgres.psql("insert into orders select generate_series(101, 900)", database=shop.live)
    code, said = shop.restore(dump)
    assert (code, shop.sides()) == (1, [])
    assert "only 100 rows of 900 came back" in said
    shop.postgres.psql("create table later (a int)", database=shop.live)
    code, said = shop.restore(dump, least="0")
    assert (code, shop.sides()) == (1, [])
    assert "missing in the dump: public.later" in said
    dump.write_bytes(dump.read_bytes()[:-300])
    code, said = shop.restore(dump, least="0")
    assert (code, shop.sides()) == (1, [])
    assert shop.rows() == "900"


def test_a_dump_that_could_reach_the_live_one_or_is_cut_short_is_refused(shop: Shop) -> None:
    for words, end, sentence in (
        (("-Fp", "-C"), None, "names a database itself"),
        (("-Fp",), -400, "has no end: it was cut short"),
        (("-Fc",), 0, "or it is empty"),
    ):
        dump = shop.dump(*words)
        dump.write_bytes(dump.read_bytes()[:end])
        for look in (True, False):
            code, said = shop.restore(dump, look=look)
            assert (code, shop.sides()) == (1, [])
            assert sentence in said


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"database": "template1"}, "is not the name of a database of yours"),
        ({"database": 'shop"; drop'}, "is not the name of a database of yours"),
        ({"side": "shop"}, "is not the name of a new database beside shop"),
        ({"least": "101"}, "is not a percentage"),
        ({"dump": "x.dump"}, "is not an absolute path"),
    ],
)
def test_what_cannot_be_is_refused(change: dict[str, str], sentence: str) -> None:
    asked = {"dump": "/x", "database": "shop", **change}
    with pytest.raises(ValueError, match=sentence):
        KIND.render(KIND.spec.model_validate(asked), StepContext("db1", ""))
