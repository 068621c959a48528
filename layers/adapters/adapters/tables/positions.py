"""Table of exchange positions."""

from pynamodb.attributes import (
    BooleanAttribute,
    JSONAttribute,
    ListAttribute,
    UnicodeAttribute,
)
from pynamodb.indexes import LocalSecondaryIndex

from adapters.decimals import DecimalAttribute, IntegerAttribute
from adapters.tables import base


class LivePositions(LocalSecondaryIndex["PositionRow"]):  # type: ignore[no-untyped-call]
    """Positions not closed."""

    class Meta(base.IndexMeta):
        index_name = "live"

    connection_id = UnicodeAttribute(hash_key=True)
    live_since_ms = IntegerAttribute(range_key=True)


class RecentPositions(LocalSecondaryIndex["PositionRow"]):  # type: ignore[no-untyped-call]
    """Positions by the close time of the candle they were decided on."""

    class Meta(base.IndexMeta):
        index_name = "recent"

    connection_id = UnicodeAttribute(hash_key=True)
    created_at_ms = IntegerAttribute(range_key=True)


class ClosedPositions(LocalSecondaryIndex["PositionRow"]):  # type: ignore[no-untyped-call]
    """Closed positions by the time they closed."""

    class Meta(base.IndexMeta):
        index_name = "closed"

    connection_id = UnicodeAttribute(hash_key=True)
    closed_at_ms = IntegerAttribute(range_key=True)


class PositionRow(base.Row):
    """An exchange position of ours, or the guard row of its short key.

    One: get by `position_id`. Open ones: index `live`. Newest first: index `recent`. Last closed:
    index `closed`. A guard row "key#<short key>" exists while a position holds that key; it has
    `held_by` and none of the index keys, so that no index shows it.
    """

    class Meta(base.Meta):
        table_name = base.table("positions")

    connection_id = UnicodeAttribute(hash_key=True)
    position_id = UnicodeAttribute(range_key=True)
    held_by = UnicodeAttribute(null=True)  # guard rows: the position that holds the key
    live_since_ms = IntegerAttribute(null=True)  # absent once closed
    created_at_ms = IntegerAttribute(null=True)
    closed_at_ms = IntegerAttribute(null=True)  # absent while open
    symbol = UnicodeAttribute(null=True)
    indication = UnicodeAttribute(null=True)
    parameter = IntegerAttribute(null=True)
    variant = UnicodeAttribute(null=True)
    exit_flags = ListAttribute(of=UnicodeAttribute, null=True)
    side = UnicodeAttribute(null=True)
    take_profit_pct = DecimalAttribute(null=True)
    stop_loss_pct = DecimalAttribute(null=True)
    trail_start_pct = DecimalAttribute(null=True)
    trail_stop_pct = DecimalAttribute(null=True)
    status = UnicodeAttribute(null=True)
    entry_close_ms = IntegerAttribute(null=True)
    leverage = IntegerAttribute(null=True)
    quantity = DecimalAttribute(null=True)
    entry_quantity = DecimalAttribute(null=True)
    entry_price = DecimalAttribute(null=True)
    first_quantity = DecimalAttribute(null=True)
    first_price = DecimalAttribute(null=True)
    exit_price = DecimalAttribute(null=True)
    stop_price = DecimalAttribute(null=True)
    target_price = DecimalAttribute(null=True)
    chosen_stop = DecimalAttribute(null=True)  # an operator's
    chosen_target = DecimalAttribute(null=True)
    trail_armed = BooleanAttribute(null=True)
    best_price = DecimalAttribute(null=True)
    recovery = UnicodeAttribute(null=True)
    residue = DecimalAttribute(null=True)
    realized_pnl = DecimalAttribute(null=True)
    fees = DecimalAttribute(null=True)
    funding = DecimalAttribute(null=True)
    unconverted = JSONAttribute(null=True)  # costs by asset whose price is not known yet
    settled = JSONAttribute(null=True)  # payments and forced executions in the figures
    opened_at_ms = IntegerAttribute(null=True)
    close_reason = UnicodeAttribute(null=True)
    updated_at_ms = IntegerAttribute(null=True)

    live = LivePositions()
    recent = RecentPositions()
    closed = ClosedPositions()
