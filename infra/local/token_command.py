"""`cts token`: who may call the API, written to the tables themselves, for the first token too."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Annotated, Any

import typer

from local.places import default_home
from local.tables_of import Aws, Stack, choose_tables, give_up

BY = "cts token"

token = typer.Typer(help="Issue, list and revoke tokens; alone: where the twin's own is.")
AsJson = Annotated[bool, typer.Option("--json", help="One JSON object.")]


@token.callback(invoke_without_command=True)
def where(context: typer.Context) -> None:
    """Show where the token of the twin's owner is."""
    if context.invoked_subcommand is None:
        typer.echo(str(default_home() / "token"))


@token.command()
def create(
    name: Annotated[str, typer.Argument(help="Who will use it; the audit log shows it.")],
    role: Annotated[str, typer.Option(help="viewer, operator or admin.")] = "viewer",
    days: Annotated[int | None, typer.Option(help="Until it expires; without it never.")] = None,
    connection: Annotated[
        list[str] | None, typer.Option(help="It reaches this one; may be repeated.")
    ] = None,
    as_json: AsJson = False,
    aws: Aws = False,
    stack: Stack = "cts",
) -> None:
    """Issue a token and print it, this once."""
    choose_tables(aws=aws, stack=stack)
    from adapters.clock import SystemClock
    from adapters.tokens import Tokens, new_token
    from engine.errors import CtsError

    connections = tuple(connection) if connection else None
    try:
        asked = new_token(name=name, role=role, days=days, connections=connections)
        made, record = Tokens(clock=SystemClock()).create(asked, by=BY)
    except CtsError as error:
        give_up(str(error))
    typer.echo(json.dumps({"token": made, "record": record}) if as_json else made)


@token.command("list")
def show_all(as_json: AsJson = False, aws: Aws = False, stack: Stack = "cts") -> None:
    """List all tokens, newest first; no secret is shown."""
    choose_tables(aws=aws, stack=stack)
    from adapters.clock import SystemClock
    from adapters.tokens import Tokens

    found = Tokens(clock=SystemClock()).all()
    if as_json:
        typer.echo(json.dumps({"tokens": found}))
        return
    for one in found:
        typer.echo(line(one))


@token.command()
def revoke(
    token_id: Annotated[str, typer.Argument(help="As `cts token list` shows it.")],
    aws: Aws = False,
    stack: Stack = "cts",
) -> None:
    """End a token at once."""
    choose_tables(aws=aws, stack=stack)
    from adapters.clock import SystemClock
    from adapters.tokens import Tokens
    from engine.errors import CtsError

    try:
        record = Tokens(clock=SystemClock()).revoke(token_id, by=BY)
    except CtsError as error:
        give_up(str(error))
    typer.echo(line(record))


def line(record: Mapping[str, Any]) -> str:
    """A token as one line of a list."""
    reached = ",".join(record["connections"]) if record["connections"] else "all connections"
    ends = [("revoked", "revoked_at_ms"), ("expires", "expires_at_ms"), ("used", "last_used_ms")]
    times = [f"{word} {day(record[name])}" for word, name in ends if record[name] is not None]
    made = f"created {day(record['created_at_ms'])} by {record['created_by']}"
    return "  ".join([record["id"], record["name"], record["role"], reached, made, *times])


def day(time_ms: int) -> str:
    """A time as people read it, UTC."""
    return datetime.fromtimestamp(time_ms / 1000, UTC).strftime("%Y-%m-%d %H:%M")
