"""The paper exchange: Binance USD-M's wire protocol on loopback TLS.

Its market is a pure function of time. Start it with ``python -m local.paper --dir .cts/paper``; it
prints one line when it is ready. To connect, keep the client's production URLs (``https://fapi.binance.com``,
``wss://fstream.binance.com``), give it an aiohttp session whose resolver answers ``127.0.0.1`` and
the paper port for every host, and an SSL context that trusts ``<dir>/ca.pem``. The API key and
secret are those of ``CTS_PAPER_API_KEY`` and ``CTS_PAPER_API_SECRET`` (default ``paper`` /
``paper-secret``). A second, plain-HTTP control port on loopback shows the exchange's own books:
``GET /books`` and ``GET /health``.
"""
