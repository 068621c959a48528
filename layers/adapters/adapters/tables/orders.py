"""Tables of commands, orders and executions."""

from pynamodb.attributes import BooleanAttribute, JSONAttribute, UnicodeAttribute
from pynamodb.indexes import LocalSecondaryIndex

from adapters.decimals import DecimalAttribute, IntegerAttribute
from adapters.tables import base


class CommandRow(base.Row):
    """A mirror wish or an operator's command, waiting or dealt with.

    Query on `queue` = "<connection>#pending", or of those dealt with "<connection>#done" (the
    engine's own) and "<connection>#answered" (operators'), by `command_id`, which begins with the
    time in 13 digits, so a queue reads oldest first.
    """

    class Meta(base.Meta):
        table_name = base.table("commands")

    queue = UnicodeAttribute(hash_key=True)
    command_id = UnicodeAttribute(range_key=True)
    kind = UnicodeAttribute(null=True)  # engine.records.CommandKind
    created_at_ms = IntegerAttribute(null=True)
    wish = JSONAttribute(null=True)
    turn = JSONAttribute(null=True)
    exits = JSONAttribute(null=True)
    position_id = UnicodeAttribute(null=True)
    reason = UnicodeAttribute(null=True)
    outcome = UnicodeAttribute(null=True)  # done | refused
    numbers = JSONAttribute(null=True)
    done_at_ms = IntegerAttribute(null=True)
    expires_at = IntegerAttribute(null=True)  # seconds: time to live of done ones


class LiveOrders(LocalSecondaryIndex["OrderRow"]):  # type: ignore[no-untyped-call]
    """Orders not yet terminal."""

    class Meta(base.IndexMeta):
        index_name = "live"

    connection_id = UnicodeAttribute(hash_key=True)
    live_since_ms = IntegerAttribute(range_key=True)


class RecentOrders(LocalSecondaryIndex["OrderRow"]):  # type: ignore[no-untyped-call]
    """Orders by the time of their intent."""

    class Meta(base.IndexMeta):
        index_name = "recent"

    connection_id = UnicodeAttribute(hash_key=True)
    created_at_ms = IntegerAttribute(range_key=True)


class OrderRow(base.Row):
    """An order of ours, from intent to its end.

    One: get by `client_order_id`. Open ones: index `live`. Newest first: index `recent`.
    """

    class Meta(base.Meta):
        table_name = base.table("orders")

    connection_id = UnicodeAttribute(hash_key=True)
    client_order_id = UnicodeAttribute(range_key=True)
    live_since_ms = IntegerAttribute(null=True)  # absent once terminal
    position_id = UnicodeAttribute()
    purpose = UnicodeAttribute()
    attempt = IntegerAttribute()
    symbol = UnicodeAttribute()
    side = UnicodeAttribute()
    order_type = UnicodeAttribute()
    quantity = DecimalAttribute()
    trigger_price = DecimalAttribute(null=True)
    state = UnicodeAttribute()
    exchange_order_id = UnicodeAttribute(null=True)
    filled_quantity = DecimalAttribute()
    booked_quantity = DecimalAttribute()
    average_price = DecimalAttribute(null=True)
    reason = UnicodeAttribute(null=True)
    created_at_ms = IntegerAttribute()
    submitting_at_ms = IntegerAttribute()
    updated_at_ms = IntegerAttribute()

    live = LiveOrders()
    recent = RecentOrders()


class RecentTrades(LocalSecondaryIndex["TradeRow"]):  # type: ignore[no-untyped-call]
    """Executions by time."""

    class Meta(base.IndexMeta):
        index_name = "recent"

    connection_id = UnicodeAttribute(hash_key=True)
    executed_at_ms = IntegerAttribute(range_key=True)


class TradeRow(base.Row):
    """An execution of one of our orders, keyed by the venue's own trade id.

    Put if absent by `trade_key` = "<symbol>#<trade id>". Newest first: index `recent`.
    """

    class Meta(base.Meta):
        table_name = base.table("trades")

    connection_id = UnicodeAttribute(hash_key=True)
    trade_key = UnicodeAttribute(range_key=True)
    trade_id = UnicodeAttribute()
    client_order_id = UnicodeAttribute()
    exchange_order_id = UnicodeAttribute(null=True)
    symbol = UnicodeAttribute()
    side = UnicodeAttribute()
    order_side = UnicodeAttribute()
    price = DecimalAttribute()
    quantity = DecimalAttribute()
    fee = DecimalAttribute()
    fee_asset = UnicodeAttribute(null=True)
    is_maker = BooleanAttribute()
    executed_at_ms = IntegerAttribute()
    kind = UnicodeAttribute(default="trade")

    recent = RecentTrades()
