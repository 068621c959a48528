"""The paper exchange: the wire protocols of several venues on one port of loopback TLS.

The `Host` a client names picks the venue (see `venues.WIRES`); each has books of its own over one
market, which is a pure function of time. Start it with ``python -m local.paper --dir .cts/paper``;
it prints one line when it is ready. To connect, keep the client's production URLs
(``https://fapi.binance.com``, ``wss://fstream.binance.com`` and the like), give it an aiohttp
session whose resolver answers ``127.0.0.1`` and the paper port for every host, and an SSL context
that trusts ``<dir>/ca.pem``. Key, secret and passphrase are those of ``CTS_PAPER_API_KEY``,
``CTS_PAPER_API_SECRET`` and ``CTS_PAPER_PASSPHRASE`` (default ``paper``, ``paper-secret``,
``paper-passphrase``). A second, plain-HTTP control port on loopback shows the exchange's own
books: ``GET /books?venue=…`` and ``GET /health``.
"""
