"""Rows hold what they were given, to the last digit."""

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pynamodb.models import Model
from tests.samples import a_position, an_order

from adapters.commands import wish_json, wish_of
from adapters.decimals import DecimalAttribute, decimal_text
from adapters.instrument_attribute import InstrumentsAttribute
from adapters.position_rows import position_of, position_row
from adapters.progression import pack_ticks, unpack_ticks
from adapters.trade_rows import fill_of, fill_row, order_of, order_row
from engine.ledger import Fill, Order, OrderState, Position, PositionStatus
from engine.values import Exits, Instrument, Variant, Wish

TIMES = st.integers(0, 2**53)
DECIMALS = st.decimals(places=18, min_value=-(10**19), max_value=10**19)
st.register_type_strategy(Decimal, DECIMALS)
st.register_type_strategy(int, TIMES)
st.register_type_strategy(
    Variant,
    st.builds(
        Variant,
        window_min=st.integers(0, 40),
        drawdown_pct=st.integers(0, 50),
        market_change=st.integers(0, 10),
        preset=st.from_regex(r"[a-z0-9.,/_-]*", fullmatch=True),
    ),
)
st.register_type_strategy(
    Exits,
    st.builds(Exits, trailing_only=st.booleans(), ladder=st.booleans(), profit_back=st.booleans()),
)
TICKS = st.lists(st.tuples(TIMES, TIMES, TIMES, TIMES))


def stored[M: Model](row: M) -> M:
    """The row as it comes back from the table."""
    raw: dict[str, Any] = row.serialize()
    found = type(row)()
    found.deserialize(raw)
    return found


@settings(max_examples=30)
@given(st.builds(Order))
def test_an_order_comes_back_as_it_was(order: Order) -> None:
    assert order_of(stored(order_row("c", order))) == order


@settings(max_examples=30)
@given(st.builds(Fill))
def test_a_fill_comes_back_as_it_was(fill: Fill) -> None:
    assert fill_of(stored(fill_row("c", fill))) == fill


@settings(max_examples=30)
@given(st.builds(Position))
def test_a_position_comes_back_as_it_was_but_for_the_end_an_open_one_cannot_have(
    position: Position,
) -> None:
    found = position_of(stored(position_row("c", position)))

    ended = position.status is PositionStatus.CLOSED
    assert found == (position if ended else replace(position, closed_at_ms=0))


@settings(max_examples=30)
@given(st.builds(Wish))
def test_a_wish_comes_back_as_it_was(wish: Wish) -> None:
    assert wish_of(wish_json(wish)) == wish


@settings(max_examples=30)
@given(st.lists(st.builds(Instrument)))
def test_instruments_come_back_as_they_were(instruments: list[Instrument]) -> None:
    attribute = InstrumentsAttribute()
    assert attribute.deserialize(attribute.serialize(instruments)) == tuple(instruments)


@settings(max_examples=30)
@given(TICKS)
def test_packed_ticks_come_back_as_they_were(ticks: list[tuple[int, int, int, int]]) -> None:
    assert unpack_ticks(pack_ticks(ticks)) == tuple(ticks)


@pytest.mark.parametrize("state", OrderState)
def test_only_an_order_that_is_not_terminal_is_in_the_index_of_live_ones(
    state: OrderState,
) -> None:
    row = order_row("c", replace(an_order(), state=state))

    assert ("live_since_ms" in row.serialize()) is not state.is_terminal


@pytest.mark.parametrize("status", PositionStatus)
def test_a_position_is_in_the_index_of_live_or_of_closed_ones(status: PositionStatus) -> None:
    raw = position_row("c", a_position(status=status, closed_at_ms=7)).serialize()

    closed = status is PositionStatus.CLOSED
    assert ("live_since_ms" in raw, "closed_at_ms" in raw) == (not closed, closed)


@settings(max_examples=30)
@given(st.decimals(allow_nan=False, allow_infinity=False))
def test_a_decimal_is_stored_exactly_or_refused(value: Decimal) -> None:
    try:
        text = decimal_text(value)
    except ValueError:
        digits = "".join(map(str, value.as_tuple().digits)).strip("0")
        assert len(digits) > 38 or not -130 <= value.adjusted() <= 125
    else:
        assert DecimalAttribute().deserialize(text) == value


@pytest.mark.parametrize("value", ["NaN", "Infinity", "-Infinity", "1E+126", "1E-131", "1" * 39])
def test_a_number_that_the_table_cannot_hold_is_refused_by_name(value: str) -> None:
    with pytest.raises(ValueError, match=value[:3].replace("+", r"\+")):
        decimal_text(Decimal(value))


@pytest.mark.parametrize("value", [0.5, "0.5", None])
def test_money_that_is_not_exact_is_refused(value: Any) -> None:
    with pytest.raises(ValueError, match="not exact"):
        decimal_text(value)


def test_money_beside_prices_comes_back_with_its_position() -> None:
    position = replace(
        a_position("p"),
        funding=Decimal("-0.123456789012345678901234567"),
        residue=Decimal("0.00000999"),
        unconverted=(("BNB", Decimal("0.00001")), ("KCS", Decimal("-2"))),
        settled=(("funding f1", Decimal("-0.1")), ("BTCUSDT|77", Decimal("0.5"))),
    )

    assert position_of(stored(position_row("c", position))) == position


def test_positions_of_one_set_share_its_key() -> None:
    one, other = (position_row("c-1", a_position(name)) for name in ("p1", "p2"))

    assert position_of(one).key is position_of(other).key
    assert position_of(one).key == a_position().key
