"""OKX v5, USDT-settled perpetuals: REST routes, WebSocket channels, JSON shapes and error codes."""
