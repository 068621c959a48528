"""Binance's error codes and words, and which refusal of the core gets which."""

from dataclasses import dataclass

from local.paper.core.refusals import Reason


@dataclass(frozen=True, slots=True)
class Answer:
    """``{"code": ..., "msg": ...}`` with its HTTP status."""

    code: int
    message: str
    status: int = 400


class VenueError(Exception):
    """A request is answered with an error of the venue."""

    def __init__(self, answer: Answer) -> None:
        super().__init__(f"{answer.code} {answer.message}")
        self.answer = answer


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
    Reason.MARGIN_OPEN_POSITION: (
        -4048,
        "Margin type cannot be changed if there exists position.",
    ),
    Reason.OPEN_ORDERS: (-4067, "Position side cannot be changed if there exists open orders."),
    Reason.LEVERAGE_RANGE: (-4028, "Leverage must be within 1..125."),
    Reason.LEVERAGE_REDUCTION: (
        -4161,
        "Leverage reduction is not supported in Isolated Margin Mode with open positions.",
    ),
    Reason.POSITION_TOO_LARGE: (
        -2027,
        "Exceeded the maximum allowable position at current leverage.",
    ),
    Reason.NO_ISOLATED_POSITION: (-4046, "Position is not isolated."),
    Reason.MARGIN_REDUCTION: (-4051, "Isolated balance insufficient."),
    Reason.NO_POSITION: (-4055, "There is no position."),
}


def refused(reason: Reason) -> Answer:
    """The venue's words for a refusal."""
    code, message = _WORDS[reason]
    return Answer(code, message)


def unread(read: int, sent: int) -> Answer:
    """A parameter was sent that the route does not know."""
    words = f"Not all sent parameters were read; read '{read}' parameter(s) but was sent '{sent}'."
    return Answer(-1104, words)


def missing(name: str) -> Answer:
    """A parameter is needed."""
    words = f"Mandatory parameter '{name}' was not sent, was empty/null, or malformed."
    return Answer(-1102, words)


def empty(name: str) -> Answer:
    """A parameter has no value."""
    return Answer(-1105, f"Parameter '{name}' was empty.")


def not_wanted(name: str) -> Answer:
    """A parameter does not go with the others."""
    return Answer(-1106, f"Parameter '{name}' sent when not required.")


def illegal(name: str) -> Answer:
    """A parameter has a value it cannot have."""
    return Answer(-1130, f"Data sent for parameter '{name}' is not valid.")


def depth_limit(limit: int) -> Answer:
    """A book of that many levels is not served."""
    return Answer(-4021, f"Depth limit {limit} is not valid.")


INVALID_TYPE = Answer(-1116, "Invalid orderType.")
INVALID_SIDE = Answer(-1117, "Invalid side.")
INVALID_TIME_IN_FORCE = Answer(-1115, "Invalid timeInForce.")
INVALID_INTERVAL = Answer(-1120, "Invalid interval.")
INVALID_LISTEN_KEY = Answer(-1125, "This listenKey does not exist.")
BAD_KEY_FORMAT = Answer(-2014, "API-key format invalid.", 401)
BAD_KEY = Answer(-2015, "Invalid API-key, IP, or permissions for action.", 401)
BAD_SIGNATURE = Answer(-1022, "Signature for this request is not valid.")
BAD_TIMESTAMP = Answer(-1021, "Timestamp for this request is outside of the recvWindow.")
UNKNOWN_ROUTE = Answer(-5000, "Path or method is invalid", 404)
MARGIN_TYPE_WITH_ORDERS = Answer(
    -4047, "Margin type cannot be changed if there exists open orders."
)
CONDITIONAL_ELSEWHERE = Answer(
    -4120,
    "Order type not supported for this endpoint. Please use the Algo Order API endpoints instead.",
)
