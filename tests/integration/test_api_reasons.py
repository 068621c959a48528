"""Why, over the API: of signals on a stored candle, and of Sets."""

import numpy as np
import pytest
from tests.api_world import ApiWorld
from tests.builders import an_instrument
from tests.market import candles_of
from tests.unit.engine.trading import lenient

from adapters.store import DynamoStore
from adapters.tables import EngineStateRow
from engine.books import pack_books
from engine.settings import overrides
from engine.trade import TradeState, plan_trade
from engine.values import Loop

RULES = lenient(positionCooldown=1, validationTimeout=1)
WHY, SETS = "/api/indications/why", "/api/sets"


@pytest.fixture
def connection_id(api: ApiWorld) -> str:
    """A running connection with the books of a trend, and ten seconds stored after them."""
    made = api.running()
    rates = np.where(np.arange(400) % 3 == 2, 1.0016, 1.0009)
    path = np.rint(1_000_000 * np.cumprod(rates)).astype(np.int64).tolist()
    start_ms = api.clock.now_ms() // 1000 * 1000 - 400_000
    candles = candles_of(path, start_ms=start_ms)
    instruments = (an_instrument("BTCUSDT"),)
    EngineStateRow(made).update(
        [
            EngineStateRow.instruments.set(instruments),
            EngineStateRow.symbols.set(["BTCUSDT"]),
            EngineStateRow.prehistory_end_ms.set(start_ms),
            EngineStateRow.settings.set(overrides(RULES)),
        ]
    )
    state, _ = plan_trade(TradeState.fresh(instruments, RULES), candles.rows(0, 390), RULES)
    lease = api.leases.take(made, Loop.TRADE, token=0, owner="burst", lease_ms=15_000)
    store = DynamoStore(api.clock)
    parts = pack_books(state, "BTCUSDT")
    store.save_books(made, "BTCUSDT", parts, last_close_ms=state.last_close_ms, lease=lease)
    store.write_minute(lease, candles.rows(390, 400))
    return made


def test_every_slot_is_told_with_its_verdict_on_the_newest_candle(
    api: ApiWorld, connection_id: str
) -> None:
    answer = api.get(f"{WHY}?connectionId={connection_id}&symbol=BTCUSDT").body

    slots = TradeState.fresh([an_instrument("BTCUSDT")], RULES).grid.slots
    assert answer["closeMs"] == api.clock.now_ms() // 1000 * 1000
    assert sum(answer["verdicts"].values()) == len(answer["reasons"]) == len(slots)
    assert answer["reasons"][0]["text"].startswith("BTCUSDT ")
    assert answer["reasons"][0]["side"] in ("LONG", "SHORT")


def test_an_earlier_candle_is_told_and_the_limit_cuts_the_list_only(
    api: ApiWorld, connection_id: str
) -> None:
    at_ms = api.clock.now_ms() // 1000 * 1000 - 3_000

    path = f"{WHY}?connectionId={connection_id}&symbol=BTCUSDT&atMs={at_ms}&limit=2"
    answer = api.get(path).body

    assert answer["closeMs"] == at_ms
    assert len(answer["reasons"]) == 2 < sum(answer["verdicts"].values())


def test_sets_are_told_with_what_keeps_them_from_more(api: ApiWorld, connection_id: str) -> None:
    answer = api.get(f"{SETS}?connectionId={connection_id}&symbol=BTCUSDT&limit=5").body

    assert [each["stage"] for each in answer["sets"]] == ["exchange"] * 5
    assert answer["sets"][0]["text"].startswith("exchange")
    assert answer["sets"][0]["mode"] == "main"


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ("connectionId={id}&symbol=XRPUSDT", 404),
        ("connectionId={id}&symbol=BTCUSDT&atMs=1", 404),
        ("connectionId=nobody00000000000000000000&symbol=BTCUSDT", 404),
        ("connectionId={id}&symbol=BTCUSDT&atMs=-1", 400),
        ("symbol=BTCUSDT", 400),
    ],
)
def test_what_is_not_followed_or_not_stored_is_said_so(
    api: ApiWorld, connection_id: str, query: str, status: int
) -> None:
    assert api.get(f"{WHY}?{query.format(id=connection_id)}").status == status
