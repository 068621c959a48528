"""Bybit's error codes and words, and which refusal of the core gets which.

Every answer has HTTP status 200; what went wrong stands in `retCode` and `retMsg`.
"""

from typing import Any

from local.paper.core.refusals import Reason

Json = Any


class VenueError(Exception):
    """A request is answered with an error of the venue."""

    def __init__(self, code: int, message: str, result: Json = None) -> None:
        super().__init__(f"{code} {message}")
        self.code = code
        self.message = message
        self.result = result


_WORDS: dict[Reason, tuple[int, str]] = {
    Reason.UNKNOWN_SYMBOL: (10001, "Not supported symbols"),
    Reason.BAD_CLIENT_ID: (10001, "OrderLinkID is illegal"),
    Reason.DUPLICATE_CLIENT_ID: (110072, "OrderLinkedID is duplicate"),
    Reason.QUANTITY_PRECISION: (10001, "Qty invalid"),
    Reason.QUANTITY_TOO_SMALL: (
        10001,
        "The number of contracts exceeds minimum limit allowed: too small",
    ),
    Reason.PRICE_PRECISION: (10001, "Price invalid"),
    Reason.PRICE_TICK: (10001, "Price invalid"),
    Reason.PRICE_NOT_POSITIVE: (110003, "Order price exceeds the allowable range."),
    Reason.NOTIONAL_TOO_SMALL: (110094, "Order does not meet minimum order value"),
    Reason.MARGIN_INSUFFICIENT: (110007, "ab not enough for new order"),
    Reason.REDUCE_ONLY_REJECTED: (
        110017,
        "current position is zero, cannot fix reduce-only order qty",
    ),
    Reason.WRONG_POSITION_SIDE: (10001, "position idx not match position mode"),
    Reason.TOO_MANY_CONDITIONAL: (
        110009,
        "The number of stop orders exceeds the maximum allowable limit.",
    ),
    Reason.UNKNOWN_ORDER: (110001, "order not exists or too late to cancel"),
    Reason.NO_SUCH_ORDER: (110001, "order not exists or too late to cancel"),
    Reason.NOTHING_TO_AMEND: (
        10001,
        "The order remains unchanged as the parameters entered match the existing ones.",
    ),
    Reason.NO_CHANGE_OF_MODE: (110025, "Position mode has not been modified."),
    Reason.NO_CHANGE_OF_MARGIN: (110026, "Cross/isolated margin mode has not been modified."),
    Reason.OPEN_POSITION: (
        110024,
        "You have an existing position, so the position mode cannot be switched.",
    ),
    Reason.OPEN_ORDERS: (
        110028,
        "You have existing open orders, so the position mode cannot be switched.",
    ),
    Reason.LEVERAGE_RANGE: (110013, "Cannot set leverage due to risk limit level."),
}


def refused(reason: Reason) -> VenueError:
    """The venue's error for a refusal of the core; what it has no words of its own for is 10001."""
    code, message = _WORDS.get(reason, (10001, f"params error: {reason.value}"))
    return VenueError(code, message)


def bad(message: str) -> VenueError:
    """A parameter that is missing, unknown or malformed."""
    return VenueError(10001, f"params error: {message}")


NO_PERMISSION = (10005, "Permission denied, please check your API key permissions.")
UNKNOWN_ROUTE = (10017, "Route not found.")
MARGIN_MODE_FAILED = (
    3400045,
    "Set margin mode failed",
    {
        "reasons": [
            {"reasonCode": "3400101", "reasonMsg": "Please ensure that there are no positions"}
        ]
    },
)
LEVERAGE_UNCHANGED = (110043, "Set leverage has not been modified.")
FILLED_ALREADY = (
    110064,
    "The number of contracts modified cannot be less than or equal to the filled quantity.",
)
EXPECTS_RISING = (110092, "expect Rising, but trigger_price <= current")
EXPECTS_FALLING = (110093, "expect Falling, but trigger_price >= current")
