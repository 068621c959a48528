"""Isolated margin on OKX's wire, where each order names its margin mode."""

from collections.abc import AsyncIterator

import pytest
from tests.exchange_desk import SYMBOL, Desk, opened
from tests.paper_venue import PaperProcess
from tests.venue_cases import VENUES

from engine.errors import VenueRefusedError
from engine.events import OrderUpdate
from engine.ledger import OrderState, Purpose
from engine.values import Side

OKX = next(case for case in VENUES if case.name == "okx")
BOTH_SIDES = pytest.mark.parametrize("side", [Side.LONG, Side.SHORT])


@pytest.fixture(params=[False, True], ids=["one-way", "hedge"])
async def desk(paper: PaperProcess, request: pytest.FixtureRequest) -> AsyncIterator[Desk]:
    async with opened(paper, OKX) as made:
        await made.exchange.prepare(SYMBOL, leverage=7, hedge=request.param, cross=False)
        yield made
        await made.clean()


@BOTH_SIDES
async def test_a_position_is_opened_protected_and_closed(desk: Desk, side: Side) -> None:
    entry = await desk.send(desk.order(side))
    stop = desk.order(side, Purpose.STOP, trigger=await desk.away(side, "-0.03"))
    waiting = await desk.send(stop)
    rows = await desk.wire.call("privateGetAccountPositions", {"instType": "SWAP"})
    cancelled = await desk.exchange.cancel(stop)
    close = await desk.send(desk.order(side, Purpose.CLOSE))

    assert (entry.state, waiting.state, close.state) == (
        OrderState.FILLED, OrderState.OPEN, OrderState.FILLED,
    )  # fmt: skip
    assert [(row["mgnMode"], row["lever"]) for row in rows["data"]] == [("isolated", "7")]
    assert isinstance(cancelled, OrderUpdate)
    assert (await desk.snapshot()).positions == ()


@BOTH_SIDES
async def test_a_successor_learns_the_margin_mode_from_the_position(
    paper: PaperProcess, desk: Desk, side: Side
) -> None:
    await desk.send(desk.order(side))

    async with opened(paper, OKX) as successor:
        closed = await successor.send(desk.order(side, Purpose.CLOSE))

    assert closed.state is OrderState.FILLED


async def test_the_margin_mode_cannot_change_under_a_position(desk: Desk) -> None:
    await desk.send(desk.order(Side.LONG))
    hedge = await desk.dialect.is_hedged(desk.wire)

    with pytest.raises(VenueRefusedError, match="a position is open in isolated"):
        await desk.exchange.prepare(SYMBOL, leverage=7, hedge=hedge, cross=True)


async def test_who_never_prepared_and_holds_nothing_is_refused(
    paper: PaperProcess, desk: Desk
) -> None:
    async with opened(paper, OKX) as stranger:
        answer = await stranger.send(desk.order(Side.LONG))

    assert answer.state is OrderState.REJECTED
    assert "margin mode was never prepared" in answer.reason
