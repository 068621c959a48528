"""Tables of what operators look at: logs, errors, alerts and notifications."""

from pynamodb.attributes import BinaryAttribute, BooleanAttribute, JSONAttribute, UnicodeAttribute

from adapters.decimals import IntegerAttribute
from adapters.tables import base


class SiteLogRow(base.Row):
    """Log entries of one process, packed; or an hour's counts of all entries.

    Newest first, or since a moment: query on `stream` = a connection's id or "system" by `at_key` =
    "<ms of the write in 13 digits>#<id>". Counts of hours: query on "#hours" by "<ms of the hour>".
    """

    class Meta(base.Meta):
        table_name = base.table("site_logs")

    stream = UnicodeAttribute(hash_key=True)
    at_key = UnicodeAttribute(range_key=True)
    entries = BinaryAttribute(legacy_encoding=False, null=True)  # see monitoring.packets
    tally = JSONAttribute(null=True)  # of an hour: see monitoring.rollup
    expires_at = IntegerAttribute(null=True)  # seconds: time to live


class ErrorRow(base.Row):
    """Warnings and errors that are alike, counted; `error_id` is a digest of what makes them alike.

    All: query on `kind`. One: get. Resolved by an operator if `version` is unchanged.
    """

    class Meta(base.Meta):
        table_name = base.table("errors")

    kind = UnicodeAttribute(hash_key=True)
    error_id = UnicodeAttribute(range_key=True)
    level = UnicodeAttribute()
    category = UnicodeAttribute()
    message = UnicodeAttribute()
    connection_id = UnicodeAttribute(null=True)
    values = JSONAttribute(null=True)  # of the newest one
    correlation_id = UnicodeAttribute(null=True)
    times = IntegerAttribute()
    first_ms = IntegerAttribute()
    last_ms = IntegerAttribute()
    resolved = BooleanAttribute(default=False)
    resolved_by = UnicodeAttribute(null=True)
    resolved_ms = IntegerAttribute(null=True)
    version = IntegerAttribute(default=1)
    expires_at = IntegerAttribute(null=True)  # seconds: time to live


class AlertRow(base.Row):
    """Something an operator must know of while it lasts.

    Open ones: query on `shelf` = "open"; `place` is a digest of what it is about, so that it can
    be open only once. Ended ones, newest first: query on "resolved", where `place` is its id,
    "<ms of its begin in 13 digits>-<digest>". Every change needs an unchanged `version`.
    """

    class Meta(base.Meta):
        table_name = base.table("alerts")

    shelf = UnicodeAttribute(hash_key=True)
    place = UnicodeAttribute(range_key=True)
    alert_id = UnicodeAttribute()
    rule = UnicodeAttribute()
    severity = UnicodeAttribute()
    status = UnicodeAttribute()  # active | acknowledged | resolved
    connection_id = UnicodeAttribute(null=True)
    text = UnicodeAttribute()
    values = JSONAttribute(null=True)
    times = IntegerAttribute()
    first_ms = IntegerAttribute()
    last_ms = IntegerAttribute()
    acknowledged_by = UnicodeAttribute(null=True)
    acknowledged_ms = IntegerAttribute(null=True)
    resolved_by = UnicodeAttribute(null=True)
    resolved_ms = IntegerAttribute(null=True)
    note = UnicodeAttribute(null=True)
    deliveries = JSONAttribute(null=True)  # channel -> see monitoring.notifying
    version = IntegerAttribute()
    expires_at = IntegerAttribute(null=True)  # seconds: time to live, of ended ones


class NoticeRow(base.Row):
    """A channel that alerts are sent over, or what the supervisor remembers between its runs.

    All channels: query on `kind` = "channel". Get by `kind` = "memory" and `name`. Changed if
    `version` is unchanged.
    """

    class Meta(base.Meta):
        table_name = base.table("notifications")

    kind = UnicodeAttribute(hash_key=True)
    name = UnicodeAttribute(range_key=True)
    enabled = BooleanAttribute(null=True)
    min_severity = UnicodeAttribute(null=True)
    muted_until_ms = IntegerAttribute(null=True)
    target = UnicodeAttribute(null=True)  # what may be shown of where it goes
    secret = BinaryAttribute(legacy_encoding=False, null=True)  # sealed by the vault
    test_wanted_ms = IntegerAttribute(null=True)
    last_result = JSONAttribute(null=True)  # of the newest delivery
    memory = JSONAttribute(null=True)
    updated_at_ms = IntegerAttribute(null=True)
    version = IntegerAttribute(default=1)
