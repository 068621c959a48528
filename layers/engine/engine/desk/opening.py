"""Wishes and operator commands: what may open, what is refused and why."""

from decimal import Decimal

from engine.desk.book import Book
from engine.desk.doubting import not_reconciled
from engine.desk.exposing import account_left, exposure_for
from engine.desk.spot import no_stop_left, not_tradable, with_room_to_sell
from engine.ledger import Position, PositionStatus, Purpose
from engine.orders import position_id
from engine.records import Command, CommandKind
from engine.risk import (
    Candidate,
    Refusal,
    clock_skew,
    price_band,
    protection_refusal,
    stale_equity,
    stale_wish,
    state_refusal,
)
from engine.sizing import Size, leverage_for, sized
from engine.values import CloseReason, Instrument, SetKey, Wish

PREPARE_AGAIN_MS = 1000
REFUSED_MS = 60_000  # a symbol the venue would not prepare is asked for again after this
_PATIENT = (
    CommandKind.RESUME_TRADING,
    CommandKind.CHANGE_EXITS,
    CommandKind.CLOSE_PROFITABLE,
)
_WAITING = frozenset(
    {
        "price_unknown",
        "price_stale",
        "not_prepared",
        "not_reconciled",
        "out_of_sync",
        "equity_unknown",
    }
)


def note_commands(book: Book) -> None:
    """Remember what is new; a command is dealt with once, however often it is read."""
    for command in book.inputs.commands:
        if command.command_id not in book.done:
            book.pending.setdefault(command.command_id, command)


def open_wishes(book: Book) -> None:
    """Wishes in order of their making: opened, refused with a reason, or kept a moment."""
    for command in _pending(book):
        wish = command.wish
        if command.kind in _PATIENT:
            continue  # it waits for a fresh equity or price
        if wish is None:
            book.consume(command, "refused", Refusal(code="unknown_command"))
            continue
        name = position_id(book.before.connection_id, wish.key.text, wish.entry_close_ms)
        if not _settled(book, command, name):
            _try_wish(book, command, wish, name)


def _pending(book: Book) -> list[Command]:
    return sorted(book.pending.values(), key=lambda one: (one.created_at_ms, one.command_id))


def _settled(book: Book, command: Command, name: str) -> bool:
    """Whether its position exists; then the entry's outcome is the wish's."""
    held = book.positions.get(name)
    if held is not None:
        if held.entry_quantity > 0:
            book.consume(command, "done")
        return True
    closed = book.closed.get(name)
    if closed is None:
        return False
    if closed.entry_quantity > 0:
        book.consume(command, "done")
    else:
        entries = book.orders_of(name, Purpose.ENTRY)
        reason = entries[-1].reason if entries else ""
        book.consume(command, "refused", Refusal(code=reason or "entry_failed"))
    return True


def _try_wish(book: Book, command: Command, wish: Wish, name: str) -> None:
    refusal = _forbidden(book, wish)
    size = refusal or _size(book, wish)
    too_old = stale_wish(wish.entry_close_ms, book.now_ms, book.settings)
    if isinstance(size, Size):
        if too_old is None:
            _open(book, wish, name, size)
        else:
            book.consume(command, "refused", too_old)
    elif too_old is not None or size.code not in _WAITING:
        book.consume(command, "refused", size)


def _forbidden(book: Book, wish: Wish) -> Refusal | None:
    """Rules that need no price: permission, one per short key, rests, one-way mode."""
    inputs = book.inputs
    restrained = state_refusal(book.risk, book.now_ms)
    if restrained is not None:
        return restrained
    forbidden = inputs.forbids(wish.key.indication.mode)
    if forbidden:
        return Refusal(code=forbidden)
    held = [position.key for position in book.positions.values()]
    if any(key.short_text == wish.key.short_text for key in held):
        return Refusal(code="short_key_open")
    resting = _cooldown(book, wish) or _protected(book, wish)
    if resting is not None:
        return resting
    opposite = (wish.key.symbol, wish.key.side.opposite)
    if not inputs.hedge and any((key.symbol, key.side) == opposite for key in held):
        return Refusal(code="one_way_mode")
    return _unready(book, wish)


def _unready(book: Book, wish: Wish) -> Refusal | None:
    """What the venue does not trade, or is not known to agree with."""
    instrument = book.instrument(wish.key.symbol)
    if instrument is None:
        return Refusal(code="unknown_symbol")
    untradable = not_tradable(instrument, wish) or no_stop_left(book, instrument)
    if untradable is not None:
        return untradable
    if book.snapshot is None:
        return Refusal(code="not_reconciled")
    return not_reconciled(book, wish.key.symbol, wish.key.side)


