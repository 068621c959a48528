"""The scripted market of the exchange test closes paper positions the same three ways."""

from decimal import Decimal
from pathlib import Path

import numpy as np
from tests.builders import an_instrument
from tests.e2e.scripted import leg, write_tape

from engine.market import Candles
from engine.pseudo import REASONS
from engine.settings import Settings, with_values
from engine.trade import TradeState, plan_trade
from engine.values import CloseReason, Side
from local.paper.market.market import TapeMarket
from local.paper.market.tape import read_tape

LENIENT = {
    "marketActivityEnabled": False,
    "marketChangeRange": 1,
    "drawdownRatio": "0.5",
    "lastPartRatioFactor": "1.0",
}
SWINGS = ((70, "0"), (12, "0.9"), (6, "0.5"), (20, "-0.9"), (6, "-0.5"), (20, "0.9"), (20, "0"))


def tape_candles(path: Path) -> Candles:
    """The tape as the paper exchange would play it, second by second."""
    market = TapeMarket(tuple(read_tape(path, seed=1)), anchor_s=1_700_000_000)
    count = 1 + sum(seconds for seconds, _ in SWINGS)
    played = market.seconds("BTCUSDT", 1_700_000_000, 1_700_000_000 + count)
    column = (count, 1)
    return Candles(
        symbols=("BTCUSDT",),
        span_ms=1000,
        close_ms=(played.start_s + 1 + np.arange(count)) * 1000,
        open=played.open.reshape(column),
        high=played.high.reshape(column),
        low=played.low.reshape(column),
        close=played.close.reshape(column),
        volume=played.volume.reshape(column),
        kind=np.zeros(column, np.int8),
    )


def test_stop_target_and_trailing_close_long_and_short_on_paper(tmp_path: Path) -> None:
    tape = tmp_path / "tape.csv"
    write_tape(tape, {"BTCUSDT": leg(Decimal("61000.0"), *SWINGS)})
    settings = with_values(Settings(), LENIENT)

    state, plan = plan_trade(
        TradeState.fresh([an_instrument("BTCUSDT")], settings), tape_candles(tape), settings
    )

    closed = {
        (state.set_key("BTCUSDT", int(each["set"])).side, REASONS[int(each["reason"])])
        for each in plan.closings
        if not each["shadow"]
    }
    reasons = (CloseReason.STOP_LOSS, CloseReason.TAKE_PROFIT, CloseReason.TRAILING_STOP)
    assert closed == {(side, reason) for side in Side for reason in reasons}
