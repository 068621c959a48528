"""What to look at where an item fails: the operator's troubleshooting lists, by symptom."""

CONNECTION_TEST_FAILS = (
    "Verify API credentials are correct",
    "Check if testnet toggle matches API keys",
    "Verify exchange API is accessible",
    "Check API key permissions (trading enabled)",
)
ENGINE_WONT_START = (
    "Ensure connection is active",
    "Verify connection tested successfully",
    "Check no engine already running",
    "Review engine logs for errors",
)
ENGINE_NOT_STARTING = (
    "Check database connection",
    "Verify system settings exist",
    "Check trade_engine_state table",
    "Review system logs for errors",
)
POSITIONS_NOT_OPENING = (
    "Verify strategies are active",
    "Check indication settings configured",
    "Verify sufficient account balance",
    "Check risk management settings",
)
POSITION_NOT_CREATING = (
    "Check position limits (maxPositionsPerConfigSet)",
    "Verify cooldown periods (15s validation, 20s position)",
    "Check indication profit factors",
    "Review strategy evaluation logs",
)
MARKET_DATA_ISSUES = (
    "Check MarketDataStream status",
    "Verify WebSocket connection",
    "Check polling fallback",
    "Review latest price cache",
)
SLOW_PERFORMANCE = (
    "Check `/api/trade-engine/performance`",
    "Review component health status",
    "Check database query times",
    "Reduce symbol count or increase intervals",
)
UI_NOT_UPDATING = (
    "Check WebSocket connection",
    "Verify real-time data stream active",
    "Check browser console for errors",
    "Refresh page to reconnect",
)
