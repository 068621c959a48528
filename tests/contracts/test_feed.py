"""The Feed port on every venue's wire: streams, silence, breaks and polling."""

import asyncio
from collections.abc import Sequence
from decimal import Decimal
from pathlib import Path

import numpy as np
import pytest
from tests.feed_watch import Watch, assert_same, kinds, watching
from tests.paper_venue import Line, PaperProcess
from tests.venue_cases import EVERYWHERE, IN_MEMORY_TOO, ON_SPOT_TOO, VenueCase

from adapters.backfill import MINUTE_MS
from adapters.exchange import CcxtExchange
from engine.events import Event, OrderUpdate, StreamBroken
from engine.ledger import Fill, Order, OrderState, OrderType, Purpose
from engine.market import Kind, join_time
from engine.orders import order_name
from engine.values import Side

# --- market -----------------------------------------------------------------------------------


@ON_SPOT_TOO
async def test_streamed_candles_equal_the_venues_own_trades(
    paper: PaperProcess, venue: VenueCase
) -> None:
    async with watching(paper, venue) as it:
        await it.follow()
        await it.until_streaming()
        made = await it.seconds(5)
        truth = await it.truth(int(made[0].close_ms[0]) - 2000, int(made[-1].close_ms[0]))
        sources, late = it.feed.sources(), it.feed.late_trades

    assert_same(made, truth)
    assert kinds(made) <= {Kind.TRADED, Kind.FLAT}
    assert sources["stream"] >= 5 * len(it.instruments)
    assert late == 0


@EVERYWHERE
async def test_a_candle_asked_for_twice_is_the_same_candle(
    paper: PaperProcess, venue: VenueCase
) -> None:
    async with watching(paper, venue) as it:
        await it.follow()
        made = (await it.seconds(1))[0]

        assert await it.feed.candles(int(made.close_ms[0])) is made


@EVERYWHERE
async def test_the_first_second_is_rebuilt_from_the_venues_trades(
    paper: PaperProcess, venue: VenueCase
) -> None:
    async with watching(paper, venue) as it:
        await it.follow()
        made = await it.seconds(1)
        truth = await it.truth(int(made[0].close_ms[0]) - 1000, int(made[0].close_ms[0]))

    assert Kind.GAP not in kinds(made)
    assert_same(made, truth)


@EVERYWHERE
async def test_quotes_are_fresh_and_followed_symbols_only(
    paper: PaperProcess, venue: VenueCase
) -> None:
    async with watching(paper, venue, symbols=2) as it:
        await it.follow()
        await it.until_streaming()
        quotes, now_ms = it.feed.quotes(), it.clock.now_ms()

    assert list(quotes) == [each.symbol for each in it.instruments]
    for quote in quotes.values():
        assert quote.price > 0
        assert quote.event_ms <= quote.seen_ms + 100
        assert now_ms - quote.seen_ms < 1_500


@ON_SPOT_TOO
async def test_another_choice_of_symbols_keeps_the_sockets_it_can(
    paper: PaperProcess, venue: VenueCase
) -> None:
    async with watching(paper, venue) as it:
        everything = it.instruments
        it.instruments = everything[:2]
        await it.follow()
        await it.until_streaming()
        it.instruments = everything[1:]
        await it.follow()
        await it.until_streaming()
        made = await it.seconds(2)
        truth = await it.truth(int(made[0].close_ms[0]) - 1000, int(made[-1].close_ms[0]))
        breaks = it.feed.breaks

    assert made[0].symbols == tuple(each.symbol for each in everything[1:])
    assert_same(made, truth)
    assert breaks == 0


@ON_SPOT_TOO
async def test_polling_serves_where_there_is_no_stream(
    paper: PaperProcess, venue: VenueCase
) -> None:
    async with watching(paper, venue, stream=False) as it:
        await it.follow(private=True)
        await it.seconds(2)
        made = await it.seconds(4)
        truth = await it.truth(int(made[0].close_ms[0]) - 1000, int(made[-1].close_ms[0]))
        sources, events = it.feed.sources(), it.feed.events()

    joined = join_time(made)
    rows = np.searchsorted(truth.close_ms, joined.close_ms)
    assert kinds(made) <= {Kind.TRADED, Kind.FLAT}
    assert sources["stream"] == 0
    assert sources["polling"] >= 4 * len(it.instruments)
    assert (joined.high <= truth.high[rows]).all()
    assert (joined.low >= truth.low[rows]).all()
    assert (joined.close >= truth.low[rows]).all()
    assert (joined.close <= truth.high[rows]).all()
    assert [type(event) for event in events] == [StreamBroken]  # read the account yourself


# --- trouble ----------------------------------------------------------------------------------


