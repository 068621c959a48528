"""Binance spot's paper wire over a scripted market, asked with signed requests."""

import hashlib
import hmac
import json
from decimal import Decimal
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from tests.wires.scripted import BTC, START_S, ScriptedMarket, journal_in

from local.paper.core.books import Books
from local.paper.core.exchange import PaperExchange
from local.paper.credentials import Credentials
from local.paper.market.instruments import PaperInstrument, by_symbol
from local.paper.market.quotes import Quotes
from local.paper.venues.binance_spot.sessions import SUBSCRIBE, ApiSession
from local.paper.venues.binance_spot.wire import BinanceSpotWire
from local.paper.wire import Answer, Request

KEY = {"x-mbx-apikey": "key"}


class TwoAssets(ScriptedMarket):
    """BTC, and BNB at a tenth of its price, for its tick is a tenth."""

    instruments: tuple[PaperInstrument, ...]

    def __init__(self, *dollars: int) -> None:
        super().__init__(*dollars)
        self.instruments = (by_symbol(BTC), by_symbol("BNBUSDT"))


class Desk:
    """One client of one exchange; the same directory twice is a restart."""

    def __init__(self, directory: Path, *dollars: int, second: int = 5) -> None:
        self.second = second
        books = Books(journal_in(directory), Decimal(10_000))
        quotes = Quotes(TwoAssets(*(dollars or (100,))))
        plain = PaperExchange(books, quotes, self.now_ms)
        self.wire = BinanceSpotWire(plain, Credentials(api_key="key", api_secret="secret"))
        self.exchange = self.wire.exchange

    def now_ms(self) -> int:
        return (START_S + self.second) * 1000 + 900

    def at(self, second: int) -> None:
        """The exchange at the end of a scripted second."""
        self.second = second
        self.exchange.advance()

    def signed(self, method: str, path: str, **parameters: object) -> Answer:
        text = urlencode({"timestamp": self.now_ms()} | parameters)
        signature = hmac.new(b"secret", text.encode(), hashlib.sha256).hexdigest()
        query = f"{text}&signature={signature}"
        return self.wire.answer(Request(method=method, path=path, query=query, headers=KEY))

    def public(self, path: str, **parameters: object) -> Answer:
        return self.wire.answer(Request(method="GET", path=path, query=urlencode(parameters)))

    def order(self, side: str, kind: str = "MARKET", **more: object) -> Answer:
        """A new order for 1 BTC."""
        fields = {"symbol": BTC, "side": side, "type": kind, "quantity": "1"} | more
        return self.signed("POST", "/api/v3/order", **fields)

    def balances(self) -> dict[str, tuple[Decimal, Decimal]]:
        """Free and locked of each asset that is held."""
        answer = self.signed("GET", "/api/v3/account", omitZeroBalances="true")
        return {
            row["asset"]: (Decimal(row["free"]), Decimal(row["locked"]))
            for row in answer.body["balances"]
        }

    def subscribed(self) -> ApiSession:
        """A socket that gets the account's news."""
        session = self.wire.session("/ws-api/v3", "")
        assert isinstance(session, ApiSession)
        request = {"id": "1", "method": SUBSCRIBE, "params": self.signed_params()}
        (reply,) = session.heard(json.dumps(request))
        assert json.loads(reply)["result"] == {"subscriptionId": 0}
        return session

    def signed_params(self, **parameters: object) -> dict[str, Any]:
        """Parameters of the socket's API, signed in the order of their names."""
        values: dict[str, Any] = {"apiKey": "key", "timestamp": self.now_ms()} | parameters
        payload = "&".join(f"{name}={values[name]}" for name in sorted(values))
        values["signature"] = hmac.new(b"secret", payload.encode(), hashlib.sha256).hexdigest()
        return values

    def told(self, session: ApiSession) -> list[dict[str, Any]]:
        """What the session is told from now on."""
        heard: list[dict[str, Any]] = []
        self.exchange.books.listener = lambda event: heard.extend(
            json.loads(one)["event"] for one in session.told(event)
        )
        return heard
