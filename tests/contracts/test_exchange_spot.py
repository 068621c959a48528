"""The Exchange port on Binance spot: assets, balances that can be locked, one side."""

from collections.abc import AsyncIterator
from dataclasses import replace
from decimal import ROUND_UP, Decimal

import pytest
from tests.exchange_desk import SYMBOL, TRIES, VALID_MS, Desk, eventually, now_ms, opened
from tests.paper_venue import Line, PaperProcess
from tests.venue_cases import SPOT

from engine.errors import VenueRefusedError
from engine.events import CancelUnclear, NotFound, OrderUpdate, SendUnclear, Unclear
from engine.ledger import Order, OrderState, OrderType, Purpose
from engine.market import Kind
from engine.orders import order_name, parsed
from engine.values import OrderSide, Side

LONG = Side.LONG


@pytest.fixture
async def desk(paper: PaperProcess) -> AsyncIterator[Desk]:
    async with opened(paper, SPOT) as made:
        await made.exchange.prepare(SYMBOL, leverage=1, hedge=False, cross=True)
        yield made
        await clean(made)


async def clean(desk: Desk) -> None:
    """Nothing waits to be sold, and nothing worth selling is left."""
    for order in (await desk.snapshot()).orders:
        known = next(o for o in desk.sent if o.client_order_id == order.client_order_id)
        await desk.exchange.cancel(known)
    for held in (await desk.snapshot()).positions:
        if held.quantity * held.entry_price > desk.instrument.min_notional:
            await desk.send(desk.order(LONG, Purpose.CLOSE, quantity=str(held.quantity)))


async def bought(desk: Desk) -> Decimal:
    """Buy, and how much more of it can be sold now."""
    before = await holding(desk)
    answer = await desk.send(desk.order(LONG))
    assert answer.state is OrderState.FILLED
    return await holding(desk) - before


async def holding(desk: Desk) -> Decimal:
    held = [one.quantity for one in (await desk.snapshot()).positions if one.symbol == SYMBOL]
    return sum(held, Decimal(0))


async def protected(desk: Desk, quantity: Decimal) -> Order:
    stop = desk.order(
        LONG, Purpose.STOP, quantity=str(quantity), trigger=await desk.away(LONG, "-0.05")
    )
    assert (await desk.send(stop)).state is OrderState.OPEN
    return stop


def of_the_same(stop: Order, purpose: Purpose, quantity: Decimal) -> Order:
    """An order of the position that a stop protects."""
    name = parsed(stop.client_order_id)
    assert name is not None
    return replace(
        stop,
        client_order_id=order_name(name.position_id, purpose, 0),
        purpose=purpose,
        order_type=OrderType.MARKET,
        quantity=quantity,
        trigger_price=None,
    )


async def test_instruments_are_of_one_side_and_without_leverage(desk: Desk) -> None:
    instruments = await desk.exchange.instruments()

    assert len({each.symbol for each in instruments}) == len(instruments) == 4
    for each in instruments:
        assert each.is_spot
        assert each.max_leverage == 1
        assert min(each.price_tick, each.quantity_step, each.min_notional) > 0
        assert each.volume_24h_quote > 0


@pytest.mark.parametrize(("leverage", "hedge"), [(2, False), (1, True)])
async def test_leverage_and_two_sides_are_refused(desk: Desk, leverage: int, hedge: bool) -> None:
    with pytest.raises(VenueRefusedError):
        await desk.exchange.prepare(SYMBOL, leverage=leverage, hedge=hedge, cross=True)


async def test_a_short_is_rejected_and_nothing_is_sent(desk: Desk) -> None:
    short = desk.order(Side.SHORT)

    assert (await desk.send(short)).state is OrderState.REJECTED
    assert isinstance(await desk.exchange.look_up(short), NotFound)


async def test_a_purchase_is_held_less_its_fee_and_can_be_sold(desk: Desk) -> None:
    since_ms = now_ms() - 1000
    got = await bought(desk)
    sold = desk.order(LONG, Purpose.CLOSE, quantity=str(got))
    closed = await desk.send(sold)
    entry, *_ = await desk.fills_of(desk.sent[0], since_ms=since_ms)
    exits = await desk.fills_of(sold, since_ms=since_ms)

    assert closed.state is OrderState.FILLED
    assert closed.filled_quantity == got
    assert (entry.side, entry.order_side, entry.fee_asset) == (LONG, OrderSide.BUY, "BTC")
    assert desk.instrument.floor_quantity(entry.quantity - entry.fee) == got
    assert {(f.side, f.order_side, f.fee_asset) for f in exits} == {(LONG, OrderSide.SELL, "USDT")}
    assert sum(fill.quantity for fill in exits) == got


