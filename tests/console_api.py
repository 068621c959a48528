"""A stand-in for the HTTPS API as the console meets it: the same shapes, a market made of waves."""

import json
import math
from collections.abc import Callable
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

import httpx

TOKEN = "operator-token-of-the-test"
CONNECTION = "paper-1"
BASES = {
    "BTCUSDT": 96_412.5,
    "ETHUSDT": 3_318.42,
    "SOLUSDT": 241.86,
    "BNBUSDT": 652.31,
    "XRPUSDT": 1.4382,
    "DOGEUSDT": 0.39174,
    "ADAUSDT": 0.80415,
    "AVAXUSDT": 36.287,
}
PLACES = {"BTCUSDT": 1, "ETHUSDT": 2, "SOLUSDT": 2, "BNBUSDT": 2}
type Answer = tuple[int, dict[str, Any]]
type Query = dict[str, str]


@dataclass(kw_only=True)
class ConsoleApi:
    """One paper engine; a test changes what it says by changing its fields."""

    now_ms: Callable[[], int]
    began_ms: int
    desired_state: str = "running"
    actual_state: str = "running"
    loading_progress: int = 100
    is_paper: bool = True
    is_testnet: bool = False
    has_positions: bool = True
    trading_state: str = "active"
    restraint: str = ""
    error: str = ""
    down: bool = False
    refusal: tuple[int, str] | None = None
    emergency: dict[str, Any] | None = None
    alerts: dict[str, int] = field(default_factory=dict)
    issue: str = ""
    asked: list[tuple[str, str, dict[str, Any]]] = field(default_factory=list)

    def answer(
        self, method: str, path: str, query: Query, body: dict[str, Any], bearer: str
    ) -> Answer:
        self.asked.append((method, path, {**query, **body}))
        if self.refusal is not None:
            return self.refusal[0], {"success": False, "error": self.refusal[1], "details": []}
        if bearer != f"Bearer {TOKEN}":
            return 401, {"success": False, "error": "this token is not known", "details": []}
        routes: dict[tuple[str, str], Callable[[], Answer]] = {
            ("GET", "/api/snapshot"): lambda: self._snapshot(query),
            ("POST", "/api/trade-engine/start"): lambda: self._wish("running", "the engine starts"),
            ("POST", "/api/trade-engine/pause"): lambda: self._wish("paused", "it pauses"),
            ("POST", "/api/trade-engine/resume"): lambda: self._wish("running", "it resumes"),
            ("POST", "/api/trade-engine/stop"): self._stop,
            ("POST", "/api/trade-engine/emergency-stop"): lambda: self._emergency_stop(body),
            ("POST", "/api/trade-engine/reset-emergency"): self._reset,
        }
        if method == "POST" and path.startswith("/api/positions/"):
            return 202, self._outcome("the positions close in the next tick")
        route = routes.get((method, path))
        if route is None:
            return 403, {"success": False, "error": "this route does not exist", "details": []}
        return route()

    def transport(self) -> httpx.MockTransport:
        """The same answers without a socket."""

        def handle(request: httpx.Request) -> httpx.Response:
            if self.down:
                raise httpx.ConnectError("refused", request=request)
            status, said = self.answer(
                request.method,
                request.url.path,
                dict(request.url.params),
                json.loads(request.content or b"{}"),
                request.headers.get("authorization", ""),
            )
            return httpx.Response(status, json=said)

        return httpx.MockTransport(handle)

    @property
    def _seconds(self) -> int:
        return (self.now_ms() - self.began_ms) // 1000

    def _snapshot(self, query: Query) -> Answer:
        if query.get("connectionId", CONNECTION) != CONNECTION:
            return 404, {"success": False, "error": "there is no such connection", "details": []}
        orders = self._orders()
        working = [one for one in orders if one["status"] in _WORKING]
        told = {
            "connections": [self._account()],
            "connectionId": CONNECTION,
            "name": "Paper exchange",
            "engine": self._engine(),
            "progression": self._progression(int(query["ticks"])),
            "cadence": self._cadence() if query["cadence"] == "true" else None,
            "health": {"status": "degraded" if self.issue else "healthy", "issue": self.issue},
            "positions": {"data": self._positions(), "complete": True, "marked_age_ms": 300},
            "orders": {
                "data": working,
                "complete": True,
                "ended": [one for one in orders if one not in working],
            },
            "alerts": {
                "open": sum(self.alerts.values()),
                "by_severity": self.alerts,
                "complete": True,
            },
            "equity": {
                "equity": "10240.5",
                "free_margin": "9100",
                "unrealized": "12.5",
                "at_ms": self.now_ms() - 4_000,
                "age_ms": 4_000,
            },
            "candles": self._candles(query.get("symbol", "BTCUSDT"), int(query["candles"])),
            "settings_version": 1,
            "tick_age_ms": self.now_ms() % 1000,
            "timestamp": self.now_ms(),
        }
        return 200, {"success": True} | told

    def _engine(self) -> dict[str, Any]:
        now_ms, run = self.now_ms(), self._seconds
        running = self.actual_state == "running"
        loop = {
            "token": 41,
            "wanted": "run",
            "wanted_at_ms": self.began_ms,
            "acknowledged": "run",
            "acknowledged_at_ms": self.began_ms + 180,
            "acknowledged_slot_ms": self.began_ms,
            "acknowledged_token": 3,
            "acknowledged_after_ms": 180,
            "halt": False,
            "expires_at_ms": now_ms + 11_000,
            "settings_version": 1,
            "wanted_settings_version": 1,
            "heartbeat_age_ms": 800,
        }
        trade = loop | {
            "alive": running,
            "phase": "live",
            "last_slot_ms": now_ms // 1000 * 1000,
            "age_ms": now_ms % 1000,
            "counters": {
                "open_pseudo_positions": 205 + run % 7,
                "sets_base": 24_801,
                "sets_main": 1_943,
                "sets_real": 287 + run // 3,
                "sets_exchange": 61 + run // 30,
            },
        }
        position = loop | {
            "alive": running,
            "phase": "live" if self.has_positions else "idle",
            "last_slot_ms": now_ms // 300 * 300,
            "age_ms": now_ms % 300,
            "counters": {"open_positions": 5, "live_orders": 8},
        }
        return {
            "connectionId": CONNECTION,
            "name": "Paper exchange",
            "exchange": "binance",
            "desired_state": self.desired_state,
            "actual_state": self.actual_state,
            "running": running,
            "paused": self.actual_state == "paused",
            "loading_stage": "ready" if self.loading_progress == 100 else "loading_history",
            "loading_progress": self.loading_progress,
            "prehistoric_data_loaded": self.loading_progress == 100,
            "coverage": "99.6" if self.loading_progress == 100 else str(self.loading_progress),
            "symbols": list(BASES),
            "may_trade": True,
            "may_trade_preset": False,
            "warming": False,
            "risk": {
                "trading_state": self.trading_state,
                "reason": self.restraint,
                "numbers": {},
                "since_ms": None,
                "until_ms": None,
                "day_start_equity": "10000",
                "equity_peak": "10240.5",
                "realised_today": "-12.75",
                "consecutive_losses": 2,
            },
            "trade_loop": trade,
            "position_loop": position,
            "settings_version": 1,
            "engine_started_at": self.began_ms,
            "run_id": "run-1",
            "error": self.error,
            "emergency": self.emergency,
        }

    def _progression(self, limit: int) -> dict[str, Any]:
        last_s = self.now_ms() // 1000
        first_s = max(self.began_ms // 1000, last_s - limit + 1)
        cycles = [
            {
                "slot_ms": 1000 * second,
                "ticks": 1,
                "compute_ms": "14.2",
                "duration_ms": "21.0",
                "start_jitter_ms": "0.6",
                "counts": {"signals": 7, "opened": 31, "closed": 30, "wishes": 1},
                "skipped": {},
                "source": "stream",
            }
            for second in range(last_s, first_s - 1, -1)
        ]
        metrics = {"indicationCycles": 1, "strategyCycles": 1, "realtimeCycles": 3}
        return {
            "connectionId": CONNECTION,
            "name": "Paper exchange",
            "exchange": "binance",
            "isEnabled": True,
            "isActive": True,
            "isLiveTrading": True,
            "isEngineRunning": True,
            "engineState": self.actual_state,
            "loadingStage": "ready",
            "loadingProgress": self.loading_progress,
            "tradeCount": 9,
            "pseudoPositionCount": 205,
            "prehistoricDataLoaded": True,
            "lastUpdate": self.now_ms(),
            "cycleMetrics": metrics | {"lastCycleAt": self.now_ms()},
            "tradeCycles": cycles,
            "positionCycles": [],
        }

    def _cadence(self) -> dict[str, Any]:
        def spread(p50: str, p99: str) -> dict[str, Any]:
            low = {"samples": 100, "avg": p50, "min": p50, "max": p99}
            return low | {"p50": p50, "p95": p99, "p99": p99}

        def loop(ticks: int, overrun: int, compute: str, jitter: str) -> dict[str, Any]:
            return {
                "ticks": ticks,
                "last_tick_ms": compute,
                "compute_ms": spread(compute, jitter),
                "tick_ms": spread(compute, jitter),
                "start_jitter_ms": spread("0.6", jitter),
                "skipped": {"overrun": overrun, "burst": 0, "handover": 1},
            }

        return {
            "trade_loop": loop(100, 0, "14.2", "6.1"),
            "position_loop": loop(333, 2, "3.4", "4.8"),
        }

    def _account(self) -> dict[str, Any]:
        return {
            "id": CONNECTION,
            "name": "Paper exchange",
            "exchange": "binance",
            "is_testnet": self.is_testnet,
            "is_paper": self.is_paper,
            "is_live_trade": True,
        }

    def _positions(self) -> list[dict[str, Any]]:
        return [self._position(*row) for row in _HELD] if self.has_positions else []

    def _position(
        self, symbol: str, side: str, quantity: str, opened_s: int, trailing: bool
    ) -> dict[str, Any]:
        sign = 1 if side == "LONG" else -1
        opened_ms = self.began_ms + 1000 * opened_s
        entry, mark = self._price(symbol, opened_ms), self._price(symbol, self.now_ms())
        profit = sign * (mark - entry) * Decimal(quantity)
        stop = mark * (1 - sign * Decimal("0.0016"))
        return {
            "id": f"{symbol}-{side}",
            "connectionId": CONNECTION,
            "symbol": symbol,
            "side": side,
            "status": "open",
            "indicationType": "direction",
            "mode": "main",
            "setKey": "direction:12:0.8:0.4",
            "entryPrice": str(entry),
            "exitPrice": None,
            "currentPrice": str(mark),
            "quantity": quantity,
            "entryQuantity": quantity,
            "leverage": 5,
            "stopPrice": str(_rounded(symbol, stop)),
            "targetPrice": str(_rounded(symbol, entry * (1 + sign * Decimal("0.0042")))),
            "trailingArmed": trailing,
            "pnl": str(round(profit, 4)),
            "pnlPercent": str(round(100 * sign * (mark - entry) / entry, 3)),
            "realizedPnl": "0",
            "unrealizedPnl": str(round(profit, 4)),
            "fees": "0.02",
            "funding": "0",
            "unconverted": {},
            "closeReason": "",
            "openedAtMs": opened_ms,
            "closedAtMs": None,
            "protectedQuantity": "0" if symbol == "AVAXUSDT" else quantity,
            "isProtected": symbol != "AVAXUSDT",
        }

    def _orders(self) -> list[dict[str, Any]]:
        """Latest first."""
        rows = _ORDERS if self.has_positions else ()
        told = [self._order(number, *row) for number, row in enumerate(rows)]
        return sorted(told, key=lambda order: int(order["createdAtMs"]), reverse=True)

    def _order(
        self,
        number: int,
        symbol: str,
        side: str,
        purpose: str,
        quantity: str,
        state: str,
        created_s: int,
    ) -> dict[str, Any]:
        created_ms = self.began_ms + 1000 * created_s
        paid = self._price(symbol, created_ms)
        buys = (side == "LONG") == (purpose == "entry")
        waits = purpose in {"stop", "target"}
        sign = 1 if buys else -1
        return {
            "clientOrderId": f"{symbol}-{side}-{purpose}-{number if state == 'filled' else 0}",
            "exchangeOrderId": "" if state == "unknown" else str(7_000 + number),
            "connectionId": CONNECTION,
            "positionId": f"{symbol}-{side}",
            "symbol": symbol,
            "side": side,
            "orderSide": "BUY" if buys else "SELL",
            "orderType": "STOP_MARKET" if waits else "MARKET",
            "purpose": purpose,
            "attempt": 0,
            "status": state,
            "reduceOnly": purpose != "entry",
            "quantity": quantity,
            "filledQuantity": quantity if state == "filled" else "0",
            "triggerPrice": str(_rounded(symbol, paid * (1 + sign * Decimal("0.002"))))
            if waits
            else None,
            "averagePrice": str(paid) if state == "filled" else None,
            "errorMessage": "no answer within 800 ms" if state == "unknown" else "",
            "createdAtMs": created_ms,
            "updatedAtMs": created_ms,
        }

    def _candles(self, symbol: str, limit: int) -> dict[str, Any]:
        last_s = self.now_ms() // 1000 - 1
        candles = [self._candle(symbol, second) for second in range(last_s - limit + 1, last_s + 1)]
        said = {"success": True, "connectionId": CONNECTION, "symbol": symbol, "spanMs": 1000}
        return said | {"candles": candles}

    def _candle(self, symbol: str, second: int) -> dict[str, Any]:
        walk = [self._price(symbol, 1000 * second + step) for step in (0, 300, 600, 1000)]
        volume = Decimal(f"{abs(_noise(second * 7)) * 3:.3f}")
        return {
            "time_ms": 1000 * second,
            "open": str(walk[0]),
            "high": str(max(walk)),
            "low": str(min(walk)),
            "close": str(walk[-1]),
            "volume": str(volume),
            "kind": "traded",
        }

    def _price(self, symbol: str, at_ms: int) -> Decimal:
        base, second = BASES[symbol], at_ms / 1000
        phase = sum(map(ord, symbol))
        waves = (
            0.0011 * math.sin(second / 61 + phase)
            + 0.0006 * math.sin(second / 19 + 2 * phase)
            + 0.00016 * _noise(int(at_ms // 100) + phase)
            + 0.0002 * math.sin(second / 4.7)
        )
        return _rounded(symbol, Decimal(base * (1 + waves)))

    def _wish(self, state: str, message: str) -> Answer:
        self.desired_state = self.actual_state = state
        return 200, self._outcome(message)

    def _stop(self) -> Answer:
        self.desired_state, self.actual_state = "stopped", "stopping"
        return 200, self._outcome("the engine stops")

    def _emergency_stop(self, body: dict[str, Any]) -> Answer:
        self.desired_state, self.actual_state = "stopped", "emergency_stopped"
        self.emergency = {
            "emergency_id": "e-1",
            "since_ms": self.now_ms(),
            "by": "Ann",
            "reason": body["reason"],
            "flatten": body["flatten"],
            "verified": False,
        }
        message = "1 of 1 connections are emergency stopped"
        return 200, {"success": True, "message": message, "results": []}

    def _reset(self) -> Answer:
        if self.emergency is None or not self.emergency["verified"]:
            why = "the venue has not proved yet what is left"
            refused = {"success": False, "error": "the emergency stop of Paper exchange stays"}
            return 409, refused | {"details": [], "reasons": [{"code": "x", "message": why}]}
        self.emergency, self.actual_state = None, "stopped"
        named = {"connectionId": CONNECTION, "connectionName": "Paper exchange"}
        return 200, {"success": True, "message": "the emergency stop is lifted"} | named

    def _outcome(self, message: str) -> dict[str, Any]:
        named = {"connectionId": CONNECTION, "connectionName": "Paper exchange"}
        return {"success": True, "message": message, "results": []} | named


def _rounded(symbol: str, value: Decimal) -> Decimal:
    return round(value, PLACES.get(symbol, 4))


def _noise(number: int) -> float:
    """A fixed, even scatter over [-1, 1]."""
    return math.sin(number * 12.9898) * 43758.5453 % 2 - 1


_WORKING = frozenset({"open", "partially_filled", "unknown", "new", "submitting"})
_HELD = (
    ("BTCUSDT", "LONG", "0.012", -38, True),
    ("SOLUSDT", "SHORT", "4.10", -95, False),
    ("XRPUSDT", "LONG", "610", -12, False),
    ("ETHUSDT", "SHORT", "0.320", -210, True),
    ("AVAXUSDT", "LONG", "22", -5, False),
)
_ORDERS = (
    ("BTCUSDT", "LONG", "entry", "0.012", "filled", -38),
    ("BTCUSDT", "LONG", "stop", "0.012", "open", -37),
    ("BTCUSDT", "LONG", "target", "0.012", "open", -37),
    ("SOLUSDT", "SHORT", "entry", "4.10", "filled", -95),
    ("SOLUSDT", "SHORT", "stop", "4.10", "open", -94),
    ("SOLUSDT", "SHORT", "target", "4.10", "open", -94),
    ("XRPUSDT", "LONG", "entry", "610", "filled", -12),
    ("XRPUSDT", "LONG", "stop", "610", "open", -11),
    ("XRPUSDT", "LONG", "target", "610", "open", -11),
    ("ETHUSDT", "SHORT", "entry", "0.320", "filled", -210),
    ("ETHUSDT", "SHORT", "stop", "0.320", "open", -209),
    ("ETHUSDT", "SHORT", "target", "0.320", "cancelled", -209),
    ("AVAXUSDT", "LONG", "entry", "22", "filled", -5),
    ("AVAXUSDT", "LONG", "stop", "22", "unknown", -4),
    ("BTCUSDT", "SHORT", "entry", "0.010", "filled", -150),
    ("BTCUSDT", "SHORT", "target", "0.010", "filled", -112),
    ("BTCUSDT", "LONG", "entry", "0.014", "filled", -101),
    ("BTCUSDT", "LONG", "close", "0.014", "filled", -66),
    ("DOGEUSDT", "LONG", "entry", "1100", "rejected", -320),
)
