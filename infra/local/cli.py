"""The `cts` command."""

import asyncio
import json
import os
import signal
import time
from collections.abc import Callable, Coroutine
from contextlib import suppress
from pathlib import Path
from typing import Annotated, Any, NoReturn

import typer
from rich.console import Console

from local import bench as measurements
from local import gates, logs
from local.audit_command import audit
from local.backup_command import backup
from local.checks import NotReadyError, running_twin
from local.health_command import health_check
from local.operator import PAPER_ACCOUNTS, Operator, OperatorError, PaperVenue
from local.places import Places, Ports, default_home
from local.processes import ChildError
from local.profiles import DEFAULT, PROFILES
from local.programs import Market
from local.record_command import record
from local.settings_command import settings
from local.stack import STACK, DeployError, credentials, loop_arn
from local.token_command import token
from local.twin import Wishes, twin_up
from local.verify_command import verify

FAILURES = (NotReadyError, ChildError, DeployError, OperatorError)
DOWN_WITHIN_S = 90.0

app = typer.Typer(no_args_is_help=True, add_completion=False, help="CTS on one machine.")
out = Console(highlight=False)
PORTS = Ports()
app.command()(record)
app.add_typer(token, name="token")
app.add_typer(settings, name="settings")
app.add_typer(audit, name="audit")
app.command()(health_check)
app.command()(verify)
app.add_typer(backup, name="backup")

Exchange = Annotated[PaperVenue, typer.Option(help="Whose wire it trades on.")]
AwsPort = Annotated[int, typer.Option(help="Port of the twin's AWS.")]
PaperPort = Annotated[
    int, typer.Option(help="Port of the paper exchange; its control is the next.")
]
ApiPort = Annotated[int, typer.Option(help="Port of the API.")]
ConsolePort = Annotated[int, typer.Option(help="Port of JupyterLab.")]


def now_ms() -> int:
    """Wall clock of this machine."""
    return time.time_ns() // 1_000_000


@app.command()
def up(
    tape: Annotated[
        Path | None, typer.Option(exists=True, help="Play this recorded market.")
    ] = None,
    symbols: Annotated[int, typer.Option(min=1, max=500, help="Symbols of the generator.")] = 8,
    seed: Annotated[int, typer.Option(help="Seed of the generator.")] = 1,
    console: Annotated[bool, typer.Option(help="Start JupyterLab.")] = True,
    stream: Annotated[bool, typer.Option(help="Offer WebSocket streams.")] = True,
    exchange: Exchange = "binance",
    profile: Annotated[str, typer.Option(help=f"Settings: {', '.join(PROFILES)}.")] = DEFAULT,
    fresh: Annotated[bool, typer.Option("--fresh", help="Forget all state first.")] = False,
    aws_port: AwsPort = PORTS.aws,
    paper_port: PaperPort = PORTS.paper,
    api_port: ApiPort = PORTS.api,
    console_port: ConsolePort = PORTS.console,
) -> None:
    """Run everything on this machine until Ctrl-C."""
    ports = Ports(
        aws=aws_port,
        paper=paper_port,
        paper_control=paper_port + 1,
        api=api_port,
        console=console_port,
    )
    wishes = Wishes(
        market=Market(symbols=symbols, seed=seed, tape=tape, stream=stream),
        account=PAPER_ACCOUNTS[exchange],
        console=console,
        profile=profile,
        fresh=fresh,
    )
    places = Places(home=default_home(), ports=ports)
    _run(_up(places, wishes))


async def _up(places: Places, wishes: Wishes) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for signum in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        loop.add_signal_handler(signum, stop.set)
    begun = loop.time()
    whole = asyncio.create_task(_until_cancelled(places, wishes, begun))
    stopping = asyncio.create_task(stop.wait())
    await asyncio.wait({whole, stopping}, return_when=asyncio.FIRST_COMPLETED)
    if not whole.done():
        say("stopping")
        whole.cancel()
    stopping.cancel()
    with suppress(asyncio.CancelledError):
        await whole
    say("everything is stopped")


async def _until_cancelled(places: Places, wishes: Wishes, begun: float) -> None:
    async with twin_up(places, wishes, say=say, now_ms=now_ms):
        took = asyncio.get_running_loop().time() - begun
        say(f"up after {took:.0f} s; Ctrl-C ends everything")
        # Not until the signal itself: stopping would have begun when the cancellation cuts it off.
        await asyncio.get_running_loop().create_future()


