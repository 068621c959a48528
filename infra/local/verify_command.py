"""`cts verify`: the checklist of an operator, each item tried for real."""

import json
import time
from collections.abc import Callable
from typing import Annotated

import typer

from local.deployment import (
    UNREACHABLE,
    CaFile,
    Token,
    UnreachableError,
    Url,
    deployment,
)
from local.verifying.checklist import Checked, start_stopped, stop_again, walk
from local.verifying.items import Visit

FAILED = 1


def verify(
    url: Url = None,
    token: Token = None,
    ca_file: CaFile = None,
    start: Annotated[
        bool, typer.Option("--start", help="Start stopped engines, and stop them again.")
    ] = False,
    wait: Annotated[
        int, typer.Option(min=0, max=86_400, help="Seconds in which failing items are retried.")
    ] = 0,
    as_json: Annotated[bool, typer.Option("--json", help="One object, on the last line.")] = False,
) -> None:
    """Try each item of the checklist: 0 if all hold, 1 if one fails, 3 if nobody can be asked."""
    tell = _complain if as_json else typer.echo
    try:
        api = deployment(url, token, ca_file)
        visit = Visit(api=api, pause=time.sleep)
        checked = verified(visit, start=start, wait_s=wait, tell=tell)
    except UnreachableError as error:
        typer.echo(str(error), err=True)
        if as_json:
            typer.echo(json.dumps({"holds": False, "error": str(error), "items": []}))
        raise typer.Exit(UNREACHABLE) from None
    holds = all(one.finding.holds for one in checked)
    if as_json:
        told = {"url": api.url, "holds": holds, "items": [one.told() for one in checked]}
        typer.echo(json.dumps(told))
    raise typer.Exit(0 if holds else FAILED)


def verified(
    visit: Visit, *, start: bool, wait_s: float, tell: Callable[[str], None]
) -> list[Checked]:
    """Walk the checklist and tell each item as it is found; nothing is started unless asked.

    Raises
    ------
    UnreachableError
        If the API does not answer at all, or not to this token.
    """
    begun = start_stopped(visit, tell=tell) if start else []
    checked = []
    try:
        for one in walk(visit, wait_s=wait_s):
            checked.append(one)
            for line in _lines(one):
                tell(line)
    finally:
        stop_again(visit, begun, tell=tell)
    held = sum(one.finding.holds for one in checked)
    tell(f"{held} of {len(checked)} hold")
    return checked


def _lines(checked: Checked) -> list[str]:
    mark = "holds " if checked.finding.holds else "FAILED"
    first = f"{mark} {checked.item.name}: {checked.finding.seen}"
    hints = [] if checked.finding.holds else checked.item.hints
    return [first, *(f"         - {hint}" for hint in hints)]


def _complain(text: str) -> None:
    typer.echo(text, err=True)
