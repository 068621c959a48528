"""Binance's paper wire over a scripted exchange, asked with signed requests."""

import hashlib
import hmac
from pathlib import Path
from urllib.parse import urlencode

from tests.wires.scripted import Stage, a_stage

from local.paper.credentials import Credentials
from local.paper.venues.binance.sessions import BinanceSession
from local.paper.venues.binance.wire import BinanceWire
from local.paper.wire import Answer, Request

KEY = {"x-mbx-apikey": "key"}
LISTEN_KEY = "/fapi/v1/listenKey"


class Desk:
    """One client of one exchange; prices as `a_stage` takes them."""

    def __init__(self, directory: Path, *prices: int, second: int = 5) -> None:
        self.stage: Stage = a_stage(directory, *(prices or (100,)), second=second)
        credentials = Credentials(api_key="key", api_secret="secret")
        self.wire = BinanceWire(self.stage.exchange, credentials)

    def signed(self, method: str, path: str, **parameters: object) -> Answer:
        text = urlencode({"timestamp": self.stage.now_ms()} | parameters)
        signature = hmac.new(b"secret", text.encode(), hashlib.sha256).hexdigest()
        query = f"{text}&signature={signature}"
        return self.wire.answer(Request(method=method, path=path, query=query, headers=KEY))

    def listen_key(self, method: str = "POST") -> Answer:
        return self.wire.answer(Request(method=method, path=LISTEN_KEY, headers=KEY))

    def session(self, path: str, query: str = "") -> BinanceSession:
        found = self.wire.session(path, query)
        assert isinstance(found, BinanceSession)
        return found
