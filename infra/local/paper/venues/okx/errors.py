"""OKX's error codes and words, and which refusal of the core gets which."""

from dataclasses import dataclass

from local.paper.core.refusals import Reason


@dataclass(frozen=True, slots=True)
class Refusal:
    """A code with its words; `status` is that of HTTP where the whole request is refused."""

    code: str
    message: str
    status: int = 200


class VenueError(Exception):
    """A request is answered with an error of the venue."""

    def __init__(self, refusal: Refusal) -> None:
        super().__init__(f"{refusal.code} {refusal.message}")
        self.refusal = refusal


_MIN_AMOUNT = "Your order should meet or exceed the minimum order amount."
_CLOSE_ALL = "Settings failed. Close any open positions or orders before modifying settings."
# Not among them: what must not take, or must fill at once; such orders are accepted and cancelled.
_WORDS: dict[Reason, tuple[str, str]] = {
    Reason.UNKNOWN_SYMBOL: ("51001", "Instrument ID or Spread ID doesn't exist."),
    Reason.BAD_CLIENT_ID: ("51000", "Parameter clOrdId error"),
    Reason.DUPLICATE_CLIENT_ID: ("51016", "Client order ID already exists."),
    Reason.QUANTITY_PRECISION: ("51121", "Order quantity must be a multiple of the lot size."),
    Reason.QUANTITY_TOO_SMALL: ("51020", _MIN_AMOUNT),
    Reason.PRICE_PRECISION: ("51000", "Parameter px error"),
    Reason.PRICE_TICK: ("51000", "Parameter px error"),
    Reason.PRICE_NOT_POSITIVE: ("51000", "Parameter px error"),
    Reason.NOTIONAL_TOO_SMALL: ("51020", _MIN_AMOUNT),
    Reason.MARGIN_INSUFFICIENT: ("51008", "Order failed. Insufficient USDT margin in account."),
    Reason.REDUCE_ONLY_REJECTED: (
        "51169",
        "Order failed because you don't have any positions in this direction for this contract to"
        " reduce or close.",
    ),
    Reason.WRONG_POSITION_SIDE: ("51000", "Parameter posSide error"),
    Reason.REDUCE_ONLY_IN_HEDGE_MODE: ("51205", "Reduce Only is not available."),
    Reason.WOULD_TRIGGER: ("51280", "SL trigger price must be less than the last price."),
    Reason.TOO_MANY_CONDITIONAL: ("51261", "The number of pending stop orders is at its limit."),
    Reason.CLOSE_POSITION_EXISTS: ("51329", "closeFraction is only available in NET mode."),
    Reason.CALLBACK_RATE: ("51257", "Trail order callback rate error."),
    Reason.UNKNOWN_ORDER: (
        "51400",
        "Order cancellation failed as the order has been filled, canceled or does not exist.",
    ),
    Reason.NO_SUCH_ORDER: ("51603", "Order does not exist"),
    Reason.NOTHING_TO_AMEND: ("52000", "No updates"),
    Reason.NO_CHANGE_OF_MODE: ("52000", "No updates"),
    Reason.NO_CHANGE_OF_MARGIN: ("52000", "No updates"),
    Reason.OPEN_POSITION: ("59000", _CLOSE_ALL),
    Reason.MARGIN_OPEN_POSITION: ("59000", _CLOSE_ALL),
    Reason.OPEN_ORDERS: ("59000", _CLOSE_ALL),
    Reason.LEVERAGE_RANGE: ("59102", "Leverage exceeds the maximum limit. Lower the leverage."),
    Reason.LEVERAGE_REDUCTION: ("59108", "Your account leverage is too low: add margin first."),
    Reason.POSITION_TOO_LARGE: ("51004", "Order amount exceeds the limit of the leverage's tier."),
    Reason.NO_ISOLATED_POSITION: ("59301", "Margin adjustment failed: no such position."),
    Reason.MARGIN_REDUCTION: ("59301", "Margin adjustment failed: it exceeds the maximum."),
    Reason.NO_POSITION: ("51023", "Position does not exist."),
}


def refused(reason: Reason) -> Refusal:
    """The venue's words for a refusal."""
    code, message = _WORDS[reason]
    return Refusal(code, message)


def illegal(name: str) -> Refusal:
    """A parameter has a value it cannot have, or the route does not know it."""
    return Refusal("51000", f"Parameter {name} error")


def empty(name: str) -> Refusal:
    """A parameter is needed."""
    return Refusal("50014", f"Parameter {name} cannot be empty.", 400)


BAD_JSON = Refusal("50002", "JSON syntax error", 400)
BAD_KEY = Refusal("50111", "Invalid OK-ACCESS-KEY", 401)
NO_KEY = Refusal("50103", 'Request header "OK-ACCESS-KEY" cannot be empty.', 401)
BAD_PASSPHRASE = Refusal("50105", 'Request header "OK-ACCESS-PASSPHRASE" incorrect.', 401)
BAD_SIGNATURE = Refusal("50113", "Invalid Sign", 401)
BAD_STAMP = Refusal("50112", "Invalid OK-ACCESS-TIMESTAMP", 401)
LATE_STAMP = Refusal("50102", "Timestamp request expired", 401)
LATE_ORDER = Refusal("51149", "Order timed out. Please try again.")
UNKNOWN_ROUTE = Refusal("404", "The requested path does not exist", 404)
OTHER_MARGIN = Refusal("51000", "Parameter tdMode error: the position is in the other margin mode")
DUPLICATE_ALGO = Refusal("51065", "algoClOrdId already exists.")
ALREADY_CANCELED = Refusal("51401", "Cancellation failed as the order is already canceled.")
ALREADY_FILLED = Refusal("51402", "Cancellation failed as the order is already completed.")
PASSED_TRIGGER = {
    ("sl", "BUY"): Refusal("51278", "SL trigger price cannot be lower than the last price"),
    ("sl", "SELL"): Refusal("51280", "SL trigger price cannot be higher than the last price"),
    ("tp", "BUY"): Refusal("51277", "TP trigger price cannot be higher than the last price"),
    ("tp", "SELL"): Refusal("51279", "TP trigger price cannot be lower than the last price"),
}
