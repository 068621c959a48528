"""How long rows last: as the settings say; and what is open stays whatever they say."""

import json
import zlib
from dataclasses import replace
from decimal import Decimal

import pytest
from tests.api_world import ApiWorld
from tests.samples import (
    START_MS,
    a_fill,
    a_position,
    a_tick,
    an_order,
    position_ticks,
    some_candles,
)

from adapters.monitoring.cleaning import POSITIONS_A_RUN, Cleaning, archived_positions
from adapters.monitoring.memory import Memory
from adapters.monitoring.metering import MeteredStore
from adapters.stored_settings import save_settings
from adapters.tables import (
    ArchivedRow,
    EngineStateRow,
    MarketDataRow,
    OrderRow,
    PositionRow,
    ProgressionRow,
    Row,
    TradeRow,
)
from engine.ledger import OrderState, PositionStatus
from engine.records import Facts
from engine.values import Loop

DAY_MS, DAY_S = 86_400_000, 86_400
CHANGED = {"market_data_retention_days": 3, "maxMarketDataDays": 20, "tickRetentionDays": 5}


@pytest.mark.parametrize("values", [{}, CHANGED])
def test_rows_of_the_loops_expire_as_the_engines_settings_say(
    api: ApiWorld, values: dict[str, int]
) -> None:
    api.clock.time_ms = START_MS
    connection_id = "c1"
    EngineStateRow(connection_id, settings=values, symbols=["BTCUSDT"]).save()
    store = MeteredStore(api.clock)
    store.engine(connection_id)
    trade = api.leases.take(connection_id, Loop.TRADE, token=0, owner="t", lease_ms=15_000)
    position = api.leases.take(connection_id, Loop.POSITION, token=0, owner="p", lease_ms=15_000)

    history = some_candles(length=5, symbols=("BTCUSDT",))
    store.write_tick(trade, a_tick(START_MS), ())
    store.write_minute(trade, some_candles(length=60))
    store.write_position_ticks(position, position_ticks(START_MS))
    store.write_history(connection_id, history)

    def days(rows: list[Row]) -> set[int]:
        return {(row.expires_at - START_MS // 1000) // DAY_S for row in rows}  # type: ignore[attr-defined]

    ticks = {loop: list(ProgressionRow.query(f"c1#{loop}")) for loop in Loop}
    series = f"c1#{history.symbols[0]}#{history.span_ms}"
    assert [days(list(ticks[loop])) for loop in Loop] == [{values.get("tickRetentionDays", 2)}] * 2
    assert days(list(MarketDataRow.query("c1#minute"))) == {
        values.get("market_data_retention_days", 7)
    }
    assert days(list(MarketDataRow.query(series))) == {values.get("maxMarketDataDays", 30)}
    assert len(store.meter.ticks) >= 2


def test_orders_executions_and_open_positions_never_expire(api: ApiWorld) -> None:
    api.clock.time_ms = START_MS
    lease = api.leases.take("c1", Loop.POSITION, token=0, owner="p", lease_ms=15_000)
    store = MeteredStore(api.clock)
    unknown = replace(an_order(), state=OrderState.UNKNOWN)
    facts = Facts(orders=(unknown,), positions=(a_position(),), fills=(a_fill(),))

    store.write_facts(lease, facts)

    for model in (OrderRow, PositionRow, TradeRow):
        assert "expires_at" not in model.get_attributes()
    assert store.meter.unknown == {unknown.client_order_id}


def test_closed_positions_go_to_the_archive_when_they_are_old_and_open_ones_stay(
    api: ApiWorld,
) -> None:
    one = api.created()
    now_ms = api.clock.now_ms()
    old_ms, young_ms = now_ms - 90 * DAY_MS - 1, now_ms - 90 * DAY_MS + 1
    PositionRow(one, "old", closed_at_ms=old_ms, realized_pnl=Decimal("1.50")).save()
    PositionRow(one, "young", closed_at_ms=young_ms).save()
    PositionRow(one, "open", live_since_ms=old_ms, created_at_ms=old_ms).save()
    PositionRow(one, "reopened", live_since_ms=old_ms, closed_at_ms=old_ms).save()

    found = Cleaning(clock=api.clock)(Memory())

    assert [action["text"] for action in found] == ["1 closed positions moved to the archive"]
    assert {row.position_id for row in PositionRow.query(one)} == {"young", "open", "reopened"}
    (archived,) = ArchivedRow.query(archived_positions(one))
    kept = json.loads(zlib.decompress(archived.lines))
    assert (kept["position_id"], kept["realized_pnl"]) == ("old", "1.50")
    assert archived.expires_at == now_ms // 1000 + 90 * DAY_S


def test_the_clean_up_does_a_little_in_each_run_and_goes_on_with_the_next_connection(
    api: ApiWorld,
) -> None:
    names = sorted([api.created(), api.created()])
    save_settings(names[1], {"closedPositionDays": 30}, author="test", now_ms=1)
    old_ms = api.clock.now_ms() - 31 * DAY_MS
    for name in names:
        with PositionRow.batch_write() as batch:
            for number in range(POSITIONS_A_RUN + 5):
                batch.save(PositionRow(name, f"p{number}", closed_at_ms=old_ms + number))
    clean, memory = Cleaning(clock=api.clock), Memory()

    done = [[action["text"].split()[0] for action in clean(memory)] for _ in range(5)]

    assert done == [[], [str(POSITIONS_A_RUN)], [], ["5"], []]
    assert len(list(PositionRow.query(names[0]))) == POSITIONS_A_RUN + 5
    assert list(PositionRow.query(names[1])) == []


def test_a_position_that_a_late_fill_opened_again_meanwhile_stays(
    api: ApiWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = api.created()
    old_ms = api.clock.now_ms() - 100 * DAY_MS
    row = PositionRow(one, "p", closed_at_ms=old_ms)
    row.save()
    stale = list(PositionRow.closed.query(one))
    PositionRow(one, "p", live_since_ms=old_ms, status=str(PositionStatus.OPEN)).save()
    monkeypatch.setattr(PositionRow.closed, "query", lambda *_, **__: iter(stale))

    found = Cleaning(clock=api.clock)(Memory())

    assert found == []
    assert [each.live_since_ms for each in PositionRow.query(one)] == [old_ms]
    assert list(ArchivedRow.query(archived_positions(one))) == []
