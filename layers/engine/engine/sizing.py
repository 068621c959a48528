"""How much to open: computed once, when a proven paper position is mirrored to the exchange."""

from dataclasses import dataclass
from decimal import ROUND_CEILING, Decimal

from engine.events import Account
from engine.risk import Exposure, Refusal, limit_refusal, risk_cap, safe_leverage
from engine.settings import Settings
from engine.values import Exits, Instrument

FACTOR_RANGE = (Decimal("0.05"), Decimal(10))
RATIO_RANGE = (Decimal("0.25"), Decimal(5))
LIFT_LIMIT = 3  # an order may be lifted to the venue's minimum, up to this many times its size


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

    It changes margin and the distance of liquidation, never the size.
    """
    allowed = min(settings.max_leverage, instrument.max_leverage)
    share = 100 if settings.use_maximal_leverage else settings.leverage_percentage
    return safe_leverage(max(1, allowed * share // 100), exits.stop_loss_pct)


def sized(
    *,
    instrument: Instrument,
    price: Decimal,
    size_ratio: Decimal,
    leverage: int,
    account: Account,
    exposure: Exposure,
    settings: Settings,
    volume_factor: Decimal = Decimal(1),
) -> Size | Refusal:
    """Equity x factor x ratio / positions_average at `price`, through every guard in order.

    The factor is the product of the settings' two and the connection's `volume_factor`.

    Guards: the venue's minimum (lifted when allowed), its maximum, the risk budget, free margin,
    the number of positions, the exposure of the symbol and side. All roundings go down.
    """
    scale = settings.base_volume_factor * settings.live_volume_factor * volume_factor
    factor = _clamped(scale, FACTOR_RANGE)
    ratio = _clamped(size_ratio, RATIO_RANGE)
    intended = account.equity * factor * ratio / settings.positions_average
    quantity = instrument.floor_quantity(intended / price)
    lifted = _below_minimum(instrument, quantity, price)
    if lifted:
        raised = _lifted(instrument, price, intended, account, settings)
        if isinstance(raised, Refusal):
            return raised
        quantity = raised
    if quantity > instrument.max_quantity:
        return Refusal(
            code="above_maximum",
            numbers={"quantity": quantity, "maximum": instrument.max_quantity},
        )
    notional = quantity * price
    margin = notional / leverage
    refusal = limit_refusal(
        notional=notional, margin=margin, account=account, exposure=exposure, settings=settings
    )
    return refusal or Size(
        quantity=quantity, notional=notional, leverage=leverage, margin=margin, lifted=lifted
    )


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
    if notional > LIFT_LIMIT * intended or notional > risk_cap(account.equity, settings):
        return Refusal(code="minimum_too_large", numbers=numbers)
    return quantity


def _clamped(number: Decimal, bounds: tuple[Decimal, Decimal]) -> Decimal:
    return min(max(number, bounds[0]), bounds[1])
