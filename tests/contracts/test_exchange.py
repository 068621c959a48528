"""The Exchange port on every venue's wire: unmodified ccxt over TLS to the paper exchange."""

from decimal import ROUND_UP, Decimal

import pytest
from tests.exchange_desk import BOTH_SIDES, SYMBOL, TRIES, Desk, eventually, now_ms, opened
from tests.paper_venue import Line, PaperProcess
from tests.venue_cases import EVERYWHERE, IN_MEMORY_TOO, ON_SPOT_TOO, VenueCase

from adapters.clock import SystemClock
from adapters.exchange import CcxtExchange
from adapters.limits import Limits
from adapters.venues import ListsApart
from adapters.wire import Wire
from engine.errors import (
    CredentialsError,
    RefusedError,
    RetryableError,
    VenueBusyError,
    VenueRefusedError,
)
from engine.events import (
    CancelUnclear,
    NotFound,
    OrderUpdate,
    SendUnclear,
    Snapshot,
    SnapshotFailed,
    Unclear,
)
from engine.ledger import Order, OrderState, Purpose
from engine.market import Kind
from engine.values import Instrument, Side

# --- what can be traded -----------------------------------------------------------------------


async def test_instruments_tell_steps_limits_and_volume(simple: Desk) -> None:
    instruments = await simple.exchange.instruments()

    assert len({each.symbol for each in instruments}) == len(instruments) == 4
    for each in instruments:
        assert each.symbol == each.base + each.quote
        assert each.price_tick > 0
        assert each.quantity_step > 0
        assert each.min_notional >= 0
        assert each.min_quantity > 0
        assert each.max_leverage >= 20
        assert each.volume_24h_quote > 0


@IN_MEMORY_TOO
async def test_preparing_twice_is_preparing_once(simple: Desk) -> None:
    for leverage in (7, 7, 10):
        await simple.exchange.prepare(SYMBOL, leverage=leverage, hedge=False, cross=True)


@IN_MEMORY_TOO
async def test_a_leverage_the_venue_does_not_grant_is_refused(simple: Desk) -> None:
    with pytest.raises(VenueRefusedError):
        await simple.exchange.prepare(SYMBOL, leverage=1000, hedge=False, cross=True)


async def test_the_mode_cannot_change_under_an_open_position(
    simple: Desk, venue: VenueCase
) -> None:
    await simple.send(simple.order(Side.LONG))

    with pytest.raises(VenueRefusedError, match=venue.mode_in_use):
        await simple.exchange.prepare(SYMBOL, leverage=10, hedge=True, cross=True)


# --- orders -----------------------------------------------------------------------------------


@IN_MEMORY_TOO
@BOTH_SIDES
async def test_an_entry_fills_and_a_close_makes_flat(desk: Desk, side: Side) -> None:
    since_ms = now_ms() - 1000
    entry = desk.order(side)
    answer = await desk.settled(entry)
    held = (await desk.snapshot()).positions
    close = desk.order(side, Purpose.CLOSE)
    closed = await desk.settled(close)
    flat = (await desk.snapshot()).positions

    assert answer.state is OrderState.FILLED
    assert answer.filled_quantity == entry.quantity
    assert [(each.symbol, each.side, each.quantity) for each in held] == [
        (SYMBOL, side, entry.quantity)
    ]
    assert closed.state is OrderState.FILLED
    assert flat == ()
    for order, wanted in ((entry, side.entry), (close, side.exit)):
        fills = await desk.fills_of(order, since_ms=since_ms)
        assert sum(fill.quantity for fill in fills) == order.quantity
        assert {(fill.side, fill.order_side) for fill in fills} == {(side, wanted)}
        assert all(fill.fee > 0 and fill.fee_asset == "USDT" for fill in fills)


@IN_MEMORY_TOO
@BOTH_SIDES
async def test_protection_is_listed_and_can_be_cancelled(desk: Desk, side: Side) -> None:
    await desk.settled(desk.order(side))
    stop = desk.order(side, Purpose.STOP, trigger=await desk.away(side, "-0.05"))
    target = desk.order(side, Purpose.TARGET, trigger=await desk.away(side, "0.05"))

    states = [(await desk.send(each)).state for each in (stop, target)]
    listed = {each.client_order_id: each for each in (await desk.snapshot()).orders}
    cancelled = await desk.exchange.cancel(stop)
    after = await desk.exchange.look_up(stop)

    assert states == [OrderState.OPEN, OrderState.OPEN]
    for order in (stop, target):
        found = listed[order.client_order_id]
        assert (found.side, found.reduces, found.is_conditional) == (side, True, True)
        assert (found.quantity, found.trigger_price) == (order.quantity, order.trigger_price)
    assert isinstance(cancelled, OrderUpdate)
    assert cancelled.state is OrderState.CANCELLED
    assert isinstance(after, OrderUpdate)
    assert after.state is OrderState.CANCELLED