async def test_a_stop_locks_what_it_protects(desk: Desk) -> None:
    got = await bought(desk)
    stop = await protected(desk, got)
    other = desk.order(
        LONG, Purpose.TARGET, quantity=str(got), trigger=await desk.away(LONG, "0.05")
    )

    refused = await desk.send(other)
    listed = {each.client_order_id: each for each in (await desk.snapshot()).orders}
    cancelled = await desk.exchange.cancel(stop)
    taken = await desk.send(replace(other, client_order_id=order_name("9" * 25, other.purpose, 1)))

    assert refused.state is OrderState.REJECTED
    assert refused.reason.startswith(SPOT.no_margin)
    found = listed[stop.client_order_id]
    assert (found.side, found.reduces, found.is_conditional) == (LONG, True, True)
    assert (found.quantity, found.trigger_price) == (stop.quantity, stop.trigger_price)
    assert isinstance(cancelled, OrderUpdate)
    assert cancelled.state is OrderState.CANCELLED
    assert taken.state is OrderState.OPEN
    desk.sent.append(replace(other, client_order_id=order_name("9" * 25, other.purpose, 1)))


@pytest.mark.parametrize("purpose", [Purpose.CLOSE, Purpose.REDUCE])
async def test_a_sale_at_the_market_replaces_the_stop_of_its_position(
    desk: Desk, purpose: Purpose
) -> None:
    got = await bought(desk)
    stop = await protected(desk, got)
    part = got if purpose is Purpose.CLOSE else desk.instrument.floor_quantity(got / 2)

    sold = await desk.send(of_the_same(stop, purpose, part))
    after = await desk.exchange.look_up(stop)

    assert sold.state is OrderState.FILLED
    assert sold.filled_quantity == part
    assert isinstance(after, OrderUpdate)
    assert after.state is OrderState.CANCELLED
    assert after.filled_quantity == 0


async def test_a_sale_that_is_refused_after_its_cancel_is_rejected(desk: Desk) -> None:
    got = await bought(desk)
    stop = await protected(desk, got)

    answer = await desk.send(of_the_same(stop, Purpose.CLOSE, got * 100))
    after = await desk.exchange.look_up(stop)

    assert answer.state is OrderState.REJECTED
    assert answer.reason == "-2021 Account has insufficient balance for requested action."
    assert isinstance(after, OrderUpdate)
    assert after.state is OrderState.CANCELLED
    assert isinstance(await desk.exchange.look_up(desk.sent[-1]), OrderUpdate)


async def test_the_stop_of_another_position_is_left_alone(desk: Desk) -> None:
    first = await bought(desk)
    stop = await protected(desk, first)
    second = await bought(desk)

    sold = await desk.send(desk.order(LONG, Purpose.CLOSE, quantity=str(second)))

    assert sold.state is OrderState.FILLED
    assert [one.client_order_id for one in (await desk.snapshot()).orders] == [stop.client_order_id]


async def between_two_triggers(desk: Desk) -> tuple[list[Order], dict[str, OrderUpdate]]:
    """Half a position's stop and half its target next to the market, and what was answered.

    Anew while the market passes a trigger before its order arrives.
    """
    for _ in range(TRIES):
        half = str(desk.instrument.floor_quantity(await bought(desk) / 2))
        below, above = await desk.away(LONG, "-0.00008"), await desk.away(LONG, "0.00008")
        both = [
            desk.order(LONG, Purpose.STOP, quantity=half, trigger=below),
            desk.order(LONG, Purpose.TARGET, quantity=half, trigger=above),
        ]
        placed = {each.client_order_id: await desk.send(each) for each in both}
        if all(answer.state is not OrderState.REJECTED for answer in placed.values()):
            return both, placed
        await clean(desk)
    raise AssertionError(f"the market passed a trigger before its order arrived, {TRIES} times")


async def test_a_triggered_order_fills_under_our_own_name_and_its_own_id(desk: Desk) -> None:
    since_ms = now_ms() - 1000
    both, placed = await between_two_triggers(desk)

    async def look_up_both() -> list[OrderUpdate]:
        found = [await desk.exchange.look_up(each) for each in both]
        return [one for one in found if isinstance(one, OrderUpdate)]

    updates = await eventually(
        look_up_both, lambda found: any(one.state is OrderState.FILLED for one in found)
    )
    filled = next(one for one in updates if one.state is OrderState.FILLED)
    order = next(each for each in both if each.client_order_id == filled.client_order_id)
    fills = await desk.fills_of(order, since_ms=since_ms)

    assert placed[order.client_order_id].exchange_order_id == filled.exchange_order_id
    assert {fill.exchange_order_id for fill in fills} == {filled.exchange_order_id}
    assert sum(fill.quantity for fill in fills) == order.quantity


