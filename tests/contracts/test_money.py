"""Money and force on every wire: funding, the key's rights, the clock, liquidation."""

import json
import urllib.request
from collections.abc import Mapping
from decimal import Decimal

import pytest
from tests.exchange_desk import SYMBOL, Desk, eventually, now_ms
from tests.paper_venue import PaperProcess
from tests.venue_cases import VenueCase

from engine.events import Funding
from engine.ledger import Fill, FillKind
from engine.values import Side

BOTH_SIDES = pytest.mark.parametrize("side", [Side.LONG, Side.SHORT])


def happen(
    paper: PaperProcess, venue: VenueCase, kind: str, **given: object
) -> Mapping[str, object]:
    """A fault of the books, at once."""
    body = json.dumps({"venue": venue.name, "fault": kind, "with": given}).encode()
    url = f"http://127.0.0.1:{paper.control_port}/faults/now"
    request = urllib.request.Request(url, body, {"Content-Type": "application/json"})
    with urllib.request.urlopen(request) as answer:
        found: Mapping[str, object] = json.load(answer)
        return found


@BOTH_SIDES
async def test_funding_is_told_once_with_its_sign_and_again_under_the_same_name(
    simple: Desk,
    paper: PaperProcess,
    venue: VenueCase,
    side: Side,
) -> None:
    since_ms = now_ms() - 5_000
    await simple.settled(simple.order(side))
    before = {each.funding_id for each in await simple.exchange.funding(since_ms=since_ms)}

    happen(paper, venue, "charge_funding", symbol=SYMBOL, rate=0.001)

    async def paid() -> list[Funding]:
        found = await simple.exchange.funding(since_ms=since_ms)
        return [each for each in found if each.funding_id not in before]

    (payment,) = await eventually(paid, lambda found: bool(found))
    assert payment.symbol == SYMBOL
    assert payment.asset == "USDT"
    assert payment.side in (None, side)
    assert payment.amount * side.sign < 0
    assert abs(payment.amount) < Decimal("0.010") * 200
    assert await paid() == [payment]


async def test_the_rights_of_a_key_are_told(simple: Desk) -> None:
    rights = await simple.exchange.rights()

    assert rights.can_trade is True
    assert rights.can_withdraw in (True, False)
    assert rights.is_address_bound in (True, False)


async def test_the_clocks_are_compared(simple: Desk) -> None:
    assert abs(await simple.exchange.skew_ms()) < 1_000


@BOTH_SIDES
async def test_a_liquidation_is_told_as_one(
    simple: Desk,
    paper: PaperProcess,
    venue: VenueCase,
    side: Side,
) -> None:
    since_ms = now_ms() - 5_000
    await simple.settled(simple.order(side))

    happen(paper, venue, "liquidate", symbol=SYMBOL)

    async def forced() -> list[Fill]:
        found = await simple.exchange.fills(SYMBOL, since_ms=since_ms)
        return [each for each in found if each.kind is FillKind.LIQUIDATION]

    fills = await eventually(forced, lambda found: bool(found))
    assert fills[-1].side is side
    assert fills[-1].order_side is side.exit
    assert (await simple.snapshot()).positions == ()
