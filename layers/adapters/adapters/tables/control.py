"""Tables of accounts, settings, engine states, leases, the audit trail and access."""

from pynamodb.attributes import BinaryAttribute, BooleanAttribute, JSONAttribute, UnicodeAttribute

from adapters.decimals import DecimalAttribute, IntegerAttribute
from adapters.instrument_attribute import InstrumentsAttribute
from adapters.tables import base

CONNECTION_KIND = "connection"


class ConnectionRow(base.Row):
    """An exchange account.

    All connections: query on `kind`. One: get. Change: put or update if `version` is unchanged.
    """

    class Meta(base.Meta):
        table_name = base.table("exchange_connections")

    kind = UnicodeAttribute(hash_key=True, default=CONNECTION_KIND)
    connection_id = UnicodeAttribute(range_key=True)
    name = UnicodeAttribute()
    exchange = UnicodeAttribute()
    api_type = UnicodeAttribute()
    connection_method = UnicodeAttribute()
    margin_type = UnicodeAttribute()
    position_mode = UnicodeAttribute()
    is_testnet = BooleanAttribute(default=False)
    is_paper = BooleanAttribute(default=False)
    is_enabled = BooleanAttribute(default=False)
    is_active = BooleanAttribute(default=False)
    is_live_trade = BooleanAttribute(default=False)
    is_preset_trade = BooleanAttribute(default=False)
    volume_factor = DecimalAttribute()
    credentials = BinaryAttribute(legacy_encoding=False)  # sealed by the vault
    api_key_last4 = UnicodeAttribute()
    last_test_at = IntegerAttribute(null=True)
    last_test_result = UnicodeAttribute(null=True)  # success | failed, empty before a test
    last_test_message = UnicodeAttribute(null=True)
    last_test_balance = DecimalAttribute(null=True)
    created_at_ms = IntegerAttribute()
    updated_at_ms = IntegerAttribute()
    version = IntegerAttribute(default=1)


class SettingsRow(base.Row):
    """One version of the changed settings of a connection, or of "system".

    Newest, and pages of older ones: query on `scope`, descending. One: get. A new version: put if
    it does not exist.
    """

    class Meta(base.Meta):
        table_name = base.table("settings")

    scope = UnicodeAttribute(hash_key=True)
    version = IntegerAttribute(range_key=True)
    values = JSONAttribute()  # setting key -> JSON value, all that this scope decides
    created_at_ms = IntegerAttribute()
    author = UnicodeAttribute()
    reason = UnicodeAttribute(null=True)


class LeaseItem(base.Row):
    """Who runs a loop of a connection; `fencing_token`, `wish_seq` and `seen_seq` only grow.

    Get and conditional update by `lease_key`, "<connection>#trade" or "<connection>#position".
    """

    class Meta(base.Meta):
        table_name = base.table("leases")

    lease_key = UnicodeAttribute(hash_key=True)
    owner = UnicodeAttribute(null=True)
    fencing_token = IntegerAttribute(null=True)
    expires_at_ms = IntegerAttribute(null=True)
    last_slot_ms = IntegerAttribute(null=True)
    wish_seq = IntegerAttribute(null=True)
    seen_seq = IntegerAttribute(null=True)
    phase = UnicodeAttribute(null=True)  # idle | live
    wanted = UnicodeAttribute(null=True)  # run | pause | stop
    wanted_ms = IntegerAttribute(null=True)
    wanted_number = IntegerAttribute(null=True)  # counts wishes; it only grows
    obeyed = JSONAttribute(null=True)  # the fields of engine.records.Obeyed
    halt = BooleanAttribute(null=True)
    settings_version = IntegerAttribute(null=True)  # the newest its loop was told of
    flatten = BooleanAttribute(null=True)  # whether the halt closes everything


class EngineStateRow(base.Row):
    """What the operator wants of a connection's engine, and what its loops prove.

    Get by `connection_id`; changed by update, the operator's part if `version` is unchanged.
    """

    class Meta(base.Meta):
        table_name = base.table("trade_engine_state")

    connection_id = UnicodeAttribute(hash_key=True)
    run_id = UnicodeAttribute(null=True)
    desired_state = UnicodeAttribute(null=True)  # running | paused | stopped
    restart_run_id = UnicodeAttribute(null=True)  # the run to start once both loops have ended
    actual_state = UnicodeAttribute(null=True)
    loading_stage = UnicodeAttribute(null=True)
    loading_progress = IntegerAttribute(null=True)  # 0 to 100
    prehistoric_data_loaded = BooleanAttribute(null=True)
    prehistory_coverage_pct = DecimalAttribute(null=True)
    prehistory_end_ms = IntegerAttribute(null=True)
    symbols = JSONAttribute(null=True)  # list of str
    instruments = InstrumentsAttribute(null=True)
    settings = JSONAttribute(null=True)  # setting key -> JSON value, only what differs
    settings_version = IntegerAttribute(null=True)  # of `settings`, which the trade loop uses
    position_settings = JSONAttribute(null=True)  # the position loop's, once it took others over
    position_settings_version = IntegerAttribute(null=True)
    may_trade = BooleanAttribute(null=True)
    may_trade_preset = BooleanAttribute(null=True)
    hedge = BooleanAttribute(null=True)
    cross = BooleanAttribute(null=True)
    volume_factor = DecimalAttribute(null=True)
    exchange = UnicodeAttribute(null=True)
    risk = JSONAttribute(null=True)  # see risk_rows; written by the position loop alone
    last_trade_heartbeat_ms = IntegerAttribute(null=True)
    last_position_heartbeat_ms = IntegerAttribute(null=True)
    trade_counters = JSONAttribute(null=True)  # name -> int
    position_counters = JSONAttribute(null=True)
    error_message = UnicodeAttribute(null=True)
    emergency_id = UnicodeAttribute(null=True)  # of the emergency stop that holds
    emergency = JSONAttribute(null=True)  # since when, by whom, why: see adapters.emergency
    emergency_end = JSONAttribute(null=True)  # how far its machine came
    engine_started_at_ms = IntegerAttribute(null=True)
    restarts = IntegerAttribute(null=True)  # by the supervisor, since the operator's start
    restarted_at_ms = IntegerAttribute(null=True)
    updated_at_ms = IntegerAttribute(null=True)
    version = IntegerAttribute(null=True)


class AuditRow(base.Row):
    """Who did what to a connection, when, and why: a link of the subject's chain of hashes.

    Newest first: query on `subject`, descending by `at_key` = "<ms in 13 digits>#<seq in 10>".
    Written by `audited` alone: a row without its place in the chain cannot be stored.
    """

    class Meta(base.Meta):
        table_name = base.table("audit_logs")

    subject = UnicodeAttribute(hash_key=True)
    at_key = UnicodeAttribute(range_key=True)
    at_ms = IntegerAttribute()
    action = UnicodeAttribute()
    actor = UnicodeAttribute()
    details = JSONAttribute(null=True)
    seq = IntegerAttribute()  # from 1; rows from before there were chains have none
    prev_hash = UnicodeAttribute()
    hash = UnicodeAttribute()


class AuditHeadRow(base.Row):
    """The last link of a subject's chain in the audit log, which moves with each line.

    All: query on `kind`. One: get. Advance: put if `hash` is unchanged.
    """

    KIND = "audit"

    class Meta(base.Meta):
        table_name = base.table("audit_heads")

    kind = UnicodeAttribute(hash_key=True, default=KIND)
    subject = UnicodeAttribute(range_key=True)
    seq = IntegerAttribute()
    hash = UnicodeAttribute()
    at_key = UnicodeAttribute()
