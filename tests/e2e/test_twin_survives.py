"""A trading twin is hurt part by part, and each time goes on with every order and stop it had."""

import asyncio
import os
import signal
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import Any

import httpx
import psutil
import pytest
from tests.e2e.twin_probe import Probe, ProbeError, probing
from tests.e2e.twin_process import Home, Up, a_home, settle, up

from local.operator import Operator, OperatorError

pytestmark = [pytest.mark.twin, pytest.mark.timeout(420)]
OPTIONS = ("--symbols", "5", "--profile", "demo", "--no-console")
WISHES = (("BTCUSDT", "LONG"), ("BTCUSDT", "SHORT"), ("ETHUSDT", "LONG"), ("ETHUSDT", "SHORT"))
# The market of this minute may be lively: what the engine trades itself would take the room.
WISHED_ALONE = {
    f"exchange{indication}Enabled": False
    for indication in ("Direction", "Move", "Active", "Optimal", "Advanced", "Auto")
}
# One for each hurt: a short key holds one position at a time.
MORE_WISHES = tuple(
    (symbol, side) for symbol in ("BNBUSDT", "XRPUSDT", "ADAUSDT") for side in ("LONG", "SHORT")
)
TICKS_AGAIN = 5
RECOVERED_WITHIN_S = 150.0


@dataclass(slots=True, kw_only=True)
class Trading:
    """A twin that is up and holds wide positions on both sides."""

    home: Home
    stack: ExitStack
    up: Up
    connection_id: str
    probe: Probe
    positions: dict[str, str] = field(default_factory=dict)  # id: quantity
    hurts: int = 0

    def ask(self, question: str, **values: Any) -> Any:
        return self.probe.ask(question, **values)

    def open_wide_positions(self) -> None:
        settle(lambda: self.ask("ticks", since_ms=0)["trade"]["ticks"] >= TICKS_AGAIN, within_s=30)
        asked = [self.ask("wish", symbol=symbol, side=side) for symbol, side in WISHES]
        names = [one["command"] for one in asked]
        settle(lambda: all(self._outcomes(names)), within_s=60)
        assert set(self._outcomes(names)) == {"done"}
        ids = [one["position"] for one in asked]
        settle(lambda: len(self.ask("held", positions=ids)) == len(WISHES), within_s=30)
        self.positions = self.ask("held", positions=ids)

    def _outcomes(self, commands: list[str]) -> list[str]:
        return [self.ask("outcome", command_id=name) for name in commands]

    def goes_on_after(self, hurt: Callable[[], None]) -> None:
        """Hurt it while an entry is on its way; all must come back, nothing doubled or lost."""
        before = self.ask("books")["orders_received"]
        under_way = self._an_entry_under_way()
        hurt_ms = time.time_ns() // 1_000_000
        begun = time.monotonic()
        hurt()
        settle(lambda: self._works_since(hurt_ms + 1_000), within_s=RECOVERED_WITHIN_S)
        print(f"recovered after {time.monotonic() - begun:.1f} s")
        self._is_decided(under_way)
        self.is_whole()
        assert self.ask("books")["orders_received"] > before

    def _an_entry_under_way(self) -> dict[str, str]:
        """A wish whose order the exchange has taken a moment ago."""
        url = f"{self.home.places.control_url}/books"
        with httpx.Client(trust_env=False) as control:
            before = control.get(url).json()["orders_received"]
            symbol, side = MORE_WISHES[self.hurts]
            self.hurts += 1
            wish: dict[str, str] = self.ask("wish", symbol=symbol, side=side)
            deadline = time.monotonic() + 20
            while control.get(url).json()["orders_received"] == before:
                assert time.monotonic() < deadline, f"no order for the wish {wish['command']}"
        return wish

    def _is_decided(self, wish: dict[str, str]) -> None:
        """It was opened and is held from now on, or refused for its age and never opened.

        One that was filled while the exchange then could not be reached for longer than the
        protection deadline is closed instead: nothing stays without a stop.
        """
        name, position = wish["command"], wish["position"]
        settle(lambda: all(self._outcomes([name])), within_s=30)
        if self._outcomes([name]) != ["done"]:
            assert self._fate(position) in ("", "closed")
            return
        settle(lambda: self._fate(position) in ("open", "closed emergency"), within_s=30)
        self.positions |= self.ask("held", positions=[position])

    def _fate(self, position: str) -> str:
        found: str = self.ask("fate", position=position)
        return found

    def is_whole(self) -> None:
        books = self.ask("books")
        assert books["drift"] == []
        assert books["duplicates"] == 0
        assert books["unprotected"] == []
        assert books["orders"]["unknown"] == 0
        assert self.ask("held", positions=list(self.positions)) == self.positions
        assert {f"{symbol} {side}" for symbol, side in WISHES} <= books["positions"].keys()
        assert all(loop["overlaps"] == 0 for loop in self.ask("ticks", since_ms=0).values())

    def _works_since(self, since_ms: int) -> bool:
        """Both loops tick again and the API says so."""
        try:
            loops = self.ask("ticks", since_ms=since_ms)
        except ProbeError:
            return False
        ticking = all(loop["ticks"] >= TICKS_AGAIN for loop in loops.values())
        return ticking and asyncio.run(self._engine_runs())

    async def post(self, act: str, body: dict[str, Any]) -> dict[str, Any]:
        """What the API answers to an act of an operator."""
        api = Operator(self.home.places)
        try:
            return await api.ask("POST", f"/api/trade-engine/{act}", json=body)
        finally:
            await api.close()

    def emergency(self) -> dict[str, Any]:
        """What the status tells of the emergency stop that holds."""

        async def told() -> dict[str, Any]:
            api = Operator(self.home.places)
            try:
                return dict((await api.engine(self.connection_id))["emergency"])
            finally:
                await api.close()

        return asyncio.run(told())

    @contextmanager
    def an_order_more(self) -> Iterator[None]:
        """Do it, and wait until the exchange has taken an order for it."""
        url = f"{self.home.places.control_url}/books"
        with httpx.Client(trust_env=False) as control:
            before = control.get(url).json()["orders_received"]
            yield
            deadline = time.monotonic() + 30
            while control.get(url).json()["orders_received"] == before:
                assert time.monotonic() < deadline, "no order came"

    async def _engine_runs(self) -> bool:
        api = Operator(self.home.places)
        try:
            return bool((await api.engine(self.connection_id))["running"])
        except OperatorError:
            return False
        finally:
            await api.close()