async def test_fills_are_named_without_any_memory(paper: PaperProcess, desk: Desk) -> None:
    since_ms = now_ms() - 1000
    await bought(desk)

    async with opened(paper, SPOT) as stranger:
        fills = await stranger.fills_of(desk.sent[0], since_ms=since_ms)

    assert sum(fill.quantity for fill in fills) == desk.sent[0].quantity


async def test_without_funds_an_order_is_rejected(desk: Desk) -> None:
    share = Decimal(10_000) * 2 / await desk.price()
    quantity = str(share.quantize(Decimal("0.001"), ROUND_UP))

    answer = await desk.send(desk.order(LONG, quantity=quantity))

    assert answer.state is OrderState.REJECTED
    assert answer.reason.startswith(SPOT.no_margin)


async def test_what_is_not_held_cannot_be_sold(desk: Desk) -> None:
    answer = await desk.send(desk.order(LONG, Purpose.CLOSE, quantity="1"))

    assert answer.state is OrderState.REJECTED
    assert answer.reason.startswith(SPOT.nothing_to_reduce)


async def test_a_trigger_already_passed_is_rejected(desk: Desk) -> None:
    got = await bought(desk)
    trigger = await desk.away(LONG, "0.01")

    answer = await desk.send(desk.order(LONG, Purpose.STOP, quantity=str(got), trigger=trigger))

    assert answer.state is OrderState.REJECTED
    assert answer.reason.startswith(SPOT.passed_trigger)


async def test_an_order_nobody_sent_is_not_found(desk: Desk) -> None:
    for purpose in (Purpose.ENTRY, Purpose.STOP):
        never = desk.order(LONG, purpose, trigger=Decimal(1))
        assert isinstance(await desk.exchange.look_up(never), NotFound)
        assert isinstance(await desk.exchange.cancel(never), NotFound)


async def test_an_order_that_is_there_already_is_not_made_twice(desk: Desk) -> None:
    got = await bought(desk)
    half = desk.instrument.floor_quantity(got / 2)
    stop = desk.order(
        LONG, Purpose.STOP, quantity=str(half), trigger=await desk.away(LONG, "-0.05")
    )

    first, second = await desk.send(stop), await desk.send(stop)

    assert first.state is second.state is OrderState.OPEN
    assert first.exchange_order_id == second.exchange_order_id
    assert len((await desk.snapshot()).orders) == 1


@pytest.mark.parametrize(
    ("answers", "why"), [("drop", Unclear.TIMEOUT), ("abort", Unclear.CONNECTION)]
)
async def test_an_order_whose_answer_is_lost_is_unclear_and_then_found(
    paper: PaperProcess, answers: str, why: Unclear
) -> None:
    async with Line(paper.port) as line, opened(paper, SPOT, port=line.port) as desk:
        await desk.exchange.snapshot()
        order = desk.order(LONG)

        line.answers = answers
        unclear = await desk.exchange.send(order, valid_ms=700)
        blind = await desk.exchange.cancel(order)
        line.answers = "pass"
        line.cut()
        found = await eventually(
            lambda: desk.exchange.look_up(order), lambda a: not isinstance(a, SendUnclear)
        )
        await clean(desk)

    assert isinstance(unclear, SendUnclear)
    assert unclear.why is why
    assert isinstance(blind, CancelUnclear)
    assert isinstance(found, OrderUpdate)
    assert found.state is OrderState.FILLED


async def test_a_sale_that_cannot_look_for_its_stop_is_not_sent(paper: PaperProcess) -> None:
    async with Line(paper.port) as line, opened(paper, SPOT, port=line.port) as desk:
        got = await bought(desk)
        sale = desk.order(LONG, Purpose.CLOSE, quantity=str(got))

        line.answers = "drop"
        answer = await desk.exchange.send(sale, valid_ms=VALID_MS)
        line.answers = "pass"
        line.cut()
        found = await eventually(
            lambda: desk.exchange.look_up(sale), lambda a: not isinstance(a, SendUnclear)
        )
        await clean(desk)

    assert isinstance(answer, OrderUpdate)
    assert answer.state is OrderState.REJECTED
    assert answer.reason.startswith("not sent")
    assert isinstance(found, NotFound)


async def test_seconds_are_kept_by_the_venue(desk: Desk) -> None:
    end_ms = now_ms() // 1000 * 1000 - 1000
    start_ms = end_ms - 1_500_000  # more than one page

    candles = await desk.exchange.history(SYMBOL, span_ms=1000, start_ms=start_ms, end_ms=end_ms)

    assert len(candles) == 1500
    assert (candles.kind != Kind.GAP).all()
    candles.check_prices()


async def test_a_key_and_its_fundings_are_read(desk: Desk) -> None:
    rights = await desk.exchange.rights()

    assert (rights.can_trade, rights.can_withdraw) == (True, False)
    assert await desk.exchange.funding(since_ms=0) == ()
