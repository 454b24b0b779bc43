"""What goes wrong on the database server, by the ids of scenarios.json."""

from __future__ import annotations

from collections.abc import Mapping

from tests.nightshift.fault import HERE, Fault, on

FAULTS: Mapping[str, Fault] = {
    "F06": Fault(
        inject=on("db1", "pg_ctlcluster $version main stop"),
        undo=on("db1", "systemctl start $postgres"),
        answers=(HERE, "pg_isready -h $db1 -q; echo $?"),
        key="db1/postgresql",
        may_change=frozenset({"db1 postgresql"}),
        may_start={"db1 $postgres.service": 1},
    ),
}
