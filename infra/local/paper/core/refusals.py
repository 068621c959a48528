"""Why the exchange refuses; a venue turns each reason into its own code and words."""

from enum import StrEnum


class Reason(StrEnum):
    """Every refusal of the core."""

    UNKNOWN_SYMBOL = "unknown_symbol"
    BAD_CLIENT_ID = "bad_client_id"
    DUPLICATE_CLIENT_ID = "duplicate_client_id"
    QUANTITY_PRECISION = "quantity_precision"
    QUANTITY_TOO_SMALL = "quantity_too_small"
    PRICE_PRECISION = "price_precision"
    PRICE_TICK = "price_tick"
    PRICE_NOT_POSITIVE = "price_not_positive"
    NOTIONAL_TOO_SMALL = "notional_too_small"
    MARGIN_INSUFFICIENT = "margin_insufficient"
    REDUCE_ONLY_REJECTED = "reduce_only_rejected"
    WRONG_POSITION_SIDE = "wrong_position_side"
    REDUCE_ONLY_IN_HEDGE_MODE = "reduce_only_in_hedge_mode"
    WOULD_TRIGGER = "would_trigger"
    TOO_MANY_CONDITIONAL = "too_many_conditional"
    CLOSE_POSITION_EXISTS = "close_position_exists"
    CALLBACK_RATE = "callback_rate"
    POST_ONLY_WOULD_TAKE = "post_only_would_take"
    FILL_OR_KILL = "fill_or_kill"
    UNKNOWN_ORDER = "unknown_order"
    NO_SUCH_ORDER = "no_such_order"
    NOTHING_TO_AMEND = "nothing_to_amend"
    NO_CHANGE_OF_MODE = "no_change_of_mode"
    NO_CHANGE_OF_MARGIN = "no_change_of_margin"
    OPEN_POSITION = "open_position"
    MARGIN_OPEN_POSITION = "margin_open_position"
    OPEN_ORDERS = "open_orders"
    LEVERAGE_RANGE = "leverage_range"
    LEVERAGE_REDUCTION = "leverage_reduction"
    POSITION_TOO_LARGE = "position_too_large"
    NO_ISOLATED_POSITION = "no_isolated_position"
    MARGIN_REDUCTION = "margin_reduction"
    NO_POSITION = "no_position"


class RefusedError(Exception):
    """The exchange did nothing, for this reason; raised before any state changes."""

    def __init__(self, reason: Reason, detail: str = "") -> None:
        super().__init__(f"{reason.value} {detail}".strip())
        self.reason = reason
