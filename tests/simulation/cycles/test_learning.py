"""What is learned from history, what of it is archived, and when presets are evaluated anew."""

from dataclasses import replace

from tests.market import START_MS, walked
from tests.trade_world import MarketFeed, an_engine
from tests.unit.engine.trading import lenient

from engine.cycles.memory import DAY_MS, TradeMemory
from engine.cycles.prehistory import fold
from engine.settings import Settings
from engine.trade import TradeState

HOUR_MS = 3_600_000
SETTINGS = lenient(
    prehistoricDataDays=2,
    positionCooldown=0,
    validationTimeout=1,
    gridRanges=[3],
    gridTakeProfits=["3"],
    trailingEnabled=False,
)


def test_a_fold_archives_what_its_books_keep_no_more_and_the_same_again() -> None:
    engine = an_engine(SETTINGS)
    history = walked(
        11,
        length=2 * 1440,
        symbols=("BTCUSDT",),
        volatility=3e-3,
        start_ms=START_MS - 2 * DAY_MS,
    )
    engine.store.write_history("c1", history)

    folded = fold(engine.world, "c1", ("BTCUSDT",))

    archived = dict(engine.store.archived)
    assert folded.done
    assert {at_ms for _, at_ms in archived} <= {START_MS - DAY_MS, START_MS}
    sets = [one for each in archived.values() for one in each.sets]
    assert min(one.first for one in sets) == 0
    assert all(len(one.results) % 11 == 0 for one in sets)  # 61 results leave 50
    engine.store.books.clear()
    fold(engine.world, "c1", ("BTCUSDT",))
    assert engine.store.archived == archived


def a_memory(settings: Settings, last_close_ms: int) -> TradeMemory:
    return TradeMemory(
        run_id="r1",
        state=TradeState.fresh(an_engine().store.engine("c1").instruments, settings),
        last_close_ms=last_close_ms,
        feed=MarketFeed(),
    )


def test_presets_are_evaluated_once_in_a_period_and_at_once_by_a_new_worker() -> None:
    settings = lenient(tradeMode="both", presetEvaluationHours=3)
    noon = START_MS // (3 * HOUR_MS) * (3 * HOUR_MS)
    memory = a_memory(settings, noon + 1000)

    evaluated = []
    for last_close_ms in (noon + 1000, noon + 2000, noon + 3 * HOUR_MS - 1000, noon + 3 * HOUR_MS):
        memory.last_close_ms = last_close_ms
        evaluated.append(memory.evaluate(settings))

    assert evaluated == [True, False, False, True]
    assert memory.presets is not None
    assert memory.presets.at_ms == noon + 3 * HOUR_MS
    anew = replace(memory, presets=None)
    assert anew.evaluate(settings)
    assert anew.presets is not None
    assert anew.presets.reasons() == memory.presets.reasons()


def test_an_engine_without_presets_evaluates_none() -> None:
    settings = lenient(tradeMode="main")

    assert not a_memory(settings, START_MS).evaluate(settings)
