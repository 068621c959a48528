"""Binance spot's own codes and words; what it has in common with USD-M comes from there."""

from local.paper.core.refusals import Reason
from local.paper.venues.binance.errors import Answer
from local.paper.wire import Answer as WireAnswer
from local.paper.wire import Json


class AnsweredError(Exception):
    """A request is answered with an error that says more than code and words."""

    def __init__(self, body: Json, status: int) -> None:
        super().__init__(str(body))
        self.answer = WireAnswer(body=body, status=status)


_FILTER = "Filter failure: {}"
_WORDS: dict[Reason, tuple[int, str]] = {
    Reason.UNKNOWN_SYMBOL: (-1121, "Invalid symbol."),
    Reason.BAD_CLIENT_ID: (
        -1100,
        "Illegal characters found in parameter 'newClientOrderId'; legal range is"
        " '^[a-zA-Z0-9-_]{1,36}$'.",
    ),
    Reason.DUPLICATE_CLIENT_ID: (-2010, "Duplicate order sent."),
    Reason.QUANTITY_PRECISION: (-1013, _FILTER.format("LOT_SIZE")),
    Reason.QUANTITY_TOO_SMALL: (-1013, _FILTER.format("LOT_SIZE")),
    Reason.PRICE_PRECISION: (-1013, _FILTER.format("PRICE_FILTER")),
    Reason.PRICE_TICK: (-1013, _FILTER.format("PRICE_FILTER")),
    Reason.PRICE_NOT_POSITIVE: (-1013, "Invalid price."),
    Reason.NOTIONAL_TOO_SMALL: (-1013, _FILTER.format("NOTIONAL")),
    Reason.MARGIN_INSUFFICIENT: (-2010, "Account has insufficient balance for requested action."),
    Reason.WOULD_TRIGGER: (-2010, "Stop price would trigger immediately."),
    Reason.TOO_MANY_CONDITIONAL: (-1013, _FILTER.format("MAX_NUM_ALGO_ORDERS")),
    Reason.POST_ONLY_WOULD_TAKE: (-2010, "Order would immediately match and take."),
    Reason.UNKNOWN_ORDER: (-2011, "Unknown order sent."),
    Reason.NO_SUCH_ORDER: (-2013, "Order does not exist."),
}
LONGER_THAN_A_DAY = Answer(-1127, "More than 24 hours between startTime and endTime.")
EMPTY_SYMBOLS = Answer(-1100, "Illegal characters found in parameter 'symbols'.")
BOTH_SYMBOLS = Answer(
    -1128, "Combination of optional parameters invalid. Recommendation: symbol or symbols"
)


def refused(reason: Reason) -> Answer:
    """Spot's words for a refusal of the core."""
    code, message = _WORDS[reason]
    return Answer(code, message)


def body_of(answer: Answer) -> Json:
    """Code and words, as the venue answers them."""
    return {"code": answer.code, "msg": answer.message}
