"""Backups over the tables of the API: what is kept, what comes back, and what is refused."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError
from tests.api_world import SECRETS, ApiWorld
from tests.dynamo import create_tables
from tests.integration.test_tables import deployed
from tests.samples import a_position, an_order

from adapters import audited
from adapters.position_rows import position_row
from adapters.tables import (
    ALL,
    CONNECTION_KIND,
    ConnectionRow,
    EngineStateRow,
    OrderRow,
    PositionRow,
    TokenRow,
)
from adapters.tokens import Role, issue_token
from adapters.trade_rows import order_row
from engine.values import Loop
from local.backups import manifest as manifests
from local.backups import tables as paging
from local.backups.creating import StoppedError, Work, create
from local.backups.drill import drill
from local.backups.manifest import BackupError
from local.backups.models import note_and_verify, reads_rows
from local.backups.restoring import restore
from local.backups.shelf import FolderShelf, S3Shelf, Shelf
from local.backups.tables import LASTING, REBUILT, Tables

STACK = "cts-test"


@pytest.fixture
def shelf(tmp_path: Path) -> Shelf:
    return FolderShelf(tmp_path)


@pytest.fixture
def work(api: ApiWorld, shelf: Shelf) -> Work:
    """Backups of this test's tables, a second apart."""

    def now_ms() -> int:
        api.clock.advance(1000)
        return api.clock.now_ms()

    return Work(
        tables=Tables(client=boto3.client("dynamodb"), stack=STACK, pause=lambda _: None),
        shelf=shelf,
        tell=lambda _: None,
        stop=lambda: False,
        now_ms=now_ms,
    )


@pytest.fixture
def connection_id(api: ApiWorld) -> str:
    """A connection that trades: an open position, three orders, a lease in use; then stopped."""
    made = api.running()
    position_row(made, a_position()).save()
    for number in range(3):
        order_row(made, an_order(f"o{number}", at_ms=1000)).save()
    lease = api.leases.take(made, Loop.TRADE, token=0, owner="burst", lease_ms=15_000)
    api.leases.release(lease)
    stopped(made)
    return made


def stopped(connection_id: str) -> None:
    state = EngineStateRow(connection_id)
    state.update(
        [EngineStateRow.desired_state.set("stopped"), EngineStateRow.actual_state.set("stopped")]
    )


def lose_everything() -> None:
    for model in ALL:
        model.delete_table()
    create_tables()


def content(work: Work) -> dict[str, list[dict[str, Any]]]:
    return {table: list(work.tables.rows(table)) for table in LASTING}


def stopping_after(calls: int) -> Callable[[], bool]:
    asked: Iterator[int] = iter(range(1_000_000))
    return lambda: next(asked) >= calls


class Failing:
    """A client whose batch writes of orders fail after so many, and for so many."""

    def __init__(self, client: Any, *, after: int, times: int) -> None:
        self._client, self._failing = client, range(after, after + times)
        self._calls = iter(range(1_000_000))

    def __getattr__(self, name: str) -> Any:
        return getattr(self._client, name)

    def batch_write_item(self, **asked: Any) -> Any:
        if f"{STACK}-orders" in asked["RequestItems"] and next(self._calls) in self._failing:
            error = {"Error": {"Code": "InternalServerError", "Message": "the store is away"}}
            raise ClientError(error, "BatchWriteItem")
        return self._client.batch_write_item(**asked)


def test_with_every_table_lost_a_restore_brings_the_account_back_and_its_engine_starts(
    api: ApiWorld, work: Work, connection_id: str
) -> None:
    sealed = ConnectionRow.get(CONNECTION_KIND, connection_id).credentials
    name = create(work)
    lose_everything()

    restore(work, name)

    assert ConnectionRow.get(CONNECTION_KIND, connection_id).credentials == sealed
    assert {row.client_order_id for row in OrderRow.query(connection_id)} == {"o0", "o1", "o2"}
    assert len(list(PositionRow.live.query(connection_id))) == 1
    started = api.post("/api/trade-engine/start", {"connectionId": connection_id})
    assert started.status == 200, started.text
    assert note_and_verify(name, "", now_ms=api.clock.now_ms()) == []


def test_credentials_stay_sealed_and_tokens_hashed_in_every_file(
    api: ApiWorld, work: Work, connection_id: str, tmp_path: Path
) -> None:
    name = create(work)

    rows = [str(row) for table in LASTING for row in _rows(work, name, table)]
    secrets = (*SECRETS.values(), api.operator, api.viewer)
    assert any("credentials" in row for row in rows)
    assert not [secret for secret in secrets for row in rows if secret in row]


def _rows(work: Work, name: str, table: str) -> Iterator[Any]:
    return manifests.rows_of(work.shelf, manifests.load(work.shelf, name), table)


def test_what_was_changed_since_is_as_the_backup_has_it_and_what_was_there_is_kept(
    api: ApiWorld, work: Work, connection_id: str
) -> None:
    name = create(work)
    order_row(connection_id, an_order("later", at_ms=2000)).save()
    OrderRow(connection_id, "o1").delete()

    before = restore(work, name)

    assert {row.client_order_id for row in OrderRow.query(connection_id)} == {"o0", "o1", "o2"}
    kept = {row["client_order_id"]["S"] for row in _rows(work, before, "orders")}
    assert kept == {"o0", "o2", "later"}


