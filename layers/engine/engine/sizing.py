"""How much to open: computed once, when a proven paper position is mirrored to the exchange."""

from dataclasses import dataclass
from decimal import ROUND_CEILING, Decimal

from engine.events import Account
from engine.ladder import stop_distance_pct
from engine.risk import Exposure, Refusal, limit_refusal, order_refusal, risk_cap, safe_leverage
from engine.settings import Settings
from engine.values import Exits, Instrument, TradeMode

FACTOR_RANGE = (Decimal("0.05"), Decimal(10))
RATIO_RANGE = (Decimal("0.25"), Decimal(5))


@dataclass(frozen=True, slots=True, kw_only=True)
class Size:
    """An admissible position: base units, quote notional and margin, `lifted` to the minimum."""

    quantity: Decimal
    notional: Decimal
    leverage: int
    margin: Decimal
    lifted: bool


def leverage_for(instrument: Instrument, exits: Exits, settings: Settings) -> int | Refusal:
    """The leverage to set: the settings' share of what is allowed, lowered for a wide stop.

    It changes margin and the distance of liquidation; the size only where `sizing_mode` is
    `position_cost`. On a spot market nothing is borrowed.
    """
    if instrument.is_spot:
        return 1
    allowed = min(settings.max_leverage, instrument.max_leverage)
    share = 100 if settings.use_maximal_leverage else settings.leverage_percentage
    stop_pct = stop_distance_pct(exits, settings)
    return safe_leverage(max(1, allowed * share // 100), stop_pct, settings)


@dataclass(frozen=True, slots=True, kw_only=True)
class Factors:
    """What the equity is multiplied with: `factor` and `ratio` are kept within their ranges."""

    base: Decimal
    of_mode: Decimal
    of_connection: Decimal
    factor: Decimal
    ratio: Decimal


def factors_of(
    *, settings: Settings, mode: TradeMode, volume_factor: Decimal, size_ratio: Decimal
) -> Factors:
    """The factors of a size in a trade mode, with the connection's own and the adjust ratio."""
    is_preset = mode is TradeMode.PRESET
    of_mode = settings.preset_volume_factor if is_preset else settings.live_volume_factor
    base = settings.base_volume_factor
    return Factors(
        base=base,
        of_mode=of_mode,
        of_connection=volume_factor,
        factor=_clamped(base * of_mode * volume_factor, FACTOR_RANGE),
        ratio=_clamped(size_ratio, RATIO_RANGE),
    )


def intended_notional(
    *,
    equity: Decimal,
    size_ratio: Decimal,
    leverage: int,
    settings: Settings,
    mode: TradeMode,
    volume_factor: Decimal,
) -> Decimal:
    """What an order is meant to be worth, in quote currency, before rounding and limits.

    Equity x factor x ratio, divided by `positions_average`; or, in the mode `position_cost`, times
    the position cost and the leverage. The factor is the product of the base factor, that of the
    trade mode and the connection's `volume_factor`; factor and ratio keep within their ranges.
    """
    factors = factors_of(
        settings=settings, mode=mode, volume_factor=volume_factor, size_ratio=size_ratio
    )
    scaled = equity * factors.factor * factors.ratio
    if settings.sizing_mode == "position_cost":
        return scaled * settings.position_cost_pct / 100 * leverage
    return scaled / settings.positions_average


def sized(
    *,
    instrument: Instrument,
    price: Decimal,
    size_ratio: Decimal,
    leverage: int,
    account: Account,
    exposure: Exposure,
    settings: Settings,
    mode: TradeMode = TradeMode.MAIN,
    volume_factor: Decimal = Decimal(1),
    exchange: str = "",
) -> Size | Refusal:
    """The intended notional at `price`, through every guard in order.

    Guards: the venue's minimum (lifted when allowed), its maximum, the limits of one order, then
    those of the account. All roundings go down.
    """
    intended = intended_notional(
        equity=account.equity,
        size_ratio=size_ratio,
        leverage=leverage,
        settings=settings,
        mode=mode,
        volume_factor=volume_factor,
    )
    quantity = instrument.floor_quantity(intended / price)
    lifted = _below_minimum(instrument, quantity, price)
    if lifted:
        raised = _lifted(instrument, price, intended, account, settings)
        if isinstance(raised, Refusal):
            return raised
        quantity = raised
    notional = quantity * price
    margin = notional / leverage
    refusal = (
        _above_maximum(instrument, quantity)
        or order_refusal(
            notional=notional,
            intended=intended,
            instrument=instrument,
            equity=account.equity,
            settings=settings,
        )
        or limit_refusal(
            notional=notional,
            margin=margin,
            account=account,
            exposure=exposure,
            settings=settings,
            exchange=exchange,
        )
    )
    return refusal or Size(
        quantity=quantity, notional=notional, leverage=leverage, margin=margin, lifted=lifted
    )


def _above_maximum(instrument: Instrument, quantity: Decimal) -> Refusal | None:
    if quantity <= instrument.max_quantity:
        return None
    numbers = {"quantity": quantity, "maximum": instrument.max_quantity}
    return Refusal(code="above_maximum", numbers=numbers)


def _below_minimum(instrument: Instrument, quantity: Decimal, price: Decimal) -> bool:
    return quantity < instrument.min_quantity or quantity * price < instrument.min_notional


def _lifted(
    instrument: Instrument,
    price: Decimal,
    intended: Decimal,
    account: Account,
    settings: Settings,
) -> Decimal | Refusal:
    """The smallest quantity the venue takes, if that is not far more than was intended."""
    needed = max(instrument.min_quantity, instrument.min_notional / price)
    steps = (needed / instrument.quantity_step).to_integral_value(ROUND_CEILING)
    quantity = steps * instrument.quantity_step
    notional = quantity * price
    numbers = {"intended": intended, "minimum": notional}
    if not settings.min_volume_enforcement:
        return Refusal(code="below_minimum", numbers=numbers)
    if notional > settings.lift_limit * intended or notional > risk_cap(account.equity, settings):
        return Refusal(code="minimum_too_large", numbers=numbers)
    return quantity


def _clamped(number: Decimal, bounds: tuple[Decimal, Decimal]) -> Decimal:
    return min(max(number, bounds[0]), bounds[1])