@pytest.fixture(scope="module")
def trading(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Trading]:
    home = a_home(tmp_path_factory.mktemp("survivor"))
    with ExitStack() as stack:
        running = stack.enter_context(up(home, *OPTIONS))
        running.until("up after")
        connection_id = asyncio.run(the_connection(home))
        asyncio.run(trading_what_is_wished_alone(home))
        probe = stack.enter_context(probing(home.places, connection_id))
        found = Trading(
            home=home, stack=stack, up=running, connection_id=connection_id, probe=probe
        )
        found.open_wide_positions()
        found.is_whole()
        yield found


async def the_connection(home: Home) -> str:
    api = Operator(home.places)
    try:
        known = await api.ask("GET", "/api/settings/connections")
        return str(known["connections"][0]["id"])
    finally:
        await api.close()


async def trading_what_is_wished_alone(home: Home) -> None:
    api = Operator(home.places)
    try:
        await api.ask("PATCH", "/api/settings", json={"values": WISHED_ALONE})
    finally:
        await api.close()


@pytest.mark.parametrize("function", ["trade-tick", "position-tick"])
def test_a_killed_tick_worker_is_replaced_once_its_lease_has_run_out(
    trading: Trading, function: str
) -> None:
    def kill() -> None:
        workers = trading.home.workers(function)
        assert workers
        for worker in workers:
            worker.kill()

    trading.goes_on_after(kill)


def test_the_api_answers_after_its_worker_and_its_front_were_killed(trading: Trading) -> None:
    def kill() -> None:
        assert asyncio.run(trading._engine_runs())
        for worker in trading.home.workers("api"):
            worker.kill()
        os.kill(trading.home.processes()["the API"], signal.SIGKILL)

    trading.goes_on_after(kill)


