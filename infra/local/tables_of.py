"""Which tables a command works on: those of the running twin, or of a stack on AWS."""

import os
from typing import Annotated, NoReturn

import typer

from local.deployment import UnreachableError, at_twin, twin_places

Aws = Annotated[
    bool, typer.Option("--aws", help="A stack on AWS, with your own profile, not the twin.")
]
Stack = Annotated[str, typer.Option("--stack", help="Its name.")]


def choose_tables(*, aws: bool, stack: str) -> None:
    """Point this process at the tables; to be called before they are imported.

    The models read their names as they are imported. Exits with 1 if no twin is up.
    """
    if aws:
        os.environ["CTS_TABLE_PREFIX"] = stack
        return
    try:
        at_twin(twin_places())
    except UnreachableError:
        give_up("nothing is up: start it with `cts up`, or mean a stack on AWS with --aws")


def give_up(sentence: str) -> NoReturn:
    """Say why on stderr and exit with 1."""
    typer.echo(sentence, err=True)
    raise typer.Exit(1)
