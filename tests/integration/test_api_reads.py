"""What requests and ticks ask of the store: gets by key, queries of one key condition."""

import asyncio
import re
from collections import Counter
from dataclasses import replace
from typing import Any

import pytest
from botocore.parsers import BaseJSONParser
from tests.api_world import ApiWorld
from tests.builders import an_instrument
from tests.market import START_MS as START
from tests.market import candles_of
from tests.position_world import a_position_loop
from tests.samples import START_MS, a_key, a_position, a_tick, an_order, some_candles
from tests.store_watch import watched_store
from tests.trade_world import an_engine
from tests.unit.engine.trading import lenient

from adapters import dynamo, paging
from adapters.leases import RUN, DynamoLeases
from adapters.position_rows import position_row
from adapters.store import DynamoStore
from adapters.tables import ConnectionRow, EngineStateRow, PositionRow, ProgressionRow
from adapters.trade_rows import order_row
from app import app
from engine.records import EngineRow
from engine.settings import overrides
from engine.values import Loop

# Reads of one connection beside the token's; a route that is not here has none of its own.
MOST_READS = 14


@pytest.fixture
def connection_id(api: ApiWorld) -> str:
    made = api.running()
    instruments = (an_instrument("BTCUSDT"), an_instrument("ETHUSDT"))
    EngineStateRow(made).update(
        [
            EngineStateRow.instruments.set(instruments),
            EngineStateRow.symbols.set(["BTCUSDT", "ETHUSDT"]),
        ]
    )
    for number in range(20):
        position_row(made, a_position(f"p{number}", at_ms=START_MS + number)).save()
        order_row(made, an_order(f"o{number}", at_ms=START_MS + number)).save()
    store = DynamoStore(api.clock)
    lease = api.leases.take(made, Loop.TRADE, token=0, owner="burst", lease_ms=15_000)
    store.write_tick(lease, a_tick(api.clock.now_ms() // 1000 * 1000), ())
    return made


def _paths(connection_id: str) -> list[str]:
    """Every GET route with what it needs to be answered."""
    asked = f"?connectionId={connection_id}"
    needs = {
        "/api/commands": asked,
        "/api/market-data": f"{asked}&symbol=BTCUSDT",
        "/api/indications/why": f"{asked}&symbol=BTCUSDT",
        "/api/sets": f"{asked}&symbol=BTCUSDT",
        "/api/statistics/series": asked,
        "/api/snapshot": f"{asked}&symbol=BTCUSDT",
    }
    return [
        re.sub("{(connection_)?id}", connection_id, path) + needs.get(path, "")
        for path, methods in sorted(app.routes.items())
        if "GET" in methods
    ]


def test_no_request_reads_a_table_through_or_more_than_a_few_times(
    api: ApiWorld, connection_id: str
) -> None:
    bearer = {"authorization": f"Bearer {api.admin}"}
    found = {}
    for path in _paths(connection_id):
        with watched_store() as watch:
            answer = api.client.http.get(path, headers=bearer)  # not every answer is JSON
        assert answer.status_code == 200, (path, answer.body)
        assert watch.wrong() == [], path
        found[path] = watch.reads

    assert max(found.values()) <= MOST_READS, found


def test_reads_of_a_request_do_not_grow_with_what_is_stored(
    api: ApiWorld, connection_id: str
) -> None:
    def reads(path: str) -> int:
        with watched_store() as watch:
            assert api.get(path).status == 200
        return watch.reads

    path = f"/api/positions?connectionId={connection_id}&limit=10"
    before = reads(path)
    for number in range(300):
        position_row(connection_id, a_position(f"q{number}", at_ms=START_MS + number)).save()

    assert reads(path) == before


def test_values_of_rows_are_not_walked_through_a_model_of_their_kinds(
    api: ApiWorld, connection_id: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    walked: list[str] = []
    walk = BaseJSONParser._handle_structure

    def noted(parser: BaseJSONParser, shape: Any, value: Any) -> Any:
        walked.append(shape.name)
        return walk(parser, shape, value)

    monkeypatch.setattr(BaseJSONParser, "_handle_structure", noted)
    answer = api.get(f"/api/positions?connectionId={connection_id}")

    assert answer.body["count"] == 20
    assert "QueryOutput" in walked
    assert "AttributeValue" not in walked


def test_rows_of_an_engine_are_read_once_for_its_health(api: ApiWorld, connection_id: str) -> None:
    with watched_store() as watch:
        assert api.get(f"/api/trade-engine/health?connectionId={connection_id}").status == 200

    tables = Counter(str(asked["TableName"]) for _, asked in watch.calls if "TableName" in asked)
    assert tables[ConnectionRow.Meta.table_name] == 1
    assert tables[EngineStateRow.Meta.table_name] == 1


def test_a_request_to_the_store_bears_a_name_that_is_not_made_anew(api: ApiWorld) -> None:
    named: list[bytes] = []
    events = dynamo.connection().client.meta.events

    def note(request: Any, **_: Any) -> None:
        named.append(request.headers["User-Agent"])

    events.register_first("before-send.dynamodb", note)
    try:
        api.get("/api/auth/me")
    finally:
        events.unregister("before-send.dynamodb", note)

    assert [name.split()[0] for name in named] == [b"cts"]


def test_ticks_that_a_minute_holds_are_not_read_again(
    api: ApiWorld, connection_id: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    store, minute_ms = DynamoStore(api.clock), api.clock.now_ms() // 60_000 * 60_000 + 60_000
    api.clock.time_ms = minute_ms + 5_000
    lease = api.leases.take(connection_id, Loop.TRADE, token=1, owner="later", lease_ms=15_000)
    for slot in range(minute_ms - 9_000, minute_ms + 5_000, 1000):
        lease = store.write_tick(lease, a_tick(slot), ())
    store.write_minute(lease, some_candles(first_close_ms=minute_ms - 59_000, length=60))
    read: list[dict[str, Any]] = []
    made = ProgressionRow.from_raw_data

    def noted(data: dict[str, Any]) -> ProgressionRow:
        read.append(data)
        return made(data)

    monkeypatch.setattr(ProgressionRow, "from_raw_data", noted)
    path = f"/api/market-data?connectionId={connection_id}&symbol=BTCUSDT&limit=30"
    candles = api.get(path).body["candles"]

    assert [one["time_ms"] for one in candles[-6:]] == list(
        range(minute_ms - 2_000, minute_ms + 4_000, 1000)
    )
    assert [set(row) for row in read] == [{"candles"}] * 4


def test_a_rare_symbol_ends_a_page_early_and_is_found_on_a_later_one(
    api: ApiWorld, connection_id: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(paging, "PAGE", 5)
    monkeypatch.setattr(paging, "MOST_READ", 10)
    rare = a_position("rare", key=a_key("ETHUSDT"), at_ms=START_MS - 1)
    position_row(connection_id, rare).save()
    path = f"/api/positions/{connection_id}?symbol=ETHUSDT&limit=3"

    pages: list[list[str]] = []
    cursor = ""
    while True:
        with watched_store() as watch:
            page = api.get(f"{path}{cursor}").body
        pages.append([one["id"] for one in page["data"]])
        assert watch.names["Query"] <= 4
        if page["cursor"] is None:
            break
        cursor = f"&cursor={page['cursor']}"

    assert pages == [[], [], ["rare"]]


def test_rows_that_come_between_two_pages_are_neither_repeated_nor_do_they_hide_any(
    api: ApiWorld, connection_id: str
) -> None:
    path = f"/api/orders?connectionId={connection_id}&limit=7"
    seen: list[str] = []
    cursor: str | None = ""
    while cursor is not None:
        page = api.get(path + (f"&cursor={cursor}" if cursor else "")).body
        seen += [one["clientOrderId"] for one in page["data"]]
        cursor = page["cursor"]
        newer = an_order(f"newer than {len(seen)}", at_ms=START_MS + 1_000 + len(seen))
        order_row(connection_id, newer).save()

    assert seen == [f"o{number}" for number in reversed(range(20))]


def _stored(engine: EngineRow) -> None:
    row = EngineStateRow(
        engine.connection_id,
        run_id=engine.run_id,
        symbols=list(engine.symbols),
        instruments=engine.instruments,
        settings=overrides(engine.settings),
        settings_version=1,
        may_trade=True,
        hedge=True,
        cross=True,
        prehistoric_data_loaded=True,
        prehistory_end_ms=engine.prehistory_end_ms,
    )
    row.save()


def test_no_tick_of_the_position_loop_reads_a_table_through(moto_tables: None) -> None:
    desk = a_position_loop()
    assert desk.store.engine_row is not None
    _stored(desk.store.engine_row)
    desk.world = replace(desk.world, store=DynamoStore(desk.clock), leases=DynamoLeases(desk.clock))

    with watched_store() as watch:
        report = asyncio.run(desk.burst())

    assert report.ticks > 0
    assert watch.names["TransactWriteItems"] > 0
    assert watch.wrong() == []


def test_no_tick_of_the_trade_loop_reads_a_table_through(moto_tables: None) -> None:
    engine = an_engine(lenient(burstSeconds=5))
    assert engine.store.engine_row is not None
    _stored(engine.store.engine_row)
    store: Any = DynamoStore(engine.clock)
    leases: Any = DynamoLeases(engine.clock)
    store.write_history("c1", candles_of([1_000_000], span_ms=60_000, start_ms=START - 60_000))
    leases.request("c1", Loop.TRADE, wanted=RUN)
    engine.store, engine.leases = store, leases

    with watched_store() as watch:
        report = asyncio.run(engine.burst())

    assert report.ticks > 0
    assert watch.names["TransactWriteItems"] > 0
    assert watch.wrong() == []


def test_a_scan_is_found(moto_tables: None) -> None:
    with watched_store() as watch:
        list(ConnectionRow.scan())
        list(PositionRow.closed.query("c1", PositionRow.closed_at_ms > 5))

    assert [text.split()[0] for text in watch.wrong()] == ["Scan"]
