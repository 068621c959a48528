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
    asked: list[tuple[str, str, dict[str, Any]]] = field(default_factory=list)

    def answer(
        self, method: str, path: str, query: Query, body: dict[str, Any], bearer: str
    ) -> Answer:
        self.asked.append((method, path, {**query, **body}))
        if bearer != f"Bearer {TOKEN}":
            return 401, {"success": False, "error": "this token is not known", "details": []}
        routes: dict[tuple[str, str], Callable[[], Answer]] = {
            ("GET", "/api/trade-engine/status"): self._status,
            ("GET", "/api/trade-engine/performance"): self._performance,
            ("GET", "/api/trade-engine/progression"): lambda: self._progression(query),
            ("GET", "/api/settings/connections"): self._connections,
            ("GET", "/api/positions"): self._positions,
            ("GET", "/api/orders"): lambda: self._orders(query),
            ("GET", "/api/market-data"): lambda: self._candles(query),
            ("POST", "/api/trade-engine/start"): self._start,
            ("POST", "/api/trade-engine/stop"): self._stop,
        }
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

    def _status(self) -> Answer:
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
        engine = {
            "connectionId": CONNECTION,
            "name": "Paper exchange",
            "exchange": "binance",
            "desired_state": self.desired_state,
            "actual_state": self.actual_state,
            "running": running,
            "paused": False,
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
            "emergency": None,
        }
        said = {"running": running, "connections": [engine], "totalConnections": 1}
        return 200, {"success": True, "timestamp": now_ms} | said

    def _progression(self, query: Query) -> Answer:
        last_s, limit = self.now_ms() // 1000, int(query["limit"])
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
        told = {
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
        said = {"connections": [told], "totalConnections": 1, "runningEngines": 1}
        return 200, {"success": True, "timestamp": self.now_ms()} | said

    def _performance(self) -> Answer:
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

        expected = {"last": "14.2", "expected_avg": 3000, "as_expected": True}
        stages = ("indicationProcessing", "strategyProcessing", "realtimeProcessing")
        limits = dict.fromkeys((*stages, "databaseQuery"), 5000)
        metrics = {
            **{stage: spread("14.2", "16.1") | expected for stage in (*stages, "databaseQuery")},
            "memoryUsage": {
                "current_mb": 210,
                "avg_mb": "208.5",
                "max_mb": 214,
                "limit_mb": 512,
                "percent": "41.0",
                "expected_percent": 70,
            },
            "cpuUsage": {"percent": None, "expected_percent": 60, "reason": "a share of a core"},
            "throttles": {"count": None, "reason": "counted by AWS alone"},
            "symbols": 8,
            "expected_for_symbols": 100,
        }
        told = {
            "connectionId": CONNECTION,
            "name": "Paper exchange",
            "health": "healthy",
            "components": {},
            "metrics": metrics,
            "thresholds": limits | {"memoryPercent": 80, "cpuPercent": 80},
            "warnings": [],
            "trade_loop": loop(100, 0, "14.2", "6.1"),
            "position_loop": loop(333, 2, "3.4", "4.8"),
        }
        over_all = {"health": "healthy", "metrics": metrics, "warnings": []}
        said = over_all | {"connections": [told], "timestamp": self.now_ms()}
        return 200, {"success": True} | said

    def _connections(self) -> Answer:
        told = {
            "id": CONNECTION,
            "name": "Paper exchange",
            "exchange": "binance",
            "api_type": "perpetual_futures",
            "connection_method": "rest",
            "margin_type": "cross",
            "position_mode": "hedge",
            "is_testnet": self.is_testnet,
            "is_paper": self.is_paper,
            "is_enabled": True,
            "is_active": True,
            "is_live_trade": True,
            "is_preset_trade": False,
            "volume_factor": "1",
            "api_key_last4": "9f3c",
            "last_test_at": self.began_ms,
            "last_test_result": "success",
            "last_test_message": "",
            "last_test_balance": "10000",
            "engine_running": True,
            "engine_started_at": self.began_ms,
            "created_at_ms": self.began_ms,
            "updated_at_ms": self.began_ms,
            "version": 3,
        }
        said = {"count": 1, "filters": {}, "connections": [told]}
        return 200, {"success": True} | said

    def _positions(self) -> Answer:
        held = [self._position(*row) for row in _HELD] if self.has_positions else []
        return 200, {"success": True, "count": len(held), "data": held, "cursor": None}

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
        }

    def _orders(self, query: Query) -> Answer:
        rows = list(_ORDERS) if self.has_positions else []
        if query.get("status") == "open":
            rows = [row for row in rows if row[4] in {"open", "unknown", "new", "submitting"}]
        told = [self._order(number, *row) for number, row in enumerate(rows)]
        told.sort(key=lambda order: int(order["createdAtMs"]), reverse=True)
        return 200, {"success": True, "count": len(told), "data": told, "cursor": None}

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

    def _candles(self, query: Query) -> Answer:
        symbol, limit = query["symbol"], int(query.get("limit", "300"))
        last_s = self.now_ms() // 1000 - 1
        candles = [self._candle(symbol, second) for second in range(last_s - limit + 1, last_s + 1)]
        said = {"connectionId": CONNECTION, "symbol": symbol, "span_ms": 1000, "spanMs": 1000}
        del said["span_ms"]
        return 200, {"success": True, "candles": candles} | said

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

    def _start(self) -> Answer:
        self.desired_state = self.actual_state = "running"
        return 200, self._outcome("the engine starts")

    def _stop(self) -> Answer:
        self.desired_state, self.actual_state = "stopped", "stopping"
        return 200, self._outcome("the engine stops")

    def _outcome(self, message: str) -> dict[str, Any]:
        named = {"connectionId": CONNECTION, "connectionName": "Paper exchange"}
        flags = {"already_running": False, "already_stopped": False}
        one = {"success": True, "message": message, "reasons": [], "run_id": "run-1"}
        return {"success": True, "message": message, "results": [one | named | flags]} | (
            named | flags
        )


def _rounded(symbol: str, value: Decimal) -> Decimal:
    return round(value, PLACES.get(symbol, 4))


def _noise(number: int) -> float:
    """A fixed, even scatter over [-1, 1]."""
    return math.sin(number * 12.9898) * 43758.5453 % 2 - 1


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