@app.command()
def demo(
    seconds: Annotated[int, typer.Option(min=5, max=86_400, help="How long it trades.")] = 90,
    tape: Annotated[
        Path | None, typer.Option(exists=True, help="Play this recorded market.")
    ] = None,
    symbols: Annotated[int, typer.Option(min=1, max=200, help="Symbols of the generator.")] = 8,
    seed: Annotated[int, typer.Option(help="Seed of the generator.")] = 1,
    stream: Annotated[bool, typer.Option(help="Offer WebSocket streams.")] = True,
    exchange: Exchange = "binance",
    as_json: Annotated[bool, typer.Option("--json", help="Progress goes to stderr.")] = False,
    aws_port: AwsPort = PORTS.aws,
    paper_port: PaperPort = PORTS.paper,
    api_port: ApiPort = PORTS.api,
) -> None:
    """Up with the demo profile and no state, run, report, down; 1 if anything is wrong."""
    ports = Ports(aws=aws_port, paper=paper_port, paper_control=paper_port + 1, api=api_port)
    home = default_home()
    places = Places(home=home / "demo", ports=ports, builds=home / "build")
    wishes = Wishes(
        market=Market(symbols=symbols, seed=seed, tape=tape, stream=stream),
        account=PAPER_ACCOUNTS[exchange],
        console=False,
        profile="demo",
    )
    os.environ.update(credentials(places) | {"CTS_TABLE_PREFIX": STACK})
    from local import demo as demonstration  # its tables read their names at import

    tell = complain if as_json else say
    work = demonstration.run(places, wishes, seconds=seconds, say=tell, now_ms=now_ms)
    found = _run(work)
    wrong = demonstration.faults(found)
    for fault in wrong:
        tell(fault)
    say(json.dumps(found, indent=None if as_json else 1))
    raise typer.Exit(1 if wrong else 0)


@app.command()
def down() -> None:
    """Stop a twin that is up, wherever it was started."""
    places = Places(home=default_home())
    pid = running_twin(places)
    if pid is None:
        say("nothing is up")
        return
    os.kill(pid, signal.SIGTERM)
    deadline = time.monotonic() + DOWN_WITHIN_S
    while running_twin(places) is not None:
        if time.monotonic() > deadline:
            _fail(f"process {pid} did not end within {DOWN_WITHIN_S:.0f} s")
        time.sleep(0.1)
    say("everything is stopped")


@app.command()
def status() -> None:
    """Show what is up; the exit code is 1 if nothing is."""
    places = Places(home=default_home())
    pid = running_twin(places)
    if pid is None:
        say("nothing is up")
        raise typer.Exit(1)
    if not places.status.exists():
        say(f"the twin is coming up (process {pid})")
        return
    noted = json.loads(places.status.read_text(encoding="utf-8"))
    for name, child in noted["processes"].items():
        restarts = noted["restarts"][name]
        say(f"{name}: process {child or '-'}, restarted {restarts} times")
    say(f"API: {noted['api']}")
    if noted["connection_id"]:
        _run(_engine_status(places, noted["api"], noted["connection_id"]))


async def _engine_status(places: Places, url: str, connection_id: str) -> None:
    port = int(url.rpartition(":")[2])
    api = Operator(Places(home=places.home, ports=Ports(api=port)))
    try:
        engine = await api.engine(connection_id)
    finally:
        await api.close()
    say(f"engine: wanted {engine['desired_state']}, is {engine['actual_state']}")


@app.command("logs")
def show_logs(
    name: Annotated[str | None, typer.Argument(help="One log, such as aws or paper.")] = None,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Wait for more.")] = False,
    lines: Annotated[int, typer.Option("--lines", "-n", min=1, help="From each end.")] = 20,
) -> None:
    """Show the ends of the logs."""
    places = Places(home=default_home())
    try:
        for line in logs.show(places.logs, name, lines=lines, follow=follow):
            say(line)
    except logs.NoLogError as error:
        _fail(str(error))
    except KeyboardInterrupt:
        return


