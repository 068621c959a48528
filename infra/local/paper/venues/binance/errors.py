"""Binance's error codes and words, and which refusal of the core gets which."""

from local.paper.core.refusals import Reason


class VenueError(Exception):
    """An answer ``{"code": ..., "msg": ...}`` with its HTTP status."""

    def __init__(self, code: int, message: str, status: int = 400) -> None:
        super().__init__(f"{code} {message}")
        self.code = code
        self.message = message
        self.status = status


_WORDS: dict[Reason, tuple[int, str]] = {
    Reason.UNKNOWN_SYMBOL: (-1121, "Invalid symbol."),
    Reason.BAD_CLIENT_ID: (-4015, "Client order id length should be less than 36 chars"),
    Reason.DUPLICATE_CLIENT_ID: (-4116, "ClientOrderId is duplicated."),
    Reason.QUANTITY_PRECISION: (-1111, "Precision is over the maximum defined for this asset."),
    Reason.QUANTITY_TOO_SMALL: (-4003, "Quantity less than or equal to zero."),
    Reason.PRICE_PRECISION: (-1111, "Precision is over the maximum defined for this asset."),
    Reason.PRICE_TICK: (-4014, "Price not increased by tick size."),
    Reason.PRICE_NOT_POSITIVE: (-4001, "Price less than 0."),
    Reason.NOTIONAL_TOO_SMALL: (
        -4164,
        "Order's notional must be no smaller than the minimum (unless you choose reduce only).",
    ),
    Reason.MARGIN_INSUFFICIENT: (-2019, "Margin is insufficient."),
    Reason.REDUCE_ONLY_REJECTED: (-2022, "ReduceOnly Order is rejected."),
    Reason.WRONG_POSITION_SIDE: (
        -4061,
        "Order's position side does not match user's setting.",
    ),
    Reason.REDUCE_ONLY_IN_HEDGE_MODE: (-1106, "Parameter 'reduceonly' sent when not required."),
    Reason.WOULD_TRIGGER: (-2021, "Order would immediately trigger."),
    Reason.TOO_MANY_CONDITIONAL: (-4045, "Reach max stop order limit."),
    Reason.CLOSE_POSITION_EXISTS: (
        -4130,
        "An open stop or take profit order with closePosition in the direction is existing.",
    ),
    Reason.CALLBACK_RATE: (-2007, "Invalid callBack rate."),
    Reason.POST_ONLY_WOULD_TAKE: (
        -5022,
        "Due to the order could not be executed as maker, the Post Only order will be rejected.",
    ),
    Reason.FILL_OR_KILL: (
        -5021,
        "Due to the order could not be filled immediately, the FOK order has been rejected.",
    ),
    Reason.UNKNOWN_ORDER: (-2011, "Unknown order sent."),
    Reason.NO_SUCH_ORDER: (-2013, "Order does not exist."),
    Reason.NOTHING_TO_AMEND: (-5027, "No need to modify the order."),
    Reason.NO_CHANGE_OF_MODE: (-4059, "No need to change position side."),
    Reason.NO_CHANGE_OF_MARGIN: (-4046, "No need to change margin type."),
    Reason.OPEN_POSITION: (-4068, "Position side cannot be changed if there exists position."),
    Reason.OPEN_ORDERS: (-4067, "Position side cannot be changed if there exists open orders."),
    Reason.LEVERAGE_RANGE: (-4028, "Leverage must be within 1..125."),
}


def refused(reason: Reason) -> VenueError:
    """The venue's words for a refusal."""
    code, message = _WORDS[reason]
    return VenueError(code, message)


def unread(read: int, sent: int) -> VenueError:
    """A parameter was sent that the route does not know."""
    words = f"Not all sent parameters were read; read '{read}' parameter(s) but was sent '{sent}'."
    return VenueError(-1104, words)


def missing(name: str) -> VenueError:
    """A parameter is needed."""
    words = f"Mandatory parameter '{name}' was not sent, was empty/null, or malformed."
    return VenueError(-1102, words)


def empty(name: str) -> VenueError:
    """A parameter has no value."""
    return VenueError(-1105, f"Parameter '{name}' was empty.")


def not_wanted(name: str) -> VenueError:
    """A parameter does not go with the others."""
    return VenueError(-1106, f"Parameter '{name}' sent when not required.")


def illegal(name: str) -> VenueError:
    """A parameter has a value it cannot have."""
    return VenueError(-1130, f"Data sent for parameter '{name}' is not valid.")


INVALID_TYPE = VenueError(-1116, "Invalid orderType.")
INVALID_SIDE = VenueError(-1117, "Invalid side.")
INVALID_TIME_IN_FORCE = VenueError(-1115, "Invalid timeInForce.")
INVALID_INTERVAL = VenueError(-1120, "Invalid interval.")
INVALID_LISTEN_KEY = VenueError(-1125, "This listenKey does not exist.")
BAD_KEY_FORMAT = VenueError(-2014, "API-key format invalid.", 401)
BAD_KEY = VenueError(-2015, "Invalid API-key, IP, or permissions for action.", 401)
BAD_SIGNATURE = VenueError(-1022, "Signature for this request is not valid.")
BAD_TIMESTAMP = VenueError(-1021, "Timestamp for this request is outside of the recvWindow.")
UNKNOWN_ROUTE = VenueError(-5000, "Path or method is invalid", 404)
CONDITIONAL_ELSEWHERE = VenueError(
    -4120,
    "Order type not supported for this endpoint. Please use the Algo Order API endpoints instead.",
)
