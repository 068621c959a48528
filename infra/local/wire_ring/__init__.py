"""The wire ring of `cts chaos`: the whole twin, with real processes and the real ccxt, is hurt."""
