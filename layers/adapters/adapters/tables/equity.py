"""Table of what accounts were worth."""

from pynamodb.attributes import UnicodeAttribute

from adapters.decimals import DecimalAttribute, IntegerAttribute
from adapters.tables import base


class EquityRow(base.Row):
    """An account's equity when its venue was read; money in quote currency.

    Over a time: query on `series` = "<connection>#minute" or "<connection>#hour" by `at_ms`.
    """

    class Meta(base.Meta):
        table_name = base.table("equity_samples")

    series = UnicodeAttribute(hash_key=True)
    at_ms = IntegerAttribute(range_key=True)
    equity = DecimalAttribute()
    free_margin = DecimalAttribute()
    unrealized = DecimalAttribute(null=True)
    open_positions = IntegerAttribute()
    expires_at = IntegerAttribute(null=True)  # seconds: time to live
