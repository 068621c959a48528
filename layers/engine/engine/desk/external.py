"""What nobody here opened, or our books lost: ignored, kept away from, or adopted.

A surplus is what the venue holds of (symbol, side) beyond our shares and what other connections
guard. `ignore` lets trading go on beside it. `quarantine` opens nothing more there while it exists.
`adopt` makes it ours: a stop of ours that is still there tells which position it was and where it
was to end, whatever else there is gets a stop at the configured distance from the present price.
An emergency that closes everything adopts what stops of ours guard, whatever the setting.
"""

from dataclasses import replace
from decimal import Decimal

from engine.desk.book import Book
from engine.desk.state import Doubted
from engine.ledger import ADOPTED, Fill, Order, Position, PositionStatus, Purpose
from engine.levels import with_exits
from engine.orders import position_id
from engine.reconcile import Mismatch
from engine.risk import Refusal
from engine.shares import with_entry, with_settled
from engine.values import Exits, IndicationType, Instrument, SetKey, Side, plain

_PLACES = Decimal("0.0001")


def settle_surplus(book: Book, doubt: Doubted) -> None:
    """Act on a surplus that snapshots and fills agree on, as the setting says."""
    mismatch = doubt.mismatch
    at = (mismatch.symbol, mismatch.side)
    book.mismatches[at] = replace(doubt, is_believed=True)
    if mismatch.surplus <= 0:
        return  # another connection's on the same account
    adopts = book.settings.external_positions == "adopt"
    if (adopts or book.inputs.flatten) and _adopt(book, mismatch, whole=adopts):
        return
    figures = {"ours": mismatch.ours, "venue": mismatch.venue, "others": mismatch.others}
    name = f"{mismatch.symbol} {mismatch.side} {mismatch.surplus}"
    book.alarm_once(
        "external_position",
        name,
        symbol=mismatch.symbol,
        side=mismatch.side,
        handling=book.settings.external_positions,
        **figures,
    )


def _adopt(book: Book, mismatch: Mismatch, *, whole: bool) -> bool:
    """Make the surplus positions of ours, `whole` or only what stops of ours guard.

    False while it cannot be done, or where there is nothing of the kind.
    """
    instrument, quote = book.instrument(mismatch.symbol), book.fresh_quote(mismatch.symbol)
    if instrument is None or isinstance(quote, Refusal):
        return False
    average = _average(book, mismatch) or quote.price
    left = mismatch.surplus
    for guard in sorted(book.guards.values(), key=lambda order: order.client_order_id):
        is_its = (guard.symbol, guard.side) == (mismatch.symbol, mismatch.side)
        if is_its and guard.purpose is Purpose.STOP and guard.position_id not in book.positions:
            quantity = min(left, guard.quantity - guard.filled_quantity)
            if quantity > 0:
                left -= quantity
                _restore(book, guard, quantity, average, instrument)
    if not whole and left == mismatch.surplus:
        return False
    if whole and left > 0:
        key = _key(mismatch.symbol, mismatch.side, _exits(book.settings.external_stop_loss_pct))
        name = position_id(book.before.connection_id, key.text, book.now_ms)
        _put(book, name, key, left, average, instrument, first_price=quote.price)
    del book.mismatches[mismatch.symbol, mismatch.side]
    return True


def _restore(
    book: Book, stop: Order, quantity: Decimal, average: Decimal, instrument: Instrument
) -> None:
    """The position a stop of ours guards, under its own id; all its orders belong to it again."""
    target = _sibling(book, stop)
    stop_pct = _distance(stop, average, -1) or book.settings.external_stop_loss_pct
    target_pct = None if target is None else _distance(target, average, 1)
    key = _key(stop.symbol, stop.side, _exits(stop_pct, target_pct))
    _put(book, stop.position_id, key, quantity, average, instrument, first_price=average)
    for order in list(book.guards.values()):
        if order.position_id == stop.position_id:
            book.put_order(replace(order, reason=ADOPTED))
            del book.guards[order.client_order_id]


def _put(
    book: Book,
    name: str,
    key: SetKey,
    quantity: Decimal,
    average: Decimal,
    instrument: Instrument,
    *,
    first_price: Decimal,
) -> None:
    """An open position of ours, entered at what the venue says; its stop counts from `first_price`.

    A stop measured from an old entry price could lie beyond the market, and would close at once
    what was to be adopted.
    """
    empty = Position(
        position_id=name,
        key=key,
        status=PositionStatus.OPEN,
        entry_close_ms=book.now_ms,
        leverage=1,
    )
    found_ms = book.now_ms if book.snapshot is None else book.snapshot.asked_ms
    found = _entry(key, quantity, average, found_ms)
    entered = with_entry(empty, found, Decimal(0), first=True)
    entered = replace(entered, first_price=first_price)
    settled = with_settled(with_exits(entered, instrument, book.settings), ADOPTED, quantity)
    book.put_position(settled)
    book.alarm("position_adopted", position=name, set=key.text, quantity=quantity, price=average)


def _entry(key: SetKey, quantity: Decimal, price: Decimal, at_ms: int) -> Fill:
    """What stands for fills that nobody here saw."""
    return Fill(
        trade_id=ADOPTED,
        client_order_id="",
        exchange_order_id="",
        symbol=key.symbol,
        side=key.side,
        order_side=key.side.entry,
        price=price,
        quantity=quantity,
        fee=Decimal(0),
        fee_asset="",
        is_maker=False,
        executed_at_ms=at_ms,
    )


def _key(symbol: str, side: Side, exits: Exits) -> SetKey:
    return SetKey(
        symbol=symbol, indication=IndicationType.EXTERNAL, parameter=0, side=side, exits=exits
    )


def _exits(stop_pct: Decimal, target_pct: Decimal | None = None) -> Exits:
    """A stop, and a target if there was one: without any only the stop ends it."""
    return Exits(
        take_profit_pct=Decimal(plain(target_pct or Decimal(0))),
        stop_loss_pct=Decimal(plain(stop_pct)),
        trailing_only=target_pct is None,
    )


def _sibling(book: Book, stop: Order) -> Order | None:
    targets = (
        order
        for order in book.guards.values()
        if order.position_id == stop.position_id and order.purpose is Purpose.TARGET
    )
    return next(targets, None)


def _distance(order: Order, average: Decimal, favourable: int) -> Decimal | None:
    """How far an exit lies from the entry, in percent; None if it lies on the wrong side."""
    if order.trigger_price is None:
        return None
    away = (order.trigger_price - average) * order.side.sign * favourable
    return (away * 100 / average).quantize(_PLACES) if away > 0 else None


def _average(book: Book, mismatch: Mismatch) -> Decimal | None:
    """The venue's entry price of the surplus: its average, less what is ours of it."""
    held = [] if book.snapshot is None else book.snapshot.positions
    prices = [
        one.entry_price
        for one in held
        if (one.symbol, one.side) == (mismatch.symbol, mismatch.side) and one.entry_price > 0
    ]
    if not prices or mismatch.others:
        return prices[0] if prices else None
    shares = book.shares_of(mismatch.symbol, mismatch.side)
    ours = sum((share.quantity * (share.entry_price or prices[0]) for share in shares), Decimal(0))
    surplus = (prices[0] * mismatch.venue - ours) / mismatch.surplus
    return surplus if surplus > 0 else prices[0]
