"""`cts record`: a venue's public stream as a tape for `--tape`."""

import asyncio
import signal
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal, NoReturn

import typer

from local.places import Places, Ports, default_home

if TYPE_CHECKING:
    from adapters.access import PaperAddress
    from local.recording import Wanted


def record(
    venue: Annotated[Literal["binance", "bybit", "okx"], typer.Option(help="Whose stream.")],
    symbols: Annotated[str, typer.Option(help="Joined names, such as BTCUSDT,ETHUSDT.")],
    out: Annotated[Path, typer.Option(help="The tape: .csv, or .csv.gz to pack it.")],
    seconds: Annotated[int, typer.Option(min=1, max=7 * 86_400, help="How long.")] = 3_600,
    paper: Annotated[
        bool, typer.Option("--paper", help="Of the running twin's paper exchange instead.")
    ] = False,
    paper_port: Annotated[int, typer.Option(help="Its port.")] = Ports().paper,
) -> None:
    """Record a venue's public trades; Ctrl-C ends it and keeps what there is."""
    from local.recording import RecordingError, Wanted  # tables read their names at import

    names = tuple(each.strip().upper() for each in symbols.split(",") if each.strip())
    if not names:
        _fail("--symbols must name at least one symbol, such as BTCUSDT")
    address = _paper(paper_port) if paper else None
    wanted = Wanted(venue=venue, symbols=names, seconds=seconds, out=out, paper=address)
    try:
        typer.echo(asyncio.run(_until_ended(wanted)))
    except RecordingError as error:
        _fail(str(error))


async def _until_ended(wanted: "Wanted") -> str:
    from local.recording import record as recorded

    stop = asyncio.Event()
    for signum in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(signum, stop.set)
    return await recorded(wanted, say=typer.echo, stop=stop)


def _paper(port: int) -> "PaperAddress":
    from adapters.access import PaperAddress

    ca_file = Places(home=default_home()).paper_ca
    if not ca_file.is_file():
        _fail(f"no paper exchange ever ran here ({ca_file} is missing): start one with `cts up`")
    return PaperAddress(host="127.0.0.1", port=port, ca_file=ca_file)


def _fail(sentence: str) -> NoReturn:
    typer.echo(sentence, err=True)
    raise typer.Exit(1)
