"""How services stood, as rows: the same on both engines."""

from monitord.model.service import ServiceChange, ServiceState
from monitord.store.contract import Store
from tests.store.rows import at


def change(service: str, seconds: int, state: ServiceState) -> ServiceChange:
    return ServiceChange(0, service, at(seconds), state, state.value.lower(), "why", ("web1/site",))


def fill(store: Store) -> None:
    for service, seconds, state in (
        ("shop", 100, ServiceState.UP),
        ("mail", 150, ServiceState.UP),
        ("shop", 200, ServiceState.DOWN),
        ("shop", 300, ServiceState.UP),
    ):
        row = change(service, seconds, state)
        store.write_now(lambda tx, row=row: tx.add_service_change(row))


def test_a_stretch_of_time_has_its_changes_and_the_one_that_held_when_it_began(
    store: Store,
) -> None:
    fill(store)
    for since, found in ((50, 3), (100, 3), (199, 3), (200, 2), (250, 2), (300, 1), (900, 1)):
        rows = store.read_now(lambda view, low=since: view.service_changes("shop", at(low)))
        assert [row.at for row in rows] == [at(100), at(200), at(300)][3 - found :], since
    assert rows[0].checks == ("web1/site",)
    assert store.read_now(lambda view: view.service_changes("shp", at(0))) == []


def test_the_newest_of_each_is_how_it_stands(store: Store) -> None:
    fill(store)
    newest = store.read_now(lambda view: view.standings())
    assert {name: row.at for name, row in newest.items()} == {"shop": at(300), "mail": at(150)}


def test_what_held_at_the_cut_is_kept(store: Store) -> None:
    fill(store)
    cut = {"incidents_before": at(250), "evidence_before": at(250)}
    assert store.write_now(lambda tx: tx.prune(at(1000), **cut)) == 1
    rows = store.read_now(lambda view: view.service_changes("shop", at(0)))
    assert [row.at for row in rows] == [at(200), at(300)]
    assert store.write_now(lambda tx: tx.prune(at(1000), **cut)) == 0
