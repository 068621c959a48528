"""1 s candles from trades, in whatever order they arrive."""

import random
from decimal import Decimal

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from adapters.seconds import Seconds
from adapters.venues import Trade
from engine.market import Candles, Kind, bars_from_trades
from engine.values import Instrument

START_MS = 1_700_000_000_000
BTC = Instrument(
    symbol="BTCUSDT",
    base="BTC",
    quote="USDT",
    price_tick=Decimal("0.1"),
    quantity_step=Decimal("0.001"),
    min_quantity=Decimal("0.001"),
    max_quantity=Decimal(100),
    min_notional=Decimal(5),
    max_leverage=125,
)
ALIVE = frozenset({"BTCUSDT"})


def seconds_of(*trades: Trade) -> Seconds:
    made = Seconds()
    made.follow((BTC,))
    for trade in trades:
        made.add(trade)
    return made


def a_trade(after_ms: int, price: str, quantity: str = "0.001", trade_id: int = 0) -> Trade:
    return Trade("BTCUSDT", START_MS + after_ms, price, quantity, trade_id or after_ms + 1)


def prices(candles: Candles) -> tuple[int, ...]:
    return tuple(int(getattr(candles, name)[0, 0]) for name in ("open", "high", "low", "close"))


def test_a_candle_holds_the_trades_of_its_own_second_only() -> None:
    made = seconds_of(
        a_trade(-1, "90.0"),
        a_trade(0, "100.0", "0.002"),
        a_trade(500, "101.5"),
        a_trade(999, "99.9"),
        a_trade(1000, "200.0"),
    )

    candle = made.close(START_MS + 1000, alive=ALIVE)

    assert prices(candle) == (1000, 1015, 999, 999)
    assert candle.volume[0, 0] == 4
    assert candle.kind[0, 0] == Kind.TRADED


def test_a_trade_after_its_candle_closed_is_counted_and_changes_nothing() -> None:
    made = seconds_of(a_trade(100, "100.0"))
    made.close(START_MS + 1000, alive=ALIVE)

    taken = made.add(a_trade(200, "500.0"))
    following = made.close(START_MS + 2000, alive=ALIVE)

    assert not taken
    assert made.late == 1
    assert prices(following) == (1000, 1000, 1000, 1000)


def test_a_watched_second_without_trades_is_flat_at_the_last_close() -> None:
    made = seconds_of(a_trade(100, "100.0"), a_trade(200, "101.0"))
    made.close(START_MS + 1000, alive=ALIVE)

    quiet = made.close(START_MS + 2000, alive=ALIVE)

    assert quiet.kind[0, 0] == Kind.FLAT
    assert prices(quiet) == (1010, 1010, 1010, 1010)
    assert quiet.volume[0, 0] == 0


def test_a_second_nobody_watched_is_a_gap_even_if_some_trades_were_seen() -> None:
    made = seconds_of(a_trade(100, "100.0"), a_trade(1500, "103.0"))
    made.close(START_MS + 1000, alive=ALIVE)

    torn = made.close(START_MS + 2000, alive=frozenset())
    next_one = made.close(START_MS + 3000, alive=ALIVE)

    assert torn.kind[0, 0] == Kind.GAP
    assert prices(next_one) == (1030, 1030, 1030, 1030)


def test_before_any_price_is_known_a_quiet_second_is_a_gap() -> None:
    assert seconds_of().close(START_MS + 1000, alive=ALIVE).kind[0, 0] == Kind.GAP


def test_a_known_close_makes_the_first_quiet_second_flat() -> None:
    made = seconds_of()
    made.know_close("BTCUSDT", 1234, START_MS)

    assert prices(made.close(START_MS + 1000, alive=ALIVE)) == (1234, 1234, 1234, 1234)


def test_an_older_price_never_replaces_a_newer_close() -> None:
    made = seconds_of(a_trade(100, "100.0"))
    made.close(START_MS + 1000, alive=ALIVE)

    made.know_close("BTCUSDT", 777, START_MS - 5000)

    assert prices(made.close(START_MS + 2000, alive=ALIVE))[3] == 1000


def test_skipped_seconds_still_tell_the_last_close() -> None:
    made = seconds_of(a_trade(100, "100.0"), a_trade(1100, "102.0"))

    quiet = made.close(START_MS + 3000, alive=ALIVE)

    assert quiet.kind[0, 0] == Kind.FLAT
    assert prices(quiet)[3] == 1020


def test_symbols_not_followed_are_ignored() -> None:
    made = seconds_of()

    assert not made.add(Trade("ETHUSDT", START_MS, "1.0", "1", 1))


@given(
    st.lists(
        st.tuples(st.integers(0, 4999), st.integers(900, 1100), st.integers(1, 50)),
        max_size=60,
    ),
    st.randoms(use_true_random=False),
)
def test_any_order_of_arrival_gives_the_candles_of_the_sorted_trades(
    rows: list[tuple[int, int, int]], shuffler: random.Random
) -> None:
    ordered = sorted(rows, key=lambda row: row[0])
    trades = [
        Trade("BTCUSDT", START_MS + ms, f"{ticks / 10:.1f}", f"{steps / 1000:.3f}", number)
        for number, (ms, ticks, steps) in enumerate(ordered, start=1)
    ]
    arrived = list(trades)
    shuffler.shuffle(arrived)
    made = seconds_of(*arrived)
    wanted = bars_from_trades(
        "BTCUSDT",
        np.array([trade.event_ms for trade in trades], np.int64),
        np.array([ticks for _, ticks, _ in ordered], np.int64),
        np.array([steps for _, _, steps in ordered], np.int64),
        start_ms=START_MS,
        end_ms=START_MS + 5000,
    )

    for row in range(5):
        candle = made.close(START_MS + 1000 * (row + 1), alive=ALIVE)
        for name in ("open", "high", "low", "close", "volume", "kind"):
            assert getattr(candle, name)[0, 0] == getattr(wanted, name)[row, 0]