def test_an_engine_that_ran_at_the_backup_is_stopped_by_the_restore_and_no_lease_is_held(
    api: ApiWorld, work: Work
) -> None:
    connection_id = api.running()
    lease = api.leases.take(connection_id, Loop.TRADE, token=0, owner="burst", lease_ms=15_000)
    name = create(work)
    stopped(connection_id)
    api.clock.advance(60_000)

    restore(work, name)

    state = EngineStateRow.get(connection_id)
    assert (state.desired_state, state.actual_state) == ("stopped", "stopped")
    found = api.leases.read(connection_id, Loop.TRADE)
    assert not found.owner
    assert found.token > lease.token


def test_an_emergency_stop_stays_latched(api: ApiWorld, work: Work, connection_id: str) -> None:
    latched = EngineStateRow.actual_state.set("emergency_stopped")
    EngineStateRow(connection_id).update([latched])
    name = create(work)

    restore(work, name)

    assert EngineStateRow.get(connection_id).actual_state == "emergency_stopped"


def test_a_restore_beside_a_running_engine_is_refused_and_changes_nothing(
    api: ApiWorld, work: Work
) -> None:
    connection_id = api.running()
    name = create(work)
    order_row(connection_id, an_order("later", at_ms=2000)).save()
    before = content(work)

    with pytest.raises(BackupError, match="is running, wanted running: stop every engine first"):
        restore(work, name)

    assert content(work) == before


def test_a_loop_that_still_holds_its_lease_refuses_a_restore(
    api: ApiWorld, work: Work, connection_id: str
) -> None:
    name = create(work)
    api.leases.take(connection_id, Loop.POSITION, token=0, owner="burst", lease_ms=60_000)

    with pytest.raises(BackupError, match="still runs"):
        restore(work, name)


@pytest.mark.parametrize("damage", ["changed", "missing", "manifest"])
def test_a_damaged_backup_is_told_and_never_restored(
    work: Work, connection_id: str, damage: str
) -> None:
    name = create(work)
    part = next(one for one in work.shelf.names() if "/orders/" in one)
    if damage == "missing":
        work.shelf.remove(part)
    else:
        file = part if damage == "changed" else f"{name}/{manifests.FILE}"
        content_of = work.shelf.get(file)
        assert content_of is not None
        work.shelf.put(file, content_of.replace(content_of[40:44], b"0000"))
    OrderRow(connection_id, "o1").delete()

    with pytest.raises(BackupError, match=r"missing|damaged"):
        restore(work, name)

    assert {row.client_order_id for row in OrderRow.query(connection_id)} == {"o0", "o2"}