@app.command()
def test(
    parts: Annotated[
        list[str] | None, typer.Argument(help=f"Of: {', '.join(gates.PARTS)}.")
    ] = None,
) -> None:
    """Run the checks and the tests, in the order of the ladder."""
    try:
        raise typer.Exit(gates.run(parts or list(gates.PARTS), say=say))
    except gates.UnknownPartError as error:
        _fail(str(error))


@app.command()
def bench(
    parts: Annotated[
        list[str] | None, typer.Argument(help=f"Of: {', '.join(measurements.PARTS)}.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Tables go to stderr.")] = False,
    tiny: Annotated[bool, typer.Option("--tiny", help="A look at the output alone.")] = False,
) -> None:
    """Measure the engine against its targets and vectorbt; 1 if one is missed."""
    try:
        raise typer.Exit(measurements.run(parts or [], as_json=as_json, tiny=tiny))
    except measurements.NoBenchError as error:
        _fail(str(error))


@app.command()
def chaos(
    cases: Annotated[int, typer.Option(min=1, max=10_000_000, help="How many.")] = 1000,
    seed: Annotated[int, typer.Option(min=0, help="Decides everything.")] = 1,
    first: Annotated[int, typer.Option(min=0, help="Go on after so many of them.")] = 0,
    venue: Annotated[list[str] | None, typer.Option(help="Of these venues alone.")] = None,
    workers: Annotated[int, typer.Option(min=1, max=256, help="Processes.")] = 2,
    table: Annotated[Path | None, typer.Option(help="Write faults and outcomes there.")] = None,
    again: Annotated[
        str | None, typer.Option("--replay", help="SEED:VENUE of one case, with its history.")
    ] = None,
    wire: Annotated[
        bool, typer.Option("--wire", help="Hurt the whole twin instead: sockets, processes, kills.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Progress goes to stderr.")] = False,
    aws_port: AwsPort = PORTS.aws,
    paper_port: PaperPort = PORTS.paper,
    api_port: ApiPort = PORTS.api,
) -> None:
    """Loops, store, exchange, network and crashes under virtual time; 1 if anything is wrong."""
    tell = complain if as_json else say
    if wire:
        ports = Ports(aws=aws_port, paper=paper_port, paper_control=paper_port + 1, api=api_port)
        raise typer.Exit(_hurt_on_the_wire(ports, cases=cases, seed=seed, venues=venue, tell=tell))
    from local.simulation import command  # engine and ccxt, which no other command needs here

    try:
        if again is not None:
            raise typer.Exit(command.run_again(again, tell=tell))
        asked = command.Asked(
            cases=cases, first=first, seed=seed, venues=venue or (), workers=workers, table=table
        )
        raise typer.Exit(command.run(asked, tell=tell, out=say))
    except command.ChaosError as error:
        _fail(str(error))


def _hurt_on_the_wire(
    ports: Ports, *, cases: int, seed: int, venues: list[str] | None, tell: Callable[[str], None]
) -> int:
    """The wire ring, its report as one line of JSON, and the exit code."""
    home = default_home()
    places = Places(home=home / "chaos", ports=ports, builds=home / "build")
    os.environ.update(
        credentials(places)
        | {"CTS_TABLE_PREFIX": STACK, "CTS_POSITION_LOOP_ARN": loop_arn("position")}
    )
    from local.wire_ring import run as ring  # its tables read their names at import

    unknown = sorted(set(venues or ()) - set(PAPER_ACCOUNTS))
    if unknown:
        _fail(f"--venue must be one of {', '.join(PAPER_ACCOUNTS)}, was {unknown[0]}")
    found = _run(
        ring.run(places, cases=cases, seed=seed, venues=venues or (), say=tell, now_ms=now_ms)
    )
    say(json.dumps(found))
    return 1 if found["wrong"] else 0


def say(text: str) -> None:
    """Print one line as it is."""
    out.print(text, markup=False, soft_wrap=True)


def complain(text: str) -> None:
    """Print one line to stderr."""
    Console(stderr=True, highlight=False).print(text, markup=False, soft_wrap=True)


def _run[T](work: Coroutine[Any, Any, T]) -> T:
    try:
        return asyncio.run(work)
    except FAILURES as error:
        _fail(str(error))


def _fail(sentence: str) -> NoReturn:
    complain(sentence)
    raise typer.Exit(1)


def main() -> None:
    """Run the command that was asked for."""
    app()


if __name__ == "__main__":
    main()
