"""`cts audit verify`: whether anybody changed what the audit log says."""

import json
from typing import Annotated

import typer

from local.tables_of import Aws, Stack, choose_tables, give_up

audit = typer.Typer(no_args_is_help=True, help="The audit log.")


@audit.callback()
def _named() -> None:
    """Keep the name of the one command."""


@audit.command()
def verify(
    subject: Annotated[
        str | None, typer.Option(help="Of one connection, or such as tokens; else all.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object.")] = False,
    aws: Aws = False,
    stack: Stack = "cts",
) -> None:
    """Recompute the chains of hashes; 1 if a line was changed, removed, inserted or exchanged."""
    choose_tables(aws=aws, stack=stack)
    from adapters.audit_views import AuditViews
    from engine.errors import CtsError

    try:
        found = AuditViews().verified(subject)
    except CtsError as error:
        give_up(str(error))
    if as_json:
        typer.echo(json.dumps(found))
    else:
        for fault in found["faults"]:
            typer.echo(f"{fault['subject']} {fault['at_key']}: {fault['problem']}")
        old = sum(one["unchained"] for one in found["chains"])
        older = f", {old} of them older than chains, which prove nothing" if old else ""
        said = "every chain holds" if found["holds"] else f"{len(found['faults'])} faults"
        typer.echo(f"{said}: {found['rows']} lines of {len(found['chains'])} subjects{older}")
    raise typer.Exit(0 if found["holds"] else 1)