def test_a_table_that_could_not_be_written_whole_is_put_back_as_it_was(
    work: Work, connection_id: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("local.backups.converging.BATCH", 1)
    name = create(work)
    for number in range(3):
        OrderRow(connection_id, f"o{number}").delete()
        order_row(connection_id, an_order(f"new{number}", at_ms=2000)).save()
    before = content(work)
    failing = Failing(work.tables.client, after=1, times=1)

    with pytest.raises(ClientError, match="the store is away"):
        restore(replace(work, tables=replace(work.tables, client=failing)), name)

    assert content(work)["orders"] == before["orders"]


def test_a_stopped_restore_leaves_no_half_table_and_goes_on_when_called_again(
    work: Work, connection_id: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("local.backups.converging.BATCH", 1)
    name = create(work)
    for number in range(3):
        OrderRow(connection_id, f"o{number}").delete()
    told: list[str] = []

    with pytest.raises(StoppedError, match="orders, which is as it was"):
        restore(replace(work, stop=_stops_in(told, "orders"), tell=told.append), name)
    half = list(OrderRow.query(connection_id))
    restore(work, name)

    assert half == []
    assert len(list(OrderRow.query(connection_id))) == 3


def _stops_in(told: list[str], table: str) -> Callable[[], bool]:
    """True at the second look after the table before this one was told."""
    previous = LASTING[LASTING.index(table) - 1]
    looks: list[int] = []

    def stop() -> bool:
        if any(line.startswith(f"{previous}: ") and "written" in line for line in told):
            looks.append(1)
        return len(looks) > 2

    return stop


def test_a_stopped_backup_goes_on_in_the_table_it_was_stopped_in(
    work: Work, connection_id: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(paging, "PAGE", 1)
    small = replace(work, part_items=1)
    with pytest.raises(StoppedError, match="stopped at orders"):
        create(replace(small, stop=lambda: _copied(work, "orders") >= 2))
    (unfinished,) = manifests.every(work.shelf)
    with pytest.raises(BackupError, match="unfinished"):
        restore(work, unfinished)

    name = create(small)

    assert name == unfinished
    assert {row["client_order_id"]["S"] for row in _rows(work, name, "orders")} == {
        "o0",
        "o1",
        "o2",
    }
    assert manifests.problems(work.shelf, manifests.load(work.shelf, name)) == []


def _copied(work: Work, table: str) -> int:
    names = manifests.every(work.shelf)
    copy = manifests.load(work.shelf, names[-1]).table(table) if names else None
    return copy.items if copy else 0


def test_an_unfinished_backup_of_an_hour_ago_is_made_anew(
    api: ApiWorld, work: Work, connection_id: str
) -> None:
    with pytest.raises(StoppedError):
        create(replace(work, stop=stopping_after(2)))
    (old,) = manifests.every(work.shelf)
    api.clock.advance(3_600_000)

    name = create(work)

    assert name != old
    assert manifests.every(work.shelf) == [name]


def test_the_newest_ten_are_kept(work: Work) -> None:
    made = [create(work) for _ in range(11)]

    assert manifests.every(work.shelf) == made[1:]


def test_a_token_revoked_since_the_backup_stays_revoked_and_a_newer_one_stays_good(
    api: ApiWorld, work: Work, connection_id: str
) -> None:
    name = create(work)
    for row in TokenRow.scan():
        if row.role == "viewer":
            row.update([TokenRow.revoked_at_ms.set(1)])
    newer = issue_token(Role.ADMIN, now_ms=api.clock.now_ms())

    restore(work, name)

    assert api.get("/api/trade-engine/status", token="viewer").status == 401
    assert api.get("/api/trade-engine/status", token=newer).status == 200


def test_lines_of_the_audit_log_written_since_the_backup_stay_in_a_whole_chain(
    api: ApiWorld, work: Work, connection_id: str
) -> None:
    name = create(work)
    path = f"/api/settings/connections/{connection_id}"
    assert api.call("PATCH", path, {"name": "Renamed"}).status == 200
    lines = {row["at_key"]["S"] for row in work.tables.rows("audit_logs")}

    restore(work, name)

    assert {row["at_key"]["S"] for row in work.tables.rows("audit_logs")} == lines
    assert note_and_verify(name, "", now_ms=api.clock.now_ms()) == []


def test_a_chain_begun_anew_after_all_was_lost_gives_way_to_the_backups_own(
    api: ApiWorld, work: Work, connection_id: str
) -> None:
    name = create(work)
    lose_everything()
    now_ms = api.clock.now_ms()
    audited.note(audited.audit_row(connection_id, "first", by="somebody", now_ms=now_ms))

    restore(work, name)

    assert note_and_verify(name, "", now_ms=now_ms) == []


def test_a_line_written_while_the_log_is_copied_belongs_to_the_next_backup(
    api: ApiWorld, work: Work, connection_id: str
) -> None:
    def stop() -> bool:
        if _copied(work, "audit_heads") and not _copied(work, "audit_logs") and not late:
            late.append(1)
            note_and_verify("meanwhile", "", now_ms=api.clock.now_ms())
        return False

    late: list[int] = []
    name = create(replace(work, stop=stop))
    lose_everything()

    restore(work, name)

    assert late
    assert note_and_verify(name, "", now_ms=api.clock.now_ms()) == []


def test_a_drill_restores_beside_compares_reads_and_clears_away(
    work: Work, connection_id: str
) -> None:
    name = create(work)
    before = content(work)
    names = set(work.tables.client.list_tables()["TableNames"])

    found = drill(work, name, reads=reads_rows)

    assert (found.tables, found.rows) == (len(LASTING), sum(map(len, before.values())))
    assert set(work.tables.client.list_tables()["TableNames"]) == names
    assert content(work) == before


def test_a_drill_tells_a_row_this_version_cannot_read_and_clears_away(
    work: Work, connection_id: str
) -> None:
    wrong = {"connection_id": {"S": connection_id}, "client_order_id": {"S": "bad"}}
    work.tables.write("orders", [wrong | {"created_at_ms": {"N": "1"}, "quantity": {"S": "many"}}])
    name = create(work)
    names = set(work.tables.client.list_tables()["TableNames"])

    with pytest.raises(BackupError, match="orders: this version cannot read a row"):
        drill(work, name, reads=reads_rows)

    assert set(work.tables.client.list_tables()["TableNames"]) == names


def test_a_bucket_keeps_backups_as_a_folder_does(work: Work, connection_id: str) -> None:
    client = boto3.client("s3")
    client.create_bucket(Bucket="kept")
    bucket = replace(work, shelf=S3Shelf(client, "kept", "cts"))
    name = create(bucket)
    OrderRow(connection_id, "o1").delete()

    restore(bucket, name)

    assert len(list(OrderRow.query(connection_id))) == 3
    assert [one for one in manifests.every(bucket.shelf) if one.startswith("backup-")] == [name]


def test_every_table_that_is_recoverable_on_aws_is_in_a_backup_or_rebuilt() -> None:
    recovery = {
        name: table["PointInTimeRecoverySpecification"] for name, table in deployed().items()
    }
    recoverable = {name for name, one in recovery.items() if one["PointInTimeRecoveryEnabled"]}

    assert recoverable == set(LASTING) | set(REBUILT)
    assert {recovery[name]["RecoveryPeriodInDays"] for name in recoverable} == {"BackupDays"}
