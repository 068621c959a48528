"""No answer that is broken, late or missing is ever taken for a fact, at any venue.

The real adapter and unmodified ccxt ask a venue that holds a position, a stop and fills, while the
fault plan spoils what comes back.
"""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from decimal import Decimal
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from tests.served_venue import KEY, PASSPHRASE, SECRET, ServedVenue, a_wire, served
from tests.venue_cases import ON_SPOT_TOO, VenueCase

from adapters.access import Access, Network, PaperAddress
from adapters.clock import SystemClock
from adapters.exchange import CcxtExchange
from adapters.limits import Limits
from adapters.wire import Wire
from engine.errors import CtsError
from engine.events import CancelUnclear, NotFound, OrderUpdate, SendUnclear, Snapshot
from engine.ledger import Order, OrderState, OrderType, Purpose
from engine.orders import order_name
from engine.values import Side
from local.paper.opening import now_ms, warm
from local.paper.venues import WIRES

pytestmark = ON_SPOT_TOO
SYMBOL = "BTCUSDT"
BROKEN: tuple[dict[str, Any], ...] = (
    *({"fault": "malformed", "with": {"how": how}} for how in ("truncated", "garbage", "empty")),
    {"fault": "malformed", "with": {"how": "other_shape"}},
    *(
        {"fault": name, "with": {"executed": executed}}
        for name in ("internal_error", "bad_gateway", "unknown_result", "timeout")
        for executed in ("yes", "no")
    ),
    *(
        {"fault": name}
        for name in (
            "forbidden", "restricted", "overloaded", "rate_limit", "maintenance", "revoke_key",
            "abort", "hang", "accept_then_abort", "accept_then_hang",
        )
    ),
)  # fmt: skip
_numbers = count(1)


@dataclass(frozen=True, slots=True)
class Desk:
    """An adapter at a venue that holds something."""

    venue: ServedVenue
    exchange: CcxtExchange
    entry: Order
    stop: Order


def an_order(purpose: Purpose, *, quantity: str = "0.010", trigger: Decimal | None = None) -> Order:
    kind = OrderType.STOP_MARKET if purpose is Purpose.STOP else OrderType.MARKET
    return Order(
        client_order_id=order_name(f"{next(_numbers):025d}", purpose, 0), position_id="p",
        purpose=purpose, attempt=0, symbol=SYMBOL, side=Side.LONG, order_type=kind,
        quantity=Decimal(quantity), trigger_price=trigger,
    )  # fmt: skip


@pytest.fixture
async def desk(venue: VenueCase, tmp_path: Path) -> AsyncIterator[Desk]:
    paper = a_wire(WIRES[venue.name])
    warm(paper.exchange.quotes)
    async with served(tmp_path, paper) as made:
        clock, dialect = SystemClock(), venue.dialect()
        access = Access(
            venue=venue.name, network=Network.PAPER, api_key=KEY, api_secret=SECRET,
            api_passphrase=PASSPHRASE,
            paper=PaperAddress(host="127.0.0.1", port=made.doors.port, ca_file=made.authority),
        )  # fmt: skip
        wire = Wire(access, clock, dialect, timeout_ms=300, limits=_Deaf(clock, per_minute=10**9))
        exchange = CcxtExchange(wire, dialect, clock)
        try:
            await exchange.instruments()
            await exchange.prepare(SYMBOL, leverage=venue.leverage, hedge=False, cross=True)
            entry = an_order(Purpose.ENTRY)
            stop = an_order(Purpose.STOP, quantity="0.009", trigger=Decimal(60_000))
            for order in (entry, stop):
                answer = await exchange.send(order, valid_ms=2_000)
                assert isinstance(answer, OrderUpdate)
                assert answer.state is not OrderState.REJECTED
            yield Desk(made, exchange, entry, stop)
        finally:
            await exchange.close()


class _Deaf(Limits):
    """A budget without end that no answer shuts: every request must reach the venue."""

    def heard(self, *_: Any, **__: Any) -> None:
        """Nothing is remembered."""

    def silence(self, *_: Any, **__: Any) -> None:
        """Nobody is silent."""


def some_orders(desk: Desk) -> int:
    books = desk.venue.exchange.books
    return len(books.orders) + len(books.algos)


async def test_it_is_no_evidence_of_flat_nor_of_an_unprotected_position(desk: Desk) -> None:
    for rule in BROKEN:
        await desk.venue.rules(rule)
        try:
            found = await desk.exchange.snapshot()
        except CtsError:
            continue
        assert not isinstance(found, Snapshot), rule
    await desk.venue.rules()
    found = await desk.exchange.snapshot()
    assert isinstance(found, Snapshot)
    assert [one.client_order_id for one in found.orders] == [desk.stop.client_order_id]


async def test_it_is_no_evidence_that_nothing_was_executed(desk: Desk) -> None:
    for rule in BROKEN:
        await desk.venue.rules(rule)
        with pytest.raises(CtsError):
            await desk.exchange.fills(SYMBOL, since_ms=now_ms() - 60_000)
            pytest.fail(f"fills were read through {rule}")
    await desk.venue.rules()
    assert len(await desk.exchange.fills(SYMBOL, since_ms=now_ms() - 60_000)) >= 1


@pytest.mark.parametrize("which", ["entry", "stop"])
async def test_it_is_no_evidence_that_an_order_never_arrived(desk: Desk, which: str) -> None:
    order: Order = getattr(desk, which)
    for rule in BROKEN:
        await desk.venue.rules(rule)
        try:
            found = await desk.exchange.look_up(order)
        except CtsError:
            continue
        assert isinstance(found, SendUnclear), rule
    await desk.venue.rules()
    assert isinstance(await desk.exchange.look_up(order), OrderUpdate)


async def test_an_order_called_refused_was_not_executed(desk: Desk) -> None:
    for rule in BROKEN:
        before = some_orders(desk)
        await desk.venue.rules({"route": "POST *"} | rule)
        try:
            found = await desk.exchange.send(an_order(Purpose.ENTRY), valid_ms=2_000)
        except CtsError:
            assert some_orders(desk) == before, rule
            continue
        if isinstance(found, OrderUpdate) and found.state is OrderState.REJECTED:
            assert some_orders(desk) == before, rule
        else:
            assert isinstance(found, SendUnclear), rule


async def test_an_order_called_gone_does_not_wait(desk: Desk) -> None:
    for rule in BROKEN:
        await desk.venue.rules(rule)
        try:
            found = await desk.exchange.cancel(desk.stop)
        except CtsError:
            continue
        if isinstance(found, CancelUnclear):
            continue
        assert isinstance(found, NotFound | OrderUpdate)
        assert not _waits(desk), rule


def _waits(desk: Desk) -> bool:
    books = desk.venue.exchange.books
    return bool(books.open_orders or books.open_algos)


async def test_it_is_no_evidence_of_an_empty_account(desk: Desk) -> None:
    for rule in BROKEN:
        await desk.venue.rules(rule)
        with pytest.raises(CtsError):
            await desk.exchange.account()
            pytest.fail(f"the account was read through {rule}")
    await desk.venue.rules()
    assert (await desk.exchange.account()).equity > 0