@ON_SPOT_TOO
async def test_a_socket_that_falls_silent_is_found_out_and_replaced(
    paper: PaperProcess, venue: VenueCase
) -> None:
    async with Line(paper.port) as line, watching(paper, venue, port=line.port) as it:
        await it.follow()
        await it.until_streaming()
        await asyncio.sleep(1.6)

        muted = line.mute_streams()
        silent = await it.seconds(3)
        await it.until_streaming()
        truth = await it.truth(int(silent[0].close_ms[0]) - 1000, int(silent[-1].close_ms[0]))
        breaks = it.feed.breaks

    assert muted >= 1
    assert breaks >= 1
    assert_same(silent, truth)  # what is no gap is true: nothing was called flat out of deafness


@ON_SPOT_TOO
async def test_a_cut_line_heals(paper: PaperProcess, venue: VenueCase) -> None:
    async with Line(paper.port) as line, watching(paper, venue, port=line.port) as it:
        await it.follow(private=True)
        await it.until_streaming()
        it.feed.events()

        line.cut()
        broken = await it.seconds(2)
        await it.until_streaming()
        await it.seconds(1)
        truth = await it.truth(int(broken[0].close_ms[0]) - 1000, int(broken[-1].close_ms[0]))
        events = it.feed.events()

    assert_same(broken, truth)
    told = [event for event in events if isinstance(event, StreamBroken)]
    assert len(told) == 2  # when it broke, and when it was back
    assert told[1].since_ms <= told[0].since_ms <= told[0].at_ms <= told[1].at_ms


@ON_SPOT_TOO
async def test_a_venue_killed_and_back_is_followed_again(tmp_path: Path, venue: VenueCase) -> None:
    paper = PaperProcess(tmp_path / "paper")
    paper.start()
    try:
        async with watching(paper, venue) as it:
            await it.follow(private=True)
            await it.until_streaming()
            await asyncio.to_thread(paper.kill)
            dead = await it.seconds(2)
            await asyncio.to_thread(paper.start)
            await it.until_streaming()
            made = await it.seconds(2)
            truth = await it.truth(int(made[0].close_ms[0]) - 1000, int(made[-1].close_ms[0]))
            told = [event for event in it.feed.events() if isinstance(event, StreamBroken)]
    finally:
        paper.stop()

    assert Kind.GAP in kinds(dead)
    assert_same(made, truth)
    assert told


@ON_SPOT_TOO
async def test_a_venue_that_refuses_streams_is_polled_and_its_account_read(
    tmp_path: Path, venue: VenueCase
) -> None:
    paper = PaperProcess(tmp_path / "paper", options=("--symbols", "2", "--no-stream"))
    paper.start()
    try:
        async with watching(paper, venue) as it:
            await it.follow(private=True)
            made = await it.seconds(9)
            sources, events = it.feed.sources(), it.feed.events()
    finally:
        paper.stop()

    assert Kind.GAP not in kinds(made[1:])
    assert sources["stream"] == 0
    assert sources["polling"] >= 16
    assert [type(event) for event in events] == [StreamBroken]


@ON_SPOT_TOO
async def test_after_a_freeze_every_socket_is_opened_anew(
    paper: PaperProcess, venue: VenueCase
) -> None:
    async with watching(paper, venue) as it:
        await it.follow(private=True)
        await it.until_streaming()

        it.clock.ahead_ms += 3_000
        await asyncio.sleep(0.3)
        it.clock.ahead_ms = 0
        await asyncio.sleep(0.3)
        breaks = it.feed.breaks
        await it.until_streaming()

    assert breaks == 1


@ON_SPOT_TOO
async def test_messages_that_waited_out_a_freeze_make_no_price_fresh(
    paper: PaperProcess, venue: VenueCase
) -> None:
    async with watching(paper, venue) as it:
        await it.follow()
        await it.until_streaming()

        it.clock.ahead_ms += 5_000
        thawed_ms = it.clock.now_ms()
        looks = 0
        while it.feed.breaks == 0:
            quotes = it.feed.quotes().values()
            looks += len(quotes)
            assert all(quote.seen_ms < thawed_ms for quote in quotes)
            await asyncio.sleep(0.002)

    assert looks > 0


# --- the account's own events -----------------------------------------------------------------


def an_order(number: int, side: Side, purpose: Purpose, trigger: Decimal | None = None) -> Order:
    types = {Purpose.STOP: OrderType.STOP_MARKET, Purpose.TARGET: OrderType.TAKE_PROFIT_MARKET}
    return Order(
        client_order_id=order_name(f"{number:025d}", purpose, 0),
        position_id="p",
        purpose=purpose,
        attempt=0,
        symbol="BTCUSDT",
        side=side,
        order_type=types.get(purpose, OrderType.MARKET),
        quantity=Decimal("0.010"),
        trigger_price=trigger,
    )


async def gathered(it: Watch, events: list[Event], names: Sequence[str]) -> str:
    """Gather events until one of these orders is told to be filled: its name."""
    async with asyncio.timeout(60):
        while True:
            events += it.feed.events()
            for event in events:
                if (
                    isinstance(event, OrderUpdate)
                    and event.client_order_id in names
                    and event.state is OrderState.FILLED
                ):
                    return event.client_order_id
            await asyncio.sleep(0.05)


