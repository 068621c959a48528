"""Why, asked of the store after the fact: the answers are what the trade loop decided."""

from dataclasses import replace

from tests.market import START_MS
from tests.trade_world import Engine, an_engine

from engine.cycles.explaining import set_reasons, slot_reasons
from engine.indications.filters import Verdict
from engine.records import EngineRow
from engine.trade import TradeState, plan_trade

SYMBOL = "BTCUSDT"


async def lived(bursts: int) -> tuple[Engine, EngineRow]:
    """A trade loop after some bursts, and its row: nothing was learned from history."""
    engine = an_engine()
    for _ in range(bursts):
        await engine.burst()
    return engine, replace(engine.store.engine("c1"), prehistory_end_ms=START_MS)


async def test_on_every_candle_the_slots_that_signalled_are_those_that_are_told_so() -> None:
    engine, row = await lived(3)
    closes = engine.closes()
    fresh = TradeState.fresh(row.instruments, row.settings)
    _, plan = plan_trade(fresh, engine.feed.market.between(0, closes[-1]), row.settings)
    assert len(plan.signals) > 10

    for at_ms in closes[5::6]:
        close_ms, reasons = slot_reasons(engine.store, row, SYMBOL, at_ms)

        decided = {
            plan.grid.slots[int(each["slot"])]
            for each in plan.signals[plan.signals["at_ms"] == at_ms]
        }
        assert close_ms == at_ms
        assert {each.slot for each in reasons if each.verdict is Verdict.SIGNAL} == decided
        assert len(reasons) == len(plan.grid.slots)


async def test_the_nearest_to_a_signal_come_first_and_say_what_was_found_and_needed() -> None:
    engine, row = await lived(2)

    _, reasons = slot_reasons(engine.store, row, SYMBOL, engine.closes()[-1])

    ranks = [100 - each.verdict if each.verdict else 0 for each in reasons]
    assert ranks == sorted(ranks)
    assert all(each.text.startswith(SYMBOL) and "is needed" in each.text for each in reasons)


async def test_between_two_candles_the_one_before_is_told_and_before_all_none() -> None:
    engine, row = await lived(1)
    last = engine.closes()[-1]

    assert slot_reasons(engine.store, row, SYMBOL, last + 999)[0] == last
    assert slot_reasons(engine.store, row, SYMBOL, 1) == (0, ())


async def test_sets_are_told_as_the_loop_remembers_them() -> None:
    engine, row = await lived(20)
    now_ms = engine.closes()[-1]
    remembered = engine.memories["c1"].state.history

    told = set_reasons(engine.store, row, SYMBOL, now_ms, limit=20)

    stages = [int(each.explanation.standing.stage) for each in told]
    assert stages == sorted(stages, reverse=True)
    assert max(stages) == remembered.stage.max() > 0
    assert len(told) == min(20, int((remembered.count > 0).sum()))
    assert all(each.explanation.text for each in told)
