"""Bybit v5's wire: linear perpetuals settled in USDT, of a unified account."""
