"""The market: seeded generator or recorded tape, both pure functions of (symbol, second)."""