def _cooldown(book: Book, wish: Wish) -> Refusal | None:
    """A short key rests after a close, a whole side of a symbol after the venue closed it.

    An entry that never filled costs no rest.
    """
    ends = [
        position.closed_at_ms
        for position in book.closed.values()
        if position.entry_quantity > 0 and _rests(position, wish.key)
    ]
    left_ms = max(ends, default=0) + book.settings.position_cooldown_s * 1000 - book.now_ms
    if not ends or left_ms <= 0:
        return None
    return Refusal(code="cooldown", numbers={"left_ms": Decimal(left_ms)})


def _rests(closed: Position, key: SetKey) -> bool:
    is_liquidated = closed.close_reason is CloseReason.LIQUIDATED
    is_side = (closed.key.symbol, closed.key.side) == (key.symbol, key.side)
    return closed.key.short_text == key.short_text or (is_liquidated and is_side)


def _protected(book: Book, wish: Wish) -> Refusal | None:
    """Whether closed positions rest the symbol, its side or everything."""
    count_from_ms = book.risk.reset_ms
    results = [one for one in book.results.values() if one.closed_at_ms > count_from_ms]
    candidate = Candidate(
        symbol=wish.key.symbol,
        side=wish.key.side,
        equity=book.risk.day_start_equity,
        now_ms=book.now_ms,
    )
    ordered = sorted(results, key=lambda one: (one.closed_at_ms, one.position_id))
    return protection_refusal(ordered, candidate, book.settings)


def _size(book: Book, wish: Wish) -> Size | Refusal:
    symbol = wish.key.symbol
    instrument = book.instrument(symbol)
    if instrument is None:
        return Refusal(code="unknown_symbol")
    refusal = stale_equity(book.account, book.now_ms, book.settings)
    if refusal is not None or book.account is None:
        return refusal or Refusal(code="equity_unknown")
    quote = book.fresh_quote(symbol)
    if isinstance(quote, Refusal):
        return quote
    elsewhere = clock_skew(quote, book.risk, book.now_ms, book.settings) or price_band(
        wish.price, quote.price, book.settings
    )
    if elsewhere is not None:
        return elsewhere
    leverage = _prepared_leverage(book, wish, instrument)
    if isinstance(leverage, Refusal):
        return leverage
    return sized(
        instrument=with_room_to_sell(instrument, quote.price, wish.key.exits, book.settings),
        price=quote.price,
        size_ratio=wish.size_ratio,
        leverage=leverage,
        account=account_left(book, book.account),
        exposure=exposure_for(book, wish.key),
        settings=book.settings,
        mode=wish.key.indication.mode,
        volume_factor=book.inputs.volume_factor,
        exchange=book.inputs.exchange,
    )


def _prepared_leverage(book: Book, wish: Wish, instrument: Instrument) -> int | Refusal:
    """The symbol's leverage on the venue, set before its first order and kept while it is used."""
    symbol = wish.key.symbol
    asked_ms = book.preparing.get(symbol, -REFUSED_MS)
    if symbol in book.unprepared and book.now_ms - asked_ms < REFUSED_MS:
        return Refusal(code="prepare_refused")
    wanted = leverage_for(instrument, wish.key.exits, book.settings)
    if isinstance(wanted, Refusal):
        return wanted
    there = book.prepared.get(symbol)
    if there is not None and there <= wanted:
        return there
    if any(position.key.symbol == symbol for position in book.positions.values()):
        if there is not None:
            return Refusal(
                code="leverage_in_use",
                numbers={"leverage": Decimal(there), "wanted": Decimal(wanted)},
            )
        lowest = min(p.leverage for p in book.positions.values() if p.key.symbol == symbol)
        wanted = min(wanted, lowest)
    if book.now_ms - asked_ms >= PREPARE_AGAIN_MS:
        book.preparing[symbol] = book.now_ms
        book.prepares.append((symbol, wanted))
    return Refusal(code="not_prepared")


def _open(book: Book, wish: Wish, name: str, size: Size) -> None:
    position = Position(
        position_id=name,
        key=wish.key,
        status=PositionStatus.OPENING,
        entry_close_ms=wish.entry_close_ms,
        leverage=size.leverage,
    )
    book.put_position(position)
    book.new_order(position, Purpose.ENTRY, size.quantity, None)
    book.note(
        "position_opening",
        position=name,
        set=wish.key.text,
        quantity=size.quantity,
        lifted=size.lifted,
    )
