"""The whole twin: everything started in order, kept running, and stopped with nothing left."""

import asyncio
import json
import os
import shutil
import signal
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass, field
from typing import Any

from local import operator, programs, stack
from local.certificates import ensure_certificate
from local.checks import check_machine, only_one
from local.operator import PAPER_ACCOUNTS, Operator, PaperAccount
from local.orphans import born, end_orphans
from local.places import Places
from local.processes import Child, Program
from local.profiles import DEFAULT, apply_profile
from local.programs import Market
from local.stack import Deployed

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Wishes:
    """What an operator asks of `cts up`."""

    market: Market = field(default_factory=Market)
    account: PaperAccount = PAPER_ACCOUNTS["binance"]
    console: bool = True
    profile: str = DEFAULT
    fresh: bool = False


@dataclass(slots=True, kw_only=True)
class Twin:
    """A twin that is up."""

    places: Places
    say: Say
    now_ms: Callable[[], int]
    connection_id: str = ""
    children: dict[str, Child] = field(default_factory=dict)

    async def begin(self, program: Program) -> Child:
        """Start one more process and keep it running."""
        child = Child(program, say=self._told)
        self.children[program.name] = child
        await child.start()
        self.note()
        return child

    async def stop(self) -> None:
        """Stop the newest first: AWS, whose workers trade, before the exchange."""
        for child in reversed(list(self.children.values())):
            await child.stop()
        self.places.status.unlink(missing_ok=True)

    def note(self) -> None:
        """Write down what runs, for `cts status`."""
        status = {
            "pid": os.getpid(),
            "api": self.places.api_url,
            "connection_id": self.connection_id,
            "ports": asdict(self.places.ports),
            "processes": {name: child.pid for name, child in self.children.items()},
            "born": {name: born(child.pid) for name, child in self.children.items()},
            "restarts": {name: child.restarts for name, child in self.children.items()},
        }
        part = self.places.status.with_suffix(".part")
        part.write_text(json.dumps(status, indent=1), encoding="utf-8")
        part.replace(self.places.status)

    def _told(self, text: str) -> None:
        self.say(text)
        self.note()


@asynccontextmanager
async def twin_up(
    places: Places, wishes: Wishes, *, say: Say, now_ms: Callable[[], int]
) -> AsyncIterator[Twin]:
    """Bring the twin up until its engine runs; whatever happens, everything is stopped after.

    Raises
    ------
    NotReadyError, ChildError, DeployError, OperatorError
        Whatever kept it from coming up, as one sentence.
    """
    with only_one(places):
        orphans = await asyncio.to_thread(end_orphans, places.status)
        if orphans:
            say(f"ended {orphans} processes that a killed twin had left running")
        check_machine(places, console=wishes.console)
        if wishes.fresh:
            forget(places)
        twin = Twin(places=places, say=say, now_ms=now_ms)
        try:
            await _bring_up(twin, wishes)
            yield twin
        finally:
            await asyncio.shield(twin.stop())


def forget(places: Places) -> None:
    """Remove all state and logs, but no backup; the build depends on the sources alone."""
    for entry in places.home.iterdir():
        if entry in (places.lock, places.build, places.backups):
            continue
        shutil.rmtree(entry) if entry.is_dir() else entry.unlink()


async def _bring_up(twin: Twin, wishes: Wishes) -> None:
    places, say = twin.places, twin.say
    building = asyncio.create_task(stack.build(places))
    try:
        say("starting the paper exchange and AWS")
        await twin.begin(programs.paper_exchange(places, wishes.market))
        await twin.begin(programs.aws(places))
        say("building the Lambda functions and layers, unless they are built")
        await building
    finally:
        building.cancel()
        await asyncio.gather(building, return_exceptions=True)
    deployed = await _deployed(twin)
    ensure_certificate(
        ca_file=places.ca, server_file=places.home / "server.pem", now_ms=twin.now_ms()
    )
    token, is_new = operator.ensure_token(places, now_ms=twin.now_ms())
    if is_new:
        say(f"operator token, shown this once and kept in {places.token}: {token}")
    market = wishes.market
    for line in apply_profile(places, wishes.profile, symbols=market.symbols, now_ms=twin.now_ms()):
        say(line)
    await twin.begin(programs.api_front(places, deployed.upstream(places)))
    say(f"the API answers at {places.api_url} (its authority: {places.ca})")
    if wishes.console:
        await twin.begin(programs.console(places))
        say(f"the console: {programs.console_url(places)}")
    await _start_engine(twin, wishes.account)


async def _deployed(twin: Twin) -> Deployed:
    """The stack as MiniStack remembers it, or deployed anew where something has changed."""
    places = twin.places
    wanted = f"{(places.build / 'digest').read_text(encoding='ascii')} {places.ports}"
    stamp = places.aws_state / "deployed"
    known = stamp.read_text(encoding="ascii") if stamp.exists() else ""
    if known == wanted:
        found = await asyncio.to_thread(stack.find, places)
        if found is not None:
            twin.say("the stack is deployed as it was")
            return found
    twin.say("deploying template.yaml with SAM")
    deployed = await stack.deploy(places)
    pid = twin.children["AWS"].pid
    if pid is not None:
        os.kill(pid, signal.SIGUSR1)  # save everything now, not only at the end
    stamp.write_text(wanted, encoding="ascii")
    return deployed


async def _start_engine(twin: Twin, account: PaperAccount) -> None:
    api = Operator(twin.places)
    shown: list[tuple[Any, ...]] = []

    def tell(engine: dict[str, Any]) -> None:
        now = (engine["actual_state"], engine["loading_stage"], engine["loading_progress"])
        if shown[-1:] != [now]:
            shown.append(now)
            state, stage, progress = now
            twin.say(f"engine {state}: {stage} {progress} %" if stage else f"engine {state}")

    try:
        twin.connection_id = await api.connect_paper(account)
        twin.note()
        answer = await api.start(twin.connection_id)
        twin.say(answer["message"])
        await api.until_running(twin.connection_id, tell=tell)
    finally:
        await api.close()
