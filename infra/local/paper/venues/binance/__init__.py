"""Binance USD-M futures: REST routes, WebSocket streams, JSON shapes and error codes."""