async def between_two_triggers(desk: Desk, side: Side) -> tuple[Order, Order]:
    """A position's stop and target next to the market; anew while it passes one too early."""
    for _ in range(TRIES):
        await desk.settled(desk.order(side))
        stop = desk.order(side, Purpose.STOP, trigger=await desk.away(side, "-0.00008"))
        target = desk.order(side, Purpose.TARGET, trigger=await desk.away(side, "0.00008"))
        answers = [await desk.send(each) for each in (stop, target)]
        if all(answer.state is not OrderState.REJECTED for answer in answers):
            return stop, target
        await desk.clean()
    raise AssertionError(f"the market passed a trigger before its order arrived, {TRIES} times")


@IN_MEMORY_TOO
@BOTH_SIDES
async def test_a_triggered_stop_or_target_fills_under_our_own_name(desk: Desk, side: Side) -> None:
    since_ms = now_ms() - 1000
    stop, target = await between_two_triggers(desk, side)

    async def look_up_both() -> dict[OrderState, Order]:
        found = [(await desk.exchange.look_up(each), each) for each in (stop, target)]
        return {update.state: each for update, each in found if isinstance(update, OrderUpdate)}

    found = await eventually(look_up_both, lambda states: OrderState.FILLED in states)
    fills = await desk.fills_of(found[OrderState.FILLED], since_ms=since_ms)
    update = await desk.exchange.look_up(found[OrderState.FILLED])

    assert sum(fill.quantity for fill in fills) == Decimal("0.010")
    assert {(fill.side, fill.order_side) for fill in fills} == {(side, side.exit)}
    assert isinstance(update, OrderUpdate)
    assert {fill.exchange_order_id for fill in fills} == {update.exchange_order_id}
    assert (await desk.snapshot()).positions == ()


@BOTH_SIDES
async def test_fills_are_named_without_any_memory(
    paper: PaperProcess, venue: VenueCase, simple: Desk, side: Side
) -> None:
    since_ms = now_ms() - 1000
    entry = simple.order(side)
    await simple.send(entry)

    async with opened(paper, venue) as stranger:
        fills = await stranger.fills_of(entry, since_ms=since_ms)

    assert sum(fill.quantity for fill in fills) == entry.quantity
    assert {fill.side for fill in fills} == {side}
    printed = {trade["printed_id"] for trade in paper.books(venue.name)["trades"]}
    assert {fill.trade_id for fill in fills} <= printed


# --- definite refusals ------------------------------------------------------------------------


async def test_without_margin_an_order_is_rejected_with_the_venues_code(
    simple: Desk, venue: VenueCase
) -> None:
    share = Decimal(10_000) * 20 / await simple.price()
    quantity = str(share.quantize(Decimal("0.001"), ROUND_UP))

    answer = await simple.send(simple.order(Side.LONG, quantity=quantity))

    assert answer.state is OrderState.REJECTED
    assert answer.reason.startswith(venue.no_margin)


@IN_MEMORY_TOO
@BOTH_SIDES
async def test_a_reducing_order_without_a_position_is_rejected(
    desk: Desk, venue: VenueCase, side: Side
) -> None:
    answer = await desk.send(desk.order(side, Purpose.CLOSE))

    assert answer.state is OrderState.REJECTED
    assert answer.reason.startswith(venue.nothing_to_reduce)


@EVERYWHERE
async def test_below_the_minimum_notional_an_order_is_rejected(simple: Desk) -> None:
    small = simple.instrument.floor_quantity(simple.instrument.min_notional / 2 / 200_000)
    quantity = max(small, simple.instrument.min_quantity)
    if quantity * await simple.price() >= simple.instrument.min_notional:
        quantity = simple.instrument.min_quantity / 10

    answer = await simple.send(simple.order(Side.LONG, quantity=str(quantity)))

    assert answer.state is OrderState.REJECTED


@IN_MEMORY_TOO
@BOTH_SIDES
async def test_a_trigger_already_passed_is_rejected(
    simple: Desk, venue: VenueCase, side: Side
) -> None:
    await simple.settled(simple.order(side))
    passed = simple.order(side, Purpose.STOP, trigger=await simple.away(side, "0.01"))

    answer = await simple.send(passed)

    assert answer.state is OrderState.REJECTED
    assert answer.reason.startswith(venue.passed_trigger)


