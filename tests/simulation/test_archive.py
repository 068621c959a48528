"""What the rings of Sets push out reaches the archive once and whole, through deaths of workers."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.fakes import FakeStore
from tests.market import walked
from tests.trade_world import an_engine
from tests.unit.engine.trading import books_of, fresh, in_pieces, lenient, planned

from engine.records import ArchivedResults
from engine.trade_plan import join_plans


async def test_what_left_the_books_is_archived_before_they_are_stored_whatever_dies_between(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A worker that died between the two has its results archived again, as the same."""
    order: list[str] = []
    archive, save, book = FakeStore.archive_results, FakeStore.save_books, FakeStore.load_books

    def archiving(store: FakeStore, *given: Any, **named: Any) -> None:
        order.append("archive")
        archive(store, *given, **named)

    def saving(store: FakeStore, *given: Any, **named: Any) -> None:
        order.append("books")
        save(store, *given, **named)

    monkeypatch.setattr(FakeStore, "archive_results", archiving)
    monkeypatch.setattr(FakeStore, "save_books", saving)
    few = lenient(
        burstSeconds=20,
        snapshotIntervalSeconds=60,
        positionCooldown=0,
        validationTimeout=1,
        gridRanges=[3],
        gridTakeProfits=["3"],
        trailingEnabled=False,
    )
    engine = an_engine(few)
    for number in range(20):
        await engine.burst()
        if number % 4 == 3:
            engine.memories.clear()  # dies with what it had not written yet

    found = engine.store.archived_results("c1", "BTCUSDT", since_ms=0)
    assert found
    assert "archive books" in " ".join(order)
    assert "archive archive" not in " ".join(order)
    assert book(engine.store, "c1", "BTCUSDT") is not None
    kept: dict[str, tuple[int, int]] = {}
    for each in found:
        for one in each.sets:
            begin, _ = kept.get(one.key_text, (0, 0))
            assert one.first == begin  # without a gap, and nothing twice
            kept[one.key_text] = (one.first + len(one.results), each.at_ms)


@given(cuts=st.lists(st.integers(0, 1100), max_size=5))
@settings(max_examples=3)
def test_the_same_results_leave_the_rings_however_candles_are_cut_and_symbols_grouped(
    cuts: list[int],
) -> None:
    rules = lenient(positionCooldown=0, validationTimeout=1, failedRetryHours=1)
    symbols = ("AUSDT", "BUSDT")
    candles = walked(9, length=1100, symbols=symbols, volatility=3e-3)
    whole, plan = planned(candles, rules)

    pieced, plans = in_pieces(fresh(symbols, rules), candles, cuts, rules)
    alone = [planned(candles.select((symbol,)), rules)[1] for symbol in symbols]

    assert [each for piece in plans for each in piece.surplus] == list(plan.surplus)
    assert books_of(pieced) == books_of(whole)
    apart = [each for one in alone for each in one.surplus]
    assert sorted(apart, key=_place) == sorted(plan.surplus, key=_place)
    joined = join_plans(alone, max_mirrored_per_cycle=rules.max_mirrored_per_cycle)
    assert joined.surplus == plan.surplus
    assert plan.surplus


def _place(archived: ArchivedResults) -> tuple[int, str]:
    return archived.at_ms, archived.symbol