def bracket(it: Watch, base: int, side: Side) -> list[Order]:
    """A target and a stop so near the price that it must soon meet one of the two."""
    instrument, price = it.instruments[0], it.feed.quotes()["BTCUSDT"].price
    away = Decimal("0.00006") * side.sign
    return [
        an_order(
            base + number,
            side,
            purpose,
            instrument.to_price(instrument.to_ticks(price * (1 + shift))),
        )
        for number, (purpose, shift) in enumerate(
            [(Purpose.TARGET, away), (Purpose.STOP, -away)], start=1
        )
    ]


@IN_MEMORY_TOO
@pytest.mark.parametrize("side", [Side.LONG, Side.SHORT])
async def test_own_orders_and_fills_arrive_by_stream_as_rest_tells_them(
    paper: PaperProcess, venue: VenueCase, side: Side
) -> None:
    base = 10 if side is Side.LONG else 20
    async with watching(paper, venue, symbols=1) as it:
        exchange = it.exchange
        await exchange.prepare("BTCUSDT", leverage=10, hedge=True, cross=True)
        await it.follow(private=True)
        await it.until_streaming()
        events: list[Event] = []
        since_ms = it.clock.now_ms() - 1000
        entry = an_order(base, side, Purpose.ENTRY)
        await exchange.send(entry, valid_ms=2_000)
        await gathered(it, events, [entry.client_order_id])
        exits = bracket(it, base, side)
        answers = [await exchange.send(each, valid_ms=2_000) for each in exits]
        if any(
            isinstance(answer, OrderUpdate) and answer.state is OrderState.REJECTED
            for answer in answers  # the price has met it already
        ):
            exits.append(an_order(base + 3, side, Purpose.CLOSE))
            await exchange.send(exits[-1], valid_ms=2_000)
        closed_by = await gathered(it, events, [each.client_order_id for each in exits])
        fetched = await exchange.fills("BTCUSDT", since_ms=since_ms)

    streamed = [event for event in events if isinstance(event, Fill)]
    ours = {entry.client_order_id, closed_by}
    assert {fill.client_order_id for fill in streamed} == ours
    assert {fill.side for fill in streamed} == {side}
    assert {fill.key: fill for fill in streamed} == {
        fill.key: fill for fill in fetched if fill.client_order_id in ours
    }


# --- the past ---------------------------------------------------------------------------------


@ON_SPOT_TOO
async def test_seconds_of_a_minute_add_up_to_the_venues_own_candle(
    paper: PaperProcess, venue: VenueCase
) -> None:
    async with watching(paper, venue) as it:
        exchange = CcxtExchange(it.wire, it.dialect, it.clock)
        await it.follow()
        end_ms = it.clock.now_ms() // MINUTE_MS * MINUTE_MS
        start_ms = end_ms - MINUTE_MS
        seconds = await it.truth(start_ms, end_ms)
        for index, each in enumerate(it.instruments):
            minute = await exchange.history(
                each.symbol, span_ms=MINUTE_MS, start_ms=start_ms, end_ms=end_ms
            )

            inside = seconds.close_ms > start_ms
            rows = np.flatnonzero(inside & (seconds.kind[:, index] == Kind.TRADED))

            assert inside.sum() == 60
            assert minute.open[0, 0] == seconds.open[rows[0], index]
            assert minute.high[0, 0] == seconds.high[rows, index].max()
            assert minute.low[0, 0] == seconds.low[rows, index].min()
            assert minute.close[0, 0] == seconds.close[rows[-1], index]
            assert minute.volume[0, 0] == seconds.volume[rows, index].sum()


@ON_SPOT_TOO
async def test_backfill_is_minutes_and_then_seconds_without_a_hole(
    paper: PaperProcess, venue: VenueCase
) -> None:
    async with watching(paper, venue, symbols=2) as it:
        await it.follow()
        end_ms = it.clock.now_ms() // 1000 * 1000
        start_ms = end_ms // MINUTE_MS * MINUTE_MS - 30 * MINUTE_MS

        pieces = await it.feed.backfill(start_ms, end_ms)

    assert {piece.span_ms for piece in pieces} == {1000, MINUTE_MS}
    assert pieces[0].span_ms == MINUTE_MS
    at_ms = start_ms
    for piece in pieces:
        assert (np.diff(piece.close_ms) == piece.span_ms).all()
        assert piece.close_ms[0] == at_ms + piece.span_ms
        assert (piece.kind != Kind.GAP).all()
        at_ms = int(piece.close_ms[-1])
    assert at_ms == end_ms
    assert sum(len(piece) for piece in pieces if piece.span_ms == 1000) <= 600


@ON_SPOT_TOO
async def test_backfill_of_a_spent_budget_falls_back_to_minutes(
    paper: PaperProcess, venue: VenueCase
) -> None:
    async with watching(paper, venue, symbols=2, rebuild_share=0) as it:
        await it.follow()
        end_ms = it.clock.now_ms() // MINUTE_MS * MINUTE_MS

        pieces = await it.feed.backfill(end_ms - 3 * MINUTE_MS, end_ms)

    assert [piece.span_ms for piece in pieces] == [MINUTE_MS]
