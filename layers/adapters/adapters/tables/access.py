"""Tables of who may call the API, how often, and what was answered to whom already."""

from pynamodb.attributes import JSONAttribute, UnicodeAttribute

from adapters.decimals import IntegerAttribute
from adapters.tables import base


class TokenRow(base.Row):
    """An API token's SHA-256 in hex and what its bearer may do: get by `token_hash`.

    A row with `role` alone has no name, no end and reaches every connection.
    """

    class Meta(base.Meta):
        table_name = base.table("api_tokens")

    token_hash = UnicodeAttribute(hash_key=True)
    role = UnicodeAttribute()
    created_at_ms = IntegerAttribute()
    token_id = UnicodeAttribute(null=True)
    name = UnicodeAttribute(null=True)
    connections = JSONAttribute(null=True)  # list of ids; absent: all
    expires_at_ms = IntegerAttribute(null=True)
    revoked_at_ms = IntegerAttribute(null=True)
    changes_per_minute = IntegerAttribute(null=True)  # absent: as the deployment says


class TokenRecordRow(base.Row):
    """The same token as administrators know it, without its secret.

    All: query on `kind`. One: get by its id.
    """

    KIND = "token"

    class Meta(base.Meta):
        table_name = base.table("token_records")

    kind = UnicodeAttribute(hash_key=True, default=KIND)
    token_id = UnicodeAttribute(range_key=True)
    token_hash = UnicodeAttribute()
    name = UnicodeAttribute()
    role = UnicodeAttribute()
    connections = JSONAttribute(null=True)
    created_at_ms = IntegerAttribute()
    created_by = UnicodeAttribute()
    expires_at_ms = IntegerAttribute(null=True)
    revoked_at_ms = IntegerAttribute(null=True)
    last_used_ms = IntegerAttribute(null=True)  # to ten minutes
    changes_per_minute = IntegerAttribute(null=True)


class UsageRow(base.Row):
    """How many changes a caller asked for in a minute.

    Conditional update by `counter` = "<token id>#<minute>".
    """

    class Meta(base.Meta):
        table_name = base.table("api_usage")

    counter = UnicodeAttribute(hash_key=True)
    used = IntegerAttribute(null=True)
    expires_at = IntegerAttribute(null=True)  # seconds: time to live


class IdempotencyRow(base.Row):
    """A change that was done under an Idempotency-Key, with what was answered.

    Get and conditional put by `request`, a digest of the caller and the key; written by Powertools,
    whose record this describes.
    """

    class Meta(base.Meta):
        table_name = base.table("idempotency")

    request = UnicodeAttribute(hash_key=True)
    status = UnicodeAttribute(null=True)
    data = UnicodeAttribute(null=True)
    validation = UnicodeAttribute(null=True)
    in_progress_expires_at_ms = IntegerAttribute(null=True)
    expires_at = IntegerAttribute(null=True)  # seconds: time to live
