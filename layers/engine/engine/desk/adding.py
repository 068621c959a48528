"""Steps of the ladder (DCA): what is added to a losing position, and why not."""

from dataclasses import replace
from decimal import Decimal

from engine.desk.book import Book
from engine.desk.doubting import not_reconciled
from engine.desk.exposing import account_left, exposure_for
from engine.ladder import Step, admitted
from engine.ledger import Order, Position, PositionStatus, Purpose, Recovery
from engine.levels import fell_to, first_price, stop_would_trigger
from engine.orders import TRIES_PER_STEP, missing
from engine.risk import Refusal, limit_refusal, order_refusal, stale_equity, state_refusal
from engine.values import Instrument


def add_steps(book: Book) -> None:
    """The next step of every ladder whose price has come, one at a time for each position."""
    for position_id in sorted(book.positions):
        position = book.positions[position_id]
        instrument = book.instrument(position.key.symbol)
        if position.key.exits.ladder and instrument is not None and _may_grow(book, position):
            _take_step(book, position, instrument)


def _may_grow(book: Book, position: Position) -> bool:
    """Whether it rests open, covered by a live stop, with nothing of it on its way.

    An order of unknown fate is looked up first, and a new owner reads what the venue holds; a step
    is never sent a second time meanwhile.
    """
    if position.status is not PositionStatus.OPEN or position.recovery is Recovery.BACK:
        return False
    if book.snapshot is None:
        return False
    return all(_is_settled(book, order) for order in book.orders_of(position.position_id)) and (
        book.stop_cover(position) >= position.quantity
    )


def _is_settled(book: Book, order: Order) -> bool:
    if missing(order) > 0:
        return False
    rests = order.order_type.is_conditional and book.is_live(order)
    return order.state.is_terminal or rests


def _take_step(book: Book, position: Position, instrument: Instrument) -> None:
    adds = book.orders_of(position.position_id, Purpose.ADD)
    step = _next_step(book, adds)
    quote = book.fresh_quote(position.key.symbol)
    if step is None or isinstance(quote, Refusal) or _is_resting(book, position, adds):
        return
    side, tick = position.key.side, instrument.price_tick
    if not fell_to(quote.price, first_price(position), step.distance_pct, side, tick):
        return
    quantity = instrument.floor_quantity(position.first_quantity * step.volume)
    refusal = _refusal(book, position, instrument, quantity, quote.price)
    if refusal is not None:
        book.add_refused[position.position_id] = book.now_ms
        book.refusals[refusal.code] = book.refusals.get(refusal.code, 0) + 1
        book.note(
            "add_refused", position=position.position_id, reason=refusal.code, **refusal.texts
        )
        return
    tries = sum(_step_of(order) == step.number for order in adds)
    attempt = step.number * TRIES_PER_STEP + tries
    book.new_order(position, Purpose.ADD, quantity, attempt=attempt)
    book.note(
        "position_adding", position=position.position_id, step=step.number + 1, quantity=quantity
    )


def _next_step(book: Book, adds: list[Order]) -> Step | None:
    """The first step that is not done: one is, as soon as anything of it is filled."""
    done = {_step_of(order) for order in adds if order.filled_quantity > 0}
    tried = [_step_of(order) for order in adds]
    for step in admitted(book.settings):
        if step.number not in done:
            return step if tried.count(step.number) < TRIES_PER_STEP else None
    return None


def _step_of(order: Order) -> int:
    return order.attempt // TRIES_PER_STEP


def _is_resting(book: Book, position: Position, adds: list[Order]) -> bool:
    """Whether the last step, or the last refusal of one, is too recent."""
    last_ms = max((max(o.created_at_ms, _ended_ms(o)) for o in adds), default=0)
    last_ms = max(last_ms, book.add_refused.get(position.position_id, 0))
    return book.now_ms - last_ms < book.settings.dca_step_cooldown_s * 1000


def _ended_ms(order: Order) -> int:
    """When an order ended that filled nothing."""
    return 0 if order.filled_quantity > 0 else order.updated_at_ms


def _refusal(
    book: Book, position: Position, instrument: Instrument, quantity: Decimal, price: Decimal
) -> Refusal | None:
    """Why the step may not be taken now: permission, the stop, the venue, limits of the account."""
    return (
        _forbidden(book, position)
        or _beyond_stop(book, position, instrument, price)
        or _unfit(book, position, instrument, quantity, price)
        or _over_limit(book, position, instrument, quantity, price)
    )


def _forbidden(book: Book, position: Position) -> Refusal | None:
    restrained = state_refusal(book.risk, book.now_ms)
    if restrained is not None:
        return restrained
    forbidden = book.inputs.forbids(position.key.indication.mode)
    if forbidden:
        return Refusal(code=forbidden)
    if not book.settings.exchange_dca:
        return Refusal(code="exchangeDcaEnabled")
    return not_reconciled(book, position.key.symbol, position.key.side)


def _beyond_stop(
    book: Book, position: Position, instrument: Instrument, price: Decimal
) -> Refusal | None:
    if stop_would_trigger(position, price, instrument, book.settings):
        return Refusal(code="beyond_stop", numbers={"price": price})
    return None


def _unfit(
    book: Book, position: Position, instrument: Instrument, quantity: Decimal, price: Decimal
) -> Refusal | None:
    """What the venue would not take, or more than the ladder's largest total."""
    numbers = {"quantity": quantity, "price": price}
    if quantity < instrument.min_quantity or quantity * price < instrument.min_notional:
        return Refusal(code="below_minimum", numbers=numbers)
    if quantity > instrument.max_quantity:
        return Refusal(code="above_maximum", numbers=numbers)
    together = position.entry_quantity + quantity
    most = position.first_quantity * book.settings.dca_max_total_ratio
    if together > most:
        return Refusal(code="ladder_total", numbers={"quantity": together, "limit": most})
    return None


def _over_limit(
    book: Book, position: Position, instrument: Instrument, quantity: Decimal, price: Decimal
) -> Refusal | None:
    """The limits an opening of this size meets, but for the count: no position is opened."""
    stale = stale_equity(book.account, book.now_ms, book.settings)
    if stale is not None or book.account is None:
        return stale
    notional = quantity * price
    account = account_left(book, book.account)
    exposure = exposure_for(book, position.key)
    return order_refusal(
        notional=notional,
        intended=notional,
        instrument=instrument,
        equity=account.equity,
        settings=book.settings,
    ) or limit_refusal(
        notional=notional,
        margin=notional / position.leverage,
        account=account,
        exposure=replace(exposure, positions=exposure.positions - 1),
        settings=book.settings,
        exchange=book.inputs.exchange,
    )
