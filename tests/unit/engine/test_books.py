import pytest
from tests.builders import an_instrument
from tests.market import walked
from tests.unit.engine.trading import books_of, lenient, planned

from engine.books import PART_BYTES, pack_books, restore
from engine.errors import CorruptStateError
from engine.settings import Settings, with_values
from engine.trade import TradeState, plan_trade

SYMBOLS = ("AUSDT", "BUSDT")
RULES = lenient()


@pytest.fixture(scope="module")
def learned() -> TradeState:
    return planned(walked(2, length=400, symbols=SYMBOLS, volatility=2e-3), RULES)[0]


def test_restored_books_are_the_books(learned: TradeState) -> None:
    books = books_of(learned)

    restored = restore(learned.instruments, RULES, books)

    assert books_of(restored) == books
    assert len(restored.positions) == len(learned.positions) > 0
    assert restored.last_close_ms == learned.last_close_ms


def test_books_of_other_settings_are_refused(learned: TradeState) -> None:
    with pytest.raises(CorruptStateError, match="fingerprint"):
        restore(learned.instruments, lenient(gridRanges=[3, 8]), books_of(learned))


def test_settings_that_change_no_set_keep_the_books(learned: TradeState) -> None:
    restore(learned.instruments, lenient(positionCooldown=60), books_of(learned))


def test_missing_books_and_parts_are_refused(learned: TradeState) -> None:
    books = books_of(learned)

    with pytest.raises(CorruptStateError, match="no books of BUSDT"):
        restore(learned.instruments, RULES, {"AUSDT": books["AUSDT"]})
    with pytest.raises(CorruptStateError, match="1 of 2 parts"):
        restore(learned.instruments, RULES, books | {"AUSDT": books["AUSDT"][:1]})


@pytest.mark.parametrize("part", [0, 1])
def test_damaged_books_are_refused(learned: TradeState, part: int) -> None:
    books = books_of(learned)
    books["AUSDT"][part] = books["AUSDT"][part][:-20]

    with pytest.raises(CorruptStateError, match="AUSDT"):
        restore(learned.instruments, RULES, books)


def test_books_of_another_symbol_are_refused(learned: TradeState) -> None:
    books = books_of(learned)

    with pytest.raises(CorruptStateError, match="symbol"):
        restore(learned.instruments, RULES, books | {"AUSDT": books["BUSDT"]})


def test_books_packed_after_different_candles_do_not_join(learned: TradeState) -> None:
    earlier, _ = planned(walked(2, length=300, symbols=SYMBOLS, volatility=2e-3), RULES)
    books = books_of(learned) | {"AUSDT": pack_books(earlier, "AUSDT")}

    with pytest.raises(CorruptStateError, match="saw candles until"):
        restore(learned.instruments, RULES, books)


def test_books_come_in_parts_of_a_thousand_sets_that_a_row_holds() -> None:
    settings = with_values(Settings(), {"marketChangeRange": 1})
    state = TradeState.fresh([an_instrument("AUSDT")], settings)
    candles = walked(3, length=2000, symbols=("AUSDT",), volatility=2e-3)

    state, _ = plan_trade(state, candles, settings)

    parts = pack_books(state, "AUSDT")
    assert len(parts) == 1 + -(-len(state.grid) // 1000)
    assert max(map(len, parts)) <= PART_BYTES
    assert sum(map(len, parts)) < 320 * len(state.grid)


def test_states_that_began_at_different_times_join() -> None:
    candles = walked(4, length=30, symbols=SYMBOLS, volatility=2e-3)
    early, _ = planned(candles.select(["AUSDT"]), RULES)
    late, _ = planned(candles.select(["BUSDT"]).rows(20, 30), RULES)

    joined = TradeState.join([early, late])

    assert joined.symbols == SYMBOLS
    assert joined.last_close_ms == int(candles.close_ms[-1])
