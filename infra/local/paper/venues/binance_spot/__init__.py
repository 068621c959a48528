"""Binance spot's wire protocol."""
