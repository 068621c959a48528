"""Rules of the order path, each broken by hand: what a simulation must notice."""

import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from adapters.exchange import CcxtExchange
from engine import orders
from engine.cycles import errands
from engine.desk import absorbing, booking, comparing, guarding, resolving
from engine.desk.book import Book
from engine.desk.state import DeskInputs
from engine.events import FillsFetched, SendUnclear
from engine.ledger import Order, OrderState, Purpose
from engine.records import Facts, Lease
from local.simulation.leases import MemoryLeases
from local.simulation.store import MemoryStore

Patch = pytest.MonkeyPatch
Break = Callable[[Patch], None]


def resend_on_timeout(patch: Patch) -> None:
    send = CcxtExchange.send

    async def again(exchange: CcxtExchange, order: Order, *, valid_ms: int) -> Any:
        answer = await send(exchange, order, valid_ms=valid_ms)
        if isinstance(answer, SendUnclear):
            answer = await send(exchange, order, valid_ms=valid_ms)
        return answer

    patch.setattr(CcxtExchange, "send", again)


@contextmanager
def any_lease_will_do() -> Iterator[None]:
    """Meanwhile whoever asks is taken for the one who holds the lease."""
    with pytest.MonkeyPatch.context() as inner:
        inner.setattr(
            MemoryLeases,
            "confirmed",
            lambda leases, asked: leases.read(asked.connection_id, asked.loop),
        )
        yield


def claim_without_the_lease(patch: Patch) -> None:
    claim = MemoryStore.claim

    def blind(store: MemoryStore, lease: Lease, order: Order) -> bool:
        with any_lease_will_do():
            return claim(store, lease, order)

    patch.setattr(MemoryStore, "claim", blind)


def facts_without_the_lease(patch: Patch) -> None:
    write = MemoryStore.write_facts

    def blind(store: MemoryStore, lease: Lease, facts: Facts) -> None:
        with any_lease_will_do():
            write(store, lease, facts)

    patch.setattr(MemoryStore, "write_facts", blind)


def believe_one_empty_answer(patch: Patch) -> None:
    def at_once(book: Book, doubt: Any) -> None:
        mismatch = doubt.mismatch
        if mismatch.venue < mismatch.ours:
            comparing._reduce_shares(book, mismatch)

    patch.setattr(comparing, "_follow_up", at_once)


def book_a_fill_twice(patch: Patch) -> None:
    def receive(book: Book, fill: Any) -> None:
        book.loose[fill.key] = fill

    patch.setattr(absorbing, "receive", receive)


def not_found_is_gone(patch: Patch) -> None:
    def at_once(*, not_found_ms: Any, **_: Any) -> bool:
        return len(not_found_ms) > 0

    patch.setattr(resolving, "is_absence_proven", at_once)


def random_names(patch: Patch) -> None:
    name = orders.order_name

    def other(position: str, purpose: Purpose, attempt: int) -> str:
        letters = "abcdefghijklmnopqrstuvwxyz234567"
        tail = "".join(random.choice(letters) for _ in range(8))
        return name(position[:-8] + tail, purpose, attempt)

    patch.setattr(orders, "order_name", other)


def forget_the_stop_after_a_partial_fill(patch: Patch) -> None:
    keep = guarding._keep_one

    def once(book: Book, position: Any, purpose: Purpose, *rest: Any) -> None:
        if purpose is Purpose.STOP and book.orders_of(position.position_id, Purpose.STOP):
            return
        keep(book, position, purpose, *rest)

    patch.setattr(guarding, "_keep_one", once)


def seal_nothing(patch: Patch) -> None:
    def open_still(book: Book) -> None:
        book.sealed = True

    plan = __import__("engine.desk", fromlist=["plan_positions"]).plan_positions.__globals__
    patch.setitem(plan, "seal", open_still)


def send_late(patch: Patch) -> None:
    """What was claimed leaves, whenever that is; and its validity is counted from then."""

    async def whenever(runner: errands.Errands, order: Order, settings: Any) -> Any:
        return (await runner.exchange.send(order, valid_ms=settings.send_validity_ms),)

    patch.setattr(errands.Errands, "_send", whenever)


def hear_the_stream_alone(patch: Patch) -> None:
    async def nothing(runner: errands.Errands, symbol: str, since_ms: int) -> Any:
        now_ms = runner.clock.now_ms()
        return (FillsFetched(symbol=symbol, since_ms=since_ms, asked_ms=now_ms, at_ms=now_ms),)

    patch.setattr(errands.Errands, "_fills", nothing)


def ignore_funding(patch: Patch) -> None:
    patch.setattr(absorbing, "is_dealt_with", lambda book, event: True)


def lose_a_fee(patch: Patch) -> None:
    patch.setattr(booking, "fee_in_quote", lambda fill, instrument, price: Decimal(0))


def leave_orphans(patch: Patch) -> None:
    patch.setattr(Book, "cancel", lambda book, order: None)


def believe_a_refusal_to_reduce(patch: Patch) -> None:
    """What cannot be closed is called closed."""
    ended = guarding._ended

    def over(book: Book, position: Any) -> bool:
        closes = book.orders_of(position.position_id, Purpose.CLOSE)
        if closes and closes[-1].state is OrderState.REJECTED:
            position = replace(position, quantity=position.quantity * 0)
            book.put_position(position)
        return ended(book, position)

    patch.setattr(guarding, "_ended", over)


def open_in_a_pause(patch: Patch) -> None:
    forbids = DeskInputs.forbids
    patch.setattr(
        DeskInputs, "forbids", lambda inputs, mode: forbids(replace(inputs, wanted="run"), mode)
    )


BREAKS: tuple[Break, ...] = (
    resend_on_timeout,
    claim_without_the_lease,
    facts_without_the_lease,
    believe_one_empty_answer,
    book_a_fill_twice,
    not_found_is_gone,
    random_names,
    forget_the_stop_after_a_partial_fill,
    seal_nothing,
    send_late,
    hear_the_stream_alone,
    ignore_funding,
    lose_a_fee,
    leave_orphans,
    believe_a_refusal_to_reduce,
    open_in_a_pause,
)
