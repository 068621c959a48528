"""The table of the venues' request limits."""

from pynamodb.attributes import UnicodeAttribute

from adapters.decimals import IntegerAttribute
from adapters.tables import base

SILENCE = "silence"


class LimitRow(base.Row):
    """What workers behind one address tell each other of one venue's request limits.

    What holds in a minute: query on `venue` = "<venue>#<network>" by `slot` from the minute on, in
    10 digits: it finds the weight of that minute, and "silence". Weight: add to `used`. Silence:
    update if it ends later than the one that is noted, so that it only ever gets longer.
    """

    class Meta(base.Meta):
        table_name = base.table("request_limits")

    venue = UnicodeAttribute(hash_key=True)
    slot = UnicodeAttribute(range_key=True)
    used = IntegerAttribute(null=True)
    silent_until_ms = IntegerAttribute(null=True)
    reason = UnicodeAttribute(null=True)
    expires_at = IntegerAttribute(null=True)  # seconds: time to live
