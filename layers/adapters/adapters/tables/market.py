"""Tables of the trade loop: its ticks, candles and Set books."""

from pynamodb.attributes import BinaryAttribute, BooleanAttribute, JSONAttribute, UnicodeAttribute

from adapters.decimals import IntegerAttribute
from adapters.tables import base


class ProgressionRow(base.Row):
    """One tick of the trade loop with its candles, or a run of position ticks.

    Latest ticks and candles since a moment: query on `loop_key` = "<connection>#<loop>" by
    `slot_ms`, in either direction.
    """

    class Meta(base.Meta):
        table_name = base.table("trade_progression")

    loop_key = UnicodeAttribute(hash_key=True)
    slot_ms = IntegerAttribute(range_key=True)  # of the first tick of a run
    expires_at = IntegerAttribute(null=True)  # seconds: time to live
    owner = UnicodeAttribute()
    fencing_token = IntegerAttribute()
    skipped = JSONAttribute()  # cause -> count
    started_us = IntegerAttribute(null=True)
    finished_us = IntegerAttribute(null=True)
    compute_us = IntegerAttribute(null=True)
    indications_us = IntegerAttribute(null=True)  # of compute_us
    store_us = IntegerAttribute(null=True)  # the write of the row before
    memory_mb = IntegerAttribute(null=True)  # of the worker, and what it may use
    memory_limit_mb = IntegerAttribute(null=True)
    counts = JSONAttribute(null=True)
    close_reasons = JSONAttribute(null=True)
    candles = BinaryAttribute(legacy_encoding=False, null=True)
    source = UnicodeAttribute(null=True)
    taken_us = IntegerAttribute(null=True)  # where a burst begins: when it took its lease
    began_anew = BooleanAttribute(null=True)  # where a burst begins: nobody handed the loop on
    ticks = BinaryAttribute(legacy_encoding=False, null=True)  # see progression.pack_ticks
    inputs = BinaryAttribute(legacy_encoding=False, null=True)
    settings_version = IntegerAttribute(null=True)  # of the settings its ticks were decided with


class MarketDataRow(base.Row):
    """Packed candles: a minute of all symbols, or a piece of one symbol's history.

    Query on `series` by `start_ms`: "<connection>#minute" or "<connection>#<symbol>#<span_ms>".
    """

    class Meta(base.Meta):
        table_name = base.table("market_data")

    series = UnicodeAttribute(hash_key=True)
    start_ms = IntegerAttribute(range_key=True)
    end_ms = IntegerAttribute()  # close time of the last candle
    candles = BinaryAttribute(legacy_encoding=False)
    expires_at = IntegerAttribute(null=True)  # seconds: time to live


class ArchivedRow(base.Row):
    """Results of a symbol's Sets that one candle pushed out of their books, as JSON lines.

    Since a moment: query on `book` = "<connection>#<symbol>" by `part`, "<close_ms>#<number>".
    """

    class Meta(base.Meta):
        table_name = base.table("archived_results")

    book = UnicodeAttribute(hash_key=True)
    part = UnicodeAttribute(range_key=True)
    lines = BinaryAttribute(legacy_encoding=False)
    expires_at = IntegerAttribute(null=True)  # seconds: time to live


class BookRow(base.Row):
    """Parts of the Set book of a symbol, and the manifest that says which of them count.

    Get by `book` = "<connection>#<symbol>" and `part`: "manifest", "a#000", "b#000" and so on.
    """

    class Meta(base.Meta):
        table_name = base.table("configuration_sets")

    book = UnicodeAttribute(hash_key=True)
    part = UnicodeAttribute(range_key=True)
    generation = UnicodeAttribute()
    last_close_ms = IntegerAttribute()
    parts = IntegerAttribute(null=True)  # manifest: how many parts follow
    content = BinaryAttribute(legacy_encoding=False, null=True)
