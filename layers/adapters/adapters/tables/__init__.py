"""Every table as a PynamoDB model; each docstring lists the access patterns.

Every query is one key condition, and nothing is scanned. Money is `DecimalAttribute`, times are
UTC epoch milliseconds (`expires_at`, which DynamoDB's time to live reads, is in seconds). An
attribute that was never written reads as None.
"""

from adapters.tables.access import IdempotencyRow, TokenRecordRow, TokenRow, UsageRow
from adapters.tables.base import Row
from adapters.tables.control import (
    CONNECTION_KIND,
    AuditHeadRow,
    AuditRow,
    ConnectionRow,
    EngineStateRow,
    LeaseItem,
    SettingsRow,
)
from adapters.tables.equity import EquityRow
from adapters.tables.limits import LimitRow
from adapters.tables.market import (
    ArchivedRow,
    BookRow,
    MarketDataRow,
    ProgressionRow,
)
from adapters.tables.monitoring import AlertRow, ErrorRow, NoticeRow, SiteLogRow
from adapters.tables.orders import (
    CommandRow,
    OrderRow,
    TradeRow,
)
from adapters.tables.positions import (
    PositionRow,
)

ALL: tuple[type[Row], ...] = (
    ConnectionRow,
    SettingsRow,
    LeaseItem,
    EngineStateRow,
    ProgressionRow,
    MarketDataRow,
    BookRow,
    ArchivedRow,
    CommandRow,
    OrderRow,
    PositionRow,
    TradeRow,
    AuditRow,
    AuditHeadRow,
    TokenRow,
    TokenRecordRow,
    UsageRow,
    IdempotencyRow,
    LimitRow,
    SiteLogRow,
    ErrorRow,
    AlertRow,
    NoticeRow,
    EquityRow,
)

__all__ = [
    "ALL",
    "CONNECTION_KIND",
    "AlertRow",
    "ArchivedRow",
    "AuditHeadRow",
    "AuditRow",
    "BookRow",
    "CommandRow",
    "ConnectionRow",
    "EngineStateRow",
    "EquityRow",
    "ErrorRow",
    "IdempotencyRow",
    "LeaseItem",
    "LimitRow",
    "MarketDataRow",
    "NoticeRow",
    "OrderRow",
    "PositionRow",
    "ProgressionRow",
    "Row",
    "SettingsRow",
    "SiteLogRow",
    "TokenRecordRow",
    "TokenRow",
    "TradeRow",
    "UsageRow",
]
