from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.builders import a_fill, a_position, an_instrument, on

from engine.ledger import Position
from engine.shares import fee_in_quote, with_entry, with_exit
from engine.values import Side

BOTH = pytest.mark.parametrize("side", list(Side))


def empty(side: Side) -> Position:
    return a_position(side, quantity=Decimal(0), entry_quantity=Decimal(0), entry_price=None)


@BOTH
def test_fills_average_the_entry_and_book_result_and_fees(side: Side) -> None:
    first = with_entry(empty(side), a_fill(side, Decimal(100), "1"), Decimal("0.1"), first=True)
    both = with_entry(first, a_fill(side, on(side, "98"), "3"), Decimal("0.2"), first=False)
    part = with_exit(both, a_fill(side, on(side, "102"), "1", closing=True), Decimal("0.1"))
    done = with_exit(part, a_fill(side, on(side, "99"), "3", closing=True), Decimal("0.1"))

    assert both.entry_price == on(side, "98.5")
    assert both.quantity == both.entry_quantity == 4
    assert (part.quantity, part.realized_pnl) == (Decimal(3), Decimal("3.5"))
    assert (done.quantity, done.realized_pnl) == (Decimal(0), Decimal(5))
    assert done.exit_price == on(side, "99.75")
    assert done.fees == Decimal("0.5")


@BOTH
def test_a_position_is_open_from_its_first_fill_on_whichever_is_heard_of_first(side: Side) -> None:
    early = replace(a_fill(side, Decimal(100), "1"), executed_at_ms=5_000)
    late = replace(a_fill(side, Decimal(100), "1"), executed_at_ms=9_000)

    once = with_entry(empty(side), late, Decimal(0), first=True)
    both = with_entry(once, early, Decimal(0), first=True)

    assert (once.opened_at_ms, both.opened_at_ms) == (9_000, 5_000)
    assert with_entry(both, late, Decimal(0), first=False).opened_at_ms == 5_000


@BOTH
def test_a_position_is_closed_by_its_last_fill_on_whichever_is_heard_of_last(side: Side) -> None:
    held = with_entry(empty(side), a_fill(side, Decimal(100), "2"), Decimal(0), first=True)
    exits = [
        replace(a_fill(side, Decimal(101), "1", closing=True), executed_at_ms=at_ms)
        for at_ms in (held.opened_at_ms + 9_000, held.opened_at_ms + 5_000)
    ]

    closed = with_exit(with_exit(held, exits[0], Decimal(0)), exits[1], Decimal(0))

    assert (closed.quantity, closed.closed_at_ms) == (Decimal(0), exits[0].executed_at_ms)


def test_a_fee_in_the_base_asset_is_valued_at_the_fills_price_and_a_third_asset_is_not() -> None:
    fill = a_fill(Side.LONG, Decimal(100), "1")
    instrument = an_instrument()

    assert fee_in_quote(fill, instrument, None) == Decimal("0.1")
    assert fee_in_quote(replace(fill, fee_asset="BTC"), instrument, None) == 10
    assert fee_in_quote(replace(fill, fee_asset="BNB"), instrument, None) is None
    assert fee_in_quote(replace(fill, fee_asset="BNB"), instrument, Decimal(600)) == 60


@BOTH
def test_a_step_moves_the_average_and_not_the_first_price(side: Side) -> None:
    first = with_entry(empty(side), a_fill(side, Decimal(100), "1"), Decimal(0), first=True)
    once = with_entry(first, a_fill(side, on(side, "99.5"), "1.5"), Decimal(0), first=False)
    twice = with_entry(once, a_fill(side, on(side, "99"), "2"), Decimal(0), first=False)

    assert once.entry_price == on(side, "99.7")
    assert twice.entry_price is not None
    assert twice.entry_price.quantize(Decimal("0.0001")) == on(side, "99.3889")
    assert (twice.quantity, twice.entry_quantity) == (Decimal("4.5"), Decimal("4.5"))
    assert (twice.first_price, twice.first_quantity) == (Decimal(100), Decimal(1))


FILLS = st.lists(
    st.tuples(st.booleans(), st.integers(900, 1100), st.integers(1, 50)), min_size=1, max_size=12
)


@BOTH
@settings(max_examples=25)
@given(fills=FILLS)
def test_whatever_the_order_of_fills_the_result_is_what_they_paid(
    side: Side, fills: list[tuple[bool, int, int]]
) -> None:
    position, paid = empty(side), Decimal(0)

    for enters, tenths, quantity in fills:
        price = Decimal(tenths) / 10
        taken = Decimal(quantity) if enters else min(Decimal(quantity), position.quantity)
        if taken == 0:
            continue
        fill = a_fill(side, price, str(taken), closing=not enters)
        if enters:
            position = with_entry(position, fill, Decimal(0), first=False)
        else:
            position = with_exit(position, fill, Decimal(0))
        paid += price * taken * side.sign * (-1 if enters else 1)

    mark = Decimal(101)
    worth = paid + position.quantity * mark * side.sign
    assert abs(position.realized_pnl + position.unrealized_pnl(mark) - worth) < Decimal("1e-18")