@ON_SPOT_TOO
async def test_a_wrong_secret_is_a_credentials_error_and_shows_nowhere(
    paper: PaperProcess, venue: VenueCase
) -> None:
    clock, dialect = SystemClock(), venue.dialect()
    plenty = Limits(clock, per_minute=10**9)
    access = paper.access(venue.name, secret="not-the-secret")
    wire = Wire(access, clock, dialect, limits=plenty)
    exchange = CcxtExchange(wire, dialect, clock, hedge=False)
    desk = Desk(exchange, wire, dialect, Instrument.__new__(Instrument))
    try:
        with pytest.raises(CredentialsError) as refused:
            await exchange.account()
        answer = await desk.send(desk.order(Side.LONG))
        failed = await exchange.snapshot()
    finally:
        await exchange.close()

    assert answer.state is OrderState.REJECTED
    assert isinstance(failed, SnapshotFailed)
    for text in (str(refused.value), answer.reason, failed.text):
        assert "signature=" not in text
        assert "not-the-secret" not in text


@IN_MEMORY_TOO
async def test_an_order_nobody_sent_is_not_found(desk: Desk) -> None:
    for purpose in (Purpose.ENTRY, Purpose.STOP):
        never = desk.order(Side.LONG, purpose, trigger=Decimal(1))
        assert isinstance(await desk.exchange.look_up(never), NotFound)
        assert isinstance(await desk.exchange.cancel(never), NotFound)


@IN_MEMORY_TOO
async def test_an_order_that_is_there_already_is_not_made_twice(simple: Desk) -> None:
    await simple.settled(simple.order(Side.LONG))
    stop = simple.order(Side.LONG, Purpose.STOP, trigger=await simple.away(Side.LONG, "-0.05"))

    first, second = await simple.send(stop), await simple.send(stop)
    listed = (await simple.snapshot()).orders

    assert first.state is second.state is OrderState.OPEN
    assert first.exchange_order_id == second.exchange_order_id
    assert [each.client_order_id for each in listed] == [stop.client_order_id]


@ON_SPOT_TOO
async def test_a_reading_of_one_symbol_weighs_little_and_is_true_of_it(simple: Desk) -> None:
    await simple.settled(simple.order(Side.LONG))
    whole, before = await simple.snapshot(), simple.wire.limits.used
    trigger = await simple.away(Side.LONG, "-0.05")
    stop = simple.order(Side.LONG, Purpose.STOP, trigger=trigger, quantity="0.005")
    await simple.send(stop)

    elsewhere = await simple.exchange.snapshot(frozenset({"ETHUSDT"}))
    here = await simple.exchange.snapshot(frozenset({SYMBOL}))

    assert isinstance(here, Snapshot) and isinstance(elsewhere, Snapshot)
    assert [each.client_order_id for each in here.orders] == [stop.client_order_id]
    assert elsewhere.positions == here.positions == whole.positions != ()
    if isinstance(simple.dialect, ListsApart):
        assert elsewhere.orders == ()  # it was asked about another symbol
        assert elsewhere.whole_ms == here.whole_ms == whole.asked_ms < here.asked_ms
        assert simple.wire.limits.used - before < 80
    else:
        assert here.whole_ms == here.asked_ms


@ON_SPOT_TOO
async def test_a_new_owner_s_reading_of_one_symbol_tells_nothing_of_others(simple: Desk) -> None:
    await simple.settled(simple.order(Side.LONG))
    await simple.snapshot()
    simple.exchange.recall(())

    found = await simple.exchange.snapshot(frozenset({"ETHUSDT"}))

    assert isinstance(found, Snapshot)
    if isinstance(simple.dialect, ListsApart):
        assert (found.positions, found.whole_ms) == ((), 0)
    else:
        assert [each.symbol for each in found.positions] == [SYMBOL]
        assert found.whole_ms == found.asked_ms


