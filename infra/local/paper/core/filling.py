"""Booking one execution: position, margin, wallet, fee, fill."""

from dataclasses import replace
from decimal import Decimal

from local.paper.core import margin
from local.paper.core.books import AccountChanged, Books, OrderChanged
from local.paper.core.margin import MAKER_FEE, TAKER_FEE
from local.paper.core.records import (
    ZERO,
    Fill,
    FillKind,
    Income,
    IncomeKind,
    Order,
    OrderStatus,
    Position,
)


def fill(
    books: Books,
    order: Order,
    *,
    price: Decimal,
    quantity: Decimal,
    maker: bool,
    now_ms: int,
    kind: FillKind = FillKind.TRADE,
) -> Fill:
    """Execute ``quantity`` of an order at a price; the caller commits. Deleveraging is free."""
    position = books.position(order.symbol, order.position_side)
    held = position.quantity
    realized = move(position, order.side.sign * quantity, price)
    _allot(books, position, held, price)
    fee = quantity * price * (MAKER_FEE if maker else TAKER_FEE)
    if kind is FillKind.DELEVERAGING:
        fee = ZERO
    position.realized += realized
    position.updated_ms = now_ms
    books.keep_position(position)
    books.account.wallet += realized - fee
    order.filled += quantity
    order.filled_quote += quantity * price
    full = order.filled >= order.quantity
    order.status = OrderStatus.FILLED if full else OrderStatus.PARTIALLY_FILLED
    order.updated_ms = now_ms
    books.keep_order(order)
    execution = Fill(
        trade_id=books.next_id(), order_id=order.order_id, client_order_id=order.client_order_id,
        symbol=order.symbol, side=order.side, position_side=order.position_side, price=price,
        quantity=quantity, fee=fee, realized=realized, maker=maker, time_ms=now_ms, kind=kind,
    )  # fmt: skip
    books.keep_fill(execution)
    books.tell(AccountChanged(reason="ORDER", positions=(replace(position),)))
    books.tell(OrderChanged(order=order.copy(), execution="TRADE", fill=execution))
    return execution


def move(position: Position, change: Decimal, price: Decimal) -> Decimal:
    """Change a position by a signed quantity and return the realized profit.

    Closing keeps the entry price; adding averages it by quantity; crossing zero closes all and
    opens the rest.
    """
    held = position.quantity
    after = held + change
    if held * change >= 0:
        cost = position.entry_price * held + price * change
        position.quantity, position.entry_price = after, cost / after if after else ZERO
        return ZERO
    closed = min(abs(held), abs(change)) * (1 if held > 0 else -1)
    realized = (price - position.entry_price) * closed
    if after == 0:
        position.entry_price = ZERO
    elif after * held < 0:
        position.entry_price = price
    position.quantity = after
    return realized


def _allot(books: Books, position: Position, before: Decimal, price: Decimal) -> None:
    """Isolated margin follows the quantity: released as it closes, given as it opens."""
    config, after = books.config(position.symbol), position.quantity
    if not config.isolated:
        return
    kept = min(abs(before), abs(after)) if before * after > 0 else ZERO
    if before:
        position.margin = position.margin * kept / abs(before)
    position.margin += (abs(after) - kept) * price / config.leverage


def pay(books: Books, position: Position, income: Income) -> None:
    """Book a payment: an isolated position has it in its own margin; the caller commits."""
    books.account.wallet += income.amount
    if position.quantity and books.config(position.symbol).isolated:
        position.margin = max(position.margin + income.amount, ZERO)
    books.keep_position(position)
    books.keep_income(income)
    books.keep_account()
    books.tell(
        AccountChanged(
            reason=income.kind.value, positions=(replace(position),), incomes=(income,)
        )
    )  # fmt: skip


def clear(books: Books, position: Position, amount: Decimal, now_ms: int) -> None:
    """Settle with the insurance fund: above zero it pays the account, below zero it is paid."""
    if amount == 0:
        return
    books.account.insurance -= amount
    income = Income(
        income_id=books.next_id(), kind=IncomeKind.INSURANCE_CLEAR, symbol=position.symbol,
        position_side=position.position_side, amount=amount, time_ms=now_ms,
    )  # fmt: skip
    pay(books, position, income)


def cover(books: Books, position: Position, now_ms: int) -> None:
    """Once nothing cross is held, what the cross wallet lacks is the insurance fund's loss."""
    if not margin.held_cross(books):
        clear(books, position, max(-margin.cross_wallet(books), ZERO), now_ms)
