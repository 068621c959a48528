"""OKX's paper wire over a scripted exchange, asked with signed requests."""

import base64
import hashlib
import hmac
import json
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from tests.wires.scripted import Stage, a_stage

from local.paper.credentials import Credentials
from local.paper.venues.okx.sessions import OkxSession
from local.paper.venues.okx.wire import OkxWire
from local.paper.wire import Answer, Request

SWAP = "BTC-USDT-SWAP"
KEY, SECRET, PASSPHRASE = "key", "secret", "passphrase"


def signature(text: str, secret: str = SECRET) -> str:
    digest = hmac.new(secret.encode(), text.encode(), hashlib.sha256).digest()
    return base64.b64encode(digest).decode()


class Desk:
    """One client of one exchange; prices as `a_stage` takes them."""

    def __init__(self, directory: Path, *prices: int, second: int = 5) -> None:
        self.stage: Stage = a_stage(directory, *(prices or (50_000,)), second=second)
        credentials = Credentials(api_key=KEY, api_secret=SECRET, passphrase=PASSPHRASE)
        self.wire = OkxWire(self.stage.exchange, credentials)

    def headers(self, signed: str, **changed: str) -> dict[str, str]:
        """Headers of a private request whose method, path, query and body are `signed`."""
        now = datetime.fromtimestamp(self.stage.now_ms() / 1000, UTC)
        stamp = changed.pop("stamp", now.isoformat(timespec="milliseconds").replace("+00:00", "Z"))
        secret = changed.pop("secret", SECRET)
        return {
            "ok-access-key": KEY, "ok-access-passphrase": PASSPHRASE,
            "ok-access-timestamp": stamp, "ok-access-sign": signature(f"{stamp}{signed}", secret),
        } | changed  # fmt: skip

    def get(self, path: str, **given: object) -> Answer:
        return self.asked(path, given)

    def asked(self, path: str, given: Mapping[str, object], **changed: str) -> Answer:
        """The answer to a GET with some headers changed."""
        path, query = f"/api/v5/{path}", urlencode(given)
        signed = f"GET{path}{'?' if query else ''}{query}"
        headers = self.headers(signed, **changed)
        return self.wire.answer(Request(method="GET", path=path, query=query, headers=headers))

    def post(self, path: str, given: Any, **more: str) -> Answer:
        path, body = f"/api/v5/{path}", json.dumps(given)
        headers = self.headers(f"POST{path}{body}") | more
        return self.wire.answer(Request(method="POST", path=path, body=body, headers=headers))

    def rows(self, path: str, **given: object) -> list[Any]:
        """The data of a route that must answer."""
        body = self.get(path, **given).body
        assert body["code"] == "0", body
        found: list[Any] = body["data"]
        return found

    def row(self, path: str, **given: object) -> Any:
        return self.rows(path, **given)[0]

    def act(self, path: str, given: Any) -> Any:
        """The first row of an order or a cancel, taken or not."""
        return self.post(path, given).body["data"][0]

    def order(self, **more: object) -> Any:
        """A market buy of 0.01 BTC unless told else; it must be taken."""
        found = self.act("trade/order", an_order(**more))
        assert found["sCode"] == "0", found
        return found

    def session(self, access: str) -> OkxSession:
        found = self.wire.session(f"/ws/v5/{access}", "")
        assert isinstance(found, OkxSession)
        return found

    def inside(self, *args: dict[str, str], access: str = "private") -> OkxSession:
        """A socket that is logged in and follows these channels."""
        session = self.session(access)
        assert said(session, "login", self.login())[0]["event"] == "login"
        said(session, "subscribe", *args)
        return session

    def login(self, **changed: str) -> dict[str, str]:
        stamp = str(self.stage.now_ms() // 1000)
        return {
            "apiKey": KEY, "passphrase": PASSPHRASE, "timestamp": stamp,
            "sign": signature(f"{stamp}GET/users/self/verify"),
        } | changed  # fmt: skip


def an_order(**more: object) -> dict[str, object]:
    wanted = {"instId": SWAP, "tdMode": "cross", "side": "buy", "ordType": "market", "sz": "1"}
    return wanted | more


def a_stop(price: int, **more: object) -> dict[str, object]:
    """A reducing sell at a price below, unless told else."""
    return an_order(
        side="sell", ordType="conditional", slTriggerPx=str(price), slOrdPx="-1", reduceOnly=True
    ) | more  # fmt: skip


def said(session: OkxSession, op: str, *args: dict[str, str]) -> list[Any]:
    """What the socket answers to one request."""
    return [json.loads(one) for one in session.heard(json.dumps({"op": op, "args": list(args)}))]