def test_a_killed_paper_exchange_comes_back_with_its_books(trading: Trading) -> None:
    def kill() -> None:
        os.kill(trading.home.processes()["the paper exchange"], signal.SIGKILL)

    trading.goes_on_after(kill)
    assert "the paper exchange is back" in trading.up.text()


def test_ministack_ended_and_started_again_keeps_every_fact(trading: Trading) -> None:
    def end() -> None:
        os.kill(trading.home.processes()["AWS"], signal.SIGTERM)

    trading.goes_on_after(end)
    assert "AWS is back" in trading.up.text()


def test_after_a_kill_of_cts_up_the_next_one_trades_on_with_all_it_had(trading: Trading) -> None:
    home = trading.home
    children = [psutil.Process(pid) for pid in home.processes().values()]

    def kill_and_start() -> None:
        trading.up.process.kill()
        trading.up.process.wait(10)
        trading.up = trading.stack.enter_context(up(home, *OPTIONS))
        trading.up.until("up after")

    trading.goes_on_after(kill_and_start)
    assert not any(child.is_running() for child in children)
    assert "the stack is deployed as it was" in trading.up.text()


def test_an_emergency_stop_whose_worker_is_killed_in_its_middle_ends_flat_latched_and_verified(
    trading: Trading,
) -> None:
    held = len(trading.ask("books")["positions"])
    one = {"connectionId": trading.connection_id, "reason": "a drill"}

    with trading.an_order_more():
        asyncio.run(trading.post("emergency-stop", one))
    for worker in trading.home.workers("position-tick"):
        worker.kill()
    settle(lambda: trading.emergency()["verified"], within_s=60)

    told = trading.emergency()
    print(f"flat after {told['time_to_flat_ms']} ms, in {told['rounds']} rounds")
    assert told["closed_positions"] >= held >= len(WISHES)
    assert 0 < told["time_to_flat_ms"] < 60_000
    assert told["open_positions"] == 0
    assert len(told["reads_ms"]) == 2
    books = trading.ask("books")
    assert (books["positions"], books["drift"], books["unprotected"]) == ({}, [], [])
    with pytest.raises(OperatorError, match="cannot start"):
        asyncio.run(trading.post("start", one))
    asyncio.run(trading.post("reset-emergency", one))
    asyncio.run(trading.post("start", one))
    settle(lambda: asyncio.run(trading._engine_runs()), within_s=RECOVERED_WITHIN_S)


def test_a_second_up_is_refused_and_ctrl_c_ends_all_of_the_first(trading: Trading) -> None:
    home = trading.home
    assert home.cts("logs", "paper", "-n", "1").returncode == 0
    second = home.cts("up", *home.ports, *OPTIONS)
    assert second.returncode == 1
    assert second.stderr.strip() == (
        f"The twin is already up (process {trading.up.process.pid}): end it with `cts down`."
    )
    assert "engine: wanted running, is running" in home.cts("status").stdout

    trading.up.process.send_signal(signal.SIGINT)

    assert trading.up.process.wait(60) == 0
    assert "everything is stopped" in trading.up.text()
    assert home.leftovers() == []
    assert home.bound() == []
    assert home.cts("status").returncode == 1
    assert home.cts("down").stdout.strip() == "nothing is up"


def test_ctrl_c_while_it_comes_up_ends_what_had_been_started(trading: Trading) -> None:
    home = trading.home
    with up(home, *OPTIONS) as starting:
        settle(lambda: home.places.status.exists() and bool(home.bound()), within_s=30)

        starting.process.send_signal(signal.SIGINT)

        assert starting.process.wait(60) == 0
        assert "up after" not in starting.text()
    assert home.leftovers() == []
    assert home.bound() == []


def test_a_taken_port_is_one_sentence_and_nothing_is_started(trading: Trading) -> None:
    home = trading.home
    with socket.create_server(("127.0.0.1", home.places.ports.api)):
        refused = home.cts("up", *home.ports, *OPTIONS)

    assert refused.returncode == 1
    assert refused.stderr.strip() == (
        f"Port {home.places.ports.api} on 127.0.0.1, which the API needs, "
        "is taken by another program."
    )
    assert home.leftovers() == []