# --- unclear outcomes -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("answers", "why"), [("drop", Unclear.TIMEOUT), ("abort", Unclear.CONNECTION)]
)
@pytest.mark.parametrize("purpose", [Purpose.ENTRY, Purpose.STOP])
async def test_an_order_whose_answer_is_lost_is_unclear_and_then_found(
    paper: PaperProcess, venue: VenueCase, answers: str, why: Unclear, purpose: Purpose
) -> None:
    async with Line(paper.port) as line, opened(paper, venue, port=line.port) as desk:
        await desk.exchange.prepare(SYMBOL, leverage=10, hedge=False, cross=True)
        if purpose is Purpose.STOP:
            await desk.settled(desk.order(Side.LONG))
        order = desk.order(Side.LONG, purpose, trigger=await desk.away(Side.LONG, "-0.05"))

        line.answers = answers
        unclear = await desk.exchange.send(order, valid_ms=700)
        blind = await desk.exchange.cancel(order)
        line.answers = "pass"
        line.cut()
        found = await eventually(
            lambda: desk.exchange.look_up(order), lambda a: not isinstance(a, SendUnclear)
        )
        await desk.clean()

    assert isinstance(unclear, SendUnclear)
    assert unclear.client_order_id == order.client_order_id
    assert unclear.why is why
    assert isinstance(blind, CancelUnclear)
    assert isinstance(found, OrderUpdate)
    assert found.state in (OrderState.OPEN, OrderState.FILLED, OrderState.CANCELLED)


@ON_SPOT_TOO
async def test_a_venue_that_is_away_is_evidence_of_nothing(
    paper: PaperProcess, venue: VenueCase
) -> None:
    async with Line(paper.port) as line, opened(paper, venue, port=line.port) as desk:
        order = desk.order(Side.LONG)
        line.answers = "abort"
        line.cut()

        failed = await desk.exchange.snapshot()
        unclear = await desk.exchange.look_up(order)
        with pytest.raises(RetryableError):
            await desk.exchange.fills(SYMBOL, since_ms=now_ms() - 1000)

    assert isinstance(failed, SnapshotFailed)
    assert isinstance(unclear, SendUnclear)


@ON_SPOT_TOO
async def test_a_clock_out_of_step_is_set_again(simple: Desk) -> None:
    simple.wire.client().options["timeDifference"] = 60_000  # as if ours had run ahead

    with pytest.raises(VenueBusyError):
        await simple.exchange.account()
    account = await simple.exchange.account()

    assert account.equity > 0


@ON_SPOT_TOO
async def test_an_order_that_came_too_late_by_the_venue_s_clock_sets_ours(simple: Desk) -> None:
    simple.wire.client().options["timeDifference"] = 8_000  # as if the venue's had been set on

    late = await simple.exchange.send(simple.order(Side.LONG), valid_ms=1_500)
    timely = await simple.exchange.send(simple.order(Side.LONG), valid_ms=1_500)

    assert not isinstance(late, OrderUpdate) or late.state is OrderState.REJECTED
    assert isinstance(timely, OrderUpdate)
    assert timely.state is not OrderState.REJECTED


# --- reading ----------------------------------------------------------------------------------


@ON_SPOT_TOO
async def test_the_account_tells_equity_and_free_margin(simple: Desk) -> None:
    before = await simple.exchange.account()
    await simple.settled(simple.order(Side.LONG))
    after = await simple.exchange.account()

    assert before.equity == before.free_margin > 0
    assert after.free_margin < before.free_margin


@ON_SPOT_TOO
async def test_history_is_whole_on_the_grid_and_paged(simple: Desk) -> None:
    end_ms = now_ms() // 60_000 * 60_000
    start_ms = end_ms - 1600 * 60_000  # more than one page

    candles = await simple.exchange.history(
        SYMBOL, span_ms=60_000, start_ms=start_ms, end_ms=end_ms
    )

    assert len(candles) == 1600
    assert (candles.close_ms[0], candles.close_ms[-1]) == (start_ms + 60_000, end_ms)
    assert (candles.kind != Kind.GAP).all()
    candles.check_prices()


@ON_SPOT_TOO
async def test_an_unfinished_candle_is_a_gap_not_a_guess(simple: Desk) -> None:
    start_ms = now_ms() // 60_000 * 60_000 - 60_000

    candles = await simple.exchange.history(
        SYMBOL, span_ms=60_000, start_ms=start_ms, end_ms=start_ms + 3 * 60_000
    )

    assert candles.kind[:, 0].tolist()[1:] == [Kind.GAP, Kind.GAP]


async def test_prices_of_a_second_are_never_invented(simple: Desk) -> None:
    with pytest.raises(RefusedError, match="span_ms must be one of"):
        await simple.exchange.history(SYMBOL, span_ms=1000, start_ms=0, end_ms=10_000)


@ON_SPOT_TOO
async def test_an_unknown_symbol_is_refused_by_name(simple: Desk) -> None:
    with pytest.raises(RefusedError, match="NOPEUSDT"):
        await simple.exchange.history("NOPEUSDT", span_ms=60_000, start_ms=0, end_ms=60_000)
