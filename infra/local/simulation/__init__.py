"""Both loops, store, exchange, network and crashes in one process, under virtual time."""
